//! One question of a form as a page shows it, and an answer in words.

use heng_app::desk::drafts::Saved;
use heng_app::desk::{self, Answers, Field, Grade, Kind, results};
use maud::{Markup, html};

use super::parts::{THEIRS, counts_together, html_id, report, said};
use super::{Form, Sheet, Shown};
use crate::ui::{self, Choose, FieldKind, Grid, Tone};
use crate::view::View;
use crate::words::number;
use crate::work::place;

/// Rows of an empty table.
const ROWS: usize = 3;

pub(super) fn question(
    view: &View,
    form: &Form,
    sheet: &Sheet,
    field: &Field,
    now: &Answers,
    around: &Shown,
) -> Markup {
    let typed = now.get(&field.name).cloned().unwrap_or_default();
    let first = typed.first().cloned().unwrap_or_default();
    let line =
        |input_type: &'static str| FieldKind::Line { input_type, value: first.clone().into(), autocomplete: None };
    let chosen: Vec<ui::Text<'_>> = typed.iter().map(|value| value.as_str().into()).collect();
    let choices: Vec<Choose<'_>> = match &field.kind {
        Kind::One { choices } | Kind::Many { choices } => {
            choices.iter().map(|c| Choose::new(c.value.as_str(), c.label.get(view.lang))).collect()
        }
        Kind::Files { .. } => files(view, form, sheet),
        _ => Vec::new(),
    };
    let with_empty: Vec<Choose<'_>> =
        std::iter::once(Choose::new("", view.t("please_choose"))).chain(choices.iter().cloned()).collect();
    let kind = match &field.kind {
        Kind::Line { .. } | Kind::Number { .. } | Kind::Money { .. } => line("text"),
        Kind::Area { rows, .. } => FieldKind::Area { value: first.clone().into(), rows: *rows },
        Kind::Table { columns, most } => {
            let columns = columns.iter().map(|c| c.get(view.lang).to_owned().into()).collect();
            FieldKind::Grid(grid(view, field, columns, &first, *most))
        }
        Kind::Day => line("date"),
        Kind::Moment => line("datetime-local"),
        Kind::One { choices: all } if all.len() > 5 => {
            FieldKind::Select { options: &with_empty, chosen: first.as_str().into() }
        }
        Kind::One { .. } => FieldKind::Radio { options: &choices, chosen: first.as_str().into() },
        Kind::Many { .. } | Kind::Files { .. } => FieldKind::Checks { options: &choices, chosen: &chosen },
        Kind::Tick => FieldKind::Checkbox { value: "yes".into(), checked: !first.is_empty() },
    };
    let mut out = ui::Field::of(field.name.as_str(), field.label.get(view.lang), kind);
    out.id = html_id(&field.name).into();
    if let Some(hint) = &field.hint {
        out.hint = Some(hint.get(view.lang).into());
    }
    if field.is_free() {
        out.optional = Some(view.t("optional").into());
    }
    out.error = around.wrong.iter().find(|w| w.field == field.name).map(|w| w.sentence(view.lang).into());
    let theirs = around.newer.as_ref().filter(|_| around.both.contains(&field.name));
    html! {
        div.question.wide-part[matches!(field.kind, Kind::Table { .. })] {
            (ui::field(&out))
            (scale(view, field, &first))
            (count(view, sheet, field, now))
            @if let Some(saved) = theirs { (beside(view, field, saved)) }
            @if let Some(table) = results::typed(field, &first) {
                (gaps(view, &table))
                (crate::results::pictures(view, &table))
            }
            @if matches!(field.kind, Kind::Files { .. }) {
                p { a.button href=(view.href(&format!("/work/{}/files", place(&form.app, &form.log)))) { (view.t("upload_link")) } }
            }
        }
    }
}

/// What the typed number says, and the whole scale folded below; a script keeps up while one types.
fn scale(view: &View, field: &Field, typed: &str) -> Markup {
    let here = typed.trim().trim_end_matches('%').parse::<u32>().ok();
    let holds = |grade: &Grade| here.is_some_and(|number| (grade.from..=grade.to).contains(&number));
    let range = |grade: &Grade| format!("{}–{}%", grade.from, grade.to);
    let now = field.scale.iter().find(|grade| holds(grade));
    html! {
        @if !field.scale.is_empty() {
            div.scale data-for=(html_id(&field.name)) {
                p.hint role="status" { @if let Some(grade) = now { (range(grade)) " · " (grade.words.get(view.lang)) } }
                details.more {
                    summary { (view.t("scale_all")) }
                    ol.plain { @for grade in &field.scale {
                        li data-from=(grade.from) data-to=(grade.to) { (range(grade)) " · " (grade.words.get(view.lang)) }
                    } }
                }
            }
        }
    }
}

