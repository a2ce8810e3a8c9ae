//! What every store must do: one suite, run on SQLite in memory, on SQLite in a file, and on PostgreSQL if
//! `HENG_TEST_POSTGRES` holds the address of a server on which the tests may make schemas.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeSet;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Barrier;

use common::{Place, checkpoint, contains, entry, faults, key, noise, other_key, with_secret};
use heng_store::{Entry, FileReader, LogInfo, PIECE_LIMIT, Store, StoreError, StoredFile};

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
    a_file_arrives_in_pieces_and_becomes_an_attachment,
    pieces_that_do_not_follow_are_refused,
    pieces_cannot_be_swapped_cut_or_given_to_another_file,
    a_file_is_attached_completely_or_not_at_all,
    a_reader_moves_and_holds_one_piece,
    damaged_pieces_are_reported_and_repaired,
    an_attachment_is_never_dropped,
    of_eight_senders_of_one_piece_one_wins,
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

/// Sends a file in pieces of `length`.
fn send(store: &dyn Store, id: &str, bytes: &[u8], length: usize) -> StoredFile {
    let file = StoredFile { id: id.to_owned(), size: bytes.len() as u64 };
    let mut start = 0;
    for piece in bytes.chunks(length) {
        store.put_piece(&file, start, piece).unwrap();
        start += piece.len() as u64;
    }
    file
}

fn read_all(store: &dyn Store, sha256: &[u8; 32]) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    let mut reader = FileReader::attachment(store, sha256)?.unwrap();
    match reader.read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(error.downcast::<StoreError>().unwrap()),
    }
}

fn a_file_arrives_in_pieces_and_becomes_an_attachment(place: &Place) {
    let store = place.open();
    let bytes = noise(3 * PIECE_LIMIT + 17, 3);
    let file = StoredFile { id: "f".to_owned(), size: bytes.len() as u64 };
    assert_eq!(store.received("f").unwrap(), 0);
    store.put_piece(&file, 0, &bytes[..PIECE_LIMIT]).unwrap();
    assert_eq!(store.received("f").unwrap(), PIECE_LIMIT as u64);
    assert_eq!(store.loose_files().unwrap(), ["f"]);
    // A restart in the middle loses nothing.
    let store = if place.lasts() {
        drop(store);
        place.open()
    } else {
        store
    };
    assert_eq!(store.received("f").unwrap(), PIECE_LIMIT as u64);
    let mut start = PIECE_LIMIT as u64;
    for piece in bytes[PIECE_LIMIT..].chunks(PIECE_LIMIT / 2 + 1) {
        store.put_piece(&file, start, piece).unwrap();
        start += piece.len() as u64;
    }
    let sha256 = store.attach(&file).unwrap();
    assert_eq!(store.attach(&file).unwrap(), sha256);
    assert!(store.loose_files().unwrap().is_empty());
    assert_eq!(store.attached(&sha256).unwrap().unwrap(), file);
    assert!(store.attachment(&sha256).unwrap().unwrap() == bytes);
    assert!(read_all(&*store, &sha256).unwrap() == bytes);
    // The same bytes at once are the same attachment.
    assert_eq!(store.put_attachment(&bytes).unwrap(), sha256);
    assert_eq!(store.attached(&sha256).unwrap().unwrap(), file);
    // An attachment that is sealed whole is read by the same reader.
    let small = store.put_attachment(b"small").unwrap();
    assert_eq!(store.attached(&small).unwrap(), None);
    assert_eq!(read_all(&*store, &small).unwrap(), b"small");
    assert!(FileReader::attachment(&*store, &[0; 32]).unwrap().is_none());
    assert!(faults(&*store).is_empty());
    if let Some(disk) = place.disk() {
        assert!(!contains(&disk, &bytes[100..140]), "a piece lies in clear on the disk");
    }
}

