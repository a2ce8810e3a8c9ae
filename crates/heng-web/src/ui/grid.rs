//! A table that is filled in: cells of a spreadsheet, which can be pasted into it.

use maud::{Markup, html};

use super::Text;
use super::form::Field;

/// The rows and columns of a [`FieldKind::Grid`](super::FieldKind::Grid).
#[derive(Clone, Debug, Default)]
pub struct Grid<'a> {
    /// Heads of the columns.
    pub columns: Vec<Text<'a>>,
    /// What is in the cells; rows that are too short are filled up.
    pub rows: Vec<Vec<Text<'a>>>,
    /// The first column that holds numbers; they stand at the right.
    pub numbers_from: usize,
    /// Most rows: a script adds rows up to it.
    pub most: usize,
    /// "Row {row}: {column}", the name of a cell.
    pub cell_name: Text<'a>,
    /// The button that adds a row.
    pub add: Text<'a>,
    /// "No more than {most} rows."
    pub full: Text<'a>,
    /// "{count} cells of what was pasted have no place."
    pub lost: Text<'a>,
}

/// The cells. All have the field's name: row by row they are one answer.
pub(super) fn grid(field: &Field<'_>, described: Option<&str>, grid: &Grid<'_>) -> Markup {
    let name =
        |row: usize, column: &str| grid.cell_name.replace("{row}", &(row + 1).to_string()).replace("{column}", column);
    html! {
        div.grid-scroll {
            table.grid role="table" data-most=(grid.most) data-add=(grid.add) data-full=(grid.full) data-lost=(grid.lost) data-cell=(grid.cell_name) aria-describedby=[described] {
                thead role="rowgroup" { tr role="row" {
                    @for (index, column) in grid.columns.iter().enumerate() {
                        th role="columnheader" scope="col" class=[(index >= grid.numbers_from).then_some("num")] { (column) }
                    }
                } }
                tbody role="rowgroup" {
                    @for (row, cells) in grid.rows.iter().enumerate() {
                        tr role="row" {
                            @for (index, column) in grid.columns.iter().enumerate() {
                                @let number = index >= grid.numbers_from;
                                td role="cell" data-label=(column) {
                                    input type="text" name=(field.name) autocomplete="off"
                                        id=[(row == 0 && index == 0).then_some(&field.id)]
                                        class=[number.then_some("num")]
                                        inputmode=[number.then_some("decimal")]
                                        aria-label=(name(row, column))
                                        aria-invalid=[field.error.as_ref().map(|_| "true")]
                                        value=(cells.get(index).map(AsRef::as_ref).unwrap_or_default());
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
