//! Recusal (回避), pledges (承诺), the draw of the experts, and the panels.

use std::collections::BTreeSet;
use std::sync::Arc;

use heng_log::Sha256;

use super::admit::Context;
use super::events::{
    Conflict, DrawPlanned, DrawReplaced, DrawRevealed, DrawVoided, PanelFormed, PanelMemberReplaced, PledgeGiven,
    PoolFrozen, RecusalDeclared, RecusalOrdered, Role,
};
use super::state::{DrawState, Edition, MotionState, Panel, PublishedPlan, Replacement, Revealed, Succession};
use crate::draw::{draw, pool_hash};
use crate::record::Record;
use crate::refusal::{Refusal, Verdict, ensure, refuse};
use crate::rules::{ScoringMethod, Sourced, Stage, StageKind};

/// Who steps in for a member of a panel, as far as that is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Successor<'a> {
    /// The draw has decided: one officer carries it out.
    Reserve {
        /// Draw.
        draw: &'a str,
        /// The next reserve.
        expert: &'a str,
    },
    /// Experts are appointed: nobody alone picks a judge, so two officers sign.
    Appointed,
    /// Experts are drawn, but no reserve is left: two officers choose, and the supervisor signs too.
    Exhausted,
}

impl Edition {
    // ── recusal ─────────────────────────────────────────────────────────────────────────────────────────

    fn check_recusal(&self, person: &str, application: &str, ground: &str) -> Verdict {
        let basis = self.rules().recusal.first().map_or("", |g| g.basis.as_str());
        ensure!(self.seats.get(person).is_some_and(|seat| seat.active), "person.unknown", basis, person = person);
        ensure!(self.applications.contains_key(application), "application.unknown", basis, application = application);
        ensure!(self.rules().recusal.iter().any(|g| g.id == ground), "recusal.ground", basis, ground = ground);
        let voting = self.motions.iter().any(|(_, m)| {
            m.state < MotionState::Announced && m.body.options.iter().any(|option| option == application)
        });
        ensure!(!voting, "recusal.voting", basis, application = application);
        let computed = self.sheets.values().any(|sheets| {
            sheets.computed.is_some() && sheets.submitted.get(application).is_some_and(|by| by.contains_key(person))
        });
        ensure!(!computed, "recusal.computed", basis, application = application, person = person);
        Ok(())
    }

    pub(super) fn admit_recusal(&self, cx: &Context<'_>, body: &RecusalDeclared) -> Verdict {
        // Declared by the person; an officer may enter a declaration made on paper, and signs for it.
        if cx.actor() != body.person {
            self.require_role(cx, Role::Officer)?;
        }
        self.require_signature(cx, cx.actor())?;
        self.check_recusal(&body.person, &body.application, &body.ground)
    }

    pub(super) fn admit_ordered_recusal(&self, cx: &Context<'_>, body: &RecusalOrdered) -> Verdict {
        if !self.has_role(cx.actor(), Role::Chair) {
            self.require_role(cx, Role::Officer)?;
        }
        self.require_signature(cx, cx.actor())?;
        ensure!(!body.reason.is_empty(), "reason.missing", "");
        self.check_recusal(&body.person, &body.application, &body.ground)
    }

    /// Whether `person` must stay away from `application`.
    pub fn is_recused(&self, person: &str, application: &str) -> bool {
        self.recusals.contains_key(&(person.to_owned(), application.to_owned()))
    }

    // ── pledge ──────────────────────────────────────────────────────────────────────────────────────────

    pub(super) fn admit_pledge(&self, cx: &Context<'_>, body: &PledgeGiven) -> Verdict {
        let basis = self.rules().stages.iter().find_map(|stage| self.pledge_rule(&stage.id));
        let basis = basis.map_or("", |rule| rule.basis.as_str());
        // A promise is one's own: nobody gives it for somebody else, not even from paper.
        ensure!(cx.actor() == body.person, "pledge.other", basis, person = &body.person);
        self.require_signature(cx, &body.person)?;
        let judges = self.is_expert(&body.person) || self.has_role(&body.person, Role::Member);
        ensure!(judges, "pledge.no_judge", basis, person = &body.person);
        let sorted = body.declared.windows(2).all(|pair| pair[0] < pair[1])
            && body.conflicts.windows(2).all(|pair| pair[0].application < pair[1].application);
        ensure!(sorted, "pledge.order", basis, person = &body.person);
        for application in &body.declared {
            let known = self.applications.contains_key(application);
            ensure!(known, "application.unknown", basis, application = application);
        }
        // A second one is for those whom the first one did not name.
        let before = self.declared.get(&body.person);
        let more = before.is_some_and(|before| body.declared.iter().any(|a| !before.contains(a)));
        ensure!(!self.has_pledged(&body.person) || more, "pledge.twice", basis, person = &body.person);
        for conflict in &body.conflicts {
            let named = body.declared.contains(&conflict.application);
            ensure!(named, "pledge.conflict", basis, application = &conflict.application);
            self.check_recusal(&body.person, &conflict.application, &conflict.ground)?;
        }
        Ok(())
    }

