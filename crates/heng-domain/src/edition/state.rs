//! The state of an edition: made only by [`Edition::apply`], read by every page.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heng_log::Hash;
use heng_log::signature::PublicKey;
use jiff::civil::{Date, DateTime};
use serde_json::Value;

use super::HiddenFields;
use super::events::{
    ApplicationSubmitted, BallotCast, BallotRefused, CallPublished, ConditionChecked, CountRecorded, DecisionMade,
    EditionOpened, Excluded, FindingKind, HonourConferred, MotionOpened, NoticePublished, ObjectionAnswered,
    ObjectionReceived, OpinionReceived, OptionCount, OrganisationEntered, PollCounted, PreReviewDecided,
    RecommendationGiven, Role, RosterMember, SelectionDecided, ShortlistDecided, VisitPlanned,
};
use crate::calendar::Calendar;
use crate::criteria::Criteria;
use crate::draw::{Drawn, Plan, SourceValue};
use crate::time::Instant;

/// A person or expert of this edition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Roles; empty for experts.
    pub roles: BTreeSet<Role>,
    /// Public name, if there is one.
    pub name: Option<String>,
    /// Key, if the person signs.
    pub key: Option<PublicKey>,
    /// The expert's field; `None` for others.
    pub group: Option<String>,
    /// Number of the record that seated them.
    pub seq: u64,
    /// Still seated.
    pub active: bool,
}

/// An organisation of this edition.
pub type Organisation = OrganisationEntered;

/// A recommender's opinion.
#[derive(Clone, Debug, PartialEq)]
pub struct Recommendation {
    /// Who gave it.
    pub recommender: String,
    /// What it says.
    pub body: RecommendationGiven,
    /// Number of the record.
    pub seq: u64,
    /// When it came in.
    pub time: Instant,
}

/// An application with what has been decided on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Application {
    /// Who entered it: the organisation itself, or an officer for it.
    pub by: String,
    /// As submitted.
    pub body: ApplicationSubmitted,
    /// Number of the record.
    pub seq: u64,
    /// When it came in.
    pub time: Instant,
    /// Reason of the withdrawal.
    pub withdrawn: Option<String>,
    /// Opinions.
    pub recommendations: Vec<Recommendation>,
    /// Conditions checked so far.
    pub checks: BTreeMap<String, ConditionChecked>,
    /// Decision of the pre-review.
    pub review: Option<Review>,
    /// Removed after an objection that was upheld.
    pub removed: bool,
}

/// Decision of the pre-review.
pub type Review = PreReviewDecided;

/// The departments' opinions: what was asked, and what came back.
#[derive(Clone, Debug, PartialEq)]
pub struct Opinions {
    /// Applications.
    pub applications: BTreeSet<String>,
    /// Last day to answer.
    pub until: Date,
    /// When they were asked.
    pub asked: Instant,
    /// Number of the record that asked.
    pub seq: u64,
    /// The answer that counts, with the number of its record, by department and application.
    pub answers: BTreeMap<(String, String), (OpinionReceived, u64)>,
}

/// When a stage was opened and closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageState {
    /// Time of `stage.opened`.
    pub opened: Option<Instant>,
    /// Time of `stage.closed`.
    pub closed: Option<Instant>,
}

/// A published plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedPlan {
    /// The plan.
    pub plan: Plan,
    /// Day of the first source event.
    pub sources_on: Date,
    /// Number of the record.
    pub seq: u64,
    /// When it was published.
    pub time: Instant,
}

/// What a draw yielded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revealed {
    /// Positions, as drawn.
    pub result: Vec<Drawn>,
    /// Secrets.
    pub secrets: Vec<Hash>,
    /// Values of the public events.
    pub values: Vec<SourceValue>,
    /// Number of the record.
    pub seq: u64,
}

