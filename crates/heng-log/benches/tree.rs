//! How long the log's own work takes: hashing, proving, signing and reading.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use heng_log::canonical;
use heng_log::checkpoint::{Checkpoint, open_checkpoint, sign_checkpoint};
use heng_log::note::{KeyKind, SignerKey};
use heng_log::tree::{Frontier, consistency_proof, inclusion_proof, leaf_hash, root, verify_inclusion};
use heng_log::{Hash, Sha256};
use serde_json::json;

/// Records of one edition.
const SIZE: u64 = 14_000;

fn record() -> Vec<u8> {
    canonical::to_bytes(&json!({
        "v": 1, "log": "heng.example/award/2026", "seq": 9121, "time": "2026-11-23T09:15:02.118Z",
        "type": "score.submitted", "actor": "p:3k9", "basis": "细则第九条",
        "body": { "case": "c:017", "panel": "d:4", "tree": Hash([7; 32]), "at": { "size": 9107, "root": Hash([8; 32]) } },
        "hidden": { "who": Hash([9; 32]) }, "remark": "写".repeat(80),
    }))
    .unwrap()
}

fn tree(c: &mut Criterion) {
    let record = record();
    let leaves: Vec<Hash> = (0..SIZE).map(|i| leaf_hash::<Sha256>(&i.to_be_bytes())).collect();
    let top = root::<Sha256>(&leaves);
    let proof = inclusion_proof::<Sha256>(&leaves, SIZE / 3).unwrap();
    let leaf = leaves[usize::try_from(SIZE / 3).unwrap()];
    let mut full = Frontier::new();
    leaves.iter().for_each(|leaf| full.push::<Sha256>(*leaf));

    c.bench_function("leaf and push", |b| {
        b.iter_batched_ref(
            || full.clone(),
            |frontier| frontier.push::<Sha256>(leaf_hash::<Sha256>(black_box(&record))),
            BatchSize::SmallInput,
        );
    });
    c.bench_function("root of a frontier", |b| b.iter(|| black_box(&full).root::<Sha256>()));
    c.bench_function("root of 14,000 leaves", |b| b.iter(|| root::<Sha256>(black_box(&leaves))));
    c.bench_function("inclusion proof in 14,000", |b| b.iter(|| inclusion_proof::<Sha256>(&leaves, SIZE / 3).unwrap()));
    c.bench_function("consistency proof in 14,000", |b| {
        b.iter(|| consistency_proof::<Sha256>(&leaves, SIZE / 3).unwrap());
    });
    c.bench_function("verify inclusion", |b| {
        b.iter(|| verify_inclusion::<Sha256>(black_box(&leaf), SIZE / 3, SIZE, &proof, &top).unwrap());
    });
}

fn notes(c: &mut Criterion) {
    let key = SignerKey::from_seed("heng.example/log", KeyKind::Ed25519, [1; 32]).unwrap();
    let verifier = key.verifier();
    let checkpoint = Checkpoint { origin: "heng.example/log".to_owned(), size: SIZE, root: Hash([7; 32]) };
    let note = sign_checkpoint(&checkpoint, &key).unwrap().to_string();
    c.bench_function("sign a checkpoint", |b| b.iter(|| sign_checkpoint(black_box(&checkpoint), &key).unwrap()));
    c.bench_function("open a checkpoint", |b| b.iter(|| open_checkpoint(black_box(&note), &verifier).unwrap()));
}

fn records(c: &mut Criterion) {
    let bytes = record();
    let value = canonical::parse(&bytes).unwrap();
    c.bench_function("parse a record", |b| b.iter(|| canonical::parse(black_box(&bytes)).unwrap()));
    c.bench_function("write a record", |b| b.iter(|| canonical::to_bytes(black_box(&value)).unwrap()));
}

criterion_group!(benches, tree, notes, records);
criterion_main!(benches);
