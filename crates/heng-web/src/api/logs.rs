//! The logs in which the token's owner has a seat, and those that everybody may read.

use axum::extract::{OriginalUri, State};
use axum::http::HeaderMap;
use heng_app::desk::proposal;
use heng_domain::edition::Thing;
use serde::Serialize;
use utoipa::ToSchema;

use super::given::{Asked, Speaks};
use super::paging::{Page, Paging, answer, page};
use super::problem::Problem;
use super::shapes::Words;
use super::{Answer, blocking};
use crate::door::Caller;
use crate::view::App;
use crate::work::{log_name, place};

/// A log.
#[derive(Serialize, ToSchema)]
#[schema(as = Log)]
pub(crate) struct LogShape {
    /// Name.
    #[schema(example = "heng.example/nanlu-county/2026")]
    log: String,
    /// Its place in addresses.
    #[schema(example = "nanlu-county/2026")]
    place: String,
    /// `edition` or `office`.
    #[schema(example = "edition")]
    kind: String,
    /// What people call it.
    name: Words,
    /// Who I am there: a person, an organisation, or an expert's pseudonym. `null` without a seat.
    me: Option<String>,
    /// Its records are public.
    public: bool,
    /// How many alarms its board has; only for its supervisor.
    #[serde(skip_serializing_if = "Option::is_none")]
    alarms: Option<usize>,
}

/// Logs with a seat of mine, and public ones.
#[utoipa::path(
    get, path = "/api/v1/logs", tag = "logs", operation_id = "logs", params(Paging), security(("token" = [])),
    responses((status = 200, description = "Logs.", body = Page<LogShape>))
)]
pub(crate) async fn list(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    uri: OriginalUri,
    headers: HeaderMap,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let list = blocking(lang, move || {
        let mut logs = Vec::new();
        for log in app.heng().logs() {
            let me = proposal::handle(app.heng(), log.id(), &caller.subject);
            let me = me.map_err(|error| Problem::of_app(lang, &error))?;
            let public = log.image().state.edition().is_some_and(|e| e.public_may_see(Thing::Records));
            if me.is_some() || public {
                let (kind, name) = (log.kind().to_owned(), log_name(&app, log.id()).into());
                let alarms = crate::alarms::count(&app, &caller.subject, log.id());
                let alarms = alarms.map_err(|error| Problem::of_app(lang, &error))?;
                let (log, place) = (log.id().to_owned(), place(&app, log.id()));
                logs.push(LogShape { log, place, kind, name, me, public, alarms });
            }
        }
        page(lang, "logs", &paging, logs, |log: &LogShape| log.log.clone())
    })
    .await?;
    answer(lang, &headers, &uri, &list)
}
