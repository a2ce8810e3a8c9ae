//! A form that was posted when its session had ended is parked, so that nothing that was typed is lost.
//!
//! The list of an account's forms is a row of its own: it is the limit, and nobody reads megabytes to count.

use heng_domain::time::Instant;
use serde::{Deserialize, Serialize};

use super::rows::kind;
use super::secret::key_of;
use super::session::Row;
use super::{AccountError, Accounts, DAY, Hidden, Result, after};

/// What one form may hold.
const LIMIT: usize = 1024 * 1024;
/// So many forms of one account: an ended session must not fill the disk.
const FORMS: usize = 20;
const KEPT: i64 = 7 * DAY;

/// Names a parked form; no secret, since only its account gets it back.
pub type ParkId = String;

/// A parked form in the list of its account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ParkedForm {
    /// Its name.
    pub id: ParkId,
    /// Which form.
    pub form_key: String,
    /// When it was posted.
    pub at: Instant,
}

/// A parked form.
#[derive(Clone, Debug)]
pub struct Parked {
    /// Which and when.
    pub form: ParkedForm,
    bytes: Hidden<Vec<u8>>,
}

impl Parked {
    /// What was posted.
    pub fn expose(&self) -> &[u8] {
        &self.bytes.0
    }
}

type Forms = Vec<ParkedForm>;

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
        let form = ParkedForm { id: self.name()?, form_key: form_key.to_owned(), at: self.now() };
        self.change(kind::PARKED_FORMS, &account, |found: Option<Forms>| {
            let mut forms = found.unwrap_or_default();
            if forms.len() >= FORMS {
                return Err(AccountError::ParkFull);
            }
            forms.push(form.clone());
            Ok((Some(forms), ()))
        })?;
        self.heng.store().put_row(kind::PARKED, &form.id, bytes)?;
        Ok(form.id)
    }

    /// What is parked for an account, oldest first.
    ///
    /// # Errors
    /// If the store fails.
    pub fn parked_forms(&self, account: &str) -> Result<Vec<ParkedForm>> {
        Ok(self.get(kind::PARKED_FORMS, account)?.unwrap_or_default())
    }

    /// A parked form, for the account that posted it.
    ///
    /// # Errors
    /// [`AccountError::ParkUnknown`], also for what others parked.
    pub fn parked(&self, account: &str, id: &str) -> Result<Parked> {
        let form = self.parked_forms(account)?.into_iter().find(|form| form.id == id);
        let form = form.ok_or(AccountError::ParkUnknown)?;
        let bytes = self.heng.store().row(kind::PARKED, id)?.ok_or(AccountError::ParkUnknown)?;
        Ok(Parked { form, bytes: Hidden(bytes) })
    }

    /// Forgets a parked form once it has been taken up again.
    ///
    /// # Errors
    /// [`AccountError::ParkUnknown`].
    pub fn forget_parked(&self, account: &str, id: &str) -> Result<()> {
        if self.drop_parked(account, |form| form.id == id)? == 0 { Err(AccountError::ParkUnknown) } else { Ok(()) }
    }

    fn drop_parked(&self, account: &str, which: impl Fn(&ParkedForm) -> bool) -> Result<usize> {
        let dropped: Forms = self.change(kind::PARKED_FORMS, account, |found: Option<Forms>| {
            let (dropped, kept): (Forms, Forms) = found.unwrap_or_default().into_iter().partition(&which);
            Ok(((!kept.is_empty()).then_some(kept), dropped))
        })?;
        for form in &dropped {
            self.heng.store().delete_row(kind::PARKED, &form.id)?;
        }
        Ok(dropped.len())
    }

    pub(super) fn sweep_parked(&self) -> Result<usize> {
        let mut dropped = 0;
        for (account, _) in self.list::<Forms>(kind::PARKED_FORMS)? {
            dropped += self.drop_parked(&account, |form| self.now() >= after(form.at, KEPT))?;
        }
        Ok(dropped)
    }
}
