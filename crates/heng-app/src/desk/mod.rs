//! The desk (工作台): what a person can do now, the form for it, and the record that it becomes.
//!
//! Each kind of record that a person writes is an [`Act`]: when it is open, what it asks, and how the answers become a
//! body. Pages, the JSON interface and tests go through the same three functions, so an act that works at one door works
//! at all of them. Nothing here decides: what the desk proposes, `admit` judges.

pub mod alarms;
mod application;
mod call;
pub(crate) mod committee;
mod compose;
mod conferral;
mod describe;
pub mod drafts;
mod experts;
pub mod field;
pub mod files;
mod minutes;
pub mod notes;
pub mod notice;
mod office;
mod opinions;
pub mod proposal;
mod recommendation;
pub mod results;
mod review;
pub mod rules;
mod scoring;
pub mod session;
mod setup;
mod shows;
mod visits;

use std::collections::BTreeMap;

use heng_domain::edition::Edition;
use heng_domain::edition::events::{Cite, Role};
use heng_domain::office::Office;
use heng_domain::office::events::OfficeRole;
use heng_domain::refusal::Refusal;
use heng_domain::rules::{Stage, StageKind};
use heng_domain::text::Text;
use heng_domain::time::Instant;
use heng_log::Hash;
use jiff::civil::Date;
use serde_json::Value;

use crate::error::{AppError, Result};
use crate::heng::Heng;
pub use application::{fill_in, import, import_sources};
pub use describe::{Known, describe};
pub use field::{Answers, Choice, Field, Grade, Input, Kind, Wrong, day_words, read, same, words};
pub use minutes::{minutes, refused_ballots};
pub use shows::{Shown, case_of, refused, shows, texts};

/// Who does an act. It decides what is offered; whether it may be done, `admit` decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// An officer of the edition.
    Officer,
    /// The supervisor.
    Supervisor,
    /// The chair.
    Chair,
    /// A member of the committee.
    Member,
    /// A recommending body.
    Recommender,
    /// The government.
    Authority,
    /// A counter of paper ballots.
    Counter,
    /// An expert, under a pseudonym.
    Expert,
    /// An applicant's staff.
    Applicant,
}

/// Which signatures an act needs before it is sent to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signs {
    /// The actor signs.
    pub actor: bool,
    /// So many different persons of a role, the actor counted in if they hold it.
    pub roles: &'static [(Role, usize)],
}

impl Signs {
    /// Nobody.
    pub const NOBODY: Signs = Signs { actor: false, roles: &[] };
    /// The actor.
    pub const ACTOR: Signs = Signs { actor: true, roles: &[] };
    /// Two officers.
    pub const OFFICERS: Signs = Signs { actor: true, roles: &[(Role::Officer, 2)] };
    /// Two officers and the supervisor.
    pub const OFFICERS_SUPERVISED: Signs = Signs { actor: true, roles: &[(Role::Officer, 2), (Role::Supervisor, 1)] };
    /// The actor and the supervisor.
    pub const ACTOR_SUPERVISED: Signs = Signs { actor: true, roles: &[(Role::Supervisor, 1)] };
    /// Two counters and the supervisor.
    pub const COUNTERS_SUPERVISED: Signs = Signs { actor: true, roles: &[(Role::Counter, 2), (Role::Supervisor, 1)] };
}

/// Something that an act can be done on now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Name in the address, e.g. an application or a stage; `-` where there is only one.
    pub id: String,
    /// What it is about, in words.
    pub about: Text,
    /// Last day, if there is one.
    pub due: Option<Date>,
    /// Waits for this person; otherwise it is only possible.
    pub duty: bool,
}

impl Case {
    /// A case that waits for the person.
    pub fn duty(id: impl Into<String>, about: Text, due: Option<Date>) -> Case {
        Case { id: id.into(), about, due, duty: true }
    }

    /// A case that is possible.
    pub fn possible(id: impl Into<String>, about: Text) -> Case {
        Case { id: id.into(), about, due: None, duty: false }
    }
}

/// A record to propose.
#[derive(Clone, Debug)]
pub struct Written {
    /// Kind.
    pub kind: String,
    /// Body.
    pub body: Value,
    /// Article.
    pub basis: String,
    /// Hidden values by path.
    pub hidden: BTreeMap<String, Value>,
}

impl Written {
    fn of(basis: &str, parts: Option<(String, Value)>) -> std::result::Result<Written, DeskError> {
        let (kind, body) = parts.ok_or_else(|| AppError::Other("an event cannot be written".to_owned()))?;
        Ok(Written { kind, body, basis: basis.to_owned(), hidden: BTreeMap::new() })
    }