/// A reserve that stepped in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// Stratum.
    pub stratum: String,
    /// Who left.
    pub out: String,
    /// Who stepped in.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawState {
    /// Stage.
    pub stage: String,
    /// Frozen lines.
    pub lines: Vec<String>,
    /// Lines left out.
    pub excluded: Vec<Excluded>,
    /// Hash of the pool.
    pub sha256: Hash,
    /// Plan.
    pub plan: Option<PublishedPlan>,
    /// Result.
    pub revealed: Option<Revealed>,
    /// Replacements in order.
    pub replaced: Vec<Replacement>,
    /// Why and when the draw was given up; it stays visible for ever.
    pub voided: Option<(String, Instant)>,
}

impl DrawState {
    /// The line at a 1-based position.
    pub fn line(&self, position: u64) -> Option<&str> {
        usize::try_from(position).ok()?.checked_sub(1).and_then(|i| self.lines.get(i)).map(String::as_str)
    }

    /// The drawn lines of all strata in order, after replacements.
    pub fn current(&self) -> Vec<&str> {
        let mut out: Vec<&str> = self
            .revealed
            .iter()
            .flat_map(|revealed| &revealed.result)
            .flat_map(|drawn| drawn.taken.iter().filter_map(|position| self.line(*position)))
            .collect();
        for replacement in &self.replaced {
            if let Some(place) = out.iter_mut().find(|line| **line == replacement.out) {
                *place = replacement.by.as_str();
            }
        }
        out
    }

    /// The first reserve of a stratum, in the order of the draw, who has not stepped in yet and is `fit`.
    pub fn next_reserve(&self, stratum: &str, fit: impl Fn(&str) -> bool) -> Option<&str> {
        let drawn = self.revealed.iter().flat_map(|revealed| &revealed.result).find(|drawn| drawn.id == stratum)?;
        let mut reserves = drawn.reserve.iter().filter_map(|position| self.line(*position));
        reserves.find(|line| !self.replaced.iter().any(|r| r.by == *line) && fit(line))
    }
}

/// A change of the members of a panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Succession {
    /// Who left.
    pub out: String,
    /// Who stepped in.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panel {
    /// Stage of kind `experts`.
    pub stage: String,
    /// Leader.
    pub leader: String,
    /// Experts.
    pub members: BTreeSet<String>,
    /// Applications.
    pub applications: BTreeSet<String>,
    /// Changes of the members, in order.
    pub replaced: Vec<Succession>,
}

impl Panel {
    /// Those whose place `expert` has taken, the latest first.
    pub fn predecessors(&self, expert: &str) -> Vec<&str> {
        let mut out: Vec<&str> = Vec::new();
        for change in self.replaced.iter().rev() {
            if change.by == out.last().copied().unwrap_or(expert) {
                out.push(&change.out);
            }
        }
        out
    }
}

/// A question for the site visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Who raised it.
    pub by: String,
    /// Item.
    pub item: String,
    /// Number of the record.
    pub seq: u64,
}

/// Something found at a site visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Who found it.
    pub by: String,
    /// How.
    pub how: FindingKind,
    /// Number of the record of the issue that it answers.
    pub issue: Option<u64>,
    /// Item.
    pub item: String,
    /// Number of the record.
    pub seq: u64,
}

/// A site visit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Visit {
    /// The plan that counts, with the number of its record.
    pub plan: Option<(VisitPlanned, u64)>,
    /// Issues, in order.
    pub issues: Vec<Issue>,
    /// Findings, in order.
    pub log: Vec<LogEntry>,
    /// Number of the report's record, and when.
    pub report: Option<(u64, Instant)>,
}

/// Where the sheets of a stage stand in the log: numbers of records.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sheets {
    /// By application, then expert.
    pub submitted: BTreeMap<String, BTreeMap<String, u64>>,
    /// Agreed sheet by application.
    pub agreed: BTreeMap<String, u64>,
    /// Members who do not share an agreed sheet, by application: the record, and the items.
    pub dissents: BTreeMap<String, BTreeMap<String, (u64, Vec<String>)>>,
    /// Poll by application.
    pub polls: BTreeMap<String, PollCounted>,
    /// Record with the computed scores, and the applications it covers.
    pub computed: Option<(u64, Vec<String>)>,
}

