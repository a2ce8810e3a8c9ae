//! My files in an edition: uploads in pieces that go on after any interruption, what each file is for, and downloads.

use std::io::Read;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::multipart::MultipartError;
use axum::extract::{Multipart, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use heng_app::desk::files::{self, FileInfo};
use heng_app::desk::proposal;
use heng_app::upload::{FileKind, FileReader, Finished, UploadError, UploadId};
use heng_domain::text::Lang;
use heng_log::Hash;
use maud::html;
use serde::Deserialize;
use serde_json::json;
use tower_http::compression::predicate::NotForContentType;

use crate::account::Again;
use crate::ui::{self, Choose, Column, Field, FieldKind, Row, Tone};
use crate::view::{App, Content, View};
use crate::words::{number, t};
use crate::work::{encode, log_name, log_of, place};

/// Bytes of a piece that the page sends; the service takes larger ones too.
const PIECE: usize = 512 * 1024;

type At = Path<(String, String)>;

/// Who I am in the edition, for whom the files are kept.
#[derive(Clone)]
pub(crate) struct Owner {
    pub log: String,
    /// Whether it is the office's staff, not a firm.
    pub office: bool,
    pub handle: String,
}

fn owner(view: &View, app: &App, first: &str, second: &str) -> Option<Owner> {
    let log = log_of(app, first, second)?;
    let me = view.me.as_ref()?;
    let handle = proposal::handle(app.heng(), &log, &me.subject).ok().flatten()?;
    Some(Owner { log, office: me.subject.starts_with("p:"), handle })
}

pub(crate) fn status(error: &UploadError) -> StatusCode {
    match error {
        UploadError::Unknown => StatusCode::NOT_FOUND,
        UploadError::Offset { .. } | UploadError::Differs { .. } | UploadError::Unfinished { .. } => {
            StatusCode::CONFLICT
        }
        UploadError::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// An error for the script: the sentence, and where the file goes on.
fn said(view: &View, error: &UploadError) -> Response {
    let received = match error {
        UploadError::Offset { received, .. } => Some(*received),
        _ => None,
    };
    let body = json!({ "error": error.message(view.lang), "code": error.code(), "received": received });
    (status(error), Json(body)).into_response()
}

/// Runs what may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, UploadError> + Send + 'static,
) -> Result<T, UploadError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(UploadError::Unknown))
}

/// Remembers a finished file under its owner, so that forms can offer it.
pub(crate) fn keep(
    app: &App,
    owner: &Owner,
    about: &str,
    secret: bool,
    finished: &Finished,
) -> Result<(), UploadError> {
    let info = FileInfo {
        about: about.to_owned(),
        name: finished.name.clone(),
        size: finished.size,
        content_type: finished.kind.mime().to_owned(),
        secret,
    };
    files::put(app.heng(), &owner.handle, &finished.sha256.to_string(), &info).map_err(|error| match error {
        heng_app::AppError::Store(error) => UploadError::Failed(error),
        _ => UploadError::Unknown,
    })
}

pub(crate) async fn show(view: View, State(app): State<App>, Path((first, second)): At) -> Response {
    if view.me.is_none() {
        return view.sign_in_first();
    }
    let Some(owner) = owner(&view, &app, &first, &second) else { return view.missing(&app) };
    page(&view, &app, &owner, StatusCode::OK, &Again::default())
}

/// What a file can be for: the licence, one of the items, or something else.
/// `paper`: also the scan of an application on paper, which is the office's.
pub(crate) fn uses(lang: Lang, app: &App, log: &str, paper: bool) -> Vec<(String, String)> {
    let mut out = vec![("licence".to_owned(), t(lang, "file_licence")), ("form".to_owned(), t(lang, "file_form"))];
    if paper {
        out.push(("paper".to_owned(), t(lang, "file_paper")));
    }
    if let Ok(found) = app.heng().log(log) {
        let image = found.image();
        let items = image.state.edition().and_then(|e| e.criteria.as_ref()).into_iter().flat_map(|tree| tree.items());
        out.extend(items.map(|item| (item.id.clone(), format!("{} {}", item.id, item.name.get(lang)))));
    }
    out.push(("other".to_owned(), t(lang, "file_other")));
    out
}

