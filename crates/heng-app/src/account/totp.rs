//! One-time codes of an authenticator app (RFC 6238: SHA-1, six digits, 30 seconds).

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use heng_domain::time::Instant;
use serde::{Deserialize, Serialize};
use totp_rs::{Builder, Secret};

use super::{Accounts, Hidden, Result, SECOND};
use crate::error::AppError;

/// The codes of an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Totp {
    secret: Hidden<String>,
    /// The step of the last code that counted: neither it nor an older one counts again.
    last: u64,
}

/// What the authenticator app gets.
#[derive(Clone, Debug)]
pub struct TotpSetup {
    /// Name of the ceremony; the first code must come back with it within 15 minutes.
    pub id: String,
    /// The secret in base32, for typing.
    pub secret: Hidden<String>,
    /// `otpauth://…`, for a QR code.
    pub address: Hidden<String>,
}

impl TotpSetup {
    /// The secret in base32, to be shown once.
    pub fn expose_secret(&self) -> &str {
        &self.secret.0
    }

    /// The address for the QR code, to be shown once.
    pub fn expose_address(&self) -> &str {
        &self.address.0
    }
}

impl Totp {
    fn codes(&self, label: &str, issuer: &str) -> Result<totp_rs::Totp> {
        let wrong = || AppError::Other("the secret of the one-time codes does not read".to_owned());
        let bytes = STANDARD_NO_PAD.decode(&self.secret.0).map_err(|_| wrong())?;
        // The crate's names must not hold a colon; they are shown by the app only.
        let clean = |text: &str| text.replace(':', " ");
        let builder =
            Builder::new().with_secret(bytes).with_account_name(clean(label)).with_issuer(Some(clean(issuer)));
        builder.build().map_err(|_| wrong().into())
    }

    /// Whether `code` is right now, or was or will be in the neighbouring step, and did not count before. It counts then.
    pub(super) fn accept(&mut self, code: &str, now: Instant) -> Result<bool> {
        let seconds = u64::try_from(now.millis() / SECOND).unwrap_or(0);
        let digits: String = code.chars().filter(|c| !c.is_whitespace()).map(narrow).collect();
        let step = self.codes("x", "x")?.check(&digits, seconds);
        let counts = step.is_some_and(|step| step > self.last);
        if let Some(step) = step.filter(|_| counts) {
            self.last = step;
        }
        Ok(counts)
    }
}

/// A Chinese keyboard may type full-width digits.
fn narrow(c: char) -> char {
    match c {
        '０'..='９' => char::from_u32(u32::from(c) - u32::from('０') + u32::from('0')).unwrap_or(c),
        _ => c,
    }
}

impl Accounts {
    pub(super) fn new_totp(&self, id: String, label: &str) -> Result<(Totp, TotpSetup)> {
        let bytes = &self.heng.random()?[..20];
        let totp = Totp { secret: Hidden(STANDARD_NO_PAD.encode(bytes)), last: 0 };
        let codes = totp.codes(label, &self.site.rp_id)?;
        let address = codes.to_url().map_err(|_| AppError::Other("the codes have no address".to_owned()))?;
        let secret = Hidden(Secret::from(bytes.to_vec()).to_base32());
        Ok((totp, TotpSetup { id, secret, address: Hidden(address) }))
    }
}
