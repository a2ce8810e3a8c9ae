//! What an applicant marks as a business secret (商业秘密): parts of its application that the office and the panel read and
//! nobody else does. The mark is part of the record, so every door asks the same question.

use std::fmt;

use heng_log::Hash;

use super::Edition;
use super::admit::Context;
use super::events::{ApplicationSubmitted, YearFigures};
use crate::refusal::{Verdict, ensure, refuse};

/// A part of an application that can be marked. Its text is the mark in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// The organisation profile: `profile`.
    Profile,
    /// The text of an item: `item:4.1.2`.
    Item(&'a str),
    /// The table of results of an item: `results:4.7.1`.
    Results(&'a str),
    /// One column of the yearly figures: `figures:profit_fen`.
    Figures(Column),
    /// A file: `file:<sha256>`.
    File(&'a Hash),
}

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Profile => f.write_str("profile"),
            Part::Item(item) => write!(f, "item:{item}"),
            Part::Results(item) => write!(f, "results:{item}"),
            Part::Figures(column) => write!(f, "figures:{}", column.key()),
            Part::File(sha256) => write!(f, "file:{sha256}"),
        }
    }
}

/// A column of the yearly figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Turnover.
    Revenue,
    /// Profit.
    Profit,
    /// Taxes paid.
    Tax,
    /// Staff.
    Employees,
}

impl Column {
    /// All, in the order of the form.
    pub const ALL: [Column; 4] = [Column::Revenue, Column::Profit, Column::Tax, Column::Employees];

    /// Name of its field in a record.
    pub fn key(self) -> &'static str {
        match self {
            Column::Revenue => "revenue_fen",
            Column::Profit => "profit_fen",
            Column::Tax => "tax_fen",
            Column::Employees => "employees",
        }
    }

    fn stands_in(self, row: &YearFigures) -> bool {
        match self {
            Column::Revenue => row.revenue_fen.is_some(),
            Column::Profit => row.profit_fen.is_some(),
            Column::Tax => row.tax_fen.is_some(),
            Column::Employees => row.employees.is_some(),
        }
    }
}

/// Where the figures are hidden that are marked.
pub const FIGURES: &str = "/figures";

/// The figures as they go into a record: what stands in clear, and the marked columns.
pub fn split_figures(all: &[YearFigures], marked: impl Fn(Column) -> bool) -> (Vec<YearFigures>, Vec<YearFigures>) {
    let keep = |row: &YearFigures, wanted: bool| {
        let take = |column: Column| marked(column) == wanted;
        YearFigures {
            employees: row.employees.filter(|_| take(Column::Employees)),
            profit_fen: row.profit_fen.filter(|_| take(Column::Profit)),
            revenue_fen: row.revenue_fen.filter(|_| take(Column::Revenue)),
            tax_fen: row.tax_fen.filter(|_| take(Column::Tax)),
            year: row.year,
        }
    };
    (all.iter().map(|row| keep(row, false)).collect(), all.iter().map(|row| keep(row, true)).collect())
}

impl ApplicationSubmitted {
    /// Whether the applicant has marked a part.
    pub fn is_secret(&self, part: Part<'_>) -> bool {
        // A scan shows whatever is marked elsewhere, and the contact person.
        if let (Part::File(sha256), Some(paper)) = (part, &self.paper)
            && paper.scan_sha256 == *sha256
        {
            return true;
        }
        let mark = part.to_string();
        self.secret.binary_search(&mark).is_ok()
    }

    /// Every part that this application has.
    pub fn parts(&self) -> Vec<Part<'_>> {
        let mut parts = vec![Part::Profile];
        parts.extend(Column::ALL.map(Part::Figures));
        for (item, own) in &self.self_evaluation {
            parts.push(Part::Item(item));
            parts.extend(own.results_sha256.is_some().then_some(Part::Results(item)));
        }
        parts.extend(self.attachments.iter().map(|file| Part::File(&file.sha256)));
        parts
    }
}

impl Edition {
    /// The yearly figures as `reader` may see them.
    pub fn figures_for(&self, reader: &str, application: &str) -> Vec<YearFigures> {
        let Some(found) = self.applications.get(application) else { return Vec::new() };
        let mut rows = found.body.figures.clone();
        let hidden = self.known_value(found.seq, FIGURES).filter(|_| self.reads_secrets(reader, application));
        let hidden: Vec<YearFigures> =
            hidden.and_then(|value| serde_json::from_value(value.clone()).ok()).unwrap_or_default();
        for (row, secret) in rows.iter_mut().zip(hidden) {
            row.employees = row.employees.or(secret.employees);
            row.profit_fen = row.profit_fen.or(secret.profit_fen);
            row.revenue_fen = row.revenue_fen.or(secret.revenue_fen);
            row.tax_fen = row.tax_fen.or(secret.tax_fen);
        }
        rows
    }

