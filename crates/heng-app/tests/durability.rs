//! What an office survives: an old backup, a flipped byte, a second server, a crash at any instant, a full disk,
//! and everything that `Log::submit` must refuse without a trace (verifiability.md P08, P11–P20).
//!
//! `HENG_KILL_ROUNDS` sets the number of kills (20), `HENG_FLIPS=all` flips every byte of the database, not a sample.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use heng_app::draft::Draft;
use heng_app::keys::OfficeKey;
use heng_app::simulation::{Cast, Frozen, Numbers, Settings, Stop, run};
use heng_app::{Accepted, AppError, Clock, Heng, Log, ManualClock, Place, SeededEntropy};
use heng_domain::record::{Anchor, Record};
use heng_domain::rules::{Level, read_calendar, read_criteria, read_rules};
use heng_domain::text::Text;
use heng_domain::time::Instant;
use heng_log::checkpoint::open_checkpoint;
use heng_log::signature::PersonalKey;
use heng_log::tree::Frontier;
use heng_log::{Hash, Sha256, sha256};
use heng_store::{DataKey, Entry, SignerMemory, SqliteStore, Store, StoreError};
use jiff::civil::date;
use serde_json::{Value, json};

const OFFICE: &str = "test.example/office";
const EDITION: &str = "test.example/award/2025";
const SEED: u64 = 5;
const NUMBERS: Numbers = Numbers { firms: 3, experts: 2, members: 3 };

fn noon() -> Instant {
    Instant::at(date(2025, 6, 9), 12, 0, 480).unwrap()
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(noon()))
}

fn open_at(folder: &Path, clock: Arc<ManualClock>) -> heng_app::Result<Heng> {
    let place = Place::Folder(folder.to_path_buf());
    Heng::open(&place, clock as Arc<dyn Clock>, Arc::new(SeededEntropy::new(SEED)), &|_, _, _| {})
}

fn open(folder: &Path) -> heng_app::Result<Heng> {
    open_at(folder, clock())
}

fn found(heng: &Heng) -> Cast {
    Cast::found(heng, OFFICE, Text::new("试验办公室", "Test office"), Level::City, NUMBERS, SEED, true).unwrap()
}

fn officer() -> PersonalKey {
    PersonalKey::from_seed(sha256(format!("heng/simulated-key/{SEED}/p:0001").as_bytes()).0)
}

/// A new person: the simplest record of an office.
fn person(log: &Log, number: u64) -> Draft {
    let body = json!({ "name": format!("示例 {number}"), "person": format!("p:{number}") });
    let draft = Draft::new("p:0001", "人员登记", "person.registered".to_owned(), body);
    draft.sign(log.id(), "p:0001", &officer(), log.anchor()).unwrap()
}

/// A person whose name is hidden: a record with a secret.
fn hidden_person(log: &Log, number: u64) -> Draft {
    let body = json!({ "person": format!("p:{number}") });
    let draft = Draft::new("p:0001", "人员登记", "person.registered".to_owned(), body);
    let values = BTreeMap::from([("/name".to_owned(), json!("示例"))]);
    let key = sha256(&number.to_be_bytes()).0;
    draft.hiding(key, values).sign(log.id(), "p:0001", &officer(), log.anchor()).unwrap()
}

fn size(heng: &Heng) -> u64 {
    heng.store().size(OFFICE).unwrap()
}

