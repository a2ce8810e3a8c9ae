//! Scorebooks (评分表), the agreed sheet (合议), polls, computed scores and the shortlist.

use std::collections::{BTreeMap, BTreeSet};

use heng_domain::criteria::{Band, Criteria, Item, ItemKind};
use heng_domain::edition::events::{
    ConsensusAgreed, ConsensusDissented, PollCounted, Role, ScoreSubmitted, ScoresComputed, ShortlistDecided,
};
use heng_domain::edition::{Edition, item_path, mark_path, score_path};
use heng_domain::evaluation::{Sheet, spread};
use heng_domain::rules::{Aggregate, ScoringMethod, ScoringRules, Stage, StageKind};
use heng_domain::text::Text;
use serde_json::{Value, json};

use super::field::{Choice, Field, Grade, Input, Kind, same, words};
use super::{Act, Case, DeskError, EditionDesk, Proposed, Signs, Who, Written, Wrong};

/// Most characters of a remark on one item.
const REMARK: usize = 2000;

pub(super) fn acts<'a>() -> Vec<Act<EditionDesk<'a>>> {
    vec![
        Act {
            kind: ScoreSubmitted::KIND,
            who: Who::Expert,
            signs: Signs::ACTOR,
            open: |desk| {
                scored(desk)
                    .into_iter()
                    .filter(|(_, rules)| !matches!(rules.method.value, ScoringMethod::Adjust | ScoringMethod::Count))
                    .flat_map(|(stage, _)| {
                        let mine = mine(desk).filter(|a| {
                            // Nobody opens a dossier before the pledge.
                            let free = !desk.edition.lacks_pledge(&stage.id, &desk.me, a)
                                && desk.edition.sheets.get(&stage.id).is_none_or(|s| !s.agreed.contains_key(*a));
                            free && desk.edition.missing_sheets(&stage.id, a).contains(&desk.me.as_str())
                        });
                        mine.map(|a| Case::duty(case_id(&stage.id, a), about(desk, stage, a), desk.due(stage)))
                            .collect::<Vec<_>>()
                    })
                    .collect()
            },
            form: score_form,
            write: write_score,
        },
        Act {
            kind: ConsensusAgreed::KIND,
            who: Who::Expert,
            signs: Signs::ACTOR,
            open: |desk| {
                scored(desk)
                    .into_iter()
                    .filter(|(_, rules)| rules.aggregate.as_ref().is_some_and(|a| a.value == Aggregate::Consensus))
                    .flat_map(|(stage, _)| {
                        let ready = mine(desk).filter(|a| can_agree(desk, stage, a));
                        ready
                            .map(|a| Case::duty(case_id(&stage.id, a), about(desk, stage, a), desk.due(stage)))
                            .collect::<Vec<_>>()
                    })
                    .collect()
            },
            form: consensus_form,
            write: write_consensus,
        },
        Act {
            kind: ConsensusDissented::KIND,
            who: Who::Expert,
            signs: Signs::ACTOR,
            open: |desk| {
                let cases = scored(desk).into_iter().flat_map(|(stage, _)| {
                    let mine = mine(desk).filter(|a| desk.edition.may_dissent(&stage.id, &desk.me, a));
                    mine.map(|a| Case::possible(case_id(&stage.id, a), about(desk, stage, a))).collect::<Vec<_>>()
                });
                cases.collect()
            },
            form: dissent_form,
            write: |desk, case, input| {
                let (stage, application) = split(desk, case).ok_or(DeskError::NotOpen)?;
                let (panel, _) = desk.edition.panel_of(&stage.id, &application).ok_or(DeskError::NotOpen)?;
                let items: BTreeSet<String> = input.list("items").into_iter().collect();
                let body = ConsensusDissented {
                    application: application.clone(),
                    items: items.into_iter().collect(),
                    panel: panel.to_owned(),
                    stage: stage.id.clone(),
                };
                Ok(vec![Written::edition(&stage.basis, body)?.hiding("/reason", json!(input.text("reason")))])
            },
        },
        Act {
            kind: PollCounted::KIND,
            who: Who::Officer,
            signs: Signs::ACTOR,
            open: |desk| {
                if !desk.has(Role::Officer) {
                    return Vec::new();
                }
                let polls = scored(desk).into_iter().filter(|(_, r)| r.method.value == ScoringMethod::Count);
                polls
                    .flat_map(|(stage, _)| {
                        let given = desk.edition.sheets.get(&stage.id).map(|s| &s.polls);
                        let open = desk.edition.field.iter().filter(|a| given.is_none_or(|g| !g.contains_key(*a)));
                        open.map(|a| Case::duty(case_id(&stage.id, a), about(desk, stage, a), desk.due(stage)))
                            .collect::<Vec<_>>()
                    })
                    .collect()
            },
            form: |_, _| {
                let count = || Kind::Number { least: 0, most: 100_000_000, step: 1 };
                vec![
                    Field::new("asked", count()),
                    Field::new("satisfied", count()),
                    Field::new("poll_source", Kind::Area { most: 2000, rows: 4 }),
                ]
            },
            write: |desk, case, input| {
                let (stage, application) = split(desk, case).ok_or(DeskError::NotOpen)?;
                let body = PollCounted {
                    application,
                    asked: input.count("asked"),
                    satisfied: input.count("satisfied"),
                    source: desk.attach(&input.text("poll_source"))?,
                    stage: stage.id.clone(),
                };
                Ok(vec![Written::edition(&stage.basis, body)?])
            },
        },
        Act {
            kind: ScoresComputed::KIND,
            who: Who::Officer,
            signs: Signs::ACTOR,
            open: |desk| {
                if !desk.has(Role::Officer) {
                    return Vec::new();
                }
                let complete = |stage: &Stage| {
                    desk.edition.field.iter().all(|a| matches!(desk.edition.stage_score(&stage.id, a), Ok(Some(_))))
                };
                let ready = scored(desk).into_iter().filter(|(stage, _)| complete(stage));
                ready.map(|(stage, _)| Case::duty(stage.id.clone(), stage.name.clone(), desk.due(stage))).collect()
            },
            form: |_, _| Vec::new(),
            write: |desk, stage, _| {
                let found = desk.edition.rules().stage(stage).ok_or(DeskError::NotOpen)?;
                let applications: Vec<String> = desk.edition.field.iter().cloned().collect();
                let mut hidden = BTreeMap::new();
                for application in &applications {
                    let score = desk.edition.stage_score(stage, application)?.ok_or(DeskError::NotOpen)?;
                    hidden.insert(score_path(application), json!(score));
                }
                let mut written =
                    Written::edition(&found.basis, ScoresComputed { applications, stage: stage.to_owned() })?;
                written.hidden = hidden;
                Ok(vec![written])
            },
        },
        Act {
            kind: ShortlistDecided::KIND,
            who: Who::Officer,
            signs: Signs::ACTOR,
            open: |desk| match desk.stage(StageKind::Shortlist).filter(|_| desk.has(Role::Officer)) {
                Some(stage) if !desk.edition.shortlists.contains_key(&stage.id) => {
                    vec![Case::duty(stage.id.clone(), stage.name.clone(), desk.due(stage))]
                }
                _ => Vec::new(),
            },
            form: |_, _| Vec::new(),
            write: |desk, stage, _| {
                let found = desk.edition.rules().stage(stage).ok_or(DeskError::NotOpen)?;
                let kept = desk.edition.compute_shortlist(stage).ok_or(DeskError::NotOpen)?;
                let cut = desk.edition.field.iter().filter(|a| !kept.contains(a)).cloned().collect();
                Ok(vec![Written::edition(&found.basis, ShortlistDecided { cut, kept, stage: stage.to_owned() })?])
            },
        },
    ]
}

