//! The committee's session: roster, presence, quorum, motions, ballots, read-back, announcement.
//!
//! `roster.frozen → motion.opened → ballots → motion.closed → read-back → motion.frozen → result.announced`
//! (verifiability.md §2.4). After the freeze nothing changes the count; a void motion keeps its ballots.

use std::collections::{BTreeMap, BTreeSet};

use heng_log::canonical;
use heng_log::{Hash, sha256};
use serde::Serialize;

use super::admit::Context;
use super::events::{
    BallotCast, BallotRefused, CorrectionNoted, CountRecorded, MinutesSigned, MotionClosed, MotionDisputed,
    MotionFrozen, MotionOpened, MotionReopened, MotionVoided, OptionCount, Paper, PresenceRecorded, RefusedFor,
    ResultAnnounced, Role, RosterFrozen,
};
use super::state::{Ballot, Edition, Motion, MotionState, Session};
use crate::ballot::{self, Vote};
use crate::record::Record;
use crate::refusal::{Refusal, Verdict, ensure, refuse};
use crate::rules::{BallotKind, ChoiceKind, CommitteeRules, StageKind};
use crate::text::Text;
use crate::time::Instant;

/// Who writes what nobody signs: the office's own system.
const SYSTEM: &str = "office";

/// SHA-256 of a value's canonical form; what ballots bind to.
///
/// # Errors
/// `record.form` for a value that is not canonical (never for values that stand in the log).
pub fn value_hash<T: Serialize>(value: &T) -> Result<Hash, Refusal> {
    serde_json::to_value(value)
        .map_err(|error| error.to_string())
        .and_then(|value| canonical::to_bytes(&value).map_err(|error| error.to_string()))
        .map(|bytes| sha256(&bytes))
        .map_err(|detail| Refusal::new("record.form", "").with("detail", detail))
}

/// Hash of the displayed text: both languages, canonical.
///
/// # Errors
/// As [`value_hash`].
pub fn text_hash(text: &Text) -> Result<Hash, Refusal> {
    value_hash(text)
}

impl Edition {
    pub(super) fn committee_rules(&self, stage: &str) -> Result<&CommitteeRules, Refusal> {
        let found = self.open_stage(stage, StageKind::Committee)?;
        found.committee.as_ref().ok_or_else(|| Refusal::new("stage.kind", &*found.basis).with("stage", stage))
    }

    fn find_session(&self, id: &str) -> Result<&Session, Refusal> {
        self.sessions.get(id).ok_or_else(|| Refusal::new("session.unknown", "").with("session", id))
    }

    fn find_motion(&self, id: &str) -> Result<&Motion, Refusal> {
        self.motion(id).ok_or_else(|| Refusal::new("motion.unknown", "").with("motion", id))
    }

    fn motion_mut(&mut self, id: &str) -> Option<&mut Motion> {
        self.motions.iter_mut().find(|(name, _)| name == id).map(|(_, motion)| motion)
    }

    fn in_state(motion: &Motion, wanted: MotionState) -> Verdict {
        ensure!(
            motion.state == wanted,
            "motion.state",
            "",
            motion = &motion.body.motion,
            state = format!("{:?}", motion.state).to_lowercase()
        );
        Ok(())
    }

    /// The chair of this session acts and signs.
    fn chair(&self, cx: &Context<'_>, session: &Session) -> Verdict {
        self.require_role(cx, Role::Chair)?;
        let on_roster = session.members.iter().any(|m| m.person == cx.actor());
        ensure!(on_roster, "presence.not_member", "", person = cx.actor());
        self.require_signature(cx, cx.actor())
    }

    /// The chair acts on a motion of the session.
    fn chair_of(&self, cx: &Context<'_>, motion: &Motion) -> Verdict {
        self.chair(cx, self.find_session(&motion.body.session)?)
    }

    /// The minutes are not signed yet.
    fn in_session(session: &Session, id: &str) -> Verdict {
        ensure!(session.minutes.is_none(), "session.ended", "", session = id);
        Ok(())
    }

    // ── roster and presence ─────────────────────────────────────────────────────────────────────────────

    pub(super) fn admit_roster(&self, cx: &Context<'_>, body: &RosterFrozen) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        self.require_signers(cx, Role::Officer, 2)?;
        let rules = self.committee_rules(&body.stage)?;
        ensure!(!self.sessions.contains_key(&body.session), "session.twice", "", session = &body.session);
        let count = u32::try_from(body.members.len()).unwrap_or(u32::MAX);
        ensure!(
            count >= rules.size_min.value,
            "roster.small",
            &rules.size_min.basis,
            found = count,
            least = rules.size_min.value
        );
        ensure!(
            count <= rules.size_max.value,
            "roster.large",
            &rules.size_max.basis,
            found = count,
            most = rules.size_max.value
        );
        let persons: BTreeSet<&str> = body.members.iter().map(|m| m.person.as_str()).collect();
        ensure!(persons.len() == body.members.len(), "roster.twice", "");
        let chairs = body.members.iter().filter(|m| self.has_role(&m.person, Role::Chair)).count();
        ensure!(chairs == 1, "roster.chair", "", found = chairs);
        for member in &body.members {
            ensure!(self.has_role(&member.person, Role::Member), "roster.member", "", person = &member.person);
            let seat = self.seats.get(&member.person);
            let named = seat.and_then(|s| s.name.as_deref()) == Some(member.name.as_str());
            ensure!(named, "roster.name", "", person = &member.person);
            let key = seat.and_then(|s| s.key.as_ref()).map(heng_log::signature::PublicKey::fingerprint);
            ensure!(key.as_deref() == Some(member.key.as_str()), "roster.key", "", person = &member.person);
        }
        Ok(())
    }

