//! A whole edition by invented actors, deterministic for a seed: what `heng simulate` and the demo run.
//!
//! The actors go in by the same door as everybody (`Log::submit`): a simulation that ends is a proof that the rules
//! can be carried out, and every record of it can be verified.

mod application;
mod cast;
mod committee;
mod demo;
mod departments;
mod device;
mod edition;
mod office;
mod random;
mod review;
mod trial;
mod visits;

use std::sync::Arc;

use heng_domain::calendar::Calendar;
use heng_domain::criteria::Criteria;
use heng_domain::edition::events::Cite;
use heng_domain::office::Office;
use heng_domain::office::events::{EditionRegistered, ProgrammeEstablished, RulesAdopted};
use heng_domain::rules::{Rules, Sourced};
use heng_domain::text::Text;
use heng_domain::time::Instant;
use jiff::civil::Date;

use crate::clock::ManualClock;
use crate::draft::Draft;
use crate::error::{AppError, Result};
use crate::heng::Heng;
use crate::log::{Accepted, Log};

pub use cast::{Cast, Numbers, office_draft};
pub use demo::{DEMO_SEED, DemoReport, build_demo, build_scaled_demo, days_until};
pub use device::{DeviceKey, ORIGIN, RP};
pub use office::{Size, simulate};
pub use random::Random;
pub use trial::{Finished, MOST_APPLICANTS, Trial, TrialStage, TrialTier, try_out};

/// Where a simulation stops before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// After so many applications have come in.
    Applications(usize),
    /// In the first scored stage: after so many sheets of each application. Whose sheets are still missing goes round.
    Sheets(usize),
    /// When the first scored stage has opened, before its experts have pledged.
    Pledges,
    /// When the committee's stage has opened, before its session.
    Committee,
    /// In the notice of the winners: after it is published.
    Notice,
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

/// Establishes the programme, adopts its rules and registers the edition in the office log, as far as that is not done yet.
///
/// # Errors
/// If the office refuses it.
pub fn register(cast: &Cast, frozen: &Frozen, settings: &Settings) -> Result<Cite> {
    let rules = &frozen.rules;
    let basis = &rules.document.number;
    let both: [&str; 2] = ["p:0001", "p:0002"];
    let mut batch = Vec::new();
    {
        let image = cast.office.image();
        let office = image.state.office().ok_or_else(|| AppError::Other("the office is not founded".to_owned()))?;
        if let Some((seq, _)) = office.editions.get(&settings.log) {
            let leaf = usize::try_from(*seq).ok().and_then(|i| image.leaves.get(i)).copied().unwrap_or_default();
            return Ok(Cite { leaf, log: cast.office.id().to_owned(), seq: *seq });
        }
        if !office.programmes.contains_key(&settings.programme) {
            let body = ProgrammeEstablished {
                established: Some(settings.year),
                level: rules.level,
                name: rules.name.clone(),
                programme: settings.programme.clone(),
            };
            batch.push(office_draft("p:0001", basis, body)?);
        }
        let current = office.rules.get(&settings.programme).and_then(|versions| versions.last());
        if current.is_none_or(|(_, adopted)| adopted.rules != *rules) {
            let body = RulesAdopted { programme: settings.programme.clone(), rules: rules.clone() };
            batch.push(office_draft("p:0001", basis, body)?);
        }
    }
    let registered = EditionRegistered {
        edition: settings.edition.clone(),
        log: settings.log.clone(),
        programme: settings.programme.clone(),
        rules_sha256: Office::rules_hash(rules)?,
        year: settings.year,
    };
    batch.push(office_draft("p:0001", basis, registered)?);
    let batch = batch.into_iter().map(|draft| cast.signed(draft, &both)).collect::<Result<Vec<_>>>()?;
    let accepted = submit(&cast.office, batch)?;
    let last = accepted.last().ok_or_else(|| AppError::Other("the edition was not registered".to_owned()))?;
    Ok(Cite { leaf: last.leaf, log: cast.office.id().to_owned(), seq: last.record.seq })
}

/// Runs an edition from the day of its start; the clock is set to it. `progress` gets the name of each stage as it begins.
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
    let morning = Instant::at(settings.start, 8, 0, frozen.rules.utc_offset_minutes);
    clock.set(morning.ok_or_else(|| AppError::Other("a day".to_owned()))?);
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