    pub(super) fn apply_pledge(&mut self, body: PledgeGiven) {
        for Conflict { application, ground } in body.conflicts {
            self.recusals.insert((body.person.clone(), application), ground);
        }
        if !body.declared.is_empty() {
            let before = self.declared.get(&body.person).into_iter().flat_map(|before| before.iter().cloned());
            let all: BTreeSet<String> = before.chain(body.declared).collect();
            // Hundreds answer for the same thousand applications: equal sets are kept once.
            let known = self.declared.values().find(|known| ***known == all).cloned();
            self.declared.insert(body.person.clone(), known.unwrap_or_else(|| Arc::new(all)));
        }
        self.pledges.insert(body.person, body.text_sha256);
    }

    /// Whether the person or expert has pledged in this edition.
    pub fn has_pledged(&self, person: &str) -> bool {
        self.pledges.contains_key(person)
    }

    /// The rule by which those who judge in `stage` pledge first; `None` where nobody has to.
    pub fn pledge_rule(&self, stage: &str) -> Option<&Sourced<bool>> {
        self.experts_stage(stage)?.experts.as_ref()?.pledge.as_ref().filter(|rule| rule.value)
    }

    /// Whether `person` has yet to pledge for judging `application` in `stage`, or to declare whether there is a conflict
    /// with it.
    pub fn lacks_pledge(&self, stage: &str, person: &str, application: &str) -> bool {
        let declared = self.declared.get(person).is_none_or(|declared| declared.contains(application));
        self.pledge_rule(stage).is_some() && !(self.has_pledged(person) && declared)
    }

    pub(super) fn require_pledge(&self, stage: &str, person: &str, application: &str) -> Verdict {
        let basis = self.pledge_rule(stage).map_or("", |rule| rule.basis.as_str());
        let pledged = self.pledge_rule(stage).is_none() || self.has_pledged(person);
        ensure!(pledged, "score.no_pledge", basis, person = person);
        let lacks = self.lacks_pledge(stage, person, application);
        ensure!(!lacks, "score.undeclared", basis, person = person, application = application);
        Ok(())
    }

    // ── draw ────────────────────────────────────────────────────────────────────────────────────────────

    /// A draw belongs to a stage of experts, or to a scored stage whose order is drawn.
    fn drawing_stage(&self, id: &str) -> Result<&Stage, Refusal> {
        let kind = self.rules().stage(id).map_or(StageKind::Experts, |stage| stage.kind);
        let stage = self.open_stage(id, kind)?;
        let drawn = stage.kind == StageKind::Experts || stage.scoring.as_ref().is_some_and(|s| s.order_drawn);
        ensure!(drawn, "draw.stage", &stage.basis, stage = id);
        Ok(stage)
    }

    fn find_draw(&self, id: &str) -> Result<&DrawState, Refusal> {
        self.draws.get(id).ok_or_else(|| Refusal::new("draw.unknown", "").with("draw", id))
    }

    /// The stratum a line belongs to: the expert's field, or `all` for applications.
    fn stratum_of(&self, line: &str) -> &str {
        self.seats.get(line).and_then(|seat| seat.group.as_deref()).unwrap_or("all")
    }

    pub(super) fn admit_pool(&self, cx: &Context<'_>, body: &PoolFrozen) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        self.require_signature(cx, cx.actor())?;
        let stage = self.drawing_stage(&body.stage)?;
        ensure!(!self.draws.contains_key(&body.draw), "draw.twice", &stage.basis, draw = &body.draw);
        // One live draw for one purpose: a second one may only follow when the first has been carried out.
        let live = self.draws.iter().find(|(_, d)| d.stage == body.stage && d.revealed.is_none() && d.voided.is_none());
        if let Some((id, _)) = live {
            refuse!("draw.live", &stage.basis, draw = id);
        }
        // Another draw for the same stage is for used-up reserves only, never for a result that displeases.
        let earlier = self.draws.values().filter(|d| d.stage == body.stage && d.voided.is_none());
        let used_up = |d: &DrawState| {
            d.revealed.iter().flat_map(|r| &r.result).any(|drawn| {
                let mut reserves = drawn.reserve.iter().filter_map(|position| d.line(*position));
                !drawn.reserve.is_empty() && reserves.all(|line| d.replaced.iter().any(|r| r.by == line))
            })
        };
        let unused = earlier.into_iter().any(|d| stage.kind != StageKind::Experts || !used_up(d));
        ensure!(!unused, "draw.twice", &stage.basis, draw = &body.draw);
        let candidates: BTreeSet<&str> = if stage.kind == StageKind::Experts {
            self.seats
                .iter()
                .filter(|(_, seat)| seat.active && seat.group.is_some())
                .map(|(id, _)| id.as_str())
                .collect()
        } else {
            self.field.iter().map(String::as_str).collect()
        };
        let listed: Vec<&str> =
            body.lines.iter().map(String::as_str).chain(body.excluded.iter().map(|e| e.line.as_str())).collect();
        let set: BTreeSet<&str> = listed.iter().copied().collect();
        ensure!(
            set.len() == listed.len() && set == candidates,
            "pool.incomplete",
            &stage.basis,
            listed = set.len(),
            candidates = candidates.len()
        );
        for out in &body.excluded {
            let known = match out.reason.as_str() {
                "recusal" => self.recusals.keys().any(|(person, _)| *person == out.line),
                "term" | "load" | "declined" => true,
                _ => false,
            };
            ensure!(known, "pool.reason", &stage.basis, line = &out.line, reason = &out.reason);
        }
        let sorted = body
            .lines
            .windows(2)
            .all(|pair| (self.stratum_of(&pair[0]), &pair[0]) < (self.stratum_of(&pair[1]), &pair[1]));
        ensure!(sorted, "pool.order", &stage.basis);
        ensure!(pool_hash::<Sha256>(&body.lines) == body.sha256, "pool.hash", &stage.basis);
        Ok(())
    }

