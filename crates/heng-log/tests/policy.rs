//! Policies of C2SP tlog-policy: what is read, what is refused, and when a quorum is reached.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use heng_log::Hash;
use heng_log::checkpoint::{Checkpoint, sign_checkpoint};
use heng_log::cosignature::cosign;
use heng_log::note::{KeyKind, Note, NoteError, SignerKey, sign};
use heng_log::policy::{Policy, PolicyOutcome};
use proptest::prelude::*;

const ORIGIN: &str = "heng.example/log";

fn log() -> SignerKey {
    SignerKey::from_seed(ORIGIN, KeyKind::Ed25519, [1; 32]).unwrap()
}

fn witness(number: u8) -> SignerKey {
    SignerKey::from_seed(&format!("w{number}.example"), KeyKind::CosignatureV1, [100 + number; 32]).unwrap()
}

/// Witness `n` is called `wn` and cosigns at second `n`.
fn checkpoint(witnesses: &[u8]) -> Note {
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: 7, root: Hash([7; 32]) };
    let mut note = sign_checkpoint(&checkpoint, &log()).unwrap();
    for number in witnesses {
        cosign(&mut note, &witness(*number), u64::from(*number)).unwrap();
    }
    Note::parse(&note.to_string()).unwrap()
}

/// The log and six witnesses, followed by `rest`.
fn policy(rest: &str) -> String {
    let witnesses: String = (1..=6).map(|n| format!("witness w{n} {}\n", witness(n).verifier())).collect();
    format!("log {}\n{witnesses}{rest}", log().verifier())
}

fn reached(rest: &str, witnesses: &[u8]) -> bool {
    Policy::parse(&policy(rest)).unwrap().check(&checkpoint(witnesses)).unwrap().quorum
}

#[test]
fn the_example_of_the_specification_counts_as_it_says() {
    let rest = "group X-witnesses 2 w1 w2 w3\n\ngroup Y-witnesses any w4 w5 w6\n\ngroup X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n";
    for (witnesses, expected) in [
        (&[][..], false),
        (&[1, 2], false),
        (&[1, 4], false),
        (&[4, 5, 6], false),
        (&[1, 2, 4], true),
        (&[2, 3, 6], true),
        (&[1, 2, 3, 4, 5, 6], true),
    ] {
        assert_eq!(reached(rest, witnesses), expected, "{witnesses:?}");
    }
}

#[test]
fn simple_quorums_count_too() {
    assert!(reached("quorum none\n", &[]));
    assert!(reached("quorum w2\n", &[2]) && !reached("quorum w2\n", &[1, 3, 4, 5, 6]));
    assert!(reached("group all-of-one all w1\nquorum all-of-one", &[1]));
}

#[test]
fn the_outcome_names_witnesses_and_their_times() {
    let policy = Policy::parse(&policy("quorum w4\n")).unwrap();
    let witnesses = vec![("w2".to_owned(), 2), ("w4".to_owned(), 4)];
    let outcome = PolicyOutcome { log: ORIGIN.to_owned(), witnesses, quorum: true };
    assert_eq!(policy.check(&checkpoint(&[4, 9, 2])), Ok(outcome));
    let alone = Policy::for_log(log().verifier());
    assert_eq!(alone.logs(), [log().verifier()]);
    assert!(alone.check(&checkpoint(&[])).unwrap().quorum);
    assert_eq!(Policy::parse(&alone.to_string()), Ok(alone));
}

#[test]
fn a_checkpoint_that_no_listed_log_signed_is_refused() {
    let policy = Policy::parse(&policy("quorum none\n")).unwrap();
    let stranger = SignerKey::from_seed("stranger.example", KeyKind::Ed25519, [50; 32]).unwrap();
    let foreign = Checkpoint { origin: "stranger.example".to_owned(), size: 7, root: Hash([7; 32]) };
    assert!(matches!(policy.check(&sign_checkpoint(&foreign, &stranger).unwrap()), Err(NoteError::Missing(_))));
    // Signed by the log, but under the origin of another one.
    assert!(matches!(policy.check(&sign(&foreign.to_text(), &log()).unwrap()), Err(NoteError::Origin { .. })));
    assert!(matches!(policy.check(&sign("Dear all,\n", &log()).unwrap()), Err(NoteError::Checkpoint(_))));
    let mut changed = checkpoint(&[1]);
    changed.signatures[0].bytes[0] ^= 1;
    assert!(matches!(policy.check(&changed), Err(NoteError::Wrong(_))));
    let mut changed = checkpoint(&[1]);
    changed.signatures[1].bytes[20] ^= 1;
    assert!(matches!(policy.check(&changed), Err(NoteError::Wrong(_))));
}

