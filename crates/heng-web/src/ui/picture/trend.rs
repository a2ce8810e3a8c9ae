//! The trend of one indicator: a value for each year, with target and benchmark where they are numbers.

use maud::{Markup, html};

use super::{PictureWords, figure};
use crate::ui::{Row, Text};

/// A value of the trend, in any fixed unit, and as it is shown.
#[derive(Clone, Debug, Default)]
pub struct Point<'a> {
    /// The year.
    pub label: Text<'a>,
    /// The value; `None` where there is none: the line is broken there.
    pub value: Option<i64>,
    /// The value as it was written.
    pub shown: Text<'a>,
}

/// A level to compare with.
#[derive(Clone, Debug, Default)]
pub struct Level<'a> {
    /// Its value.
    pub value: i64,
    /// What it is, with its value: "target 99".
    pub label: Text<'a>,
    /// Long dashes; otherwise dots.
    pub dashed: bool,
}

/// Height of the field in which the line runs.
const HEIGHT: i64 = 88;
/// Room above it for the value of the highest point.
const TOP: i64 = 26;
/// Room below it for the years.
const BELOW: i64 = 26;
/// A line for each level below the years.
const LEADING: i64 = 22;

/// A small line. It does not begin at zero where that would flatten it, and then `words.desc` has to say so.
#[must_use]
pub fn trend_svg(words: &PictureWords<'_>, points: &[Point<'_>], levels: &[Level<'_>]) -> Markup {
    let values = points.iter().filter_map(|p| p.value).chain(levels.iter().map(|l| l.value));
    let (low, high) = values.fold((i64::MAX, i64::MIN), |(low, high), v| (low.min(v), high.max(v)));
    let y = |value: i64| TOP + HEIGHT - place(value, low, high);
    let x = |index: usize| at(index, points.len());
    let years = TOP + HEIGHT + BELOW;
    let drawing = html! {
        line.rail x1="0" x2="100%" y1=(TOP + HEIGHT + 6) y2=(TOP + HEIGHT + 6) {}
        @for level in levels {
            line class=(if level.dashed { "level dashed" } else { "level" }) x1="0" x2="100%" y1=(y(level.value)) y2=(y(level.value)) {}
        }
        @for (index, pair) in points.windows(2).enumerate() {
            @if let [Point { value: Some(a), .. }, Point { value: Some(b), .. }] = pair {
                line.trend x1=(x(index)) x2=(x(index + 1)) y1=(y(*a)) y2=(y(*b)) {}
            }
        }
        @for (index, point) in points.iter().enumerate() {
            @if let Some(value) = point.value {
                circle.dot cx=(x(index)) cy=(y(value)) r="4" {}
                text.point x=(x(index)) y=(y(value) - 10) { (point.shown) }
            }
            text.point.year x=(x(index)) y=(years) { (point.label) }
        }
        @for (line, level) in (1..).zip(levels) {
            @let base = years + LEADING * line;
            line class=(if level.dashed { "level dashed" } else { "level" }) x1="0" x2="28" y1=(base - 5) y2=(base - 5) {}
            text.under x="36" y=(base) { (level.label) }
        }
    };
    let rows: Vec<Row<'_>> = points
        .iter()
        .map(|p| Row::new(vec![html! { (p.label) }, html! { @if p.value.is_some() { (p.shown) } @else { "—" } }]))
        .collect();
    let legend = LEADING * i64::try_from(levels.len()).unwrap_or(0);
    figure("trend", words, years + 6 + legend, &drawing, &rows)
}

/// Where a value stands, in pixels above the foot of the field.
fn place(value: i64, low: i64, high: i64) -> i64 {
    let span = i128::from(high) - i128::from(low);
    if span <= 0 {
        return HEIGHT / 2;
    }
    let part = (i128::from(value) - i128::from(low)) * i128::from(HEIGHT) / span;
    i64::try_from(part).unwrap_or(0)
}

/// Where a year stands: the middle of its share of the width.
fn at(index: usize, count: usize) -> String {
    let hundredths = (2 * index + 1) * 5000 / count.max(1);
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::{HEIGHT, at, place};

    #[test]
    fn the_lowest_is_at_the_foot_and_the_highest_at_the_top() {
        assert_eq!((place(-5, -5, 20), place(20, -5, 20)), (0, HEIGHT));
        assert_eq!(place(7, 7, 7), HEIGHT / 2, "what never changes runs in the middle");
        assert_eq!(place(i64::MAX, i64::MIN, i64::MAX), HEIGHT);
        assert_eq!((at(0, 3).as_str(), at(1, 3).as_str(), at(0, 1).as_str()), ("16.66%", "50.00%", "50.00%"));
    }
}
