//! Recusal (回避), pledges (承诺), the draw of the experts, and the panels (评审组).

use std::collections::BTreeSet;

use heng_domain::draw::{Commit, Plan, Source, SourceValue, Stratum, canonical_value, draw, pool_hash, secret_hash};
use heng_domain::edition::events::{
    Conflict, DrawPlanned, DrawReplaced, DrawRevealed, DrawVoided, Excluded, PanelFormed, PanelMemberReplaced,
    PledgeGiven, PoolFrozen, RecusalDeclared, RecusalOrdered, Role,
};
use heng_domain::edition::{DrawState, Edition, Panel, Successor};
use heng_domain::refusal::Refusal;
use heng_domain::rules::{Stage, StageKind};
use heng_domain::text::Text;
use heng_log::{Hash, Sha256};
use jiff::civil::{Date, Weekday};

use super::field::{Choice, Field, Input, Kind, day_words, same, words};
use super::{Act, Case, DeskError, EditionDesk, Proposed, Signs, Who, Written, Wrong};

pub(super) fn acts<'a>() -> Vec<Act<EditionDesk<'a>>> {
    vec![
        Act {
            kind: RecusalDeclared::KIND,
            who: Who::Expert,
            signs: Signs::ACTOR,
            open: |desk| {
                let judges = desk.is_expert() || desk.has(Role::Member);
                let open = judges && !desk.edition.field.is_empty() && !desk.edition.rules().recusal.is_empty();
                if open { vec![Case::possible("-", desk.edition.opened.label.clone())] } else { Vec::new() }
            },
            form: |desk, _| {
                let free = desk.edition.field.iter().filter(|a| !desk.edition.is_recused(&desk.me, a));
                vec![
                    Field::new("application", Kind::One { choices: desk.choices(free) }),
                    Field::new("ground", Kind::One { choices: grounds(desk) }),
                ]
            },
            write: |desk, _, input| {
                let body = RecusalDeclared {
                    application: input.text("application"),
                    ground: input.text("ground"),
                    person: desk.me.clone(),
                };
                Ok(vec![Written::edition(&ground_basis(desk, &body.ground), body)?])
            },
        },
        Act {
            kind: RecusalOrdered::KIND,
            who: Who::Officer,
            signs: Signs::ACTOR,
            open: |desk| {
                let orders = desk.has(Role::Officer) || desk.has(Role::Chair);
                let open = orders && !desk.edition.field.is_empty() && !desk.edition.rules().recusal.is_empty();
                if open { vec![Case::possible("-", desk.edition.opened.label.clone())] } else { Vec::new() }
            },
            form: |desk, _| {
                let judges = desk.edition.seats.iter().filter(|(id, seat)| {
                    seat.active && (seat.group.is_some() || desk.edition.has_role(id, Role::Member))
                });
                let named = judges.map(|(id, seat)| match &seat.name {
                    Some(name) => Choice::new(id.clone(), same(format!("{name} · {id}"))),
                    None => expert_choice(desk, id),
                });
                vec![
                    Field::new("person", Kind::One { choices: named.collect() }),
                    Field::new("application", Kind::One { choices: desk.choices(desk.edition.field.iter()) }),
                    Field::new("ground", Kind::One { choices: grounds(desk) }),
                    Field::new("reason", Kind::Line { most: 300 }),
                ]
            },
            write: |desk, _, input| {
                let body = RecusalOrdered {
                    application: input.text("application"),
                    ground: input.text("ground"),
                    person: input.text("person"),
                    reason: input.text("reason"),
                };
                Ok(vec![Written::edition(&ground_basis(desk, &body.ground), body)?])
            },
        },
        Act {
            kind: PledgeGiven::KIND,
            who: Who::Expert,
            signs: Signs::ACTOR,
            open: pledge_cases,
            form: pledge_form,
            write: write_pledge,
        },
        Act {
            kind: PoolFrozen::KIND,
            who: Who::Officer,
            signs: Signs::ACTOR,
            open: |desk| {
                if !desk.has(Role::Officer) {
                    return Vec::new();
                }
                let stages = desk.edition.open_stages().into_iter().filter(|s| needs_draw(desk.edition, s));
                stages.map(|s| Case::duty(s.id.clone(), s.name.clone(), desk.due(s))).collect()
            },
            form: |desk, stage| {
                if desk.edition.rules().stage(stage).is_none_or(|s| s.kind != StageKind::Experts) {
                    return Vec::new();
                }
                let lines = experts(desk.edition);
                let choices = || Kind::Many { choices: lines.iter().map(|x| expert_choice(desk, x)).collect() };
                vec![
                    Field::new("declined", choices()).optional(),
                    Field::new("term", choices()).optional(),
                    Field::new("load", choices()).optional(),
                ]
            },
            write: write_pool,
        },
        Act {
            kind: DrawPlanned::KIND,
            who: Who::Officer,
            signs: Signs::ACTOR,
            open: |desk| draw_cases(desk, |d, _| d.plan.is_none(), true),
            form: plan_form,
            write: write_plan,
        },
        Act {
            kind: DrawRevealed::KIND,
            who: Who::Officer,
            signs: Signs::OFFICERS,
            open: |desk| {
                let ready = |d: &DrawState, today: Date| {
                    d.plan.as_ref().is_some_and(|p| p.sources_on <= today) && d.revealed.is_none()
                };
                draw_cases(desk, ready, true)
            },
            form: |desk, id| {
                let plan = desk.edition.draws.get(id).and_then(|d| d.plan.as_ref());
                plan.into_iter()
                    .flat_map(|p| p.plan.sources.iter().enumerate())
                    .map(|(index, source)| {
                        let places = [("source", &same(&source.source)), ("period", &same(&source.period))];
                        Field::labelled(&format!("value{index}"), "draw_value", Kind::Line { most: 200 }).label(words(
                            "field",
                            "draw_value",
                            &places,
                        ))
                    })
                    .collect()
            },
            write: write_reveal,
        },
        Act {
            kind: DrawVoided::KIND,
            who: Who::Officer,
            signs: Signs::OFFICERS_SUPERVISED,
            open: |desk| draw_cases(desk, |d, _| d.revealed.is_none(), false),
            form: |_, _| vec![Field::new("reason", Kind::Line { most: 300 })],
            write: |desk, id, input| {
                let body = DrawVoided { draw: id.to_owned(), reason: input.text("reason") };
                Ok(vec![Written::edition(&draw_basis(desk, id), body)?])
            },
        },
        Act {
            kind: DrawReplaced::KIND,
            who: Who::Officer,
            signs: Signs::ACTOR,
            open: |desk| draw_cases(desk, |d, _| d.revealed.is_some(), false),
            form: |desk, id| {
                let drawn = desk.edition.draws.get(id).map(DrawState::current).unwrap_or_default();
                let choices = drawn.iter().map(|x| expert_choice(desk, x)).collect();
                vec![Field::new("out", Kind::One { choices }), Field::new("reason", Kind::Line { most: 300 })]
            },
            write: write_replacement,
        },
        Act {
            kind: PanelFormed::KIND,
            who: Who::Officer,
            signs: Signs::ACTOR,
            open: |desk| {
                let stage = desk.stage(StageKind::Experts).filter(|_| desk.has(Role::Officer));
                let ready =
                    |s: &&Stage| !desk.edition.without_panel(&s.id).is_empty() && drawn(desk.edition, s).is_some();
                stage.filter(ready).map(|s| Case::duty(s.id.clone(), s.name.clone(), desk.due(s))).into_iter().collect()
            },
            form: panel_form,
            write: |desk, stage, input| {
                let count = desk.edition.panels.values().filter(|p| p.stage == stage).count();
                let body = PanelFormed {
                    applications: input.list("applications"),
                    leader: input.text("leader"),
                    members: input.list("members"),
                    panel: format!("g:{stage}-{}", count + 1),
                    stage: stage.to_owned(),
                };
                let basis = desk.edition.rules().stage(stage).map_or("", |s| s.basis.as_str());
                Ok(vec![Written::edition(basis, body)?])
            },
        },
        // The draw has decided who steps in: one officer carries it out.
        member_replaced(Signs::ACTOR, |desk| replacement_cases(desk, "reserve")),
        // Nobody alone picks a judge.
        member_replaced(Signs::OFFICERS, |desk| replacement_cases(desk, "appointed")),
        member_replaced(Signs::OFFICERS_SUPERVISED, |desk| replacement_cases(desk, "exhausted")),
    ]
}

