//! What can go wrong, each with what to do.

/// Results of the store.
pub type Result<T> = std::result::Result<T, StoreError>;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The log has another size than the writer thought.
    #[error("{log}: expected {expected} records, found {found}: another server has written. Restart this one")]
    HeadMoved {
        /// Log.
        log: String,
        /// Size that the writer expected.
        expected: u64,
        /// Size found.
        found: u64,
    },
    /// Another checkpoint is the newest.
    #[error(
        "{log}: another checkpoint ({found}) was published than the signer remembers ({expected}). Another server has signed, or files of two offices are mixed. Stop all servers and run `heng doctor`"
    )]
    CheckpointMoved {
        /// Log.
        log: String,
        /// What the caller named.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A piece of a file does not begin where the last one ended.
    #[error("{file}: a piece begins at byte {start}, but the file goes on at byte {received}. Send it from there")]
    NotNext {
        /// File.
        file: String,
        /// Where the piece begins.
        start: u64,
        /// Where the next one must begin.
        received: u64,
    },
    /// It exists already.
    #[error("{what} exists already")]
    AlreadyExists {
        /// What.
        what: String,
    },
    /// It does not exist.
    #[error("{what} does not exist")]
    NotFound {
        /// What.
        what: String,
    },
    /// Another server holds it.
    #[error("{what} is in use by another server. Stop that one first, or use its address")]
    Busy {
        /// What.
        what: String,
    },
    /// The disk is full.
    #[error("the disk is full ({detail}). Nothing was written and nothing is lost; free some space and try again")]
    Full {
        /// What the engine said.
        detail: String,
    },
    /// The place cannot be written.
    #[error("{what} cannot be written: {detail}. Give the account that runs Heng the right to write there")]
    ReadOnly {
        /// Where.
        what: String,
        /// What the system said.
        detail: String,
    },
    /// Stored bytes are not what they should be.
    #[error("{what} is damaged: {detail}. Put the newest sound backup back")]
    Damaged {
        /// What.
        what: String,
        /// How it shows.
        detail: String,
    },
    /// Written by a newer version.
    #[error("the database has version {found}, this program knows {known}. Use the newer program")]
    Newer {
        /// Version found.
        found: i64,
        /// Version known.
        known: i64,
    },
    /// Written by an older version, and opened for reading only, so it cannot be brought up to date.
    #[error(
        "the database has version {found}, this program needs {known}. Start the server once: it brings the database up to date"
    )]
    Older {
        /// Version found.
        found: i64,
        /// Version known.
        known: i64,
    },
    /// The key file.
    #[error("key file: {detail}")]
    Key {
        /// What is wrong and what to do.
        detail: String,
    },
    /// Anything else. After a write it is open whether it was written: restart, so that what is stored decides.
    #[error("{what}: {detail}")]
    Io {
        /// What was tried.
        what: String,
        /// What the engine said.
        detail: String,
    },
}

/// Maps an error of the file system.
pub(crate) fn file_error(what: &str) -> impl Fn(std::io::Error) -> StoreError + '_ {
    use std::io::ErrorKind;
    move |source| {
        let what = what.to_owned();
        let detail = source.to_string();
        match source.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly { what, detail },
            ErrorKind::NotFound => StoreError::NotFound { what },
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full { detail },
            _ => StoreError::Io { what, detail },
        }
    }
}
