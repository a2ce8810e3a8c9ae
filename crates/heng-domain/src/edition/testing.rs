//! A small edition in the middle of its work, for tests of single rules. Whole editions are run by `heng-app`.

use std::collections::BTreeMap;

use heng_log::Hash;
use heng_log::commitment::Opening;
use heng_log::signature::PersonalKey;
use serde_json::{Value, json};

use super::Edition;
use super::events::Role;
use super::state::{Application, DrawState, Panel, Revealed, Seat, Sheets};
use crate::draw::Drawn;
use crate::record::{Record, VERSION};
use crate::rules::{Aggregate, Rules, ScoringMethod, read_criteria, read_rules};
use crate::time::Instant;

const LOG: &str = "heng.example/test/2026";

fn record(edition: Option<&Edition>, actor: &str, kind: &str, body: Value) -> Record {
    Record {
        actor: actor.to_owned(),
        basis: "§1".to_owned(),
        body,
        hidden: BTreeMap::new(),
        log: LOG.to_owned(),
        seq: edition.map_or(0, |e| e.size),
        sigs: Vec::new(),
        time: edition.map_or_else(|| Instant::parse("2026-03-02T01:00:00.000Z").unwrap(), |e| e.last),
        kind: kind.to_owned(),
        v: VERSION,
    }
}

/// Rules whose scored stages are judged by single marks and their mean.
fn rules() -> Rules {
    let mut rules = read_rules("r", include_str!("../../../../data/programmes/zhumadian.toml")).unwrap();
    let documents = rules.stages.iter_mut().find(|s| s.id == "documents").and_then(|s| s.scoring.as_mut()).unwrap();
    documents.method.value = ScoringMethod::Direct;
    documents.aggregate.as_mut().unwrap().value = Aggregate::Mean;
    let site = rules.stages.iter_mut().find(|s| s.id == "site").and_then(|s| s.scoring.as_mut()).unwrap();
    site.method.value = ScoringMethod::Direct;
    site.aggregate.as_mut().unwrap().value = Aggregate::Mean;
    (site.from, site.visit) = (None, None);
    rules
}

/// Two applications with one panel of five experts in the document review, its draw with two reserves, and everybody else.
///
/// The members are `x:01` (leader) to `x:05`, the reserves `x:06` and `x:07`; `x:08` was not drawn.
pub(super) fn edition() -> Edition {
    let body = json!({
        "edition": "2026", "label": {"zh": "第一届", "en": "First"}, "rules": rules(), "year": 2026,
        "source": {"leaf": Hash([0; 32]), "log": "heng.example/office", "seq": 1},
    });
    let mut e = Edition::open(LOG, &record(None, "office", "edition.opened", body)).unwrap();
    e.criteria = Some(read_criteria("c", include_str!("../../../../data/criteria/gbt19580-2012.toml")).unwrap());
    let roles = [
        ("p:1", Role::Officer),
        ("p:2", Role::Officer),
        ("p:3", Role::Supervisor),
        ("p:10", Role::Chair),
        ("p:11", Role::Member),
        ("p:20", Role::Recommender),
        ("p:21", Role::Recommender),
        ("p:30", Role::Authority),
        ("p:40", Role::Counter),
    ];
    for (id, role) in roles {
        seat(&mut e, id, Some(role));
    }
    let experts: Vec<String> = (1..=8).map(|n| format!("x:0{n}")).collect();
    for expert in &experts {
        seat(&mut e, expert, None);
    }
    for n in 1..=2 {
        let id = format!("a:{n}");
        let body = json!({
            "application": id, "attachments": [], "figures": [], "organisation": format!("o:{n}"), "pledge": true,
            "profile_chars": 1, "profile_sha256": Hash([0; 32]), "self_evaluation": {},
        });
        let application = Application {
            by: format!("o:{n}"),
            body: serde_json::from_value(body).unwrap(),
            seq: 0,
            time: e.last,
            withdrawn: None,
            recommendations: Vec::new(),
            checks: BTreeMap::new(),
            review: None,
            removed: false,
        };
        e.field.insert(id.clone());
        e.applications.insert(id, application.into());
    }
    let result = vec![Drawn { id: "manufacturing".to_owned(), reserve: vec![6, 7], taken: vec![1, 2, 3, 4, 5] }];
    let draw = DrawState {
        stage: "experts".to_owned(),
        lines: experts.clone(),
        excluded: Vec::new(),
        sha256: Hash([0; 32]),
        plan: None,
        revealed: Some(Revealed { result, secrets: Vec::new(), values: Vec::new(), seq: 0 }),
        replaced: Vec::new(),
        voided: None,
    };
    e.draws.insert("d:experts".to_owned(), draw);
    let panel = Panel {
        stage: "experts".to_owned(),
        leader: "x:01".to_owned(),
        members: experts.iter().take(5).cloned().collect(),
        applications: e.field.clone(),
        replaced: Vec::new(),
    };
    e.panels.insert("g:1".to_owned(), panel);
    open(&mut e, "documents");
    e
}