/// Scored stages that are open and not computed yet.
fn scored<'b>(desk: &'b EditionDesk<'_>) -> Vec<(&'b Stage, &'b ScoringRules)> {
    let open = desk.edition.open_stages().into_iter();
    open.filter(|s| desk.edition.sheets.get(&s.id).is_none_or(|sheets| sheets.computed.is_none()))
        .filter(|s| {
            let rules = s.scoring.as_ref();
            let order = rules.is_some_and(|r| r.order_drawn);
            !order || desk.edition.draws.values().any(|d| d.stage == s.id && d.revealed.is_some())
        })
        .filter_map(|s| Some((s, s.scoring.as_ref()?)))
        .collect()
}

/// Applications in the field that a panel of mine reviews, in order: what may concern an expert, found without asking for
/// each of a thousand who reviews it.
pub(super) fn mine<'b>(desk: &'b EditionDesk<'_>) -> impl Iterator<Item = &'b String> {
    let panels = desk.edition.panels.values().filter(|panel| panel.members.contains(&desk.me));
    let applications: BTreeSet<&String> = panels.flat_map(|panel| &panel.applications).collect();
    applications.into_iter().filter(|application| desk.edition.field.contains(*application))
}

/// A case of a scored stage: stage and application in one name.
pub(super) fn case_id(stage: &str, application: &str) -> String {
    format!("{stage}~{application}")
}

