//! Random editions: replay gives the same state, the bundle verifies, the same seed gives the same bytes, and a tally
//! does not depend on the order of the ballots (verifiability.md P03, P25, P41).
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use heng_app::bundle::public_bundle;
use heng_app::simulation::{Cast, Frozen, Numbers, Settings, Size, members_needed, run, simulate};
use heng_app::{Clock, Heng, Log, ManualClock, Place, SeededEntropy};
use heng_domain::ballot::{Count, Vote, count, meets};
use heng_domain::edition::{Edition, HiddenFields};
use heng_domain::record::Record;
use heng_domain::replay::LogState;
use heng_domain::rules::{read_calendar, read_criteria, read_rules};
use heng_domain::text::Text;
use heng_domain::time::Instant;
use heng_verify::{Bundle, Options, Status, verify};
use jiff::civil::date;
use proptest::prelude::*;

fn data(path: &str) -> String {
    std::fs::read_to_string(format!("{}/../../data/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Every rules file that the house ships, with what it needs.
fn programmes() -> &'static [(String, Frozen)] {
    static PROGRAMMES: OnceLock<Vec<(String, Frozen)>> = OnceLock::new();
    PROGRAMMES.get_or_init(read_programmes)
}

fn read_programmes() -> Vec<(String, Frozen)> {
    let folder = format!("{}/../../data/programmes", env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|file| file.unwrap().file_name().into_string().unwrap().strip_suffix(".toml").map(str::to_owned))
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let rules = read_rules(&name, &data(&format!("programmes/{name}.toml"))).unwrap();
            let criteria = data(&format!("criteria/{}.toml", rules.criteria.value));
            let criteria = read_criteria("criteria", &criteria).unwrap();
            let calendar = read_calendar("calendar", &data("calendars/cn.toml")).unwrap();
            (name, Frozen { rules, criteria, calendar })
        })
        .collect()
}

fn size_of(applicants: usize, experts: usize, seed: u64) -> Size {
    Size { applicants, experts, seed }
}

#[test]
fn every_programme_verifies_with_nothing_sealed_that_is_due() {
    for (name, frozen) in programmes() {
        let (heng, log) = simulate(frozen, size_of(16, 48, 4), &|_| {}).unwrap_or_else(|e| panic!("{name}: {e}"));
        let files = public_bundle(&heng, &log).unwrap();
        let report = verify(&Bundle { files }, &Options::default()).unwrap();
        let failed: Vec<_> = report.checks.iter().filter(|c| c.status == Status::Failed).collect();
        assert!(failed.is_empty(), "{name}: {failed:?}");
        // Where the rules keep scores sealed for ever, what needs them stays sealed and is not called right.
        assert!(matches!(report.exit_code(), 0 | 2), "{name}");
    }
}