fn seat(e: &mut Edition, id: &str, role: Option<Role>) {
    let mut seed = [7; 32];
    seed.iter_mut().zip(id.bytes()).for_each(|(place, byte)| *place = byte);
    let group = role.is_none().then(|| "manufacturing".to_owned());
    let key = Some(PersonalKey::from_seed(seed).public());
    let roles = role.into_iter().collect();
    e.seats.insert(id.to_owned(), Seat { roles, name: None, key, group, seq: 0, active: true });
}

/// Opens a stage, whatever stands before it.
pub(super) fn open(e: &mut Edition, stage: &str) {
    e.stages.get_mut(stage).unwrap().opened = Some(e.last);
    e.field_at.insert(stage.to_owned(), e.field.clone());
}

/// Closes a stage without its gate.
pub(super) fn close(e: &mut Edition, stage: &str) {
    e.stages.get_mut(stage).unwrap().closed = Some(e.last);
}

/// Everybody pledges.
pub(super) fn pledge_all(e: &mut Edition) {
    e.pledges = e.seats.keys().map(|id| (id.clone(), Hash([1; 32]))).collect();
}

/// Puts a sheet into the state: `x` judged the application with a mark.
pub(super) fn submit(e: &mut Edition, stage: &str, application: &str, expert: &str, mark: u64) {
    e.size += 1;
    let sheets: &mut Sheets = e.sheets.entry(stage.to_owned()).or_default();
    sheets.submitted.entry(application.to_owned()).or_default().insert(expert.to_owned(), e.size);
    let committed = BTreeMap::from([("/mark".to_owned(), Hash([0; 32]))]);
    let mut fields = super::HiddenFields::new(["/mark".to_owned()].into(), &committed);
    fields.learn([("/mark".to_owned(), json!(mark))]);
    e.hidden.insert(e.size, fields);
}

/// As [`act`], with hidden values that are known.
pub(super) fn act_hiding(
    e: &mut Edition,
    actor: &str,
    kind: &str,
    body: Value,
    signers: &[&str],
    values: &[(&str, Value)],
) -> Result<(), &'static str> {
    let mut record = record(Some(e), actor, kind, body);
    let mut openings = Vec::new();
    for (path, value) in values {
        let opening = Opening { seq: record.seq, path: (*path).to_owned(), salt: Hash([5; 32]), value: value.clone() };
        record.hidden.insert(opening.path.clone(), opening.commitment().unwrap());
        openings.push(opening);
    }
    let signers: Vec<String> = signers.iter().map(|by| (*by).to_owned()).collect();
    e.rehearse(&record, &openings, &signers).map_err(|refusal| refusal.code)?;
    e.apply(&record, &openings).map_err(|refusal| refusal.code)
}

/// Puts a record through `admit`, with these signatures, and applies it; the code of the refusal otherwise.
pub(super) fn act(e: &mut Edition, actor: &str, kind: &str, body: Value, signers: &[&str]) -> Result<(), &'static str> {
    let mut record = record(Some(e), actor, kind, body);
    if kind == "score.submitted" {
        record.hidden.insert("/mark".to_owned(), Hash([2; 32]));
    }
    let signers: Vec<String> = signers.iter().map(|by| (*by).to_owned()).collect();
    e.rehearse(&record, &[], &signers).map_err(|refusal| refusal.code)?;
    e.apply(&record, &[]).map_err(|refusal| refusal.code)
}
