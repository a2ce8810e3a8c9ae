//! Bundle in, numbered checks out. No network, no clock.
//!
//! [`verify`] replays every record of a bundle through the same `admit` that the server used, and recomputes draws,
//! scores, shortlist, quorum, votes, the notice window and prizes. Where a rule needs a value that is still sealed it
//! says SEALED and counts it; it never guesses and never says OK for it. The checks are those of verifiability.md §6.9.

mod bundle;
mod checks;
mod logs;
mod outcome;
mod report;
mod review;

pub use bundle::{Bundle, Unreadable};
pub use checks::{Options, verify};
pub use report::{Check, Finding, Report, Sentence, Status, status_word};
