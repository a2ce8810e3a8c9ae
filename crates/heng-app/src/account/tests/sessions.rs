use std::collections::BTreeSet;

use super::*;
use crate::account::rows::kind;
use crate::account::session;

#[test]
fn officers_idle_for_half_an_hour_others_for_two() {
    let house = house();
    let officer = house.officer("p:0001");
    let staff = house.staff("示例", "staff@firm.example");
    house.minutes(29);
    house.look(&officer).unwrap();
    house.minutes(29);
    house.look(&officer).unwrap();
    house.minutes(30);
    assert_eq!(code_of(house.look(&officer)), "session.expired");
    house.look(&staff).unwrap();
    house.minutes(119);
    house.look(&staff).unwrap();
    house.minutes(120);
    assert_eq!(code_of(house.look(&staff)), "session.expired");
}

#[test]
fn nobody_stays_longer_than_twelve_hours() {
    let house = house();
    let officer = house.officer("p:0001");
    for _ in 0..35 {
        house.minutes(20);
        house.look(&officer).unwrap();
    }
    house.minutes(20);
    assert_eq!(code_of(house.look(&officer)), "session.expired");
}

#[test]
fn last_seen_is_written_once_a_minute() {
    let house = house();
    let officer = house.officer("p:0001");
    let seen = || house.accounts.heng.store().row(kind::SESSION, &officer.signed_in.token.key()).unwrap().unwrap();
    let before = seen();
    house.clock.advance_millis(59 * SECOND);
    house.look(&officer).unwrap();
    assert_eq!(seen(), before);
    house.clock.advance_millis(SECOND);
    house.look(&officer).unwrap();
    assert_ne!(seen(), before);
    // A clock that goes backwards moves nothing backwards.
    let before = seen();
    house.clock.advance_millis(-30 * MINUTE);
    house.look(&officer).unwrap();
    assert_eq!(seen(), before);
}

#[test]
fn signing_out_here_there_and_everywhere() {
    let house = house();
    let mut officer = house.officer("p:0001");
    let first = officer.signed_in.clone();
    house.minutes(2);
    house.sign_in(&mut officer).unwrap();
    let list = house.accounts.sessions(officer.session()).unwrap();
    assert_eq!(list.len(), 2);
    assert_eq!(list.iter().map(|info| info.current).collect::<Vec<_>>(), [true, false]);
    assert_eq!(list[0].agent, "Firefox · Linux");
    let other = house.officer("p:0002");
    assert_eq!(code_of(house.accounts.end_session(other.session(), &list[1].id)), "session.unknown");
    house.accounts.end_session(officer.session(), &list[1].id).unwrap();
    assert_eq!(code_of(house.accounts.session(first.token.expose())), "session.ended");
    house.look(&officer).unwrap();
    house.accounts.sign_out(officer.signed_in.token.expose()).unwrap();
    house.accounts.sign_out("never was one").unwrap();
    assert_eq!(code_of(house.look(&officer)), "session.ended");
    house.sign_in(&mut officer).unwrap();
    let third = officer.signed_in.clone();
    house.sign_in(&mut officer).unwrap();
    house.accounts.sign_out_everywhere(officer.session()).unwrap();
    assert_eq!(code_of(house.accounts.session(third.token.expose())), "session.ended");
    assert_eq!(code_of(house.look(&officer)), "session.ended");
    // What was begun before sets nothing any more.
    assert_eq!(code_of(house.register(&third.session, &mut Device::new())), "session.ended");
    house.sign_in(&mut officer).unwrap();
    house.look(&other).unwrap();
    assert_eq!(code_of(house.accounts.session("")), "session.unknown");
}

