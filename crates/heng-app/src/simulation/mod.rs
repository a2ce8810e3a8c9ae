//! A whole edition by invented actors, deterministic for a seed: what `heng simulate` and the demo run.
//!
//! The actors go in by the same door as everybody (`Log::submit`): a simulation that ends is a proof that the rules
//! can be carried out, and every record of it can be verified.

mod cast;
mod committee;
mod demo;
mod edition;
mod office;
mod random;
mod review;

use std::sync::Arc;

use heng_domain::calendar::Calendar;
use heng_domain::criteria::Criteria;
use heng_domain::rules::{Rules, Sourced};
use heng_domain::text::Text;
use jiff::civil::Date;

use crate::clock::ManualClock;
use crate::draft::Draft;
use crate::error::{AppError, Result};
use crate::heng::Heng;
use crate::log::{Accepted, Log};

pub use cast::{Cast, Numbers};
pub use demo::{DemoReport, build_demo};
pub use office::{Size, simulate};
pub use random::Random;

/// Where a simulation stops before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// After so many applications have come in.
    Applications(usize),
    /// In the committee's session: after so many motions are announced, with so many ballots in the next.
    Voting {
        /// Announced motions.
        motions: usize,
        /// Ballots cast on the open one.
        ballots: usize,
    },
}

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Number of applicants.
    pub applicants: usize,
    /// Number of experts.
    pub experts: usize,
    /// Members of the committee, if the rules allow that many.
    pub members: usize,
    /// Seed.
    pub seed: u64,
    /// Year of the edition.
    pub year: u32,
    /// Short name of the edition.
    pub edition: String,
    /// Name of the edition.
    pub label: Text,
    /// Name of its log.
    pub log: String,
    /// Short name of the programme in the office log.
    pub programme: String,
    /// Day of the first record.
    pub start: Date,
    /// Where to stop; `None` runs to the end.
    pub stop: Option<Stop>,
}

/// Data that an edition freezes.
#[derive(Clone, Debug)]
pub struct Frozen {
    /// Rules.
    pub rules: Rules,
    /// Criteria.
    pub criteria: Criteria,
    /// Calendar.
    pub calendar: Calendar,
}

/// A simulation under way.
pub struct Simulation<'a> {
    heng: &'a Heng,
    clock: &'a ManualClock,
    cast: &'a Cast,
    frozen: &'a Frozen,
    settings: &'a Settings,
    log: Arc<Log>,
    random: Random,
    day: Date,
    progress: &'a dyn Fn(&str),
}

/// Runs an edition. `progress` gets the name of each stage as it begins.
///
/// # Errors
/// The first refusal, if the rules cannot be carried out.
pub fn run(
    heng: &Heng,
    clock: &ManualClock,
    cast: &Cast,
    frozen: &Frozen,
    settings: &Settings,
    progress: &dyn Fn(&str),
) -> Result<Arc<Log>> {
    let log = heng.create_log(&settings.log, "edition")?;
    let mut simulation = Simulation {
        heng,
        clock,
        cast,
        frozen,
        settings,
        log: Arc::clone(&log),
        random: Random::new(settings.seed),
        day: settings.start,
        progress,
    };
    simulation.run()?;
    Ok(log)
}

/// The greatest committee that the rules need, for the size of the cast.
pub fn members_needed(rules: &Rules, wanted: usize) -> usize {
    let least = rules.stages.iter().filter_map(|s| s.committee.as_ref()).map(|c| &c.size_min);
    let least = least.map(|Sourced { value, .. }| usize::try_from(*value).unwrap_or(0)).max().unwrap_or(0);
    wanted.max(least)
}

/// Submits drafts in one pass; the first refusal ends the simulation.
fn submit(log: &Log, drafts: Vec<Draft>) -> Result<Vec<Accepted>> {
    log.submit_all(drafts).into_iter().collect()
}

/// A draft from the parts of an event.
fn drafts_for(actor: &str, basis: &str, parts: Option<(String, serde_json::Value)>) -> Result<Draft> {
    let (kind, body) = parts.ok_or_else(|| AppError::Other("an event cannot be written".to_owned()))?;
    Ok(Draft::new(actor, basis, kind, body))
}
