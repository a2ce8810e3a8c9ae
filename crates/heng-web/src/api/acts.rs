//! An act: its form, its draft, and doing it.

use std::collections::BTreeMap;

use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode};
use heng_app::desk::drafts::{self, Save};
use heng_app::desk::proposal::{self, Outcome};
use heng_app::desk::{self, DeskError, Sheet, Wrong};
use heng_domain::text::Lang;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::given::{At, Given, Speaks};
use super::once::{Done, Request, once};
use super::problem::Problem;
use super::proposals::ProposalShape;
use super::shapes::{Answers, Draft, Field, File, Recorded, RoleCount, ShownShape, Words};
use super::{Answer, ROOT, blocking, fresh};
use crate::door::Caller;
use crate::view::App;
use crate::work::log_of;

/// The form of an act.
#[derive(Serialize, ToSchema)]
#[schema(as = Act)]
pub(crate) struct ActShape {
    /// Log.
    log: String,
    /// Kind of record that it becomes.
    kind: &'static str,
    /// The case.
    case: String,
    /// What it is called.
    title: Words,
    /// What it means.
    text: Words,
    /// What the case is about.
    about: Words,
    /// Last day, if there is one.
    #[schema(format = Date)]
    due: Option<String>,
    /// It waits for this person; otherwise it is only possible.
    duty: bool,
    /// Who acts, as the log knows them.
    me: String,
    /// Who must sign: with anybody named here, doing it makes a proposal.
    signs: Signs,
    /// Minutes from UTC for its days and times.
    utc_offset_minutes: i32,
    /// The questions.
    fields: Vec<Field>,
    /// Files that were uploaded and may be attached, where a field asks for files.
    files: Vec<File>,
    /// What the act concerns and what follows from it: lists and consequences to read before sending.
    shows: Vec<ShownShape>,
    /// The objection that it decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    objection: Option<crate::objections::ObjectionShape>,
    /// What was typed and not yet sent.
    draft: Option<Draft>,
}

/// Who must sign.
#[derive(Serialize, ToSchema)]
pub(crate) struct Signs {
    /// The actor.
    actor: bool,
    /// So many of each role, the actor counted in.
    roles: Vec<RoleCount>,
}

/// Where an act stands: two parts of the place, kind, case.
type Address = At<(String, String, String, String)>;

/// One program at one form.
struct Form {
    app: App,
    caller: Caller,
    log: String,
    kind: String,
    case: String,
    lang: Lang,
}

impl Form {
    fn at(app: App, caller: Caller, lang: Lang, at: (String, String, String, String)) -> Result<Form, Problem> {
        let (first, second, kind, case) = at;
        let log = log_of(&app, &first, &second).ok_or_else(|| Problem::missing(lang))?;
        Ok(Form { app, caller, log, kind, case, lang })
    }

    fn problem(&self, error: impl Into<DeskError>) -> Problem {
        Problem::of_desk(self.lang, &error.into())
    }

    fn sheet(&self) -> Result<Sheet, Problem> {
        let sheet = desk::sheet(self.app.heng(), &self.log, &self.caller.subject, &self.kind, &self.case);
        sheet.map_err(|error| self.problem(error))
    }

    fn draft_key(&self, sheet: &Sheet) -> String {
        drafts::key(&sheet.me, &self.log, &self.kind, &self.case)
    }

    /// A mistyped name would be an answer that is silently left out; so would a second answer where one is asked.
    fn known(&self, sheet: &Sheet, answers: &Answers) -> Result<(), Problem> {
        let fields: BTreeMap<&str, &desk::Field> =
            sheet.fields.iter().map(|field| (field.name.as_str(), field)).collect();
        let refused = answers.iter().filter_map(|(name, given)| match fields.get(name.as_str()) {
            None => Some(Wrong::new(name, "unknown_field")),
            Some(field) if given.len() > 1 && !field.kind.takes_several() => Some(Wrong::new(name, "once")),
            Some(_) => None,
        });
        let wrong: Vec<Wrong> = refused.take(20).collect();
        if wrong.is_empty() { Ok(()) } else { Err(Problem::of_wrong(self.lang, &wrong)) }
    }
}

