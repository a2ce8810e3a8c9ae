//! Setting an edition up: people, experts, organisations, stages, its end.

use std::collections::BTreeSet;

use heng_domain::calendar::Year;
use heng_domain::edition::StageProgress;
use heng_domain::edition::events::{
    CalendarAdopted, EditionClosed, ExpertSeated, OrganisationEntered, PersonSeated, PersonUnseated, PrivacyErased,
    Role, StageClosed, StageOpened,
};
use heng_domain::office::Key;
use heng_domain::office::events::OfficeRole;
use heng_domain::rules::StageKind;
use jiff::civil::Date;
use serde_json::json;

use super::field::{Choice, Field, Input, Kind, read_day, same, words};
use super::{Act, Case, DeskError, EditionDesk, Proposed, Signs, Who, Written, Wrong};

pub(super) fn acts<'a>() -> Vec<Act<EditionDesk<'a>>> {
    vec![
        Act {
            kind: PersonSeated::KIND,
            who: Who::Officer,
            signs: Signs::ACTOR,
            open: |desk| officer_case(desk, !people(desk).is_empty()),
            form: |desk, _| {
                vec![
                    Field::new("person", Kind::One { choices: people(desk) }),
                    Field::new("roles", Kind::Many { choices: roles() }),
                ]
            },
            write: write_person,
        },
        Act {
            kind: CalendarAdopted::KIND,
            who: Who::Officer,
            signs: Signs::OFFICERS,
            open: |desk| {
                let year = next_year(desk).filter(|_| desk.has(Role::Officer) && !desk.edition.closed);
                year.map(|year| Case::possible("-", same(year))).into_iter().collect()
            },
            form: calendar_form,
            write: write_calendar,
        },
        Act {
            kind: PersonUnseated::KIND,
            who: Who::Officer,
            signs: Signs::OFFICERS,
            open: |desk| officer_case(desk, true),
            form: |desk, _| {
                let seated = desk.edition.seats.iter().filter(|(_, seat)| seat.active);
                let choices = seated.map(|(id, seat)| Choice::new(id.clone(), seat_name(id, seat.name.as_deref())));
                vec![
                    Field::new("person", Kind::One { choices: choices.collect() }),
                    Field::new("reason", Kind::Line { most: 200 }),
                ]
            },
            write: |desk, _, input| {
                let body = PersonUnseated { person: input.text("person"), reason: input.text("reason") };
                Ok(vec![Written::edition(desk.document(), body)?])
            },
        },
        Act {
            kind: ExpertSeated::KIND,
            who: Who::Officer,
            signs: Signs::OFFICERS,
            open: |desk| officer_case(desk, desk.has(Role::Officer) && !experts(desk).is_empty()),
            form: |desk, _| {
                let mut groups: Vec<String> = desk.edition.seats.values().filter_map(|s| s.group.clone()).collect();
                groups.extend(["manufacturing", "service"].map(str::to_owned));
                groups.sort();
                groups.dedup();
                let named = |group: &String| {
                    let words = words("group", group, &[]);
                    if words.zh.starts_with("group.") { same(group) } else { words }
                };
                let choices = groups.iter().map(|group| Choice::new(group.clone(), named(group))).collect();
                vec![
                    Field::new("person", Kind::One { choices: experts(desk) }),
                    Field::new("group", Kind::One { choices }),
                ]
            },
            write: write_expert,
        },
        Act {
            kind: OrganisationEntered::KIND,
            who: Who::Officer,
            signs: Signs::NOBODY,
            open: |desk| officer_case(desk, desk.edition.call.is_none() || in_window(desk)),
            form: |desk, _| {
                let classes = desk.edition.rules().classes.iter().map(|c| Choice::new(c.id.clone(), c.name.clone()));
                vec![
                    Field::new("organisation", Kind::One { choices: organisations(desk) }),
                    Field::new("class", Kind::One { choices: classes.collect() }),
                ]
            },
            write: write_organisation,
        },
        Act {
            kind: StageOpened::KIND,
            who: Who::Officer,
            signs: Signs::NOBODY,
            open: |desk| {
                let next = |s: &&heng_domain::rules::Stage| desk.edition.progress(s) == StageProgress::Next;
                let stages = desk.edition.rules().stages.iter().filter(next);
                let cases = stages.map(|stage| Case::duty(stage.id.clone(), stage.name.clone(), None));
                if desk.has(Role::Officer) { cases.collect() } else { Vec::new() }
            },
            form: |_, _| Vec::new(),
            write: |desk, stage, _| {
                let basis = desk.edition.rules().stage(stage).map_or("", |s| s.basis.as_str());
                Ok(vec![Written::edition(basis, StageOpened { stage: stage.to_owned() })?])
            },
        },
        Act {
            kind: StageClosed::KIND,
            who: Who::Officer,
            signs: Signs::NOBODY,
            open: |desk| {
                if !desk.has(Role::Officer) {
                    return Vec::new();
                }
                let open = desk.edition.open_stages().into_iter();
                open.map(|stage| {
                    let ready = desk.edition.gate(stage, desk.now).is_ok();
                    // The last day of a window or a notice is the first on which nothing can be closed yet.
                    let runs = matches!(stage.kind, StageKind::Application | StageKind::Notice);
                    let due = desk.due(stage).filter(|_| !runs);
                    Case { id: stage.id.clone(), about: stage.name.clone(), due, duty: ready }
                })
                .collect()
            },
            form: |_, _| Vec::new(),
            write: |desk, stage, _| {
                let basis = desk.edition.rules().stage(stage).map_or("", |s| s.basis.as_str());
                Ok(vec![Written::edition(basis, StageClosed { stage: stage.to_owned() })?])
            },
        },
        Act {
            kind: EditionClosed::KIND,
            who: Who::Officer,
            signs: Signs::ACTOR,
            open: |desk| {
                let all = desk.edition.rules().stages.iter().all(|s| desk.edition.is_closed(&s.id));
                let label = desk.edition.opened.label.clone();
                let due = all && !desk.edition.closed && desk.has(Role::Officer);
                if due { vec![Case::duty("-", label, None)] } else { Vec::new() }
            },
            form: |_, _| {
                let text = words("prefill", "edition_closed", &[]);
                let line = || Kind::Line { most: 300 };
                vec![Field::new("summary_zh", line()).with(text.zh), Field::new("summary_en", line()).with(text.en)]
            },
            write: |desk, _, input| {
                Ok(vec![Written::edition(desk.document(), EditionClosed { summary: input.both("summary") })?])
            },
        },
        Act {
            kind: PrivacyErased::KIND,
            who: Who::Officer,
            signs: Signs::OFFICERS,
            open: |desk| {
                let due = desk.has(Role::Officer) && !erasable(desk).is_empty();
                if due { vec![Case::possible("-", desk.edition.opened.label.clone())] } else { Vec::new() }
            },
            form: |desk, _| {
                let choices = erasable(desk).into_iter().map(|seq| {
                    let whose = super::describe::whose(desk.edition, seq);
                    Choice::new(seq.to_string(), whose.unwrap_or_else(|| same(seq)))
                });
                let choices = choices.collect();
                vec![Field::new("record", Kind::One { choices }), Field::new("ground", Kind::Line { most: 200 })]
            },
            write: |_, _, input| {
                let ground = input.text("ground");
                let seq = input.text("record").parse().unwrap_or(u64::MAX);
                Ok(vec![Written::edition(&ground, PrivacyErased { ground: ground.clone(), seq })?])
            },
        },
    ]
}

