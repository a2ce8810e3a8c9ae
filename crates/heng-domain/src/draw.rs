//! DRAW-1: a draw that anyone can recompute (verifiability.md §3.2).
//!
//! The pool is frozen and published first, then the plan with commitments to secrets and named future
//! public events; the seed comes from both; rejection sampling and a partial Fisher–Yates do the rest.

use heng_log::canonical;
use heng_log::{Hash, TreeHash};
use serde::{Deserialize, Serialize};

/// A public event that the plan names before it happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Which drawing or day.
    pub period: String,
    /// Which event, e.g. `welfare-lottery-ssq`.
    pub source: String,
}

/// A public event with its published value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceValue {
    /// Which drawing or day.
    pub period: String,
    /// Which event.
    pub source: String,
    /// The value as published.
    pub value: String,
}

/// The one way to write a published value, so that nobody can choose among drawings by choosing a spelling: its numbers in
/// their order, with their signs and fractions but without leading zeros, joined by commas. `None` without any number.
///
/// `03、09、14 | 07` and `3,9,14,7` are the same value; full-width digits are digits.
pub fn canonical_value(value: &str) -> Option<String> {
    let narrow = |c: char| match c {
        '０'..='９' | '．' => u32::from(c).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(c),
        c => c,
    };
    let text: String = value.chars().map(narrow).collect();
    let numbers = text.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    let number = |word: &str| {
        let word = word.trim_end_matches('.');
        let (whole, fraction) = word.split_once('.').unwrap_or((word, ""));
        let whole = Some(whole.trim_start_matches('0')).filter(|digits| !digits.is_empty()).unwrap_or("0");
        if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
    };
    let numbers: Vec<String> = numbers.filter(|word| word.bytes().any(|b| b.is_ascii_digit())).map(number).collect();
    if numbers.is_empty() { None } else { Some(numbers.join(",")) }
}

/// A part of the pool, by 1-based positions in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stratum {
    /// First position.
    pub from: u64,
    /// Name.
    pub id: String,
    /// How many are drawn.
    pub take: u64,
    /// Last position.
    pub to: u64,
}

/// The plan of a draw, as hashed. `commit` is one hash or a list of them, one for each secret in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Hash of each 32-byte secret.
    pub commit: Commit,
    /// Hash of the pool: lines joined by `\n`, no final newline.
    pub pool_sha256: String,
    /// Number of lines.
    pub pool_size: u64,
    /// What is drawn.
    pub purpose: String,
    /// Reserves of each stratum, in order.
    pub reserves: u64,
    /// Public events in order.
    pub sources: Vec<Source>,
    /// Parts of the pool in order.
    pub strata: Vec<Stratum>,
    /// Version: 1.
    pub v: u32,
    /// Year of the edition.
    pub year: u32,
}

/// One commitment, or one for each holder of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Commit {
    /// A single secret.
    One(Hash),
    /// Several, in order.
    Many(Vec<Hash>),
}

impl Commit {
    /// The commitments in order.
    pub fn list(&self) -> &[Hash] {
        match self {
            Commit::One(hash) => std::slice::from_ref(hash),
            Commit::Many(list) => list,
        }
    }
}

/// What one stratum yields: positions in the pool, 1-based.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drawn {
    /// Name of the stratum.
    pub id: String,
    /// Reserves, in the order in which they step in.
    pub reserve: Vec<u64>,
    /// The drawn.
    pub taken: Vec<u64>,
}

/// Why a plan cannot be drawn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DrawError {
    /// A stratum lies outside the pool or is turned round.
    #[error("stratum {0} does not lie inside the pool")]
    Range(String),
    /// Fewer candidates than draws and reserves.
    #[error("stratum {id} has {have} candidates, {need} are needed with reserves")]
    TooFew {
        /// Stratum.
        id: String,
        /// Candidates.
        have: u64,
        /// Draws and reserves.
        need: u64,
    },
    /// Strata overlap.
    #[error("strata must be in order and must not overlap")]
    Overlap,
    /// A secret does not hash to its commitment, or their number differs.
    #[error("secret {0} does not match its commitment")]
    Secret(usize),
    /// The values are not those of the plan's sources in the plan's order.
    #[error("the values are not those of the named sources in order")]
    Sources,
    /// The plan cannot be written as a canonical record.
    #[error("the plan is not canonical: {0}")]
    Form(String),
}

/// `H(p1, …, pn) = hash(u64be(|p1|) ‖ p1 ‖ … ‖ u64be(|pn|) ‖ pn)`.
fn framed<H: TreeHash>(parts: &[&[u8]]) -> Hash {
    let lengths: Vec<[u8; 8]> = parts.iter().map(|part| (part.len() as u64).to_be_bytes()).collect();
    let pieces: Vec<&[u8]> = lengths.iter().zip(parts).flat_map(|(length, part)| [length.as_slice(), part]).collect();
    H::digest(&pieces)
}

/// Hash of a pool: its lines, already sorted, joined by `\n`.
pub fn pool_hash<H: TreeHash>(lines: &[String]) -> Hash {
    H::digest(&[lines.join("\n").as_bytes()])
}

