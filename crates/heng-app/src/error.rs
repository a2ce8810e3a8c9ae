//! What can go wrong in the office at work, each with what to do.

use heng_domain::record::RecordError;
use heng_domain::refusal::Refusal;
use heng_log::Hash;
use heng_store::StoreError;

/// An error of the application.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The rules refuse the record; nothing has changed.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The record cannot be written in canonical form.
    #[error("the record cannot be written: {0}")]
    Record(#[from] RecordError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A signature names a checkpoint that this log has never published.
    #[error(
        "signature of {by}: no checkpoint of {size} records with root {root} was ever published here. Fetch the newest checkpoint and sign again"
    )]
    UnknownAnchor {
        /// Signer.
        by: String,
        /// Size named.
        size: u64,
        /// Root named.
        root: Hash,
    },
    /// There is no such log.
    #[error("there is no log called {0}; `heng editions` lists them")]
    UnknownLog(String),
    /// The store holds fewer records than were signed.
    #[error(
        "{log}: the database holds {stored} records, but {signed} were signed. It has been rolled back, perhaps by restoring an old backup. Nothing is served. Put the newest database back, or restore the missing records from a bundle of a mirror or witness"
    )]
    RolledBack {
        /// Log.
        log: String,
        /// Records in the store.
        stored: u64,
        /// Records that were signed.
        signed: u64,
    },
    /// Stored records give another root than the one that was signed.
    #[error(
        "{log}: the first {size} records have root {found}, but {signed} was signed. Records were changed. Nothing is served. Run `heng doctor` to find the record, and put the newest sound backup back"
    )]
    Different {
        /// Log.
        log: String,
        /// Size.
        size: u64,
        /// Signed root.
        signed: Hash,
        /// Root of what is stored.
        found: Hash,
    },
    /// A stored record does not read or would be refused.
    #[error(
        "{log}: record {seq} is damaged: {detail}. Nothing is served. Run `heng doctor`, and put the newest sound backup back"
    )]
    Damaged {
        /// Log.
        log: String,
        /// Number.
        seq: u64,
        /// What is wrong.
        detail: String,
    },
    /// The writer has stopped after an error of the disk.
    #[error(
        "{log}: writing has stopped after an error ({detail}). Nothing that was acknowledged is lost. Restart Heng; it checks the store before it serves again"
    )]
    Stopped {
        /// Log.
        log: String,
        /// The error.
        detail: String,
    },
    /// Files or keys.
    #[error("{what}: {source}")]
    Io {
        /// Which file and what was tried.
        what: String,
        /// The error.
        source: std::io::Error,
    },
    /// A key file is unusable.
    #[error("{0}")]
    Key(String),
    /// Something else, said in a sentence.
    #[error("{0}")]
    Other(String),
}

impl From<Refusal> for AppError {
    fn from(refusal: Refusal) -> AppError {
        AppError::Refused(Box::new(refusal))
    }
}

/// Results of the application.
pub type Result<T> = std::result::Result<T, AppError>;
