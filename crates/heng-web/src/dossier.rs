//! A dossier (申报材料) as those inside may read it: profile, figures, self-evaluation, files, and what was decided on it.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use heng_app::desk::{Place, proposal, with_desk};
use heng_domain::edition::{Application, Edition};
use heng_log::Hash;
use maud::{Markup, html};
use serde::Deserialize;

use crate::ui::{self, Column, Link, Pager, Row, Tone};
use crate::view::{App, Content, View};
use crate::words::{instant, money};
use crate::work::{log_name, log_of, place};

/// Applications on one page of the list.
const PAGE: usize = 50;

/// The dossier of an application for `reader`, and a note that it was opened; `None` where the reader may not.
pub(crate) fn content(view: &View, app: &App, log_id: &str, reader: &str, application: &str) -> Option<Markup> {
    let log = app.heng().log(log_id).ok()?;
    // The texts come from the disk; meanwhile the image must be free for those who write.
    let hashes: Vec<Hash> = {
        let image = log.image();
        let edition = image.state.edition().filter(|edition| edition.may_read(reader, application))?;
        let body = &edition.applications.get(application)?.body;
        body.self_evaluation.values().map(|own| own.sha256).chain([body.profile_sha256]).collect()
    };
    let texts: Texts = hashes.into_iter().map(|hash| (hash, text_of(app, &hash))).collect();
    let markup = {
        let image = log.image();
        let edition = image.state.edition()?;
        body(view, app, edition, log_id, edition.applications.get(application)?, reader, &texts)
    };
    opened(app, log_id, reader, application, "dossier");
    Some(markup)
}

/// Who opened what, and when: the supervisor reads it (issue “every file opening is recorded”).
fn opened(app: &App, log: &str, reader: &str, application: &str, what: &str) {
    let now = app.heng().clock().now();
    let key = format!("{log}|{application}|{now}|{reader}|{what}");
    if let Err(error) = app.heng().store().put_row("opening", &key, b"") {
        tracing::error!(%error, "an opening could not be noted");
    }
}

/// Texts of a dossier by their hashes.
type Texts = BTreeMap<Hash, String>;

