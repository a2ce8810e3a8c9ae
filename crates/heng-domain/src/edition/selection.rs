//! Who goes on and who is chosen: the shortlist by score, the shortlist by vote, and the winners.

use std::collections::BTreeSet;

use super::admit::Context;
use super::events::{Role, SelectionDecided, ShortlistDecided, TierSelection};
use super::state::{Edition, MotionState};
use crate::ballot::{self, Count, Elected};
use crate::evaluation::{FULL_MARK, shortlist};
use crate::refusal::{Refusal, Verdict, ensure, refuse};
use crate::rules::{CommitteeRules, Purpose, RankBy, Rewin, SeatTie, StageKind, Tier};

impl Edition {
    // ── shortlist by score ──────────────────────────────────────────────────────────────────────────────

    /// What the shortlist rule gives now; `None` while a score is sealed.
    pub fn compute_shortlist(&self, stage: &str) -> Option<Vec<String>> {
        let rules = self.rules().stage(stage)?.shortlist.as_ref()?;
        Some(shortlist(rules, self.rules().seats(), self.candidates(self.field.iter())?))
    }

    pub(super) fn admit_shortlist(&self, cx: &Context<'_>, body: &ShortlistDecided) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        self.require_signature(cx, cx.actor())?;
        let stage = self.open_stage(&body.stage, StageKind::Shortlist)?;
        ensure!(!self.shortlists.contains_key(&body.stage), "shortlist.twice", &stage.basis);
        self.check_partition(&stage.basis, &body.kept, &body.cut)?;
        if let Some(computed) = self.compute_shortlist(&body.stage) {
            ensure!(computed == body.kept, "shortlist.result", &stage.basis, computed = computed.join(", "));
        }
        Ok(())
    }

    pub(super) fn apply_shortlist(&mut self, body: ShortlistDecided) {
        self.field = body.kept.iter().cloned().collect();
        self.shortlists.insert(body.stage.clone(), body);
    }

    /// `kept` and `cut` are the field, each application once.
    fn check_partition(&self, basis: &str, kept: &[String], cut: &[String]) -> Verdict {
        let all: BTreeSet<&String> = kept.iter().chain(cut).collect();
        let once = all.len() == kept.len() + cut.len();
        ensure!(
            once && all.into_iter().eq(self.field.iter()),
            "shortlist.field",
            basis,
            found = kept.len() + cut.len(),
            expected = self.field.len()
        );
        Ok(())
    }

    // ── selection ───────────────────────────────────────────────────────────────────────────────────────

    /// The announced counts of a committee stage, by application; void motions do not count.
    pub fn announced(&self, stage: &str) -> Vec<(String, Count)> {
        self.motions
            .iter()
            .filter(|(_, m)| m.stage == stage && m.state == MotionState::Announced)
            .flat_map(|(_, m)| m.counts.iter().map(|c| (c.option.clone(), c.count.clone())))
            .collect()
    }

    /// The rules' committee stage that chooses winners, if there is one.
    pub fn winners_stage(&self) -> Option<(&str, &CommitteeRules)> {
        self.rules().stages.iter().find_map(|stage| {
            stage.committee.as_ref().filter(|c| c.purpose == Purpose::Winners).map(|c| (stage.id.as_str(), c))
        })
    }

    /// What a vote for a shortlist gives; `None` while a score that breaks a tie is sealed.
    pub fn compute_vote_shortlist(&self, stage: &str) -> Option<Vec<String>> {
        let rules = self.rules().stage(stage)?.committee.as_ref()?;
        let passed: Vec<(String, Count)> =
            self.announced(stage).into_iter().filter(|(_, count)| count.passed).collect();
        let seats = if rules.seats == 0 { passed.len() } else { usize::try_from(rules.seats).ok()? };
        Some(ballot::fill(seats, self.elected(rules, passed)?))
    }

    /// Orders those who passed by the rule; `None` while a score that the order needs is sealed.
    fn elected(&self, rules: &CommitteeRules, passed: Vec<(String, Count)>) -> Option<Vec<Elected>> {
        // Before any scored stage there is no score that could break a tie.
        let scored = self.sheets.values().any(|sheets| sheets.computed.is_some());
        passed
            .into_iter()
            .map(|(application, count)| {
                let score = if scored { Some(self.composite(&application)?) } else { None };
                let (first, second) = match rules.rank_by.value {
                    RankBy::Votes => (u64::from(count.yes), score),
                    RankBy::Score => (score.unwrap_or(0), Some(u64::from(count.yes))),
                };
                let second = if rules.tie.value == SeatTie::Empty { None } else { second };
                Some(Elected { application, first, second })
            })
            .collect()
    }

