//! What both engines check in the same words.

use crate::error::{Result, StoreError};
use crate::{Head, StoredCheckpoint};

/// A number for the signed integers of both engines; what is too large for them is larger than any log.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number from the database.
pub(crate) fn unsigned(number: i64) -> Result<u64> {
    u64::try_from(number).map_err(|_| StoreError::Damaged {
        what: "the database".to_owned(),
        detail: format!("it holds the number {number} where none can be negative"),
    })
}

pub(crate) fn no_log(log: &str) -> StoreError {
    StoreError::NotFound { what: format!("the log {log}") }
}

pub(crate) fn log_exists(log: &str) -> StoreError {
    StoreError::AlreadyExists { what: format!("the log {log}") }
}

/// Refuses to append to a log that has another size.
pub(crate) fn same_head(log: &str, expected: u64, found: u64) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(StoreError::HeadMoved { log: log.to_owned(), expected, found })
}

/// The records that were read, after a check that none is missing.
pub(crate) fn gapless(log: &str, size: u64, from: u64, limit: u64, rows: Vec<(i64, Vec<u8>)>) -> Result<Vec<Vec<u8>>> {
    let missing =
        |seq: u64| StoreError::Damaged { what: format!("the log {log}"), detail: format!("record {seq} is missing") };
    let mut seq = from;
    let mut out = Vec::with_capacity(rows.len());
    for (found, bytes) in rows {
        if found != signed(seq) {
            return Err(missing(seq));
        }
        out.push(bytes);
        seq += 1;
    }
    if seq < size.min(from.saturating_add(limit)) {
        return Err(missing(seq));
    }
    Ok(out)
}

/// A checkpoint from its columns.
pub(crate) fn checkpoint(log: &str, (size, root, note): (i64, Vec<u8>, String)) -> Result<StoredCheckpoint> {
    Ok(StoredCheckpoint { size: unsigned(size)?, root: root_from(&root, log)?, note })
}

pub(crate) fn root_from(bytes: &[u8], log: &str) -> Result<[u8; 32]> {
    bytes.try_into().map_err(|_| StoreError::Damaged {
        what: format!("a checkpoint of {log}"),
        detail: format!("its root has {} bytes instead of 32", bytes.len()),
    })
}

/// True if `next` is there already; an error unless `previous` is the newest and `next` is larger.
pub(crate) fn swap(log: &str, found: Option<Head>, previous: Option<Head>, next: Head) -> Result<bool> {
    if found == Some(next) {
        return Ok(true);
    }
    if found == previous && found.is_none_or(|(size, _)| next.0 > size) {
        return Ok(false);
    }
    let show = |head: Option<Head>| match head {
        None => "none".to_owned(),
        Some((size, root)) => format!("{size} records, {}", hex::encode(root)),
    };
    // A signer that names the right predecessor but does not move forward is best told what it wanted to sign.
    let expected = if found == previous { Some(next) } else { previous };
    Err(StoreError::CheckpointMoved { log: log.to_owned(), expected: show(expected), found: show(found) })
}

/// Name, head, number of records, end, size of the newest checkpoint.
pub(crate) type HeadRow = (String, i64, i64, i64, i64);

/// Sentences for a log whose parts contradict each other.
pub(crate) fn head_faults((log, size, count, end, checkpoint): HeadRow) -> Vec<String> {
    let mut faults = Vec::new();
    if size != count || size != end {
        faults.push(format!(
            "{log}: the head says {size} records, {count} are stored, the last one has number {}",
            end - 1
        ));
    }
    if checkpoint > size {
        faults.push(format!("{log}: a checkpoint of {checkpoint} records was published, but the log has only {size}"));
    }
    faults
}

/// Appends what is wrong with one thing to the list of faults; other errors end the check.
pub(crate) fn note_damage<T>(result: Result<T>, faults: &mut Vec<String>) -> Result<()> {
    match result {
        Ok(_) => Ok(()),
        Err(error @ StoreError::Damaged { .. }) => {
            faults.push(error.to_string());
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// The end of the keys that begin with `prefix`.
pub(crate) fn after_prefix(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}
