//! The data files that travel inside the binary, so that the demonstration and `init` need nothing else.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use heng_app::simulation::Frozen;
use heng_domain::calendar::Calendar;
use heng_domain::criteria::Criteria;
use heng_domain::rules::{Rules, read_calendar, read_criteria, read_rules};

const ZHUMADIAN: &str = include_str!("../../../data/programmes/zhumadian.toml");
const GBT_19580: &str = include_str!("../../../data/criteria/gbt19580-2012.toml");
const BALDRIGE: &str = include_str!("../../../data/criteria/baldrige-classic.toml");
const CN: &str = include_str!("../../../data/calendars/cn.toml");

/// The article's figures.
pub(crate) const FIGURES: &str = include_str!("../../../data/demo/figures.json");

/// The Zhumadian rules with their criteria and calendar.
pub(crate) fn zhumadian() -> Result<Frozen> {
    let rules = read_rules("zhumadian.toml", ZHUMADIAN)?;
    let criteria = criteria(&rules.criteria.value, None)?;
    Ok(Frozen { rules, criteria, calendar: calendar()? })
}

/// The calendar of working days.
pub(crate) fn calendar() -> Result<Calendar> {
    Ok(read_calendar("cn.toml", CN)?)
}

/// A criteria tree by its identifier: beside the rules file (`../criteria/<id>.toml`), else one of those that travel along.
pub(crate) fn criteria(id: &str, rules_file: Option<&Path>) -> Result<Criteria> {
    let beside = rules_file.and_then(Path::parent).map(|dir| dir.join("../criteria").join(format!("{id}.toml")));
    if let Some(path) = beside.filter(|path| path.exists()) {
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        return Ok(read_criteria(&path.display().to_string(), &text)?);
    }
    match id {
        "gbt19580-2012" => Ok(read_criteria("gbt19580-2012.toml", GBT_19580)?),
        "baldrige-classic" => Ok(read_criteria("baldrige-classic.toml", BALDRIGE)?),
        _ => {
            Err(anyhow!("there is no criteria tree called {id}: put it beside the rules file as ../criteria/{id}.toml"))
        }
    }
}

/// Rules from a file with the criteria and calendar that they name.
pub(crate) fn frozen(file: &Path) -> Result<Frozen> {
    let rules = rules(file)?;
    let criteria = criteria(&rules.criteria.value, Some(file))?;
    let calendar = calendar()?;
    anyhow::ensure!(
        rules.calendar == calendar.id,
        "{}: there is no calendar called {}",
        file.display(),
        rules.calendar
    );
    Ok(Frozen { rules, criteria, calendar })
}

/// Rules from a file.
pub(crate) fn rules(file: &Path) -> Result<Rules> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(read_rules(&file.display().to_string(), &text)?)
}
