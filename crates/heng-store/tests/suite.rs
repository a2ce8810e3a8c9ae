//! What every store must do: one suite, run on SQLite in memory, on SQLite in a file, and on PostgreSQL if
//! `HENG_TEST_POSTGRES` holds the address of a server on which the tests may make schemas.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeSet;
use std::sync::Barrier;

use common::{Place, checkpoint, contains, entry, faults, key, noise, other_key, with_secret};
use heng_store::{Entry, LogInfo, Store, StoreError};

suite!(
    records_come_back_as_they_were_given,
    logs_are_listed_by_bytes,
    a_moved_head_leaves_nothing,
    a_batch_is_all_or_nothing,
    unknown_logs_are_named,
    a_missing_record_is_noticed,
    secrets_are_encrypted_and_bound_to_their_record,
    erased_secrets_are_gone_from_the_disk,
    checkpoints_are_swapped_only_after_the_newest,
    attachments_are_encrypted_and_addressed_by_content,
    a_damaged_attachment_is_noticed_and_repaired,
    rows_are_replaced_listed_and_deleted,
    rows_are_found_by_the_beginning_of_their_keys,
    rows_of_many_threads_are_all_kept,
    a_row_is_swapped_only_from_what_was_read,
    contradictions_are_reported,
    another_key_is_refused_at_the_start,
    a_newer_schema_is_refused,
    everything_survives_a_restart,
    of_eight_writers_one_wins_and_none_is_lost,
    a_large_batch_and_a_large_attachment,
);

fn texts(store: &dyn Store, log: &str, from: u64, limit: u64) -> Vec<String> {
    let read = store.read(log, from, limit).unwrap();
    read.into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect()
}

fn records_come_back_as_they_were_given(place: &Place) {
    let store = place.open();
    store.create_log("zmd/2026", "edition").unwrap();
    let odd = Entry { bytes: vec![0, 255, 10, 0], secret: None };
    store.append("zmd/2026", 0, &[entry("零"), entry("one")]).unwrap();
    store.append("zmd/2026", 2, &[]).unwrap();
    store.append("zmd/2026", 2, &[odd.clone(), entry("")]).unwrap();
    assert_eq!(store.size("zmd/2026").unwrap(), 4);
    assert_eq!(texts(&*store, "zmd/2026", 0, 2), ["零", "one"]);
    assert_eq!(store.read("zmd/2026", 2, 1).unwrap(), [odd.bytes]);
    assert_eq!(texts(&*store, "zmd/2026", 3, u64::MAX), [""]);
    assert!(store.read("zmd/2026", 4, 10).unwrap().is_empty());
    assert!(store.read("zmd/2026", u64::MAX, u64::MAX).unwrap().is_empty());
    assert!(store.read("zmd/2026", 0, 0).unwrap().is_empty());
    assert!(faults(&*store).is_empty());
}

fn logs_are_listed_by_bytes(place: &Place) {
    let store = place.open();
    for id in ["b", "a/2", "A", "办", "a-1", "Z"] {
        store.create_log(id, "kind").unwrap();
    }
    store.append("A", 0, &[entry("x")]).unwrap();
    let ids: Vec<String> = store.logs().unwrap().into_iter().map(|log| log.id).collect();
    assert_eq!(ids, ["A", "Z", "a-1", "a/2", "b", "办"]);
    let first = LogInfo { id: "A".to_owned(), kind: "kind".to_owned(), size: 1 };
    assert_eq!(store.logs().unwrap()[0], first);
    let error = store.create_log("A", "other").unwrap_err();
    assert!(matches!(error, StoreError::AlreadyExists { .. }), "{error}");
    assert_eq!(store.logs().unwrap()[0], first);
}

fn a_moved_head_leaves_nothing(place: &Place) {
    let store = place.open();
    store.create_log("a", "kind").unwrap();
    store.append("a", 0, &[entry("0"), entry("1")]).unwrap();
    for wrong in [0, 1, 3, u64::MAX] {
        let error = store.append("a", wrong, &[with_secret("x", b"y")]).unwrap_err();
        let right =
            matches!(&error, StoreError::HeadMoved { log, expected, found: 2 } if log == "a" && *expected == wrong);
        assert!(right, "{error}");
    }
    assert_eq!(texts(&*store, "a", 0, 9), ["0", "1"]);
    assert!(store.secrets("a").unwrap().is_empty());
    store.append("a", 2, &[entry("2")]).unwrap();
    assert!(faults(&*store).is_empty());
}

