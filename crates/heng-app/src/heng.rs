//! The office at work: all logs of one installation.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use heng_domain::edition::{Edition, Thing};
use heng_domain::replay::LogState;
use heng_store::{DataKey, PostgresStore, SignerMemory, SqliteStore, Store};

use crate::clock::{Clock, Entropy};
use crate::error::{AppError, Result};
use crate::keys::OfficeKey;
use crate::log::{Log, Parts};

/// Where an office keeps its data.
#[derive(Clone, Debug)]
pub enum Place {
    /// A folder with SQLite and the keys.
    Folder(PathBuf),
    /// A PostgreSQL database, and a folder for the keys and the signer's memory.
    Postgres {
        /// `postgres://…`
        url: String,
        /// Folder of the keys.
        keys: PathBuf,
    },
}

impl Place {
    fn keys(&self) -> &Path {
        match self {
            Place::Folder(folder) => folder,
            Place::Postgres { keys, .. } => keys,
        }
    }
}

type Listener = Arc<dyn Fn(&str, u64) + Send + Sync>;

/// Locks that operational rows share: enough that two people seldom wait for each other.
const TURNS: usize = 64;

thread_local! {
    /// Whether this thread has its turn at a row.
    static HOLDS: Cell<bool> = const { Cell::new(false) };
}

/// A turn at an operational row; it ends when it is dropped.
pub struct Turn<'a> {
    _guard: MutexGuard<'a, ()>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        HOLDS.set(false);
    }
}

/// One installation.
pub struct Heng {
    store: Arc<dyn Store>,
    memory: Arc<SignerMemory>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    key: OfficeKey,
    leads: bool,
    logs: RwLock<BTreeMap<String, Arc<Log>>>,
    listeners: Arc<RwLock<Vec<Listener>>>,
    turns: [Mutex<()>; TURNS],
}

impl Heng {
    /// Opens an office, replays and checks every log. `progress` gets log, done and all.
    ///
    /// # Errors
    /// If the data cannot be opened, are held by another server, or contradict what was signed.
    pub fn open(
        place: &Place,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        progress: &dyn Fn(&str, u64, u64),
    ) -> Result<Heng> {
        let folder = place.keys();
        std::fs::create_dir_all(folder)
            .map_err(|source| AppError::Io { what: format!("cannot make the folder {}", folder.display()), source })?;
        let data_key = DataKey::load_or_create(&folder.join("data.key"))?;
        let store: Arc<dyn Store> = match place {
            Place::Folder(folder) => Arc::new(SqliteStore::open(folder, data_key)?),
            Place::Postgres { url, .. } => Arc::new(PostgresStore::connect(url, data_key)?),
        };
        // A new key for logs that exist would sign another history: the old file must come back first.
        let path = folder.join("log.key");
        let key = if store.logs()?.is_empty() {
            OfficeKey::load_or_create(&path, entropy.as_ref())?
        } else {
            OfficeKey::load(&path)?
        };
        let memory = SignerMemory::open(&folder.join("signer.sqlite"))?;
        Heng::with(store, memory, key, clock, entropy, progress)
    }

