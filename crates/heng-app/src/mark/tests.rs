//! Marks are found in copies, and what cannot carry one is told apart.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use lopdf::content::{Content, Operation};
use lopdf::{Document, Object, Stream, dictionary};

use super::{Line, MOST_BYTES, Unmarked, mark, markable};

const TEXT: &str = "x:0007 2026-05-20 14:03 3f9a77c2";

fn line() -> Line {
    Line { text: TEXT.to_owned(), name: "赵A".to_owned() }
}

/// A document of two pages; they inherit size and fonts, and the first leaves its coordinates moved.
fn document() -> Document {
    let mut document = Document::with_version("1.5");
    let pages = document.new_object_id();
    let font = document.add_object(dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Courier" });
    let kids: Vec<Object> = ["first page", "second page"]
        .iter()
        .map(|text| {
            let operations = vec![
                Operation::new("cm", vec![1.into(), 0.into(), 0.into(), 1.into(), 5000.into(), 5000.into()]),
                Operation::new("BT", vec![]),
                Operation::new("Tf", vec!["F1".into(), 12.into()]),
                Operation::new("Tj", vec![Object::string_literal(*text)]),
                Operation::new("ET", vec![]),
            ];
            let content = Stream::new(dictionary! {}, Content { operations }.encode().unwrap());
            let content = document.add_object(content);
            document.add_object(dictionary! { "Type" => "Page", "Parent" => pages, "Contents" => content }).into()
        })
        .collect();
    let node = dictionary! {
        "Type" => "Pages", "Count" => 2, "Kids" => kids,
        "MediaBox" => vec![0.into(), 0.into(), 420.into(), 595.into()],
        "Resources" => dictionary! { "Font" => dictionary! { "F1" => font } },
    };
    document.objects.insert(pages, Object::Dictionary(node));
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => pages });
    document.trailer.set("Root", catalog);
    document
}

fn bytes(mut document: Document) -> Vec<u8> {
    let mut out = Vec::new();
    document.save_to(&mut out).unwrap();
    out
}

#[test]
fn every_page_of_a_pdf_carries_the_line_and_keeps_its_own() {
    let marked = mark("report.PDF", &bytes(document()), &line()).unwrap();
    let copy = Document::load_mem(&marked).unwrap();
    let pages = copy.get_pages();
    assert_eq!(pages.len(), 2);
    for (number, page) in &pages {
        let own = String::from_utf8_lossy(&copy.get_page_content(*page)).into_owned();
        assert!(own.contains(if *number == 1 { "first page" } else { "second page" }), "{own}");
        // The page's own instructions stand in brackets: what they moved is moved back before the mark.
        let (start, end) = (own.find("q\n").unwrap(), own.find("\nQ\nq\n/HengMark").unwrap());
        assert!(start < own.find("cm").unwrap() && own.find("ET").unwrap() < end, "{own}");
        let resources = copy.get_dictionary(*page).unwrap().get(b"Resources").unwrap().as_dict().unwrap();
        assert!(resources.get(b"Font").is_ok(), "the inherited fonts stay");
        let forms = resources.get(b"XObject").unwrap().as_dict().unwrap();
        let form = forms.iter().next().unwrap().1.as_reference().unwrap();
        let form = copy.get_object(form).unwrap().as_stream().unwrap();
        let drawn = String::from_utf8_lossy(&form.content).into_owned();
        assert!(drawn.contains(TEXT) && drawn.contains("<8D750041>"), "handle and name: {drawn}");
    }
}

/// Pages that all differ in size need a mark each: however many and large they are, the copy stays small or is not made.
#[test]
fn a_small_file_never_becomes_a_huge_copy() {
    let many = |pages: u16, side: i64| {
        let mut document = Document::with_version("1.5");
        let node = document.new_object_id();
        let page = |i: u16| {
            let box_of = vec![0.into(), 0.into(), Object::Integer(side + i64::from(i)), Object::Integer(side)];
            dictionary! { "Type" => "Page", "Parent" => node, "MediaBox" => box_of }
        };
        let kids: Vec<Object> = (0..pages).map(|i| document.add_object(page(i)).into()).collect();
        let count = i64::from(pages);
        document.objects.insert(node, dictionary! { "Type" => "Pages", "Count" => count, "Kids" => kids }.into());
        let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => node });
        document.trailer.set("Root", catalog);
        bytes(document)
    };
    for side in [600, 14_400, 40_000] {
        let own = many(3000, side);
        match mark("plan.pdf", &own, &line()) {
            Ok(copy) => assert!(copy.len() < own.len() + (24 << 20), "{side}: {} bytes", copy.len()),
            Err(reason) => assert!(matches!(reason, Unmarked::Large), "{side}"),
        }
        let one = mark("plan.pdf", &many(1, side), &line()).unwrap();
        assert!(one.len() < 64 << 10, "{side}: {} bytes for one page", one.len());
    }
}

