//! Public notice (公示) and objections (异议).

use std::sync::Arc;

use jiff::civil::Date;

use super::admit::Context;
use super::events::{
    Attachment, Effect, NoticePublished, ObjectionAnswered, ObjectionReceived, ObjectionScreened, Role,
};
use super::state::{Edition, MotionState, Notice, Objection};
use crate::record::Record;
use crate::refusal::{Refusal, Verdict, ensure, refuse};
use crate::rules::{DayKind, NoticeRules, StageKind};
use crate::time::Instant;

/// Hidden fields that name an objector (award-rules.md R45, R46).
const OBJECTOR: [&str; 3] = ["/name", "/identity", "/contact"];

impl Edition {
    /// Last day of a notice published on `start`.
    ///
    /// # Errors
    /// If the calendar is missing or does not know a year of the window.
    pub fn notice_end(&self, rules: &NoticeRules, start: Date) -> Result<Date, Refusal> {
        let Some(calendar) = &self.calendar else { refuse!("call.no_calendar", "") };
        calendar
            .window_end(start, rules.days.value, rules.day_kind.value)
            .map_err(|error| Refusal::new("calendar.year", &*rules.day_kind.basis).with("year", error.0))
    }

    /// The first instant after a notice's window.
    pub fn notice_over(&self, notice: &Notice) -> Option<Instant> {
        Instant::end_of(notice.body.until, self.rules().utc_offset_minutes)
    }

    /// Whom a notice of this stage names: the winners once they are chosen, else the field.
    pub fn notice_names(&self) -> Vec<String> {
        let winners = self.standing_winners();
        if self.winners().is_some() {
            let decided = self
                .decision
                .as_ref()
                .map(|(d, _)| d.approved.iter().map(|a| a.application.as_str()).collect::<Vec<_>>());
            return winners
                .into_iter()
                .map(|(application, _)| application)
                .filter(|a| decided.as_ref().is_none_or(|d| d.contains(a)))
                .map(str::to_owned)
                .collect();
        }
        self.field.iter().cloned().collect()
    }

    pub(super) fn admit_notice(&self, cx: &Context<'_>, body: &NoticePublished) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        self.require_signature(cx, cx.actor())?;
        let stage = self.open_stage(&body.stage, StageKind::Notice)?;
        let Some(rules) = &stage.notice else { refuse!("stage.kind", &stage.basis, stage = &stage.id) };
        ensure!(self.notice(&body.notice).is_none(), "notice.twice", &stage.basis, notice = &body.notice);
        let other = self.notices.iter().any(|(_, n)| n.body.stage == body.stage);
        ensure!(!other, "notice.twice", &stage.basis, notice = &body.notice);
        let names = self.notice_names();
        ensure!(names == body.names, "notice.names", &stage.basis, expected = names.join(", "));
        let until = self.notice_end(rules, self.day(cx.record.time))?;
        ensure!(until == body.until, "notice.until", &rules.days.basis, computed = until, stated = body.until);
        let whole = ![&body.title.zh, &body.title.en, &body.text.zh, &body.text.en].iter().any(|t| t.is_empty());
        ensure!(whole, "notice.text", &stage.basis);
        for application in &body.names {
            let name = self.applicant(application).map_or("", |o| o.name.zh.as_str());
            ensure!(body.text.zh.contains(name), "notice.name_missing", &stage.basis, name = name);
        }
        Ok(())
    }

    pub(super) fn apply_notice(&mut self, record: &Record, body: NoticePublished) {
        let names_winners = self.winners().is_some();
        self.notices.push((body.notice.clone(), Notice { body, time: record.time, seq: record.seq, names_winners }));
    }

    fn notice_rules(&self, notice: &Notice) -> Result<&NoticeRules, Refusal> {
        self.rules()
            .stage(&notice.body.stage)
            .and_then(|stage| stage.notice.as_ref())
            .ok_or_else(|| Refusal::new("stage.unknown", "").with("stage", &notice.body.stage))
    }

    pub(super) fn admit_objection(&self, cx: &Context<'_>, body: &ObjectionReceived) -> Verdict {
        // The public portal passes an objection on; an officer enters one that came by letter.
        let by_letter = cx.actor() != "public";
        if by_letter {
            self.require_role(cx, Role::Officer)?;
        }
        let Some(notice) = self.notice(&body.notice) else { refuse!("notice.unknown", "", notice = &body.notice) };
        let rules = self.notice_rules(notice)?;
        ensure!(self.objection(&body.objection).is_none(), "objection.twice", "", objection = &body.objection);
        let named = notice.body.names.contains(&body.application);
        ensure!(named, "objection.not_named", &rules.days.basis, application = &body.application);
        ensure!(matches!(body.by.as_str(), "unit" | "person"), "objection.by", &rules.real_name.basis);
        // A late letter is recorded and then not accepted (R45); the portal's form is simply closed.
        let late = self.is_late(notice, cx.record.time);
        ensure!(!late || by_letter, "objection.late", &rules.days.basis, until = notice.body.until);
        let identified = OBJECTOR.iter().all(|path| cx.record.hidden.contains_key(*path));
        ensure!(body.real_name == identified, "objection.identity", &rules.real_name.basis);
        ensure!(cx.record.hidden.contains_key("/grounds"), "objection.grounds", &rules.real_name.basis);
        Ok(())
    }

    fn is_late(&self, notice: &Notice, time: Instant) -> bool {
        self.notice_over(notice).is_none_or(|over| time >= over)
    }