/// The stage in which I am to judge and for which my pledge or a declaration is missing, and whether it waits for me.
///
/// Experts are asked once they are drawn or on a panel, members of the committee once a roster names them; a member may
/// pledge as soon as the stage is open, because nobody reads a dossier before.
fn pledge_cases(desk: &EditionDesk<'_>) -> Vec<Case> {
    let edition = desk.edition;
    let lacking = edition.open_stages().into_iter().filter(|stage| !undeclared(desk, stage).is_empty());
    let mut asked = lacking.filter_map(|stage| {
        let due = match stage.kind {
            StageKind::Experts | StageKind::Scoring => desk.is_expert() && judges(edition, stage, &desk.me),
            StageKind::Committee if desk.has(Role::Member) => {
                let mut rosters = edition.sessions.values().filter(|session| session.stage == stage.id);
                rosters.any(|session| session.members.iter().any(|m| m.person == desk.me))
            }
            _ => return None,
        };
        let offered = due || stage.kind == StageKind::Committee;
        offered.then(|| Case {
            id: "-".to_owned(),
            about: edition.opened.label.clone(),
            due: desk.due(stage).filter(|_| due),
            duty: due,
        })
    });
    asked.next().into_iter().collect()
}

/// Applications that I may come to judge in the stage and have not answered for yet: those of my panels, or the whole field
/// while I am on none.
fn undeclared<'b>(desk: &'b EditionDesk<'_>, stage: &Stage) -> Vec<&'b String> {
    let edition = desk.edition;
    let experts = edition.experts_stage(&stage.id).filter(|_| stage.kind != StageKind::Committee);
    let own: Vec<&Panel> = experts
        .into_iter()
        .flat_map(|experts| edition.panels.values().filter(|p| p.stage == experts.id && p.members.contains(&desk.me)))
        .collect();
    let field = edition.field.iter();
    field
        .filter(|a| own.is_empty() || own.iter().any(|panel| panel.applications.contains(*a)))
        .filter(|a| !edition.is_recused(&desk.me, a) && edition.lacks_pledge(&stage.id, &desk.me, a))
        .collect()
}

