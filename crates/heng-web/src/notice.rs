//! A public notice: the document, the time left, and the form for an objection by real name.

use std::collections::BTreeMap;
use std::net::IpAddr;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use heng_app::account::reaches;
use heng_app::draft::Draft;
use heng_app::upload::{FileKind, UploadError, clean_name};
use heng_app::{Accepted, AppError, Log};
use heng_domain::edition::events::{Event, ObjectionReceived};
use heng_domain::edition::{Edition, Notice};
use heng_domain::messages;
use heng_domain::record::Record;
use heng_domain::text::{Lang, turns};
use heng_domain::time::Instant;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use crate::client::Client;
use crate::evidence::{self, File, MOST_BYTES, MOST_FILES, Sent, Unread};
use crate::ui::{self, Choose, Field, FieldKind, Link, NextStep, NoticePaper, Tone};
use crate::view::{App, Content, View, edition_href, find};
use crate::words::{date, instant, tp};

/// Most characters of a field of the form, as the form says.
const NAME_CHARS: usize = 100;
const GROUNDS_CHARS: usize = 5000;
/// Fewest characters that can be a name, the number of a document, and a reason.
const NAME_LEAST: usize = 2;
const IDENTITY_LEAST: usize = 5;
const GROUNDS_LEAST: usize = 10;

/// What the form sends. Nothing is lost: it comes back filled in when something is wrong.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Answers {
    pub application: String,
    pub by: String,
    pub name: String,
    pub identity: String,
    pub contact: String,
    pub grounds: String,
}

