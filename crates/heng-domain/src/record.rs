//! The record: who did what, when, under which article. Its exact bytes are what the log stores and hashes.

use std::collections::BTreeMap;

use heng_log::canonical::{self, CanonicalError};
use heng_log::signature::{ED25519, PersonalKey, PublicKey};
use heng_log::webauthn::{Assertion, WebauthnError};
use heng_log::{Hash, sha256};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::refusal::{Refusal, Verdict, ensure, refuse};
use crate::time::Instant;

/// Version of the envelope that this code writes.
pub const VERSION: u32 = 1;

/// A checkpoint as a person's device saw it: the anchor inside a signature (verifiability.md §1.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// Number of records.
    pub size: u64,
    /// Root hash.
    pub root: Hash,
}

/// A person's signature. It covers kind, body, hidden commitments, log, signer and anchor; see [`Record::statement`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Of a passkey only: what the device said (`authenticatorData`), base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ad: Option<String>,
    /// Algorithm: `ed25519`, `webauthn-es256` or `webauthn-rs256`.
    pub alg: String,
    /// The newest checkpoint of this log that the signer's device had verified.
    pub at: Anchor,
    /// The signer.
    pub by: String,
    /// Of a passkey only: what the browser said (`clientDataJSON`), base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cd: Option<String>,
    /// Fingerprint of the key.
    pub key: String,
    /// The signature, base64: 64 bytes of Ed25519, or a passkey's: ECDSA in DER, or RSA.
    pub s: String,
}

impl Signature {
    /// Signs a [`statement`] with a plain key.
    pub fn by_key(statement: &Hash, by: &str, at: Anchor, key: &PersonalKey) -> Signature {
        Signature {
            ad: None,
            alg: ED25519.to_owned(),
            at,
            by: by.to_owned(),
            cd: None,
            key: key.public().fingerprint(),
            s: key.sign(statement.as_bytes()),
        }
    }

    /// The signature that a passkey made when a [`statement`] was its challenge.
    pub fn by_passkey(assertion: &Assertion, by: &str, at: Anchor, key: &PublicKey) -> Signature {
        let [ad, cd, s] = assertion.to_base64();
        Signature {
            ad: Some(ad),
            alg: key.alg().to_owned(),
            at,
            by: by.to_owned(),
            cd: Some(cd),
            key: key.fingerprint(),
            s,
        }
    }

    /// Checks it against the key that is known for the signer.
    fn check(&self, statement: &Hash, key: &PublicKey) -> Verdict {
        let by = &self.by;
        ensure!(self.key == key.fingerprint(), "signature.other_key", "", by = by);
        ensure!(self.alg == key.alg(), "signature.algorithm", "", by = by, found = &self.alg, expected = key.alg());
        match (&self.ad, &self.cd) {
            (None, None) if self.alg == ED25519 => {
                ensure!(key.verify(statement.as_bytes(), &self.s).is_ok(), "signature.invalid", "", by = by);
                Ok(())
            }
            (Some(ad), Some(cd)) if self.alg != ED25519 => Assertion::from_base64(ad, cd, &self.s)
                .and_then(|assertion| assertion.verify(statement.as_bytes(), key))
                .map_err(|error| webauthn_refusal(error).with("by", by)),
            _ => refuse!("signature.parts", "", by = by, alg = &self.alg),
        }
    }
}

/// Each broken rule of an assertion has a sentence of its own: what to do differs.
fn webauthn_refusal(error: WebauthnError) -> Refusal {
    match error {
        WebauthnError::Challenge => Refusal::new("signature.webauthn_challenge", ""),
        WebauthnError::Embedded => Refusal::new("signature.webauthn_embedded", ""),
        WebauthnError::Origin { found, rp } => {
            Refusal::new("signature.webauthn_origin", "").with("found", found).with("rp", rp)
        }
        WebauthnError::RelyingParty(rp) => Refusal::new("signature.webauthn_rp", "").with("rp", rp),
        WebauthnError::Presence => Refusal::new("signature.webauthn_presence", ""),
        WebauthnError::Verification => Refusal::new("signature.webauthn_verification", ""),
        WebauthnError::Wrong => Refusal::new("signature.invalid", ""),
        form @ (WebauthnError::Key
        | WebauthnError::Part { .. }
        | WebauthnError::ClientData(_)
        | WebauthnError::Type(_)
        | WebauthnError::AuthenticatorData(_)
        | WebauthnError::Form) => Refusal::new("signature.webauthn_form", "").with("detail", form),
    }
}

