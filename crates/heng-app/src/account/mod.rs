//! Who may sign in: accounts, invitations, passkeys, password with code, sessions, recovery, API tokens.
//!
//! All of it is operational rows, never records. What a person may *do* is decided by `admit` from the logs; an account
//! only says which person of the office log, or whose staff, somebody is.
//!
//! Secrets that come back to us (links, cookies, API tokens) are stored as SHA-256 only. Every change of a row that two
//! requests or two servers could make at once is a compare-and-swap ([`Accounts::change`]). All calls block.

mod demo;
mod error;
mod invitation;
mod limits;
#[cfg(feature = "oidc")]
mod oidc;
mod outgoing;
mod park;
mod passkey;
mod password;
mod people;
mod recovery;
mod rows;
mod secret;
mod session;
mod sign_in;
mod sweep;
mod token;
mod totp;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;

use heng_domain::text::Lang;
use heng_domain::time::Instant;
use serde::{Deserialize, Serialize};
use webauthn_rs::prelude::{Url, Webauthn, WebauthnBuilder};

pub use error::AccountError;
pub use invitation::{By, InvitationInfo, InvitationState, Invite, Issued};
pub use limits::{Buckets, Lockout};
#[cfg(feature = "oidc")]
pub use oidc::{Oidc, OidcDone, OidcFor, OidcStart, Provider};
pub use outgoing::{Notice, Outgoing};
pub use park::{ParkId, Parked, ParkedForm};
pub use passkey::{Ceremony, StoredPasskey};
pub use people::reaches;
pub use recovery::{Recovered, Recovery};
pub use secret::{Hidden, Token};
pub use session::{Method, Session, SessionInfo, SignedIn};
pub use sign_in::Enrolled;
pub use token::{ApiToken, Scope, TokenInfo};
pub use totp::{Totp, TotpSetup};

use crate::error::AppError;
use crate::heng::Heng;

/// Results of the sign-in service.
pub type Result<T> = std::result::Result<T, AccountError>;

pub(super) const SECOND: i64 = 1_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// Where the pages are served. Passkeys belong to `rp_id` for ever: changing it makes all of them useless.
#[derive(Clone, Debug)]
pub struct Site {
    /// The domain that passkeys are bound to, for example `award.example`.
    pub rp_id: String,
    /// Scheme, host and port of the pages, for example `https://award.example`.
    pub origin: String,
}

/// Whom an account stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A person of the office log, `p:0017`. A person has one account.
    Person(String),
    /// Staff of an organisation, `o:0001`. Several accounts share it.
    Organisation(String),
}

impl Subject {
    /// The handle: `p:0017` or `o:0001`.
    pub fn handle(&self) -> &str {
        match self {
            Subject::Person(handle) | Subject::Organisation(handle) => handle,
        }
    }
}

/// The language that somebody reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    /// 简体中文
    #[default]
    #[serde(rename = "zh-Hans")]
    ZhHans,
    /// 繁體中文
    #[serde(rename = "zh-Hant")]
    ZhHant,
    /// English
    #[serde(rename = "en")]
    En,
}

impl Language {
    /// The language of the message files; 繁體 is converted from 简体 where pages are written.
    pub fn lang(self) -> Lang {
        match self {
            Language::ZhHans | Language::ZhHant => Lang::Zh,
            Language::En => Lang::En,
        }
    }

    /// The BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Language::ZhHant => "zh-Hant",
            Language::ZhHans | Language::En => self.lang().tag(),
        }
    }

    /// What the addresses of pages in this language begin with.
    pub fn prefix(self) -> &'static str {
        match self {
            Language::ZhHans => "",
            Language::ZhHant => "hant/",
            Language::En => "en/",
        }
    }
}

/// Who may sign in. It is serialised for its row only, with hashes and secrets: pages and answers show chosen fields of
/// it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    /// `u:` and 32 hex digits; passkeys know the account by the same 16 bytes.
    pub id: String,
    /// Whom it stands for.
    pub subject: Subject,
    /// May invite colleagues of the same organisation.
    #[serde(default)]
    pub admin: bool,
    /// Name as its owner and the officers see it. Never public.
    pub name: String,
    /// Where notices go; also the name for signing in with a password.
    pub email: Option<String>,
    /// Where text messages go: digits, with or without `+`.
    #[serde(default)]
    pub phone: Option<String>,
    /// Language of pages and notices.
    pub language: Language,
    /// Large-text mode.
    #[serde(default)]
    pub large_text: bool,
    /// Passkeys, oldest first.
    #[serde(default)]
    pub passkeys: Vec<StoredPasskey>,
    /// Argon2id in PHC form; always together with `totp`.
    pub password: Option<Hidden<String>>,
    /// One-time codes.
    pub totp: Option<Totp>,
    /// Identities at providers of the office, as keys of their rows.
    #[serde(default)]
    pub identities: Vec<String>,
    /// When it was made.
    pub created: Instant,
    /// Since when it may not sign in.
    pub disabled: Option<Instant>,
    /// Sessions of an older generation have ended: one write signs out everywhere.
    pub(super) generation: u32,
    /// Recoveries so far; API tokens of before count no longer.
    pub(super) recoveries: u32,
}

impl Account {
    /// Whether it can sign in by itself; otherwise it waits for an invitation to be redeemed.
    pub fn enrolled(&self) -> bool {
        !self.passkeys.is_empty() || self.password.is_some() || !self.identities.is_empty()
    }

    /// The number of ways to sign in.
    fn factors(&self) -> usize {
        self.passkeys.len() + usize::from(self.password.is_some()) + self.identities.len()
    }
}

/// Who knocks: for rate limits and the list of sessions.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// Client address, as the nearest trusted proxy saw it.
    pub address: IpAddr,
    /// The `User-Agent` header.
    pub agent: &'a str,
}

/// The sign-in service of one installation.
pub struct Accounts {
    heng: Arc<Heng>,
    site: Site,
    webauthn: Webauthn,
    gate: password::HashGate,
    attempts: Buckets,
    ceremonies: Buckets,
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accounts").field("site", &self.site).finish_non_exhaustive()
    }
}

impl Accounts {
    /// The service for pages at `site`.
    ///
    /// # Errors
    /// If the origin is no address, or does not belong to the domain of the passkeys.
    pub fn new(heng: Arc<Heng>, site: Site) -> Result<Accounts> {
        let wrong = |detail: String| {
            let Site { rp_id, origin } = &site;
            AppError::Other(format!(
                "passkeys for {rp_id} cannot be used at {origin}: {detail}. Set the origin to https://{rp_id} or a host below it"
            ))
        };
        let origin = Url::parse(&site.origin).map_err(|error| wrong(error.to_string()))?;
        let webauthn = WebauthnBuilder::new(&site.rp_id, &origin)
            .and_then(WebauthnBuilder::build)
            .map_err(|error| wrong(error.to_string()))?;
        let (gate, attempts, ceremonies) =
            (password::HashGate::default(), Buckets::per_minute(20), Buckets::per_minute(200));
        Ok(Accounts { heng, webauthn, gate, attempts, ceremonies, site })
    }

    /// The office.
    pub(crate) fn heng(&self) -> &Heng {
        &self.heng
    }

    fn now(&self) -> Instant {
        self.heng.clock().now()
    }
}

/// `millis` after `now`; at the end of time it is over at once.
fn after(now: Instant, millis: i64) -> Instant {
    now.plus_millis(millis).unwrap_or(now)
}
