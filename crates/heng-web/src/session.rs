//! A session of the committee on the pages of those who sit in it or lead it: attendance, the motion, the own recorded
//! choice, and the chair's next act. Its stream says when to draw them anew.

use std::convert::Infallible;

use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use heng_app::desk::session::{Item, Question, Standing, Step, mark, standing};
use heng_app::desk::{Place, with_desk, words};
use heng_domain::edition::MotionState;
use heng_domain::edition::events::{MotionClosed, MotionDisputed, MotionFrozen, MotionOpened, PresenceRecorded, Role};
use heng_domain::rules::{BallotKind, Base};
use heng_domain::time::Instant;
use maud::{Markup, html};
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::{Stream, StreamExt};

use crate::edition::comparison;
use crate::plain::fraction;
use crate::ui::{self, Action, Link, NextStep, Tone};
use crate::view::{App, Me, View};
use crate::words::list;
use crate::work::{act_href, log_of, place};

/// The part of a page that is about a session.
pub(crate) struct Part {
    /// The next step, where it is the reader's.
    pub step: Option<Markup>,
    /// The facts.
    pub body: Markup,
}

/// Whether a record of this kind is made in a session, so that its page says what happens next there.
pub(crate) fn concerns(kind: &str) -> bool {
    ["presence.", "motion.", "ballot.", "result."].iter().any(|family| kind.starts_with(family))
}

/// The session as it concerns the reader; `None` where there is none.
pub(crate) fn part(view: &View, app: &App, me: &Me, log: &str) -> Option<Part> {
    let now = app.heng().clock().now();
    let (found, mark, chair, offset) = with_desk(app.heng(), log, &me.subject, |at| match at {
        Place::Edition(desk) => Some((standing(desk), mark(desk)?, desk.has(Role::Chair), desk.offset())),
        Place::Office(_) => None,
    })
    .ok()???;
    let page = Page { view, app, log, now, chair, offset };
    Some(Part {
        step: found.as_ref().and_then(|found| page.step(found)),
        body: html! { @if let Some(found) = &found { (page.body(found)) } (page.live(&mark)) },
    })
}

struct Page<'a> {
    view: &'a View,
    app: &'a App,
    log: &'a str,
    now: Instant,
    chair: bool,
    offset: i32,
}

