//! Shapes that several answers share. They mirror the desk's own types, which know nothing of this interface.

use std::collections::BTreeMap;

use heng_app::desk::drafts::Saved;
use heng_app::desk::files::FileInfo;
use heng_app::desk::{self, Task, Who};
use heng_domain::edition::events::Role;
use heng_domain::record::Anchor;
use heng_domain::text::{Lang, Text};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::log_href;
use crate::view::App;
use crate::work::{encode, place};

/// A text in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Words {
    /// Chinese.
    #[schema(example = "提交申报")]
    pub zh: String,
    /// English.
    #[schema(example = "Submit the application")]
    pub en: String,
}

impl Words {
    /// The same in both languages.
    pub fn same(text: &str) -> Words {
        Words { zh: text.to_owned(), en: text.to_owned() }
    }

    /// In one language.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

impl From<Text> for Words {
    fn from(text: Text) -> Words {
        Words { zh: text.zh, en: text.en }
    }
}

impl From<&Text> for Words {
    fn from(text: &Text) -> Words {
        Words { zh: text.zh.clone(), en: text.en.clone() }
    }
}

/// A checkpoint as a device saw it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Checkpoint {
    /// Number of records.
    #[schema(minimum = 0)]
    #[serde(deserialize_with = "super::given::whole")]
    pub size: u64,
    /// Root hash, in hex.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub root: String,
}

impl From<&Anchor> for Checkpoint {
    fn from(anchor: &Anchor) -> Checkpoint {
        Checkpoint { size: anchor.size, root: anchor.root.to_string() }
    }
}

/// What was typed, by field; a field that was left out is missing or empty.
pub(crate) type Answers = BTreeMap<String, Vec<String>>;

/// A saved draft.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Draft {
    /// Grows with every save.
    #[schema(minimum = 0, example = 3)]
    pub version: u64,
    /// When it was saved.
    #[schema(format = DateTime)]
    pub at: String,
    /// What was typed, by field.
    #[schema(inline)]
    pub answers: Answers,
    /// Who changed an answer last, by field; answers that nobody changed since the form was begun are missing.
    pub changes: BTreeMap<String, Change>,
}

/// The last change of an answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Change {
    /// The version that brought it.
    #[schema(minimum = 1, example = 3)]
    pub version: u64,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// Name of the account.
    pub by: String,
}

impl Draft {
    /// A draft with the names of those who worked on it.
    pub fn new(app: &App, saved: Saved) -> Draft {
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        let mut changes = BTreeMap::new();
        for field in saved.answers.keys() {
            let Some(trail) = saved.trail(field) else { continue };
            let name = || app.accounts().account(&trail.by).map(|account| account.name).unwrap_or_default();
            let by = names.entry(trail.by.clone()).or_insert_with(name).clone();
            changes.insert(field.clone(), Change { version: trail.version(), at: trail.at.to_string(), by });
        }
        Draft { version: saved.version, at: saved.at.to_string(), answers: saved.answers, changes }
    }
}

/// A value that can be chosen.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: Words,
}

fn choices(list: Vec<desk::Choice>) -> Vec<Choice> {
    list.into_iter().map(|c| Choice { value: c.value, label: c.label.into() }).collect()
}

/// How a field is answered. Answers are always lists of texts, as people would type them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Kind {
    /// One line of text.
    Line {
        /// Most characters.
        most: usize,
    },
    /// Several lines of text.
    Area {
        /// Most characters.
        most: usize,
    },
    /// A whole number.
    Number {
        /// Least value.
        least: i64,
        /// Greatest value.
        most: i64,
        /// Only its multiples.
        step: i64,
    },
    /// An amount in yuan with at most two decimals.
    Money {
        /// Whether it may be below zero.
        negative: bool,
    },
    /// A day: `2026-03-04`.
    Day,
    /// A local date and time: `2026-03-04T18:00`, at the offset of the form.
    Moment,
    /// One of a list.
    One {
        /// The list.
        choices: Vec<Choice>,
    },
    /// Any of a list.
    Many {
        /// The list.
        choices: Vec<Choice>,
    },
    /// A statement that is ticked by any text, or not.
    Tick,
    /// One text: rows are lines, cells are separated by tabs.
    Table {
        /// Names of the columns.
        columns: Vec<Words>,
        /// Most rows.
        most: usize,
    },
    /// Files that were uploaded before: SHA-256 in hex.
    Files {
        /// Most files.
        most: usize,
    },
}

impl From<desk::Kind> for Kind {
    fn from(kind: desk::Kind) -> Kind {
        match kind {
            desk::Kind::Line { most } => Kind::Line { most },
            desk::Kind::Area { most, .. } => Kind::Area { most },
            desk::Kind::Number { least, most, step } => Kind::Number { least, most, step },
            desk::Kind::Money { negative } => Kind::Money { negative },
            desk::Kind::Day => Kind::Day,
            desk::Kind::Moment => Kind::Moment,
            desk::Kind::One { choices: list } => Kind::One { choices: choices(list) },
            desk::Kind::Many { choices: list } => Kind::Many { choices: choices(list) },
            desk::Kind::Tick => Kind::Tick,
            desk::Kind::Table { columns, most } => {
                Kind::Table { columns: columns.into_iter().map(Words::from).collect(), most }
            }
            desk::Kind::Files { most } => Kind::Files { most },
        }
    }
}

/// A question.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Field {
    /// Name under which the answer is sent.
    pub name: String,
    /// The question.
    pub label: Words,
    /// Help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<Words>,
    /// How it is answered, with its limits.
    pub kind: Kind,
    /// May stay empty.
    pub optional: bool,
    /// What stands there before anything is typed.
    pub value: Vec<String>,
    /// What its numbers say, from the least to the greatest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scale: Vec<Grade>,
}

