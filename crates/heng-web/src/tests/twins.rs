//! What a page can do, the JSON interface can do: each page with its twins, or the reason why it has none.

use std::collections::BTreeSet;

use super::*;
use crate::routes::table;

/// A page's counterpart.
enum Twin {
    /// Addresses of the interface, below `/api/v1`.
    Json(&'static [&'static str]),
    /// Why there is none.
    None(&'static str),
}

use Twin::{Json, None};

const PERSON: &str =
    "proves that a person sits there: a program has its token instead, and must not be able to make more of itself";
const DEMO: &str = "only a demonstration has it; programs get a token at /demo/token";
const PUBLIC_FILES: &str = "/editions/{first}/{second}";

#[rustfmt::skip]
const TWINS: &[(&str, Twin)] = &[
    ("/", Json(&["/editions", "/programmes"])),
    ("/programmes/{programme}", Json(&["/programmes/{programme}"])),
    ("/programmes/{programme}/rules", Json(&["/programmes/{programme}/rules"])),
    ("/editions/{programme}/{edition}", Json(&[PUBLIC_FILES])),
    ("/editions/{programme}/{edition}/notices/{notice}", Json(&["/editions/{first}/{second}/notices", "/editions/{first}/{second}/notices/{notice}/objections"])),
    ("/editions/{programme}/{edition}/hall", Json(&[PUBLIC_FILES])),
    ("/editions/{programme}/{edition}/check", Json(&[PUBLIC_FILES])),
    ("/editions/{programme}/{edition}/papers", Json(&["/editions/{first}/{second}/papers"])),
    ("/editions/{programme}/{edition}/papers/{paper}/{case}", Json(&["/editions/{first}/{second}/papers/{paper}/{case}"])),
    ("/winners", Json(&["/winners"])),
    ("/certificates", Json(&["/certificates"])),
    ("/certificates/{number}", Json(&["/certificates/{number}"])),
    ("/figures", Json(&["/figures"])),
    ("/sign-in", None(PERSON)),
    ("/sign-in/passkey/begin", None(PERSON)),
    ("/sign-in/passkey", None(PERSON)),
    ("/sign-in/provider", None(PERSON)),
    ("/sign-in/provider/back", None(PERSON)),
    ("/sign-out", None(PERSON)),
    ("/invitations/{token}", None(PERSON)),
    ("/account", Json(&["/me"])),
    ("/account/contact", None(PERSON)),
    ("/account/preferences", None("language and size of the text on pages; a program says Accept-Language")),
    ("/account/sessions/end", None(PERSON)),
    ("/account/sessions/all", None(PERSON)),
    ("/account/tokens", None(PERSON)),
    ("/account/tokens/revoke", None(PERSON)),
    ("/account/keys", None(PERSON)),
    ("/account/keys/offer", None(PERSON)),
    ("/account/passkeys/begin", None(PERSON)),
    ("/account/passkeys", None(PERSON)),
    ("/account/passkeys/remove", None(PERSON)),
    ("/account/password", None(PERSON)),
    ("/account/password/finish", None(PERSON)),
    ("/account/people", None(PERSON)),
    ("/account/people/stop", None(PERSON)),
    ("/account/people/withdraw", None(PERSON)),
    ("/account/people/recover", None(PERSON)),
    ("/account/people/confirm", None(PERSON)),
    ("/demo", None(DEMO)),
    ("/demo/enter", None(DEMO)),
    ("/demo/days", None(DEMO)),
    ("/work", Json(&["/tasks", "/logs", "/proposals"])),
    ("/work/outbox", Json(&["/outbox"])),
    ("/work/outbox/withdraw", Json(&["/outbox/{id}"])),
    ("/work/outbox/retry", Json(&["/outbox/{id}/retry"])),
    ("/work/sign/{id}", Json(&["/proposals/{id}", "/proposals/{id}/signatures"])),
    ("/work/sign/{id}/proof", Json(&["/proposals/{id}/proof"])),
    ("/work/sign/{id}/scan", Json(&["/proposals/{id}/scan"])),
    ("/work/sign/{id}/withdraw", Json(&["/proposals/{id}"])),
    ("/work/{first}/{second}", Json(&["/logs/{first}/{second}/tasks", "/logs/{first}/{second}/session"])),
    ("/work/{first}/{second}/records/{seq}", Json(&["/logs/{first}/{second}/records/{seq}"])),
    ("/work/{first}/{second}/receipts/{seq}", Json(&["/logs/{first}/{second}/receipts/{seq}"])),
    ("/work/{first}/{second}/board", Json(&[PUBLIC_FILES, "/logs/{first}/{second}/alarms", "/logs/{first}/{second}/openings", "/logs/{first}/{second}/tasks", "/logs/{first}/{second}/applications", "/logs/{first}/{second}/notes"])),
    ("/work/{first}/{second}/openings", Json(&["/logs/{first}/{second}/openings"])),
    ("/work/{first}/{second}/board/notes", Json(&["/logs/{first}/{second}/notes"])),
    ("/work/{first}/{second}/board/checkpoint", Json(&[PUBLIC_FILES])),
    ("/work/{first}/{second}/papers", Json(&["/logs/{first}/{second}/papers"])),
    ("/work/{first}/{second}/papers/{paper}/{case}", Json(&["/logs/{first}/{second}/papers/{paper}/{case}"])),
    ("/work/{first}/{second}/rules/{case}", Json(&["/logs/{first}/{second}/dry-runs"])),
    ("/work/{first}/{second}/opinions", Json(&["/logs/{first}/{second}/opinions"])),
    ("/work/{first}/{second}/objections", Json(&["/logs/{first}/{second}/objections"])),
    ("/work/{first}/{second}/objections/{id}", Json(&["/logs/{first}/{second}/objections/{id}"])),
    ("/work/{first}/{second}/objections/{id}/files/{sha}", Json(&["/logs/{first}/{second}/objections/{id}/files/{sha256}"])),
    ("/work/{first}/{second}/visits", Json(&["/logs/{first}/{second}/applications", "/logs/{first}/{second}/applications/{id}/visits"])),
    ("/work/{first}/{second}/applications/{id}/visit", Json(&["/logs/{first}/{second}/applications/{id}/visits"])),
    ("/work/{first}/{second}/draws/{id}", Json(&["/logs/{first}/{second}/draws/{id}"])),
    ("/work/{first}/{second}/import", None("fills a draft from a dossier: a program reads the dossier and saves the draft")),
    ("/work/{first}/{second}/panels", Json(&["/logs/{first}/{second}/panels"])),
    ("/work/{first}/{second}/files", Json(&["/logs/{first}/{second}/files", "/logs/{first}/{second}/uploads"])),
    ("/work/{first}/{second}/files/begin", Json(&["/logs/{first}/{second}/uploads"])),
    ("/work/{first}/{second}/files/remove", Json(&["/logs/{first}/{second}/files/{sha256}"])),
    ("/work/{first}/{second}/files/abandon", Json(&["/logs/{first}/{second}/uploads/{id}"])),
    ("/work/{first}/{second}/files/{sha}", Json(&["/logs/{first}/{second}/uploads/{id}"])),
    ("/work/{first}/{second}/files/{sha}/finish", Json(&["/logs/{first}/{second}/uploads/{id}/finish"])),
    ("/work/{first}/{second}/files/{sha}/{name}", Json(&["/logs/{first}/{second}/files/{sha256}"])),
    ("/work/{first}/{second}/applications", Json(&["/logs/{first}/{second}/applications"])),
    ("/work/{first}/{second}/applications/{id}", Json(&["/logs/{first}/{second}/applications/{id}"])),
    ("/work/{first}/{second}/applications/{id}/files/{sha}", Json(&["/logs/{first}/{second}/applications/{id}/files/{sha256}"])),
    ("/work/{first}/{second}/{kind}/{case}", Json(&["/logs/{first}/{second}/acts/{kind}/{case}", "/logs/{first}/{second}/acts/{kind}/{case}/draft"])),
];

