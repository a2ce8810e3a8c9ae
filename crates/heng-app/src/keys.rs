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

    /// Reads the key file.
    ///
    /// # Errors
    /// If it is missing, can be read by others, or holds something else.
    pub fn load(path: &Path) -> Result<OfficeKey> {
        use std::os::unix::fs::PermissionsExt;
        let shown = path.display();
        let io = |source| AppError::Io {
            what: format!(
                "cannot read the key {shown}; put the right key file back: without it no checkpoint can be signed"
            ),
            source,
        };
        let text = std::fs::read_to_string(path).map_err(io)?;
        let mode = std::fs::metadata(path).map_err(io)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(AppError::Key(format!("{shown} can be read by others; run: chmod 600 {shown}")));
        }
        let bytes: Option<[u8; 32]> = hex::decode(text.trim()).ok().and_then(|b| b.try_into().ok());
        let wrong =
            || AppError::Key(format!("{shown} does not hold a key of 64 hex digits; put the right key file back"));
        Ok(OfficeKey::from_bytes(bytes.ok_or_else(wrong)?))
    }

    /// Reads the key file, or makes one for an office that has no logs yet.
    ///
    /// # Errors
    /// As [`OfficeKey::load`], or if it cannot be written.
    pub fn load_or_create(path: &Path, entropy: &dyn Entropy) -> Result<OfficeKey> {
        if path.exists() {
            return OfficeKey::load(path);
        }
        let io = |source| AppError::Io { what: format!("cannot make the key {}", path.display()), source };
        let bytes = entropy.bytes().map_err(io)?;
        write_private(path, hex::encode(bytes).as_bytes()).map_err(io)?;
        Ok(OfficeKey::from_bytes(bytes))
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
