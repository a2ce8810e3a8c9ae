//! The tree against the published vectors, against `tlog_tiles` and `ct-merkle`, and with SM3 in place of SHA-256.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::OnceLock;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use heng_log::tree::{
    Frontier, ProofError, consistency_proof, empty_root, inclusion_proof, leaf_hash, root, verify_consistency,
    verify_inclusion,
};
use heng_log::{Hash, Sha256, TreeHash};
use proptest::prelude::*;
use sha2::Digest;
use tlog_tiles::tlog;

/// SM3 (GB/T 32905-2016): the hash is a parameter of the tree.
struct Sm3;

impl TreeHash for Sm3 {
    const NAME: &'static str = "sm3";

    fn digest(parts: &[&[u8]]) -> Hash {
        let mut hasher = sm3::Sm3::new();
        parts.iter().for_each(|part| hasher.update(part));
        Hash(hasher.finalize().into())
    }
}

fn record(i: u64) -> Vec<u8> {
    format!("record {i}").into_bytes()
}

fn leaves<H: TreeHash>(size: u64) -> Vec<Hash> {
    (0..size).map(|i| leaf_hash::<H>(&record(i))).collect()
}

/// The hash storage of `tlog_tiles`, grown record by record.
struct Stored(Vec<tlog::Hash>);

impl tlog::HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
        Ok(indexes.iter().map(|i| self.0[usize::try_from(*i).unwrap()]).collect())
    }
}

fn stored(size: u64) -> Stored {
    let mut storage = Stored(Vec::new());
    for i in 0..size {
        let more = tlog::stored_hashes(i, &record(i), &storage).unwrap();
        storage.0.extend(more);
    }
    storage
}

const MOST: u64 = 4096;

/// Trees of up to [`MOST`] leaves, made once.
fn both() -> &'static (Vec<Hash>, Stored) {
    static BOTH: OnceLock<(Vec<Hash>, Stored)> = OnceLock::new();
    BOTH.get_or_init(|| (leaves::<Sha256>(MOST), stored(MOST)))
}

fn ours(proof: &[tlog::Hash]) -> Vec<Hash> {
    proof.iter().map(|hash| Hash(hash.0)).collect()
}

fn same_inclusion(size: u64, index: u64) {
    let (leaves, storage) = both();
    let leaves = &leaves[..usize::try_from(size).unwrap()];
    let theirs = tlog::prove_record(size, index, storage).unwrap();
    let proof = inclusion_proof::<Sha256>(leaves, index).unwrap();
    assert_eq!(proof, ours(&theirs), "{index} in {size}");
    let leaf = leaves[usize::try_from(index).unwrap()];
    let top = root::<Sha256>(leaves);
    assert_eq!(verify_inclusion::<Sha256>(&leaf, index, size, &proof, &top), Ok(()));
    tlog::check_record(&theirs, size, tlog::Hash(top.0), index, tlog::Hash(leaf.0)).unwrap();
}

fn same_consistency(size: u64, old: u64) {
    let (leaves, storage) = both();
    let [leaves, old_leaves] = [size, old].map(|n| &leaves[..usize::try_from(n).unwrap()]);
    let theirs = tlog::prove_tree(size, old, storage).unwrap();
    let proof = consistency_proof::<Sha256>(leaves, old).unwrap();
    assert_eq!(proof, ours(&theirs), "{old} in {size}");
    let (top, old_top) = (root::<Sha256>(leaves), root::<Sha256>(old_leaves));
    assert_eq!(verify_consistency::<Sha256>(old, &old_top, size, &top, &proof), Ok(()));
    tlog::check_tree(&theirs, size, tlog::Hash(top.0), old, tlog::Hash(old_top.0)).unwrap();
}

#[test]
fn roots_of_the_certificate_transparency_vectors() {
    let data = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let leaves: Vec<Hash> = data.iter().map(|hex| leaf_hash::<Sha256>(&hex::decode(hex).unwrap())).collect();
    let mut frontier = Frontier::new();
    for (size, expected) in roots.iter().enumerate() {
        let expected: Hash = expected.parse().unwrap();
        assert_eq!(root::<Sha256>(&leaves[..size]), expected, "{size}");
        assert_eq!(frontier.root::<Sha256>(), expected, "{size}");
        assert_eq!(frontier.size(), size as u64);
        if let Some(leaf) = leaves.get(size) {
            frontier.push::<Sha256>(*leaf);
        }
    }
    assert_eq!(empty_root::<Sha256>().to_string(), roots[0]);
}

