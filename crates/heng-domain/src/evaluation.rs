//! Evaluation: sheets of percentages, stage scores, the composite, the shortlist. Integers only.
//!
//! A score is counted in hundredths of a point of a full mark of 1000.00 points. Items multiply exactly
//! (`points × percent`); only averages are rounded, half up, once, at the end (award-rules.md R28).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::criteria::Criteria;
use crate::rules::{Aggregate, Rules, ScoringMethod, ShortlistRules, TieRule};

/// Percentages by item.
pub type Sheet = BTreeMap<String, u32>;

/// Full mark in hundredths: every stage's score is brought to it.
pub const FULL_MARK: u64 = 100_000;

/// `numerator ÷ denominator`, rounded half up.
pub fn round_half_up(numerator: u128, denominator: u128) -> u64 {
    let denominator = denominator.max(1);
    u64::try_from((2 * numerator + denominator) / (2 * denominator)).unwrap_or(u64::MAX)
}

/// Brings a total of `criteria` (in hundredths) to the full mark of 1000.00 points.
pub fn normalise(total: u64, criteria: &Criteria) -> u64 {
    round_half_up(u128::from(total) * u128::from(FULL_MARK), u128::from(criteria.total) * 100)
}

/// Mean or trimmed mean of totals; `None` for no sheets, or fewer than three where two are cut off.
pub fn mean(totals: &[u64], aggregate: Aggregate) -> Option<u64> {
    let mut sorted = totals.to_vec();
    sorted.sort_unstable();
    let kept: &[u64] = match aggregate {
        Aggregate::TrimmedMean if sorted.len() < 3 => return None,
        Aggregate::TrimmedMean => sorted.get(1..sorted.len() - 1)?,
        Aggregate::Mean | Aggregate::Consensus => &sorted,
    };
    let count = u128::try_from(kept.len()).ok().filter(|n| *n > 0)?;
    Some(round_half_up(kept.iter().map(|t| u128::from(*t)).sum(), count))
}

/// A judge's mark of 0–100, brought to the full mark.
pub fn direct(mark: u32) -> u64 {
    u64::from(mark) * FULL_MARK / 100
}

/// Counted answers, brought to the full mark; `None` if nobody was asked.
pub fn counted(satisfied: u64, asked: u64) -> Option<u64> {
    (asked > 0 && satisfied <= asked)
        .then(|| round_half_up(u128::from(satisfied) * u128::from(FULL_MARK), u128::from(asked)))
}

/// The composite of the stage scores that exist: `Σ weight × score ÷ Σ weight`, rounded half up.
///
/// Stages of weight 0 do not count, except when nothing else has been scored yet.
pub fn composite(rules: &Rules, scores: &BTreeMap<String, u64>) -> Option<u64> {
    let parts: Vec<(u128, u128)> = rules
        .stages
        .iter()
        .filter_map(|stage| Some((stage.scoring.as_ref()?.weight.value, scores.get(&stage.id)?)))
        .map(|(weight, score)| (u128::from(weight), u128::from(*score)))
        .collect();
    let weight: u128 = parts.iter().map(|(weight, _)| weight).sum();
    if weight == 0 {
        return parts.last().and_then(|(_, score)| u64::try_from(*score).ok());
    }
    Some(round_half_up(parts.iter().map(|(weight, score)| weight * score).sum(), weight))
}

/// Range of percentages of each item over a panel's sheets: what consensus begins with.
pub fn spread(sheets: &[&Sheet]) -> BTreeMap<String, u32> {
    let mut range: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for (item, percent) in sheets.iter().flat_map(|sheet| sheet.iter()) {
        let entry = range.entry(item).or_insert((*percent, *percent));
        *entry = (entry.0.min(*percent), entry.1.max(*percent));
    }
    range.into_iter().map(|(item, (low, high))| (item.to_owned(), high - low)).collect()
}

/// A candidate of a shortlist or a ranking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Application.
    pub application: String,
    /// Composite score in hundredths.
    pub score: u64,
    /// Score of the result items in hundredths; breaks ties where the rules say so.
    pub results: u64,
}

/// Orders candidates: higher score first, then the number of the application, so that the order is always the same.
pub fn ranked(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.application.cmp(&b.application)));
    candidates
}

