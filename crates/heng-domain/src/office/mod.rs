//! The office log (办公室总账): people, keys and terms, organisations, programmes and rules, honours, bans, money, figures.

pub mod events;
mod ledger;
mod people;
mod register;

use std::collections::BTreeMap;

use heng_log::Hash;
use heng_log::commitment::Opening;
use heng_log::signature::PublicKey;
use serde_json::json;

use crate::record::Record;
use crate::refusal::{Refusal, Verdict, ensure, refuse};
use crate::time::Instant;
use events::{
    BanImposed, EditionRegistered, EntryPosted, Event, FigureStated, OfficeFounded, OrganisationRegistered,
    ProgrammeEstablished, RulesAdopted,
};
pub use people::{Key, Person, Term};
pub use register::Honour;

/// What a rule sees of a record besides its body.
struct Context<'a> {
    record: &'a Record,
    /// A rehearsal: whoever may sign is taken to sign.
    rehearsed: bool,
}

impl Context<'_> {
    fn check_signature(&self, by: &str, key: Option<&PublicKey>) -> Verdict {
        if self.rehearsed { Ok(()) } else { self.record.check_signature(by, key) }
    }
}

/// The state of the office log.
#[derive(Clone, Debug, PartialEq)]
pub struct Office {
    /// Name of the log.
    pub log: String,
    /// Number of records.
    pub size: u64,
    /// Time of the last record.
    pub last: Instant,
    /// The first record.
    pub founded: OfficeFounded,
    /// People.
    pub people: BTreeMap<String, Person>,
    /// Organisations, with the number of the record.
    pub organisations: BTreeMap<String, (u64, OrganisationRegistered)>,
    /// Programmes.
    pub programmes: BTreeMap<String, ProgrammeEstablished>,
    /// Rules by programme, oldest first, with the number of the record.
    pub rules: BTreeMap<String, Vec<(u64, RulesAdopted)>>,
    /// Editions by log, with the number of the record.
    pub editions: BTreeMap<String, (u64, EditionRegistered)>,
    /// Honours.
    pub honours: BTreeMap<String, Honour>,
    /// Bans, oldest first.
    pub bans: Vec<BanImposed>,
    /// Entries, oldest first.
    pub entries: Vec<EntryPosted>,
    /// Figures by name; the last statement counts.
    pub figures: BTreeMap<String, (u64, FigureStated)>,
    /// Records of edition logs that were carried over, so that each is carried over once.
    pub carried: BTreeMap<(String, u64), u64>,
}

fn event(record: &Record) -> Result<Event, Refusal> {
    if !events::KINDS.contains(&record.kind.as_str()) {
        refuse!("record.kind", "", kind = &record.kind);
    }
    let event: Event = serde_json::from_value(json!({ "type": record.kind, "body": record.body }))
        .map_err(|error| Refusal::new("record.body", "").with("kind", &record.kind).with("detail", error))?;
    let same = event.split().is_some_and(|(_, body)| body == record.body);
    ensure!(same, "record.body", "", kind = &record.kind, detail = "not in its one written form");
    Ok(event)
}

impl Office {
    /// Opens the log with its first record.
    ///
    /// # Errors
    /// If the record is not `office.founded` or names fewer than two officers.
    pub fn open(log: &str, record: &Record) -> Result<Office, Refusal> {
        record.check_envelope(log, 0, None)?;
        let Event::OfficeFounded(founded) = event(record)? else { refuse!("office.first", "", kind = &record.kind) };
        let keys: std::collections::BTreeSet<_> = founded.officers.iter().map(|o| &o.key).collect();
        let persons: std::collections::BTreeSet<_> = founded.officers.iter().map(|o| &o.person).collect();
        let two = founded.officers.len() >= 2 && keys.len() == founded.officers.len() && persons.len() == keys.len();
        ensure!(two, "office.officers", "", found = founded.officers.len());
        for officer in &founded.officers {
            record.check_signature(&officer.person, Some(&officer.key))?;
        }
        let mut office = Office {
            log: log.to_owned(),
            size: 1,
            last: record.time,
            people: BTreeMap::new(),
            organisations: BTreeMap::new(),
            programmes: BTreeMap::new(),
            rules: BTreeMap::new(),
            editions: BTreeMap::new(),
            honours: BTreeMap::new(),
            bans: Vec::new(),
            entries: Vec::new(),
            figures: BTreeMap::new(),
            carried: BTreeMap::new(),
            founded,
        };
        office.seat_founders();
        Ok(office)
    }

