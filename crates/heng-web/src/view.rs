//! What every page shares: the application, the reader's language, the frame, and pages of error.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{FromRequestParts, OriginalUri, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use heng_app::account::{AccountError, Accounts, Buckets, Oidc, Outgoing, Provider, Session, Site};
use heng_app::chores::Chores;
use heng_app::clock::ShiftedClock;
use heng_app::outbox::{Outbox, OutboxConfig};
use heng_app::post::Post;
use heng_app::upload::{UploadLimits, Uploads};
use heng_app::{Heng, Log};
use heng_domain::edition::{Edition, Thing};
use heng_domain::record::Record;
use heng_domain::text::Lang;
use heng_log::Hash;
use heng_log::code::root_code;
use maud::{Markup, html};
use tokio::sync::broadcast;

use crate::language::Language;
use crate::ui::{self, Link, NavLink, Page, PageWords, Proof};
use crate::words::{instant, t, tp};

/// A log that has changed, and its new size; `None` when the server ends.
pub(crate) type Change = Option<(String, u64)>;

/// What was made for a log at a size; a new size makes it again.
type Cache<T> = Mutex<BTreeMap<String, (u64, Arc<T>)>>;

/// Objections that one address may send within an hour.
const OBJECTIONS: u32 = 10;

struct Inner {
    heng: Arc<Heng>,
    changes: broadcast::Sender<Change>,
    bundles: Cache<Vec<u8>>,
    reports: Cache<heng_verify::Report>,
    watched: Cache<Vec<Record>>,
    accounts: Arc<Accounts>,
    uploads: Arc<Uploads>,
    objections: Buckets,
    outbox: Option<Arc<Outbox>>,
    oidc: Option<Arc<Oidc>>,
    _chores: Option<Chores>,
    demo: Option<Demo>,
    site: Site,
    security_contact: String,
    trusted_proxies: Vec<IpAddr>,
}

/// What only a demonstration has: keys that everybody knows, and a clock that can be moved on.
pub struct Demo {
    /// Seed of the invented people's keys.
    pub seed: u64,
    /// The clock of the demonstration.
    pub clock: Arc<ShiftedClock>,
}

/// The portal's settings.
pub struct Settings {
    /// Where the pages are served.
    pub site: Site,
    /// For a demonstration.
    pub demo: Option<Demo>,
    /// How people are told; nothing leaves without it.
    pub outbox: Option<OutboxConfig>,
    /// The office's own identity provider, if it has one.
    pub oidc: Option<Provider>,
    /// Whether the chores run in a thread of their own: in a server, not in tests.
    pub chores: bool,
    /// Where to report a hole: `mailto:…` or `https://…`; without it, a placeholder at the site's own domain.
    pub security_contact: Option<String>,
    /// Proxies whose word about a client's address counts.
    pub trusted_proxies: Vec<IpAddr>,
}

impl Default for Settings {
    fn default() -> Settings {
        let site = Site { rp_id: "localhost".to_owned(), origin: "http://localhost".to_owned() };
        let trusted_proxies = Vec::new();
        Settings { site, demo: None, outbox: None, oidc: None, chores: false, security_contact: None, trusted_proxies }
    }
}

/// The portal's own state: nothing but caches of what the logs say.
#[derive(Clone)]
pub struct App(Arc<Inner>);

