//! What people are told: read from the logs, one message for each record and reader, so that no door can forget it.
//!
//! The post follows every log with a place of its own in the store. A crash in between repeats nothing, because a
//! message's key is its record and its reader. Nothing secret is in a message: only links.

use std::sync::Arc;

use heng_domain::edition::events::{Event, Role};
use heng_domain::edition::{Edition, Opinions};
use heng_domain::record::Record;
use heng_domain::replay::LogState;
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::account::{Account, Accounts, By, Language};
use crate::error::{AppError, Result};
use crate::heng::Heng;
use crate::log::Log;
use crate::outbox::{Outbox, Template, To};

/// Rows that say how far a log has been read.
const ROWS: &str = "posted";

/// Reads logs and puts messages.
pub struct Post {
    heng: Arc<Heng>,
    outbox: Arc<Outbox>,
}

/// A message that follows from a record: to whom, which text, which page.
struct Letter {
    subject: String,
    template: Template,
    page: String,
    due: Option<String>,
}

impl Post {
    /// The post of an office.
    pub fn new(heng: Arc<Heng>, outbox: Arc<Outbox>) -> Post {
        Post { heng, outbox }
    }

    /// Puts what follows from records since the last time; returns how many messages were put.
    ///
    /// # Errors
    /// If the store fails; the next call goes on where this one stopped.
    pub fn catch_up(&self, accounts: &Accounts) -> Result<usize> {
        let everybody = accounts.accounts(By::Operator).map_err(|error| AppError::Other(error.to_string()))?;
        let mut count = 0;
        for log in self.heng.editions() {
            let size = log.image().state.position().0;
            let kept = self.heng.store().row(ROWS, log.id())?;
            let next = kept.and_then(|bytes| String::from_utf8(bytes).ok()?.parse::<u64>().ok());
            self.remind(&log, &everybody);
            // A log that is seen for the first time has nothing to tell of its past.
            let first = next.unwrap_or(size);
            for seq in first..size {
                let record = log.record(seq)?;
                count += self.tell(&log, &record, &everybody);
            }
            if next != Some(size) {
                self.heng.store().put_row(ROWS, log.id(), size.to_string().as_bytes())?;
            }
        }
        Ok(count)
    }

    /// Officers are reminded once, a day before the departments' last day and again when it has passed, while answers are
    /// missing: departments answer on paper, so it is the office that asks again.
    fn remind(&self, log: &Log, everybody: &[Account]) {
        let office = self.office_name();
        let image = log.image();
        let LogState::Edition(Some(edition)) = &image.state else { return };
        let Some((asked, when)) = reminder(edition, edition.day(self.heng.clock().now())) else { return };
        let officers =
            everybody.iter().filter(|a| edition.has_role(a.subject.handle(), Role::Officer) && a.disabled.is_none());
        let letter = Letter {
            subject: String::new(),
            template: Template::TaskDue,
            page: format!("work/{}/opinions", place(edition)),
            due: Some(asked.until.to_string()),
        };
        for account in officers {
            let Some(mail) = &account.email else { continue };
            let key = format!("{}|{}|{when}|{}", edition.log, asked.seq, account.id);
            self.send(edition, (asked.seq, &key), &letter, &office, account, mail);
        }
    }

    fn tell(&self, log: &Log, record: &Record, everybody: &[Account]) -> usize {
        let image = log.image();
        let LogState::Edition(Some(edition)) = &image.state else { return 0 };
        let letters = letters(edition, record);
        let office = self.office_name();
        let mut put = 0;
        for letter in letters {
            let readers = everybody.iter().filter(|a| a.subject.handle() == letter.subject && a.disabled.is_none());
            for account in readers {
                let Some(mail) = &account.email else { continue };
                let key = format!("{}|{}|{}", edition.log, record.seq, account.id);
                put += usize::from(self.send(edition, (record.seq, &key), &letter, &office, account, mail));
            }
        }
        put
    }

    fn send(
        &self,
        edition: &Edition,
        (seq, key): (u64, &str),
        letter: &Letter,
        office: &str,
        account: &Account,
        mail: &str,
    ) -> bool {
        let lang = account.language.lang();
        let prefix = if account.language == Language::En { "en/" } else { "" };
        let link = format!("{}{prefix}{}", self.outbox.base_url(), letter.page);
        let name = format!("{} · {}", edition.rules().name.get(lang), edition.opened.label.get(lang));
        let (seq, due) = (seq.to_string(), letter.due.clone().unwrap_or_else(|| "—".to_owned()));
        let all = [
            ("office", office),
            ("edition", name.as_str()),
            ("record", seq.as_str()),
            ("due", due.as_str()),
            ("time", due.as_str()),
            ("link", link.as_str()),
        ];
        let places = letter.template.places();
        let params: Vec<(&str, &str)> = all.into_iter().filter(|(name, _)| places.contains(name)).collect();
        match self.outbox.put(key, &To::Mail(mail.to_owned()), account.language, letter.template, &params, None) {
            Ok(_) => true,
            Err(error) => {
                tracing::warn!(code = error.code(), "a message could not be put");
                false
            }
        }
    }

    fn office_name(&self) -> String {
        let log = self.heng.office_log();
        log.and_then(|log| log.image().state.office().map(|o| o.founded.name.zh.clone())).unwrap_or_default()
    }
}

