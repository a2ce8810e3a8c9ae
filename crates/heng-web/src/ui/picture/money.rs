//! Money as stacked years.

use maud::{Markup, html};

use super::{PictureWords, figure, percent};
use crate::ui::{Row, Text};

/// A part of a year's money.
#[derive(Clone, Debug, Default)]
pub struct MoneyPart<'a> {
    /// What it was for; the same words in every year.
    pub label: Text<'a>,
    /// How much, in fen.
    pub fen: i64,
    /// The amount as it is shown.
    pub shown: Text<'a>,
}

/// A year and its parts, in the same order in every year.
#[derive(Clone, Debug, Default)]
pub struct MoneyYear<'a> {
    /// The year.
    pub label: Text<'a>,
    /// The parts.
    pub parts: Vec<MoneyPart<'a>>,
    /// The sum as it is shown, with its unit.
    pub total: Text<'a>,
}

const STEP: i64 = 76;
/// How many kinds of filling there are; further parts begin anew.
const FILLINGS: usize = 4;
/// A part narrower than this share of the picture (in per cent) keeps its label for the table.
const ROOM: i64 = 15;

/// One bar a year, cut into its parts; all years have the same scale. The table's heads are the
/// year, then each part, then the sum.
#[must_use]
pub fn money_svg(words: &PictureWords<'_>, years: &[MoneyYear<'_>]) -> Markup {
    let most = years.iter().map(sum).max().unwrap_or(0);
    let drawing = html! {
        @for (top, year) in (0..).step_by(STEP as usize).zip(years) {
            text.label.strong x="0" y=(top + 18) { (year.label) }
            text.value x="100%" y=(top + 18) { (year.total) }
            line.rail x1="0" x2="100%" y1=(top + 36) y2=(top + 36) {}
            @for (index, (start, part)) in starts(year).into_iter().enumerate() {
                @let from = percent(start, most);
                rect class={ "bar part-" (index % FILLINGS) } x=(from) y=(top + 28)
                    width=(percent(part.fen, most)) height="16" {}
                @if most > 0 && i128::from(part.fen) * 100 >= i128::from(most) * i128::from(ROOM) {
                    text.under x=(from) y=(top + 61) { (part.label) " " (part.shown) }
                }
            }
        }
    };
    let rows: Vec<Row<'_>> = years.iter().map(row).collect();
    let height = STEP * i64::try_from(years.len()).unwrap_or(0);
    figure("money", words, height, &drawing, &rows)
}

fn sum(year: &MoneyYear<'_>) -> i64 {
    year.parts.iter().fold(0, |total: i64, part| total.saturating_add(part.fen.max(0)))
}

fn starts<'b, 'a>(year: &'b MoneyYear<'a>) -> Vec<(i64, &'b MoneyPart<'a>)> {
    let mut start = 0_i64;
    let mut out = Vec::with_capacity(year.parts.len());
    for part in &year.parts {
        out.push((start, part));
        start = start.saturating_add(part.fen.max(0));
    }
    out
}

fn row<'a>(year: &MoneyYear<'_>) -> Row<'a> {
    let mut cells = vec![html! { (year.label) }];
    cells.extend(year.parts.iter().map(|part| html! { (part.shown) }));
    cells.push(html! { (year.total) });
    Row::new(cells)
}