/// All that I have to answer for now, in order; nothing where the rules name no ground.
fn to_declare<'b>(desk: &'b EditionDesk<'_>) -> BTreeSet<&'b String> {
    if desk.edition.rules().recusal.is_empty() {
        return BTreeSet::new();
    }
    let judged = |stage: &&Stage| match stage.kind {
        StageKind::Committee => desk.has(Role::Member),
        StageKind::Experts | StageKind::Scoring => desk.is_expert() && judges(desk.edition, stage, &desk.me),
        _ => false,
    };
    desk.edition.open_stages().into_iter().filter(judged).flat_map(|stage| undeclared(desk, stage)).collect()
}

const NO_CONFLICT: &str = "none";

fn pledge_form(desk: &EditionDesk<'_>, _: &str) -> Vec<Field> {
    let applications = to_declare(desk);
    let mut choices = vec![Choice::new(NO_CONFLICT, words("field", "no_conflict", &[]))];
    choices.extend(grounds(desk));
    let mut fields: Vec<Field> = Vec::new();
    for (index, application) in applications.iter().enumerate() {
        let kind = Kind::One { choices: choices.clone() };
        let field = Field::labelled(&format!("declare:{application}"), "declare", kind).label(desk.name(application));
        // One of them may be left to the statement below them, so that a long list needs no hundred answers.
        let field = if applications.len() > 1 { field.optional() } else { field };
        fields.push(if index == 0 { field.part(words("part", "declare", &[])) } else { field });
    }
    if applications.len() > 1 {
        fields.push(Field::new("no_other", Kind::Tick).optional());
    }
    let promise = Field::labelled("promise", "pledge_given", Kind::Tick).hint(pledge_text(desk));
    fields.push(promise.part(words("part", "pledge", &[])));
    fields
}

