//! Signatures by passkeys: a WebAuthn assertion over one of our hashes, checked from its bytes alone.
//!
//! The device does not sign our hash. It signs `authenticatorData ‖ SHA-256(clientDataJSON)`, and the hash stands in
//! the client data as the *challenge*; so both must be kept with the signature, and both must be read to check it.
//! The rules are those of Web Authentication [Level 2] and [Level 3], §7.2, as far as they hold for a signature that
//! anybody checks years later. Session and credential id belong to the sign-in that came before; the counter is not
//! compared, since passkeys that are kept on several devices leave it at 0.
//!
//! [Level 2]: https://www.w3.org/TR/webauthn-2/#sctn-verifying-assertion
//! [Level 3]: https://www.w3.org/TR/webauthn-3/#sctn-verifying-assertion

use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{DerSignature, SigningKey};
use serde::Deserialize;

use crate::hash::sha256;
use crate::signature::{PublicKey, SignatureError};

/// Greatest size of `authenticatorData`, in bytes: 37, and room for what extensions add.
pub const MAX_AUTHENTICATOR_DATA: usize = 1024;
/// Greatest size of `clientDataJSON`, in bytes: some 200, and room for what browsers will add.
pub const MAX_CLIENT_DATA: usize = 2048;
/// Greatest size of a signature, in bytes: that of an RSA modulus of 4096 bits.
const MAX_SIGNATURE: usize = 512;

/// Hash of the relying party's id, one byte of flags, four of the counter (§6.1).
const MIN_AUTHENTICATOR_DATA: usize = 37;
/// The person touched the device (UP).
const USER_PRESENT: u8 = 0x01;
/// The device knew the person, by PIN, finger or face (UV).
const USER_VERIFIED: u8 = 0x04;

/// Why an assertion is not a signature of this key over this hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebauthnError {
    /// The key is no passkey.
    #[error("the key is not a passkey")]
    Key,
    /// A part is not base64, or longer than anything a device sends.
    #[error("{part} is not base64 of at most {limit} bytes")]
    Part {
        /// Name in the record: `ad`, `cd` or `s`.
        part: &'static str,
        /// Greatest size in bytes.
        limit: usize,
    },
    /// The client data are not what a browser writes.
    #[error("clientDataJSON is not the JSON object of a browser: {0}")]
    ClientData(String),
    /// The assertion was made for something else, such as a registration.
    #[error("clientDataJSON is of type {0:?}, not \"webauthn.get\"")]
    Type(String),
    /// Something else was signed.
    #[error("the challenge is not the hash of this statement")]
    Challenge,
    /// The page was embedded in one of another site, which could have covered it with its own.
    #[error("signed on a page inside another site's page")]
    Embedded,
    /// The page was another site's.
    #[error("signed on {found:?}, which is not a page of {rp}")]
    Origin {
        /// Origin of the page.
        found: String,
        /// Relying party of the key.
        rp: String,
    },
    /// Shorter than the fields that are always there.
    #[error("authenticatorData has {0} bytes; {MIN_AUTHENTICATOR_DATA} are always there")]
    AuthenticatorData(usize),
    /// The device signed for another relying party.
    #[error("authenticatorData is for another relying party than {0}")]
    RelyingParty(String),
    /// Nobody touched the device.
    #[error("the flag UP (user present) is not set")]
    Presence,
    /// The device did not ask for PIN, finger or face.
    #[error("the flag UV (user verified) is not set")]
    Verification,
    /// `s` is not an ECDSA signature in DER, or not as long as the key's RSA modulus.
    #[error("s is not a signature of this key's kind")]
    Form,
    /// The signature is not by this key over these data.
    #[error("the signature does not fit the key and the data")]
    Wrong,
}

/// What a device answers when it is asked to sign (`AuthenticatorAssertionResponse`), byte by byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// What the device says: for whom it signs and how it knew the person.
    pub authenticator_data: Vec<u8>,
    /// What the browser says: what is signed and on which page.
    pub client_data: Vec<u8>,
    /// Signature over both: ECDSA in DER, or RSA.
    pub signature: Vec<u8>,
}

