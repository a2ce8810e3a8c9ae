//! The office log: people, keys and terms, organisations, programmes and rules, editions, honours, money.

use heng_domain::office::events::{
    BanImposed, EditionRegistered, EntryPosted, HonourRegistered, HonourRevoked, KeyConfirmed, KeyEnrolled, KeyRevoked,
    Line, OfficeRole, OrganisationRegistered, PersonRegistered, ProgrammeEstablished, RoleEnded, RoleGranted,
};
use heng_domain::office::{Key, Office};
use heng_domain::rules::Level;
use heng_domain::text::Text;
use heng_log::signature::PublicKey;
use serde_json::json;

use super::field::{Choice, Field, Input, Kind, same, words};
use super::{Act, Case, DeskError, OfficeDesk, Proposed, Signs, Who, Written, Wrong};

type OfficeAct<'a> = Act<OfficeDesk<'a>>;

/// An act of officers that asks the same at any time.
fn officers<'a>(
    kind: &'static str,
    signs: Signs,
    form: fn(&OfficeDesk<'a>, &str) -> Vec<Field>,
    write: fn(&OfficeDesk<'a>, &str, &Input) -> Proposed,
) -> OfficeAct<'a> {
    let open = |desk: &OfficeDesk<'a>| {
        let name = desk.office.founded.name.clone();
        if desk.holds(OfficeRole::Officer) { vec![Case::possible("-", name)] } else { Vec::new() }
    };
    Act { kind, who: Who::Officer, signs, open, form, write }
}

pub(super) fn acts<'a>() -> Vec<OfficeAct<'a>> {
    let mut out = people();
    out.extend(register());
    out
}

fn people<'a>() -> Vec<OfficeAct<'a>> {
    vec![
        officers(
            PersonRegistered::KIND,
            Signs::ACTOR,
            |_, _| vec![Field::new("name", Kind::Line { most: 60 }), Field::new("public_name", Kind::Tick)],
            |desk, _, input| {
                let taken = |n: u32| desk.office.people.contains_key(&format!("p:{n:04}"));
                let person = (1u32..).find(|n| !taken(*n)).map(|n| format!("p:{n:04}")).unwrap_or_default();
                let name = input.text("name");
                let public = input.ticked("public_name");
                let body = PersonRegistered { name: public.then(|| name.clone()), person };
                let written = Written::office(&basis("people"), body)?;
                Ok(vec![if public { written } else { written.hiding("/name", json!(name)) }])
            },
        ),
        Act {
            kind: KeyEnrolled::KIND,
            who: Who::Officer,
            signs: Signs::OFFICERS,
            open: |desk| {
                if !desk.holds(OfficeRole::Officer) {
                    return Vec::new();
                }
                let offered = super::proposal::offered_keys(desk.heng, &desk.office.log).unwrap_or_default();
                let new = offered.into_iter().filter(|(person, key)| !enrolled(desk.office, person, key));
                new.map(|(person, key)| {
                    let name = desk.office.people.get(&person).and_then(|p| p.name.clone());
                    let about = same(format!("{} · {person} · {}", name.unwrap_or_default(), key.fingerprint()));
                    Case::duty(person, about, None)
                })
                .collect()
            },
            form: |_, _| Vec::new(),
            write: |desk, person, _| {
                let key = super::proposal::offered_keys(desk.heng, &desk.office.log)?.remove(person);
                let key = key.ok_or(DeskError::NotOpen)?;
                Ok(vec![Written::office(&basis("people"), KeyEnrolled { key, person: person.to_owned() })?])
            },
        },
        Act {
            kind: KeyConfirmed::KIND,
            who: Who::Member,
            signs: Signs::ACTOR,
            open: |desk| {
                let waiting = desk.office.people.get(&desk.me).into_iter().flat_map(|p| &p.keys);
                let waiting = waiting.filter(|key| key.confirmed.is_none() && !key.revoked);
                waiting.map(|key| Case::duty(key.public.fingerprint(), same(key.public.fingerprint()), None)).collect()
            },
            form: |_, _| Vec::new(),
            write: |desk, key, _| {
                let body = KeyConfirmed { key: key.to_owned(), person: desk.me.clone() };
                Ok(vec![Written::office(&basis("people"), body)?])
            },
        },
        officers(
            KeyRevoked::KIND,
            Signs::OFFICERS,
            |desk, _| {
                let keys = desk.office.people.iter().flat_map(|(id, person)| {
                    let live = person.keys.iter().filter(|key| !key.revoked);
                    live.map(move |key| {
                        let print = key.public.fingerprint();
                        Choice::new(format!("{id} {print}"), same(format!("{} · {print}", person_name(desk, id))))
                    })
                });
                vec![
                    Field::new("key", Kind::One { choices: keys.collect() }),
                    Field::new("reason", Kind::Line { most: 200 }),
                ]
            },
            |_, _, input| {
                let choice = input.text("key");
                let (person, key) = choice.split_once(' ').ok_or(DeskError::NotOpen)?;
                let body = KeyRevoked { key: key.to_owned(), person: person.to_owned(), reason: input.text("reason") };
                Ok(vec![Written::office(&basis("people"), body)?])
            },
        ),
        officers(
            RoleGranted::KIND,
            Signs::OFFICERS,
            |desk, _| {
                let today = desk.today();
                vec![
                    Field::new("person", Kind::One { choices: everybody(desk) }),
                    Field::new("role", Kind::One { choices: roles() }),
                    Field::new("from", Kind::Day).with(today),
                    Field::new("until", Kind::Day),
                ]
            },
            |desk, _, input| {
                let body = RoleGranted {
                    from: input.day("from").unwrap_or(desk.today()),
                    person: input.text("person"),
                    role: role_of(&input.text("role")).ok_or(DeskError::NotOpen)?,
                    until: input.day("until").unwrap_or(desk.today()),
                };
                Ok(vec![Written::office(&basis("people"), body)?])
            },
        ),
        officers(
            RoleEnded::KIND,
            Signs::OFFICERS,
            |desk, _| {
                vec![
                    Field::new("person", Kind::One { choices: everybody(desk) }),
                    Field::new("role", Kind::One { choices: roles() }),
                    Field::new("reason", Kind::Line { most: 200 }),
                ]
            },
            |_, _, input| {
                let role = role_of(&input.text("role")).ok_or(DeskError::NotOpen)?;
                let body = RoleEnded { person: input.text("person"), reason: input.text("reason"), role };
                Ok(vec![Written::office(&basis("people"), body)?])
            },
        ),
    ]
}

