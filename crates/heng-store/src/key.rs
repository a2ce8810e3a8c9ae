//! The key file that encrypts what lies beside the logs (XChaCha20-Poly1305).

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};

use crate::error::{Result, StoreError, file_error};
use crate::{StoredFile, hash_of};

const NONCE: usize = 24;
/// What sealing adds to the length: the nonce and the tag.
pub(crate) const OVERHEAD: u64 = NONCE as u64 + 16;
const CHECKED: &[u8] = b"heng";

/// Name of the row that holds the known text, and the place that it is bound to.
pub(crate) const KEY_CHECK: &str = "key check";

/// The key.
pub struct DataKey(XChaCha20Poly1305);

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(hidden)")
    }
}

#[allow(clippy::disallowed_methods, reason = "keys and nonces must never come from a source that can be replayed")]
fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Io {
        what: "the system gives no random bytes".to_owned(),
        detail: error.to_string(),
    })?;
    Ok(bytes)
}

impl DataKey {
    /// From 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> DataKey {
        DataKey(XChaCha20Poly1305::new(&Key::from(bytes)))
    }

    /// Reads the key file, or makes one that only its owner can read.
    ///
    /// # Errors
    /// [`StoreError::Key`] if others can read it or it holds something else; [`StoreError::ReadOnly`],
    /// [`StoreError::Full`] if it cannot be made.
    pub fn load_or_create(path: &Path) -> Result<DataKey> {
        match File::open(path) {
            Ok(file) => DataKey::load(path, file),
            Err(error) if error.kind() == ErrorKind::NotFound => DataKey::create(path),
            Err(error) => Err(StoreError::Key {
                detail: format!(
                    "{} cannot be read ({error}); it must belong to the account that runs Heng",
                    path.display()
                ),
            }),
        }
    }

    fn load(path: &Path, mut file: File) -> Result<DataKey> {
        let shown = path.display();
        let unreadable =
            |error: std::io::Error| StoreError::Key { detail: format!("{shown} cannot be read ({error})") };
        let mode = file.metadata().map_err(unreadable)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(StoreError::Key { detail: format!("{shown} can be read by others; run: chmod 600 {shown}") });
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(unreadable)?;
        let bytes: Option<[u8; 32]> = hex::decode(text.trim_ascii()).ok().and_then(|b| b.try_into().ok());
        bytes.map(DataKey::from_bytes).ok_or_else(|| StoreError::Key {
            detail: format!(
                "{shown} does not hold 64 hex digits. Put the right file back: without it hidden values and attachments cannot be read. (If the very first start was interrupted and nothing is stored yet, delete it)"
            ),
        })
    }

    /// Makes the file. `create_new` lets only one of two servers make it, so that no key is ever replaced.
    fn create(path: &Path) -> Result<DataKey> {
        let what = path.display().to_string();
        let map = file_error(&what);
        let bytes = random::<32>()?;
        let mut options = File::options();
        let mut file = options.write(true).create_new(true).mode(0o600).open(path).map_err(&map)?;
        let text = format!("{}\n", hex::encode(bytes));
        if let Err(error) = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()) {
            // Half a key would be taken for a damaged one. That the file cannot be removed changes nothing: it
            // is the first error that counts.
            let _ = std::fs::remove_file(path);
            return Err(map(error));
        }
        sync_folder_of(path)?;
        Ok(DataKey::from_bytes(bytes))
    }

    /// Encrypts; `place` binds the bytes to where they lie.
    pub(crate) fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>> {
        let nonce = random::<NONCE>()?;
        let payload = Payload { msg: plain, aad: place.as_bytes() };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload).map_err(|_| StoreError::Io {
            what: place.to_owned(),
            detail: "cannot be encrypted: it is too large".to_owned(),
        })?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts what [`DataKey::seal`] made for the same place.
    pub(crate) fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let wrong = || StoreError::Damaged {
            what: place.to_owned(),
            detail: "its bytes were changed, it does not decrypt".to_owned(),
        };
        let (nonce, body) = sealed.split_first_chunk::<NONCE>().ok_or_else(wrong)?;
        let payload = Payload { msg: body, aad: place.as_bytes() };
        self.0.decrypt(&XNonce::from(*nonce), payload).map_err(|_| wrong())
    }

    /// The known text, sealed: a database keeps it from its first start on.
    pub(crate) fn check(&self) -> Result<Vec<u8>> {
        self.seal(KEY_CHECK, CHECKED)
    }

    /// Refuses a key that is not the one of the database.
    pub(crate) fn verify(&self, sealed: &[u8]) -> Result<()> {
        match self.open(KEY_CHECK, sealed) {
            Ok(plain) if plain == CHECKED => Ok(()),
            _ => Err(StoreError::Key {
                detail: "this database was encrypted with another key file. Put the key file of this database back (it belongs to the same backup)".to_owned(),
            }),
        }
    }

    /// Decrypts an attachment and checks that it is the one asked for.
    pub(crate) fn open_attachment(&self, sha256: &[u8; 32], sealed: &[u8]) -> Result<Vec<u8>> {
        let place = attachment_place(sha256);
        let plain = self.open(&place, sealed)?;
        if hash_of(&plain) != *sha256 {
            return Err(StoreError::Damaged { what: place, detail: "its content has another SHA-256".to_owned() });
        }
        Ok(plain)
    }

    /// Decrypts which file an attachment is made of.
    pub(crate) fn open_attachment_file(&self, sha256: &[u8; 32], sealed: &[u8]) -> Result<StoredFile> {
        let place = attachment_file_place(sha256);
        let plain = self.open(&place, sealed)?;
        let wrong = || StoreError::Damaged { what: place, detail: "it names no file".to_owned() };
        StoredFile::from_bytes(&plain).ok_or_else(wrong)
    }
}