impl App {
    /// A portal of `heng`.
    ///
    /// # Errors
    /// If the site's origin and the domain of its passkeys do not fit, or the outbox's settings are wrong.
    pub fn new(heng: Arc<Heng>, settings: Settings) -> Result<App, AccountError> {
        let (changes, _) = broadcast::channel(256);
        let sender = changes.clone();
        // Nobody listening is no error: the hall screen may be dark.
        heng.listen(move |log, size| drop(sender.send(Some((log.to_owned(), size)))));
        let Settings { site, demo, outbox, oidc, chores, security_contact, trusted_proxies } = settings;
        let oidc = oidc.map(Oidc::new).transpose()?.map(Arc::new);
        let security_contact = security_contact.unwrap_or_else(|| format!("mailto:security@{}", site.rp_id));
        let accounts = Arc::new(Accounts::new(Arc::clone(&heng), site.clone())?);
        let (store, clock, entropy) = (heng.store().clone(), heng.clock().clone(), heng.entropy().clone());
        let uploads = Arc::new(Uploads::new(store.clone(), clock.clone(), entropy, UploadLimits::default()));
        let wrong = |error: heng_app::outbox::OutboxError| heng_app::AppError::Other(error.message(Lang::En));
        let outbox = outbox.map(|config| Outbox::new(store, clock, &config)).transpose().map_err(wrong)?.map(Arc::new);
        let post = outbox.clone().map(|outbox| (Post::new(Arc::clone(&heng), Arc::clone(&outbox)), outbox));
        let chores = chores.then(|| Chores::start(Arc::clone(&accounts), Arc::clone(&uploads), post)).transpose();
        let chores = chores.map_err(|source| heng_app::AppError::Io { what: "no thread".to_owned(), source })?;
        let (bundles, reports) = (Mutex::default(), Mutex::default());
        Ok(App(Arc::new(Inner {
            heng,
            changes,
            bundles,
            reports,
            watched: Mutex::default(),
            accounts,
            uploads,
            objections: Buckets::per_hour(OBJECTIONS),
            outbox,
            oidc,
            _chores: chores,
            demo,
            site,
            security_contact,
            trusted_proxies,
        })))
    }

    /// The sign-in service.
    pub(crate) fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }

    /// Uploads.
    pub(crate) fn uploads(&self) -> &Uploads {
        &self.0.uploads
    }

    /// How many objections an address may still send.
    pub(crate) fn objections(&self) -> &Buckets {
        &self.0.objections
    }

    /// The office's identity provider, if it has one.
    pub(crate) fn oidc(&self) -> Option<&Arc<Oidc>> {
        self.0.oidc.as_ref()
    }

    /// The outbox, if one is set up.
    pub(crate) fn outbox(&self) -> Option<&Arc<Outbox>> {
        self.0.outbox.as_ref()
    }

    /// Tells the owner of an account what happened to it.
    pub(crate) fn notify(&self, notice: &Outgoing) {
        let Some(outbox) = self.outbox() else { return };
        let key = format!("account|{}|{:?}|{}", notice.account, notice.notice, self.heng().clock().now());
        if let Err(error) = outbox.put_notice(&key, notice) {
            tracing::warn!(code = error.code(), "the owner of an account could not be told");
        }
    }

    /// What the demonstration has.
    pub(crate) fn demo(&self) -> Option<&Demo> {
        self.0.demo.as_ref()
    }

    /// Scheme, host and port of the pages.
    pub(crate) fn origin(&self) -> &str {
        &self.0.site.origin
    }

    /// Where to report a hole.
    pub(crate) fn security_contact(&self) -> &str {
        &self.0.security_contact
    }

    /// Proxies whose word about a client's address counts.
    pub(crate) fn trusted_proxies(&self) -> &[IpAddr] {
        &self.0.trusted_proxies
    }

    /// The domain that passkeys belong to.
    pub(crate) fn rp_id(&self) -> &str {
        &self.0.site.rp_id
    }

    /// The cookie that carries a session; `None` takes it away.
    pub(crate) fn cookie(&self, token: Option<&str>) -> String {
        let age = if token.is_some() { "" } else { "; Max-Age=0" };
        let secure = if self.0.site.origin.starts_with("https:") { "; Secure" } else { "" };
        let token = token.unwrap_or_default();
        format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax{secure}{age}")
    }

    /// The office.
    pub fn heng(&self) -> &Heng {
        &self.0.heng
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.0.changes.subscribe()
    }

    /// Ends all live streams, so that the server can end.
    pub(crate) fn end_streams(&self) {
        drop(self.0.changes.send(None));
    }

    /// The bundle of a published edition, made once for each state of the log.
    pub(crate) fn bundle(&self, log: &Log) -> heng_app::Result<Arc<Vec<u8>>> {
        let size = log.image().checkpoint.as_ref().map_or(0, |c| c.size);
        let mut cache = self.0.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bytes)) = cache.get(log.id()).filter(|(cached, _)| *cached == size) {
            return Ok(Arc::clone(bytes));
        }
        let files = heng_app::bundle::public_bundle(self.heng(), log)?;
        let mut bytes = Vec::new();
        heng_app::bundle::write_tar(&files, &mut bytes)
            .map_err(|source| heng_app::AppError::Io { what: "bundle".to_owned(), source })?;
        let bytes = Arc::new(bytes);
        cache.insert(log.id().to_owned(), (size, Arc::clone(&bytes)));
        Ok(bytes)
    }

    /// The records of a log that may be alarms, read once for each state of the log.
    pub(crate) fn watched(&self, log: &Log) -> heng_app::Result<Arc<Vec<Record>>> {
        let size = log.image().checkpoint.as_ref().map_or(0, |c| c.size);
        let mut cache = self.0.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, records)) = cache.get(log.id()).filter(|(cached, _)| *cached == size) {
            return Ok(Arc::clone(records));
        }
        let records = Arc::new(heng_app::desk::alarms::watched(log)?);
        cache.insert(log.id().to_owned(), (size, Arc::clone(&records)));
        Ok(records)
    }

    /// The report of the same verifier that everybody can run, made once for each state of the log.
    pub(crate) fn report(&self, log: &Log) -> heng_app::Result<Arc<heng_verify::Report>> {
        let size = log.image().checkpoint.as_ref().map_or(0, |c| c.size);
        if let Some((_, report)) = self
            .0
            .reports
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(log.id())
            .filter(|(cached, _)| *cached == size)
        {
            return Ok(Arc::clone(report));
        }
        let bytes = self.bundle(log)?;
        let report = heng_verify::Bundle::read_tar(bytes.as_slice(), "bundle")
            .and_then(|bundle| heng_verify::verify(&bundle, &heng_verify::Options::default()))
            .map_err(|error| heng_app::AppError::Other(error.to_string()))?;
        let report = Arc::new(report);
        let mut cache = self.0.reports.lock().unwrap_or_else(PoisonError::into_inner);
        cache.insert(log.id().to_owned(), (size, Arc::clone(&report)));
        Ok(report)
    }
}