    pub(super) fn apply_pool(&mut self, body: PoolFrozen) {
        let draw = DrawState {
            stage: body.stage,
            lines: body.lines,
            excluded: body.excluded,
            sha256: body.sha256,
            plan: None,
            revealed: None,
            replaced: Vec::new(),
            voided: None,
        };
        self.draws.insert(body.draw, draw);
    }

    pub(super) fn admit_plan(&self, cx: &Context<'_>, body: &DrawPlanned) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        self.require_signature(cx, cx.actor())?;
        let state = self.find_draw(&body.draw)?;
        let stage = self.drawing_stage(&state.stage)?;
        ensure!(state.plan.is_none(), "draw.planned", &stage.basis, draw = &body.draw);
        let plan = &body.plan;
        let same_pool = plan.pool_sha256 == state.sha256.to_string()
            && usize::try_from(plan.pool_size).is_ok_and(|size| size == state.lines.len());
        ensure!(same_pool, "draw.pool", &stage.basis, draw = &body.draw);
        plan.check().map_err(|error| Refusal::new("draw.plan", &*stage.basis).with("detail", error))?;
        ensure!(!plan.commit.list().is_empty() && !plan.sources.is_empty(), "draw.sources", &stage.basis);
        let experts = stage.experts.as_ref();
        let reserves = experts.map_or(0, |e| u64::from(e.reserves.value));
        ensure!(plan.reserves == reserves, "draw.reserves", &stage.basis, found = plan.reserves, expected = reserves);
        ensure!(state.voided.is_none(), "draw.voided", &stage.basis, draw = &body.draw);
        ensure!(plan.v == 1 && plan.year == self.opened.year, "draw.plan", &stage.basis, detail = "version or year");
        ensure!(!plan.strata.is_empty(), "draw.plan", &stage.basis, detail = "no strata");
        for stratum in &plan.strata {
            // The whole group or nothing: a range inside it would be a hand-picked pool.
            let range = stratum.from..=stratum.to;
            let whole =
                (1..).zip(&state.lines).all(|(i, line)| range.contains(&i) == (self.stratum_of(line) == stratum.id));
            ensure!(whole, "draw.strata", &stage.basis, stratum = &stratum.id);
        }
        // The plan must be out before the first source event: that is what makes the draw nobody's choice.
        ensure!(body.sources_on > self.day(cx.record.time), "draw.sources_past", &stage.basis, day = body.sources_on);
        Ok(())
    }

    pub(super) fn apply_plan(&mut self, record: &Record, body: DrawPlanned) {
        if let Some(state) = self.draws.get_mut(&body.draw) {
            let plan =
                PublishedPlan { plan: body.plan, sources_on: body.sources_on, seq: record.seq, time: record.time };
            state.plan = Some(plan);
        }
    }

    pub(super) fn admit_reveal(&self, cx: &Context<'_>, body: &DrawRevealed) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        self.require_signers(cx, Role::Officer, 2)?;
        let state = self.find_draw(&body.draw)?;
        let stage = self.drawing_stage(&state.stage)?;
        let Some(published) = &state.plan else { refuse!("draw.no_plan", &stage.basis, draw = &body.draw) };
        ensure!(state.revealed.is_none(), "draw.revealed", &stage.basis, draw = &body.draw);
        ensure!(state.voided.is_none(), "draw.voided", &stage.basis, draw = &body.draw);
        ensure!(
            self.day(cx.record.time) >= published.sources_on,
            "draw.early",
            &stage.basis,
            day = published.sources_on
        );
        let secrets: Vec<[u8; 32]> = body.secrets.iter().map(|hash| hash.0).collect();
        let result = draw::<Sha256>(&published.plan, &secrets, &body.values)
            .map_err(|error| Refusal::new("draw.recompute", &*stage.basis).with("detail", error))?;
        ensure!(result == body.result, "draw.result", &stage.basis, draw = &body.draw);
        Ok(())
    }

    pub(super) fn apply_reveal(&mut self, record: &Record, body: DrawRevealed) {
        if let Some(state) = self.draws.get_mut(&body.draw) {
            let revealed =
                Revealed { result: body.result, secrets: body.secrets, values: body.values, seq: record.seq };
            state.revealed = Some(revealed);
        }
    }

    /// A draw whose source failed or whose secret is lost is given up in the open; another may then be published.
    pub(super) fn admit_draw_voided(&self, cx: &Context<'_>, body: &DrawVoided) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        self.require_signers(cx, Role::Officer, 2)?;
        self.require_signers(cx, Role::Supervisor, 1)?;
        let state = self.find_draw(&body.draw)?;
        let stage = self.drawing_stage(&state.stage)?;
        ensure!(state.revealed.is_none(), "draw.revealed", &stage.basis, draw = &body.draw);
        ensure!(state.voided.is_none(), "draw.voided", &stage.basis, draw = &body.draw);
        ensure!(!body.reason.is_empty(), "reason.missing", &stage.basis);
        Ok(())
    }

