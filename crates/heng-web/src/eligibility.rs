//! Eligibility of one applicant: a row for each condition with what was found and what proves it, then the departments.

use std::collections::BTreeMap;

use heng_app::desk::describe;
use heng_domain::edition::events::ConditionChecked;
use heng_domain::edition::{Application, Edition};
use heng_domain::rules::Condition;
use heng_log::Hash;
use jiff::civil::Date;
use maud::{Markup, html};

use crate::dossier::Seen;
use crate::ui::{self, Column, Row, Tone};
use crate::view::View;

/// Evidence that is a text of the office's own, not a file of the application.
pub(crate) fn notes(application: &Application) -> impl Iterator<Item = Hash> + '_ {
    let files = &application.body.attachments;
    let evidence = application.checks.values().flat_map(|check| &check.evidence);
    evidence.copied().filter(|hash| !files.iter().any(|file| file.sha256 == *hash))
}

/// The table of conditions, and of the departments' answers for those who may see them. `files` is where the application's
/// files are fetched.
pub(crate) fn table(view: &View, seen: &Seen<'_>, files: &str, today: Date) -> Markup {
    let Seen { edition, application, reader, .. } = *seen;
    let columns = ["eligibility_condition", "eligibility_result", "eligibility_facts", "eligibility_evidence"]
        .map(|key| Column::text(view.t(key)));
    let conditions = edition.rules().conditions.iter();
    let mut rows: Vec<Row<'_>> = conditions.map(|condition| row(view, seen, condition, files)).collect();
    if edition.may_see_opinions(reader, &application.body.application) {
        rows.extend(departments(view, seen, files, today));
    }
    ui::table(&view.t("conditions_heading"), &columns, &rows, &html! {})
}

fn row<'a>(view: &View, seen: &Seen<'_>, condition: &Condition, files: &str) -> Row<'a> {
    let Seen { edition, application, .. } = *seen;
    let name = html! { (condition.name.get(view.lang)) span.basis { " " (condition.basis) } };
    let Some(check) = application.checks.get(&condition.id) else {
        return Row::new(vec![name, ui::status_tag(&view.t("unchecked"), Tone::Quiet), html! {}, html! {}]);
    };
    let (key, tone) = if check.met { ("met", Tone::Done) } else { ("not_met", Tone::Stop) };
    let evidence = html! {
        @for hash in &check.evidence {
            @if application.body.attachments.iter().any(|file| file.sha256 == *hash) {
                // A file that the reader may not open proves its condition unnamed.
                @match seen.files().find(|file| file.sha256 == *hash) {
                    Some(file) => p { a href=(format!("{files}/{hash}")) { (file.name) } },
                    None => p { (ui::status_tag(&view.t("secret_kept"), Tone::Quiet)) },
                }
            } @else { p { (seen.note(hash)) } }
        }
        @if check.evidence.is_empty() { (view.t("eligibility_register")) }
    };
    Row::new(vec![name, ui::status_tag(&view.t(key), tone), facts(view, edition, check), evidence])
}

fn facts(view: &View, edition: &Edition, check: &ConditionChecked) -> Markup {
    let facts = serde_json::to_value(&check.facts).unwrap_or_default();
    html! {
        @for (label, value) in describe(edition, "facts", &facts, &BTreeMap::new()) {
            p { (label.get(view.lang)) " " (value.get(view.lang)) }
        }
        @if !check.note.is_empty() { p { (check.note) } }
    }
}

fn departments<'a>(view: &View, seen: &Seen<'_>, files: &str, today: Date) -> Vec<Row<'a>> {
    let Seen { edition, application, reader, .. } = *seen;
    let application = &application.body.application;
    let inside = edition.oversees(reader);
    let departments = edition.rules().opinions.iter().flat_map(|rules| &rules.departments);
    departments
        .filter_map(|department| {
            let state = edition.opinion_state(&department.id, application, today)?;
            let asked = edition.opinions.as_ref()?;
            let answer = asked.answers.get(&(department.id.clone(), application.clone()));
            Some(Row::new(vec![
                html! { (department.name.get(view.lang)) span.basis { " " (department.asks.get(view.lang)) } },
                crate::opinions::tag(view, state),
                html! { @for day in answer.iter().flat_map(|(body, _)| &body.events) { p { (crate::words::date(view.lang, *day)) } } },
                html! {
                    @if let Some((body, _)) = answer {
                        p { (body.letter) }
                        @for hash in body.evidence.iter().filter(|_| inside) {
                            @match seen.letter(hash) {
                                Some(file) => p { a href=(format!("{files}/{hash}")) { (file.name) } },
                                None => p { (seen.note(hash)) },
                            }
                        }
                    }
                },
            ]))
        })
        .collect()
}
