//! Words, dates, numbers and money in the reader's language.

use heng_domain::messages::{message, plain};
use heng_domain::text::Lang;
use heng_domain::time::Instant;
use jiff::civil::{Date, DateTime};

/// A message of the section `web`.
pub(crate) fn t(lang: Lang, key: &str) -> String {
    plain(lang, "web", key)
}

/// A message with places.
pub(crate) fn tp(lang: Lang, key: &str, params: &[(&str, &str)]) -> String {
    message(lang, "web", key, params.iter().copied())
}

/// 2026年3月4日 · 4 March 2026
pub(crate) fn date(lang: Lang, date: Date) -> String {
    let month = match lang {
        Lang::Zh => date.month().to_string(),
        Lang::En => month(date).to_owned(),
    };
    tp(lang, "date", &[("day", &date.day().to_string()), ("month", &month), ("year", &date.year().to_string())])
}

fn month(date: Date) -> &'static str {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    usize::try_from(date.month() - 1).ok().and_then(|i| MONTHS.get(i)).copied().unwrap_or("")
}

/// A date with hours and minutes.
pub(crate) fn moment(lang: Lang, at: DateTime) -> String {
    match lang {
        Lang::Zh => format!("{}{:02}:{:02}", date(lang, at.date()), at.hour(), at.minute()),
        Lang::En => format!("{}, {:02}:{:02}", date(lang, at.date()), at.hour(), at.minute()),
    }
}

/// An instant in local time.
pub(crate) fn instant(lang: Lang, instant: Instant, offset_minutes: i32) -> String {
    moment(lang, instant.local(offset_minutes))
}

/// Groups of three digits with thin separators: 6,650,000.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Fen as yuan: 190,000 元 · 190,000 yuan
pub(crate) fn money(lang: Lang, fen: u64) -> String {
    let cents = fen % 100;
    let fraction = if cents == 0 { String::new() } else { format!(".{cents:02}") };
    tp(lang, "yuan", &[("amount", &format!("{}{fraction}", number(fen / 100)))])
}

/// Hundredths of a point: 655.20
pub(crate) fn points(hundredths: u64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// The names of a list in one sentence.
pub(crate) fn list(lang: Lang, items: &[String]) -> String {
    items.join(if lang == Lang::Zh { "、" } else { ", " })
}