/// The years without a value; they are no mistake, but whoever judges will look for them.
pub(super) fn gaps(view: &View, table: &results::Results) -> Markup {
    let gaps = table.missing();
    html! {
        @if !gaps.is_empty() {
            ul.gaps { @for (row, indicator, year) in gaps { li {
                (ui::status_tag(&view.tp("year_missing", &[("row", &row.to_string()), ("indicator", indicator), ("year", &year.to_string())]), Tone::Due))
            } } }
        }
    }
}

/// What somebody else has saved for the same question: both are seen, one is chosen.
fn beside(view: &View, field: &Field, saved: &Saved) -> Markup {
    let theirs = saved.answers.get(&field.name).cloned().unwrap_or_default();
    let id = format!("{}-theirs", html_id(&field.name));
    html! {
        div.theirs {
            p.theirs-label { (view.t("draft_theirs")) }
            p.typed translate="no" { (words(view, field, &theirs)) }
            div.choice {
                input type="checkbox" id=(id) name=(THEIRS) value=(field.name);
                label for=(id) { (view.t("draft_take_theirs")) }
            }
        }
    }
}

/// The characters of a long answer against their limit; a script counts on while one types.
fn count(view: &View, sheet: &Sheet, field: &Field, now: &Answers) -> Markup {
    let Kind::Area { most, .. } = field.kind else { return html! {} };
    let typed: usize = said(now, &field.name).iter().map(|text| text.chars().count()).sum();
    let shown = |n: usize| number(u64::try_from(n).unwrap_or(0));
    let together = counts_together(field);
    let all: Vec<&Field> = sheet.fields.iter().collect();
    let (sum, _) = report(&all, now);
    let (key, used) = if together { ("characters_together", sum) } else { ("characters_of", typed) };
    let pairs = [("typed", shown(typed)), ("all", shown(used)), ("most", shown(most))];
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, text)| (*name, text.as_str())).collect();
    html! {
        p.hint.count data-for=(html_id(&field.name)) data-most=(most) data-rest=[together.then(|| sum.saturating_sub(typed))]
            data-text=(view.t(key)) data-over=(view.t("characters_over")) data-state=[(used > most).then_some("over")] {
            (view.tp(key, &pairs))
            @if used > most { " " (view.tp("characters_over", &[("over", &shown(used - most))])) }
        }
    }
}

fn grid<'a>(view: &View, field: &Field, columns: Vec<ui::Text<'a>>, typed: &str, most: usize) -> Grid<'a> {
    let filled = typed.lines().filter(|line| !line.trim().is_empty());
    let mut rows: Vec<Vec<ui::Text<'a>>> =
        filled.map(|line| line.split('\t').map(|cell| cell.trim().to_owned().into()).collect()).collect();
    // Without a script every save brings one more row to fill in.
    let wanted = (rows.len() + usize::from(field.optional)).max(ROWS).min(most.max(rows.len()));
    rows.resize(wanted, Vec::new());
    Grid {
        columns,
        rows,
        numbers_from: if field.name.starts_with("results:") { 4 } else { 0 },
        most,
        cell_name: view.t("grid_cell").into(),
        add: view.t("grid_add").into(),
        full: view.t("grid_full").into(),
        lost: view.t("grid_lost").into(),
    }
}

/// Files that the actor has uploaded.
fn files(view: &View, form: &Form, sheet: &Sheet) -> Vec<Choose<'static>> {
    let list = desk::files::list(form.app.heng(), &sheet.me).unwrap_or_default();
    let uses = crate::files::uses(view.lang, &form.app, &form.log, sheet.me.starts_with("p:"));
    let all = list.into_iter().map(|(sha, info)| {
        let about = uses.iter().find(|(id, _)| *id == info.about).map_or(info.about.as_str(), |(_, name)| name);
        let mark = if info.secret { format!(" · {}", view.t("file_secret")) } else { String::new() };
        Choose::new(sha, format!("{} · {about}{mark}", info.name))
    });
    all.collect()
}

/// The answer to a question in words.
pub(super) fn words(view: &View, field: &Field, typed: &[String]) -> String {
    let label = |value: &String| match &field.kind {
        Kind::One { choices } | Kind::Many { choices } => {
            let found = choices.iter().find(|c| c.value == *value);
            found.map_or_else(|| value.clone(), |c| c.label.get(view.lang).to_owned())
        }
        Kind::Tick => view.t("ticked"),
        _ => value.clone(),
    };
    let all: Vec<String> = typed.iter().filter(|v| !v.is_empty()).map(label).collect();
    if all.is_empty() { "—".to_owned() } else { crate::words::list(view.lang, &all) }
}
