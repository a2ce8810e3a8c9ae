//! Signed notes (C2SP signed-note v1.0.0): a text, an empty line, and lines `— name base64(keyid ‖ signature)`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::hash::{Sha256, TreeHash};

/// Most signature lines that are read (the specification asks for at least 16).
pub const MAX_SIGNATURES: usize = 100;
/// Greatest size of a note, in bytes.
pub const MAX_NOTE_BYTES: usize = 1_000_000;

/// A note or key that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a note.
    #[error("not a signed note: {0}")]
    Form(&'static str),
    /// Not a key.
    #[error("not a note key: {0}")]
    Key(&'static str),
    /// No line of this key.
    #[error("there is no signature by {0}")]
    Missing(String),
    /// The line is there, but does not fit.
    #[error("the signature by {0} does not fit the text")]
    Wrong(String),
    /// The text is not that of a checkpoint.
    #[error("not a checkpoint: {0}")]
    Checkpoint(&'static str),
    /// A checkpoint of another log.
    #[error("a checkpoint of {found}, not of {expected}")]
    Origin {
        /// Origin in the note.
        found: String,
        /// Name of the key.
        expected: String,
    },
}

/// Kind of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Ed25519 over the text (0x01): a log's key.
    Ed25519,
    /// Timestamped Ed25519 cosignature (0x04): a witness's key.
    CosignatureV1,
}

impl KeyKind {
    const fn byte(self) -> u8 {
        match self {
            KeyKind::Ed25519 => 0x01,
            KeyKind::CosignatureV1 => 0x04,
        }
    }
}

/// A key that checks signatures: `name+hash8+base64(type ‖ key)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    key: [u8; 32],
}

fn key_id(name: &str, kind: KeyKind, key: &[u8; 32]) -> u32 {
    let hash = Sha256::digest(&[name.as_bytes(), b"\n", &[kind.byte()], key]);
    let [a, b, c, d, ..] = hash.0;
    u32::from_be_bytes([a, b, c, d])
}

fn check_name(name: &str) -> Result<(), NoteError> {
    let bad = |c: char| c == '+' || c.is_whitespace() || c.is_control();
    if name.is_empty() || name.chars().any(bad) {
        return Err(NoteError::Key("a name must not be empty or hold spaces, control characters or '+'"));
    }
    Ok(())
}

impl VerifierKey {
    /// Name: that of the log or witness.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// First four bytes of `SHA-256(name ‖ 0x0A ‖ type ‖ key)`.
    pub fn key_id(&self) -> u32 {
        key_id(&self.name, self.kind, &self.key)
    }

    /// Kind.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The bare Ed25519 key.
    pub fn public_key(&self) -> [u8; 32] {
        self.key
    }

    pub(crate) fn check(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        VerifyingKey::from_bytes(&self.key)
            .is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
    }
}

impl std::fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut bytes = vec![self.kind.byte()];
        bytes.extend(self.key);
        write!(f, "{}+{:08x}+{}", self.name, self.key_id(), STANDARD.encode(bytes))
    }
}

impl std::str::FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<VerifierKey, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(data)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Key("it has not three parts"));
        };
        check_name(name)?;
        let bytes = STANDARD.decode(data).map_err(|_| NoteError::Key("it is not base64"))?;
        let (kind, key) = match bytes.split_first() {
            Some((0x01, key)) => (KeyKind::Ed25519, key),
            Some((0x04, key)) => (KeyKind::CosignatureV1, key),
            _ => return Err(NoteError::Key("its type is not known")),
        };
        let key: [u8; 32] = key.try_into().map_err(|_| NoteError::Key("it has not 32 bytes"))?;
        VerifyingKey::from_bytes(&key).map_err(|_| NoteError::Key("it is not a point of the curve"))?;
        let verifier = VerifierKey { name: name.to_owned(), kind, key };
        if id == format!("{:08x}", verifier.key_id()) {
            Ok(verifier)
        } else {
            Err(NoteError::Key("its hash does not fit its name and key"))
        }
    }
}

