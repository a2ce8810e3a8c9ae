//! What can happen to a folder: a second server, a full disk, a damaged file, a kill in the middle, no rights to write.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{checkpoint, entry, key, noise, with_secret};
use heng_store::{Entry, SqliteStore, Store, StoreError, StoredFile};

fn open(dir: &Path) -> SqliteStore {
    SqliteStore::open(dir, key()).unwrap()
}

/// A log with records, secrets, a checkpoint, attachments and rows.
fn filled(dir: &Path) -> SqliteStore {
    let store = open(dir);
    store.create_log("a", "kind").unwrap();
    let batch: Vec<Entry> = (0..30).map(|i| with_secret(&format!("record {i}"), &noise(300, i))).collect();
    store.append("a", 0, &batch).unwrap();
    store.put_checkpoint("a", None, &checkpoint(30, 1)).unwrap();
    store.put_attachment(&noise(9_000, 77)).unwrap();
    store.put_row("draft", "mine", b"text").unwrap();
    store
}

#[test]
fn a_second_server_is_refused_and_a_reader_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    let error = SqliteStore::open(dir.path(), key()).err().unwrap();
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    assert!(error.to_string().contains("another server"), "{error}");

    let reader = SqliteStore::open_read_only(dir.path(), key()).unwrap();
    assert_eq!(reader.size("a").unwrap(), 30);
    store.append("a", 30, &[entry("new")]).unwrap();
    assert_eq!(reader.read("a", 30, 1).unwrap(), [b"new"]);
    assert!(reader.integrity().unwrap().is_empty());
    for error in [
        reader.append("a", 31, &[entry("x")]).unwrap_err(),
        reader.lead("a").unwrap_err(),
        reader.put_row("draft", "mine", b"x").unwrap_err(),
        reader.erase_secret("a", 1).unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
    }
    drop(store);
    drop(open(dir.path()));
    assert_eq!(reader.size("a").unwrap(), 31);
    let wrong = SqliteStore::open_read_only(dir.path(), common::other_key()).err().unwrap();
    assert!(matches!(wrong, StoreError::Key { .. }), "{wrong}");
}

/// A reader that holds an old state keeps the write-ahead file alive; erasing says so and can be called again.
#[test]
fn erasing_says_when_a_reader_keeps_old_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    let connection = common::raw_sqlite(dir.path());
    let sealed: Vec<u8> =
        connection.query_row("SELECT sealed FROM secret WHERE seq = 4", [], |row| row.get(0)).unwrap();
    let on_disk = || {
        let files = std::fs::read_dir(dir.path()).unwrap();
        let mut files = files.map(|file| std::fs::read(file.unwrap().path()).unwrap());
        files.any(|bytes| common::contains(&bytes, &sealed[..100]))
    };
    assert!(on_disk());
    let old = connection.unchecked_transaction().unwrap();
    let _: i64 = old.query_row("SELECT count(*) FROM log", [], |row| row.get(0)).unwrap();
    let error = store.erase_secret("a", 4).unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    assert_eq!(store.secret("a", 4).unwrap(), None);
    drop(old);
    assert!(!store.erase_secret("a", 4).unwrap());
    assert!(!on_disk());
}

#[test]
fn only_the_owner_can_read_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let _store = filled(dir.path());
    for name in ["heng.sqlite", "heng.sqlite-wal", "heng.sqlite-shm"] {
        let mode = std::fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing");
    for error in
        [SqliteStore::open(&missing, key()).err().unwrap(), SqliteStore::open_read_only(&missing, key()).err().unwrap()]
    {
        assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
        assert!(error.to_string().contains("missing"), "{error}");
    }
}

/// The rights of a folder do not bind root; `/sys` binds root too.
#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o555)).unwrap();
    let mut path = dir.path();
    if std::fs::write(dir.path().join("probe"), "").is_ok() {
        path = Path::new("/sys");
    }
    let error = SqliteStore::open(path, key()).err().unwrap();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
    assert!(error.to_string().contains("the right to write"), "{error}");
}

#[test]
fn a_full_disk_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    store.limit_pages(1).unwrap();
    let batch: Vec<Entry> = (0..200).map(|i| with_secret("large", &noise(3_000, i))).collect();
    let row = noise(500_000, 3);
    for error in [
        store.append("a", 30, &batch).unwrap_err(),
        store.put_attachment(&row).unwrap_err(),
        store.put_row("draft", "large", &row).unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Full { .. }), "{error}");
        assert!(error.to_string().contains("free some space"), "{error}");
    }
    assert_eq!(store.size("a").unwrap(), 30);
    assert_eq!(store.secrets("a").unwrap().len(), 30);
    assert_eq!(store.row("draft", "large").unwrap(), None);
    assert!(store.integrity().unwrap().is_empty());

    store.limit_pages(100_000).unwrap();
    store.append("a", 30, &batch).unwrap();
    store.put_row("draft", "large", &row).unwrap();
    let sha256 = store.put_attachment(&row).unwrap();
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.size("a").unwrap(), 230);
    assert!(store.attachment(&sha256).unwrap().unwrap() == row);
    assert!(store.integrity().unwrap().is_empty());
}

#[test]
fn a_file_that_is_no_database_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("heng.sqlite"), "this is not a database. ".repeat(400)).unwrap();
    for error in [
        SqliteStore::open(dir.path(), key()).err().unwrap(),
        SqliteStore::open_read_only(dir.path(), key()).err().unwrap(),
    ] {
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("backup"), "{error}");
    }
}

