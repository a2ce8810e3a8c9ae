//! The demonstration office: the article's facts in the register, one finished edition and two under way.
//!
//! Facts about real organisations are only those that the city's newspaper stated on 2016-03-21
//! (`data/demo/figures.json`); the city of Yunchuan, its firms and its people are invented and say so.

use heng_domain::calendar::Calendar;
use heng_domain::criteria::Criteria;
use heng_domain::office::events::{
    FigureStated, HonourRegistered, HonourState, OrganisationRegistered, ProgrammeEstablished,
};
use heng_domain::rules::{Level, Rules};
use heng_domain::text::Text;
use heng_domain::time::Instant;
use jiff::ToSpan;
use jiff::civil::{Date, date};
use serde::Deserialize;

use super::cast::{Cast, Numbers, office_draft};
use super::{Frozen, Settings, Stop, run, submit};
use crate::clock::ManualClock;
use crate::error::{AppError, Result};
use crate::heng::Heng;

/// What was built.
#[derive(Clone, Debug)]
pub struct DemoReport {
    /// Log of the finished edition.
    pub finished: String,
    /// Log of the edition in the middle of its vote.
    pub voting: String,
    /// Log of the edition that takes applications.
    pub open: String,
    /// Records in all logs.
    pub records: u64,
}

const SOURCE: &str = "驻马店网 2016-03-21";

#[derive(Deserialize)]
struct Figures {
    figures: Vec<Figure>,
}

#[derive(Deserialize)]
struct Figure {
    id: String,
    value: serde_json::Value,
    unit: String,
    #[serde(default)]
    as_of: Option<Date>,
    #[serde(default)]
    topic: Option<String>,
    #[serde(default)]
    topic_zh: Option<String>,
    #[serde(default)]
    names: Vec<String>,
}

/// Builds the demonstration in an empty office. `today` decides where the editions under way stand.
///
/// # Errors
/// If the office is not empty, or something is refused.
pub fn build_demo(
    heng: &Heng,
    clock: &ManualClock,
    rules: &Rules,
    criteria: &Criteria,
    calendar: &Calendar,
    figures_json: &str,
    today: Date,
    progress: &dyn Fn(&str),
) -> Result<DemoReport> {
    if !heng.logs().is_empty() {
        return Err(AppError::Other("the demonstration needs an empty folder".to_owned()));
    }
    let day = |date: Date| Instant::at(date, 8, 0, 480).ok_or_else(|| AppError::Other("a day".to_owned()));
    clock.set(day(date(2025, 6, 3))?);
    progress("办公室总账");
    let name = Text::new("云川市质量强市办公室（示例）", "Yunchuan Quality Office (demonstration)");
    let numbers = Numbers { firms: 27, experts: 40, members: 15 };
    let cast = Cast::found(heng, "heng.example/office", name, Level::City, numbers, 2016, true)?;
    register_article(&cast, figures_json)?;

    let mut sister = rules.clone();
    sister.id = "yunchuan-mayor".to_owned();
    sister.name = Text::new("云川市市长质量奖（示例）", "Yunchuan Mayor's Quality Award (demonstration)");
    sister.authority = Text::new("云川市人民政府（虚构）", "People's Government of Yunchuan (invented)");
    let frozen = Frozen { rules: sister.clone(), criteria: criteria.clone(), calendar: calendar.clone() };
    let settings = |edition: &str, label: Text, year, seed, start, stop| Settings {
        applicants: 21,
        experts: 40,
        members: 15,
        seed,
        year,
        edition: edition.to_owned(),
        label,
        log: format!("heng.example/yunchuan-mayor/{edition}"),
        programme: "yunchuan-mayor".to_owned(),
        start,
        stop,
    };
    progress("2025 年度（完整的一届）");
    let first = settings("2025", Text::new("2025 年度", "2025"), 2025, 7, date(2025, 6, 9), None);
    let finished = run(heng, clock, &cast, &frozen, &first, progress)?;

    progress("2026 年度（评审委员会表决中）");
    let days = days_until(&frozen.rules, heng_domain::rules::StageKind::Committee);
    let start = back(today, days)?;
    let stop = Some(Stop::Voting { motions: 2, ballots: 9 });
    let second = settings("2026", Text::new("2026 年度", "2026"), 2026, 11, start, stop);
    let voting = run(heng, clock, &cast, &frozen, &second, progress)?;

    progress("县级奖（申报中）");
    let mut county = sister;
    county.id = "nanlu-county".to_owned();
    county.name = Text::new("南麓县县长质量奖（示例）", "Nanlu County Quality Award (demonstration)");
    county.authority = Text::new("南麓县人民政府（虚构）", "People's Government of Nanlu County (invented)");
    county.level = Level::County;
    for tier in &mut county.tiers {
        tier.prize_fen.value /= 2;
        tier.name = Text::new("县长质量奖", "County Quality Award");
    }
    let frozen = Frozen { rules: county, criteria: criteria.clone(), calendar: calendar.clone() };
    let call = frozen.rules.stages.first().map_or(5, |s| i64::from(s.days.value));
    let third = Settings {
        applicants: 6,
        experts: 20,
        members: 15,
        seed: 5,
        year: u32::try_from(today.year()).unwrap_or(2026),
        edition: today.year().to_string(),
        label: Text::new(format!("{} 年度", today.year()), today.year().to_string()),
        log: format!("heng.example/nanlu-county/{}", today.year()),
        programme: "nanlu-county".to_owned(),
        start: back(today, call + 13)?,
        stop: Some(Stop::Applications(4)),
    };
    let open = run(heng, clock, &cast, &frozen, &third, progress)?;
    let records = heng.logs().iter().map(|log| log.image().state.position().0).sum();
    Ok(DemoReport {
        finished: finished.id().to_owned(),
        voting: voting.id().to_owned(),
        open: open.id().to_owned(),
        records,
    })
}

