//! The letter of recommendation (推荐函): one for all that a recommender says, to be printed and sealed.

use heng_domain::edition::Recommendation;

use super::{At, Paper};

/// A recommender's opinions with their applications, in the order of these.
fn given<'a>(at: &At<'a>, recommender: &str) -> Vec<(&'a String, &'a Recommendation)> {
    let all = at.edition.applications.iter().flat_map(|(id, a)| a.recommendations.iter().map(move |r| (id, r)));
    all.filter(|(_, r)| r.recommender == recommender).collect()
}

fn name(at: &At<'_>, recommender: &str) -> String {
    at.edition.name_of(recommender).unwrap_or(recommender).to_owned()
}

/// For the recommender, and for those who oversee the edition.
pub(super) fn cases(at: &At<'_>) -> Vec<(String, String)> {
    let Some(me) = at.me else { return Vec::new() };
    let recommenders = at.edition.seats.keys().filter(|id| *id == me || at.edition.oversees(me));
    let said = recommenders.filter(|id| !given(at, id).is_empty());
    said.map(|id| (id.clone(), name(at, id))).collect()
}

pub(super) fn write(at: &At<'_>, recommender: &str) -> Option<Paper> {
    let given = given(at, recommender);
    let last = given.iter().map(|(_, r)| r.time).max()?;
    let from = name(at, recommender);
    let award = at.award();
    let mut paper = Paper::new(at.tp("recommendation_title", &[("award", &award)]), &from);
    paper.addressee = Some(at.tp("to", &[("name", at.issuer())]));
    let firm = |id: &str| {
        let organisation = at.edition.applicant(id);
        let uscc = organisation.map(|o| o.uscc.clone()).unwrap_or_default();
        [organisation.map_or_else(|| id.to_owned(), |o| o.name.get(at.lang).to_owned()), uscc]
    };
    let (supported, others): (Vec<_>, Vec<_>) = given.iter().partition(|(_, r)| r.body.support);
    if supported.is_empty() {
        paper.text(at.tp("recommendation_none", &[("award", &award)]));
    } else {
        paper.text(at.tp("recommendation_text", &[("award", &award), ("count", &supported.len().to_string())]));
        let rows = supported.iter().zip(1..).map(|((id, r), place)| {
            let [name, uscc] = firm(id);
            let window = r.body.notice.as_ref().map(|window| {
                at.tp("recommendation_window", &[("from", &at.day(window.from)), ("until", &at.day(window.until))])
            });
            vec![place.to_string(), name, uscc, window.unwrap_or_else(|| "—".to_owned()), r.body.opinion.clone()]
        });
        paper.table(at.columns(["place", "organisation", "uscc", "publicity", "opinion"]), rows.collect());
    }
    if !others.is_empty() {
        paper.text(at.t("recommendation_others"));
        let rows = others.iter().zip(1..).map(|((id, r), place)| {
            let [name, uscc] = firm(id);
            vec![place.to_string(), name, uscc, r.body.opinion.clone()]
        });
        paper.table(at.columns(["place", "organisation", "uscc", "opinion"]), rows.collect());
    }
    paper.signed(from, at.edition.day(last));
    paper.records = given.iter().map(|(_, r)| r.seq).collect();
    Some(paper)
}