/// Stage and application of a case.
pub fn split<'b>(desk: &'b EditionDesk<'_>, case: &str) -> Option<(&'b Stage, String)> {
    let (stage, application) = case.split_once('~')?;
    Some((desk.edition.rules().stage(stage)?, application.to_owned()))
}

pub(super) fn about(desk: &EditionDesk<'_>, stage: &Stage, application: &str) -> Text {
    let name = desk.name(application);
    Text::new(format!("{} · {}", name.zh, stage.name.zh), format!("{} · {}", name.en, stage.name.en))
}

fn can_agree(desk: &EditionDesk<'_>, stage: &Stage, application: &str) -> bool {
    let edition = desk.edition;
    let given = edition.sheets.get(&stage.id).is_some_and(|s| s.agreed.contains_key(application));
    let leads = edition
        .panel_of(&stage.id, application)
        .and_then(|(_, panel)| edition.consensus_signer(panel, application))
        .is_some_and(|signer| signer == desk.me);
    let method = stage.scoring.as_ref().map(|s| s.method.value);
    let complete = if edition.is_visited(stage) {
        edition.visit(&stage.id, application).is_some_and(|visit| visit.report.is_some())
    } else {
        method == Some(ScoringMethod::Adjust) || edition.missing_sheets(&stage.id, application).is_empty()
    };
    !given && leads && complete && !edition.lacks_pledge(&stage.id, &desk.me, application)
}

/// The words of an item's heading: number, name, points.
fn item_words(item: &Item, key: &str) -> Text {
    let number = same(&item.id);
    words("field", key, &[("item", &number), ("name", &item.name), ("points", &same(item.points))])
}

/// What the percentages of an item say.
fn scale(tree: &Criteria, item: &Item) -> Vec<Grade> {
    let grade = |band: &Band| Grade {
        from: band.from,
        to: band.to,
        words: if item.kind == ItemKind::Process { band.process.clone() } else { band.result.clone() },
    };
    tree.bands.iter().map(grade).collect()
}

/// Fields of one item: percentage and three remarks.
fn item_fields(tree: &Criteria, item: &Item, first: bool, category: &Text) -> Vec<Field> {
    let step = tree.step.max(1);
    let percent = Kind::Number { least: 0, most: 100, step: i64::from(step) };
    let band = if item.kind == ItemKind::Process { "band_process" } else { "band_result" };
    let hint = words("hint", band, &[("step", &same(step))]);
    let mut percent = Field::labelled(&format!("percent:{}", item.id), "percent", percent)
        .label(item_words(item, "percent"))
        .hint(hint)
        .scale(scale(tree, item));
    if first {
        percent = percent.part(category.clone());
    }
    let remark = |part: &str| {
        Field::labelled(&format!("{part}:{}", item.id), part, Kind::Area { most: REMARK, rows: 3 }).optional()
    };
    vec![percent, remark("strengths"), remark("improvements"), remark("evidence")]
}

fn category_name(id: &str, name: &Text) -> Text {
    Text::new(format!("{id} {}", name.zh), format!("{id} {}", name.en))
}

fn score_form(desk: &EditionDesk<'_>, case: &str) -> Vec<Field> {
    let Some((stage, _)) = split(desk, case) else { return Vec::new() };
    let Some(tree) = &desk.edition.criteria else { return Vec::new() };
    if stage.scoring.as_ref().is_some_and(|s| s.method.value == ScoringMethod::Direct) {
        return vec![
            Field::new("mark", Kind::Number { least: 0, most: 100, step: 1 }),
            Field::new("remarks", Kind::Area { most: REMARK, rows: 6 }).optional(),
        ];
    }
    let mut fields = Vec::new();
    for category in &tree.categories {
        let name = category_name(&category.id, &category.name);
        for (index, item) in category.items.iter().enumerate() {
            fields.extend(item_fields(tree, item, index == 0, &name));
        }
    }
    fields.push(Field::new("overall", Kind::Area { most: REMARK, rows: 5 }).optional().part(words(
        "part",
        "overall",
        &[],
    )));
    fields
}

/// Remarks of a sheet by item, as far as something was written.
fn remarks(tree: &Criteria, input: &Input) -> Value {
    let mut out = serde_json::Map::new();
    for item in tree.items() {
        let mut own = serde_json::Map::new();
        for part in ["strengths", "improvements", "evidence"] {
            let text = input.text(&format!("{part}:{}", item.id));
            if !text.is_empty() {
                own.insert(part.to_owned(), Value::String(text));
            }
        }
        if !own.is_empty() {
            out.insert(item.id.clone(), Value::Object(own));
        }
    }
    let overall = input.text("overall");
    if !overall.is_empty() {
        out.insert("overall".to_owned(), Value::String(overall));
    }
    Value::Object(out)
}

