//! Passkeys: the specification's own test vectors, then each rule broken once.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use heng_log::sha256;
use heng_log::signature::{ED25519, PersonalKey, PublicKey, SignatureError, WEBAUTHN_ES256, WEBAUTHN_RS256};
use heng_log::webauthn::{Assertion, MAX_AUTHENTICATOR_DATA, MAX_CLIENT_DATA, SoftPasskey, WebauthnError, is_rp_id};
use proptest::prelude::*;

const RP: &str = "award.example.org";
const ORIGIN: &str = "https://award.example.org";

fn hex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

fn device() -> SoftPasskey {
    SoftPasskey::from_seed(RP, [7; 32]).unwrap()
}

fn challenge() -> Vec<u8> {
    sha256(b"a statement").0.to_vec()
}

// ── vectors of Web Authentication Level 3, §16 (https://www.w3.org/TR/webauthn-3/#sctn-test-vectors) ────

struct Vector {
    /// Uncompressed point of the credential's public key.
    point: &'static str,
    challenge: &'static str,
    ad: &'static str,
    cd: &'static str,
    s: &'static str,
}

impl Vector {
    fn check(&self, rp: &str) -> Result<(), WebauthnError> {
        let key = PublicKey::passkey(rp, &hex(self.point)).unwrap();
        self.assertion().verify(&hex(self.challenge), &key)
    }

    fn assertion(&self) -> Assertion {
        Assertion { authenticator_data: hex(self.ad), client_data: hex(self.cd), signature: hex(self.s) }
    }
}

/// `none.ES256.long-credential-id`: user present, verified, a passkey that may be on several devices.
const VERIFIED: Vector = Vector {
    point: "043b8176b7504489cc593046d7988abb7905a742de6ac2cdc748a873c663e90cb11436d5edc9a75f23999eef9d5950a5c2455514ee1014084720f841a06b828a11",
    challenge: "ef1deba56dce48f674a447ccf63b9599258ce87648e5c396f2ef0ca1da460e3b",
    ad: "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b50d00000000",
    cd: "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a22377833727057334f53505a307045664d396a75566d53574d36485a4935634f573875384d6f647047446a73222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73657d",
    s: "304502203ecef83fb12a0cae7841055f9f87103a99fd14b424194bbf06c4623d3ee6e3fd022100d2ace346db262b1374a6b70faa51f518a42ddca13a4125ce6f5052a75bac9fb6",
};

/// `none.ES256`: user present, not verified.
const UNVERIFIED: Vector = Vector {
    point: "04afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220",
    challenge: "39c0e7521417ba54d43e8dc95174f423dee9bf3cd804ff6d65c857c9abf4d408",
    ad: "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b51900000000",
    cd: "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a224f63446e55685158756c5455506f334a5558543049393770767a7a59425039745a63685879617630314167222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73657d",
    s: "3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd380221008480ac0f0b93538174f575bf11a1dd5d78c6e486013f937295ea13653e331e87",
};

/// `none.ES256.crossOrigin`: verified, in a frame of another site, with a field that only future browsers write.
const EMBEDDED: Vector = Vector {
    point: "0422200a473f90b11078851550d03b4e44a2279f8c4eca27b3153dedfe03e4e97dcbd0be95e746ad6f5a8191be11756e4c0420e72f65b466d39bc56b8b123a9c6e",
    challenge: "876aa517ba83fdee65fcffdbca4c84eeae5d54f8041a1fc85c991e5bbb273137",
    ad: "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b50500000000",
    cd: "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a226832716c463771445f65356c5f505f62796b7945377135645650674547685f49584a6b655737736e4d5463222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a747275652c22657874726144617461223a22636c69656e74446174614a534f4e206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c207375636820617320746869733a2039327063545644304162792d713464746d6a36656667227d",
    s: "3046022100eb12fcf23b12764c0f122e22371fab92e283879fd798f38ee1841c951b6e40e7022100c76237ff9db77b3c56f30837cda6a09acfa2e915544e609c0733b1184036d1cf",
};