/// A key that signs notes.
pub struct SignerKey {
    name: String,
    kind: KeyKind,
    key: SigningKey,
}

impl std::fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignerKey({})", self.verifier())
    }
}

impl SignerKey {
    /// From a name and a 32-byte seed.
    ///
    /// # Errors
    /// [`NoteError::Key`] if the name is empty or holds spaces, control characters or `+`.
    pub fn from_seed(name: &str, kind: KeyKind, seed: [u8; 32]) -> Result<SignerKey, NoteError> {
        check_name(name)?;
        Ok(SignerKey { name: name.to_owned(), kind, key: SigningKey::from_bytes(&seed) })
    }

    /// The key that checks.
    pub fn verifier(&self) -> VerifierKey {
        VerifierKey { name: self.name.clone(), kind: self.kind, key: self.key.verifying_key().to_bytes() }
    }

    pub(crate) fn sign_bytes(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

/// A signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key.
    pub name: String,
    /// Key ID.
    pub key_id: u32,
    /// The bytes after the key ID.
    pub bytes: Vec<u8>,
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The text; ends in a line feed.
    pub text: String,
    /// Signatures.
    pub signatures: Vec<NoteSignature>,
}

/// Signs a text with a log's key.
///
/// # Errors
/// If the text is empty, does not end in a line feed, or holds other control characters.
pub fn sign(text: &str, signer: &SignerKey) -> Result<Note, NoteError> {
    check_text(text)?;
    let mut note = Note { text: text.to_owned(), signatures: Vec::new() };
    note.add_signature(signer)?;
    Ok(note)
}

fn check_text(text: &str) -> Result<(), NoteError> {
    if !text.ends_with('\n') {
        return Err(NoteError::Form("the text must end in a line feed"));
    }
    if text.bytes().any(|b| b < 0x20 && b != b'\n') {
        return Err(NoteError::Form("the text holds a control character"));
    }
    Ok(())
}

impl Note {
    /// Reads a note.
    ///
    /// # Errors
    /// [`NoteError::Form`].
    pub fn parse(input: &str) -> Result<Note, NoteError> {
        if input.len() > MAX_NOTE_BYTES {
            return Err(NoteError::Form("it is too long"));
        }
        check_text(input)?;
        // The text may hold empty lines; the last one separates the signatures.
        let (text, lines) = input.rsplit_once("\n\n").ok_or(NoteError::Form("no empty line before the signatures"))?;
        if lines.is_empty() || lines.lines().count() > MAX_SIGNATURES {
            return Err(NoteError::Form("it has no signature, or too many"));
        }
        let signatures = lines.lines().map(parse_line).collect::<Result<_, _>>()?;
        Ok(Note { text: format!("{text}\n"), signatures })
    }

    /// Adds a signature of a log's key; an earlier line of the same key is replaced.
    ///
    /// # Errors
    /// For a witness's key: that one cosigns.
    pub fn add_signature(&mut self, signer: &SignerKey) -> Result<(), NoteError> {
        if signer.kind != KeyKind::Ed25519 {
            return Err(NoteError::Key("a witness's key cosigns"));
        }
        let bytes = signer.sign_bytes(self.text.as_bytes()).to_vec();
        self.put(&signer.verifier(), bytes);
        Ok(())
    }

    pub(crate) fn put(&mut self, key: &VerifierKey, bytes: Vec<u8>) {
        let line = NoteSignature { name: key.name.clone(), key_id: key.key_id(), bytes };
        self.signatures.retain(|s| s.name != line.name || s.key_id != line.key_id);
        self.signatures.push(line);
    }

    pub(crate) fn lines_of<'a>(&'a self, key: &'a VerifierKey) -> impl Iterator<Item = &'a NoteSignature> {
        let id = key.key_id();
        self.signatures.iter().filter(move |s| s.name == key.name && s.key_id == id)
    }

