//! What was typed and not yet sent: saved as it is typed, never lost, shared by those who work on the same form.
//!
//! Two people fill in different parts of a long form at the same time. So answers are merged one by one: what I changed
//! and what somebody else changed meanwhile both count. Only where both of us changed the same answer it takes a choice.

use std::collections::{BTreeMap, BTreeSet};

use heng_domain::time::Instant;
use heng_log::sha256;
use serde::{Deserialize, Serialize};

use super::field::Answers;
use crate::error::{AppError, Result};
use crate::heng::Heng;

/// A saved draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Grows with every save.
    pub version: u64,
    /// When.
    pub at: Instant,
    /// Which account saved it.
    pub by: String,
    /// What was typed.
    pub answers: Answers,
    /// The version upon which its form was opened, beyond all of the draft before, which was sent: so an old window is known.
    #[serde(default)]
    begun: u64,
    /// How the answers that were changed came to what they are.
    #[serde(default)]
    trails: BTreeMap<String, Trail>,
}

/// Who changed an answer last, and what it was at earlier versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    /// Which account.
    pub by: String,
    /// When.
    pub at: Instant,
    /// Since which version it was what, oldest first; values by their digests.
    was: Vec<(u64, String)>,
}

/// Changes of one answer that are remembered: whoever typed upon an older one is asked rather than guessed for.
const REMEMBERED: usize = 256;

impl Trail {
    /// The version that brought the present answer.
    pub fn version(&self) -> u64 {
        self.was.last().map_or(0, |(version, _)| *version)
    }

    /// What the answer was at a version, as far as it is remembered.
    fn at_version(&self, version: u64) -> Option<&str> {
        self.was.iter().rev().find(|(since, _)| *since <= version).map(|(_, digest)| digest.as_str())
    }
}

/// The values that say something: an empty answer is as good as none.
fn said(values: Option<&Vec<String>>) -> Vec<&str> {
    values.into_iter().flatten().map(String::as_str).filter(|value| !value.is_empty()).collect()
}

fn digest(values: Option<&Vec<String>>) -> String {
    let hash = sha256(said(values).join("\u{1f}").as_bytes()).to_string();
    hash.chars().take(16).collect()
}

impl Saved {
    /// Whether every answer says what `answers` say.
    fn says(&self, answers: &Answers) -> bool {
        self.answers.keys().chain(answers.keys()).all(|name| said(self.answers.get(name)) == said(answers.get(name)))
    }

    /// Who changed an answer last, if anybody did since the form was opened.
    pub fn trail(&self, field: &str) -> Option<&Trail> {
        self.trails.get(field)
    }

    /// The latest change among `fields`.
    pub fn latest<'a>(&self, fields: impl IntoIterator<Item = &'a str>) -> Option<&Trail> {
        fields.into_iter().filter_map(|field| self.trail(field)).max_by_key(|trail| trail.version())
    }

    /// Mine, typed upon `version`, put together with what is saved: the answers, and those that both of us changed.
    fn merge(&self, version: u64, mine: &Answers) -> (Answers, Vec<String>) {
        let mut out = self.answers.clone();
        let mut both = Vec::new();
        let names: BTreeSet<&String> = self.answers.keys().chain(mine.keys()).collect();
        for name in names {
            let (theirs, own) = (self.answers.get(name), mine.get(name));
            if said(theirs) == said(own) {
                continue;
            }
            let newer = self.trail(name).filter(|trail| trail.version() > version);
            match newer.map(|trail| trail.at_version(version)) {
                // I have not touched what somebody else has changed.
                Some(Some(before)) if before == digest(own) => {}
                Some(_) => both.push(name.clone()),
                None => match own {
                    Some(own) => drop(out.insert(name.clone(), own.clone())),
                    None => drop(out.remove(name)),
                },
            }
        }
        (out, both)
    }

    /// The trails after `answers` have become `new`, at `version`.
    fn trails_after(
        &self,
        answers: &Answers,
        new: &Answers,
        version: u64,
        at: Instant,
        by: &str,
    ) -> BTreeMap<String, Trail> {
        let mut trails = self.trails.clone();
        let names: BTreeSet<&String> = answers.keys().chain(new.keys()).collect();
        for name in names {
            let (old, now) = (answers.get(name), new.get(name));
            if said(old) == said(now) {
                continue;
            }
            let trail = trails.entry(name.clone()).or_insert_with(|| Trail {
                by: String::new(),
                at,
                // Before its first change an answer was the same at every version.
                was: vec![(0, digest(old))],
            });
            trail.was.push((version, digest(now)));
            if trail.was.len() > REMEMBERED {
                trail.was.remove(0);
            }
            trail.at = at;
            trail.by = by.to_owned();
        }
        trails
    }
}

