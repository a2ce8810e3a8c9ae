//! Role × route × state: every line of the table, by everybody, in editions at different stages.
//!
//! The table says who may pass; this says that it is so. Beyond the doors it looks for what must never leak: the text of
//! an applicant's dossier in any answer to somebody who may not read it.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use heng_app::account::Scope;
use heng_app::desk::{self, EditionDesk, proposal};
use heng_domain::edition::Edition;
use heng_domain::edition::events::Role;

use super::{Came, FINISHED, NOTICE, OPEN, TOWN, Town, VOTING, send};
use crate::api;
use crate::routes::{Line, Who, table};
use crate::work::encode;

/// Somebody at the doors.
struct Guest {
    what: &'static str,
    subject: Option<String>,
}

/// One edition with what addresses can name in it.
struct Place {
    log: &'static str,
    first: String,
    second: String,
    /// An application, and the texts that only its dossier holds.
    application: String,
    markers: Vec<String>,
    file: String,
    notice: String,
    guests: Vec<Guest>,
}

/// The person behind an expert's pseudonym.
fn behind(edition: &Edition, expert: &str) -> Option<String> {
    let seat = edition.seats.get(expert)?;
    Some(edition.known_value(seat.seq, "/who")?.get("person")?.as_str()?.to_owned())
}

fn place(town: &Town, log: &'static str) -> Place {
    let found = town.heng().log(log).unwrap();
    let image = found.image();
    let edition = image.state.edition().unwrap();
    let mut applications = edition.applications.values();
    let (own, other) = (applications.next().unwrap(), applications.next().unwrap());
    let application = own.body.application.clone();
    let text =
        |sha: &heng_log::Hash| String::from_utf8(town.heng().store().attachment(&sha.0).unwrap().unwrap()).unwrap();
    // The same words may stand in several dossiers: a marker is one that no other has.
    let texts = |a: &std::sync::Arc<heng_domain::edition::Application>| {
        let items = a.body.self_evaluation.values().map(|item| item.sha256);
        let files = a.body.attachments.iter().map(|file| file.sha256);
        let all = std::iter::once(a.body.profile_sha256).chain(items).chain(files);
        all.map(|sha| text(&sha)).collect::<BTreeSet<String>>()
    };
    let others: BTreeSet<String> =
        edition.applications.values().filter(|a| a.body.application != application).flat_map(texts).collect();
    let markers: Vec<String> = texts(own).difference(&others).cloned().collect();
    assert!(markers.len() >= 2, "{log}: {markers:?}");
    let panel = |mine: bool| {
        let panels = edition.panels.values().find(|p| p.applications.contains(&application) == mine);
        panels.and_then(|p| behind(edition, p.members.first()?))
    };
    let holds = |role: Role| {
        let seats =
            edition.seats.iter().filter(|(id, seat)| seat.active && id.starts_with("p:") && seat.roles.contains(&role));
        seats.map(|(id, _)| id.clone()).next()
    };
    let guests = vec![
        Guest { what: "nobody", subject: None },
        Guest { what: "applicant", subject: Some(own.body.organisation.clone()) },
        Guest { what: "other applicant", subject: Some(other.body.organisation.clone()) },
        Guest { what: "expert", subject: panel(true) },
        Guest { what: "expert of another panel", subject: panel(false) },
        Guest { what: "member", subject: holds(Role::Member) },
        Guest { what: "chair", subject: holds(Role::Chair) },
        Guest { what: "recommender", subject: holds(Role::Recommender) },
        Guest { what: "supervisor", subject: holds(Role::Supervisor) },
        Guest { what: "officer", subject: holds(Role::Officer) },
        Guest { what: "authority", subject: holds(Role::Authority) },
    ];
    let (first, second) = crate::view::slug(log).split_once('/').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let file = own.body.attachments.first().unwrap().sha256.to_string();
    let notice = edition.notices.first().map_or("n1".to_owned(), |(id, _)| id.clone());
    Place { log, first, second, application, markers, file, notice, guests }
}

