//! Criteria trees and calendars that travel inside the program; an edition freezes its own copy.

use heng_domain::calendar::Calendar;
use heng_domain::criteria::Criteria;
use heng_domain::rules::leaves::{Leaf, leaves, with_leaves};
use heng_domain::rules::{Document, Rules, RulesError, read_calendar, read_criteria, read_rules};
use heng_domain::text::Text;

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

/// A process to begin with where a programme has no rules yet: the stages and conditions of a real city, every value
/// marked as assumed and without an article, so that nobody takes them for their own regulation.
pub fn model_rules() -> Option<Rules> {
    let mut rules = read_rules("model", include_str!("../../../data/programmes/zhumadian.toml")).ok()?;
    let open = || "—".to_owned();
    rules.version = "0".to_owned();
    rules.document =
        Document { title: Text::new(open(), open()), number: open(), issued: String::new(), source: open() };
    let assumed = |mut leaf: Leaf| {
        if leaf.basis.is_some() {
            leaf.basis = Some((open(), true));
        } else if leaf.key.ends_with("_basis") {
            leaf.value = open().into();
        } else if leaf.key.ends_with("_assumed") {
            leaf.value = true.into();
        }
        (leaf.path.clone(), leaf)
    };
    with_leaves(&rules, &leaves(&rules).into_iter().map(assumed).collect()).ok()
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

    #[test]
    fn the_model_is_sound_and_claims_no_article() {
        let rules = super::model_rules().unwrap();
        assert_eq!(rules.problems(), []);
        for leaf in super::leaves(&rules) {
            assert!(leaf.basis.is_none_or(|(basis, assumed)| basis == "—" && assumed), "{}", leaf.path);
        }
    }
}