fn copy_database(from: &Path, to: &Path) {
    for name in ["heng.sqlite", "heng.sqlite-wal"] {
        let _ = std::fs::remove_file(to.join(name));
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
    let _ = std::fs::remove_file(to.join("heng.sqlite-shm"));
}

// ── T5, P15: an old backup ─────────────────────────────────────────────────────────────────────────────

#[test]
fn a_restored_old_backup_is_refused_with_both_sizes() {
    let dir = tempfile::tempdir().unwrap();
    let backup = tempfile::tempdir().unwrap();
    let heng = open(dir.path()).unwrap();
    found(&heng);
    let stored = size(&heng);
    drop(heng);
    copy_database(dir.path(), backup.path());
    let heng = open(dir.path()).unwrap();
    let log = heng.log(OFFICE).unwrap();
    for i in 0..3 {
        log.submit(person(&log, 9000 + i)).unwrap();
    }
    drop((heng, log));
    let newest = tempfile::tempdir().unwrap();
    copy_database(dir.path(), newest.path());
    copy_database(backup.path(), dir.path());
    let error = open(dir.path()).err().unwrap();
    let text = error.to_string();
    match error {
        AppError::RolledBack { log, stored: found, signed } => {
            assert_eq!((log.as_str(), found, signed), (OFFICE, stored, stored + 3));
        }
        other => panic!("{other}"),
    }
    assert!(text.contains(&stored.to_string()) && text.contains(&(stored + 3).to_string()), "{text}");
    // Nothing was changed by the refusal: with the newest database it opens again.
    copy_database(newest.path(), dir.path());
    assert_eq!(size(&open(dir.path()).unwrap()), stored + 3);
}

/// The office's files without its database: everything is lost, and that is not an empty office.
#[test]
fn a_database_that_vanished_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let heng = open(dir.path()).unwrap();
    found(&heng);
    drop(heng);
    std::fs::remove_file(dir.path().join("heng.sqlite")).unwrap();
    let outcome = open(dir.path());
    assert!(matches!(outcome, Err(AppError::RolledBack { .. })), "an empty office was opened in place of the lost one");
}

// ── T2, P08: changed bytes in the database ─────────────────────────────────────────────────────────────

fn change_record(folder: &Path, seq: u64, change: impl Fn(&mut Vec<u8>)) {
    let connection = rusqlite::Connection::open(folder.join("heng.sqlite")).unwrap();
    let n = i64::try_from(seq).unwrap();
    let select = "SELECT bytes FROM record WHERE seq = ?1";
    let mut bytes: Vec<u8> = connection.query_row(select, [n], |row| row.get(0)).unwrap();
    change(&mut bytes);
    let changed = connection.execute("UPDATE record SET bytes = ?1 WHERE seq = ?2", (bytes, n)).unwrap();
    assert_eq!(changed, 1);
}

#[test]
fn a_changed_record_is_refused() {
    // No record any more; another letter in a field that nobody signed; a signed field.
    type Change = fn(&mut Vec<u8>);
    let changes: [(&str, Change); 3] = [
        ("form", |bytes| bytes[0] = b'['),
        ("basis", |bytes| {
            let at = bytes.windows(9).position(|w| w == b"\"basis\":\"").unwrap() + 9;
            bytes.splice(at..at, *b"x");
        }),
        ("body", |bytes| {
            let at = bytes.windows(10).position(|w| w == b"\"person\":\"").unwrap() + 12;
            bytes[at] = b'9';
        }),
    ];
    for (what, change) in changes {
        let dir = tempfile::tempdir().unwrap();
        let heng = open(dir.path()).unwrap();
        found(&heng);
        drop(heng);
        change_record(dir.path(), 2, change);
        match open(dir.path()).err().unwrap_or_else(|| panic!("{what}: opened")) {
            AppError::Damaged { log, .. } | AppError::Different { log, .. } => assert_eq!(log, OFFICE, "{what}"),
            other => panic!("{what}: {other}"),
        }
        // The doctor names the record.
        let findings = heng_app::doctor::examine(&Place::Folder(dir.path().to_path_buf())).unwrap();
        assert!(!findings.wrong.is_empty(), "{what}");
    }
}

/// What an office holds, as everybody reads it.
#[derive(PartialEq, Debug)]
struct Held {
    records: Vec<Vec<u8>>,
    checkpoints: Vec<(u64, [u8; 32], String)>,
    secrets: Vec<(u64, Vec<u8>)>,
}

fn held(heng: &Heng) -> heng_app::Result<Held> {
    let store = heng.store();
    Ok(Held {
        records: store.read(OFFICE, 0, 10_000)?,
        checkpoints: store.checkpoints(OFFICE)?.into_iter().map(|c| (c.size, c.root, c.note)).collect(),
        secrets: store.secrets(OFFICE)?,
    })
}

