//! The numbered checks over a bundle: replay through `admit`, then what follows from the state.

use std::collections::BTreeMap;

use heng_domain::edition::events::{Cite, HonourConferred, Role};
use heng_domain::edition::{Edition, PublicResult};
use heng_domain::eligibility::Standing;
use heng_domain::evaluation::by_items;
use heng_domain::messages;
use heng_domain::office::Office;
use heng_domain::record::Record;
use heng_domain::refusal::Refusal;
use heng_domain::replay::LogState;
use heng_domain::rules::{BallotKind, Compare, ScoreDisclosure};
use heng_domain::text::Lang;
use heng_log::checkpoint::Checkpoint;
use heng_log::code::{check_root_code, root_code};
use heng_log::commitment::Opening;
use heng_log::note::Note;
use heng_log::signature::PublicKey;
use heng_log::{canonical, sha256};
use serde::Deserialize;
use serde_json::Value;

use crate::bundle::{Bundle, Unreadable};
use crate::logs::{self, LogChecks, LogData};
use crate::report::{Check, Finding, Report, Sentence};

/// What to compare the bundle with.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A root code as typed from paper or a screen.
    pub code: Option<String>,
    /// An older or other bundle of the same edition.
    pub against: Option<Bundle>,
}

const NUMBERS: [&str; 25] = [
    "V-00", "V-01", "V-02", "V-03", "V-04", "V-05", "V-06", "V-07", "V-08", "V-09", "V-10", "V-11", "V-12", "V-13",
    "V-14", "V-15", "V-16", "V-17", "V-18", "V-19", "V-20", "V-21", "V-22", "V-23", "V-24",
];

/// All checks by number.
struct Checks(BTreeMap<&'static str, Check>);

impl Checks {
    fn new() -> Checks {
        Checks(NUMBERS.iter().map(|id| (*id, Check::new(id, Sentence::new("none")))).collect())
    }

    fn get(&mut self, id: &'static str) -> &mut Check {
        self.0.entry(id).or_insert_with(|| Check::new(id, Sentence::new("none")))
    }

    fn say(&mut self, id: &'static str, sentence: Sentence) {
        self.get(id).sentence = sentence;
    }
}

/// Which check a refusal belongs to: by what the rule is about, then by the kind of record.
fn check_of(refusal: &Refusal, kind: &str) -> &'static str {
    match refusal.code {
        "gate.window" => return "V-09",
        "gate.notice" | "gate.notice_running" | "gate.objections" => return "V-20",
        "gate.decision" | "gate.honours" => return "V-21",
        "gate.openings" => return "V-22",
        "gate.scores" | "gate.shortlist" => return "V-15",
        "gate.selection" | "gate.minutes" => return "V-18",
        _ => {}
    }
    let family = refusal.code.split('.').next().unwrap_or("");
    match family {
        "signature" => "V-07",
        "opening" if refusal.code == "opening.mismatch" => "V-14",
        "key" | "person" => "V-06",
        "rules" | "criteria" | "calendar" => "V-08",
        "quorum" | "presence" | "roster" => "V-16",
        "erasure" => "V-23",
        "record" => "V-01",
        _ => match kind.split('.').next().unwrap_or("") {
            "call" | "window" | "application" | "recommendation" => "V-09",
            "condition" | "pre_review" | "organisation" => "V-10",
            "recusal" | "panel" => "V-11",
            "pool" | "draw" => "V-12",
            "score" | "consensus" | "poll" => "V-13",
            "scores" if kind == "scores.opened" => "V-22",
            "scores" | "shortlist" => "V-15",
            "motion" if kind == "motion.opened" => "V-16",
            "ballot" | "motion" | "count" | "correction" => "V-17",
            "result" | "selection" | "minutes" => "V-18",
            "notice" | "objection" => "V-20",
            "decision" | "honour" | "entry" => "V-21",
            "privacy" => "V-23",
            "criteria" | "calendar" | "rules" => "V-08",
            "edition" | "person" | "expert" => "V-06",
            _ => "V-01",
        },
    }
}

