//! The stages of a simulated edition, in the order of its rules.

use std::collections::BTreeMap;

use heng_domain::edition::Edition;
use heng_domain::edition::events::{
    Approved, CalendarAdopted, CallPublished, ConditionChecked, CriteriaAdopted, DecisionMade, EditionClosed,
    EditionOpened, Effect, Event, ExpertSeated, HonourConferred, NoticePublished, ObjectionAnswered, ObjectionReceived,
    ObjectionScreened, OrganisationEntered, PersonSeated, RecommendationGiven, Role, ScoresOpened, SelectionDecided,
    StageClosed, StageOpened, Window,
};
use heng_domain::eligibility::Facts;
use heng_domain::office::events::{EntryPosted, Line, OfficeRole};
use heng_domain::rules::{Condition, ConditionKind, ScoreDisclosure, Stage, StageKind};
use heng_domain::text::Text;
use heng_domain::time::Instant;
use heng_log::Hash;
use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::cast::{COUNTIES, office_draft, stratum};
use super::{DeviceKey, Simulation, Stop, drafts_for, submit};
use crate::carry;
use crate::draft::Draft;
use crate::error::{AppError, Result};
use crate::log::Accepted;

/// Sentence that the simulation never reaches for a complete state.
pub(super) fn broken(what: &str) -> AppError {
    AppError::Other(format!("the simulation lost track: {what}"))
}

