//! My work: what waits for me in every log, what I am asked to sign, and what else I can do.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::Response;
use heng_app::desk::proposal::{self, Proposal, Standing};
use heng_app::desk::{self, Place, Task, words};
use heng_domain::edition::Edition;
use heng_domain::edition::events::Role;
use heng_domain::office::events::OfficeRole;
use heng_domain::replay::LogState;
use heng_domain::text::Text;
use maud::{Markup, html};

use crate::edition::stands;
use crate::ui::{self, Action, Link, NextStep, Tone};
use crate::view::{App, Content, Me, View, edition_href};
use crate::words::date;
use crate::{demo, draw, session};

/// The office log's place in addresses, beside `programme/edition`.
const OFFICE: &str = "office/log";

/// `programme/edition` or `office/log`.
pub(crate) fn place(app: &App, log: &str) -> String {
    if app.heng().office_log().is_some_and(|office| office.id() == log) {
        OFFICE.to_owned()
    } else {
        crate::view::slug(log)
    }
}

/// The log of a place.
pub(crate) fn log_of(app: &App, first: &str, second: &str) -> Option<String> {
    if format!("{first}/{second}") == OFFICE {
        return app.heng().office_log().map(|log| log.id().to_owned());
    }
    app.heng().find_edition(&format!("{first}/{second}")).ok().map(|log| log.id().to_owned())
}

/// Address of an act's form.
pub(crate) fn act_href(view: &View, app: &App, log: &str, kind: &str, case: &str) -> String {
    view.href(&format!("/work/{}/{kind}/{}", place(app, log), encode(case)))
}

/// A case as one part of an address.
pub(crate) fn encode(case: &str) -> String {
    let mut out = String::new();
    for byte in case.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// What a log is called.
pub(crate) fn log_name(app: &App, log: &str) -> Text {
    let Ok(found) = app.heng().log(log) else { return desk::same(log) };
    let image = found.image();
    match &image.state {
        LogState::Edition(Some(edition)) => edition_name(edition),
        LogState::Office(Some(office)) => office.founded.name.clone(),
        _ => desk::same(log),
    }
}

fn edition_name(edition: &Edition) -> Text {
    let (name, label) = (&edition.rules().name, &edition.opened.label);
    Text::new(format!("{} · {}", name.zh, label.zh), format!("{} · {}", name.en, label.en))
}

/// All that concerns a person, over all logs.
pub(crate) struct Work {
    pub duties: Vec<Task>,
    pub possible: BTreeMap<String, Vec<Task>>,
    pub proposals: Vec<(Proposal, Standing)>,
    /// How many alarms the editions have that I supervise, where there are any.
    pub alarms: Vec<(String, usize)>,
}

pub(crate) fn gather(app: &App, subject: &str, only: Option<&str>) -> heng_app::Result<Work> {
    let mut work = Work { duties: Vec::new(), possible: BTreeMap::new(), proposals: Vec::new(), alarms: Vec::new() };
    for log in app.heng().logs() {
        if only.is_some_and(|only| only != log.id()) {
            continue;
        }
        if let Some(count) = crate::alarms::count(app, subject, log.id())?.filter(|count| *count > 0) {
            work.alarms.push((log.id().to_owned(), count));
        }
        for task in desk::tasks(app.heng(), log.id(), subject)? {
            if task.case.duty {
                work.duties.push(task);
            } else {
                work.possible.entry(task.log.clone()).or_default().push(task);
            }
        }
    }
    work.proposals = proposal::concerning(app.heng(), subject)?;
    work.proposals.retain(|(p, _)| only.is_none_or(|only| only == p.log));
    // What has been proposed waits for signatures; it is no longer a duty of whoever proposed it.
    let proposed = |task: &Task| {
        work.proposals.iter().any(|(p, s)| s.own && p.log == task.log && p.act == task.kind && p.case == task.case.id)
    };
    let duties: Vec<Task> = work.duties.iter().filter(|task| !proposed(task)).cloned().collect();
    work.duties = duties;
    Ok(work)
}

pub(crate) async fn show(view: View, State(app): State<App>) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    list(&view, &app, &me, None).await
}

pub(crate) async fn show_log(
    view: View,
    State(app): State<App>,
    Path((first, second)): Path<(String, String)>,
) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let Some(log) = log_of(&app, &first, &second) else { return view.missing(&app) };
    list(&view, &app, &me, Some(log)).await
}

