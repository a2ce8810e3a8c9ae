//! Everybody follows their own list, so that an edition passes through all its states and each form is open once.

use heng_app::desk::proposal;
use heng_app::desk::{self, Answers, Field, Kind, Sheet, Task};
use heng_app::simulation::{DEMO_SEED, DeviceKey};
use jiff::civil::Date;

use super::super::Town;

impl Town {
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
                    proposal::sign(self.heng(), &proposal.id, &subject, signed).unwrap();
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
            Kind::Table { .. } => {
                let row = |line: &str| format!("{}\t1200.50\t90\t30\t120", line.split('\t').next().unwrap());
                vec![field.value.first().into_iter().flat_map(|v| v.lines()).map(row).collect::<Vec<_>>().join("\n")]
            }
            Kind::Many { .. } | Kind::Files { .. } => Vec::new(),
        }
    };
    sheet.fields.iter().map(|field| (field.name.clone(), one(field))).collect()
}
