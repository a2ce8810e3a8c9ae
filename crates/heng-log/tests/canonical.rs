//! Canonical JSON against `serde_json_canonicalizer`, and whatever else can stand in a file.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use heng_log::canonical::{CanonicalError, normalise, parse, to_bytes};
use heng_log::tree::leaf_hash;
use heng_log::{Hash, Sha256};
use proptest::prelude::*;
use serde_json::{Value, json};

const SAFE: i64 = (1 << 53) - 1;

/// Any value that a record may hold.
fn values() -> impl Strategy<Value = Value> {
    let text = any::<String>().prop_map(|text| Value::String(normalise(&text)));
    let typed = "[a-z 云川\n\"\\\\/<>&é😀]{0,12}".prop_map(|text| Value::String(normalise(&text)));
    let number = (-SAFE..=SAFE).prop_map(Value::from);
    let leaf = prop_oneof![any::<bool>().prop_map(Value::Bool), number, text, typed];
    leaf.prop_recursive(5, 60, 8, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array);
        let map = prop::collection::btree_map("[ -~]{1,8}", inner, 0..8)
            .prop_map(|map: BTreeMap<String, Value>| Value::Object(map.into_iter().collect()));
        prop_oneof![list, map]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_equal_those_of_another_canonicaliser(value in values()) {
        let bytes = to_bytes(&value).unwrap();
        prop_assert_eq!(&bytes, &serde_json_canonicalizer::to_vec(&value).unwrap());
        prop_assert_eq!(parse(&bytes).unwrap(), value);
    }

    #[test]
    fn other_spellings_are_refused(value in values()) {
        let bytes = to_bytes(&value).unwrap();
        let pretty = serde_json::to_vec_pretty(&value).unwrap();
        prop_assert!(pretty == bytes || parse(&pretty).is_err());
        prop_assert!(parse(&[&bytes[..], b"\n"].concat()).is_err());
        prop_assert!(parse(&[b" ", &bytes[..]].concat()).is_err());
    }

    #[test]
    fn what_is_read_is_canonical(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        if let Ok(value) = parse(&bytes) {
            prop_assert_eq!(serde_json_canonicalizer::to_vec(&value).unwrap(), bytes);
        }
    }

    #[test]
    fn text_that_looks_like_json_is_read_only_in_its_canonical_form(
        text in "[\\[\\]{}:,\"\\\\a-e0-9.\\-+ nutr\u{301}]{0,24}"
    ) {
        if let Ok(value) = parse(text.as_bytes()) {
            prop_assert_eq!(to_bytes(&value).unwrap(), text.as_bytes());
            prop_assert_eq!(serde_json_canonicalizer::to_vec(&value).unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn normalised_text_may_stand_in_a_record(text in any::<String>()) {
        let plain = normalise(&text);
        prop_assert!(to_bytes(&json!([plain])).is_ok());
        prop_assert_eq!(normalise(&plain), plain);
    }

    #[test]
    fn large_and_broken_numbers_are_refused(number in any::<f64>(), whole in any::<i64>()) {
        prop_assert!(to_bytes(&json!(number)).is_err());
        prop_assert_eq!(to_bytes(&json!(whole)).is_ok(), (-SAFE..=SAFE).contains(&whole));
    }
}

/// The record of the specification, shortened.
fn record() -> Vec<u8> {
    to_bytes(&json!({
        "v": 1, "log": "zmd.gov.cn/award/2026", "seq": 9121, "time": "2026-11-23T09:15:02.118Z",
        "type": "score.submitted", "actor": "p:3k9", "basis": "细则第九条",
        "body": { "case": "c:017", "at": { "size": 9107, "root": Hash([7; 32]) }, "list": [true, -1, 0, "\n\"\\"] },
    }))
    .unwrap()
}

#[test]
fn every_changed_byte_is_refused_or_has_another_leaf() {
    let bytes = record();
    let (value, leaf) = (parse(&bytes).unwrap(), leaf_hash::<Sha256>(&bytes));
    for place in 0..bytes.len() {
        for other in 0..=255 {
            let mut changed = bytes.clone();
            changed[place] = other;
            if changed == bytes {
                continue;
            }
            assert_ne!(leaf_hash::<Sha256>(&changed), leaf);
            // Two spellings of one value would let two trees tell the same story.
            assert_ne!(parse(&changed).ok().as_ref(), Some(&value), "byte {place} = {other}");
        }
    }
}

#[test]
fn every_cut_record_is_refused() {
    let bytes = record();
    for end in 0..bytes.len() {
        assert!(matches!(parse(&bytes[..end]), Err(CanonicalError::Syntax(_))), "{end}");
    }
}

#[test]
fn the_example_of_rfc_8785_in_so_far_as_records_allow_it() {
    // §3.2.2 with its strings and literals; numbers with fractions, null and control characters are refused.
    let text = "{\"literals\":[true,false],\"string\":\"€$\\nA'B\\\"\\\\\\\\\\\"/\"}";
    let value = json!({ "string": "\u{20ac}$\u{000A}A'\u{42}\"\\\\\"/", "literals": [true, false] });
    assert_eq!(to_bytes(&value).unwrap(), text.as_bytes());
}
