//! Any changed byte of a bundle is found and named; a hostile bundle is refused and never ends in a panic.
//!
//! By default a sample of the bytes is changed; `HENG_FLIPS=all` changes every one, which takes hours.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use std::collections::BTreeSet;

use common::{bundle, failures, fix_manifest, get, place_of, size_of, small};
use heng_app::bundle::{Files, write_tar};
use heng_log::Hash;
use heng_log::checkpoint::{Checkpoint, sign_checkpoint};
use heng_log::note::{KeyKind, SignerKey};
use heng_log::policy::Policy;
use heng_verify::{Bundle, Options, Report, Status, Unreadable, verify};
use proptest::prelude::*;

fn all() -> bool {
    std::env::var("HENG_FLIPS").is_ok_and(|value| value == "all")
}

/// Every `sample`-th place of `0..len`, or all of them.
fn places(len: usize, sample: usize) -> impl Iterator<Item = usize> {
    (0..len).step_by(if all() { 1 } else { sample.max(1) })
}

fn check(files: &Files) -> Result<Report, Unreadable> {
    verify(&bundle(files), &Options::default())
}

fn flip(files: &mut Files, path: &str, at: usize) {
    // A different bit at each place; 0x80 makes the text no UTF-8, 0x20 only changes the case.
    files.get_mut(path).unwrap()[at] ^= [0x01, 0x20, 0x80, 0x04][at % 4];
}

/// With a manifest that fits: what names the file is its own check.
fn flipped(path: &str, at: usize) -> Files {
    let mut files = small().clone();
    flip(&mut files, path, at);
    if path != "MANIFEST.json" {
        fix_manifest(&mut files);
    }
    files
}

#[track_caller]
fn named(report: &Report, path: &str, at: usize) {
    assert_eq!(report.exit_code(), 1, "{path}, byte {at}: not found");
    let found = report.checks.iter().flat_map(|c| &c.findings).any(|f| f.file.as_deref() == Some(path));
    assert!(found, "{path}, byte {at}: not named\n{}", failures(report));
}

/// Records that the tree accuses.
fn accused(report: &Report) -> BTreeSet<u64> {
    get(report, "V-02").findings.iter().filter(|f| f.log.is_none()).filter_map(|f| f.record).collect()
}

// ── records ────────────────────────────────────────────────────────────────────────────────────────────

/// Several bytes in every record. Up to sixteen records are changed at once: the tree accuses each on its own.
#[test]
fn every_record_is_named() {
    let size = size_of(small());
    let batch = if all() { 1 } else { 16 };
    for round in 0..2 {
        let mut from = 0;
        while from < size {
            let until = (from + batch).min(size);
            let mut files = small().clone();
            for seq in from..until {
                let (path, place) = place_of(small(), seq);
                let at = match round {
                    0 => place.end - 1,
                    _ => place.start + usize::try_from(seq * 7919).unwrap() % place.len(),
                };
                flip(&mut files, &path, at);
            }
            fix_manifest(&mut files);
            let report = check(&files).unwrap();
            assert_eq!(report.exit_code(), 1);
            assert_eq!(accused(&report), (from..until).collect::<BTreeSet<u64>>(), "round {round}");
            from = until;
        }
    }
}

#[test]
fn one_byte_of_one_record_accuses_it_alone() {
    let size = size_of(small());
    for seq in places(usize::try_from(size).unwrap(), 23) {
        let seq = u64::try_from(seq).unwrap();
        let (path, place) = place_of(small(), seq);
        for at in place.clone().step_by(if all() { 1 } else { place.len() }) {
            let report = check(&flipped(&path, at)).unwrap();
            assert_eq!(report.exit_code(), 1, "record {seq}, byte {at}");
            assert_eq!(accused(&report), BTreeSet::from([seq]), "byte {at}");
        }
    }
}

#[test]
fn the_length_of_a_record_is_part_of_it() {
    for seq in places(usize::try_from(size_of(small())).unwrap(), 61) {
        let (path, place) = place_of(small(), u64::try_from(seq).unwrap());
        for at in [place.start - 2, place.start - 1] {
            let report = check(&flipped(&path, at)).unwrap();
            assert_eq!(report.exit_code(), 1, "length of record {seq}");
            let seq = u64::try_from(seq).unwrap();
            let found = report
                .checks
                .iter()
                .flat_map(|c| &c.findings)
                .any(|f| f.file.as_deref() == Some(&path) || f.record == Some(seq));
            assert!(found, "length of record {seq}: {}", failures(&report));
        }
    }
}

