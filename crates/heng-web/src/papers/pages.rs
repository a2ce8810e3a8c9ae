//! Pages of papers: what there is to read, and each paper as a sheet that prints on A4.

use axum::extract::{Path, State};
use axum::response::Response;
use heng_app::desk::proposal;
use maud::{Markup, html};

use super::{Block, Head, Listed, Paper, list, open};
use crate::ui::{self, Column, Link, NoticePaper, PaperLook, Row};
use crate::view::{App, Content, View, edition_href, slug};
use crate::words::{date, instant};
use crate::work::{encode, log_name, log_of, place};

/// So many papers of a kind are listed; each application's are on its own page as well.
const LISTED: usize = 60;
/// More of a kind are folded away.
const FOLDED: usize = 8;
/// A table with more columns needs the long side of the sheet.
const UPRIGHT: usize = 7;

/// Address of a paper for somebody with a seat.
pub(crate) fn href(view: &View, app: &App, log: &str, kind: &str, case: &str) -> String {
    view.href(&format!("/work/{}/papers/{kind}/{}", place(app, log), encode(case)))
}

/// Address of a certificate to print.
pub(crate) fn certificate_href(view: &View, log: &str, number: &str) -> String {
    format!("{}/papers/certificate/{}", edition_href(view.language, log), encode(number))
}

// ── lists ───────────────────────────────────────────────────────────────────────────────────────────────

pub(crate) async fn public_list(
    view: View,
    State(app): State<App>,
    Path((programme, edition)): Path<(String, String)>,
) -> Response {
    let Some(log) = crate::view::find(&app, &programme, &edition) else { return view.missing(&app) };
    let base = format!("{}/papers", edition_href(view.language, log.id()));
    let back = Link::new(view.t("back_edition"), edition_href(view.language, log.id()));
    list_page(&view, &app, log.id(), None, &base, &back)
}

pub(crate) async fn seat_list(
    view: View,
    State(app): State<App>,
    Path((first, second)): Path<(String, String)>,
) -> Response {
    let Some((log, me)) = seat(&view, &app, &first, &second) else { return view.missing(&app) };
    let base = view.href(&format!("/work/{}/papers", place(&app, &log)));
    let back = Link::new(view.t("back_work"), view.href(&format!("/work/{}", place(&app, &log))));
    list_page(&view, &app, &log, Some(&me), &base, &back)
}

/// The log, and who I am in it.
fn seat(view: &View, app: &App, first: &str, second: &str) -> Option<(String, String)> {
    let log = log_of(app, first, second)?;
    let me = proposal::handle(app.heng(), &log, &view.me.as_ref()?.subject).ok().flatten()?;
    Some((log, me))
}

fn list_page(view: &View, app: &App, log: &str, me: Option<&str>, base: &str, back: &Link<'_>) -> Response {
    let Some(papers) = list(app, view, log, me) else { return view.missing(app) };
    let title = view.t("official_papers");
    let main = html! {
        (ui::title_block(&title, Some(log_name(app, log).get(view.lang))))
        (ui::sentence(&view.tp("official_papers_text", &[("count", &papers.len().to_string())])))
        @if papers.is_empty() { (ui::empty_state(&view.t("official_papers_none"), None)) }
        @for group in papers.chunk_by(|a, b| a.kind == b.kind) { (kind(view, group, base)) }
        p { a href=(back.href) { (back.label) } }
    };
    let proof = app.heng().log(log).ok().and_then(|log| view.proof(&log));
    view.page(app, Content { proof, ..Content::new(title, main) })
}

fn kind(view: &View, papers: &[Listed], base: &str) -> Markup {
    let Some(first) = papers.first() else { return html! {} };
    html! {
        section {
            h2 { (first.name) }
            @if papers.len() > FOLDED {
                details.more {
                    summary { (view.tp("papers_count", &[("count", &papers.len().to_string())])) }
                    (register(view, papers, base))
                }
            } @else {
                (register(view, papers, base))
            }
        }
    }
}

