//! Opinions of other departments (征求部门意见): one batch of questions, then the reply letters as they come in.

use heng_domain::edition::OpinionState;
use heng_domain::edition::events::{OpinionAnswer, OpinionReceived, OpinionsAsked, Role};
use heng_domain::rules::{Department, OpinionRules, StageKind};
use heng_domain::text::Text;
use serde_json::json;

use super::field::{Choice, Field, Input, Kind, read_day, same, words};
use super::files::{letter_evidence, letter_files};
use super::{Act, Case, DeskError, EditionDesk, Proposed, Signs, Who, Written, Wrong};

/// What follows the department in the name of a case that corrects.
const CORRECTION: &str = "~correct";

pub(super) fn acts<'a>() -> Vec<Act<EditionDesk<'a>>> {
    vec![
        Act {
            kind: OpinionsAsked::KIND,
            who: Who::Officer,
            signs: Signs::NOBODY,
            open: |desk| {
                let ready = desk.edition.opinions.is_none() && !desk.edition.field.is_empty();
                let about = rules(desk).filter(|_| ready).map(|rules| {
                    let (asked, field) = (same(rules.departments.len()), same(desk.edition.field.len()));
                    words("part", "opinions_batch", &[("departments", &asked), ("applications", &field)])
                });
                about
                    .map(|about| Case::duty("-", about, desk.stage(StageKind::PreReview).and_then(|s| desk.due(s))))
                    .into_iter()
                    .collect()
            },
            form: |_, _| Vec::new(),
            write: |desk, _, _| {
                let rules = rules(desk).ok_or(DeskError::NotOpen)?;
                let body = OpinionsAsked {
                    applications: desk.edition.field.iter().cloned().collect(),
                    departments: rules.departments.iter().map(|department| department.id.clone()).collect(),
                    until: desk.edition.opinions_end(desk.today())?,
                };
                Ok(vec![Written::edition(&rules.days.basis, body)?])
            },
        },
        Act {
            kind: OpinionReceived::KIND,
            who: Who::Officer,
            signs: Signs::NOBODY,
            open: |desk| {
                let due = desk.edition.opinions.as_ref().map(|asked| asked.until);
                let waits = |d: &&Department| !applications(desk, &d.id, false).is_empty();
                // Where silence is taken for no objection, a late answer is welcome but not waited for.
                let case = |d: &Department| {
                    let all = applications(desk, &d.id, false);
                    let silent = all.iter().all(|a| state(desk, &d.id, a) == Some(OpinionState::Silent));
                    if silent {
                        Case::possible(d.id.clone(), d.name.clone())
                    } else {
                        Case::duty(d.id.clone(), d.name.clone(), due)
                    }
                };
                departments(desk).filter(waits).map(case).collect()
            },
            form: answers_form,
            write: write_answers,
        },
        Act {
            kind: OpinionReceived::KIND,
            who: Who::Officer,
            signs: Signs::NOBODY,
            open: |desk| {
                let given = |d: &&Department| !applications(desk, &d.id, true).is_empty();
                let case = |d: &Department| Case::possible(format!("{}{CORRECTION}", d.id), correction_of(d));
                departments(desk).filter(given).map(case).collect()
            },
            form: correction_form,
            write: write_correction,
        },
    ]
}

/// The rules of the opinions, for an officer while the pre-review is open.
fn rules<'b>(desk: &'b EditionDesk<'_>) -> Option<&'b OpinionRules> {
    desk.stage(StageKind::PreReview).filter(|_| desk.has(Role::Officer))?;
    desk.edition.rules().opinions.as_ref()
}

fn departments<'b>(desk: &'b EditionDesk<'_>) -> impl Iterator<Item = &'b Department> {
    rules(desk).filter(|_| desk.edition.opinions.is_some()).into_iter().flat_map(|rules| &rules.departments)
}

fn state(desk: &EditionDesk<'_>, department: &str, application: &str) -> Option<OpinionState> {
    desk.edition.opinion_state(department, application, desk.today())
}

/// Undecided applications of the batch on which the department has answered, or has not.
fn applications<'b>(desk: &'b EditionDesk<'_>, department: &str, given: bool) -> Vec<&'b String> {
    let answered = |a: &str| matches!(state(desk, department, a), Some(OpinionState::Clear | OpinionState::Objection));
    let asked = |a: &str| state(desk, department, a).is_some();
    let undecided = |a: &str| desk.edition.applications.get(a).is_some_and(|a| a.review.is_none());
    desk.edition.field.iter().filter(|a| asked(a) && undecided(a) && answered(a) == given).collect()
}

