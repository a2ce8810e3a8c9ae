//! All forms that are no acts: signing in, the account, invitations, objections, notes, the demonstration.
//!
//! The list is compared with the table of routes: a page that takes a POST and stands in neither list fails the test.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{Request, StatusCode, header};
use heng_domain::edition::events::Role;

use super::super::{NOTICE, Town, VOTING, build};
use super::{LANGS, Table, Typed, compare, escaped, form, laws, sizes, summary, typed};
use crate::routes::table;

/// One form: its line in the table, who sends it, and an answer to each of its fields that would be taken.
struct Sent {
    line: &'static str,
    path: String,
    who: Option<String>,
    fields: Vec<(&'static str, String)>,
    /// Fields that come back as they were typed; passwords and hidden ones do not.
    kept: &'static [&'static str],
}

/// Lines without fields to type: a press of a button, or a script's own request (those are tried in `uploads.rs`,
/// `interface.rs` and with the passkeys of `heng-app`).
const BUTTONS: [&str; 18] = [
    "/sign-in/passkey/begin",
    "/sign-in/passkey",
    "/sign-out",
    "/invitations/{token}",
    "/account/sessions/all",
    "/account/passkeys/begin",
    "/account/passkeys",
    "/work/sign/{id}/withdraw",
    "/work/{first}/{second}/files",
    "/work/{first}/{second}/files/begin",
    "/work/{first}/{second}/files/{sha}",
    "/work/{first}/{second}/files/{sha}/finish",
    // Acts of the desk: `acts.rs`.
    "/work/{first}/{second}/{kind}/{case}",
    // What is sent is nothing but the name of a thing in a list of one's own.
    "/work/{first}/{second}/files/remove",
    "/work/{first}/{second}/files/abandon",
    "/work/{first}/{second}/rules/{case}",
    "/work/outbox/withdraw",
    "/work/outbox/retry",
];

