//! Accounts: making, finding, changing them.

use heng_domain::office::events::OfficeRole;
use heng_domain::text::turns;
use unicode_normalization::UnicodeNormalization;

use super::rows::kind;
use super::secret::key_of;
use super::{
    Account, AccountError, Accounts, By, DAY, HOUR, Language, MINUTE, Notice, Outgoing, Result, Session, Subject, after,
};
use crate::outbox::is_phone;

/// Roles that decide or see everything: their sessions end after 30 idle minutes.
const SENSITIVE: [OfficeRole; 5] =
    [OfficeRole::Officer, OfficeRole::Supervisor, OfficeRole::Member, OfficeRole::Chair, OfficeRole::Authority];

/// A name for signing in as it is compared: compatibility forms and case do not count.
fn login_key(login: &str) -> String {
    let folded: String = login.trim().nfkc().collect::<String>().to_lowercase();
    key_of(&format!("heng/login/{folded}"))
}

/// Control characters, and marks that show a reader another text than the one that is there.
pub(super) fn unseen(c: char) -> bool {
    c.is_control() || turns(c)
}

pub(super) fn check_name(name: &str) -> Result<String> {
    let name: String = name.trim().nfc().collect();
    let fits = (1..=100).contains(&name.chars().count()) && !name.chars().any(unseen);
    if fits { Ok(name) } else { Err(AccountError::NameForm) }
}

pub(super) fn check_email(email: &str) -> Result<String> {
    let email: String = email.trim().nfc().collect();
    let parts = email.split_once('@');
    let fits = parts.is_some_and(|(user, domain)| !user.is_empty() && domain.contains('.') && !domain.contains('@'))
        && email.len() <= 254
        && !email.chars().any(|c| unseen(c) || c.is_whitespace());
    if fits { Ok(email) } else { Err(AccountError::EmailForm) }
}

/// A telephone without blanks and hyphens, which people put between groups of digits.
fn plain_phone(phone: &str) -> String {
    phone.chars().filter(|c| !c.is_whitespace() && *c != '-').collect()
}

/// True if text can be a mail address or the number of a telephone, as those of an account.
pub fn reaches(text: &str) -> bool {
    check_email(text).is_ok() || is_phone(&plain_phone(text))
}

impl Accounts {
    /// The account called `id`.
    ///
    /// # Errors
    /// [`AccountError::AccountUnknown`].
    pub fn account(&self, id: &str) -> Result<Account> {
        self.get(kind::ACCOUNT, id)?.ok_or(AccountError::AccountUnknown)
    }

    /// The accounts that `by` may see: all for officers, their organisation's for its admins.
    ///
    /// # Errors
    /// If the store fails.
    pub fn accounts(&self, by: By<'_>) -> Result<Vec<Account>> {
        let mut all: Vec<Account> = self.list(kind::ACCOUNT)?.into_iter().map(|(_, account)| account).collect();
        all.retain(|account| self.manages(by, &account.subject));
        Ok(all)
    }

    /// The account of a person, if there is one.
    ///
    /// # Errors
    /// If the store fails.
    pub fn of_person(&self, person: &str) -> Result<Option<Account>> {
        let Some(id) = self.get::<String>(kind::PERSON, person)? else { return Ok(None) };
        self.get(kind::ACCOUNT, &id)
    }

    /// Language and large-text mode, chosen by their owner.
    ///
    /// # Errors
    /// If the store fails.
    pub fn set_preferences(&self, session: &Session, language: Language, large_text: bool) -> Result<()> {
        self.edit(&session.account.id, |account| {
            account.language = language;
            account.large_text = large_text;
            Ok(())
        })
    }

    /// Sets the e-mail address, by its owner. The notice goes to the old one.
    ///
    /// # Errors
    /// [`AccountError::NotFresh`], [`AccountError::EmailForm`], [`AccountError::EmailTaken`].
    pub fn set_email(&self, session: &Session, email: &str) -> Result<Outgoing> {
        session.require_enrolling_or_fresh()?;
        let email = check_email(email)?;
        let before = self.account(&session.account.id)?;
        self.still(session, &before)?;
        self.readdress(&before.id, &before.name, Some(&email))?;
        Ok(Outgoing::new(&before, Notice::EmailChanged, &[("email", email)]))
    }

    /// A telephone as it is kept.
    ///
    /// # Errors
    /// [`AccountError::PhoneForm`].
    pub fn check_phone(&self, phone: &str) -> Result<String> {
        let phone = plain_phone(phone);
        if phone.is_empty() || is_phone(&phone) { Ok(phone) } else { Err(AccountError::PhoneForm) }
    }

    /// Sets the telephone for text messages, by its owner; an empty one takes it away.
    ///
    /// # Errors
    /// [`AccountError::PhoneForm`].
    pub fn set_phone(&self, session: &Session, phone: &str) -> Result<()> {
        let phone = self.check_phone(phone)?;
        self.edit(&session.account.id, |account| {
            account.phone = Some(phone.clone()).filter(|phone| !phone.is_empty());
            Ok(())
        })
    }

