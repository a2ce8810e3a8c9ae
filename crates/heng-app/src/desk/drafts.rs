//! What was typed and not yet sent: saved as it is typed, never lost, shared by those who work on the same form.

use heng_domain::time::Instant;
use serde::{Deserialize, Serialize};

use super::field::Answers;
use crate::error::{AppError, Result};
use crate::heng::Heng;

/// A saved draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Grows with every save: two windows that save the same version meet here.
    pub version: u64,
    /// When.
    pub at: Instant,
    /// Which account saved it.
    pub by: String,
    /// What was typed.
    pub answers: Answers,
}

/// Outcome of a save.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Save {
    /// It is durable.
    Done(Saved),
    /// Somebody, or another window, saved a newer version meanwhile; nothing was overwritten.
    Newer(Saved),
    /// The version that was typed upon has been sent meanwhile; nothing was saved.
    Sent,
}

const ROWS: &str = "draft";

/// Whether what is typed may be kept. Ballots are not: before the close nobody but the member knows the choice (law 6).
pub fn keeps(kind: &str) -> bool {
    kind != "ballot.cast"
}

/// Name of a form's draft. `owner` is the handle that acts, so that a firm's staff share one draft.
pub fn key(owner: &str, log: &str, kind: &str, case: &str) -> String {
    format!("{owner}|{log}|{kind}|{case}")
}

/// The draft of a form.
///
/// # Errors
/// If the store fails.
pub fn load(heng: &Heng, key: &str) -> Result<Option<Saved>> {
    let bytes = heng.store().row(ROWS, key)?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// Saves a draft that was typed upon `version`; 0 where none was loaded.
///
/// # Errors
/// If the store fails: then the caller still has the text, and says so.
pub fn save(heng: &Heng, key: &str, by: &str, version: u64, answers: Answers) -> Result<Save> {
    // One at a time: between reading and writing nobody else may save the same form.
    let _turn = heng.turn(key);
    match load(heng, key)? {
        None if version > 0 => return Ok(Save::Sent),
        Some(old) if old.version != version && old.answers == answers => return Ok(Save::Done(old)),
        Some(old) if old.version != version => return Ok(Save::Newer(old)),
        _ => {}
    }
    let saved = Saved { version: version + 1, at: heng.clock().now(), by: by.to_owned(), answers };
    let bytes = serde_json::to_vec(&saved).map_err(|error| AppError::Other(error.to_string()))?;
    heng.store().put_row(ROWS, key, &bytes)?;
    Ok(Save::Done(saved))
}

/// Forgets a draft once it was sent.
///
/// # Errors
/// If the store fails.
pub fn discard(heng: &Heng, key: &str) -> Result<()> {
    heng.store().delete_row(ROWS, key)?;
    Ok(())
}
