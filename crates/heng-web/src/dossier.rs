//! A dossier (申报材料) as those inside may read it: profile, figures, self-evaluation, files, and what was decided on it.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use heng_app::desk::{EditionDesk, Place, files, proposal, with_desk};
use heng_domain::criteria::ItemKind;
use heng_domain::edition::events::Role;
use heng_domain::edition::{Application, Edition, Thing};
use heng_domain::text::{Lang, Text};
use heng_domain::time::Instant;
use heng_log::Hash;
use maud::{Markup, html};
use serde::Deserialize;

use crate::eligibility;
use crate::ui::{self, Bar, Column, Link, Pager, PictureWords, ProfileBar, Row, Tone};
use crate::view::{App, Content, View};
use crate::words::{instant, money};
use crate::work::{log_name, log_of, place};

/// Applications on one page of the list.
const PAGE: usize = 50;

/// Opens the dossier of an application: what `show` makes of it for `reader`, and a note that it was opened; `None`
/// where the reader may not. Pages and the JSON interface open dossiers here and nowhere else.
pub(crate) fn open<T>(
    app: &App,
    log_id: &str,
    reader: &str,
    application: &str,
    show: impl FnOnce(&Edition, &Application, &Texts) -> T,
) -> Option<T> {
    let log = app.heng().log(log_id).ok()?;
    // The texts come from the disk; meanwhile the image must be free for those who write.
    let hashes: Vec<Hash> = {
        let image = log.image();
        let edition = image.state.edition().filter(|edition| edition.may_read(reader, application))?;
        let found = edition.applications.get(application)?;
        let own = found.body.self_evaluation.values().map(|own| own.sha256).chain([found.body.profile_sha256]);
        own.chain(eligibility::notes(found)).collect()
    };
    let texts: Texts = hashes.into_iter().map(|hash| (hash, text_of(app, &hash))).collect();
    let shown = {
        let image = log.image();
        let edition = image.state.edition()?;
        show(edition, edition.applications.get(application)?, &texts)
    };
    opened(app, log_id, reader, application, "dossier");
    Some(shown)
}

