//! The calls of the store on PostgreSQL.

use std::sync::PoisonError;

use super::PostgresStore;
use super::connection::{Columns, Transaction};
use crate::check::{
    HeadRow, after_prefix, checkpoint, gapless, head_faults, log_exists, no_log, note_damage, same_head, signed, swap,
    unsigned,
};
use crate::error::Result;
use crate::file::{StoredFile, end, examine, hash_file, is_sound, read_whole};
use crate::key::{attachment_file_place, attachment_place, piece_place, row_place, secret_place};
use crate::schema as sql;
use crate::{Entry, Head, LogInfo, Store, StoredCheckpoint, hash_of};

/// Rows of one `INSERT`.
const CHUNK: usize = 1000;

fn bytes(row: &Columns<'_>) -> Result<Vec<u8>> {
    row.get(0)
}

fn read_checkpoint(log: &str, row: &Columns<'_>) -> Result<StoredCheckpoint> {
    checkpoint(log, (row.get(0)?, row.get(1)?, row.get(2)?))
}

/// Locks the head of a log until the transaction ends.
fn head(tx: &mut Transaction<'_>, log: &str) -> Result<u64> {
    let found: Option<i64> = tx.one(sql::LOCK_HEAD, &[&log], |row| row.get(0))?;
    unsigned(found.ok_or_else(|| no_log(log))?)
}

/// Waits until no other transaction works on what is called so, and keeps others waiting until this one ends. (Two
/// names of one number, or offices in schemas of one database, only wait for each other.)
fn lock(tx: &mut Transaction<'_>, name: &str) -> Result<()> {
    let [a, b, c, d, e, f, g, h, ..] = hash_of(name.as_bytes());
    tx.execute(sql::LOCK, &[&i64::from_be_bytes([a, b, c, d, e, f, g, h])]).map(|_| ())
}

fn file_end(row: &Columns<'_>) -> Result<u64> {
    Ok(end(unsigned(row.get(0)?)?, unsigned(row.get(1)?)?))
}

/// Number of bytes of a file within a transaction.
fn received_in(tx: &mut Transaction<'_>, id: &str) -> Result<u64> {
    Ok(tx.one(sql::LAST_PIECE, &[&id], file_end)?.unwrap_or(0))
}

/// Inserts numbered rows, many at a time: a round trip for each would make an import slow.
fn insert<B: AsRef<[u8]>>(
    tx: &mut Transaction<'_>,
    statement: &'static str,
    log: &str,
    rows: &[(i64, B)],
) -> Result<()> {
    for chunk in rows.chunks(CHUNK) {
        let numbers: Vec<i64> = chunk.iter().map(|(seq, _)| *seq).collect();
        let values: Vec<&[u8]> = chunk.iter().map(|(_, bytes)| bytes.as_ref()).collect();
        tx.execute(statement, &[&log, &numbers, &values])?;
    }
    Ok(())
}

