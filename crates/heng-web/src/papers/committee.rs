//! The minutes of a session (会议记录): roll, quorum, each motion with its base, ballots by name where the rules publish
//! them, counts, and what was signed.

use std::collections::BTreeSet;

use heng_app::desk::refused_ballots;
use heng_domain::ballot::Vote;
use heng_domain::edition::events::{OptionCount, Role};
use heng_domain::edition::{Motion, MotionState, Session, Thing};
use heng_domain::rules::CommitteeRules;
use heng_log::code::root_code;

use super::{At, Paper};
use crate::edition::comparison;
use crate::plain::fraction;

/// The motions of a session, in order.
fn motions<'a>(at: &'a At<'_>, session: &'a str) -> impl Iterator<Item = (&'a str, &'a Motion)> {
    let all = at.edition.motions.iter().filter(move |(_, motion)| motion.body.session == session);
    all.map(|(id, motion)| (id.as_str(), motion))
}

/// Once every count of the session is public; until the next motion is opened.
pub(super) fn sessions(at: &At<'_>) -> Vec<(String, String)> {
    let over = |id: &str| {
        let mut counted = motions(at, id).filter(|(_, motion)| motion.state != MotionState::Voided).peekable();
        counted.peek().is_some() && counted.all(|(motion, _)| at.public(Thing::Count(motion)))
    };
    let sessions = at.edition.sessions.iter().filter(|(id, _)| over(id));
    sessions.map(|(id, session)| (id.clone(), at.stage(&session.stage))).collect()
}

/// Whether the reader may know what was said and done besides the counts: who sat there, and who watched.
fn inside(at: &At<'_>, session: &Session) -> bool {
    let member = |me: &str| session.members.iter().any(|member| member.person == me);
    at.oversees() || at.me.is_some_and(member)
}

fn names(at: &At<'_>, session: &Session, wanted: impl Fn(&str) -> bool) -> String {
    let members = session.members.iter().filter(|member| wanted(&member.person));
    let names: Vec<String> = members.map(|member| member.name.clone()).collect();
    if names.is_empty() { at.t("nobody") } else { at.joined(&names) }
}

pub(super) fn minutes(at: &At<'_>, id: &str) -> Option<Paper> {
    let session = at.edition.sessions.get(id)?;
    let stage = at.edition.rules().stage(&session.stage)?;
    let rules = stage.committee.as_ref()?;
    let inside = inside(at, session);
    let mut paper = Paper::new(at.tp("minutes_title", &[("award", &at.award())]), at.issuer());
    let begun = motions(at, id).map(|(_, motion)| motion.opened).min();
    let mut facts = vec![
        (at.t("session"), format!("{} · {id}", stage.name.get(at.lang))),
        (at.t("begun"), begun.map(|time| at.time(time)).unwrap_or_default()),
        (at.t("roll"), at.tp("people", &[("count", &session.members.len().to_string())])),
    ];
    // Who sat there is public where the rules publish who voted.
    if inside || motions(at, id).all(|(motion, _)| at.public(Thing::WhoVoted(motion))) {
        let is_chair = |person: &str| at.edition.has_role(person, Role::Chair);
        facts.push((at.t("chair"), names(at, session, is_chair)));
        facts.push((at.t("present"), names(at, session, |person| session.present.contains(person))));
        facts.push((at.t("absent"), names(at, session, |person| !session.present.contains(person))));
    }
    paper.facts(facts);
    for (name, motion) in motions(at, id) {
        one(at, &mut paper, session, rules, inside, (name, motion));
    }
    signed(at, &mut paper, session, inside, id);
    paper.signatures =
        ["sign_chair", "sign_counters", "sign_supervisor", "sign_recorder"].map(|key| at.t(key)).to_vec();
    Some(paper)
}

