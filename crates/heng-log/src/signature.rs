//! Personal keys: plain Ed25519 (RFC 8032), checked strictly, and passkeys (see [`crate::webauthn`]).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use p256::ecdsa::VerifyingKey as PasskeyPoint;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::hash::sha256;
use crate::webauthn::is_rp_id;

/// Algorithm of a signature by a plain key.
pub const ED25519: &str = "ed25519";
/// Algorithm of a signature by a passkey: ECDSA with P-256 and SHA-256 inside a WebAuthn assertion.
pub const WEBAUTHN: &str = "webauthn-es256";

/// A signature or key that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The text is not a key.
    #[error("not a public key")]
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
        PublicKey(Form::Ed25519(self.0.verifying_key().to_bytes()))
    }

    /// Signs; base64.
    pub fn sign(&self, message: &[u8]) -> String {
        STANDARD.encode(self.0.sign(message).to_bytes())
    }
}

/// The public half. It has exactly one written form:
///
/// - Ed25519: base64 of its 32 bytes;
/// - passkey: `webauthn-es256:<rp id>:<base64 of the 33-byte compressed point>` (SEC 1 §2.3.3). The id of the relying
///   party is part of the key, because a device signs for one relying party only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey(Form);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Ed25519([u8; 32]),
    Passkey { rp: String, point: [u8; 33] },
}

impl PublicKey {
    /// The key of a passkey, from its point as a device gives it: compressed or uncompressed (SEC 1 §2.3.3).
    ///
    /// # Errors
    /// [`SignatureError::Key`] if `rp` is no lower-case DNS name nor `localhost`, or the bytes are no point of the curve.
    pub fn passkey(rp: &str, sec1: &[u8]) -> Result<PublicKey, SignatureError> {
        let written = matches!((sec1.first(), sec1.len()), (Some(2 | 3), 33) | (Some(4), 65));
        if !written || !is_rp_id(rp) {
            return Err(SignatureError::Key);
        }
        let key = PasskeyPoint::from_sec1_bytes(sec1).map_err(|_| SignatureError::Key)?;
        let point = key.to_sec1_point(true).as_bytes().try_into().map_err(|_| SignatureError::Key)?;
        Ok(PublicKey(Form::Passkey { rp: rp.to_owned(), point }))
    }

    /// The algorithm of its signatures: [`ED25519`] or [`WEBAUTHN`].
    pub fn alg(&self) -> &'static str {
        match self.0 {
            Form::Ed25519(_) => ED25519,
            Form::Passkey { .. } => WEBAUTHN,
        }
    }

    /// The relying party that a passkey signs for.
    pub fn rp(&self) -> Option<&str> {
        self.passkey_parts().map(|(rp, _)| rp)
    }

    /// Relying party and compressed point of a passkey.
    pub(crate) fn passkey_parts(&self) -> Option<(&str, &[u8; 33])> {
        match &self.0 {
            Form::Ed25519(_) => None,
            Form::Passkey { rp, point } => Some((rp, point)),
        }
    }

    /// Checks a base64 Ed25519 signature over `message`, strictly (no small-order keys, no malleable forms). Those of
    /// passkeys are checked by [`crate::webauthn::Assertion::verify`].
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn verify(&self, message: &[u8], signature: &str) -> Result<(), SignatureError> {
        let Form::Ed25519(bytes) = &self.0 else { return Err(SignatureError::Key) };
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| SignatureError::Key)?;
        let bytes: [u8; 64] =
            STANDARD.decode(signature).ok().and_then(|b| b.try_into().ok()).ok_or(SignatureError::Form)?;
        key.verify_strict(message, &Signature::from_bytes(&bytes)).map_err(|_| SignatureError::Wrong)
    }

    /// First 16 hex digits of a SHA-256 in groups of four: what a roster prints. Hashed are the bytes of an Ed25519
    /// key, the text of a passkey (so that the relying party is covered).
    pub fn fingerprint(&self) -> String {
        let hash = match &self.0 {
            Form::Ed25519(bytes) => sha256(bytes),
            Form::Passkey { .. } => sha256(self.to_string().as_bytes()),
        };
        let hex = hash.to_string();
        let groups: Vec<&str> = (0..4).filter_map(|i| hex.get(i * 4..i * 4 + 4)).collect();
        groups.join("-")
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Form::Ed25519(bytes) => f.write_str(&STANDARD.encode(bytes)),
            Form::Passkey { rp, point } => write!(f, "{WEBAUTHN}:{rp}:{}", STANDARD.encode(point)),
        }
    }
}

impl std::str::FromStr for PublicKey {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<PublicKey, SignatureError> {
        let decode = |base64: &str| STANDARD.decode(base64).map_err(|_| SignatureError::Key);
        let key = match text.strip_prefix(WEBAUTHN).and_then(|rest| rest.strip_prefix(':')?.split_once(':')) {
            Some((rp, point)) => PublicKey::passkey(rp, &decode(point)?)?,
            None => {
                let bytes = decode(text)?.try_into().map_err(|_| SignatureError::Key)?;
                VerifyingKey::from_bytes(&bytes).map_err(|_| SignatureError::Key)?;
                PublicKey(Form::Ed25519(bytes))
            }
        };
        // One key, one text: an uncompressed point is the same key written differently.
        if key.to_string() == text { Ok(key) } else { Err(SignatureError::Key) }
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
