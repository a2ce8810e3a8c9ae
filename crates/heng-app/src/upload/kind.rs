//! What a file is, by its content. The extension must agree with it.
//!
//! The files are only kept and given back, never opened here but for the directory of an Office file. What is looked for
//! is what would surprise whoever opens them: a program under the name of a document, or a file that is two things.

use std::io::{BufRead, Read, Seek, SeekFrom};

use infer::MatcherType;
use serde::{Deserialize, Serialize};

use crate::upload::UploadLimits;
use crate::upload::container;
use crate::upload::error::{Fault, UploadError};
use crate::upload::name::extension;

/// Kinds of files that are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// Portable Document Format.
    Pdf,
    /// A photograph.
    Jpeg,
    /// A picture.
    Png,
    /// A spreadsheet (Office Open XML).
    Xlsx,
    /// A text document (Office Open XML).
    Docx,
    /// Plain text, UTF-8.
    Text,
    /// A table in plain text, UTF-8.
    Csv,
    /// A film.
    Mp4,
}

/// Extensions, and what they promise.
const EXTENSIONS: [(&str, FileKind); 9] = [
    ("pdf", FileKind::Pdf),
    ("jpg", FileKind::Jpeg),
    ("jpeg", FileKind::Jpeg),
    ("png", FileKind::Png),
    ("xlsx", FileKind::Xlsx),
    ("docx", FileKind::Docx),
    ("txt", FileKind::Text),
    ("csv", FileKind::Csv),
    ("mp4", FileKind::Mp4),
];

impl FileKind {
    /// What the extension of a name promises.
    ///
    /// # Errors
    /// [`Fault::Kind`].
    pub fn promised(name: &str) -> Result<FileKind, Fault> {
        let extension = extension(name);
        let known = EXTENSIONS.iter().find(|(known, _)| *known == extension);
        known.map(|(_, kind)| *kind).ok_or(Fault::Kind { extension })
    }

    /// The media type under which it is given back.
    pub const fn mime(self) -> &'static str {
        match self {
            FileKind::Pdf => "application/pdf",
            FileKind::Jpeg => "image/jpeg",
            FileKind::Png => "image/png",
            FileKind::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            FileKind::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            FileKind::Text => "text/plain; charset=utf-8",
            FileKind::Csv => "text/csv; charset=utf-8",
            FileKind::Mp4 => "video/mp4",
        }
    }

    /// All extensions, as a sentence names them and as the file dialog of a browser takes them.
    pub fn list() -> String {
        EXTENSIONS.map(|(extension, _)| format!(".{extension}")).join(", ")
    }
}

/// Bytes looked at from the beginning.
const HEAD: u64 = 8 << 10;
/// Where a PDF reader looks for a header.
const PDF_HEADER_WITHIN: usize = 1024;
/// Bytes looked at from the end: the directory of an archive ends in its last 64 KiB.
const TAIL: u64 = (64 << 10) + 22;