/// A row that is already there makes the insert of the third record fail, after two have gone well.
fn a_batch_is_all_or_nothing(place: &Place) {
    if !place.lasts() {
        return;
    }
    let store = place.open();
    store.create_log("a", "kind").unwrap();
    store.append("a", 0, &[entry("0")]).unwrap();
    place.tamper("INSERT INTO record (log, seq, bytes) SELECT log, 3, bytes FROM record");
    let batch = [with_secret("1", b"s"), entry("2"), entry("3")];
    store.append("a", 1, &batch).unwrap_err();
    assert_eq!(store.size("a").unwrap(), 1);
    assert!(store.secrets("a").unwrap().is_empty());
    place.tamper("DELETE FROM record WHERE seq = 3");
    assert_eq!(texts(&*store, "a", 0, 9), ["0"]);
    store.append("a", 1, &batch).unwrap();
    assert_eq!(texts(&*store, "a", 0, 9), ["0", "1", "2", "3"]);
    assert!(faults(&*store).is_empty());
}

fn unknown_logs_are_named(place: &Place) {
    let store = place.open();
    let errors = [
        store.size("nowhere").unwrap_err(),
        store.append("nowhere", 0, &[entry("x")]).unwrap_err(),
        store.read("nowhere", 0, 1).unwrap_err(),
        store.put_checkpoint("nowhere", None, &checkpoint(1, 1)).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
        assert!(error.to_string().contains("nowhere"), "{error}");
    }
    assert!(store.secrets("nowhere").unwrap().is_empty());
    assert!(store.last_checkpoint("nowhere").unwrap().is_none());
}

fn a_missing_record_is_noticed(place: &Place) {
    if !place.lasts() {
        return;
    }
    let store = place.open();
    store.create_log("a", "kind").unwrap();
    store.append("a", 0, &[entry("0"), entry("1"), entry("2"), entry("3")]).unwrap();
    for gone in [1, 3] {
        place.tamper(&format!("DELETE FROM record WHERE seq = {gone}"));
        let error = store.read("a", 0, 9).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("record 1 is missing"), "{error}");
        assert_eq!(faults(&*store).len(), 1);
    }
    assert_eq!(texts(&*store, "a", 0, 1), ["0"]);
    assert!(store.read("a", 3, 1).unwrap_err().to_string().contains("record 3"));
}

fn secrets_are_encrypted_and_bound_to_their_record(place: &Place) {
    let plain = b"the expert gave 87 points, and nobody may see it yet";
    let store = place.open();
    store.create_log("a", "kind").unwrap();
    store.create_log("b", "kind").unwrap();
    let batch = [with_secret("0", plain), entry("1"), with_secret("2", b"")];
    store.append("a", 0, &batch).unwrap();
    store.append("b", 0, &batch).unwrap();
    assert_eq!(store.secret("a", 0).unwrap().unwrap(), plain);
    assert_eq!(store.secret("a", 1).unwrap(), None);
    assert_eq!(store.secret("a", 7).unwrap(), None);
    assert_eq!(store.secrets("a").unwrap(), [(0, plain.to_vec()), (2, Vec::new())]);
    store.put_row("draft", "mine", plain).unwrap();
    if let Some(disk) = place.disk() {
        assert!(!contains(&disk, plain), "a secret lies in clear on the disk");
        assert!(!contains(&disk, &plain[..20]), "a part of a secret lies in clear on the disk");
    }
    if place.lasts() {
        // A secret that is moved to another record does not open there.
        place.tamper("UPDATE secret SET seq = 1 WHERE log = 'b' AND seq = 0");
        let error = store.secret("b", 1).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        assert!(matches!(store.secrets("b"), Err(StoreError::Damaged { .. })));
        assert_eq!(faults(&*store).len(), 1);
    }
}

fn erased_secrets_are_gone_from_the_disk(place: &Place) {
    let store = place.open();
    store.create_log("a", "kind").unwrap();
    // Short ones lie in the page of their row, long ones in pages of their own.
    let batch: Vec<Entry> =
        (0..20).map(|i| with_secret("x", &noise(if i % 2 == 0 { 200 } else { 20_000 }, i))).collect();
    store.append("a", 0, &batch).unwrap();
    let sealed = match place.lasts() {
        true => place.peek("SELECT sealed FROM secret WHERE seq IN (6, 7) ORDER BY seq"),
        false => Vec::new(),
    };
    let mut seen = false;
    if let Some(disk) = place.disk() {
        seen = sealed.iter().all(|bytes| contains(&disk, &bytes[..150]));
        assert!(seen, "the test looks in the wrong files");
    }
    assert!(store.erase_secret("a", 6).unwrap());
    assert!(store.erase_secret("a", 7).unwrap());
    assert!(!store.erase_secret("a", 7).unwrap());
    assert_eq!(store.secret("a", 6).unwrap(), None);
    assert_eq!(store.secret("a", 7).unwrap(), None);
    assert_eq!(store.secrets("a").unwrap().len(), 18);
    match place.disk() {
        Some(disk) => {
            for bytes in &sealed {
                for part in bytes.chunks_exact(64) {
                    assert!(!contains(&disk, part), "erased bytes still lie on the disk");
                }
            }
        }
        None if seen => panic!("the disk cannot be read any more"),
        None => {}
    }
    assert_eq!(store.size("a").unwrap(), 20);
    assert!(faults(&*store).is_empty());
}

