//! A dry run of rules that are not adopted yet: invented actors go through them in memory, and nothing is kept.

use std::cell::Cell;

use heng_domain::edition::Edition;
use heng_domain::refusal::Refusal;
use heng_domain::rules::Rules;
use heng_domain::text::Text;

use super::{Frozen, Size, simulate};
use crate::error::{AppError, Result};
use crate::library;

/// Most applicants of one dry run: it answers while somebody waits.
pub const MOST_APPLICANTS: usize = 60;

/// A stage that was gone through.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct TrialStage {
    /// Name.
    pub name: Text,
    /// Applications when it opened.
    pub before: usize,
    /// Applications when it closed.
    pub after: usize,
    /// Day of the edition on which it closed, from 1.
    pub day: i64,
}

/// A tier as the dry run filled it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct TrialTier {
    /// Name.
    pub name: Text,
    /// Invented winners.
    pub winners: Vec<Text>,
    /// Seats that stay empty.
    pub empty: u32,
}

/// An edition that came to its end.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finished {
    /// Applications.
    pub applicants: usize,
    /// Stages in order.
    pub stages: Vec<TrialStage>,
    /// Tiers, highest first.
    pub tiers: Vec<TrialTier>,
    /// All prizes, in fen.
    pub prize_fen: u64,
    /// Records written.
    pub records: u64,
}

/// What a dry run shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Trial {
    /// It came to its end.
    Finished(Finished),
    /// A rule refused what the process itself asked for: the rules contradict each other, or the cast is too small.
    Stopped {
        /// Stage in which it stopped, in Chinese and English; empty while the edition was set up.
        stage: Text,
        /// The refusal.
        refusal: Box<Refusal>,
    },
    /// The criteria or the calendar do not travel inside the program.
    NoData,
}

/// Lets invented applicants go through the rules, deterministic for a seed.
///
/// # Errors
/// If the simulation itself fails; a refusal by the rules is an outcome, not an error.
pub fn try_out(rules: &Rules, applicants: usize, seed: u64) -> Result<Trial> {
    let unread = |error: heng_domain::rules::RulesError| AppError::Other(error.to_string());
    let criteria = library::criteria(&rules.criteria.value).map_err(unread)?;
    let calendar = library::calendar(&rules.calendar).map_err(unread)?;
    let (Some(criteria), Some(calendar)) = (criteria, calendar) else { return Ok(Trial::NoData) };
    let frozen = Frozen { rules: rules.clone(), criteria, calendar };
    let size = Size { applicants: applicants.clamp(1, MOST_APPLICANTS), seed, ..Size::default() };
    let reached = Cell::new(None);
    let progress = |name: &str| {
        let stage = rules.stages.iter().find(|stage| stage.name.zh == name);
        reached.set(stage.or(reached.get()));
    };
    match simulate(&frozen, size, &progress) {
        Ok((_, log)) => {
            let image = log.image();
            let edition = image.state.edition().ok_or_else(|| AppError::Other("no edition".to_owned()))?;
            Ok(Trial::Finished(finished(edition, u64::try_from(image.leaves.len()).unwrap_or(u64::MAX))))
        }
        Err(AppError::Refused(refusal)) => {
            let stage = reached.get().map_or_else(|| Text::new("", ""), |stage| stage.name.clone());
            Ok(Trial::Stopped { stage, refusal })
        }
        Err(other) => Err(other),
    }
}

fn finished(edition: &Edition, records: u64) -> Finished {
    let rules = edition.rules();
    let first = edition.stages.values().filter_map(|stage| stage.opened).min().map(|at| edition.day(at));
    let field = |stage: &str| edition.field_at.get(stage).map_or(0, std::collections::BTreeSet::len);
    let mut stages = Vec::new();
    for (index, stage) in rules.stages.iter().enumerate() {
        let closed = edition.stages.get(&stage.id).and_then(|state| state.closed).map(|at| edition.day(at));
        let day = first.zip(closed).and_then(|(first, day)| first.until(day).ok());
        let day = day.map_or(0, |span| i64::from(span.get_days()) + 1);
        let after = rules.stages.get(index + 1).map_or(edition.field.len(), |next| field(&next.id));
        stages.push(TrialStage { name: stage.name.clone(), before: field(&stage.id), after, day });
    }
    let selected = |tier: &str| {
        let last = edition.selections.values().flat_map(|selection| &selection.tiers).find(|t| t.tier == tier);
        last.map_or(0, |t| t.empty)
    };
    let tiers = rules.tiers.iter().map(|tier| {
        let honours = edition.honours.iter().filter(|(honour, _, _)| honour.tier == tier.id);
        let winners = honours.filter_map(|(honour, _, _)| Some(edition.applicant(&honour.application)?.name.clone()));
        TrialTier { name: tier.name.clone(), winners: winners.collect(), empty: selected(&tier.id) }
    });
    Finished {
        applicants: edition.applications.len(),
        stages,
        tiers: tiers.collect(),
        prize_fen: edition.honours.iter().map(|(honour, _, _)| honour.prize_fen).sum(),
        records,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use heng_domain::rules::read_rules;

    fn rules() -> Rules {
        read_rules("r", include_str!("../../../../data/programmes/zhumadian.toml")).unwrap()
    }

    #[test]
    fn sound_rules_come_to_their_end_and_say_who_won() {
        let Trial::Finished(done) = try_out(&rules(), 12, 7).unwrap() else { panic!("stopped") };
        assert_eq!(done.applicants, 12);
        assert_eq!(done.stages.len(), rules().stages.len());
        let winners: usize = done.tiers.iter().map(|tier| tier.winners.len()).sum();
        let empty: u32 = done.tiers.iter().map(|tier| tier.empty).sum();
        assert_eq!(winners + usize::try_from(empty).unwrap(), usize::try_from(rules().seats()).unwrap());
        let days: Vec<i64> = done.stages.iter().map(|stage| stage.day).collect();
        assert!(days.is_sorted() && days.iter().all(|day| *day > 0), "{days:?}");
    }

    #[test]
    fn rules_that_nobody_can_carry_out_say_where_they_stop() {
        let mut broken = rules();
        // A committee that must be larger than it may be.
        for committee in broken.stages.iter_mut().filter_map(|stage| stage.committee.as_mut()) {
            committee.quorum.num = committee.quorum.den;
            committee.quorum.cmp = heng_domain::rules::Compare::Gt;
        }
        let Trial::Stopped { stage, refusal } = try_out(&broken, 12, 7).unwrap() else { panic!("came to its end") };
        assert!(!stage.zh.is_empty());
        assert!(!refusal.code.is_empty());
    }

    #[test]
    fn criteria_that_are_not_at_hand_are_no_error() {
        let mut other = rules();
        other.criteria.value = "unknown".to_owned();
        assert_eq!(try_out(&other, 12, 7).unwrap(), Trial::NoData);
    }
}