/// The form of an act: its questions with their limits, what stands there, and the draft.
#[utoipa::path(
    get, path = "/api/v1/logs/{first}/{second}/acts/{kind}/{case}", tag = "acts", operation_id = "act", security(("token" = [])),
    params(("first" = String, Path, description = "Programme, or `office`.", example = "nanlu-county"), ("second" = String, Path, description = "Edition, or `log`."), ("kind" = String, Path, description = "Kind of record.", example = "application.submitted"), ("case" = String, Path, description = "The case, from the list of tasks.", example = "-")),
    responses((status = 200, description = "The form.", body = ActShape))
)]
pub(crate) async fn show(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At(at): Address,
    headers: HeaderMap,
) -> Answer {
    let form = Form::at(app, caller, lang, at)?;
    let shape = blocking(lang, move || {
        let sheet = form.sheet()?;
        let heng = form.app.heng();
        let draft = drafts::load(heng, &form.draft_key(&sheet)).map_err(|error| form.problem(error))?;
        let asks_files = sheet.fields.iter().any(|field| matches!(field.kind, desk::Kind::Files { .. }));
        let files = if asks_files { desk::files::list(heng, &sheet.me) } else { Ok(Vec::new()) };
        let files = files.map_err(|error| form.problem(error))?;
        let roles = sheet.signs.roles.iter().map(|(role, count)| RoleCount::new(*role, *count)).collect();
        let objection = crate::objections::of_act(&form.app, &form.log, &sheet.me, sheet.kind, &sheet.case.id);
        Ok(ActShape {
            objection,
            shows: sheet.shows.iter().map(ShownShape::from).collect(),
            log: form.log.clone(),
            kind: sheet.kind,
            title: desk::act_name(sheet.kind, &sheet.case.id).into(),
            text: desk::act_text(sheet.kind, &sheet.case.id).into(),
            about: sheet.case.about.into(),
            due: sheet.case.due.map(|day| day.to_string()),
            duty: sheet.case.duty,
            case: sheet.case.id,
            me: sheet.me,
            signs: Signs { actor: sheet.signs.actor, roles },
            utc_offset_minutes: sheet.offset,
            fields: sheet.fields.into_iter().map(Field::from).collect(),
            files: files.into_iter().map(File::from).collect(),
            draft: draft.map(|saved| Draft::new(&form.app, saved)),
        })
    })
    .await?;
    fresh(lang, &headers, &shape)
}

/// A draft to save.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DraftGiven {
    /// The version that it was typed upon; 0 where there was none.
    #[schema(minimum = 0, example = 0)]
    #[serde(deserialize_with = "super::given::whole")]
    version: u64,
    /// What was typed, by field.
    #[schema(example = json!({ "reason": ["…"] }), inline)]
    answers: Answers,
}

/// Saves the draft, also half filled in. A firm's staff share it, and so do its pages: what others changed since the
/// version that it was typed upon stays, and comes back in the answer. Where both changed the same answer, theirs stays too,
/// and the problem `draft.newer` names it; all other answers are saved.
#[utoipa::path(
    put, path = "/api/v1/logs/{first}/{second}/acts/{kind}/{case}/draft", tag = "acts", operation_id = "save_draft", security(("token" = [])),
    params(("first" = String, Path, description = "Programme, or `office`.", example = "nanlu-county"), ("second" = String, Path, description = "Edition, or `log`."), ("kind" = String, Path, description = "Kind of record.", example = "application.submitted"), ("case" = String, Path, description = "The case, from the list of tasks.", example = "-")),
    request_body = DraftGiven,
    responses((status = 200, description = "It is saved, durably.", body = Draft))
)]
pub(crate) async fn save(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At(at): Address,
    headers: HeaderMap,
    given: Given<DraftGiven>,
) -> Answer {
    let form = Form::at(app, caller, lang, at)?;
    let saved = blocking(lang, move || {
        let sheet = form.sheet()?;
        let DraftGiven { version, answers } = given.value;
        form.known(&sheet, &answers)?;
        if !drafts::keeps(sheet.kind, &sheet.case.id) {
            return Err(Problem::new(lang, StatusCode::CONFLICT, "draft.never", "draft_never", &[]));
        }
        let by = &form.caller.account.id;
        let begun = drafts::begun(form.app.heng(), &form.draft_key(&sheet)).map_err(|error| form.problem(error))?;
        let version = if version == 0 { begun } else { version };
        match drafts::save(form.app.heng(), &form.draft_key(&sheet), by, version, &sheet.before(), answers) {
            Ok(Save::Done(saved)) => Ok(Draft::new(&form.app, saved)),
            Ok(Save::Both(saved, both)) => {
                let wrong: Vec<Wrong> = both.iter().map(|name| Wrong::new(name, "both")).collect();
                let mut problem = Problem::new(lang, StatusCode::CONFLICT, "draft.newer", "draft_newer", &[]);
                problem.body.errors = Problem::of_wrong(lang, &wrong).body.errors;
                problem.body.draft = Some(Draft::new(&form.app, saved));
                Err(problem)
            }
            Ok(Save::Sent) => Err(Problem::new(lang, StatusCode::CONFLICT, "draft.sent", "draft_sent", &[])),
            Err(error) => Err(form.problem(error)),
        }
    })
    .await?;
    fresh(lang, &headers, &saved)
}

