//! Pages, JSON and live streams: HTTP in, HTML out. Holds no rule: what may be seen and done is decided below.

pub mod assets;
pub mod ui;

mod account;
mod act;
mod board;
mod check;
mod consensus;
mod demo;
mod dossier;
mod draw;
mod edition;
mod files;
mod hall;
mod hant;
mod home;
mod language;
mod log;
mod notice;
mod outbox;
mod plain;
mod programme;
mod ranking;
mod sign;
mod signin;
mod view;
mod winners;
mod words;
mod work;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;

pub use view::{App, Demo, Settings};

/// Nothing inline, nothing from elsewhere, nothing in a frame.
const CSP: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; \
                   connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Greatest body of a request: the portal takes forms, not files.
const MAX_BODY: usize = 1024 * 1024;

/// Pages in one language; traditional Chinese hangs below `/hant`, English below `/en`.
fn pages() -> Router<App> {
    Router::new()
        .route("/", get(home::show))
        .route("/programmes/{programme}", get(programme::show))
        .route("/editions/{programme}/{edition}", get(edition::show))
        .route("/editions/{programme}/{edition}/notices/{notice}", get(notice::show).post(notice::object))
        .route("/editions/{programme}/{edition}/hall", get(hall::show))
        .route("/editions/{programme}/{edition}/check", get(check::show))
        .route("/winners", get(winners::show))
        .route("/certificates", get(winners::find_certificate))
        .route("/certificates/{number}", get(winners::certificate))
        .route("/figures", get(winners::figures))
        .merge(doors())
        .merge(desk())
}

/// Signing in, and one's own account.
fn doors() -> Router<App> {
    Router::new()
        .route("/sign-in", get(signin::show).post(signin::sign_in))
        .route("/sign-in/passkey/begin", post(signin::begin_passkey))
        .route("/sign-in/passkey", post(signin::finish_passkey))
        .route("/sign-out", post(signin::sign_out))
        .route("/invitations/{token}", get(signin::invitation).post(signin::redeem))
        .route("/account", get(account::show))
        .route("/account/preferences", post(account::preferences))
        .route("/account/sessions/end", post(account::end_session))
        .route("/account/sessions/all", post(account::end_all))
        .route("/account/tokens", post(account::make_token))
        .route("/account/tokens/revoke", post(account::revoke_token))
        .route("/account/keys", get(account::keys))
        .route("/account/keys/offer", post(account::offer))
        .route("/account/passkeys/begin", post(account::begin_passkey))
        .route("/account/passkeys", post(account::finish_passkey))
        .route("/account/passkeys/remove", post(account::remove_passkey))
        .route("/account/password", post(account::password))
        .route("/account/password/finish", post(account::finish_password))
        .route("/account/people", get(account::people).post(account::invite))
        .route("/account/people/recover", post(account::recover))
        .route("/account/people/confirm", post(account::confirm_recovery))
        .route("/demo", get(demo::show))
        .route("/demo/enter", post(demo::enter_as))
        .route("/demo/days", post(demo::pass))
}

