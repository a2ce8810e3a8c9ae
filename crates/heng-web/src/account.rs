//! My account: ways to sign in, signing keys, sessions, language and text size, tokens for programs; invitations by officers.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use heng_app::account::{AccountError, By, Invite, Language, Scope, Subject};
use heng_app::desk::proposal;
use heng_domain::office::events::OfficeRole;
use heng_log::signature::PublicKey;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::signin::{Onward, blocking, done, enter, said, status};
use crate::ui::{self, Choose, Column, Field, FieldKind, Row, Tone};
use crate::view::{App, Content, Me, View, caller};
use crate::words::instant;
use crate::work::log_name;

/// Minutes from UTC of the office.
pub(crate) fn offset(app: &App) -> i32 {
    let log = app.heng().office_log();
    log.and_then(|log| log.image().state.office().map(|o| o.founded.utc_offset_minutes)).unwrap_or(0)
}

pub(crate) fn is_officer(app: &App, me: &Me) -> bool {
    let Some(log) = app.heng().office_log() else { return false };
    let now = app.heng().clock().now();
    let image = log.image();
    image.state.office().is_some_and(|o| o.holds(&me.subject, OfficeRole::Officer, o.day(now)))
}

pub(crate) async fn show(view: View, State(app): State<App>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    page(&view, &app, &me, StatusCode::OK, &html! {}).await
}

async fn page(view: &View, app: &App, me: &std::sync::Arc<Me>, status: StatusCode, top: &Markup) -> Response {
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
    let languages = [("zh-Hans", "language_hans"), ("zh-Hant", "language_hant"), ("en", "language_en")]
        .map(|(tag, key)| Choose::new(tag, view.t(key)));
    let current = serde_json::to_value(me.session.account.language).unwrap_or_default();
    let current = current.as_str().unwrap_or_default().to_owned();
    let preferences = html! {
        (ui::field(&Field::of("language", view.t("preference_language"), FieldKind::Radio { options: &languages, chosen: current.into() })))
        (ui::field(&Field::of("large", view.t("preference_large"), FieldKind::Checkbox { value: "yes".into(), checked: me.session.account.large_text })))
        (ui::submit(&view.t("go_save"), false, None))
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
    let token_form = html! {
        (ui::field(&Field::line("name", view.t("token_name"), "")))
        (ui::field(&Field::of("scope", view.t("token_scopes"), FieldKind::Radio { options: &scopes, chosen: "read".into() })))
        (ui::submit(&view.t("token_make"), false, None))
    };
    let main = html! {
        (ui::title_block(&title, Some(&me.session.account.name)))
        (ui::sentence(&view.tp("account_text", &[("handle", &me.subject)])))
        (top)
        p { a.button href=(view.href("/account/keys")) { (view.t("keys_link")) } }
        @if is_officer(app, me) || me.session.account.admin {
            p { a.button href=(view.href("/account/people")) { (view.t("people_link")) } }
        }
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
            details.more { summary { (view.t("token_new")) } (ui::form(&ui::Form { action: view.href("/account/tokens").into(), ..ui::Form::default() }, &token_form)) }
        }
    };
    view.page_with(app, status, Content::new(title, main))
}

