//! Connections to a SQLite file, and what its errors mean.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::{Result, StoreError, file_error};

/// How long a connection waits for another one's lock.
pub(crate) const WAIT: Duration = Duration::from_secs(5);

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
            Some(_) => StoreError::Io { what, detail },
            // The engine gave a value that is not of the column's type.
            None => match source {
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::Utf8Error(..) => StoreError::Damaged { what, detail },
                _ => StoreError::Io { what, detail },
            },
        }
    }
}

/// Makes an empty database file that only its owner can read; SQLite gives its side files the same rights.
pub(crate) fn create_private(path: &Path) -> Result<()> {
    let what = path.display().to_string();
    let made = File::options().append(true).create(true).mode(0o600).open(path);
    made.map(|_| ()).map_err(file_error(&what))
}

pub(super) fn settings(connection: &Connection, what: &str) -> Result<()> {
    let map = error(what);
    connection.busy_timeout(WAIT).map_err(&map)?;
    for (name, value) in [
        ("synchronous", "FULL"),
        ("secure_delete", "ON"),
        ("foreign_keys", "ON"),
        ("cell_size_check", "ON"),
        ("trusted_schema", "OFF"),
        // Sorting must not leave copies of rows in the system's temporary folder.
        ("temp_store", "MEMORY"),
    ] {
        connection.pragma_update(None, name, value).map_err(&map)?;
    }
    // Otherwise a range of keys is planned anew for each of its ends, which takes longer than reading it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(&map)?;
    Ok(())
}

/// WAL needs shared memory, which network file systems lack; SQLite then silently keeps the old mode.
pub(super) fn use_wal(connection: &Connection, what: &str) -> Result<()> {
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(error(what))?;
    if mode == "wal" {
        return Ok(());
    }
    Err(StoreError::Io {
        what: what.to_owned(),
        detail: "this file system cannot hold a database in WAL mode (is it a network drive?). Use a local disk, or PostgreSQL".to_owned(),
    })
}

/// A connection that only reads. A database in WAL mode has a side file that even readers write; where that is impossible
/// (a backup on a read-only disk) and nothing waits in the write-ahead file, the file is read as one that cannot change.
pub(crate) fn open_reader(path: &Path, what: &str) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let open = |parameters: &str| {
        let connection = Connection::open_with_flags(address(path, parameters), flags)?;
        // Only the first query touches the file.
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(connection)
    };
    let cannot =
        |e: &rusqlite::Error| matches!(e.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly));
    let connection = match open("") {
        Err(source) if cannot(&source) && path.is_file() && !has_wal(path) => open("?immutable=1"),
        opened => opened,
    };
    let connection = connection.map_err(error(what))?;
    settings(&connection, what)?;
    Ok(connection)
}

fn has_wal(path: &Path) -> bool {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    // A file that cannot be looked at counts as one that is there.
    std::fs::metadata(name).map_or_else(|e| e.kind() != std::io::ErrorKind::NotFound, |wal| wal.len() > 0)
}

/// The address of a file in SQLite's words, in which some characters of a name have a meaning.
fn address(path: &Path, parameters: &str) -> std::ffi::OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let mut address = b"file:".to_vec();
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'%' | b'?' | b'#' => address.extend(format!("%{byte:02x}").bytes()),
            _ => address.push(byte),
        }
    }
    address.extend(parameters.bytes());
    std::ffi::OsString::from_vec(address)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn names_with_odd_characters_are_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("衡 %41?mode=rw#x.sqlite");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (7)").unwrap();
        let immutable = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        for connection in [
            open_reader(&path, "test").unwrap(),
            Connection::open_with_flags(address(&path, "?immutable=1"), immutable).unwrap(),
        ] {
            let n: i64 = connection.query_row("SELECT n FROM t", [], |row| row.get(0)).unwrap();
            assert_eq!(n, 7);
            assert!(connection.execute_batch("INSERT INTO t VALUES (8)").is_err());
        }
    }
}
