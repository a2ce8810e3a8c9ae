//! One log at work: its memory image, its single writer with group commit, and its checkpoints.
//!
//! The write path is that of verifiability.md §6.6: admit, append durably, re-read, recompute, sign with a
//! compare-and-swap on the last signed checkpoint, publish, and only then answer. Everything that waits shares one pass.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use heng_domain::record::{Anchor, Record};
use heng_domain::replay::{Ahead, LogState};
use heng_log::checkpoint::{Checkpoint, open_checkpoint, sign_checkpoint};
use heng_log::commitment::Opening;
use heng_log::note::{SignerKey, VerifierKey};
use heng_log::proof::Receipt;
use heng_log::tree::{Frontier, consistency_proof, inclusion_proof, leaf_hash, root};
use heng_log::{Hash, Sha256};
use heng_store::{Entry, SignerMemory, Store, StoreError, StoredCheckpoint};

use crate::clock::Clock;
use crate::draft::{Draft, Hidden};
use crate::error::{AppError, Result};
use crate::jump;

/// What everybody may read: the state, the leaves and the newest checkpoint. Always durable and signed.
pub struct Image {
    /// The state made by replay.
    pub state: LogState,
    /// Leaf hashes of all records.
    pub leaves: Vec<Hash>,
    /// Newest checkpoint.
    pub checkpoint: Option<StoredCheckpoint>,
    /// Roots of all published checkpoints, by size.
    pub roots: BTreeMap<u64, Hash>,
}

impl Image {
    /// The root of the first `size` records; `None` where there are not so many.
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        self.roots.get(&size).copied().or_else(|| root_at(&self.leaves, size))
    }
}

/// The root of the first `size` of these leaves.
pub(crate) fn root_at(leaves: &[Hash], size: u64) -> Option<Hash> {
    Some(root::<Sha256>(leaves.get(..usize::try_from(size).ok()?)?))
}

/// What an accepted record gets back.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The record as written.
    pub record: Arc<Record>,
    /// Leaf hash.
    pub leaf: Hash,
    /// Size of the checkpoint that covers it.
    pub size: u64,
}

/// The writer's own copy: it runs ahead of the image until the disk has followed.
struct Working {
    state: LogState,
    frontier: Frontier,
    stopped: Option<String>,
}

type Answer = Arc<Mutex<Option<Result<Accepted>>>>;

/// A log with its writer.
pub struct Log {
    id: String,
    kind: String,
    store: Arc<dyn Store>,
    memory: Arc<SignerMemory>,
    clock: Arc<dyn Clock>,
    key: SignerKey,
    image: RwLock<Image>,
    queue: Mutex<Vec<(Draft, Answer)>>,
    working: Mutex<Working>,
    changed: Box<dyn Fn(u64) + Send + Sync>,
}

/// What a log needs from its office.
pub struct Parts {
    /// Store.
    pub store: Arc<dyn Store>,
    /// The signer's memory.
    pub memory: Arc<SignerMemory>,
    /// Clock.
    pub clock: Arc<dyn Clock>,
    /// Signing key; its name is that of the log.
    pub key: SignerKey,
    /// False to read only: nobody is asked for leadership and nothing is signed.
    pub leads: bool,
    /// Called with the new size after each published batch.
    pub changed: Box<dyn Fn(u64) + Send + Sync>,
}