impl Page<'_> {
    fn t(&self, key: &str) -> String {
        self.view.t(key)
    }

    fn tp(&self, key: &str, params: &[(&str, &str)]) -> String {
        self.view.tp(key, params)
    }

    fn href(&self, step: &Step) -> String {
        act_href(self.view, self.app, self.log, step.kind, &step.case)
    }

    fn button(&self, step: &Step) -> Link<'static> {
        Link::new(words("act", step.kind, &[]).get(self.view.lang).to_owned(), self.href(step))
    }

    fn next_step(&self, text: String, step: Option<&Step>, reason: Option<String>) -> Markup {
        ui::next_step(&NextStep {
            label: self.t("next_step").into(),
            text: text.into(),
            due: None,
            action: step.map(|step| Action::Link(self.button(step))),
            reason: reason.map(Into::into),
        })
    }

    /// One's own ballot comes first, then what the chair does; at the read-back there is nothing to press unless it is wrong.
    fn step(&self, found: &Standing) -> Option<Markup> {
        let own = found.mine.as_ref().filter(|step| step.kind != MotionDisputed::KIND);
        if let Some(step) = own {
            let reason = words("act_text", step.kind, &[]).get(self.view.lang).to_owned();
            return Some(self.next_step(self.about(found, step), Some(step), Some(reason)));
        }
        if let Some(step) = found.next.as_ref().filter(|_| self.chair) {
            if step.ready {
                return Some(self.next_step(self.about(found, step), Some(step), Some(self.consequence(found, step))));
            }
            // Others act first; in a demonstration that is whom to enter as. While they compare, there is only to wait.
            let waits = self.next_step(self.waits(found, step), None, Some(self.t("session_waits_reason")));
            let others = || crate::demo::next_step(self.view, self.app, self.log).is_some();
            return (step.kind == MotionFrozen::KIND || !others()).then_some(waits);
        }
        let motion = found.motion.as_ref()?;
        let recorded = motion.recorded.as_ref().filter(|_| motion.state == MotionState::Closed)?;
        let key = if motion.disputed { "session_disputed" } else { "session_compare" };
        let text = self.tp(key, &[("choice", recorded.get(self.view.lang))]);
        Some(self.next_step(text, None, Some(self.what_follows(motion))))
    }

    /// The act and what it is about.
    fn about(&self, found: &Standing, step: &Step) -> String {
        let about = match (step.kind, &found.motion) {
            (MotionOpened::KIND, _) => self.name(&step.case),
            (PresenceRecorded::KIND, _) | (_, None) => found.stage.get(self.view.lang).to_owned(),
            (_, Some(motion)) => motion.text.get(self.view.lang).to_owned(),
        };
        format!("{} · {about}", words("act", step.kind, &[]).get(self.view.lang))
    }

    /// Whom or what the chair waits for.
    fn waits(&self, found: &Standing, step: &Step) -> String {
        match &found.motion {
            Some(motion) if step.kind == MotionClosed::KIND => {
                let places = [("voted", motion.voted.to_string()), ("voters", motion.voters.to_string())];
                self.tp("session_waits_votes", &places.each_ref().map(|(name, value)| (*name, value.as_str())))
            }
            Some(_) if step.kind == MotionFrozen::KIND => self.t("session_waits_read_back"),
            _ => self.t("session_waits_members"),
        }
    }

    fn name(&self, case: &str) -> String {
        let Ok(log) = self.app.heng().log(self.log) else { return case.to_owned() };
        let image = log.image();
        let found =
            image.state.edition().and_then(|e| e.applicant(case)).map(|o| o.name.get(self.view.lang).to_owned());
        found.unwrap_or_else(|| self.t("session_all"))
    }

    /// What pressing will do, with the figures that it rests on.
    fn consequence(&self, found: &Standing, step: &Step) -> String {
        let motion = found.motion.as_ref();
        match step.kind {
            MotionOpened::KIND if !step.ready => self.t("session_no_quorum"),
            MotionClosed::KIND if motion.is_some_and(|m| !m.stays) => self.t("session_quorum_lost"),
            MotionClosed::KIND
                if motion.is_some_and(|m| m.voted < m.voters && found.rules.ballot.value == BallotKind::RollCall) =>
            {
                let count = motion.map_or(0, |m| m.voters - m.voted).to_string();
                let key = match found.rules.pass.base {
                    Base::Present | Base::Roll => "session_close_counted",
                    Base::Cast | Base::YesNo => "session_close_left_out",
                };
                self.tp(key, &[("count", &count)])
            }
            MotionFrozen::KIND => match motion.and_then(|m| m.readback).filter(|until| *until > self.now) {
                Some(until) => self.tp("session_wait", &[("time", &self.clock(until))]),
                None => self.t("session_freeze"),
            },
            kind => words("act_text", kind, &[]).get(self.view.lang).to_owned(),
        }
    }

    fn clock(&self, at: Instant) -> String {
        let at = at.local(self.offset);
        format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
    }

    /// What becomes of the motion after where it stands, for a member.
    fn what_follows(&self, motion: &Question) -> String {
        let key = match motion.state {
            MotionState::Open if motion.receipt.is_some() => "session_after_ballot",
            MotionState::Open => "session_open",
            MotionState::Closed if motion.disputed && motion.reopens => "session_after_dispute",
            MotionState::Closed if motion.disputed => "session_last_dispute",
            MotionState::Closed => "session_read_back",
            MotionState::Frozen => "session_frozen",
            MotionState::Announced => match motion.passed {
                Some(true) => "session_passed",
                Some(false) => "session_failed",
                None => "session_announced",
            },
            MotionState::Voided => "session_voided",
        };
        self.t(key)
    }

    fn body(&self, found: &Standing) -> Markup {
        let quorum = self.tp(
            if found.quorate() { "session_quorum" } else { "session_quorum_missing" },
            &[
                ("present", &found.present.to_string()),
                ("roll", &found.roll.to_string()),
                ("needed", &found.needed().to_string()),
                ("num", &found.rules.quorum.num.to_string()),
                ("den", &found.rules.quorum.den.to_string()),
                ("sum", &comparison(&found.rules.quorum, found.present, found.roll, found.quorate())),
            ],
        );
        // The chair's act where one's own comes first, or where it has a consequence: it stays in sight, with what it does.
        let waits = found.next.as_ref().filter(|step| {
            let own = found.mine.as_ref().is_some_and(|own| own.kind != MotionDisputed::KIND);
            self.chair && (own || !step.ready)
        });
        html! {
            section.session {
                h2 { (self.t("session_heading")) }
                p { (quorum) }
                @if !found.absent.is_empty() {
                    p { (self.tp("session_absent", &[("names", &list(self.view.lang, &found.absent))])) }
                }
                @if let Some(motion) = &found.motion { (self.motion(found, motion)) }
                (self.agenda(&found.agenda))
                @if let Some(step) = waits {
                    p { (ui::button_link(&self.button(step))) }
                    p.reason { (self.consequence(found, step)) }
                }
            }
        }
    }

    /// What is voted on, in order, with the papers that the reader may open.
    fn agenda(&self, agenda: &[Item]) -> Markup {
        let (view, here) = (self.view, format!("/work/{}/applications", place(self.app, self.log)));
        let state = |item: &Item| {
            let (key, tone) = match (item.state, item.passed) {
                (None | Some(MotionState::Voided), _) => ("agenda_waits", Tone::Quiet),
                (Some(MotionState::Open), _) => ("agenda_open", Tone::Now),
                (Some(MotionState::Closed | MotionState::Frozen), _) => ("agenda_counted", Tone::Due),
                (Some(MotionState::Announced), Some(true)) => ("agenda_passed", Tone::Done),
                (Some(MotionState::Announced), Some(false)) => ("agenda_failed", Tone::Stop),
                (Some(MotionState::Announced), None) => ("agenda_announced", Tone::Done),
            };
            ui::status_tag(&self.t(key), tone)
        };
        html! {
            @if !agenda.is_empty() {
                h3 { (self.t("session_agenda")) }
                ol.agenda { @for item in agenda {
                    li {
                        @match &item.papers {
                            Some(application) => a href=(view.href(&format!("{here}/{application}"))) { (item.text.get(view.lang)) },
                            None => (item.text.get(view.lang)),
                        }
                        " " (state(item))
                    }
                } }
            }
        }
    }

    fn motion(&self, found: &Standing, motion: &Question) -> Markup {
        let lang = self.view.lang;
        let rule = fraction(lang, &found.rules.pass);
        let roll_call = found.rules.ballot.value == BallotKind::RollCall;
        let mut facts = vec![
            (self.t("session_motion").into(), html! { (motion.text.get(lang)) }),
            (self.t("session_options").into(), html! { (motion.options.get(lang)) }),
            (self.t("session_rule").into(), html! { (self.tp("session_pass", &[("rule", &rule)])) }),
        ];
        if roll_call && found.leads {
            let count = [("voted", motion.voted.to_string()), ("voters", motion.voters.to_string())];
            let sentence = self.tp("session_receipts", &count.each_ref().map(|(name, value)| (*name, value.as_str())));
            facts.push((
                self.t("session_ballots").into(),
                html! {
                    (sentence)
                    @if !motion.missing.is_empty() { " " (self.tp("session_missing", &[("names", &list(lang, &motion.missing))])) }
                    @if !motion.paper.is_empty() { " " (self.tp("session_paper", &[("names", &list(lang, &motion.paper))])) }
                },
            ));
        }
        if !motion.refused.is_empty() {
            let refused = motion.refused.iter();
            let refused: Vec<String> = refused
                .map(|(name, why)| self.tp("session_refused_one", &[("name", name), ("reason", why.get(lang))]))
                .collect();
            facts.push((self.t("session_refused").into(), html! { (list(lang, &refused)) }));
        }
        if !motion.disputes.is_empty() {
            facts.push((self.t("session_disputes").into(), html! { (list(lang, &motion.disputes)) }));
        }
        if let Some(recorded) = &motion.recorded {
            facts.push((self.t("session_recorded").into(), html! { strong { (recorded.get(lang)) } }));
        }
        let dispute = found.mine.as_ref().filter(|step| step.kind == MotionDisputed::KIND && !motion.disputed);
        html! {
            (ui::facts(&facts))
            @if let Some(until) = motion.readback.filter(|until| *until > self.now) { (self.countdown(until)) }
            @if let Some(step) = dispute {
                p { (ui::button_link(&self.button(step))) }
                p.reason { (self.t("session_dispute_hint")) }
            }
            // Whoever leads has the next act above; a member reads here what follows.
            @if !found.leads && (motion.state != MotionState::Closed || motion.recorded.is_none()) {
                (ui::note(Tone::Quiet, &html! { p { (self.what_follows(motion)) } }))
            }
            @if let Some(seq) = motion.receipt {
                p {
                    a href=(self.view.href(&format!("/work/{}/records/{seq}", place(self.app, self.log)))) { (self.t("session_receipt")) }
                }
            }
        }
    }

    /// The seconds that are left; without a script the time of day says the same.
    fn countdown(&self, until: Instant) -> Markup {
        let left = (until.millis() - self.now.millis() + 999) / 1000;
        html! {
            p.countdown {
                (self.tp("session_until", &[("time", &self.clock(until))])) " "
                span data-left=(left) data-words=(self.tp("session_left", &[("seconds", "#")])) {}
            }
        }
    }

    /// Where the page listens, and the way to draw it anew without a script.
    fn live(&self, mark: &str) -> Markup {
        let place = place(self.app, self.log);
        html! {
            p.quiet #live data-live=(format!("/work/{place}/events")) data-mark=(mark) {
                (self.tp("session_as_of", &[("time", &self.clock(self.now))])) " "
                a href=(self.view.here()) { (self.t("session_refresh")) }
            }
        }
    }
}

