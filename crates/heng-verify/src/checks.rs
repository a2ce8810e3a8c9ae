//! The numbered checks over a bundle: replay through `admit`, then what follows from the state.

use std::collections::BTreeMap;

use heng_domain::edition::Edition;
use heng_domain::edition::events::Cite;
use heng_domain::eligibility::Standing;
use heng_domain::messages;
use heng_domain::office::Office;
use heng_domain::record::Record;
use heng_domain::refusal::Refusal;
use heng_domain::replay::LogState;
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
use crate::outcome::{ending, published, votes};
use crate::report::{Check, Finding, Report, Sentence};
use crate::review::{draws, process, sheets};

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
pub(crate) struct Checks(pub(crate) BTreeMap<&'static str, Check>);

impl Checks {
    fn new() -> Checks {
        Checks(NUMBERS.iter().map(|id| (*id, Check::new(id, Sentence::new("none")))).collect())
    }

    pub(crate) fn get(&mut self, id: &'static str) -> &mut Check {
        self.0.entry(id).or_insert_with(|| Check::new(id, Sentence::new("none")))
    }

    pub(crate) fn say(&mut self, id: &'static str, sentence: Sentence) {
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
            "condition" | "opinions" | "opinion" | "pre_review" | "organisation" => "V-10",
            "recusal" | "pledge" | "panel" => "V-11",
            "pool" | "draw" => "V-12",
            "score" | "consensus" | "visit" | "poll" => "V-13",
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

pub(crate) type Openings = BTreeMap<u64, Vec<Opening>>;

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
