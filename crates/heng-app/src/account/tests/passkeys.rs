use super::*;

#[test]
fn a_passkey_signs_in_without_a_name() {
    let house = house();
    let mut officer = house.officer("p:0001");
    let account = house.accounts.account(&officer.session().account.id).unwrap();
    let key = &account.passkeys[0];
    assert_eq!(key.public_key("award.example").unwrap().alg(), "webauthn-es256");
    assert!(!key.credential_id().is_empty());
    house.minutes(10);
    house.sign_in(&mut officer).unwrap();
    let session = house.look(&officer).unwrap();
    assert_eq!(session.account.subject, Subject::Person("p:0001".to_owned()));
    assert_eq!(session.method, Method::Passkey);
    assert!(session.account.passkeys[0].used.is_some());
}

#[test]
fn keys_that_can_sign_records_and_verified_users_are_asked_for() {
    let house = house();
    let issued =
        house.accounts.invite(By::Operator, &Invite::new(Subject::Person("p:0001".into()), "一", None)).unwrap();
    let guest = house.accounts.redeem(CALLER, issued.token.expose()).unwrap();
    let options = house.accounts.begin_passkey(&guest.session).unwrap().options;
    let public = &options["publicKey"];
    let kinds = [-7, -257].map(|alg| serde_json::json!({ "type": "public-key", "alg": alg }));
    assert_eq!(public["pubKeyCredParams"], serde_json::json!(kinds));
    assert_eq!(public["authenticatorSelection"]["userVerification"], "required");
    assert_eq!(public["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(public["rp"]["id"], "award.example");
    let options = house.accounts.begin_sign_in(CALLER).unwrap().options;
    assert_eq!(options["publicKey"]["userVerification"], "required");
    assert!(options.get("mediation").is_none());
}

#[test]
fn ceremonies_end_once_and_in_time() {
    let house = house();
    let mut officer = house.officer("p:0001");
    let begin = || house.accounts.begin_sign_in(CALLER).unwrap();
    let finish = |ceremony: &Ceremony, answer: &Value| house.accounts.finish_sign_in(CALLER, &ceremony.id, answer);
    let first = begin();
    let answer = officer.device.get(&first.options);
    finish(&first, &answer).unwrap();
    assert_eq!(code_of(finish(&first, &answer)), "passkey.expired");
    // An answer to another challenge, from another site, by another key, of another user, and too late.
    assert_eq!(code_of(finish(&begin(), &answer)), "passkey.refused");
    let ceremony = begin();
    officer.device.origin = "https://evil.award.example";
    let answer = officer.device.get(&ceremony.options);
    assert_eq!(code_of(finish(&ceremony, &answer)), "passkey.refused");
    officer.device.origin = "https://award.example";
    let ceremony = begin();
    let mut answer = officer.device.get(&ceremony.options);
    answer["response"]["userHandle"] = base64_url(&[7; 16]).into();
    assert_eq!(code_of(finish(&ceremony, &answer)), "passkey.unknown");
    let ceremony = begin();
    let mut answer = officer.device.get(&ceremony.options);
    answer["response"]["signature"] = base64_url(&[7; 70]).into();
    assert_eq!(code_of(finish(&ceremony, &answer)), "passkey.refused");
    for broken in [Value::Null, "x".into(), serde_json::json!({ "id": "password" })] {
        assert_eq!(code_of(finish(&begin(), &broken)), "passkey.refused");
    }
    let ceremony = begin();
    let answer = officer.device.get(&ceremony.options);
    house.minutes(5);
    assert_eq!(code_of(finish(&ceremony, &answer)), "passkey.expired");
    // A registration is no sign-in, and belongs to who began it.
    house.sign_in(&mut officer).unwrap();
    let registration = house.accounts.begin_passkey(officer.session()).unwrap();
    let answer = officer.device.get(&begin().options);
    assert_eq!(code_of(finish(&registration, &answer)), "passkey.expired");
    let other = house.officer("p:0002");
    let registration = house.accounts.begin_passkey(officer.session()).unwrap();
    let answer = Device::new().create(&registration.options);
    let stolen = house.accounts.finish_passkey(CALLER, other.session(), &registration.id, "x", &answer);
    assert_eq!(code_of(stolen), "passkey.expired");
}

#[test]
fn further_passkeys_need_a_fresh_sign_in_and_the_last_one_stays() {
    let house = house();
    let mut officer = house.officer("p:0001");
    house.minutes(5);
    let old = house.look(&officer).unwrap();
    assert!(!old.fresh(5 * MINUTE) && old.fresh(6 * MINUTE));
    assert_eq!(code_of(house.register(&old, &mut Device::new())), "session.not_fresh");
    let again = house.accounts.begin_again(&old).unwrap();
    let answer = officer.device.get(&again.options);
    let fresh = house.accounts.finish_sign_in(CALLER, &again.id, &answer).unwrap().session;
    let first = fresh.account.passkeys[0].credential_id().to_vec();
    assert_eq!(code_of(house.accounts.remove_passkey(&fresh, &first)), "factor.last");
    assert_eq!(code_of(house.accounts.remove_passkey(&fresh, b"other")), "passkey.unknown");
    let mut second = Device::new();
    let enrolled = house.register(&fresh, &mut second).unwrap();
    assert!(enrolled.signed_in.is_none());
    assert_eq!(enrolled.notice.notice, Notice::PasskeyAdded);
    assert!(enrolled.notice.text().contains("办公室的手机"), "{}", enrolled.notice.text());
    house.accounts.remove_passkey(&fresh, &first).unwrap();
    assert_eq!(code_of(house.sign_in(&mut officer)), "passkey.unknown");
    officer.device = second;
    house.sign_in(&mut officer).unwrap();
}

#[test]
fn a_site_that_its_passkeys_do_not_fit_is_refused() {
    let heng = Arc::clone(&house().accounts.heng);
    for (rp_id, origin) in
        [("award.example", "https://other.example"), ("award.example", "x"), ("", "https://a.example")]
    {
        let site = Site { rp_id: rp_id.to_owned(), origin: origin.to_owned() };
        assert_eq!(code_of(Accounts::new(Arc::clone(&heng), site)), "account.internal", "{rp_id} {origin}");
    }
    for (rp_id, origin) in [("localhost", "http://localhost:8080"), ("award.example", "https://www.award.example")] {
        let site = Site { rp_id: rp_id.to_owned(), origin: origin.to_owned() };
        Accounts::new(Arc::clone(&heng), site).unwrap();
    }
}
