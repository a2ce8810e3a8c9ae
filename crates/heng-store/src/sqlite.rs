//! The embedded store: one SQLite file in WAL mode with `synchronous = FULL`, one writer, a few readers.

mod calls;
mod connection;
mod rows;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, ErrorCode, OptionalExtension, Params, Row, Transaction, TransactionBehavior};

use self::connection::{settings, use_wal};
use crate::error::{Result, StoreError, file_error};
use crate::key::{DataKey, KEY_CHECK, sync_folder_of};
use crate::pool::Pool;
use crate::schema as sql;

pub(crate) use self::connection::{WAIT, create_private, error, open_reader};

const FILE: &str = "heng.sqlite";
const LOCK: &str = "heng.lock";
const READERS: usize = 4;

/// The store.
pub struct SqliteStore {
    /// Readers never wait for the writer (WAL). Absent where one connection does all: in memory, and read only.
    /// They stand before the writer because fields are dropped in order: only a writer that closes last moves the
    /// write-ahead file into the database, so that the one file is all there is to copy.
    readers: Option<Pool<Connection>>,
    writer: Mutex<Connection>,
    waiting: rows::Waiting,
    key: DataKey,
    /// The folder, as errors name it.
    what: String,
    path: PathBuf,
    read_only: bool,
    /// Set by an I/O error of the writer: after it nobody knows what a second attempt would find (`fsync` reports a
    /// failure once), so nothing more is written and a restart decides.
    failed: AtomicBool,
    /// Held for as long as the store lives: a second server on the same folder is refused.
    _lock: Option<File>,
}

/// The version of the schema; 0 for an empty database.
fn version(connection: &Connection, what: &str) -> Result<i64> {
    let known: bool = connection
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'schema'", [], |row| row.get(0))
        .map_err(error(what))?;
    if !known {
        return Ok(0);
    }
    let found = connection.query_row(sql::GET_VERSION, [], |row| row.get(0)).optional();
    let found = found.map_err(error(what))?.unwrap_or(0);
    if found > sql::VERSION {
        return Err(StoreError::Newer { found, known: sql::VERSION });
    }
    Ok(found)
}

/// Brings the schema up to date and checks the key, all or nothing.
fn migrate(connection: &mut Connection, what: &str, key: &DataKey) -> Result<()> {
    let map = error(what);
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&map)?;
    let found = version(&tx, what)?;
    if found < sql::VERSION {
        tx.execute_batch(&sql::sqlite_ddl(sql::SCHEMA_TABLE)).map_err(&map)?;
        for migration in sql::MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
            tx.execute_batch(&sql::sqlite_ddl(migration)).map_err(&map)?;
        }
        tx.execute(sql::CLEAR_VERSION, []).map_err(&map)?;
        tx.execute(&sql::sqlite(sql::SET_VERSION), [sql::VERSION]).map_err(&map)?;
    }
    if !check_key(&tx, what, key)? {
        tx.execute(&sql::sqlite(sql::PUT_KEY_CHECK), rusqlite::params![KEY_CHECK, key.check()?]).map_err(&map)?;
    }
    tx.commit().map_err(&map)
}

/// False if the database knows no key yet.
fn check_key(connection: &Connection, what: &str, key: &DataKey) -> Result<bool> {
    let sealed: Option<Vec<u8>> = connection
        .query_row(&sql::sqlite(sql::GET_KEY_CHECK), [KEY_CHECK], |row| row.get(0))
        .optional()
        .map_err(error(what))?;
    sealed.as_deref().map(|sealed| key.verify(sealed)).transpose().map(|done| done.is_some())
}

/// A flipped bit in an index would let rows vanish without a word: the tables that the replay does not prove are checked
/// by the engine at every start. The records need no such check, their roots are signed.
fn indices_are_sound(connection: &Connection, what: &str) -> Result<()> {
    for table in ["checkpoint", "secret"] {
        let line: String = connection
            .query_row(&format!("PRAGMA integrity_check({table})"), [], |row| row.get(0))
            .map_err(error(what))?;
        if line != "ok" {
            return Err(StoreError::Damaged { what: format!("{what}, table {table}"), detail: line });
        }
    }
    Ok(())
}

