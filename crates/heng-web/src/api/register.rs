//! The register as everybody sees it: winners, certificates, programmes with their rules, figures with their source.

#![expect(unused_qualifications, reason = "utoipa's macro writes them")]

use axum::extract::{OriginalUri, State};
use axum::http::HeaderMap;
use heng_domain::office::Office;
use heng_domain::office::events::FigureStated;
use heng_domain::text::Lang;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::given::{Asked, At, Speaks};
use super::paging::{Page, Paging, answer, page};
use super::problem::Problem;
use super::shapes::{Words, name_of};
use super::{Answer, ROOT, fresh};
use crate::view::{App, slug};
use crate::winners::{Search, found};

/// An honour of the register.
#[derive(Serialize, ToSchema)]
#[schema(as = Honour)]
pub(crate) struct HonourShape {
    /// Honour.
    #[schema(example = "h:0001")]
    honour: String,
    /// Who holds it.
    winner: Words,
    /// Their unified social credit code.
    uscc: Option<String>,
    /// County.
    county: Words,
    /// Sector.
    sector: Words,
    /// Programme.
    #[schema(example = "yunchuan-mayor")]
    programme: String,
    /// The award.
    award: Words,
    /// `national`, `province`, `city`, `district` or `county`.
    #[schema(example = "city")]
    level: String,
    /// Year of the award.
    #[schema(example = 2025)]
    year: u32,
    /// `nominated`, `approved`, `held`, `lapsed` or `revoked`.
    #[schema(example = "held")]
    state: String,
    /// Number of the certificate, if the source states one.
    certificate: Option<String>,
    /// Day of conferral.
    #[schema(format = Date)]
    conferred: Option<String>,
    /// Last day of validity.
    #[schema(format = Date)]
    valid_until: Option<String>,
    /// Why it was taken back.
    revoked: Option<RevokedShape>,
    /// Address of the edition that decided it, where that was done in Heng.
    edition: Option<String>,
    /// Number of its record in the office log.
    record: u64,
}

/// How an honour was taken back.
#[derive(Serialize, ToSchema)]
#[schema(as = Revoked)]
pub(crate) struct RevokedShape {
    /// Why.
    reason: String,
    /// Number of the decision.
    decision: String,
}

fn honour(office: &Office, honour: &heng_domain::office::Honour, today: Date) -> HonourShape {
    let empty = || Words { zh: String::new(), en: String::new() };
    let organisation = office.organisations.get(&honour.body.organisation).map(|(_, organisation)| organisation);
    let programme = office.programmes.get(&honour.body.programme);
    HonourShape {
        honour: honour.body.honour.clone(),
        winner: organisation.map_or_else(empty, |o| (&o.name).into()),
        uscc: organisation.and_then(|o| o.uscc.clone()),
        county: organisation.map_or_else(empty, |o| (&o.county).into()),
        sector: organisation.map_or_else(empty, |o| (&o.sector).into()),
        programme: honour.body.programme.clone(),
        award: programme.map_or_else(empty, |p| (&p.name).into()),
        level: programme.map(|p| name_of(&p.level)).unwrap_or_default(),
        year: honour.body.year,
        state: name_of(&honour.state(today)),
        certificate: Some(honour.body.certificate.clone()).filter(|number| !number.is_empty()),
        conferred: honour.body.conferred.map(|day| day.to_string()),
        valid_until: honour.body.valid_until.map(|day| day.to_string()),
        revoked: honour
            .revoked
            .as_ref()
            .map(|revoked| RevokedShape { reason: revoked.reason.clone(), decision: revoked.decision.clone() }),
        edition: honour.body.cite.as_ref().map(|cite| format!("{ROOT}/editions/{}", slug(&cite.log))),
        record: honour.seq,
    }
}

/// Reads the office as it stands now.
fn office<T>(app: &App, lang: Lang, read: impl FnOnce(&Office, Date) -> T) -> Result<T, Problem> {
    let log = app.heng().office_log().ok_or_else(|| Problem::missing(lang))?;
    let image = log.image();
    let office = image.state.office().ok_or_else(|| Problem::missing(lang))?;
    Ok(read(office, office.day(app.heng().clock().now())))
}

fn year<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    let year = u32::deserialize(from)?;
    let known = (1949..=2200).contains(&year);
    known.then_some(Some(year)).ok_or_else(|| serde::de::Error::custom("expected a year from 1949 to 2200"))
}

