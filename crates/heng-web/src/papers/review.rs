//! Papers of the review: letters to departments (征求意见函), the form of the pre-review (资格审核表), the report of a stage
//! (评审报告).

use heng_domain::edition::OpinionState;
use heng_domain::edition::events::{ConditionChecked, OrganisationEntered};
use heng_domain::evaluation::shortlist_seats;
use heng_domain::rules::Stage;

use super::{At, Paper};
use crate::plain;
use crate::words::points;

/// For whoever may open the dossier, once something was checked.
pub(super) fn checks(at: &At<'_>) -> Vec<(String, String)> {
    let checked = at.edition.applications.iter().filter(|(_, a)| !a.checks.is_empty() || a.review.is_some());
    checked.filter(|(id, _)| at.reads(id)).map(|(id, _)| (id.clone(), at.name(id))).collect()
}

pub(super) fn check(at: &At<'_>, id: &str) -> Option<Paper> {
    let application = at.edition.applications.get(id)?;
    let organisation = at.edition.applicant(id)?;
    let sees_opinions = at.me.is_some_and(|me| at.edition.may_see_opinions(me, id));
    let mut paper = Paper::new(at.tp("eligibility_title", &[("award", &at.award())]), at.issuer());
    paper.facts(vec![
        (at.t("applicant"), organisation.name.get(at.lang).to_owned()),
        (at.t("uscc"), organisation.uscc.clone()),
        (at.t("application"), id.to_owned()),
        (at.t("county"), at.county(id)),
    ]);
    let row = |condition: &heng_domain::rules::Condition| {
        let name = condition.name.get(at.lang);
        let (found, evidence, verdict) = match application.checks.get(&condition.id) {
            None => (String::new(), String::new(), at.t("unchecked")),
            Some(ConditionChecked { facts, evidence, met, note, .. }) => {
                let found = at.worded(facts);
                let found = if note.is_empty() { found } else { at.joined(&[found, note.clone()]) };
                (found, evidence.len().to_string(), at.t(if *met { "met" } else { "not_met" }))
            }
        };
        vec![name.to_owned(), condition.basis.clone(), found, evidence, verdict]
    };
    let columns = at.columns(["condition", "basis", "found", "evidence", "verdict"]);
    paper.table(columns, at.edition.rules().conditions.iter().map(row).collect());
    paper.heading(at.t("conclusion"));
    paper.text(match &application.review {
        None => at.t("eligibility_open"),
        Some(review) if review.passed => at.t("eligibility_passed"),
        Some(review) => {
            // Which department objected is for those who may read its answer.
            let name = |id: &String| match (at.edition.rules().condition(id), at.edition.rules().department(id)) {
                (Some(condition), _) => condition.name.get(at.lang).to_owned(),
                (None, Some(department)) if sees_opinions => department.name.get(at.lang).to_owned(),
                (None, Some(_)) => at.t("a_department"),
                (None, None) => id.clone(),
            };
            let mut names: Vec<String> = review.failing.iter().map(name).collect();
            names.dedup();
            at.tp("eligibility_failed", &[("conditions", &at.joined(&names))])
        }
    });
    if let (Some(asked), Some(_), true) = (&at.edition.opinions, &application.review, sees_opinions) {
        let after = asked.until.tomorrow().unwrap_or(asked.until);
        let silent = at.edition.departments_at(id, OpinionState::Silent, after);
        let names = silent.into_iter().filter_map(|id| at.edition.rules().department(id));
        let names: Vec<String> = names.map(|department| department.name.get(at.lang).to_owned()).collect();
        if !names.is_empty() {
            paper.text(at.tp("eligibility_silent", &[("departments", &at.joined(&names))]));
        }
    }
    paper.signatures = vec![at.t("checked_by"), at.t("approved_by")];
    Some(paper)
}

/// To each department that was asked, for those who oversee the edition.
pub(super) fn letters(at: &At<'_>) -> Vec<(String, String)> {
    let overseen = at.edition.opinions.is_some() && at.me.is_some_and(|me| at.edition.oversees(me));
    let departments = at.edition.rules().opinions.iter().filter(|_| overseen).flat_map(|rules| &rules.departments);
    departments.map(|department| (department.id.clone(), department.name.get(at.lang).to_owned())).collect()
}

pub(super) fn letter(at: &At<'_>, id: &str) -> Option<Paper> {
    let asked = at.edition.opinions.as_ref()?;
    let rules = at.edition.rules().opinions.as_ref()?;
    let department = at.edition.rules().department(id)?;
    let mut paper = Paper::new(at.tp("letter_title", &[("award", &at.award())]), at.issuer());
    paper.addressee = Some(at.tp("to", &[("name", department.name.get(at.lang))]));
    let count = asked.applications.len().to_string();
    let asks = department.asks.get(at.lang);
    let places = [("award", at.award()), ("count", count), ("asks", asks.to_owned()), ("day", at.day(asked.until))];
    paper.text(at.tp("letter_text", &places.each_ref().map(|(name, text)| (*name, text.as_str()))));
    paper.text(at.t(if rules.silence_clears.value { "letter_silence" } else { "letter_no_silence" }));
    let firms = asked.applications.iter().filter_map(|id| at.edition.applicant(id));
    let row = |firm: &OrganisationEntered| vec![firm.name.get(at.lang).to_owned(), firm.uscc.clone(), String::new()];
    paper.table(at.columns(["organisation", "uscc", "opinion"]), firms.map(row).collect());
    paper.signed(at.issuer().to_owned(), at.edition.day(asked.asked));
    paper.records.push(asked.seq);
    Some(paper)
}

