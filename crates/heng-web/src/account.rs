//! My account: ways to sign in, signing keys, sessions, language and text size, tokens for programs.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use heng_app::account::{AccountError, Language, Scope};
use heng_app::desk::proposal;
use heng_domain::office::events::OfficeRole;
use heng_log::signature::PublicKey;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::Client;
use crate::signin::{Onward, blocking, done, enter, said, status};
use crate::ui::{self, Choose, Column, Field, FieldKind, Row, Tone};
use crate::view::{App, Content, Me, View};
use crate::words::instant;
use crate::work::log_name;

/// Minutes from UTC of the office.
pub(crate) fn offset(app: &App) -> i32 {
    app.heng().utc_offset_minutes()
}

/// The languages that somebody may read, each in its own words.
pub(crate) fn languages(view: &View) -> [Choose<'_>; 3] {
    [(Language::ZhHans, "language_hans"), (Language::ZhHant, "language_hant"), (Language::En, "language_en")]
        .map(|(language, key)| Choose::new(language.tag(), view.t(key)))
}

/// The language of a tag.
pub(crate) fn language_of(tag: &str) -> Option<Language> {
    [Language::ZhHans, Language::ZhHant, Language::En].into_iter().find(|language| language.tag() == tag)
}

pub(crate) fn is_officer(app: &App, me: &Me) -> bool {
    crate::outbox::officer(app, &me.subject)
}

/// A form that comes back: all that was typed, and what is wrong, with the id of the field where it is.
#[derive(Default)]
pub(crate) struct Again<T> {
    pub typed: T,
    wrong: Option<(String, String)>,
}

impl<T> Again<T> {
    /// `at` is empty where no field alone is to blame.
    pub(crate) fn new(typed: T, at: impl Into<String>, sentence: String) -> Again<T> {
        Again { typed, wrong: Some((at.into(), sentence)) }
    }

    /// Whether something is wrong.
    pub(crate) fn is_wrong(&self) -> bool {
        self.wrong.is_some()
    }

    /// The message at the field `id`.
    pub(crate) fn error(&self, id: &str) -> Option<ui::Text<'static>> {
        self.wrong.as_ref().filter(|(at, _)| at == id).map(|(_, sentence)| sentence.clone().into())
    }

    /// What is wrong, above everything else.
    pub(crate) fn summary(&self, view: &View) -> Markup {
        match &self.wrong {
            None => html! {},
            Some((at, sentence)) if at.is_empty() => stop(sentence),
            Some((at, sentence)) => {
                ui::error_summary(&view.t("errors_heading"), &[(at.as_str().into(), sentence.as_str().into())])
            }
        }
    }
}

/// A note that something is wrong.
pub(crate) fn stop(sentence: &str) -> Markup {
    ui::note(Tone::Stop, &html! { p role="alert" { (sentence) } })
}

/// The field of a form that an error is about; empty where it is about none.
pub(crate) fn place_of(error: &AccountError) -> &'static str {
    match error {
        AccountError::InvitationSubject | AccountError::AccountExists => "subject",
        AccountError::NameForm => "name",
        AccountError::EmailForm | AccountError::EmailTaken => "email",
        AccountError::PhoneForm => "phone",
        AccountError::ReasonForm => "reason",
        AccountError::PasswordShort { .. } | AccountError::PasswordLong => "password",
        AccountError::CodeWrong => "code",
        _ => "",
    }
}

pub(crate) async fn show(view: View, State(app): State<App>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    page(&view, &app, &me, StatusCode::OK, &html! {}, &Again::default()).await
}