/// Name of the session's cookie.
const COOKIE: &str = "heng";

/// Somebody who is signed in.
#[derive(Debug)]
pub(crate) struct Me {
    /// The session.
    pub session: Session,
    /// Person or organisation, as the logs know them.
    pub subject: String,
}

/// The reader: who, in which language, and the address of this page in the other one.
#[derive(Clone)]
pub(crate) struct View {
    pub lang: Lang,
    pub language: Language,
    pub me: Option<Arc<Me>>,
    /// An invitation was opened, and no way to sign in is set yet: nothing else can be done in such a session.
    enrolling: bool,
    app: App,
    token: Option<String>,
    path: String,
    query: String,
}

/// The value of a cookie; an empty one is none.
pub(crate) fn cookie_of(headers: &HeaderMap, wanted: &str) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, value)| *name == wanted && !value.is_empty()).map(|(_, value)| value.to_owned())
}

/// The token of the session's cookie.
fn token_of(headers: &HeaderMap) -> Option<String> {
    cookie_of(headers, COOKIE)
}

impl FromRequestParts<App> for View {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &App) -> Result<View, Self::Rejection> {
        // The door may have looked already.
        if let Some(view) = parts.extensions.get::<View>() {
            return Ok(view.clone());
        }
        let uri = match OriginalUri::from_request_parts(parts, state).await {
            Ok(OriginalUri(uri)) => uri,
            Err(never) => match never {},
        };
        let (language, path) = Language::of_path(uri.path());
        let lang = language.lang();
        let token = token_of(&parts.headers);
        let me = match token.clone() {
            None => None,
            Some(token) => {
                let app = state.clone();
                let found = tokio::task::spawn_blocking(move || app.accounts().session(&token)).await;
                found.ok().and_then(Result::ok).map(|session| {
                    let subject = session.account.subject.handle().to_owned();
                    Arc::new(Me { session, subject })
                })
            }
        };
        let enrolling = me.as_ref().is_some_and(|me| !me.session.enrolled());
        // Where a way to sign in is set, also at the office's own provider.
        let open = ["/account/keys", "/account/passkeys", "/account/password", "/sign-in/provider"];
        let open = open.iter().any(|p| path.starts_with(p));
        let me = me.filter(|_| !enrolling || open);
        let query = uri.query().map(|q| format!("?{q}")).unwrap_or_default();
        Ok(View { lang, language, me, enrolling, app: state.clone(), token, path: path.to_owned(), query })
    }
}