type Errors = Vec<(&'static str, String)>;

pub(crate) async fn show(
    view: View,
    State(app): State<App>,
    Path((programme, edition, notice)): Path<(String, String, String)>,
) -> Response {
    let Some(log) = find(&app, &programme, &edition) else { return view.missing(&app) };
    respond(&view, &app, &log, &notice, StatusCode::OK, &Answers::default(), &Vec::new())
}

fn respond(
    view: &View,
    app: &App,
    log: &Log,
    id: &str,
    status: StatusCode,
    answers: &Answers,
    errors: &Errors,
) -> Response {
    let now = app.heng().clock().now();
    let content = {
        let image = log.image();
        let Some(edition) = image.state.edition() else { return view.missing(app) };
        let Some(notice) = edition.notice(id) else { return view.missing(app) };
        let open = edition.notice_over(notice).is_some_and(|over| now < over);
        let title = notice.body.title.get(view.lang).to_owned();
        let main = html! {
            (ui::sentence(&left(view, edition, notice, now)))
            @if !errors.is_empty() {
                @let list: Vec<(ui::Text<'_>, ui::Text<'_>)> = errors.iter().map(|(f, m)| ((*f).into(), m.as_str().into())).collect();
                (ui::error_summary(&view.t("errors_heading"), &list))
            }
            (paper(view, edition, notice))
            (ui::next_step(&NextStep {
                label: view.t("next_step").into(),
                text: view.t(if open { "notice_next_open" } else { "notice_next_over" }).into(),
                due: open.then(|| (view.tp("by_day", &[("day", &date(view.lang, notice.body.until))]).into(), Tone::Due)),
                action: None,
                reason: Some(view.t(if open { "notice_reason_open" } else { "notice_reason_over" }).into()),
            }))
            @if open { (form(view, edition, notice, log, id, answers, errors)) }
            p { a href=(edition_href(view.language, log.id())) { (view.t("back_edition")) } }
        };
        Content::new(title, main)
    };
    let proof = view.proof(log);
    view.page_with(app, status, Content { proof, ..content })
}

/// How much of the window is left, in words.
fn left(view: &View, edition: &Edition, notice: &Notice, now: Instant) -> String {
    let until = date(view.lang, notice.body.until);
    let Some(over) = edition.notice_over(notice) else { return until };
    let millis = over.millis() - now.millis();
    if millis <= 0 {
        return view.tp("notice_over", &[("day", &until)]);
    }
    let hours = millis / 3_600_000;
    let (days, hours) = (hours / 24, hours % 24);
    view.tp("notice_left", &[("day", &until), ("days", &days.to_string()), ("hours", &hours.to_string())])
}

fn paper(view: &View, edition: &Edition, notice: &Notice) -> Markup {
    let rules = edition.rules();
    let stage = rules.stage(&notice.body.stage).and_then(|s| s.notice.as_ref());
    let channels: Vec<String> =
        stage.map(|n| n.channels.value.iter().map(|c| c.get(view.lang).to_owned()).collect()).unwrap_or_default();
    let names: Vec<(String, String, String)> = notice
        .body
        .names
        .iter()
        .map(|a| {
            let organisation = edition.applicant(a);
            let county = organisation.map(|o| o.county.get(view.lang).to_owned()).unwrap_or_default();
            let tier = edition.standing_winners().into_iter().find(|(w, _)| w == a).and_then(|(_, t)| rules.tier(t));
            (view.name(edition, a), county, tier.map(|t| t.name.get(view.lang).to_owned()).unwrap_or_default())
        })
        .collect();
    let body = html! {
        // The page says that this is the record's text word for word, so it is shown in the record's own characters.
        p lang=(view.lang.tag()) translate="no" { (notice.body.text.get(view.lang)) }
        ol { @for (name, county, tier) in &names { li { (name) @if !county.is_empty() { " · " (county) } @if !tier.is_empty() { " · " (tier) } } } }
        p { (view.tp("notice_channels", &[("channels", &crate::words::list(view.lang, &channels))])) }
    };
    let day = edition.day(notice.time);
    ui::notice_paper(&NoticePaper {
        issuer: rules.authority.get(view.lang).into(),
        title: notice.body.title.get(view.lang).into(),
        body,
        signer: view.t("signer").into(),
        date: date(view.lang, day).into(),
        datetime: day.to_string().into(),
        seal: Some(view.t("seal").into()),
        foot: Some(html! { p { (view.tp("notice_record", &[("record", &notice.seq.to_string())])) } }),
        ..NoticePaper::default()
    })
}

fn form(
    view: &View,
    edition: &Edition,
    notice: &Notice,
    log: &Log,
    id: &str,
    answers: &Answers,
    errors: &Errors,
) -> Markup {
    let error = |field: &str| errors.iter().find(|(f, _)| *f == field).map(|(_, m)| ui::Text::from(m.clone()));
    let line = |name: &'static str, value: &str, autocomplete: Option<&'static str>| {
        Field::of(
            name,
            view.t(&format!("objection_{name}")),
            FieldKind::Line { input_type: "text", value: value.to_owned().into(), autocomplete },
        )
        .hint(view.t(&format!("objection_{name}_hint")))
        .error(error(name))
    };
    let options: Vec<Choose<'_>> =
        notice.body.names.iter().map(|a| Choose::new(a.clone(), view.name(edition, a))).collect();
    let kinds =
        [Choose::new("unit", view.t("objection_by_unit")), Choose::new("person", view.t("objection_by_person"))];
    let application = Field::of(
        "application",
        view.t("objection_application"),
        FieldKind::Select { options: &options, chosen: answers.application.as_str().into() },
    )
    .error(error("application"));
    let by = Field::of(
        "by",
        view.t("objection_by"),
        FieldKind::Radio { options: &kinds, chosen: answers.by.as_str().into() },
    )
    .error(error("by"));
    let grounds = Field::of(
        "grounds",
        view.t("objection_grounds"),
        FieldKind::Area { value: answers.grounds.as_str().into(), rows: 8 },
    )
    .hint(view.t("objection_grounds_hint"))
    .error(error("grounds"));
    let (most, limit) = (MOST_FILES.to_string(), (MOST_BYTES >> 20).to_string());
    let files = Field::of(
        "evidence",
        view.t("objection_evidence"),
        FieldKind::File { accept: FileKind::list().into(), several: true },
    )
    .optional(view.t("optional"))
    .hint(view.tp("objection_evidence_hint", &[("most", &most), ("limit", &limit)]))
    .error(error("evidence"));
    let body = html! {
        (ui::field(&application))
        (ui::field(&by))
        (ui::field(&line("name", &answers.name, Some("name"))))
        (ui::field(&line("identity", &answers.identity, None)))
        (ui::field(&line("contact", &answers.contact, None)))
        (ui::field(&grounds))
        (ui::field(&files))
        p { (view.t("objection_privacy")) }
        (ui::submit(&view.t("objection_submit"), true, None))
    };
    let action = format!("{}/notices/{id}", edition_href(view.language, log.id()));
    html! {
        section {
            h2 #objection { (view.t("objection_heading")) }
            p { (view.t("objection_text")) }
            (ui::form(&ui::Form { action: action.into(), files: true, ..ui::Form::default() }, &body))
        }
    }
}

/// Something wrong: the field, the key of its sentence, and the number that would fit.
pub(crate) struct Fault(pub &'static str, pub &'static str, usize);

impl Fault {
    /// What to do.
    pub(crate) fn sentence(&self, lang: Lang) -> String {
        tp(lang, self.1, &[("most", &self.2.to_string())])
    }

    /// Stable code.
    pub(crate) fn code(&self) -> &'static str {
        self.1.strip_prefix("error_").unwrap_or(self.1)
    }
}

