//! What the public page of an edition shows, as one value: the same on the website, in `result.json` and in the verifier.

use serde::{Deserialize, Serialize};

use super::committee::vote_on;
use super::state::Edition;
use crate::ballot::{Count, Vote};
use crate::rules::VoteDisclosure;
use crate::text::Text;

/// One member's vote, as the rules disclose it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberVote {
    /// Name as on the roster.
    pub name: String,
    /// The ballot was signed by hand, and two officers entered it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paper: bool,
    /// Recused in this case.
    pub recused: bool,
    /// The vote; absent if the member did not vote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vote: Option<Vote>,
}

/// A finalist with the votes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finalist {
    /// Application.
    pub application: String,
    /// Counted result.
    pub count: Count,
    /// Motion.
    pub motion: String,
    /// Name.
    pub name: Text,
    /// Votes by name, where the rules disclose them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub votes: Vec<MemberVote>,
}

/// A winner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Winner {
    /// Application.
    pub application: String,
    /// Certificate number, once it is conferred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// County.
    pub county: Text,
    /// Name.
    pub name: Text,
    /// Prize in fen, once it is conferred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prize_fen: Option<u64>,
    /// Composite score in hundredths of a point, once it is opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<u64>,
    /// Sector.
    pub sector: Text,
    /// Tier.
    pub tier: String,
}

/// The public result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicResult {
    /// Number of applications.
    pub applicants: u64,
    /// Document number of the decision, once it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// Short name of the edition.
    pub edition: String,
    /// Finalists in the order of the vote.
    pub finalists: Vec<Finalist>,
    /// Log.
    pub log: String,
    /// Name of the award.
    pub programme: Text,
    /// Winners, best first within their tier.
    pub winners: Vec<Winner>,
    /// Year.
    pub year: u32,
}

impl Edition {
    /// The votes of one motion's option by roster order.
    pub fn member_votes(&self, motion: &str, option: &str) -> Vec<MemberVote> {
        let Some(motion) = self.motion(motion) else {
            return Vec::new();
        };
        let Some(session) = self.sessions.get(&motion.body.session) else {
            return Vec::new();
        };
        let Some(rules) = self.rules().stage(&motion.stage).and_then(|s| s.committee.as_ref()) else {
            return Vec::new();
        };
        let last = motion.counting();
        session
            .members
            .iter()
            .map(|member| MemberVote {
                name: member.name.clone(),
                paper: last.get(member.person.as_str()).is_some_and(|ballot| ballot.body.paper.is_some()),
                recused: motion.recused.get(option).is_some_and(|r| r.contains(&member.person)),
                vote: last
                    .get(member.person.as_str())
                    .and_then(|ballot| vote_on(rules.choice.value, &ballot.body.choice, option)),
            })
            .collect()
    }

    /// The result as the rules publish it now; `None` before the winners are chosen and their notice is out.
    pub fn public_result(&self) -> Option<PublicResult> {
        self.winners_published()?;
        let named = self.rules().disclosure.votes.value == VoteDisclosure::Named;
        let stage = self.winners_stage().map(|(stage, _)| stage);
        let finalists = self
            .motions
            .iter()
            .filter(|(_, m)| Some(m.stage.as_str()) == stage)
            .flat_map(|(id, m)| m.counts.iter().map(move |c| (id, c)))
            .filter_map(|(id, c)| {
                Some(Finalist {
                    application: c.option.clone(),
                    count: c.count.clone(),
                    motion: id.clone(),
                    name: self.applicant(&c.option)?.name.clone(),
                    votes: if named { self.member_votes(id, &c.option) } else { Vec::new() },
                })
            })
            .collect();
        let opened = !self.opened_scores.is_empty();
        let winners = self
            .standing_winners()
            .into_iter()
            .filter(|(application, _)| {
                self.decision.as_ref().is_none_or(|(d, _)| d.approved.iter().any(|a| a.application == *application))
            })
            .filter_map(|(application, tier)| {
                let organisation = self.applicant(application)?;
                let honour = self.honours.iter().find(|(h, _, _)| h.application == application).map(|(h, _, _)| h);
                Some(Winner {
                    application: application.to_owned(),
                    certificate: honour.map(|h| h.certificate.clone()),
                    county: organisation.county.clone(),
                    name: organisation.name.clone(),
                    prize_fen: honour.map(|h| h.prize_fen),
                    score: if opened { self.composite(application) } else { None },
                    sector: organisation.sector.clone(),
                    tier: tier.to_owned(),
                })
            })
            .collect();
        Some(PublicResult {
            applicants: u64::try_from(self.applications.len()).unwrap_or(0),
            decision: self.decision.as_ref().map(|(d, _)| d.number.clone()),
            edition: self.opened.edition.clone(),
            finalists,
            log: self.log.clone(),
            programme: self.rules().name.clone(),
            winners,
            year: self.opened.year,
        })
    }
}