fn all(town: &Town) -> Vec<Sent> {
    let officer = || Some("p:0001".to_owned());
    let sent = |line: &'static str, who: Option<String>, fields: &[(&'static str, &str)], kept| {
        let fields = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Sent { line, path: line.to_owned(), who, fields, kept }
    };
    let at = |sent: Sent, path: String| Sent { path, ..sent };
    let supervisor = {
        let log = town.heng().log(VOTING).unwrap();
        let image = log.image();
        let seats = &image.state.edition().unwrap().seats;
        seats.iter().find(|(_, seat)| seat.active && seat.roles.contains(&Role::Supervisor)).map(|(id, _)| id.clone())
    };
    let (notice, application) = town.noticed();
    let applicant = town.heng().log(super::super::OPEN).unwrap();
    let applicant = applicant.image().state.edition().unwrap().organisations.keys().next().cloned();
    let slug = crate::view::slug;
    let proposal = super::super::matrix::waiting(town);
    let voter = town.voter().0;
    let account = town.session("p:0002").session.account.id.clone();
    vec![
        sent(
            "/sign-in",
            None,
            &[("login", "a@example.cn"), ("password", "wrong horse battery"), ("code", "123456")],
            &["login"],
        ),
        sent(
            "/account/contact",
            officer(),
            &[("email", "a@example.cn"), ("phone", "13900000000")],
            &["email", "phone"],
        ),
        sent("/account/preferences", officer(), &[("language", "zh-Hans"), ("large", "yes")], &[]),
        sent("/account/sessions/end", officer(), &[("id", "none")], &[]),
        sent("/account/tokens", officer(), &[("name", "script"), ("scope", "read")], &["name"]),
        sent("/account/tokens/revoke", officer(), &[("id", "none")], &[]),
        sent(
            "/account/keys/offer",
            officer(),
            &[("log", "heng.example/office"), ("credential", ""), ("public", "")],
            &[],
        ),
        sent("/account/passkeys/remove", officer(), &[("id", "none")], &[]),
        sent("/account/password", officer(), &[("password", "correct horse battery")], &[]),
        sent("/account/password/finish", officer(), &[("setup", "none"), ("code", "123456")], &[]),
        sent(
            "/account/people",
            officer(),
            &[("subject", "p:0099"), ("name", "某甲"), ("email", "a@example.cn"), ("language", "en"), ("admin", "")],
            &["name", "email"],
        ),
        sent("/account/people/stop", officer(), &[("id", "none"), ("stop", "yes")], &[]),
        sent("/account/people/withdraw", officer(), &[("id", "none")], &[]),
        sent("/account/people/recover", officer(), &[("account", &account), ("reason", "手机丢失")], &["reason"]),
        sent("/account/people/confirm", officer(), &[("id", "none")], &[]),
        sent("/demo/enter", None, &[("subject", "p:0001"), ("next", "/work")], &[]),
        sent("/demo/days", None, &[("days", "0"), ("next", "/demo")], &[]),
        at(sent("/work/sign/{id}", Some(voter), &[("signatures", "[]")], &[]), format!("/work/sign/{proposal}")),
        at(
            sent(
                "/editions/{programme}/{edition}/notices/{notice}",
                None,
                &[
                    ("application", &application),
                    ("by", ""),
                    ("name", "王某"),
                    ("identity", "990000199001011234"),
                    ("contact", "0396-0000000"),
                    ("grounds", "所列数据与年报不一致。"),
                ],
                &["name", "identity", "contact", "grounds"],
            ),
            format!("/editions/{}/notices/{notice}", slug(NOTICE)),
        ),
        at(
            sent("/work/{first}/{second}/board/notes", supervisor.clone(), &[("text", "已核对")], &["text"]),
            format!("/work/{}/board/notes", slug(VOTING)),
        ),
        at(
            sent("/work/{first}/{second}/board/checkpoint", supervisor, &[("checkpoint", "x")], &["checkpoint"]),
            format!("/work/{}/board/checkpoint", slug(VOTING)),
        ),
        at(
            sent("/work/{first}/{second}/import", applicant, &[("from", "none")], &[]),
            format!("/work/{}/import", slug(super::super::OPEN)),
        ),
    ]
}

#[test]
fn every_form_stands_in_a_list() {
    let town = &*super::super::TOWN;
    let listed: BTreeSet<&str> = all(town).iter().map(|sent| sent.line).chain(BUTTONS).collect();
    let pages =
        table().into_iter().filter(|line| line.page && line.methods.iter().any(|m| matches!(*m, "POST" | "PUT")));
    let built: BTreeSet<&str> = pages.map(|line| line.path).collect();
    assert_eq!(listed, built);
}

