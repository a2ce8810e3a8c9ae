//! Official papers (公文材料): each is derived from the log alone, printed by the browser, and the same for programs.
//!
//! A paper is data: title, paragraphs, tables, signature lines. [`KINDS`] lists what there is; a kind says which cases a
//! reader may open now, by the gates of the edition and no other, and writes one of them. Pages and the JSON interface
//! open papers through [`list`] and [`open`].

mod approval;
mod call;
mod committee;
mod feedback;
mod pages;
mod recommendation;
mod review;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use heng_app::Image;
use heng_app::desk::describe;
use heng_domain::edition::events::{Attachment, Role};
use heng_domain::edition::secret::Part;
use heng_domain::edition::{Edition, Thing};
use heng_domain::messages::{message, plain};
use heng_domain::office::Honour;
use heng_domain::office::events::HonourState;
use heng_domain::text::Lang;
use heng_domain::time::Instant;
use heng_log::Hash;
use heng_log::code::root_code;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use crate::view::{App, View};
use crate::words::{date, instant};

pub(crate) use pages::{
    certificate_href, href, of_application, public_list, public_show, report, seat_list, seat_show,
};

/// A part of a paper.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(tag = "part", rename_all = "snake_case")]
pub(crate) enum Block {
    /// A heading; they are numbered.
    Heading {
        /// What it says.
        text: String,
    },
    /// A paragraph.
    Text {
        /// What it says.
        text: String,
    },
    /// A paragraph that stands so in a record, word for word.
    Quoted {
        /// What it says.
        text: String,
    },
    /// Labels and values.
    Facts {
        /// Each with its value.
        rows: Vec<Fact>,
    },
    /// A list.
    List {
        /// Its lines.
        lines: Vec<String>,
    },
    /// A table.
    Table {
        /// Heads of the columns.
        columns: Vec<Head>,
        /// Cells by rows.
        rows: Vec<Vec<String>>,
    },
}

/// A label with its value.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Fact {
    /// Label.
    label: String,
    /// Value.
    value: String,
}

/// The head of a column.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Head {
    /// What it says.
    text: String,
    /// Whether the column holds numbers.
    number: bool,
}

/// A paper.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct Paper {
    /// Kind.
    #[schema(example = "minutes")]
    paper: &'static str,
    /// What it is about, as in the address.
    case: String,
    /// Whether everybody may read it.
    public: bool,
    /// Who issues it.
    issuer: String,
    /// Document number.
    number: Option<String>,
    /// Title.
    title: String,
    /// To whom it is addressed.
    addressee: Option<String>,
    /// Its parts.
    parts: Vec<Block>,
    /// Who signs, and puts the seal on it.
    signer: Option<String>,
    /// The day that it bears.
    #[schema(value_type = Option<String>, format = Date)]
    day: Option<Date>,
    /// Lines to sign on by hand.
    signatures: Vec<String>,
    /// Records that it rests on.
    records: Vec<u64>,
    /// Records of the log that it was made from.
    size: u64,
    /// The root of these records, as people compare it.
    root_code: String,
    /// Address of the page where it can be checked.
    check: String,
}

impl Paper {
    fn new(title: String, issuer: &str) -> Paper {
        Paper { title, issuer: issuer.to_owned(), ..Paper::default() }
    }

    fn heading(&mut self, text: String) {
        self.parts.push(Block::Heading { text });
    }

    fn text(&mut self, text: String) {
        self.parts.push(Block::Text { text });
    }

    fn quoted(&mut self, text: &str) {
        self.parts.push(Block::Quoted { text: text.to_owned() });
    }

    fn facts(&mut self, rows: Vec<(String, String)>) {
        let rows = rows.into_iter().map(|(label, value)| Fact { label, value }).collect();
        self.parts.push(Block::Facts { rows });
    }

    fn list(&mut self, lines: Vec<String>) {
        self.parts.push(Block::List { lines });
    }

    fn table(&mut self, columns: Vec<Head>, rows: Vec<Vec<String>>) {
        self.parts.push(Block::Table { columns, rows });
    }

    fn signed(&mut self, signer: String, day: Date) {
        (self.signer, self.day) = (Some(signer), Some(day));
    }
}

