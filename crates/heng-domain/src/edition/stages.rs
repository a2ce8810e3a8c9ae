//! Stages (阶段) and their gates (关口): when a stage may open, and what must be true before it closes.

use jiff::civil::Date;

use super::admit::Context;
use super::events::{Role, StageClosed, StageOpened};
use super::state::Edition;
use crate::record::Record;
use crate::refusal::{Refusal, Verdict, ensure, refuse};
use crate::rules::{Stage, StageKind};
use crate::time::Instant;

/// How far a stage is, for pages that say where the case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageProgress {
    /// Finished.
    Done {
        /// When.
        on: Instant,
    },
    /// Under way.
    Now {
        /// Last planned day.
        due: Date,
    },
    /// All stages before it are finished, it has not begun.
    Next,
    /// Later.
    Ahead,
}

impl Edition {
    /// Whether the stage has been closed.
    pub fn is_closed(&self, stage: &str) -> bool {
        self.stages.get(stage).is_some_and(|state| state.closed.is_some())
    }

    /// Last planned day of a stage that is open: the day of opening plus the rules' days.
    /// For the application stage it is the last day of the window, for a notice the last day of the notice.
    pub fn due(&self, stage: &Stage) -> Option<Date> {
        let opened = self.stages.get(&stage.id)?.opened?;
        match stage.kind {
            StageKind::Application => self.call.as_ref()?.closes.plus_millis(-1).map(|last| self.day(last)),
            StageKind::Notice => match self.notices.iter().find(|(_, n)| n.body.stage == stage.id) {
                Some((_, notice)) => Some(notice.body.until),
                None => opened.plus_days(i64::from(stage.days.value)).map(|day| self.day(day)),
            },
            _ => opened.plus_days(i64::from(stage.days.value)).map(|day| self.day(day)),
        }
    }

    /// How far a stage is.
    pub fn progress(&self, stage: &Stage) -> StageProgress {
        let state = self.stages.get(&stage.id).copied().unwrap_or_default();
        if let Some(on) = state.closed {
            return StageProgress::Done { on };
        }
        if let Some(due) = self.due(stage) {
            return StageProgress::Now { due };
        }
        let index = self.rules().stage_index(&stage.id).unwrap_or(usize::MAX);
        let ready = self.rules().predecessors(index).iter().all(|id| self.is_closed(id));
        if ready { StageProgress::Next } else { StageProgress::Ahead }
    }

    /// Stages that are open now, in the rules' order.
    pub fn open_stages(&self) -> Vec<&Stage> {
        self.rules().stages.iter().filter(|s| matches!(self.progress(s), StageProgress::Now { .. })).collect()
    }