/// How many seats the shortlist has: `⌈seats × num ÷ den⌉`.
pub fn shortlist_seats(rule: &ShortlistRules, seats: u32) -> usize {
    let num = u64::from(seats) * u64::from(rule.num.value);
    usize::try_from(num.div_ceil(u64::from(rule.den.value.max(1)))).unwrap_or(usize::MAX)
}

/// Applies the shortlist rule; returns the applications that go on, best first.
pub fn shortlist(rule: &ShortlistRules, seats: u32, candidates: Vec<Candidate>) -> Vec<String> {
    let places = shortlist_seats(rule, seats);
    let floor = rule.floor_permille.as_ref().map_or(0, |floor| u64::from(floor.value) * FULL_MARK / 1000);
    let mut field: Vec<Candidate> = ranked(candidates).into_iter().filter(|c| c.score >= floor).collect();
    let Some(cut) = field.get(places).map(|c| c.score) else {
        return field.into_iter().map(|c| c.application).collect();
    };
    let tied_above = field.iter().take(places).any(|c| c.score == cut);
    if tied_above {
        match rule.tie.value {
            TieRule::AllIn => field.retain(|c| c.score >= cut),
            TieRule::NoneIn => field.retain(|c| c.score > cut),
            TieRule::Results => {
                let certain = field.iter().filter(|c| c.score > cut).count();
                let mut tied: Vec<u64> = field.iter().filter(|c| c.score == cut).map(|c| c.results).collect();
                tied.sort_unstable_by(|a, b| b.cmp(a));
                let least = tied.get(places.saturating_sub(certain + 1)).copied().unwrap_or(0);
                field.retain(|c| c.score > cut || (c.score == cut && c.results >= least));
            }
        }
    } else {
        field.truncate(places);
    }
    field.into_iter().map(|c| c.application).collect()
}

/// True for methods whose sheets are item by item.
pub fn by_items(method: ScoringMethod) -> bool {
    matches!(method, ScoringMethod::Items | ScoringMethod::Adjust)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Sourced;

    fn s<T>(value: T) -> Sourced<T> {
        Sourced { value, basis: "test".into(), assumed: false }
    }

    fn rule(num: u32, den: u32, tie: TieRule) -> ShortlistRules {
        ShortlistRules { num: s(num), den: s(den), floor_permille: None, tie: s(tie) }
    }

    fn field(scores: &[(u64, u64)]) -> Vec<Candidate> {
        scores
            .iter()
            .enumerate()
            .map(|(i, (score, results))| Candidate {
                application: format!("a:{i:03}"),
                score: *score,
                results: *results,
            })
            .collect()
    }

    #[test]
    fn rounding_is_half_up_once() {
        assert_eq!(mean(&[1, 2], Aggregate::Mean), Some(2));
        assert_eq!(mean(&[1, 1, 2], Aggregate::Mean), Some(1));
        assert_eq!(mean(&[0, 10, 10, 99], Aggregate::TrimmedMean), Some(10));
        assert_eq!(mean(&[5, 6], Aggregate::TrimmedMean), None);
        assert_eq!(mean(&[], Aggregate::Mean), None);
        assert_eq!(counted(2, 3), Some(66_667));
        assert_eq!(counted(4, 3), None);
    }

    #[test]
    fn eight_for_five_and_ties_at_the_cut() {
        let ten = field(&[(90, 1), (80, 1), (70, 1), (60, 1), (50, 1), (40, 1), (30, 1), (20, 5), (20, 9), (10, 1)]);
        assert_eq!(shortlist_seats(&rule(8, 5, TieRule::AllIn), 5), 8);
        assert_eq!(shortlist(&rule(8, 5, TieRule::AllIn), 5, ten.clone()).len(), 9);
        assert_eq!(shortlist(&rule(8, 5, TieRule::NoneIn), 5, ten.clone()).len(), 7);
        let by_results = shortlist(&rule(8, 5, TieRule::Results), 5, ten);
        assert_eq!(by_results.len(), 8);
        assert!(by_results.contains(&"a:008".to_owned()));
    }

    #[test]
    fn fewer_than_the_seats_all_go_on() {
        assert_eq!(shortlist(&rule(3, 2, TieRule::AllIn), 5, field(&[(5, 0), (9, 0)])), ["a:001", "a:000"]);
        assert_eq!(shortlist_seats(&rule(3, 2, TieRule::AllIn), 5), 8, "150 % of 5 is rounded up");
    }
}
