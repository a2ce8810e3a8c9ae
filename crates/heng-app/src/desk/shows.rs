//! What an act does beyond its own words: the exact list that it concerns, and what follows from it.
//!
//! It is shown before anybody presses or signs: a list that is first seen afterwards cannot be checked.

use heng_domain::edition::Edition;
use heng_domain::edition::events::{
    MinutesSigned, OpinionsAsked, PledgeGiven, PreReviewDecided, StageClosed, StageOpened,
};
use heng_domain::messages;
use heng_domain::refusal::Refusal;
use heng_domain::rules::{Stage, StageKind};
use heng_domain::text::{Lang, Text};
use heng_domain::time::Instant;
use heng_log::Hash;
use serde_json::Value;

use super::describe::name;
use super::field::{same, words};
use crate::heng::Heng;

/// A heading with its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What the lines are.
    pub title: Text,
    /// The lines.
    pub lines: Vec<Text>,
}

/// What is to be shown above the buttons of an act of this kind. `case` names the stage where the act is about one.
pub fn shows(edition: &Edition, kind: &str, case: &str, now: Instant) -> Vec<Shown> {
    let stage = || edition.rules().stage(case);
    match kind {
        OpinionsAsked::KIND => asked(edition),
        PreReviewDecided::KIND => checked(edition, case),
        StageOpened::KIND => stage().map(opening).into_iter().collect(),
        StageClosed::KIND => stage().map(|stage| closing(edition, stage, now)).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// The case of an act, as its record names it.
pub fn case_of<'a>(kind: &str, body: &'a Value) -> &'a str {
    let key = if kind == StageOpened::KIND || kind == StageClosed::KIND { "stage" } else { "application" };
    body.get(key).and_then(Value::as_str).unwrap_or("-")
}

/// Every application, for each department that is asked about it.
fn asked(edition: &Edition) -> Vec<Shown> {
    let Some(rules) = &edition.rules().opinions else { return Vec::new() };
    let known = edition.into();
    let names: Vec<Text> = edition.field.iter().map(|application| name(&known, application)).collect();
    let of = |department: &heng_domain::rules::Department| {
        let count = same(names.len());
        let places = [("department", &department.name), ("asks", &department.asks), ("count", &count)];
        Shown { title: words("shows", "asked_of", &places), lines: names.clone() }
    };
    rules.departments.iter().map(of).collect()
}

/// What was found on each condition: the decision follows from it.
fn checked(edition: &Edition, application: &str) -> Vec<Shown> {
    let Some(application) = edition.applications.get(application) else { return Vec::new() };
    let of = |condition: &heng_domain::rules::Condition| {
        let check = application.checks.get(&condition.id)?;
        let result = words("choice", if check.met { "confirmed_yes" } else { "confirmed_no" }, &[]);
        Some(words("shows", "condition_result", &[("condition", &condition.name), ("result", &result)]))
    };
    let lines = edition.rules().conditions.iter().filter_map(of).collect();
    vec![Shown { title: words("shows", "conditions", &[]), lines }]
}

fn opening(stage: &Stage) -> Shown {
    let key = match stage.kind {
        StageKind::Call => words("shows", "open_call", &[]),
        StageKind::Application => words("shows", "open_application", &[]),
        StageKind::Recommendation => words("shows", "open_recommendation", &[]),
        StageKind::PreReview => words("shows", "open_pre_review", &[]),
        StageKind::Experts => words("shows", "open_experts", &[]),
        StageKind::Scoring if stage.scoring.as_ref().and_then(|s| s.visit.as_ref()).is_some_and(|v| v.value) => {
            words("shows", "open_visits", &[])
        }
        StageKind::Scoring => words("shows", "open_scoring", &[]),
        StageKind::Shortlist => words("shows", "open_shortlist", &[]),
        StageKind::Committee => words("shows", "open_committee", &[]),
        StageKind::Notice => words("shows", "open_notice", &[]),
        StageKind::Approval => words("shows", "open_approval", &[]),
        StageKind::Conferral => words("shows", "open_conferral", &[]),
    };
    let days = words("shows", "planned_days", &[("days", &same(stage.days.value))]);
    Shown { title: words("shows", "after_opening", &[]), lines: vec![key, days] }
}

