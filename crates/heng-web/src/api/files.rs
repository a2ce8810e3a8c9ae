//! My files in an edition: uploads in pieces that go on after any interruption, and what came of them.

#![expect(unused_qualifications, reason = "utoipa's macro writes them")]

use axum::body::Bytes;
use axum::extract::{OriginalUri, Request as HttpRequest, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::{RequestExt, body};
use heng_app::desk::{files as kept, proposal};
use heng_app::upload::{Upload, UploadError};
use heng_domain::text::Lang;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::given::{Asked, At, Given, Speaks};
use super::once::{Done, Request, once};
use super::paging::{Page, Paging, answer, page};
use super::problem::Problem;
use super::shapes::File;
use super::{Answer, blocking, fresh, log_href};
use crate::door::Caller;
use crate::files::{Owner, keep, mine, status, uses};
use crate::view::App;
use crate::work::log_of;

/// An upload under way.
#[derive(Serialize, ToSchema)]
#[schema(as = Upload)]
pub(crate) struct UploadShape {
    /// Upload.
    id: String,
    /// Name of the file, made safe.
    name: String,
    /// Bytes of the whole file.
    size: u64,
    /// Bytes that have arrived: the next piece begins here.
    received: u64,
    /// Until when it can be finished.
    #[schema(format = DateTime)]
    expires: String,
    /// Its address.
    href: String,
}

fn shape(app: &App, log: &str, upload: &Upload) -> UploadShape {
    UploadShape {
        id: upload.id.as_str().to_owned(),
        name: upload.name.clone(),
        size: upload.size,
        received: upload.received,
        expires: upload.expires.to_string(),
        href: log_href(app, log, &format!("/uploads/{}", upload.id.as_str())),
    }
}

/// Whose files they are: whoever the caller is in the edition.
fn owner(app: &App, caller: &Caller, lang: Lang, first: &str, second: &str) -> Result<Owner, Problem> {
    let log = log_of(app, first, second).ok_or_else(|| Problem::missing(lang))?;
    let handle = proposal::handle(app.heng(), &log, &caller.subject);
    let handle = handle.map_err(|error| Problem::of_app(lang, &error))?.ok_or_else(|| Problem::missing(lang))?;
    Ok(Owner { log, office: caller.subject.starts_with("p:"), handle })
}

fn problem(lang: Lang, error: UploadError) -> Problem {
    match error {
        UploadError::Unknown => Problem::missing(lang),
        UploadError::Failed(error) => Problem::of_app(lang, &error.into()),
        error => Problem::said(status(&error), error.code(), error.message(lang)),
    }
}

/// The files that I have uploaded and may attach.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/files", tag = "files", operation_id = "files", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "nanlu-county"), ("second" = String, Path, description = "Edition."), Paging),
    responses((status = 200, description = "Files.", body = Page<File>))
)]
pub(crate) async fn list(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second)): At<(String, String)>,
    uri: OriginalUri,
    headers: HeaderMap,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let list = blocking(lang, move || {
        let owner = owner(&app, &caller, lang, &first, &second)?;
        let files = kept::list(app.heng(), &owner.handle).map_err(|error| Problem::of_app(lang, &error))?;
        let shapes = files.into_iter().map(File::from).collect();
        page(lang, &format!("files {}", owner.log), &paging, shapes, |file: &File| file.sha256.clone())
    })
    .await?;
    answer(lang, &headers, &uri, &list)
}

/// A file of mine.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/files/{sha256}", tag = "files", operation_id = "own_file", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "nanlu-county"), ("second" = String, Path, description = "Edition."), ("sha256" = String, Path, description = "SHA-256 of its content, in hex.")),
    responses((status = 200, description = "Its bytes.", body = Vec<u8>, content_type = "application/octet-stream"))
)]
pub(crate) async fn own(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second, sha)): At<(String, String, String)>,
) -> Answer {
    let found = {
        let app = app.clone();
        blocking(lang, move || {
            let owner = owner(&app, &caller, lang, &first, &second)?;
            let info = kept::info(app.heng(), &owner.handle, &sha).map_err(|error| Problem::of_app(lang, &error))?;
            let hash = sha.parse().map_err(|_| Problem::missing(lang))?;
            Ok((info.ok_or_else(|| Problem::missing(lang))?.name, hash))
        })
        .await?
    };
    crate::files::download(&app, &found.0, found.1).await.ok_or_else(|| Problem::missing(lang))
}

