//! The printed root code: the first 160 bits of a root as 32 characters that people can read out.
//!
//! Shorter codes are unsafe: an operator could prepare two histories with the same code (verifiability.md §1.3).

use crate::hash::Hash;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHARACTERS: usize = 32;

/// A typed code that proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Fewer than 32 characters.
    #[error("the code has {0} of 32 characters: too short to prove anything")]
    TooShort(usize),
    /// More than 32 characters, or one that the code never uses.
    #[error("this is not a root code")]
    Form,
    /// Another root.
    #[error("the code belongs to another history")]
    Different,
}

/// Eight groups of four characters of Crockford's base 32, joined by dashes: 39 bytes.
pub fn root_code(root: &Hash) -> String {
    let characters: Vec<u8> = root.0[..20]
        .chunks(5)
        .flat_map(|chunk| {
            let bits = chunk.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
            (0..8u32).rev().map(move |i| ALPHABET[usize::try_from(bits >> (5 * i) & 31).unwrap_or(0)])
        })
        .collect();
    let groups: Vec<String> =
        characters.chunks(4).map(|group| group.iter().map(|b| char::from(*b)).collect()).collect();
    groups.join("-")
}

/// Compares a typed code with a root; spaces, dashes, case and full width do not matter, O is 0, I and L are 1.
///
/// # Errors
/// [`CodeError`]: too short, no code at all, or the code of another root.
pub fn check_root_code(root: &Hash, typed: &str) -> Result<(), CodeError> {
    let plain: String = typed
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '‐'..='―' | '−' | '－'))
        .map(|c| match half_width(c).to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    let count = plain.chars().count();
    if !plain.bytes().all(|b| ALPHABET.contains(&b)) || count > CHARACTERS {
        return Err(CodeError::Form);
    }
    if count < CHARACTERS {
        return Err(CodeError::TooShort(count));
    }
    if root_code(root).replace('-', "") == plain { Ok(()) } else { Err(CodeError::Different) }
}

/// Chinese input methods write Latin letters and digits in full width as well.
fn half_width(c: char) -> char {
    match u32::from(c) {
        code @ 0xff01..=0xff5e => char::from_u32(code - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sha256;

    #[test]
    fn codes_are_tolerant_of_typing_but_not_of_history() {
        let root = sha256(b"root");
        let code = root_code(&root);
        assert_eq!(code.len(), 39);
        assert_eq!(check_root_code(&root, &code.to_lowercase().replace('-', " ")), Ok(()));
        assert_eq!(check_root_code(&sha256(b"other"), &code), Err(CodeError::Different));
        assert_eq!(check_root_code(&root, &code[..20]), Err(CodeError::TooShort(16)));
        assert_eq!(check_root_code(&root, "UUUU"), Err(CodeError::Form));
        assert_eq!(check_root_code(&root, &format!("{code}0")), Err(CodeError::Form));
        assert_eq!(check_root_code(&root, ""), Err(CodeError::TooShort(0)));
        let wide: String = code.chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c)).collect();
        assert_eq!(check_root_code(&root, &wide), Ok(()));
    }

    #[test]
    fn the_code_is_the_first_160_bits() {
        let mut root = Hash([0; 32]);
        root.0[0] = 0b0000_1000;
        root.0[19] = 0b0001_1111;
        root.0[20] = 0xff;
        assert_eq!(root_code(&root), "1000-0000-0000-0000-0000-0000-0000-000Z");
        assert_eq!(check_root_code(&root, "looo oooo oooo oooo oooo oooo oooo oooz"), Ok(()));
        assert_eq!(check_root_code(&root, "iOOO–OOOO—OOOO－OOOO OOOO　OOOO OOOO OOOZ"), Ok(()));
        assert_eq!(check_root_code(&root, "1000-0000-0000-0000-0000-0000-0000-000Y"), Err(CodeError::Different));
    }
}
