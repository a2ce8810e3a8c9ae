//! Secrets that are handed out once and come back, and values that are never printed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use heng_log::sha256;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::{Accounts, Result};

/// 32 random bytes as base64url: a link, a cookie, an API token. Shown once; the store knows only its SHA-256.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The text to hand out.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The key of its row.
    pub(super) fn key(&self) -> String {
        key_of(&self.0)
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(hidden)")
    }
}

/// A value that `Debug` does not print. It is written to encrypted rows only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden<T>(pub(crate) T);

impl<T> std::fmt::Debug for Hidden<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hidden")
    }
}

/// The key under which something is found again that must not stand in the database: SHA-256 in hex. Looking it up
/// leaks no timing that helps: nobody can choose a hash prefix by prefix.
pub(super) fn key_of(text: &str) -> String {
    hex::encode(sha256(text.as_bytes()).0)
}

/// Compares secrets in a time that does not depend on where they differ.
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

impl Accounts {
    pub(super) fn token(&self) -> Result<Token> {
        Ok(Token(URL_SAFE_NO_PAD.encode(self.heng.random()?)))
    }

    /// 16 random bytes in hex: a name that nobody guesses, but no secret.
    pub(super) fn name(&self) -> Result<String> {
        Ok(hex::encode(&self.heng.random()?[..16]))
    }
}
