//! The outbox: what was told to whom. Officers only, as on its page.

use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use heng_app::outbox::{MessageId, Outbox, OutboxError, Posted, State as Sent, To};
use heng_domain::text::Lang;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

use super::given::{Asked, At, Speaks};
use super::once::{Done, Request, once};
use super::paging::{Page, Paging, answer, page};
use super::problem::Problem;
use super::{Answer, ROOT, blocking};
use crate::door::Caller;
use crate::view::App;

/// A message.
#[derive(Serialize, ToSchema)]
#[schema(as = Message)]
pub(crate) struct MessageShape {
    /// Message.
    id: String,
    /// Mail address or telephone number.
    to: String,
    /// What it says, while it has not left. Links are left out: they may be keys to somebody's account.
    subject: Option<String>,
    /// Its text, likewise.
    text: Option<String>,
    /// When it was written.
    #[schema(format = DateTime)]
    put: String,
    /// `waiting`, `sending`, `failed`, `sent`, `given_up` or `withdrawn`.
    #[schema(example = "waiting")]
    state: &'static str,
    /// When it leaves, is tried next, or was done with.
    #[schema(format = DateTime)]
    at: String,
    /// How often it was tried.
    attempts: u32,
    /// Why the last try failed, in the language asked for.
    failure: Option<String>,
    /// Its address.
    href: String,
}

fn shape(lang: Lang, posted: Posted) -> MessageShape {
    let (state, at) = match posted.state {
        Sent::Waiting { due } => ("waiting", due),
        Sent::Sending { since } => ("sending", since),
        Sent::Failed { next } => ("failed", next),
        Sent::Sent { at } => ("sent", at),
        Sent::GivenUp { at } => ("given_up", at),
        Sent::Withdrawn { at } => ("withdrawn", at),
    };
    let to = match posted.to {
        To::Mail(address) => address,
        To::Phone(number) => number,
    };
    let (subject, text) = posted.words.map(|words| (words.subject, words.body)).unzip();
    MessageShape {
        to,
        subject,
        text,
        put: posted.put.to_string(),
        state,
        at: at.to_string(),
        attempts: posted.attempts,
        failure: posted.failure.map(|failure| failure.message(lang)),
        href: format!("{ROOT}/outbox/{}", posted.id.as_str()),
        id: posted.id.as_str().to_owned(),
    }
}

/// The outbox, for an officer of an office that has one.
fn outbox(app: &App, caller: &Caller, lang: Lang) -> Result<Arc<Outbox>, Problem> {
    let officer = crate::outbox::officer(app, &caller.subject);
    app.outbox().filter(|_| officer).cloned().ok_or_else(|| Problem::missing(lang))
}

fn problem(lang: Lang, error: OutboxError) -> Problem {
    match error {
        OutboxError::Unknown => Problem::missing(lang),
        OutboxError::Failed(error) => Problem::of_app(lang, &error.into()),
        error => Problem::said(StatusCode::CONFLICT, error.code(), error.message(lang)),
    }
}

/// Messages of the office, newest first. Officers only.
#[utoipa::path(
    get, path = "/api/v1/outbox", tag = "office", operation_id = "outbox", params(Paging), security(("token" = [])),
    responses((status = 200, description = "Messages.", body = Page<MessageShape>))
)]
pub(crate) async fn list(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    uri: OriginalUri,
    headers: HeaderMap,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let list = blocking(lang, move || {
        let messages = outbox(&app, &caller, lang)?.messages().map_err(|error| problem(lang, error))?;
        let shapes = messages.into_iter().map(|posted| shape(lang, posted)).collect();
        page(lang, "outbox", &paging, shapes, |message: &MessageShape| message.id.clone())
    })
    .await?;
    answer(lang, &headers, &uri, &list)
}

/// Takes back a message that has not left.
#[utoipa::path(
    delete, path = "/api/v1/outbox/{id}", tag = "office", operation_id = "withdraw_message", security(("token" = [])),
    params(("id" = String, Path, description = "The message.")),
    responses(
        (status = 204, description = "It will not be sent."),
        (status = 409, description = "It has left, or is leaving.", body = super::problem::ProblemBody, content_type = "application/problem+json")
    )
)]
pub(crate) async fn withdraw(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At(id): At<String>,
) -> Answer {
    blocking(lang, move || {
        let outbox = outbox(&app, &caller, lang)?;
        let id = MessageId::parse(&id).ok_or_else(|| Problem::missing(lang))?;
        outbox.withdraw(&id).map_err(|error| problem(lang, error))
    })
    .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Lets a message that failed or was given up leave now, with all tries anew.
#[utoipa::path(
    post, path = "/api/v1/outbox/{id}/retry", tag = "office", operation_id = "retry_message", security(("token" = [])),
    params(("id" = String, Path, description = "The message.")),
    responses(
        (status = 200, description = "It waits to be sent.", body = MessageShape),
        (status = 409, description = "It has left, waits, or was withdrawn.", body = super::problem::ProblemBody, content_type = "application/problem+json")
    )
)]
pub(crate) async fn retry(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At(id): At<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Answer {
    blocking(lang, move || {
        let outbox = outbox(&app, &caller, lang)?;
        let id = MessageId::parse(&id).ok_or_else(|| Problem::missing(lang))?;
        let owner = &caller.account.id;
        let request = Request { app: &app, lang, headers: &headers, owner, asked: (uri.path(), b"") };
        once(&request, || {
            outbox.retry(&id).map_err(|error| problem(lang, error))?;
            let posted = outbox.message(&id).map_err(|error| problem(lang, error))?;
            Done::new(lang, StatusCode::OK, None, &shape(lang, posted))
        })
    })
    .await
}
