//! The JSON interface as a program uses it.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use heng_app::account::Scope;
use heng_app::desk;
use heng_app::simulation::{DEMO_SEED, DeviceKey};
use heng_domain::record::Anchor;
use serde_json::{Value, json};

use super::{FINISHED, NOTICE, OPEN, Town, VOTING, build};

const WRITE: &[Scope] = &[Scope::Read, Scope::Write];

fn logs(log: &str) -> String {
    format!("/api/v1/logs/{}", crate::view::slug(log))
}

/// A firm that has applied.
const FIRM: &str = "o:0001";

/// A form of text only: a firm withdraws its application.
async fn withdrawal(town: &Town) -> (String, String) {
    let token = town.token(FIRM, WRITE);
    let tasks = town.ask("GET", &format!("{}/tasks?limit=200", logs(OPEN)), Some(&token), None).await.json();
    let tasks = tasks["items"].as_array().unwrap().clone();
    let task = tasks.into_iter().find(|task| task["kind"] == "application.withdrawn").unwrap();
    (token, task["href"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_finds_its_work_does_it_once_and_proves_it() {
    let town = build();
    let (token, href) = withdrawal(&town).await;
    let token = Some(token.as_str());

    let me = town.ask("GET", "/api/v1/me", token, None).await;
    assert_eq!((me.status, me.json()["subject"].as_str()), (StatusCode::OK, Some(FIRM)));
    let tag = me.header("etag").to_owned();
    let again = town.ask_with("GET", "/api/v1/me", token, None, &[("if-none-match", &tag)]).await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    let places = town.ask("GET", "/api/v1/logs", token, None).await.json();
    assert!(
        places["items"].as_array().unwrap().iter().any(|log| log["place"] == "nanlu-county/2026" && log["me"] == FIRM)
    );

    let form = town.ask("GET", &href, token, None).await.json();
    assert_eq!(form["fields"][0]["name"], "reason");
    assert_eq!(form["fields"][0]["kind"], json!({ "type": "area", "most": 1000 }));
    assert_eq!(form["draft"], Value::Null);

    // Drafts: two programs meet, nobody's text is lost.
    let draft = format!("{href}/draft");
    let saved = town.ask("PUT", &draft, token, Some(json!({ "version": 0, "answers": { "reason": ["one"] } }))).await;
    assert_eq!((saved.status, saved.json()["version"].as_u64()), (StatusCode::OK, Some(1)));
    let newer = town.ask("PUT", &draft, token, Some(json!({ "version": 0, "answers": { "reason": ["two"] } }))).await;
    assert_eq!(newer.status, StatusCode::CONFLICT);
    assert_eq!(newer.header("content-type"), "application/problem+json");
    assert_eq!(
        (&newer.json()["code"], &newer.json()["draft"]["answers"]["reason"][0]),
        (&json!("draft.newer"), &json!("one"))
    );
    assert_eq!(town.ask("GET", &href, token, None).await.json()["draft"]["version"], 1);

    // What does not fit says which field, why, and what to do.
    let wrong = town.ask("POST", &href, token, Some(json!({ "answers": { "reason": [""] } }))).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        wrong.json()["errors"][0],
        json!({ "field": "reason", "code": "missing", "detail": "Please fill this in." })
    );
    let typo = town.ask("POST", &href, token, Some(json!({ "answers": { "raeson": ["x"] } }))).await;
    assert_eq!(
        (typo.status, &typo.json()["errors"][0]["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("unknown_field"))
    );
    // A second answer where one is asked is refused also in a draft: keeping the first would drop it without a word.
    let twice = json!({ "version": 1, "answers": { "reason": ["one", "two"] } });
    let twice = town.ask("PUT", &format!("{href}/draft"), token, Some(twice)).await;
    assert_eq!((twice.status, &twice.json()["errors"][0]["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("once")));

    // Sent twice, done once.
    let answers = json!({ "answers": { "reason": ["merged with another firm"] } });
    let key = [("idempotency-key", "k-1")];
    let size = town.heng().log(OPEN).unwrap().image().state.position().0;
    let done = town.ask_with("POST", &href, token, Some(answers.clone()), &key).await;
    assert_eq!(done.status, StatusCode::CREATED, "{}", done.text());
    let same = town.ask_with("POST", &href, token, Some(answers.clone()), &key).await;
    assert_eq!((same.status, &same.body), (StatusCode::CREATED, &done.body));
    assert_eq!((same.header("location"), same.header("idempotency-replayed")), (done.header("location"), "true"));
    let other = town.ask_with("POST", &href, token, Some(json!({ "answers": { "reason": ["else"] } })), &key).await;
    assert_eq!((other.status, &other.json()["code"]), (StatusCode::CONFLICT, &json!("idempotency.other")));
    assert_eq!(town.heng().log(OPEN).unwrap().image().state.position().0, size + 1);
    let gone = town.ask("POST", &href, token, Some(answers)).await;
    assert_eq!((gone.status, &gone.json()["code"]), (StatusCode::NOT_FOUND, &json!("not_open")));

    // The record, and its proof.
    let record = town.ask("GET", done.header("location"), token, None).await.json();
    assert_eq!((&record["record"]["seq"], &record["record"]["type"]), (&json!(size), &json!("application.withdrawn")));
    assert_eq!(record["leaf"], done.json()["records"][0]["leaf"]);
    let receipt = town.ask("GET", record["receipt"].as_str().unwrap(), token, None).await.json();
    assert!(receipt["receipt"].as_str().unwrap().contains("heng.example/nanlu-county/2026"));
    // Before the notice it is nobody else's.
    let stranger = town.token("p:0012", WRITE);
    assert_eq!(town.ask("GET", done.header("location"), Some(&stranger), None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ballot_is_proposed_signed_and_recorded() {
    let town = build();
    let (member, case) = town.voter();
    let token = town.token(&member, WRITE);
    let token = Some(token.as_str());
    let href = format!("{}/acts/ballot.cast/{}", logs(VOTING), crate::work::encode(&case));
    let answers = json!({ "answers": town.choose(VOTING, &member, "ballot.cast", &case) });
    let proposed = town.ask("POST", &href, token, Some(answers.clone())).await;
    assert_eq!(proposed.status, StatusCode::ACCEPTED, "{}", proposed.text());
    let at = proposed.header("location").to_owned();
    assert_eq!(proposed.json()["asked"], true);

    // Taken back, and proposed again.
    assert_eq!(town.ask("DELETE", &at, token, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(town.ask("DELETE", &at, token, None).await.status, StatusCode::NOT_FOUND);
    let at = town.ask("POST", &href, token, Some(answers)).await.header("location").to_owned();
    let listed = town.ask("GET", "/api/v1/proposals", token, None).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    // It is nobody else's.
    let officer = town.token("p:0001", WRITE);
    assert_eq!(town.ask("GET", &at, Some(&officer), None).await.status, StatusCode::NOT_FOUND);

    let detail = town.ask("GET", &at, token, None).await.json();
    let statement = &detail["records"][0]["statement"];
    assert_eq!(
        heng_log::sha256(statement["text"].as_str().unwrap().as_bytes()).to_string(),
        statement["hash"].as_str().unwrap()
    );
    let device = DeviceKey::of(DEMO_SEED, &member).unwrap();
    let anchor: Anchor = serde_json::from_value(statement["at"].clone()).unwrap();
    let signature = device.signature(&statement["hash"].as_str().unwrap().parse().unwrap(), &member, anchor);
    let mut given = json!({ "at": statement["at"], "s": signature.s });
    if let (Some(ad), Some(cd)) = (&signature.ad, &signature.cd) {
        given["ad"] = json!(ad);
        given["cd"] = json!(cd);
    }
    let sign = format!("{at}/signatures");
    // A signature of nothing, too few, and one over a checkpoint that never was.
    let mut forged = given.clone();
    forged["s"] = json!("AAAA");
    let mut elsewhere = given.clone();
    elsewhere["at"]["root"] = json!("0".repeat(64));
    for signatures in [json!([forged]), json!([]), json!([elsewhere])] {
        let refused = town.ask("POST", &sign, token, Some(json!({ "signatures": signatures }))).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text());
        assert!(refused.json()["code"].as_str().unwrap().starts_with("signature."), "{}", refused.text());
    }
    let mut misspelt = given.clone();
    misspelt["at"]["root"] = json!("zz");
    let misspelt = town.ask("POST", &sign, token, Some(json!({ "signatures": [misspelt] }))).await;
    assert_eq!(misspelt.json()["errors"][0]["field"], "signatures.0.at.root");
    let signed = town.ask("POST", &sign, token, Some(json!({ "signatures": [given] }))).await;
    assert_eq!(signed.status, StatusCode::CREATED, "{}", signed.text());
    assert_eq!(signed.json()["records"][0]["kind"], "ballot.cast");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_carries_its_code_and_article_in_both_languages() {
    let town = build();
    let notices = format!("/api/v1/editions/{}/notices", crate::view::slug(NOTICE));
    let notice = town.ask("GET", &notices, None, None).await.json()["items"][0].clone();
    let path = format!("{notices}/{}/objections", notice["notice"].as_str().unwrap());
    let objection = json!({
        "application": notice["names"][0]["application"], "by": "person", "name": "王某", "identity": "x", "contact": "y",
        "grounds": "not so",
    });
    town.clock.advance_millis(60 * 86_400_000);
    for (language, words) in [("en", "The notice ended"), ("zh", "期满")] {
        let late = town.ask_with("POST", &path, None, Some(objection.clone()), &[("accept-language", language)]).await;
        let problem = late.json();
        assert_eq!((late.status, &problem["code"]), (StatusCode::CONFLICT, &json!("objection.late")));
        let basis = problem["basis"].as_str().unwrap();
        let detail = problem["detail"].as_str().unwrap();
        assert!(!basis.is_empty() && detail.contains(basis) && detail.contains(words), "{detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_objection_needs_no_token_and_is_written_once() {
    let town = build();
    let notices = format!("/api/v1/editions/{}/notices", crate::view::slug(NOTICE));
    let list = town.ask("GET", &notices, None, None).await.json();
    let notice = list["items"].as_array().unwrap().iter().find(|n| n["open"] == true).unwrap().clone();
    let path = format!("{notices}/{}/objections", notice["notice"].as_str().unwrap());
    let mut objection = json!({
        "application": notice["names"][0]["application"], "by": "person", "name": "王某", "identity": "x", "contact": "y",
        "grounds": "The figures are not those of the tax office.",
    });
    let key = [("idempotency-key", "3f0c")];
    let first = town.ask_with("POST", &path, None, Some(objection.clone()), &key).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text());
    let again = town.ask_with("POST", &path, None, Some(objection.clone()), &key).await;
    assert_eq!(again.body, first.body);
    assert_eq!(town.ask("GET", first.header("location"), None, None).await.status, StatusCode::OK);
    objection["by"] = json!("cat");
    objection["name"] = json!(" ");
    let wrong = town.ask("POST", &path, None, Some(objection)).await.json();
    let codes: Vec<&str> = wrong["errors"].as_array().unwrap().iter().map(|e| e["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["choose", "real_name"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_decides_an_objection_reads_it_and_nobody_else() {
    let town = build();
    let notices = format!("/api/v1/editions/{}/notices", crate::view::slug(NOTICE));
    let list = town.ask("GET", &notices, None, None).await.json();
    let notice = list["items"].as_array().unwrap().iter().find(|n| n["open"] == true).unwrap().clone();
    let path = format!("{notices}/{}/objections", notice["notice"].as_str().unwrap());
    let objection = json!({
        "application": notice["names"][0]["application"], "by": "person", "name": "王某", "identity": "ID-12345",
        "contact": "0396-0000000", "grounds": "The figures are not those of the tax office.",
    });
    let made = town.ask("POST", &path, None, Some(objection)).await.json();
    let id = made["objection"].as_str().unwrap();
    let officer = town.token("p:0001", WRITE);
    let desk = format!("{}/objections", logs(NOTICE));
    let listed = town.ask("GET", &desk, Some(&officer), None).await.json();
    let line = listed["objections"].as_array().unwrap().iter().find(|line| line["objection"] == id).unwrap().clone();
    assert_eq!((&line["state"], &line["overdue"]), (&json!("received"), &json!(false)));
    assert!(line["due"].is_string() && line.get("name").is_none());
    let one = town.ask("GET", &format!("{desk}/{id}"), Some(&officer), None).await.json();
    assert_eq!((&one["name"], &one["in_time"]), (&json!("王某"), &json!(true)));
    let act = format!("{}/acts/objection.screened/{id}", logs(NOTICE));
    let act = town.ask("GET", &act, Some(&officer), None).await.json();
    assert_eq!(act["objection"]["grounds"], json!("The figures are not those of the tax office."));
    assert_eq!(act["objection"]["contact"], json!("0396-0000000"));
    let opened = crate::opening::newest(&town.app, NOTICE, 10).unwrap();
    assert!(opened.iter().any(|opening| opening.what == "objection"), "that it was opened is noted");
    // Applicants, who may be the ones it is about, find nothing.
    let firm = {
        let log = town.heng().log(NOTICE).unwrap();
        let image = log.image();
        image.state.edition().unwrap().organisations.keys().next().cloned().unwrap()
    };
    let firm = town.token(&firm, WRITE);
    for path in [desk.clone(), format!("{desk}/{id}")] {
        assert_eq!(town.ask("GET", &path, Some(&firm), None).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_by_pages_and_lead_on() {
    let town = build();
    let token = town.token("p:0001", WRITE);
    let mut path = format!("{}/applications?limit=4&sort=name", logs(FINISHED));
    let mut seen = Vec::new();
    loop {
        let came = town.ask("GET", &path, Some(&token), None).await;
        let page = came.json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|a| a["name"]["en"].as_str().unwrap().to_owned()));
        if page["next"].is_null() {
            assert_eq!(came.header("link"), "");
            break;
        }
        path = came.header("link").split(['<', '>']).nth(1).unwrap().to_owned();
    }
    let mut sorted = seen.clone();
    sorted.sort();
    assert_eq!((seen.len(), &seen), (21, &sorted));
    let first = town.ask("GET", &format!("{}/applications?limit=1", logs(FINISHED)), Some(&token), None).await.json();
    let next = first["next"].as_str().unwrap();
    for (query, status) in [
        (format!("cursor={next}"), 200),
        (format!("cursor={next}&sort=name"), 400),
        ("cursor=xyz".to_owned(), 400),
        ("limit=0".to_owned(), 400),
        ("limit=201".to_owned(), 400),
        ("limit=many".to_owned(), 400),
        ("sort=colour".to_owned(), 400),
        ("filter=x".to_owned(), 400),
        ("state=out".to_owned(), 200),
    ] {
        let came = town.ask("GET", &format!("{}/applications?{query}", logs(FINISHED)), Some(&token), None).await;
        assert_eq!(came.status.as_u16(), status, "{query}: {}", came.text());
    }
    let dossier = town.ask("GET", first["items"][0]["href"].as_str().unwrap(), Some(&token), None).await.json();
    let file = dossier["files"][0]["sha256"].as_str().unwrap();
    let file = format!("{}/files/{file}", first["items"][0]["href"].as_str().unwrap());
    let file = town.ask("GET", &file, Some(&token), None).await;
    assert_eq!(file.header("content-type"), "application/octet-stream");
    assert_eq!(heng_log::sha256(&file.body).to_string(), dossier["files"][0]["sha256"].as_str().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_everybody_may_see_needs_no_token() {
    let town = build();
    let editions = town.ask("GET", "/api/v1/editions", None, None).await.json();
    assert_eq!(editions["items"].as_array().unwrap().len(), 4);
    let path = |log: &str| format!("/api/v1/editions/{}", crate::view::slug(log));
    let finished = town.ask("GET", &path(FINISHED), None, None).await.json();
    let result = town.ask("GET", &format!("/editions/{}/result.json", crate::view::slug(FINISHED)), None, None).await;
    assert_eq!(finished["result"], result.json());
    let voting = town.ask("GET", &path(VOTING), None, None).await.json();
    assert_eq!((&voting["result"], &voting["bundle"]), (&Value::Null, &Value::Null));
    assert_eq!(town.ask("GET", &path("x/y/z"), None, None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_refused_with_its_reason() {
    let town = build();
    let (token, href) = withdrawal(&town).await;
    let bearer = format!("Bearer {token}");
    let send = |kind: &'static str, body: &'static str| {
        let request = Request::builder().method("POST").uri(&href).header(header::AUTHORIZATION, &bearer);
        let request = request.header(header::CONTENT_TYPE, kind).header(header::ACCEPT_LANGUAGE, "en");
        town.send(request.body(Body::from(body)).unwrap())
    };
    for (kind, body, status, code) in [
        ("text/plain", "{}", 415, "request.content_type"),
        ("application/json", "{\"answers\":", 400, "request.json"),
        ("application/json", "", 400, "request.json"),
        ("application/json", "[]", 422, "request.shape"),
        ("application/json", "{}", 422, "request.shape"),
        ("application/json", "{\"answers\":{},\"more\":1}", 422, "request.shape"),
        ("application/json", "{\"answers\":{\"reason\":[1]}}", 422, "request.shape"),
        ("application/json; charset=utf-8", "{\"answers\":{}}", 422, "answers"),
    ] {
        let came = send(kind, body).await;
        assert_eq!((came.status.as_u16(), came.json()["code"].as_str().unwrap()), (status, code), "{kind} {body}");
        assert_eq!(came.header("content-type"), "application/problem+json");
        let problem = came.json();
        assert!(problem["type"].as_str().unwrap().ends_with(code) && problem["status"] == status, "{problem}");
    }
    assert!(send("application/json", "{\"answers\": x}").await.text().contains("line 1 column 13"));
    let token = Some(token.as_str());
    let nowhere = town.ask("GET", "/api/v1/nothing", token, None).await;
    assert_eq!((nowhere.status, &nowhere.json()["code"]), (StatusCode::NOT_FOUND, &json!("missing")));
    let method = town.ask("PATCH", "/api/v1/me", token, None).await;
    assert_eq!((method.status, &method.json()["code"]), (StatusCode::METHOD_NOT_ALLOWED, &json!("request.method")));
    assert!(method.header("allow").contains("GET"), "{:?}", method.headers);
    let bad = town.ask("GET", "/api/v1/me", Some("nonsense"), None).await;
    assert_eq!((bad.status, &bad.json()["code"]), (StatusCode::UNAUTHORIZED, &json!("token.unknown")));
    let long = "k".repeat(201);
    let key = town.ask_with("POST", &href, token, Some(json!({ "answers": {} })), &[("idempotency-key", &long)]).await;
    assert_eq!((key.status, &key.json()["code"]), (StatusCode::BAD_REQUEST, &json!("idempotency.form")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_says_where_to_report_a_hole() {
    let town = build();
    let came = town.ask("GET", "/.well-known/security.txt", None, None).await;
    let text = came.text();
    assert!(text.starts_with("Contact: mailto:security@localhost\nExpires: 2026-"), "{text}");
    assert!(text.contains("\nPreferred-Languages: zh, en\n"));
}

/// What somebody has typed survives the import of an earlier application.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_keeps_what_was_typed() {
    let town = build();
    let firms = ["o:0005", "o:0006", "o:0004", "o:0003"];
    let sources = |firm: &&str| desk::import_sources(town.heng(), OPEN, firm).unwrap();
    let firm = firms.into_iter().find(|firm| !sources(firm).is_empty()).unwrap();
    let from = sources(&firm)[0].0.clone();
    let token = town.token(firm, WRITE);
    let href = format!("{}/acts/application.submitted/-", logs(OPEN));
    let typed = json!({ "version": 0, "answers": { "profile": ["typed by hand"] } });
    assert_eq!(town.ask("PUT", &format!("{href}/draft"), Some(&token), Some(typed)).await.status, StatusCode::OK);
    let request = Request::post(format!("/work/{}/import", crate::view::slug(OPEN)))
        .header(header::COOKIE, town.cookie(firm))
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(format!("from={from}")))
        .unwrap();
    assert_eq!(town.send(request).await.status, StatusCode::SEE_OTHER);
    let draft = town.ask("GET", &href, Some(&token), None).await.json()["draft"]["answers"].clone();
    assert_eq!(draft["profile"], json!(["typed by hand"]));
    let filled = |name: &str| draft[name][0].as_str().is_some_and(|text| !text.is_empty());
    assert!(filled("text:4.1.2") && filled("percent:4.1.2"), "the rest is filled in: {draft}");
}
