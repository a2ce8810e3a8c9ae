//! The SQL itself: every statement is prepared on both engines, and a database that was migrated step by step is the same
//! as a new one.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::path::Path;

use common::{Place, key, raw_postgres, raw_sqlite};
use heng_store::schema::{MIGRATIONS, ONLY_POSTGRES, SCHEMA_TABLE, STATEMENTS, VERSION, sqlite, sqlite_ddl};
use heng_store::{SqliteStore, StoreError};

#[test]
fn every_statement_prepares_on_sqlite() {
    let place = Place::file().unwrap();
    drop(place.open());
    let connection = raw_sqlite(place.dir());
    for (name, sql) in STATEMENTS {
        if let Err(error) = connection.prepare(&sqlite(sql)) {
            panic!("{name}: {error}");
        }
    }
}

#[test]
fn every_statement_prepares_on_postgres() {
    let Some(place) = Place::postgres() else { return };
    drop(place.open());
    let Place::Postgres { own_url, .. } = &place else { return };
    let mut client = raw_postgres(own_url);
    for (name, sql) in STATEMENTS.iter().chain(ONLY_POSTGRES) {
        if let Err(error) = client.prepare(sql) {
            panic!("{name}: {error:?}");
        }
    }
}

#[test]
fn placeholders_are_positions() {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    let difference =
        |sql: &str| -> i64 { connection.query_row(sql, rusqlite::params![1, 10], |row| row.get(0)).unwrap() };
    assert_eq!(difference(&sqlite("SELECT $2 - $1")), 9);
    for (name, sql) in STATEMENTS.iter().chain(ONLY_POSTGRES) {
        assert!(!sql.contains('?'), "{name}");
    }
}

#[test]
fn migrations_use_only_words_of_both_engines() {
    for sql in MIGRATIONS {
        let translated = sqlite_ddl(sql);
        let tables = sql.matches("CREATE TABLE").count();
        assert_eq!(translated.matches(") STRICT;").count(), tables, "{sql}");
        for word in ["INTEGER", "SERIAL", "AUTOINCREMENT", "DEFAULT", "TRIGGER", "BOOLEAN", "TIMESTAMP"] {
            assert!(!sql.contains(word), "{word} is not of both engines");
        }
    }
}

/// A database at an older version, with a log in it.
fn old_sqlite(dir: &Path, version: usize) {
    let connection = raw_sqlite(dir);
    connection.execute_batch(&sqlite_ddl(SCHEMA_TABLE)).unwrap();
    for migration in &MIGRATIONS[..version] {
        connection.execute_batch(&sqlite_ddl(migration)).unwrap();
    }
    if version > 0 {
        connection.execute("INSERT INTO schema VALUES (?1)", [version as i64]).unwrap();
        connection.execute_batch(CONTENT_SQLITE).unwrap();
    }
}

const CONTENT_SQLITE: &str = "INSERT INTO log (id, kind, size) VALUES ('a', 'kind', 1);
    INSERT INTO record (log, seq, bytes) VALUES ('a', 0, x'6f6c64');";
const CONTENT_POSTGRES: &str = "INSERT INTO log (id, kind, size) VALUES ('a', 'kind', 1);
    INSERT INTO record (log, seq, bytes) VALUES ('a', 0, '\\x6f6c64');";

fn shape_sqlite(dir: &Path) -> Vec<String> {
    let connection = raw_sqlite(dir);
    let sql = "SELECT type || ' ' || name || ' ' || COALESCE(sql, '') FROM sqlite_schema ORDER BY 1";
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(|row| row.unwrap()).collect()
}

#[test]
fn a_migrated_sqlite_is_like_a_new_one() {
    let fresh = Place::file().unwrap();
    drop(fresh.open());
    for version in 0..MIGRATIONS.len() {
        let place = Place::file().unwrap();
        old_sqlite(place.dir(), version);
        let error = SqliteStore::open_read_only(place.dir(), key()).err().unwrap();
        assert!(matches!(error, StoreError::Older { known: VERSION, .. }), "{error}");
        let store = place.open();
        if version > 0 {
            assert_eq!(store.read("a", 0, 9).unwrap(), [b"old"]);
        }
        assert!(store.integrity().unwrap().is_empty());
        drop(store);
        assert_eq!(shape_sqlite(place.dir()), shape_sqlite(fresh.dir()), "from version {version}");
        let versions: Vec<i64> = {
            let connection = raw_sqlite(place.dir());
            let mut statement = connection.prepare("SELECT version FROM schema").unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().map(|row| row.unwrap()).collect()
        };
        assert_eq!(versions, [VERSION]);
    }
}

#[test]
fn sqlite_tables_are_strict() {
    let place = Place::file().unwrap();
    drop(place.open());
    let connection = raw_sqlite(place.dir());
    let sql = "SELECT count(*) FROM pragma_table_list
        WHERE schema = 'main' AND name NOT LIKE 'sqlite_%' AND strict = 0";
    let loose: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(loose, 0);
}

fn shape_postgres(url: &str) -> Vec<String> {
    let sql = "SELECT table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable || ' '
            || COALESCE(collation_name, '') AS line
        FROM information_schema.columns WHERE table_schema = current_schema()
        UNION ALL
        SELECT conrelid::regclass::TEXT || ' ' || pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
        ORDER BY 1";
    raw_postgres(url).query(sql, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

#[test]
fn a_migrated_postgres_is_like_a_new_one() {
    let Some(fresh) = Place::postgres() else { return };
    drop(fresh.open());
    let Place::Postgres { own_url: fresh_url, .. } = &fresh else { return };
    for version in 0..MIGRATIONS.len() {
        let Some(place) = Place::postgres() else { return };
        let Place::Postgres { own_url, .. } = &place else { return };
        let mut client = raw_postgres(own_url);
        client.batch_execute(SCHEMA_TABLE).unwrap();
        for migration in &MIGRATIONS[..version] {
            client.batch_execute(migration).unwrap();
        }
        if version > 0 {
            client.batch_execute(&format!("INSERT INTO schema VALUES ({version})")).unwrap();
            client.batch_execute(CONTENT_POSTGRES).unwrap();
        }
        let store = place.open();
        if version > 0 {
            assert_eq!(store.read("a", 0, 9).unwrap(), [b"old"]);
        }
        drop(store);
        assert_eq!(shape_postgres(own_url), shape_postgres(fresh_url), "from version {version}");
    }
}
