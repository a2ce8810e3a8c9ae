//! The tally of a motion: exact integers, independent of the order of ballots (verifiability.md §2.4).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::rules::{Base, Compare, PassRule};

/// What a member says about one option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vote {
    /// 赞成
    Yes,
    /// 反对
    No,
    /// 弃权
    Abstain,
}

/// The counted result of one option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// Abstentions.
    pub abstain: u32,
    /// What the fraction was taken of.
    pub base: u32,
    /// Against.
    pub no: u32,
    /// Whether the rule is met.
    pub passed: bool,
    /// Members present who may vote on this option.
    pub present: u32,
    /// Members of the roster who may vote on this option.
    pub roll: u32,
    /// In favour.
    pub yes: u32,
}

/// True if `part` of `base` meets the rule: `part × den` ≥ (or >) `num × base`. An empty base never passes.
pub fn meets(rule: &PassRule, part: u32, base: u32) -> bool {
    let left = u64::from(part) * u64::from(rule.den);
    let right = u64::from(rule.num) * u64::from(base);
    base > 0
        && match rule.cmp {
            Compare::Ge => left >= right,
            Compare::Gt => left > right,
        }
}

/// The least part of `base` that meets the rule: what a sentence says before anybody has voted.
pub fn least(rule: &PassRule, base: u32) -> u32 {
    let (den, right) = (u64::from(rule.den).max(1), u64::from(rule.num) * u64::from(base));
    let least = match rule.cmp {
        Compare::Ge => right.div_ceil(den),
        Compare::Gt => right / den + 1,
    };
    u32::try_from(least).unwrap_or(u32::MAX)
}

/// Counts one option from the votes of members; members not in `present` and the recused never count.
pub fn count(
    rule: &PassRule,
    roll: &BTreeSet<String>,
    present: &BTreeSet<String>,
    recused: &BTreeSet<String>,
    votes: &BTreeMap<String, Vote>,
) -> Count {
    let size = |set: &mut dyn Iterator<Item = &String>| u32::try_from(set.count()).unwrap_or(u32::MAX);
    let may_vote = |member: &&String| roll.contains(*member) && !recused.contains(*member);
    let valid = |wanted: Vote| {
        let mut members = votes
            .iter()
            .filter(|(member, vote)| **vote == wanted && present.contains(*member) && may_vote(member))
            .map(|(member, _)| member);
        size(&mut members)
    };
    let (yes, no, abstain) = (valid(Vote::Yes), valid(Vote::No), valid(Vote::Abstain));
    let roll_size = size(&mut roll.iter().filter(|m| !recused.contains(*m)));
    let present_size = size(&mut present.iter().filter(may_vote));
    from_numbers(rule, roll_size, present_size, yes, no, abstain)
}

/// Makes a [`Count`] from numbers, as a counted sheet gives them.
pub fn from_numbers(rule: &PassRule, roll: u32, present: u32, yes: u32, no: u32, abstain: u32) -> Count {
    let base = match rule.base {
        Base::Present => present,
        Base::Roll => roll,
        Base::Cast => yes + no + abstain,
        Base::YesNo => yes + no,
    };
    Count { abstain, base, no, passed: meets(rule, yes, base), present, roll, yes }
}

/// A candidate for a seat after the vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elected {
    /// Application.
    pub application: String,
    /// What orders first: votes or score.
    pub first: u64,
    /// What breaks ties: the composite score; `None` if a tie leaves the seat empty.
    pub second: Option<u64>,
}