/// A session of the committee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Stage.
    pub stage: String,
    /// Roster.
    pub members: Vec<RosterMember>,
    /// Hash of the roster.
    pub sha256: Hash,
    /// Who is present now.
    pub present: BTreeSet<String>,
    /// Hash of the signed minutes.
    pub minutes: Option<Hash>,
}

impl Session {
    /// Members in `present`, and members of the roster, both without the `recused`.
    pub fn attendance(&self, present: &BTreeSet<String>, recused: &BTreeSet<String>) -> (u32, u32) {
        let counts = || self.members.iter().filter(|m| !recused.contains(&m.person));
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        (number(counts().filter(|m| present.contains(&m.person)).count()), number(counts().count()))
    }
}

/// How far a motion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MotionState {
    /// Ballots come in.
    Open,
    /// Closed; the votes are read back.
    Closed,
    /// The count is fixed.
    Frozen,
    /// The result is announced.
    Announced,
    /// Void.
    Voided,
}

/// A ballot in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Ballot {
    /// As cast.
    pub body: BallotCast,
    /// SHA-256 of its canonical body: what a correction names.
    pub hash: Hash,
    /// Number of the record.
    pub seq: u64,
    /// When it came in.
    pub time: Instant,
}

/// A motion.
#[derive(Clone, Debug, PartialEq)]
pub struct Motion {
    /// As opened.
    pub body: MotionOpened,
    /// Stage.
    pub stage: String,
    /// When it was opened.
    pub opened: Instant,
    /// When it was closed last.
    pub closed: Option<Instant>,
    /// Members present at the opening: only they vote.
    pub present: BTreeSet<String>,
    /// Recused members by option, at the opening.
    pub recused: BTreeMap<String, BTreeSet<String>>,
    /// Ballots in order.
    pub ballots: Vec<Ballot>,
    /// Signed ballots that were refused, each member once for a reason.
    pub refused: Vec<BallotRefused>,
    /// Paper count.
    pub paper: Option<CountRecorded>,
    /// How far it is.
    pub state: MotionState,
    /// Members who disputed since the last close.
    pub disputes: Vec<(String, String)>,
    /// How often it was reopened.
    pub reopened: u32,
    /// Announced counts.
    pub counts: Vec<OptionCount>,
    /// Number of the announcement's record.
    pub announced: Option<u64>,
    /// Statements after the count.
    pub corrections: Vec<(String, String)>,
}

impl Motion {
    /// The last ballot of each voter, in voter order: what counts.
    pub fn counting(&self) -> BTreeMap<&str, &Ballot> {
        self.ballots.iter().map(|ballot| (ballot.body.voter.as_str(), ballot)).collect()
    }

    /// Members whose counting ballot was entered from paper.
    pub fn on_paper(&self) -> BTreeSet<&str> {
        let counting = self.counting().into_iter();
        counting.filter(|(_, ballot)| ballot.body.paper.is_some()).map(|(voter, _)| voter).collect()
    }

    /// Whether `member` is recused from every option, and so casts no ballot.
    pub fn is_away(&self, member: &str) -> bool {
        self.body.options.iter().all(|o| self.recused.get(o).is_some_and(|r| r.contains(member)))
    }

    /// Those present at the opening, and the roll, both without the recused, for the option that comes closest to missing the
    /// quorum: the quorum holds for each option by itself.
    pub fn attendance(&self, session: &Session) -> (u32, u32) {
        self.attendance_of(session, &self.present)
    }

    /// As [`Motion::attendance`], of those who were present at the opening and are there still.
    pub fn staying(&self, session: &Session) -> (u32, u32) {
        self.attendance_of(session, &self.present.intersection(&session.present).cloned().collect())
    }

