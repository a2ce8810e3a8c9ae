//! A dossier (申报材料) as those inside may read it: profile, figures, self-evaluation, files, and what was decided on it.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use heng_app::desk::results::Results;
use heng_app::desk::{EditionDesk, Place, proposal, with_desk};
use heng_domain::edition::events::{Attachment, YearFigures};
use heng_domain::edition::secret::{Column as Figure, Part};
use heng_domain::edition::{Application, Edition, Thing};
use heng_domain::text::{Lang, Text};
use heng_domain::time::Instant;
use heng_log::Hash;
use maud::{Markup, html};
use serde::Deserialize;

use crate::eligibility;
use crate::opening::Replies;
use crate::ui::{self, Bar, Column, Link, Pager, PictureWords, Row, Tone};
use crate::view::{App, Content, View};
use crate::words::{date, instant, money};
use crate::work::{log_name, log_of, place};

/// Applications on one page of the list.
const PAGE: usize = 50;

/// A dossier as one reader may see it: everything that is not there is marked as a business secret.
pub(crate) struct Seen<'a> {
    pub edition: &'a Edition,
    pub application: &'a Application,
    /// Who reads.
    pub reader: &'a str,
    texts: &'a BTreeMap<Hash, Vec<u8>>,
    letters: &'a [Attachment],
}

impl Seen<'_> {
    /// Whether the reader may see a part.
    pub fn may_read(&self, part: Part<'_>) -> bool {
        self.edition.may_read_part(self.reader, &self.application.body.application, part)
    }

    /// A text of the dossier; `None` where the reader may not see it.
    pub fn text(&self, part: Part<'_>, sha256: &Hash) -> Option<String> {
        let bytes = self.texts.get(sha256).filter(|_| self.may_read(part))?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    /// The results of an item; `None` where there are none, or the reader may not see them.
    pub fn results(&self, item: &str) -> Option<Results> {
        let sha256 = self.application.body.self_evaluation.get(item)?.results_sha256?;
        Results::from_bytes(self.texts.get(&sha256).filter(|_| self.may_read(Part::Results(item)))?)
    }

    /// A text of the office's own that proves a condition; empty where there is none.
    pub fn note(&self, sha256: &Hash) -> String {
        self.texts.get(sha256).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
    }

    /// The letter of a department with this content, where the reader may open it.
    pub fn letter(&self, sha256: &Hash) -> Option<&Attachment> {
        self.letters.iter().find(|file| file.sha256 == *sha256)
    }

    /// The yearly figures; marked columns are absent where the reader may not see them.
    pub fn figures(&self) -> Vec<YearFigures> {
        self.edition.figures_for(self.reader, &self.application.body.application)
    }

    /// The files that the reader may open.
    pub fn files(&self) -> impl Iterator<Item = &Attachment> {
        self.application.body.attachments.iter().filter(|file| self.may_read(Part::File(&file.sha256)))
    }
}