/// Outcome of a save.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Save {
    /// It is durable, together with what others saved meanwhile.
    Done(Saved),
    /// Somebody, or another window, changed some of the same answers to something else. Theirs stand in the draft, all
    /// other answers are saved; these are the ones that take a choice.
    Both(Saved, Vec<String>),
    /// The version that was typed upon has been sent meanwhile; nothing was saved.
    Sent,
}

const ROWS: &str = "draft";
/// The version beyond a draft that was sent, by the draft's name.
const SENT: &str = "draft_sent";

/// Whether what is typed may be kept. A member's ballot is not: before the close nobody but the member knows the choice
/// (law 6). What an officer enters from paper the officer has read, and leaves the form for the scan.
pub fn keeps(kind: &str, case: &str) -> bool {
    kind != "ballot.cast" || case.ends_with(super::committee::PAPER)
}

/// Name of a form's draft. `owner` is the handle that acts, so that a firm's staff share one draft.
pub fn key(owner: &str, log: &str, kind: &str, case: &str) -> String {
    format!("{owner}|{log}|{kind}|{case}")
}

/// The draft of a form.
///
/// # Errors
/// If the store fails.
pub fn load(heng: &Heng, key: &str) -> Result<Option<Saved>> {
    let bytes = heng.store().row(ROWS, key)?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// The version upon which a form is filled in that has no draft: 0, or the next after the draft that was sent before.
///
/// # Errors
/// If the store fails.
pub fn begun(heng: &Heng, key: &str) -> Result<u64> {
    let sent = heng.store().row(SENT, key)?.and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok());
    Ok(sent.unwrap_or(0))
}

/// The version of the draft, if it says what `answers` say.
///
/// # Errors
/// If the store fails.
pub(super) fn version_of(heng: &Heng, key: &str, answers: &Answers) -> Result<Option<u64>> {
    Ok(load(heng, key)?.filter(|saved| saved.says(answers)).map(|saved| saved.version))
}

/// Saves what was typed upon `version`; [`begun`] where no draft was loaded, and `before` is what stood in the form then.
///
/// # Errors
/// If the store fails: then the caller still has the text, and says so.
pub fn save(heng: &Heng, key: &str, by: &str, version: u64, before: &Answers, mine: Answers) -> Result<Save> {
    // One at a time: between reading and writing nobody else may save the same form.
    let _turn = heng.turn(key);
    let (at, by) = (heng.clock().now(), by.to_owned());
    let (saved, both) = match load(heng, key)? {
        None if version != begun(heng, key)? => return Ok(Save::Sent),
        // Typed upon a draft that was sent before this one began, or upon none of these.
        Some(old) if version > old.version || version < old.begun => return Ok(Save::Sent),
        None => {
            let (begun, version) = (version, version + 1);
            let answers = Answers::new();
            let empty = Saved { version: begun, at, by: by.clone(), answers, begun, trails: BTreeMap::new() };
            let trails = empty.trails_after(before, &mine, version, at, &by);
            (Saved { version, at, by, answers: mine, begun, trails }, Vec::new())
        }
        Some(old) => {
            let (answers, both) = old.merge(version, &mine);
            if old.version != version && answers == old.answers {
                return Ok(if both.is_empty() { Save::Done(old) } else { Save::Both(old, both) });
            }
            let trails = old.trails_after(&old.answers, &answers, old.version + 1, at, &by);
            (Saved { version: old.version + 1, at, by, answers, begun: old.begun, trails }, both)
        }
    };
    let bytes = serde_json::to_vec(&saved).map_err(|error| AppError::Other(error.to_string()))?;
    heng.store().put_row(ROWS, key, &bytes)?;
    Ok(if both.is_empty() { Save::Done(saved) } else { Save::Both(saved, both) })
}

/// Forgets a draft once it was sent.
///
/// # Errors
/// If the store fails.
pub fn discard(heng: &Heng, key: &str) -> Result<()> {
    discard_if(heng, key, |_| true)
}

/// Forgets a draft of which this version was sent: what somebody has typed since then stays.
///
/// # Errors
/// If the store fails.
pub(super) fn discard_sent(heng: &Heng, key: &str, version: u64) -> Result<()> {
    discard_if(heng, key, |saved| saved.version == version)
}

fn discard_if(heng: &Heng, key: &str, wanted: impl Fn(&Saved) -> bool) -> Result<()> {
    let _turn = heng.turn(key);
    if let Some(saved) = load(heng, key)?.filter(wanted) {
        // Kept first: after a crash in between an old window meets the draft, not a new one.
        heng.store().put_row(SENT, key, (saved.version + 1).to_string().as_bytes())?;
        heng.store().delete_row(ROWS, key)?;
    }
    Ok(())
}
