//! Doing a thing once though it is asked for twice: idempotency keys.
//!
//! A program whose connection broke does not know whether its act was done. It asks again with the same key and gets the
//! first answer. Only what was done is remembered: a refused request has changed nothing and may be corrected under the
//! same key. The rows are operational and are kept for a day.

use heng_domain::time::Instant;
use heng_log::{Hash, sha256};
use serde::{Deserialize, Serialize};

use crate::error::{AppError, Result};
use crate::heng::Heng;

const ROWS: &str = "once";
/// How long an answer is remembered.
const DAY: i64 = 24 * 60 * 60 * 1000;

#[derive(Serialize, Deserialize)]
struct Row {
    at: Instant,
    /// SHA-256 of what was asked.
    asked: Hash,
    /// What was answered; absent while the work goes on, and after a crash in the middle of it.
    answer: Option<String>,
}

/// Whether a request may go on.
#[derive(Debug)]
pub enum Begun {
    /// It is the first of its key; [`finish`] or [`forget`] it.
    Go(Ticket),
    /// The same was done before, with this answer.
    Done(String),
    /// The key belongs to another request.
    Other,
    /// The first one is still at work, or was interrupted in the middle.
    Pending,
}

/// The right to do the work of a key.
#[derive(Debug)]
pub struct Ticket {
    key: String,
    asked: Hash,
    at: Instant,
    held: Vec<u8>,
}

fn encode(row: &Row) -> Result<Vec<u8>> {
    serde_json::to_vec(row).map_err(|error| AppError::Other(error.to_string()))
}

/// Takes the key of `owner` for a request. Of two at once, also on two servers, one goes on.
///
/// # Errors
/// If the store fails.
pub fn begin(heng: &Heng, owner: &str, key: &str, asked: &[u8]) -> Result<Begun> {
    let row = sha256(format!("{owner}|{key}").as_bytes()).to_string();
    let (asked, at) = (sha256(asked), heng.clock().now());
    let held = encode(&Row { at, asked, answer: None })?;
    let found = heng.store().row(ROWS, &row)?;
    if let Some(bytes) = &found {
        let old: Row = serde_json::from_slice(bytes).map_err(|error| AppError::Other(error.to_string()))?;
        if at.millis() - old.at.millis() < DAY {
            return Ok(match old.answer {
                _ if old.asked != asked => Begun::Other,
                Some(answer) => Begun::Done(answer),
                None => Begun::Pending,
            });
        }
    }
    if heng.store().swap_row(ROWS, &row, found.as_deref(), Some(&held))? {
        return Ok(Begun::Go(Ticket { key: row, asked, at, held }));
    }
    Ok(Begun::Pending)
}

/// Remembers what was answered.
///
/// # Errors
/// If the store fails.
pub fn finish(heng: &Heng, ticket: &Ticket, answer: String) -> Result<()> {
    let done = encode(&Row { at: ticket.at, asked: ticket.asked, answer: Some(answer) })?;
    heng.store().swap_row(ROWS, &ticket.key, Some(&ticket.held), Some(&done))?;
    Ok(())
}

/// Gives the key free: nothing was done.
///
/// # Errors
/// If the store fails.
pub fn forget(heng: &Heng, ticket: &Ticket) -> Result<()> {
    heng.store().swap_row(ROWS, &ticket.key, Some(&ticket.held), None)?;
    Ok(())
}

/// Deletes what is older than a day; how many. Once an hour is often enough.
///
/// # Errors
/// If the store fails.
pub fn sweep(heng: &Heng) -> Result<usize> {
    let now = heng.clock().now().millis();
    let mut dropped = 0;
    for (key, bytes) in heng.store().rows(ROWS)? {
        let old = serde_json::from_slice::<Row>(&bytes).map_or(true, |row| now - row.at.millis() >= DAY);
        if old {
            dropped += usize::from(heng.store().swap_row(ROWS, &key, Some(&bytes), None)?);
        }
    }
    Ok(dropped)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{ManualClock, SeededEntropy};

    fn heng() -> (Heng, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(Instant::from_millis(1_800_000_000_000).unwrap()));
        (Heng::in_memory(clock.clone(), Arc::new(SeededEntropy::new(1))).unwrap(), clock)
    }

    #[test]
    fn a_key_does_its_work_once_and_repeats_its_answer() {
        let (heng, clock) = heng();
        let Begun::Go(ticket) = begin(&heng, "u:1", "k", b"a").unwrap() else { panic!() };
        assert!(matches!(begin(&heng, "u:1", "k", b"a").unwrap(), Begun::Pending));
        assert!(matches!(begin(&heng, "u:1", "k", b"b").unwrap(), Begun::Other));
        assert!(matches!(begin(&heng, "u:2", "k", b"b").unwrap(), Begun::Go(_)), "keys belong to their owner");
        finish(&heng, &ticket, "done".to_owned()).unwrap();
        assert!(matches!(begin(&heng, "u:1", "k", b"a").unwrap(), Begun::Done(answer) if answer == "done"));
        assert!(matches!(begin(&heng, "u:1", "k", b"b").unwrap(), Begun::Other));
        assert_eq!(sweep(&heng).unwrap(), 0);
        clock.advance_millis(DAY);
        assert!(matches!(begin(&heng, "u:1", "k", b"b").unwrap(), Begun::Go(_)), "a day later it is free");
        assert_eq!(sweep(&heng).unwrap(), 1);
    }

    #[test]
    fn what_was_not_done_may_be_tried_again() {
        let (heng, _) = heng();
        let Begun::Go(ticket) = begin(&heng, "u:1", "k", b"a").unwrap() else { panic!() };
        forget(&heng, &ticket).unwrap();
        assert!(matches!(begin(&heng, "u:1", "k", b"b").unwrap(), Begun::Go(_)));
    }

    #[test]
    fn of_many_at_once_one_goes_on() {
        let (heng, _) = heng();
        let gone = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| matches!(begin(&heng, "u:1", "k", b"a").unwrap(), Begun::Go(_))))
                .collect();
            threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum::<usize>()
        });
        assert_eq!(gone, 1);
    }
}
