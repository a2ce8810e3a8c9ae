//! The record kinds of an edition's log. One enum, one place: what can happen in an edition.
//!
//! A kind is written as `noun.verb_past`. Bodies refuse unknown fields, so a record says nothing that no rule has read.

use std::collections::BTreeMap;

use heng_log::Hash;
use heng_log::signature::PublicKey;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::ballot::Count;
use crate::calendar::Calendar;
use crate::criteria::Criteria;
use crate::draw::{Drawn, Plan, SourceValue};
use crate::eligibility::{Facts, Standing};
use crate::rules::Rules;
use crate::text::Text;
use crate::time::Instant;

/// A record of another log, cited by log, number and leaf hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cite {
    /// RFC 6962 leaf hash of the record's bytes.
    pub leaf: Hash,
    /// Name of the log.
    pub log: String,
    /// Number of the record.
    pub seq: u64,
}

/// What a person may do in an edition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Award office clerk (经办人).
    Officer,
    /// Discipline inspection (监督员): reads, signs what needs a witness, decides nothing.
    Supervisor,
    /// Chair of the committee; votes like a member.
    Chair,
    /// Committee member (委员).
    Member,
    /// Recommending body (推荐单位).
    Recommender,
    /// The government that decides (审定单位).
    Authority,
    /// Counter of paper ballots (计票人).
    Counter,
}

/// A public window of days, both included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// First day.
    pub from: Date,
    /// Last day.
    pub until: Date,
}

/// A file that belongs to an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// Item that it proves, or `form`, `profile`, `licence` …
    pub about: String,
    /// File name as the applicant gave it.
    pub name: String,
    /// SHA-256 of the content.
    pub sha256: Hash,
    /// Size in bytes.
    pub size: u64,
}

/// The self-evaluation of one item: the text is an attachment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelfEvaluation {
    /// Characters of the text.
    pub chars: u32,
    /// The applicant's own percentage.
    pub percent: u32,
    /// SHA-256 of the table of results, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results_sha256: Option<Hash>,
    /// SHA-256 of the text.
    pub sha256: Hash,
}

/// An application or a ballot that officers have entered from paper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    /// Why it came on paper.
    pub reason: String,
    /// SHA-256 of the scan; that of an application is among its files.
    pub scan_sha256: Hash,
}

/// Why a signed ballot was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedFor {
    /// The motion was not open any more.
    Late,
    /// The member was not present at the opening.
    Absent,
    /// The member is recused.
    Recused,
}

/// Yearly key figures as the form asks for them; money in fen, people as counts. What the applicant marked as secret is
/// absent here and stands in the hidden `/figures`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct YearFigures {
    /// Staff at the end of the year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employees: Option<u64>,
    /// Profit, negative for a loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profit_fen: Option<i64>,
    /// Turnover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revenue_fen: Option<i64>,
    /// Taxes paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_fen: Option<i64>,
    /// Year.
    pub year: u32,
}

/// A conflict with an applicant that somebody declares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conflict {
    /// Application.
    pub application: String,
    /// Ground of the rules.
    pub ground: String,
}

/// A line that is not in the pool, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excluded {
    /// Pseudonym.
    pub line: String,
    /// Reason code: `recusal`, `term`, `load`, `declined`.
    pub reason: String,
}

/// A member as the frozen roster names them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RosterMember {
    /// Fingerprint of the key.
    pub key: String,
    /// Name as read out.
    pub name: String,
    /// Person.
    pub person: String,
}

/// The counted result of one option of a motion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionCount {
    /// Numbers and whether the rule is met.
    pub count: Count,
    /// Application.
    pub option: String,
}

/// Votes on one option of a paper ballot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaperVotes {
    /// Abstentions.
    pub abstain: u32,
    /// Against.
    pub no: u32,
    /// Application.
    pub option: String,
    /// In favour.
    pub yes: u32,
}

/// The winners of one tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierSelection {
    /// Applications, best first; those who take a seat of the quota.
    pub applications: Vec<String>,
    /// Seats that stay empty (空缺).
    pub empty: u32,
    /// Repeated winners who take no seat.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub off_quota: Vec<String>,
    /// Tier.
    pub tier: String,
}

/// A winner as the decision names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    /// Application.
    pub application: String,
    /// Tier.
    pub tier: String,
}

/// What the government sends back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Returned {
    /// Application.
    pub application: String,
    /// Reason.
    pub reason: String,
}