fn register(view: &View, papers: &[Listed], base: &str) -> Markup {
    html! {
        ul.register {
            @for paper in papers.iter().take(LISTED) {
                li {
                    a.register-name href=(format!("{base}/{}/{}", paper.kind, encode(&paper.case))) { (paper.about) }
                    span.register-state { (view.t(if paper.public { "paper_public" } else { "paper_inside" })) }
                }
            }
        }
        @if papers.len() > LISTED {
            p.hint { (view.tp("papers_more", &[("count", &(papers.len() - LISTED).to_string())])) }
        }
    }
}

// ── one paper ───────────────────────────────────────────────────────────────────────────────────────────

pub(crate) async fn public_show(
    view: View,
    State(app): State<App>,
    Path((programme, edition, paper, case)): Path<(String, String, String, String)>,
) -> Response {
    let Some(log) = crate::view::find(&app, &programme, &edition) else { return view.missing(&app) };
    let Some(paper) = open(&app, &view, log.id(), None, &paper, &case) else { return view.missing(&app) };
    let back = Link::new(view.t("papers_back"), format!("{}/papers", edition_href(view.language, log.id())));
    page(&view, &app, log.id(), None, &paper, &back)
}

pub(crate) async fn seat_show(
    view: View,
    State(app): State<App>,
    Path((first, second, paper, case)): Path<(String, String, String, String)>,
) -> Response {
    let Some((log, me)) = seat(&view, &app, &first, &second) else { return view.missing(&app) };
    let Some(paper) = open(&app, &view, &log, Some(&me), &paper, &case) else { return view.missing(&app) };
    let back = Link::new(view.t("papers_back"), view.href(&format!("/work/{}/papers", place(&app, &log))));
    page(&view, &app, &log, Some(&me), &paper, &back)
}

fn page(view: &View, app: &App, log: &str, me: Option<&str>, paper: &Paper, back: &Link<'_>) -> Response {
    // What not everybody may read says who has opened it, on the screen and on the sheet.
    let mark = me.filter(|_| !paper.public).and_then(|reader| {
        let offset = app.heng().log(log).ok()?.image().state.edition()?.rules().utc_offset_minutes;
        let now = instant(view.lang, app.heng().clock().now(), offset);
        Some(view.watermark(reader, &now))
    });
    let proof_file = paper.records.first().filter(|_| paper.paper == "receipt");
    let proof_file = proof_file.map(|seq| format!("/editions/{}/receipts/{seq}", slug(log)));
    let main = html! {
        @if let Some(mark) = &mark { p.watermark { (mark) } }
        p.hint { (view.t("paper_print")) }
        (sheet(view, app, paper, mark.as_deref()))
        @if let Some(href) = &proof_file { p { a href=(href) { (view.t("receipt_button")) } } }
        p { a href=(back.href) { (back.label) } }
    };
    let proof = app.heng().log(log).ok().and_then(|log| view.proof(&log));
    view.page(app, Content { proof, ..Content::new(paper.title.clone(), main) })
}

