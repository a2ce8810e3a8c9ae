//! Every sentence that a person reads stands in `data/messages/`: none is missing, none unused, none in the code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};

use crate::tidy::{ARROWS, code, sources};

type Messages = BTreeMap<String, BTreeMap<String, String>>;

/// Han characters that the pages' code may hold: names that are the same in every language of the pages.
const HAN: [&str; 4] = ["衡 Heng", "简", "繁", "提交申报"];

/// Keys that are put together from a prefix: titles of checks, units, ways to fill a form.
const PREFIXES: [&str; 13] = [
    "title_V-",
    "about_V-",
    "unit_",
    "can_",
    "cannot_",
    "objection_",
    "excluded_",
    "filter_",
    "login_",
    "sort_",
    "kind_",
    "unmarked_",
    "month_",
];

/// Parts of a record that only a machine reads are listed here in the desk, and need no name.
const DESCRIBE: &str = "crates/heng-app/src/desk/describe.rs";

/// Where the bodies of records and their parts are defined.
const BODIES: [&str; 5] = ["edition/events.rs", "office/events.rs", "ballot.rs", "draw.rs", "eligibility.rs"];

fn read_messages(root: &Path, lang: &str) -> Result<Messages> {
    let mut out = Messages::new();
    let folder = root.join("data/messages");
    let mut files: Vec<_> = std::fs::read_dir(&folder)?.collect::<std::io::Result<_>>()?;
    files.sort_by_key(std::fs::DirEntry::file_name);
    for file in files {
        let name = file.file_name().to_string_lossy().into_owned();
        if name != format!("{lang}.toml") && !name.ends_with(&format!(".{lang}.toml")) {
            continue;
        }
        let text = std::fs::read_to_string(file.path()).with_context(|| format!("cannot read {name}"))?;
        let table: Messages = toml::from_str(&text).with_context(|| format!("{name} is not a table of messages"))?;
        out.extend(table);
    }
    Ok(out)
}

fn places(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
}

/// Both languages have the same messages with the same places; what the code asks for exists; what exists is asked for.
pub(crate) fn check(root: &Path, wrong: &mut Vec<String>) -> Result<()> {
    let (zh, en) = (read_messages(root, "zh")?, read_messages(root, "en")?);
    let keys = |m: &Messages| -> BTreeMap<String, String> {
        m.iter().flat_map(|(s, k)| k.iter().map(move |(k, v)| (format!("{s}.{k}"), v.clone()))).collect()
    };
    let (zh, en) = (keys(&zh), keys(&en));
    for key in zh.keys().filter(|k| !en.contains_key(*k)) {
        wrong.push(format!("message {key} has no English"));
    }
    for (key, text) in &en {
        match zh.get(key) {
            None => wrong.push(format!("message {key} has no Chinese")),
            Some(other) if places(other) != places(text) && !key.starts_with("verify.s_") => {
                wrong.push(format!("message {key} has other places in Chinese than in English"));
            }
            Some(_) => {}
        }
    }
    let asked = Asked::read(root)?;
    for key in asked.keys.iter().filter(|key| !zh.contains_key(*key)) {
        wrong.push(format!("message {key} is missing"));
    }
    for key in zh.keys().filter(|key| !asked.uses(key)) {
        wrong.push(format!("message {key} is not used"));
    }
    han(root, wrong)
}

/// Which messages the code asks for.
struct Asked {
    /// Keys that must exist.
    keys: BTreeSet<String>,
    /// Sections of which exactly these keys may exist.
    exact: BTreeSet<&'static str>,
    /// Every word in quotes: a key of another section is used if it stands there.
    words: BTreeSet<String>,
}

