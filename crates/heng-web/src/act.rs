//! An act: its form, its saved draft, the page to check before sending, and what came of it.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use heng_app::desk::drafts::{self, Save, Saved};
use heng_app::desk::proposal::{self, Outcome};
use heng_app::desk::{self, Answers, DeskError, Field, Kind, Sheet, Wrong, words};
use heng_app::{Accepted, AppError};
use heng_domain::messages;
use heng_domain::record::Record;
use heng_domain::text::Text;
use maud::{Markup, html};
use serde_json::json;

use crate::ui::{self, Action, Choose, FieldKind, Link, NextStep, Tone};
use crate::view::{App, Content, Me, View};
use crate::words::date;
use crate::work::{act_href, log_name, log_of, place};

/// Address of an act: two parts of the place, the kind, the case.
pub(crate) type Address = Path<(String, String, String, String)>;

/// What the form sends beside the answers.
const VERSION: &str = "_version";
const BUTTON: &str = "_do";
const PART: &str = "_part";

/// Forms of more parts than this are filled in part by part, from a list of tasks.
const LONG: usize = 4;

/// A form in parts, each with its heading.
struct Part<'a> {
    name: Option<&'a Text>,
    fields: Vec<&'a Field>,
}

/// Whether the form is filled in part by part. Judging sheets stay whole: one reads across them.
fn is_long(sheet: &Sheet) -> bool {
    sheet.kind == "application.submitted" && parts(sheet).len() >= LONG
}

fn parts(sheet: &Sheet) -> Vec<Part<'_>> {
    let mut out: Vec<Part<'_>> = Vec::new();
    for field in &sheet.fields {
        match (&field.part, out.last_mut()) {
            (None, Some(last)) => last.fields.push(field),
            (name, _) => out.push(Part { name: name.as_ref(), fields: vec![field] }),
        }
    }
    out
}

/// The answers of the whole form: what this part sends, and what was saved or stood there before for the others.
fn whole(sheet: &Sheet, draft: Option<&Saved>, posted: &Posted) -> Answers {
    let Some(part) = posted.part else {
        // A long form that is sent from its list of tasks sends what was saved.
        let listed = is_long(sheet) && posted.answers.is_empty();
        return if listed { standing(sheet, draft) } else { posted.answers.clone() };
    };
    let mut out = standing(sheet, draft);
    for field in parts(sheet).get(part).map(|p| p.fields.as_slice()).unwrap_or_default() {
        match posted.answers.get(&field.name) {
            Some(values) => drop(out.insert(field.name.clone(), values.clone())),
            None => drop(out.remove(&field.name)),
        }
    }
    out
}

/// What stands in the form now: the draft, or what was there beforehand.
fn standing(sheet: &Sheet, draft: Option<&Saved>) -> Answers {
    match draft {
        Some(saved) => saved.answers.clone(),
        None => sheet.fields.iter().map(|f| (f.name.clone(), f.value.clone())).collect(),
    }
}

/// How many of the questions that must be answered have an answer.
fn progress(fields: &[&Field], answers: &Answers) -> (usize, usize) {
    let asked: Vec<&&Field> = fields.iter().filter(|f| !f.optional).collect();
    let filled = |f: &&&Field| answers.get(&f.name).is_some_and(|values| values.iter().any(|v| !v.trim().is_empty()));
    (asked.iter().filter(|f| filled(f)).count(), asked.len())
}

/// Ballots are not kept as drafts: before the close nobody but the member knows the choice (law 6).
fn keeps_drafts(kind: &str) -> bool {
    kind != "ballot.cast"
}

/// A form as it was posted.
pub(crate) struct Posted {
    pub answers: Answers,
    version: u64,
    button: String,
    part: Option<usize>,
}

/// Reads `application/x-www-form-urlencoded`; a field may come several times.
pub(crate) fn posted(body: &[u8]) -> Result<Posted, Wrong> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(body).map_err(|_| Wrong::new("", "characters"))?;
    if pairs.len() > desk::field::MOST_FIELDS {
        return Err(Wrong::new("", "too_many_fields").with("most", desk::field::MOST_FIELDS));
    }
    let mut answers = Answers::new();
    for (name, value) in pairs {
        // A form sends its lines with CR and LF, a script with LF: the same text must be the same.
        answers.entry(name).or_default().push(value.replace("\r\n", "\n"));
    }
    let mut take = |name: &str| answers.remove(name).and_then(|mut values| values.pop()).unwrap_or_default();
    let version = take(VERSION).parse().unwrap_or(0);
    let button = take(BUTTON);
    let part = take(PART).parse().ok();
    Ok(Posted { answers, version, button, part })
}

