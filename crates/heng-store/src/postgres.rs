//! The server store: PostgreSQL. The head row is locked, numbers have no gaps, nothing relies on serialisable isolation.

use std::sync::{Mutex, PoisonError};

use postgres::error::SqlState;
use postgres::types::ToSql;
use postgres::{Client, NoTls, Row, Transaction};

use crate::error::{Result, StoreError};
use crate::key::{DataKey, attachment_place, secret_place};
use crate::schema as sql;
use crate::sqlite::{compare, gap};
use crate::{Entry, Head, LogInfo, Store, StoredCheckpoint, hash_of, root_from, signed, unsigned};

/// Key of the advisory lock that guards migrations.
const MIGRATION_LOCK: i64 = 0x4865_6e67;

type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// The store.
pub struct PostgresStore {
    url: String,
    idle: Mutex<Vec<Client>>,
    /// Holds the advisory locks of the logs that this server leads.
    leader: Mutex<Client>,
    key: DataKey,
}

fn error(source: postgres::Error) -> StoreError {
    let detail = match source.as_db_error() {
        Some(db) => format!("{} ({})", db.message(), db.code().code()),
        None => source.to_string(),
    };
    let what = "PostgreSQL".to_owned();
    match source.code() {
        Some(code) if *code == SqlState::DISK_FULL => StoreError::Full { detail },
        Some(code) if *code == SqlState::READ_ONLY_SQL_TRANSACTION || *code == SqlState::INSUFFICIENT_PRIVILEGE => {
            StoreError::ReadOnly { what, detail }
        }
        Some(code) if *code == SqlState::LOCK_NOT_AVAILABLE => StoreError::Busy { what },
        Some(code) if *code == SqlState::DATA_CORRUPTED || *code == SqlState::INDEX_CORRUPTED => {
            StoreError::Damaged { what, detail }
        }
        _ => StoreError::Io { what, detail },
    }
}

fn connect(url: &str) -> Result<Client> {
    let mut client = Client::connect(url, NoTls).map_err(|source| StoreError::Io {
        what: "cannot connect to PostgreSQL (is the address of --database right, does the server run?)".to_owned(),
        detail: source.to_string(),
    })?;
    client.batch_execute("SET synchronous_commit = on; SET client_min_messages = warning").map_err(error)?;
    Ok(client)
}

impl PostgresStore {
    /// Connects and migrates.
    ///
    /// # Errors
    /// If the server cannot be reached, or has a newer schema.
    pub fn connect(url: &str, key: DataKey) -> Result<PostgresStore> {
        let mut client = connect(url)?;
        let mut tx = client.transaction().map_err(error)?;
        tx.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK]).map_err(error)?;
        tx.batch_execute(sql::SCHEMA_TABLE).map_err(error)?;
        let found: i64 = tx.query_opt(sql::GET_VERSION, &[]).map_err(error)?.map_or(0, |row| row.get(0));
        if found > sql::VERSION {
            return Err(StoreError::Newer { found, known: sql::VERSION });
        }
        for migration in sql::MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
            tx.batch_execute(migration).map_err(error)?;
        }
        if found < sql::VERSION {
            tx.execute(sql::CLEAR_VERSION, &[]).map_err(error)?;
            tx.execute(sql::SET_VERSION, &[&sql::VERSION]).map_err(error)?;
        }
        tx.commit().map_err(error)?;
        let leader = connect(url)?;
        Ok(PostgresStore { url: url.to_owned(), idle: Mutex::new(vec![client]), leader: Mutex::new(leader), key })
    }

    /// Lends a connection; a broken one is dropped, so the next caller gets a new one.
    fn with<T>(&self, body: impl FnOnce(&mut Client) -> Result<T>) -> Result<T> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut client = match idle {
            Some(client) if !client.is_closed() => client,
            _ => connect(&self.url)?,
        };
        let value = body(&mut client)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < 8 {
            idle.push(client);
        }
        Ok(value)
    }

    fn all(&self, statement: &str, params: Params<'_>) -> Result<Vec<Row>> {
        self.with(|client| client.query(statement, params).map_err(error))
    }

    fn one(&self, statement: &str, params: Params<'_>) -> Result<Option<Row>> {
        Ok(self.all(statement, params)?.into_iter().next())
    }

    fn change(&self, statement: &str, params: Params<'_>) -> Result<u64> {
        self.with(|client| client.execute(statement, params).map_err(error))
    }

    fn write<T>(&self, body: impl FnOnce(&mut Transaction<'_>) -> Result<T>) -> Result<T> {
        self.with(|client| {
            let mut tx = client.transaction().map_err(error)?;
            let value = body(&mut tx)?;
            tx.commit().map_err(error)?;
            Ok(value)
        })
    }
}

