//! Editions as everybody sees them: where they stand, and the result once it is published.

use axum::extract::{OriginalUri, State};
use axum::http::HeaderMap;
use heng_app::Log;
use heng_domain::edition::{Edition, StageProgress, Thing};
use heng_log::Hash;
use heng_log::code::root_code;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::given::{Asked, At, Speaks};
use super::paging::{Page, Paging, answer, page};
use super::problem::Problem;
use super::shapes::{Checkpoint, Words, name_of};
use super::{Answer, ROOT, fresh};
use crate::view::{App, find, slug};

/// An edition.
#[derive(Serialize, ToSchema)]
pub(crate) struct EditionLine {
    /// Log.
    #[schema(example = "heng.example/yunchuan-mayor/2025")]
    log: String,
    /// Its place in addresses.
    #[schema(example = "yunchuan-mayor/2025")]
    place: String,
    /// The award.
    programme: Words,
    /// The edition.
    edition: Words,
    /// Year.
    #[schema(example = 2025)]
    year: u32,
    /// It has ended.
    closed: bool,
    /// Its result and records are public.
    published: bool,
    /// Its address.
    href: String,
}

impl EditionLine {
    fn new(log: &Log, edition: &Edition) -> EditionLine {
        EditionLine {
            log: log.id().to_owned(),
            place: slug(log.id()),
            programme: (&edition.rules().name).into(),
            edition: (&edition.opened.label).into(),
            year: edition.opened.year,
            closed: edition.closed,
            published: edition.public_may_see(Thing::Result),
            href: format!("{ROOT}/editions/{}", slug(log.id())),
        }
    }
}

/// A stage of the process.
#[derive(Serialize, ToSchema)]
#[schema(as = Stage)]
pub(crate) struct StageShape {
    /// Stage.
    stage: String,
    /// Its kind.
    #[schema(example = "application")]
    kind: String,
    /// Its name.
    name: Words,
    /// Article that it rests on.
    basis: String,
    /// `done`, `now`, `next` or `ahead`.
    #[schema(example = "now")]
    progress: &'static str,
    /// Last planned day, while it is under way.
    #[schema(format = Date)]
    due: Option<String>,
    /// When it was finished.
    #[schema(format = DateTime)]
    done: Option<String>,
}

/// The newest signed checkpoint of the log.
#[derive(Serialize, ToSchema)]
#[schema(as = SignedCheckpoint)]
pub(crate) struct CheckpointShape {
    /// Size and root.
    at: Checkpoint,
    /// The root as people compare it.
    root_code: String,
    /// The signed note.
    note: String,
}

/// An edition as everybody sees it.
#[derive(Serialize, ToSchema)]
pub(crate) struct EditionDetail {
    /// The edition.
    edition: EditionLine,
    /// Who awards.
    authority: Words,
    /// Number of applications.
    applicants: u64,
    /// The stages, in order.
    stages: Vec<StageShape>,
    /// Winners, finalists and votes as the rules disclose them; `null` before the notice. The same as `result.json`.
    #[schema(value_type = Option<Object>)]
    result: Option<Value>,
    /// The newest checkpoint.
    checkpoint: Option<CheckpointShape>,
    /// Address of the bundle with which anyone checks the result; `null` before it is public.
    bundle: Option<String>,
}

fn stages(edition: &Edition) -> Vec<StageShape> {
    let shape = |stage: &heng_domain::rules::Stage| {
        let (progress, due, done) = match edition.progress(stage) {
            StageProgress::Done { on } => ("done", None, Some(on.to_string())),
            StageProgress::Now { due } => ("now", Some(due.to_string()), None),
            StageProgress::Next => ("next", None, None),
            StageProgress::Ahead => ("ahead", None, None),
        };
        StageShape {
            stage: stage.id.clone(),
            kind: name_of(&stage.kind),
            name: (&stage.name).into(),
            basis: stage.basis.clone(),
            progress,
            due,
            done,
        }
    };
    edition.rules().stages.iter().map(shape).collect()
}

/// All editions, newest first.
#[utoipa::path(
    get, path = "/api/v1/editions", tag = "public", operation_id = "editions", params(Paging),
    responses((status = 200, description = "Editions.", body = Page<EditionLine>))
)]
pub(crate) async fn list(
    Speaks(lang): Speaks,
    State(app): State<App>,
    uri: OriginalUri,
    headers: HeaderMap,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let logs = app.heng().editions();
    let line = |log: &std::sync::Arc<Log>| log.image().state.edition().map(|edition| EditionLine::new(log, edition));
    let lines = logs.iter().filter_map(line).collect();
    let list = page(lang, "editions", &paging, lines, |line: &EditionLine| line.log.clone())?;
    answer(lang, &headers, &uri, &list)
}

/// An edition: where it stands, and its result once it is published.
#[utoipa::path(
    get, path = "/api/v1/editions/{first}/{second}", tag = "public", operation_id = "edition",
    params(("first" = String, Path, description = "Programme.", example = "yunchuan-mayor"), ("second" = String, Path, description = "Edition.", example = "2025")),
    responses((status = 200, description = "The edition.", body = EditionDetail))
)]
pub(crate) async fn show(
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second)): At<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let log = find(&app, &first, &second).ok_or_else(|| Problem::missing(lang))?;
    let detail = {
        let image = log.image();
        let edition = image.state.edition().ok_or_else(|| Problem::missing(lang))?;
        let result = edition.public_result().filter(|_| edition.public_may_see(Thing::Result));
        let result = result.map(serde_json::to_value).transpose().map_err(|_| Problem::internal(lang))?;
        let records = edition.public_may_see(Thing::Records);
        EditionDetail {
            edition: EditionLine::new(&log, edition),
            authority: (&edition.rules().authority).into(),
            applicants: u64::try_from(edition.applications.len()).unwrap_or(0),
            stages: stages(edition),
            result,
            checkpoint: image.checkpoint.as_ref().map(|c| CheckpointShape {
                at: Checkpoint { size: c.size, root: Hash(c.root).to_string() },
                root_code: root_code(&Hash(c.root)),
                note: c.note.clone(),
            }),
            bundle: records.then(|| format!("/editions/{}/bundle.tar", slug(log.id()))),
        }
    };
    fresh(lang, &headers, &detail)
}