impl Asked {
    fn read(root: &Path) -> Result<Asked> {
        let mut all = String::new();
        for (name, _) in ARROWS {
            for file in sources(&root.join("crates").join(name).join("src"))? {
                all.push_str(&code(&file)?);
            }
        }
        let mut desk = String::new();
        for file in sources(&root.join("crates/heng-app/src/desk"))? {
            desk.push_str(&code(&file)?);
        }
        let mut asked = Asked { keys: BTreeSet::new(), exact: BTreeSet::new(), words: quoted(&all).collect() };
        for section in ["act", "act_text"] {
            asked.exactly(section, kinds(root, &desk)?);
        }
        asked.exactly("refusal", refusal_codes(&all));
        asked.exactly("role", variants(&all, &["Role", "OfficeRole"]));
        asked.exactly("level", variants(&all, &["Level"]));
        asked.exactly("vote", variants(&all, &["Vote"]));
        asked.exactly("body", parts(root, &desk)?);
        let mut choices: BTreeSet<String> = ["yes", "no", "yuan", "by_unit", "by_person"].map(str::to_owned).into();
        choices.extend(after(&desk, "yes_no(").flat_map(|key| [format!("{key}_yes"), format!("{key}_no")]));
        asked.exactly("choice", choices);
        asked.require("wrong", after(&desk, "fail(").chain(second(&desk, "Wrong::new(")));
        let facts: Vec<String> =
            [" field(", "[field(", "(field("].iter().flat_map(|marker| after(&desk, marker)).collect();
        asked.words.extend(facts.iter().map(|fact| format!("fact_{fact}")));
        asked.require("field", facts.iter().map(|fact| format!("fact_{fact}")));
        for marker in ["words(", "message(lang, ", "plain(lang, "] {
            for (section, key) in pairs(&all, marker) {
                asked.require(&section, [key]);
            }
        }
        // The room of the rules has a section of its own.
        let rules = code(&root.join("crates/heng-web/src/rules.rs"))?;
        asked.require("rules", ["t(view, ", "tp(view, "].iter().flat_map(|marker| after(&rules, marker)));
        // Problems of rules, criteria and calendars: a code, then the places of its sentence.
        for file in ["rules/validate.rs", "criteria.rs", "calendar.rs"] {
            let text = code(&root.join("crates/heng-domain/src").join(file))?;
            asked.require("rules_problem", problem_codes(&text));
        }
        for marker in ["at.t(", "at.tp("] {
            asked.require("paper", after(&all, marker));
        }
        for marker in
            ["view.t(", "view.tp(", "self.t(", "self.tp(", " t(lang, ", "(t(lang, ", " tp(lang, ", "(tp(lang, "]
        {
            asked.require("web", after(&all, marker));
        }
        Ok(asked)
    }

    fn require(&mut self, section: &str, keys: impl IntoIterator<Item = String>) {
        self.keys.extend(keys.into_iter().map(|key| format!("{section}.{key}")));
    }

    fn exactly(&mut self, section: &'static str, keys: BTreeSet<String>) {
        self.exact.insert(section);
        self.require(section, keys);
    }

