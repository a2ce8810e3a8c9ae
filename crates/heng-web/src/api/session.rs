//! The session of the committee, as it concerns the caller: what the page of an edition under "My work" shows of it.

use axum::extract::State;
use axum::http::HeaderMap;
use heng_app::desk::session::{Item, Question, Standing, Step, standing};
use heng_domain::edition::MotionState;
use serde::Serialize;
use utoipa::ToSchema;

use super::given::{At, Speaks};
use super::shapes::Words;
use super::{Answer, log_href, of_edition};
use crate::door::Caller;
use crate::view::App;
use crate::work::encode;

/// How far a motion is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum How {
    /// Ballots come in.
    Open,
    /// Closed; the votes are read back.
    Closed,
    /// The count is fixed.
    Frozen,
    /// The result is announced.
    Announced,
    /// Void.
    Voided,
}

/// A signed ballot that was refused.
#[derive(Serialize, ToSchema)]
#[schema(as = RefusedBallot)]
struct RefusedShape {
    /// Name of the member.
    name: String,
    /// Why, in words.
    reason: Words,
}

impl From<MotionState> for How {
    fn from(state: MotionState) -> How {
        match state {
            MotionState::Open => How::Open,
            MotionState::Closed => How::Closed,
            MotionState::Frozen => How::Frozen,
            MotionState::Announced => How::Announced,
            MotionState::Voided => How::Voided,
        }
    }
}

/// A motion.
#[derive(Serialize, ToSchema)]
struct MotionShape {
    /// Motion.
    #[schema(example = "m1")]
    motion: String,
    /// What is voted on.
    text: Words,
    /// Names of its options.
    options: Words,
    /// How far it is.
    state: How,
    /// Members who may vote on it.
    voters: u32,
    /// Members whose ballot is in the log.
    voted: u32,
    /// Names of those whose ballot is missing; for the chair, officers and the supervisor.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<String>,
    /// Names of those whose ballot two officers entered from paper; for the chair, officers and the supervisor.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    paper: Vec<String>,
    /// Whose signed ballot was refused, and why; for the chair, officers and the supervisor.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<RefusedShape>,
    /// Whether those who were there at the opening and have not left still make the quorum, where the rules ask for it.
    quorum_stays: bool,
    /// Before this instant the count is not frozen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    readback_until: Option<String>,
    /// Names of those who dispute the read-back; for the chair, officers and the supervisor.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    disputes: Vec<String>,
    /// What is recorded for me, once the vote is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded: Option<Words>,
    /// Number of the record of my ballot.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<u64>,
}

/// A line of the agenda.
#[derive(Serialize, ToSchema)]
struct AgendaLine {
    /// Name of the finalist, or the words of a motion on several.
    text: Words,
    /// The finalist, where the caller may open the papers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "a:001")]
    application: Option<String>,
    /// How far its motion is; absent while it waits for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<How>,
    /// The announced result, for a motion on one finalist.
    #[serde(skip_serializing_if = "Option::is_none")]
    passed: Option<bool>,
}

impl From<Item> for AgendaLine {
    fn from(of: Item) -> AgendaLine {
        AgendaLine { text: of.text.into(), application: of.papers, state: of.state.map(How::from), passed: of.passed }
    }
}

/// A session.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionShape {
    /// Session.
    #[schema(example = "s1")]
    session: String,
    /// Members who are there, the recused left out while a motion runs.
    present: u32,
    /// Members of the roster, likewise.
    roll: u32,
    /// The least number of members for the quorum.
    needed: u32,
    /// Names of those who have not signed in; for the chair, officers and the supervisor.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    absent: Vec<String>,
    /// The last motion.
    #[serde(skip_serializing_if = "Option::is_none")]
    motion: Option<MotionShape>,
    /// What is voted on, in order: the motions, then what has none yet.
    agenda: Vec<AgendaLine>,
    /// Address of my own next act.
    #[serde(skip_serializing_if = "Option::is_none")]
    mine: Option<String>,
    /// Address of the chair's next act; for the chair, officers and the supervisor.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl From<Question> for MotionShape {
    fn from(of: Question) -> MotionShape {
        MotionShape {
            motion: of.id,
            text: of.text.into(),
            options: of.options.into(),
            state: of.state.into(),
            voters: of.voters,
            voted: of.voted,
            missing: of.missing,
            paper: of.paper,
            refused: of.refused.into_iter().map(|(name, why)| RefusedShape { name, reason: why.into() }).collect(),
            quorum_stays: of.stays,
            readback_until: of.readback.map(|until| until.to_string()),
            disputes: of.disputes,
            recorded: of.recorded.map(Words::from),
            record: of.receipt,
        }
    }
}

fn shape(app: &App, log: &str, of: Standing) -> SessionShape {
    let href = |step: Step| log_href(app, log, &format!("/acts/{}/{}", step.kind, encode(&step.case)));
    SessionShape {
        needed: of.needed(),
        session: of.id,
        present: of.present,
        roll: of.roll,
        absent: of.absent,
        motion: of.motion.map(MotionShape::from),
        agenda: of.agenda.into_iter().map(AgendaLine::from).collect(),
        mine: of.mine.map(href),
        next: of.next.map(href),
    }
}

/// The session of the committee stage that is open, for its members and for those who lead it.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/session", tag = "tasks", operation_id = "session", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "yunchuan-mayor"), ("second" = String, Path, description = "Edition.")),
    responses((status = 200, description = "Attendance, the motion, and what comes next.", body = SessionShape))
)]
pub(crate) async fn show(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At(at): At<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    of_edition(app, lang, caller, at, &headers, |desk, app, log| standing(desk).map(|found| shape(app, log, found)))
        .await
}
