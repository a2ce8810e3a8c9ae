//! Pre-review (初审): the conditions of one application on one sheet, then the decision on it.

use heng_domain::edition::events::{ConditionChecked, PreReviewDecided, Role};
use heng_domain::eligibility::{Facts, decide};
use heng_domain::rules::{Condition, ConditionKind, StageKind};
use heng_domain::text::Text;
use jiff::civil::Date;

use super::call::yes_no;
use super::field::{Choice, Field, Input, Kind, day_words, same, words};
use super::{Act, Case, DeskError, EditionDesk, Proposed, Signs, Who, Written, Wrong};

pub(super) fn acts<'a>() -> Vec<Act<EditionDesk<'a>>> {
    vec![
        Act {
            kind: ConditionChecked::KIND,
            who: Who::Officer,
            signs: Signs::NOBODY,
            // Until the decision what was checked can be checked again, if it was wrong.
            open: |desk| cases(desk, |id| Some(!unchecked(desk, id).is_empty())),
            form,
            write,
        },
        Act {
            kind: PreReviewDecided::KIND,
            who: Who::Officer,
            signs: Signs::ACTOR,
            open: |desk| {
                let answered = |id: &str| desk.edition.opinions_complete(id, desk.today()).is_ok();
                cases(desk, |id| (unchecked(desk, id).is_empty() && answered(id)).then_some(true))
            },
            form: |_, _| Vec::new(),
            write: |desk, id, _| {
                let stage = desk.stage(StageKind::PreReview).ok_or(DeskError::NotOpen)?;
                Ok(vec![Written::edition(&stage.basis, desk.edition.pre_review_outcome(id, desk.today()))?])
            },
        },
    ]
}

/// Applications of the field without a decision; `duty` says whether one is open, and whether it waits for somebody.
fn cases(desk: &EditionDesk<'_>, duty: impl Fn(&str) -> Option<bool>) -> Vec<Case> {
    let Some(stage) = desk.stage(StageKind::PreReview) else { return Vec::new() };
    if !desk.has(Role::Officer) {
        return Vec::new();
    }
    let due = desk.due(stage);
    let field = desk.edition.field.iter().filter_map(|id| Some((id, desk.edition.applications.get(id)?)));
    field
        .filter(|(_, a)| a.review.is_none())
        .filter_map(|(id, _)| Some((id, duty(id)?)))
        .map(|(id, duty)| Case { id: id.clone(), about: desk.name(id), due, duty })
        .collect()
}

fn unchecked<'b>(desk: &'b EditionDesk<'_>, id: &str) -> Vec<&'b Condition> {
    let checks = desk.edition.applications.get(id).map(|a| &a.checks);
    let open = |c: &&Condition| checks.is_none_or(|checks| !checks.contains_key(&c.id));
    desk.edition.rules().conditions.iter().filter(open).collect()
}

/// What is not checked yet; when all is, all of it, to be checked again.
fn to_check<'b>(desk: &'b EditionDesk<'_>, id: &str) -> Vec<&'b Condition> {
    let open = unchecked(desk, id);
    if open.is_empty() { desk.edition.rules().conditions.iter().collect() } else { open }
}

/// What the register says decides by itself; it needs no evidence and asks nothing.
fn from_register(condition: &Condition) -> bool {
    matches!(condition.kind, ConditionKind::NoBan | ConditionKind::CoolDown)
}

fn form(desk: &EditionDesk<'_>, id: &str) -> Vec<Field> {
    let files: Vec<Choice> = desk
        .edition
        .applications
        .get(id)
        .into_iter()
        .flat_map(|a| &a.body.attachments)
        .map(|file| Choice::new(file.sha256.to_string(), same(format!("{} · {}", file.name, file.about))))
        .collect();
    let mut fields = Vec::new();
    for condition in to_check(desk, id) {
        let mut own = Vec::new();
        let name = |part: &str| format!("{}:{part}", condition.id);
        let count = || Kind::Number { least: 0, most: 1_000_000_000, step: 1 };
        let field = |part: &str, kind: Kind| Field::labelled(&name(part), &format!("fact_{part}"), kind);
        let hint = threshold(desk, id, condition);
        match condition.kind {
            ConditionKind::Share => own.extend([field("part", count()), field("whole", count())]),
            ConditionKind::Count => own.push(field("count", count())),
            ConditionKind::Confirmed => {
                own.push(field("confirmed", Kind::One { choices: yes_no("confirmed") }));
            }
            ConditionKind::Years => own.push(field("since", Kind::Day)),
            ConditionKind::Clear => own.push(field("events", Kind::Area { most: 400, rows: 2 }).optional()),
            ConditionKind::NoBan | ConditionKind::CoolDown => {}
        }
        if !from_register(condition) {
            if !files.is_empty() {
                own.push(field("files", Kind::Many { choices: files.clone() }).optional());
            }
            own.push(field("source", Kind::Line { most: 300 }).optional());
        }
        own.push(field("note", Kind::Line { most: 300 }).optional());
        if let Some(first) = own.first_mut() {
            let basis = same(&condition.basis);
            let label = words("part", "condition", &[("name", &condition.name), ("basis", &basis)]);
            first.part = Some(label);
            if let Some(hint) = hint {
                first.hint = Some(match first.hint.take() {
                    Some(how) => Text::new(format!("{}{}", hint.zh, how.zh), format!("{} {}", hint.en, how.en)),
                    None => hint,
                });
            }
        }
        fields.extend(own);
    }
    fields
}

