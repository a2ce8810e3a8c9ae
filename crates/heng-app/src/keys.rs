//! The office's key file: one master seed, from which the key of each log is derived.
//!
//! The file lies apart from the database, readable by its owner only. Whoever has it can sign checkpoints, but not
//! rewrite the past: people's own signatures pin it (verifiability.md §1.3).

use std::path::Path;

use heng_log::commitment::FieldKey;
use heng_log::note::{KeyKind, SignerKey};

use crate::clock::Entropy;
use crate::error::{AppError, Result};

/// The master seed.
pub struct OfficeKey(FieldKey);

impl OfficeKey {
    /// From 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> OfficeKey {
        OfficeKey(FieldKey(bytes))
    }

    /// Reads the key file, or makes one if there is none.
    ///
    /// # Errors
    /// If the file cannot be read or written, or holds something else.
    pub fn load_or_create(path: &Path, entropy: &dyn Entropy) -> Result<OfficeKey> {
        let io = |what: &str, source| AppError::Io { what: format!("{what} {}", path.display()), source };
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let bytes: Option<[u8; 32]> = hex::decode(text.trim()).ok().and_then(|b| b.try_into().ok());
                let wrong = || {
                    AppError::Key(format!(
                        "{} does not hold a key of 64 hex digits. Put the right key file back: without it no checkpoint can be signed",
                        path.display()
                    ))
                };
                Ok(OfficeKey::from_bytes(bytes.ok_or_else(wrong)?))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let bytes = entropy.bytes().map_err(|error| io("cannot make a key for", error))?;
                write_private(path, hex::encode(bytes).as_bytes()).map_err(|error| io("cannot write", error))?;
                Ok(OfficeKey::from_bytes(bytes))
            }
            Err(error) => Err(io("cannot read", error)),
        }
    }

    /// The signing key of the log called `log`; its name is the log's name.
    ///
    /// # Errors
    /// If the log's name cannot be the name of a key.
    pub fn signer(&self, log: &str) -> Result<SignerKey> {
        let seed = self.0.salt(&format!("heng/log-key/{log}"));
        SignerKey::from_seed(log, KeyKind::Ed25519, seed.0).map_err(|error| AppError::Key(error.to_string()))
    }
}

/// Writes a file that only its owner can read, durably: the file and its folder are synchronised.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}