/// A new file is durable only once its folder is.
pub(crate) fn sync_folder_of(path: &Path) -> Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let what = folder.display().to_string();
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(file_error(&what))
}

pub(crate) fn secret_place(log: &str, seq: u64) -> String {
    format!("the secret {log}|{seq}")
}

pub(crate) fn attachment_place(sha256: &[u8; 32]) -> String {
    format!("the attachment {}", hex::encode(sha256))
}

/// The size stands in the place: a piece of a file that was announced with another size does not open.
pub(crate) fn piece_place(file: &StoredFile, start: u64) -> String {
    format!("the piece {start} of {} bytes of the file {}", file.size, file.id)
}

pub(crate) fn attachment_file_place(sha256: &[u8; 32]) -> String {
    format!("the file of the attachment {}", hex::encode(sha256))
}

pub(crate) fn row_place(kind: &str, key: &str) -> String {
    format!("the row {kind}|{key}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn an_attachment_with_another_content_is_damaged_even_if_it_decrypts() {
        let key = DataKey::from_bytes([7; 32]);
        let asked = hash_of(b"asked for");
        let sealed = key.seal(&attachment_place(&asked), b"something else").unwrap();
        let error = key.open_attachment(&asked, &sealed).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    }

    #[test]
    fn sealed_bytes_open_only_at_their_place_and_unchanged() {
        let key = DataKey::from_bytes([7; 32]);
        let sealed = key.seal(&secret_place("a", 1), b"plain").unwrap();
        assert_eq!(key.open(&secret_place("a", 1), &sealed).unwrap(), b"plain");
        assert!(key.open(&secret_place("a", 2), &sealed).is_err());
        for i in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[i] ^= 1;
            assert!(key.open(&secret_place("a", 1), &bad).is_err(), "byte {i}");
        }
        assert!(key.open(&secret_place("a", 1), &sealed[..10]).is_err());
    }

    #[test]
    fn the_key_is_not_shown() {
        assert_eq!(format!("{:?}", DataKey::from_bytes([7; 32])), "DataKey(hidden)");
    }
}
