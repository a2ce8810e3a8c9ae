//! Personal keys: plain Ed25519 (RFC 8032), checked strictly, and passkeys (see [`crate::webauthn`]).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{DerSignature, VerifyingKey as PasskeyPoint};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::hash::sha256;
use crate::webauthn::{WebauthnError, is_rp_id};

/// Algorithm of a signature by a plain key.
pub const ED25519: &str = "ed25519";
/// Algorithm of a signature by a passkey: ECDSA with P-256 and SHA-256 inside a WebAuthn assertion.
pub const WEBAUTHN_ES256: &str = "webauthn-es256";
/// The same with RSASSA-PKCS1-v1_5 and SHA-256 (RFC 8017 §8.2): what the security chips of many office computers make.
pub const WEBAUTHN_RS256: &str = "webauthn-rs256";

/// Sizes of an RSA modulus, in bytes: 2048, 3072 or 4096 bits.
const MODULI: [usize; 3] = [256, 384, 512];
/// The exponent of every RSA key: 65537.
const EXPONENT: [u8; 3] = [1, 0, 1];
/// Greatest size of two 256-bit integers in DER.
const MAX_DER: usize = 72;

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
///   party is part of the key, because a device signs for one relying party only;
/// - passkey of a security chip: `webauthn-rs256:<rp id>:<base64 of the modulus>`, most significant byte first. The
///   exponent is always 65537.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey(Form);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Ed25519([u8; 32]),
    Es256 { rp: String, point: [u8; 33] },
    Rs256 { rp: String, modulus: Vec<u8> },
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
        Ok(PublicKey(Form::Es256 { rp: rp.to_owned(), point }))
    }

    /// The key of a passkey that signs with RSA, from its modulus; the exponent must be 65537, which every device uses.
    ///
    /// # Errors
    /// [`SignatureError::Key`] if `rp` is no lower-case DNS name nor `localhost`, or the modulus is not an odd number of
    /// exactly 2048, 3072 or 4096 bits.
    pub fn passkey_rsa(rp: &str, modulus: &[u8]) -> Result<PublicKey, SignatureError> {
        let top = modulus.first().is_some_and(|byte| byte & 0x80 != 0);
        let odd = modulus.last().is_some_and(|byte| byte & 1 != 0);
        if !MODULI.contains(&modulus.len()) || !top || !odd || !is_rp_id(rp) {
            return Err(SignatureError::Key);
        }
        Ok(PublicKey(Form::Rs256 { rp: rp.to_owned(), modulus: modulus.to_vec() }))
    }

    /// The algorithm of its signatures: [`ED25519`], [`WEBAUTHN_ES256`] or [`WEBAUTHN_RS256`].
    pub fn alg(&self) -> &'static str {
        match self.0 {
            Form::Ed25519(_) => ED25519,
            Form::Es256 { .. } => WEBAUTHN_ES256,
            Form::Rs256 { .. } => WEBAUTHN_RS256,
        }
    }

    /// The relying party that a passkey signs for; a plain key has none.
    pub fn rp(&self) -> Option<&str> {
        match &self.0 {
            Form::Ed25519(_) => None,
            Form::Es256 { rp, .. } | Form::Rs256 { rp, .. } => Some(rp),
        }
    }

    /// Checks the signature within an assertion, over what the device signed.
    pub(crate) fn verify_passkey(&self, signed: &[u8], signature: &[u8]) -> Result<(), WebauthnError> {
        match &self.0 {
            Form::Ed25519(_) => Err(WebauthnError::Key),
            Form::Es256 { point, .. } => {
                let key = PasskeyPoint::from_sec1_bytes(point).map_err(|_| WebauthnError::Key)?;
                let short = Some(signature).filter(|signature| signature.len() <= MAX_DER);
                let der = short.and_then(|bytes| DerSignature::from_bytes(bytes).ok()).ok_or(WebauthnError::Form)?;
                key.verify(signed, &der).map_err(|_| WebauthnError::Wrong)
            }
            Form::Rs256 { modulus, .. } => {
                if signature.len() != modulus.len() {
                    return Err(WebauthnError::Form);
                }
                let key = RsaPublicKeyComponents { n: modulus.as_slice(), e: EXPONENT.as_slice() };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).map_err(|_| WebauthnError::Wrong)
            }
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
            Form::Es256 { .. } | Form::Rs256 { .. } => sha256(self.to_string().as_bytes()),
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
            Form::Es256 { rp, point } => write!(f, "{WEBAUTHN_ES256}:{rp}:{}", STANDARD.encode(point)),
            Form::Rs256 { rp, modulus } => write!(f, "{WEBAUTHN_RS256}:{rp}:{}", STANDARD.encode(modulus)),
        }
    }
}

impl std::str::FromStr for PublicKey {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<PublicKey, SignatureError> {
        let decode = |base64: &str| STANDARD.decode(base64).map_err(|_| SignatureError::Key);
        let parts = |alg: &str| text.strip_prefix(alg)?.strip_prefix(':')?.split_once(':');
        let key = match (parts(WEBAUTHN_ES256), parts(WEBAUTHN_RS256)) {
            (Some((rp, point)), _) => PublicKey::passkey(rp, &decode(point)?)?,
            (_, Some((rp, modulus))) => PublicKey::passkey_rsa(rp, &decode(modulus)?)?,
            (None, None) => {
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
