//! The funnel: how many came in, how many went on.

use maud::{Markup, html};

use super::line::{heading, width};
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

/// Bars under each other, the longest first as the process goes. An end stroke marks where every
/// bar stops, so that also a bar of nothing is seen.
#[must_use]
pub fn funnel_svg(words: &PictureWords<'_>, bars: &[Bar<'_>]) -> Markup {
    let most = bars.iter().map(|bar| bar.value).max().unwrap_or(0);
    let mut top = 0;
    let drawing = html! {
        @for bar in bars {
            @let end = percent(bar.value, most);
            @let (head, y) = heading(top, &bar.label, &html! { (bar.shown) }, width(&bar.shown));
            (head)
            line.rail x1="0" x2="100%" y1=(y + 5) y2=(y + 5) {}
            rect.bar x="0" y=(y) width=(end) height="10" {}
            line.stop x1=(end) x2=(end) y1=(y - 2) y2=(y + 12) {}
            @let () = { top = y + 28; };
        }
    };
    let rows: Vec<Row<'_>> = bars.iter().map(row).collect();
    figure("funnel", words, top, &drawing, &rows)
}

fn row<'a>(bar: &Bar<'_>) -> Row<'a> {
    let number = html! {
        @if let Some(href) = &bar.href { a href=(href) { (bar.shown) } } @else { (bar.shown) }
    };
    Row::new(vec![html! { (bar.label) }, number])
}
