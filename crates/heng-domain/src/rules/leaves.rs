//! The rules as a flat list of values: what a form edits, and what a comparison of two versions shows.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Rules;

/// Keys of all values in the order in which people read them: the struct that a value stands in, and its field. They are
/// also the keys of their words.
pub const KEYS: &[&str] = &[
    "version",
    "name",
    "authority",
    "level",
    "document_title",
    "document_number",
    "document_issued",
    "document_source",
    "cycle_years",
    "criteria",
    "calendar",
    "utc_offset_minutes",
    "rewin",
    "validity_months",
    "passkeys_only",
    "tiers_name",
    "tiers_class",
    "tiers_quota",
    "tiers_floor_permille",
    "tiers_prize_fen",
    "reserved_group",
    "reserved_name",
    "reserved_seats",
    "classes_name",
    "classes_basis",
    "classes_assumed",
    "application_profile_chars",
    "application_report_chars",
    "application_figure_years",
    "application_internal_notice_days",
    "application_anchor",
    "conditions_name",
    "conditions_kind",
    "conditions_veto",
    "conditions_at_least",
    "conditions_months",
    "conditions_years",
    "relief_group",
    "relief_years",
    "conditions_basis",
    "conditions_assumed",
    "opinions_days",
    "opinions_day_kind",
    "opinions_silence_clears",
    "opinions_objection_stops",
    "departments_name",
    "departments_asks",
    "departments_basis",
    "departments_assumed",
    "recusal_name",
    "recusal_basis",
    "recusal_assumed",
    "stages_name",
    "stages_kind",
    "stages_after",
    "stages_days",
    "stages_basis",
    "stages_assumed",
    "recommendation_quota",
    "recommendation_notice_days",
    "recommendation_proof",
    "experts_panel_size",
    "experts_reserves",
    "experts_drawn",
    "experts_pledge",
    "scoring_method",
    "scoring_aggregate",
    "scoring_from",
    "scoring_weight",
    "scoring_order_drawn",
    "scoring_spread_alarm",
    "scoring_visit",
    "shortlist_num",
    "shortlist_den",
    "shortlist_floor_permille",
    "shortlist_tie",
    "committee_purpose",
    "committee_ballot",
    "committee_choice",
    "committee_size_min",
    "committee_size_max",
    "committee_rank_by",
    "committee_tie",
    "committee_reopenings",
    "committee_readback_seconds",
    "committee_paper_ballot",
    "committee_quorum_at_close",
    "committee_seats",
    "quorum_base",
    "quorum_cmp",
    "quorum_num",
    "quorum_den",
    "quorum_basis",
    "quorum_assumed",
    "pass_base",
    "pass_cmp",
    "pass_num",
    "pass_den",
    "pass_basis",
    "pass_assumed",
    "notice_days",
    "notice_day_kind",
    "notice_channels",
    "notice_real_name",
    "notice_answer_days",
    "disclosure_scores",
    "disclosure_votes",
    "disclosure_open_within_days",
];

/// Keys that say what the rules are made of. A form that edits values leaves them alone; the whole file changes them.
const FRAME: &[&str] = &[
    "level",
    "criteria",
    "calendar",
    "tiers_class",
    "reserved_group",
    "conditions_kind",
    "relief_group",
    "stages_kind",
    "stages_after",
    "scoring_method",
    "scoring_aggregate",
    "scoring_from",
    "committee_purpose",
];

/// One value of the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Address: parts joined by `/`; an entry of a list stands under its own `id`, e.g. `tiers/award/quota`.
    pub path: String,
    /// One of [`KEYS`].
    pub key: String,
    /// The value: a number, a truth, a text in one or two languages, or a list.
    pub value: Value,
    /// The article, and whether it is only assumed; `None` where the article stands beside it as a value of its own.
    pub basis: Option<(String, bool)>,
}

impl Leaf {
    /// Whether a form may edit it: frame and names stay as they are.
    pub fn editable(&self) -> bool {
        !FRAME.contains(&self.key.as_str())
    }
}

