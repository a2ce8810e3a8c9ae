//! Durable rows: SQLite and PostgreSQL behind one small trait. The only SQL of the house.
//!
//! Records are stored exactly as given. Secrets, attachments and operational rows are encrypted with a key file. Nothing
//! derived is stored, only the logs' bytes and what lies beside them; what the bytes mean is not known here.
//!
//! The writing calls are synchronous and return when what they wrote is durable. Call them from a thread that may block
//! (in an async program: `spawn_blocking`).

mod check;
mod error;
mod file;
mod key;
mod pool;
mod postgres;
#[doc(hidden)]
pub mod schema;
mod signer;
mod sqlite;

pub use error::{Result, StoreError};
pub use file::{FileReader, StoredFile};
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
    /// What its maker called its kind.
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

/// The largest piece of a file: what reading and writing a file of any size holds in memory.
pub const PIECE_LIMIT: usize = 1 << 20;

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
    /// [`StoreError::HeadMoved`] if the log has another size. After this one, `NotFound`, `Full`, `ReadOnly` and `Busy`
    /// nothing was written; after any other error it is open (the connection may have failed during the commit), and
    /// the caller must read the log anew before it goes on.
    fn append(&self, log: &str, expected: u64, entries: &[Entry]) -> Result<()>;
    /// At most `limit` records from number `from` on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Damaged`] if one is missing.
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
    fn secrets(&self, log: &str) -> Result<Vec<(u64, Vec<u8>)>> {
        self.secrets_from(log, 0, u64::MAX)
    }
    /// Hidden values of at most `limit` records from number `from` on.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if they do not decrypt.
    fn secrets_from(&self, log: &str, from: u64, limit: u64) -> Result<Vec<(u64, Vec<u8>)>>;
    /// Destroys the hidden values of a record, also in the engine's files; true if there were any.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if a reader keeps old pages alive: the values are gone for every caller, call again to clean
    /// the files.
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
    /// Publishes a checkpoint after `previous`, compare-and-swap; the newest one once more changes nothing.
    ///
    /// # Errors
    /// [`StoreError::CheckpointMoved`] if another one is the newest, or `next` is not larger.
    fn put_checkpoint(&self, log: &str, previous: Option<Head>, next: &StoredCheckpoint) -> Result<()>;
    /// Keeps an attachment; returns its SHA-256. Putting it again repairs a damaged copy.
    ///
    /// # Errors
    /// If the engine fails.
    fn put_attachment(&self, bytes: &[u8]) -> Result<[u8; 32]>;
    /// An attachment by its SHA-256.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if its content has another hash.
    fn attachment(&self, sha256: &[u8; 32]) -> Result<Option<Vec<u8>>>;
    /// Keeps the next piece of a file, durably. The file becomes an attachment by [`Store::attach`].
    ///
    /// # Errors
    /// [`StoreError::NotNext`] unless the piece begins where the last one ended.
    fn put_piece(&self, file: &StoredFile, start: u64, bytes: &[u8]) -> Result<()>;
    /// Number of bytes of a file that are there.
    ///
    /// # Errors
    /// If the engine fails.
    fn received(&self, id: &str) -> Result<u64>;
    /// The piece that holds the byte `at`, and where the piece begins; [`FileReader`] reads a whole file with it.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if it does not decrypt.
    fn piece(&self, file: &StoredFile, at: u64) -> Result<Option<(u64, Vec<u8>)>>;
    /// Makes a complete file an attachment, all or nothing; returns its SHA-256, computed from what is stored. Doing it
    /// again changes nothing. Where a sound copy exists already that one stays, and the file can be dropped.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if a piece is missing or changed.
    fn attach(&self, file: &StoredFile) -> Result<[u8; 32]>;
    /// The file of an attachment that is stored in pieces.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if its entry was changed.
    fn attached(&self, sha256: &[u8; 32]) -> Result<Option<StoredFile>>;
    /// Deletes the pieces of a file, unless it is an attachment; true if there were any.
    ///
    /// # Errors
    /// If the engine fails.
    fn drop_file(&self, id: &str) -> Result<bool>;
    /// All files with pieces that are no attachments, by name.
    ///
    /// # Errors
    /// If the engine fails.
    fn loose_files(&self) -> Result<Vec<String>>;
    /// Keeps an operational row (a session, a draft, a message to send); replaces the one with this key.
    ///
    /// # Errors
    /// If the engine fails.
    fn put_row(&self, kind: &str, key: &str, value: &[u8]) -> Result<()>;
    /// Replaces an operational row only if it still holds `expected` (`None`: only if there is no such row), so that of two
    /// servers one wins; `None` as `next` deletes it. True if it was done.
    ///
    /// # Errors
    /// If the engine fails.
    fn swap_row(&self, kind: &str, key: &str, expected: Option<&[u8]>, next: Option<&[u8]>) -> Result<bool>;
    /// An operational row.
    ///
    /// # Errors
    /// If the engine fails.
    fn row(&self, kind: &str, key: &str) -> Result<Option<Vec<u8>>>;
    /// All operational rows of a kind by key.
    ///
    /// # Errors
    /// If the engine fails.
    fn rows(&self, kind: &str) -> Result<Vec<(String, Vec<u8>)>> {
        self.rows_with_prefix(kind, "")
    }
    /// The operational rows of a kind whose keys begin with `prefix`, by key: they are found without reading the others.
    ///
    /// # Errors
    /// If the engine fails.
    fn rows_with_prefix(&self, kind: &str, prefix: &str) -> Result<Vec<(String, Vec<u8>)>>;
    /// Deletes an operational row; true if there was one.
    ///
    /// # Errors
    /// If the engine fails.
    fn delete_row(&self, kind: &str, key: &str) -> Result<bool>;
    /// The engine's own check, the numbering of every log, and every secret and attachment; what is wrong, in sentences.
    /// Empty: sound. It reads everything, so it takes its time.
    ///
    /// # Errors
    /// If the check cannot be run.
    fn integrity(&self) -> Result<Vec<String>>;
}

pub(crate) fn hash_of(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).into()
}
