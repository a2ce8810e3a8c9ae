//! What went wrong, as RFC 9457 says it: the refusal's own code, a sentence in the program's language, and the article.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use heng_app::AppError;
use heng_app::account::AccountError;
use heng_app::desk::{DeskError, Wrong};
use heng_domain::messages;
use heng_domain::refusal::Refusal;
use heng_domain::text::Lang;
use serde::Serialize;
use utoipa::ToSchema;

use crate::door::language;

/// One wrong answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldProblem {
    /// Name of the field.
    #[schema(example = "reason")]
    pub field: String,
    /// Stable code.
    #[schema(example = "missing")]
    pub code: String,
    /// What to do, in the language asked for.
    #[schema(example = "Fill this in.")]
    pub detail: String,
}

/// What went wrong (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// `urn:heng:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:heng:problem:application.late")]
    pub kind: String,
    /// The meaning of the status.
    #[schema(example = "Conflict")]
    pub title: String,
    /// HTTP status.
    #[schema(example = 409, minimum = 400, maximum = 599)]
    pub status: u16,
    /// Stable code: that of the refusal, where the rules refuse.
    #[schema(example = "application.late")]
    pub code: String,
    /// What was wrong and what to do, in the language asked for.
    pub detail: String,
    /// Document and article that a refusal rests on.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub basis: String,
    /// Each wrong answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// The draft as it is saved now: only for `draft.newer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<super::shapes::Draft>,
}

/// A problem with the headers that go with it.
#[derive(Debug)]
pub(crate) struct Problem {
    pub body: Box<ProblemBody>,
    headers: Vec<(HeaderName, String)>,
}

impl Problem {
    /// A problem whose sentence is `problem.<key>`.
    pub fn new(lang: Lang, status: StatusCode, code: &str, key: &str, params: &[(&str, &str)]) -> Problem {
        Problem::said(status, code, messages::message(lang, "problem", key, params.iter().copied()))
    }

    /// A problem with a sentence of its own.
    pub fn said(status: StatusCode, code: &str, detail: String) -> Problem {
        let body = ProblemBody {
            kind: format!("urn:heng:problem:{code}"),
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            code: code.to_owned(),
            detail,
            basis: String::new(),
            errors: Vec::new(),
            draft: None,
        };
        Problem { body: Box::new(body), headers: Vec::new() }
    }

    fn with(mut self, name: HeaderName, value: impl Into<String>) -> Problem {
        self.headers.push((name, value.into()));
        self
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.body.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Something of ours; what it was stands in the server's log.
    pub fn internal(lang: Lang) -> Problem {
        Problem::new(lang, StatusCode::INTERNAL_SERVER_ERROR, "internal", "internal", &[])
    }

    /// Nothing here, or nothing for this reader: which one is not said.
    pub fn missing(lang: Lang) -> Problem {
        Problem::new(lang, StatusCode::NOT_FOUND, "missing", "missing", &[])
    }

    /// The body is longer than this address takes.
    pub fn too_large(lang: Lang, limit: usize) -> Problem {
        let limit = (limit / 1024).to_string();
        Problem::new(lang, StatusCode::PAYLOAD_TOO_LARGE, "request.too_large", "too_large", &[("limit", &limit)])
            .with(header::CONNECTION, "close")
    }

    /// The request says something that cannot be read; `detail` says where.
    pub fn unreadable(lang: Lang, status: StatusCode, code: &str, key: &str, detail: &str) -> Problem {
        Problem::new(lang, status, code, key, &[("detail", detail)])
    }

    /// No token came with it.
    pub fn no_token(lang: Lang) -> Problem {
        Problem::new(lang, StatusCode::UNAUTHORIZED, "token.missing", "no_token", &[])
            .with(header::WWW_AUTHENTICATE, "Bearer realm=\"heng\"")
    }

    /// Objections come too often from one address; `time` says when there may be another, `seconds` from now.
    pub fn too_many_objections(lang: Lang, time: &str, seconds: u64) -> Problem {
        let status = StatusCode::TOO_MANY_REQUESTS;
        Problem::new(lang, status, "objection.too_many", "too_many_objections", &[("time", time)])
            .with(header::RETRY_AFTER, seconds.to_string())
    }

    /// A token that does not open this door.
    pub fn of_account(lang: Lang, error: &AccountError) -> Problem {
        if let AccountError::App(error) = error {
            return Problem::of_app(lang, error);
        }
        let (status, challenge) = match error {
            AccountError::TokenScope => (StatusCode::FORBIDDEN, "Bearer realm=\"heng\", error=\"insufficient_scope\""),
            AccountError::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, ""),
            AccountError::NotAllowed => (StatusCode::FORBIDDEN, ""),
            _ => (StatusCode::UNAUTHORIZED, "Bearer realm=\"heng\", error=\"invalid_token\""),
        };
        let problem = Problem::said(status, error.code(), error.sentence(lang));
        if challenge.is_empty() { problem } else { problem.with(header::WWW_AUTHENTICATE, challenge) }
    }

