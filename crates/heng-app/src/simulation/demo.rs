//! The demonstration office: the article's facts in the register, one finished edition and three under way.
//!
//! Facts about real organisations are only those that the city's newspaper stated on 2016-03-21
//! (`data/demo/figures.json`); the city of Yunchuan, its firms and its people are invented and say so.

use heng_domain::office::events::{
    FigureStated, HonourRegistered, HonourState, OrganisationRegistered, ProgrammeEstablished,
};
use heng_domain::rules::{DayKind, Level, Rules, StageKind};
use heng_domain::text::Text;
use heng_domain::time::Instant;
use jiff::ToSpan;
use jiff::civil::{Date, date};
use serde::Deserialize;

use super::cast::{Cast, Numbers, office_draft};
use super::{Frozen, Settings, Stop, register, run, submit};
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
    /// Log of the edition whose notice runs.
    pub notice: String,
    /// Records in all logs.
    pub records: u64,
}

/// Seed of the keys of the demonstration's people: known to everybody, as they are invented.
pub const DEMO_SEED: u64 = 2016;

/// Programme of the edition at scale.
const SCALED: &str = "yunchuan-scale";

/// Sheets of each of its applications that are handed in.
const SHEETS: usize = 5;

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
    data: &Frozen,
    figures_json: &str,
    today: Date,
    progress: &dyn Fn(&str),
) -> Result<DemoReport> {
    build_scaled_demo(heng, clock, data, figures_json, today, None, progress)
}

