//! Tables of results (award-rules.md R8): for an item some indicators, each with unit, target, benchmark and a value for
//! every year. What is typed or pasted from a spreadsheet is read kindly; what is kept has one written form.

use std::collections::BTreeMap;

use heng_domain::text::Text;
use serde::{Deserialize, Serialize};

use super::field::{Field, Kind, Wrong, digits, same, words};

/// Most indicators of one item.
const ROWS: usize = 20;
/// Most characters of a cell that holds words.
const WORDS: usize = 60;
/// Columns before the years.
const HEADS: [&str; 4] = ["indicator", "unit", "target", "benchmark"];
/// Decimals of a value.
const DECIMALS: usize = 6;
/// Digits of a value before the point.
const DIGITS: usize = 12;

/// The results of one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// One row for each indicator.
    pub rows: Vec<Indicator>,
    /// Random bytes in hex beside a table that is a business secret, so that nobody guesses it from its hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// The years, oldest first.
    pub years: Vec<u32>,
}

/// One indicator over the years.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    /// A competitor's or the industry's value, or words.
    pub benchmark: String,
    /// What is measured.
    pub indicator: String,
    /// The own aim, or words.
    pub target: String,
    /// Unit.
    pub unit: String,
    /// Decimals of the years that have one.
    pub values: BTreeMap<u32, String>,
}

impl Indicator {
    /// The decimal of a year, if it has one.
    pub fn value(&self, year: u32) -> Option<&str> {
        self.values.get(&year).map(String::as_str)
    }
}

/// A decimal as people write it, in its one form: thousands separators, full-width digits, per-cent signs, and any sort of
/// minus are understood; `None` if it is no number.
pub fn decimal(text: &str) -> Option<String> {
    let mut plain = digits(text, &['%', '‰']);
    // An accountant's minus.
    if let Some(inner) = plain.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        plain = format!("-{inner}");
    }
    let (sign, number) = match plain.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !number(whole) || !number(part) || (whole.is_empty() && part.is_empty()) {
        return None;
    }
    let (whole, part) = (whole.trim_start_matches('0'), part.trim_end_matches('0'));
    if whole.len() > DIGITS || part.len() > DECIMALS {
        return None;
    }
    let whole = if whole.is_empty() { "0" } else { whole };
    let zero = whole == "0" && part.is_empty();
    let sign = if zero { "" } else { sign };
    Some(if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") })
}

/// A decimal in millionths, for pictures.
pub fn millionths(decimal: &str) -> Option<i64> {
    let (sign, digits) = match decimal.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, decimal),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part: i64 = format!("{part:0<DECIMALS$}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(part)?.checked_mul(sign)
}

/// What people write where there is no value.
fn is_missing(cell: &str) -> bool {
    matches!(cell.trim(), "" | "-" | "－" | "—" | "——" | "–" | "−" | "/" | "／" | "无" | "…" | "N/A" | "n/a")
}

/// The question for the results of an item, as a table that may stay empty.
pub(super) fn field(item: &str, label: Text, years: &[u32]) -> Field {
    let heads = HEADS.iter().map(|key| words("column", key, &[]));
    let columns = heads.chain(years.iter().map(same)).collect();
    Field::labelled(&format!("results:{item}"), "item_results", Kind::Table { columns, most: ROWS })
        .label(label)
        .optional()
}

/// The years of a table of results, from its question; `None` for every other question.
fn years_of(field: &Field) -> Option<Vec<u32>> {
    let Kind::Table { columns, .. } = &field.kind else { return None };
    field.name.strip_prefix("results:")?;
    columns.iter().skip(HEADS.len()).map(|column| column.zh.parse().ok()).collect()
}

/// What is typed so far, as far as it can be read: for the pictures beside the form and the list of missing years.
pub fn typed(field: &Field, text: &str) -> Option<Results> {
    let years = years_of(field)?;
    let rows = text.lines().filter(|line| !line.trim().is_empty()).map(|line| {
        let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
        let cell = |index: usize| cells.get(index).copied().unwrap_or_default().to_owned();
        let value = |(index, year): (usize, &u32)| Some((*year, decimal(&cell(HEADS.len() + index))?));
        let values = years.iter().enumerate().filter_map(value).collect();
        Indicator { indicator: cell(0), unit: cell(1), target: cell(2), benchmark: cell(3), values }
    });
    let rows: Vec<Indicator> = rows.collect();
    (!rows.is_empty()).then_some(Results { rows, years, salt: None })
}