/// Whether an expert is on a panel that works in the stage, or drawn for one.
fn judges(edition: &Edition, stage: &Stage, expert: &str) -> bool {
    let Some(experts) = edition.experts_stage(&stage.id) else { return false };
    let panelled = edition.panels.values().any(|p| p.stage == experts.id && p.members.contains(expert));
    // Who left a panel is still a line of the draw if no reserve took the place.
    let left = edition.panels.values().any(|p| p.stage == experts.id && p.replaced.iter().any(|c| c.out == expert));
    let drawn = edition.draws.values().any(|d| d.stage == experts.id && d.current().contains(&expert));
    panelled || (drawn && !left)
}

/// The pledge, as it is shown and kept.
fn pledge_text(desk: &EditionDesk<'_>) -> Text {
    let edition = desk.edition;
    words("pledge", "text", &[("award", &edition.rules().name), ("label", &edition.opened.label)])
}

fn write_pledge(desk: &EditionDesk<'_>, _: &str, input: &Input) -> Proposed {
    if !input.ticked("promise") {
        return Err(Wrong::new("promise", "pledge_given").into());
    }
    let declared = to_declare(desk);
    let mut conflicts = Vec::new();
    let mut wrong = Vec::new();
    for application in &declared {
        let name = format!("declare:{application}");
        let ground = input.text(&name);
        if ground.is_empty() && !input.ticked("no_other") {
            wrong.push(Wrong::new(&name, "choose_one"));
        } else if !ground.is_empty() && ground != NO_CONFLICT {
            conflicts.push(Conflict { application: (*application).clone(), ground });
        }
    }
    if !wrong.is_empty() {
        return Err(DeskError::Wrong(wrong));
    }
    let declared = declared.into_iter().cloned().collect();
    let rule = desk.edition.open_stages().into_iter().find_map(|stage| desk.edition.pledge_rule(&stage.id));
    let basis = rule.map(|rule| rule.basis.clone()).unwrap_or_default();
    let text = pledge_text(desk);
    // Both languages in one file: whichever was read, the hash names the same promise.
    let text_sha256 = desk.attach(&format!("{}\n\n{}\n", text.zh, text.en))?;
    let body = PledgeGiven { conflicts, declared, person: desk.me.clone(), text_sha256 };
    Ok(vec![Written::edition(&basis, body)?])
}

/// Replacing a member of a panel, as far as it needs these signatures.
fn member_replaced<'a>(signs: Signs, open: fn(&EditionDesk<'a>) -> Vec<Case>) -> Act<EditionDesk<'a>> {
    Act {
        kind: PanelMemberReplaced::KIND,
        who: Who::Officer,
        signs,
        open,
        form: replacement_form,
        write: write_member_replaced,
    }
}

/// How a successor is found, as the case names it.
fn way(next: Successor<'_>) -> &'static str {
    match next {
        Successor::Reserve { .. } => "reserve",
        Successor::Appointed => "appointed",
        Successor::Exhausted => "exhausted",
    }
}

/// Panels with members whose successor is found in this way.
fn replacement_cases(desk: &EditionDesk<'_>, wanted: &str) -> Vec<Case> {
    if !desk.has(Role::Officer) {
        return Vec::new();
    }
    let at_work = desk.edition.panels.iter().filter(|(_, panel)| desk.edition.still_scores(panel));
    at_work
        .filter(|(_, panel)| !leaving(desk.edition, panel, wanted).is_empty())
        .map(|(id, _)| Case::possible(format!("{id}~{wanted}"), same(id)))
        .collect()
}

/// Members of a panel whose successor is found in this way.
fn leaving<'b>(edition: &Edition, panel: &'b Panel, wanted: &str) -> Vec<&'b String> {
    panel.members.iter().filter(|member| way(edition.successor(panel, member)) == wanted).collect()
}

