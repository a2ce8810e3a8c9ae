//! An edition (届): one run of a programme, with its own log.
//!
//! [`Edition::admit`] says whether a record may follow; [`Edition::apply`] makes the next state. The
//! server calls `admit` before it writes, the verifier calls it after. Each file below holds one part of the
//! regulations, in the order of the process.

mod admit;
mod call;
pub mod committee;
mod conferral;
mod disclosure;
pub mod events;
mod experts;
mod hidden;
mod notice;
mod opinions;
mod paths;
mod result;
mod review;
mod scoring;
pub mod secret;
mod selection;
mod stages;
mod state;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod testing;
mod visits;

pub use admit::Reading;
pub use disclosure::Thing;
pub use experts::Successor;
pub use hidden::HiddenFields;
pub use opinions::OpinionState;
pub use paths::{item_of_path, item_path, mark_path, score_path};
pub use result::{Finalist, MemberVote, PublicResult, Winner};
pub use stages::StageProgress;
pub use state::{
    Application, DrawState, Edition, Issue, LogEntry, Motion, MotionState, Notice, Objection, Opinions, Organisation,
    Panel, Recommendation, Review, Seat, Session, Sheets, StageState, Succession, Visit,
};