/// Verifies a bundle.
///
/// # Errors
/// [`Unreadable`] if it is no bundle at all (exit code 3).
pub fn verify(bundle: &Bundle, options: &Options) -> Result<Report, Unreadable> {
    let mut checks = Checks::new();
    check_manifest(bundle, &mut checks)?;
    let mut log_checks = log_checks();
    let edition_log = logs::read(bundle, "", &mut log_checks)?;
    let office_log = match bundle.get("office/checkpoint") {
        Some(_) => Some(logs::read(bundle, "office/", &mut log_checks)?),
        None => None,
    };
    let sizes = Sentence::new("v02")
        .with("records", edition_log.checkpoint.size)
        .with("code", root_code(&edition_log.checkpoint.root));
    checks.0.insert("V-01", log_checks.records);
    checks.0.insert("V-02", log_checks.tree);
    checks.0.insert("V-03", log_checks.history);
    checks.0.insert("V-04", log_checks.signature);
    checks.say("V-01", Sentence::new("v01").with("records", edition_log.records.len()));
    checks.say("V-02", sizes);
    checks.say("V-03", Sentence::new("v03").with("count", edition_log.checkpoints));
    checks.say(
        "V-04",
        Sentence::new("v04")
            .with("key", format!("{}+{:08x}", edition_log.key.name(), edition_log.key.key_id()))
            .with("witnesses", edition_log.witnesses),
    );

    let openings = read_openings(bundle, &edition_log, &mut checks);
    let office = office_log.as_ref().map(|log| replay(log, "office", &BTreeMap::new(), Some(&log.id), &mut checks));
    let state = replay(&edition_log, "edition", &openings, None, &mut checks);
    anchors(&edition_log, office_log.as_ref(), &mut checks);
    match state.edition() {
        None => checks.get("V-01").fail_record(None, 0, &Sentence::new("f_no_edition")),
        Some(edition) => {
            let office = office.as_ref().and_then(LogState::office);
            signatures(&edition_log, edition, &mut checks);
            sources(&edition_log, edition, office_log.as_ref(), office, &mut checks);
            frozen_rules(bundle, edition, office, &mut checks);
            process(edition, &mut checks);
            draws(edition, &mut checks);
            sheets(edition, &openings, &mut checks);
            votes(edition, &mut checks);
            published(bundle, edition, &mut checks);
            ending(edition, office, &mut checks);
        }
    }
    compare(&edition_log, options, &mut checks);
    Ok(Report {
        origin: edition_log.id.clone(),
        records: edition_log.checkpoint.size,
        root: edition_log.checkpoint.root.to_string(),
        root_code: root_code(&edition_log.checkpoint.root),
        checks: checks.0.into_values().collect(),
    })
}

fn log_checks() -> LogChecks {
    let check = |id| Check::new(id, Sentence::new("none"));
    LogChecks { records: check("V-01"), tree: check("V-02"), history: check("V-03"), signature: check("V-04") }
}

// ── V-00: the files are those of the manifest ──────────────────────────────────────────────────────────

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: String,
    files: Vec<ManifestFile>,
    origin: String,
    size: u64,
    tier: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestFile {
    path: String,
    sha256: String,
    size: usize,
}

fn check_manifest(bundle: &Bundle, checks: &mut Checks) -> Result<(), Unreadable> {
    let bytes =
        bundle.get("MANIFEST.json").ok_or_else(|| Unreadable::NotABundle("MANIFEST.json is missing".to_owned()))?;
    let check = checks.get("V-00");
    let manifest: Manifest = match serde_json::from_slice(bytes) {
        Ok(manifest) => manifest,
        Err(error) => {
            check.fail_file("MANIFEST.json", &Sentence::new("f_json").with("detail", error));
            return Ok(());
        }
    };
    if manifest.format != "heng-bundle/1" {
        return Err(Unreadable::NotABundle(format!(
            "its format is {}, this program reads heng-bundle/1",
            manifest.format
        )));
    }
    for file in &manifest.files {
        match bundle.get(&file.path) {
            None => check.fail_file(&file.path, &Sentence::new("f_missing_file")),
            Some(bytes) if bytes.len() != file.size || sha256(bytes).to_string() != file.sha256 => {
                check.fail_file(&file.path, &Sentence::new("f_manifest"));
            }
            Some(_) => {}
        }
    }
    for path in bundle.files.keys().filter(|path| *path != "MANIFEST.json") {
        if !manifest.files.iter().any(|file| file.path == *path) {
            check.fail_file(path, &Sentence::new("f_extra"));
        }
    }
    // The head of the manifest must be that of the log, too.
    let head = bundle.text("checkpoint").and_then(|note| Note::parse(note).ok());
    let head = head.and_then(|note| Checkpoint::parse_text(&note.text).ok());
    let same =
        head.is_some_and(|c| c.origin == manifest.origin && c.size == manifest.size) && manifest.tier == "public";
    if !same {
        checks.get("V-00").fail_file("MANIFEST.json", &Sentence::new("f_manifest_head"));
    }
    checks.say("V-00", Sentence::new("v00").with("files", manifest.files.len()));
    Ok(())
}

// ── V-14: openings match commitments ───────────────────────────────────────────────────────────────────

type Openings = BTreeMap<u64, Vec<Opening>>;