/// What a department answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpinionAnswer {
    /// It has nothing against the applicant.
    Clear,
    /// It objects.
    Objection,
}

/// How something was found at a site visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// A document or file was read.
    Document,
    /// Somebody was interviewed.
    Interview,
    /// Something was seen.
    Observation,
}

/// What an objection leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing changes.
    None,
    /// The applicant is out.
    Remove,
}

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $kind:literal { $($(#[$fdoc:meta])* $field:ident : $type:ty),* $(,)? })*) => {
        /// Everything that can happen in an edition.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "type", content = "body")]
        #[allow(clippy::large_enum_variant)]
        pub enum Event {
            $($(#[$doc])* #[serde(rename = $kind)] $name($name),)*
        }

        /// All kinds, in the order of the process.
        pub const KINDS: &[&str] = &[$($kind),*];

        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $name { $($(#[$fdoc])* pub $field: $type,)* }

            impl $name {
                /// The kind as written in the record.
                pub const KIND: &'static str = $kind;
            }

            impl From<$name> for Event {
                fn from(body: $name) -> Event {
                    Event::$name(body)
                }
            }
        )*
    };
}

events! {
    /// The first record: the rules, frozen.
    EditionOpened = "edition.opened" {
        /// Short name, e.g. `2026`.
        edition: String,
        /// Name, e.g. 第七届.
        label: Text,
        /// The office log's record that opened the edition.
        source: Cite,
        /// The rules.
        rules: Rules,
        /// Year of the edition.
        year: u32,
    }
    /// The criteria tree of this edition, frozen.
    CriteriaAdopted = "criteria.adopted" {
        /// The tree.
        criteria: Criteria,
    }
    /// The calendar of working days; a later one replaces it (a new year's arrangement).
    CalendarAdopted = "calendar.adopted" {
        /// The calendar.
        calendar: Calendar,
    }
    /// A person takes up roles in this edition, with the key enrolled in the office log.
    PersonSeated = "person.seated" {
        /// The key; absent for roles that sign nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<PublicKey>,
        /// Public name; absent where it is hidden.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Person, e.g. `p:0017`.
        person: String,
        /// Roles.
        roles: Vec<Role>,
        /// The office log's record of the key, or of the person.
        source: Cite,
    }
    /// A person leaves; the key counts no longer.
    PersonUnseated = "person.unseated" {
        /// Person.
        person: String,
        /// Reason.
        reason: String,
    }
    /// An expert under a pseudonym; the identity is committed in `/who`.
    ExpertSeated = "expert.seated" {
        /// Pseudonym, e.g. `x:0007`.
        expert: String,
        /// Field: the stratum of the draw.
        group: String,
        /// Key of the pseudonym.
        key: PublicKey,
    }
    /// An organisation with its standing, cited from the office log.
    OrganisationEntered = "organisation.entered" {
        /// Class of applicants.
        class: String,
        /// County or district.
        county: Text,
        /// Groups, e.g. `srdi` (专精特新).
        groups: Vec<String>,
        /// Name.
        name: Text,
        /// Organisation, e.g. `o:0001`.
        organisation: String,
        /// Sector: decides the panel's field.
        sector: Text,
        /// The office log's record.
        source: Cite,
        /// Bans and honours.
        standing: Standing,
        /// 统一社会信用代码
        uscc: String,
    }
    /// A stage begins.
    StageOpened = "stage.opened" {
        /// Stage.
        stage: String,
    }
    /// A stage ends; its gate is checked.
    StageClosed = "stage.closed" {
        /// Stage.
        stage: String,
    }
    /// The call for applications (申报通知).
    CallPublished = "call.published" {
        /// First instant that counts as late.
        closes: Instant,
        /// Always true: applicants never pay.
        no_fee: bool,
        /// First instant of the window.
        opens: Instant,
        /// Text as published.
        text: Text,
        /// Title.
        title: Text,
    }
    /// The window is extended for everybody, with a reason.
    WindowExtended = "window.extended" {
        /// New end.
        closes: Instant,
        /// Reason.
        reason: String,
    }
    /// An application (申报). Contact data are hidden in `/contact`, figures that are marked as secret in `/figures`.
    ApplicationSubmitted = "application.submitted" {
        /// Application, e.g. `a:001`.
        application: String,
        /// Files.
        attachments: Vec<Attachment>,
        /// Yearly figures, oldest first.
        figures: Vec<YearFigures>,
        /// Publicity inside the applicant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        internal_notice: Option<Window>,
        /// Organisation.
        organisation: String,
        /// Why and from what an officer entered it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        paper: Option<Paper>,
        /// The pledge that all data are true was signed.
        pledge: bool,
        /// Characters of the organisation profile.
        profile_chars: u32,
        /// SHA-256 of the organisation profile.
        profile_sha256: Hash,
        /// Parts that the applicant marked as business secrets, in ascending order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        secret: Vec<String>,
        /// Self-evaluation by item.
        self_evaluation: BTreeMap<String, SelfEvaluation>,
    }
    /// The applicant withdraws.
    ApplicationWithdrawn = "application.withdrawn" {
        /// Application.
        application: String,
        /// The applicant's letter, where officers record that it withdraws.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        evidence: Vec<Hash>,
        /// Reason.
        reason: String,
    }
    /// A recommender's opinion (推荐意见).
    RecommendationGiven = "recommendation.given" {
        /// Application.
        application: String,
        /// SHA-256 of the proofs: the publicity, the sealed letter.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        evidence: Vec<Hash>,
        /// Publicity at the recommender.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notice: Option<Window>,
        /// Opinion in words.
        opinion: String,
        /// For or against.
        support: bool,
    }
    /// One condition of the pre-review, decided from its facts.
    ConditionChecked = "condition.checked" {
        /// Application.
        application: String,
        /// Condition of the rules.
        condition: String,
        /// SHA-256 of the evidence.
        evidence: Vec<Hash>,
        /// Facts found.
        facts: Facts,
        /// What the rule gives.
        met: bool,
        /// Remark.
        note: String,
    }
    /// All departments of the rules are asked for their opinion on the whole field, in one go (征求部门意见).
    OpinionsAsked = "opinions.asked" {
        /// Applications: the field.
        applications: Vec<String>,
        /// Departments, in the order of the rules.
        departments: Vec<String>,
        /// Last day to answer.
        until: Date,
    }
    /// A department's answer on one application; the words of an objection are hidden in `/reason`.
    OpinionReceived = "opinion.received" {
        /// Answer.
        answer: OpinionAnswer,
        /// Application.
        application: String,
        /// Why an earlier answer is corrected.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        corrects: Option<String>,
        /// Department.
        department: String,
        /// Days of the events that an objection names.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        events: Vec<Date>,
        /// SHA-256 of the reply.
        evidence: Vec<Hash>,
        /// Number of the reply letter.
        letter: String,
    }
    /// The pre-review of one application is decided.
    PreReviewDecided = "pre_review.decided" {
        /// Application.
        application: String,
        /// Conditions that are not met, then departments whose objection stops the application.
        failing: Vec<String>,
        /// Passed or not.
        passed: bool,
        /// Departments that have not answered, where the rules take silence for no objection.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        silent: Vec<String>,
    }
    /// A person declares a conflict (回避).
    RecusalDeclared = "recusal.declared" {
        /// Application.
        application: String,
        /// Ground of the rules.
        ground: String,
        /// Person or expert.
        person: String,
    }
    /// The chair or the office orders a recusal.
    RecusalOrdered = "recusal.ordered" {
        /// Application.
        application: String,
        /// Ground of the rules.
        ground: String,
        /// Person or expert.
        person: String,
        /// Why.
        reason: String,
    }
    /// An expert or a member of the committee pledges (承诺) to judge independently, before any file opens.
    ///
    /// With it the person answers for every applicant whom they may come to judge: a conflict, or none. Who is given others to
    /// judge later, declares on those in another one.
    PledgeGiven = "pledge.given" {
        /// Conflicts that the person declares: each is a recusal from here on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        conflicts: Vec<Conflict>,
        /// Applications on which the person declares a conflict or none, in order. Where it is left out, the pledge stands
        /// for all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        declared: Vec<String>,
        /// Person or expert.
        person: String,
        /// SHA-256 of the text that was shown, which is kept as an attachment.
        text_sha256: Hash,
    }
    /// The pool of a draw is frozen.
    PoolFrozen = "pool.frozen" {
        /// Draw, e.g. `d:1`.
        draw: String,
        /// Lines that are left out.
        excluded: Vec<Excluded>,
        /// Pseudonyms, sorted within their strata.
        lines: Vec<String>,
        /// Hash of the lines.
        sha256: Hash,
        /// Stage.
        stage: String,
    }
    /// The plan of a draw is published, before its sources happen.
    DrawPlanned = "draw.planned" {
        /// Draw.
        draw: String,
        /// Plan.
        plan: Plan,
        /// Day of the first source event.
        sources_on: Date,
    }
    /// Values and secrets; two officers sign. The result is recomputed.
    DrawRevealed = "draw.revealed" {
        /// Draw.
        draw: String,
        /// What the draw yields.
        result: Vec<Drawn>,
        /// Secrets, 64 hex digits each.
        secrets: Vec<Hash>,
        /// Values as published.
        values: Vec<SourceValue>,
    }
    /// A draw is given up; two officers and the supervisor sign, and it stays visible.
    DrawVoided = "draw.voided" {
        /// Draw.
        draw: String,
        /// Why.
        reason: String,
    }
    /// The next reserve steps in.
    DrawReplaced = "draw.replaced" {
        /// Who steps in.
        by: String,
        /// Draw.
        draw: String,
        /// Who leaves.
        out: String,
        /// Why.
        reason: String,
        /// Stratum.
        stratum: String,
    }
    /// A panel (评审组) with its applications.
    PanelFormed = "panel.formed" {
        /// Applications.
        applications: Vec<String>,
        /// Leader.
        leader: String,
        /// Experts, the leader among them.
        members: Vec<String>,
        /// Panel, e.g. `g:1`.
        panel: String,
        /// Stage of kind `experts`.
        stage: String,
    }
    /// A member of a panel is replaced (评审组换人): by the next reserve, or by whom two officers choose where no draw decides.
    PanelMemberReplaced = "panel.member_replaced" {
        /// Who steps in.
        by: String,
        /// New leader, exactly if the leader leaves.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        leader: Option<String>,
        /// Who leaves.
        out: String,
        /// Panel.
        panel: String,
        /// Why.
        reason: String,
    }
    /// An expert's own sheet (评分表): every mark is hidden (`/items/…` or `/mark`), remarks in `/remarks`.
    ScoreSubmitted = "score.submitted" {
        /// Application.
        application: String,
        /// Expert.
        expert: String,
        /// Panel.
        panel: String,
        /// Stage.
        stage: String,
    }
    /// The panel's agreed sheet (合议); marks hidden like those of a sheet.
    ConsensusAgreed = "consensus.agreed" {
        /// Application.
        application: String,
        /// Items whose wide spread was discussed.
        discussed: Vec<String>,
        /// Panel.
        panel: String,
        /// Stage.
        stage: String,
    }
    /// A member of the panel does not share the agreed sheet in some items (保留意见); the words are hidden in `/reason`.
    ConsensusDissented = "consensus.dissented" {
        /// Application.
        application: String,
        /// Items, in ascending order.
        items: Vec<String>,
        /// Panel.
        panel: String,
        /// Stage.
        stage: String,
    }
    /// The site visit of an applicant is planned (现场评审计划); a later plan takes the place of an earlier one.
    VisitPlanned = "visit.planned" {
        /// Agenda, day by day.
        agenda: String,
        /// Application.
        application: String,
        /// Why an earlier plan is changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        changes: Option<String>,
        /// First day.
        first_day: Date,
        /// Functions of those who are to be interviewed, no names.
        interviewees: Vec<String>,
        /// Last day.
        last_day: Date,
        /// Panel.
        panel: String,
        /// Where.
        place: String,
        /// What the applicant is asked to prepare.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        prepare: String,
        /// Stage.
        stage: String,
        /// Members of the panel who go, the leader among them.
        team: Vec<String>,
    }
    /// A question that the document review left open; its words are hidden in `/question`.
    VisitIssueRaised = "visit.issue_raised" {
        /// Application.
        application: String,
        /// Item.
        item: String,
        /// Panel.
        panel: String,
        /// Stage.
        stage: String,
    }
    /// Something found at the visit; hidden: what, in `/finding`, and where it can be seen again, in `/reference`.
    VisitLogged = "visit.logged" {
        /// Application.
        application: String,
        /// How it was found.
        how: FindingKind,
        /// Number of the record of the issue that it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        issue: Option<u64>,
        /// Item.
        item: String,
        /// Panel.
        panel: String,
        /// Stage.
        stage: String,
    }
    /// The leader's report on the visit (现场评审报告); the conclusion is hidden in `/conclusion`.
    VisitReported = "visit.reported" {
        /// Application.
        application: String,
        /// Findings on which it rests.
        findings: u64,
        /// Panel.
        panel: String,
        /// Stage.
        stage: String,
    }
    /// Counted answers of a public poll.
    PollCounted = "poll.counted" {
        /// Application.
        application: String,
        /// Answers.
        asked: u64,
        /// Satisfied.
        satisfied: u64,
        /// SHA-256 of the count sheet.
        source: Hash,
        /// Stage.
        stage: String,
    }
    /// Scores of a stage; each hidden in `/scores/<application>`.
    ScoresComputed = "scores.computed" {
        /// Applications of the field.
        applications: Vec<String>,
        /// Stage.
        stage: String,
    }
    /// The field is narrowed by rule.
    ShortlistDecided = "shortlist.decided" {
        /// Who is out.
        cut: Vec<String>,
        /// Who goes on, best first.
        kept: Vec<String>,
        /// Stage.
        stage: String,
    }
    /// The committee's roster, frozen for a session.
    RosterFrozen = "roster.frozen" {
        /// Members.
        members: Vec<RosterMember>,
        /// Session, e.g. `s1`.
        session: String,
        /// Stage.
        stage: String,
    }
    /// A member comes or goes; signed by the member or by two officers.
    PresenceRecorded = "presence.recorded" {
        /// Member.
        person: String,
        /// In or out.
        present: bool,
        /// Why two officers record it instead of the member.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Session.
        session: String,
    }
    /// A motion (议题) is opened by the chair; quorum is checked.
    MotionOpened = "motion.opened" {
        /// Motion, e.g. `m1`.
        motion: String,
        /// Applications voted on.
        options: Vec<String>,
        /// SHA-256 of the options' canonical list.
        options_sha256: Hash,
        /// SHA-256 of the frozen roster's body.
        roster_sha256: Hash,
        /// Round, from 1.
        round: u32,
        /// SHA-256 of the committee rules.
        rule_sha256: Hash,
        /// Most marks on a ballot that picks; 1 for yes, no, abstain.
        seats: u32,
        /// Session.
        session: String,
        /// What is displayed and voted on.
        text: Text,
        /// SHA-256 of the displayed text.
        text_sha256: Hash,
    }
    /// A member's ballot (选票), signed with the member's own key; or by two officers who enter it from paper.
    BallotCast = "ballot.cast" {
        /// `yes`, `no`, `abstain`; or the applications that are picked.
        choice: Vec<String>,
        /// The edition's log.
        log: String,
        /// Motion.
        motion: String,
        /// 16 random bytes, 32 hex digits.
        nonce: String,
        /// Hash of the options.
        options: Hash,
        /// Where the member's device fails: the ballot was signed by hand, and two officers enter it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        paper: Option<Paper>,
        /// Hash of the roster.
        roster: Hash,
        /// Round.
        round: u32,
        /// Hash of the rule.
        rule: Hash,
        /// Session.
        session: String,
        /// Hash of the member's earlier ballot that this one corrects.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        supersedes: Option<Hash>,
        /// Hash of the displayed text.
        text: Hash,
        /// Version: 1.
        v: u32,
        /// Member.
        voter: String,
    }
    /// A signed ballot came that the rules refuse; the office's system notes it. It counts nowhere.
    BallotRefused = "ballot.refused" {
        /// SHA-256 of the refused ballot's canonical body.
        ballot: Hash,
        /// Motion.
        motion: String,
        /// `late`, `absent` or `recused`.
        reason: RefusedFor,
        /// Member.
        voter: String,
    }
    /// The chair closes the motion; later ballots are refused.
    MotionClosed = "motion.closed" {
        /// Motion.
        motion: String,
    }
    /// A member disputes the own line at the read-back.
    MotionDisputed = "motion.disputed" {
        /// Member.
        member: String,
        /// Motion.
        motion: String,
        /// What is wrong.
        reason: String,
    }
    /// The chair reopens a closed motion after a dispute.
    MotionReopened = "motion.reopened" {
        /// Motion.
        motion: String,
        /// Why.
        reason: String,
    }
    /// After the read-back nothing changes the count.
    MotionFrozen = "motion.frozen" {
        /// Motion.
        motion: String,
    }
    /// The motion is void; its ballots stay. Chair and supervisor sign.
    MotionVoided = "motion.voided" {
        /// Motion.
        motion: String,
        /// Why.
        reason: String,
    }
    /// A counted sheet of paper ballots; two counters and the supervisor sign.
    CountRecorded = "count.recorded" {
        /// Invalid ballots.
        invalid: u32,
        /// Ballots given out.
        issued: u32,
        /// Motion.
        motion: String,
        /// Ballots that came back.
        returned: u32,
        /// Votes by option.
        votes: Vec<PaperVotes>,
    }
    /// The result, announced on the spot: the output of the tally.
    ResultAnnounced = "result.announced" {
        /// Counts by option.
        counts: Vec<OptionCount>,
        /// Motion.
        motion: String,
    }
    /// A member states what they meant; the count does not change.
    CorrectionNoted = "correction.noted" {
        /// Member.
        member: String,
        /// Motion.
        motion: String,
        /// Statement.
        says: String,
    }
    /// Who is chosen, by rule, from votes and scores.
    SelectionDecided = "selection.decided" {
        /// For a shortlist vote: who is out.
        cut: Vec<String>,
        /// For a shortlist vote: who goes on.
        kept: Vec<String>,
        /// Stage.
        stage: String,
        /// For winners: by tier.
        tiers: Vec<TierSelection>,
    }
    /// The minutes (会议记录), signed by the chair.
    MinutesSigned = "minutes.signed" {
        /// Session.
        session: String,
        /// SHA-256 of the minutes.
        sha256: Hash,
    }
    /// A public notice (公示).
    NoticePublished = "notice.published" {
        /// Applications named, with their tier where winners are named.
        names: Vec<String>,
        /// Notice, e.g. `n1`.
        notice: String,
        /// Stage.
        stage: String,
        /// Text as published.
        text: Text,
        /// Title.
        title: Text,
        /// Last day of the window.
        until: Date,
    }
    /// An objection (异议). `/name`, `/identity`, `/contact` and `/grounds` are hidden, and the names of files in `/files`.
    ObjectionReceived = "objection.received" {
        /// Application.
        application: String,
        /// `unit` or `person`.
        by: String,
        /// Evidence: hashes of the files that came with it.
        evidence: Vec<Hash>,
        /// Notice.
        notice: String,
        /// Objection, e.g. `j1`.
        objection: String,
        /// Name, identity and contact were given.
        real_name: bool,
    }
    /// Whether the objection is accepted for checking (受理).
    ObjectionScreened = "objection.screened" {
        /// Accepted.
        accepted: bool,
        /// Objection.
        objection: String,
        /// Reason.
        reason: String,
    }
    /// The answer.
    ObjectionAnswered = "objection.answered" {
        /// What follows for the applicant.
        effect: Effect,
        /// Objection.
        objection: String,
        /// Reply.
        reply: String,
        /// Whether it was right.
        upheld: bool,
    }
    /// Hidden marks are opened, as the disclosure rule says; the openings travel with the bundle.
    ScoresOpened = "scores.opened" {
        /// Number of opened fields.
        fields: u64,
        /// Numbers of the records whose marks are opened.
        records: Vec<u64>,
    }
    /// The government's decision (决定).
    DecisionMade = "decision.made" {
        /// Winners.
        approved: Vec<Approved>,
        /// Document number.
        number: String,
        /// Sent back.
        returned: Vec<Returned>,
    }
    /// An honour (荣誉) with its certificate and prize.
    HonourConferred = "honour.conferred" {
        /// Application.
        application: String,
        /// Certificate number.
        certificate: String,
        /// Prize in fen.
        prize_fen: u64,
        /// Tier.
        tier: String,
    }
    /// The hidden personal data of a record are destroyed; the commitments stay.
    PrivacyErased = "privacy.erased" {
        /// Law and article.
        ground: String,
        /// Number of the record.
        seq: u64,
    }
    /// The edition is finished.
    EditionClosed = "edition.closed" {
        /// One sentence for the archive.
        summary: Text,
    }
}

impl Event {
    /// Kind and body, as they stand in a record. `None` never happens for these types.
    pub fn split(&self) -> Option<(String, serde_json::Value)> {
        let mut value = serde_json::to_value(self).ok()?;
        let body = value.get_mut("body")?.take();
        Some((value.get("type")?.as_str()?.to_owned(), body))
    }
}
