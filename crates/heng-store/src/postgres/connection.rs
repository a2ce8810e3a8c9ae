//! One connection, with its prepared statements.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use postgres::error::SqlState;
use postgres::types::{FromSql, ToSql};
use postgres::{Client, Config, IsolationLevel, NoTls, Row, Statement};

use crate::error::{Result, StoreError};

pub(super) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A connection that was idle for longer is tried before it is used: the server may have been restarted.
const TRUSTED: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(10);

/// Locks are waited for, but not for ever; a server that died in a transaction must not hold one for ever either.
const SETTINGS: &str = "SET synchronous_commit = on; \
    SET lock_timeout = '10s'; \
    SET idle_in_transaction_session_timeout = '60s'; \
    SET client_min_messages = warning";

/// The driver's own text names only the kind of error; the causes say what happened.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// Maps an engine's error to a sentence that says what to do.
pub(super) fn error(source: postgres::Error) -> StoreError {
    let what = "PostgreSQL".to_owned();
    let Some(db) = source.as_db_error() else {
        return StoreError::Io { what, detail: in_full(&source) };
    };
    let detail = format!("{} ({})", db.message(), db.code().code());
    let code = db.code();
    if *code == SqlState::DISK_FULL {
        StoreError::Full { detail }
    } else if *code == SqlState::READ_ONLY_SQL_TRANSACTION || *code == SqlState::INSUFFICIENT_PRIVILEGE {
        StoreError::ReadOnly { what, detail }
    } else if *code == SqlState::LOCK_NOT_AVAILABLE {
        StoreError::Busy { what }
    } else if *code == SqlState::DATA_CORRUPTED || *code == SqlState::INDEX_CORRUPTED {
        StoreError::Damaged { what, detail }
    } else {
        StoreError::Io { what, detail }
    }
}

/// Reads the address. Its text is never shown: it may hold a password.
pub(super) fn config(url: &str) -> Result<Config> {
    let mut config: Config = url.parse().map_err(|source: postgres::Error| StoreError::Io {
        what: "the address of the database cannot be read (postgres://user:password@host/database)".to_owned(),
        detail: in_full(&source),
    })?;
    if config.get_application_name().is_none() {
        config.application_name("heng");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(PATIENCE);
    }
    Ok(config)
}

pub(super) fn client(config: &Config) -> Result<Client> {
    let mut client = config.connect(NoTls).map_err(|source| StoreError::Io {
        what: "cannot connect to PostgreSQL (is the address of the database right, does the server run?)".to_owned(),
        detail: in_full(&source),
    })?;
    client.batch_execute(SETTINGS).map_err(error)?;
    Ok(client)
}

/// The columns of a row, read without panic.
pub(super) struct Columns<'a>(&'a Row);

impl Columns<'_> {
    pub(super) fn get<T: for<'a> FromSql<'a>>(&self, index: usize) -> Result<T> {
        self.0
            .try_get(index)
            .map_err(|source| StoreError::Damaged { what: "PostgreSQL".to_owned(), detail: in_full(&source) })
    }
}

fn read_all<T>(rows: &[Row], read: impl Fn(&Columns<'_>) -> Result<T>) -> Result<Vec<T>> {
    rows.iter().map(|row| read(&Columns(row))).collect()
}

pub(super) struct Connection {
    client: Client,
    statements: HashMap<&'static str, Statement>,
    used: Instant,
}

impl Connection {
    pub(super) fn open(config: &Config) -> Result<Connection> {
        let client = client(config)?;
        Ok(Connection { client, statements: HashMap::new(), used: Instant::now() })
    }

    pub(super) fn broken(&self) -> bool {
        self.client.is_closed()
    }

    pub(super) fn works(&mut self) -> bool {
        !self.broken() && (self.used.elapsed() < TRUSTED || self.client.is_valid(PATIENCE).is_ok())
    }

    fn statement(&mut self, sql: &'static str) -> Result<Statement> {
        self.used = Instant::now();
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).map_err(error)?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }

    pub(super) fn all<T>(
        &mut self,
        sql: &'static str,
        params: Params<'_>,
        read: impl Fn(&Columns<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let statement = self.statement(sql)?;
        read_all(&self.client.query(&statement, params).map_err(error)?, read)
    }

    pub(super) fn execute(&mut self, sql: &'static str, params: Params<'_>) -> Result<u64> {
        let statement = self.statement(sql)?;
        self.client.execute(&statement, params).map_err(error)
    }

    pub(super) fn batch(&mut self, sql: &str) -> Result<()> {
        self.client.batch_execute(sql).map_err(error)
    }

    /// One transaction. A statement that waited for a locked row sees the row as it is then (read committed), which the
    /// compare-and-swap of heads rests on, whatever the server's default is.
    pub(super) fn write<T>(&mut self, body: impl FnOnce(&mut Transaction<'_>) -> Result<T>) -> Result<T> {
        self.used = Instant::now();
        let builder = self.client.build_transaction();
        let tx = builder.isolation_level(IsolationLevel::ReadCommitted).start().map_err(error)?;
        let mut tx = Transaction { tx, statements: &mut self.statements };
        let value = body(&mut tx)?;
        tx.tx.commit().map_err(error)?;
        Ok(value)
    }
}

pub(super) struct Transaction<'a> {
    tx: postgres::Transaction<'a>,
    statements: &'a mut HashMap<&'static str, Statement>,
}

impl Transaction<'_> {
    fn statement(&mut self, sql: &'static str) -> Result<Statement> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        // A prepared statement outlives the transaction, also one that is rolled back.
        let statement = self.tx.prepare(sql).map_err(error)?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }

    pub(super) fn execute(&mut self, sql: &'static str, params: Params<'_>) -> Result<u64> {
        let statement = self.statement(sql)?;
        self.tx.execute(&statement, params).map_err(error)
    }

    pub(super) fn one<T>(
        &mut self,
        sql: &'static str,
        params: Params<'_>,
        read: impl Fn(&Columns<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let statement = self.statement(sql)?;
        let rows = self.tx.query(&statement, params).map_err(error)?;
        Ok(read_all(&rows, read)?.into_iter().next())
    }

    pub(super) fn batch(&mut self, sql: &str) -> Result<()> {
        self.tx.batch_execute(sql).map_err(error)
    }
}
