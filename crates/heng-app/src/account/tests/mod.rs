//! The whole service on SQLite in memory with a clock that is set by hand and a passkey in software.
#![allow(clippy::unwrap_used)]

mod invitations;
#[cfg(feature = "oidc")]
mod oidc;
mod passkeys;
mod passwords;
mod recoveries;
mod secrets;
mod sessions;
mod two_servers;

use std::sync::Arc;

use heng_domain::rules::Level;
use heng_domain::text::Text;
use serde_json::Value;
use webauthn_authenticator_rs::WebauthnAuthenticator;
use webauthn_authenticator_rs::softpasskey::SoftPasskey;
use webauthn_rs::prelude::Url;

use super::*;
use crate::clock::{Clock, ManualClock, SeededEntropy};
use crate::simulation::{Cast, Numbers};

pub(super) const CALLER: Caller<'static> =
    Caller { address: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), agent: "Firefox (Linux)" };
pub(super) const PASSWORD: &str = "评审工作要公平公正公开透明";

/// An office with the officers p:0001 and p:0002.
pub(super) struct House {
    pub accounts: Accounts,
    pub clock: Arc<ManualClock>,
    pub cast: Cast,
}

/// Somebody with a browser.
pub(super) struct Person {
    pub signed_in: SignedIn,
    pub device: Device,
}

impl Person {
    pub fn session(&self) -> &Session {
        &self.signed_in.session
    }
}

/// A passkey in software, which finds its account by itself as a discoverable one does.
pub(super) struct Device {
    soft: SoftPasskey,
    user: Vec<u8>,
    keys: Vec<Value>,
    pub origin: &'static str,
}

impl Device {
    pub fn new() -> Device {
        Device { soft: SoftPasskey::new(true), user: Vec::new(), keys: Vec::new(), origin: "https://award.example" }
    }

    pub fn create(&mut self, options: &Value) -> Value {
        // The software key refuses what it could not keep; the account it belongs to is added to its answers below.
        let mut options = options.clone();
        options["publicKey"]["authenticatorSelection"]["requireResidentKey"] = false.into();
        let options = serde_json::from_value(options).unwrap();
        let created = self.soft.do_registration(Url::parse(self.origin).unwrap(), options).unwrap();
        let answer = serde_json::to_value(created).unwrap();
        self.keys.push(serde_json::json!({ "type": "public-key", "id": answer["rawId"] }));
        answer
    }

    pub fn get(&mut self, options: &Value) -> Value {
        let mut options = options.clone();
        if options["publicKey"]["allowCredentials"].as_array().is_none_or(Vec::is_empty) {
            options["publicKey"]["allowCredentials"] = self.keys.clone().into();
        }
        let options = serde_json::from_value(options).unwrap();
        let got = self.soft.do_authentication(Url::parse(self.origin).unwrap(), options).unwrap();
        let mut answer = serde_json::to_value(got).unwrap();
        answer["response"]["userHandle"] = base64_url(&self.user).into();
        answer
    }
}

pub(super) fn base64_url(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn site() -> Site {
    Site { rp_id: "award.example".to_owned(), origin: "https://award.example".to_owned() }
}

pub(super) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Instant::parse("2026-03-02T01:00:00.000Z").unwrap()))
}

pub(super) fn found(heng: &Heng) -> Cast {
    let numbers = Numbers { firms: 2, experts: 2, members: 3 };
    Cast::found(heng, "award.example/office", Text::new("示例", "Example"), Level::City, numbers, 1, true).unwrap()
}

pub(super) fn house() -> House {
    let clock = clock();
    let heng = Arc::new(Heng::in_memory(clock.clone() as Arc<dyn Clock>, Arc::new(SeededEntropy::new(1))).unwrap());
    let cast = found(&heng);
    House { accounts: Accounts::new(heng, site()).unwrap(), clock, cast }
}

impl House {
    pub fn minutes(&self, minutes: i64) {
        self.clock.advance_millis(minutes * MINUTE);
    }

    /// Invites, redeems and registers a passkey.
    pub fn enrol(&self, invite: &Invite) -> Person {
        let issued = self.accounts.invite(By::Operator, invite).unwrap();
        self.accept(issued.token.expose())
    }

    pub fn accept(&self, token: &str) -> Person {
        let guest = self.accounts.redeem(CALLER, token).unwrap();
        let mut device = Device::new();
        let enrolled = self.register(&guest.session, &mut device).unwrap();
        Person { signed_in: enrolled.signed_in.unwrap(), device }
    }

    pub fn register(&self, session: &Session, device: &mut Device) -> Result<Enrolled> {
        let ceremony = self.accounts.begin_passkey(session)?;
        let answer = device.create(&ceremony.options);
        device.user = hex::decode(&session.account.id[2..]).unwrap();
        self.accounts.finish_passkey(CALLER, session, &ceremony.id, "办公室的手机", &answer)
    }

    pub fn officer(&self, person: &str) -> Person {
        self.enrol(&Invite::new(Subject::Person(person.to_owned()), person, None))
    }

    pub fn staff(&self, name: &str, email: &str) -> Person {
        self.enrol(&Invite::new(Subject::Organisation("o:0001".to_owned()), name, Some(email)))
    }

    pub fn sign_in(&self, person: &mut Person) -> Result<()> {
        let ceremony = self.accounts.begin_sign_in(CALLER)?;
        let answer = person.device.get(&ceremony.options);
        person.signed_in = self.accounts.finish_sign_in(CALLER, &ceremony.id, &answer)?;
        Ok(())
    }

    /// The session as the next page sees it.
    pub fn look(&self, person: &Person) -> Result<Session> {
        self.accounts.session(person.signed_in.token.expose())
    }

    /// The code of an authenticator app, so many steps from now.
    pub fn code(&self, setup: &TotpSetup, steps: i64) -> String {
        let secret = totp_rs::Secret::try_from_base32(setup.expose_secret()).unwrap();
        let app = totp_rs::Builder::new().with_secret(secret).with_account_name("x").build().unwrap();
        let seconds = self.clock.now().millis() / SECOND + 30 * steps;
        app.generate(u64::try_from(seconds).unwrap()).to_string()
    }

    /// Adds password and code to a fresh session.
    pub fn set_password(&self, session: &Session) -> TotpSetup {
        let setup = self.accounts.begin_password(session, PASSWORD).unwrap();
        self.accounts.finish_password(CALLER, session, &setup.id, &self.code(&setup, 0)).unwrap();
        self.minutes(1);
        setup
    }
}

pub(super) fn code_of<T: std::fmt::Debug>(result: Result<T>) -> &'static str {
    result.unwrap_err().code()
}
