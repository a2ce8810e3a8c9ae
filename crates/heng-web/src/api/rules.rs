//! Versions of a programme's rules, and dry runs of rules that are not adopted yet.
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode};
use heng_app::simulation::{Trial, try_out};
use heng_domain::messages::refusal;
use heng_domain::office::events::OfficeRole;
use heng_domain::rules::Rules;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::given::{Asked, At, Given, Speaks};
use super::once::{Done, Request, once};
use super::paging::{Page, Paging, answer, page};
use super::problem::Problem;
use super::shapes::Words;
use super::{Answer, blocking};
use crate::door::Caller;
use crate::rules::TURN;
use crate::view::App;
use crate::work::log_of;

/// A version of the rules.
#[derive(Serialize, ToSchema)]
pub(crate) struct RulesVersion {
    /// Version.
    #[schema(example = "2016.1")]
    version: String,
    /// Number of the record of the office log that adopted it.
    record: u64,
    /// When it was adopted.
    #[schema(format = DateTime)]
    adopted: String,
    /// The rules, each value with its article, as docs/format.md describes them.
    #[schema(value_type = Object)]
    rules: Value,
}

/// All versions of an award's rules, oldest first.
#[utoipa::path(
    get, path = "/api/v1/programmes/{programme}/rules", tag = "public", operation_id = "rules_versions",
    params(("programme" = String, Path, description = "Programme.", example = "yunchuan-mayor"), Paging),
    responses((status = 200, description = "Versions.", body = Page<RulesVersion>))
)]
pub(crate) async fn versions(
    Speaks(lang): Speaks,
    State(app): State<App>,
    At(id): At<String>,
    uri: OriginalUri,
    headers: HeaderMap,
    Asked(paging): Asked<Paging>,
) -> Answer {
    let missing = move || Problem::missing(lang);
    let name = format!("rules {id}");
    let list = blocking(lang, move || {
        let log = app.heng().office_log().ok_or_else(missing)?;
        let all = {
            let image = log.image();
            image.state.office().and_then(|office| office.rules.get(&id)).cloned().ok_or_else(missing)?
        };
        let mut lines = Vec::new();
        for (seq, adopted) in all {
            let record = log.record(seq).map_err(|error| Problem::of_app(lang, &error))?;
            lines.push(RulesVersion {
                version: adopted.rules.version.clone(),
                record: seq,
                adopted: record.time.to_string(),
                rules: serde_json::to_value(&adopted.rules).map_err(|_| Problem::internal(lang))?,
            });
        }
        page(lang, &name, &paging, lines, |line: &RulesVersion| format!("{:020}", line.record))
    })
    .await?;
    answer(lang, &headers, &uri, &list)
}

/// Rules to try out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrialGiven {
    /// The rules, as docs/format.md describes them.
    #[schema(value_type = Object)]
    rules: Value,
    /// Invented applicants.
    #[schema(minimum = 1, maximum = 60, default = 12)]
    #[serde(default = "twelve", deserialize_with = "super::given::whole")]
    applicants: u64,
    /// Another number gives other invented applicants.
    #[schema(default = 1)]
    #[serde(default, deserialize_with = "super::given::whole")]
    seed: u64,
}

fn twelve() -> u64 {
    12
}

/// What a dry run came to.
#[derive(Serialize, ToSchema)]
pub(crate) struct TrialEnd {
    /// `finished`, `stopped` or `no_data`: the criteria or the calendar are not in the program.
    #[schema(example = "finished")]
    outcome: &'static str,
    /// Stages, tiers, invented winners, prizes and records, if it came to its end.
    #[schema(value_type = Option<Object>)]
    finished: Option<Value>,
    /// Stage in which it stopped.
    stage: Option<Words>,
    /// Code of the refusal that stopped it.
    code: Option<String>,
    /// The refusal in the caller's language.
    detail: Option<String>,
    /// Article that it rests on.
    basis: Option<String>,
}

/// Lets invented applicants go through rules, in memory. It leaves no record. For officers.
#[utoipa::path(
    post, path = "/api/v1/logs/{first}/{second}/dry-runs", tag = "office", operation_id = "dry_run", security(("token" = [])),
    params(("first" = String, Path, description = "The office's log.", example = "office"), ("second" = String, Path, description = "The office's log.", example = "log")),
    request_body = TrialGiven,
    responses((status = 200, description = "It was tried.", body = TrialEnd))
)]
pub(crate) async fn dry_run(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At((first, second)): At<(String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    given: Given<TrialGiven>,
) -> Answer {
    let Given { value, bytes } = given;
    let log = log_of(&app, &first, &second).ok_or_else(|| Problem::missing(lang))?;
    officer(&app, &caller, &log).ok_or_else(|| Problem::missing(lang))?;
    let unread =
        |error: &str| Problem::unreadable(lang, StatusCode::UNPROCESSABLE_ENTITY, "request.shape", "shape", error);
    let rules: Rules = serde_json::from_value(value.rules).map_err(|error| unread(&error.to_string()))?;
    if let Some(problem) = rules.problems().first() {
        return Err(unread(&format!("{}: {}", problem.key, problem.sentence(lang))));
    }
    if !(1..=60).contains(&value.applicants) {
        return Err(unread("applicants: 1 to 60"));
    }
    let applicants = usize::try_from(value.applicants).unwrap_or(1);
    let busy = || Problem::new(lang, StatusCode::CONFLICT, "dry_run.busy", "dry_run_busy", &[]);
    let turn = TURN.try_acquire().map_err(|_| busy())?;
    blocking(lang, move || {
        let _turn = turn;
        let owner = &caller.account.id;
        let request = Request { app: &app, lang, headers: &headers, owner, asked: (uri.path(), &bytes[..]) };
        once(&request, || {
            let trial = try_out(&rules, applicants, value.seed).map_err(|error| Problem::of_app(lang, &error))?;
            let nothing =
                TrialEnd { outcome: "no_data", finished: None, stage: None, code: None, detail: None, basis: None };
            let end = match trial {
                Trial::Finished(done) => {
                    TrialEnd { outcome: "finished", finished: serde_json::to_value(done).ok(), ..nothing }
                }
                Trial::Stopped { stage, refusal: why } => TrialEnd {
                    outcome: "stopped",
                    stage: Some((&stage).into()),
                    code: Some(why.code.to_owned()),
                    detail: Some(refusal(lang, &why)),
                    basis: Some(why.basis.clone()),
                    ..nothing
                },
                Trial::NoData => nothing,
            };
            Done::new(lang, StatusCode::OK, None, &end)
        })
    })
    .await
}

/// Whether the caller is an officer of the office whose log this is.
fn officer(app: &App, caller: &Caller, log: &str) -> Option<()> {
    let office_log = app.heng().office_log().filter(|office| office.id() == log)?;
    let image = office_log.image();
    let office = image.state.office()?;
    office.holds(&caller.subject, OfficeRole::Officer, office.day(app.heng().clock().now())).then_some(())
}