/// The single case of an act that officers can do at any time.
fn officer_case(desk: &EditionDesk<'_>, possible: bool) -> Vec<Case> {
    let open = possible && desk.has(Role::Officer) && !desk.edition.closed;
    if open { vec![Case::possible("-", desk.edition.opened.label.clone())] } else { Vec::new() }
}

fn in_window(desk: &EditionDesk<'_>) -> bool {
    desk.edition.call.as_ref().is_some_and(|call| desk.now < call.closes)
}

fn erasable(desk: &EditionDesk<'_>) -> Vec<u64> {
    let edition = desk.edition;
    edition
        .hidden
        .keys()
        .copied()
        .filter(|seq| edition.is_erasable(*seq) && !edition.erased.contains_key(seq))
        .collect()
}

fn seat_name(id: &str, name: Option<&str>) -> heng_domain::text::Text {
    name.map_or_else(|| same(id), |name| same(format!("{name} · {id}")))
}

/// Roles of an edition that people are seated with.
fn roles() -> Vec<Choice> {
    ["officer", "supervisor", "chair", "member", "recommender", "authority", "counter"]
        .map(|role| Choice::new(role, words("role", role, &[])))
        .to_vec()
}

fn role_of(name: &str) -> Option<Role> {
    serde_json::from_value(json!(name)).ok()
}

