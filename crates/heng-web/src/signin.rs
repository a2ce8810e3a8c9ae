//! Signing in and out, and the way in by invitation.

use axum::Json;
use axum::extract::{Form, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use heng_app::account::{AccountError, Language, SignedIn};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::Client;
use crate::ui::{self, Field, FieldKind, Tone};
use crate::view::{App, Content, View};

/// Where to go on after signing in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Onward {
    pub(crate) next: String,
    pub(crate) parked: String,
}

impl Onward {
    /// Only an address of our own: anything else would lead a guest away. A parked form is taken up by its own page.
    fn target(&self, view: &View) -> String {
        let target = self.target_or(view, "/work");
        if self.parked.is_empty() {
            return target;
        }
        let parked = serde_urlencoded::to_string([("parked", &self.parked)]).unwrap_or_default();
        format!("{target}{}{parked}", if target.contains('?') { '&' } else { '?' })
    }

    /// To an address of our own.
    pub(crate) fn to(next: String) -> Onward {
        Onward { next, parked: String::new() }
    }

    pub(crate) fn target_or(&self, view: &View, path: &str) -> String {
        let own = self.next.starts_with('/') && !self.next.starts_with("//") && !self.next.contains(['\\', '\n', '\r']);
        if own { self.next.clone() } else { view.href(path) }
    }

    fn query(&self) -> String {
        serde_urlencoded::to_string([("next", &self.next), ("parked", &self.parked)]).unwrap_or_default()
    }
}

/// Runs what may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AccountError> + Send + 'static,
) -> Result<T, AccountError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(heng_app::AppError::Other("the work was interrupted".to_owned()).into()),
    }
}

