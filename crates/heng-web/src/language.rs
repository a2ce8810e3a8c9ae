//! The languages of the pages, and where each has its addresses.

use heng_domain::text::Lang;

/// A language that a reader chooses. Both kinds of Chinese read the same catalogue, [`Lang::Zh`]; `hant.rs` makes the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Language {
    /// Simplified Chinese, at the addresses themselves.
    #[default]
    Hans,
    /// Traditional Chinese, below `/hant`.
    Hant,
    /// English, below `/en`.
    En,
}

impl Language {
    /// All, in the order of the switch.
    pub const ALL: [Language; 3] = [Language::Hans, Language::Hant, Language::En];

    /// The language of an address, and the address without it.
    pub fn of_path(path: &str) -> (Language, &str) {
        for language in [Language::Hant, Language::En] {
            match path.strip_prefix(language.prefix()) {
                Some("") => return (language, "/"),
                Some(rest) if rest.starts_with('/') => return (language, rest),
                _ => {}
            }
        }
        (Language::Hans, path)
    }

    /// The language of a short form, as `code` gives it.
    pub fn of_code(code: &str) -> Option<Language> {
        Language::ALL.into_iter().find(|language| language.code() == code)
    }

    const fn prefix(self) -> &'static str {
        match self {
            Language::Hans => "",
            Language::Hant => "/hant",
            Language::En => "/en",
        }
    }

    /// The catalogue.
    pub const fn lang(self) -> Lang {
        match self {
            Language::Hans | Language::Hant => Lang::Zh,
            Language::En => Lang::En,
        }
    }

    /// The BCP 47 tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Language::Hant => "zh-Hant",
            Language::Hans | Language::En => self.lang().tag(),
        }
    }

    /// The short form for a query.
    pub const fn code(self) -> &'static str {
        match self {
            Language::Hant => "hant",
            Language::Hans | Language::En => self.lang().code(),
        }
    }

    /// Its own name, in itself: whoever looks for it can read it.
    pub const fn label(self) -> &'static str {
        match self {
            Language::Hans => "简",
            Language::Hant => "繁",
            Language::En => "English",
        }
    }

    /// An address in this language.
    pub fn href(self, path: &str) -> String {
        match (self, path) {
            (Language::Hans, path) => path.to_owned(),
            (_, "/") => self.prefix().to_owned(),
            _ => format!("{}{path}", self.prefix()),
        }
    }
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Language {
        match lang {
            Lang::Zh => Language::Hans,
            Lang::En => Language::En,
        }
    }
}
