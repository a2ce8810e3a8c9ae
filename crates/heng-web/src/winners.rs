//! The winners' register with its search, certificates, and the article's figures.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use heng_domain::office::events::HonourState;
use heng_domain::office::{Honour, Office};
use heng_domain::rules::Level;
use heng_domain::text::Lang;
use jiff::civil::Date;
use maud::{Markup, html};
use serde::Deserialize;

use crate::ui::{self, Choose, Column, Field, FieldKind, Link, Row, Tone};
use crate::view::{App, Content, View};
use crate::words::date;

/// Rows of one page of the register.
const PAGE: usize = 50;

/// The search as it stands in the address.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Search {
    pub q: String,
    pub year: String,
    pub level: String,
    pub county: String,
    pub sector: String,
    pub page: String,
}

fn level_key(level: Level) -> &'static str {
    match level {
        Level::National => "level_national",
        Level::Province => "level_province",
        Level::City => "level_city",
        Level::District => "level_district",
        Level::County => "level_county",
    }
}

fn state(view: &View, honour: &Honour, today: Date) -> Markup {
    let (key, tone) = match honour.state(today) {
        HonourState::Nominated => ("honour_nominated", Tone::Quiet),
        HonourState::Approved => ("honour_approved", Tone::Due),
        HonourState::Held => ("honour_held", Tone::Done),
        HonourState::Lapsed => ("honour_lapsed", Tone::Quiet),
        HonourState::Revoked => ("honour_revoked", Tone::Stop),
    };
    ui::status_tag(&view.t(key), tone)
}

fn matches(lang: Lang, office: &Office, honour: &Honour, search: &Search) -> bool {
    let organisation = office.organisations.get(&honour.body.organisation).map(|(_, organisation)| organisation);
    let programme = office.programmes.get(&honour.body.programme);
    let is = |wanted: &str, found: Option<&str>| wanted.is_empty() || found == Some(wanted);
    let words = search.q.split_whitespace().all(|word| {
        let word = word.to_lowercase();
        let hit = |text: &str| text.to_lowercase().contains(&word);
        organisation.is_some_and(|o| hit(&o.name.zh) || hit(&o.name.en) || o.uscc.as_deref().is_some_and(hit))
            || programme.is_some_and(|p| hit(&p.name.zh) || hit(&p.name.en))
            || hit(&honour.body.certificate)
    });
    words
        && is(&search.year, Some(&honour.body.year.to_string()))
        && is(&search.level, programme.map(|p| level_key(p.level)))
        && is(&search.county, organisation.map(|o| o.county.get(lang)))
        && is(&search.sector, organisation.map(|o| o.sector.get(lang)))
}

/// The honours that a search finds, newest first.
pub(crate) fn found<'a>(lang: Lang, office: &'a Office, search: &Search) -> Vec<&'a Honour> {
    let mut found: Vec<&Honour> = office.honours.values().filter(|h| matches(lang, office, h, search)).collect();
    found.sort_by(|a, b| b.body.year.cmp(&a.body.year).then_with(|| a.body.honour.cmp(&b.body.honour)));
    found
}

pub(crate) async fn show(view: View, State(app): State<App>, Query(search): Query<Search>) -> Response {
    let Some(log) = app.heng().office_log() else { return view.missing(&app) };
    let content = {
        let image = log.image();
        let Some(office) = image.state.office() else { return view.missing(&app) };
        let today = office.day(app.heng().clock().now());
        let found = found(view.lang, office, &search);
        let page = search.page.parse::<usize>().unwrap_or(1).max(1);
        let first = (page - 1).saturating_mul(PAGE).min(found.len());
        let shown = &found[first..found.len().min(first + PAGE)];
        let rows: Vec<Row<'_>> = shown.iter().map(|h| row(&view, office, h, today)).collect();
        let columns = ["winner", "award", "year", "county", "sector", "honour_state", "certificate"]
            .map(|key| Column::text(view.t(key)));
        let title = view.t("winners_title");
        let all = Link::new(view.t("all_winners"), view.href("/winners"));
        let main = html! {
            (ui::title_block(&title, None))
            (ui::sentence(&view.tp("winners_sentence", &[("count", &office.honours.len().to_string())])))
            (search_form(&view, office, &search))
            p { (ui::filter_line(&view.tp("found", &[("count", &found.len().to_string())]), &chosen(&view, &search), None)) }
            (ui::table(&title, &columns, &rows, &ui::empty_state(&view.t("nothing_found"), Some(&all))))
            (pager(&view, &search, page, first, shown.len(), found.len()))
            h2 { (view.t("certificate_heading")) }
            (certificate_form(&view, ""))
        };
        Content { wide: true, ..Content::new(title, main) }
    };
    view.page(&app, content)
}