/// All values of the rules, in the order of [`KEYS`] within their struct. Lists keep their own order.
pub fn leaves(rules: &Rules) -> Vec<Leaf> {
    let mut out = Vec::new();
    if let Ok(Value::Object(map)) = serde_json::to_value(rules) {
        collect(&map, "", "", &mut out);
    }
    out
}

fn collect(map: &Map<String, Value>, path: &str, of: &str, out: &mut Vec<Leaf>) {
    let key_of = |name: &str| if of.is_empty() { name.to_owned() } else { format!("{of}_{name}") };
    // Structs inside come in the place of their first value.
    let place = |name: &str| {
        let (own, inner) = (key_of(name), format!("{name}_"));
        KEYS.iter().position(|key| *key == own || key.starts_with(&inner)).unwrap_or(KEYS.len())
    };
    let mut names: Vec<&String> = map.keys().filter(|name| !matches!(name.as_str(), "id" | "format")).collect();
    names.sort_by_key(|name| place(name));
    for name in names {
        let Some(value) = map.get(name) else { continue };
        let here = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        let leaf = |value: &Value, basis| Leaf { path: here.clone(), key: key_of(name), value: value.clone(), basis };
        match value {
            Value::Object(inner) if inner.contains_key("value") => {
                let basis = inner.get("basis").and_then(Value::as_str).unwrap_or_default().to_owned();
                let assumed = inner.get("assumed").and_then(Value::as_bool).unwrap_or(false);
                out.push(leaf(&inner["value"], Some((basis, assumed))));
            }
            Value::Object(inner) if !inner.contains_key("zh") => collect(inner, &here, name, out),
            Value::Array(list) if list.first().is_some_and(|first| first.get("id").is_some()) => {
                for entry in list.iter().filter_map(Value::as_object) {
                    let id = entry.get("id").and_then(Value::as_str).unwrap_or_default();
                    collect(entry, &format!("{here}/{id}"), name, out);
                }
            }
            other => out.push(leaf(other, None)),
        }
    }
    // What is not assumed is left out of the file, but it is a value all the same.
    if map.contains_key("basis") && !map.contains_key("assumed") {
        let path = format!("{path}/assumed");
        out.push(Leaf { path, key: key_of("assumed"), value: Value::Bool(false), basis: None });
    }
}

/// The rules with other values, by path: what [`leaves`] gave, changed. Unknown paths are left out.
///
/// # Errors
/// If a value is not of its kind; `admit` checks whether the rules are sound.
pub fn with_leaves(rules: &Rules, changed: &BTreeMap<String, Leaf>) -> Result<Rules, String> {
    let mut whole = serde_json::to_value(rules).map_err(|error| error.to_string())?;
    for (path, leaf) in changed {
        set(&mut whole, &path.split('/').collect::<Vec<_>>(), leaf);
    }
    serde_json::from_value(whole).map_err(|error| error.to_string())
}

fn set(place: &mut Value, path: &[&str], leaf: &Leaf) {
    let Some((name, rest)) = path.split_first() else {
        match &leaf.basis {
            Some((basis, assumed)) => {
                *place = serde_json::json!({ "value": leaf.value, "basis": basis, "assumed": assumed });
            }
            None => *place = leaf.value.clone(),
        }
        return;
    };
    match place {
        Value::Object(map) if rest.is_empty() && *name == "assumed" => {
            map.insert("assumed".to_owned(), leaf.value.clone());
        }
        Value::Object(map) => {
            if let Some(inner) = map.get_mut(*name) {
                set(inner, rest, leaf);
            }
        }
        Value::Array(list) => {
            let entry = list.iter_mut().find(|entry| entry.get("id").and_then(Value::as_str) == Some(name));
            if let Some(entry) = entry {
                set(entry, rest, leaf);
            }
        }
        _ => {}
    }
}

/// A value that differs between two versions of the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// As it was; `None` if it is new.
    pub before: Option<Leaf>,
    /// As it is; `None` if it is gone.
    pub after: Option<Leaf>,
}

impl Change {
    /// The value as it is, or as it was where it is gone.
    pub fn leaf(&self) -> Option<&Leaf> {
        self.after.as_ref().or(self.before.as_ref())
    }
}

