//! Applications that the reader may read: the list, a dossier, its files. `may_read` decides, as for the pages.

#![expect(unused_qualifications, reason = "utoipa's macro writes them")]

use axum::extract::{OriginalUri, State};
use axum::http::HeaderMap;
use heng_app::desk::results::Results;
use heng_app::desk::{Place, proposal, with_desk};
use heng_domain::edition::Recommendation;
use heng_domain::edition::secret::Part;
use heng_domain::text::Lang;
use heng_log::Hash;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::given::{Asked, At, Speaks};
use super::paging::{Page, Paging, answer, page};
use super::problem::Problem;
use super::shapes::{File, Words};
use super::{Answer, blocking, fresh, log_href};
use crate::door::Caller;
use crate::dossier::{self, Listed, Seen, Wanted, listed, state_of};
use crate::view::App;
use crate::work::log_of;

/// Which applications, in which order.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListAsked {
    /// A part of the applicant's name in the language asked for, or the number.
    #[serde(default)]
    q: Option<String>,
    /// Only those still in the field, or those out of it.
    #[serde(default)]
    state: Option<InField>,
    /// By number, by name, or by the time of arrival.
    #[serde(default)]
    sort: Option<Order>,
    /// Where to go on: `next` of the page before.
    #[serde(default)]
    cursor: Option<String>,
    /// Most items of a page.
    #[serde(default)]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
}

/// In the field or out of it.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum InField {
    /// In the field.
    Field,
    /// Out of it.
    Out,
}

/// An order of the list.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// By number.
    Number,
    /// By name.
    Name,
    /// By the time of arrival.
    Time,
}

/// An application of the list.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApplicationLine {
    /// Number.
    #[schema(example = "a:001")]
    application: String,
    /// The applicant.
    name: Words,
    /// When it came in.
    #[schema(format = DateTime)]
    received: String,
    /// `in_field`, `out`, `chosen`, `won`, `not_won`, `removed` or `withdrawn`.
    #[schema(example = "in_field")]
    state: &'static str,
    /// Its address.
    href: String,
}

fn state_name(key: &'static str) -> &'static str {
    key.strip_prefix("state_").unwrap_or(key)
}

impl ApplicationLine {
    fn new(app: &App, log: &str, row: Listed) -> ApplicationLine {
        ApplicationLine {
            href: log_href(app, log, &format!("/applications/{}", row.id)),
            application: row.id,
            name: row.name.into(),
            received: row.time.to_string(),
            state: state_name(row.state.0),
        }
    }
}

/// The applications that I may read.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/applications", tag = "applications", operation_id = "applications", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "yunchuan-mayor"), ("second" = String, Path, description = "Edition."), ListAsked),
    responses((status = 200, description = "Applications.", body = Page<ApplicationLine>))
)]
pub(crate) async fn list(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second)): At<(String, String)>,
    uri: OriginalUri,
    headers: HeaderMap,
    Asked(asked): Asked<ListAsked>,
) -> Answer {
    let log = log_of(&app, &first, &second).ok_or_else(|| Problem::missing(lang))?;
    let list = blocking(lang, move || lines(lang, &app, &caller.subject, &log, &asked)).await?;
    answer(lang, &headers, &uri, &list)
}

fn lines(lang: Lang, app: &App, subject: &str, log: &str, asked: &ListAsked) -> Result<Page<ApplicationLine>, Problem> {
    let q = asked.q.as_deref().unwrap_or_default();
    let state = match asked.state {
        Some(InField::Field) => "field",
        Some(InField::Out) => "out",
        None => "",
    };
    let sort = match asked.sort {
        Some(Order::Name) => "name",
        Some(Order::Time) => "time",
        Some(Order::Number) | None => "",
    };
    let found = with_desk(app.heng(), log, subject, |place| match place {
        Place::Edition(desk) => Some(listed(desk, &Wanted { q, state, sort }, lang)),
        Place::Office(_) => None,
    });
    let rows = found.map_err(|error| Problem::of_app(lang, &error))?.flatten().ok_or_else(|| Problem::missing(lang))?;
    let rows: Vec<_> = rows.into_iter().map(|row| ApplicationLine::new(app, log, row)).collect();
    let paging = Paging { cursor: asked.cursor.clone(), limit: asked.limit };
    page(lang, &format!("{log}|{state}|{sort}|{q}"), &paging, rows, |row| row.application.clone())
}

/// Figures of a year, amounts in fen. A column that is marked as a business secret is `null` for whoever may not see it.
#[derive(Serialize, ToSchema)]
#[schema(as = Year)]
pub(crate) struct YearShape {
    /// Year.
    year: u32,
    /// Revenue.
    revenue_fen: Option<i64>,
    /// Profit.
    profit_fen: Option<i64>,
    /// Tax.
    tax_fen: Option<i64>,
    /// People employed.
    employees: Option<u64>,
}