/// An act to do.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActGiven {
    /// The answers, by field. A field that is left out is empty.
    #[schema(example = json!({ "reason": ["…"] }), inline)]
    answers: Answers,
}

/// Does the act. What needs signatures becomes a proposal; all else is a record at once.
#[utoipa::path(
    post, path = "/api/v1/logs/{first}/{second}/acts/{kind}/{case}", tag = "acts", operation_id = "do_act", security(("token" = [])),
    params(("first" = String, Path, description = "Programme, or `office`.", example = "nanlu-county"), ("second" = String, Path, description = "Edition, or `log`."), ("kind" = String, Path, description = "Kind of record.", example = "application.submitted"), ("case" = String, Path, description = "The case, from the list of tasks.", example = "-")),
    request_body = ActGiven,
    responses(
        (status = 201, description = "It is recorded: durable, signed by the log, and proved by its receipt.", body = Recorded, headers(("Location" = String, description = "The record."))),
        (status = 202, description = "It waits for signatures.", body = ProposalShape, headers(("Location" = String, description = "The proposal.")))
    )
)]
pub(crate) async fn send(
    caller: Caller,
    Speaks(lang): Speaks,
    State(app): State<App>,
    At(at): Address,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    given: Given<ActGiven>,
) -> Answer {
    let form = Form::at(app, caller, lang, at)?;
    blocking(lang, move || {
        let owner = form.caller.account.id.clone();
        let asked = (uri.path(), &given.bytes[..]);
        once(&Request { app: &form.app, lang, headers: &headers, owner: &owner, asked }, || act(&form, &given.value))
    })
    .await
}

fn act(form: &Form, given: &ActGiven) -> Result<Done, Problem> {
    let sheet = form.sheet()?;
    form.known(&sheet, &given.answers)?;
    let (app, subject) = (&form.app, &form.caller.subject);
    let outcome = proposal::act(app.heng(), &form.log, subject, &form.kind, &form.case, &given.answers);
    done(app, form.lang, subject, &form.log, outcome.map_err(|error| form.problem(error))?)
}

/// The answer to an act or to its last signature.
pub(crate) fn done(app: &App, lang: Lang, subject: &str, log: &str, outcome: Outcome) -> Result<Done, Problem> {
    match outcome {
        Outcome::Recorded(accepted) => {
            let recorded = Recorded::new(app, log, &accepted);
            Done::new(lang, StatusCode::CREATED, recorded.location(), &recorded)
        }
        Outcome::Waiting(proposal) => {
            let standing = proposal::standing(app.heng(), &proposal, subject);
            let standing = standing.map_err(|error| Problem::of_app(lang, &error))?;
            let standing = standing.ok_or_else(|| Problem::missing(lang))?;
            let shape = ProposalShape::new(app, &proposal, &standing);
            let location = format!("{ROOT}/proposals/{}", proposal.id);
            Done::new(lang, StatusCode::ACCEPTED, Some(location), &shape)
        }
    }
}