fn checkpoints_are_swapped_only_after_the_newest(place: &Place) {
    let store = place.open();
    store.create_log("a", "kind").unwrap();
    let entries: Vec<Entry> = (0..9).map(|i| entry(&i.to_string())).collect();
    store.append("a", 0, &entries).unwrap();
    let (first, second) = (checkpoint(3, 1), checkpoint(7, 2));
    assert_eq!(store.last_checkpoint("a").unwrap(), None);
    store.put_checkpoint("a", None, &first).unwrap();
    store.put_checkpoint("a", None, &first).unwrap();
    store.put_checkpoint("a", Some((3, [1; 32])), &second).unwrap();
    store.put_checkpoint("a", Some((3, [1; 32])), &second).unwrap();
    let refused = [
        (None, checkpoint(8, 3)),
        (Some((3, [1; 32])), checkpoint(8, 3)),
        (Some((7, [9; 32])), checkpoint(8, 3)),
        // Another root for the same size is a fork; a smaller one is a roll back; the first one is long past.
        (Some((7, [2; 32])), checkpoint(7, 3)),
        (Some((7, [2; 32])), checkpoint(6, 3)),
        (Some((7, [2; 32])), first.clone()),
    ];
    for (previous, next) in refused {
        let error = store.put_checkpoint("a", previous, &next).unwrap_err();
        assert!(matches!(&error, StoreError::CheckpointMoved { log, .. } if log == "a"), "{error}");
    }
    assert_eq!(store.last_checkpoint("a").unwrap(), Some(second.clone()));
    assert_eq!(store.checkpoints("a").unwrap(), [first, second]);
    assert!(faults(&*store).is_empty());
}

