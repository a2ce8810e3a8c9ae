//! Signing in with password and code, and setting the ways to sign in.

use heng_domain::messages::moment;
use heng_domain::time::Instant;
use serde::{Deserialize, Serialize};

use super::password::NOBODY;
use super::rows::kind;
use super::{
    Account, AccountError, Accounts, Caller, Hidden, Lockout, MINUTE, Method, Notice, Outgoing, Result, Session,
    SignedIn, Totp, TotpSetup, after,
};

const SETUP: i64 = 15 * MINUTE;

/// A way to sign in was set.
#[derive(Clone, Debug)]
pub struct Enrolled {
    /// The full session that takes the place of the invitation's, if this was the first way.
    pub signed_in: Option<SignedIn>,
    /// What the owner is told.
    pub notice: Outgoing,
}

/// A password that waits for the first code.
#[derive(Serialize, Deserialize)]
pub(super) struct Setup {
    account: String,
    password: Hidden<String>,
    totp: Totp,
    pub expires: Instant,
}

impl Accounts {
    /// Counts an attempt from this address; give it back when it goes well.
    pub(super) fn attempt(&self, caller: Caller<'_>) -> Result<()> {
        self.attempts.take(caller.address, self.now()).map_err(AccountError::TooMany)
    }

    /// Begins setting password and one-time codes, always both. Nothing changes before the first code is right.
    ///
    /// # Errors
    /// [`AccountError::PasswordShort`], `PasswordLong`, `PasswordNoEmail`, `NotFresh`.
    pub fn begin_password(&self, session: &Session, password: &str) -> Result<TotpSetup> {
        session.require_enrolling_or_fresh()?;
        let account = self.account(&session.account.id)?;
        let email = account.email.as_deref().ok_or(AccountError::PasswordNoEmail)?;
        let password = self.new_password(password, &account)?;
        let (totp, setup) = self.new_totp(self.name()?, email)?;
        let row = Setup { account: account.id.clone(), password, totp, expires: after(self.now(), SETUP) };
        self.put(kind::SETUP, &setup.id, &row)?;
        Ok(setup)
    }

    /// Ends it with a code from the app. A wrong code may be tried again.
    ///
    /// # Errors
    /// [`AccountError::CodeWrong`], [`AccountError::CeremonyExpired`], `TooMany`.
    pub fn finish_password(&self, caller: Caller<'_>, session: &Session, setup: &str, code: &str) -> Result<Enrolled> {
        self.attempt(caller)?;
        let now = self.now();
        let row: Option<Setup> = self.get(kind::SETUP, setup)?;
        let row = row.filter(|row| row.account == session.account.id && now < row.expires);
        let mut row = row.ok_or(AccountError::CeremonyExpired)?;
        if !row.totp.accept(code, now)? {
            return Err(AccountError::CodeWrong);
        }
        if !self.heng.store().delete_row(kind::SETUP, setup)? {
            return Err(AccountError::CeremonyExpired);
        }
        let account = self.edit(&row.account, |account| {
            self.still(session, account)?;
            account.password = Some(row.password.clone());
            account.totp = Some(row.totp.clone());
            Ok(account.clone())
        })?;
        self.attempts.give_back(caller.address);
        let notice = Outgoing::new(&account, Notice::PasswordSet, &[]);
        self.enrolled(caller, session, &account, Method::Password, notice)
    }

    /// Changes the password and keeps the codes.
    ///
    /// # Errors
    /// [`AccountError::NotFresh`], [`AccountError::PasswordShort`], `PasswordLong`; [`AccountError::NotAllowed`] if there
    /// is no password yet: set it with codes.
    pub fn change_password(&self, session: &Session, password: &str) -> Result<Outgoing> {
        session.require_fresh()?;
        let password = self.new_password(password, &session.account)?;
        let account = self.edit(&session.account.id, |account| {
            self.still(session, account)?;
            if account.password.is_none() {
                return Err(AccountError::NotAllowed);
            }
            account.password = Some(password.clone());
            Ok(account.clone())
        })?;
        Ok(Outgoing::new(&account, Notice::PasswordSet, &[]))
    }

