//! Site visits (现场评审): a calendar of all of them, and the page of one: plan, questions, findings, report.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use heng_app::desk::{EditionDesk, Place, with_desk, words};
use heng_domain::edition::events::{FindingKind, VisitPlanned};
use heng_domain::edition::{Edition, LogEntry, Visit};
use heng_domain::rules::Stage;
use heng_domain::text::Text;
use jiff::civil::Date;
use maud::{Markup, html};

use crate::ui::{self, Link, Tone};
use crate::view::{App, Content, View};
use crate::words::{date, list};
use crate::work::{act_href, encode, log_name, log_of, place};

/// Stages in which applicants are visited.
pub(crate) fn stages(edition: &Edition) -> impl Iterator<Item = &Stage> {
    edition.rules().stages.iter().filter(|stage| edition.is_visited(stage))
}

/// Whether there is anything about visits that the person may see: then the workspace leads to it.
pub(crate) fn any(desk: &EditionDesk<'_>) -> bool {
    desk.edition
        .visits
        .iter()
        .any(|((_, application), visit)| visit.plan.is_some() && desk.edition.may_read(&desk.me, application))
}

/// All planned visits that the person may see, day by day.
pub(crate) async fn calendar(
    view: View,
    State(app): State<App>,
    Path((first, second)): Path<(String, String)>,
) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let Some(log) = log_of(&app, &first, &second) else { return view.missing(&app) };
    let title = view.t("visits_title");
    let found = with_desk(app.heng(), &log, &me.subject, |at| {
        let Place::Edition(desk) = at else { return None };
        let here = view.href(&format!("/work/{}/applications", place(&app, &log)));
        let days = by_day(desk);
        let count: usize = days.values().map(Vec::len).sum();
        Some(html! {
            (ui::title_block(&title, Some(log_name(&app, &log).get(view.lang))))
            (ui::sentence(&view.tp(if days.is_empty() { "visits_none" } else { "visits_count" }, &[("count", &count.to_string())])))
            @for (day, visits) in &days {
                section {
                    h2 { (date(view.lang, *day)) }
                    ul.register { @for (id, visit, plan) in visits { (entry(&view, desk, &here, id, visit, plan)) } }
                }
            }
            p { a href=(view.href(&format!("/work/{}", place(&app, &log)))) { (view.t("back_work")) } }
        })
    });
    match found.ok().flatten().flatten() {
        Some(main) => view.page(&app, Content::new(title, main)),
        None => view.missing(&app),
    }
}

/// An application, its visit and the plan of it.
type Planned<'a> = (&'a str, &'a Visit, &'a VisitPlanned);

fn by_day<'a>(desk: &'a EditionDesk<'_>) -> BTreeMap<Date, Vec<Planned<'a>>> {
    let mut days: BTreeMap<Date, Vec<Planned<'a>>> = BTreeMap::new();
    for ((_, application), visit) in &desk.edition.visits {
        if let Some((plan, _)) = visit.plan.as_ref().filter(|_| desk.edition.may_read(&desk.me, application)) {
            days.entry(plan.first_day).or_default().push((application, visit, plan));
        }
    }
    days
}

fn entry(view: &View, desk: &EditionDesk<'_>, here: &str, id: &str, visit: &Visit, plan: &VisitPlanned) -> Markup {
    let (key, tone) = state(desk, visit, plan);
    html! {
        li {
            a.register-name href=(format!("{here}/{}/visit", encode(id))) { (desk.name(id).get(view.lang)) }
            span.register-state { (ui::status_tag(&view.t(key), tone)) }
            p.register-details { @if plan.first_day != plan.last_day { (span(view, plan)) " · " } (plan.place) }
        }
    }
}

fn state(desk: &EditionDesk<'_>, visit: &Visit, plan: &VisitPlanned) -> (&'static str, Tone) {
    match visit.report {
        Some(_) => ("visit_reported", Tone::Done),
        None if desk.today() < plan.first_day => ("visit_ahead", Tone::Quiet),
        None if desk.today() <= plan.last_day => ("visit_now", Tone::Now),
        None => ("visit_unreported", Tone::Due),
    }
}

