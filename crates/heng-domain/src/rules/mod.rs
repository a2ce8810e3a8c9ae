//! The rules (管理办法) of a programme: data with a legal basis, frozen for an edition.
//!
//! Nothing here is a constant of the software. Every limit, threshold, date and amount is read from a
//! file under `data/programmes/` and carries the article it rests on; a value that no source states says
//! `assumed = true` and is shown so. The list of parameters follows `award-rules.md` §1.7.

pub mod leaves;
mod read;
mod validate;

use serde::{Deserialize, Serialize};

use crate::text::Text;

pub use read::{RulesError, read_calendar, read_criteria, read_rules};
pub use validate::Problem;
pub(crate) use validate::is_name;

/// A value together with the article it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sourced<T> {
    /// The value itself.
    pub value: T,
    /// Document and article, or the published fact it was read from.
    pub basis: String,
    /// True where no source states the value: it is this file's assumption and is shown as one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub assumed: bool,
}

/// The regulation that the rules put into data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Title of the regulation.
    pub title: Text,
    /// Its number, e.g. 驻政办〔2016〕70号.
    pub number: String,
    /// Date of issue, `YYYY-MM-DD`; empty if unknown.
    #[serde(default)]
    pub issued: String,
    /// Where it was read.
    pub source: String,
}

/// Level of the authority that gives the award.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// State Council or a ministry.
    National,
    /// Province.
    Province,
    /// Prefecture-level city.
    City,
    /// District of a city.
    District,
    /// County.
    County,
}

/// The whole rules file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Version of this file format: 1.
    pub format: u32,
    /// Short name, e.g. `zhumadian-mayor`.
    pub id: String,
    /// Version of these rules, e.g. `2016.1`.
    pub version: String,
    /// Name of the award.
    pub name: Text,
    /// The authority that gives it.
    pub authority: Text,
    /// The authority's level.
    pub level: Level,
    /// The regulation.
    pub document: Document,
    /// Years between editions.
    pub cycle_years: Sourced<u32>,
    /// Offset of local time from UTC, in minutes (China: 480).
    pub utc_offset_minutes: i32,
    /// Identifier of the criteria tree, e.g. `gbt19580-2012`.
    pub criteria: Sourced<String>,
    /// Identifier of the calendar of working days, e.g. `cn`.
    pub calendar: String,
    /// Tiers, highest first.
    pub tiers: Vec<Tier>,
    /// Classes of applicants.
    pub classes: Vec<Class>,
    /// Seats kept for one group of applicants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<Reserved>,
    /// What happens when an earlier winner wins again.
    pub rewin: Sourced<Rewin>,
    /// The application form's limits.
    pub application: ApplicationRules,
    /// Eligibility and veto conditions of the pre-review.
    pub conditions: Vec<Condition>,
    /// Departments that are asked for their opinion during the pre-review (征求部门意见); absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opinions: Option<OpinionRules>,
    /// Grounds of recusal (回避).
    pub recusal: Vec<Ground>,
    /// The stages in order.
    pub stages: Vec<Stage>,
    /// What is published, and when.
    pub disclosure: Disclosure,
    /// Months that an honour stays valid; 0 = no end.
    pub validity_months: Sourced<u32>,
    /// True: only passkeys sign in this edition; false or absent: a key that a browser keeps counts too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passkeys_only: Option<Sourced<bool>>,
}

/// A tier of the award (奖, 提名奖 …).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Short name, e.g. `award`.
    pub id: String,
    /// Name on the certificate.
    pub name: Text,
    /// At most so many winners.
    pub quota: Sourced<u32>,
    /// Least score in thousandths of the full mark; a tier may stay empty (空缺).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor_permille: Option<Sourced<u32>>,
    /// Prize for each winner, in fen.
    pub prize_fen: Sourced<u64>,
    /// The class that this tier is for; absent: every class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
}

/// A class of applicants with its own form and tiers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Short name, e.g. `organisation`.
    pub id: String,
    /// Name.
    pub name: Text,
    /// Article.
    pub basis: String,
    /// True where no source states it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub assumed: bool,
}

/// Seats of the first tier reserved for a group (郑州: three for 专精特新 firms).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reserved {
    /// Group mark that an applicant carries, e.g. `srdi`.
    pub group: String,
    /// Name of the group.
    pub name: Text,
    /// Number of seats.
    pub seats: Sourced<u32>,
}

/// What a repeated win means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rewin {
    /// Like a first win.
    Ordinary,
    /// Certificate only: no money and no seat of the quota (郑州).
    CertificateOnly,
    /// A seat of the quota, but no money (福州).
    NoMoney,
}

