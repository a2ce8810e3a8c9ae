//! Criteria trees and calendars that travel inside the program; an edition freezes its own copy.

use heng_domain::calendar::Calendar;
use heng_domain::criteria::Criteria;
use heng_domain::rules::{RulesError, read_calendar, read_criteria};

const CRITERIA: [(&str, &str); 2] = [
    ("gbt19580-2012", include_str!("../../../data/criteria/gbt19580-2012.toml")),
    ("baldrige-classic", include_str!("../../../data/criteria/baldrige-classic.toml")),
];
const CALENDARS: [(&str, &str); 1] = [("cn", include_str!("../../../data/calendars/cn.toml"))];

/// The criteria tree called `id`, if it travels along.
///
/// # Errors
/// If the file is broken, which a test would find before it ships.
pub fn criteria(id: &str) -> Result<Option<Criteria>, RulesError> {
    let file = CRITERIA.iter().find(|(name, _)| *name == id);
    file.map(|(name, text)| read_criteria(&format!("{name}.toml"), text)).transpose()
}

/// The calendar called `id`, if it travels along.
///
/// # Errors
/// As [`criteria`].
pub fn calendar(id: &str) -> Result<Option<Calendar>, RulesError> {
    let file = CALENDARS.iter().find(|(name, _)| *name == id);
    file.map(|(name, text)| read_calendar(&format!("{name}.toml"), text)).transpose()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    #[test]
    fn every_file_reads_and_has_the_name_it_is_asked_by() {
        for (id, _) in super::CRITERIA {
            assert_eq!(super::criteria(id).unwrap().unwrap().id, id);
        }
        for (id, _) in super::CALENDARS {
            assert_eq!(super::calendar(id).unwrap().unwrap().id, id);
        }
        assert!(super::criteria("unknown").unwrap().is_none());
    }
}
