//! Every form of the product against what people really send: nothing, too much, another kind, emoji, marks that turn the
//! direction, full-width digits, a pasted spreadsheet. What they then read stands in the tables beside this file
//! (`acts.zh.txt`, `forms.en.txt` …), form by form, so that each sentence has been read once and a changed one is seen
//! in review.
//!
//! `UPDATE=1 cargo test -p heng-web bad_input` writes the tables anew.

mod acts;
mod forms;
mod robot;
mod uploads;

use std::collections::BTreeMap;
use std::fmt::Write;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};

use super::{Came, Town};

/// The languages of the tables, with the beginning of their addresses.
const LANGS: [(&str, &str); 2] = [("zh", ""), ("en", "/en")];

/// What is typed, by a name for it.
type Typed = (&'static str, Vec<String>);

/// What people send into any field.
fn typed(most: usize) -> Vec<Typed> {
    let one = |what: &'static str, text: &str| (what, vec![text.to_owned()]);
    vec![
        ("left out", Vec::new()),
        one("empty", ""),
        one("blanks", " \u{3000} "),
        ("too long", vec!["长".repeat(most + 1)]),
        one("words", "twelve"),
        one("emoji", "👩‍🔬😀"),
        one("turning marks", "abc\u{202E}cba"),
        one("control character", "a\u{7}b"),
        one("full-width digits", "６５"),
        one("below zero", "-5"),
        one("decimals", "1.234"),
        one("spreadsheet", "单位\t营收\r\n云川锻造\t1,200.50\r\n云川纺织\t980"),
        one("markup", "<script>alert('x')</script>&amp;"),
        ("twice", vec!["65".to_owned(), "70".to_owned()]),
    ]
}

/// A text as it stands in a page.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A piece of a page as it is read.
fn read(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => text.push(c),
            _ => {}
        }
    }
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    text.split(from).skip(1).filter_map(|rest| rest.split(to).next()).collect()
}

/// The links of the error summary: where each leads, and what it says.
fn summary(page: &str) -> Vec<(String, String)> {
    let Some(list) = between(page, "id=\"errors\"", "</ul>").into_iter().next() else { return Vec::new() };
    let links = between(list, "<a href=\"", "</a>");
    links.iter().filter_map(|link| link.split_once("\">")).map(|(to, text)| (to.to_owned(), read(text))).collect()
}

/// What the person reads: the messages, or the page that says it.
fn message(came: &Came) -> String {
    let page = came.text();
    if came.status.is_redirection() || came.status == StatusCode::NO_CONTENT {
        return "—".to_owned();
    }
    if came.header("content-type").starts_with("application/json") {
        return came.json()["error"].as_str().unwrap_or("—").to_owned();
    }
    let mut said: Vec<String> = summary(&page).into_iter().map(|(_, text)| text).collect();
    said.extend(between(&page, "<p role=\"alert\">", "</p>").into_iter().map(read));
    if said.is_empty() && !came.status.is_success() {
        let heading = between(&page, "<h1", "</h1>").into_iter().next().unwrap_or_default();
        let heading = heading.split_once('>').map_or("", |(_, text)| text);
        let sentence = between(&page, "class=\"sentence\">", "</p>").into_iter().next().unwrap_or_default();
        said.push(format!("{} — {}", read(heading), read(sentence)));
    }
    if said.is_empty() { "—".to_owned() } else { said.join(" | ") }
}

/// What must hold of every answer, whatever was sent.
fn laws(what: &str, came: &Came) -> Vec<String> {
    let page = came.text();
    let mut broken = Vec::new();
    let mut hold = |holds: bool, law: &str| {
        if !holds {
            broken.push(format!("{what}: {} {law}", came.status));
        }
    };
    hold(!came.status.is_server_error(), "is an error of ours");
    hold(!came.header("content-type").starts_with("text/plain"), "is a bare sentence");
    for (to, text) in summary(&page) {
        let id = to.split('#').nth(1).unwrap_or_default();
        let there = page.contains(&format!(" id=\"{id}\""));
        hold(to.contains('/') || there, &format!("leads to #{id}, which is not there: {text}"));
    }
    let wrong = came.status == StatusCode::UNPROCESSABLE_ENTITY;
    hold(!wrong || message(came) != "—", "says nothing");
    hold(!page.contains("<script>alert"), "runs what was typed");
    broken
}

/// A form as a browser sends it.
fn form(path: &str, cookie: Option<&str>, fields: &[(String, String)]) -> Request<Body> {
    let body = fields.iter().map(|(name, value)| format!("{}={}", coded(name), coded(value))).collect::<Vec<_>>();
    let mut request = Request::builder().method("POST").uri(path);
    request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let body = body.join("&");
    request = request.header(header::CONTENT_LENGTH, body.len());
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    request.body(Body::from(body)).unwrap()
}

fn coded(text: &str) -> String {
    crate::work::encode(text)
}

/// The sizes of all logs: what was refused has written nothing.
fn sizes(town: &Town) -> Vec<u64> {
    town.heng().logs().iter().map(|log| log.image().state.position().0).collect()
}

/// What was read, for one form: field, then status and message, then what was typed.
#[derive(Default)]
struct Table(BTreeMap<String, BTreeMap<String, Vec<&'static str>>>);

impl Table {
    fn note(&mut self, field: &str, came: &Came, typed: &'static str) {
        let ok = came.status.is_success() || came.status.is_redirection();
        let said = if ok { "taken".to_owned() } else { format!("{} {}", came.status.as_u16(), message(came)) };
        self.0.entry(field.to_owned()).or_default().entry(said).or_default().push(typed);
    }

    fn render(&self, form: &str) -> String {
        let mut out = format!("== {form}\n");
        for (field, said) in &self.0 {
            let _ = writeln!(out, "{field}");
            for (said, typed) in said {
                let _ = writeln!(out, "    {said}   ← {}", typed.join(", "));
            }
        }
        out
    }
}

/// Compares a table with the one that was read.
fn compare(name: &str, lang: &str, tables: &BTreeMap<String, Table>) {
    let file = format!("{}/src/tests/bad_input/{name}.{lang}.txt", env!("CARGO_MANIFEST_DIR"));
    let written = tables.iter().map(|(form, table)| table.render(form)).collect::<Vec<_>>().join("\n");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &written).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    let changed: Vec<&str> = written.lines().filter(|line| !kept.lines().any(|k| k == *line)).take(20).collect();
    assert!(
        kept == written,
        "{file} is old; run UPDATE=1 cargo test -p heng-web bad_input and read what changed:\n{}",
        changed.join("\n")
    );
}