fn small_office(folder: &Path) -> Held {
    let heng = open(folder).unwrap();
    found(&heng);
    let log = heng.log(OFFICE).unwrap();
    for i in 0..3 {
        log.submit(hidden_person(&log, 9100 + i)).unwrap();
    }
    let held = held(&heng).unwrap();
    drop((heng, log));
    held
}

/// Flips one bit of each byte; what then opens must hold exactly what it held. Returns the places where it did not.
fn flip_database(
    step: usize,
    skip: usize,
    open_and_read: impl Fn(&Path) -> heng_app::Result<Held>,
) -> Vec<(usize, &'static str)> {
    let dir = tempfile::tempdir().unwrap();
    let before = small_office(dir.path());
    assert!(!dir.path().join("heng.sqlite-wal").exists(), "the database is not in one file");
    let file = dir.path().join("heng.sqlite");
    let sound = std::fs::read(&file).unwrap();
    let signer = std::fs::read(dir.path().join("signer.sqlite")).unwrap();
    let mut silent = Vec::new();
    for at in (skip..sound.len()).step_by(step) {
        let mut bytes = sound.clone();
        bytes[at] ^= 1 << (at % 8);
        for name in ["heng.sqlite-wal", "heng.sqlite-shm", "signer.sqlite-wal", "signer.sqlite-shm"] {
            let _ = std::fs::remove_file(dir.path().join(name));
        }
        std::fs::write(&file, &bytes).unwrap();
        std::fs::write(dir.path().join("signer.sqlite"), &signer).unwrap();
        if let Ok(after) = open_and_read(dir.path()) {
            if after.records != before.records {
                silent.push((at, "records"));
            } else if after != before {
                silent.push((at, "checkpoints or secrets"));
            }
        }
    }
    silent
}

fn all() -> bool {
    std::env::var("HENG_FLIPS").is_ok_and(|value| value == "all")
}

fn as_server(folder: &Path) -> heng_app::Result<Held> {
    held(&open(folder)?)
}

fn as_reader(folder: &Path) -> heng_app::Result<Held> {
    let place = Place::Folder(folder.to_path_buf());
    held(&Heng::read_only(&place, clock() as Arc<dyn Clock>, Arc::new(SeededEntropy::new(SEED)))?)
}

#[test]
fn a_flipped_byte_never_changes_the_records() {
    let step = if all() { 1 } else { 307 };
    let mut silent = flip_database(step, 3, as_server);
    silent.extend(flip_database(if all() { 1 } else { 151 }, 0, as_reader));
    silent.retain(|(_, what)| *what == "records");
    assert!(silent.is_empty(), "silently changed by the bytes {silent:?}");
}

#[test]
fn a_flipped_byte_never_changes_checkpoints_or_secrets() {
    let silent = flip_database(if all() { 1 } else { 97 }, 0, as_server);
    assert!(silent.is_empty(), "silently changed by the bytes {silent:?}");
}

// ── P16: a second server; places that cannot be used ───────────────────────────────────────────────────

#[test]
fn a_second_server_on_the_same_folder_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let heng = open(dir.path()).unwrap();
    found(&heng);
    match open(dir.path()).err().unwrap() {
        AppError::Store(StoreError::Busy { .. }) => {}
        other => panic!("{other}"),
    }
    // The first one is not disturbed, and a reader is welcome.
    let log = heng.log(OFFICE).unwrap();
    log.submit(person(&log, 9000)).unwrap();
    let place = Place::Folder(dir.path().to_path_buf());
    let reader = Heng::read_only(&place, clock() as Arc<dyn Clock>, Arc::new(SeededEntropy::new(SEED))).unwrap();
    assert_eq!(size(&reader), size(&heng));
    let log = reader.log(OFFICE).unwrap();
    assert!(log.submit(person(&log, 9001)).is_err(), "a reader wrote");
    assert_eq!(size(&reader), size(&heng));
}

/// Rights do not bind root, so a file stands where the folder should be.
#[test]
fn a_place_that_is_no_folder_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("office");
    std::fs::write(&file, "a file").unwrap();
    let error = open(&file).err().unwrap();
    assert!(error.to_string().contains("office"), "{error}");
}

