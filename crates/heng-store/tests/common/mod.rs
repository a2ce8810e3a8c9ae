//! Places to run the suite in: SQLite in memory and in a file, and a schema of its own on a PostgreSQL server.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use std::io::Write;
use std::path::Path;

use heng_store::{DataKey, Entry, PostgresStore, SqliteStore, Store, StoreError, StoredCheckpoint};
use tempfile::TempDir;

pub fn key() -> DataKey {
    DataKey::from_bytes([42; 32])
}

pub fn other_key() -> DataKey {
    DataKey::from_bytes([43; 32])
}

pub fn entry(text: &str) -> Entry {
    Entry { bytes: text.as_bytes().to_vec(), secret: None }
}

pub fn with_secret(text: &str, secret: &[u8]) -> Entry {
    Entry { bytes: text.as_bytes().to_vec(), secret: Some(secret.to_vec()) }
}

pub fn checkpoint(size: u64, root: u8) -> StoredCheckpoint {
    StoredCheckpoint { size, root: [root; 32], note: format!("note of {size}\n— 衡 signature\n") }
}

/// Bytes that look random but are the same in every run.
pub fn noise(length: usize, mut seed: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length);
    for _ in 0..length {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.push(seed.to_be_bytes()[0]);
    }
    bytes
}

pub fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

pub enum Place {
    Memory,
    File(TempDir),
    Postgres { url: String, own_url: String, schema: String },
}

impl Place {
    pub fn memory() -> Option<Place> {
        Some(Place::Memory)
    }

    pub fn file() -> Option<Place> {
        Some(Place::File(tempfile::tempdir().unwrap()))
    }

    /// A fresh schema; nothing if there is no server to test on.
    pub fn postgres() -> Option<Place> {
        let Ok(url) = std::env::var("HENG_TEST_POSTGRES") else {
            // Past the capture of the test runner, which would hide it, but only once.
            static TOLD: std::sync::Once = std::sync::Once::new();
            TOLD.call_once(|| {
                let _ = writeln!(std::io::stderr(), "skipped: HENG_TEST_POSTGRES not set (tests on PostgreSQL)");
            });
            return None;
        };
        let mut random = [0; 8];
        getrandom::fill(&mut random).unwrap();
        let schema = format!("heng_test_{}", hex::encode(random));
        raw_postgres(&url).batch_execute(&format!("CREATE SCHEMA {schema}")).unwrap();
        let own_url = match url.contains("://") {
            true => {
                let sign = if url.contains('?') { '&' } else { '?' };
                format!("{url}{sign}options=-c%20search_path%3D{schema}")
            }
            false => format!("{url} options='-c search_path={schema}'"),
        };
        Some(Place::Postgres { url, own_url, schema })
    }

    pub fn try_open(&self, key: DataKey) -> Result<Box<dyn Store>, StoreError> {
        Ok(match self {
            Place::Memory => Box::new(SqliteStore::in_memory(key)?),
            Place::File(dir) => Box::new(SqliteStore::open(dir.path(), key)?),
            Place::Postgres { own_url, .. } => Box::new(PostgresStore::connect(own_url, key)?),
        })
    }

    pub fn open(&self) -> Box<dyn Store> {
        self.try_open(key()).unwrap()
    }

    /// False where every store that is opened is another one.
    pub fn lasts(&self) -> bool {
        !matches!(self, Place::Memory)
    }

    pub fn dir(&self) -> &Path {
        match self {
            Place::File(dir) => dir.path(),
            _ => panic!("no folder"),
        }
    }

    /// Changes the database behind the store's back.
    pub fn tamper(&self, sql: &str) {
        match self {
            Place::Memory => panic!("nobody else can reach it"),
            Place::File(dir) => raw_sqlite(dir.path()).execute_batch(sql).unwrap(),
            Place::Postgres { own_url, .. } => raw_postgres(own_url).batch_execute(sql).unwrap(),
        }
    }

    /// The first column of a query, as bytes.
    pub fn peek(&self, sql: &str) -> Vec<Vec<u8>> {
        match self {
            Place::Memory => panic!("nobody else can reach it"),
            Place::File(dir) => {
                let connection = raw_sqlite(dir.path());
                let mut statement = connection.prepare(sql).unwrap();
                let rows = statement.query_map([], |row| row.get(0)).unwrap();
                rows.map(|row| row.unwrap()).collect()
            }
            Place::Postgres { own_url, .. } => {
                raw_postgres(own_url).query(sql, &[]).unwrap().iter().map(|row| row.get(0)).collect()
            }
        }
    }

    /// Everything that lies on the disk, if this account may read it.
    pub fn disk(&self) -> Option<Vec<u8>> {
        match self {
            Place::Memory => None,
            Place::File(dir) => {
                let files = std::fs::read_dir(dir.path()).unwrap();
                Some(files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect())
            }
            Place::Postgres { own_url, schema, .. } => {
                let mut client = raw_postgres(own_url);
                client.batch_execute("CHECKPOINT").ok()?;
                let sql = format!(
                    "SELECT current_setting('data_directory') || '/' || pg_relation_filepath(c.oid)
                     FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = '{schema}'::regnamespace
                     UNION ALL
                     SELECT current_setting('data_directory') || '/' || pg_relation_filepath(c.reltoastrelid)
                     FROM pg_class c WHERE c.reltoastrelid <> 0 AND c.relnamespace = '{schema}'::regnamespace"
                );
                let rows = client.query(&sql, &[]).ok()?;
                let mut bytes = Vec::new();
                for row in rows {
                    bytes.extend(std::fs::read(row.get::<_, String>(0)).ok()?);
                }
                Some(bytes)
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Place::Postgres { url, schema, .. } = self {
            let drop = format!("DROP SCHEMA {schema} CASCADE");
            if let Err(error) = raw_postgres(url).batch_execute(&drop) {
                eprintln!("{schema} remains: {error:?}");
            }
        }
    }
}

pub fn raw_postgres(url: &str) -> postgres::Client {
    let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
    client.batch_execute("SET client_min_messages = warning; SET lock_timeout = '20s'").unwrap();
    client
}

pub fn raw_sqlite(dir: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(dir.join("heng.sqlite")).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
    connection.pragma_update(None, "foreign_keys", "OFF").unwrap();
    connection
}

/// What the integrity check says about the contents; how a test server is set up is not the point here.
pub fn faults(store: &dyn Store) -> Vec<String> {
    let mut faults = store.integrity().unwrap();
    faults.retain(|fault| !fault.contains("fsync"));
    faults
}

/// Runs each case in every place, in a fresh one each time.
#[macro_export]
macro_rules! suite {
    ($($case:ident),* $(,)?) => {
        mod memory { $( #[test] fn $case() { if let Some(place) = $crate::common::Place::memory() { super::$case(&place) } } )* }
        mod file { $( #[test] fn $case() { if let Some(place) = $crate::common::Place::file() { super::$case(&place) } } )* }
        mod postgres { $( #[test] fn $case() { if let Some(place) = $crate::common::Place::postgres() { super::$case(&place) } } )* }
    };
}
