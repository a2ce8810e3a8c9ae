//! A simulated edition and a forger of its bundle: what a dishonest administrator could do with it.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::sync::OnceLock;

use heng_app::bundle::{Files, public_bundle};
use heng_app::simulation::{DeviceKey, Frozen, ORIGIN, Size, simulate};
use heng_domain::edition::Edition;
use heng_domain::record::{Anchor, Record, Signature};
use heng_domain::refusal::Refusal;
use heng_domain::replay::LogState;
use heng_domain::rules::{read_calendar, read_criteria, read_rules};
use heng_log::checkpoint::{Checkpoint, sign_checkpoint};
use heng_log::commitment::Opening;
use heng_log::note::{KeyKind, Note, SignerKey};
use heng_log::policy::Policy;
use heng_log::signature::PersonalKey;
use heng_log::tile::{decode_entries, encode_entries, entries_path, hash_tile, tile_path, tiles_of};
use heng_log::tree::{Frontier, leaf_hash};
use heng_log::{Hash, Sha256, canonical, sha256};
use heng_verify::{Bundle, Check, Options, Report, Status, verify};
use serde_json::{Value, json};

pub const SEED: u64 = 1;

fn data(path: &str) -> String {
    std::fs::read_to_string(format!("{}/../../data/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

pub fn frozen(name: &str) -> Frozen {
    let rules = read_rules(name, &data(&format!("programmes/{name}.toml"))).unwrap();
    let criteria = read_criteria("criteria", &data(&format!("criteria/{}.toml", rules.criteria.value))).unwrap();
    let calendar = read_calendar("calendar", &data("calendars/cn.toml")).unwrap();
    Frozen { rules, criteria, calendar }
}

/// The honest bundle, made once for each test binary.
pub fn honest() -> &'static Files {
    static HONEST: OnceLock<Files> = OnceLock::new();
    HONEST.get_or_init(|| {
        let (heng, log) = simulate(&frozen("zhumadian"), Size { seed: SEED, ..Size::default() }, &|_| {}).unwrap();
        public_bundle(&heng, &log).unwrap()
    })
}

/// A smaller honest bundle, for tests that verify it very often.
pub fn small() -> &'static Files {
    static SMALL: OnceLock<Files> = OnceLock::new();
    SMALL.get_or_init(|| {
        let size = Size { applicants: 8, experts: 40, seed: SEED };
        let (heng, log) = simulate(&frozen("zhumadian"), size, &|_| {}).unwrap();
        public_bundle(&heng, &log).unwrap()
    })
}

pub fn bundle(files: &Files) -> Bundle {
    Bundle { files: files.clone() }
}

pub fn check_files(files: &Files) -> Report {
    verify(&bundle(files), &Options::default()).unwrap()
}

/// A check of a report.
pub fn get<'a>(report: &'a Report, id: &str) -> &'a Check {
    report.check(id).unwrap()
}

#[track_caller]
pub fn failed<'a>(report: &'a Report, id: &str) -> &'a Check {
    let check = get(report, id);
    assert_eq!(check.status, Status::Failed, "{id} should fail:\n{}", failures(report));
    assert_eq!(report.exit_code(), 1);
    check
}

/// `id` fails and one of its findings names record `seq`.
#[track_caller]
pub fn names(report: &Report, id: &str, seq: u64) {
    let check = failed(report, id);
    let found = check.findings.iter().any(|f| f.record == Some(seq));
    assert!(found, "{id} should name record {seq}:\n{}", failures(report));
}

/// `id` fails with the refusal `code` at record `seq`.
#[track_caller]
pub fn refuses(report: &Report, id: &str, seq: u64, code: &str) {
    let check = failed(report, id);
    let found = check.findings.iter().any(|f| f.record == Some(seq) && f.code.as_deref() == Some(code));
    assert!(found, "{id} should refuse record {seq} with {code}:\n{}", failures(report));
}

/// `id` fails and one of its findings names the file.
#[track_caller]
pub fn names_file(report: &Report, id: &str, file: &str) {
    let check = failed(report, id);
    let found = check.findings.iter().any(|f| f.file.as_deref() == Some(file));
    assert!(found, "{id} should name {file}:\n{}", failures(report));
}

/// Nothing but the checks `ids` has failed.
#[track_caller]
pub fn only(report: &Report, ids: &[&str]) {
    let failed: Vec<&str> = report.checks.iter().filter(|c| c.status == Status::Failed).map(|c| c.id).collect();
    assert_eq!(failed, ids, "{}", failures(report));
}