fn write_score(desk: &EditionDesk<'_>, case: &str, input: &Input) -> Proposed {
    let (stage, application) = split(desk, case).ok_or(DeskError::NotOpen)?;
    let tree = desk.edition.criteria.as_ref().ok_or(DeskError::NotOpen)?;
    let (panel, _) = desk.edition.panel_of(&stage.id, &application).ok_or(DeskError::NotOpen)?;
    let body = ScoreSubmitted {
        application: application.clone(),
        expert: desk.me.clone(),
        panel: panel.to_owned(),
        stage: stage.id.clone(),
    };
    let mut written = Written::edition(&stage.basis, body)?;
    if stage.scoring.as_ref().is_some_and(|s| s.method.value == ScoringMethod::Direct) {
        written = written.hiding(mark_path(), json!(input.number("mark")));
        return Ok(vec![written.hiding("/remarks", json!({ "overall": input.text("remarks") }))]);
    }
    for item in tree.items() {
        written = written.hiding(item_path(&item.id), json!(input.number(&format!("percent:{}", item.id))));
    }
    Ok(vec![written.hiding("/remarks", remarks(tree, input))])
}

/// The sheets behind an agreement: those of the panel, or the agreed one of the stage before a site visit.
pub fn sheets_before(edition: &Edition, stage: &Stage, application: &str) -> Vec<(String, Sheet)> {
    let rules = stage.scoring.as_ref();
    if let Some(from) = rules.filter(|r| r.method.value == ScoringMethod::Adjust).and_then(|r| r.from.as_deref()) {
        let seq = edition.sheets.get(from).and_then(|s| s.agreed.get(application));
        return seq.and_then(|seq| edition.sheet(*seq)).map(|sheet| ("—".to_owned(), sheet)).into_iter().collect();
    }
    let counting = edition.counting_sheets(&stage.id, application);
    counting.into_iter().filter_map(|(expert, seq)| Some((expert.to_owned(), edition.sheet(seq)?))).collect()
}

/// Mean of the sheets on an item, rounded half up to the step: only a proposal for the talk.
fn suggestion(sheets: &[(String, Sheet)], item: &str, step: u64) -> Option<u64> {
    let marks: Vec<u64> = sheets.iter().filter_map(|(_, sheet)| sheet.get(item)).map(|p| u64::from(*p)).collect();
    let count = u64::try_from(marks.len()).ok().filter(|n| *n > 0)?;
    let step = step.max(1);
    Some((2 * marks.iter().sum::<u64>() + count * step) / (2 * count * step) * step)
}

/// Items whose marks lie apart as far as the rules ask for a talk, with the range.
fn wide(stage: &Stage, sheets: &[(String, Sheet)]) -> BTreeMap<String, u32> {
    let alarm = stage.scoring.as_ref().map_or(0, |s| s.spread_alarm);
    let ranges = spread(&sheets.iter().map(|(_, sheet)| sheet).collect::<Vec<_>>());
    ranges.into_iter().filter(|(_, range)| alarm > 0 && *range >= alarm).collect()
}

fn consensus_form(desk: &EditionDesk<'_>, case: &str) -> Vec<Field> {
    let Some((stage, application)) = split(desk, case) else { return Vec::new() };
    let Some(tree) = &desk.edition.criteria else { return Vec::new() };
    let sheets = sheets_before(desk.edition, stage, &application);
    let wide = wide(stage, &sheets);
    let adjusts = stage.scoring.as_ref().is_some_and(|s| s.method.value == ScoringMethod::Adjust);
    let visited = desk.edition.is_visited(stage);
    let found = desk.edition.found_items(&stage.id, &application);
    let mut fields = Vec::new();
    let hint = |item: &str| match (visited, found.contains(item)) {
        (true, true) => "mark_found",
        (true, false) => "mark_not_found",
        (false, _) => "marks_before",
    };
    for category in &tree.categories {
        let name = category_name(&category.id, &category.name);
        for (index, item) in category.items.iter().enumerate() {
            let kind = Kind::Number { least: 0, most: 100, step: i64::from(tree.step.max(1)) };
            let marks: Vec<String> =
                sheets.iter().filter_map(|(_, sheet)| sheet.get(&item.id)).map(|p| format!("{p}%")).collect();
            let mut percent = Field::labelled(&format!("percent:{}", item.id), "percent", kind)
                .label(item_words(item, "percent"))
                .hint(words("hint", hint(&item.id), &[("marks", &same(marks.join(" · ")))]))
                .scale(scale(tree, item))
                .with_all(suggestion(&sheets, &item.id, u64::from(tree.step)).iter().map(u64::to_string).collect());
            if index == 0 {
                percent = percent.part(name.clone());
            }
            fields.push(percent);
            if let Some(range) = wide.get(&item.id) {
                let label = words("field", "discussed", &[("range", &same(range))]);
                let name = format!("discussed:{}", item.id);
                fields.push(Field::labelled(&name, "discussed", Kind::Tick).label(label));
            }
            if adjusts && !visited {
                let name = format!("evidence:{}", item.id);
                let evidence = Field::labelled(&name, "adjust_evidence", Kind::Area { most: REMARK, rows: 2 });
                fields.push(evidence.optional());
            } else if !adjusts {
                for part in ["strengths", "improvements"] {
                    let name = format!("{part}:{}", item.id);
                    fields.push(Field::labelled(&name, part, Kind::Area { most: REMARK, rows: 2 }).optional());
                }
            }
        }
    }
    let overall = Field::new("overall", Kind::Area { most: REMARK, rows: 5 });
    fields.push(overall.optional().part(words("part", "overall", &[])));
    fields
}

