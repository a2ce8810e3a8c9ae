//! The feedback report (反馈报告): for every reviewed applicant, those who did not win too, after the result.
//!
//! Themes first, then item by item what is strong, what can be better, and the band. It comes from the panel's agreed
//! sheet and names no expert. Points show only once the rules have opened the scores.

use std::collections::BTreeMap;

use heng_domain::criteria::{Criteria, Item, ItemKind};
use heng_domain::edition::Thing;
use heng_domain::edition::events::Role;
use heng_domain::evaluation::Sheet;
use serde_json::Value;

use super::{At, Paper};
use crate::words::points;

/// So many items stand for what is strongest, and so many for what gains most.
const THEMES: usize = 3;

/// The panel's last agreed sheet of an application, by the number of its record.
fn agreed(at: &At<'_>, id: &str) -> Option<(u64, Sheet)> {
    at.edition.rules().stages.iter().rev().find_map(|stage| {
        let seq = at.edition.sheets.get(&stage.id)?.agreed.get(id)?;
        Some((*seq, at.edition.sheet(*seq)?))
    })
}

/// For the applicant itself, the office and the supervisor, once the result is public.
pub(super) fn cases(at: &At<'_>) -> Vec<(String, String)> {
    if !at.public(Thing::Result) {
        return Vec::new();
    }
    let office = at.has(Role::Officer) || at.has(Role::Supervisor);
    let own = |organisation: &str| at.me == Some(organisation);
    let reviewed = at
        .edition
        .applications
        .iter()
        .filter(|(id, a)| (office || own(&a.body.organisation)) && at.reads(id) && agreed(at, id).is_some());
    reviewed.map(|(id, _)| (id.clone(), at.name(id))).collect()
}

pub(super) fn write(at: &At<'_>, id: &str) -> Option<Paper> {
    let (seq, sheet) = agreed(at, id)?;
    let tree = at.edition.criteria.as_ref()?;
    let remarks = remarks(at, id);
    let mut paper = Paper::new(at.tp("feedback_title", &[("award", &at.award())]), at.issuer());
    paper.addressee = Some(at.tp("to", &[("name", &at.name(id))]));
    paper.text(at.tp("feedback_text", &[("criteria", tree.name.get(at.lang)), ("record", &seq.to_string())]));
    themes(at, &mut paper, tree, &sheet, &remarks);
    profile(at, &mut paper, tree, &sheet);
    paper.heading(at.t("feedback_items"));
    // Where the panel wrote nothing item by item, empty columns would only look like something missing.
    let written = tree.items().any(|item| remarks.contains_key(&item.id));
    let row = |item: &Item| {
        let word = |part: &str| remarks.get(&item.id).and_then(|own| own.get(part)).cloned().unwrap_or_default();
        let mut cells = vec![named(at, item), band(at, tree, item, &sheet)];
        if written {
            cells.extend([word("strengths"), word("improvements")]);
        }
        cells
    };
    let columns = match written {
        true => at.columns(["item", "band", "strengths", "improvements"]),
        false => at.columns(["item", "band"]),
    };
    paper.table(columns, tree.items().map(row).collect());
    paper.text(at.t("feedback_end"));
    let day = at.edition.winners_published().map(|time| at.edition.day(time))?;
    paper.signed(at.issuer().to_owned(), day);
    paper.records.push(seq);
    Some(paper)
}

/// What the panel wrote, by item and part. The words came with the first agreed sheet; a site visit changes marks, and
/// what it says is said later and counts.
fn remarks(at: &At<'_>, id: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut out: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let stages = at.edition.rules().stages.iter().filter_map(|stage| at.edition.sheets.get(&stage.id));
    let sheets = stages.filter_map(|sheets| sheets.agreed.get(id));
    for written in sheets.filter_map(|seq| at.edition.known_value(*seq, "/remarks")?.as_object()) {
        for (item, own) in written {
            let parts = match own {
                Value::String(text) => vec![("overall", text.as_str())],
                Value::Object(parts) => parts.iter().filter_map(|(k, v)| Some((k.as_str(), v.as_str()?))).collect(),
                _ => Vec::new(),
            };
            let kept = out.entry(item.clone()).or_default();
            kept.extend(parts.into_iter().map(|(part, text)| (part.to_owned(), text.to_owned())));
        }
    }
    out
}

fn named(at: &At<'_>, item: &Item) -> String {
    format!("{} {}", item.id, item.name.get(at.lang))
}

fn band(at: &At<'_>, tree: &Criteria, item: &Item, sheet: &Sheet) -> String {
    let percent = sheet.get(&item.id).copied().unwrap_or(0);
    let Some(band) = tree.band(percent) else { return String::new() };
    let words = if item.kind == ItemKind::Process { &band.process } else { &band.result };
    let range = format!("{}–{}%", band.from, band.to);
    at.tp("band_words", &[("range", &range), ("words", words.get(at.lang))])
}

/// What the panel says of the whole, then the items that stand out either way.
fn themes(
    at: &At<'_>,
    paper: &mut Paper,
    tree: &Criteria,
    sheet: &Sheet,
    remarks: &BTreeMap<String, BTreeMap<String, String>>,
) {
    paper.heading(at.t("feedback_themes"));
    if let Some(overall) = remarks.get("overall").and_then(|own| own.get("overall")) {
        paper.quoted(overall);
    }
    let mut items: Vec<&Item> = tree.items().collect();
    let percent = |item: &Item| sheet.get(&item.id).copied().unwrap_or(0);
    items.sort_by_key(|item| std::cmp::Reverse(percent(item)));
    let names =
        |items: &mut dyn Iterator<Item = &&Item>| at.joined(&items.map(|item| named(at, item)).collect::<Vec<_>>());
    let strong = names(&mut items.iter().take(THEMES));
    // What is lost most: the points that an item has left.
    items.sort_by_key(|item| std::cmp::Reverse(item.points * (100 - percent(item).min(100))));
    let open = names(&mut items.iter().take(THEMES));
    paper.list(vec![at.tp("feedback_strong", &[("items", &strong)]), at.tp("feedback_open", &[("items", &open)])]);
}

/// Points by category, where the rules have opened them.
fn profile(at: &At<'_>, paper: &mut Paper, tree: &Criteria, sheet: &Sheet) {
    if !at.public(Thing::Scores) {
        return;
    }
    paper.heading(at.t("feedback_profile"));
    let row = |category: &heng_domain::criteria::Category| {
        let name = format!("{} {}", category.id, category.name.get(at.lang));
        vec![name, points(tree.category_of(category, sheet)), category.points.to_string()]
    };
    paper.table(at.columns(["category", "points", "full_mark"]), tree.categories.iter().map(row).collect());
}