fn correction_of(department: &Department) -> Text {
    words("part", "opinion_correction", &[("department", &department.name)])
}

/// The reply letter: its number, and the file or where it is kept.
fn letter_fields() -> Vec<Field> {
    let mut fields = vec![Field::new("letter", Kind::Line { most: 100 })];
    fields.extend(letter_files());
    fields
}

fn answer_choices() -> Vec<Choice> {
    vec![
        Choice::new("clear", words("choice", "opinion_clear", &[])),
        Choice::new("objection", words("choice", "opinion_objection", &[])),
    ]
}

fn reason_field(name: &str) -> Field {
    Field::labelled(name, "opinion_reason", Kind::Area { most: 1000, rows: 2 }).optional()
}

/// One letter, an answer for each application that it may speak of.
fn answers_form(desk: &EditionDesk<'_>, department: &str) -> Vec<Field> {
    let mut fields = letter_fields();
    let mut choices = answer_choices();
    choices.push(Choice::new("none", words("choice", "opinion_none", &[])));
    for application in applications(desk, department, false) {
        let answer =
            Field::labelled(&format!("answer:{application}"), "opinion_answer", Kind::One { choices: choices.clone() });
        fields.push(answer.label(desk.name(application)));
        fields.push(reason_field(&format!("reason:{application}")));
    }
    fields
}

fn write_answers(desk: &EditionDesk<'_>, department: &str, input: &Input) -> Proposed {
    let evidence = letter_evidence(desk, input)?;
    let mut out = Vec::new();
    let mut wrong = Vec::new();
    for application in applications(desk, department, false) {
        let (answer, reason) = (format!("answer:{application}"), format!("reason:{application}"));
        match one(desk, (department, application), input, (&answer, &reason), &evidence) {
            Ok(written) => out.extend(written),
            Err(DeskError::Wrong(errors)) => wrong.extend(errors),
            Err(error) => return Err(error),
        }
    }
    if !wrong.is_empty() {
        return Err(DeskError::Wrong(wrong));
    }
    // A letter that answers nothing is no answer.
    if out.is_empty() { Err(Wrong::new("letter", "opinion_none").into()) } else { Ok(out) }
}

fn correction_form(desk: &EditionDesk<'_>, case: &str) -> Vec<Field> {
    let department = case.trim_end_matches(CORRECTION);
    let given = applications(desk, department, true).into_iter();
    let mut fields = vec![Field::new("application", Kind::One { choices: desk.choices(given) })];
    fields.extend(letter_fields());
    fields.extend([
        Field::labelled("answer", "opinion_answer", Kind::One { choices: answer_choices() }),
        reason_field("reason_text"),
        Field::labelled("corrects", "opinion_corrects", Kind::Line { most: 300 }),
    ]);
    fields
}

fn write_correction(desk: &EditionDesk<'_>, case: &str, input: &Input) -> Proposed {
    let department = case.trim_end_matches(CORRECTION);
    let application = input.text("application");
    let evidence = letter_evidence(desk, input)?;
    let written = one(desk, (department, &application), input, ("answer", "reason_text"), &evidence)?;
    written.map_or(Err(DeskError::NotOpen), |written| Ok(vec![written]))
}

/// The answer of a department on an application; nothing where the letter is silent about it.
fn one(
    desk: &EditionDesk<'_>,
    (department, application): (&str, &str),
    input: &Input,
    (answer_field, reason_field): (&str, &str),
    evidence: &[heng_log::Hash],
) -> Result<Option<Written>, DeskError> {
    let reason = input.text(reason_field);
    let answer = match input.text(answer_field).as_str() {
        "clear" => OpinionAnswer::Clear,
        "objection" => OpinionAnswer::Objection,
        _ => return Ok(None),
    };
    let objects = answer == OpinionAnswer::Objection;
    if objects == reason.is_empty() {
        let code = if objects { "opinion_reason" } else { "opinion_clear" };
        return Err(Wrong::new(reason_field, code).into());
    }
    let body = OpinionReceived {
        answer,
        application: application.to_owned(),
        corrects: Some(input.text("corrects")).filter(|text| !text.is_empty()),
        department: department.to_owned(),
        // A line may begin with the day of the event: 2025-03-04 …
        events: reason.lines().filter_map(|line| read_day(line.split_whitespace().next()?)).collect(),
        evidence: evidence.to_vec(),
        letter: input.text("letter"),
    };
    let basis = desk.edition.rules().department(department).map_or("", |department| department.basis.as_str());
    let written = Written::edition(basis, body)?;
    Ok(Some(if objects { written.hiding("/reason", json!(reason)) } else { written }))
}
