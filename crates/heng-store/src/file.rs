//! Files in pieces: how one is read without holding it, and what makes an attachment of it.

use std::io::{BufRead, Read, Seek, SeekFrom};
use std::ops::Deref;

use sha2::{Digest, Sha256};

use crate::error::{Result, StoreError};
use crate::key::{OVERHEAD, attachment_place};
use crate::{PIECE_LIMIT, Store, hash_of};

/// A file that is stored in pieces. Each piece is bound to both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// Its name in the store; never used twice.
    pub id: String,
    /// Its size when it is complete.
    pub size: u64,
}

impl StoredFile {
    pub(crate) fn what(&self) -> String {
        format!("the file {}", self.id)
    }

    /// What an attachment remembers of its file.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        [self.size.to_be_bytes().as_slice(), self.id.as_bytes()].concat()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<StoredFile> {
        let (size, id) = bytes.split_first_chunk()?;
        Some(StoredFile { id: String::from_utf8(id.to_vec()).ok()?, size: u64::from_be_bytes(*size) })
    }

    /// Refuses a piece that leaves a gap, overlaps, or is larger than it may be.
    pub(crate) fn may_follow(&self, received: u64, start: u64, bytes: &[u8]) -> Result<()> {
        if start != received {
            return Err(StoreError::NotNext { file: self.what(), start, received });
        }
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if length == 0 || bytes.len() > PIECE_LIMIT || start.checked_add(length).is_none_or(|end| end > self.size) {
            return Err(StoreError::Io {
                what: self.what(),
                detail: format!("a piece of {length} bytes at {start} does not fit into {} bytes", self.size),
            });
        }
        Ok(())
    }

    /// Refuses a file whose pieces do not reach its end.
    pub(crate) fn complete(&self, received: u64) -> Result<()> {
        if received == self.size { Ok(()) } else { Err(self.missing(received)) }
    }

    fn missing(&self, at: u64) -> StoreError {
        StoreError::Damaged { what: self.what(), detail: format!("its piece at byte {at} is missing") }
    }
}

/// Where a file ends whose last piece starts there and has this sealed length.
pub(crate) fn end(start: u64, sealed: u64) -> u64 {
    start.saturating_add(sealed.saturating_sub(OVERHEAD))
}

/// Reads a file or an attachment piece by piece, at most one of them in memory; it can be moved.
///
/// Every piece is authenticated with its place. An attachment that is read from its beginning is also checked against
/// its SHA-256, and its last piece is not given out unless it fits.
pub struct FileReader<S> {
    store: S,
    file: StoredFile,
    at: u64,
    /// The piece at hand, and where it begins.
    piece: Vec<u8>,
    start: u64,
    proof: Option<Proof>,
}

/// The hash so far.
struct Proof {
    sha256: [u8; 32],
    hasher: Sha256,
    hashed: u64,
}

impl Proof {
    /// Takes the next piece; one that was taken before adds nothing. False if bytes in between were never seen.
    fn take(&mut self, start: u64, piece: &[u8]) -> bool {
        if start == self.hashed {
            self.hasher.update(piece);
            self.hashed += piece.len() as u64;
        }
        start < self.hashed || piece.is_empty()
    }
}

impl<S: Deref<Target: Store>> FileReader<S> {
    /// Reads a file that is not an attachment yet.
    pub fn file(store: S, file: StoredFile) -> FileReader<S> {
        FileReader { store, file, at: 0, piece: Vec::new(), start: 0, proof: None }
    }

    /// Reads an attachment; nothing if there is none.
    ///
    /// # Errors
    /// As [`Store::attachment`].
    pub fn attachment(store: S, sha256: &[u8; 32]) -> Result<Option<FileReader<S>>> {
        if let Some(file) = store.attached(sha256)? {
            return FileReader::proving(store, file, *sha256).map(Some);
        }
        // Sealed whole: it is checked and in memory already.
        let Some(piece) = store.attachment(sha256)? else { return Ok(None) };
        let file = StoredFile { id: hex::encode(sha256), size: piece.len() as u64 };
        Ok(Some(FileReader { store, file, at: 0, piece, start: 0, proof: None }))
    }

    pub(crate) fn proving(store: S, file: StoredFile, sha256: [u8; 32]) -> Result<FileReader<S>> {
        if file.size == 0 && sha256 != hash_of(b"") {
            return Err(other_hash(&sha256));
        }
        let proof = Some(Proof { sha256, hasher: Sha256::new(), hashed: 0 });
        Ok(FileReader { proof, ..FileReader::file(store, file) })
    }