async fn page(
    view: &View,
    app: &App,
    me: &std::sync::Arc<Me>,
    status: StatusCode,
    top: &Markup,
    again: &Again<Typed>,
) -> Response {
    let lists = {
        let (app, me) = (app.clone(), me.clone());
        blocking(move || {
            let sessions = app.accounts().sessions(&me.session)?;
            let tokens = app.accounts().tokens(&me.session)?;
            Ok((sessions, tokens))
        })
        .await
    };
    let (sessions, tokens) = match lists {
        Ok(lists) => lists,
        Err(error) => return said(view, &error),
    };
    let offset = offset(app);
    let title = view.t("account_title");
    let (languages, current) = (languages(view), me.session.account.language.tag());
    let preferences = html! {
        (ui::field(&Field::of("language", view.t("preference_language"), FieldKind::Radio { options: &languages, chosen: current.into() })))
        (ui::field(&Field::of("large", view.t("preference_large"), FieldKind::Checkbox { value: "yes".into(), checked: me.session.account.large_text })))
        (ui::submit(&view.t("save"), false, None))
    };
    let account = &me.session.account;
    let known = || Contact {
        email: account.email.clone().unwrap_or_default(),
        phone: account.phone.clone().unwrap_or_default(),
    };
    let Contact { email, phone } = again.typed.contact.clone().unwrap_or_else(known);
    let contact = html! {
        (ui::field(&Field::line("email", view.t("contact_email"), email).optional(view.t("optional")).error(again.error("email"))))
        (ui::field(&Field::of("phone", view.t("contact_phone"), FieldKind::Line { input_type: "tel", value: phone.into(), autocomplete: Some("tel") }).optional(view.t("optional")).error(again.error("phone"))))
        (ui::submit(&view.t("save"), false, None))
    };
    let session_rows: Vec<Row<'_>> = sessions
        .iter()
        .map(|s| {
            Row::new(vec![
                html! { (s.agent) @if s.current { " " (ui::status_tag(&view.t("session_this"), Tone::Done)) } },
                html! { (instant(view.lang, s.started, offset)) },
                html! { (instant(view.lang, s.last_seen, offset)) },
                html! { (ui::button_post(&view.t("session_end"), &view.href("/account/sessions/end"), &[("id".into(), s.id.as_str().into())])) },
            ])
        })
        .collect();
    let session_columns =
        ["session_agent", "session_started", "session_seen", "session_action"].map(|key| Column::text(view.t(key)));
    let token_rows: Vec<Row<'_>> = tokens
        .iter()
        .map(|t| {
            let scopes: Vec<String> =
                t.scopes.iter().map(|s| view.t(if *s == Scope::Read { "scope_read" } else { "scope_write" })).collect();
            Row::new(vec![
                html! { (t.name) },
                html! { (crate::words::list(view.lang, &scopes)) },
                html! { (instant(view.lang, t.expires, offset)) },
                html! { (ui::button_post(&view.t("token_revoke"), &view.href("/account/tokens/revoke"), &[("id".into(), t.id.as_str().into())])) },
            ])
        })
        .collect();
    let token_columns =
        ["token_name", "token_scopes", "token_expires", "session_action"].map(|key| Column::text(view.t(key)));
    let scopes = [Choose::new("read", view.t("scope_read")), Choose::new("write", view.t("scope_write"))];
    let token = &again.typed.token;
    let scope = if token.scope.is_empty() { "read" } else { token.scope.as_str() };
    let token_form = html! {
        (ui::field(&Field::line("name", view.t("token_name"), token.name.as_str()).error(again.error("name"))))
        (ui::field(&Field::of("scope", view.t("token_scopes"), FieldKind::Radio { options: &scopes, chosen: scope.into() }).error(again.error("scope"))))
        (ui::submit(&view.t("token_make"), false, None))
    };
    let main = html! {
        (ui::title_block(&title, Some(&me.session.account.name)))
        (ui::sentence(&view.tp("account_text", &[("handle", &me.subject)])))
        (top)
        (again.summary(view))
        p { a.button href=(view.href("/account/keys")) { (view.t("keys_link")) } }
        @if is_officer(app, me) || me.session.account.admin {
            p { a.button href=(view.href("/account/people")) { (view.t("people_link")) } }
        }
        section { h2 { (view.t("contact")) } p { (view.t("contact_text")) } (ui::form(&ui::Form { action: view.href("/account/contact").into(), ..ui::Form::default() }, &contact)) }
        section { h2 { (view.t("preferences")) } (ui::form(&ui::Form { action: view.href("/account/preferences").into(), ..ui::Form::default() }, &preferences)) }
        section {
            h2 { (view.t("sessions")) }
            (ui::table(&view.t("sessions"), &session_columns, &session_rows, &html! {}))
            (ui::button_post(&view.t("sign_out_everywhere"), &view.href("/account/sessions/all"), &[]))
        }
        section {
            h2 { (view.t("tokens")) }
            p { (view.t("tokens_text")) }
            (ui::table(&view.t("tokens"), &token_columns, &token_rows, &html! {}))
            details.more open[again.is_wrong()] { summary { (view.t("token_new")) } (ui::form(&ui::Form { action: view.href("/account/tokens").into(), ..ui::Form::default() }, &token_form)) }
        }
    };
    view.page_with(app, status, Content::new(title, main))
}