impl Results {
    /// Reads the rows of an answer; the first wrong cell is named with its row and column.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn read(name: &str, rows: &[Vec<String>], years: &[u32]) -> Result<Option<Results>, Wrong> {
        let mut out = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let cell = |column: usize| row.get(column).map_or("", |cell| cell.trim());
            let wrong = |column: usize| Wrong::new(name, "cell").with("row", index + 1).with("column", column + 1);
            let said = |column: usize| match cell(column) {
                text if text.chars().count() > WORDS => {
                    Err(Wrong { code: "cell_long".to_owned(), ..wrong(column) }.with("most", WORDS))
                }
                text => Ok(text.to_owned()),
            };
            if cell(0).is_empty() {
                return Err(Wrong { code: "cell_empty".to_owned(), ..wrong(0) });
            }
            let mut values = BTreeMap::new();
            for (index, year) in years.iter().enumerate() {
                let column = HEADS.len() + index;
                let text = cell(column);
                if !is_missing(text) {
                    values.insert(*year, decimal(text).ok_or_else(|| wrong(column))?);
                }
            }
            let per_cent = (0..years.len()).any(|i| cell(HEADS.len() + i).contains(['%', '％']));
            let unit = said(1)?;
            let unit = if unit.is_empty() && per_cent { "%".to_owned() } else { unit };
            out.push(Indicator { indicator: said(0)?, unit, target: said(2)?, benchmark: said(3)?, values });
        }
        Ok((!out.is_empty()).then(|| Results { rows: out, years: years.to_vec(), salt: None }))
    }

    /// Every year without a value: row (from 1), indicator, year.
    pub fn missing(&self) -> Vec<(usize, &str, u32)> {
        let rows = self.rows.iter().enumerate();
        let gaps = rows.flat_map(|(index, row)| {
            let years = self.years.iter().filter(|year| row.value(**year).is_none());
            years.map(move |year| (index + 1, row.indicator.as_str(), *year))
        });
        gaps.collect()
    }

    /// The bytes that the record's hash stands for: canonical JSON.
    ///
    /// # Errors
    /// Never for tables that were read.
    pub fn to_bytes(&self) -> crate::Result<Vec<u8>> {
        let broken = |error: String| crate::AppError::Other(error);
        let value = serde_json::to_value(self).map_err(|error| broken(error.to_string()))?;
        heng_log::canonical::to_bytes(&value).map_err(|error| broken(error.to_string()))
    }

    /// Reads what [`Results::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Option<Results> {
        serde_json::from_slice(bytes).ok()
    }

    /// The table as the form of an edition with these years holds it: values stay with their years.
    pub(super) fn to_cells(&self, years: &[u32]) -> String {
        let line = |row: &Indicator| {
            let values = years.iter().map(|year| row.value(*year).unwrap_or_default());
            let heads = [&row.indicator, &row.unit, &row.target, &row.benchmark];
            heads.into_iter().map(String::as_str).chain(values).collect::<Vec<_>>().join("\t")
        };
        self.rows.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_spreadsheets_and_people_write_them() {
        let cases = [
            ("1,234.50", "1234.5"),
            ("１，２３４．５", "1234.5"),
            ("98.5%", "98.5"),
            ("９８．５％", "98.5"),
            ("−3.2", "-3.2"),
            ("－3.2", "-3.2"),
            ("–3.2", "-3.2"),
            ("(3.2)", "-3.2"),
            ("（3.2）", "-3.2"),
            ("+7", "7"),
            ("1 234", "1234"),
            ("1\u{a0}234", "1234"),
            ("007", "7"),
            (".5", "0.5"),
            ("-0.0", "0"),
            ("0", "0"),
        ];
        for (typed, kept) in cases {
            assert_eq!(decimal(typed).as_deref(), Some(kept), "{typed}");
            assert_eq!(decimal(kept).as_deref(), Some(kept), "the written form stays as it is");
        }
        for typed in ["", ".", "-", "abc", "1.2.3", "1e5", "十", "--3", "1234567890123", "0.1234567"] {
            assert_eq!(decimal(typed), None, "{typed}");
        }
        assert_eq!(millionths("-3.2"), Some(-3_200_000));
        assert_eq!(millionths("999999999999.999999"), Some(999_999_999_999_999_999));
    }

    fn rows(text: &str) -> Vec<Vec<String>> {
        text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
    }

    #[test]
    fn a_pasted_table_is_read_and_its_gaps_are_named() {
        let pasted = "一次交验合格率\t\t≥99\t98.2\t98.1%\t—\t99.0%\n单位能耗\t吨标煤/万元\t0.30\t\t0.41\t0.38\t";
        let years = [2023, 2024, 2025];
        let found = Results::read("results:4.7.1", &rows(pasted), &years).unwrap().unwrap();
        assert_eq!(found.rows[0].unit, "%");
        assert_eq!(found.rows[0].values, BTreeMap::from([(2023, "98.1".to_owned()), (2025, "99".to_owned())]));
        assert_eq!(found.missing(), [(1, "一次交验合格率", 2024), (2, "单位能耗", 2025)]);
        assert_eq!(Results::from_bytes(&found.to_bytes().unwrap()), Some(found.clone()));
        // A year later the form asks for other years: values stay with theirs.
        assert_eq!(found.to_cells(&[2024, 2025, 2026]).lines().next().unwrap(), "一次交验合格率\t%\t≥99\t98.2\t\t99\t");
        assert_eq!(Results::read("x", &[], &years), Ok(None));
    }

    #[test]
    fn a_wrong_cell_is_named_with_its_place() {
        let wrong = Results::read("results:4.7.1", &rows("合格率\t%\t\t\t98\tabout 99\t99"), &[2023, 2024, 2025]);
        let wrong = wrong.unwrap_err();
        assert_eq!((wrong.params["row"].as_str(), wrong.params["column"].as_str()), ("1", "6"));
        assert!(Results::read("x", &rows("\t%\t\t\t98\t98\t99"), &[2023, 2024, 2025]).is_err(), "no name");
    }
}