fn read_openings(bundle: &Bundle, log: &LogData, checks: &mut Checks) -> Openings {
    let mut out = Openings::new();
    let check = checks.get("V-14");
    let Some(bytes) = bundle.get("openings.jsonl") else {
        return out;
    };
    for (line, n) in bytes.split(|b| *b == b'\n').zip(1u64..) {
        if line.is_empty() {
            continue;
        }
        let parsed = canonical::parse(line).ok().and_then(|value| serde_json::from_value::<Opening>(value).ok());
        let Some(opening) = parsed else {
            check.fail_file("openings.jsonl", &Sentence::new("f_opening_line").with("line", n));
            continue;
        };
        let record = usize::try_from(opening.seq).ok().and_then(|i| log.records.get(i)).and_then(Option::as_ref);
        let commitment = record.and_then(|record| record.hidden.get(&opening.path));
        if commitment.is_some_and(|hash| opening.commitment().is_ok_and(|opened| opened == *hash)) {
            out.entry(opening.seq).or_default().push(opening);
        } else {
            let sentence = Sentence::new("f_opening").with("path", &opening.path).with("line", n);
            check.fail_record(None, opening.seq, &sentence);
        }
    }
    out
}

// ── replay ─────────────────────────────────────────────────────────────────────────────────────────────

fn finding(refusal: &Refusal, record: &Record, log: Option<&str>) -> Finding {
    let sentence = |lang| format!("{}: {}", record.kind, messages::refusal(lang, refusal));
    Finding {
        record: Some(record.seq),
        file: None,
        log: log.map(str::to_owned),
        code: Some(refusal.code.to_owned()),
        zh: sentence(Lang::Zh),
        en: sentence(Lang::En),
    }
}

fn replay(log: &LogData, kind: &str, openings: &Openings, name: Option<&str>, checks: &mut Checks) -> LogState {
    let mut state = LogState::empty(kind).unwrap_or(LogState::Edition(None));
    for record in log.records.iter().flatten() {
        let known = openings.get(&record.seq).map(Vec::as_slice).unwrap_or_default();
        if let Err(refusal) = state.admit(&log.id, record, known) {
            checks.get(check_of(&refusal, &record.kind)).fail(finding(&refusal, record, name));
        }
        // The refused record is applied all the same, so that each later fault is found on its own.
        if let Err(refusal) = state.apply(&log.id, record, known) {
            checks.get("V-01").fail(finding(&refusal, record, name));
            if state.position().0 == 0 {
                break;
            }
        }
    }
    state
}

// ── V-05 to V-08 ───────────────────────────────────────────────────────────────────────────────────────

/// Every human signature names a prefix of this very history.
fn anchors(log: &LogData, office: Option<&LogData>, checks: &mut Checks) {
    let check = checks.get("V-05");
    let mut people = std::collections::BTreeSet::new();
    let mut last = 0;
    for (data, name) in [(Some(log), None), (office, office.map(|o| o.id.as_str()))] {
        let Some(data) = data else { continue };
        for record in data.records.iter().flatten() {
            for signature in &record.sigs {
                if data.roots.get(&signature.at.size) == Some(&signature.at.root) {
                    if name.is_none() {
                        people.insert(signature.by.clone());
                        last = record.seq;
                    }
                } else {
                    check.fail_record(
                        name,
                        record.seq,
                        &Sentence::new("f_anchor").with("by", &signature.by).with("size", signature.at.size),
                    );
                }
            }
        }
    }
    let count = |prefix: &str| people.iter().filter(|p| p.starts_with(prefix)).count();
    checks
        .say("V-05", Sentence::new("v05").with("people", count("p:")).with("experts", count("x:")).with("last", last));
}

fn signatures(log: &LogData, edition: &Edition, checks: &mut Checks) {
    let check = checks.get("V-07");
    let mut count = 0;
    for record in log.records.iter().flatten() {
        for signature in &record.sigs {
            count += 1;
            let key = edition.seats.get(&signature.by).and_then(|seat| seat.key.as_ref());
            if let Err(refusal) = record.check_signature(&signature.by, key) {
                check.fail(finding(&refusal, record, None));
            }
        }
    }
    checks.say("V-07", Sentence::new("v07").with("count", count));
}

/// What the edition cites from the office log is there: keys, organisations, the edition's own registration.
fn sources(
    log: &LogData,
    edition: &Edition,
    office_log: Option<&LogData>,
    office: Option<&Office>,
    checks: &mut Checks,
) {
    let (Some(office_log), Some(office)) = (office_log, office) else {
        checks.say("V-06", Sentence::new("v06_no_office"));
        checks.get("V-06").seal();
        return;
    };
    let check = checks.get("V-06");
    let mut cited = 0;
    for record in log.records.iter().flatten() {
        let Some(source) = record.body.get("source") else {
            continue;
        };
        let Ok(cite) = serde_json::from_value::<Cite>(source.clone()) else {
            continue;
        };
        cited += 1;
        let place = usize::try_from(cite.seq).unwrap_or(usize::MAX);
        let leaf = office_log.leaves.get(place);
        let original = office_log.records.get(place).and_then(Option::as_ref);
        let same = cite.log == office_log.id && leaf == Some(&cite.leaf);
        let earlier = original.is_some_and(|o| o.time <= record.time);
        let fits = original.is_some_and(|o| source_fits(record, o, office, office_log));
        if !(same && earlier && fits) {
            check.fail_record(
                None,
                record.seq,
                &Sentence::new("f_source").with("kind", &record.kind).with("cited", cite.seq),
            );
        }
    }
    let keys = edition.seats.values().filter(|seat| seat.key.is_some() && seat.group.is_none()).count();
    checks.say("V-06", Sentence::new("v06").with("keys", keys).with("cited", cited));
}