    /// Whether `record` may follow.
    ///
    /// # Errors
    /// The refusal, if it may not.
    pub fn admit(&self, record: &Record, openings: &[Opening]) -> Verdict {
        self.judge(&Context { record, rehearsed: false }, openings)
    }

    /// Whether `record` could follow once all have signed it: the same rules, asked before anybody signs in vain.
    ///
    /// # Errors
    /// The refusal that `admit` would give for another reason than a signature.
    pub fn rehearse(&self, record: &Record, openings: &[Opening]) -> Verdict {
        self.judge(&Context { record, rehearsed: true }, openings)
    }

    fn judge(&self, cx: &Context<'_>, openings: &[Opening]) -> Verdict {
        let record = cx.record;
        record.check_envelope(&self.log, self.size, Some(self.last))?;
        for opening in openings {
            let commitment: Option<&Hash> = record.hidden.get(&opening.path);
            let fits = opening.seq == record.seq
                && commitment.is_some_and(|hash| opening.commitment().is_ok_and(|opened| opened == *hash));
            ensure!(fits, "opening.mismatch", "", record = record.seq, path = &opening.path);
        }
        match event(record)? {
            Event::OfficeFounded(_) => refuse!("office.founded_twice", ""),
            Event::PersonRegistered(body) => self.admit_person(cx, &body),
            Event::KeyEnrolled(body) => self.admit_key(cx, &body),
            Event::KeyConfirmed(body) => self.admit_confirmation(cx, &body),
            Event::KeyRevoked(body) => self.admit_key_revoked(cx, &body),
            Event::RoleGranted(body) => self.admit_role(cx, &body),
            Event::RoleEnded(body) => self.admit_role_ended(cx, &body),
            Event::OrganisationRegistered(body) => self.admit_organisation(cx, &body),
            Event::ProgrammeEstablished(body) => self.admit_programme(cx, &body),
            Event::RulesAdopted(body) => self.admit_rules(cx, &body),
            Event::EditionRegistered(body) => self.admit_edition(cx, &body),
            Event::HonourRegistered(body) => self.admit_honour(cx, &body),
            Event::HonourRevoked(body) => self.admit_honour_revoked(cx, &body),
            Event::BanImposed(body) => self.admit_ban(cx, &body),
            Event::EntryPosted(body) => self.admit_entry(cx, &body),
            Event::FigureStated(body) => self.admit_figure(cx, &body),
        }
    }

    /// The next state, for an admitted record.
    ///
    /// # Errors
    /// Only for a record whose body does not read, which `admit` would have refused.
    pub fn apply(&mut self, record: &Record) -> Verdict {
        let event = event(record)?;
        self.size = record.seq + 1;
        self.last = record.time;
        match event {
            Event::OfficeFounded(_) => {}
            Event::PersonRegistered(body) => self.apply_person(body),
            Event::KeyEnrolled(body) => self.apply_key(record.seq, body),
            Event::KeyConfirmed(body) => self.apply_confirmation(record.seq, &body),
            Event::KeyRevoked(body) => self.apply_key_revoked(&body),
            Event::RoleGranted(body) => self.apply_role(body),
            Event::RoleEnded(body) => self.apply_role_ended(record, &body),
            Event::OrganisationRegistered(body) => {
                self.organisations.insert(body.organisation.clone(), (record.seq, body));
            }
            Event::ProgrammeEstablished(body) => {
                self.programmes.insert(body.programme.clone(), body);
            }
            Event::RulesAdopted(body) => {
                self.rules.entry(body.programme.clone()).or_default().push((record.seq, body));
            }
            Event::EditionRegistered(body) => {
                self.editions.insert(body.log.clone(), (record.seq, body));
            }
            Event::HonourRegistered(body) => self.apply_honour(record.seq, body),
            Event::HonourRevoked(body) => self.apply_honour_revoked(&body),
            Event::BanImposed(body) => self.bans.push(body),
            Event::EntryPosted(body) => self.apply_entry(record.seq, body),
            Event::FigureStated(body) => {
                self.figures.insert(body.figure.clone(), (record.seq, body));
            }
        }
        Ok(())
    }

    /// The local day of an instant.
    pub fn day(&self, instant: Instant) -> jiff::civil::Date {
        instant.date(self.founded.utc_offset_minutes)
    }

    /// SHA-256 of the canonical form of rules.
    ///
    /// # Errors
    /// `record.form` for rules that are not canonical.
    pub fn rules_hash(rules: &crate::rules::Rules) -> Result<Hash, Refusal> {
        crate::edition::committee::value_hash(rules)
    }
}
