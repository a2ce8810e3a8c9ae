//! The alarms of an edition's board: what is overdue, what came late, what was overridden, and a clock that was moved.

use heng_app::desk::alarms::{self, Alarm};
use heng_app::desk::notes::{self, Reader};
use heng_app::desk::words;
use heng_domain::edition::Edition;
use heng_domain::record::Record;
use maud::{Markup, html};
use serde::Serialize;
use utoipa::ToSchema;

use crate::ui::{self, Column, Row, Tone};
use crate::view::{App, View};
use crate::words::{date, instant};
use crate::work::{encode, place};

/// The alarms for a reader of the board.
pub(crate) fn list(app: &App, reader: &Reader) -> heng_app::Result<Vec<Alarm>> {
    let watched = app.watched(&*app.heng().log(&reader.log)?)?;
    alarms::list(app.heng(), reader, &watched)
}

/// How many alarms an edition has for its supervisor; `None` for everybody else.
pub(crate) fn count(app: &App, subject: &str, log: &str) -> heng_app::Result<Option<usize>> {
    let reader = notes::reader(app.heng(), log, subject)?.filter(|reader| reader.supervises);
    reader.map(|reader| Ok(list(app, &reader)?.len())).transpose()
}

/// A record that is an alarm for `subject`.
pub(crate) fn record(app: &App, log: &str, subject: &str, seq: u64) -> Option<Record> {
    let reader = notes::reader(app.heng(), log, subject).ok().flatten()?;
    let list = list(app, &reader).ok()?;
    list.iter().filter_map(Alarm::record).find(|record| record.seq == seq).cloned()
}

/// What kind of alarm it is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AlarmKind {
    /// An open stage is past its last day.
    Stage,
    /// An objection is past the day by which it must be answered.
    Objection,
    /// The server's clock stood before the newest record.
    Clock,
    /// A record came after its last day.
    Late,
    /// Something was overridden, changed, taken back, or done for somebody else.
    Override,
}

/// An alarm.
#[derive(Serialize, ToSchema)]
#[schema(as = Alarm)]
pub(crate) struct AlarmShape {
    /// What kind of alarm it is.
    alarm: AlarmKind,
    /// Stage or objection that it is about.
    about: Option<String>,
    /// The last day.
    #[schema(format = Date)]
    due: Option<String>,
    /// Number of the record.
    record: Option<u64>,
    /// Kind of the record.
    kind: Option<String>,
    /// Who wrote the record.
    by: Option<String>,
    /// When the record was written; for the clock, what it said.
    #[schema(format = DateTime)]
    at: Option<String>,
    /// The reason that the record gives.
    reason: Option<String>,
    /// For the clock: time of the newest record.
    #[schema(format = DateTime)]
    newest: Option<String>,
}

impl AlarmShape {
    fn new(alarm: AlarmKind) -> AlarmShape {
        let (about, due, record, kind, by) = (None, None, None, None, None);
        AlarmShape { alarm, about, due, record, kind, by, at: None, reason: None, newest: None }
    }

    fn of_record(alarm: AlarmKind, record: &Record) -> AlarmShape {
        AlarmShape {
            record: Some(record.seq),
            kind: Some(record.kind.clone()),
            by: Some(record.actor.clone()),
            at: Some(record.time.to_string()),
            reason: Some(reason(record).to_owned()).filter(|reason| !reason.is_empty()),
            ..AlarmShape::new(alarm)
        }
    }

    /// Names the alarm among all of its edition.
    pub(crate) fn id(&self) -> String {
        let kind = serde_json::to_string(&self.alarm).unwrap_or_default();
        format!("{kind} {:?} {:?} {:?}", self.about, self.record, self.newest)
    }
}

impl From<&Alarm> for AlarmShape {
    fn from(alarm: &Alarm) -> AlarmShape {
        let due_of = |kind, about: &str, due: &jiff::civil::Date| AlarmShape {
            about: Some(about.to_owned()),
            due: Some(due.to_string()),
            ..AlarmShape::new(kind)
        };
        match alarm {
            Alarm::Stage { stage, due } => due_of(AlarmKind::Stage, stage, due),
            Alarm::Objection { objection, due } => due_of(AlarmKind::Objection, objection, due),
            Alarm::Clock(jump) => AlarmShape {
                at: Some(jump.clock.to_string()),
                newest: Some(jump.newest.to_string()),
                ..AlarmShape::new(AlarmKind::Clock)
            },
            Alarm::Late { record, due } => {
                AlarmShape { due: Some(due.to_string()), ..AlarmShape::of_record(AlarmKind::Late, record) }
            }
            Alarm::Override(record) => AlarmShape::of_record(AlarmKind::Override, record),
        }
    }
}

