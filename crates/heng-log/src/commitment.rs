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
        // HMAC pads keys with zeros to a block of the hash; given as a block, a key cannot be of a wrong length.
        let mut block = [0; 64];
        for (place, byte) in block.iter_mut().zip(self.0) {
            *place = byte;
        }
        let mut mac = Hmac::<sha2::Sha256>::new(&block.into());
        mac.update(path.as_bytes());
        Hash(mac.finalize().into_bytes().into())
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

    #[test]
    fn the_bytes_are_those_of_the_formula() {
        // HMAC written out (RFC 2104), so that a reader can redo it with nothing but SHA-256.
        let (key, path) = (FieldKey([7; 32]), "/items/4.1.2");
        let pad = |byte: u8| -> Vec<u8> { (0..64).map(|i| if i < 32 { 7 ^ byte } else { byte }).collect() };
        let inner = Sha256::digest(&[&pad(0x36), path.as_bytes()]);
        let salt = Sha256::digest(&[&pad(0x5c), &inner.0]);
        assert_eq!(key.salt(path), salt);
        let text = format!("\u{2}[\"{salt}\",\"/items/4.1.2\",65]");
        assert_eq!(commit(&salt, path, &json!(65)).unwrap(), Sha256::digest(&[text.as_bytes()]));
    }

    #[test]
    fn values_that_are_not_canonical_have_no_commitment() {
        let salt = FieldKey([7; 32]).salt("/a");
        for wrong in [json!(null), json!(0.5), json!("e\u{301}")] {
            assert!(commit(&salt, "/a", &wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn openings_are_read_strictly() {
        let salt = FieldKey([7; 32]).salt("/a");
        let right = json!({ "seq": 1, "path": "/a", "salt": salt, "value": 65 });
        assert!(serde_json::from_value::<Opening>(right.clone()).is_ok());
        let mut more = right.clone();
        more["note"] = json!("x");
        let mut upper = right;
        upper["salt"] = json!(salt.to_string().to_uppercase());
        for wrong in [more, upper] {
            assert!(serde_json::from_value::<Opening>(wrong).is_err());
        }
    }

    #[test]
    fn a_field_tree_is_the_tree_of_the_commitments_in_path_order() {
        let salt = |path: &str| FieldKey([7; 32]).salt(path);
        let both: BTreeMap<String, Hash> = ["/b", "/a"].iter().map(|p| ((*p).to_owned(), salt(p))).collect();
        let leaf = |path: &str| tree::leaf_hash::<Sha256>(&salt(path).0);
        assert_eq!(field_tree(&both), tree::node_hash::<Sha256>(&leaf("/a"), &leaf("/b")));
        assert_eq!(field_tree(&BTreeMap::new()), tree::empty_root::<Sha256>());
    }
}
