//! The page to check the answers of an unsigned act: every answer with the way to change it, and what deserves a look.

use heng_app::desk::files::{self, FileInfo};
use heng_app::desk::{Answers, Field, Kind, Sheet, results, words as message};
use maud::{Markup, html};

use super::Form;
use super::parts::{BUTTON, VERSION, html_id, part_query, parts, said};
use super::question::words;
use crate::ui::{self, Tone};
use crate::view::{Content, View};
use crate::work::act_href;
use axum::response::Response;

/// Why and how the answers are read.
#[derive(Default)]
pub(super) struct Look {
    /// Somebody changed answers while they were being checked, so they are read once more.
    pub changed: bool,
    /// What stands in place of the answers where a new version is read against the one before.
    pub changes: Option<Markup>,
}

pub(super) fn page(view: &View, form: &Form, sheet: &Sheet, answers: &Answers, version: u64, look: Look) -> Response {
    let title = view.t("check_answers");
    let act = message("act", sheet.kind, &[]);
    let action = act_href(view, &form.app, &form.log, &form.kind, &form.case);
    let own: Vec<(String, FileInfo)> = files::list(form.app.heng(), &sheet.me).unwrap_or_default();
    let uses = crate::files::uses(view.lang, &form.app, &form.log, sheet.me.starts_with("p:"));
    let use_of =
        |about: &str| uses.iter().find(|(id, _)| id == about).map_or(about.to_owned(), |(_, name)| name.clone());
    let file = |sha: &str| {
        let found = own.iter().find(|(id, _)| id == sha).map(|(_, info)| info);
        html! { @match found {
            Some(info) => {
                (info.name) " · " (use_of(&info.about))
                @if info.secret { " " (ui::status_tag(&view.t("file_secret"), Tone::Stop)) }
            },
            None => (sha),
        } }
    };
    let answer = |field: &Field| -> Markup {
        let values = said(answers, &field.name);
        let first = values.first().copied().unwrap_or_default();
        match &field.kind {
            Kind::Files { .. } if !values.is_empty() => {
                html! { ul.plain { @for sha in &values { li { (file(sha)) } } } }
            }
            Kind::Table { columns, .. } if !values.is_empty() => html! {
                (cells(view, field, columns, first))
                @if let Some(table) = results::typed(field, first) { (super::question::gaps(view, &table)) }
            },
            Kind::Many { .. } if field.name.starts_with("secret:") && !values.is_empty() => {
                let typed = answers.get(&field.name).cloned().unwrap_or_default();
                ui::status_tag(&words(view, field, &typed), Tone::Stop)
            }
            _ => {
                let typed = answers.get(&field.name).cloned().unwrap_or_default();
                html! { span.typed translate="no" { (words(view, field, &typed)) } }
            }
        }
    };
    // Questions about secrets are worth a line only where something is marked.
    let worth = |field: &&&Field| !field.name.starts_with("secret:") || !said(answers, &field.name).is_empty();
    let remarks = remarks(view, sheet, answers, &own);
    let main = html! {
        (ui::title_block(&title, Some(act.get(view.lang))))
        (ui::sentence(&view.t("check_answers_text")))
        @if look.changed { (ui::note(Tone::Due, &html! { p role="alert" { (view.t("check_changed")) } })) }
        @if !remarks.is_empty() {
            section.remarks {
                h2 { (view.t("check_remarks")) }
                ul { @for (query, remark) in &remarks { li { a href=(format!("{action}{query}")) { (remark) } } } }
            }
        }
        @if let Some(changes) = &look.changes {
            (changes)
            p { a href=(action) { (view.t("change")) } }
        } @else {
            @for part in parts(sheet) {
                @if let Some(name) = part.name { h2 { (name.get(view.lang)) } }
                dl.facts.answers {
                    @for field in part.fields.iter().filter(worth) {
                        div {
                            dt { (field.label.get(view.lang)) }
                            dd {
                                (answer(field)) " "
                                a href=(format!("{action}{}#{}", part_query(sheet, &field.name), html_id(&field.name))) {
                                    (view.t("change")) span.visually-hidden { " " (field.label.get(view.lang)) }
                                }
                            }
                        }
                    }
                }
            }
        }
        form method="post" action=(action) {
            input type="hidden" name=(VERSION) value=(version);
            @for (name, values) in answers { @for value in values { input type="hidden" name=(name) value=(value); } }
            (super::parts::shows(view, &sheet.shows))
            div.buttons { (ui::submit(&view.t("go_send"), true, Some((BUTTON, "send")))) }
        }
    };
    view.page(&form.app, Content::new(title, main))
}

fn cells(view: &View, field: &Field, columns: &[heng_domain::text::Text], typed: &str) -> Markup {
    let numbers_from = if field.name.starts_with("results:") { 4 } else { 1 };
    let head = |(index, column): (usize, &heng_domain::text::Text)| ui::Column {
        number: index >= numbers_from,
        ..ui::Column::text(column.get(view.lang).to_owned())
    };
    let columns: Vec<ui::Column<'_>> = columns.iter().enumerate().map(head).collect();
    let cell = |text: &str| html! { @if text.trim().is_empty() { "—" } @else { (text) } };
    let rows: Vec<ui::Row<'_>> = typed
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| ui::Row::new(line.split('\t').map(cell).collect()))
        .collect();
    let label = field.label.get(view.lang);
    html! { div.scroll tabindex="0" role="group" aria-label=(label) { (ui::table(label, &columns, &rows, &html! {})) } }
}

/// What may be sent as it is, but deserves a look: years without a value, result items without a table, loose files.
fn remarks(view: &View, sheet: &Sheet, answers: &Answers, own: &[(String, FileInfo)]) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for field in sheet.fields.iter().filter(|field| field.name.starts_with("results:")) {
        let place = format!("{}#{}", part_query(sheet, &field.name), html_id(&field.name));
        let item = field.name.trim_start_matches("results:");
        let typed = said(answers, &field.name).first().copied().unwrap_or_default();
        match results::typed(field, typed).map(|table| table.missing().len()) {
            None => out.push((place, view.tp("remark_no_table", &[("item", item)]))),
            Some(0) => {}
            Some(count) => {
                out.push((place, view.tp("remark_years", &[("item", item), ("count", &count.to_string())])));
            }
        }
    }
    let files: Vec<&str> = sheet
        .fields
        .iter()
        .filter(|field| field.name == "files")
        .flat_map(|field| said(answers, &field.name))
        .collect();
    let loose = own.iter().filter(|(sha, info)| files.contains(&sha.as_str()) && info.about == "other");
    for (_, info) in loose {
        out.push((part_query(sheet, "files"), view.tp("remark_loose", &[("file", &info.name)])));
    }
    let unused = own.iter().filter(|(sha, info)| !files.contains(&sha.as_str()) && info.about != "paper");
    if sheet.fields.iter().any(|field| field.name == "files") && unused.clone().next().is_some() {
        let names: Vec<String> = unused.map(|(_, info)| info.name.clone()).collect();
        out.push((
            part_query(sheet, "files"),
            view.tp("remark_unused", &[("files", &crate::words::list(view.lang, &names))]),
        ));
    }
    out
}
