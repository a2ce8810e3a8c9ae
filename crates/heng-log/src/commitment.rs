//! Commit now, disclose later: salted commitments to single fields (verifiability.md §1.5, after SD-JWT, RFC 9901).

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::canonical::{self, CanonicalError};
use crate::hash::{Hash, Sha256, TreeHash};
use crate::tree;

/// The 32 random bytes from which all salts of a record come. They never stand in the log.
#[derive(Clone)]
pub struct FieldKey(pub [u8; 32]);

impl std::fmt::Debug for FieldKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FieldKey(hidden)")
    }
}

impl FieldKey {
    /// The salt of a field: `HMAC-SHA-256(key, path)`.
    pub fn salt(&self, path: &str) -> Hash {
        // HMAC takes keys of any length, so a key of 32 bytes is never refused.
        match Hmac::<sha2::Sha256>::new_from_slice(&self.0) {
            Ok(mut mac) => {
                mac.update(path.as_bytes());
                Hash(mac.finalize().into_bytes().into())
            }
            Err(_) => Sha256::digest(&[&self.0, path.as_bytes()]),
        }
    }
}

/// `SHA-256(0x02 ‖ JCS([hex(salt), path, value]))`; 0x02 keeps it apart from leaves and nodes.
///
/// # Errors
/// If the value is not canonical.
pub fn commit(salt: &Hash, path: &str, value: &Value) -> Result<Hash, CanonicalError> {
    let bytes = canonical::to_bytes(&json!([salt, path, value]))?;
    Ok(Sha256::digest(&[&[2], &bytes]))
}

/// A disclosed field.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// Number of the record.
    pub seq: u64,
    /// Path of the field.
    pub path: String,
    /// Salt.
    pub salt: Hash,
    /// Value.
    pub value: Value,
}

impl Opening {
    /// The commitment that this opening opens.
    ///
    /// # Errors
    /// If the value is not canonical.
    pub fn commitment(&self) -> Result<Hash, CanonicalError> {
        commit(&self.salt, &self.path, &self.value)
    }
}

/// RFC 6962 root over commitments in path order: one hash for many fields.
pub fn field_tree(commitments: &BTreeMap<String, Hash>) -> Hash {
    let leaves: Vec<Hash> = commitments.values().map(|c| tree::leaf_hash::<Sha256>(&c.0)).collect();
    tree::root::<Sha256>(&leaves)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_opening_binds_salt_path_and_value() {
        let key = FieldKey([7; 32]);
        let path = "/items/4.1.2";
        let right = commit(&key.salt(path), path, &json!(65)).unwrap();
        assert_eq!(
            Opening { seq: 1, path: path.into(), salt: key.salt(path), value: json!(65) }.commitment().unwrap(),
            right
        );
        assert_ne!(commit(&key.salt(path), path, &json!(70)).unwrap(), right);
        assert_ne!(commit(&key.salt(path), "/items/4.1.3", &json!(65)).unwrap(), right);
        assert_ne!(commit(&key.salt("/other"), path, &json!(65)).unwrap(), right);
        assert_eq!(format!("{key:?}"), "FieldKey(hidden)");
    }
}
