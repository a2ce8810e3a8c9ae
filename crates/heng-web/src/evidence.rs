//! Evidence that comes with an objection: read from the form, looked at, and kept like any other upload.

use axum::body::{Body, to_bytes};
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{Form, FromRequest, Multipart, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
pub(crate) use heng_app::desk::notice::MOST_FILES;
use heng_app::upload::UploadError;
use heng_domain::edition::events::Attachment;

use crate::notice::Answers;
use crate::view::App;

/// Most bytes of them together.
pub(crate) const MOST_BYTES: usize = 8 * 1024 * 1024;
/// Most bytes of all that is typed.
const MOST_TYPED: usize = 64 * 1024;

/// A file as it came: name and content.
pub(crate) type File = (String, Vec<u8>);

/// A form as it came.
#[derive(Default)]
pub(crate) struct Sent {
    pub answers: Answers,
    /// Files whose content was kept as far as it may be; all of them have their name.
    pub files: Vec<File>,
    /// Bytes of all files, whether they were kept or not.
    pub bytes: usize,
}

/// Why a form could not be read.
pub(crate) enum Unread {
    /// More was typed than anybody needs.
    TooLong,
    /// It is no such form; the door says it in the reader's language.
    Bare(Response),
}

impl From<MultipartError> for Unread {
    fn from(error: MultipartError) -> Unread {
        Unread::Bare(error.into_response())
    }
}

/// Reads a form to its end, so that what was typed comes back also where the files are refused: what is too much is
/// counted and dropped. What has no files may come as a plain form.
pub(crate) async fn read(request: Request, keep: bool) -> Result<Sent, Unread> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        let (parts, body) = request.into_parts();
        let bytes = to_bytes(body, MOST_TYPED).await.map_err(|_| Unread::TooLong)?;
        let request = Request::from_parts(parts, Body::from(bytes));
        let Form(answers) =
            Form::from_request(request, &()).await.map_err(|error| Unread::Bare(error.into_response()))?;
        return Ok(Sent { answers, ..Sent::default() });
    }
    let mut form = Multipart::from_request(request, &()).await.map_err(|error| Unread::Bare(error.into_response()))?;
    let mut sent = Sent::default();
    let mut typed: Vec<(String, String)> = Vec::new();
    let mut length = 0;
    while let Some(field) = form.next_field().await? {
        let name = field.name().unwrap_or_default().to_owned();
        match field.file_name().map(str::to_owned) {
            Some(file) => take_in(field, file, keep, &mut sent).await?,
            None => typed.push((name, text(field, &mut length).await?)),
        }
    }
    // Read as the plain form is: the same answer twice is refused, not dropped without a word.
    let plain = serde_urlencoded::to_string(&typed).unwrap_or_default();
    let answers = serde_urlencoded::from_str(&plain);
    let answers = answers.map_err(|_| Unread::Bare((StatusCode::UNPROCESSABLE_ENTITY, "").into_response()))?;
    Ok(Sent { answers, ..sent })
}

async fn take_in(mut field: Field<'_>, name: String, keep: bool, sent: &mut Sent) -> Result<(), Unread> {
    let mut bytes = Vec::new();
    let keep = keep && sent.files.len() < MOST_FILES;
    while let Some(piece) = field.chunk().await? {
        sent.bytes = sent.bytes.saturating_add(piece.len());
        if keep && sent.bytes <= MOST_BYTES {
            bytes.extend_from_slice(&piece);
        }
    }
    // A browser sends a part without a name where no file was chosen.
    if !(name.is_empty() && bytes.is_empty()) {
        sent.files.push((name, bytes));
    }
    Ok(())
}

async fn text(mut field: Field<'_>, length: &mut usize) -> Result<String, Unread> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await? {
        *length = length.saturating_add(piece.len());
        if *length > MOST_TYPED {
            return Err(Unread::TooLong);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Keeps the files of an objection, all or none. It blocks.
pub(crate) fn keep(app: &App, objection: &str, files: &[File]) -> Result<Vec<Attachment>, (usize, UploadError)> {
    let kept = app.uploads().take(objection, "objection", files)?;
    let attachment = |file: heng_app::upload::Finished| Attachment {
        about: "objection".to_owned(),
        name: file.name,
        sha256: file.sha256,
        size: file.size,
    };
    Ok(kept.into_iter().map(attachment).collect())
}
