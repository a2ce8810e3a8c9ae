//! A log of either kind as the writer and the verifier replay it: the first record opens it, the others follow.

use heng_log::commitment::Opening;

use crate::edition::{Edition, Reading};
use crate::office::Office;
use crate::record::Record;
use crate::refusal::{Refusal, Verdict};
use crate::time::Instant;

/// The state of one log; empty before its first record.
#[derive(Clone, Debug, PartialEq)]
pub enum LogState {
    /// An office log.
    Office(Option<Box<Office>>),
    /// An edition's log.
    Edition(Option<Box<Edition>>),
}

/// A record of a log with its hidden values, read as far as that can be done without the records before it.
#[derive(Debug)]
pub struct Ahead {
    /// The record.
    pub record: Record,
    openings: Vec<Opening>,
    reading: Option<Reading>,
}

impl Ahead {
    /// Reads a record of a log of `kind`.
    ///
    /// # Errors
    /// If its body does not read, or a value does not fit its commitment.
    pub fn of(kind: &str, record: Record, openings: Vec<Opening>) -> Result<Ahead, Refusal> {
        let reading = if kind == "edition" { Some(Reading::of(&record, &openings)?) } else { None };
        Ok(Ahead { record, openings, reading })
    }
}

impl LogState {
    /// An empty log of `kind`, as the store and the bundle name it: `office` or `edition`.
    pub fn empty(kind: &str) -> Option<LogState> {
        match kind {
            "office" => Some(LogState::Office(None)),
            "edition" => Some(LogState::Edition(None)),
            _ => None,
        }
    }

    /// Whether `record` may follow in the log called `log`.
    ///
    /// # Errors
    /// The refusal, if it may not.
    pub fn admit(&self, log: &str, record: &Record, openings: &[Opening]) -> Verdict {
        match self {
            LogState::Office(None) => Office::open(log, record).map(|_| ()),
            LogState::Edition(None) => Edition::open(log, record).map(|_| ()),
            LogState::Office(Some(office)) => office.admit(record, openings),
            LogState::Edition(Some(edition)) => edition.admit(record, openings),
        }
    }

    /// Admits a record that was read ahead and makes the next state.
    ///
    /// # Errors
    /// The refusal; nothing has changed then.
    pub fn follow(&mut self, log: &str, ahead: Ahead) -> Verdict {
        let Ahead { record, openings, reading } = ahead;
        if let (LogState::Edition(Some(edition)), Some(reading)) = (&mut *self, reading) {
            return edition.follow(&record, reading);
        }
        self.admit(log, &record, &openings)?;
        self.apply(log, &record, &openings)
    }

    /// The next state, for an admitted record.
    ///
    /// # Errors
    /// Only for a record that `admit` would have refused.
    pub fn apply(&mut self, log: &str, record: &Record, openings: &[Opening]) -> Verdict {
        match self {
            LogState::Office(slot @ None) => *slot = Some(Box::new(Office::open(log, record)?)),
            LogState::Edition(slot @ None) => *slot = Some(Box::new(Edition::open(log, record)?)),
            LogState::Office(Some(office)) => office.apply(record)?,
            LogState::Edition(Some(edition)) => edition.apply(record, openings)?,
        }
        Ok(())
    }

    /// Number of records and time of the last one.
    pub fn position(&self) -> (u64, Option<Instant>) {
        match self {
            LogState::Office(Some(office)) => (office.size, Some(office.last)),
            LogState::Edition(Some(edition)) => (edition.size, Some(edition.last)),
            LogState::Office(None) | LogState::Edition(None) => (0, None),
        }
    }

    /// The edition, if this is an edition's log that has been opened.
    pub fn edition(&self) -> Option<&Edition> {
        match self {
            LogState::Edition(Some(edition)) => Some(edition),
            _ => None,
        }
    }

    /// The office, if this is an office log that has been opened.
    pub fn office(&self) -> Option<&Office> {
        match self {
            LogState::Office(Some(office)) => Some(office),
            _ => None,
        }
    }
}