#[test]
fn the_vectors_of_the_specification_hold() {
    assert_eq!(VERIFIED.check("example.org"), Ok(()));
    // The two others are sound WebAuthn, and not enough for a signature.
    assert_eq!(UNVERIFIED.check("example.org"), Err(WebauthnError::Verification));
    assert_eq!(EMBEDDED.check("example.org"), Err(WebauthnError::Embedded));
    let origin = WebauthnError::Origin { found: "https://example.org".to_owned(), rp: RP.to_owned() };
    assert_eq!(VERIFIED.check(RP), Err(origin));
    // Each vector with another's key and challenge.
    let key = PublicKey::passkey("example.org", &hex(EMBEDDED.point)).unwrap();
    assert_eq!(VERIFIED.assertion().verify(&hex(VERIFIED.challenge), &key), Err(WebauthnError::Wrong));
    let key = PublicKey::passkey("example.org", &hex(VERIFIED.point)).unwrap();
    assert_eq!(VERIFIED.assertion().verify(&hex(UNVERIFIED.challenge), &key), Err(WebauthnError::Challenge));
}

/// For an (r, s) that holds, (r, n − s) holds too, and devices give either: s of the vector lies in the upper half.
#[test]
fn both_signs_of_s_are_accepted() {
    let mut other = VERIFIED.assertion();
    other.signature = hex(
        "304402203ecef83fb12a0cae7841055f9f87103a99fd14b424194bbf06c4623d3ee6e3fd02202d531cb824d9d4ed8b5948f055ae0ae718b91e0c6cd678b68469781ba0b6859b",
    );
    let key = PublicKey::passkey("example.org", &hex(VERIFIED.point)).unwrap();
    assert_eq!(other.verify(&hex(VERIFIED.challenge), &key), Ok(()));
}

/// The example of docs/format.md §4.1, made by another implementation (passkey-client 0.6 with passkey-authenticator).
#[test]
fn the_example_of_the_format_holds() {
    let format = include_str!("../../../docs/format.md");
    let key: PublicKey = "webauthn-es256:heng.example:A/c17sc2NwNadguhAe2IC9+gQwTcvdWq0kZjHcEQIPYq".parse().unwrap();
    let ad = "voWVALZ+pPF8HJx/LNv6xYYkgrNpTYtPQPUEBy2RaoAdAAAAAA==";
    let cd = "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiNWdPeS1yd0lZWW5GdXVTMi1sNGRjRTVKX19nbU9veldwRzNFYjRfWEtkZyIsIm9yaWdpbiI6Imh0dHBzOi8vaGVuZy5leGFtcGxlIiwiY3Jvc3NPcmlnaW4iOmZhbHNlfQ==";
    let s = "MEQCIGIKvKQKFltxJR5q2GFpDbVF0dab6XHMfNYihUjVlhLXAiBZRVKpu2jWumq3zjiNPFCjpiqfieD8YGZ3FwzbJGzP9g==";
    let message = "e603b2fabc086189c5bae4b6fa5e1d704e49fff8263a8cd6a46dc46f8fd729d8";
    let assertion = Assertion::from_base64(ad, cd, s).unwrap();
    assert_eq!(assertion.verify(&hex(message), &key), Ok(()));
    let unfolded: String = format.lines().map(str::trim).collect();
    for text in [&key.to_string(), &key.fingerprint(), ad, cd, s, message] {
        assert!(unfolded.contains(text), "{text}");
    }
}

