//! Sessions: a random cookie, stored as its hash.

use heng_domain::time::Instant;
use serde::{Deserialize, Serialize};

use super::rows::kind;
use super::secret::key_of;
use super::{Account, AccountError, Accounts, Caller, HOUR, MINUTE, Result, Token, after};

/// No session is older.
const ABSOLUTE: i64 = 12 * HOUR;
/// For setting the first passkey or password.
const ENROLMENT: i64 = 30 * MINUTE;
/// „Last seen“ is written this often, so that reading pages costs no write each. An idle limit is shorter by as much.
const TOUCH: i64 = MINUTE;
/// How long ago a sign-in may be for an act that needs a new one.
const FRESH: i64 = 5 * MINUTE;

/// How somebody signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// With a passkey.
    Passkey,
    /// With password and code.
    Password,
    /// At the office's identity provider.
    Oidc,
    /// As an invented person of a demonstration.
    Demo,
    /// With an invitation: only to set the first passkey or password.
    Invitation,
}

/// A session in which somebody is signed in now.
#[derive(Clone, Debug)]
pub struct Session {
    /// The account as it is now.
    pub account: Account,
    /// When they signed in.
    pub authenticated_at: Instant,
    /// How.
    pub method: Method,
    /// Its name in the list of sessions; no secret.
    pub id: String,
    /// When this was looked up.
    pub(super) now: Instant,
}

impl Session {
    /// Signed in within the last `millis` milliseconds: for acts that need it, beside [`Accounts::invite`] and others that
    /// ask by themselves.
    pub fn fresh(&self, millis: i64) -> bool {
        self.enrolled() && self.now < after(self.authenticated_at, millis)
    }

    /// False in the short session of an invitation.
    pub fn enrolled(&self) -> bool {
        self.method != Method::Invitation
    }

    pub(super) fn require_fresh(&self) -> Result<()> {
        match () {
            () if !self.enrolled() => Err(AccountError::SessionEnrolling),
            () if !self.fresh(FRESH) => Err(AccountError::NotFresh),
            () => Ok(()),
        }
    }

    /// A way to sign in is set with the invitation, and changed only after a sign-in of just now.
    pub(super) fn require_enrolling_or_fresh(&self) -> Result<()> {
        if self.enrolled() { self.require_fresh() } else { Ok(()) }
    }
}

/// A new session. The cookie is shown once.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// What the cookie carries.
    pub token: Token,
    /// The session.
    pub session: Session,
}

/// A session in the list of its owner.
#[derive(Clone, Debug)]
pub struct SessionInfo {
    /// Its name; no secret.
    pub id: String,
    /// When it began.
    pub started: Instant,
    /// When it was last used, to the minute.
    pub last_seen: Instant,
    /// Browser and system.
    pub agent: String,
    /// How they signed in.
    pub method: Method,
    /// The session that asks.
    pub current: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Row {
    pub account: String,
    generation: u32,
    method: Method,
    authenticated_at: Instant,
    started: Instant,
    last_seen: Instant,
    until: Instant,
    idle: i64,
    agent: String,
    ended: Option<Instant>,
}

impl Row {
    /// When it ended or will end if nothing more happens.
    pub fn end(&self) -> Instant {
        self.ended.unwrap_or_else(|| self.until.min(after(self.last_seen, self.idle)))
    }

    fn live(&self, account: &Account, now: Instant) -> Result<()> {
        match () {
            () if account.disabled.is_some() => Err(AccountError::AccountDisabled),
            () if self.ended.is_some() || self.generation != account.generation => Err(AccountError::SessionEnded),
            () if now >= self.end() => Err(AccountError::SessionExpired),
            () => Ok(()),
        }
    }

    fn session(&self, id: String, account: Account, now: Instant) -> Session {
        Session { account, authenticated_at: self.authenticated_at, method: self.method, id, now }
    }
}

impl Accounts {
    pub(super) fn open_session(&self, caller: Caller<'_>, account: &Account, method: Method) -> Result<SignedIn> {
        self.open_session_of(caller, account, method, self.now())
    }

    /// A session for somebody who proved who they are at another time: an identity provider remembers its users.
    pub(super) fn open_session_of(
        &self,
        caller: Caller<'_>,
        account: &Account,
        method: Method,
        authenticated_at: Instant,
    ) -> Result<SignedIn> {
        let (token, now) = (self.token()?, self.now());
        let (lasts, idle) = match method {
            Method::Invitation => (ENROLMENT, ENROLMENT),
            _ => (ABSOLUTE, self.idle_limit(&account.subject)),
        };
        let row = Row {
            account: account.id.clone(),
            generation: account.generation,
            method,
            authenticated_at: authenticated_at.min(now),
            started: now,
            last_seen: now,
            until: after(now, lasts),
            idle,
            agent: shorten(caller.agent),
            ended: None,
        };
        self.put(kind::SESSION, &token.key(), &row)?;
        let session = row.session(token.key(), account.clone(), now);
        Ok(SignedIn { token, session })
    }