/// The address of a line in a place.
fn address(line: &Line, place: &Place, proposal: &str) -> String {
    let application = line.path.contains("/applications/");
    let values = [
        ("{first}", place.first.as_str()),
        ("{second}", &place.second),
        ("{programme}", &place.first),
        ("{edition}", &place.second),
        ("{kind}", "application.submitted"),
        ("{case}", if line.path.contains("{paper}") { &place.application } else { "-" }),
        ("{id}", if application { &place.application } else { proposal }),
        ("{sha}", &place.file),
        ("{sha256}", &place.file),
        ("{seq}", "3"),
        ("{notice}", &place.notice),
        ("{department}", "tax"),
        ("{number}", "2025-001"),
        ("{paper}", "receipt"),
        ("{token}", "x"),
        ("{*file}", "checkpoint"),
        ("{*path}", "app.css"),
    ];
    values.iter().fold(line.path.to_owned(), |path, (name, value)| path.replace(name, value))
}

fn request(method: &str, path: &str, api: bool, header: Option<(header::HeaderName, String)>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    let json = api || path.contains("passkey") || path == "/demo/token";
    match method {
        "GET" | "DELETE" => request.body(Body::empty()),
        _ if json => request.header(header::CONTENT_TYPE, "application/json").body(Body::from("{}")),
        _ => request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(Body::empty()),
    }
    .unwrap()
}

fn to_sign_in(came: &Came) -> bool {
    came.status.is_redirection() && came.header("location").starts_with("/sign-in")
}