fn one(
    at: &At<'_>,
    paper: &mut Paper,
    session: &Session,
    rules: &CommitteeRules,
    inside: bool,
    (id, motion): (&str, &Motion),
) {
    paper.heading(motion.body.text.get(at.lang).to_owned());
    if motion.state == MotionState::Voided {
        paper.text(at.t("motion_void"));
        return;
    }
    let (present, roll) = motion.attendance(session);
    let sum = comparison(&rules.quorum, present, roll, true);
    let places = [
        ("motion", id.to_owned()),
        ("round", motion.body.round.to_string()),
        ("time", at.time(motion.opened)),
        ("roll", roll.to_string()),
        ("present", present.to_string()),
        ("rule", fraction(at.lang, &rules.quorum)),
        ("sum", sum),
    ];
    paper.text(at.tp("motion_quorum", &places.each_ref().map(|(name, value)| (*name, value.as_str()))));
    if let Some(count) = &motion.paper {
        let places = [("issued", count.issued), ("returned", count.returned), ("invalid", count.invalid)];
        let places = places.map(|(name, value)| (name, value.to_string()));
        paper.text(at.tp("motion_paper", &places.each_ref().map(|(name, value)| (*name, value.as_str()))));
    }
    let named = at.public(Thing::Votes(id));
    for counted in &motion.counts {
        count(at, paper, rules, counted, motion.counts.len() > 1);
        if named || inside {
            ballots(at, paper, session, motion, (id, &counted.option));
        }
    }
    if named || inside {
        let refused = refused_ballots(session, motion);
        paper.list(
            refused
                .iter()
                .map(|(name, why)| at.tp("motion_refused", &[("name", name), ("reason", why.get(at.lang))]))
                .collect(),
        );
    }
    if let Some((size, root)) = motion.announced.and_then(|seq| Some((seq + 1, at.root(seq + 1)?))) {
        paper.text(at.tp("motion_root", &[("size", &size.to_string()), ("code", &root_code(&root))]));
    }
    if motion.reopened > 0 {
        paper.text(at.tp("motion_reopened", &[("count", &motion.reopened.to_string())]));
    }
    if inside {
        let name = |person: &String| names(at, session, |member| member == person);
        let said = motion.disputes.iter().map(|said| ("motion_dispute", said));
        for (key, (member, words)) in said.chain(motion.corrections.iter().map(|said| ("motion_correction", said))) {
            paper.text(at.tp(key, &[("name", &name(member)), ("says", words)]));
        }
    }
    paper.records.extend(motion.announced);
}

/// The count with its base as a sentence, and the arithmetic.
fn count(at: &At<'_>, paper: &mut Paper, rules: &CommitteeRules, counted: &OptionCount, several: bool) {
    let c = &counted.count;
    let places = [
        ("name", at.name(&counted.option)),
        ("yes", c.yes.to_string()),
        ("no", c.no.to_string()),
        ("abstain", c.abstain.to_string()),
        ("base", c.base.to_string()),
        ("rule", fraction(at.lang, &rules.pass)),
        ("sum", comparison(&rules.pass, c.yes, c.base, c.passed)),
        ("result", at.t(if c.passed { "vote_passed" } else { "vote_failed" })),
    ];
    let key = if several { "motion_count_of" } else { "motion_count" };
    paper.text(at.tp(key, &places.each_ref().map(|(name, value)| (*name, value.as_str()))));
}

/// Who said what on an option: one line for each answer. Counted paper has no names.
fn ballots(at: &At<'_>, paper: &mut Paper, session: &Session, motion: &Motion, (id, option): (&str, &String)) {
    let votes = at.edition.member_votes(id, option);
    if votes.iter().all(|vote| vote.vote.is_none()) {
        return;
    }
    let nobody = BTreeSet::new();
    let recused = motion.recused.get(option).unwrap_or(&nobody);
    let on_paper = motion.on_paper();
    let line = |key: &str, of: &dyn Fn(&str, Option<Vote>) -> bool| {
        let members = session.members.iter().zip(&votes);
        let names: Vec<String> =
            members.filter(|(m, v)| of(&m.person, v.vote)).map(|(member, _)| member.name.clone()).collect();
        let places = [("count", names.len().to_string()), ("names", at.joined(&names))];
        (!names.is_empty()).then(|| at.tp(key, &places.each_ref().map(|(name, value)| (*name, value.as_str()))))
    };
    let away = |person: &str| !motion.present.contains(person);
    let lines = [
        line("by_yes", &|_, vote| vote == Some(Vote::Yes)),
        line("by_no", &|_, vote| vote == Some(Vote::No)),
        line("by_abstain", &|_, vote| vote == Some(Vote::Abstain)),
        line("by_nothing", &|person, vote| vote.is_none() && !recused.contains(person) && !away(person)),
        line("by_absent", &|person, vote| vote.is_none() && !recused.contains(person) && away(person)),
        line("by_recused", &|person, _| recused.contains(person)),
        line("by_paper", &|person, vote| vote.is_some() && on_paper.contains(person)),
    ];
    paper.list(lines.into_iter().flatten().collect());
}

/// What the chair signed: its hash for all, its words for those who may know how each member voted.
fn signed(at: &At<'_>, paper: &mut Paper, session: &Session, inside: bool, id: &str) {
    paper.heading(at.t("minutes_signed"));
    let Some(hash) = session.minutes else {
        paper.text(at.t("minutes_unsigned"));
        return;
    };
    paper.text(at.tp("minutes_hash", &[("hash", &hash.to_string())]));
    let public = motions(at, id).all(|(motion, _)| at.public(Thing::Votes(motion)));
    let Some(text) = at.texts.get(&hash).filter(|_| inside || public) else { return };
    paper.text(at.t("minutes_text"));
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        paper.quoted(line);
    }
}
