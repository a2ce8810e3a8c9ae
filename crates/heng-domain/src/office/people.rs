//! People, keys, roles and terms.

use heng_log::signature::PublicKey;
use jiff::civil::Date;

use super::events::{KeyConfirmed, KeyEnrolled, KeyRevoked, OfficeRole, PersonRegistered, RoleEnded, RoleGranted};
use super::{Context, Office};
use crate::record::Record;
use crate::refusal::{Verdict, ensure, refuse};

/// A role with its term, both days included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Role.
    pub role: OfficeRole,
    /// First day.
    pub from: Date,
    /// Last day.
    pub until: Date,
}

/// A key of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key.
    pub public: PublicKey,
    /// Number of the record that enrolled it.
    pub enrolled: u64,
    /// Number of the record with which the person confirmed it.
    pub confirmed: Option<u64>,
    /// It counts no longer.
    pub revoked: bool,
}

/// A person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Public name, if there is one.
    pub name: Option<String>,
    /// Terms.
    pub terms: Vec<Term>,
    /// Keys, oldest first.
    pub keys: Vec<Key>,
}

impl Person {
    /// The key that counts: the last one that is confirmed and not revoked.
    pub fn key(&self) -> Option<&Key> {
        self.keys.iter().rev().find(|key| key.confirmed.is_some() && !key.revoked)
    }
}

impl Office {
    pub(super) fn seat_founders(&mut self) {
        for officer in &self.founded.officers {
            let term = Term { role: OfficeRole::Officer, from: self.day(self.last), until: Date::MAX };
            let key = Key { public: officer.key.clone(), enrolled: 0, confirmed: Some(0), revoked: false };
            let person = Person { name: Some(officer.name.clone()), terms: vec![term], keys: vec![key] };
            self.people.insert(officer.person.clone(), person);
        }
    }

    /// Whether `person` holds `role` on `day`.
    pub fn holds(&self, person: &str, role: OfficeRole, day: Date) -> bool {
        self.people
            .get(person)
            .is_some_and(|p| p.terms.iter().any(|t| t.role == role && t.from <= day && day <= t.until))
    }

