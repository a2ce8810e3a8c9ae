//! Passwords: what is accepted, and hashing within bounded memory.

use std::sync::{Condvar, Mutex, PoisonError};

use argon2::password_hash::phc::ParamsString;
use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use unicode_normalization::UnicodeNormalization;

use super::secret::same;
use super::{Account, AccountError, Accounts, Hidden, Result};
use crate::error::AppError;

const SHORTEST: usize = 12;
const LONGEST: usize = 1000;

/// Of no password: checked for accounts that do not exist, so that they take as long as others.
pub(super) const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$aGVuZy9ub2JvZHkvbm9uZQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// So many passwords are hashed at a time, each in 19 MiB (argon2's default, which OWASP recommends).
const PERMITS: usize = 2;

/// The memory of the hashes: made when first needed, then used again. glibc would not give freed blocks of this size
/// back, so with a block for each call a server grows by gigabytes.
#[derive(Default)]
pub(super) struct HashGate {
    state: Mutex<Blocks>,
    ready: Condvar,
}

#[derive(Default)]
struct Blocks {
    idle: Vec<Vec<Block>>,
    lent: usize,
}

/// Gives the memory back, also when hashing panics.
struct Lent<'a> {
    gate: &'a HashGate,
    blocks: Vec<Block>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.lent -= 1;
        state.idle.push(std::mem::take(&mut self.blocks));
        self.gate.ready.notify_one();
    }
}

impl HashGate {
    fn lend(&self) -> Lent<'_> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state =
            self.ready.wait_while(state, |state| state.lent >= PERMITS).unwrap_or_else(PoisonError::into_inner);
        state.lent += 1;
        Lent { gate: self, blocks: state.idle.pop().unwrap_or_default() }
    }

    /// Bytes that are kept for hashing.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.idle.iter().map(|blocks| blocks.capacity() * Block::SIZE).sum()
    }

    fn digest(&self, password: &str, salt: &[u8], params: Params) -> Option<[u8; 32]> {
        let mut lent = self.lend();
        lent.blocks.resize(params.block_count().max(lent.blocks.len()), Block::new());
        let (mut out, normal) = ([0; 32], normal(password));
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password_into_with_memory(normal.as_bytes(), salt, &mut out, &mut lent.blocks).ok()?;
        Some(out)
    }

    /// The password in PHC form.
    pub(super) fn hash(&self, password: &str, salt: &[u8; 16]) -> Option<Hidden<String>> {
        let output = self.digest(password, salt, Params::DEFAULT)?;
        let phc = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(Params::DEFAULT).ok()?,
            salt: Some(Salt::new(salt).ok()?),
            hash: Some(Output::new(&output).ok()?),
        };
        Some(Hidden(phc.to_string()))
    }

    /// Whether `password` is the one of `phc`, hashed with the parameters that stand there.
    pub(super) fn verify(&self, password: &str, phc: &str) -> bool {
        let check = || {
            let phc = PasswordHash::new(phc).ok()?;
            let found = self.digest(password, phc.salt?.as_ref(), Params::try_from(&phc).ok()?)?;
            Some(same(&found, phc.hash?.as_bytes()))
        };
        // Nobody types more than this; hashing megabytes would be an attack.
        password.len() <= LONGEST && check().unwrap_or(false)
    }
}

/// The same text typed on another keyboard is the same password.
fn normal(password: &str) -> String {
    password.nfc().collect()
}

/// Twelve characters, without counting the owner's own name and address.
fn check(password: &str, account: &Account) -> Result<()> {
    let password = normal(password);
    if password.len() > LONGEST {
        return Err(AccountError::PasswordLong);
    }
    let mut rest = password.to_lowercase();
    let user = account.email.as_deref().and_then(|email| email.split('@').next());
    for own in [account.email.as_deref(), user, Some(account.name.as_str())].into_iter().flatten() {
        rest = rest.replace(&normal(own).to_lowercase(), "");
    }
    let found = rest.chars().count();
    if found < SHORTEST { Err(AccountError::PasswordShort { found }) } else { Ok(()) }
}

impl Accounts {
    /// Checks a new password and hashes it.
    pub(super) fn new_password(&self, password: &str, account: &Account) -> Result<Hidden<String>> {
        check(password, account)?;
        let mut salt = [0; 16];
        salt.copy_from_slice(&self.heng.random()?[..16]);
        let hash = self.gate.hash(password, &salt);
        hash.ok_or_else(|| AppError::Other("the password could not be hashed".to_owned()).into())
    }
}
