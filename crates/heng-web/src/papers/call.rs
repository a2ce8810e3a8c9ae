//! Papers of the beginning: the call (申报通知), the receipt of an application (申报回执), the summary (汇总表).

use heng_domain::edition::Application;

use super::{At, ONLY, Paper};
use crate::plain;
use crate::words::number;

/// Public once it is in the log.
pub(super) fn calls(at: &At<'_>) -> Vec<(String, String)> {
    let call = at.edition.call.iter();
    call.map(|call| (ONLY.to_owned(), call.title.get(at.lang).to_owned())).collect()
}

pub(super) fn call(at: &At<'_>, _: &str) -> Option<Paper> {
    let call = at.edition.call.as_ref()?;
    let rules = at.edition.rules();
    let lines = |lines: Vec<plain::Line>| {
        let line = |line: plain::Line| at.tp("with_basis", &[("text", &line.text), ("basis", &line.basis)]);
        lines.into_iter().map(line).collect::<Vec<String>>()
    };
    let mut paper = Paper::new(call.title.get(at.lang).to_owned(), at.issuer());
    paper.addressee = Some(at.t("to_all"));
    paper.quoted(call.text.get(at.lang));
    let document = rules.document.title.get(at.lang);
    paper.text(at.tp("call_basis", &[("document", document), ("number", &rules.document.number)]));
    paper.heading(at.t("call_window"));
    paper.text(at.tp("call_window_text", &[("opens", &at.time(call.opens)), ("closes", &at.time(call.closes))]));
    paper.heading(at.t("call_award"));
    paper.list(lines(plain::award(at.view, rules)));
    paper.heading(at.t("call_conditions"));
    paper.list(lines(plain::applying(at.view, rules)));
    paper.heading(at.t("call_stages"));
    let stage = |stage: &heng_domain::rules::Stage| {
        let days = stage.days.value.to_string();
        at.tp("call_stage", &[("stage", stage.name.get(at.lang)), ("days", &days)])
    };
    paper.list(rules.stages.iter().map(stage).collect());
    paper.heading(at.t("call_fee"));
    paper.text(at.t("call_fee_text"));
    paper.signed(at.issuer().to_owned(), at.edition.day(call.opens));
    Some(paper)
}

/// For whoever may open the dossier. Only those who read business secrets find the files named that are marked.
pub(super) fn receipts(at: &At<'_>) -> Vec<(String, String)> {
    let own = at.edition.applications.keys().filter(|id| at.reads(id));
    own.map(|id| (id.clone(), at.name(id))).collect()
}

pub(super) fn receipt(at: &At<'_>, id: &str) -> Option<Paper> {
    let Application { body, seq, time, .. } = at.edition.applications.get(id)?.as_ref();
    let organisation = at.edition.applicant(id)?;
    let mut paper = Paper::new(at.tp("receipt_title", &[("award", &at.award())]), at.issuer());
    paper.addressee = Some(at.tp("to", &[("name", organisation.name.get(at.lang))]));
    paper.text(at.tp("receipt_text", &[("time", &at.time(*time)), ("record", &seq.to_string())]));
    paper.facts(vec![
        (at.t("applicant"), organisation.name.get(at.lang).to_owned()),
        (at.t("uscc"), organisation.uscc.clone()),
        (at.t("application"), id.to_owned()),
        (at.t("received"), at.time(*time)),
        (at.t("profile_hash"), body.profile_sha256.to_string()),
        (at.t("items_written"), body.self_evaluation.len().to_string()),
    ]);
    paper.heading(at.t("receipt_files"));
    let file = |file: &heng_domain::edition::events::Attachment| {
        vec![file.name.clone(), number(file.size), file.sha256.to_string()]
    };
    paper.table(at.columns(["file", "bytes", "sha256"]), at.files(id).map(file).collect());
    paper.text(at.tp("receipt_proof", &[("record", &seq.to_string())]));
    paper.signed(at.issuer().to_owned(), at.edition.day(*time));
    paper.records.push(*seq);
    Some(paper)
}

/// For those who read every dossier.
pub(super) fn summaries(at: &At<'_>) -> Vec<(String, String)> {
    let any = at.oversees() && !at.edition.applications.is_empty();
    any.then(|| (ONLY.to_owned(), at.award())).into_iter().collect()
}

pub(super) fn summary(at: &At<'_>, _: &str) -> Option<Paper> {
    let edition = at.edition;
    let mut paper = Paper::new(at.tp("summary_title", &[("award", &at.award())]), at.issuer());
    paper.text(at.tp("summary_text", &[("count", &edition.applications.len().to_string())]));
    let row = |(place, (id, a)): (usize, (&String, &std::sync::Arc<Application>))| {
        let organisation = edition.applicant(id);
        let class = organisation.and_then(|o| edition.rules().classes.iter().find(|class| class.id == o.class));
        let support = a.recommendations.iter().filter(|r| r.body.support).count();
        let review = match (&a.withdrawn, &a.review) {
            (Some(_), _) => "withdrawn",
            (None, None) => "open",
            (None, Some(review)) => {
                if review.passed {
                    "passed"
                } else {
                    "failed"
                }
            }
        };
        vec![
            (place + 1).to_string(),
            at.name(id),
            id.clone(),
            at.county(id),
            organisation.map(|o| o.sector.get(at.lang).to_owned()).unwrap_or_default(),
            class.map(|class| class.name.get(at.lang).to_owned()).unwrap_or_default(),
            at.day(edition.day(a.time)),
            format!("{support} / {}", a.recommendations.len()),
            at.t(review),
        ]
    };
    let columns =
        ["place", "applicant", "application", "county", "sector", "class", "received_on", "support", "pre_review"];
    paper.table(at.columns(columns), edition.applications.iter().enumerate().map(row).collect());
    paper.signatures = vec![at.t("prepared_by"), at.t("checked_by")];
    Some(paper)
}