/// Recovers a lock after a panic elsewhere: the data behind it are only ever replaced whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Log {
    /// Opens a log: replays it, compares it with what was signed, and signs what a crash left unsigned.
    ///
    /// # Errors
    /// [`AppError::RolledBack`], [`AppError::Different`] or [`AppError::Damaged`] with what to do; nothing is changed then.
    pub fn open(id: &str, kind: &str, parts: Parts, progress: &dyn Fn(u64, u64)) -> Result<Log> {
        if parts.leads {
            parts.store.lead(id)?;
        }
        let Some(mut state) = LogState::empty(kind) else {
            return Err(AppError::Other(format!("{id}: this version does not know logs of kind {kind}")));
        };
        let size = parts.store.size(id)?;
        let signed = parts.memory.last(id)?;
        if let Some((signed, _)) = signed.filter(|(signed, _)| *signed > size) {
            return Err(AppError::RolledBack { log: id.to_owned(), stored: size, signed });
        }
        let checkpoints = parts.store.checkpoints(id)?;
        let published: BTreeMap<u64, Hash> = checkpoints.iter().map(|c| (c.size, Hash(c.root))).collect();
        let verifier = parts.key.verifier();
        let mut leaves = Vec::new();
        let mut frontier = Frontier::new();
        let mut lost = Vec::new();
        std::thread::scope(|scope| {
            let notes = scope.spawn(|| checkpoints_hold(id, &checkpoints, &verifier));
            let (send, batches) = std::sync::mpsc::sync_channel(2);
            let store = parts.store.as_ref();
            // Reading, hashing and parsing run ahead of the rules, on another core.
            scope.spawn(move || {
                for from in (0..size).step_by(usize::try_from(BATCH).unwrap_or(1)) {
                    let batch = read_ahead(store, id, kind, from);
                    let failed = batch.is_err();
                    if send.send(batch).is_err() || failed {
                        break;
                    }
                }
            });
            let mut next = 0;
            for batch in batches {
                for Read { leaf, ahead, secret } in batch? {
                    if !secret && !ahead.record.hidden.is_empty() {
                        lost.push(next);
                    }
                    state.follow(id, ahead).map_err(|error| damaged(id, next, error))?;
                    frontier.push::<Sha256>(leaf);
                    leaves.push(leaf);
                    next += 1;
                    let remembered = signed.filter(|(signed, _)| *signed == next).map(|(_, root)| Hash(root));
                    for signed in published.get(&next).copied().into_iter().chain(remembered) {
                        let found = frontier.root::<Sha256>();
                        if found != signed {
                            return Err(AppError::Different { log: id.to_owned(), size: next, signed, found });
                        }
                    }
                }
                progress(next, size);
            }
            lost_secrets(id, &state, &lost)?;
            notes.join().unwrap_or_else(|_| Err(AppError::Other("the replay was interrupted".to_owned())))
        })?;
        let roots = checkpoints.iter().map(|c| (c.size, Hash(c.root))).collect();
        let image = Image { state: state.clone(), leaves, checkpoint: checkpoints.into_iter().last(), roots };
        let log = Log {
            id: id.to_owned(),
            kind: kind.to_owned(),
            store: parts.store,
            memory: parts.memory,
            clock: parts.clock,
            key: parts.key,
            image: RwLock::new(image),
            queue: Mutex::new(Vec::new()),
            working: Mutex::new(Working { state, frontier, stopped: None }),
            changed: parts.changed,
        };
        if parts.leads {
            log.recover(size)?;
        }
        Ok(log)
    }

    /// Signs and publishes what was durable but not yet signed or published when the process ended.
    fn recover(&self, size: u64) -> Result<()> {
        let published = self.image().checkpoint.as_ref().map_or(0, |c| c.size);
        if published == size {
            return Ok(());
        }
        let working = lock(&self.working);
        let root = working.frontier.root::<Sha256>();
        let checkpoint = self.publish(size, root)?;
        let mut image = self.image.write().unwrap_or_else(PoisonError::into_inner);
        image.roots.insert(size, root);
        image.checkpoint = Some(checkpoint);
        Ok(())
    }

    /// Name of the log.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// `office` or `edition`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The key that checks this log's checkpoints.
    pub fn verifier_key(&self) -> VerifierKey {
        self.key.verifier()
    }

    /// The image. Hold it briefly: a writer that wants to publish waits for readers.
    pub fn image(&self) -> RwLockReadGuard<'_, Image> {
        self.image.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest checkpoint as a signer's device sees it.
    pub fn anchor(&self) -> Anchor {
        match &self.image().checkpoint {
            Some(checkpoint) => Anchor { size: checkpoint.size, root: Hash(checkpoint.root) },
            None => Anchor { size: 0, root: Frontier::new().root::<Sha256>() },
        }
    }

    /// Writes one record. Returns when it is durable, signed and published.
    ///
    /// # Errors
    /// The refusal or the failure; nothing has changed then.
    pub fn submit(&self, draft: Draft) -> Result<Accepted> {
        let mut answers = self.submit_all(vec![draft]);
        answers.pop().unwrap_or_else(|| Err(AppError::Other("the writer gave no answer".to_owned())))
    }

    /// Writes several records in one pass; each is admitted or refused on its own.
    pub fn submit_all(&self, drafts: Vec<Draft>) -> Vec<Result<Accepted>> {
        let answers: Vec<Answer> = drafts.iter().map(|_| Answer::default()).collect();
        lock(&self.queue).extend(drafts.into_iter().zip(answers.iter().cloned()));
        // Whoever gets the lock first writes for everybody who waits; the others find their answers ready and leave
        // the queue to those who came meanwhile, so that batches stay large.
        let mut working = lock(&self.working);
        if answers.iter().any(|answer| lock(answer).is_none()) {
            let batch = std::mem::take(&mut *lock(&self.queue));
            self.write(&mut working, batch);
        }
        drop(working);
        answers
            .into_iter()
            .map(|answer| {
                let missing = || Err(AppError::Other("the writer gave no answer".to_owned()));
                lock(&answer).take().unwrap_or_else(missing)
            })
            .collect()
    }

    fn write(&self, working: &mut Working, batch: Vec<(Draft, Answer)>) {
        if let Some(detail) = &working.stopped {
            for (_, answer) in batch {
                *lock(&answer) = Some(Err(AppError::Stopped { log: self.id.clone(), detail: detail.clone() }));
            }
            return;
        }
        let first = working.state.position().0;
        let mut entries = Vec::new();
        let mut admitted: Vec<(Arc<Record>, Vec<Opening>, Answer)> = Vec::new();
        for (draft, answer) in batch {
            match self.admit(working, &draft) {
                Ok((record, openings, entry)) => {
                    entries.push(entry);
                    admitted.push((Arc::new(record), openings, answer));
                }
                Err(error) => *lock(&answer) = Some(Err(error)),
            }
        }
        if admitted.is_empty() {
            return;
        }
        match self.commit(working, first, &entries) {
            Ok((leaves, checkpoint)) => {
                let size = checkpoint.size;
                {
                    let mut image = self.image.write().unwrap_or_else(PoisonError::into_inner);
                    for (record, openings, _) in &admitted {
                        if let Err(error) = image.state.apply(&self.id, record, openings) {
                            working.stopped = Some(error.to_string());
                        }
                    }
                    image.leaves.extend(&leaves);
                    image.roots.insert(size, Hash(checkpoint.root));
                    image.checkpoint = Some(checkpoint);
                }
                for ((record, _, answer), leaf) in admitted.into_iter().zip(leaves) {
                    *lock(&answer) = Some(Ok(Accepted { record, leaf, size }));
                }
                (self.changed)(size);
            }
            Err(failure) => {
                // Before the append nothing is on disk: the working copy goes back to what everybody sees.
                let detail = failure.error.to_string();
                if failure.appended {
                    working.stopped = Some(detail.clone());
                } else {
                    working.state = self.image().state.clone();
                }
                tracing::error!(log = self.id, %detail, "a batch could not be written");
                let mut error = Some(failure.error);
                for (_, _, answer) in admitted {
                    let detail = detail.clone();
                    let each = error.take().unwrap_or(AppError::Stopped { log: self.id.clone(), detail });
                    *lock(&answer) = Some(Err(each));
                }
            }
        }
    }

    /// Admits one draft on the working copy and applies it there.
    fn admit(&self, working: &mut Working, draft: &Draft) -> Result<(Record, Vec<Opening>, Entry)> {
        let (seq, newest) = working.state.position();
        let now = self.clock.now();
        jump::watch(self.store.as_ref(), &self.id, newest, now);
        let record = draft.into_record(&self.id, seq, now)?;
        let bytes = record.to_bytes()?;
        {
            let image = self.image();
            for signature in &record.sigs {
                let known = match signature.at.size {
                    0 => signature.at.root == Frontier::new().root::<Sha256>(),
                    size => image.roots.get(&size) == Some(&signature.at.root),
                };
                if !known {
                    let (size, root) = (signature.at.size, signature.at.root);
                    return Err(AppError::UnknownAnchor { by: signature.by.clone(), size, root });
                }
            }
        }
        let openings = draft.hidden.as_ref().map(|hidden| hidden.openings(seq)).unwrap_or_default();
        let secret = draft.hidden.as_ref().map(Hidden::to_secret).transpose()?;
        working.state.admit(&self.id, &record, &openings)?;
        working.state.apply(&self.id, &record, &openings)?;
        Ok((record, openings, Entry { bytes, secret }))
    }

    /// Steps 2–6 of the write path.
    fn commit(
        &self,
        working: &mut Working,
        first: u64,
        entries: &[Entry],
    ) -> std::result::Result<(Vec<Hash>, StoredCheckpoint), Failure> {
        self.store
            .append(&self.id, first, entries)
            .map_err(|error| Failure { appended: !harmless(&error), error: error.into() })?;
        let after = |error: AppError| Failure { appended: true, error };
        let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        // A flipped bit between memory and disk must not be signed (the fate of Yeti 2022): sign what is stored.
        let stored = self.store.read(&self.id, first, count).map_err(|error| after(error.into()))?;
        if stored.len() != entries.len() || stored.iter().zip(entries).any(|(s, e)| *s != e.bytes) {
            return Err(after(damaged(&self.id, first, "what was read back is not what was written")));
        }
        let leaves: Vec<Hash> = stored.iter().map(|bytes| leaf_hash::<Sha256>(bytes)).collect();
        for leaf in &leaves {
            working.frontier.push::<Sha256>(*leaf);
        }
        let checkpoint = self.publish(first + count, working.frontier.root::<Sha256>()).map_err(after)?;
        Ok((leaves, checkpoint))
    }

    /// Signs a checkpoint, remembers it apart from the database, and publishes it.
    fn publish(&self, size: u64, root: Hash) -> Result<StoredCheckpoint> {
        let last = self.memory.last(&self.id)?;
        if last != Some((size, root.0)) {
            self.memory.advance(&self.id, last, (size, root.0))?;
        }
        let checkpoint = Checkpoint { origin: self.id.clone(), size, root };
        let note = sign_checkpoint(&checkpoint, &self.key).map_err(|error| AppError::Key(error.to_string()))?;
        let next = StoredCheckpoint { size, root: root.0, note: note.to_string() };
        let previous = self.image().checkpoint.as_ref().map(|c| (c.size, c.root));
        self.store.put_checkpoint(&self.id, previous, &next)?;
        Ok(next)
    }

    /// A record of the log.
    ///
    /// # Errors
    /// If there is none of this number.
    pub fn record(&self, seq: u64) -> Result<Record> {
        let bytes = self.store.read(&self.id, seq, 1)?.into_iter().next();
        let bytes = bytes.ok_or_else(|| AppError::Other(format!("{} has no record {seq}", self.id)))?;
        Record::parse(&bytes).map_err(|error| damaged(&self.id, seq, error))
    }

    /// All records of some kinds, oldest first.
    ///
    /// # Errors
    /// If the store fails.
    pub fn records_of(&self, kinds: &[&str]) -> Result<Vec<Record>> {
        let size = self.image().state.position().0;
        let mut out = Vec::new();
        let mut next = 0;
        while next < size {
            let batch = self.store.read(&self.id, next, 1024)?;
            if batch.is_empty() {
                break;
            }
            for bytes in batch {
                let record = Record::parse(&bytes).map_err(|error| damaged(&self.id, next, error))?;
                if kinds.contains(&record.kind.as_str()) {
                    out.push(record);
                }
                next += 1;
            }
        }
        Ok(out)
    }

    /// Notes it where the clock stands before the newest record.
    pub fn watch_clock(&self) {
        let newest = self.image().state.position().1;
        jump::watch(self.store.as_ref(), &self.id, newest, self.clock.now());
    }

    /// The receipt of a record: an offline proof that it is in the log (C2SP tlog-proof).
    ///
    /// # Errors
    /// If there is no such record.
    pub fn receipt(&self, seq: u64) -> Result<Receipt> {
        let image = self.image();
        let proof =
            inclusion_proof::<Sha256>(&image.leaves, seq).map_err(|error| AppError::Other(error.to_string()))?;
        let checkpoint = image.checkpoint.as_ref().map(|c| c.note.clone()).unwrap_or_default();
        Ok(Receipt { index: seq, proof, checkpoint, extra: None })
    }

    /// The newest signed checkpoint, and the proof that it holds the first `old_size` records unchanged: no proof where that
    /// is nothing, or all.
    ///
    /// # Errors
    /// If the log has not so many records.
    pub fn growth(&self, old_size: u64) -> Result<(String, Vec<Hash>)> {
        let image = self.image();
        let proof = match old_size {
            0 => Vec::new(),
            size => {
                consistency_proof::<Sha256>(&image.leaves, size).map_err(|error| AppError::Other(error.to_string()))?
            }
        };
        Ok((image.checkpoint.as_ref().map(|c| c.note.clone()).unwrap_or_default(), proof))
    }

    /// Destroys the hidden values of a record; call it after `privacy.erased` was accepted.
    ///
    /// # Errors
    /// If the store fails.
    pub fn erase(&self, seq: u64) -> Result<bool> {
        Ok(self.store.erase_secret(&self.id, seq)?)
    }
}

