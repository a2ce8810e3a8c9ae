//! Traditional Chinese: made from a finished page in simplified Chinese, in this one place.
//!
//! Characters and words come from OpenCC's tables, in the writing of Taiwan; what these do not know about the field
//! stands in `data/messages/hant.toml`. Converted is what is read: text, and the labels of controls. What a reader typed
//! or a browser sends back (values, text areas, addresses), code, and everything inside `translate="no"` stays as it is.
//!
//! Only text that says of itself that it is simplified (`lang="zh-Hans"`) is touched, and it then says `zh-Hant`: so
//! English parts stay, and converting twice changes nothing.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ferrous_opencc::OpenCC;
use ferrous_opencc::config::BuiltinConfig;
use heng_domain::text::Lang;

use crate::language::Language;
use crate::view::App;

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
    pub(crate) fn of(app: &App) -> Names {
        let Some(log) = app.heng().office_log() else { return Names::default() };
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

/// A whole page in traditional Chinese. It must be as `maud` writes it: quoted attributes, escaped text.
pub fn to_traditional(html: &str, names: &Names) -> String {
    convert(html, names, Scope { simplified: false, kept: false })
}

/// A part of a simplified page in traditional Chinese.
pub fn fragment(html: &str, names: &Names) -> String {
    convert(html, names, Scope { simplified: true, kept: false })
}

/// What holds inside an element.
#[derive(Clone, Copy)]
struct Scope {
    /// The text is in simplified Chinese.
    simplified: bool,
    /// Nothing may change.
    kept: bool,
}

impl Scope {
    fn converts(self) -> bool {
        self.simplified && !self.kept
    }
}

/// Elements without content.
const VOID: [&str; 13] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];
/// Elements whose content is for a machine, or goes back to it.
const KEPT: [&str; 6] = ["code", "kbd", "samp", "script", "style", "textarea"];
/// Those among them in which `<` begins no tag.
const RAW: [&str; 3] = ["script", "style", "textarea"];
/// Attributes that are read to somebody.
const LABELS: [&str; 5] = ["alt", "aria-label", "label", "placeholder", "title"];

fn convert(html: &str, names: &Names, outside: Scope) -> String {
    let mut out = String::with_capacity(html.len());
    let mut open: Vec<(&str, Scope)> = Vec::new();
    let mut rest = html;
    loop {
        let scope = open.last().map_or(outside, |(_, scope)| *scope);
        let (before, from) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
        if scope.converts() {
            out.push_str(&text(before, names))
        } else {
            out.push_str(before)
        }
        if from.is_empty() {
            return out;
        }
        let (tag, after) = from.split_at(end_of_tag(from));
        rest = after;
        if let Some(name) = tag.strip_prefix("</") {
            let name = name.trim_end_matches('>').trim_end();
            if let Some(at) = open.iter().rposition(|(opened, _)| *opened == name) {
                open.truncate(at);
            }
            out.push_str(tag);
        } else if tag.starts_with("<!") {
            out.push_str(tag);
        } else {
            let (name, inner) = start(tag, scope, names, &mut out);
            if VOID.contains(&name) || tag.ends_with("/>") {
                continue;
            }
            if RAW.contains(&name) {
                let (content, end) = rest.split_at(rest.find(&format!("</{name}")).unwrap_or(rest.len()));
                out.push_str(content);
                rest = end;
            }
            open.push((name, inner));
        }
    }
}

/// Where the tag ends at the beginning of `html`.
fn end_of_tag(html: &str) -> usize {
    if html.starts_with("<!--") {
        return html.find("-->").map_or(html.len(), |at| at + 3);
    }
    let mut quote = None;
    for (at, byte) in html.bytes().enumerate() {
        match (byte, quote) {
            (b'"' | b'\'', None) => quote = Some(byte),
            (_, Some(open)) if byte == open => quote = None,
            (b'>', None) => return at + 1,
            _ => {}
        }
    }
    html.len()
}

/// Writes a start tag with its labels converted; returns the element's name and what holds inside it.
fn start<'a>(tag: &'a str, outer: Scope, names: &Names, out: &mut String) -> (&'a str, Scope) {
    let ends = |c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/');
    let name = &tag[1..tag[1..].find(ends).map_or(tag.len(), |at| at + 1)];
    let attributes = attributes(tag);
    let value = |wanted: &str| attributes.iter().find(|(name, _)| *name == wanted).map(|(_, at)| &tag[at.clone()]);
    let scope = Scope {
        simplified: value("lang").map_or(outer.simplified, |lang| lang == Language::Hans.tag()),
        kept: outer.kept || value("translate") == Some("no"),
    };
    let mut done = 0;
    for (name, at) in attributes.iter().filter(|_| scope.converts()) {
        let new = match *name {
            "lang" => Language::Hant.tag().to_owned(),
            name if LABELS.contains(&name) => text(&tag[at.clone()], names),
            _ => continue,
        };
        out.push_str(&tag[done..at.start]);
        out.push_str(&new);
        done = at.end;
    }
    out.push_str(&tag[done..]);
    // An option without a value sends its text.
    let sent = name == "option" && value("value").is_none();
    (name, Scope { kept: scope.kept || sent || KEPT.contains(&name), ..scope })
}

/// The attributes of a start tag that have a quoted value, and where the value stands.
fn attributes(tag: &str) -> Vec<(&str, Range<usize>)> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(equals) = tag[at..].find(['=', '"', '\'']).map(|found| at + found) {
        let quote = tag[equals + 1..].chars().next().filter(|quote| matches!(quote, '"' | '\''));
        let (Some(quote), true) = (quote, tag[equals..].starts_with('=')) else {
            at = equals + 1;
            continue;
        };
        let first = equals + 2;
        let last = tag[first..].find(quote).map_or(tag.len(), |found| first + found);
        let name = tag[at..equals].rsplit(|c: char| c.is_ascii_whitespace()).next().unwrap_or_default();
        out.push((name, first..last));
        at = (last + 1).min(tag.len());
    }
    out
}

/// Turns every page below `/hant` into traditional Chinese; whatever is no page passes.
pub(crate) async fn pages(State(app): State<App>, request: Request, next: Next) -> Response {
    let (language, _) = Language::of_path(request.uri().path());
    let response = next.run(request).await;
    let is_page = |kind: &header::HeaderValue| kind.as_bytes().starts_with(b"text/html");
    if language != Language::Hant || !response.headers().get(header::CONTENT_TYPE).is_some_and(is_page) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // The page was made here and lies in memory: there is nothing to limit and hardly anything to fail.
    let page = to_bytes(body, usize::MAX).await.ok().and_then(|bytes| String::from_utf8(bytes.into()).ok());
    let Some(page) = page else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(to_traditional(&page, &Names::of(&app))))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
