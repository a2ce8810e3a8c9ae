//! Recovery by two officers: one proposes, another confirms, the owner is told. There are no recovery codes to lose.

use heng_domain::time::Instant;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::people::unseen;
use super::rows::kind;
use super::{AccountError, Accounts, By, DAY, Invite, Issued, Notice, Outgoing, Result, Session, after};

const PROPOSAL: i64 = 3 * DAY;
/// Most characters of a reason.
const REASON: usize = 1000;

/// A proposal to reset an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recovery {
    /// Its name.
    pub id: String,
    /// Account.
    pub account: String,
    /// Who proposed: an account, or `operator`.
    pub proposed_by: String,
    /// Why, for the second officer.
    pub reason: String,
    /// When.
    pub proposed: Instant,
    /// Until when it can be confirmed.
    pub expires: Instant,
}

/// An account was reset.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// The new invitation.
    pub invitation: Issued,
    /// What the owner is told.
    pub notice: Outgoing,
}

/// The second officer decides by it: it must be there, and whole.
fn check_reason(reason: &str) -> Result<String> {
    let reason = reason.trim().replace("\r\n", "\n").replace('\t', " ");
    let fits = (1..=REASON).contains(&reason.chars().count()) && !reason.chars().any(|c| c != '\n' && unseen(c));
    if fits { Ok(reason.nfc().collect()) } else { Err(AccountError::ReasonForm) }
}

impl Accounts {
    fn require_officer(&self, session: &Session) -> Result<()> {
        session.require_fresh()?;
        if self.is_officer(&session.account.subject) { Ok(()) } else { Err(AccountError::NotAllowed) }
    }

    /// Proposes to reset an account whose owner cannot sign in. Where only one officer is left, the operator proposes.
    ///
    /// # Errors
    /// [`AccountError::NotAllowed`], `NotFresh`, [`AccountError::RecoverySamePerson`] for one's own account,
    /// [`AccountError::ReasonForm`].
    pub fn propose_recovery(&self, by: By<'_>, account: &str, reason: &str) -> Result<Recovery> {
        if let By::Session(session) = by {
            self.require_officer(session)?;
        }
        let owner = self.account(account)?;
        if owner.id == by.label() {
            return Err(AccountError::RecoverySamePerson);
        }
        let reason = check_reason(reason)?;
        let now = self.now();
        let (account, proposed_by) = (owner.id, by.label());
        let recovery =
            Recovery { id: self.name()?, account, proposed_by, reason, proposed: now, expires: after(now, PROPOSAL) };
        self.put(kind::RECOVERY, &recovery.id, &recovery)?;
        Ok(recovery)
    }

    /// Proposals that wait for a second officer.
    ///
    /// # Errors
    /// [`AccountError::NotAllowed`] for others than officers.
    pub fn recoveries(&self, by: &Session) -> Result<Vec<Recovery>> {
        if !by.enrolled() || !self.is_officer(&by.account.subject) {
            return Err(AccountError::NotAllowed);
        }
        let now = self.now();
        let all = self.list::<Recovery>(kind::RECOVERY)?.into_iter().map(|(_, recovery)| recovery);
        Ok(all.filter(|recovery| now < recovery.expires).collect())
    }

    /// Confirms a proposal after a sign-in of just now: old passkeys, password, identities, sessions and API tokens count
    /// no longer, and a new invitation is made.
    ///
    /// # Errors
    /// [`AccountError::NotFresh`], `NotAllowed`, [`AccountError::RecoverySamePerson`], [`AccountError::RecoveryUnknown`].
    pub fn confirm_recovery(&self, by: &Session, id: &str) -> Result<Recovered> {
        self.require_officer(by)?;
        let recovery: Recovery = self.get(kind::RECOVERY, id)?.ok_or(AccountError::RecoveryUnknown)?;
        let me = &by.account.id;
        if *me == recovery.proposed_by || *me == recovery.account {
            return Err(AccountError::RecoverySamePerson);
        }
        let taken: Option<Recovery> = self.take(kind::RECOVERY, id)?;
        if taken.is_none_or(|taken| self.now() >= taken.expires) {
            return Err(AccountError::RecoveryUnknown);
        }
        let account = self.edit(&recovery.account, |account| {
            account.passkeys.clear();
            account.password = None;
            account.totp = None;
            account.identities.clear();
            account.generation += 1;
            account.recoveries += 1;
            Ok(account.clone())
        })?;
        // An older link must not lead into the account that was just emptied.
        for invitation in self.invitations(By::Operator)? {
            if invitation.account.as_ref() == Some(&account.id) {
                let _ = self.withdraw_invitation(By::Operator, &invitation.id);
            }
        }
        let mut invite = Invite::new(account.subject.clone(), &account.name, account.email.as_deref());
        invite.admin = account.admin;
        invite.language = account.language;
        let invitation = self.issue(By::Session(by), invite, Some(account.id.clone()))?;
        let proposer = self.account(&recovery.proposed_by).map_or(recovery.proposed_by, |account| account.name);
        let officers = [("first", proposer), ("second", by.account.name.clone())];
        Ok(Recovered { invitation, notice: Outgoing::new(&account, Notice::Recovered, &officers) })
    }
}
