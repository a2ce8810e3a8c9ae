//! The funnel: how many came in, how many went on.

use maud::{Markup, PreEscaped, html};

use super::{PictureWords, figure, percent};
use crate::ui::{Row, Text};

/// One bar: a label, a number, and the number as the reader's language writes it.
#[derive(Clone, Debug, Default)]
pub struct Bar<'a> {
    /// What was counted.
    pub label: Text<'a>,
    /// How many.
    pub value: i64,
    /// The number as it is shown.
    pub shown: Text<'a>,
    /// Where the rows behind the number are.
    pub href: Option<Text<'a>>,
}

const STEP: i64 = 56;

/// Bars under each other, the longest first as the process goes. An end stroke marks where every
/// bar stops, so that also a bar of nothing is seen.
#[must_use]
pub fn funnel_svg(words: &PictureWords<'_>, bars: &[Bar<'_>]) -> Markup {
    let most = bars.iter().map(|bar| bar.value).max().unwrap_or(0);
    let drawing = html! {
        @for (top, bar) in (0..).step_by(STEP as usize).zip(bars) {
            @let end = percent(bar.value, most);
            text.label x="0" y=(top + 18) { (bar.label) }
            text.value x="100%" y=(top + 18) { (bar.shown) }
            line.rail x1="0" x2="100%" y1=(top + 33) y2=(top + 33) {}
            rect.bar x="0" y=(top + 28) width=(end) height="10" {}
            line.stop x1=(end) x2=(end) y1=(top + 26) y2=(top + 40) {}
        }
    };
    let rows: Vec<Row<'_>> = bars
        .iter()
        .map(|bar| {
            let number = html! {
                @if let Some(href) = &bar.href { a href=(href) { (bar.shown) } } @else { (bar.shown) }
            };
            Row::new(vec![html! { (bar.label) }, PreEscaped(number.into_string())])
        })
        .collect();
    let height = STEP * i64::try_from(bars.len()).unwrap_or(0);
    figure("funnel", words, height, &drawing, &rows)
}
