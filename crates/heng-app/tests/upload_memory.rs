//! A file of 200 MB goes in and comes out in bounded memory. Alone in its file: it measures the whole process.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::io::Read;
use std::sync::Arc;

use heng_app::upload::{UploadLimits, Uploads};
use heng_app::{ManualClock, SeededEntropy};
use heng_domain::time::Instant;
use heng_store::{DataKey, FileReader, PIECE_LIMIT, SqliteStore, Store};

const SIZE: usize = 200 << 20;
const ALLOWED_KIB: u64 = 24 << 10;

fn status(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The piece at an offset, without the whole file in memory.
fn piece(start: usize) -> Vec<u8> {
    let length = PIECE_LIMIT.min(SIZE - start);
    let mut bytes = vec![u8::try_from(start / PIECE_LIMIT % 251).unwrap(); length];
    if start == 0 {
        bytes[..9].copy_from_slice(b"%PDF-1.7\n");
    }
    if start + length == SIZE {
        bytes[length - 6..].copy_from_slice(b"%%EOF\n");
    }
    bytes
}

#[test]
fn two_hundred_megabytes_take_little_memory() {
    if !std::path::Path::new("/proc/self/clear_refs").exists() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(dir.path(), DataKey::from_bytes([7; 32])).unwrap());
    let clock = Arc::new(ManualClock::at(Instant::parse("2026-05-01T08:00:00.000Z").unwrap()));
    let entropy = Arc::new(SeededEntropy::new(1));
    let uploads = Uploads::new(Arc::clone(&store), clock, entropy, UploadLimits::default());
    // The highest mark so far is forgotten.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = status("VmRSS");

    let started = std::time::Instant::now();
    let id = uploads.begin("firm", "large.pdf", SIZE as u64, "").unwrap();
    for start in (0..SIZE).step_by(PIECE_LIMIT) {
        uploads.append(&id, start as u64, &piece(start)).unwrap();
    }
    let sent = started.elapsed();
    let finished = uploads.finish(&id).unwrap();
    let checked = started.elapsed() - sent;
    let mut reader = FileReader::attachment(Arc::clone(&store), &finished.sha256.0).unwrap().unwrap();
    let mut buffer = vec![0; 64 << 10];
    let mut read = 0;
    loop {
        match reader.read(&mut buffer).unwrap() {
            0 => break,
            length => read += length,
        }
    }
    assert_eq!(read, SIZE);
    let grown = status("VmHWM").saturating_sub(before);
    println!("{} MB: sent in {sent:?}, finished in {checked:?}, memory grew by {grown} KiB at most", SIZE >> 20);
    assert!(grown < ALLOWED_KIB, "{grown} KiB");
}
