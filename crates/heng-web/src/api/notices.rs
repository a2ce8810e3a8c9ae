//! Notices, and objections to them by real name.

use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use heng_app::Log;
use heng_app::upload::UploadError;
use heng_domain::edition::{Edition, Notice, Thing};
use heng_domain::text::Lang;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::given::{Asked, At, Given, Speaks};
use super::once::{Done, Request, once};
use super::paging::{Page, Paging, answer, page};
use super::problem::{Problem, ProblemBody};
use super::shapes::Words;
use super::{Answer, blocking};
use crate::client::Client;
use crate::evidence::File;
use crate::notice::{Answers, Failed, again_at, check, file_sentence, wait, write};
use crate::view::{App, find, slug};
use crate::words::t;

/// Somebody whom a notice names.
#[derive(Serialize, ToSchema)]
pub(crate) struct Named {
    /// Application.
    #[schema(example = "a:003")]
    application: String,
    /// The applicant.
    name: Option<Words>,
}

/// A notice.
#[derive(Serialize, ToSchema)]
#[schema(as = Notice)]
pub(crate) struct NoticeShape {
    /// Notice.
    #[schema(example = "n1")]
    notice: String,
    /// Title.
    title: Words,
    /// Text.
    text: Words,
    /// Whom it names.
    names: Vec<Named>,
    /// When it was published.
    #[schema(format = DateTime)]
    published: String,
    /// Last day for objections.
    #[schema(format = Date)]
    until: String,
    /// Objections are taken now.
    open: bool,
    /// Number of its record.
    record: u64,
}

fn shape(edition: &Edition, id: &str, notice: &Notice, now: heng_domain::time::Instant) -> NoticeShape {
    let names = notice.body.names.iter().map(|application| Named {
        application: application.clone(),
        name: edition
            .applicant(application)
            .filter(|_| edition.public_may_see(Thing::Name(application)))
            .map(|o| (&o.name).into()),
    });
    NoticeShape {
        notice: id.to_owned(),
        title: (&notice.body.title).into(),
        text: (&notice.body.text).into(),
        names: names.collect(),
        published: notice.time.to_string(),
        until: notice.body.until.to_string(),
        open: edition.notice_over(notice).is_some_and(|over| now < over),
        record: notice.seq,
    }
}

/// Notices of an edition.
#[utoipa::path(
    get, path = "/api/v1/editions/{first}/{second}/notices", tag = "public", operation_id = "notices",
    params(("first" = String, Path, description = "Programme.", example = "yunchuan-mayor"), ("second" = String, Path, description = "Edition.", example = "2025"), Paging),
    responses((status = 200, description = "Notices, in order.", body = Page<NoticeShape>))
)]
pub(crate) async fn list(
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second)): At<(String, String)>,
    uri: OriginalUri,
    headers: HeaderMap,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let log = find(&app, &first, &second).ok_or_else(|| Problem::missing(lang))?;
    let now = app.heng().clock().now();
    let shapes = {
        let image = log.image();
        let edition = image.state.edition().ok_or_else(|| Problem::missing(lang))?;
        edition.notices.iter().map(|(id, notice)| shape(edition, id, notice, now)).collect()
    };
    let list = page(lang, &format!("notices {}", log.id()), &paging, shapes, |n: &NoticeShape| n.notice.clone())?;
    answer(lang, &headers, &uri, &list)
}

/// An objection. Name, identity, contact and grounds are sealed: the public never sees them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObjectionGiven {
    /// Application that it is about.
    #[schema(example = "a:003")]
    application: String,
    /// `unit` or `person`.
    #[schema(example = "person", pattern = "^(unit|person)$")]
    by: String,
    /// Real name.
    #[schema(min_length = 2, max_length = 100)]
    name: String,
    /// Number of the identity document, or of the unit.
    #[schema(min_length = 5, max_length = 100)]
    identity: String,
    /// How to reach you: a telephone or a mail address.
    #[schema(min_length = 5, max_length = 100, example = "0396-0000000")]
    contact: String,
    /// What is wrong, and how you know.
    #[schema(min_length = 10, max_length = 5000)]
    grounds: String,
    /// Files, at most 3 of together 8 MiB. They are sealed like the rest.
    #[serde(default)]
    #[schema(max_items = 3)]
    evidence: Vec<EvidenceGiven>,
}

