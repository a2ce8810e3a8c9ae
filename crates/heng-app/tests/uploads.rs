//! Files that are uploaded: in pieces, through restarts, and what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::io::{Cursor, Read, Write};
use std::path::Path;
use std::sync::Arc;

use heng_app::upload::{FileKind, SMALLEST_PIECE, UploadError, UploadId, UploadLimits, Uploads};
use heng_app::{Clock, ManualClock, SeededEntropy};
use heng_domain::text::Lang;
use heng_domain::time::Instant;
use heng_store::{DataKey, FileReader, PIECE_LIMIT, PostgresStore, SqliteStore, Store};
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

fn now() -> Instant {
    Instant::parse("2026-05-01T08:00:00.000Z").unwrap()
}

fn key() -> DataKey {
    DataKey::from_bytes([7; 32])
}

struct Office {
    uploads: Uploads,
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
}

/// Each opening continues with other ids, as a real source of randomness does.
fn office_over(store: Arc<dyn Store>, seed: u64, limits: UploadLimits) -> Office {
    let clock = Arc::new(ManualClock::at(now()));
    let entropy = Arc::new(SeededEntropy::new(seed));
    let uploads = Uploads::new(Arc::clone(&store), Arc::clone(&clock) as Arc<dyn Clock>, entropy, limits);
    Office { uploads, store, clock }
}

fn office() -> Office {
    office_over(Arc::new(SqliteStore::in_memory(key()).unwrap()), 1, UploadLimits::default())
}

fn on_disk(dir: &Path, seed: u64) -> Office {
    office_over(Arc::new(SqliteStore::open(dir, key()).unwrap()), seed, UploadLimits::default())
}

/// A PDF of some length; nothing looks at what is between the header and the end.
fn pdf(length: usize) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut seed = 5_u64;
    while bytes.len() < length.saturating_sub(6) {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.push(seed.to_be_bytes()[0]);
    }
    bytes.extend(b"%%EOF\n");
    bytes
}

fn send(office: &Office, id: &UploadId, bytes: &[u8]) {
    let mut at = usize::try_from(office.uploads.state(id).unwrap().received).unwrap();
    while at < bytes.len() {
        let piece = &bytes[at..bytes.len().min(at + PIECE_LIMIT)];
        at = usize::try_from(office.uploads.append(id, at as u64, piece).unwrap()).unwrap();
    }
}

fn upload(office: &Office, name: &str, bytes: &[u8]) -> Result<FileKind, UploadError> {
    let id = office.uploads.begin("firm", name, bytes.len() as u64, "item 4.1")?;
    send(office, &id, bytes);
    let finished = office.uploads.finish(&id)?;
    let mut back = Vec::new();
    let reader = FileReader::attachment(Arc::clone(&office.store), &finished.sha256.0).unwrap();
    reader.unwrap().read_to_end(&mut back).unwrap();
    assert!(back == bytes, "what comes back is what was sent");
    Ok(finished.kind)
}

fn refused(office: &Office, name: &str, bytes: &[u8]) -> &'static str {
    match upload(office, name, bytes) {
        Ok(kind) => panic!("{name} was taken as {kind:?}"),
        Err(error) => {
            assert!(office.store.loose_files().unwrap().is_empty(), "the bytes of a refused file are gone");
            for lang in [Lang::Zh, Lang::En] {
                let sentence = error.message(lang);
                assert!(sentence.len() > 20 && !sentence.contains(['{', '}']), "{sentence}");
            }
            error.code()
        }
    }
}

/// An archive of entries.
fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

const TYPES: (&str, &[u8]) = ("[Content_Types].xml", b"<Types/>");
const DOCUMENT: (&str, &[u8]) = ("word/document.xml", b"<w:document/>");
const WORKBOOK: (&str, &[u8]) = ("xl/workbook.xml", b"<workbook/>");

