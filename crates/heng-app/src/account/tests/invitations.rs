use super::*;

#[test]
fn an_invitation_has_one_end() {
    let house = house();
    let accounts = &house.accounts;
    let invite = |n: u32| {
        let subject = Subject::Organisation("o:0001".to_owned());
        accounts.invite(By::Operator, &Invite::new(subject, "示例员工", Some(&format!("{n}@firm.example")))).unwrap()
    };
    let [used, withdrawn, expired, valid] = [1, 2, 3, 4].map(invite);
    accounts.redeem(CALLER, used.token.expose()).unwrap();
    accounts.withdraw_invitation(By::Operator, &withdrawn.id).unwrap();
    house.clock.advance_millis(7 * DAY - 1);
    accounts.invitation(expired.token.expose()).unwrap();
    accounts.redeem(CALLER, valid.token.expose()).unwrap();
    house.clock.advance_millis(1);
    let cases = [
        (used.token.expose(), "invitation.used"),
        (withdrawn.token.expose(), "invitation.withdrawn"),
        (expired.token.expose(), "invitation.expired"),
        (valid.token.expose(), "invitation.used"),
        ("", "invitation.unknown"),
        ("AAAA", "invitation.unknown"),
        (used.id.as_str(), "invitation.unknown"),
    ];
    for (token, code) in cases {
        assert_eq!(code_of(accounts.invitation(token)), code);
        assert_eq!(code_of(accounts.redeem(CALLER, token)), code);
    }
    assert_eq!(code_of(accounts.withdraw_invitation(By::Operator, &used.id)), "invitation.used");
    assert_eq!(code_of(accounts.withdraw_invitation(By::Operator, &expired.id)), "invitation.expired");
    let states: Vec<_> = accounts.invitations(By::Operator).unwrap().into_iter().map(|i| i.state).collect();
    assert_eq!(states.iter().filter(|state| matches!(state, InvitationState::Used(_))).count(), 2);
    // The database does not hold what the link holds.
    let rows = accounts.heng.store().rows("account_invitation").unwrap();
    assert!(rows.iter().all(|(key, value)| {
        !key.contains(used.token.expose()) && !String::from_utf8_lossy(value).contains(used.token.expose())
    }));
}

#[test]
fn of_two_who_redeem_at_once_one_gets_in() {
    let house = house();
    for n in 0..20 {
        let subject = Subject::Person(format!("p:9{n:03}"));
        let issued = house.accounts.invite(By::Operator, &Invite::new(subject, "示例", None)).unwrap();
        let results: Vec<_> = std::thread::scope(|scope| {
            let redeem = || house.accounts.redeem(CALLER, issued.token.expose());
            let both = [scope.spawn(redeem), scope.spawn(redeem)];
            both.map(|thread| thread.join().unwrap()).into_iter().collect()
        });
        let mut codes: Vec<_> = results.iter().map(|r| r.as_ref().map_or_else(AccountError::code, |_| "in")).collect();
        codes.sort_unstable();
        assert_eq!(codes, ["in", "invitation.used"]);
        house.minutes(1);
    }
}