// ── P11: crashes ───────────────────────────────────────────────────────────────────────────────────────

#[test]
fn what_was_durable_but_not_signed_is_signed_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let heng = open(dir.path()).unwrap();
    found(&heng);
    let log = heng.log(OFFICE).unwrap();
    let before = size(&heng);
    let drafts = [person(&log, 9000), hidden_person(&log, 9001)];
    let entries: Vec<Entry> = drafts
        .iter()
        .zip(before..)
        .map(|(draft, seq)| Entry {
            bytes: draft.into_record(OFFICE, seq, noon()).unwrap().to_bytes().unwrap(),
            secret: draft.hidden.as_ref().map(|h| h.to_secret().unwrap()),
        })
        .collect();
    let key = log.verifier_key();
    drop((heng, log));
    // The crash: appended, never signed.
    {
        let data_key = DataKey::load_or_create(&dir.path().join("data.key")).unwrap();
        let store = SqliteStore::open(dir.path(), data_key).unwrap();
        store.append(OFFICE, before, &entries).unwrap();
    }
    let heng = open(dir.path()).unwrap();
    let log = heng.log(OFFICE).unwrap();
    assert_eq!(size(&heng), before + 2);
    let newest = heng.store().last_checkpoint(OFFICE).unwrap().unwrap();
    let (checkpoint, _) = open_checkpoint(&newest.note, &key).unwrap();
    assert_eq!((checkpoint.size, checkpoint.root.0), (before + 2, newest.root));
    let memory = SignerMemory::open_read_only(&dir.path().join("signer.sqlite")).unwrap();
    assert_eq!(memory.last(OFFICE).unwrap(), Some((before + 2, newest.root)));
    log.submit(person(&log, 9002)).unwrap();
}

/// A crash between the signer's memory and the published checkpoint.
#[test]
fn what_was_signed_but_not_published_is_published_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let heng = open(dir.path()).unwrap();
    found(&heng);
    let log = heng.log(OFFICE).unwrap();
    let before = size(&heng);
    let bytes = person(&log, 9000).into_record(OFFICE, before, noon()).unwrap().to_bytes().unwrap();
    let mut frontier = Frontier::new();
    for leaf in &log.image().leaves {
        frontier.push::<Sha256>(*leaf);
    }
    frontier.push::<Sha256>(heng_log::tree::leaf_hash::<Sha256>(&bytes));
    let root = frontier.root::<Sha256>().0;
    let last = heng.store().last_checkpoint(OFFICE).unwrap().unwrap();
    drop((heng, log));
    {
        let data_key = DataKey::load_or_create(&dir.path().join("data.key")).unwrap();
        let store = SqliteStore::open(dir.path(), data_key).unwrap();
        store.append(OFFICE, before, &[Entry { bytes, secret: None }]).unwrap();
        let memory = SignerMemory::open(&dir.path().join("signer.sqlite")).unwrap();
        memory.advance(OFFICE, Some((last.size, last.root)), (before + 1, root)).unwrap();
    }
    let heng = open(dir.path()).unwrap();
    let newest = heng.store().last_checkpoint(OFFICE).unwrap().unwrap();
    assert_eq!((newest.size, newest.root), (before + 1, root));
}

const CHILD: &str = "HENG_TEST_CHILD";

/// Not a test of its own: the process that is killed. It prints each record that was acknowledged.
#[test]
fn child_that_writes_until_it_is_killed() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let heng = open(Path::new(&folder)).unwrap();
    let log = heng.log(OFFICE).unwrap();
    let mut out = std::io::stdout();
    loop {
        let number = 10_000 + log.image().state.position().0;
        let draft = if number.is_multiple_of(3) { hidden_person(&log, number) } else { person(&log, number) };
        let accepted: Accepted = log.submit(draft).unwrap();
        writeln!(out, "acknowledged {} {}", accepted.record.seq, accepted.leaf).unwrap();
        out.flush().unwrap();
    }
}

