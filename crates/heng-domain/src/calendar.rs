//! Working days: weekends, public holidays and make-up days (调休) as data of each year.
//!
//! The State Council publishes the arrangement once a year. A notice of five working days over National Day
//! must end on the right date (award-rules.md R44), and a year that is not published yet is refused rather than guessed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

use crate::rules::{DayKind, Problem};
use crate::text::Text;

/// The arrangement of one year.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Year {
    /// Document that publishes it.
    pub basis: String,
    /// Weekdays that are free.
    pub holidays: BTreeSet<Date>,
    /// Saturdays and Sundays that are worked.
    pub workdays: BTreeSet<Date>,
}

/// A calendar: the years that are published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Version of this file format: 1.
    pub format: u32,
    /// Identifier, e.g. `cn`.
    pub id: String,
    /// Name.
    pub name: Text,
    /// Years by number, e.g. `2026`.
    pub years: BTreeMap<String, Year>,
}

/// The calendar has no data for this year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the calendar has no holidays for {0}: add the year's arrangement before counting working days in it")]
pub struct UnknownYear(pub i16);

impl Calendar {
    /// Whether people work on `date`.
    pub fn is_working(&self, date: Date) -> Result<bool, UnknownYear> {
        let year = self.years.get(&date.year().to_string()).ok_or(UnknownYear(date.year()))?;
        let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        Ok(if weekend { year.workdays.contains(&date) } else { !year.holidays.contains(&date) })
    }

    /// Last day of a window of `days` that begins on the day after `start`.
    ///
    /// The day of publication does not count (General Principles: a period given in days begins on the next day).
    /// A calendar-day window that would end on a day off ends there all the same.
    pub fn window_end(&self, start: Date, days: u32, kind: DayKind) -> Result<Date, UnknownYear> {
        let mut date = start;
        let mut left = days;
        while left > 0 {
            date = date.tomorrow().map_err(|_| UnknownYear(date.year()))?;
            if kind == DayKind::Calendar || self.is_working(date)? {
                left -= 1;
            }
        }
        Ok(date)
    }

    /// Everything that is wrong; empty if it is sound.
    pub fn problems(&self) -> Vec<Problem> {
        let mut out = Vec::new();
        if self.format != 1 {
            out.push(Problem::new("format", "format", &[("found", &self.format)]));
        }
        for (number, year) in &self.years {
            let mut day = |key: &str, date: &Date, weekend_wanted: bool| {
                let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
                if date.year().to_string() != *number {
                    out.push(Problem::new(
                        format!("years.{number}.{key}"),
                        "year",
                        &[("date", date), ("year", number)],
                    ));
                } else if weekend_wanted && !weekend {
                    out.push(Problem::new(format!("years.{number}.{key}"), "weekend", &[("date", date)]));
                }
            };
            year.holidays.iter().for_each(|date| day("holidays", date, false));
            year.workdays.iter().for_each(|date| day("workdays", date, true));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::rules::read_calendar;
    use jiff::civil::date;

    fn china() -> Calendar {
        read_calendar("cn.toml", include_str!("../../../data/calendars/cn.toml")).unwrap()
    }

    /// R44: five working days over National Day give the right date.
    #[test]
    fn five_working_days_over_national_day() {
        let calendar = china();
        // 2025: 28 September is worked, 1 to 8 October are free, 11 October is worked.
        let end = |start| calendar.window_end(start, 5, DayKind::Working).unwrap();
        assert_eq!(end(date(2025, 9, 29)), date(2025, 10, 13), "30 Sep, 9, 10, 11, 13 Oct");
        assert_eq!(end(date(2026, 9, 28)), date(2026, 10, 10), "29, 30 Sep, 8, 9, 10 Oct");
        assert_eq!(calendar.window_end(date(2025, 9, 29), 7, DayKind::Calendar).unwrap(), date(2025, 10, 6));
    }

    #[test]
    fn weekends_holidays_and_make_up_days() {
        let calendar = china();
        assert!(!calendar.is_working(date(2026, 2, 16)).unwrap(), "a Monday in Spring Festival");
        assert!(calendar.is_working(date(2026, 2, 14)).unwrap(), "a Saturday that is worked");
        assert!(!calendar.is_working(date(2026, 2, 7)).unwrap(), "a Saturday");
        assert!(calendar.is_working(date(2026, 2, 6)).unwrap(), "a Friday");
    }

    #[test]
    fn a_year_that_is_not_published_is_refused_not_guessed() {
        assert_eq!(china().window_end(date(2026, 12, 30), 5, DayKind::Working), Err(UnknownYear(2027)));
        assert_eq!(china().window_end(date(2026, 12, 30), 5, DayKind::Calendar).unwrap(), date(2027, 1, 4));
    }
}
