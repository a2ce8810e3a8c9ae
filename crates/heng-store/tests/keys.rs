//! The key file and the signer's memory.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use heng_store::{DataKey, SignerMemory, SqliteStore, Store, StoreError};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_key_file_is_made_once_and_only_for_its_owner() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.key");
    let store = SqliteStore::open(dir.path(), DataKey::load_or_create(&path).unwrap()).unwrap();
    let sha256 = store.put_attachment(b"file").unwrap();
    drop(store);
    assert_eq!(mode(&path), 0o600);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.trim().len(), 64);
    let store = SqliteStore::open(dir.path(), DataKey::load_or_create(&path).unwrap()).unwrap();
    assert_eq!(store.attachment(&sha256).unwrap().unwrap(), b"file");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_key_file_that_others_can_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.key");
    DataKey::load_or_create(&path).unwrap();
    for open in [0o640, 0o604, 0o660] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(open)).unwrap();
        let error = DataKey::load_or_create(&path).unwrap_err();
        assert!(matches!(error, StoreError::Key { .. }), "{error}");
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
}

#[test]
fn a_key_file_with_something_else_is_refused_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.key");
    for text in ["", "abc", &"0".repeat(63), &"g".repeat(64), &"0".repeat(66)] {
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let error = DataKey::load_or_create(&path).unwrap_err();
        assert!(matches!(error, StoreError::Key { .. }), "{error}");
        assert!(error.to_string().contains("64 hex digits"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
    let error = DataKey::load_or_create(dir.path()).unwrap_err();
    assert!(matches!(error, StoreError::Key { .. }), "{error}");
    let error = DataKey::load_or_create(&dir.path().join("none/data.key")).unwrap_err();
    assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
}

fn exercise(memory: &SignerMemory) {
    let moved = |result: Result<(), StoreError>| {
        let error = result.unwrap_err();
        assert!(matches!(error, StoreError::CheckpointMoved { .. }), "{error}");
    };
    assert_eq!(memory.last("a").unwrap(), None);
    moved(memory.advance("a", Some((1, [1; 32])), (2, [2; 32])));
    memory.advance("a", None, (5, [5; 32])).unwrap();
    memory.advance("a", None, (5, [5; 32])).unwrap();
    moved(memory.advance("a", None, (6, [6; 32])));
    moved(memory.advance("a", Some((5, [9; 32])), (6, [6; 32])));
    // A smaller size, and another root for the same size.
    moved(memory.advance("a", Some((5, [5; 32])), (4, [4; 32])));
    moved(memory.advance("a", Some((5, [5; 32])), (5, [6; 32])));
    memory.advance("a", Some((5, [5; 32])), (6, [6; 32])).unwrap();
    moved(memory.advance("a", Some((5, [5; 32])), (7, [7; 32])));
    assert_eq!(memory.last("a").unwrap(), Some((6, [6; 32])));
    assert_eq!(memory.last("b").unwrap(), None);
    memory.advance("b", None, (0, [0; 32])).unwrap();
}

#[test]
fn the_signer_only_moves_forward() {
    exercise(&SignerMemory::in_memory().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("signer.sqlite");
    exercise(&SignerMemory::open(&path).unwrap());
    assert_eq!(mode(&path), 0o600);
    let memory = SignerMemory::open(&path).unwrap();
    assert_eq!(memory.last("a").unwrap(), Some((6, [6; 32])));
    // A second one sees the same file; only one of two that start from the same point can move.
    let other = SignerMemory::open(&path).unwrap();
    other.advance("a", Some((6, [6; 32])), (7, [7; 32])).unwrap();
    memory.advance("a", Some((6, [6; 32])), (7, [8; 32])).unwrap_err();
    let reader = SignerMemory::open_read_only(&path).unwrap();
    assert_eq!(reader.last("a").unwrap(), Some((7, [7; 32])));
    let error = reader.advance("a", Some((7, [7; 32])), (8, [8; 32])).unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
    let none = SignerMemory::open_read_only(&dir.path().join("none")).unwrap();
    assert_eq!(none.last("a").unwrap(), None);
    // Its making was interrupted.
    std::fs::write(dir.path().join("empty"), "").unwrap();
    let empty = SignerMemory::open_read_only(&dir.path().join("empty")).unwrap();
    assert_eq!(empty.last("a").unwrap(), None);
}

#[test]
fn a_damaged_memory_is_not_taken_for_an_empty_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("signer.sqlite");
    std::fs::write(&path, "no database at all. ".repeat(300)).unwrap();
    let error = SignerMemory::open(&path).err().unwrap();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    let error = SignerMemory::open(&dir.path().join("none/signer.sqlite")).err().unwrap();
    assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
}