/// Opens the dossier of an application: what `show` makes of it for `reader`, and a note that it was opened; `None`
/// where the reader may not. Pages and the JSON interface open dossiers here and nowhere else.
pub(crate) fn open<T>(
    app: &App,
    log_id: &str,
    reader: &str,
    application: &str,
    show: impl FnOnce(&Seen<'_>) -> T,
) -> Option<T> {
    let log = app.heng().log(log_id).ok()?;
    // The texts come from the disk; meanwhile the image must be free for those who write. What the reader may not see is
    // not even fetched.
    let (mut hashes, replies): (Vec<Hash>, _) = {
        let image = log.image();
        let edition = image.state.edition().filter(|edition| edition.may_read(reader, application))?;
        let found = edition.applications.get(application)?;
        let body = &found.body;
        let may = |part| edition.may_read_part(reader, application, part);
        let items = body.self_evaluation.iter().flat_map(|(item, own)| {
            let results = own.results_sha256.filter(|_| may(Part::Results(item)));
            may(Part::Item(item)).then_some(own.sha256).into_iter().chain(results)
        });
        let profile = may(Part::Profile).then_some(body.profile_sha256);
        let hashes = profile.into_iter().chain(items).chain(eligibility::notes(found)).collect();
        (hashes, Replies::of(edition, reader, application))
    };
    let letters = replies.letters(app).ok()?;
    hashes.extend(replies.evidence().filter(|hash| letters.iter().all(|letter| letter.sha256 != *hash)));
    let fetch = |hash: Hash| (hash, app.heng().store().attachment(&hash.0).ok().flatten().unwrap_or_default());
    let texts = hashes.into_iter().map(fetch).collect();
    let shown = {
        let image = log.image();
        let edition = image.state.edition()?;
        let application = edition.applications.get(application)?;
        show(&Seen { edition, application, reader, texts: &texts, letters: &letters })
    };
    crate::opening::note(app, log_id, reader, application, "dossier").then_some(shown)
}

/// The dossier as a page shows it.
pub(crate) fn content(view: &View, app: &App, log: &str, reader: &str, application: &str) -> Option<Markup> {
    open(app, log, reader, application, |seen| body(view, app, log, seen))
}

/// The sign of a part that is marked: for those who see it, so that they keep it, and for those who do not.
fn sign(view: &View, seen: &Seen<'_>, part: Part<'_>) -> Markup {
    html! {
        @if seen.application.body.is_secret(part) {
            @if seen.may_read(part) { p.secret-mark { (ui::status_tag(&view.t("secret_seen"), Tone::Stop)) } }
            @else { p.secret-mark { (ui::status_tag(&view.t("secret_kept"), Tone::Quiet)) } }
        }
    }
}

fn body(view: &View, app: &App, log: &str, seen: &Seen<'_>) -> Markup {
    let Seen { edition, application, reader, .. } = seen;
    let offset = edition.rules().utc_offset_minutes;
    let now = instant(view.lang, app.heng().clock().now(), offset);
    let body = &application.body;
    let files = view.href(&format!("/work/{}/applications/{}/files", place(app, log), body.application));
    let uses = crate::files::uses(view.lang, app, log, body.paper.is_some());
    let use_of = |about: &str| uses.iter().find(|(id, _)| id == about).map_or(about, |(_, name)| name).to_owned();
    let prose = |part: Part<'_>, sha256: &Hash| {
        html! {
            (sign(view, seen, part))
            @if let Some(text) = seen.text(part, sha256) { p.prose translate="no" { (text) } }
        }
    };
    html! {
        p.watermark { (view.watermark(reader, &now)) }
        (entered(view, application))
        h2 { (view.t("profile_heading")) }
        (prose(Part::Profile, &body.profile_sha256))
        h2 { (view.t("figures_heading")) }
        (figures(view, seen))
        @for item in edition.criteria.iter().flat_map(|tree| tree.items()) {
            @if let Some(own) = body.self_evaluation.get(&item.id) {
                h3 id=(format!("item-{}", item.id.replace('.', "-"))) { (item.id) " " (item.name.get(view.lang)) }
                (prose(Part::Item(&item.id), &own.sha256))
                @if own.results_sha256.is_some() {
                    (sign(view, seen, Part::Results(&item.id)))
                    @if let Some(table) = seen.results(&item.id) { (crate::results::shown(view, &table)) }
                }
                p.hint { (view.tp("own_percent", &[("percent", &own.percent.to_string()), ("chars", &own.chars.to_string())])) }
            }
        }
        h2 { (view.t("files_heading")) }
        @if body.attachments.is_empty() { p { (view.t("no_files")) } }
        @else if body.organisation != *reader { p.hint { (view.t("files_marked")) } }
        @let kept = body.attachments.len() - seen.files().count();
        ul { @for file in seen.files() { li {
            a href=(format!("{files}/{}", file.sha256)) { (file.name) }
            " · " (use_of(&file.about)) " · " (view.tp("bytes", &[("bytes", &crate::words::number(file.size))])) " "
            code.hash { (file.sha256) }
            @if body.is_secret(Part::File(&file.sha256)) { " " (ui::status_tag(&view.t("secret_seen"), Tone::Stop)) }
        } } }
        @if kept > 0 { p.secret-mark { (ui::status_tag(&view.tp("secret_files", &[("count", &kept.to_string())]), Tone::Quiet)) } }
        (recommendations(view, seen, &files))
        @if !application.checks.is_empty() || (edition.opinions.is_some() && edition.may_see_opinions(reader, &body.application)) {
            h2 #conditions { (view.t("conditions_heading")) }
            (eligibility::table(view, seen, &files, edition.day(app.heng().clock().now())))
        }
    }
}