fn text_of(app: &App, sha: &Hash) -> String {
    let bytes = app.heng().store().attachment(&sha.0).ok().flatten().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

fn body(
    view: &View,
    app: &App,
    edition: &Edition,
    log: &str,
    application: &Application,
    reader: &str,
    texts: &Texts,
) -> Markup {
    let text = |hash: &Hash| texts.get(hash).map(String::as_str).unwrap_or_default();
    let offset = edition.rules().utc_offset_minutes;
    let now = instant(view.lang, app.heng().clock().now(), offset);
    let body = &application.body;
    let files = view.href(&format!("/work/{}/applications/{}/files", place(app, log), body.application));
    html! {
        p.watermark { (view.tp("watermark", &[("reader", reader), ("time", &now)])) }
        h2 { (view.t("profile_heading")) }
        p.prose { (text(&body.profile_sha256)) }
        h2 { (view.t("figures_heading")) }
        (figures(view, application))
        @for item in edition.criteria.iter().flat_map(|tree| tree.items()) {
            @if let Some(own) = body.self_evaluation.get(&item.id) {
                h3 id=(format!("item-{}", item.id.replace('.', "-"))) { (item.id) " " (item.name.get(view.lang)) }
                p.prose { (text(&own.sha256)) }
                p.hint { (view.tp("own_percent", &[("percent", &own.percent.to_string()), ("chars", &own.chars.to_string())])) }
            }
        }
        h2 { (view.t("files_heading")) }
        @if body.attachments.is_empty() { p { (view.t("no_files")) } }
        ul { @for file in &body.attachments { li {
            a href=(format!("{files}/{}", file.sha256)) { (file.name) }
            " · " (file.about) " · " (view.tp("bytes", &[("bytes", &crate::words::number(file.size))]))
        } } }
        @if !application.recommendations.is_empty() {
            h2 { (view.t("recommendations_heading")) }
            ul { @for r in &application.recommendations { li {
                (ui::status_tag(&view.t(if r.body.support { "supports" } else { "supports_not" }), if r.body.support { Tone::Done } else { Tone::Stop }))
                " " (r.body.opinion)
            } } }
        }
        @if !application.checks.is_empty() {
            h2 { (view.t("conditions_heading")) }
            ul { @for check in application.checks.values() { li {
                (ui::status_tag(&view.t(if check.met { "met" } else { "not_met" }), if check.met { Tone::Done } else { Tone::Stop }))
                " " (edition.rules().condition(&check.condition).map_or(check.condition.as_str(), |c| c.name.get(view.lang)))
                @if !check.note.is_empty() { " · " (check.note) }
            } } }
        }
    }
}

fn figures(view: &View, application: &Application) -> Markup {
    let columns = [
        Column::text(view.t("year")),
        Column::number(view.t("revenue")),
        Column::number(view.t("profit")),
        Column::number(view.t("tax")),
        Column::number(view.t("employees")),
    ];
    let fen = |fen: i64| {
        let sign = if fen < 0 { "−" } else { "" };
        format!("{sign}{}", money(view.lang, fen.unsigned_abs()))
    };
    let rows: Vec<Row<'_>> = application
        .body
        .figures
        .iter()
        .map(|f| {
            Row::new(vec![
                html! { (f.year) },
                html! { (fen(f.revenue_fen)) },
                html! { (fen(f.profit_fen)) },
                html! { (fen(f.tax_fen)) },
                html! { (crate::words::number(f.employees)) },
            ])
        })
        .collect();
    ui::table(&view.t("figures_heading"), &columns, &rows, &html! {})
}

/// Who I am in a log, as a reader.
fn reader(app: &App, view: &View, log: &str) -> Option<String> {
    proposal::handle(app.heng(), log, &view.me.as_ref()?.subject).ok().flatten()
}

pub(crate) async fn show(
    view: View,
    State(app): State<App>,
    Path((first, second, id)): Path<(String, String, String)>,
) -> Response {
    if view.me.is_none() {
        return view.sign_in_first();
    }
    let Some(log) = log_of(&app, &first, &second) else { return view.missing(&app) };
    let Some(me) = reader(&app, &view, &log) else { return view.missing(&app) };
    let Some(dossier) = content(&view, &app, &log, &me, &id) else {
        return view.problem(&app, StatusCode::FORBIDDEN, &view.t("not_yours_title"), &view.t("not_yours_text"));
    };
    let (name, state) = {
        let Ok(found) = app.heng().log(&log) else { return view.missing(&app) };
        let image = found.image();
        let Some(edition) = image.state.edition() else { return view.missing(&app) };
        let name = edition.applicant(&id).map(|o| o.name.get(view.lang).to_owned()).unwrap_or_default();
        (name, state_of(&view, edition, &id))
    };
    let main = html! {
        (ui::title_block(&name, Some(log_name(&app, &log).get(view.lang))))
        (ui::sentence(&state.0))
        p { (ui::status_tag(&state.0, state.1)) }
        (dossier)
        p { a href=(view.href(&format!("/work/{}/applications", place(&app, &log)))) { (view.t("applications_link")) } }
    };
    view.page(&app, Content { wide: true, ..Content::new(name, main) })
}

/// Where an application stands, in words.
fn state_of(view: &View, edition: &Edition, id: &str) -> (String, Tone) {
    let Some(application) = edition.applications.get(id) else { return (String::new(), Tone::Quiet) };
    if application.withdrawn.is_some() {
        return (view.t("state_withdrawn"), Tone::Stop);
    }
    if edition.standing_winners().iter().any(|(a, _)| *a == id) {
        return (view.t("state_chosen"), Tone::Done);
    }
    if edition.field.contains(id) {
        return (view.t("state_in_field"), Tone::Now);
    }
    (view.t("state_out"), Tone::Stop)
}

#[derive(Deserialize)]
pub(crate) struct ListQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    sort: String,
    #[serde(default)]
    page: usize,
}