#[test]
fn office_records_are_named_with_their_log() {
    let paths: Vec<&String> = small().keys().filter(|p| p.starts_with("office/tile/entries/")).collect();
    for path in paths {
        for at in places(small()[path].len(), 9001).skip(1) {
            let report = check(&flipped(path, at)).unwrap();
            assert_eq!(report.exit_code(), 1, "{path}, byte {at}");
            let found = report
                .checks
                .iter()
                .flat_map(|c| &c.findings)
                .any(|f| (f.log.is_some() && f.record.is_some()) || f.file.as_deref() == Some(path));
            assert!(found, "{path}, byte {at}: {}", failures(&report));
        }
    }
}

// ── openings ───────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn every_opening_is_checked() {
    let bytes = &small()["openings.jsonl"];
    let lines: Vec<&[u8]> = bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty()).collect();
    let starts: Vec<usize> = lines
        .iter()
        .scan(0, |at, line| {
            let start = *at;
            *at += line.len() + 1;
            Some(start)
        })
        .collect();
    for line in places(lines.len(), lines.len() / 45) {
        let opening: serde_json::Value = serde_json::from_slice(lines[line]).unwrap();
        let seq = opening["seq"].as_u64().unwrap();
        let length = lines[line].len();
        let at = if all() { 0..length } else { line * 31 % length..line * 31 % length + 1 };
        for at in at {
            let report = check(&flipped("openings.jsonl", starts[line] + at)).unwrap();
            let found = get(&report, "V-14")
                .findings
                .iter()
                .any(|f| f.record == Some(seq) || f.file.as_deref() == Some("openings.jsonl"));
            assert!(found, "opening {line}, byte {at}: {}", failures(&report));
        }
    }
}

#[test]
fn openings_cannot_be_joined_dropped_or_repeated() {
    let bytes = small()["openings.jsonl"].clone();
    let first = bytes.iter().position(|b| *b == b'\n').unwrap();
    let joined = [&bytes[..first], &bytes[first + 1..]].concat();
    let dropped = bytes[first + 1..].to_vec();
    for other in [joined, dropped, Vec::new()] {
        let mut files = small().clone();
        files.insert("openings.jsonl".to_owned(), other);
        fix_manifest(&mut files);
        let report = check(&files).unwrap();
        assert_eq!(get(&report, "V-14").status, Status::Failed, "{}", failures(&report));
    }
}

// ── files that people read ─────────────────────────────────────────────────────────────────────────────

#[test]
fn every_byte_of_the_result_is_checked() {
    for at in places(small()["result.json"].len(), 307) {
        named(&check(&flipped("result.json", at)).unwrap(), "result.json", at);
    }
}

#[test]
fn every_byte_of_the_rules_is_checked() {
    for at in places(small()["rules.json"].len(), 997) {
        named(&check(&flipped("rules.json", at)).unwrap(), "rules.json", at);
    }
}

#[test]
fn every_byte_of_a_notice_is_checked() {
    for path in small().keys().filter(|p| p.starts_with("notices/")) {
        for at in places(small()[path].len(), 131) {
            named(&check(&flipped(path, at)).unwrap(), path, at);
        }
    }
}

#[test]
fn every_byte_of_a_checkpoint_is_checked() {
    let older = small().keys().find(|p| p.starts_with("checkpoints/")).unwrap().clone();
    for path in ["checkpoint", older.as_str(), "office/checkpoint"] {
        for at in places(small()[path].len(), 17) {
            match check(&flipped(path, at)) {
                Ok(report) => assert_eq!(report.exit_code(), 1, "{path}, byte {at}"),
                Err(Unreadable::NotABundle(_)) => {}
                Err(error) => panic!("{path}, byte {at}: {error}"),
            }
        }
    }
}

#[test]
fn every_byte_of_a_tile_is_checked() {
    let tiles: Vec<&String> = small().keys().filter(|p| p.contains("tile/") && !p.contains("tile/entries")).collect();
    for path in tiles {
        for at in places(small()[path].len(), 2003) {
            assert_eq!(check(&flipped(path, at)).unwrap().exit_code(), 1, "{path}, byte {at}");
        }
    }
}

