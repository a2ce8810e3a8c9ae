//! `/.well-known/security.txt` (RFC 9116): where to report a hole.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::view::App;

/// How long the file is good for; a year is the most that the RFC recommends.
const DAYS: i64 = 180;

pub(crate) async fn security(State(app): State<App>) -> Response {
    let expires = app.heng().clock().now().plus_days(DAYS).map(|at| at.to_string()).unwrap_or_default();
    let (contact, origin) = (app.security_contact(), app.origin());
    let text = format!(
        "Contact: {contact}\nExpires: {expires}\nPreferred-Languages: zh, en\nCanonical: {origin}/.well-known/security.txt\n"
    );
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}
