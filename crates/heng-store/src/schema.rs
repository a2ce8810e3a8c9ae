//! The schema and every statement, once, in words that both engines understand.
//!
//! Types are BIGINT, TEXT and BYTEA; text is ordered by bytes. SQLite gets its words by [`sqlite`] and [`sqlite_ddl`].
//! The module is visible to the tests only: they prepare every statement on both engines and migrate step by step.

/// Migrations in order; a database has the version of the last one that it has run. A released one never changes.
pub const MIGRATIONS: [&str; 3] = [
    include_str!("../migrations/0001-logs.sql"),
    include_str!("../migrations/0002-beside-the-logs.sql"),
    include_str!("../migrations/0003-pieces.sql"),
];

/// The version of a database that has run all migrations.
pub const VERSION: i64 = MIGRATIONS.len() as i64;

/// Holds one row: the version.
pub const SCHEMA_TABLE: &str = "CREATE TABLE IF NOT EXISTS schema (\n  version BIGINT NOT NULL\n);\n";

/// Names each statement and lists them all, so that none can miss the test that prepares them.
macro_rules! statements {
    ($(#[$about:meta])* $list:ident: $($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* pub(crate) const $name: &str = $sql;)*
        $(#[$about])*
        pub const $list: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}

statements! {
    /// Statements of both engines.
    STATEMENTS:
    GET_VERSION = "SELECT version FROM schema";
    SET_VERSION = "INSERT INTO schema (version) VALUES ($1)";
    CLEAR_VERSION = "DELETE FROM schema";
    GET_KEY_CHECK = "SELECT sealed FROM key_check WHERE name = $1";
    PUT_KEY_CHECK = "INSERT INTO key_check (name, sealed) VALUES ($1, $2)";

    LOGS = "SELECT id, kind, size FROM log ORDER BY id";
    CREATE_LOG = "INSERT INTO log (id, kind, size) VALUES ($1, $2, 0) ON CONFLICT (id) DO NOTHING";
    SIZE = "SELECT size FROM log WHERE id = $1";
    SET_SIZE = "UPDATE log SET size = $2 WHERE id = $1";
    APPEND = "INSERT INTO record (log, seq, bytes) VALUES ($1, $2, $3)";
    READ = "SELECT seq, bytes FROM record WHERE log = $1 AND seq >= $2 AND seq < $3 ORDER BY seq";
    PUT_SECRET = "INSERT INTO secret (log, seq, sealed) VALUES ($1, $2, $3)";
    SECRET = "SELECT sealed FROM secret WHERE log = $1 AND seq = $2";
    SECRETS = "SELECT seq, sealed FROM secret WHERE log = $1 AND seq >= $2 AND seq < $3 ORDER BY seq";
    ERASE = "DELETE FROM secret WHERE log = $1 AND seq = $2";

    CHECKPOINTS = "SELECT size, root, note FROM checkpoint WHERE log = $1 ORDER BY size";
    LAST_CHECKPOINT = "SELECT size, root, note FROM checkpoint WHERE log = $1 ORDER BY size DESC LIMIT 1";
    PUT_CHECKPOINT = "INSERT INTO checkpoint (log, size, root, note) VALUES ($1, $2, $3, $4)";

    ATTACHMENTS = "SELECT sha256 FROM attachment ORDER BY sha256";
    ATTACHMENT = "SELECT sealed FROM attachment WHERE sha256 = $1";
    PUT_ATTACHMENT = "INSERT INTO attachment (sha256, sealed) VALUES ($1, $2)
        ON CONFLICT (sha256) DO UPDATE SET sealed = excluded.sealed";
    DELETE_ATTACHMENT = "DELETE FROM attachment WHERE sha256 = $1";

    /// Where the last piece of a file begins, and its sealed length.
    LAST_PIECE = "SELECT start, CAST(length(sealed) AS BIGINT) FROM piece WHERE file = $1 ORDER BY start DESC LIMIT 1";
    PUT_PIECE = "INSERT INTO piece (file, start, sealed) VALUES ($1, $2, $3)";
    /// The piece that holds a byte, if none is missing before it.
    PIECE = "SELECT start, sealed FROM piece WHERE file = $1 AND start <= $2 ORDER BY start DESC LIMIT 1";
    DROP_PIECES = "DELETE FROM piece WHERE file = $1
        AND NOT EXISTS (SELECT 1 FROM attachment_file a WHERE a.file = piece.file)";
    LOOSE_FILES = "SELECT DISTINCT file FROM piece
        WHERE NOT EXISTS (SELECT 1 FROM attachment_file a WHERE a.file = piece.file) ORDER BY file";
    ATTACHMENT_FILE = "SELECT sealed FROM attachment_file WHERE sha256 = $1";
    ATTACHMENT_FILES = "SELECT sha256 FROM attachment_file ORDER BY sha256";
    PUT_ATTACHMENT_FILE = "INSERT INTO attachment_file (sha256, file, sealed) VALUES ($1, $2, $3)
        ON CONFLICT (sha256) DO UPDATE SET file = excluded.file, sealed = excluded.sealed";
    DELETE_ATTACHMENT_FILE = "DELETE FROM attachment_file WHERE sha256 = $1";

    PUT_ROW = "INSERT INTO operational (kind, key, sealed) VALUES ($1, $2, $3)
        ON CONFLICT (kind, key) DO UPDATE SET sealed = excluded.sealed";
    ROW = "SELECT sealed FROM operational WHERE kind = $1 AND key = $2";
    /// Keys are ordered by bytes, so those with one beginning lie between it and it with the greatest character after it.
    ROWS = "SELECT key, sealed FROM operational WHERE kind = $1 AND key >= $2 AND key < $3 ORDER BY key";
    ADD_ROW = "INSERT INTO operational (kind, key, sealed) VALUES ($1, $2, $3) ON CONFLICT (kind, key) DO NOTHING";
    DELETE_ROW = "DELETE FROM operational WHERE kind = $1 AND key = $2";

    /// Head, number of records and end of each log, and the size of its newest checkpoint.
    HEADS = "SELECT l.id, l.size,
        (SELECT count(*) FROM record r WHERE r.log = l.id),
        (SELECT COALESCE(max(r.seq) + 1, 0) FROM record r WHERE r.log = l.id),
        (SELECT COALESCE(max(c.size), 0) FROM checkpoint c WHERE c.log = l.id)
        FROM log l ORDER BY l.id";
}

statements! {
    /// Statements that only PostgreSQL has: locks, and many rows in one round trip.
    ONLY_POSTGRES:
    LOCK_HEAD = "SELECT size FROM log WHERE id = $1 FOR UPDATE";
    LOCK_ROW = "SELECT sealed FROM operational WHERE kind = $1 AND key = $2 FOR UPDATE";
    APPEND_MANY = "INSERT INTO record (log, seq, bytes)
        SELECT $1::TEXT, r.seq, r.bytes FROM unnest($2::BIGINT[], $3::BYTEA[]) AS r (seq, bytes)";
    PUT_SECRET_MANY = "INSERT INTO secret (log, seq, sealed)
        SELECT $1::TEXT, r.seq, r.sealed FROM unnest($2::BIGINT[], $3::BYTEA[]) AS r (seq, sealed)";
    /// One server migrates at a time; the number spells Heng.
    LOCK_SCHEMA = "SELECT pg_advisory_xact_lock(1214606951)";
    /// Lets one transaction at a time work on what a number stands for.
    LOCK = "SELECT pg_advisory_xact_lock($1)";
    LEAD = "SELECT pg_try_advisory_lock($1)";
    RELEASE = "SELECT pg_advisory_unlock_all()";
    CURRENT_SCHEMA = "SELECT COALESCE(current_schema(), '')";
    FSYNC = "SELECT current_setting('fsync')";
}

/// Rewrites PostgreSQL's table of secrets with its living rows only. (`VACUUM`, also `FULL`, keeps a deleted row for as
/// long as any transaction of the database is older, whatever that transaction does.)
pub(crate) const REWRITE_SECRETS: &str = "ALTER TABLE secret ALTER COLUMN sealed TYPE BYTEA USING sealed || ''::BYTEA";

/// A statement in SQLite's words. `$1` would be a *name* there, numbered by first appearance; `?1` is a position.
pub fn sqlite(sql: &str) -> String {
    sql.replace('$', "?")
}

/// A migration in SQLite's words. Its text is ordered by bytes unless told otherwise.
pub fn sqlite_ddl(sql: &str) -> String {
    sql.replace("BIGINT", "INTEGER")
        .replace("BYTEA", "BLOB")
        .replace(" COLLATE \"C\"", "")
        .replace("\n);", "\n) STRICT;")
}
