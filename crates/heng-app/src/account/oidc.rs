//! Signing in at the office's own identity provider: OpenID Connect, code flow with PKCE, state and nonce.
//!
//! An identity (issuer and subject) is bound to an account in the session of an invitation, or by somebody who has just
//! signed in. The provider says who somebody is, never what they may do; names and addresses that it sends are not used.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use heng_domain::time::Instant;
use openidconnect::core::{
    CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreIdTokenClaims,
    CoreJwsSigningAlgorithm, CoreProviderMetadata,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret,
    CsrfToken, DiscoveryError, HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, TokenResponse,
};
use serde::{Deserialize, Serialize};
use webauthn_rs::prelude::Url;

use super::rows::kind;
use super::secret::key_of;
use super::sign_in::Enrolled;
use super::{
    Account, AccountError, Accounts, Caller, HOUR, Hidden, MINUTE, Method, Notice, Outgoing, Result, SECOND, Session,
    SignedIn, after,
};
use crate::error::AppError;

/// How long the provider may take to send somebody back.
const VISIT: i64 = 15 * MINUTE;
/// How long what the provider publishes about itself is believed.
const DISCOVERY: i64 = HOUR;
/// An older sign-in at the provider is not enough.
const MAX_AGE: Duration = Duration::from_secs(12 * 3600);
/// Only signatures that the provider alone can make: with HS256 whoever knows our secret could.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 4] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// An identity provider and how it knows us.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its address, as it names itself; `https`, or a loopback address for tests.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// Our secret there, if it gave us one.
    pub client_secret: Option<Hidden<String>>,
    /// The page of ours that it sends people back to.
    pub redirect: String,
}

impl Hidden<String> {
    /// A secret of the configuration.
    pub fn new(secret: String) -> Hidden<String> {
        Hidden(secret)
    }
}

/// A provider that is in use.
pub struct Oidc {
    provider: Provider,
    issuer: IssuerUrl,
    redirect: RedirectUrl,
    agent: ureq::Agent,
    known: Mutex<Option<(Instant, CoreProviderMetadata)>>,
}

