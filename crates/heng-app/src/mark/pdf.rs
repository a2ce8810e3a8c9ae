//! The mark on every page of a PDF, slanted and pale over what stands there.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lopdf::{Dictionary, Document, LoadOptions, Object, ObjectId, Stream, dictionary};

use super::Unmarked;

/// Most pages.
const PAGES: usize = 3000;
/// Most bytes that a stream of the file's own structure may unfold to, and most such streams: real ones are far smaller.
const UNFOLDED: usize = 2 << 20;
const STREAMS: usize = 256;
/// Most bytes of marks: a file of many pages that all differ in size gets many.
const MARKS: usize = 16 << 20;
/// How deep a page may lie in the tree of pages.
const DEPTH: usize = 64;

/// A rectangle: left, bottom, right, top, in whole points.
type Rectangle = [i64; 4];

pub(super) fn mark(bytes: &[u8], line: &str, name: &str) -> Result<Vec<u8>, Unmarked> {
    let names = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'/').filter_map(|(at, _)| bytes.get(at + 1..));
    if names.filter(|rest| is_named(rest, b"ObjStm")).count() > STREAMS {
        return Err(Unmarked::Large);
    }
    let options = LoadOptions::with_max_decompressed_size(UNFOLDED);
    let mut document = match Document::load_mem_with_options(bytes, options) {
        Ok(document) => document,
        Err(lopdf::Error::InvalidPassword | lopdf::Error::Decryption(_)) => return Err(Unmarked::Encrypted),
        Err(_) => return Err(Unmarked::Damaged),
    };
    // What opens without a password is encrypted all the same, and would be written in clear.
    if document.is_encrypted() || document.was_encrypted() {
        return Err(Unmarked::Encrypted);
    }
    let pages: Vec<ObjectId> = document.page_iter().take(PAGES + 1).collect();
    match pages.len() {
        0 => return Err(Unmarked::Damaged),
        count if count > PAGES => return Err(Unmarked::Large),
        _ => {}
    }
    write(&mut document, &pages, line, name)
}

/// Whether a name of the file begins so, also with its letters written as `#4F`.
fn is_named(rest: &[u8], name: &[u8]) -> bool {
    let mut rest = rest.iter().copied();
    name.iter().all(|wanted| match rest.next() {
        Some(b'#') => {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let (high, low) = (digit(rest.next()), digit(rest.next()));
            high.zip(low).is_some_and(|(high, low)| high * 16 + low == u32::from(*wanted))
        }
        found => found == Some(*wanted),
    })
}

fn write(document: &mut Document, pages: &[ObjectId], line: &str, person: &str) -> Result<Vec<u8>, Unmarked> {
    let damaged = |_: lopdf::Error| Unmarked::Damaged;
    let mut size = 0;
    let font = document.add_object(dictionary! {
        "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica", "Encoding" => "WinAnsiEncoding",
    });
    let han = han(document);
    let pale = document.add_object(dictionary! { "Type" => "ExtGState", "ca" => Object::Real(0.28) });
    let resources = dictionary! {
        "Font" => dictionary! { "F" => font, "H" => han }, "ExtGState" => dictionary! { "G" => pale },
    };
    // Whatever the page's own instructions leave behind must not move the mark: they are put in brackets.
    let open = document.add_object(Stream::new(Dictionary::new(), b"q\n".to_vec()));
    let mut forms: BTreeMap<Rectangle, (ObjectId, String, ObjectId)> = BTreeMap::new();
    for page in pages {
        let shown = rectangle(document, *page);
        let (form, name, show) = match forms.get(&shown) {
            Some(form) => form.clone(),
            None => {
                let form = form(shown, line, person, &resources);
                size += form.content.len();
                if size > MARKS {
                    return Err(Unmarked::Large);
                }
                let form = document.add_object(form);
                let name = format!("HengMark{}", form.0);
                let show = format!("\nQ\nq\n/{name} Do\nQ\n").into_bytes();
                let made = (form, name, document.add_object(Stream::new(Dictionary::new(), show)));
                forms.insert(shown, made.clone());
                made
            }
        };
        let mut contents = vec![Object::Reference(open)];
        contents.extend(contents_of(document, *page).map_err(damaged)?);
        contents.push(Object::Reference(show));
        document.add_xobject(*page, name, form).map_err(damaged)?;
        document.get_dictionary_mut(*page).map_err(damaged)?.set("Contents", contents);
    }
    let mut out = Vec::new();
    document.save_to(&mut out).map_err(|_| Unmarked::Damaged)?;
    Ok(out)
}