/// Limits of the application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationRules {
    /// Most characters of the organisation profile (组织概述).
    pub profile_chars: Sourced<u32>,
    /// Most characters of the self-evaluation report.
    pub report_chars: Sourced<u32>,
    /// Years of figures that the form asks for.
    pub figure_years: Sourced<u32>,
    /// Days of publicity inside the applicant before it applies; 0 = none.
    pub internal_notice_days: Sourced<u32>,
    /// The day up to which look-back conditions are judged.
    pub anchor: Sourced<Anchor>,
}

/// The day up to which veto facts are judged (泸州: the recommendation deadline).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// Last day of the application window.
    ApplicationDeadline,
    /// 31 December of the year before the edition.
    EndOfPreviousYear,
}

/// How a condition is decided from its facts; the facts of each kind stand in `eligibility.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionKind {
    /// `part × 100 ≥ at_least × whole` (percent).
    Share,
    /// `count ≥ at_least`.
    Count,
    /// The checker confirms it, with evidence.
    Confirmed,
    /// At least `years` since a date, on the anchor day.
    Years,
    /// No event within `months` before the anchor day.
    Clear,
    /// No ban of the register is running.
    NoBan,
    /// At least `years` since the last honour of this programme.
    CoolDown,
}

/// One eligibility or veto condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Short name.
    pub id: String,
    /// What must be true.
    pub name: Text,
    /// How it is decided.
    pub kind: ConditionKind,
    /// Article.
    pub basis: String,
    /// True where no source states it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub assumed: bool,
    /// True for a veto condition (一票否决).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub veto: bool,
    /// Least percent or count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u32>,
    /// Look-back months.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub months: Option<u32>,
    /// Years.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub years: Option<u32>,
    /// Fewer years for applicants of a group (河南: 3 instead of 5 for little giants).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relief: Option<Relief>,
}

/// Fewer years for one group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relief {
    /// Group mark.
    pub group: String,
    /// Years for the group.
    pub years: u32,
}

/// Opinions of other departments (award-rules.md R17).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpinionRules {
    /// Days to answer.
    pub days: Sourced<u32>,
    /// Which days count.
    pub day_kind: Sourced<DayKind>,
    /// True: who has not answered by the last day raises no objection; false: every answer is waited for.
    pub silence_clears: Sourced<bool>,
    /// True: an objection stops the application; false: it is on record and the other conditions decide.
    pub objection_stops: Sourced<bool>,
    /// Who is asked.
    pub departments: Vec<Department>,
}

/// A department that is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Department {
    /// Short name, e.g. `tax`.
    pub id: String,
    /// Name.
    pub name: Text,
    /// What it is asked.
    pub asks: Text,
    /// Article.
    pub basis: String,
    /// True where no source states it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub assumed: bool,
}

/// A ground of recusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ground {
    /// Short name, e.g. `employer`.
    pub id: String,
    /// What it is.
    pub name: Text,
    /// Article.
    pub basis: String,
    /// True where no source states it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub assumed: bool,
}

/// What a stage does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageKind {
    /// The call is published.
    Call,
    /// Applications come in.
    Application,
    /// Recommenders give their opinions.
    Recommendation,
    /// Conditions are checked one by one (初审, 资格审核).
    PreReview,
    /// Recusals, the draw of the experts, the panels.
    Experts,
    /// A scored review: documents, site visit, defence or a poll.
    Scoring,
    /// The field is narrowed by rule.
    Shortlist,
    /// The committee votes.
    Committee,
    /// Public notice with objections.
    Notice,
    /// The government decides.
    Approval,
    /// Honours, certificates, prize entries.
    Conferral,
}

/// One stage (阶段) with the gate that closes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Short name, unique in the file.
    pub id: String,
    /// What it does.
    pub kind: StageKind,
    /// Name.
    pub name: Text,
    /// Article.
    pub basis: String,
    /// True where no source states that the stage exists or stands here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub assumed: bool,
    /// Stages that must be closed before; absent: the one above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Vec<String>>,
    /// Planned length in calendar days: what "by when" is computed from.
    pub days: Sourced<u32>,
    /// For `recommendation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommendation: Option<RecommendationRules>,
    /// For `experts`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experts: Option<ExpertRules>,
    /// For `scoring`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scoring: Option<ScoringRules>,
    /// For `shortlist`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortlist: Option<ShortlistRules>,
    /// For `committee`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committee: Option<CommitteeRules>,
    /// For `notice`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<NoticeRules>,
}

