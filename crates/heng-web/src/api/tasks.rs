//! What waits for me, and what else I can do: the same list as under "My work".

use axum::extract::{OriginalUri, State};
use axum::http::HeaderMap;
use heng_domain::text::Lang;

use super::given::{Asked, At, Speaks};
use super::paging::{Page, Paging, answer, page};
use super::problem::Problem;
use super::shapes::TaskShape;
use super::{Answer, blocking};
use crate::door::Caller;
use crate::view::App;
use crate::work::{gather, log_of};

/// Everything to do, over all logs: duties first, by their last day.
#[utoipa::path(
    get, path = "/api/v1/tasks", tag = "tasks", operation_id = "tasks", params(Paging), security(("token" = [])),
    responses((status = 200, description = "Tasks; what was proposed and waits for signatures is under proposals.", body = Page<TaskShape>))
)]
pub(crate) async fn all(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    uri: OriginalUri,
    headers: HeaderMap,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let list = gathered(lang, app, caller, None, paging).await?;
    answer(lang, &headers, &uri, &list)
}

/// Everything to do in one log.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/tasks", tag = "tasks", operation_id = "tasks_of_log", security(("token" = [])),
    params(("first" = String, Path, description = "Programme, or `office`.", example = "nanlu-county"), ("second" = String, Path, description = "Edition, or `log`."), Paging),
    responses((status = 200, description = "Tasks in this log.", body = Page<TaskShape>))
)]
pub(crate) async fn of_log(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second)): At<(String, String)>,
    uri: OriginalUri,
    headers: HeaderMap,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let log = log_of(&app, &first, &second).ok_or_else(|| Problem::missing(lang))?;
    let list = gathered(lang, app, caller, Some(log), paging).await?;
    answer(lang, &headers, &uri, &list)
}

async fn gathered(
    lang: Lang,
    app: App,
    caller: Caller,
    only: Option<String>,
    paging: Paging,
) -> Result<Page<TaskShape>, Problem> {
    blocking(lang, move || {
        let work = gather(&app, &caller.subject, only.as_deref()).map_err(|error| Problem::of_app(lang, &error))?;
        let tasks = work.duties.iter().chain(work.possible.values().flatten());
        let tasks = tasks.map(|task| TaskShape::new(&app, task)).collect();
        page(lang, "tasks", &paging, tasks, |task: &TaskShape| task.href.clone())
    })
    .await
}
