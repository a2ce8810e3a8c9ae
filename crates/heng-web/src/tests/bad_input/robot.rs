//! Everybody follows their own list, so that an edition passes through all its states and each form is open once.

use heng_app::desk::proposal;
use heng_app::desk::{self, Answers, DeskError, Field, Kind, Sheet, Task};
use heng_app::simulation::{DEMO_SEED, DeviceKey};
use std::sync::Arc;

use heng_app::simulation::{Cast, Frozen, Numbers, Settings as Plan, Stop, members_needed, run};
use heng_app::{Heng, ManualClock, SeededEntropy};
use heng_domain::rules::{read_calendar, read_criteria, read_rules};
use heng_domain::text::Text;
use heng_domain::time::Instant;
use jiff::civil::{Date, date};

use super::super::{NOTICE, Town};
use crate::view::{App, Settings};

/// An office of its own whose rules have a public poll and ballots on paper; its edition has taken its applications.
pub(super) fn paper() -> (Town, String) {
    let start = date(2026, 3, 2);
    let clock = Arc::new(ManualClock::at(Instant::at(start, 7, 0, 480).unwrap()));
    let heng = Heng::in_memory(clock.clone(), Arc::new(SeededEntropy::new(6))).unwrap();
    let frozen = Frozen {
        rules: read_rules("r", include_str!("../../../../../data/programmes/shenzhen.toml")).unwrap(),
        criteria: read_criteria("c", include_str!("../../../../../data/criteria/gbt19580-2012.toml")).unwrap(),
        calendar: read_calendar("k", include_str!("../../../../../data/calendars/cn.toml")).unwrap(),
    };
    let (applicants, experts, members) = (8, 40, members_needed(&frozen.rules, 15));
    let numbers = Numbers { firms: applicants, experts, members };
    let name = Text::new("试验办公室", "Test office");
    let cast = Cast::found(&heng, "test.example/office", name, frozen.rules.level, numbers, DEMO_SEED, true).unwrap();
    let log = format!("test.example/{}/2026", frozen.rules.id);
    let plan = Plan {
        applicants,
        experts,
        members,
        seed: DEMO_SEED,
        year: 2026,
        edition: "2026".to_owned(),
        label: Text::new("2026", "2026"),
        log: log.clone(),
        programme: frozen.rules.id.clone(),
        start,
        stop: Some(Stop::Applications(applicants)),
    };
    run(&heng, &clock, &cast, &frozen, &plan, &|_| {}).unwrap();
    let office = Arc::new(heng);
    let app = App::new(Arc::clone(&office), Settings::default()).unwrap();
    let router = crate::router(app.clone());
    (Town { earnest: router.clone(), router, office, app, clock }, log)
}

impl Town {
    /// A notice on which objections are taken now, and somebody whom it names.
    pub(in crate::tests) fn noticed(&self) -> (String, String) {
        let log = self.heng().log(NOTICE).unwrap();
        let image = log.image();
        let edition = image.state.edition().unwrap();
        let open = |notice| edition.notice_over(notice).is_some_and(|over| self.now() < over);
        let (id, notice) = edition.notices.iter().rfind(|(_, notice)| open(notice)).unwrap();
        (id.clone(), notice.body.names[0].clone())
    }

    /// Everybody who may have something to do in a log.
    pub(super) fn subjects(&self, log: &str) -> Vec<String> {
        let office = self.heng().office_log().unwrap();
        let mut out: Vec<String> = office.image().state.office().unwrap().people.keys().cloned().collect();
        let log = self.heng().log(log).unwrap();
        out.extend(log.image().state.edition().into_iter().flat_map(|e| e.organisations.keys().cloned()));
        out
    }