    /// Checks the signature of a log's key; unknown lines are ignored.
    ///
    /// # Errors
    /// [`NoteError::Missing`] or [`NoteError::Wrong`].
    pub fn verify(&self, key: &VerifierKey) -> Result<(), NoteError> {
        if key.kind != KeyKind::Ed25519 {
            return Err(NoteError::Key("a witness's key cosigns"));
        }
        let mut lines = self.lines_of(key).peekable();
        if lines.peek().is_none() {
            return Err(NoteError::Missing(key.name.clone()));
        }
        let fits = lines.all(|line| {
            <[u8; 64]>::try_from(line.bytes.as_slice()).is_ok_and(|bytes| key.check(self.text.as_bytes(), &bytes))
        });
        if fits { Ok(()) } else { Err(NoteError::Wrong(key.name.clone())) }
    }
}

fn parse_line(line: &str) -> Result<NoteSignature, NoteError> {
    let rest = line.strip_prefix("— ").ok_or(NoteError::Form("a signature line must begin with an em dash"))?;
    let (name, data) = rest.split_once(' ').ok_or(NoteError::Form("a signature line has a name and base64"))?;
    check_name(name)?;
    let bytes = STANDARD.decode(data).map_err(|_| NoteError::Form("a signature is not base64"))?;
    match bytes.split_first_chunk::<4>() {
        Some((id, signature)) if !signature.is_empty() => {
            Ok(NoteSignature { name: name.to_owned(), key_id: u32::from_be_bytes(*id), bytes: signature.to_vec() })
        }
        _ => Err(NoteError::Form("a signature is too short")),
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        for signature in &self.signatures {
            let mut bytes = signature.key_id.to_be_bytes().to_vec();
            bytes.extend(&signature.bytes);
            writeln!(f, "— {} {}", signature.name, STANDARD.encode(bytes))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn round_trip_and_every_change_is_found() {
        let signer = SignerKey::from_seed("heng.example/log", KeyKind::Ed25519, [3; 32]).unwrap();
        let key: VerifierKey = signer.verifier().to_string().parse().unwrap();
        let text = sign("first\n\nsecond\n", &signer).unwrap().to_string();
        assert!(Note::parse(&text).unwrap().verify(&key).is_ok());
        for i in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[i] ^= 1;
            let ok = String::from_utf8(bytes)
                .ok()
                .and_then(|t| Note::parse(&t).ok())
                .is_some_and(|n| n.verify(&key).is_ok());
            assert!(!ok, "byte {i}");
        }
    }

    #[test]
    fn wrong_keys_are_refused() {
        for wrong in ["", "a+b", "a b+00000000+AQ==", "a+00000000+AQ=="] {
            assert!(wrong.parse::<VerifierKey>().is_err(), "{wrong}");
        }
        for name in ["", "a b", "a+b", "a\n", "a\u{3000}b", "a\u{1}"] {
            assert!(SignerKey::from_seed(name, KeyKind::Ed25519, [1; 32]).is_err(), "{name:?}");
        }
    }

    #[test]
    fn the_seed_is_not_printed() {
        let signer = SignerKey::from_seed("log", KeyKind::Ed25519, [0x41; 32]).unwrap();
        assert_eq!(format!("{signer:?}"), format!("SignerKey({})", signer.verifier()));
    }

    #[test]
    fn each_kind_of_key_does_its_own_work_only() {
        let witness = SignerKey::from_seed("w", KeyKind::CosignatureV1, [3; 32]).unwrap();
        assert!(sign("text\n", &witness).is_err());
        let log = SignerKey::from_seed("w", KeyKind::Ed25519, [3; 32]).unwrap();
        let note = sign("text\n", &log).unwrap();
        assert_eq!(note.verify(&witness.verifier()), Err(NoteError::Key("a witness's key cosigns")));
        assert_ne!(log.verifier().key_id(), witness.verifier().key_id());
    }
}