    /// Number of bytes.
    pub fn size(&self) -> u64 {
        self.file.size
    }

    /// The bytes from here to the end of the piece; empty at the end of the file.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if a piece is missing or changed, or the whole has another hash.
    pub fn fill(&mut self) -> Result<&[u8]> {
        if self.at >= self.file.size {
            return Ok(&[]);
        }
        let held = self.start..self.start + self.piece.len() as u64;
        if !held.contains(&self.at) {
            self.load()?;
        }
        let from = usize::try_from(self.at - self.start).unwrap_or(usize::MAX);
        Ok(self.piece.get(from..).unwrap_or_default())
    }

    fn load(&mut self) -> Result<()> {
        let missing = || self.file.missing(self.at);
        let (start, piece) = self.store.piece(&self.file, self.at)?.ok_or_else(missing)?;
        let end = start + piece.len() as u64;
        if end <= self.at || end > self.file.size {
            return Err(missing());
        }
        if let Some(proof) = &mut self.proof {
            if !proof.take(start, &piece) {
                self.proof = None;
            } else if proof.hashed == self.file.size && proof.hasher.clone().finalize().as_slice() != proof.sha256 {
                return Err(other_hash(&proof.sha256));
            }
        }
        (self.start, self.piece) = (start, piece);
        Ok(())
    }

    /// Moves on by what was used of [`FileReader::fill`].
    pub fn advance(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes as u64);
    }
}

fn other_hash(sha256: &[u8; 32]) -> StoreError {
    StoreError::Damaged { what: attachment_place(sha256), detail: "its content has another SHA-256".to_owned() }
}

impl<S: Deref<Target: Store>> BufRead for FileReader<S> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.fill().map_err(std::io::Error::other)
    }

    fn consume(&mut self, bytes: usize) {
        self.advance(bytes);
    }
}

impl<S: Deref<Target: Store>> Read for FileReader<S> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let length = self.fill_buf()?.read(into)?;
        self.consume(length);
        Ok(length)
    }
}

impl<S: Deref<Target: Store>> Seek for FileReader<S> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.file.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        let before = || std::io::Error::new(std::io::ErrorKind::InvalidInput, "a place before the beginning of a file");
        self.at = at.ok_or_else(before)?;
        Ok(self.at)
    }
}

/// The SHA-256 of a complete file, from what is stored.
pub(crate) fn hash_file<S: Deref<Target: Store>>(store: S, file: &StoredFile) -> Result<[u8; 32]> {
    let mut reader = FileReader::file(store, file.clone());
    let mut hasher = Sha256::new();
    loop {
        let bytes = reader.fill()?;
        if bytes.is_empty() {
            return Ok(hasher.finalize().into());
        }
        hasher.update(bytes);
        let length = bytes.len();
        reader.advance(length);
    }
}

/// The whole of an attachment in pieces.
pub(crate) fn read_whole<S: Deref<Target: Store>>(store: S, file: StoredFile, sha256: [u8; 32]) -> Result<Vec<u8>> {
    let mut reader = FileReader::proving(store, file, sha256)?;
    let mut out = Vec::with_capacity(usize::try_from(reader.size()).unwrap_or(0));
    loop {
        let bytes = reader.fill()?;
        if bytes.is_empty() {
            return Ok(out);
        }
        out.extend_from_slice(bytes);
        let length = bytes.len();
        reader.advance(length);
    }
}

/// Reads an attachment to its end, holding one piece at a time; true if it is there and sound, false if it is not there.
pub(crate) fn examine<S: Deref<Target: Store>>(store: S, sha256: &[u8; 32]) -> Result<bool> {
    let Some(mut reader) = FileReader::attachment(store, sha256)? else { return Ok(false) };
    loop {
        let length = reader.fill()?.len();
        if length == 0 {
            return Ok(true);
        }
        reader.advance(length);
    }
}

/// As [`examine`], where a damaged copy counts as none: putting it again repairs it.
pub(crate) fn is_sound<S: Deref<Target: Store>>(store: S, sha256: &[u8; 32]) -> Result<bool> {
    match examine(store, sha256) {
        Err(StoreError::Damaged { .. }) => Ok(false),
        found => found,
    }
}
