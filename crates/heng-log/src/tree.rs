//! The Merkle tree of RFC 6962 §2.1: leaf `H(0x00 ‖ d)`, node `H(0x01 ‖ l ‖ r)`, inclusion and consistency proofs.

use crate::hash::{Hash, TreeHash};

/// A proof that does not hold, or cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The index or the old size lies outside the tree.
    #[error("{index} lies outside a tree of {size}")]
    Range {
        /// Index or old size.
        index: u64,
        /// Size of the tree.
        size: u64,
    },
    /// The number of hashes is not that of such a proof.
    #[error("the proof has {0} hashes, which cannot be")]
    Length(usize),
    /// The hashes lead to another root.
    #[error("the proof leads to another root")]
    Root,
}

/// Leaf hash of a record.
pub fn leaf_hash<H: TreeHash>(data: &[u8]) -> Hash {
    H::digest(&[&[0], data])
}

/// Hash of an inner node.
pub fn node_hash<H: TreeHash>(left: &Hash, right: &Hash) -> Hash {
    H::digest(&[&[1], &left.0, &right.0])
}

/// Root of the empty tree.
pub fn empty_root<H: TreeHash>() -> Hash {
    H::digest(&[])
}

/// The right edge of a growing tree: the roots of its complete subtrees, largest first. O(log n) memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    edge: Vec<Hash>,
}

impl Frontier {
    /// An empty tree.
    pub fn new() -> Frontier {
        Frontier::default()
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf.
    pub fn push<H: TreeHash>(&mut self, leaf: Hash) {
        let mut hash = leaf;
        // Every trailing one of the old size is a subtree that becomes complete.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.edge.pop() {
                hash = node_hash::<H>(&left, &hash);
            }
        }
        self.edge.push(hash);
        self.size += 1;
    }

    /// Root of the tree.
    pub fn root<H: TreeHash>(&self) -> Hash {
        let mut edge = self.edge.iter().rev();
        match edge.next() {
            None => empty_root::<H>(),
            Some(last) => edge.fold(*last, |right, left| node_hash::<H>(left, &right)),
        }
    }
}

/// Root of a tree of all leaves.
pub fn root<H: TreeHash>(leaves: &[Hash]) -> Hash {
    let mut frontier = Frontier::new();
    for leaf in leaves {
        frontier.push::<H>(*leaf);
    }
    frontier.root::<H>()
}

/// Largest power of two below `n` (n ≥ 2).
fn split(n: usize) -> usize {
    1 << (usize::BITS - 1 - (n - 1).leading_zeros())
}

/// Proof that leaf `index` is in the tree of all leaves, from the leaf upwards.
///
/// # Errors
/// [`ProofError::Range`].
pub fn inclusion_proof<H: TreeHash>(leaves: &[Hash], index: u64) -> Result<Vec<Hash>, ProofError> {
    let size = leaves.len() as u64;
    let range = || ProofError::Range { index, size };
    let mut place = usize::try_from(index).map_err(|_| range())?;
    if place >= leaves.len() {
        return Err(range());
    }
    let mut proof = Vec::new();
    let mut rest = leaves;
    while rest.len() > 1 {
        let (left, right) = rest.split_at(split(rest.len()));
        if place < left.len() {
            proof.push(root::<H>(right));
            rest = left;
        } else {
            proof.push(root::<H>(left));
            place -= left.len();
            rest = right;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// Proof that the tree of the first `old_size` leaves is a prefix of the tree of all leaves.
///
/// # Errors
/// [`ProofError::Range`] for an old size of 0 or beyond the leaves.
pub fn consistency_proof<H: TreeHash>(leaves: &[Hash], old_size: u64) -> Result<Vec<Hash>, ProofError> {
    let range = || ProofError::Range { index: old_size, size: leaves.len() as u64 };
    let old = usize::try_from(old_size).map_err(|_| range())?;
    if old == 0 || old > leaves.len() {
        return Err(range());
    }
    let mut proof = Vec::new();
    subproof::<H>(old, leaves, true, &mut proof);
    Ok(proof)
}

/// SUBPROOF(m, D, b) of RFC 6962 §2.1.2.
fn subproof<H: TreeHash>(m: usize, leaves: &[Hash], whole: bool, out: &mut Vec<Hash>) {
    if m == leaves.len() {
        if !whole {
            out.push(root::<H>(leaves));
        }
        return;
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    if m <= left.len() {
        subproof::<H>(m, left, whole, out);
        out.push(root::<H>(right));
    } else {
        subproof::<H>(m - left.len(), right, false, out);
        out.push(root::<H>(left));
    }
}

/// Checks an inclusion proof (RFC 9162 §2.1.3.2).
///
/// # Errors
/// [`ProofError`].
pub fn verify_inclusion<H: TreeHash>(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Range { index, size });
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length(proof.len()));
        }
        if node & 1 == 1 || node == last {
            hash = node_hash::<H>(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash::<H>(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length(proof.len()));
    }
    if hash == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// Checks a consistency proof (RFC 9162 §2.1.4.2).
///
/// # Errors
/// [`ProofError`].
pub fn verify_consistency<H: TreeHash>(
    old_size: u64,
    old_root: &Hash,
    size: u64,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old_size == 0 || old_size > size {
        return Err(ProofError::Range { index: old_size, size });
    }
    if old_size == size {
        return match (proof.is_empty(), old_root == root) {
            (true, true) => Ok(()),
            (false, _) => Err(ProofError::Length(proof.len())),
            (true, false) => Err(ProofError::Root),
        };
    }
    // A complete old tree is itself the first node of the path.
    let mut path = proof.iter();
    let first = if old_size.is_power_of_two() { Some(old_root) } else { path.next() };
    let Some(first) = first else {
        return Err(ProofError::Length(0));
    };
    let (mut node, mut last) = (old_size - 1, size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in path {
        if last == 0 {
            return Err(ProofError::Length(proof.len()));
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash::<H>(sibling, &old_hash);
            new_hash = node_hash::<H>(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash::<H>(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length(proof.len()));
    }
    if old_hash == *old_root && new_hash == *root { Ok(()) } else { Err(ProofError::Root) }
}
