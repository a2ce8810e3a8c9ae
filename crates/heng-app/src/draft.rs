//! A proposed record: everything but its number and time, which the writer gives.

use std::collections::BTreeMap;

use heng_domain::record::{Anchor, Record, RecordError, Signature, VERSION, statement};
use heng_domain::time::Instant;
use heng_log::Hash;
use heng_log::commitment::{FieldKey, Opening, commit};
use heng_log::signature::PersonalKey;
use heng_log::webauthn::SoftPasskey;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Hidden fields of a draft: one key, the values by path.
#[derive(Clone, Debug)]
pub struct Hidden {
    /// The key that all salts come from.
    pub key: FieldKey,
    /// Values by path.
    pub values: BTreeMap<String, Value>,
}

/// What the store keeps, encrypted, beside a record with hidden fields.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    k: Hash,
    values: BTreeMap<String, Value>,
}

impl Hidden {
    /// Commitments by path.
    ///
    /// # Errors
    /// If a value is not canonical.
    pub fn commitments(&self) -> Result<BTreeMap<String, Hash>, RecordError> {
        self.values.iter().map(|(path, value)| Ok((path.clone(), commit(&self.key.salt(path), path, value)?))).collect()
    }

    /// The openings of record `seq`.
    pub fn openings(&self, seq: u64) -> Vec<Opening> {
        self.values
            .iter()
            .map(|(path, value)| Opening { seq, path: path.clone(), salt: self.key.salt(path), value: value.clone() })
            .collect()
    }

    /// The bytes that the store encrypts.
    ///
    /// # Errors
    /// If a value cannot be written as JSON (never for values that were committed to).
    pub fn to_secret(&self) -> Result<Vec<u8>, RecordError> {
        let sealed = Sealed { k: Hash(self.key.0), values: self.values.clone() };
        serde_json::to_vec(&sealed).map_err(|error| RecordError::Form(error.to_string()))
    }

    /// Reads what [`Hidden::to_secret`] wrote.
    ///
    /// # Errors
    /// If the bytes are something else.
    pub fn from_secret(bytes: &[u8]) -> Result<Hidden, RecordError> {
        let sealed: Sealed = serde_json::from_slice(bytes).map_err(|error| RecordError::Form(error.to_string()))?;
        Ok(Hidden { key: FieldKey(sealed.k.0), values: sealed.values })
    }
}

/// A proposed record.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Who does it.
    pub actor: String,
    /// Document and article.
    pub basis: String,
    /// Kind of record.
    pub kind: String,
    /// Body.
    pub body: Value,
    /// Hidden fields.
    pub hidden: Option<Hidden>,
    /// Signatures.
    pub sigs: Vec<Signature>,
}

impl Draft {
    /// A draft from a kind and a body, as an event's `split` gives them.
    pub fn new(actor: &str, basis: &str, kind: String, body: Value) -> Draft {
        Draft { actor: actor.to_owned(), basis: basis.to_owned(), kind, body, hidden: None, sigs: Vec::new() }
    }

    /// Adds hidden fields. Do it before signing: signatures cover the commitments.
    #[must_use]
    pub fn hiding(mut self, key: [u8; 32], values: BTreeMap<String, Value>) -> Draft {
        self.hidden = Some(Hidden { key: FieldKey(key), values });
        self
    }

    /// Commitments by path.
    ///
    /// # Errors
    /// If a value is not canonical.
    pub fn commitments(&self) -> Result<BTreeMap<String, Hash>, RecordError> {
        self.hidden.as_ref().map_or_else(|| Ok(BTreeMap::new()), Hidden::commitments)
    }

    /// The hash that `by` signs, with the newest checkpoint that the device of `by` has seen; see [`statement`].
    ///
    /// # Errors
    /// If the draft is not canonical.
    pub fn statement(&self, log: &str, by: &str, at: &Anchor) -> Result<Hash, RecordError> {
        statement(log, &self.kind, &self.body, &self.commitments()?, by, at)
    }

    /// Signs as a device with a plain key does.
    ///
    /// # Errors
    /// If the draft is not canonical.
    pub fn sign(mut self, log: &str, by: &str, key: &PersonalKey, at: Anchor) -> Result<Draft, RecordError> {
        let statement = self.statement(log, by, &at)?;
        self.sigs.push(Signature::by_key(&statement, by, at, key));
        Ok(self)
    }

    /// Signs as a passkey does on a page of `origin`.
    ///
    /// # Errors
    /// If the draft is not canonical.
    pub fn sign_with_passkey(
        mut self,
        log: &str,
        by: &str,
        passkey: &SoftPasskey,
        origin: &str,
        at: Anchor,
    ) -> Result<Draft, RecordError> {
        let assertion = passkey.sign(self.statement(log, by, &at)?.as_bytes(), origin);
        self.sigs.push(Signature::by_passkey(&assertion, by, at, &passkey.public()));
        Ok(self)
    }

    /// The record with its number and time.
    ///
    /// # Errors
    /// If a hidden value is not canonical.
    pub fn into_record(&self, log: &str, seq: u64, time: Instant) -> Result<Record, RecordError> {
        Ok(Record {
            actor: self.actor.clone(),
            basis: self.basis.clone(),
            body: self.body.clone(),
            hidden: self.commitments()?,
            log: log.to_owned(),
            seq,
            sigs: self.sigs.clone(),
            time,
            kind: self.kind.clone(),
            v: VERSION,
        })
    }
}