fn field(record: &Record, name: &str) -> Value {
    record.body.get(name).cloned().unwrap_or(Value::Null)
}

/// The cited record says what the citing one claims.
fn source_fits(record: &Record, original: &Record, office: &Office, office_log: &LogData) -> bool {
    match record.kind.as_str() {
        "person.seated" => person_fits(record, original),
        "organisation.entered" => {
            let same = ["name", "uscc", "county", "sector", "organisation", "groups"]
                .iter()
                .all(|f| field(record, f) == field(original, f));
            original.kind == "organisation.registered" && same && standing_fits(record, office, office_log)
        }
        "edition.opened" => {
            original.kind == "edition.registered" && field(original, "log").as_str() == Some(record.log.as_str())
        }
        _ => true,
    }
}

/// The key was confirmed by its owner in the cited record, or stands among the founders'.
fn person_fits(record: &Record, original: &Record) -> bool {
    let (person, key) = (field(record, "person"), field(record, "key"));
    let parsed = key.as_str().and_then(|k| k.parse::<PublicKey>().ok());
    match (original.kind.as_str(), parsed) {
        ("office.founded", Some(_)) => field(original, "officers")
            .as_array()
            .is_some_and(|list| list.iter().any(|o| o.get("person") == Some(&person) && o.get("key") == Some(&key))),
        ("key.confirmed", Some(key)) => {
            field(original, "person") == person && field(original, "key").as_str() == Some(key.fingerprint().as_str())
        }
        // Whoever signs nothing needs no key, only a registration.
        ("person.registered", None) => field(original, "person") == person,
        _ => false,
    }
}

/// Bans and honours are those that the office log held at that time: they decide who may win.
fn standing_fits(record: &Record, office: &Office, office_log: &LogData) -> bool {
    let Some((_, registered)) = office.editions.get(&record.log) else { return false };
    let organisation = field(record, "organisation");
    let stated: Standing = serde_json::from_value(field(record, "standing")).unwrap_or_default();
    let before = || office_log.records.iter().flatten().filter(|r| r.time <= record.time);
    let mine = |r: &&Record| {
        field(r, "organisation") == organisation
            && field(r, "programme").as_str() == Some(registered.programme.as_str())
    };
    let bans = before().filter(|r| r.kind == "ban.imposed").filter(mine).count();
    let revoked: Vec<Value> = before().filter(|r| r.kind == "honour.revoked").map(|r| field(r, "honour")).collect();
    let honours = before()
        .filter(|r| r.kind == "honour.registered" && !revoked.contains(&field(r, "honour")))
        .filter(mine)
        .count();
    let known = office.standing(organisation.as_str().unwrap_or_default(), &registered.programme);
    stated.banned_until.len() == bans
        && stated.honours.len() == honours
        && stated.banned_until.iter().all(|day| known.banned_until.contains(day))
}

fn frozen_rules(bundle: &Bundle, edition: &Edition, office: Option<&Office>, checks: &mut Checks) {
    let check = checks.get("V-08");
    let rules = serde_json::to_value(edition.rules()).unwrap_or(Value::Null);
    let written = canonical::to_bytes_unbounded(&rules).unwrap_or_default();
    if bundle.get("rules.json") != Some(&written) {
        check.fail_file("rules.json", &Sentence::new("f_rules_file"));
    }
    if let Some(office) = office {
        let registered = office.editions.get(&edition.log).map(|(_, e)| e.rules_sha256);
        if registered != Office::rules_hash(edition.rules()).ok() {
            check.fail_record(None, 0, &Sentence::new("f_rules_hash"));
        }
    }
    let assumed = rules.to_string().matches("\"assumed\":true").count();
    checks.say(
        "V-08",
        Sentence::new("v08")
            .with("version", &edition.rules().version)
            .with("number", &edition.rules().document.number)
            .with("assumed", assumed),
    );
}

// ── V-09 to V-11 ───────────────────────────────────────────────────────────────────────────────────────