/// The failed checks with their findings, for messages of tests.
pub fn failures(report: &Report) -> String {
    let mut out = String::new();
    for check in report.checks.iter().filter(|c| c.status == Status::Failed) {
        for finding in &check.findings {
            out.push_str(&format!("{} {:?} {:?} {}\n", check.id, finding.record, finding.file, finding.en));
        }
    }
    out
}

/// Writes a manifest that fits the files.
pub fn fix_manifest(files: &mut Files) {
    let old: Value = serde_json::from_slice(&files["MANIFEST.json"]).unwrap();
    files.remove("MANIFEST.json");
    let list: Vec<Value> = files
        .iter()
        .map(|(path, bytes)| json!({ "path": path, "sha256": sha256(bytes).to_string(), "size": bytes.len() }))
        .collect();
    let mut manifest = old;
    manifest["files"] = Value::Array(list);
    let note = std::str::from_utf8(&files["checkpoint"]).ok().and_then(|text| Note::parse(text).ok());
    let head = note.and_then(|note| Checkpoint::parse_text(&note.text).ok());
    if let Some(head) = head.filter(|head| head.size < 1 << 53) {
        manifest["origin"] = Value::String(head.origin);
        manifest["size"] = json!(head.size);
    }
    files.insert("MANIFEST.json".to_owned(), canonical::to_bytes_unbounded(&manifest).unwrap());
}

/// How much the attacker can sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// The log's key: every checkpoint is signed again, personal signatures stay as they are.
    LogKey,
    /// Every key there is: what still fails is the rule itself.
    Everybody,
}

/// A record with the openings that the bundle discloses.
#[derive(Clone, Debug)]
pub struct Entry {
    pub record: Record,
    pub openings: Vec<Opening>,
    /// Its number in the honest log; `None` for an invented record.
    pub was: Option<u64>,
}

/// The records of an edition, open for changes.
#[derive(Clone)]
pub struct Forger {
    pub log: String,
    pub entries: Vec<Entry>,
    /// Keys that differ from those of the simulation.
    pub keys: BTreeMap<String, [u8; 32]>,
    sizes: Vec<u64>,
    base: Files,
}