/// Results of an item over the years.
#[derive(Serialize, ToSchema)]
#[schema(as = Results)]
pub(crate) struct ResultsShape {
    /// Years, oldest first.
    years: Vec<u32>,
    /// Indicators.
    rows: Vec<IndicatorShape>,
}

/// An indicator with a value for each year.
#[derive(Serialize, ToSchema)]
#[schema(as = Indicator)]
pub(crate) struct IndicatorShape {
    /// What is measured.
    indicator: String,
    /// Unit.
    unit: String,
    /// The own aim.
    target: String,
    /// A competitor's or the industry's value.
    benchmark: String,
    /// Decimals; `null` where a year has none.
    values: Vec<Option<String>>,
}

impl From<Results> for ResultsShape {
    fn from(results: Results) -> ResultsShape {
        let years = results.years;
        let row = |row: heng_app::desk::results::Indicator| IndicatorShape {
            values: years.iter().map(|year| row.values.get(year).cloned()).collect(),
            indicator: row.indicator,
            unit: row.unit,
            target: row.target,
            benchmark: row.benchmark,
        };
        let rows = results.rows.into_iter().map(row).collect();
        ResultsShape { rows, years }
    }
}

/// What the applicant says on an item of the criteria.
#[derive(Serialize, ToSchema)]
#[schema(as = Item)]
pub(crate) struct ItemShape {
    /// Item.
    #[schema(example = "4.1.2")]
    item: String,
    /// Its name.
    name: Words,
    /// The applicant's own score in percent.
    percent: u32,
    /// The text; `null` for whoever may not see it.
    text: Option<String>,
    /// The table of results, if there is one and the caller may see it.
    results: Option<ResultsShape>,
}

/// A recommending body's opinion.
#[derive(Serialize, ToSchema)]
#[schema(as = Opinion)]
pub(crate) struct OpinionShape {
    /// Whose it is.
    #[schema(example = "p:0021")]
    recommender: String,
    /// It supports the application.
    support: bool,
    /// What it says.
    opinion: String,
    /// First day of the publicity at the recommender.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice_from: Option<String>,
    /// Last day of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice_until: Option<String>,
    /// SHA-256 of the proofs that the caller may open, at `files/{sha256}` below this address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<String>,
    /// Number of its record.
    record: u64,
}

/// A condition as it was checked.
#[derive(Serialize, ToSchema)]
#[schema(as = Condition)]
pub(crate) struct ConditionShape {
    /// Condition.
    condition: String,
    /// It is met.
    met: bool,
    /// Note.
    note: String,
}

/// A dossier.
#[derive(Serialize, ToSchema)]
pub(crate) struct Dossier {
    /// Number.
    application: String,
    /// Organisation.
    organisation: String,
    /// The applicant.
    name: Words,
    /// County.
    county: Words,
    /// Sector.
    sector: Words,
    /// `in_field`, `out`, `chosen`, `won`, `not_won`, `removed` or `withdrawn`.
    state: &'static str,
    /// When it came in.
    #[schema(format = DateTime)]
    received: String,
    /// The record that it came with.
    record: u64,
    /// An officer has entered it for the applicant; with the reason if it came on paper.
    entered_by_office: Option<String>,
    /// Parts that the applicant has marked as business secrets: `profile`, `item:…`, `results:…`, `figures:…`, `file:…`.
    /// What the caller may not see of them is absent or `null`.
    secret: Vec<String>,
    /// The organisation about itself; `null` for whoever may not see it.
    profile: Option<String>,
    /// Figures, oldest first.
    figures: Vec<YearShape>,
    /// Self-evaluation.
    items: Vec<ItemShape>,
    /// Files; each is at `files/{sha256}` below this address.
    files: Vec<File>,
    /// Opinions of recommending bodies.
    recommendations: Vec<OpinionShape>,
    /// Conditions that were checked.
    conditions: Vec<ConditionShape>,
}

