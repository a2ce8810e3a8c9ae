//! Files that an owner has uploaded and may attach: name, size and what they are about, beside the content's hash.

use heng_domain::edition::events::Attachment;
use heng_log::Hash;
use serde::{Deserialize, Serialize};

use super::field::{Field, Input, Kind};
use super::{DeskError, EditionDesk, Wrong};
use crate::error::Result;
use crate::heng::Heng;

/// What is known of an uploaded file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileInfo {
    /// Item that it proves, or `other`.
    pub about: String,
    /// Name as it was given, made safe.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    /// Type that its content has.
    pub content_type: String,
    /// Marked as a business secret by its owner: shown to the panel, never to anybody else.
    pub secret: bool,
}

const ROWS: &str = "file";

fn key(owner: &str, sha256: &str) -> String {
    format!("{owner}|{sha256}")
}

/// Remembers a finished upload of `owner`.
///
/// # Errors
/// If the store fails.
pub fn put(heng: &Heng, owner: &str, sha256: &str, info: &FileInfo) -> Result<()> {
    let bytes = serde_json::to_vec(info).map_err(|error| crate::AppError::Other(error.to_string()))?;
    Ok(heng.store().put_row(ROWS, &key(owner, sha256), &bytes)?)
}

/// A file of `owner`.
///
/// # Errors
/// If the store fails.
pub fn info(heng: &Heng, owner: &str, sha256: &str) -> Result<Option<FileInfo>> {
    let bytes = heng.store().row(ROWS, &key(owner, sha256))?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// All files of `owner` with their hashes.
///
/// # Errors
/// If the store fails.
pub fn list(heng: &Heng, owner: &str) -> Result<Vec<(String, FileInfo)>> {
    let prefix = key(owner, "");
    let rows = heng.store().rows_with_prefix(ROWS, &prefix)?;
    let own = rows.into_iter().filter_map(|(key, bytes)| {
        let sha256 = key.strip_prefix(&prefix)?.to_owned();
        Some((sha256, serde_json::from_slice(&bytes).ok()?))
    });
    Ok(own.collect())
}

/// Forgets a file that has not been submitted; its content stays unused.
///
/// # Errors
/// If the store fails.
pub fn remove(heng: &Heng, owner: &str, sha256: &str) -> Result<bool> {
    Ok(heng.store().delete_row(ROWS, &key(owner, sha256))?)
}

/// Fields for a letter that came on paper: its scan, or where it is kept.
pub(super) fn letter_files() -> [Field; 2] {
    [
        Field::labelled("files", "letter_files", Kind::Files { most: 10 }).optional(),
        Field::labelled("source", "letter_source", Kind::Line { most: 300 }).optional(),
    ]
}

/// The files of mine that were chosen in the field `files`.
pub(super) fn chosen(desk: &EditionDesk<'_>, input: &Input) -> std::result::Result<Vec<Attachment>, DeskError> {
    let one = |file: String| {
        let unknown = || DeskError::from(Wrong::new("files", "file_unknown"));
        let FileInfo { about, name, size, .. } = info(desk.heng, &desk.me, &file)?.ok_or_else(unknown)?;
        Ok(Attachment { about, name, sha256: file.parse().map_err(|_| unknown())?, size })
    };
    input.list("files").into_iter().map(one).collect()
}

/// What was answered to [`letter_files`]; one of both must be there.
pub(super) fn letter_evidence(desk: &EditionDesk<'_>, input: &Input) -> std::result::Result<Vec<Hash>, DeskError> {
    let mut evidence: Vec<Hash> = chosen(desk, input)?.into_iter().map(|file| file.sha256).collect();
    let source = input.text("source");
    if !source.is_empty() {
        evidence.push(desk.attach(&source)?);
    }
    if evidence.is_empty() { Err(Wrong::new("source", "evidence").into()) } else { Ok(evidence) }
}