/// The same page with what went wrong.
async fn wrong(view: &View, app: &App, me: &std::sync::Arc<Me>, error: &AccountError) -> Response {
    page(view, app, me, status(error), &stop(&view.wrong(error)), &Again::default()).await
}

#[derive(Deserialize)]
pub(crate) struct Preferences {
    language: Language,
    #[serde(default)]
    large: String,
}

pub(crate) async fn preferences(view: View, State(app): State<App>, Form(form): Form<Preferences>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let language = form.language;
    let saved = {
        let (app, me) = (app.clone(), me.clone());
        blocking(move || app.accounts().set_preferences(&me.session, form.language, !form.large.is_empty())).await
    };
    match saved {
        Ok(()) => Redirect::to(&format!("/{}account", language.prefix())).into_response(),
        Err(error) => wrong(&view, &app, &me, &error).await,
    }
}

#[derive(Deserialize)]
pub(crate) struct Named {
    id: String,
}

pub(crate) async fn end_session(view: View, State(app): State<App>, Form(form): Form<Named>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let ended = {
        let (app, me) = (app.clone(), me.clone());
        blocking(move || app.accounts().end_session(&me.session, &form.id)).await
    };
    match ended {
        Ok(()) => Redirect::to(&view.href("/account")).into_response(),
        Err(error) => wrong(&view, &app, &me, &error).await,
    }
}

pub(crate) async fn end_all(view: View, State(app): State<App>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let ended = {
        let (app, me) = (app.clone(), me.clone());
        blocking(move || app.accounts().sign_out_everywhere(&me.session)).await
    };
    match ended {
        Ok(()) => Redirect::to(&view.href("/sign-in")).into_response(),
        Err(error) => wrong(&view, &app, &me, &error).await,
    }
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NewToken {
    name: String,
    scope: String,
}

/// How somebody is reached.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Contact {
    email: String,
    phone: String,
}

/// What was typed last on the page of an account.
#[derive(Clone, Default)]
struct Typed {
    token: NewToken,
    contact: Option<Contact>,
}

/// Sets mail address and telephone: both or, where one is wrong, neither.
pub(crate) async fn contact(view: View, State(app): State<App>, Form(form): Form<Contact>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let saved = {
        let (app, me, form) = (app.clone(), me.clone(), form.clone());
        blocking(move || {
            let accounts = app.accounts();
            accounts.check_phone(&form.phone)?;
            let before = me.session.account.email.as_deref().unwrap_or_default();
            if form.email.trim() != before {
                app.notify(&accounts.set_email(&me.session, &form.email)?);
            }
            accounts.set_phone(&me.session, &form.phone)
        })
        .await
    };
    let typed = Typed { contact: Some(form), ..Typed::default() };
    match saved {
        Ok(()) => {
            let again = Again { typed, wrong: None };
            page(&view, &app, &me, StatusCode::OK, &done(&view.t("contact_saved")), &again).await
        }
        Err(error) => {
            let again = Again::new(typed, place_of(&error), view.wrong(&error));
            page(&view, &app, &me, status(&error), &html! {}, &again).await
        }
    }
}

