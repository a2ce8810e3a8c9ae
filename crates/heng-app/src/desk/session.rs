//! How a session stands for somebody who sits in it, leads it or watches over it: attendance, the motion, who still owes a
//! ballot, the own recorded choice, and what the chair does next. Pages and the JSON interface show the same.

use std::collections::BTreeSet;

use heng_domain::ballot;
use heng_domain::edition::committee::value_hash;
use heng_domain::edition::events::{
    BallotCast, MotionClosed, MotionDisputed, MotionFrozen, MotionOpened, MotionReopened, PresenceRecorded,
    ResultAnnounced, Role,
};
use heng_domain::edition::{Edition, Motion, MotionState, Session};
use heng_domain::rules::{ChoiceKind, CommitteeRules};
use heng_domain::text::Text;
use heng_domain::time::Instant;

use super::EditionDesk;
use super::committee::{
    ballots_complete, compares_until, may_vote, motions_to_open, names, on_paper, read_back, rules, sessions,
    stage_name, stays,
};
use super::field::words;
use super::minutes::{from_paper, refused_ballots};

/// A session as one of its people sees it.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Session.
    pub id: String,
    /// Stage.
    pub stage: Text,
    /// Its rules.
    pub rules: CommitteeRules,
    /// Members who are there, the recused left out of a motion that runs.
    pub present: u32,
    /// Members of the roster, likewise.
    pub roll: u32,
    /// Whether I lead it: the chair, the officers and the supervisor.
    pub leads: bool,
    /// Names of those who have not signed in, for those who lead.
    pub absent: Vec<String>,
    /// The last motion.
    pub motion: Option<Question>,
    /// What is voted on, in order: the motions, then what has none yet.
    pub agenda: Vec<Item>,
    /// My own next act as a member.
    pub mine: Option<Step>,
    /// The chair's next act, for those who lead.
    pub next: Option<Step>,
}

/// A line of the agenda (议程).
#[derive(Clone, Debug)]
pub struct Item {
    /// Name of the finalist, or the words of a motion on several.
    pub text: Text,
    /// The finalist whose papers I may open.
    pub papers: Option<String>,
    /// How far its motion is; `None` while it waits for one.
    pub state: Option<MotionState>,
    /// The announced result, for a motion on one finalist.
    pub passed: Option<bool>,
}

/// A motion, as one of its people sees it.
#[derive(Clone, Debug)]
pub struct Question {
    /// Motion.
    pub id: String,
    /// What is voted on.
    pub text: Text,
    /// Names of its options.
    pub options: Text,
    /// How far it is.
    pub state: MotionState,
    /// Members who may vote on it.
    pub voters: u32,
    /// Members whose ballot is in the log; each of them has a receipt.
    pub voted: u32,
    /// Names of those whose ballot is still missing, for those who lead.
    pub missing: Vec<String>,
    /// Names of those whose ballot was entered from paper, for those who lead.
    pub paper: Vec<String>,
    /// Names of those whose signed ballot was refused, each with the reason, for those who lead.
    pub refused: Vec<(String, Text)>,
    /// Whether those who were there at the opening and have not left still make the quorum, where the rules ask for it.
    pub stays: bool,
    /// Before this instant the count is not frozen.
    pub readback: Option<Instant>,
    /// Names of those who dispute the read-back, for those who lead.
    pub disputes: Vec<String>,
    /// Whether a dispute can still be answered by reopening.
    pub reopens: bool,
    /// What is recorded for me once the vote is closed, in words.
    pub recorded: Option<Text>,
    /// The record of my ballot.
    pub receipt: Option<u64>,
    /// Whether I dispute it.
    pub disputed: bool,
    /// The announced result in a word, for a motion on one option.
    pub passed: Option<bool>,
}

/// An act that comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Kind of record.
    pub kind: &'static str,
    /// Its case.
    pub case: String,
    /// Whether it waits for nobody and nothing any more; otherwise it has a consequence, or the rules refuse it still.
    pub ready: bool,
}

impl Step {
    fn new(kind: &'static str, case: &str, ready: bool) -> Option<Step> {
        Some(Step { kind, case: case.to_owned(), ready })
    }
}

/// Whether I lead or watch over the session.
fn leads(desk: &EditionDesk<'_>) -> bool {
    desk.has(Role::Chair) || desk.edition.oversees(&desk.me)
}

