//! The signer's own memory: the last checkpoint that was signed for each log, in a file of its own.
//!
//! It lies apart from the database, so that an old backup of the database cannot roll it back. It only grows.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::error::{Result, StoreError};
use crate::sqlite::error;
use crate::{Head, root_from, signed, unsigned};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS signed (log TEXT NOT NULL PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL) STRICT;";

/// The memory.
pub struct SignerMemory {
    connection: Mutex<Connection>,
    what: String,
}

impl SignerMemory {
    /// Opens or makes the file.
    ///
    /// # Errors
    /// If it cannot be read or written.
    pub fn open(path: &Path) -> Result<SignerMemory> {
        let what = path.display().to_string();
        let connection = Connection::open(path).map_err(error(&what))?;
        SignerMemory::prepare(connection, what)
    }

    /// Opens the file for reading only; a file that is not there yet is an empty memory.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn open_read_only(path: &Path) -> Result<SignerMemory> {
        if !path.exists() {
            return SignerMemory::in_memory();
        }
        let what = path.display().to_string();
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Connection::open_with_flags(path, flags).map_err(error(&what))?;
        Ok(SignerMemory { connection: Mutex::new(connection), what })
    }

    /// A memory that is forgotten at the end: simulations and tests.
    ///
    /// # Errors
    /// If SQLite cannot be started.
    pub fn in_memory() -> Result<SignerMemory> {
        let what = "memory".to_owned();
        let connection = Connection::open_in_memory().map_err(error(&what))?;
        SignerMemory::prepare(connection, what)
    }

    fn prepare(connection: Connection, what: String) -> Result<SignerMemory> {
        let map = error(&what);
        connection.busy_timeout(std::time::Duration::from_secs(10)).map_err(&map)?;
        let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(&map)?;
        drop(mode);
        connection.pragma_update(None, "synchronous", "FULL").map_err(&map)?;
        connection.execute_batch(TABLE).map_err(&map)?;
        drop(map);
        Ok(SignerMemory { connection: Mutex::new(connection), what })
    }

    /// The last signed size and root.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn last(&self, log: &str) -> Result<Option<Head>> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        read(&connection, log, &self.what)
    }

    /// Remembers the next one, compare-and-swap; never a smaller size.
    ///
    /// # Errors
    /// [`StoreError::CheckpointMoved`].
    pub fn advance(&self, log: &str, previous: Option<Head>, next: Head) -> Result<()> {
        let map = error(&self.what);
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&map)?;
        let last = read(&tx, log, &self.what)?;
        let grows = last.is_none_or(|(size, _)| next.0 > size);
        if last != previous || !grows {
            let show = |head: Option<Head>| {
                head.map_or("none".to_owned(), |(size, root)| format!("{size} records, {}", hex::encode(root)))
            };
            return Err(StoreError::CheckpointMoved {
                log: log.to_owned(),
                expected: show(previous),
                found: show(last),
            });
        }
        tx.execute(
            "INSERT INTO signed (log, size, root) VALUES (?1, ?2, ?3)
             ON CONFLICT (log) DO UPDATE SET size = excluded.size, root = excluded.root",
            params![log, signed(next.0), next.1.as_slice()],
        )
        .map_err(&map)?;
        tx.commit().map_err(&map)
    }
}

fn read(connection: &Connection, log: &str, what: &str) -> Result<Option<Head>> {
    let row: Option<(i64, Vec<u8>)> = connection
        .query_row("SELECT size, root FROM signed WHERE log = ?1", [log], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .map_err(error(what))?;
    row.map(|(size, root)| Ok((unsigned(size), root_from(&root, log)?))).transpose()
}
