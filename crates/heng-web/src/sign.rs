//! A proposal: what exactly is to be recorded, who has signed, and the signature of the reader's own device.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use heng_app::AppError;
use heng_app::desk::proposal::{self, Outcome, Proposal, Standing, Statement};
use heng_app::desk::{self, DeskError, words};
use heng_app::simulation::DeviceKey;
use heng_domain::record::{Anchor, Signature};
use heng_domain::refusal::Refusal;
use heng_domain::text::Text;
use heng_log::Hash;
use heng_log::signature::PublicKey;
use heng_log::webauthn::Assertion;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

use crate::act::{described, done_href, trouble};
use crate::ui::{self, Tone};
use crate::view::{App, Content, Me, View};
use crate::work::{act_href, log_name, place};

/// Everything that the page of a proposal needs.
pub(crate) struct Loaded {
    pub proposal: Proposal,
    pub standing: Standing,
    pub statements: Vec<Statement>,
    /// Each record in words.
    pub rows: Vec<Vec<(Text, Text)>>,
    /// What the records concern and what follows from them; texts that they bind by their hash alone.
    pub shows: Vec<desk::Shown>,
    /// What the objection says that it decides: nobody signs an answer blind.
    pub objection: Option<crate::objections::ObjectionShape>,
}

/// A proposal for somebody whom it concerns.
pub(crate) fn load(app: &App, subject: &str, id: &str) -> Result<Loaded, DeskError> {
    let heng = app.heng();
    let proposal = proposal::load(heng, id)?.ok_or(DeskError::NotOpen)?;
    let standing = proposal::standing(heng, &proposal, subject)?.ok_or(DeskError::NotOpen)?;
    let statements = proposal::statements(heng, &proposal, &standing.handle)?;
    let log = heng.log(&proposal.log)?;
    let image = log.image();
    let rows = proposal
        .parts
        .iter()
        .map(|part| {
            // What one expert wrote is for that expert's eyes; whoever countersigns sees the record alone.
            let hidden = if standing.own { part.hidden.clone() } else { Default::default() };
            desk::describe(&image.state, &part.kind, &part.body, &hidden)
        })
        .collect();
    let edition = image.state.edition();
    let mut shows = edition.map_or_else(Vec::new, |edition| {
        let case = |part: &proposal::Part| desk::case_of(&part.kind, &part.body).to_owned();
        let parts = proposal.parts.iter();
        parts.flat_map(|part| desk::shows(edition, &part.kind, &case(part), heng.clock().now())).collect()
    });
    drop(image);
    shows.extend(proposal.parts.iter().flat_map(|part| desk::texts(heng, &part.kind, &part.body)));
    let objection = crate::objections::of_act(app, &proposal.log, &standing.handle, &proposal.act, &proposal.case);
    Ok(Loaded { proposal, standing, statements, rows, shows, objection })
}

pub(crate) async fn show(view: View, State(app): State<App>, Path(id): Path<String>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    respond(&view, &app, &me, &id, StatusCode::OK, None).await
}

async fn respond(
    view: &View,
    app: &App,
    me: &std::sync::Arc<Me>,
    id: &str,
    status: StatusCode,
    trouble_text: Option<String>,
) -> Response {
    let loaded = {
        let (app, me, id) = (app.clone(), me.clone(), id.to_owned());
        tokio::task::spawn_blocking(move || load(&app, &me.subject, &id)).await
    };
    let loaded = match loaded {
        Ok(Ok(loaded)) => loaded,
        Ok(Err(error)) => return trouble(view, app, &error),
        Err(_) => return view.missing(app),
    };
    page(view, app, me, &loaded, status, trouble_text)
}

