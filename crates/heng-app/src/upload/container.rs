//! Office files are ZIP archives: what may be in one, seen from its directory, and what its entries really unpack to.
//!
//! Nothing is unpacked to a disk; entries are unpacked into nothing, and only so far as the directory says.

use std::io::{Cursor, Read, Seek};

use zip::{CompressionMethod, ZipArchive, result::ZipError};

use crate::upload::UploadLimits;
use crate::upload::error::{Fault, UploadError};
use crate::upload::kind::{FileKind, part};

/// The record at the end of an archive, without a comment.
const END: u64 = 22;
/// A directory is read into memory as a whole.
const DIRECTORY_LIMIT: u64 = 4 << 20;
/// A spreadsheet behind a chart in a text document is looked into, in memory.
const EMBEDDED_LIMIT: u64 = 16 << 20;
/// Small archives may unpack to many times their size without harm.
const HARMLESS: u64 = 16 << 20;

/// Beginnings of archives: ZIP, RAR, 7z, gzip, bzip2, xz, cabinet.
const ARCHIVES: [&[u8]; 8] =
    [b"PK\x03\x04", b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"MSCF"];

/// An entry of the directory.
struct Entry {
    index: usize,
    name: String,
    start: u64,
    packed: u64,
    size: u64,
}

/// Checks an Office file and says which kind it is.
///
/// # Errors
/// [`UploadError::Refused`]; [`UploadError::Failed`] if it cannot be read.
pub(crate) fn check<R: Read + Seek>(reader: &mut R, size: u64, limits: &UploadLimits) -> Result<FileKind, UploadError> {
    check_at(reader, size, limits, 0)
}

fn check_at<R: Read + Seek>(
    reader: &mut R,
    size: u64,
    limits: &UploadLimits,
    depth: u8,
) -> Result<FileKind, UploadError> {
    let count = end_record(reader, size, limits)?;
    let mut archive = ZipArchive::new(reader).map_err(zip_error)?;
    if archive.offset() != 0 || archive.len() != count || archive.has_duplicate_names() {
        return Err(Fault::Container.into());
    }
    let entries = directory(&archive)?;
    let unpacked = entries.iter().try_fold(0_u64, |sum, entry| sum.checked_add(entry.size)).unwrap_or(u64::MAX);
    if unpacked > limits.archive_bytes || (unpacked > HARMLESS && unpacked / limits.archive_ratio.max(1) > size) {
        return Err(Fault::Bomb.into());
    }
    for entry in &entries {
        unpack(&mut archive, entry, limits, depth)?;
    }
    let has = |name: &str| entries.iter().any(|entry| entry.name == name);
    match (has("[Content_Types].xml"), has("word/document.xml"), has("xl/workbook.xml")) {
        (true, true, false) => Ok(FileKind::Docx),
        (true, false, true) => Ok(FileKind::Xlsx),
        _ => Err(Fault::Container.into()),
    }
}

/// Reads the record at the end before anything else does: a directory of millions of entries must not be read at all.
/// The archive must fill the file from its first byte to its last one, so that it cannot be two things; Office files have
/// neither comments nor the 64-bit form.
fn end_record<R: Read + Seek>(reader: &mut R, size: u64, limits: &UploadLimits) -> Result<usize, UploadError> {
    let wrong = || UploadError::from(Fault::Container);
    let end = size.checked_sub(END).ok_or_else(wrong)?;
    let record = part(reader, end, END)?;
    let short = |at: usize| record.get(at..).and_then(|r| r.first_chunk()).map_or(0, |b| u16::from_le_bytes(*b));
    let long =
        |at: usize| record.get(at..).and_then(|r| r.first_chunk()).map_or(0, |b| u64::from(u32::from_le_bytes(*b)));
    let (disks, count, length, start, comment) = (long(4), short(10), long(12), long(16), short(20));
    if !record.starts_with(b"PK\x05\x06") || disks != 0 || short(8) != count || comment != 0 || start + length != end {
        return Err(wrong());
    }
    if part(reader, 0, 4)? != b"PK\x03\x04" || part(reader, end.saturating_sub(20), 4)? == b"PK\x06\x07" {
        return Err(wrong());
    }
    if u32::from(count) > limits.archive_entries || length > DIRECTORY_LIMIT {
        return Err(Fault::Bomb.into());
    }
    Ok(usize::from(count))
}

