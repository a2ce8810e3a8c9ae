//! The rules of a programme as a form: each value with its article, and the whole file for whoever builds a new process.

use std::collections::BTreeMap;

use heng_domain::office::Office;
use heng_domain::office::events::{OfficeRole, RulesAdopted};
use heng_domain::rules::leaves::{Leaf, leaves, path_of, with_leaves};
use heng_domain::rules::{Rules, RulesError, read_rules};
use heng_domain::text::Text;
use serde_json::{Value, json};

use super::field::{Answers, Choice, Field, Input, Kind, same, words, yuan_text};
use super::{Act, Case, DeskError, OfficeDesk, Proposed, Signs, Who, Written, Wrong};
use crate::library;

/// A case of the act that takes the whole file instead of the form.
const FILE: &str = "~file";

/// Values that are one of a few, by key.
const CHOICES: &[(&str, &[&str])] = &[
    ("rewin", &["ordinary", "certificate_only", "no_money"]),
    ("application_anchor", &["application_deadline", "end_of_previous_year"]),
    ("shortlist_tie", &["all_in", "none_in", "results"]),
    ("committee_ballot", &["roll_call", "signed", "secret"]),
    ("committee_choice", &["approve", "pick"]),
    ("committee_rank_by", &["votes", "score"]),
    ("committee_tie", &["score", "empty"]),
    ("quorum_base", &["present", "roll"]),
    ("quorum_cmp", &["ge", "gt"]),
    ("pass_base", &["present", "roll", "cast", "yes_no"]),
    ("pass_cmp", &["ge", "gt"]),
    ("notice_day_kind", &["working", "calendar"]),
    ("opinions_day_kind", &["working", "calendar"]),
    ("disclosure_scores", &["anonymous", "sealed"]),
    ("disclosure_votes", &["named", "totals"]),
    // What a form leaves alone is read all the same.
    ("conditions_kind", &["share", "count", "confirmed", "years", "clear", "no_ban", "cool_down"]),
    ("scoring_method", &["items", "adjust", "direct", "count"]),
    ("scoring_aggregate", &["consensus", "mean", "trimmed_mean"]),
    ("committee_purpose", &["shortlist", "winners"]),
];

pub(super) fn act<'a>() -> Act<OfficeDesk<'a>> {
    Act { kind: RulesAdopted::KIND, who: Who::Officer, signs: Signs::OFFICERS, open, form, write }
}

fn open(desk: &OfficeDesk<'_>) -> Vec<Case> {
    if !desk.holds(OfficeRole::Officer) {
        return Vec::new();
    }
    let whole = |name: &Text| words("rule", "whole_file", &[("name", name)]);
    let both = |(id, programme): (&String, &heng_domain::office::events::ProgrammeEstablished)| {
        let name = &programme.name;
        [Case::possible(id.clone(), name.clone()), Case::possible(format!("{id}{FILE}"), whole(name))]
    };
    desk.office.programmes.iter().flat_map(both).collect()
}

fn form(desk: &OfficeDesk<'_>, case: &str) -> Vec<Field> {
    if let Some(programme) = case.strip_suffix(FILE) {
        let text = start(desk.office, programme).and_then(|rules| toml::to_string_pretty(&rules).ok());
        return vec![Field::new("rules", Kind::Area { most: 200_000, rows: 30 }).with(text.unwrap_or_default())];
    }
    start(desk.office, case).map(|rules| fields(&rules)).unwrap_or_default()
}

fn write(desk: &OfficeDesk<'_>, case: &str, input: &Input) -> Proposed {
    let programme = case.strip_suffix(FILE).unwrap_or(case);
    let rules = if case.ends_with(FILE) {
        whole(programme, &input.text("rules"))?
    } else {
        typed(&start(desk.office, case).ok_or(DeskError::NotOpen)?, input)?
    };
    let basis = rules.document.number.clone();
    Ok(vec![Written::office(&basis, RulesAdopted { programme: programme.to_owned(), rules })?])
}

/// The rules in force of a programme.
pub fn in_force<'a>(office: &'a Office, programme: &str) -> Option<&'a Rules> {
    office.rules.get(programme).and_then(|versions| versions.last()).map(|(_, adopted)| &adopted.rules)
}

/// What a new version begins with: the rules in force, or the model where there are none yet.
pub fn start(office: &Office, programme: &str) -> Option<Rules> {
    if let Some(rules) = in_force(office, programme) {
        return Some(rules.clone());
    }
    let established = office.programmes.get(programme)?;
    let mut rules = library::model_rules()?;
    rules.id = programme.to_owned();
    rules.name = established.name.clone();
    rules.level = established.level;
    rules.authority = office.founded.name.clone();
    Some(rules)
}

