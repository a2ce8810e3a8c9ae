//! No secret in `Debug`, in messages, in the tracing output or in clear in the rows' keys.

use std::io::Write;
use std::sync::Mutex;

use super::*;

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_whole_story_prints_no_secret() {
    let output = Output::default();
    let writer = output.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    let (mut secrets, mut said): (Vec<String>, String) = (Vec::new(), String::new());
    let mut say = |value: &dyn std::fmt::Debug| said.push_str(&format!("{value:?} {value:#?}\n"));
    // For the whole process: a subscriber of one thread misses events while other tests register theirs. What those print
    // is searched, too.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    {
        tracing::trace!("the story begins");
        let house = house();
        let accounts = &house.accounts;
        say(accounts);
        let (mut first, second) = (house.officer("p:0001"), house.officer("p:0002"));
        let invite = Invite::new(Subject::Organisation("o:0001".to_owned()), "示例", Some("staff@firm.example"));
        let issued = accounts.invite(By::Session(first.session()), &invite).unwrap();
        say(&issued);
        secrets.push(issued.token.expose().to_owned());
        let guest = accounts.redeem(CALLER, issued.token.expose()).unwrap();
        say(&guest);
        secrets.push(guest.token.expose().to_owned());
        let setup = accounts.begin_password(&guest.session, PASSWORD).unwrap();
        say(&setup);
        secrets.extend([PASSWORD.to_owned(), setup.expose_secret().to_owned()]);
        let code = house.code(&setup, 0);
        let enrolled = accounts.finish_password(CALLER, &guest.session, &setup.id, &code).unwrap();
        say(&enrolled);
        let staff = enrolled.signed_in.unwrap();
        secrets.push(staff.token.expose().to_owned());
        let account = accounts.account(&staff.session.account.id).unwrap();
        say(&account);
        secrets.push(account.password.unwrap().0);
        let row = accounts.heng.store().row("account", &staff.session.account.id).unwrap().unwrap();
        let row: Value = serde_json::from_slice(&row).unwrap();
        secrets.push(row["totp"]["secret"].as_str().unwrap().to_owned());
        let parked = accounts.park(staff.token.expose(), "f", b"typed by hand").unwrap();
        say(&accounts.parked(&staff.session.account.id, &parked).unwrap());
        secrets.extend(["typed by hand".to_owned(), format!("{:?}", b"typed by hand")]);
        let token = accounts.make_token(&staff.session, "x", [Scope::Read].into(), 30).unwrap();
        say(&token);
        secrets.push(token.token.expose().to_owned());
        say(&accounts.token_account(token.token.expose(), Scope::Write));
        for _ in 0..6 {
            say(&accounts.sign_in(CALLER, "staff@firm.example", "a wrong password", "123456"));
        }
        secrets.push("a wrong password".to_owned());
        say(&house.sign_in(&mut first));
        say(&first.signed_in);
        secrets.push(first.signed_in.token.expose().to_owned());
        let proposal =
            accounts.propose_recovery(By::Session(first.session()), &staff.session.account.id, "手机丢失").unwrap();
        let recovered = accounts.confirm_recovery(second.session(), &proposal.id).unwrap();
        say(&recovered);
        secrets.push(recovered.invitation.token.expose().to_owned());
        say(&accounts.session(staff.token.expose()));
        say(&accounts.redeem(CALLER, issued.token.expose()));
        say(&accounts.session("a-cookie-somebody-made-up"));
        secrets.push("a-cookie-somebody-made-up".to_owned());
        for kind in ["account_invitation", "account_session", "account_api_token", "account_login", "account_lockout"] {
            for (key, value) in accounts.heng.store().rows(kind).unwrap() {
                // The values are encrypted; these have no need of the secrets at all.
                say(&(key, String::from_utf8_lossy(&value)));
            }
        }
    }
    let traced = String::from_utf8_lossy(&output.0.lock().unwrap()).into_owned();
    assert!(traced.contains("the story begins") && traced.contains("webauthn_rs_core"), "{traced}");
    for secret in &secrets {
        assert!(secret.len() >= 8);
        assert!(!said.contains(secret.as_str()), "said: {secret}");
        assert!(!traced.contains(secret.as_str()), "traced: {secret}");
    }
    assert_eq!(secrets.len(), 14);
}

#[test]
fn every_error_has_a_sentence_in_both_languages() {
    let now = Instant::parse("2026-03-02T01:00:00.000Z").unwrap();
    let errors = [
        AccountError::InvitationUsed(now),
        AccountError::SignInLocked { until: now, notice: None },
        AccountError::PasswordShort { found: 3 },
        AccountError::ParkTooLarge { limit: 1024 },
        AccountError::PasskeyRefused("x".to_owned()),
        AccountError::App(AppError::Other("x".to_owned())),
        AccountError::NotFresh,
    ];
    for error in errors {
        for lang in [Lang::Zh, Lang::En] {
            let sentence = error.sentence(lang);
            assert!(!sentence.contains(error.code()) && !sentence.contains('{'), "{sentence}");
        }
    }
}

#[test]
fn every_code_has_a_message_and_is_given_once() {
    let source = include_str!("../error.rs");
    let codes: Vec<&str> = source.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(codes.len() > 40);
    for lang in [Lang::Zh, Lang::En] {
        let keys = heng_domain::messages::keys(lang);
        for code in &codes {
            assert!(keys.contains(&format!("account.{code}")), "{code}");
        }
    }
    let distinct: std::collections::BTreeSet<_> = codes.iter().collect();
    assert_eq!(distinct.len(), codes.len());
}
