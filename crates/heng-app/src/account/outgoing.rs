//! What an account's owner is told. Nothing in it is secret.

use heng_domain::messages::message;
use serde::{Deserialize, Serialize};

use super::{Account, Language};
use crate::hant::{self, Names};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// Somebody tried too many wrong passwords.
    Locked,
    /// A passkey was added.
    PasskeyAdded,
    /// A password was set or changed.
    PasswordSet,
    /// The e-mail address was changed; this goes to the old one.
    EmailChanged,
    /// An identity of the office's provider was bound.
    IdentityBound,
    /// Two officers reset the account.
    Recovered,
}

/// A message for the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// Account.
    pub account: String,
    /// Where to; nothing if the account has no e-mail address.
    pub to: Option<String>,
    /// Language.
    pub language: Language,
    /// What happened.
    pub notice: Notice,
    /// Values of the text.
    pub params: Vec<(String, String)>,
}

impl Outgoing {
    pub(super) fn new(account: &Account, notice: Notice, params: &[(&str, String)]) -> Outgoing {
        let mut params: Vec<_> = params.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        params.push(("name".to_owned(), account.name.clone()));
        let (account, to, language) = (account.id.clone(), account.email.clone(), account.language);
        Outgoing { account, to, language, notice, params }
    }

    fn say(&self, key: &str) -> String {
        let params = self.params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let text = message(self.language.lang(), "account", key, params);
        if self.language == Language::ZhHant { hant::text(&text, &Names::new([self.name()])) } else { text }
    }

    /// The owner's name, in which no word is exchanged.
    fn name(&self) -> &str {
        self.params.iter().find(|(name, _)| name == "name").map_or("", |(_, value)| value)
    }

    /// Subject line.
    pub fn subject(&self) -> String {
        self.say(match self.notice {
            Notice::Locked => "locked_subject",
            Notice::PasskeyAdded => "passkey_added_subject",
            Notice::PasswordSet => "password_set_subject",
            Notice::EmailChanged => "email_changed_subject",
            Notice::IdentityBound => "identity_bound_subject",
            Notice::Recovered => "recovered_subject",
        })
    }

    /// The text.
    pub fn text(&self) -> String {
        self.say(match self.notice {
            Notice::Locked => "locked_text",
            Notice::PasskeyAdded => "passkey_added_text",
            Notice::PasswordSet => "password_set_text",
            Notice::EmailChanged => "email_changed_text",
            Notice::IdentityBound => "identity_bound_text",
            Notice::Recovered => "recovered_text",
        })
    }
}
