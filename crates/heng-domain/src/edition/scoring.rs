//! Scored stages: independent sheets, the agreed sheet, polls, and the computed scores.
//!
//! Marks are hidden values. On the server they are known and every rule is checked before the record is written;
//! in the verifier they are known once they are opened, and a rule that needs a sealed mark says so instead of guessing.

use std::collections::BTreeMap;

use super::admit::{Context, Values};
use super::events::{ConsensusAgreed, ConsensusDissented, PollCounted, Role, ScoreSubmitted, ScoresComputed};
use super::paths::{item_of_path, item_path, mark_path, score_path};
use super::state::{Edition, Panel};
use super::visits::words_sealed;
use crate::criteria::Criteria;
use crate::evaluation::{self, Candidate, Sheet, by_items};
use crate::record::Record;
use crate::refusal::{Refusal, Verdict, ensure, refuse};
use crate::rules::{Aggregate, ScoringMethod, ScoringRules, Stage, StageKind};

/// Hidden paths that a sheet may have besides its marks.
const SHEET_EXTRAS: [&str; 2] = ["/remarks", "/evidence"];

impl Edition {
    pub(super) fn scoring_stage(&self, id: &str) -> Result<(&Stage, &ScoringRules), Refusal> {
        let stage = self.open_stage(id, StageKind::Scoring)?;
        match &stage.scoring {
            Some(rules) => Ok((stage, rules)),
            None => Err(Refusal::new("stage.kind", &*stage.basis).with("stage", id)),
        }
    }

    pub(super) fn tree(&self) -> Result<&Criteria, Refusal> {
        self.criteria.as_ref().ok_or_else(|| Refusal::new("call.no_criteria", &*self.rules().criteria.basis))
    }

    /// Whether the scores of a stage are computed.
    pub fn is_computed(&self, stage: &str) -> bool {
        self.sheets.get(stage).is_some_and(|sheets| sheets.computed.is_some())
    }

    pub(super) fn not_computed(&self, stage: &Stage) -> Verdict {
        ensure!(!self.is_computed(&stage.id), "score.computed", &stage.basis, stage = &stage.id);
        Ok(())
    }

    /// The hidden fields are exactly the marks of the method; known marks are on their steps.
    fn check_marks(&self, cx: &Context<'_>, method: ScoringMethod) -> Verdict {
        let tree = self.tree()?;
        let basis = &self.rules().criteria.basis;
        let marks: Vec<&str> =
            cx.record.hidden.keys().map(String::as_str).filter(|path| !SHEET_EXTRAS.contains(path)).collect();
        if by_items(method) {
            let mut wanted: Vec<String> = tree.items().map(|item| item_path(&item.id)).collect();
            wanted.sort();
            ensure!(marks.iter().eq(wanted.iter()), "score.items", basis, found = marks.len(), expected = wanted.len());
        } else {
            ensure!(marks == ["/mark"], "score.mark", basis);
        }
        for (path, value) in cx.values {
            if SHEET_EXTRAS.contains(&path.as_str()) {
                continue;
            }
            let percent = value.as_u64().and_then(|v| u32::try_from(v).ok());
            let fits = percent.is_some_and(|p| if by_items(method) { tree.is_step(p) } else { p <= 100 });
            let item = item_of_path(path).unwrap_or(path);
            ensure!(fits, "score.step", basis, item = item, percent = value, step = tree.step);
        }
        Ok(())
    }

