//! Fields of a form: what is asked, what was typed, and what is wrong with it.
//!
//! A form is data: pages draw it, the JSON interface describes it, and both read answers through [`read`]. So a wrong
//! answer gets the same sentence at every door.

use std::collections::{BTreeMap, BTreeSet};

use heng_domain::messages::{date, message, plain};
use heng_domain::rules::Problem;
use heng_domain::text::{Lang, Text, turns};
use heng_domain::time::Instant;
use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// What was typed, by field. A field that was left out is an empty list.
pub type Answers = BTreeMap<String, Vec<String>>;

/// Most fields that one form may send; more is an attack or a mistake.
pub const MOST_FIELDS: usize = 2000;

/// A value that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: Text,
}

impl Choice {
    /// A choice.
    pub fn new(value: impl Into<String>, label: Text) -> Choice {
        Choice { value: value.into(), label }
    }
}

/// How a field is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Kind {
    /// One line of text.
    Line {
        /// Most characters.
        most: usize,
    },
    /// Several lines of text.
    Area {
        /// Most characters.
        most: usize,
        /// Lines that are seen.
        rows: u16,
    },
    /// A whole number.
    Number {
        /// Least value.
        least: i64,
        /// Greatest value.
        most: i64,
        /// Only its multiples; 1 for all.
        step: i64,
    },
    /// An amount in yuan, kept in fen.
    Money {
        /// Whether it may be below zero (a loss).
        negative: bool,
    },
    /// A day: `2026-03-04`.
    Day,
    /// A local date and time: `2026-03-04T18:00`.
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
    /// A statement that is ticked or not.
    Tick,
    /// Rows of cells, one row a line, cells separated by tabs as a spreadsheet copies them.
    Table {
        /// Names of the columns.
        columns: Vec<Text>,
        /// Most rows.
        most: usize,
    },
    /// Files that were uploaded before; values are SHA-256 in hex.
    Files {
        /// Most files.
        most: usize,
    },
}

impl Kind {
    /// Whether more than one answer may be given.
    pub fn takes_several(&self) -> bool {
        matches!(self, Kind::Many { .. } | Kind::Files { .. })
    }
}

/// What a number in a range says (区间).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grade {
    /// Least number.
    pub from: u32,
    /// Greatest number.
    pub to: u32,
    /// What it says.
    pub words: Text,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Name under which the answer is sent.
    pub name: String,
    /// The question.
    pub label: Text,
    /// Help, with an example in the right form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<Text>,
    /// How it is answered.
    pub kind: Kind,
    /// May stay empty.
    pub optional: bool,
    /// What stands there before anything was typed.
    pub value: Vec<String>,
    /// Heading above it, where a part of a long form begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<Text>,
    /// What its numbers say, from the least to the greatest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scale: Vec<Grade>,
}

/// A message of a section in both languages.
pub fn words(section: &str, key: &str, params: &[(&str, &Text)]) -> Text {
    let of = |lang: Lang| message(lang, section, key, params.iter().map(|(name, text)| (*name, text.get(lang))));
    Text { zh: of(Lang::Zh), en: of(Lang::En) }
}

/// The same text in both languages: names, numbers, codes.
pub fn same(text: impl ToString) -> Text {
    let text = text.to_string();
    Text { zh: text.clone(), en: text }
}

/// A day as the reader writes it.
pub fn day_words(day: Date) -> Text {
    Text { zh: date(Lang::Zh, day), en: date(Lang::En, day) }
}

impl Field {
    /// A question whose words stand under `field.<name>`; a hint, if the catalogue has one, under `hint.<name>`.
    pub fn new(name: &str, kind: Kind) -> Field {
        Field::labelled(name, name, kind)
    }

    /// A question of another name than its words.
    pub fn labelled(name: &str, key: &str, kind: Kind) -> Field {
        let hint = words("hint", key, &[]);
        let has_hint = hint.zh != format!("hint.{key}");
        Field {
            name: name.to_owned(),
            label: Text { zh: plain(Lang::Zh, "field", key), en: plain(Lang::En, "field", key) },
            hint: has_hint.then_some(hint),
            kind,
            optional: false,
            value: Vec::new(),
            part: None,
            scale: Vec::new(),
        }
    }