/// One person at one form.
struct Form {
    app: App,
    me: std::sync::Arc<Me>,
    log: String,
    kind: String,
    case: String,
}

impl Form {
    fn sheet(&self) -> Result<Sheet, DeskError> {
        desk::sheet(self.app.heng(), &self.log, &self.me.subject, &self.kind, &self.case)
    }

    fn draft_key(&self, sheet: &Sheet) -> String {
        drafts::key(&sheet.me, &self.log, &self.kind, &self.case)
    }

    fn draft(&self, sheet: &Sheet) -> Result<Option<Saved>, DeskError> {
        Ok(drafts::load(self.app.heng(), &self.draft_key(sheet))?)
    }

    fn save(&self, sheet: &Sheet, version: u64, answers: Answers) -> Result<Save, DeskError> {
        let by = &self.me.session.account.id;
        Ok(drafts::save(self.app.heng(), &self.draft_key(sheet), by, version, answers)?)
    }
}

fn form(view: &View, app: &App, path: &(String, String, String, String)) -> Option<Form> {
    let me = view.me.clone()?;
    let log = log_of(app, &path.0, &path.1)?;
    Some(Form { app: app.clone(), me, log, kind: path.2.clone(), case: path.3.clone() })
}

/// Runs what may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DeskError> + Send + 'static,
) -> Result<T, DeskError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(DeskError::App(AppError::Other("the work was interrupted".to_owned()))),
    }
}

#[derive(serde::Deserialize)]
pub(crate) struct Asked {
    part: Option<usize>,
}

pub(crate) async fn show(
    view: View,
    State(app): State<App>,
    Path(path): Address,
    axum::extract::Query(asked): axum::extract::Query<Asked>,
) -> Response {
    if view.me.is_none() {
        return view.sign_in_first();
    }
    let Some(form) = form(&view, &app, &path) else { return view.missing(&app) };
    // With the page: what one reads beside the form comes from the disk, and that it was opened is noted there.
    let reader = view.clone();
    let shown = blocking(move || {
        let sheet = form.sheet()?;
        let draft = form.draft(&sheet)?;
        Ok(page(&reader, &form, &sheet, draft.as_ref(), &Shown { part: asked.part, ..Shown::default() }))
    })
    .await;
    shown.unwrap_or_else(|error| trouble(&view, &app, &error))
}

/// What a form page shows besides the form itself.
#[derive(Default)]
struct Shown {
    status: Option<StatusCode>,
    /// Answers that were just typed; they come before the saved ones.
    answers: Option<Answers>,
    wrong: Vec<Wrong>,
    refused: Option<String>,
    /// Somebody else's newer version.
    newer: Option<Saved>,
    version: Option<u64>,
    /// The part of a long form that is filled in.
    part: Option<usize>,
}

pub(crate) async fn post(
    view: View,
    State(app): State<App>,
    Path(path): Address,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let quiet = headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes() == b"application/json");
    if view.me.is_none() {
        if quiet {
            let body = json!({ "error": view.t("signed_out_kept"), "signIn": view.sign_in_href() });
            return (StatusCode::UNAUTHORIZED, axum::Json(body)).into_response();
        }
        return view.park(&app, &body).await;
    }
    let Some(form) = form(&view, &app, &path) else { return view.missing(&app) };
    let posted = match posted(&body) {
        Ok(posted) => posted,
        Err(wrong) => {
            let text = wrong.sentence(view.lang);
            return view.problem(&app, StatusCode::UNPROCESSABLE_ENTITY, &view.t("errors_heading"), &text);
        }
    };
    match posted.button.as_str() {
        "save" => save(&view, form, posted, quiet).await,
        "check" => check(&view, form, posted).await,
        _ => send(&view, form, posted).await,
    }
}

