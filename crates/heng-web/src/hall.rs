//! The hall screen of a roll call: who has voted, then the read-back, then the result. Live by server-sent events.

use std::convert::Infallible;

use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use heng_app::Log;
use heng_domain::ballot;
use heng_domain::edition::events::OptionCount;
use heng_domain::edition::{Edition, Motion, MotionState, Thing};
use heng_domain::rules::PassRule;
use heng_domain::text::Lang;
use heng_log::Hash;
use heng_log::code::root_code;
use maud::{Markup, html};
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::{Stream, StreamExt};

use crate::edition::{comparison, square, word};
use crate::language::Language;
use crate::plain::fraction;
use crate::ui::{self, Choice, HallCheck, HallPage, HallResult, VoteSquare};
use crate::view::{App, View, find};
use crate::words::{list, t, tp};
use heng_app::hant::{self, Names};

/// What the screen shows of one state of the log.
struct Screen {
    head: String,
    subject: String,
    /// The one sentence that says where it stands, for those who listen instead of looking.
    said: String,
    body: Markup,
    foot: Markup,
}

pub(crate) async fn show(
    view: View,
    State(app): State<App>,
    Path((programme, edition)): Path<(String, String)>,
) -> Response {
    let Some(log) = find(&app, &programme, &edition) else { return view.missing(&app) };
    let Some(screen) = screen(&app, view.lang, &log) else { return view.missing(&app) };
    let page = HallPage {
        lang: view.lang.tag(),
        title: view.t("hall_title").into(),
        head: screen.head.into(),
        subject: screen.subject.into(),
        said: screen.said.into(),
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
    let app = app.clone();
    let changes = BroadcastStream::new(app.subscribe())
        // A slow screen that missed changes simply shows the newest state.
        .map(|change| change.unwrap_or(Some((String::new(), 0))))
        .take_while(Option::is_some)
        .filter(move |change| change.as_ref().is_some_and(|(changed, _)| changed.is_empty() || *changed == id));
    tokio_stream::once(Some((String::new(), 0))).chain(changes).filter_map(move |_| {
        let Screen { head, subject, said, body, foot } = screen(&app, language.lang(), &log)?;
        let (body, foot) = (body.into_string(), foot.into_string());
        let (body, foot, head, subject, said) = match &names {
            Some(names) => (
                crate::hant::fragment(&body, names),
                crate::hant::fragment(&foot, names),
                hant::text(&head, names),
                hant::text(&subject, names),
                hant::text(&said, names),
            ),
            None => (body, foot, head, subject, said),
        };
        let value = serde_json::json!({ "body": body, "foot": foot, "head": head, "said": said, "subject": subject });
        Some(Ok(Event::default().data(value.to_string())))
    })
}

fn screen(app: &App, lang: Lang, log: &Log) -> Option<Screen> {
    let image = log.image();
    let edition = image.state.edition()?;
    let code = image.checkpoint.as_ref().map(|c| root_code(&Hash(c.root))).unwrap_or_default();
    let award = format!("{} · {}", edition.rules().name.get(lang), edition.opened.label.get(lang));
    // An announced result shows the code beside its QR already.
    let announced = edition.motions.last().is_some_and(|(_, m)| m.state == MotionState::Announced);
    let foot = html! {
        @if !announced { (t(lang, "root_code")) " " (ui::root_code(&code.replace('-', ""))) }
        @if let Some((id, motion)) = edition.motions.last() { (on_paper(lang, edition, id, motion)) }
    };
    let Some((id, motion)) = edition.motions.last() else {
        let body = html! { p.hall-why { (t(lang, "hall_waiting")) } };
        let subject = t(lang, "hall_no_motion");
        return Some(Screen { head: award, said: subject.clone(), subject, body, foot });
    };
    // What a phone opens that photographs the screen: the page of the check, with the size and the root that were shown.
    let check = crate::check::address(app, log, edition.size, &code);
    let number = edition.motions.len().to_string();
    let head = tp(lang, "hall_head", &[("award", &award), ("number", &number)]);
    let subject = motion.body.text.get(lang).to_owned();
    let body = match motion.state {
        MotionState::Open => html! { (options(lang, edition, motion)) (voting(lang, edition, id, motion)) },
        MotionState::Closed | MotionState::Frozen => html! {
            (options(lang, edition, motion))
            p.hall-quorum { (t(lang, if motion.state == MotionState::Closed { "hall_read_back" } else { "hall_frozen" })) }
            @for option in &motion.body.options { (grid(lang, edition, (id, motion), option)) }
        },
        MotionState::Announced => results(lang, edition, (id, motion), &code, &check),
        MotionState::Voided => html! { (options(lang, edition, motion)) p.hall-quorum { (t(lang, "hall_void")) } },
    };
    Some(Screen { head, subject, said: said(lang, edition, motion), body, foot })
}

/// Where the motion stands, in a sentence.
fn said(lang: Lang, edition: &Edition, motion: &Motion) -> String {
    match motion.state {
        MotionState::Open => presence(lang, edition, motion),
        MotionState::Closed => t(lang, "hall_read_back"),
        MotionState::Frozen => t(lang, "hall_frozen"),
        MotionState::Voided => t(lang, "hall_void"),
        MotionState::Announced => {
            let one = |counted: &OptionCount| {
                let verdict = t(lang, if counted.count.passed { "passed" } else { "not_passed" });
                format!("{} {verdict}", name(lang, edition, &counted.option))
            };
            list(lang, &motion.counts.iter().map(one).collect::<Vec<_>>())
        }
    }
}

/// Who is there, who may vote and how many have.
fn presence(lang: Lang, edition: &Edition, motion: &Motion) -> String {
    let roll = edition.sessions.get(&motion.body.session).map_or(0, |session| session.members.len());
    let recused: std::collections::BTreeSet<&String> = motion.recused.values().flatten().collect();
    let places = [
        ("present", motion.present.len()),
        ("roll", roll),
        ("recused", recused.len()),
        ("voted", motion.counting().len()),
    ];
    let places = places.map(|(key, value)| (key, value.to_string()));
    tp(lang, "hall_presence", &places.each_ref().map(|(key, value)| (*key, value.as_str())))
}

fn voting(lang: Lang, edition: &Edition, id: &str, motion: &Motion) -> Markup {
    let Some(session) = edition.sessions.get(&motion.body.session) else { return html! {} };
    let stage = edition.rules().stage(&motion.stage);
    let Some(rules) = stage.and_then(|s| s.committee.as_ref()) else { return html! {} };
    let presence = presence(lang, edition, motion);
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
    let (voted, paper) = (motion.counting(), motion.on_paper());
    session
        .members
        .iter()
        .map(|member| {
            let (choice, key) = if motion.is_away(&member.person) {
                (Choice::Recused, "vote_recused")
            } else if !motion.present.contains(&member.person) {
                (Choice::Absent, "vote_absent")
            } else if voted.contains_key(member.person.as_str()) {
                (Choice::Voted, "vote_voted")
            } else {
                (Choice::Waiting, "vote_waiting")
            };
            let word = word(lang, key, paper.contains(member.person.as_str()));
            VoteSquare { name: member.name.as_str().into(), choice, word: word.into() }
        })
        .collect()
}

/// Whose ballot was entered from paper: the hall hears it with the vote, not afterwards. At the bottom, where it takes the
/// names of members no room.
fn on_paper(lang: Lang, edition: &Edition, id: &str, motion: &Motion) -> Markup {
    let Some(session) = edition.sessions.get(&motion.body.session) else { return html! {} };
    let paper = motion.on_paper();
    let members = session.members.iter().filter(|member| paper.contains(member.person.as_str()));
    let names: Vec<String> = members.map(|member| member.name.clone()).collect();
    let shown = !names.is_empty() && edition.public_may_see(Thing::WhoVoted(id));
    let names = [("names", list(lang, &names))];
    let names = names.each_ref().map(|(key, value)| (*key, value.as_str()));
    // While ballots come in there is room for a word only; at the read-back for the whole sentence.
    let sentence = match motion.state {
        MotionState::Open => tp(lang, "hall_on_paper", &names),
        _ => tp(lang, "hall_paper", &names),
    };
    html! { @if shown { " " (sentence) } }
}

/// What is voted on, by name, whatever the text says.
fn options(lang: Lang, edition: &Edition, motion: &Motion) -> Markup {
    let names: Vec<String> = motion.body.options.iter().map(|option| name(lang, edition, option)).collect();
    html! { p.hall-options { (tp(lang, "hall_options", &[("names", &list(lang, &names))])) } }
}

fn name(lang: Lang, edition: &Edition, option: &str) -> String {
    edition.applicant(option).map_or(option, |o| o.name.get(lang)).to_owned()
}

/// All choices on an option by name, at once.
fn grid(lang: Lang, edition: &Edition, (id, motion): (&str, &Motion), option: &str) -> Markup {
    let Some(session) = edition.sessions.get(&motion.body.session) else { return html! {} };
    let votes = edition.member_votes(id, option);
    if !edition.public_may_see(Thing::Votes(id)) {
        return html! {};
    }
    let squares: Vec<VoteSquare<'_>> = votes
        .iter()
        .zip(&session.members)
        .map(|(vote, member)| {
            let (choice, key) = square(vote.vote, vote.recused, motion.present.contains(&member.person));
            VoteSquare { name: vote.name.as_str().into(), choice, word: word(lang, key, vote.paper).into() }
        })
        .collect();
    html! {
        @if motion.body.options.len() > 1 { p.hall-why { (name(lang, edition, option)) } }
        (ui::votes_grid(&t(lang, "votes_heading"), &squares))
    }
}

/// Each result with its threshold as a sentence, and the votes by name where the rules publish them. One code serves all.
fn results(lang: Lang, edition: &Edition, (id, motion): (&str, &Motion), code: &str, check: &str) -> Markup {
    let stage = edition.rules().stage(&motion.stage);
    let Some(rules) = stage.and_then(|s| s.committee.as_ref()) else { return html! {} };
    let check = HallCheck {
        root_label: t(lang, "root_code").into(),
        root: code.replace('-', "").into(),
        url: check.into(),
        title: t(lang, "hall_qr").into(),
    };
    let one = |counted: &OptionCount| {
        let count = &counted.count;
        let places = [("base", count.base), ("yes", count.yes), ("no", count.no), ("abstain", count.abstain)];
        let places = places.map(|(key, value)| (key, value.to_string()));
        let counts = tp(lang, "hall_counts", &places.each_ref().map(|(key, value)| (*key, value.as_str())));
        ui::hall_result(&HallResult {
            name: name(lang, edition, &counted.option).into(),
            verdict: t(lang, if count.passed { "passed" } else { "not_passed" }).into(),
            passed: count.passed,
            arithmetic: comparison(&rules.pass, count.yes, count.base, count.passed).into(),
            explanation: counts.into(),
            threshold: threshold(lang, &rules.pass, count.base).into(),
        })
    };
    html! {
        div.hall-announced {
            div.hall-results { @for counted in &motion.counts { (one(counted)) } }
            (ui::hall_check(&check))
        }
        @for counted in &motion.counts { (grid(lang, edition, (id, motion), &counted.option)) }
    }
}

/// The threshold as a sentence.
fn threshold(lang: Lang, rule: &PassRule, base: u32) -> String {
    let (base, least) = (base.to_string(), ballot::least(rule, base).to_string());
    tp(lang, "hall_threshold", &[("rule", &fraction(lang, rule)), ("base", &base), ("least", &least)])
}
