//! What can go wrong when somebody signs in, each with a stable code.

use heng_domain::messages::message;
use heng_domain::text::Lang;
use heng_domain::time::Instant;
use heng_store::StoreError;

use super::Outgoing;
use crate::error::AppError;

/// An error of the sign-in service. [`AccountError::code`] never changes; the sentence for people is
/// [`AccountError::sentence`].
#[derive(Debug, thiserror::Error)]
#[error("{}", self.said())]
pub enum AccountError {
    /// No such link, or it is cut short.
    InvitationUnknown,
    /// The link was used.
    InvitationUsed(Instant),
    /// The link is too old.
    InvitationExpired(Instant),
    /// The link was withdrawn.
    InvitationWithdrawn(Instant),
    /// The handle has another form than `p:…` or `o:…`.
    InvitationSubject,
    /// Empty, too long, or with characters that cannot be seen.
    NameForm,
    /// A reason is missing, too long, or has characters that cannot be seen.
    ReasonForm,
    /// No e-mail address.
    EmailForm,
    /// A telephone is no number.
    PhoneForm,
    /// Another account has this e-mail address.
    EmailTaken,
    /// The person has an account that works.
    AccountExists,
    /// No such account.
    AccountUnknown,
    /// It may not sign in.
    AccountDisabled,
    /// Not theirs to do.
    NotAllowed,
    /// Name, password or code is wrong; which one is not said.
    SignInWrong,
    /// Too many wrong attempts at this name.
    SignInLocked {
        /// When to try again.
        until: Instant,
        /// What the owner is told, once for each wait.
        notice: Option<Box<Outgoing>>,
    },
    /// Too many attempts from this address.
    TooMany(Instant),
    /// No session.
    SessionUnknown,
    /// Too old, or idle for too long.
    SessionExpired,
    /// Signed out.
    SessionEnded,
    /// A first passkey or password must be set before anything else.
    SessionEnrolling,
    /// The act needs a sign-in of just now.
    NotFresh,
    /// The ceremony took too long, or was finished before.
    CeremonyExpired,
    /// The browser's answer does not hold; the kind of fault.
    PasskeyRefused(String),
    /// Not ES256, so it could not sign records.
    PasskeyKind,
    /// Already here.
    PasskeyKnown,
    /// Not of this account.
    PasskeyUnknown,
    /// Shorter than 12 characters, without the account's own name.
    PasswordShort {
        /// Characters that count.
        found: usize,
    },
    /// Longer than 1000 bytes.
    PasswordLong,
    /// A password needs an e-mail address as its name.
    PasswordNoEmail,
    /// The code of the authenticator app is wrong.
    CodeWrong,
    /// The only way to sign in that is left.
    LastFactor,
    /// No such proposal, or it is over.
    RecoveryUnknown,
    /// The second officer must be another person, and neither may be the owner.
    RecoverySamePerson,
    /// Too long to be parked.
    ParkTooLarge {
        /// Bytes allowed.
        limit: usize,
    },
    /// Too many parked forms.
    ParkFull,
    /// Nothing parked under this name for this account.
    ParkUnknown,
    /// No such API token.
    TokenUnknown,
    /// The token is too old.
    TokenExpired,
    /// The token may not do this.
    TokenScope,
    /// The identity provider's answer came too late or a second time.
    OidcExpired,
    /// No account is bound to this identity.
    OidcUnknown,
    /// Another account is bound to this identity.
    OidcTaken,
    /// The identity provider's answer does not hold.
    OidcRefused(String),
    /// The identity provider cannot be reached.
    OidcUnreachable(String),
    /// Something of the installation.
    App(AppError),
}

impl From<AppError> for AccountError {
    fn from(error: AppError) -> AccountError {
        AccountError::App(error)
    }
}

impl From<StoreError> for AccountError {
    fn from(error: StoreError) -> AccountError {
        AccountError::App(error.into())
    }
}