    /// Whether it may be left out whatever else is answered. A declaration may be given for one applicant or for the rest
    /// together, evidence as a file or as a source: one of them is needed, so none is called optional.
    pub fn is_free(&self) -> bool {
        let one_of = self.name.starts_with("declare:")
            || [":files", ":source"].iter().any(|end| self.name.ends_with(end))
            || matches!(self.name.as_str(), "source" | "no_other");
        self.optional && !one_of
    }

    /// With other words.
    #[must_use]
    pub fn label(mut self, label: Text) -> Field {
        self.label = label;
        self
    }

    /// With help.
    #[must_use]
    pub fn hint(mut self, hint: Text) -> Field {
        self.hint = Some(hint);
        self
    }

    /// May stay empty.
    #[must_use]
    pub fn optional(mut self) -> Field {
        self.optional = true;
        self
    }

    /// Filled in beforehand.
    #[must_use]
    pub fn with(mut self, value: impl ToString) -> Field {
        self.value = vec![value.to_string()];
        self
    }

    /// Several values beforehand.
    #[must_use]
    pub fn with_all(mut self, values: Vec<String>) -> Field {
        self.value = values;
        self
    }

    /// With what its numbers say.
    #[must_use]
    pub fn scale(mut self, scale: Vec<Grade>) -> Field {
        self.scale = scale;
        self
    }

    /// Begins a part of the form.
    #[must_use]
    pub fn part(mut self, part: Text) -> Field {
        self.part = Some(part);
        self
    }
}

/// An answer that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Text(String),
    Number(i64),
    Day(Date),
    Moment(Instant),
    List(Vec<String>),
    Rows(Vec<Vec<String>>),
    Tick(bool),
}

/// Codes of problems of rules begin so.
const RULES: &str = "rules_problem.";

/// What is wrong with one answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrong {
    /// Field.
    pub field: String,
    /// Stable code: the key of its sentence in the section `wrong`, or that of a problem of rules after `rules_problem.`.
    pub code: String,
    /// Places of the sentence.
    pub params: BTreeMap<String, String>,
}

impl Wrong {
    /// Something that is wrong.
    pub fn new(field: &str, code: &str) -> Wrong {
        Wrong { field: field.to_owned(), code: code.to_owned(), params: BTreeMap::new() }
    }

    /// With a place of its sentence.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Wrong {
        self.params.insert(name.to_owned(), value.to_string());
        self
    }

    /// The sentence.
    pub fn sentence(&self, lang: Lang) -> String {
        let places = self.params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let Some(problem) = self.code.strip_prefix(RULES) else { return message(lang, "wrong", &self.code, places) };
        let what = message(lang, RULES.trim_end_matches('.'), problem, places);
        let detail = self.params.get("key").map_or(what.clone(), |key| format!("{key}: {what}"));
        message(lang, "wrong", "rules_file", [("detail", detail.as_str())])
    }

    /// A problem of rules, at the field that holds its value; with its key where there is no such field.
    pub(super) fn of_rules(field: &str, problem: &Problem, key: bool) -> Wrong {
        let mut wrong = Wrong::new(field, &format!("{RULES}{}", problem.code));
        wrong.params.extend(problem.places.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        if key { wrong.with("key", &problem.key) } else { wrong }
    }
}

/// Answers that fit their fields.
#[derive(Clone, Debug, Default)]
pub struct Input(BTreeMap<String, Value>);

impl Input {
    /// A text; empty if the field was left out.
    pub fn text(&self, name: &str) -> String {
        match self.0.get(name) {
            Some(Value::Text(text)) => text.clone(),
            _ => String::new(),
        }
    }

    /// A text in both languages, from `<name>_zh` and `<name>_en`.
    pub fn both(&self, name: &str) -> Text {
        Text { zh: self.text(&format!("{name}_zh")), en: self.text(&format!("{name}_en")) }
    }

    /// A number or an amount in fen; 0 if the field was left out.
    pub fn number(&self, name: &str) -> i64 {
        self.number_if(name).unwrap_or(0)
    }

