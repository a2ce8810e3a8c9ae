//! Receipts of C2SP tlog-proof: every change is found, and nothing that a person can paste makes a parser panic.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use heng_log::checkpoint::{Checkpoint, sign_checkpoint};
use heng_log::code::check_root_code;
use heng_log::cosignature::cosign;
use heng_log::note::{KeyKind, Note, NoteError, SignerKey, VerifierKey};
use heng_log::proof::{Receipt, ReceiptError};
use heng_log::signature::{PersonalKey, PublicKey};
use heng_log::tree::{ProofError, inclusion_proof, leaf_hash, root};
use heng_log::{Hash, Sha256};
use proptest::prelude::*;

fn log() -> SignerKey {
    SignerKey::from_seed("heng.example/log", KeyKind::Ed25519, [1; 32]).unwrap()
}

fn record(index: u64) -> Vec<u8> {
    format!("record {index}").into_bytes()
}

fn receipt(size: u64, index: u64) -> Receipt {
    let leaves: Vec<Hash> = (0..size).map(|i| leaf_hash::<Sha256>(&record(i))).collect();
    let checkpoint = Checkpoint { origin: "heng.example/log".to_owned(), size, root: root::<Sha256>(&leaves) };
    let checkpoint = sign_checkpoint(&checkpoint, &log()).unwrap().to_string();
    Receipt { index, proof: inclusion_proof::<Sha256>(&leaves, index).unwrap(), checkpoint, extra: None }
}

fn holds(receipt: &Receipt, record: &[u8]) -> bool {
    receipt.verify(record, &log().verifier()).is_ok()
}

#[test]
fn receipts_of_all_records_hold_and_of_no_other() {
    for size in 1..20 {
        for index in 0..size {
            let receipt: Receipt = receipt(size, index).to_string().parse().unwrap();
            assert_eq!(receipt.verify(&record(index), &log().verifier()).unwrap().size, size);
            assert!((0..size + 1).all(|other| other == index || !holds(&receipt, &record(other))));
        }
    }
}

#[test]
fn the_format_is_that_of_the_specification() {
    let mut receipt = receipt(4, 2);
    receipt.extra = Some(b"more".to_vec());
    let [sibling, left] = [0, 1].map(|i| receipt.proof[i].to_base64());
    let checkpoint = &receipt.checkpoint;
    let text = format!("c2sp.org/tlog-proof@v1\nextra bW9yZQ==\nindex 2\n{sibling}\n{left}\n\n{checkpoint}");
    assert_eq!(receipt.to_string(), text);
    assert_eq!(text.parse(), Ok(receipt.clone()));
    receipt.extra = Some(Vec::new());
    assert_eq!(receipt.to_string().parse(), Ok(receipt.clone()));
    receipt.extra = None;
    assert_eq!(receipt.to_string(), text.replace("extra bW9yZQ==\n", ""));
    // The only record of a log needs no hashes.
    let single = self::receipt(1, 0);
    assert!(single.to_string().starts_with("c2sp.org/tlog-proof@v1\nindex 0\n\nheng.example/log\n1\n"));
    assert_eq!(single.to_string().parse(), Ok(single));
}

#[test]
fn the_example_of_the_specification_reads() {
    let note = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
    let text = format!(
        "c2sp.org/tlog-proof@v1\nindex 73894\ngSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\nB95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\nEKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=\nRoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=\nAHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=\n\n{note}"
    );
    let receipt: Receipt = text.parse().unwrap();
    assert_eq!((receipt.index, receipt.proof.len(), receipt.checkpoint.as_str()), (73_894, 5, note));
    assert_eq!(receipt.to_string(), text);
    assert!(matches!(receipt.verify(b"", &log().verifier()), Err(ReceiptError::Note(NoteError::Missing(_)))));
}

#[test]
fn every_changed_bit_of_a_receipt_is_found() {
    let text = receipt(7, 4).to_string();
    for bit in 0..text.len() * 8 {
        let mut changed = text.clone().into_bytes();
        changed[bit / 8] ^= 1 << (bit % 8);
        let read = String::from_utf8(changed).ok().and_then(|text| text.parse::<Receipt>().ok());
        assert!(!read.is_some_and(|receipt| holds(&receipt, &record(4))), "bit {bit}");
    }
}

#[test]
fn every_cut_or_reordered_receipt_is_refused() {
    let text = receipt(7, 4).to_string();
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        assert!(!text[..end].parse().is_ok_and(|receipt: Receipt| holds(&receipt, &record(4))), "{end}");
    }
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for (a, b) in (0..lines.len()).flat_map(|a| (0..a).map(move |b| (a, b))) {
        if lines[a] == lines[b] {
            continue;
        }
        let mut swapped = lines.clone();
        swapped.swap(a, b);
        assert!(!swapped.concat().parse().is_ok_and(|receipt: Receipt| holds(&receipt, &record(4))), "{a} {b}");
    }
}

