//! Departments that are asked for their opinion in a simulated edition, and what they answer.

use heng_domain::edition::events::{OpinionAnswer, OpinionReceived, OpinionsAsked};
use heng_log::Hash;
use jiff::ToSpan;
use serde_json::json;

use super::{Random, Simulation};
use crate::error::{AppError, Result};

/// Salts the random bytes of sealed reasons, so that they take none from the course of the edition.
const SALT: u64 = 0x6f70_696e;

impl Simulation<'_> {
    /// All departments of the rules in one go.
    pub(super) fn ask_departments(&mut self) -> Result<()> {
        let Some(rules) = self.frozen.rules.opinions.clone() else { return Ok(()) };
        self.at(9, 0)?;
        let body = OpinionsAsked {
            applications: self.state(|e| e.field.iter().cloned().collect())?,
            departments: rules.departments.iter().map(|department| department.id.clone()).collect(),
            until: self.state(|e| e.opinions_end(self.day))??,
        };
        self.act("p:0001", &rules.days.basis, body, &[]).map(|_| ())
    }

    /// The reply letters. `objected` is the application that the first department objects to; where the rules take silence
    /// for no objection, the last department says nothing on the first application, and its last day is waited for.
    pub(super) fn department_answers(&mut self, applications: &[String], objected: Option<&String>) -> Result<()> {
        let Some(rules) = self.frozen.rules.opinions.clone() else { return Ok(()) };
        let evidence = vec![Hash(self.heng.store().put_attachment("部门复函（虚构内容，仅供演示）".as_bytes())?)];
        let event = self.day.checked_sub(5.months()).map_err(|error| AppError::Other(error.to_string()))?;
        let mut random = Random::new(self.settings.seed ^ SALT);
        let mut batch = Vec::new();
        for (index, department) in rules.departments.iter().enumerate() {
            let last = index + 1 == rules.departments.len();
            for application in applications {
                if rules.silence_clears.value && last && Some(application) == applications.first() {
                    continue;
                }
                let objects = index == 0 && Some(application) == objected;
                let body = OpinionReceived {
                    answer: if objects { OpinionAnswer::Objection } else { OpinionAnswer::Clear },
                    application: application.clone(),
                    corrects: None,
                    department: department.id.clone(),
                    events: if objects { vec![event] } else { Vec::new() },
                    evidence: evidence.clone(),
                    letter: format!("复函〔{}〕{}号（虚构）", self.settings.year, index + 1),
                };
                let draft = self.draft("p:0001", &department.basis, body)?;
                let reason = ("/reason".to_owned(), json!("受到行政处罚（虚构内容，仅供演示）"));
                batch.push(if objects { draft.hiding(random.bytes(), [reason].into()) } else { draft });
            }
        }
        self.submit(batch)?;
        let until = self.state(|e| e.opinions.as_ref().map(|asked| asked.until))?;
        while rules.silence_clears.value && until.is_some_and(|until| self.day <= until) {
            self.pass_days(1)?;
        }
        Ok(())
    }
}
