//! Opinions of other departments (征求部门意见): one batch of questions, an answer for each application, and what silence means.

use jiff::civil::Date;

use super::admit::Context;
use super::events::{OpinionAnswer, OpinionReceived, OpinionsAsked, Role};
use super::state::{Edition, Opinions};
use crate::record::Record;
use crate::refusal::{Refusal, Verdict, ensure, refuse};
use crate::rules::StageKind;

/// Where the question to one department on one application stands. Silence is a state of its own: never "clear".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpinionState {
    /// No answer yet, and the last day has not passed.
    Waiting,
    /// The last day has passed, and the rules wait for the answer all the same.
    Overdue,
    /// The last day has passed, and the rules take silence for no objection.
    Silent,
    /// Nothing against the applicant.
    Clear,
    /// An objection.
    Objection,
}

impl Edition {
    /// Last day to answer for departments that are asked on `start`.
    ///
    /// # Errors
    /// If the rules ask nobody, or the calendar is missing or does not know a year of the period.
    pub fn opinions_end(&self, start: Date) -> Result<Date, Refusal> {
        let Some(rules) = &self.rules().opinions else { refuse!("opinions.none", "") };
        let Some(calendar) = &self.calendar else { refuse!("call.no_calendar", &rules.days.basis) };
        calendar
            .window_end(start, rules.days.value, rules.day_kind.value)
            .map_err(|error| Refusal::new("calendar.year", &*rules.day_kind.basis).with("year", error.0))
    }

    /// Where a department's answer on an application stands on a day; `None` where it was never asked.
    pub fn opinion_state(&self, department: &str, application: &str, today: Date) -> Option<OpinionState> {
        let rules = self.rules().opinions.as_ref()?;
        let asked = self.opinions.as_ref().filter(|asked| asked.applications.contains(application))?;
        self.rules().department(department)?;
        let key = (department.to_owned(), application.to_owned());
        Some(match asked.answers.get(&key).map(|(body, _)| body.answer) {
            Some(OpinionAnswer::Clear) => OpinionState::Clear,
            Some(OpinionAnswer::Objection) => OpinionState::Objection,
            None if today <= asked.until => OpinionState::Waiting,
            None if rules.silence_clears.value => OpinionState::Silent,
            None => OpinionState::Overdue,
        })
    }

    /// Departments whose answer on an application stands so, in the order of the rules.
    pub fn departments_at(&self, application: &str, state: OpinionState, today: Date) -> Vec<&str> {
        let rules = self.rules().opinions.iter().flat_map(|rules| &rules.departments);
        let ids = rules.map(|department| department.id.as_str());
        ids.filter(|id| self.opinion_state(id, application, today) == Some(state)).collect()
    }

    /// Nothing is decided while a department's answer is still waited for (award-rules.md R17).
    ///
    /// # Errors
    /// The refusal that names the departments.
    pub fn opinions_complete(&self, application: &str, today: Date) -> Verdict {
        let Some(rules) = &self.rules().opinions else { return Ok(()) };
        let Some(asked) = &self.opinions else { refuse!("opinions.not_asked", &rules.days.basis) };
        let listed = asked.applications.contains(application);
        ensure!(listed, "opinion.application", &rules.days.basis, application = application);
        let mut open = self.departments_at(application, OpinionState::Waiting, today);
        open.extend(self.departments_at(application, OpinionState::Overdue, today));
        ensure!(
            open.is_empty(),
            "pre_review.open_opinions",
            &rules.silence_clears.basis,
            departments = open.join(", "),
            until = asked.until
        );
        Ok(())
    }