/// Recommendation (推荐).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecommendationRules {
    /// Most applicants that one recommender may support; 0 = no limit.
    pub quota: Sourced<u32>,
    /// Days of publicity at the recommender; 0 = none.
    pub notice_days: Sourced<u32>,
    /// True: who supports an applicant shows the publicity or the sealed letter (推荐函); absent: no proof is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Sourced<bool>>,
}

/// Experts, their draw and their panels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpertRules {
    /// Experts of one panel.
    pub panel_size: Sourced<u32>,
    /// Reserves drawn for each group, in order.
    pub reserves: Sourced<u32>,
    /// True: the pool is drawn by DRAW-1; false: the office appoints, and says so.
    pub drawn: Sourced<bool>,
    /// True: whoever judges from here on pledges first (承诺); absent: no pledge is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pledge: Option<Sourced<bool>>,
}

/// How a review is scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoringMethod {
    /// Item by item on the criteria tree, in percent steps.
    Items,
    /// The panel's agreed sheet of an earlier stage, changed item by item on evidence (site visit).
    Adjust,
    /// One mark of 0–100 by each judge (defence).
    Direct,
    /// Counted answers: satisfied of asked (public satisfaction poll).
    Count,
}

/// How the sheets of a panel become one score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// The panel agrees on one sheet (合议); the independent sheets stay.
    Consensus,
    /// Arithmetic mean, rounded half up to 0.01 point once, at the end.
    Mean,
    /// Mean without the highest and the lowest total.
    TrimmedMean,
}

/// A scored stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoringRules {
    /// How it is scored.
    pub method: Sourced<ScoringMethod>,
    /// How sheets become one score; not for `count`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<Sourced<Aggregate>>,
    /// Weight of this stage in the composite, in percent; 0 = superseded by a later stage.
    pub weight: Sourced<u32>,
    /// For `adjust`: the stage whose agreed sheets it starts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// True: the order of the defences is drawn by DRAW-1.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub order_drawn: bool,
    /// Range of an item's percentages that asks for a note at consensus, in percent points; 0 = none.
    #[serde(default)]
    pub spread_alarm: u32,
    /// For `adjust`: true: each applicant is visited by plan, and a mark changes only on what was found and noted there
    /// (现场评审); absent: evidence in words is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit: Option<Sourced<bool>>,
}

/// How many go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TieRule {
    /// All who tie at the cut go on.
    AllIn,
    /// None of those who tie at the cut goes on.
    NoneIn,
    /// The higher score in the results category (4.7) goes on; if that ties too, all go on.
    Results,
}

/// The rule of a shortlist: `⌈quota × num ÷ den⌉`, a floor, a tie rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShortlistRules {
    /// Numerator of the ratio to the sum of quotas.
    pub num: Sourced<u32>,
    /// Denominator of the ratio.
    pub den: Sourced<u32>,
    /// Least score in thousandths of the full mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor_permille: Option<Sourced<u32>>,
    /// Ties at the cut.
    pub tie: Sourced<TieRule>,
}

/// What the committee's vote decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Who goes on.
    Shortlist,
    /// Who wins.
    Winners,
}

/// How votes are given (award-rules.md R41).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BallotKind {
    /// Real-name roll call (实名投票), signed by the member's own key.
    RollCall,
    /// Signed paper, announced as totals; recorded as a counted sheet.
    Signed,
    /// Secret paper; recorded as a counted sheet signed by the counters.
    Secret,
}

/// What a ballot says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChoiceKind {
    /// One motion for each finalist: yes, no or abstain.
    Approve,
    /// One motion with all finalists: mark at most as many as there are seats.
    Pick,
}

/// What a fraction is taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// Members present, less those recused in this case.
    Present,
    /// The whole roster, less those recused in this case.
    Roll,
    /// Valid ballots, abstentions included.
    Cast,
    /// Yes and no only.
    YesNo,
}

/// Whether the fraction itself passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// `yes × den ≥ num × base`
    Ge,
    /// `yes × den > num × base`
    Gt,
}

impl Compare {
    /// The sign between both sides of a share that is reached or missed.
    pub fn sign(self, reached: bool) -> &'static str {
        match (self, reached) {
            (Compare::Ge, true) => "≥",
            (Compare::Ge, false) => "<",
            (Compare::Gt, true) => ">",
            (Compare::Gt, false) => "≤",
        }
    }
}

