//! The embedded store: one SQLite file in WAL mode with `synchronous = FULL`, one writer, several readers.

use std::fs::File;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension, Params, Row, Transaction, TransactionBehavior, params,
};

use crate::error::{Result, StoreError};
use crate::key::{DataKey, attachment_place, secret_place};
use crate::schema as sql;
use crate::{Entry, Head, LogInfo, Store, StoredCheckpoint, hash_of, root_from, signed, unsigned};

/// The store.
pub struct SqliteStore {
    writer: Mutex<Connection>,
    /// Readers never wait for the writer (WAL); absent for a database in memory, which has one connection.
    reader: Option<Mutex<Connection>>,
    key: DataKey,
    what: String,
    /// Held for as long as the store lives: a second server on the same folder is refused.
    _lock: Option<File>,
}

/// Maps an engine's error to a sentence that says what to do.
pub(crate) fn error(what: &str) -> impl Fn(rusqlite::Error) -> StoreError + '_ {
    move |source| {
        let detail = source.to_string();
        let what = what.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full { detail },
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                StoreError::ReadOnly { what, detail }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { what },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged { what, detail },
            _ => StoreError::Io { what, detail },
        }
    }
}

fn prepare(connection: &Connection, what: &str, durable: bool) -> Result<()> {
    let map = error(what);
    connection.busy_timeout(Duration::from_secs(10)).map_err(&map)?;
    if durable {
        connection.pragma_update(None, "journal_mode", "WAL").map_err(&map)?;
    }
    connection.pragma_update(None, "synchronous", "FULL").map_err(&map)?;
    connection.pragma_update(None, "secure_delete", "ON").map_err(&map)?;
    connection.pragma_update(None, "foreign_keys", "ON").map_err(&map)
}

fn migrate(connection: &mut Connection, what: &str) -> Result<()> {
    let map = error(what);
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&map)?;
    tx.execute_batch(&sql::sqlite_ddl(sql::SCHEMA_TABLE)).map_err(&map)?;
    let found: i64 = tx.query_row(sql::GET_VERSION, [], |row| row.get(0)).optional().map_err(&map)?.unwrap_or(0);
    if found > sql::VERSION {
        return Err(StoreError::Newer { found, known: sql::VERSION });
    }
    for migration in sql::MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        tx.execute_batch(&sql::sqlite_ddl(migration)).map_err(&map)?;
    }
    if found < sql::VERSION {
        tx.execute(sql::CLEAR_VERSION, []).map_err(&map)?;
        tx.execute(&sql::sqlite(sql::SET_VERSION), [sql::VERSION]).map_err(&map)?;
    }
    tx.commit().map_err(&map)
}

impl SqliteStore {
    /// Opens or makes `heng.sqlite` in a folder, alone.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if another server has it; [`StoreError::ReadOnly`], [`StoreError::Damaged`], [`StoreError::Newer`].
    pub fn open(dir: &Path, key: DataKey) -> Result<SqliteStore> {
        let what = dir.display().to_string();
        let readonly = |e: std::io::Error| StoreError::ReadOnly { what: what.clone(), detail: e.to_string() };
        let lock =
            File::options().create(true).truncate(false).write(true).open(dir.join("heng.lock")).map_err(readonly)?;
        lock.try_lock().map_err(|_| StoreError::Busy { what: what.clone() })?;
        let path = dir.join("heng.sqlite");
        let mut writer = Connection::open(&path).map_err(error(&what))?;
        prepare(&writer, &what, true)?;
        migrate(&mut writer, &what)?;
        // The folder's entry for a new file must be durable too.
        File::open(dir).and_then(|f| f.sync_all()).map_err(readonly)?;
        let reader = read_only(&path, &what)?;
        Ok(SqliteStore { writer: Mutex::new(writer), reader: Some(Mutex::new(reader)), key, what, _lock: Some(lock) })
    }

    /// Opens for reading while a server runs: verify, bundle, doctor.
    ///
    /// # Errors
    /// If there is no database.
    pub fn open_read_only(dir: &Path, key: DataKey) -> Result<SqliteStore> {
        let what = dir.display().to_string();
        let path = dir.join("heng.sqlite");
        if !path.exists() {
            return Err(StoreError::NotFound { what: path.display().to_string() });
        }
        let writer = read_only(&path, &what)?;
        Ok(SqliteStore { writer: Mutex::new(writer), reader: None, key, what, _lock: None })
    }

    /// A store in memory: simulations and tests.
    ///
    /// # Errors
    /// If SQLite cannot be started.
    pub fn in_memory(key: DataKey) -> Result<SqliteStore> {
        let what = "memory".to_owned();
        let mut writer = Connection::open_in_memory().map_err(error(&what))?;
        prepare(&writer, &what, false)?;
        migrate(&mut writer, &what)?;
        Ok(SqliteStore { writer: Mutex::new(writer), reader: None, key, what, _lock: None })
    }

