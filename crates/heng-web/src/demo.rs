//! The demonstration's door: be any of its invented people, and let its days pass.

use axum::extract::{Form, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use heng_app::account::Subject;
use heng_app::desk::{proposal, words};
use maud::html;
use serde::Deserialize;

use crate::signin::{Onward, blocking, enter, language};
use crate::ui::{self, Column, Row};
use crate::view::{App, Content, View, caller};
use crate::words::instant;
use crate::work::log_name;

/// Somebody to be: handle, name, roles, what waits for them.
struct Guest {
    subject: String,
    name: String,
    roles: Vec<String>,
    waits: usize,
}

/// What an invented person or firm is called.
fn name_of(app: &App, subject: &str) -> String {
    let found = app.heng().office_log().and_then(|log| {
        let image = log.image();
        let office = image.state.office()?;
        let person = office.people.get(subject).and_then(|person| person.name.clone());
        person.or_else(|| office.organisations.get(subject).map(|(_, firm)| firm.name.zh.clone()))
    });
    found.unwrap_or_else(|| subject.to_owned())
}

fn guests(app: &App) -> Vec<Guest> {
    let Some(log) = app.heng().office_log() else { return Vec::new() };
    let now = app.heng().clock().now();
    let mut out = Vec::new();
    {
        let image = log.image();
        let Some(office) = image.state.office() else { return Vec::new() };
        let today = office.day(now);
        for (id, person) in &office.people {
            let roles: Vec<String> = person
                .terms
                .iter()
                .filter(|t| t.from <= today && today <= t.until)
                .filter_map(|t| serde_json::to_value(t.role).ok()?.as_str().map(str::to_owned))
                .collect();
            let name = person.name.clone().unwrap_or_else(|| id.clone());
            out.push(Guest { subject: id.clone(), name, roles, waits: 0 });
        }
        let applying = app.heng().editions().into_iter().flat_map(|log| {
            let image = log.image();
            image.state.edition().map(|e| e.organisations.keys().cloned().collect::<Vec<_>>()).unwrap_or_default()
        });
        let applying: std::collections::BTreeSet<String> = applying.collect();
        for (id, (_, firm)) in office.organisations.iter().filter(|(id, _)| applying.contains(*id)) {
            out.push(Guest {
                subject: id.clone(),
                name: firm.name.zh.clone(),
                roles: vec!["applicant".to_owned()],
                waits: 0,
            });
        }
    }
    for guest in &mut out {
        for log in app.heng().logs() {
            let tasks = heng_app::desk::tasks(app.heng(), log.id(), &guest.subject).unwrap_or_default();
            guest.waits += tasks.iter().filter(|task| task.case.duty).count();
        }
        let asked = proposal::concerning(app.heng(), &guest.subject).unwrap_or_default();
        guest.waits += asked.iter().filter(|(_, standing)| standing.asked).count();
    }
    out.sort_by_key(|guest| std::cmp::Reverse(guest.waits));
    out
}

pub(crate) async fn show(view: View, State(app): State<App>) -> Response {
    let Some(demo) = app.demo() else { return view.missing(&app) };
    let offset = 480;
    let now = instant(view.lang, heng_app::Clock::now(demo.clock.as_ref()), offset);
    let list = {
        let app = app.clone();
        tokio::task::spawn_blocking(move || guests(&app)).await.unwrap_or_default()
    };
    let title = view.t("demo_title");
    let columns = [
        Column::text(view.t("demo_who")),
        Column::text(view.t("demo_roles")),
        Column::number(view.t("demo_waits")),
        Column::text(view.t("demo_be")),
    ];
    let action = view.href("/demo/enter");
    let rows: Vec<Row<'_>> = list
        .iter()
        .map(|guest| {
            let roles: Vec<String> =
                guest.roles.iter().map(|role| words("role", role, &[]).get(view.lang).to_owned()).collect();
            Row::new(vec![
                html! { (guest.name) " · " (guest.subject) },
                html! { (crate::words::list(view.lang, &roles)) },
                html! { (guest.waits) },
                html! {
                    form.inline method="post" action=(action) {
                        input type="hidden" name="subject" value=(guest.subject);
                        button.button type="submit" aria-label=(view.tp("demo_enter_as", &[("name", &guest.name)])) { (view.t("demo_enter")) }
                    }
                },
            ])
        })
        .collect();
    let main = html! {
        (ui::title_block(&title, None))
        (ui::sentence(&view.t("demo_text")))
        section {
            h2 { (view.t("demo_clock")) }
            p { (view.tp("demo_now", &[("time", &now)])) }
            form.inline method="post" action=(view.href("/demo/days")) {
                @for days in ["1", "7", "30"] {
                    button.button type="submit" name="days" value=(days) { (view.tp("demo_pass", &[("days", days)])) } " "
                }
            }
        }
        h2 { (view.t("demo_people")) }
        (ui::table(&view.t("demo_people"), &columns, &rows, &html! {}))
        p { @for log in app.heng().editions() { a href=(crate::view::edition_href(view.lang, log.id())) { (log_name(&app, log.id()).get(view.lang)) } " " } }
    };
    view.page(&app, Content { wide: true, ..Content::new(title, main) })
}

#[derive(Deserialize)]
pub(crate) struct Enter {
    subject: String,
}

pub(crate) async fn enter_as(
    view: View,
    State(app): State<App>,
    headers: HeaderMap,
    Form(form): Form<Enter>,
) -> Response {
    if app.demo().is_none() {
        return view.missing(&app);
    }
    let language = language(&view);
    let signed = {
        let app = app.clone();
        blocking(move || {
            let name = name_of(&app, &form.subject);
            let subject = if form.subject.starts_with("o:") {
                Subject::Organisation(form.subject)
            } else {
                Subject::Person(form.subject)
            };
            app.accounts().enter_demo(caller(&headers), subject, &name, language)
        })
        .await
    };
    match signed {
        Ok(signed) => enter(&view, &app, signed, &Onward::default()).await,
        Err(error) => view.problem(&app, crate::signin::status(&error), &view.t("sign_in"), &error.sentence(view.lang)),
    }
}

#[derive(Deserialize)]
pub(crate) struct Days {
    days: u8,
}

/// Lets days pass in the demonstration: windows close, notices end. A real office has a real clock.
pub(crate) async fn pass(view: View, State(app): State<App>, Form(form): Form<Days>) -> Response {
    let Some(demo) = app.demo() else { return view.missing(&app) };
    demo.clock.advance_days(i64::from(form.days.min(60)));
    let (store, millis) = (app.heng().store().clone(), demo.clock.shift());
    let kept = tokio::task::spawn_blocking(move || store.put_row("demo", "shift", millis.to_string().as_bytes())).await;
    if !matches!(kept, Ok(Ok(()))) {
        tracing::error!("the demonstration's clock could not be kept");
    }
    Redirect::to(&view.href("/demo")).into_response()
}
