//! Checkpoints (C2SP tlog-checkpoint v1.0.0): origin, size and root, signed as a note.
//!
//! The specification advises against extension lines, as nobody can audit them: we write none, and skip those of others.

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
    /// The three lines: origin, size in decimal, root in base64, each with a line feed.
    pub fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())
    }

    /// Reads the text of a note; non-empty extension lines are skipped.
    ///
    /// # Errors
    /// [`NoteError::Checkpoint`].
    pub fn parse_text(text: &str) -> Result<Checkpoint, NoteError> {
        let text = text.strip_suffix('\n').ok_or(NoteError::Checkpoint("it does not end in a line feed"))?;
        // Not `lines`, which would let a carriage return pass.
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(NoteError::Checkpoint("it has not three lines"));
        };
        if origin.is_empty() || lines.any(str::is_empty) {
            return Err(NoteError::Checkpoint("it has an empty line"));
        }
        let number: u64 = size.parse().map_err(|_| NoteError::Checkpoint("its size is not a number"))?;
        if number.to_string() != size {
            return Err(NoteError::Checkpoint("its size is not written plainly"));
        }
        let root = Hash::from_base64(root).map_err(|_| NoteError::Checkpoint("its root is not a hash"))?;
        Ok(Checkpoint { origin: origin.to_owned(), size: number, root })
    }
}

/// Signs a checkpoint with the log's key.
///
/// # Errors
/// [`NoteError::Origin`] if the origin is not the name of the key, [`NoteError::Key`] for a witness's key.
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
/// [`NoteError`]: not a note, no such signature, a wrong one, not a checkpoint, or one of another log.
pub fn open_checkpoint(note: &str, key: &VerifierKey) -> Result<(Checkpoint, Note), NoteError> {
    let note = Note::parse(note)?;
    note.verify(key)?;
    let checkpoint = Checkpoint::parse_text(&note.text)?;
    if checkpoint.origin != key.name() {
        return Err(NoteError::Origin { found: checkpoint.origin, expected: key.name().to_owned() });
    }
    Ok((checkpoint, note))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::note::KeyKind;
    use crate::sha256;

    fn key(name: &str) -> SignerKey {
        SignerKey::from_seed(name, KeyKind::Ed25519, [1; 32]).unwrap()
    }

    #[test]
    fn a_checkpoint_is_three_plain_lines() {
        let root = sha256(b"root");
        let base64 = root.to_base64();
        let checkpoint = Checkpoint { origin: "heng.example/log".to_owned(), size: 7, root };
        assert_eq!(checkpoint.to_text(), format!("heng.example/log\n7\n{base64}\n"));
        assert_eq!(Checkpoint::parse_text(&checkpoint.to_text()), Ok(checkpoint.clone()));
        assert_eq!(Checkpoint::parse_text(&format!("{}extension\nmore\n", checkpoint.to_text())), Ok(checkpoint));
        for wrong in [
            format!("\n7\n{base64}\n"),
            format!("o\n07\n{base64}\n"),
            format!("o\n+7\n{base64}\n"),
            format!("o\n\n{base64}\n"),
            format!("o\n18446744073709551616\n{base64}\n"),
            format!("o\n7\n{base64}"),
            format!("o\n7\r\n{base64}\n"),
            format!("o\n7\n{base64}\n\next\n"),
            format!("o\n7\n{}\n", base64.trim_end_matches('=')),
            "o\n7\nAAAA\n".to_owned(),
            "o\n7\n".to_owned(),
            String::new(),
        ] {
            assert!(matches!(Checkpoint::parse_text(&wrong), Err(NoteError::Checkpoint(_))), "{wrong:?}");
        }
    }

    #[test]
    fn a_log_speaks_for_itself_only() {
        let (log, other) = (key("heng.example/log"), key("heng.example/other"));
        let checkpoint = Checkpoint { origin: "heng.example/log".to_owned(), size: 0, root: sha256(b"") };
        let note = sign_checkpoint(&checkpoint, &log).unwrap().to_string();
        assert_eq!(open_checkpoint(&note, &log.verifier()).unwrap().0, checkpoint);
        assert!(matches!(open_checkpoint(&note, &other.verifier()), Err(NoteError::Missing(_))));
        assert!(matches!(sign_checkpoint(&checkpoint, &other), Err(NoteError::Origin { .. })));
        let foreign = sign(&checkpoint.to_text(), &other).unwrap().to_string();
        assert!(matches!(open_checkpoint(&foreign, &other.verifier()), Err(NoteError::Origin { .. })));
    }
}