    pub(super) fn admit_opinions_asked(&self, cx: &Context<'_>, body: &OpinionsAsked) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        let stage = self.current_stage(StageKind::PreReview)?;
        let Some(rules) = &self.rules().opinions else { refuse!("opinions.none", &stage.basis) };
        ensure!(self.opinions.is_none(), "opinions.twice", &rules.days.basis);
        let whole = body.applications.iter().eq(self.field.iter());
        ensure!(
            whole,
            "opinions.field",
            &rules.days.basis,
            found = body.applications.len(),
            expected = self.field.len()
        );
        let departments = body.departments.iter().eq(rules.departments.iter().map(|department| &department.id));
        ensure!(departments, "opinions.departments", &rules.days.basis);
        let until = self.opinions_end(self.day(cx.record.time))?;
        ensure!(until == body.until, "opinions.until", &rules.days.basis, computed = until, stated = body.until);
        Ok(())
    }

    pub(super) fn apply_opinions_asked(&mut self, record: &Record, body: OpinionsAsked) {
        self.opinions = Some(Opinions {
            applications: body.applications.into_iter().collect(),
            until: body.until,
            asked: record.time,
            seq: record.seq,
            answers: std::collections::BTreeMap::new(),
        });
    }

    pub(super) fn admit_opinion(&self, cx: &Context<'_>, body: &OpinionReceived) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        let stage = self.current_stage(StageKind::PreReview)?;
        self.live(&body.application)?;
        let department = self.rules().department(&body.department);
        let basis = department.map_or(stage.basis.as_str(), |department| department.basis.as_str());
        let Some(asked) = &self.opinions else { refuse!("opinions.not_asked", basis) };
        ensure!(department.is_some(), "opinion.department", basis, department = &body.department);
        let listed = asked.applications.contains(&body.application);
        ensure!(listed, "opinion.application", basis, application = &body.application);
        let decided = self.applications.get(&body.application).is_some_and(|a| a.review.is_some());
        ensure!(!decided, "pre_review.decided", &stage.basis, application = &body.application);
        let given = asked.answers.contains_key(&(body.department.clone(), body.application.clone()));
        let reason = body.corrects.as_deref().unwrap_or_default();
        ensure!(
            !given || !reason.is_empty(),
            "opinion.twice",
            basis,
            department = &body.department,
            application = &body.application
        );
        ensure!(given || body.corrects.is_none(), "opinion.corrects_nothing", basis, department = &body.department);
        ensure!(!body.letter.is_empty() && !body.evidence.is_empty(), "opinion.evidence", basis);
        // What a department holds against a firm is kept in words, sealed; a clear answer says nothing more.
        let objects = body.answer == OpinionAnswer::Objection;
        let worded = cx.record.hidden.contains_key("/reason")
            && cx.values.get("/reason").is_none_or(|text| text.as_str().is_some_and(|text| !text.is_empty()));
        ensure!(!objects || worded, "opinion.reason", basis, application = &body.application);
        ensure!(objects || (body.events.is_empty() && cx.record.hidden.is_empty()), "opinion.clear", basis);
        ensure!(
            cx.record.hidden.keys().all(|path| path == "/reason"),
            "opinion.reason",
            basis,
            application = &body.application
        );
        Ok(())
    }

