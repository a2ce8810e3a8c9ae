//! Official papers as data: what the page prints, in parts. The gates are those of the pages.

use axum::extract::{OriginalUri, State};
use axum::http::HeaderMap;
use heng_app::desk::proposal;
use heng_domain::text::Lang;
use serde::Serialize;
use utoipa::ToSchema;

use super::given::{Asked, At, Speaks};
use super::paging::{Page, Paging, answer, page};
use super::problem::Problem;
use super::{Answer, ROOT, blocking, fresh, log_href};
use crate::door::Caller;
use crate::papers::{self, Listed, Paper};
use crate::view::{App, View, find, slug};
use crate::work::{encode, log_of};

/// A paper of the list.
#[derive(Serialize, ToSchema)]
pub(crate) struct PaperLine {
    /// Kind.
    #[schema(example = "minutes")]
    paper: &'static str,
    /// What the kind is called.
    name: String,
    /// What it is about, as in the address.
    #[schema(example = "s1")]
    case: String,
    /// What it is about.
    about: String,
    /// Whether everybody may read it.
    public: bool,
    /// Its address.
    href: String,
}

type Place = At<(String, String)>;
type One = At<(String, String, String, String)>;

/// Who the caller is in the log of the address.
fn seat(lang: Lang, app: &App, caller: &Caller, first: &str, second: &str) -> Result<(String, String), Problem> {
    let log = log_of(app, first, second).ok_or_else(|| Problem::missing(lang))?;
    let handle = proposal::handle(app.heng(), &log, &caller.subject).map_err(|error| Problem::of_app(lang, &error))?;
    Ok((log, handle.ok_or_else(|| Problem::missing(lang))?))
}

fn lines(
    lang: Lang,
    app: &App,
    log: &str,
    me: Option<&str>,
    base: &str,
    paging: &Paging,
) -> Result<Page<PaperLine>, Problem> {
    let listed = papers::list(app, &View::of_program(app, lang), log, me).ok_or_else(|| Problem::missing(lang))?;
    let line = |Listed { kind, name, case, about, public }| {
        let href = format!("{base}/{kind}/{}", encode(&case));
        PaperLine { paper: kind, name, case, about, public, href }
    };
    let lines = listed.into_iter().map(line).collect();
    page(lang, &format!("{log}|papers"), paging, lines, |line| format!("{}/{}", line.paper, line.case))
}

fn one(lang: Lang, app: &App, log: &str, me: Option<&str>, paper: &str, case: &str) -> Result<Paper, Problem> {
    let view = View::of_program(app, lang);
    papers::open(app, &view, log, me, paper, case).ok_or_else(|| Problem::missing(lang))
}

/// The papers that I may read now.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/papers", tag = "papers", operation_id = "papers", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "yunchuan-mayor"), ("second" = String, Path, description = "Edition."), Paging),
    responses((status = 200, description = "Papers, in the order of the process.", body = Page<PaperLine>))
)]
pub(crate) async fn list(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second)): Place,
    uri: OriginalUri,
    headers: HeaderMap,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let made = blocking(lang, move || {
        let (log, me) = seat(lang, &app, &caller, &first, &second)?;
        lines(lang, &app, &log, Some(&me), &log_href(&app, &log, "/papers"), &paging)
    });
    answer(lang, &headers, &uri, &made.await?)
}

/// A paper. If not everybody may read it, its opening is noted, and the supervisor reads that.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/papers/{paper}/{case}", tag = "papers", operation_id = "paper", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "yunchuan-mayor"), ("second" = String, Path, description = "Edition."), ("paper" = String, Path, description = "Kind.", example = "receipt"), ("case" = String, Path, description = "What it is about; `-` where there is only one.", example = "a:001")),
    responses((status = 200, description = "The paper.", body = Paper))
)]
pub(crate) async fn show(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second, paper, case)): One,
    headers: HeaderMap,
) -> Answer {
    let made = blocking(lang, move || {
        let (log, me) = seat(lang, &app, &caller, &first, &second)?;
        one(lang, &app, &log, Some(&me), &paper, &case)
    });
    fresh(lang, &headers, &made.await?)
}

/// The papers that everybody may read now.
#[utoipa::path(
    get, path = "/api/v1/editions/{first}/{second}/papers", tag = "public", operation_id = "public_papers",
    params(("first" = String, Path, description = "Programme.", example = "yunchuan-mayor"), ("second" = String, Path, description = "Edition.", example = "2025"), Paging),
    responses((status = 200, description = "Papers, in the order of the process.", body = Page<PaperLine>))
)]
pub(crate) async fn of_all(
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second)): Place,
    uri: OriginalUri,
    headers: HeaderMap,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let made = blocking(lang, move || {
        let log = find(&app, &first, &second).ok_or_else(|| Problem::missing(lang))?;
        let base = format!("{ROOT}/editions/{}/papers", slug(log.id()));
        lines(lang, &app, log.id(), None, &base, &paging)
    });
    answer(lang, &headers, &uri, &made.await?)
}

/// A paper that everybody may read.
#[utoipa::path(
    get, path = "/api/v1/editions/{first}/{second}/papers/{paper}/{case}", tag = "public", operation_id = "public_paper",
    params(("first" = String, Path, description = "Programme.", example = "yunchuan-mayor"), ("second" = String, Path, description = "Edition.", example = "2025"), ("paper" = String, Path, description = "Kind.", example = "decision"), ("case" = String, Path, description = "What it is about; `-` where there is only one.", example = "-")),
    responses((status = 200, description = "The paper.", body = Paper))
)]
pub(crate) async fn for_all(
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second, paper, case)): One,
    headers: HeaderMap,
) -> Answer {
    let made = blocking(lang, move || {
        let log = find(&app, &first, &second).ok_or_else(|| Problem::missing(lang))?;
        one(lang, &app, log.id(), None, &paper, &case)
    });
    fresh(lang, &headers, &made.await?)
}
