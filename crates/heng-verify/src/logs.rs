//! One log of a bundle: its entries, tree, checkpoints and signatures (V-01 to V-04).

use std::collections::BTreeMap;

use heng_domain::record::Record;
use heng_log::checkpoint::{Checkpoint, open_checkpoint};
use heng_log::note::{Note, VerifierKey};
use heng_log::policy::Policy;
use heng_log::tile::{decode_entries, entries_path, hash_tile, tile_path, tiles_of};
use heng_log::tree::{Frontier, leaf_hash};
use heng_log::{Hash, Sha256};

use crate::bundle::{Bundle, Unreadable};
use crate::report::{Check, Sentence};

/// A log as read.
pub struct LogData {
    /// Name.
    pub id: String,
    /// Records by number; `None` where the bytes are not a record.
    pub records: Vec<Option<Record>>,
    /// Leaf hashes of the bytes in the bundle.
    pub leaves: Vec<Hash>,
    /// Roots of all prefixes that somebody refers to.
    pub roots: BTreeMap<u64, Hash>,
    /// Newest checkpoint.
    pub checkpoint: Checkpoint,
    /// Number of older checkpoints.
    pub checkpoints: usize,
    /// The log's key.
    pub key: VerifierKey,
    /// Witnesses that cosigned the newest checkpoint.
    pub witnesses: usize,
}

/// The four checks that every log goes through.
pub struct LogChecks {
    /// Canonical records, sequence, times.
    pub records: Check,
    /// Tree = checkpoint.
    pub tree: Check,
    /// Older checkpoints.
    pub history: Check,
    /// Signatures.
    pub signature: Check,
}

/// Reads the log under `prefix` (`""` or `office/`). `log` names it in findings, where it is not the edition's own.
///
/// # Errors
/// If there is no policy or checkpoint at all.
pub fn read(bundle: &Bundle, prefix: &str, checks: &mut LogChecks) -> Result<LogData, Unreadable> {
    let path = |name: &str| format!("{prefix}{name}");
    let missing = |name: &str| Unreadable::NotABundle(format!("{prefix}{name} is missing or not text"));
    let policy_text = bundle.text(&path("policy.txt")).ok_or_else(|| missing("policy.txt"))?;
    let policy =
        Policy::parse(policy_text).map_err(|error| Unreadable::NotABundle(format!("{prefix}policy.txt: {error}")))?;
    let Some(key) = policy.logs().first().cloned() else {
        return Err(missing("policy.txt"));
    };
    let note_text = bundle.text(&path("checkpoint")).ok_or_else(|| missing("checkpoint"))?;
    let parsed = Note::parse(note_text).and_then(|note| Checkpoint::parse_text(&note.text));
    let checkpoint = match parsed {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            checks.signature.fail_file(&path("checkpoint"), &Sentence::new("f_note").with("detail", error));
            Checkpoint { origin: key.name().to_owned(), size: 0, root: Hash::default() }
        }
    };
    let log = (!prefix.is_empty()).then_some(checkpoint.origin.as_str());

    let mut witnesses = 0;
    match open_checkpoint(note_text, &key).and_then(|(_, note)| policy.check(&note)) {
        Ok(outcome) => {
            witnesses = outcome.witnesses.len();
            if !outcome.quorum {
                checks.signature.fail_file(&path("checkpoint"), &Sentence::new("f_quorum"));
            }
        }
        Err(error) => checks.signature.fail_file(&path("checkpoint"), &Sentence::new("f_note").with("detail", error)),
    }

    let (entries, leaves) = read_entries(bundle, prefix, checkpoint.size, log, checks);
    let records = parse(&entries, log, checks);
    compare_tiles(bundle, prefix, &leaves, log, checks);

    let older = older_checkpoints(bundle, prefix, &key, checks);
    let mut wanted: Vec<u64> = older.iter().map(|c| c.size).chain([checkpoint.size]).collect();
    wanted.extend(records.iter().flatten().flat_map(|r| r.sigs.iter().map(|s| s.at.size)));
    let roots = prefix_roots(&leaves, &wanted);
    if roots.get(&checkpoint.size) != Some(&checkpoint.root) {
        checks.tree.fail_file(&path("checkpoint"), &Sentence::new("f_root").with("size", checkpoint.size));
    }
    for old in &older {
        if roots.get(&old.size) != Some(&old.root) {
            let file = path(&format!("checkpoints/{:010}", old.size));
            checks.history.fail_file(&file, &Sentence::new("f_history").with("size", old.size));
        }
    }
    Ok(LogData {
        id: checkpoint.origin.clone(),
        records,
        leaves,
        roots,
        checkpoints: older.len(),
        checkpoint,
        key,
        witnesses,
    })
}

