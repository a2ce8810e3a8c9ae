use super::*;

#[test]
fn two_officers_recover_an_account() {
    let house = house();
    let accounts = &house.accounts;
    let (mut first, second) = (house.officer("p:0001"), house.officer("p:0002"));
    let mut staff = house.staff("王小明", "staff@firm.example");
    let setup = house.set_password(staff.session());
    let token = accounts.make_token(staff.session(), "x", [Scope::Read].into(), 30).unwrap();
    let id = staff.session().account.id.clone();
    let propose =
        |by: &Person, account: &str| accounts.propose_recovery(By::Session(by.session()), account, "手机丢失");
    assert_eq!(code_of(propose(&staff, &id)), "account.not_allowed");
    assert_eq!(code_of(propose(&first, &first.session().account.id)), "recovery.same_person");
    assert_eq!(code_of(propose(&first, "u:none")), "account.unknown");
    let proposal = propose(&first, &id).unwrap();
    assert_eq!(accounts.recoveries(second.session()).unwrap().len(), 1);
    assert_eq!(code_of(accounts.recoveries(staff.session())), "account.not_allowed");
    assert_eq!(code_of(accounts.confirm_recovery(first.session(), &proposal.id)), "recovery.same_person");
    assert_eq!(code_of(accounts.confirm_recovery(staff.session(), &proposal.id)), "account.not_allowed");
    house.look(&staff).unwrap();

    let recovered = accounts.confirm_recovery(second.session(), &proposal.id).unwrap();
    assert_eq!(recovered.notice.to.as_deref(), Some("staff@firm.example"));
    assert!(recovered.notice.text().contains("p:0001") && recovered.notice.text().contains("p:0002"));
    assert_eq!(code_of(accounts.confirm_recovery(second.session(), &proposal.id)), "recovery.unknown");
    // Nothing of before counts.
    assert_eq!(code_of(house.look(&staff)), "session.ended");
    assert_eq!(code_of(house.sign_in(&mut staff)), "passkey.unknown");
    let code = house.code(&setup, 0);
    assert_eq!(code_of(accounts.sign_in(CALLER, "staff@firm.example", PASSWORD, &code)), "sign_in.wrong");
    assert_eq!(code_of(accounts.token_account(token.token.expose(), Scope::Read)), "token.unknown");
    // The new invitation leads to the same account.
    let back = house.accept(recovered.invitation.token.expose());
    assert_eq!(back.session().account.id, id);
    assert!(accounts.tokens(back.session()).unwrap().is_empty());

    // A sign-in of just now is needed, and a proposal does not last.
    house.minutes(6);
    first.signed_in.session = house.look(&first).unwrap();
    assert_eq!(code_of(propose(&first, &id)), "session.not_fresh");
    house.sign_in(&mut first).unwrap();
    let late = propose(&first, &id).unwrap();
    house.minutes(3 * 24 * 60);
    let mut second = second;
    house.sign_in(&mut second).unwrap();
    assert_eq!(code_of(accounts.confirm_recovery(second.session(), &late.id)), "recovery.unknown");
}

#[test]
fn one_officer_alone_cannot_take_over_an_account_that_is_being_recovered() {
    let house = house();
    let accounts = &house.accounts;
    let (first, second, member) = (house.officer("p:0001"), house.officer("p:0002"), house.officer("p:0070"));
    let proposal =
        accounts.propose_recovery(By::Session(first.session()), &member.session().account.id, "手机丢失").unwrap();
    let recovered = accounts.confirm_recovery(second.session(), &proposal.id).unwrap();
    let again = Invite::new(Subject::Person("p:0070".to_owned()), "示例", Some("officer@elsewhere.example"));
    assert_eq!(code_of(accounts.invite(By::Session(first.session()), &again)), "account.exists");
    // A second recovery withdraws the first one's link.
    let proposal = accounts.propose_recovery(By::Operator, &member.session().account.id, "手机丢失").unwrap();
    accounts.confirm_recovery(second.session(), &proposal.id).unwrap();
    assert_eq!(code_of(accounts.redeem(CALLER, recovered.invitation.token.expose())), "invitation.withdrawn");
}