    pub(super) fn apply_roster(&mut self, record: &Record, body: RosterFrozen) {
        let sha256 = value_hash(&record.body).unwrap_or_default();
        let session =
            Session { stage: body.stage, members: body.members, sha256, present: BTreeSet::new(), minutes: None };
        self.sessions.insert(body.session, session);
    }

    pub(super) fn admit_presence(&self, cx: &Context<'_>, body: &PresenceRecorded) -> Verdict {
        let session = self.find_session(&body.session)?;
        self.committee_rules(&session.stage)?;
        Self::in_session(session, &body.session)?;
        let member = session.members.iter().any(|m| m.person == body.person);
        ensure!(member, "presence.not_member", "", person = &body.person);
        if cx.actor() == body.person {
            self.require_signature(cx, &body.person)?;
        } else {
            self.require_role(cx, Role::Officer)?;
            self.require_signers(cx, Role::Officer, 2)?;
        }
        ensure!(body.reason.as_ref().is_none_or(|reason| !reason.is_empty()), "reason.missing", "");
        ensure!(session.present.contains(&body.person) != body.present, "presence.same", "", person = &body.person);
        Ok(())
    }

    pub(super) fn apply_presence(&mut self, body: PresenceRecorded) {
        if let Some(session) = self.sessions.get_mut(&body.session) {
            if body.present {
                session.present.insert(body.person);
            } else {
                session.present.remove(&body.person);
            }
        }
    }

    // ── motion ──────────────────────────────────────────────────────────────────────────────────────────

    /// Members of the roster who are recused from `option`.
    fn recused_from(&self, session: &Session, option: &str) -> BTreeSet<String> {
        session.members.iter().map(|m| &m.person).filter(|p| self.is_recused(p, option)).cloned().collect()
    }

    pub(super) fn admit_motion(&self, cx: &Context<'_>, body: &MotionOpened) -> Verdict {
        let session = self.find_session(&body.session)?;
        self.chair(cx, session)?;
        Self::in_session(session, &body.session)?;
        let rules = self.committee_rules(&session.stage)?;
        ensure!(self.motion(&body.motion).is_none(), "motion.twice", "", motion = &body.motion);
        // One motion at a time: nobody votes on two things at once, and lateness stays a matter of order.
        let open = self.motions.iter().find(|(_, m)| m.body.session == body.session && m.state < MotionState::Frozen);
        if let Some((id, _)) = open {
            refuse!("motion.another_open", "", motion = id);
        }
        let distinct: BTreeSet<&String> = body.options.iter().collect();
        ensure!(!body.options.is_empty() && distinct.len() == body.options.len(), "motion.options", "");
        match rules.choice.value {
            ChoiceKind::Approve => {
                ensure!(body.options.len() == 1 && body.seats == 1, "motion.one_option", &rules.choice.basis);
            }
            ChoiceKind::Pick => {
                let all = distinct.iter().copied().eq(self.field.iter());
                ensure!(all, "motion.all_options", &rules.choice.basis);
                let seats = if rules.seats > 0 { rules.seats } else { self.rules().seats() };
                ensure!(body.seats == seats, "motion.seats", &rules.choice.basis, found = body.seats, expected = seats);
            }
        }
        for option in &body.options {
            self.live(option)?;
            let earlier =
                self.motions.iter().filter(|(_, m)| m.stage == session.stage && m.body.options.contains(option));
            let decided = earlier.clone().any(|(_, m)| m.state == MotionState::Announced);
            ensure!(!decided, "motion.decided", "", application = option);
            let round = u32::try_from(earlier.count()).unwrap_or(u32::MAX).saturating_add(1);
            ensure!(body.round == round, "motion.round", "", found = body.round, expected = round);
            let recused = self.recused_from(session, option);
            let (present, roll) = session.attendance(&session.present, &recused);
            ensure!(
                ballot::meets(&rules.quorum, present, roll),
                "quorum.missing",
                &rules.quorum.basis,
                present = present,
                roll = roll,
                num = rules.quorum.num,
                den = rules.quorum.den
            );
        }
        ensure!(text_hash(&body.text)? == body.text_sha256, "motion.hash", "", what = "text");
        ensure!(value_hash(&body.options)? == body.options_sha256, "motion.hash", "", what = "options");
        ensure!(value_hash(rules)? == body.rule_sha256, "motion.hash", "", what = "rule");
        ensure!(session.sha256 == body.roster_sha256, "motion.hash", "", what = "roster");
        Ok(())
    }

    pub(super) fn apply_motion(&mut self, record: &Record, body: MotionOpened) {
        let Some(session) = self.sessions.get(&body.session) else {
            return;
        };
        let recused = body.options.iter().map(|o| (o.clone(), self.recused_from(session, o))).collect();
        let motion = Motion {
            stage: session.stage.clone(),
            opened: record.time,
            closed: None,
            present: session.present.clone(),
            recused,
            ballots: Vec::new(),
            refused: Vec::new(),
            paper: None,
            state: MotionState::Open,
            disputes: Vec::new(),
            reopened: 0,
            counts: Vec::new(),
            announced: None,
            corrections: Vec::new(),
            body,
        };
        self.motions.push((motion.body.motion.clone(), motion));
    }