/// The stream: a mark that changes when the page should be drawn anew.
pub(crate) async fn events(
    view: View,
    State(app): State<App>,
    Path((first, second)): Path<(String, String)>,
) -> Response {
    let Some(me) = view.me.clone() else { return view.missing(&app) };
    let Some(log) = log_of(&app, &first, &second) else { return view.missing(&app) };
    Sse::new(stream(&app, me.subject.clone(), log)).keep_alive(KeepAlive::default()).into_response()
}

fn stream(app: &App, subject: String, log: String) -> impl Stream<Item = Result<Event, Infallible>> + use<> {
    let id = log.clone();
    let changes = BroadcastStream::new(app.subscribe())
        // Who missed changes is told where it stands now.
        .map(|change| change.unwrap_or(Some((String::new(), 0))))
        .take_while(Option::is_some)
        .filter(move |change| change.as_ref().is_some_and(|(changed, _)| changed.is_empty() || *changed == id));
    let (app, mut said) = (app.clone(), None);
    tokio_stream::once(Some((String::new(), 0))).chain(changes).filter_map(move |_| {
        let found = with_desk(app.heng(), &log, &subject, |at| match at {
            Place::Edition(desk) => mark(desk),
            Place::Office(_) => None,
        });
        // Where there is no session any more, the page is drawn once more without its stream.
        let now = found.ok().flatten().flatten().unwrap_or_default();
        (said.as_ref() != Some(&now)).then(|| {
            said = Some(now.clone());
            Ok(Event::default().data(now))
        })
    })
}