#[test]
fn an_upload_goes_on_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = pdf(3 * PIECE_LIMIT + 1000);
    let office = on_disk(dir.path(), 1);
    let id = office.uploads.begin("firm", "证明.pdf", bytes.len() as u64, "4.1").unwrap();
    office.uploads.append(&id, 0, &bytes[..PIECE_LIMIT]).unwrap();
    drop(office);

    let office = on_disk(dir.path(), 2);
    let open = office.uploads.unfinished("firm").unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(
        (open[0].id.clone(), open[0].received, open[0].size),
        (id.clone(), PIECE_LIMIT as u64, bytes.len() as u64)
    );
    assert_eq!((open[0].name.as_str(), open[0].about.as_str()), ("证明.pdf", "4.1"));
    assert!(office.uploads.unfinished("other firm").unwrap().is_empty());
    let error = office.uploads.finish(&id).unwrap_err();
    assert!(matches!(error, UploadError::Unfinished { received, .. } if received == PIECE_LIMIT as u64), "{error}");
    send(&office, &id, &bytes);
    drop(office);

    // The answer to `finish` was lost, and the server was restarted: asking again says the same.
    let office = on_disk(dir.path(), 3);
    let finished = office.uploads.finish(&id).unwrap();
    drop(office);
    let office = on_disk(dir.path(), 4);
    assert_eq!(office.uploads.finish(&id).unwrap(), finished);
    assert_eq!((finished.kind, finished.size, finished.name.as_str()), (FileKind::Pdf, bytes.len() as u64, "证明.pdf"));
    assert!(office.uploads.unfinished("firm").unwrap().is_empty());
    assert_eq!(office.uploads.state(&id).unwrap().outcome, Some(Ok(finished.clone())));
    assert!(office.store.attachment(&finished.sha256.0).unwrap().unwrap() == bytes);
    assert!(office.store.integrity().unwrap().is_empty());
}

#[test]
fn pieces_may_be_sent_twice_but_not_elsewhere() {
    let office = office();
    let bytes = pdf(2 * PIECE_LIMIT);
    let id = office.uploads.begin("firm", "a.pdf", bytes.len() as u64, "").unwrap();
    let first = &bytes[..PIECE_LIMIT];
    for _ in 0..3 {
        assert_eq!(office.uploads.append(&id, 0, first).unwrap(), PIECE_LIMIT as u64);
    }
    for (offset, length) in [(1, PIECE_LIMIT), (PIECE_LIMIT as u64 + 1, 70_000), (PIECE_LIMIT as u64 - 1, 70_000)] {
        let error = office.uploads.append(&id, offset, &vec![0; length]).unwrap_err();
        assert!(
            matches!(error, UploadError::Offset { sent, received } if sent == offset && received == PIECE_LIMIT as u64)
        );
        assert!(error.message(Lang::En).contains("1048576"), "{error}");
    }
    let error = office.uploads.append(&id, 0, &vec![0; PIECE_LIMIT]).unwrap_err();
    assert_eq!(error.code(), "upload.differs");
    let next = PIECE_LIMIT as u64;
    for piece in [vec![], vec![0; PIECE_LIMIT + 1], vec![0; SMALLEST_PIECE - 1]] {
        assert_eq!(office.uploads.append(&id, next, &piece).unwrap_err().code(), "upload.piece");
    }
    assert_eq!(office.uploads.append(&id, 2 * next - 10, &[0; 11]).unwrap_err().code(), "upload.piece");
    assert_eq!(office.uploads.append(&id, u64::MAX, &[0; 11]).unwrap_err().code(), "upload.piece");
    send(&office, &id, &bytes);
    let finished = office.uploads.finish(&id).unwrap();
    assert_eq!(office.uploads.append(&id, 0, first).unwrap(), bytes.len() as u64, "harmless after the end, too");
    assert_eq!(office.uploads.finish(&id).unwrap(), finished);

    // The same file once more is the same attachment, and takes no place.
    let again = office.uploads.begin("other", "b.pdf", bytes.len() as u64, "").unwrap();
    send(&office, &again, &bytes);
    assert_eq!(office.uploads.finish(&again).unwrap().sha256, finished.sha256);
    assert!(office.store.loose_files().unwrap().is_empty());
    assert_eq!(office.store.received(again.as_str()).unwrap(), 0);
    assert_eq!(office.uploads.finish(&again).unwrap().name, "b.pdf");
}

