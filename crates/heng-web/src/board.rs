//! The office's board (看板): where the edition stands, who is late, how far the experts are, and the supervisor's alarms.

use std::collections::BTreeMap;

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use heng_app::Log;
use heng_app::desk::DeskError;
use heng_app::desk::alarms::Alarm;
use heng_app::desk::notes::{self, Note, Reader};
use heng_domain::edition::{Edition, StageProgress};
use heng_log::checkpoint::open_checkpoint;
use heng_log::code::root_code;
use maud::{Markup, html};
use serde::Deserialize;

use crate::account::Again;
use crate::act::trouble;
use crate::opening::{self, Opening};
use crate::ui::{self, Bar, Column, Field, FieldKind, PictureWords, Row, Tone};
use crate::view::{App, Content, View};
use crate::words::{date, instant, points};
use crate::work::{log_name, log_of, place};
use crate::{alarms, openings};

/// Most openings that the board shows: the newest. All are on a page of their own.
const SHOWN: usize = 20;

/// What was typed on the board: a note, or a checkpoint to compare.
#[derive(Default)]
struct Typed {
    note: String,
    checkpoint: String,
}

fn reader(view: &View, app: &App, first: &str, second: &str) -> Option<Reader> {
    let log = log_of(app, first, second)?;
    notes::reader(app.heng(), &log, &view.me.as_ref()?.subject).ok().flatten()
}

pub(crate) async fn show(
    view: View,
    State(app): State<App>,
    Path((first, second)): Path<(String, String)>,
) -> Response {
    if view.me.is_none() {
        return view.sign_in_first();
    }
    let Some(reader) = reader(&view, &app, &first, &second) else {
        return view.problem(&app, StatusCode::FORBIDDEN, &view.t("not_yours_title"), &view.t("board_not_yours"));
    };
    respond(&view, &app, &reader, StatusCode::OK, html! {}, &Again::default()).await
}

async fn respond(
    view: &View,
    app: &App,
    reader: &Reader,
    code: StatusCode,
    top: Markup,
    again: &Again<Typed>,
) -> Response {
    let Ok(log) = app.heng().log(&reader.log) else { return view.missing(app) };
    let rows = {
        let (app, reader) = (app.clone(), reader.clone());
        tokio::task::spawn_blocking(move || rows(&app, &reader)).await
    };
    let Ok(Ok((alarms, openings, notes))) = rows else { return view.missing(app) };
    let title = view.t("board_title");
    let image = log.image();
    let Some(edition) = image.state.edition() else { return view.missing(app) };
    let main = html! {
        (ui::title_block(&title, Some(log_name(app, &reader.log).get(view.lang))))
        (ui::sentence(&crate::edition::stands(view, edition)))
        (top)
        (again.summary(view))
        (alarms::section(view, app, edition, &reader.log, &alarms))
        (stages(view, edition))
        (years(view, app, edition))
        (crate::edition::funnel(view, edition))
        (conditions(view, edition, app, &reader.log))
        (experts(view, edition))
        (classes(view, edition))
        (opened(view, app, edition, reader, &openings))
        (notes_section(view, app, edition, reader, &notes, again))
        @if reader.supervises { (witness(view, app, reader, &log, again)) }
        p {
            a href=(view.href(&format!("/work/{}/objections", place(app, &reader.log)))) { (view.t("objections_title")) } " · "
            a href=(view.href(&format!("/work/{}/papers", place(app, &reader.log)))) { (view.t("official_papers")) } " · "
            a href=(view.href(&format!("/work/{}", place(app, &reader.log)))) { (view.t("back_work")) }
        }
    };
    drop(image);
    let proof = view.proof(&log);
    view.page_with(app, code, Content { proof, wide: true, ..Content::new(title, main) })
}

type Rows = (Vec<Alarm>, Vec<Opening>, Vec<Note>);

/// Alarms, openings of files and notes, newest first.
fn rows(app: &App, reader: &Reader) -> heng_app::Result<Rows> {
    let openings = opening::newest(app, &reader.log, SHOWN)?;
    Ok((alarms::list(app, reader)?, openings, notes::list(app.heng(), &reader.log)?))
}