fn checkpoint(log: &str, row: &Row) -> Result<StoredCheckpoint> {
    let root: Vec<u8> = row.get(1);
    Ok(StoredCheckpoint { size: unsigned(row.get(0)), root: root_from(&root, log)?, note: row.get(2) })
}

/// Locks the head row of a log and returns its size.
fn lock_head(tx: &mut Transaction<'_>, log: &str) -> Result<u64> {
    let row = tx.query_opt(&format!("{} FOR UPDATE", sql::SIZE), &[&log]).map_err(error)?;
    row.map(|row| unsigned(row.get(0))).ok_or_else(|| StoreError::NotFound { what: format!("the log {log}") })
}

impl Store for PostgresStore {
    fn engine(&self) -> &'static str {
        "postgres"
    }

    fn logs(&self) -> Result<Vec<LogInfo>> {
        let mut logs: Vec<LogInfo> = self
            .all(sql::LOGS, &[])?
            .iter()
            .map(|row| LogInfo { id: row.get(0), kind: row.get(1), size: unsigned(row.get(2)) })
            .collect();
        // The database's collation may not be that of bytes.
        logs.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(logs)
    }

    fn create_log(&self, id: &str, kind: &str) -> Result<()> {
        match self.change(sql::CREATE_LOG, &[&id, &kind])? {
            0 => Err(StoreError::AlreadyExists { what: format!("the log {id}") }),
            _ => Ok(()),
        }
    }

    fn size(&self, log: &str) -> Result<u64> {
        let row = self.one(sql::SIZE, &[&log])?;
        row.map(|row| unsigned(row.get(0))).ok_or_else(|| StoreError::NotFound { what: format!("the log {log}") })
    }

    fn lead(&self, log: &str) -> Result<()> {
        let [a, b, c, d, e, f, g, h, ..] = hash_of(log.as_bytes());
        let lock = i64::from_be_bytes([a, b, c, d, e, f, g, h]);
        let mut leader = self.leader.lock().unwrap_or_else(PoisonError::into_inner);
        let row = leader.query_one("SELECT pg_try_advisory_lock($1)", &[&lock]).map_err(error)?;
        if row.get::<_, bool>(0) { Ok(()) } else { Err(StoreError::Busy { what: format!("the log {log}") }) }
    }

    fn append(&self, log: &str, expected: u64, entries: &[Entry]) -> Result<()> {
        self.write(|tx| {
            let found = lock_head(tx, log)?;
            if found != expected {
                return Err(StoreError::HeadMoved { log: log.to_owned(), expected, found });
            }
            let append = tx.prepare(sql::APPEND).map_err(error)?;
            let put_secret = tx.prepare(sql::PUT_SECRET).map_err(error)?;
            let mut seq = expected;
            for entry in entries {
                tx.execute(&append, &[&log, &signed(seq), &entry.bytes]).map_err(error)?;
                if let Some(secret) = &entry.secret {
                    let sealed = self.key.seal(&secret_place(log, seq), secret)?;
                    tx.execute(&put_secret, &[&log, &signed(seq), &sealed]).map_err(error)?;
                }
                seq += 1;
            }
            tx.execute(sql::SET_SIZE, &[&log, &signed(seq)]).map_err(error)?;
            Ok(())
        })
    }

    fn read(&self, log: &str, from: u64, limit: u64) -> Result<Vec<Vec<u8>>> {
        let rows = self.all(sql::READ, &[&log, &signed(from), &signed(from.saturating_add(limit))])?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    fn secret(&self, log: &str, seq: u64) -> Result<Option<Vec<u8>>> {
        let row = self.one(sql::SECRET, &[&log, &signed(seq)])?;
        row.map(|row| self.key.open(&secret_place(log, seq), row.get(0))).transpose()
    }

    fn secrets(&self, log: &str) -> Result<Vec<(u64, Vec<u8>)>> {
        self.all(sql::SECRETS, &[&log])?
            .iter()
            .map(|row| {
                let seq = unsigned(row.get(0));
                Ok((seq, self.key.open(&secret_place(log, seq), row.get(1))?))
            })
            .collect()
    }

    fn erase_secret(&self, log: &str, seq: u64) -> Result<bool> {
        let erased = self.change(sql::ERASE, &[&log, &signed(seq)])? > 0;
        // The dead row would stay in the file until the next vacuum.
        self.with(|client| client.batch_execute("VACUUM secret").map_err(error))?;
        Ok(erased)
    }

    fn last_checkpoint(&self, log: &str) -> Result<Option<StoredCheckpoint>> {
        self.one(sql::LAST_CHECKPOINT, &[&log])?.map(|row| checkpoint(log, &row)).transpose()
    }

    fn checkpoints(&self, log: &str) -> Result<Vec<StoredCheckpoint>> {
        self.all(sql::CHECKPOINTS, &[&log])?.iter().map(|row| checkpoint(log, row)).collect()
    }

    fn put_checkpoint(&self, log: &str, previous: Option<Head>, next: &StoredCheckpoint) -> Result<()> {
        self.write(|tx| {
            lock_head(tx, log)?;
            let last = tx.query_opt(sql::LAST_CHECKPOINT, &[&log]).map_err(error)?;
            let last = last.map(|row| checkpoint(log, &row)).transpose()?;
            if !compare(log, last.as_ref(), previous, next)? {
                let root = next.root.as_slice();
                tx.execute(sql::PUT_CHECKPOINT, &[&log, &signed(next.size), &root, &next.note]).map_err(error)?;
            }
            Ok(())
        })
    }

    fn put_attachment(&self, bytes: &[u8]) -> Result<[u8; 32]> {
        let sha256 = hash_of(bytes);
        if self.one(sql::HAS_ATTACHMENT, &[&sha256.as_slice()])?.is_none() {
            let sealed = self.key.seal(&attachment_place(&sha256), bytes)?;
            self.change(sql::PUT_ATTACHMENT, &[&sha256.as_slice(), &sealed])?;
        }
        Ok(sha256)
    }

    fn attachment(&self, sha256: &[u8; 32]) -> Result<Option<Vec<u8>>> {
        let row = self.one(sql::ATTACHMENT, &[&sha256.as_slice()])?;
        row.map(|row| self.key.open(&attachment_place(sha256), row.get(0))).transpose()
    }

    fn put_row(&self, kind: &str, key: &str, value: &[u8]) -> Result<()> {
        self.change(sql::PUT_ROW, &[&kind, &key, &value]).map(|_| ())
    }

    fn row(&self, kind: &str, key: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.one(sql::ROW, &[&kind, &key])?.map(|row| row.get(0)))
    }

    fn rows(&self, kind: &str) -> Result<Vec<(String, Vec<u8>)>> {
        let mut rows: Vec<(String, Vec<u8>)> =
            self.all(sql::ROWS, &[&kind])?.iter().map(|row| (row.get(0), row.get(1))).collect();
        rows.sort();
        Ok(rows)
    }

    fn delete_row(&self, kind: &str, key: &str) -> Result<bool> {
        Ok(self.change(sql::DELETE_ROW, &[&kind, &key])? > 0)
    }

    fn integrity(&self) -> Result<Vec<String>> {
        let rows = self.all(sql::GAPS, &[])?;
        Ok(rows.iter().filter_map(|row| gap((row.get(0), row.get(1), row.get(2), row.get(3)))).collect())
    }
}