async fn list(view: &View, app: &App, me: &Me, only: Option<String>) -> Response {
    let work = {
        let (app, subject, only) = (app.clone(), me.subject.clone(), only.clone());
        tokio::task::spawn_blocking(move || gather(&app, &subject, only.as_deref())).await
    };
    let session = only.as_ref().and_then(|log| session::part(view, app, me, log));
    let work = match work {
        Ok(Ok(work)) => work,
        Ok(Err(error)) => return view.failure(app, &error),
        Err(_) => return view.missing(app),
    };
    let title = match &only {
        Some(log) => log_name(app, log).get(view.lang).to_owned(),
        None => view.t("work_title"),
    };
    let asked: Vec<&(Proposal, Standing)> = work.proposals.iter().filter(|(_, s)| s.asked).collect();
    let waiting: Vec<&(Proposal, Standing)> = work.proposals.iter().filter(|(_, s)| !s.asked).collect();
    let count = work.duties.len() + asked.len();
    // Whose turn it is, and until when: waiting is easier with a day.
    let stands = only.as_ref().and_then(|log| {
        let log = app.heng().log(log).ok()?;
        let image = log.image();
        Some(stands(view, image.state.edition()?))
    });
    // What has been proposed already waits for its signature first.
    let step = session.as_ref().and_then(|part| part.step.as_ref()).filter(|_| asked.is_empty());
    let main = html! {
        (ui::title_block(&title, Some(&view.tp("work_kicker", &[("name", &me.session.account.name)]))))
        @if let Some(log) = &only { (own_state(view, app, me, log)) (log_links(view, app, me, log)) }
        @if let Some(stands) = &stands { p.stands { (stands) } }
        @if count > 0 || step.is_none() {
            (ui::sentence(&view.tp(if count == 0 { "work_nothing" } else { "work_count" }, &[("count", &count.to_string())])))
        }
        @match step {
            Some(step) => (step),
            None => (next(view, app, &work, &asked, only.as_deref())),
        }
        @if let Some(part) = &session { (part.body) }
        @if !work.alarms.is_empty() { (alarms(view, app, &work.alarms)) }
        @if !asked.is_empty() {
            section { h2 { (view.t("to_sign")) } (proposals(view, app, &asked)) }
        }
        @if !work.duties.is_empty() {
            section { h2 { (view.t("to_do")) } (tasks(view, app, &work.duties, only.is_none())) }
        }
        @if !waiting.is_empty() {
            section { h2 { (view.t("waiting_for_others")) } (proposals(view, app, &waiting)) }
        }
        @if only.is_none() { (logs(view, app, me)) }
        @for (log, possible) in &work.possible { (others(view, app, log, possible, only.is_none())) }
    };
    let script = session.map(|_| "session.js");
    view.page(app, Content { wide: true, script, ..Content::new(title, main) })
}

/// The alarms of the editions that I supervise.
fn alarms(view: &View, app: &App, alarms: &[(String, usize)]) -> Markup {
    html! {
        section {
            h2 { (view.t("alarms")) }
            ul.register {
                @for (log, count) in alarms {
                    li {
                        a.register-name href=(view.href(&format!("/work/{}/board#alarms", place(app, log)))) {
                            (log_name(app, log).get(view.lang))
                        }
                        span.register-state {
                            (ui::status_tag(&view.tp("alarms_count", &[("count", &count.to_string())]), Tone::Now))
                        }
                    }
                }
            }
        }
    }
}

/// Where the firm's own application stands: the first thing it wants to know.
fn own_state(view: &View, app: &App, me: &Me, log: &str) -> Markup {
    let own = desk::with_desk(app.heng(), log, &me.subject, |at| {
        let Place::Edition(desk) = at else { return None };
        desk.edition.organisations.get(&desk.me)?;
        let mut applications = desk.edition.applications.iter();
        let found = applications.rfind(|(_, a)| a.body.organisation == desk.me);
        Some(match found {
            Some((id, _)) => {
                let (key, tone) = crate::dossier::state_of(desk.edition, id);
                (view.t(key), tone, crate::dossier::standing(view, desk.edition, id))
            }
            None => {
                let key = desk::drafts::key(&desk.me, log, "application.submitted", "-");
                let begun = desk::drafts::load(app.heng(), &key).ok().flatten().is_some();
                let text = view.t(if begun { "own_draft" } else { "own_not_submitted" });
                (view.t(if begun { "state_draft" } else { "state_none" }), Tone::Due, text)
            }
        })
    });
    html! {
        @if let Some((word, tone, text)) = own.ok().flatten().flatten() {
            p.own-state { (ui::status_tag(&word, tone)) " " (text) }
        }
    }
}

