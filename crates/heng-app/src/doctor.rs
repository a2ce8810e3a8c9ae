//! The doctor: looks at the data of an office and says what is wrong. Changes nothing.

use std::sync::Arc;

use heng_domain::record::Record;
use heng_domain::replay::LogState;
use heng_log::tree::{Frontier, leaf_hash};
use heng_log::{Hash, Sha256};
use heng_store::{DataKey, PostgresStore, SignerMemory, SqliteStore, Store};

use crate::error::{AppError, Result};
use crate::heng::Place;
use crate::log::openings_of;

/// What the doctor found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// What is right.
    pub sound: Vec<String>,
    /// What is wrong, each with what to do.
    pub wrong: Vec<String>,
}

/// Examines an office.
///
/// # Errors
/// If the data cannot be opened at all.
pub fn examine(place: &Place) -> Result<Findings> {
    let mut found = Findings::default();
    let folder = match place {
        Place::Folder(folder) => folder,
        Place::Postgres { keys, .. } => keys,
    };
    if !folder.join("data.key").exists() {
        return Err(AppError::Other(format!("{} holds no office (there is no data.key)", folder.display())));
    }
    let key = DataKey::load_or_create(&folder.join("data.key"))?;
    let store: Arc<dyn Store> = match place {
        Place::Folder(folder) => Arc::new(SqliteStore::open_read_only(folder, key)?),
        Place::Postgres { url, .. } => Arc::new(PostgresStore::connect(url, key)?),
    };
    let memory = SignerMemory::open_read_only(&folder.join("signer.sqlite"))?;
    let gaps = store.integrity()?;
    if gaps.is_empty() {
        found.sound.push(format!("{}: the engine's own check is clean", store.engine()));
    }
    found.wrong.extend(gaps);
    for info in store.logs()? {
        examine_log(store.as_ref(), &memory, &info.id, &info.kind, info.size, &mut found)?;
    }
    Ok(found)
}

fn examine_log(
    store: &dyn Store,
    memory: &SignerMemory,
    id: &str,
    kind: &str,
    size: u64,
    found: &mut Findings,
) -> Result<()> {
    let Some(mut state) = LogState::empty(kind) else {
        found.wrong.push(format!("{id}: this version does not know logs of kind {kind}; use a newer program"));
        return Ok(());
    };
    let before = found.wrong.len();
    let checkpoints = store.checkpoints(id)?;
    let mut frontier = Frontier::new();
    let mut due = checkpoints.iter().peekable();
    let mut signed = memory.last(id)?;
    for seq in 0..size {
        let Some(bytes) = store.read(id, seq, 1)?.pop() else {
            found.wrong.push(format!("{id}: record {seq} is missing; put the newest sound backup back"));
            break;
        };
        frontier.push::<Sha256>(leaf_hash::<Sha256>(&bytes));
        let secret = match store.secret(id, seq) {
            Ok(secret) => secret,
            Err(error) => {
                found.wrong.push(format!("{id}: record {seq}: {error}"));
                None
            }
        };
        match Record::parse(&bytes) {
            Err(error) => {
                found.wrong.push(format!("{id}: record {seq} is damaged: {error}; put the newest sound backup back"))
            }
            Ok(record) => {
                let openings = openings_of(seq, secret.as_ref()).unwrap_or_default();
                let verdict = state.admit(id, &record, &openings);
                // Applied all the same, so that each later fault shows on its own.
                let applied = state.apply(id, &record, &openings);
                if let Err(refusal) = verdict.and(applied) {
                    found.wrong.push(format!("{id}: record {seq} would be refused: {refusal} [{}]", refusal.code));
                }
            }
        }
        while let Some(checkpoint) = due.next_if(|c| c.size == seq + 1) {
            if Hash(checkpoint.root) != frontier.root::<Sha256>() {
                found.wrong.push(format!("{id}: the first {} records give another root than checkpoint {} says; one of them was changed after it was signed", seq + 1, checkpoint.size));
            }
        }
        if let Some((_, root)) = signed.filter(|(signed, _)| *signed == seq + 1) {
            if Hash(root) != frontier.root::<Sha256>() {
                found.wrong.push(format!(
                    "{id}: the signer remembers another root for {} records; the database was changed or replaced",
                    seq + 1
                ));
            }
            signed = None;
        }
    }
    if let Some((signed, _)) = signed {
        found.wrong.push(format!("{id}: {size} records are stored, {signed} were signed; the database was rolled back. Put the newest one back"));
    }
    if found.wrong.len() == before {
        found.sound.push(format!("{id}: {size} records replay and give every signed root"));
    }
    Ok(())
}
