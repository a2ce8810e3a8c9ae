//! Signing in at the office's own identity provider (OpenID Connect): there, back again, and binding an identity.
//!
//! The state of a visit stands in a short cookie of its own and is compared when the reader comes back, so nobody can be
//! signed in as somebody else by a link. The reader's language stands there too: the provider knows one address only.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use heng_app::account::{OidcDone, OidcFor};
use serde::Deserialize;

use crate::client::Client;
use crate::language::Language;
use crate::signin::{self, Onward, blocking, enter, status};
use crate::view::{App, View, cookie_of};

/// Name of the cookie of a visit.
const COOKIE: &str = "heng-oidc";

fn visit_cookie(app: &App, visit: &str) -> String {
    let secure = if app.origin().starts_with("https:") { "; Secure" } else { "" };
    let age = if visit.is_empty() { 0 } else { 600 };
    format!("{COOKIE}={visit}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}")
}

/// Leads to the provider: to sign in, or to bind its identity to an account that is signed in already.
pub(crate) async fn begin(view: View, State(app): State<App>, client: Client) -> Response {
    let Some(oidc) = app.oidc().cloned() else { return view.missing(&app) };
    let begun = {
        let (app, me) = (app.clone(), view.me.clone());
        blocking(move || {
            let purpose = me.as_ref().map_or(OidcFor::SignIn, |me| OidcFor::Bind(&me.session));
            app.accounts().begin_oidc(&oidc, client.caller(), purpose)
        })
        .await
    };
    match begun {
        Ok(start) => {
            let visit = format!("{}.{}", start.expose_state(), view.language.code());
            let cookie = [(header::SET_COOKIE, visit_cookie(&app, &visit))];
            (cookie, Redirect::to(&start.address)).into_response()
        }
        Err(error) => again(&view, &app, status(&error), view.wrong(&error)),
    }
}

/// Says what went wrong, and lets whoever is not signed in begin again or choose another way.
fn again(view: &View, app: &App, status: StatusCode, text: String) -> Response {
    match view.me {
        None => signin::page(view, app, &Onward::default(), status, "", Some(text)),
        Some(_) => view.problem(app, status, &view.t("sign_in"), &text),
    }
}

/// What the provider sends back.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Back {
    state: String,
    code: String,
    error: String,
}

/// Comes back from the provider.
pub(crate) async fn back(
    view: View,
    State(app): State<App>,
    client: Client,
    headers: HeaderMap,
    Query(back): Query<Back>,
) -> Response {
    let Some(oidc) = app.oidc().cloned() else { return view.missing(&app) };
    let visit = cookie_of(&headers, COOKIE).unwrap_or_default();
    let (own, language) = visit.rsplit_once('.').unwrap_or_default();
    if let Some(language) = Language::of_code(language).filter(|language| *language != view.language) {
        return Redirect::to(&view.here_in(language)).into_response();
    }
    let began_here = !own.is_empty() && own == back.state;
    if !began_here || back.code.is_empty() {
        let key = if began_here && !back.error.is_empty() { "oidc_declined" } else { "oidc_stray" };
        return again(&view, &app, StatusCode::BAD_REQUEST, view.t(key));
    }
    let done = {
        let (app, me) = (app.clone(), view.me.clone());
        blocking(move || {
            let session = me.as_ref().map(|me| &me.session);
            app.accounts().finish_oidc(&oidc, client.caller(), session, &back.state, &back.code)
        })
        .await
    };
    let over = AppendHeaders([(header::SET_COOKIE, visit_cookie(&app, ""))]);
    match done {
        Ok(OidcDone::SignedIn(signed)) => (over, enter(&view, &app, signed, &Onward::default()).await).into_response(),
        Ok(OidcDone::Bound(enrolled)) => {
            app.notify(&enrolled.notice);
            match enrolled.signed_in {
                Some(signed) => (over, enter(&view, &app, signed, &Onward::default()).await).into_response(),
                None => (over, Redirect::to(&view.href("/account/keys"))).into_response(),
            }
        }
        Err(error) => again(&view, &app, status(&error), view.wrong(&error)),
    }
}
