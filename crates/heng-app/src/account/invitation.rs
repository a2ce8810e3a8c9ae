//! Invitations: the only way to an account.

use heng_domain::time::Instant;
use serde::{Deserialize, Serialize};

use super::people::{check_email, check_name};
use super::rows::kind;
use super::secret::key_of;
use super::{Account, AccountError, Accounts, Caller, Language, Method, Result, Session, SignedIn, Subject, Token};

/// Who invites or proposes.
#[derive(Clone, Copy, Debug)]
pub enum By<'a> {
    /// Somebody who is signed in.
    Session(&'a Session),
    /// Whoever runs the server, by command: for the first officers, before anybody can sign in.
    Operator,
}

impl By<'_> {
    /// The account's name, or `operator`.
    pub(super) fn label(&self) -> String {
        match self {
            By::Session(session) => session.account.id.clone(),
            By::Operator => "operator".to_owned(),
        }
    }
}

/// Whom to invite.
#[derive(Clone, Debug)]
pub struct Invite {
    /// Whom the account stands for.
    pub subject: Subject,
    /// May invite colleagues; for organisations only.
    pub admin: bool,
    /// Name.
    pub name: String,
    /// E-mail address, if there is one.
    pub email: Option<String>,
    /// Language.
    pub language: Language,
    /// Days that the link is good for.
    pub days: u16,
}

impl Invite {
    /// An invitation for seven days.
    pub fn new(subject: Subject, name: &str, email: Option<&str>) -> Invite {
        let (name, email) = (name.to_owned(), email.map(str::to_owned));
        Invite { subject, admin: false, name, email, language: Language::default(), days: 7 }
    }
}

/// A new invitation. The link is shown once.
#[derive(Clone, Debug)]
pub struct Issued {
    /// Its name in lists; no secret.
    pub id: String,
    /// What the link carries.
    pub token: Token,
    /// Until when it is good.
    pub expires: Instant,
}

/// What has become of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvitationState {
    /// It can be redeemed.
    Valid,
    /// It was redeemed.
    Used(Instant),
    /// It is too old.
    Expired(Instant),
    /// It was withdrawn.
    Withdrawn(Instant),
}

/// An invitation as its maker and its guest see it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InvitationInfo {
    /// Its name in lists.
    pub id: String,
    /// Whom the account will stand for.
    pub subject: Subject,
    /// May invite colleagues.
    pub admin: bool,
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: Option<String>,
    /// Language.
    pub language: Language,
    /// Who invited: an account, or `operator`.
    pub invited_by: String,
    /// When it was made.
    pub made: Instant,
    /// Until when it is good.
    pub expires: Instant,
    /// What has become of it.
    pub state: InvitationState,
    /// The account that waits for it: one that was recovered or never finished.
    pub(super) account: Option<String>,
}

impl InvitationInfo {
    /// The row knows only what was done; that it is too old is seen when it is read.
    pub(super) fn seen_at(mut self, now: Instant) -> InvitationInfo {
        if self.state == InvitationState::Valid && now >= self.expires {
            self.state = InvitationState::Expired(self.expires);
        }
        self
    }

    fn usable(&self) -> Result<()> {
        match self.state {
            InvitationState::Valid => Ok(()),
            InvitationState::Used(when) => Err(AccountError::InvitationUsed(when)),
            InvitationState::Expired(when) => Err(AccountError::InvitationExpired(when)),
            InvitationState::Withdrawn(when) => Err(AccountError::InvitationWithdrawn(when)),
        }
    }
}

fn check_subject(subject: &Subject) -> Result<()> {
    let (prefix, handle) = match subject {
        Subject::Person(handle) => ("p:", handle),
        Subject::Organisation(handle) => ("o:", handle),
    };
    let fits = handle.strip_prefix(prefix).is_some_and(|rest| {
        (1..=40).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    });
    if fits { Ok(()) } else { Err(AccountError::InvitationSubject) }
}

impl Accounts {
    /// Invites somebody: officers anybody, an organisation's admin colleagues.
    ///
    /// A person whose account works is not invited again, or one officer could take it over: that takes two
    /// ([`Accounts::propose_recovery`]).
    ///
    /// # Errors
    /// [`AccountError::NotAllowed`], [`AccountError::AccountExists`], [`AccountError::EmailTaken`], or a form.
    pub fn invite(&self, by: By<'_>, invite: &Invite) -> Result<Issued> {
        check_subject(&invite.subject)?;
        if !self.manages(by, &invite.subject) {
            return Err(AccountError::NotAllowed);
        }
        let present = match &invite.subject {
            Subject::Person(person) => self.of_person(person)?,
            Subject::Organisation(_) => None,
        };
        if present.as_ref().is_some_and(|account| account.enrolled() || account.recoveries > 0) {
            return Err(AccountError::AccountExists);
        }
        let email = invite.email.as_deref().map(check_email).transpose()?;
        if let Some(email) = &email
            && let Some(holder) = self.by_login(email)?
            && present.as_ref().is_none_or(|present| present.id != holder.id)
        {
            return Err(AccountError::EmailTaken);
        }
        let invite = Invite { name: check_name(&invite.name)?, email, ..invite.clone() };
        self.issue(by, invite, present.map(|account| account.id))
    }