/// The second example of docs/format.md §4.1, made with OpenSSL: key, fingerprint, `ad`, `s`.
const RSA: [&str; 4] = [
    "webauthn-rs256:heng.example:qsZg7QdAfiwoWCEXdfkl9OGQCG9RVm8JSZy7cAYHBqce0wdO55IxT1GTfdzB6IU5VDkUOc+TYmSzEQWprKeizVAC/LmCVnAHkgXsi65v4UOt8X7Jmzs5Q65Sw83wijnD6FCJ0wB49V1AukxkntGaH+z6c1oqB+aOjxhmveMGfxEQv2smS7DPmiqasPI1uYmHG4KhEBI2lXHGhScpbqr1i/9aOto7MvXGzR2w1+BjWQ6UD7ytir5Bog9dCWlWM3AUCwFGhBztrIfszY94m6MENtFINV5cP6nnn8bgc346TMLSTzqdrSUlakQLFnIwLb0SScA7TXhkm9KX3cZm7742mw==",
    "a527-8167-f81c-9476",
    "voWVALZ+pPF8HJx/LNv6xYYkgrNpTYtPQPUEBy2RaoAFAAAAAA==",
    "oaS9w3aXNAv0uo+BoiEf9cD7zlHPDLYLglZDeniucSM6FJ+U2GgtyQj3b0rTVv+18PYb4ElSRBn60DaieRlFE9GyiQgnqW2P2fV46yto6zcRuBXDRVvSvW2KmqT7BKp8Rmo8lt+hy/LqSkpzD1Ywffs50BORm1LBqygnkOiAqewrDk3wq2FrD5c+4kAy2IcEsvhl9fWstnBkpj412ExnNBGiVMr7Z2tZf7Ui2zJ3c1YW1r52BwbM8fJ1N58tmFnrprW0spHxXlXTsOJiwC71brEJw1Um5cVffNtIGY6Y65pTcnadd4uJYZCsZjoKsPMiXrY3CdFpbN8+Eq7kX/6Fww==",
];
/// Client data of both examples.
const RSA_CD: &str = "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiNWdPeS1yd0lZWW5GdXVTMi1sNGRjRTVKX19nbU9veldwRzNFYjRfWEtkZyIsIm9yaWdpbiI6Imh0dHBzOi8vaGVuZy5leGFtcGxlIiwiY3Jvc3NPcmlnaW4iOmZhbHNlfQ==";
const RSA_CHALLENGE: &str = "e603b2fabc086189c5bae4b6fa5e1d704e49fff8263a8cd6a46dc46f8fd729d8";

fn rsa() -> (PublicKey, Assertion) {
    (RSA[0].parse().unwrap(), Assertion::from_base64(RSA[2], RSA_CD, RSA[3]).unwrap())
}

#[test]
fn an_rsa_key_of_a_security_chip_signs_too() {
    let (key, assertion) = rsa();
    assert_eq!((key.alg(), key.rp()), (WEBAUTHN_RS256, Some("heng.example")));
    assert_eq!((key.to_string(), key.fingerprint()), (RSA[0].to_owned(), RSA[1].to_owned()));
    assert_eq!(assertion.verify(&hex(RSA_CHALLENGE), &key), Ok(()));
    assert_eq!(assertion.verify(&challenge(), &key), Err(WebauthnError::Challenge));
    assert_eq!(key.verify(&hex(RSA_CHALLENGE), RSA[3]), Err(SignatureError::Key));
    let unfolded: String = include_str!("../../../docs/format.md").lines().map(str::trim).collect();
    for text in RSA {
        assert!(unfolded.contains(text), "{text}");
    }
    // The other kind's signature is none of this key's, nor the other way round.
    let es256 = device().sign(&challenge(), ORIGIN);
    let mixed = Assertion { signature: es256.signature, ..assertion.clone() };
    assert_eq!(mixed.verify(&hex(RSA_CHALLENGE), &key), Err(WebauthnError::Form));
    let mixed = Assertion { signature: assertion.signature, ..device().sign(&challenge(), ORIGIN) };
    assert_eq!(mixed.verify(&challenge(), &device().public()), Err(WebauthnError::Form));
}

#[test]
fn every_bit_of_an_rsa_signature_counts() {
    let (key, good) = rsa();
    let check = |changed: &Assertion| changed.verify(&hex(RSA_CHALLENGE), &key);
    for bit in 0..8 {
        for at in 0..good.signature.len() {
            let mut changed = good.clone();
            changed.signature[at] ^= 1 << bit;
            assert_eq!(check(&changed), Err(WebauthnError::Wrong), "s {at}.{bit}");
        }
        // Flags and counter are signed: what may change in form must not change in fact.
        for at in 33..good.authenticator_data.len() {
            let mut changed = good.clone();
            changed.authenticator_data[at] ^= 1 << bit;
            assert_eq!(check(&changed), Err(WebauthnError::Wrong), "ad {at}.{bit}");
        }
    }
    let sizes = [good.signature[1..].to_vec(), [&good.signature[..], &[0]].concat(), Vec::new()];
    for signature in sizes {
        assert_eq!(check(&Assertion { signature, ..good.clone() }), Err(WebauthnError::Form));
    }
    for byte in [0, 1, 0xff] {
        let signature = vec![byte; good.signature.len()];
        assert_eq!(check(&Assertion { signature, ..good.clone() }), Err(WebauthnError::Wrong));
    }
}

