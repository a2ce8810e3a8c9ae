//! Recusal (回避), the draw of the experts, and the panels.

use std::collections::BTreeSet;

use heng_log::Sha256;

use super::admit::Context;
use super::events::{
    DrawPlanned, DrawReplaced, DrawRevealed, DrawVoided, PanelFormed, PoolFrozen, RecusalDeclared, RecusalOrdered, Role,
};
use super::state::{DrawState, Edition, MotionState, Panel, PublishedPlan, Replacement, Revealed};
use crate::draw::{draw, pool_hash};
use crate::record::Record;
use crate::refusal::{Refusal, Verdict, ensure, refuse};
use crate::rules::{Stage, StageKind};

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
        let drawn = state.revealed.iter().flat_map(|r| &r.result).find(|d| d.id == body.stratum);
        let Some(drawn) = drawn else { refuse!("draw.stratum", &stage.basis, stratum = &body.stratum) };
        ensure!(self.stratum_of(&body.out) == body.stratum, "draw.stratum", &stage.basis, stratum = &body.stratum);
        let next = drawn
            .reserve
            .iter()
            .filter_map(|position| state.line(*position))
            .find(|line| !state.replaced.iter().any(|r| r.by == *line));
        match next {
            None => refuse!("draw.reserves_used", &stage.basis, stratum = &body.stratum),
            Some(line) => ensure!(line == body.by, "draw.reserve_order", &stage.basis, next = line, found = &body.by),
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
            let seated = self.seats.get(*member).is_some_and(|seat| seat.active && seat.group.is_some());
            ensure!(seated, "expert.unknown", &stage.basis, expert = member);
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
        };
        self.panels.insert(body.panel, panel);
    }

    /// The panel that reviews `application` in the scored stage `stage`: that of the last stage of experts before it.
    pub fn panel_of(&self, stage: &str, application: &str) -> Option<(&str, &Panel)> {
        let index = self.rules().stage_index(stage)?;
        let experts = self.rules().stages.get(..index)?.iter().rev().find(|s| s.kind == StageKind::Experts)?;
        self.panels
            .iter()
            .find(|(_, panel)| panel.stage == experts.id && panel.applications.contains(application))
            .map(|(id, panel)| (id.as_str(), panel))
    }
}