fn attachments_are_encrypted_and_addressed_by_content(place: &Place) {
    let store = place.open();
    let plain = b"a dossier of forty pages about a factory and its people";
    let sha256 = store.put_attachment(plain).unwrap();
    assert_eq!(store.put_attachment(plain).unwrap(), sha256);
    assert_eq!(store.attachment(&sha256).unwrap().unwrap(), plain);
    let empty = store.put_attachment(b"").unwrap();
    assert_eq!(hex::encode(empty), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(store.attachment(&empty).unwrap().unwrap(), b"");
    assert_eq!(store.attachment(&[0; 32]).unwrap(), None);
    if let Some(disk) = place.disk() {
        assert!(!contains(&disk, plain), "an attachment lies in clear on the disk");
    }
}

fn a_damaged_attachment_is_noticed_and_repaired(place: &Place) {
    if !place.lasts() {
        return;
    }
    let store = place.open();
    let sha256 = store.put_attachment(b"first").unwrap();
    let other = store.put_attachment(b"other").unwrap();
    // A short one, and one that belongs to another address.
    let quote = match store.engine() {
        "sqlite" => "x'0011'",
        _ => "'\\x0011'",
    };
    for sealed in [quote, "(SELECT sealed FROM attachment ORDER BY sha256 DESC LIMIT 1)"] {
        place.tamper(&format!("UPDATE attachment SET sealed = {sealed}"));
        let damaged = [sha256, other].map(|sha256| store.attachment(&sha256).is_err());
        let count = damaged.iter().filter(|damaged| **damaged).count();
        assert!(count >= 1);
        assert_eq!(faults(&*store).len(), count);
        for (bytes, sha256) in [(b"first", sha256), (b"other", other)] {
            if let Err(error) = store.attachment(&sha256) {
                assert!(
                    matches!(&error, StoreError::Damaged { what, .. } if what.contains(&hex::encode(sha256))),
                    "{error}"
                );
            }
            assert_eq!(store.put_attachment(bytes).unwrap(), sha256);
            assert_eq!(store.attachment(&sha256).unwrap().unwrap(), bytes);
        }
        assert!(faults(&*store).is_empty());
    }
}

fn a_row_is_swapped_only_from_what_was_read(place: &Place) {
    let store = place.open();
    assert!(!store.swap_row("account", "a", Some(b"1"), Some(b"2")).unwrap());
    assert!(store.swap_row("account", "a", None, Some(b"1")).unwrap());
    assert!(!store.swap_row("account", "a", None, Some(b"2")).unwrap());
    assert!(store.swap_row("account", "a", Some(b"1"), Some(b"2")).unwrap());
    assert!(!store.swap_row("account", "a", Some(b"1"), None).unwrap());
    assert_eq!(store.row("account", "a").unwrap().unwrap(), b"2");
    assert!(store.swap_row("account", "a", Some(b"2"), None).unwrap());
    assert_eq!(store.row("account", "a").unwrap(), None);
    // Of many who start from the same row, one wins; of many who make it, too.
    for expected in [None, Some(b"0".as_slice())] {
        let won = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for n in 1..=4_u8 {
                let (store, won) = (&store, &won);
                scope.spawn(move || {
                    if store.swap_row("account", "b", expected, Some(&[n])).unwrap() {
                        won.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(won.into_inner(), 1);
        store.put_row("account", "b", b"0").unwrap();
    }
}

fn rows_are_replaced_listed_and_deleted(place: &Place) {
    let store = place.open();
    store.put_row("draft", "b", b"1").unwrap();
    store.put_row("draft", "B", b"2").unwrap();
    store.put_row("draft", "稿", &[0, 255]).unwrap();
    store.put_row("session", "b", b"3").unwrap();
    store.put_row("draft", "b", b"4").unwrap();
    assert_eq!(store.row("draft", "b").unwrap().unwrap(), b"4");
    assert_eq!(store.row("session", "b").unwrap().unwrap(), b"3");
    assert_eq!(store.row("session", "c").unwrap(), None);
    let rows = store.rows("draft").unwrap();
    let keys: Vec<&str> = rows.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["B", "b", "稿"]);
    assert_eq!(rows[2].1, [0, 255]);
    assert!(store.delete_row("draft", "b").unwrap());
    assert!(!store.delete_row("draft", "b").unwrap());
    assert_eq!(store.row("draft", "b").unwrap(), None);
    assert_eq!(store.rows("draft").unwrap().len(), 2);
    assert!(store.rows("none").unwrap().is_empty());
}

fn rows_are_found_by_the_beginning_of_their_keys(place: &Place) {
    let store = place.open();
    for key in ["a", "a|1", "a|稿", "a|\u{10FFFE}", "a}", "b|1", "A|1", "a%1"] {
        store.put_row("file", key, key.as_bytes()).unwrap();
    }
    store.put_row("draft", "a|2", b"another kind").unwrap();
    let found = |prefix: &str| -> Vec<String> {
        let rows = store.rows_with_prefix("file", prefix).unwrap();
        assert!(rows.iter().all(|(key, value)| key.as_bytes() == value));
        rows.into_iter().map(|(key, _)| key).collect()
    };
    assert_eq!(found("a|"), ["a|1", "a|稿", "a|\u{10FFFE}"]);
    assert_eq!(found("a|稿"), ["a|稿"]);
    assert_eq!(found("a%"), ["a%1"]);
    assert!(found("c").is_empty());
    assert_eq!(found("").len(), 8);
}

fn rows_of_many_threads_are_all_kept(place: &Place) {
    let store = place.open();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for i in 0..20 {
                    store.put_row("draft", &format!("{thread}|{i}"), b"1").unwrap();
                    store.put_row("draft", &format!("{thread}|{i}"), &[i]).unwrap();
                    // What was acknowledged is there at once, for every reader.
                    assert_eq!(store.row("draft", &format!("{thread}|{i}")).unwrap().unwrap(), [i]);
                    assert!(!store.delete_row("draft", &format!("{thread}|{}", i + 1)).unwrap());
                }
            });
        }
    });
    assert_eq!(store.rows("draft").unwrap().len(), 160);
}

fn contradictions_are_reported(place: &Place) {
    if !place.lasts() {
        return;
    }
    let store = place.open();
    store.create_log("a", "kind").unwrap();
    store.append("a", 0, &[entry("0"), entry("1")]).unwrap();
    store.put_checkpoint("a", None, &checkpoint(2, 1)).unwrap();
    assert!(faults(&*store).is_empty());
    place.tamper("UPDATE log SET size = 3");
    assert_eq!(faults(&*store), ["a: the head says 3 records, 2 are stored, the last one has number 1"]);
    place.tamper("UPDATE log SET size = 1");
    assert_eq!(faults(&*store).len(), 2, "{:?}", faults(&*store));
    place.tamper("UPDATE log SET size = 2; UPDATE checkpoint SET size = 5");
    assert_eq!(faults(&*store), ["a: a checkpoint of 5 records was published, but the log has only 2"]);
}

