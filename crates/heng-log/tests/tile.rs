//! Tiles against `tlog_tiles`: its reader must find our tree in our files, and refuse changed ones.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use heng_log::tile::{
    TilePath, decode_entries, encode_entries, entries_path, hash_tile, parse_tile_path, tile_path, tiles_of,
};
use heng_log::tree::{leaf_hash, root};
use heng_log::{Hash, Sha256, sha256};
use proptest::prelude::*;
use tlog_tiles::{HashReader, Tile, TileHashReader, TileReader, tlog};

fn leaves(size: u64) -> Vec<Hash> {
    (0..size).map(|i| leaf_hash::<Sha256>(&i.to_be_bytes())).collect()
}

/// The path of C2SP has no height in it.
fn c2sp(tile: &Tile) -> String {
    tile.path().replacen("tile/8/", "tile/", 1)
}

/// The files of a published log.
struct Files(BTreeMap<String, Vec<u8>>);

impl TileReader for Files {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog::Error> {
        Ok(tiles.iter().map(|tile| self.0[&c2sp(tile)].clone()).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

fn files(leaves: &[Hash]) -> Files {
    let tiles = tiles_of(leaves.len() as u64).into_iter();
    Files(tiles.map(|(l, n, w)| (tile_path(l, n, w), hash_tile::<Sha256>(leaves, l, n).unwrap())).collect())
}

#[test]
fn the_tiles_of_a_tree_are_those_that_tlog_tiles_would_publish() {
    for size in (0..=1000).chain([65_535, 65_536, 65_537, 70_000, 20_852_163]) {
        let theirs = Tile::new_tiles(8, 0, size);
        let ours = tiles_of(size);
        let coordinates: Vec<(u8, u64, u32)> = theirs.iter().map(|t| (t.level(), t.level_index(), t.width())).collect();
        assert_eq!(ours.iter().map(|t| (t.0, t.1, u32::from(t.2))).collect::<Vec<_>>(), coordinates, "{size}");
        for (tile, (level, index, width)) in theirs.iter().zip(ours).rev().take(20) {
            assert_eq!(tile_path(level, index, width), c2sp(tile));
        }
    }
}

#[test]
fn the_example_of_the_specification_has_its_tiles() {
    let tiles = tiles_of(70_000);
    let count = |level, full: bool| tiles.iter().filter(|t| t.0 == level && (t.2 == 256) == full).count();
    assert_eq!([count(0, true), count(0, false), count(1, true), count(1, false)], [273, 1, 1, 1]);
    assert_eq!(tiles.last(), Some(&(2, 0, 1)));
    assert_eq!(tiles_of(256), [(0, 0, 256), (1, 0, 1)]);
    assert_eq!(tiles_of(0), []);
}

#[test]
fn another_reader_finds_every_leaf_in_our_tiles() {
    for size in [1, 2, 255, 256, 257, 600, 65_537u64] {
        let leaves = leaves(size);
        let (files, top) = (files(&leaves), root::<Sha256>(&leaves));
        let reader = TileHashReader::new(size, tlog::Hash(top.0), &files);
        for index in [0, size / 2, size - 1] {
            let found = reader.read_hashes(&[tlog::stored_hash_index(0, index)]).unwrap();
            assert_eq!(found[0].0, leaves[usize::try_from(index).unwrap()].0);
            let proof = tlog::prove_record(size, index, &reader).unwrap();
            let ours = heng_log::tree::inclusion_proof::<Sha256>(&leaves, index).unwrap();
            assert_eq!(proof.iter().map(|hash| Hash(hash.0)).collect::<Vec<_>>(), ours);
        }
    }
}

#[test]
fn every_changed_tile_is_found() {
    // Each complete subtree of 513 lies in a tile of its own. Where two share one, tlog_tiles 0.2.0 takes as many full
    // tiles as authentic without looking.
    let leaves = leaves(513);
    let top = root::<Sha256>(&leaves);
    let right = files(&leaves);
    for (path, bytes) in &right.0 {
        for place in (0..bytes.len()).step_by(97) {
            let mut changed = Files(right.0.clone());
            changed.0.get_mut(path).unwrap()[place] ^= 1;
            let reader = TileHashReader::new(513, tlog::Hash(top.0), &changed);
            let indexes: Vec<u64> = (0..513).map(|i| tlog::stored_hash_index(0, i)).collect();
            assert!(reader.read_hashes(&indexes).is_err(), "{path} {place}");
        }
    }
}

#[test]
fn tiles_outside_the_tree_are_refused() {
    let leaves = leaves(257);
    for (level, index) in [(0, 2), (1, 1), (2, 0), (8, 0), (63, 0), (255, 0), (0, u64::MAX), (7, u64::MAX)] {
        assert!(hash_tile::<Sha256>(&leaves, level, index).is_err(), "{level} {index}");
    }
    assert!(hash_tile::<Sha256>(&[], 0, 0).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn paths_round_trip(level in 0u8..64, index in any::<u64>(), width in 1u16..=256) {
        let found = TilePath { level: Some(level), index, width };
        prop_assert_eq!(parse_tile_path(&tile_path(level, index, width)).unwrap(), found);
        prop_assert_eq!(parse_tile_path(&entries_path(index, width)).unwrap(), TilePath { level: None, ..found });
    }

    #[test]
    fn a_tile_has_one_path(path in "tile/(0|1|63|64|entries|x)(/x?[0-9]{1,4}){1,3}(\\.p/[0-9]{1,3})?") {
        if let Ok(TilePath { level, index, width }) = parse_tile_path(&path) {
            prop_assert_eq!(level.map_or(entries_path(index, width), |l| tile_path(l, index, width)), path);
        }
    }

    #[test]
    fn paths_agree_with_tlog_tiles(level in 0u8..8, index in 0u64..1 << 40, width in 1u16..=256) {
        let theirs = Tile::new(8, level, index, u32::from(width), false);
        prop_assert_eq!(tile_path(level, index, width), c2sp(&theirs));
    }

    #[test]
    fn bundles_round_trip(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20)) {
        let slices: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(decode_entries(&encode_entries(&slices).unwrap()).unwrap(), entries);
    }

    #[test]
    fn bundles_have_one_spelling(bytes in prop::collection::vec(prop_oneof![Just(0u8), any::<u8>()], 0..200)) {
        if let Ok(entries) = decode_entries(&bytes) {
            let slices: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(encode_entries(&slices).unwrap(), bytes);
        }
    }
}

#[test]
fn every_cut_or_changed_bundle_is_refused_or_has_other_records() {
    let records = [&b"one"[..], b"two", &[7; 300]];
    let bytes = encode_entries(&records).unwrap();
    let starts = [0, 5, 10];
    for end in 1..bytes.len() {
        assert_eq!(decode_entries(&bytes[..end]).is_ok(), starts.contains(&end), "{end}");
    }
    for place in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[place / 8] ^= 1 << (place % 8);
        let same = decode_entries(&changed).is_ok_and(|entries| entries == records);
        assert!(!same && sha256(&changed) != sha256(&bytes), "bit {place}");
    }
}
