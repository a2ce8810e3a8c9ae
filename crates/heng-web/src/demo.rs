//! The demonstration's door: be any of its invented people, and let its days pass.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use heng_app::account::{AccountError, Language, Scope, SignedIn, Subject};
use heng_app::desk::proposal::{self, Proposal};
use heng_app::desk::words;
use maud::html;
use serde::Deserialize;
use serde_json::json;

use crate::client::Client;
use crate::signin::{Onward, blocking, enter, language};
use crate::ui::{self, Action, Column, NextStep, Row};
use crate::view::{App, Content, View};
use crate::words::instant;
use crate::work::{log_name, place};

/// Somebody to be: handle, name, roles.
struct Guest {
    subject: String,
    name: String,
    roles: Vec<String>,
}

impl Guest {
    fn roles(&self, view: &View) -> String {
        let roles: Vec<String> = self.roles.iter().map(|role| role_name(view, role)).collect();
        crate::words::list(view.lang, &roles)
    }
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
            out.push(Guest { subject: id.clone(), name, roles });
        }
        let applying = app.heng().editions().into_iter().flat_map(|log| {
            let image = log.image();
            image.state.edition().map(|e| e.organisations.keys().cloned().collect::<Vec<_>>()).unwrap_or_default()
        });
        let applying: BTreeSet<String> = applying.collect();
        for (id, (_, firm)) in office.organisations.iter().filter(|(id, _)| applying.contains(*id)) {
            out.push(Guest { subject: id.clone(), name: firm.name.zh.clone(), roles: vec!["applicant".to_owned()] });
        }
    }
    out
}

/// A role in words; firms apply, which is no role of the office.
fn role_name(view: &View, role: &str) -> String {
    if role == "applicant" { view.t("applicant") } else { words("role", role, &[]).get(view.lang).to_owned() }
}

/// How many things wait for somebody, over all logs.
fn waits(app: &App, subject: &str, proposals: &[Proposal]) -> usize {
    let heng = app.heng();
    let duties = heng.logs().into_iter().map(|log| {
        let tasks = heng_app::desk::tasks(heng, log.id(), subject).unwrap_or_default();
        tasks.iter().filter(|task| task.case.duty).count()
    });
    let asked = proposals.iter().filter(|p| asked(app, p, subject));
    duties.sum::<usize>() + asked.count()
}

fn asked(app: &App, proposal: &Proposal, subject: &str) -> bool {
    proposal::standing(app.heng(), proposal, subject).ok().flatten().is_some_and(|standing| standing.asked)
}

/// The next step of a log where the reader has none: be whoever has, or let a day pass. Only in a demonstration.
pub(crate) fn next_step<'a>(view: &View, app: &App, log: &str) -> Option<NextStep<'a>> {
    app.demo()?;
    let guests = guests(app);
    let office = app.heng().office_log()?;
    let (guest, log, act) = [log, office.id()].into_iter().find_map(|log| first(app, &guests, log))?;
    let roles = guest.roles(view);
    let name = format!("{} · {}", guest.name, guest.subject);
    let act = words("act", &act, &[]);
    let places = [("name", name.as_str()), ("roles", &roles), ("act", act.get(view.lang))];
    let next = view.href(&format!("/work/{}", place(app, log)));
    Some(NextStep {
        label: view.t("next_step").into(),
        text: view.tp("demo_next", &places).into(),
        due: None,
        action: Some(Action::Post {
            label: view.tp("demo_enter_as", &[("name", &guest.name)]).into(),
            action: view.href("/demo/enter").into(),
            hidden: vec![("subject".into(), guest.subject.clone().into()), ("next".into(), next.into())],
        }),
        reason: Some(view.t("demo_next_reason").into()),
    })
}

/// Where all wait for a date.
pub(crate) fn next_day<'a>(view: &View, app: &App, log: &str) -> Option<NextStep<'a>> {
    app.demo()?;
    let open = app.heng().log(log).is_ok_and(|log| log.image().state.edition().is_some_and(|e| !e.closed));
    open.then(|| NextStep {
        label: view.t("next_step").into(),
        text: view.t("demo_next_day").into(),
        due: None,
        action: Some(Action::Post {
            label: view.tp("demo_pass", &[("days", "1")]).into(),
            action: view.href("/demo/days").into(),
            hidden: vec![("days".into(), "1".into()), ("next".into(), view.here().into())],
        }),
        reason: Some(view.t("demo_next_day_reason").into()),
    })
}

/// The first who has something to do in a log, and what.
fn first<'a>(app: &App, guests: &'a [Guest], log: &'a str) -> Option<(&'a Guest, &'a str, String)> {
    let proposals = proposal::all(app.heng()).unwrap_or_default();
    for proposal in proposals.iter().filter(|p| p.log == log) {
        if let Some(guest) = guests.iter().find(|guest| asked(app, proposal, &guest.subject)) {
            return Some((guest, log, proposal.act.clone()));
        }
    }
    guests.iter().find_map(|guest| {
        let tasks = heng_app::desk::tasks(app.heng(), log, &guest.subject).ok()?;
        let proposed = |kind: &str, case: &str| {
            proposals.iter().any(|p| p.log == log && p.act == kind && p.case == case && p.subject == guest.subject)
        };
        let task = tasks.into_iter().find(|task| task.case.duty && !proposed(task.kind, &task.case.id))?;
        Some((guest, log, task.kind.to_owned()))
    })
}

