//! The calls of the store on SQLite.

use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::rows::RowChange;
use super::{SqliteStore, error};
use crate::check::{
    HeadRow, after_prefix, checkpoint, gapless, head_faults, log_exists, no_log, note_damage, same_head, signed, swap,
    unsigned,
};
use crate::error::{Result, StoreError};
use crate::file::{StoredFile, end, examine, hash_file, is_sound, read_whole};
use crate::key::{attachment_file_place, attachment_place, piece_place, row_place, secret_place};
use crate::schema as sql;
use crate::{Entry, Head, LogInfo, Store, StoredCheckpoint, hash_of};

fn checkpoint_row(row: &Row<'_>) -> rusqlite::Result<(i64, Vec<u8>, String)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

fn bytes(row: &Row<'_>) -> rusqlite::Result<Vec<u8>> {
    row.get(0)
}

impl SqliteStore {
    /// The head of a log within a transaction; SQLite's one writer holds it still.
    fn head(&self, tx: &Transaction<'_>, log: &str) -> Result<u64> {
        let found = tx.query_row(&sql::sqlite(sql::SIZE), [log], |row| row.get(0)).optional();
        unsigned(found.map_err(|source| self.failure(source))?.ok_or_else(|| no_log(log))?)
    }

    /// Number of bytes of a file within a transaction.
    fn received_in(&self, tx: &Transaction<'_>, id: &str) -> Result<u64> {
        let last = tx.query_row(&sql::sqlite(sql::LAST_PIECE), [id], |row| Ok((row.get(0)?, row.get(1)?)));
        last.optional().map_err(|source| self.failure(source))?.map_or(Ok(0), file_end)
    }
}

fn file_end((start, sealed): (i64, i64)) -> Result<u64> {
    Ok(end(unsigned(start)?, unsigned(sealed)?))
}

impl Store for SqliteStore {
    fn engine(&self) -> &'static str {
        "sqlite"
    }

    fn logs(&self) -> Result<Vec<LogInfo>> {
        let rows: Vec<(String, String, i64)> =
            self.all(sql::LOGS, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let info = |(id, kind, size)| Ok(LogInfo { id, kind, size: unsigned(size)? });
        rows.into_iter().map(info).collect()
    }

    fn create_log(&self, id: &str, kind: &str) -> Result<()> {
        match self.change(sql::CREATE_LOG, params![id, kind])? {
            0 => Err(log_exists(id)),
            _ => Ok(()),
        }
    }

    fn size(&self, log: &str) -> Result<u64> {
        let found: Option<i64> = self.one(sql::SIZE, [log], |row| row.get(0))?;
        unsigned(found.ok_or_else(|| no_log(log))?)
    }

    fn lead(&self, _log: &str) -> Result<()> {
        // The lock on the folder, taken when it was opened, covers all logs in it.
        if self.read_only {
            return Err(StoreError::ReadOnly {
                what: self.what.clone(),
                detail: "it was opened for reading only".to_owned(),
            });
        }
        Ok(())
    }

    fn append(&self, log: &str, expected: u64, entries: &[Entry]) -> Result<()> {
        let map = |source| self.failure(source);
        self.write(|tx| {
            same_head(log, expected, self.head(tx, log)?)?;
            let mut append = tx.prepare_cached(&sql::sqlite(sql::APPEND)).map_err(map)?;
            let mut put_secret = tx.prepare_cached(&sql::sqlite(sql::PUT_SECRET)).map_err(map)?;
            let mut seq = expected;
            for entry in entries {
                append.execute(params![log, signed(seq), entry.bytes]).map_err(map)?;
                if let Some(secret) = &entry.secret {
                    let sealed = self.key.seal(&secret_place(log, seq), secret)?;
                    put_secret.execute(params![log, signed(seq), sealed]).map_err(map)?;
                }
                seq += 1;
            }
            tx.execute(&sql::sqlite(sql::SET_SIZE), params![log, signed(seq)]).map_err(map)?;
            Ok(())
        })
    }

    fn read(&self, log: &str, from: u64, limit: u64) -> Result<Vec<Vec<u8>>> {
        // The size first: records that are appended in between are then more than expected, never fewer.
        let size = self.size(log)?;
        let range = params![log, signed(from), signed(from.saturating_add(limit))];
        let rows = self.all(sql::READ, range, |row| Ok((row.get(0)?, row.get(1)?)))?;
        gapless(log, size, from, limit, rows)
    }

    fn secret(&self, log: &str, seq: u64) -> Result<Option<Vec<u8>>> {
        let sealed = self.one(sql::SECRET, params![log, signed(seq)], bytes)?;
        sealed.map(|sealed| self.key.open(&secret_place(log, seq), &sealed)).transpose()
    }

    fn secrets_from(&self, log: &str, from: u64, limit: u64) -> Result<Vec<(u64, Vec<u8>)>> {
        let range = params![log, signed(from), signed(from.saturating_add(limit))];
        let rows: Vec<(i64, Vec<u8>)> = self.all(sql::SECRETS, range, |row| Ok((row.get(0)?, row.get(1)?)))?;
        let open = |(seq, sealed): (i64, Vec<u8>)| {
            let seq = unsigned(seq)?;
            Ok((seq, self.key.open(&secret_place(log, seq), &sealed)?))
        };
        rows.into_iter().map(open).collect()
    }

    fn erase_secret(&self, log: &str, seq: u64) -> Result<bool> {
        let erased = self.change(sql::ERASE, params![log, signed(seq)])? > 0;
        // secure_delete overwrites the page; the copies in the write-ahead file must go as well.
        let kept: i64 = self
            .writer()
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(|source| self.failure(source))?;
        match kept {
            0 => Ok(erased),
            _ => Err(StoreError::Busy { what: format!("an old state of {}", self.what) }),
        }
    }

    fn last_checkpoint(&self, log: &str) -> Result<Option<StoredCheckpoint>> {
        let row = self.one(sql::LAST_CHECKPOINT, [log], checkpoint_row)?;
        row.map(|row| checkpoint(log, row)).transpose()
    }

    fn checkpoints(&self, log: &str) -> Result<Vec<StoredCheckpoint>> {
        let rows = self.all(sql::CHECKPOINTS, [log], checkpoint_row)?;
        rows.into_iter().map(|row| checkpoint(log, row)).collect()
    }

    fn put_checkpoint(&self, log: &str, previous: Option<Head>, next: &StoredCheckpoint) -> Result<()> {
        let map = |source| self.failure(source);
        self.write(|tx| {
            self.head(tx, log)?;
            let last = tx.query_row(&sql::sqlite(sql::LAST_CHECKPOINT), [log], checkpoint_row);
            let last = last.optional().map_err(map)?.map(|row| checkpoint(log, row)).transpose()?;
            if !swap(log, last.map(|c| (c.size, c.root)), previous, (next.size, next.root))? {
                let row = params![log, signed(next.size), next.root.as_slice(), next.note];
                tx.execute(&sql::sqlite(sql::PUT_CHECKPOINT), row).map_err(map)?;
            }
            Ok(())
        })
    }

    fn put_attachment(&self, bytes: &[u8]) -> Result<[u8; 32]> {
        let sha256 = hash_of(bytes);
        if is_sound(self, &sha256)? {
            return Ok(sha256);
        }
        let map = |source| self.failure(source);
        let sealed = self.key.seal(&attachment_place(&sha256), bytes)?;
        self.write(|tx| {
            tx.execute(&sql::sqlite(sql::PUT_ATTACHMENT), params![sha256.as_slice(), sealed]).map_err(map)?;
            // A damaged copy in pieces must not be found any more.
            tx.execute(&sql::sqlite(sql::DELETE_ATTACHMENT_FILE), [sha256.as_slice()]).map_err(map)?;
            Ok(sha256)
        })
    }

    fn attachment(&self, sha256: &[u8; 32]) -> Result<Option<Vec<u8>>> {
        if let Some(sealed) = self.one(sql::ATTACHMENT, [sha256.as_slice()], bytes)? {
            return self.key.open_attachment(sha256, &sealed).map(Some);
        }
        self.attached(sha256)?.map(|file| read_whole(self, file, *sha256)).transpose()
    }

    fn put_piece(&self, file: &StoredFile, start: u64, bytes: &[u8]) -> Result<()> {
        let sealed = self.key.seal(&piece_place(file, start), bytes)?;
        self.write(|tx| {
            file.may_follow(self.received_in(tx, &file.id)?, start, bytes)?;
            let row = params![file.id, signed(start), sealed];
            tx.execute(&sql::sqlite(sql::PUT_PIECE), row).map_err(|source| self.failure(source))?;
            Ok(())
        })
    }

    fn received(&self, id: &str) -> Result<u64> {
        let last = self.one(sql::LAST_PIECE, [id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        last.map_or(Ok(0), file_end)
    }

    fn piece(&self, file: &StoredFile, at: u64) -> Result<Option<(u64, Vec<u8>)>> {
        let found: Option<(i64, Vec<u8>)> =
            self.one(sql::PIECE, params![file.id, signed(at)], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let Some((start, sealed)) = found else { return Ok(None) };
        let start = unsigned(start)?;
        Ok(Some((start, self.key.open(&piece_place(file, start), &sealed)?)))
    }

    fn attach(&self, file: &StoredFile) -> Result<[u8; 32]> {
        let sha256 = hash_file(self, file)?;
        if is_sound(self, &sha256)? {
            return Ok(sha256);
        }
        let map = |source| self.failure(source);
        let sealed = self.key.seal(&attachment_file_place(&sha256), &file.to_bytes())?;
        self.write(|tx| {
            // Somebody may have dropped the file since it was hashed.
            file.complete(self.received_in(tx, &file.id)?)?;
            let row = params![sha256.as_slice(), file.id, sealed];
            tx.execute(&sql::sqlite(sql::PUT_ATTACHMENT_FILE), row).map_err(map)?;
            tx.execute(&sql::sqlite(sql::DELETE_ATTACHMENT), [sha256.as_slice()]).map_err(map)?;
            Ok(sha256)
        })
    }

    fn attached(&self, sha256: &[u8; 32]) -> Result<Option<StoredFile>> {
        let sealed = self.one(sql::ATTACHMENT_FILE, [sha256.as_slice()], bytes)?;
        sealed.map(|sealed| self.key.open_attachment_file(sha256, &sealed)).transpose()
    }

    fn drop_file(&self, id: &str) -> Result<bool> {
        Ok(self.change(sql::DROP_PIECES, [id])? > 0)
    }

    fn loose_files(&self) -> Result<Vec<String>> {
        self.all(sql::LOOSE_FILES, [], |row| row.get(0))
    }

    fn put_row(&self, kind: &str, key: &str, value: &[u8]) -> Result<()> {
        let sealed = self.key.seal(&row_place(kind, key), value)?;
        self.change_row(RowChange { kind: kind.to_owned(), key: key.to_owned(), sealed: Some(sealed) }).map(|_| ())
    }

    fn swap_row(&self, kind: &str, key: &str, expected: Option<&[u8]>, next: Option<&[u8]>) -> Result<bool> {
        let map = |source| self.failure(source);
        let sealed = next.map(|value| self.key.seal(&row_place(kind, key), value)).transpose()?;
        self.write(|tx| {
            let found = tx.query_row(&sql::sqlite(sql::ROW), params![kind, key], bytes).optional().map_err(map)?;
            let found = found.map(|sealed| self.key.open(&row_place(kind, key), &sealed)).transpose()?;
            if found.as_deref() != expected {
                return Ok(false);
            }
            match &sealed {
                Some(sealed) => tx.execute(&sql::sqlite(sql::PUT_ROW), params![kind, key, sealed]).map_err(map)?,
                None => tx.execute(&sql::sqlite(sql::DELETE_ROW), params![kind, key]).map_err(map)?,
            };
            Ok(true)
        })
    }

    fn row(&self, kind: &str, key: &str) -> Result<Option<Vec<u8>>> {
        let sealed = self.one(sql::ROW, params![kind, key], bytes)?;
        sealed.map(|sealed| self.key.open(&row_place(kind, key), &sealed)).transpose()
    }

    fn rows_with_prefix(&self, kind: &str, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
        let range = params![kind, prefix, after_prefix(prefix)];
        let rows: Vec<(String, Vec<u8>)> = self.all(sql::ROWS, range, |row| Ok((row.get(0)?, row.get(1)?)))?;
        let open = |(key, sealed): (String, Vec<u8>)| {
            let value = self.key.open(&row_place(kind, &key), &sealed)?;
            Ok((key, value))
        };
        rows.into_iter().map(open).collect()
    }

    fn delete_row(&self, kind: &str, key: &str) -> Result<bool> {
        Ok(self.change_row(RowChange { kind: kind.to_owned(), key: key.to_owned(), sealed: None })? > 0)
    }

    fn integrity(&self) -> Result<Vec<String>> {
        let read = |row: &Row<'_>| row.get::<_, String>(0);
        let mut faults = self.all("PRAGMA integrity_check", [], read)?;
        faults.retain(|line| line != "ok");
        if !faults.is_empty() {
            // What the pages hold means nothing any more, and reading them may fail.
            return Ok(faults);
        }
        let broken = self.reading(|connection| {
            let mut check = connection.prepare("PRAGMA foreign_key_check").map_err(error(&self.what))?;
            check.exists([]).map_err(error(&self.what))
        })?;
        if broken {
            faults.push("the database has rows of records or logs that do not exist".to_owned());
        }
        let heads: Vec<HeadRow> =
            self.all(sql::HEADS, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?;
        for head in heads {
            note_damage(self.secrets(&head.0), &mut faults)?;
            faults.extend(head_faults(head));
        }
        for sha256 in [self.all(sql::ATTACHMENTS, [], bytes)?, self.all(sql::ATTACHMENT_FILES, [], bytes)?].concat() {
            match <[u8; 32]>::try_from(sha256) {
                Ok(sha256) => note_damage(examine(self, &sha256), &mut faults)?,
                Err(_) => faults.push("an attachment is stored under a name that is no SHA-256".to_owned()),
            }
        }
        Ok(faults)
    }
}