#[test]
fn an_rsa_key_has_one_written_form() {
    let modulus = STANDARD.decode(RSA[0].rsplit(':').next().unwrap()).unwrap();
    let key = PublicKey::passkey_rsa("heng.example", &modulus).unwrap();
    assert_eq!(key, rsa().0);
    assert_eq!(RSA[0].replace("heng.", "other.").parse::<PublicKey>().unwrap().rp(), Some("other.example"));
    let (mut even, mut small) = (modulus.clone(), modulus.clone());
    even[255] &= 0xfe;
    small[0] &= 0x7f;
    let longer = [&[0][..], &modulus].concat();
    for bytes in [&even[..], &small, &longer, &modulus[1..], &modulus[..128], &[]] {
        assert_eq!(PublicKey::passkey_rsa("heng.example", bytes), Err(SignatureError::Key));
    }
    for size in [256, 384, 512] {
        assert!(PublicKey::passkey_rsa("heng.example", &vec![0xff; size]).is_ok(), "{size}");
    }
    assert_eq!(PublicKey::passkey_rsa("Heng.example", &modulus), Err(SignatureError::Key));
    let wrong = [
        RSA[0].replace("rs256", "es256"),
        RSA[0].replace("rs256", "rs384"),
        RSA[0].replace('+', "-"),
        format!("{} ", RSA[0]),
        RSA[0].trim_end_matches('=').to_owned(),
    ];
    for text in wrong {
        assert!(text.parse::<PublicKey>().is_err(), "{text}");
    }
}

// ── keys ───────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_passkey_has_one_written_form() {
    let point = hex(VERIFIED.point);
    let mut compressed = vec![0x02 | (point[64] & 1)];
    compressed.extend(&point[1..33]);
    let key = PublicKey::passkey("example.org", &point).unwrap();
    assert_eq!(PublicKey::passkey("example.org", &compressed).unwrap(), key);
    let text = format!("webauthn-es256:example.org:{}", STANDARD.encode(&compressed));
    assert_eq!(key.to_string(), text);
    assert_eq!(text.parse::<PublicKey>().unwrap(), key);
    assert_eq!(serde_json::from_value::<PublicKey>(serde_json::json!(text)).unwrap(), key);
    assert_eq!((key.alg(), key.rp()), (WEBAUTHN_ES256, Some("example.org")));
    let digest = sha256(text.as_bytes()).to_string();
    assert_eq!(key.fingerprint().replace('-', ""), digest[..16]);
    assert_eq!(key.fingerprint().len(), 19);
    // The relying party is part of the key.
    let elsewhere = PublicKey::passkey("example.com", &point).unwrap();
    assert_ne!(elsewhere.fingerprint(), key.fingerprint());

    let b64 = STANDARD.encode(&compressed);
    let wrong = [
        format!("webauthn-es256:example.org:{}", STANDARD.encode(&point)),
        format!("webauthn-es256:example.org:{}", URL_SAFE_NO_PAD.encode([&compressed[..], &[0xff]].concat())),
        format!("webauthn-es256:example.org:{b64}="),
        format!("webauthn-es256:example.org:{b64} "),
        format!("webauthn-es256:example.org: {b64}"),
        format!("webauthn-es256:example.org:443:{b64}"),
        format!("webauthn-es256:Example.org:{b64}"),
        format!("webauthn-es256:https://example.org:{b64}"),
        format!("webauthn-es256::{b64}"),
        format!("webauthn-es256:{b64}"),
        format!("WEBAUTHN_ES256-ES256:example.org:{b64}"),
        format!("webauthn-es384:example.org:{b64}"),
        format!("example.org:{b64}"),
        "webauthn-es256:example.org:".to_owned(),
        b64,
    ];
    for text in wrong {
        assert!(text.parse::<PublicKey>().is_err(), "{text}");
    }
}

