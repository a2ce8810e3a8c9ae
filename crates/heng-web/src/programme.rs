//! The page of a programme: its rules in plain words with their legal basis, and its editions.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use heng_app::Log;
use heng_domain::messages::plain as plain_text;
use heng_domain::rules::Rules;
use maud::{Markup, html};

use crate::plain::{self, Line};
use crate::ui::{self, Action, Column, Link, NextStep, Row, Tone};
use crate::view::{App, Content, View, edition_href};

/// The editions of a programme, newest first.
pub(crate) fn editions(app: &App, programme: &str) -> Vec<Arc<Log>> {
    let place = format!("/{programme}/");
    app.heng().editions().into_iter().filter(|log| log.id().contains(&place)).collect()
}

pub(crate) async fn show(view: View, State(app): State<App>, Path(programme): Path<String>) -> Response {
    let Some(office) = app.heng().office_log() else { return view.missing(&app) };
    let rules: Option<Rules> = {
        let image = office.image();
        image.state.office().and_then(|o| o.rules.get(&programme)).and_then(|v| v.last()).map(|(_, r)| r.rules.clone())
    };
    let Some(rules) = rules else { return view.missing(&app) };
    let editions = editions(&app, &programme);
    let assumed = count(&view, &rules);
    let title = rules.name.get(view.lang).to_owned();
    let rows: Vec<Row<'_>> = editions
        .iter()
        .filter_map(|log| {
            let image = log.image();
            let edition = image.state.edition()?;
            Some(Row::link(
                edition_href(view.language, log.id()),
                vec![
                    html! { (edition.opened.label.get(view.lang)) },
                    html! { (crate::edition::stands(&view, edition)) },
                ],
            ))
        })
        .collect();
    let columns = ["edition", "stands"].map(|key| Column::text(view.t(key)));
    let newest = editions.first().map(|log| edition_href(view.language, log.id()));
    let main = html! {
        (ui::title_block(&title, Some(rules.authority.get(view.lang))))
        (ui::sentence(&view.tp("programme_sentence", &[
            ("title", rules.document.title.get(view.lang)), ("number", &rules.document.number), ("version", &rules.version),
            ("assumed", &assumed.to_string()),
        ])))
        @if let Some(href) = newest {
            (ui::next_step(&NextStep {
                label: view.t("next_step").into(),
                text: view.t("programme_next").into(),
                due: None,
                action: Some(Action::Link(Link::new(view.t("newest_edition"), href))),
                reason: None,
            }))
        }
        h2 { (view.t("editions")) }
        (ui::table(&view.t("editions"), &columns, &rows, &ui::empty_state(&view.t("no_editions"), None)))
        p { a href=(view.href(&format!("/programmes/{programme}/rules"))) { (plain_text(view.lang, "rules", "link")) } }
        h2 { (view.t("plain_award")) }
        (lines(&view, &plain::award(&view, &rules)))
        h2 { (view.t("plain_applying")) }
        (lines(&view, &plain::applying(&view, &rules)))
        h2 { (view.t("plain_recusal")) }
        (lines(&view, &plain::recusal(&view, &rules)))
        @for stage in &rules.stages {
            h3 { (stage.name.get(view.lang)) }
            p.basis { (view.tp("basis_line", &[("basis", &stage.basis)])) }
            (lines(&view, &plain::stage(&view, stage)))
        }
        h2 { (view.t("plain_disclosure")) }
        (lines(&view, &plain::disclosure(&view, &rules)))
        p { (view.tp("rules_source", &[("source", &rules.document.source)])) }
    };
    view.page(&app, Content::new(title, main))
}

fn count(view: &View, rules: &Rules) -> usize {
    let stages = rules.stages.iter().flat_map(|s| plain::stage(view, s));
    plain::award(view, rules)
        .into_iter()
        .chain(plain::applying(view, rules))
        .chain(plain::recusal(view, rules))
        .chain(stages)
        .chain(plain::disclosure(view, rules))
        .filter(|l| l.assumed)
        .count()
}

fn lines(view: &View, list: &[Line]) -> Markup {
    html! {
        ul.rule-lines {
            @for line in list {
                li {
                    (line.text)
                    span.basis {
                        " " (view.tp("basis_line", &[("basis", &line.basis)]))
                        @if line.assumed { " " (ui::status_tag(&view.t("assumed"), Tone::Due)) }
                    }
                }
            }
        }
    }
}