    pub(super) fn apply_opinion(&mut self, record: &Record, body: OpinionReceived) {
        if let Some(asked) = &mut self.opinions {
            let key = (body.department.clone(), body.application.clone());
            asked.answers.insert(key, (body, record.seq));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use heng_log::Hash;
    use serde_json::{Value, json};

    use super::*;
    use crate::edition::testing::{act, act_hiding, close, edition, open};
    use crate::rules::read_calendar;

    /// The pre-review is open, and conditions do not matter: only the departments do.
    fn pre_review() -> Edition {
        let mut e = edition();
        e.opened.rules.conditions.clear();
        e.calendar = Some(read_calendar("k", include_str!("../../../../data/calendars/cn.toml")).unwrap());
        open(&mut e, "pre_review");
        e
    }

    fn question(e: &Edition) -> Value {
        let departments: Vec<&str> =
            e.rules().opinions.iter().flat_map(|o| &o.departments).map(|d| d.id.as_str()).collect();
        json!({ "applications": e.field, "departments": departments, "until": e.opinions_end(e.day(e.last)).unwrap() })
    }

    fn asked() -> Edition {
        let mut e = pre_review();
        let body = question(&e);
        act(&mut e, "p:1", "opinions.asked", body, &[]).unwrap();
        e
    }

    fn answer(department: &str, application: &str, answer: &str) -> Value {
        json!({
            "answer": answer, "application": application, "department": department, "evidence": [Hash([3; 32])],
            "letter": "18",
        })
    }

    fn receive(e: &mut Edition, body: Value) -> Result<(), &'static str> {
        let reason = if body["answer"] == "objection" { vec![("/reason", json!("a penalty"))] } else { Vec::new() };
        act_hiding(e, "p:1", "opinion.received", body, &[], &reason)
    }

    /// Every department but `silent` has nothing against the application.
    fn all_clear(e: &mut Edition, application: &str, silent: &[&str]) {
        let ids: Vec<String> = e.rules().opinions.iter().flat_map(|o| &o.departments).map(|d| d.id.clone()).collect();
        for id in ids.iter().filter(|id| !silent.contains(&id.as_str())) {
            receive(e, answer(id, application, "clear")).unwrap();
        }
    }

    fn decide(e: &mut Edition, failing: &[&str], silent: &[&str]) -> Result<(), &'static str> {
        let mut body = json!({ "application": "a:1", "failing": failing, "passed": failing.is_empty() });
        if !silent.is_empty() {
            body["silent"] = json!(silent);
        }
        act(e, "p:1", "pre_review.decided", body, &["p:1"])
    }

    fn pass_days(e: &mut Edition, days: i64) {
        e.last = e.last.plus_days(days).unwrap();
    }

