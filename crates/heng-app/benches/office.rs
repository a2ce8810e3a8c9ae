//! Append, replay and verify, measured; nothing is asserted. `cargo bench -p heng-app`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput};
use heng_app::bundle::public_bundle;
use heng_app::draft::Draft;
use heng_app::simulation::{Cast, Frozen, Numbers, Size, simulate};
use heng_app::{Heng, OsEntropy, Place, SystemClock};
use heng_domain::office::events::{Event, FigureStated};
use heng_domain::rules::{Level, read_calendar, read_criteria, read_rules};
use heng_domain::text::Text;
use heng_log::sha256;
use heng_log::tile::decode_entries;

fn data(path: &str) -> String {
    std::fs::read_to_string(format!("{}/../../data/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn frozen() -> Frozen {
    Frozen {
        rules: read_rules("rules", &data("programmes/zhumadian.toml")).unwrap(),
        criteria: read_criteria("criteria", &data("criteria/gbt19580-2012.toml")).unwrap(),
        calendar: read_calendar("calendar", &data("calendars/cn.toml")).unwrap(),
    }
}

/// Verify a whole edition, beside bare SHA-256 of the same bytes.
fn verify(c: &mut Criterion) {
    let (heng, log) = simulate(&frozen(), Size::default(), &|_| {}).unwrap();
    let bundle = heng_verify::Bundle { files: public_bundle(&heng, &log).unwrap() };
    let report = heng_verify::verify(&bundle, &heng_verify::Options::default()).unwrap();
    let entries: Vec<Vec<u8>> = bundle
        .files
        .iter()
        .filter(|(path, _)| path.starts_with("tile/entries/"))
        .flat_map(|(_, bytes)| decode_entries(bytes).unwrap())
        .collect();
    let mut group = c.benchmark_group("verify");
    group.sample_size(20).throughput(Throughput::Elements(report.records));
    group.bench_function("whole bundle, records", |b| {
        b.iter(|| heng_verify::verify(&bundle, &heng_verify::Options::default()).unwrap());
    });
    group.bench_function("bare SHA-256 of the same records", |b| {
        b.iter(|| entries.iter().map(|bytes| sha256(bytes).0[0]).fold(0u8, u8::wrapping_add));
    });
    group.finish();
}

fn figure(cast: &Cast, n: u64) -> Draft {
    let event = Event::from(FigureStated {
        as_of: None,
        figure: format!("bench.{n}"),
        names: Vec::new(),
        source: "benchmark".to_owned(),
        topic: Text::new("基准", "benchmark"),
        unit: "items".to_owned(),
        value: n.to_string(),
    });
    let (kind, body) = event.split().unwrap();
    cast.signed(Draft::new("p:0001", "benchmark", kind, body), &["p:0001"]).unwrap()
}

fn office(folder: &std::path::Path) -> (Heng, Cast) {
    let place = Place::Folder(folder.to_path_buf());
    let heng = Heng::open(&place, Arc::new(SystemClock), Arc::new(OsEntropy), &|_, _, _| {}).unwrap();
    let numbers = Numbers { firms: 4, experts: 4, members: 4 };
    let cast =
        Cast::found(&heng, "bench.example/office", Text::new("基准", "bench"), Level::City, numbers, 1, true).unwrap();
    (heng, cast)
}

/// Durable records: one alone, and 31 that wait together and share the flushes.
fn append(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let (_heng, cast) = office(folder.path());
    let mut n = 0;
    let mut group = c.benchmark_group("append (SQLite, durable, signed)");
    group.sample_size(20).throughput(Throughput::Elements(1));
    group.bench_function("one alone", |b| {
        b.iter_batched(
            || {
                n += 1;
                figure(&cast, n)
            },
            |draft| cast.office.submit(draft).unwrap(),
            BatchSize::PerIteration,
        );
    });
    group.throughput(Throughput::Elements(31));
    group.bench_function("31 writers at once", |b| {
        b.iter_batched(
            || {
                n += 31;
                (0..31).map(|i| figure(&cast, 1_000_000 + n + i)).collect::<Vec<_>>()
            },
            |drafts| {
                std::thread::scope(|scope| {
                    for draft in drafts {
                        scope.spawn(|| cast.office.submit(draft).unwrap());
                    }
                });
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// Start-up: every record read, parsed, admitted and applied again.
fn replay(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let records = {
        let (heng, cast) = office(folder.path());
        for batch in 0..20 {
            let drafts = (0..100).map(|i| figure(&cast, batch * 100 + i)).collect();
            cast.office.submit_all(drafts).into_iter().for_each(|r| drop(r.unwrap()));
        }
        heng.store().size(cast.office.id()).unwrap()
    };
    let place = Place::Folder(folder.path().to_path_buf());
    let mut group = c.benchmark_group("replay");
    group.sample_size(10).throughput(Throughput::Elements(records));
    group.bench_function("start-up, records", |b| {
        b.iter(|| Heng::open(&place, Arc::new(SystemClock), Arc::new(OsEntropy), &|_, _, _| {}).unwrap());
    });
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    verify(&mut criterion);
    append(&mut criterion);
    replay(&mut criterion);
    criterion.final_summary();
}
