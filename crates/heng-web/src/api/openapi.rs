//! The description of the interface (OpenAPI 3.1), made from the handlers themselves.
//!
//! Each handler says what it answers when all goes well. What any of them may answer else is the same everywhere and is
//! added here, from the table of routes.

use axum::http::HeaderMap;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, ObjectBuilder, PathItem, Ref, RefOr, Required, ResponseBuilder, Type};
use utoipa::{Modify, OpenApi};

use super::given::Speaks;
use super::problem::{FieldProblem, ProblemBody};
use super::{
    Answer, acts, applications, board, draws, editions, files, fresh, logs, me, notes, notices, objections, opinions,
    outbox, panels, papers, proposals, records, register, rules, session, tasks, visits,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Heng",
        version = "1",
        description = "The JSON interface of an office that runs its quality award on Heng. Everything that a page does, this does, through the same desk and under the same rules: a refusal carries the article that it rests on.\n\nA token is made under \"My account\" and sent as `Authorization: Bearer …`; scope `read` gets, scope `write` does all else. Cookies are not read. Sentences come in Chinese or English, as `Accept-Language` says. Lists come by pages: `next` and the `Link` header lead on. Every POST takes an `Idempotency-Key`: for a day, the same request with the same key is done once.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags(
        (name = "public", description = "What everybody may see; no token."),
        (name = "me", description = "The account of the token."),
        (name = "logs", description = "Logs: editions, and the office."),
        (name = "tasks", description = "What there is to do."),
        (name = "acts", description = "Forms, drafts, doing."),
        (name = "proposals", description = "What waits for signatures."),
        (name = "applications", description = "Dossiers that I may read."),
        (name = "papers", description = "Official papers, made from the log."),
        (name = "records", description = "Records and receipts."),
        (name = "files", description = "My files, and uploads in pieces."),
        (name = "office", description = "The office's outbox."),
    ),
    paths(
        me::show, logs::list, tasks::all, tasks::of_log,
        acts::show, acts::save, acts::send,
        proposals::list, proposals::show, proposals::proof, proposals::scan, proposals::sign, proposals::withdraw,
        applications::list, applications::show, applications::file, opinions::show, panels::show, draws::show, visits::show, session::show,
        objections::list, objections::show, objections::file,
        records::show, records::receipt,
        papers::list, papers::show, papers::of_all, papers::for_all,
        editions::list, editions::show, notices::list, notices::object,
        register::winners, register::certificates, register::certificate, register::figures,
        register::programmes, register::show_programme, rules::versions, rules::dry_run,
        files::list, files::own, files::remove,
        files::unfinished, files::begin, files::state, files::append, files::finish, files::abandon,
        board::alarms, board::openings, notes::list, notes::add, outbox::list, outbox::withdraw, outbox::retry,
    ),
    components(schemas(ProblemBody, FieldProblem, applications::InField, applications::Order, register::LevelAsked)),
    modifiers(&Security, &Everywhere)
)]
struct Description;

struct Security;

impl Modify for Security {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A token of \"My account\". Scope `read` for GET, `write` for all else."));
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme.build()));
    }
}

/// What every operation may answer, and the headers that all take.
struct Everywhere;

impl Modify for Everywhere {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        for item in api.paths.paths.values_mut() {
            let PathItem { get, put, post, delete, .. } = item;
            for (method, operation) in [("GET", get), ("PUT", put), ("POST", post), ("DELETE", delete)] {
                if let Some(operation) = operation {
                    complete(method, operation);
                }
            }
        }
    }
}

fn complete(method: &str, operation: &mut Operation) {
    let mut say = |status: u16, text: &str| problem(operation, status, text);
    say(400, "The address or the body cannot be read; `detail` says where.");
    say(404, "There is nothing here, or nothing for this reader.");
    say(413, "The body is longer than this address takes.");
    say(500, "An error of ours. What it was stands in the server's log.");
    if operation.security.is_some() {
        problem(operation, 401, "No token, or one that is not good any more.");
        problem(operation, 403, "The token's scope does not allow it.");
    }
    if operation.request_body.is_some() {
        problem(operation, 409, "The rules refuse it, or somebody was faster; nothing has changed.");
        problem(operation, 415, "The body is not `application/json`.");
        problem(operation, 422, "The body has another shape, or answers do not fit their fields.");
    }
    if method == "GET" {
        let unchanged = ResponseBuilder::new().description("Unchanged since the `ETag` of `If-None-Match`.").build();
        operation.responses.responses.insert("304".to_owned(), RefOr::T(unchanged));
    }
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let header = |name: &str, text: &str, schema: ObjectBuilder| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(text))
            .schema(Some(schema.build()))
            .build()
    };
    let parameters = operation.parameters.get_or_insert_default();
    parameters.push(RefOr::T(header("Accept-Language", "`zh` or `en`.", text().examples(["en"]))));
    if method == "POST" {
        let key = text().min_length(Some(1)).max_length(Some(200)).pattern(Some("^[!-~]+$"));
        parameters.push(RefOr::T(header(
            "Idempotency-Key",
            "A name of your own for this request, best a random one.",
            key,
        )));
    }
}

fn problem(operation: &mut Operation, status: u16, text: &str) {
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let mut response = ResponseBuilder::new().description(text).content("application/problem+json", body);
    if status == 401 {
        let challenge = HeaderBuilder::new().description(Some("How to come in.")).build();
        response = response.header("WWW-Authenticate", challenge);
    }
    operation.responses.responses.insert(status.to_string(), RefOr::T(response.build()));
}

/// The description.
pub(crate) fn description() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

pub(crate) async fn show(Speaks(lang): Speaks, headers: HeaderMap) -> Answer {
    fresh(lang, &headers, &description())
}