/// Hash of a secret: what the plan commits to.
pub fn secret_hash<H: TreeHash>(secret: &[u8; 32]) -> Hash {
    H::digest(&[secret])
}

impl Plan {
    fn canonical(&self) -> Result<Vec<u8>, DrawError> {
        let value = serde_json::to_value(self).map_err(|error| DrawError::Form(error.to_string()))?;
        canonical::to_bytes(&value).map_err(|error| DrawError::Form(error.to_string()))
    }

    /// Hash of the plan's canonical form.
    pub fn hash<H: TreeHash>(&self) -> Result<Hash, DrawError> {
        Ok(H::digest(&[&self.canonical()?]))
    }

    /// Checks that the strata lie in the pool in order and hold enough candidates: never a silent short draw.
    pub fn check(&self) -> Result<(), DrawError> {
        let mut last = 0;
        for stratum in &self.strata {
            if stratum.from == 0 || stratum.to < stratum.from || stratum.to > self.pool_size {
                return Err(DrawError::Range(stratum.id.clone()));
            }
            if stratum.from <= last {
                return Err(DrawError::Overlap);
            }
            last = stratum.to;
            let have = stratum.to - stratum.from + 1;
            let need = stratum.take.saturating_add(self.reserves);
            if stratum.take == 0 || need > have {
                return Err(DrawError::TooFew { id: stratum.id.clone(), have, need });
            }
        }
        Ok(())
    }
}

/// The seed of a draw.
pub fn seed<H: TreeHash>(plan: &Plan, secrets: &[[u8; 32]], values: &[SourceValue]) -> Result<Hash, DrawError> {
    let commits = plan.commit.list();
    if commits.len() != secrets.len() {
        return Err(DrawError::Secret(commits.len().min(secrets.len()) + 1));
    }
    if let Some(wrong) = secrets.iter().zip(commits).position(|(secret, commit)| secret_hash::<H>(secret) != *commit) {
        return Err(DrawError::Secret(wrong + 1));
    }
    let named = values.len() == plan.sources.len()
        && values.iter().zip(&plan.sources).all(|(v, s)| v.source == s.source && v.period == s.period);
    if !named {
        return Err(DrawError::Sources);
    }
    let value = serde_json::to_value(values).map_err(|error| DrawError::Form(error.to_string()))?;
    let values = canonical::to_bytes(&value).map_err(|error| DrawError::Form(error.to_string()))?;
    let plan_hash = plan.hash::<H>()?;
    Ok(framed::<H>(&[b"award/draw-1/seed", plan_hash.as_bytes(), &secrets.concat(), &values]))
}

/// The stream of words that a seed gives.
struct Words {
    seed: Hash,
    block: u64,
    queue: Vec<u64>,
}

impl Words {
    fn next<H: TreeHash>(&mut self) -> u64 {
        loop {
            if let Some(word) = self.queue.pop() {
                return word;
            }
            let block = framed::<H>(&[b"award/draw-1/block", self.seed.as_bytes(), &self.block.to_be_bytes()]);
            self.block += 1;
            self.queue = block
                .as_bytes()
                .chunks_exact(8)
                .map(|chunk| chunk.iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte)))
                .rev()
                .collect();
        }
    }

    /// A number of `0..n` without bias: words above the greatest multiple of `n` are thrown away.
    fn uniform<H: TreeHash>(&mut self, n: u64) -> u64 {
        let lim = (1u128 << 64) - (1u128 << 64) % u128::from(n);
        loop {
            let word = self.next::<H>();
            if u128::from(word) < lim {
                return word % n;
            }
        }
    }
}

