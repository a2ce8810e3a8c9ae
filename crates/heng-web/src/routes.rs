//! Every route of the portal, each with who may pass its door and how much it takes.
//!
//! The router is built from this table and from nothing else, so there is no route without a declared rule. The door
//! ([`crate::door`]) holds the rule before a handler runs; what exactly the person may see and do behind it is decided
//! below, by `admit`, `may_read` and `public_may_see`. A test drives every line with every role.

use std::convert::Infallible;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::MethodFilter;
use axum::routing::{MethodRouter, get, on};
use tower_http::csrf::CsrfLayer;
use tower_http::limit::RequestBodyLimitLayer;

use crate::view::App;
use crate::{
    account, act, api, board, check, demo, door, dossier, draw, edition, files, hall, home, log, notice, objections,
    oidc, openings, opinions, outbox, panels, papers, people, programme, rules, session, sign, signin, visits,
    well_known, winners, work,
};

/// Who may pass a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Everybody. What they see is decided by `public_may_see`.
    Public,
    /// Whoever is signed in; others are led to the sign-in page.
    SignedIn,
    /// Officers, and the administrators of a firm for their own colleagues: 403 for others.
    Inviter,
    /// Whoever has a seat in the log that the address names: 404 for others.
    Seat,
    /// Everybody in a demonstration; elsewhere there is no such page.
    Demo,
    /// Whoever has a token: scope `read` to get, `write` for all else. No cookie opens it.
    Token,
    /// Whoever has a token, and a seat in the log that the address names: 404 for others.
    TokenSeat,
}

/// Nothing but an address.
const EMPTY: usize = 4 * 1024;
/// A form of an account, or the device's signatures.
const SMALL: usize = 64 * 1024;
/// A dossier's form: the longest that there is.
const LONG: usize = 1024 * 1024;

/// A whole file, where no script sends it in pieces.
const WHOLE: usize = 8 * 1024 * 1024;

/// An objection with its files: twice what they may weigh, so that what is too much is still read and answered with the form.
const OBJECTION: usize = 16 * 1024 * 1024;

/// The same as JSON: 8 MiB of files in base64.
const OBJECTION_JSON: usize = 12 * 1024 * 1024;

/// One line of the table.
pub(crate) struct Line {
    /// The address, as the router reads it.
    pub path: &'static str,
    /// Who may pass.
    pub who: Who,
    /// Methods; `HEAD` comes with `GET`.
    pub methods: Vec<&'static str>,
    /// Most bytes of a request's body.
    pub limit: usize,
    /// Whether it hangs below `/hant` and `/en` too.
    pub page: bool,
    /// A form whose session has ended is parked by its handler instead of being turned away at the door.
    pub parks: bool,
    router: MethodRouter<App>,
}

impl Line {
    fn new(path: &'static str, who: Who, page: bool) -> Line {
        Line { path, who, methods: Vec::new(), limit: EMPTY, page, parks: false, router: MethodRouter::new() }
    }

    fn on<H: Handler<T, App>, T: 'static>(mut self, name: &'static str, filter: MethodFilter, handler: H) -> Line {
        self.methods.push(name);
        self.router = self.router.merge(on(filter, handler));
        self
    }

    fn get<H: Handler<T, App>, T: 'static>(self, handler: H) -> Line {
        self.on("GET", MethodFilter::GET, handler)
    }

    fn post<H: Handler<T, App>, T: 'static>(mut self, limit: usize, handler: H) -> Line {
        self.limit = self.limit.max(limit);
        self.on("POST", MethodFilter::POST, handler)
    }

    fn put<H: Handler<T, App>, T: 'static>(mut self, limit: usize, handler: H) -> Line {
        self.limit = self.limit.max(limit);
        self.on("PUT", MethodFilter::PUT, handler)
    }

    fn delete<H: Handler<T, App>, T: 'static>(self, handler: H) -> Line {
        self.on("DELETE", MethodFilter::DELETE, handler)
    }

    fn parks(mut self) -> Line {
        self.parks = true;
        self
    }

    /// The line's methods behind its door, below `prefix` of the router that it goes into.
    fn hang(self, router: Router<App>, app: &App, prefix: &str) -> Router<App> {
        let Line { path, who, limit, parks, page, .. } = self;
        let rule = door::Rule { path, who, limit, parks, page };
        let methods: MethodRouter<App> = self
            .router
            .layer::<_, Infallible>(DefaultBodyLimit::disable())
            .layer::<_, Infallible>(RequestBodyLimitLayer::new(limit))
            .layer(from_fn_with_state((app.clone(), rule), door::pass));
        router.route(path.strip_prefix(prefix).unwrap_or(path), methods)
    }
}

