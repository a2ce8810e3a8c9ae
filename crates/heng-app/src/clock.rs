//! Where time and randomness come from: the only places outside the pure crates that ask the machine for them.

use std::sync::Mutex;

use heng_domain::time::Instant;
use heng_log::sha256;

/// A source of the current time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Instant;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        #[expect(clippy::disallowed_methods, reason = "this is the one source of time")]
        let millis = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .ok()
            .and_then(|d| i64::try_from(d.as_millis()).ok())
            .unwrap_or(0);
        Instant::from_millis(millis).unwrap_or_else(epoch)
    }
}

fn epoch() -> Instant {
    // Zero milliseconds can always be written.
    match Instant::from_millis(0) {
        Some(instant) => instant,
        None => unreachable!("1970 is a valid year"),
    }
}

/// A clock that is set by hand: simulations and tests.
#[derive(Debug)]
pub struct ManualClock(Mutex<Instant>);

impl ManualClock {
    /// A clock that stands at `instant`.
    pub fn at(instant: Instant) -> ManualClock {
        ManualClock(Mutex::new(instant))
    }

    /// Sets the clock; it may go backwards, as a real one may.
    pub fn set(&self, instant: Instant) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = instant;
    }

    /// Moves the clock on.
    pub fn advance_millis(&self, millis: i64) {
        let mut now = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(later) = now.plus_millis(millis) {
            *now = later;
        }
    }
}

/// The machine's clock, moved on: a demonstration lets its days pass. It never goes back.
#[derive(Debug, Default)]
pub struct ShiftedClock(std::sync::atomic::AtomicI64);

impl ShiftedClock {
    /// A clock that runs `millis` milliseconds ahead.
    pub fn ahead(millis: i64) -> ShiftedClock {
        ShiftedClock(std::sync::atomic::AtomicI64::new(millis.max(0)))
    }

    /// How far it runs ahead, in milliseconds.
    pub fn shift(&self) -> i64 {
        self.0.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// Sets how far it runs ahead, in milliseconds.
    pub fn set_ahead(&self, millis: i64) {
        self.0.store(millis.max(0), std::sync::atomic::Ordering::SeqCst);
    }

    /// Lets days pass.
    pub fn advance_days(&self, days: i64) {
        self.0.fetch_add(days.max(0).saturating_mul(86_400_000), std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Instant {
        let now = SystemClock.now();
        now.plus_millis(self.shift()).unwrap_or(now)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A source of random bytes.
pub trait Entropy: Send + Sync {
    /// 32 bytes that nobody can guess.
    ///
    /// # Errors
    /// If the machine gives none.
    fn bytes(&self) -> std::io::Result<[u8; 32]>;
}

/// The operating system's random bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn bytes(&self) -> std::io::Result<[u8; 32]> {
        let mut out = [0; 32];
        #[expect(clippy::disallowed_methods, reason = "this is the one source of randomness")]
        getrandom::fill(&mut out).map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(out)
    }
}

/// Reproducible bytes from a seed: simulations and tests, never an office.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    count: Mutex<u64>,
}

impl SeededEntropy {
    /// Bytes of `seed`.
    pub fn new(seed: u64) -> SeededEntropy {
        SeededEntropy { seed, count: Mutex::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn bytes(&self) -> std::io::Result<[u8; 32]> {
        let mut count = self.count.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *count += 1;
        Ok(sha256(format!("heng/seeded-entropy/{}/{}", self.seed, *count).as_bytes()).0)
    }
}
