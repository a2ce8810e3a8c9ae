//! 统一社会信用代码: the unified social credit code, checked by the full algorithm of GB 32100-2015.
//!
//! 18 characters; the last is `(31 − Σ value·3^(i−1) mod 31) mod 31`. The inner check of positions 9–17
//! (GB 11714-1997) is a warning only, since old codes exist that do not keep it.

use crate::refusal::Refusal;

const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
const OUTER_WEIGHTS: [u32; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
const INNER_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];

/// Why a text is not a unified social credit code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsccError {
    /// Not 18 characters.
    #[error("has {0} characters, a unified social credit code has 18")]
    Length(usize),
    /// A character that the code never uses (I, O, S, V, Z, lower case, full-width digits …).
    #[error("has {character:?} at position {position}, which the code never uses")]
    Character {
        /// 1-based position.
        position: usize,
        /// The character.
        character: char,
    },
    /// The check character is wrong.
    #[error("ends in {found}, the other characters ask for {expected}: one of them is mistyped")]
    Check {
        /// What the first 17 characters ask for.
        expected: char,
        /// What stands there.
        found: char,
    },
}

impl UsccError {
    /// The refusal of `code`, in words for people of either language.
    pub fn refusal(&self, code: &str) -> Refusal {
        let basis = "GB 32100-2015";
        let refusal = match self {
            UsccError::Length(count) => Refusal::new("organisation.code_length", basis).with("count", count),
            UsccError::Character { position, character } => Refusal::new("organisation.code_character", basis)
                .with("position", position)
                .with("character", character),
            UsccError::Check { expected, found } => {
                Refusal::new("organisation.code_check", basis).with("expected", expected).with("found", found)
            }
        };
        refusal.with("code", code)
    }
}

/// What the inner check of positions 9–17 says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inner {
    /// The organisation code inside is right.
    Ok,
    /// It is not: worth a look, not an error.
    Doubtful,
}

fn value(byte: u8) -> Option<u32> {
    ALPHABET.iter().position(|b| *b == byte).and_then(|i| u32::try_from(i).ok())
}

/// The check character that `first17` asks for.
pub fn check_character(first17: &str) -> Option<char> {
    let bytes = first17.as_bytes();
    if bytes.len() != 17 {
        return None;
    }
    let sum: u32 = bytes.iter().zip(OUTER_WEIGHTS).map(|(b, w)| value(*b).map(|v| v * w)).sum::<Option<u32>>()?;
    let check = usize::try_from((31 - sum % 31) % 31).ok()?;
    ALPHABET.get(check).map(|b| char::from(*b))
}

/// Checks `code`, which must already be in upper-case ASCII.
pub fn check(code: &str) -> Result<Inner, UsccError> {
    let count = code.chars().count();
    if count != 18 {
        return Err(UsccError::Length(count));
    }
    for (i, character) in code.chars().enumerate() {
        let known = u8::try_from(character).ok().and_then(value).is_some();
        if !known {
            return Err(UsccError::Character { position: i + 1, character });
        }
    }
    let (first17, last) = code.split_at(17);
    let expected = check_character(first17).unwrap_or('?');
    let found = last.chars().next().unwrap_or('?');
    if expected != found {
        return Err(UsccError::Check { expected, found });
    }
    Ok(inner(&code.as_bytes()[8..17]))
}

fn inner(code: &[u8]) -> Inner {
    let wide = |byte: u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        _ => u32::from(byte - b'A') + 10,
    };
    let sum: u32 = code.iter().zip(INNER_WEIGHTS).map(|(b, w)| wide(*b) * w).sum();
    let expected = match 11 - sum % 11 {
        10 => b'X',
        11 => b'0',
        digit => b'0' + u8::try_from(digit).unwrap_or(0),
    };
    if code.get(8) == Some(&expected) { Inner::Ok } else { Inner::Doubtful }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_worked_example_and_synthetic_codes() {
        for code in [
            "91350100M000100Y43",
            "91411702MA0000015K",
            "91411722MA0ABC121J",
            "114117000060234577",
            "93411726NA00000Q7F",
            "91411702MA00001DX0",
            "91411702MA00001700",
            "91411702MA000004X1",
        ] {
            assert!(check(code).is_ok(), "{code}");
        }
        assert_eq!(check("91411702MA00001DX0"), Ok(Inner::Ok));
    }

    #[test]
    fn wrong_codes_say_what_is_wrong() {
        assert_eq!(check("91350100M000100Y4Z"), Err(UsccError::Character { position: 18, character: 'Z' }));
        assert_eq!(check("91350100M000100Y44"), Err(UsccError::Check { expected: '3', found: '4' }));
        assert_eq!(check("91350100M000100Y4"), Err(UsccError::Length(17)));
        assert!(matches!(check("９1350100M000100Y43"), Err(UsccError::Character { position: 1, .. })));
        assert!(matches!(check("91350100m000100Y43"), Err(UsccError::Character { position: 9, .. })));
    }

    #[test]
    fn every_single_substitution_and_adjacent_swap_is_caught() {
        let code = "91411702MA0000015K";
        for i in 0..18 {
            for b in ALPHABET {
                let mut bytes = code.as_bytes().to_vec();
                if bytes[i] != *b {
                    bytes[i] = *b;
                    assert!(check(std::str::from_utf8(&bytes).unwrap_or("")).is_err());
                }
            }
            if i < 17 && code.as_bytes()[i] != code.as_bytes()[i + 1] {
                let mut bytes = code.as_bytes().to_vec();
                bytes.swap(i, i + 1);
                assert!(check(std::str::from_utf8(&bytes).unwrap_or("")).is_err());
            }
        }
    }
}