fn page(view: &View, app: &App, owner: &Owner, code: StatusCode, again: &Again<Sent>) -> Response {
    let title = view.t("files_title");
    let here = view.href(&format!("/work/{}/files", place(app, &owner.log)));
    let list = files::list(app.heng(), &owner.handle).unwrap_or_default();
    let unfinished = app.uploads().unfinished(&owner.handle).unwrap_or_default();
    let uses = uses(view.lang, app, &owner.log, owner.office);
    let typed = &again.typed;
    let label =
        |about: &str| uses.iter().find(|(id, _)| id == about).map_or(about.to_owned(), |(_, name)| name.clone());
    let choices: Vec<Choose<'_>> = uses.iter().map(|(id, name)| Choose::new(id.as_str(), name.as_str())).collect();
    let columns = ["file_name", "file_about", "file_size", "session_action"].map(|key| Column::text(view.t(key)));
    let rows: Vec<Row<'_>> = list
        .iter()
        .map(|(sha, info)| {
            Row::new(vec![
                html! { a href=(format!("{here}/{sha}/{}", encode(&info.name))) { (info.name) } @if info.secret { " " (ui::status_tag(&view.t("file_secret"), Tone::Stop)) } },
                html! { (label(&info.about)) },
                html! { (view.tp("bytes", &[("bytes", &number(info.size))])) },
                html! { (ui::button_post(&view.t("file_remove"), &format!("{here}/remove"), &[("sha".into(), sha.as_str().into())])) },
            ])
        })
        .collect();
    let limit = number(app.uploads().limits().file_bytes >> 20);
    let body = html! {
        (ui::field(&Field::of("about", view.t("file_about"), FieldKind::Select { options: &choices, chosen: typed.about.as_str().into() }).error(again.error("about"))))
        (ui::field(&Field::of("secret", view.t("file_secret_mark"), FieldKind::Checkbox { value: "yes".into(), checked: typed.secret }).hint(view.t("file_secret_hint"))))
        (ui::field(&Field::of("file", view.t("file_choose"), FieldKind::File { accept: FileKind::list().into(), several: false }).hint(view.tp("file_hint", &[("limit", &limit)])).error(again.error("file"))))
        (ui::submit(&view.t("file_upload"), true, None))
    };
    let main = html! {
        (ui::title_block(&title, Some(log_name(app, &owner.log).get(view.lang))))
        (ui::sentence(&view.tp("files_text", &[("count", &list.len().to_string())])))
        (again.summary(view))
        section #upload data-begin=(format!("{here}/begin")) data-piece=(PIECE)
            data-going=(view.t("upload_going")) data-done=(view.t("upload_done")) data-waiting=(view.t("upload_waiting"))
            data-resumed=(view.t("upload_resumed")) data-hashing=(view.t("upload_checking")) {
            (ui::form(&ui::Form { action: here.clone().into(), files: true, ..ui::Form::default() }, &body))
            p { progress #upload-progress max="100" value="0" aria-label=(view.t("upload_progress")) hidden {} }
            p #upload-status role="status" {}
        }
        @if !unfinished.is_empty() {
            section {
                h2 { (view.t("uploads_unfinished")) }
                p { (view.t("uploads_unfinished_text")) }
                ul { @for upload in &unfinished { li {
                    (upload.name) " · " (view.tp("upload_received", &[("received", &number(upload.received)), ("size", &number(upload.size))]))
                    " " (ui::button_post(&view.t("file_remove"), &format!("{here}/abandon"), &[("sha".into(), upload.id.as_str().into())]))
                } } }
            }
        }
        (ui::table(&title, &columns, &rows, &ui::empty_state(&view.t("files_none"), None)))
        p { a href=(view.href(&format!("/work/{}", place(app, &owner.log)))) { (view.t("back_work")) } }
    };
    view.page_with(app, code, Content { script: Some("upload.js"), ..Content::new(title, main) })
}

/// The form as it comes whole.
#[derive(Default)]
pub(crate) struct Sent {
    about: String,
    secret: bool,
    name: String,
    bytes: Vec<u8>,
}

/// Reads the form to its end: a file of which a part is missing is no file.
async fn sent(mut form: Multipart) -> Result<Sent, MultipartError> {
    let mut sent = Sent::default();
    while let Some(field) = form.next_field().await? {
        match field.name().unwrap_or_default() {
            "about" => sent.about = field.text().await?,
            "secret" => sent.secret = true,
            "file" => {
                sent.name = field.file_name().unwrap_or_default().to_owned();
                sent.bytes = field.bytes().await?.to_vec();
            }
            _ => {}
        }
    }
    Ok(sent)
}

/// Without a script the whole form comes at once.
pub(crate) async fn upload(view: View, State(app): State<App>, Path((first, second)): At, form: Multipart) -> Response {
    let Some(owner) = owner(&view, &app, &first, &second) else { return view.missing(&app) };
    let sent = match sent(form).await {
        Ok(sent) => sent,
        // The door says it in the reader's language.
        Err(error) => return error.into_response(),
    };
    if !uses(view.lang, &app, &owner.log, owner.office).iter().any(|(id, _)| *id == sent.about) {
        let again = Again::new(sent, "about", view.t("error_choose"));
        return page(&view, &app, &owner, StatusCode::UNPROCESSABLE_ENTITY, &again);
    }
    if sent.name.is_empty() {
        let again = Again::new(sent, "file", view.t("file_none"));
        return page(&view, &app, &owner, StatusCode::UNPROCESSABLE_ENTITY, &again);
    }
    let Sent { about, secret, name, bytes } = sent;
    let stored = {
        let (app, owner, about) = (app.clone(), owner.clone(), about.clone());
        blocking(move || {
            let taken = app.uploads().take(&owner.handle, &about, &[(name, bytes)]);
            let taken = taken.map_err(|(_, error)| error)?;
            taken.iter().try_for_each(|finished| keep(&app, &owner, &about, secret, finished))
        })
        .await
    };
    match stored {
        Ok(()) => Redirect::to(&view.here()).into_response(),
        Err(error) => {
            let typed = Sent { about, secret, ..Sent::default() };
            let again = Again::new(typed, "file", error.message(view.lang));
            page(&view, &app, &owner, status(&error), &again)
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Begin {
    name: String,
    size: u64,
    #[serde(default)]
    about: String,
}

pub(crate) async fn begin(
    view: View,
    State(app): State<App>,
    Path((first, second)): At,
    Json(begin): Json<Begin>,
) -> Response {
    let Some(owner) = owner(&view, &app, &first, &second) else { return view.missing(&app) };
    let begun = {
        let app = app.clone();
        let about: String = begin.about.chars().take(40).collect();
        blocking(move || app.uploads().begin(&owner.handle, &begin.name, begin.size, &about)).await
    };
    match begun {
        Ok(id) => Json(json!({ "id": id.as_str(), "received": 0 })).into_response(),
        Err(error) => said(&view, &error),
    }
}

/// An upload of my own.
pub(crate) fn mine(app: &App, owner: &Owner, id: &str) -> Result<UploadId, UploadError> {
    let id = UploadId::parse(id).ok_or(UploadError::Unknown)?;
    let upload = app.uploads().state(&id)?;
    if upload.owner == owner.handle { Ok(id) } else { Err(UploadError::Unknown) }
}

pub(crate) async fn state(
    view: View,
    State(app): State<App>,
    Path((first, second, id)): Path<(String, String, String)>,
) -> Response {
    let Some(owner) = owner(&view, &app, &first, &second) else { return view.missing(&app) };
    let found = {
        let app = app.clone();
        blocking(move || mine(&app, &owner, &id).and_then(|id| app.uploads().state(&id))).await
    };
    match found {
        Ok(upload) => Json(json!({ "received": upload.received, "size": upload.size })).into_response(),
        Err(error) => said(&view, &error),
    }
}

#[derive(Deserialize)]
pub(crate) struct Offset {
    offset: u64,
}

pub(crate) async fn append(
    view: View,
    State(app): State<App>,
    Path((first, second, id)): Path<(String, String, String)>,
    Query(at): Query<Offset>,
    piece: Bytes,
) -> Response {
    let Some(owner) = owner(&view, &app, &first, &second) else { return view.missing(&app) };
    let appended = {
        let app = app.clone();
        blocking(move || mine(&app, &owner, &id).and_then(|id| app.uploads().append(&id, at.offset, &piece))).await
    };
    match appended {
        Ok(received) => Json(json!({ "received": received })).into_response(),
        Err(error) => said(&view, &error),
    }
}

#[derive(Deserialize)]
pub(crate) struct Finish {
    #[serde(default)]
    about: String,
    #[serde(default)]
    secret: bool,
}

pub(crate) async fn finish(
    view: View,
    State(app): State<App>,
    Path((first, second, id)): Path<(String, String, String)>,
    Json(finish): Json<Finish>,
) -> Response {
    let Some(owner) = owner(&view, &app, &first, &second) else { return view.missing(&app) };
    let finished = {
        let app = app.clone();
        blocking(move || {
            let id = mine(&app, &owner, &id)?;
            let finished = app.uploads().finish(&id)?;
            keep(&app, &owner, &finish.about, finish.secret, &finished)?;
            Ok(finished)
        })
        .await
    };
    match finished {
        Ok(finished) => {
            Json(json!({ "sha256": finished.sha256, "name": finished.name, "size": finished.size })).into_response()
        }
        Err(error) => said(&view, &error),
    }
}

#[derive(Deserialize)]
pub(crate) struct Which {
    sha: String,
}

pub(crate) async fn remove(
    view: View,
    State(app): State<App>,
    Path((first, second)): At,
    axum::extract::Form(which): axum::extract::Form<Which>,
) -> Response {
    let Some(owner) = owner(&view, &app, &first, &second) else { return view.missing(&app) };
    let here = view.href(&format!("/work/{}/files", place(&app, &owner.log)));
    let done = tokio::task::spawn_blocking(move || files::remove(app.heng(), &owner.handle, &which.sha)).await;
    if !matches!(done, Ok(Ok(_))) {
        tracing::error!("a file could not be removed from its list");
    }
    Redirect::to(&here).into_response()
}

pub(crate) async fn abandon(
    view: View,
    State(app): State<App>,
    Path((first, second)): At,
    axum::extract::Form(which): axum::extract::Form<Which>,
) -> Response {
    let Some(owner) = owner(&view, &app, &first, &second) else { return view.missing(&app) };
    let here = view.href(&format!("/work/{}/files", place(&app, &owner.log)));
    let done = blocking(move || mine(&app, &owner, &which.sha).and_then(|id| app.uploads().abandon(&id))).await;
    if let Err(error) = done {
        tracing::warn!(code = error.code(), "an upload could not be abandoned");
    }
    Redirect::to(&here).into_response()
}

/// My own file, before it is submitted.
pub(crate) async fn own(
    view: View,
    State(app): State<App>,
    Path((first, second, sha, _)): Path<(String, String, String, String)>,
) -> Response {
    if view.me.is_none() {
        return view.sign_in_first();
    }
    let Some(owner) = owner(&view, &app, &first, &second) else { return view.missing(&app) };
    let info = files::info(app.heng(), &owner.handle, &sha).ok().flatten();
    match (info, sha.parse()) {
        (Some(info), Ok(hash)) => match download(&app, &info.name, hash).await {
            Some(response) => response,
            None => view.missing(&app),
        },
        _ => view.missing(&app),
    }
}

/// A file that a browser can only save: never a document of our own origin, never held in memory as a whole.
pub(crate) async fn download(app: &App, name: &str, hash: Hash) -> Option<Response> {
    let headers = inert(name);
    let store = app.heng().store().clone();
    let opened = tokio::task::spawn_blocking(move || FileReader::attachment(store, &hash.0)).await;
    if let Ok(Ok(Some(mut reader))) = opened {
        let size = reader.size();
        let (sender, receiver) = tokio::sync::mpsc::channel::<std::io::Result<Bytes>>(2);
        tokio::task::spawn_blocking(move || {
            let mut buffer = vec![0; PIECE];
            loop {
                let piece =
                    reader.read(&mut buffer).map(|n| Bytes::copy_from_slice(buffer.get(..n).unwrap_or_default()));
                let end = !matches!(&piece, Ok(bytes) if !bytes.is_empty());
                let failed = piece.is_err();
                if end && !failed {
                    break;
                }
                if sender.blocking_send(piece).is_err() || failed {
                    break;
                }
            }
        });
        let body = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(receiver));
        return Some((headers, [(header::CONTENT_LENGTH, size.to_string())], body).into_response());
    }
    // Small attachments are kept whole.
    let store = app.heng().store().clone();
    match tokio::task::spawn_blocking(move || store.attachment(&hash.0)).await {
        Ok(Ok(Some(bytes))) => Some((headers, bytes).into_response()),
        _ => None,
    }
}

/// The type of whatever a browser can only save.
const FILE: &str = "application/octet-stream";

/// Such files go out as they are, uncompressed.
pub(crate) const AS_IT_IS: NotForContentType = NotForContentType::const_new(FILE);

/// Headers that make a browser save a file and nothing else.
pub(crate) fn inert(name: &str) -> [(header::HeaderName, String); 4] {
    [
        (header::CONTENT_TYPE, FILE.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{}", encode(name))),
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ]
}