fn back(today: Date, days: i64) -> Result<Date> {
    today.checked_sub(days.days()).map_err(|error| AppError::Other(error.to_string()))
}

/// Days that the simulation needs from its first record to the vote of the stage of `kind`.
fn days_until(rules: &Rules, kind: heng_domain::rules::StageKind) -> i64 {
    use heng_domain::rules::StageKind;
    let mut days = 0;
    for stage in &rules.stages {
        days += i64::from(stage.days.value);
        if stage.kind == kind {
            break;
        }
        // One day between stages; a drawing waits a day for its public event.
        days += 1 + i64::from(stage.kind == StageKind::Experts);
    }
    days
}

/// The register as the article states it: figures, winners of 2015, zones and brands without codes.
fn register_article(cast: &Cast, figures_json: &str) -> Result<()> {
    let parsed: Figures =
        serde_json::from_str(figures_json).map_err(|error| AppError::Other(format!("figures.json: {error}")))?;
    let mut batch = Vec::new();
    for (id, level, zh, en) in [
        ("zhumadian-mayor", Level::City, "驻马店市市长质量奖", "Zhumadian Mayor's Quality Award"),
        ("henan-governor", Level::Province, "河南省省长质量奖", "Henan Governor's Quality Award"),
    ] {
        let body = ProgrammeEstablished {
            established: (level == Level::City).then_some(2011),
            level,
            name: Text::new(zh, en),
            programme: id.to_owned(),
        };
        batch.push(cast.signed(office_draft("p:0001", SOURCE, body)?, &["p:0001"])?);
    }
    let mut organisations = 0;
    for figure in &parsed.figures {
        let value = match &figure.value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let topic = figure.topic.clone().unwrap_or_else(|| figure.id.replace(['.', '_'], " "));
        let body = FigureStated {
            as_of: figure.as_of,
            figure: figure.id.clone(),
            names: figure.names.clone(),
            source: SOURCE.to_owned(),
            topic: Text::new(figure.topic_zh.clone().unwrap_or_else(|| topic.clone()), topic),
            unit: figure.unit.clone(),
            value,
        };
        batch.push(cast.signed(office_draft("p:0001", SOURCE, body)?, &["p:0001"])?);
        let programme = match figure.id.as_str() {
            "mayor_award.2015.winners" => "zhumadian-mayor",
            "governor_award.2015.winners" => "henan-governor",
            _ => continue,
        };
        for name in &figure.names {
            organisations += 1;
            let organisation = format!("o:z{organisations:03}");
            let body = OrganisationRegistered {
                county: Text::new("", ""),
                groups: Vec::new(),
                // The article gives Chinese names only; an English one would be our invention.
                name: Text::new(name.clone(), name.clone()),
                organisation: organisation.clone(),
                sector: String::new(),
                source: Some(SOURCE.to_owned()),
                uscc: None,
            };
            batch.push(cast.signed(office_draft("p:0001", SOURCE, body)?, &["p:0001"])?);
            let honour = HonourRegistered {
                certificate: String::new(),
                conferred: (programme == "zhumadian-mayor").then(|| date(2016, 3, 4)),
                edition: "2015".to_owned(),
                honour: format!("h:z{organisations:03}"),
                organisation,
                programme: programme.to_owned(),
                cite: None,
                source: Some(SOURCE.to_owned()),
                state: HonourState::Held,
                tier: "award".to_owned(),
                valid_until: None,
                year: 2015,
            };
            batch.push(cast.signed(office_draft("p:0001", SOURCE, honour)?, &["p:0001"])?);
        }
    }
    submit(&cast.office, batch).map(|_| ())
}
