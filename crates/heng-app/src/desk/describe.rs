//! A record in words: what a signer reads before signing, and what a page shows of it afterwards.

use std::collections::BTreeMap;

use heng_domain::edition::Edition;
use heng_domain::text::Text;
use serde_json::Value;

use super::field::{same, words};

/// Keys that mean something only to a machine; the page shows them under "exact record".
const MACHINE: [&str; 12] = [
    "log",
    "nonce",
    "options_sha256",
    "results_sha256",
    "roster_sha256",
    "rule_sha256",
    "scan_sha256",
    "text_sha256",
    "v",
    "source",
    "cite",
    "sha256",
];

/// Parts of a ballot that bind it to what was displayed, there by their hash.
const BOUND: [&str; 4] = ["options", "roster", "rule", "text"];

fn machine(key: &str, value: &Value) -> bool {
    let hash = value.as_str().is_some_and(|text| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()));
    MACHINE.contains(&key) || (hash && BOUND.contains(&key))
}

/// Label and value of each part of a body, in both languages; hidden values come last, as the signer typed them.
pub fn describe(edition: Option<&Edition>, body: &Value, hidden: &BTreeMap<String, Value>) -> Vec<(Text, Text)> {
    let mut out = Vec::new();
    if let Value::Object(map) = body {
        for (key, value) in map.iter().filter(|(key, value)| !machine(key, value)) {
            out.push((label(key), shown(edition, key, value)));
            // Whom a motion is about stands beside its text, whatever the text says.
            let motion = edition.filter(|_| key == "motion").zip(value.as_str());
            if let Some((edition, motion)) = motion.and_then(|(e, id)| e.motion(id).map(|motion| (e, motion))) {
                out.push((label("option"), super::committee::names(edition, &motion.body.options)));
            }
        }
    }
    for (path, value) in hidden {
        let label = match path.split_once("/items/").map(|(_, item)| item) {
            Some(item) => item_label(edition, item),
            None => match path.strip_prefix("/scores/") {
                Some(application) => named(edition, application),
                None => words("hidden", path.trim_start_matches('/'), &[]),
            },
        };
        out.push((label, hidden_value(edition, path, value)));
    }
    out
}

fn label(key: &str) -> Text {
    let label = words("body", key, &[]);
    if label.zh == format!("body.{key}") { same(key) } else { label }
}

fn item_label(edition: Option<&Edition>, item: &str) -> Text {
    match edition.and_then(|e| e.criteria.as_ref()).and_then(|tree| tree.item(item)) {
        Some(found) => Text::new(format!("{item} {}", found.name.zh), format!("{item} {}", found.name.en)),
        None => same(item),
    }
}

/// A handle with the name behind it, where the edition knows one.
fn named(edition: Option<&Edition>, id: &str) -> Text {
    let Some(edition) = edition else { return same(id) };
    if let Some(o) = edition.applicant(id).or_else(|| edition.organisations.get(id)) {
        return Text::new(format!("{} · {id}", o.name.zh), format!("{} · {id}", o.name.en));
    }
    if let Some(name) = edition.seats.get(id).and_then(|seat| seat.name.as_ref()) {
        return same(format!("{name} · {id}"));
    }
    if let Some(motion) = edition.motion(id) {
        return motion.body.text.clone();
    }
    let rules = edition.rules();
    if let Some(stage) = edition.draws.get(id).and_then(|draw| rules.stage(&draw.stage)) {
        return Text::new(format!("{} · {id}", stage.name.zh), format!("{} · {id}", stage.name.en));
    }
    let found = rules.stage(id).map(|s| &s.name).or_else(|| rules.condition(id).map(|c| &c.name));
    let found = found.or_else(|| rules.tier(id).map(|t| &t.name));
    let found = found.or_else(|| rules.department(id).map(|d| &d.name));
    let found = found.or_else(|| rules.recusal.iter().find(|g| g.id == id).map(|g| &g.name));
    found.cloned().unwrap_or_else(|| same(id))
}

fn shown(edition: Option<&Edition>, key: &str, value: &Value) -> Text {
    match value {
        Value::Null => same("—"),
        Value::Bool(yes) => words("choice", if *yes { "yes" } else { "no" }, &[]),
        Value::Number(number) if key.ends_with("_fen") => {
            let fen = number.as_i64().unwrap_or(0);
            words("choice", "yuan", &[("amount", &same(super::field::yuan_text(fen)))])
        }
        Value::Number(number) => same(number),
        Value::String(text) if matches!(text.as_str(), "yes" | "no" | "abstain") => words("vote", text, &[]),
        Value::String(text) if key == "answer" => words("choice", &format!("opinion_{text}"), &[]),
        Value::String(text) if key == "how" => words("choice", &format!("how_{text}"), &[]),
        Value::String(text) => instant(edition, text).unwrap_or_else(|| named(edition, text)),
        Value::Array(list) if list.is_empty() => same("—"),
        Value::Array(list) => {
            let parts: Vec<Text> = list.iter().map(|item| shown(edition, key, item)).collect();
            joined(&parts, "；", "; ")
        }
        Value::Object(map) => {
            if let (Some(zh), Some(en)) = (map.get("zh").and_then(Value::as_str), map.get("en").and_then(Value::as_str))
            {
                return Text::new(zh, en);
            }
            let mut entries: Vec<_> = map.iter().filter(|(key, _)| !MACHINE.contains(&key.as_str())).collect();
            // Figures are read by their year.
            entries.sort_by_key(|(key, _)| *key != "year");
            let said = entries.into_iter().map(|(key, value)| {
                let (label, value) = (label(key), shown(edition, key, value));
                Text::new(format!("{} {}", label.zh, value.zh), format!("{} {}", label.en, value.en))
            });
            let parts: Vec<Text> = said.collect();
            joined(&parts, "，", ", ")
        }
    }
}

/// An instant in local time.
fn instant(edition: Option<&Edition>, text: &str) -> Option<Text> {
    let instant = heng_domain::time::Instant::parse(text).ok()?;
    let offset = edition.map_or(0, |e| e.rules().utc_offset_minutes);
    Some(same(super::field::local_text(instant, offset).replace('T', " ")))
}

fn joined(parts: &[Text], zh: &str, en: &str) -> Text {
    let of = |text: fn(&Text) -> &str, separator: &str| parts.iter().map(text).collect::<Vec<_>>().join(separator);
    Text { zh: of(|t| t.zh.as_str(), zh), en: of(|t| t.en.as_str(), en) }
}

fn hidden_value(edition: Option<&Edition>, path: &str, value: &Value) -> Text {
    if path.starts_with("/items/") {
        return same(format!("{value}%"));
    }
    if path.starts_with("/scores/") {
        let hundredths = value.as_u64().unwrap_or(0);
        return same(format!("{}.{:02}", hundredths / 100, hundredths % 100));
    }
    if path == "/files" {
        let names = value.as_array().into_iter().flatten().filter_map(|file| file.get("name")?.as_str());
        return joined(&names.map(same).collect::<Vec<_>>(), "；", "; ");
    }
    shown(edition, path, value)
}