/// Takes a file off my list. What was submitted with it stays as it is.
#[utoipa::path(
    delete, path = "/api/v1/logs/{first}/{second}/files/{sha256}", tag = "files", operation_id = "remove_file", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "nanlu-county"), ("second" = String, Path, description = "Edition."), ("sha256" = String, Path, description = "SHA-256 of its content, in hex.")),
    responses((status = 204, description = "It is off the list."))
)]
pub(crate) async fn remove(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second, sha)): At<(String, String, String)>,
) -> Answer {
    blocking(lang, move || {
        let owner = owner(&app, &caller, lang, &first, &second)?;
        let of_app = |error| Problem::of_app(lang, &error);
        kept::info(app.heng(), &owner.handle, &sha).map_err(of_app)?.ok_or_else(|| Problem::missing(lang))?;
        kept::remove(app.heng(), &owner.handle, &sha).map(drop).map_err(of_app)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// My uploads that are not finished.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/uploads", tag = "files", operation_id = "uploads", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "nanlu-county"), ("second" = String, Path, description = "Edition."), Paging),
    responses((status = 200, description = "Uploads.", body = Page<UploadShape>))
)]
pub(crate) async fn unfinished(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second)): At<(String, String)>,
    uri: OriginalUri,
    headers: HeaderMap,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let list = blocking(lang, move || {
        let owner = owner(&app, &caller, lang, &first, &second)?;
        let uploads = app.uploads().unfinished(&owner.handle).map_err(|error| problem(lang, error))?;
        let shapes = uploads.iter().map(|upload| shape(&app, &owner.log, upload)).collect();
        page(lang, &format!("uploads {}", owner.log), &paging, shapes, |upload: &UploadShape| upload.id.clone())
    })
    .await?;
    answer(lang, &headers, &uri, &list)
}

/// A file to upload.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UploadGiven {
    /// Name, with its ending.
    #[schema(example = "proof.pdf")]
    name: String,
    /// Bytes of the whole file.
    #[schema(minimum = 0, example = 48_213)]
    #[serde(deserialize_with = "super::given::whole")]
    size: u64,
    /// What it is about: `licence`, `form`, an item of the criteria, or `other`.
    #[schema(example = "licence")]
    about: String,
}

fn known_use(app: &App, lang: Lang, owner: &Owner, about: &str) -> Result<(), Problem> {
    if uses(lang, app, &owner.log, owner.office).iter().any(|(id, _)| id == about) {
        return Ok(());
    }
    Err(Problem::of_wrong(lang, &[heng_app::desk::Wrong::new("about", "choose_known")]))
}

/// Begins an upload; its pieces follow.
#[utoipa::path(
    post, path = "/api/v1/logs/{first}/{second}/uploads", tag = "files", operation_id = "begin_upload", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "nanlu-county"), ("second" = String, Path, description = "Edition.")),
    request_body = UploadGiven,
    responses((status = 201, description = "Pieces can be sent.", body = UploadShape, headers(("Location" = String, description = "The upload."))))
)]
pub(crate) async fn begin(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second)): At<(String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    given: Given<UploadGiven>,
) -> Answer {
    let Given { value, bytes } = given;
    blocking(lang, move || {
        let owner = owner(&app, &caller, lang, &first, &second)?;
        known_use(&app, lang, &owner, &value.about)?;
        let asked = (uri.path(), &bytes[..]);
        once(&Request { app: &app, lang, headers: &headers, owner: &caller.account.id, asked }, || {
            let begun = app.uploads().begin(&owner.handle, &value.name, value.size, &value.about);
            let upload = begun.and_then(|id| app.uploads().state(&id)).map_err(|error| problem(lang, error))?;
            let shape = shape(&app, &owner.log, &upload);
            Done::new(lang, StatusCode::CREATED, Some(shape.href.clone()), &shape)
        })
    })
    .await
}

/// An upload: how much of it has arrived.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/uploads/{id}", tag = "files", operation_id = "upload", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "nanlu-county"), ("second" = String, Path, description = "Edition."), ("id" = String, Path, description = "The upload.")),
    responses((status = 200, description = "The upload.", body = UploadShape))
)]
pub(crate) async fn state(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second, id)): At<(String, String, String)>,
    headers: HeaderMap,
) -> Answer {
    let shape = blocking(lang, move || {
        let owner = owner(&app, &caller, lang, &first, &second)?;
        let found = mine(&app, &owner, &id).and_then(|id| app.uploads().state(&id));
        Ok(shape(&app, &owner.log, &found.map_err(|error| problem(lang, error))?))
    })
    .await?;
    fresh(lang, &headers, &shape)
}