impl Simulation<'_> {
    // ── tools ───────────────────────────────────────────────────────────────────────────────────────────

    pub(super) fn offset(&self) -> i32 {
        self.frozen.rules.utc_offset_minutes
    }

    pub(super) fn instant(&self, day: Date, hour: i8, minute: i8) -> Result<Instant> {
        Instant::at(day, hour, minute, self.offset()).ok_or_else(|| broken("a day"))
    }

    /// Sets the clock to an hour of the current day, never backwards.
    pub(super) fn at(&self, hour: i8, minute: i8) -> Result<()> {
        let wanted = self.instant(self.day, hour, minute)?;
        let now = crate::clock::Clock::now(self.clock);
        self.clock.set(wanted.max(now));
        Ok(())
    }

    pub(super) fn pass_days(&mut self, days: u32) -> Result<()> {
        self.day = self.day.checked_add(i64::from(days).days()).map_err(|_| broken("a day"))?;
        Ok(())
    }

    /// Reads the edition's state.
    pub(super) fn state<T>(&self, read: impl FnOnce(&Edition) -> T) -> Result<T> {
        self.log.image().state.edition().map(read).ok_or_else(|| broken("the edition"))
    }

    pub(super) fn draft(&self, actor: &str, basis: &str, event: impl Into<Event>) -> Result<Draft> {
        drafts_for(actor, basis, event.into().split())
    }

    pub(super) fn sign(&self, draft: Draft, by: &[&str]) -> Result<Draft> {
        let anchor = self.log.anchor();
        by.iter().try_fold(draft, |draft, id| {
            let (log, at) = (self.log.id(), anchor.clone());
            if id.starts_with("x:") {
                self.expert_key(id)?.sign(draft, log, id, at)
            } else {
                self.cast.actor(id)?.key.sign(draft, log, id, at)
            }
        })
    }

    /// Experts have one key for each edition, so that no two editions can be linked by it.
    fn expert_key(&self, expert: &str) -> Result<DeviceKey> {
        let name = format!("{expert}@{}", self.settings.log);
        match &self.cast.passkeys {
            Some(rp) => DeviceKey::passkey(rp, self.cast.seed, &name),
            None => DeviceKey::of(self.cast.seed, &name),
        }
    }

    pub(super) fn act(&self, actor: &str, basis: &str, event: impl Into<Event>, signers: &[&str]) -> Result<Accepted> {
        self.clock.advance_millis(1_700);
        let draft = self.sign(self.draft(actor, basis, event)?, signers)?;
        self.log.submit(draft)
    }

    pub(super) fn submit(&self, drafts: Vec<Draft>) -> Result<()> {
        self.clock.advance_millis(2_300);
        submit(&self.log, drafts).map(|_| ())
    }

    /// Says how far a long stage is, a hundred at a time.
    pub(super) fn count(&self, stage: &Stage, done: usize, all: usize) {
        if all > 100 && done.is_multiple_of(100) {
            (self.progress)(&format!("{} {done}/{all}", stage.name.zh));
        }
    }

    pub(super) fn attachment(&self, text: &str) -> Result<Hash> {
        Ok(Hash(self.heng.store().put_attachment(text.as_bytes())?))
    }

    // ── the whole run ───────────────────────────────────────────────────────────────────────────────────

    pub(super) fn run(&mut self) -> Result<()> {
        self.at(8, 30)?;
        self.set_up()?;
        let stages = self.frozen.rules.stages.clone();
        for stage in &stages {
            (self.progress)(&stage.name.zh);
            self.at(9, 0)?;
            self.act("p:0001", &stage.basis, StageOpened { stage: stage.id.clone() }, &[])?;
            let go_on = self.work(stage)?;
            if !go_on {
                return Ok(());
            }
            self.act("p:0001", &stage.basis, StageClosed { stage: stage.id.clone() }, &[])?;
            self.pass_days(1)?;
        }
        let summary = Text::new("本届完成。", "The edition is finished.");
        let basis = self.frozen.rules.document.number.clone();
        self.act("p:0001", &basis, EditionClosed { summary }, &["p:0001"])?;
        self.carry_over()
    }

    /// Does the work of a stage; false where the simulation is to stop.
    fn work(&mut self, stage: &Stage) -> Result<bool> {
        match stage.kind {
            StageKind::Call => self.call(stage)?,
            StageKind::Application => return self.applications(stage),
            StageKind::Recommendation => self.recommendations(stage)?,
            StageKind::PreReview => {
                self.ask_departments()?;
                self.pre_review(stage)?;
            }
            StageKind::Experts => self.experts(stage)?,
            StageKind::Scoring => return self.scoring(stage),
            StageKind::Shortlist => self.shortlist(stage)?,
            StageKind::Committee if self.settings.stop == Some(Stop::Committee) => return Ok(false),
            StageKind::Committee => return self.committee(stage),
            StageKind::Notice => return self.notice(stage),
            StageKind::Approval => self.approval(stage)?,
            StageKind::Conferral => self.conferral(stage)?,
        }
        Ok(true)
    }

    // ── setting up ──────────────────────────────────────────────────────────────────────────────────────

    fn set_up(&mut self) -> Result<()> {
        let rules = &self.frozen.rules;
        let basis = rules.document.number.clone();
        let source = super::register(self.cast, self.frozen, self.settings)?;
        let opened = EditionOpened {
            edition: self.settings.edition.clone(),
            label: self.settings.label.clone(),
            source,
            rules: rules.clone(),
            year: self.settings.year,
        };
        let mut batch = vec![
            self.draft("office", &basis, opened)?,
            self.draft("office", &rules.criteria.basis, CriteriaAdopted { criteria: self.frozen.criteria.clone() })?,
            self.draft("office", &basis, CalendarAdopted { calendar: self.frozen.calendar.clone() })?,
        ];
        for actor in &self.cast.actors {
            let role = match actor.role {
                OfficeRole::Officer => Role::Officer,
                OfficeRole::Supervisor => Role::Supervisor,
                OfficeRole::Member => Role::Member,
                OfficeRole::Chair => Role::Chair,
                OfficeRole::Recommender => Role::Recommender,
                OfficeRole::Authority => Role::Authority,
                OfficeRole::Counter => Role::Counter,
                OfficeRole::Expert | OfficeRole::FundOfficer => continue,
            };
            let body = PersonSeated {
                key: Some(actor.key.public()),
                name: Some(actor.name.clone()),
                person: actor.id.clone(),
                roles: vec![role],
                source: actor.cite.clone(),
            };
            let setter = if batch.len() == 3 { "office" } else { "p:0001" };
            let draft = self.draft(setter, &basis, body)?;
            batch.push(if setter == "office" { draft } else { self.sign(draft, &["p:0001"])? });
        }
        let experts: Vec<_> = self.cast.with_role(OfficeRole::Expert).take(self.settings.experts).collect();
        for (index, actor) in experts.into_iter().enumerate() {
            let expert = format!("x:{:04}", index + 1);
            let group = if index % 3 == 2 { "service" } else { "manufacturing" };
            let key = self.expert_key(&expert)?.public();
            let who = json!({ "name": actor.name, "person": actor.id });
            let draft = self.draft("p:0001", &basis, ExpertSeated { expert, group: group.to_owned(), key })?;
            let draft = draft.hiding(self.heng.random()?, BTreeMap::from([("/who".to_owned(), who)]));
            batch.push(self.sign(draft, &["p:0001", "p:0002"])?);
        }
        let classes = &rules.classes;
        let office_image = self.cast.office.image();
        let office = office_image.state.office().ok_or_else(|| broken("the office"))?;
        for (index, firm) in self.cast.firms.iter().take(self.settings.applicants).enumerate() {
            let body = OrganisationEntered {
                class: classes.get(index % classes.len().max(1)).map(|c| c.id.clone()).unwrap_or_default(),
                county: firm.body.county.clone(),
                groups: firm.body.groups.clone(),
                name: firm.body.name.clone(),
                organisation: firm.id.clone(),
                sector: firm.body.sector.clone(),
                source: firm.cite.clone(),
                standing: office.standing(&firm.id, &self.settings.programme),
                uscc: firm.body.uscc.clone().unwrap_or_default(),
            };
            batch.push(self.draft("p:0001", &basis, body)?);
        }
        drop(office_image);
        self.submit(batch)
    }

    // ── call, applications, recommendations ─────────────────────────────────────────────────────────────

    fn call(&mut self, stage: &Stage) -> Result<()> {
        let rules = &self.frozen.rules;
        let window = rules.stages.iter().find(|s| s.kind == StageKind::Application).map_or(30, |s| s.days.value);
        let first = self.day.checked_add(i64::from(stage.days.value).days()).map_err(|_| broken("a day"))?;
        let last = first.checked_add(i64::from(window).days()).map_err(|_| broken("a day"))?;
        let label = &self.settings.label;
        let body = CallPublished {
            closes: self.instant(last, 18, 0)?,
            no_fee: true,
            opens: self.instant(first, 9, 0)?,
            text: Text::new(
                format!(
                    "现组织开展{}（{}）申报。请于{}18时前提交申报材料。申报和评审不收取任何费用。",
                    rules.name.zh,
                    label.zh,
                    chinese_day(last)
                ),
                format!(
                    "Applications for the {} ({}) are invited until 18:00 on {last}. Applying and reviewing are free of charge.",
                    rules.name.en, label.en
                ),
            ),
            title: Text::new(
                format!("关于申报{}的通知", rules.name.zh),
                format!("Call for applications: {}", rules.name.en),
            ),
        };
        self.at(9, 30)?;
        self.act("p:0001", &stage.basis, body, &["p:0001"])?;
        self.pass_days(stage.days.value.saturating_sub(1))?;
        self.at(17, 0)
    }

    fn applications(&mut self, stage: &Stage) -> Result<bool> {
        let (limit, first) = match &self.settings.stop {
            Some(Stop::Applications(count)) => (*count, self.day),
            _ => (usize::MAX, self.day),
        };
        let count = self.settings.applicants.min(limit).min(self.cast.firms.len());
        let last = first.checked_add(i64::from(stage.days.value).days()).map_err(|_| broken("a day"))?;
        for index in 0..count {
            self.count(stage, index, count);
            // Most applications come in the last days, as everywhere.
            // One that stops here stops on the demonstration's today: nothing may stand in the log from tomorrow.
            let span = u64::from(if count == limit { stage.days.value.min(12) } else { stage.days.value });
            let late = span
                - (span * u64::try_from((count - index).pow(2)).unwrap_or(1)
                    / u64::try_from(count.pow(2)).unwrap_or(1))
                .min(span);
            let day = first.checked_add(i64::try_from(late).unwrap_or(0).days()).map_err(|_| broken("a day"))?;
            let wanted =
                self.instant(if day < last { day } else { last }, 10, i8::try_from(index % 50).unwrap_or(0))?;
            self.clock.set(wanted.max(crate::clock::Clock::now(self.clock)));
            let draft = self.application(index, stage)?;
            self.submit(vec![draft])?;
        }
        if matches!(self.settings.stop, Some(Stop::Applications(_))) {
            return Ok(false);
        }
        self.day = last;
        self.at(18, 1)?;
        Ok(true)
    }

    fn recommendations(&mut self, stage: &Stage) -> Result<()> {
        let rules = stage.recommendation.as_ref().ok_or_else(|| broken("recommendation rules"))?;
        self.pass_days(stage.days.value / 2)?;
        self.at(10, 0)?;
        let recommenders: Vec<&str> = self.cast.with_role(OfficeRole::Recommender).map(|a| a.id.as_str()).collect();
        let days = rules.notice_days.value;
        let notice = (days > 0).then(|| Window {
            from: self.day.checked_sub(i64::from(days).days()).unwrap_or(self.day),
            until: self.day,
        });
        let applications = self.state(|e| e.field.iter().cloned().collect::<Vec<_>>())?;
        let proof = match rules.proof.as_ref().is_some_and(|proof| proof.value) {
            true => vec![self.attachment("推荐函与公示截图存推荐单位（虚构内容，仅供演示）")?],
            false => Vec::new(),
        };
        let quota = usize::try_from(rules.quota.value).unwrap_or(0);
        let mut given: BTreeMap<&str, usize> = BTreeMap::new();
        let mut batch = Vec::new();
        for application in applications {
            let county = self.state(|e| e.applicant(&application).map(|o| o.county.zh.clone()).unwrap_or_default())?;
            let home = COUNTIES.iter().position(|(zh, _)| *zh == county).unwrap_or(0);
            let recommender =
                recommenders.get(home % recommenders.len().max(1)).copied().ok_or_else(|| broken("a recommender"))?;
            let used = given.entry(recommender).or_insert(0);
            let support = quota == 0 || *used < quota;
            *used += usize::from(support);
            let body = RecommendationGiven {
                application,
                evidence: if support { proof.clone() } else { Vec::new() },
                notice: if support { notice.clone() } else { None },
                opinion: if support {
                    "材料属实，同意推荐。".to_owned()
                } else {
                    "名额已满，本届不予推荐。".to_owned()
                },
                support,
            };
            batch.push(self.draft(recommender, &stage.basis, body)?);
        }
        self.submit(batch)?;
        self.pass_days(stage.days.value - stage.days.value / 2)?;
        self.at(17, 0)
    }

    // ── pre-review ──────────────────────────────────────────────────────────────────────────────────────

    fn pre_review(&mut self, stage: &Stage) -> Result<()> {
        self.pass_days(stage.days.value / 2)?;
        self.at(9, 30)?;
        let applications = self.state(|e| e.field.iter().cloned().collect::<Vec<_>>())?;
        let anchor = self.state(Edition::anchor_day)?.ok_or_else(|| broken("the anchor day"))?;
        let conditions = self.frozen.rules.conditions.clone();
        let evidence = self.attachment("部门回函（虚构内容，仅供演示）")?;
        // A few are refused where the field is large, so that the demonstration shows a refusal with its reason.
        let refused: Vec<usize> = if applications.len() >= 15 { vec![6, 11, 17] } else { Vec::new() };
        let mut checks = Vec::new();
        for (index, application) in applications.iter().enumerate() {
            let fails = refused.iter().position(|r| *r == index);
            for condition in &conditions {
                let wanted =
                    fails.and_then(|n| refusable(&conditions).get(n).map(|c| c.id == condition.id)) != Some(true);
                let facts = self.facts(condition, anchor, wanted);
                let met = self.condition_met(application, condition, &facts, anchor)?;
                let from_register = matches!(condition.kind, ConditionKind::NoBan | ConditionKind::CoolDown);
                let body = ConditionChecked {
                    application: application.clone(),
                    condition: condition.id.clone(),
                    evidence: if from_register { Vec::new() } else { vec![evidence] },
                    facts,
                    met,
                    note: String::new(),
                };
                checks.push(self.draft("p:0001", &condition.basis, body)?);
            }
        }
        self.submit(checks)?;
        let objected = refused.get(1).and_then(|index| applications.get(*index));
        self.department_answers(&applications, objected)?;
        self.pass_days(stage.days.value - stage.days.value / 2)?;
        self.at(16, 0)?;
        let mut decisions = Vec::new();
        for application in &applications {
            let body = self.state(|e| e.pre_review_outcome(application, self.day))?;
            decisions.push(self.sign(self.draft("p:0002", &stage.basis, body)?, &["p:0002"])?);
        }
        self.submit(decisions)
    }

    fn facts(&mut self, condition: &Condition, anchor: Date, met: bool) -> Facts {
        let mut facts = Facts::default();
        match condition.kind {
            ConditionKind::Share => {
                let whole = 200 + self.random.below(300);
                facts.whole = Some(whole);
                facts.part = Some(if met { whole } else { whole - 17 });
            }
            ConditionKind::Count => {
                let least = u64::from(condition.at_least.unwrap_or(1));
                facts.count = Some(if met { least + self.random.below(3) } else { least.saturating_sub(1) });
            }
            ConditionKind::Confirmed => facts.confirmed = Some(met),
            ConditionKind::Years => {
                let years = i64::from(condition.years.unwrap_or(0)) + if met { 4 } else { -1 };
                facts.since = anchor.checked_sub(years.max(0).years()).ok();
            }
            ConditionKind::Clear => {
                let day = anchor.checked_sub(5.months()).ok();
                facts.events = Some(if met { Vec::new() } else { day.into_iter().collect() });
            }
            ConditionKind::NoBan | ConditionKind::CoolDown => {}
        }
        facts
    }

    fn condition_met(&self, application: &str, condition: &Condition, facts: &Facts, anchor: Date) -> Result<bool> {
        self.state(|e| {
            let organisation = e.applicant(application);
            let standing = organisation.map(|o| o.standing.clone()).unwrap_or_default();
            let groups = organisation.map(|o| o.groups.iter().cloned().collect()).unwrap_or_default();
            heng_domain::eligibility::decide(condition, facts, &standing, &groups, anchor)
        })?
        .map_err(|missing| broken(missing.0))
    }

    // ── notice, decision, honours ───────────────────────────────────────────────────────────────────────

    /// Without a vote the ranking chooses, as soon as all scored stages are closed.
    fn select_without_vote(&mut self, stage: &Stage) -> Result<()> {
        let needed = self.state(|e| {
            let scored = e.rules().stages.iter().filter(|s| s.scoring.is_some()).all(|s| e.is_closed(&s.id));
            e.winners_stage().is_none() && e.winners().is_none() && scored
        })?;
        if !needed {
            return Ok(());
        }
        let tiers = self.state(Edition::compute_winners)?.ok_or_else(|| broken("the winners"))?;
        let body = SelectionDecided { cut: Vec::new(), kept: Vec::new(), stage: stage.id.clone(), tiers };
        self.act("p:0001", &stage.basis, body, &["p:0001"]).map(|_| ())
    }

    /// False where the simulation is to stop while the notice runs.
    fn notice(&mut self, stage: &Stage) -> Result<bool> {
        let rules = stage.notice.clone().ok_or_else(|| broken("notice rules"))?;
        self.select_without_vote(stage)?;
        self.at(10, 0)?;
        let names = self.state(Edition::notice_names)?;
        let until = self.state(|e| e.notice_end(&rules, self.day))??;
        let listed = self.state(|e| {
            let name = |a: &String| e.applicant(a).map(|o| o.name.clone());
            names.iter().filter_map(name).collect::<Vec<Text>>()
        })?;
        let zh: Vec<&str> = listed.iter().map(|t| t.zh.as_str()).collect();
        let en: Vec<&str> = listed.iter().map(|t| t.en.as_str()).collect();
        let name = &self.frozen.rules.name;
        let body = NoticePublished {
            names: names.clone(),
            notice: format!("n-{}", stage.id),
            stage: stage.id.clone(),
            text: Text::new(
                format!(
                    "根据{}，现将{}（{}）有关名单公示如下：{}。公示期至{}止。如有异议，请以实名提出并附证据；单位须加盖公章，个人须提供身份证明。匿名或者逾期的异议不予受理。",
                    self.frozen.rules.document.number,
                    name.zh,
                    self.settings.label.zh,
                    zh.join("、"),
                    chinese_day(until)
                ),
                format!(
                    "In accordance with {}, the following are announced for the {} ({}): {}. The notice runs until {until}. Objections must be made under the real name and with evidence: a unit with its seal, a person with proof of identity. Anonymous or late objections cannot be accepted.",
                    self.frozen.rules.document.number,
                    name.en,
                    self.settings.label.en,
                    en.join("; ")
                ),
            ),
            title: Text::new(format!("{}公示", name.zh), format!("Public notice: {}", name.en)),
            until,
        };
        self.act("p:0001", &stage.basis, body, &["p:0001"])?;
        let notice = format!("n-{}", stage.id);
        let winners_named = self.state(|e| !e.standing_winners().is_empty())?;
        if winners_named && self.settings.stop == Some(Stop::Notice) {
            self.open_scores()?;
            return Ok(false);
        }
        if let Some(application) = names.last().filter(|_| winners_named && rules.real_name.value) {
            self.objections(stage, &notice, application)?;
        }
        self.open_scores()?;
        self.day = until.tomorrow().map_err(|_| broken("a day"))?;
        self.at(9, 0)?;
        Ok(true)
    }

    /// One objection by real name that is checked and not upheld, one without a name that cannot be accepted.
    fn objections(&mut self, stage: &Stage, notice: &str, application: &str) -> Result<()> {
        self.pass_days(1)?;
        self.at(11, 0)?;
        let body = |id: &str, real_name| ObjectionReceived {
            application: application.to_owned(),
            by: "unit".to_owned(),
            evidence: Vec::new(),
            notice: notice.to_owned(),
            objection: format!("{notice}-{id}"),
            real_name,
        };
        let text = |value: &str| Value::String(value.to_owned());
        let grounds = ("/grounds".to_owned(), text("对申报材料中的一项数据有疑问（虚构内容）"));
        let named = BTreeMap::from([
            ("/name".to_owned(), text("云川示例商会（虚构）")),
            ("/identity".to_owned(), text("91990000MA9999999T")),
            ("/contact".to_owned(), text("000-0000-0000")),
            grounds.clone(),
        ]);
        let first = self.draft("public", &stage.basis, body("1", true))?.hiding(self.random.bytes(), named);
        let second = self
            .draft("public", &stage.basis, body("2", false))?
            .hiding(self.random.bytes(), BTreeMap::from([grounds]));
        self.submit(vec![first, second])?;
        self.pass_days(1)?;
        self.at(15, 0)?;
        let screened = |id: &str, accepted, reason: &str| ObjectionScreened {
            accepted,
            objection: format!("{notice}-{id}"),
            reason: reason.to_owned(),
        };
        self.act("p:0001", &stage.basis, screened("1", true, "实名，附证据，受理。"), &[])?;
        self.act("p:0001", &stage.basis, screened("2", false, "未提供真实身份，按规定不予受理。"), &[])?;
        let answered = ObjectionAnswered {
            effect: Effect::None,
            objection: format!("{notice}-1"),
            reply: "经核查原始凭证，数据属实，异议不成立。".to_owned(),
            upheld: false,
        };
        self.act("p:0001", &stage.basis, answered, &["p:0001", "p:0002"]).map(|_| ())
    }

    fn approval(&mut self, stage: &Stage) -> Result<()> {
        self.select_without_vote(stage)?;
        self.pass_days(stage.days.value)?;
        self.at(15, 0)?;
        let approved = self.state(|e| {
            let winner = |(application, tier): (&str, &str)| Approved {
                application: application.to_owned(),
                tier: tier.to_owned(),
            };
            e.standing_winners().into_iter().map(winner).collect::<Vec<_>>()
        })?;
        let number = format!("云政〔{}〕{}号（示例）", self.day.year(), 8 + self.settings.seed % 80);
        self.act("p:0006", &stage.basis, DecisionMade { approved, number, returned: Vec::new() }, &["p:0006"])
            .map(|_| ())
    }

    /// Opens the marks as soon as the rules allow it.
    fn open_scores(&mut self) -> Result<()> {
        let disclosure = &self.frozen.rules.disclosure;
        let due = self.state(|e| e.winners_published().is_some() && e.opened_scores.is_empty())?;
        if !due || disclosure.scores.value != ScoreDisclosure::Anonymous {
            return Ok(());
        }
        let (records, fields) = self.state(|e| {
            let records = e.disclosable();
            let fields: usize = records.iter().map(|seq| e.disclosed_paths(*seq).count()).sum();
            (records, u64::try_from(fields).unwrap_or(0))
        })?;
        if !records.is_empty() {
            self.act("p:0001", &disclosure.scores.basis, ScoresOpened { fields, records }, &["p:0001"])?;
        }
        Ok(())
    }

    fn conferral(&mut self, stage: &Stage) -> Result<()> {
        self.open_scores()?;
        self.pass_days(stage.days.value)?;
        self.at(9, 30)?;
        let approved = self.state(|e| e.decision.as_ref().map(|(d, _)| d.approved.clone()).unwrap_or_default())?;
        for (index, winner) in approved.into_iter().enumerate() {
            let prize_fen = self.state(|e| e.prize_of(&winner.application, &winner.tier))??;
            let certificate =
                format!("{}-{}-{:02}", self.settings.programme.to_uppercase(), self.settings.edition, index + 1);
            let body = HonourConferred { application: winner.application, certificate, prize_fen, tier: winner.tier };
            self.act("p:0001", &stage.basis, body, &["p:0001"])?;
        }
        Ok(())
    }

    /// Budget, honours and prize entries in the office log.
    fn carry_over(&mut self) -> Result<()> {
        let total: u64 = self.state(|e| e.honours.iter().map(|(h, _, _)| h.prize_fen).sum())?;
        if total > 0 {
            let fen = i64::try_from(total).map_err(|_| broken("an amount"))?;
            let body = EntryPosted {
                cite: None,
                entry: format!("e:budget-{}-{}", self.settings.programme, self.settings.edition),
                lines: vec![
                    Line { account: carry::budget_account(self.settings.year), fen },
                    Line { account: "appropriation".to_owned(), fen: -fen },
                ],
                on: self.day,
                text: format!("{} {}", self.frozen.rules.name.zh, self.settings.label.zh),
            };
            let basis = self.frozen.rules.document.number.clone();
            submit(&self.cast.office, vec![self.cast.signed(office_draft("p:0001", &basis, body)?, &["p:0001"])?])?;
        }
        let drafts = carry::pending(&self.cast.office, &self.log, "p:0001")?;
        let drafts = drafts.into_iter().map(|d| self.cast.signed(d, &["p:0001"])).collect::<Result<Vec<_>>>()?;
        submit(&self.cast.office, drafts).map(|_| ())
    }
}

/// Conditions that a demonstration lets an applicant fail: the first share, the first look-back, the first confirmation.
fn refusable(conditions: &[Condition]) -> Vec<&Condition> {
    [ConditionKind::Share, ConditionKind::Clear, ConditionKind::Confirmed]
        .into_iter()
        .filter_map(|kind| conditions.iter().find(|c| c.kind == kind))
        .collect()
}

/// 2026年3月4日
pub(super) fn chinese_day(day: Date) -> String {
    format!("{}年{}月{}日", day.year(), day.month(), day.day())
}

/// The stratum that an application's panel comes from.
pub(super) fn stratum_of(edition: &Edition, application: &str) -> &'static str {
    edition.applicant(application).map_or("manufacturing", |o| stratum(&o.sector.zh))
}