/// The rules as somebody has typed them so far, in the form or in the file; `None` where nothing was typed.
///
/// # Errors
/// What is wrong with the answers.
pub fn drafted(office: &Office, programme: &str, answers: &Answers) -> Result<Rules, DeskError> {
    let start = start(office, programme).ok_or(DeskError::NotOpen)?;
    if let Some(text) = answers.get("rules").and_then(|values| values.first()) {
        return whole(programme, text);
    }
    let input = super::read(&fields(&start), answers, 0).map_err(DeskError::Wrong)?;
    typed(&start, &input)
}

/// Rules as a whole file.
fn whole(programme: &str, text: &str) -> Result<Rules, DeskError> {
    read_rules(programme, text).map_err(|error| match error {
        RulesError::Syntax { message, .. } => Wrong::new("rules", "rules_file").with("detail", message).into(),
        RulesError::Unsound { problems, .. } => {
            DeskError::Wrong(problems.iter().map(|problem| Wrong::of_rules("rules", problem, true)).collect())
        }
    })
}

/// The version after this one: the last number counts on.
fn next_version(version: &str) -> String {
    let digits = version.len() - version.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (head, tail) = version.split_at(version.len() - digits);
    match tail.parse::<u64>() {
        Ok(number) => format!("{head}{}", number.saturating_add(1)),
        Err(_) => format!("{version}.1"),
    }
}

/// One question for each value, one for its article and one whether it is only assumed.
fn fields(rules: &Rules) -> Vec<Field> {
    let mut out: Vec<Field> = Vec::new();
    let mut part = String::new();
    for leaf in leaves(rules).into_iter().filter(Leaf::editable) {
        let mut own = questions(rules, &leaf);
        let here = part_of(&leaf.path);
        if here != part {
            if let Some(first) = own.first_mut() {
                first.part = Some(part_name(rules, &here));
            }
            part = here;
        }
        out.append(&mut own);
    }
    out
}

fn questions(rules: &Rules, leaf: &Leaf) -> Vec<Field> {
    let label = label(rules, leaf);
    let question = |suffix: &str, kind: Kind, label: Text| {
        Field::labelled(&format!("{}{suffix}", leaf.path), &leaf.key, kind).label(label)
    };
    let line = || Kind::Line { most: 300 };
    let mut out = match &leaf.value {
        Value::Object(text) => [("zh", "in_zh"), ("en", "in_en")]
            .map(|(lang, key)| {
                let value = text.get(lang).and_then(Value::as_str).unwrap_or_default();
                let label = words("rule", key, &[("label", &label)]);
                question(&format!(":{lang}"), line(), label).with(value)
            })
            .to_vec(),
        Value::Bool(yes) if leaf.key.ends_with("_assumed") => {
            let ticked = if *yes { vec!["yes".to_owned()] } else { Vec::new() };
            vec![question("", Kind::Tick, label.clone()).optional().with_all(ticked)]
        }
        Value::Bool(yes) => {
            let choices = ["yes", "no"].map(|answer| Choice::new(answer, words("choice", answer, &[])));
            let chosen = if *yes { "yes" } else { "no" };
            vec![question("", Kind::One { choices: choices.to_vec() }, label.clone()).with(chosen)]
        }
        Value::Number(fen) if leaf.key.ends_with("_fen") => {
            let yuan = yuan_text(fen.as_i64().unwrap_or(0));
            vec![question("", Kind::Money { negative: false }, label.clone()).with(yuan)]
        }
        Value::Number(number) => {
            let (least, most) = if leaf.key == "utc_offset_minutes" { (-720, 840) } else { (0, i64::from(u32::MAX)) };
            vec![question("", Kind::Number { least, most, step: 1 }, label.clone()).with(number)]
        }
        Value::Array(list) => {
            let line = |text: &Value| {
                let of = |lang| text.get(lang).and_then(Value::as_str).unwrap_or_default();
                format!("{}\t{}", of("zh"), of("en"))
            };
            let columns = ["column_zh", "column_en"].map(|key| words("rule", key, &[])).to_vec();
            let rows = list.iter().map(line).collect::<Vec<_>>().join("\n");
            vec![question("", Kind::Table { columns, most: 20 }, label.clone()).with(rows)]
        }
        Value::String(text) => match CHOICES.iter().find(|(key, _)| *key == leaf.key) {
            Some((_, all)) => {
                let choices = all.iter().map(|v| Choice::new(*v, words("rule_value", v, &[]))).collect();
                vec![question("", Kind::One { choices }, label.clone()).with(text)]
            }
            None => {
                let text = if leaf.key == "version" { next_version(text) } else { text.clone() };
                let asked = question("", line(), label.clone()).with(text);
                vec![if leaf.key == "document_issued" { asked.optional() } else { asked }]
            }
        },
        Value::Null => Vec::new(),
    };
    if let Some((basis, assumed)) = &leaf.basis {
        out.push(question(":basis", line(), words("rule", "basis_of", &[("label", &label)])).with(basis));
        let ticked = if *assumed { vec!["yes".to_owned()] } else { Vec::new() };
        let label = words("rule", "assumed_of", &[("label", &label)]);
        out.push(question(":assumed", Kind::Tick, label).optional().with_all(ticked));
    }
    out
}