fn kill_at(folder: &Path, round: u64) -> Vec<(u64, String)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_writes_until_it_is_killed", "--nocapture", "--test-threads=1"])
        .env(CHILD, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let random = u64::from_be_bytes(sha256(&round.to_be_bytes()).0[..8].try_into().unwrap());
    let mut acknowledged = Vec::new();
    let mut read = |lines: &mut std::io::Lines<_>| -> bool {
        let Some(Ok(line)) = Iterator::next(lines) else { return false };
        // The harness prints the name of the test in front of the first line.
        if let Some((_, rest)) = line.split_once("acknowledged ") {
            let (seq, leaf) = rest.split_once(' ').unwrap();
            acknowledged.push((seq.parse().unwrap(), leaf.to_owned()));
        }
        true
    };
    // Some rounds are killed while they start, the others after some acknowledged records; the pause only decides in
    // the middle of what the kill comes.
    if !round.is_multiple_of(4) {
        for _ in 0..1 + random % 9 {
            read(&mut lines);
        }
    }
    std::thread::sleep(Duration::from_micros(random / 16 % 25_000));
    child.kill().unwrap();
    child.wait().unwrap();
    while read(&mut lines) {}
    acknowledged
}

#[test]
fn nothing_acknowledged_is_lost_by_a_kill() {
    let rounds: u64 = std::env::var("HENG_KILL_ROUNDS").ok().and_then(|v| v.parse().ok()).unwrap_or(20);
    let dir = tempfile::tempdir().unwrap();
    let heng = open(dir.path()).unwrap();
    found(&heng);
    let mut before = size(&heng);
    drop(heng);
    let mut total = 0;
    for round in 0..rounds {
        let acknowledged = kill_at(dir.path(), round);
        total += acknowledged.len();
        let heng = open(dir.path()).unwrap_or_else(|error| panic!("round {round}: {error}"));
        let log = heng.log(OFFICE).unwrap();
        let now = size(&heng);
        let last = acknowledged.last().map_or(before, |(seq, _)| seq + 1);
        assert!(now == last || now == last + 1, "round {round}: {before} → {now}, acknowledged to {last}");
        let image = log.image();
        for (seq, leaf) in &acknowledged {
            let at = usize::try_from(*seq).unwrap();
            assert_eq!(image.leaves[at].to_string(), *leaf, "round {round}: record {seq}");
        }
        assert_eq!(image.checkpoint.as_ref().map(|c| c.size), Some(now), "round {round}");
        drop(image);
        drop((heng, log));
        let findings = heng_app::doctor::examine(&Place::Folder(dir.path().to_path_buf())).unwrap();
        assert!(findings.wrong.is_empty(), "round {round}: {:?}", findings.wrong);
        before = now;
    }
    assert!(total > 0, "no round was killed after a record");
}

// ── P13: a full disk ───────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_full_disk_refuses_and_work_goes_on_when_there_is_space() {
    let dir = tempfile::tempdir().unwrap();
    let data_key = DataKey::from_bytes([7; 32]);
    let store = Arc::new(SqliteStore::open(dir.path(), data_key).unwrap());
    let memory = SignerMemory::open(&dir.path().join("signer.sqlite")).unwrap();
    let heng = Heng::with(
        Arc::clone(&store) as Arc<dyn Store>,
        memory,
        OfficeKey::from_bytes([8; 32]),
        clock() as Arc<dyn Clock>,
        Arc::new(SeededEntropy::new(SEED)),
        &|_, _, _| {},
    )
    .unwrap();
    found(&heng);
    let log = heng.log(OFFICE).unwrap();
    let (records, anchor) = (size(&heng), log.anchor());
    store.limit_pages(1).unwrap();
    // The file's last pages may still have room for a few small records: a large batch has none.
    let batch: Vec<Draft> = (0..400).map(|i| person(&log, 9000 + i)).collect();
    let answers = log.submit_all(batch);
    assert!(answers.iter().all(Result::is_err), "some of the batch were accepted");
    let full = answers.iter().any(|a| matches!(a, Err(AppError::Store(StoreError::Full { .. }))));
    assert!(full, "{}", answers[0].as_ref().err().unwrap());
    assert_eq!(size(&heng), records);
    assert_eq!(log.anchor(), anchor);
    store.limit_pages(1_000_000).unwrap();
    for answer in log.submit_all((0..400).map(|i| person(&log, 9000 + i)).collect()) {
        answer.unwrap();
    }
    assert_eq!(size(&heng), records + 400);
    assert_eq!(log.anchor().size, records + 400);
}