#[test]
fn other_spellings_are_refused() {
    let mut receipt = receipt(7, 4);
    receipt.extra = Some(b"x".to_vec());
    let text = receipt.to_string();
    for (from, to) in [
        ("@v1", "@v2"),
        ("c2sp", " c2sp"),
        ("extra ", "extra extra "),
        ("extra ", "extra"),
        ("eA==", "eB=="),
        ("extra eA==\n", "extra eA==\nextra eA==\n"),
        ("index 4", "index 04"),
        ("index 4", "index +4"),
        ("index 4", "index 4 "),
        ("index 4", "index 4\r"),
        ("index 4", "index 18446744073709551616"),
        ("index 4", "index -1"),
        ("index 4\n", ""),
        ("index 4\n", "index 4\n\n"),
        ("=\n\nheng", "=\nheng"),
        ("=\n\nheng", "=\r\n\nheng"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert!(!changed.parse().is_ok_and(|receipt: Receipt| holds(&receipt, &record(4))), "{from} {to}");
    }
    receipt.proof = vec![Hash::default(); 65];
    assert!(matches!(receipt.to_string().parse::<Receipt>(), Err(ReceiptError::Form(_))));
    receipt.proof = Vec::new();
    assert_eq!(receipt.verify(&record(4), &log().verifier()), Err(ReceiptError::Proof(ProofError::Length(0))),);
}

#[test]
fn cosignatures_travel_with_a_receipt() {
    let witness = SignerKey::from_seed("w.example", KeyKind::CosignatureV1, [2; 32]).unwrap();
    let mut receipt = receipt(7, 4);
    let mut note = Note::parse(&receipt.checkpoint).unwrap();
    cosign(&mut note, &witness, 9).unwrap();
    receipt.checkpoint = note.to_string();
    let read: Receipt = receipt.to_string().parse().unwrap();
    assert!(holds(&read, &record(4)));
    assert_eq!(read, receipt);
}

#[test]
fn personal_signatures_are_checked_strictly() {
    // RFC 8032 §7.1, test 2.
    let seed = hex::decode("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").unwrap();
    let key = PersonalKey::from_seed(seed.try_into().unwrap());
    let public: PublicKey = "PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=".parse().unwrap();
    assert_eq!(key.public(), public);
    let signature = key.sign(&[0x72]);
    assert_eq!(
        hex::encode(STANDARD.decode(&signature).unwrap()),
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    );
    assert_eq!(public.verify(&[0x72], &signature), Ok(()));
    assert!(public.verify(&[0x73], &signature).is_err());
    for place in 0..signature.len() {
        let mut changed = signature.clone().into_bytes();
        changed[place] ^= 1;
        assert!(public.verify(&[0x72], &String::from_utf8(changed).unwrap()).is_err(), "{place}");
    }
    // The neutral element is a key for which anybody can sign anything; strict checking refuses it.
    let weak: PublicKey = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".parse().unwrap();
    let forged = format!("AQ{}==", "A".repeat(84));
    assert!(weak.verify(b"anything", &forged).is_err());
    assert_eq!(serde_json::from_str::<PublicKey>(&serde_json::to_string(&public).unwrap()).unwrap(), public);
    assert!(public.to_string().trim_end_matches('=').parse::<PublicKey>().is_err());
    let print = public.fingerprint();
    assert!(print.len() == 19 && print.split('-').all(|group| group.len() == 4), "{print}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_a_parser_panic(text in any::<String>(), near in "[a-z0-9+/=\n —:@.-]{0,60}") {
        for text in [text, near] {
            let _ = Note::parse(&text);
            let _ = Checkpoint::parse_text(&text);
            let _ = text.parse::<VerifierKey>();
            let _ = text.parse::<PublicKey>();
            let _ = text.parse::<Hash>();
            let _ = Hash::from_base64(&text);
            let _ = text.parse::<Receipt>();
            let _ = format!("c2sp.org/tlog-proof@v1\nindex 1\n{text}").parse::<Receipt>();
            let _ = heng_log::tile::parse_tile_path(&text);
            prop_assert!(check_root_code(&Hash::default(), &text).is_err());
        }
    }

    #[test]
    fn a_hash_has_one_spelling(bytes in any::<[u8; 32]>(), place in 0usize..64) {
        let hash = Hash(bytes);
        prop_assert_eq!(hash.to_string().parse::<Hash>().unwrap(), hash);
        prop_assert_eq!(Hash::from_base64(&hash.to_base64()).unwrap(), hash);
        prop_assert_eq!(serde_json::to_value(hash).unwrap(), serde_json::json!(hash.to_string()));
        let upper: String = hash.to_string().char_indices().map(|(i, c)| if i == place { c.to_ascii_uppercase() } else { c }).collect();
        prop_assert_eq!(upper == hash.to_string(), upper.parse::<Hash>().is_ok());
        prop_assert!(hash.to_string()[1..].parse::<Hash>().is_err());
    }
}
