//! Checking: the bundle, the root code, what can and cannot be shown, and the report of the same program run here.

use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use heng_app::{Image, Log};
use heng_domain::edition::Thing;
use heng_log::Hash;
use heng_log::code::{CodeError, check_root_code, root_code};
use heng_verify::Status;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

use crate::ui::{self, Action, Column, Field, FieldKind, Link, NextStep, Row, Tone};
use crate::view::{App, Content, View, edition_href, find, slug};

/// A checkpoint that somebody photographed: its size and its root code, as the address of the QR code holds them.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Photographed {
    size: String,
    root: String,
}

/// Whether what was photographed is a beginning of the log as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prefix {
    /// The first records have this root.
    Holds,
    /// They have another one.
    Differs,
    /// The log has not so many records.
    Longer,
    /// This is no root code, or not a whole one.
    NoCode,
    /// This is no number of records.
    NoSize,
}

impl Prefix {
    fn of(image: &Image, seen: &Photographed) -> Prefix {
        let Ok(size) = seen.size.trim().parse::<u64>() else { return Prefix::NoSize };
        match image.root_at(size).map(|root| check_root_code(&root, &seen.root)) {
            None => Prefix::Longer,
            Some(Ok(())) => Prefix::Holds,
            Some(Err(CodeError::Different)) => Prefix::Differs,
            Some(Err(CodeError::Form | CodeError::TooShort(_))) => Prefix::NoCode,
        }
    }

    fn said(self) -> (&'static str, Tone) {
        match self {
            Prefix::Holds => ("prefix_holds", Tone::Done),
            Prefix::Differs => ("prefix_differs", Tone::Stop),
            Prefix::Longer => ("prefix_longer", Tone::Stop),
            Prefix::NoCode => ("prefix_no_code", Tone::Due),
            Prefix::NoSize => ("prefix_no_size", Tone::Due),
        }
    }
}

/// What the reader's own browser needs to see that the log holds the first `size` records unchanged.
fn proof(view: &View, log: &Log, seen: &Photographed) -> Option<Markup> {
    let size = seen.size.trim().parse::<u64>().ok().filter(|size| *size > 0)?;
    let root = log.image().root_at(size)?;
    let (note, proof) = log.growth(size).ok()?;
    let grown = json!({ "key": log.verifier_key().to_string(), "note": note, "proof": proof }).to_string();
    Some(html! {
        p #photographed-proof role="status" data-log=(log.id()) data-grown=(grown)
            data-at=(json!({ "size": size, "root": root }).to_string())
            data-proven=(view.t("prefix_proven")) data-changed=(view.t("prefix_unproven")) {}
    })
}

/// The answer to whoever came with a checkpoint, and the question to whoever has one on paper.
///
/// `published`: before the records are public, nobody gets hashes of single ones, as a proof may hold them.
fn photographed(view: &View, log: &Log, here: &str, seen: &Photographed, published: bool) -> Markup {
    let given = !(seen.size.is_empty() && seen.root.is_empty());
    let prefix = given.then(|| Prefix::of(&log.image(), seen));
    let line = |name: &'static str, label: &str, value: &str| {
        let kind = FieldKind::Line { input_type: "text", value: value.to_owned().into(), autocomplete: None };
        ui::field(&Field::of(name, view.t(label), kind))
    };
    let form = html! {
        (line("size", "prefix_size", &seen.size))
        (line("root", "prefix_root", &seen.root))
        (ui::submit(&view.t("prefix_check"), false, None))
    };
    html! {
        section #photographed {
            h2 { (view.t("prefix_heading")) }
            @if let Some((key, tone)) = prefix.map(Prefix::said) {
                (ui::note(tone, &html! {
                    p role="status" { (view.tp(key, &[("size", seen.size.trim())])) }
                    @if published && prefix == Some(Prefix::Holds) { @if let Some(proof) = proof(view, log, seen) { (proof) } }
                }))
            }
            p { (view.t("prefix_text")) }
            (ui::form(&ui::Form { action: here.to_owned().into(), get: true, ..ui::Form::default() }, &form))
        }
    }
}

pub(crate) async fn show(
    view: View,
    State(app): State<App>,
    Path((programme, edition)): Path<(String, String)>,
    Query(seen): Query<Photographed>,
) -> Response {
    let Some(log) = find(&app, &programme, &edition) else { return view.missing(&app) };
    let (published, code, size, name) = {
        let image = log.image();
        let Some(edition) = image.state.edition() else { return view.missing(&app) };
        let checkpoint = image.checkpoint.as_ref();
        let code = checkpoint.map(|c| root_code(&Hash(c.root))).unwrap_or_default();
        let name = format!("{} · {}", edition.rules().name.get(view.lang), edition.opened.label.get(view.lang));
        (edition.public_may_see(Thing::Records), code, checkpoint.map_or(0, |c| c.size), name)
    };
    let report = if published {
        let (portal, log) = (app.clone(), log.clone());
        match tokio::task::spawn_blocking(move || portal.report(&log)).await {
            Ok(Ok(report)) => Some(report),
            Ok(Err(error)) => return view.failure(&app, &error),
            Err(_) => None,
        }
    } else {
        None
    };
    let title = view.t("check_title");
    let here = format!("/editions/{}", slug(log.id()));
    let file = format!("{}-{}.tar", programme, edition);
    let main = html! {
        (ui::title_block(&title, Some(&name)))
        (ui::sentence(&view.t(if published { "check_sentence" } else { "check_early" })))
        (ui::next_step(&NextStep {
            label: view.t("next_step").into(),
            text: view.t(if published { "check_next" } else { "check_next_early" }).into(),
            due: None,
            action: published.then(|| Action::Link(Link::new(view.t("download_bundle"), format!("{here}/bundle.tar")))),
            reason: Some(view.tp("check_command", &[("file", &file)]).into()),
        }))
        (photographed(&view, &log, &view.href(&format!("{here}/check")), &seen, published))
        section {
            h2 { (view.t("root_code")) }
            p { (view.tp("root_text", &[("size", &size.to_string())])) }
            p.check-code { (ui::root_code(&code.replace('-', ""))) }
            (ui::qr_svg(&address(&app, &log, size, &code), &view.t("root_qr")))
        }
        @if let Some(report) = &report { (table(&view, report)) }
        section {
            h2 { (view.t("can_show")) }
            ul { @for i in 1..=5 { li { (view.t(&format!("can_{i}"))) } } }
            h2 { (view.t("cannot_show")) }
            ul { @for i in 1..=4 { li { (view.t(&format!("cannot_{i}"))) } } }
        }
        section {
            h2 { (view.t("other_tools")) }
            p { (view.t("other_tools_text")) }
            ul {
                li { a href={ "/log/" (slug(log.id())) "/checkpoint" } { (view.t("link_checkpoint")) } }
                @if published { li { a href={ (here) "/result.json" } { (view.t("link_result")) } } }
            }
        }
        p { a href=(edition_href(view.language, log.id())) { (view.t("back_edition")) } }
    };
    let proof = view.proof(&log);
    let script = (!seen.root.is_empty()).then_some("sign.js");
    view.page(&app, Content { proof, script, ..Content::new(title, main) })
}

