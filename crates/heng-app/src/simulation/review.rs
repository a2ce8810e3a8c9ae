//! Experts, panels, sheets, polls and the shortlist of a simulated edition.

use std::collections::{BTreeMap, BTreeSet};

use heng_domain::draw::{Commit, Plan, Source, SourceValue, Stratum, draw, pool_hash, secret_hash};
use heng_domain::edition::events::{
    ConsensusAgreed, ConsensusDissented, DrawPlanned, DrawReplaced, DrawRevealed, Excluded, PanelFormed,
    PanelMemberReplaced, PledgeGiven, PollCounted, PoolFrozen, RecusalDeclared, ScoreSubmitted, ScoresComputed,
    ShortlistDecided,
};
use heng_domain::edition::{Successor, item_path, mark_path, score_path};
use heng_domain::evaluation::spread;
use heng_domain::rules::{Aggregate, ScoringMethod, ScoringRules, Stage};
use heng_log::{Hash, Sha256};
use serde_json::{Value, json};

use super::edition::stratum_of;
use super::{Simulation, Stop};
use crate::error::{AppError, Result};

fn broken(what: &str) -> AppError {
    AppError::Other(format!("the simulation lost track: {what}"))
}

/// Applications that one panel can read.
const LOAD: usize = 32;

impl Simulation<'_> {
    // ── experts ─────────────────────────────────────────────────────────────────────────────────────────

    pub(super) fn experts(&mut self, stage: &Stage) -> Result<()> {
        let rules = stage.experts.clone().ok_or_else(|| broken("expert rules"))?;
        let size = usize::try_from(rules.panel_size.value).unwrap_or(5);
        let reserves = rules.reserves.value;
        self.at(9, 30)?;
        let field: Vec<String> = self.state(|e| e.field.iter().cloned().collect())?;
        if let (Some(ground), Some(application)) = (self.first_ground(), field.first()) {
            let body = RecusalDeclared { application: application.clone(), ground, person: "x:0001".to_owned() };
            let declared = self.state(|e| e.is_recused("x:0001", application))?;
            if !declared {
                self.act("x:0001", &stage.basis, body, &["x:0001"])?;
            }
        }
        let groups = self.groups(size + usize::try_from(reserves).unwrap_or(0))?;
        // One panel for each field; several where it has more applications than one can read, as far as experts last.
        let single = groups.len() == 1;
        let mut work = Vec::new();
        for (group, experts) in &groups {
            let applications: Vec<String> =
                self.state(|e| field.iter().filter(|a| single || stratum_of(e, a) == group).cloned().collect())?;
            let spare = experts.len().saturating_sub(usize::try_from(reserves).unwrap_or(0));
            let panels = applications.len().div_ceil(LOAD).min(spare / size.max(1)).max(1);
            work.push((panels, applications));
        }
        let sizes: Vec<usize> = work.iter().map(|(panels, _)| panels * size).collect();
        let members = if rules.drawn.value {
            self.draw_experts(stage, &groups, &sizes, reserves)?
        } else {
            groups.iter().zip(&sizes).map(|((_, experts), n)| experts.iter().take(*n).cloned().collect()).collect()
        };
        let mut number = 0;
        for ((panels, applications), members) in work.iter().zip(members) {
            let share = applications.len().div_ceil(*panels).max(1);
            for (applications, members) in applications.chunks(share).zip(members.chunks(size)) {
                number += 1;
                let body = PanelFormed {
                    applications: applications.to_vec(),
                    leader: members.first().cloned().unwrap_or_default(),
                    members: members.to_vec(),
                    panel: format!("g:{}-{number}", stage.id),
                    stage: stage.id.clone(),
                };
                self.act("p:0001", &stage.basis, body, &["p:0001"])?;
            }
        }
        self.late_conflict(stage)?;
        let members = self.state(|e| {
            let own = e.panels.values().filter(|panel| panel.stage == stage.id);
            own.flat_map(|panel| panel.members.iter().cloned()).collect::<Vec<String>>()
        })?;
        if self.settings.stop != Some(Stop::Pledges) {
            self.pledges(stage, &members)?;
        }
        self.pass_days(stage.days.value)?;
        self.at(16, 0)
    }

    fn first_ground(&self) -> Option<String> {
        self.frozen.rules.recusal.first().map(|ground| ground.id.clone())
    }

    /// A member of the last panel finds a conflict only when the applicants are known; the next reserve steps in.
    fn late_conflict(&mut self, stage: &Stage) -> Result<()> {
        let found = self.state(|e| {
            let (id, panel) = e.panels.iter().rev().find(|(_, panel)| panel.stage == stage.id)?;
            let out = panel.members.iter().rev().find(|member| **member != panel.leader)?;
            let Successor::Reserve { expert, .. } = e.successor(panel, out) else { return None };
            // A conflict with a case that the expert has judged in an earlier stage would come too late.
            let judged =
                |a: &String| e.sheets.values().any(|s| s.submitted.get(a).is_some_and(|by| by.contains_key(out)));
            let application = panel.applications.iter().find(|a| !judged(a))?.clone();
            Some((application, id.clone(), out.clone(), expert.to_owned()))
        })?;
        let (Some((application, panel, out, by)), Some(ground)) = (found, self.first_ground()) else { return Ok(()) };
        let body = RecusalDeclared { application, ground, person: out.clone() };
        self.act(&out, &stage.basis, body, &[&out])?;
        let body = PanelMemberReplaced { by, leader: None, out: out.clone(), panel, reason: "须回避".to_owned() };
        self.act("p:0002", &stage.basis, body, &["p:0002"]).map(|_| ())
    }

    /// Those who are to judge in the stage pledge, where the rules ask for it.
    pub(super) fn pledges(&mut self, stage: &Stage, persons: &[String]) -> Result<()> {
        let text = "评审承诺（虚构内容，仅供演示）";
        let text_sha256 = Hash(self.heng.store().put_attachment(text.as_bytes())?);
        let mut batch = Vec::new();
        for person in persons {
            let declared: Vec<String> = self.state(|e| {
                let field = e.field.iter().filter(|a| !e.is_recused(person, a));
                field.filter(|a| e.lacks_pledge(&stage.id, person, a)).cloned().collect()
            })?;
            if !declared.is_empty() {
                let body = PledgeGiven { conflicts: Vec::new(), declared, person: person.clone(), text_sha256 };
                batch.push(self.sign(self.draft(person, &stage.basis, body)?, &[person.as_str()])?);
            }
        }
        self.submit(batch)
    }

    /// Fields with their experts who are not recused; one field alone if the others have too few.
    fn groups(&self, needed: usize) -> Result<Vec<(String, Vec<String>)>> {
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        self.state(|e| {
            for (id, seat) in &e.seats {
                let recused = e.recusals.keys().any(|(person, _)| person == id);
                if let (Some(group), true, false) = (&seat.group, seat.active, recused) {
                    groups.entry(group.clone()).or_default().push(id.clone());
                }
            }
        })?;
        let wanted: BTreeSet<&'static str> = self.state(|e| e.field.iter().map(|a| stratum_of(e, a)).collect())?;
        let enough = wanted.iter().all(|g| groups.get(*g).is_some_and(|experts| experts.len() >= needed));
        if enough {
            groups.retain(|group, _| wanted.contains(group.as_str()));
            return Ok(groups.into_iter().collect());
        }
        let largest = groups.into_iter().max_by_key(|(_, experts)| experts.len()).ok_or_else(|| broken("experts"))?;
        if largest.1.len() < needed {
            return Err(AppError::Other(format!(
                "{needed} experts of one field are needed, there are {}: raise --experts",
                largest.1.len()
            )));
        }
        Ok(vec![largest])
    }

    fn draw_experts(
        &mut self,
        stage: &Stage,
        groups: &[(String, Vec<String>)],
        sizes: &[usize],
        reserves: u32,
    ) -> Result<Vec<Vec<String>>> {
        let id = format!("d:{}", stage.id);
        let (lines, excluded) = self.state(|e| {
            let mut lines: Vec<(String, String)> = Vec::new();
            let mut excluded = Vec::new();
            for (expert, seat) in e.seats.iter().filter(|(_, seat)| seat.active && seat.group.is_some()) {
                let recused = e.recusals.keys().any(|(person, _)| person == expert);
                if recused {
                    excluded.push(Excluded { line: expert.clone(), reason: "recusal".to_owned() });
                } else {
                    lines.push((seat.group.clone().unwrap_or_default(), expert.clone()));
                }
            }
            lines.sort();
            (lines, excluded)
        })?;
        let mut strata = Vec::new();
        for ((group, _), size) in groups.iter().zip(sizes) {
            let first = lines.iter().position(|(g, _)| g == group).ok_or_else(|| broken("a stratum"))?;
            let count = lines.iter().filter(|(g, _)| g == group).count();
            let place = |n: usize| u64::try_from(n).unwrap_or(0);
            strata.push(Stratum {
                from: place(first + 1),
                id: group.clone(),
                take: place(*size),
                to: place(first + count),
            });
        }
        let lines: Vec<String> = lines.into_iter().map(|(_, expert)| expert).collect();
        self.run_draw(stage, &id, lines, excluded, strata, reserves)?;
        // One of the drawn cannot come: the first reserve steps in.
        let replacement = self.state(|e| {
            let draw = e.draws.get(&id)?;
            let drawn = draw.revealed.as_ref()?.result.first()?;
            let out = draw.line(*drawn.taken.last()?)?.to_owned();
            let by = draw.line(*drawn.reserve.first()?)?.to_owned();
            Some(DrawReplaced {
                by,
                draw: id.clone(),
                out,
                reason: "出差，无法参加".to_owned(),
                stratum: drawn.id.clone(),
            })
        })?;
        if let Some(body) = replacement {
            self.act("p:0002", &stage.basis, body, &["p:0002"])?;
        }
        self.state(|e| {
            let current: Vec<String> =
                e.draws.get(&id).map(|d| d.current().into_iter().map(str::to_owned).collect()).unwrap_or_default();
            groups
                .iter()
                .map(|(group, _)| {
                    let of_group = |x: &&String| e.seats.get(*x).and_then(|s| s.group.as_ref()) == Some(group);
                    current.iter().filter(of_group).cloned().collect()
                })
                .collect()
        })
    }

    /// Pool, plan, the public event on the next day, reveal.
    fn run_draw(
        &mut self,
        stage: &Stage,
        id: &str,
        lines: Vec<String>,
        excluded: Vec<Excluded>,
        strata: Vec<Stratum>,
        reserves: u32,
    ) -> Result<()> {
        let sha256 = pool_hash::<Sha256>(&lines);
        let pool_size = u64::try_from(lines.len()).unwrap_or(0);
        let body = PoolFrozen { draw: id.to_owned(), excluded, lines, sha256, stage: stage.id.clone() };
        self.act("p:0001", &stage.basis, body, &["p:0001"])?;
        let secret = self.random.bytes();
        let event = self.day.tomorrow().map_err(|_| broken("a day"))?;
        let period = format!("{}{:03}", event.year(), event.day_of_year());
        let plan = Plan {
            commit: Commit::One(secret_hash::<Sha256>(&secret)),
            pool_sha256: sha256.to_string(),
            pool_size,
            purpose: if stage.experts.is_some() { "expert-draw" } else { "order" }.to_owned(),
            reserves: u64::from(reserves),
            sources: vec![Source { period: period.clone(), source: "simulated-lottery".to_owned() }],
            strata,
            v: 1,
            year: self.settings.year,
        };
        let body = DrawPlanned { draw: id.to_owned(), plan: plan.clone(), sources_on: event };
        self.act("p:0001", &stage.basis, body, &["p:0001"])?;
        self.pass_days(1)?;
        self.at(10, 0)?;
        let mut numbers: Vec<u64> = Vec::new();
        while numbers.len() < 6 {
            let n = self.random.below(33) + 1;
            if !numbers.contains(&n) {
                numbers.push(n);
            }
        }
        numbers.sort_unstable();
        let red: Vec<String> = numbers.iter().map(|n| format!("{n:02}")).collect();
        let value = format!("{}|{:02}", red.join(","), self.random.below(16) + 1);
        let values = vec![SourceValue { period, source: "simulated-lottery".to_owned(), value }];
        let result = draw::<Sha256>(&plan, &[secret], &values).map_err(|error| AppError::Other(error.to_string()))?;
        let body = DrawRevealed { draw: id.to_owned(), result, secrets: vec![Hash(secret)], values };
        self.act("p:0001", &stage.basis, body, &["p:0001", "p:0002"]).map(|_| ())
    }

    // ── scored stages ───────────────────────────────────────────────────────────────────────────────────

    /// False where the simulation is to stop with sheets missing.
    pub(super) fn scoring(&mut self, stage: &Stage) -> Result<bool> {
        if self.settings.stop == Some(Stop::Pledges) {
            return Ok(false);
        }
        let rules = stage.scoring.clone().ok_or_else(|| broken("scoring rules"))?;
        let field: Vec<String> = self.state(|e| e.field.iter().cloned().collect())?;
        if rules.order_drawn {
            let count = u64::try_from(field.len()).unwrap_or(0);
            let strata = vec![Stratum { from: 1, id: "all".to_owned(), take: count, to: count }];
            self.run_draw(stage, &format!("d:{}", stage.id), field.clone(), Vec::new(), strata, 0)?;
        }
        self.pass_days(stage.days.value / 2)?;
        self.at(9, 30)?;
        match rules.method.value {
            ScoringMethod::Items | ScoringMethod::Direct => self.sheets(stage, &rules, &field)?,
            ScoringMethod::Adjust => self.plan_visits(stage, &field)?,
            ScoringMethod::Count => self.polls(stage, &field)?,
        }
        if matches!(self.settings.stop, Some(Stop::Sheets(_))) {
            return Ok(false);
        }
        self.pass_days(stage.days.value - stage.days.value / 2)?;
        self.at(14, 0)?;
        let agreed = rules.aggregate.as_ref().is_some_and(|a| a.value == Aggregate::Consensus);
        if agreed {
            self.agree(stage, &rules, &field)?;
        }
        let mut values = BTreeMap::new();
        for application in &field {
            let score = self.state(|e| e.stage_score(&stage.id, application))??.ok_or_else(|| broken("a score"))?;
            values.insert(score_path(application), json!(score));
        }
        let body = ScoresComputed { applications: field, stage: stage.id.clone() };
        let draft = self.draft("p:0001", &stage.basis, body)?.hiding(self.random.bytes(), values);
        let draft = self.sign(draft, &["p:0001"])?;
        self.submit(vec![draft])?;
        Ok(true)
    }

    /// How good an invented applicant is, in percent: the same in every stage.
    fn quality(&self, application: &str) -> u64 {
        let mut random =
            super::Random::new(self.settings.seed ^ application.bytes().fold(7, |h, b| h * 31 + u64::from(b)));
        52 + random.below(30)
    }

    fn percent(&mut self, around: u64, spread: u64) -> u64 {
        let step = u64::from(self.frozen.criteria.step.max(1));
        let value = (around + self.random.below(2 * spread + 1)).saturating_sub(spread).clamp(10, 95);
        value / step * step
    }

    fn sheets(&mut self, stage: &Stage, rules: &ScoringRules, field: &[String]) -> Result<()> {
        let items: Vec<String> = self.frozen.criteria.items().map(|item| item.id.clone()).collect();
        for (index, application) in field.iter().enumerate() {
            self.count(stage, index, field.len());
            let (panel, mut experts) = self.state(|e| {
                let panel = e.panel_of(&stage.id, application).map(|(id, _)| id.to_owned());
                let experts: Vec<String> =
                    e.missing_sheets(&stage.id, application).into_iter().map(str::to_owned).collect();
                (panel, experts)
            })?;
            let panel = panel.ok_or_else(|| broken("a panel"))?;
            if let (Some(Stop::Sheets(most)), true) = (&self.settings.stop, !experts.is_empty()) {
                let first = index % experts.len();
                experts.rotate_left(first);
                experts.truncate(*most);
            }
            let quality = self.quality(application);
            let mut batch = Vec::new();
            for expert in experts {
                let mut values = BTreeMap::new();
                if rules.method.value == ScoringMethod::Items {
                    for item in &items {
                        values.insert(item_path(item), json!(self.percent(quality, 9)));
                    }
                    values.insert("/remarks".to_owned(), json!({ "overall": "优势与不足另附（虚构内容）" }));
                } else {
                    values.insert(mark_path(), json!(quality + self.random.below(9)));
                }
                let body = ScoreSubmitted {
                    application: application.clone(),
                    expert: expert.clone(),
                    panel: panel.clone(),
                    stage: stage.id.clone(),
                };
                let draft = self.draft(&expert, &stage.basis, body)?.hiding(self.random.bytes(), values);
                batch.push(self.sign(draft, &[&expert])?);
            }
            self.submit(batch)?;
        }
        Ok(())
    }

    fn agree(&mut self, stage: &Stage, rules: &ScoringRules, field: &[String]) -> Result<()> {
        let step = u64::from(self.frozen.criteria.step.max(1));
        let mut batch = Vec::new();
        for application in field {
            let (panel, leader) = self
                .state(|e| e.panel_of(&stage.id, application).map(|(id, p)| (id.to_owned(), p.leader.clone())))?
                .ok_or_else(|| broken("a panel"))?;
            let mut values: BTreeMap<String, Value> = BTreeMap::new();
            let mut discussed = Vec::new();
            if rules.method.value == ScoringMethod::Items {
                let sheets: Vec<_> = self.state(|e| {
                    e.counting_sheets(&stage.id, application).values().filter_map(|seq| e.sheet(*seq)).collect()
                })?;
                let ranges = spread(&sheets.iter().collect::<Vec<_>>());
                for (item, range) in ranges {
                    let sum: u64 = sheets.iter().filter_map(|s| s.get(&item)).map(|p| u64::from(*p)).sum();
                    let count = u64::try_from(sheets.len().max(1)).unwrap_or(1);
                    let mean = (2 * sum + count * step) / (2 * count * step) * step;
                    values.insert(item_path(&item), json!(mean));
                    if rules.spread_alarm > 0 && range >= rules.spread_alarm {
                        discussed.push(item);
                    }
                }
            } else {
                let from = rules.from.clone().unwrap_or_default();
                let before = self
                    .state(|e| {
                        e.sheets.get(&from).and_then(|s| s.agreed.get(application)).and_then(|seq| e.sheet(*seq))
                    })?
                    .ok_or_else(|| broken("an earlier sheet"))?;
                let mut evidence = serde_json::Map::new();
                for (item, percent) in before {
                    let mut now = u64::from(percent);
                    if self.random.chance(20) {
                        now = if self.random.chance(60) { (now + step).min(100) } else { now.saturating_sub(step) };
                        if now != u64::from(percent) {
                            evidence.insert(item.clone(), json!("现场查阅记录后调整（虚构内容）"));
                        }
                    }
                    values.insert(item_path(&item), json!(now));
                }
                if self.state(|e| e.is_visited(stage))? {
                    let items: Vec<String> = evidence.keys().cloned().collect();
                    batch.extend(self.visit(stage, application, &items)?);
                } else {
                    values.insert("/evidence".to_owned(), Value::Object(evidence));
                }
            }
            let body = ConsensusAgreed { application: application.clone(), discussed, panel, stage: stage.id.clone() };
            let draft = self.draft(&leader, &stage.basis, body)?.hiding(self.random.bytes(), values);
            batch.push(self.sign(draft, &[&leader])?);
        }
        self.submit(batch)?;
        match field.first().filter(|_| rules.method.value == ScoringMethod::Items) {
            Some(application) => self.dissent(stage, application),
            None => Ok(()),
        }
    }

    /// One member does not share what was agreed on the first item.
    fn dissent(&mut self, stage: &Stage, application: &str) -> Result<()> {
        let found = self.state(|e| {
            let (panel, state) = e.panel_of(&stage.id, application)?;
            let member = state.members.iter().find(|member| e.may_dissent(&stage.id, member, application))?;
            Some((panel.to_owned(), member.clone(), e.criteria.as_ref()?.items().next()?.id.clone()))
        })?;
        let Some((panel, member, item)) = found else { return Ok(()) };
        let (application, stage_id) = (application.to_owned(), stage.id.clone());
        let body = ConsensusDissented { application, items: vec![item], panel, stage: stage_id };
        let reason = json!("材料中没有推开情况的证据，我的评价低一档（虚构内容）");
        let draft = self.draft(&member, &stage.basis, body)?;
        let draft = draft.hiding(self.heng.random()?, BTreeMap::from([("/reason".to_owned(), reason)]));
        let draft = self.sign(draft, &[&member])?;
        self.submit(vec![draft])
    }

    fn polls(&mut self, stage: &Stage, field: &[String]) -> Result<()> {
        let mut batch = Vec::new();
        for application in field {
            let asked = 400 + self.random.below(200);
            let satisfied = asked * (self.quality(application) + 5) / 100;
            let body = PollCounted {
                application: application.clone(),
                asked,
                satisfied,
                source: heng_log::sha256(application.as_bytes()),
                stage: stage.id.clone(),
            };
            batch.push(self.sign(self.draft("p:0001", &stage.basis, body)?, &["p:0001"])?);
        }
        self.submit(batch)
    }

    pub(super) fn shortlist(&mut self, stage: &Stage) -> Result<()> {
        self.pass_days(stage.days.value)?;
        self.at(10, 0)?;
        let kept = self.state(|e| e.compute_shortlist(&stage.id))?.ok_or_else(|| broken("the shortlist"))?;
        let cut = self.state(|e| e.field.iter().filter(|a| !kept.contains(a)).cloned().collect())?;
        let body = ShortlistDecided { cut, kept, stage: stage.id.clone() };
        self.act("p:0001", &stage.basis, body, &["p:0001"]).map(|_| ())
    }
}