    pub(super) fn admit_ballot(&self, cx: &Context<'_>, body: &BallotCast) -> Verdict {
        let on_paper = body.paper.is_some();
        ensure!(on_paper || cx.actor() == body.voter, "ballot.other", "", voter = &body.voter);
        let motion = self.find_motion(&body.motion)?;
        let rules = self.committee_rules(&motion.stage)?;
        ensure!(rules.ballot.value == BallotKind::RollCall, "ballot.paper", &rules.ballot.basis);
        ensure!(body.v == 1, "record.version", "", found = body.v);
        let bound = body.log == self.log
            && body.session == motion.body.session
            && body.round == motion.body.round
            && body.text == motion.body.text_sha256
            && body.options == motion.body.options_sha256
            && body.rule == motion.body.rule_sha256
            && body.roster == motion.body.roster_sha256;
        ensure!(bound, "ballot.bound", "", motion = &body.motion);
        ensure!(motion.state == MotionState::Open, "ballot.late", &rules.ballot.basis, motion = &body.motion);
        ensure!(motion.present.contains(&body.voter), "ballot.absent", &rules.ballot.basis, voter = &body.voter);
        let nonce =
            body.nonce.len() == 32 && body.nonce.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        ensure!(nonce, "ballot.nonce", "");
        let reused = self.motions.iter().any(|(_, m)| m.ballots.iter().any(|b| b.body.nonce == body.nonce));
        ensure!(!reused, "ballot.nonce", "");
        self.check_choice(rules, motion, body)?;
        let earlier = motion.ballots.iter().rev().find(|b| b.body.voter == body.voter).map(|b| b.hash);
        ensure!(earlier == body.supersedes, "ballot.supersedes", &rules.ballot.basis, voter = &body.voter);
        match &body.paper {
            Some(paper) => self.check_sheet(cx, rules, &body.voter, paper),
            None => self.require_signature(cx, &body.voter),
        }
    }

    /// A ballot on paper is signed by hand, and two officers stand for what they enter; the voter is neither of them.
    fn check_sheet(&self, cx: &Context<'_>, rules: &CommitteeRules, voter: &str, paper: &Paper) -> Verdict {
        let allowed = rules.paper_ballot.as_ref();
        let basis = allowed.map_or(&rules.ballot.basis, |allowed| &allowed.basis);
        ensure!(allowed.is_some_and(|allowed| allowed.value), "ballot.no_paper", basis);
        self.require_role(cx, Role::Officer)?;
        self.require_signers(cx, Role::Officer, 2)?;
        ensure!(!cx.signers().contains(&voter), "ballot.paper_own", basis, voter = voter);
        ensure!(!paper.reason.trim().is_empty(), "reason.missing", basis);
        // A sheet is one ballot: its scan cannot stand for a second one.
        let mut ballots = self.motions.iter().flat_map(|(_, m)| &m.ballots);
        let used = ballots.any(|b| b.body.paper.as_ref().is_some_and(|p| p.scan_sha256 == paper.scan_sha256));
        ensure!(!used, "ballot.paper_twice", basis);
        Ok(())
    }

    fn check_choice(&self, rules: &CommitteeRules, motion: &Motion, body: &BallotCast) -> Verdict {
        let is_recused = |option: &String| motion.recused.get(option).is_some_and(|r| r.contains(&body.voter));
        match rules.choice.value {
            ChoiceKind::Approve => {
                let one = matches!(body.choice.as_slice(), [choice] if parse_vote(choice).is_some());
                ensure!(one, "ballot.choice", &rules.choice.basis);
                let recused = motion.body.options.iter().any(is_recused);
                ensure!(!recused, "ballot.recused", &rules.choice.basis, voter = &body.voter);
            }
            ChoiceKind::Pick => {
                let distinct: BTreeSet<&String> = body.choice.iter().collect();
                let known = body.choice.iter().all(|choice| motion.body.options.contains(choice));
                ensure!(known && distinct.len() == body.choice.len(), "ballot.choice", &rules.choice.basis);
                let seats = usize::try_from(motion.body.seats).unwrap_or(usize::MAX);
                ensure!(body.choice.len() <= seats, "ballot.too_many", &rules.choice.basis, seats = motion.body.seats);
                ensure!(
                    !body.choice.iter().any(is_recused),
                    "ballot.recused",
                    &rules.choice.basis,
                    voter = &body.voter
                );
            }
        }
        Ok(())
    }

    pub(super) fn apply_ballot(&mut self, record: &Record, body: BallotCast) {
        let hash = value_hash(&record.body).unwrap_or_default();
        if let Some(motion) = self.motion_mut(&body.motion) {
            motion.ballots.push(Ballot { body, hash, seq: record.seq, time: record.time });
        }
    }

