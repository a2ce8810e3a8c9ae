//! A public notice: the document, the time left, and the form for an objection by real name.

use std::collections::BTreeMap;

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use heng_app::draft::Draft;
use heng_app::{AppError, Log};
use heng_domain::edition::events::{Event, ObjectionReceived};
use heng_domain::edition::{Edition, Notice};
use heng_domain::messages;
use heng_domain::record::Record;
use heng_domain::text::{Lang, turns};
use heng_domain::time::Instant;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use crate::ui::{self, Choose, Field, FieldKind, Link, NextStep, NoticePaper, Tone};
use crate::view::{App, Content, View, edition_href, find};
use crate::words::{date, instant, tp};

/// Most characters of a field of the form, as the form says.
const NAME_CHARS: usize = 100;
const GROUNDS_CHARS: usize = 5000;

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
    let body = html! {
        (ui::field(&application))
        (ui::field(&by))
        (ui::field(&line("name", &answers.name, Some("name"))))
        (ui::field(&line("identity", &answers.identity, None)))
        (ui::field(&line("contact", &answers.contact, None)))
        (ui::field(&grounds))
        p { (view.t("objection_privacy")) }
        (ui::submit(&view.t("objection_submit"), true, None))
    };
    let action = format!("{}/notices/{id}", edition_href(view.language, log.id()));
    html! {
        section {
            h2 #objection { (view.t("objection_heading")) }
            p { (view.t("objection_text")) }
            (ui::form(&ui::Form { action: action.into(), ..ui::Form::default() }, &body))
        }
    }
}

/// Something wrong: the field, the key of its sentence, and the most that would fit.
pub(crate) struct Fault(pub &'static str, pub &'static str, usize);

impl Fault {
    /// What to do.
    pub(crate) fn sentence(&self, lang: Lang) -> String {
        tp(lang, self.1, &[("most", &self.2.to_string())])
    }
}

/// What is wrong with the answers, field by field.
pub(crate) fn check(answers: &Answers) -> Vec<Fault> {
    let mut errors = Vec::new();
    let long = |text: &str, most: usize| text.chars().count() > most;
    let odd = |text: &str, breaks: bool| {
        text.chars().any(|c| turns(c) || c.is_control() && !(breaks && matches!(c, '\n' | '\r' | '\t')))
    };
    if !matches!(answers.by.as_str(), "unit" | "person") {
        errors.push(Fault("by", "error_choose", 0));
    }
    for (field, value) in [("name", &answers.name), ("identity", &answers.identity), ("contact", &answers.contact)] {
        if value.trim().is_empty() {
            errors.push(Fault(field, "error_real_name", 0));
        } else if long(value, NAME_CHARS) {
            errors.push(Fault(field, "error_long", NAME_CHARS));
        } else if odd(value, false) {
            errors.push(Fault(field, "error_characters", 0));
        }
    }
    if answers.grounds.trim().is_empty() {
        errors.push(Fault("grounds", "error_grounds", 0));
    } else if long(&answers.grounds, GROUNDS_CHARS) {
        errors.push(Fault("grounds", "error_long", GROUNDS_CHARS));
    } else if odd(&answers.grounds, true) {
        errors.push(Fault("grounds", "error_characters", 0));
    }
    errors
}

/// A text as a record may hold it: normal form C, line feeds only; the tabs of a pasted table are blanks.
fn clean(text: &str) -> Value {
    Value::String(heng_log::canonical::normalise(&text.trim().replace('\t', " ")))
}

pub(crate) async fn object(
    view: View,
    State(app): State<App>,
    Path((programme, edition, notice)): Path<(String, String, String)>,
    Form(answers): Form<Answers>,
) -> Response {
    let Some(log) = find(&app, &programme, &edition) else { return view.missing(&app) };
    let errors: Errors = check(&answers).iter().map(|fault| (fault.0, fault.sentence(view.lang))).collect();
    if !errors.is_empty() {
        return respond(&view, &app, &log, &notice, StatusCode::UNPROCESSABLE_ENTITY, &answers, &errors);
    }
    let outcome = {
        let (app, log, notice, answers) = (app.clone(), log.clone(), notice.clone(), answers.clone());
        tokio::task::spawn_blocking(move || submit(&app, &log, &notice, &answers)).await
    };
    match outcome {
        Ok(Ok((objection, accepted))) => received(&view, &app, &log, &objection, &accepted.record),
        Ok(Err(AppError::Refused(refusal))) => {
            let errors = vec![("objection", messages::refusal(view.lang, &refusal))];
            respond(&view, &app, &log, &notice, StatusCode::CONFLICT, &answers, &errors)
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "an objection could not be written");
            let errors = vec![("objection", view.t("failure_text"))];
            respond(&view, &app, &log, &notice, StatusCode::INTERNAL_SERVER_ERROR, &answers, &errors)
        }
        Err(_) => {
            view.problem(&app, StatusCode::INTERNAL_SERVER_ERROR, &view.t("failure_title"), &view.t("failure_text"))
        }
    }
}

pub(crate) fn submit(
    app: &App,
    log: &Log,
    notice: &str,
    answers: &Answers,
) -> heng_app::Result<(String, heng_app::Accepted)> {
    let key = app.heng().random()?;
    let basis = {
        let image = log.image();
        image
            .state
            .edition()
            .and_then(|e| e.rules().stage(&e.notice(notice)?.body.stage))
            .map(|stage| stage.basis.clone())
            .unwrap_or_default()
    };
    // The number tells nothing of how many there are, and two at the same moment do not collide.
    let number = hex::encode(app.heng().random()?.get(..5).unwrap_or_default());
    let objection = format!("{notice}-{number}");
    let event = Event::from(ObjectionReceived {
        application: answers.application.clone(),
        by: answers.by.clone(),
        evidence: Vec::new(),
        notice: notice.to_owned(),
        objection: objection.clone(),
        real_name: true,
    });
    let (kind, body) = event.split().ok_or_else(|| AppError::Other("the record cannot be written".to_owned()))?;
    let hidden = BTreeMap::from([
        ("/name".to_owned(), clean(&answers.name)),
        ("/identity".to_owned(), clean(&answers.identity)),
        ("/contact".to_owned(), clean(&answers.contact)),
        ("/grounds".to_owned(), clean(&answers.grounds)),
    ]);
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
