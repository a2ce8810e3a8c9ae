//! Policies (C2SP tlog-policy): which log keys count, and which witnesses must have cosigned.

use crate::checkpoint::Checkpoint;
use crate::cosignature::verify_cosignature;
use crate::note::{KeyKind, Note, NoteError, VerifierKey};

/// Most logs, most witnesses and most groups (the specification asks for at least 32 of each).
const MAX_ITEMS: usize = 256;

/// A policy that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("policy, line {line}: {what}")]
pub struct PolicyError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Witness {
    name: String,
    key: VerifierKey,
    url: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    name: String,
    threshold: usize,
    members: Vec<String>,
}

/// A policy: logs, witnesses, groups of witnesses, and the quorum. Comments are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<VerifierKey>,
    /// One for each log.
    log_urls: Vec<Option<String>>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: String,
}

/// What a checkpoint fulfils.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyOutcome {
    /// The log that signed.
    pub log: String,
    /// Witnesses that cosigned, with their times in seconds since 1970, in the order of the policy.
    pub witnesses: Vec<(String, u64)>,
    /// Whether the quorum is reached.
    pub quorum: bool,
}

impl Policy {
    /// A policy of one log without witnesses.
    pub fn for_log(key: VerifierKey) -> Policy {
        let quorum = "none".to_owned();
        Policy { logs: vec![key], log_urls: vec![None], witnesses: Vec::new(), groups: Vec::new(), quorum }
    }

    /// Reads a policy. It must name a log: nothing else says whose checkpoints are meant.
    ///
    /// # Errors
    /// [`PolicyError`] with the line.
    pub fn parse(text: &str) -> Result<Policy, PolicyError> {
        let (logs, log_urls, witnesses, groups) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut policy = Policy { logs, log_urls, witnesses, groups, quorum: String::new() };
        // Not `lines`, which would let a carriage return pass.
        for (line, number) in text.split('\n').zip(1..) {
            policy.read(line).map_err(|what| PolicyError { line: number, what })?;
        }
        let missing = |what: &str| PolicyError { line: text.lines().count(), what: what.to_owned() };
        if policy.logs.is_empty() {
            return Err(missing("no log line"));
        }
        if policy.quorum.is_empty() {
            return Err(missing("no quorum line"));
        }
        Ok(policy)
    }