impl std::fmt::Debug for Oidc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Oidc").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// Why somebody is sent to the provider.
#[derive(Clone, Copy, Debug)]
pub enum OidcFor<'a> {
    /// To sign in.
    SignIn,
    /// To prove once more who they are, for an act that needs it.
    Again(&'a Session),
    /// To bind their identity to this account.
    Bind(&'a Session),
}

/// Where to send the browser.
#[derive(Clone, Debug)]
pub struct OidcStart {
    /// The provider's page.
    pub address: String,
    /// Put it into a short-lived cookie and compare it with the one that comes back: so nobody can be signed in as
    /// somebody else by a link.
    pub state: Hidden<String>,
}

impl OidcStart {
    /// The value of the cookie.
    pub fn expose_state(&self) -> &str {
        &self.state.0
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum OidcDone {
    /// Signed in.
    SignedIn(SignedIn),
    /// The identity is bound.
    Bound(Enrolled),
}

/// Somebody is at the provider.
#[derive(Serialize, Deserialize)]
pub(super) struct Visit {
    issuer: String,
    verifier: Hidden<String>,
    nonce: Hidden<String>,
    purpose: Purpose,
    /// The account that binds or proves itself.
    account: Option<String>,
    began: Instant,
    pub expires: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Purpose {
    SignIn,
    Again,
    Bind,
}

fn unreachable(detail: impl std::fmt::Display) -> AccountError {
    AccountError::OidcUnreachable(detail.to_string())
}

fn refused(detail: impl std::fmt::Display) -> AccountError {
    AccountError::OidcRefused(detail.to_string())
}

/// Addresses of a provider are https; http only on this machine.
fn safe(address: &Url) -> bool {
    let local = address.host_str().is_some_and(|host| {
        host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    });
    address.scheme() == "https" || (address.scheme() == "http" && local)
}

fn moment(now: Instant) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(now.millis()).unwrap_or_default()
}

impl Oidc {
    /// Takes a provider into use; it is first asked when somebody wants to sign in.
    ///
    /// # Errors
    /// If an address is none, or not https.
    pub fn new(provider: Provider) -> Result<Oidc> {
        let wrong = |what: &str| AppError::Other(format!("{what} of the identity provider must be an https address"));
        let issuer = IssuerUrl::new(provider.issuer.clone()).map_err(|_| wrong("the issuer"))?;
        let redirect = RedirectUrl::new(provider.redirect.clone()).map_err(|_| wrong("the redirect page"))?;
        if !safe(issuer.url()) {
            return Err(wrong("the issuer").into());
        }
        // The system's certificates count, so that an office's own authority needs no setting of ours. Redirects would
        // let a provider point us at other machines.
        let tls = ureq::tls::TlsConfig::builder().root_certs(ureq::tls::RootCerts::PlatformVerifier).build();
        let config = ureq::Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(Duration::from_secs(10)))
            .max_redirects(0)
            .http_status_as_error(false)
            .build();
        Ok(Oidc { agent: config.new_agent(), known: Mutex::default(), issuer, redirect, provider })
    }

    fn fetch(&self, request: HttpRequest) -> std::result::Result<HttpResponse, ureq::Error> {
        let local = Url::parse(&request.uri().to_string()).is_ok_and(|address| safe(&address));
        if !local {
            return Err(ureq::Error::RequireHttpsOnly(request.uri().to_string()));
        }
        let (parts, mut body) = self.agent.run(request)?.into_parts();
        let body = body.with_config().limit(1024 * 1024).read_to_vec()?;
        Ok(HttpResponse::from_parts(parts, body))
    }

    /// What the provider publishes about itself, and when it was fetched.
    fn metadata(&self, now: Instant, no_older: i64) -> Result<(Instant, CoreProviderMetadata)> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|(fetched, _)| now < after(*fetched, no_older)) {
            return Ok(known);
        }
        let metadata = CoreProviderMetadata::discover(&self.issuer, &|request| self.fetch(request));
        let metadata = metadata.map_err(|error| match error {
            DiscoveryError::Request(error) => unreachable(error),
            other => refused(other),
        })?;
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, metadata.clone()));
        Ok((now, metadata))
    }

    fn secret(&self) -> Option<ClientSecret> {
        self.provider.client_secret.as_ref().map(|secret| ClientSecret::new(secret.0.clone()))
    }

    fn client_id(&self) -> ClientId {
        ClientId::new(self.provider.client_id.clone())
    }

    /// The page to send the browser to.
    fn page(&self, now: Instant, visit: &Visit, state: &str) -> Result<String> {
        let (_, metadata) = self.metadata(now, DISCOVERY)?;
        let client = CoreClient::from_provider_metadata(metadata, self.client_id(), self.secret())
            .set_redirect_uri(self.redirect.clone());
        let (state, nonce) = (state.to_owned(), visit.nonce.0.clone());
        let verifier = PkceCodeVerifier::new(visit.verifier.0.clone());
        let mut request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || CsrfToken::new(state), || Nonce::new(nonce))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .set_max_age(MAX_AGE);
        if visit.purpose != Purpose::SignIn {
            request = request.add_prompt(CoreAuthPrompt::Login);
        }
        Ok(request.url().0.into())
    }

    /// The subject that a code stands for, and when they proved who they are.
    fn identity(&self, now: Instant, visit: &Visit, code: &str) -> Result<(String, Option<Instant>)> {
        let (_, metadata) = self.metadata(now, DISCOVERY)?;
        let methods = metadata.token_endpoint_auth_methods_supported().cloned().unwrap_or_default();
        let post = methods.contains(&CoreClientAuthMethod::ClientSecretPost)
            && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic);
        let client = CoreClient::from_provider_metadata(metadata, self.client_id(), self.secret())
            .set_redirect_uri(self.redirect.clone())
            .set_auth_type(if post { AuthType::RequestBody } else { AuthType::BasicAuth });
        let answer = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|_| refused("it names no token endpoint"))?
            .set_pkce_verifier(PkceCodeVerifier::new(visit.verifier.0.clone()))
            .request(&|request| self.fetch(request))
            .map_err(|error| match error {
                RequestTokenError::Request(error) => unreachable(error),
                // The description is the provider's own words, and may quote anything.
                RequestTokenError::ServerResponse(error) => refused(error.error()),
                _ => refused("its answer does not read"),
            })?;
        let token = answer.id_token().ok_or_else(|| refused("it sent no ID token"))?;
        let claims = self.claims(now, token, &Nonce::new(visit.nonce.0.clone()), answer.access_token())?;
        let proved = claims.auth_time().and_then(|time| Instant::from_millis(time.timestamp_millis()));
        Ok((claims.subject().to_string(), proved))
    }

    /// Verifies an ID token; once more with keys fetched anew if they may have been changed since.
    fn claims<'a>(
        &self,
        now: Instant,
        token: &'a CoreIdToken,
        nonce: &Nonce,
        access: &AccessToken,
    ) -> Result<&'a CoreIdTokenClaims> {
        let verify = |metadata: CoreProviderMetadata| {
            let client = CoreClient::from_provider_metadata(metadata, self.client_id(), self.secret());
            let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS).set_time_fn(move || moment(now));
            let claims = token.claims(&verifier, nonce)?;
            if let Some(expected) = claims.access_token_hash() {
                let other = |_| ClaimsVerificationError::Other("the access token has no hash".to_owned());
                let algorithm = token.signing_alg().map_err(ClaimsVerificationError::SignatureVerification)?;
                let key = token.signing_key(&verifier).map_err(ClaimsVerificationError::SignatureVerification)?;
                let found = AccessTokenHash::from_token(access, algorithm, key).map_err(other)?;
                if found != *expected {
                    return Err(ClaimsVerificationError::Other("the access token is another one".to_owned()));
                }
            }
            Ok(claims)
        };
        let (fetched, metadata) = self.metadata(now, DISCOVERY)?;
        match verify(metadata) {
            Err(ClaimsVerificationError::SignatureVerification(_)) if now >= after(fetched, MINUTE) => {
                verify(self.metadata(now, MINUTE)?.1).map_err(refused)
            }
            other => other.map_err(refused),
        }
    }
}