    /// The system notes it, not a person: so it says only what the state itself shows to be true.
    pub(super) fn admit_refused(&self, cx: &Context<'_>, body: &BallotRefused) -> Verdict {
        ensure!(cx.actor() == SYSTEM, "ballot.refused_actor", "", actor = cx.actor());
        let motion = self.find_motion(&body.motion)?;
        let rules = self.committee_rules(&motion.stage)?;
        ensure!(rules.ballot.value == BallotKind::RollCall, "ballot.paper", &rules.ballot.basis);
        let session = self.find_session(&motion.body.session)?;
        Self::in_session(session, &motion.body.session)?;
        let member = session.members.iter().any(|m| m.person == body.voter);
        ensure!(member, "presence.not_member", "", person = &body.voter);
        let holds = match body.reason {
            RefusedFor::Late => motion.state != MotionState::Open,
            RefusedFor::Absent => !motion.present.contains(&body.voter),
            RefusedFor::Recused => motion.recused.values().any(|recused| recused.contains(&body.voter)),
        };
        ensure!(holds, "ballot.refused_reason", &rules.ballot.basis, motion = &body.motion, voter = &body.voter);
        let counted = motion.ballots.iter().any(|ballot| ballot.hash == body.ballot);
        ensure!(!counted, "ballot.refused_counted", &rules.ballot.basis, motion = &body.motion, voter = &body.voter);
        // One line for each member and reason: nobody fills the log with what is refused.
        let noted = motion.refused.iter().any(|r| r.voter == body.voter && r.reason == body.reason);
        ensure!(!noted, "ballot.refused_twice", &rules.ballot.basis, motion = &body.motion, voter = &body.voter);
        Ok(())
    }

    pub(super) fn apply_refused(&mut self, body: BallotRefused) {
        if let Some(motion) = self.motion_mut(&body.motion) {
            motion.refused.push(body);
        }
    }

    pub(super) fn admit_close(&self, cx: &Context<'_>, body: &MotionClosed) -> Verdict {
        let motion = self.find_motion(&body.motion)?;
        self.chair_of(cx, motion)?;
        Self::in_state(motion, MotionState::Open)?;
        let rules = self.rules().stage(&motion.stage).and_then(|stage| stage.committee.as_ref());
        let again = rules.and_then(|rules| Some((rules, rules.quorum_at_close.as_ref().filter(|again| again.value)?)));
        if let Some((rules, again)) = again {
            let (present, roll) = motion.staying(self.find_session(&motion.body.session)?);
            ensure!(
                ballot::meets(&rules.quorum, present, roll),
                "quorum.lost",
                &again.basis,
                present = present,
                roll = roll,
                num = rules.quorum.num,
                den = rules.quorum.den
            );
        }
        Ok(())
    }

    pub(super) fn apply_close(&mut self, id: &str, at: Instant) {
        if let Some(motion) = self.motion_mut(id) {
            motion.state = MotionState::Closed;
            motion.closed = Some(at);
            motion.disputes.clear();
        }
    }

    pub(super) fn admit_dispute(&self, cx: &Context<'_>, body: &MotionDisputed) -> Verdict {
        let motion = self.find_motion(&body.motion)?;
        Self::in_state(motion, MotionState::Closed)?;
        ensure!(
            cx.actor() == body.member && motion.present.contains(&body.member),
            "presence.not_member",
            "",
            person = &body.member
        );
        ensure!(!body.reason.is_empty(), "reason.missing", "");
        self.require_signature(cx, &body.member)
    }

    pub(super) fn apply_dispute(&mut self, body: MotionDisputed) {
        if let Some(motion) = self.motion_mut(&body.motion) {
            motion.disputes.push((body.member, body.reason));
        }
    }

    pub(super) fn admit_reopen(&self, cx: &Context<'_>, body: &MotionReopened) -> Verdict {
        let motion = self.find_motion(&body.motion)?;
        self.chair_of(cx, motion)?;
        Self::in_state(motion, MotionState::Closed)?;
        let rules = self.committee_rules(&motion.stage)?;
        ensure!(!motion.disputes.is_empty(), "motion.no_dispute", &rules.reopenings.basis);
        ensure!(
            motion.reopened < rules.reopenings.value,
            "motion.reopenings",
            &rules.reopenings.basis,
            limit = rules.reopenings.value
        );
        ensure!(!body.reason.is_empty(), "reason.missing", "");
        Ok(())
    }

    pub(super) fn apply_reopen(&mut self, id: &str) {
        if let Some(motion) = self.motion_mut(id) {
            motion.state = MotionState::Open;
            motion.reopened += 1;
            // Paper is counted again after a reopening.
            motion.paper = None;
        }
    }

    pub(super) fn admit_freeze(&self, cx: &Context<'_>, body: &MotionFrozen) -> Verdict {
        let motion = self.find_motion(&body.motion)?;
        self.chair_of(cx, motion)?;
        Self::in_state(motion, MotionState::Closed)?;
        let rules = self.committee_rules(&motion.stage)?;
        let paper = rules.ballot.value != BallotKind::RollCall;
        ensure!(!paper || motion.paper.is_some(), "motion.no_count", &rules.ballot.basis, motion = &body.motion);
        // A dispute is answered by reopening as long as the rules allow it.
        let answered = motion.disputes.is_empty() || motion.reopened >= rules.reopenings.value;
        ensure!(answered, "motion.disputed", &rules.reopenings.basis, motion = &body.motion);
        // Everybody has time to find the own line on the screen.
        if let Some(least) = &rules.readback_seconds {
            let from = motion.closed.and_then(|at| at.plus_millis(1000 * i64::from(least.value)));
            let read = from.is_none_or(|from| from <= cx.record.time);
            ensure!(read, "motion.readback", &least.basis, motion = &body.motion, seconds = least.value);
        }
        Ok(())
    }

