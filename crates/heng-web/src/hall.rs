//! The hall screen of a roll call: who has voted, then the read-back, then the result. Live by server-sent events.

use std::convert::Infallible;

use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use heng_app::Log;
use heng_domain::edition::{Edition, Finalist, Motion, MotionState, Thing};
use heng_domain::text::Lang;
use heng_log::Hash;
use heng_log::code::root_code;
use maud::{Markup, html};
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::{Stream, StreamExt};

use crate::edition::{arithmetic, comparison, square};
use crate::language::Language;
use crate::ui::{self, Choice, HallPage, HallResult, VoteSquare};
use crate::view::{App, View, edition_href, find, slug};
use crate::words::{t, tp};
use heng_app::hant::{self, Names};

/// What the screen shows of one state of the log.
struct Screen {
    head: String,
    subject: String,
    body: Markup,
    foot: Markup,
}

pub(crate) async fn show(
    view: View,
    State(app): State<App>,
    Path((programme, edition)): Path<(String, String)>,
) -> Response {
    let Some(log) = find(&app, &programme, &edition) else { return view.missing(&app) };
    let Some(screen) = screen(view.lang, &log) else { return view.missing(&app) };
    let page = HallPage {
        lang: view.lang.tag(),
        title: view.t("hall_title").into(),
        head: screen.head.into(),
        subject: screen.subject.into(),
        body: screen.body,
        foot: Some(screen.foot),
        live_script: Some("hall.js"),
        live_href: Some(format!("/editions/{programme}/{edition}/hall/events?lang={}", view.language.code()).into()),
    };
    Html(ui::hall_layout(&page).into_string()).into_response()
}

#[derive(serde::Deserialize)]
pub(crate) struct Chosen {
    #[serde(default)]
    lang: String,
}

/// The stream: the whole screen at once, then again after each change of the log.
pub(crate) async fn events(
    State(app): State<App>,
    Path((programme, edition)): Path<(String, String)>,
    axum::extract::Query(query): axum::extract::Query<Chosen>,
    view: View,
) -> Response {
    let Some(log) = find(&app, &programme, &edition) else { return view.missing(&app) };
    let language = Language::of_code(&query.lang).unwrap_or_default();
    Sse::new(stream(language, &app, log)).keep_alive(KeepAlive::default()).into_response()
}

fn stream(
    language: Language,
    app: &App,
    log: std::sync::Arc<Log>,
) -> impl Stream<Item = Result<Event, Infallible>> + use<> {
    let id = log.id().to_owned();
    let names = (language == Language::Hant).then(|| Names::of(app.heng()));
    let changes = BroadcastStream::new(app.subscribe())
        // A slow screen that missed changes simply shows the newest state.
        .map(|change| change.unwrap_or(Some((String::new(), 0))))
        .take_while(Option::is_some)
        .filter(move |change| change.as_ref().is_some_and(|(changed, _)| changed.is_empty() || *changed == id));
    tokio_stream::once(Some((String::new(), 0))).chain(changes).filter_map(move |_| {
        let Screen { head, subject, body, foot } = screen(language.lang(), &log)?;
        let (body, foot) = (body.into_string(), foot.into_string());
        let (body, foot, head, subject) = match &names {
            Some(names) => (
                crate::hant::fragment(&body, names),
                crate::hant::fragment(&foot, names),
                hant::text(&head, names),
                hant::text(&subject, names),
            ),
            None => (body, foot, head, subject),
        };
        let value = serde_json::json!({ "body": body, "foot": foot, "head": head, "subject": subject });
        Some(Ok(Event::default().data(value.to_string())))
    })
}

fn screen(lang: Lang, log: &Log) -> Option<Screen> {
    let image = log.image();
    let edition = image.state.edition()?;
    let code = image.checkpoint.as_ref().map(|c| root_code(&Hash(c.root))).unwrap_or_default();
    let award = format!("{} · {}", edition.rules().name.get(lang), edition.opened.label.get(lang));
    // An announced result shows the code beside its QR already.
    let announced = edition.motions.last().is_some_and(|(_, m)| m.state == MotionState::Announced);
    let foot = html! {
        @if !announced { (t(lang, "root_code")) " " (ui::root_code(&code.replace('-', ""))) }
    };
    let Some((id, motion)) = edition.motions.last() else {
        let body = html! { p.hall-why { (t(lang, "hall_waiting")) } };
        return Some(Screen { head: award, subject: t(lang, "hall_no_motion"), body, foot });
    };
    let number = edition.motions.len().to_string();
    let head = tp(lang, "hall_head", &[("award", &award), ("number", &number)]);
    let subject = motion.body.text.get(lang).to_owned();
    let body = match motion.state {
        MotionState::Open => voting(lang, edition, id, motion),
        MotionState::Closed | MotionState::Frozen => html! {
            p.hall-quorum { (t(lang, if motion.state == MotionState::Closed { "hall_read_back" } else { "hall_frozen" })) }
            (grids(lang, edition, id, motion))
        },
        MotionState::Announced => html! {
            @for finalist in finalists(edition, id, motion) { (result(lang, edition, log, &finalist, &code)) }
        },
        MotionState::Voided => html! { p.hall-quorum { (t(lang, "hall_void")) } },
    };
    Some(Screen { head, subject, body, foot })
}