/// Saves the draft: for the script as JSON, without script by going back to the form.
async fn save(view: &View, form: Form, posted: Posted, quiet: bool) -> Response {
    let (version, part) = (posted.version, posted.part);
    let result = blocking(move || {
        let sheet = form.sheet()?;
        let draft = form.draft(&sheet)?;
        let answers = whole(&sheet, draft.as_ref(), &posted);
        let saved = form.save(&sheet, version, answers.clone())?;
        Ok((form, sheet, saved, answers))
    })
    .await;
    match result {
        Ok((_, sheet, Save::Done(saved), _)) if quiet => {
            let at = view.tp("saved_at", &[("time", &clock_time(&saved, sheet.offset))]);
            axum::Json(json!({ "saved": at, "version": saved.version })).into_response()
        }
        Ok((_, _, Save::Newer(saved), _)) if quiet => {
            let body = json!({ "newer": view.t("draft_newer"), "version": saved.version });
            (StatusCode::CONFLICT, axum::Json(body)).into_response()
        }
        Ok((_, _, Save::Sent, _)) if quiet => {
            (StatusCode::CONFLICT, axum::Json(json!({ "error": view.t("draft_sent") }))).into_response()
        }
        Ok((form, sheet, Save::Sent, kept)) => sent(view, &form, &sheet, kept, part),
        Ok((form, sheet, Save::Done(_), _)) => {
            // One part leads to the next, the last one to the list.
            let here = act_href(view, &form.app, &form.log, &form.kind, &form.case);
            let next = part.map(|part| part + 1).filter(|next| *next < parts(&sheet).len());
            Redirect::to(&next.map_or(here.clone(), |next| format!("{here}?part={next}"))).into_response()
        }
        Ok((form, sheet, Save::Newer(saved), kept)) => both(view, &form, &sheet, kept, saved, part),
        Err(error) if quiet => {
            let text = match &error {
                DeskError::NotOpen => view.t("not_open_text"),
                _ => view.t("failure_text"),
            };
            (StatusCode::CONFLICT, axum::Json(json!({ "error": text }))).into_response()
        }
        Err(error) => trouble(view, view.app(), &error),
    }
}

/// Two windows typed different things: the form with what was typed here, and beside each answer what the other saved.
fn both(view: &View, form: &Form, sheet: &Sheet, answers: Answers, saved: Saved, part: Option<usize>) -> Response {
    let shown = Shown {
        status: Some(StatusCode::CONFLICT),
        part,
        answers: Some(answers),
        version: Some(saved.version),
        newer: Some(saved),
        ..Shown::default()
    };
    page(view, form, sheet, None, &shown)
}

/// The form came once more after it was sent: by the back button, or from another window. It is not sent twice.
fn sent(view: &View, form: &Form, sheet: &Sheet, answers: Answers, part: Option<usize>) -> Response {
    let shown = Shown {
        status: Some(StatusCode::CONFLICT),
        part,
        answers: Some(answers),
        version: Some(0),
        refused: Some(view.t("draft_sent")),
        ..Shown::default()
    };
    page(view, form, sheet, None, &shown)
}

/// The page to check the answers of an unsigned act, before anything is sent.
async fn check(view: &View, form: Form, posted: Posted) -> Response {
    let (version, part) = (posted.version, posted.part);
    let result = blocking(move || {
        let sheet = form.sheet()?;
        let draft = form.draft(&sheet)?;
        let answers = whole(&sheet, draft.as_ref(), &posted);
        let saved = form.save(&sheet, version, answers.clone())?;
        let written = desk::write(form.app.heng(), &form.log, &form.me.subject, &form.kind, &form.case, &answers);
        Ok((form, sheet, answers, saved, written))
    })
    .await;
    let (form, sheet, answers, saved, written) = match result {
        Ok(parts) => parts,
        Err(error) => return trouble(view, view.app(), &error),
    };
    let version = match saved {
        Save::Newer(saved) => return both(view, &form, &sheet, answers, saved, part),
        Save::Sent => return sent(view, &form, &sheet, answers, part),
        Save::Done(saved) => saved.version,
    };
    match written {
        Ok(_) => check_page(view, &form, &sheet, &answers, version),
        Err(error) => again(view, &form, &sheet, answers, error),
    }
}

async fn send(view: &View, form: Form, posted: Posted) -> Response {
    let (version, part) = (posted.version, posted.part);
    let result = blocking(move || {
        let sheet = form.sheet()?;
        let draft = form.draft(&sheet)?;
        let answers = whole(&sheet, draft.as_ref(), &posted);
        // First the draft, then the act: whatever is refused is still there, and nobody sends over what another saved.
        if !sheet.fields.is_empty() && keeps_drafts(sheet.kind) {
            match form.save(&sheet, version, answers.clone())? {
                Save::Done(_) => {}
                kept => return Ok((form, sheet, answers, Err(kept))),
            }
        }
        let outcome = proposal::act(form.app.heng(), &form.log, &form.me.subject, &form.kind, &form.case, &answers);
        Ok((form, sheet, answers, Ok(outcome)))
    })
    .await;
    let (form, sheet, answers, outcome) = match result {
        Ok(parts) => parts,
        Err(error) => return trouble(view, view.app(), &error),
    };
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(Save::Newer(saved)) => return both(view, &form, &sheet, answers, saved, part),
        Err(_) => return sent(view, &form, &sheet, answers, part),
    };
    match outcome {
        Ok(Outcome::Waiting(proposal)) => {
            Redirect::to(&view.href(&format!("/work/sign/{}", proposal.id))).into_response()
        }
        Ok(Outcome::Recorded(accepted)) => {
            Redirect::to(&done_href(view, &form.app, &form.log, &accepted)).into_response()
        }
        Err(error) => again(view, &form, &sheet, answers, error),
    }
}

