//! The record kinds of the office log: people, keys, organisations, rules, honours, bans, money, figures.

use heng_log::Hash;
use heng_log::signature::PublicKey;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::edition::events::Cite;
use crate::rules::{Level, Rules};
use crate::text::Text;

/// A role in the office, with a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfficeRole {
    /// Runs the office's work.
    Officer,
    /// Reads and witnesses, decides nothing.
    Supervisor,
    /// Sits on committees.
    Member,
    /// Chairs committees.
    Chair,
    /// Reviews as an expert.
    Expert,
    /// Recommends applicants.
    Recommender,
    /// Decides for the government.
    Authority,
    /// Counts paper ballots.
    Counter,
    /// Keeps the accounts of the funds.
    FundOfficer,
}

/// State of an honour in the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HonourState {
    /// Proposed or applied for.
    Nominated,
    /// Approved, not yet accepted (a demonstration zone under construction).
    Approved,
    /// Held.
    Held,
    /// Its term has ended.
    Lapsed,
    /// Taken back.
    Revoked,
}

/// One line of a double entry; positive is debit, negative is credit, in fen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Account, e.g. `prize-expense`, `payable:o:0001`, `budget:2026`.
    pub account: String,
    /// Fen: debit positive, credit negative.
    pub fen: i64,
}

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $kind:literal { $($(#[$fdoc:meta])* $field:ident : $type:ty),* $(,)? })*) => {
        /// Everything that can happen in the office log.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "type", content = "body")]
        #[allow(clippy::large_enum_variant)]
        pub enum Event {
            $($(#[$doc])* #[serde(rename = $kind)] $name($name),)*
        }

        /// All kinds.
        pub const KINDS: &[&str] = &[$($kind),*];

        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $name { $($(#[$fdoc])* pub $field: $type,)* }

            impl $name {
                /// The kind as written in the record.
                pub const KIND: &'static str = $kind;
            }

            impl From<$name> for Event {
                fn from(body: $name) -> Event {
                    Event::$name(body)
                }
            }
        )*
    };
}

events! {
    /// The first record: the office and its first two officers with their keys.
    OfficeFounded = "office.founded" {
        /// Invented for demonstration: shown on every page.
        demo: bool,
        /// Level of the authority.
        level: Level,
        /// Name.
        name: Text,
        /// First officers: person, public name, key. They enrol everybody else.
        officers: Vec<FirstOfficer>,
        /// Offset of local time from UTC in minutes.
        utc_offset_minutes: i32,
    }
    /// A person is registered; a name that is not public is hidden in `/name`.
    PersonRegistered = "person.registered" {
        /// Public name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Person, e.g. `p:0017`.
        person: String,
    }
    /// A personal key is enrolled; two officers sign.
    KeyEnrolled = "key.enrolled" {
        /// Key.
        key: PublicKey,
        /// Person.
        person: String,
    }
    /// The person signs with the new key: it is really theirs.
    KeyConfirmed = "key.confirmed" {
        /// Fingerprint.
        key: String,
        /// Person.
        person: String,
    }
    /// A key counts no longer.
    KeyRevoked = "key.revoked" {
        /// Fingerprint.
        key: String,
        /// Person.
        person: String,
        /// Why.
        reason: String,
    }
    /// A role for a term.
    RoleGranted = "role.granted" {
        /// First day.
        from: Date,
        /// Person.
        person: String,
        /// Role.
        role: OfficeRole,
        /// Last day.
        until: Date,
    }
    /// A role ends before its term.
    RoleEnded = "role.ended" {
        /// Person.
        person: String,
        /// Why.
        reason: String,
        /// Role.
        role: OfficeRole,
    }
    /// An organisation is registered, by its code, or from a published source that states no code.
    OrganisationRegistered = "organisation.registered" {
        /// County or district; empty texts if the source states none.
        county: Text,
        /// Groups, e.g. `srdi`.
        groups: Vec<String>,
        /// Name.
        name: Text,
        /// Organisation, e.g. `o:0001`.
        organisation: String,
        /// Sector; empty texts if the source states none.
        sector: Text,
        /// Published source, for facts from before Heng.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
        /// 统一社会信用代码
        #[serde(default, skip_serializing_if = "Option::is_none")]
        uscc: Option<String>,
    }
    /// A programme (奖项).
    ProgrammeEstablished = "programme.established" {
        /// Year of establishment, if it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        established: Option<u32>,
        /// Level.
        level: Level,
        /// Name.
        name: Text,
        /// Short name.
        programme: String,
    }
    /// A version of a programme's rules.
    RulesAdopted = "rules.adopted" {
        /// Programme.
        programme: String,
        /// The rules themselves.
        rules: Rules,
    }
    /// An edition gets its own log.
    EditionRegistered = "edition.registered" {
        /// Short name.
        edition: String,
        /// Name of its log.
        log: String,
        /// Programme.
        programme: String,
        /// SHA-256 of the canonical rules.
        rules_sha256: Hash,
        /// Year.
        year: u32,
    }
    /// An honour enters the register.
    HonourRegistered = "honour.registered" {
        /// Certificate number; empty if the source states none.
        certificate: String,
        /// Day of conferral, if it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conferred: Option<Date>,
        /// Edition, e.g. `2015`.
        edition: String,
        /// Honour, e.g. `h:0001`.
        honour: String,
        /// Organisation.
        organisation: String,
        /// Programme.
        programme: String,
        /// Record of the edition's log, for honours decided in Heng.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cite: Option<Cite>,
        /// Published source, for honours from before Heng.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
        /// State.
        state: HonourState,
        /// Tier.
        tier: String,
        /// Last day of validity, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        valid_until: Option<Date>,
        /// Year of the award.
        year: u32,
    }
    /// An honour is taken back; two officers sign the government's decision.
    HonourRevoked = "honour.revoked" {
        /// Document number.
        decision: String,
        /// Honour.
        honour: String,
        /// Why.
        reason: String,
    }
    /// An organisation may not apply for a time.
    BanImposed = "ban.imposed" {
        /// First day.
        from: Date,
        /// Why.
        ground: String,
        /// Organisation.
        organisation: String,
        /// Programme.
        programme: String,
        /// Last day.
        until: Date,
    }
    /// A double entry; its lines add up to nothing.
    EntryPosted = "entry.posted" {
        /// Record that it rests on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cite: Option<Cite>,
        /// Entry, e.g. `e:0001`.
        entry: String,
        /// Lines.
        lines: Vec<Line>,
        /// Day.
        on: Date,
        /// What it is.
        text: String,
    }
    /// A published number with its source and day.
    FigureStated = "figure.stated" {
        /// Day as of which it holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        as_of: Option<Date>,
        /// Figure, e.g. `mayor_award.winners`.
        figure: String,
        /// Names that it counts, if the source states them.
        names: Vec<String>,
        /// Published source.
        source: String,
        /// What it counts.
        topic: Text,
        /// Unit.
        unit: String,
        /// Value as written: a number or a text like `2014-2015`.
        value: String,
    }
}

/// One of the first officers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstOfficer {
    /// Key.
    pub key: PublicKey,
    /// Public name.
    pub name: String,
    /// Person.
    pub person: String,
}

impl Event {
    /// Kind and body, as they stand in a record. `None` never happens for these types.
    pub fn split(&self) -> Option<(String, serde_json::Value)> {
        let mut value = serde_json::to_value(self).ok()?;
        let body = value.get_mut("body")?.take();
        Some((value.get("type")?.as_str()?.to_owned(), body))
    }
}