    /// The winners by tier, as votes, scores, floors, quotas and reserved seats give them.
    ///
    /// `None` while a score that the rules need is sealed.
    pub fn compute_winners(&self) -> Option<Vec<TierSelection>> {
        let mut elected = match self.winners_stage() {
            Some((stage, rules)) => {
                let passed = self.announced(stage).into_iter().filter(|(_, count)| count.passed).collect();
                self.elected(rules, passed)?
            }
            None => self
                .candidates(self.field.iter())?
                .into_iter()
                .map(|c| Elected { application: c.application, first: c.score, second: Some(c.results) })
                .collect(),
        };
        elected.retain(|e| self.field.contains(&e.application));
        let certificate_only = self.rules().rewin.value == Rewin::CertificateOnly;
        let mut out = Vec::new();
        for (index, tier) in self.rules().tiers.iter().enumerate() {
            let mut here = Vec::new();
            for candidate in &elected {
                if self.meets_tier(tier, &candidate.application)? {
                    here.push(candidate.clone());
                }
            }
            let off_quota: Vec<String> = if index == 0 && certificate_only {
                here.iter().filter(|e| self.won_before(&e.application)).map(|e| e.application.clone()).collect()
            } else {
                Vec::new()
            };
            here.retain(|e| !off_quota.contains(&e.application));
            let seats = usize::try_from(tier.quota.value).ok()?;
            let applications = if index == 0 { self.fill_reserved(seats, here) } else { ballot::fill(seats, here) };
            elected.retain(|e| !applications.contains(&e.application) && !off_quota.contains(&e.application));
            let empty = tier.quota.value.saturating_sub(u32::try_from(applications.len()).ok()?);
            out.push(TierSelection { applications, empty, off_quota, tier: tier.id.clone() });
        }
        Some(out)
    }

    /// Fills the first tier; seats kept for a group stay empty rather than go to others.
    fn fill_reserved(&self, seats: usize, here: Vec<Elected>) -> Vec<String> {
        let Some(reserved) = &self.rules().reserved else {
            return ballot::fill(seats, here);
        };
        let kept = usize::try_from(reserved.seats.value).unwrap_or(0).min(seats);
        let of_group = |e: &Elected| self.applicant(&e.application).is_some_and(|o| o.groups.contains(&reserved.group));
        let first = ballot::fill(kept, here.iter().filter(|e| of_group(e)).cloned().collect());
        let rest: Vec<Elected> = here.iter().filter(|e| !first.contains(&e.application)).cloned().collect();
        let open = ballot::fill(seats - kept, rest);
        // Best first over both kinds of seat.
        let mut all = here;
        all.retain(|e| first.contains(&e.application) || open.contains(&e.application));
        ballot::fill(all.len(), all)
    }

    fn meets_tier(&self, tier: &Tier, application: &str) -> Option<bool> {
        let class = self.applicant(application).map(|o| o.class.as_str());
        if tier.class.as_deref().is_some_and(|wanted| class != Some(wanted)) {
            return Some(false);
        }
        match &tier.floor_permille {
            None => Some(true),
            Some(floor) => Some(self.composite(application)? >= u64::from(floor.value) * FULL_MARK / 1000),
        }
    }

    /// Whether the applicant has won this award before.
    pub fn won_before(&self, application: &str) -> bool {
        self.applicant(application).is_some_and(|o| !o.standing.honours.is_empty())
    }

    pub(super) fn admit_selection(&self, cx: &Context<'_>, body: &SelectionDecided) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        self.require_signature(cx, cx.actor())?;
        ensure!(!self.selections.contains_key(&body.stage), "selection.twice", "", stage = &body.stage);
        let Some(stage) = self.rules().stage(&body.stage) else { refuse!("stage.unknown", "", stage = &body.stage) };
        self.open_stage(&body.stage, stage.kind)?;
        match (&stage.committee, stage.kind) {
            (Some(rules), _) => {
                self.votes_complete(&body.stage, &stage.basis)?;
                if rules.purpose == Purpose::Shortlist {
                    ensure!(body.tiers.is_empty(), "selection.form", &stage.basis);
                    self.check_partition(&stage.basis, &body.kept, &body.cut)?;
                    if let Some(computed) = self.compute_vote_shortlist(&body.stage) {
                        ensure!(
                            computed == body.kept,
                            "selection.result",
                            &stage.basis,
                            computed = computed.join(", ")
                        );
                    }
                    return Ok(());
                }
            }
            // Without a vote on winners the ranking chooses; the government then decides.
            (None, StageKind::Approval | StageKind::Notice) => {
                ensure!(self.winners_stage().is_none(), "selection.stage", &stage.basis, stage = &body.stage);
                let scored = self.rules().stages.iter().filter(|s| s.scoring.is_some()).all(|s| self.is_closed(&s.id));
                ensure!(scored, "selection.early", &stage.basis);
                ensure!(self.winners().is_none(), "selection.twice", &stage.basis, stage = &body.stage);
            }
            _ => refuse!("selection.stage", &stage.basis, stage = &body.stage),
        }
        ensure!(body.kept.is_empty() && body.cut.is_empty(), "selection.form", &stage.basis);
        self.check_winner_form(body, &stage.basis)?;
        if let Some(computed) = self.compute_winners() {
            let names = |tiers: &[TierSelection]| {
                tiers.iter().map(|t| format!("{}: {}", t.tier, t.applications.join(" "))).collect::<Vec<_>>().join("; ")
            };
            ensure!(computed == body.tiers, "selection.result", &stage.basis, computed = names(&computed));
        }
        Ok(())
    }