impl Forger {
    pub fn new(files: &Files) -> Forger {
        let checkpoint = std::str::from_utf8(&files["checkpoint"]).unwrap();
        let log = checkpoint.lines().next().unwrap().to_owned();
        let size: u64 = checkpoint.lines().nth(1).unwrap().parse().unwrap();
        let mut openings: BTreeMap<u64, Vec<Opening>> = BTreeMap::new();
        for line in files["openings.jsonl"].split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            let opening: Opening = serde_json::from_slice(line).unwrap();
            openings.entry(opening.seq).or_default().push(opening);
        }
        let mut entries = Vec::new();
        for bytes in read_entries(files, size) {
            let record = Record::parse(&bytes).unwrap();
            let openings = openings.remove(&record.seq).unwrap_or_default();
            entries.push(Entry { was: Some(record.seq), openings, record });
        }
        let sizes = files
            .keys()
            .filter_map(|path| path.strip_prefix("checkpoints/"))
            .map(|name| name.parse().unwrap())
            .collect();
        Forger { log, entries, keys: BTreeMap::new(), sizes, base: files.clone() }
    }

    pub fn honest() -> Forger {
        static HONEST: OnceLock<Forger> = OnceLock::new();
        HONEST.get_or_init(|| Forger::new(honest())).clone()
    }

    pub fn key(&self, person: &str) -> DeviceKey {
        if let Some(seed) = self.keys.get(person) {
            return DeviceKey::File(PersonalKey::from_seed(*seed));
        }
        let id = if person.starts_with("x:") { format!("{person}@{}", self.log) } else { person.to_owned() };
        DeviceKey::of(SEED, &id).unwrap()
    }

    /// Number of the first record of `kind` for which `wanted` holds.
    #[track_caller]
    pub fn find(&self, kind: &str, wanted: impl Fn(&Value) -> bool) -> usize {
        let found = self.entries.iter().position(|e| e.record.kind == kind && wanted(&e.record.body));
        found.unwrap_or_else(|| panic!("no {kind} of this kind"))
    }

    #[track_caller]
    pub fn first(&self, kind: &str) -> usize {
        self.find(kind, |_| true)
    }

    #[track_caller]
    pub fn last(&self, kind: &str) -> usize {
        self.entries.iter().rposition(|e| e.record.kind == kind).unwrap_or_else(|| panic!("no {kind}"))
    }

    pub fn all(&self, kind: &str) -> Vec<usize> {
        (0..self.entries.len()).filter(|i| self.entries[*i].record.kind == kind).collect()
    }

    pub fn body(&mut self, at: usize) -> &mut Value {
        &mut self.entries[at].record.body
    }

    /// Inserts a record before `at`, with the time of the record before it.
    pub fn insert(&mut self, at: usize, actor: &str, kind: &str, body: Value, signers: &[&str]) {
        let before = &self.entries[at - 1].record;
        let record = Record {
            actor: actor.to_owned(),
            basis: "forged".to_owned(),
            body,
            hidden: BTreeMap::new(),
            log: self.log.clone(),
            seq: u64::try_from(at).unwrap(),
            sigs: Vec::new(),
            time: before.time,
            kind: kind.to_owned(),
            v: 1,
        };
        let mut entry = Entry { record, openings: Vec::new(), was: None };
        let at_empty = Anchor { size: 0, root: Frontier::new().root::<Sha256>() };
        for by in signers {
            let signature = self.signed(&entry.record, by, at_empty.clone());
            entry.record.sigs.push(signature);
        }
        self.entries.insert(at, entry);
    }

    /// Gives a record the signatures of other people.
    pub fn sign_by(&mut self, at: usize, signers: &[&str]) {
        let empty = Anchor { size: 0, root: Frontier::new().root::<Sha256>() };
        let record = self.entries[at].record.clone();
        self.entries[at].record.sigs = signers.iter().map(|by| self.signed(&record, by, empty.clone())).collect();
    }

    /// Signs one record again with its signers' keys, over the anchors it has.
    pub fn sign_again(&mut self, at: usize) {
        let record = self.entries[at].record.clone();
        let sigs = record.sigs.iter().map(|s| self.signed(&record, &s.by, s.at.clone())).collect();
        self.entries[at].record.sigs = sigs;
    }

    fn signed(&self, record: &Record, by: &str, at: Anchor) -> Signature {
        let statement = record.statement(by, &at).unwrap();
        match self.key(by) {
            DeviceKey::File(key) => Signature::by_key(&statement, by, at, &key),
            DeviceKey::Passkey(passkey) => {
                let assertion = passkey.sign(statement.as_bytes(), ORIGIN);
                Signature::by_passkey(&assertion, by, at, &passkey.public())
            }
        }
    }

    /// Replays without asking `admit`, as the attacker's own server would.
    pub fn replay(&self) -> Edition {
        let mut state = LogState::empty("edition").unwrap();
        for entry in &self.entries {
            let _ = state.apply(&self.log, &entry.record, &entry.openings);
        }
        state.edition().unwrap().clone()
    }

    /// How the rules refuse the record `at` of this history.
    pub fn refusal(&self, at: usize) -> Refusal {
        let mut state = LogState::empty("edition").unwrap();
        for entry in &self.entries[..at] {
            let _ = state.apply(&self.log, &entry.record, &entry.openings);
        }
        let entry = &self.entries[at];
        let mut resigned = self.clone();
        resigned.sign_again(at);
        state.admit(&self.log, &resigned.entries[at].record, &entry.openings).unwrap_err()
    }

    /// Renumbers, signs what the attacker can sign, and builds the whole bundle anew and consistently.
    pub fn files(mut self, power: Power) -> Files {
        let numbers: BTreeMap<u64, u64> =
            self.entries.iter().zip(0u64..).filter_map(|(e, n)| Some((e.was?, n))).collect();
        let mut frontier = Frontier::new();
        let mut roots = vec![frontier.root::<Sha256>()];
        let mut leaves = Vec::new();
        let mut bytes = Vec::new();
        for index in 0..self.entries.len() {
            let seq = u64::try_from(index).unwrap();
            let entry = &mut self.entries[index];
            entry.record.seq = seq;
            for opening in &mut entry.openings {
                opening.seq = seq;
            }
            if power == Power::Everybody {
                if entry.record.kind == "scores.opened"
                    && let Some(records) = entry.record.body["records"].as_array_mut()
                {
                    let moved = records.iter().map(|r| r.as_u64().unwrap());
                    *records = moved.filter_map(|r| numbers.get(&r)).map(|r| json!(r)).collect();
                }
                for signature in &mut entry.record.sigs {
                    let size = signature.at.size.min(seq);
                    signature.at = Anchor { size, root: roots[usize::try_from(size).unwrap()] };
                }
                self.sign_again(index);
            }
            let written = self.entries[index].record.to_bytes().unwrap();
            let leaf = leaf_hash::<Sha256>(&written);
            frontier.push::<Sha256>(leaf);
            roots.push(frontier.root::<Sha256>());
            leaves.push(leaf);
            bytes.push(written);
        }
        self.write(&leaves, &roots, &bytes)
    }

    fn write(&self, leaves: &[Hash], roots: &[Hash], bytes: &[Vec<u8>]) -> Files {
        let mut files: Files = self
            .base
            .iter()
            .filter(|(path, _)| path.starts_with("office/"))
            .map(|(p, b)| (p.clone(), b.clone()))
            .collect();
        files.insert("HOWTO.txt".to_owned(), self.base["HOWTO.txt"].clone());
        let signer = SignerKey::from_seed(&self.log, KeyKind::Ed25519, [66; 32]).unwrap();
        files.insert("policy.txt".to_owned(), Policy::for_log(signer.verifier()).to_string().into_bytes());
        let size = u64::try_from(leaves.len()).unwrap();
        let note = |size: u64| {
            let root = roots[usize::try_from(size).unwrap()];
            let checkpoint = Checkpoint { origin: self.log.clone(), size, root };
            sign_checkpoint(&checkpoint, &signer).unwrap().to_string().into_bytes()
        };
        files.insert("checkpoint".to_owned(), note(size));
        for old in self.sizes.iter().filter(|old| **old < size).chain([&size]) {
            files.insert(format!("checkpoints/{old:010}"), note(*old));
        }
        for (level, index, width) in tiles_of(size) {
            files.insert(tile_path(level, index, width), hash_tile::<Sha256>(leaves, level, index).unwrap());
        }
        for (n, chunk) in bytes.chunks(256).enumerate() {
            let slices: Vec<&[u8]> = chunk.iter().map(Vec::as_slice).collect();
            let path = entries_path(u64::try_from(n).unwrap(), u16::try_from(chunk.len()).unwrap());
            files.insert(path, encode_entries(&slices).unwrap());
        }
        let write = |value: Value| canonical::to_bytes_unbounded(&value).unwrap();
        let mut lines = Vec::new();
        for opening in self.entries.iter().flat_map(|e| &e.openings) {
            lines.extend(write(serde_json::to_value(opening).unwrap()));
            lines.push(b'\n');
        }
        files.insert("openings.jsonl".to_owned(), lines);
        let edition = self.replay();
        files.insert("rules.json".to_owned(), write(serde_json::to_value(edition.rules()).unwrap()));
        if let Some(result) = edition.public_result() {
            files.insert("result.json".to_owned(), write(serde_json::to_value(&result).unwrap()));
        }
        for (id, notice) in &edition.notices {
            let text = json!({ "title": notice.body.title, "text": notice.body.text, "until": notice.body.until });
            files.insert(format!("notices/{id}.json"), write(text));
        }
        files.insert("MANIFEST.json".to_owned(), self.base["MANIFEST.json"].clone());
        fix_manifest(&mut files);
        files
    }

    /// Builds and verifies.
    pub fn report(self, power: Power) -> Report {
        check_files(&self.files(power))
    }
}

/// Raw bytes of the records of a bundle.
pub fn read_entries(files: &Files, size: u64) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let mut from = 0;
    while from < size {
        let width = (size - from).min(256);
        out.extend(decode_entries(&files[&entries_path(from / 256, u16::try_from(width).unwrap())]).unwrap());
        from += width;
    }
    out
}

/// Number of records of the edition's log.
pub fn size_of(files: &Files) -> u64 {
    std::str::from_utf8(&files["checkpoint"]).unwrap().lines().nth(1).unwrap().parse().unwrap()
}

/// The entry file of record `seq`, and where in the file the record's bytes begin and end.
pub fn place_of(files: &Files, seq: u64) -> (String, std::ops::Range<usize>) {
    let size = size_of(files);
    let tile = seq / 256;
    let width = (size - tile * 256).min(256);
    let path = entries_path(tile, u16::try_from(width).unwrap());
    let mut at = 0;
    let records = decode_entries(&files[&path]).unwrap();
    for (record, n) in records.iter().zip(tile * 256..) {
        if n == seq {
            return (path, at + 2..at + 2 + record.len());
        }
        at += 2 + record.len();
    }
    panic!("no record {seq}");
}