/// People of the office with a role that sits in editions, who have no seat here yet.
fn people(desk: &EditionDesk<'_>) -> Vec<Choice> {
    let Some(office) = desk.office else { return Vec::new() };
    let today = office.day(desk.now);
    office
        .people
        .iter()
        .filter(|(id, person)| {
            let serves = person.terms.iter().any(|term| {
                !matches!(term.role, OfficeRole::Expert | OfficeRole::FundOfficer)
                    && (term.from..=term.until).contains(&today)
            });
            serves && !desk.edition.seats.contains_key(*id)
        })
        .map(|(id, person)| Choice::new(id.clone(), seat_name(id, person.name.as_deref())))
        .collect()
}

/// Experts of the office who have offered a key for this edition and have no pseudonym yet.
fn experts(desk: &EditionDesk<'_>) -> Vec<Choice> {
    let Some(office) = desk.office else { return Vec::new() };
    let today = office.day(desk.now);
    let offered = super::proposal::offered_keys(desk.heng, &desk.edition.log).unwrap_or_default();
    office
        .people
        .iter()
        .filter(|(id, _)| office.holds(id, OfficeRole::Expert, today) && offered.contains_key(*id))
        .filter(|(id, _)| EditionDesk::handle_in(desk.edition, id).is_none())
        .map(|(id, person)| Choice::new(id.clone(), seat_name(id, person.name.as_deref())))
        .collect()
}

fn organisations(desk: &EditionDesk<'_>) -> Vec<Choice> {
    let Some(office) = desk.office else { return Vec::new() };
    office
        .organisations
        .iter()
        .filter(|(id, (_, body))| body.uscc.is_some() && !desk.edition.organisations.contains_key(*id))
        .map(|(id, (_, body))| Choice::new(id.clone(), body.name.clone()))
        .collect()
}

fn write_person(desk: &EditionDesk<'_>, _: &str, input: &Input) -> Proposed {
    let id = input.text("person");
    let found = desk.office.and_then(|office| office.people.get(&id));
    let key: Option<&Key> = found.and_then(|person| person.key());
    let name = found.and_then(|person| person.name.clone());
    let body = PersonSeated {
        key: key.map(|key| key.public.clone()),
        name: name.clone(),
        person: id.clone(),
        roles: input.list("roles").iter().filter_map(|role| role_of(role)).collect(),
        source: desk.cite(key.and_then(|key| key.confirmed).unwrap_or(0)),
    };
    let written = Written::edition(desk.document(), body)?;
    // Whoever has no public name in the office has none here either.
    Ok(vec![if name.is_none() { written.hiding("/name", json!(id)) } else { written }])
}