fn register<'a>() -> Vec<OfficeAct<'a>> {
    vec![
        officers(
            OrganisationRegistered::KIND,
            Signs::ACTOR,
            |_, _| {
                let line = || Kind::Line { most: 120 };
                vec![
                    Field::new("name_zh", line()),
                    Field::new("name_en", line()),
                    Field::new("uscc", Kind::Line { most: 18 }),
                    Field::new("county_zh", line()),
                    Field::new("county_en", line()),
                    Field::new("sector_zh", line()),
                    Field::new("sector_en", line()),
                    Field::new("groups", Kind::Line { most: 60 }).optional(),
                ]
            },
            |desk, _, input| {
                let taken = |n: u32| desk.office.organisations.contains_key(&format!("o:{n:04}"));
                let organisation = (1u32..).find(|n| !taken(*n)).map(|n| format!("o:{n:04}")).unwrap_or_default();
                let groups = input.text("groups");
                let body = OrganisationRegistered {
                    county: input.both("county"),
                    groups: groups.split_whitespace().map(str::to_owned).collect(),
                    name: input.both("name"),
                    organisation,
                    sector: input.both("sector"),
                    source: None,
                    uscc: Some(input.text("uscc").to_uppercase()),
                };
                Ok(vec![Written::office(&basis("register"), body)?])
            },
        ),
        officers(
            ProgrammeEstablished::KIND,
            Signs::ACTOR,
            |_, _| {
                let level = ["national", "province", "city", "district", "county"]
                    .map(|level| Choice::new(level, words("level", level, &[])))
                    .to_vec();
                vec![
                    Field::new("programme", Kind::Line { most: 40 }),
                    Field::new("name_zh", Kind::Line { most: 80 }),
                    Field::new("name_en", Kind::Line { most: 120 }),
                    Field::new("level", Kind::One { choices: level }),
                    Field::new("established", Kind::Number { least: 1949, most: 2200, step: 1 }).optional(),
                ]
            },
            |_, _, input| {
                let level: Option<Level> = serde_json::from_value(json!(input.text("level"))).ok();
                let body = ProgrammeEstablished {
                    established: input.number_if("established").and_then(|y| u32::try_from(y).ok()),
                    level: level.ok_or(DeskError::NotOpen)?,
                    name: input.both("name"),
                    programme: input.text("programme"),
                };
                Ok(vec![Written::office(&basis("register"), body)?])
            },
        ),
        super::rules::act(),
        Act {
            kind: EditionRegistered::KIND,
            who: Who::Officer,
            signs: Signs::OFFICERS,
            open: |desk| programmes(desk, |programme| desk.office.rules.contains_key(programme)),
            form: |desk, programme| {
                // The next edition is one that is not there yet.
                let taken = |year: &i16| desk.office.editions.contains_key(&edition_log(desk, programme, year));
                let this = desk.today().year();
                let year = (this..this.saturating_add(10)).find(|year| !taken(year)).unwrap_or(this);
                vec![
                    Field::new("edition", Kind::Line { most: 40 }).with(year),
                    Field::new("year", Kind::Number { least: 1949, most: 2200, step: 1 }).with(year),
                ]
            },
            write: |desk, programme, input| {
                let current = desk.office.rules.get(programme).and_then(|versions| versions.last());
                let (_, adopted) = current.ok_or(DeskError::NotOpen)?;
                let edition = input.text("edition");
                let plain = edition.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
                if !plain {
                    return Err(Wrong::new("edition", "short_name").into());
                }
                let log = edition_log(desk, programme, &edition);
                if desk.office.editions.contains_key(&log) {
                    return Err(Wrong::new("edition", "edition_taken").with("edition", &edition).into());
                }
                let body = EditionRegistered {
                    log,
                    edition,
                    programme: programme.to_owned(),
                    rules_sha256: Office::rules_hash(&adopted.rules)?,
                    year: input.small("year"),
                };
                Ok(vec![Written::office(&adopted.rules.document.number, body)?])
            },
        },
        officers(
            BanImposed::KIND,
            Signs::OFFICERS,
            |desk, _| {
                let firms = desk.office.organisations.iter();
                let firms = firms.map(|(id, (_, body))| Choice::new(id.clone(), body.name.clone())).collect();
                let programmes = desk.office.programmes.iter();
                let programmes = programmes.map(|(id, body)| Choice::new(id.clone(), body.name.clone())).collect();
                vec![
                    Field::new("organisation", Kind::One { choices: firms }),
                    Field::new("programme", Kind::One { choices: programmes }),
                    Field::new("ground", Kind::Line { most: 300 }),
                    Field::new("from", Kind::Day).with(desk.today()),
                    Field::new("until", Kind::Day),
                ]
            },
            |desk, _, input| {
                let body = BanImposed {
                    from: input.day("from").unwrap_or(desk.today()),
                    ground: input.text("ground"),
                    organisation: input.text("organisation"),
                    programme: input.text("programme"),
                    until: input.day("until").unwrap_or(desk.today()),
                };
                let basis = body.ground.clone();
                Ok(vec![Written::office(&basis, body)?])
            },
        ),
        officers(
            HonourRevoked::KIND,
            Signs::OFFICERS,
            |desk, _| {
                let held = desk.office.honours.iter().filter(|(_, honour)| honour.revoked.is_none());
                let choices = held.map(|(id, honour)| {
                    let firm = desk.office.organisations.get(&honour.body.organisation).map(|(_, o)| o.name.clone());
                    let firm = firm.unwrap_or_else(|| same(&honour.body.organisation));
                    let year = honour.body.year;
                    Choice::new(id.clone(), Text::new(format!("{} · {year}", firm.zh), format!("{} · {year}", firm.en)))
                });
                vec![
                    Field::new("honour", Kind::One { choices: choices.collect() }),
                    Field::new("number", Kind::Line { most: 80 }),
                    Field::new("reason", Kind::Line { most: 300 }),
                ]
            },
            |_, _, input| {
                let decision = input.text("number");
                let body = HonourRevoked {
                    decision: decision.clone(),
                    honour: input.text("honour"),
                    reason: input.text("reason"),
                };
                Ok(vec![Written::office(&decision, body)?])
            },
        ),
        Act {
            kind: EntryPosted::KIND,
            who: Who::Officer,
            signs: Signs::ACTOR,
            open: |desk| {
                if !desk.holds(OfficeRole::Officer) {
                    return Vec::new();
                }
                let name = desk.office.founded.name.clone();
                vec![if lacking(desk).is_some() { Case::duty("-", name, None) } else { Case::possible("-", name) }]
            },
            form: |desk, _| {
                let (year, amount) = match lacking(desk) {
                    Some((year, fen)) => (i64::from(year), super::field::yuan_text(fen)),
                    None => (i64::from(desk.today().year()), String::new()),
                };
                let amount = Field::new("amount", Kind::Money { negative: false }).with_all(vec![amount]);
                vec![
                    Field::new("year", Kind::Number { least: 1949, most: 2200, step: 1 }).with(year),
                    amount,
                    Field::new("entry_text", Kind::Line { most: 200 }),
                ]
            },
            write: |desk, _, input| {
                let fen = input.number("amount");
                let year = input.small("year");
                let body = EntryPosted {
                    cite: None,
                    entry: format!("e:budget-{year}-{}", desk.office.entries.len() + 1),
                    lines: vec![
                        Line { account: crate::carry::budget_account(year), fen },
                        Line { account: "appropriation".to_owned(), fen: -fen },
                    ],
                    on: desk.today(),
                    text: input.text("entry_text"),
                };
                Ok(vec![Written::office(&input.text("entry_text"), body)?])
            },
        },
        Act {
            kind: HonourRegistered::KIND,
            who: Who::Officer,
            signs: Signs::ACTOR,
            open: carried_cases,
            form: |_, _| Vec::new(),
            write: |desk, log, _| {
                let log = desk.heng.log(log)?;
                let drafts = crate::carry::pending_for(desk.office, &log, &desk.me)?;
                let written = |d: crate::draft::Draft| Written {
                    kind: d.kind,
                    body: d.body,
                    basis: d.basis,
                    hidden: Default::default(),
                };
                Ok(drafts.into_iter().map(written).collect())
            },
        },
    ]
}