#[test]
fn every_byte_of_the_policy_counts() {
    for at in places(small()["policy.txt"].len(), 5) {
        match check(&flipped("policy.txt", at)) {
            Ok(report) => assert_eq!(report.exit_code(), 1, "policy.txt, byte {at}"),
            Err(Unreadable::NotABundle(_)) => {}
            Err(error) => panic!("policy.txt, byte {at}: {error}"),
        }
    }
}

#[track_caller]
fn manifest_byte(at: usize) {
    match check(&flipped("MANIFEST.json", at)) {
        Ok(report) => assert_eq!(report.exit_code(), 1, "MANIFEST.json, byte {at}"),
        Err(Unreadable::NotABundle(_)) => {}
        Err(error) => panic!("MANIFEST.json, byte {at}: {error}"),
    }
}

#[test]
fn every_byte_of_the_list_of_files_counts() {
    let text = std::str::from_utf8(&small()["MANIFEST.json"]).unwrap();
    let end = text.find("\"format\"").unwrap();
    for at in places(end, end / 30) {
        manifest_byte(at);
    }
}

/// What the manifest says of the whole bundle: format, origin, size, tier.
#[test]
fn every_byte_of_the_manifests_head_counts() {
    let text = std::str::from_utf8(&small()["MANIFEST.json"]).unwrap();
    for at in text.find("\"format\"").unwrap()..text.len() {
        manifest_byte(at);
    }
}

#[test]
fn a_byte_of_any_other_file_is_found_by_the_manifest() {
    for path in small().keys().filter(|p| p.as_str() == "HOWTO.txt" || p.starts_with("office/policy")) {
        let mut files = small().clone();
        flip(&mut files, path, 5);
        match check(&files) {
            Ok(report) => named(&report, path, 5),
            Err(Unreadable::NotABundle(_)) => {}
            Err(error) => panic!("{path}: {error}"),
        }
    }
}

// ── hostile bundles ────────────────────────────────────────────────────────────────────────────────────

fn tar() -> Vec<u8> {
    let mut out = Vec::new();
    write_tar(small(), &mut out).unwrap();
    out
}

fn read_and_check(bytes: &[u8]) -> Option<u8> {
    let bundle = Bundle::read_tar(bytes, "test").ok()?;
    verify(&bundle, &Options::default()).ok().map(|report| report.exit_code())
}

#[test]
fn the_tar_is_the_bundle() {
    assert_eq!(read_and_check(&tar()), Some(0));
}

#[test]
fn a_truncated_tar_is_never_right() {
    let tar = tar();
    for part in 0..24 {
        let cut = tar.len() * part / 24;
        let code = read_and_check(&tar[..cut]);
        assert!(matches!(code, None | Some(1)), "cut at {cut}: {code:?}");
    }
    // Inside of the last file and its padding.
    for less in [1600, 2049, 4096, 5000] {
        let code = read_and_check(&tar[..tar.len() - less]);
        assert!(matches!(code, None | Some(1)), "cut by {less}: {code:?}");
    }
}

#[test]
fn garbage_is_no_bundle() {
    for bytes in [vec![0; 0], vec![0; 5000], vec![0xff; 5000], b"<html>not found</html>".to_vec(), vec![b'a'; 1536]] {
        let outcome = Bundle::read_tar(bytes.as_slice(), "test");
        let unreadable = match outcome {
            Err(_) => true,
            Ok(bundle) => verify(&bundle, &Options::default()).is_err(),
        };
        assert!(unreadable);
    }
}

#[test]
fn an_empty_folder_is_no_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = Bundle::open(folder.path()).unwrap();
    assert!(matches!(verify(&bundle, &Options::default()), Err(Unreadable::NotABundle(_))));
    assert!(matches!(Bundle::open(&folder.path().join("nothing")), Err(Unreadable::Io { .. })));
}