#[test]
fn what_is_not_finished_is_abandoned_or_expires() {
    let office = office();
    let bytes = pdf(PIECE_LIMIT + 5);
    let begin = |name: &str| office.uploads.begin("firm", name, bytes.len() as u64, "").unwrap();
    let (left, done, kept) = (begin("left.pdf"), begin("done.pdf"), begin("kept.pdf"));
    for id in [&left, &kept] {
        office.uploads.append(id, 0, &bytes[..PIECE_LIMIT]).unwrap();
    }
    send(&office, &done, &bytes);
    let finished = office.uploads.finish(&done).unwrap();
    office.uploads.abandon(&left).unwrap();
    assert_eq!(office.uploads.abandon(&left).unwrap_err().code(), "upload.unknown");
    assert_eq!(office.uploads.append(&left, 0, &bytes[..PIECE_LIMIT]).unwrap_err().code(), "upload.unknown");
    assert_eq!(office.store.loose_files().unwrap(), [kept.as_str()]);
    // Pieces that a crash left without an upload go at the next cleaning.
    let orphan = heng_store::StoredFile { id: "orphan".to_owned(), size: 9 };
    office.store.put_piece(&orphan, 0, b"123").unwrap();
    assert_eq!(office.uploads.expire().unwrap(), 0);
    assert_eq!(office.store.loose_files().unwrap(), [kept.as_str()]);

    office.clock.set(now().plus_days(6).unwrap());
    assert_eq!(office.uploads.unfinished("firm").unwrap().len(), 1);
    let young = begin("young.pdf");
    office.clock.set(now().plus_days(7).unwrap());
    assert!(office.uploads.unfinished("firm").unwrap().iter().all(|upload| upload.id == young));
    assert_eq!(office.uploads.state(&kept).unwrap_err().code(), "upload.unknown");
    assert_eq!(office.uploads.expire().unwrap(), 2);
    assert!(office.store.loose_files().unwrap().is_empty());
    assert_eq!(office.uploads.state(&young).unwrap().received, 0);
    assert!(office.store.attachment(&finished.sha256.0).unwrap().is_some(), "what was finished stays");
    // A finished one is abandoned: the attachment stays.
    assert_eq!(UploadId::parse(young.as_str()), Some(young));
    assert_eq!(UploadId::parse("../../etc"), None);
}

