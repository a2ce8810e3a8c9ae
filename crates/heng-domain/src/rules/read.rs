//! Reading rules, criteria and calendars with errors that name file, place, key and what is wrong.

use serde::de::DeserializeOwned;

use super::{Problem, Rules};
use crate::calendar::Calendar;
use crate::criteria::Criteria;

/// A file of rules, criteria or a calendar that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// The text is not TOML, or a key is unknown, missing or of the wrong kind.
    #[error("{file}: {message}")]
    Syntax {
        /// File as the caller named it.
        file: String,
        /// Line, column, the line itself, and what is wrong.
        message: String,
    },
    /// The keys are right but do not fit together.
    #[error("{file}: {} problem(s)\n{}", problems.len(), problems.iter().map(|p| format!("  {p}")).collect::<Vec<_>>().join("\n"))]
    Unsound {
        /// File as the caller named it.
        file: String,
        /// All problems, in file order.
        problems: Vec<Problem>,
    },
}

fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, RulesError> {
    toml::from_str(text)
        .map_err(|error| RulesError::Syntax { file: file.to_owned(), message: error.to_string().trim_end().to_owned() })
}

fn sound<T>(file: &str, value: T, problems: Vec<Problem>) -> Result<T, RulesError> {
    if problems.is_empty() { Ok(value) } else { Err(RulesError::Unsound { file: file.to_owned(), problems }) }
}

/// Reads and checks a rules file (TOML). `file` is only used in messages.
pub fn read_rules(file: &str, text: &str) -> Result<Rules, RulesError> {
    let rules: Rules = read(file, text)?;
    let problems = rules.problems();
    sound(file, rules, problems)
}

/// Reads and checks a criteria tree (TOML).
pub fn read_criteria(file: &str, text: &str) -> Result<Criteria, RulesError> {
    let criteria: Criteria = read(file, text)?;
    let problems = criteria.problems();
    sound(file, criteria, problems)
}

/// Reads and checks a calendar (TOML).
pub fn read_calendar(file: &str, text: &str) -> Result<Calendar, RulesError> {
    let calendar: Calendar = read(file, text)?;
    let problems = calendar.problems();
    sound(file, calendar, problems)
}
