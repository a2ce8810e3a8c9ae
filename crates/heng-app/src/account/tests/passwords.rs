use super::*;
use crate::account::limits::Lockout;
use crate::account::rows::kind;

const EMAIL: &str = "staff@firm.example";

#[test]
fn passwords_that_are_refused() {
    let house = house();
    let staff = house.staff("王小明", EMAIL);
    let long = "x".repeat(1001);
    let cases = [
        ("", "password.short"),
        ("elevenchars", "password.short"),
        // NFC: one character, not two.
        ("e\u{301}leven-char", "password.short"),
        ("王小明王小明王小明王小明王小明", "password.short"),
        ("STAFF@firm.example", "password.short"),
        ("staffstaff12345678901", "password.short"),
        (&long, "password.long"),
    ];
    for (password, code) in cases {
        let result = house.accounts.begin_password(staff.session(), password);
        // „staffstaff…“ leaves eleven digits.
        assert_eq!(code_of(result), code, "{password}");
    }
    for password in [PASSWORD, "twelve chars", &"x".repeat(1000)] {
        house.accounts.begin_password(staff.session(), password).unwrap();
    }
}

#[test]
fn password_and_code_count_together_and_a_code_once() {
    let house = house();
    let staff = house.staff("示例", EMAIL);
    let setup = house.accounts.begin_password(staff.session(), PASSWORD).unwrap();
    assert!(setup.expose_address().starts_with("otpauth://totp/"));
    let finish = |code: &str| house.accounts.finish_password(CALLER, staff.session(), &setup.id, code);
    let sign_in = |password: &str, code: &str| house.accounts.sign_in(CALLER, EMAIL, password, code);
    assert_eq!(code_of(finish("000000")), "code.wrong");
    // Nothing is set before the first code.
    assert_eq!(code_of(sign_in(PASSWORD, &house.code(&setup, 0))), "sign_in.wrong");
    let first = house.code(&setup, 0);
    assert_eq!(finish(&first).unwrap().notice.notice, Notice::PasswordSet);
    assert_eq!(code_of(finish(&first)), "passkey.expired");
    // The code that set it does not count again; nor do older ones.
    assert_eq!(code_of(sign_in(PASSWORD, &first)), "sign_in.wrong");
    house.minutes(1);
    let signed_in = sign_in(PASSWORD, &house.code(&setup, 0)).unwrap();
    assert_eq!(signed_in.session.method, Method::Password);
    let cases = [
        (PASSWORD, 0, false),
        (PASSWORD, -1, false),
        (PASSWORD, 2, false),
        ("评审工作要公平公正公开透明!", 1, false),
        (PASSWORD, 1, true),
        (PASSWORD, 1, false),
    ];
    for (password, steps, right) in cases {
        let result = sign_in(password, &house.code(&setup, steps));
        assert_eq!(result.is_ok(), right, "{password} {steps}");
    }
    house.minutes(20);
    // The neighbour before now counts, and so do spaces and full-width digits.
    let code: String = house.code(&setup, -1).chars().map(|c| char::from_u32(c as u32 + 0xfee0).unwrap()).collect();
    sign_in(PASSWORD, &format!("{} {}", &code[..9], &code[9..])).unwrap();
    // The name is folded, the password is normalised.
    house.minutes(1);
    house.accounts.sign_in(CALLER, " STAFF@FIRM.example", PASSWORD, &house.code(&setup, 0)).unwrap();
}

#[test]
fn a_code_is_not_used_twice_at_the_same_moment() {
    let house = house();
    let staff = house.staff("示例", EMAIL);
    let setup = house.set_password(staff.session());
    let code = house.code(&setup, 0);
    let results: Vec<_> = std::thread::scope(|scope| {
        let sign_in = || house.accounts.sign_in(CALLER, EMAIL, PASSWORD, &code).is_ok();
        (0..4).map(|_| scope.spawn(sign_in)).collect::<Vec<_>>().into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|ok| **ok).count(), 1);
}