/// What differs between two versions, in the order of the newer one; what is gone comes last.
pub fn changes(before: &Rules, after: &Rules) -> Vec<Change> {
    let old = leaves(before);
    let find = |path: &str| old.iter().find(|leaf| leaf.path == path).cloned();
    let mut out: Vec<Change> = Vec::new();
    let new = leaves(after);
    for leaf in &new {
        let earlier = find(&leaf.path);
        if earlier.as_ref() != Some(leaf) {
            out.push(Change { before: earlier, after: Some(leaf.clone()) });
        }
    }
    let gone = old.into_iter().filter(|leaf| new.iter().all(|other| other.path != leaf.path));
    out.extend(gone.map(|leaf| Change { before: Some(leaf), after: None }));
    out
}

/// The path of a leaf from the key of a problem: `stages[3].notice.days.value` is `stages/<id>/notice/days`.
pub fn path_of(rules: &Rules, key: &str) -> String {
    let Ok(mut place) = serde_json::to_value(rules) else { return String::new() };
    let mut out: Vec<String> = Vec::new();
    for part in key.split('.').filter(|part| *part != "value") {
        let (name, index) = match part.trim_end_matches(']').split_once('[') {
            Some((name, index)) => (name, index.parse::<usize>().ok()),
            None => (part, None),
        };
        out.push(name.to_owned());
        place = place.get(name).cloned().unwrap_or_default();
        if let Some(index) = index {
            place = place.get(index).cloned().unwrap_or_default();
            out.push(place.get("id").and_then(Value::as_str).unwrap_or_default().to_owned());
        }
    }
    out.join("/")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::rules::read_rules;

    fn every_file() -> Vec<Rules> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/programmes");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        files.map(|file| read_rules("file", &std::fs::read_to_string(file).unwrap()).unwrap()).collect()
    }

    #[test]
    fn every_value_of_every_file_has_a_known_key_and_a_path_of_its_own() {
        for rules in every_file() {
            let all = leaves(&rules);
            for leaf in &all {
                assert!(KEYS.contains(&leaf.key.as_str()), "{} has no words: {}", leaf.path, leaf.key);
                assert_eq!(all.iter().filter(|other| other.path == leaf.path).count(), 1, "{}", leaf.path);
            }
        }
    }

    #[test]
    fn setting_every_value_to_itself_changes_nothing() {
        for rules in every_file() {
            let same = leaves(&rules).into_iter().map(|leaf| (leaf.path.clone(), leaf)).collect();
            assert_eq!(with_leaves(&rules, &same).unwrap(), rules);
        }
    }

    #[test]
    fn a_changed_value_is_the_only_change_and_lands_where_its_path_says() {
        let rules = every_file().into_iter().find(|rules| rules.id == "zhumadian-mayor").unwrap();
        let mut quota = leaves(&rules).into_iter().find(|leaf| leaf.path == "tiers/award/quota").unwrap();
        quota.value = 6.into();
        quota.basis = Some(("新办法 第三条".to_owned(), false));
        let after = with_leaves(&rules, &BTreeMap::from([(quota.path.clone(), quota.clone())])).unwrap();
        assert_eq!(after.tiers.first().unwrap().quota.value, 6);
        let changes = changes(&rules, &after);
        assert_eq!(changes.len(), 1);
        assert_eq!(changes.first().unwrap().after.as_ref(), Some(&quota));
    }

    #[test]
    fn an_entry_that_is_gone_is_shown_as_gone() {
        let before = every_file().into_iter().find(|rules| rules.conditions.len() > 1).unwrap();
        let mut after = before.clone();
        let gone = after.conditions.remove(0);
        let found = changes(&before, &after);
        assert!(!found.is_empty());
        let prefix = format!("conditions/{}/", gone.id);
        assert!(found.iter().all(|c| c.after.is_none() && c.before.as_ref().unwrap().path.starts_with(&prefix)));
    }

    #[test]
    fn a_problem_leads_to_its_value() {
        let mut rules = every_file().into_iter().find(|rules| rules.id == "zhumadian-mayor").unwrap();
        rules.tiers.first_mut().unwrap().quota.value = 0;
        let problem = rules.problems().into_iter().next().unwrap();
        assert_eq!(path_of(&rules, &problem.key), "tiers/award/quota");
    }
}