fn stages(view: &View, edition: &Edition) -> Markup {
    let columns = ["board_stage", "state_column", "board_due"].map(|key| Column::text(view.t(key)));
    let rows: Vec<Row<'_>> = edition
        .rules()
        .stages
        .iter()
        .map(|stage| {
            let (key, tone, when) = match edition.progress(stage) {
                StageProgress::Done { on } => ("stage_done", Tone::Done, date(view.lang, edition.day(on))),
                StageProgress::Now { due } => ("stage_current", Tone::Now, date(view.lang, due)),
                StageProgress::Next | StageProgress::Ahead => ("stage_ahead", Tone::Quiet, String::new()),
            };
            Row::new(vec![html! { (stage.name.get(view.lang)) }, ui::status_tag(&view.t(key), tone), html! { (when) }])
        })
        .collect();
    html! { section { h2 { (view.t("board_stages")) } (ui::table(&view.t("board_stages"), &columns, &rows, &html! {})) } }
}

/// Applicants of this award by year.
fn years(view: &View, app: &App, edition: &Edition) -> Markup {
    let mut by_year: BTreeMap<u32, usize> = BTreeMap::from([(edition.opened.year, edition.applications.len())]);
    let logs = app.heng().editions();
    for log in logs.iter().filter(|log| log.id() != edition.log) {
        let image = log.image();
        if let Some(other) = image.state.edition().filter(|other| other.rules().id == edition.rules().id) {
            by_year.insert(other.opened.year, other.applications.len());
        }
    }
    let bars: Vec<Bar<'_>> = by_year
        .iter()
        .map(|(year, count)| Bar {
            label: year.to_string().into(),
            value: i64::try_from(*count).unwrap_or(0),
            shown: count.to_string().into(),
            href: None,
        })
        .collect();
    picture(view, ["board_years", "board_years_text", "board_years_head"], &bars)
}

