//! Pre-review (初审): each condition from its facts, then the decision on the application.

use std::sync::Arc;

use jiff::civil::{Date, date};

use super::admit::Context;
use super::events::{ConditionChecked, PreReviewDecided, Role};
use super::opinions::OpinionState;
use super::state::Edition;
use crate::eligibility::{Standing, decide};
use crate::refusal::{Verdict, ensure, refuse};
use crate::rules::{Anchor, StageKind};

impl Edition {
    /// The day up to which look-back conditions are judged.
    pub fn anchor_day(&self) -> Option<Date> {
        match self.rules().application.anchor.value {
            Anchor::ApplicationDeadline => {
                // The window ends before `closes`: its last day is the day of the millisecond before.
                self.call.as_ref().and_then(|call| call.closes.plus_millis(-1)).map(|last| self.day(last))
            }
            Anchor::EndOfPreviousYear => {
                i16::try_from(self.opened.year).ok().and_then(|year| year.checked_sub(1)).map(|year| date(year, 12, 31))
            }
        }
    }

    pub(super) fn admit_condition(&self, cx: &Context<'_>, body: &ConditionChecked) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        let stage = self.current_stage(StageKind::PreReview)?;
        self.live(&body.application)?;
        let Some(condition) = self.rules().condition(&body.condition) else {
            refuse!("condition.unknown", &stage.basis, condition = &body.condition)
        };
        let Some(application) = self.applications.get(&body.application) else {
            refuse!("application.unknown", &stage.basis, application = &body.application)
        };
        ensure!(application.review.is_none(), "pre_review.decided", &stage.basis, application = &body.application);
        let organisation = self.organisations.get(&application.body.organisation);
        let empty = Standing::default();
        let standing = organisation.map_or(&empty, |o| &o.standing);
        let groups = organisation.map(|o| o.groups.iter().cloned().collect()).unwrap_or_default();
        let Some(anchor) = self.anchor_day() else { refuse!("call.missing", &stage.basis) };
        match decide(condition, &body.facts, standing, &groups, anchor) {
            Err(missing) => refuse!("condition.fact", &condition.basis, condition = &condition.id, fact = missing.0),
            Ok(met) => ensure!(
                met == body.met,
                "condition.result",
                &condition.basis,
                condition = &condition.id,
                computed = met
            ),
        }
        let from_register =
            matches!(condition.kind, crate::rules::ConditionKind::NoBan | crate::rules::ConditionKind::CoolDown);
        ensure!(
            from_register || !body.evidence.is_empty(),
            "condition.evidence",
            &condition.basis,
            condition = &condition.id
        );
        Ok(())
    }

    pub(super) fn apply_condition(&mut self, body: ConditionChecked) {
        if let Some(application) = self.applications.get_mut(&body.application).map(Arc::make_mut) {
            application.checks.insert(body.condition.clone(), body);
        }
    }

    pub(super) fn admit_pre_review(&self, cx: &Context<'_>, body: &PreReviewDecided) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        self.require_signature(cx, cx.actor())?;
        let stage = self.current_stage(StageKind::PreReview)?;
        self.live(&body.application)?;
        let Some(application) = self.applications.get(&body.application) else {
            refuse!("application.unknown", &stage.basis, application = &body.application)
        };
        ensure!(application.review.is_none(), "pre_review.decided", &stage.basis, application = &body.application);
        let open: Vec<&str> = self
            .rules()
            .conditions
            .iter()
            .filter(|condition| !application.checks.contains_key(&condition.id))
            .map(|condition| condition.id.as_str())
            .collect();
        ensure!(open.is_empty(), "pre_review.open_conditions", &stage.basis, conditions = open.join(", "));
        let today = self.day(cx.record.time);
        self.opinions_complete(&body.application, today)?;
        let decided = self.pre_review_outcome(&body.application, today);
        let right = decided.failing == body.failing && decided.passed == body.passed;
        ensure!(right, "pre_review.result", &stage.basis, failing = decided.failing.join(", "));
        let silent = decided.silent == body.silent;
        ensure!(silent, "pre_review.silent", &stage.basis, silent = decided.silent.join(", "));
        Ok(())
    }

    /// What the pre-review of an application comes to on a day, from what is checked and answered.
    pub fn pre_review_outcome(&self, application: &str, today: Date) -> PreReviewDecided {
        let checks = self.applications.get(application).map(|a| &a.checks);
        let unmet = |id: &str| checks.and_then(|checks| checks.get(id)).is_some_and(|check| !check.met);
        let conditions = self.rules().conditions.iter().map(|condition| condition.id.as_str());
        let unmet = conditions.filter(|id| unmet(id));
        let stops = self.rules().opinions.as_ref().is_some_and(|rules| rules.objection_stops.value);
        let objecting = self.departments_at(application, OpinionState::Objection, today);
        let failing: Vec<String> = unmet.chain(objecting.into_iter().filter(|_| stops)).map(str::to_owned).collect();
        let silent = self.departments_at(application, OpinionState::Silent, today);
        PreReviewDecided {
            application: application.to_owned(),
            passed: failing.is_empty(),
            failing,
            silent: silent.into_iter().map(str::to_owned).collect(),
        }
    }

    pub(super) fn apply_pre_review(&mut self, body: PreReviewDecided) {
        if let Some(application) = self.applications.get_mut(&body.application).map(Arc::make_mut) {
            application.review = Some(body);
        }
    }
}