/// Where one goes after an act: a page of its own, so that going back and reloading do nothing twice.
pub(crate) fn done_href(view: &View, app: &App, log: &str, accepted: &[Accepted]) -> String {
    let seq = accepted.last().map_or(0, |a| a.record.seq);
    view.href(&format!("/work/{}/records/{seq}", place(app, log)))
}

/// The form once more, with what is wrong and all that was typed.
fn again(view: &View, form: &Form, sheet: &Sheet, answers: Answers, error: DeskError) -> Response {
    let draft = form.draft(sheet).ok().flatten();
    let shown = match error {
        DeskError::Wrong(wrong) => {
            Shown { status: Some(StatusCode::UNPROCESSABLE_ENTITY), answers: Some(answers), wrong, ..Shown::default() }
        }
        DeskError::Refused(refusal) => Shown {
            status: Some(StatusCode::CONFLICT),
            answers: Some(answers),
            refused: Some(messages::refusal(view.lang, &refusal)),
            ..Shown::default()
        },
        other => return trouble(view, &form.app, &other),
    };
    page(view, form, sheet, draft.as_ref(), &shown)
}

/// A page for what cannot be shown as a form.
pub(crate) fn trouble(view: &View, app: &App, error: &DeskError) -> Response {
    match error {
        DeskError::NotOpen => {
            view.problem(app, StatusCode::NOT_FOUND, &view.t("not_open_title"), &view.t("not_open_text"))
        }
        DeskError::Refused(refusal) => {
            let text = messages::refusal(view.lang, refusal);
            view.problem(app, StatusCode::CONFLICT, &view.t("refused_title"), &text)
        }
        DeskError::Wrong(wrong) => {
            let text = wrong.iter().map(|w| w.sentence(view.lang)).collect::<Vec<_>>().join(" ");
            view.problem(app, StatusCode::UNPROCESSABLE_ENTITY, &view.t("errors_heading"), &text)
        }
        DeskError::App(error) => view.failure(app, error),
    }
}

fn clock_time(saved: &Saved, offset: i32) -> String {
    let at = saved.at.local(offset);
    format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
}

