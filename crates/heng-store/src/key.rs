//! The key file that encrypts secrets and attachments (XChaCha20-Poly1305).

use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};

use crate::error::{Result, StoreError};

const NONCE: usize = 24;

/// The key.
pub struct DataKey(XChaCha20Poly1305);

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(hidden)")
    }
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| StoreError::Io { what: "random bytes".to_owned(), detail: error.to_string() })?;
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
    /// [`StoreError::Key`] if others can read it or it holds something else; [`StoreError::ReadOnly`].
    pub fn load_or_create(path: &Path) -> Result<DataKey> {
        let shown = path.display();
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let mode = std::fs::metadata(path).map(|m| m.permissions().mode()).unwrap_or(0);
                if mode & 0o077 != 0 {
                    let detail = format!("{shown} can be read by others; run: chmod 600 {shown}");
                    return Err(StoreError::Key { detail });
                }
                let bytes: Option<[u8; 32]> = hex::decode(text.trim()).ok().and_then(|b| b.try_into().ok());
                let wrong = || StoreError::Key {
                    detail: format!(
                        "{shown} does not hold 64 hex digits; put the right file back: without it hidden values cannot be read"
                    ),
                };
                Ok(DataKey::from_bytes(bytes.ok_or_else(wrong)?))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let bytes = random::<32>()?;
                let readonly =
                    |error: std::io::Error| StoreError::ReadOnly { what: shown.to_string(), detail: error.to_string() };
                let options = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
                let mut file = options.map_err(readonly)?;
                file.write_all(hex::encode(bytes).as_bytes()).and_then(|()| file.sync_all()).map_err(readonly)?;
                if let Some(folder) = path.parent() {
                    std::fs::File::open(folder).and_then(|f| f.sync_all()).map_err(readonly)?;
                }
                Ok(DataKey::from_bytes(bytes))
            }
            Err(error) => Err(StoreError::Key { detail: format!("{shown} cannot be read: {error}") }),
        }
    }

    /// Encrypts; `place` binds the bytes to where they lie.
    pub(crate) fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>> {
        let nonce = random::<NONCE>()?;
        let payload = Payload { msg: plain, aad: place.as_bytes() };
        let sealed = self
            .0
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| StoreError::Io { what: place.to_owned(), detail: "cannot be encrypted".to_owned() })?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts what [`DataKey::seal`] made for the same place.
    pub(crate) fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let wrong = || StoreError::Damaged {
            what: place.to_owned(),
            detail: "it does not decrypt with this key file (another key, or changed bytes)".to_owned(),
        };
        let (nonce, body) = sealed.split_first_chunk::<NONCE>().ok_or_else(wrong)?;
        self.0.decrypt(&XNonce::from(*nonce), Payload { msg: body, aad: place.as_bytes() }).map_err(|_| wrong())
    }
}

pub(crate) fn secret_place(log: &str, seq: u64) -> String {
    format!("secret {log} {seq}")
}

pub(crate) fn attachment_place(sha256: &[u8; 32]) -> String {
    format!("attachment {}", hex::encode(sha256))
}
