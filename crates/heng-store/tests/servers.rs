//! Several servers on one PostgreSQL: who leads, who waits, and what a lost connection costs.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use common::{Place, entry, faults, key, raw_postgres};
use heng_store::{PostgresStore, Store, StoreError};

/// Ends all connections of the stores of this place.
fn cut(place: &Place) {
    let Place::Postgres { url, schema, .. } = place else { return };
    // The schema is not shown in `pg_stat_activity`, so the test's servers have its name as theirs.
    let sql =
        format!("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = '{schema}'");
    let ended: i64 = raw_postgres(url).query_one(&sql, &[]).unwrap().get(0);
    assert!(ended > 0, "no connection was found");
    // A connection that answered within the last second is trusted; the tests are about those that are looked at again.
    std::thread::sleep(Duration::from_millis(1200));
}

fn server(place: &Place) -> PostgresStore {
    let Place::Postgres { own_url, schema, .. } = place else { panic!("not PostgreSQL") };
    let url = match own_url.contains("://") {
        true => format!("{own_url}&application_name={schema}"),
        false => format!("{own_url} application_name={schema}"),
    };
    PostgresStore::connect(&url, key()).unwrap()
}

#[test]
fn one_server_leads_a_log() {
    let Some(place) = Place::postgres() else { return };
    let (first, second) = (server(&place), server(&place));
    first.create_log("a", "kind").unwrap();
    first.create_log("b", "kind").unwrap();
    first.lead("a").unwrap();
    first.lead("a").unwrap();
    second.lead("b").unwrap();
    let error = second.lead("a").unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    assert!(error.to_string().contains("the log a"), "{error}");
    assert!(first.lead("b").is_err());
    drop(first);
    second.lead("a").unwrap();
}

#[test]
fn offices_in_schemas_of_their_own_do_not_meet() {
    let (Some(one), Some(other)) = (Place::postgres(), Place::postgres()) else { return };
    let (first, second) = (server(&one), server(&other));
    first.lead("office").unwrap();
    second.lead("office").unwrap();
}

#[test]
fn a_server_that_is_not_leading_cannot_fork_the_log() {
    let Some(place) = Place::postgres() else { return };
    let (first, second) = (server(&place), server(&place));
    first.create_log("a", "kind").unwrap();
    first.append("a", 0, &[entry("0")]).unwrap();
    let error = second.append("a", 0, &[entry("other")]).unwrap_err();
    assert!(matches!(error, StoreError::HeadMoved { expected: 0, found: 1, .. }), "{error}");
    second.append("a", 1, &[entry("1")]).unwrap();
    let error = first.append("a", 1, &[entry("other")]).unwrap_err();
    assert!(matches!(error, StoreError::HeadMoved { expected: 1, found: 2, .. }), "{error}");
    assert_eq!(first.read("a", 0, 9).unwrap(), second.read("a", 0, 9).unwrap());
    assert!(faults(&first).is_empty());
}

#[test]
fn lost_connections_are_replaced_and_leads_taken_anew() {
    let Some(place) = Place::postgres() else { return };
    let (first, second) = (server(&place), server(&place));
    first.create_log("a", "kind").unwrap();
    first.create_log("b", "kind").unwrap();
    first.lead("a").unwrap();
    first.lead("b").unwrap();
    cut(&place);
    // The other one was faster with b.
    second.lead("b").unwrap();
    assert!(matches!(first.lead("b"), Err(StoreError::Busy { .. })));
    assert!(matches!(second.lead("a"), Err(StoreError::Busy { .. })));
    first.append("a", 0, &[entry("0")]).unwrap();
    assert_eq!(first.size("a").unwrap(), 1);
}

/// More callers than connections wait for their turn.
#[test]
fn many_callers_share_few_connections() {
    let Some(place) = Place::postgres() else { return };
    let store = server(&place);
    std::thread::scope(|scope| {
        for caller in 0..40 {
            let store = &store;
            scope.spawn(move || {
                for i in 0..5 {
                    store.put_row("k", &format!("{caller} {i}"), b"v").unwrap();
                }
            });
        }
    });
    assert_eq!(store.rows("k").unwrap().len(), 200);
    let Place::Postgres { url, schema, .. } = &place else { return };
    let sql = format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{schema}'");
    let open: i64 = raw_postgres(url).query_one(&sql, &[]).unwrap().get(0);
    assert!(open <= 8, "{open} connections");
}

#[test]
fn a_waiting_writer_is_told_after_a_while() {
    let Some(place) = Place::postgres() else { return };
    let store = server(&place);
    store.create_log("a", "kind").unwrap();
    let Place::Postgres { own_url, .. } = &place else { return };
    let mut other = raw_postgres(own_url);
    let mut holding = other.transaction().unwrap();
    holding.execute("SELECT size FROM log WHERE id = 'a' FOR UPDATE", &[]).unwrap();
    let error = store.append("a", 0, &[entry("0")]).unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    holding.rollback().unwrap();
    store.append("a", 0, &[entry("0")]).unwrap();
}

#[test]
fn an_unreachable_server_is_explained_without_the_password() {
    for url in ["postgres://user:verysecret@127.0.0.1:1/none", "postgres://user:verysecret@/?nonsense=1"] {
        let error = PostgresStore::connect(url, key()).err().unwrap().to_string();
        assert!(!error.contains("verysecret"), "{error}");
        assert!(error.contains("address of the database"), "{error}");
    }
}

#[test]
fn a_server_that_only_reads_is_named() {
    let Some(place) = Place::postgres() else { return };
    drop(server(&place));
    let Place::Postgres { own_url, .. } = &place else { return };
    let url = match own_url.contains("://") {
        true => own_url.replace("search_path%3D", "default_transaction_read_only%3Don%20-c%20search_path%3D"),
        false => own_url.replace("search_path=", "default_transaction_read_only=on -c search_path="),
    };
    let error = PostgresStore::connect(&url, key()).err().unwrap();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
}

/// Neither an old transaction elsewhere nor a reader of the table itself may leave erased bytes behind unnoticed.
#[test]
fn erasing_does_not_depend_on_what_others_do() {
    let Some(place) = Place::postgres() else { return };
    let store = server(&place);
    store.create_log("a", "kind").unwrap();
    let batch = [0, 1].map(|i| common::with_secret("x", &common::noise(200, i)));
    store.append("a", 0, &batch).unwrap();
    let sealed = place.peek("SELECT sealed FROM secret ORDER BY seq");
    let Place::Postgres { own_url, .. } = &place else { return };
    let mut client = raw_postgres(own_url);
    let mut old = client.transaction().unwrap();
    old.batch_execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM log").unwrap();
    assert!(store.erase_secret("a", 0).unwrap());
    let on_disk = |bytes: &[u8]| place.disk().map(|disk| common::contains(&disk, &bytes[..100]));
    assert_ne!(on_disk(&sealed[0]), Some(true));
    assert_ne!(on_disk(&sealed[1]), Some(false));

    old.batch_execute("SELECT count(*) FROM secret").unwrap();
    let error = store.erase_secret("a", 1).unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    assert_eq!(store.secret("a", 1).unwrap(), None);
    old.rollback().unwrap();
    assert!(!store.erase_secret("a", 1).unwrap());
    assert_ne!(on_disk(&sealed[1]), Some(true));
}
