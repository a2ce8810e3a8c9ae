//! The panels, for those who oversee the edition.

use axum::extract::State;
use axum::http::HeaderMap;
use heng_app::desk::EditionDesk;
use heng_domain::edition::{Edition, Panel};
use heng_domain::rules::Stage;
use serde::Serialize;
use utoipa::ToSchema;

use super::given::{At, Speaks};
use super::{Answer, of_edition};
use crate::door::Caller;
use crate::panels::{self, Duty};
use crate::view::App;

/// Where a member stands towards an application.
#[derive(Serialize, ToSchema)]
#[schema(as = Duty)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DutyShape {
    /// Stays away from it.
    Recused,
    /// Has not pledged, or not said whether there is a conflict.
    Undeclared,
    /// May judge; nothing is to be handed in now.
    Ready,
    /// The sheet is missing.
    Owed,
    /// The sheet is in.
    Submitted,
}

impl From<Duty> for DutyShape {
    fn from(duty: Duty) -> DutyShape {
        match duty {
            Duty::Recused => DutyShape::Recused,
            Duty::Undeclared => DutyShape::Undeclared,
            Duty::Ready => DutyShape::Ready,
            Duty::Owed => DutyShape::Owed,
            Duty::Submitted => DutyShape::Submitted,
        }
    }
}

/// A member with an application.
#[derive(Serialize, ToSchema)]
pub(crate) struct PanelCell {
    /// Member.
    #[schema(example = "x:003")]
    expert: String,
    /// Application.
    #[schema(example = "a:001")]
    application: String,
    /// Where the member stands.
    duty: DutyShape,
}

/// A change of the members.
#[derive(Serialize, ToSchema)]
pub(crate) struct PanelChange {
    /// Who left.
    out: String,
    /// Who stepped in.
    by: String,
    /// Why.
    reason: String,
}

/// A panel.
#[derive(Serialize, ToSchema)]
#[schema(as = Panel)]
pub(crate) struct PanelShape {
    /// Panel.
    #[schema(example = "g:experts-1")]
    panel: String,
    /// Leader.
    leader: String,
    /// Members, the leader among them.
    members: Vec<String>,
    /// Applications.
    applications: Vec<String>,
    /// Every member with every application that is still in the field.
    duties: Vec<PanelCell>,
    /// Changes of the members, in order.
    changes: Vec<PanelChange>,
}

/// The panels of one stage of experts.
#[derive(Serialize, ToSchema)]
pub(crate) struct PanelStage {
    /// Stage of experts.
    #[schema(example = "experts")]
    stage: String,
    /// Members of a panel by the rules.
    size: u32,
    /// The scored stage whose sheets `duties` speak of; absent before one has opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    scored: Option<String>,
    /// Panels.
    panels: Vec<PanelShape>,
    /// Applications of the field that no panel has.
    without_panel: Vec<String>,
    /// Drawn experts who sit on no panel.
    free: Vec<String>,
    /// Reserves who have not stepped in, in the order of the draw.
    reserves: Vec<String>,
}

/// The panels.
#[derive(Serialize, ToSchema)]
pub(crate) struct PanelsShape {
    /// By stage of experts.
    stages: Vec<PanelStage>,
}

fn panel(edition: &Edition, scored: Option<&Stage>, (id, panel): (&String, &Panel)) -> PanelShape {
    let live = || panel.applications.iter().filter(|application| edition.field.contains(*application));
    let cells = panel.members.iter().flat_map(|expert| live().map(move |application| (expert, application)));
    let cell = |(expert, application): (&String, &String)| PanelCell {
        expert: expert.clone(),
        application: application.clone(),
        duty: panels::duty(edition, scored, expert, application).into(),
    };
    let change = |change: &heng_domain::edition::Succession| PanelChange {
        out: change.out.clone(),
        by: change.by.clone(),
        reason: change.reason.clone(),
    };
    PanelShape {
        panel: id.clone(),
        leader: panel.leader.clone(),
        members: panel.members.iter().cloned().collect(),
        applications: panel.applications.iter().cloned().collect(),
        duties: cells.map(cell).collect(),
        changes: panel.replaced.iter().map(change).collect(),
    }
}

fn shape(desk: &EditionDesk<'_>) -> PanelsShape {
    let edition = desk.edition;
    let stage = |(experts, scored): (&Stage, Option<&Stage>)| {
        let draws = edition.draws.values().filter(|draw| draw.stage == experts.id);
        let (free, reserves): (Vec<_>, Vec<_>) = draws.map(|draw| panels::left_over(edition, draw)).unzip();
        let names = |names: Vec<Vec<&str>>| names.into_iter().flatten().map(str::to_owned).collect();
        PanelStage {
            stage: experts.id.clone(),
            size: experts.experts.as_ref().map_or(0, |rules| rules.panel_size.value),
            scored: scored.map(|stage| stage.id.clone()),
            panels: panels::of_stage(edition, &experts.id).into_iter().map(|p| panel(edition, scored, p)).collect(),
            without_panel: edition.without_panel(&experts.id).into_iter().cloned().collect(),
            free: names(free),
            reserves: names(reserves),
        }
    };
    PanelsShape { stages: panels::stages(edition).map(stage).collect() }
}

/// The panels with who judges what, for officers and the supervisor.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/panels", tag = "applications", operation_id = "panels", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "yunchuan-mayor"), ("second" = String, Path, description = "Edition.")),
    responses((status = 200, description = "The panels.", body = PanelsShape))
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