/// The edition on disk, written by one process and read by another.
fn on_disk(folder: &std::path::Path, frozen: &Frozen, size: Size) -> (Heng, Arc<Log>) {
    let start = date(2025, 6, 9);
    let clock = Arc::new(ManualClock::at(Instant::at(start, 7, 0, 480).unwrap()));
    let place = Place::Folder(folder.to_path_buf());
    let entropy = Arc::new(SeededEntropy::new(size.seed));
    let heng = Heng::open(&place, Arc::clone(&clock) as Arc<dyn Clock>, entropy, &|_, _, _| {}).unwrap();
    let members = members_needed(&frozen.rules, 15);
    let numbers = Numbers { firms: size.applicants, experts: size.experts, members };
    let name = Text::new("试验办公室", "Test office");
    let level = frozen.rules.level;
    let cast = Cast::found(&heng, "test.example/office", name, level, numbers, size.seed, true).unwrap();
    let settings = Settings {
        applicants: size.applicants,
        experts: size.experts,
        members,
        seed: size.seed,
        year: 2025,
        edition: "2025".to_owned(),
        label: Text::new("2025", "2025"),
        log: "test.example/award/2025".to_owned(),
        programme: frozen.rules.id.clone(),
        start,
        stop: None,
    };
    let log = run(&heng, &clock, &cast, frozen, &settings, &|_| {}).unwrap();
    (heng, log)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_read_back_is_the_state_that_was_written(
        seed in 0u64..1_000_000, applicants in 8usize..24, which in any::<prop::sample::Index>(),
    ) {
        let programmes = programmes();
        let (_, frozen) = which.get(programmes);
        let dir = tempfile::tempdir().unwrap();
        let (heng, log) = on_disk(dir.path(), frozen, size_of(applicants, 48, seed));
        let written = log.image().state.edition().unwrap().clone();
        let anchor = log.anchor();
        let files = public_bundle(&heng, &log).unwrap();
        let office = heng.office_log().unwrap().image().state.office().unwrap().clone();
        drop((heng, log));

        let place = Place::Folder(dir.path().to_path_buf());
        let clock = Arc::new(ManualClock::at(written.last));
        let heng = Heng::open(&place, clock as Arc<dyn Clock>, Arc::new(SeededEntropy::new(1)), &|_, _, _| {}).unwrap();
        let log = heng.log("test.example/award/2025").unwrap();
        prop_assert!(*log.image().state.edition().unwrap() == written);
        prop_assert!(*heng.office_log().unwrap().image().state.office().unwrap() == office);
        prop_assert_eq!(log.anchor(), anchor);
        prop_assert!(public_bundle(&heng, &log).unwrap() == files);
        let report = verify(&Bundle { files }, &Options::default()).unwrap();
        prop_assert!(report.checks.iter().all(|c| c.status != Status::Failed));
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_gives_others(
        seed in 0u64..1_000_000, applicants in 8usize..24, which in any::<prop::sample::Index>(),
    ) {
        let programmes = programmes();
        let (_, frozen) = which.get(programmes);
        let make = |seed| {
            let (heng, log) = simulate(frozen, size_of(applicants, 48, seed), &|_| {}).unwrap();
            public_bundle(&heng, &log).unwrap()
        };
        let one = make(seed);
        prop_assert!(one == make(seed));
        prop_assert!(one != make(seed + 1));
        let report = verify(&Bundle { files: one }, &Options::default()).unwrap();
        prop_assert!(matches!(report.exit_code(), 0 | 2));
    }

    /// What a verifier without any opening accepts is what the server accepted: nothing hidden is needed to replay.
    #[test]
    fn records_replay_without_the_hidden_values(seed in 0u64..1_000_000) {
        let programmes = programmes();
        let (_, frozen) = &programmes[0];
        let (heng, log) = simulate(frozen, size_of(10, 48, seed), &|_| {}).unwrap();
        let size = heng.store().size(log.id()).unwrap();
        let mut state = LogState::empty("edition").unwrap();
        for bytes in heng.store().read(log.id(), 0, size).unwrap() {
            let record = Record::parse(&bytes).unwrap();
            prop_assert_eq!(record.to_bytes().unwrap(), bytes);
            state.admit(log.id(), &record, &[]).unwrap();
            state.apply(log.id(), &record, &[]).unwrap();
        }
        let image = log.image();
        let (known, blind) = (image.state.edition().unwrap(), state.edition().unwrap());
        prop_assert_eq!(known.winners(), blind.winners());
        prop_assert_eq!(&known.honours, &blind.honours);
        let knows = |edition: &Edition| edition.hidden.values().any(HiddenFields::is_known);
        prop_assert!(!knows(blind) && knows(known));
    }

    /// The announced counts, made anew from the ballots in any order.
    #[test]
    fn announced_counts_do_not_depend_on_the_order_of_ballots(seed in 0u64..1_000_000) {
        let programmes = programmes();
        let (_, frozen) = programmes.iter().find(|(name, _)| name == "zhumadian").unwrap();
        let (_heng, log) = simulate(frozen, size_of(16, 48, seed), &|_| {}).unwrap();
        let image = log.image();
        let edition = image.state.edition().unwrap();
        let mut random = seed;
        for (id, motion) in &edition.motions {
            let rule = &edition.rules().stage(&motion.stage).unwrap().committee.as_ref().unwrap().pass;
            let session = &edition.sessions[&motion.body.session];
            let roll: BTreeSet<String> = session.members.iter().map(|m| m.person.clone()).collect();
            // The last ballot of each voter, found by following the chain of corrections, not by the order.
            let superseded: BTreeSet<_> = motion.ballots.iter().filter_map(|b| b.body.supersedes).collect();
            let mut ballots: Vec<_> = motion.ballots.iter().filter(|b| !superseded.contains(&b.hash)).collect();
            for i in (1..ballots.len()).rev() {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                ballots.swap(i, usize::try_from(random >> 33).unwrap() % (i + 1));
            }
            let mut votes = BTreeMap::new();
            for ballot in ballots {
                let vote = match ballot.body.choice[0].as_str() {
                    "yes" => Vote::Yes,
                    "no" => Vote::No,
                    _ => Vote::Abstain,
                };
                prop_assert!(votes.insert(ballot.body.voter.clone(), vote).is_none(), "two last ballots");
            }
            let option = &motion.body.options[0];
            let again = count(rule, &roll, &motion.present, &motion.recused[option], &votes);
            prop_assert_eq!(&again, &motion.counts[0].count, "{}", id);
            prop_assert_eq!(&edition.tally(id).unwrap(), &motion.counts);
        }
    }
}

// ── the tally itself ───────────────────────────────────────────────────────────────────────────────────

fn member(n: usize) -> String {
    format!("p:{n:04}")
}

fn vote() -> impl Strategy<Value = Vote> {
    prop_oneof![Just(Vote::Yes), Just(Vote::No), Just(Vote::Abstain)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// P25: 15–40 members with recusals and absences, counted in another way; strangers and the recused never count.
    #[test]
    fn a_tally_is_what_a_person_counts_by_hand(
        members in prop::collection::vec((any::<bool>(), 0u8..8, prop::option::of(vote())), 15..40),
        strangers in prop::collection::vec(vote(), 0..5),
        order in any::<u64>(),
    ) {
        let programmes = programmes();
        let (_, frozen) = programmes.iter().find(|(name, _)| name == "zhumadian").unwrap();
        let rule = &frozen.rules.stages.iter().find_map(|s| s.committee.as_ref()).unwrap().pass;
        let (mut roll, mut present, mut recused) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut cast: Vec<(String, Vote)> = Vec::new();
        let mut by_hand = [0u32; 3];
        let (mut base, mut voters) = (0, 0);
        for (n, (here, luck, vote)) in members.iter().enumerate() {
            roll.insert(member(n));
            if *here {
                present.insert(member(n));
            }
            let out = *luck == 0;
            if out {
                recused.insert(member(n));
            } else {
                voters += 1;
                base += u32::from(*here);
            }
            if let Some(vote) = vote {
                cast.push((member(n), *vote));
                if *here && !out {
                    by_hand[match vote { Vote::Yes => 0, Vote::No => 1, Vote::Abstain => 2 }] += 1;
                }
            }
        }
        cast.extend(strangers.iter().enumerate().map(|(n, vote)| (format!("p:9{n:03}"), *vote)));
        present.extend((0..strangers.len()).map(|n| format!("p:9{n:03}")));
        let straight: BTreeMap<String, Vote> = cast.iter().cloned().collect();
        let turn = usize::try_from(order % u64::try_from(cast.len().max(1)).unwrap()).unwrap();
        cast.rotate_left(turn);
        cast.reverse();
        let turned: BTreeMap<String, Vote> = cast.into_iter().collect();
        let counted: Count = count(rule, &roll, &present, &recused, &straight);
        prop_assert_eq!(&counted, &count(rule, &roll, &present, &recused, &turned));
        let [yes, no, abstain] = by_hand;
        prop_assert_eq!((counted.yes, counted.no, counted.abstain), (yes, no, abstain));
        prop_assert_eq!((counted.present, counted.roll), (base, voters));
        prop_assert_eq!(counted.passed, base > 0 && 3 * yes >= 2 * base);
    }
}

/// P26: two thirds of 31 are 21.
#[test]
fn two_thirds_of_thirty_one() {
    let programmes = programmes();
    let (_, frozen) = programmes.iter().find(|(name, _)| name == "zhumadian").unwrap();
    let rule = &frozen.rules.stages.iter().find_map(|s| s.committee.as_ref()).unwrap().pass;
    assert!(meets(rule, 21, 31));
    assert!(!meets(rule, 20, 31));
    assert!(!meets(rule, 0, 0));
}
