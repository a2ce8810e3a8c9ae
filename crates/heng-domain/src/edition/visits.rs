//! Site visits (现场评审): plan, issues from the document review, what is found there, and the leader's report.
//!
//! A mark of the adjusted sheet changes only where something was found and noted with its source (award-rules.md R37).

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::admit::Context;
use super::events::{Role, VisitIssueRaised, VisitLogged, VisitPlanned, VisitReported};
use super::state::{Edition, Issue, LogEntry, Panel, Visit};
use crate::record::Record;
use crate::refusal::{Refusal, Verdict, ensure, refuse};
use crate::rules::Stage;

impl Edition {
    /// Whether the applicants of a stage are visited, and what is found is noted, by its rules.
    pub fn is_visited(&self, stage: &Stage) -> bool {
        stage.scoring.as_ref().and_then(|rules| rules.visit.as_ref()).is_some_and(|rule| rule.value)
    }

    /// The visit of an application in a stage, as far as it has come.
    pub fn visit(&self, stage: &str, application: &str) -> Option<&Visit> {
        self.visits.get(&(stage.to_owned(), application.to_owned()))
    }

    /// Days on which a visit may be planned on `today`: from the stage's first day to its last. A stage that is late has
    /// today left, so that nobody is kept from a visit by a plan that was not kept.
    pub fn visit_window(&self, stage: &Stage, today: Date) -> Option<(Date, Date)> {
        let opened = self.stages.get(&stage.id)?.opened?;
        Some((self.day(opened), self.due(stage)?.max(today)))
    }