/// Records that are read at once in a replay.
const BATCH: u64 = 64;

/// A record as it was read ahead.
struct Read {
    leaf: Hash,
    ahead: Ahead,
    /// Its hidden values are there.
    secret: bool,
}

/// Reads the next records of a log as far as that can be done without the state.
fn read_ahead(store: &dyn Store, id: &str, kind: &str, from: u64) -> Result<Vec<Read>> {
    let batch = store.read(id, from, BATCH)?;
    if batch.is_empty() {
        return Err(damaged(id, from, "it is missing"));
    }
    let secrets: BTreeMap<u64, Vec<u8>> = store.secrets_from(id, from, BATCH)?.into_iter().collect();
    let read = |(seq, bytes): (u64, Vec<u8>)| {
        let record = Record::parse(&bytes).map_err(|error| damaged(id, seq, error))?;
        let openings = openings_of(seq, secrets.get(&seq)).map_err(|error| damaged(id, seq, error))?;
        let ahead = Ahead::of(kind, record, openings).map_err(|error| damaged(id, seq, error))?;
        Ok(Read { leaf: leaf_hash::<Sha256>(&bytes), ahead, secret: secrets.contains_key(&seq) })
    };
    (from..).zip(batch).map(read).collect()
}

/// Every published checkpoint is one that this log's key signed.
fn checkpoints_hold(id: &str, checkpoints: &[StoredCheckpoint], key: &VerifierKey) -> Result<()> {
    for checkpoint in checkpoints {
        let opened = open_checkpoint(&checkpoint.note, key);
        let same = opened.is_ok_and(|(c, _)| c.size == checkpoint.size && c.root.0 == checkpoint.root);
        if !same {
            let detail = format!("the stored checkpoint of {} records does not hold", checkpoint.size);
            return Err(damaged(id, checkpoint.size.saturating_sub(1), detail));
        }
    }
    Ok(())
}