fn page(view: &View, form: &Form, sheet: &Sheet, draft: Option<&Saved>, shown: &Shown) -> Response {
    let act = words("act", sheet.kind, &[]);
    let title = act.get(view.lang).to_owned();
    let kicker = format!("{} · {}", log_name(&form.app, &form.log).get(view.lang), sheet.case.about.get(view.lang));
    let version = shown.version.or(draft.map(|d| d.version)).unwrap_or(0);
    let answers = shown.answers.as_ref().or(draft.map(|d| &d.answers));
    let all = parts(sheet);
    let long = is_long(sheet);
    let listed = long && shown.part.is_none_or(|part| part >= all.len());
    let action = act_href(view, &form.app, &form.log, &form.kind, &form.case);
    let errors: Vec<(ui::Text<'_>, ui::Text<'_>)> = shown
        .wrong
        .iter()
        .map(|w| {
            let id = if w.field.is_empty() { "main".to_owned() } else { html_id(&w.field) };
            let label = sheet.fields.iter().find(|f| f.name == w.field).map(|f| f.label.get(view.lang));
            let sentence = w.sentence(view.lang);
            // On the list of tasks the sentence alone would not say which question it means.
            let text = if listed { format!("{}：{sentence}", label.unwrap_or_default()) } else { sentence };
            let link = if listed && !w.field.is_empty() {
                format!("{action}{}#{id}", part_query(sheet, &w.field))
            } else {
                id
            };
            (link.into(), text.into())
        })
        .collect();
    let read = reading(view, form, sheet);
    let body = html! {
        input type="hidden" name=(VERSION) value=(version);
        @if let Some(part) = shown.part.filter(|_| long) { input type="hidden" name=(PART) value=(part); }
        @for (index, part) in all.iter().enumerate().filter(|(index, _)| !long || shown.part == Some(*index)) {
            @if let Some(name) = part.name { h2 id=(format!("part-{index}")) { (name.get(view.lang)) } }
            @for field in &part.fields { (question(view, form, sheet, field, answers, shown)) }
        }
        @if long {
            div.buttons {
                (ui::submit(&view.t("go_next_part"), true, Some((BUTTON, "save"))))
                a.button href=(act_href(view, &form.app, &form.log, &form.kind, &form.case)) { (view.t("to_task_list")) }
            }
        } @else { (buttons(view, sheet)) }
    };
    let main = html! {
        (ui::title_block(&title, Some(&kicker)))
        (ui::sentence(words("act_text", sheet.kind, &[]).get(view.lang)))
        @if let Some(due) = sheet.case.due { p { (ui::status_tag(&view.tp("by_day", &[("day", &date(view.lang, due))]), Tone::Due)) } }
        @if !sheet.fields.is_empty() && keeps_drafts(sheet.kind) {
            (ui::saved_line(&match draft {
                Some(saved) => view.tp("saved_at", &[("time", &clock_time(saved, sheet.offset))]),
                None => view.t("saved_not_yet"),
            }))
        }
        (ui::error_summary(&view.t("errors_heading"), &errors))
        @if let Some(refused) = &shown.refused { (ui::note(Tone::Stop, &html! { p role="alert" { (refused) } })) }
        @if let Some(newer) = &shown.newer {
            (ui::note(Tone::Due, &html! { p role="alert" { (view.tp("draft_conflict", &[("time", &clock_time(newer, sheet.offset))])) } }))
        }
        @if sheet.fields.len() > 10 && !listed {
            @let now = standing(sheet, draft);
            @let shown_fields: Vec<&Field> = if long { shown.part.and_then(|p| all.get(p)).map(|p| p.fields.clone()).unwrap_or_default() } else { sheet.fields.iter().collect() };
            @let (filled, asked) = progress(&shown_fields, answers.unwrap_or(&now));
            p { (view.tp("progress_line", &[("filled", &filled.to_string()), ("asked", &asked.to_string())])) }
        }
        @if listed { (task_list(view, form, sheet, answers.unwrap_or(&standing(sheet, draft)), version)) }
        @else { @match &read {
            Some(read) => div.split {
                section.split-read aria-label=(view.t("dossier")) { (read) }
                section.split-write aria-label=(title) { (wrapped(&action, view, &body, keeps_drafts(sheet.kind))) }
            },
            None => (wrapped(&action, view, &body, keeps_drafts(sheet.kind))),
        } }
        p { a href=(view.href(&format!("/work/{}", place(&form.app, &form.log)))) { (view.t("back_work")) } }
    };
    let wide = read.is_some();
    let content = Content { script: Some("form.js"), wide, ..Content::new(title, main) };
    view.page_with(&form.app, shown.status.unwrap_or(StatusCode::OK), content)
}

/// The parts of a long form with how far each is, then the way to check and send it.
fn task_list(view: &View, form: &Form, sheet: &Sheet, answers: &Answers, version: u64) -> Markup {
    let here = act_href(view, &form.app, &form.log, &form.kind, &form.case);
    let sources = desk::import_sources(form.app.heng(), &form.log, &sheet.me).unwrap_or_default();
    let whole: Vec<&Field> = sheet.fields.iter().collect();
    let (filled, asked) = progress(&whole, answers);
    html! {
        ol.task-list {
            @for (index, part) in parts(sheet).iter().enumerate() {
                @let (filled, asked) = progress(&part.fields, answers);
                @let (key, tone) = if asked == filled { ("part_done", Tone::Done) } else if filled == 0 { ("part_open", Tone::Quiet) } else { ("part_begun", Tone::Due) };
                li {
                    a href=(format!("{here}?part={index}")) { (part.name.map(|n| n.get(view.lang)).unwrap_or_default()) }
                    (ui::status_tag(&view.tp(key, &[("filled", &filled.to_string()), ("asked", &asked.to_string())]), tone))
                }
            }
        }
        p { (view.tp("progress_line", &[("filled", &filled.to_string()), ("asked", &asked.to_string())])) }
        form.act-list method="post" action=(here) {
            input type="hidden" name=(VERSION) value=(version);
            div.buttons { (ui::submit(&view.t("go_check"), filled == asked, Some((BUTTON, "check")))) }
        }
        @if !sources.is_empty() {
            details.more {
                summary { (view.t("import_heading")) }
                p { (view.t("import_text")) }
                @for (log, name) in &sources {
                    (ui::button_post(
                        &view.tp("import_from", &[("edition", name.get(view.lang))]),
                        &view.href(&format!("/work/{}/import", place(&form.app, &form.log))),
                        &[("from".into(), log.as_str().into())],
                    ))
                }
            }
        }
    }
}