    pub(super) fn admit_score(&self, cx: &Context<'_>, body: &ScoreSubmitted) -> Verdict {
        let (stage, rules) = self.scoring_stage(&body.stage)?;
        let method = rules.method.value;
        ensure!(
            matches!(method, ScoringMethod::Items | ScoringMethod::Direct),
            "score.method",
            &rules.method.basis,
            stage = &stage.id
        );
        ensure!(cx.actor() == body.expert, "score.other", &stage.basis, expert = &body.expert);
        self.live(&body.application)?;
        let Some((panel, state)) = self.panel_of(&body.stage, &body.application) else {
            refuse!("score.no_panel", &stage.basis, application = &body.application)
        };
        ensure!(
            panel == body.panel && state.members.contains(&body.expert),
            "score.not_member",
            &stage.basis,
            expert = &body.expert,
            application = &body.application
        );
        ensure!(
            !self.is_recused(&body.expert, &body.application),
            "score.recused",
            &stage.basis,
            expert = &body.expert,
            application = &body.application
        );
        self.require_signature(cx, &body.expert)?;
        self.require_pledge(&body.stage, &body.expert, &body.application)?;
        if rules.order_drawn {
            let drawn = self.draws.values().any(|d| d.stage == body.stage && d.revealed.is_some());
            ensure!(drawn, "score.no_order", &stage.basis, stage = &stage.id);
        }
        self.not_computed(stage)?;
        let sheets = self.sheets.get(&body.stage);
        let given =
            sheets.and_then(|s| s.submitted.get(&body.application)).is_some_and(|by| by.contains_key(&body.expert));
        ensure!(!given, "score.twice", &stage.basis, application = &body.application);
        if let Some(before) = self.inherited_sheet(&body.stage, &body.application, &body.expert) {
            refuse!("score.inherited", &stage.basis, application = &body.application, expert = before);
        }
        let agreed = sheets.is_some_and(|s| s.agreed.contains_key(&body.application));
        ensure!(!agreed, "score.after_consensus", &stage.basis, application = &body.application);
        self.check_marks(cx, method)
    }

    pub(super) fn apply_score(&mut self, record: &Record, body: ScoreSubmitted) {
        let sheets = self.sheets.entry(body.stage).or_default();
        sheets.submitted.entry(body.application).or_default().insert(body.expert, record.seq);
    }

    /// Whose sheet of `application` counts for the place that `expert` has taken: one place, one sheet.
    ///
    /// Who fell ill after submitting has judged; the sheet of somebody who turned out to be recused is worth nothing.
    fn inherited_sheet(&self, stage: &str, application: &str, expert: &str) -> Option<&str> {
        let (_, panel) = self.panel_of(stage, application)?;
        let counting = self.counting_sheets(stage, application);
        panel.predecessors(expert).into_iter().find(|before| counting.contains_key(before))
    }

    /// Experts whose sheet of `application` is needed and missing; nobody once the scores are computed.
    pub fn missing_sheets(&self, stage: &str, application: &str) -> Vec<&str> {
        if self.is_computed(stage) {
            return Vec::new();
        }
        let submitted = self.sheets.get(stage).and_then(|s| s.submitted.get(application));
        let Some((_, panel)) = self.panel_of(stage, application) else {
            return Vec::new();
        };
        panel
            .members
            .iter()
            .filter(|expert| !self.is_recused(expert, application))
            .filter(|expert| !submitted.is_some_and(|by| by.contains_key(*expert)))
            .filter(|expert| self.inherited_sheet(stage, application, expert).is_none())
            .map(String::as_str)
            .collect()
    }

    /// Records of the sheets that count: submitted by members, also former ones, who are not recused.
    pub fn counting_sheets(&self, stage: &str, application: &str) -> BTreeMap<&str, u64> {
        self.sheets
            .get(stage)
            .and_then(|s| s.submitted.get(application))
            .into_iter()
            .flatten()
            .filter(|(expert, _)| !self.is_recused(expert, application))
            .map(|(expert, seq)| (expert.as_str(), *seq))
            .collect()
    }

    /// The sheet in record `seq`, if all its marks are known.
    pub fn sheet(&self, seq: u64) -> Option<Sheet> {
        let tree = self.criteria.as_ref()?;
        tree.items()
            .map(|item| {
                let percent = self.known_number(seq, &item_path(&item.id))?;
                Some((item.id.clone(), u32::try_from(percent).ok()?))
            })
            .collect()
    }