/// A page, in all languages.
fn page(path: &'static str, who: Who) -> Line {
    Line::new(path, who, true)
}

/// A file, a stream or JSON: one address.
fn bare(path: &'static str, who: Who) -> Line {
    Line::new(path, who, false)
}

/// The table.
#[rustfmt::skip]
pub(crate) fn table() -> Vec<Line> {
    use Who::{Demo, Inviter, Public, Seat, SignedIn, Token, TokenSeat};
    vec![
        // The portal.
        page("/", Public).get(home::show),
        page("/programmes/{programme}", Public).get(programme::show),
        page("/programmes/{programme}/rules", Public).get(rules::versions),
        page("/editions/{programme}/{edition}", Public).get(edition::show),
        page("/editions/{programme}/{edition}/notices/{notice}", Public).get(notice::show).post(OBJECTION, notice::object),
        page("/editions/{programme}/{edition}/hall", Public).get(hall::show),
        page("/editions/{programme}/{edition}/check", Public).get(check::show),
        page("/editions/{programme}/{edition}/papers", Public).get(papers::public_list),
        page("/editions/{programme}/{edition}/papers/{paper}/{case}", Public).get(papers::public_show),
        page("/winners", Public).get(winners::show),
        page("/certificates", Public).get(winners::find_certificate),
        page("/certificates/{number}", Public).get(winners::certificate),
        page("/figures", Public).get(winners::figures),
        // Signing in, and one's own account.
        page("/sign-in", Public).get(signin::show).post(SMALL, signin::sign_in),
        page("/sign-in/passkey/begin", Public).post(EMPTY, signin::begin_passkey),
        page("/sign-in/passkey", Public).post(SMALL, signin::finish_passkey),
        page("/sign-in/provider", Public).get(oidc::begin),
        page("/sign-in/provider/back", Public).get(oidc::back),
        page("/sign-out", Public).post(EMPTY, signin::sign_out),
        page("/invitations/{token}", Public).get(signin::invitation).post(EMPTY, signin::redeem),
        page("/account", SignedIn).get(account::show),
        page("/account/contact", SignedIn).post(EMPTY, account::contact),
        page("/account/preferences", SignedIn).post(EMPTY, account::preferences),
        page("/account/sessions/end", SignedIn).post(EMPTY, account::end_session),
        page("/account/sessions/all", SignedIn).post(EMPTY, account::end_all),
        page("/account/tokens", SignedIn).post(SMALL, account::make_token),
        page("/account/tokens/revoke", SignedIn).post(EMPTY, account::revoke_token),
        page("/account/keys", SignedIn).get(account::keys),
        page("/account/keys/offer", SignedIn).post(SMALL, account::offer),
        page("/account/passkeys/begin", SignedIn).post(EMPTY, account::begin_passkey),
        page("/account/passkeys", SignedIn).post(SMALL, account::finish_passkey),
        page("/account/passkeys/remove", SignedIn).post(EMPTY, account::remove_passkey),
        page("/account/password", SignedIn).post(SMALL, account::password),
        page("/account/password/finish", SignedIn).post(SMALL, account::finish_password),
        page("/account/people", Inviter).get(people::show).post(SMALL, people::invite),
        page("/account/people/stop", Inviter).post(EMPTY, people::stop_account),
        page("/account/people/withdraw", Inviter).post(EMPTY, people::withdraw),
        page("/account/people/recover", Inviter).post(SMALL, people::recover),
        page("/account/people/confirm", Inviter).post(EMPTY, people::confirm_recovery),
        page("/demo", Demo).get(demo::show),
        page("/demo/enter", Demo).post(EMPTY, demo::enter_as),
        page("/demo/days", Demo).post(EMPTY, demo::pass),
        bare("/demo/token", Demo).post(EMPTY, demo::token),
        // The desk: lists, forms, signatures, dossiers.
        page("/work", SignedIn).get(work::show),
        page("/work/outbox", SignedIn).get(outbox::show),
        page("/work/outbox/withdraw", SignedIn).post(EMPTY, outbox::withdraw),
        page("/work/outbox/retry", SignedIn).post(EMPTY, outbox::retry),
        page("/work/sign/{id}", SignedIn).get(sign::show).post(SMALL, sign::sign),
        page("/work/sign/{id}/proof", SignedIn).get(sign::proof),
        page("/work/sign/{id}/scan", SignedIn).get(sign::scan),
        page("/work/sign/{id}/withdraw", SignedIn).post(EMPTY, sign::withdraw),
        page("/work/{first}/{second}", Seat).get(work::show_log),
        page("/work/{first}/{second}/records/{seq}", Seat).get(act::record),
        page("/work/{first}/{second}/receipts/{seq}", Seat).get(act::receipt),
        page("/work/{first}/{second}/board", Seat).get(board::show),
        page("/work/{first}/{second}/openings", Seat).get(openings::show),
        page("/work/{first}/{second}/board/notes", Seat).post(SMALL, board::add_note),
        page("/work/{first}/{second}/board/checkpoint", Seat).get(board::checkpoint).post(SMALL, board::compare),
        page("/work/{first}/{second}/papers", Seat).get(papers::seat_list),
        page("/work/{first}/{second}/papers/{paper}/{case}", Seat).get(papers::seat_show),
        page("/work/{first}/{second}/opinions", Seat).get(opinions::show),
        page("/work/{first}/{second}/panels", Seat).get(panels::show),
        page("/work/{first}/{second}/objections", Seat).get(objections::show),
        page("/work/{first}/{second}/objections/{id}", Seat).get(objections::one),
        page("/work/{first}/{second}/objections/{id}/files/{sha}", Seat).get(objections::file),
        page("/work/{first}/{second}/draws/{id}", Seat).get(draw::show),
        page("/work/{first}/{second}/rules/{case}", Seat).get(rules::show_trial).post(EMPTY, rules::run_trial),
        page("/work/{first}/{second}/import", Seat).post(EMPTY, act::import),
        page("/work/{first}/{second}/files", Seat).get(files::show).post(WHOLE, files::upload),
        page("/work/{first}/{second}/files/begin", Seat).post(EMPTY, files::begin),
        page("/work/{first}/{second}/files/remove", Seat).post(EMPTY, files::remove),
        page("/work/{first}/{second}/files/abandon", Seat).post(EMPTY, files::abandon),
        page("/work/{first}/{second}/files/{sha}", Seat).get(files::state).put(LONG, files::append),
        page("/work/{first}/{second}/files/{sha}/finish", Seat).post(EMPTY, files::finish),
        page("/work/{first}/{second}/files/{sha}/{name}", Seat).get(files::own),
        page("/work/{first}/{second}/applications", Seat).get(dossier::list),
        page("/work/{first}/{second}/applications/{id}", Seat).get(dossier::show),
        page("/work/{first}/{second}/applications/{id}/files/{sha}", Seat).get(dossier::file),
        page("/work/{first}/{second}/applications/{id}/visit", Seat).get(visits::show),
        page("/work/{first}/{second}/visits", Seat).get(visits::calendar),
        page("/work/{first}/{second}/{kind}/{case}", Seat).get(act::show).post(LONG, act::post).parks(),
        // What programs fetch: streams, bundles, the log's files.
        bare("/editions/{programme}/{edition}/hall/events", Public).get(hall::events),
        bare("/work/{first}/{second}/events", Seat).get(session::events),
        bare("/editions/{programme}/{edition}/bundle.tar", Public).get(check::bundle),
        bare("/editions/{programme}/{edition}/result.json", Public).get(check::result),
        bare("/editions/{programme}/{edition}/receipts/{seq}", Public).get(check::receipt),
        bare("/log/{programme}/{edition}/{*file}", Public).get(log::edition_file),
        bare("/log/office/checkpoint", Public).get(log::office_checkpoint),
        bare("/assets/{*path}", Public).get(crate::asset),
        bare("/healthz", Public).get(|| async { "ok\n" }),
        bare("/.well-known/security.txt", Public).get(well_known::security),
        // The JSON interface. What stands here and in docs/openapi.json is compared by a test.
        bare("/api/v1/openapi.json", Public).get(api::openapi::show),
        bare("/api/v1/editions", Public).get(api::editions::list),
        bare("/api/v1/editions/{first}/{second}", Public).get(api::editions::show),
        bare("/api/v1/editions/{first}/{second}/notices", Public).get(api::notices::list),
        bare("/api/v1/editions/{first}/{second}/notices/{notice}/objections", Public).post(OBJECTION_JSON, api::notices::object),
        bare("/api/v1/winners", Public).get(api::register::winners),
        bare("/api/v1/certificates", Public).get(api::register::certificates),
        bare("/api/v1/certificates/{number}", Public).get(api::register::certificate),
        bare("/api/v1/figures", Public).get(api::register::figures),
        bare("/api/v1/programmes", Public).get(api::register::programmes),
        bare("/api/v1/programmes/{programme}", Public).get(api::register::show_programme),
        bare("/api/v1/programmes/{programme}/rules", Public).get(api::rules::versions),
        bare("/api/v1/editions/{first}/{second}/papers", Public).get(api::papers::of_all),
        bare("/api/v1/editions/{first}/{second}/papers/{paper}/{case}", Public).get(api::papers::for_all),
        bare("/api/v1/me", Token).get(api::me::show),
        bare("/api/v1/tasks", Token).get(api::tasks::all),
        bare("/api/v1/logs", Token).get(api::logs::list),
        bare("/api/v1/logs/{first}/{second}/tasks", TokenSeat).get(api::tasks::of_log),
        bare("/api/v1/logs/{first}/{second}/acts/{kind}/{case}", TokenSeat).get(api::acts::show).post(LONG, api::acts::send),
        bare("/api/v1/logs/{first}/{second}/acts/{kind}/{case}/draft", TokenSeat).put(LONG, api::acts::save),
        bare("/api/v1/logs/{first}/{second}/applications", TokenSeat).get(api::applications::list),
        bare("/api/v1/logs/{first}/{second}/applications/{id}", TokenSeat).get(api::applications::show),
        bare("/api/v1/logs/{first}/{second}/applications/{id}/files/{sha256}", TokenSeat).get(api::applications::file),
        bare("/api/v1/logs/{first}/{second}/applications/{id}/visits", TokenSeat).get(api::visits::show),
        bare("/api/v1/logs/{first}/{second}/opinions", TokenSeat).get(api::opinions::show),
        bare("/api/v1/logs/{first}/{second}/draws/{id}", TokenSeat).get(api::draws::show),
        bare("/api/v1/logs/{first}/{second}/panels", TokenSeat).get(api::panels::show),
        bare("/api/v1/logs/{first}/{second}/session", TokenSeat).get(api::session::show),
        bare("/api/v1/logs/{first}/{second}/objections", TokenSeat).get(api::objections::list),
        bare("/api/v1/logs/{first}/{second}/objections/{id}", TokenSeat).get(api::objections::show),
        bare("/api/v1/logs/{first}/{second}/objections/{id}/files/{sha256}", TokenSeat).get(api::objections::file),
        bare("/api/v1/logs/{first}/{second}/files", TokenSeat).get(api::files::list),
        bare("/api/v1/logs/{first}/{second}/files/{sha256}", TokenSeat).get(api::files::own).delete(api::files::remove),
        bare("/api/v1/logs/{first}/{second}/uploads", TokenSeat).get(api::files::unfinished).post(SMALL, api::files::begin),
        bare("/api/v1/logs/{first}/{second}/uploads/{id}", TokenSeat).get(api::files::state).put(LONG, api::files::append).delete(api::files::abandon),
        bare("/api/v1/logs/{first}/{second}/uploads/{id}/finish", TokenSeat).post(SMALL, api::files::finish),
        bare("/api/v1/logs/{first}/{second}/dry-runs", TokenSeat).post(LONG, api::rules::dry_run),
        bare("/api/v1/logs/{first}/{second}/alarms", TokenSeat).get(api::board::alarms),
        bare("/api/v1/logs/{first}/{second}/openings", TokenSeat).get(api::board::openings),
        bare("/api/v1/logs/{first}/{second}/notes", TokenSeat).get(api::notes::list).post(SMALL, api::notes::add),
        bare("/api/v1/logs/{first}/{second}/papers", TokenSeat).get(api::papers::list),
        bare("/api/v1/logs/{first}/{second}/papers/{paper}/{case}", TokenSeat).get(api::papers::show),
        // A published record is everybody's, so a token is enough here.
        bare("/api/v1/logs/{first}/{second}/records/{seq}", Token).get(api::records::show),
        bare("/api/v1/logs/{first}/{second}/receipts/{seq}", Token).get(api::records::receipt),
        bare("/api/v1/outbox", Token).get(api::outbox::list),
        bare("/api/v1/outbox/{id}", Token).delete(api::outbox::withdraw),
        bare("/api/v1/outbox/{id}/retry", Token).post(EMPTY, api::outbox::retry),
        bare("/api/v1/proposals", Token).get(api::proposals::list),
        bare("/api/v1/proposals/{id}", Token).get(api::proposals::show).delete(api::proposals::withdraw),
        bare("/api/v1/proposals/{id}/proof", Token).get(api::proposals::proof),
        bare("/api/v1/proposals/{id}/scan", Token).get(api::proposals::scan),
        bare("/api/v1/proposals/{id}/signatures", Token).post(SMALL, api::proposals::sign),
    ]
}

