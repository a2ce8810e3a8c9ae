//! What people are told: read from the logs, one message for each record and reader, so that no door can forget it.
//!
//! The post follows every log with a place of its own in the store. A crash in between repeats nothing, because a
//! message's key is its record and its reader. Nothing secret is in a message: only links.

use std::sync::Arc;

use heng_domain::edition::events::{Event, Role};
use heng_domain::edition::{Application, Edition, Opinions};
use heng_domain::messages::date;
use heng_domain::record::Record;
use heng_domain::replay::LogState;
use heng_domain::text::Lang;
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::account::{Account, Accounts, By, Language};
use crate::desk;
use crate::error::{AppError, Result};
use crate::heng::Heng;
use crate::log::Log;
use crate::outbox::{Outbox, Template, To, is_address};

/// Rows that say how far a log has been read.
const ROWS: &str = "posted";
/// Rows that say on which day the people of an edition were last reminded.
const REMINDED: &str = "reminded";

/// Reads logs and puts messages.
pub struct Post {
    heng: Arc<Heng>,
    outbox: Arc<Outbox>,
}

/// To whom a message goes.
#[derive(Debug, PartialEq)]
enum Reader {
    /// Every account of a person or organisation.
    Subject(String),
    /// Somebody without an account, at an address of their own.
    Address(String),
}

/// A message that follows from a record: to whom, which text, which page.
#[derive(Debug, PartialEq)]
struct Letter {
    reader: Reader,
    template: Template,
    page: String,
    due: Option<Date>,
}

impl Letter {
    fn new(subject: &str, template: Template, page: String, due: Option<Date>) -> Letter {
        Letter { reader: Reader::Subject(subject.to_owned()), template, page, due }
    }
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
            self.remind_people(&log, &everybody)?;
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
        let image = log.image();
        let LogState::Edition(Some(edition)) = &image.state else { return };
        let Some((asked, when)) = reminder(edition, edition.day(self.heng.clock().now())) else { return };
        let officers =
            everybody.iter().filter(|a| edition.has_role(a.subject.handle(), Role::Officer) && a.disabled.is_none());
        let page = format!("work/{}/opinions", place(edition));
        let letter = Letter::new("", Template::TaskDue, page, Some(asked.until));
        for account in officers {
            let key = format!("{}|{}|{when}|{}", edition.log, asked.seq, account.id);
            self.write(edition, (asked.seq, &key), &letter, account);
        }
    }

    /// Whoever owes something is reminded on the day before its last day, and once more when that has passed. Looked at
    /// once a day; what was missed on a day off is made up for on the next.
    fn remind_people(&self, log: &Log, everybody: &[Account]) -> Result<()> {
        let (today, size) = {
            let image = log.image();
            let LogState::Edition(Some(edition)) = &image.state else { return Ok(()) };
            if edition.closed {
                return Ok(());
            }
            (edition.day(self.heng.clock().now()), edition.size)
        };
        let looked = self.heng.store().row(REMINDED, log.id())?;
        if looked.is_some_and(|day| day == today.to_string().into_bytes()) {
            return Ok(());
        }
        let reached = |a: &&Account| a.disabled.is_none() && (a.email.is_some() || a.phone.is_some());
        for account in everybody.iter().filter(reached) {
            let tasks = desk::tasks(&self.heng, log.id(), account.subject.handle())?;
            let due = tasks.iter().filter(|task| task.case.duty).filter_map(|task| task.case.due).min();
            let Some((due, when)) = due.and_then(|due| Some((due, owed(due, today)?))) else { continue };
            let image = log.image();
            let LogState::Edition(Some(edition)) = &image.state else { continue };
            let letter = Letter::new("", Template::TaskDue, format!("work/{}", place(edition)), Some(due));
            let key = format!("{}|{due}|{when}|{}", edition.log, account.id);
            self.write(edition, (size, &key), &letter, account);
        }
        Ok(self.heng.store().put_row(REMINDED, log.id(), today.to_string().as_bytes())?)
    }

    fn tell(&self, log: &Log, record: &Record, everybody: &[Account]) -> usize {
        let image = log.image();
        let LogState::Edition(Some(edition)) = &image.state else { return 0 };
        let letters = letters(edition, record);
        let mut put = 0;
        for letter in letters {
            let key = |reader: &str| format!("{}|{}|{reader}", edition.log, record.seq);
            match &letter.reader {
                Reader::Subject(subject) => {
                    let readers = everybody.iter().filter(|a| a.subject.handle() == subject && a.disabled.is_none());
                    for account in readers {
                        put += self.write(edition, (record.seq, &key(&account.id)), &letter, account);
                    }
                }
                // Nothing is known of the reader but the address; the key must not hold it.
                Reader::Address(mail) => {
                    let (key, to) = (key("objector"), To::Mail(mail.clone()));
                    put += usize::from(self.send(edition, (record.seq, &key), &letter, Language::default(), &to));
                }
            }
        }
        put
    }

    /// By mail, and by text message where the owner gave a telephone and the office has a service for it.
    fn write(&self, edition: &Edition, (seq, key): (u64, &str), letter: &Letter, account: &Account) -> usize {
        let mail = account.email.clone().map(|mail| (key.to_owned(), To::Mail(mail)));
        let phone = account.phone.clone().filter(|_| self.outbox.has_hook());
        let phone = phone.map(|phone| (format!("{key}|sms"), To::Phone(phone)));
        let ways = mail.into_iter().chain(phone);
        ways.filter(|(key, to)| self.send(edition, (seq, key), letter, account.language, to)).count()
    }

    fn send(&self, edition: &Edition, (seq, key): (u64, &str), letter: &Letter, language: Language, to: &To) -> bool {
        let lang = language.lang();
        let link = format!("{}{}{}", self.outbox.base_url(), language.prefix(), letter.page);
        let name = format!("{} · {}", edition.rules().name.get(lang), edition.opened.label.get(lang));
        let (seq, office) = (seq.to_string(), self.office_name(lang));
        let due = letter.due.map_or_else(|| "—".to_owned(), |day| date(lang, day));
        let all = [
            ("office", office.as_str()),
            ("edition", name.as_str()),
            ("record", seq.as_str()),
            ("due", due.as_str()),
            ("time", due.as_str()),
            ("link", link.as_str()),
        ];
        let places = letter.template.places();
        let params: Vec<(&str, &str)> = all.into_iter().filter(|(name, _)| places.contains(name)).collect();
        match self.outbox.put(key, to, language, letter.template, &params, None) {
            Ok(_) => true,
            Err(error) => {
                tracing::warn!(code = error.code(), "a message could not be put");
                false
            }
        }
    }

    fn office_name(&self, lang: Lang) -> String {
        let log = self.heng.office_log();
        let name = |log: Arc<Log>| log.image().state.office().map(|o| o.founded.name.get(lang).to_owned());
        log.and_then(name).unwrap_or_default()
    }
}