/// The dossier as a page shows it.
pub(crate) fn content(view: &View, app: &App, log: &str, reader: &str, application: &str) -> Option<Markup> {
    open(app, log, reader, application, |edition, found, texts| body(view, app, edition, log, found, reader, texts))
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
pub(crate) type Texts = BTreeMap<Hash, String>;

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
        p.prose translate="no" { (text(&body.profile_sha256)) }
        h2 { (view.t("figures_heading")) }
        (figures(view, application))
        @for item in edition.criteria.iter().flat_map(|tree| tree.items()) {
            @if let Some(own) = body.self_evaluation.get(&item.id) {
                h3 id=(format!("item-{}", item.id.replace('.', "-"))) { (item.id) " " (item.name.get(view.lang)) }
                p.prose translate="no" { (text(&own.sha256)) }
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
            (eligibility::table(view, edition, application, texts, &files, (reader, edition.day(app.heng().clock().now()))))
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
    let bars: Vec<Bar<'_>> = application
        .body
        .figures
        .iter()
        .map(|f| Bar {
            label: f.year.to_string().into(),
            value: f.revenue_fen / 100,
            shown: fen(f.revenue_fen).into(),
            href: None,
        })
        .collect();
    let words = PictureWords {
        title: view.t("trend_title").into(),
        desc: view.t("trend_title").into(),
        table_summary: view.t("as_table").into(),
        heads: vec![view.t("year").into(), view.t("revenue").into()],
    };
    html! {
        (ui::table(&view.t("figures_heading"), &columns, &rows, &html! {}))
        @if bars.iter().all(|bar| bar.value >= 0) { (ui::funnel_svg(&words, &bars)) }
    }
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
    let (name, state, own, visited) = {
        let Ok(found) = app.heng().log(&log) else { return view.missing(&app) };
        let image = found.image();
        let Some(edition) = image.state.edition() else { return view.missing(&app) };
        let name = edition.applicant(&id).map(|o| o.name.get(view.lang).to_owned()).unwrap_or_default();
        let (key, tone) = state_of(edition, &id);
        let own = edition.applications.get(&id).is_some_and(|a| a.body.organisation == me);
        let visited = edition.visits.iter().any(|((_, a), visit)| *a == id && visit.plan.is_some());
        (name, (view.t(key), tone), own, visited)
    };
    let main = html! {
        (ui::title_block(&name, Some(log_name(&app, &log).get(view.lang))))
        (ui::sentence(&state.0))
        p { (ui::status_tag(&state.0, state.1)) }
        @if own { (feedback(&view, &app, &log, &id)) }
        @if visited {
            p { a href=(view.href(&format!("/work/{}/applications/{id}/visit", place(&app, &log)))) { (view.t("visits_title")) } }
        }
        (dossier)
        p { a href=(view.href(&format!("/work/{}/applications", place(&app, &log)))) { (view.t("applications_link")) } }
    };
    view.page(&app, Content { wide: true, ..Content::new(name, main) })
}

/// For the applicant: what happens next, and after the result what the panel found.
fn feedback(view: &View, app: &App, log: &str, id: &str) -> Markup {
    let Ok(found) = app.heng().log(log) else { return html! {} };
    let image = found.image();
    let Some(edition) = image.state.edition() else { return html! {} };
    let next = html! { (ui::sentence(&crate::edition::stands(view, edition))) };
    // Feedback is for after the result: before it would tell of sealed scores.
    if !edition.public_may_see(Thing::Result) {
        return html! { section { h2 { (view.t("status_heading")) } (next) p { (view.t("feedback_later")) } } };
    }
    let last = edition.rules().stages.iter().rev().find_map(|stage| {
        let seq = edition.sheets.get(&stage.id)?.agreed.get(id)?;
        Some((*seq, edition.sheet(*seq)?))
    });
    let (Some((seq, sheet)), Some(tree)) = (last, &edition.criteria) else { return next };
    // The words were written with the first agreed sheet; a site visit changes marks and gives its evidence.
    let remarks = edition
        .sheets
        .values()
        .filter_map(|sheets| sheets.agreed.get(id))
        .filter_map(|seq| edition.known_value(*seq, "/remarks"))
        .next_back();
    let words = |item: &str, part: &str| {
        let text = remarks.and_then(|r| r.get(item)).and_then(|own| own.get(part)).and_then(|t| t.as_str());
        text.unwrap_or_default().to_owned()
    };
    let bars: Vec<ProfileBar<'_>> = tree
        .categories
        .iter()
        .map(|category| ProfileBar {
            label: format!("{} {}", category.id, category.name.get(view.lang)).into(),
            scored_hundredths: i64::try_from(tree.category_of(category, &sheet)).unwrap_or(0),
            points_max: i64::from(category.points),
            mean_hundredths: None,
        })
        .collect();
    let picture = PictureWords {
        title: view.t("feedback_profile").into(),
        desc: view.t("profile_desc").into(),
        table_summary: view.t("as_table").into(),
        heads: ["category", "points", "full_mark"].into_iter().map(|k| view.t(k).into()).collect(),
    };
    let columns = ["feedback_item", "feedback_percent", "feedback_strengths", "feedback_improvements"]
        .map(|k| Column::text(view.t(k)));
    let rows: Vec<Row<'_>> = tree
        .items()
        .map(|item| {
            let percent = sheet.get(&item.id).copied().unwrap_or(0);
            let band = tree.band(percent).map(|b| if item.kind == ItemKind::Process { &b.process } else { &b.result });
            Row::new(vec![
                html! { (item.id) " " (item.name.get(view.lang)) },
                html! { (percent) "%" @if let Some(band) = band { " · " (band.get(view.lang)) } },
                html! { (words(&item.id, "strengths")) },
                html! { (words(&item.id, "improvements")) },
            ])
        })
        .collect();
    html! {
        section {
            h2 { (view.t("feedback_heading")) }
            (next)
            p { (view.tp("feedback_record", &[("record", &seq.to_string())])) }
            (ui::profile_svg(&picture, &view.t("field_mean"), &bars))
            (ui::table(&view.t("feedback_heading"), &columns, &rows, &html! {}))
        }
    }
}

/// Where an application stands: the key of its words.
pub(crate) fn state_of(edition: &Edition, id: &str) -> (&'static str, Tone) {
    if edition.applications.get(id).is_some_and(|application| application.withdrawn.is_some()) {
        return ("state_withdrawn", Tone::Stop);
    }
    // Whoever is chosen learns it with everybody else, from the notice.
    if edition.public_may_see(Thing::Result) && edition.standing_winners().iter().any(|(a, _)| *a == id) {
        return ("state_chosen", Tone::Done);
    }
    if edition.field.contains(id) {
        return ("state_in_field", Tone::Now);
    }
    ("state_out", Tone::Stop)
}

/// What is searched for in the list of applications.
pub(crate) struct Wanted<'a> {
    /// A part of the name, or the number.
    pub q: &'a str,
    /// `field`, `out`, or all.
    pub state: &'a str,
    /// `name`, `time`, or by number.
    pub sort: &'a str,
}

/// An application of the list.
pub(crate) struct Listed {
    pub id: String,
    pub name: Text,
    pub time: Instant,
    pub state: (&'static str, Tone),
}

/// The applications that the person may read, searched, filtered and sorted.
pub(crate) fn listed(desk: &EditionDesk<'_>, wanted: &Wanted<'_>, lang: Lang) -> Vec<Listed> {
    let edition = desk.edition;
    let q = wanted.q.trim().to_lowercase();
    let mut rows: Vec<Listed> = edition
        .applications
        .iter()
        .filter(|(id, _)| edition.may_read(&desk.me, id))
        .map(|(id, a)| Listed { id: id.clone(), name: desk.name(id), time: a.time, state: state_of(edition, id) })
        .filter(|row| q.is_empty() || row.name.get(lang).to_lowercase().contains(&q) || row.id == q)
        .filter(|row| match wanted.state {
            "field" => edition.field.contains(&row.id),
            "out" => !edition.field.contains(&row.id),
            _ => true,
        })
        .collect();
    match wanted.sort {
        "name" => rows.sort_by(|a, b| a.name.get(lang).cmp(b.name.get(lang))),
        "time" => rows.sort_by_key(|row| row.time),
        _ => {}
    }
    rows
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
    let found = with_desk(app.heng(), &log, &me.subject, |at| {
        let Place::Edition(desk) = at else { return None };
        let edition = desk.edition;
        let rows = listed(desk, &Wanted { q: &query.q, state: &query.state, sort: &query.sort }, view.lang);
        let all = rows.len();
        let offset = edition.rules().utc_offset_minutes;
        let page = query.page.min(all.saturating_sub(1) / PAGE);
        let here = view.href(&format!("/work/{}/applications", place(&app, &log)));
        let rows: Vec<Row<'_>> = rows
            .into_iter()
            .skip(page * PAGE)
            .take(PAGE)
            .map(|Listed { id, name, time, state: (key, tone) }| {
                Row::link(
                    format!("{here}/{id}"),
                    vec![
                        html! { (name.get(view.lang)) },
                        html! { (id) },
                        html! { (instant(view.lang, time, offset)) },
                        ui::status_tag(&view.t(key), tone),
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
    match find_file(&app, &log, &me, &id, &sha) {
        Ok(Some((name, hash))) => match crate::files::download(&app, &name, hash).await {
            Some(response) => response,
            None => view.missing(&app),
        },
        Ok(None) => view.problem(&app, StatusCode::NOT_FOUND, &view.t("not_yours_title"), &view.t("not_yours_secret")),
        Err(error) => view.failure(&app, &error),
    }
}

/// A file of a dossier that `reader` may open, with its name; the opening is noted.
///
/// What the firm marked as a business secret is for the office and the panel alone.
pub(crate) fn find_file(
    app: &App,
    log: &str,
    reader: &str,
    application: &str,
    sha: &str,
) -> heng_app::Result<Option<(String, Hash)>> {
    let found = {
        let found = app.heng().log(log)?;
        let image = found.image();
        let edition = image.state.edition().filter(|e| e.may_read(reader, application));
        edition.and_then(|e| Some((e, e.applications.get(application)?))).and_then(|(e, a)| {
            let file = a.body.attachments.iter().find(|f| f.sha256.to_string() == sha)?;
            let inner = e.has_role(reader, Role::Officer)
                || a.body.organisation == reader
                || e.panels.values().any(|p| p.members.contains(reader) && p.applications.contains(application));
            Some((file.name.clone(), file.sha256, a.body.organisation.clone(), inner))
        })
    };
    let Some((name, hash, owner, inner)) = found else { return Ok(None) };
    let secret = files::info(app.heng(), &owner, sha)?.is_some_and(|info| info.secret);
    if secret && !inner {
        return Ok(None);
    }
    opened(app, log, reader, application, sha);
    Ok(Some((name, hash)))
}
