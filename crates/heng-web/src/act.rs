//! An act: its form, its saved draft, the page to check before sending, and what came of it.

mod checking;
mod parts;
mod question;
mod tasks;

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use heng_app::desk::drafts::{self, Save, Saved};
use heng_app::desk::proposal::{self, Outcome};
use heng_app::desk::{self, Answers, DeskError, Field, Sheet, Wrong, words};
use heng_app::{Accepted, AppError};
use heng_domain::edition::events::ApplicationSubmitted;
use heng_domain::messages;
use heng_domain::record::Record;
use heng_domain::text::Text;
use maud::{Markup, html};
use serde_json::{Value, json};

use self::checking::Look;
use self::parts::{
    BUTTON, PART, VERSION, fields_of, html_id, is_long, part_query, parts, progress, said, say_the_same, standing,
    whole,
};
pub(crate) use self::parts::{Posted, posted, shows};
use self::question::question;
use crate::session;
use crate::ui::{self, Action, Link, NextStep, Tone};
use crate::view::{App, Content, Me, View};
use crate::words::date;
use crate::work::{act_href, log_name, log_of, place};

/// Address of an act: two parts of the place, the kind, the case.
pub(crate) type Address = Path<(String, String, String, String)>;

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

    /// The version upon which the form is filled in.
    fn version(&self, sheet: &Sheet, draft: Option<&Saved>) -> Result<u64, DeskError> {
        Ok(match draft {
            Some(saved) => saved.version,
            None => drafts::begun(self.app.heng(), &self.draft_key(sheet))?,
        })
    }

    fn save(&self, sheet: &Sheet, version: u64, answers: Answers) -> Result<Save, DeskError> {
        let by = &self.me.session.account.id;
        Ok(drafts::save(self.app.heng(), &self.draft_key(sheet), by, version, &sheet.before(), answers)?)
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
    /// A form that was sent after its session had ended: it is saved now, and put together with what others saved meanwhile.
    #[serde(default)]
    parked: String,
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
    if !asked.parked.is_empty() && drafts::keeps(&form.kind, &form.case) {
        let (app, account, id) = (app.clone(), form.me.session.account.id.clone(), asked.parked);
        let taken = tokio::task::spawn_blocking(move || {
            let parked = app.accounts().parked(&account, &id).ok()?;
            let posted = posted(parked.expose()).ok()?;
            app.accounts().forget_parked(&account, &id).ok()?;
            Some(posted)
        });
        if let Ok(Some(posted)) = taken.await {
            return save(&view, form, posted, false).await;
        }
    }
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
    /// What is saved, where somebody else changed the same answers as I did, and which answers these are.
    newer: Option<Saved>,
    both: Vec<String>,
    /// Somebody else's answers came in since the form was filled in: it is read once more before it is signed.
    changed: bool,
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
        return if drafts::keeps(&path.2, &path.3) { view.park(&app, &body).await } else { view.sign_in_first() };
    }
    let Some(form) = form(&view, &app, &path) else { return view.missing(&app) };
    let posted = match posted(&body) {
        Ok(posted) => posted,
        Err(wrong) => {
            let text = wrong.sentence(view.lang);
            return view.problem(&app, StatusCode::UNPROCESSABLE_ENTITY, &view.t("errors_heading"), &text);
        }
    };
    let keeps = drafts::keeps(&form.kind, &form.case);
    match posted.button.as_str() {
        "save" if keeps => save(&view, form, posted, quiet).await,
        "check" if keeps => check(&view, form, posted).await,
        "save" => Redirect::to(&act_href(&view, &app, &form.log, &form.kind, &form.case)).into_response(),
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
        Ok((form, sheet, Save::Done(saved), mine)) if quiet => {
            axum::Json(merged(view, &form, &sheet, &saved, &mine, &[], (version, part))).into_response()
        }
        Ok((form, sheet, Save::Both(saved, both), mine)) if quiet => {
            let body = merged(view, &form, &sheet, &saved, &mine, &both, (version, part));
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
        Ok((form, sheet, Save::Both(saved, both), mine)) => both_shown(view, &form, &sheet, &mine, (saved, both), part),
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

/// What a save led to, for the script: when, what others changed on this page meanwhile, and which answers both changed.
fn merged(
    view: &View,
    form: &Form,
    sheet: &Sheet,
    saved: &Saved,
    mine: &Answers,
    both: &[String],
    (version, part): (u64, Option<usize>),
) -> Value {
    let mut sentence = view.tp("saved_at", &[("time", &clock_time(saved, sheet.offset))]);
    if let Some(also) = also(view, form, sheet, saved, version) {
        sentence = format!("{sentence} · {also}");
    }
    let shown = fields_of(sheet, part);
    let theirs = |name: &str| said(&saved.answers, name);
    let differs = |field: &&&Field| said(mine, &field.name) != theirs(&field.name);
    let others: BTreeMap<&str, Vec<&str>> = shown
        .iter()
        .filter(differs)
        .filter(|field| !both.contains(&field.name))
        .map(|field| (field.name.as_str(), theirs(&field.name)))
        .collect();
    let choices: Vec<Value> = shown
        .iter()
        .filter(|field| both.contains(&field.name))
        .map(|field| {
            let typed = saved.answers.get(&field.name).cloned().unwrap_or_default();
            json!({ "name": field.name, "label": field.label.get(view.lang), "values": typed, "shown": question::words(view, field, &typed) })
        })
        .collect();
    let both = (!both.is_empty()).then(|| view.t("draft_newer"));
    json!({ "saved": sentence, "version": saved.version, "others": others, "choices": choices, "newer": both })
}

/// The latest part that somebody else has saved since `version`, in a sentence.
fn also(view: &View, form: &Form, sheet: &Sheet, saved: &Saved, version: u64) -> Option<String> {
    let own = &form.me.session.account.id;
    let newer = parts(sheet).into_iter().filter_map(|part| {
        let trail = tasks::latest(Some(saved), &part)?;
        (trail.by != *own && trail.version() > version).then_some((trail, part.name))
    });
    let (trail, name) = newer.max_by_key(|(trail, _)| trail.version())?;
    let whose = tasks::whose(view, form, trail, sheet.offset);
    Some(match name {
        Some(name) => view.tp("saved_also", &[("part", name.get(view.lang)), ("whose", &whose)]),
        None => whose,
    })
}

/// The same answers were changed here and elsewhere: the form with what was typed here, and beside it what is saved.
fn both_shown(
    view: &View,
    form: &Form,
    sheet: &Sheet,
    mine: &Answers,
    (saved, both): (Saved, Vec<String>),
    part: Option<usize>,
) -> Response {
    let mut answers = saved.answers.clone();
    for name in &both {
        answers.insert(name.clone(), mine.get(name).cloned().unwrap_or_default());
    }
    // The form of the list of tasks has no questions: the part of the first one is shown.
    let first = both
        .first()
        .and_then(|name| parts(sheet).iter().position(|part| part.fields.iter().any(|field| field.name == *name)));
    let shown = Shown {
        status: Some(StatusCode::CONFLICT),
        part: part.or(first),
        answers: Some(answers),
        version: Some(saved.version),
        newer: Some(saved),
        both,
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
        let mine = whole(&sheet, draft.as_ref(), &posted);
        let saved = form.save(&sheet, version, mine.clone())?;
        // What others saved meanwhile is checked with it.
        let answers = if let Save::Done(saved) = &saved { saved.answers.clone() } else { mine };
        let written = desk::write(form.app.heng(), &form.log, &form.me.subject, &form.kind, &form.case, &answers);
        Ok((form, sheet, answers, saved, written))
    })
    .await;
    let (form, sheet, answers, saved, written) = match result {
        Ok(parts) => parts,
        Err(error) => return trouble(view, view.app(), &error),
    };
    let version = match saved {
        Save::Both(saved, both) => return both_shown(view, &form, &sheet, &answers, (saved, both), part),
        Save::Sent => return sent(view, &form, &sheet, answers, part),
        Save::Done(saved) => saved.version,
    };
    match written {
        Ok(written) => {
            let changes = written.first().and_then(|written| crate::rules::proposed(view, &form.app, &written.body));
            checking::page(view, &form, &sheet, &answers, version, Look { changes, ..Look::default() })
        }
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
        if !sheet.fields.is_empty() && drafts::keeps(sheet.kind, &sheet.case.id) {
            match form.save(&sheet, version, answers.clone())? {
                Save::Done(saved) if say_the_same(&sheet, &saved.answers, &answers) => {}
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
        Err(Save::Both(saved, both)) => return both_shown(view, &form, &sheet, &answers, (saved, both), part),
        Err(Save::Sent) => return sent(view, &form, &sheet, answers, part),
        // Nobody sends or signs what somebody else has written meanwhile without having read it.
        Err(Save::Done(saved)) if sheet.signs.actor && !is_long(&sheet) => {
            let shown = Shown { status: Some(StatusCode::CONFLICT), changed: true, ..Shown::default() };
            return page(view, &form, &sheet, Some(&saved), &shown);
        }
        Err(Save::Done(saved)) => {
            return checking::page(
                view,
                &form,
                &sheet,
                &saved.answers,
                saved.version,
                Look { changed: true, ..Look::default() },
            );
        }
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
            refused: Some(crate::words::refusal(view.lang, &form.app, &form.log, &refusal)),
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
    let act = desk::act_name(sheet.kind, &sheet.case.id);
    let title = act.get(view.lang).to_owned();
    let (log, about) = (log_name(&form.app, &form.log), sheet.case.about.get(view.lang));
    // What an act does to the whole edition is about its label, which the log's name holds already.
    let kicker = match log.get(view.lang) {
        log if log.ends_with(about) => log.to_owned(),
        log => format!("{log} · {about}"),
    };
    let keeps = drafts::keeps(sheet.kind, &sheet.case.id);
    let begun = form.version(sheet, None).ok();
    let version = shown.version.or(draft.map(|d| d.version)).or(begun).unwrap_or_default();
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
            let sentence = w.sentence(view.lang);
            // The sentence alone would not say which question it means.
            let text = match parts::asked(sheet, &w.field) {
                Some(asked) => view.tp(
                    "at_question",
                    &[("question", asked.get(view.lang).trim_end_matches(['。', '.'])), ("wrong", &sentence)],
                ),
                None => sentence,
            };
            let link = if listed && !w.field.is_empty() {
                format!("{action}{}#{id}", part_query(sheet, &w.field))
            } else {
                id
            };
            (link.into(), text.into())
        })
        .collect();
    let read = reading(view, form, sheet);
    let now = standing(sheet, draft);
    let now = answers.unwrap_or(&now);
    let body = html! {
        input type="hidden" name=(VERSION) value=(version);
        @if let Some(part) = shown.part.filter(|_| long) { input type="hidden" name=(PART) value=(part); }
        @for (index, part) in all.iter().enumerate().filter(|(index, _)| !long || shown.part == Some(*index)) {
            @if let Some(name) = part.name { h2 id=(format!("part-{index}")) { (name.get(view.lang)) } }
            @if let Some(trail) = tasks::latest(draft, part).filter(|trail| trail.by != form.me.session.account.id) {
                p.hint { (tasks::whose(view, form, trail, sheet.offset)) }
            }
            @for field in &part.fields { (question(view, form, sheet, field, now, shown)) }
        }
        @if long {
            div.buttons {
                (ui::submit(&view.t("go_next_part"), true, Some((BUTTON, "save"))))
                a.button href=(act_href(view, &form.app, &form.log, &form.kind, &form.case)) { (view.t("to_task_list")) }
            }
        } @else { (shows(view, &sheet.shows)) (buttons(view, sheet)) }
    };
    let main = html! {
        (ui::title_block(&title, Some(&kicker)))
        (ui::sentence(desk::act_text(sheet.kind, &sheet.case.id).get(view.lang)))
        @if let Some(due) = sheet.case.due { p { (ui::status_tag(&view.tp("by_day", &[("day", &date(view.lang, due))]), Tone::Due)) } }
        @if !sheet.fields.is_empty() && drafts::keeps(sheet.kind, &sheet.case.id) {
            (ui::saved_line(&match draft {
                Some(saved) => view.tp("saved_at", &[("time", &clock_time(saved, sheet.offset))]),
                None => view.t("saved_not_yet"),
            }))
        }
        (ui::error_summary(&view.t("errors_heading"), &errors))
        @if sheet.kind == "rules.adopted" && (listed || !long) { (crate::rules::trial_link(view, &form.app, &form.log, &form.case)) }
        @if let Some(refused) = &shown.refused { (ui::note(Tone::Stop, &html! { p role="alert" { (refused) } })) }
        @if let Some(newer) = &shown.newer {
            (ui::note(Tone::Due, &html! { p role="alert" { (view.tp("draft_conflict", &[("time", &clock_time(newer, sheet.offset))])) } }))
        }
        @if shown.changed { (ui::note(Tone::Due, &html! { p role="alert" { (view.t("check_changed")) } })) }
        @if sheet.fields.len() > 10 && !listed {
            @let (filled, asked) = progress(&fields_of(sheet, shown.part), now);
            p { (view.tp("progress_line", &[("filled", &filled.to_string()), ("asked", &asked.to_string())])) }
        }
        @if listed { (tasks::list(view, form, sheet, draft, now, version)) }
        @else { @match &read {
            // Where nothing is typed beside it, what is to be read stands whole.
            Some(read) if sheet.fields.is_empty() => {
                section { (read) }
                (wrapped(&action, view, &body, begun.filter(|_| keeps)))
            },
            Some(read) => div.split {
                section.split-read aria-label=(view.t(if crate::objections::decides(sheet.kind) { "objections_title" } else { "dossier" })) { (read) }
                section.split-write aria-label=(title) { (wrapped(&action, view, &body, begun.filter(|_| keeps))) }
            },
            None => (wrapped(&action, view, &body, begun.filter(|_| keeps))),
        } }
        p { a href=(view.href(&format!("/work/{}", place(&form.app, &form.log)))) { (view.t("back_work")) } }
    };
    let wide = read.is_some();
    let content = Content { script: Some("form.js"), wide, ..Content::new(title, main) };
    view.page_with(&form.app, shown.status.unwrap_or(StatusCode::OK), content)
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
        let draft = form.draft(&sheet)?;
        let before = sheet.before();
        let typed = draft.as_ref().map_or(&before, |draft| &draft.answers);
        let answers = desk::fill_in(&before, typed, answers);
        form.save(&sheet, form.version(&sheet, draft.as_ref())?, answers)?;
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

/// `begun`: the version upon which an empty form is filled in, where drafts are kept.
fn wrapped(action: &str, view: &View, body: &Markup, begun: Option<u64>) -> Markup {
    html! {
        form.act method="post" action=(action) novalidate data-begun=[begun]
            data-autosave=(view.t("saving")) data-offline=(view.t("saved_offline")) data-restored=(view.t("saved_restored"))
            data-kept=(view.t("draft_kept_here")) data-theirs=(view.t("draft_theirs"))
            data-keep-mine=(view.t("draft_keep_mine")) data-take-theirs=(view.t("draft_take_theirs")) data-choose=(view.t("draft_choose")) { (body) }
    }
}

/// What one reads beside the form: the dossier of the case.
fn reading(view: &View, form: &Form, sheet: &Sheet) -> Option<Markup> {
    if crate::objections::decides(sheet.kind) {
        return crate::objections::content(view, &form.app, &form.log, &sheet.me, &sheet.case.id);
    }
    if matches!(sheet.kind, "shortlist.decided" | "selection.decided") {
        return crate::ranking::content(view, &form.app, &form.log, &sheet.case.id);
    }
    if sheet.kind == "ballot.cast" {
        let motion = sheet.case.id.split('~').next().unwrap_or_default();
        return crate::ranking::papers(view, &form.app, &form.log, &sheet.me, motion);
    }
    if sheet.kind == "minutes.signed" {
        return minutes(view, form, &sheet.case.id);
    }
    let visits = matches!(sheet.kind, "visit.issue_raised" | "visit.reported");
    let judges = matches!(sheet.kind, "score.submitted" | "consensus.agreed");
    if !(judges || visits || matches!(sheet.kind, "condition.checked" | "recommendation.given")) {
        return None;
    }
    let application = sheet.case.id.rsplit('~').next()?;
    let dossier = crate::dossier::content(view, &form.app, &form.log, &sheet.me, application);
    if sheet.kind != "consensus.agreed" && !visits {
        return dossier;
    }
    let agenda = form.app.heng().log(&form.log).ok().and_then(|log| {
        let image = log.image();
        let edition = image.state.edition()?;
        let stage = edition.rules().stage(sheet.case.id.split('~').next()?)?;
        let found = crate::visits::noted(view, edition, stage, application);
        let found = found.or_else(|| crate::consensus::agenda(view, edition, stage, application));
        let dissents = crate::consensus::dissents(view, edition, application);
        Some(html! { @if let Some(found) = found { (found) } (dissents) })
    });
    Some(html! { @if let Some(agenda) = agenda { (agenda) } @if let Some(dossier) = dossier { (dossier) } })
}

/// What the chair signs, as the log gives it; the form asks for a remark only.
fn minutes(view: &View, form: &Form, session: &str) -> Option<Markup> {
    let text = desk::with_desk(form.app.heng(), &form.log, &form.me.subject, |at| match at {
        desk::Place::Edition(desk) => Some(desk::minutes(desk, session)),
        desk::Place::Office(_) => None,
    });
    let text = text.ok()???;
    Some(html! { h2 { (view.t("minutes_facts")) } pre.exact tabindex="0" lang="zh-CN" { (text) } })
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
            @if asks && drafts::keeps(sheet.kind, &sheet.case.id) { (ui::submit(&view.t("go_save"), false, Some((BUTTON, "save")))) }
        }
    }
}

/// A record that `subject` wrote or signed, or that is an alarm on their board.
pub(crate) fn own_record(app: &App, log: &str, subject: &str, seq: u64) -> Option<Record> {
    let handle = proposal::handle(app.heng(), log, subject).ok().flatten()?;
    let record = app.heng().log(log).ok()?.record(seq).ok()?;
    let own = record.actor == handle || record.sigs.iter().any(|s| s.by == handle);
    if own { Some(record) } else { crate::alarms::record(app, log, subject, seq) }
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
        (desk::describe(&image.state, &record.kind, &record.body, &BTreeMap::new()), offset)
    };
    // Whoever has applied gets a receipt on paper too.
    let submitted =
        (record.kind == ApplicationSubmitted::KIND).then(|| record.body.get("application")?.as_str()).flatten();
    let time = crate::words::instant(view.lang, record.time, offset);
    // In a session the page says what happens next, and follows it.
    let session = session::concerns(&record.kind).then(|| session::part(&view, &app, &me, &log_id)).flatten();
    let main = html! {
        (ui::title_block(&title, Some(log_name(&app, &log_id).get(view.lang))))
        (ui::sentence(&view.tp("done_text", &[("act", act.get(view.lang)), ("record", &seq.to_string()), ("time", &time)])))
        @match session.as_ref().and_then(|part| part.step.as_ref()) {
            Some(step) => (step),
            None => (ui::next_step(&NextStep {
                label: view.t("next_step").into(),
                text: view.t("done_next").into(),
                due: None,
                action: Some(Action::Link(Link::new(view.t("go_on"), view.href(&format!("/work/{}", place(&app, &log_id)))))),
                reason: Some(view.t("done_reason").into()),
            })),
        }
        @if let Some(part) = &session {
            (part.body)
            p { a href=(view.href(&format!("/work/{}", place(&app, &log_id)))) { (view.t("go_on")) } }
        }
        @match crate::rules::proposed(&view, &app, &record.body) {
            Some(changes) => (changes),
            None => (described(&view, &rows)),
        }
        p { a href=(view.href(&format!("/work/{}/receipts/{seq}", place(&app, &log_id)))) { (view.t("receipt_button")) } }
        @if let Some(application) = submitted {
            p { a href=(crate::papers::href(&view, &app, &log_id, "receipt", application)) { (view.t("receipt_print")) } }
        }
    };
    let proof = view.proof(&log);
    let script = session.map(|_| "session.js");
    view.page(&app, Content { proof, script, ..Content::new(title, main) })
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