/// What is wrong with an objection and its files of so many bytes, field by field.
pub(crate) fn check(answers: &Answers, files: usize, bytes: usize) -> Vec<Fault> {
    let mut errors = Vec::new();
    let count = |text: &str| text.trim().chars().count();
    let odd = |text: &str, breaks: bool| {
        text.chars().any(|c| turns(c) || c.is_control() && !(breaks && matches!(c, '\n' | '\r' | '\t')))
    };
    if !matches!(answers.by.as_str(), "unit" | "person") {
        errors.push(Fault("by", "error_choose", 0));
    }
    for (field, value) in [("name", &answers.name), ("identity", &answers.identity), ("contact", &answers.contact)] {
        let marks = || value.chars().filter(|c| c.is_ascii_alphanumeric()).count();
        if value.trim().is_empty() {
            errors.push(Fault(field, "error_real_name", 0));
        } else if count(value) > NAME_CHARS {
            errors.push(Fault(field, "error_long", NAME_CHARS));
        } else if odd(value, false) {
            errors.push(Fault(field, "error_characters", 0));
        } else if field == "name" && count(value) < NAME_LEAST {
            errors.push(Fault(field, "error_name", 0));
        } else if field == "identity" && marks() < IDENTITY_LEAST {
            errors.push(Fault(field, "error_identity", 0));
        } else if field == "contact" && !reaches(value) {
            errors.push(Fault(field, "error_contact", 0));
        }
    }
    if answers.grounds.trim().is_empty() {
        errors.push(Fault("grounds", "error_grounds", 0));
    } else if count(&answers.grounds) > GROUNDS_CHARS {
        errors.push(Fault("grounds", "error_long", GROUNDS_CHARS));
    } else if odd(&answers.grounds, true) {
        errors.push(Fault("grounds", "error_characters", 0));
    } else if count(&answers.grounds) < GROUNDS_LEAST {
        errors.push(Fault("grounds", "error_short", GROUNDS_LEAST));
    }
    if files > MOST_FILES {
        errors.push(Fault("evidence", "error_files", MOST_FILES));
    } else if bytes > MOST_BYTES {
        errors.push(Fault("evidence", "error_bytes", MOST_BYTES >> 20));
    }
    errors
}

/// Why an objection was not written.
pub(crate) enum Failed {
    /// There were too many from this address: when there may be another one.
    TooMany(Instant),
    /// A file: its name as far as it can be shown, and what is wrong with it.
    File(String, UploadError),
    /// The rules, or something of ours.
    App(AppError),
}

impl From<AppError> for Failed {
    fn from(error: AppError) -> Failed {
        Failed::App(error)
    }
}

/// What to do about a file.
pub(crate) fn file_sentence(lang: Lang, name: &str, error: &UploadError) -> String {
    tp(lang, "error_file", &[("file", name), ("message", &error.message(lang))])
}

