//! Jumps of the machine's clock, kept beside the log. The time of a record never goes back, so a clock that was set back
//! leaves no record: what is refused until it has caught up is not written. This is the trace.

use heng_domain::time::Instant;
use heng_store::Store;
use serde::{Deserialize, Serialize};

use crate::error::{AppError, Result};

const ROWS: &str = "clock";
/// Milliseconds that two servers, or a time service at its work, may differ.
const TOLERANCE: i64 = 1000;

/// The clock stood before the newest record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jump {
    /// What the clock said when it was first seen.
    pub clock: Instant,
    /// Time of the newest record.
    pub newest: Instant,
}

/// Notes a jump, once for each newest record. Nothing else waits for it: that it fails is only logged.
pub(crate) fn watch(store: &dyn Store, log: &str, newest: Option<Instant>, clock: Instant) {
    let Some(newest) = newest.filter(|newest| newest.millis() - clock.millis() > TOLERANCE) else { return };
    let noted = serde_json::to_vec(&Jump { clock, newest }).map_err(|error| AppError::Other(error.to_string()));
    let noted = noted.and_then(|row| Ok(store.swap_row(ROWS, &format!("{log}|{newest}"), None, Some(&row))?));
    match noted {
        Ok(true) => tracing::warn!(log, %clock, %newest, "the clock stands before the newest record"),
        Ok(false) => {}
        Err(error) => tracing::error!(log, %error, "a jump of the clock could not be noted"),
    }
}

/// The jumps that were noted for a log, oldest first.
///
/// # Errors
/// If the store fails.
pub fn list(store: &dyn Store, log: &str) -> Result<Vec<Jump>> {
    let rows = store.rows_with_prefix(ROWS, &format!("{log}|"))?;
    Ok(rows.iter().filter_map(|(_, row)| serde_json::from_slice(row).ok()).collect())
}