fn process(edition: &Edition, checks: &mut Checks) {
    let count = edition.applications.len();
    let closes = edition
        .call
        .as_ref()
        .map(|c| c.closes.local(edition.rules().utc_offset_minutes).to_string())
        .unwrap_or_default();
    checks.say("V-09", Sentence::new("v09").with("count", count).with("closes", closes));
    let decided: Vec<_> = edition.applications.values().filter_map(|a| a.review.as_ref()).collect();
    let passed = decided.iter().filter(|review| review.passed).count();
    let conditions: usize = edition.applications.values().map(|a| a.checks.len()).sum();
    checks.say(
        "V-10",
        Sentence::new("v10")
            .with("conditions", conditions)
            .with("passed", passed)
            .with("refused", decided.len() - passed),
    );
    for (id, application) in &edition.applications {
        if let Some(review) = application.review.as_ref().filter(|review| !review.passed) {
            let names: Vec<&str> = review.failing.iter().map(String::as_str).collect();
            checks
                .get("V-10")
                .step(Sentence::new("s_refused").with("application", id).with("conditions", names.join(", ")));
        }
    }
    let conflict = edition.panels.values().flat_map(|p| p.applications.iter().map(move |a| (p, a)));
    let conflicts = conflict.filter(|(p, a)| p.members.iter().any(|m| edition.is_recused(m, a))).count();
    checks.say(
        "V-11",
        Sentence::new("v11")
            .with("recusals", edition.recusals.len())
            .with("panels", edition.panels.len())
            .with("conflicts", conflicts),
    );
    for ((person, application), ground) in &edition.recusals {
        let step =
            Sentence::new("s_recusal").with("person", person).with("application", application).with("ground", ground);
        checks.get("V-11").step(step);
    }
    if edition.panels.is_empty() && edition.recusals.is_empty() {
        checks.get("V-11").nothing();
    }
}

// ── V-12 ───────────────────────────────────────────────────────────────────────────────────────────────

fn draws(edition: &Edition, checks: &mut Checks) {
    let mut replaced = 0;
    let mut drawn = 0;
    for (id, state) in &edition.draws {
        replaced += state.replaced.len();
        if let Some((reason, time)) = &state.voided {
            checks.get("V-12").step(Sentence::new("s_draw_void").with("draw", id).with("reason", reason));
            // Given up after its numbers were known: the office may have disliked the result.
            if let Some(plan) = state.plan.as_ref().filter(|plan| edition.day(*time) >= plan.sources_on) {
                checks.get("V-12").fail_record(None, plan.seq, &Sentence::new("f_draw_void").with("draw", id));
            }
            continue;
        }
        let (Some(published), Some(revealed)) = (&state.plan, &state.revealed) else {
            checks.get("V-12").step(Sentence::new("s_draw_open").with("draw", id));
            continue;
        };
        let values: Vec<String> =
            revealed.values.iter().map(|v| format!("{} {} = {}", v.source, v.period, v.value)).collect();
        let step = Sentence::new("s_draw_plan")
            .with("draw", id)
            .with("pool", state.lines.len())
            .with("record", published.seq)
            .with("day", published.sources_on)
            .with("values", values.join("; "));
        checks.get("V-12").step(step);
        for stratum in &revealed.result {
            drawn += stratum.taken.len();
            let names = |list: &[u64]| list.iter().filter_map(|p| state.line(*p)).collect::<Vec<_>>().join(" ");
            let step = Sentence::new("s_draw_result")
                .with("stratum", &stratum.id)
                .with("taken", names(&stratum.taken))
                .with("reserve", names(&stratum.reserve));
            checks.get("V-12").step(step);
        }
        for r in &state.replaced {
            checks
                .get("V-12")
                .step(Sentence::new("s_replaced").with("out", &r.out).with("by", &r.by).with("reason", &r.reason));
        }
    }
    checks.say(
        "V-12",
        Sentence::new("v12").with("draws", edition.draws.len()).with("drawn", drawn).with("replaced", replaced),
    );
    if edition.draws.is_empty() {
        checks.get("V-12").nothing();
    }
}

// ── V-13 to V-15 ───────────────────────────────────────────────────────────────────────────────────────

fn sheets(edition: &Edition, openings: &Openings, checks: &mut Checks) {
    let submitted: usize = edition.sheets.values().flat_map(|s| s.submitted.values()).map(BTreeMap::len).sum();
    let agreed: usize = edition.sheets.values().map(|s| s.agreed.len()).sum();
    checks.say("V-13", Sentence::new("v13").with("sheets", submitted).with("agreed", agreed));
    let hidden: usize = edition.hidden.values().map(BTreeMap::len).sum();
    let opened: usize = openings.values().map(Vec::len).sum();
    let erased: usize = edition.erased.keys().filter_map(|seq| edition.hidden.get(seq)).map(BTreeMap::len).sum();
    let mut missing = 0usize;
    for seq in edition.opened_scores.keys() {
        let known = openings.get(seq).map(Vec::as_slice).unwrap_or_default();
        for path in edition.disclosed_paths(*seq).filter(|path| !known.iter().any(|o| o.path == **path)) {
            missing += 1;
            let sentence = Sentence::new("f_opening_missing").with("path", path);
            checks.get("V-14").fail_record(None, *seq, &sentence);
        }
    }
    let due = edition.disclosable().iter().map(|seq| edition.disclosed_paths(*seq).count()).sum::<usize>();
    let waiting = if edition.opened_scores.is_empty() { due } else { missing };
    checks.say(
        "V-14",
        Sentence::new("v14")
            .with("opened", opened)
            .with("sealed", hidden - opened.min(hidden))
            .with("due", waiting)
            .with("erased", erased),
    );
    if waiting > 0 {
        checks.get("V-14").seal();
    }
    if submitted == 0 {
        checks.get("V-13").nothing();
    }
    scores(edition, checks);
}

