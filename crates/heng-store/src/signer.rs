//! The signer's own memory: the last checkpoint that was signed for each log, in a file of its own.
//!
//! It lies apart from the database, so that an old backup of the database cannot roll it back. It only grows.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::Head;
use crate::check::{root_from, signed, swap, unsigned};
use crate::error::{Result, file_error};
use crate::key::sync_folder_of;
use crate::sqlite::{WAIT, create_private, error, open_reader};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS signed (
  log TEXT NOT NULL PRIMARY KEY,
  size INTEGER NOT NULL,
  root BLOB NOT NULL
) STRICT;";
const LAST: &str = "SELECT size, root FROM signed WHERE log = ?1";
const PUT: &str = "INSERT INTO signed (log, size, root) VALUES (?1, ?2, ?3)
  ON CONFLICT (log) DO UPDATE SET size = excluded.size, root = excluded.root";

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
        create_private(path)?;
        let connection = Connection::open(path).map_err(error(&what))?;
        let memory = SignerMemory::prepare(connection, what)?;
        sync_folder_of(path)?;
        Ok(memory)
    }

    /// Opens the file for reading only; a file that is not there yet is an empty memory.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn open_read_only(path: &Path) -> Result<SignerMemory> {
        let what = path.display().to_string();
        match std::fs::metadata(path) {
            Ok(file) if file.len() == 0 => return SignerMemory::in_memory(),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return SignerMemory::in_memory(),
            // A memory that cannot be read must not pass for one that has signed nothing.
            Err(error) => return Err(file_error(&what)(error)),
        }
        let connection = open_reader(path, &what)?;
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
        connection.busy_timeout(WAIT).map_err(&map)?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).map_err(&map)?;
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

    /// All logs for which something was signed, by name.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn logs(&self) -> Result<Vec<(String, Head)>> {
        let map = error(&self.what);
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = connection.prepare("SELECT log, size, root FROM signed ORDER BY log").map_err(&map)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).map_err(&map)?;
        rows.map(|row| {
            let (log, size, root): (String, i64, Vec<u8>) = row.map_err(&map)?;
            let root = root_from(&root, &log)?;
            Ok((log, (unsigned(size)?, root)))
        })
        .collect()
    }

    /// Remembers the next one, compare-and-swap; the same one again changes nothing, a smaller size is refused, and so
    /// is another root for the same size.
    ///
    /// # Errors
    /// [`crate::StoreError::CheckpointMoved`].
    pub fn advance(&self, log: &str, previous: Option<Head>, next: Head) -> Result<()> {
        let map = error(&self.what);
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&map)?;
        let last = read(&tx, log, &self.what)?;
        if swap(log, last, previous, next)? {
            return Ok(());
        }
        tx.execute(PUT, params![log, signed(next.0), next.1.as_slice()]).map_err(&map)?;
        tx.commit().map_err(&map)
    }
}

fn read(connection: &Connection, log: &str, what: &str) -> Result<Option<Head>> {
    let row: Option<(i64, Vec<u8>)> =
        connection.query_row(LAST, [log], |row| Ok((row.get(0)?, row.get(1)?))).optional().map_err(error(what))?;
    row.map(|(size, root)| Ok((unsigned(size)?, root_from(&root, log)?))).transpose()
}