    /// Stops an account from signing in, and ends its sessions; or lets it in again.
    ///
    /// # Errors
    /// [`AccountError::NotAllowed`] for others than officers and the organisation's admins, and for one's own account.
    pub fn set_disabled(&self, by: &Session, id: &str, disabled: bool) -> Result<()> {
        let account = self.account(id)?;
        if account.id == by.account.id || !self.manages(By::Session(by), &account.subject) {
            return Err(AccountError::NotAllowed);
        }
        let now = self.now();
        self.edit(id, |account| {
            account.disabled = disabled.then_some(now);
            account.generation += 1;
            Ok(())
        })
    }

    pub(super) fn edit<R>(&self, id: &str, edit: impl FnMut(&mut Account) -> Result<R>) -> Result<R> {
        self.revise(kind::ACCOUNT, id, AccountError::AccountUnknown, edit)
    }

    /// Finds an account by what is typed as its name.
    pub(super) fn by_login(&self, login: &str) -> Result<Option<Account>> {
        let Some(id) = self.get::<String>(kind::LOGIN, &login_key(login))? else { return Ok(None) };
        self.get(kind::ACCOUNT, &id)
    }

    pub(super) fn lockout_key(login: &str) -> String {
        login_key(login)
    }

    /// Writes a new account, then claims the person's handle and the e-mail address for it, so that of two at once one
    /// gets them. In this order a claim whose account is missing was left by a crash and may be taken over.
    pub(super) fn create(&self, account: &Account) -> Result<()> {
        self.put(kind::ACCOUNT, &account.id, account)?;
        let claims = || {
            if let Subject::Person(person) = &account.subject {
                self.claim(kind::PERSON, person, &account.id, || AccountError::AccountExists)?;
            }
            account.email.as_deref().map_or(Ok(()), |email| self.claim_email(email, &account.id))
        };
        claims().inspect_err(|_| {
            // Should this fail too, an account remains that nobody can enter.
            let _ = self.heng.store().delete_row(kind::ACCOUNT, &account.id);
        })
    }

    fn claim_email(&self, email: &str, id: &str) -> Result<()> {
        self.claim(kind::LOGIN, &login_key(email), id, || AccountError::EmailTaken)
    }

    fn claim(&self, kind: &str, key: &str, id: &str, taken: impl Fn() -> AccountError) -> Result<()> {
        self.change(kind, key, |found: Option<String>| {
            let free = match &found {
                Some(holder) if holder != id => self.get::<Account>(kind::ACCOUNT, holder)?.is_none(),
                _ => true,
            };
            if free { Ok((Some(id.to_owned()), ())) } else { Err(taken()) }
        })
    }

    /// Corrects name and address.
    pub(super) fn readdress(&self, id: &str, name: &str, email: Option<&str>) -> Result<Account> {
        if let Some(email) = email {
            self.claim_email(email, id)?;
        }
        let (old, account) = self.edit(id, |account| {
            let old = std::mem::replace(&mut account.email, email.map(str::to_owned));
            name.clone_into(&mut account.name);
            Ok((old, account.clone()))
        })?;
        if let Some(old) = old.filter(|old| email.is_none_or(|email| login_key(email) != login_key(old))) {
            self.heng.store().delete_row(kind::LOGIN, &login_key(&old))?;
        }
        Ok(account)
    }

    /// Whether `by` looks after accounts of `subject`.
    pub(super) fn manages(&self, by: By<'_>, subject: &Subject) -> bool {
        match by {
            By::Operator => true,
            By::Session(session) => {
                let own = session.account.admin && session.account.subject == *subject;
                let staff = own && matches!(subject, Subject::Organisation(_));
                session.enrolled() && (staff || self.is_officer(&session.account.subject))
            }
        }
    }

    /// Whether the subject is an officer today, by the office log.
    pub(super) fn is_officer(&self, subject: &Subject) -> bool {
        self.holds(subject, &[OfficeRole::Officer])
    }

    fn holds(&self, subject: &Subject, roles: &[OfficeRole]) -> bool {
        let Subject::Person(person) = subject else { return false };
        let Some(log) = self.heng.office_log() else { return false };
        let image = log.image();
        image.state.office().is_some_and(|office| {
            let today = office.day(self.now());
            roles.iter().any(|role| office.holds(person, *role, today))
        })
    }

    /// How long a session may rest: half an hour for those who decide, two hours for those who read and write long texts.
    pub(super) fn idle_limit(&self, subject: &Subject) -> i64 {
        if self.holds(subject, &SENSITIVE) { 30 * MINUTE } else { 2 * HOUR }
    }

    pub(super) fn in_days(&self, days: u16) -> heng_domain::time::Instant {
        after(self.now(), i64::from(days) * DAY)
    }
}
