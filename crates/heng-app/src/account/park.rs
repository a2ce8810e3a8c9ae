//! A form that was posted when its session had ended is parked, so that nothing that was typed is lost.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use heng_domain::time::Instant;
use serde::{Deserialize, Serialize};

use super::rows::kind;
use super::secret::key_of;
use super::session::Row;
use super::{AccountError, Accounts, Hidden, Result};

/// What one form may hold.
const LIMIT: usize = 1024 * 1024;
/// So many forms of one account: an ended session must not fill the disk.
const FORMS: usize = 20;

/// Names a parked form; no secret, since only its account gets it back.
pub type ParkId = String;

/// A parked form.
#[derive(Clone, Debug)]
pub struct Parked {
    /// Which form.
    pub form_key: String,
    /// What was posted.
    pub bytes: Hidden<Vec<u8>>,
    /// When.
    pub at: Instant,
}

impl Parked {
    /// What was posted.
    pub fn expose(&self) -> &[u8] {
        &self.bytes.0
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct ParkedRow {
    account: String,
    form_key: String,
    bytes: String,
    pub at: Instant,
}

impl Accounts {
    /// Keeps a form for the account of a session that has ended within the last week (or lives).
    ///
    /// # Errors
    /// [`AccountError::SessionUnknown`], [`AccountError::ParkTooLarge`], [`AccountError::ParkFull`].
    pub fn park(&self, ended_token: &str, form_key: &str, bytes: &[u8]) -> Result<ParkId> {
        if bytes.len() > LIMIT || form_key.len() > 1000 {
            return Err(AccountError::ParkTooLarge { limit: LIMIT });
        }
        let row: Option<Row> = self.get(kind::SESSION, &key_of(ended_token))?;
        let account = row.ok_or(AccountError::SessionUnknown)?.account;
        let parked = self.list::<ParkedRow>(kind::PARKED)?;
        if parked.iter().filter(|(_, row)| row.account == account).count() >= FORMS {
            return Err(AccountError::ParkFull);
        }
        let id = self.name()?;
        let bytes = STANDARD_NO_PAD.encode(bytes);
        let row = ParkedRow { account, form_key: form_key.to_owned(), bytes, at: self.now() };
        self.put(kind::PARKED, &id, &row)?;
        Ok(id)
    }

    /// A parked form, for the account that posted it.
    ///
    /// # Errors
    /// [`AccountError::ParkUnknown`], also for what others parked.
    pub fn parked(&self, account: &str, id: &str) -> Result<Parked> {
        let row: Option<ParkedRow> = self.get(kind::PARKED, id)?;
        let row = row.filter(|row| row.account == account).ok_or(AccountError::ParkUnknown)?;
        let bytes = STANDARD_NO_PAD.decode(&row.bytes).map_err(|_| AccountError::ParkUnknown)?;
        Ok(Parked { form_key: row.form_key, bytes: Hidden(bytes), at: row.at })
    }

    /// Forgets a parked form once it has been taken up again.
    ///
    /// # Errors
    /// As [`Accounts::parked`].
    pub fn forget_parked(&self, account: &str, id: &str) -> Result<()> {
        self.parked(account, id)?;
        self.heng.store().delete_row(kind::PARKED, id)?;
        Ok(())
    }
}
