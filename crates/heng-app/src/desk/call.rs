//! The call for applications and its window.

use heng_domain::edition::events::{CallPublished, Role, Window, WindowExtended};
use heng_domain::rules::StageKind;
use heng_domain::text::Text;
use heng_domain::time::Instant;
use jiff::ToSpan;

use super::field::{Choice, Field, Kind, local_text, words};
use super::{Act, Case, EditionDesk, Signs, Who, Written, Wrong};

/// Greatest length of a title and of a published text, in characters.
pub(super) const TITLE: usize = 120;
pub(super) const TEXT: usize = 20_000;

pub(super) fn acts<'a>() -> Vec<Act<EditionDesk<'a>>> {
    vec![
        Act {
            kind: CallPublished::KIND,
            who: Who::Officer,
            signs: Signs::ACTOR,
            open: |desk| match desk.stage(StageKind::Call) {
                Some(stage) if desk.has(Role::Officer) && desk.edition.call.is_none() => {
                    vec![Case::duty("-", stage.name.clone(), desk.due(stage))]
                }
                _ => Vec::new(),
            },
            form: |desk, _| {
                let rules = desk.edition.rules();
                let window =
                    rules.stages.iter().find(|s| s.kind == StageKind::Application).map_or(30, |s| s.days.value);
                let first = desk.today().tomorrow().unwrap_or(desk.today());
                let last = first.checked_add(i64::from(window).days()).unwrap_or(first);
                let at = |day, hour| Instant::at(day, hour, 0, desk.offset()).map(|i| local_text(i, desk.offset()));
                let title = words("prefill", "call_title", &[("award", &rules.name)]);
                let text = super::compose::call(desk.edition);
                let line = || Kind::Line { most: TITLE };
                let area = || Kind::Area { most: TEXT, rows: 16 };
                vec![
                    Field::new("title_zh", line()).with(title.zh),
                    Field::new("title_en", line()).with(title.en),
                    Field::new("text_zh", area()).with(text.zh),
                    Field::new("text_en", area()).with(text.en),
                    Field::new("office_contact", Kind::Line { most: 200 }),
                    Field::new("opens", Kind::Moment).with(at(first, 9).unwrap_or_default()),
                    Field::new("closes", Kind::Moment).with(at(last, 18).unwrap_or_default()),
                ]
            },
            write: |desk, _, input| {
                let basis = desk.stage(StageKind::Call).map_or("", |s| s.basis.as_str());
                let body = CallPublished {
                    closes: input.moment("closes").unwrap_or(desk.now),
                    no_fee: true,
                    opens: input.moment("opens").unwrap_or(desk.now),
                    text: with_contact(input.both("text"), &input.text("office_contact")),
                    title: input.both("title"),
                };
                Ok(vec![Written::edition(basis, body)?])
            },
        },
        Act {
            kind: WindowExtended::KIND,
            who: Who::Officer,
            signs: Signs::NOBODY,
            open: |desk| match desk.stage(StageKind::Application) {
                Some(stage) if desk.has(Role::Officer) => vec![Case::possible("-", stage.name.clone())],
                _ => Vec::new(),
            },
            form: |desk, _| {
                let closes = desk.edition.call.as_ref().map(|call| local_text(call.closes, desk.offset()));
                vec![
                    Field::new("closes", Kind::Moment).with(closes.unwrap_or_default()),
                    Field::new("reason", Kind::Line { most: 300 }),
                ]
            },
            write: |desk, _, input| {
                let basis = desk.stage(StageKind::Application).map_or("", |s| s.basis.as_str());
                let closes = input.moment("closes").unwrap_or(desk.now);
                Ok(vec![Written::edition(basis, WindowExtended { closes, reason: input.text("reason") })?])
            },
        },
    ]
}

/// The text with the office's address below it.
fn with_contact(text: Text, contact: &str) -> Text {
    let line = words("prefill", "call_contact", &[("contact", &super::same(contact))]);
    Text { zh: format!("{}\n{}", text.zh, line.zh), en: format!("{}\n{}", text.en, line.en) }
}

/// Yes and no, in the words of a question.
pub(super) fn yes_no(key: &str) -> Vec<Choice> {
    let of = |answer: &str| -> Text { words("choice", &format!("{key}_{answer}"), &[]) };
    vec![Choice::new("yes", of("yes")), Choice::new("no", of("no"))]
}

/// A window from its two ends: both or none.
pub(super) fn window(
    from: Option<jiff::civil::Date>,
    until: Option<jiff::civil::Date>,
) -> Result<Option<Window>, Wrong> {
    match (from, until) {
        (None, None) => Ok(None),
        (Some(from), Some(until)) if from <= until => Ok(Some(Window { from, until })),
        (Some(_), Some(_)) => Err(Wrong::new("notice_until", "turned_window")),
        (None, Some(_)) => Err(Wrong::new("notice_from", "day_missing")),
        (Some(_), None) => Err(Wrong::new("notice_until", "day_missing")),
    }
}