    /// Members of the panel who can go: pledged, and not recused from the case.
    pub fn visitors<'a>(&self, stage: &str, panel: &'a Panel, application: &str) -> Vec<&'a str> {
        let free =
            |expert: &&String| !self.is_recused(expert, application) && !self.lacks_pledge(stage, expert, application);
        panel.members.iter().filter(free).map(String::as_str).collect()
    }

    /// Items on which something was found, by members who are not recused.
    pub fn found_items<'a>(&'a self, stage: &str, application: &'a str) -> BTreeSet<&'a str> {
        self.findings(stage, application).map(|entry| entry.item.as_str()).collect()
    }

    /// The findings of a visit that count: not those of somebody who was recused from the case afterwards.
    pub fn findings<'a>(&'a self, stage: &str, application: &'a str) -> impl Iterator<Item = &'a LogEntry> {
        let entries = self.visit(stage, application).into_iter().flat_map(|visit| &visit.log);
        entries.filter(move |entry| !self.is_recused(&entry.by, application))
    }

    /// The stage is visited, the application is in the field, its panel is the one that is named, and the visit still runs.
    fn visited_case(&self, stage: &str, application: &str, panel: &str) -> Result<(&Stage, &Panel), Refusal> {
        let (stage, _) = self.scoring_stage(stage)?;
        ensure!(self.is_visited(stage), "visit.none", &stage.basis, stage = &stage.id);
        self.live(application)?;
        let found = self.panel_of(&stage.id, application).filter(|(id, _)| *id == panel);
        let Some((_, panel)) = found else { refuse!("score.no_panel", &stage.basis, application = application) };
        self.not_computed(stage)?;
        let reported = self.visit(&stage.id, application).is_some_and(|visit| visit.report.is_some());
        ensure!(!reported, "visit.reported", &stage.basis, application = application);
        Ok((stage, panel))
    }

    /// The actor signs as a member of the panel who may judge the case.
    fn require_visitor(&self, cx: &Context<'_>, stage: &Stage, panel: &Panel, application: &str) -> Verdict {
        let member = panel.members.contains(cx.actor());
        ensure!(member, "score.not_member", &stage.basis, expert = cx.actor(), application = application);
        let recused = self.is_recused(cx.actor(), application);
        ensure!(!recused, "score.recused", &stage.basis, expert = cx.actor(), application = application);
        self.require_signature(cx, cx.actor())?;
        self.require_pledge(&stage.id, cx.actor(), application)
    }

    fn require_item(&self, item: &str) -> Verdict {
        let known = self.tree()?.item(item).is_some();
        ensure!(known, "visit.item", &self.rules().criteria.basis, item = item);
        Ok(())
    }

    pub(super) fn admit_visit_planned(&self, cx: &Context<'_>, body: &VisitPlanned) -> Verdict {
        let (stage, panel) = self.visited_case(&body.stage, &body.application, &body.panel)?;
        let leader = self.consensus_signer(panel, &body.application);
        if leader == Some(cx.actor()) {
            self.require_pledge(&stage.id, cx.actor(), &body.application)?;
        } else {
            self.require_role(cx, Role::Officer)?;
        }
        self.require_signature(cx, cx.actor())?;
        let whole = [&body.place, &body.agenda].iter().all(|text| !text.is_empty()) && !body.interviewees.is_empty();
        ensure!(whole, "visit.plan", &stage.basis, application = &body.application);
        let free = self.visitors(&stage.id, panel, &body.application);
        let fits = body.team.iter().all(|expert| free.contains(&expert.as_str()))
            && body.team.is_sorted_by(|a, b| a < b)
            && leader.is_some_and(|leader| body.team.iter().any(|expert| expert == leader));
        ensure!(fits, "visit.team", &stage.basis, leader = leader.unwrap_or("—"));
        let Some((first, last)) = self.visit_window(stage, self.day(cx.record.time)) else {
            refuse!("stage.not_open", &stage.basis, stage = &stage.id)
        };
        let inside = first <= body.first_day && body.first_day <= body.last_day && body.last_day <= last;
        ensure!(inside, "visit.days", &stage.days.basis, first = first, last = last);
        let planned = self.visit(&body.stage, &body.application).is_some_and(|visit| visit.plan.is_some());
        let reason = body.changes.as_deref().unwrap_or_default();
        ensure!(planned != reason.is_empty(), "visit.changes", &stage.basis, application = &body.application);
        Ok(())
    }

    pub(super) fn apply_visit_planned(&mut self, record: &Record, body: VisitPlanned) {
        let visit = self.visit_mut(&body.stage, &body.application);
        visit.plan = Some((body, record.seq));
    }

    pub(super) fn admit_issue(&self, cx: &Context<'_>, body: &VisitIssueRaised) -> Verdict {
        let (stage, panel) = self.visited_case(&body.stage, &body.application, &body.panel)?;
        self.require_visitor(cx, stage, panel, &body.application)?;
        self.require_item(&body.item)?;
        words_sealed(cx, &["/question"], &stage.basis)
    }

    pub(super) fn apply_issue(&mut self, record: &Record, body: VisitIssueRaised) {
        let issue = Issue { by: record.actor.clone(), item: body.item, seq: record.seq };
        self.visit_mut(&body.stage, &body.application).issues.push(issue);
    }

    pub(super) fn admit_logged(&self, cx: &Context<'_>, body: &VisitLogged) -> Verdict {
        let (stage, panel) = self.visited_case(&body.stage, &body.application, &body.panel)?;
        self.require_visitor(cx, stage, panel, &body.application)?;
        let Some(visit) = self.visit(&body.stage, &body.application) else {
            refuse!("visit.not_planned", &stage.basis, application = &body.application)
        };
        let Some((plan, _)) = &visit.plan else {
            refuse!("visit.not_planned", &stage.basis, application = &body.application)
        };
        let goes = plan.team.iter().any(|expert| expert == cx.actor());
        ensure!(goes, "visit.not_in_team", &stage.basis, expert = cx.actor());
        let begun = plan.first_day <= self.day(cx.record.time);
        ensure!(begun, "visit.early", &stage.basis, first = plan.first_day);
        self.require_item(&body.item)?;
        if let Some(seq) = body.issue {
            let raised = visit.issues.iter().any(|issue| issue.seq == seq && issue.item == body.item);
            ensure!(raised, "visit.issue", &stage.basis, record = seq, item = &body.item);
        }
        words_sealed(cx, &["/finding", "/reference"], &stage.basis)
    }

    pub(super) fn apply_logged(&mut self, record: &Record, body: VisitLogged) {
        let entry =
            LogEntry { by: record.actor.clone(), how: body.how, issue: body.issue, item: body.item, seq: record.seq };
        self.visit_mut(&body.stage, &body.application).log.push(entry);
    }

    pub(super) fn admit_visit_reported(&self, cx: &Context<'_>, body: &VisitReported) -> Verdict {
        let (stage, panel) = self.visited_case(&body.stage, &body.application, &body.panel)?;
        let leader = self.consensus_signer(panel, &body.application);
        ensure!(leader == Some(cx.actor()), "consensus.leader", &stage.basis, leader = leader.unwrap_or("—"));
        self.require_signature(cx, cx.actor())?;
        self.require_pledge(&stage.id, cx.actor(), &body.application)?;
        let logged = self.findings(&body.stage, &body.application).count();
        ensure!(logged > 0, "visit.empty", &stage.basis, application = &body.application);
        let counted = u64::try_from(logged).is_ok_and(|logged| logged == body.findings);
        ensure!(counted, "visit.findings", &stage.basis, found = body.findings, expected = logged);
        words_sealed(cx, &["/conclusion"], &stage.basis)
    }

    pub(super) fn apply_visit_reported(&mut self, record: &Record, body: &VisitReported) {
        self.visit_mut(&body.stage, &body.application).report = Some((record.seq, record.time));
    }

    fn visit_mut(&mut self, stage: &str, application: &str) -> &mut Visit {
        self.visits.entry((stage.to_owned(), application.to_owned())).or_default()
    }
}