/// The session of the open committee stage, for its members and for those who lead it.
pub fn standing(desk: &EditionDesk<'_>) -> Option<Standing> {
    let (_, rules) = rules(desk)?;
    let (id, session) = sessions(desk).into_iter().last()?;
    let leads = leads(desk);
    if !leads && !session.members.iter().any(|m| m.person == desk.me) {
        return None;
    }
    let last = desk.edition.motions.iter().rfind(|(_, m)| m.body.session == *id);
    let runs = last.filter(|(_, m)| m.state < MotionState::Frozen);
    let again = rules.quorum_at_close.as_ref().is_some_and(|again| again.value);
    let (present, roll) = match runs {
        // Until the close it matters who is still there; afterwards the base that was fixed at the opening.
        Some((_, motion)) if again && motion.state == MotionState::Open => motion.staying(session),
        Some((_, motion)) => motion.attendance(session),
        None => session.attendance(&session.present, &BTreeSet::new()),
    };
    let away = session.members.iter().filter(|m| leads && !session.present.contains(&m.person));
    Some(Standing {
        id: id.clone(),
        stage: stage_name(desk.edition, session),
        rules: rules.clone(),
        present,
        roll,
        leads,
        absent: away.map(|m| m.name.clone()).collect(),
        motion: last.map(|(id, motion)| question(desk, rules, session, id, motion)),
        agenda: agenda(desk, rules, id, session),
        mine: own_step(desk, id, session, last),
        next: if leads { next(desk, rules, last) } else { None },
    })
}

/// A void motion is none: what it was about waits for another.
fn agenda(desk: &EditionDesk<'_>, rules: &CommitteeRules, id: &str, session: &Session) -> Vec<Item> {
    let edition = desk.edition;
    let papers = |application: &String| edition.may_read(&desk.me, application).then(|| application.clone());
    let live = || edition.motions.iter().map(|(_, m)| m).filter(|m| m.state != MotionState::Voided);
    let item = |motion: &Motion| {
        let one = match motion.body.options.as_slice() {
            [only] => Some(only),
            _ => None,
        };
        Item {
            text: one.map_or_else(|| motion.body.text.clone(), |application| desk.name(application)),
            papers: one.and_then(papers),
            state: Some(motion.state),
            passed: one.and_then(|_| motion.counts.first()).map(|only| only.count.passed),
        }
    };
    let mut agenda: Vec<Item> = live().filter(|m| m.body.session == id).map(item).collect();
    let voted = |a: &&String| live().any(|m| m.stage == session.stage && m.body.options.contains(*a));
    let open: Vec<&String> = edition.field.iter().filter(|a| !voted(a)).collect();
    match rules.choice.value {
        ChoiceKind::Approve => agenda.extend(open.into_iter().map(|a| Item {
            text: desk.name(a),
            papers: papers(a),
            state: None,
            passed: None,
        })),
        ChoiceKind::Pick if open.is_empty() => {}
        ChoiceKind::Pick => {
            let text = names(edition, &open.into_iter().cloned().collect::<Vec<_>>());
            agenda.push(Item { text, papers: None, state: None, passed: None });
        }
    }
    agenda
}

fn question(desk: &EditionDesk<'_>, rules: &CommitteeRules, session: &Session, id: &str, motion: &Motion) -> Question {
    let name = |person: &str| session.members.iter().find(|m| m.person == person).map(|m| m.name.clone());
    let voters: Vec<&String> = motion.present.iter().filter(|p| !motion.is_away(p)).collect();
    let counting = motion.counting();
    let missing = voters.iter().filter(|p| !counting.contains_key(p.as_str()));
    let roll_call = !on_paper(desk);
    let see = roll_call && leads(desk) && desk.edition.may_see_who_voted(&desk.me, id);
    let closed = motion.state != MotionState::Open;
    let mine = roll_call && motion.present.contains(&desk.me);
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Question {
        id: id.to_owned(),
        text: motion.body.text.clone(),
        options: names(desk.edition, &motion.body.options),
        state: motion.state,
        voters: number(voters.len()),
        voted: number(voters.len() - missing.clone().count()),
        missing: missing.filter(|_| see).filter_map(|p| name(p)).collect(),
        paper: motion.on_paper().into_iter().filter(|_| see).filter_map(name).collect(),
        refused: if leads(desk) { refused_ballots(session, motion) } else { Vec::new() },
        stays: stays(desk, motion),
        readback: compares_until(rules, motion).filter(|_| motion.state == MotionState::Closed),
        disputes: motion.disputes.iter().filter(|_| leads(desk)).filter_map(|(p, _)| name(p)).collect(),
        reopens: motion.reopened < rules.reopenings.value,
        recorded: (mine && closed).then(|| said(desk.edition, motion, &desk.me)),
        receipt: counting.get(desk.me.as_str()).map(|ballot| ballot.seq),
        disputed: motion.disputes.iter().any(|(person, _)| *person == desk.me),
        passed: match motion.counts.as_slice() {
            [only] => Some(only.count.passed),
            _ => None,
        },
    }
}