fn points(score: u64) -> String {
    format!("{}.{:02}", score / 100, score % 100)
}

fn scores(edition: &Edition, checks: &mut Checks) {
    let mut cases = 0;
    let mut sealed = 0;
    for (stage, sheets) in &edition.sheets {
        let Some((_, applications)) = &sheets.computed else {
            continue;
        };
        let method = edition.rules().stage(stage).and_then(|s| s.scoring.as_ref()).map(|s| s.method.value);
        for application in applications {
            cases += 1;
            match edition.stage_score(stage, application) {
                Ok(Some(score)) => {
                    let count = edition.counting_sheets(stage, application).len();
                    let key = if method.is_some_and(by_items) { "s_score" } else { "s_mark" };
                    let step = Sentence::new(key)
                        .with("stage", stage)
                        .with("application", application)
                        .with("score", points(score))
                        .with("sheets", count);
                    checks.get("V-15").step(step);
                }
                Ok(None) => sealed += 1,
                // The refusal of `scores.computed` has named the record already.
                Err(_) => {}
            }
        }
    }
    for (stage, shortlist) in &edition.shortlists {
        let last = shortlist.kept.last().and_then(|a| Some((a, edition.composite(a)?)));
        let first_out = shortlist.cut.iter().filter_map(|a| Some((edition.composite(a)?, a))).max();
        if let (Some((kept, score)), Some((out_score, out))) = (last, first_out) {
            let step = Sentence::new("s_cut")
                .with("stage", stage)
                .with("kept", kept)
                .with("score", points(score))
                .with("out", out)
                .with("out_score", points(out_score))
                .with("count", shortlist.kept.len());
            checks.get("V-15").step(step);
        }
    }
    checks.say(
        "V-15",
        Sentence::new("v15").with("cases", cases).with("shortlists", edition.shortlists.len()).with("sealed", sealed),
    );
    if sealed > 0 {
        checks.get("V-15").seal();
    }
    if cases == 0 {
        checks.get("V-15").nothing();
    }
}

// ── V-16 to V-18 ───────────────────────────────────────────────────────────────────────────────────────

fn votes(edition: &Edition, checks: &mut Checks) {
    let members = edition.sessions.values().map(|s| s.members.len()).max().unwrap_or(0);
    checks.say(
        "V-16",
        Sentence::new("v16")
            .with("sessions", edition.sessions.len())
            .with("members", members)
            .with("motions", edition.motions.len()),
    );
    let ballots: usize = edition.motions.iter().map(|(_, m)| m.ballots.len()).sum();
    let corrections =
        edition.motions.iter().flat_map(|(_, m)| &m.ballots).filter(|b| b.body.supersedes.is_some()).count();
    let papers = edition.motions.iter().filter(|(_, m)| m.paper.is_some()).count();
    checks.say(
        "V-17",
        Sentence::new("v17").with("ballots", ballots).with("corrections", corrections).with("papers", papers),
    );
    let mut decided = 0;
    for (id, motion) in &edition.motions {
        let Some(rules) = edition.rules().stage(&motion.stage).and_then(|s| s.committee.as_ref()) else {
            continue;
        };
        if let Some(paper) = &motion.paper {
            let step = Sentence::new("s_paper")
                .with("motion", id)
                .with("issued", paper.issued)
                .with("returned", paper.returned)
                .with("invalid", paper.invalid);
            checks.get("V-17").step(step);
        }
        for counted in &motion.counts {
            decided += 1;
            let count = &counted.count;
            let name = edition.applicant(&counted.option);
            let sign = match (rules.pass.cmp, count.passed) {
                (Compare::Ge, true) => "≥",
                (Compare::Ge, false) => "<",
                (Compare::Gt, true) => ">",
                (Compare::Gt, false) => "≤",
            };
            let recused = motion.recused.get(&counted.option).map_or(0, std::collections::BTreeSet::len);
            let step = Sentence::new(if count.passed { "s_passed" } else { "s_not_passed" })
                .with("motion", id)
                .with("name_zh", name.map_or(counted.option.as_str(), |o| o.name.zh.as_str()))
                .with("name_en", name.map_or(counted.option.as_str(), |o| o.name.en.as_str()))
                .with("present", motion.present.len())
                .with("recused", recused)
                .with("base", count.base)
                .with("yes", count.yes)
                .with("no", count.no)
                .with("abstain", count.abstain)
                .with("num", rules.pass.num)
                .with("den", rules.pass.den)
                .with("left", u64::from(count.yes) * u64::from(rules.pass.den))
                .with("right", u64::from(count.base) * u64::from(rules.pass.num))
                .with("sign", sign);
            checks.get("V-18").step(step);
        }
        if rules.ballot.value == BallotKind::RollCall {
            let voted = motion.counting().len();
            checks.get("V-16").step(
                Sentence::new("s_quorum").with("motion", id).with("present", motion.present.len()).with("voted", voted),
            );
        }
    }
    checks.say("V-18", Sentence::new("v18").with("counts", decided));
    if edition.sessions.is_empty() {
        for id in ["V-16", "V-17", "V-18"] {
            checks.get(id).nothing();
        }
    }
}