#[test]
fn roots_equal_those_of_tlog_tiles() {
    let (leaves, storage) = both();
    let mut frontier = Frontier::new();
    for (size, leaf) in (1..).zip(leaves) {
        frontier.push::<Sha256>(*leaf);
        assert_eq!(frontier.root::<Sha256>().0, tlog::tree_hash(size, storage).unwrap().0, "{size}");
    }
}

#[test]
fn all_proofs_of_small_trees_equal_those_of_tlog_tiles() {
    for size in (1..=100).chain([127, 128, 129, 255, 256, 257, 300]) {
        for index in 0..size {
            same_inclusion(size, index);
            same_consistency(size, index + 1);
        }
    }
}

#[test]
fn all_proofs_of_small_trees_equal_those_of_ct_merkle() {
    same_as_ct_merkle::<Sha256, sha2::Sha256>();
}

#[test]
fn all_proofs_of_small_trees_equal_those_of_ct_merkle_with_sm3() {
    assert_eq!(Sm3::digest(&[b"a", b"bc"]).to_string()[..16], *"66c7f0f462eeedd9");
    same_as_ct_merkle::<Sm3, sm3::Sm3>();
}

fn same_as_ct_merkle<H: TreeHash, D: Digest>() {
    let hashes = |bytes: &[u8]| -> Vec<Hash> { bytes.chunks(32).map(|c| Hash(c.try_into().unwrap())).collect() };
    let mut tree = MemoryBackedTree::<D, Vec<u8>>::new();
    let all = leaves::<H>(70);
    let mut roots = vec![empty_root::<H>()];
    for size in 1..=70u64 {
        tree.push(record(size - 1));
        let leaves = &all[..usize::try_from(size).unwrap()];
        let top = root::<H>(leaves);
        assert_eq!(top.0[..], tree.root().as_bytes()[..], "{size}");
        roots.push(top);
        for index in 0..size {
            let place = usize::try_from(index).unwrap();
            let proof = inclusion_proof::<H>(leaves, index).unwrap();
            assert_eq!(proof, hashes(tree.prove_inclusion(place).as_bytes()), "{index} in {size}");
            assert_eq!(verify_inclusion::<H>(&leaves[place], index, size, &proof, &top), Ok(()));
            let old = index + 1;
            let proof = consistency_proof::<H>(leaves, old).unwrap();
            let theirs = tree.prove_consistency(usize::try_from(size - old).unwrap());
            assert_eq!(proof, hashes(theirs.as_bytes()), "{old} in {size}");
            assert_eq!(verify_consistency::<H>(old, &roots[place + 1], size, &top, &proof), Ok(()));
        }
    }
}

#[test]
fn proofs_outside_the_tree_are_refused() {
    let leaves = leaves::<Sha256>(5);
    let top = root::<Sha256>(&leaves);
    let range = |index, size| Err(ProofError::Range { index, size });
    assert_eq!(inclusion_proof::<Sha256>(&leaves, 5).map(|_| ()), range(5, 5));
    assert_eq!(inclusion_proof::<Sha256>(&leaves, u64::MAX).map(|_| ()), range(u64::MAX, 5));
    assert_eq!(inclusion_proof::<Sha256>(&[], 0).map(|_| ()), range(0, 0));
    assert_eq!(consistency_proof::<Sha256>(&leaves, 0).map(|_| ()), range(0, 5));
    assert_eq!(consistency_proof::<Sha256>(&leaves, 6).map(|_| ()), range(6, 5));
    assert_eq!(verify_inclusion::<Sha256>(&leaves[0], 5, 5, &[], &top), range(5, 5));
    assert_eq!(verify_inclusion::<Sha256>(&leaves[0], 0, 0, &[], &top), range(0, 0));
    assert_eq!(verify_consistency::<Sha256>(0, &top, 5, &top, &[]), range(0, 5));
    assert_eq!(verify_consistency::<Sha256>(6, &top, 5, &top, &[]), range(6, 5));
    assert_eq!(verify_consistency::<Sha256>(5, &top, 5, &top, &[]), Ok(()));
    assert_eq!(verify_consistency::<Sha256>(5, &top, 5, &leaves[0], &[]), Err(ProofError::Root));
    assert_eq!(verify_consistency::<Sha256>(5, &top, 5, &top, &[top]), Err(ProofError::Length(1)));
    assert_eq!(verify_consistency::<Sha256>(4, &top, 5, &top, &[]), Err(ProofError::Length(0)));
    assert_eq!(verify_consistency::<Sha256>(3, &top, 5, &top, &[]), Err(ProofError::Length(0)));
}

