//! One edition in an office of its own, in memory: what `heng simulate` runs and the tests of the rules files use.

use std::sync::Arc;

use heng_domain::text::Text;
use heng_domain::time::Instant;
use jiff::civil::date;

use super::cast::{Cast, Numbers};
use super::{Frozen, Settings, members_needed, run};
use crate::clock::{ManualClock, SeededEntropy};
use crate::error::{AppError, Result};
use crate::heng::Heng;
use crate::log::Log;

/// How many actors, and which seed.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Applicants.
    pub applicants: usize,
    /// Experts.
    pub experts: usize,
    /// Seed.
    pub seed: u64,
}

impl Default for Size {
    fn default() -> Size {
        Size { applicants: 21, experts: 40, seed: 1 }
    }
}

/// Founds an office in memory and runs one edition of the rules to its end.
///
/// # Errors
/// The first refusal.
pub fn simulate(frozen: &Frozen, size: Size, progress: &dyn Fn(&str)) -> Result<(Heng, Arc<Log>)> {
    let start = date(2025, 6, 9);
    let noon = Instant::at(start, 7, 0, 480).ok_or_else(|| AppError::Other("a day".to_owned()))?;
    let clock = Arc::new(ManualClock::at(noon));
    let heng = Heng::in_memory(Arc::clone(&clock) as Arc<dyn crate::Clock>, Arc::new(SeededEntropy::new(size.seed)))?;
    let members = members_needed(&frozen.rules, 15);
    let numbers = Numbers { firms: size.applicants, experts: size.experts, members };
    let name = Text::new("模拟办公室（虚构）", "Simulated office (invented)");
    let cast = Cast::found(&heng, "simulation.example/office", name, frozen.rules.level, numbers, size.seed, true)?;
    let settings = Settings {
        applicants: size.applicants,
        experts: size.experts,
        members,
        seed: size.seed,
        year: 2025,
        edition: "2025".to_owned(),
        label: Text::new("2025 年度（模拟）", "2025 (simulated)"),
        log: format!("simulation.example/{}/2025", frozen.rules.id),
        programme: frozen.rules.id.clone(),
        start,
        stop: None,
    };
    let log = run(&heng, &clock, &cast, frozen, &settings, progress)?;
    Ok((heng, log))
}
