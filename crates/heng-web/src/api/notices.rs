//! Notices, and objections to them by real name.

use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode};
use heng_domain::edition::{Edition, Notice, Thing};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::given::{Asked, At, Given, Speaks};
use super::once::{Done, Request, once};
use super::paging::{Page, Paging, answer, page};
use super::problem::Problem;
use super::shapes::Words;
use super::{Answer, blocking};
use crate::notice::{Answers, check, submit};
use crate::view::{App, find, slug};

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
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// Number of the identity document, or of the unit.
    #[schema(min_length = 1, max_length = 100)]
    identity: String,
    /// How to reach you.
    #[schema(min_length = 1, max_length = 100)]
    contact: String,
    /// What is wrong, and how you know.
    #[schema(min_length = 1, max_length = 5000)]
    grounds: String,
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
    responses((status = 201, description = "It is received and recorded.", body = Received, headers(("Location" = String, description = "The receipt."))))
)]
pub(crate) async fn object(
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second, notice)): At<(String, String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    given: Given<ObjectionGiven>,
) -> Answer {
    let missing = || Problem::missing(lang);
    let log = find(&app, &first, &second).ok_or_else(missing)?;
    if log.image().state.edition().is_none_or(|edition| edition.notice(&notice).is_none()) {
        return Err(missing());
    }
    let Given { value, bytes } = given;
    let ObjectionGiven { application, by, name, identity, contact, grounds } = value;
    let answers = Answers { application, by, name, identity, contact, grounds };
    let faults = check(&answers);
    if !faults.is_empty() {
        let errors = faults.iter().map(|fault| {
            let code = fault.1.strip_prefix("error_").unwrap_or(fault.1);
            (fault.0.to_owned(), code.to_owned(), fault.sentence(lang))
        });
        return Err(Problem::of_fields(lang, errors));
    }
    blocking(lang, move || {
        // Nobody is signed in: the keys of strangers are told apart by what they ask.
        let request = Request { app: &app, lang, headers: &headers, owner: "public", asked: (uri.path(), &bytes[..]) };
        once(&request, || {
            let done = submit(&app, &log, &notice, &answers);
            let (objection, accepted) = done.map_err(|error| Problem::of_app(lang, &error))?;
            let seq = accepted.record.seq;
            let receipt = format!("/editions/{}/receipts/{seq}", slug(log.id()));
            let time = accepted.record.time.to_string();
            let received = Received { objection, record: seq, time, receipt: receipt.clone() };
            Done::new(lang, StatusCode::CREATED, Some(receipt), &received)
        })
    })
    .await
}