fn another_key_is_refused_at_the_start(place: &Place) {
    if !place.lasts() {
        return;
    }
    drop(place.open());
    let error = place.try_open(other_key()).err().unwrap();
    assert!(matches!(error, StoreError::Key { .. }), "{error}");
    assert!(error.to_string().contains("another key file"), "{error}");
    drop(place.try_open(key()).unwrap());
}

fn a_newer_schema_is_refused(place: &Place) {
    if !place.lasts() {
        return;
    }
    drop(place.open());
    place.tamper("UPDATE schema SET version = 99");
    let error = place.try_open(key()).err().unwrap();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
    assert!(error.to_string().contains("newer program"), "{error}");
}

fn everything_survives_a_restart(place: &Place) {
    if !place.lasts() {
        return;
    }
    let store = place.open();
    store.create_log("a", "kind").unwrap();
    store.append("a", 0, &[with_secret("0", b"s"), entry("1")]).unwrap();
    store.put_checkpoint("a", None, &checkpoint(2, 1)).unwrap();
    let sha256 = store.put_attachment(b"file").unwrap();
    store.put_row("k", "key", b"value").unwrap();
    drop(store);
    let store = place.open();
    assert_eq!(texts(&*store, "a", 0, 9), ["0", "1"]);
    assert_eq!(store.secret("a", 0).unwrap().unwrap(), b"s");
    assert_eq!(store.last_checkpoint("a").unwrap(), Some(checkpoint(2, 1)));
    assert_eq!(store.attachment(&sha256).unwrap().unwrap(), b"file");
    assert_eq!(store.row("k", "key").unwrap().unwrap(), b"value");
    store.lead("a").unwrap();
    store.append("a", 2, &[entry("2")]).unwrap();
    assert!(faults(&*store).is_empty());
}

fn of_eight_writers_one_wins_and_none_is_lost(place: &Place) {
    const WRITERS: usize = 8;
    let store = place.open();
    let store = &*store;
    store.create_log("a", "kind").unwrap();

    // All at the same head: exactly one wins each round.
    for round in 0..10 {
        let barrier = Barrier::new(WRITERS);
        let wins = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let barrier = &barrier;
                    scope.spawn(move || {
                        barrier.wait();
                        match store.append("a", round, &[entry(&format!("{round} {writer}"))]) {
                            Ok(()) => 1,
                            Err(StoreError::HeadMoved { expected, found, .. }) => {
                                assert_eq!((expected, found), (round, round + 1));
                                0
                            }
                            Err(error) => panic!("{error}"),
                        }
                    })
                })
                .collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).sum::<u64>()
        });
        assert_eq!(wins, 1, "round {round}");
        assert_eq!(store.size("a").unwrap(), round + 1);
    }

    // Each at its own pace, until everybody has written everything.
    store.create_log("b", "kind").unwrap();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            scope.spawn(move || {
                let mut head = 0;
                for i in 0..20 {
                    let batch = [entry(&format!("{writer} {i} x")), entry(&format!("{writer} {i} y"))];
                    loop {
                        match store.append("b", head, &batch) {
                            Ok(()) => break head += 2,
                            Err(StoreError::HeadMoved { found, .. }) => head = found,
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
            });
        }
    });
    let all = texts(store, "b", 0, u64::MAX);
    assert_eq!(all.len(), WRITERS * 20 * 2);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    for pair in all.chunks(2) {
        assert_eq!(pair[0].trim_end_matches('x'), pair[1].trim_end_matches('y'), "a batch was torn");
    }
    assert!(faults(store).is_empty());
}

fn a_large_batch_and_a_large_attachment(place: &Place) {
    let store = place.open();
    store.create_log("a", "kind").unwrap();
    let batch: Vec<Entry> = (0..2500).map(|i| with_secret(&i.to_string(), b"s")).collect();
    store.append("a", 0, &batch).unwrap();
    assert_eq!(texts(&*store, "a", 1999, 2), ["1999", "2000"]);
    assert_eq!(store.secrets("a").unwrap().len(), 2500);
    let big = noise(3_000_000, 5);
    let sha256 = store.put_attachment(&big).unwrap();
    assert!(store.attachment(&sha256).unwrap().unwrap() == big);
}