#[test]
fn the_session_of_an_invitation_is_short_and_good_for_one_thing() {
    let house = house();
    let issued =
        house.accounts.invite(By::Operator, &Invite::new(Subject::Person("p:0001".into()), "一", None)).unwrap();
    let guest = house.accounts.redeem(CALLER, issued.token.expose()).unwrap();
    assert!(!guest.session.enrolled() && !guest.session.fresh(HOUR));
    let token = house.accounts.make_token(&guest.session, "x", BTreeSet::new(), 1);
    assert_eq!(code_of(token), "session.enrolling");
    house.minutes(30);
    assert_eq!(code_of(house.accounts.session(guest.token.expose())), "session.expired");
    // A password with code is a first way, too, and ends the guest's session.
    let issued = house
        .accounts
        .invite(By::Operator, &Invite::new(Subject::Person("p:0001".into()), "一", Some("one@award.example")))
        .unwrap();
    let guest = house.accounts.redeem(CALLER, issued.token.expose()).unwrap();
    let setup = house.accounts.begin_password(&guest.session, PASSWORD).unwrap();
    let code = house.code(&setup, 0);
    let enrolled = house.accounts.finish_password(CALLER, &guest.session, &setup.id, &code).unwrap();
    let full = enrolled.signed_in.unwrap();
    assert_eq!(full.session.method, Method::Password);
    assert_eq!(code_of(house.accounts.session(guest.token.expose())), "session.ended");
    house.accounts.session(full.token.expose()).unwrap();
}

#[test]
fn a_form_posted_too_late_is_kept_for_its_owner() {
    let house = house();
    let mut staff = house.staff("示例", "staff@firm.example");
    let other = house.staff("别人", "other@firm.example");
    house.minutes(121);
    let token = staff.signed_in.token.clone();
    assert_eq!(code_of(house.accounts.session(token.expose())), "session.expired");
    let id = house.accounts.park(token.expose(), "/a/1/profile", "组织概述".as_bytes()).unwrap();
    house.sign_in(&mut staff).unwrap();
    let (mine, theirs) = (&staff.session().account.id, &other.session().account.id);
    assert_eq!(code_of(house.accounts.parked(theirs, &id)), "park.unknown");
    assert_eq!(code_of(house.accounts.forget_parked(theirs, &id)), "park.unknown");
    let parked = house.accounts.parked(mine, &id).unwrap();
    assert_eq!((parked.form.form_key.as_str(), parked.expose()), ("/a/1/profile", "组织概述".as_bytes()));
    assert_eq!(house.accounts.parked_forms(mine).unwrap().len(), 1);
    assert!(house.accounts.parked_forms(theirs).unwrap().is_empty());
    house.accounts.forget_parked(mine, &id).unwrap();
    assert_eq!(code_of(house.accounts.parked(mine, &id)), "park.unknown");
    assert_eq!(code_of(house.accounts.park("x", "f", b"1")), "session.unknown");
    assert_eq!(code_of(house.accounts.park(token.expose(), "f", &vec![0; 1024 * 1024 + 1])), "park.too_large");
    for _ in 0..20 {
        house.accounts.park(token.expose(), "f", b"1").unwrap();
    }
    assert_eq!(code_of(house.accounts.park(token.expose(), "f", b"1")), "park.full");
}

#[test]
fn everything_expires_and_is_swept() {
    let house = house();
    let officer = house.officer("p:0001");
    let kinds = [
        kind::SESSION,
        kind::PARKED,
        kind::PARKED_FORMS,
        kind::CEREMONY,
        kind::SETUP,
        kind::RECOVERY,
        kind::INVITATION,
    ];
    let count = |kind| house.accounts.heng.store().rows(kind).unwrap().len();
    let accounts = &house.accounts;
    accounts.begin_sign_in(CALLER).unwrap();
    accounts.set_email(officer.session(), "one@award.example").unwrap();
    accounts.begin_password(officer.session(), PASSWORD).unwrap();
    accounts.park(officer.signed_in.token.expose(), "f", b"1").unwrap();
    accounts.make_token(officer.session(), "x", [Scope::Read].into(), 1).unwrap();
    let other = house.officer("p:0002");
    accounts.propose_recovery(By::Session(officer.session()), &other.session().account.id, "手机丢失").unwrap();
    for kind in kinds {
        assert!(count(kind) > 0, "{kind}");
    }
    assert_eq!(accounts.sweep().unwrap(), 0);
    house.minutes(15);
    // Ceremony and setup are over.
    assert_eq!(accounts.sweep().unwrap(), 2);
    house.minutes(6 * 24 * 60);
    // The proposal; a session that ended six days ago still parks a form.
    assert_eq!(accounts.sweep().unwrap(), 1);
    accounts.park(officer.signed_in.token.expose(), "f", b"2").unwrap();
    house.minutes(100 * 24 * 60);
    accounts.sweep().unwrap();
    for kind in kinds {
        assert_eq!(count(kind), 0, "{kind}");
    }
    assert_eq!(count(kind::API_TOKEN), 0);
    assert_eq!(accounts.list::<session::Row>(kind::SESSION).unwrap().len(), 0);
    assert_eq!(code_of(accounts.park(officer.signed_in.token.expose(), "f", b"2")), "session.unknown");
}

