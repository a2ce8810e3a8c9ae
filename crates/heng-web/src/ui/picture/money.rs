//! Money as stacked years.

use maud::{Markup, html};

use super::line::{heading, lines_of, width};
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

/// How many kinds of filling there are; further parts begin anew.
const FILLINGS: usize = 4;
/// From one line of part names to the next, in pixels.
const LEADING: i64 = 20;

/// One bar a year, cut into its parts; all years have the same scale. The parts' names stand under
/// each bar in the order of the bar, each after a sample of its filling. The table's heads are the
/// year, then each part, then the sum.
#[must_use]
pub fn money_svg(words: &PictureWords<'_>, years: &[MoneyYear<'_>]) -> Markup {
    let most = years.iter().map(sum).max().unwrap_or(0);
    let mut top = 0;
    let drawing = html! {
        @for year in years {
            @let (head, y) = heading(top, &year.label, &html! { (year.total) }, width(&year.total));
            (head)
            line.rail x1="0" x2="100%" y1=(y + 8) y2=(y + 8) {}
            @for (index, (start, part)) in starts(year).into_iter().enumerate() {
                rect class={ "bar part-" (index % FILLINGS) } x=(percent(start, most)) y=(y)
                    width=(percent(part.fen, most)) height="16" {}
            }
            @let lines = lines_of(year.parts.iter().enumerate(), |(_, part)| {
                width(&part.label) + width(&part.shown) + 6
            });
            @let () = { top = y + 18; };
            @for line in &lines {
                @let () = { top += LEADING; };
                text.under x="0" y=(top - 4) {
                    @for (index, part) in line {
                        tspan class={ "part-" (index % FILLINGS) } { "■" }
                        tspan { " " (part.label) " " (part.shown) "\u{2003}" }
                    }
                }
            }
            @let () = { top += 20; };
        }
    };
    let rows: Vec<Row<'_>> = years.iter().map(row).collect();
    figure("money", words, top, &drawing, &rows)
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
