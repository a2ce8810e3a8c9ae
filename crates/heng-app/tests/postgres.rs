//! A whole edition on PostgreSQL: the second witness of the store (`HENG_TEST_POSTGRES` names a server).
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::sync::Arc;

use heng_app::bundle::public_bundle;
use heng_app::simulation::{Cast, Frozen, Numbers, Settings, run};
use heng_app::{Clock, Heng, ManualClock, Place, SeededEntropy};
use heng_domain::rules::{Level, read_calendar, read_criteria, read_rules};
use heng_domain::text::Text;
use heng_domain::time::Instant;
use heng_verify::{Bundle, Options, verify};
use jiff::civil::date;

fn data(path: &str) -> String {
    std::fs::read_to_string(format!("{}/../../data/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn an_edition_runs_verifies_and_replays_on_postgresql() {
    let Ok(server) = std::env::var("HENG_TEST_POSTGRES") else {
        eprintln!("skipped: HENG_TEST_POSTGRES not set");
        return;
    };
    let schema = format!("edition_{}", std::process::id());
    let mut admin = postgres::Client::connect(&server, postgres::NoTls).unwrap();
    admin.batch_execute(&format!("CREATE SCHEMA {schema}")).unwrap();
    let url = format!("{server} options='-c search_path={schema}'");
    let keys = tempfile::tempdir().unwrap();
    let place = Place::Postgres { url, keys: keys.path().to_path_buf() };

    let clock = Arc::new(ManualClock::at(Instant::at(date(2025, 6, 9), 7, 0, 480).unwrap()));
    let entropy = Arc::new(SeededEntropy::new(9));
    let open = || Heng::open(&place, Arc::clone(&clock) as Arc<dyn Clock>, entropy.clone(), &|_, _, _| {});
    let heng = open().unwrap_or_else(|error| panic!("{error}"));
    let rules = read_rules("rules", &data("programmes/zhumadian.toml")).unwrap();
    let frozen = Frozen {
        criteria: read_criteria("criteria", &data("criteria/gbt19580-2012.toml")).unwrap(),
        calendar: read_calendar("calendar", &data("calendars/cn.toml")).unwrap(),
        rules,
    };
    let numbers = Numbers { firms: 10, experts: 24, members: 12 };
    let name = Text::new("示例", "Example");
    let cast = Cast::found(&heng, "pg.example/office", name, Level::City, numbers, 3, true).unwrap();
    let settings = Settings {
        applicants: 10,
        experts: 24,
        members: 12,
        seed: 3,
        year: 2025,
        edition: "2025".to_owned(),
        label: Text::new("2025", "2025"),
        log: "pg.example/award/2025".to_owned(),
        programme: "award".to_owned(),
        start: date(2025, 6, 9),
        stop: None,
    };
    let log = run(&heng, &clock, &cast, &frozen, &settings, &|_| {}).unwrap_or_else(|error| panic!("{error}"));
    let bundle = Bundle { files: public_bundle(&heng, &log).unwrap() };
    let report = verify(&bundle, &Options::default()).unwrap();
    assert_eq!(report.exit_code(), 0, "{report:?}");

    // A second server is refused while the first leads, and takes over with the same state when it has gone.
    assert!(open().is_err(), "two servers on one database");
    let before = log.image().state.clone();
    drop((cast, log, heng));
    let again = open().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(again.log("pg.example/award/2025").unwrap().image().state, before);
    drop(again);
    admin.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).unwrap();
}