/// Bars under a heading, with a sentence and the head of the table behind them.
fn picture(view: &View, [heading, text, head]: [&str; 3], bars: &[Bar<'_>]) -> Markup {
    let words = PictureWords {
        title: view.t(text).into(),
        desc: view.t(heading).into(),
        table_summary: view.t("as_table").into(),
        heads: vec![view.t(head).into(), view.t("count").into()],
    };
    html! { section.told { h2 { (view.t(heading)) } (ui::funnel_svg(&words, bars)) } }
}

/// One row for each application, one column for each condition.
fn conditions(view: &View, edition: &Edition, app: &App, log: &str) -> Markup {
    let rules = &edition.rules().conditions;
    let checked = edition.applications.values().any(|a| !a.checks.is_empty());
    if rules.is_empty() || !checked {
        return html! {};
    }
    let mut columns = vec![Column::text(view.t("applicant"))];
    columns.extend(rules.iter().map(|c| Column::text(c.name.get(view.lang))));
    columns.push(Column::text(view.t("pre_review")));
    let here = view.href(&format!("/work/{}/applications", place(app, log)));
    let rows: Vec<Row<'_>> = edition
        .applications
        .iter()
        .filter(|(_, a)| a.withdrawn.is_none())
        .map(|(id, a)| {
            let name = edition.applicant(id).map_or(id.as_str(), |o| o.name.get(view.lang)).to_owned();
            let mut cells = vec![html! { (name) }];
            for condition in rules {
                cells.push(match a.checks.get(&condition.id) {
                    None => ui::status_tag(&view.t("unchecked"), Tone::Quiet),
                    Some(check) if check.met => ui::status_tag(&view.t("met"), Tone::Done),
                    Some(_) => ui::status_tag(&view.t("not_met"), Tone::Stop),
                });
            }
            cells.push(match &a.review {
                None => ui::status_tag(&view.t("undecided"), Tone::Due),
                Some(review) if review.passed => ui::status_tag(&view.t("passed"), Tone::Done),
                Some(_) => ui::status_tag(&view.t("refused"), Tone::Stop),
            });
            Row::link(format!("{here}/{id}"), cells)
        })
        .collect();
    html! {
        section {
            h2 { (view.t("board_conditions")) }
            div.scroll tabindex="0" role="group" aria-label=(view.t("board_conditions")) {
                (ui::table(&view.t("board_conditions"), &columns, &rows, &html! {}))
            }
        }
    }
}

/// How many of their sheets the experts have handed in, by stage.
fn experts(view: &View, edition: &Edition) -> Markup {
    let mut rows = Vec::new();
    for stage in edition.rules().stages.iter().filter(|s| s.scoring.is_some()) {
        let sheets = edition.sheets.get(&stage.id);
        let mut owed: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for application in &edition.field {
            let Some((_, panel)) = edition.panel_of(&stage.id, application) else { continue };
            for expert in panel.members.iter().filter(|x| !edition.is_recused(x, application)) {
                let done = sheets.and_then(|s| s.submitted.get(application)).is_some_and(|by| by.contains_key(expert));
                let count = owed.entry(expert.as_str()).or_default();
                count.0 += usize::from(done);
                count.1 += 1;
            }
        }
        // A stage in which no sheet is handed in by single experts has nothing to show.
        if owed.values().all(|(done, _)| *done == 0) && edition.is_closed(&stage.id) {
            continue;
        }
        for (expert, (done, all)) in owed {
            let tone = if done == all { Tone::Done } else { Tone::Due };
            rows.push(Row::new(vec![
                html! { (expert) },
                html! { (stage.name.get(view.lang)) },
                ui::status_tag(&format!("{done} / {all}"), tone),
            ]));
        }
    }
    if rows.is_empty() {
        return html! {};
    }
    let columns = ["board_expert", "board_stage", "board_sheets"].map(|key| Column::text(view.t(key)));
    html! {
        details.more {
            summary { (view.t("board_experts")) }
            (ui::table(&view.t("board_experts"), &columns, &rows, &html! {}))
        }
    }
}

/// Composite scores in classes of a hundred points, once every sheet that they rest on is in.
fn classes(view: &View, edition: &Edition) -> Markup {
    let computed = edition.sheets.values().any(|sheets| sheets.computed.is_some());
    let scores: Vec<u64> =
        edition.applications.keys().filter_map(|a| edition.composite(a)).filter(|s| *s > 0).collect();
    if !computed || scores.is_empty() {
        return html! {};
    }
    let mut counts: BTreeMap<u64, i64> = BTreeMap::new();
    for score in &scores {
        *counts.entry(score / 10_000 * 100).or_default() += 1;
    }
    let bars: Vec<Bar<'_>> = counts
        .iter()
        .map(|(from, count)| Bar {
            label: format!("{from}–{}", from + 99).into(),
            value: *count,
            shown: count.to_string().into(),
            href: None,
        })
        .collect();
    let best = scores.iter().max().copied().unwrap_or(0);
    let keys = ["board_classes", "board_classes_text", "board_classes_head"];
    html! { (picture(view, keys, &bars)) p { (view.tp("board_best", &[("points", &points(best))])) } }
}

fn opened(view: &View, app: &App, edition: &Edition, reader: &Reader, openings: &[Opening]) -> Markup {
    if openings.is_empty() {
        return html! {};
    }
    html! {
        details.more {
            summary { (view.t("openings")) }
            (openings::table(view, edition, &reader.handle, openings))
        }
        p { a href=(view.href(&format!("/work/{}/openings", place(app, &reader.log)))) { (view.t("openings_all")) } }
    }
}

fn notes_section(
    view: &View,
    app: &App,
    edition: &Edition,
    reader: &Reader,
    notes: &[Note],
    again: &Again<Typed>,
) -> Markup {
    let offset = edition.rules().utc_offset_minutes;
    let form = html! {
        (ui::field(&Field::of("text", view.t("note_text"), FieldKind::Area { value: again.typed.note.as_str().into(), rows: 3 }).error(again.error("text"))))
        (ui::submit(&view.t("note_add"), false, None))
    };
    let action = view.href(&format!("/work/{}/board/notes", place(app, &reader.log)));
    html! {
        @if reader.supervises || !notes.is_empty() {
            section {
                h2 { (view.t("notes")) }
                @if notes.is_empty() { p { (view.t("notes_none")) } }
                ul { @for note in notes { li { p.prose translate="no" { (note.text) } p.hint { (note.by) " · " (instant(view.lang, note.at, offset)) } } } }
                @if reader.supervises { (ui::form(&ui::Form { action: action.into(), ..ui::Form::default() }, &form)) }
            }
        }
    }
}

/// The supervisor keeps a checkpoint at home and later shows it: the log must still begin with it.
fn witness(view: &View, app: &App, reader: &Reader, log: &Log, again: &Again<Typed>) -> Markup {
    let here = view.href(&format!("/work/{}/board/checkpoint", place(app, &reader.log)));
    let root = log.image().checkpoint.as_ref().map(|c| root_code(&heng_log::Hash(c.root))).unwrap_or_default();
    let form = html! {
        (ui::field(&Field::of("checkpoint", view.t("witness_paste"), FieldKind::Area { value: again.typed.checkpoint.as_str().into(), rows: 6 }).error(again.error("checkpoint"))))
        (ui::submit(&view.t("witness_check"), false, None))
    };
    html! {
        section {
            h2 { (view.t("witness")) }
            p { (view.t("witness_text")) " " code { (root) } }
            p { a.button href=(here) { (view.t("witness_download")) } }
            (ui::form(&ui::Form { action: here.into(), ..ui::Form::default() }, &form))
        }
    }
}

pub(crate) async fn checkpoint(
    view: View,
    State(app): State<App>,
    Path((first, second)): Path<(String, String)>,
) -> Response {
    if view.me.is_none() {
        return view.sign_in_first();
    }
    let Some(reader) = reader(&view, &app, &first, &second) else { return view.missing(&app) };
    let Ok(log) = app.heng().log(&reader.log) else { return view.missing(&app) };
    let note = log.image().checkpoint.as_ref().map(|c| (c.size, c.note.clone()));
    match note {
        Some((size, note)) => (crate::files::inert(&format!("checkpoint-{second}-{size}.txt")), note).into_response(),
        None => view.missing(&app),
    }
}

#[derive(Deserialize)]
pub(crate) struct Kept {
    #[serde(default)]
    checkpoint: String,
}

/// Compares a kept checkpoint with the log: signed by its key, and still the root of its first records.
pub(crate) async fn compare(
    view: View,
    State(app): State<App>,
    Path((first, second)): Path<(String, String)>,
    Form(kept): Form<Kept>,
) -> Response {
    if view.me.is_none() {
        return view.sign_in_first();
    }
    let Some(reader) = reader(&view, &app, &first, &second).filter(|r| r.supervises) else { return view.missing(&app) };
    let Ok(log) = app.heng().log(&reader.log) else { return view.missing(&app) };
    let text = kept.checkpoint.replace("\r\n", "\n");
    let text = format!("{}\n", text.trim_end_matches('\n'));
    let outcome = match open_checkpoint(&text, &log.verifier_key()) {
        Err(_) => Err("witness_unsigned"),
        Ok((checkpoint, _)) => {
            let image = log.image();
            match image.roots.get(&checkpoint.size) {
                Some(root) if *root == checkpoint.root => Ok(checkpoint.size),
                _ => Err("witness_differs"),
            }
        }
    };
    match outcome {
        Ok(size) => {
            let note = crate::signin::done(&view.tp("witness_same", &[("size", &size.to_string())]));
            respond(&view, &app, &reader, StatusCode::OK, note, &Again::default()).await
        }
        Err(key) => {
            let typed = Typed { checkpoint: kept.checkpoint, ..Typed::default() };
            let again = Again::new(typed, "checkpoint", view.t(key));
            respond(&view, &app, &reader, StatusCode::CONFLICT, html! {}, &again).await
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct NewNote {
    #[serde(default)]
    text: String,
}

pub(crate) async fn add_note(
    view: View,
    State(app): State<App>,
    Path((first, second)): Path<(String, String)>,
    Form(form): Form<NewNote>,
) -> Response {
    let Some(reader) = reader(&view, &app, &first, &second) else { return view.missing(&app) };
    let added = {
        let (app, reader, text) = (app.clone(), reader.clone(), form.text.clone());
        tokio::task::spawn_blocking(move || notes::add(app.heng(), &reader, &text)).await
    };
    match added {
        Ok(Ok(_)) => Redirect::to(&view.href(&format!("/work/{}/board", place(&app, &reader.log)))).into_response(),
        Ok(Err(DeskError::Wrong(wrong))) => {
            let sentence = wrong.iter().map(|w| w.sentence(view.lang)).collect::<Vec<_>>().join(" ");
            let typed = Typed { note: form.text, ..Typed::default() };
            let again = Again::new(typed, "text", sentence);
            respond(&view, &app, &reader, StatusCode::UNPROCESSABLE_ENTITY, html! {}, &again).await
        }
        Ok(Err(error)) => trouble(&view, &app, &error),
        Err(_) => view.missing(&app),
    }
}