    /// Opens an office for reading, also while a server runs. What is written to it fails.
    ///
    /// # Errors
    /// As [`Heng::open`].
    pub fn read_only(place: &Place, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Result<Heng> {
        let folder = place.keys();
        if !folder.join("data.key").exists() {
            return Err(AppError::Other(format!("{} holds no office", folder.display())));
        }
        let data_key = DataKey::load_or_create(&folder.join("data.key"))?;
        let store: Arc<dyn Store> = match place {
            Place::Folder(folder) => Arc::new(SqliteStore::open_read_only(folder, data_key)?),
            Place::Postgres { url, .. } => Arc::new(PostgresStore::connect(url, data_key)?),
        };
        let key = OfficeKey::load(&folder.join("log.key"))?;
        let memory = SignerMemory::open_read_only(&folder.join("signer.sqlite"))?;
        Heng::build(store, memory, key, clock, entropy, false, &|_, _, _| {})
    }

    /// An office in memory: simulations and tests.
    ///
    /// # Errors
    /// If SQLite cannot be started.
    pub fn in_memory(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Result<Heng> {
        let bytes = || entropy.bytes().map_err(|source| AppError::Io { what: "no random bytes".to_owned(), source });
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory(DataKey::from_bytes(bytes()?))?);
        let key = OfficeKey::from_bytes(bytes()?);
        Heng::with(store, SignerMemory::in_memory()?, key, clock, entropy, &|_, _, _| {})
    }

    /// An office over a store that is already open.
    ///
    /// # Errors
    /// As [`Heng::open`].
    pub fn with(
        store: Arc<dyn Store>,
        memory: SignerMemory,
        key: OfficeKey,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        progress: &dyn Fn(&str, u64, u64),
    ) -> Result<Heng> {
        Heng::build(store, memory, key, clock, entropy, true, progress)
    }

    fn build(
        store: Arc<dyn Store>,
        memory: SignerMemory,
        key: OfficeKey,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        leads: bool,
        progress: &dyn Fn(&str, u64, u64),
    ) -> Result<Heng> {
        let heng = Heng {
            store,
            memory: Arc::new(memory),
            clock,
            entropy,
            key,
            leads,
            logs: RwLock::new(BTreeMap::new()),
            listeners: Arc::default(),
            turns: std::array::from_fn(|_| Mutex::default()),
        };
        let stored = heng.store.logs()?;
        // A database that vanished is a rolled-back one: the signer remembers what it held.
        for (log, (signed, _)) in heng.memory.logs()? {
            if !stored.iter().any(|info| info.id == log) {
                return Err(AppError::RolledBack { log, stored: 0, signed });
            }
        }
        for info in stored {
            heng.open_log(&info.id, &info.kind, &|done, all| progress(&info.id, done, all))?;
        }
        Ok(heng)
    }

    fn open_log(&self, id: &str, kind: &str, progress: &dyn Fn(u64, u64)) -> Result<Arc<Log>> {
        let listeners = Arc::clone(&self.listeners);
        let name = id.to_owned();
        let parts = Parts {
            store: Arc::clone(&self.store),
            memory: Arc::clone(&self.memory),
            clock: Arc::clone(&self.clock),
            key: self.key.signer(id)?,
            leads: self.leads,
            changed: Box::new(move |size| {
                for listener in listeners.read().unwrap_or_else(PoisonError::into_inner).iter() {
                    listener(&name, size);
                }
            }),
        };
        let log = Arc::new(Log::open(id, kind, parts, progress)?);
        self.logs.write().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), Arc::clone(&log));
        Ok(log)
    }

    /// Makes a new, empty log.
    ///
    /// # Errors
    /// If there is one of this name already.
    pub fn create_log(&self, id: &str, kind: &str) -> Result<Arc<Log>> {
        self.store.create_log(id, kind)?;
        self.open_log(id, kind, &|_, _| {})
    }

    /// Calls `listener` with log and size after every published batch.
    pub fn listen(&self, listener: impl Fn(&str, u64) + Send + Sync + 'static) {
        self.listeners.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(listener));
    }

    /// The log called `id`.
    ///
    /// # Errors
    /// If there is none.
    pub fn log(&self, id: &str) -> Result<Arc<Log>> {
        self.logs
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .cloned()
            .ok_or_else(|| AppError::UnknownLog(id.to_owned()))
    }

    /// All logs by name.
    pub fn logs(&self) -> Vec<Arc<Log>> {
        self.logs.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Minutes from UTC of the office's clock; 0 before the office is founded.
    pub fn utc_offset_minutes(&self) -> i32 {
        let log = self.office_log();
        log.and_then(|log| log.image().state.office().map(|o| o.founded.utc_offset_minutes)).unwrap_or(0)
    }

    /// The office log, once the office is founded.
    pub fn office_log(&self) -> Option<Arc<Log>> {
        self.logs().into_iter().find(|log| log.kind() == "office")
    }

    /// Logs of editions, newest year first.
    pub fn editions(&self) -> Vec<Arc<Log>> {
        let mut out: Vec<(u32, Arc<Log>)> = self
            .logs()
            .into_iter()
            .filter_map(|log| {
                let year = match &log.image().state {
                    LogState::Edition(Some(edition)) => edition.opened.year,
                    _ => return None,
                };
                Some((year, log))
            })
            .collect();
        out.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.id().cmp(b.1.id())));
        out.into_iter().map(|(_, log)| log).collect()
    }

    /// The newest published edition: the newest finished one, else the newest whose winners are on notice.
    pub fn newest_published(&self) -> Option<Arc<Log>> {
        let editions = self.editions();
        let find = |wanted: fn(&Edition) -> bool| {
            editions.iter().find(|log| log.image().state.edition().is_some_and(wanted)).cloned()
        };
        find(|e| e.closed && e.public_may_see(Thing::Records)).or_else(|| find(|e| e.public_may_see(Thing::Records)))
    }

    /// Finds an edition by the name of its log or the end of it (`2025`).
    ///
    /// # Errors
    /// If there is none.
    pub fn find_edition(&self, name: &str) -> Result<Arc<Log>> {
        let suffix = format!("/{name}");
        self.editions()
            .into_iter()
            .find(|log| log.id() == name || log.id().ends_with(&suffix))
            .ok_or_else(|| AppError::UnknownLog(name.to_owned()))
    }

    /// A turn at the operational row `key`: whoever reads and then writes it holds this meanwhile.
    ///
    /// Nobody may hold two: rows share their places, so the second could wait for the first for ever.
    pub fn turn(&self, key: &str) -> Turn<'_> {
        debug_assert!(!HOLDS.get(), "a turn within a turn, at {key}");
        let sum = key.bytes().fold(0usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
        let guard = self.turns[sum % TURNS].lock().unwrap_or_else(PoisonError::into_inner);
        HOLDS.set(true);
        Turn { _guard: guard }
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The source of random bytes.
    pub fn entropy(&self) -> &Arc<dyn Entropy> {
        &self.entropy
    }

    /// 32 random bytes.
    ///
    /// # Errors
    /// If the machine gives none.
    pub fn random(&self) -> Result<[u8; 32]> {
        self.entropy.bytes().map_err(|source| AppError::Io { what: "no random bytes".to_owned(), source })
    }
}
