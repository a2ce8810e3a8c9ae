//! What whoever oversees an edition looks after: its alarms, and who opened what.

use axum::extract::{OriginalUri, State};
use axum::http::HeaderMap;
use heng_app::desk::notes::{self, Reader};
use heng_domain::text::Lang;
use serde::Deserialize;

use super::given::{Asked, At, Speaks};
use super::paging::{Page, Paging, answer, page};
use super::problem::Problem;
use super::{Answer, blocking};
use crate::alarms::{self, AlarmShape};
use crate::door::Caller;
use crate::openings::{OpeningShape, found, shape};
use crate::view::App;
use crate::work::log_of;

/// The reader of an edition's board.
pub(crate) fn reader(app: &App, caller: &Caller, lang: Lang, at: &(String, String)) -> Result<Reader, Problem> {
    let log = log_of(app, &at.0, &at.1).ok_or_else(|| Problem::missing(lang))?;
    let reader = notes::reader(app.heng(), &log, &caller.subject).map_err(|error| Problem::of_app(lang, &error))?;
    reader.ok_or_else(|| Problem::missing(lang))
}

/// Alarms: what is overdue, a clock that was moved, then records that came late or override something, newest first. For
/// officers of the edition and its supervisor.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/alarms", tag = "logs", operation_id = "alarms", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "yunchuan-mayor"), ("second" = String, Path, description = "Edition."), Paging),
    responses((status = 200, description = "Alarms.", body = Page<AlarmShape>))
)]
pub(crate) async fn alarms(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At(at): At<(String, String)>,
    uri: OriginalUri,
    headers: HeaderMap,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let list = blocking(lang, move || {
        let reader = reader(&app, &caller, lang, &at)?;
        let alarms = alarms::list(&app, &reader).map_err(|error| Problem::of_app(lang, &error))?;
        let shapes = alarms.iter().map(AlarmShape::from).collect();
        page(lang, &format!("alarms {}", reader.log), &paging, shapes, AlarmShape::id)
    })
    .await?;
    answer(lang, &headers, &uri, &list)
}

/// Whose openings, of which application.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct OpeningsAsked {
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// Most items of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// Part of a reader's name or handle.
    by: String,
    /// Part of an applicant's name, or the number of an application.
    application: String,
}

/// Openings of dossiers, files and papers, newest first. For officers of the edition and its supervisor.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/openings", tag = "logs", operation_id = "openings", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "yunchuan-mayor"), ("second" = String, Path, description = "Edition."), OpeningsAsked),
    responses((status = 200, description = "Openings.", body = Page<OpeningShape>))
)]
pub(crate) async fn openings(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At(at): At<(String, String)>,
    uri: OriginalUri,
    headers: HeaderMap,
    Asked(asked): Asked<OpeningsAsked>,
) -> Answer {
    let list = blocking(lang, move || {
        let reader = reader(&app, &caller, lang, &at)?;
        let OpeningsAsked { cursor, limit, by, application } = asked;
        let of_app = |error| Problem::of_app(lang, &error);
        let openings = found(&app, &reader.log, lang, &by, &application).map_err(of_app)?;
        let log = app.heng().log(&reader.log).map_err(of_app)?;
        let image = log.image();
        let edition = image.state.edition().ok_or_else(|| Problem::missing(lang))?;
        let shapes = openings.iter().map(|opening| shape(lang, edition, &reader.handle, opening)).collect();
        let name = format!("openings {} {by} {application}", reader.log);
        let id = |o: &OpeningShape| format!("{} {} {} {}", o.at, o.by, o.application, o.what);
        page(lang, &name, &Paging { cursor, limit }, shapes, id)
    })
    .await?;
    answer(lang, &headers, &uri, &list)
}