/// What the recommenders said, where and how long they had made it public, and their letters for whoever may open them.
fn recommendations(view: &View, seen: &Seen<'_>, files: &str) -> Markup {
    let given = &seen.application.recommendations;
    html! {
        @if !given.is_empty() {
            h2 #recommendations { (view.t("recommendations_heading")) }
            ul { @for r in given { li {
                (ui::status_tag(&view.t(if r.body.support { "supports" } else { "supports_not" }), if r.body.support { Tone::Done } else { Tone::Stop }))
                " " (seen.edition.name_of(&r.recommender).unwrap_or(&r.recommender)) ": "
                span.prose translate="no" { (r.body.opinion) }
                @if let Some(window) = &r.body.notice {
                    " " (view.tp("recommendation_notice", &[("from", &date(view.lang, window.from)), ("until", &date(view.lang, window.until))]))
                }
                @for sha256 in &r.body.evidence {
                    @match seen.letter(sha256) {
                        Some(letter) => { " · " a href=(format!("{files}/{sha256}")) { (letter.name) } }
                        None => { @let kept = seen.note(sha256); @if !kept.is_empty() { " · " (kept) } }
                    }
                }
            } } }
        }
    }
}

/// That an officer has entered the application: everybody who reads it is told.
pub(crate) fn entered(view: &View, application: &Application) -> Markup {
    html! {
        @if application.by != application.body.organisation {
            @match &application.body.paper {
                Some(paper) => (ui::note(Tone::Due, &html! { p { (view.tp("entered_paper", &[("reason", &paper.reason)])) } })),
                None => (ui::note(Tone::Due, &html! { p { (view.t("entered_office")) } })),
            }
        }
    }
}

