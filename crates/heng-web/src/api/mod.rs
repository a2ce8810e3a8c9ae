//! The JSON interface: everything that a page does, through the very same desk, for a program with its owner's token.
//!
//! A handler here does three things: it reads strictly what was sent, calls the function that the page calls, and writes
//! what came of it. Cookies are not read, so another site cannot make a browser act here.

pub(crate) mod acts;
pub(crate) mod applications;
pub(crate) mod board;
pub(crate) mod draws;
pub(crate) mod editions;
pub(crate) mod files;
pub(crate) mod given;
pub(crate) mod logs;
pub(crate) mod me;
pub(crate) mod notes;
pub(crate) mod notices;
pub(crate) mod objections;
pub(crate) mod once;
pub(crate) mod openapi;
pub(crate) mod opinions;
pub(crate) mod outbox;
pub(crate) mod paging;
pub(crate) mod panels;
pub(crate) mod papers;
pub(crate) mod problem;
pub(crate) mod proposals;
pub(crate) mod records;
pub(crate) mod register;
pub(crate) mod rules;
pub(crate) mod session;
pub(crate) mod shapes;
pub(crate) mod tasks;
pub(crate) mod visits;

use axum::body::Bytes;
use axum::extract::OriginalUri;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use heng_app::desk::{EditionDesk, Place, with_desk};
use heng_domain::text::Lang;
use serde::Serialize;

use crate::door::Caller;
use crate::view::App;
use crate::work::log_of;
use problem::Problem;

/// Where the interface hangs.
pub(crate) const ROOT: &str = "/api/v1";

/// What a handler answers.
pub(crate) type Answer = Result<Response, Problem>;

/// Whether a request goes to the interface.
pub(crate) fn holds(parts: &Parts) -> bool {
    let path = parts.extensions.get::<OriginalUri>().map_or(parts.uri.path(), |uri| uri.0.path());
    path.starts_with(ROOT)
}

/// Runs what may block.
pub(crate) async fn blocking<T: Send + 'static>(
    lang: Lang,
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(Problem::internal(lang)),
    }
}

/// What `look` makes of the edition that an address names, for a caller who has a seat there; 404 where it makes nothing.
pub(crate) async fn of_edition<T: Serialize + Send + 'static>(
    app: App,
    lang: Lang,
    caller: Caller,
    (first, second): (String, String),
    headers: &HeaderMap,
    look: impl FnOnce(&EditionDesk<'_>, &App, &str) -> Option<T> + Send + 'static,
) -> Answer {
    let log = log_of(&app, &first, &second).ok_or_else(|| Problem::missing(lang))?;
    let found = blocking(lang, move || {
        let found = with_desk(app.heng(), &log, &caller.subject, |place| match place {
            Place::Edition(desk) => look(desk, &app, &log),
            Place::Office(_) => None,
        });
        found.map_err(|error| Problem::of_app(lang, &error))?.flatten().ok_or_else(|| Problem::missing(lang))
    })
    .await?;
    fresh(lang, headers, &found)
}

/// An address of the interface in the log called `log`.
pub(crate) fn log_href(app: &App, log: &str, rest: &str) -> String {
    format!("{ROOT}/logs/{}{rest}", crate::work::place(app, log))
}

/// JSON that the program may have already: then nothing but the tag is sent.
pub(crate) fn fresh<T: Serialize>(lang: Lang, headers: &HeaderMap, value: &T) -> Answer {
    let bytes = serde_json::to_vec(value).map_err(|_| Problem::internal(lang))?;
    let digest = heng_log::sha256(&bytes).to_string();
    // Weak: a proxy may compress it on the way.
    let tag = format!("W/\"{}\"", digest.get(..32).unwrap_or(&digest));
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if known.split(',').any(|one| one.trim() == tag || one.trim() == "*") {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok(([(header::CONTENT_TYPE, JSON.to_owned()), (header::ETAG, tag)], Bytes::from(bytes)).into_response())
}

/// The only type of bodies, both ways.
pub(crate) const JSON: &str = "application/json";