fn row<'a>(view: &View, office: &Office, honour: &Honour, today: Date) -> Row<'a> {
    let organisation = office.organisations.get(&honour.body.organisation).map(|(_, organisation)| organisation);
    let name = organisation.map(|o| o.name.get(view.lang).to_owned()).unwrap_or_default();
    let county = organisation.map(|o| o.county.get(view.lang).to_owned()).unwrap_or_default();
    let sector = organisation.map(|o| o.sector.get(view.lang).to_owned()).unwrap_or_default();
    let programme = office.programmes.get(&honour.body.programme);
    let cells = vec![
        html! { (name) },
        html! { (programme.map(|p| p.name.get(view.lang)).unwrap_or_default()) },
        html! { (honour.body.year) },
        html! { (county) },
        html! { (sector) },
        state(view, honour, today),
        html! { @if honour.body.certificate.is_empty() { (view.t("no_number")) } @else { (honour.body.certificate) } },
    ];
    if honour.body.certificate.is_empty() {
        Row::new(cells)
    } else {
        Row::link(view.href(&format!("/certificates/{}", honour.body.certificate)), cells)
    }
}

fn search_form(view: &View, office: &Office, search: &Search) -> Markup {
    let any = |key: &str| Choose::new("", view.t(key));
    let mut years: Vec<String> = office.honours.values().map(|h| h.body.year.to_string()).collect();
    let mut counties: Vec<String> = Vec::new();
    let mut sectors: Vec<String> = Vec::new();
    for honour in office.honours.values() {
        if let Some((_, organisation)) = office.organisations.get(&honour.body.organisation) {
            counties.push(organisation.county.get(view.lang).to_owned());
            sectors.push(organisation.sector.get(view.lang).to_owned());
        }
    }
    let tidy = |list: &mut Vec<String>| {
        list.retain(|item| !item.is_empty());
        list.sort();
        list.dedup();
    };
    for list in [&mut years, &mut counties, &mut sectors] {
        tidy(list);
    }
    years.reverse();
    let options = |key: &str, list: &[String]| {
        std::iter::once(any(key)).chain(list.iter().map(|v| Choose::new(v.clone(), v.clone()))).collect::<Vec<_>>()
    };
    let levels: Vec<Choose<'_>> = std::iter::once(any("any_level"))
        .chain(
            [Level::Province, Level::City, Level::District, Level::County]
                .map(|l| Choose::new(level_key(l), view.t(level_key(l)))),
        )
        .collect();
    let (years, counties, sectors) =
        (options("any_year", &years), options("any_county", &counties), options("any_sector", &sectors));
    let select = |name: &'static str, options: &[Choose<'_>], chosen: &str| {
        ui::field(&Field::of(name, view.t(name), FieldKind::Select { options, chosen: chosen.to_owned().into() }))
    };
    let body = html! {
        (ui::field(&Field::line("q", view.t("search_words"), search.q.as_str()).hint(view.t("search_hint"))))
        div.filters {
            (select("year", &years, &search.year))
            (select("level", &levels, &search.level))
            (select("county", &counties, &search.county))
            (select("sector", &sectors, &search.sector))
        }
        (ui::submit(&view.t("search"), true, None))
    };
    let form = ui::Form {
        action: view.href("/winners").into(),
        get: true,
        label: Some(view.t("search").into()),
        ..ui::Form::default()
    };
    ui::form(&form, &body)
}