fn span(view: &View, plan: &VisitPlanned) -> String {
    let (first, last) = (date(view.lang, plan.first_day), date(view.lang, plan.last_day));
    if first == last { first } else { view.tp("visit_span", &[("first", &first), ("last", &last)]) }
}

/// The visit of one application.
pub(crate) async fn show(
    view: View,
    State(app): State<App>,
    Path((first, second, id)): Path<(String, String, String)>,
) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let Some(log) = log_of(&app, &first, &second) else { return view.missing(&app) };
    let found = with_desk(app.heng(), &log, &me.subject, |at| {
        let Place::Edition(desk) = at else { return None };
        if !desk.edition.may_read(&desk.me, &id) {
            return None;
        }
        let visits = stages(desk.edition).filter_map(|stage| Some((stage, desk.edition.visit(&stage.id, &id)?)));
        let parts: Vec<Markup> =
            visits.map(|(stage, visit)| part(&view, &app, &log, desk, (stage, &id), visit)).collect();
        Some((desk.name(&id), desk.me.clone(), parts))
    });
    let Some((name, reader, parts)) = found.ok().flatten().flatten() else { return view.missing(&app) };
    if !parts.is_empty() && !crate::opening::note(&app, &log, &reader, &id, "visit") {
        return view.problem(
            &app,
            StatusCode::INTERNAL_SERVER_ERROR,
            &view.t("failure_title"),
            &view.t("failure_text"),
        );
    }
    let title = view.tp("visit_title", &[("name", name.get(view.lang))]);
    let back = view.href(&format!("/work/{}/applications/{}", place(&app, &log), encode(&id)));
    let main = html! {
        (ui::title_block(&title, Some(log_name(&app, &log).get(view.lang))))
        @if parts.is_empty() { (ui::sentence(&view.t("visit_not_planned"))) }
        @for part in &parts { (part) }
        p { a href=(back) { (view.t("visit_back")) } }
    };
    view.page(&app, Content { wide: true, ..Content::new(title, main) })
}

fn part(
    view: &View,
    app: &App,
    log: &str,
    desk: &EditionDesk<'_>,
    (stage, id): (&Stage, &str),
    visit: &Visit,
) -> Markup {
    let edition = desk.edition;
    let reads = edition.may_see_findings(&desk.me, &stage.id, id);
    let own = edition.applications.get(id).is_some_and(|a| a.body.organisation == desk.me);
    html! {
        @match &visit.plan {
            Some((plan, _)) => {
                @let (key, tone) = state(desk, visit, plan);
                (ui::sentence(&view.tp("visit_sentence", &[("days", &span(view, plan)), ("place", &plan.place)])))
                p { (ui::status_tag(&view.t(key), tone)) }
                (plan_facts(view, desk, plan))
            },
            None => (ui::sentence(&view.t("visit_not_planned"))),
        }
        @if reads {
            (acts(view, app, log, (stage, id), visit))
            (issues(view, edition, visit))
            (findings(view, edition, visit))
        } @else if !own {
            p { (view.tp("visit_counts", &[("issues", &visit.issues.len().to_string()), ("findings", &visit.log.len().to_string())])) }
        }
        @if let Some((seq, _)) = visit.report {
            @if edition.may_see_report(&desk.me, &stage.id, id) {
                section {
                    h2 { (view.t("visit_report")) }
                    p.typed { (sealed(edition, seq, "/conclusion")) }
                    p.hint { (view.tp("visit_record", &[("record", &seq.to_string())])) }
                }
            }
        }
    }
}

/// Who goes. The applicant learns only how many come: the experts stay under their pseudonyms.
pub(crate) fn team<'a>(desk: &EditionDesk<'_>, plan: &'a VisitPlanned) -> Option<&'a [String]> {
    (!desk.me.starts_with("o:")).then_some(plan.team.as_slice())
}

fn plan_facts(view: &View, desk: &EditionDesk<'_>, plan: &VisitPlanned) -> Markup {
    let team = match team(desk, plan) {
        Some(team) => list(view.lang, team),
        None => view.tp("visit_team_size", &[("count", &plan.team.len().to_string())]),
    };
    let mut facts = vec![
        (view.t("visit_days").into(), html! { (span(view, plan)) }),
        (view.t("visit_place").into(), html! { (plan.place) }),
        (view.t("visit_team").into(), html! { (team) }),
        (view.t("visit_interviewees").into(), html! { (list(view.lang, &plan.interviewees)) }),
        (view.t("visit_agenda").into(), html! { span.typed { (plan.agenda) } }),
    ];
    if !plan.prepare.is_empty() {
        facts.push((view.t("visit_prepare").into(), html! { span.typed { (plan.prepare) } }));
    }
    html! { section { h2 { (view.t("visit_plan")) } (ui::facts(&facts)) } }
}