    fn uses(&self, key: &str) -> bool {
        let (section, name) = key.split_once('.').unwrap_or(("", key));
        self.keys.contains(key)
            || !self.exact.contains(section)
                && (self.words.contains(name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
    }
}

/// String literals.
fn quoted(code: &str) -> impl Iterator<Item = String> + '_ {
    let mut rest = code;
    std::iter::from_fn(move || {
        let start = opening(rest)?;
        let (raw, body) = match rest[..start].ends_with("r#") {
            true => ("\"#", &rest[start + 1..]),
            false => ("\"", &rest[start + 1..]),
        };
        let end = closing(body, raw)?;
        rest = &body[end + raw.len()..];
        Some(body[..end].to_owned())
    })
}

/// The next quote that opens a string: not one in a character literal.
fn opening(code: &str) -> Option<usize> {
    let mut places = code.match_indices('"').map(|(at, _)| at);
    places.find(|at| !code[..*at].ends_with('\'') && !code[..*at].ends_with("'\\") || code[..*at].ends_with("b'\"'"))
}

fn closing(body: &str, end: &str) -> Option<usize> {
    let escaped = |at: usize| body[..at].bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1;
    body.match_indices(end).map(|(at, _)| at).find(|at| end != "\"" || !escaped(*at))
}

/// The literal that begins `text`, and what follows it.
fn literal(text: &str) -> Option<(&str, &str)> {
    text.trim_start().strip_prefix('"')?.split_once('"')
}

/// Literals right after a marker.
fn after<'a>(code: &'a str, marker: &'a str) -> impl Iterator<Item = String> + 'a {
    code.split(marker).skip(1).filter_map(|rest| literal(rest).map(|(text, _)| text.to_owned()))
}

/// Section and key, where both stand in quotes after a marker.
fn pairs<'a>(code: &'a str, marker: &'a str) -> impl Iterator<Item = (String, String)> + 'a {
    code.split(marker).skip(1).filter_map(|rest| {
        let (section, rest) = literal(rest)?;
        let (key, _) = literal(rest.trim_start().strip_prefix(',')?)?;
        Some((section.to_owned(), key.to_owned()))
    })
}

/// The second argument of a call, where it is a literal; the first may be any expression.
fn second<'a>(code: &'a str, marker: &'a str) -> impl Iterator<Item = String> + 'a {
    code.split(marker).skip(1).filter_map(|rest| {
        let mut depth = 0;
        let comma = rest.char_indices().find(|(_, c)| {
            depth += i32::from(*c == '(') - i32::from(*c == ')');
            *c == ',' && depth == 0
        })?;
        literal(&rest[comma.0 + 1..]).map(|(text, _)| text.to_owned())
    })
}

/// `snake_case` names of the variants of enums.
fn variants(code: &str, enums: &[&str]) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for name in enums {
        let head = format!("enum {name} {{");
        let bodies = code.split(&head).skip(1).filter_map(|rest| rest.split('}').next());
        for variant in bodies.flat_map(str::lines).map(|line| line.trim().trim_end_matches(',')) {
            if variant.starts_with(|c: char| c.is_ascii_uppercase()) {
                out.insert(snake(variant));
            }
        }
    }
    out
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// The kinds of records that the desk offers, by the names of their types.
fn kinds(root: &Path, desk: &str) -> Result<BTreeSet<String>> {
    let mut kinds = BTreeMap::new();
    for log in ["edition", "office"] {
        let text = std::fs::read_to_string(root.join(format!("crates/heng-domain/src/{log}/events.rs")))?;
        for line in text.lines() {
            if let Some((name, kind)) = line.trim().split_once(" = \"")
                && let Some(kind) = kind.strip_suffix("\" {")
            {
                kinds.insert(name.to_owned(), kind.to_owned());
            }
        }
    }
    Ok(kind_types(desk).filter_map(|name| kinds.get(name).cloned()).collect())
}

/// `Name` wherever the desk says `Name::KIND`.
fn kind_types(desk: &str) -> impl Iterator<Item = &str> {
    let names =
        desk.match_indices("::KIND").filter_map(|(at, _)| desk[..at].rsplit(|c: char| !c.is_alphanumeric()).next());
    names.filter(|name| !name.is_empty())
}

/// Codes of problems: the last words in quotes before `&[`, or both of `if a { "x" } else { "y" }`.
fn problem_codes(text: &str) -> Vec<String> {
    let mut parts: Vec<&str> = text.split("&[").collect();
    parts.pop();
    let heads = parts.iter().map(|part| part.trim_end()).filter_map(|part| part.strip_suffix(','));
    heads
        .flat_map(|head| match head.strip_suffix('}') {
            Some(choice) => quoted(choice.rsplit_once("if ").map_or("", |(_, choice)| choice)).collect::<Vec<_>>(),
            None => quoted(head.rsplit_once(',').map_or("", |(_, last)| last)).collect(),
        })
        .collect()
}

/// Codes of refusals: the first literal after `refuse!(`, after the condition of `ensure!(`, or in `Refusal::new(`.
fn refusal_codes(all: &str) -> BTreeSet<String> {
    let is_code = |text: &str| {
        let dots = text.matches('.').count() == 1;
        dots && text.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'.' | b'_'))
    };
    let mut out = BTreeSet::new();
    for marker in ["refuse!(", "ensure!(", "Refusal::new("] {
        for rest in all.split(marker).skip(1) {
            let head: String = rest.chars().take(700).collect();
            let call = head.split(");").next().unwrap_or("");
            if let Some(code) = call.split('"').skip(1).step_by(2).find(|text| is_code(text)) {
                out.insert(code.to_owned());
            }
        }
    }
    out
}

