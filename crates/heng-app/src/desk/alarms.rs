//! Alarms (提醒) for whoever oversees an edition: what is overdue, what came late, what was overridden, and a clock that
//! was moved. All but the last follow from the records.

use heng_domain::edition::Edition;
use heng_domain::edition::events::{ApplicationSubmitted, Effect, Event, Role};
use heng_domain::record::Record;
use heng_domain::rules::StageKind;
use heng_domain::time::Instant;
use jiff::civil::Date;
use serde_json::json;

use super::notes::Reader;
use crate::error::Result;
use crate::heng::Heng;
use crate::jump::{self, Jump};
use crate::log::Log;

/// Kinds of record by which something was overridden, changed, taken back, or done for somebody else; some only at times.
const OVERRIDES: [&str; 19] = [
    "application.submitted",
    "application.withdrawn",
    "correction.noted",
    "decision.made",
    "draw.replaced",
    "draw.voided",
    "motion.disputed",
    "motion.reopened",
    "motion.voided",
    "objection.answered",
    "opinion.received",
    "panel.member_replaced",
    "person.unseated",
    "presence.recorded",
    "privacy.erased",
    "recusal.declared",
    "recusal.ordered",
    "visit.planned",
    "window.extended",
];

/// Kinds of record that have a last day.
const DATED: [&str; 18] = [
    "application.submitted",
    "condition.checked",
    "objection.answered",
    "objection.received",
    "objection.screened",
    "opinion.received",
    "opinions.asked",
    "panel.formed",
    "pool.frozen",
    "poll.counted",
    "pre_review.decided",
    "presence.recorded",
    "roster.frozen",
    "scores.computed",
    "selection.decided",
    "shortlist.decided",
    "stage.closed",
    "visit.planned",
];

/// Something that whoever oversees the edition should look at.
#[derive(Clone, Debug)]
pub enum Alarm {
    /// An open stage is past its last day.
    Stage {
        /// Stage.
        stage: String,
        /// Its last day.
        due: Date,
    },
    /// An objection is past the day by which it must be answered.
    Objection {
        /// Objection.
        objection: String,
        /// The day.
        due: Date,
    },
    /// The clock stood before the newest record.
    Clock(Jump),
    /// A record came after its last day.
    Late {
        /// The record.
        record: Record,
        /// The day.
        due: Date,
    },
    /// Something was overridden, changed, taken back, or done for somebody else.
    Override(Record),
}

impl Alarm {
    /// The record that it is about.
    pub fn record(&self) -> Option<&Record> {
        match self {
            Alarm::Late { record, .. } | Alarm::Override(record) => Some(record),
            Alarm::Stage { .. } | Alarm::Objection { .. } | Alarm::Clock(_) => None,
        }
    }
}

/// The records of a log that may be alarms. They only grow with it.
///
/// # Errors
/// If the store fails.
pub fn watched(log: &Log) -> Result<Vec<Record>> {
    let kinds: Vec<&str> = OVERRIDES.into_iter().chain(DATED).collect();
    let mut records = log.records_of(&kinds)?;
    let image = log.image();
    let Some(edition) = image.state.edition() else { return Ok(Vec::new()) };
    // A thousand applications that firms handed in themselves are none, and would be kept for nothing.
    records.retain(|record| {
        let own = record.kind == ApplicationSubmitted::KIND && !is_officer(edition, record);
        !own || event(record).is_some_and(|event| overrides(edition, record, &event))
    });
    Ok(records)
}

fn is_officer(edition: &Edition, record: &Record) -> bool {
    edition.seats.get(&record.actor).is_some_and(|seat| seat.roles.contains(&Role::Officer))
}

