//! Notes, checkpoints and cosignatures against published vectors and against `signed_note`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use heng_log::Hash;
use heng_log::checkpoint::{Checkpoint, open_checkpoint, sign_checkpoint};
use heng_log::cosignature::{cosign, verify_cosignature};
use heng_log::note::{KeyKind, Note, NoteError, SignerKey, VerifierKey, sign};
use proptest::prelude::*;
use signed_note::{StandardSigner, StandardVerifier, VerifierList};

/// The example of C2SP signed-note, “Verifier keys”.
const EXAMPLE_KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const EXAMPLE: &str = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

/// The example of the Go package of signed notes: a private key, and a note signed with it and with the key of zeros.
const GO_SEED: &str = "gQoUAtUUbI2E8kQzMPVAgOv5juF9nHT2JS/F1ccoMXM=";
const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_ZERO_KEY: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

/// A checkpoint of a public log with cosignatures of public witnesses, as they were published; one line is of a kind
/// that this crate does not know.
const PUBLIC: &str = "arche2025h1.staging.ct.transparency.dev\n1432088532\nU7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n\n— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=\n— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=\n— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==\n— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==\n— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==\n";
const PUBLIC_LOG: &str =
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f";
const PUBLIC_WITNESS: &str = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";

/// The example of C2SP tlog-cosignature; its keys are not published.
const COSIGNED: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

/// The first example of C2SP signed-note: a text with an empty line; its key is not published.
const POEM: &str = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";

fn key(text: &str) -> VerifierKey {
    let key: VerifierKey = text.parse().unwrap();
    assert_eq!(key.to_string(), text);
    key
}

fn log(seed: u8) -> SignerKey {
    SignerKey::from_seed("heng.example/log", KeyKind::Ed25519, [seed; 32]).unwrap()
}

#[test]
fn the_notes_of_the_specification_read() {
    for text in [EXAMPLE, GO_NOTE, PUBLIC, COSIGNED, POEM] {
        assert_eq!(Note::parse(text).unwrap().to_string(), text);
    }
    assert!(Note::parse(POEM).unwrap().text.ends_with("sole:\n\ned è subito sera.\n"));
    let line = &Note::parse(COSIGNED).unwrap().signatures[1];
    assert_eq!(line.bytes.len(), 8 + 64);
    assert_eq!(line.bytes[..8], 1_679_315_147u64.to_be_bytes());
    let checkpoint = Checkpoint::parse_text(&Note::parse(COSIGNED).unwrap().text).unwrap();
    assert_eq!((checkpoint.origin.as_str(), checkpoint.size), ("example.com/behind-the-sofa", 20_852_163));
}

#[test]
fn the_example_of_the_specification_verifies() {
    let (note, example) = (Note::parse(EXAMPLE).unwrap(), key(EXAMPLE_KEY));
    assert_eq!(note.verify(&example), Ok(()));
    assert_eq!((example.name(), example.key_id(), example.kind()), ("example.com/foo", 0x530d_903a, KeyKind::Ed25519));
    assert_eq!(hex::encode(example.public_key()), "e932791ae6e7a840a46164c904786426d5e7821dd8b29a00d61cae72afdd4da4");
    let other = Note { text: "This is another message.\n".to_owned(), ..note.clone() };
    assert_eq!(other.verify(&example), Err(NoteError::Wrong("example.com/foo".to_owned())));
    assert_eq!(note.verify(&key(GO_KEY)), Err(NoteError::Missing("PeterNeumann".to_owned())));
}

#[test]
fn the_example_of_go_is_signed_byte_for_byte() {
    let signer = |name, seed| SignerKey::from_seed(name, KeyKind::Ed25519, seed).unwrap();
    let peter = signer("PeterNeumann", STANDARD.decode(GO_SEED).unwrap().try_into().unwrap());
    let enoch = signer("EnochRoot", [0; 32]);
    assert_eq!(peter.verifier(), key(GO_KEY));
    assert_eq!(enoch.verifier(), key(GO_ZERO_KEY));
    let text = Note::parse(GO_NOTE).unwrap().text;
    let mut note = sign(&text, &peter).unwrap();
    note.add_signature(&enoch).unwrap();
    assert_eq!(note.to_string(), GO_NOTE);
    assert_eq!((note.verify(&key(GO_KEY)), note.verify(&key(GO_ZERO_KEY))), (Ok(()), Ok(())));
}

