//! Notes of the supervisor on an edition: kept beside the log, never in it, for whoever reads the board.

use heng_domain::edition::events::Role;
use heng_domain::time::Instant;
use serde::{Deserialize, Serialize};

use super::field::{Answers, Field, Kind, read};
use super::{DeskError, Place, with_desk};
use crate::error::{AppError, Result};
use crate::heng::Heng;

const ROWS: &str = "note";
/// Most characters of a note.
pub const MOST: usize = 4000;

/// A note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Who wrote it, as the edition knows them.
    pub by: String,
    /// When.
    pub at: Instant,
    /// What it says.
    pub text: String,
}

/// Who reads the board of an edition: its officers, and the supervisor, who alone writes notes.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Edition.
    pub log: String,
    /// Who it is, as the edition knows them.
    pub handle: String,
    /// May write notes.
    pub supervises: bool,
}

/// `subject` as a reader of the board of `log`; `None` for all others.
///
/// # Errors
/// If the log is unknown.
pub fn reader(heng: &Heng, log: &str, subject: &str) -> Result<Option<Reader>> {
    let found = with_desk(heng, log, subject, |place| match place {
        Place::Edition(desk) => {
            let supervises = desk.has(Role::Supervisor);
            let reads = supervises || desk.has(Role::Officer);
            reads.then(|| Reader { log: log.to_owned(), handle: desk.me.clone(), supervises })
        }
        Place::Office(_) => None,
    })?;
    Ok(found.flatten())
}

/// The notes on an edition, newest first.
///
/// # Errors
/// If the store fails.
pub fn list(heng: &Heng, log: &str) -> Result<Vec<Note>> {
    let rows = heng.store().rows_with_prefix(ROWS, &format!("{log}|"))?;
    let mut notes: Vec<Note> = rows.iter().filter_map(|(_, bytes)| serde_json::from_slice(bytes).ok()).collect();
    notes.sort_by_key(|note| std::cmp::Reverse(note.at));
    Ok(notes)
}

/// Adds a note of the supervisor.
///
/// # Errors
/// What is wrong with the text; [`DeskError::NotOpen`] for others; or if the store fails.
pub fn add(heng: &Heng, reader: &Reader, text: &str) -> std::result::Result<Note, DeskError> {
    if !reader.supervises {
        return Err(DeskError::NotOpen);
    }
    let field = Field::new("text", Kind::Area { most: MOST, rows: 3 });
    let answers = Answers::from([("text".to_owned(), vec![text.to_owned()])]);
    let text = read(&[field], &answers, 0).map_err(DeskError::Wrong)?.text("text");
    let at = heng.clock().now();
    let note = Note { by: reader.handle.clone(), at, text };
    let bytes = serde_json::to_vec(&note).map_err(|error| AppError::Other(error.to_string()))?;
    heng.store().put_row(ROWS, &format!("{}|{at}|{}", reader.log, reader.handle), &bytes)?;
    Ok(note)
}