/// Fills `seats` from those who passed; a tie for the last seat that nothing breaks leaves it empty.
pub fn fill(seats: usize, mut passed: Vec<Elected>) -> Vec<String> {
    passed.sort_by(|a, b| {
        b.first.cmp(&a.first).then(b.second.cmp(&a.second)).then_with(|| a.application.cmp(&b.application))
    });
    if let (Some(last), Some(next)) = (seats.checked_sub(1).and_then(|i| passed.get(i)), passed.get(seats)) {
        let cut = (last.first, last.second);
        if cut == (next.first, next.second) {
            passed.retain(|e| (e.first, e.second) > cut);
        }
    }
    passed.truncate(seats);
    passed.into_iter().map(|e| e.application).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(base: Base, num: u32, den: u32, cmp: Compare) -> PassRule {
        PassRule { base, num, den, cmp, basis: "test".into(), assumed: false }
    }

    fn names(range: std::ops::Range<u32>) -> BTreeSet<String> {
        range.map(|i| format!("m:{i:02}")).collect()
    }

    fn votes(yes: u32, no: u32, abstain: u32) -> BTreeMap<String, Vote> {
        let mut all = names(0..yes + no + abstain).into_iter();
        let mut out = BTreeMap::new();
        for (n, vote) in [(yes, Vote::Yes), (no, Vote::No), (abstain, Vote::Abstain)] {
            out.extend(all.by_ref().take(n as usize).map(|name| (name, vote)));
        }
        out
    }

    /// P26: 2/3 of 31 present: 21 passes, 20 fails; strict and not; base present, roll, cast, yes and no.
    #[test]
    fn two_thirds_of_thirty_one() {
        let roll = names(0..35);
        let present = names(0..31);
        let none = BTreeSet::new();
        let two_thirds = rule(Base::Present, 2, 3, Compare::Ge);
        assert!(count(&two_thirds, &roll, &present, &none, &votes(21, 10, 0)).passed);
        assert!(!count(&two_thirds, &roll, &present, &none, &votes(20, 11, 0)).passed);
        let of_roll = rule(Base::Roll, 2, 3, Compare::Ge);
        assert!(!count(&of_roll, &roll, &present, &none, &votes(21, 10, 0)).passed, "63 < 70");
        assert!(count(&of_roll, &roll, &present, &none, &votes(24, 7, 0)).passed, "72 ≥ 70");
        let strict = rule(Base::Present, 2, 3, Compare::Gt);
        let thirty = names(0..30);
        assert!(!count(&strict, &roll, &thirty, &none, &votes(20, 10, 0)).passed, "60 is not above 60");
        assert!(count(&two_thirds, &roll, &thirty, &none, &votes(20, 10, 0)).passed);
        let yes_no = rule(Base::YesNo, 2, 3, Compare::Ge);
        assert!(count(&yes_no, &roll, &present, &none, &votes(4, 2, 25)).passed);
        let cast = rule(Base::Cast, 2, 3, Compare::Ge);
        assert!(!count(&cast, &roll, &present, &none, &votes(4, 2, 25)).passed);
    }

    #[test]
    fn the_least_part_meets_the_rule_and_one_less_does_not() {
        for cmp in [Compare::Ge, Compare::Gt] {
            for (num, den) in [(1, 2), (2, 3), (3, 4), (1, 1)] {
                for base in 1..=40 {
                    let rule = rule(Base::Present, num, den, cmp);
                    let part = least(&rule, base);
                    assert!(meets(&rule, part, base) && !meets(&rule, part - 1, base), "{num}/{den} of {base}: {part}");
                }
            }
        }
    }

    #[test]
    fn the_recused_are_out_of_base_and_count() {
        let roll = names(0..31);
        let recused = BTreeSet::from(["m:00".to_owned()]);
        let c = count(&rule(Base::Present, 2, 3, Compare::Ge), &roll, &roll, &recused, &votes(23, 6, 2));
        assert_eq!(
            (c.present, c.base, c.yes, c.no, c.abstain),
            (30, 30, 22, 6, 2),
            "m:00 voted yes and is not counted"
        );
        assert!(c.passed, "22 × 3 = 66 ≥ 60");
    }

    #[test]
    fn an_empty_base_never_passes() {
        assert!(!meets(&rule(Base::Present, 0, 1, Compare::Ge), 0, 0));
    }

    #[test]
    fn a_tie_for_the_last_seat() {
        let e = |n: &str, first, second| Elected { application: n.into(), first, second };
        assert_eq!(fill(2, vec![e("a", 9, Some(1)), e("b", 5, Some(2)), e("c", 5, Some(3))]), ["a", "c"]);
        assert_eq!(fill(2, vec![e("a", 9, None), e("b", 5, None), e("c", 5, None)]), ["a"]);
        assert_eq!(fill(3, vec![e("b", 5, None), e("a", 9, None)]), ["a", "b"]);
    }
}