#[test]
fn a_public_checkpoint_and_its_cosignature_verify() {
    let (checkpoint, note) = open_checkpoint(PUBLIC, &key(PUBLIC_LOG)).unwrap();
    assert_eq!(checkpoint.size, 1_432_088_532);
    assert_eq!(checkpoint.root.to_base64(), "U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=");
    let witness = key(PUBLIC_WITNESS);
    assert_eq!(witness.kind(), KeyKind::CosignatureV1);
    assert_eq!(verify_cosignature(&note, &witness), Ok(1_779_573_024));
    let grown = Note { text: note.text.replacen("1432088532", "1432088533", 1), ..note };
    assert_eq!(verify_cosignature(&grown, &witness), Err(NoteError::Wrong("remora.n621.de".to_owned())));
}

#[test]
fn the_message_of_a_cosignature_is_that_of_the_specification() {
    let witness = SignerKey::from_seed("witness.example.com/w1", KeyKind::CosignatureV1, [9; 32]).unwrap();
    let mut note = Note::parse(COSIGNED).unwrap();
    cosign(&mut note, &witness, 1_679_315_147).unwrap();
    let bytes = &note.signatures.last().unwrap().bytes;
    let signature = Signature::from_bytes(bytes[8..].try_into().unwrap());
    let message = "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let public = VerifyingKey::from_bytes(&witness.verifier().public_key()).unwrap();
    assert!(public.verify_strict(message.as_bytes(), &signature).is_ok());
    // The unknown key of the same name stays.
    assert_eq!(note.signatures.len(), 3);
}

#[test]
fn unknown_lines_are_ignored_and_sixteen_are_few() {
    let mut note = sign("text\n", &log(1)).unwrap();
    for seed in 2..=100 {
        note.add_signature(&log(seed)).unwrap();
    }
    // The same name with another hash, and the same hash with another name, are other keys.
    note.signatures[50].name = "other".to_owned();
    note.signatures[51].key_id = log(1).verifier().key_id() ^ 1;
    let read = Note::parse(&note.to_string()).unwrap();
    assert_eq!(read.signatures.len(), 100);
    assert_eq!(read.verify(&log(1).verifier()), Ok(()));
    assert_eq!(read.verify(&log(100).verifier()), Ok(()));
    note.add_signature(&log(101)).unwrap();
    assert!(matches!(Note::parse(&note.to_string()), Err(NoteError::Form(_))));
}

#[test]
fn a_second_wrong_line_of_a_known_key_spoils_the_note() {
    let mut note = sign("text\n", &log(1)).unwrap();
    let mut wrong = note.signatures[0].clone();
    wrong.bytes[3] ^= 1;
    note.signatures.push(wrong);
    assert!(matches!(note.verify(&log(1).verifier()), Err(NoteError::Wrong(_))));
    note.signatures.pop();
    note.signatures[0].bytes.push(0);
    assert!(matches!(note.verify(&log(1).verifier()), Err(NoteError::Wrong(_))));
}

#[test]
fn what_is_not_a_note_is_refused() {
    let right = sign("text\n", &log(1)).unwrap().to_string();
    let line = right.rsplit_once("\n\n").unwrap().1;
    for wrong in [
        String::new(),
        "\n".to_owned(),
        "text\n".to_owned(),
        "text\n\n".to_owned(),
        format!("text\n{line}"),
        format!("text\n\n{}", line.trim_end()),
        format!("text\n\n{line}\n"),
        format!("text\n\n\n{line}more\n"),
        format!("te\txt\n\n{line}"),
        format!("text\r\n\n{line}"),
        right.replace("— ", "- "),
        right.replace("— ", "—"),
        right.replace("— ", "—  "),
        right.replace("heng.example", "heng+example"),
        right.replace("=\n", "\n"),
        right.replace("=\n", "==\n"),
        right.replace("=\n", "= \n"),
        "text\n\n— name AAAA\n".to_owned(),
        "text\n\n— name AAAAAA==\n".to_owned(),
        format!("{}\n\n{line}", "x".repeat(1_000_001)),
    ] {
        assert!(matches!(Note::parse(&wrong), Err(NoteError::Form(_) | NoteError::Key(_))), "{wrong:?}");
    }
    for wrong in ["", "text", "a\u{0}b\n", "a\r\n", "\tb\n"] {
        assert!(matches!(sign(wrong, &log(1)), Err(NoteError::Form(_))), "{wrong:?}");
    }
}