/// The one thing to do next.
fn next(view: &View, app: &App, work: &Work, asked: &[&(Proposal, Standing)], only: Option<&str>) -> Markup {
    let step = if let Some((proposal, _)) = asked.first() {
        NextStep {
            label: view.t("next_step").into(),
            text: view.tp("next_sign", &[("act", desk::act_name(&proposal.act, &proposal.case).get(view.lang))]).into(),
            due: None,
            action: Some(Action::Link(Link::new(
                view.t("sign_button"),
                view.href(&format!("/work/sign/{}", proposal.id)),
            ))),
            reason: Some(log_name(app, &proposal.log).get(view.lang).to_owned().into()),
        }
    } else if let Some(task) = work.duties.first() {
        let act = desk::act_name(task.kind, &task.case.id);
        let due = task.case.due.map(|day| (view.tp("by_day", &[("day", &date(view.lang, day))]).into(), Tone::Due));
        NextStep {
            label: view.t("next_step").into(),
            text: format!("{} · {}", act.get(view.lang), task.case.about.get(view.lang)).into(),
            due,
            action: Some(Action::Link(Link::new(
                view.t("begin_button"),
                act_href(view, app, &task.log, task.kind, &task.case.id),
            ))),
            reason: Some(desk::act_text(task.kind, &task.case.id).get(view.lang).to_owned().into()),
        }
    } else if let Some(step) =
        only.and_then(|log| demo::next_step(view, app, log).or_else(|| demo::next_day(view, app, log)))
    {
        step
    } else {
        NextStep {
            label: view.t("next_step").into(),
            text: view.t("next_none").into(),
            due: None,
            action: None,
            reason: Some(view.t("next_none_reason").into()),
        }
    };
    ui::next_step(&step)
}

fn tasks(view: &View, app: &App, tasks: &[Task], with_log: bool) -> Markup {
    html! {
        ul.register {
            @for task in tasks {
                li {
                    a.register-name href=(act_href(view, app, &task.log, task.kind, &task.case.id)) {
                        (desk::act_name(task.kind, &task.case.id).get(view.lang)) " · " (task.case.about.get(view.lang))
                    }
                    @if let Some(due) = task.case.due {
                        span.register-state { (ui::status_tag(&view.tp("by_day", &[("day", &date(view.lang, due))]), Tone::Due)) }
                    }
                    @if with_log { p.register-details { (log_name(app, &task.log).get(view.lang)) } }
                }
            }
        }
    }
}

fn proposals(view: &View, app: &App, list: &[&(Proposal, Standing)]) -> Markup {
    html! {
        ul.register {
            @for (proposal, standing) in list {
                li {
                    a.register-name href=(view.href(&format!("/work/sign/{}", proposal.id))) {
                        (desk::act_name(&proposal.act, &proposal.case).get(view.lang))
                    }
                    span.register-state {
                        (ui::status_tag(
                            &view.t(if standing.asked { "asks_you" } else { "asks_others" }),
                            if standing.asked { Tone::Now } else { Tone::Due },
                        ))
                    }
                    p.register-details { (log_name(app, &proposal.log).get(view.lang)) }
                }
            }
        }
    }
}

/// Where I have a seat.
fn logs(view: &View, app: &App, me: &Me) -> Markup {
    let mut rows = Vec::new();
    for log in app.heng().logs() {
        let seated = proposal::handle(app.heng(), log.id(), &me.subject).ok().flatten();
        if let Some(handle) = seated {
            let image = log.image();
            let sentence = image.state.edition().map(|edition| stands(view, edition));
            let place = place(app, log.id());
            drop(image);
            rows.push((view.href(&format!("/work/{place}")), log_name(app, log.id()), handle, sentence));
        }
    }
    html! {
        section {
            h2 { (view.t("my_places")) }
            @if rows.is_empty() { p { (view.t("no_places")) } }
            ul.register {
                @for (href, name, handle, sentence) in &rows {
                    li {
                        a.register-name href=(href) { (name.get(view.lang)) }
                        p.register-details {
                            @if let Some(sentence) = sentence { (sentence) " " }
                            (view.tp("known_as", &[("handle", handle)]))
                        }
                    }
                }
            }
        }
    }
}