fn sheet(view: &View, app: &App, paper: &Paper, mark: Option<&str>) -> Markup {
    let columns = paper.parts.iter().map(|part| match part {
        Block::Table { columns, .. } => columns.len(),
        _ => 0,
    });
    let look = match (paper.paper, columns.max()) {
        ("certificate", _) => PaperLook::Certificate,
        (_, Some(most)) if most > UPRIGHT => PaperLook::Landscape,
        _ => PaperLook::Upright,
    };
    // A certificate is checked at its own page, everything else where its edition is.
    let check = match (&paper.number, look) {
        (Some(number), PaperLook::Certificate) => {
            format!("{}{}", app.origin(), view.href(&format!("/certificates/{}", encode(number))))
        }
        _ => paper.check.clone(),
    };
    let demo = app.heng().office_log().is_some_and(|log| log.image().state.office().is_some_and(|o| o.founded.demo));
    let records: Vec<String> = paper.records.iter().map(u64::to_string).collect();
    let foot = html! {
        div.paper-check {
            (ui::qr_svg(&check, &view.t("paper_qr")))
            div {
                p { (view.tp("paper_made", &[("size", &paper.size.to_string())])) " " (ui::root_code(&paper.root_code.replace('-', ""))) }
                @if !records.is_empty() { p { (view.tp("paper_records", &[("records", &crate::words::list(view.lang, &records))])) } }
                p { (view.t("paper_check")) " " a href=(check) { (check) } }
                @if let Some(mark) = mark { p { (mark) } }
                @if demo { p { (view.t("paper_demo")) } }
            }
        }
    };
    let running = view.tp("paper_running", &[("title", &paper.title), ("code", &paper.root_code)]);
    ui::notice_paper(&NoticePaper {
        issuer: paper.issuer.as_str().into(),
        number: paper.number.as_deref().map(Into::into),
        title: paper.title.as_str().into(),
        addressee: paper.addressee.as_deref().map(Into::into),
        body: blocks(view, &paper.title, &paper.parts),
        signer: paper.signer.as_deref().unwrap_or_default().into(),
        date: paper.day.map(|day| date(view.lang, day)).unwrap_or_default().into(),
        datetime: paper.day.map(|day| day.to_string()).unwrap_or_default().into(),
        seal: paper.signer.as_ref().map(|_| view.t("seal").into()),
        signatures: paper.signatures.iter().map(|line| line.as_str().into()).collect(),
        running: Some(running.into()),
        foot: Some(foot),
        look,
        ..NoticePaper::default()
    })
}

/// A paper as a part of a page, without its frame.
pub(crate) fn report(view: &View, paper: &Paper) -> Markup {
    html! { div.paper-parts { (blocks(view, &paper.title, &paper.parts)) } }
}

/// Links to the papers about an application that the reader may open.
pub(crate) fn of_application(view: &View, app: &App, log: &str, me: &str, id: &str) -> Markup {
    let papers = super::about(app, view, log, me, id);
    html! {
        @if !papers.is_empty() {
            nav.rooms aria-label=(view.t("official_papers")) {
                ul { @for paper in &papers { li { a href=(href(view, app, log, paper.kind, id)) { (paper.name) } } } }
            }
        }
    }
}

/// The parts of a paper; `name` is what a table without a heading is called.
fn blocks(view: &View, name: &str, parts: &[Block]) -> Markup {
    let mut under = name;
    // A table is called like the heading above it.
    let named = parts.iter().map(|part| {
        if let Block::Heading { text } = part {
            under = text;
        }
        (under, part)
    });
    html! {
        @for (under, part) in named {
            @match part {
                Block::Heading { text } => h2 { (text) },
                Block::Text { text } => p { (text) },
                // What stands in a record is shown in its own characters.
                Block::Quoted { text } => p lang=(view.lang.tag()) translate="no" { (text) },
                Block::Facts { rows } => {
                    dl.paper-facts { @for row in rows { div { dt { (row.label) } dd { (row.value) } } } }
                }
                Block::List { lines } => ul { @for line in lines { li { (line) } } },
                Block::Table { columns, rows } => (table(under, columns, rows)),
            }
        }
    }
}

/// A hash may break anywhere, a word may not.
fn cell(text: &str) -> Markup {
    let hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    html! { @if hash { span.hash { (text) } } @else { (text) } }
}

fn table(name: &str, columns: &[Head], rows: &[Vec<String>]) -> Markup {
    let columns: Vec<Column<'_>> = columns
        .iter()
        .map(|head| if head.number { Column::number(head.text.as_str()) } else { Column::text(head.text.as_str()) })
        .collect();
    let rows: Vec<Row<'_>> = rows.iter().map(|cells| Row::new(cells.iter().map(|text| cell(text)).collect())).collect();
    ui::table(name, &columns, &rows, &html! {})
}