    fn attendance_of(&self, session: &Session, present: &BTreeSet<String>) -> (u32, u32) {
        let nobody = BTreeSet::new();
        let each = self.body.options.iter().map(|o| self.recused.get(o).unwrap_or(&nobody));
        let least = each
            .map(|recused| session.attendance(present, recused))
            .min_by(|(p, r), (q, s)| (u64::from(*p) * u64::from(*s)).cmp(&(u64::from(*q) * u64::from(*r))));
        least.unwrap_or_else(|| session.attendance(present, &nobody))
    }
}

/// A public notice.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// As published.
    pub body: NoticePublished,
    /// When.
    pub time: Instant,
    /// Number of the record.
    pub seq: u64,
    /// True if the winners had been chosen when it was published: then it is they whom it names.
    pub names_winners: bool,
}

/// An objection with its handling.
#[derive(Clone, Debug, PartialEq)]
pub struct Objection {
    /// As received.
    pub body: ObjectionReceived,
    /// Number of its record.
    pub seq: u64,
    /// When.
    pub time: Instant,
    /// Accepted or not, and why.
    pub screened: Option<(bool, String)>,
    /// Answer.
    pub answer: Option<ObjectionAnswered>,
}

/// The whole state.
#[derive(Clone, Debug, PartialEq)]
pub struct Edition {
    /// Name of the log.
    pub log: String,
    /// Number of records.
    pub size: u64,
    /// Time of the last record.
    pub last: Instant,
    /// The first record: rules, year, label.
    pub opened: EditionOpened,
    /// Criteria.
    pub criteria: Option<Criteria>,
    /// Calendar.
    pub calendar: Option<Calendar>,
    /// Persons and experts.
    pub seats: BTreeMap<String, Seat>,
    /// Organisations.
    pub organisations: BTreeMap<String, Organisation>,
    /// Stages by name.
    pub stages: BTreeMap<String, StageState>,
    /// The call.
    pub call: Option<CallPublished>,
    /// Applications; copies of the state share those that have not changed.
    pub applications: BTreeMap<String, Arc<Application>>,
    /// Applications still in the field.
    pub field: BTreeSet<String>,
    /// The field as each stage found it when it opened.
    pub field_at: BTreeMap<String, BTreeSet<String>>,
    /// Opinions of other departments, once they are asked.
    pub opinions: Option<Opinions>,
    /// Recusals: person or expert, application, ground.
    pub recusals: BTreeMap<(String, String), String>,
    /// Pledges: person or expert, hash of the text.
    pub pledges: BTreeMap<String, Hash>,
    /// On which applications the person has declared a conflict or none; whoever is not listed has pledged for all.
    pub declared: BTreeMap<String, Arc<BTreeSet<String>>>,
    /// Draws.
    pub draws: BTreeMap<String, DrawState>,
    /// Panels.
    pub panels: BTreeMap<String, Panel>,
    /// Sheets by stage.
    pub sheets: BTreeMap<String, Sheets>,
    /// Site visits by stage and application.
    pub visits: BTreeMap<(String, String), Visit>,
    /// Shortlists by stage.
    pub shortlists: BTreeMap<String, ShortlistDecided>,
    /// Sessions.
    pub sessions: BTreeMap<String, Session>,
    /// Motions, in the order of opening.
    pub motions: Vec<(String, Motion)>,
    /// Selections by stage.
    pub selections: BTreeMap<String, SelectionDecided>,
    /// Notices, in order.
    pub notices: Vec<(String, Notice)>,
    /// Objections, in order.
    pub objections: Vec<(String, Objection)>,
    /// Decision, with the time.
    pub decision: Option<(DecisionMade, Instant)>,
    /// Honours, with the number of the record and the time.
    pub honours: Vec<(HonourConferred, u64, Instant)>,
    /// Records whose marks were opened, with the time.
    pub opened_scores: BTreeMap<u64, Instant>,
    /// Records whose personal data were destroyed, with the ground.
    pub erased: BTreeMap<u64, String>,
    /// The edition is finished.
    pub closed: bool,
    /// Hidden fields by record. All values are known on the server, the opened ones in the verifier.
    pub hidden: BTreeMap<u64, HiddenFields>,
    /// The sets of paths that records have in common.
    pub(super) shapes: BTreeSet<Arc<[String]>>,
}