pub(crate) async fn make_token(view: View, State(app): State<App>, Form(form): Form<NewToken>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let scopes = match form.scope.as_str() {
        "read" => BTreeSet::from([Scope::Read]),
        "write" => BTreeSet::from([Scope::Read, Scope::Write]),
        _ => {
            let again = Again::new(Typed { token: form, ..Typed::default() }, "scope", view.t("error_choose"));
            return page(&view, &app, &me, StatusCode::UNPROCESSABLE_ENTITY, &html! {}, &again).await;
        }
    };
    let made = {
        let (app, me, name) = (app.clone(), me.clone(), form.name.clone());
        blocking(move || app.accounts().make_token(&me.session, &name, scopes, 90)).await
    };
    match made {
        Ok(token) => {
            let note =
                html! { p role="status" { (view.t("token_shown")) } p { code.secret { (token.token.expose()) } } };
            page(&view, &app, &me, StatusCode::OK, &ui::note(Tone::Done, &note), &Again::default()).await
        }
        Err(error) => {
            let token = Typed { token: form, ..Typed::default() };
            let again = Again::new(token, place_of(&error), view.wrong(&error));
            page(&view, &app, &me, status(&error), &html! {}, &again).await
        }
    }
}

pub(crate) async fn revoke_token(view: View, State(app): State<App>, Form(form): Form<Named>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let revoked = {
        let (app, me) = (app.clone(), me.clone());
        blocking(move || app.accounts().revoke_token(&me.session, &form.id)).await
    };
    match revoked {
        Ok(()) => Redirect::to(&view.href("/account")).into_response(),
        Err(error) => wrong(&view, &app, &me, &error).await,
    }
}

// ── keys ───────────────────────────────────────────────────────────────────────────────────────────────

/// Where a signing key may be offered: the office for people, an edition for an expert's pseudonym.
struct Offer {
    log: String,
    known: Option<PublicKey>,
    offered: Option<PublicKey>,
    /// Whether a key that the browser keeps counts here.
    browser: bool,
}

fn offers(app: &App, me: &Me) -> Vec<Offer> {
    let Some(office_log) = app.heng().office_log() else { return Vec::new() };
    let now = app.heng().clock().now();
    let offered =
        |log: &str| proposal::offered_keys(app.heng(), log).ok().and_then(|mut keys| keys.remove(&me.subject));
    let (known, expert) = {
        let image = office_log.image();
        let Some(office) = image.state.office() else { return Vec::new() };
        let Some(person) = office.people.get(&me.subject) else { return Vec::new() };
        let known = person.key().map(|key| key.public.clone());
        (known, office.holds(&me.subject, OfficeRole::Expert, office.day(now)))
    };
    let log = office_log.id();
    let mut out = vec![Offer { log: log.to_owned(), known, offered: offered(log), browser: true }];
    for log in app.heng().editions().into_iter().filter(|_| expert) {
        let image = log.image();
        let Some(edition) = image.state.edition().filter(|e| !e.closed) else { continue };
        let handle = heng_app::desk::EditionDesk::handle_in(edition, &me.subject);
        let known = handle.and_then(|handle| edition.seats.get(&handle)).and_then(|seat| seat.key.clone());
        let browser = edition.rules().passkeys_only.as_ref().is_none_or(|only| !only.value);
        out.push(Offer { log: log.id().to_owned(), known, offered: offered(log.id()), browser });
    }
    out
}

pub(crate) async fn keys(view: View, State(app): State<App>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    keys_page(&view, &app, &me, StatusCode::OK, &html! {}, &Again::default())
}