/// An edition's place in addresses.
fn place(edition: &Edition) -> String {
    let slug: Vec<&str> = edition.log.rsplit('/').take(2).collect();
    slug.into_iter().rev().collect::<Vec<_>>().join("/")
}

/// What was asked of departments that still owe an answer, and which reminder is due on a day.
fn reminder(edition: &Edition, today: Date) -> Option<(&Opinions, &'static str)> {
    let asked = edition.opinions.as_ref()?;
    let owed = |a: &String| edition.field.contains(a) && edition.opinions_complete(a, today).is_err();
    let undecided = edition.applications.iter().filter(|(_, a)| a.review.is_none()).map(|(id, _)| id);
    let waits = { undecided }.any(owed);
    let when = if today > asked.until { "overdue" } else { "due" };
    let near = asked.until.yesterday().is_ok_and(|before| today >= before);
    (waits && near).then_some((asked, when))
}

/// The messages of a record.
fn letters(edition: &Edition, record: &Record) -> Vec<Letter> {
    let event: Option<Event> = serde_json::from_value(json!({ "type": record.kind, "body": record.body })).ok();
    let place = place(edition);
    let work = format!("work/{place}");
    let letter = |subject: &str, template, page: String, due: Option<String>| Letter {
        subject: subject.to_owned(),
        template,
        page,
        due,
    };
    let organisation =
        |application: &String| edition.applications.get(application).map(|a| a.body.organisation.clone());
    let day = |stage: &str| {
        let due = edition.rules().stage(stage).and_then(|stage| edition.due(stage));
        due.map(|day| day.to_string())
    };
    match event {
        Some(Event::ApplicationSubmitted(body)) => {
            vec![letter(
                &body.organisation,
                Template::ApplicationReceived,
                format!("{work}/records/{}", record.seq),
                None,
            )]
        }
        Some(Event::NoticePublished(body)) => body
            .names
            .iter()
            .filter_map(organisation)
            .map(|o| {
                let page = format!("editions/{place}/notices/{}", body.notice);
                letter(&o, Template::NoticePublished, page, Some(body.until.to_string()))
            })
            .collect(),
        Some(Event::PanelFormed(body)) => body
            .members
            .iter()
            .filter_map(|expert| person_of(edition, expert))
            .map(|person| letter(&person, Template::PanelInvitation, work.clone(), day(&body.stage)))
            .collect(),
        Some(Event::VisitPlanned(body)) => organisation(&body.application)
            .map(|o| {
                let page = format!("{work}/applications/{}/visit", body.application);
                letter(&o, Template::VisitPlanned, page, Some(body.first_day.to_string()))
            })
            .into_iter()
            .collect(),
        Some(Event::RosterFrozen(body)) => body
            .members
            .iter()
            .map(|member| letter(&member.person, Template::SessionInvitation, work.clone(), day(&body.stage)))
            .collect(),
        Some(Event::ScoresOpened(_)) => edition
            .applications
            .iter()
            .map(|(id, a)| {
                letter(&a.body.organisation, Template::FeedbackReady, format!("{work}/applications/{id}"), None)
            })
            .collect(),
        Some(Event::HonourConferred(body)) => organisation(&body.application)
            .map(|o| letter(&o, Template::FeedbackReady, format!("{work}/applications/{}", body.application), None))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// The person behind a pseudonym: only the server knows, and only for the address of the letter.
fn person_of(edition: &Edition, expert: &str) -> Option<String> {
    let seat = edition.seats.get(expert)?;
    let who = edition.known_value(seat.seq, "/who")?;
    who.get("person").and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use heng_domain::rules::{read_calendar, read_criteria, read_rules};

    use super::*;
    use crate::simulation::{Frozen, Size, simulate};

    #[test]
    fn the_office_is_reminded_of_departments_that_have_not_answered() {
        let frozen = Frozen {
            rules: read_rules("r", include_str!("../../../data/programmes/zhumadian.toml")).unwrap(),
            criteria: read_criteria("c", include_str!("../../../data/criteria/gbt19580-2012.toml")).unwrap(),
            calendar: read_calendar("k", include_str!("../../../data/calendars/cn.toml")).unwrap(),
        };
        let size = Size { applicants: 8, experts: 40, ..Size::default() };
        let (_heng, log) = simulate(&frozen, size, &|_| {}).unwrap();
        let mut e = log.image().state.edition().unwrap().clone();
        let until = e.opinions.as_ref().unwrap().until;
        let day = |days: i64| until.checked_add(jiff::ToSpan::days(days)).unwrap();
        let said = |e: &Edition, days: i64| reminder(e, day(days)).map(|(_, when)| when);
        assert_eq!(said(&e, 1), None, "all have answered");
        // One answer is missing, and the application waits for it.
        let application = e.field.iter().next().unwrap().clone();
        Arc::make_mut(e.applications.get_mut(&application).unwrap()).review = None;
        assert_eq!(said(&e, 1), None, "what is answered needs no reminder");
        e.opinions.as_mut().unwrap().answers.remove(&("court".to_owned(), application));
        assert_eq!((said(&e, -2), said(&e, -1), said(&e, 0)), (None, Some("due"), Some("due")));
        assert_eq!(said(&e, 1), Some("overdue"));
    }
}
