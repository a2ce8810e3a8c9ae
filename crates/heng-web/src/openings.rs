//! Who opened which dossier, file or paper: the whole list, searched and by pages.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use heng_app::desk::notes;
use heng_domain::edition::Edition;
use heng_domain::edition::events::Attachment;
use heng_domain::edition::secret::Part;
use heng_domain::text::Lang;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::opening::{self, Opening, Replies};
use crate::ui::{self, Column, Field, Link, Pager, Row};
use crate::view::{App, Content, View};
use crate::words::{instant, t};
use crate::work::{log_name, log_of, place};

/// Openings of a page.
const PAGE: usize = 100;

/// Whose openings, of which application.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    /// Part of a reader's name or handle.
    pub by: String,
    /// Part of an applicant's name, or the number of an application.
    pub application: String,
    /// Page, from 0.
    pub page: usize,
}

/// An opening in words.
#[derive(Serialize, ToSchema)]
#[schema(as = Opening)]
pub(crate) struct OpeningShape {
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// Who, as the edition knows them.
    pub by: String,
    /// Their name in the edition; an expert has none there.
    pub name: Option<String>,
    /// Application; empty for a paper about all of them.
    pub application: String,
    /// What was opened.
    pub what: String,
    /// The code that a copy carries.
    pub code: Option<String>,
    /// Why a copy carries no mark.
    pub unmarked: Option<String>,
}

/// The openings that somebody asks for, newest first.
pub(crate) fn found(app: &App, log: &str, lang: Lang, by: &str, application: &str) -> heng_app::Result<Vec<Opening>> {
    let mut openings = opening::newest(app, log, usize::MAX)?;
    let (by, application) = (by.trim().to_lowercase(), application.trim().to_lowercase());
    let found = app.heng().log(log)?;
    let image = found.image();
    let Some(edition) = image.state.edition() else { return Ok(Vec::new()) };
    openings.retain(|opening| {
        let name = edition.name_of(&opening.by).unwrap_or_default();
        let firm = edition.applicant(&opening.application).map_or("", |o| o.name.get(lang));
        (by.is_empty() || opening.by.to_lowercase().contains(&by) || name.to_lowercase().contains(&by))
            && (application.is_empty()
                || opening.application.to_lowercase() == application
                || firm.to_lowercase().contains(&application))
    });
    Ok(openings)
}

/// An opening as `reader` may read of it: a file that is not for them has no name here.
pub(crate) fn shape(lang: Lang, edition: &Edition, reader: &str, opening: &Opening) -> OpeningShape {
    let Opening { application, at, by, what, code, unmarked } = opening;
    let files = edition.applications.get(application).map(|a| a.body.attachments.as_slice()).unwrap_or_default();
    let file = files.iter().find(|f| f.sha256.to_string() == *what);
    let may = |f: &Attachment| edition.may_read_part(reader, application, Part::File(&f.sha256));
    let file = file.map(|f| if may(f) { f.name.clone() } else { t(lang, "secret_kept") });
    let letters = Replies::of(edition, reader, application);
    let letter = || letters.evidence().any(|hash| hash.to_string() == *what).then(|| t(lang, "opened_letter"));
    let objected = edition.objections.iter().filter(|(_, o)| o.body.application == *application);
    let evidence = || objected.flat_map(|(_, o)| &o.body.evidence).any(|hash| hash.to_string() == *what);
    let evidence = || evidence().then(|| t(lang, "opened_evidence"));
    let file = file.or_else(letter).or_else(evidence);
    // A copy is found again by its code, whoever holds it.
    let code = file.is_some().then(|| code.clone());
    let other = || match what.as_str() {
        "visit" => t(lang, "visits_title"),
        "objection" => t(lang, "objection_opened"),
        _ => crate::papers::kind_name(lang, what).unwrap_or_else(|| t(lang, "dossier")),
    };
    OpeningShape {
        at: at.to_string(),
        by: by.clone(),
        name: edition.name_of(by).map(str::to_owned),
        application: application.clone(),
        what: file.unwrap_or_else(other),
        code,
        unmarked: unmarked.as_ref().map(|reason| t(lang, &format!("unmarked_{}", reason.name()))),
    }
}

