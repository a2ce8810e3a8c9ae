//! The rules of a quality award as one pure function.
//!
//! A *log* is an append-only list of *records*. `admit` says whether a record may follow, `apply` makes the next
//! state. The server calls `admit` before it writes, the verifier calls it after. Nothing here reads a clock, draws a
//! random number, touches a file or a thread, or counts in floats; time, ids and random values stand in the record.
//!
//! Where to find a clause: [`edition`] has one file for each part of the regulations; the mechanisms stand beside it
//! ([`evaluation`], [`draw`], [`ballot`], [`eligibility`], [`calendar`]); limits and amounts are data read by [`rules`].

pub mod ballot;
pub mod calendar;
pub mod criteria;
pub mod draw;
pub mod edition;
pub mod eligibility;
pub mod evaluation;
pub mod messages;
pub mod office;
pub mod record;
pub mod refusal;
pub mod replay;
pub mod rules;
pub mod text;
pub mod time;
pub mod uscc;
