//! Site visits of a simulated edition: a plan and a question for each applicant, then findings and the leader's report.

use std::collections::BTreeMap;

use heng_domain::edition::events::{FindingKind, VisitIssueRaised, VisitLogged, VisitPlanned, VisitReported};
use heng_domain::rules::Stage;
use jiff::ToSpan;
use serde_json::{Value, json};

use super::{Random, Simulation};
use crate::draft::Draft;
use crate::error::{AppError, Result};

/// Salts the random bytes of sealed words, so that they take none from the course of the edition.
const SALT: u64 = 0x7669_7369;

/// Who goes where.
struct Team {
    panel: String,
    leader: String,
    members: Vec<String>,
}

impl Simulation<'_> {
    fn team(&self, stage: &Stage, application: &str) -> Result<Team> {
        let found = self.state(|e| {
            let (id, panel) = e.panel_of(&stage.id, application)?;
            let members = e.visitors(&stage.id, panel, application).into_iter().map(str::to_owned).collect();
            let leader = e.consensus_signer(panel, application)?.to_owned();
            Some(Team { panel: id.to_owned(), leader, members })
        })?;
        found.ok_or_else(|| AppError::Other("the simulation lost track: a panel".to_owned()))
    }

    fn sealed(&self, application: &str) -> Random {
        Random::new(self.settings.seed ^ application.bytes().fold(SALT, |h, b| h.wrapping_mul(31) + u64::from(b)))
    }

    fn worded(&self, actor: &str, draft: Draft, key: [u8; 32], words: &[(&str, &str)]) -> Result<Draft> {
        let values: BTreeMap<String, Value> =
            words.iter().map(|(path, text)| ((*path).to_owned(), json!(text))).collect();
        self.sign(draft.hiding(key, values), &[actor])
    }

    /// Every applicant gets a day of the stage's second half, one after the other, and the panel one question from the
    /// document review.
    pub(super) fn plan_visits(&mut self, stage: &Stage, field: &[String]) -> Result<()> {
        if !self.state(|e| e.is_visited(stage))? {
            return Ok(());
        }
        let item = self.first_item();
        let mut batch = Vec::new();
        let days = usize::try_from(stage.days.value - stage.days.value / 2).unwrap_or(0).max(1);
        for (index, application) in field.iter().enumerate() {
            let day = self.day.checked_add(i64::try_from(index % days).unwrap_or(0).days());
            let day = day.map_err(|error| AppError::Other(error.to_string()))?;
            let team = self.team(stage, application)?;
            let plan = VisitPlanned {
                agenda: "首次会议；查阅记录；访谈；现场察看；内部合议；末次会议（虚构内容）".to_owned(),
                application: application.clone(),
                changes: None,
                first_day: day,
                interviewees: vec!["最高管理者".to_owned(), "质量负责人".to_owned(), "一线员工".to_owned()],
                last_day: day,
                panel: team.panel.clone(),
                place: "申报单位主厂区（虚构）".to_owned(),
                prepare: "近三年的质量目标和考核记录；不作汇报演示".to_owned(),
                stage: stage.id.clone(),
                team: team.members,
            };
            batch.push(self.sign(self.draft(&team.leader, &stage.basis, plan)?, &[&team.leader])?);
            let issue = VisitIssueRaised {
                application: application.clone(),
                item: item.clone(),
                panel: team.panel,
                stage: stage.id.clone(),
            };
            let draft = self.draft(&team.leader, &stage.basis, issue)?;
            let key = self.sealed(application).bytes();
            batch.push(self.worded(
                &team.leader,
                draft,
                key,
                &[("/question", "战略目标如何分解到班组？（虚构内容）")],
            )?);
        }
        self.submit(batch)
    }

    /// What was found on `items`, then the report; on the first item of the tree where nothing changes a mark.
    pub(super) fn visit(&self, stage: &Stage, application: &str, items: &[String]) -> Result<Vec<Draft>> {
        let team = self.team(stage, application)?;
        let issue = self.state(|e| e.visit(&stage.id, application).and_then(|visit| visit.issues.first().cloned()))?;
        let mut random = self.sealed(application);
        random.bytes();
        let first = [self.first_item()];
        let items = if items.is_empty() { first.as_slice() } else { items };
        let mut out = Vec::new();
        let ways = [FindingKind::Document, FindingKind::Interview, FindingKind::Observation];
        let by = team.members.iter().cycle();
        for ((item, member), how) in items.iter().zip(by).zip(ways.iter().cycle()) {
            let body = VisitLogged {
                application: application.to_owned(),
                how: *how,
                issue: issue.as_ref().filter(|issue| issue.item == *item).map(|issue| issue.seq),
                item: item.clone(),
                panel: team.panel.clone(),
                stage: stage.id.clone(),
            };
            let draft = self.draft(member, &stage.basis, body)?;
            let words =
                [("/finding", "现场查阅和访谈所见（虚构内容）"), ("/reference", "记录编号 Q-07，第 3 页（虚构）")];
            out.push(self.worded(member, draft, random.bytes(), &words)?);
        }
        let body = VisitReported {
            application: application.to_owned(),
            findings: u64::try_from(out.len()).unwrap_or(u64::MAX),
            panel: team.panel.clone(),
            stage: stage.id.clone(),
        };
        let draft = self.draft(&team.leader, &stage.basis, body)?;
        let words = [("/conclusion", "现场情况与申报材料总体相符（虚构内容）")];
        out.push(self.worded(&team.leader, draft, random.bytes(), &words)?);
        Ok(out)
    }

    fn first_item(&self) -> String {
        self.frozen.criteria.items().next().map(|item| item.id.clone()).unwrap_or_default()
    }
}