/// What the rules ask, and what the applicant states itself where a figure of its own answers the question.
fn threshold(desk: &EditionDesk<'_>, id: &str, condition: &Condition) -> Option<Text> {
    let least = same(condition.at_least.unwrap_or(0));
    let application = desk.edition.applications.get(id);
    let organisation = application.and_then(|a| desk.edition.organisations.get(&a.body.organisation));
    let marks = organisation.map(|o| o.groups.as_slice()).unwrap_or_default();
    let relief = condition.relief.as_ref().filter(|relief| marks.contains(&relief.group)).map(|relief| relief.years);
    let years = same(relief.or(condition.years).unwrap_or(0));
    let anchor = desk.edition.anchor_day();
    let on = |day: Option<Date>| day.map_or_else(|| same(""), day_words);
    match condition.kind {
        ConditionKind::Share => {
            // The staff of the newest year, unless it is marked as a secret.
            let staff = application.and_then(|a| a.body.figures.iter().max_by_key(|row| row.year));
            let stated = staff.and_then(|row| Some((row.year, row.employees?)));
            Some(match stated {
                Some((year, staff)) => words(
                    "hint",
                    "least_share_stated",
                    &[("least", &least), ("year", &same(year)), ("staff", &same(staff))],
                ),
                None => words("hint", "least_share", &[("least", &least)]),
            })
        }
        ConditionKind::Count => Some(words("hint", "least_count", &[("least", &least)])),
        ConditionKind::Years => {
            let latest = anchor.and_then(|day| years_before(day, relief.or(condition.years).unwrap_or(0)));
            Some(words("hint", "least_years", &[("years", &years), ("day", &on(latest))]))
        }
        ConditionKind::Clear => {
            let months = condition.months.unwrap_or(0);
            let since = anchor.and_then(|day| heng_domain::time::months_before(day, months));
            Some(words("hint", "clear_months", &[("months", &same(months)), ("day", &on(since))]))
        }
        ConditionKind::Confirmed | ConditionKind::NoBan | ConditionKind::CoolDown => None,
    }
}

fn years_before(day: Date, years: u32) -> Option<Date> {
    heng_domain::time::months_before(day, years.checked_mul(12)?)
}

fn write(desk: &EditionDesk<'_>, id: &str, input: &Input) -> Proposed {
    let application = desk.edition.applications.get(id).ok_or(DeskError::NotOpen)?;
    let organisation = desk.edition.organisations.get(&application.body.organisation);
    let standing = organisation.map(|o| o.standing.clone()).unwrap_or_default();
    let groups = organisation.map(|o| o.groups.iter().cloned().collect()).unwrap_or_default();
    let anchor = desk.edition.anchor_day().ok_or(DeskError::NotOpen)?;
    let mut out = Vec::new();
    let mut wrong = Vec::new();
    for condition in to_check(desk, id) {
        let name = |part: &str| format!("{}:{part}", condition.id);
        let facts = match facts(condition, input) {
            Ok(facts) => facts,
            Err(error) => {
                wrong.push(error);
                continue;
            }
        };
        let mut evidence: Vec<heng_log::Hash> =
            input.list(&name("files")).iter().filter_map(|file| file.parse().ok()).collect();
        let source = input.text(&name("source"));
        if !source.is_empty() {
            evidence.push(desk.attach(&source)?);
        }
        if evidence.is_empty() && !from_register(condition) {
            wrong.push(Wrong::new(&name("source"), "evidence"));
            continue;
        }
        let met = decide(condition, &facts, &standing, &groups, anchor).map_err(|missing| {
            Wrong::new(&name(missing.0), "number_missing").with("example", super::field::example(0, i64::MAX, 1))
        })?;
        let body = ConditionChecked {
            application: id.to_owned(),
            condition: condition.id.clone(),
            evidence,
            facts,
            met,
            note: input.text(&name("note")),
        };
        out.push(Written::edition(&condition.basis, body)?);
    }
    if wrong.is_empty() { Ok(out) } else { Err(DeskError::Wrong(wrong)) }
}

fn facts(condition: &Condition, input: &Input) -> Result<Facts, Wrong> {
    let name = |part: &str| format!("{}:{part}", condition.id);
    let number = |part: &str| input.number_if(&name(part)).and_then(|n| u64::try_from(n).ok());
    let mut facts = Facts::default();
    match condition.kind {
        ConditionKind::Share => {
            facts.part = number("part");
            facts.whole = number("whole");
            if facts.part > facts.whole {
                return Err(Wrong::new(&name("part"), "part_of_whole"));
            }
        }
        ConditionKind::Count => facts.count = number("count"),
        ConditionKind::Confirmed => facts.confirmed = Some(input.text(&name("confirmed")) == "yes"),
        ConditionKind::Years => facts.since = input.day(&name("since")),
        ConditionKind::Clear => facts.events = Some(days(&name("events"), &input.text(&name("events")))?),
        ConditionKind::NoBan | ConditionKind::CoolDown => {}
    }
    Ok(facts)
}

/// Days of events, one in a line or separated by commas; nothing means that none were found.
fn days(field: &str, text: &str) -> Result<Vec<Date>, Wrong> {
    let parts = text.split(['\n', ',', '，', '、', ';', '；']).map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| super::field::read_day(part).ok_or_else(|| Wrong::new(field, "day"))).collect()
}