    pub(super) fn apply_draw_voided(&mut self, record: &Record, body: DrawVoided) {
        if let Some(state) = self.draws.get_mut(&body.draw) {
            state.voided = Some((body.reason, record.time));
        }
    }

    pub(super) fn admit_replacement(&self, cx: &Context<'_>, body: &DrawReplaced) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        self.require_signature(cx, cx.actor())?;
        let state = self.find_draw(&body.draw)?;
        let stage = self.drawing_stage(&state.stage)?;
        ensure!(!body.reason.is_empty(), "reason.missing", &stage.basis);
        ensure!(state.current().contains(&body.out.as_str()), "draw.not_drawn", &stage.basis, line = &body.out);
        let drawn = state.revealed.iter().flat_map(|r| &r.result).any(|d| d.id == body.stratum);
        ensure!(drawn, "draw.stratum", &stage.basis, stratum = &body.stratum);
        ensure!(self.stratum_of(&body.out) == body.stratum, "draw.stratum", &stage.basis, stratum = &body.stratum);
        match state.next_reserve(&body.stratum, |_| true) {
            None => refuse!("draw.reserves_used", &stage.basis, stratum = &body.stratum),
            Some(line) => in_turn(stage, line, &body.by)?,
        }
        let panelled = self.panels.values().any(|p| p.stage == state.stage && p.members.contains(&body.out));
        ensure!(!panelled, "draw.panelled", &stage.basis, line = &body.out);
        Ok(())
    }

    pub(super) fn apply_replacement(&mut self, body: DrawReplaced) {
        if let Some(state) = self.draws.get_mut(&body.draw) {
            let replacement = Replacement { stratum: body.stratum, out: body.out, by: body.by, reason: body.reason };
            state.replaced.push(replacement);
        }
    }

    // ── panels ──────────────────────────────────────────────────────────────────────────────────────────

    pub(super) fn admit_panel(&self, cx: &Context<'_>, body: &PanelFormed) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        self.require_signature(cx, cx.actor())?;
        let stage = self.open_stage(&body.stage, StageKind::Experts)?;
        let Some(rules) = &stage.experts else { refuse!("stage.kind", &stage.basis, stage = &stage.id) };
        ensure!(!self.panels.contains_key(&body.panel), "panel.twice", &stage.basis, panel = &body.panel);
        let members: BTreeSet<&str> = body.members.iter().map(String::as_str).collect();
        let size = usize::try_from(rules.panel_size.value).unwrap_or(usize::MAX);
        ensure!(
            members.len() == size && body.members.len() == size,
            "panel.size",
            &rules.panel_size.basis,
            found = body.members.len(),
            expected = size
        );
        ensure!(members.contains(body.leader.as_str()), "panel.leader", &stage.basis, leader = &body.leader);
        let drawn: BTreeSet<&str> =
            self.draws.values().filter(|d| d.stage == body.stage).flat_map(DrawState::current).collect();
        for member in &members {
            ensure!(self.is_expert(member), "expert.unknown", &stage.basis, expert = member);
            ensure!(
                !rules.drawn.value || drawn.contains(member),
                "panel.not_drawn",
                &rules.drawn.basis,
                expert = member
            );
        }
        for application in &body.applications {
            self.live(application)?;
            let other = self.panels.iter().find(|(_, p)| p.stage == body.stage && p.applications.contains(application));
            if let Some((panel, _)) = other {
                refuse!("panel.application_twice", &stage.basis, application = application, panel = panel);
            }
            if let Some(member) = members.iter().find(|member| self.is_recused(member, application)) {
                refuse!("panel.recused", &stage.basis, expert = member, application = application);
            }
        }
        Ok(())
    }

    pub(super) fn apply_panel(&mut self, body: PanelFormed) {
        let panel = Panel {
            stage: body.stage,
            leader: body.leader,
            members: body.members.into_iter().collect(),
            applications: body.applications.into_iter().collect(),
            replaced: Vec::new(),
        };
        self.panels.insert(body.panel, panel);
    }

    /// Whether a stage that the panel scores is still to be computed.
    pub fn still_scores(&self, panel: &Panel) -> bool {
        self.rules().stages.iter().any(|stage| {
            stage.scoring.as_ref().is_some_and(|s| s.method.value != ScoringMethod::Count)
                && self.experts_stage(&stage.id).is_some_and(|experts| experts.id == panel.stage)
                && !self.is_computed(&stage.id)
        })
    }

