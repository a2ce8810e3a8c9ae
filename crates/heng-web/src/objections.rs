//! The objection desk (异议办理): what came in, how far it is, and what each says, for those who decide it.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
pub(crate) use heng_app::desk::notice::decides;
use heng_app::desk::{EditionDesk, Place, proposal, with_desk};
use heng_domain::edition::Edition;
use heng_domain::edition::events::Attachment;
use heng_domain::time::Instant;
use heng_log::Hash;
use jiff::civil::Date;
use maud::{Markup, html};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::log_href;
use crate::api::shapes::Words;
use crate::ui::{self, Column, Row, Tone};
use crate::view::{App, Content, View};
use crate::words::{date, instant, number};
use crate::work::{encode, log_name, log_of, place};

/// Where an objection stands.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Handling {
    /// Not yet screened.
    Received,
    /// Not accepted.
    Dismissed,
    /// Accepted, and being checked.
    Checking,
    /// Answered.
    Answered,
}

/// An objection without what it says.
#[derive(Serialize, ToSchema)]
pub(crate) struct ObjectionLine {
    /// Its number.
    pub objection: String,
    /// Application that it is about.
    pub application: String,
    /// The applicant.
    pub applicant: Words,
    /// When it came in.
    #[schema(format = DateTime)]
    pub received: String,
    /// Where it stands.
    pub state: Handling,
    /// Last day to answer.
    #[schema(format = Date)]
    pub due: Option<String>,
    /// The last day has passed without an answer.
    pub overdue: bool,
    #[serde(skip)]
    time: Instant,
    #[serde(skip)]
    day: Option<Date>,
    #[serde(skip)]
    offset: i32,
}

/// An objection with what it says. What was erased or never given is absent.
#[derive(Serialize, ToSchema)]
#[schema(as = Objection)]
pub(crate) struct ObjectionShape {
    /// What everybody at the desk sees.
    pub line: ObjectionLine,
    /// Title of the notice.
    pub notice: Option<Words>,
    /// It came before the notice ended.
    pub in_time: bool,
    /// `unit` or `person`.
    pub by: String,
    /// It is by real name.
    pub real_name: bool,
    /// Name of the objector.
    pub name: Option<String>,
    /// Number of the identity document, or of the unit.
    pub identity: Option<String>,
    /// How to reach the objector.
    pub contact: Option<String>,
    /// What is wrong.
    pub grounds: Option<String>,
    /// SHA-256 of each piece of evidence.
    pub evidence: Vec<String>,
    /// The files behind it; none once the objection was erased.
    pub files: Vec<EvidenceFile>,
    /// Why it was accepted or not.
    pub reason: Option<String>,
    /// Whether it was right.
    pub upheld: Option<bool>,
    /// The answer.
    pub reply: Option<String>,
}

/// A file that came with an objection. That it is opened is noted; it comes as a copy that carries its reader.
#[derive(Serialize, ToSchema)]
pub(crate) struct EvidenceFile {
    /// SHA-256 of its content, in hex.
    pub sha256: String,
    /// Name.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    /// Its address.
    pub href: String,
    #[serde(skip)]
    page: String,
}

fn line(edition: &Edition, id: &str, today: Date) -> Option<ObjectionLine> {
    let found = edition.objection(id)?;
    let state = match (&found.screened, &found.answer) {
        (None, _) => Handling::Received,
        (Some((false, _)), _) => Handling::Dismissed,
        (Some((true, _)), None) => Handling::Checking,
        (Some((true, _)), Some(_)) => Handling::Answered,
    };
    let day = edition.objection_due(id);
    let waits = matches!(state, Handling::Received | Handling::Checking);
    Some(ObjectionLine {
        objection: id.to_owned(),
        application: found.body.application.clone(),
        applicant: (&edition.applicant(&found.body.application)?.name).into(),
        received: found.time.to_string(),
        state,
        due: day.map(|day| day.to_string()),
        overdue: waits && day.is_some_and(|day| day < today),
        time: found.time,
        day,
        offset: edition.rules().utc_offset_minutes,
    })
}

/// The objections of the edition, for those who oversee it.
pub(crate) fn lines(desk: &EditionDesk<'_>) -> Option<Vec<ObjectionLine>> {
    let today = desk.today();
    let all = desk.edition.objections.iter().filter_map(|(id, _)| line(desk.edition, id, today));
    desk.edition.oversees(&desk.me).then(|| all.collect())
}

