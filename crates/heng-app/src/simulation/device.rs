//! What an invented person signs with: a key file or a passkey.

use heng_domain::record::{Anchor, Signature};
use heng_log::Hash;
use heng_log::sha256;
use heng_log::signature::{PersonalKey, PublicKey};
use heng_log::webauthn::SoftPasskey;

use crate::draft::Draft;
use crate::error::{AppError, Result};

/// Relying party of the invented passkeys.
pub const RP: &str = "heng.example";
/// Origin of the page on which they sign.
pub const ORIGIN: &str = "https://heng.example";

/// A device of an invented person.
#[derive(Debug)]
pub enum DeviceKey {
    /// A plain key in a file.
    File(PersonalKey),
    /// A passkey for [`RP`].
    Passkey(SoftPasskey),
}

impl DeviceKey {
    /// The device of a person or expert. Every third member of the committee (`p:0012`, `p:0015`, … `p:0099`) has a
    /// passkey, so that each simulated edition holds signatures of both kinds.
    ///
    /// # Errors
    /// If the seed is no key of the curve (one in 2^32).
    pub fn of(seed: u64, id: &str) -> Result<DeviceKey> {
        let number = id.strip_prefix("p:").and_then(|number| number.parse::<u32>().ok());
        if number.is_some_and(|n| (10..100).contains(&n) && n % 3 == 0) {
            return DeviceKey::passkey(RP, seed, id);
        }
        Ok(DeviceKey::File(PersonalKey::from_seed(DeviceKey::seed(seed, id))))
    }

    /// The device of somebody who has a passkey for `rp`.
    ///
    /// # Errors
    /// As [`DeviceKey::of`].
    pub fn passkey(rp: &str, seed: u64, id: &str) -> Result<DeviceKey> {
        let passkey = SoftPasskey::from_seed(rp, DeviceKey::seed(seed, id));
        passkey.map(DeviceKey::Passkey).map_err(|error| AppError::Key(error.to_string()))
    }

    /// The secret half of the key of a person or expert.
    pub fn seed(seed: u64, id: &str) -> [u8; 32] {
        sha256(format!("heng/simulated-key/{seed}/{id}").as_bytes()).0
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        match self {
            DeviceKey::File(key) => key.public(),
            DeviceKey::Passkey(passkey) => passkey.public(),
        }
    }

    /// Signs the hash of a statement for `by`.
    pub fn signature(&self, statement: &Hash, by: &str, at: Anchor) -> Signature {
        match self {
            DeviceKey::File(key) => Signature::by_key(statement, by, at, key),
            DeviceKey::Passkey(passkey) => {
                let assertion = passkey.sign(statement.as_bytes(), &origin_of(passkey));
                Signature::by_passkey(&assertion, by, at, &passkey.public())
            }
        }
    }

    /// Signs a draft for `by`.
    ///
    /// # Errors
    /// If the draft is not canonical.
    pub fn sign(&self, draft: Draft, log: &str, by: &str, at: Anchor) -> Result<Draft> {
        Ok(match self {
            DeviceKey::File(key) => draft.sign(log, by, key, at)?,
            DeviceKey::Passkey(passkey) => draft.sign_with_passkey(log, by, passkey, &origin_of(passkey), at)?,
        })
    }
}

/// The page on which a passkey signs.
fn origin_of(passkey: &SoftPasskey) -> String {
    format!("https://{}", passkey.public().rp().unwrap_or(RP))
}