    pub(super) fn issue(&self, by: By<'_>, invite: Invite, account: Option<String>) -> Result<Issued> {
        let token = self.token()?;
        let (id, expires) = (token.key(), self.in_days(invite.days));
        let row = InvitationInfo {
            id: id.clone(),
            admin: invite.admin && matches!(invite.subject, Subject::Organisation(_)),
            subject: invite.subject,
            name: invite.name,
            email: invite.email,
            language: invite.language,
            invited_by: by.label(),
            made: self.now(),
            expires,
            state: InvitationState::Valid,
            account,
        };
        self.put(kind::INVITATION, &id, &row)?;
        Ok(Issued { id, token, expires })
    }

    /// What a link is good for, without using it: for the page that asks „is this you?“. Redeem with a POST only, because
    /// mail filters open links.
    ///
    /// # Errors
    /// [`AccountError::InvitationUnknown`], `Used`, `Expired` or `Withdrawn`.
    pub fn invitation(&self, token: &str) -> Result<InvitationInfo> {
        let found: Option<InvitationInfo> = self.get(kind::INVITATION, &key_of(token))?;
        let invitation = found.ok_or(AccountError::InvitationUnknown)?.seen_at(self.now());
        invitation.usable()?;
        Ok(invitation)
    }

    /// The invitations that `by` may see, newest first.
    ///
    /// # Errors
    /// If the store fails.
    pub fn invitations(&self, by: By<'_>) -> Result<Vec<InvitationInfo>> {
        let all: Vec<(String, InvitationInfo)> = self.list(kind::INVITATION)?;
        let mut out: Vec<_> = all.into_iter().map(|(_, invitation)| invitation.seen_at(self.now())).collect();
        out.retain(|invitation| self.manages(by, &invitation.subject));
        out.sort_by_key(|invitation| std::cmp::Reverse(invitation.made));
        Ok(out)
    }

    /// Withdraws an invitation that is still good.
    ///
    /// # Errors
    /// [`AccountError::NotAllowed`], or what has become of it.
    pub fn withdraw_invitation(&self, by: By<'_>, id: &str) -> Result<()> {
        let now = self.now();
        self.revise(kind::INVITATION, id, AccountError::InvitationUnknown, |row: &mut InvitationInfo| {
            if !self.manages(by, &row.subject) {
                return Err(AccountError::NotAllowed);
            }
            row.clone().seen_at(now).usable()?;
            row.state = InvitationState::Withdrawn(now);
            Ok(())
        })
    }

    /// Redeems an invitation, once: the guest gets a short session in which a first passkey or password must be set.
    ///
    /// # Errors
    /// As [`Accounts::invitation`]; [`AccountError::AccountExists`] or [`AccountError::EmailTaken`] if that has become so
    /// since it was made; [`AccountError::TooMany`].
    pub fn redeem(&self, caller: Caller<'_>, token: &str) -> Result<SignedIn> {
        self.attempt(caller)?;
        let now = self.now();
        // Of two who redeem at once the second finds it used: the row is swapped, not written.
        let invitation = self.revise(
            kind::INVITATION,
            &key_of(token),
            AccountError::InvitationUnknown,
            |row: &mut InvitationInfo| {
                row.clone().seen_at(now).usable()?;
                row.state = InvitationState::Used(now);
                Ok(row.clone())
            },
        )?;
        let account = self.guest(&invitation).inspect_err(|_| {
            // Nothing came of it, so the link stays good. If this fails too, the link is used up: safe, if unkind.
            let _ = self.put(
                kind::INVITATION,
                &invitation.id,
                &InvitationInfo { state: InvitationState::Valid, ..invitation.clone() },
            );
        })?;
        self.attempts.give_back(caller.address);
        self.open_session(caller, &account, Method::Invitation)
    }

    /// The account that an invitation leads to.
    fn guest(&self, invitation: &InvitationInfo) -> Result<Account> {
        let waiting = match (&invitation.account, &invitation.subject) {
            (Some(id), _) => Some(self.account(id)?),
            (None, Subject::Person(person)) => self.of_person(person)?,
            (None, Subject::Organisation(_)) => None,
        };
        if let Some(account) = waiting {
            return match () {
                () if account.enrolled() => Err(AccountError::AccountExists),
                () if account.disabled.is_some() => Err(AccountError::AccountDisabled),
                () if account.recoveries > 0 => Ok(account),
                () => self.readdress(&account.id, &invitation.name, invitation.email.as_deref()),
            };
        }
        let account = Account {
            id: format!("u:{}", self.name()?),
            subject: invitation.subject.clone(),
            admin: invitation.admin,
            name: invitation.name.clone(),
            email: invitation.email.clone(),
            phone: None,
            language: invitation.language,
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
        self.create(&account)?;
        Ok(account)
    }
}