/// The desk: lists, forms, signatures, dossiers.
fn desk() -> Router<App> {
    Router::new()
        .route("/work", get(work::show))
        .route("/work/outbox", get(outbox::show))
        .route("/work/outbox/withdraw", post(outbox::withdraw))
        .route("/work/outbox/retry", post(outbox::retry))
        .route("/work/sign/{id}", get(sign::show).post(sign::sign))
        .route("/work/sign/{id}/withdraw", post(sign::withdraw))
        .route("/work/{first}/{second}", get(work::show_log))
        .route("/work/{first}/{second}/records/{seq}", get(act::record))
        .route("/work/{first}/{second}/receipts/{seq}", get(act::receipt))
        .route("/work/{first}/{second}/board", get(board::show))
        .route("/work/{first}/{second}/board/notes", post(board::add_note))
        .route("/work/{first}/{second}/board/checkpoint", get(board::checkpoint).post(board::compare))
        .route("/work/{first}/{second}/draws/{id}", get(draw::show))
        .route("/work/{first}/{second}/import", post(act::import))
        .route("/work/{first}/{second}/files", get(files::show).post(files::upload))
        .route("/work/{first}/{second}/files/begin", post(files::begin))
        .route("/work/{first}/{second}/files/remove", post(files::remove))
        .route("/work/{first}/{second}/files/abandon", post(files::abandon))
        .route("/work/{first}/{second}/files/{sha}", get(files::state).put(files::append))
        .route("/work/{first}/{second}/files/{sha}/finish", post(files::finish))
        .route("/work/{first}/{second}/files/{sha}/{name}", get(files::own))
        .route("/work/{first}/{second}/applications", get(dossier::list))
        .route("/work/{first}/{second}/applications/{id}", get(dossier::show))
        .route("/work/{first}/{second}/applications/{id}/files/{sha}", get(dossier::file))
        .route("/work/{first}/{second}/{kind}/{case}", get(act::show).post(act::post))
}

/// The whole portal.
pub fn router(app: App) -> Router {
    let header = |name: &'static str, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    Router::new()
        .merge(pages())
        .nest("/hant", pages())
        .nest("/en", pages())
        .route("/hant/", get(|| async { Redirect::permanent("/hant") }))
        .route("/en/", get(|| async { Redirect::permanent("/en") }))
        .route("/editions/{programme}/{edition}/hall/events", get(hall::events))
        .route("/editions/{programme}/{edition}/bundle.tar", get(check::bundle))
        .route("/editions/{programme}/{edition}/result.json", get(check::result))
        .route("/editions/{programme}/{edition}/receipts/{seq}", get(check::receipt))
        .route("/log/{programme}/{edition}/{*file}", get(log::edition_file))
        .route("/log/office/checkpoint", get(log::office_checkpoint))
        .route("/assets/{*path}", get(asset))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/hant/{*rest}", get(view::not_found).post(view::not_found))
        .route("/en/{*rest}", get(view::not_found).post(view::not_found))
        .fallback(view::not_found)
        .method_not_allowed_fallback(view::method_not_allowed)
        .layer(from_fn_with_state(app.clone(), hant::pages))
        .layer(CatchPanicLayer::new())
        .layer(CompressionLayer::new())
        .layer(header("content-security-policy", CSP))
        .layer(header("x-content-type-options", "nosniff"))
        .layer(header("referrer-policy", "same-origin"))
        .layer(header("cross-origin-opener-policy", "same-origin"))
        .layer(header("cross-origin-resource-policy", "same-origin"))
        .layer(header("permissions-policy", "camera=(), geolocation=(), microphone=()"))
        .layer(header("x-frame-options", "DENY"))
        .layer(header("cache-control", "no-cache"))
        .layer(CsrfLayer::new())
        .layer(RequestBodyLimitLayer::new(MAX_BODY))
        .with_state(app)
}

/// Serves the portal until it is asked to stop.
///
/// # Errors
/// If the listener fails.
pub async fn serve(app: App, listener: tokio::net::TcpListener) -> std::io::Result<()> {
    let stop = app.clone();
    axum::serve(listener, router(app))
        .with_graceful_shutdown(async move {
            asked_to_stop().await;
            stop.end_streams();
        })
        .await
}

/// Ctrl+C, or the signal with which a service manager ends a service.
async fn asked_to_stop() {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}

async fn asset(State(_): State<App>, Path(path): Path<String>, request: axum::http::HeaderMap) -> Response {
    let Some(asset) = assets::find(&format!("/assets/{path}")) else {
        return (StatusCode::NOT_FOUND, "not found\n").into_response();
    };
    if request.get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == asset.etag.as_bytes()) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let headers = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, assets::CACHE_CONTROL),
        (header::ETAG, asset.etag),
    ];
    (headers, asset.bytes).into_response()
}