/// A kind of paper.
pub(crate) struct Kind {
    /// Name in the address.
    pub id: &'static str,
    /// What of this kind the reader may open now: name in the address, and what it is about.
    cases: fn(&At<'_>) -> Vec<(String, String)>,
    /// Writes one of them.
    write: fn(&At<'_>, &str) -> Option<Paper>,
}

/// The table of papers, in the order of the process. Who may read each, and when, says its `cases`.
pub(crate) const KINDS: [Kind; 14] = [
    Kind { id: "call", cases: call::calls, write: call::call },
    Kind { id: "receipt", cases: call::receipts, write: call::receipt },
    Kind { id: "summary", cases: call::summaries, write: call::summary },
    Kind { id: "recommendation", cases: recommendation::cases, write: recommendation::write },
    Kind { id: "letter", cases: review::letters, write: review::letter },
    Kind { id: "eligibility", cases: review::checks, write: review::check },
    Kind { id: "report", cases: review::reports, write: review::report },
    Kind { id: "minutes", cases: committee::sessions, write: committee::minutes },
    Kind { id: "notice", cases: approval::notices, write: approval::notice },
    Kind { id: "pack", cases: approval::packs, write: approval::pack },
    Kind { id: "decision", cases: approval::decisions, write: approval::decision },
    Kind { id: "certificate", cases: approval::certificates, write: approval::certificate },
    Kind { id: "prizes", cases: approval::prize_lists, write: approval::prizes },
    Kind { id: "feedback", cases: feedback::cases, write: feedback::write },
];

/// Columns that hold numbers, by the keys of their heads.
const NUMBERS: [&str; 16] = [
    "abstain",
    "amount",
    "bytes",
    "composite",
    "each",
    "evidence",
    "full_mark",
    "no",
    "place",
    "points",
    "record",
    "score",
    "sheets",
    "winners",
    "yes",
    "yes_of_base",
];

/// The case of a kind of which an edition has one.
const ONLY: &str = "-";

/// An edition as somebody reads it.
pub(crate) struct At<'a> {
    view: &'a View,
    lang: Lang,
    edition: &'a Edition,
    /// The reader as the log knows them; nobody for the public.
    me: Option<&'a str>,
    /// Signed minutes by their hashes.
    texts: &'a BTreeMap<Hash, String>,
    /// Honours of the edition in the register, by certificate: what was taken back is no certificate.
    held: &'a BTreeMap<String, Option<Date>>,
    /// The log as it is.
    image: &'a Image,
    /// Size and root code of the newest checkpoint.
    checkpoint: &'a (u64, String),
    /// Whether the reader sees every score there is; asked once, as it takes all sheets of all applications.
    every_score: OnceCell<bool>,
}

impl<'a> At<'a> {
    /// The same edition as everybody reads it.
    fn everybody(&self) -> At<'a> {
        At { me: None, every_score: OnceCell::new(), ..*self }
    }

    /// The root of the first `size` records.
    fn root(&self, size: u64) -> Option<Hash> {
        self.image.root_at(size)
    }

    fn t(&self, key: &str) -> String {
        plain(self.lang, "paper", key)
    }

    fn tp(&self, key: &str, places: &[(&str, &str)]) -> String {
        message(self.lang, "paper", key, places.iter().copied())
    }

    fn columns<const N: usize>(&self, keys: [&str; N]) -> Vec<Head> {
        keys.into_iter().map(|key| Head { text: self.t(key), number: NUMBERS.contains(&key) }).collect()
    }

    fn award(&self) -> String {
        let (name, label) = (&self.edition.rules().name, &self.edition.opened.label);
        self.tp("award", &[("label", label.get(self.lang)), ("name", name.get(self.lang))])
    }

    fn issuer(&self) -> &str {
        self.edition.rules().authority.get(self.lang)
    }

    fn day(&self, day: Date) -> String {
        date(self.lang, day)
    }

    fn time(&self, time: Instant) -> String {
        instant(self.lang, time, self.edition.rules().utc_offset_minutes)
    }

    fn joined(&self, items: &[String]) -> String {
        crate::words::list(self.lang, items)
    }