/// Panel and way of a case.
fn panel_case<'b>(desk: &'b EditionDesk<'_>, case: &'b str) -> Option<(&'b str, &'b Panel, &'b str)> {
    let (id, wanted) = case.rsplit_once('~')?;
    Some((id, desk.edition.panels.get(id)?, wanted))
}

fn replacement_form(desk: &EditionDesk<'_>, case: &str) -> Vec<Field> {
    let edition = desk.edition;
    let Some((_, panel, wanted)) = panel_case(desk, case) else { return Vec::new() };
    let choices = |experts: &BTreeSet<&str>| experts.iter().map(|x| expert_choice(desk, x)).collect::<Vec<_>>();
    let members = leaving(edition, panel, wanted);
    let mut fields = vec![
        Field::labelled(
            "out",
            "out_of_panel",
            Kind::One { choices: choices(&members.iter().map(|m| m.as_str()).collect()) },
        ),
        Field::new("reason", Kind::Line { most: 300 }),
    ];
    let decided = wanted == "reserve";
    let free: BTreeSet<&str> = members.iter().flat_map(|out| edition.free_experts(panel, out)).collect();
    if !decided {
        fields.push(Field::labelled("by", "steps_in", Kind::One { choices: choices(&free) }));
    }
    // Only where the leader leaves; the next reserve is not chosen here, so the leader is one of those who stay.
    if members.contains(&&panel.leader) {
        let stay: BTreeSet<&str> = panel.members.iter().map(String::as_str).filter(|m| *m != panel.leader).collect();
        fields.push(Field::labelled("leader", "new_leader", Kind::One { choices: choices(&stay) }).optional());
    }
    fields
}

fn write_member_replaced(desk: &EditionDesk<'_>, case: &str, input: &Input) -> Proposed {
    let (id, panel, _) = panel_case(desk, case).ok_or(DeskError::NotOpen)?;
    let out = input.text("out");
    let by = match desk.edition.successor(panel, &out) {
        Successor::Reserve { expert, .. } => expert.to_owned(),
        Successor::Appointed | Successor::Exhausted => input.text("by"),
    };
    let leads = out == panel.leader;
    let named = input.text("leader");
    // A panel of one has nobody else to lead it.
    let leader = if panel.members.len() == 1 { by.clone() } else { named };
    if leads && leader.is_empty() {
        return Err(Wrong::new("leader", "choose_one").into());
    }
    let leader = leads.then_some(leader);
    let body = PanelMemberReplaced { by, leader, out, panel: id.to_owned(), reason: input.text("reason") };
    let basis = desk.edition.rules().stage(&panel.stage).map_or("", |s| s.basis.as_str());
    Ok(vec![Written::edition(basis, body)?])
}

fn grounds(desk: &EditionDesk<'_>) -> Vec<Choice> {
    desk.edition.rules().recusal.iter().map(|g| Choice::new(g.id.clone(), g.name.clone())).collect()
}

fn ground_basis(desk: &EditionDesk<'_>, ground: &str) -> String {
    let found = desk.edition.rules().recusal.iter().find(|g| g.id == ground);
    found.map(|g| g.basis.clone()).unwrap_or_default()
}

fn draw_basis(desk: &EditionDesk<'_>, id: &str) -> String {
    let stage = desk.edition.draws.get(id).and_then(|d| desk.edition.rules().stage(&d.stage));
    stage.map(|s| s.basis.clone()).unwrap_or_default()
}

/// Seated experts.
fn experts(edition: &Edition) -> Vec<String> {
    edition.seats.iter().filter(|(_, s)| s.active && s.group.is_some()).map(|(id, _)| id.clone()).collect()
}

fn group_of<'a>(edition: &'a Edition, line: &str) -> &'a str {
    edition.seats.get(line).and_then(|seat| seat.group.as_deref()).unwrap_or("all")
}