/// Draws all strata of the plan from one stream.
pub fn draw<H: TreeHash>(plan: &Plan, secrets: &[[u8; 32]], values: &[SourceValue]) -> Result<Vec<Drawn>, DrawError> {
    plan.check()?;
    let mut words = Words { seed: seed::<H>(plan, secrets, values)?, block: 0, queue: Vec::new() };
    let mut out = Vec::new();
    for stratum in &plan.strata {
        let mut places: Vec<u64> = (stratum.from..=stratum.to).collect();
        let k = stratum.take + plan.reserves;
        for i in 0..k {
            let j = i + words.uniform::<H>(places.len() as u64 - i);
            if let (Ok(i), Ok(j)) = (usize::try_from(i), usize::try_from(j)) {
                places.swap(i, j);
            }
        }
        places.truncate(usize::try_from(k).unwrap_or(usize::MAX));
        let reserve = places.split_off(usize::try_from(stratum.take).unwrap_or(usize::MAX).min(places.len()));
        out.push(Drawn { id: stratum.id.clone(), reserve, taken: places });
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use heng_log::Sha256;

    fn vector() -> (Plan, Vec<SourceValue>) {
        let plan = r#"{"commit":"02d449a31fbb267c8f352e9968a79e3e5fc95c1bbeaa502fd6454ebde5a4bedc","pool_sha256":"f22051ec77cc9482aef7c4e9d9d7e69cc35cee8c076097579574a44656469cb0","pool_size":40,"purpose":"expert-draw","reserves":2,"sources":[{"period":"2026136","source":"welfare-lottery-ssq"},{"period":"2026-11-26","source":"sse-composite-close"}],"strata":[{"from":1,"id":"manufacturing","take":5,"to":24},{"from":25,"id":"service","take":3,"to":40}],"v":1,"year":2026}"#;
        let values = r#"[{"period":"2026136","source":"welfare-lottery-ssq","value":"03,07,11,18,22,31|09"},{"period":"2026-11-26","source":"sse-composite-close","value":"3456.78"}]"#;
        (serde_json::from_str(plan).unwrap(), serde_json::from_str(values).unwrap())
    }

    /// The published vector of verifiability.md §3.3.
    #[test]
    fn a_published_value_has_one_spelling() {
        let ssq = [
            "03,09,14,21,26,30|07",
            " 3, 9,14,21,26,30 | 7 ",
            "红球 03、09、14、21、26、30 蓝球 07",
            "０３，０９，１４，２１，２６，３０｜０７",
        ];
        for text in ssq {
            assert_eq!(canonical_value(text).as_deref(), Some("3,9,14,21,26,30,7"), "{text}");
        }
        assert_eq!(canonical_value("3456.78 点").as_deref(), Some("3456.78"));
        assert_eq!(canonical_value("0.50").as_deref(), Some("0.50"));
        assert_eq!(canonical_value("007.").as_deref(), Some("7"));
        assert_eq!(canonical_value("000").as_deref(), Some("0"));
        for nothing in ["", "—", "not yet", "."] {
            assert_eq!(canonical_value(nothing), None, "{nothing}");
        }
        assert_ne!(canonical_value("3,9,14"), canonical_value("3,9,41"), "other numbers are another value");
    }

    #[test]
    fn published_vector() {
        let (plan, values) = vector();
        let lines: Vec<String> = (1..=40).map(|i| format!("x:{i:04}")).collect();
        assert_eq!(pool_hash::<Sha256>(&lines).to_string(), plan.pool_sha256);
        assert_eq!(
            plan.hash::<Sha256>().unwrap().to_string(),
            "21c4434e1f04cf97110a96f149ac6b4932eb67824fb4e172857697cbd897bdf1"
        );
        let secrets = [[0x11; 32]];
        assert_eq!(
            seed::<Sha256>(&plan, &secrets, &values).unwrap().to_string(),
            "9af9a157b3be85e5d400785e59e7003aa893843275b08889160d29dda448a64a"
        );
        let drawn = draw::<Sha256>(&plan, &secrets, &values).unwrap();
        assert_eq!(drawn[0].taken, [10, 9, 14, 19, 24]);
        assert_eq!(drawn[0].reserve, [21, 20]);
        assert_eq!(drawn[1].taken, [29, 32, 37]);
        assert_eq!(drawn[1].reserve, [25, 40]);
    }

    #[test]
    fn another_line_field_value_or_secret_is_another_seed() {
        let (plan, values) = vector();
        let secrets = [[0x11; 32]];
        let right = seed::<Sha256>(&plan, &secrets, &values).unwrap();
        let mut other = plan.clone();
        other.year = 2027;
        assert_ne!(seed::<Sha256>(&other, &secrets, &values).unwrap(), right);
        let mut changed = values.clone();
        changed[0].value = "03,07,11,18,22,31|10".into();
        assert_ne!(seed::<Sha256>(&plan, &secrets, &changed).unwrap(), right);
        assert_eq!(seed::<Sha256>(&plan, &[[0x12; 32]], &values), Err(DrawError::Secret(1)));
        changed.swap(0, 1);
        assert_eq!(seed::<Sha256>(&plan, &secrets, &changed), Err(DrawError::Sources));
    }

    #[test]
    fn too_few_candidates_are_refused() {
        let (mut plan, _) = vector();
        plan.reserves = 20;
        assert!(matches!(plan.check(), Err(DrawError::TooFew { have: 24, need: 25, .. })));
    }

    /// 20,000 draws of 5 from 24 hit every place equally often: χ² with 23 degrees of freedom below 49.7 (p > 0.001).
    #[test]
    fn draws_are_uniform() {
        let (mut plan, values) = vector();
        plan.strata.truncate(1);
        let mut hits = [0u64; 24];
        for i in 0..20_000u32 {
            plan.year = i;
            for place in draw::<Sha256>(&plan, &[[0x11; 32]], &values).unwrap().remove(0).taken {
                hits[usize::try_from(place).unwrap() - 1] += 1;
            }
        }
        // Σ (h − 100000/24)² ÷ (100000/24) < 49.7, in integers: Σ (24h − 100000)² < 49.7 × 24 × 100000
        let sum: i64 = hits.iter().map(|h| (24 * i64::try_from(*h).unwrap() - 100_000).pow(2)).sum();
        assert!(sum < 119_280_000, "{hits:?}");
    }
}