/// Programme and edition as they stand in an address: the last two parts of the log's name.
pub(crate) fn slug(log: &str) -> String {
    let parts: Vec<&str> = log.rsplit('/').take(2).collect();
    parts.into_iter().rev().collect::<Vec<_>>().join("/")
}

/// Address of an edition's page.
pub(crate) fn edition_href(language: Language, log: &str) -> String {
    language.href(&format!("/editions/{}", slug(log)))
}

/// What a page hands to the frame.
pub(crate) struct Content {
    pub title: String,
    pub main: Markup,
    pub spine: Option<Markup>,
    pub proof: Option<Markup>,
    pub script: Option<&'static str>,
    pub wide: bool,
}

impl Content {
    pub fn new(title: impl Into<String>, main: Markup) -> Content {
        Content { title: title.into(), main, spine: None, proof: None, script: None, wide: false }
    }
}

impl View {
    /// Who has opened this and when, in words to stand on it: the name is the reader's own, and only the reader sees it.
    pub fn watermark(&self, handle: &str, time: &str) -> String {
        let name = self.me.as_ref().map_or("", |me| me.session.account.name.as_str());
        self.tp("watermark", &[("name", name), ("reader", handle), ("time", time)])
    }

    /// Nobody's view, in the language that a program asks for.
    pub fn of_program(app: &App, lang: Lang) -> View {
        let (path, query) = (String::new(), String::new());
        View { lang, language: lang.into(), me: None, enrolling: false, app: app.clone(), token: None, path, query }
    }

    pub fn t(&self, key: &str) -> String {
        t(self.lang, key)
    }

    pub fn tp(&self, key: &str, params: &[(&str, &str)]) -> String {
        tp(self.lang, key, params)
    }

    pub fn href(&self, path: &str) -> String {
        self.language.href(path)
    }

    /// The application.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The token of the session's cookie, living or not.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The address of this very page.
    pub fn here(&self) -> String {
        self.here_in(self.language)
    }

    /// The address of this page in another language.
    pub fn here_in(&self, language: Language) -> String {
        format!("{}{}", language.href(&self.path), self.query)
    }

    /// The way to the sign-in page, and back here afterwards.
    pub fn sign_in_first(&self) -> Response {
        let to = if self.enrolling { self.href("/account/keys") } else { self.sign_in_href() };
        Redirect::to(&to).into_response()
    }

    /// Address of the sign-in page that leads back here.
    pub fn sign_in_href(&self) -> String {
        let next = serde_urlencoded::to_string([("next", self.here())]).unwrap_or_default();
        format!("{}?{next}", self.href("/sign-in"))
    }

    /// A form came after the session had ended: it is parked for its account and waits behind the sign-in.
    pub async fn park(&self, app: &App, body: &[u8]) -> Response {
        let Some(token) = self.token.clone() else { return self.sign_in_first() };
        let (app, here, body) = (app.clone(), self.here(), body.to_vec());
        let parked = tokio::task::spawn_blocking({
            let here = here.clone();
            move || app.accounts().park(&token, &here, &body)
        })
        .await;
        match parked {
            Ok(Ok(id)) => {
                let next = serde_urlencoded::to_string([("next", here), ("parked", id)]).unwrap_or_default();
                Redirect::to(&format!("{}?{next}", self.href("/sign-in"))).into_response()
            }
            _ => self.sign_in_first(),
        }
    }

    /// Puts a page into the frame.
    pub fn page(&self, app: &App, content: Content) -> Response {
        self.page_with(app, StatusCode::OK, content)
    }