/// An expert with the field of work. Officers have seated them by name and choose among people, not numbers; whoever else
/// may choose sees the pseudonym alone.
fn expert_choice(desk: &EditionDesk<'_>, line: &str) -> Choice {
    let edition = desk.edition;
    let who = edition.seats.get(line).filter(|_| desk.has(Role::Officer)).map(|seat| seat.seq);
    let who = who.and_then(|seq| edition.known_value(seq, "/who")?.get("name")?.as_str());
    let group = words("group", group_of(edition, line), &[]);
    let named = who.filter(|name| !name.is_empty()).map_or_else(|| line.to_owned(), |name| format!("{name} · {line}"));
    let label = Text::new(format!("{named} · {}", group.zh), format!("{named} · {}", group.en));
    Choice::new(line, label)
}

/// A stage that must be drawn for and has no draw yet.
fn needs_draw(edition: &Edition, stage: &Stage) -> bool {
    let drawn =
        stage.experts.as_ref().is_some_and(|e| e.drawn.value) || stage.scoring.as_ref().is_some_and(|s| s.order_drawn);
    drawn && !edition.draws.values().any(|d| d.stage == stage.id && d.voided.is_none())
}

fn draw_cases(desk: &EditionDesk<'_>, wanted: impl Fn(&DrawState, Date) -> bool, duty: bool) -> Vec<Case> {
    if !desk.has(Role::Officer) {
        return Vec::new();
    }
    let today = desk.today();
    let mut out = Vec::new();
    for (id, state) in &desk.edition.draws {
        let stage = desk.edition.open_stages().into_iter().find(|s| s.id == state.stage);
        if let Some(stage) = stage.filter(|_| state.voided.is_none() && wanted(state, today)) {
            out.push(Case { id: id.clone(), about: stage.name.clone(), due: desk.due(stage), duty });
        }
    }
    out
}

fn write_pool(desk: &EditionDesk<'_>, stage: &str, input: &Input) -> Proposed {
    let edition = desk.edition;
    let found = edition.rules().stage(stage).ok_or(DeskError::NotOpen)?;
    let mut lines = Vec::new();
    let mut excluded = Vec::new();
    if found.kind == StageKind::Experts {
        let lists = ["declined", "term", "load"].map(|reason| (reason, input.list(reason)));
        for expert in experts(edition) {
            let recused = edition.recusals.keys().any(|(person, _)| *person == expert);
            let named = lists.iter().find(|(_, list)| list.contains(&expert)).map(|(reason, _)| *reason);
            match named.or(recused.then_some("recusal")) {
                Some(reason) => excluded.push(Excluded { line: expert, reason: reason.to_owned() }),
                None => lines.push(expert),
            }
        }
    } else {
        lines.extend(edition.field.iter().cloned());
    }
    lines.sort_by(|a, b| (group_of(edition, a), a).cmp(&(group_of(edition, b), b)));
    let count = edition.draws.values().filter(|d| d.stage == stage).count();
    let draw = if count == 0 { format!("d:{stage}") } else { format!("d:{stage}-{}", count + 1) };
    let sha256 = pool_hash::<Sha256>(&lines);
    let body = PoolFrozen { draw, excluded, lines, sha256, stage: stage.to_owned() };
    Ok(vec![Written::edition(&found.basis, body)?])
}

/// Groups of a frozen pool with the number of their lines, in order.
fn strata(edition: &Edition, state: &DrawState) -> Vec<(String, u64, u64)> {
    let mut out: Vec<(String, u64, u64)> = Vec::new();
    for (position, line) in (1u64..).zip(&state.lines) {
        let group = group_of(edition, line);
        match out.last_mut().filter(|(id, _, _)| id == group) {
            Some((_, _, to)) => *to = position,
            None => out.push((group.to_owned(), position, position)),
        }
    }
    out
}

/// The next day on which the lottery that the form proposes is drawn: Tuesday, Thursday and Sunday, never today.
fn next_drawing(today: Date) -> Date {
    let drawn = |day: &Date| matches!(day.weekday(), Weekday::Tuesday | Weekday::Thursday | Weekday::Sunday);
    let days = std::iter::successors(today.tomorrow().ok(), |day| day.tomorrow().ok());
    { days }.find(drawn).unwrap_or(today)
}

