//! The rules of the house that a compiler does not check.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::messages;

/// Which crates a crate may use: arrows point only downwards (design.md §5).
pub(crate) const ARROWS: [(&str, &[&str]); 7] = [
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

/// Checks everything and lists all that is wrong.
pub(crate) fn check(root: &Path) -> Result<()> {
    let mut wrong = Vec::new();
    arrows(root, &mut wrong)?;
    pure(root, &mut wrong)?;
    owners(root, &mut wrong)?;
    messages::check(root, &mut wrong)?;
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
pub(crate) fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
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
pub(crate) fn code(path: &Path) -> Result<String> {
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