    /// A number, if there is one.
    pub fn number_if(&self, name: &str) -> Option<i64> {
        match self.0.get(name) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// A number that is not negative.
    pub fn count(&self, name: &str) -> u64 {
        u64::try_from(self.number(name)).unwrap_or(0)
    }

    /// A small number that is not negative.
    pub fn small(&self, name: &str) -> u32 {
        u32::try_from(self.number(name)).unwrap_or(0)
    }

    /// A day.
    pub fn day(&self, name: &str) -> Option<Date> {
        match self.0.get(name) {
            Some(Value::Day(day)) => Some(*day),
            _ => None,
        }
    }

    /// An instant.
    pub fn moment(&self, name: &str) -> Option<Instant> {
        match self.0.get(name) {
            Some(Value::Moment(instant)) => Some(*instant),
            _ => None,
        }
    }

    /// Chosen values.
    pub fn list(&self, name: &str) -> Vec<String> {
        match self.0.get(name) {
            Some(Value::List(list)) => list.clone(),
            _ => Vec::new(),
        }
    }

    /// Rows of cells.
    pub fn rows(&self, name: &str) -> Vec<Vec<String>> {
        match self.0.get(name) {
            Some(Value::Rows(rows)) => rows.clone(),
            _ => Vec::new(),
        }
    }

    /// Whether it was ticked.
    pub fn ticked(&self, name: &str) -> bool {
        self.0.get(name) == Some(&Value::Tick(true))
    }
}

/// Reads answers. `offset` is the office's offset from UTC in minutes.
///
/// # Errors
/// Everything that is wrong, in the order of the fields.
pub fn read(fields: &[Field], answers: &Answers, offset: i32) -> Result<Input, Vec<Wrong>> {
    let mut out = BTreeMap::new();
    let mut wrong = Vec::new();
    if answers.len() > MOST_FIELDS || answers.values().any(|values| values.len() > MOST_FIELDS) {
        return Err(vec![Wrong::new("", "too_many_fields").with("most", MOST_FIELDS)]);
    }
    for field in fields {
        let typed = answers.get(&field.name).map(Vec::as_slice).unwrap_or_default();
        match read_one(field, typed, offset) {
            Ok(Some(value)) => drop(out.insert(field.name.clone(), value)),
            Ok(None) => {}
            Err(error) => wrong.push(error),
        }
    }
    if wrong.is_empty() { Ok(Input(out)) } else { Err(wrong) }
}

fn read_one(field: &Field, typed: &[String], offset: i32) -> Result<Option<Value>, Wrong> {
    let fail = |code: &str| Wrong::new(&field.name, code);
    let first = typed.first().map(String::as_str).unwrap_or_default();
    match &field.kind {
        Kind::Tick => return Ok(Some(Value::Tick(!first.is_empty()))),
        Kind::Many { choices } => {
            let chosen: BTreeSet<&str> = typed.iter().map(String::as_str).filter(|v| !v.is_empty()).collect();
            if chosen.is_empty() && !field.optional {
                return Err(fail("choose_some"));
            }
            let known = |value: &&str| choices.iter().any(|choice| choice.value == **value);
            if !chosen.iter().all(known) {
                return Err(fail("choose_known"));
            }
            // In the order of the list, whatever order the browser sent.
            let list = choices.iter().filter(|c| chosen.contains(c.value.as_str())).map(|c| c.value.clone()).collect();
            return Ok(Some(Value::List(list)));
        }
        Kind::Files { most } => {
            let files: Vec<String> = typed.iter().filter(|v| !v.is_empty()).cloned().collect();
            if files.is_empty() && !field.optional {
                return Err(fail("file_missing"));
            }
            if files.len() > *most {
                return Err(fail("too_many_files").with("most", most));
            }
            if files.iter().any(|file| file.parse::<heng_log::Hash>().is_err()) {
                return Err(fail("file_unknown"));
            }
            return Ok(Some(Value::List(files)));
        }
        _ => {}
    }
    if typed.len() > 1 {
        return Err(fail("once"));
    }
    let text = clean(first).map_err(fail)?;
    if text.trim().is_empty() {
        return if field.optional { Ok(None) } else { Err(empty(field)) };
    }
    let value = match &field.kind {
        Kind::Line { most } => {
            if text.contains('\n') {
                return Err(fail("one_line"));
            }
            Value::Text(short(text, *most, fail)?)
        }
        Kind::Area { most, .. } => Value::Text(short(text, *most, fail)?),
        Kind::Number { least, most, step } => {
            let digits = digits(&text, &['%']);
            let example = || example(*least, *most, *step);
            let number: i64 = digits.parse().map_err(|_| fail("number").with("example", example()))?;
            if number < *least || number > *most {
                return Err(fail("number_range").with("least", least).with("most", most));
            }
            if *step > 1 && number % step != 0 {
                return Err(fail("number_step").with("step", step).with("example", example()));
            }
            Value::Number(number)
        }
        Kind::Money { negative } => {
            let fen = fen(&text).ok_or_else(|| fail("money"))?;
            if fen < 0 && !negative {
                return Err(fail("money_negative"));
            }
            Value::Number(fen)
        }
        Kind::Day => Value::Day(day(&text).ok_or_else(|| fail("day"))?),
        Kind::Moment => Value::Moment(moment(&text, offset).ok_or_else(|| fail("moment"))?),
        Kind::One { choices } => {
            if !choices.iter().any(|choice| choice.value == text) {
                return Err(fail("choose_known"));
            }
            Value::Text(text)
        }
        Kind::Table { columns, most } => Value::Rows(rows(&text, columns.len(), *most, fail)?),
        Kind::Tick | Kind::Many { .. } | Kind::Files { .. } => return Ok(None),
    };
    Ok(Some(value))
}

fn empty(field: &Field) -> Wrong {
    let wrong = |code: &str| Wrong::new(&field.name, code);
    match field.kind {
        Kind::One { .. } => wrong("choose_one"),
        Kind::Day => wrong("day_missing"),
        Kind::Moment => wrong("moment_missing"),
        Kind::Number { least, most, step } => wrong("number_missing").with("example", example(least, most, step)),
        Kind::Money { .. } => wrong("number_missing").with("example", "1234.50"),
        _ => wrong("missing"),
    }
}

/// A number that the field would take: a count, a percentage, a year, or else its least.
pub(super) fn example(least: i64, most: i64, step: i64) -> i64 {
    let fits = |number: &i64| (least..=most).contains(number) && number % step.max(1) == 0;
    [120, 65, 2026, 3].into_iter().find(fits).unwrap_or(least)
}

/// A typed text as a record may hold it; control characters and turning marks are refused rather than dropped.
fn clean(text: &str) -> Result<String, &'static str> {
    if text.chars().any(turns) {
        return Err("turning_marks");
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err("characters");
    }
    // Tabs survive only where a table needs them; elsewhere they are blanks.
    let tabs = text.split('\t').map(heng_log::canonical::normalise).collect::<Vec<_>>().join("\t");
    Ok(tabs.trim_matches(|c: char| c.is_whitespace() && c != '\t').to_owned())
}