/// The rules with what was typed.
fn typed(start: &Rules, input: &Input) -> Result<Rules, DeskError> {
    let mut changed = BTreeMap::new();
    for mut leaf in leaves(start).into_iter().filter(Leaf::editable) {
        let name = |suffix: &str| format!("{}{suffix}", leaf.path);
        leaf.value = match &leaf.value {
            Value::Object(_) => json!({ "zh": input.text(&name(":zh")), "en": input.text(&name(":en")) }),
            Value::Bool(_) if leaf.key.ends_with("_assumed") => json!(input.ticked(&leaf.path)),
            Value::Bool(_) => json!(input.text(&leaf.path) == "yes"),
            Value::Number(_) => json!(input.number(&leaf.path)),
            Value::Array(_) => input
                .rows(&leaf.path)
                .iter()
                .map(|row| {
                    let cell = |i: usize| row.get(i).map(String::as_str).unwrap_or_default();
                    json!({ "zh": cell(0), "en": if cell(1).is_empty() { cell(0) } else { cell(1) } })
                })
                .collect(),
            Value::String(_) => json!(input.text(&leaf.path)),
            Value::Null => Value::Null,
        };
        if leaf.basis.is_some() {
            leaf.basis = Some((input.text(&name(":basis")), input.ticked(&name(":assumed"))));
        }
        changed.insert(leaf.path.clone(), leaf);
    }
    let rules = with_leaves(start, &changed).map_err(|error| Wrong::new("", "rules_file").with("detail", error))?;
    let wrong: Vec<Wrong> = rules
        .problems()
        .iter()
        .map(|problem| {
            let path = path_of(&rules, &problem.key);
            let known = changed.contains_key(&path);
            Wrong::of_rules(if known { &path } else { "" }, problem, !known)
        })
        .collect();
    if wrong.is_empty() { Ok(rules) } else { Err(DeskError::Wrong(wrong)) }
}

/// The part of the form in which a value stands: a stage for itself, all else by its list.
fn part_of(path: &str) -> String {
    let mut parts = path.split('/');
    let part = match (parts.next().unwrap_or_default(), parts.next()) {
        ("stages", Some(stage)) => return format!("stages/{stage}"),
        ("tiers" | "reserved", _) => "part_tiers",
        ("classes", _) => "part_classes",
        ("application", _) => "part_application",
        ("conditions", _) => "part_conditions",
        ("opinions", _) => "part_opinions",
        ("recusal", _) => "part_recusal",
        ("disclosure", _) => "part_disclosure",
        _ => "part_award",
    };
    part.to_owned()
}

fn part_name(rules: &Rules, part: &str) -> Text {
    match part.strip_prefix("stages/").and_then(|id| rules.stage(id)) {
        Some(stage) => words("rule", "part_stage", &[("name", &stage.name)]),
        None => words("rule", part, &[]),
    }
}

/// What a value is called: for an entry of a list with the entry's name before it.
pub fn label(rules: &Rules, leaf: &Leaf) -> Text {
    let own = words("rule", &leaf.key, &[]);
    match entry_name(rules, &leaf.path) {
        Some(name) => words("rule", "of_entry", &[("entry", name), ("label", &own)]),
        None => own,
    }
}

fn entry_name<'a>(rules: &'a Rules, path: &str) -> Option<&'a Text> {
    let mut parts = path.split('/');
    let (list, id) = (parts.next()?, parts.next()?);
    match list {
        "tiers" => rules.tier(id).map(|tier| &tier.name),
        "classes" => rules.classes.iter().find(|class| class.id == id).map(|class| &class.name),
        "conditions" => rules.condition(id).map(|condition| &condition.name),
        "recusal" => rules.recusal.iter().find(|ground| ground.id == id).map(|ground| &ground.name),
        "stages" => rules.stage(id).map(|stage| &stage.name),
        "opinions" => rules.department(parts.next()?).map(|department| &department.name),
        _ => None,
    }
}

