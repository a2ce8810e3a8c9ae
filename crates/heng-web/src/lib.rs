//! Pages, JSON and live streams: HTTP in, HTML out. Holds no rule: what may be seen and done is decided below.

pub mod assets;
pub mod ui;

mod check;
mod edition;
mod hall;
mod hant;
mod home;
mod language;
mod log;
mod notice;
mod plain;
mod programme;
mod view;
mod winners;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use heng_app::Heng;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;

pub use view::App;

/// Nothing inline, nothing from elsewhere, nothing in a frame.
const CSP: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; \
                   connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Greatest body of a request: the portal takes forms, not files.
const MAX_BODY: usize = 256 * 1024;

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
pub async fn serve(heng: Arc<Heng>, listener: tokio::net::TcpListener) -> std::io::Result<()> {
    let app = App::new(heng);
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
