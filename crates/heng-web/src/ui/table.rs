//! Tables that become labelled blocks on a phone.

use maud::{Markup, html};

use super::{Link, Text};

/// A column: its head, its unit, and whether it holds numbers.
#[derive(Clone, Debug, Default)]
pub struct Column<'a> {
    /// The head.
    pub label: Text<'a>,
    /// The unit, shown in the head so that the cells hold figures only.
    pub unit: Option<Text<'a>>,
    /// Numbers stand at the right.
    pub number: bool,
}

impl<'a> Column<'a> {
    /// A column of words.
    pub fn text(label: impl Into<Text<'a>>) -> Self {
        Self { label: label.into(), unit: None, number: false }
    }

    /// A column of numbers without a unit.
    pub fn number(label: impl Into<Text<'a>>) -> Self {
        Self { number: true, ..Self::text(label) }
    }

    /// A column of numbers with its unit.
    pub fn measured(label: impl Into<Text<'a>>, unit: impl Into<Text<'a>>) -> Self {
        Self { unit: Some(unit.into()), ..Self::number(label) }
    }
}

/// A row; its first cell names it.
#[derive(Clone, Debug, Default)]
pub struct Row<'a> {
    /// The cells, as many as there are columns.
    pub cells: Vec<Markup>,
    /// Where the whole row leads.
    pub href: Option<Text<'a>>,
}

impl<'a> Row<'a> {
    /// A row that leads nowhere.
    #[must_use]
    pub fn new(cells: Vec<Markup>) -> Self {
        Self { cells, href: None }
    }

    /// A row that is a link.
    pub fn link(href: impl Into<Text<'a>>, cells: Vec<Markup>) -> Self {
        Self { cells, href: Some(href.into()) }
    }
}

/// A table, or what would fill it (see [`empty_state`](super::empty_state)) when there is no row.
///
/// The roles are spelt out because some browsers forget them when the style sheet turns a row into
/// a block.
#[must_use]
pub fn table(caption: &str, columns: &[Column<'_>], rows: &[Row<'_>], empty: &Markup) -> Markup {
    if rows.is_empty() {
        return empty.clone();
    }
    html! {
        table role="table" {
            caption { (caption) }
            thead role="rowgroup" {
                tr role="row" {
                    @for column in columns {
                        th role="columnheader" scope="col" class=[column.number.then_some("num")] {
                            (column.label)
                            @if let Some(unit) = &column.unit { " " span.unit { (unit) } }
                        }
                    }
                }
            }
            tbody role="rowgroup" {
                @for row in rows { (body_row(columns, row)) }
            }
        }
    }
}

fn body_row(columns: &[Column<'_>], row: &Row<'_>) -> Markup {
    html! {
        tr role="row" class=[row.href.as_ref().map(|_| "linked")] {
            @for (index, (column, cell)) in columns.iter().zip(&row.cells).enumerate() {
                @if index == 0 {
                    th role="rowheader" scope="row" class=[column.number.then_some("num")] {
                        @if let Some(href) = &row.href { a href=(href) { (cell) } } @else { (cell) }
                    }
                } @else {
                    td role="cell" data-label=(block_label(column)) class=[column.number.then_some("num")] {
                        (cell)
                    }
                }
            }
        }
    }
}

fn block_label(column: &Column<'_>) -> String {
    match &column.unit {
        Some(unit) => format!("{} ({unit})", column.label),
        None => column.label.to_string(),
    }
}

/// Filters as a sentence: "21 applications · manufacturing · not yet checked".
///
/// Each part that was chosen leads to the list without it; `change` leads to all the choices.
#[must_use]
pub fn filter_line(count: &str, chosen: &[Link<'_>], change: Option<&Link<'_>>) -> Markup {
    html! {
        p.filter {
            span.filter-count { (count) }
            @for part in chosen {
                " · " a.filter-part href=(part.href) { (part.label) }
            }
            @if let Some(change) = change {
                " " a.filter-change href=(change.href) { (change.label) }
            }
        }
    }
}