    /// Who signs the agreed sheet: the leader, or the first member where the leader is recused in this case.
    pub fn consensus_signer<'a>(&self, panel: &'a Panel, application: &str) -> Option<&'a str> {
        std::iter::once(&panel.leader)
            .chain(&panel.members)
            .find(|member| !self.is_recused(member, application))
            .map(String::as_str)
    }

    pub(super) fn admit_consensus(&self, cx: &Context<'_>, body: &ConsensusAgreed) -> Verdict {
        let (stage, rules) = self.scoring_stage(&body.stage)?;
        let method = rules.method.value;
        let agreed_method =
            rules.aggregate.as_ref().is_some_and(|a| a.value == Aggregate::Consensus) && by_items(method);
        ensure!(agreed_method, "consensus.method", &rules.method.basis, stage = &stage.id);
        self.live(&body.application)?;
        let Some((panel, state)) = self.panel_of(&body.stage, &body.application) else {
            refuse!("score.no_panel", &stage.basis, application = &body.application)
        };
        let signer = self.consensus_signer(state, &body.application);
        ensure!(
            panel == body.panel && signer == Some(cx.actor()),
            "consensus.leader",
            &stage.basis,
            leader = signer.unwrap_or("—")
        );
        self.require_signature(cx, cx.actor())?;
        self.require_pledge(&body.stage, cx.actor(), &body.application)?;
        self.not_computed(stage)?;
        let given = self.sheets.get(&body.stage).is_some_and(|s| s.agreed.contains_key(&body.application));
        ensure!(!given, "consensus.twice", &stage.basis, application = &body.application);
        self.check_marks(cx, method)?;
        if method == ScoringMethod::Adjust {
            return self.check_adjustment(cx, stage, rules, &body.application);
        }
        let missing = self.missing_sheets(&body.stage, &body.application);
        ensure!(
            missing.is_empty(),
            "consensus.early",
            &stage.basis,
            application = &body.application,
            experts = missing.join(", ")
        );
        if rules.spread_alarm > 0 {
            let sheets: Option<Vec<Sheet>> =
                self.counting_sheets(&body.stage, &body.application).values().map(|seq| self.sheet(*seq)).collect();
            let wide: Vec<String> = sheets
                .map(|sheets| evaluation::spread(&sheets.iter().collect::<Vec<_>>()))
                .unwrap_or_default()
                .into_iter()
                .filter(|(item, range)| *range >= rules.spread_alarm && !body.discussed.contains(item))
                .map(|(item, _)| item)
                .collect();
            ensure!(
                wide.is_empty(),
                "consensus.spread",
                &stage.basis,
                items = wide.join(", "),
                alarm = rules.spread_alarm
            );
        }
        Ok(())
    }

    /// Whether a member of the panel may still say that the agreed sheet is not theirs; not its signer, who wrote it.
    pub fn may_dissent(&self, stage: &str, expert: &str, application: &str) -> bool {
        let Some((_, panel)) = self.panel_of(stage, application) else { return false };
        let sheets = self.sheets.get(stage).filter(|sheets| sheets.computed.is_none());
        let agreed = sheets.is_some_and(|sheets| sheets.agreed.contains_key(application));
        let member = panel.members.contains(expert) && !self.is_recused(expert, application);
        let given =
            sheets.and_then(|sheets| sheets.dissents.get(application)).is_some_and(|by| by.contains_key(expert));
        agreed && member && !given && self.consensus_signer(panel, application) != Some(expert)
    }

    pub(super) fn admit_dissent(&self, cx: &Context<'_>, body: &ConsensusDissented) -> Verdict {
        let (stage, _) = self.scoring_stage(&body.stage)?;
        self.live(&body.application)?;
        let panel = self.panel_of(&body.stage, &body.application).map(|(panel, _)| panel);
        ensure!(panel == Some(&*body.panel), "score.no_panel", &stage.basis, application = &body.application);
        self.not_computed(stage)?;
        let may = self.may_dissent(&body.stage, cx.actor(), &body.application);
        ensure!(may, "consensus.dissent", &stage.basis, expert = cx.actor(), application = &body.application);
        self.require_signature(cx, cx.actor())?;
        self.require_pledge(&body.stage, cx.actor(), &body.application)?;
        let tree = self.tree()?;
        for item in &body.items {
            ensure!(tree.item(item).is_some(), "item.unknown", &stage.basis, item = item);
        }
        let sorted = body.items.windows(2).all(|pair| pair[0] < pair[1]);
        ensure!(sorted && !body.items.is_empty(), "consensus.dissent_items", &stage.basis);
        words_sealed(cx, &["/reason"], &stage.basis)
    }

    pub(super) fn apply_dissent(&mut self, record: &Record, body: ConsensusDissented) {
        let sheets = self.sheets.entry(body.stage).or_default();
        let given = sheets.dissents.entry(body.application).or_default();
        given.insert(record.actor.clone(), (record.seq, body.items));
    }

    /// A site visit changes a mark only with evidence (award-rules.md R37): what was found and noted at the visit, or words
    /// beside the mark where the rules ask for no more.
    fn check_adjustment(&self, cx: &Context<'_>, stage: &Stage, rules: &ScoringRules, application: &str) -> Verdict {
        let visited = self.is_visited(stage);
        let reported = self.visit(&stage.id, application).is_some_and(|visit| visit.report.is_some());
        ensure!(reported || !visited, "visit.not_reported", &stage.basis, application = application);
        let from = rules.from.as_deref().unwrap_or_default();
        let Some(seq) = self.sheets.get(from).and_then(|s| s.agreed.get(application)) else {
            refuse!("consensus.no_earlier", &rules.method.basis, application = application)
        };
        let (Some(before), Some(after)) = (self.sheet(*seq), sheet_of(cx.values)) else {
            return Ok(());
        };
        // Marks are opened one day, the words of evidence are not: then only their presence can be checked.
        let sealed = cx.record.hidden.contains_key("/evidence") && !cx.values.contains_key("/evidence");
        if sealed && !visited {
            return Ok(());
        }
        let found = self.found_items(&stage.id, application);
        let worded = |item: &str| {
            let text = cx.values.get("/evidence").and_then(|e| e.get(item)).and_then(|text| text.as_str());
            text.is_some_and(|text| !text.is_empty())
        };
        for (item, percent) in &after {
            let changed = before.get(item) != Some(percent);
            if visited {
                ensure!(!changed || found.contains(item.as_str()), "consensus.finding", &stage.basis, item = item);
            } else {
                ensure!(!changed || worded(item), "consensus.evidence", &rules.method.basis, item = item);
            }
        }
        Ok(())
    }

    pub(super) fn apply_consensus(&mut self, record: &Record, body: ConsensusAgreed) {
        self.sheets.entry(body.stage).or_default().agreed.insert(body.application, record.seq);
    }

    pub(super) fn admit_poll(&self, cx: &Context<'_>, body: &PollCounted) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        self.require_signature(cx, cx.actor())?;
        let (stage, rules) = self.scoring_stage(&body.stage)?;
        ensure!(rules.method.value == ScoringMethod::Count, "poll.method", &rules.method.basis, stage = &stage.id);
        self.live(&body.application)?;
        self.not_computed(stage)?;
        ensure!(
            body.asked > 0 && body.satisfied <= body.asked,
            "poll.numbers",
            &stage.basis,
            asked = body.asked,
            satisfied = body.satisfied
        );
        let given = self.sheets.get(&body.stage).is_some_and(|s| s.polls.contains_key(&body.application));
        ensure!(!given, "poll.twice", &stage.basis, application = &body.application);
        Ok(())
    }

    pub(super) fn apply_poll(&mut self, body: PollCounted) {
        self.sheets.entry(body.stage.clone()).or_default().polls.insert(body.application.clone(), body);
    }

    /// The score of one application in a stage, in hundredths of 1000.00 points.
    ///
    /// `Ok(None)` while a mark that it needs is sealed; an error if a sheet is missing.
    pub fn stage_score(&self, stage: &str, application: &str) -> Result<Option<u64>, Refusal> {
        let Some(found) = self.rules().stage(stage) else { refuse!("stage.unknown", "", stage = stage) };
        let Some(rules) = &found.scoring else { refuse!("stage.kind", &found.basis, stage = stage) };
        let tree = self.tree()?;
        let sheets = self.sheets.get(stage);
        if rules.method.value == ScoringMethod::Count {
            let Some(poll) = sheets.and_then(|s| s.polls.get(application)) else {
                refuse!("score.incomplete", &found.basis, application = application, stage = stage)
            };
            return Ok(evaluation::counted(poll.satisfied, poll.asked));
        }
        let aggregate = rules.aggregate.as_ref().map_or(Aggregate::Mean, |a| a.value);
        if aggregate == Aggregate::Consensus {
            let Some(seq) = sheets.and_then(|s| s.agreed.get(application)) else {
                refuse!("score.incomplete", &found.basis, application = application, stage = stage)
            };
            let total = self.sheet(*seq).and_then(|sheet| tree.total_of(&sheet));
            return Ok(total.map(|total| evaluation::normalise(total, tree)));
        }
        let counting = self.counting_sheets(stage, application);
        let complete = !counting.is_empty() && self.missing_sheets(stage, application).is_empty();
        ensure!(complete, "score.incomplete", &found.basis, application = application, stage = stage);
        let totals: Option<Vec<u64>> = counting
            .values()
            .map(|seq| match rules.method.value {
                ScoringMethod::Direct => {
                    self.known_number(*seq, &mark_path()).and_then(|m| u32::try_from(m).ok()).map(evaluation::direct)
                }
                _ => self.sheet(*seq).and_then(|sheet| tree.total_of(&sheet)).map(|t| evaluation::normalise(t, tree)),
            })
            .collect();
        match totals {
            None => Ok(None),
            Some(totals) => match evaluation::mean(&totals, aggregate) {
                Some(score) => Ok(Some(score)),
                None => Err(Refusal::new("score.too_few", &*found.basis).with("application", application)),
            },
        }
    }

    pub(super) fn admit_computed(&self, cx: &Context<'_>, body: &ScoresComputed) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        self.require_signature(cx, cx.actor())?;
        let (stage, _) = self.scoring_stage(&body.stage)?;
        self.not_computed(stage)?;
        let all = body.applications.iter().eq(self.field.iter());
        ensure!(all, "scores.field", &stage.basis, found = body.applications.len(), expected = self.field.len());
        let paths = body.applications.iter().map(|a| score_path(a));
        ensure!(cx.record.hidden.keys().eq(paths.collect::<Vec<_>>().iter()), "scores.hidden", &stage.basis);
        for application in &body.applications {
            let Some(computed) = self.stage_score(&body.stage, application)? else {
                continue;
            };
            let Some(stated) = cx.values.get(&score_path(application)) else {
                continue;
            };
            ensure!(
                stated.as_u64() == Some(computed),
                "scores.result",
                &stage.basis,
                application = application,
                computed = computed,
                stated = stated
            );
        }
        Ok(())
    }

    pub(super) fn apply_computed(&mut self, record: &Record, body: ScoresComputed) {
        self.sheets.entry(body.stage).or_default().computed = Some((record.seq, body.applications));
    }

    // ── what follows from scores ────────────────────────────────────────────────────────────────────────

    /// Stage scores of an application that have been computed and are known.
    ///
    /// `None` if one has been computed but is sealed.
    pub fn known_scores(&self, application: &str) -> Option<BTreeMap<String, u64>> {
        self.sheets
            .iter()
            .filter_map(|(stage, sheets)| Some((stage, sheets.computed.as_ref()?)))
            .filter(|(_, (_, applications))| applications.iter().any(|a| a == application))
            .map(|(stage, (seq, _))| Some((stage.clone(), self.known_number(*seq, &score_path(application))?)))
            .collect()
    }

    /// The composite score of an application, if it is known.
    pub fn composite(&self, application: &str) -> Option<u64> {
        evaluation::composite(self.rules(), &self.known_scores(application)?)
    }

    /// Points of the result items in the last sheet, in hundredths: what the tie rule `results` compares.
    ///
    /// 0 before any stage has been scored item by item; `None` while a mark is sealed.
    pub fn result_points(&self, application: &str) -> Option<u64> {
        let tree = self.criteria.as_ref()?;
        let stage = self.rules().stages.iter().rev().find(|stage| {
            stage.scoring.as_ref().is_some_and(|s| by_items(s.method.value))
                && self.sheets.get(&stage.id).is_some_and(|s| s.computed.is_some())
        });
        let Some(stage) = stage else { return Some(0) };
        if let Some(seq) = self.sheets.get(&stage.id).and_then(|s| s.agreed.get(application)) {
            return Some(tree.results_of(&self.sheet(*seq)?));
        }
        let points: Option<Vec<u64>> = self
            .counting_sheets(&stage.id, application)
            .values()
            .map(|seq| self.sheet(*seq).map(|sheet| tree.results_of(&sheet)))
            .collect();
        Some(evaluation::mean(&points?, Aggregate::Mean).unwrap_or(0))
    }

    /// All of `applications` as candidates; `None` if a score that is needed is sealed.
    pub fn candidates<'a>(&self, applications: impl Iterator<Item = &'a String>) -> Option<Vec<Candidate>> {
        applications
            .map(|application| {
                Some(Candidate {
                    application: application.clone(),
                    score: self.composite(application)?,
                    results: self.result_points(application)?,
                })
            })
            .collect()
    }
}

/// The sheet among the values of a record, if it is complete.
fn sheet_of(values: &Values) -> Option<Sheet> {
    values
        .iter()
        .filter_map(|(path, value)| Some((item_of_path(path)?, value)))
        .map(|(item, value)| Some((item.to_owned(), u32::try_from(value.as_u64()?).ok()?)))
        .collect()
}
