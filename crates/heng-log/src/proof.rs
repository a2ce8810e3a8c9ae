//! Receipts (C2SP tlog-proof): an offline proof that a record is in a log.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{Checkpoint, open_checkpoint};
use crate::hash::{Hash, Sha256};
use crate::note::{NoteError, VerifierKey};
use crate::tree::{ProofError, leaf_hash, verify_inclusion};

const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// An inclusion proof has at most as many hashes as a size has bits.
const MAX_HASHES: usize = 64;

/// A receipt that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Not a receipt.
    #[error("not a receipt: {0}")]
    Form(&'static str),
    /// The checkpoint inside does not hold.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The proof does not lead to the checkpoint's root.
    #[error("the record is not proven: {0}")]
    Proof(#[from] ProofError),
}

/// A receipt: record `index` is in the tree of the checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Number of the record, from 0.
    pub index: u64,
    /// Hashes from the leaf upwards.
    pub proof: Vec<Hash>,
    /// The signed checkpoint: text of a note.
    pub checkpoint: String,
    /// Bytes that the log adds, not covered by the proof.
    pub extra: Option<Vec<u8>>,
}

impl Receipt {
    /// Checks that `record` is in the log of `log`; returns the checkpoint that says so.
    ///
    /// # Errors
    /// [`ReceiptError::Note`] if the checkpoint is not the log's, [`ReceiptError::Proof`] if the record is another one.
    pub fn verify(&self, record: &[u8], log: &VerifierKey) -> Result<Checkpoint, ReceiptError> {
        let (checkpoint, _) = open_checkpoint(&self.checkpoint, log)?;
        let leaf = leaf_hash::<Sha256>(record);
        verify_inclusion::<Sha256>(&leaf, self.index, checkpoint.size, &self.proof, &checkpoint.root)?;
        Ok(checkpoint)
    }
}

impl std::fmt::Display for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.proof {
            writeln!(f, "{}", hash.to_base64())?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl std::str::FromStr for Receipt {
    type Err = ReceiptError;

    fn from_str(text: &str) -> Result<Receipt, ReceiptError> {
        let (head, checkpoint) = text.split_once("\n\n").ok_or(ReceiptError::Form("no checkpoint"))?;
        // Not `lines`, which would let a carriage return pass.
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(ReceiptError::Form("the first line names another format"));
        }
        let extra = match lines.peek().and_then(|line| line.strip_prefix("extra ")) {
            None => None,
            Some(data) => {
                lines.next();
                Some(STANDARD.decode(data).map_err(|_| ReceiptError::Form("extra is not base64"))?)
            }
        };
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).ok_or(ReceiptError::Form("no index"))?;
        let number: u64 = index.parse().map_err(|_| ReceiptError::Form("the index is not a number"))?;
        let proof: Vec<Hash> = lines
            .map(Hash::from_base64)
            .collect::<Result<_, _>>()
            .map_err(|_| ReceiptError::Form("a line is not a hash"))?;
        if proof.len() > MAX_HASHES || number.to_string() != index {
            return Err(ReceiptError::Form("too many hashes, or an index not written plainly"));
        }
        Ok(Receipt { index: number, proof, checkpoint: checkpoint.to_owned(), extra })
    }
}