/// A face for names: every reader of documents in Chinese has one under this name, so none is carried along.
fn han(document: &mut Document) -> ObjectId {
    let edges: Vec<Object> = [-25, -254, 1000, 880].into_iter().map(Object::Integer).collect();
    let face = document.add_object(dictionary! {
        "Type" => "FontDescriptor", "FontName" => "STSong-Light", "Flags" => 6, "FontBBox" => edges,
        "ItalicAngle" => 0, "Ascent" => 880, "Descent" => -120, "CapHeight" => 880, "StemV" => 93,
    });
    let system = dictionary! {
        "Registry" => Object::string_literal("Adobe"), "Ordering" => Object::string_literal("GB1"), "Supplement" => 5,
    };
    let glyphs = document.add_object(dictionary! {
        "Type" => "Font", "Subtype" => "CIDFontType0", "BaseFont" => "STSong-Light", "CIDSystemInfo" => system,
        "DW" => 1000, "FontDescriptor" => face,
    });
    document.add_object(dictionary! {
        "Type" => "Font", "Subtype" => "Type0", "BaseFont" => "STSong-Light", "Encoding" => "UniGB-UTF16-H",
        "DescendantFonts" => vec![Object::Reference(glyphs)],
    })
}

/// The page's own instructions, as a list.
fn contents_of(document: &Document, page: ObjectId) -> lopdf::Result<Vec<Object>> {
    let direct = document.get_dictionary(page)?.get(b"Contents");
    Ok(match direct {
        Ok(Object::Array(list)) => list.clone(),
        Ok(Object::Reference(id)) => match document.get_object(*id) {
            Ok(Object::Array(list)) => list.clone(),
            Ok(_) => vec![Object::Reference(*id)],
            Err(_) => Vec::new(),
        },
        _ => Vec::new(),
    })
}

/// The part of a page that is shown: its own, or that of a node above it.
fn rectangle(document: &Document, page: ObjectId) -> Rectangle {
    let inherited = |key: &[u8]| {
        let mut node = page;
        for _ in 0..DEPTH {
            let dictionary = document.get_dictionary(node).ok()?;
            if let Ok(found) = dictionary.get_deref(key, document) {
                return numbers(document, found);
            }
            node = dictionary.get(b"Parent").and_then(Object::as_reference).ok()?;
        }
        None
    };
    inherited(b"CropBox").or_else(|| inherited(b"MediaBox")).unwrap_or([0, 0, 595, 842])
}

fn numbers(document: &Document, found: &Object) -> Option<Rectangle> {
    let each = found.as_array().ok()?.iter().map(|object| {
        let (_, object) = document.dereference(object).ok()?;
        // A page of fourteen thousand points is the largest that the format allows.
        Some((object.as_float().ok()? as i64).clamp(-20_000, 20_000))
    });
    let [a, b, c, d]: Rectangle = each.collect::<Option<Vec<i64>>>()?.try_into().ok()?;
    let found = [a.min(c), b.min(d), a.max(c), b.max(d)];
    (found[2] > found[0] && found[3] > found[1]).then_some(found)
}

/// The mark for pages of this size: the line again and again, rising from left to right.
fn form(shown: Rectangle, line: &str, person: &str, resources: &Dictionary) -> Stream {
    let [left, bottom, right, top] = shown;
    let text = line.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
    let person: String = person.encode_utf16().map(|unit| format!("{unit:04X}")).collect();
    let mut content = "/G gs\n0.35 g\nBT\n".to_owned();
    let letters = line.len() + person.len() / 2;
    // On a large sheet the letters grow, so that no page holds more of them than one may read.
    let scale = ((right - left).max(top - bottom) / 1500).max(1);
    let (size, high) = (13 * scale, 150 * scale);
    let wide = size * i64::try_from(letters).unwrap_or(40) * 6 / 10;
    let mut y = bottom - wide / 2;
    while y < top {
        let mut x = left - (y - bottom).rem_euclid(high * 2) / 2;
        while x < right {
            // Writing to a string cannot fail. Cosine and sine of 25 degrees.
            let _ = writeln!(content, "0.906 0.423 -0.423 0.906 {x} {y} Tm /F {size} Tf ({text}) Tj");
            if !person.is_empty() {
                let _ = writeln!(content, "( ) Tj /H {size} Tf <{person}> Tj");
            }
            x += wide + 60 * scale;
        }
        y += high;
    }
    content.push_str("ET\n");
    let rectangle: Vec<Object> = shown.iter().map(|edge| Object::Integer(*edge)).collect();
    let head = dictionary! {
        "Type" => "XObject", "Subtype" => "Form", "BBox" => rectangle, "Resources" => resources.clone(),
    };
    Stream::new(head, content.into_bytes())
}
