//! Words, dates, numbers and money in the reader's language.

pub(crate) use heng_domain::messages::{date, moment};
use heng_domain::messages::{message, plain};
use heng_domain::refusal::Refusal;
use heng_domain::text::Lang;
use heng_domain::time::Instant;

use crate::view::App;

/// A message of the section `web`.
pub(crate) fn t(lang: Lang, key: &str) -> String {
    plain(lang, "web", key)
}

/// A message with places.
pub(crate) fn tp(lang: Lang, key: &str, params: &[(&str, &str)]) -> String {
    message(lang, "web", key, params.iter().copied())
}

/// An instant in local time.
pub(crate) fn instant(lang: Lang, instant: Instant, offset_minutes: i32) -> String {
    moment(lang, instant.local(offset_minutes))
}

/// The sentence of a refusal of a log, with names in place of handles.
pub(crate) fn refusal(lang: Lang, app: &App, log: &str, refusal: &Refusal) -> String {
    let Ok(log) = app.heng().log(log) else { return heng_domain::messages::refusal(lang, refusal) };
    let image = log.image();
    heng_app::desk::refused(image.state.edition(), refusal).get(lang).to_owned()
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
