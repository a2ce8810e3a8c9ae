//! The committee's session of a simulated edition: roll call or paper.

use heng_domain::edition::Edition;
use heng_domain::edition::committee::{text_hash, value_hash};
use heng_domain::edition::events::{
    BallotCast, CountRecorded, MinutesSigned, MotionClosed, MotionFrozen, MotionOpened, Paper, PaperVotes,
    PresenceRecorded, RecusalDeclared, ResultAnnounced, Role, RosterFrozen, RosterMember, SelectionDecided,
};
use heng_domain::rules::{BallotKind, ChoiceKind, CommitteeRules, Purpose, Stage};
use heng_log::sha256;

use super::{Simulation, Stop};
use crate::desk::committee::{motion_text, seats};
use crate::error::{AppError, Result};

fn broken(what: &str) -> AppError {
    AppError::Other(format!("the simulation lost track: {what}"))
}

const CHAIR: &str = "p:0010";

impl Simulation<'_> {
    /// False where the simulation is to stop in the middle of the vote.
    pub(super) fn committee(&mut self, stage: &Stage) -> Result<bool> {
        let rules = stage.committee.clone().ok_or_else(|| broken("committee rules"))?;
        self.pass_days(stage.days.value.saturating_sub(2))?;
        self.at(9, 0)?;
        let session = format!("s:{}", stage.id);
        let favourites = self.favourites(&rules)?;
        let members = self.assemble(stage, &rules, &session, &favourites)?;
        let finalists: Vec<String> = self.state(|e| {
            let mut field: Vec<(Option<u64>, String)> = e.field.iter().map(|a| (e.composite(a), a.clone())).collect();
            field.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
            field.into_iter().map(|(_, a)| a).collect()
        })?;
        let motions: Vec<Vec<String>> = match rules.choice.value {
            ChoiceKind::Approve => finalists.iter().map(|a| vec![a.clone()]).collect(),
            ChoiceKind::Pick => vec![self.state(|e| e.field.iter().cloned().collect())?],
        };
        for (index, options) in motions.into_iter().enumerate() {
            let motion = format!("m:{}-{}", stage.id, index + 1);
            self.open_motion(stage, &rules, &session, &motion, options)?;
            if rules.ballot.value == BallotKind::RollCall {
                let stop = match &self.settings.stop {
                    Some(Stop::Voting { motions, ballots })
                        if *motions == index && rules.purpose == Purpose::Winners =>
                    {
                        Some(*ballots)
                    }
                    _ => None,
                };
                self.roll_call(stage, &motion, &members, &favourites, index, stop)?;
                if stop.is_some() {
                    return Ok(false);
                }
            }
            self.act(CHAIR, &stage.basis, MotionClosed { motion: motion.clone() }, &[CHAIR])?;
            if rules.ballot.value != BallotKind::RollCall {
                self.paper(&rules, &motion, &favourites)?;
            }
            let least = rules.readback_seconds.as_ref().map_or(0, |least| i64::from(least.value));
            self.clock.advance_millis(20_000.max(1000 * least));
            self.act(CHAIR, &stage.basis, MotionFrozen { motion: motion.clone() }, &[CHAIR])?;
            let counts = self.state(|e| e.tally(&motion))??;
            self.act(CHAIR, &rules.pass.basis, ResultAnnounced { counts, motion }, &[CHAIR])?;
        }
        self.select(stage, &rules)?;
        let minutes = MinutesSigned { session, sha256: sha256(format!("会议记录 {}", stage.id).as_bytes()) };
        self.act(CHAIR, &stage.basis, minutes, &[CHAIR])?;
        Ok(true)
    }

    /// Those whom the invented members tend to vote for.
    fn favourites(&self, rules: &CommitteeRules) -> Result<Vec<String>> {
        let seats = if rules.seats > 0 { rules.seats } else { self.frozen.rules.seats() };
        let share = if rules.purpose == Purpose::Shortlist && rules.seats == 0 {
            usize::MAX
        } else {
            usize::try_from(seats).unwrap_or(5)
        };
        self.state(|e| {
            let mut field: Vec<(Option<u64>, &String)> = e.field.iter().map(|a| (e.composite(a), a)).collect();
            field.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
            // A shortlist vote keeps about two thirds.
            let count = if share == usize::MAX { field.len() * 2 / 3 } else { share.min(field.len()) };
            field.into_iter().take(count.max(1)).map(|(_, a)| a.clone()).collect()
        })
    }

    /// Freezes the roster, records presence and one recusal; returns the members present.
    fn assemble(
        &mut self,
        stage: &Stage,
        rules: &CommitteeRules,
        session: &str,
        favourites: &[String],
    ) -> Result<Vec<String>> {
        let most = usize::try_from(rules.size_max.value).unwrap_or(usize::MAX);
        let least = usize::try_from(rules.size_min.value).unwrap_or(1);
        let wanted = self.settings.members.clamp(least, most);
        let members: Vec<RosterMember> = self.state(|e| {
            e.seats
                .iter()
                .filter(|(id, _)| e.has_role(id, Role::Member))
                .take(wanted)
                .map(|(id, seat)| RosterMember {
                    key: seat.key.as_ref().map(|k| k.fingerprint()).unwrap_or_default(),
                    name: seat.name.clone().unwrap_or_default(),
                    person: id.clone(),
                })
                .collect()
        })?;
        let persons: Vec<String> = members.iter().map(|m| m.person.clone()).collect();
        let ground = self.frozen.rules.recusal.first().map(|g| g.id.clone());
        if let (Some(ground), Some(application), Some(person)) = (ground, favourites.get(1), persons.get(4)) {
            let known = self.state(|e| e.is_recused(person, application))?;
            if !known {
                let body = RecusalDeclared { application: application.clone(), ground, person: person.clone() };
                self.act(person, &stage.basis, body, &[person.as_str()])?;
            }
        }
        let body = RosterFrozen { members, session: session.to_owned(), stage: stage.id.clone() };
        self.act("p:0001", &stage.basis, body, &["p:0001", "p:0002"])?;
        // One member is away where the committee is large enough.
        let away = if persons.len() >= 10 { persons.last().cloned() } else { None };
        let present: Vec<String> = persons.into_iter().filter(|p| Some(p) != away.as_ref()).collect();
        self.pledges(stage, &present)?;
        let mut batch = Vec::new();
        for person in &present {
            let body =
                PresenceRecorded { person: person.clone(), present: true, reason: None, session: session.to_owned() };
            batch.push(self.sign(self.draft(person, &stage.basis, body)?, &[person.as_str()])?);
        }
        self.submit(batch)?;
        Ok(present)
    }

    fn open_motion(
        &mut self,
        stage: &Stage,
        rules: &CommitteeRules,
        session: &str,
        motion: &str,
        options: Vec<String>,
    ) -> Result<()> {
        let text = self.state(|e| motion_text(e, rules, &options))?;
        let seats = self.state(|e| seats(e, rules))?;
        let roster = self.state(|e| e.sessions.get(session).map(|s| s.sha256))?.ok_or_else(|| broken("the session"))?;
        let body = MotionOpened {
            motion: motion.to_owned(),
            options_sha256: value_hash(&options)?,
            options,
            roster_sha256: roster,
            round: 1,
            rule_sha256: value_hash(rules)?,
            seats,
            session: session.to_owned(),
            text_sha256: text_hash(&text)?,
            text,
        };
        self.clock.advance_millis(420_000);
        self.act(CHAIR, &stage.basis, body, &[CHAIR]).map(|_| ())
    }

    fn choose(&mut self, body: &MotionOpened, kind: ChoiceKind, favourites: &[String]) -> Vec<String> {
        match kind {
            ChoiceKind::Approve => {
                let liked = body.options.iter().any(|o| favourites.contains(o));
                let yes = if liked { 93 } else { 38 };
                let roll = self.random.below(100);
                vec![
                    if roll < yes {
                        "yes"
                    } else if roll < yes + 4 {
                        "abstain"
                    } else {
                        "no"
                    }
                    .to_owned(),
                ]
            }
            ChoiceKind::Pick => {
                let seats = usize::try_from(body.seats).unwrap_or(usize::MAX);
                let mut picked: Vec<String> = body.options.iter().filter(|o| favourites.contains(o)).cloned().collect();
                if self.random.chance(15) && !picked.is_empty() {
                    let drop =
                        usize::try_from(self.random.below(u64::try_from(picked.len()).unwrap_or(1))).unwrap_or(0);
                    picked.remove(drop);
                }
                picked.truncate(seats);
                picked
            }
        }
    }

    fn roll_call(
        &mut self,
        stage: &Stage,
        motion: &str,
        members: &[String],
        favourites: &[String],
        index: usize,
        stop: Option<usize>,
    ) -> Result<()> {
        let rules = stage.committee.as_ref().ok_or_else(|| broken("committee rules"))?;
        let kind = rules.choice.value;
        let takes_paper = rules.paper_ballot.as_ref().is_some_and(|paper| paper.value);
        let body =
            self.state(|e: &Edition| e.motion(motion).map(|m| m.body.clone()))?.ok_or_else(|| broken("the motion"))?;
        let mut cast = 0;
        for voter in members {
            if stop.is_some_and(|ballots| cast >= ballots) {
                break;
            }
            let recused = self.state(|e| body.options.iter().any(|o| e.is_recused(voter, o)))?;
            if recused {
                continue;
            }
            let choice = self.choose(&body, kind, favourites);
            cast += 1;
            // In the third motion a device fails: the member signs on paper, and two officers enter it.
            if takes_paper && index == 2 && cast == 3 {
                let scan_sha256 = sha256(format!("{motion} {voter}").as_bytes());
                let paper = Paper { reason: "委员的密钥不能签名（虚构）".to_owned(), scan_sha256 };
                self.ballot(stage, &body, voter, choice, None, Some(paper))?;
                continue;
            }
            let first = self.ballot(stage, &body, voter, choice.clone(), None, None)?;
            // One member presses the wrong key once and corrects it before the close.
            if index == 0 && cast == 2 && kind == ChoiceKind::Approve {
                let other = if choice == ["yes"] { "abstain" } else { "yes" };
                let second = self.ballot(stage, &body, voter, vec![other.to_owned()], Some(first), None)?;
                self.ballot(stage, &body, voter, choice, Some(second), None)?;
            }
        }
        Ok(())
    }

    fn ballot(
        &mut self,
        stage: &Stage,
        motion: &MotionOpened,
        voter: &str,
        choice: Vec<String>,
        supersedes: Option<heng_log::Hash>,
        paper: Option<Paper>,
    ) -> Result<heng_log::Hash> {
        let nonce = self.random.bytes();
        let signers = if paper.is_some() { vec!["p:0001", "p:0002"] } else { vec![voter] };
        let body = BallotCast {
            choice,
            log: self.log.id().to_owned(),
            motion: motion.motion.clone(),
            nonce: hex::encode(nonce.get(..16).unwrap_or_default()),
            options: motion.options_sha256,
            paper,
            roster: motion.roster_sha256,
            round: motion.round,
            rule: motion.rule_sha256,
            session: motion.session.clone(),
            supersedes,
            text: motion.text_sha256,
            v: 1,
            voter: voter.to_owned(),
        };
        let accepted = self.act(signers[0], &stage.basis, body, &signers)?;
        Ok(value_hash(&accepted.record.body)?)
    }

    /// Ballots on paper: two counters and the supervisor sign the counted sheet.
    fn paper(&mut self, rules: &CommitteeRules, motion: &str, favourites: &[String]) -> Result<()> {
        let (voters, options, seats) = self
            .state(|e| {
                let motion = e.motion(motion)?;
                let away = |p: &&String| motion.recused.values().all(|recused| recused.contains(*p));
                let voters = motion.present.iter().filter(|p| !away(p)).count();
                let of =
                    |option: &String| motion.recused.get(option).map_or(0, |r| r.intersection(&motion.present).count());
                let options: Vec<(String, usize)> = motion.body.options.iter().map(|o| (o.clone(), of(o))).collect();
                Some((voters, (options, motion.present.len()), motion.body.seats))
            })?
            .ok_or_else(|| broken("the motion"))?;
        let (options, present) = options;
        let valid = u32::try_from(voters).unwrap_or(0);
        let mut votes = Vec::new();
        let mut left = u64::from(valid) * u64::from(seats);
        for (option, recused) in options {
            let most = valid.min(u32::try_from(present - recused).unwrap_or(0));
            let share =
                if favourites.contains(&option) { 82 + self.random.below(14) } else { 10 + self.random.below(20) };
            let mut yes = u32::try_from(u64::from(most) * share / 100).unwrap_or(0).min(most);
            if rules.choice.value == ChoiceKind::Pick {
                yes = yes.min(u32::try_from(left).unwrap_or(0));
                left -= u64::from(yes);
            }
            votes.push(PaperVotes { abstain: 0, no: most - yes, option, yes });
        }
        let body = CountRecorded { invalid: 0, issued: valid, motion: motion.to_owned(), returned: valid, votes };
        self.act("p:0004", &rules.ballot.basis, body, &["p:0004", "p:0005", "p:0003"])?;
        Ok(())
    }

    fn select(&mut self, stage: &Stage, rules: &CommitteeRules) -> Result<()> {
        let body = match rules.purpose {
            Purpose::Shortlist => {
                let kept =
                    self.state(|e| e.compute_vote_shortlist(&stage.id))?.ok_or_else(|| broken("the shortlist"))?;
                let cut = self.state(|e| e.field.iter().filter(|a| !kept.contains(a)).cloned().collect())?;
                SelectionDecided { cut, kept, stage: stage.id.clone(), tiers: Vec::new() }
            }
            Purpose::Winners => {
                let tiers = self.state(Edition::compute_winners)?.ok_or_else(|| broken("the winners"))?;
                SelectionDecided { cut: Vec::new(), kept: Vec::new(), stage: stage.id.clone(), tiers }
            }
        };
        self.act("p:0001", &stage.basis, body, &["p:0001"]).map(|_| ())
    }
}