    /// A record of an edition.
    ///
    /// # Errors
    /// Never for the events of this house.
    pub fn edition(
        basis: &str,
        event: impl Into<heng_domain::edition::events::Event>,
    ) -> std::result::Result<Written, DeskError> {
        Written::of(basis, event.into().split())
    }

    /// A record of the office.
    ///
    /// # Errors
    /// Never for the events of this house.
    pub fn office(
        basis: &str,
        event: impl Into<heng_domain::office::events::Event>,
    ) -> std::result::Result<Written, DeskError> {
        Written::of(basis, event.into().split())
    }

    /// With a hidden value.
    #[must_use]
    pub fn hiding(mut self, path: impl Into<String>, value: Value) -> Written {
        self.hidden.insert(path.into(), value);
        self
    }
}

/// Why an act was not proposed.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// Answers do not fit.
    #[error("{} answers do not fit", .0.len())]
    Wrong(Vec<Wrong>),
    /// The rules refuse it.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// There is no such act or case for this person now.
    #[error("there is nothing like this to do now")]
    NotOpen,
    /// Something failed.
    #[error(transparent)]
    App(AppError),
}

impl From<AppError> for DeskError {
    fn from(error: AppError) -> DeskError {
        match error {
            AppError::Refused(refusal) => DeskError::Refused(refusal),
            other => DeskError::App(other),
        }
    }
}

impl From<Refusal> for DeskError {
    fn from(refusal: Refusal) -> DeskError {
        DeskError::Refused(Box::new(refusal))
    }
}

impl From<heng_store::StoreError> for DeskError {
    fn from(error: heng_store::StoreError) -> DeskError {
        DeskError::App(error.into())
    }
}

impl From<Wrong> for DeskError {
    fn from(wrong: Wrong) -> DeskError {
        DeskError::Wrong(vec![wrong])
    }
}

/// What an act returns.
pub type Proposed = std::result::Result<Vec<Written>, DeskError>;

/// An act on a desk `D`.
pub struct Act<D> {
    /// Kind of record; also its address and the key of its words in the section `act`.
    pub kind: &'static str,
    /// Who does it.
    pub who: Who,
    /// Who signs.
    pub signs: Signs,
    /// Cases that are open now for this person.
    pub open: fn(&D) -> Vec<Case>,
    /// What it asks.
    pub form: fn(&D, &str) -> Vec<Field>,
    /// The records that the answers become: one, or several unsigned ones.
    pub write: fn(&D, &str, &Input) -> Proposed,
}

/// A person at work in one edition.
pub struct EditionDesk<'a> {
    /// The installation: attachments, kept secrets, random bytes.
    pub heng: &'a Heng,
    /// The edition.
    pub edition: &'a Edition,
    /// Leaf hashes of its log.
    pub leaves: &'a [Hash],
    /// The office, if there is one.
    pub office: Option<&'a Office>,
    /// Leaf hashes of the office log, for citations.
    pub office_leaves: &'a [Hash],
    /// The person, expert or organisation as this edition knows them.
    pub me: String,
    /// Now.
    pub now: Instant,
}

/// A person at work in the office log.
pub struct OfficeDesk<'a> {
    /// The installation.
    pub heng: &'a Heng,
    /// The office.
    pub office: &'a Office,
    /// The person.
    pub me: String,
    /// Now.
    pub now: Instant,
}

impl OfficeDesk<'_> {
    /// Whether I hold the role today.
    pub fn holds(&self, role: OfficeRole) -> bool {
        self.office.holds(&self.me, role, self.today())
    }

    /// The local day.
    pub fn today(&self) -> Date {
        self.office.day(self.now)
    }
}