fn figures(view: &View, seen: &Seen<'_>) -> Markup {
    let shown = Figure::ALL.map(|figure| (figure, seen.may_read(Part::Figures(figure))));
    let key = |figure: Figure| match figure {
        Figure::Revenue => "revenue",
        Figure::Profit => "profit",
        Figure::Tax => "tax",
        Figure::Employees => "employees",
    };
    let marked = |figure: Figure| seen.application.body.is_secret(Part::Figures(figure));
    let columns: Vec<Column<'_>> = std::iter::once(Column::text(view.t("year")))
        .chain(Figure::ALL.map(|figure| match marked(figure) {
            true => Column::measured(view.t(key(figure)), view.t("file_secret")),
            false => Column::number(view.t(key(figure))),
        }))
        .collect();
    let fen = |fen: Option<i64>| {
        let fen = fen?;
        let sign = if fen < 0 { "−" } else { "" };
        Some(format!("{sign}{}", money(view.lang, fen.unsigned_abs())))
    };
    let all = seen.figures();
    let rows: Vec<Row<'_>> = all
        .iter()
        .map(|f| {
            let values = [fen(f.revenue_fen), fen(f.profit_fen), fen(f.tax_fen), f.employees.map(crate::words::number)];
            let cells = values.map(|value| html! { (value.unwrap_or_else(|| view.t("secret_cell"))) });
            Row::new(std::iter::once(html! { (f.year) }).chain(cells).collect())
        })
        .collect();
    let bars: Vec<Bar<'_>> = all
        .iter()
        .filter_map(|f| {
            Some(Bar {
                label: f.year.to_string().into(),
                value: f.revenue_fen? / 100,
                shown: fen(f.revenue_fen)?.into(),
                href: None,
            })
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
        @if shown.iter().any(|(_, seen)| !seen) {
            p.secret-mark { (ui::status_tag(&view.t("secret_kept"), Tone::Quiet)) }
        } @else if shown.iter().any(|(figure, _)| marked(*figure)) {
            p.secret-mark { (ui::status_tag(&view.t("secret_seen"), Tone::Stop)) }
        }
        @if !bars.is_empty() && bars.iter().all(|bar| bar.value >= 0) { (ui::funnel_svg(&words, &bars)) }
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
    let (name, stands, own, visited) = {
        let Ok(found) = app.heng().log(&log) else { return view.missing(&app) };
        let image = found.image();
        let Some(edition) = image.state.edition() else { return view.missing(&app) };
        let name = edition.applicant(&id).map(|o| o.name.get(view.lang).to_owned()).unwrap_or_default();
        let own = edition.applications.get(&id).is_some_and(|a| a.body.organisation == me);
        let visited = edition.visits.iter().any(|((_, a), visit)| *a == id && visit.plan.is_some());
        (name, standing(&view, edition, &id), own, visited)
    };
    let main = html! {
        (ui::title_block(&name, Some(log_name(&app, &log).get(view.lang))))
        (ui::sentence(&stands))
        (crate::papers::of_application(&view, &app, &log, &me, &id))
        @if own { (feedback(&view, &app, &log, &me, &id)) }
        @if visited {
            p { a href=(view.href(&format!("/work/{}/applications/{id}/visit", place(&app, &log)))) { (view.t("visits_title")) } }
        }
        (dossier)
        p { a href=(view.href(&format!("/work/{}/applications", place(&app, &log)))) { (view.t("applications_link")) } }
    };
    view.page(&app, Content { wide: true, ..Content::new(name, main) })
}

/// For the applicant: what happens next, and after the result what the panel found.
fn feedback(view: &View, app: &App, log: &str, reader: &str, id: &str) -> Markup {
    let Ok(found) = app.heng().log(log) else { return html! {} };
    let image = found.image();
    let Some(edition) = image.state.edition() else { return html! {} };
    let next = html! { (ui::sentence(&crate::edition::stands(view, edition))) };
    // Feedback is for after the result: before it would tell of sealed scores.
    if !edition.public_may_see(Thing::Result) {
        return html! { section { h2 { (view.t("status_heading")) } (next) p { (view.t("feedback_later")) } } };
    }
    drop(image);
    // The same report that prints.
    let report = crate::papers::open(app, view, log, Some(reader), "feedback", id);
    html! {
        section {
            h2 { (view.t("feedback_heading")) }
            (next)
            @match &report {
                Some(report) => {
                    (crate::papers::report(view, report))
                    p { a href=(crate::papers::href(view, app, log, "feedback", id)) { (view.t("paper_open")) } }
                }
                None => p { (view.t("feedback_none")) }
            }
        }
    }
}

/// Where an application stands: the key of its words. What came of it shows with the notice, as for everybody else.
pub(crate) fn state_of(edition: &Edition, id: &str) -> (&'static str, Tone) {
    let Some(application) = edition.applications.get(id) else { return ("state_out", Tone::Stop) };
    if application.withdrawn.is_some() {
        return ("state_withdrawn", Tone::Stop);
    }
    if application.removed {
        return ("state_removed", Tone::Stop);
    }
    let known = edition.public_may_see(Thing::Result);
    let decided = edition.decision.as_ref();
    let approved = decided.is_none_or(|(decision, _)| decision.approved.iter().any(|a| a.application == id));
    let chosen = edition.standing_winners().iter().any(|(winner, _)| *winner == id) && approved;
    match (known, chosen, edition.field.contains(id)) {
        (true, true, _) if edition.honours.iter().any(|(honour, ..)| honour.application == id) => {
            ("state_won", Tone::Done)
        }
        (true, true, _) => ("state_chosen", Tone::Done),
        (true, false, true) => ("state_not_won", Tone::Stop),
        (false, _, true) => ("state_in_field", Tone::Now),
        (_, _, false) => ("state_out", Tone::Stop),
    }
}

/// The same in a sentence: with the tier and the certificate, or the stage that works on it.
pub(crate) fn standing(view: &View, edition: &Edition, id: &str) -> String {
    let tier = |tier: &str| edition.rules().tier(tier).map_or(tier, |t| t.name.get(view.lang)).to_owned();
    match state_of(edition, id).0 {
        "state_won" => {
            let honour = edition.honours.iter().map(|(honour, ..)| honour).find(|honour| honour.application == id);
            let (tier, number) = honour.map(|h| (tier(&h.tier), h.certificate.clone())).unwrap_or_default();
            view.tp("stands_won", &[("tier", &tier), ("number", &number)])
        }
        "state_chosen" => {
            let winners = edition.standing_winners();
            let tier = winners.iter().find(|(winner, _)| *winner == id).map(|(_, of)| tier(of)).unwrap_or_default();
            view.tp("stands_chosen", &[("tier", &tier)])
        }
        "state_in_field" => {
            let open = edition.open_stages();
            let stages: Vec<String> = open.iter().map(|stage| stage.name.get(view.lang).to_owned()).collect();
            match stages.is_empty() {
                true => view.t("stands_waiting"),
                false => view.tp("stands_reviewed", &[("stages", &crate::words::list(view.lang, &stages))]),
            }
        }
        "state_not_won" => view.t("stands_not_won"),
        "state_withdrawn" => view.t("stands_withdrawn"),
        "state_removed" => view.t("stands_removed"),
        _ => view.t("stands_out"),
    }
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
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let Some(log) = log_of(&app, &first, &second) else { return view.missing(&app) };
    let Some(handle) = reader(&app, &view, &log) else { return view.missing(&app) };
    match crate::opening::file(&app, &log, (&handle, &me.session.account), &id, &sha).await {
        Ok(Some(response)) => response,
        Ok(None) => view.problem(&app, StatusCode::NOT_FOUND, &view.t("not_yours_title"), &view.t("not_yours_secret")),
        Err(error) => view.failure(&app, &error),
    }
}