/// When there may be another objection, in the edition's time.
pub(crate) fn again_at(lang: Lang, log: &Log, time: Instant) -> String {
    instant(lang, time, log.image().state.edition().map_or(0, |e| e.rules().utc_offset_minutes))
}

/// A text as a record may hold it: normal form C, line feeds only; the tabs of a pasted table are blanks.
fn clean(text: &str) -> Value {
    Value::String(heng_log::canonical::normalise(&text.trim().replace('\t', " ")))
}

pub(crate) async fn object(
    view: View,
    State(app): State<App>,
    Path((programme, edition, notice)): Path<(String, String, String)>,
    client: Client,
    request: Request,
) -> Response {
    let Some(log) = find(&app, &programme, &edition) else { return view.missing(&app) };
    // Taken before the files are read: nobody fills the memory with what will not be written.
    let token = app.objections().take(client.address(), app.heng().clock().now());
    let sent = evidence::read(request, token.is_ok()).await;
    let sent = match (sent, token) {
        (Ok(sent), Ok(())) => sent,
        (Ok(sent), Err(time)) => return refused(&view, &app, &log, &notice, &sent, &Failed::TooMany(time)),
        (Err(unread), token) => {
            if token.is_ok() {
                app.objections().give_back(client.address());
            }
            return match unread {
                Unread::Bare(response) => response,
                Unread::TooLong => {
                    let text = view.tp("too_large_text", &[("limit", "64")]);
                    view.problem(&app, StatusCode::PAYLOAD_TOO_LARGE, &view.t("too_large_title"), &text)
                }
            };
        }
    };
    let faults = check(&sent.answers, sent.files.len(), sent.bytes);
    if !faults.is_empty() {
        app.objections().give_back(client.address());
        let errors = faults.iter().map(|fault| (fault.0, fault.sentence(view.lang))).collect();
        return again(&view, &app, &log, &notice, StatusCode::UNPROCESSABLE_ENTITY, &sent, errors);
    }
    let outcome = {
        let (app, log, notice) = (app.clone(), log.clone(), notice.clone());
        let work = move || (submit(&app, &log, &notice, &sent.answers, &sent.files), sent);
        tokio::task::spawn_blocking(work).await
    };
    match outcome {
        Ok((Ok((objection, accepted)), _)) => received(&view, &app, &log, &objection, &accepted.record),
        Ok((Err(failed), sent)) => {
            app.objections().give_back(client.address());
            refused(&view, &app, &log, &notice, &sent, &failed)
        }
        Err(_) => {
            view.problem(&app, StatusCode::INTERNAL_SERVER_ERROR, &view.t("failure_title"), &view.t("failure_text"))
        }
    }
}

/// The form again with what was typed. A browser does not send a file twice: it must be chosen again.
fn again(
    view: &View,
    app: &App,
    log: &Log,
    notice: &str,
    status: StatusCode,
    sent: &Sent,
    mut errors: Errors,
) -> Response {
    if !sent.files.is_empty() && !errors.iter().any(|(field, _)| *field == "evidence") {
        errors.push(("evidence", view.t("error_files_again")));
    }
    respond(view, app, log, notice, status, &sent.answers, &errors)
}

fn refused(view: &View, app: &App, log: &Log, notice: &str, sent: &Sent, failed: &Failed) -> Response {
    let (status, field, sentence) = match failed {
        Failed::TooMany(time) => {
            let sentence = view.tp("error_too_many", &[("time", &again_at(view.lang, log, *time))]);
            (StatusCode::TOO_MANY_REQUESTS, "objection", sentence)
        }
        Failed::File(name, error) => (crate::files::status(error), "evidence", file_sentence(view.lang, name, error)),
        Failed::App(AppError::Refused(refusal)) => {
            (StatusCode::CONFLICT, "objection", messages::refusal(view.lang, refusal))
        }
        Failed::App(error) => {
            tracing::error!(%error, "an objection could not be written");
            (StatusCode::INTERNAL_SERVER_ERROR, "objection", view.t("failure_text"))
        }
    };
    let mut response = again(view, app, log, notice, status, sent, vec![(field, sentence)]);
    if let Failed::TooMany(time) = failed {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait(app, *time)));
    }
    response
}

