//! Personal keys: plain Ed25519 (RFC 8032), checked strictly.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::hash::sha256;

/// A signature or key that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The text is not a key.
    #[error("not an Ed25519 public key")]
    Key,
    /// The text is not a signature.
    #[error("not an Ed25519 signature")]
    Form,
    /// The signature is not by this key over this message.
    #[error("the signature does not fit the key and the message")]
    Wrong,
}

/// The private half of a person's key, as the person's device holds it.
pub struct PersonalKey(SigningKey);

impl std::fmt::Debug for PersonalKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PersonalKey({})", self.public().fingerprint())
    }
}

impl PersonalKey {
    /// From a 32-byte seed.
    pub fn from_seed(seed: [u8; 32]) -> PersonalKey {
        PersonalKey(SigningKey::from_bytes(&seed))
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs; base64.
    pub fn sign(&self, message: &[u8]) -> String {
        STANDARD.encode(self.0.sign(message).to_bytes())
    }
}

/// The public half. Written as base64.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Checks a base64 signature over `message`, strictly (no small-order keys, no malleable forms).
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn verify(&self, message: &[u8], signature: &str) -> Result<(), SignatureError> {
        let key = VerifyingKey::from_bytes(&self.0).map_err(|_| SignatureError::Key)?;
        let bytes: [u8; 64] =
            STANDARD.decode(signature).ok().and_then(|b| b.try_into().ok()).ok_or(SignatureError::Form)?;
        key.verify_strict(message, &Signature::from_bytes(&bytes)).map_err(|_| SignatureError::Wrong)
    }

    /// First 16 hex digits of the key's SHA-256 in groups of four: what a roster prints.
    pub fn fingerprint(&self) -> String {
        let hex = sha256(&self.0).to_string();
        let groups: Vec<&str> = (0..4).filter_map(|i| hex.get(i * 4..i * 4 + 4)).collect();
        groups.join("-")
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl std::str::FromStr for PublicKey {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<PublicKey, SignatureError> {
        let bytes: [u8; 32] = STANDARD.decode(text).ok().and_then(|b| b.try_into().ok()).ok_or(SignatureError::Key)?;
        VerifyingKey::from_bytes(&bytes).map_err(|_| SignatureError::Key)?;
        Ok(PublicKey(bytes))
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PublicKey, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