    /// What keeps an expert from stepping into a panel.
    fn check_successor(&self, panel: &Panel, expert: &str) -> Verdict {
        let basis = self.rules().stage(&panel.stage).map_or("", |stage| stage.basis.as_str());
        ensure!(self.is_expert(expert), "expert.unknown", basis, expert = expert);
        let mut panels = self.panels.iter().filter(|(_, p)| p.stage == panel.stage);
        // Who has left a panel does not come back: one place, one sheet, whoever sits there.
        let sat = |p: &Panel| p.members.contains(expert) || p.replaced.iter().any(|change| change.out == expert);
        if let Some((other, _)) = panels.find(|(_, p)| sat(p)) {
            refuse!("panel.elsewhere", basis, expert = expert, panel = other);
        }
        if let Some(application) = panel.applications.iter().find(|a| self.is_recused(expert, a)) {
            refuse!("panel.recused", basis, expert = expert, application = application);
        }
        Ok(())
    }

    /// Who steps in for the member `out` of a panel. Reserves who may not sit in it are passed over and keep their turn.
    pub fn successor<'a>(&'a self, panel: &Panel, out: &str) -> Successor<'a> {
        let experts = self.rules().stage(&panel.stage).and_then(|stage| stage.experts.as_ref());
        if !experts.is_some_and(|rules| rules.drawn.value) {
            return Successor::Appointed;
        }
        // Where a stage was drawn more than once, in the order in which the draws were carried out.
        let mut draws: Vec<_> = self.draws.iter().filter(|(_, d)| d.stage == panel.stage).collect();
        draws.sort_by_key(|(_, draw)| draw.revealed.as_ref().map(|revealed| revealed.seq));
        let next = draws.into_iter().find_map(|(id, draw)| {
            let fit = |line: &str| self.check_successor(panel, line).is_ok();
            Some((id, draw.next_reserve(self.stratum_of(out), fit)?))
        });
        next.map_or(Successor::Exhausted, |(draw, expert)| Successor::Reserve { draw, expert })
    }

    /// Experts whom the office may choose for the place of `out` where no draw decides.
    pub fn free_experts(&self, panel: &Panel, out: &str) -> Vec<&str> {
        let same_field = self.successor(panel, out) == Successor::Exhausted;
        let experts = self.seats.keys().map(String::as_str);
        experts
            .filter(|expert| self.check_successor(panel, expert).is_ok())
            .filter(|expert| !same_field || self.stratum_of(expert) == self.stratum_of(out))
            .collect()
    }

    pub(super) fn admit_member_replaced(&self, cx: &Context<'_>, body: &PanelMemberReplaced) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        self.require_signature(cx, cx.actor())?;
        let known = self.panels.get(&body.panel).and_then(|p| Some((p, self.rules().stage(&p.stage)?)));
        let Some((panel, stage)) = known else { refuse!("panel.unknown", "", panel = &body.panel) };
        ensure!(!body.reason.is_empty(), "reason.missing", &stage.basis);
        ensure!(panel.members.contains(&body.out), "panel.not_member", &stage.basis, expert = &body.out);
        ensure!(self.still_scores(panel), "panel.computed", &stage.basis, panel = &body.panel);
        self.check_successor(panel, &body.by)?;
        match self.successor(panel, &body.out) {
            Successor::Reserve { expert, .. } => in_turn(stage, expert, &body.by)?,
            Successor::Appointed => self.require_signers(cx, Role::Officer, 2)?,
            Successor::Exhausted => {
                self.require_signers(cx, Role::Officer, 2)?;
                self.require_signers(cx, Role::Supervisor, 1)?;
                let same = self.stratum_of(&body.by) == self.stratum_of(&body.out);
                ensure!(same, "panel.field", &stage.basis, expert = &body.by);
            }
        }
        let leads = panel.leader == body.out;
        ensure!(leads == body.leader.is_some(), "panel.leader_change", &stage.basis, leader = &panel.leader);
        if let Some(leader) = &body.leader {
            let stays = *leader == body.by || (*leader != body.out && panel.members.contains(leader));
            ensure!(stays, "panel.leader", &stage.basis, leader = leader);
        }
        Ok(())
    }

    pub(super) fn apply_member_replaced(&mut self, body: PanelMemberReplaced) {
        let Some(panel) = self.panels.get(&body.panel) else { return };
        // The reserve has stepped in: the draw knows it too, so that nobody's turn comes twice.
        let stratum = self.stratum_of(&body.out).to_owned();
        let drawn = match self.successor(panel, &body.out) {
            Successor::Reserve { draw, expert } if expert == body.by => Some(draw.to_owned()),
            _ => None,
        };
        if let Some(draw) = drawn.and_then(|id| self.draws.get_mut(&id)) {
            let (out, by, reason) = (body.out.clone(), body.by.clone(), body.reason.clone());
            draw.replaced.push(Replacement { stratum, out, by, reason });
        }
        if let Some(panel) = self.panels.get_mut(&body.panel) {
            panel.members.remove(&body.out);
            panel.members.insert(body.by.clone());
            if let Some(leader) = body.leader {
                panel.leader = leader;
            }
            panel.replaced.push(Succession { out: body.out, by: body.by, reason: body.reason });
        }
    }

    /// The stage of experts whose panels work in `stage`: itself, or the last one above it.
    pub fn experts_stage(&self, stage: &str) -> Option<&Stage> {
        let index = self.rules().stage_index(stage)?;
        self.rules().stages.get(..=index)?.iter().rev().find(|s| s.kind == StageKind::Experts)
    }

    /// Whether somebody has an active seat as an expert.
    pub fn is_expert(&self, id: &str) -> bool {
        self.seats.get(id).is_some_and(|seat| seat.active && seat.group.is_some())
    }

    /// Applications of the field that no panel of a stage of experts has.
    pub fn without_panel(&self, stage: &str) -> Vec<&String> {
        let own = self.panels.values().filter(|panel| panel.stage == stage);
        let taken: BTreeSet<&String> = own.flat_map(|panel| &panel.applications).collect();
        self.field.iter().filter(|application| !taken.contains(application)).collect()
    }

    /// The panel that reviews `application` in the scored stage `stage`: that of the last stage of experts before it.
    pub fn panel_of(&self, stage: &str, application: &str) -> Option<(&str, &Panel)> {
        let experts = self.experts_stage(stage)?;
        self.panels
            .iter()
            .find(|(_, panel)| panel.stage == experts.id && panel.applications.contains(application))
            .map(|(id, panel)| (id.as_str(), panel))
    }
}