/// The same page with what went wrong.
async fn wrong(view: &View, app: &App, me: &std::sync::Arc<Me>, error: &AccountError) -> Response {
    let text = html! { p role="alert" { (view.wrong(error)) } };
    page(view, app, me, status(error), &ui::note(Tone::Stop, &text)).await
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
    let to = match language {
        Language::En => "/en/account",
        Language::ZhHant => "/hant/account",
        Language::ZhHans => "/account",
    };
    match saved {
        Ok(()) => Redirect::to(to).into_response(),
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

#[derive(Deserialize)]
pub(crate) struct NewToken {
    name: String,
    scope: Scope,
}

pub(crate) async fn make_token(view: View, State(app): State<App>, Form(form): Form<NewToken>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let made = {
        let (app, me) = (app.clone(), me.clone());
        blocking(move || {
            let mut scopes = BTreeSet::from([Scope::Read]);
            scopes.insert(form.scope);
            app.accounts().make_token(&me.session, &form.name, scopes, 90)
        })
        .await
    };
    match made {
        Ok(token) => {
            let note =
                html! { p role="status" { (view.t("token_shown")) } p { code.secret { (token.token.expose()) } } };
            page(&view, &app, &me, StatusCode::OK, &ui::note(Tone::Done, &note)).await
        }
        Err(error) => wrong(&view, &app, &me, &error).await,
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
    let mut out = vec![Offer { log: office_log.id().to_owned(), known, offered: offered(office_log.id()) }];
    for log in app.heng().editions().into_iter().filter(|_| expert) {
        let known = {
            let image = log.image();
            let Some(edition) = image.state.edition().filter(|e| !e.closed) else { continue };
            let handle = heng_app::desk::EditionDesk::handle_in(edition, &me.subject);
            handle.and_then(|handle| edition.seats.get(&handle)).and_then(|seat| seat.key.clone())
        };
        out.push(Offer { log: log.id().to_owned(), known, offered: offered(log.id()) });
    }
    out
}

pub(crate) async fn keys(view: View, State(app): State<App>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    keys_page(&view, &app, &me, StatusCode::OK, &html! {})
}

fn keys_page(view: &View, app: &App, me: &Me, status: StatusCode, top: &Markup) -> Response {
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
        (ui::field(&Field::of("password", view.t("new_password"), FieldKind::Line { input_type: "password", value: "".into(), autocomplete: Some("new-password") }).hint(view.t("new_password_hint"))))
        (ui::submit(&view.t("password_begin"), false, None))
    };
    let main = html! {
        (ui::title_block(&title, Some(&account.name)))
        (ui::sentence(&view.t(if account.enrolled() { "keys_text" } else { "keys_first" })))
        (top)
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
            details.more { summary { (view.t("password_set")) } (ui::form(&ui::Form { action: view.href("/account/password").into(), ..ui::Form::default() }, &password)) }
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
                form.browser-key method="post" action=(action) data-made=(view.t("browser_key_made")) data-failed=(view.t("browser_key_failed")) {
                    input type="hidden" name="log" value=(offer.log);
                    input type="hidden" name="public" value="";
                    p { (view.t("browser_key_text")) }
                    button.button type="submit" { (view.t("browser_key_make")) }
                    p.browser-key-status role="status" {}
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
        own.and_then(|key| PublicKey::passkey(app.rp_id(), &key.public_point()).ok())
    };
    let Some(key) = key else {
        let note = ui::note(Tone::Stop, &html! { p role="alert" { (view.t("offer_wrong")) } });
        return keys_page(&view, &app, &me, StatusCode::UNPROCESSABLE_ENTITY, &note);
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
    headers: HeaderMap,
    Json(form): Json<Registered>,
) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let label = if form.label.trim().is_empty() { view.t("passkey_label_default") } else { form.label };
    let finished = {
        let app = app.clone();
        blocking(move || app.accounts().finish_passkey(caller(&headers), &me.session, &form.id, &label, &form.answer))
            .await
    };
    match finished {
        Ok(enrolled) => {
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
        Err(error) => {
            let note = ui::note(Tone::Stop, &html! { p role="alert" { (view.wrong(&error)) } });
            keys_page(&view, &app, &me, status(&error), &note)
        }
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
            let title = view.t("password_heading");
            let code = html! {
                input type="hidden" name="setup" value=(setup.id);
                (ui::field(&Field::of("code", view.t("login_code"), FieldKind::Line { input_type: "text", value: "".into(), autocomplete: Some("one-time-code") })))
                (ui::submit(&view.t("password_finish"), true, None))
            };
            let main = html! {
                (ui::title_block(&title, None))
                (ui::sentence(&view.t("totp_text")))
                (ui::qr_svg(setup.expose_address(), &view.t("totp_qr")))
                p { (view.t("totp_secret")) " " code.secret { (setup.expose_secret()) } }
                (ui::form(&ui::Form { action: view.href("/account/password/finish").into(), ..ui::Form::default() }, &code))
            };
            view.page(&app, Content::new(title, main))
        }
        Err(error) => {
            let note = ui::note(Tone::Stop, &html! { p role="alert" { (view.wrong(&error)) } });
            keys_page(&view, &app, &me, status(&error), &note)
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Code {
    setup: String,
    code: String,
}

pub(crate) async fn finish_password(
    view: View,
    State(app): State<App>,
    headers: HeaderMap,
    Form(form): Form<Code>,
) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let finished = {
        let (app, me) = (app.clone(), me.clone());
        blocking(move || app.accounts().finish_password(caller(&headers), &me.session, &form.setup, &form.code)).await
    };
    match finished {
        Ok(enrolled) => match enrolled.signed_in {
            Some(signed) => enter(&view, &app, signed, &Onward::default()).await,
            None => keys_page(&view, &app, &me, StatusCode::OK, &done(&view.t("password_done"))),
        },
        Err(error) => {
            let note = ui::note(Tone::Stop, &html! { p role="alert" { (view.wrong(&error)) } });
            keys_page(&view, &app, &me, status(&error), &note)
        }
    }
}

// ── people: invitations and recovery ───────────────────────────────────────────────────────────────────

pub(crate) async fn people(view: View, State(app): State<App>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    people_page(&view, &app, &me, StatusCode::OK, &html! {}).await
}

/// People and firms that can be invited.
fn subjects(app: &App, me: &Me) -> Vec<(String, String)> {
    let Some(log) = app.heng().office_log() else { return Vec::new() };
    let image = log.image();
    let Some(office) = image.state.office() else { return Vec::new() };
    let firm = |id: &String| office.organisations.get(id).map(|(_, o)| o.name.zh.clone()).unwrap_or_default();
    if me.subject.starts_with("o:") {
        return vec![(me.subject.clone(), firm(&me.subject))];
    }
    let people = office.people.iter().map(|(id, p)| (id.clone(), p.name.clone().unwrap_or_else(|| id.clone())));
    let firms = office.organisations.iter().filter(|(_, (_, o))| o.uscc.is_some());
    people.chain(firms.map(|(id, (_, o))| (id.clone(), o.name.zh.clone()))).collect()
}

async fn people_page(view: &View, app: &App, me: &std::sync::Arc<Me>, status: StatusCode, top: &Markup) -> Response {
    let lists = {
        let (app, me) = (app.clone(), me.clone());
        blocking(move || {
            let by = By::Session(&me.session);
            let recoveries = app.accounts().recoveries(&me.session).unwrap_or_default();
            Ok((app.accounts().invitations(by)?, app.accounts().accounts(by)?, recoveries))
        })
        .await
    };
    let (invitations, accounts, recoveries) = match lists {
        Ok(lists) => lists,
        Err(error) => return wrong(view, app, me, &error).await,
    };
    if !is_officer(app, me) && !me.session.account.admin {
        return view.problem(app, StatusCode::FORBIDDEN, &view.t("not_yours_title"), &view.t("not_yours_text"));
    }
    let offset = offset(app);
    let title = view.t("people_title");
    let names = subjects(app, me);
    let choices: Vec<Choose<'_>> =
        names.iter().map(|(id, name)| Choose::new(id.as_str(), format!("{name} · {id}"))).collect();
    let form = html! {
        (ui::field(&Field::of("subject", view.t("invite_subject"), FieldKind::Select { options: &choices, chosen: "".into() })))
        (ui::field(&Field::line("name", view.t("invite_name"), "")))
        (ui::field(&Field::line("email", view.t("invite_email"), "").optional(view.t("optional"))))
        (ui::field(&Field::of("admin", view.t("invite_admin"), FieldKind::Checkbox { value: "yes".into(), checked: false })))
        (ui::submit(&view.t("invite_button"), true, None))
    };
    let state = |i: &heng_app::account::InvitationInfo| {
        use heng_app::account::InvitationState as S;
        match i.state {
            S::Valid => ("invitation_valid", Tone::Due),
            S::Used(_) => ("invitation_used", Tone::Done),
            S::Expired(_) => ("invitation_expired", Tone::Stop),
            S::Withdrawn(_) => ("invitation_withdrawn", Tone::Stop),
        }
    };
    let invitation_rows: Vec<Row<'_>> = invitations
        .iter()
        .map(|i| {
            let (key, tone) = state(i);
            Row::new(vec![
                html! { (i.name) " · " (i.subject.handle()) },
                html! { (instant(view.lang, i.expires, offset)) },
                ui::status_tag(&view.t(key), tone),
            ])
        })
        .collect();
    let account_rows: Vec<Row<'_>> = accounts
        .iter()
        .map(|a| {
            Row::new(vec![
                html! { (a.name) " · " (a.subject.handle()) },
                html! { (ui::status_tag(&view.t(if a.disabled.is_some() { "account_off" } else { "account_on" }), if a.disabled.is_some() { Tone::Stop } else { Tone::Done })) },
                html! {
                    form.inline method="post" action=(view.href("/account/people/recover")) {
                        input type="hidden" name="account" value=(a.id);
                        input type="text" name="reason" aria-label=(view.t("recover_reason")) placeholder=(view.t("recover_reason"));
                        button.button type="submit" { (view.t("recover_propose")) }
                    }
                },
            ])
        })
        .collect();
    let columns = ["account_column", "invitation_until", "state_column"].map(|key| Column::text(view.t(key)));
    let account_columns = ["account_column", "state_column", "session_action"].map(|key| Column::text(view.t(key)));
    let main = html! {
        (ui::title_block(&title, None))
        (ui::sentence(&view.t("people_text")))
        (top)
        @if !recoveries.is_empty() {
            section {
                h2 { (view.t("recoveries")) }
                ul.register { @for r in &recoveries { li {
                    span.register-name { (r.reason) }
                    p.register-details { (r.account) }
                    (ui::button_post(&view.t("recover_confirm"), &view.href("/account/people/confirm"), &[("id".into(), r.id.as_str().into())]))
                } } }
            }
        }
        section { h2 { (view.t("invite")) } (ui::form(&ui::Form { action: view.href("/account/people").into(), ..ui::Form::default() }, &form)) }
        section { h2 { (view.t("invitations")) } (ui::table(&view.t("invitations"), &columns, &invitation_rows, &ui::empty_state(&view.t("invitations_none"), None))) }
        section { h2 { (view.t("accounts")) } (ui::table(&view.t("accounts"), &account_columns, &account_rows, &html! {})) }
    };
    view.page_with(app, status, Content { wide: true, ..Content::new(title, main) })
}

#[derive(Deserialize)]
pub(crate) struct InviteForm {
    subject: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    admin: String,
}

fn link_note(view: &View, app: &App, token: &str) -> Markup {
    let link = format!("{}{}", app.origin(), view.href(&format!("/invitations/{token}")));
    ui::note(
        Tone::Done,
        &html! { p role="status" { (view.t("invite_link")) } p { code.secret #invitation-link { (link) } } },
    )
}

pub(crate) async fn invite(view: View, State(app): State<App>, Form(form): Form<InviteForm>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let issued = {
        let (app, me) = (app.clone(), me.clone());
        blocking(move || {
            let subject = if form.subject.starts_with("o:") {
                Subject::Organisation(form.subject)
            } else {
                Subject::Person(form.subject)
            };
            let email = form.email.trim();
            let mut invite = Invite::new(subject, &form.name, (!email.is_empty()).then_some(email));
            invite.admin = !form.admin.is_empty();
            app.accounts().invite(By::Session(&me.session), &invite)
        })
        .await
    };
    match issued {
        Ok(issued) => {
            people_page(&view, &app, &me, StatusCode::OK, &link_note(&view, &app, issued.token.expose())).await
        }
        Err(error) => {
            let note = ui::note(Tone::Stop, &html! { p role="alert" { (view.wrong(&error)) } });
            people_page(&view, &app, &me, status(&error), &note).await
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Recover {
    account: String,
    #[serde(default)]
    reason: String,
}

pub(crate) async fn recover(view: View, State(app): State<App>, Form(form): Form<Recover>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let proposed = {
        let (app, me) = (app.clone(), me.clone());
        blocking(move || app.accounts().propose_recovery(By::Session(&me.session), &form.account, &form.reason)).await
    };
    let (code, note) = match proposed {
        Ok(_) => (StatusCode::OK, done(&view.t("recover_proposed"))),
        Err(error) => (status(&error), ui::note(Tone::Stop, &html! { p role="alert" { (view.wrong(&error)) } })),
    };
    people_page(&view, &app, &me, code, &note).await
}

pub(crate) async fn confirm_recovery(view: View, State(app): State<App>, Form(form): Form<Named>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let confirmed = {
        let (app, me) = (app.clone(), me.clone());
        blocking(move || app.accounts().confirm_recovery(&me.session, &form.id)).await
    };
    let (code, note) = match confirmed {
        Ok(recovered) => (StatusCode::OK, link_note(&view, &app, recovered.invitation.token.expose())),
        Err(error) => (status(&error), ui::note(Tone::Stop, &html! { p role="alert" { (view.wrong(&error)) } })),
    };
    people_page(&view, &app, &me, code, &note).await
}