    pub(super) fn admit_stage_opened(&self, cx: &Context<'_>, body: &StageOpened) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        let Some(index) = self.rules().stage_index(&body.stage) else {
            refuse!("stage.unknown", "", stage = &body.stage)
        };
        let basis = self.rules().stages.get(index).map_or("", |stage| stage.basis.as_str());
        let state = self.stages.get(&body.stage).copied().unwrap_or_default();
        ensure!(state.opened.is_none(), "stage.opened_twice", basis, stage = &body.stage);
        let open: Vec<&str> =
            self.rules().predecessors(index).into_iter().filter(|before| !self.is_closed(before)).collect();
        ensure!(open.is_empty(), "stage.before", basis, stage = &body.stage, open = open.join(", "));
        Ok(())
    }

    pub(super) fn apply_stage_opened(&mut self, record: &Record, stage: &str) {
        if let Some(state) = self.stages.get_mut(stage) {
            state.opened = Some(record.time);
        }
        self.field_at.insert(stage.to_owned(), self.field.clone());
    }

    pub(super) fn admit_stage_closed(&self, cx: &Context<'_>, body: &StageClosed) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        let Some(stage) = self.rules().stage(&body.stage) else { refuse!("stage.unknown", "", stage = &body.stage) };
        self.open_stage(&body.stage, stage.kind)?;
        self.gate(stage, cx.record.time)
    }

    /// What still keeps the gate shut at `time`, as applications or other names.
    ///
    /// # Errors
    /// The refusal that names it.
    pub fn gate(&self, stage: &Stage, time: Instant) -> Verdict {
        let basis = &stage.basis;
        match stage.kind {
            StageKind::Call => ensure!(self.call.is_some(), "gate.call", basis),
            StageKind::Application => {
                let closes = self.call.as_ref().map(|call| call.closes);
                let Some(closes) = closes else { refuse!("gate.call", basis) };
                ensure!(time >= closes, "gate.window", basis, closes = self.local(closes));
            }
            StageKind::Recommendation => {
                self.all_live(stage, |id| self.applications.get(id).is_some_and(|a| !a.recommendations.is_empty()))?;
            }
            StageKind::PreReview => {
                self.all_live(stage, |id| self.applications.get(id).is_some_and(|a| a.review.is_some()))?;
            }
            StageKind::Experts => {
                self.all_live(stage, |id| {
                    self.panels.values().any(|p| p.stage == stage.id && p.applications.contains(id))
                })?;
            }
            StageKind::Scoring => {
                let computed = self.sheets.get(&stage.id).is_some_and(|s| s.computed.is_some());
                ensure!(computed, "gate.scores", basis, stage = &stage.id);
            }
            StageKind::Shortlist => {
                ensure!(self.shortlists.contains_key(&stage.id), "gate.shortlist", basis, stage = &stage.id);
            }
            StageKind::Committee => {
                ensure!(self.selections.contains_key(&stage.id), "gate.selection", basis, stage = &stage.id);
                let minutes = self.sessions.values().filter(|s| s.stage == stage.id).all(|s| s.minutes.is_some());
                ensure!(minutes, "gate.minutes", basis, stage = &stage.id);
            }
            StageKind::Notice => {
                let Some((_, notice)) = self.notices.iter().find(|(_, n)| n.body.stage == stage.id) else {
                    refuse!("gate.notice", basis)
                };
                let over = self.notice_over(notice).is_some_and(|over| time >= over);
                ensure!(over, "gate.notice_running", basis, until = notice.body.until);
                let open = self.open_objections();
                ensure!(open.is_empty(), "gate.objections", basis, objections = open.join(", "));
            }
            StageKind::Approval => ensure!(self.decision.is_some(), "gate.decision", basis),
            StageKind::Conferral => {
                let approved = self.decision.as_ref().map(|(d, _)| d.approved.as_slice()).unwrap_or_default();
                let missing: Vec<&str> = approved
                    .iter()
                    .filter(|a| self.field.contains(&a.application))
                    .filter(|a| !self.honours.iter().any(|(h, _, _)| h.application == a.application))
                    .map(|a| a.application.as_str())
                    .collect();
                ensure!(missing.is_empty(), "gate.honours", basis, applications = missing.join(", "));
                let due = !self.disclosable().is_empty() && self.opened_scores.is_empty();
                ensure!(!due, "gate.openings", &self.rules().disclosure.scores.basis);
            }
        }
        Ok(())
    }

    fn all_live(&self, stage: &Stage, done: impl Fn(&str) -> bool) -> Verdict {
        let missing: Vec<&str> = self.field.iter().map(String::as_str).filter(|id| !done(id)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Refusal::new("gate.applications", &*stage.basis)
            .with("stage", &stage.id)
            .with("count", missing.len())
            .with("applications", missing.join(", ")))
    }

    pub(super) fn apply_stage_closed(&mut self, record: &Record, stage: &str) {
        if let Some(state) = self.stages.get_mut(stage) {
            state.closed = Some(record.time);
        }
        // A closed gate narrows the field: those not recommended, or refused by the pre-review, are out.
        match self.rules().stage(stage).map(|s| s.kind) {
            Some(StageKind::Recommendation) => {
                let supported = |id: &String| {
                    self.applications.get(id).is_some_and(|a| a.recommendations.iter().any(|r| r.body.support))
                };
                self.field = self.field.iter().filter(|id| supported(id)).cloned().collect();
            }
            Some(StageKind::PreReview) => {
                let passed = |id: &String| {
                    self.applications.get(id).is_some_and(|a| a.review.as_ref().is_some_and(|review| review.passed))
                };
                self.field = self.field.iter().filter(|id| passed(id)).cloned().collect();
            }
            _ => {}
        }
    }
}
