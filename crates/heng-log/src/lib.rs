//! The log: canonical records, commitments, Merkle tree, signed notes, checkpoints, proofs and tiles.
//!
//! The formats are those of C2SP (signed-note, tlog-checkpoint, tlog-tiles, tlog-proof, tlog-policy,
//! tlog-cosignature) over an RFC 6962 tree, so that tools of others can check an office's log. This crate knows
//! nothing of awards, and touches no file, clock, network or source of randomness.

pub mod canonical;
pub mod checkpoint;
pub mod code;
pub mod commitment;
pub mod cosignature;
pub mod hash;
pub mod note;
pub mod policy;
pub mod proof;
pub mod signature;
pub mod tile;
pub mod tree;
pub mod webauthn;

pub use hash::{Hash, Sha256, TreeHash, sha256};