impl Accounts {
    /// Sends somebody to the provider.
    ///
    /// # Errors
    /// [`AccountError::OidcUnreachable`], `OidcRefused`, `TooMany`; [`AccountError::NotFresh`] for binding.
    pub fn begin_oidc(&self, oidc: &Oidc, caller: Caller<'_>, purpose: OidcFor<'_>) -> Result<OidcStart> {
        self.ceremonies.take(caller.address, self.now()).map_err(AccountError::TooMany)?;
        let (purpose, account) = match purpose {
            OidcFor::SignIn => (Purpose::SignIn, None),
            OidcFor::Again(session) => (Purpose::Again, Some(session.account.id.clone())),
            OidcFor::Bind(session) => {
                session.require_enrolling_or_fresh()?;
                (Purpose::Bind, Some(session.account.id.clone()))
            }
        };
        let (state, now) = (self.token()?, self.now());
        let visit = Visit {
            issuer: oidc.provider.issuer.clone(),
            verifier: Hidden(self.token()?.expose().to_owned()),
            nonce: Hidden(self.token()?.expose().to_owned()),
            purpose,
            account,
            began: now,
            expires: after(now, VISIT),
        };
        let address = oidc.page(now, &visit, state.expose())?;
        self.put(kind::OIDC, &state.key(), &visit)?;
        Ok(OidcStart { address, state: Hidden(state.expose().to_owned()) })
    }