/// The items with what was agreed on each.
fn dissent_form(desk: &EditionDesk<'_>, case: &str) -> Vec<Field> {
    let Some((stage, application)) = split(desk, case) else { return Vec::new() };
    let agreed = desk.edition.sheets.get(&stage.id).and_then(|sheets| sheets.agreed.get(&application));
    let Some((tree, sheet)) = desk.edition.criteria.as_ref().zip(agreed.and_then(|seq| desk.edition.sheet(*seq)))
    else {
        return Vec::new();
    };
    let choice = |item: &Item| {
        let agreed = sheet.get(&item.id).map_or_else(|| same("—"), same);
        let places = [("item", &same(&item.id)), ("name", &item.name), ("agreed", &agreed)];
        Choice::new(item.id.clone(), words("field", "dissent_item", &places))
    };
    vec![
        Field::labelled("items", "dissent_items", Kind::Many { choices: tree.items().map(choice).collect() }),
        Field::new("reason", Kind::Area { most: REMARK, rows: 5 }),
    ]
}

fn write_consensus(desk: &EditionDesk<'_>, case: &str, input: &Input) -> Proposed {
    let (stage, application) = split(desk, case).ok_or(DeskError::NotOpen)?;
    let tree = desk.edition.criteria.as_ref().ok_or(DeskError::NotOpen)?;
    let (panel, _) = desk.edition.panel_of(&stage.id, &application).ok_or(DeskError::NotOpen)?;
    let sheets = sheets_before(desk.edition, stage, &application);
    let adjusts = stage.scoring.as_ref().is_some_and(|s| s.method.value == ScoringMethod::Adjust);
    let visited = desk.edition.is_visited(stage);
    let found = desk.edition.found_items(&stage.id, &application);
    let mut wrong = Vec::new();
    let mut evidence = serde_json::Map::new();
    let mut hidden = BTreeMap::new();
    for item in tree.items() {
        let name = format!("percent:{}", item.id);
        let percent = input.number(&name);
        hidden.insert(item_path(&item.id), json!(percent));
        let reason = input.text(&format!("evidence:{}", item.id));
        let before = sheets.first().and_then(|(_, sheet)| sheet.get(&item.id)).map(|p| i64::from(*p));
        let changed = before != Some(percent);
        if visited && changed && !found.contains(item.id.as_str()) {
            wrong.push(Wrong::new(&name, "change_finding"));
        } else if adjusts && !visited && changed && reason.is_empty() {
            wrong.push(Wrong::new(&format!("evidence:{}", item.id), "change_reason"));
        }
        if !reason.is_empty() {
            evidence.insert(item.id.clone(), Value::String(reason));
        }
    }
    let mut discussed = Vec::new();
    for item in wide(stage, &sheets).into_keys().filter(|_| !adjusts) {
        let name = format!("discussed:{item}");
        if input.ticked(&name) {
            discussed.push(item);
        } else {
            wrong.push(Wrong::new(&name, "discuss_first"));
        }
    }
    if !wrong.is_empty() {
        return Err(DeskError::Wrong(wrong));
    }
    let body = ConsensusAgreed { application, discussed, panel: panel.to_owned(), stage: stage.id.clone() };
    let mut written = Written::edition(&stage.basis, body)?;
    written.hidden = hidden;
    if visited {
        return Ok(vec![written]);
    }
    if adjusts {
        return Ok(vec![written.hiding("/evidence", Value::Object(evidence))]);
    }
    Ok(vec![written.hiding("/remarks", remarks(tree, input))])
}
