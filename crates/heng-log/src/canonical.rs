//! Canonical JSON: a subset of JCS (RFC 8785) without its trap, the floating-point numbers.
//!
//! Keys are printable ASCII, so that byte order is the order of RFC 8785; numbers are integers below 2^53; strings are
//! in Unicode normal form C and hold no control character but the line feed; there is no null.

use serde_json::{Map, Value};
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Greatest size of a record, in bytes: an entry bundle writes lengths in two bytes (C2SP tlog-tiles).
pub const MAX_RECORD_BYTES: usize = 65_535;
/// Greatest number of arrays and objects around a value, its own included.
pub const MAX_DEPTH: usize = 32;
/// First integer that a double cannot tell from its neighbour.
const LIMIT: i64 = 1 << 53;

/// What is not canonical. `at` is a JSON pointer (RFC 6901); the whole value is `/`.
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
/// [`CanonicalError`]; never `Syntax` or `Form`.
pub fn to_bytes(value: &Value) -> Result<Vec<u8>, CanonicalError> {
    let bytes = to_bytes_unbounded(value)?;
    if bytes.len() > MAX_RECORD_BYTES { Err(CanonicalError::TooLong(bytes.len())) } else { Ok(bytes) }
}

/// Canonical bytes of any size: files of a bundle.
///
/// # Errors
/// [`CanonicalError`]; never `TooLong`, `Syntax` or `Form`.
pub fn to_bytes_unbounded(value: &Value) -> Result<Vec<u8>, CanonicalError> {
    let mut out = Vec::new();
    write(value, &Place::Top, &mut out)?;
    Ok(out)
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

/// A typed text in the form that a record may hold: normal form C, line feeds only, no other control characters.
pub fn normalise(text: &str) -> String {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    // Control characters go first: between a letter and its accent they would keep the two apart.
    lines.chars().filter(|c| !c.is_control() || *c == '\n').nfc().collect()
}

/// Where in the value we are: cheap to extend, written out only for an error.
enum Place<'a> {
    Top,
    Key(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl Place<'_> {
    fn depth(&self) -> usize {
        match self {
            Place::Top => 0,
            Place::Key(parent, _) | Place::Item(parent, _) => parent.depth() + 1,
        }
    }

    fn pointer(&self) -> String {
        match self {
            Place::Top => "/".to_owned(),
            Place::Key(parent, key) => parent.below(&key.replace('~', "~0").replace('/', "~1")),
            Place::Item(parent, index) => parent.below(&index.to_string()),
        }
    }

    fn below(&self, step: &str) -> String {
        match self {
            Place::Top => format!("/{step}"),
            _ => format!("{}/{step}", self.pointer()),
        }
    }
}

// An own writer rather than serde_json's: the order of keys and the form of numbers there depend on features that any
// crate of the build can switch on.
fn write(value: &Value, place: &Place<'_>, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    match value {
        Value::Null => return Err(CanonicalError::Null { at: place.pointer() }),
        Value::Bool(true) => out.extend(b"true"),
        Value::Bool(false) => out.extend(b"false"),
        Value::Number(number) => match number.as_i64() {
            Some(n) if n > -LIMIT && n < LIMIT => out.extend(n.to_string().bytes()),
            _ => return Err(CanonicalError::Number { at: place.pointer(), number: number.to_string() }),
        },
        Value::String(text) => {
            check_text(text, place)?;
            write_text(text, out);
        }
        Value::Array(list) => write_list(list, place, out)?,
        Value::Object(map) => write_map(map, place, out)?,
    }
    Ok(())
}

fn write_list(list: &[Value], place: &Place<'_>, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    check_depth(place)?;
    out.push(b'[');
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, &Place::Item(place, index), out)?;
    }
    out.push(b']');
    Ok(())
}

fn write_map(map: &Map<String, Value>, place: &Place<'_>, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    check_depth(place)?;
    let mut entries: Vec<(&String, &Value)> = map.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    out.push(b'{');
    for (index, (key, item)) in entries.into_iter().enumerate() {
        if key.is_empty() || !key.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            return Err(CanonicalError::Key { at: place.pointer(), key: key.clone() });
        }
        if index > 0 {
            out.push(b',');
        }
        write_text(key, out);
        out.push(b':');
        write(item, &Place::Key(place, key), out)?;
    }
    out.push(b'}');
    Ok(())
}

/// RFC 8785 §3.2.2.2 for texts whose only control character is the line feed.
fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend(b"\\\""),
            b'\\' => out.extend(b"\\\\"),
            b'\n' => out.extend(b"\\n"),
            other => out.push(other),
        }
    }
    out.push(b'"');
}

fn check_depth(place: &Place<'_>) -> Result<(), CanonicalError> {
    if place.depth() >= MAX_DEPTH { Err(CanonicalError::TooDeep { at: place.pointer() }) } else { Ok(()) }
}