fn read_entries(
    bundle: &Bundle,
    prefix: &str,
    size: u64,
    log: Option<&str>,
    checks: &mut LogChecks,
) -> (Vec<Vec<u8>>, Vec<Hash>) {
    let mut entries: Vec<Vec<u8>> = Vec::new();
    let mut from = 0;
    // A hostile checkpoint may claim any size: stop at the first file that is not there.
    while from < size {
        let width = (size - from).min(256);
        let file = format!("{prefix}{}", entries_path(from / 256, u16::try_from(width).unwrap_or(256)));
        let decoded = bundle.get(&file).map(decode_entries);
        match decoded {
            None => {
                checks.tree.fail_file(&file, &Sentence::new("f_missing_file"));
                break;
            }
            Some(Err(error)) => {
                checks.records.fail_file(&file, &Sentence::new("f_entries").with("detail", error));
                break;
            }
            Some(Ok(list)) => {
                let count = u64::try_from(list.len()).unwrap_or(u64::MAX);
                if count != width {
                    let sentence = Sentence::new("f_entry_count").with("found", count).with("expected", width);
                    checks.records.fail_record(log, from + count.min(width), &sentence);
                }
                entries.extend(list);
            }
        }
        from += width;
    }
    let leaves = entries.iter().map(|bytes| leaf_hash::<Sha256>(bytes)).collect();
    (entries, leaves)
}

fn parse(entries: &[Vec<u8>], log: Option<&str>, checks: &mut LogChecks) -> Vec<Option<Record>> {
    entries
        .iter()
        .zip(0u64..)
        .map(|(bytes, seq)| match Record::parse(bytes) {
            Ok(record) => Some(record),
            Err(error) => {
                checks.records.fail_record(log, seq, &Sentence::new("f_record").with("detail", error));
                None
            }
        })
        .collect()
}

/// The tiles say which leaf was signed: a changed record is named by its number.
fn compare_tiles(bundle: &Bundle, prefix: &str, leaves: &[Hash], log: Option<&str>, checks: &mut LogChecks) {
    let size = u64::try_from(leaves.len()).unwrap_or(0);
    for (level, index, width) in tiles_of(size) {
        let file = format!("{prefix}{}", tile_path(level, index, width));
        let Some(stored) = bundle.get(&file) else {
            checks.tree.fail_file(&file, &Sentence::new("f_missing_file"));
            continue;
        };
        let Ok(computed) = hash_tile::<Sha256>(leaves, level, index) else {
            continue;
        };
        if stored == computed {
            continue;
        }
        if level > 0 || stored.len() != computed.len() {
            checks.tree.fail_file(&file, &Sentence::new("f_tile"));
            continue;
        }
        for (place, (a, b)) in stored.chunks(32).zip(computed.chunks(32)).enumerate() {
            if a != b {
                let seq = index * 256 + u64::try_from(place).unwrap_or(0);
                checks.tree.fail_record(log, seq, &Sentence::new("f_leaf").with("file", &file));
            }
        }
    }
}

fn older_checkpoints(bundle: &Bundle, prefix: &str, key: &VerifierKey, checks: &mut LogChecks) -> Vec<Checkpoint> {
    let folder = format!("{prefix}checkpoints/");
    let mut out = Vec::new();
    for (file, bytes) in bundle.files.range(folder.clone()..).take_while(|(file, _)| file.starts_with(&folder)) {
        let opened = std::str::from_utf8(bytes).map_err(|e| e.to_string());
        match opened.and_then(|text| open_checkpoint(text, key).map_err(|e| e.to_string())) {
            Ok((checkpoint, _)) => out.push(checkpoint),
            Err(detail) => checks.history.fail_file(file, &Sentence::new("f_note").with("detail", detail)),
        }
    }
    out
}

fn prefix_roots(leaves: &[Hash], wanted: &[u64]) -> BTreeMap<u64, Hash> {
    let mut sizes: Vec<u64> = wanted.to_vec();
    sizes.sort_unstable();
    sizes.dedup();
    let mut out = BTreeMap::new();
    let mut frontier = Frontier::new();
    let mut leaves = leaves.iter();
    for size in sizes {
        while frontier.size() < size {
            match leaves.next() {
                Some(leaf) => frontier.push::<Sha256>(*leaf),
                None => return out,
            }
        }
        out.insert(size, frontier.root::<Sha256>());
    }
    out
}
