//! Passkeys: registration and sign-in by WebAuthn.
//!
//! Only ES256 on P-256, and RS256 for computers whose security chip knows nothing else: the same passkey signs records,
//! and every checker must be able to verify that. User
//! verification is required; keys are discoverable, so that signing in needs no name. The library makes the challenges
//! with its own random bytes; everything that has to be repeatable in tests goes through [`crate::Clock`].

use heng_domain::time::Instant;
use heng_log::signature::{PublicKey, SignatureError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use webauthn_rs::prelude::{
    AuthenticationResult, COSEAlgorithm, COSEKeyType, DiscoverableAuthentication, DiscoverableKey, Passkey,
    PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, Uuid, WebauthnError,
};

use super::people::check_name;
use super::rows::kind;
use super::sign_in::Enrolled;
use super::{
    Account, AccountError, Accounts, Caller, MINUTE, Method, Notice, Outgoing, Result, Session, SignedIn, after,
};

const CEREMONY: i64 = 5 * MINUTE;

/// What a device may sign with, the better first.
const KINDS: [COSEAlgorithm; 2] = [COSEAlgorithm::ES256, COSEAlgorithm::RS256];

/// A passkey of an account.
#[derive(Clone, Serialize, Deserialize)]
pub struct StoredPasskey {
    /// What its owner calls it.
    pub label: String,
    /// When it was added.
    pub added: Instant,
    /// When it last signed in.
    pub used: Option<Instant>,
    passkey: Passkey,
}

impl std::fmt::Debug for StoredPasskey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredPasskey").field("label", &self.label).field("added", &self.added).finish_non_exhaustive()
    }
}

impl StoredPasskey {
    /// The credential's name at the authenticator.
    pub fn credential_id(&self) -> &[u8] {
        self.passkey.cred_id().as_ref()
    }

    /// The key that its signatures on records are checked with, for the relying party `rp`.
    ///
    /// # Errors
    /// [`SignatureError::Key`] if records cannot be signed with it, which registration does not let in.
    pub fn public_key(&self, rp: &str) -> std::result::Result<PublicKey, SignatureError> {
        match &self.passkey.get_public_key().key {
            COSEKeyType::EC_EC2(key) => PublicKey::passkey(rp, &[&[4], key.x.as_slice(), key.y.as_slice()].concat()),
            COSEKeyType::RSA(key) if key.e == [1, 0, 1] => PublicKey::passkey_rsa(rp, &key.n),
            _ => Err(SignatureError::Key),
        }
    }
}

/// What the browser gets: its answer must come back with `id` within five minutes.
#[derive(Clone, Debug)]
pub struct Ceremony {
    /// The ceremony's name.
    pub id: String,
    /// `{"publicKey": …}` for `navigator.credentials.create` or `.get`, binary values as base64url.
    pub options: Value,
}

/// A ceremony that was begun.
#[derive(Serialize, Deserialize)]
pub(super) struct Begun {
    pub expires: Instant,
    state: State,
}

#[derive(Serialize, Deserialize)]
enum State {
    Register { account: String, state: PasskeyRegistration },
    Discover(DiscoverableAuthentication),
    Again { account: String, state: PasskeyAuthentication },
}

/// The library's faults are named by their kind; they hold nothing secret.
fn refused(error: WebauthnError) -> AccountError {
    AccountError::PasskeyRefused(error.to_string())
}

fn form(_: serde_json::Error) -> AccountError {
    // Serde's own words could quote what was sent.
    AccountError::PasskeyRefused("the answer is not of the right form".to_owned())
}

fn uuid_of(account: &str) -> Option<Uuid> {
    Uuid::try_parse(account.strip_prefix("u:")?).ok()
}

impl Accounts {
    fn begin(&self, state: State, options: Value) -> Result<Ceremony> {
        let id = self.name()?;
        self.put(kind::CEREMONY, &id, &Begun { expires: after(self.now(), CEREMONY), state })?;
        Ok(Ceremony { id, options })
    }

    /// A ceremony counts once.
    fn begun(&self, id: &str) -> Result<State> {
        let begun: Option<Begun> = self.take(kind::CEREMONY, id)?;
        begun.filter(|begun| self.now() < begun.expires).map(|begun| begun.state).ok_or(AccountError::CeremonyExpired)
    }

    /// Begins the registration of a passkey.
    ///
    /// # Errors
    /// [`AccountError::NotFresh`].
    pub fn begin_passkey(&self, session: &Session) -> Result<Ceremony> {
        session.require_enrolling_or_fresh()?;
        let account = self.account(&session.account.id)?;
        let uuid = uuid_of(&account.id).ok_or(AccountError::AccountUnknown)?;
        let known = account.passkeys.iter().map(|key| key.passkey.cred_id().clone()).collect();
        let login = account.email.as_deref().unwrap_or(&account.name);
        let (challenge, state) =
            self.webauthn.start_passkey_registration(uuid, login, &account.name, Some(known)).map_err(refused)?;
        let mut options = serde_json::to_value(challenge).map_err(form)?;
        let public = &mut options["publicKey"];
        public["pubKeyCredParams"] =
            KINDS.iter().map(|alg| serde_json::json!({ "type": "public-key", "alg": *alg as i32 })).collect();
        public["authenticatorSelection"]["residentKey"] = "required".into();
        public["authenticatorSelection"]["requireResidentKey"] = true.into();
        self.begin(State::Register { account: account.id, state }, options)
    }