fn check_text(text: &str, place: &Place<'_>) -> Result<(), CanonicalError> {
    if let Some(control) = text.chars().find(|c| c.is_control() && *c != '\n') {
        return Err(CanonicalError::Control { at: place.pointer(), code: u32::from(control) });
    }
    if text.is_ascii() || is_nfc(text) { Ok(()) } else { Err(CanonicalError::NotNfc { at: place.pointer() }) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn only_the_canonical_bytes_are_read() {
        assert!(parse(br#"{"a":1,"b":[true,"x\ny"]}"#).is_ok());
        assert!(parse("\"云川 €\u{1f600} / \u{2028}\"".as_bytes()).is_ok());
        for right in ["0", "-1", "9007199254740991", "-9007199254740991", "\"\"", "[]", "{}", r#""\"\\""#] {
            assert_eq!(to_bytes(&parse(right.as_bytes()).unwrap()).unwrap(), right.as_bytes());
        }
        for wrong in [
            &br#"{"b":1,"a":2}"#[..],
            br#"{"a":1,"a":1}"#,
            br#"{"a": 1}"#,
            br#"{"a":"\u0061"}"#,
            br#"{"a":"\/"}"#,
            br#"{"a":"\u000a"}"#,
            br#"{"a":"\t"}"#,
            br#"{"a":"\ud800"}"#,
            br#"{"a":1.0}"#,
            br#"{"a":-0}"#,
            br#"{"a":00}"#,
            br#"{"a":1e2}"#,
            br#"{"a":null}"#,
            br#"{"a":9007199254740992}"#,
            br#"{"a":-9007199254740992}"#,
            br#"{"a":18446744073709551616}"#,
            br#"{"":1}"#,
            br#"{"a":"\u0007"}"#,
            b"{\"a\":\"\n\"}",
            b"{\"a\":\"\x7f\"}",
            b"{\"a\":\"\xc2\x85\"}",
            b"{\"a\":\"e\xcc\x81\"}",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":1} ",
            b"\xef\xbb\xbf1",
            b"",
        ] {
            assert!(parse(wrong).is_err(), "{}", String::from_utf8_lossy(wrong));
        }
    }

    #[test]
    fn limits_hold() {
        assert!(to_bytes(&json!({ "a": "x".repeat(65_527) })).is_ok());
        assert_eq!(to_bytes(&json!({ "a": "x".repeat(65_528) })), Err(CanonicalError::TooLong(65_536)));
        assert!(to_bytes_unbounded(&json!({ "a": "x".repeat(65_528) })).is_ok());
        assert_eq!(parse(&[b' '; 65_536]), Err(CanonicalError::TooLong(65_536)));
        let nested = |depth: usize| (1..depth).fold(json!([]), |inner, _| json!([inner]));
        assert!(parse(&to_bytes(&nested(32)).unwrap()).is_ok());
        assert!(matches!(to_bytes(&nested(33)), Err(CanonicalError::TooDeep { .. })));
        let bombs = ["[".repeat(30_000), r#"{"a":"#.repeat(10_000), format!("{}{}", "[".repeat(33), "]".repeat(33))];
        for bomb in bombs {
            assert!(parse(bomb.as_bytes()).is_err());
        }
        assert_eq!(to_bytes(&json!({ "質": 1 })), Err(CanonicalError::Key { at: "/".into(), key: "質".into() }));
    }

    #[test]
    fn errors_name_the_place() {
        let error = |value: Value| to_bytes(&value).unwrap_err().to_string();
        assert_eq!(error(json!(null)), "/: null; leave the key out instead");
        assert_eq!(error(json!({ "a/b": [1, { "c~d": null }] })), "/a~1b/1/c~0d: null; leave the key out instead");
        assert_eq!(error(json!([0.5])), "/0: 0.5 is not an integer below 2^53");
        assert_eq!(error(json!(["\u{7f}"])), "/0: the text holds the control character U+007F");
        assert_eq!(parse(br#"{"b":1,"a":2}"#), Err(CanonicalError::Form(2)));
    }

    #[test]
    fn what_people_type_becomes_canonical() {
        assert_eq!(normalise("a\r\nb\rc\t"), "a\nb\nc");
        // The accent must join its letter although a control character stood between them.
        assert_eq!(normalise("e\u{1}\u{301}"), "é");
    }

    #[test]
    fn every_flipped_bit_is_refused_or_reads_otherwise() {
        let bytes = to_bytes(&json!({ "name": "云川", "n": 42, "list": ["a", true] })).unwrap();
        let right = parse(&bytes).unwrap();
        for i in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[i / 8] ^= 1 << (i % 8);
            assert_ne!(parse(&flipped).ok().as_ref(), Some(&right), "bit {i}");
        }
    }
}
