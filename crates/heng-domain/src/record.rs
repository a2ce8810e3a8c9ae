//! The record: who did what, when, under which article. Its exact bytes are what the log stores and hashes.

use std::collections::BTreeMap;

use heng_log::canonical::{self, CanonicalError};
use heng_log::signature::{PersonalKey, PublicKey};
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
    /// Algorithm: `ed25519`.
    pub alg: String,
    /// The newest checkpoint of this log that the signer's device had verified.
    pub at: Anchor,
    /// The signer.
    pub by: String,
    /// Fingerprint of the key.
    pub key: String,
    /// The signature, base64.
    pub s: String,
}

impl Signature {
    /// The signature of an Ed25519 key over the hash of a statement.
    pub fn ed25519(at: Anchor, by: &str, key: &PersonalKey, statement: &Hash) -> Signature {
        Signature {
            alg: "ed25519".to_owned(),
            at,
            by: by.to_owned(),
            key: key.public().fingerprint(),
            s: key.sign(statement.as_bytes()),
        }
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
        ensure!(signature.alg == "ed25519", "signature.algorithm", "", by = by, found = &signature.alg);
        ensure!(signature.key == key.fingerprint(), "signature.other_key", "", by = by);
        let statement =
            self.statement(by, &signature.at).map_err(|error| Refusal::new("record.form", "").with("detail", error))?;
        ensure!(key.verify(statement.as_bytes(), &signature.s).is_ok(), "signature.invalid", "", by = by);
        Ok(())
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

/// Signs on behalf of the device that holds `key`.
pub fn sign(
    log: &str,
    kind: &str,
    body: &Value,
    hidden: &BTreeMap<String, Hash>,
    by: &str,
    at: Anchor,
    key: &PersonalKey,
) -> Result<Signature, RecordError> {
    let hash = statement(log, kind, body, hidden, by, &at)?;
    Ok(Signature::ed25519(at, by, key, &hash))
}