    pub(super) fn apply_objection(&mut self, record: &Record, body: ObjectionReceived) {
        let objection = Objection { seq: record.seq, time: record.time, screened: None, answer: None, body };
        self.objections.push((objection.body.objection.clone(), objection));
    }

    fn find_objection(&self, id: &str) -> Result<(&Objection, &NoticeRules), Refusal> {
        let Some(objection) = self.objection(id) else { refuse!("objection.unknown", "", objection = id) };
        let Some(notice) = self.notice(&objection.body.notice) else {
            refuse!("notice.unknown", "", notice = &objection.body.notice)
        };
        Ok((objection, self.notice_rules(notice)?))
    }

    pub(super) fn admit_screening(&self, cx: &Context<'_>, body: &ObjectionScreened) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        let (objection, rules) = self.find_objection(&body.objection)?;
        ensure!(
            objection.screened.is_none(),
            "objection.screened",
            &rules.real_name.basis,
            objection = &body.objection
        );
        // A late or nameless objection is recorded as not accepted, with the reason, never dropped (R45).
        let must_refuse = rules.real_name.value && !objection.body.real_name;
        ensure!(
            !(must_refuse && body.accepted),
            "objection.anonymous",
            &rules.real_name.basis,
            objection = &body.objection
        );
        if let Some(notice) = self.notice(&objection.body.notice) {
            let late = self.is_late(notice, objection.time);
            ensure!(!(late && body.accepted), "objection.late", &rules.days.basis, until = notice.body.until);
        }
        ensure!(!body.reason.is_empty(), "reason.missing", &rules.real_name.basis);
        Ok(())
    }

    pub(super) fn apply_screening(&mut self, body: ObjectionScreened) {
        if let Some((_, objection)) = self.objections.iter_mut().find(|(id, _)| *id == body.objection) {
            objection.screened = Some((body.accepted, body.reason));
        }
    }

    pub(super) fn admit_answer(&self, cx: &Context<'_>, body: &ObjectionAnswered) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        self.require_signers(cx, Role::Officer, 2)?;
        let (objection, rules) = self.find_objection(&body.objection)?;
        let accepted = objection.screened.as_ref().is_some_and(|(accepted, _)| *accepted);
        ensure!(accepted, "objection.not_accepted", &rules.real_name.basis, objection = &body.objection);
        ensure!(
            objection.answer.is_none(),
            "objection.answered",
            &rules.answer_days.basis,
            objection = &body.objection
        );
        ensure!(!body.reply.is_empty(), "reason.missing", &rules.answer_days.basis);
        let voting = self.motions.iter().any(|(_, motion)| {
            motion.state < MotionState::Announced && motion.body.options.contains(&objection.body.application)
        });
        let waits = body.effect == Effect::Remove && voting;
        ensure!(!waits, "application.voting", &rules.answer_days.basis, application = &objection.body.application);
        let fits = body.upheld || body.effect == Effect::None;
        ensure!(fits, "objection.effect", &rules.answer_days.basis);
        ensure!(self.decision.is_none() || body.effect == Effect::None, "objection.decided", &rules.answer_days.basis);
        Ok(())
    }

    pub(super) fn apply_answer(&mut self, body: ObjectionAnswered) {
        let Some((_, objection)) = self.objections.iter_mut().find(|(id, _)| *id == body.objection) else {
            return;
        };
        if body.effect == Effect::Remove {
            let application = objection.body.application.clone();
            self.field.remove(&application);
            if let Some(application) = self.applications.get_mut(&application).map(Arc::make_mut) {
                application.removed = true;
            }
        }
        objection.answer = Some(body);
    }

    /// Last day to answer an objection: so many working days after the day on which it came. `None` if there is no such
    /// objection, or the calendar does not know a year.
    pub fn objection_due(&self, id: &str) -> Option<Date> {
        let objection = self.objection(id)?;
        let stage = self.rules().stage(&self.notice(&objection.body.notice)?.body.stage)?;
        let days = stage.notice.as_ref()?.answer_days.value;
        self.calendar.as_ref()?.window_end(self.day(objection.time), days, DayKind::Working).ok()
    }

    /// The files that came with an objection, as far as their names are known: none once it was erased.
    pub fn objection_files(&self, id: &str) -> Vec<Attachment> {
        let Some(objection) = self.objection(id) else { return Vec::new() };
        let known = self.known_value(objection.seq, "/files").cloned();
        let files: Vec<Attachment> = known.and_then(|files| serde_json::from_value(files).ok()).unwrap_or_default();
        files.into_iter().filter(|file| objection.body.evidence.contains(&file.sha256)).collect()
    }

    /// Objections that still need an answer.
    pub fn open_objections(&self) -> Vec<&str> {
        self.objections
            .iter()
            .filter(|(_, o)| match &o.screened {
                None => true,
                Some((accepted, _)) => *accepted && o.answer.is_none(),
            })
            .map(|(id, _)| id.as_str())
            .collect()
    }

    /// Whether all that a record hides may be erased when its retention term is over.
    ///
    /// Marks and scores decide; they are never personal data that may be erased (threat T30).
    pub fn is_erasable(&self, seq: u64) -> bool {
        let personal = |path: &String| {
            matches!(path.as_str(), "/name" | "/identity" | "/contact" | "/who" | "/grounds" | "/files")
        };
        self.hidden.get(&seq).is_some_and(|fields| fields.paths().all(personal))
    }
}