/// Acts that are possible and wait for nobody, folded away: one line for each kind, its cases below.
fn others(view: &View, app: &App, log: &str, possible: &[Task], with_log: bool) -> Markup {
    let mut kinds: Vec<(&str, Vec<&Task>)> = Vec::new();
    for task in possible {
        match kinds.iter_mut().find(|(kind, _)| *kind == task.kind) {
            Some((_, cases)) => cases.push(task),
            None => kinds.push((task.kind, vec![task])),
        }
    }
    html! {
        details.more {
            summary {
                (view.t("other_acts"))
                @if with_log { " · " (log_name(app, log).get(view.lang)) }
            }
            ul.register {
                @for (kind, cases) in &kinds {
                    li {
                        @if let [only] = cases.as_slice() {
                            a.register-name href=(act_href(view, app, log, kind, &only.case.id)) {
                                (desk::act_name(kind, &only.case.id).get(view.lang))
                            }
                        } @else {
                            span.register-name { (words("act", kind, &[]).get(view.lang)) }
                        }
                        @let first = cases.first().map_or("", |task| task.case.id.as_str());
                        p.register-details { (desk::act_text(kind, first).get(view.lang)) }
                        @if cases.len() > 1 {
                            ul.cases {
                                @for task in cases {
                                    li { a href=(act_href(view, app, log, kind, &task.case.id)) { (task.case.about.get(view.lang)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The public page of an edition and the rooms that belong to its workspace.
fn log_links(view: &View, app: &App, me: &Me, log: &str) -> Markup {
    let here = view.href(&format!("/work/{}", place(app, log)));
    let rooms = desk::with_desk(app.heng(), log, &me.subject, |at| {
        let desk = match at {
            Place::Edition(desk) => desk,
            // A way that ends at a closed door is not shown.
            Place::Office(desk) if !desk.holds(OfficeRole::Officer) => return Vec::new(),
            Place::Office(_) => {
                return vec![
                    (view.t("people_link"), view.href("/account/people")),
                    (view.t("outbox_title"), view.href("/work/outbox")),
                ];
            }
        };
        let mut out = vec![
            (view.t("applications_link"), format!("{here}/applications")),
            (view.t("official_papers"), format!("{here}/papers")),
        ];
        if desk.has(Role::Officer) || desk.has(Role::Supervisor) {
            out.push((view.t("board_title"), format!("{here}/board")));
            if !desk.edition.draws.is_empty() || !desk.edition.panels.is_empty() {
                out.push((view.t("panels_title"), format!("{here}/panels")));
            }
            if desk.edition.opinions.is_some() {
                out.push((view.t("opinions_title"), format!("{here}/opinions")));
            }
        }
        if desk.edition.oversees(&desk.me) && !desk.edition.objections.is_empty() {
            out.push((view.t("objections_title"), format!("{here}/objections")));
        }
        if crate::visits::any(desk) {
            out.push((view.t("visits_title"), format!("{here}/visits")));
        }
        if desk.has(Role::Officer) || desk.has(Role::Recommender) || desk.me.starts_with("o:") {
            out.push((view.t("files_title"), format!("{here}/files")));
        }
        let draws = desk.edition.draws.keys();
        out.extend(draws.map(|id| (draw::title(view, desk.edition, id), format!("{here}/draws/{}", encode(id)))));
        if !desk.edition.motions.is_empty() {
            out.push((view.t("hall_button"), format!("{}/hall", edition_href(view.language, log))));
        }
        out.push((view.t("public_page"), edition_href(view.language, log)));
        out
    });
    let rooms = rooms.ok().flatten().unwrap_or_default();
    html! {
        nav.rooms aria-label=(view.t("rooms")) {
            ul {
                li { a href=(view.href("/work")) { (view.t("back_work")) } }
                @for (name, href) in &rooms { li { a href=(href) { (name) } } }
            }
        }
    }
}