impl Assertion {
    /// Reads the three texts of a record's signature.
    ///
    /// # Errors
    /// [`WebauthnError::Part`].
    pub fn from_base64(ad: &str, cd: &str, s: &str) -> Result<Assertion, WebauthnError> {
        let read = |part, text: &str, limit| {
            let bytes = STANDARD.decode(text).ok().filter(|bytes| bytes.len() <= limit);
            bytes.ok_or(WebauthnError::Part { part, limit })
        };
        Ok(Assertion {
            authenticator_data: read("ad", ad, MAX_AUTHENTICATOR_DATA)?,
            client_data: read("cd", cd, MAX_CLIENT_DATA)?,
            signature: read("s", s, MAX_SIGNATURE)?,
        })
    }

    /// The three texts of a record's signature: `ad`, `cd` and `s`.
    pub fn to_base64(&self) -> [String; 3] {
        [&self.authenticator_data, &self.client_data, &self.signature].map(|bytes| STANDARD.encode(bytes))
    }

    /// Checks that the holder of `key` signed `challenge`: the page, the person, then the signature.
    ///
    /// # Errors
    /// [`WebauthnError`], the first rule that is broken.
    pub fn verify(&self, challenge: &[u8], key: &PublicKey) -> Result<(), WebauthnError> {
        let rp = key.rp().ok_or(WebauthnError::Key)?;
        self.check_client_data(rp, challenge)?;
        self.check_authenticator_data(rp)?;
        key.verify_passkey(&self.signed_bytes(), &self.signature)
    }

    fn check_client_data(&self, rp: &str, challenge: &[u8]) -> Result<(), WebauthnError> {
        let client = ClientData::parse(&self.client_data)?;
        if client.kind != "webauthn.get" {
            return Err(WebauthnError::Type(client.kind));
        }
        if client.challenge != URL_SAFE_NO_PAD.encode(challenge) {
            return Err(WebauthnError::Challenge);
        }
        if client.cross_origin || client.top_origin.is_some() {
            return Err(WebauthnError::Embedded);
        }
        if !is_origin_of(&client.origin, rp) {
            return Err(WebauthnError::Origin { found: client.origin, rp: rp.to_owned() });
        }
        Ok(())
    }

    fn check_authenticator_data(&self, rp: &str) -> Result<(), WebauthnError> {
        let data = &self.authenticator_data;
        let (Some((hash, rest)), true) = (data.split_first_chunk::<32>(), data.len() >= MIN_AUTHENTICATOR_DATA) else {
            return Err(WebauthnError::AuthenticatorData(data.len()));
        };
        if *hash != sha256(rp.as_bytes()).0 {
            return Err(WebauthnError::RelyingParty(rp.to_owned()));
        }
        let flags = rest.first().copied().unwrap_or(0);
        if flags & USER_PRESENT == 0 {
            return Err(WebauthnError::Presence);
        }
        if flags & USER_VERIFIED == 0 {
            return Err(WebauthnError::Verification);
        }
        Ok(())
    }

    fn signed_bytes(&self) -> Vec<u8> {
        [self.authenticator_data.as_slice(), sha256(&self.client_data).as_bytes()].concat()
    }
}

/// What is read of the client data (§5.8.1); browsers may add fields.
#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin", default)]
    cross_origin: bool,
    #[serde(rename = "topOrigin", default)]
    top_origin: Option<String>,
}

impl ClientData {
    fn parse(bytes: &[u8]) -> Result<ClientData, WebauthnError> {
        let wrong = |detail: String| WebauthnError::ClientData(detail);
        let text = std::str::from_utf8(bytes).map_err(|error| wrong(error.to_string()))?;
        // Without this an array of the fields' values would do as well.
        if !text.starts_with('{') {
            return Err(wrong("it does not begin with {".to_owned()));
        }
        serde_json::from_str(text).map_err(|error| wrong(error.to_string()))
    }
}