/// Parts of records that a signer reads: the fields of the bodies that the desk writes, and of what these are made of.
fn parts(root: &Path, desk: &str) -> Result<BTreeSet<String>> {
    let describe = code(&root.join(DESCRIBE))?;
    let machine = describe.split("const MACHINE").nth(1).and_then(|rest| rest.split(';').nth(1)).unwrap_or_default();
    let machine: BTreeSet<String> = quoted(machine).collect();
    let mut types = BTreeMap::new();
    for file in BODIES {
        types.extend(fields(&code(&root.join("crates/heng-domain/src").join(file))?));
    }
    let mut open: Vec<String> = kind_types(desk).map(str::to_owned).collect();
    let mut out = BTreeSet::new();
    while let Some(fields) = open.pop().and_then(|name| types.remove(&name).or(Some(Vec::new()))) {
        for (name, kind) in fields.into_iter().filter(|(name, _)| !machine.contains(name)) {
            open.extend(kind.split(|c: char| !c.is_alphanumeric()).map(str::to_owned));
            out.insert(name);
        }
    }
    Ok(out)
}

/// Fields and their types, by the name of the struct or enum, or of the body of a record (`Name = "noun.verb" {`).
fn fields(code: &str) -> BTreeMap<String, Vec<(String, String)>> {
    let mut out: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut current = String::new();
    for line in code.lines().map(str::trim) {
        let of_type = line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum "));
        let of_kind = line.split_once(" = \"").filter(|_| line.ends_with("\" {")).map(|(name, _)| name);
        if let Some(name) = of_type.or(of_kind).and_then(|rest| rest.split([' ', '(', ';', '<']).next()) {
            current = name.to_owned();
        } else if let Some((name, kind)) = line.strip_suffix(',').and_then(|field| field.split_once(": ")) {
            let name = name.strip_prefix("pub ").unwrap_or(name);
            out.entry(current.clone()).or_default().push((name.to_owned(), kind.to_owned()));
        }
    }
    out
}

/// No Han character in a string of the pages: a sentence belongs into the catalogue, where it has its English.
fn han(root: &Path, wrong: &mut Vec<String>) -> Result<()> {
    for file in sources(&root.join("crates/heng-web/src"))? {
        if file.ends_with("tests.rs") || file.components().any(|part| part.as_os_str() == "tests") {
            continue;
        }
        let code = code(&file)?;
        for text in quoted(&code).filter(|text| text.chars().any(is_han) && !HAN.contains(&text.as_str())) {
            wrong.push(format!("{}: \"{text}\" belongs into data/messages", file.display()));
        }
    }
    Ok(())
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3007}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_found_and_characters_are_not_taken_for_them() {
        let code = r##"f('"', "a\"b", b'"', r#"x"y"#, "质")"##;
        assert_eq!(quoted(code).collect::<Vec<_>>(), ["a\\\"b", "x\"y", "质"]);
    }

    #[test]
    fn what_the_code_asks_for_is_found() {
        let code = r#"words("act", "a.b", &[]); Wrong::new(&name(1, 2), "late"); yes_no("support")"#;
        assert_eq!(pairs(code, "words(").collect::<Vec<_>>(), [("act".to_owned(), "a.b".to_owned())]);
        assert_eq!(second(code, "Wrong::new(").collect::<Vec<_>>(), ["late"]);
        assert_eq!(after(code, "yes_no(").collect::<Vec<_>>(), ["support"]);
        assert_eq!(
            variants("enum Role {\n    FundOfficer,\n    Chair,\n}", &["Role"]).into_iter().collect::<Vec<_>>(),
            ["chair", "fund_officer"]
        );
        assert_eq!(kind_types("kind: MotionOpened::KIND, x").collect::<Vec<_>>(), ["MotionOpened"]);
    }

    #[test]
    fn parts_of_bodies_are_found_by_their_type() {
        let code = "MotionOpened = \"motion.opened\" {\n    seats: u32,\n    rule: Rule,\n}\npub struct Rule {\n    pub num: u32,\n}";
        let fields = fields(code);
        assert_eq!(fields["MotionOpened"][1], ("rule".to_owned(), "Rule".to_owned()));
        assert_eq!(fields["Rule"], [("num".to_owned(), "u32".to_owned())]);
    }
}
