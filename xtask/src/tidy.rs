//! The rules of the house that a compiler does not check.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Which crates a crate may use: arrows point only downwards (design.md §5).
const ARROWS: [(&str, &[&str]); 7] = [
    ("heng-log", &[]),
    ("heng-domain", &["heng-log"]),
    ("heng-store", &[]),
    ("heng-verify", &["heng-log", "heng-domain"]),
    ("heng-app", &["heng-log", "heng-domain", "heng-store"]),
    ("heng-web", &["heng-log", "heng-domain", "heng-app", "heng-verify"]),
    ("heng", &["heng-log", "heng-domain", "heng-store", "heng-app", "heng-verify", "heng-web"]),
];

/// Crates without clock, network, file, thread or randomness.
const PURE: [&str; 2] = ["heng-log", "heng-domain"];

/// What a pure crate must not name, with the reason.
const BANNED: [(&str, &str); 10] = [
    ("std::fs", "files belong to heng-store and heng-app"),
    ("std::net", "the network belongs to heng-web"),
    ("std::thread", "threads belong to heng-app"),
    ("std::time", "time stands in the record"),
    ("std::env", "settings belong to the binary"),
    ("SystemTime", "time stands in the record"),
    ("Timestamp::now", "time stands in the record"),
    ("getrandom", "random values stand in the record"),
    ("HashMap", "iteration must have an order: use BTreeMap"),
    ("f64", "scores and votes are integers"),
];

/// Only these crates may name an engine or a framework.
const OWNERS: [(&str, &str); 4] =
    [("rusqlite", "heng-store"), ("postgres", "heng-store"), ("axum", "heng-web"), ("maud", "heng-web")];

type Messages = BTreeMap<String, BTreeMap<String, String>>;

/// Checks everything and lists all that is wrong.
pub(crate) fn check(root: &Path) -> Result<()> {
    let mut wrong = Vec::new();
    arrows(root, &mut wrong)?;
    pure(root, &mut wrong)?;
    owners(root, &mut wrong)?;
    messages(root, &mut wrong)?;
    kinds(root, &mut wrong)?;
    if wrong.is_empty() {
        println!("tidy: the house is in order");
        return Ok(());
    }
    for line in &wrong {
        eprintln!("tidy: {line}");
    }
    bail!("{} thing(s) are not in order", wrong.len())
}

fn manifest(root: &Path, name: &str) -> Result<toml::Table> {
    let path = root.join("crates").join(name).join("Cargo.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.parse()?)
}

fn arrows(root: &Path, wrong: &mut Vec<String>) -> Result<()> {
    for (name, allowed) in ARROWS {
        let manifest = manifest(root, name)?;
        let used = manifest.get("dependencies").and_then(|d| d.as_table()).into_iter().flat_map(|t| t.keys());
        for dependency in used.filter(|d| d.starts_with("heng")) {
            if !allowed.contains(&dependency.as_str()) {
                wrong.push(format!("{name} must not use {dependency}: arrows point only downwards"));
            }
        }
    }
    Ok(())
}

/// All Rust files below a folder.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            out.extend(sources(&path)?);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
    out.sort();
    Ok(out)
}

/// Code without comments and without the test module at the end of a file.
fn code(path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path)?;
    let product = text.split("#[cfg(test)]").next().unwrap_or("");
    Ok(product.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n"))
}

fn pure(root: &Path, wrong: &mut Vec<String>) -> Result<()> {
    for name in PURE {
        for file in sources(&root.join("crates").join(name).join("src"))? {
            let code = code(&file)?;
            for (word, reason) in BANNED {
                if code.contains(word) {
                    wrong.push(format!("{}: names {word}; {reason}", file.display()));
                }
            }
        }
    }
    Ok(())
}

fn owners(root: &Path, wrong: &mut Vec<String>) -> Result<()> {
    for (name, _) in ARROWS {
        let manifest = manifest(root, name)?;
        for (library, owner) in OWNERS {
            let used = manifest.get("dependencies").and_then(|d| d.get(library)).is_some();
            if used && name != owner {
                wrong.push(format!("{name} uses {library}, which belongs to {owner}"));
            }
        }
    }
    Ok(())
}

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

/// Both languages have the same messages with the same places; every refusal has one; none is unused.
fn messages(root: &Path, wrong: &mut Vec<String>) -> Result<()> {
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
    let mut all = String::new();
    for (name, _) in ARROWS {
        for file in sources(&root.join("crates").join(name).join("src"))? {
            all.push_str(&std::fs::read_to_string(&file)?);
        }
    }
    let codes = refusal_codes(&all);
    for code in &codes {
        if !zh.contains_key(&format!("refusal.{code}")) {
            wrong.push(format!("refusal {code} has no message"));
        }
    }
    for key in zh.keys() {
        let (section, name) = key.split_once('.').unwrap_or(("", key));
        let used = match section {
            "refusal" => codes.contains(name),
            // Families of keys are put together from a prefix: titles of checks, units, ways to fill a form.
            _ => all.contains(&format!("\"{name}\"")) || families(name),
        };
        if !used {
            wrong.push(format!("message {key} is not used"));
        }
    }
    Ok(())
}

fn families(name: &str) -> bool {
    ["title_V-", "about_V-", "unit_", "can_", "cannot_", "objection_"].iter().any(|prefix| name.starts_with(prefix))
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

/// Every kind of record is unique and described in docs/format.md.
fn kinds(root: &Path, wrong: &mut Vec<String>) -> Result<()> {
    let format = std::fs::read_to_string(root.join("docs/format.md")).unwrap_or_default();
    for log in ["edition", "office"] {
        let text = std::fs::read_to_string(root.join(format!("crates/heng-domain/src/{log}/events.rs")))?;
        let mut seen = BTreeSet::new();
        for line in text.lines() {
            let Some(kind) = line.trim().split(" = \"").nth(1).and_then(|rest| rest.strip_suffix("\" {")) else {
                continue;
            };
            if !seen.insert(kind.to_owned()) {
                wrong.push(format!("{log}: the kind {kind} occurs twice"));
            }
            if !format.contains(&format!("`{kind}`")) {
                wrong.push(format!("{log}: docs/format.md does not describe `{kind}`"));
            }
        }
    }
    Ok(())
}
