//! Reading a bundle: a tar, or the folder it was unpacked to. Bounded, so that a hostile file cannot fill the memory.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// Most bytes of one file.
pub const MAX_FILE: u64 = 64 << 20;
/// Most bytes of all files.
pub const MAX_BUNDLE: u64 = 1 << 30;
/// Most files.
pub const MAX_FILES: usize = 100_000;

/// A bundle that cannot be read at all (exit code 3).
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file or folder cannot be opened.
    #[error("cannot read {what}: {source}")]
    Io {
        /// Which.
        what: String,
        /// Why.
        source: std::io::Error,
    },
    /// Too large.
    #[error("{0} is larger than a bundle can be")]
    TooLarge(String),
    /// A file that every bundle has is missing or not what it should be.
    #[error("this is not a bundle: {0}")]
    NotABundle(String),
}

/// Files by path.
#[derive(Clone, Debug, Default)]
pub struct Bundle {
    /// Contents by path.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Bundle {
    /// Opens a tar or a folder.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn open(path: &Path) -> Result<Bundle, Unreadable> {
        let io = |source| Unreadable::Io { what: path.display().to_string(), source };
        if std::fs::metadata(path).map_err(io)?.is_dir() {
            let mut bundle = Bundle::default();
            bundle.read_folder(path, "", 0)?;
            return Ok(bundle);
        }
        let file = std::fs::File::open(path).map_err(io)?;
        Bundle::read_tar(std::io::BufReader::new(file), &path.display().to_string())
    }

    /// Reads a tar.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn read_tar(reader: impl Read, name: &str) -> Result<Bundle, Unreadable> {
        let io = |source| Unreadable::Io { what: name.to_owned(), source };
        let mut bundle = Bundle::default();
        let mut archive = tar::Archive::new(reader);
        for entry in archive.entries().map_err(io)? {
            let mut entry = entry.map_err(io)?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let path = entry.path().map_err(io)?.to_string_lossy().into_owned();
            bundle.add(path, &mut entry)?;
        }
        Ok(bundle)
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), Unreadable> {
        let io = |source| Unreadable::Io { what: folder.display().to_string(), source };
        if depth > 8 {
            return Err(Unreadable::TooLarge(folder.display().to_string()));
        }
        for entry in std::fs::read_dir(folder).map_err(io)? {
            let entry = entry.map_err(io)?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type().map_err(io)?;
            if kind.is_dir() {
                self.read_folder(&entry.path(), &format!("{name}/"), depth + 1)?;
            } else if kind.is_file() {
                let mut file = std::fs::File::open(entry.path()).map_err(io)?;
                self.add(name, &mut file)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, path: String, reader: &mut dyn Read) -> Result<(), Unreadable> {
        let mut bytes = Vec::new();
        let read = reader.take(MAX_FILE + 1).read_to_end(&mut bytes);
        read.map_err(|source| Unreadable::Io { what: path.clone(), source })?;
        let total: usize = self.files.values().map(Vec::len).sum();
        let too_large = bytes.len() as u64 > MAX_FILE || (total + bytes.len()) as u64 > MAX_BUNDLE;
        if too_large || self.files.len() >= MAX_FILES {
            return Err(Unreadable::TooLarge(path));
        }
        self.files.insert(path, bytes);
        Ok(())
    }

    /// The content of `path`.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// The content of `path` as text.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.get(path).and_then(|bytes| std::str::from_utf8(bytes).ok())
    }
}