    pub fn page_with(&self, app: &App, status: StatusCode, content: Content) -> Response {
        let (office, demo) = app
            .heng()
            .office_log()
            .and_then(|log| {
                let image = log.image();
                image.state.office().map(|o| (o.founded.name.get(self.lang).to_owned(), o.founded.demo))
            })
            .unwrap_or_else(|| ("衡 Heng".to_owned(), false));
        let entry = |key: &str, path: &str| NavLink {
            link: Link::new(self.t(key), self.href(path)),
            current: self.path == path,
            lang: None,
        };
        let mut nav = vec![entry("nav_home", "/"), entry("nav_winners", "/winners"), entry("nav_figures", "/figures")];
        if self.me.is_some() {
            nav.push(NavLink { current: self.path.starts_with("/work"), ..entry("nav_work", "/work") });
        }
        let who = match &self.me {
            Some(me) => html! {
                a href=(self.href("/account")) { (me.session.account.name) }
                form.inline method="post" action=(self.href("/sign-out")) { button.link type="submit" { (self.t("sign_out")) } }
            },
            None => {
                html! { a href=(self.href(if app.demo().is_some() { "/demo" } else { "/sign-in" })) { (self.t("sign_in")) } }
            }
        };
        let languages = Language::ALL.map(|language| NavLink {
            link: Link::new(language.label(), self.here_in(language)),
            current: self.language == language,
            lang: Some(language.tag()),
        });
        let footer = [
            Link::new(self.t("foot_fee"), self.href("/")),
            Link::new(self.t("foot_checkpoint"), "/log/office/checkpoint"),
        ];
        let page = Page {
            lang: self.lang.tag(),
            title: content.title.into(),
            office_name: office.into(),
            home: self.href("/").into(),
            words: PageWords {
                skip: self.t("skip").into(),
                nav: self.t("nav").into(),
                languages: self.t("languages").into(),
            },
            nav: &nav,
            lang_switch: &languages,
            who: Some(who),
            banner: demo.then(|| self.t("demo_banner").into()),
            spine: content.spine,
            main: content.main,
            proof: content.proof,
            footer: &footer,
            live_script: content.script,
            large_text: self.me.as_ref().is_some_and(|me| me.session.account.large_text),
            wide: content.wide,
        };
        (status, Html(ui::layout(page).into_string())).into_response()
    }

    /// The proof line of a page about one log.
    pub fn proof(&self, log: &Log) -> Option<Markup> {
        let image = log.image();
        let checkpoint = image.checkpoint.as_ref()?;
        let (_, last) = image.state.position();
        let edition = image.state.edition().map(|e| e.rules().utc_offset_minutes);
        let offset = edition.or_else(|| image.state.office().map(|o| o.founded.utc_offset_minutes))?;
        let last = last?;
        Some(ui::proof_line(&Proof {
            as_of: self.tp("as_of", &[("time", &instant(self.lang, last, offset))]).into(),
            datetime: last.to_string().into(),
            root_label: self.t("root_code").into(),
            root: root_code(&Hash(checkpoint.root)).replace('-', "").into(),
            check: Link::new(self.t("check_page"), format!("{}/check", edition_href(self.language, log.id()))),
        }))
    }

    /// A page that says what is wrong and where to go on.
    pub fn problem(&self, app: &App, status: StatusCode, title: &str, text: &str) -> Response {
        let main = html! {
            (ui::title_block(title, None))
            (ui::sentence(text))
            p { (ui::button_link(&Link::new(self.t("back_home"), self.href("/")))) }
        };
        self.page_with(app, status, Content::new(title, main))
    }

    /// The page for something that is not there.
    pub fn missing(&self, app: &App) -> Response {
        self.problem(app, StatusCode::NOT_FOUND, &self.t("not_found_title"), &self.t("not_found_text"))
    }

    /// The page for an error of ours.
    pub fn failure(&self, app: &App, error: &heng_app::AppError) -> Response {
        tracing::error!(%error, "a page could not be made");
        self.problem(app, StatusCode::INTERNAL_SERVER_ERROR, &self.t("failure_title"), &self.t("failure_text"))
    }

    /// Name of an applicant, as far as the public may see it now.
    pub fn name(&self, edition: &Edition, application: &str) -> String {
        match edition.applicant(application) {
            Some(organisation) if edition.public_may_see(Thing::Name(application)) => {
                organisation.name.get(self.lang).to_owned()
            }
            _ => self.tp("unnamed", &[("application", application)]),
        }
    }
}

/// An edition by programme and edition of its address.
pub(crate) fn find(app: &App, programme: &str, edition: &str) -> Option<Arc<Log>> {
    app.heng().find_edition(&format!("{programme}/{edition}")).ok()
}

pub(crate) async fn not_found(view: View, State(app): State<App>) -> Response {
    view.missing(&app)
}

pub(crate) async fn method_not_allowed(view: View, State(app): State<App>) -> Response {
    let (title, text) = (view.t("not_found_title"), view.t("method_text"));
    view.problem(&app, StatusCode::METHOD_NOT_ALLOWED, &title, &text)
}
