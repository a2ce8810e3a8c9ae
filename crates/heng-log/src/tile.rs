//! Tiles and entry bundles (C2SP tlog-tiles): static files from which everybody can rebuild the tree.

use crate::hash::{Hash, TreeHash};
use crate::tree::root;

/// Hashes of one tile, and records of one entry bundle.
pub const TILE: u64 = 256;
/// The same for lists in memory.
const BUNDLE: usize = 256;

/// A tile that cannot be made or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// No such tile in a tree of this size.
    #[error("a tree of {size} has no tile {index} at level {level}")]
    Range {
        /// Level.
        level: u8,
        /// Index.
        index: u64,
        /// Size of the tree.
        size: u64,
    },
    /// A record is longer than 65,535 bytes.
    #[error("a record of {0} bytes does not fit an entry bundle")]
    TooLong(usize),
    /// A bundle has more than 256 records.
    #[error("an entry bundle has at most 256 records")]
    TooMany,
    /// A bundle ends in the middle of a record.
    #[error("the entry bundle ends in the middle of a record (at byte {0})")]
    Cut(usize),
    /// Not a path of a tile.
    #[error("{0:?} is not the path of a tile")]
    Path(String),
}

/// `N` in groups of three digits, all but the last with an `x`.
fn number(index: u64) -> String {
    let mut groups = vec![format!("{:03}", index % 1000)];
    let mut rest = index / 1000;
    while rest > 0 {
        groups.push(format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    groups.reverse();
    groups.join("/")
}

fn suffix(width: u16) -> String {
    if u64::from(width) == TILE { String::new() } else { format!(".p/{width}") }
}

/// Path of a hash tile: `tile/<L>/<N>[.p/<W>]`; `width` is 1–256, and 256 a full tile.
pub fn tile_path(level: u8, index: u64, width: u16) -> String {
    format!("tile/{level}/{}{}", number(index), suffix(width))
}

/// Path of an entry bundle: `tile/entries/<N>[.p/<W>]`; `width` is 1–256, and 256 a full bundle.
pub fn entries_path(index: u64, width: u16) -> String {
    format!("tile/entries/{}{}", number(index), suffix(width))
}

/// Greatest level of a tile.
const MAX_LEVEL: u8 = 63;

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TilePath {
    /// Level of a hash tile, 0–63; `None` for entries.
    pub level: Option<u8>,
    /// Index.
    pub index: u64,
    /// Width, 1–256.
    pub width: u16,
}

/// Reads a path made by [`tile_path`] or [`entries_path`].
///
/// # Errors
/// [`TileError::Path`] for every other spelling.
pub fn parse_tile_path(path: &str) -> Result<TilePath, TileError> {
    let error = || TileError::Path(path.to_owned());
    let rest = path.strip_prefix("tile/").ok_or_else(error)?;
    let (level, rest) = rest.split_once('/').ok_or_else(error)?;
    let (index, width) = match rest.split_once(".p/") {
        Some((index, width)) => (index, width.parse::<u16>().map_err(|_| error())?),
        None => (rest, 256),
    };
    let mut n: u64 = 0;
    for group in index.split('/') {
        let digits: u64 = group.trim_start_matches('x').parse().map_err(|_| error())?;
        n = n.checked_mul(1000).and_then(|n| n.checked_add(digits)).ok_or_else(error)?;
    }
    let level = if level == "entries" { None } else { Some(level.parse::<u8>().map_err(|_| error())?) };
    let found = TilePath { level, index: n, width };
    let written = match level {
        Some(level) => tile_path(level, n, width),
        None => entries_path(n, width),
    };
    // Written again and compared, so that a tile has one path only.
    let right = written == path && (1..=256).contains(&width) && level.is_none_or(|level| level <= MAX_LEVEL);
    if right { Ok(found) } else { Err(error()) }
}

/// Leaves under one hash of `level`: 256^level.
fn span(level: u8) -> Option<u64> {
    TILE.checked_pow(u32::from(level))
}

/// Bytes of a hash tile, whole or partial, of the tree of all `leaves`: 32 bytes for each of its 1–256 hashes.
///
/// # Errors
/// [`TileError::Range`] if the tree has no such tile.
pub fn hash_tile<H: TreeHash>(leaves: &[Hash], level: u8, index: u64) -> Result<Vec<u8>, TileError> {
    let size = leaves.len() as u64;
    let range = || TileError::Range { level, index, size };
    let span = span(level).ok_or_else(range)?;
    let first = index.checked_mul(TILE).ok_or_else(range)?;
    let complete = size / span;
    let last = complete.min(first.saturating_add(TILE));
    if first >= last {
        return Err(range());
    }
    let mut out = Vec::new();
    for node in first..last {
        let from = usize::try_from(node * span).map_err(|_| range())?;
        let to = usize::try_from((node + 1) * span).map_err(|_| range())?;
        let below = leaves.get(from..to).ok_or_else(range)?;
        out.extend(if level == 0 { below.first().copied().unwrap_or_default() } else { root::<H>(below) }.0);
    }
    Ok(out)
}

/// All hash tiles of a tree: level, index, width; the last of a level may be partial.
///
/// One item for every 256 leaves: ask for sizes of trees whose leaves are at hand, never for one that only a file claims.
pub fn tiles_of(size: u64) -> Vec<(u8, u64, u16)> {
    let mut out = Vec::new();
    for level in 0..8 {
        let Some(complete) = span(level).map(|span| size / span) else {
            break;
        };
        if complete == 0 {
            break;
        }
        for index in 0..complete / TILE {
            out.push((level, index, 256));
        }
        if let Ok(width @ 1..) = u16::try_from(complete % TILE) {
            out.push((level, complete / TILE, width));
        }
    }
    out
}

/// An entry bundle: each record with its length in two bytes, big-endian, before it.
///
/// # Errors
/// [`TileError::TooLong`] for a record, [`TileError::TooMany`] for the bundle.
pub fn encode_entries(entries: &[&[u8]]) -> Result<Vec<u8>, TileError> {
    if entries.len() > BUNDLE {
        return Err(TileError::TooMany);
    }
    let mut out = Vec::new();
    for entry in entries {
        let length = u16::try_from(entry.len()).map_err(|_| TileError::TooLong(entry.len()))?;
        out.extend(length.to_be_bytes());
        out.extend(*entry);
    }
    Ok(out)
}

/// The records of an entry bundle.
///
/// # Errors
/// [`TileError::Cut`] or [`TileError::TooMany`].
pub fn decode_entries(bytes: &[u8]) -> Result<Vec<Vec<u8>>, TileError> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        if out.len() == BUNDLE {
            return Err(TileError::TooMany);
        }
        let at = bytes.len() - rest.len();
        let (length, tail) = rest.split_first_chunk::<2>().ok_or(TileError::Cut(at))?;
        let length = usize::from(u16::from_be_bytes(*length));
        let entry = tail.get(..length).ok_or(TileError::Cut(at))?;
        out.push(entry.to_vec());
        rest = tail.get(length..).unwrap_or_default();
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Sha256, sha256};

    #[test]
    fn paths_are_those_of_the_text() {
        assert_eq!(tile_path(0, 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(tile_path(1, 0, 5), "tile/1/000.p/5");
        assert_eq!(entries_path(273, 112), "tile/entries/273.p/112");
        for path in ["tile/0/x001/x234/067", "tile/1/000.p/5", "tile/entries/273.p/112"] {
            assert!(parse_tile_path(path).is_ok());
        }
        assert_eq!(parse_tile_path("tile/63/000").map(|p| p.level), Ok(Some(63)));
        for wrong in [
            "tile/0/1",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/257",
            "tile/0/000.p/05",
            "tile/x/000",
            "tile/64/000",
            "tile/00/000",
            "tile/+1/000",
            "tile/0/x000/001",
            "tile/0/x001/1",
            "tile/0/x001/x234",
            "tile/0/001/234",
            "tile/0/xx01/234",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
            "tile/0/../000",
            "tile/entries/-01",
            "/tile/0/000",
            "a",
            "",
        ] {
            assert!(parse_tile_path(wrong).is_err(), "{wrong}");
        }
        let last = u64::MAX;
        assert_eq!(parse_tile_path(&tile_path(0, last, 256)).map(|p| p.index), Ok(last));
    }

    #[test]
    fn tiles_rebuild_the_tree() {
        let leaves: Vec<Hash> = (0..70_000u32).map(|i| sha256(&i.to_be_bytes())).collect();
        let tiles = tiles_of(70_000);
        assert_eq!(tiles.len(), 274 + 2 + 1);
        assert!(tiles.contains(&(0, 273, 112)) && tiles.contains(&(1, 1, 17)) && tiles.contains(&(2, 0, 1)));
        let top = hash_tile::<Sha256>(&leaves, 2, 0).unwrap();
        assert_eq!(top, root::<Sha256>(&leaves[..65_536]).0);
        assert!(hash_tile::<Sha256>(&leaves, 2, 1).is_err());
    }

    #[test]
    fn entries_round_trip_and_cuts_are_found() {
        let bytes = encode_entries(&[b"one", b"", b"three"]).unwrap();
        assert_eq!(decode_entries(&bytes).unwrap(), [&b"one"[..], b"", b"three"]);
        assert_eq!(decode_entries(&bytes[..bytes.len() - 1]), Err(TileError::Cut(7)));
        assert_eq!(decode_entries(&bytes[..6]), Err(TileError::Cut(5)));
        assert_eq!(encode_entries(&[&[0; 65_536]]), Err(TileError::TooLong(65_536)));
        assert!(encode_entries(&[&b""[..]; 256]).is_ok());
        assert_eq!(encode_entries(&[&b""[..]; 257]), Err(TileError::TooMany));
        assert_eq!(decode_entries(&[0; 2 * 257]), Err(TileError::TooMany));
    }
}