/// Reserves step in by the order of the draw.
fn in_turn(stage: &Stage, next: &str, found: &str) -> Verdict {
    ensure!(next == found, "draw.reserve_order", &stage.basis, next = next, found = found);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use heng_log::Hash;
    use serde_json::{Value, json};

    use super::*;
    use crate::edition::testing::{act, edition, open, pledge_all, submit};

    fn pledge(person: &str) -> Value {
        json!({ "person": person, "text_sha256": Hash([3; 32]) })
    }

    fn replaced(out: &str, by: &str) -> Value {
        json!({ "by": by, "out": out, "panel": "g:1", "reason": "ill" })
    }

    fn sheet(expert: &str, application: &str) -> Value {
        json!({ "application": application, "expert": expert, "panel": "g:1", "stage": "documents" })
    }

    fn recused(e: &mut Edition, person: &str, application: &str) {
        e.recusals.insert((person.to_owned(), application.to_owned()), "employer".to_owned());
    }

    const REPLACED: &str = "panel.member_replaced";

    #[test]
    fn a_pledge_is_given_once_and_by_the_person_who_judges() {
        let mut e = edition();
        let given =
            |e: &mut Edition, actor: &str, person: &str| act(e, actor, "pledge.given", pledge(person), &[actor]);
        assert_eq!(given(&mut e, "p:1", "x:01"), Err("pledge.other"), "not even by an officer");
        assert_eq!(act(&mut e, "x:01", "pledge.given", pledge("x:01"), &[]), Err("signature.no_key"));
        for nobody in ["p:1", "p:3", "p:20", "p:30"] {
            assert_eq!(given(&mut e, nobody, nobody), Err("pledge.no_judge"), "{nobody}");
        }
        for judge in ["x:01", "p:10", "p:11"] {
            assert!(!e.has_pledged(judge));
            assert_eq!(given(&mut e, judge, judge), Ok(()), "{judge}");
            assert!(e.has_pledged(judge));
            assert_eq!(given(&mut e, judge, judge), Err("pledge.twice"), "{judge}");
        }
    }

    #[test]
    fn nobody_scores_before_the_pledge_where_it_is_asked_for() {
        let mut e = edition();
        let score = |e: &mut Edition| act(e, "x:01", "score.submitted", sheet("x:01", "a:1"), &["x:01"]);
        assert_eq!(score(&mut e), Err("score.no_pledge"));
        assert!(e.lacks_pledge("documents", "x:01", "a:1") && e.lacks_pledge("committee", "p:11", "a:1"));
        act(&mut e, "x:01", "pledge.given", pledge("x:01"), &["x:01"]).unwrap();
        assert_eq!(score(&mut e), Ok(()));
        // Rules of older editions do not know the parameter, and ask nobody.
        let mut older = edition();
        let experts = older.opened.rules.stages.iter_mut().find_map(|s| s.experts.as_mut()).unwrap();
        experts.pledge = None;
        assert!(!serde_json::to_string(&older.opened.rules).unwrap().contains("pledge\":{"));
        assert_eq!(score(&mut older), Ok(()));
    }

    #[test]
    fn who_declares_judges_what_was_declared_on_and_is_asked_again_for_the_rest() {
        let mut e = edition();
        let ground = e.rules().recusal[0].id.clone();
        let declare = |e: &mut Edition, declared: &[&str], conflicts: &[&str]| {
            let conflicts: Vec<Value> =
                conflicts.iter().map(|a| json!({ "application": a, "ground": ground })).collect();
            let mut body = pledge("x:01");
            body["declared"] = json!(declared);
            if !conflicts.is_empty() {
                body["conflicts"] = json!(conflicts);
            }
            act(e, "x:01", "pledge.given", body, &["x:01"])
        };
        assert_eq!(declare(&mut e, &["a:2", "a:1"], &[]), Err("pledge.order"));
        assert_eq!(declare(&mut e, &["a:1", "a:99"], &[]), Err("application.unknown"));
        assert_eq!(declare(&mut e, &["a:1"], &["a:2"]), Err("pledge.conflict"), "what is not answered for");
        let mut other = pledge("x:01");
        other["declared"] = json!(["a:1"]);
        other["conflicts"] = json!([{ "application": "a:1", "ground": "dislike" }]);
        assert_eq!(act(&mut e, "x:01", "pledge.given", other, &["x:01"]), Err("recusal.ground"));
        assert!(!e.may_read("x:01", "a:1"));
        assert_eq!(declare(&mut e, &["a:1", "a:2"], &["a:2"]), Ok(()));
        assert!(e.is_recused("x:01", "a:2"));
        // The panel is given another one.
        let third = "a:3";
        e.applications.insert(third.to_owned(), e.applications["a:2"].clone());
        e.field.insert(third.to_owned());
        e.panels.get_mut("g:1").unwrap().applications.insert(third.to_owned());
        assert!(e.may_read("x:01", "a:1") && !e.may_read("x:01", "a:2") && !e.may_read("x:01", third));
        let score = |e: &mut Edition, a: &str| act(e, "x:01", "score.submitted", sheet("x:01", a), &["x:01"]);
        assert_eq!(score(&mut e, third), Err("score.undeclared"));
        assert_eq!(declare(&mut e, &["a:1", "a:2"], &[]), Err("pledge.twice"), "nothing new in it");
        assert_eq!(declare(&mut e, &[third], &[]), Ok(()));
        assert!(e.may_read("x:01", third) && e.is_recused("x:01", "a:2"), "what was declared stays");
        assert_eq!(score(&mut e, third), Ok(()));
    }

    #[test]
    fn the_next_reserve_steps_in_and_one_officer_signs() {
        let mut e = edition();
        let by = |e: &mut Edition, body| act(e, "p:1", REPLACED, body, &["p:1"]);
        assert_eq!(by(&mut e, replaced("x:02", "x:07")), Err("draw.reserve_order"));
        assert_eq!(by(&mut e, replaced("x:02", "x:08")), Err("draw.reserve_order"));
        assert_eq!(by(&mut e, replaced("x:02", "x:03")), Err("panel.elsewhere"));
        assert_eq!(by(&mut e, replaced("x:08", "x:06")), Err("panel.not_member"));
        assert_eq!(by(&mut e, replaced("x:02", "x:99")), Err("expert.unknown"));
        let elsewhere = json!({ "by": "x:06", "out": "x:02", "panel": "g:9", "reason": "ill" });
        assert_eq!(by(&mut e, elsewhere), Err("panel.unknown"));
        let unexplained = json!({ "by": "x:06", "out": "x:02", "panel": "g:1", "reason": "" });
        assert_eq!(by(&mut e, unexplained), Err("reason.missing"));
        assert_eq!(act(&mut e, "p:3", REPLACED, replaced("x:02", "x:06"), &["p:3"]), Err("role.missing"));
        assert_eq!(by(&mut e, replaced("x:02", "x:06")), Ok(()));
        let panel = &e.panels["g:1"];
        assert!(panel.members.contains("x:06") && !panel.members.contains("x:02"));
        assert!(e.draws["d:experts"].current().contains(&"x:06"), "the draw knows that the reserve has stepped in");
        // Who left does not come back, and a turn comes once.
        assert_eq!(by(&mut e, replaced("x:03", "x:02")), Err("panel.elsewhere"));
        assert_eq!(by(&mut e, replaced("x:06", "x:07")), Ok(()));
        assert_eq!(e.panels["g:1"].predecessors("x:07"), ["x:06", "x:02"]);
    }

    #[test]
    fn a_reserve_with_a_conflict_is_passed_over() {
        let mut e = edition();
        recused(&mut e, "x:06", "a:2");
        let by = |e: &mut Edition, body| act(e, "p:1", REPLACED, body, &["p:1"]);
        assert_eq!(by(&mut e, replaced("x:02", "x:06")), Err("panel.recused"));
        assert_eq!(by(&mut e, replaced("x:02", "x:07")), Ok(()));
        assert_eq!(e.successor(&e.panels["g:1"], "x:03"), Successor::Exhausted);
    }

    #[test]
    fn where_no_draw_decides_two_officers_choose() {
        let mut e = edition();
        let rules = e.opened.rules.stages.iter_mut().find_map(|s| s.experts.as_mut()).unwrap();
        rules.drawn.value = false;
        assert_eq!(act(&mut e, "p:1", REPLACED, replaced("x:02", "x:08"), &["p:1"]), Err("signature.too_few"));
        assert_eq!(act(&mut e, "p:1", REPLACED, replaced("x:02", "x:08"), &["p:1", "p:2"]), Ok(()));
        assert!(e.draws["d:experts"].replaced.is_empty(), "nobody's turn was used");
    }

    #[test]
    fn without_reserves_the_supervisor_signs_too() {
        let mut e = edition();
        for (out, by) in [("x:02", "x:06"), ("x:03", "x:07")] {
            act(&mut e, "p:1", REPLACED, replaced(out, by), &["p:1"]).unwrap();
        }
        let body = replaced("x:04", "x:08");
        assert_eq!(act(&mut e, "p:1", REPLACED, body.clone(), &["p:1", "p:2"]), Err("signature.too_few"));
        e.seats.get_mut("x:08").unwrap().group = Some("service".to_owned());
        assert_eq!(act(&mut e, "p:1", REPLACED, body.clone(), &["p:1", "p:2", "p:3"]), Err("panel.field"));
        assert!(e.free_experts(&e.panels["g:1"], "x:04").is_empty());
        e.seats.get_mut("x:08").unwrap().group = Some("manufacturing".to_owned());
        assert_eq!(e.free_experts(&e.panels["g:1"], "x:04"), ["x:08"]);
        assert_eq!(act(&mut e, "p:1", REPLACED, body, &["p:1", "p:2", "p:3"]), Ok(()));
    }

    #[test]
    fn a_leader_who_leaves_is_followed_by_a_member() {
        let mut e = edition();
        let with = |out: &str, leader: &str| {
            let mut body = replaced(out, "x:06");
            body["leader"] = json!(leader);
            body
        };
        let by = |e: &mut Edition, body| act(e, "p:1", REPLACED, body, &["p:1"]);
        assert_eq!(by(&mut e, replaced("x:01", "x:06")), Err("panel.leader_change"));
        assert_eq!(by(&mut e, with("x:02", "x:03")), Err("panel.leader_change"));
        assert_eq!(by(&mut e, with("x:01", "x:01")), Err("panel.leader"));
        assert_eq!(by(&mut e, with("x:01", "x:08")), Err("panel.leader"));
        assert_eq!(by(&mut e, with("x:01", "x:03")), Ok(()));
        assert_eq!(e.panels["g:1"].leader, "x:03");
    }

    #[test]
    fn a_sheet_outlives_its_author_unless_a_conflict_makes_it_worthless() {
        let mut e = edition();
        pledge_all(&mut e);
        for (expert, mark) in [("x:01", 60), ("x:02", 90), ("x:03", 60), ("x:04", 60), ("x:05", 60)] {
            submit(&mut e, "documents", "a:1", expert, mark);
        }
        submit(&mut e, "documents", "a:2", "x:02", 70);
        // x:02 fell ill: what was judged counts, what was not is owed by the next reserve.
        act(&mut e, "p:1", REPLACED, replaced("x:02", "x:06"), &["p:1"]).unwrap();
        assert!(e.missing_sheets("documents", "a:1").is_empty());
        assert_eq!(e.stage_score("documents", "a:1"), Ok(Some(66_000)));
        let score =
            |e: &mut Edition, expert: &str, a: &str| act(e, expert, "score.submitted", sheet(expert, a), &[expert]);
        assert_eq!(score(&mut e, "x:06", "a:1"), Err("score.inherited"), "one place, one sheet");
        assert_eq!(score(&mut e, "x:02", "a:2"), Err("score.not_member"));
        assert_eq!(e.missing_sheets("documents", "a:2"), ["x:01", "x:03", "x:04", "x:05"]);
        // Then it turns out that x:02 had a conflict: the sheet stays in the log and counts no longer.
        recused(&mut e, "x:02", "a:1");
        assert_eq!(e.missing_sheets("documents", "a:1"), ["x:06"]);
        assert!(!e.counting_sheets("documents", "a:1").contains_key("x:02"));
        assert_eq!(e.stage_score("documents", "a:1").unwrap_err().code, "score.incomplete");
        assert_eq!(score(&mut e, "x:06", "a:1"), Ok(()));
        assert!(e.missing_sheets("documents", "a:1").is_empty());
        assert_eq!(e.counting_sheets("documents", "a:1").len(), 5);
    }

    /// A panel whose members are all recused from a case was the end of that case.
    #[test]
    fn a_case_with_nobody_left_to_judge_it_gets_a_judge() {
        let mut e = edition();
        pledge_all(&mut e);
        for expert in ["x:01", "x:02", "x:03", "x:04", "x:05"] {
            recused(&mut e, expert, "a:1");
        }
        assert_eq!(e.stage_score("documents", "a:1").unwrap_err().code, "score.incomplete");
        assert_eq!(e.consensus_signer(&e.panels["g:1"], "a:1"), None);
        act(&mut e, "p:1", REPLACED, replaced("x:02", "x:06"), &["p:1"]).unwrap();
        assert_eq!(e.missing_sheets("documents", "a:1"), ["x:06"]);
        assert_eq!(e.consensus_signer(&e.panels["g:1"], "a:1"), Some("x:06"));
        submit(&mut e, "documents", "a:1", "x:06", 80);
        assert_eq!(e.stage_score("documents", "a:1"), Ok(Some(80_000)));
    }

    #[test]
    fn a_panel_changes_as_long_as_it_has_something_to_score() {
        let mut e = edition();
        let applications: Vec<String> = e.field.iter().cloned().collect();
        e.sheets.entry("documents".to_owned()).or_default().computed = Some((0, applications.clone()));
        open(&mut e, "site");
        // Before the site visit a member may still be replaced, and owes nothing for what is computed.
        act(&mut e, "p:1", REPLACED, replaced("x:02", "x:06"), &["p:1"]).unwrap();
        assert!(e.missing_sheets("documents", "a:1").is_empty());
        assert!(e.missing_sheets("site", "a:1").contains(&"x:06"));
        e.sheets.entry("site".to_owned()).or_default().computed = Some((0, applications));
        assert_eq!(act(&mut e, "p:1", REPLACED, replaced("x:03", "x:07"), &["p:1"]), Err("panel.computed"));
    }
}
