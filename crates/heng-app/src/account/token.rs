//! API tokens: what an account's own programs sign in with.

use std::collections::BTreeSet;

use heng_domain::time::Instant;
use serde::{Deserialize, Serialize};

use super::people::check_name;
use super::rows::kind;
use super::secret::key_of;
use super::{Account, AccountError, Accounts, Result, Session, Token};

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// See what its owner sees.
    Read,
    /// Do what its owner may do.
    Write,
}

/// A new token, shown once.
#[derive(Clone, Debug)]
pub struct ApiToken {
    /// What the programs send.
    pub token: Token,
    /// How it is listed.
    pub info: TokenInfo,
}

/// A token in the list of its owner.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TokenInfo {
    /// Its name in calls; no secret.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// When it was made.
    pub made: Instant,
    /// Until when it is good.
    pub expires: Instant,
}

#[derive(Serialize, Deserialize)]
pub(super) struct TokenRow {
    account: String,
    recoveries: u32,
    pub info: TokenInfo,
}

impl Accounts {
    /// Makes a token for `days` days, at most a year.
    ///
    /// # Errors
    /// [`AccountError::NotFresh`], a form.
    pub fn make_token(&self, session: &Session, name: &str, scopes: BTreeSet<Scope>, days: u16) -> Result<ApiToken> {
        session.require_fresh()?;
        let (token, now) = (self.token()?, self.now());
        let (id, name, expires) = (token.key(), check_name(name)?, self.in_days(days.clamp(1, 366)));
        let info = TokenInfo { id, name, scopes, made: now, expires };
        let (account, recoveries) = (session.account.id.clone(), session.account.recoveries);
        self.put(kind::API_TOKEN, &info.id, &TokenRow { account, recoveries, info: info.clone() })?;
        Ok(ApiToken { token, info })
    }

    /// The account of a token that may do `scope`.
    ///
    /// # Errors
    /// [`AccountError::TokenUnknown`] (also after it was revoked or its account recovered), `TokenExpired`, `TokenScope`,
    /// `AccountDisabled`.
    pub fn token_account(&self, token: &str, scope: Scope) -> Result<Account> {
        let row: TokenRow = self.get(kind::API_TOKEN, &key_of(token))?.ok_or(AccountError::TokenUnknown)?;
        let account = self.account(&row.account)?;
        match () {
            () if row.recoveries != account.recoveries => Err(AccountError::TokenUnknown),
            () if self.now() >= row.info.expires => Err(AccountError::TokenExpired),
            () if account.disabled.is_some() => Err(AccountError::AccountDisabled),
            () if !row.info.scopes.contains(&scope) => Err(AccountError::TokenScope),
            () => Ok(account),
        }
    }

    /// The account's tokens, oldest first.
    ///
    /// # Errors
    /// If the store fails.
    pub fn tokens(&self, session: &Session) -> Result<Vec<TokenInfo>> {
        let all = self.list::<TokenRow>(kind::API_TOKEN)?.into_iter().map(|(_, row)| row);
        let own = |row: &TokenRow| row.account == session.account.id && row.recoveries == session.account.recoveries;
        let mut out: Vec<TokenInfo> = all.filter(own).map(|row| row.info).collect();
        out.sort_by_key(|info| info.made);
        Ok(out)
    }

    /// Revokes a token.
    ///
    /// # Errors
    /// [`AccountError::TokenUnknown`] if it is none of theirs.
    pub fn revoke_token(&self, session: &Session, id: &str) -> Result<()> {
        let row: Option<TokenRow> = self.get(kind::API_TOKEN, id)?;
        if row.is_none_or(|row| row.account != session.account.id) {
            return Err(AccountError::TokenUnknown);
        }
        self.heng.store().delete_row(kind::API_TOKEN, id)?;
        Ok(())
    }
}