/// For everybody who may see the scores that it shows.
pub(super) fn reports(at: &At<'_>) -> Vec<(String, String)> {
    let stages = at.edition.rules().stages.iter().filter(|stage| match (&stage.scoring, &stage.shortlist) {
        (Some(_), _) => at.sees_scores(&stage.id),
        // A shortlist rests on every score there was before it.
        (None, Some(_)) => at.edition.shortlists.get(&stage.id).is_some_and(|decided| {
            decided.kept.iter().chain(&decided.cut).all(|application| at.composite(application).is_some())
        }),
        (None, None) => false,
    });
    stages.map(|stage| (stage.id.clone(), stage.name.get(at.lang).to_owned())).collect()
}

pub(super) fn report(at: &At<'_>, stage: &str) -> Option<Paper> {
    let stage = at.edition.rules().stage(stage)?;
    let title = at.tp("report_title", &[("award", &at.award()), ("stage", stage.name.get(at.lang))]);
    let mut paper = Paper::new(title, at.issuer());
    paper.text(at.tp("report_basis", &[("basis", &stage.basis)]));
    paper.heading(at.t("report_rule"));
    let rule = plain::stage(at.view, stage);
    paper.list(rule.iter().map(|l| at.tp("with_basis", &[("text", &l.text), ("basis", &l.basis)])).collect());
    if stage.scoring.is_some() {
        scores(at, stage, &mut paper)?;
    } else {
        shortlist(at, stage, &mut paper)?;
    }
    paper.signatures = vec![at.t("prepared_by"), at.t("checked_by")];
    Some(paper)
}

/// Best first; the number of the application decides where scores tie.
fn ranked(mut scores: Vec<(String, u64)>) -> Vec<(String, u64)> {
    scores.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    scores
}

fn scores(at: &At<'_>, stage: &Stage, paper: &mut Paper) -> Option<()> {
    let sheets = at.edition.sheets.get(&stage.id)?;
    let (record, applications) = sheets.computed.as_ref()?;
    let score = |application: &String| at.edition.stage_score(&stage.id, application).ok().flatten().unwrap_or(0);
    let all = ranked(applications.iter().map(|application| (application.clone(), score(application))).collect());
    let rows = all.iter().enumerate().map(|(place, (application, score))| {
        let panel = at.edition.panel_of(&stage.id, application).map(|(panel, _)| panel.to_owned());
        let counting = at.edition.counting_sheets(&stage.id, application).len();
        vec![
            (place + 1).to_string(),
            at.name(application),
            panel.unwrap_or_default(),
            counting.to_string(),
            points(*score),
        ]
    });
    paper.heading(at.t("report_result"));
    let sheets: usize = applications.iter().map(|a| at.edition.counting_sheets(&stage.id, a).len()).sum();
    let places = [("applications", applications.len().to_string()), ("sheets", sheets.to_string())];
    paper.text(at.tp("report_scores", &places.each_ref().map(|(name, value)| (*name, value.as_str()))));
    paper.table(at.columns(["place", "applicant", "panel", "sheets", "score"]), rows.collect());
    paper.records.push(*record);
    Some(())
}

/// The rule with its numbers, and whom it takes along.
fn shortlist(at: &At<'_>, stage: &Stage, paper: &mut Paper) -> Option<()> {
    let (rule, decided) = (stage.shortlist.as_ref()?, at.edition.shortlists.get(&stage.id)?);
    let seats = at.edition.rules().seats();
    let (num, den) = (rule.num.value, rule.den.value);
    let sum = format!("⌈{seats} × {num} ÷ {den}⌉ = {}", shortlist_seats(rule, seats));
    paper.text(at.tp("report_sum", &[("sum", &sum), ("seats", &seats.to_string())]));
    let field = decided.kept.iter().chain(&decided.cut);
    let all = ranked(field.filter_map(|a| Some((a.clone(), at.composite(a)?))).collect());
    let rows = all.iter().enumerate().map(|(place, (application, score))| {
        let goes = decided.kept.contains(application);
        let verdict = at.t(if goes { "goes_on" } else { "goes_out" });
        vec![(place + 1).to_string(), at.name(application), points(*score), verdict]
    });
    paper.heading(at.t("report_result"));
    let places = [("kept", decided.kept.len().to_string()), ("cut", decided.cut.len().to_string())];
    paper.text(at.tp("report_shortlist", &places.each_ref().map(|(name, value)| (*name, value.as_str()))));
    paper.table(at.columns(["place", "applicant", "composite", "verdict"]), rows.collect());
    Some(())
}
