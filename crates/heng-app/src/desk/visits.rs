//! Site visits (现场评审): the plan, questions from the document review, what is found, and the leader's report.

use heng_domain::edition::events::{FindingKind, Role, VisitIssueRaised, VisitLogged, VisitPlanned, VisitReported};
use heng_domain::edition::{Panel, Visit};
use heng_domain::rules::Stage;
use heng_domain::text::Text;
use serde_json::{Value, json};

use super::field::{Choice, Field, Input, Kind, day_words, same, words};
use super::scoring::{about, case_id, mine, split};
use super::{Act, Case, DeskError, EditionDesk, Proposed, Signs, Who, Written, Wrong};

/// Most characters of what is written about one finding.
const WORDS: usize = 2000;

pub(super) fn acts<'a>() -> Vec<Act<EditionDesk<'a>>> {
    vec![
        Act {
            kind: VisitPlanned::KIND,
            who: Who::Expert,
            signs: Signs::ACTOR,
            open: |desk| {
                let officer = desk.has(Role::Officer);
                let open = cases(desk, officer).into_iter();
                let mine = open.filter(|c| c.leads || officer);
                mine.map(|c| c.case(c.leads && c.visit.is_none_or(|visit| visit.plan.is_none()))).collect()
            },
            form: plan_form,
            write: write_plan,
        },
        Act {
            kind: VisitIssueRaised::KIND,
            who: Who::Expert,
            signs: Signs::ACTOR,
            open: |desk| cases(desk, false).iter().map(|c| c.case(false)).collect(),
            form: |desk, _| {
                vec![
                    Field::new("item", Kind::One { choices: items(desk) }),
                    Field::labelled("question", "visit_question", Kind::Area { most: WORDS, rows: 3 }),
                ]
            },
            write: |desk, case, input| {
                let found = Found::of(desk, case)?;
                let body = VisitIssueRaised {
                    application: found.application,
                    item: input.text("item"),
                    panel: found.panel,
                    stage: found.stage.id.clone(),
                };
                let written = Written::edition(&found.stage.basis, body)?;
                Ok(vec![written.hiding("/question", json!(input.text("question")))])
            },
        },
        Act {
            kind: VisitLogged::KIND,
            who: Who::Expert,
            signs: Signs::ACTOR,
            open: |desk| {
                let open = cases(desk, false).into_iter().filter(|c| c.begun(desk));
                // Somebody must begin; afterwards everybody adds what they find.
                open.map(|c| c.case(c.leads && c.visit.is_some_and(|visit| visit.log.is_empty()))).collect()
            },
            form: log_form,
            write: write_log,
        },
        Act {
            kind: VisitReported::KIND,
            who: Who::Expert,
            signs: Signs::ACTOR,
            open: |desk| {
                let ready = |c: &Open<'_>| c.leads && c.visit.is_some_and(|visit| !visit.log.is_empty());
                let over = |c: &Open<'_>| c.plan().is_some_and(|plan| plan.last_day <= desk.today());
                cases(desk, false).into_iter().filter(ready).map(|c| c.case(over(&c))).collect()
            },
            form: |_, _| vec![Field::labelled("conclusion", "visit_conclusion", Kind::Area { most: 6000, rows: 10 })],
            write: |desk, case, input| {
                let found = Found::of(desk, case)?;
                let log = desk.edition.findings(&found.stage.id, &found.application).count();
                let body = VisitReported {
                    findings: u64::try_from(log).unwrap_or(u64::MAX),
                    application: found.application,
                    panel: found.panel,
                    stage: found.stage.id.clone(),
                };
                let written = Written::edition(&found.stage.basis, body)?;
                Ok(vec![written.hiding("/conclusion", json!(input.text("conclusion")))])
            },
        },
    ]
}

/// A visit that still runs, as somebody at a desk sees it.
struct Open<'b> {
    id: String,
    about: Text,
    due: Option<jiff::civil::Date>,
    visit: Option<&'b Visit>,
    leads: bool,
    me: &'b str,
}

