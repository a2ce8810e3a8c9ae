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
        let free = |expert: &&String| !self.is_recused(expert, application) && !self.lacks_pledge(stage, expert);
        panel.members.iter().filter(free).map(String::as_str).collect()
    }

    /// Items on which something was found, by members who are not recused.
    pub fn found_items(&self, stage: &str, application: &str) -> BTreeSet<&str> {
        let entries = self.visit(stage, application).into_iter().flat_map(|visit| &visit.log);
        entries.filter(|entry| !self.is_recused(&entry.by, application)).map(|entry| entry.item.as_str()).collect()
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
        self.require_pledge(&stage.id, cx.actor())
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
            self.require_pledge(&stage.id, cx.actor())?;
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
        self.require_pledge(&stage.id, cx.actor())?;
        let logged = self.visit(&body.stage, &body.application).map_or(0, |visit| visit.log.len());
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
fn words_sealed(cx: &Context<'_>, paths: &[&str], basis: &str) -> Verdict {
    let exact = cx.record.hidden.keys().map(String::as_str).eq(paths.iter().copied());
    let worded = cx.values.values().all(|value| value.as_str().is_some_and(|text| !text.is_empty()));
    ensure!(exact && worded, "visit.words", basis);
    Ok(())
}
