//! Policies (C2SP tlog-policy): which log keys count, and which witnesses must have cosigned.

use crate::cosignature::verify_cosignature;
use crate::note::{Note, NoteError, VerifierKey};

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
struct Group {
    name: String,
    threshold: usize,
    members: Vec<String>,
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<VerifierKey>,
    witnesses: Vec<(String, VerifierKey)>,
    groups: Vec<Group>,
    quorum: String,
}

/// What a checkpoint fulfils.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyOutcome {
    /// The log that signed.
    pub log: String,
    /// Witnesses that cosigned, with their times in seconds since 1970.
    pub witnesses: Vec<(String, u64)>,
    /// Whether the quorum is reached.
    pub quorum: bool,
}

impl Policy {
    /// A policy of one log without witnesses.
    pub fn for_log(key: VerifierKey) -> Policy {
        Policy { logs: vec![key], witnesses: Vec::new(), groups: Vec::new(), quorum: "none".to_owned() }
    }

    /// Reads a policy.
    ///
    /// # Errors
    /// [`PolicyError`] with the line.
    pub fn parse(text: &str) -> Result<Policy, PolicyError> {
        let mut policy = Policy { logs: Vec::new(), witnesses: Vec::new(), groups: Vec::new(), quorum: String::new() };
        for (i, line) in text.lines().enumerate() {
            let fail = |what: &str| PolicyError { line: i + 1, what: what.to_owned() };
            let words: Vec<&str> = line.split('#').next().unwrap_or("").split_whitespace().collect();
            let key = |text: &str| text.parse::<VerifierKey>().map_err(|error| fail(&error.to_string()));
            match words.as_slice() {
                [] => {}
                ["log", vkey] | ["log", vkey, _] => policy.logs.push(key(vkey)?),
                ["witness", name, vkey] | ["witness", name, vkey, _] => {
                    policy.check_new(name).map_err(|what| fail(&what))?;
                    policy.witnesses.push(((*name).to_owned(), key(vkey)?));
                }
                ["group", name, threshold, members @ ..] if !members.is_empty() => {
                    policy.check_new(name).map_err(|what| fail(&what))?;
                    if let Some(unknown) = members.iter().find(|m| !policy.knows(m)) {
                        return Err(fail(&format!("{unknown} is not defined above")));
                    }
                    let threshold = match *threshold {
                        "all" => members.len(),
                        "any" => 1,
                        number => number.parse().map_err(|_| fail("the threshold is all, any or a number"))?,
                    };
                    if threshold == 0 || threshold > members.len() {
                        return Err(fail("the threshold must lie between 1 and the number of members"));
                    }
                    let members = members.iter().map(|m| (*m).to_owned()).collect();
                    policy.groups.push(Group { name: (*name).to_owned(), threshold, members });
                }
                ["quorum", name] => {
                    if !policy.quorum.is_empty() {
                        return Err(fail("a second quorum line"));
                    }
                    if *name != "none" && !policy.knows(name) {
                        return Err(fail("the quorum is not defined above"));
                    }
                    policy.quorum = (*name).to_owned();
                }
                _ => return Err(fail("not a log, witness, group or quorum line")),
            }
        }
        let end = text.lines().count();
        if policy.logs.is_empty() {
            return Err(PolicyError { line: end, what: "no log line".to_owned() });
        }
        if policy.quorum.is_empty() {
            return Err(PolicyError { line: end, what: "no quorum line".to_owned() });
        }
        Ok(policy)
    }

    fn knows(&self, name: &str) -> bool {
        self.witnesses.iter().any(|(n, _)| n == name) || self.groups.iter().any(|g| g.name == name)
    }

    fn check_new(&self, name: &str) -> Result<(), String> {
        if name == "none" || self.knows(name) { Err(format!("{name} is defined already or reserved")) } else { Ok(()) }
    }

    /// Keys of the logs.
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// Checks a checkpoint: a known log signed it; says which witnesses did and whether they are enough.
    ///
    /// # Errors
    /// If no known log signed it, or a known witness's line does not fit.
    pub fn check(&self, note: &Note) -> Result<PolicyOutcome, NoteError> {
        let mut last = NoteError::Form("the policy names no log");
        let log = self.logs.iter().find(|key| match note.verify(key) {
            Ok(()) => true,
            Err(error) => {
                last = error;
                false
            }
        });
        let Some(log) = log else { return Err(last) };
        let mut witnesses = Vec::new();
        for (name, key) in &self.witnesses {
            match verify_cosignature(note, key) {
                Ok(time) => witnesses.push((name.clone(), time)),
                Err(NoteError::Missing(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let quorum = self.quorum == "none" || self.reached(&self.quorum, &witnesses);
        Ok(PolicyOutcome { log: log.name().to_owned(), witnesses, quorum })
    }

    // Groups only name what stands above them, so this ends.
    fn reached(&self, name: &str, signed: &[(String, u64)]) -> bool {
        match self.groups.iter().find(|g| g.name == name) {
            Some(group) => group.members.iter().filter(|m| self.reached(m, signed)).count() >= group.threshold,
            None => signed.iter().any(|(n, _)| n == name),
        }
    }
}

impl std::fmt::Display for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for log in &self.logs {
            writeln!(f, "log {log}")?;
        }
        for (name, key) in &self.witnesses {
            writeln!(f, "witness {name} {key}")?;
        }
        for group in &self.groups {
            writeln!(f, "group {} {} {}", group.name, group.threshold, group.members.join(" "))?;
        }
        writeln!(f, "quorum {}", self.quorum)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cosignature::cosign;
    use crate::note::{KeyKind, SignerKey, sign};

    #[test]
    fn two_of_three_witnesses() {
        let log = SignerKey::from_seed("heng.example/log", KeyKind::Ed25519, [1; 32]).unwrap();
        let w: Vec<SignerKey> =
            (2..5).map(|i| SignerKey::from_seed(&format!("w{i}"), KeyKind::CosignatureV1, [i; 32]).unwrap()).collect();
        let lines: String = w.iter().map(|k| format!("witness {} {}\n", k.verifier().name(), k.verifier())).collect();
        let text = format!("log {}\n{lines}group g 2 w2 w3 w4\nquorum g\n", log.verifier());
        let policy = Policy::parse(&text).unwrap();
        assert_eq!(policy.to_string(), text);
        let mut note = sign("heng.example/log\n1\nx\n", &log).unwrap();
        cosign(&mut note, &w[0], 5).unwrap();
        assert!(!policy.check(&note).unwrap().quorum);
        cosign(&mut note, &w[2], 6).unwrap();
        let outcome = policy.check(&note).unwrap();
        assert!(outcome.quorum);
        assert_eq!(outcome.witnesses, [("w2".to_owned(), 5), ("w4".to_owned(), 6)]);
    }

    #[test]
    fn wrong_lines_are_named() {
        assert_eq!(Policy::parse("quorum none\nbad line\n").unwrap_err().line, 2);
        assert_eq!(Policy::parse("quorum none\n").unwrap_err().what, "no log line");
        assert_eq!(Policy::parse("group g 1 nobody\n").unwrap_err().line, 1);
    }
}