/// All proofs that differ from a right one in a bit, in length or in order.
fn mutants(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut out = Vec::new();
    for place in 0..proof.len() {
        for bit in [0, 7, 100, 255] {
            let mut flipped = proof.to_vec();
            flipped[place].0[bit / 8] ^= 1 << (bit % 8);
            out.push(flipped);
        }
        let mut shorter = proof.to_vec();
        shorter.remove(place);
        out.push(shorter);
        let mut twice = proof.to_vec();
        twice.insert(place, proof[place]);
        out.push(twice);
        if place > 0 {
            let mut swapped = proof.to_vec();
            swapped.swap(place - 1, place);
            out.push(swapped);
        }
    }
    out.push([proof, &[Hash::default()]].concat());
    out
}

#[test]
fn changed_proofs_are_refused() {
    let all = leaves::<Sha256>(64);
    for size in [1, 2, 3, 7, 8, 21, 33, 64u64] {
        let leaves = &all[..usize::try_from(size).unwrap()];
        let top = root::<Sha256>(leaves);
        let mut wrong_top = top;
        wrong_top.0[31] ^= 1;
        for index in 0..size {
            let place = usize::try_from(index).unwrap();
            let proof = inclusion_proof::<Sha256>(leaves, index).unwrap();
            let holds = |leaf: &Hash, index, proof: &[Hash], top: &Hash| {
                verify_inclusion::<Sha256>(leaf, index, size, proof, top).is_ok()
            };
            assert!(mutants(&proof).iter().all(|mutant| !holds(&leaves[place], index, mutant, &top)));
            assert!((0..size + 2).all(|other| other == index || !holds(&leaves[place], other, &proof, &top)));
            assert!(leaves.iter().all(|leaf| leaf == &leaves[place] || !holds(leaf, index, &proof, &top)));
            assert!(!holds(&leaves[place], index, &proof, &wrong_top));

            let (old, old_top) = (index + 1, root::<Sha256>(&leaves[..=place]));
            let proof = consistency_proof::<Sha256>(leaves, old).unwrap();
            let holds = |old, old_top: &Hash, proof: &[Hash], top: &Hash| {
                verify_consistency::<Sha256>(old, old_top, size, top, proof).is_ok()
            };
            assert!(mutants(&proof).iter().all(|mutant| !holds(old, &old_top, mutant, &top)));
            assert!(!holds(old, &old_top, &proof, &wrong_top));
            let mut wrong_old = old_top;
            wrong_old.0[0] ^= 128;
            assert!(!holds(old, &wrong_old, &proof, &top));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn proofs_of_large_trees_equal_those_of_tlog_tiles(size in 300..=MOST, at in 0..MOST) {
        same_inclusion(size, at % size);
        same_consistency(size, at % size + 1);
    }

    #[test]
    fn no_input_makes_a_check_panic(
        old in any::<u64>(),
        size in any::<u64>(),
        proof in prop::collection::vec(any::<[u8; 32]>().prop_map(Hash), 0..70),
    ) {
        let hash = Hash([1; 32]);
        prop_assert!(verify_inclusion::<Sha256>(&hash, old, size, &proof, &hash).is_err());
        prop_assert!(old == size || verify_consistency::<Sha256>(old, &hash, size, &hash, &proof).is_err());
    }
}