fn inputs(field: &str) -> Vec<Typed> {
    let mut out = typed(match field {
        "grounds" => 5000,
        "text" => 4000,
        "reason" => 1000,
        "password" => 400,
        _ => 300,
    });
    if field == "email" {
        out.push(("no address", vec!["name.example.cn".to_owned()]));
        out.push(("another's", vec!["a b@example.cn".to_owned()]));
    }
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn every_other_form_says_what_is_wrong_and_keeps_what_was_typed() {
    let town = build();
    let mut tables: BTreeMap<&str, BTreeMap<String, Table>> = BTreeMap::new();
    let mut broken = Vec::new();
    for sent in all(&town) {
        for (name, _) in &sent.fields {
            for (what, values) in inputs(name) {
                for (lang, prefix) in LANGS {
                    let before = sizes(&town);
                    let others = sent.fields.iter().filter(|(other, _)| other != name);
                    let mut fields: Vec<(String, String)> =
                        others.map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
                    fields.extend(values.iter().map(|value| ((*name).to_owned(), value.clone())));
                    // Attempts are limited for each minute.
                    town.clock.advance_millis(60_000);
                    let cookie = sent.who.as_deref().map(|who| town.cookie(who));
                    let came = town.send(form(&format!("{prefix}{}", sent.path), cookie.as_deref(), &fields)).await;
                    let here = format!("{} · {name} · {what} ({lang})", sent.line);
                    broken.extend(laws(&here, &came));
                    let page = came.text();
                    let shown = values.iter().all(|value| page.contains(&escaped(value)));
                    let back = came.status == StatusCode::UNPROCESSABLE_ENTITY && what != "twice";
                    if back && sent.kept.contains(name) && !shown {
                        broken.push(format!("{here}: what was typed is lost"));
                    }
                    if back && sent.kept.contains(name) && summary(&page).is_empty() && sent.line != "/sign-in" {
                        broken.push(format!("{here}: the error summary leads nowhere"));
                    }
                    if sizes(&town) != before {
                        broken.push(format!("{here}: something was written to a log"));
                    }
                    let table = tables.entry(lang).or_default().entry(sent.line.to_owned()).or_default();
                    table.note(name, &came, what);
                }
            }
        }
    }
    assert!(broken.is_empty(), "{} laws are broken:\n{}", broken.len(), broken.join("\n"));
    for (lang, _) in LANGS {
        compare("forms", lang, &tables[lang]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_refused_with_a_page_at_every_form() {
    let town = build();
    let before = sizes(&town);
    let many: Vec<(String, String)> = (0..10_000).map(|i| (format!("f{i}"), "x".to_owned())).collect();
    let long = [("text".to_owned(), "x".repeat(2 << 20))];
    let open = {
        let applicant = town.heng().log(super::super::OPEN).unwrap();
        let image = applicant.image();
        let firm = image.state.edition().unwrap().organisations.keys().next().cloned().unwrap();
        Sent {
            line: "act",
            path: format!("/work/{}/application.submitted/-", crate::view::slug(super::super::OPEN)),
            who: Some(firm),
            fields: Vec::new(),
            kept: &[],
        }
    };
    for sent in all(&town).into_iter().chain([open]) {
        for (lang, prefix) in LANGS {
            let words = if lang == "zh" { ["过多", "过长"] } else { ["too much", "too long"] };
            let path = format!("{prefix}{}", sent.path);
            for fields in [&many[..], &long[..]] {
                let cookie = sent.who.as_deref().map(|who| town.cookie(who));
                let came = town.send(form(&path, cookie.as_deref(), fields)).await;
                let said = super::message(&came);
                assert!(matches!(came.status.as_u16(), 413 | 422), "{path}: {}", came.status);
                assert!(words.iter().any(|word| said.contains(word)), "{path}: {said}");
            }
            // In pieces, without a length at the head.
            let cookie = sent.who.as_deref().map(|who| town.cookie(who)).unwrap_or_default();
            let pieces = (0..64).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 32 << 10]));
            let body = axum::body::Body::from_stream(tokio_stream::iter(pieces));
            let request = Request::builder().method("POST").uri(&path).header(header::COOKIE, cookie);
            let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            let came = town.send(request.body(body).unwrap()).await;
            assert_eq!(came.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}: {}", came.text());
            assert!(super::message(&came).contains(words[1]), "{path}: {}", super::message(&came));
        }
    }
    assert_eq!(sizes(&town), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_turns_the_direction_reaches_no_page_of_another() {
    let town = build();
    // Names of files, invitations, notes and objections are refused; what is searched for comes back as plain text only.
    for path in ["/winners?q=%E2%80%AEgpj", "/en/certificates?number=%E2%80%AE%3Cscript%3E"] {
        let came = town.send(Request::builder().uri(path).body(axum::body::Body::empty()).unwrap()).await;
        assert!(laws(path, &came).is_empty() && !came.text().contains("<script>"), "{path}");
    }
    let turned = |text: &str| text.chars().any(heng_domain::text::turns);
    for log in town.heng().logs() {
        for seq in 0..log.image().state.position().0 {
            let record = log.record(seq).unwrap();
            assert!(!turned(&record.body.to_string()), "{} {seq}", log.id());
        }
    }
}