/// The table of openings.
pub(crate) fn table(view: &View, edition: &Edition, reader: &str, openings: &[Opening]) -> Markup {
    let offset = edition.rules().utc_offset_minutes;
    let columns =
        ["alarm_when", "alarm_who", "applicant", "opened_what", "opened_code"].map(|key| Column::text(view.t(key)));
    let row = |opening: &Opening| {
        let OpeningShape { by, name, application, what, code, unmarked, .. } =
            shape(view.lang, edition, reader, opening);
        let firm = edition.applicant(&application).map_or(application.as_str(), |o| o.name.get(view.lang)).to_owned();
        Row::new(vec![
            html! { (instant(view.lang, opening.at, offset)) },
            html! { @if let Some(name) = name { (name) " · " } (by) },
            html! { (firm) },
            html! { (what) },
            html! { @if let Some(code) = code { code { (code) } } @if let Some(reason) = unmarked { " " (reason) } },
        ])
    };
    let rows: Vec<Row<'_>> = openings.iter().map(row).collect();
    ui::table(&view.t("openings"), &columns, &rows, &ui::empty_state(&view.t("openings_none"), None))
}

pub(crate) async fn show(
    view: View,
    State(app): State<App>,
    Path((first, second)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let Some(log) = log_of(&app, &first, &second) else { return view.missing(&app) };
    let Some(reader) = notes::reader(app.heng(), &log, &me.subject).ok().flatten() else {
        return view.problem(&app, StatusCode::FORBIDDEN, &view.t("not_yours_title"), &view.t("board_not_yours"));
    };
    let openings = {
        let (app, log, lang, wanted) = (app.clone(), log.clone(), view.lang, wanted.clone());
        tokio::task::spawn_blocking(move || found(&app, &log, lang, &wanted.by, &wanted.application)).await
    };
    let Ok(Ok(openings)) = openings else { return view.missing(&app) };
    let all = openings.len();
    let page = wanted.page.min(all.saturating_sub(1) / PAGE);
    let shown: Vec<Opening> = openings.into_iter().skip(page * PAGE).take(PAGE).collect();
    let here = view.href(&format!("/work/{}/openings", place(&app, &log)));
    let address = |page: usize| {
        let pairs = [("by", &wanted.by), ("application", &wanted.application), ("page", &page.to_string())];
        format!("{here}?{}", serde_urlencoded::to_string(pairs).unwrap_or_default())
    };
    let form = html! {
        (ui::field(&Field::line("by", view.t("openings_by"), wanted.by.as_str()).hint(view.t("openings_by_hint"))))
        (ui::field(&Field::line("application", view.t("search_applicant"), wanted.application.as_str())))
        (ui::submit(&view.t("search_button"), false, None))
    };
    let (from, to) = ((page * PAGE + 1).min(all), (page * PAGE + PAGE).min(all));
    let position = [("from", from.to_string()), ("to", to.to_string()), ("all", all.to_string())];
    let position = position.each_ref().map(|(name, value)| (*name, value.as_str()));
    let title = view.t("openings");
    let main = {
        let Ok(found) = app.heng().log(&log) else { return view.missing(&app) };
        let image = found.image();
        let Some(edition) = image.state.edition() else { return view.missing(&app) };
        html! {
            (ui::title_block(&title, Some(log_name(&app, &log).get(view.lang))))
            (ui::sentence(&view.tp("openings_text", &[("count", &all.to_string())])))
            (ui::form(&ui::Form { action: here.clone().into(), get: true, ..ui::Form::default() }, &form))
            (table(&view, edition, &reader.handle, &shown))
            @if all > PAGE {
                (ui::pager(&Pager {
                    label: view.t("pager_label").into(),
                    position: view.tp("openings_position", &position).into(),
                    previous: (page > 0).then(|| Link::new(view.t("pager_previous"), address(page - 1))),
                    next: (to < all).then(|| Link::new(view.t("pager_next"), address(page + 1))),
                }))
            }
            p { a href=(view.href(&format!("/work/{}/board", place(&app, &log)))) { (view.t("board_title")) } }
        }
    };
    view.page(&app, Content { wide: true, ..Content::new(title, main) })
}