    /// The session of a cookie. A page that gets [`Method::Invitation`] may only offer to set a first way to sign in.
    ///
    /// # Errors
    /// [`AccountError::SessionUnknown`], `SessionExpired`, `SessionEnded` or `AccountDisabled`.
    pub fn session(&self, token: &str) -> Result<Session> {
        let (key, now) = (key_of(token), self.now());
        let row: Row = self.get(kind::SESSION, &key)?.ok_or(AccountError::SessionUnknown)?;
        let account = self.account(&row.account)?;
        row.live(&account, now)?;
        if now >= after(row.last_seen, TOUCH) {
            self.revise(kind::SESSION, &key, AccountError::SessionUnknown, |row: &mut Row| {
                row.last_seen = row.last_seen.max(now);
                Ok(())
            })?;
        }
        Ok(row.session(key, account, now))
    }

    /// Signs out. The row stays for a week, so that a form which was open can still be parked.
    ///
    /// # Errors
    /// If the store fails.
    pub fn sign_out(&self, token: &str) -> Result<()> {
        match self.end(&key_of(token), None) {
            Err(AccountError::SessionUnknown) => Ok(()),
            other => other,
        }
    }

    /// Ends one of the owner's sessions.
    ///
    /// # Errors
    /// [`AccountError::SessionUnknown`] if it is none of theirs.
    pub fn end_session(&self, session: &Session, id: &str) -> Result<()> {
        self.end(id, Some(&session.account.id))
    }

    fn end(&self, key: &str, owner: Option<&str>) -> Result<()> {
        let now = self.now();
        self.revise(kind::SESSION, key, AccountError::SessionUnknown, |row: &mut Row| {
            if owner.is_some_and(|owner| owner != row.account) {
                return Err(AccountError::SessionUnknown);
            }
            row.ended.get_or_insert(now);
            Ok(())
        })
    }

    /// Ends all sessions of the account, this one too.
    ///
    /// # Errors
    /// If the store fails.
    pub fn sign_out_everywhere(&self, session: &Session) -> Result<()> {
        self.edit(&session.account.id, |account| {
            account.generation += 1;
            Ok(())
        })
    }

    /// The account's living sessions, last seen first.
    ///
    /// # Errors
    /// If the store fails.
    pub fn sessions(&self, session: &Session) -> Result<Vec<SessionInfo>> {
        let now = self.now();
        let account = self.account(&session.account.id)?;
        let mut out: Vec<SessionInfo> = self
            .list::<Row>(kind::SESSION)?
            .into_iter()
            .filter(|(_, row)| row.account == account.id && row.live(&account, now).is_ok())
            .map(|(id, row)| SessionInfo {
                current: id == session.id,
                id,
                started: row.started,
                last_seen: row.last_seen,
                agent: row.agent,
                method: row.method,
            })
            .collect();
        out.sort_by_key(|info| std::cmp::Reverse(info.last_seen));
        Ok(out)
    }
}

/// Browser and system: enough to recognise one's own device, too little to recognise a person.
fn shorten(agent: &str) -> String {
    let find = |names: &[(&'static str, &'static str)]| {
        names.iter().find(|(mark, _)| agent.contains(mark)).map_or("?", |(_, name)| *name)
    };
    // Every browser also claims to be the older ones, so the order matters.
    let browser = find(&[
        ("MicroMessenger", "WeChat"),
        ("Edg", "Edge"),
        ("OPR", "Opera"),
        ("Firefox", "Firefox"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
        ("curl", "curl"),
    ]);
    let system = find(&[
        ("OpenHarmony", "HarmonyOS"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    format!("{browser} · {system}")
}

#[cfg(test)]
mod tests {
    use super::shorten;

    #[test]
    fn agents_are_shortened() {
        let cases = [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0",
                "Edge · Windows",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox · Linux"),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile/15E148 Safari/604.1",
                "Safari · iPhone",
            ),
            ("<script>\u{7}", "? · ?"),
            ("", "? · ?"),
        ];
        for (agent, short) in cases {
            assert_eq!(shorten(agent), short);
        }
    }
}