    /// Removes password and codes.
    ///
    /// # Errors
    /// [`AccountError::NotFresh`], [`AccountError::LastFactor`].
    pub fn remove_password(&self, session: &Session) -> Result<()> {
        session.require_fresh()?;
        self.edit(&session.account.id, |account| {
            if account.password.is_some() && account.factors() == 1 {
                return Err(AccountError::LastFactor);
            }
            account.password = None;
            account.totp = None;
            Ok(())
        })
    }

    /// Signs in with e-mail address, password and code. Whether name, password or code was wrong is not said, and takes
    /// the same time. The lock is on the name as typed, also for names that do not exist; passkeys are not locked, so
    /// nobody can be shut out by strangers.
    ///
    /// # Errors
    /// [`AccountError::SignInWrong`], `SignInLocked` (send its notice), `TooMany`, `AccountDisabled`.
    pub fn sign_in(&self, caller: Caller<'_>, login: &str, password: &str, code: &str) -> Result<SignedIn> {
        self.attempt(caller)?;
        let (now, lock) = (self.now(), Self::lockout_key(login));
        // The attempt counts as wrong before it is looked at: a thousand at once are still only five.
        let locked = self.change(kind::LOCKOUT, &lock, |found: Option<Lockout>| {
            let mut lockout = found.unwrap_or_default();
            if let Some(until) = lockout.until(now) {
                return Err(AccountError::SignInLocked { until, notice: None });
            }
            let until = lockout.wrong(now);
            Ok((Some(lockout), until))
        })?;
        let account = self.by_login(login)?;
        match self.verify(account.as_ref(), password, code, now)? {
            Some(account) => {
                self.heng.store().delete_row(kind::LOCKOUT, &lock)?;
                self.attempts.give_back(caller.address);
                if account.disabled.is_some() {
                    return Err(AccountError::AccountDisabled);
                }
                self.open_session(caller, &account, Method::Password)
            }
            None => Err(match locked {
                Some(until) => {
                    let local = until.local(self.heng.utc_offset_minutes());
                    let tell = |account: &Account| {
                        let time = moment(account.language.lang(), local);
                        Outgoing::new(account, Notice::Locked, &[("time", time)])
                    };
                    AccountError::SignInLocked { until, notice: account.as_ref().map(tell).map(Box::new) }
                }
                None => AccountError::SignInWrong,
            }),
        }
    }

    /// The account, if password and code are right.
    fn verify(&self, account: Option<&Account>, password: &str, code: &str, now: Instant) -> Result<Option<Account>> {
        let phc = account.and_then(|account| account.password.as_ref());
        let right = self.gate.verify(password, phc.map_or(NOBODY, |phc| phc.0.as_str()));
        let (Some(account), Some(_), true) = (account, phc, right) else { return Ok(None) };
        self.edit(&account.id, |current| {
            // What was verified must still be what counts.
            if current.password != account.password {
                return Ok(None);
            }
            let counts = current.totp.as_mut().map(|totp| totp.accept(code, now)).transpose()?;
            Ok((counts == Some(true)).then(|| current.clone()))
        })
    }

    /// A session that was ended meanwhile (signed out everywhere, recovered) sets nothing any more; nor does the session
    /// of a second invitation once the first has been used to the end.
    pub(super) fn still(&self, session: &Session, account: &Account) -> Result<()> {
        match () {
            () if account.disabled.is_some() => Err(AccountError::AccountDisabled),
            () if account.generation != session.account.generation => Err(AccountError::SessionEnded),
            () if !session.enrolled() && account.enrolled() => Err(AccountError::SessionEnded),
            () => Ok(()),
        }
    }

    /// After a way to sign in was set: the invitation's session ends, a full one begins.
    pub(super) fn enrolled(
        &self,
        caller: Caller<'_>,
        session: &Session,
        account: &Account,
        method: Method,
        notice: Outgoing,
    ) -> Result<Enrolled> {
        let signed_in = if session.enrolled() {
            None
        } else {
            self.end_session(session, &session.id)?;
            Some(self.open_session(caller, account, method)?)
        };
        Ok(Enrolled { signed_in, notice })
    }
}