    /// Marks name parts that are there, each once; figures that are marked stand in the hidden field and nowhere else.
    pub(super) fn check_secrets(&self, cx: &Context<'_>, body: &ApplicationSubmitted, basis: &str) -> Verdict {
        let ascending = body.secret.windows(2).all(|pair| pair[0] < pair[1]);
        ensure!(ascending, "application.secret_order", basis);
        let parts: Vec<String> = body.parts().iter().map(Part::to_string).collect();
        if let Some(mark) = body.secret.iter().find(|mark| !parts.contains(mark)) {
            refuse!("application.secret_unknown", basis, part = mark);
        }
        let marked = |column: &Column| body.is_secret(Part::Figures(*column));
        for row in &body.figures {
            let odd = Column::ALL.into_iter().find(|column| column.stands_in(row) == marked(column));
            if let Some(column) = odd {
                refuse!("application.secret_figures", basis, year = row.year, column = column.key());
            }
        }
        let any = Column::ALL.iter().any(marked);
        let hidden = cx.record.hidden.contains_key(FIGURES);
        ensure!(hidden == any, "application.secret_hidden", basis);
        if let Some(value) = cx.values.get(FIGURES) {
            let rows: Vec<YearFigures> = serde_json::from_value(value.clone()).unwrap_or_default();
            let fits = rows.len() == body.figures.len()
                && rows.iter().zip(&body.figures).all(|(secret, clear)| {
                    let whole = Column::ALL.iter().all(|column| column.stands_in(secret) == marked(column));
                    secret.year == clear.year && whole
                });
            ensure!(fits, "application.secret_hidden", basis);
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::edition::testing::{edition, open, pledge_all};

    const FILE: Hash = Hash([7; 32]);

    /// The small edition with an application of which everything is marked.
    fn marked() -> Edition {
        let mut e = edition();
        let body = serde_json::json!({
            "application": "a:1",
            "attachments": [{"about": "4.1.1", "name": "f.pdf", "sha256": FILE, "size": 1}],
            "figures": [{"year": 2025}], "organisation": "o:1", "pledge": true, "profile_chars": 1,
            "profile_sha256": Hash([1; 32]),
            "self_evaluation": {"4.7.1": {"chars": 1, "percent": 50, "results_sha256": Hash([2; 32]), "sha256": Hash([3; 32])}},
        });
        let mut body: ApplicationSubmitted = serde_json::from_value(body).unwrap();
        body.secret = body.parts().iter().map(Part::to_string).collect();
        body.secret.sort();
        std::sync::Arc::make_mut(e.applications.get_mut("a:1").unwrap()).body = body;
        e
    }

    fn all_parts(e: &Edition, reader: &str) -> usize {
        let body = &e.applications["a:1"].body;
        body.parts().into_iter().filter(|part| e.may_read_part(reader, "a:1", *part)).count()
    }

    #[test]
    fn a_marked_part_is_for_the_office_the_panel_and_its_owner() {
        let mut e = marked();
        pledge_all(&mut e);
        for stage in ["recommendation", "committee", "approval"] {
            open(&mut e, stage);
        }
        let whole = e.applications["a:1"].body.parts().len();
        assert_eq!(whole, 8);
        for reader in ["p:1", "o:1", "x:01", "x:05"] {
            assert_eq!(all_parts(&e, reader), whole, "{reader}");
        }
        // They read the dossier, and of it nothing that is marked.
        for reader in ["p:3", "p:10", "p:20", "p:30"] {
            assert!(e.may_read(reader, "a:1"), "{reader}");
            assert_eq!(all_parts(&e, reader), 0, "{reader}");
        }
        for reader in ["o:2", "x:08", "p:40", "p:99", ""] {
            assert_eq!(all_parts(&e, reader), 0, "{reader}");
        }
        e.recusals.insert(("x:05".to_owned(), "a:1".to_owned()), "employer".to_owned());
        assert_eq!(all_parts(&e, "x:05"), 0, "a recused expert reads nothing");
    }

    #[test]
    fn what_is_not_marked_stays_open_to_every_reader() {
        let mut e = marked();
        std::sync::Arc::make_mut(e.applications.get_mut("a:1").unwrap()).body.secret = vec!["profile".to_owned()];
        open(&mut e, "recommendation");
        assert!(!e.may_read_part("p:20", "a:1", Part::Profile));
        assert!(e.may_read_part("p:20", "a:1", Part::Item("4.7.1")));
        assert!(e.may_read_part("p:20", "a:1", Part::File(&FILE)));
    }

    #[test]
    fn figures_are_parted_by_column_and_put_together_again() {
        let row = YearFigures {
            employees: Some(10),
            profit_fen: Some(-5),
            revenue_fen: Some(100),
            tax_fen: Some(7),
            year: 2025,
        };
        let (clear, secret) = split_figures(std::slice::from_ref(&row), |column| column == Column::Profit);
        assert_eq!((clear[0].profit_fen, clear[0].revenue_fen), (None, Some(100)));
        assert_eq!(secret, [YearFigures { profit_fen: Some(-5), year: 2025, ..YearFigures::default() }]);
    }
}
