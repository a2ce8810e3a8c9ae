//! Why a file is not taken: each reason has a stable code, and a sentence in `data/messages/upload.*.toml`.

use heng_domain::messages;
use heng_domain::text::Lang;
use heng_store::StoreError;
use serde::{Deserialize, Serialize};

use crate::upload::kind::FileKind;

/// What is wrong with a file or its name. Sending it again would not help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// Nothing is left of the name, or it has no extension.
    NameEmpty,
    /// The name is too long.
    NameLong {
        /// Characters.
        chars: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// The name holds characters that cannot be seen or that turn the direction of the text.
    NameCharacters,
    /// The name means a device on Windows.
    NameReserved {
        /// The name.
        name: String,
    },
    /// Files with this extension are not taken.
    Kind {
        /// Extension.
        extension: String,
    },
    /// The file has no bytes.
    Empty,
    /// The file is too large.
    Size {
        /// Its bytes.
        size: u64,
        /// How many are allowed.
        limit: u64,
    },
    /// The content is not what the extension says.
    Mismatch {
        /// Extension.
        extension: String,
        /// What the content looks like.
        found: String,
    },
    /// The file is a program or a script, or carries one.
    Program,
    /// The file is a page: HTML, SVG, XML.
    Markup,
    /// The file could be read as two things.
    Polyglot,
    /// The end of the file is missing.
    Cut,
    /// A text that is not UTF-8 or holds control characters.
    Text,
    /// An Office file of the old kind, or one that is protected by a password.
    OldOffice,
    /// An Office file with macros.
    Macros,
    /// An Office file that is damaged or oddly made.
    Container,
    /// An Office file with another archive in it.
    Nested {
        /// Its name.
        entry: String,
    },
    /// An Office file that would unpack to far more than its size.
    Bomb,
}

impl Fault {
    /// Stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Fault::NameEmpty => "upload.name_empty",
            Fault::NameLong { .. } => "upload.name_long",
            Fault::NameCharacters => "upload.name_characters",
            Fault::NameReserved { .. } => "upload.name_reserved",
            Fault::Kind { .. } => "upload.kind",
            Fault::Empty => "upload.empty",
            Fault::Size { .. } => "upload.size",
            Fault::Mismatch { .. } => "upload.mismatch",
            Fault::Program => "upload.program",
            Fault::Markup => "upload.markup",
            Fault::Polyglot => "upload.polyglot",
            Fault::Cut => "upload.cut",
            Fault::Text => "upload.text",
            Fault::OldOffice => "upload.old_office",
            Fault::Macros => "upload.macros",
            Fault::Container => "upload.container",
            Fault::Nested { .. } => "upload.nested",
            Fault::Bomb => "upload.bomb",
        }
    }

    /// Parameters of the sentence.
    pub fn params(&self) -> Vec<(&'static str, String)> {
        match self {
            Fault::NameLong { chars, limit } => vec![("chars", chars.to_string()), ("limit", limit.to_string())],
            Fault::NameReserved { name } => vec![("name", name.clone())],
            Fault::Kind { extension } => vec![("extension", extension.clone()), ("allowed", FileKind::list())],
            Fault::Size { size, limit } => vec![("size", megabytes(*size)), ("limit", megabytes(*limit))],
            Fault::Mismatch { extension, found } => vec![("extension", extension.clone()), ("found", found.clone())],
            Fault::Nested { entry } => vec![("entry", entry.clone())],
            _ => Vec::new(),
        }
    }
}

/// As a file manager shows it, rounded up: a file that is one byte too large must not look as if it fitted.
fn megabytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10).div_ceil(1 << 20);
    if tenths.is_multiple_of(10) {
        format!("{} MB", tenths / 10)
    } else {
        format!("{}.{} MB", tenths / 10, tenths % 10)
    }
}

/// Why a step of an upload was not done.
#[derive(Debug)]
pub enum UploadError {
    /// The file or its name is refused.
    Refused(Fault),
    /// There is no such upload; it may be expired.
    Unknown,
    /// A piece does not begin where the file goes on.
    Offset {
        /// Where it begins.
        sent: u64,
        /// Where it should.
        received: u64,
    },
    /// A piece was sent again with another content: the file has changed in between.
    Differs {
        /// Where the piece begins.
        sent: u64,
    },
    /// A piece is empty, too large, too small, or reaches past the announced end.
    Piece {
        /// Its bytes.
        bytes: u64,
    },
    /// The file is not complete yet.
    Unfinished {
        /// Bytes received.
        received: u64,
        /// Bytes announced.
        size: u64,
    },
    /// Too many uploads are unfinished.
    TooMany {
        /// How many are allowed.
        limit: usize,
    },
    /// The store or the machine failed; trying again may help.
    Failed(StoreError),
}

impl UploadError {
    /// Stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            UploadError::Refused(fault) => fault.code(),
            UploadError::Unknown => "upload.unknown",
            UploadError::Offset { .. } => "upload.offset",
            UploadError::Differs { .. } => "upload.differs",
            UploadError::Piece { .. } => "upload.piece",
            UploadError::Unfinished { .. } => "upload.unfinished",
            UploadError::TooMany { .. } => "upload.too_many",
            UploadError::Failed(_) => "upload.failed",
        }
    }

    /// Parameters of the sentence.
    pub fn params(&self) -> Vec<(&'static str, String)> {
        match self {
            UploadError::Refused(fault) => fault.params(),
            UploadError::Offset { sent, received } => {
                vec![("sent", sent.to_string()), ("received", received.to_string())]
            }
            UploadError::Differs { sent } => vec![("sent", sent.to_string())],
            UploadError::Piece { bytes } => vec![("bytes", bytes.to_string())],
            UploadError::Unfinished { received, size } => {
                vec![("received", received.to_string()), ("size", size.to_string())]
            }
            UploadError::TooMany { limit } => vec![("limit", limit.to_string())],
            // What the store says is for the operator's log, not for a page.
            UploadError::Unknown | UploadError::Failed(_) => Vec::new(),
        }
    }

    /// The sentence: what was wrong, and what to do.
    pub fn message(&self, lang: Lang) -> String {
        let params = self.params();
        messages::message(lang, "upload", self.code(), params.iter().map(|(name, value)| (*name, value.as_str())))
    }
}

impl std::fmt::Display for UploadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message(Lang::En))
    }
}

impl std::error::Error for UploadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            UploadError::Failed(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Fault> for UploadError {
    fn from(fault: Fault) -> UploadError {
        UploadError::Refused(fault)
    }
}

impl From<StoreError> for UploadError {
    fn from(error: StoreError) -> UploadError {
        match error {
            StoreError::NotNext { start, received, .. } => UploadError::Offset { sent: start, received },
            error => UploadError::Failed(error),
        }
    }
}

impl From<std::io::Error> for UploadError {
    /// Errors of a reader are those of its store.
    fn from(error: std::io::Error) -> UploadError {
        UploadError::Failed(error.downcast::<StoreError>().unwrap_or_else(|error| StoreError::Io {
            what: "a file that was uploaded".to_owned(),
            detail: error.to_string(),
        }))
    }
}