/// Fills the draft of the application from another edition's.
pub(crate) async fn import(
    view: View,
    State(app): State<App>,
    Path((first, second)): Path<(String, String)>,
    axum::extract::Form(source): axum::extract::Form<Source>,
) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let Some(log) = log_of(&app, &first, &second) else { return view.missing(&app) };
    let form = Form { app: app.clone(), me, log, kind: "application.submitted".to_owned(), case: "-".to_owned() };
    let done = blocking(move || {
        let sheet = form.sheet()?;
        let answers = desk::import(form.app.heng(), &form.log, &sheet.me, &source.from)?;
        let version = form.draft(&sheet)?.map_or(0, |draft| draft.version);
        form.save(&sheet, version, answers)?;
        Ok(form)
    })
    .await;
    match done {
        Ok(form) => Redirect::to(&act_href(&view, &form.app, &form.log, &form.kind, &form.case)).into_response(),
        Err(error) => trouble(&view, &app, &error),
    }
}

#[derive(serde::Deserialize)]
pub(crate) struct Source {
    from: String,
}

fn wrapped(action: &str, view: &View, body: &Markup, drafts: bool) -> Markup {
    html! {
        form class=(if drafts { "act" } else { "act no-draft" }) method="post" action=(action) novalidate
            data-autosave=(view.t("saving")) data-count=(view.t("characters_typed")) data-offline=(view.t("saved_offline")) data-restored=(view.t("saved_restored"))
            data-kept=(view.t("draft_kept_here")) { (body) }
    }
}

/// What one reads beside the form: the dossier of the case.
fn reading(view: &View, form: &Form, sheet: &Sheet) -> Option<Markup> {
    if matches!(sheet.kind, "shortlist.decided" | "selection.decided") {
        return crate::ranking::content(view, &form.app, &form.log, &sheet.case.id);
    }
    if sheet.kind == "ballot.cast" {
        return crate::ranking::papers(view, &form.app, &form.log, &sheet.me, &sheet.case.id);
    }
    if !matches!(sheet.kind, "score.submitted" | "consensus.agreed" | "condition.checked" | "recommendation.given") {
        return None;
    }
    let application = sheet.case.id.rsplit('~').next()?;
    let dossier = crate::dossier::content(view, &form.app, &form.log, &sheet.me, application);
    if sheet.kind != "consensus.agreed" {
        return dossier;
    }
    let agenda = form.app.heng().log(&form.log).ok().and_then(|log| {
        let image = log.image();
        let edition = image.state.edition()?;
        let stage = edition.rules().stage(sheet.case.id.split('~').next()?)?;
        crate::consensus::agenda(view, edition, stage, application)
    });
    Some(html! { @if let Some(agenda) = agenda { (agenda) } @if let Some(dossier) = dossier { (dossier) } })
}

fn buttons(view: &View, sheet: &Sheet) -> Markup {
    let asks = !sheet.fields.is_empty();
    let (key, button) = match (sheet.signs.actor, asks) {
        (true, _) => ("go_sign", "send"),
        (false, true) => ("go_check", "check"),
        (false, false) => ("go_send", "send"),
    };
    html! {
        div.buttons {
            (ui::submit(&view.t(key), true, Some((BUTTON, button))))
            @if asks && keeps_drafts(sheet.kind) { (ui::submit(&view.t("go_save"), false, Some((BUTTON, "save")))) }
        }
    }
}

/// An id that a link can lead to: colons and tildes stay out of it.
fn html_id(name: &str) -> String {
    let plain = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' });
    format!("f-{}", plain.collect::<String>())
}