impl EditionDesk<'_> {
    /// Whether I hold the role in this edition.
    pub fn has(&self, role: Role) -> bool {
        self.edition.has_role(&self.me, role)
    }

    /// Whether I am an expert here.
    pub fn is_expert(&self) -> bool {
        self.edition.is_expert(&self.me)
    }

    /// The local day.
    pub fn today(&self) -> Date {
        self.edition.day(self.now)
    }

    /// Minutes from UTC.
    pub fn offset(&self) -> i32 {
        self.edition.rules().utc_offset_minutes
    }

    /// The open stage of a kind.
    pub fn stage(&self, kind: StageKind) -> Option<&Stage> {
        self.edition.open_stages().into_iter().find(|stage| stage.kind == kind)
    }

    /// Last day of a stage.
    pub fn due(&self, stage: &Stage) -> Option<Date> {
        self.edition.due(stage)
    }

    /// Name of an applicant.
    pub fn name(&self, application: &str) -> Text {
        self.edition.applicant(application).map_or_else(|| same(application), |o| o.name.clone())
    }

    /// Applications as choices, by name.
    pub fn choices<'b>(&self, applications: impl Iterator<Item = &'b String>) -> Vec<Choice> {
        applications.map(|a| Choice::new(a.clone(), self.name(a))).collect()
    }

    /// Basis of the rules as a whole.
    pub fn document(&self) -> &str {
        &self.edition.rules().document.number
    }

    /// Citation of a record of the office log.
    pub fn cite(&self, seq: u64) -> Cite {
        let leaf = usize::try_from(seq).ok().and_then(|i| self.office_leaves.get(i)).copied().unwrap_or_default();
        Cite { leaf, log: self.office.map(|o| o.log.clone()).unwrap_or_default(), seq }
    }

    /// Keeps a text as an attachment.
    ///
    /// # Errors
    /// If the store fails.
    pub fn attach(&self, text: &str) -> std::result::Result<Hash, DeskError> {
        self.attach_bytes(text.as_bytes())
    }

    /// Keeps bytes as an attachment.
    ///
    /// # Errors
    /// If the store fails.
    pub fn attach_bytes(&self, bytes: &[u8]) -> std::result::Result<Hash, DeskError> {
        Ok(Hash(self.heng.store().put_attachment(bytes)?))
    }

    /// The handle of a person in an edition: for experts the pseudonym, which only the server knows.
    pub fn handle_in(edition: &Edition, person: &str) -> Option<String> {
        if edition.seats.get(person).is_some_and(|seat| seat.active) {
            return Some(person.to_owned());
        }
        edition
            .seats
            .iter()
            .filter(|(_, seat)| seat.active && seat.group.is_some())
            .find(|(_, seat)| {
                edition.known_value(seat.seq, "/who").and_then(|who| who.get("person")).and_then(Value::as_str)
                    == Some(person)
            })
            .map(|(expert, _)| expert.clone())
    }
}

/// All acts of an edition, in the order of the process.
pub fn edition_acts<'a>() -> Vec<Act<EditionDesk<'a>>> {
    let groups = [
        setup::acts(),
        call::acts(),
        application::acts(),
        recommendation::acts(),
        opinions::acts(),
        review::acts(),
        experts::acts(),
        visits::acts(),
        scoring::acts(),
        committee::acts(),
        notice::acts(),
        conferral::acts(),
    ];
    groups.into_iter().flatten().collect()
}

/// All acts of the office log.
pub fn office_acts<'a>() -> Vec<Act<OfficeDesk<'a>>> {
    office::acts()
}

/// Something to do, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Log.
    pub log: String,
    /// Kind of record.
    pub kind: &'static str,
    /// Who does it.
    pub who: Who,
    /// Needs a signature.
    pub signed: bool,
    /// The case.
    pub case: Case,
}

/// A task for the cases of an act.
fn tasks_of<D>(log: &str, desk: &D, acts: &[Act<D>]) -> Vec<Task> {
    let mut out = Vec::new();
    for act in acts {
        for case in (act.open)(desk) {
            let signed = act.signs.actor;
            out.push(Task { log: log.to_owned(), kind: act.kind, who: act.who, signed, case });
        }
    }
    out
}

/// Everything that `subject` can do now in a log: duties first, each in the order of the process.
///
/// `subject` is a person `p:…` or an organisation `o:…`.
///
/// # Errors
/// If the log is unknown.
pub fn tasks(heng: &Heng, log: &str, subject: &str) -> Result<Vec<Task>> {
    let mut out = with_desk(heng, log, subject, |place| match place {
        Place::Edition(desk) => tasks_of(log, desk, &edition_acts()),
        Place::Office(desk) => tasks_of(log, desk, &office_acts()),
    })?
    .unwrap_or_default();
    out.sort_by_key(|task| (!task.case.duty, task.case.due));
    Ok(out)
}

/// Where a desk stands.
pub enum Place<'a, 'b> {
    /// In an edition.
    Edition(&'b EditionDesk<'a>),
    /// In the office.
    Office(&'b OfficeDesk<'a>),
}

/// Calls `work` with the desk of `subject` in a log; `None` where they have no seat there.
///
/// # Errors
/// If the log is unknown.
pub fn with_desk<T>(heng: &Heng, log: &str, subject: &str, work: impl FnOnce(Place<'_, '_>) -> T) -> Result<Option<T>> {
    let now = heng.clock().now();
    let log = heng.log(log)?;
    if log.kind() == "office" {
        let image = log.image();
        let Some(office) = image.state.office() else { return Ok(None) };
        if !office.people.contains_key(subject) {
            return Ok(None);
        }
        let desk = OfficeDesk { heng, office, me: subject.to_owned(), now };
        return Ok(Some(work(Place::Office(&desk))));
    }
    // The office first, then the edition: always in this order, so that two readers and a writer cannot wait in a ring.
    let office_log = heng.office_log();
    let office_image = office_log.as_ref().map(|log| log.image());
    let image = log.image();
    let Some(edition) = image.state.edition() else { return Ok(None) };
    let me = if subject.starts_with("o:") {
        edition.organisations.contains_key(subject).then(|| subject.to_owned())
    } else {
        EditionDesk::handle_in(edition, subject)
    };
    let Some(me) = me else { return Ok(None) };
    let desk = EditionDesk {
        heng,
        edition,
        leaves: &image.leaves,
        office: office_image.as_ref().and_then(|image| image.state.office()),
        office_leaves: office_image.as_ref().map(|image| image.leaves.as_slice()).unwrap_or_default(),
        me,
        now,
    };
    Ok(Some(work(Place::Edition(&desk))))
}