/// The words of the panel are sealed like its other remarks: exactly these paths, none of them empty.
pub(super) fn words_sealed(cx: &Context<'_>, paths: &[&str], basis: &str) -> Verdict {
    let exact = cx.record.hidden.keys().map(String::as_str).eq(paths.iter().copied());
    let worded = cx.values.values().all(|value| value.as_str().is_some_and(|text| !text.is_empty()));
    ensure!(exact && worded, "visit.words", basis);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::edition::item_path;
    use crate::edition::testing::{act, act_hiding, edition, open, pledge_all};
    use crate::rules::{Aggregate, ScoringMethod, Sourced};

    const SITE: &str = "site";

    /// The document review of `a:1` is agreed, the site visit is open, and its rules ask for findings.
    fn on_site() -> Edition {
        let mut e = edition();
        pledge_all(&mut e);
        let site = e.opened.rules.stages.iter_mut().find(|stage| stage.id == SITE).unwrap();
        let scoring = site.scoring.as_mut().unwrap();
        scoring.method.value = ScoringMethod::Adjust;
        scoring.aggregate.as_mut().unwrap().value = Aggregate::Consensus;
        scoring.from = Some("documents".to_owned());
        scoring.visit = Some(Sourced { value: true, basis: "§1".to_owned(), assumed: false });
        open(&mut e, SITE);
        let size = e.size;
        let agreed = json!({ "application": "a:1", "discussed": [], "panel": "g:1", "stage": "documents" });
        let documents = e.opened.rules.stages.iter_mut().find(|stage| stage.id == "documents").unwrap();
        let scoring = documents.scoring.as_mut().unwrap();
        (scoring.method.value, scoring.aggregate.as_mut().unwrap().value) =
            (ScoringMethod::Items, Aggregate::Consensus);
        for expert in ["x:01", "x:02", "x:03", "x:04", "x:05"] {
            let sheets = e.sheets.entry("documents".to_owned()).or_default();
            sheets.submitted.entry("a:1".to_owned()).or_default().insert(expert.to_owned(), size);
        }
        let marks = marks(&e, None);
        act_hiding(&mut e, "x:01", "consensus.agreed", agreed, &["x:01"], &borrowed(&marks)).unwrap();
        e
    }

    /// All items at 60 %, but for `changed`.
    fn marks(e: &Edition, changed: Option<&str>) -> Vec<(String, Value)> {
        let items = e.criteria.as_ref().unwrap().items();
        items
            .map(|item| (item_path(&item.id), json!(if Some(item.id.as_str()) == changed { 70 } else { 60 })))
            .collect()
    }

    fn borrowed(values: &[(String, Value)]) -> Vec<(&str, Value)> {
        values.iter().map(|(path, value)| (path.as_str(), value.clone())).collect()
    }

    fn plan(e: &Edition) -> Value {
        let day = e.day(e.last);
        json!({
            "agenda": "opening, records, interviews", "application": "a:1", "first_day": day, "interviewees": ["head of quality"],
            "last_day": day, "panel": "g:1", "place": "the plant", "stage": SITE, "team": ["x:01", "x:02"],
        })
    }

    fn of_visit(more: Value) -> Value {
        let mut body = json!({ "application": "a:1", "panel": "g:1", "stage": SITE });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    }

    fn planned() -> Edition {
        let mut e = on_site();
        let body = plan(&e);
        act(&mut e, "x:01", "visit.planned", body, &["x:01"]).unwrap();
        e
    }

    fn raise(e: &mut Edition, by: &str, item: &str) -> Result<(), &'static str> {
        let words = [("/question", json!("how are targets broken down?"))];
        act_hiding(e, by, "visit.issue_raised", of_visit(json!({ "item": item })), &[by], &words)
    }

    fn log(e: &mut Edition, by: &str, body: Value) -> Result<(), &'static str> {
        let words = [("/finding", json!("seen")), ("/reference", json!("file Q-07, page 3"))];
        act_hiding(e, by, "visit.logged", of_visit(body), &[by], &words)
    }

    fn note(e: &mut Edition, by: &str, item: &str) -> Result<(), &'static str> {
        log(e, by, json!({ "how": "document", "item": item }))
    }

    fn report(e: &mut Edition, by: &str, findings: u64) -> Result<(), &'static str> {
        let words = [("/conclusion", json!("as described"))];
        act_hiding(e, by, "visit.reported", of_visit(json!({ "findings": findings })), &[by], &words)
    }

    fn agree(e: &mut Edition, changed: Option<&str>) -> Result<(), &'static str> {
        let marks = marks(e, changed);
        act_hiding(e, "x:01", "consensus.agreed", of_visit(json!({ "discussed": [] })), &["x:01"], &borrowed(&marks))
    }

    #[test]
    fn a_mark_changes_only_on_what_was_found_at_a_reported_visit() {
        let mut e = planned();
        assert_eq!(agree(&mut e, None), Err("visit.not_reported"));
        note(&mut e, "x:02", "4.1.2").unwrap();
        assert_eq!(agree(&mut e, Some("4.1.2")), Err("visit.not_reported"));
        report(&mut e, "x:01", 1).unwrap();
        assert_eq!(agree(&mut e.clone(), Some("4.1.3")), Err("consensus.finding"));
        // What somebody with a conflict has noted is worth nothing.
        let mut conflict = e.clone();
        conflict.recusals.insert(("x:02".to_owned(), "a:1".to_owned()), "employer".to_owned());
        assert_eq!(agree(&mut conflict, Some("4.1.2")), Err("consensus.finding"));
        agree(&mut e.clone(), None).unwrap();
        agree(&mut e, Some("4.1.2")).unwrap();
    }

    #[test]
    fn a_plan_is_of_the_panel_and_within_the_stage() {
        let e = on_site();
        let refuse = |key: &str, value: Value| {
            let mut body = plan(&e);
            body[key] = value;
            act(&mut e.clone(), "x:01", "visit.planned", body, &["x:01"]).unwrap_err()
        };
        let day = |days: i64| json!(e.day(e.last.plus_days(days).unwrap()));
        assert_eq!(refuse("first_day", day(-1)), "visit.days");
        assert_eq!(refuse("last_day", day(400)), "visit.days");
        assert_eq!(refuse("last_day", day(-1)), "visit.days");
        assert_eq!(refuse("team", json!(["x:02"])), "visit.team");
        assert_eq!(refuse("team", json!(["x:02", "x:01"])), "visit.team");
        assert_eq!(refuse("team", json!(["x:01", "x:08"])), "visit.team");
        assert_eq!(refuse("place", json!("")), "visit.plan");
        assert_eq!(refuse("interviewees", json!([])), "visit.plan");
        assert_eq!(refuse("changes", json!("rain")), "visit.changes");
        assert_eq!(refuse("panel", json!("g:2")), "score.no_panel");
        assert_eq!(refuse("stage", json!("documents")), "visit.none");
        let mut other = e.clone();
        let body = plan(&e);
        assert_eq!(act(&mut other, "x:02", "visit.planned", body.clone(), &["x:02"]), Err("role.missing"));
        assert_eq!(act(&mut other, "x:01", "visit.planned", body.clone(), &[]), Err("signature.no_key"));
        other.recusals.insert(("x:02".to_owned(), "a:1".to_owned()), "employer".to_owned());
        assert_eq!(act(&mut other, "x:01", "visit.planned", body.clone(), &["x:01"]), Err("visit.team"));
        // The office may plan too, and whoever changes a plan says why.
        let mut office = e.clone();
        act(&mut office, "p:1", "visit.planned", body.clone(), &["p:1"]).unwrap();
        assert_eq!(act(&mut office, "x:01", "visit.planned", body.clone(), &["x:01"]), Err("visit.changes"));
        let mut changed = body;
        changed["changes"] = json!("a holiday of the plant");
        act(&mut office, "x:01", "visit.planned", changed, &["x:01"]).unwrap();
    }

    #[test]
    fn a_late_stage_has_today_left() {
        let mut e = on_site();
        e.last = e.last.plus_days(90).unwrap();
        let body = plan(&e);
        act(&mut e, "x:01", "visit.planned", body, &["x:01"]).unwrap();
    }

    #[test]
    fn findings_are_noted_by_the_team_from_the_first_day_to_the_report() {
        let mut e = on_site();
        assert_eq!(note(&mut e, "x:01", "4.1.2"), Err("visit.not_planned"));
        let mut later = plan(&e);
        let tomorrow = json!(e.day(e.last.plus_days(1).unwrap()));
        (later["first_day"], later["last_day"]) = (tomorrow.clone(), tomorrow);
        let mut early = e.clone();
        act(&mut early, "x:01", "visit.planned", later, &["x:01"]).unwrap();
        assert_eq!(note(&mut early, "x:01", "4.1.2"), Err("visit.early"));
        let mut e = planned();
        assert_eq!(note(&mut e, "x:03", "4.1.2"), Err("visit.not_in_team"));
        assert_eq!(note(&mut e, "x:08", "4.1.2"), Err("score.not_member"));
        assert_eq!(note(&mut e, "x:02", "9.9"), Err("visit.item"));
        let body = of_visit(json!({ "how": "document", "item": "4.1.2" }));
        let bare = [("/finding", json!("seen"))];
        assert_eq!(act_hiding(&mut e, "x:02", "visit.logged", body.clone(), &["x:02"], &bare), Err("visit.words"));
        let empty = [("/finding", json!("seen")), ("/reference", json!(""))];
        assert_eq!(act_hiding(&mut e, "x:02", "visit.logged", body, &["x:02"], &empty), Err("visit.words"));
        assert_eq!(report(&mut e, "x:01", 0), Err("visit.empty"));
        e.pledges.remove("x:02");
        assert_eq!(note(&mut e, "x:02", "4.1.2"), Err("score.no_pledge"));
        pledge_all(&mut e);
        note(&mut e, "x:02", "4.1.2").unwrap();
        assert_eq!(report(&mut e, "x:02", 1), Err("consensus.leader"));
        assert_eq!(report(&mut e, "x:01", 2), Err("visit.findings"));
        // A report does not rest on what somebody with a conflict has noted.
        let mut conflict = e.clone();
        conflict.recusals.insert(("x:02".to_owned(), "a:1".to_owned()), "employer".to_owned());
        assert_eq!(report(&mut conflict, "x:01", 1), Err("visit.empty"));
        report(&mut e, "x:01", 1).unwrap();
        assert_eq!(note(&mut e, "x:02", "4.1.2"), Err("visit.reported"));
        assert_eq!(report(&mut e, "x:01", 1), Err("visit.reported"));
    }

    #[test]
    fn an_answer_belongs_to_a_question_on_the_same_item() {
        let mut e = planned();
        let seq = e.size;
        assert_eq!(raise(&mut e, "x:08", "4.1.2"), Err("score.not_member"));
        raise(&mut e, "x:05", "4.1.2").unwrap();
        let answer = |item: &str, issue: u64| json!({ "how": "interview", "issue": issue, "item": item });
        assert_eq!(log(&mut e, "x:02", answer("4.1.3", seq)), Err("visit.issue"));
        assert_eq!(log(&mut e, "x:02", answer("4.1.2", seq + 1)), Err("visit.issue"));
        log(&mut e, "x:02", answer("4.1.2", seq)).unwrap();
    }

    #[test]
    fn only_the_panel_reads_what_it_asked_and_found() {
        let mut e = planned();
        note(&mut e, "x:02", "4.1.2").unwrap();
        let readers = |e: &Edition, may: fn(&Edition, &str) -> bool| -> Vec<&str> {
            ["p:1", "p:3", "p:10", "o:1", "x:02", "x:08"].into_iter().filter(|reader| may(e, reader)).collect()
        };
        let findings = |e: &Edition, reader: &str| e.may_see_findings(reader, SITE, "a:1");
        let conclusion = |e: &Edition, reader: &str| e.may_see_report(reader, SITE, "a:1");
        assert_eq!(readers(&e, findings), ["x:02"]);
        assert_eq!(readers(&e, conclusion), ["x:02"]);
        report(&mut e, "x:01", 1).unwrap();
        assert_eq!(readers(&e, findings), ["x:02"]);
        assert_eq!(readers(&e, conclusion), ["p:1", "x:02"]);
    }

    #[test]
    fn a_dissent_is_a_members_own_and_changes_nothing() {
        let mut e = on_site();
        e.stages.get_mut(SITE).unwrap().opened = None;
        let body = json!({ "application": "a:1", "items": ["4.1.2", "4.2.2"], "panel": "g:1", "stage": "documents" });
        let words = [("/reason", json!("the evidence does not bear it"))];
        let dissent = |e: &mut Edition, by: &str, change: &dyn Fn(&mut Value)| {
            let mut body = body.clone();
            change(&mut body);
            act_hiding(e, by, "consensus.dissented", body, &[by], &words)
        };
        let as_is = |_: &mut Value| {};
        assert_eq!(dissent(&mut e, "x:01", &as_is), Err("consensus.dissent"), "who signed it shares it");
        assert_eq!(dissent(&mut e, "x:08", &as_is), Err("consensus.dissent"), "not on the panel");
        assert_eq!(dissent(&mut e, "x:02", &|b| b["application"] = json!("a:2")), Err("consensus.dissent"));
        assert_eq!(dissent(&mut e, "x:02", &|b| b["items"] = json!([])), Err("consensus.dissent_items"));
        assert_eq!(
            dissent(&mut e, "x:02", &|b| b["items"] = json!(["4.2.2", "4.1.2"])),
            Err("consensus.dissent_items")
        );
        assert_eq!(dissent(&mut e, "x:02", &|b| b["items"] = json!(["9.9"])), Err("item.unknown"));
        let mut recused = e.clone();
        recused.recusals.insert(("x:02".into(), "a:1".into()), "employer".into());
        assert_eq!(dissent(&mut recused, "x:02", &as_is), Err("consensus.dissent"));
        let before = (e.sheets["documents"].agreed.clone(), e.stage_score("documents", "a:1"));
        dissent(&mut e, "x:02", &as_is).unwrap();
        assert_eq!(dissent(&mut e, "x:02", &as_is), Err("consensus.dissent"), "once");
        assert_eq!(before, (e.sheets["documents"].agreed.clone(), e.stage_score("documents", "a:1")));
        assert_eq!(e.sheets["documents"].dissents["a:1"]["x:02"].1, ["4.1.2", "4.2.2"]);
    }
}
