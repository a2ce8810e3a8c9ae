//! Canonical JSON: a subset of JCS (RFC 8785) without its trap, the floating-point numbers.
//!
//! Keys are printable ASCII, so that byte order is the order of RFC 8785; numbers are integers below 2^53; strings are
//! in Unicode normal form C and hold no control character but the line feed; there is no null.

use serde_json::Value;
use unicode_normalization::is_nfc;

/// Greatest size of a record: an entry bundle writes lengths in two bytes (C2SP tlog-tiles).
pub const MAX_RECORD_BYTES: usize = 65_535;
/// Greatest depth of nesting.
pub const MAX_DEPTH: usize = 32;
/// First integer that a double cannot tell from its neighbour.
const LIMIT: i64 = 1 << 53;

/// What is not canonical. `at` is a JSON pointer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// More than [`MAX_RECORD_BYTES`].
    #[error("has {0} bytes; a record has at most {MAX_RECORD_BYTES}")]
    TooLong(usize),
    /// Deeper than [`MAX_DEPTH`].
    #[error("{at}: nested deeper than {MAX_DEPTH}")]
    TooDeep {
        /// Where.
        at: String,
    },
    /// A key that is empty or not printable ASCII.
    #[error("{at}: the key {key:?} is not printable ASCII")]
    Key {
        /// Where.
        at: String,
        /// The key.
        key: String,
    },
    /// A number with a fraction or exponent, or beyond 2^53.
    #[error("{at}: {number} is not an integer below 2^53")]
    Number {
        /// Where.
        at: String,
        /// The number.
        number: String,
    },
    /// A null.
    #[error("{at}: null; leave the key out instead")]
    Null {
        /// Where.
        at: String,
    },
    /// Not in normal form C.
    #[error("{at}: the text is not in Unicode normal form C")]
    NotNfc {
        /// Where.
        at: String,
    },
    /// A control character.
    #[error("{at}: the text holds the control character U+{code:04X}")]
    Control {
        /// Where.
        at: String,
        /// Code point.
        code: u32,
    },
    /// Not JSON.
    #[error("not JSON: {0}")]
    Syntax(String),
    /// JSON, but not written in the canonical way: white space, key order, a key twice, an odd escape.
    #[error(
        "not written in canonical form (first difference at byte {0}): keys sorted and once, no spaces, no needless escapes"
    )]
    Form(usize),
}

/// The canonical bytes of a record.
///
/// # Errors
/// [`CanonicalError`].
pub fn to_bytes(value: &Value) -> Result<Vec<u8>, CanonicalError> {
    let bytes = to_bytes_unbounded(value)?;
    if bytes.len() > MAX_RECORD_BYTES { Err(CanonicalError::TooLong(bytes.len())) } else { Ok(bytes) }
}

/// Canonical bytes of any size: files of a bundle.
///
/// # Errors
/// [`CanonicalError`].
pub fn to_bytes_unbounded(value: &Value) -> Result<Vec<u8>, CanonicalError> {
    check(value, "", 0)?;
    // serde_json writes objects in key order, the shortest escapes and plain integers: what RFC 8785 asks of this subset.
    serde_json::to_vec(value).map_err(|error| CanonicalError::Syntax(error.to_string()))
}

/// Reads a record from exactly its canonical bytes.
///
/// # Errors
/// [`CanonicalError`] for everything whose canonical form is not these bytes.
pub fn parse(bytes: &[u8]) -> Result<Value, CanonicalError> {
    if bytes.len() > MAX_RECORD_BYTES {
        return Err(CanonicalError::TooLong(bytes.len()));
    }
    let value: Value = serde_json::from_slice(bytes).map_err(|error| CanonicalError::Syntax(error.to_string()))?;
    let canonical = to_bytes_unbounded(&value)?;
    if canonical == bytes {
        return Ok(value);
    }
    let same = canonical.iter().zip(bytes).take_while(|(a, b)| a == b).count();
    Err(CanonicalError::Form(same))
}

fn check(value: &Value, at: &str, depth: usize) -> Result<(), CanonicalError> {
    let place = || {
        if at.is_empty() { "/".to_owned() } else { at.to_owned() }
    };
    if depth > MAX_DEPTH {
        return Err(CanonicalError::TooDeep { at: place() });
    }
    match value {
        Value::Null => Err(CanonicalError::Null { at: place() }),
        Value::Bool(_) => Ok(()),
        Value::Number(number) => match number.as_i64() {
            Some(n) if n > -LIMIT && n < LIMIT => Ok(()),
            _ => Err(CanonicalError::Number { at: place(), number: number.to_string() }),
        },
        Value::String(text) => check_text(text, &place()),
        Value::Array(list) => {
            list.iter().enumerate().try_for_each(|(i, item)| check(item, &format!("{at}/{i}"), depth + 1))
        }
        Value::Object(map) => map.iter().try_for_each(|(key, item)| {
            if key.is_empty() || !key.bytes().all(|b| (0x20..0x7f).contains(&b)) {
                return Err(CanonicalError::Key { at: place(), key: key.clone() });
            }
            check(item, &format!("{at}/{key}"), depth + 1)
        }),
    }
}

fn check_text(text: &str, at: &str) -> Result<(), CanonicalError> {
    if let Some(control) = text.chars().find(|c| c.is_control() && *c != '\n') {
        return Err(CanonicalError::Control { at: at.to_owned(), code: u32::from(control) });
    }
    if is_nfc(text) { Ok(()) } else { Err(CanonicalError::NotNfc { at: at.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_the_canonical_bytes_are_read() {
        assert!(parse(br#"{"a":1,"b":[true,"x\ny"]}"#).is_ok());
        for wrong in [
            &br#"{"b":1,"a":2}"#[..],
            br#"{"a":1,"a":1}"#,
            br#"{"a": 1}"#,
            br#"{"a":"\u0061"}"#,
            br#"{"a":1.0}"#,
            br#"{"a":-0}"#,
            br#"{"a":1e2}"#,
            br#"{"a":null}"#,
            br#"{"a":9007199254740992}"#,
            br#"{"":1}"#,
            br#"{"a":"\u0007"}"#,
            b"{\"a\":\"e\xcc\x81\"}",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":1} ",
            b"",
        ] {
            assert!(parse(wrong).is_err(), "{}", String::from_utf8_lossy(wrong));
        }
    }

    #[test]
    fn limits_hold() {
        assert!(to_bytes(&json!({ "a": "x".repeat(65_527) })).is_ok());
        assert_eq!(to_bytes(&json!({ "a": "x".repeat(65_528) })), Err(CanonicalError::TooLong(65_536)));
        let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
        assert!(matches!(to_bytes(&deep), Err(CanonicalError::TooDeep { .. })));
        assert_eq!(to_bytes(&json!({ "質": 1 })), Err(CanonicalError::Key { at: "/".into(), key: "質".into() }));
    }

    #[test]
    fn every_flipped_bit_is_refused_or_reads_otherwise() {
        let bytes = to_bytes(&json!({ "name": "云川", "n": 42, "list": ["a", true] })).unwrap_or_default();
        let right = parse(&bytes).ok();
        for i in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[i / 8] ^= 1 << (i % 8);
            assert_ne!(parse(&flipped).ok(), right, "bit {i}");
        }
    }
}