fn closing(edition: &Edition, stage: &Stage, now: Instant) -> Vec<Shown> {
    let ends = match stage.kind {
        StageKind::Call => words("shows", "close_call", &[]),
        StageKind::Application => words("shows", "close_application", &[]),
        StageKind::Recommendation => words("shows", "close_recommendation", &[]),
        StageKind::PreReview => words("shows", "close_pre_review", &[]),
        StageKind::Experts => words("shows", "close_experts", &[]),
        StageKind::Scoring => words("shows", "close_scoring", &[]),
        StageKind::Shortlist => words("shows", "close_shortlist", &[]),
        StageKind::Committee => words("shows", "close_committee", &[]),
        StageKind::Notice => words("shows", "close_notice", &[]),
        StageKind::Approval => words("shows", "close_approval", &[]),
        StageKind::Conferral => words("shows", "close_conferral", &[]),
    };
    let index = edition.rules().stage_index(&stage.id).unwrap_or(usize::MAX);
    let next = index.checked_add(1).and_then(|next| edition.rules().stages.get(next));
    let next = match next {
        Some(next) => words("shows", "then_stage", &[("stage", &next.name)]),
        None => words("shows", "then_end", &[]),
    };
    let follows = Shown { title: words("shows", "after_closing", &[]), lines: vec![ends, next] };
    // What is still missing stands first: whoever would be refused learns it before pressing.
    let missing = edition
        .gate(stage, now)
        .err()
        .map(|refusal| Shown { title: words("shows", "not_yet", &[]), lines: vec![refused(Some(edition), &refusal)] });
    missing.into_iter().chain([follows]).collect()
}

/// A refusal with names in place of handles, in both languages.
pub fn refused(edition: Option<&Edition>, refusal: &Refusal) -> Text {
    let told = |lang: Lang| {
        let mut told = refusal.clone();
        for value in told.params.values_mut() {
            let parts: Vec<String> = value.split(", ").map(|part| called(edition, part).get(lang).to_owned()).collect();
            // A list of things that have names; anything else is a sentence or a number and stays as it is.
            let listed = parts.join(", ") != *value;
            *value = parts.join(if listed && lang == Lang::Zh { "、" } else { ", " });
        }
        messages::refusal(lang, &told)
    };
    Text { zh: told(Lang::Zh), en: told(Lang::En) }
}

/// Kinds of stages, as a refusal names them.
const STAGES: [&str; 11] = [
    "Call",
    "Application",
    "Recommendation",
    "PreReview",
    "Experts",
    "Scoring",
    "Shortlist",
    "Committee",
    "Notice",
    "Approval",
    "Conferral",
];

/// What a parameter of a refusal is called: a role, a kind of record, a kind of stage, whatever has a handle.
fn called(edition: Option<&Edition>, part: &str) -> Text {
    if STAGES.contains(&part) {
        return words("stage_kind", part, &[]);
    }
    for section in ["role", "act"] {
        let found = words(section, part, &[]);
        if found.zh != format!("{section}.{part}") {
            return found;
        }
    }
    edition.map_or_else(|| same(part), |edition| name(&edition.into(), part))
}

/// Texts that a record binds by their hash alone, so that nobody signs what they cannot read: minutes, pledges, sources.
pub fn texts(heng: &Heng, kind: &str, body: &Value) -> Vec<Shown> {
    let hashes = |key: &str| -> Vec<Hash> {
        let value = body.get(key);
        let list = value.and_then(Value::as_array).map(|list| list.iter().collect::<Vec<_>>());
        list.unwrap_or_else(|| value.into_iter().collect())
            .into_iter()
            .filter_map(|value| value.as_str()?.parse().ok())
            .collect()
    };
    let (title, found) = match kind {
        MinutesSigned::KIND => (words("shows", "minutes", &[]), hashes("sha256")),
        PledgeGiven::KIND => (words("part", "pledge", &[]), hashes("text_sha256")),
        _ => (words("body", "evidence", &[]), hashes("evidence")),
    };
    // A file of the applicant's is opened where it lies; here stands what the office typed itself.
    let text = |hash: &Hash| String::from_utf8(heng.store().attachment(&hash.0).ok().flatten()?).ok();
    let lines: Vec<Text> = found.iter().filter_map(text).filter(|text| text.len() < LONGEST).map(same).collect();
    if lines.is_empty() { Vec::new() } else { vec![Shown { title, lines }] }
}

/// Bytes of a text that is worth a place on the page; minutes of a long session are some thousands.
const LONGEST: usize = 64 << 10;