fn page(
    view: &View,
    app: &App,
    me: &Me,
    loaded: &Loaded,
    status: StatusCode,
    trouble_text: Option<String>,
) -> Response {
    let Loaded { proposal, standing, rows, .. } = loaded;
    let act = desk::act_name(&proposal.act, &proposal.case);
    let title = act.get(view.lang).to_owned();
    let key = if standing.asked { "sign_text" } else { "sign_waiting" };
    let main = html! {
        (ui::title_block(&title, Some(log_name(app, &proposal.log).get(view.lang))))
        (ui::sentence(&view.t(key)))
        @if let Some(text) = &trouble_text { (ui::note(Tone::Stop, &html! { p role="alert" { (text) } })) }
        (who(view, app, proposal, standing))
        @if let Some(objection) = &loaded.objection {
            h2 { (view.t("objections_title")) }
            (crate::objections::body(view, objection))
        }
        h2 { (view.t("what_is_recorded")) }
        @for (rows, part) in rows.iter().zip(&proposal.parts) {
            @match crate::rules::proposed(view, app, &part.body) {
                Some(changes) => (changes),
                None => (described(view, rows)),
            }
        }
        @if let Some((name, hash)) = scan_of(app, proposal) {
            p { a href=(view.href(&format!("/work/sign/{}/scan", proposal.id))) { (view.tp("sign_scan", &[("name", &name)])) } }
            p.reason { (view.t("sign_scan_text")) " " code.hash { (hash) } }
        }
        (crate::act::shows(view, &loaded.shows))
        @if standing.asked { (device(view, app, me, loaded)) }
        @else if let Some(step) = crate::demo::next_step(view, app, &proposal.log) { (ui::next_step(&step)) }
        details.more {
            summary { (view.t("exact_record")) }
            @for statement in &loaded.statements {
                p { (view.t("statement_hash")) " " code { (statement.hash) } }
                pre.exact tabindex="0" translate="no" { code { (statement.text) } }
            }
        }
        @if standing.own {
            form.inline method="post" action=(view.href(&format!("/work/sign/{}/withdraw", proposal.id))) {
                button.button type="submit" { (view.t("take_back")) }
            }
        }
        p { a href=(view.href(&format!("/work/{}", place(app, &proposal.log)))) { (view.t("back_work")) } }
    };
    let script = standing.asked.then_some("sign.js");
    view.page_with(app, status, Content { script, ..Content::new(title, main) })
}

/// Who signed, and who is still needed.
fn who(view: &View, app: &App, proposal: &Proposal, standing: &Standing) -> Markup {
    let names = |handle: &str| -> String {
        let Ok(log) = app.heng().log(&proposal.log) else { return handle.to_owned() };
        let image = log.image();
        let edition = image.state.edition().and_then(|e| e.seats.get(handle)).and_then(|seat| seat.name.clone());
        let office = || image.state.office().and_then(|o| o.people.get(handle)).and_then(|p| p.name.clone());
        edition.or_else(office).map_or_else(|| handle.to_owned(), |name| format!("{name} · {handle}"))
    };
    let signers = proposal.signers();
    let role_line = |role: &heng_domain::edition::events::Role, count: usize| {
        let name = serde_json::to_value(role).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
        let role = words("role", &name, &[]);
        view.tp("needs_role", &[("count", &count.to_string()), ("role", role.get(view.lang))])
    };
    html! {
        ul.signers {
            @for by in &signers { li { (ui::status_tag(&view.t("has_signed"), Tone::Done)) " " (names(by)) } }
            @if proposal.actor_signs && !signers.contains(&proposal.actor.as_str()) {
                li { (ui::status_tag(&view.t("will_sign"), Tone::Due)) " " (names(&proposal.actor)) }
            }
            @for (role, count) in &proposal.roles { li.quiet { (role_line(role, *count)) } }
        }
        @if !standing.asked { p { (view.t("nothing_for_you")) } }
    }
}

/// The scan of what a proposal enters from paper, with the name that it was uploaded under.
pub(crate) fn scan_of(app: &App, proposal: &Proposal) -> Option<(String, Hash)> {
    let scan = |body: &serde_json::Value| body.get("paper")?.get("scan_sha256")?.as_str()?.parse::<Hash>().ok();
    let hash = proposal.parts.iter().find_map(|part| scan(&part.body))?;
    let info = desk::files::info(app.heng(), &proposal.actor, &hash.to_string()).ok()??;
    Some((info.name, hash))
}

/// Whoever signs what comes from paper compares it with the scan.
pub(crate) async fn scan(view: View, State(app): State<App>, Path(id): Path<String>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let found = {
        let app = app.clone();
        tokio::task::spawn_blocking(move || scan_of(&app, &load(&app, &me.subject, &id).ok()?.proposal)).await
    };
    let Ok(Some((name, hash))) = found else { return view.missing(&app) };
    match crate::files::download(&app, &name, hash).await {
        Some(response) => response,
        None => view.missing(&app),
    }
}

/// From how many records on the log is to be shown to have only grown.
#[derive(Deserialize)]
pub(crate) struct Since {
    pub from: u64,
}