fn basis(key: &str) -> String {
    words("basis", key, &[]).zh
}

fn enrolled(office: &Office, person: &str, key: &PublicKey) -> bool {
    office.people.get(person).is_some_and(|p| p.keys.iter().any(|k: &Key| k.public == *key))
}

fn person_name(desk: &OfficeDesk<'_>, id: &str) -> String {
    let name = desk.office.people.get(id).and_then(|p| p.name.clone());
    name.map_or_else(|| id.to_owned(), |name| format!("{name} · {id}"))
}

fn everybody(desk: &OfficeDesk<'_>) -> Vec<Choice> {
    desk.office.people.keys().map(|id| Choice::new(id.clone(), same(person_name(desk, id)))).collect()
}

fn roles() -> Vec<Choice> {
    let roles =
        ["officer", "supervisor", "member", "chair", "expert", "recommender", "authority", "counter", "fund_officer"];
    roles.map(|role| Choice::new(role, words("role", role, &[]))).to_vec()
}

fn role_of(name: &str) -> Option<OfficeRole> {
    serde_json::from_value(json!(name)).ok()
}

/// Name of an edition's log.
fn edition_log(desk: &OfficeDesk<'_>, programme: &str, edition: &impl std::fmt::Display) -> String {
    let domain = desk.office.log.split('/').next().unwrap_or_default();
    format!("{domain}/{programme}/{edition}")
}