/// A value in words.
pub fn value_words(leaf: &Leaf) -> Text {
    match &leaf.value {
        Value::Bool(yes) => words("choice", if *yes { "yes" } else { "no" }, &[]),
        Value::Number(fen) if leaf.key.ends_with("_fen") => {
            words("choice", "yuan", &[("amount", &same(yuan_text(fen.as_i64().unwrap_or(0))))])
        }
        Value::String(text) => match CHOICES.iter().find(|(key, _)| *key == leaf.key) {
            Some((_, all)) if all.contains(&text.as_str()) => words("rule_value", text, &[]),
            _ => same(text),
        },
        Value::Object(text) => {
            let of = |lang| text.get(lang).and_then(Value::as_str).unwrap_or_default();
            Text::new(of("zh"), of("en"))
        }
        Value::Array(list) => {
            let of =
                |lang: &str, item: &Value| item.get(lang).or(Some(item)).and_then(Value::as_str).map(str::to_owned);
            let all = |lang| list.iter().filter_map(|item| of(lang, item)).collect::<Vec<_>>();
            Text::new(all("zh").join("、"), all("en").join(", "))
        }
        other => same(other),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use heng_domain::text::Lang;

    fn every_file() -> Vec<Rules> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/programmes");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        files.map(|file| read_rules("file", &std::fs::read_to_string(file).unwrap()).unwrap()).collect()
    }

    fn answers(fields: &[Field]) -> Answers {
        fields.iter().map(|field| (field.name.clone(), field.value.clone())).collect()
    }

    fn read_back(rules: &Rules, answers: &Answers) -> Result<Rules, Vec<Wrong>> {
        let input = super::super::read(&fields(rules), answers, 0)?;
        typed(rules, &input).map_err(|error| match error {
            DeskError::Wrong(wrong) => wrong,
            other => panic!("{other}"),
        })
    }

    #[test]
    fn a_form_that_is_sent_as_it_stands_changes_the_version_alone() {
        for mut rules in every_file() {
            let again = read_back(&rules, &answers(&fields(&rules))).unwrap();
            assert_ne!(again.version, rules.version);
            rules.version.clone_from(&again.version);
            assert_eq!(again, rules);
        }
    }

    #[test]
    fn every_question_and_every_choice_has_words_in_both_languages() {
        for rules in every_file() {
            for field in fields(&rules) {
                for lang in [Lang::Zh, Lang::En] {
                    let label = field.label.get(lang);
                    assert!(!label.contains("rule."), "{}: {label}", field.name);
                    let Kind::One { choices } = &field.kind else { continue };
                    let plain = |c: &Choice| !c.label.get(lang).starts_with("rule_value.");
                    assert!(choices.iter().all(plain), "{}", field.name);
                    // What stands in the file can be chosen in the form.
                    assert!(choices.iter().any(|c| field.value.first() == Some(&c.value)), "{}", field.name);
                }
            }
            for leaf in leaves(&rules) {
                assert!(!label(&rules, &leaf).en.contains("rule."), "{}", leaf.path);
            }
        }
    }

    #[test]
    fn what_does_not_fit_together_is_said_at_its_question() {
        let rules = every_file().into_iter().find(|rules| rules.id == "zhumadian-mayor").unwrap();
        let mut answers = answers(&fields(&rules));
        answers.insert("tiers/award/quota".to_owned(), vec!["0".to_owned()]);
        let wrong = read_back(&rules, &answers).unwrap_err();
        assert_eq!(wrong.first().map(|w| w.field.as_str()), Some("tiers/award/quota"));
    }

    #[test]
    fn versions_count_on() {
        for (before, after) in [("2016.1", "2016.2"), ("2019", "2020"), ("v9", "v10"), ("first", "first.1")] {
            assert_eq!(next_version(before), after);
        }
    }

    #[test]
    fn values_that_do_not_fit_together_are_said_in_the_reader_s_language() {
        let rules = every_file().into_iter().find(|rules| rules.stages.iter().any(|s| s.committee.is_some())).unwrap();
        let mut typed = answers(&fields(&rules));
        let days = typed.keys().find(|name| name.ends_with("/committee/size_min")).unwrap().clone();
        typed.insert(days.clone(), vec!["999".to_owned()]);
        let wrong = read_back(&rules, &typed).unwrap_err();
        assert_eq!((wrong[0].field.as_str(), wrong[0].code.as_str()), (days.as_str(), "rules_problem.sizes"));
        assert!(wrong[0].sentence(Lang::En).ends_with("must be at least 1 and not above size_max"));
        assert!(wrong[0].sentence(Lang::Zh).ends_with("至少为 1，并且不大于 size_max"));
        // In the whole file a problem is named with its key.
        let file = toml::to_string(&Rules { tiers: Vec::new(), ..rules }).unwrap();
        let DeskError::Wrong(wrong) = whole("file", &file).unwrap_err() else { panic!("not about an answer") };
        assert!(
            wrong.iter().any(|wrong| wrong.sentence(Lang::Zh).ends_with("tiers: 至少要有一个奖项等次")),
            "{wrong:?}"
        );
    }
}
