//! Home: what is open now, who acts next, by when.

use axum::extract::State;
use axum::response::Response;
use heng_domain::edition::{Edition, StageProgress, Thing};
use heng_domain::rules::{Stage, StageKind};
use heng_domain::time::Instant;
use jiff::civil::Date;
use maud::{Markup, html};

use crate::ui::{self, Action, Column, Link, NextStep, Row, Tone};
use crate::view::{App, Content, View, edition_href};
use crate::words::date;

/// Who acts in a stage of this kind, and what they do, as a key of the message files.
pub(crate) fn acts(kind: StageKind) -> &'static str {
    match kind {
        StageKind::Call => "acts_call",
        StageKind::Application => "acts_application",
        StageKind::Recommendation => "acts_recommendation",
        StageKind::PreReview => "acts_pre_review",
        StageKind::Experts => "acts_experts",
        StageKind::Scoring => "acts_scoring",
        StageKind::Shortlist => "acts_shortlist",
        StageKind::Committee => "acts_committee",
        StageKind::Notice => "acts_notice",
        StageKind::Approval => "acts_approval",
        StageKind::Conferral => "acts_conferral",
    }
}

/// The stage to speak of: the one under way, else the next one.
pub(crate) fn current(edition: &Edition) -> Option<(&Stage, StageProgress)> {
    let stages = || edition.rules().stages.iter().map(|stage| (stage, edition.progress(stage)));
    stages()
        .find(|(_, p)| matches!(p, StageProgress::Now { .. }))
        .or_else(|| stages().find(|(_, p)| matches!(p, StageProgress::Next)))
}

/// How urgent a day is, seen from today.
pub(crate) fn tone(due: Date, today: Date) -> Tone {
    let days = today.until(due).map_or(0, |span| span.get_days());
    match days {
        i32::MIN..=-1 => Tone::Now,
        0..=5 => Tone::Due,
        _ => Tone::Quiet,
    }
}

/// "by 12 May", in a state of urgency.
pub(crate) fn due(view: &View, edition: &Edition, stage: &Stage, now: Instant) -> Option<(String, Tone)> {
    let day = edition.due(stage)?;
    let today = edition.day(now);
    let tone = tone(day, today);
    let key = if tone == Tone::Now { "overdue" } else { "by_day" };
    Some((view.tp(key, &[("day", &date(view.lang, day))]), tone))
}

pub(crate) async fn show(view: View, State(app): State<App>) -> Response {
    let now = app.heng().clock().now();
    let editions = app.heng().editions();
    let mut rows = Vec::new();
    let mut open_call: Option<Markup> = None;
    for log in &editions {
        let image = log.image();
        let Some(edition) = image.state.edition() else { continue };
        let href = edition_href(view.language, log.id());
        let name = edition.rules().name.get(view.lang).to_owned();
        let label = edition.opened.label.get(view.lang).to_owned();
        let (stage, who, by) = match (edition.closed, current(edition)) {
            (true, _) | (_, None) => (ui::status_tag(&view.t("finished"), Tone::Done), String::new(), html! {}),
            (_, Some((stage, _))) => {
                let by = due(&view, edition, stage, now);
                (
                    ui::status_tag(stage.name.get(view.lang), Tone::Due),
                    view.t(acts(stage.kind)),
                    html! { @if let Some((text, tone)) = by { (ui::status_tag(&text, tone)) } },
                )
            }
        };
        if let (None, Some((stage, StageProgress::Now { .. }))) = (&open_call, current(edition))
            && stage.kind == StageKind::Application
        {
            open_call = Some(next(&view, edition, stage, now, &name, &href));
        }
        rows.push(Row::link(href, vec![html! { (name) " · " (label) }, stage, html! { (who) }, by]));
    }
    let columns = ["edition", "stage_now", "who_acts", "by_when"].map(|key| Column::text(view.t(key)));
    let finished = editions.iter().filter(|log| log.image().state.edition().is_some_and(|e| e.closed)).count();
    let sentence = view.tp(
        "home_sentence",
        &[("open", &(editions.len() - finished).to_string()), ("finished", &finished.to_string())],
    );
    let published: Vec<_> = editions
        .iter()
        .filter(|log| log.image().state.edition().is_some_and(|e| e.public_may_see(Thing::Result)))
        .collect();
    let title = view.t("home_title");
    let main = html! {
        (ui::title_block(&title, None))
        (ui::sentence(&sentence))
        @if let Some(call) = open_call { (call) }
        h2 { (view.t("editions")) }
        (ui::table(&view.t("editions"), &columns, &rows, &ui::empty_state(&view.t("no_editions"), None)))
        @if !published.is_empty() {
            h2 { (view.t("check_heading")) }
            p { (view.t("check_text")) }
            ul {
                @for log in published {
                    li { a href={ (edition_href(view.language, log.id())) "/check" } { (view.tp("check_edition", &[("edition", &title_of(&view, log))])) } }
                }
            }
        }
        h2 { (view.t("certificate_heading")) }
        (crate::winners::certificate_form(&view, ""))
        h2 { (view.t("register_heading")) }
        p { (view.t("register_text")) " " a href=(view.href("/winners")) { (view.t("register_link")) } }
    };
    view.page(&app, Content { wide: true, ..Content::new(title, main) })
}

fn title_of(view: &View, log: &heng_app::Log) -> String {
    let image = log.image();
    image
        .state
        .edition()
        .map(|e| format!("{} · {}", e.rules().name.get(view.lang), e.opened.label.get(view.lang)))
        .unwrap_or_default()
}

fn next(view: &View, edition: &Edition, stage: &Stage, now: Instant, name: &str, href: &str) -> Markup {
    ui::next_step(&NextStep {
        label: view.t("open_now").into(),
        text: view.tp("open_call", &[("name", name)]).into(),
        due: due(view, edition, stage, now).map(|(text, tone)| (text.into(), tone)),
        action: Some(Action::Link(Link::new(view.t("read_call"), href.to_owned()))),
        reason: Some(view.t("no_fee").into()),
    })
}