fn voting(lang: Lang, edition: &Edition, id: &str, motion: &Motion) -> Markup {
    let Some(session) = edition.sessions.get(&motion.body.session) else { return html! {} };
    let stage = edition.rules().stage(&motion.stage);
    let Some(rules) = stage.and_then(|s| s.committee.as_ref()) else { return html! {} };
    let recused: std::collections::BTreeSet<&String> = motion.recused.values().flatten().collect();
    let presence = tp(
        lang,
        "hall_presence",
        &[
            ("present", &motion.present.len().to_string()),
            ("roll", &session.members.len().to_string()),
            ("recused", &recused.len().to_string()),
            ("voted", &motion.counting().len().to_string()),
        ],
    );
    let (present, roll) = motion.attendance(session);
    let quorum = tp(lang, "hall_quorum", &[("sum", &comparison(&rules.quorum, present, roll, true))]);
    html! {
        (ui::hall_presence(&presence, &quorum, true))
        @if edition.public_may_see(Thing::WhoVoted(id)) {
            (ui::votes_grid(&t(lang, "hall_voted_label"), &waiting(lang, edition, motion)))
        }
    }
}

/// Who has voted, never how.
fn waiting<'a>(lang: Lang, edition: &'a Edition, motion: &Motion) -> Vec<VoteSquare<'a>> {
    let Some(session) = edition.sessions.get(&motion.body.session) else { return Vec::new() };
    let voted = motion.counting();
    session
        .members
        .iter()
        .map(|member| {
            let recused =
                motion.body.options.iter().all(|o| motion.recused.get(o).is_some_and(|r| r.contains(&member.person)));
            let (choice, key) = if recused {
                (Choice::Recused, "vote_recused")
            } else if !motion.present.contains(&member.person) {
                (Choice::Absent, "vote_absent")
            } else if voted.contains_key(member.person.as_str()) {
                (Choice::Voted, "vote_voted")
            } else {
                (Choice::Waiting, "vote_waiting")
            };
            VoteSquare { name: member.name.as_str().into(), choice, word: t(lang, key).into() }
        })
        .collect()
}

/// All choices by name, at once.
fn grids(lang: Lang, edition: &Edition, id: &str, motion: &Motion) -> Markup {
    if !edition.public_may_see(Thing::Votes(id)) {
        return html! {};
    }
    let Some(session) = edition.sessions.get(&motion.body.session) else { return html! {} };
    html! {
        @for option in &motion.body.options {
            @if motion.body.options.len() > 1 {
                p.hall-why { (edition.applicant(option).map(|o| o.name.get(lang)).unwrap_or_default()) }
            }
            @let votes = edition.member_votes(id, option);
            @let squares: Vec<VoteSquare<'_>> = votes.iter().zip(&session.members).map(|(vote, member)| {
                let (choice, key) = square(vote.vote, vote.recused, motion.present.contains(&member.person));
                VoteSquare { name: vote.name.as_str().into(), choice, word: t(lang, key).into() }
            }).collect();
            (ui::votes_grid(&t(lang, "votes_heading"), &squares))
        }
    }
}

fn finalists(edition: &Edition, id: &str, motion: &Motion) -> Vec<Finalist> {
    motion
        .counts
        .iter()
        .filter_map(|c| {
            Some(Finalist {
                application: c.option.clone(),
                count: c.count.clone(),
                motion: id.to_owned(),
                name: edition.applicant(&c.option)?.name.clone(),
                votes: Vec::new(),
            })
        })
        .collect()
}

fn result(lang: Lang, edition: &Edition, log: &Log, finalist: &Finalist, code: &str) -> Markup {
    let (passed, sum) = arithmetic(edition, finalist);
    let count = &finalist.count;
    let explanation = tp(
        lang,
        "hall_counts",
        &[
            ("base", &count.base.to_string()),
            ("yes", &count.yes.to_string()),
            ("no", &count.no.to_string()),
            ("abstain", &count.abstain.to_string()),
        ],
    );
    ui::hall_result(&HallResult {
        verdict: t(lang, if passed { "passed" } else { "not_passed" }).into(),
        passed,
        arithmetic: sum.into(),
        explanation: explanation.into(),
        root_label: t(lang, "root_code").into(),
        root: code.replace('-', "").into(),
        // What a photograph of the screen keeps: the log and its root, not an address that may move.
        check_url: format!("heng:{}?size={}&root={}", log.id(), edition.size, code).into(),
        check_title: tp(lang, "hall_qr", &[("page", &format!("{}/check", edition_href(lang.into(), &slug(log.id()))))])
            .into(),
    })
}