    pub(super) fn apply_freeze(&mut self, id: &str) {
        if let Some(motion) = self.motion_mut(id) {
            motion.state = MotionState::Frozen;
        }
    }

    pub(super) fn admit_void(&self, cx: &Context<'_>, body: &MotionVoided) -> Verdict {
        let motion = self.find_motion(&body.motion)?;
        self.chair_of(cx, motion)?;
        self.require_signers(cx, Role::Supervisor, 1)?;
        let over = motion.state >= MotionState::Announced;
        let state = format!("{:?}", motion.state).to_lowercase();
        ensure!(!over, "motion.state", "", motion = &body.motion, state = state);
        ensure!(!body.reason.is_empty(), "reason.missing", "");
        Ok(())
    }

    pub(super) fn apply_void(&mut self, id: &str) {
        if let Some(motion) = self.motion_mut(id) {
            motion.state = MotionState::Voided;
        }
    }

    // ── paper ballots ───────────────────────────────────────────────────────────────────────────────────

    pub(super) fn admit_paper(&self, cx: &Context<'_>, body: &CountRecorded) -> Verdict {
        self.require_role(cx, Role::Counter)?;
        self.require_signers(cx, Role::Counter, 2)?;
        self.require_signers(cx, Role::Supervisor, 1)?;
        let motion = self.find_motion(&body.motion)?;
        Self::in_state(motion, MotionState::Closed)?;
        let rules = self.committee_rules(&motion.stage)?;
        ensure!(rules.ballot.value != BallotKind::RollCall, "ballot.roll_call", &rules.ballot.basis);
        ensure!(motion.paper.is_none(), "count.twice", &rules.ballot.basis, motion = &body.motion);
        let voters = motion.present.iter().filter(|p| !motion.is_away(p)).count();
        let present = u32::try_from(voters).unwrap_or(u32::MAX);
        let fits = body.issued <= present && body.returned <= body.issued && body.invalid <= body.returned;
        ensure!(
            fits,
            "count.numbers",
            &rules.ballot.basis,
            present = present,
            issued = body.issued,
            returned = body.returned,
            invalid = body.invalid
        );
        let options = body.votes.iter().map(|v| &v.option).eq(motion.body.options.iter());
        ensure!(options, "count.options", &rules.ballot.basis);
        let valid = body.returned - body.invalid;
        for votes in &body.votes {
            let sum = votes.yes.saturating_add(votes.no).saturating_add(votes.abstain);
            let recused = motion.recused.get(&votes.option).map_or(0, |r| r.intersection(&motion.present).count());
            let valid = valid.min(u32::try_from(motion.present.len() - recused).unwrap_or(0));
            ensure!(sum <= valid, "count.sum", &rules.ballot.basis, option = &votes.option, sum = sum, valid = valid);
        }
        if rules.choice.value == ChoiceKind::Pick {
            let marks: u64 = body.votes.iter().map(|v| u64::from(v.yes)).sum();
            let most = u64::from(valid) * u64::from(motion.body.seats);
            ensure!(marks <= most, "count.marks", &rules.ballot.basis, marks = marks, most = most);
        }
        Ok(())
    }

    pub(super) fn apply_paper(&mut self, body: CountRecorded) {
        if let Some(motion) = self.motion_mut(&body.motion) {
            motion.paper = Some(body);
        }
    }

    // ── count and announcement ──────────────────────────────────────────────────────────────────────────

    /// The tally of a motion: the last ballot of each member, or the counted sheet.
    ///
    /// # Errors
    /// If the motion or its rules are unknown, or a paper count is missing.
    pub fn tally(&self, id: &str) -> Result<Vec<OptionCount>, Refusal> {
        let motion = self.find_motion(id)?;
        let session = self.find_session(&motion.body.session)?;
        let stage = self.rules().stage(&motion.stage);
        let Some(rules) = stage.and_then(|s| s.committee.as_ref()) else {
            refuse!("stage.unknown", "", stage = &motion.stage)
        };
        let roll: BTreeSet<String> = session.members.iter().map(|m| m.person.clone()).collect();
        let nobody = BTreeSet::new();
        if rules.ballot.value != BallotKind::RollCall {
            let Some(paper) = &motion.paper else { refuse!("motion.no_count", &rules.ballot.basis, motion = id) };
            let counts = paper.votes.iter().map(|v| {
                let recused = motion.recused.get(&v.option).unwrap_or(&nobody);
                let size = |set: &BTreeSet<String>| u32::try_from(set.difference(recused).count()).unwrap_or(u32::MAX);
                let count =
                    ballot::from_numbers(&rules.pass, size(&roll), size(&motion.present), v.yes, v.no, v.abstain);
                OptionCount { count, option: v.option.clone() }
            });
            return Ok(counts.collect());
        }
        let last = motion.counting();
        let counts = motion.body.options.iter().map(|option| {
            let votes: BTreeMap<String, Vote> = last
                .iter()
                .filter_map(|(voter, ballot)| {
                    Some(((*voter).to_owned(), vote_on(rules.choice.value, &ballot.body.choice, option)?))
                })
                .collect();
            let recused = motion.recused.get(option).unwrap_or(&nobody);
            let count = ballot::count(&rules.pass, &roll, &motion.present, recused, &votes);
            OptionCount { count, option: option.clone() }
        });
        Ok(counts.collect())
    }

