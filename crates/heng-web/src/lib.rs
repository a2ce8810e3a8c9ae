//! Pages, JSON and live streams: HTTP in, HTML out. Holds no rule: what may be seen and done is decided below.

pub mod assets;
pub mod ui;

mod account;
mod act;
mod alarms;
mod api;
mod board;
mod check;
mod client;
mod consensus;
mod demo;
mod door;
mod dossier;
mod draw;
mod edition;
mod eligibility;
mod evidence;
mod files;
mod hall;
mod hant;
mod home;
mod language;
mod log;
mod notice;
mod objections;
mod oidc;
mod opening;
mod openings;
mod opinions;
mod outbox;
mod panels;
mod papers;
mod people;
mod plain;
mod programme;
mod ranking;
mod results;
mod routes;
mod rules;
mod session;
mod sign;
mod signin;
#[cfg(test)]
mod tests;
mod view;
mod visits;
mod well_known;
mod winners;
mod words;
mod work;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate};
use tower_http::set_header::SetResponseHeaderLayer;

pub use view::{App, Demo, Settings};

/// Nothing inline, nothing from elsewhere, nothing in a frame.
const CSP: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; \
                   connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The whole portal.
pub fn router(app: App) -> Router {
    let header = |name: &'static str, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    routes::router(&app)
        .layer(from_fn_with_state(app.clone(), hant::pages))
        .layer(CatchPanicLayer::new())
        // Files that people sent are compressed in themselves: to do it again takes long, and hides their length.
        .layer(CompressionLayer::new().compress_when(DefaultPredicate::new().and(files::AS_IT_IS)))
        .layer(header("content-security-policy", CSP))
        .layer(header("x-content-type-options", "nosniff"))
        .layer(header("referrer-policy", "same-origin"))
        .layer(header("cross-origin-opener-policy", "same-origin"))
        .layer(header("cross-origin-resource-policy", "same-origin"))
        .layer(header("permissions-policy", "camera=(), geolocation=(), microphone=()"))
        .layer(header("x-frame-options", "DENY"))
        .layer(header("cache-control", "no-cache"))
        .with_state(app)
}

/// Serves the portal until it is asked to stop.
///
/// # Errors
/// If the listener fails.
pub async fn serve(app: App, listener: tokio::net::TcpListener) -> std::io::Result<()> {
    let stop = app.clone();
    tokio::spawn(sweep(app.clone()));
    let service = router(app).into_make_service_with_connect_info::<std::net::SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(async move {
            asked_to_stop().await;
            stop.end_streams();
        })
        .await
}

/// Once an hour, what nobody needs any more is thrown away: old sessions, answers that were remembered.
async fn sweep(app: App) {
    let mut hours = tokio::time::interval(std::time::Duration::from_secs(3600));
    loop {
        hours.tick().await;
        let app = app.clone();
        let swept = tokio::task::spawn_blocking(move || {
            heng_app::once::sweep(app.heng())?;
            app.accounts().sweep()
        });
        if let Ok(Err(error)) = swept.await {
            tracing::error!(%error, "old rows could not be thrown away");
        }
    }
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