/// What is recorded for a member on a motion, in words.
pub fn said(edition: &Edition, motion: &Motion, member: &str) -> Text {
    if motion.is_away(member) {
        return words("minutes", "recused", &[]);
    }
    let counting = motion.counting();
    let Some(ballot) = counting.get(member) else { return words("minutes", "no_vote", &[]) };
    let choice = &ballot.body.choice;
    let rules = edition.rules().stage(&motion.stage).and_then(|s| s.committee.as_ref());
    let choice = match (rules.map(|r| r.choice.value), choice.first()) {
        (Some(ChoiceKind::Pick), None) => words("vote", "abstain", &[]),
        (Some(ChoiceKind::Pick), _) => names(edition, choice),
        (_, first) => words("vote", first.map_or("abstain", String::as_str), &[]),
    };
    if ballot.body.paper.is_some() { from_paper(&choice) } else { choice }
}

fn own_step(desk: &EditionDesk<'_>, id: &str, session: &Session, last: Option<&(String, Motion)>) -> Option<Step> {
    if !session.members.iter().any(|m| m.person == desk.me) {
        return None;
    }
    if let Some((motion, state)) = last {
        let cast = state.counting().contains_key(desk.me.as_str());
        match state.state {
            MotionState::Open if may_vote(desk, state) && !cast => return Step::new(BallotCast::KIND, motion, true),
            MotionState::Closed if state.present.contains(&desk.me) => {
                return Step::new(MotionDisputed::KIND, motion, true);
            }
            _ => {}
        }
    }
    if session.present.contains(&desk.me) { None } else { Step::new(PresenceRecorded::KIND, id, true) }
}

/// What the chair does next.
fn next(desk: &EditionDesk<'_>, rules: &CommitteeRules, last: Option<&(String, Motion)>) -> Option<Step> {
    if let Some((id, motion)) = last {
        let open = !motion.disputes.is_empty() && motion.reopened < rules.reopenings.value;
        match motion.state {
            MotionState::Open => {
                let ready = (on_paper(desk) || ballots_complete(motion)) && stays(desk, motion);
                return Step::new(MotionClosed::KIND, id, ready);
            }
            MotionState::Closed if open => return Step::new(MotionReopened::KIND, id, true),
            // The counters count first.
            MotionState::Closed if on_paper(desk) && motion.paper.is_none() => return None,
            MotionState::Closed => return Step::new(MotionFrozen::KIND, id, read_back(desk, motion)),
            MotionState::Frozen => return Step::new(ResultAnnounced::KIND, id, true),
            MotionState::Announced | MotionState::Voided => {}
        }
    }
    let cases = motions_to_open(desk);
    let case = cases.iter().find(|case| case.duty).or(cases.first())?;
    Step::new(MotionOpened::KIND, &case.id, case.duty)
}

/// Changes whenever a page about the session should be drawn anew. Who leads it sees every record; a member what has become
/// of the motions, so that thirty devices are not drawn anew for each ballot.
pub fn mark(desk: &EditionDesk<'_>) -> Option<String> {
    rules(desk)?;
    if !leads(desk) && !desk.has(Role::Member) {
        return None;
    }
    if leads(desk) {
        return Some(desk.edition.size.to_string());
    }
    let sessions: Vec<(&String, bool)> =
        desk.edition.sessions.iter().map(|(id, s)| (id, s.present.contains(&desk.me))).collect();
    let motions: Vec<(&String, String, u32, bool)> = desk
        .edition
        .motions
        .iter()
        .map(|(id, m)| (id, format!("{:?}", m.state), m.reopened, m.counting().contains_key(desk.me.as_str())))
        .collect();
    value_hash(&(sessions, motions)).ok().map(|hash| hash.to_string())
}

impl Standing {
    /// The least number of members for the quorum.
    pub fn needed(&self) -> u32 {
        ballot::least(&self.rules.quorum, self.roll)
    }

    /// Whether enough are there.
    pub fn quorate(&self) -> bool {
        ballot::meets(&self.rules.quorum, self.present, self.roll)
    }
}
