//! Every rules file of the house runs through to its decision with invented applicants (award-rules.md R3).
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use heng_app::simulation::{Frozen, Size, simulate};
use heng_domain::rules::{read_calendar, read_criteria, read_rules};

fn data(path: &str) -> String {
    std::fs::read_to_string(format!("{}/../../data/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn frozen(name: &str) -> Frozen {
    let rules = read_rules(name, &data(&format!("programmes/{name}.toml"))).unwrap_or_else(|e| panic!("{e}"));
    let criteria = read_criteria("criteria", &data(&format!("criteria/{}.toml", rules.criteria.value))).unwrap();
    let calendar = read_calendar("calendar", &data("calendars/cn.toml")).unwrap();
    Frozen { rules, criteria, calendar }
}

fn runs(name: &str) -> heng_app::Result<()> {
    let (_heng, log) = simulate(&frozen(name), Size::default(), &|_| {})?;
    let image = log.image();
    let edition = image.state.edition().unwrap();
    assert!(edition.closed);
    assert!(!edition.honours.is_empty(), "nobody won");
    Ok(())
}

macro_rules! run {
    ($($(#[$doc:meta])* $name:ident = $file:literal;)*) => {
        $($(#[$doc])* #[test] fn $name() {
            runs($file).unwrap_or_else(|error| panic!("{}: {error}", $file));
        })*
    };
}

run! {
    zhumadian = "zhumadian";
    binhu = "binhu";
    taicang = "taicang";
    jining = "jining";
    anning = "anning";
    zhengzhou = "zhengzhou";
    shenzhen = "shenzhen";
    china_quality = "china-quality";
}

/// Nothing of the standard is built in: the same rules run on another tree.
#[test]
fn another_criteria_tree() {
    let mut other = frozen("zhumadian");
    other.rules.criteria.value = "baldrige-classic".to_owned();
    other.criteria = read_criteria("baldrige", &data("criteria/baldrige-classic.toml")).unwrap();
    let (_heng, log) = simulate(&other, Size::default(), &|_| {}).unwrap_or_else(|error| panic!("{error}"));
    let image = log.image();
    let edition = image.state.edition().unwrap();
    assert_eq!(edition.criteria.as_ref().map(|c| c.items().count()), Some(17));
    assert!(edition.public_result().unwrap().winners.iter().all(|w| w.score.is_some()));
}

/// Where the rules take silence for no objection, the edition goes on, and the decision names who said nothing.
#[test]
fn a_department_that_stays_silent_is_named() {
    let mut silent = frozen("zhumadian");
    silent.rules.opinions.as_mut().unwrap().silence_clears.value = true;
    let (_heng, log) = simulate(&silent, Size::default(), &|_| {}).unwrap_or_else(|error| panic!("{error}"));
    let image = log.image();
    let edition = image.state.edition().unwrap();
    let decisions: Vec<_> = edition.applications.values().filter_map(|a| a.review.as_ref()).collect();
    let named: Vec<&str> = decisions.iter().flat_map(|review| &review.silent).map(String::as_str).collect();
    assert_eq!(named, ["credit"], "one department said nothing on one firm");
    assert!(decisions.iter().any(|review| review.passed && !review.silent.is_empty()), "its silence stops nobody");
}