/// The search without one of its parts, as an address.
fn without(view: &View, search: &Search, part: &str, page: Option<usize>) -> String {
    let page = page.map(|p| p.to_string()).unwrap_or_default();
    let parts = [
        ("q", search.q.as_str()),
        ("year", &search.year),
        ("level", &search.level),
        ("county", &search.county),
        ("sector", &search.sector),
        ("page", &page),
    ];
    let kept: Vec<(&str, &str)> =
        parts.into_iter().filter(|(name, value)| *name != part && !value.is_empty()).collect();
    let query = serde_urlencoded::to_string(kept).unwrap_or_default();
    let path = view.href("/winners");
    if query.is_empty() { path } else { format!("{path}?{query}") }
}

fn chosen<'a>(view: &View, search: &Search) -> Vec<Link<'a>> {
    let level = if search.level.is_empty() { String::new() } else { view.t(&search.level) };
    [
        ("q", search.q.clone()),
        ("year", search.year.clone()),
        ("level", level),
        ("county", search.county.clone()),
        ("sector", search.sector.clone()),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(part, value)| Link::new(value, without(view, search, part, None)))
    .collect()
}

fn pager(view: &View, search: &Search, page: usize, first: usize, shown: usize, all: usize) -> Markup {
    if all <= PAGE {
        return html! {};
    }
    let link = |key: &str, page: usize| {
        Link::new(
            view.t(key),
            without(view, search, "page", None)
                + &format!("{}page={page}", if without(view, search, "page", None).contains('?') { "&" } else { "?" }),
        )
    };
    let position = format!("{}–{} / {all}", first + 1, first + shown);
    ui::pager(&ui::Pager {
        label: view.t("pages").into(),
        position: position.into(),
        previous: (page > 1).then(|| link("previous", page - 1)),
        next: (first + shown < all).then(|| link("next", page + 1)),
    })
}

/// The small form that leads to a certificate.
pub(crate) fn certificate_form(view: &View, number: &str) -> Markup {
    let field = Field::line("number", view.t("certificate_number"), number.to_owned()).hint(view.t("certificate_hint"));
    let body = html! { (ui::field(&field)) (ui::submit(&view.t("certificate_check"), false, None)) };
    let form = ui::Form {
        action: view.href("/certificates").into(),
        get: true,
        label: Some(view.t("certificate_heading").into()),
        ..ui::Form::default()
    };
    ui::form(&form, &body)
}

#[derive(Deserialize)]
pub(crate) struct Number {
    #[serde(default)]
    number: String,
}

pub(crate) async fn find_certificate(view: View, State(app): State<App>, Query(query): Query<Number>) -> Response {
    let number: String = query.number.trim().to_uppercase();
    let plain = !number.is_empty()
        && number.len() <= 80
        && number.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
    if plain {
        return Redirect::to(&view.href(&format!("/certificates/{number}"))).into_response();
    }
    unknown(&view, &app, &query.number)
}

/// An honour that an edition has conferred and the register does not hold yet: what the certificate waits for.
fn waits(view: &View, app: &App, number: &str) -> Option<String> {
    app.heng().editions().iter().find_map(|log| {
        let image = log.image();
        let edition = image.state.edition()?;
        let (_, _, time) = edition.honours.iter().find(|(honour, ..)| honour.certificate == number)?;
        let name = format!("{} · {}", edition.rules().name.get(view.lang), edition.opened.label.get(view.lang));
        let day = date(view.lang, edition.day(*time));
        let places = [("edition", name.as_str()), ("number", number), ("day", day.as_str())];
        edition.public_may_see(heng_domain::edition::Thing::Result).then(|| view.tp("certificate_waits_text", &places))
    })
}

fn unknown(view: &View, app: &App, number: &str) -> Response {
    let waits = waits(view, app, number);
    let title = view.t(if waits.is_some() { "certificate_waits" } else { "certificate_unknown" });
    let main = html! {
        (ui::title_block(&title, None))
        (ui::sentence(&waits.unwrap_or_else(|| view.t("certificate_unknown_text"))))
        (certificate_form(view, number))
        p { a href=(view.href("/winners")) { (view.t("register_link")) } }
    };
    view.page_with(app, StatusCode::NOT_FOUND, Content::new(title, main))
}