/// A record. Field order is that of the canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Who did it: a person, organisation, expert's pseudonym or `system`.
    pub actor: String,
    /// Document and article.
    pub basis: String,
    /// What was done; its form depends on `type`.
    pub body: Value,
    /// Commitments to fields that are hidden now, by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hidden: BTreeMap<String, Hash>,
    /// Name of the log.
    pub log: String,
    /// Number in the log, from 0.
    pub seq: u64,
    /// Personal signatures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sigs: Vec<Signature>,
    /// When the server accepted it; never goes backwards.
    pub time: Instant,
    /// Kind of record.
    #[serde(rename = "type")]
    pub kind: String,
    /// Version of the envelope: 1.
    pub v: u32,
}

/// Bytes that are not a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Not canonical JSON.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// JSON of another form.
    #[error("not a record: {0}")]
    Form(String),
}

impl Record {
    /// Reads a record from exactly its bytes.
    pub fn parse(bytes: &[u8]) -> Result<Record, RecordError> {
        let value = canonical::parse(bytes)?;
        serde_json::from_value(value).map_err(|error| RecordError::Form(error.to_string()))
    }

    /// The bytes that are stored and hashed.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RecordError> {
        let value = serde_json::to_value(self).map_err(|error| RecordError::Form(error.to_string()))?;
        Ok(canonical::to_bytes(&value)?)
    }

    /// SHA-256 of what a signer signs: `JCS({at, body, by, hidden, log, type})`.
    ///
    /// Number and time are given by the server afterwards and are covered by the tree.
    pub fn statement(&self, by: &str, at: &Anchor) -> Result<Hash, RecordError> {
        statement(&self.log, &self.kind, &self.body, &self.hidden, by, at)
    }

    /// The signature of `by`, if there is one.
    pub fn signature_of(&self, by: &str) -> Option<&Signature> {
        self.sigs.iter().find(|signature| signature.by == by)
    }

    /// Rules that hold for every record of every log.
    pub fn check_envelope(&self, log: &str, size: u64, last: Option<Instant>) -> Verdict {
        ensure!(self.v == VERSION, "record.version", "", found = self.v);
        ensure!(self.log == log, "record.log", "", found = &self.log, expected = log);
        ensure!(self.seq == size, "record.sequence", "", found = self.seq, expected = size);
        if let Some(last) = last {
            ensure!(self.time >= last, "record.time", "", found = self.time, last = last);
        }
        ensure!(!self.basis.is_empty(), "record.basis", "", kind = &self.kind);
        ensure!(!self.actor.is_empty(), "record.actor", "", kind = &self.kind);
        let mut signers: Vec<&str> = self.sigs.iter().map(|s| s.by.as_str()).collect();
        signers.sort_unstable();
        signers.dedup();
        ensure!(signers.len() == self.sigs.len(), "signature.twice", "");
        for signature in &self.sigs {
            ensure!(
                signature.at.size <= self.seq,
                "signature.anchor",
                "",
                by = &signature.by,
                size = signature.at.size
            );
        }
        Ok(())
    }

    /// Checks the signature of `by` with the key that the log knows for this person.
    pub fn check_signature(&self, by: &str, key: Option<&PublicKey>) -> Verdict {
        let Some(signature) = self.signature_of(by) else { refuse!("signature.missing", "", by = by) };
        let Some(key) = key else { refuse!("signature.no_key", "", by = by) };
        let statement =
            self.statement(by, &signature.at).map_err(|error| Refusal::new("record.form", "").with("detail", error))?;
        signature.check(&statement, key)
    }

    /// The record's body as a value of type `T`.
    pub fn body_as<T: serde::de::DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_value(self.body.clone())
            .map_err(|error| Refusal::new("record.body", "").with("kind", &self.kind).with("detail", error))
    }
}