/// The list of applications that I may read: searched, filtered, sorted, by pages.
pub(crate) async fn list(
    view: View,
    State(app): State<App>,
    Path((first, second)): Path<(String, String)>,
    Query(query): Query<ListQuery>,
) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let Some(log) = log_of(&app, &first, &second) else { return view.missing(&app) };
    let wanted = query.q.trim().to_lowercase();
    let found = with_desk(app.heng(), &log, &me.subject, |at| {
        let Place::Edition(desk) = at else { return None };
        let edition = desk.edition;
        let name = |id: &str| edition.applicant(id).map_or(id.to_owned(), |o| o.name.get(view.lang).to_owned());
        let mut rows: Vec<(&String, &Application, String)> = edition
            .applications
            .iter()
            .filter(|(id, _)| match query.state.as_str() {
                "field" => edition.field.contains(*id),
                "out" => !edition.field.contains(*id),
                _ => true,
            })
            .filter(|(id, _)| edition.may_read(&desk.me, id))
            .map(|(id, a)| (id, a.as_ref(), name(id)))
            .filter(|(id, _, name)| wanted.is_empty() || name.to_lowercase().contains(&wanted) || **id == wanted)
            .collect();
        match query.sort.as_str() {
            "name" => rows.sort_by(|a, b| a.2.cmp(&b.2)),
            "time" => rows.sort_by_key(|row| row.1.time),
            _ => {}
        }
        let all = rows.len();
        let offset = edition.rules().utc_offset_minutes;
        let page = query.page.min(all.saturating_sub(1) / PAGE);
        let here = view.href(&format!("/work/{}/applications", place(&app, &log)));
        let rows: Vec<Row<'_>> = rows
            .into_iter()
            .skip(page * PAGE)
            .take(PAGE)
            .map(|(id, a, name)| {
                let (state, tone) = state_of(&view, edition, id);
                Row::link(
                    format!("{here}/{id}"),
                    vec![
                        html! { (name) },
                        html! { (id) },
                        html! { (instant(view.lang, a.time, offset)) },
                        ui::status_tag(&state, tone),
                    ],
                )
            })
            .collect();
        Some((rows, all, page))
    });
    let Ok(Some(Some((rows, all, page)))) = found else { return view.missing(&app) };
    let title = view.t("applications_link");
    let here = view.href(&format!("/work/{}/applications", place(&app, &log)));
    let address = |page: usize| {
        let pairs = [
            ("q", query.q.clone()),
            ("state", query.state.clone()),
            ("sort", query.sort.clone()),
            ("page", page.to_string()),
        ];
        format!("{here}?{}", serde_urlencoded::to_string(pairs).unwrap_or_default())
    };
    let columns = ["applicant", "number_column", "received_on", "state_column"].map(|key| Column::text(view.t(key)));
    let states = ["", "field", "out"]
        .map(|s| ui::Choose::new(s, view.t(&format!("filter_{}", if s.is_empty() { "all" } else { s }))));
    let sorts = ["", "name", "time"]
        .map(|s| ui::Choose::new(s, view.t(&format!("sort_{}", if s.is_empty() { "number" } else { s }))));
    let form = html! {
        (ui::field(&ui::Field::line("q", view.t("search_applicant"), query.q.as_str())))
        (ui::field(&ui::Field::of("state", view.t("state_column"), ui::FieldKind::Select { options: &states, chosen: query.state.as_str().into() })))
        (ui::field(&ui::Field::of("sort", view.t("sort_label"), ui::FieldKind::Select { options: &sorts, chosen: query.sort.as_str().into() })))
        (ui::submit(&view.t("search_button"), false, None))
    };
    let last = all.saturating_sub(1) / PAGE;
    let (from, to) = (page * PAGE + 1, (page * PAGE + PAGE).min(all));
    let position =
        view.tp("pager_position", &[("from", &from.to_string()), ("to", &to.to_string()), ("all", &all.to_string())]);
    let main = html! {
        (ui::title_block(&title, Some(log_name(&app, &log).get(view.lang))))
        (ui::sentence(&view.tp("applications_count", &[("count", &all.to_string())])))
        details.more open[!query.q.is_empty()] {
            summary { (view.t("filter_summary")) }
            (ui::form(&ui::Form { action: here.clone().into(), get: true, ..ui::Form::default() }, &form))
        }
        (ui::table(&title, &columns, &rows, &ui::empty_state(&view.t("applications_empty"), None)))
        @if all > PAGE {
            (ui::pager(&Pager {
                label: view.t("pager_label").into(),
                position: position.into(),
                previous: (page > 0).then(|| Link::new(view.t("pager_previous"), address(page - 1))),
                next: (page < last).then(|| Link::new(view.t("pager_next"), address(page + 1))),
            }))
        }
        p { a href=(view.href(&format!("/work/{}", place(&app, &log)))) { (view.t("back_work")) } }
    };
    view.page(&app, Content { wide: true, ..Content::new(title, main) })
}

/// A file of a dossier: always a download, never shown in our own origin, and its opening is noted.
pub(crate) async fn file(
    view: View,
    State(app): State<App>,
    Path((first, second, id, sha)): Path<(String, String, String, String)>,
) -> Response {
    if view.me.is_none() {
        return view.sign_in_first();
    }
    let Some(log) = log_of(&app, &first, &second) else { return view.missing(&app) };
    let Some(me) = reader(&app, &view, &log) else { return view.missing(&app) };
    let found = {
        let Ok(found) = app.heng().log(&log) else { return view.missing(&app) };
        let image = found.image();
        let edition = image.state.edition().filter(|e| e.may_read(&me, &id));
        edition.and_then(|e| e.applications.get(&id)).and_then(|a| {
            let file = a.body.attachments.iter().find(|f| f.sha256.to_string() == sha)?;
            Some((file.name.clone(), file.sha256))
        })
    };
    let Some((name, hash)) = found else { return view.missing(&app) };
    let bytes = {
        let app = app.clone();
        tokio::task::spawn_blocking(move || app.heng().store().attachment(&hash.0)).await
    };
    let Ok(Ok(Some(bytes))) = bytes else { return view.missing(&app) };
    opened(&app, &log, &me, &id, &sha);
    inert(&name, bytes)
}

/// A file that a browser can only save.
pub(crate) fn inert(name: &str, bytes: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{}", crate::work::encode(name))),
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, Body::from(bytes)).into_response()
}