impl Open<'_> {
    fn case(&self, duty: bool) -> Case {
        let due = self.due.filter(|_| duty);
        Case { id: self.id.clone(), about: self.about.clone(), due, duty }
    }

    fn plan(&self) -> Option<&VisitPlanned> {
        self.visit.and_then(|visit| visit.plan.as_ref()).map(|(plan, _)| plan)
    }

    /// The first day has come, and I go.
    fn begun(&self, desk: &EditionDesk<'_>) -> bool {
        self.plan().is_some_and(|plan| plan.first_day <= desk.today() && plan.team.iter().any(|x| x == self.me))
    }
}

/// Visits of open stages that are not reported: those of my panels if I may judge, all of them for an officer.
fn cases<'b>(desk: &'b EditionDesk<'_>, officer: bool) -> Vec<Open<'b>> {
    let edition = desk.edition;
    let stages = edition.open_stages().into_iter();
    let stages = stages.filter(|stage| edition.is_visited(stage) && !edition.is_computed(&stage.id));
    let mut out = Vec::new();
    for stage in stages {
        let applications: Vec<&String> = if officer { edition.field.iter().collect() } else { mine(desk).collect() };
        for application in applications {
            let Some((_, panel)) = edition.panel_of(&stage.id, application) else { continue };
            let goes = edition.visitors(&stage.id, panel, application).contains(&desk.me.as_str());
            let visit = edition.visit(&stage.id, application);
            let reported = visit.is_some_and(|visit| visit.report.is_some());
            if reported || !(goes || officer) {
                continue;
            }
            out.push(Open {
                id: case_id(&stage.id, application),
                about: about(desk, stage, application),
                due: desk.due(stage),
                visit,
                leads: goes && edition.consensus_signer(panel, application) == Some(desk.me.as_str()),
                me: &desk.me,
            });
        }
    }
    out
}

/// What the case of a visit is about.
struct Found<'b> {
    stage: &'b Stage,
    application: String,
    panel: String,
    state: &'b Panel,
}

impl<'b> Found<'b> {
    fn of(desk: &'b EditionDesk<'_>, case: &str) -> Result<Found<'b>, DeskError> {
        let (stage, application) = split(desk, case).ok_or(DeskError::NotOpen)?;
        let (panel, state) = desk.edition.panel_of(&stage.id, &application).ok_or(DeskError::NotOpen)?;
        Ok(Found { stage, application, panel: panel.to_owned(), state })
    }
}

/// Items by weight, the heaviest first.
fn items(desk: &EditionDesk<'_>) -> Vec<Choice> {
    let mut items: Vec<_> = desk.edition.criteria.iter().flat_map(|tree| tree.items()).collect();
    items.sort_by(|a, b| b.points.cmp(&a.points).then_with(|| a.id.cmp(&b.id)));
    let label = |id: &str, name: &Text, points: u32| {
        words("choice", "visit_item", &[("item", &same(id)), ("name", name), ("points", &same(points))])
    };
    items.into_iter().map(|item| Choice::new(item.id.clone(), label(&item.id, &item.name, item.points))).collect()
}

fn plan_form(desk: &EditionDesk<'_>, case: &str) -> Vec<Field> {
    let Ok(found) = Found::of(desk, case) else { return Vec::new() };
    let free = desk.edition.visitors(&found.stage.id, found.state, &found.application);
    let before = desk.edition.visit(&found.stage.id, &found.application).and_then(|visit| visit.plan.as_ref());
    let before = before.map(|(plan, _)| plan);
    let team = before.map_or_else(|| free.iter().map(|x| (*x).to_owned()).collect(), |plan| plan.team.clone());
    let choices = free.iter().map(|x| Choice::new(*x, same(x))).collect();
    let Some((first, last)) = desk.edition.visit_window(found.stage, desk.today()) else { return Vec::new() };
    let tomorrow = desk.today().tomorrow().map_or(last, |day| day.min(last));
    let days = words("hint", "visit_days", &[("first", &day_words(first)), ("last", &day_words(last))]);
    let area = |rows| Kind::Area { most: WORDS, rows };
    let filled = |field: Field, text: Option<String>| match text {
        Some(text) => field.with(text),
        None => field,
    };
    let mut fields = vec![
        Field::new("first_day", Kind::Day).hint(days).with(before.map_or(tomorrow, |plan| plan.first_day)),
        Field::new("last_day", Kind::Day).with(before.map_or(tomorrow, |plan| plan.last_day)),
        filled(Field::labelled("place", "visit_place", Kind::Line { most: 200 }), before.map(|p| p.place.clone())),
        Field::labelled("team", "visit_team", Kind::Many { choices }).with_all(team),
        filled(Field::new("interviewees", area(3)), before.map(|p| p.interviewees.join("\n"))),
        filled(Field::new("agenda", area(6)), before.map(|p| p.agenda.clone())),
        filled(Field::labelled("prepare", "visit_prepare", area(4)).optional(), before.map(|p| p.prepare.clone())),
    ];
    if before.is_some() {
        fields.push(Field::labelled("changes", "visit_changes", Kind::Line { most: 300 }));
    }
    fields
}

