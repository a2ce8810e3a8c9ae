//! A demonstration office whose committee votes on paper, for the browser test that walks the guides.
//!
//! `paper DIR` builds it in an empty folder: one edition that waits for its committee. Everybody in it is invented, so
//! `heng demo --data DIR` serves it.

use std::path::PathBuf;
use std::sync::Arc;

use heng_app::simulation::{Cast, DEMO_SEED, Frozen, Numbers, Settings, Stop, days_until, register, run};
use heng_app::{Clock, Heng, ManualClock, OsEntropy, Place, SystemClock};
use heng_domain::rules::{BallotKind, Level, StageKind, VoteDisclosure, read_calendar, read_criteria, read_rules};
use heng_domain::text::Text;
use heng_domain::time::Instant;
use jiff::ToSpan;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("name an empty folder")?);
    let mut rules = read_rules("zhumadian.toml", include_str!("../../../data/programmes/zhumadian.toml"))?;
    let criteria = read_criteria("gbt19580-2012.toml", include_str!("../../../data/criteria/gbt19580-2012.toml"))?;
    let calendar = read_calendar("cn.toml", include_str!("../../../data/calendars/cn.toml"))?;
    rules.name = Text::new("安澜市市长质量奖（示例）", "Anlan Mayor's Quality Award (demonstration)");
    rules.authority = Text::new("安澜市人民政府（虚构）", "People's Government of Anlan (invented)");
    for committee in rules.stages.iter_mut().filter_map(|stage| stage.committee.as_mut()) {
        committee.ballot.value = BallotKind::Secret;
    }
    rules.disclosure.votes.value = VoteDisclosure::Totals;

    let today = Clock::now(&SystemClock).date(480);
    let start = today.checked_sub((days_until(&rules, StageKind::Committee) + 3).days())?;
    let clock = Arc::new(ManualClock::at(Instant::at(start, 7, 0, 480).ok_or("a day")?));
    let dynamic = Arc::clone(&clock) as Arc<dyn Clock>;
    let heng = Heng::open(&Place::Folder(folder), dynamic, Arc::new(OsEntropy), &|_, _, _| {})?;
    let name = Text::new("安澜市质量强市办公室（示例）", "Anlan Quality Office (demonstration)");
    let numbers = Numbers { firms: 12, experts: 40, members: 15 };
    let cast = Cast::found(&heng, "paper.example/office", name, Level::City, numbers, DEMO_SEED, true)?;
    let frozen = Frozen { rules, criteria, calendar };
    let settings = Settings {
        applicants: 12,
        experts: 40,
        members: 15,
        seed: 7,
        year: u32::try_from(today.year())?,
        edition: today.year().to_string(),
        label: Text::new(format!("{} 年度", today.year()), today.year().to_string()),
        log: format!("paper.example/anlan/{}", today.year()),
        programme: "anlan".to_owned(),
        start,
        stop: Some(Stop::Committee),
    };
    register(&cast, &frozen, &settings)?;
    run(&heng, &clock, &cast, &frozen, &settings, &|_| {})?;
    Ok(())
}