/// A file that goes with an objection.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EvidenceGiven {
    /// Name, with its ending.
    #[schema(example = "proof.pdf")]
    name: String,
    /// Its bytes in base64.
    #[schema(content_encoding = "base64")]
    content: String,
}

/// An objection that was received.
#[derive(Serialize, ToSchema)]
pub(crate) struct Received {
    /// Its number: keep it.
    objection: String,
    /// Number of its record.
    record: u64,
    /// When it was received.
    #[schema(format = DateTime)]
    time: String,
    /// Address of the receipt: the proof that it was received.
    receipt: String,
}

/// Objects to a notice, by real name. No token is needed.
#[utoipa::path(
    post, path = "/api/v1/editions/{first}/{second}/notices/{notice}/objections", tag = "public", operation_id = "object",
    params(("first" = String, Path, description = "Programme.", example = "dongan-district"), ("second" = String, Path, description = "Edition."), ("notice" = String, Path, description = "The notice.", example = "n1")),
    request_body = ObjectionGiven,
    responses((status = 201, description = "It is received and recorded.", body = Received, headers(("Location" = String, description = "The receipt."))),
        (status = 429, description = "Too many objections came from this address.", body = ProblemBody, content_type = "application/problem+json", headers(("Retry-After" = u64, description = "Seconds until there may be another."))))
)]
pub(crate) async fn object(
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second, notice)): At<(String, String, String)>,
    OriginalUri(uri): OriginalUri,
    client: Client,
    headers: HeaderMap,
    given: Given<ObjectionGiven>,
) -> Answer {
    let missing = || Problem::missing(lang);
    let log = find(&app, &first, &second).ok_or_else(missing)?;
    if log.image().state.edition().is_none_or(|edition| edition.notice(&notice).is_none()) {
        return Err(missing());
    }
    let Given { value, bytes } = given;
    let ObjectionGiven { application, by, name, identity, contact, grounds, evidence } = value;
    let answers = Answers { application, by, name, identity, contact, grounds };
    let files: Vec<Option<File>> =
        evidence.into_iter().map(|file| Some((file.name, STANDARD.decode(file.content).ok()?))).collect();
    let weight = files.iter().flatten().map(|(_, bytes)| bytes.len()).sum();
    let faults = check(&answers, files.len(), weight);
    let mut errors: Vec<(String, String, String)> =
        faults.iter().map(|fault| (fault.0.to_owned(), fault.code().to_owned(), fault.sentence(lang))).collect();
    if files.iter().any(Option::is_none) {
        errors.push(("evidence".to_owned(), "base64".to_owned(), t(lang, "error_base64")));
    }
    if !errors.is_empty() {
        return Err(Problem::of_fields(lang, errors.into_iter()));
    }
    blocking(lang, move || {
        // Nobody is signed in: the keys of strangers are told apart by what they ask.
        let request = Request { app: &app, lang, headers: &headers, owner: "public", asked: (uri.path(), &bytes[..]) };
        once(&request, || {
            let files: Vec<File> = files.into_iter().flatten().collect();
            let (objection, accepted) = write(&app, &log, &notice, &answers, &files, client.address())
                .map_err(|failed| problem(lang, &app, &log, &failed))?;
            let seq = accepted.record.seq;
            let receipt = format!("/editions/{}/receipts/{seq}", slug(log.id()));
            let time = accepted.record.time.to_string();
            let received = Received { objection, record: seq, time, receipt: receipt.clone() };
            Done::new(lang, StatusCode::CREATED, Some(receipt), &received)
        })
    })
    .await
}

fn problem(lang: Lang, app: &App, log: &Log, failed: &Failed) -> Problem {
    match failed {
        Failed::TooMany(time) => Problem::too_many_objections(lang, &again_at(lang, log, *time), wait(app, *time)),
        Failed::File(_, UploadError::Failed(error)) => {
            tracing::error!(%error, "evidence could not be kept");
            Problem::internal(lang)
        }
        Failed::File(name, error) => {
            let sentence = file_sentence(lang, name, error);
            Problem::of_fields(lang, std::iter::once(("evidence".to_owned(), error.code().to_owned(), sentence)))
        }
        Failed::App(error) => Problem::of_app(lang, error),
    }
}