fn short(text: String, most: usize, fail: impl Fn(&str) -> Wrong) -> Result<String, Wrong> {
    let text = text.replace('\t', " ").trim().to_owned();
    let chars = text.chars().count();
    if chars > most { Err(fail("long").with("most", most).with("chars", chars)) } else { Ok(text) }
}

/// A number without what people and spreadsheets put around its digits: full width, thousands separators, blanks, any sort
/// of minus, and the signs in `besides`.
pub(super) fn digits(text: &str, besides: &[char]) -> String {
    let minus = |c| if matches!(c, '\u{2010}'..='\u{2014}' | '\u{2212}') { '-' } else { c };
    let around = |c: char| c.is_whitespace() || matches!(c, ',' | '\'') || besides.contains(&c);
    text.nfkc().map(minus).filter(|c| !around(*c)).collect()
}

/// `1,234.5` yuan as fen; more than two decimals are refused, never rounded.
fn fen(text: &str) -> Option<i64> {
    let digits = digits(text, &['¥', '元']);
    let (negative, digits) = match digits.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, digits.as_str()),
    };
    let (yuan, cents) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if yuan.is_empty() || !plain(yuan) || !plain(cents) || cents.len() > 2 {
        return None;
    }
    let cents: i64 = format!("{cents:0<2}").parse().ok()?;
    let fen = yuan.parse::<i64>().ok()?.checked_mul(100)?.checked_add(cents)?;
    Some(if negative { -fen } else { fen })
}