    /// Ends the registration of a passkey with the browser's answer. If it is the first way to sign in, a full session
    /// takes the place of the invitation's.
    ///
    /// # Errors
    /// [`AccountError::CeremonyExpired`], `PasskeyRefused`, `PasskeyKind`, `PasskeyKnown`.
    pub fn finish_passkey(
        &self,
        caller: Caller<'_>,
        session: &Session,
        ceremony: &str,
        label: &str,
        answer: &Value,
    ) -> Result<Enrolled> {
        let State::Register { account, state } = self.begun(ceremony)? else {
            return Err(AccountError::CeremonyExpired);
        };
        if account != session.account.id {
            return Err(AccountError::CeremonyExpired);
        }
        let answer = RegisterPublicKeyCredential::deserialize(answer).map_err(form)?;
        let passkey = self.webauthn.finish_passkey_registration(&answer, &state).map_err(refused)?;
        let key = StoredPasskey { label: check_name(label)?, added: self.now(), used: None, passkey };
        if !KINDS.contains(key.passkey.cred_algorithm()) || key.public_key(&self.site.rp_id).is_err() {
            return Err(AccountError::PasskeyKind);
        }
        let account = self.edit(&account, |account| {
            if account.passkeys.iter().any(|known| known.credential_id() == key.credential_id()) {
                return Err(AccountError::PasskeyKnown);
            }
            self.still(session, account)?;
            account.passkeys.push(key.clone());
            Ok(account.clone())
        })?;
        let notice = Outgoing::new(&account, Notice::PasskeyAdded, &[("label", key.label)]);
        self.enrolled(caller, session, &account, Method::Passkey, notice)
    }

    /// Removes a passkey.
    ///
    /// # Errors
    /// [`AccountError::NotFresh`], [`AccountError::PasskeyUnknown`], [`AccountError::LastFactor`].
    pub fn remove_passkey(&self, session: &Session, credential_id: &[u8]) -> Result<()> {
        session.require_fresh()?;
        self.edit(&session.account.id, |account| {
            let at = account.passkeys.iter().position(|key| key.credential_id() == credential_id);
            let at = at.ok_or(AccountError::PasskeyUnknown)?;
            if account.factors() == 1 {
                return Err(AccountError::LastFactor);
            }
            account.passkeys.remove(at);
            Ok(())
        })
    }

    /// Begins a sign-in with any passkey of this site; no name is asked.
    ///
    /// # Errors
    /// [`AccountError::TooMany`].
    pub fn begin_sign_in(&self, caller: Caller<'_>) -> Result<Ceremony> {
        self.ceremonies.take(caller.address, self.now()).map_err(AccountError::TooMany)?;
        let (challenge, state) = self.webauthn.start_discoverable_authentication().map_err(refused)?;
        let mut options = serde_json::to_value(challenge).map_err(form)?;
        // A button begins it, not the filling-in of a field.
        if let Some(map) = options.as_object_mut() {
            map.remove("mediation");
        }
        self.begin(State::Discover(state), options)
    }

    /// Begins signing in once more with a passkey of this account, for an act that needs it.
    ///
    /// # Errors
    /// [`AccountError::PasskeyUnknown`] if it has none.
    pub fn begin_again(&self, session: &Session) -> Result<Ceremony> {
        let account = self.account(&session.account.id)?;
        if account.passkeys.is_empty() {
            return Err(AccountError::PasskeyUnknown);
        }
        let keys: Vec<Passkey> = account.passkeys.iter().map(|key| key.passkey.clone()).collect();
        let (challenge, state) = self.webauthn.start_passkey_authentication(&keys).map_err(refused)?;
        let options = serde_json::to_value(challenge).map_err(form)?;
        self.begin(State::Again { account: account.id, state }, options)
    }

    /// Ends a sign-in with the browser's answer: a new session. After [`Accounts::begin_again`] sign the old one out.
    ///
    /// # Errors
    /// [`AccountError::CeremonyExpired`], `PasskeyUnknown`, `PasskeyRefused`, `AccountDisabled`, `TooMany`.
    pub fn finish_sign_in(&self, caller: Caller<'_>, ceremony: &str, answer: &Value) -> Result<SignedIn> {
        self.attempt(caller)?;
        let answer = PublicKeyCredential::deserialize(answer).map_err(form)?;
        let (id, result) = match self.begun(ceremony)? {
            State::Register { .. } => return Err(AccountError::CeremonyExpired),
            State::Discover(state) => self.discovered(&answer, state)?,
            State::Again { account, state } => {
                (account, self.webauthn.finish_passkey_authentication(&answer, &state).map_err(refused)?)
            }
        };
        let now = self.now();
        let account = self.edit(&id, |account: &mut Account| {
            if account.disabled.is_some() {
                return Err(AccountError::AccountDisabled);
            }
            // Looked up once more: it may have been removed since.
            let key = account.passkeys.iter_mut().find(|key| key.passkey.cred_id() == result.cred_id());
            let key = key.ok_or(AccountError::PasskeyUnknown)?;
            key.passkey.update_credential(&result);
            key.used = Some(now);
            Ok(account.clone())
        })?;
        self.attempts.give_back(caller.address);
        self.open_session(caller, &account, Method::Passkey)
    }

    fn discovered(
        &self,
        answer: &PublicKeyCredential,
        state: DiscoverableAuthentication,
    ) -> Result<(String, AuthenticationResult)> {
        let (uuid, credential) = self.webauthn.identify_discoverable_authentication(answer).map_err(refused)?;
        let id = format!("u:{}", uuid.simple());
        let account: Option<Account> = self.get(kind::ACCOUNT, &id)?;
        let keys = account.map(|account| account.passkeys).unwrap_or_default();
        let key = keys.iter().find(|key| key.credential_id() == credential).ok_or(AccountError::PasskeyUnknown)?;
        let key = DiscoverableKey::from(&key.passkey);
        let result = self.webauthn.finish_discoverable_authentication_v2(answer, state, key).map_err(refused)?;
        Ok((id, result))
    }
}
