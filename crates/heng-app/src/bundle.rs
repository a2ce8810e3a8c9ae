//! The bundle (核验包): everything that anyone needs to check an edition without this server (docs/format.md).

use std::collections::BTreeMap;

use heng_domain::edition::{Edition, Thing};
use heng_log::commitment::Opening;
use heng_log::note::VerifierKey;
use heng_log::policy::Policy;
use heng_log::tile::{encode_entries, entries_path, hash_tile, tile_path, tiles_of};
use heng_log::{Hash, Sha256, canonical, sha256};
use heng_store::StoredCheckpoint;
use serde_json::{Value, json};

use crate::draft::Hidden;
use crate::error::{AppError, Result};
use crate::heng::Heng;
use crate::log::Log;

/// Records in one entry bundle (C2SP tlog-tiles).
const BUNDLE: u64 = 256;

/// Files of a bundle by path, in path order.
pub type Files = BTreeMap<String, Vec<u8>>;

fn json_file(value: &Value) -> Result<Vec<u8>> {
    canonical::to_bytes_unbounded(value).map_err(|error| AppError::Other(format!("cannot write JSON: {error}")))
}

/// One log at one moment: everything in a bundle is taken from it, whatever is written meanwhile.
struct Snapshot {
    id: String,
    key: VerifierKey,
    checkpoint: StoredCheckpoint,
    leaves: Vec<Hash>,
}

impl Snapshot {
    fn of(log: &Log) -> Result<Snapshot> {
        let image = log.image();
        let none = || AppError::Other(format!("{} has no checkpoint yet", log.id()));
        let checkpoint = image.checkpoint.clone().ok_or_else(none)?;
        let count = usize::try_from(checkpoint.size).unwrap_or(usize::MAX).min(image.leaves.len());
        let leaves = image.leaves.get(..count).unwrap_or_default().to_vec();
        Ok(Snapshot { id: log.id().to_owned(), key: log.verifier_key(), checkpoint, leaves })
    }
}

/// The bundle of an edition for everybody: records become public with the notice of the winners, not earlier.
///
/// # Errors
/// If the edition is not published yet, or the store fails.
pub fn public_bundle(heng: &Heng, log: &Log) -> Result<Files> {
    let (edition, snapshot) = {
        let image = log.image();
        let edition = image.state.edition().filter(|e| e.public_may_see(Thing::Records)).cloned();
        let early = || {
            AppError::Other(format!(
                "{}: its records become public with the notice of the winners, which is not out yet",
                log.id()
            ))
        };
        let edition = edition.ok_or_else(early)?;
        drop(image);
        // A record may come in between: the state is taken again until both are of the same size.
        (edition, Snapshot::of(log)?)
    };
    if edition.size != snapshot.checkpoint.size {
        return public_bundle(heng, log);
    }
    let mut files = Files::new();
    add_log(heng, &snapshot, "", &mut files)?;
    if let Some(office) = heng.office_log() {
        add_log(heng, &Snapshot::of(&office)?, "office/", &mut files)?;
    }
    files.insert("rules.json".to_owned(), json_file(&to_json(&edition.opened.rules)?)?);
    if let Some(result) = edition.public_result() {
        files.insert("result.json".to_owned(), json_file(&to_json(&result)?)?);
    }
    for (id, notice) in &edition.notices {
        let text = json!({ "title": notice.body.title, "text": notice.body.text, "until": notice.body.until });
        files.insert(format!("notices/{id}.json"), json_file(&text)?);
    }
    files.insert("openings.jsonl".to_owned(), openings(heng, log, &edition)?);
    files.insert("HOWTO.txt".to_owned(), include_bytes!("../assets/HOWTO.txt").to_vec());
    let list: Vec<Value> = files
        .iter()
        .map(|(path, bytes)| json!({ "path": path, "sha256": sha256(bytes).to_string(), "size": bytes.len() }))
        .collect();
    let size = snapshot.checkpoint.size;
    let manifest =
        json!({ "files": list, "format": "heng-bundle/1", "origin": log.id(), "size": size, "tier": "public" });
    files.insert("MANIFEST.json".to_owned(), json_file(&manifest)?);
    Ok(files)
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<Value> {
    serde_json::to_value(value).map_err(|error| AppError::Other(error.to_string()))
}

/// Policy, checkpoints, tiles and entries of one log, under `prefix`.
fn add_log(heng: &Heng, log: &Snapshot, prefix: &str, files: &mut Files) -> Result<()> {
    let size = log.checkpoint.size;
    let checkpoints = heng.store().checkpoints(&log.id)?;
    files.insert(format!("{prefix}policy.txt"), Policy::for_log(log.key.clone()).to_string().into_bytes());
    files.insert(format!("{prefix}checkpoint"), log.checkpoint.note.clone().into_bytes());
    for checkpoint in checkpoints.iter().filter(|c| c.size <= size) {
        let path = format!("{prefix}checkpoints/{:010}", checkpoint.size);
        files.insert(path, checkpoint.note.clone().into_bytes());
    }
    let other = |error: heng_log::tile::TileError| AppError::Other(error.to_string());
    for (level, index, width) in tiles_of(size) {
        let bytes = hash_tile::<Sha256>(&log.leaves, level, index).map_err(other)?;
        files.insert(format!("{prefix}{}", tile_path(level, index, width)), bytes);
    }
    let mut from = 0;
    while from < size {
        let entries = heng.store().read(&log.id, from, BUNDLE.min(size - from))?;
        let slices: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        let width = u16::try_from(entries.len()).unwrap_or(256);
        let path = format!("{prefix}{}", entries_path(from / BUNDLE, width));
        files.insert(path, encode_entries(&slices).map_err(other)?);
        from += BUNDLE;
    }
    Ok(())
}

/// One opening a line, of what the disclosure rule has opened.
fn openings(heng: &Heng, log: &Log, edition: &Edition) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for seq in edition.opened_scores.keys() {
        let Some(secret) = heng.store().secret(log.id(), *seq)? else {
            continue;
        };
        let hidden = Hidden::from_secret(&secret)?;
        let paths: Vec<&String> = edition.disclosed_paths(*seq).collect();
        for opening in hidden.openings(*seq) {
            if paths.contains(&&opening.path) {
                out.extend(json_file(&to_json::<Opening>(&opening)?)?);
                out.push(b'\n');
            }
        }
    }
    Ok(out)
}

/// Writes files as a tar with fixed times and owners, so that the same files give the same bytes.
///
/// # Errors
/// If writing fails.
pub fn write_tar(files: &Files, out: impl std::io::Write) -> std::io::Result<()> {
    let mut tar = tar::Builder::new(out);
    for (path, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_cksum();
        tar.append_data(&mut header, path, bytes.as_slice())?;
    }
    tar.finish()
}
