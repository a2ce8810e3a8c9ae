//! The board of whoever oversees an edition: each alarm is there when the thing happened, and absent otherwise.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use heng_app::AppError;
use heng_app::account::Scope;
use heng_app::desk::{Answers, proposal};
use heng_app::draft::Draft;
use heng_app::simulation::{DEMO_SEED, DeviceKey};
use heng_domain::edition::events::{Event, PrivacyErased, RecusalOrdered, Role};
use serde_json::{Value, json};

use super::{Came, FINISHED, NOTICE, OPEN, Town, VOTING, build, with_role};
use crate::view::slug;

async fn get(town: &Town, path: &str, subject: &str) -> Came {
    let request = Request::get(path).header(header::COOKIE, town.cookie(subject));
    town.send(request.body(Body::empty()).unwrap()).await
}

async fn alarms(town: &Town, log: &str, subject: &str) -> Vec<Value> {
    let token = town.token(subject, &[Scope::Read]);
    let path = format!("/api/v1/logs/{}/alarms?limit=200", slug(log));
    let came = town.ask("GET", &path, Some(&token), None).await;
    assert_eq!(came.status, StatusCode::OK, "{}", came.text());
    came.json()["items"].as_array().unwrap().clone()
}

fn of<'a>(alarms: &'a [Value], kind: &str) -> Vec<&'a Value> {
    alarms.iter().filter(|alarm| alarm["alarm"] == kind).collect()
}

async fn board(town: &Town, log: &str, subject: &str) -> String {
    get(town, &format!("/en/work/{}/board", slug(log)), subject).await.text()
}

fn answers(given: &[(&str, &str)]) -> Answers {
    given.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()])).collect()
}

/// An officer enters an objection that came by letter; its number.
pub(super) fn letter(town: &Town) -> String {
    let (notice, application) = town.noticed();
    enter(town, &notice, &application)
}

fn enter(town: &Town, notice: &str, application: &str) -> String {
    let given = [("application", application), ("by", "person"), ("grounds", "所列数据与年报不一致（虚构内容）。")];
    proposal::act(town.heng(), NOTICE, "p:0001", "objection.received", notice, &answers(&given)).unwrap();
    let log = town.heng().log(NOTICE).unwrap();
    let image = log.image();
    image.state.edition().unwrap().objections.last().unwrap().0.clone()
}