impl SqliteStore {
    /// Opens or makes `heng.sqlite` in a folder, alone.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if another server has it; [`StoreError::NotFound`] if there is no such folder;
    /// [`StoreError::ReadOnly`], [`StoreError::Damaged`], [`StoreError::Newer`], [`StoreError::Key`].
    pub fn open(dir: &Path, key: DataKey) -> Result<SqliteStore> {
        let what = dir.display().to_string();
        let map = file_error(&what);
        let lock = File::options().append(true).create(true).open(dir.join(LOCK)).map_err(&map)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => StoreError::Busy { what: what.clone() },
            TryLockError::Error(error) => map(error),
        })?;
        drop(map);
        let path = dir.join(FILE);
        create_private(&path)?;
        let mut writer = Connection::open(&path).map_err(error(&what))?;
        settings(&writer, &what)?;
        use_wal(&writer, &what)?;
        migrate(&mut writer, &what, &key)?;
        indices_are_sound(&writer, &what)?;
        sync_folder_of(&path)?;
        let mut store = SqliteStore::new(writer, key, what, path);
        store.readers = Some(Pool::new(READERS));
        store._lock = Some(lock);
        Ok(store)
    }

    /// Opens for reading while a server runs: verify, bundle, doctor.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no database; [`StoreError::Damaged`], [`StoreError::Newer`],
    /// [`StoreError::Older`], [`StoreError::Key`].
    pub fn open_read_only(dir: &Path, key: DataKey) -> Result<SqliteStore> {
        let what = dir.display().to_string();
        let path = dir.join(FILE);
        std::fs::metadata(&path).map_err(file_error(&path.display().to_string()))?;
        let connection = open_reader(&path, &what)?;
        let found = version(&connection, &what)?;
        if found < sql::VERSION {
            return Err(StoreError::Older { found, known: sql::VERSION });
        }
        check_key(&connection, &what, &key)?;
        let mut store = SqliteStore::new(connection, key, what, path);
        store.read_only = true;
        Ok(store)
    }

    /// A store in memory: simulations and tests.
    ///
    /// # Errors
    /// If SQLite cannot be started.
    pub fn in_memory(key: DataKey) -> Result<SqliteStore> {
        let what = "memory".to_owned();
        let mut writer = Connection::open_in_memory().map_err(error(&what))?;
        settings(&writer, &what)?;
        migrate(&mut writer, &what, &key)?;
        Ok(SqliteStore::new(writer, key, what, PathBuf::new()))
    }

    fn new(writer: Connection, key: DataKey, what: String, path: PathBuf) -> SqliteStore {
        SqliteStore {
            readers: None,
            writer: Mutex::new(writer),
            waiting: rows::Waiting::default(),
            key,
            what,
            path,
            read_only: false,
            failed: AtomicBool::new(false),
            _lock: None,
        }
    }

    /// Limits the file to `pages` (0: as it is now): tests of a full disk.
    ///
    /// # Errors
    /// If the engine fails.
    #[doc(hidden)]
    pub fn limit_pages(&self, pages: i64) -> Result<()> {
        let set = format!("PRAGMA max_page_count = {pages}");
        self.writer().query_row(&set, [], |_| Ok(())).map_err(error(&self.what))
    }

    fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reading<T>(&self, body: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let Some(readers) = &self.readers else { return body(&self.writer()) };
        let ready = |idle: Option<Connection>| match idle {
            Some(reader) => Ok(reader),
            None => open_reader(&self.path, &self.what),
        };
        readers.with(ready, |_| true, |reader| body(reader))
    }

    fn all<T>(
        &self,
        statement: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let map = error(&self.what);
        self.reading(|connection| {
            let mut prepared = connection.prepare_cached(&sql::sqlite(statement)).map_err(&map)?;
            let rows = prepared.query_map(params, |row| read(row)).map_err(&map)?;
            rows.collect::<rusqlite::Result<Vec<T>>>().map_err(&map)
        })
    }

    fn one<T>(
        &self,
        statement: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.all(statement, params, read)?.into_iter().next())
    }

    /// One durable transaction.
    fn write<T>(&self, body: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.write_on(&mut self.writer(), body)
    }

    /// One durable transaction of a writer that is held already.
    fn write_on<T>(&self, connection: &mut Connection, body: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        if self.failed.load(Ordering::Acquire) {
            return Err(StoreError::Io {
                what: self.what.clone(),
                detail: "an earlier write failed on the disk. Nothing more is written; check the disk and restart the server".to_owned(),
            });
        }
        let tx = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|source| self.failure(source))?;
        let value = body(&tx)?;
        tx.commit().map_err(|source| self.failure(source))?;
        Ok(value)
    }

    /// Maps an error of the writer.
    fn failure(&self, source: rusqlite::Error) -> StoreError {
        if source.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) {
            self.failed.store(true, Ordering::Release);
        }
        error(&self.what)(source)
    }

    fn change(&self, statement: &str, params: impl Params) -> Result<usize> {
        self.write(|tx| {
            let mut prepared = tx.prepare_cached(&sql::sqlite(statement)).map_err(|source| self.failure(source))?;
            prepared.execute(params).map_err(|source| self.failure(source))
        })
    }
}