#[test]
fn only_points_of_the_curve_are_keys() {
    let point = hex(VERIFIED.point);
    let mut off = point.clone();
    off[64] ^= 1;
    let mut hybrid = point.clone();
    hybrid[0] = 0x06;
    let mut compact = vec![0x05];
    compact.extend(&point[1..33]);
    // x = p − 1 and x ≥ p give no point.
    let none = hex("02ffffffff00000001000000000000000000000000fffffffffffffffffffffffe");
    let beyond = hex("02ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
    for bytes in [&off[..], &hybrid, &compact, &none, &beyond, &[0], &[], &point[..33], &point[1..]] {
        assert_eq!(PublicKey::passkey("example.org", bytes), Err(SignatureError::Key), "{bytes:?}");
    }
}

#[test]
fn an_ed25519_key_is_not_a_passkey_and_the_other_way_round() {
    let plain = PersonalKey::from_seed([3; 32]);
    assert_eq!((plain.public().alg(), plain.public().rp()), (ED25519, None));
    let assertion = device().sign(&challenge(), ORIGIN);
    assert_eq!(assertion.verify(&challenge(), &plain.public()), Err(WebauthnError::Key));
    let signature = plain.sign(&challenge());
    assert_eq!(device().public().verify(&challenge(), &signature), Err(SignatureError::Key));
}

#[test]
fn a_relying_party_is_a_lower_case_name() {
    let long = format!("{}.org", "a".repeat(63));
    for good in ["localhost", "example.org", "a.b.example.org", "xn--fiqs8s.cn", "1.example.org", "a-b.org", &long] {
        assert!(is_rp_id(good), "{good}");
    }
    let long = format!("{}.org", "a".repeat(64));
    let longer = format!("{}org", "abcdefg.".repeat(32));
    let bad = [
        "",
        ".",
        "org",
        "Example.org",
        "example.org.",
        ".example.org",
        "example..org",
        "-a.org",
        "a-.org",
        "a_b.org",
        "example.org:8443",
        "https://example.org",
        "127.0.0.1",
        "1.2",
        "0x7f.0x1",
        "a.1b",
        "[::1]",
        "例.cn",
        "a b.org",
        "localhost.",
        "LOCALHOST",
        &long,
        &longer,
    ];
    for bad in bad {
        assert!(!is_rp_id(bad), "{bad}");
        assert!(SoftPasskey::from_seed(bad, [7; 32]).is_err(), "{bad}");
    }
}

// ── the software passkey ───────────────────────────────────────────────────────────────────────────────

#[test]
fn a_software_passkey_signs_as_a_device_does() {
    let device = device();
    let first = device.sign(&challenge(), ORIGIN);
    let second = device.sign(&challenge(), ORIGIN);
    for (assertion, counter) in [(&first, 1), (&second, 2)] {
        assert_eq!(assertion.verify(&challenge(), &device.public()), Ok(()));
        assert_eq!(assertion.authenticator_data[32..], [0x05, 0, 0, 0, counter]);
        let [ad, cd, s] = assertion.to_base64();
        assert_eq!(Assertion::from_base64(&ad, &cd, &s).as_ref(), Ok(assertion));
    }
    let text = String::from_utf8(first.client_data.clone()).unwrap();
    let expected = format!(
        r#"{{"type":"webauthn.get","challenge":"{}","origin":"{ORIGIN}","crossOrigin":false}}"#,
        URL_SAFE_NO_PAD.encode(challenge())
    );
    assert_eq!(text, expected);
    // The same device in another run gives the same bytes.
    assert_eq!(self::device().sign(&challenge(), ORIGIN), first);
    assert!(SoftPasskey::from_seed(RP, [0; 32]).is_err());
    assert!(SoftPasskey::from_seed(RP, [0xff; 32]).is_err());
}

// ── each rule, broken once; the signature itself holds ─────────────────────────────────────────────────

fn client_data(changed: &str, value: &str) -> Vec<u8> {
    let challenge = format!("\"{}\"", URL_SAFE_NO_PAD.encode(challenge()));
    let origin = format!("\"{ORIGIN}\"");
    let mut fields = vec![
        ("type", "\"webauthn.get\"".to_owned()),
        ("challenge", challenge),
        ("origin", origin),
        ("crossOrigin", "false".to_owned()),
    ];
    match fields.iter_mut().find(|(name, _)| *name == changed) {
        Some(field) => field.1 = value.to_owned(),
        None => fields.push((changed, value.to_owned())),
    }
    fields.retain(|(_, value)| !value.is_empty());
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(",")).into_bytes()
}

fn authenticator_data(rp: &str, flags: u8) -> Vec<u8> {
    let mut data = sha256(rp.as_bytes()).0.to_vec();
    data.extend([flags, 0, 0, 0, 9]);
    data
}

/// What the check says of client data that the device signed.
fn with_client_data(client_data: Vec<u8>) -> Result<(), WebauthnError> {
    device().sign_parts(authenticator_data(RP, 0x05), client_data).verify(&challenge(), &device().public())
}