/// Checks that a file is what it promises.
///
/// # Errors
/// [`UploadError::Refused`]; [`UploadError::Failed`] if it cannot be read.
pub(crate) fn check<R: BufRead + Seek>(
    reader: &mut R,
    size: u64,
    promised: FileKind,
    name: &str,
    limits: &UploadLimits,
) -> Result<(), UploadError> {
    let head = part(reader, 0, HEAD)?;
    let found = infer::get(&head);
    let kind_found = found.as_ref().map(|found| (found.matcher_type(), found.mime_type()));
    if head.starts_with(b"MZ") || head.starts_with(b"#!") || matches!(kind_found, Some((MatcherType::App, _))) {
        return Err(Fault::Program.into());
    }
    if is_markup(&head) {
        return Err(Fault::Markup.into());
    }
    let mismatch = || {
        let found = found.as_ref().map_or("?", |found| found.extension());
        Fault::Mismatch { extension: extension(name), found: found.to_owned() }
    };
    let pdf_header = head.windows(5).take(PDF_HEADER_WITHIN).position(|window| window == b"%PDF-");
    if pdf_header.is_some_and(|at| at > 0) {
        return Err(Fault::Polyglot.into());
    }
    // Text has no magic number: two letters at its beginning may look like one.
    if matches!(promised, FileKind::Text | FileKind::Csv) {
        let known = pdf_header.is_some() || head.starts_with(b"PK\x03\x04");
        return match (is_text(reader)?, known || found.is_some()) {
            (true, _) if !known => Ok(()),
            (false, false) => Err(Fault::Text.into()),
            _ => Err(mismatch().into()),
        };
    }
    let office = matches!(promised, FileKind::Xlsx | FileKind::Docx);
    if office && head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return Err(Fault::OldOffice.into());
    }
    let agrees = match promised {
        FileKind::Pdf => pdf_header == Some(0),
        FileKind::Mp4 => matches!(kind_found, Some((_, "video/mp4" | "video/x-m4v"))),
        FileKind::Xlsx | FileKind::Docx => head.starts_with(b"PK\x03\x04"),
        _ => matches!(kind_found, Some((_, mime)) if mime == promised.mime()),
    };
    if !agrees {
        return Err(mismatch().into());
    }
    if office {
        let kind = container::check(reader, size, limits)?;
        if kind != promised {
            let found = if kind == FileKind::Docx { "docx" } else { "xlsx" };
            return Err(Fault::Mismatch { extension: extension(name), found: found.to_owned() }.into());
        }
        return Ok(());
    }
    let tail_from = size.saturating_sub(TAIL);
    let tail = part(reader, tail_from, TAIL)?;
    if ends_as_archive(reader, tail_from, &tail)? {
        return Err(Fault::Polyglot.into());
    }
    let complete = match promised {
        FileKind::Pdf => tail.windows(5).any(|window| window == b"%%EOF"),
        FileKind::Png => tail.ends_with(b"IEND\xaeB`\x82"),
        _ => true,
    };
    if complete { Ok(()) } else { Err(Fault::Cut.into()) }
}

pub(super) fn part<R: Read + Seek>(reader: &mut R, from: u64, length: u64) -> std::io::Result<Vec<u8>> {
    reader.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    reader.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// HTML, SVG and XML begin with a bracket, in UTF-8 or UTF-16, after blanks.
fn is_markup(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let wide = head.strip_prefix(b"\xff\xfe").or_else(|| head.strip_prefix(b"\xfe\xff"));
    let blank = |byte: &u8| byte.is_ascii_whitespace() || (wide.is_some() && *byte == 0);
    wide.unwrap_or(head).iter().find(|byte| !blank(byte)) == Some(&b'<')
}

/// UTF-8 without control characters, read piece by piece.
fn is_text<R: BufRead + Seek>(reader: &mut R) -> std::io::Result<bool> {
    reader.seek(SeekFrom::Start(0))?;
    // The beginning of a character whose end lies in the next piece.
    let mut rest: Vec<u8> = Vec::new();
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(rest.is_empty());
        }
        let length = bytes.len();
        rest.extend_from_slice(bytes);
        let valid = match std::str::from_utf8(&rest) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return Ok(false),
        };
        if rest.iter().any(|byte| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r' | b'\x0c')) {
            return Ok(false);
        }
        rest.drain(..valid);
        reader.consume(length);
    }
}

/// True if a program for archives would find one at the end: the end of a directory, and the directory before it.
fn ends_as_archive<R: Read + Seek>(reader: &mut R, tail_from: u64, tail: &[u8]) -> std::io::Result<bool> {
    for (at, record) in tail.windows(22).enumerate().filter(|(_, window)| window.starts_with(b"PK\x05\x06")) {
        let Some(length) = record.get(12..).and_then(|rest| rest.first_chunk::<4>()) else { continue };
        let end = tail_from + at as u64;
        let Some(start) = end.checked_sub(u64::from(u32::from_le_bytes(*length))) else { continue };
        if part(reader, start, 4)? == b"PK\x01\x02" {
            return Ok(true);
        }
    }
    Ok(false)
}
