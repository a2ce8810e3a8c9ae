//! Two servers over one PostgreSQL (`HENG_TEST_POSTGRES` names a server).

use super::*;
use crate::heng::Place;

#[test]
fn two_servers_share_invitations_codes_and_sessions() {
    let Ok(server) = std::env::var("HENG_TEST_POSTGRES") else {
        eprintln!("skipped: HENG_TEST_POSTGRES not set");
        return;
    };
    let schema = format!("accounts_{}", std::process::id());
    let mut admin = postgres::Client::connect(&server, postgres::NoTls).unwrap();
    admin.batch_execute(&format!("CREATE SCHEMA {schema}")).unwrap();
    let keys = tempfile::tempdir().unwrap();
    let url = format!("{server} options='-c search_path={schema}'");
    let place = Place::Postgres { url, keys: keys.path().to_path_buf() };
    let clock = clock();
    let time = || clock.clone() as Arc<dyn Clock>;
    let one = Heng::open(&place, time(), Arc::new(SeededEntropy::new(1)), &|_, _, _| {}).unwrap();
    let cast = found(&one);
    let house = House { accounts: Accounts::new(Arc::new(one), site()).unwrap(), clock: clock.clone(), cast };
    // The other server leads no log; what is here needs none.
    let two = Heng::read_only(&place, time(), Arc::new(SeededEntropy::new(2))).unwrap();
    let other = Accounts::new(Arc::new(two), site()).unwrap();

    for n in 0..10 {
        let subject = Subject::Organisation("o:0001".to_owned());
        let invite = Invite::new(subject, "示例", Some(&format!("{n}@firm.example")));
        let issued = house.accounts.invite(By::Operator, &invite).unwrap();
        let won = std::thread::scope(|scope| {
            let both = [&house.accounts, &other]
                .map(|accounts| scope.spawn(|| accounts.redeem(CALLER, issued.token.expose()).is_ok()));
            both.map(|thread| thread.join().unwrap()).into_iter().filter(|won| *won).count()
        });
        assert_eq!(won, 1);
    }
    let staff = house.staff("示例", "staff@firm.example");
    let setup = house.set_password(staff.session());
    for _ in 0..5 {
        let code = house.code(&setup, 0);
        let won = std::thread::scope(|scope| {
            let both = [&house.accounts, &other].map(|accounts| {
                scope.spawn(|| accounts.sign_in(CALLER, "staff@firm.example", PASSWORD, &code).is_ok())
            });
            both.map(|thread| thread.join().unwrap()).into_iter().filter(|won| *won).count()
        });
        assert_eq!(won, 1);
        house.minutes(20);
    }
    other.session(staff.signed_in.token.expose()).unwrap();
    other.sign_out_everywhere(staff.session()).unwrap();
    assert_eq!(code_of(house.look(&staff)), "session.ended");
    drop((house, other));
    admin.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).unwrap();
}