fn record(town: &Town, log: &str, by: &[&str], event: impl Into<Event>) -> u64 {
    let log = town.heng().log(log).unwrap();
    let (kind, body) = event.into().split().unwrap();
    let at = log.anchor();
    let sign =
        |draft: Draft, by: &&str| DeviceKey::of(DEMO_SEED, by).unwrap().sign(draft, log.id(), by, at.clone()).unwrap();
    log.submit(by.iter().fold(Draft::new(by[0], "x", kind, body), sign)).unwrap().record.seq
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_overdue_is_an_alarm() {
    let town = build();
    let supervisor = with_role(&town, NOTICE, Role::Supervisor);
    let id = letter(&town);
    let before = alarms(&town, NOTICE, &supervisor).await;
    assert!(of(&before, "objection").is_empty() && of(&before, "stage").is_empty(), "{before:?}");
    assert!(board(&town, NOTICE, &supervisor).await.contains(&format!("Objection {id} has no answer yet")));
    town.clock.advance_millis(60 * 86_400_000);
    let after = alarms(&town, NOTICE, &supervisor).await;
    assert_eq!(of(&after, "objection")[0]["about"], json!(id));
    assert!(!of(&after, "stage").is_empty());
    let page = board(&town, NOTICE, &supervisor).await;
    assert!(page.contains("was to be answered by") && page.contains(&format!("/objections/{id}\"")), "{page}");
    // Answered late, it is no longer overdue; that it was late stays.
    let screened = answers(&[("accepted", "no"), ("reason", "未实名，不予受理。")]);
    proposal::act(town.heng(), NOTICE, "p:0001", "objection.screened", &id, &screened).unwrap();
    let done = alarms(&town, NOTICE, &supervisor).await;
    assert!(of(&done, "objection").is_empty());
    assert!(of(&done, "late").iter().any(|alarm| alarm["kind"] == "objection.screened"), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_entry_is_an_alarm_with_its_record() {
    let town = build();
    let supervisor = with_role(&town, NOTICE, Role::Supervisor);
    letter(&town);
    let late = |alarms: &[Value]| of(alarms, "late").iter().any(|alarm| alarm["kind"] == "objection.received");
    assert!(!late(&alarms(&town, NOTICE, &supervisor).await), "in time it is none");
    let (notice, application) = town.noticed();
    town.clock.advance_millis(60 * 86_400_000);
    enter(&town, &notice, &application);
    let all = alarms(&town, NOTICE, &supervisor).await;
    assert!(late(&all), "{all:?}");
    let alarm = of(&all, "late").into_iter().find(|alarm| alarm["kind"] == "objection.received").unwrap();
    let seq = alarm["record"].as_u64().unwrap();
    let href = format!("/work/{}/records/{seq}", slug(NOTICE));
    assert!(board(&town, NOTICE, &supervisor).await.contains(&format!("/en{href}\"")));
    // The supervisor opens it, and nothing else that is not theirs.
    assert_eq!(get(&town, &href, &supervisor).await.status, StatusCode::OK);
    let other = format!("/work/{}/records/{}", slug(NOTICE), seq - 1);
    let others = alarms(&town, NOTICE, &supervisor).await.iter().any(|alarm| alarm["record"] == seq - 1);
    assert!(others || get(&town, &other, &supervisor).await.status == StatusCode::NOT_FOUND);
    let member = with_role(&town, NOTICE, Role::Member);
    assert_eq!(get(&town, &href, &member).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_is_an_alarm_with_its_record() {
    let town = build();
    let supervisor = with_role(&town, NOTICE, Role::Supervisor);
    let log = town.heng().log(NOTICE).unwrap();
    let (application, firm, ground) = {
        let image = log.image();
        let edition = image.state.edition().unwrap();
        let (id, application) = edition.applications.iter().find(|(_, a)| a.withdrawn.is_none()).unwrap();
        (id.clone(), application.body.organisation.clone(), edition.rules().recusal[0].id.clone())
    };
    let member = with_role(&town, NOTICE, Role::Member);
    let before = alarms(&town, NOTICE, &supervisor).await;
    let body = RecusalOrdered { application, ground, person: member, reason: "亲属（虚构）".to_owned() };
    let ordered = record(&town, NOTICE, &["p:0001"], body);
    let after = alarms(&town, NOTICE, &supervisor).await;
    assert_eq!(after.len(), before.len() + 1);
    let alarm = of(&after, "override")[0];
    assert_eq!(
        (&alarm["record"], &alarm["kind"], &alarm["by"], &alarm["reason"]),
        (&json!(ordered), &json!("recusal.ordered"), &json!("p:0001"), &json!("亲属（虚构）"))
    );
    let page = board(&town, NOTICE, &supervisor).await;
    assert!(page.contains(&format!("/records/{ordered}\"")) && page.contains("亲属（虚构）"));
    // What a firm does by itself is none.
    let tasks = heng_app::desk::tasks(town.heng(), OPEN, "o:0001").unwrap();
    let task = tasks.into_iter().find(|task| task.kind == "application.withdrawn").unwrap();
    let before = alarms(&town, OPEN, &with_role(&town, OPEN, Role::Supervisor)).await.len();
    proposal::act(town.heng(), OPEN, "o:0001", task.kind, &task.case.id, &answers(&[("reason", "合并")])).unwrap();
    assert_eq!(alarms(&town, OPEN, &with_role(&town, OPEN, Role::Supervisor)).await.len(), before, "{firm}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_set_back_leaves_its_trace() {
    let town = build();
    let supervisor = with_role(&town, VOTING, Role::Supervisor);
    assert!(of(&alarms(&town, VOTING, &supervisor).await, "clock").is_empty());
    let right = town.now();
    let newest = town.heng().log(VOTING).unwrap().image().state.position().1.unwrap();
    // A moment's difference between two machines is none.
    town.clock.set(newest.plus_millis(-500).unwrap());
    assert!(of(&alarms(&town, VOTING, &supervisor).await, "clock").is_empty());
    // What is refused because of it is enough; nobody need look at the board.
    let back = newest.plus_millis(-3_600_000).unwrap();
    town.clock.set(back);
    let log = town.heng().log(VOTING).unwrap();
    let (kind, body) = Event::from(PrivacyErased { ground: "x".to_owned(), seq: 0 }).split().unwrap();
    let refused = log.submit(Draft::new("p:0001", "x", kind, body)).unwrap_err();
    assert!(matches!(&refused, AppError::Refused(refusal) if refusal.code == "record.time"), "{refused}");
    town.clock.set(right);
    for _ in 0..2 {
        let all = alarms(&town, VOTING, &supervisor).await;
        let clock = of(&all, "clock");
        assert_eq!((clock.len(), &clock[0]["at"]), (1, &json!(back.to_string())), "{all:?}");
        assert!(board(&town, VOTING, &supervisor).await.contains("before the newest record of then"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_supervisors_work_counts_the_alarms_and_nobody_elses_does() {
    let town = build();
    let supervisor = with_role(&town, NOTICE, Role::Supervisor);
    letter(&town);
    town.clock.advance_millis(60 * 86_400_000);
    let count = alarms(&town, NOTICE, &supervisor).await.len();
    let link = format!("/en/work/{}/board#alarms\"", slug(NOTICE));
    for page in ["/en/work".to_owned(), format!("/en/work/{}", slug(NOTICE))] {
        let shown = get(&town, &page, &supervisor).await.text();
        let line = shown.split("<li").find(|line| line.contains(&link)).expect("a link to the board");
        assert!(line.contains(&format!("{count} in all")), "{line}");
        assert!(!get(&town, &page, "p:0001").await.text().contains(&link));
    }
    for (subject, wanted) in [(supervisor.as_str(), json!(count)), ("p:0001", Value::Null)] {
        let token = town.token(subject, &[Scope::Read]);
        let logs = town.ask("GET", "/api/v1/logs?limit=200", Some(&token), None).await.json();
        let log = logs["items"].as_array().unwrap().iter().find(|log| log["log"] == NOTICE).unwrap();
        assert_eq!(log["alarms"], wanted, "{subject}");
    }
    let member = with_role(&town, NOTICE, Role::Member);
    let token = town.token(&member, &[Scope::Read]);
    for path in ["alarms", "openings"] {
        let path = format!("/api/v1/logs/{}/{path}", slug(NOTICE));
        assert_eq!(town.ask("GET", &path, Some(&token), None).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn openings_are_searched_and_paged() {
    let town = build();
    let supervisor = with_role(&town, FINISHED, Role::Supervisor);
    let base = format!("/en/work/{}/openings", slug(FINISHED));
    let log = town.heng().log(FINISHED).unwrap();
    let applications: Vec<(String, String)> = {
        let image = log.image();
        let edition = image.state.edition().unwrap();
        edition.applications.keys().map(|id| (id.clone(), edition.applicant(id).unwrap().name.en.clone())).collect()
    };
    let (first, name) = &applications[0];
    for n in 0..150 {
        town.clock.advance_millis(1);
        let (reader, application) = if n < 120 { ("p:0001", first) } else { ("p:0002", &applications[1].0) };
        assert!(crate::opening::note(&town.app, FINISHED, reader, application, "dossier"));
    }
    let count = async |query: &str| {
        let page = get(&town, &format!("{base}{query}"), &supervisor).await;
        assert_eq!(page.status, StatusCode::OK);
        page.text().matches("<tr").count() - 1
    };
    assert_eq!(count("").await, 100);
    assert_eq!(count("?page=1").await, 50);
    assert_eq!(count("?page=9").await, 50, "beyond the end is the end");
    assert_eq!(count("?by=p:0002").await, 30);
    assert_eq!(count(&format!("?application={first}&page=1")).await, 20);
    let named = serde_urlencoded::to_string([("application", name)]).unwrap();
    assert_eq!(count(&format!("?{named}")).await, 100);
    let both = get(&town, &format!("{base}?by=p:0002&application={first}"), &supervisor).await.text();
    assert!(both.contains("No opening fits") && both.contains("value=\"p:0002\""), "what was searched for stays");
    let token = town.token(&supervisor, &[Scope::Read]);
    let api = format!("/api/v1/logs/{}/openings?by=p:0002&limit=20", slug(FINISHED));
    let came = town.ask("GET", &api, Some(&token), None).await;
    let page = came.json();
    assert_eq!((page["items"].as_array().unwrap().len(), &page["items"][0]["by"]), (20, &json!("p:0002")));
    let next = came.header("link").split(['<', '>']).nth(1).unwrap().to_owned();
    let rest = town.ask("GET", &next, Some(&token), None).await.json();
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next"]), (10, &Value::Null));
    assert!(board(&town, FINISHED, &supervisor).await.contains(&format!("{base}\"")));
    let member = with_role(&town, FINISHED, Role::Member);
    assert_eq!(get(&town, &base, &member).await.status, StatusCode::FORBIDDEN);
}