/// Builds the demonstration, and in it an edition of `scale` applications and a fifth as many experts that stands in the
/// middle of its document review: what speed is measured on. Five experts have handed in their sheet of each application,
/// a sixth has not.
///
/// # Errors
/// As [`build_demo`].
pub fn build_scaled_demo(
    heng: &Heng,
    clock: &ManualClock,
    data: &Frozen,
    figures_json: &str,
    today: Date,
    scale: Option<usize>,
    progress: &dyn Fn(&str),
) -> Result<DemoReport> {
    if !heng.logs().is_empty() {
        return Err(AppError::Other("the demonstration needs an empty folder".to_owned()));
    }
    let day = |date: Date| Instant::at(date, 8, 0, 480).ok_or_else(|| AppError::Other("a day".to_owned()));
    clock.set(day(date(2025, 6, 3))?);
    progress("办公室总账");
    let name = Text::new("云川市质量强市办公室（示例）", "Yunchuan Quality Office (demonstration)");
    let applicants = scale.unwrap_or(0);
    let numbers = Numbers { firms: applicants.max(27), experts: (applicants / 5).max(40), members: 15 };
    let cast = Cast::found(heng, "heng.example/office", name, Level::City, numbers, DEMO_SEED, true)?;
    register_article(&cast, figures_json)?;

    let Frozen { rules, criteria, calendar } = data;
    let mut sister = rules.clone();
    sister.id = "yunchuan-mayor".to_owned();
    sister.name = Text::new("云川市市长质量奖（示例）", "Yunchuan Mayor's Quality Award (demonstration)");
    sister.authority = Text::new("云川市人民政府（虚构）", "People's Government of Yunchuan (invented)");
    sister.document.title = Text::new(
        "云川市市长质量奖管理办法（虚构，参照驻马店市的办法）",
        "Measures for the Yunchuan Mayor's Quality Award (invented, after those of Zhumadian)",
    );
    sister.document.number = "云政办〔2016〕70号（虚构）".to_owned();
    for notice in sister.stages.iter_mut().filter_map(|s| s.notice.as_mut()) {
        notice.channels.value = vec![
            Text::new("云川市政府网站（虚构）", "the website of Yunchuan (invented)"),
            Text::new("《云川日报》（虚构）", "the Yunchuan Daily (invented)"),
        ];
    }
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
    let city = Frozen { rules: sister.clone(), criteria: criteria.clone(), calendar: calendar.clone() };
    let first = settings("2025", Text::new("2025 年度", "2025"), 2025, 7, date(2025, 6, 9), None);
    let start = back(today, days_until(&sister, StageKind::Committee))?;
    let stop = Some(Stop::Voting { motions: 2, ballots: 9 });
    let second = settings("2026", Text::new("2026 年度", "2026"), 2026, 11, start, stop);

    let year = u32::try_from(today.year()).unwrap_or(2026);
    let label = || Text::new(format!("{year} 年度"), year.to_string());
    let nanlu = county(&sister, "nanlu-county", ("南麓县", "Nanlu County"));
    let nanlu = Frozen { rules: nanlu, criteria: criteria.clone(), calendar: calendar.clone() };
    let call = nanlu.rules.stages.first().map_or(5, |s| i64::from(s.days.value));
    let third = Settings {
        applicants: 6,
        programme: "nanlu-county".to_owned(),
        log: format!("heng.example/nanlu-county/{year}"),
        ..settings(&year.to_string(), label(), year, 5, back(today, call + 13)?, Some(Stop::Applications(4)))
    };

    let mut dongan = county(&sister, "dongan-district", ("东岸区", "Dong'an District"));
    for notice in dongan.stages.iter_mut().filter_map(|s| s.notice.as_mut()) {
        // Calendar days: next year's holidays may not be published yet when the demonstration is built.
        notice.day_kind.value = DayKind::Calendar;
        notice.days.value = 7;
    }
    let dongan = Frozen { rules: dongan, criteria: criteria.clone(), calendar: calendar.clone() };
    let fourth = Settings {
        applicants: 12,
        programme: "dongan-district".to_owned(),
        log: format!("heng.example/dongan-district/{year}"),
        ..settings(
            &year.to_string(),
            label(),
            year,
            3,
            back(today, days_until(&sister, StageKind::Committee) + 3)?,
            Some(Stop::Notice),
        )
    };

    // Only for measuring: the city's rules with a sixth expert on each panel, so that sheets are left to hand in.
    let mut large = sister.clone();
    large.id = SCALED.to_owned();
    large.name = Text::new("云川市质量奖规模演练（示例）", "Yunchuan Quality Award at scale (demonstration)");
    for panel in large.stages.iter_mut().filter_map(|s| s.experts.as_mut()) {
        panel.panel_size.value = u32::try_from(SHEETS + 1).unwrap_or(6);
    }
    let large = Frozen { rules: large, criteria: criteria.clone(), calendar: calendar.clone() };
    let start = back(today, days_until(&large.rules, StageKind::Scoring))?;
    let fifth = Settings {
        applicants,
        experts: numbers.experts,
        programme: SCALED.to_owned(),
        log: format!("heng.example/{SCALED}/{year}"),
        ..settings(&year.to_string(), label(), year, 13, start, Some(Stop::Sheets(SHEETS)))
    };

    // The office registers all editions first: each of their logs then keeps its own time.
    let mut editions = vec![(&city, &first), (&city, &second), (&nanlu, &third), (&dongan, &fourth)];
    if scale.is_some() {
        editions.push((&large, &fifth));
    }
    for (frozen, settings) in &editions {
        register(&cast, frozen, settings)?;
    }
    let mut logs = Vec::new();
    for (frozen, settings) in editions {
        progress(&format!("{} · {}", frozen.rules.name.zh, settings.label.zh));
        logs.push(run(heng, clock, &cast, frozen, settings, progress)?.id().to_owned());
    }
    let records = heng.logs().iter().map(|log| log.image().state.position().0).sum();
    let mut logs = logs.into_iter();
    let mut next = || logs.next().unwrap_or_default();
    Ok(DemoReport { finished: next(), voting: next(), open: next(), notice: next(), records })
}

/// The city's rules as a county or district would have them: half the prize, its own name.
fn county(city: &Rules, id: &str, (zh, en): (&str, &str)) -> Rules {
    let mut rules = city.clone();
    rules.id = id.to_owned();
    let kind = if zh.ends_with('区') {
        ("区长质量奖", "District Quality Award")
    } else {
        ("县长质量奖", "County Quality Award")
    };
    rules.name = Text::new(format!("{zh}{}（示例）", kind.0), format!("{en} Quality Award (demonstration)"));
    rules.authority = Text::new(format!("{zh}人民政府（虚构）"), format!("People's Government of {en} (invented)"));
    rules.level = if zh.ends_with('区') { Level::District } else { Level::County };
    for tier in &mut rules.tiers {
        tier.prize_fen.value /= 2;
        tier.name = Text::new(kind.0, kind.1);
    }
    rules
}

fn back(today: Date, days: i64) -> Result<Date> {
    today.checked_sub(days.days()).map_err(|error| AppError::Other(error.to_string()))
}

/// Days that the simulation needs from its first record to the vote of the stage of `kind`.
pub fn days_until(rules: &Rules, kind: StageKind) -> i64 {
    let mut days = 0;
    for stage in &rules.stages {
        days += i64::from(stage.days.value);
        if stage.kind == kind {
            // The session is held two days before the planned end.
            days -= 2;
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
                sector: Text::new("", ""),
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
