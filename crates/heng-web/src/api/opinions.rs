//! Opinions of other departments: what was asked, and where every answer stands, for those who oversee the edition.

use axum::extract::State;
use axum::http::HeaderMap;
use heng_app::desk::EditionDesk;
use heng_domain::edition::OpinionState;
use heng_log::Hash;
use serde::Serialize;
use utoipa::ToSchema;

use super::given::{At, Speaks};
use super::{Answer, of_edition};
use crate::door::Caller;
use crate::view::App;

/// Where a department's answer on an application stands. Silence is never `clear`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// No answer yet.
    Waiting,
    /// No answer, the last day has passed, and it is waited for.
    Overdue,
    /// No answer, the last day has passed, and the rules take that for no objection.
    Silent,
    /// Nothing against the applicant.
    Clear,
    /// An objection.
    Objection,
}

impl From<OpinionState> for Standing {
    fn from(state: OpinionState) -> Standing {
        match state {
            OpinionState::Waiting => Standing::Waiting,
            OpinionState::Overdue => Standing::Overdue,
            OpinionState::Silent => Standing::Silent,
            OpinionState::Clear => Standing::Clear,
            OpinionState::Objection => Standing::Objection,
        }
    }
}

/// One question to one department.
#[derive(Serialize, ToSchema)]
pub(crate) struct OpinionLine {
    /// Department.
    #[schema(example = "tax")]
    department: String,
    /// Application.
    #[schema(example = "a:001")]
    application: String,
    /// Where it stands today.
    state: Standing,
    /// Number of the reply letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    letter: Option<String>,
    /// SHA-256 of what proves the answer: a letter that was uploaded is at `applications/{application}/files/{sha256}`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<String>,
    /// Number of the answer's record.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<u64>,
}

/// What was asked of the departments.
#[derive(Serialize, ToSchema)]
pub(crate) struct OpinionsShape {
    /// Last day to answer; absent before anybody is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    /// Every department with every application of the batch.
    answers: Vec<OpinionLine>,
}

fn shape(desk: &EditionDesk<'_>) -> OpinionsShape {
    let edition = desk.edition;
    let departments = || edition.rules().opinions.iter().flat_map(|rules| &rules.departments);
    let asked = edition.opinions.as_ref();
    let lines = asked.into_iter().flat_map(|asked| asked.applications.iter().map(move |a| (asked, a)));
    let answers = lines.flat_map(|(asked, application)| {
        departments().filter_map(move |department| {
            let answer = asked.answers.get(&(department.id.clone(), application.clone()));
            Some(OpinionLine {
                state: edition.opinion_state(&department.id, application, desk.today())?.into(),
                department: department.id.clone(),
                application: application.clone(),
                letter: answer.map(|(body, _)| body.letter.clone()),
                evidence: answer.iter().flat_map(|(body, _)| body.evidence.iter().map(Hash::to_string)).collect(),
                record: answer.map(|(_, seq)| *seq),
            })
        })
    });
    OpinionsShape { until: asked.map(|asked| asked.until.to_string()), answers: answers.collect() }
}

/// The departments' opinions, for officers and the supervisor.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/opinions", tag = "applications", operation_id = "opinions", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "yunchuan-mayor"), ("second" = String, Path, description = "Edition.")),
    responses((status = 200, description = "Questions and answers.", body = OpinionsShape))
)]
pub(crate) async fn show(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At(at): At<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    of_edition(app, lang, caller, at, &headers, |desk, _, _| desk.edition.oversees(&desk.me).then(|| shape(desk))).await
}