/// Where a piece begins.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Offset {
    /// Bytes that have arrived before it.
    #[param(minimum = 0)]
    offset: u64,
}

/// Sends the next piece: 64 KiB to 1 MiB, the last one may be smaller. Sent twice, it changes nothing.
#[utoipa::path(
    put, path = "/api/v1/logs/{first}/{second}/uploads/{id}", tag = "files", operation_id = "append_to_upload", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "nanlu-county"), ("second" = String, Path, description = "Edition."), ("id" = String, Path, description = "The upload."), Offset),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "It is stored, durably.", body = UploadShape))
)]
pub(crate) async fn append(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second, id)): At<(String, String, String)>,
    Asked(at): Asked<Offset>,
    request: HttpRequest,
) -> Answer {
    let too_long = |_| Problem::unreadable(lang, StatusCode::PAYLOAD_TOO_LARGE, "request.too_large", "too_long", "");
    let piece: Bytes = request.map(body::Body::new).extract().await.map_err(too_long)?;
    let shape = blocking(lang, move || {
        let owner = owner(&app, &caller, lang, &first, &second)?;
        let upload = mine(&app, &owner, &id).and_then(|id| {
            app.uploads().append(&id, at.offset, &piece)?;
            app.uploads().state(&id)
        });
        Ok(shape(&app, &owner.log, &upload.map_err(|error| problem(lang, error))?))
    })
    .await?;
    Ok(axum::Json(shape).into_response())
}

/// What a finished file is for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FinishGiven {
    /// What it is about, as when it began.
    #[schema(example = "licence")]
    about: String,
    /// A business secret: shown to the panel, never to anybody else.
    #[serde(default)]
    secret: bool,
}

/// Finishes an upload: the content is looked at, and the file joins my list.
#[utoipa::path(
    post, path = "/api/v1/logs/{first}/{second}/uploads/{id}/finish", tag = "files", operation_id = "finish_upload", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "nanlu-county"), ("second" = String, Path, description = "Edition."), ("id" = String, Path, description = "The upload.")),
    request_body = FinishGiven,
    responses((status = 201, description = "It can be attached.", body = File, headers(("Location" = String, description = "The file."))))
)]
pub(crate) async fn finish(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second, id)): At<(String, String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    given: Given<FinishGiven>,
) -> Answer {
    let Given { value, bytes } = given;
    blocking(lang, move || {
        let owner = owner(&app, &caller, lang, &first, &second)?;
        known_use(&app, lang, &owner, &value.about)?;
        let asked = (uri.path(), &bytes[..]);
        once(&Request { app: &app, lang, headers: &headers, owner: &caller.account.id, asked }, || {
            let finished = mine(&app, &owner, &id).and_then(|id| {
                let finished = app.uploads().finish(&id)?;
                keep(&app, &owner, &value.about, value.secret, &finished)?;
                Ok(finished)
            });
            let finished = finished.map_err(|error| problem(lang, error))?;
            let sha256 = finished.sha256.to_string();
            let location = log_href(&app, &owner.log, &format!("/files/{sha256}"));
            let file = File { sha256, name: finished.name, about: value.about.clone(), size: finished.size };
            Done::new(lang, StatusCode::CREATED, Some(location), &file)
        })
    })
    .await
}

/// Gives an upload up; its pieces are thrown away.
#[utoipa::path(
    delete, path = "/api/v1/logs/{first}/{second}/uploads/{id}", tag = "files", operation_id = "abandon_upload", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "nanlu-county"), ("second" = String, Path, description = "Edition."), ("id" = String, Path, description = "The upload.")),
    responses((status = 204, description = "Nothing of it is kept."))
)]
pub(crate) async fn abandon(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second, id)): At<(String, String, String)>,
) -> Answer {
    blocking(lang, move || {
        let owner = owner(&app, &caller, lang, &first, &second)?;
        let done = mine(&app, &owner, &id).and_then(|id| app.uploads().abandon(&id));
        done.map_err(|error| problem(lang, error))
    })
    .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
