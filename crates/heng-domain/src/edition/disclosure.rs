//! One gate for every output: what the public may see of an edition now (design.md, law 11).
//!
//! Pages, search, exports, streams and error messages all ask [`Edition::public_may_see`]; there is no second rule.

use super::Edition;
use super::state::MotionState;
use crate::rules::VoteDisclosure;

/// Something that an output would show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing<'a> {
    /// The number of applications, never who they are.
    ApplicantCount,
    /// The name of the organisation behind an application.
    Name(&'a str),
    /// Who has voted on a motion, not how.
    WhoVoted(&'a str),
    /// The counted result of a motion.
    Count(&'a str),
    /// Each member's vote on a motion.
    Votes(&'a str),
    /// Scores and the sheets behind them.
    Scores,
    /// The winners.
    Result,
    /// The log's records, tiles and bundle.
    Records,
}

impl Edition {
    /// Who inside may open an application's dossier now.
    pub fn may_read(&self, reader: &str, application: &str) -> bool {
        let _ = application;
        self.has_role(reader, super::events::Role::Officer)
            || self.applications.get(application).is_some_and(|a| a.body.organisation == reader)
            || self.panels.values().any(|p| p.members.contains(reader) && p.applications.contains(application))
            || self.has_role(reader, super::events::Role::Member)
            || self.has_role(reader, super::events::Role::Recommender)
            || self.has_role(reader, super::events::Role::Supervisor)
    }

    /// Whether the public may see `thing` at this stage.
    pub fn public_may_see(&self, thing: Thing<'_>) -> bool {
        let published = self.winners_published().is_some();
        let named = self.rules().disclosure.votes.value == VoteDisclosure::Named;
        match thing {
            Thing::ApplicantCount => true,
            // A name becomes public with the motion that is opened on it, or with a notice that names it.
            Thing::Name(application) => {
                let voted = self.motions.iter().any(|(_, m)| m.body.options.iter().any(|o| o == application));
                voted || self.notices.iter().any(|(_, n)| n.body.names.iter().any(|name| name == application))
            }
            Thing::WhoVoted(motion) => named && self.motion(motion).is_some(),
            Thing::Count(motion) => self.motion(motion).is_some_and(|m| m.state == MotionState::Announced),
            // Sealed until the close; then the read-back shows all at once (law 6).
            Thing::Votes(motion) => {
                named
                    && self.motion(motion).is_some_and(|m| {
                        matches!(m.state, MotionState::Closed | MotionState::Frozen | MotionState::Announced)
                    })
            }
            Thing::Scores => published && !self.opened_scores.is_empty(),
            Thing::Result | Thing::Records => published,
        }
    }
}
