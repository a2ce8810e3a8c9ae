//! Tables of results (award-rules.md R8): the figures of an item with a small line for each indicator.

use heng_app::desk::results::{Indicator, Results, decimal, millionths};
use heng_app::desk::words;
use maud::{Markup, html};

use crate::ui::{self, Column, Level, PictureWords, Point, Row};
use crate::view::View;

/// The table as readers of a dossier see it, with its pictures.
pub(crate) fn shown(view: &View, table: &Results) -> Markup {
    let heads = ["indicator", "unit", "target", "benchmark"];
    let head = |key| Column::text(words("column", key, &[]).get(view.lang).to_owned());
    let mut columns: Vec<Column<'_>> = heads.map(head).to_vec();
    columns.extend(table.years.iter().map(|year| Column::number(year.to_string())));
    let dash = |text: &str| html! { @if text.is_empty() { "—" } @else { (text) } };
    let rows: Vec<Row<'_>> = table
        .rows
        .iter()
        .map(|row| {
            let said = [&row.indicator, &row.unit, &row.target, &row.benchmark];
            let values = table.years.iter().map(|year| dash(&sign(row.value(*year).unwrap_or_default())));
            Row::new(said.into_iter().map(|text| dash(text)).chain(values).collect())
        })
        .collect();
    html! {
        div.scroll tabindex="0" role="group" aria-label=(view.t("results_heading")) { (ui::table(&view.t("results_heading"), &columns, &rows, &html! {})) }
        (pictures(view, table))
    }
}

/// A small line for each indicator that has at least two values.
pub(crate) fn pictures(view: &View, table: &Results) -> Markup {
    let drawn = table.rows.iter().filter(|row| row.values.len() > 1);
    html! { div.trends { @for row in drawn { (picture(view, table, row)) } } }
}

fn picture(view: &View, table: &Results, row: &Indicator) -> Markup {
    let points: Vec<Point<'_>> = table
        .years
        .iter()
        .map(|year| Point {
            label: year.to_string().into(),
            value: row.value(*year).and_then(millionths),
            shown: sign(row.value(*year).unwrap_or_default()).into(),
        })
        .collect();
    // "≥99" is a level of 99; words are none.
    let level = |text: &str, key: &str, dashed: bool| {
        let plain = text.trim_start_matches(['≥', '≤', '>', '<', '＞', '＜', '＝', '=', '~', '≈']);
        let value = millionths(&decimal(plain)?)?;
        Some(Level { value, label: view.tp(key, &[("value", text)]).into(), dashed })
    };
    let levels: Vec<Level<'_>> =
        [level(&row.target, "trend_target", true), level(&row.benchmark, "trend_benchmark", false)]
            .into_iter()
            .flatten()
            .collect();
    let title = match row.unit.as_str() {
        "" => row.indicator.clone(),
        unit => view.tp("trend_of", &[("indicator", &row.indicator), ("unit", unit)]),
    };
    let around = PictureWords {
        title: title.into(),
        desc: view.t("trend_desc").into(),
        table_summary: view.t("as_table").into(),
        heads: vec![view.t("year").into(), view.t("results_value").into()],
    };
    ui::trend_svg(&around, &points, &levels)
}

/// A minus as it is printed.
fn sign(decimal: &str) -> String {
    decimal.replacen('-', "−", 1)
}