fn plan_form(desk: &EditionDesk<'_>, id: &str) -> Vec<Field> {
    let Some(state) = desk.edition.draws.get(id) else { return Vec::new() };
    let rules = desk.edition.rules().stage(&state.stage).and_then(|s| s.experts.as_ref());
    let event = next_drawing(desk.today());
    let mut fields = vec![
        Field::new("source", Kind::Line { most: 60 }).with(words("prefill", "draw_source", &[]).zh),
        Field::new("period", Kind::Line { most: 60 })
            .with(words("prefill", "draw_period", &[("day", &day_words(event))]).zh),
        Field::new("sources_on", Kind::Day).with(event),
    ];
    for (group, from, to) in strata(desk.edition, state) {
        let size = to - from + 1;
        let take = rules.map_or(size, |r| u64::from(r.panel_size.value));
        let most = i64::try_from(size).unwrap_or(i64::MAX);
        let places = [("group", &words("group", &group, &[])), ("size", &same(size))];
        fields.push(
            Field::labelled(&format!("take:{group}"), "draw_take", Kind::Number { least: 0, most, step: 1 })
                .label(words("field", "draw_take", &places))
                .with(take.min(size)),
        );
    }
    fields
}

/// Row in which the office's secret of a draw waits for its day.
fn secret_key(log: &str, draw: &str) -> String {
    format!("{log}|{draw}")
}

fn write_plan(desk: &EditionDesk<'_>, id: &str, input: &Input) -> Proposed {
    let edition = desk.edition;
    let state = edition.draws.get(id).ok_or(DeskError::NotOpen)?;
    let stage = edition.rules().stage(&state.stage).ok_or(DeskError::NotOpen)?;
    let strata: Vec<Stratum> = strata(edition, state)
        .into_iter()
        .map(|(group, from, to)| Stratum { from, take: input.count(&format!("take:{group}")), to, id: group })
        .filter(|stratum| stratum.take > 0)
        .collect();
    // The secret is kept, encrypted, before its hash can become public: a plan without its secret would be a dead draw.
    // Writing the same plan twice keeps the first secret.
    let key = secret_key(&edition.log, id);
    let secret: [u8; 32] = match desk.heng.store().row("draw-secret", &key)?.and_then(|bytes| bytes.try_into().ok()) {
        Some(kept) => kept,
        None => {
            let fresh = desk.heng.random()?;
            desk.heng.store().put_row("draw-secret", &key, &fresh)?;
            fresh
        }
    };
    let plan = Plan {
        commit: Commit::One(secret_hash::<Sha256>(&secret)),
        pool_sha256: state.sha256.to_string(),
        pool_size: u64::try_from(state.lines.len()).unwrap_or(0),
        purpose: if stage.experts.is_some() { "expert-draw" } else { "order" }.to_owned(),
        reserves: stage.experts.as_ref().map_or(0, |e| u64::from(e.reserves.value)),
        sources: vec![Source { period: input.text("period"), source: input.text("source") }],
        strata,
        v: 1,
        year: edition.opened.year,
    };
    if let Err(error) = plan.check() {
        return Err(Refusal::new("draw.plan", &*stage.basis).with("detail", error).into());
    }
    let body = DrawPlanned { draw: id.to_owned(), plan, sources_on: input.day("sources_on").unwrap_or(desk.today()) };
    Ok(vec![Written::edition(&stage.basis, body)?])
}

fn write_reveal(desk: &EditionDesk<'_>, id: &str, input: &Input) -> Proposed {
    let state = desk.edition.draws.get(id).ok_or(DeskError::NotOpen)?;
    let plan = &state.plan.as_ref().ok_or(DeskError::NotOpen)?.plan;
    let basis = draw_basis(desk, id);
    let kept = desk.heng.store().row("draw-secret", &secret_key(&desk.edition.log, id))?;
    let secret: Option<[u8; 32]> = kept.and_then(|bytes| bytes.try_into().ok());
    let Some(secret) = secret else { return Err(Wrong::new("value0", "secret_lost").into()) };
    // One spelling only: otherwise whoever types could try until the drawing suits.
    let value = |(index, source): (usize, &Source)| {
        let field = format!("value{index}");
        let value = canonical_value(&input.text(&field)).ok_or_else(|| Wrong::new(&field, "draw_value"))?;
        Ok::<_, DeskError>(SourceValue { period: source.period.clone(), source: source.source.clone(), value })
    };
    let values: Vec<SourceValue> = plan.sources.iter().enumerate().map(value).collect::<Result<_, _>>()?;
    let result = draw::<Sha256>(plan, &[secret], &values)
        .map_err(|error| Refusal::new("draw.recompute", &*basis).with("detail", error))?;
    let body = DrawRevealed { draw: id.to_owned(), result, secrets: vec![Hash(secret)], values };
    Ok(vec![Written::edition(&basis, body)?])
}

