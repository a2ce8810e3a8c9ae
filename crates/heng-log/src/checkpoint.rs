//! Checkpoints (C2SP tlog-checkpoint v1.0.0): origin, size and root, signed as a note.

use crate::hash::Hash;
use crate::note::{Note, NoteError, SignerKey, VerifierKey, sign};

/// A tree head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the log.
    pub origin: String,
    /// Number of records.
    pub size: u64,
    /// Root hash.
    pub root: Hash,
}

impl Checkpoint {
    /// The three lines.
    pub fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())
    }

    /// Reads the lines; extension lines are tolerated, as the text asks.
    ///
    /// # Errors
    /// [`NoteError::Checkpoint`].
    pub fn parse_text(text: &str) -> Result<Checkpoint, NoteError> {
        let mut lines = text.lines();
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(NoteError::Checkpoint("it has not three lines"));
        };
        if origin.is_empty() {
            return Err(NoteError::Checkpoint("its origin is empty"));
        }
        let number: u64 = size.parse().map_err(|_| NoteError::Checkpoint("its size is not a number"))?;
        if number.to_string() != size {
            return Err(NoteError::Checkpoint("its size is not written plainly"));
        }
        let root = Hash::from_base64(root).map_err(|_| NoteError::Checkpoint("its root is not a hash"))?;
        Ok(Checkpoint { origin: origin.to_owned(), size: number, root })
    }
}

/// Signs a checkpoint.
///
/// # Errors
/// If the origin cannot stand in a note, or is not the name of the key.
pub fn sign_checkpoint(checkpoint: &Checkpoint, key: &SignerKey) -> Result<Note, NoteError> {
    let expected = key.verifier().name().to_owned();
    if checkpoint.origin != expected {
        return Err(NoteError::Origin { found: checkpoint.origin.clone(), expected });
    }
    sign(&checkpoint.to_text(), key)
}

/// Reads a checkpoint and checks the log's signature and origin.
///
/// # Errors
/// [`NoteError`].
pub fn open_checkpoint(note: &str, key: &VerifierKey) -> Result<(Checkpoint, Note), NoteError> {
    let note = Note::parse(note)?;
    note.verify(key)?;
    let checkpoint = Checkpoint::parse_text(&note.text)?;
    if checkpoint.origin != key.name() {
        return Err(NoteError::Origin { found: checkpoint.origin, expected: key.name().to_owned() });
    }
    Ok((checkpoint, note))
}