pub(crate) async fn show(view: View, State(app): State<App>, Query(onward): Query<Onward>) -> Response {
    let Some(demo) = app.demo() else { return view.missing(&app) };
    let offset = 480;
    let now = instant(view.lang, heng_app::Clock::now(demo.clock.as_ref()), offset);
    let list = {
        let app = app.clone();
        let sorted = move || {
            let proposals = proposal::all(app.heng()).unwrap_or_default();
            let count = |guest: Guest| (waits(&app, &guest.subject, &proposals), guest);
            let mut list: Vec<(usize, Guest)> = guests(&app).into_iter().map(count).collect();
            list.sort_by_key(|(waits, _)| std::cmp::Reverse(*waits));
            list
        };
        tokio::task::spawn_blocking(sorted).await.unwrap_or_default()
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
        .map(|(waits, guest)| {
            Row::new(vec![
                html! { (guest.name) " · " (guest.subject) },
                html! { (guest.roles(&view)) },
                html! { (waits) },
                html! {
                    form.inline method="post" action=(action) {
                        input type="hidden" name="subject" value=(guest.subject);
                        @if !onward.next.is_empty() {
                            input type="hidden" name="next" value=(onward.next);
                            input type="hidden" name="parked" value=(onward.parked);
                        }
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
            form method="post" action=(view.href("/demo/days")) {
                div.buttons {
                    @for days in ["1", "7", "30"] {
                        button.button type="submit" name="days" value=(days) { (view.tp("demo_pass", &[("days", days)])) }
                    }
                }
            }
        }
        h2 { (view.t("demo_people")) }
        (ui::table(&view.t("demo_people"), &columns, &rows, &html! {}))
        p { @for log in app.heng().editions() { a href=(crate::view::edition_href(view.language, log.id())) { (log_name(&app, log.id()).get(view.lang)) } " " } }
    };
    view.page(&app, Content { wide: true, ..Content::new(title, main) })
}

#[derive(Deserialize)]
pub(crate) struct Enter {
    subject: String,
    #[serde(flatten)]
    onward: Onward,
}

pub(crate) async fn enter_as(view: View, State(app): State<App>, client: Client, Form(form): Form<Enter>) -> Response {
    if app.demo().is_none() {
        return view.missing(&app);
    }
    let language = language(&view);
    let Enter { subject, onward } = form;
    let signed = {
        let app = app.clone();
        blocking(move || become_guest(&app, &client, subject, language)).await
    };
    match signed {
        Ok(signed) => enter(&view, &app, signed, &onward).await,
        Err(error) => view.problem(&app, crate::signin::status(&error), &view.t("sign_in"), &view.wrong(&error)),
    }
}

/// A session as one of the invented people.
fn become_guest(app: &App, client: &Client, subject: String, language: Language) -> Result<SignedIn, AccountError> {
    let name = guest_name(app, &subject).ok_or(AccountError::AccountUnknown)?;
    let subject = if subject.starts_with("o:") { Subject::Organisation(subject) } else { Subject::Person(subject) };
    app.accounts().enter_demo(client.caller(), subject, &name, language)
}

/// The name of an invented person or firm.
fn guest_name(app: &App, subject: &str) -> Option<String> {
    let log = app.heng().office_log()?;
    let image = log.image();
    let office = image.state.office()?;
    let person = office.people.get(subject).map(|p| p.name.clone().unwrap_or_else(|| subject.to_owned()));
    person.or_else(|| office.organisations.get(subject).map(|(_, firm)| firm.name.zh.clone()))
}

/// A token for programs that try the JSON interface: in a demonstration everybody may be anybody.
pub(crate) async fn token(client: Client, State(app): State<App>, Json(form): Json<Enter>) -> Response {
    let made = {
        let app = app.clone();
        blocking(move || {
            let signed = become_guest(&app, &client, form.subject, Language::En)?;
            app.accounts().make_token(&signed.session, "demo", BTreeSet::from([Scope::Read, Scope::Write]), 1)
        })
        .await
    };
    match made {
        Ok(token) => Json(json!({ "token": token.token.expose() })).into_response(),
        Err(error) => (crate::signin::status(&error), Json(json!({ "code": error.code() }))).into_response(),
    }
}

#[derive(Deserialize)]
pub(crate) struct Days {
    days: u8,
    #[serde(flatten)]
    onward: Onward,
}

/// Lets days pass in the demonstration: windows close, notices end. A real office has a real clock.
pub(crate) async fn pass(view: View, State(app): State<App>, client: Client, Form(form): Form<Days>) -> Response {
    let Some(demo) = app.demo() else { return view.missing(&app) };
    demo.clock.advance_days(i64::from(form.days.min(60)));
    let (store, millis) = (app.heng().store().clone(), demo.clock.shift());
    let kept = tokio::task::spawn_blocking(move || store.put_row("demo", "shift", millis.to_string().as_bytes())).await;
    if !matches!(kept, Ok(Ok(()))) {
        tracing::error!("the demonstration's clock could not be kept");
    }
    let onward = Onward::to(form.onward.target_or(&view, "/demo"));
    // No session lasts a day: whoever lets one pass stays signed in.
    if let Some(me) = view.me.clone() {
        let language = language(&view);
        let again = {
            let app = app.clone();
            blocking(move || {
                let account = &me.session.account;
                app.accounts().enter_demo(client.caller(), account.subject.clone(), &account.name, language)
            })
            .await
        };
        if let Ok(signed) = again {
            return enter(&view, &app, signed, &onward).await;
        }
    }
    Redirect::to(&onward.target_or(&view, "/demo")).into_response()
}