fn pieces_that_do_not_follow_are_refused(place: &Place) {
    let store = place.open();
    let file = StoredFile { id: "f".to_owned(), size: 10 };
    store.put_piece(&file, 0, b"0123").unwrap();
    for start in [0, 3, 5, 10, u64::MAX] {
        let error = store.put_piece(&file, start, b"4").unwrap_err();
        let right = matches!(error, StoreError::NotNext { start: s, received: 4, .. } if s == start);
        assert!(right, "{error}");
    }
    for piece in [b"".as_slice(), b"4567890"] {
        store.put_piece(&file, 4, piece).unwrap_err();
    }
    let large = StoredFile { id: "large".to_owned(), size: u64::MAX };
    store.put_piece(&large, 0, &vec![0; PIECE_LIMIT + 1]).unwrap_err();
    assert_eq!(store.received("f").unwrap(), 4);
    assert_eq!(store.received("large").unwrap(), 0);
}

fn pieces_cannot_be_swapped_cut_or_given_to_another_file(place: &Place) {
    if !place.lasts() {
        return;
    }
    let store = place.open();
    let bytes = noise(50, 9);
    for (tampering, reason) in [
        ("UPDATE piece SET sealed = (SELECT p.sealed FROM piece p WHERE p.file = 'a' AND p.start = 10)", "decrypt"),
        ("DELETE FROM piece WHERE start = 20", "missing"),
        ("DELETE FROM piece WHERE start = 40", "missing"),
        ("UPDATE piece SET start = 45 WHERE start = 40", "missing"),
        (
            "UPDATE piece SET sealed = (SELECT p.sealed FROM piece p WHERE p.file = 'b' AND p.start = piece.start)",
            "decrypt",
        ),
        ("UPDATE attachment_file SET sealed = (SELECT f.sealed FROM attachment_file f WHERE f.file = 'b')", "decrypt"),
    ] {
        store.drop_file("a").unwrap();
        let file = send(&*store, "a", &bytes, 10);
        send(&*store, "b", &noise(50, 10), 10);
        let sha256 = store.attach(&file).unwrap();
        store.attach(&StoredFile { id: "b".to_owned(), size: 50 }).unwrap();
        assert!(faults(&*store).is_empty());
        place.tamper(&format!(
            "{tampering}{} file = 'a'",
            if tampering.contains("WHERE start") { " AND" } else { " WHERE" }
        ));
        for error in [store.attachment(&sha256).unwrap_err(), read_all(&*store, &sha256).unwrap_err()] {
            assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
            assert!(error.to_string().contains(reason), "{tampering}: {error}");
        }
        assert_eq!(faults(&*store).len(), 1, "{tampering}");
        place.tamper("DELETE FROM attachment_file; DELETE FROM piece");
    }
    // A file of which the end was cut and whose size was announced smaller is another file: its pieces do not open.
    send(&*store, "a", &bytes, 10);
    place.tamper("DELETE FROM piece WHERE start = 40");
    let error = store.attach(&StoredFile { id: "a".to_owned(), size: 40 }).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(store.attach(&StoredFile { id: "a".to_owned(), size: 50 }).is_err());
}

fn a_file_is_attached_completely_or_not_at_all(place: &Place) {
    let store = place.open();
    let file = StoredFile { id: "f".to_owned(), size: 20 };
    store.put_piece(&file, 0, &[1; 10]).unwrap();
    let error = store.attach(&file).unwrap_err();
    assert!(error.to_string().contains("byte 10 is missing"), "{error}");
    assert_eq!(store.loose_files().unwrap(), ["f"]);
    store.put_piece(&file, 10, &[2; 10]).unwrap();
    if place.lasts() {
        // The second statement of the transaction fails: the first one must not remain.
        let whole = store.put_attachment(&[[1; 10], [2; 10]].concat()).unwrap();
        let damage = if store.engine() == "sqlite" { "x'00'" } else { "'\\x00'" };
        place.tamper(&format!("UPDATE attachment SET sealed = {damage}; ALTER TABLE attachment RENAME TO hidden"));
        assert!(store.attach(&file).is_err());
        place.tamper("ALTER TABLE hidden RENAME TO attachment");
        assert_eq!(store.attached(&whole).unwrap(), None);
        assert_eq!(store.attach(&file).unwrap(), whole);
        assert_eq!(place.peek("SELECT sha256 FROM attachment").len(), 0, "the damaged copy goes");
        assert!(faults(&*store).is_empty());
    }
    assert!(store.drop_file("nothing").is_ok_and(|dropped| !dropped));
}