/// A hidden value may only be missing where its erasure is recorded.
fn lost_secrets(id: &str, state: &LogState, missing: &[u64]) -> Result<()> {
    let erased = |seq: &&u64| state.edition().is_some_and(|e| e.erased.contains_key(seq));
    match missing.iter().find(|seq| !erased(seq)) {
        Some(seq) => Err(damaged(id, *seq, "its hidden values are gone and no erasure is recorded")),
        None => Ok(()),
    }
}

struct Failure {
    appended: bool,
    error: AppError,
}

/// Errors after which nothing has been written, so that work can go on once their cause is gone.
fn harmless(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::HeadMoved { .. } | StoreError::Full { .. } | StoreError::ReadOnly { .. } | StoreError::Busy { .. }
    )
}

fn damaged(log: &str, seq: u64, detail: impl ToString) -> AppError {
    AppError::Damaged { log: log.to_owned(), seq, detail: detail.to_string() }
}

/// The openings of a record's secret, as far as it has not been erased.
pub(crate) fn openings_of(seq: u64, secret: Option<&Vec<u8>>) -> std::result::Result<Vec<Opening>, String> {
    match secret {
        None => Ok(Vec::new()),
        Some(bytes) => Hidden::from_secret(bytes).map(|hidden| hidden.openings(seq)).map_err(|error| error.to_string()),
    }
}