impl Store for PostgresStore {
    fn engine(&self) -> &'static str {
        "postgres"
    }

    fn logs(&self) -> Result<Vec<LogInfo>> {
        self.all(sql::LOGS, &[], |row| Ok(LogInfo { id: row.get(0)?, kind: row.get(1)?, size: unsigned(row.get(2)?)? }))
    }

    fn create_log(&self, id: &str, kind: &str) -> Result<()> {
        match self.change(sql::CREATE_LOG, &[&id, &kind])? {
            0 => Err(log_exists(id)),
            _ => Ok(()),
        }
    }

    fn size(&self, log: &str) -> Result<u64> {
        let found: Option<i64> = self.one(sql::SIZE, &[&log], |row| row.get(0))?;
        unsigned(found.ok_or_else(|| no_log(log))?)
    }

    fn lead(&self, log: &str) -> Result<()> {
        self.leader.lock().unwrap_or_else(PoisonError::into_inner).lead(log)
    }

    fn append(&self, log: &str, expected: u64, entries: &[Entry]) -> Result<()> {
        // Sealed before the head is locked, so that the lock is short.
        let mut records = Vec::with_capacity(entries.len());
        let mut secrets = Vec::new();
        let mut seq = expected;
        for entry in entries {
            records.push((signed(seq), &entry.bytes));
            if let Some(secret) = &entry.secret {
                secrets.push((signed(seq), self.key.seal(&secret_place(log, seq), secret)?));
            }
            seq = seq.saturating_add(1);
        }
        self.write(|tx| {
            same_head(log, expected, head(tx, log)?)?;
            insert(tx, sql::APPEND_MANY, log, &records)?;
            insert(tx, sql::PUT_SECRET_MANY, log, &secrets)?;
            tx.execute(sql::SET_SIZE, &[&log, &signed(seq)])?;
            Ok(())
        })
    }

    fn read(&self, log: &str, from: u64, limit: u64) -> Result<Vec<Vec<u8>>> {
        // The size first: records that are appended in between are then more than expected, never fewer.
        let size = self.size(log)?;
        let to = signed(from.saturating_add(limit));
        let rows = self.all(sql::READ, &[&log, &signed(from), &to], |row| Ok((row.get(0)?, row.get(1)?)))?;
        gapless(log, size, from, limit, rows)
    }

    fn secret(&self, log: &str, seq: u64) -> Result<Option<Vec<u8>>> {
        let sealed = self.one(sql::SECRET, &[&log, &signed(seq)], bytes)?;
        sealed.map(|sealed| self.key.open(&secret_place(log, seq), &sealed)).transpose()
    }

    fn secrets_from(&self, log: &str, from: u64, limit: u64) -> Result<Vec<(u64, Vec<u8>)>> {
        self.all(sql::SECRETS, &[&log, &signed(from), &signed(from.saturating_add(limit))], |row| {
            let seq = unsigned(row.get(0)?)?;
            let sealed: Vec<u8> = row.get(1)?;
            Ok((seq, self.key.open(&secret_place(log, seq), &sealed)?))
        })
    }

    fn erase_secret(&self, log: &str, seq: u64) -> Result<bool> {
        let erased = self.change(sql::ERASE, &[&log, &signed(seq)])? > 0;
        // The dead row would stay in its page. Erasing is rare, so a rewrite of the table is not too much. The server's
        // write-ahead files and backups keep their copies until they are recycled.
        self.with(|connection| connection.batch(sql::REWRITE_SECRETS))?;
        Ok(erased)
    }

    fn last_checkpoint(&self, log: &str) -> Result<Option<StoredCheckpoint>> {
        self.one(sql::LAST_CHECKPOINT, &[&log], |row| read_checkpoint(log, row))
    }

    fn checkpoints(&self, log: &str) -> Result<Vec<StoredCheckpoint>> {
        self.all(sql::CHECKPOINTS, &[&log], |row| read_checkpoint(log, row))
    }

    fn put_checkpoint(&self, log: &str, previous: Option<Head>, next: &StoredCheckpoint) -> Result<()> {
        self.write(|tx| {
            head(tx, log)?;
            let last = tx.one(sql::LAST_CHECKPOINT, &[&log], |row| read_checkpoint(log, row))?;
            if !swap(log, last.map(|c| (c.size, c.root)), previous, (next.size, next.root))? {
                let root = next.root.as_slice();
                tx.execute(sql::PUT_CHECKPOINT, &[&log, &signed(next.size), &root, &next.note])?;
            }
            Ok(())
        })
    }

    fn put_attachment(&self, bytes: &[u8]) -> Result<[u8; 32]> {
        let sha256 = hash_of(bytes);
        if is_sound(self, &sha256)? {
            return Ok(sha256);
        }
        let sealed = self.key.seal(&attachment_place(&sha256), bytes)?;
        self.write(|tx| {
            tx.execute(sql::PUT_ATTACHMENT, &[&sha256.as_slice(), &sealed])?;
            // A damaged copy in pieces must not be found any more.
            tx.execute(sql::DELETE_ATTACHMENT_FILE, &[&sha256.as_slice()])?;
            Ok(sha256)
        })
    }

    fn attachment(&self, sha256: &[u8; 32]) -> Result<Option<Vec<u8>>> {
        if let Some(sealed) = self.one(sql::ATTACHMENT, &[&sha256.as_slice()], bytes)? {
            return self.key.open_attachment(sha256, &sealed).map(Some);
        }
        self.attached(sha256)?.map(|file| read_whole(self, file, *sha256)).transpose()
    }

    fn put_piece(&self, file: &StoredFile, start: u64, bytes: &[u8]) -> Result<()> {
        let sealed = self.key.seal(&piece_place(file, start), bytes)?;
        self.write(|tx| {
            lock(tx, &file.what())?;
            file.may_follow(received_in(tx, &file.id)?, start, bytes)?;
            tx.execute(sql::PUT_PIECE, &[&file.id, &signed(start), &sealed])?;
            Ok(())
        })
    }

    fn received(&self, id: &str) -> Result<u64> {
        Ok(self.one(sql::LAST_PIECE, &[&id], file_end)?.unwrap_or(0))
    }

    fn piece(&self, file: &StoredFile, at: u64) -> Result<Option<(u64, Vec<u8>)>> {
        self.one(sql::PIECE, &[&file.id, &signed(at)], |row| {
            let start = unsigned(row.get(0)?)?;
            let sealed: Vec<u8> = row.get(1)?;
            Ok((start, self.key.open(&piece_place(file, start), &sealed)?))
        })
    }

    fn attach(&self, file: &StoredFile) -> Result<[u8; 32]> {
        let sha256 = hash_file(self, file)?;
        if is_sound(self, &sha256)? {
            return Ok(sha256);
        }
        let sealed = self.key.seal(&attachment_file_place(&sha256), &file.to_bytes())?;
        self.write(|tx| {
            // Somebody may have dropped the file since it was hashed.
            lock(tx, &file.what())?;
            file.complete(received_in(tx, &file.id)?)?;
            tx.execute(sql::PUT_ATTACHMENT_FILE, &[&sha256.as_slice(), &file.id, &sealed])?;
            tx.execute(sql::DELETE_ATTACHMENT, &[&sha256.as_slice()])?;
            Ok(sha256)
        })
    }

    fn attached(&self, sha256: &[u8; 32]) -> Result<Option<StoredFile>> {
        let sealed = self.one(sql::ATTACHMENT_FILE, &[&sha256.as_slice()], bytes)?;
        sealed.map(|sealed| self.key.open_attachment_file(sha256, &sealed)).transpose()
    }

    fn drop_file(&self, id: &str) -> Result<bool> {
        let file = StoredFile { id: id.to_owned(), size: 0 };
        self.write(|tx| {
            lock(tx, &file.what())?;
            Ok(tx.execute(sql::DROP_PIECES, &[&id])? > 0)
        })
    }

    fn loose_files(&self) -> Result<Vec<String>> {
        self.all(sql::LOOSE_FILES, &[], |row| row.get(0))
    }

    fn put_row(&self, kind: &str, key: &str, value: &[u8]) -> Result<()> {
        let sealed = self.key.seal(&row_place(kind, key), value)?;
        self.change(sql::PUT_ROW, &[&kind, &key, &sealed]).map(|_| ())
    }

    fn swap_row(&self, kind: &str, key: &str, expected: Option<&[u8]>, next: Option<&[u8]>) -> Result<bool> {
        let sealed = next.map(|value| self.key.seal(&row_place(kind, key), value)).transpose()?;
        self.write(|tx| {
            let found: Option<Vec<u8>> = tx.one(sql::LOCK_ROW, &[&kind, &key], bytes)?;
            let found = found.map(|sealed| self.key.open(&row_place(kind, key), &sealed)).transpose()?;
            if found.as_deref() != expected {
                return Ok(false);
            }
            match &sealed {
                // A row that is not there cannot be locked: the insert itself tells who was first.
                Some(sealed) if expected.is_none() => Ok(tx.execute(sql::ADD_ROW, &[&kind, &key, sealed])? > 0),
                Some(sealed) => Ok(tx.execute(sql::PUT_ROW, &[&kind, &key, sealed])? > 0),
                None => {
                    tx.execute(sql::DELETE_ROW, &[&kind, &key])?;
                    Ok(true)
                }
            }
        })
    }

    fn row(&self, kind: &str, key: &str) -> Result<Option<Vec<u8>>> {
        let sealed = self.one(sql::ROW, &[&kind, &key], bytes)?;
        sealed.map(|sealed| self.key.open(&row_place(kind, key), &sealed)).transpose()
    }

    fn rows_with_prefix(&self, kind: &str, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
        self.all(sql::ROWS, &[&kind, &prefix, &after_prefix(prefix)], |row| {
            let key: String = row.get(0)?;
            let sealed: Vec<u8> = row.get(1)?;
            let value = self.key.open(&row_place(kind, &key), &sealed)?;
            Ok((key, value))
        })
    }

    fn delete_row(&self, kind: &str, key: &str) -> Result<bool> {
        Ok(self.change(sql::DELETE_ROW, &[&kind, &key])? > 0)
    }

    fn integrity(&self) -> Result<Vec<String>> {
        let mut faults = Vec::new();
        let fsync: Option<String> = self.one(sql::FSYNC, &[], |row| row.get(0))?;
        if fsync.as_deref() != Some("on") {
            faults.push(
                "PostgreSQL runs with fsync = off: a power cut can destroy the database. Set fsync = on".to_owned(),
            );
        }
        let heads: Vec<HeadRow> =
            self.all(sql::HEADS, &[], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?;
        for head in heads {
            note_damage(self.secrets(&head.0), &mut faults)?;
            faults.extend(head_faults(head));
        }
        for sha256 in [self.all(sql::ATTACHMENTS, &[], bytes)?, self.all(sql::ATTACHMENT_FILES, &[], bytes)?].concat() {
            match <[u8; 32]>::try_from(sha256) {
                Ok(sha256) => note_damage(examine(self, &sha256), &mut faults)?,
                Err(_) => faults.push("an attachment is stored under a name that is no SHA-256".to_owned()),
            }
        }
        Ok(faults)
    }
}