/// Which honours, as the page searches them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HonoursAsked {
    /// Words: parts of the winner's or the award's name, the credit code, or the number of the certificate.
    #[serde(default)]
    q: Option<String>,
    /// Year of the award.
    #[serde(default, deserialize_with = "year")]
    #[param(minimum = 1949, maximum = 2200)]
    year: Option<u32>,
    /// Level of the authority.
    #[serde(default)]
    level: Option<LevelAsked>,
    /// County, in the language asked for.
    #[serde(default)]
    county: Option<String>,
    /// Sector, in the language asked for.
    #[serde(default)]
    sector: Option<String>,
    /// Where to go on: `next` of the page before.
    #[serde(default)]
    cursor: Option<String>,
    /// Most items of a page.
    #[serde(default)]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
}

/// Level of the authority that gives an award.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LevelAsked {
    /// State Council or a ministry.
    National,
    /// Province.
    Province,
    /// Prefecture-level city.
    City,
    /// District of a city.
    District,
    /// County.
    County,
}

impl HonoursAsked {
    fn search(&self) -> Search {
        Search {
            q: self.q.clone().unwrap_or_default(),
            year: self.year.map(|year| year.to_string()).unwrap_or_default(),
            level: self.level.map(|level| format!("level_{}", name_of(&level))).unwrap_or_default(),
            county: self.county.clone().unwrap_or_default(),
            sector: self.sector.clone().unwrap_or_default(),
            page: String::new(),
        }
    }
}

fn honours(lang: Lang, app: &App, asked: &HonoursAsked, certified: bool) -> Result<Page<HonourShape>, Problem> {
    let search = asked.search();
    let shapes: Vec<HonourShape> = office(app, lang, |office, today| {
        let listed = found(lang, office, &search).into_iter();
        listed.filter(|h| !certified || !h.body.certificate.is_empty()).map(|h| honour(office, h, today)).collect()
    })?;
    let list = format!(
        "honours|{certified}|{}|{}|{}|{}|{}|{}",
        lang.code(),
        search.q,
        search.year,
        search.level,
        search.county,
        search.sector
    );
    let paging = Paging { cursor: asked.cursor.clone(), limit: asked.limit };
    page(lang, &list, &paging, shapes, |h: &HonourShape| h.honour.clone())
}

/// Winners of all years, newest first.
#[utoipa::path(
    get, path = "/api/v1/winners", tag = "public", operation_id = "winners", params(HonoursAsked),
    responses((status = 200, description = "Honours of the register.", body = Page<HonourShape>))
)]
pub(crate) async fn winners(
    Speaks(lang): Speaks,
    State(app): State<App>,
    uri: OriginalUri,
    headers: HeaderMap,
    Asked(asked): Asked<HonoursAsked>,
) -> Answer {
    answer(lang, &headers, &uri, &honours(lang, &app, &asked, false)?)
}

/// Honours with a certificate.
#[utoipa::path(
    get, path = "/api/v1/certificates", tag = "public", operation_id = "certificates", params(HonoursAsked),
    responses((status = 200, description = "Honours that have a number.", body = Page<HonourShape>))
)]
pub(crate) async fn certificates(
    Speaks(lang): Speaks,
    State(app): State<App>,
    uri: OriginalUri,
    headers: HeaderMap,
    Asked(asked): Asked<HonoursAsked>,
) -> Answer {
    answer(lang, &headers, &uri, &honours(lang, &app, &asked, true)?)
}

/// A certificate: whose it is, and whether it is valid today.
#[utoipa::path(
    get, path = "/api/v1/certificates/{number}", tag = "public", operation_id = "certificate",
    params(("number" = String, Path, description = "Number of the certificate.", example = "2025-001")),
    responses((status = 200, description = "The honour that it stands for.", body = HonourShape))
)]
pub(crate) async fn certificate(
    Speaks(lang): Speaks,
    State(app): State<App>,
    At(number): At<String>,
    headers: HeaderMap,
) -> Answer {
    let shape = office(&app, lang, |office, today| {
        let known = office.honours.values().find(|h| !number.is_empty() && h.body.certificate == number);
        known.map(|known| honour(office, known, today))
    })?;
    fresh(lang, &headers, &shape.ok_or_else(|| Problem::missing(lang))?)
}