    /// The rules refuse it.
    pub fn of_refusal(lang: Lang, refusal: &Refusal) -> Problem {
        let mut problem = Problem::said(StatusCode::CONFLICT, refusal.code, messages::refusal(lang, refusal));
        problem.body.basis.clone_from(&refusal.basis);
        problem
    }

    /// Answers that do not fit their fields.
    pub fn of_wrong(lang: Lang, wrong: &[Wrong]) -> Problem {
        let errors = wrong.iter().map(|w| (w.field.clone(), w.code.clone(), w.sentence(lang)));
        Problem::of_fields(lang, errors)
    }

    /// The same for fields that are checked elsewhere.
    pub fn of_fields(lang: Lang, wrong: impl Iterator<Item = (String, String, String)>) -> Problem {
        let errors: Vec<FieldProblem> =
            wrong.map(|(field, code, detail)| FieldProblem { field, code, detail }).collect();
        let count = errors.len().to_string();
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let mut problem = Problem::new(lang, status, "answers", "answers", &[("count", &count)]);
        problem.body.errors = errors;
        problem
    }

    /// Something of the application.
    pub fn of_app(lang: Lang, error: &AppError) -> Problem {
        match error {
            AppError::Refused(refusal) => Problem::of_refusal(lang, refusal),
            AppError::UnknownAnchor { .. } => {
                Problem::new(lang, StatusCode::CONFLICT, "signature.unknown_anchor", "unknown_anchor", &[])
            }
            AppError::UnknownLog(_) => Problem::missing(lang),
            error => {
                tracing::error!(%error, "a request of the interface failed");
                Problem::internal(lang)
            }
        }
    }

    /// Whatever the desk says.
    pub fn of_desk(lang: Lang, error: &DeskError) -> Problem {
        match error {
            DeskError::Wrong(wrong) => Problem::of_wrong(lang, wrong),
            DeskError::Refused(refusal) => Problem::of_refusal(lang, refusal),
            DeskError::NotOpen => Problem::new(lang, StatusCode::NOT_FOUND, "not_open", "not_open", &[]),
            DeskError::App(error) => Problem::of_app(lang, error),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let bytes = serde_json::to_vec(&self.body).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], bytes).into_response();
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

impl From<Problem> for Response {
    fn from(problem: Problem) -> Response {
        problem.into_response()
    }
}

pub(crate) async fn not_found(headers: HeaderMap) -> Problem {
    Problem::missing(language(&headers))
}

/// Which methods an address takes, the router says in `Allow`.
pub(crate) async fn method_not_allowed(headers: HeaderMap) -> Problem {
    Problem::new(language(&headers), StatusCode::METHOD_NOT_ALLOWED, "request.method", "method", &[])
}