#[test]
fn every_page_has_its_twin_or_a_reason() {
    let pages: BTreeSet<&str> = table().iter().filter(|line| line.page).map(|line| line.path).collect();
    let listed: BTreeSet<&str> = TWINS.iter().map(|(page, _)| *page).collect();
    assert_eq!(pages, listed, "a page without a line here, or a line without its page");
    let built: BTreeSet<String> = table().iter().map(|line| line.path.to_owned()).collect();
    for (page, twin) in TWINS {
        match twin {
            Json(twins) => {
                for twin in *twins {
                    assert!(built.contains(&format!("{}{twin}", crate::api::ROOT)), "{page}: there is no {twin}");
                }
            }
            None(reason) => assert!(reason.len() > 20, "{page}: {reason}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_register_is_read_without_a_token() {
    let town = &*TOWN;
    let all = town.ask("GET", "/api/v1/winners?limit=2", Option::None, Option::None).await;
    assert_eq!(all.status, StatusCode::OK, "{}", all.text());
    let first = all.json()["items"][0].clone();
    assert!(all.json()["next"].is_string() && all.header("etag").starts_with("W/"));
    // The same search as on the page: by name, year and level.
    let name = first["winner"]["zh"].as_str().unwrap();
    let query = serde_urlencoded::to_string([("q", name), ("year", &first["year"].to_string())]).unwrap();
    let level = first["level"].as_str().unwrap();
    let found = town.ask("GET", &format!("/api/v1/winners?{query}&level={level}"), Option::None, Option::None).await;
    assert_eq!(found.json()["items"][0]["honour"], first["honour"]);
    let certified = town.ask("GET", "/api/v1/certificates", Option::None, Option::None).await.json();
    let number = certified["items"][0]["certificate"].as_str().unwrap().to_owned();
    let one = town.ask("GET", &format!("/api/v1/certificates/{number}"), Option::None, Option::None).await;
    assert_eq!((one.status, &one.json()), (StatusCode::OK, &certified["items"][0]));
    let none = town.ask("GET", "/api/v1/certificates/none", Option::None, Option::None).await;
    assert_eq!((none.status, &none.json()["code"]), (StatusCode::NOT_FOUND, &serde_json::json!("missing")));
    let figures = town.ask("GET", "/api/v1/figures", Option::None, Option::None).await.json();
    assert!(!figures["items"][0]["source"].as_str().unwrap().is_empty());
    let programmes = town.ask("GET", "/api/v1/programmes?limit=200", Option::None, Option::None).await.json();
    let ruled = programmes["items"].as_array().unwrap().iter().find(|p| p["programme"] == "yunchuan-mayor").unwrap();
    let detail = town.ask("GET", ruled["href"].as_str().unwrap(), Option::None, Option::None).await.json();
    assert_eq!(detail["editions"].as_array().unwrap().len(), 2, "{detail}");
    assert!(detail["rules"]["stages"].is_array());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_uploaded_in_pieces_by_a_program() {
    let town = build();
    let firm = {
        let log = town.heng().log(OPEN).unwrap();
        let image = log.image();
        image.state.edition().unwrap().organisations.keys().next().cloned().unwrap()
    };
    let token = town.token(&firm, &[Scope::Read, Scope::Write]);
    let bearer = format!("Bearer {token}");
    let token = Some(token.as_str());
    let base = format!("/api/v1/logs/{}", crate::view::slug(OPEN));
    let bytes = "质量奖申报材料。".repeat(6000).into_bytes();
    let begin = serde_json::json!({ "name": "材料.txt", "size": bytes.len(), "about": "licence" });
    let begun = town.ask("POST", &format!("{base}/uploads"), token, Some(begin.clone())).await;
    assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.text());
    let at = begun.header("location").to_owned();
    let put = |offset: usize, piece: Vec<u8>| {
        let request = Request::builder().method("PUT").uri(format!("{at}?offset={offset}"));
        let request = request.header(header::AUTHORIZATION, &bearer);
        town.send(request.header(header::CONTENT_TYPE, "application/octet-stream").body(Body::from(piece)).unwrap())
    };
    let half = 64 << 10;
    assert_eq!(put(0, bytes[..half].to_vec()).await.json()["received"], half);
    // It goes on where it stopped, and not before it is whole.
    assert_eq!(town.ask("GET", &at, token, Option::None).await.json()["received"], half);
    let early = town.ask("POST", &format!("{at}/finish"), token, Some(serde_json::json!({ "about": "licence" }))).await;
    assert_eq!((early.status, &early.json()["code"]), (StatusCode::CONFLICT, &serde_json::json!("upload.unfinished")));
    let gap = put(half + 1, vec![b'x'; 10]).await;
    assert_eq!(gap.status, StatusCode::CONFLICT, "{}", gap.text());
    assert_eq!(put(half, bytes[half..].to_vec()).await.status, StatusCode::OK);
    let finished =
        town.ask("POST", &format!("{at}/finish"), token, Some(serde_json::json!({ "about": "licence" }))).await;
    assert_eq!(finished.status, StatusCode::CREATED, "{}", finished.text());
    let own = town.ask("GET", finished.header("location"), token, Option::None).await;
    assert_eq!(own.body, bytes);
    let listed = town.ask("GET", &format!("{base}/files"), token, Option::None).await.json();
    assert_eq!(listed["items"][0], finished.json());
    // Nobody else's, and nothing that is not what it says.
    let other = town.token("p:0001", &[Scope::Read, Scope::Write]);
    assert_eq!(town.ask("GET", &at, Some(&other), Option::None).await.status, StatusCode::NOT_FOUND);
    let mut wrong = begin;
    wrong["name"] = serde_json::json!("setup.exe");
    let wrong = town.ask("POST", &format!("{base}/uploads"), token, Some(wrong)).await;
    assert_eq!((wrong.status.as_u16(), &wrong.json()["code"]), (422, &serde_json::json!("upload.kind")));
    assert_eq!(
        town.ask("DELETE", finished.header("location"), token, Option::None).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        town.ask("DELETE", finished.header("location"), token, Option::None).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(town.ask("DELETE", &at, token, Option::None).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_are_the_supervisors() {
    let town = build();
    let notes = format!("/api/v1/logs/{}/notes", crate::view::slug(VOTING));
    let supervisor = {
        let log = town.heng().log(VOTING).unwrap();
        let image = log.image();
        let seats = &image.state.edition().unwrap().seats;
        let role = Role::Supervisor;
        seats.iter().find(|(_, seat)| seat.active && seat.roles.contains(&role)).map(|(id, _)| id.clone()).unwrap()
    };
    let both = [Scope::Read, Scope::Write];
    let (writes, reads, member) =
        (town.token(&supervisor, &both), town.token("p:0001", &both), town.token(&town.voter().0, &both));
    let note = serde_json::json!({ "text": "已核对唱票。" });
    assert_eq!(town.ask("POST", &notes, Some(&writes), Some(note.clone())).await.status, StatusCode::CREATED);
    for (token, status) in [(&reads, 404), (&member, 404)] {
        let came = town.ask("POST", &notes, Some(token), Some(note.clone())).await;
        assert_eq!(came.status.as_u16(), status, "{}", came.text());
    }
    let wrong = town.ask("POST", &notes, Some(&writes), Some(serde_json::json!({ "text": "a\u{202E}b" }))).await;
    assert_eq!(wrong.json()["errors"][0]["code"], "turning_marks");
    assert_eq!(town.ask("GET", &notes, Some(&reads), Option::None).await.json()["items"][0]["text"], note["text"]);
    assert_eq!(town.ask("GET", &notes, Some(&member), Option::None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_outbox_is_the_officers() {
    let town = build();
    let officer = town.token("p:0001", &[Scope::Read, Scope::Write]);
    let member = town.token(&town.voter().0, &[Scope::Read, Scope::Write]);
    let to = heng_app::outbox::To::Mail("li@firm.example".to_owned());
    let params = [("office", "Office"), ("edition", "2026"), ("link", "https://award.example/work")];
    let text = heng_app::outbox::Template::PrizePaid;
    let language = Language::En;
    town.app.outbox().unwrap().put("k", &to, language, text, &params, Option::None).unwrap();
    let listed = town.ask("GET", "/api/v1/outbox", Some(&officer), Option::None).await.json();
    let message = &listed["items"][0];
    assert_eq!((&message["to"], &message["state"]), (&"li@firm.example".into(), &"waiting".into()), "{listed}");
    let href = message["href"].as_str().unwrap();
    let retry = format!("{href}/retry");
    for (method, path) in [("GET", "/api/v1/outbox"), ("DELETE", href), ("POST", &retry)] {
        let came = town.ask(method, path, Some(&member), Option::None).await;
        assert_eq!(came.status, StatusCode::NOT_FOUND, "{method} {path}: {}", came.text());
    }
    // What waits is not tried again; what is taken back neither, but once more taken back it stays so.
    let waits = town.ask("POST", &retry, Some(&officer), Option::None).await;
    assert_eq!((waits.status, &waits.json()["code"]), (StatusCode::CONFLICT, &"outbox.gone".into()));
    for _ in 0..2 {
        assert_eq!(town.ask("DELETE", href, Some(&officer), Option::None).await.status, StatusCode::NO_CONTENT);
    }
    let listed = town.ask("GET", "/api/v1/outbox", Some(&officer), Option::None).await.json();
    assert_eq!(listed["items"][0]["state"], "withdrawn");
    let none = town.ask("DELETE", "/api/v1/outbox/none", Some(&officer), Option::None).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}