#[test]
fn api_tokens_have_scopes_and_an_end() {
    let house = house();
    let mut officer = house.officer("p:0001");
    let other = house.officer("p:0002");
    let accounts = &house.accounts;
    let read = accounts.make_token(officer.session(), "报表", [Scope::Read].into(), 30).unwrap();
    let write = accounts.make_token(officer.session(), "导入", [Scope::Read, Scope::Write].into(), 400).unwrap();
    assert_eq!(write.info.expires, after(house.clock.now(), 366 * DAY));
    let may = |token: &ApiToken, scope| {
        let account = accounts.token_account(token.token.expose(), scope);
        account.map_or_else(
            |error| error.code(),
            |account| if account.id == officer.session().account.id { "yes" } else { "?" },
        )
    };
    assert_eq!(may(&read, Scope::Read), "yes");
    assert_eq!(may(&read, Scope::Write), "token.scope");
    assert_eq!(may(&write, Scope::Write), "yes");
    assert_eq!(code_of(accounts.token_account("x", Scope::Read)), "token.unknown");
    assert_eq!(code_of(accounts.token_account(&read.info.id, Scope::Read)), "token.unknown");
    let names: Vec<_> = accounts.tokens(officer.session()).unwrap().into_iter().map(|info| info.name).collect();
    assert_eq!(names.len(), 2);
    assert!(accounts.tokens(other.session()).unwrap().is_empty());
    assert_eq!(code_of(accounts.revoke_token(other.session(), &write.info.id)), "token.unknown");
    accounts.revoke_token(officer.session(), &write.info.id).unwrap();
    assert_eq!(may(&write, Scope::Read), "token.unknown");
    house.minutes(30 * 24 * 60);
    assert_eq!(may(&read, Scope::Read), "token.expired");
    house.sign_in(&mut officer).unwrap();
    house.minutes(6);
    let old = house.look(&officer).unwrap();
    assert_eq!(code_of(accounts.make_token(&old, "x", BTreeSet::new(), 1)), "session.not_fresh");
}

#[test]
fn an_address_is_claimed_and_given_free() {
    let house = house();
    let (one, two) = (house.officer("p:0001"), house.staff("示例", "two@firm.example"));
    assert_eq!(code_of(house.accounts.begin_password(one.session(), PASSWORD)), "password.no_email");
    assert_eq!(code_of(house.accounts.set_email(one.session(), "TWO@firm.example")), "account.email_taken");
    assert_eq!(code_of(house.accounts.set_email(one.session(), "x")), "account.email");
    assert_eq!(house.accounts.set_email(one.session(), "one@award.example").unwrap().to, None);
    let notice = house.accounts.set_email(two.session(), "new@firm.example").unwrap();
    assert_eq!(notice.to.as_deref(), Some("two@firm.example"));
    assert!(notice.text().contains("new@firm.example"));
    // The same address in another case stays its own; the old one is free.
    house.accounts.set_email(two.session(), "New@firm.example").unwrap();
    house.accounts.set_email(one.session(), "two@firm.example").unwrap();
    let setup = house.set_password(one.session());
    house.accounts.sign_in(CALLER, "two@firm.example", PASSWORD, &house.code(&setup, 0)).unwrap();
    house.minutes(5);
    let old = house.look(&one).unwrap();
    assert_eq!(code_of(house.accounts.set_email(&old, "x@award.example")), "session.not_fresh");
}

#[test]
fn preferences_are_kept() {
    let house = house();
    let officer = house.officer("p:0001");
    house.accounts.set_preferences(officer.session(), Language::ZhHant, true).unwrap();
    let account = house.look(&officer).unwrap().account;
    assert_eq!((account.language, account.large_text), (Language::ZhHant, true));
}