/// What the table's rule says of an answer; an error is a sentence.
fn judge(line: &Line, guest: &Guest, seated: bool, inviter: bool, came: &Came) -> Result<(), String> {
    let expect = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
    expect(!came.status.is_server_error(), "an error of ours")?;
    let turned_away = matches!(came.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    match (line.who, guest.subject.is_some()) {
        (Who::Public | Who::Demo, _) => {
            expect(!turned_away && (!to_sign_in(came) || line.path == "/sign-out"), "open to all")
        }
        (Who::SignedIn | Who::Inviter | Who::Seat, false) => {
            expect(to_sign_in(came), "nobody is led to the sign-in page")
        }
        // Whoever ends all sessions ends this one.
        (Who::SignedIn, true) if line.path == "/account/sessions/all" => Ok(()),
        (Who::SignedIn, true) => {
            expect(!to_sign_in(came) && came.status != StatusCode::UNAUTHORIZED, "open to whoever is signed in")
        }
        (Who::Inviter, true) if !inviter => expect(came.status == StatusCode::FORBIDDEN, "only who may invite"),
        (Who::Inviter, true) => expect(!to_sign_in(came), "open to who may invite"),
        (Who::Seat, true) if !seated => expect(came.status == StatusCode::NOT_FOUND, "only with a seat"),
        (Who::Seat, true) => expect(!to_sign_in(came), "open with a seat"),
        (Who::Token | Who::TokenSeat, false) => {
            let challenged = came.header("www-authenticate").starts_with("Bearer");
            expect(came.status == StatusCode::UNAUTHORIZED && challenged, "nobody gets 401 with a challenge")
        }
        (Who::TokenSeat, true) if !seated => expect(came.status == StatusCode::NOT_FOUND, "only with a seat"),
        (Who::Token | Who::TokenSeat, true) => expect(!turned_away, "open with a token"),
    }
}

fn inviter(town: &Town, subject: &str) -> bool {
    let log = town.heng().office_log().unwrap();
    let image = log.image();
    let office = image.state.office().unwrap();
    // The demonstration's firms have one account each, which invites colleagues.
    subject.starts_with("o:")
        || office.holds(subject, heng_domain::office::events::OfficeRole::Officer, office.day(town.now()))
}

/// A proposal that waits, made anew when somebody has taken it back.
pub(super) fn waiting(town: &Town) -> String {
    let (member, case) = town.voter();
    if let Some(id) = town.proposals(&member).first() {
        return id.clone();
    }
    let answers = town.choose(VOTING, &member, "ballot.cast", &case);
    match proposal::act(town.heng(), VOTING, &member, "ballot.cast", &case, &answers).unwrap() {
        proposal::Outcome::Waiting(proposal) => proposal.id,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_door_holds_its_rule_for_everybody_at_every_stage() {
    let town = &*TOWN;
    let mut wrong = Vec::new();
    let mut passed: BTreeMap<(&str, bool), usize> = BTreeMap::new();
    for (turn, log) in [FINISHED, VOTING, OPEN, NOTICE].into_iter().enumerate() {
        let place = place(town, log);
        for guest in place.guests.iter().filter(|guest| guest.what == "nobody" || guest.subject.is_some()) {
            let subject = guest.subject.as_deref();
            let handle = subject.and_then(|s| proposal::handle(town.heng(), log, s).unwrap());
            let reads = {
                let found = town.heng().log(log).unwrap();
                let image = found.image();
                handle.as_ref().is_some_and(|me| image.state.edition().unwrap().may_read(me, &place.application))
            };
            *passed.entry((guest.what, reads)).or_default() += 1;
            let token = subject.map(|s| town.token(s, &[Scope::Read, Scope::Write]));
            let mut cookie = subject.map(|s| town.cookie(s));
            for line in table() {
                // An address that names no edition is the same in all of them.
                if turn > 0 && !line.path.contains('{') {
                    continue;
                }
                let proposal = if line.path.contains("{id}") { waiting(town) } else { String::new() };
                let path = address(&line, &place, &proposal);
                for method in &line.methods {
                    let api = line.path.starts_with(api::ROOT);
                    let header = match api {
                        true => token.as_ref().map(|token| (header::AUTHORIZATION, format!("Bearer {token}"))),
                        false => cookie.clone().map(|cookie| (header::COOKIE, cookie)),
                    };
                    let came = town.send(request(method, &path, api, header)).await;
                    let judged =
                        judge(&line, guest, handle.is_some(), subject.is_some_and(|s| inviter(town, s)), &came);
                    let (what, status) = (guest.what, came.status);
                    if let Err(rule) = judged {
                        wrong.push(format!("{method} {path} by {what} in {log}: {status}, but {rule}"));
                    }
                    if !reads && place.markers.iter().any(|marker| came.text().contains(marker)) {
                        wrong.push(format!(
                            "{method} {path} by {what} in {log}: shows a dossier that they may not read"
                        ));
                    }
                    // Some requests end the session that they come with.
                    if *method == "POST" && line.path.contains("s") && !api {
                        cookie = subject.map(|s| town.cookie(s));
                    }
                }
            }
            if let (Some(subject), Some(token)) = (subject, &token) {
                wrong.extend(forms(town, &place, guest.what, subject, token, reads).await);
            }
        }
    }
    assert!(wrong.is_empty(), "{} answers are wrong:\n{}", wrong.len(), wrong.join("\n"));
    // Were nobody ever kept from a dossier, the search for its words would prove nothing.
    for (what, reads) in
        [("applicant", true), ("other applicant", false), ("nobody", false), ("expert", true), ("officer", true)]
    {
        assert!(passed.contains_key(&(what, reads)), "{what} {reads}: {passed:?}");
    }
}

/// Every form that somebody can open, as a page and as JSON.
async fn forms(town: &Town, place: &Place, what: &str, subject: &str, token: &str, reads: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let cookie = town.cookie(subject);
    let mut seen = BTreeSet::new();
    for task in desk::tasks(town.heng(), place.log, subject).unwrap() {
        // Of each kind the first two cases: they differ in what they are about only.
        if !seen.insert(task.kind) && !seen.insert(Box::leak(format!("{}2", task.kind).into_boxed_str())) {
            continue;
        }
        let rest = format!("{}/{}/{{}}{}/{}", place.first, place.second, task.kind, encode(&task.case.id));
        let page = format!("/work/{}", rest.replace("{}", ""));
        let json = format!("/api/v1/logs/{}", rest.replace("{}", "acts/"));
        let headers = [(header::COOKIE, cookie.clone()), (header::AUTHORIZATION, format!("Bearer {token}"))];
        for (path, header) in [page, json].iter().zip(headers) {
            let came = town.send(request("GET", path, false, Some(header))).await;
            if came.status != StatusCode::OK {
                wrong.push(format!("GET {path} by {what}: {}", came.status));
            }
            if !reads && place.markers.iter().any(|marker| came.text().contains(marker)) {
                wrong.push(format!("GET {path} by {what}: shows a dossier that they may not read"));
            }
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_no_page_and_a_cookie_opens_no_interface() {
    let town = &*TOWN;
    let subject = "p:0001";
    let (token, cookie) = (town.token(subject, &[Scope::Read, Scope::Write]), town.cookie(subject));
    let place = place(town, VOTING);
    for line in table() {
        let path = address(&line, &place, "x");
        for method in &line.methods {
            match line.who {
                Who::Token | Who::TokenSeat => {
                    let came = town.send(request(method, &path, true, Some((header::COOKIE, cookie.clone())))).await;
                    assert_eq!(came.status, StatusCode::UNAUTHORIZED, "{method} {path}");
                }
                Who::SignedIn | Who::Inviter | Who::Seat => {
                    let bearer = (header::AUTHORIZATION, format!("Bearer {token}"));
                    let came = town.send(request(method, &path, false, Some(bearer))).await;
                    assert!(to_sign_in(&came), "{method} {path}: {}", came.status);
                }
                Who::Public | Who::Demo => {}
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_token_writes_nothing() {
    let town = &*TOWN;
    let token = town.token("p:0001", &[Scope::Read]);
    let place = place(town, VOTING);
    for line in table().iter().filter(|line| matches!(line.who, Who::Token | Who::TokenSeat)) {
        let path = address(line, &place, "x");
        for method in &line.methods {
            let bearer = (header::AUTHORIZATION, format!("Bearer {token}"));
            let came = town.send(request(method, &path, true, Some(bearer))).await;
            let refused = came.status == StatusCode::FORBIDDEN;
            assert_eq!(refused, *method != "GET", "{method} {path}: {}", came.status);
            if refused {
                assert!(came.header("www-authenticate").contains("insufficient_scope"));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_door_takes_more_than_it_says() {
    let town = &*TOWN;
    let token = town.token("p:0001", &[Scope::Read, Scope::Write]);
    let cookie = town.cookie("p:0001");
    let place = place(town, VOTING);
    for line in table() {
        let path = address(&line, &place, "x");
        for method in line.methods.iter().filter(|method| matches!(**method, "POST" | "PUT")) {
            // Said in advance, and found out while reading.
            for said in [true, false] {
                let bytes = vec![b'a'; line.limit + 1];
                let api = line.path.starts_with(api::ROOT);
                let kind = if api || path.contains("passkey") || path == "/demo/token" {
                    "application/json"
                } else {
                    "application/x-www-form-urlencoded"
                };
                let mut request = Request::builder().method(*method).uri(&path).header(header::CONTENT_TYPE, kind);
                request = match api {
                    true => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
                    false => request.header(header::COOKIE, &cookie),
                };
                if said {
                    request = request.header(header::CONTENT_LENGTH, bytes.len());
                }
                let came = send(&town.router, request.body(Body::from(bytes)).unwrap()).await;
                // A handler that reads no body need not notice an unannounced one; nothing is kept of it.
                let fits = came.status == StatusCode::PAYLOAD_TOO_LARGE || (!said && !came.status.is_server_error());
                assert!(fits, "{method} {path} announced {said}: {}", came.status);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_s_doors_are_walls_elsewhere() {
    let town = &*TOWN;
    for line in table().iter().filter(|line| line.who == Who::Demo) {
        for method in &line.methods {
            let came = send(&town.earnest, request(method, line.path, false, None)).await;
            assert_eq!(came.status, StatusCode::NOT_FOUND, "{method} {}", line.path);
        }
    }
}

#[test]
fn experts_are_known_to_the_office_alone() {
    // The pseudonym is what an edition shows; the matrix asks for the person behind it, as signing in does.
    let town = &*TOWN;
    let log = town.heng().log(VOTING).unwrap();
    let image = log.image();
    let edition = image.state.edition().unwrap();
    let panel = edition.panels.values().next().unwrap();
    let expert = panel.members.first().unwrap();
    let person = behind(edition, expert).unwrap();
    assert_eq!(EditionDesk::handle_in(edition, &person).as_deref(), Some(expert.as_str()));
}
