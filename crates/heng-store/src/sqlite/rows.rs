//! Changes of operational rows: those that wait at the same time share one transaction, and so one flush of the disk.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Transaction, params};

use super::SqliteStore;
use crate::error::{Result, StoreError};
use crate::schema as sql;

/// A row to put, or without a value to delete.
pub(super) struct RowChange {
    pub kind: String,
    pub key: String,
    pub sealed: Option<Vec<u8>>,
}

/// How many rows a change met, once it is durable.
type Answer = Arc<Mutex<Option<Result<usize>>>>;

/// Changes that wait for the writer.
#[derive(Default)]
pub(super) struct Waiting(Mutex<Vec<(RowChange, Answer)>>);

fn take(answer: &Answer) -> Option<Result<usize>> {
    answer.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn give(answer: &Answer, result: Result<usize>) {
    *answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
}

impl SqliteStore {
    /// Changes a row; returns when it is durable. Whoever gets the writer writes for all who wait.
    pub(super) fn change_row(&self, change: RowChange) -> Result<usize> {
        let own = Answer::default();
        let waiting = || self.waiting.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting().push((change, Arc::clone(&own)));
        let mut writer = self.writer();
        if let Some(done) = take(&own) {
            return done;
        }
        let batch = std::mem::take(&mut *waiting());
        let together = self.write_on(&mut writer, |tx| {
            batch.iter().map(|(change, _)| self.apply_row(tx, change)).collect::<Result<Vec<usize>>>()
        });
        match together {
            Ok(counts) => batch.iter().zip(counts).for_each(|((_, answer), count)| give(answer, Ok(count))),
            // One of them failed them all: each is tried alone, so that each gets its own answer.
            Err(_) => {
                for (change, answer) in &batch {
                    give(answer, self.write_on(&mut writer, |tx| self.apply_row(tx, change)));
                }
            }
        }
        let nothing =
            || Err(StoreError::Io { what: self.what.clone(), detail: "the writer gave no answer".to_owned() });
        take(&own).unwrap_or_else(nothing)
    }

    fn apply_row(&self, tx: &Transaction<'_>, change: &RowChange) -> Result<usize> {
        let map = |source| self.failure(source);
        let RowChange { kind, key, sealed } = change;
        match sealed {
            Some(sealed) => {
                let mut put = tx.prepare_cached(&sql::sqlite(sql::PUT_ROW)).map_err(map)?;
                put.execute(params![kind, key, sealed]).map_err(map)
            }
            None => {
                let mut delete = tx.prepare_cached(&sql::sqlite(sql::DELETE_ROW)).map_err(map)?;
                delete.execute(params![kind, key]).map_err(map)
            }
        }
    }
}