impl AccountError {
    /// The stable code: the key of its sentence in the message files.
    pub fn code(&self) -> &'static str {
        match self {
            AccountError::InvitationUnknown => "invitation.unknown",
            AccountError::InvitationUsed(_) => "invitation.used",
            AccountError::InvitationExpired(_) => "invitation.expired",
            AccountError::InvitationWithdrawn(_) => "invitation.withdrawn",
            AccountError::InvitationSubject => "invitation.subject",
            AccountError::NameForm => "account.name",
            AccountError::ReasonForm => "recovery.reason",
            AccountError::EmailForm => "account.email",
            AccountError::EmailTaken => "account.email_taken",
            AccountError::PhoneForm => "account.phone",
            AccountError::AccountExists => "account.exists",
            AccountError::AccountUnknown => "account.unknown",
            AccountError::AccountDisabled => "account.disabled",
            AccountError::NotAllowed => "account.not_allowed",
            AccountError::SignInWrong => "sign_in.wrong",
            AccountError::SignInLocked { .. } => "sign_in.locked",
            AccountError::TooMany(_) => "sign_in.too_many",
            AccountError::SessionUnknown => "session.unknown",
            AccountError::SessionExpired => "session.expired",
            AccountError::SessionEnded => "session.ended",
            AccountError::SessionEnrolling => "session.enrolling",
            AccountError::NotFresh => "session.not_fresh",
            AccountError::CeremonyExpired => "passkey.expired",
            AccountError::PasskeyRefused(_) => "passkey.refused",
            AccountError::PasskeyKind => "passkey.kind",
            AccountError::PasskeyKnown => "passkey.known",
            AccountError::PasskeyUnknown => "passkey.unknown",
            AccountError::PasswordShort { .. } => "password.short",
            AccountError::PasswordLong => "password.long",
            AccountError::PasswordNoEmail => "password.no_email",
            AccountError::CodeWrong => "code.wrong",
            AccountError::LastFactor => "factor.last",
            AccountError::RecoveryUnknown => "recovery.unknown",
            AccountError::RecoverySamePerson => "recovery.same_person",
            AccountError::ParkTooLarge { .. } => "park.too_large",
            AccountError::ParkFull => "park.full",
            AccountError::ParkUnknown => "park.unknown",
            AccountError::TokenUnknown => "token.unknown",
            AccountError::TokenExpired => "token.expired",
            AccountError::TokenScope => "token.scope",
            AccountError::OidcExpired => "oidc.expired",
            AccountError::OidcUnknown => "oidc.unknown",
            AccountError::OidcTaken => "oidc.taken",
            AccountError::OidcRefused(_) => "oidc.refused",
            AccountError::OidcUnreachable(_) => "oidc.unreachable",
            AccountError::App(_) => "account.internal",
        }
    }

    /// The time that the error speaks of. Pages show it in the office's time zone.
    pub fn time(&self) -> Option<Instant> {
        match self {
            AccountError::InvitationUsed(time)
            | AccountError::InvitationExpired(time)
            | AccountError::InvitationWithdrawn(time)
            | AccountError::SignInLocked { until: time, .. }
            | AccountError::TooMany(time) => Some(*time),
            _ => None,
        }
    }

    /// The notice that goes out with the error, if there is one.
    pub fn notice(&self) -> Option<&Outgoing> {
        match self {
            AccountError::SignInLocked { notice, .. } => notice.as_deref(),
            _ => None,
        }
    }

    /// The values of its sentence, times as they stand in records.
    pub fn params(&self) -> Vec<(&'static str, String)> {
        let mut out: Vec<_> = self.time().map(|time| ("time", time.to_string())).into_iter().collect();
        match self {
            AccountError::PasskeyRefused(detail)
            | AccountError::OidcRefused(detail)
            | AccountError::OidcUnreachable(detail) => out.push(("detail", detail.clone())),
            AccountError::PasswordShort { found } => out.push(("found", found.to_string())),
            AccountError::ParkTooLarge { limit } => out.push(("limit", (limit / 1024).to_string())),
            _ => {}
        }
        out
    }

    /// For the operator: what an error of the installation is about is not shown to people.
    fn said(&self) -> String {
        match self {
            AccountError::App(error) => error.to_string(),
            other => other.sentence(Lang::En),
        }
    }

    /// What was wrong and what to do.
    pub fn sentence(&self, lang: Lang) -> String {
        let params = self.params();
        message(lang, "account", self.code(), params.iter().map(|(name, value)| (*name, value.as_str())))
    }
}
