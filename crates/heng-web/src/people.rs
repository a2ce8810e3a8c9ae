//! Accounts of others: invitations by officers and firms, and recovery by two officers.

use std::sync::Arc;

use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::Response;
use heng_app::account::{By, Invite, Issued, Language, Subject};
use heng_app::outbox::{MessageId, Template, To};
use heng_domain::text::Lang;
use maud::{Markup, html};
use serde::Deserialize;

use crate::account::{Again, is_officer, language_of, languages, offset, place_of, stop};
use crate::signin::{blocking, done, said, status};
use crate::ui::{self, Choose, Column, Field, FieldKind, Row, Tone};
use crate::view::{App, Content, Me, View};
use crate::words::instant;

pub(crate) async fn show(view: View, State(app): State<App>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    page(&view, &app, &me, StatusCode::OK, &html! {}, &Again::default()).await
}

/// People and firms that can be invited.
fn subjects(app: &App, me: &Me, lang: Lang) -> Vec<(String, String)> {
    let Some(log) = app.heng().office_log() else { return Vec::new() };
    let image = log.image();
    let Some(office) = image.state.office() else { return Vec::new() };
    let firm = |id: &String| office.organisations.get(id).map(|(_, o)| o.name.get(lang).to_owned()).unwrap_or_default();
    if me.subject.starts_with("o:") {
        return vec![(me.subject.clone(), firm(&me.subject))];
    }
    let people = office.people.iter().map(|(id, p)| (id.clone(), p.name.clone().unwrap_or_else(|| id.clone())));
    let firms = office.organisations.iter().filter(|(_, (_, o))| o.uscc.is_some());
    people.chain(firms.map(|(id, (_, o))| (id.clone(), o.name.get(lang).to_owned()))).collect()
}

/// What was typed last: an invitation, or why an account should be recovered.
#[derive(Clone, Default)]
struct Typed {
    invite: InviteForm,
    recover: Recover,
}