fn keys_page(view: &View, app: &App, me: &Me, status: StatusCode, top: &Markup, again: &Again<()>) -> Response {
    let title = view.t("keys_title");
    let account = &me.session.account;
    let offset = offset(app);
    let rows: Vec<Row<'_>> = account
        .passkeys
        .iter()
        .map(|key| {
            let id = URL_SAFE_NO_PAD.encode(key.credential_id());
            Row::new(vec![
                html! { (key.label) },
                html! { (instant(view.lang, key.added, offset)) },
                html! { (ui::button_post(&view.t("passkey_remove"), &view.href("/account/passkeys/remove"), &[("id".into(), id.into())])) },
            ])
        })
        .collect();
    let columns = ["passkey_label", "passkey_added", "session_action"].map(|key| Column::text(view.t(key)));
    let password = html! {
        (ui::field(&Field::of("password", view.t("new_password"), FieldKind::Line { input_type: "password", value: "".into(), autocomplete: Some("new-password") }).hint(view.t("new_password_hint")).error(again.error("password"))))
        (ui::submit(&view.t("password_begin"), false, None))
    };
    let main = html! {
        (ui::title_block(&title, Some(&account.name)))
        (ui::sentence(&view.t(if account.enrolled() { "keys_text" } else { "keys_first" })))
        (top)
        (again.summary(view))
        section {
            h2 { (view.t("passkeys")) }
            (ui::table(&view.t("passkeys"), &columns, &rows, &ui::empty_state(&view.t("passkeys_none"), None)))
            form #passkey method="post" action=(view.href("/account/passkeys")) data-mode="create"
                data-begin=(view.href("/account/passkeys/begin")) data-onward="" data-cancelled=(view.t("sign_cancelled")) {
                (ui::field(&Field::line("label", view.t("passkey_label"), view.t("passkey_label_default"))))
                (ui::submit(&view.t("passkey_add"), account.passkeys.is_empty(), None))
                p #passkey-status role="status" {}
                noscript { p { (view.t("sign_script")) } }
            }
        }
        section {
            h2 { (view.t("password_heading")) }
            p { (view.t("password_text")) }
            details.more open[again.is_wrong()] { summary { (view.t("password_set")) } (ui::form(&ui::Form { action: view.href("/account/password").into(), ..ui::Form::default() }, &password)) }
        }
        @if app.oidc().is_some() {
            section { h2 { (view.t("provider_heading")) } p { a.button href=(view.href("/sign-in/provider")) { (view.t("provider_bind")) } } }
        }
        @for offer in offers(app, me) { (offer_section(view, app, me, &offer)) }
    };
    view.page_with(app, status, Content { script: Some("passkey.js"), ..Content::new(title, main) })
}

