//! Site visits of an application: the plan for whoever may read the dossier, questions and findings for the panel.

use axum::extract::State;
use axum::http::HeaderMap;
use heng_app::desk::{EditionDesk, Place, with_desk};
use heng_domain::edition::Visit;
use heng_domain::edition::events::FindingKind;
use serde::Serialize;
use utoipa::ToSchema;

use super::given::{At, Speaks};
use super::problem::Problem;
use super::{Answer, blocking, fresh};
use crate::door::Caller;
use crate::view::App;
use crate::visits::{sealed, stages, team};
use crate::work::log_of;

/// The plan of a visit.
#[derive(Serialize, ToSchema)]
pub(crate) struct PlanShape {
    /// First day.
    #[schema(format = Date)]
    first_day: String,
    /// Last day.
    #[schema(format = Date)]
    last_day: String,
    /// Where.
    place: String,
    /// Experts who go; for the applicant only how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<Vec<String>>,
    /// How many go.
    team_size: usize,
    /// Functions of those who are to be interviewed.
    interviewees: Vec<String>,
    /// Agenda.
    agenda: String,
    /// What the applicant is asked to prepare.
    prepare: String,
}

/// A question or finding of the panel.
#[derive(Serialize, ToSchema)]
pub(crate) struct NoteShape {
    /// Number of its record.
    record: u64,
    /// Who wrote it.
    by: String,
    /// Item.
    #[schema(example = "4.1.2")]
    item: String,
    /// How it was found: `document`, `interview` or `observation`; absent for a question.
    #[serde(skip_serializing_if = "Option::is_none")]
    how: Option<&'static str>,
    /// Number of the record of the question that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    issue: Option<u64>,
    /// The words.
    text: String,
    /// Where it can be seen again; absent for a question.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
}

/// A site visit.
#[derive(Serialize, ToSchema)]
pub(crate) struct VisitShape {
    /// Stage.
    #[schema(example = "site")]
    stage: String,
    /// The plan; absent before there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<PlanShape>,
    /// Questions; only for the panel.
    #[serde(skip_serializing_if = "Option::is_none")]
    issues: Option<Vec<NoteShape>>,
    /// Findings; only for the panel.
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<Vec<NoteShape>>,
    /// Whether the leader has reported.
    reported: bool,
    /// The leader's conclusion; for the panel, and the office once it is reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    conclusion: Option<String>,
}

fn shape(desk: &EditionDesk<'_>, stage: &str, application: &str, visit: &Visit) -> VisitShape {
    let edition = desk.edition;
    let reads = edition.may_see_findings(&desk.me, stage, application);
    let concludes = edition.may_see_report(&desk.me, stage, application);
    let issues = visit.issues.iter().map(|issue| NoteShape {
        record: issue.seq,
        by: issue.by.clone(),
        item: issue.item.clone(),
        how: None,
        issue: None,
        text: sealed(edition, issue.seq, "/question"),
        reference: None,
    });
    let findings = visit.log.iter().map(|entry| NoteShape {
        record: entry.seq,
        by: entry.by.clone(),
        item: entry.item.clone(),
        how: Some(match entry.how {
            FindingKind::Document => "document",
            FindingKind::Interview => "interview",
            FindingKind::Observation => "observation",
        }),
        issue: entry.issue,
        text: sealed(edition, entry.seq, "/finding"),
        reference: Some(sealed(edition, entry.seq, "/reference")),
    });
    VisitShape {
        stage: stage.to_owned(),
        plan: visit.plan.as_ref().map(|(plan, _)| PlanShape {
            first_day: plan.first_day.to_string(),
            last_day: plan.last_day.to_string(),
            place: plan.place.clone(),
            team: team(desk, plan).map(<[String]>::to_vec),
            team_size: plan.team.len(),
            interviewees: plan.interviewees.clone(),
            agenda: plan.agenda.clone(),
            prepare: plan.prepare.clone(),
        }),
        issues: reads.then(|| issues.collect()),
        findings: reads.then(|| findings.collect()),
        reported: visit.report.is_some(),
        conclusion: visit.report.filter(|_| concludes).map(|(seq, _)| sealed(edition, seq, "/conclusion")),
    }
}

/// The site visits of an application, one for each stage that has them.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/applications/{id}/visits", tag = "applications", operation_id = "visits", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "yunchuan-mayor"), ("second" = String, Path, description = "Edition."), ("id" = String, Path, description = "The application.", example = "a:001")),
    responses((status = 200, description = "The visits.", body = Vec<VisitShape>))
)]
pub(crate) async fn show(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second, id)): At<(String, String, String)>,
    headers: HeaderMap,
) -> Answer {
    let log = log_of(&app, &first, &second).ok_or_else(|| Problem::missing(lang))?;
    let found = blocking(lang, move || {
        let found = with_desk(app.heng(), &log, &caller.subject, |place| match place {
            Place::Edition(desk) if desk.edition.may_read(&desk.me, &id) => {
                let visits = stages(desk.edition).filter_map(|stage| {
                    desk.edition.visit(&stage.id, &id).map(|visit| shape(desk, &stage.id, &id, visit))
                });
                Some((desk.me.clone(), visits.collect::<Vec<_>>()))
            }
            _ => None,
        });
        let found = found.map_err(|error| Problem::of_app(lang, &error))?.flatten();
        let (reader, visits) = found.ok_or_else(|| Problem::missing(lang))?;
        let noted = visits.is_empty() || crate::opening::note(&app, &log, &reader, &id, "visit");
        noted.then_some(visits).ok_or_else(|| Problem::missing(lang))
    })
    .await?;
    fresh(lang, &headers, &found)
}
