//! Traditional Chinese (繁體中文) of a text: OpenCC's tables in the writing of Taiwan, and our glossary of what these do not
//! know about the field, `data/messages/hant.toml`. Pages are converted in `heng-web/src/hant.rs`, messages in the outbox.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use ferrous_opencc::OpenCC;
use ferrous_opencc::config::BuiltinConfig;
use heng_domain::text::Lang;

use crate::heng::Heng;

/// An entry of the glossary.
#[derive(serde::Deserialize)]
struct Entry {
    from: String,
    to: String,
    /// Another word rather than another writing: not to be used in names.
    #[serde(skip)]
    word: bool,
}

#[derive(Default, serde::Deserialize)]
struct Glossary {
    writing: Vec<Entry>,
    word: Vec<Entry>,
}

/// The glossary by first character, longest entries first.
static ENTRIES: LazyLock<BTreeMap<char, Vec<Entry>>> = LazyLock::new(|| {
    // A broken file is caught by a test before it can ship; at run time the tables of the library remain.
    let Glossary { writing, word } =
        toml::from_str(include_str!("../../../data/messages/hant.toml")).unwrap_or_default();
    let word = word.into_iter().map(|entry| Entry { word: true, ..entry });
    let mut entries: BTreeMap<char, Vec<Entry>> = BTreeMap::new();
    for entry in writing.into_iter().chain(word) {
        if let Some(first) = entry.from.chars().next() {
            entries.entry(first).or_default().push(entry);
        }
    }
    for list in entries.values_mut() {
        list.sort_by_key(|entry| std::cmp::Reverse(entry.from.len()));
    }
    entries
});

/// Without regional words: its table makes 程序, a procedure in law, into a computer program.
static LIBRARY: LazyLock<Option<OpenCC>> = LazyLock::new(|| OpenCC::from_config(BuiltinConfig::S2tw).ok());

/// The entries that fit at the beginning of `text`, longest first.
fn entries(text: &str) -> impl Iterator<Item = &'static Entry> {
    let list = text.chars().next().and_then(|first| ENTRIES.get(&first)).map_or(&[][..], Vec::as_slice);
    list.iter().filter(move |entry| text.starts_with(&entry.from))
}

/// Names that hold a word of the glossary, and in which it must not be exchanged; few, and mostly none.
#[derive(Clone, Debug, Default)]
pub struct Names(Vec<String>);

impl Names {
    /// Keeps those names that need keeping.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Names {
        let has_word = |name: &str| name.char_indices().any(|(at, _)| entries(&name[at..]).any(|entry| entry.word));
        Names(names.into_iter().filter(|name| has_word(name)).map(str::to_owned).collect())
    }

    /// The names in the office's register: who awards, what is awarded, to whom.
    pub fn of(heng: &Heng) -> Names {
        let Some(log) = heng.office_log() else { return Names::default() };
        let image = log.image();
        let Some(office) = image.state.office() else { return Names::default() };
        let texts = office.organisations.values().map(|(_, organisation)| &organisation.name);
        let texts = texts.chain(office.programmes.values().map(|programme| &programme.name));
        let texts = texts.chain(std::iter::once(&office.founded.name)).map(|text| text.get(Lang::Zh));
        Names::new(texts.chain(office.people.values().filter_map(|person| person.name.as_deref())))
    }

    /// Where in `text` words stay: names, titles of laws, and what stands before the year of a document number.
    fn places(&self, text: &str) -> Vec<Range<usize>> {
        let mut out = Vec::new();
        for name in &self.0 {
            out.extend(text.match_indices(name.as_str()).map(|(at, name)| at..at + name.len()));
        }
        for (at, _) in text.match_indices('《') {
            out.push(at..text[at..].find('》').map_or(text.len(), |end| at + end));
        }
        for (at, _) in text.match_indices('〔') {
            let start = text[..at].char_indices().rev().take_while(|(_, c)| c.is_alphanumeric()).last();
            out.extend(start.map(|(start, _)| start..at));
        }
        out
    }
}

/// A plain text in traditional Chinese.
pub fn text(text: &str, names: &Names) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let places = names.places(text);
    let kept = |range: Range<usize>| places.iter().any(|place| place.start < range.end && range.start < place.end);
    let library = |part: &str| LIBRARY.as_ref().map_or_else(|| part.to_owned(), |library| library.convert(part));
    let mut out = String::with_capacity(text.len());
    let (mut done, mut at) = (0, 0);
    while let Some(first) = text[at..].chars().next() {
        match entries(&text[at..]).find(|entry| !entry.word || !kept(at..at + entry.from.len())) {
            Some(entry) => {
                out.push_str(&library(&text[done..at]));
                out.push_str(&entry.to);
                at += entry.from.len();
                done = at;
            }
            None => at += first.len_utf8(),
        }
    }
    out.push_str(&library(&text[done..]));
    out
}

/// Names and other values that go into a text: only characters change.
pub fn characters(text: &str) -> String {
    LIBRARY.as_ref().map_or_else(|| text.to_owned(), |library| library.convert(text))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn field_words_are_exchanged_but_not_in_names() {
        let none = Names::default();
        assert_eq!(text("质量工作", &none), "品質工作");
        assert_eq!(text("云川市市长质量奖", &none), "雲川市市長質量獎");
        assert_eq!(text("依据《质量信息条例》和质量", &none), "依據《質量信息條例》和品質");
        assert_eq!(text("云质量〔2026〕12号", &none), "雲質量〔2026〕12號");
        assert_eq!(text("按程序办理，用 heng 程序核验", &none), "按程序辦理，用 heng 程式核驗");
        assert_eq!(text("公布、占名额、总账、平台", &none), "公布、占名額、總帳、平台");
        let names = Names::new(["云川质量信息公司", "云川公司", "占云"]);
        assert_eq!(names.0.len(), 1, "only names with a word of the glossary need keeping");
        assert_eq!(text("云川质量信息公司的质量", &names), "雲川質量信息公司的品質");
    }

    #[test]
    fn the_glossary_is_sound() {
        assert!(LIBRARY.is_some());
        let file: toml::Table = include_str!("../../../data/messages/hant.toml").parse().unwrap();
        let mut count = 0;
        for (section, list) in &file {
            assert!(matches!(section.as_str(), "writing" | "word"), "{section}");
            for entry in list.as_array().unwrap() {
                let get = |key: &str| entry.get(key).and_then(toml::Value::as_str).unwrap_or_default();
                assert!(!get("from").is_empty() && !get("to").is_empty() && !get("why").is_empty(), "{entry}");
                count += 1;
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        for entry in ENTRIES.values().flatten() {
            assert!(seen.insert(&entry.from), "{} stands twice", entry.from);
        }
        assert_eq!(seen.len(), count, "every entry is read");
    }

    #[test]
    fn in_values_only_characters_change() {
        assert_eq!(characters("云川质量信息公司"), "雲川質量信息公司");
        assert_eq!(characters("http://localhost/a?b=1"), "http://localhost/a?b=1");
    }
}
