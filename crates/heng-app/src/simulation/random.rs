//! Reproducible numbers for invented actors. Draws of an edition never use this: they are DRAW-1.

use heng_log::sha256;

/// A counter hashed with a seed.
#[derive(Clone, Debug)]
pub struct Random {
    seed: u64,
    count: u64,
}

impl Random {
    /// Numbers of `seed`.
    pub fn new(seed: u64) -> Random {
        Random { seed, count: 0 }
    }

    /// 32 bytes.
    pub fn bytes(&mut self) -> [u8; 32] {
        self.count += 1;
        sha256(format!("heng/simulation/{}/{}", self.seed, self.count).as_bytes()).0
    }

    /// A number of `0..n` (0 for n = 0).
    pub fn below(&mut self, n: u64) -> u64 {
        let bytes = self.bytes();
        let word = bytes.iter().take(8).fold(0u64, |word, byte| word << 8 | u64::from(*byte));
        word.checked_rem(n).unwrap_or(0)
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}
