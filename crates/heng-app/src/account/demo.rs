//! A demonstration is entered without any factor, as one of its invented people. Nowhere else.

use super::rows::kind;
use super::{Account, AccountError, Accounts, Caller, Language, Method, Result, SignedIn, Subject};

impl Accounts {
    /// Whether the office says of itself that it is invented.
    pub fn is_demo(&self) -> bool {
        let log = self.heng.office_log();
        log.is_some_and(|log| log.image().state.office().is_some_and(|office| office.founded.demo))
    }

    /// Opens a session as an invented person or as the staff of an invented firm.
    ///
    /// # Errors
    /// [`AccountError::NotAllowed`] in an office that is not a demonstration.
    pub fn enter_demo(&self, caller: Caller<'_>, subject: Subject, name: &str, language: Language) -> Result<SignedIn> {
        if !self.is_demo() {
            return Err(AccountError::NotAllowed);
        }
        let known = |subject: &Subject| -> Result<Option<Account>> {
            let all: Vec<(String, Account)> = self.list(kind::ACCOUNT)?;
            Ok(all.into_iter().map(|(_, account)| account).find(|account| account.subject == *subject))
        };
        let account = match known(&subject)? {
            Some(account) => account,
            None => {
                let account = Account {
                    id: format!("u:{}", self.name()?),
                    admin: matches!(subject, Subject::Organisation(_)),
                    subject,
                    name: name.to_owned(),
                    email: None,
                    phone: None,
                    language,
                    large_text: false,
                    passkeys: Vec::new(),
                    password: None,
                    totp: None,
                    identities: Vec::new(),
                    created: self.now(),
                    disabled: None,
                    generation: 0,
                    recoveries: 0,
                };
                match self.create(&account) {
                    // Somebody else has just entered as the same person.
                    Err(AccountError::AccountExists) => known(&account.subject)?.ok_or(AccountError::AccountExists)?,
                    done => {
                        done?;
                        account
                    }
                }
            }
        };
        self.open_session(caller, &account, Method::Demo)
    }
}
