//! The office's outbox (发件箱): what was told to whom, what still waits and can be taken back, what failed and why.

use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use heng_app::outbox::{MessageId, State as Sent, To};
use heng_domain::office::events::OfficeRole;
use maud::{Markup, html};
use serde::Deserialize;

use crate::ui::{self, Column, Row, Tone};
use crate::view::{App, Content, View};
use crate::words::instant;

/// Whether `subject` is an officer of the office today.
pub(crate) fn officer(app: &App, subject: &str) -> bool {
    let Some(log) = app.heng().office_log() else { return false };
    let now = app.heng().clock().now();
    let image = log.image();
    image.state.office().is_some_and(|o| o.holds(subject, OfficeRole::Officer, o.day(now)))
}

pub(crate) async fn show(view: View, State(app): State<App>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    if !officer(&app, &me.subject) {
        return view.problem(&app, StatusCode::FORBIDDEN, &view.t("not_yours_title"), &view.t("outbox_not_yours"));
    }
    page(&view, &app, StatusCode::OK, html! {}).await
}

async fn page(view: &View, app: &App, code: StatusCode, top: Markup) -> Response {
    let title = view.t("outbox_title");
    let Some(outbox) = app.outbox() else {
        let main = html! { (ui::title_block(&title, None)) (ui::sentence(&view.t("outbox_off"))) };
        return view.page_with(app, code, Content::new(title, main));
    };
    let listed = {
        let outbox = outbox.clone();
        tokio::task::spawn_blocking(move || outbox.messages()).await
    };
    let Ok(Ok(messages)) = listed else { return view.missing(app) };
    let offset = app
        .heng()
        .office_log()
        .and_then(|log| log.image().state.office().map(|o| o.founded.utc_offset_minutes))
        .unwrap_or(0);
    let columns = ["outbox_to", "outbox_subject", "state_column", "alarm_when", "session_action"]
        .map(|k| Column::text(view.t(k)));
    let rows: Vec<Row<'_>> = messages
        .iter()
        .map(|m| {
            let (key, tone, at) = match &m.state {
                Sent::Waiting { due } => ("outbox_waiting", Tone::Due, *due),
                Sent::Sending { since } => ("outbox_sending", Tone::Due, *since),
                Sent::Failed { next } => ("outbox_failed", Tone::Now, *next),
                Sent::Sent { at } => ("outbox_sent", Tone::Done, *at),
                Sent::GivenUp { at } => ("outbox_given_up", Tone::Stop, *at),
                Sent::Withdrawn { at } => ("outbox_withdrawn", Tone::Quiet, *at),
            };
            let to = match &m.to {
                To::Mail(address) => address.clone(),
                To::Phone(number) => number.clone(),
            };
            let id = m.id.as_str().to_owned();
            Row::new(vec![
                html! { (to) },
                html! { @if let Some(words) = &m.words { span translate="no" { (words.subject) } } @else { "—" } },
                html! {
                    (ui::status_tag(&view.t(key), tone))
                    @if let Some(failure) = &m.failure { " " (failure.message(view.lang)) }
                },
                html! { (instant(view.lang, at, offset)) },
                html! {
                    @match &m.state {
                        Sent::Waiting { .. } => (ui::button_post(&view.t("outbox_withdraw"), &view.href("/work/outbox/withdraw"), &[("id".into(), id.into())])),
                        Sent::Failed { .. } | Sent::GivenUp { .. } => (ui::button_post(&view.t("outbox_retry"), &view.href("/work/outbox/retry"), &[("id".into(), id.into())])),
                        _ => {},
                    }
                },
            ])
        })
        .collect();
    let main = html! {
        (ui::title_block(&title, None))
        (ui::sentence(&view.tp("outbox_text", &[("count", &messages.len().to_string())])))
        (top)
        (ui::table(&title, &columns, &rows, &ui::empty_state(&view.t("outbox_empty"), None)))
        p { a href=(view.href("/work")) { (view.t("back_work")) } }
    };
    view.page_with(app, code, Content { wide: true, ..Content::new(title, main) })
}

#[derive(Deserialize)]
pub(crate) struct Which {
    id: String,
}

/// Withdraws a message that has not left yet.
pub(crate) async fn withdraw(view: View, State(app): State<App>, Form(which): Form<Which>) -> Response {
    change(view, app, which, false).await
}

/// Tries a message once more.
pub(crate) async fn retry(view: View, State(app): State<App>, Form(which): Form<Which>) -> Response {
    change(view, app, which, true).await
}

async fn change(view: View, app: App, which: Which, again: bool) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let outbox = app.outbox().cloned().filter(|_| officer(&app, &me.subject));
    let (Some(outbox), Some(id)) = (outbox, MessageId::parse(&which.id)) else { return view.missing(&app) };
    let done = tokio::task::spawn_blocking(move || if again { outbox.retry(&id) } else { outbox.withdraw(&id) }).await;
    match done {
        Ok(Ok(())) => Redirect::to(&view.href("/work/outbox")).into_response(),
        Ok(Err(error)) => {
            let note = ui::note(Tone::Stop, &html! { p role="alert" { (error.message(view.lang)) } });
            page(&view, &app, StatusCode::CONFLICT, note).await
        }
        Err(_) => view.missing(&app),
    }
}