/// A published number.
#[derive(Serialize, ToSchema)]
#[schema(as = Figure)]
pub(crate) struct FigureShape {
    /// Figure.
    #[schema(example = "mayor_award.winners")]
    figure: String,
    /// What it counts.
    topic: Words,
    /// Value as written: a number or a text.
    value: String,
    /// Unit.
    unit: String,
    /// Day as of which it holds.
    #[schema(format = Date)]
    as_of: Option<String>,
    /// Names that it counts, if the source states them.
    names: Vec<String>,
    /// Published source.
    source: String,
    /// Number of its record in the office log.
    record: u64,
}

fn figure((seq, figure): &(u64, FigureStated)) -> FigureShape {
    FigureShape {
        figure: figure.figure.clone(),
        topic: (&figure.topic).into(),
        value: figure.value.clone(),
        unit: figure.unit.clone(),
        as_of: figure.as_of.map(|day| day.to_string()),
        names: figure.names.clone(),
        source: figure.source.clone(),
        record: *seq,
    }
}

/// Published figures, each with its source and day.
#[utoipa::path(
    get, path = "/api/v1/figures", tag = "public", operation_id = "figures", params(Paging),
    responses((status = 200, description = "Figures.", body = Page<FigureShape>))
)]
pub(crate) async fn figures(
    Speaks(lang): Speaks,
    State(app): State<App>,
    uri: OriginalUri,
    headers: HeaderMap,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let shapes = office(&app, lang, |office, _| office.figures.values().map(figure).collect())?;
    let list = page(lang, "figures", &paging, shapes, |f: &FigureShape| f.figure.clone())?;
    answer(lang, &headers, &uri, &list)
}

/// An award.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProgrammeLine {
    /// Programme.
    #[schema(example = "yunchuan-mayor")]
    programme: String,
    /// The award.
    name: Words,
    /// `national`, `province`, `city`, `district` or `county`.
    level: String,
    /// First year.
    established: Option<u32>,
    /// Its address; `null` while no rules are adopted.
    href: Option<String>,
}

fn programme(office: &Office, id: &str) -> Option<ProgrammeLine> {
    let body = office.programmes.get(id)?;
    let ruled = office.rules.get(id).is_some_and(|versions| !versions.is_empty());
    Some(ProgrammeLine {
        programme: id.to_owned(),
        name: (&body.name).into(),
        level: name_of(&body.level),
        established: body.established,
        href: ruled.then(|| format!("{ROOT}/programmes/{id}")),
    })
}

/// All awards.
#[utoipa::path(
    get, path = "/api/v1/programmes", tag = "public", operation_id = "programmes", params(Paging),
    responses((status = 200, description = "Programmes.", body = Page<ProgrammeLine>))
)]
pub(crate) async fn programmes(
    Speaks(lang): Speaks,
    State(app): State<App>,
    uri: OriginalUri,
    headers: HeaderMap,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let lines =
        office(&app, lang, |office, _| office.programmes.keys().filter_map(|id| programme(office, id)).collect())?;
    let list = page(lang, "programmes", &paging, lines, |p: &ProgrammeLine| p.programme.clone())?;
    answer(lang, &headers, &uri, &list)
}

/// An award with its rules.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProgrammeDetail {
    /// The award.
    programme: ProgrammeLine,
    /// The rules in force, each value with its article, as docs/format.md describes them.
    #[schema(value_type = Object)]
    rules: Value,
    /// Number of the record that adopted them.
    record: u64,
    /// Addresses of its editions, newest first.
    editions: Vec<String>,
}

/// An award: its rules in force, each value with its article, and its editions.
#[utoipa::path(
    get, path = "/api/v1/programmes/{programme}", tag = "public", operation_id = "programme",
    params(("programme" = String, Path, description = "Programme.", example = "yunchuan-mayor")),
    responses((status = 200, description = "The programme.", body = ProgrammeDetail))
)]
pub(crate) async fn show_programme(
    Speaks(lang): Speaks,
    State(app): State<App>,
    At(id): At<String>,
    headers: HeaderMap,
) -> Answer {
    let missing = || Problem::missing(lang);
    let editions = crate::programme::editions(&app, &id);
    let detail = office(&app, lang, |office, _| {
        let (record, adopted) = office.rules.get(&id).and_then(|versions| versions.last()).ok_or_else(missing)?;
        Ok(ProgrammeDetail {
            programme: programme(office, &id).ok_or_else(missing)?,
            rules: serde_json::to_value(&adopted.rules).map_err(|_| Problem::internal(lang))?,
            record: *record,
            editions: editions.iter().map(|log| format!("{ROOT}/editions/{}", slug(log.id()))).collect(),
        })
    })??;
    fresh(lang, &headers, &detail)
}