/// Structures that could hide much in little are counted, however their name is written.
#[test]
fn streams_of_objects_are_counted_under_any_spelling() {
    for name in ["/ObjStm", "/Obj#53tm", "/#4f#62#6A#53#74#6D"] {
        let own = [&bytes(document())[..], format!("<</Type{name}>>").repeat(300).as_bytes()].concat();
        assert!(matches!(mark("a.pdf", &own, &line()), Err(Unmarked::Large)), "{name}");
    }
}

#[test]
fn what_is_encrypted_damaged_or_empty_is_told_apart() {
    assert_eq!(mark("a.pdf", b"%PDF-1.7 nothing follows", &line()), Err(Unmarked::Damaged));
    let mut whole = bytes(document());
    whole.truncate(whole.len() / 3);
    assert_eq!(mark("a.pdf", &whole, &line()), Err(Unmarked::Damaged));

    let mut encrypted = document();
    encrypted.trailer.set("ID", vec![Object::string_literal("0123456789abcdef"), Object::string_literal("x")]);
    let version = lopdf::EncryptionVersion::V2 {
        document: &encrypted,
        owner_password: "owner",
        user_password: "",
        key_length: 128,
        permissions: lopdf::Permissions::all(),
    };
    let state = lopdf::EncryptionState::try_from(version).unwrap();
    encrypted.encrypt(&state).unwrap();
    assert_eq!(mark("a.pdf", &bytes(encrypted), &line()), Err(Unmarked::Encrypted));
}

#[test]
fn kinds_and_sizes_that_carry_no_mark() {
    for name in ["table.xlsx", "film.mp4", "text.txt", "nothing"] {
        assert_eq!(markable(name, 1), Err(Unmarked::Kind), "{name}");
    }
    assert_eq!(markable("scan.pdf", MOST_BYTES + 1), Err(Unmarked::Large));
    assert_eq!(markable("scan.JPEG", MOST_BYTES), Ok(()));
}

fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut out = Vec::new();
    let plain = DynamicImage::ImageRgb8(RgbImage::from_pixel(width, height, Rgb([120, 120, 120])));
    plain.write_to(&mut Cursor::new(&mut out), format).unwrap();
    out
}

#[test]
fn pictures_carry_the_line_and_keep_kind_and_size() {
    for (name, format) in [("plan.png", ImageFormat::Png), ("photo.jpg", ImageFormat::Jpeg)] {
        let marked = mark(name, &picture(900, 600, format), &line()).unwrap();
        assert_eq!(image::guess_format(&marked).unwrap(), format);
        let copy = image::load_from_memory(&marked).unwrap().into_rgb8();
        assert_eq!(copy.dimensions(), (900, 600));
        let (dark, light) =
            (copy.pixels().filter(|p| p.0[0] < 100).count(), copy.pixels().filter(|p| p.0[0] > 140).count());
        assert!(dark > 2000 && light > 1000, "{name}: {dark} dark and {light} light dots");
        // Every third of the picture is covered, so that cutting off an edge does not take the mark away.
        for third in 0..3 {
            let rows = copy.rows().skip(third * 200).take(200);
            assert!(rows.flatten().any(|p| p.0[0] < 100), "{name}: nothing in part {third}");
        }
    }
    // The smallest and the oddest do no harm.
    for (width, height) in [(1, 1), (3, 900), (900, 3)] {
        mark("a.png", &picture(width, height, ImageFormat::Png), &line()).unwrap();
    }
}

#[test]
fn a_picture_that_unfolds_to_too_much_is_not_read() {
    // A head that promises 60000 × 60000 dots, and nothing behind it.
    let mut bytes = picture(1, 1, ImageFormat::Png);
    bytes.splice(16..24, [0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let crc = crc32(&bytes[12..29]);
    bytes.splice(29..33, crc.to_be_bytes());
    assert_eq!(mark("a.png", &bytes, &line()), Err(Unmarked::Large));
    assert_eq!(mark("a.png", &picture(9, 9, ImageFormat::Png)[..40], &line()), Err(Unmarked::Damaged));
    assert_eq!(mark("a.jpg", &picture(9, 9, ImageFormat::Png), &line()), Err(Unmarked::Damaged));
}

/// The check sum of a part of a PNG.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}