fn programmes(desk: &OfficeDesk<'_>, wanted: impl Fn(&String) -> bool) -> Vec<Case> {
    if !desk.holds(OfficeRole::Officer) {
        return Vec::new();
    }
    let all = desk.office.programmes.iter().filter(|(id, _)| wanted(id));
    all.map(|(id, programme)| Case::possible(id.clone(), programme.name.clone())).collect()
}

/// Editions whose honours and prizes the office log has not taken over yet.
fn carried_cases(desk: &OfficeDesk<'_>) -> Vec<Case> {
    if !desk.holds(OfficeRole::Officer) {
        return Vec::new();
    }
    let mut out = Vec::new();
    // Nobody is asked to sign what the budget does not cover: it comes first.
    let covered = lacking(desk).is_none();
    for log in desk.heng.editions() {
        let open = crate::carry::pending_for(desk.office, &log, &desk.me).is_ok_and(|drafts| !drafts.is_empty());
        let image = log.image();
        if let Some(edition) = image.state.edition().filter(|_| open) {
            let (name, label) = (&edition.rules().name, &edition.opened.label);
            let about = Text::new(format!("{} · {}", name.zh, label.zh), format!("{} · {}", name.en, label.en));
            out.push(Case { id: log.id().to_owned(), about, due: None, duty: covered });
        }
    }
    out
}

/// A year whose prize budget does not cover the prizes that wait to be entered, and how much is lacking, in fen.
fn lacking(desk: &OfficeDesk<'_>) -> Option<(u32, i64)> {
    let balances = desk.office.balances();
    for log in desk.heng.editions() {
        let Some(year) = log.image().state.edition().map(|e| e.opened.year) else { continue };
        let account = crate::carry::budget_account(year);
        let drafts = crate::carry::pending_for(desk.office, &log, &desk.me).unwrap_or_default();
        let entries = drafts.into_iter().filter(|d| d.kind == EntryPosted::KIND);
        let entries = entries.filter_map(|d| serde_json::from_value::<EntryPosted>(d.body).ok());
        let taken: i128 =
            entries.flat_map(|e| e.lines).filter(|line| line.account == account).map(|line| i128::from(line.fen)).sum();
        let left = balances.get(&account).copied().unwrap_or(0) + taken;
        if taken < 0 && left < 0 {
            return Some((year, i64::try_from(-left).unwrap_or(i64::MAX)));
        }
    }
    None
}