fn reason(record: &Record) -> &str {
    record.body.get("reason").and_then(|reason| reason.as_str()).unwrap_or_default()
}

/// The alarms as the board shows them.
pub(crate) fn section(view: &View, app: &App, edition: &Edition, log: &str, alarms: &[Alarm]) -> Markup {
    let here = view.href(&format!("/work/{}", place(app, log)));
    let offset = edition.rules().utc_offset_minutes;
    let moment = |at| instant(view.lang, at, offset);
    let line = |alarm: &Alarm| -> Option<Markup> {
        match alarm {
            Alarm::Stage { stage, due } => {
                let name = edition.rules().stage(stage)?.name.get(view.lang);
                let text = view.tp("alarm_overdue", &[("stage", name), ("day", &date(view.lang, *due))]);
                Some(ui::status_tag(&text, Tone::Now))
            }
            Alarm::Objection { objection, due } => {
                let text = view.tp("alarm_objection_due", &[("objection", objection), ("day", &date(view.lang, *due))]);
                let href = format!("{here}/objections/{}", encode(objection));
                Some(html! { a href=(href) { (ui::status_tag(&text, Tone::Now)) } })
            }
            Alarm::Clock(jump) => {
                let places = [("clock", moment(jump.clock)), ("newest", moment(jump.newest))];
                let places = places.each_ref().map(|(name, value)| (*name, value.as_str()));
                Some(ui::status_tag(&view.tp("alarm_clock", &places), Tone::Now))
            }
            Alarm::Late { .. } | Alarm::Override(_) => None,
        }
    };
    let mut lines: Vec<Markup> = alarms.iter().filter_map(line).collect();
    let overdue = |id: &str| alarms.iter().any(|a| matches!(a, Alarm::Objection { objection, .. } if objection == id));
    for id in edition.open_objections().into_iter().filter(|id| !overdue(id)) {
        let text = view.tp("alarm_objection", &[("objection", id)]);
        let href = format!("{here}/objections/{}", encode(id));
        lines.push(html! { a href=(href) { (ui::status_tag(&text, Tone::Due)) } });
    }
    let row = |record: &Record, due: Option<String>| {
        let act = words("act", &record.kind, &[]);
        let reason = reason(record);
        let mut cells = vec![
            html! { (record.seq) },
            html! { (act.get(view.lang)) @if !reason.is_empty() { " · " (reason) } },
            html! { (record.actor) },
            html! { (moment(record.time)) },
        ];
        cells.extend(due.map(|due| html! { (due) }));
        Row::link(format!("{here}/records/{}", record.seq), cells)
    };
    let late: Vec<Row<'_>> = alarms
        .iter()
        .filter_map(|alarm| match alarm {
            Alarm::Late { record, due } => Some(row(record, Some(date(view.lang, *due)))),
            _ => None,
        })
        .collect();
    let overrides: Vec<Row<'_>> = alarms
        .iter()
        .filter_map(|alarm| match alarm {
            Alarm::Override(record) => Some(row(record, None)),
            _ => None,
        })
        .collect();
    let columns = ["alarm_record", "alarm_what", "alarm_who", "alarm_when", "alarm_due"];
    let columns: Vec<Column<'_>> = columns.map(|key| Column::text(view.t(key))).into();
    let table = |key: &str, columns: &[Column<'_>], rows: &[Row<'_>]| {
        html! { h3 { (view.t(key)) } (ui::table(&view.t(key), columns, rows, &html! {})) }
    };
    html! {
        section #alarms {
            h2 { (view.t("alarms")) }
            @if lines.is_empty() && late.is_empty() && overrides.is_empty() {
                p { (ui::status_tag(&view.t("alarms_none"), Tone::Done)) }
            }
            @if !lines.is_empty() { ul.signers { @for line in &lines { li { (line) } } } }
            @if !late.is_empty() { (table("alarms_late", &columns, &late)) }
            @if !overrides.is_empty() { (table("alarms_records", columns.get(..4).unwrap_or_default(), &overrides)) }
        }
    }
}