/// A pass rule in integers: passes iff `yes × den` `cmp` `num × base`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PassRule {
    /// What the fraction is taken of.
    pub base: Base,
    /// Numerator.
    pub num: u32,
    /// Denominator, at least 1.
    pub den: u32,
    /// ≥ or >.
    pub cmp: Compare,
    /// Article.
    pub basis: String,
    /// True where no source states it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub assumed: bool,
}

/// What breaks a tie for the last seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeatTie {
    /// The higher composite score.
    Score,
    /// The seat stays empty.
    Empty,
}

/// What orders those who passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RankBy {
    /// Number of yes votes.
    Votes,
    /// Composite score.
    Score,
}

/// The committee's session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitteeRules {
    /// What the vote decides.
    pub purpose: Purpose,
    /// How votes are given.
    pub ballot: Sourced<BallotKind>,
    /// What a ballot says.
    pub choice: Sourced<ChoiceKind>,
    /// Least number of members on the roster.
    pub size_min: Sourced<u32>,
    /// Greatest number of members on the roster.
    pub size_max: Sourced<u32>,
    /// Quorum: `present × den ≥ num × roll`, recused members out of both.
    pub quorum: PassRule,
    /// When a finalist passes.
    pub pass: PassRule,
    /// What orders those who passed.
    pub rank_by: Sourced<RankBy>,
    /// Ties for the last seat.
    pub tie: Sourced<SeatTie>,
    /// How often a motion may be reopened after a dispute at the read-back.
    pub reopenings: Sourced<u32>,
    /// Least seconds of the read-back (唱票核对) between the close and the freeze; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readback_seconds: Option<Sourced<u32>>,
    /// True: a member whose device fails in a roll call votes on paper, and two officers enter the ballot; absent: no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paper_ballot: Option<Sourced<bool>>,
    /// True: a motion is closed only while the quorum is still there; absent: presence at the opening suffices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quorum_at_close: Option<Sourced<bool>>,
    /// For `purpose = "shortlist"`: at most so many go on; 0 = all who pass.
    #[serde(default)]
    pub seats: u32,
}

/// Days that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayKind {
    /// Working days (工作日), by the calendar.
    Working,
    /// Calendar days.
    Calendar,
}

/// A public notice (公示).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeRules {
    /// Length of the window in days.
    pub days: Sourced<u32>,
    /// Which days count.
    pub day_kind: Sourced<DayKind>,
    /// Where it must appear.
    pub channels: Sourced<Vec<Text>>,
    /// Objections must be by real name.
    pub real_name: Sourced<bool>,
    /// Working days to answer an objection.
    pub answer_days: Sourced<u32>,
}

/// What is published of the scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreDisclosure {
    /// Every expert's percentages, without the name, so that anyone can recompute the totals.
    Anonymous,
    /// Nothing: scores stay sealed; the supervisor recomputes.
    Sealed,
}

/// What is published of the votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoteDisclosure {
    /// Every member's vote by name.
    Named,
    /// Totals only.
    Totals,
}

/// What is published, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    /// Scores, from the first notice of the winners on.
    pub scores: Sourced<ScoreDisclosure>,
    /// Votes, from the announcement on.
    pub votes: Sourced<VoteDisclosure>,
    /// Days after the winners' notice is published within which the scores must be opened.
    pub open_within_days: Sourced<u32>,
}

impl Rules {
    /// The stage called `id`.
    pub fn stage(&self, id: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.id == id)
    }

    /// Position of the stage called `id`.
    pub fn stage_index(&self, id: &str) -> Option<usize> {
        self.stages.iter().position(|stage| stage.id == id)
    }

    /// The tier called `id`.
    pub fn tier(&self, id: &str) -> Option<&Tier> {
        self.tiers.iter().find(|tier| tier.id == id)
    }

    /// The condition called `id`.
    pub fn condition(&self, id: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.id == id)
    }

    /// The department called `id`.
    pub fn department(&self, id: &str) -> Option<&Department> {
        self.opinions.as_ref()?.departments.iter().find(|department| department.id == id)
    }

    /// Stages that must be closed before the one at `index` may open.
    pub fn predecessors(&self, index: usize) -> Vec<&str> {
        match self.stages.get(index).and_then(|stage| stage.after.as_ref()) {
            Some(after) => after.iter().map(String::as_str).collect(),
            None => index.checked_sub(1).and_then(|i| self.stages.get(i)).map(|s| s.id.as_str()).into_iter().collect(),
        }
    }

    /// Sum of all quotas: what a shortlist's ratio is taken of.
    pub fn seats(&self) -> u32 {
        self.tiers.iter().map(|tier| tier.quota.value).sum()
    }
}