/// See [`Record::statement`].
pub fn statement(
    log: &str,
    kind: &str,
    body: &Value,
    hidden: &BTreeMap<String, Hash>,
    by: &str,
    at: &Anchor,
) -> Result<Hash, RecordError> {
    Ok(sha256(&canonical::to_bytes(&statement_value(log, kind, body, hidden, by, at))?))
}

/// What a signer signs, before it is hashed: a device can show it, and hash it by itself.
pub fn statement_value(
    log: &str,
    kind: &str,
    body: &Value,
    hidden: &BTreeMap<String, Hash>,
    by: &str,
    at: &Anchor,
) -> Value {
    json!({ "at": at, "body": body, "by": by, "hidden": hidden, "log": log, "type": kind })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use heng_log::webauthn::SoftPasskey;

    use super::*;

    const RP: &str = "award.example.org";
    const ORIGIN: &str = "https://award.example.org";
    const BY: &str = "p:0012";

    fn record() -> Record {
        Record {
            actor: BY.to_owned(),
            basis: "§1".to_owned(),
            body: json!({ "choice": ["yes"] }),
            hidden: BTreeMap::new(),
            log: "example.org/award/2025".to_owned(),
            seq: 9,
            sigs: Vec::new(),
            time: Instant::parse("2025-06-09T01:00:01.700Z").unwrap(),
            kind: "ballot.cast".to_owned(),
            v: VERSION,
        }
    }

    fn anchor() -> Anchor {
        Anchor { size: 8, root: sha256(b"root") }
    }

    fn passkey() -> SoftPasskey {
        SoftPasskey::from_seed(RP, [7; 32]).unwrap()
    }

    /// A record signed with a passkey, once `break_it` has had the assertion.
    fn signed(break_it: impl FnOnce(&mut Assertion)) -> Record {
        let mut record = record();
        let statement = record.statement(BY, &anchor()).unwrap();
        let mut assertion = passkey().sign(statement.as_bytes(), ORIGIN);
        break_it(&mut assertion);
        record.sigs = vec![Signature::by_passkey(&assertion, BY, anchor(), &passkey().public())];
        record
    }

    fn code(record: &Record, key: &PublicKey) -> &'static str {
        record.check_signature(BY, Some(key)).unwrap_err().code
    }

    #[test]
    fn a_record_signed_with_a_passkey_holds_and_reads_back() {
        let record = signed(|_| {});
        assert_eq!(record.check_signature(BY, Some(&passkey().public())), Ok(()));
        let bytes = record.to_bytes().unwrap();
        assert_eq!(Record::parse(&bytes).unwrap(), record);
        assert!(String::from_utf8(bytes).unwrap().contains(r#""sigs":[{"ad":""#));
    }

    #[test]
    fn a_plain_signature_is_written_as_before() {
        let mut record = record();
        let key = PersonalKey::from_seed([7; 32]);
        let statement = record.statement(BY, &anchor()).unwrap();
        record.sigs = vec![Signature::by_key(&statement, BY, anchor(), &key)];
        assert_eq!(record.check_signature(BY, Some(&key.public())), Ok(()));
        let text = String::from_utf8(record.to_bytes().unwrap()).unwrap();
        assert!(text.contains(r#""sigs":[{"alg":"ed25519","at":{"#), "{text}");
        assert!(!text.contains("\"ad\"") && !text.contains("\"cd\""), "{text}");
        // A passkey's signature is none of this key, nor the other way round.
        assert_eq!(code(&record, &passkey().public()), "signature.other_key");
        assert_eq!(code(&signed(|_| {}), &key.public()), "signature.other_key");
        for alg in ["webauthn-es256", "ed448", ""] {
            record.sigs[0].alg = alg.to_owned();
            assert_eq!(code(&record, &key.public()), "signature.algorithm");
        }
    }

    #[test]
    fn ad_and_cd_belong_to_passkeys_and_only_to_them() {
        let key = passkey().public();
        let mut record = signed(|_| {});
        let (ad, cd) = (record.sigs[0].ad.take(), record.sigs[0].cd.take());
        assert_eq!(code(&record, &key), "signature.parts");
        record.sigs[0].ad.clone_from(&ad);
        assert_eq!(code(&record, &key), "signature.parts");
        let plain = PersonalKey::from_seed([7; 32]);
        let statement = record.statement(BY, &anchor()).unwrap();
        record.sigs = vec![Signature::by_key(&statement, BY, anchor(), &plain)];
        record.sigs[0].cd = cd;
        assert_eq!(code(&record, &plain.public()), "signature.parts");
        record.sigs[0].ad = ad;
        assert_eq!(code(&record, &plain.public()), "signature.parts");
    }

    #[test]
    fn each_broken_rule_has_its_sentence() {
        let key = passkey().public();
        let challenge = record().statement(BY, &anchor()).unwrap();
        // The device signs what it is told, so that only the rule itself is broken.
        let ad = |edit: fn(&mut Vec<u8>)| {
            signed(|a| {
                edit(&mut a.authenticator_data);
                *a = passkey().sign_parts(a.authenticator_data.clone(), a.client_data.clone());
            })
        };
        let cd = |from: &str, to: &str| {
            signed(|a| {
                let text = String::from_utf8(a.client_data.clone()).unwrap().replace(from, to);
                *a = passkey().sign_parts(a.authenticator_data.clone(), text.into_bytes());
            })
        };
        let cases = [
            (signed(|a| *a = passkey().sign(b"something else", ORIGIN)), "signature.webauthn_challenge"),
            (
                signed(|a| *a = passkey().sign(challenge.as_bytes(), "https://evil.example")),
                "signature.webauthn_origin",
            ),
            (cd("\"crossOrigin\":false", "\"crossOrigin\":true"), "signature.webauthn_embedded"),
            (cd("webauthn.get", "webauthn.create"), "signature.webauthn_form"),
            (cd("{", "["), "signature.webauthn_form"),
            (ad(|ad| ad[0] ^= 1), "signature.webauthn_rp"),
            (ad(|ad| ad[32] = 0x04), "signature.webauthn_presence"),
            (ad(|ad| ad[32] = 0x01), "signature.webauthn_verification"),
            (ad(|ad| ad.truncate(36)), "signature.webauthn_form"),
            (ad(|ad| ad.resize(1025, 0)), "signature.webauthn_form"),
            (signed(|a| a.signature.truncate(20)), "signature.webauthn_form"),
            (signed(|a| a.authenticator_data[36] ^= 1), "signature.invalid"),
        ];
        for (record, expected) in cases {
            let refusal = record.check_signature(BY, Some(&key)).unwrap_err();
            assert_eq!(refusal.code, expected);
            for lang in [crate::text::Lang::Zh, crate::text::Lang::En] {
                let sentence = crate::messages::refusal(lang, &refusal);
                let unfilled = ["{by}", "{detail}", "{found}", "{rp}"].iter().any(|place| sentence.contains(place));
                assert!(sentence.contains(BY) && !unfilled, "{sentence}");
            }
        }
        let mut changed = signed(|_| {});
        changed.body = json!({ "choice": ["no"] });
        assert_eq!(code(&changed, &key), "signature.webauthn_challenge");
        // The same device's passkey for another office is another key.
        let elsewhere = SoftPasskey::from_seed("example.org", [7; 32]).unwrap().public();
        assert_eq!(code(&signed(|_| {}), &elsewhere), "signature.other_key");
    }
}