    /// Takes somebody back from the provider, with the state and code of its redirect. `session` is the one that began it,
    /// for [`OidcFor::Again`] and [`OidcFor::Bind`].
    ///
    /// # Errors
    /// [`AccountError::OidcExpired`], `OidcRefused`, `OidcUnreachable`, `OidcUnknown`, `OidcTaken`, `AccountDisabled`,
    /// `NotFresh` if the provider did not ask them anew, `TooMany`.
    pub fn finish_oidc(
        &self,
        oidc: &Oidc,
        caller: Caller<'_>,
        session: Option<&Session>,
        state: &str,
        code: &str,
    ) -> Result<OidcDone> {
        self.attempt(caller)?;
        let now = self.now();
        let visit: Option<Visit> = self.take(kind::OIDC, &key_of(state))?;
        let visit = visit.filter(|visit| {
            let same = visit.account.as_ref() == session.map(|session| &session.account.id);
            now < visit.expires && visit.issuer == oidc.provider.issuer && (same || visit.purpose == Purpose::SignIn)
        });
        let visit = visit.ok_or(AccountError::OidcExpired)?;
        let (subject, proved) = oidc.identity(now, &visit, code)?;
        // Clocks differ by some seconds. Without a time nobody knows how old the sign-in is: it is not fresh.
        let proved = proved.unwrap_or_else(|| after(now, -12 * HOUR));
        if visit.purpose != Purpose::SignIn && proved < after(visit.began, -30 * SECOND) {
            return Err(AccountError::NotFresh);
        }
        let identity = key_of(&format!("heng/identity/{}\0{subject}", visit.issuer));
        let done = match (visit.purpose, session) {
            (Purpose::Bind, Some(session)) => self.bind(caller, session, &identity, &visit.issuer)?,
            (Purpose::Bind, None) => return Err(AccountError::OidcExpired),
            (Purpose::SignIn | Purpose::Again, _) => {
                let account = self.of_identity(&identity)?;
                if visit.account.is_some_and(|expected| expected != account.id) {
                    return Err(AccountError::OidcUnknown);
                }
                OidcDone::SignedIn(self.open_session_of(caller, &account, Method::Oidc, proved)?)
            }
        };
        self.attempts.give_back(caller.address);
        Ok(done)
    }

    fn of_identity(&self, identity: &str) -> Result<Account> {
        let id: String = self.get(kind::IDENTITY, identity)?.ok_or(AccountError::OidcUnknown)?;
        let account: Option<Account> = self.get(kind::ACCOUNT, &id)?;
        // A recovery takes the identity out of the account; the row alone means nothing.
        let bound = account.filter(|account| account.identities.iter().any(|known| known == identity));
        let account = bound.ok_or(AccountError::OidcUnknown)?;
        if account.disabled.is_some() { Err(AccountError::AccountDisabled) } else { Ok(account) }
    }

    fn bind(&self, caller: Caller<'_>, session: &Session, identity: &str, issuer: &str) -> Result<OidcDone> {
        let id = &session.account.id;
        self.change(kind::IDENTITY, identity, |found: Option<String>| {
            if let Some(holder) = found.filter(|holder| holder != id) {
                let holder: Option<Account> = self.get(kind::ACCOUNT, &holder)?;
                if holder.is_some_and(|holder| holder.identities.iter().any(|known| known == identity)) {
                    return Err(AccountError::OidcTaken);
                }
            }
            Ok((Some(id.clone()), ()))
        })?;
        let account = self.edit(id, |account| {
            self.still(session, account)?;
            if !account.identities.iter().any(|known| known == identity) {
                account.identities.push(identity.to_owned());
            }
            Ok(account.clone())
        })?;
        let notice = Outgoing::new(&account, Notice::IdentityBound, &[("issuer", issuer.to_owned())]);
        Ok(OidcDone::Bound(self.enrolled(caller, session, &account, Method::Oidc, notice)?))
    }

    /// Unbinds all identities of the account.
    ///
    /// # Errors
    /// [`AccountError::NotFresh`], [`AccountError::LastFactor`].
    pub fn unbind_identities(&self, session: &Session) -> Result<()> {
        session.require_fresh()?;
        self.edit(&session.account.id, |account| {
            if account.passkeys.is_empty() && account.password.is_none() {
                return Err(AccountError::LastFactor);
            }
            account.identities.clear();
            Ok(())
        })
    }
}