#[test]
fn limits_are_named_before_the_first_byte() {
    let limits = UploadLimits { file_bytes: 1 << 20, unfinished: 2, ..UploadLimits::default() };
    let office = office_over(Arc::new(SqliteStore::in_memory(key()).unwrap()), 1, limits);
    let begin = |name: &str, size| office.uploads.begin("firm", name, size, "");
    let error = begin("a.pdf", (1 << 20) + 1).unwrap_err();
    assert_eq!(
        error.message(Lang::En),
        "This file has 1.1 MB; at most 1 MB are allowed. Make its pictures smaller, or divide it into several files."
    );
    for (name, size, code) in [
        ("a.pdf", 0, "upload.empty"),
        ("a.exe", 1, "upload.kind"),
        ("a.pdf.exe", 1, "upload.kind"),
        ("a.svg", 1, "upload.kind"),
        ("a.zip", 1, "upload.kind"),
        ("a.docm", 1, "upload.kind"),
        ("nul.pdf", 1, "upload.name_reserved"),
        ("\u{202e}fdp.exe", 1, "upload.name_characters"),
    ] {
        assert_eq!(begin(name, size).unwrap_err().code(), code, "{name}");
    }
    begin("a.pdf", 1 << 20).unwrap();
    begin("b.pdf", 1).unwrap();
    assert_eq!(begin("c.pdf", 1).unwrap_err().code(), "upload.too_many");
    office.uploads.begin("other", "c.pdf", 1, "").unwrap();
    let read: UploadLimits = serde_json::from_str(r#"{"file_bytes": 5}"#).unwrap();
    assert_eq!(read, UploadLimits { file_bytes: 5, ..UploadLimits::default() });
}

#[test]
fn honest_files_are_taken() {
    let office = office();
    let jpeg = [b"\xff\xd8\xff\xe0\0\x10JFIF\0".as_slice(), &[7; 500], b"\xff\xd9"].concat();
    let png = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &[1; 50], b"\0\0\0\0IEND\xaeB`\x82"].concat();
    let mp4 = [b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2".as_slice(), &[0; 50]].concat();
    let chart = archive(&[TYPES, WORKBOOK, ("xl/worksheets/sheet1.xml", b"<sheet/>")]);
    let docx = archive(&[TYPES, DOCUMENT, ("word/media/image1.png", &png), ("word/embeddings/Sheet.xlsx", &chart)]);
    let large_text = "质量，".repeat(400_000);
    for (name, bytes, kind) in [
        ("a.pdf", pdf(300), FileKind::Pdf),
        ("a.JPG", jpeg.clone(), FileKind::Jpeg),
        ("a.jpeg", jpeg, FileKind::Jpeg),
        ("a.png", png.clone(), FileKind::Png),
        ("a.mp4", mp4, FileKind::Mp4),
        ("a.xlsx", chart.clone(), FileKind::Xlsx),
        ("a.docx", docx, FileKind::Docx),
        ("a.txt", "\u{feff}一\r\n\ttwo".as_bytes().to_vec(), FileKind::Text),
        ("a.txt", large_text.as_bytes().to_vec(), FileKind::Text),
        ("bm.csv", b"BMI,ID3,GIF\n1,2,3\n".to_vec(), FileKind::Csv),
        ("one.csv", b"1".to_vec(), FileKind::Csv),
    ] {
        let taken = upload(&office, name, &bytes);
        assert!(matches!(taken, Ok(found) if found == kind), "{name}: {taken:?}");
    }
}

#[test]
fn disguised_and_broken_files_are_refused() {
    let office = office();
    let exe = [b"MZ\x90\0\x03\0\0\0".as_slice(), &[0; 600]].concat();
    let elf = [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 600]].concat();
    let docx = archive(&[TYPES, DOCUMENT]);
    let xlsx = archive(&[TYPES, WORKBOOK]);
    let png = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &[1; 50], b"\0\0\0\0IEND\xaeB`\x82"].concat();
    let jpeg = [b"\xff\xd8\xff\xe0\0\x10JFIF\0".as_slice(), &[7; 500], b"\xff\xd9"].concat();
    let old = [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice(), &[0; 600]].concat();
    let wide: Vec<u8> = "\u{feff}<html>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let gbk = b"\xd6\xca\xc1\xbf,1\n".to_vec();
    let join = |parts: &[&[u8]]| parts.concat();
    for (name, bytes, code) in [
        ("exe.pdf", exe.clone(), "upload.program"),
        ("exe.docx", exe.clone(), "upload.program"),
        ("exe.txt", exe, "upload.program"),
        ("elf.png", elf, "upload.program"),
        ("script.txt", b"#!/bin/sh\nrm -rf /\n".to_vec(), "upload.program"),
        ("page.txt", b"\xef\xbb\xbf \n <!DOCTYPE html><script>".to_vec(), "upload.markup"),
        ("page.pdf", b"<html><body>%PDF-1.7".to_vec(), "upload.markup"),
        ("page.csv", wide, "upload.markup"),
        ("drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>".to_vec(), "upload.markup"),
        ("late.pdf", join(&[b"junk\n", &pdf(300)]), "upload.polyglot"),
        ("two.jpg", join(&[&jpeg[..20], b"%PDF-1.4", &jpeg[20..]]), "upload.polyglot"),
        ("two.pdf", join(&[&pdf(300), &xlsx]), "upload.polyglot"),
        ("two.png", join(&[&png, &docx]), "upload.polyglot"),
        ("commented.jpg", join(&[&jpeg, &xlsx, b"tail"]), "upload.polyglot"),
        ("png.pdf", png.clone(), "upload.mismatch"),
        ("pdf.png", pdf(300), "upload.mismatch"),
        ("pdf.txt", pdf(300), "upload.mismatch"),
        ("plain.pdf", b"just words".to_vec(), "upload.mismatch"),
        ("png.jpg", png.clone(), "upload.mismatch"),
        ("sheet.docx", xlsx.clone(), "upload.mismatch"),
        ("text.xlsx", docx.clone(), "upload.mismatch"),
        ("zip.txt", docx.clone(), "upload.mismatch"),
        ("cut.pdf", pdf(70_000)[..69_000].to_vec(), "upload.cut"),
        ("cut.png", png[..60].to_vec(), "upload.cut"),
        ("appended.png", join(&[&png, b"more"]), "upload.cut"),
        ("gbk.csv", gbk, "upload.text"),
        ("nul.csv.txt", b"a\0b".to_vec(), "upload.name_reserved"),
        ("control.txt", b"a\0b".to_vec(), "upload.text"),
        ("half.txt", "质".as_bytes()[..2].to_vec(), "upload.text"),
        ("old.docx", old.clone(), "upload.old_office"),
        ("old.xlsx", old, "upload.old_office"),
    ] {
        assert_eq!(refused(&office, name, &bytes), code, "{name}");
    }
    // The reason is still known when the answer was lost.
    let id = office.uploads.begin("firm", "a.pdf", 10, "").unwrap();
    office.uploads.append(&id, 0, b"just words").unwrap();
    let first = office.uploads.finish(&id).unwrap_err();
    assert_eq!(office.uploads.finish(&id).unwrap_err().message(Lang::Zh), first.message(Lang::Zh));
    assert_eq!(office.uploads.state(&id).unwrap().outcome.unwrap().unwrap_err().code(), "upload.mismatch");
}

