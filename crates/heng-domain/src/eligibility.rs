//! Pre-review (初审): every condition decided from its facts by a rule of the rules file.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::rules::{Condition, ConditionKind};
use crate::time::{months_before, years_after};

/// What the checker found for one condition. Which fields are needed depends on the kind of condition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// `share`: how many of `whole`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<u64>,
    /// `share`: of how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<u64>,
    /// `count`: how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// `confirmed`: what the checker says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<bool>,
    /// `years`: since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Date>,
    /// `clear`: days of events that were found; empty if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<Date>>,
}

/// What the edition's register says about the applicant (cited from the office log).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// Days on which bans end that had begun; the applicant is barred up to and including them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub banned_until: Vec<Date>,
    /// Days on which honours of this programme were conferred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub honours: Vec<Date>,
}

/// The facts do not fit the condition: a field is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingFact(pub &'static str);

/// Decides `condition` on the `anchor` day.
///
/// Look-back: an event 37 months before the anchor passes a rule of 36 months, one 35 months before fails (R18);
/// exactly 36 months before passes, since the months are full.
pub fn decide(
    condition: &Condition,
    facts: &Facts,
    standing: &Standing,
    groups: &BTreeSet<String>,
    anchor: Date,
) -> Result<bool, MissingFact> {
    let at_least = u64::from(condition.at_least.unwrap_or(0));
    let years = condition.relief.as_ref().filter(|relief| groups.contains(&relief.group)).map(|relief| relief.years);
    let years = years.or(condition.years).unwrap_or(0);
    Ok(match condition.kind {
        ConditionKind::Share => {
            let part = facts.part.ok_or(MissingFact("part"))?;
            let whole = facts.whole.ok_or(MissingFact("whole"))?;
            whole > 0 && part <= whole && u128::from(part) * 100 >= u128::from(at_least) * u128::from(whole)
        }
        ConditionKind::Count => facts.count.ok_or(MissingFact("count"))? >= at_least,
        ConditionKind::Confirmed => facts.confirmed.ok_or(MissingFact("confirmed"))?,
        ConditionKind::Years => {
            years_after(facts.since.ok_or(MissingFact("since"))?, years).is_some_and(|day| day <= anchor)
        }
        ConditionKind::Clear => {
            let events = facts.events.as_ref().ok_or(MissingFact("events"))?;
            let limit = months_before(anchor, condition.months.unwrap_or(0));
            limit.is_some_and(|limit| events.iter().all(|day| *day <= limit))
        }
        ConditionKind::NoBan => standing.banned_until.iter().all(|day| *day < anchor),
        ConditionKind::CoolDown => {
            standing.honours.iter().all(|day| years_after(*day, years).is_some_and(|free| free <= anchor))
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::text::Text;
    use jiff::civil::date;

    fn condition(kind: ConditionKind, at_least: u32, months: u32, years: u32) -> Condition {
        Condition {
            id: "c".into(),
            name: Text::new("", ""),
            kind,
            basis: "test".into(),
            assumed: false,
            veto: false,
            at_least: Some(at_least),
            months: Some(months),
            years: Some(years),
            relief: None,
        }
    }

    fn check(condition: &Condition, facts: Facts) -> Result<bool, MissingFact> {
        decide(condition, &facts, &Standing::default(), &BTreeSet::new(), date(2026, 6, 30))
    }

    #[test]
    fn look_back_counts_full_months() {
        let rule = condition(ConditionKind::Clear, 0, 36, 0);
        let with = |day| check(&rule, Facts { events: Some(vec![day]), ..Facts::default() }).unwrap();
        assert!(with(date(2023, 5, 30)), "37 months before passes");
        assert!(with(date(2023, 6, 30)), "exactly 36 months before passes");
        assert!(!with(date(2023, 7, 30)), "35 months before fails");
    }

    #[test]
    fn all_staff_means_all() {
        let rule = condition(ConditionKind::Share, 100, 0, 0);
        let with =
            |part, whole| check(&rule, Facts { part: Some(part), whole: Some(whole), ..Facts::default() }).unwrap();
        assert!(with(350, 350));
        assert!(!with(349, 350));
        assert!(!with(0, 0), "a firm without staff has trained nobody");
        assert_eq!(check(&rule, Facts::default()), Err(MissingFact("part")));
    }

    #[test]
    fn years_have_relief_for_groups() {
        let mut rule = condition(ConditionKind::Years, 0, 0, 5);
        rule.relief = Some(crate::rules::Relief { group: "srdi".into(), years: 3 });
        let facts = Facts { since: Some(date(2022, 6, 30)), ..Facts::default() };
        let groups = BTreeSet::from(["srdi".to_owned()]);
        let anchor = date(2026, 6, 30);
        assert!(!decide(&rule, &facts, &Standing::default(), &BTreeSet::new(), anchor).unwrap());
        assert!(decide(&rule, &facts, &Standing::default(), &groups, anchor).unwrap());
    }

    #[test]
    fn bans_and_cool_downs_end() {
        let standing = Standing { banned_until: vec![date(2026, 6, 30)], honours: vec![date(2022, 6, 30)] };
        let ban = condition(ConditionKind::NoBan, 0, 0, 0);
        let cool = condition(ConditionKind::CoolDown, 0, 0, 4);
        let on = |rule: &Condition, day| decide(rule, &Facts::default(), &standing, &BTreeSet::new(), day).unwrap();
        assert!(!on(&ban, date(2026, 6, 30)));
        assert!(on(&ban, date(2026, 7, 1)));
        assert!(!on(&cool, date(2026, 6, 29)));
        assert!(on(&cool, date(2026, 6, 30)));
    }
}
