//! Marked copies: whoever opens a file of a dossier gets a copy that says who opened it, when, and under which code.
//!
//! A PDF carries the line on every page, a picture across itself. What cannot be marked (another kind, too large,
//! encrypted, damaged) stays as it is; the caller notes why beside the opening (decision 0028). The bytes in the store,
//! and their hash in the record, never change.

mod letters;
mod pdf;
mod picture;

use crate::upload::FileKind;

/// Largest file that is marked: it is held in memory as a whole, and a reading aid needs no more.
pub const MOST_BYTES: u64 = 48 << 20;

/// Why a copy carries no mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmarked {
    /// Neither PDF nor PNG nor JPEG.
    Kind,
    /// Too many bytes, pages or pixels.
    Large,
    /// Encrypted: a mark would break it.
    Encrypted,
    /// It cannot be read.
    Damaged,
}

impl Unmarked {
    /// All reasons.
    pub const ALL: [Unmarked; 4] = [Unmarked::Kind, Unmarked::Large, Unmarked::Encrypted, Unmarked::Damaged];

    /// The name under which an opening keeps it.
    pub const fn name(self) -> &'static str {
        match self {
            Unmarked::Kind => "kind",
            Unmarked::Large => "large",
            Unmarked::Encrypted => "encrypted",
            Unmarked::Damaged => "damaged",
        }
    }
}

/// Whether a file of this name and size can be marked at all, before it is read.
///
/// # Errors
/// Why not.
pub fn markable(name: &str, size: u64) -> Result<(), Unmarked> {
    match FileKind::promised(name) {
        Ok(FileKind::Pdf | FileKind::Png | FileKind::Jpeg) if size <= MOST_BYTES => Ok(()),
        Ok(FileKind::Pdf | FileKind::Png | FileKind::Jpeg) => Err(Unmarked::Large),
        _ => Err(Unmarked::Kind),
    }
}

/// What a mark says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Handle, time and code.
    pub text: String,
    /// The reader's name, where the edition knows one; in any script, so pictures go without it.
    pub name: String,
}

/// A copy of `bytes` that carries `line`. Takes time and memory: call it where that blocks nobody.
///
/// # Errors
/// Why there is none.
pub fn mark(name: &str, bytes: &[u8], line: &Line) -> Result<Vec<u8>, Unmarked> {
    markable(name, u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
    // The letters that every reader of these formats has; handles, times and codes are made of nothing else.
    let text: String = line.text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect();
    match FileKind::promised(name) {
        Ok(FileKind::Pdf) => pdf::mark(bytes, &text, &line.name),
        Ok(FileKind::Png) => picture::mark(bytes, image::ImageFormat::Png, &text),
        Ok(FileKind::Jpeg) => picture::mark(bytes, image::ImageFormat::Jpeg, &text),
        _ => Err(Unmarked::Kind),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
