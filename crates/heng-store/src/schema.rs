//! The schema and every statement, once, in words that both engines understand.
//!
//! Types are BIGINT, TEXT and BYTEA; SQLite gets INTEGER, TEXT and BLOB. Placeholders are `$1…`, which SQLite reads as
//! `?1…` after one replacement.

/// Migrations in order; a database has the version of the last one it has run.
pub(crate) const MIGRATIONS: [&str; 1] = ["
CREATE TABLE log (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  size BIGINT NOT NULL
);
CREATE TABLE record (
  log TEXT NOT NULL,
  seq BIGINT NOT NULL,
  bytes BYTEA NOT NULL,
  PRIMARY KEY (log, seq)
);
CREATE TABLE secret (
  log TEXT NOT NULL,
  seq BIGINT NOT NULL,
  sealed BYTEA NOT NULL,
  PRIMARY KEY (log, seq)
);
CREATE TABLE checkpoint (
  log TEXT NOT NULL,
  size BIGINT NOT NULL,
  root BYTEA NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (log, size)
);
CREATE TABLE attachment (
  sha256 BYTEA NOT NULL PRIMARY KEY,
  sealed BYTEA NOT NULL
);
CREATE TABLE operational (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  value BYTEA NOT NULL,
  PRIMARY KEY (kind, key)
);
"];

/// The version of a database that has run all migrations.
pub(crate) const VERSION: i64 = MIGRATIONS.len() as i64;

pub(crate) const SCHEMA_TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL);";
pub(crate) const GET_VERSION: &str = "SELECT version FROM schema_version";
pub(crate) const SET_VERSION: &str = "INSERT INTO schema_version (version) VALUES ($1)";
pub(crate) const CLEAR_VERSION: &str = "DELETE FROM schema_version";

pub(crate) const LOGS: &str = "SELECT id, kind, size FROM log ORDER BY id";
pub(crate) const CREATE_LOG: &str = "INSERT INTO log (id, kind, size) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING";
pub(crate) const SIZE: &str = "SELECT size FROM log WHERE id = $1";
pub(crate) const SET_SIZE: &str = "UPDATE log SET size = $2 WHERE id = $1";
pub(crate) const APPEND: &str = "INSERT INTO record (log, seq, bytes) VALUES ($1, $2, $3)";
pub(crate) const READ: &str = "SELECT bytes FROM record WHERE log = $1 AND seq >= $2 AND seq < $3 ORDER BY seq";
pub(crate) const PUT_SECRET: &str = "INSERT INTO secret (log, seq, sealed) VALUES ($1, $2, $3)";
pub(crate) const SECRET: &str = "SELECT sealed FROM secret WHERE log = $1 AND seq = $2";
pub(crate) const SECRETS: &str = "SELECT seq, sealed FROM secret WHERE log = $1 ORDER BY seq";
pub(crate) const ERASE: &str = "DELETE FROM secret WHERE log = $1 AND seq = $2";
pub(crate) const CHECKPOINTS: &str = "SELECT size, root, note FROM checkpoint WHERE log = $1 ORDER BY size";
pub(crate) const LAST_CHECKPOINT: &str =
    "SELECT size, root, note FROM checkpoint WHERE log = $1 ORDER BY size DESC LIMIT 1";
pub(crate) const PUT_CHECKPOINT: &str = "INSERT INTO checkpoint (log, size, root, note) VALUES ($1, $2, $3, $4)";
pub(crate) const PUT_ATTACHMENT: &str =
    "INSERT INTO attachment (sha256, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING";
pub(crate) const HAS_ATTACHMENT: &str = "SELECT 1 FROM attachment WHERE sha256 = $1";
pub(crate) const ATTACHMENT: &str = "SELECT sealed FROM attachment WHERE sha256 = $1";
pub(crate) const PUT_ROW: &str = "INSERT INTO operational (kind, key, value) VALUES ($1, $2, $3)
  ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value";
pub(crate) const ROW: &str = "SELECT value FROM operational WHERE kind = $1 AND key = $2";
pub(crate) const ROWS: &str = "SELECT key, value FROM operational WHERE kind = $1 ORDER BY key";
pub(crate) const DELETE_ROW: &str = "DELETE FROM operational WHERE kind = $1 AND key = $2";
pub(crate) const GAPS: &str = "SELECT l.id, l.size, CAST(COUNT(r.seq) AS BIGINT), COALESCE(MAX(r.seq) + 1, 0)
  FROM log l LEFT JOIN record r ON r.log = l.id GROUP BY l.id, l.size ORDER BY l.id";

/// A statement in SQLite's words. `$1` would be a *name* there, numbered by first appearance.
pub(crate) fn sqlite(sql: &str) -> String {
    sql.replace('$', "?")
}

/// A migration in SQLite's words.
pub(crate) fn sqlite_ddl(sql: &str) -> String {
    sql.replace("BIGINT", "INTEGER").replace("BYTEA", "BLOB").replace("\n);", "\n) STRICT;")
}
