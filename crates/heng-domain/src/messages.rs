//! Sentences from the message files in `data/messages/`.
//!
//! A message is a text with `{name}` places. Both files hold the same keys; a test says which one is missing.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::civil::{Date, DateTime};

use crate::refusal::Refusal;
use crate::text::Lang;

type Table = BTreeMap<String, BTreeMap<String, String>>;

/// The files of the languages; sections are kept apart by file so that each can be read in one sitting.
macro_rules! files {
    ($lang:literal: $($part:literal),*) => {
        &[
            include_str!(concat!("../../../data/messages/", $lang, ".toml")),
            $(include_str!(concat!("../../../data/messages/", $part, ".", $lang, ".toml"))),*
        ]
    };
}
const ZH: &[&str] = files!("zh": "account", "api", "desk", "mail", "paper", "rules", "upload", "verify", "web");
const EN: &[&str] = files!("en": "account", "api", "desk", "mail", "paper", "rules", "upload", "verify", "web");

fn read(files: &[&str]) -> Table {
    // A broken file is caught by a test before it can ship; at run time the key itself is shown.
    files.iter().flat_map(|file| toml::from_str::<Table>(file).unwrap_or_default()).collect()
}

static TABLES: LazyLock<[Table; 2]> = LazyLock::new(|| [read(ZH), read(EN)]);

fn table(lang: Lang) -> &'static Table {
    match lang {
        Lang::Zh => &TABLES[0],
        Lang::En => &TABLES[1],
    }
}

/// The message `section.key`, with `{name}` replaced. An unknown key is shown as itself.
pub fn message<'a>(
    lang: Lang,
    section: &str,
    key: &str,
    params: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let Some(text) = table(lang).get(section).and_then(|keys| keys.get(key)) else {
        return format!("{section}.{key}");
    };
    let mut out = text.clone();
    for (name, value) in params {
        out = out.replace(&format!("{{{name}}}"), value);
    }
    out
}

/// A message without places.
pub fn plain(lang: Lang, section: &str, key: &str) -> String {
    message(lang, section, key, [])
}

/// A day as people write it: 2026年3月4日 · 4 March 2026.
pub fn date(lang: Lang, date: Date) -> String {
    let month = plain(lang, "date", &format!("month_{}", date.month()));
    let (day, year) = (date.day().to_string(), date.year().to_string());
    message(lang, "date", "day", [("day", day.as_str()), ("month", month.as_str()), ("year", year.as_str())])
}

/// A day with hours and minutes.
pub fn moment(lang: Lang, at: DateTime) -> String {
    let (day, time) = (date(lang, at.date()), format!("{:02}:{:02}", at.hour(), at.minute()));
    message(lang, "date", "moment", [("day", day.as_str()), ("time", time.as_str())])
}

/// An amount in yuan, from fen.
pub fn yuan(fen: i128) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    if fen.is_multiple_of(100) {
        format!("{sign}{}", fen / 100)
    } else {
        format!("{sign}{}.{:02}", fen / 100, fen % 100)
    }
}

/// A parameter of a refusal as people read it: days and times in the reader's form, anything else as it is.
fn read_aloud(lang: Lang, value: &str) -> String {
    if let Some(day) = value.parse::<Date>().ok().filter(|day| day.to_string() == value) {
        return date(lang, day);
    }
    match value.parse::<DateTime>().ok().filter(|at| at.to_string() == value) {
        Some(at) => moment(lang, at),
        None => value.to_owned(),
    }
}

/// The sentence of a refusal: what was wrong, what to do, and the article.
pub fn refusal(lang: Lang, refusal: &Refusal) -> String {
    let params: Vec<(&str, String)> =
        refusal.params.iter().map(|(name, value)| (*name, read_aloud(lang, value))).collect();
    let sentence = message(lang, "refusal", refusal.code, params.iter().map(|(name, value)| (*name, value.as_str())));
    if refusal.basis.is_empty() {
        return sentence;
    }
    let basis = message(lang, "common", "basis", [("basis", refusal.basis.as_str())]);
    format!("{sentence}{basis}")
}

/// All keys of one language, `section.key`, for the test that compares the files.
pub fn keys(lang: Lang) -> Vec<String> {
    table(lang).iter().flat_map(|(section, keys)| keys.keys().map(move |key| format!("{section}.{key}"))).collect()
}