    /// The files of a dossier that this reader may open.
    fn files<'b>(&'b self, application: &'b str) -> impl Iterator<Item = &'b Attachment> {
        let all = self.edition.applications.get(application).into_iter().flat_map(|found| &found.body.attachments);
        let may = |sha256| self.me.is_some_and(|me| self.edition.may_read_part(me, application, Part::File(sha256)));
        all.filter(move |file| may(&file.sha256))
    }

    /// Whether the reader may open this dossier.
    fn reads(&self, application: &str) -> bool {
        self.me.is_some_and(|me| self.edition.may_read(me, application))
    }

    fn has(&self, role: Role) -> bool {
        self.me.is_some_and(|me| self.edition.has_role(me, role))
    }

    /// The office, the supervisor, and the government once it decides: they read every dossier.
    fn oversees(&self) -> bool {
        let role = [Role::Officer, Role::Supervisor, Role::Authority].into_iter().any(|role| self.has(role));
        role && self.edition.applications.keys().all(|application| self.reads(application))
    }

    fn public(&self, thing: Thing<'_>) -> bool {
        self.edition.public_may_see(thing)
    }

    /// Whether the reader may see the scores of a stage: everybody once they are opened, before that whoever sees every
    /// sheet behind them.
    fn sees_scores(&self, stage: &str) -> bool {
        let Some((_, applications)) = self.edition.sheets.get(stage).and_then(|s| s.computed.as_ref()) else {
            return false;
        };
        // Some stages have no sheets of their own; nobody who votes sees them all the same.
        let sheets = |me: &str| {
            let inside = self.edition.oversees(me) && !self.edition.has_role(me, Role::Member);
            inside
                && applications.iter().all(|application| {
                    let counting = self.edition.counting_sheets(stage, application);
                    counting.keys().all(|expert| self.edition.may_see_sheet(me, stage, application, expert))
                })
        };
        self.public(Thing::Scores) || (self.oversees() && self.me.is_some_and(sheets))
    }

    /// The composite, if the reader may see every score that it is made of.
    fn composite(&self, application: &str) -> Option<u64> {
        let every = self.every_score.get_or_init(|| {
            let scored = self.edition.sheets.iter().filter(|(_, sheets)| sheets.computed.is_some());
            let mut scored = scored.map(|(stage, _)| stage).peekable();
            scored.peek().is_some() && scored.all(|stage| self.sees_scores(stage))
        });
        self.edition.composite(application).filter(|_| *every)
    }

    /// Name of an applicant, as far as this reader may see it.
    fn name(&self, application: &str) -> String {
        match self.edition.applicant(application) {
            Some(organisation) if self.reads(application) => organisation.name.get(self.lang).to_owned(),
            _ => self.view.name(self.edition, application),
        }
    }

    fn county(&self, application: &str) -> String {
        self.edition.applicant(application).map(|o| o.county.get(self.lang).to_owned()).unwrap_or_default()
    }

    fn tier(&self, tier: &str) -> String {
        self.edition.rules().tier(tier).map_or(tier, |t| t.name.get(self.lang)).to_owned()
    }

    fn stage(&self, stage: &str) -> String {
        self.edition.rules().stage(stage).map_or(stage, |s| s.name.get(self.lang)).to_owned()
    }

    /// A value of a record in words.
    fn worded(&self, value: &impl Serialize) -> String {
        let body = serde_json::to_value(value).unwrap_or_default();
        let parts = describe(self.edition, "facts", &body, &BTreeMap::new());
        let each: Vec<String> =
            parts.iter().map(|(label, value)| format!("{} {}", label.get(self.lang), value.get(self.lang))).collect();
        self.joined(&each)
    }

    /// The stages that are over, in the order of the rules.
    fn passed(&self) -> Vec<String> {
        let stages = self.edition.rules().stages.iter().filter(|stage| self.edition.is_closed(&stage.id));
        stages.map(|stage| stage.name.get(self.lang).to_owned()).collect()
    }
}

/// A paper that can be opened.
pub(crate) struct Listed {
    /// Its kind.
    pub kind: &'static str,
    /// What it is called.
    pub name: String,
    /// The case in the address.
    pub case: String,
    /// What it is about.
    pub about: String,
    /// Whether everybody may read it.
    pub public: bool,
}