    /// Limits the file to `pages`: tests of a full disk.
    ///
    /// # Errors
    /// If the engine fails.
    #[doc(hidden)]
    pub fn limit_pages(&self, pages: i64) -> Result<()> {
        self.writer().pragma_update(None, "max_page_count", pages).map_err(error(&self.what))
    }

    fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        match &self.reader {
            Some(reader) => reader.lock().unwrap_or_else(PoisonError::into_inner),
            None => self.writer(),
        }
    }

    fn all<T>(
        &self,
        statement: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let map = error(&self.what);
        let connection = self.reader();
        let mut prepared = connection.prepare_cached(&sql::sqlite(statement)).map_err(&map)?;
        let rows = prepared.query_map(params, |row| read(row)).map_err(&map)?;
        rows.collect::<rusqlite::Result<Vec<T>>>().map_err(&map)
    }

    fn one<T>(
        &self,
        statement: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.all(statement, params, read)?.into_iter().next())
    }

    fn write<T>(&self, body: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let map = error(&self.what);
        let mut connection = self.writer();
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&map)?;
        let value = body(&tx)?;
        tx.commit().map_err(&map)?;
        Ok(value)
    }

    fn change(&self, statement: &str, params: impl Params) -> Result<usize> {
        self.write(|tx| tx.execute(&sql::sqlite(statement), params).map_err(error(&self.what)))
    }
}

fn read_only(path: &Path, what: &str) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(error(what))?;
    connection.busy_timeout(Duration::from_secs(10)).map_err(error(what))?;
    Ok(connection)
}

type CheckpointRow = (i64, Vec<u8>, String);