// ── V-19 and V-20 ──────────────────────────────────────────────────────────────────────────────────────

fn published(bundle: &Bundle, edition: &Edition, checks: &mut Checks) {
    let expected = edition.public_result();
    let found = bundle.get("result.json");
    let parsed: Option<PublicResult> = found.and_then(|bytes| serde_json::from_slice(bytes).ok());
    let written = expected
        .as_ref()
        .and_then(|r| serde_json::to_value(r).ok())
        .and_then(|v| canonical::to_bytes_unbounded(&v).ok());
    if found != written.as_deref() {
        let winners = |r: &Option<PublicResult>| {
            r.as_ref()
                .map(|r| r.winners.iter().map(|w| w.name.zh.clone()).collect::<Vec<_>>().join("、"))
                .unwrap_or_default()
        };
        let sentence = Sentence::new("f_result").with("found", winners(&parsed)).with("expected", winners(&expected));
        checks.get("V-19").fail_file("result.json", &sentence);
    }
    for (id, notice) in &edition.notices {
        let file = format!("notices/{id}.json");
        let wanted =
            serde_json::json!({ "title": notice.body.title, "text": notice.body.text, "until": notice.body.until });
        let wanted = canonical::to_bytes_unbounded(&wanted).unwrap_or_default();
        if bundle.get(&file) != Some(&wanted) {
            checks.get("V-19").fail_file(&file, &Sentence::new("f_notice_text").with("record", notice.seq));
        }
        let step = Sentence::new("s_notice")
            .with("notice", id)
            .with("from", edition.day(notice.time))
            .with("until", notice.body.until);
        checks.get("V-20").step(step);
    }
    let count = expected.as_ref().map_or(0, |r| r.winners.len());
    checks.say("V-19", Sentence::new("v19").with("winners", count).with("notices", edition.notices.len()));
    let accepted = edition.objections.iter().filter(|(_, o)| o.screened.as_ref().is_some_and(|(a, _)| *a)).count();
    let answered = edition.objections.iter().filter(|(_, o)| o.answer.is_some()).count();
    checks.say(
        "V-20",
        Sentence::new("v20")
            .with("notices", edition.notices.len())
            .with("objections", edition.objections.len())
            .with("accepted", accepted)
            .with("answered", answered),
    );
    if edition.notices.is_empty() {
        checks.get("V-20").nothing();
    }
}

// ── V-21 to V-24 ───────────────────────────────────────────────────────────────────────────────────────

fn ending(edition: &Edition, office: Option<&Office>, checks: &mut Checks) {
    let total: u64 = edition.honours.iter().map(|(h, _, _)| h.prize_fen).sum();
    let number = edition.decision.as_ref().map(|(d, _)| d.number.clone()).unwrap_or_default();
    checks.say(
        "V-21",
        Sentence::new("v21").with("number", number).with("honours", edition.honours.len()).with("total", points(total)),
    );
    for (honour, seq, _) in &edition.honours {
        let step = Sentence::new("s_honour")
            .with("certificate", &honour.certificate)
            .with("application", &honour.application)
            .with("prize", points(honour.prize_fen));
        checks.get("V-21").step(step);
        if let Some(office) = office {
            carried(edition, office, honour, *seq, checks);
        }
    }
    if edition.decision.is_none() {
        checks.get("V-21").nothing();
    }
    disclosure(edition, checks);
    checks.say("V-23", Sentence::new("v23").with("count", edition.erased.len()));
    for (seq, ground) in &edition.erased {
        checks.get("V-23").step(Sentence::new("s_erased").with("record", seq).with("ground", ground));
    }
    if edition.erased.is_empty() {
        checks.get("V-23").nothing();
    }
    let supervised = edition.seats.values().any(|seat| seat.roles.contains(&Role::Supervisor));
    if !supervised {
        checks.get("V-16").step(Sentence::new("s_no_supervisor"));
    }
}