fn with_authenticator_data(authenticator_data: Vec<u8>) -> Result<(), WebauthnError> {
    device().sign_parts(authenticator_data, client_data("", "")).verify(&challenge(), &device().public())
}

#[test]
fn browsers_may_add_fields_and_leave_out_cross_origin() {
    assert_eq!(with_client_data(client_data("", "")), Ok(()));
    assert_eq!(with_client_data(client_data("crossOrigin", "")), Ok(()));
    assert_eq!(with_client_data(client_data("future", r#"{"a":[null,1.5]}"#)), Ok(()));
    assert_eq!(with_client_data(client_data("tokenBinding", r#"{"status":"supported"}"#)), Ok(()));
}

#[test]
fn the_type_is_that_of_an_assertion() {
    let found = with_client_data(client_data("type", "\"webauthn.create\""));
    assert_eq!(found, Err(WebauthnError::Type("webauthn.create".to_owned())));
}

#[test]
fn the_challenge_is_the_hash_in_base64url() {
    let hash = challenge();
    for other in [
        URL_SAFE_NO_PAD.encode(sha256(b"another statement").0),
        STANDARD.encode(&hash),
        hex::encode(&hash),
        format!("{}=", URL_SAFE_NO_PAD.encode(&hash)),
        URL_SAFE_NO_PAD.encode(&hash[..31]),
        String::new(),
    ] {
        let found = with_client_data(client_data("challenge", &format!("\"{other}\"")));
        assert_eq!(found, Err(WebauthnError::Challenge), "{other}");
    }
}

#[test]
fn a_page_inside_another_sites_page_does_not_sign() {
    assert_eq!(with_client_data(client_data("crossOrigin", "true")), Err(WebauthnError::Embedded));
    assert_eq!(with_client_data(client_data("topOrigin", "\"https://evil.example\"")), Err(WebauthnError::Embedded));
}

#[test]
fn the_origin_is_a_page_of_the_relying_party() {
    let signed = |rp: &str, origin: &str| {
        let device = SoftPasskey::from_seed(rp, [7; 32]).unwrap();
        device.sign(&challenge(), origin).verify(&challenge(), &device.public())
    };
    for (rp, origin) in [
        (RP, "https://award.example.org"),
        (RP, "https://award.example.org:8443"),
        (RP, "https://hall.award.example.org"),
        (RP, "https://a.b.award.example.org:1"),
        ("localhost", "http://localhost"),
        ("localhost", "http://localhost:8080"),
        ("localhost", "https://localhost:8443"),
        ("localhost", "http://hall.localhost:8080"),
    ] {
        assert_eq!(signed(rp, origin), Ok(()), "{origin}");
    }
    for (rp, origin) in [
        (RP, "http://award.example.org"),
        (RP, "https://example.org"),
        (RP, "https://evilaward.example.org"),
        (RP, "https://award.example.org.evil.example"),
        (RP, "https://award.example.org@evil.example"),
        (RP, "https://evil.example/award.example.org"),
        (RP, "https://evil.example#.award.example.org"),
        (RP, "https://evil.example/.award.example.org"),
        (RP, "https://.award.example.org"),
        (RP, "https://user@award.example.org"),
        (RP, "https://AWARD.example.org"),
        (RP, "https://award.example.org/"),
        (RP, "https://award.example.org:"),
        (RP, "https://award.example.org:0443"),
        (RP, "https://award.example.org:+443"),
        (RP, "https://award.example.org:65536"),
        (RP, "https://award.example.org:443:443"),
        (RP, "https://award.example.org:443/x"),
        (RP, "HTTPS://award.example.org"),
        (RP, "https:award.example.org"),
        (RP, "award.example.org"),
        (RP, "android:apk-key-hash:abc"),
        (RP, "https://localhost"),
        (RP, "http://localhost:8080"),
        (RP, "null"),
        (RP, ""),
        ("localhost", "http://award.example.org"),
        ("localhost", "http://localhost.evil.example"),
        ("localhost", "ftp://localhost"),
    ] {
        let expected = WebauthnError::Origin { found: origin.to_owned(), rp: rp.to_owned() };
        assert_eq!(signed(rp, origin), Err(expected), "{origin}");
    }
}

#[test]
fn client_data_are_one_json_object() {
    let good = client_data("", "");
    let text = String::from_utf8(good.clone()).unwrap();
    let array = format!(r#"["webauthn.get","{}","{ORIGIN}",false,null]"#, URL_SAFE_NO_PAD.encode(challenge()));
    let twice = text.replace("{\"type\"", "{\"type\":\"webauthn.create\",\"type\"");
    let other = text.replace("{\"type\"", &format!("{{\"origin\":\"{ORIGIN}\",\"type\""));
    for bad in [
        Vec::new(),
        b"{}".to_vec(),
        b"null".to_vec(),
        array.into_bytes(),
        twice.into_bytes(),
        other.into_bytes(),
        [b"\xef\xbb\xbf", &good[..]].concat(),
        [&good[..], b"x"].concat(),
        [b" ", &good[..]].concat(),
        good[..good.len() - 1].to_vec(),
        client_data("future", "\"\u{0}\""),
        [&good[..30], &[0xff], &good[30..]].concat(),
        client_data("type", ""),
        client_data("challenge", ""),
        client_data("origin", ""),
        client_data("type", "1"),
        client_data("crossOrigin", "null"),
        client_data("crossOrigin", "\"false\""),
    ] {
        let found = with_client_data(bad.clone());
        assert!(matches!(found, Err(WebauthnError::ClientData(_))), "{found:?} {}", String::from_utf8_lossy(&bad));
    }
}

#[test]
fn the_device_signs_for_this_relying_party() {
    for other in ["example.org", "hall.award.example.org", "localhost", ""] {
        let found = with_authenticator_data(authenticator_data(other, 0x05));
        assert_eq!(found, Err(WebauthnError::RelyingParty(RP.to_owned())), "{other}");
    }
}

#[test]
fn the_person_was_there_and_known_to_the_device() {
    for flags in [0x05, 0x0d, 0x1d, 0xc5] {
        assert_eq!(with_authenticator_data(authenticator_data(RP, flags)), Ok(()), "{flags:#x}");
    }
    assert_eq!(with_authenticator_data(authenticator_data(RP, 0x00)), Err(WebauthnError::Presence));
    assert_eq!(with_authenticator_data(authenticator_data(RP, 0xfe)), Err(WebauthnError::Presence));
    assert_eq!(with_authenticator_data(authenticator_data(RP, 0x01)), Err(WebauthnError::Verification));
    assert_eq!(with_authenticator_data(authenticator_data(RP, 0xfb)), Err(WebauthnError::Verification));
}

#[test]
fn authenticator_data_have_their_fixed_fields() {
    let full = authenticator_data(RP, 0x05);
    for length in [0, 1, 31, 32, 33, 36] {
        let found = with_authenticator_data(full[..length].to_vec());
        assert_eq!(found, Err(WebauthnError::AuthenticatorData(length)));
    }
    let extended = [&full[..], b"\xa1\x61a\x01"].concat();
    assert_eq!(with_authenticator_data(extended), Ok(()));
}

#[test]
fn parts_are_base64_and_not_too_long() {
    let s = STANDARD.encode([0; 72]);
    let text = |length| STANDARD.encode(vec![b'x'; length]);
    assert!(Assertion::from_base64(&text(MAX_AUTHENTICATOR_DATA), &text(MAX_CLIENT_DATA), &s).is_ok());
    let wrong = |ad: &str, cd: &str, s: &str| match Assertion::from_base64(ad, cd, s) {
        Err(WebauthnError::Part { part, .. }) => part,
        other => panic!("{other:?}"),
    };
    assert_eq!(wrong(&text(MAX_AUTHENTICATOR_DATA + 1), "", &s), "ad");
    assert_eq!(wrong("", &text(MAX_CLIENT_DATA + 1), &s), "cd");
    assert_eq!(wrong("", "", &text(513)), "s");
    for bad in ["a", "YQ", "YR==", "YQ==\n", "_-8=", "é"] {
        assert_eq!(wrong(bad, "", ""), "ad", "{bad}");
        assert_eq!(wrong("", bad, ""), "cd", "{bad}");
        assert_eq!(wrong("", "", bad), "s", "{bad}");
    }
}

#[test]
fn the_signature_is_der() {
    let good = device().sign(&challenge(), ORIGIN);
    let check = |signature: Vec<u8>| Assertion { signature, ..good.clone() }.verify(&challenge(), &device().public());
    let der = good.signature.clone();
    let (length, rest) = (usize::from(der[3]), &der[4..]);
    let fixed = |integer: &[u8]| {
        let digits = integer.strip_prefix(&[0]).unwrap_or(integer);
        [vec![0; 32 - digits.len()], digits.to_vec()].concat()
    };
    let raw = [fixed(&rest[..length]), fixed(&rest[length + 2..])].concat();
    let mut padded = der.clone();
    padded.splice(4..4, [0]);
    padded[1] += 1;
    padded[3] += 1;
    for bad in [Vec::new(), raw, padded, [&der[..], &[0]].concat(), der[..der.len() - 1].to_vec(), vec![0x30; 500]] {
        assert_eq!(check(bad.clone()), Err(WebauthnError::Form), "{bad:02x?}");
    }
    // r and s of 0 or n are in no signature.
    let n = hex("00ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    let of_n = [&[0x30, 70, 2, 33][..], &n, &[2, 33], &n].concat();
    for bad in [hex("3006020100020100"), hex("3006020101020100"), of_n] {
        assert!(matches!(check(bad), Err(WebauthnError::Wrong | WebauthnError::Form)));
    }
    assert_eq!(check(hex("3006020101020101")), Err(WebauthnError::Wrong));
}

#[test]
fn every_bit_counts() {
    let device = device();
    let good = device.sign(&challenge(), ORIGIN);
    let check = |changed: &Assertion| changed.verify(&challenge(), &device.public());
    for bit in 0..8 {
        for at in 0..good.authenticator_data.len() {
            let mut changed = good.clone();
            changed.authenticator_data[at] ^= 1 << bit;
            assert!(check(&changed).is_err(), "ad {at}.{bit}");
        }
        for at in 0..good.client_data.len() {
            let mut changed = good.clone();
            changed.client_data[at] ^= 1 << bit;
            assert!(check(&changed).is_err(), "cd {at}.{bit}");
        }
        for at in 0..good.signature.len() {
            let mut changed = good.clone();
            changed.signature[at] ^= 1 << bit;
            assert!(check(&changed).is_err(), "s {at}.{bit}");
        }
    }
    // Data of one signature with the signature of the other.
    let next = device.sign(&challenge(), ORIGIN);
    assert_eq!(check(&Assertion { signature: next.signature, ..good.clone() }), Err(WebauthnError::Wrong));
    let stranger = SoftPasskey::from_seed(RP, [8; 32]).unwrap();
    assert_eq!(good.verify(&challenge(), &stranger.public()), Err(WebauthnError::Wrong));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_makes_the_check_panic(
        ad in prop::collection::vec(any::<u8>(), 0..80),
        cd in "\\{?[\"a-z:,{}\\[\\]0-9é\\\\]{0,60}",
        s in prop::collection::vec(any::<u8>(), 0..80),
        text in ".{0,40}",
    ) {
        let assertion = Assertion { authenticator_data: ad, client_data: cd.into_bytes(), signature: s.clone() };
        prop_assert!(assertion.verify(&challenge(), &device().public()).is_err());
        // Sound data, any bytes for a signature: DER is read last.
        let mut der = vec![0x30, u8::try_from(s.len()).unwrap(), 0x02];
        der.extend(&s);
        for signature in [s, der] {
            let good = device().sign(&challenge(), ORIGIN);
            let changed = Assertion { signature, ..good };
            prop_assert!(changed.verify(&challenge(), &device().public()).is_err());
        }
        let key = format!("webauthn-es256:{text}");
        prop_assert!(key.parse::<PublicKey>().is_err());
        let _ = is_rp_id(&text);
        let _ = Assertion::from_base64(&text, &text, &text);
        let origin = device().sign(&challenge(), &text);
        prop_assert!(origin.verify(&challenge(), &device().public()).is_err());
    }

    #[test]
    fn every_passkey_signs_and_reads_back(seed in any::<[u8; 32]>(), message in any::<[u8; 32]>()) {
        let device = SoftPasskey::from_seed("localhost", seed).unwrap();
        let key = device.public();
        prop_assert_eq!(key.to_string().parse::<PublicKey>().unwrap(), key.clone());
        let assertion = device.sign(&message, "http://localhost:8080");
        prop_assert_eq!(assertion.verify(&message, &key), Ok(()));
        let [ad, cd, s] = assertion.to_base64();
        prop_assert_eq!(Assertion::from_base64(&ad, &cd, &s).unwrap(), assertion);
    }
}