/// The status that fits an error of the sign-in service.
pub(crate) fn status(error: &AccountError) -> StatusCode {
    match error {
        AccountError::TooMany(_) | AccountError::SignInLocked { .. } => StatusCode::TOO_MANY_REQUESTS,
        AccountError::NotAllowed | AccountError::NotFresh => StatusCode::FORBIDDEN,
        AccountError::App(_) => StatusCode::INTERNAL_SERVER_ERROR,
        AccountError::OidcUnreachable(_) => StatusCode::BAD_GATEWAY,
        AccountError::InvitationUnknown
        | AccountError::InvitationUsed(_)
        | AccountError::InvitationExpired(_)
        | AccountError::InvitationWithdrawn(_) => StatusCode::GONE,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

pub(crate) async fn show(view: View, State(app): State<App>, Query(onward): Query<Onward>) -> Response {
    page(&view, &app, &onward, StatusCode::OK, "", None)
}

/// The ways to sign in, below what went `wrong` with one of them.
pub(crate) fn page(
    view: &View,
    app: &App,
    onward: &Onward,
    status: StatusCode,
    login: &str,
    wrong: Option<String>,
) -> Response {
    let title = view.t("sign_in");
    let line = |name: &'static str, input_type, value: &str, autocomplete| {
        Field::of(
            name,
            view.t(&format!("login_{name}")),
            FieldKind::Line { input_type, value: value.to_owned().into(), autocomplete: Some(autocomplete) },
        )
    };
    let form = html! {
        input type="hidden" name="next" value=(onward.next);
        input type="hidden" name="parked" value=(onward.parked);
        (ui::field(&line("login", "text", login, "username")))
        (ui::field(&line("password", "password", "", "current-password")))
        (ui::field(&line("code", "text", "", "one-time-code").hint(view.t("login_code_hint"))))
        (ui::submit(&view.t("sign_in"), false, None))
    };
    let main = html! {
        (ui::title_block(&title, None))
        @if !onward.parked.is_empty() { (ui::note(Tone::Done, &html! { p role="status" { (view.t("form_parked")) } })) }
        @if let Some(wrong) = &wrong { (ui::note(Tone::Stop, &html! { p role="alert" { (wrong) } })) }
        (ui::sentence(&view.t("sign_in_text")))
        section.device {
            form #passkey method="post" action=(view.href("/sign-in/passkey")) data-mode="get"
                data-begin=(view.href("/sign-in/passkey/begin")) data-onward=(onward.query())
                data-cancelled=(view.t("sign_cancelled")) {
                (ui::submit(&view.t("sign_in_passkey"), true, None))
                p #passkey-status role="status" {}
                noscript { p { (view.t("sign_script")) } }
            }
        }
        @if app.oidc().is_some() { p { a.button href=(view.href("/sign-in/provider")) { (view.t("sign_in_provider")) } } }
        details.more open[!login.is_empty()] {
            summary { (view.t("sign_in_password")) }
            (ui::form(&ui::Form { action: view.href("/sign-in").into(), ..ui::Form::default() }, &form))
        }
        p { (view.t("sign_in_new")) }
        p { (view.t("sign_in_help")) }
        @if app.demo().is_some() { p { a href={ (view.href("/demo")) "?" (onward.query()) } { (view.t("demo_link")) } } }
    };
    view.page_with(app, status, Content { script: Some("passkey.js"), ..Content::new(title, main) })
}

#[derive(Deserialize)]
pub(crate) struct Login {
    #[serde(default)]
    login: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
    #[serde(flatten)]
    onward: Onward,
}

pub(crate) async fn sign_in(view: View, State(app): State<App>, client: Client, Form(form): Form<Login>) -> Response {
    let Login { login, password, code, onward } = form;
    let done = {
        let (app, login) = (app.clone(), login.clone());
        blocking(move || app.accounts().sign_in(client.caller(), &login, &password, &code)).await
    };
    match done {
        Ok(signed) => enter(&view, &app, signed, &onward).await,
        Err(error) => {
            if let Some(notice) = error.notice() {
                app.notify(notice);
            }
            page(&view, &app, &onward, status(&error), &login, Some(view.wrong(&error)))
        }
    }
}

/// Sets the cookie and goes on.
pub(crate) async fn enter(view: &View, app: &App, signed: SignedIn, onward: &Onward) -> Response {
    let target = if signed.session.enrolled() { onward.target(view) } else { view.href("/account/keys") };
    ([(header::SET_COOKIE, app.cookie(Some(signed.token.expose())))], Redirect::to(&target)).into_response()
}

pub(crate) async fn sign_out(view: View, State(app): State<App>) -> Response {
    if let Some(token) = view.token() {
        let (app, token) = (app.clone(), token.to_owned());
        drop(blocking(move || app.accounts().sign_out(&token)).await);
    }
    ([(header::SET_COOKIE, app.cookie(None))], Redirect::to(&view.href("/"))).into_response()
}

// ── passkeys ───────────────────────────────────────────────────────────────────────────────────────────

impl View {
    /// What was wrong and what to do, with times as the office's clocks show them.
    pub(crate) fn wrong(&self, error: &AccountError) -> String {
        let offset = crate::account::offset(self.app());
        let mut places = error.params();
        if let (Some(time), Some(place)) = (error.time(), places.iter_mut().find(|(name, _)| *name == "time")) {
            place.1 = crate::words::instant(self.lang, time, offset);
        }
        let places = places.iter().map(|(name, value)| (*name, value.as_str()));
        heng_domain::messages::message(self.lang, "account", error.code(), places)
    }
}

/// A message for the script: what to do, or what is wrong.
pub(crate) fn said(view: &View, error: &AccountError) -> Response {
    (status(error), Json(json!({ "error": view.wrong(error), "code": error.code() }))).into_response()
}

pub(crate) async fn begin_passkey(view: View, State(app): State<App>, client: Client) -> Response {
    let begun = {
        let app = app.clone();
        blocking(move || app.accounts().begin_sign_in(client.caller())).await
    };
    match begun {
        Ok(ceremony) => Json(json!({ "id": ceremony.id, "options": ceremony.options })).into_response(),
        Err(error) => said(&view, &error),
    }
}

#[derive(Deserialize)]
pub(crate) struct Answer {
    id: String,
    answer: Value,
    #[serde(default)]
    onward: String,
}

pub(crate) async fn finish_passkey(
    view: View,
    State(app): State<App>,
    client: Client,
    Json(answer): Json<Answer>,
) -> Response {
    let onward: Onward = serde_urlencoded::from_str(&answer.onward).unwrap_or_default();
    let done = {
        let app = app.clone();
        blocking(move || app.accounts().finish_sign_in(client.caller(), &answer.id, &answer.answer)).await
    };
    match done {
        Ok(signed) => {
            let response = enter(&view, &app, signed, &onward).await;
            // A script follows by itself: it gets the address instead of a redirect.
            let location = response.headers().get(header::LOCATION).cloned();
            let cookie = response.headers().get(header::SET_COOKIE).cloned();
            let to = location.as_ref().and_then(|l| l.to_str().ok()).unwrap_or("/work").to_owned();
            let mut out = Json(json!({ "to": to })).into_response();
            if let Some(cookie) = cookie {
                out.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            out
        }
        Err(error) => said(&view, &error),
    }
}

// ── invitations ────────────────────────────────────────────────────────────────────────────────────────

pub(crate) async fn invitation(view: View, State(app): State<App>, Path(token): Path<String>) -> Response {
    let found = {
        let (app, token) = (app.clone(), token.clone());
        blocking(move || app.accounts().invitation(&token)).await
    };
    match found {
        Ok(info) => {
            let title = view.t("invitation_title");
            let main = html! {
                (ui::title_block(&title, None))
                (ui::sentence(&view.tp("invitation_text", &[("name", &info.name)])))
                p { (view.t("invitation_next")) }
                form method="post" action=(view.href(&format!("/invitations/{token}"))) {
                    (ui::submit(&view.t("invitation_accept"), true, None))
                }
            };
            view.page(&app, Content::new(title, main))
        }
        Err(error) => dead_link(&view, &app, &error),
    }
}

fn dead_link(view: &View, app: &App, error: &AccountError) -> Response {
    let text = format!("{} {}", view.wrong(error), view.t("invitation_ask"));
    view.problem(app, status(error), &view.t("invitation_dead"), &text)
}

pub(crate) async fn redeem(view: View, State(app): State<App>, Path(token): Path<String>, client: Client) -> Response {
    let done = {
        let app = app.clone();
        blocking(move || app.accounts().redeem(client.caller(), &token)).await
    };
    match done {
        Ok(signed) => enter(&view, &app, signed, &Onward::default()).await,
        Err(error) => dead_link(&view, &app, &error),
    }
}

/// The language of an account made on this page.
pub(crate) fn language(view: &View) -> Language {
    use crate::language::Language as Page;
    match view.language {
        Page::Hans => Language::ZhHans,
        Page::Hant => Language::ZhHant,
        Page::En => Language::En,
    }
}

/// A note that something went well.
pub(crate) fn done(text: &str) -> Markup {
    ui::note(Tone::Done, &html! { p role="status" { (text) } })
}
