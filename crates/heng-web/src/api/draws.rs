//! A draw step by step: pool, plan, public event, and what followed.

use axum::extract::State;
use axum::http::HeaderMap;
use heng_domain::draw::{Drawn, seed};
use heng_domain::edition::DrawState;
use heng_log::{Hash, Sha256};
use serde::Serialize;
use utoipa::ToSchema;

use super::given::{At, Speaks};
use super::{Answer, of_edition};
use crate::door::Caller;
use crate::view::App;

/// Somebody who was left out of the pool.
#[derive(Serialize, ToSchema)]
struct LeftOut {
    /// Line.
    line: String,
    /// `recusal`, `term`, `load` or `declined`.
    reason: String,
}

/// The public event that decides.
#[derive(Serialize, ToSchema)]
struct DrawSource {
    /// What it is.
    source: String,
    /// Which of them.
    period: String,
    /// What it gave; absent before the reveal.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

/// One group of the pool.
#[derive(Serialize, ToSchema)]
struct DrawGroup {
    /// Group.
    group: String,
    /// Its first line, from 1.
    from: u64,
    /// Its last line.
    to: u64,
    /// How many are drawn.
    take: u64,
    /// The lines that were drawn, in order.
    taken: Vec<String>,
    /// The reserves, in the order in which they step in.
    reserve: Vec<String>,
}

/// A reserve that stepped in.
#[derive(Serialize, ToSchema)]
struct DrawChange {
    /// Who left.
    out: String,
    /// Who stepped in.
    by: String,
    /// Why.
    reason: String,
}

/// A draw.
#[derive(Serialize, ToSchema)]
#[schema(as = Draw)]
pub(crate) struct DrawShape {
    /// Draw.
    #[schema(example = "d:experts")]
    draw: String,
    /// Stage.
    stage: String,
    /// The pool, line by line.
    pool: Vec<String>,
    /// SHA-256 of the pool.
    pool_sha256: String,
    /// Who was left out of it.
    left_out: Vec<LeftOut>,
    /// SHA-256 of the plan; absent before it is published, as is all that follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan_sha256: Option<String>,
    /// Hashes to which the office had committed.
    commitments: Vec<String>,
    /// First day of the public events.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    sources_on: Option<String>,
    /// The public events.
    sources: Vec<DrawSource>,
    /// The secrets behind the commitments; empty before the reveal.
    secrets: Vec<String>,
    /// What the positions are computed from (DRAW-1); absent before the reveal.
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<String>,
    /// The groups.
    groups: Vec<DrawGroup>,
    /// Reserves that stepped in, in order.
    changes: Vec<DrawChange>,
    /// Why it was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    voided: Option<String>,
}

fn shape(id: &str, draw: &DrawState) -> DrawShape {
    let plan = draw.plan.as_ref().map(|published| &published.plan);
    let revealed = draw.revealed.as_ref();
    let secrets: Vec<[u8; 32]> = revealed.iter().flat_map(|r| &r.secrets).map(|hash| hash.0).collect();
    let seed = plan.zip(revealed).and_then(|(plan, r)| seed::<Sha256>(plan, &secrets, &r.values).ok());
    let lines = |positions: &[u64]| positions.iter().filter_map(|p| draw.line(*p)).map(str::to_owned).collect();
    let drawn = |group: &str| revealed.and_then(|r| r.result.iter().find(|drawn: &&Drawn| drawn.id == group));
    let groups = plan.into_iter().flat_map(|plan| &plan.strata).map(|stratum| DrawGroup {
        group: stratum.id.clone(),
        from: stratum.from,
        to: stratum.to,
        take: stratum.take,
        taken: drawn(&stratum.id).map(|drawn| lines(&drawn.taken)).unwrap_or_default(),
        reserve: drawn(&stratum.id).map(|drawn| lines(&drawn.reserve)).unwrap_or_default(),
    });
    let sources = plan.into_iter().flat_map(|plan| &plan.sources).map(|source| DrawSource {
        value: revealed
            .and_then(|r| r.values.iter().find(|v| v.source == source.source && v.period == source.period))
            .map(|value| value.value.clone()),
        source: source.source.clone(),
        period: source.period.clone(),
    });
    let out = |excluded: &heng_domain::edition::events::Excluded| LeftOut {
        line: excluded.line.clone(),
        reason: excluded.reason.clone(),
    };
    let changes = draw.replaced.iter().map(|change| DrawChange {
        out: change.out.clone(),
        by: change.by.clone(),
        reason: change.reason.clone(),
    });
    DrawShape {
        draw: id.to_owned(),
        stage: draw.stage.clone(),
        pool: draw.lines.clone(),
        pool_sha256: draw.sha256.to_string(),
        left_out: draw.excluded.iter().map(out).collect(),
        plan_sha256: plan.and_then(|plan| plan.hash::<Sha256>().ok()).map(|hash| hash.to_string()),
        commitments: plan.into_iter().flat_map(|plan| plan.commit.list()).map(|commit| commit.to_string()).collect(),
        sources_on: draw.plan.as_ref().map(|published| published.sources_on.to_string()),
        sources: sources.collect(),
        secrets: revealed.iter().flat_map(|r| &r.secrets).map(Hash::to_string).collect(),
        seed: seed.map(|seed| seed.to_string()),
        groups: groups.collect(),
        changes: changes.collect(),
        voided: draw.voided.as_ref().map(|(reason, _)| reason.clone()),
    }
}

/// A draw, for everybody who has a seat in the edition.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/draws/{id}", tag = "applications", operation_id = "draw", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "yunchuan-mayor"), ("second" = String, Path, description = "Edition."), ("id" = String, Path, description = "The draw.", example = "d:experts")),
    responses((status = 200, description = "The draw.", body = DrawShape))
)]
pub(crate) async fn show(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second, id)): At<(String, String, String)>,
    headers: HeaderMap,
) -> Answer {
    of_edition(app, lang, caller, (first, second), &headers, move |desk, _, _| {
        desk.edition.draws.get(&id).map(|draw| shape(&id, draw))
    })
    .await
}