#[test]
fn five_wrong_lock_the_name_but_not_the_passkey() {
    let house = house();
    let mut staff = house.staff("示例", EMAIL);
    let setup = house.set_password(staff.session());
    for (login, known) in [(EMAIL, true), ("nobody@firm.example", false)] {
        let wrong = || house.accounts.sign_in(CALLER, login, "wrong wrong wrong", "123456");
        for _ in 0..4 {
            assert_eq!(code_of(wrong()), "sign_in.wrong");
        }
        // The same for a name that does not exist; only the notice differs, and that goes to the owner.
        let error = wrong().unwrap_err();
        let until = after(house.clock.now(), 15 * MINUTE);
        assert_eq!((error.code(), error.time()), ("sign_in.locked", Some(until)));
        assert!(error.sentence(Lang::En).contains(&until.to_string()));
        assert_eq!(error.notice().map(|notice| notice.to.as_deref()), known.then_some(Some(EMAIL)));
        assert!(wrong().unwrap_err().notice().is_none());
    }
    let right = || house.accounts.sign_in(CALLER, EMAIL, PASSWORD, &house.code(&setup, 0));
    assert_eq!(code_of(right()), "sign_in.locked");
    house.sign_in(&mut staff).unwrap();
    house.minutes(15);
    right().unwrap();
    assert!(house.accounts.list::<Lockout>(kind::LOCKOUT).unwrap().len() == 1);
    house.minutes(25 * 60);
    house.accounts.sweep().unwrap();
    assert!(house.accounts.list::<Lockout>(kind::LOCKOUT).unwrap().is_empty());
}

#[test]
fn a_thousand_attempts_at_once_are_five() {
    let house = house();
    house.staff("示例", EMAIL);
    let looked_at = std::thread::scope(|scope| {
        let wrong = || house.accounts.sign_in(CALLER, EMAIL, "wrong wrong wrong", "123456").unwrap_err();
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(wrong)).collect();
        let errors = threads.into_iter().map(|thread| thread.join().unwrap());
        errors.filter(|error| error.code() == "sign_in.wrong" || error.notice().is_some()).count()
    });
    assert_eq!(looked_at, 5);
}

#[test]
fn an_address_may_try_so_often_and_success_does_not_count() {
    let house = house();
    let mut staff = house.staff("示例", EMAIL);
    for _ in 0..40 {
        house.sign_in(&mut staff).unwrap();
    }
    for _ in 0..20 {
        assert_eq!(code_of(house.accounts.redeem(CALLER, "x")), "invitation.unknown");
    }
    let error = house.accounts.redeem(CALLER, "x").unwrap_err();
    assert_eq!((error.code(), error.time()), ("sign_in.too_many", Some(after(house.clock.now(), 3 * SECOND))));
    let elsewhere = Caller { address: "192.0.2.7".parse().unwrap(), agent: "" };
    assert_eq!(code_of(house.accounts.redeem(elsewhere, "x")), "invitation.unknown");
    house.clock.advance_millis(3 * SECOND);
    assert_eq!(code_of(house.accounts.redeem(CALLER, "x")), "invitation.unknown");
}

#[test]
fn changing_and_removing_a_password() {
    let house = house();
    let mut staff = house.staff("示例", EMAIL);
    assert_eq!(code_of(house.accounts.change_password(staff.session(), "another password")), "account.not_allowed");
    let setup = house.set_password(staff.session());
    let notice = house.accounts.change_password(staff.session(), "another password").unwrap();
    assert_eq!(notice.to.as_deref(), Some(EMAIL));
    house.minutes(1);
    assert!(house.accounts.sign_in(CALLER, EMAIL, PASSWORD, &house.code(&setup, 0)).is_err());
    house.accounts.sign_in(CALLER, EMAIL, "another password", &house.code(&setup, 0)).unwrap();
    house.minutes(10);
    let old = house.look(&staff).unwrap();
    assert_eq!(code_of(house.accounts.change_password(&old, PASSWORD)), "session.not_fresh");
    assert_eq!(code_of(house.accounts.remove_password(&old)), "session.not_fresh");
    house.sign_in(&mut staff).unwrap();
    house.accounts.remove_password(staff.session()).unwrap();
    let account = house.accounts.account(&staff.session().account.id).unwrap();
    assert!(account.password.is_none() && account.totp.is_none() && account.enrolled());
}

/// Hashing in many threads stays within the memory of two hashes (glibc keeps freed blocks of this size).
#[test]
fn a_hundred_hashes_need_the_memory_of_two() {
    fn resident() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
        line.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or(0) / 1024
    }
    let house = house();
    let gate = &house.accounts.gate;
    let before = resident();
    std::thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| (0..10).for_each(|_| assert!(!gate.verify("x", password::NOBODY))));
        }
    });
    assert!(gate.memory() <= 2 * 19 * 1024 * 1024, "{}", gate.memory());
    // Other tests run beside this one in the same process, each with two blocks of its own at most.
    assert!(resident() < before + 250, "{before} -> {} MiB", resident());
}