impl Dossier {
    fn new(seen: &Seen<'_>) -> Dossier {
        let Seen { edition, application, .. } = seen;
        let body = &application.body;
        let id = &body.application;
        let (name, county, sector) = match edition.applicant(id) {
            Some(o) => ((&o.name).into(), (&o.county).into(), (&o.sector).into()),
            None => (Words::same(id), Words::same(""), Words::same("")),
        };
        let items = edition.criteria.iter().flat_map(|tree| tree.items()).filter_map(|item| {
            let own = body.self_evaluation.get(&item.id)?;
            Some(ItemShape {
                item: item.id.clone(),
                name: (&item.name).into(),
                percent: own.percent,
                text: seen.text(Part::Item(&item.id), &own.sha256),
                results: seen.results(&item.id).map(ResultsShape::from),
            })
        });
        let figures = seen.figures().into_iter().map(|f| YearShape {
            year: f.year,
            revenue_fen: f.revenue_fen,
            profit_fen: f.profit_fen,
            tax_fen: f.tax_fen,
            employees: f.employees,
        });
        let files = seen.files().map(|file| File {
            sha256: file.sha256.to_string(),
            name: file.name.clone(),
            about: file.about.clone(),
            size: file.size,
        });
        let by_office = application.by != body.organisation;
        let reason = body.paper.as_ref().map(|paper| paper.reason.clone()).unwrap_or_default();
        let opinion = |given: &Recommendation| OpinionShape {
            recommender: given.recommender.clone(),
            support: given.body.support,
            opinion: given.body.opinion.clone(),
            notice_from: given.body.notice.as_ref().map(|window| window.from.to_string()),
            notice_until: given.body.notice.as_ref().map(|window| window.until.to_string()),
            evidence: given
                .body
                .evidence
                .iter()
                .filter(|sha256| seen.letter(sha256).is_some())
                .map(Hash::to_string)
                .collect(),
            record: given.seq,
        };
        let condition = |check: &heng_domain::edition::events::ConditionChecked| ConditionShape {
            condition: check.condition.clone(),
            met: check.met,
            note: check.note.clone(),
        };
        Dossier {
            application: id.clone(),
            organisation: body.organisation.clone(),
            name,
            county,
            sector,
            state: state_name(state_of(edition, id).0),
            received: application.time.to_string(),
            record: application.seq,
            entered_by_office: by_office.then_some(reason),
            secret: body.secret.clone(),
            profile: seen.text(Part::Profile, &body.profile_sha256),
            figures: figures.collect(),
            items: items.collect(),
            files: files.collect(),
            recommendations: application.recommendations.iter().map(opinion).collect(),
            conditions: application.checks.values().map(condition).collect(),
        }
    }
}

/// A dossier. That it was opened is noted, and the supervisor reads it.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/applications/{id}", tag = "applications", operation_id = "application", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "yunchuan-mayor"), ("second" = String, Path, description = "Edition."), ("id" = String, Path, description = "The application.", example = "a:001")),
    responses((status = 200, description = "The dossier.", body = Dossier))
)]
pub(crate) async fn show(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second, id)): At<(String, String, String)>,
    headers: HeaderMap,
) -> Answer {
    let log = log_of(&app, &first, &second).ok_or_else(|| Problem::missing(lang))?;
    let dossier = blocking(lang, move || {
        let reader = reader(lang, &app, &log, &caller)?;
        let found = dossier::open(&app, &log, &reader, &id, Dossier::new);
        found.ok_or_else(|| Problem::missing(lang))
    })
    .await?;
    fresh(lang, &headers, &dossier)
}

/// Who the caller is in a log, as a reader.
fn reader(lang: Lang, app: &App, log: &str, caller: &Caller) -> Result<String, Problem> {
    let handle = proposal::handle(app.heng(), log, &caller.subject);
    handle.map_err(|error| Problem::of_app(lang, &error))?.ok_or_else(|| Problem::missing(lang))
}

/// A file of a dossier. That it was opened is noted. Whoever is not the applicant gets a copy that carries the reader,
/// the time and a code (PDF, PNG, JPEG), or the code in its name: `sha256` stays that of the original.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/applications/{id}/files/{sha256}", tag = "applications", operation_id = "file", security(("token" = [])),
    params(("first" = String, Path, description = "Programme.", example = "yunchuan-mayor"), ("second" = String, Path, description = "Edition."), ("id" = String, Path, description = "The application.", example = "a:001"), ("sha256" = String, Path, description = "SHA-256 of the content, in hex.")),
    responses((status = 200, description = "The content.", content_type = "application/octet-stream", body = Vec<u8>))
)]
pub(crate) async fn file(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second, id, sha256)): At<(String, String, String, String)>,
) -> Answer {
    let log = log_of(&app, &first, &second).ok_or_else(|| Problem::missing(lang))?;
    let account = caller.account.clone();
    let reader = {
        let (app, log) = (app.clone(), log.clone());
        blocking(lang, move || reader(lang, &app, &log, &caller)).await?
    };
    let found = crate::opening::file(&app, &log, (&reader, &account), &id, &sha256).await;
    found.map_err(|error| Problem::of_app(lang, &error))?.ok_or_else(|| Problem::missing(lang))
}