    /// Every finalist was voted on, every motion has ended.
    fn votes_complete(&self, stage: &str, basis: &str) -> Verdict {
        let open = self.motions.iter().find(|(_, m)| m.stage == stage && m.state < MotionState::Announced);
        if let Some((id, _)) = open {
            refuse!("selection.open_motion", basis, motion = id);
        }
        let announced = self.announced(stage);
        let missing: Vec<&str> = self
            .field
            .iter()
            .filter(|a| !announced.iter().any(|(option, _)| option == *a))
            .map(String::as_str)
            .collect();
        ensure!(missing.is_empty(), "selection.not_voted", basis, applications = missing.join(", "));
        Ok(())
    }

    /// What must hold even while scores are sealed: tiers, quotas, and only those who passed.
    fn check_winner_form(&self, body: &SelectionDecided, basis: &str) -> Verdict {
        let tiers: Vec<&str> = self.rules().tiers.iter().map(|t| t.id.as_str()).collect();
        ensure!(body.tiers.iter().map(|t| t.tier.as_str()).eq(tiers.iter().copied()), "selection.tiers", basis);
        let mut seen = BTreeSet::new();
        for (selected, tier) in body.tiers.iter().zip(&self.rules().tiers) {
            let taken = u32::try_from(selected.applications.len()).unwrap_or(u32::MAX);
            ensure!(
                taken <= tier.quota.value,
                "selection.quota",
                &tier.quota.basis,
                tier = &tier.id,
                quota = tier.quota.value
            );
            ensure!(
                selected.empty == tier.quota.value - taken,
                "selection.quota",
                &tier.quota.basis,
                tier = &tier.id,
                quota = tier.quota.value
            );
            for application in selected.applications.iter().chain(&selected.off_quota) {
                ensure!(seen.insert(application.as_str()), "selection.same", basis, application = application);
                self.live(application)?;
            }
        }
        if let Some((stage, _)) = self.winners_stage() {
            let announced = self.announced(stage);
            for application in seen {
                let passed = announced.iter().any(|(option, count)| option == application && count.passed);
                ensure!(passed, "selection.not_passed", basis, application = application);
            }
        }
        Ok(())
    }

    pub(super) fn apply_selection(&mut self, body: SelectionDecided) {
        if body.tiers.is_empty() {
            self.field = body.kept.iter().cloned().collect();
        }
        self.selections.insert(body.stage.clone(), body);
    }

    /// The selected winners by tier, if they have been chosen.
    pub fn winners(&self) -> Option<&[TierSelection]> {
        self.selections.values().find(|s| !s.tiers.is_empty()).map(|s| s.tiers.as_slice())
    }

    /// All selected applications with their tier, less those removed or withdrawn since.
    pub fn standing_winners(&self) -> Vec<(&str, &str)> {
        self.winners()
            .into_iter()
            .flatten()
            .flat_map(|t| t.applications.iter().chain(&t.off_quota).map(move |a| (a.as_str(), t.tier.as_str())))
            .filter(|(application, _)| self.field.contains(*application))
            .collect()
    }

    /// The prize of a winner by rule, in fen.
    pub fn prize_of(&self, application: &str, tier: &str) -> Result<u64, Refusal> {
        let Some(found) = self.rules().tier(tier) else { refuse!("tier.unknown", "", tier = tier) };
        let again = self.won_before(application) && self.rules().rewin.value != Rewin::Ordinary;
        Ok(if again { 0 } else { found.prize_fen.value })
    }
}
