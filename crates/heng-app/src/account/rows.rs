//! Typed operational rows.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{AccountError, Accounts, Result};
use crate::error::AppError;

/// Kinds of rows.
pub(super) mod kind {
    pub const ACCOUNT: &str = "account";
    pub const API_TOKEN: &str = "account_api_token";
    pub const CEREMONY: &str = "account_ceremony";
    #[cfg(feature = "oidc")]
    pub const IDENTITY: &str = "account_identity";
    pub const INVITATION: &str = "account_invitation";
    pub const LOCKOUT: &str = "account_lockout";
    pub const LOGIN: &str = "account_login";
    #[cfg(feature = "oidc")]
    pub const OIDC: &str = "account_oidc";
    pub const PARKED: &str = "account_parked";
    pub const PARKED_FORMS: &str = "account_parked_forms";
    pub const PERSON: &str = "account_person";
    pub const RECOVERY: &str = "account_recovery";
    pub const SESSION: &str = "account_session";
    pub const SETUP: &str = "account_setup";
}

fn damaged(kind: &str) -> AppError {
    AppError::Other(format!("a row of {kind} does not read; restore it from a backup or delete it"))
}

fn decode<T: DeserializeOwned>(kind: &str, bytes: &[u8]) -> Result<T> {
    // The error of serde may quote the value, so it is not passed on.
    serde_json::from_slice(bytes).map_err(|_| damaged(kind).into())
}

fn encode<T: Serialize>(kind: &str, value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|_| damaged(kind).into())
}

impl Accounts {
    pub(super) fn get<T: DeserializeOwned>(&self, kind: &str, key: &str) -> Result<Option<T>> {
        self.heng.store().row(kind, key)?.map(|bytes| decode(kind, &bytes)).transpose()
    }

    pub(super) fn put<T: Serialize>(&self, kind: &str, key: &str, value: &T) -> Result<()> {
        Ok(self.heng.store().put_row(kind, key, &encode(kind, value)?)?)
    }

    /// Takes a row out; of several takers one gets it.
    pub(super) fn take<T: DeserializeOwned>(&self, kind: &str, key: &str) -> Result<Option<T>> {
        let found = self.get(kind, key)?;
        Ok(if self.heng.store().delete_row(kind, key)? { found } else { None })
    }

    pub(super) fn list<T: DeserializeOwned>(&self, kind: &str) -> Result<Vec<(String, T)>> {
        let read = |(key, bytes): (String, Vec<u8>)| Ok((key, decode(kind, &bytes)?));
        self.heng.store().rows(kind)?.into_iter().map(read).collect()
    }

    /// Makes the next value of a row from the present one; starts over if somebody else changed it meanwhile. `next`
    /// may thus run several times, and must do nothing but compute.
    pub(super) fn change<T: Serialize + DeserializeOwned, R>(
        &self,
        kind: &str,
        key: &str,
        mut next: impl FnMut(Option<T>) -> Result<(Option<T>, R)>,
    ) -> Result<R> {
        loop {
            let found = self.heng.store().row(kind, key)?;
            let (value, answer) = next(found.as_deref().map(|bytes| decode(kind, bytes)).transpose()?)?;
            let bytes = value.map(|value| encode(kind, &value)).transpose()?;
            let unchanged = bytes == found;
            if unchanged || self.heng.store().swap_row(kind, key, found.as_deref(), bytes.as_deref())? {
                return Ok(answer);
            }
        }
    }

    /// [`Accounts::change`] for a row that must be there; otherwise the error is `missing`.
    pub(super) fn revise<T: Serialize + DeserializeOwned, R>(
        &self,
        kind: &str,
        key: &str,
        missing: AccountError,
        mut edit: impl FnMut(&mut T) -> Result<R>,
    ) -> Result<R> {
        let mut missing = Some(missing);
        self.change(kind, key, |found: Option<T>| {
            let Some(mut value) = found else { return Err(missing.take().unwrap_or(AccountError::AccountUnknown)) };
            let answer = edit(&mut value)?;
            Ok((Some(value), answer))
        })
    }
}
