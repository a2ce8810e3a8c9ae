//! What the owners of accounts are told, when they are reminded, and that a stopped account stays out.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use heng_app::account::Scope;
use heng_app::desk;
use heng_app::outbox::{Posted, Template, To};
use heng_app::post::Post;
use jiff::ToSpan;
use jiff::civil::Date;

use super::{Came, NOTICE, Town, build};

async fn post(town: &Town, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Came {
    let request = Request::post(format!("/en{path}")).header(header::COOKIE, cookie);
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    town.send(request.body(Body::from(serde_urlencoded::to_string(fields).unwrap())).unwrap()).await
}

async fn look(town: &Town, cookie: &str) -> StatusCode {
    town.send(Request::get("/work").header(header::COOKIE, cookie).body(Body::empty()).unwrap()).await.status
}

/// The messages to an address, newest first.
fn mail(town: &Town, address: &str) -> Vec<Posted> {
    let mut all = town.app.outbox().unwrap().messages().unwrap();
    all.retain(|message| message.to == To::Mail(address.to_owned()));
    all
}

fn words(message: &Posted) -> (String, String) {
    let words = message.words.clone().unwrap();
    (words.subject, words.body)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_is_told_at_the_old_address_that_it_was_changed() {
    let town = build();
    let cookie = town.cookie("p:0001");
    let set = async |email: &str| post(&town, "/account/contact", &cookie, &[("email", email), ("phone", "")]).await;
    assert_eq!(set("first@office.example").await.status, StatusCode::OK);
    assert!(mail(&town, "first@office.example").is_empty(), "there was no address before");
    town.clock.advance_millis(1000);
    assert_eq!(set("second@office.example").await.status, StatusCode::OK);
    assert!(mail(&town, "second@office.example").is_empty(), "whoever changed it knows");
    let told = mail(&town, "first@office.example");
    assert_eq!(told.len(), 1);
    let (subject, text) = words(&told[0]);
    assert!(subject.contains("e-mail address") && text.contains("second@office.example"), "{subject}: {text}");
    // The same address once more changes nothing, and a wrong one tells nobody.
    assert_eq!(set("second@office.example").await.status, StatusCode::OK);
    assert_eq!(set("no address").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!((mail(&town, "first@office.example").len(), mail(&town, "second@office.example").len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_account_is_out_at_once_until_it_is_let_in_again() {
    let town = build();
    let (officer, colleague) = (town.cookie("p:0001"), town.session("p:0002"));
    let cookie = format!("heng={}", colleague.token.expose());
    let token = town.token("p:0002", &[Scope::Read]);
    let id = colleague.session.account.id.as_str();
    let api = async || town.ask("GET", "/api/v1/me", Some(&token), None).await.status;
    assert_eq!((look(&town, &cookie).await, api().await), (StatusCode::OK, StatusCode::OK));
    // A member stops nobody; an officer not themselves.
    let member = town.cookie(&town.voter().0);
    assert_eq!(post(&town, "/account/people/stop", &member, &[("id", id), ("stop", "yes")]).await.status, 403);
    assert_eq!(post(&town, "/account/people/stop", &cookie, &[("id", id), ("stop", "yes")]).await.status, 403);
    assert_eq!((look(&town, &cookie).await, api().await), (StatusCode::OK, StatusCode::OK));
    let stopped = post(&town, "/account/people/stop", &officer, &[("id", id), ("stop", "yes")]).await;
    assert_eq!(stopped.status, StatusCode::OK, "{}", stopped.text());
    assert_eq!((look(&town, &cookie).await, api().await), (StatusCode::SEE_OTHER, StatusCode::UNAUTHORIZED));
    // Let in again, the sessions of before stay ended.
    assert_eq!(post(&town, "/account/people/stop", &officer, &[("id", id), ("stop", "")]).await.status, StatusCode::OK);
    assert_eq!(look(&town, &cookie).await, StatusCode::SEE_OTHER);
    assert_eq!(look(&town, &town.cookie("p:0002")).await, StatusCode::OK);
}

/// The first day by which somebody owes something in a log.
fn due(town: &Town, log: &str, subject: &str) -> Option<Date> {
    let tasks = desk::tasks(town.heng(), log, subject).unwrap();
    tasks.iter().filter(|task| task.case.duty).filter_map(|task| task.case.due).min()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_owes_something_is_reminded_the_day_before_and_after_the_last() {
    const TO: &str = "owes@firm.example";
    let town = build();
    let (log, subject) = (NOTICE, "p:0001");
    super::board::letter(&town);
    let day = due(&town, log, subject).unwrap();
    assert!(day >= town.now().date(480) + 3.days(), "{day}");
    let session = town.session(subject);
    town.app.accounts().set_email(&session.session, TO).unwrap();
    let post_office = Post::new(Arc::clone(&town.office), Arc::clone(town.app.outbox().unwrap()));
    let name = town.heng().log(log).unwrap().image().state.edition().unwrap().rules().name.en.clone();
    let reminded = |days: i64| {
        let start = town.now().date(480);
        let wanted = day + days.days();
        town.clock.advance_millis(i64::from(start.until(wanted).unwrap().get_days()) * 86_400_000);
        // Twice a day is once.
        for _ in 0..2 {
            post_office.catch_up(town.app.accounts()).unwrap();
        }
        let all = mail(&town, TO).into_iter().filter(|message| message.text == Template::TaskDue.section());
        all.map(|message| words(&message).1).filter(|text| text.contains(&name)).count()
    };
    let counts = [-2, -1, 0, 1, 2].map(reminded);
    assert_eq!(counts, [0, 1, 1, 2, 2], "{subject} in {log}, {day}");
}