/// Looks at an edition as `me` reads it; `None` if there is none.
fn with<T>(app: &App, view: &View, log_id: &str, me: Option<&str>, look: impl FnOnce(&At<'_>) -> T) -> Option<T> {
    let log = app.heng().log(log_id).ok()?;
    let held = held(app, log_id);
    // Texts come from the disk; meanwhile the image must be free for those who write.
    let signed: Vec<Hash> = log.image().state.edition()?.sessions.values().filter_map(|s| s.minutes).collect();
    let texts = signed.into_iter().filter_map(|hash| {
        let bytes = app.heng().store().attachment(&hash.0).ok().flatten()?;
        Some((hash, String::from_utf8(bytes).ok()?))
    });
    let texts = texts.collect();
    let image = log.image();
    let edition = image.state.edition()?;
    let checkpoint = image.checkpoint.as_ref().map(|c| (c.size, root_code(&Hash(c.root)))).unwrap_or_default();
    let every_score = OnceCell::new();
    let lang = view.lang;
    let (texts, held, image, checkpoint) = (&texts, &held, &*image, &checkpoint);
    Some(look(&At { view, lang, edition, me, texts, held, image, checkpoint, every_score }))
}

/// Certificates of an edition that are good today, with the last day of each.
fn held(app: &App, log: &str) -> BTreeMap<String, Option<Date>> {
    let Some(office) = app.heng().office_log() else { return BTreeMap::new() };
    let image = office.image();
    let Some(office) = image.state.office() else { return BTreeMap::new() };
    let today = office.day(app.heng().clock().now());
    let good = |honour: &&Honour| {
        honour.state(today) == HonourState::Held && honour.body.cite.as_ref().is_some_and(|cite| cite.log == log)
    };
    office.honours.values().filter(good).map(|h| (h.body.certificate.clone(), h.body.valid_until)).collect()
}

/// What `me` may open now, in the order of the process.
pub(crate) fn list(app: &App, view: &View, log: &str, me: Option<&str>) -> Option<Vec<Listed>> {
    with(app, view, log, me, |at| KINDS.iter().flat_map(|kind| listed(at, kind)).collect())
}

/// What `me` may open about one application.
fn about(app: &App, view: &View, log: &str, me: &str, application: &str) -> Vec<Listed> {
    let mut papers = list(app, view, log, Some(me)).unwrap_or_default();
    papers.retain(|paper| paper.case == application);
    papers
}

fn listed(at: &At<'_>, kind: &Kind) -> Vec<Listed> {
    let public: BTreeSet<String> = (kind.cases)(&at.everybody()).into_iter().map(|(case, _)| case).collect();
    let name = plain(at.lang, "paper", &format!("kind_{}", kind.id));
    let cases = (kind.cases)(at).into_iter();
    cases
        .map(|(case, about)| Listed { kind: kind.id, name: name.clone(), public: public.contains(&case), case, about })
        .collect()
}

/// One paper; `None` if `me` may not open it, or it does not exist. That somebody opened what is not public is noted.
pub(crate) fn open(app: &App, view: &View, log_id: &str, me: Option<&str>, paper: &str, case: &str) -> Option<Paper> {
    let kind = KINDS.iter().find(|kind| kind.id == paper)?;
    let may = |at: &At<'_>| (kind.cases)(at).iter().any(|(open, _)| open == case);
    let (written, application) = with(app, view, log_id, me, |at| {
        let public = may(&at.everybody());
        let written = (public || may(at)).then(|| (kind.write)(at, case)).flatten()?;
        let about = at.edition.applications.contains_key(case).then(|| case.to_owned());
        let (size, root_code) = at.checkpoint.clone();
        let check = format!("{}{}/check", app.origin(), crate::view::edition_href(view.language, log_id));
        let paper = Paper { paper: kind.id, case: case.to_owned(), public, size, root_code, check, ..written };
        Some((paper, about.unwrap_or_default()))
    })??;
    if let (false, Some(me)) = (written.public, me) {
        return crate::opening::note(app, log_id, me, &application, kind.id).then_some(written);
    }
    Some(written)
}

/// The title of an opened paper, for the list of openings.
pub(crate) fn kind_name(lang: Lang, kind: &str) -> Option<String> {
    KINDS.iter().any(|known| known.id == kind).then(|| plain(lang, "paper", &format!("kind_{kind}")))
}