// ── P18, P20, P27–P29: what is refused leaves no trace ─────────────────────────────────────────────────

/// `error` is the refusal `code`.
#[track_caller]
fn refused(error: &AppError, code: &str) {
    match error {
        AppError::Refused(refusal) => assert_eq!(refusal.code, code),
        other => panic!("{code} expected: {other}"),
    }
}

#[test]
fn what_an_office_refuses_leaves_no_trace() {
    let clock = clock();
    let heng = Heng::in_memory(Arc::clone(&clock) as Arc<dyn Clock>, Arc::new(SeededEntropy::new(SEED))).unwrap();
    found(&heng);
    let log = heng.log(OFFICE).unwrap();
    let before = (size(&heng), log.anchor());
    let mut wrong: Vec<(Draft, &str)> = Vec::new();

    let mut forged = person(&log, 9000);
    forged.body["name"] = json!("another");
    wrong.push((forged, "signature.invalid"));

    let mut other_key = person(&log, 9000);
    other_key.sigs.clear();
    let other_key = other_key.sign(OFFICE, "p:0001", &PersonalKey::from_seed([1; 32]), log.anchor()).unwrap();
    wrong.push((other_key, "signature.other_key"));

    let mut unsigned = person(&log, 9000);
    unsigned.sigs.clear();
    wrong.push((unsigned, "signature.too_few"));

    let malformed = |body: Value| {
        let draft = Draft::new("p:0001", "人员登记", "person.registered".to_owned(), body);
        draft.sign(OFFICE, "p:0001", &officer(), log.anchor()).unwrap()
    };
    wrong.push((malformed(json!({ "name": "x" })), "record.body"));
    wrong.push((malformed(json!({ "name": "x", "person": "p:9000", "extra": 1 })), "record.body"));
    wrong.push((malformed(json!("text")), "record.body"));
    wrong.push((malformed(json!({ "name": "x", "person": "p:0001" })), "person.seated_twice"));
    wrong.push((malformed(json!({ "person": "p:9000" })), "person.no_name"));
    let mut unknown = malformed(json!({}));
    unknown.kind = "person.crowned".to_owned();
    wrong.push((unknown, "record.kind"));
    let mut nobody = person(&log, 9000);
    nobody.actor = "p:9999".to_owned();
    wrong.push((nobody, "role.missing"));
    let mut baseless = person(&log, 9000);
    baseless.basis.clear();
    wrong.push((baseless, "record.basis"));

    for (draft, code) in wrong {
        refused(&log.submit(draft).err().unwrap_or_else(|| panic!("{code}: accepted")), code);
        assert_eq!((size(&heng), log.anchor()), before, "{code}");
    }

    // An anchor that was never published, and one of a size that was never signed.
    for at in [Anchor { size: before.0, root: Hash([9; 32]) }, Anchor { size: 3, root: before.1.root }] {
        let mut draft = person(&log, 9000);
        draft.sigs.clear();
        let draft = draft.sign(OFFICE, "p:0001", &officer(), at).unwrap();
        assert!(matches!(log.submit(draft), Err(AppError::UnknownAnchor { .. })));
    }
    // Numbers with a fraction are no canonical record.
    let fraction = Draft::new("p:0001", "x", "person.registered".to_owned(), json!({ "person": 1.5 }));
    assert!(matches!(log.submit(fraction), Err(AppError::Record(_))));
    // The clock goes back.
    clock.set(noon().plus_millis(-1).unwrap());
    refused(&log.submit(person(&log, 9000)).unwrap_err(), "record.time");
    clock.set(noon());
    assert_eq!((size(&heng), log.anchor()), before);

    // In one pass with sound ones, the wrong ones do not disturb.
    let mut forged = person(&log, 9001);
    forged.body["name"] = json!("another");
    let answers = log.submit_all(vec![person(&log, 9000), forged, person(&log, 9000), person(&log, 9002)]);
    let accepted: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(accepted, [true, false, false, true]);
    refused(answers[2].as_ref().err().unwrap(), "person.seated_twice");
    assert_eq!(size(&heng), before.0 + 2);
}