/// The alarms of an edition for a reader of its board: what is due now, jumps of the clock, then records, newest first.
///
/// # Errors
/// If the log is unknown, or the store fails.
pub fn list(heng: &Heng, reader: &Reader, watched: &[Record]) -> Result<Vec<Alarm>> {
    let log = heng.log(&reader.log)?;
    log.watch_clock();
    let jumps = jump::list(heng.store().as_ref(), &reader.log)?;
    let image = log.image();
    let Some(edition) = image.state.edition() else { return Ok(Vec::new()) };
    let mut alarms = due(edition, heng.clock().now());
    alarms.extend(jumps.into_iter().rev().map(Alarm::Clock));
    for record in watched.iter().rev() {
        let Some(event) = event(record) else { continue };
        if let Some(due) = last_day(edition, record, &event).filter(|due| edition.day(record.time) > *due) {
            alarms.push(Alarm::Late { record: record.clone(), due });
        }
        if overrides(edition, record, &event) {
            alarms.push(Alarm::Override(record.clone()));
        }
    }
    Ok(alarms)
}

fn event(record: &Record) -> Option<Event> {
    serde_json::from_value(json!({ "type": record.kind, "body": record.body })).ok()
}

/// What is overdue now.
fn due(edition: &Edition, now: Instant) -> Vec<Alarm> {
    let today = edition.day(now);
    let late = |due: Option<Date>| due.filter(|due| *due < today);
    let stages = edition.open_stages().into_iter();
    let stages = stages.filter_map(|s| Some(Alarm::Stage { stage: s.id.clone(), due: late(edition.due(s))? }));
    let open = edition.open_objections().into_iter();
    let open =
        open.filter_map(|id| Some(Alarm::Objection { objection: id.into(), due: late(edition.objection_due(id))? }));
    stages.chain(open).collect()
}

/// The last day on which a record was in time; `None` where it has none.
fn last_day(edition: &Edition, record: &Record, event: &Event) -> Option<Date> {
    match event {
        // A letter that came after the notice is entered and then not accepted.
        Event::ObjectionReceived(body) => Some(edition.notice(&body.notice)?.body.until),
        Event::ObjectionScreened(body) => edition.objection_due(&body.objection),
        Event::ObjectionAnswered(body) => edition.objection_due(&body.objection),
        Event::OpinionReceived(_) => Some(edition.opinions.as_ref()?.until),
        // These end with their window, never before.
        Event::StageClosed(body) => {
            let stage = edition.rules().stage(&body.stage)?;
            let window = matches!(stage.kind, StageKind::Application | StageKind::Notice);
            edition.due(stage).filter(|_| !window)
        }
        _ if !is_officer(edition, record) => None,
        Event::ConditionChecked(_) | Event::PreReviewDecided(_) | Event::OpinionsAsked(_) => {
            due_of(edition, StageKind::PreReview)
        }
        Event::PresenceRecorded(_) => due_of(edition, StageKind::Committee),
        Event::ApplicationSubmitted(_) => due_of(edition, StageKind::Application),
        _ => edition.due(edition.rules().stage(record.body.get("stage")?.as_str()?)?),
    }
}

fn due_of(edition: &Edition, kind: StageKind) -> Option<Date> {
    edition.due(edition.rules().stages.iter().find(|stage| stage.kind == kind)?)
}

/// Whether a record overrides, changes or takes back something, or does it for somebody else.
fn overrides(edition: &Edition, record: &Record, event: &Event) -> bool {
    match event {
        // The firm's own is no alarm; one that officers entered or withdrew is.
        Event::ApplicationSubmitted(body) => body.paper.is_some(),
        Event::ApplicationWithdrawn(_) => edition.seats.contains_key(&record.actor),
        Event::DecisionMade(body) => !body.returned.is_empty(),
        Event::ObjectionAnswered(body) => body.effect == Effect::Remove,
        Event::OpinionReceived(body) => body.corrects.is_some(),
        Event::PresenceRecorded(body) => body.reason.is_some(),
        Event::RecusalDeclared(body) => body.person != record.actor,
        Event::VisitPlanned(body) => body.changes.is_some(),
        _ => OVERRIDES.contains(&record.kind.as_str()),
    }
}