/// What the panel can do from here.
fn acts(view: &View, app: &App, log: &str, (stage, id): (&Stage, &str), visit: &Visit) -> Markup {
    if visit.report.is_some() {
        return html! {};
    }
    let case = format!("{}~{id}", stage.id);
    let link = |kind: &str| {
        let label = words("act", kind, &[]).get(view.lang).to_owned();
        ui::button_link(&Link::new(label, act_href(view, app, log, kind, &case)))
    };
    html! {
        div.buttons {
            @if visit.plan.is_some() { (link("visit.logged")) }
            (link("visit.issue_raised"))
        }
    }
}

/// The words of a record that are sealed for the public.
pub(crate) fn sealed(edition: &Edition, seq: u64, path: &str) -> String {
    edition.known_value(seq, path).and_then(|text| text.as_str()).unwrap_or_default().to_owned()
}

/// Item with its name, and its weight.
fn item(view: &View, edition: &Edition, id: &str) -> (String, u32) {
    let found = edition.criteria.as_ref().and_then(|tree| tree.item(id));
    found.map_or((id.to_owned(), 0), |item| (format!("{id} {}", item.name.get(view.lang)), item.points))
}

/// Questions from the document review, the heaviest item first.
fn issues(view: &View, edition: &Edition, visit: &Visit) -> Markup {
    let mut issues: Vec<_> = visit.issues.iter().map(|issue| (item(view, edition, &issue.item), issue)).collect();
    issues.sort_by(|a, b| b.0.1.cmp(&a.0.1).then_with(|| a.1.seq.cmp(&b.1.seq)));
    html! {
        section {
            h2 { (view.t("visit_issues")) }
            @if issues.is_empty() { (ui::empty_state(&view.t("visit_no_issues"), None)) }
            @else { ul.register {
                @for ((name, points), issue) in &issues {
                    @let answered = visit.log.iter().any(|entry| entry.issue == Some(issue.seq));
                    @let (key, tone) = if answered { ("visit_issue_closed", Tone::Done) } else { ("visit_issue_open", Tone::Due) };
                    li {
                        span.register-name { (view.tp("visit_item", &[("item", name), ("points", &points.to_string())])) }
                        span.register-state { (ui::status_tag(&view.t(key), tone)) }
                        p.register-details.typed { (sealed(edition, issue.seq, "/question")) }
                        p.register-details { (issue.by) }
                    }
                }
            } }
        }
    }
}

fn findings(view: &View, edition: &Edition, visit: &Visit) -> Markup {
    html! {
        section {
            h2 { (view.t("visit_findings")) }
            @if visit.log.is_empty() { (ui::empty_state(&view.t("visit_no_findings"), None)) }
            @else { ul.register {
                @for entry in &visit.log {
                    li {
                        span.register-name { (item(view, edition, &entry.item).0) }
                        span.register-state { (how(entry).get(view.lang)) " · " (entry.by) }
                        p.register-details.typed { (sealed(edition, entry.seq, "/finding")) }
                        p.register-details { (view.tp("visit_source", &[("reference", &sealed(edition, entry.seq, "/reference"))])) }
                    }
                }
            } }
        }
    }
}

/// What the panel asked and found, to be read beside its forms; only its own members get there.
pub(crate) fn noted(view: &View, edition: &Edition, stage: &Stage, application: &str) -> Option<Markup> {
    let visit = edition.visit(&stage.id, application)?;
    Some(html! { (issues(view, edition, visit)) (findings(view, edition, visit)) })
}

fn how(entry: &LogEntry) -> Text {
    let key = match entry.how {
        FindingKind::Document => "how_document",
        FindingKind::Interview => "how_interview",
        FindingKind::Observation => "how_observation",
    };
    words("choice", key, &[])
}