/// Seconds until `time`.
pub(crate) fn wait(app: &App, time: Instant) -> u64 {
    let millis = time.millis() - app.heng().clock().now().millis();
    u64::try_from(millis).unwrap_or(0).div_ceil(1000)
}

/// Writes an objection with its files, unless there were too many from this address. What was not written does not count.
/// It blocks.
pub(crate) fn write(
    app: &App,
    log: &Log,
    notice: &str,
    answers: &Answers,
    files: &[File],
    address: IpAddr,
) -> Result<(String, Accepted), Failed> {
    app.objections().take(address, app.heng().clock().now()).map_err(Failed::TooMany)?;
    let written = submit(app, log, notice, answers, files);
    if written.is_err() {
        app.objections().give_back(address);
    }
    written
}

fn submit(app: &App, log: &Log, notice: &str, answers: &Answers, files: &[File]) -> Result<(String, Accepted), Failed> {
    let key = app.heng().random()?;
    let now = app.heng().clock().now();
    let (basis, open) = {
        let image = log.image();
        let edition = image.state.edition();
        let found = edition.and_then(|e| Some((e, e.notice(notice)?)));
        let stage = found.and_then(|(e, n)| e.rules().stage(&n.body.stage));
        let open = found.and_then(|(e, n)| e.notice_over(n)).is_some_and(|over| now < over);
        (stage.map(|stage| stage.basis.clone()).unwrap_or_default(), open)
    };
    // The number tells nothing of how many there are, and two at the same moment do not collide.
    let number = hex::encode(app.heng().random()?.get(..5).unwrap_or_default());
    let objection = format!("{notice}-{number}");
    // Nothing is kept for an objection that will be refused.
    let files = if open { files } else { &[] };
    let kept = evidence::keep(app, &objection, files).map_err(|(at, error)| {
        let name = files.get(at).and_then(|(name, _)| clean_name(name).ok());
        Failed::File(name.unwrap_or_else(|| (at + 1).to_string()), error)
    })?;
    let event = Event::from(ObjectionReceived {
        application: answers.application.clone(),
        by: answers.by.clone(),
        evidence: kept.iter().map(|file| file.sha256).collect(),
        notice: notice.to_owned(),
        objection: objection.clone(),
        real_name: true,
    });
    let broken = || AppError::Other("the record cannot be written".to_owned());
    let (kind, body) = event.split().ok_or_else(broken)?;
    let mut hidden = BTreeMap::from([
        ("/name".to_owned(), clean(&answers.name)),
        ("/identity".to_owned(), clean(&answers.identity)),
        ("/contact".to_owned(), clean(&answers.contact)),
        ("/grounds".to_owned(), clean(&answers.grounds)),
    ]);
    if !kept.is_empty() {
        hidden.insert("/files".to_owned(), serde_json::to_value(&kept).map_err(|_| broken())?);
    }
    let accepted = log.submit(Draft::new("public", &basis, kind, body).hiding(key, hidden))?;
    Ok((objection, accepted))
}

fn received(view: &View, app: &App, log: &Log, objection: &str, record: &Record) -> Response {
    let title = view.t("received_title");
    let seq = record.seq;
    let Some(offset) = log.image().state.edition().map(|e| e.rules().utc_offset_minutes) else {
        return view.missing(app);
    };
    let time = instant(view.lang, record.time, offset);
    let receipt = format!("/editions/{}/receipts/{seq}", crate::view::slug(log.id()));
    let main = html! {
        (ui::title_block(&title, None))
        (ui::sentence(&view.tp("received_text", &[("objection", objection), ("time", &time), ("record", &seq.to_string())])))
        (ui::next_step(&NextStep {
            label: view.t("next_step").into(),
            text: view.t("received_next").into(),
            due: None,
            action: Some(ui::Action::Link(Link::new(view.t("receipt_button"), receipt))),
            reason: Some(view.t("receipt_reason").into()),
        }))
        p { a href=(edition_href(view.language, log.id())) { (view.t("back_edition")) } }
    };
    let proof = view.proof(log);
    view.page(app, Content { proof, ..Content::new(title, main) })
}
