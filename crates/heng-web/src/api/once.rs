//! `Idempotency-Key`: an act that is sent twice is done once. What is remembered, and for how long, says [`heng_app::once`].

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use heng_app::once::{self, Begun, Ticket};
use heng_domain::text::Lang;
use serde::{Deserialize, Serialize};

use super::problem::Problem;
use crate::view::App;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPEATED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Most characters of a key.
const MOST: usize = 200;

/// What was done: enough to answer it again.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Done {
    status: u16,
    location: Option<String>,
    body: String,
}

impl Done {
    /// An answer of `status` with `value`, and where what it speaks of is found.
    pub fn new<T: Serialize>(
        lang: Lang,
        status: StatusCode,
        location: Option<String>,
        value: &T,
    ) -> Result<Done, Problem> {
        let body = serde_json::to_string(value).map_err(|_| Problem::internal(lang))?;
        Ok(Done { status: status.as_u16(), location, body })
    }
}

impl IntoResponse for Done {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = (status, [(header::CONTENT_TYPE, super::JSON)], self.body).into_response();
        if let Some(Ok(location)) = self.location.as_deref().map(HeaderValue::from_str) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

/// The key of a request.
fn key(lang: Lang, headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get(KEY) else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| (1..=MOST).contains(&key.len()));
    let most = MOST.to_string();
    let bad =
        || Problem::new(lang, StatusCode::BAD_REQUEST, "idempotency.form", "idempotency_form", &[("most", &most)]);
    key.map(Some).ok_or_else(bad)
}

/// A request that may come twice.
pub(crate) struct Request<'a> {
    pub app: &'a App,
    pub lang: Lang,
    pub headers: &'a HeaderMap,
    /// Whose keys they are.
    pub owner: &'a str,
    /// The address and the body.
    pub asked: (&'a str, &'a [u8]),
}

/// Does `work`, or answers what was answered to the same request before. It blocks.
pub(crate) fn once(request: &Request<'_>, work: impl FnOnce() -> Result<Done, Problem>) -> Result<Response, Problem> {
    let Request { app, lang, headers, owner, asked: (address, body) } = *request;
    let Some(key) = key(lang, headers)? else { return work().map(IntoResponse::into_response) };
    let asked = [address.as_bytes(), b"\n", body].concat();
    let failed = |error: heng_app::AppError| Problem::of_app(lang, &error);
    let conflict = |code: &str, key: &str| Problem::new(lang, StatusCode::CONFLICT, code, key, &[]);
    match once::begin(app.heng(), owner, key, &asked).map_err(failed)? {
        Begun::Other => Err(conflict("idempotency.other", "idempotency_other")),
        Begun::Pending => Err(conflict("idempotency.pending", "idempotency_pending")),
        Begun::Done(answer) => {
            let done: Done = serde_json::from_str(&answer).map_err(|_| Problem::internal(lang))?;
            let mut response = done.into_response();
            response.headers_mut().insert(REPEATED, HeaderValue::from_static("true"));
            Ok(response)
        }
        Begun::Go(ticket) => finish(app, lang, &ticket, work()),
    }
}

fn finish(app: &App, lang: Lang, ticket: &Ticket, outcome: Result<Done, Problem>) -> Result<Response, Problem> {
    match outcome {
        Ok(done) => {
            let answer = serde_json::to_string(&done).map_err(|_| Problem::internal(lang))?;
            // What was done stays done: that its answer is not remembered is no reason to say otherwise.
            if let Err(error) = once::finish(app.heng(), ticket, answer) {
                tracing::error!(%error, "an answer could not be remembered");
            }
            Ok(done.into_response())
        }
        Err(problem) => {
            // After an error of ours nobody knows whether it was done: then the key stays taken.
            let kept = problem.status().is_server_error();
            if !kept && let Err(error) = once::forget(app.heng(), ticket) {
                tracing::error!(%error, "a key could not be given free");
            }
            Err(problem)
        }
    }
}