#[test]
fn archives_that_are_traps_are_refused() {
    let office = office();
    let zeros = vec![0_u8; 40 << 20];
    let inner = archive(&[("a.txt", b"x")]);
    let chart = archive(&[TYPES, WORKBOOK]);
    let deep = archive(&[TYPES, WORKBOOK, ("xl/embeddings/again.xlsx", &chart)]);
    let names: Vec<String> = (0..5001).map(|number| format!("word/{number}")).collect();
    let mut many: Vec<(&str, &[u8])> = vec![TYPES, DOCUMENT];
    many.extend(names.iter().map(|name| (name.as_str(), b"".as_slice())));
    let plain = archive(&[TYPES, DOCUMENT, ("word/a.bin", &[5; 3000])]);

    // The directory says less than what comes out: in the central record and in the local one.
    let patched = |from: u32, to: u32| {
        let mut bytes = plain.clone();
        let (from, to) = (from.to_le_bytes(), to.to_le_bytes());
        let places: Vec<usize> = (0..bytes.len() - 4).filter(|at| bytes[*at..*at + 4] == from).collect();
        assert_eq!(places.len(), 2);
        for at in places {
            bytes[at..at + 4].copy_from_slice(&to);
        }
        bytes
    };
    // Two entries of the directory that share one block: the second one points at the first.
    let mut shared = archive(&[TYPES, DOCUMENT, ("word/b.xml", b"<same/>"), ("word/c.xml", b"<same/>")]);
    let entries: Vec<usize> = (0..shared.len() - 4).filter(|at| shared[*at..*at + 4] == *b"PK\x01\x02").collect();
    let place = shared[entries[2] + 42..entries[2] + 46].to_vec();
    shared[entries[3] + 42..entries[3] + 46].copy_from_slice(&place);
    // A directory that counts more entries than anybody should read.
    let mut counted = plain.clone();
    let end = counted.len() - 22;
    for at in [8, 10] {
        counted[end + at..end + at + 2].copy_from_slice(&60_000_u16.to_le_bytes());
    }
    let mut commented = plain.clone();
    commented[end + 20] = 1;
    commented.push(b'x');
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in [TYPES, DOCUMENT] {
        writer.start_file(name, stored).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.start_file("../../evil", stored).unwrap();
    let outside = writer.finish().unwrap().into_inner();

    for (name, bytes, code) in [
        ("zeros.docx", archive(&[TYPES, DOCUMENT, ("word/media/a.bin", &zeros)]), "upload.bomb"),
        ("many.docx", archive(&many), "upload.bomb"),
        ("counted.docx", counted, "upload.bomb"),
        ("shared.docx", shared, "upload.bomb"),
        ("lies.docx", patched(3000, 30), "upload.container"),
        ("claims.docx", patched(3000, 3001), "upload.container"),
        ("nested.docx", archive(&[TYPES, DOCUMENT, ("word/media/image1.png", &inner)]), "upload.nested"),
        ("embedded.docx", archive(&[TYPES, DOCUMENT, ("word/embeddings/a.zip", &inner)]), "upload.nested"),
        ("deep.docx", archive(&[TYPES, DOCUMENT, ("word/embeddings/a.xlsx", &deep)]), "upload.nested"),
        ("exe.docx", archive(&[TYPES, DOCUMENT, ("word/media/image1.png", b"MZ\x90\0")]), "upload.program"),
        ("macro.xlsx", archive(&[TYPES, WORKBOOK, ("xl/vbaProject.bin", b"x")]), "upload.macros"),
        ("zip.docx", inner, "upload.container"),
        ("both.docx", archive(&[TYPES, DOCUMENT, WORKBOOK]), "upload.container"),
        ("front.docx", [b"PK\x03\x04".as_slice(), &plain].concat(), "upload.container"),
        ("behind.docx", [&plain, b"x".as_slice()].concat(), "upload.container"),
        ("comment.docx", commented, "upload.container"),
        ("outside.docx", outside, "upload.container"),
        ("head.docx", plain[..60].to_vec(), "upload.container"),
        ("tiny.docx", b"PK\x03\x04".to_vec(), "upload.container"),
    ] {
        assert_eq!(refused(&office, name, &bytes), code, "{name}");
    }
    assert!(upload(&office, "plain.docx", &plain).is_ok());
}

/// A flipped bit anywhere in an Office file never makes it something else, and never a panic.
#[test]
fn flipped_bits_of_an_archive_do_no_harm() {
    let plain = archive(&[TYPES, DOCUMENT, ("word/styles.xml", b"<w:styles/>")]);
    let office = office();
    for at in 0..plain.len() {
        let mut bytes = plain.clone();
        bytes[at] ^= 1 << (at % 8);
        match upload(&office, "a.docx", &bytes) {
            Ok(kind) => assert_eq!(kind, FileKind::Docx),
            Err(error) => assert!(matches!(error, UploadError::Refused(_)), "byte {at}: {error:?}"),
        }
    }
}

#[test]
fn damage_of_the_store_is_not_the_files_fault() {
    let dir = tempfile::tempdir().unwrap();
    let office = on_disk(dir.path(), 1);
    let docx = archive(&[TYPES, DOCUMENT]);
    let id = office.uploads.begin("firm", "a.docx", docx.len() as u64, "").unwrap();
    send(&office, &id, &docx);
    let connection = rusqlite::Connection::open(dir.path().join("heng.sqlite")).unwrap();
    connection
        .execute_batch("CREATE TABLE keep AS SELECT * FROM piece; UPDATE piece SET sealed = zeroblob(length(sealed))")
        .unwrap();
    assert_eq!(office.uploads.finish(&id).unwrap_err().code(), "upload.failed");
    connection.execute_batch("DELETE FROM piece; INSERT INTO piece SELECT * FROM keep").unwrap();
    assert_eq!(office.uploads.finish(&id).unwrap().kind, FileKind::Docx);
}

/// Two servers over one database: one takes a piece, the other one goes on, and both finish at once.
#[test]
fn two_servers_share_an_upload_on_postgresql() {
    let Ok(server) = std::env::var("HENG_TEST_POSTGRES") else {
        eprintln!("skipped: HENG_TEST_POSTGRES not set");
        return;
    };
    let schema = format!("uploads_{}", std::process::id());
    let mut admin = postgres::Client::connect(&server, postgres::NoTls).unwrap();
    admin.batch_execute(&format!("CREATE SCHEMA {schema}")).unwrap();
    let url = format!("{server} options='-c search_path={schema}'");
    let open =
        |seed| office_over(Arc::new(PostgresStore::connect(&url, key()).unwrap()), seed, UploadLimits::default());
    let (one, two) = (open(1), open(2));
    let bytes = pdf(2 * PIECE_LIMIT);
    let id = one.uploads.begin("firm", "a.pdf", bytes.len() as u64, "").unwrap();
    one.uploads.append(&id, 0, &bytes[..PIECE_LIMIT]).unwrap();
    assert_eq!(two.uploads.state(&id).unwrap().received, PIECE_LIMIT as u64);
    send(&two, &id, &bytes);
    let (a, b) = std::thread::scope(|scope| {
        let a = scope.spawn(|| one.uploads.finish(&id).unwrap());
        let b = scope.spawn(|| two.uploads.finish(&id).unwrap());
        (a.join().unwrap(), b.join().unwrap())
    });
    assert_eq!(a, b);
    assert!(one.store.attachment(&a.sha256.0).unwrap().unwrap() == bytes);
    drop((one, two));
    admin.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).unwrap();
}
