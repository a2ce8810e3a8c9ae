//! Opinions of other departments (征求部门意见): the matrix of answers, and a letter to print for each department.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use heng_app::desk::{EditionDesk, Place, with_desk};
use heng_domain::edition::events::{OpinionAnswer, OpinionReceived};
use heng_domain::edition::{Edition, OpinionState, Opinions};
use heng_domain::rules::{Department, OpinionRules};
use jiff::civil::Date;
use maud::{Markup, html};

use crate::ui::{self, Column, Row, Tone};
use crate::view::{App, Content, View};
use crate::words::{date, list};
use crate::work::{encode, log_name, log_of, place};

/// What `show` makes of the edition for whoever oversees it; the answer for everybody else.
pub(crate) fn overseen<T>(
    view: &View,
    app: &App,
    (first, second): (&str, &str),
    show: impl FnOnce(&EditionDesk<'_>, &str) -> Option<T>,
) -> Result<T, Box<Response>> {
    let Some(me) = &view.me else { return Err(Box::new(view.sign_in_first())) };
    let Some(log) = log_of(app, first, second) else { return Err(Box::new(view.missing(app))) };
    let found = with_desk(app.heng(), &log, &me.subject, |at| match at {
        Place::Edition(desk) if desk.edition.oversees(&desk.me) => Some(show(desk, &log)),
        _ => None,
    });
    match found.ok().flatten() {
        Some(Some(Some(shown))) => Ok(shown),
        Some(Some(None)) | None => Err(Box::new(view.missing(app))),
        Some(None) => Err(Box::new(view.problem(
            app,
            StatusCode::FORBIDDEN,
            &view.t("not_yours_title"),
            &view.t("board_not_yours"),
        ))),
    }
}

pub(crate) async fn show(
    view: View,
    State(app): State<App>,
    Path((first, second)): Path<(String, String)>,
) -> Response {
    let title = view.t("opinions_title");
    let found = overseen(&view, &app, (&first, &second), |desk, log| {
        let rules = desk.edition.rules().opinions.as_ref()?;
        let here = view.href(&format!("/work/{}", place(&app, log)));
        Some(html! {
            (ui::title_block(&title, Some(log_name(&app, log).get(view.lang))))
            @match &desk.edition.opinions {
                None => (ui::sentence(&view.t("opinions_not_asked"))),
                Some(asked) => {
                    (ui::sentence(&summary(&view, desk.edition, asked, rules, desk.today())))
                    (letters(&view, desk.edition, asked, rules, &here))
                    (matrix(&view, desk.edition, asked, rules, desk.today(), &here))
                },
            }
            p { a href=(here) { (view.t("back_work")) } }
        })
    });
    match found {
        Ok(main) => view.page(&app, Content { wide: true, ..Content::new(title, main) }),
        Err(response) => *response,
    }
}

/// How many answers are in, how many are not, and by when.
fn summary(view: &View, edition: &Edition, asked: &Opinions, rules: &OpinionRules, today: Date) -> String {
    let cells = || asked.applications.iter().flat_map(|a| rules.departments.iter().map(move |d| (d, a)));
    let at = |state: OpinionState| {
        cells().filter(|(d, a)| edition.opinion_state(&d.id, a, today) == Some(state)).count().to_string()
    };
    let silent = cells().filter(|(d, a)| {
        matches!(
            edition.opinion_state(&d.id, a, today),
            Some(OpinionState::Waiting | OpinionState::Overdue | OpinionState::Silent)
        )
    });
    view.tp(
        "opinions_summary",
        &[
            ("answered", &asked.answers.len().to_string()),
            ("all", &cells().count().to_string()),
            ("objections", &at(OpinionState::Objection)),
            ("open", &silent.count().to_string()),
            ("day", &date(view.lang, asked.until)),
        ],
    )
}

/// An answer as a word with its shape. Silence has its own: it is never shown as clear.
pub(crate) fn tag(view: &View, state: OpinionState) -> Markup {
    let (key, tone) = match state {
        OpinionState::Waiting => ("opinion_waiting", Tone::Due),
        OpinionState::Overdue => ("opinion_overdue", Tone::Now),
        OpinionState::Silent => ("opinion_silent", Tone::Quiet),
        OpinionState::Clear => ("opinion_clear", Tone::Done),
        OpinionState::Objection => ("opinion_objection", Tone::Stop),
    };
    ui::status_tag(&view.t(key), tone)
}

fn matrix(view: &View, edition: &Edition, asked: &Opinions, rules: &OpinionRules, today: Date, here: &str) -> Markup {
    let mut columns = vec![Column::text(view.t("applicant"))];
    columns.extend(rules.departments.iter().map(|d| Column::text(d.name.get(view.lang))));
    let rows: Vec<Row<'_>> = asked
        .applications
        .iter()
        .map(|id| {
            let name = edition.applicant(id).map_or(id.as_str(), |o| o.name.get(view.lang));
            let mut cells = vec![html! { (name) }];
            cells.extend(rules.departments.iter().map(|d| match edition.opinion_state(&d.id, id, today) {
                Some(state) => tag(view, state),
                None => html! { "—" },
            }));
            Row::link(format!("{here}/applications/{id}"), cells)
        })
        .collect();
    html! {
        section {
            h2 { (view.t("opinions_matrix")) }
            div.scroll tabindex="0" role="group" aria-label=(view.t("opinions_matrix")) {
                (ui::table(&view.t("opinions_matrix"), &columns, &rows, &html! {}))
            }
        }
    }
}

/// What was objected to; then one line for each department: what it is asked, how far it is, its letter to print.
fn letters(view: &View, edition: &Edition, asked: &Opinions, rules: &OpinionRules, here: &str) -> Markup {
    let columns = ["opinions_department", "opinions_asks", "opinions_answers", "opinions_reply", "opinions_letter"]
        .map(|key| Column::text(view.t(key)));
    let rows: Vec<Row<'_>> = rules
        .departments
        .iter()
        .map(|department| {
            let own: Vec<&OpinionReceived> = answers_of(asked, department);
            // Each letter once, with the dossier of an application that it answers on: the letter itself lies there.
            let numbers: BTreeMap<&str, &str> =
                own.iter().rev().map(|body| (body.letter.as_str(), body.application.as_str())).collect();
            let tone = if own.len() == asked.applications.len() { Tone::Done } else { Tone::Due };
            Row::new(vec![
                html! { (department.name.get(view.lang)) },
                html! { (department.asks.get(view.lang)) },
                ui::status_tag(&format!("{} / {}", own.len(), asked.applications.len()), tone),
                html! {
                    @if numbers.is_empty() { "—" }
                    @for (number, application) in &numbers {
                        p { a href=(format!("{here}/applications/{application}#conditions")) { (number) } }
                    }
                },
                html! { a href=(format!("{here}/papers/letter/{}", encode(&department.id))) { (view.t("opinions_open_letter")) } },
            ])
        })
        .collect();
    let heading = view.t("opinions_letters");
    let objections = asked.answers.values().filter(|(body, _)| body.answer == OpinionAnswer::Objection);
    html! {
        @for (body, seq) in objections { (objection(view, edition, body, *seq)) }
        section { h2 { (heading) } (ui::table(&heading, &columns, &rows, &html! {})) }
    }
}

fn answers_of<'a>(asked: &'a Opinions, department: &Department) -> Vec<&'a OpinionReceived> {
    asked.answers.iter().filter(|((d, _), _)| *d == department.id).map(|(_, (body, _))| body).collect()
}

/// What a department holds against a firm, for those who oversee the edition.
fn objection(view: &View, edition: &Edition, body: &OpinionReceived, seq: u64) -> Markup {
    let name = edition.applicant(&body.application).map_or(body.application.as_str(), |o| o.name.get(view.lang));
    let department = edition.rules().department(&body.department).map_or("", |d| d.name.get(view.lang));
    let days: Vec<String> = body.events.iter().map(|day| date(view.lang, *day)).collect();
    let reason = edition.known_value(seq, "/reason").and_then(|text| text.as_str()).unwrap_or_default();
    html! {
        (ui::note(Tone::Stop, &html! {
            p { strong { (view.tp("opinion_objects", &[("department", department), ("name", name)])) } }
            @if !days.is_empty() { p { (view.tp("opinion_days", &[("days", &list(view.lang, &days))])) } }
            p.typed { (reason) }
            p.hint { (view.tp("opinion_source", &[("letter", &body.letter), ("record", &seq.to_string())])) }
        }))
    }
}
