//! Files that people upload: in pieces, resumable after any interruption, checked before they become attachments.
//!
//! A piece is durable when it is acknowledged. An upload is an operational row beside the pieces; nothing of it is in
//! memory, so a restart, or another server over the same database, goes on where the last piece ended. No call holds
//! more than a piece or two of a file.

mod container;
mod error;
mod kind;
mod name;

use std::sync::Arc;

use heng_domain::time::Instant;
use heng_log::Hash;
pub use heng_store::FileReader;
use heng_store::{PIECE_LIMIT, Store, StoreError, StoredFile};
use serde::{Deserialize, Serialize};

pub use self::error::{Fault, UploadError};
pub use self::kind::FileKind;
pub use self::name::clean as clean_name;
use crate::clock::{Clock, Entropy};

type Result<T> = std::result::Result<T, UploadError>;

/// Kind of the operational rows.
const ROWS: &str = "upload";

/// The smallest piece that is not the last one: a file of millions of tiny rows would be slow for everybody.
pub const SMALLEST_PIECE: usize = 64 << 10;

/// What may be uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UploadLimits {
    /// Bytes of a file.
    pub file_bytes: u64,
    /// Unfinished uploads of an owner.
    pub unfinished: usize,
    /// Days after which an upload that was not finished is removed.
    pub days: i64,
    /// Entries of an Office file.
    pub archive_entries: u32,
    /// Bytes that an Office file unpacks to.
    pub archive_bytes: u64,
    /// Times its size that a large Office file unpacks to.
    pub archive_ratio: u64,
}

impl Default for UploadLimits {
    fn default() -> UploadLimits {
        UploadLimits {
            file_bytes: 200 << 20,
            unfinished: 20,
            days: 7,
            archive_entries: 5000,
            archive_bytes: 1 << 30,
            archive_ratio: 200,
        }
    }
}

/// The name of an upload: 32 hex digits that nobody can guess.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct UploadId(String);

impl UploadId {
    /// Reads an id from an address; nothing if it cannot be one.
    pub fn parse(text: &str) -> Option<UploadId> {
        let hex = text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
        hex.then(|| UploadId(text.to_owned()))
    }

    /// As it stands in an address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for UploadId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file that has become an attachment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// Cleaned name.
    pub name: String,
    /// Hash of the content: the attachment's address.
    pub sha256: Hash,
    /// Bytes.
    pub size: u64,
    /// What it is, by its content.
    pub kind: FileKind,
}

/// What is known of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Its name.
    pub id: UploadId,
    /// Who began it. The caller decides whether somebody else may see it.
    pub owner: String,
    /// Cleaned name of the file.
    pub name: String,
    /// Announced bytes.
    pub size: u64,
    /// Bytes that are there: the next piece begins here.
    pub received: u64,
    /// What the file is for, in the caller's words.
    pub about: String,
    /// When it began.
    pub begun: Instant,
    /// When it is removed unless it is finished.
    pub expires: Instant,
    /// How it ended: an attachment, or why not.
    pub outcome: Option<std::result::Result<Finished, Fault>>,
}

/// An upload as it is stored.
#[derive(Serialize, Deserialize)]
struct Row {
    owner: String,
    name: String,
    size: u64,
    about: String,
    begun: Instant,
    expires: Instant,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outcome: Option<std::result::Result<Finished, Fault>>,
}

/// All uploads of an office.
pub struct Uploads {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    limits: UploadLimits,
}