fn write_expert(desk: &EditionDesk<'_>, _: &str, input: &Input) -> Proposed {
    let person = input.text("person");
    let offered = super::proposal::offered_keys(desk.heng, &desk.edition.log)?;
    let Some(key) = offered.get(&person).cloned() else { return Err(DeskError::NotOpen) };
    // A random number, so that the order of seating tells nothing of who it is.
    let random = desk.heng.random()?;
    let expert = format!("x:{}", hex::encode(random.get(..4).unwrap_or_default()));
    let name = desk.office.and_then(|o| o.people.get(&person)).and_then(|p| p.name.clone()).unwrap_or_default();
    let body = ExpertSeated { expert, group: input.text("group"), key };
    Ok(vec![Written::edition(desk.document(), body)?.hiding("/who", json!({ "name": name, "person": person }))])
}

fn write_organisation(desk: &EditionDesk<'_>, _: &str, input: &Input) -> Proposed {
    let id = input.text("organisation");
    let Some((office, (seq, body))) = desk.office.and_then(|o| Some((o, o.organisations.get(&id)?))) else {
        return Err(DeskError::NotOpen);
    };
    let programme = office.editions.get(&desk.edition.log).map(|(_, e)| e.programme.as_str()).unwrap_or_default();
    let body = OrganisationEntered {
        class: input.text("class"),
        county: body.county.clone(),
        groups: body.groups.clone(),
        name: body.name.clone(),
        organisation: id.clone(),
        sector: body.sector.clone(),
        source: desk.cite(*seq),
        standing: office.standing(&id, programme),
        uscc: body.uscc.clone().unwrap_or_default(),
    };
    Ok(vec![Written::edition(desk.document(), body)?])
}

/// The first year that the edition's calendar does not know.
fn next_year(desk: &EditionDesk<'_>) -> Option<i16> {
    let known = desk.edition.calendar.as_ref()?.years.keys().filter_map(|year| year.parse::<i16>().ok());
    known.max().map(|year| year + 1)
}

/// The arrangement of the next year, filled in where it travels with the program.
fn calendar_form(desk: &EditionDesk<'_>, _: &str) -> Vec<Field> {
    let year = next_year(desk).map(|year| year.to_string()).unwrap_or_default();
    let known = crate::library::calendar(&desk.edition.rules().calendar).ok().flatten();
    let known = known.and_then(|calendar| calendar.years.get(&year).cloned());
    let days = |days: fn(&Year) -> &BTreeSet<Date>| {
        known.iter().flat_map(days).map(Date::to_string).collect::<Vec<_>>().join("\n")
    };
    let area = || Kind::Area { most: 2000, rows: 8 };
    vec![
        Field::new("holidays", area()).with(days(|year| &year.holidays)),
        Field::new("workdays", area()).optional().with(days(|year| &year.workdays)),
        Field::labelled("source", "calendar_source", Kind::Line { most: 300 })
            .with(known.as_ref().map(|year| year.basis.clone()).unwrap_or_default()),
    ]
}

fn write_calendar(desk: &EditionDesk<'_>, _: &str, input: &Input) -> Proposed {
    let mut calendar = desk.edition.calendar.clone().ok_or(DeskError::NotOpen)?;
    let year = next_year(desk).ok_or(DeskError::NotOpen)?;
    // One day on a line, or several with blanks or commas between them.
    let days = |name: &str| -> Result<BTreeSet<Date>, DeskError> {
        let text = input.text(name);
        let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '，' | '、' | ';' | '；'));
        let read = |word: &str| {
            let day = read_day(word).filter(|day| day.year() == year);
            day.ok_or_else(|| DeskError::from(Wrong::new(name, "calendar_day")))
        };
        words.filter(|word| !word.is_empty()).map(read).collect()
    };
    let added = Year { basis: input.text("source"), holidays: days("holidays")?, workdays: days("workdays")? };
    calendar.years.insert(year.to_string(), added);
    Ok(vec![Written::edition(desk.document(), CalendarAdopted { calendar })?])
}