fn a_reader_moves_and_holds_one_piece(place: &Place) {
    let store = place.open();
    let bytes = noise(1000, 4);
    let file = send(&*store, "f", &bytes, 64);
    let sha256 = store.attach(&file).unwrap();
    for mut reader in [FileReader::file(&*store, file), FileReader::attachment(&*store, &sha256).unwrap().unwrap()] {
        assert_eq!(reader.size(), 1000);
        for from in [999, 0, 63, 64, 500, 65, 1000, 2000] {
            reader.seek(SeekFrom::Start(from)).unwrap();
            let mut part = Vec::new();
            (&mut reader).take(130).read_to_end(&mut part).unwrap();
            let from = 1000.min(from as usize);
            assert_eq!(part, bytes[from..1000.min(from + 130)]);
            assert!(reader.fill().unwrap().len() <= 64);
        }
        assert_eq!(reader.seek(SeekFrom::End(-1)).unwrap(), 999);
        assert!(reader.seek(SeekFrom::Current(-1001)).is_err());
    }
    let empty = StoredFile { id: "empty".to_owned(), size: 0 };
    let nothing = store.attach(&empty).unwrap();
    assert_eq!(read_all(&*store, &nothing).unwrap(), b"");
    assert_eq!(store.attachment(&nothing).unwrap().unwrap(), b"");
}

fn damaged_pieces_are_reported_and_repaired(place: &Place) {
    if !place.lasts() {
        return;
    }
    let store = place.open();
    let bytes = noise(30, 6);
    let file = send(&*store, "old", &bytes, 10);
    let sha256 = store.attach(&file).unwrap();
    let damage = "DELETE FROM piece WHERE start = 10";
    // Sent again in pieces.
    place.tamper(damage);
    assert_eq!(faults(&*store).len(), 1);
    assert_eq!(store.attach(&send(&*store, "new", &bytes, 15)).unwrap(), sha256);
    assert!(faults(&*store).is_empty());
    assert_eq!(store.loose_files().unwrap(), ["old"]);
    assert!(store.drop_file("old").unwrap());
    // Put again at once.
    place.tamper("DELETE FROM piece WHERE start = 15");
    assert_eq!(store.put_attachment(&bytes).unwrap(), sha256);
    assert_eq!(store.attached(&sha256).unwrap(), None);
    assert_eq!(store.attachment(&sha256).unwrap().unwrap(), bytes);
    assert!(faults(&*store).is_empty());
}

fn an_attachment_is_never_dropped(place: &Place) {
    let store = place.open();
    let bytes = noise(30, 7);
    let sha256 = store.attach(&send(&*store, "f", &bytes, 10)).unwrap();
    assert!(!store.drop_file("f").unwrap());
    assert_eq!(store.attachment(&sha256).unwrap().unwrap(), bytes);
    // A second copy is not needed.
    assert_eq!(store.attach(&send(&*store, "g", &bytes, 10)).unwrap(), sha256);
    assert_eq!(store.loose_files().unwrap(), ["g"]);
    assert!(store.drop_file("g").unwrap());
    assert_eq!(store.received("g").unwrap(), 0);
    assert_eq!(store.attachment(&sha256).unwrap().unwrap(), bytes);
}

fn of_eight_senders_of_one_piece_one_wins(place: &Place) {
    let store = place.open();
    let store = &*store;
    let file = StoredFile { id: "f".to_owned(), size: 80 };
    for round in 0..10_u64 {
        let barrier = Barrier::new(8);
        let wins = std::thread::scope(|scope| {
            let senders: Vec<_> = (0..8)
                .map(|sender: u8| {
                    let (barrier, file) = (&barrier, &file);
                    scope.spawn(move || {
                        barrier.wait();
                        match store.put_piece(file, round * 8, &[sender; 8]) {
                            Ok(()) => 1,
                            Err(StoreError::NotNext { received, .. }) => {
                                assert_eq!(received, (round + 1) * 8);
                                0
                            }
                            Err(error) => panic!("{error}"),
                        }
                    })
                })
                .collect();
            senders.into_iter().map(|sender| sender.join().unwrap()).sum::<u64>()
        });
        assert_eq!(wins, 1, "round {round}");
    }
    let sha256 = store.attach(&file).unwrap();
    assert_eq!(store.attachment(&sha256).unwrap().unwrap().len(), 80);
}