/// What an act is called. What officers enter from paper is not their own ballot.
pub fn act_name(kind: &str, case: &str) -> Text {
    let paper = case.ends_with(committee::PAPER);
    if paper { words("act", "ballot.from_paper", &[]) } else { words("act", kind, &[]) }
}

/// What an act does, in a sentence.
pub fn act_text(kind: &str, case: &str) -> Text {
    let paper = case.ends_with(committee::PAPER);
    if paper { words("act_text", "ballot.from_paper", &[]) } else { words("act_text", kind, &[]) }
}

/// A form as it stands for a person now.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// Who acts, as the log knows them.
    pub me: String,
    /// Kind of record.
    pub kind: &'static str,
    /// The case.
    pub case: Case,
    /// Who signs.
    pub signs: Signs,
    /// The questions.
    pub fields: Vec<Field>,
    /// What the act concerns and what follows from it.
    pub shows: Vec<Shown>,
    /// Minutes from UTC for its days and times.
    pub offset: i32,
}

impl Sheet {
    /// What stands in the form before anything is typed.
    pub fn before(&self) -> Answers {
        self.fields.iter().map(|field| (field.name.clone(), field.value.clone())).collect()
    }
}

/// The act of a kind that has the case open. A kind may have several: what one case decides by itself needs more
/// signatures in another.
fn find<D>(desk: &D, acts: Vec<Act<D>>, kind: &str, case: &str) -> Option<(Act<D>, Case)> {
    acts.into_iter().filter(|act| act.kind == kind).find_map(|act| {
        let case = (act.open)(desk).into_iter().find(|open| open.id == case)?;
        Some((act, case))
    })
}

fn sheet_of<D>(desk: &D, me: &str, offset: i32, acts: Vec<Act<D>>, kind: &str, case: &str) -> Option<Sheet> {
    let (act, case) = find(desk, acts, kind, case)?;
    let fields = (act.form)(desk, &case.id);
    Some(Sheet { me: me.to_owned(), kind: act.kind, case, signs: act.signs, fields, shows: Vec::new(), offset })
}

/// The form of an act for `subject`.
///
/// # Errors
/// [`DeskError::NotOpen`] if it is not theirs to do now.
pub fn sheet(heng: &Heng, log: &str, subject: &str, kind: &str, case: &str) -> std::result::Result<Sheet, DeskError> {
    let found = with_desk(heng, log, subject, |place| match place {
        Place::Edition(desk) => {
            let sheet = sheet_of(desk, &desk.me, desk.offset(), edition_acts(), kind, case)?;
            Some(Sheet { shows: shows(desk.edition, kind, case, desk.now), ..sheet })
        }
        Place::Office(desk) => {
            sheet_of(desk, &desk.me, desk.office.founded.utc_offset_minutes, office_acts(), kind, case)
        }
    })?;
    found.flatten().ok_or(DeskError::NotOpen)
}

fn write_of<D>(desk: &D, offset: i32, acts: Vec<Act<D>>, kind: &str, case: &str, answers: &Answers) -> Proposed {
    let (act, case) = find(desk, acts, kind, case).ok_or(DeskError::NotOpen)?;
    let fields = (act.form)(desk, &case.id);
    let input = read(&fields, answers, offset).map_err(DeskError::Wrong)?;
    (act.write)(desk, &case.id, &input)
}

/// The records that answers become: read by the same fields that the page showed, then written by the act.
///
/// # Errors
/// What is wrong with the answers; nothing has changed then.
pub fn write(heng: &Heng, log: &str, subject: &str, kind: &str, case: &str, answers: &Answers) -> Proposed {
    let written = with_desk(heng, log, subject, |place| match place {
        Place::Edition(desk) => write_of(desk, desk.offset(), edition_acts(), kind, case, answers),
        Place::Office(desk) => {
            write_of(desk, desk.office.founded.utc_offset_minutes, office_acts(), kind, case, answers)
        }
    })?;
    written.unwrap_or(Err(DeskError::NotOpen))
}
