//! Traditional Chinese: made from a finished page in simplified Chinese, in this one place.
//!
//! How a text is converted stands in `heng-app/src/hant.rs`. Converted is what is read: text, and the labels of controls. What a reader typed
//! or a browser sends back (values, text areas, addresses), code, and everything inside `translate="no"` stays as it is.
//!
//! Only text that says of itself that it is simplified (`lang="zh-Hans"`) is touched, and it then says `zh-Hant`: so
//! English parts stay, and converting twice changes nothing.

use std::ops::Range;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use heng_app::hant::{Names, text};

use crate::language::Language;
use crate::view::App;

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
    Response::from_parts(parts, Body::from(to_traditional(&page, &Names::of(app.heng()))))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