/// The addresses of the table, before anything lies around them.
pub(crate) fn router(app: &App) -> Router<App> {
    let (json, others): (Vec<Line>, Vec<Line>) = table().into_iter().partition(|line| line.path.starts_with(api::ROOT));
    let (pages, bare): (Vec<Line>, Vec<Line>) = others.into_iter().partition(|line| line.page);
    let hang = |router, line: Line| line.hang(router, app, "");
    let other = || table().into_iter().filter(|line| line.page).fold(Router::new(), hang);
    let portal = pages.into_iter().chain(bare).fold(Router::new(), hang);
    let json = json.into_iter().fold(Router::new(), |router, line| line.hang(router, app, api::ROOT));
    let json = json.fallback(api::problem::not_found).method_not_allowed_fallback(api::problem::method_not_allowed);
    portal
        .nest("/hant", other())
        .nest("/en", other())
        .route("/hant/", get(|| async { Redirect::permanent("/hant") }))
        .route("/en/", get(|| async { Redirect::permanent("/en") }))
        .route("/hant/{*rest}", get(crate::view::not_found).post(crate::view::not_found))
        .route("/en/{*rest}", get(crate::view::not_found).post(crate::view::not_found))
        .fallback(crate::view::not_found)
        .method_not_allowed_fallback(crate::view::method_not_allowed)
        // Only what a cookie opens can be forged from another site.
        .layer(CsrfLayer::new())
        .nest(api::ROOT, json)
}
