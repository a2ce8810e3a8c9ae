//! Durable rows: SQLite and PostgreSQL behind one small trait. The only SQL of the house.
//!
//! Records are stored exactly as given. Secrets and attachments are encrypted with a key file. Nothing derived is
//! stored: no tables of applications, scores or votes, only the log's bytes and what lies beside them.

mod error;
mod key;
mod postgres;
mod schema;
mod signer;
mod sqlite;

pub use error::{Result, StoreError};
pub use key::DataKey;
pub use postgres::PostgresStore;
pub use signer::SignerMemory;
pub use sqlite::SqliteStore;

/// A record to append.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The record's bytes.
    pub bytes: Vec<u8>,
    /// Hidden values, as plain bytes; the store encrypts them.
    pub secret: Option<Vec<u8>>,
}

/// A log of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogInfo {
    /// Name.
    pub id: String,
    /// `office` or `edition`.
    pub kind: String,
    /// Number of records.
    pub size: u64,
}

/// A published checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// Number of records.
    pub size: u64,
    /// Root.
    pub root: [u8; 32],
    /// The signed note.
    pub note: String,
}

/// Size and root of a checkpoint.
pub type Head = (u64, [u8; 32]);

/// What a store does. Every call blocks; what it returns from a write is durable.
pub trait Store: Send + Sync {
    /// `sqlite` or `postgres`.
    fn engine(&self) -> &'static str;
    /// All logs by name.
    ///
    /// # Errors
    /// If the engine fails; so for every call below.
    fn logs(&self) -> Result<Vec<LogInfo>>;
    /// Makes an empty log.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`].
    fn create_log(&self, id: &str, kind: &str) -> Result<()>;
    /// Number of records.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn size(&self, log: &str) -> Result<u64>;
    /// Leads the log among servers: nobody else writes it until this store is dropped.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if another server leads it.
    fn lead(&self, log: &str) -> Result<()>;
    /// Appends all entries or none, numbered from `expected`, durably.
    ///
    /// # Errors
    /// [`StoreError::HeadMoved`] if the log has another size.
    fn append(&self, log: &str, expected: u64, entries: &[Entry]) -> Result<()>;
    /// At most `limit` records from number `from` on.
    ///
    /// # Errors
    /// If the engine fails.
    fn read(&self, log: &str, from: u64, limit: u64) -> Result<Vec<Vec<u8>>>;
    /// The hidden values of a record, decrypted.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if they do not decrypt.
    fn secret(&self, log: &str, seq: u64) -> Result<Option<Vec<u8>>>;
    /// All hidden values of a log by number.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if they do not decrypt.
    fn secrets(&self, log: &str) -> Result<Vec<(u64, Vec<u8>)>>;
    /// Destroys the hidden values of a record; true if there were any.
    ///
    /// # Errors
    /// If the engine fails.
    fn erase_secret(&self, log: &str, seq: u64) -> Result<bool>;
    /// The newest checkpoint.
    ///
    /// # Errors
    /// If the engine fails.
    fn last_checkpoint(&self, log: &str) -> Result<Option<StoredCheckpoint>>;
    /// All checkpoints by size.
    ///
    /// # Errors
    /// If the engine fails.
    fn checkpoints(&self, log: &str) -> Result<Vec<StoredCheckpoint>>;
    /// Publishes a checkpoint after `previous`, compare-and-swap.
    ///
    /// # Errors
    /// [`StoreError::CheckpointMoved`] if another one is the newest.
    fn put_checkpoint(&self, log: &str, previous: Option<Head>, next: &StoredCheckpoint) -> Result<()>;
    /// Keeps an attachment; returns its SHA-256.
    ///
    /// # Errors
    /// If the engine fails.
    fn put_attachment(&self, bytes: &[u8]) -> Result<[u8; 32]>;
    /// An attachment by its SHA-256.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if its content has another hash.
    fn attachment(&self, sha256: &[u8; 32]) -> Result<Option<Vec<u8>>>;
    /// Keeps an operational row: a session, a draft, a message to send.
    ///
    /// # Errors
    /// If the engine fails.
    fn put_row(&self, kind: &str, key: &str, value: &[u8]) -> Result<()>;
    /// An operational row.
    ///
    /// # Errors
    /// If the engine fails.
    fn row(&self, kind: &str, key: &str) -> Result<Option<Vec<u8>>>;
    /// All operational rows of a kind by key.
    ///
    /// # Errors
    /// If the engine fails.
    fn rows(&self, kind: &str) -> Result<Vec<(String, Vec<u8>)>>;
    /// Deletes an operational row; true if there was one.
    ///
    /// # Errors
    /// If the engine fails.
    fn delete_row(&self, kind: &str, key: &str) -> Result<bool>;
    /// The engine's own check; what is wrong, in sentences. Empty: sound.
    ///
    /// # Errors
    /// If the check cannot be run.
    fn integrity(&self) -> Result<Vec<String>>;
}

/// Numbers of records fit the signed integers of both engines.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The reverse of [`signed`].
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(crate) fn hash_of(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).into()
}

pub(crate) fn root_from(bytes: &[u8], log: &str) -> Result<[u8; 32]> {
    bytes.try_into().map_err(|_| StoreError::Damaged {
        what: format!("a checkpoint of {log}"),
        detail: "its root has not 32 bytes".to_owned(),
    })
}