async fn page(
    view: &View,
    app: &App,
    me: &Arc<Me>,
    status: StatusCode,
    top: &Markup,
    again: &Again<Typed>,
) -> Response {
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
        Err(error) => return said(view, &error),
    };
    if !is_officer(app, me) && !me.session.account.admin {
        return view.problem(app, StatusCode::FORBIDDEN, &view.t("not_yours_title"), &view.t("not_yours_text"));
    }
    let offset = offset(app);
    let title = view.t("people_title");
    let names = subjects(app, me, view.lang);
    let choices: Vec<Choose<'_>> =
        names.iter().map(|(id, name)| Choose::new(id.as_str(), format!("{name} · {id}"))).collect();
    let typed = &again.typed.invite;
    let chosen = if typed.language.is_empty() { me.session.account.language.tag() } else { typed.language.as_str() };
    let form = html! {
        (ui::field(&Field::of("subject", view.t("invite_subject"), FieldKind::Select { options: &choices, chosen: typed.subject.as_str().into() }).error(again.error("subject"))))
        (ui::field(&Field::line("name", view.t("invite_name"), typed.name.as_str()).error(again.error("name"))))
        (ui::field(&Field::line("email", view.t("invite_email"), typed.email.as_str()).optional(view.t("optional")).error(again.error("email"))))
        (ui::field(&Field::of("language", view.t("invite_language"), FieldKind::Select { options: &languages(view), chosen: chosen.into() })))
        (ui::field(&Field::of("admin", view.t("invite_admin"), FieldKind::Checkbox { value: "yes".into(), checked: !typed.admin.is_empty() })))
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
                html! {
                    (ui::status_tag(&view.t(key), tone))
                    @if key == "invitation_valid" {
                        " " (ui::button_post(&view.t("invitation_withdraw"), &view.href("/account/people/withdraw"), &[("id".into(), i.id.as_str().into())]))
                    }
                },
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
                    (recover_form(view, &a.id, again))
                    @if a.id != me.session.account.id {
                        @let (key, to) = if a.disabled.is_some() { ("account_start", "") } else { ("account_stop", "yes") };
                        (ui::button_post(&view.t(key), &view.href("/account/people/stop"), &[("id".into(), a.id.as_str().into()), ("stop".into(), to.into())]))
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
        (again.summary(view))
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

/// The id of the field for the reason, one for each account.
fn reason_id(account: &str) -> String {
    format!("reason-{account}")
}

fn recover_form(view: &View, account: &str, again: &Again<Typed>) -> Markup {
    let (id, typed) = (reason_id(account), &again.typed.recover);
    let reason = if typed.account == account { typed.reason.as_str() } else { "" };
    let error = again.error(&id);
    let said = format!("{id}-error");
    html! {
        form.inline method="post" action=(view.href("/account/people/recover")) {
            input type="hidden" name="account" value=(account);
            @if let Some(error) = &error { p.error id=(said) { (error) } }
            input type="text" id=(id) name="reason" value=(reason) aria-label=(view.t("recover_reason"))
                placeholder=(view.t("recover_reason")) aria-invalid=[error.as_ref().map(|_| "true")]
                aria-describedby=[error.as_ref().map(|_| said.as_str())];
            button.button type="submit" { (view.t("recover_propose")) }
        }
    }
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct InviteForm {
    subject: String,
    name: String,
    email: String,
    language: String,
    admin: String,
}

/// The link as it is shown once; `mailed`: the address that it also goes to.
fn link_note(view: &View, app: &App, token: &str, mailed: Option<&str>) -> Markup {
    let link = format!("{}{}", app.origin(), view.href(&format!("/invitations/{token}")));
    ui::note(
        Tone::Done,
        &html! {
            p role="status" { (view.t("invite_link")) }
            p { code.secret #invitation-link { (link) } }
            @if let Some(email) = mailed { p { (view.tp("invite_mailed", &[("email", email)])) } }
        },
    )
}

/// The name of an invitation's mail.
fn mail_key(invitation: &str) -> String {
    format!("invitation|{invitation}")
}

/// Puts the link into the outbox, in the language of whoever is invited; whether it did.
fn mail(app: &App, issued: &Issued, email: &str, language: Language) -> bool {
    let (Some(outbox), lang) = (app.outbox(), language.lang()) else { return false };
    let office = app.heng().office_log();
    let office = office.and_then(|log| log.image().state.office().map(|o| o.founded.name.get(lang).to_owned()));
    let link = format!("{}{}invitations/{}", outbox.base_url(), language.prefix(), issued.token.expose());
    let due = instant(lang, issued.expires, offset(app));
    let params = [("office", office.unwrap_or_default()), ("link", link), ("due", due)];
    let params = params.each_ref().map(|(name, value)| (*name, value.as_str()));
    let to = To::Mail(email.to_owned());
    match outbox.put(&mail_key(&issued.id), &to, language, Template::Invitation, &params, None) {
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(code = error.code(), "an invitation could not be mailed");
            false
        }
    }
}

pub(crate) async fn invite(view: View, State(app): State<App>, Form(form): Form<InviteForm>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let language = language_of(&form.language).unwrap_or(me.session.account.language);
    let issued = {
        let (app, me, InviteForm { subject, name, email, admin, .. }) = (app.clone(), me.clone(), form.clone());
        blocking(move || {
            let subject =
                if subject.starts_with("o:") { Subject::Organisation(subject) } else { Subject::Person(subject) };
            let email = email.trim();
            let mut invite = Invite::new(subject, &name, (!email.is_empty()).then_some(email));
            invite.admin = !admin.is_empty();
            invite.language = language;
            let issued = app.accounts().invite(By::Session(&me.session), &invite)?;
            let mailed = !email.is_empty() && mail(&app, &issued, email, language);
            Ok((issued, mailed))
        })
        .await
    };
    match issued {
        Ok((issued, mailed)) => {
            let note = link_note(&view, &app, issued.token.expose(), mailed.then_some(form.email.trim()));
            page(&view, &app, &me, StatusCode::OK, &note, &Again::default()).await
        }
        Err(error) => {
            let typed = Typed { invite: form, ..Typed::default() };
            let again = Again::new(typed, place_of(&error), view.wrong(&error));
            page(&view, &app, &me, status(&error), &html! {}, &again).await
        }
    }
}

/// Takes back a link that nobody has used, and its mail if that has not left.
pub(crate) async fn withdraw(view: View, State(app): State<App>, Form(form): Form<Which>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let withdrawn = {
        let (app, me) = (app.clone(), me.clone());
        blocking(move || {
            app.accounts().withdraw_invitation(By::Session(&me.session), &form.id)?;
            if let Some(Err(error)) = app.outbox().map(|outbox| outbox.withdraw(&MessageId::of(&mail_key(&form.id)))) {
                // There may be none, or it has left: the link is dead all the same.
                tracing::debug!(code = error.code(), "no mail was taken back");
            }
            Ok(())
        })
        .await
    };
    let (code, note) = match withdrawn {
        Ok(()) => (StatusCode::OK, done(&view.t("invitation_taken_back"))),
        Err(error) => (status(&error), stop(&view.wrong(&error))),
    };
    page(&view, &app, &me, code, &note, &Again::default()).await
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Recover {
    account: String,
    reason: String,
}

pub(crate) async fn recover(view: View, State(app): State<App>, Form(form): Form<Recover>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let proposed = {
        let (app, me, form) = (app.clone(), me.clone(), form.clone());
        blocking(move || app.accounts().propose_recovery(By::Session(&me.session), &form.account, &form.reason)).await
    };
    match proposed {
        Ok(_) => page(&view, &app, &me, StatusCode::OK, &done(&view.t("recover_proposed")), &Again::default()).await,
        Err(error) => {
            let at = if place_of(&error) == "reason" { reason_id(&form.account) } else { String::new() };
            let again = Again::new(Typed { recover: form, ..Typed::default() }, at, view.wrong(&error));
            page(&view, &app, &me, status(&error), &html! {}, &again).await
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Stop {
    id: String,
    #[serde(default)]
    stop: String,
}

/// Stops an account, or lets it in again.
pub(crate) async fn stop_account(view: View, State(app): State<App>, Form(form): Form<Stop>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let stopped = !form.stop.is_empty();
    let changed = {
        let (app, me) = (app.clone(), me.clone());
        blocking(move || app.accounts().set_disabled(&me.session, &form.id, stopped)).await
    };
    let (code, note) = match changed {
        Ok(()) => (StatusCode::OK, done(&view.t(if stopped { "account_stopped" } else { "account_started" }))),
        Err(error) => (status(&error), stop(&view.wrong(&error))),
    };
    page(&view, &app, &me, code, &note, &Again::default()).await
}

#[derive(Deserialize)]
pub(crate) struct Which {
    id: String,
}

pub(crate) async fn confirm_recovery(view: View, State(app): State<App>, Form(form): Form<Which>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let confirmed = {
        let (app, me) = (app.clone(), me.clone());
        blocking(move || app.accounts().confirm_recovery(&me.session, &form.id)).await
    };
    let (code, note) = match confirmed {
        Ok(recovered) => {
            app.notify(&recovered.notice);
            (StatusCode::OK, link_note(&view, &app, recovered.invitation.token.expose(), None))
        }
        Err(error) => (status(&error), stop(&view.wrong(&error))),
    };
    page(&view, &app, &me, code, &note, &Again::default()).await
}