impl Edition {
    /// The frozen rules.
    pub fn rules(&self) -> &crate::rules::Rules {
        &self.opened.rules
    }

    /// The motion called `id`.
    pub fn motion(&self, id: &str) -> Option<&Motion> {
        self.motions.iter().find(|(name, _)| name == id).map(|(_, motion)| motion)
    }

    /// The notice called `id`.
    pub fn notice(&self, id: &str) -> Option<&Notice> {
        self.notices.iter().find(|(name, _)| name == id).map(|(_, notice)| notice)
    }

    /// The objection called `id`.
    pub fn objection(&self, id: &str) -> Option<&Objection> {
        self.objections.iter().find(|(name, _)| name == id).map(|(_, objection)| objection)
    }

    /// A known value at `path` of record `seq`.
    pub fn known_value(&self, seq: u64, path: &str) -> Option<&Value> {
        self.hidden.get(&seq)?.value(path)
    }

    /// A known number at `path` of record `seq`.
    pub fn known_number(&self, seq: u64, path: &str) -> Option<u64> {
        self.known_value(seq, path)?.as_u64()
    }

    /// The public name of somebody who has a seat, if there is one.
    pub fn name_of(&self, person: &str) -> Option<&str> {
        self.seats.get(person)?.name.as_deref()
    }

    /// Name of the organisation behind an application.
    pub fn applicant(&self, application: &str) -> Option<&Organisation> {
        self.organisations.get(&self.applications.get(application)?.body.organisation)
    }

    /// The local date and time of an instant, as a refusal tells it.
    pub fn local(&self, instant: Instant) -> DateTime {
        instant.local(self.rules().utc_offset_minutes)
    }

    /// The local day of an instant.
    pub fn day(&self, instant: Instant) -> Date {
        instant.date(self.rules().utc_offset_minutes)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn attendance_is_that_of_the_option_with_the_least_part_present() {
        let people = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<String>>();
        let members = ["p:1", "p:2", "p:3", "p:4", "p:5"].map(|id| json!({"key": id, "name": id, "person": id}));
        let session = Session {
            stage: "vote".into(),
            members: serde_json::from_value(json!(members)).unwrap(),
            sha256: Hash([0; 32]),
            present: people(&["p:1", "p:2", "p:3"]),
            minutes: None,
        };
        assert_eq!(session.attendance(&session.present, &people(&[])), (3, 5));
        // One recused member is there, one is not: each option has its own base, and they are never added up.
        assert_eq!(session.attendance(&session.present, &people(&["p:1"])), (2, 4));
        assert_eq!(session.attendance(&session.present, &people(&["p:5"])), (3, 4));
        let zero = Hash([0; 32]);
        let body = json!({
            "motion": "m:1", "options": ["a:1", "a:2", "a:3"], "options_sha256": zero, "roster_sha256": zero,
            "round": 1, "rule_sha256": zero, "seats": 1, "session": "s:1", "text": {"en": "x", "zh": "x"}, "text_sha256": zero,
        });
        let motion = Motion {
            body: serde_json::from_value(body).unwrap(),
            stage: "vote".into(),
            opened: serde_json::from_value(json!("2026-01-02T03:04:05.000Z")).unwrap(),
            closed: None,
            present: session.present.clone(),
            recused: BTreeMap::from([("a:2".to_owned(), people(&["p:1"])), ("a:3".to_owned(), people(&["p:5"]))]),
            ballots: Vec::new(),
            refused: Vec::new(),
            paper: None,
            state: MotionState::Open,
            disputes: Vec::new(),
            reopened: 0,
            counts: Vec::new(),
            announced: None,
            corrections: Vec::new(),
        };
        assert_eq!(motion.attendance(&session), (2, 4));
    }
}