fn question(
    view: &View,
    form: &Form,
    sheet: &Sheet,
    field: &Field,
    answers: Option<&Answers>,
    around: &Shown,
) -> Markup {
    let typed: Vec<String> = match answers {
        Some(answers) => answers.get(&field.name).cloned().unwrap_or_default(),
        None => field.value.clone(),
    };
    let first = typed.first().cloned().unwrap_or_default();
    let line =
        |input_type: &'static str| FieldKind::Line { input_type, value: first.clone().into(), autocomplete: None };
    let chosen: Vec<ui::Text<'_>> = typed.iter().map(|value| value.as_str().into()).collect();
    let choices: Vec<Choose<'_>> = match &field.kind {
        Kind::One { choices } | Kind::Many { choices } => {
            choices.iter().map(|c| Choose::new(c.value.as_str(), c.label.get(view.lang))).collect()
        }
        Kind::Files { .. } => files(view, form, sheet),
        _ => Vec::new(),
    };
    let with_empty: Vec<Choose<'_>> =
        std::iter::once(Choose::new("", view.t("please_choose"))).chain(choices.iter().cloned()).collect();
    let kind = match &field.kind {
        Kind::Line { .. } | Kind::Number { .. } | Kind::Money { .. } => line("text"),
        Kind::Area { rows, .. } => FieldKind::Area { value: first.clone().into(), rows: *rows },
        Kind::Table { .. } => FieldKind::Area { value: first.clone().into(), rows: 6 },
        Kind::Day => line("date"),
        Kind::Moment => line("datetime-local"),
        Kind::One { choices: all } if all.len() > 5 => {
            FieldKind::Select { options: &with_empty, chosen: first.as_str().into() }
        }
        Kind::One { .. } => FieldKind::Radio { options: &choices, chosen: first.as_str().into() },
        Kind::Many { .. } | Kind::Files { .. } => FieldKind::Checks { options: &choices, chosen: &chosen },
        Kind::Tick => FieldKind::Checkbox { value: "yes".into(), checked: !first.is_empty() },
    };
    let mut out = ui::Field::of(field.name.as_str(), field.label.get(view.lang), kind);
    out.id = html_id(&field.name).into();
    if let Some(hint) = &field.hint {
        out.hint = Some(hint.get(view.lang).into());
    }
    if let Kind::Table { columns, .. } = &field.kind {
        let names: Vec<String> = columns.iter().map(|c| c.get(view.lang).to_owned()).collect();
        let hint = field.hint.as_ref().map(|h| h.get(view.lang)).unwrap_or_default();
        out.hint = Some(format!("{} {hint}", view.tp("columns", &[("columns", &names.join(" | "))])).into());
    }
    if let Kind::Area { most, .. } = &field.kind {
        let limit = view.tp("at_most", &[("most", &crate::words::number(u64::try_from(*most).unwrap_or(0)))]);
        out.hint = Some(format!("{}{limit}", out.hint.as_deref().map(|h| format!("{h} ")).unwrap_or_default()).into());
    }
    if field.optional {
        out.optional = Some(view.t("optional").into());
    }
    out.error = around.wrong.iter().find(|w| w.field == field.name).map(|w| w.sentence(view.lang).into());
    let theirs = around.newer.as_ref().map(|saved| saved.answers.get(&field.name).cloned().unwrap_or_default());
    let said = |values: &[String]| values.iter().filter(|v| !v.is_empty()).cloned().collect::<Vec<_>>();
    let theirs = theirs.filter(|theirs| said(theirs) != said(&typed));
    let upload = matches!(field.kind, Kind::Files { .. });
    html! {
        (ui::field(&out))
        @if let Some(theirs) = theirs {
            div.theirs { p.theirs-label { (view.t("draft_theirs")) } p.typed { (shown(view, field, &theirs)) } }
        }
        @if upload {
            p { a.button href=(view.href(&format!("/work/{}/files", place(&form.app, &form.log)))) { (view.t("upload_link")) } }
        }
    }
}

/// Files that the actor has uploaded.
fn files(_: &View, form: &Form, sheet: &Sheet) -> Vec<Choose<'static>> {
    let list = desk::files::list(form.app.heng(), &sheet.me).unwrap_or_default();
    list.into_iter().map(|(sha, info)| Choose::new(sha, format!("{} · {}", info.name, info.about))).collect()
}

/// The answers of a form in words.
fn shown(view: &View, field: &Field, typed: &[String]) -> String {
    let label = |value: &String| match &field.kind {
        Kind::One { choices } | Kind::Many { choices } => {
            let found = choices.iter().find(|c| c.value == *value);
            found.map_or_else(|| value.clone(), |c| c.label.get(view.lang).to_owned())
        }
        Kind::Tick => view.t("ticked"),
        _ => value.clone(),
    };
    let all: Vec<String> = typed.iter().filter(|v| !v.is_empty()).map(label).collect();
    if all.is_empty() { "—".to_owned() } else { all.join("；") }
}

/// The part of a long form in which a question stands, as the query of its address.
fn part_query(sheet: &Sheet, name: &str) -> String {
    let place = parts(sheet).iter().position(|part| part.fields.iter().any(|f| f.name == name));
    place.filter(|_| is_long(sheet)).map(|part| format!("?part={part}")).unwrap_or_default()
}