    pub(super) fn admit_announcement(&self, cx: &Context<'_>, body: &ResultAnnounced) -> Verdict {
        let motion = self.find_motion(&body.motion)?;
        self.chair_of(cx, motion)?;
        Self::in_state(motion, MotionState::Frozen)?;
        let counts = self.tally(&body.motion)?;
        ensure!(
            counts == body.counts,
            "result.tally",
            &self.committee_rules(&motion.stage)?.pass.basis,
            motion = &body.motion
        );
        Ok(())
    }

    pub(super) fn apply_announcement(&mut self, record: &Record, body: ResultAnnounced) {
        if let Some(motion) = self.motion_mut(&body.motion) {
            motion.state = MotionState::Announced;
            motion.counts = body.counts;
            motion.announced = Some(record.seq);
        }
    }

    pub(super) fn admit_correction(&self, cx: &Context<'_>, body: &CorrectionNoted) -> Verdict {
        let motion = self.find_motion(&body.motion)?;
        let after = matches!(motion.state, MotionState::Frozen | MotionState::Announced);
        ensure!(after, "correction.early", "", motion = &body.motion);
        ensure!(
            cx.actor() == body.member && motion.present.contains(&body.member),
            "presence.not_member",
            "",
            person = &body.member
        );
        ensure!(!body.says.is_empty(), "reason.missing", "");
        self.require_signature(cx, &body.member)
    }

    pub(super) fn apply_correction(&mut self, body: CorrectionNoted) {
        if let Some(motion) = self.motion_mut(&body.motion) {
            motion.corrections.push((body.member, body.says));
        }
    }

    pub(super) fn admit_minutes(&self, cx: &Context<'_>, body: &MinutesSigned) -> Verdict {
        let session = self.find_session(&body.session)?;
        self.chair(cx, session)?;
        self.committee_rules(&session.stage)?;
        ensure!(session.minutes.is_none(), "minutes.twice", "", session = &body.session);
        let open = self.motions.iter().any(|(_, m)| m.body.session == body.session && m.state < MotionState::Announced);
        ensure!(!open, "minutes.open_motion", "", session = &body.session);
        Ok(())
    }

    pub(super) fn apply_minutes(&mut self, body: &MinutesSigned) {
        if let Some(session) = self.sessions.get_mut(&body.session) {
            session.minutes = Some(body.sha256);
        }
    }
}

/// Reads `yes`, `no` or `abstain`.
fn parse_vote(choice: &str) -> Option<Vote> {
    match choice {
        "yes" => Some(Vote::Yes),
        "no" => Some(Vote::No),
        "abstain" => Some(Vote::Abstain),
        _ => None,
    }
}