/// `2026-03-04`, `2026/3/4` and `2026年3月4日` are the same day.
fn day(text: &str) -> Option<Date> {
    let plain: String = text.nfkc().map(|c| if matches!(c, '/' | '.' | '年' | '月') { '-' } else { c }).collect();
    let mut parts = plain.trim_end_matches('日').splitn(3, '-').map(|part| part.trim().parse::<i16>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    (1900..=2200).contains(&date.year()).then_some(date)
}

/// `2026-03-04T18:00` or `2026-03-04 18:00`, local.
fn moment(text: &str, offset: i32) -> Option<Instant> {
    let plain: String = text.nfkc().collect();
    let (date, time) = plain.split_once(['T', ' '])?;
    let (hour, minute) = time.trim().split_once(':')?;
    let minute = minute.get(..2).unwrap_or(minute);
    let at = DateTime::from_parts(day(date)?, jiff::civil::Time::midnight());
    Instant::at(at.date(), hour.parse().ok()?, minute.parse().ok()?, offset)
}

fn rows(text: &str, columns: usize, most: usize, fail: impl Fn(&str) -> Wrong) -> Result<Vec<Vec<String>>, Wrong> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.len() > most {
        return Err(fail("too_many_rows").with("most", most).with("rows", lines.len()));
    }
    let mut out = Vec::new();
    for (index, line) in lines.into_iter().enumerate() {
        let cells: Vec<String> = line.split('\t').map(|cell| cell.trim().to_owned()).collect();
        if cells.len() != columns {
            let (row, found) = (index + 1, cells.len());
            return Err(fail("row_cells").with("row", row).with("found", found).with("columns", columns));
        }
        out.push(cells);
    }
    Ok(out)
}

/// A local instant as an input of the browser holds it.
pub fn local_text(instant: Instant, offset: i32) -> String {
    let at = instant.local(offset);
    format!("{}T{:02}:{:02}", at.date(), at.hour(), at.minute())
}

/// Fen as the form shows them.
pub fn yuan_text(fen: i64) -> String {
    heng_domain::messages::yuan(fen.into())
}

/// A day as people write it.
pub fn read_day(text: &str) -> Option<Date> {
    day(text)
}

/// An amount in yuan of a cell, in fen.
pub fn cell_fen(text: &str) -> Option<i64> {
    fen(text)
}