fn check_page(view: &View, form: &Form, sheet: &Sheet, answers: &Answers, version: u64) -> Response {
    let title = view.t("check_answers");
    let act = words("act", sheet.kind, &[]);
    let action = act_href(view, &form.app, &form.log, &form.kind, &form.case);
    let empty = Vec::new();
    let main = html! {
        (ui::title_block(&title, Some(act.get(view.lang))))
        (ui::sentence(&view.t("check_answers_text")))
        // Part by part, as the form asked: the same question may stand in several.
        @for fields in sheet.fields.chunk_by(|_, next| next.part.is_none()) {
            @if let Some(part) = fields.first().and_then(|field| field.part.as_ref()) { h2 { (part.get(view.lang)) } }
            dl.facts.answers {
                @for field in fields {
                    div {
                        dt { (field.label.get(view.lang)) }
                        dd {
                            span.typed translate="no" { (shown(view, field, answers.get(&field.name).unwrap_or(&empty))) } " "
                            a href=(format!("{action}{}#{}", part_query(sheet, &field.name), html_id(&field.name))) { (view.t("change")) }
                        }
                    }
                }
            }
        }
        form method="post" action=(action) {
            input type="hidden" name=(VERSION) value=(version);
            @for (name, values) in answers { @for value in values { input type="hidden" name=(name) value=(value); } }
            div.buttons { (ui::submit(&view.t("go_send"), true, Some((BUTTON, "send")))) }
        }
    };
    view.page(&form.app, Content::new(title, main))
}

/// A record that `subject` wrote or signed.
pub(crate) fn own_record(app: &App, log: &str, subject: &str, seq: u64) -> Option<Record> {
    let handle = proposal::handle(app.heng(), log, subject).ok().flatten()?;
    let record = app.heng().log(log).ok()?.record(seq).ok()?;
    let own = record.actor == handle || record.sigs.iter().any(|s| s.by == handle);
    own.then_some(record)
}

/// What came of an act: the record with its receipt, and where to go on.
pub(crate) async fn record(
    view: View,
    State(app): State<App>,
    Path((first, second, seq)): Path<(String, String, u64)>,
) -> Response {
    if view.me.is_none() {
        return view.sign_in_first();
    }
    let Some(me) = view.me.clone() else { return view.missing(&app) };
    let Some(log_id) = log_of(&app, &first, &second) else { return view.missing(&app) };
    let Ok(log) = app.heng().log(&log_id) else { return view.missing(&app) };
    let Some(record) = own_record(&app, &log_id, &me.subject, seq) else { return view.missing(&app) };
    let title = view.t("done_title");
    let act = words("act", &record.kind, &[]);
    let (rows, offset) = {
        let image = log.image();
        let offset = image.state.edition().map(|e| e.rules().utc_offset_minutes);
        let offset = offset.or_else(|| image.state.office().map(|o| o.founded.utc_offset_minutes)).unwrap_or(0);
        (desk::describe(image.state.edition(), &record.body, &BTreeMap::new()), offset)
    };
    let time = crate::words::instant(view.lang, record.time, offset);
    let main = html! {
        (ui::title_block(&title, Some(log_name(&app, &log_id).get(view.lang))))
        (ui::sentence(&view.tp("done_text", &[("act", act.get(view.lang)), ("record", &seq.to_string()), ("time", &time)])))
        (ui::next_step(&NextStep {
            label: view.t("next_step").into(),
            text: view.t("done_next").into(),
            due: None,
            action: Some(Action::Link(Link::new(view.t("go_on"), view.href(&format!("/work/{}", place(&app, &log_id)))))),
            reason: Some(view.t("done_reason").into()),
        }))
        (described(&view, &rows))
        p { a href=(view.href(&format!("/work/{}/receipts/{seq}", place(&app, &log_id)))) { (view.t("receipt_button")) } }
    };
    let proof = view.proof(&log);
    view.page(&app, Content { proof, ..Content::new(title, main) })
}

/// The receipt of one's own record: an offline proof that it is in the log.
pub(crate) async fn receipt(
    view: View,
    State(app): State<App>,
    Path((first, second, seq)): Path<(String, String, u64)>,
) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let Some(id) = log_of(&app, &first, &second) else { return view.missing(&app) };
    let Ok(log) = app.heng().log(&id) else { return view.missing(&app) };
    if own_record(&app, &id, &me.subject, seq).is_none() {
        return view.missing(&app);
    }
    match log.receipt(seq) {
        Ok(receipt) => (crate::files::inert(&format!("receipt-{seq}.tlog-proof")), receipt.to_string()).into_response(),
        Err(error) => view.failure(&app, &error),
    }
}

/// A record in words.
pub(crate) fn described(view: &View, rows: &[(Text, Text)]) -> Markup {
    html! {
        dl.facts.answers {
            @for (label, value) in rows {
                div { dt { (label.get(view.lang)) } dd { span.typed translate="no" { (value.get(view.lang)) } } }
            }
        }
    }
}