    #[test]
    fn all_departments_are_asked_on_the_whole_field_in_one_go() {
        let refuse = |change: fn(&mut Edition, &mut Value) -> &'static str| {
            let mut e = pre_review();
            let mut body = question(&e);
            let actor = change(&mut e, &mut body);
            act(&mut e, actor, "opinions.asked", body, &[]).unwrap_err()
        };
        assert_eq!(refuse(|_, _| "p:3"), "role.missing");
        assert_eq!(refuse(|e, _| (close(e, "pre_review"), "p:1").1), "stage.none_open");
        assert_eq!(refuse(|e, _| (e.opened.rules.opinions = None, "p:1").1), "opinions.none");
        assert_eq!(refuse(|_, body| (body["applications"] = json!(["a:1"]), "p:1").1), "opinions.field");
        assert_eq!(refuse(|_, body| (body["departments"] = json!(["tax"]), "p:1").1), "opinions.departments");
        assert_eq!(refuse(|_, body| (body["until"] = json!("2026-12-31"), "p:1").1), "opinions.until");
        let mut e = asked();
        let again = question(&e);
        assert_eq!(act(&mut e, "p:1", "opinions.asked", again, &[]), Err("opinions.twice"));
    }

    #[test]
    fn an_answer_is_of_the_batch_with_its_letter_and_comes_once() {
        let mut e = pre_review();
        assert_eq!(receive(&mut e, answer("tax", "a:1", "clear")), Err("opinions.not_asked"));
        let mut e = asked();
        let with = |key: &str, value: Value| {
            let mut body = answer("tax", "a:1", "clear");
            body[key] = value;
            body
        };
        assert_eq!(receive(&mut e, answer("police", "a:1", "clear")), Err("opinion.department"));
        assert_eq!(receive(&mut e, answer("tax", "a:9", "clear")), Err("application.unknown"));
        assert_eq!(receive(&mut e, with("letter", json!(""))), Err("opinion.evidence"));
        assert_eq!(receive(&mut e, with("evidence", json!([]))), Err("opinion.evidence"));
        assert_eq!(receive(&mut e, with("events", json!(["2025-03-04"]))), Err("opinion.clear"));
        assert_eq!(receive(&mut e, with("corrects", json!("a slip"))), Err("opinion.corrects_nothing"));
        let objection = answer("tax", "a:1", "objection");
        assert_eq!(act(&mut e, "p:1", "opinion.received", objection.clone(), &[]), Err("opinion.reason"));
        let empty = [("/reason", json!(""))];
        assert_eq!(act_hiding(&mut e, "p:1", "opinion.received", objection, &[], &empty), Err("opinion.reason"));
        let more = [("/reason", json!("a penalty")), ("/more", json!("nobody can read this"))];
        let objection = answer("tax", "a:1", "objection");
        assert_eq!(act_hiding(&mut e, "p:1", "opinion.received", objection, &[], &more), Err("opinion.reason"));
        receive(&mut e, answer("tax", "a:1", "clear")).unwrap();
        assert_eq!(receive(&mut e, answer("tax", "a:1", "objection")), Err("opinion.twice"));
        let mut corrected = answer("tax", "a:1", "objection");
        corrected["corrects"] = json!("the letter spoke of another firm");
        receive(&mut e, corrected).unwrap();
        assert_eq!(e.opinion_state("tax", "a:1", e.day(e.last)), Some(OpinionState::Objection));
        // A firm that came into the field without having been on the list is not slipped in.
        e.opinions.as_mut().unwrap().applications.remove("a:2");
        assert_eq!(receive(&mut e, answer("tax", "a:2", "clear")), Err("opinion.application"));
        e.opinions.as_mut().unwrap().applications.remove("a:1");
        assert_eq!(decide(&mut e, &[], &[]), Err("opinion.application"), "nor decided upon without having been asked");
    }

    #[test]
    fn nothing_is_decided_while_an_answer_is_waited_for() {
        let mut e = pre_review();
        assert_eq!(decide(&mut e, &[], &[]), Err("opinions.not_asked"));
        let mut e = asked();
        all_clear(&mut e, "a:1", &["court"]);
        assert_eq!(decide(&mut e, &[], &[]), Err("pre_review.open_opinions"));
        pass_days(&mut e, 30);
        assert_eq!(e.opinion_state("court", "a:1", e.day(e.last)), Some(OpinionState::Overdue));
        assert_eq!(decide(&mut e, &[], &[]), Err("pre_review.open_opinions"), "time alone clears nobody");
        receive(&mut e, answer("court", "a:1", "clear")).unwrap();
        decide(&mut e, &[], &[]).unwrap();
        let mut late = answer("court", "a:1", "objection");
        late["corrects"] = json!("too late");
        assert_eq!(receive(&mut e, late), Err("pre_review.decided"));
    }

    #[test]
    fn silence_is_listed_and_only_the_rules_make_it_consent() {
        let mut e = asked();
        e.opened.rules.opinions.as_mut().unwrap().silence_clears.value = true;
        all_clear(&mut e, "a:1", &["court"]);
        let until = e.opinions.as_ref().unwrap().until;
        while e.day(e.last) < until {
            pass_days(&mut e, 1);
        }
        assert_eq!(decide(&mut e, &[], &["court"]), Err("pre_review.open_opinions"), "the last day is not over");
        pass_days(&mut e, 1);
        assert_eq!(e.opinion_state("court", "a:1", e.day(e.last)), Some(OpinionState::Silent));
        assert_eq!(decide(&mut e, &[], &[]), Err("pre_review.silent"), "silence is never left out");
        decide(&mut e, &[], &["court"]).unwrap();
    }

    #[test]
    fn an_objection_stops_the_application_as_the_rules_say() {
        let mut e = asked();
        all_clear(&mut e, "a:1", &["tax"]);
        receive(&mut e, answer("tax", "a:1", "objection")).unwrap();
        assert_eq!(decide(&mut e.clone(), &[], &[]), Err("pre_review.result"));
        decide(&mut e.clone(), &["tax"], &[]).unwrap();
        e.opened.rules.opinions.as_mut().unwrap().objection_stops.value = false;
        assert_eq!(decide(&mut e.clone(), &["tax"], &[]), Err("pre_review.result"));
        decide(&mut e, &[], &[]).unwrap();
    }
}
