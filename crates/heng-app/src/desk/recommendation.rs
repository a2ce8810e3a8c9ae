//! Opinions of the recommenders (推荐意见): within the quota, with the proof of the publicity or the sealed letter.

use heng_domain::edition::Recommendation;
use heng_domain::edition::events::{RecommendationGiven, Role};
use heng_domain::rules::{RecommendationRules, Stage, StageKind};

use super::call::{window, yes_no};
use super::field::{Field, Input, Kind, same, words};
use super::files::chosen;
use super::{Act, Case, EditionDesk, Proposed, Signs, Who, Written, Wrong};

pub(super) fn acts<'a>() -> Vec<Act<EditionDesk<'a>>> {
    vec![Act {
        kind: RecommendationGiven::KIND,
        who: Who::Recommender,
        signs: Signs::NOBODY,
        open: |desk| {
            let Some(stage) = desk.stage(StageKind::Recommendation).filter(|_| desk.has(Role::Recommender)) else {
                return Vec::new();
            };
            // What waits for an opinion stands first; what has mine may still be corrected.
            let mut cases: Vec<(bool, Case)> = desk.edition.field.iter().map(|id| case(desk, stage, id)).collect();
            cases.sort_by_key(|(given, _)| *given);
            cases.into_iter().map(|(_, case)| case).collect()
        },
        form,
        write,
    }]
}

/// My opinion on an application.
fn mine<'b>(desk: &'b EditionDesk<'_>, application: &str) -> Option<&'b Recommendation> {
    let given = &desk.edition.applications.get(application)?.recommendations;
    given.iter().find(|given| given.recommender == desk.me)
}

fn case(desk: &EditionDesk<'_>, stage: &Stage, id: &str) -> (bool, Case) {
    let given = mine(desk, id).is_some();
    // Somebody else's opinion makes mine possible, not due.
    let duty = desk.edition.applications.get(id).is_some_and(|a| a.recommendations.is_empty());
    let due = desk.due(stage).filter(|_| !given);
    (given, Case { id: id.to_owned(), about: desk.name(id), due, duty })
}

fn rules<'b>(desk: &'b EditionDesk<'_>) -> Option<&'b RecommendationRules> {
    desk.stage(StageKind::Recommendation)?.recommendation.as_ref()
}

fn form(desk: &EditionDesk<'_>, application: &str) -> Vec<Field> {
    let Some(rules) = rules(desk) else { return Vec::new() };
    let before = mine(desk, application).map(|given| &given.body);
    let mut support = Field::new("support", Kind::One { choices: yes_no("support") });
    if rules.quota.value > 0 {
        let used = desk.edition.supported_by(&desk.me, application);
        let places = [("quota", &same(rules.quota.value)), ("used", &same(used))];
        support = support.hint(words("hint", "own_quota", &places));
    }
    let mut opinion = Field::new("opinion", Kind::Area { most: 2000, rows: 5 });
    if let Some(before) = before {
        support = support.with(if before.support { "yes" } else { "no" });
        opinion = opinion.with(&before.opinion);
    }
    let mut fields = vec![support, opinion];
    let days = rules.notice_days.value;
    if days > 0 {
        let window = before.and_then(|before| before.notice.as_ref());
        let hint = words("hint", "notice_window", &[("days", &same(days))]);
        let day = |name: &str, day: Option<jiff::civil::Date>| {
            let field = Field::new(name, Kind::Day).optional();
            day.map_or(field.clone(), |day| field.with(day))
        };
        fields.push(day("notice_from", window.map(|w| w.from)).hint(hint));
        fields.push(day("notice_until", window.map(|w| w.until)));
    }
    let proof = Field::labelled("files", "recommendation_files", Kind::Files { most: 10 }).optional();
    let before = before.map(|before| before.evidence.iter().map(ToString::to_string).collect());
    fields.push(proof.with_all(before.unwrap_or_default()));
    fields
}

fn write(desk: &EditionDesk<'_>, application: &str, input: &Input) -> Proposed {
    let support = input.text("support") == "yes";
    let evidence: Vec<_> = chosen(desk, input)?.into_iter().map(|file| file.sha256).collect();
    if support && evidence.is_empty() && rules(desk).and_then(|r| r.proof.as_ref()).is_some_and(|proof| proof.value) {
        return Err(Wrong::new("files", "proof_missing").into());
    }
    let basis = desk.stage(StageKind::Recommendation).map_or("", |s| s.basis.as_str());
    let body = RecommendationGiven {
        application: application.to_owned(),
        evidence,
        notice: window(input.day("notice_from"), input.day("notice_until"))?,
        opinion: input.text("opinion"),
        support,
    };
    Ok(vec![Written::edition(basis, body)?])
}