    fn role_name(role: OfficeRole) -> String {
        serde_json::to_value(role).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// The actor holds `role` on the record's day.
    pub(super) fn require(&self, cx: &Context<'_>, role: OfficeRole) -> Verdict {
        let holds = self.holds(&cx.record.actor, role, self.day(cx.record.time));
        ensure!(
            holds,
            "role.missing",
            "",
            actor = &cx.record.actor,
            role = Self::role_name(role),
            kind = &cx.record.kind
        );
        Ok(())
    }

    /// At least `count` officers in office signed, the actor among them.
    pub(super) fn require_officers(&self, cx: &Context<'_>, count: usize) -> Verdict {
        self.require(cx, OfficeRole::Officer)?;
        let day = self.day(cx.record.time);
        let officer = |by: &&str| self.holds(by, OfficeRole::Officer, day);
        let key_of = |by: &str| self.people.get(by).and_then(Person::key).map(|key| &key.public);
        let signers: Vec<&str> = match cx.rehearsed {
            // Only those who have a key can sign.
            true => self.people.keys().map(String::as_str).filter(officer).filter(|by| key_of(by).is_some()).collect(),
            false => cx.record.sigs.iter().map(|s| s.by.as_str()).filter(officer).collect(),
        };
        ensure!(
            signers.len() >= count,
            "signature.too_few",
            "",
            role = "officer",
            found = signers.len(),
            needed = count
        );
        cx.check_signature(&cx.record.actor, key_of(&cx.record.actor))?;
        for by in signers {
            cx.check_signature(by, key_of(by))?;
        }
        Ok(())
    }

    pub(super) fn admit_person(&self, cx: &Context<'_>, body: &PersonRegistered) -> Verdict {
        self.require_officers(cx, 1)?;
        ensure!(body.person.starts_with("p:"), "handle.form", "", handle = &body.person);
        ensure!(!self.people.contains_key(&body.person), "person.seated_twice", "", person = &body.person);
        ensure!(
            body.name.is_some() || cx.record.hidden.contains_key("/name"),
            "person.no_name",
            "",
            person = &body.person
        );
        Ok(())
    }

    pub(super) fn apply_person(&mut self, body: PersonRegistered) {
        self.people.insert(body.person, Person { name: body.name, ..Person::default() });
    }

    /// Two officers enrol a key, so that nobody alone can make a voter (threat T32).
    pub(super) fn admit_key(&self, cx: &Context<'_>, body: &KeyEnrolled) -> Verdict {
        self.require_officers(cx, 2)?;
        ensure!(self.people.contains_key(&body.person), "person.unknown", "", person = &body.person);
        let shared = self.people.values().any(|p| p.keys.iter().any(|k| k.public == body.key));
        ensure!(!shared, "key.shared", "");
        Ok(())
    }

    pub(super) fn apply_key(&mut self, seq: u64, body: KeyEnrolled) {
        if let Some(person) = self.people.get_mut(&body.person) {
            person.keys.push(Key { public: body.key, enrolled: seq, confirmed: None, revoked: false });
        }
    }

    pub(super) fn admit_confirmation(&self, cx: &Context<'_>, body: &KeyConfirmed) -> Verdict {
        ensure!(cx.record.actor == body.person, "key.confirm_self", "", person = &body.person);
        let key = self
            .people
            .get(&body.person)
            .and_then(|p| p.keys.iter().find(|k| k.public.fingerprint() == body.key && !k.revoked));
        let Some(key) = key else { refuse!("key.unknown", "", person = &body.person) };
        ensure!(key.confirmed.is_none(), "key.confirmed", "", person = &body.person);
        cx.check_signature(&body.person, Some(&key.public))
    }

    pub(super) fn apply_confirmation(&mut self, seq: u64, body: &KeyConfirmed) {
        let key = self
            .people
            .get_mut(&body.person)
            .and_then(|p| p.keys.iter_mut().find(|k| k.public.fingerprint() == body.key));
        if let Some(key) = key {
            key.confirmed = Some(seq);
        }
    }

    pub(super) fn admit_key_revoked(&self, cx: &Context<'_>, body: &KeyRevoked) -> Verdict {
        self.require_officers(cx, 2)?;
        let known = self
            .people
            .get(&body.person)
            .is_some_and(|p| p.keys.iter().any(|k| k.public.fingerprint() == body.key && !k.revoked));
        ensure!(known, "key.unknown", "", person = &body.person);
        ensure!(!body.reason.is_empty(), "reason.missing", "");
        Ok(())
    }

    pub(super) fn apply_key_revoked(&mut self, body: &KeyRevoked) {
        let key = self
            .people
            .get_mut(&body.person)
            .and_then(|p| p.keys.iter_mut().find(|k| k.public.fingerprint() == body.key));
        if let Some(key) = key {
            key.revoked = true;
        }
    }

    pub(super) fn admit_role(&self, cx: &Context<'_>, body: &RoleGranted) -> Verdict {
        self.require_officers(cx, 2)?;
        ensure!(self.people.contains_key(&body.person), "person.unknown", "", person = &body.person);
        ensure!(body.from <= body.until, "term.turned", "", from = body.from, until = body.until);
        let supervises = |role| role == OfficeRole::Supervisor;
        let other = self.people.get(&body.person).is_some_and(|p| {
            p.terms
                .iter()
                .any(|t| t.from <= body.until && body.from <= t.until && supervises(t.role) != supervises(body.role))
        });
        ensure!(!other, "person.supervisor_only", "", person = &body.person);
        Ok(())
    }

    pub(super) fn apply_role(&mut self, body: RoleGranted) {
        if let Some(person) = self.people.get_mut(&body.person) {
            person.terms.push(Term { role: body.role, from: body.from, until: body.until });
        }
    }

    pub(super) fn admit_role_ended(&self, cx: &Context<'_>, body: &RoleEnded) -> Verdict {
        self.require_officers(cx, 2)?;
        let day = self.day(cx.record.time);
        ensure!(self.holds(&body.person, body.role, day), "role.not_held", "", person = &body.person);
        ensure!(!body.reason.is_empty(), "reason.missing", "");
        // The office must keep two officers, or nothing could be signed any more.
        let officers = self.people.keys().filter(|p| self.holds(p, OfficeRole::Officer, day)).count();
        ensure!(body.role != OfficeRole::Officer || officers > 2, "office.officers", "", found = officers - 1);
        Ok(())
    }

    pub(super) fn apply_role_ended(&mut self, record: &Record, body: &RoleEnded) {
        let yesterday = self.day(record.time).yesterday().unwrap_or(Date::MIN);
        if let Some(person) = self.people.get_mut(&body.person) {
            for term in person.terms.iter_mut().filter(|t| t.role == body.role && t.until > yesterday) {
                term.until = yesterday;
            }
        }
    }
}