impl Uploads {
    /// The uploads of a store.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        limits: UploadLimits,
    ) -> Uploads {
        Uploads { store, clock, entropy, limits }
    }

    /// The limits, for the page that announces them.
    pub fn limits(&self) -> &UploadLimits {
        &self.limits
    }

    /// Begins an upload; name, kind and size are checked before the first byte is sent.
    ///
    /// # Errors
    /// [`UploadError::Refused`], [`UploadError::TooMany`], [`UploadError::Failed`].
    pub fn begin(&self, owner: &str, name: &str, size: u64, about: &str) -> Result<UploadId> {
        let name = clean_name(name)?;
        FileKind::promised(&name)?;
        if size == 0 {
            return Err(Fault::Empty.into());
        }
        if size > self.limits.file_bytes {
            return Err(Fault::Size { size, limit: self.limits.file_bytes }.into());
        }
        if self.unfinished(owner)?.len() >= self.limits.unfinished {
            return Err(UploadError::TooMany { limit: self.limits.unfinished });
        }
        let begun = self.clock.now();
        let row = Row {
            owner: owner.to_owned(),
            name,
            size,
            about: about.to_owned(),
            begun,
            expires: begun.plus_days(self.limits.days).unwrap_or(begun),
            outcome: None,
        };
        let id = UploadId(hex::encode(self.entropy.bytes()?.split_at(16).0));
        self.store.put_row(ROWS, &id.0, &to_bytes(&row)?)?;
        Ok(id)
    }

    /// What is known of an upload.
    ///
    /// # Errors
    /// [`UploadError::Unknown`], [`UploadError::Failed`].
    pub fn state(&self, id: &UploadId) -> Result<Upload> {
        let (row, _) = self.row(id)?;
        self.upload(id.clone(), row)
    }

    /// Keeps the next piece, durably; returns how many bytes are there. A piece that is there already changes nothing.
    ///
    /// # Errors
    /// [`UploadError::Offset`] names where the file goes on; [`UploadError::Differs`] if a piece that is there already is
    /// sent with another content; [`UploadError::Piece`], [`UploadError::Unknown`], [`UploadError::Failed`].
    pub fn append(&self, id: &UploadId, offset: u64, bytes: &[u8]) -> Result<u64> {
        let (row, _) = self.row(id)?;
        let length = bytes.len() as u64;
        let wrong = UploadError::Piece { bytes: length };
        let Some(end) = offset.checked_add(length).filter(|end| *end <= row.size) else { return Err(wrong) };
        if bytes.is_empty() || bytes.len() > PIECE_LIMIT {
            return Err(wrong);
        }
        let file = StoredFile { id: id.0.clone(), size: row.size };
        let received = if row.outcome.is_some() { row.size } else { self.store.received(&id.0)? };
        if end <= received {
            // A file that is finished may lie in another attachment's pieces; what was accepted stays accepted.
            let same = row.outcome.is_some() || self.holds(&file, offset, bytes)?;
            return if same { Ok(received) } else { Err(UploadError::Differs { sent: offset }) };
        }
        if offset == received && bytes.len() < SMALLEST_PIECE && end < row.size {
            return Err(wrong);
        }
        self.store.put_piece(&file, offset, bytes)?;
        Ok(end)
    }

    /// True if a file has these bytes there.
    fn holds(&self, file: &StoredFile, offset: u64, bytes: &[u8]) -> Result<bool> {
        use std::io::{Read, Seek, SeekFrom};
        let mut reader = FileReader::file(Arc::clone(&self.store), file.clone());
        reader.seek(SeekFrom::Start(offset))?;
        let mut there = Vec::with_capacity(bytes.len());
        reader.take(bytes.len() as u64).read_to_end(&mut there)?;
        Ok(there == bytes)
    }

    /// Checks a complete file and makes it an attachment. Asked again it says the same, also when it refused: the bytes
    /// of a refused file are removed at once, the reason stays until the upload expires or is abandoned.
    ///
    /// # Errors
    /// [`UploadError::Unfinished`], [`UploadError::Refused`], [`UploadError::Unknown`], [`UploadError::Failed`].
    pub fn finish(&self, id: &UploadId) -> Result<Finished> {
        let (mut row, old) = self.row(id)?;
        if let Some(outcome) = row.outcome {
            return Ok(outcome?);
        }
        let file = StoredFile { id: id.0.clone(), size: row.size };
        let received = self.store.received(&id.0)?;
        if received != row.size {
            return Err(UploadError::Unfinished { received, size: row.size });
        }
        let outcome = match self.check(&file, &row.name) {
            Ok(kind) => {
                let sha256 = Hash(self.store.attach(&file)?);
                Ok(Finished { name: row.name.clone(), sha256, size: row.size, kind })
            }
            Err(UploadError::Refused(fault)) => Err(fault),
            Err(error) => return Err(error),
        };
        row.outcome = Some(outcome.clone());
        // Abandoned in between: then it stays so. An attachment that nobody names does no harm.
        if !self.store.swap_row(ROWS, &id.0, Some(&old), Some(&to_bytes(&row)?))? {
            return self.state(id)?.outcome.ok_or(UploadError::Unknown)?.map_err(UploadError::from);
        }
        // What is an attachment now stays; a refused file and a second copy of what was there go.
        self.store.drop_file(&id.0)?;
        Ok(outcome?)
    }

    /// Takes small files that came whole, all or none: every one is looked at before the first becomes an attachment.
    ///
    /// # Errors
    /// Like [`Uploads::begin`] and [`Uploads::finish`], with the place of the file in the list.
    pub fn take(
        &self,
        owner: &str,
        about: &str,
        files: &[(String, Vec<u8>)],
    ) -> std::result::Result<Vec<Finished>, (usize, UploadError)> {
        for (at, (name, bytes)) in files.iter().enumerate() {
            self.look(name, bytes).map_err(|error| (at, error))?;
        }
        let each = files.iter().enumerate();
        each.map(|(at, (name, bytes))| self.take_one(owner, about, name, bytes).map_err(|error| (at, error))).collect()
    }

    fn take_one(&self, owner: &str, about: &str, name: &str, bytes: &[u8]) -> Result<Finished> {
        let id = self.begin(owner, name, bytes.len() as u64, about)?;
        let mut at = 0;
        for piece in bytes.chunks(PIECE_LIMIT) {
            at = self.append(&id, at, piece)?;
        }
        self.finish(&id)
    }

    /// What a file that is in memory has against it.
    fn look(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let name = clean_name(name)?;
        let promised = FileKind::promised(&name)?;
        if bytes.is_empty() {
            return Err(Fault::Empty.into());
        }
        kind::check(&mut std::io::Cursor::new(bytes), bytes.len() as u64, promised, &name, &self.limits)
    }

    fn check(&self, file: &StoredFile, name: &str) -> Result<FileKind> {
        let promised = FileKind::promised(name)?;
        let mut reader = FileReader::file(Arc::clone(&self.store), file.clone());
        kind::check(&mut reader, file.size, promised, name, &self.limits)?;
        Ok(promised)
    }

    /// Forgets an upload, with its pieces unless they are an attachment.
    ///
    /// # Errors
    /// [`UploadError::Unknown`], [`UploadError::Failed`].
    pub fn abandon(&self, id: &UploadId) -> Result<()> {
        if !self.store.delete_row(ROWS, &id.0)? {
            return Err(UploadError::Unknown);
        }
        self.store.drop_file(&id.0)?;
        Ok(())
    }

    /// Uploads of an owner that are not finished, oldest first.
    ///
    /// # Errors
    /// [`UploadError::Failed`].
    pub fn unfinished(&self, owner: &str) -> Result<Vec<Upload>> {
        let mut out = Vec::new();
        for (id, bytes) in self.store.rows(ROWS)? {
            let row = from_bytes(&id, &bytes)?;
            if row.owner == owner && row.outcome.is_none() && row.expires > self.clock.now() {
                out.push(self.upload(UploadId(id), row)?);
            }
        }
        out.sort_by(|a, b| a.begun.cmp(&b.begun).then_with(|| a.id.cmp(&b.id)));
        Ok(out)
    }

    /// Removes what is expired; returns how many uploads that were. To be called now and then.
    ///
    /// # Errors
    /// [`UploadError::Failed`].
    pub fn expire(&self) -> Result<usize> {
        let now = self.clock.now();
        let mut expired = 0;
        // Pieces first: a row that begins after they were listed cannot be missed.
        let loose = self.store.loose_files()?;
        let mut alive = Vec::new();
        for (id, bytes) in self.store.rows(ROWS)? {
            let row = from_bytes(&id, &bytes)?;
            if row.expires > now {
                alive.push(id);
            } else if self.store.swap_row(ROWS, &id, Some(&bytes), None)? {
                expired += 1;
            }
        }
        for file in loose.iter().filter(|file| !alive.contains(file)) {
            self.store.drop_file(file)?;
        }
        Ok(expired)
    }

    /// The row of an upload, and its bytes.
    fn row(&self, id: &UploadId) -> Result<(Row, Vec<u8>)> {
        let bytes = self.store.row(ROWS, &id.0)?.ok_or(UploadError::Unknown)?;
        let row = from_bytes(&id.0, &bytes)?;
        if row.expires <= self.clock.now() {
            return Err(UploadError::Unknown);
        }
        Ok((row, bytes))
    }

    fn upload(&self, id: UploadId, row: Row) -> Result<Upload> {
        let received = if row.outcome.is_some() { row.size } else { self.store.received(&id.0)? };
        let Row { owner, name, size, about, begun, expires, outcome } = row;
        Ok(Upload { id, owner, name, size, received, about, begun, expires, outcome })
    }
}

fn to_bytes(row: &Row) -> Result<Vec<u8>> {
    serde_json::to_vec(row).map_err(|error| damaged("a new upload", &error))
}

fn from_bytes(id: &str, bytes: &[u8]) -> Result<Row> {
    serde_json::from_slice(bytes).map_err(|error| damaged(id, &error))
}

fn damaged(id: &str, error: &serde_json::Error) -> UploadError {
    UploadError::Failed(StoreError::Damaged { what: format!("the upload {id}"), detail: error.to_string() })
}