fn offer_section(view: &View, app: &App, me: &Me, offer: &Offer) -> Markup {
    let account = &me.session.account;
    let passkeys: Vec<Choose<'_>> = account
        .passkeys
        .iter()
        .map(|k| Choose::new(URL_SAFE_NO_PAD.encode(k.credential_id()), k.label.as_str()))
        .collect();
    let action = view.href("/account/keys/offer");
    let with_passkey = html! {
        input type="hidden" name="log" value=(offer.log);
        (ui::field(&Field { id: format!("cred-{}", offer.log.replace(['/', '.'], "-")).into(), ..Field::of("credential", view.t("offer_which"), FieldKind::Select { options: &passkeys, chosen: "".into() }) }))
        (ui::submit(&view.t("offer_passkey"), false, None))
    };
    html! {
        section {
            h2 { (view.tp("signing_key", &[("log", log_name(app, &offer.log).get(view.lang))])) }
            @match (&offer.known, &offer.offered) {
                (Some(known), _) => p { (ui::status_tag(&view.t("key_counts"), Tone::Done)) " " code { (known.fingerprint()) } },
                (None, Some(offered)) => p { (ui::status_tag(&view.t("key_offered"), Tone::Due)) " " code { (offered.fingerprint()) } " " (view.t("key_offered_text")) },
                (None, None) => p { (view.t("key_none")) },
            }
            details.more open[offer.known.is_none() && offer.offered.is_none()] {
                summary { (view.t("offer_summary")) }
                @if passkeys.is_empty() { p { (view.t("offer_needs_passkey")) } }
                @else { (ui::form(&ui::Form { action: action.clone().into(), ..ui::Form::default() }, &with_passkey)) }
                @if offer.browser {
                    form.browser-key method="post" action=(action) data-made=(view.t("browser_key_made")) data-failed=(view.t("browser_key_failed")) {
                        input type="hidden" name="log" value=(offer.log);
                        input type="hidden" name="public" value="";
                        p { (view.t("browser_key_text")) }
                        button.button type="submit" { (view.t("browser_key_make")) }
                        p.browser-key-status role="status" {}
                    }
                }
            }
            form.import-key data-done=(view.t("import_done")) data-failed=(view.t("import_failed")) {
                details.more {
                    summary { (view.t("import_key")) }
                    p { (view.t("import_key_text")) }
                    label for=(format!("seed-{}", offer.log.replace(['/', '.'], "-"))) { (view.t("import_key_label")) }
                    input type="password" id=(format!("seed-{}", offer.log.replace(['/', '.'], "-"))) name="seed" autocomplete="off";
                    button.button type="submit" { (view.t("import_key_button")) }
                    p.import-key-status role="status" {}
                }
            }
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct OfferForm {
    log: String,
    #[serde(default)]
    credential: String,
    #[serde(default)]
    public: String,
}

/// Offers a key: a passkey of this account, or the public half of one that the browser made.
pub(crate) async fn offer(view: View, State(app): State<App>, Form(form): Form<OfferForm>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    if !offers(&app, &me).iter().any(|offer| offer.log == form.log) {
        return view.missing(&app);
    }
    let key: Option<PublicKey> = if form.credential.is_empty() {
        form.public.parse().ok().filter(|key: &PublicKey| key.rp().is_none())
    } else {
        let id = URL_SAFE_NO_PAD.decode(&form.credential).unwrap_or_default();
        let own = me.session.account.passkeys.iter().find(|key| key.credential_id() == id.as_slice());
        own.and_then(|key| key.public_key(app.rp_id()).ok())
    };
    let Some(key) = key else {
        let note = stop(&view.t("offer_wrong"));
        return keys_page(&view, &app, &me, StatusCode::UNPROCESSABLE_ENTITY, &note, &Again::default());
    };
    let offered = {
        let (app, me) = (app.clone(), me.clone());
        tokio::task::spawn_blocking(move || proposal::offer_key(app.heng(), &form.log, &me.subject, &key)).await
    };
    match offered {
        Ok(Ok(())) => Redirect::to(&view.href("/account/keys")).into_response(),
        Ok(Err(error)) => view.failure(&app, &error),
        Err(_) => view.missing(&app),
    }
}

pub(crate) async fn begin_passkey(view: View, State(app): State<App>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let begun = {
        let app = app.clone();
        blocking(move || app.accounts().begin_passkey(&me.session)).await
    };
    match begun {
        Ok(ceremony) => Json(json!({ "id": ceremony.id, "options": ceremony.options })).into_response(),
        Err(error) => said(&view, &error),
    }
}

#[derive(Deserialize)]
pub(crate) struct Registered {
    id: String,
    answer: Value,
    #[serde(default)]
    label: String,
}

pub(crate) async fn finish_passkey(
    view: View,
    State(app): State<App>,
    client: Client,
    Json(form): Json<Registered>,
) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let label = if form.label.trim().is_empty() { view.t("passkey_label_default") } else { form.label };
    let finished = {
        let app = app.clone();
        blocking(move || app.accounts().finish_passkey(client.caller(), &me.session, &form.id, &label, &form.answer))
            .await
    };
    match finished {
        Ok(enrolled) => {
            app.notify(&enrolled.notice);
            let to = view.href("/account/keys");
            let mut out = Json(json!({ "to": to })).into_response();
            if let Some(signed) = enrolled.signed_in {
                let cookie = app.cookie(Some(signed.token.expose()));
                if let Ok(cookie) = cookie.parse() {
                    out.headers_mut().insert(axum::http::header::SET_COOKIE, cookie);
                }
            }
            out
        }
        Err(error) => said(&view, &error),
    }
}

pub(crate) async fn remove_passkey(view: View, State(app): State<App>, Form(form): Form<Named>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let removed = {
        let (app, me) = (app.clone(), me.clone());
        let id = URL_SAFE_NO_PAD.decode(&form.id).unwrap_or_default();
        blocking(move || app.accounts().remove_passkey(&me.session, &id)).await
    };
    match removed {
        Ok(()) => Redirect::to(&view.href("/account/keys")).into_response(),
        Err(error) => keys_page(&view, &app, &me, status(&error), &stop(&view.wrong(&error)), &Again::default()),
    }
}

#[derive(Deserialize)]
pub(crate) struct Password {
    password: String,
}

/// The new password waits for the first code of the app, which shows that the secret arrived there.
pub(crate) async fn password(view: View, State(app): State<App>, Form(form): Form<Password>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let begun = {
        let (app, me) = (app.clone(), me.clone());
        blocking(move || app.accounts().begin_password(&me.session, &form.password)).await
    };
    match begun {
        Ok(setup) => {
            let secret = html! {
                (ui::sentence(&view.t("totp_text")))
                (ui::qr_svg(setup.expose_address(), &view.t("totp_qr")))
                p { (view.t("totp_secret")) " " code.secret { (setup.expose_secret()) } }
            };
            let asked = Again { typed: Code { setup: setup.id, code: String::new() }, wrong: None };
            code_page(&view, &app, StatusCode::OK, &secret, &asked)
        }
        Err(error) => {
            let again = Again::new((), place_of(&error), view.wrong(&error));
            keys_page(&view, &app, &me, status(&error), &html! {}, &again)
        }
    }
}

#[derive(Clone, Deserialize)]
pub(crate) struct Code {
    setup: String,
    #[serde(default)]
    code: String,
}

/// Asks for the first code; `secret` is shown once only.
fn code_page(view: &View, app: &App, status: StatusCode, secret: &Markup, again: &Again<Code>) -> Response {
    let title = view.t("password_heading");
    let code = FieldKind::Line {
        input_type: "text",
        value: again.typed.code.as_str().into(),
        autocomplete: Some("one-time-code"),
    };
    let form = html! {
        input type="hidden" name="setup" value=(again.typed.setup);
        (ui::field(&Field::of("code", view.t("login_code"), code).error(again.error("code"))))
        (ui::submit(&view.t("password_finish"), true, None))
    };
    let main = html! {
        (ui::title_block(&title, None))
        (again.summary(view))
        (secret)
        (ui::form(&ui::Form { action: view.href("/account/password/finish").into(), ..ui::Form::default() }, &form))
        p { a href=(view.href("/account/keys")) { (view.t("keys_link")) } }
    };
    view.page_with(app, status, Content::new(title, main))
}

pub(crate) async fn finish_password(
    view: View,
    State(app): State<App>,
    client: Client,
    Form(form): Form<Code>,
) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let finished = {
        let (app, me, form) = (app.clone(), me.clone(), form.clone());
        blocking(move || app.accounts().finish_password(client.caller(), &me.session, &form.setup, &form.code)).await
    };
    match finished {
        Ok(enrolled) => {
            app.notify(&enrolled.notice);
            match enrolled.signed_in {
                Some(signed) => enter(&view, &app, signed, &Onward::default()).await,
                None => keys_page(&view, &app, &me, StatusCode::OK, &done(&view.t("password_done")), &Again::default()),
            }
        }
        // The app has the secret already: another code is all that is needed.
        Err(error @ AccountError::CodeWrong) => {
            code_page(&view, &app, status(&error), &html! {}, &Again::new(form, "code", view.wrong(&error)))
        }
        Err(error) => keys_page(&view, &app, &me, status(&error), &stop(&view.wrong(&error)), &Again::default()),
    }
}