fn data(path: &str) -> String {
    std::fs::read_to_string(format!("{}/../../data/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn edition(stop: Stop) -> (Heng, Arc<ManualClock>, Cast, Arc<Log>) {
    let rules = read_rules("zhumadian", &data("programmes/zhumadian.toml")).unwrap();
    let criteria = read_criteria("criteria", &data(&format!("criteria/{}.toml", rules.criteria.value))).unwrap();
    let calendar = read_calendar("calendar", &data("calendars/cn.toml")).unwrap();
    let frozen = Frozen { rules, criteria, calendar };
    let clock = Arc::new(ManualClock::at(Instant::at(date(2025, 6, 9), 7, 0, 480).unwrap()));
    let heng = Heng::in_memory(Arc::clone(&clock) as Arc<dyn Clock>, Arc::new(SeededEntropy::new(SEED))).unwrap();
    let numbers = Numbers { firms: 9, experts: 40, members: 15 };
    let name = Text::new("试验办公室", "Test office");
    let cast = Cast::found(&heng, OFFICE, name, Level::City, numbers, SEED, true).unwrap();
    let settings = Settings {
        applicants: 9,
        experts: 40,
        members: 15,
        seed: SEED,
        year: 2025,
        edition: "2025".to_owned(),
        label: Text::new("2025", "2025"),
        log: EDITION.to_owned(),
        programme: "award".to_owned(),
        start: date(2025, 6, 9),
        stop: Some(stop),
    };
    let log = run(&heng, &clock, &cast, &frozen, &settings, &|_| {}).unwrap();
    (heng, clock, cast, log)
}

/// The newest record of a kind, as a draft without signatures.
fn again(heng: &Heng, log: &Log, kind: &str) -> Draft {
    let size = heng.store().size(log.id()).unwrap();
    let records = heng.store().read(log.id(), 0, size).unwrap();
    let record = records.iter().rev().map(|b| Record::parse(b).unwrap()).find(|r| r.kind == kind).unwrap();
    Draft::new(&record.actor, &record.basis, record.kind, record.body)
}

#[test]
fn a_ballot_counts_once_and_only_while_the_motion_is_open() {
    let (heng, clock, cast, log) = edition(Stop::Voting { motions: 1, ballots: 4 });
    let before = heng.store().size(EDITION).unwrap();
    let sign = |draft: Draft, by: &str| cast.actor(by).unwrap().key.sign(draft, EDITION, by, log.anchor()).unwrap();
    let ballot = again(&heng, &log, "ballot.cast");
    let voter = ballot.actor.clone();
    let nonce = |n: u8| json!(hex::encode([n; 16]));

    refused(&log.submit(sign(ballot.clone(), &voter)).unwrap_err(), "ballot.nonce");
    let mut second = ballot.clone();
    second.body["nonce"] = nonce(1);
    refused(&log.submit(sign(second.clone(), &voter)).unwrap_err(), "ballot.supersedes");
    let mut correction = second.clone();
    let earlier = heng_domain::edition::committee::value_hash(&ballot.body).unwrap();
    correction.body["supersedes"] = json!(earlier);
    refused(&log.submit(sign(correction.clone(), "p:0002")).unwrap_err(), "signature.missing");
    let mut forged = sign(correction.clone(), &voter);
    forged.body["choice"] = json!(["abstain"]);
    refused(&log.submit(forged).unwrap_err(), "signature.invalid");
    let mut absent = second.clone();
    absent.actor = "p:0024".to_owned();
    absent.body["voter"] = json!("p:0024");
    refused(&log.submit(sign(absent, "p:0024")).unwrap_err(), "ballot.absent");
    assert_eq!(heng.store().size(EDITION).unwrap(), before);

    // The last correction before the close counts; after it nothing does.
    let accepted = log.submit(sign(correction, &voter)).unwrap();
    let motion = ballot.body["motion"].clone();
    let close = Draft::new("p:0010", "x", "motion.closed".to_owned(), json!({ "motion": motion }));
    clock.advance_millis(1);
    log.submit(sign(close, "p:0010")).unwrap();
    let closed = heng.store().size(EDITION).unwrap();
    let mut late = second;
    late.body["nonce"] = nonce(2);
    late.body["supersedes"] = json!(heng_domain::edition::committee::value_hash(&accepted.record.body).unwrap());
    refused(&log.submit(sign(late, &voter)).unwrap_err(), "ballot.late");
    assert_eq!(heng.store().size(EDITION).unwrap(), closed);
}

#[test]
fn an_application_one_millisecond_late_is_refused_and_one_before_gets_a_receipt() {
    let (heng, clock, _cast, log) = edition(Stop::Applications(4));
    let closes = log.image().state.edition().unwrap().call.as_ref().unwrap().closes;
    let before = heng.store().size(EDITION).unwrap();
    let application = |number: u64, organisation: &str| {
        let mut draft = again(&heng, &log, "application.submitted");
        draft.actor = organisation.to_owned();
        draft.body["application"] = json!(format!("a:{number:03}"));
        draft.body["organisation"] = json!(organisation);
        draft.hiding([number as u8; 32], BTreeMap::from([("/contact".to_owned(), json!("示例"))]))
    };
    clock.set(closes);
    refused(&log.submit(application(8, "o:0008")).unwrap_err(), "application.late");
    assert_eq!(heng.store().size(EDITION).unwrap(), before);
    clock.set(closes.plus_millis(-1).unwrap());
    refused(&log.submit(application(1, "o:0008")).unwrap_err(), "application.number");
    refused(&log.submit(application(8, "o:0001")).unwrap_err(), "application.twice");
    refused(&log.submit(application(8, "o:0777")).unwrap_err(), "organisation.unknown");
    assert_eq!(heng.store().size(EDITION).unwrap(), before);
    let accepted = log.submit(application(8, "o:0008")).unwrap();
    let receipt = log.receipt(accepted.record.seq).unwrap();
    let (checkpoint, _) = open_checkpoint(&receipt.checkpoint, &log.verifier_key()).unwrap();
    assert_eq!(checkpoint.size, before + 1);
    let bytes = accepted.record.to_bytes().unwrap();
    receipt.verify(&bytes, &log.verifier_key()).unwrap();
    // With another record the same receipt proves nothing.
    assert!(receipt.verify(&[&bytes[..], b" "].concat(), &log.verifier_key()).is_err());
}

// ── group commit ───────────────────────────────────────────────────────────────────────────────────────

#[test]
fn thirty_one_writers_at_once_share_checkpoints() {
    let dir = tempfile::tempdir().unwrap();
    let heng = open(dir.path()).unwrap();
    found(&heng);
    let log = heng.log(OFFICE).unwrap();
    let before = size(&heng);
    let checkpoints = heng.store().checkpoints(OFFICE).unwrap().len();
    let (writers, waves) = (31u64, 8u64);
    let start = Barrier::new(usize::try_from(writers).unwrap());
    std::thread::scope(|scope| {
        for writer in 0..writers {
            let (log, start) = (&log, &start);
            scope.spawn(move || {
                for wave in 0..waves {
                    // Everybody has signed, then all press the button: the end of a roll call.
                    let draft = person(log, 20_000 + writer * 100 + wave);
                    start.wait();
                    let accepted = log.submit(draft).unwrap();
                    // What is acknowledged can be seen, and is covered by a published checkpoint.
                    assert!(accepted.size > accepted.record.seq);
                    assert!(log.image().checkpoint.as_ref().unwrap().size > accepted.record.seq);
                }
            });
        }
    });
    let records = writers * waves;
    assert_eq!(size(&heng), before + records);
    let signed = u64::try_from(heng.store().checkpoints(OFFICE).unwrap().len() - checkpoints).unwrap();
    assert!(signed * 3 <= records, "{signed} checkpoints for {records} records");
    drop((heng, log));
    assert_eq!(size(&open(dir.path()).unwrap()), before + records);
}