/// The entries in the order of the file, which must not overlap: one compressed block that many entries share unpacks to
/// petabytes.
fn directory<R: Read + Seek>(archive: &ZipArchive<R>) -> Result<Vec<Entry>, UploadError> {
    let metadata = archive.metadata();
    let mut entries = Vec::with_capacity(metadata.len());
    for index in 0..metadata.len() {
        let entry = metadata.entry(index).map_err(zip_error)?;
        let name = entry.name().map_err(zip_error)?.into_owned();
        let outside = name.starts_with('/') || name.contains(['\\', ':', '\0']) || name.split('/').any(|p| p == "..");
        let known = matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated);
        if outside || !known || entry.encrypted() || entry.is_symlink() {
            return Err(Fault::Container.into());
        }
        let lower = name.to_lowercase();
        if lower.ends_with("vbaproject.bin") || lower.contains("/activex/") {
            return Err(Fault::Macros.into());
        }
        let (start, packed, size) = (entry.header_start(), entry.compressed_size(), entry.size());
        entries.push(Entry { index, name, start, packed, size });
    }
    entries.sort_by_key(|entry| entry.start);
    let overlap = entries.windows(2).any(|pair| match pair {
        // 30 bytes and the name stand before the content.
        [first, second] => {
            first.start.saturating_add(30 + first.name.len() as u64).saturating_add(first.packed) > second.start
        }
        _ => false,
    });
    if overlap { Err(Fault::Bomb.into()) } else { Ok(entries) }
}

/// Unpacks an entry into nothing: its size must be the one of the directory, and it must be neither archive nor program.
fn unpack<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    entry: &Entry,
    limits: &UploadLimits,
    depth: u8,
) -> Result<(), UploadError> {
    let mut content = archive.by_index(entry.index).map_err(zip_error)?;
    let read = |error| zip_error(ZipError::Io(error));
    let mut head = Vec::new();
    content.by_ref().take(64).read_to_end(&mut head).map_err(read)?;
    if head.starts_with(b"MZ") || head.starts_with(b"\x7fELF") || head.starts_with(b"#!") {
        return Err(Fault::Program.into());
    }
    let mut length = head.len() as u64;
    if ARCHIVES.iter().any(|beginning| head.starts_with(beginning)) {
        // A chart that was pasted from Excel carries its spreadsheet with it; deeper than that there is nothing to find.
        let promised = FileKind::promised(&entry.name);
        let office = matches!(promised, Ok(FileKind::Xlsx | FileKind::Docx)) && entry.name.contains("/embeddings/");
        if !office || depth > 0 || entry.size > EMBEDDED_LIMIT {
            return Err(Fault::Nested { entry: entry.name.clone() }.into());
        }
        content.by_ref().take(EMBEDDED_LIMIT).read_to_end(&mut head).map_err(read)?;
        length = head.len() as u64;
        if promised != Ok(check_at(&mut Cursor::new(head), length, limits, depth + 1)?) {
            return Err(Fault::Nested { entry: entry.name.clone() }.into());
        }
    } else {
        let beyond = (entry.size + 1).saturating_sub(length);
        length += std::io::copy(&mut content.take(beyond), &mut std::io::sink()).map_err(read)?;
    }
    if length == entry.size { Ok(()) } else { Err(Fault::Container.into()) }
}

/// A damaged archive is refused; a damaged store is not the archive's fault.
fn zip_error(error: ZipError) -> UploadError {
    match error {
        ZipError::Io(error) if error.get_ref().is_some_and(|e| e.is::<heng_store::StoreError>()) => error.into(),
        _ => Fault::Container.into(),
    }
}