#[test]
fn every_changed_verifier_key_is_refused() {
    for text in [EXAMPLE_KEY, PUBLIC_WITNESS] {
        for place in 0..text.len() {
            for other in (0x20..0x7f).filter(|other| *other != text.as_bytes()[place]) {
                let mut changed = text.as_bytes().to_vec();
                changed[place] = other;
                assert!(String::from_utf8(changed).unwrap().parse::<VerifierKey>().is_err(), "{place} {other}");
            }
        }
        for end in 0..text.len() {
            assert!(text[..end].parse::<VerifierKey>().is_err(), "{end}");
        }
    }
    assert!(EXAMPLE_KEY.replace("530d903a", "530D903A").parse::<VerifierKey>().is_err());
}

#[test]
fn every_changed_byte_of_a_cosigned_checkpoint_is_found() {
    let witness = SignerKey::from_seed("witness.example", KeyKind::CosignatureV1, [2; 32]).unwrap();
    let checkpoint = Checkpoint { origin: "heng.example/log".to_owned(), size: 7, root: Hash([7; 32]) };
    let mut note = sign_checkpoint(&checkpoint, &log(1)).unwrap();
    cosign(&mut note, &witness, 1_700_000_000).unwrap();
    let text = note.to_string();
    let holds = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes).ok()?;
        let (checkpoint, note) = open_checkpoint(&text, &log(1).verifier()).ok()?;
        verify_cosignature(&note, &witness.verifier()).ok()?;
        Some(checkpoint)
    };
    assert_eq!(holds(text.clone().into_bytes()), Some(checkpoint));
    for place in 0..text.len() {
        for bit in 0..8 {
            let mut changed = text.clone().into_bytes();
            changed[place] ^= 1 << bit;
            assert_eq!(holds(changed), None, "byte {place} bit {bit}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn notes_pass_between_the_two_implementations(
        text in "([a-z é云\u{7f}+—]{0,20}\n){1,6}",
        name in "[a-z./é云-]{1,20}",
        seed in any::<[u8; 32]>(),
    ) {
        let ours = SignerKey::from_seed(&name, KeyKind::Ed25519, seed).unwrap();
        let verifier = ours.verifier();
        let private = STANDARD.encode([&[1][..], &seed[..]].concat());
        let theirs = StandardSigner::new(&format!("PRIVATE+KEY+{name}+{:08x}+{private}", verifier.key_id())).unwrap();
        let mut note = signed_note::Note::new(text.as_bytes(), &[]).unwrap();
        note.add_sigs(&[&theirs]).unwrap();

        let signed = sign(&text, &ours).unwrap();
        prop_assert_eq!(signed.to_string().into_bytes(), note.to_bytes());
        prop_assert_eq!(Note::parse(&signed.to_string()).unwrap(), signed.clone());
        prop_assert_eq!(signed.verify(&verifier), Ok(()));
        let known = VerifierList::new(vec![Box::new(StandardVerifier::new(&verifier.to_string()).unwrap())]);
        prop_assert!(signed_note::Note::from_bytes(signed.to_string().as_bytes()).unwrap().verify(&known).is_ok());
    }

    #[test]
    fn what_we_read_the_other_implementation_reads(text in "[a-z\n]{0,10}\n{0,3}(— [a-z +]{0,4} [A-Za-z0-9+/=]{0,12}\n?){0,3}") {
        if let Ok(note) = Note::parse(&text) {
            prop_assert_eq!(note.to_string(), text.clone());
            prop_assert!(signed_note::Note::from_bytes(text.as_bytes()).is_ok());
        }
    }
}
