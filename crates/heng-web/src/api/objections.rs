//! The objection desk: what came in and how far it is, and what each says, for those who decide it.

use axum::extract::State;
use axum::http::HeaderMap;
use heng_app::desk::{EditionDesk, proposal};
use serde::Serialize;
use utoipa::ToSchema;

use super::given::{At, Speaks};
use super::problem::Problem;
use super::{Answer, blocking, fresh, of_edition};
use crate::door::Caller;
use crate::objections::{ObjectionLine, ObjectionShape, lines, open};
use crate::view::App;
use crate::work::log_of;

/// The objections of an edition.
#[derive(Serialize, ToSchema)]
pub(crate) struct ObjectionsShape {
    /// In the order in which they came.
    objections: Vec<ObjectionLine>,
}

/// Objections and how far each is, for officers and the supervisor.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/objections", tag = "applications", operation_id = "objections", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "yunchuan-mayor"), ("second" = String, Path, description = "Edition.")),
    responses((status = 200, description = "Objections.", body = ObjectionsShape))
)]
pub(crate) async fn list(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At(at): At<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let look = |desk: &EditionDesk<'_>, _: &App, _: &str| lines(desk).map(|objections| ObjectionsShape { objections });
    of_edition(app, lang, caller, at, &headers, look).await
}

/// What an objection says. That it was opened is noted.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/objections/{id}", tag = "applications", operation_id = "objection", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "yunchuan-mayor"), ("second" = String, Path, description = "Edition."), ("id" = String, Path, description = "The objection.")),
    responses((status = 200, description = "The objection.", body = ObjectionShape))
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
        let reader = proposal::handle(app.heng(), &log, &caller.subject);
        let reader = reader.map_err(|error| Problem::of_app(lang, &error))?.ok_or_else(|| Problem::missing(lang))?;
        open(&app, &log, &reader, &id).ok_or_else(|| Problem::missing(lang))
    })
    .await?;
    fresh(lang, &headers, &found)
}

/// A file that came with an objection. That it was opened is noted. It is a copy that carries the reader, the time and a
/// code (PDF, PNG, JPEG), or the code in its name: `sha256` stays that of the original.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/objections/{id}/files/{sha256}", tag = "applications", operation_id = "objection_file", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "yunchuan-mayor"), ("second" = String, Path, description = "Edition."), ("id" = String, Path, description = "The objection."), ("sha256" = String, Path, description = "SHA-256 of the content, in hex.")),
    responses((status = 200, description = "The content.", content_type = "application/octet-stream", body = Vec<u8>))
)]
pub(crate) async fn file(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second, id, sha256)): At<(String, String, String, String)>,
) -> Answer {
    let log = log_of(&app, &first, &second).ok_or_else(|| Problem::missing(lang))?;
    let account = caller.account.clone();
    let reader = {
        let (app, log) = (app.clone(), log.clone());
        blocking(lang, move || {
            let reader = proposal::handle(app.heng(), &log, &caller.subject);
            reader.map_err(|error| Problem::of_app(lang, &error))?.ok_or_else(|| Problem::missing(lang))
        })
        .await?
    };
    let found = crate::opening::evidence(&app, &log, (&reader, &account), &id, &sha256).await;
    found.map_err(|error| Problem::of_app(lang, &error))?.ok_or_else(|| Problem::missing(lang))
}