/// What the office log took over from this honour is the same. Carrying over may still be on its way.
fn carried(edition: &Edition, office: &Office, honour: &HonourConferred, seq: u64, checks: &mut Checks) {
    let organisation = edition.applications.get(&honour.application).map(|a| a.body.organisation.clone());
    let cites = |cite: Option<&Cite>| cite.is_some_and(|c| c.log == edition.log && c.seq == seq);
    for registered in office.honours.values().filter(|h| cites(h.body.cite.as_ref())) {
        let body = &registered.body;
        let same = body.certificate == honour.certificate
            && Some(&body.organisation) == organisation.as_ref()
            && body.tier == honour.tier
            && body.year == edition.opened.year;
        if !same {
            let sentence = Sentence::new("f_carried").with("certificate", &honour.certificate);
            checks.get("V-21").fail_record(None, seq, &sentence);
        }
    }
    let account = organisation.map(|o| format!("payable:{o}")).unwrap_or_default();
    let entries: Vec<_> = office.entries.iter().filter(|e| cites(e.cite.as_ref())).collect();
    let owed: i64 = entries
        .iter()
        .flat_map(|e| &e.lines)
        .filter(|l| l.account == account)
        .map(|l| l.fen)
        .fold(0, i64::saturating_add);
    if !entries.is_empty() && i64::try_from(honour.prize_fen).ok() != owed.checked_neg() {
        let sentence = Sentence::new("f_ledger").with("certificate", &honour.certificate).with("owed", owed);
        checks.get("V-21").fail_record(None, seq, &sentence);
    }
}

fn disclosure(edition: &Edition, checks: &mut Checks) {
    let rule = &edition.rules().disclosure;
    if rule.scores.value == ScoreDisclosure::Sealed {
        checks.say("V-22", Sentence::new("v22_never").with("basis", &rule.scores.basis));
        checks.get("V-22").nothing();
        return;
    }
    let due = edition.winners_published().and_then(|time| time.plus_days(i64::from(rule.open_within_days.value)));
    let Some(due) = due else {
        checks.get("V-22").nothing();
        return;
    };
    let opened = edition.opened_scores.values().next();
    match opened {
        Some(time) if *time <= due => {
            checks.say("V-22", Sentence::new("v22").with("opened", edition.day(*time)).with("due", edition.day(due)))
        }
        Some(time) => {
            checks.say("V-22", Sentence::new("v22").with("opened", edition.day(*time)).with("due", edition.day(due)));
            let records: Vec<u64> = edition.opened_scores.keys().copied().collect();
            let first = records.first().copied().unwrap_or(0);
            checks.get("V-22").fail_record(None, first, &Sentence::new("f_late_opening").with("due", edition.day(due)));
        }
        // The newest record is the only time that the verifier knows.
        None if edition.last > due => {
            checks.say("V-22", Sentence::new("v22_waiting").with("due", edition.day(due)));
            checks.get("V-22").fail_record(
                None,
                edition.size.saturating_sub(1),
                &Sentence::new("f_overdue").with("due", edition.day(due)),
            );
        }
        None => {
            checks.say("V-22", Sentence::new("v22_waiting").with("due", edition.day(due)));
            checks.get("V-22").seal();
        }
    }
}

fn compare(log: &LogData, options: &Options, checks: &mut Checks) {
    let mut compared = 0;
    if let Some(code) = &options.code {
        compared += 1;
        if let Err(error) = check_root_code(&log.checkpoint.root, code) {
            // A printed code may belong to an older checkpoint of the same history.
            let older = log.roots.values().any(|root| check_root_code(root, code).is_ok());
            if !older {
                checks.get("V-24").fail_file("checkpoint", &Sentence::new("f_code").with("detail", error));
            }
        }
    }
    if let Some(other) = &options.against {
        compared += 1;
        let mut ignored = log_checks();
        match logs::read(other, "", &mut ignored) {
            Err(error) => checks.get("V-24").fail_file("--against", &Sentence::new("f_against").with("detail", error)),
            // A piece that does not hold by itself proves nothing against anybody.
            Ok(_) if ignored.tree.found + ignored.signature.found + ignored.records.found > 0 => {
                checks.get("V-24").fail_file("--against", &Sentence::new("f_against_unsound"));
            }
            Ok(other) => {
                let fork = log.leaves.iter().zip(&other.leaves).position(|(a, b)| a != b);
                if other.id != log.id {
                    checks.get("V-24").fail_file("--against", &Sentence::new("f_other_log").with("other", &other.id));
                } else if let Some(fork) = fork.and_then(|n| u64::try_from(n).ok()) {
                    checks.get("V-24").fail_record(None, fork, &Sentence::new("f_fork"));
                }
            }
        }
    }
    checks.say("V-24", Sentence::new("v24").with("count", compared));
    if compared == 0 {
        checks.get("V-24").nothing();
    }
}
