//! The supervisor's notes on an edition, for whoever reads its board.

use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode};
use heng_app::desk::notes::{self, Note};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::board::reader;
use super::given::{Asked, At, Given, Speaks};
use super::once::{Done, Request, once};
use super::paging::{Page, Paging, answer, page};
use super::problem::Problem;
use super::{Answer, blocking};
use crate::door::Caller;
use crate::view::App;

/// A note.
#[derive(Serialize, ToSchema)]
#[schema(as = Note)]
pub(crate) struct NoteShape {
    /// Who wrote it, as the edition knows them.
    by: String,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// What it says.
    text: String,
}

impl From<Note> for NoteShape {
    fn from(note: Note) -> NoteShape {
        NoteShape { by: note.by, at: note.at.to_string(), text: note.text }
    }
}

/// Notes of the supervisor, newest first. For officers of the edition and its supervisor.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/notes", tag = "logs", operation_id = "notes", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "yunchuan-mayor"), ("second" = String, Path, description = "Edition."), Paging),
    responses((status = 200, description = "Notes.", body = Page<NoteShape>))
)]
pub(crate) async fn list(
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
        let notes = notes::list(app.heng(), &reader.log).map_err(|error| Problem::of_app(lang, &error))?;
        let shapes = notes.into_iter().map(NoteShape::from).collect();
        page(lang, &format!("notes {}", reader.log), &paging, shapes, |n: &NoteShape| format!("{} {}", n.at, n.by))
    })
    .await?;
    answer(lang, &headers, &uri, &list)
}

/// A note to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteGiven {
    /// What it says.
    #[schema(min_length = 1, max_length = 4000)]
    text: String,
}

/// Adds a note. Only the supervisor does.
#[utoipa::path(
    post, path = "/api/v1/logs/{first}/{second}/notes", tag = "logs", operation_id = "add_note", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "yunchuan-mayor"), ("second" = String, Path, description = "Edition.")),
    request_body = NoteGiven,
    responses((status = 201, description = "It is kept, beside the log.", body = NoteShape))
)]
pub(crate) async fn add(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At(at): At<(String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    given: Given<NoteGiven>,
) -> Answer {
    let Given { value, bytes } = given;
    blocking(lang, move || {
        let reader = reader(&app, &caller, lang, &at)?;
        let owner = &caller.account.id;
        let request = Request { app: &app, lang, headers: &headers, owner, asked: (uri.path(), &bytes[..]) };
        once(&request, || {
            let note = notes::add(app.heng(), &reader, &value.text).map_err(|error| Problem::of_desk(lang, &error))?;
            Done::new(lang, StatusCode::CREATED, None, &NoteShape::from(note))
        })
    })
    .await
}