#[test]
fn any_of_several_logs_will_do() {
    let second = SignerKey::from_seed("heng.example/second", KeyKind::Ed25519, [51; 32]).unwrap();
    let text = format!("log {}\nlog {} https://heng.example/\nquorum none\n", second.verifier(), log().verifier());
    let policy = Policy::parse(&text).unwrap();
    assert_eq!(policy.check(&checkpoint(&[])).unwrap().log, ORIGIN);
    assert_eq!(policy.to_string(), text);
}

#[test]
fn white_space_comments_and_addresses_are_read_as_specified() {
    let (log, w1) = (log().verifier(), witness(1).verifier());
    let text = format!(
        "# policy 政策\n\n \t# more\n\tlog  {log}\thttps://heng.example/#top \nwitness #1 {w1} u\nwitness\u{a0}2 {}\nquorum #1",
        witness(2).verifier()
    );
    // A no-break space is not white space here: it is a part of a word.
    assert_eq!(Policy::parse(&text).unwrap_err().line, 6);
    let text = text.replace("witness\u{a0}2", "witness w2");
    let read = Policy::parse(&text).unwrap();
    let plain = format!(
        "log {log} https://heng.example/#top\nwitness #1 {w1} u\nwitness w2 {}\nquorum #1\n",
        witness(2).verifier()
    );
    assert_eq!(read.to_string(), plain);
    assert_eq!(Policy::parse(&plain), Ok(read));
}

#[test]
fn what_the_specification_forbids_is_refused() {
    let (log_key, w1, w7) = (log().verifier(), witness(1).verifier(), witness(7).verifier());
    let same_point = SignerKey::from_seed("renamed.example", KeyKind::CosignatureV1, [101; 32]).unwrap().verifier();
    for (rest, what) in [
        ("", "no quorum line"),
        ("quorum none\nquorum none\n", "a second quorum line"),
        ("quorum nobody\n", "not defined above"),
        ("quorum g\ngroup g any w1\n", "not defined above"),
        ("quorum\n", "not a log"),
        ("quorum w1 w2\n", "not a log"),
        ("group g 2 w1\nquorum g\n", "between 1 and"),
        ("group g 0 w1\nquorum g\n", "between 1 and"),
        ("group g +1 w1\nquorum g\n", "all, any or a number"),
        ("group g 01 w1\nquorum g\n", "all, any or a number"),
        ("group g most w1\nquorum g\n", "all, any or a number"),
        ("group g any\nquorum g\n", "not a log"),
        ("group g any none\nquorum g\n", "not defined above"),
        ("group g any g\nquorum g\n", "not defined above"),
        ("group w1 any w2\n", "defined already"),
        ("group none any w2\n", "reserved"),
        ("group g 2 w1 w1\n", "already a member"),
        ("group g any w1\ngroup h any w1 w2\n", "already a member"),
        ("group g any w1\ngroup h 2 g g\n", "already a member"),
        (&format!("witness w1 {w7}\n"), "defined already"),
        (&format!("witness none {w7}\n"), "reserved"),
        (&format!("witness w7 {w1}\n"), "the key of another witness"),
        (&format!("witness w7 {same_point}\n"), "the key of another witness"),
        (&format!("witness w7 {log_key}\n"), "a witness needs"),
        (&format!("log {log_key}\n"), "the key of another log"),
        (&format!("log {w7}\n"), "a log needs"),
        (&format!("log {w7} a b\n"), "not a log"),
        ("log x\n", "not a note key"),
        ("quorum none\r\n", "control character"),
        ("quorum\u{b}none\n", "control character"),
        ("QUORUM none\n", "not a log"),
    ] {
        let error = Policy::parse(&policy(rest)).expect_err(rest).to_string();
        assert!(error.contains(what), "{rest:?}: {error}");
    }
    assert_eq!(Policy::parse("quorum none\nbad line\n").unwrap_err().line, 2);
    assert_eq!(Policy::parse("quorum none\n").unwrap_err().what, "no log line");
}

#[test]
fn deep_and_long_policies_end() {
    let chain = |depth: usize| {
        let groups: String = (1..depth).map(|i| format!("group g{i} all g{}\n", i - 1)).collect();
        policy(&format!("group g0 all w1\n{groups}quorum g{}\n", depth - 1))
    };
    let deepest = Policy::parse(&chain(256)).unwrap();
    assert!(deepest.check(&checkpoint(&[1])).unwrap().quorum);
    assert!(!deepest.check(&checkpoint(&[2])).unwrap().quorum);
    assert!(Policy::parse(&chain(257)).unwrap_err().what.contains("more than 256"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_makes_the_parser_panic(text in "((log|witness|group|quorum|#|none|any|all|w1|g|[0-9]|\\PC)[ \t]?|\n){0,40}") {
        if let Ok(read) = Policy::parse(&policy(&text)) {
            prop_assert_eq!(Policy::parse(&read.to_string()), Ok(read));
        }
    }
}
