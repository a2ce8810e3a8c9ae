//! The portal over the demonstration office, in memory: every route by every role, and the JSON interface.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accounts;
mod bad_input;
mod board;
mod interface;
mod matrix;
mod objections;
mod openapi;
mod panels;
mod papers;
mod secrets;
mod session;
mod told;
mod twins;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use heng_app::account::{Caller, Language, Scope, Subject};
use heng_app::clock::ShiftedClock;
use heng_app::desk::proposal;
use heng_app::desk::{self, Kind};
use heng_app::simulation::{DEMO_SEED, Frozen, build_demo};
use heng_app::{Clock, Heng, ManualClock, SeededEntropy};
use heng_domain::edition::events::Role;
use heng_domain::rules::{read_calendar, read_criteria, read_rules};
use heng_domain::time::Instant;
use jiff::civil::{Date, date};
use serde_json::Value;
use tower::ServiceExt;

use crate::view::{App, Demo, Settings};

const TODAY: Date = date(2026, 5, 20);
const VOTING: &str = "heng.example/yunchuan-mayor/2026";
const FINISHED: &str = "heng.example/yunchuan-mayor/2025";
const OPEN: &str = "heng.example/nanlu-county/2026";
const NOTICE: &str = "heng.example/dongan-district/2026";

/// The demonstration office with its portal.
struct Town {
    app: App,
    office: Arc<Heng>,
    clock: Arc<ManualClock>,
    router: Router,
    /// The same office as a portal that is no demonstration.
    earnest: Router,
}

/// What came back.
struct Came {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Came {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

/// Built anew where a test changes it.
fn build() -> Town {
    let start = Instant::at(TODAY, 10, 0, 480).unwrap();
    let clock = Arc::new(ManualClock::at(start));
    let heng = Heng::in_memory(clock.clone(), Arc::new(SeededEntropy::new(5))).unwrap();
    let data = Frozen {
        rules: read_rules("r", include_str!("../../../../data/programmes/zhumadian.toml")).unwrap(),
        criteria: read_criteria("c", include_str!("../../../../data/criteria/gbt19580-2012.toml")).unwrap(),
        calendar: read_calendar("k", include_str!("../../../../data/calendars/cn.toml")).unwrap(),
    };
    let figures = include_str!("../../../../data/demo/figures.json");
    build_demo(&heng, &clock, &data, figures, TODAY, &|_| {}).unwrap();
    let newest = heng.logs().iter().filter_map(|log| log.image().state.position().1).max().unwrap();
    clock.set(newest.max(start));
    let heng = Arc::new(heng);
    let demo = Some(Demo { seed: DEMO_SEED, clock: Arc::new(ShiftedClock::default()) });
    let outbox = serde_json::from_value(serde_json::json!({ "base_url": "https://award.example/" })).unwrap();
    let app = App::new(Arc::clone(&heng), Settings { demo, outbox, ..Settings::default() }).unwrap();
    let earnest = App::new(Arc::clone(&heng), Settings::default()).unwrap();
    Town { router: crate::router(app.clone()), earnest: crate::router(earnest), office: heng, app, clock }
}

static TOWN: LazyLock<Town> = LazyLock::new(build);

impl Town {
    fn heng(&self) -> &Heng {
        self.app.heng()
    }

    /// A session's cookie.
    fn cookie(&self, subject: &str) -> String {
        let signed = self.session(subject);
        format!("heng={}", signed.token.expose())
    }

    fn session(&self, subject: &str) -> heng_app::account::SignedIn {
        let caller = Caller { address: "127.0.0.1".parse().unwrap(), agent: "test" };
        let who = match subject.starts_with("o:") {
            true => Subject::Organisation(subject.to_owned()),
            false => Subject::Person(subject.to_owned()),
        };
        self.app.accounts().enter_demo(caller, who, subject, Language::En).unwrap()
    }

    fn token(&self, subject: &str, scopes: &[Scope]) -> String {
        let session = self.session(subject).session;
        let scopes = BTreeSet::from_iter(scopes.iter().copied());
        self.app.accounts().make_token(&session, "test", scopes, 1).unwrap().token.expose().to_owned()
    }

    async fn send(&self, request: Request<Body>) -> Came {
        send(&self.router, request).await
    }

    /// A request of the interface, in English.
    async fn ask(&self, method: &str, path: &str, token: Option<&str>, body: Option<Value>) -> Came {
        self.ask_with(method, path, token, body, &[]).await
    }

    async fn ask_with(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Came {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "accept-language") {
            request = request.header(header::ACCEPT_LANGUAGE, "en");
        }
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(value) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(value.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    /// A member who may vote now, with the ballot's case.
    fn voter(&self) -> (String, String) {
        let members: Vec<String> = {
            let log = self.heng().log(VOTING).unwrap();
            let image = log.image();
            image.state.edition().unwrap().seats.keys().filter(|id| id.starts_with("p:")).cloned().collect()
        };
        let ballot = |member: &String| {
            let tasks = desk::tasks(self.heng(), VOTING, member).unwrap();
            let task = tasks.into_iter().find(|task| task.kind == "ballot.cast" && task.case.duty)?;
            Some((member.clone(), task.case.id))
        };
        members.iter().find_map(ballot).expect("somebody has not voted yet")
    }

    /// Answers to a form whose fields can all be chosen.
    fn choose(&self, log: &str, subject: &str, kind: &str, case: &str) -> BTreeMap<String, Vec<String>> {
        let sheet = desk::sheet(self.heng(), log, subject, kind, case).unwrap();
        let chosen = |field: &desk::Field| match &field.kind {
            Kind::One { choices } | Kind::Many { choices } => vec![choices[0].value.clone()],
            Kind::Tick => vec!["yes".to_owned()],
            _ => vec!["—".to_owned()],
        };
        sheet.fields.iter().map(|field| (field.name.clone(), chosen(field))).collect()
    }

    fn proposals(&self, subject: &str) -> Vec<String> {
        let all = proposal::concerning(self.heng(), subject).unwrap();
        all.into_iter().map(|(proposal, _)| proposal.id).collect()
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }
}

/// Somebody with a role in an edition.
fn with_role(town: &Town, log: &str, role: Role) -> String {
    let found = town.heng().log(log).unwrap();
    let image = found.image();
    let seats = &image.state.edition().unwrap().seats;
    let mut holders = seats.iter().filter(|(id, seat)| id.starts_with("p:") && seat.roles.contains(&role));
    holders.next().unwrap().0.clone()
}

async fn send(router: &Router, request: Request<Body>) -> Came {
    // The hall's stream never ends.
    let endless = request.uri().path().ends_with("/events");
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = if endless { Vec::new() } else { to_bytes(body, 64 << 20).await.unwrap().to_vec() };
    Came { status: parts.status, headers: parts.headers, body }
}