/// The address of the check as a QR code holds it: any phone opens it, and whoever keeps it has size and root in the hand.
pub(crate) fn address(app: &App, log: &Log, size: u64, code: &str) -> String {
    format!("{}/editions/{}/check?size={size}&root={code}", app.origin(), slug(log.id()))
}

fn table(view: &View, report: &heng_verify::Report) -> Markup {
    let columns = ["check_number", "check_what", "check_status", "check_found"].map(|key| Column::text(view.t(key)));
    let rows: Vec<Row<'_>> = report
        .checks
        .iter()
        .map(|check| {
            let (key, tone) = match check.status {
                Status::Ok => ("check_ok", Tone::Done),
                Status::Sealed => ("check_sealed", Tone::Due),
                Status::Failed => ("check_failed", Tone::Stop),
                Status::None => ("check_none", Tone::Quiet),
            };
            let name = heng_domain::messages::plain(view.lang, "verify", &format!("title_{}", check.id));
            Row::new(vec![
                html! { (check.id) },
                html! { (name) },
                ui::status_tag(&view.t(key), tone),
                html! {
                    (check.sentence.render(view.lang))
                    @if !check.steps.is_empty() {
                        details { summary { (view.t("steps")) } ul { @for step in &check.steps { li { (step.render(view.lang)) } } } }
                    }
                },
            ])
        })
        .collect();
    html! {
        section {
            h2 { (view.t("report_heading")) }
            p { (view.t("report_text")) }
            (ui::table(&view.t("report_heading"), &columns, &rows, &html! {}))
        }
    }
}

pub(crate) async fn bundle(
    view: View,
    State(app): State<App>,
    Path((programme, edition)): Path<(String, String)>,
) -> Response {
    let Some(log) = find(&app, &programme, &edition) else { return view.missing(&app) };
    let may = log.image().state.edition().is_some_and(|e| e.public_may_see(Thing::Records));
    if !may {
        return view.problem(&app, StatusCode::NOT_FOUND, &view.t("sealed_title"), &view.t("check_early"));
    }
    let made = {
        let (app, log) = (app.clone(), log.clone());
        tokio::task::spawn_blocking(move || app.bundle(&log)).await
    };
    match made {
        Ok(Ok(bytes)) => {
            let disposition = format!("attachment; filename=\"{programme}-{edition}.tar\"");
            let headers =
                [(header::CONTENT_TYPE, "application/x-tar".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
            (headers, bytes.as_ref().clone()).into_response()
        }
        Ok(Err(error)) => view.failure(&app, &error),
        Err(_) => {
            view.problem(&app, StatusCode::INTERNAL_SERVER_ERROR, &view.t("failure_title"), &view.t("failure_text"))
        }
    }
}

pub(crate) async fn result(
    view: View,
    State(app): State<App>,
    Path((programme, edition)): Path<(String, String)>,
) -> Response {
    let Some(log) = find(&app, &programme, &edition) else { return view.missing(&app) };
    let result =
        log.image().state.edition().filter(|e| e.public_may_see(Thing::Result)).and_then(|e| e.public_result());
    let written = result
        .and_then(|r| serde_json::to_value(r).ok())
        .and_then(|v| heng_log::canonical::to_bytes_unbounded(&v).ok());
    match written {
        Some(bytes) => ([(header::CONTENT_TYPE, "application/json")], bytes).into_response(),
        None => view.missing(&app),
    }
}

/// The receipt of a record: an offline proof that it is in the log. It shows the record's number, not its content.
pub(crate) async fn receipt(
    view: View,
    State(app): State<App>,
    Path((programme, edition, seq)): Path<(String, String, u64)>,
) -> Response {
    let Some(log) = find(&app, &programme, &edition) else { return view.missing(&app) };
    match log.receipt(seq) {
        Ok(receipt) => {
            let disposition = format!("attachment; filename=\"{programme}-{edition}-{seq}.tlog-proof\"");
            let headers = [
                (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
                (header::CONTENT_DISPOSITION, disposition),
            ];
            (headers, receipt.to_string()).into_response()
        }
        Err(_) => view.missing(&app),
    }
}
