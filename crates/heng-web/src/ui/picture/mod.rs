//! Pictures made of numbers. Each says in words what it shows, labels every mark directly, prints
//! in black and white, and has the same figures in a table underneath.
//!
//! Lengths are in per cent and type in pixels, so a picture is as wide as its column and its words
//! stay as large as the text around it. All geometry is done in integers.

mod funnel;
mod line;
mod money;
mod profile;
mod qr;
mod tiles;
mod trend;

use maud::{Markup, html};

pub use funnel::{Bar, funnel_svg};
pub use money::{MoneyPart, MoneyYear, money_svg};
pub use profile::{ProfileBar, profile_svg};
pub use qr::qr_svg;
pub use tiles::{Tile, tiles};
pub use trend::{Level, Point, trend_svg};

use super::{Column, Row, Text, table};

/// The words around a picture.
#[derive(Clone, Debug, Default)]
pub struct PictureWords<'a> {
    /// What is shown, as its heading and its name.
    pub title: Text<'a>,
    /// What one sees in it, in a sentence.
    pub desc: Text<'a>,
    /// The line that opens the table ("The figures as a table").
    pub table_summary: Text<'a>,
    /// The heads of the table's columns.
    pub heads: Vec<Text<'a>>,
}

/// A drawing with its words and its table.
fn figure(class: &str, words: &PictureWords<'_>, height: i64, drawing: &Markup, rows: &[Row<'_>]) -> Markup {
    let columns: Vec<Column<'_>> = words
        .heads
        .iter()
        .enumerate()
        .map(|(index, head)| Column { label: head.clone(), unit: None, number: index > 0 })
        .collect();
    html! {
        figure class={ "picture " (class) } {
            figcaption { (words.title) }
            svg width="100%" height=(height) role="img" {
                title { (words.title) }
                desc { (words.desc) }
                (drawing)
            }
            @if !rows.is_empty() {
                details.data {
                    summary { (words.table_summary) }
                    (table(&words.title, &columns, rows, &Markup::default()))
                }
            }
        }
    }
}

/// `part` of `whole` in per cent with two decimals, as SVG wants it.
fn percent(part: i64, whole: i64) -> String {
    if whole <= 0 {
        return "0%".to_owned();
    }
    let part = i128::from(part.clamp(0, whole));
    let hundredths = part * 10_000 / i128::from(whole);
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn lengths_stay_between_nothing_and_all() {
        assert_eq!(percent(1, 3), "33.33%");
        assert_eq!(percent(3, 3), "100.00%");
        assert_eq!(percent(9, 3), "100.00%");
        assert_eq!(percent(-1, 3), "0.00%");
        assert_eq!(percent(1, 0), "0%");
        assert_eq!(percent(i64::MAX, i64::MAX), "100.00%");
    }
}