/// A whole number of a cell.
pub fn cell_number(text: &str) -> Option<u64> {
    digits(text, &[]).parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn one(kind: Kind, typed: &str) -> Result<Option<Value>, String> {
        let field = Field::new("x", kind);
        read_one(&field, &[typed.to_owned()], 480).map_err(|wrong| wrong.code)
    }

    #[test]
    fn every_kind_of_wrong_answer_has_its_sentence() {
        let line = || Kind::Line { most: 10 };
        let number = || Kind::Number { least: 0, most: 100, step: 5 };
        let choice = || Kind::One { choices: vec![Choice::new("a", same("A"))] };
        let table = || Kind::Table { columns: vec![same("年"), same("值")], most: 2 };
        let cases: Vec<(Kind, &str, &str)> = vec![
            (line(), "", "missing"),
            (line(), "   ", "missing"),
            (line(), "12345678901", "long"),
            (line(), "a\nb", "one_line"),
            (line(), "a\u{202E}b", "turning_marks"),
            (line(), "a\u{0}b", "characters"),
            (number(), "", "number_missing"),
            (number(), "twelve", "number"),
            (number(), "１２", "number_step"),
            (number(), "105", "number_range"),
            (number(), "-5", "number_range"),
            (number(), "99999999999999999999", "number"),
            (Kind::Money { negative: false }, "1.234", "money"),
            (Kind::Money { negative: false }, "-1", "money_negative"),
            (Kind::Money { negative: false }, "十元", "money"),
            (Kind::Day, "2026-02-30", "day"),
            (Kind::Day, "tomorrow", "day"),
            (Kind::Day, "", "day_missing"),
            (Kind::Moment, "2026-02-03", "moment"),
            (Kind::Moment, "2026-02-03T25:00", "moment"),
            (choice(), "b", "choose_known"),
            (choice(), "", "choose_one"),
            (Kind::Many { choices: Vec::new() }, "", "choose_some"),
            (Kind::Files { most: 1 }, "not-a-hash", "file_unknown"),
            (table(), "2023\t1\t2", "row_cells"),
            (table(), "1\t1\n2\t2\n3\t3", "too_many_rows"),
        ];
        for (kind, typed, code) in cases {
            assert_eq!(one(kind.clone(), typed).unwrap_err(), code, "{kind:?} {typed:?}");
            for lang in [Lang::Zh, Lang::En] {
                let sentence = Wrong::new("x", code).sentence(lang);
                assert_ne!(sentence, format!("wrong.{code}"), "{lang:?}");
            }
        }
    }

    #[test]
    fn an_example_is_a_number_that_the_field_takes() {
        for (least, most, step) in [(0, 100, 5), (0, 100, 10), (0, 1_000_000, 1), (1949, 2200, 1), (0, 2, 1)] {
            let kind = Kind::Number { least, most, step };
            for typed in ["", "twelve"] {
                let field = Field::new("x", kind.clone());
                let wrong = read_one(&field, &[typed.to_owned()], 480).unwrap_err();
                let example = &wrong.params["example"];
                assert!(wrong.sentence(Lang::Zh).contains(example), "{wrong:?}");
                assert_eq!(one(kind.clone(), example), Ok(Some(Value::Number(example.parse().unwrap()))));
            }
        }
    }

    #[test]
    fn what_people_really_type_is_understood() {
        let number = Kind::Number { least: 0, most: 100, step: 5 };
        assert_eq!(one(number.clone(), "６５"), Ok(Some(Value::Number(65))));
        assert_eq!(one(number, "65 %"), Ok(Some(Value::Number(65))));
        let money = Kind::Money { negative: true };
        assert_eq!(one(money.clone(), "1,234.5"), Ok(Some(Value::Number(123_450))));
        assert_eq!(one(money, "-１２.０５元"), Ok(Some(Value::Number(-1205))));
        let march = Ok(Some(Value::Day(jiff::civil::date(2026, 3, 4))));
        for typed in ["2026-03-04", "2026/3/4", "2026年3月4日", "２０２６-３-４"] {
            assert_eq!(one(Kind::Day, typed), march, "{typed}");
        }
        let at = Instant::at(jiff::civil::date(2026, 3, 4), 18, 0, 480).unwrap();
        assert_eq!(one(Kind::Moment, "2026-03-04T18:00"), Ok(Some(Value::Moment(at))));
        assert_eq!(local_text(at, 480), "2026-03-04T18:00");
        assert_eq!(one(Kind::Line { most: 10 }, " 质量😀 "), Ok(Some(Value::Text("质量😀".into()))));
        let table = Kind::Table { columns: vec![same("a"), same("b")], most: 9 };
        let rows = vec![vec!["2023".to_owned(), "1,5".to_owned()], vec!["2024".to_owned(), String::new()]];
        assert_eq!(one(table, "2023\t1,5\r\n\r\n2024\t"), Ok(Some(Value::Rows(rows))));
    }

    #[test]
    fn a_flood_of_fields_is_refused_as_a_whole() {
        let many: Answers = (0..10_000).map(|i| (format!("f{i}"), vec!["x".to_owned()])).collect();
        let wrong = read(&[], &many, 480).unwrap_err();
        assert_eq!(wrong[0].code, "too_many_fields");
    }

    #[test]
    fn amounts_are_never_rounded() {
        for (text, value) in [("0", 0), ("0.1", 10), ("0.01", 1), ("12", 1200)] {
            assert_eq!(fen(text), Some(value));
            assert_eq!(fen(&yuan_text(value)), Some(value));
        }
        assert_eq!(yuan_text(-1205), "-12.05");
        assert_eq!(fen("."), None);
        assert_eq!(fen("1.2.3"), None);
    }
}
