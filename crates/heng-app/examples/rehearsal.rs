//! An office for the browser tests: no demonstration, so everybody signs with a device of their own.
//!
//! `rehearsal DIR committee MEMBERS` builds it in an empty folder: an edition that waits for its committee, the members
//! registered with their terms, everybody invited. `rehearsal DIR panel` builds one whose documents wait for their
//! experts, who have passkeys and have not pledged; one of them is invited. It prints keys and invitations as JSON. The
//! keys are those of the simulation and known to everybody: never use such an office for an award.

use std::path::PathBuf;
use std::sync::Arc;

use heng_app::account::{Accounts, By, Invite, Site, Subject};
use heng_app::simulation::{Cast, DeviceKey, Frozen, Numbers, Settings, Stop, days_until, office_draft, register, run};
use heng_app::{AppError, Clock, Heng, Log, ManualClock, OsEntropy, Place, SystemClock};
use heng_domain::office::events::{OfficeRole, PersonRegistered, RoleGranted};
use heng_domain::rules::{Level, StageKind, read_calendar, read_criteria, read_rules};
use heng_domain::text::Text;
use heng_log::Hash;
use jiff::ToSpan;
use serde_json::json;

const SEED: u64 = 31;
const LOG: &str = "rollcall.example/mayor/2026";
const RP: &str = "localhost";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("name an empty folder")?);
    let (stop, kind, members) = match arguments.next().as_deref() {
        Some("committee") => {
            let members: usize = arguments.next().ok_or("say how many members")?.parse()?;
            (Stop::Committee, StageKind::Committee, members)
        }
        Some("panel") => (Stop::Pledges, StageKind::Scoring, 0),
        _ => return Err("say committee or panel".into()),
    };

    let rules = read_rules("zhumadian.toml", include_str!("../../../data/programmes/zhumadian.toml"))?;
    let criteria = read_criteria("gbt19580-2012.toml", include_str!("../../../data/criteria/gbt19580-2012.toml"))?;
    let calendar = read_calendar("cn.toml", include_str!("../../../data/calendars/cn.toml"))?;
    let now = Clock::now(&SystemClock);
    let today = now.date(480);
    let start = today.checked_sub((days_until(&rules, kind) + 3).days())?;
    let clock = Arc::new(ManualClock::at(heng_domain::time::Instant::at(start, 7, 0, 480).ok_or("a day")?));
    let quiet = |_: &str, _: u64, _: u64| {};
    let dynamic = Arc::clone(&clock) as Arc<dyn Clock>;
    let heng = Arc::new(Heng::open(&Place::Folder(folder), dynamic, Arc::new(OsEntropy), &quiet)?);
    let name = Text::new("点名测试办公室（虚构）", "Roll call test office (invented)");
    let numbers = Numbers { firms: 12, experts: 40, members: 1 };
    let mut cast = Cast::found(&heng, "rollcall.example/office", name, Level::City, numbers, SEED, false)?;
    cast.passkeys = Some(RP.to_owned());
    let frozen = Frozen { rules, criteria, calendar };
    let settings = Settings {
        applicants: 12,
        experts: 40,
        members,
        seed: SEED,
        year: 2026,
        edition: "2026".to_owned(),
        label: Text::new("2026 年度", "2026"),
        log: LOG.to_owned(),
        programme: "mayor".to_owned(),
        start,
        stop: Some(stop),
    };
    register(&cast, &frozen, &settings)?;
    let log = run(&heng, &clock, &cast, &frozen, &settings, &|_| {})?;

    clock.set(now);
    let accounts =
        Accounts::new(Arc::clone(&heng), Site { rp_id: RP.to_owned(), origin: "http://localhost".to_owned() })
            .map_err(|error| AppError::Other(error.to_string()))?;
    let invite = |person: &str, name: &str| -> Result<String, Box<dyn std::error::Error>> {
        let invited = accounts.invite(By::Operator, &Invite::new(Subject::Person(person.to_owned()), name, None))?;
        Ok(format!("/invitations/{}", invited.token.expose()))
    };
    let basis = "人员登记";
    let mut list = Vec::new();
    for index in 0..members {
        let (person, name) = (format!("p:{}", 1001 + index), format!("委员{:02}", index + 1));
        let body = PersonRegistered { name: Some(name.clone()), person: person.clone() };
        cast.office.submit(cast.signed(office_draft("p:0001", basis, body)?, &["p:0001"])?)?;
        let role = if index == 0 { OfficeRole::Chair } else { OfficeRole::Member };
        let term = RoleGranted { from: today, person: person.clone(), role, until: today.checked_add(1.years())? };
        cast.office.submit(cast.signed(office_draft("p:0001", basis, term)?, &["p:0001", "p:0002"])?)?;
        list.push(json!({ "person": person, "name": name, "link": invite(&person, &name)? }));
    }
    let officers = ["p:0001", "p:0002"]
        .iter()
        .map(|person| {
            let seed = Hash(DeviceKey::seed(SEED, person)).to_string();
            Ok(json!({ "person": person, "seed": seed, "link": invite(person, &cast.actor(person)?.name)? }))
        })
        .collect::<Result<Vec<_>, Box<dyn std::error::Error>>>()?;
    let expert = match expert(&log) {
        Some((handle, person)) if members == 0 => {
            let seed = Hash(DeviceKey::seed(SEED, &format!("{handle}@{LOG}"))).to_string();
            json!({ "handle": handle, "person": person, "seed": seed, "link": invite(&person, &cast.actor(&person)?.name)? })
        }
        _ => json!(null),
    };
    println!("{}", json!({ "expert": expert, "members": list, "officers": officers, "place": "mayor/2026" }));
    Ok(())
}

/// The first expert of a panel, and who that is.
fn expert(log: &Log) -> Option<(String, String)> {
    let image = log.image();
    let edition = image.state.edition()?;
    let handle = edition.panels.values().next()?.members.first()?;
    let who = edition.known_value(edition.seats.get(handle)?.seq, "/who")?;
    Some((handle.clone(), who.get("person")?.as_str()?.to_owned()))
}