/// A label of a host name: lower-case letters, digits and inner hyphens (RFC 1123 §2.1).
fn is_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// Whether a text can be the id of a relying party: a DNS name in lower case, or `localhost`.
///
/// A last label that begins with a digit would be an IP address, for which there are no passkeys.
pub fn is_rp_id(text: &str) -> bool {
    let name = text.len() <= 253 && text.split('.').all(is_label);
    let top = text.rsplit_once('.').map(|(_, top)| top);
    text == "localhost" || name && top.is_some_and(|top| top.starts_with(|c: char| c.is_ascii_lowercase()))
}

/// Whether a page of this origin may use the passkeys of `rp`: the host is `rp` or below it, and the connection is
/// encrypted or does not leave the machine.
fn is_origin_of(origin: &str, rp: &str) -> bool {
    let authority = match origin.split_once("://") {
        Some(("https", authority)) => authority,
        Some(("http", authority)) if rp == "localhost" => authority,
        _ => return false,
    };
    let host = match authority.split_once(':') {
        None => authority,
        Some((host, port)) if port.parse::<u16>().is_ok_and(|number| number.to_string() == port) => host,
        Some(_) => return false,
    };
    let below = host.strip_suffix(rp).and_then(|front| front.strip_suffix('.'));
    host == rp || below.is_some_and(|labels| labels.split('.').all(is_label))
}

/// A passkey in software, for simulations and tests: what device and browser do when a person signs.
///
/// It signs without asking anybody, so it is no protection at all for a real person's key. Signatures are
/// deterministic (RFC 6979); only the counter makes two over the same challenge differ.
pub struct SoftPasskey {
    key: SigningKey,
    public: PublicKey,
    rp: String,
    counter: AtomicU32,
}

impl std::fmt::Debug for SoftPasskey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SoftPasskey({})", self.public.fingerprint())
    }
}

impl SoftPasskey {
    /// From a 32-byte seed, for the relying party `rp`.
    ///
    /// # Errors
    /// [`SignatureError::Key`] if `rp` cannot be one, or the seed is no key of the curve (one in 2^32).
    pub fn from_seed(rp: &str, seed: [u8; 32]) -> Result<SoftPasskey, SignatureError> {
        let key = SigningKey::from_slice(&seed).map_err(|_| SignatureError::Key)?;
        let public = PublicKey::passkey(rp, key.verifying_key().to_sec1_point(true).as_bytes())?;
        Ok(SoftPasskey { key, public, rp: rp.to_owned(), counter: AtomicU32::new(0) })
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        self.public.clone()
    }

    /// Signs `challenge` on a page of `origin`, after a touch and a PIN.
    pub fn sign(&self, challenge: &[u8], origin: &str) -> Assertion {
        let counter = self.counter.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let mut authenticator_data = sha256(self.rp.as_bytes()).0.to_vec();
        authenticator_data.push(USER_PRESENT | USER_VERIFIED);
        authenticator_data.extend(counter.to_be_bytes());
        // The form that browsers write (Level 3 §5.8.1.1).
        let client_data = format!(
            r#"{{"type":"webauthn.get","challenge":"{}","origin":{},"crossOrigin":false}}"#,
            URL_SAFE_NO_PAD.encode(challenge),
            serde_json::Value::from(origin)
        );
        self.sign_parts(authenticator_data, client_data.into_bytes())
    }

    /// Signs whatever it is told, as a broken or hostile device could: for tests that such an assertion is refused.
    pub fn sign_parts(&self, authenticator_data: Vec<u8>, client_data: Vec<u8>) -> Assertion {
        let mut assertion = Assertion { authenticator_data, client_data, signature: Vec::new() };
        let signature: DerSignature = self.key.sign(&assertion.signed_bytes());
        assertion.signature = signature.as_bytes().to_vec();
        assertion
    }
}