/// Opens an objection for `reader`, and notes that it was opened; `None` where they may not.
pub(crate) fn open(app: &App, log: &str, reader: &str, id: &str) -> Option<ObjectionShape> {
    let shape = {
        let found = app.heng().log(log).ok()?;
        let image = found.image();
        let edition = image.state.edition().filter(|edition| edition.may_see_objection(reader, id))?;
        let found = edition.objection(id)?;
        let said = |path: &str| edition.known_value(found.seq, path)?.as_str().map(str::to_owned);
        let notice = edition.notice(&found.body.notice);
        let over = notice.and_then(|notice| edition.notice_over(notice));
        ObjectionShape {
            line: line(edition, id, edition.day(app.heng().clock().now()))?,
            notice: notice.map(|notice| (&notice.body.title).into()),
            in_time: over.is_some_and(|over| found.time < over),
            by: found.body.by.clone(),
            real_name: found.body.real_name,
            name: said("/name"),
            identity: said("/identity"),
            contact: said("/contact"),
            grounds: said("/grounds"),
            evidence: found.body.evidence.iter().map(Hash::to_string).collect(),
            files: edition.objection_files(id).into_iter().map(|file| evidence_file(app, log, id, file)).collect(),
            reason: found.screened.as_ref().map(|(_, reason)| reason.clone()),
            upheld: found.answer.as_ref().map(|answer| answer.upheld),
            reply: found.answer.as_ref().map(|answer| answer.reply.clone()),
        }
    };
    crate::opening::note(app, log, reader, &shape.line.application, "objection").then_some(shape)
}

fn evidence_file(app: &App, log: &str, objection: &str, file: Attachment) -> EvidenceFile {
    let sha256 = file.sha256.to_string();
    let path = format!("/objections/{}/files/{sha256}", encode(objection));
    let page = format!("/work/{}{path}", place(app, log));
    EvidenceFile { sha256, name: file.name, size: file.size, href: log_href(app, log, &path), page }
}

/// The objection that an act decides.
pub(crate) fn of_act(app: &App, log: &str, reader: &str, kind: &str, case: &str) -> Option<ObjectionShape> {
    decides(kind).then(|| open(app, log, reader, case)).flatten()
}

/// The objection as it stands beside a form.
pub(crate) fn content(view: &View, app: &App, log: &str, reader: &str, id: &str) -> Option<Markup> {
    open(app, log, reader, id).map(|shape| body(view, &shape))
}

fn tag(view: &View, line: &ObjectionLine) -> Markup {
    let (key, tone) = match line.state {
        Handling::Received => ("objection_new", Tone::Due),
        Handling::Dismissed => ("objection_dismissed", Tone::Stop),
        Handling::Checking => ("objection_checking", Tone::Due),
        Handling::Answered => ("objection_answered", Tone::Done),
    };
    html! {
        (ui::status_tag(&view.t(key), tone))
        @if line.overdue { " " (ui::status_tag(&view.t("objection_overdue"), Tone::Now)) }
    }
}

fn due(view: &View, line: &ObjectionLine) -> String {
    line.day.map_or_else(|| "—".to_owned(), |day| date(view.lang, day))
}

/// What an objection says, and what became of it.
pub(crate) fn body(view: &View, shape: &ObjectionShape) -> Markup {
    let line = &shape.line;
    let by = view.t(if shape.by == "unit" { "objection_by_unit" } else { "objection_by_person" });
    let said = |text: &Option<String>| {
        html! { @match text { Some(text) => span.typed translate="no" { (text) }, None => (view.t("objection_erased")) } }
    };
    let reply = shape.reply.as_ref().map(|reply| {
        let key = if shape.upheld == Some(true) { "objection_upheld_reply" } else { "objection_rejected_reply" };
        view.tp(key, &[("reply", reply)])
    });
    let mut facts = vec![
        ("objection", html! { (line.objection) }),
        ("objection_state", tag(view, line)),
        ("objection_application", html! { (line.applicant.get(view.lang)) " · " (line.application) }),
        ("objection_notice", html! { @if let Some(title) = &shape.notice { (title.get(view.lang)) } }),
        (
            "received_on",
            html! {
                (instant(view.lang, line.time, line.offset)) " "
                @if shape.in_time { (ui::status_tag(&view.t("objection_in_time"), Tone::Done)) }
                @else { (ui::status_tag(&view.t("objection_too_late"), Tone::Stop)) }
            },
        ),
        ("objection_due", html! { (due(view, line)) }),
        (
            "objection_by",
            html! {
                (by) @if !shape.real_name { " " (ui::status_tag(&view.t("objection_nameless"), Tone::Stop)) }
            },
        ),
        ("objection_name", said(&shape.name)),
        ("objection_identity", said(&shape.identity)),
        ("objection_contact", said(&shape.contact)),
        ("objection_grounds", said(&shape.grounds)),
    ];
    if !shape.evidence.is_empty() {
        let file = |hash: &String| shape.files.iter().find(|file| file.sha256 == *hash);
        facts.push((
            "objection_evidence",
            html! {
                @for hash in &shape.evidence {
                    p {
                        @match file(hash) {
                            Some(file) => {
                                a href=(view.href(&file.page)) { (file.name) } " "
                                (view.tp("bytes", &[("bytes", &number(file.size))])) br;
                            },
                            None => { (view.t("objection_erased")) br; },
                        }
                        code.hash { (hash) }
                    }
                }
            },
        ));
    }
    if shape.reason.is_some() {
        facts.push(("objection_reason", said(&shape.reason)));
    }
    if reply.is_some() {
        facts.push(("reply", said(&reply)));
    }
    html! { dl.facts.answers { @for (key, value) in &facts { div { dt { (view.t(key)) } dd { (value) } } } } }
}