/// What a number in a range says.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Grade {
    /// Least number.
    from: u32,
    /// Greatest number.
    to: u32,
    /// What it says.
    words: Words,
}

impl From<desk::Field> for Field {
    fn from(field: desk::Field) -> Field {
        let desk::Field { name, label, hint, kind, optional, value, part: _, scale } = field;
        let grade = |grade: desk::Grade| Grade { from: grade.from, to: grade.to, words: grade.words.into() };
        let scale = scale.into_iter().map(grade).collect();
        Field { name, label: label.into(), hint: hint.map(Words::from), kind: kind.into(), optional, value, scale }
    }
}

/// A file that was uploaded and may be attached.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct File {
    /// SHA-256 of its content, in hex.
    pub sha256: String,
    /// Name.
    pub name: String,
    /// What it is about.
    pub about: String,
    /// Size in bytes.
    pub size: u64,
}

impl From<(String, FileInfo)> for File {
    fn from((sha256, info): (String, FileInfo)) -> File {
        File { sha256, name: info.name, about: info.about, size: info.size }
    }
}

/// So many of a role must sign.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoleCount {
    /// The role.
    #[schema(example = "officer")]
    pub role: String,
    /// How many.
    #[schema(example = 2)]
    pub count: usize,
}

impl RoleCount {
    pub fn new(role: Role, count: usize) -> RoleCount {
        RoleCount { role: name_of(&role), count }
    }
}

/// The word that stands for a value in records.
pub(crate) fn name_of(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn who(who: Who) -> &'static str {
    match who {
        Who::Officer => "officer",
        Who::Supervisor => "supervisor",
        Who::Chair => "chair",
        Who::Member => "member",
        Who::Recommender => "recommender",
        Who::Authority => "authority",
        Who::Counter => "counter",
        Who::Expert => "expert",
        Who::Applicant => "applicant",
    }
}

/// Something to do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Task)]
pub(crate) struct TaskShape {
    /// Log.
    pub log: String,
    /// The log's place in addresses.
    #[schema(example = "yunchuan-mayor/2026")]
    pub place: String,
    /// Kind of record that it becomes.
    #[schema(example = "application.submitted")]
    pub kind: &'static str,
    /// What it is called.
    pub title: Words,
    /// The case, as it stands in addresses.
    #[schema(example = "-")]
    pub case: String,
    /// What the case is about.
    pub about: Words,
    /// Last day, if there is one.
    #[schema(format = Date)]
    pub due: Option<String>,
    /// It waits for this person; otherwise it is only possible.
    pub duty: bool,
    /// In which role.
    #[schema(example = "applicant")]
    pub who: &'static str,
    /// It needs the person's signature.
    pub signed: bool,
    /// Address of its form in this interface.
    #[schema(example = "/api/v1/logs/nanlu-county/2026/acts/application.submitted/-")]
    pub href: String,
}

impl TaskShape {
    pub fn new(app: &App, task: &Task) -> TaskShape {
        TaskShape {
            log: task.log.clone(),
            place: place(app, &task.log),
            kind: task.kind,
            title: desk::act_name(task.kind, &task.case.id).into(),
            case: task.case.id.clone(),
            about: (&task.case.about).into(),
            due: task.case.due.map(|day| day.to_string()),
            duty: task.case.duty,
            who: who(task.who),
            signed: task.signed,
            href: act_href(app, &task.log, task.kind, &task.case.id),
        }
    }
}

/// Address of an act.
pub(crate) fn act_href(app: &App, log: &str, kind: &str, case: &str) -> String {
    log_href(app, log, &format!("/acts/{kind}/{}", encode(case)))
}

/// A record that was written.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Written {
    /// Log.
    pub log: String,
    /// Number.
    #[schema(example = 312)]
    pub seq: u64,
    /// Kind.
    pub kind: String,
    /// When the server accepted it.
    #[schema(format = DateTime)]
    pub time: String,
    /// Leaf hash, in hex.
    pub leaf: String,
    /// Size of the checkpoint that covers it.
    pub size: u64,
    /// Address of the record.
    pub href: String,
    /// Address of its receipt: the offline proof that it is in the log.
    pub receipt: String,
}

/// What an act became.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Recorded {
    /// The records, in order.
    pub records: Vec<Written>,
}

impl Recorded {
    pub fn new(app: &App, log: &str, accepted: &[heng_app::Accepted]) -> Recorded {
        let written = |a: &heng_app::Accepted| Written {
            log: log.to_owned(),
            seq: a.record.seq,
            kind: a.record.kind.clone(),
            time: a.record.time.to_string(),
            leaf: a.leaf.to_string(),
            size: a.size,
            href: log_href(app, log, &format!("/records/{}", a.record.seq)),
            receipt: log_href(app, log, &format!("/receipts/{}", a.record.seq)),
        };
        Recorded { records: accepted.iter().map(written).collect() }
    }

    /// Address of the last record.
    pub fn location(&self) -> Option<String> {
        self.records.last().map(|record| record.href.clone())
    }
}

/// Label and value of a part of a record, in words.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Told {
    /// What it is.
    pub label: Words,
    /// What it says.
    pub value: Words,
}

/// A heading with its lines, in words.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Shown)]
pub(crate) struct ShownShape {
    /// What the lines are.
    pub title: Words,
    /// The lines.
    pub lines: Vec<Words>,
}

impl From<&desk::Shown> for ShownShape {
    fn from(shown: &desk::Shown) -> ShownShape {
        ShownShape { title: (&shown.title).into(), lines: shown.lines.iter().map(Words::from).collect() }
    }
}

pub(crate) fn told(rows: &[(Text, Text)]) -> Vec<Told> {
    rows.iter().map(|(label, value)| Told { label: label.into(), value: value.into() }).collect()
}