/// Whether somebody who owes something until `due` is reminded, and of what.
fn owed(due: Date, today: Date) -> Option<&'static str> {
    if due < today {
        return Some("overdue");
    }
    due.yesterday().is_ok_and(|before| today >= before).then_some("due")
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
    let letter = Letter::new;
    let organisation =
        |application: &String| edition.applications.get(application).map(|a| a.body.organisation.clone());
    let day = |stage: &str| edition.rules().stage(stage).and_then(|stage| edition.due(stage));
    let news = |application: &String| -> Vec<Letter> {
        let page = format!("{work}/applications/{application}");
        organisation(application).map(|o| Letter::new(&o, Template::ApplicationNews, page, None)).into_iter().collect()
    };
    let to_objector = |id: &str, template| {
        let found = edition.objection(id);
        let letter = found.and_then(|objection| {
            let contact = edition.known_value(objection.seq, "/contact");
            objector(&place, contact, template, &objection.body.notice, edition.objection_due(id))
        });
        letter.into_iter().collect()
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
        // What became of an application is not said in a message: the page says it to whoever signs in.
        Some(Event::PreReviewDecided(body)) => news(&body.application),
        Some(Event::ApplicationWithdrawn(body)) if edition.has_role(&record.actor, Role::Officer) => {
            news(&body.application)
        }
        Some(Event::ShortlistDecided(_) | Event::SelectionDecided(_) | Event::DecisionMade(_)) => {
            let passed =
                |a: &Application| a.review.as_ref().is_some_and(|review| review.passed) && a.withdrawn.is_none();
            edition.applications.iter().filter(|(_, a)| passed(a)).flat_map(|(id, _)| news(id)).collect()
        }
        Some(Event::NoticePublished(body)) => body
            .names
            .iter()
            .filter_map(organisation)
            .map(|o| {
                let page = format!("editions/{place}/notices/{}", body.notice);
                letter(&o, Template::NoticePublished, page, Some(body.until))
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
                letter(&o, Template::VisitPlanned, page, Some(body.first_day))
            })
            .into_iter()
            .collect(),
        Some(Event::RosterFrozen(body)) => body
            .members
            .iter()
            .map(|member| letter(&member.person, Template::SessionInvitation, work.clone(), day(&body.stage)))
            .collect(),
        Some(Event::ObjectionReceived(body)) => to_objector(&body.objection, Template::ObjectionReceived),
        Some(Event::ObjectionScreened(body)) if body.accepted => {
            to_objector(&body.objection, Template::ObjectionAccepted)
        }
        Some(Event::ObjectionAnswered(body)) => to_objector(&body.objection, Template::ObjectionAnswered),
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

/// What is told to whoever objected, if they left a mail address: the page of the notice, which tells nothing of them.
fn objector(
    place: &str,
    contact: Option<&Value>,
    template: Template,
    notice: &str,
    due: Option<Date>,
) -> Option<Letter> {
    let address = contact?.as_str().map(str::trim).filter(|text| is_address(text))?;
    let reader = Reader::Address(address.to_owned());
    Some(Letter { reader, template, page: format!("editions/{place}/notices/{notice}"), due })
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

    #[test]
    fn a_task_is_recalled_the_day_before_its_last_and_after_it() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let due = day("2026-05-21");
        let at = |today: &str| owed(due, day(today));
        assert_eq!((at("2026-05-19"), at("2026-05-20"), at("2026-05-21")), (None, Some("due"), Some("due")));
        assert_eq!((at("2026-05-22"), at("2026-06-30")), (Some("overdue"), Some("overdue")));
    }

    #[test]
    fn whoever_objected_and_left_an_address_is_told_and_nothing_is_told_of_them() {
        let due = "2026-06-01".parse().ok();
        let told = |contact: &str| objector("city/2026", Some(&json!(contact)), Template::ObjectionAccepted, "n1", due);
        for nobody in ["", "13900000000", "somebody@", "a@example.org, b@example.org"] {
            assert_eq!(told(nobody), None, "{nobody}");
        }
        let reader = Reader::Address("somebody@example.org".to_owned());
        let page = "editions/city/2026/notices/n1".to_owned();
        let letter = Letter { reader, template: Template::ObjectionAccepted, page, due };
        assert_eq!(told(" somebody@example.org "), Some(letter));
    }
}