/// What a ballot says on one option. A pick that marks nothing abstains; one that marks others says no.
pub(super) fn vote_on(kind: ChoiceKind, choice: &[String], option: &str) -> Option<Vote> {
    match kind {
        ChoiceKind::Approve => choice.first().and_then(|c| parse_vote(c)),
        ChoiceKind::Pick if choice.is_empty() => Some(Vote::Abstain),
        ChoiceKind::Pick if choice.iter().any(|c| c == option) => Some(Vote::Yes),
        ChoiceKind::Pick => Some(Vote::No),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use heng_log::Hash;
    use serde_json::{Value, json};

    use crate::ballot::Vote;
    use crate::edition::Edition;
    use crate::edition::events::{Role, RosterMember};
    use crate::edition::state::{Motion, MotionState, Session};
    use crate::edition::testing::{act, edition, open};
    use crate::rules::Sourced;

    /// An edition whose one motion is open, and whose rules ask for ten seconds of read-back.
    fn at_the_vote() -> Edition {
        let mut e = edition();
        let stage = e.opened.rules.stages.iter_mut().find(|s| s.committee.is_some()).unwrap();
        let least = Sourced { value: 10, basis: "§9".to_owned(), assumed: false };
        stage.committee.as_mut().unwrap().readback_seconds = Some(least);
        let stage = stage.id.clone();
        open(&mut e, &stage);
        let chair =
            RosterMember { key: String::new(), name: "主任（虚构）".to_owned(), person: "p:10".to_owned() };
        let session = Session {
            stage: stage.clone(),
            members: vec![chair],
            sha256: Hash([0; 32]),
            present: BTreeSet::from(["p:10".to_owned()]),
            minutes: None,
        };
        e.sessions.insert("s1".to_owned(), session);
        let hash = Hash([0; 32]);
        let body = json!({
            "motion": "m1", "options": ["a:1"], "options_sha256": hash, "roster_sha256": hash, "round": 1,
            "rule_sha256": hash, "seats": 1, "session": "s1", "text": {"zh": "议题", "en": "motion"}, "text_sha256": hash,
        });
        let motion = Motion {
            body: serde_json::from_value(body).unwrap(),
            stage,
            opened: e.last,
            closed: None,
            present: BTreeSet::new(),
            recused: BTreeMap::new(),
            ballots: Vec::new(),
            refused: Vec::new(),
            paper: None,
            state: MotionState::Open,
            disputes: Vec::new(),
            reopened: 0,
            counts: Vec::new(),
            announced: None,
            corrections: Vec::new(),
        };
        e.motions.push(("m1".to_owned(), motion));
        e
    }

    #[test]
    fn the_count_is_not_frozen_before_the_read_back_is_over() {
        let mut e = at_the_vote();
        e.apply_close("m1", e.last);
        let freeze = |e: &mut Edition| act(e, "p:10", "motion.frozen", json!({"motion": "m1"}), &["p:10"]);
        assert_eq!(freeze(&mut e), Err("motion.readback"));
        e.last = e.last.plus_millis(9_999).unwrap();
        assert_eq!(freeze(&mut e), Err("motion.readback"));
        e.last = e.last.plus_millis(1).unwrap();
        assert_eq!(freeze(&mut e), Ok(()));
    }

    /// As [`at_the_vote`], with paper allowed; the chair and one member are there, the quorum is half of both.
    fn with_paper() -> Edition {
        let mut e = at_the_vote();
        let yes = Some(Sourced { value: true, basis: "§10".to_owned(), assumed: false });
        let rules = e.opened.rules.stages.iter_mut().find_map(|s| s.committee.as_mut()).unwrap();
        (rules.paper_ballot, rules.quorum_at_close) = (yes.clone(), yes);
        let both = BTreeSet::from(["p:10".to_owned(), "p:11".to_owned()]);
        let session = e.sessions.get_mut("s1").unwrap();
        let member =
            RosterMember { key: String::new(), name: "委员（虚构）".to_owned(), person: "p:11".to_owned() };
        session.members.push(member);
        session.present.clone_from(&both);
        e.motions[0].1.present = both;
        e
    }

    /// A ballot of `p:11` on paper: its number makes nonce and scan.
    fn sheet(e: &Edition, number: u8) -> Value {
        let mut body = ballot(e, number, "no");
        body["paper"] = json!({ "reason": "the key is broken", "scan_sha256": Hash([number; 32]) });
        body
    }

    fn ballot(e: &Edition, number: u8, choice: &str) -> Value {
        let hash = Hash([0; 32]);
        let earlier = e.motions[0].1.ballots.iter().rfind(|b| b.body.voter == "p:11").map(|b| b.hash);
        let mut body = json!({
            "choice": [choice], "log": e.log, "motion": "m1", "nonce": format!("{number:032x}"), "options": hash,
            "roster": hash, "round": 1, "rule": hash, "session": "s1", "text": hash, "v": 1, "voter": "p:11",
        });
        if let Some(earlier) = earlier {
            body["supersedes"] = json!(earlier);
        }
        body
    }

    fn enter(e: &mut Edition, body: Value, signers: &[&str]) -> Result<(), &'static str> {
        act(e, "p:1", "ballot.cast", body, signers)
    }

    const BOTH: [&str; 2] = ["p:1", "p:2"];

    #[test]
    fn two_officers_enter_a_ballot_from_paper_and_the_last_one_counts() {
        let mut e = with_paper();
        let body = sheet(&e, 1);
        assert_eq!(enter(&mut e, body, &BOTH), Ok(()));
        assert_eq!(e.motions[0].1.on_paper(), BTreeSet::from(["p:11"]));
        assert!(e.member_votes("m1", "a:1").iter().any(|vote| vote.paper && vote.vote == Some(Vote::No)));
        // The device works again, and fails again: each ballot takes the place of the one before.
        let body = ballot(&e, 2, "yes");
        assert_eq!(act(&mut e, "p:11", "ballot.cast", body, &["p:11"]), Ok(()));
        assert!(e.motions[0].1.on_paper().is_empty());
        let body = sheet(&e, 3);
        assert_eq!(enter(&mut e, body, &BOTH), Ok(()));
        let count = e.tally("m1").unwrap().remove(0).count;
        assert_eq!((count.yes, count.no, e.motions[0].1.ballots.len()), (0, 1, 3));
    }

    #[test]
    fn a_ballot_on_paper_needs_two_officers_who_are_not_the_voter() {
        let mut e = with_paper();
        let body = sheet(&e, 1);
        assert_eq!(enter(&mut e, body.clone(), &["p:1"]), Err("signature.too_few"));
        assert_eq!(
            enter(&mut e, body.clone(), &["p:1", "p:3"]),
            Err("signature.too_few"),
            "a supervisor is no officer"
        );
        let by_counter = act(&mut e, "p:40", "ballot.cast", body.clone(), &BOTH);
        assert_eq!(by_counter, Err("role.missing"), "an officer acts");
        e.seats.get_mut("p:11").unwrap().roles.insert(Role::Officer);
        assert_eq!(enter(&mut e, body.clone(), &["p:1", "p:11"]), Err("ballot.paper_own"));
        assert_eq!(enter(&mut e, body, &BOTH), Ok(()));
        let mut without = ballot(&e, 2, "yes");
        assert_eq!(enter(&mut e, without.clone(), &BOTH), Err("ballot.other"), "not without paper");
        without["paper"] = json!({ "reason": " ", "scan_sha256": Hash([2; 32]) });
        assert_eq!(enter(&mut e, without.clone(), &BOTH), Err("reason.missing"));
        without["paper"] = json!({ "reason": "the key is broken", "scan_sha256": Hash([1; 32]) });
        assert_eq!(enter(&mut e, without, &BOTH), Err("ballot.paper_twice"), "one sheet, one ballot");
    }

    #[test]
    fn a_ballot_on_paper_is_refused_where_one_from_the_device_would_be() {
        let with = |change: &dyn Fn(&mut Edition)| {
            let mut e = with_paper();
            change(&mut e);
            let body = sheet(&e, 1);
            enter(&mut e, body, &BOTH)
        };
        let recused = BTreeSet::from(["p:11".to_owned()]);
        let away = |e: &mut Edition| {
            e.motions[0].1.recused.insert("a:1".to_owned(), recused.clone());
        };
        assert_eq!(with(&away), Err("ballot.recused"));
        let absent = |e: &mut Edition| {
            e.motions[0].1.present.remove("p:11");
        };
        assert_eq!(with(&absent), Err("ballot.absent"));
        assert_eq!(with(&|e| e.apply_close("m1", e.last)), Err("ballot.late"));
        let forbid = |value: Option<bool>| {
            move |e: &mut Edition| {
                let allowed = value.map(|value| Sourced { value, basis: "§10".to_owned(), assumed: false });
                e.opened.rules.stages.iter_mut().find_map(|s| s.committee.as_mut()).unwrap().paper_ballot = allowed;
            }
        };
        assert_eq!(with(&forbid(Some(false))), Err("ballot.no_paper"));
        assert_eq!(with(&forbid(None)), Err("ballot.no_paper"), "older rules say nothing of it");
    }

    #[test]
    fn the_system_notes_a_refused_ballot_once_and_only_if_it_is_true() {
        let mut e = with_paper();
        let note = |e: &mut Edition, actor: &str, reason: &str, ballot: u8| {
            let body = json!({ "ballot": Hash([ballot; 32]), "motion": "m1", "reason": reason, "voter": "p:11" });
            act(e, actor, "ballot.refused", body, &[])
        };
        for reason in ["late", "absent", "recused"] {
            assert_eq!(note(&mut e, "office", reason, 9), Err("ballot.refused_reason"), "{reason}");
        }
        let body = sheet(&e, 1);
        assert_eq!(enter(&mut e, body, &BOTH), Ok(()));
        let counted = e.motions[0].1.ballots[0].hash;
        e.apply_close("m1", e.last);
        assert_eq!(note(&mut e, "p:1", "late", 9), Err("ballot.refused_actor"));
        let body = json!({ "ballot": counted, "motion": "m1", "reason": "late", "voter": "p:11" });
        assert_eq!(act(&mut e, "office", "ballot.refused", body, &[]), Err("ballot.refused_counted"));
        assert_eq!(note(&mut e, "office", "late", 9), Ok(()));
        assert_eq!(note(&mut e, "office", "late", 8), Err("ballot.refused_twice"));
        e.motions[0].1.present.remove("p:11");
        assert_eq!(note(&mut e, "office", "absent", 8), Ok(()));
        assert_eq!(e.motions[0].1.refused.len(), 2);
        assert_eq!(e.tally("m1").unwrap()[0].count.no, 0, "who was not there does not count");
    }

    #[test]
    fn a_motion_is_closed_while_the_quorum_is_there() {
        let mut e = with_paper();
        let presence = |e: &mut Edition, person: &str, present: bool| {
            let body = json!({ "person": person, "present": present, "session": "s1" });
            act(e, person, "presence.recorded", body, &[person])
        };
        let close = |e: &mut Edition| act(e, "p:10", "motion.closed", json!({ "motion": "m1" }), &["p:10"]);
        assert_eq!(presence(&mut e, "p:11", false), Ok(()));
        assert_eq!(close(&mut e), Err("quorum.lost"), "one of two, two thirds are asked for");
        assert_eq!(presence(&mut e, "p:11", true), Ok(()));
        let voted = e.clone();
        assert_eq!(close(&mut e), Ok(()));
        // Who comes in only after the opening does not make it up.
        let mut late = voted.clone();
        late.motions[0].1.present.remove("p:11");
        assert_eq!(close(&mut late), Err("quorum.lost"));
        // Nor is anything asked for where the rules do not say so, and a lost motion can be made void.
        let mut older = late.clone();
        older.opened.rules.stages.iter_mut().find_map(|s| s.committee.as_mut()).unwrap().quorum_at_close = None;
        assert_eq!(close(&mut older), Ok(()));
        let void = json!({ "motion": "m1", "reason": "members have left" });
        assert_eq!(act(&mut late, "p:10", "motion.voided", void, &["p:10", "p:3"]), Ok(()));
    }

    #[test]
    fn officers_who_sign_a_member_in_give_a_reason_that_is_not_empty() {
        let mut e = at_the_vote();
        let out = |e: &mut Edition, reason: &str| {
            let body = json!({"person": "p:10", "present": false, "reason": reason, "session": "s1"});
            act(e, "p:1", "presence.recorded", body, &["p:1", "p:2"])
        };
        assert_eq!(out(&mut e, ""), Err("reason.missing"));
        assert_eq!(out(&mut e, "the device does not sign"), Ok(()));
    }
}