fn checkpoint_row(row: &Row<'_>) -> rusqlite::Result<CheckpointRow> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

fn checkpoint(log: &str, (size, root, note): CheckpointRow) -> Result<StoredCheckpoint> {
    Ok(StoredCheckpoint { size: unsigned(size), root: root_from(&root, log)?, note })
}

impl Store for SqliteStore {
    fn engine(&self) -> &'static str {
        "sqlite"
    }

    fn logs(&self) -> Result<Vec<LogInfo>> {
        self.all(sql::LOGS, [], |row| Ok(LogInfo { id: row.get(0)?, kind: row.get(1)?, size: unsigned(row.get(2)?) }))
    }

    fn create_log(&self, id: &str, kind: &str) -> Result<()> {
        match self.change(sql::CREATE_LOG, params![id, kind])? {
            0 => Err(StoreError::AlreadyExists { what: format!("the log {id}") }),
            _ => Ok(()),
        }
    }

    fn size(&self, log: &str) -> Result<u64> {
        let found: Option<i64> = self.one(sql::SIZE, [log], |row| row.get(0))?;
        found.map(unsigned).ok_or_else(|| StoreError::NotFound { what: format!("the log {log}") })
    }

    fn lead(&self, _log: &str) -> Result<()> {
        // The lock on the folder, taken when it was opened, covers all logs in it.
        Ok(())
    }

    fn append(&self, log: &str, expected: u64, entries: &[Entry]) -> Result<()> {
        let map = error(&self.what);
        self.write(|tx| {
            let found: Option<i64> =
                tx.query_row(&sql::sqlite(sql::SIZE), [log], |row| row.get(0)).optional().map_err(&map)?;
            let found = found.map(unsigned).ok_or_else(|| StoreError::NotFound { what: format!("the log {log}") })?;
            if found != expected {
                return Err(StoreError::HeadMoved { log: log.to_owned(), expected, found });
            }
            let mut seq = expected;
            {
                let mut append = tx.prepare_cached(&sql::sqlite(sql::APPEND)).map_err(&map)?;
                let mut put_secret = tx.prepare_cached(&sql::sqlite(sql::PUT_SECRET)).map_err(&map)?;
                for entry in entries {
                    append.execute(params![log, signed(seq), entry.bytes]).map_err(&map)?;
                    if let Some(secret) = &entry.secret {
                        let sealed = self.key.seal(&secret_place(log, seq), secret)?;
                        put_secret.execute(params![log, signed(seq), sealed]).map_err(&map)?;
                    }
                    seq += 1;
                }
            }
            tx.execute(&sql::sqlite(sql::SET_SIZE), params![log, signed(seq)]).map_err(&map)?;
            Ok(())
        })
    }

    fn read(&self, log: &str, from: u64, limit: u64) -> Result<Vec<Vec<u8>>> {
        let to = from.saturating_add(limit);
        self.all(sql::READ, params![log, signed(from), signed(to)], |row| row.get(0))
    }

    fn secret(&self, log: &str, seq: u64) -> Result<Option<Vec<u8>>> {
        let sealed: Option<Vec<u8>> = self.one(sql::SECRET, params![log, signed(seq)], |row| row.get(0))?;
        sealed.map(|sealed| self.key.open(&secret_place(log, seq), &sealed)).transpose()
    }

    fn secrets(&self, log: &str) -> Result<Vec<(u64, Vec<u8>)>> {
        let rows: Vec<(i64, Vec<u8>)> = self.all(sql::SECRETS, [log], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.into_iter()
            .map(|(seq, sealed)| Ok((unsigned(seq), self.key.open(&secret_place(log, unsigned(seq)), &sealed)?)))
            .collect()
    }

    fn erase_secret(&self, log: &str, seq: u64) -> Result<bool> {
        let erased = self.change(sql::ERASE, params![log, signed(seq)])? > 0;
        // secure_delete overwrites the page; the copy in the write-ahead log must go as well.
        let truncate = self.writer().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        truncate.optional().map_err(error(&self.what))?;
        Ok(erased)
    }

    fn last_checkpoint(&self, log: &str) -> Result<Option<StoredCheckpoint>> {
        self.one(sql::LAST_CHECKPOINT, [log], checkpoint_row)?.map(|row| checkpoint(log, row)).transpose()
    }

    fn checkpoints(&self, log: &str) -> Result<Vec<StoredCheckpoint>> {
        self.all(sql::CHECKPOINTS, [log], checkpoint_row)?.into_iter().map(|row| checkpoint(log, row)).collect()
    }

    fn put_checkpoint(&self, log: &str, previous: Option<Head>, next: &StoredCheckpoint) -> Result<()> {
        let map = error(&self.what);
        self.write(|tx| {
            let last =
                tx.query_row(&sql::sqlite(sql::LAST_CHECKPOINT), [log], checkpoint_row).optional().map_err(&map)?;
            let last = last.map(|row| checkpoint(log, row)).transpose()?;
            match compare(log, last.as_ref(), previous, next)? {
                true => Ok(()),
                false => tx
                    .execute(
                        &sql::sqlite(sql::PUT_CHECKPOINT),
                        params![log, signed(next.size), next.root.as_slice(), next.note],
                    )
                    .map(|_| ())
                    .map_err(&map),
            }
        })
    }

    fn put_attachment(&self, bytes: &[u8]) -> Result<[u8; 32]> {
        let sha256 = hash_of(bytes);
        let known: Option<i64> = self.one(sql::HAS_ATTACHMENT, [sha256.as_slice()], |row| row.get(0))?;
        if known.is_none() {
            let sealed = self.key.seal(&attachment_place(&sha256), bytes)?;
            self.change(sql::PUT_ATTACHMENT, params![sha256.as_slice(), sealed])?;
        }
        Ok(sha256)
    }

    fn attachment(&self, sha256: &[u8; 32]) -> Result<Option<Vec<u8>>> {
        let sealed: Option<Vec<u8>> = self.one(sql::ATTACHMENT, [sha256.as_slice()], |row| row.get(0))?;
        sealed.map(|sealed| self.key.open(&attachment_place(sha256), &sealed)).transpose()
    }

    fn put_row(&self, kind: &str, key: &str, value: &[u8]) -> Result<()> {
        self.change(sql::PUT_ROW, params![kind, key, value]).map(|_| ())
    }

    fn row(&self, kind: &str, key: &str) -> Result<Option<Vec<u8>>> {
        self.one(sql::ROW, params![kind, key], |row| row.get(0))
    }

    fn rows(&self, kind: &str) -> Result<Vec<(String, Vec<u8>)>> {
        self.all(sql::ROWS, [kind], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn delete_row(&self, kind: &str, key: &str) -> Result<bool> {
        Ok(self.change(sql::DELETE_ROW, params![kind, key])? > 0)
    }

    fn integrity(&self) -> Result<Vec<String>> {
        let mut out: Vec<String> = self.all("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))?;
        out.retain(|line| line != "ok");
        let rows: Vec<(String, i64, i64, i64)> =
            self.all(sql::GAPS, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        out.extend(rows.into_iter().filter_map(gap));
        Ok(out)
    }
}

/// True if `next` is there already; an error unless `previous` is the newest.
pub(crate) fn compare(
    log: &str,
    last: Option<&StoredCheckpoint>,
    previous: Option<Head>,
    next: &StoredCheckpoint,
) -> Result<bool> {
    let head = last.map(|c| (c.size, c.root));
    if head == Some((next.size, next.root)) {
        return Ok(true);
    }
    let grows = head.is_none_or(|(size, _)| next.size > size);
    if head == previous && grows {
        return Ok(false);
    }
    let show = |head: Option<Head>| {
        head.map_or("none".to_owned(), |(size, root)| format!("{size} records, {}", hex::encode(root)))
    };
    Err(StoreError::CheckpointMoved { log: log.to_owned(), expected: show(previous), found: show(head) })
}

/// A sentence for a log whose records are not numbered without gaps.
pub(crate) fn gap((log, size, count, end): (String, i64, i64, i64)) -> Option<String> {
    (size != count || size != end)
        .then(|| format!("{log}: its head says {size} records, {count} are stored, the last one is number {}", end - 1))
}