fn write_plan(desk: &EditionDesk<'_>, case: &str, input: &Input) -> Proposed {
    let found = Found::of(desk, case)?;
    let (Some(first_day), Some(last_day)) = (input.day("first_day"), input.day("last_day")) else {
        return Err(DeskError::NotOpen);
    };
    if last_day < first_day {
        return Err(Wrong::new("last_day", "turned_window").into());
    }
    let mut team = input.list("team");
    team.sort();
    let body = VisitPlanned {
        agenda: input.text("agenda"),
        changes: Some(input.text("changes")).filter(|text| !text.is_empty()),
        first_day,
        interviewees: input
            .text("interviewees")
            .lines()
            .map(|l| l.trim().to_owned())
            .filter(|l| !l.is_empty())
            .collect(),
        last_day,
        panel: found.panel,
        place: input.text("place"),
        prepare: input.text("prepare"),
        stage: found.stage.id.clone(),
        team,
        application: found.application,
    };
    Ok(vec![Written::edition(&found.stage.basis, body)?])
}

fn how_choices() -> Kind {
    let choices = vec![
        Choice::new("document", words("choice", "how_document", &[])),
        Choice::new("interview", words("choice", "how_interview", &[])),
        Choice::new("observation", words("choice", "how_observation", &[])),
    ];
    Kind::One { choices }
}

/// Short enough for a phone: what it is about (an open question or an item), how it was found, what, and where to see it again.
fn log_form(desk: &EditionDesk<'_>, case: &str) -> Vec<Field> {
    let Ok(found) = Found::of(desk, case) else { return Vec::new() };
    let issues = desk.edition.visit(&found.stage.id, &found.application).into_iter().flat_map(|visit| &visit.issues);
    let mut choices: Vec<Choice> = issues
        .map(|issue| {
            let question = desk.edition.known_value(issue.seq, "/question").and_then(Value::as_str).unwrap_or_default();
            let short: String = question.chars().take(60).collect();
            let places = [("item", &same(&issue.item)), ("question", &same(short))];
            Choice::new(format!("issue:{}", issue.seq), words("choice", "visit_issue", &places))
        })
        .collect();
    choices.extend(items(desk));
    vec![
        Field::labelled("about", "visit_about", Kind::One { choices }),
        Field::labelled("how", "visit_how", how_choices()),
        Field::labelled("finding", "visit_finding", Kind::Area { most: WORDS, rows: 4 }),
        Field::labelled("reference", "visit_reference", Kind::Line { most: 300 }),
    ]
}

fn write_log(desk: &EditionDesk<'_>, case: &str, input: &Input) -> Proposed {
    let found = Found::of(desk, case)?;
    let about = input.text("about");
    let issue = about.strip_prefix("issue:").and_then(|seq| seq.parse::<u64>().ok());
    let issues = desk.edition.visit(&found.stage.id, &found.application).map(|visit| visit.issues.as_slice());
    let raised = issues.unwrap_or_default().iter().find(|raised| Some(raised.seq) == issue);
    let body = VisitLogged {
        how: match input.text("how").as_str() {
            "interview" => FindingKind::Interview,
            "observation" => FindingKind::Observation,
            _ => FindingKind::Document,
        },
        issue,
        item: raised.map_or(about, |raised| raised.item.clone()),
        panel: found.panel,
        stage: found.stage.id.clone(),
        application: found.application,
    };
    let written = Written::edition(&found.stage.basis, body)?;
    let written = written.hiding("/finding", json!(input.text("finding")));
    Ok(vec![written.hiding("/reference", json!(input.text("reference")))])
}
