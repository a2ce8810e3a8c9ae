//! The server store: PostgreSQL. The head row is locked, numbers have no gaps, nothing relies on serialisable isolation.

mod calls;
mod connection;
mod leader;

use std::sync::{Mutex, PoisonError};

use postgres::Config;

use self::connection::{Connection, Params};
use self::leader::Leader;
use crate::error::{Result, StoreError};
use crate::key::{DataKey, KEY_CHECK};
use crate::pool::Pool;
use crate::schema as sql;

/// Connections of one server, beside the leader's.
const CONNECTIONS: usize = 8;

/// The store.
pub struct PostgresStore {
    config: Config,
    pool: Pool<Connection>,
    leader: Mutex<Leader>,
    key: DataKey,
}

impl PostgresStore {
    /// Connects, brings the schema up to date and checks the key.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the address is wrong or the server cannot be reached; [`StoreError::Newer`],
    /// [`StoreError::Key`], [`StoreError::ReadOnly`].
    pub fn connect(url: &str, key: DataKey) -> Result<PostgresStore> {
        let config = connection::config(url)?;
        let store = PostgresStore {
            leader: Mutex::new(Leader::new(config.clone())),
            pool: Pool::new(CONNECTIONS),
            config,
            key,
        };
        store.migrate()?;
        Ok(store)
    }

    fn migrate(&self) -> Result<()> {
        self.write(|tx| {
            tx.execute(sql::LOCK_SCHEMA, &[])?;
            tx.batch(sql::SCHEMA_TABLE)?;
            let found: Option<i64> = tx.one(sql::GET_VERSION, &[], |row| row.get(0))?;
            let found = found.unwrap_or(0);
            if found > sql::VERSION {
                return Err(StoreError::Newer { found, known: sql::VERSION });
            }
            if found < sql::VERSION {
                for migration in sql::MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
                    tx.batch(migration)?;
                }
                tx.execute(sql::CLEAR_VERSION, &[])?;
                tx.execute(sql::SET_VERSION, &[&sql::VERSION])?;
            }
            let sealed: Option<Vec<u8>> = tx.one(sql::GET_KEY_CHECK, &[&KEY_CHECK], |row| row.get(0))?;
            match sealed {
                Some(sealed) => self.key.verify(&sealed),
                None => tx.execute(sql::PUT_KEY_CHECK, &[&KEY_CHECK, &self.key.check()?]).map(|_| ()),
            }
        })
    }

    /// Lends a connection that works; a broken one is closed afterwards.
    fn with<T>(&self, body: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        let works = |mut connection: Connection| connection.works().then_some(connection);
        let ready = |idle: Option<Connection>| match idle.and_then(works) {
            Some(connection) => Ok(connection),
            None => Connection::open(&self.config),
        };
        self.pool.with(ready, |connection| !connection.broken(), body)
    }

    fn all<T>(
        &self,
        statement: &'static str,
        params: Params<'_>,
        read: impl Fn(&connection::Columns<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.with(|connection| connection.all(statement, params, read))
    }

    fn one<T>(
        &self,
        statement: &'static str,
        params: Params<'_>,
        read: impl Fn(&connection::Columns<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.all(statement, params, read)?.into_iter().next())
    }

    /// One durable transaction.
    fn write<T>(&self, body: impl FnOnce(&mut connection::Transaction<'_>) -> Result<T>) -> Result<T> {
        self.with(|connection| connection.write(body))
    }

    fn change(&self, statement: &'static str, params: Params<'_>) -> Result<u64> {
        self.with(|connection| connection.execute(statement, params))
    }
}

impl Drop for PostgresStore {
    /// Closing a connection runs an event loop of its own, which panics inside an async task. The last owner of the
    /// store may well be one, so the closing is done elsewhere.
    fn drop(&mut self) {
        let connections = self.pool.drain();
        let leader = self.leader.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let closing = std::thread::Builder::new().name("heng-store-close".to_owned()).spawn(move || {
            leader::release(leader);
            drop(connections);
        });
        if let Ok(thread) = closing {
            // A connection that does not close cleanly is closed by the server; there is nobody to tell.
            let _ = thread.join();
        }
    }
}
