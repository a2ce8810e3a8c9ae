//! A record in words: what a signer reads before signing, and what a page shows of it afterwards.
//!
//! A reader who is no programmer decides upon these lines, so none holds a code, an amount in fen, an instant in UTC or
//! nothing at all. `value.rs` says what a value is called; here stands which lines there are and what they are headed.

mod value;

use std::collections::BTreeMap;

use heng_domain::edition::Edition;
use heng_domain::office::Office;
use heng_domain::replay::LogState;
use heng_domain::text::Text;
use serde_json::Value;

use super::field::{same, words};
pub(super) use value::{name, whose};

/// Keys that mean something only to a machine; the page shows them under "exact record".
const MACHINE: [&str; 20] = [
    "cite",
    "commit",
    "figure",
    "leaf",
    "log",
    "nonce",
    "options_sha256",
    "pool_sha256",
    "profile_sha256",
    "results_sha256",
    "roster_sha256",
    "rule_sha256",
    "rules_sha256",
    "scan_sha256",
    "secrets",
    "sha256",
    "supersedes",
    "text_sha256",
    "utc_offset_minutes",
    "v",
];

/// Labels that a key has in one place only: under another key, or in one kind of record.
const CONTEXT: [(&str, &str, &str); 22] = [
    ("/contact", "name", "person_name"),
    ("/who", "name", "person_name"),
    ("count.recorded", "returned", "ballots_returned"),
    ("criteria.adopted", "criteria", "criteria"),
    ("draw.replaced", "by", "steps_in"),
    ("draw.replaced", "out", "steps_out"),
    ("edition.opened", "label", "edition_label"),
    ("entry.posted", "lines", "entry_lines"),
    ("facts", "part", "part_met"),
    ("figure.stated", "as_of", "as_of"),
    ("figure.stated", "topic", "figure"),
    ("figure.stated", "unit", "unit"),
    ("notice.published", "until", "notice_until"),
    ("objection.received", "by", "objection_by"),
    ("office.founded", "demo", "demo"),
    ("office.founded", "officers", "officers"),
    ("opinions.asked", "until", "answer_until"),
    ("panel.member_replaced", "by", "steps_in"),
    ("panel.member_replaced", "leader", "new_leader"),
    ("panel.member_replaced", "out", "steps_out"),
    ("privacy.erased", "seq", "erased"),
    ("window.extended", "closes", "new_close"),
];

/// What the reader of a record can be told beside it: names, items, the local time.
#[derive(Clone, Copy, Default)]
pub struct Known<'a> {
    edition: Option<&'a Edition>,
    office: Option<&'a Office>,
}

impl<'a> From<&'a Edition> for Known<'a> {
    fn from(edition: &'a Edition) -> Known<'a> {
        Known { edition: Some(edition), office: None }
    }
}

impl<'a> From<&'a LogState> for Known<'a> {
    fn from(state: &'a LogState) -> Known<'a> {
        Known { edition: state.edition(), office: state.office() }
    }
}

impl Known<'_> {
    fn offset(&self) -> i32 {
        let edition = self.edition.map(|e| e.rules().utc_offset_minutes);
        edition.or_else(|| self.office.map(|o| o.founded.utc_offset_minutes)).unwrap_or(0)
    }
}

/// Label and value of each part of a body, in both languages; hidden values come last, as the signer typed them.
pub fn describe<'a>(
    known: impl Into<Known<'a>>,
    kind: &str,
    body: &Value,
    hidden: &BTreeMap<String, Value>,
) -> Vec<(Text, Text)> {
    let known = known.into();
    let mut out = Vec::new();
    rows(&known, kind, kind, body, &mut out);
    for (path, value) in hidden {
        let label = match path.split_once("/items/").map(|(_, item)| item) {
            Some(item) => value::item(&known, item),
            None => match path.strip_prefix("/scores/") {
                Some(application) => name(&known, application),
                None => words("hidden", path.trim_start_matches('/'), &[]),
            },
        };
        out.push((label, hidden_value(&known, path, value)));
    }
    out
}

/// What a whole is made of is read line by line; the rest is one line each.
const OPENED: [&str; 3] = ["facts", "plan", "standing"];

fn rows(known: &Known<'_>, kind: &str, parent: &str, body: &Value, out: &mut Vec<(Text, Text)>) {
    let Value::Object(map) = body else { return };
    for (key, value) in map.iter().filter(|(key, value)| !machine(kind, key, value)) {
        if OPENED.contains(&key.as_str()) {
            rows(known, kind, key, value, out);
            continue;
        }
        let said = value::shown(known, &value::At { kind, parent, key, body }, value);
        if said.zh.trim().is_empty() || said.en.trim().is_empty() {
            continue;
        }
        out.push((heading(parent, key), said));
        // Whom a motion is about stands beside its text, whatever the text says.
        let motion = known.edition.filter(|_| key == "motion").zip(value.as_str());
        if let Some((edition, motion)) = motion.and_then(|(e, id)| e.motion(id).map(|motion| (e, motion))) {
            out.push((heading(parent, "option"), super::committee::names(edition, &motion.body.options)));
        }
    }
}

/// Hashes, citations and numbers against replay bind a record; nobody reads them.
fn machine(kind: &str, key: &str, value: &Value) -> bool {
    let hash = |value: &Value| {
        value.as_str().is_some_and(|text| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    let bound = match value {
        Value::String(_) => hash(value),
        Value::Array(list) => key != "evidence" && !list.is_empty() && list.iter().all(hash),
        Value::Object(map) => map.contains_key("leaf") && map.contains_key("seq"),
        Value::Null => true,
        _ => false,
    };
    // A key is compared by its fingerprint where it is enrolled, and only there.
    bound || MACHINE.contains(&key) || key == "key" && !kind.starts_with("key.")
}

/// A label at the head of a line; within a line it is written small.
fn heading(parent: &str, key: &str) -> Text {
    let label = label(parent, key);
    let mut rest = label.en.chars();
    let en = rest.next().map(|first| first.to_uppercase().chain(rest).collect());
    Text { en: en.unwrap_or_default(), ..label }
}

fn label(parent: &str, key: &str) -> Text {
    if let Some((_, _, word)) = CONTEXT.iter().find(|(place, part, _)| *place == parent && *part == key) {
        return words("body_as", word, &[]);
    }
    let found = ["body", "hidden"].iter().map(|section| (section, words(section, key, &[])));
    let mut found = found.filter(|(section, label)| label.zh != format!("{section}.{key}"));
    found.next().map_or_else(|| same(key), |(_, label)| label)
}

fn hidden_value(known: &Known<'_>, path: &str, value: &Value) -> Text {
    if path.starts_with("/items/") {
        return same(format!("{value}%"));
    }
    if path.starts_with("/scores/") {
        let hundredths = value.as_u64().unwrap_or(0);
        return same(format!("{}.{:02}", hundredths / 100, hundredths % 100));
    }
    if path == "/files" {
        let names = value.as_array().into_iter().flatten().filter_map(|file| file.get("name")?.as_str());
        return value::joined(names.map(same), "；", "; ");
    }
    value::shown(known, &value::At { kind: "", parent: "", key: path, body: &Value::Null }, value)
}