pub(crate) async fn certificate(view: View, State(app): State<App>, Path(number): Path<String>) -> Response {
    let Some(log) = app.heng().office_log() else { return view.missing(&app) };
    let content = {
        let image = log.image();
        let Some(office) = image.state.office() else { return view.missing(&app) };
        let today = office.day(app.heng().clock().now());
        let found = office.honours.values().find(|h| h.body.certificate == number && !number.is_empty());
        let Some(honour) = found else { return unknown(&view, &app, &number) };
        let organisation = office.organisations.get(&honour.body.organisation).map(|(_, organisation)| organisation);
        let name = organisation.map(|o| o.name.get(view.lang).to_owned()).unwrap_or_default();
        let award =
            office.programmes.get(&honour.body.programme).map(|p| p.name.get(view.lang).to_owned()).unwrap_or_default();
        let held = honour.state(today) == HonourState::Held;
        let key = if held { "certificate_valid" } else { "certificate_not_valid" };
        let title = view.tp("certificate_title", &[("number", &number)]);
        let mut facts: Vec<(ui::Text<'_>, Markup)> = vec![
            (view.t("winner").into(), html! { (name) }),
            (view.t("award").into(), html! { (award) }),
            (view.t("year").into(), html! { (honour.body.year) }),
            (view.t("honour_state").into(), state(&view, honour, today)),
        ];
        if let Some(code) = organisation.and_then(|o| o.uscc.as_deref()) {
            facts.push((view.t("uscc").into(), html! { code { (code) } }));
        }
        if let Some(day) = honour.body.conferred {
            facts.push((view.t("conferred_on").into(), html! { (date(view.lang, day)) }));
        }
        if let Some(day) = honour.body.valid_until {
            facts.push((view.t("valid_until").into(), html! { (date(view.lang, day)) }));
        }
        if let Some(revoked) = &honour.revoked {
            facts.push((view.t("revoked_because").into(), html! { (revoked.reason) " · " (revoked.decision) }));
        }
        let main = html! {
            (ui::title_block(&title, Some(&award)))
            (ui::sentence(&view.tp(key, &[("name", &name), ("award", &award), ("year", &honour.body.year.to_string())])))
            (ui::facts(&facts))
            @if let Some(cite) = &honour.body.cite {
                @if held {
                    p { a href=(crate::papers::certificate_href(&view, &cite.log, &number)) { (view.t("certificate_print")) } }
                }
                p { a href=(crate::view::edition_href(view.language, &cite.log)) { (view.t("certificate_edition")) } }
            }
            p { a href=(view.href("/winners")) { (view.t("register_link")) } }
        };
        Content::new(title, main)
    };
    view.page(&app, content)
}

/// Every figure that the article states, with its source and day.
pub(crate) async fn figures(view: View, State(app): State<App>) -> Response {
    let Some(log) = app.heng().office_log() else { return view.missing(&app) };
    let content = {
        let image = log.image();
        let Some(office) = image.state.office() else { return view.missing(&app) };
        let columns =
            ["figure", "value", "as_of_day", "names", "source", "record"].map(|key| Column::text(view.t(key)));
        let rows: Vec<Row<'_>> = office
            .figures
            .values()
            .map(|(seq, figure)| {
                Row::new(vec![
                    html! { (figure.topic.get(view.lang)) },
                    html! { (value(&view, &figure.value, &figure.unit)) },
                    html! { @if let Some(day) = figure.as_of { (date(view.lang, day)) } },
                    html! { (crate::words::list(view.lang, &figure.names)) },
                    html! { (figure.source) },
                    html! { (seq) },
                ])
            })
            .collect();
        let title = view.t("figures_title");
        let main = html! {
            (ui::title_block(&title, None))
            (ui::sentence(&view.tp("figures_sentence", &[("count", &office.figures.len().to_string())])))
            (ui::table(&title, &columns, &rows, &ui::empty_state(&view.t("no_figures"), None)))
            p { a href=(view.href("/winners")) { (view.t("register_link")) } }
        };
        Content { wide: true, ..Content::new(title, main) }
    };
    view.page(&app, content)
}

fn value(view: &View, value: &str, unit: &str) -> String {
    let shown = match value.parse::<u64>() {
        Ok(n) if n >= 10_000 => crate::words::number(n),
        _ => value.to_owned(),
    };
    view.tp(&format!("unit_{unit}"), &[("value", &shown)])
}
