//! Throwing away what nobody needs any more.

use heng_domain::time::Instant;
use serde::de::DeserializeOwned;

use super::passkey::Begun;
use super::rows::kind;
use super::session::Row;
use super::sign_in::Setup;
use super::token::TokenRow;
use super::{Accounts, DAY, InvitationInfo, Lockout, Recovery, Result, after};

/// Ended sessions, which may still park a form.
const WEEK: i64 = 7 * DAY;
/// Invitations stay to be seen by whoever made them.
const QUARTER: i64 = 90 * DAY;

impl Accounts {
    /// Deletes old rows; how many. Once an hour is often enough.
    ///
    /// # Errors
    /// If the store fails.
    pub fn sweep(&self) -> Result<usize> {
        let now = self.now();
        let past = |time: Instant, millis| now >= after(time, millis);
        #[cfg(feature = "oidc")]
        let visits = self.drop_rows(kind::OIDC, |row: &super::oidc::Visit| past(row.expires, 0))?;
        #[cfg(not(feature = "oidc"))]
        let visits = 0;
        Ok(visits
            + self.drop_rows(kind::SESSION, |row: &Row| past(row.end(), WEEK))?
            + self.sweep_parked()?
            + self.drop_rows(kind::CEREMONY, |row: &Begun| past(row.expires, 0))?
            + self.drop_rows(kind::SETUP, |row: &Setup| past(row.expires, 0))?
            + self.drop_rows(kind::RECOVERY, |row: &Recovery| past(row.expires, 0))?
            + self.drop_rows(kind::API_TOKEN, |row: &TokenRow| past(row.info.expires, WEEK))?
            + self.drop_rows(kind::LOCKOUT, |row: &Lockout| row.forgotten(now))?
            + self.drop_rows(kind::INVITATION, |row: &InvitationInfo| past(row.expires, QUARTER))?)
    }

    fn drop_rows<T: DeserializeOwned>(&self, kind: &str, old: impl Fn(&T) -> bool) -> Result<usize> {
        let mut dropped = 0;
        for (key, row) in self.list::<T>(kind)? {
            if old(&row) {
                dropped += usize::from(self.heng.store().delete_row(kind, &key)?);
            }
        }
        Ok(dropped)
    }
}