/// What a device needs to see by itself that the log has only grown: the log's key, its newest checkpoint, and the proof
/// that this holds the first `from` records unchanged.
pub(crate) struct Growth {
    /// `name+id+base64` (C2SP signed-note).
    pub key: String,
    /// The signed checkpoint.
    pub note: String,
    /// Hashes of the consistency proof (RFC 9162 §2.1.4).
    pub proof: Vec<Hash>,
}

/// For whoever a proposal concerns; `None` where its log has not so many records.
pub(crate) fn growth(app: &App, subject: &str, id: &str, from: u64) -> Result<Option<Growth>, DeskError> {
    let log = app.heng().log(&load(app, subject, id)?.proposal.log)?;
    if from > log.anchor().size {
        return Ok(None);
    }
    let (note, proof) = log.growth(from)?;
    Ok(Some(Growth { key: log.verifier_key().to_string(), note, proof }))
}

pub(crate) async fn proof(
    view: View,
    State(app): State<App>,
    Path(id): Path<String>,
    Query(since): Query<Since>,
) -> Response {
    let Some(me) = view.me.clone() else { return StatusCode::UNAUTHORIZED.into_response() };
    let app = app.clone();
    match tokio::task::spawn_blocking(move || growth(&app, &me.subject, &id, since.from)).await {
        Ok(Ok(Some(Growth { key, note, proof }))) => {
            axum::Json(json!({ "key": key, "note": note, "proof": proof })).into_response()
        }
        Ok(Ok(None)) => StatusCode::CONFLICT.into_response(),
        Ok(Err(DeskError::NotOpen)) => StatusCode::NOT_FOUND.into_response(),
        Ok(Err(_)) | Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The form in which the device puts its signatures.
fn device(view: &View, app: &App, me: &Me, loaded: &Loaded) -> Markup {
    let Some(key) = &loaded.standing.key else {
        return ui::note(
            Tone::Stop,
            &html! { p { (view.t("no_key")) } p { a href=(view.href("/account/keys")) { (view.t("no_key_link")) } } },
        );
    };
    let credential = credential_of(me, key);
    let statements = json!(loaded.statements).to_string();
    let action = view.href(&format!("/work/sign/{}", loaded.proposal.id));
    let demo = app.demo().is_some();
    html! {
        section.device {
            p { (view.tp("your_key", &[("key", &key.fingerprint())])) }
            @if demo {
                form method="post" action=(action) {
                    input type="hidden" name="demo" value="yes";
                    (ui::submit(&view.t("sign_demo"), true, None))
                    p.reason { (view.t("sign_demo_text")) }
                }
            } @else {
                form #sign method="post" action=(action) data-log=(loaded.proposal.log) data-statements=(statements)
                    data-alg=(key.alg()) data-key=(key.fingerprint()) data-rp=[key.rp()] data-credential=[credential]
                    data-no-key=(view.t("key_not_here")) data-changed=(view.t("log_changed")) data-cancelled=(view.t("sign_cancelled"))
                    data-mismatch=(view.t("hash_mismatch")) data-unproven=(view.t("log_unproven"))
                    data-proof=(view.href(&format!("/work/sign/{}/proof", loaded.proposal.id))) {
                    input type="hidden" name="signatures" value="";
                    (ui::submit(&view.t(if key.rp().is_some() { "sign_passkey" } else { "sign_key" }), true, None))
                    p #sign-status role="status" {}
                    noscript { p { (view.t("sign_script")) } }
                }
            }
        }
    }
}

/// The credential of a passkey, as the browser asks for it.
fn credential_of(me: &Me, key: &PublicKey) -> Option<String> {
    let rp = key.rp()?;
    let own = me.session.account.passkeys.iter();
    let found = own.into_iter().find(|k| k.public_key(rp).is_ok_and(|public| public == *key));
    found.map(|k| URL_SAFE_NO_PAD.encode(k.credential_id()))
}

/// What the script sends for each record.
#[derive(Deserialize)]
pub(crate) struct Given {
    pub at: Anchor,
    /// Signature: base64 for a plain key, base64url for a passkey, as browsers give it.
    pub s: String,
    #[serde(default)]
    pub ad: Option<String>,
    #[serde(default)]
    pub cd: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct SignForm {
    #[serde(default)]
    signatures: String,
    #[serde(default)]
    demo: String,
}

fn signature(given: Given, by: &str, key: &PublicKey) -> Option<Signature> {
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).or_else(|_| STANDARD.decode(text)).ok();
    match (given.ad, given.cd) {
        (Some(ad), Some(cd)) => {
            let assertion =
                Assertion { authenticator_data: bytes(&ad)?, client_data: bytes(&cd)?, signature: bytes(&given.s)? };
            Some(Signature::by_passkey(&assertion, by, given.at, key))
        }
        _ => Some(Signature {
            ad: None,
            alg: key.alg().to_owned(),
            at: given.at,
            by: by.to_owned(),
            cd: None,
            key: key.fingerprint(),
            s: given.s,
        }),
    }
}

/// Signatures of the invented person's device, whose seed everybody knows: only in a demonstration.
fn demo_signatures(app: &App, loaded: &Loaded) -> Result<Vec<Signature>, DeskError> {
    let Some(demo) = app.demo() else { return Err(DeskError::NotOpen) };
    let handle = &loaded.standing.handle;
    let name = if handle.starts_with("x:") { format!("{handle}@{}", loaded.proposal.log) } else { handle.clone() };
    let device = DeviceKey::of(demo.seed, &name)?;
    Ok(loaded.statements.iter().map(|s| device.signature(&s.hash, handle, s.at.clone())).collect())
}

/// Puts the signatures of a device on a proposal; also the log that it belongs to.
pub(crate) fn sign_with(app: &App, subject: &str, id: &str, given: Vec<Given>) -> Result<(Outcome, String), DeskError> {
    let loaded = load(app, subject, id)?;
    let by = &loaded.standing.handle;
    let key = loaded.standing.key.as_ref().ok_or(DeskError::NotOpen)?;
    let missing = || DeskError::from(Refusal::new("signature.missing", "").with("by", by));
    let sigs: Option<Vec<Signature>> = given.into_iter().map(|given| signature(given, by, key)).collect();
    let sigs = sigs.filter(|sigs| sigs.len() == loaded.proposal.parts.len()).ok_or_else(missing)?;
    Ok((proposal::sign(app.heng(), id, subject, sigs)?, loaded.proposal.log))
}

pub(crate) async fn sign(
    view: View,
    State(app): State<App>,
    Path(id): Path<String>,
    axum::extract::Form(form): axum::extract::Form<SignForm>,
) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let outcome = {
        let (app, me, id) = (app.clone(), me.clone(), id.clone());
        tokio::task::spawn_blocking(move || -> Result<(Outcome, String), DeskError> {
            if form.demo.is_empty() {
                // What does not read has no signatures, and is refused as such.
                let given = serde_json::from_str(&form.signatures).unwrap_or_default();
                return sign_with(&app, &me.subject, &id, given);
            }
            let loaded = load(&app, &me.subject, &id)?;
            let sigs = demo_signatures(&app, &loaded)?;
            Ok((proposal::sign(app.heng(), &id, &me.subject, sigs)?, loaded.proposal.log))
        })
        .await
    };
    match outcome {
        Ok(Ok((Outcome::Recorded(accepted), log))) => {
            Redirect::to(&done_href(&view, &app, &log, &accepted)).into_response()
        }
        Ok(Ok((Outcome::Waiting(_), _))) => Redirect::to(&view.href(&format!("/work/sign/{id}"))).into_response(),
        Ok(Err(DeskError::Refused(refusal))) => {
            let log = load(&app, &me.subject, &id).map(|loaded| loaded.proposal.log).unwrap_or_default();
            let text = crate::words::refusal(view.lang, &app, &log, &refusal);
            respond(&view, &app, &me, &id, StatusCode::CONFLICT, Some(text)).await
        }
        Ok(Err(DeskError::App(AppError::UnknownAnchor { .. }))) => {
            let text = view.t("log_changed");
            respond(&view, &app, &me, &id, StatusCode::CONFLICT, Some(text)).await
        }
        Ok(Err(error)) => trouble(&view, &app, &error),
        Err(_) => view.missing(&app),
    }
}

/// Takes a proposal back and leads to its form, where everything still stands.
pub(crate) async fn withdraw(view: View, State(app): State<App>, Path(id): Path<String>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let done = {
        let (app, subject) = (app.clone(), me.subject.clone());
        tokio::task::spawn_blocking(move || proposal::withdraw(app.heng(), &id, &subject)).await
    };
    match done {
        Ok(Ok(proposal)) => {
            let form = act_href(&view, &app, &proposal.log, &proposal.act, &proposal.case);
            Redirect::to(&form).into_response()
        }
        Ok(Err(error)) => trouble(&view, &app, &error),
        Err(_) => view.missing(&app),
    }
}