pub(crate) async fn show(
    view: View,
    State(app): State<App>,
    Path((first, second)): Path<(String, String)>,
) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let Some(log) = log_of(&app, &first, &second) else { return view.missing(&app) };
    let found = with_desk(app.heng(), &log, &me.subject, |at| match at {
        Place::Edition(desk) => lines(desk),
        Place::Office(_) => None,
    });
    let Some(lines) = found.ok().flatten().flatten() else { return refused(&view, &app) };
    let title = view.t("objections_title");
    let here = view.href(&format!("/work/{}", place(&app, &log)));
    let columns = ["objection", "objection_application", "received_on", "objection_due", "objection_state"]
        .map(|key| Column::text(view.t(key)));
    let rows: Vec<Row<'_>> = lines
        .iter()
        .map(|line| {
            let cells = vec![
                html! { (line.objection) },
                html! { (line.applicant.get(view.lang)) },
                html! { (instant(view.lang, line.time, line.offset)) },
                html! { (due(&view, line)) },
                tag(&view, line),
            ];
            Row::link(format!("{here}/objections/{}", encode(&line.objection)), cells)
        })
        .collect();
    let main = html! {
        (ui::title_block(&title, Some(log_name(&app, &log).get(view.lang))))
        (ui::sentence(&view.t(if rows.is_empty() { "objections_none" } else { "objections_text" })))
        @if !rows.is_empty() { (ui::table(&title, &columns, &rows, &html! {})) }
        p { a href=(here) { (view.t("back_work")) } }
    };
    view.page(&app, Content { wide: true, ..Content::new(title, main) })
}

fn refused(view: &View, app: &App) -> Response {
    view.problem(app, StatusCode::FORBIDDEN, &view.t("not_yours_title"), &view.t("board_not_yours"))
}

pub(crate) async fn one(
    view: View,
    State(app): State<App>,
    Path((first, second, id)): Path<(String, String, String)>,
) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let Some(log) = log_of(&app, &first, &second) else { return view.missing(&app) };
    let shape = {
        let (app, log) = (app.clone(), log.clone());
        let opened = tokio::task::spawn_blocking(move || {
            let reader = proposal::handle(app.heng(), &log, &me.subject).ok().flatten()?;
            open(&app, &log, &reader, &id)
        });
        opened.await.ok().flatten()
    };
    let Some(shape) = shape else { return view.missing(&app) };
    let title = view.t("objections_title");
    let back = view.href(&format!("/work/{}/objections", place(&app, &log)));
    let main = html! {
        (ui::title_block(&title, Some(log_name(&app, &log).get(view.lang))))
        (body(&view, &shape))
        p { a href=(back) { (view.t("objections_title")) } }
    };
    view.page(&app, Content::new(title, main))
}

/// A file that came with an objection: always a download, and its opening is noted.
pub(crate) async fn file(
    view: View,
    State(app): State<App>,
    Path((first, second, id, sha)): Path<(String, String, String, String)>,
) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let Some(log) = log_of(&app, &first, &second) else { return view.missing(&app) };
    let reader = proposal::handle(app.heng(), &log, &me.subject).ok().flatten();
    let Some(reader) = reader else { return view.missing(&app) };
    match crate::opening::evidence(&app, &log, (&reader, &me.session.account), &id, &sha).await {
        Ok(Some(response)) => response,
        Ok(None) => view.missing(&app),
        Err(error) => view.failure(&app, &error),
    }
}