#[test]
fn who_may_invite_whom() {
    let house = house();
    let mut officer = house.officer("p:0001");
    let member = house.cast.with_role(heng_domain::office::events::OfficeRole::Member).next().unwrap().id.clone();
    let member = house.officer(&member);
    let mut admin = Invite::new(Subject::Organisation("o:0001".to_owned()), "示例负责人", Some("admin@firm.example"));
    admin.admin = true;
    let admin = house.enrol(&admin);
    let staff = house.staff("示例员工", "staff@firm.example");
    house.sign_in(&mut officer).unwrap();
    let of = |person: &Person, handle: &str| {
        let subject = match &handle[..2] {
            "p:" => Subject::Person(handle.to_owned()),
            _ => Subject::Organisation(handle.to_owned()),
        };
        let result = house.accounts.invite(By::Session(person.session()), &Invite::new(subject, "示例", None));
        result.map_or_else(|error| error.code(), |_| "yes")
    };
    let cases = [
        (&officer, "p:0050", "yes"),
        (&officer, "o:0001", "yes"),
        (&officer, "o:0002", "yes"),
        (&officer, "p:0001", "account.exists"),
        (&officer, "p:", "invitation.subject"),
        (&officer, "o:衡", "invitation.subject"),
        (&member, "p:0050", "account.not_allowed"),
        (&admin, "o:0001", "yes"),
        (&admin, "o:0002", "account.not_allowed"),
        (&admin, "p:0050", "account.not_allowed"),
        (&staff, "o:0001", "account.not_allowed"),
    ];
    for (person, handle, expected) in cases {
        assert_eq!(of(person, handle), expected, "{handle}");
    }
    // A guest who has not set a way to sign in invites nobody.
    let issued =
        house.accounts.invite(By::Operator, &Invite::new(Subject::Person("p:0002".into()), "二", None)).unwrap();
    let guest = house.accounts.redeem(CALLER, issued.token.expose()).unwrap();
    let invite = Invite::new(Subject::Person("p:0051".to_owned()), "示例", None);
    assert_eq!(code_of(house.accounts.invite(By::Session(&guest.session), &invite)), "account.not_allowed");
    // Admins see and stop their own colleagues only.
    let seen = |by| house.accounts.accounts(By::Session(by)).unwrap().len();
    assert_eq!(seen(admin.session()), 2);
    assert_eq!(seen(staff.session()), 0);
    assert!(seen(officer.session()) >= 5);
    house.accounts.set_disabled(admin.session(), &staff.session().account.id, true).unwrap();
    assert_eq!(code_of(house.look(&staff)), "account.disabled");
    let own = &admin.session().account.id;
    assert_eq!(code_of(house.accounts.set_disabled(admin.session(), own, true)), "account.not_allowed");
}

#[test]
fn forms_and_addresses_that_are_taken() {
    let house = house();
    let invite = |name: &str, email: Option<&str>| {
        let subject = Subject::Organisation("o:0001".to_owned());
        house.accounts.invite(By::Operator, &Invite::new(subject, name, email))
    };
    let long = "衡".repeat(101);
    for name in ["", "  ", "a\u{7}b", &long] {
        assert_eq!(code_of(invite(name, None)), "account.name");
    }
    for email in ["", "x", "@firm.example", "a@firm", "a b@firm.example", "a@b@firm.example"] {
        assert_eq!(code_of(invite("示例", Some(email))), "account.email");
    }
    house.staff("示例", "One@firm.example");
    assert_eq!(code_of(invite("另一", Some(" ｏne@FIRM.example"))), "account.email_taken");
    // Two invitations to one address: the second finds it taken, and stays good for a corrected try.
    let (first, second) =
        (invite("甲", Some("two@firm.example")).unwrap(), invite("乙", Some("two@firm.example")).unwrap());
    house.accept(first.token.expose());
    assert_eq!(code_of(house.accounts.redeem(CALLER, second.token.expose())), "account.email_taken");
    house.accounts.invitation(second.token.expose()).unwrap();
    assert_eq!(house.accounts.accounts(By::Operator).unwrap().len(), 2);
}

#[test]
fn an_account_that_nobody_finished_is_invited_again_with_another_address() {
    let house = house();
    let invite = |email| Invite::new(Subject::Person("p:0060".to_owned()), "示例", Some(email));
    let first = house.accounts.invite(By::Operator, &invite("wrong@award.example")).unwrap();
    let guest = house.accounts.redeem(CALLER, first.token.expose()).unwrap();
    let second = house.accounts.invite(By::Operator, &invite("right@award.example")).unwrap();
    let person = house.accept(second.token.expose());
    assert_eq!(person.session().account.id, guest.session.account.id);
    assert_eq!(person.session().account.email.as_deref(), Some("right@award.example"));
    // The first guest's session sets nothing any more, and the old address is free.
    assert_eq!(code_of(house.register(&guest.session, &mut Device::new())), "session.ended");
    house.staff("别人", "wrong@award.example");
}
