//! The call for applications (申报通知), put together from the rules: what award-rules.md §4.3 asks of one.

use heng_domain::edition::Edition;
use heng_domain::rules::{Rules, Stage, StageKind};
use heng_domain::text::Text;

use super::field::{same, words, yuan_text};

/// The whole text but for the office's address, which whoever writes the call adds.
pub fn call(edition: &Edition) -> Text {
    let rules = edition.rules();
    let label = &edition.opened.label;
    let parts = [
        line("call_opening", &[("award", &rules.name), ("label", label), ("authority", &rules.authority)]),
        basis(rules),
        headed("call_tiers", rules.tiers.iter().map(tier)),
        headed("call_classes", rules.classes.iter().map(|class| class.name.clone())),
        headed("call_conditions", rules.conditions.iter().map(|c| condition(&c.name, c.veto))),
        headed("call_materials", materials(rules)),
        headed("call_stages", rules.stages.iter().map(stage)),
        line("call_quota", &[("quota", &quota(rules))]),
        line("call_online", &[]),
        line("call_free", &[]),
    ];
    join(parts.into_iter().filter(|part| !part.zh.is_empty()), "\n")
}

fn line(key: &str, places: &[(&str, &Text)]) -> Text {
    words("prefill", key, places)
}

fn join(parts: impl Iterator<Item = Text>, with: &str) -> Text {
    let parts: Vec<Text> = parts.collect();
    let all = |of: fn(&Text) -> &str| parts.iter().map(of).collect::<Vec<_>>().join(with);
    Text { zh: all(|t| t.zh.as_str()), en: all(|t| t.en.as_str()) }
}

/// A heading with its list; nothing where the list is empty.
fn headed(key: &str, list: impl Iterator<Item = Text>) -> Text {
    let list: Vec<Text> = list.collect();
    if list.is_empty() {
        return same("");
    }
    let count = list.len();
    let numbered = list.into_iter().enumerate().map(|(index, item)| {
        let number = same(index + 1);
        let last = index + 1 == count;
        words("prefill", if last { "call_last" } else { "call_item" }, &[("number", &number), ("item", &item)])
    });
    join([line(key, &[]), join(numbered, "\n")].into_iter(), "\n")
}

fn basis(rules: &Rules) -> Text {
    line("call_basis", &[("title", &rules.document.title), ("number", &same(&rules.document.number))])
}

fn tier(tier: &heng_domain::rules::Tier) -> Text {
    let prize = i64::try_from(tier.prize_fen.value).unwrap_or(i64::MAX);
    let key = if prize == 0 { "call_tier" } else { "call_tier_prize" };
    line(key, &[("tier", &tier.name), ("count", &same(tier.quota.value)), ("prize", &same(yuan_text(prize)))])
}

fn condition(name: &Text, veto: bool) -> Text {
    if veto { line("call_veto", &[("condition", name)]) } else { name.clone() }
}

fn materials(rules: &Rules) -> impl Iterator<Item = Text> {
    let a = &rules.application;
    let count = |key: &str, n: u32| line(key, &[("count", &same(n))]);
    let notice = a.internal_notice_days.value;
    let mut out = vec![
        count("call_profile", a.profile_chars.value),
        count("call_report", a.report_chars.value),
        count("call_figures", a.figure_years.value),
        line("call_evidence", &[]),
    ];
    if notice > 0 {
        out.push(count("call_internal", notice));
    }
    out.push(line("call_pledge", &[]));
    out.into_iter()
}

fn stage(stage: &Stage) -> Text {
    line("call_stage", &[("stage", &stage.name), ("days", &same(stage.days.value))])
}

/// How many applicants a recommender may support.
fn quota(rules: &Rules) -> Text {
    let found = rules.stages.iter().find(|stage| stage.kind == StageKind::Recommendation);
    match found.and_then(|stage| stage.recommendation.as_ref()).map(|r| r.quota.value) {
        Some(0) => line("call_no_limit", &[]),
        Some(most) => line("call_limit", &[("count", &same(most))]),
        None => line("call_direct", &[]),
    }
}
