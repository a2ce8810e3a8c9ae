//! The profile: how an application did in each category of the criteria.

use maud::{Markup, html};

use super::line::heading;
use super::{PictureWords, figure, percent};
use crate::ui::{Row, Text};

/// One category, in the order of the standard.
#[derive(Clone, Debug, Default)]
pub struct ProfileBar<'a> {
    /// The category's name, with its number.
    pub label: Text<'a>,
    /// Points scored, in hundredths of a point.
    pub scored_hundredths: i64,
    /// Points that can be had.
    pub points_max: i64,
    /// The mean of the field, in hundredths of a point.
    pub mean_hundredths: Option<i64>,
}

/// The thickest bar, in pixels: the category with the most points.
const THICKEST: i64 = 28;

/// Bars whose length is the share scored and whose height is the category's weight, so that the
/// area is the points. The field's mean is a stroke across the bar; `mean_label` names it.
#[must_use]
pub fn profile_svg(words: &PictureWords<'_>, mean_label: &str, bars: &[ProfileBar<'_>]) -> Markup {
    let most = bars.iter().map(|bar| bar.points_max).max().unwrap_or(1).max(1);
    let mut top = 0;
    let drawing = html! {
        @for bar in bars {
            @let all = bar.points_max.saturating_mul(100);
            @let thick = (bar.points_max.saturating_mul(THICKEST) / most).clamp(4, THICKEST);
            @let (value, value_width) = value(bar, mean_label);
            @let (head, y) = heading(top, &bar.label, &value, value_width);
            (head)
            rect.track x="0" y=(y) width="100%" height=(thick) {}
            rect.bar.own x="0" y=(y) width=(percent(bar.scored_hundredths, all)) height=(thick) {}
            @if let Some(mean) = bar.mean_hundredths {
                @let at = percent(mean, all);
                line.mean-edge x1=(at) x2=(at) y1=(y - 3) y2=(y + thick + 3) {}
                line.mean x1=(at) x2=(at) y1=(y - 3) y2=(y + thick + 3) {}
            }
            @let () = { top = y + thick + 16; };
        }
    };
    let rows: Vec<Row<'_>> = bars.iter().map(row).collect();
    figure("profile", words, top, &drawing, &rows)
}

/// "86.5 / 110 · mean 78.2" and its width. The mean's words are left out of the width, because a
/// phone leaves them out of the picture; its stroke stays.
fn value(bar: &ProfileBar<'_>, mean_label: &str) -> (Markup, usize) {
    let scored = points(bar.scored_hundredths);
    let max = bar.points_max.to_string();
    let words = html! {
        tspan.strong { (scored) } " / " (max)
        @if let Some(mean) = bar.mean_hundredths {
            tspan.mean-text { " · " (mean_label) " " (points(mean)) }
        }
    };
    (words, scored.len() + max.len() + 3)
}

fn row<'a>(bar: &ProfileBar<'_>) -> Row<'a> {
    let mut cells = vec![html! { (bar.label) }, html! { (points(bar.scored_hundredths)) }, html! { (bar.points_max) }];
    if let Some(mean) = bar.mean_hundredths {
        cells.push(html! { (points(mean)) });
    }
    Row::new(cells)
}

/// Hundredths as points, without needless zeros: `8650` is `86.5`.
fn points(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "−" } else { "" };
    let (whole, rest) = (hundredths.unsigned_abs() / 100, hundredths.unsigned_abs() % 100);
    match rest {
        0 => format!("{sign}{whole}"),
        tens if tens % 10 == 0 => format!("{sign}{whole}.{}", tens / 10),
        _ => format!("{sign}{whole}.{rest:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::points;

    #[test]
    fn points_are_written_without_needless_zeros() {
        assert_eq!(points(8650), "86.5");
        assert_eq!(points(8600), "86");
        assert_eq!(points(8605), "86.05");
        assert_eq!(points(5), "0.05");
        assert_eq!(points(-150), "−1.5");
    }
}