fn write_replacement(desk: &EditionDesk<'_>, id: &str, input: &Input) -> Proposed {
    let state = desk.edition.draws.get(id).ok_or(DeskError::NotOpen)?;
    let out = input.text("out");
    let stratum = group_of(desk.edition, &out).to_owned();
    let basis = draw_basis(desk, id);
    let Some(by) = state.next_reserve(&stratum, |_| true) else {
        return Err(Refusal::new("draw.reserves_used", &*basis).with("stratum", stratum).into());
    };
    let body = DrawReplaced { by: by.to_owned(), draw: id.to_owned(), out, reason: input.text("reason"), stratum };
    Ok(vec![Written::edition(&basis, body)?])
}

/// Experts who may sit in panels of the stage; `None` while a draw is still to come.
fn drawn(edition: &Edition, stage: &Stage) -> Option<Vec<String>> {
    if stage.experts.as_ref().is_some_and(|e| e.drawn.value) {
        let draw = edition.draws.values().find(|d| d.stage == stage.id && d.revealed.is_some())?;
        return Some(draw.current().into_iter().map(str::to_owned).collect());
    }
    Some(experts(edition))
}

fn panel_form(desk: &EditionDesk<'_>, stage: &str) -> Vec<Field> {
    let edition = desk.edition;
    let Some(found) = edition.rules().stage(stage) else { return Vec::new() };
    let size = found.experts.as_ref().map_or(0, |e| usize::try_from(e.panel_size.value).unwrap_or(0));
    let seated: BTreeSet<&String> =
        edition.panels.values().filter(|p| p.stage == stage).flat_map(|p| &p.members).collect();
    let pool = drawn(edition, found).unwrap_or_default();
    let free: Vec<&String> = pool.iter().filter(|x| !seated.contains(x)).collect();
    let group = free.first().map(|x| group_of(edition, x)).unwrap_or_default();
    let same_group: Vec<String> =
        free.iter().filter(|x| group_of(edition, x) == group).take(size).map(|x| (**x).clone()).collect();
    let open = edition.without_panel(stage);
    // An equal share for each field of experts that still has a panel to come; the office moves applicants as it knows them.
    let fields: BTreeSet<&str> = free.iter().map(|x| group_of(edition, x)).collect();
    let share = open.len().div_ceil(fields.len().max(1));
    let suggested: Vec<String> = open.iter().take(share).map(|a| (*a).clone()).collect();
    let choices: Vec<Choice> = free.iter().map(|x| expert_choice(desk, x)).collect();
    vec![
        Field::new("members", Kind::Many { choices: choices.clone() })
            .hint(words("hint", "panel_members", &[("size", &same(size))]))
            .with_all(same_group.clone()),
        Field::new("leader", Kind::One { choices }).with_all(same_group.first().cloned().into_iter().collect()),
        Field::new(
            "applications",
            Kind::Many { choices: open.into_iter().map(|a| applicant_choice(desk, a)).collect() },
        )
        .with_all(suggested),
    ]
}

/// An applicant with its sector, by which panels are put together.
fn applicant_choice(desk: &EditionDesk<'_>, application: &str) -> Choice {
    let name = desk.name(application);
    let label = match desk.edition.applicant(application) {
        Some(o) => Text::new(format!("{} · {}", name.zh, o.sector.zh), format!("{} · {}", name.en, o.sector.en)),
        None => name,
    };
    Choice::new(application, label)
}