    /// Signs for everybody who is asked, as their devices would.
    pub(super) fn sign_all(&self, log: &str) {
        for subject in self.subjects(log) {
            for (proposal, standing) in proposal::concerning(self.heng(), &subject).unwrap() {
                if standing.asked {
                    let statements = proposal::statements(self.heng(), &proposal, &standing.handle).unwrap();
                    let handle = &standing.handle;
                    let name =
                        if handle.starts_with("x:") { format!("{handle}@{}", proposal.log) } else { handle.clone() };
                    let device = DeviceKey::of(DEMO_SEED, &name).unwrap();
                    let signed = statements.iter().map(|s| device.signature(&s.hash, handle, s.at.clone())).collect();
                    match proposal::sign(self.heng(), &proposal.id, &subject, signed) {
                        Ok(_) => {}
                        // Two asked for the same; one of them was first.
                        Err(DeskError::Refused(refusal)) if refusal.code.ends_with(".twice") => {
                            proposal::withdraw(self.heng(), &proposal.id, &proposal.subject).unwrap();
                        }
                        Err(error) => panic!("{} by {subject}: {error}", proposal.act),
                    }
                }
            }
        }
    }

    /// Does a task as its form suggests; whether a record came of it.
    pub(super) fn act(&self, subject: &str, task: &Task) -> bool {
        let size = || self.heng().log(&task.log).unwrap().image().state.position().0;
        let before = size();
        let Ok(sheet) = desk::sheet(self.heng(), &task.log, subject, task.kind, &task.case.id) else { return false };
        let answers = fill(&sheet, self.now().date(480));
        drop(proposal::act(self.heng(), &task.log, subject, task.kind, &task.case.id, &answers));
        self.sign_all(&task.log);
        size() > before
    }
}

fn last_digit(case: &str) -> u32 {
    case.chars().last().and_then(|c| c.to_digit(10)).unwrap_or(0)
}

/// Fills a form in as somebody would who only reads the labels.
pub(super) fn fill(sheet: &Sheet, today: Date) -> Answers {
    let one = |field: &Field| -> Vec<String> {
        if !field.value.is_empty() && field.value != [""] && !matches!(field.kind, Kind::Table { .. }) {
            return field.value.clone();
        }
        let text = |text: &str| vec![text.to_owned()];
        match &field.kind {
            Kind::Line { .. } if field.name.starts_with("value") => text("03,09,14,21,26,30|07"),
            Kind::Line { .. } if field.name == "number" => text("云政〔2026〕12号"),
            Kind::Line { .. } => text("部门复函（虚构）"),
            Kind::Area { .. } if field.optional => Vec::new(),
            Kind::Area { .. } => text("虚构内容，仅供测试。"),
            // Each applicant is as good as its number, so that nobody ties.
            Kind::Number { step: 5, .. } => vec![(55 + 5 * (last_digit(&sheet.case.id) % 8)).to_string()],
            Kind::Number { most, .. } => vec![(*most).min(90).to_string()],
            Kind::Money { .. } => text("100"),
            Kind::Day if field.name.ends_with("since") => text("2001-02-03"),
            Kind::Day if field.name.ends_with("from") => {
                vec![today.checked_sub(jiff::ToSpan::days(30)).unwrap().to_string()]
            }
            Kind::Day => vec![today.to_string()],
            Kind::Moment => vec![format!("{today}T12:00")],
            Kind::One { choices } => choices.first().map(|c| c.value.clone()).into_iter().collect(),
            Kind::Many { choices } if !field.optional => choices.first().map(|c| c.value.clone()).into_iter().collect(),
            Kind::Tick => text("yes"),
            Kind::Table { .. } if field.name != "figures" => field.value.clone(),
            Kind::Table { .. } => {
                let row = |line: &str| format!("{}\t1200.50\t90\t30\t120", line.split('\t').next().unwrap());
                vec![field.value.first().into_iter().flat_map(|v| v.lines()).map(row).collect::<Vec<_>>().join("\n")]
            }
            Kind::Many { .. } | Kind::Files { .. } => Vec::new(),
        }
    };
    sheet.fields.iter().map(|field| (field.name.clone(), one(field))).collect()
}