#[test]
fn a_folder_is_read_like_the_tar_and_links_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in small() {
        let file = folder.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
    let report = verify(&Bundle::open(folder.path()).unwrap(), &Options::default()).unwrap();
    assert_eq!(report.exit_code(), 0, "{}", failures(&report));
    // A link to itself cannot hang it, a link in place of a file does not count as the file.
    std::os::unix::fs::symlink(folder.path(), folder.path().join("loop")).unwrap();
    std::fs::remove_file(folder.path().join("HOWTO.txt")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", folder.path().join("HOWTO.txt")).unwrap();
    let report = verify(&Bundle::open(folder.path()).unwrap(), &Options::default()).unwrap();
    named(&report, "HOWTO.txt", 0);
}

#[test]
fn a_folder_that_is_too_deep_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut deep = folder.path().to_path_buf();
    for _ in 0..20 {
        deep.push("d");
    }
    std::fs::create_dir_all(deep).unwrap();
    assert!(matches!(Bundle::open(folder.path()), Err(Unreadable::TooLarge(_))));
}

/// A checkpoint may claim any size: nothing is allocated for records that are not there.
#[test]
fn a_huge_declared_size_is_refused() {
    let text = std::str::from_utf8(&small()["checkpoint"]).unwrap();
    let origin = text.lines().next().unwrap();
    let signer = SignerKey::from_seed(origin, KeyKind::Ed25519, [3; 32]).unwrap();
    for size in [u64::MAX, u64::MAX - 1, 1 << 62, 1 << 32, size_of(small()) + 1] {
        let mut files = small().clone();
        let checkpoint = Checkpoint { origin: origin.to_owned(), size, root: Hash([1; 32]) };
        let note = sign_checkpoint(&checkpoint, &signer).unwrap().to_string().into_bytes();
        files.insert("policy.txt".to_owned(), Policy::for_log(signer.verifier()).to_string().into_bytes());
        files.insert("checkpoint".to_owned(), note);
        fix_manifest(&mut files);
        let report = check(&files).unwrap();
        assert_eq!(get(&report, "V-02").status, Status::Failed, "{size}");
    }
}

#[test]
fn a_bundle_without_its_records_is_refused() {
    let mut files = small().clone();
    files.retain(|path, _| !path.starts_with("tile/"));
    fix_manifest(&mut files);
    assert_eq!(check(&files).unwrap().exit_code(), 1);
    for needed in ["MANIFEST.json", "policy.txt", "checkpoint"] {
        let mut files = small().clone();
        files.remove(needed);
        assert!(matches!(check(&files), Err(Unreadable::NotABundle(_))), "{needed}");
    }
}

#[test]
fn another_format_is_refused() {
    let mut files = small().clone();
    let text = String::from_utf8(files["MANIFEST.json"].clone()).unwrap();
    files.insert("MANIFEST.json".to_owned(), text.replace("heng-bundle/1", "heng-bundle/9").into_bytes());
    assert!(matches!(check(&files), Err(Unreadable::NotABundle(_))));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Bytes changed, cut and doubled anywhere: never a panic, never right.
    #[test]
    fn random_edits_never_panic_and_are_never_right(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..6),
    ) {
        let mut files = small().clone();
        let paths: Vec<String> = files.keys().filter(|p| *p != "MANIFEST.json").cloned().collect();
        for (file, at, byte, how) in edits {
            let bytes = files.get_mut(file.get(&paths)).unwrap();
            if bytes.is_empty() {
                continue;
            }
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.truncate(at),
                2 => bytes.insert(at, byte),
                _ => drop(bytes.splice(at..at, [byte; 40])),
            }
        }
        let changed = files != *small();
        fix_manifest(&mut files);
        let outcome = check(&files);
        // HOWTO.txt is the only file whose content nothing but the manifest vouches for.
        files.insert("HOWTO.txt".to_owned(), small()["HOWTO.txt"].clone());
        fix_manifest(&mut files);
        if let (Ok(report), true) = (outcome, changed && files != *small()) {
            prop_assert_eq!(report.exit_code(), 1);
        }
    }

    /// Any bytes as a tar.
    #[test]
    fn random_bytes_are_no_bundle(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        prop_assert_eq!(read_and_check(&bytes), None);
    }

    /// Any text as the files that everything starts from.
    #[test]
    fn random_texts_never_panic(which in 0usize..5, text in "[ -~\n]{0,300}") {
        let path = ["MANIFEST.json", "policy.txt", "checkpoint", "openings.jsonl", "office/policy.txt"][which];
        let mut files = small().clone();
        files.insert(path.to_owned(), text.into_bytes());
        if let Ok(report) = check(&files) {
            prop_assert_eq!(report.exit_code(), 1);
        }
    }
}