    fn read(&mut self, line: &str) -> Result<(), String> {
        if line.bytes().any(|b| b < 0x20 && b != b'\t' || b == 0x7f) {
            return Err("a control character".to_owned());
        }
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            [] => Ok(()),
            [first, ..] if first.starts_with('#') => Ok(()),
            ["log", key] => self.read_log(key, None),
            ["log", key, url] => self.read_log(key, Some(url)),
            ["witness", name, key] => self.read_witness(name, key, None),
            ["witness", name, key, url] => self.read_witness(name, key, Some(url)),
            ["group", name, threshold, members @ ..] if !members.is_empty() => {
                self.read_group(name, threshold, members)
            }
            ["quorum", name] => self.read_quorum(name),
            _ => Err("not a log, witness, group or quorum line".to_owned()),
        }
    }

    fn read_log(&mut self, key: &str, url: Option<&str>) -> Result<(), String> {
        let key = read_key(key, KeyKind::Ed25519)?;
        if self.logs.iter().any(|log| log.public_key() == key.public_key()) {
            return Err("the key of another log".to_owned());
        }
        check_room(self.logs.len())?;
        self.logs.push(key);
        self.log_urls.push(url.map(str::to_owned));
        Ok(())
    }

    fn read_witness(&mut self, name: &str, key: &str, url: Option<&str>) -> Result<(), String> {
        self.check_new(name)?;
        let key = read_key(key, KeyKind::CosignatureV1)?;
        // One key under two names would count twice.
        if self.witnesses.iter().any(|witness| witness.key.public_key() == key.public_key()) {
            return Err("the key of another witness".to_owned());
        }
        check_room(self.witnesses.len())?;
        self.witnesses.push(Witness { name: name.to_owned(), key, url: url.map(str::to_owned) });
        Ok(())
    }

    fn read_group(&mut self, name: &str, threshold: &str, words: &[&str]) -> Result<(), String> {
        self.check_new(name)?;
        let mut members: Vec<String> = Vec::new();
        for member in words.iter().map(|word| (*word).to_owned()) {
            if !self.knows(&member) {
                return Err(format!("{member} is not defined above"));
            }
            // So that a witness contributes to the quorum in one way only.
            if members.contains(&member) || self.groups.iter().any(|group| group.members.contains(&member)) {
                return Err(format!("{member} is already a member of a group"));
            }
            members.push(member);
        }
        let threshold = match threshold {
            "all" => members.len(),
            "any" => 1,
            number => number
                .parse()
                .ok()
                .filter(|n: &usize| n.to_string() == number)
                .ok_or("the threshold is all, any or a number")?,
        };
        if threshold == 0 || threshold > members.len() {
            return Err("the threshold must lie between 1 and the number of members".to_owned());
        }
        check_room(self.groups.len())?;
        self.groups.push(Group { name: name.to_owned(), threshold, members });
        Ok(())
    }

    fn read_quorum(&mut self, name: &str) -> Result<(), String> {
        if !self.quorum.is_empty() {
            return Err("a second quorum line".to_owned());
        }
        if name != "none" && !self.knows(name) {
            return Err("the quorum is not defined above".to_owned());
        }
        name.clone_into(&mut self.quorum);
        Ok(())
    }

    fn knows(&self, name: &str) -> bool {
        self.witnesses.iter().any(|witness| witness.name == name) || self.groups.iter().any(|group| group.name == name)
    }

    fn check_new(&self, name: &str) -> Result<(), String> {
        if name == "none" || self.knows(name) { Err(format!("{name} is defined already or reserved")) } else { Ok(()) }
    }

    /// Keys of the logs, at least one.
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// Checks a checkpoint: a known log signed it; says which witnesses did and whether they are enough.
    ///
    /// # Errors
    /// If no known log signed it, it is not a checkpoint of that log, or the line of a known key does not fit. A quorum
    /// that is not reached is an outcome, not an error.
    pub fn check(&self, note: &Note) -> Result<PolicyOutcome, NoteError> {
        let log = self.signer(note)?;
        let origin = Checkpoint::parse_text(&note.text)?.origin;
        if origin != log.name() {
            return Err(NoteError::Origin { found: origin, expected: log.name().to_owned() });
        }
        let mut witnesses = Vec::new();
        for witness in &self.witnesses {
            match verify_cosignature(note, &witness.key) {
                Ok(time) => witnesses.push((witness.name.clone(), time)),
                Err(NoteError::Missing(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let quorum = self.quorum == "none" || self.reached(&self.quorum, &witnesses);
        Ok(PolicyOutcome { log: log.name().to_owned(), witnesses, quorum })
    }

    fn signer(&self, note: &Note) -> Result<&VerifierKey, NoteError> {
        let mut missing = NoteError::Form("the policy names no log");
        for log in &self.logs {
            match note.verify(log) {
                Ok(()) => return Ok(log),
                Err(error @ NoteError::Missing(_)) => missing = error,
                Err(error) => return Err(error),
            }
        }
        Err(missing)
    }

    // Groups only name what stands above them, and each name once: this ends after at most one step per name.
    fn reached(&self, name: &str, signed: &[(String, u64)]) -> bool {
        match self.groups.iter().find(|group| group.name == name) {
            Some(group) => group.members.iter().filter(|m| self.reached(m, signed)).count() >= group.threshold,
            None => signed.iter().any(|(witness, _)| witness == name),
        }
    }
}

fn read_key(text: &str, kind: KeyKind) -> Result<VerifierKey, String> {
    let key: VerifierKey = text.parse().map_err(|error: NoteError| error.to_string())?;
    match (key.kind() == kind, kind) {
        (true, _) => Ok(key),
        (false, KeyKind::Ed25519) => Err("a log needs an Ed25519 key (type 0x01)".to_owned()),
        (false, KeyKind::CosignatureV1) => Err("a witness needs a cosignature key (type 0x04)".to_owned()),
    }
}

fn check_room(count: usize) -> Result<(), String> {
    if count < MAX_ITEMS { Ok(()) } else { Err(format!("more than {MAX_ITEMS} of a kind")) }
}

impl std::fmt::Display for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let after = |url: &Option<String>| url.as_ref().map(|url| format!(" {url}")).unwrap_or_default();
        for (log, url) in self.logs.iter().zip(&self.log_urls) {
            writeln!(f, "log {log}{}", after(url))?;
        }
        for witness in &self.witnesses {
            writeln!(f, "witness {} {}{}", witness.name, witness.key, after(&witness.url))?;
        }
        for group in &self.groups {
            writeln!(f, "group {} {} {}", group.name, group.threshold, group.members.join(" "))?;
        }
        writeln!(f, "quorum {}", self.quorum)
    }
}