/// Overwrites pages one after the other: the store says so or shows what it showed before, and never panics.
#[test]
fn damaged_pages_are_noticed() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(dir.path()));
    assert!(!dir.path().join("heng.sqlite-wal").exists(), "the database is not in one file");
    let file = dir.path().join("heng.sqlite");
    let sound = std::fs::read(&file).unwrap();
    for page in 0..sound.len() / 4096 {
        let mut bytes = sound.clone();
        bytes[page * 4096..][..4096].copy_from_slice(&noise(4096, page as u64));
        std::fs::write(&file, &bytes).unwrap();
        let alarm = match SqliteStore::open(dir.path(), key()) {
            Err(StoreError::Damaged { .. }) => true,
            Err(error) => panic!("page {page}: {error}"),
            Ok(store) => match store.integrity() {
                Ok(faults) => !faults.is_empty(),
                Err(error) => matches!(error, StoreError::Damaged { .. }),
            },
        };
        assert!(alarm, "page {page}");
        let _ = std::fs::remove_file(dir.path().join("heng.sqlite-wal"));
        let _ = std::fs::remove_file(dir.path().join("heng.sqlite-shm"));
    }
    std::fs::write(&file, &sound[..sound.len() / 2]).unwrap();
    let short = SqliteStore::open(dir.path(), key());
    assert!(short.is_err() || short.is_ok_and(|store| !store.integrity().is_ok_and(|f| f.is_empty())));
}

/// A flipped byte may hide a secret or spoil it, but never shows another one. (Records are the tree's business.)
#[test]
fn a_flipped_byte_never_shows_another_secret() {
    let dir = tempfile::tempdir().unwrap();
    let sha256 = {
        let store = filled(dir.path());
        store.put_attachment(&noise(9_000, 77)).unwrap()
    };
    let file = dir.path().join("heng.sqlite");
    let sound = std::fs::read(&file).unwrap();
    for position in (0..sound.len()).step_by(211) {
        let mut bytes = sound.clone();
        bytes[position] ^= 0x10;
        std::fs::write(&file, &bytes).unwrap();
        if let Ok(store) = SqliteStore::open(dir.path(), key()) {
            for seq in 0..30 {
                if let Ok(Some(secret)) = store.secret("a", seq) {
                    assert!(secret == noise(300, seq), "byte {position}");
                }
            }
            if let Ok(Some(attachment)) = store.attachment(&sha256) {
                assert!(attachment == noise(9_000, 77), "byte {position}");
            }
            let _ = (store.read("a", 0, 99), store.checkpoints("a"), store.logs(), store.integrity());
        }
        let _ = std::fs::remove_file(dir.path().join("heng.sqlite-wal"));
        let _ = std::fs::remove_file(dir.path().join("heng.sqlite-shm"));
    }
}

/// Not a test of its own: the process that the next one kills.
#[test]
fn child_that_is_killed() {
    let Some(dir) = std::env::var_os("HENG_STORE_KILLED") else { return };
    let store = open(Path::new(&dir));
    let mut size = store.size("a").unwrap();
    loop {
        let batch = [entry("first"), with_secret("second", b"s"), entry("third")];
        store.append("a", size, &batch).unwrap();
        size += 3;
        println!("acknowledged {size}");
        std::io::stdout().flush().unwrap();
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).create_log("a", "kind").unwrap();
    let mut before = 0;
    for round in 0..10_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child_that_is_killed", "--exact", "--nocapture"])
            .env("HENG_STORE_KILLED", dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut acknowledged = before;
        let mut seen = 0;
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            // The first line shares its row with the name of the test.
            if let Some((_, size)) = line.split_once("acknowledged ") {
                acknowledged = size.trim().parse().unwrap();
                seen += 1;
            }
            if seen == 1 + 3 * round {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(seen > 0, "the child wrote nothing");
        let store = open(dir.path());
        let size = store.size("a").unwrap();
        assert!(size >= acknowledged, "{acknowledged} were acknowledged, {size} are there");
        assert_eq!(size % 3, 0, "half a batch was written");
        assert_eq!(store.secrets("a").unwrap().len() as u64, size / 3);
        assert!(store.integrity().unwrap().is_empty());
        before = size;
    }
}

/// Not a test of its own: the process that the next one kills.
#[test]
fn child_that_is_killed_while_it_sends() {
    let Some(dir) = std::env::var_os("HENG_STORE_KILLED_SENDING") else { return };
    let store = open(Path::new(&dir));
    for number in 0.. {
        let file = StoredFile { id: format!("f{number}"), size: 40_000 };
        let mut start = store.received(&file.id).unwrap();
        while start < file.size {
            store.put_piece(&file, start, &noise(10_000, number)).unwrap();
            start += 10_000;
            println!("acknowledged {}", number * file.size + start);
            std::io::stdout().flush().unwrap();
        }
        store.attach(&file).unwrap();
    }
}

#[test]
fn pieces_survive_a_kill_and_nothing_is_half_attached() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..6_usize {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child_that_is_killed_while_it_sends", "--exact", "--nocapture"])
            .env("HENG_STORE_KILLED_SENDING", dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut acknowledged: u64 = 0;
        for (seen, line) in BufReader::new(child.stdout.take().unwrap()).lines().enumerate() {
            if let Some((_, bytes)) = line.unwrap().split_once("acknowledged ") {
                acknowledged = bytes.trim().parse().unwrap();
            }
            if seen == 2 + 5 * round {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        let store = open(dir.path());
        assert!(store.integrity().unwrap().is_empty());
        assert!(store.loose_files().unwrap().len() <= 1, "only the file that was on its way is loose");
        for number in 0..acknowledged.div_ceil(40_000) {
            let received = store.received(&format!("f{number}")).unwrap();
            assert!(received >= 40_000.min(acknowledged - number * 40_000), "file {number}: {received}");
            assert_eq!(received % 10_000, 0, "half a piece was written");
        }
    }
}
