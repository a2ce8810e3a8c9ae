//! Objections: the evidence that comes with them, who reads it, and how many an address may send.

use std::io::{Cursor, Write as _};

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use heng_app::account::Scope;
use heng_app::desk::{Answers, proposal};
use heng_app::draft::Draft;
use heng_app::simulation::{DEMO_SEED, DeviceKey};
use heng_domain::edition::events::{Event, PrivacyErased, RecusalOrdered, Role};
use heng_log::sha256;
use serde_json::{Value, json};

use super::{Came, NOTICE, Town, build, with_role};
use crate::view::slug;

const EDGE: &str = "edge-of-a-form";
const SCOPES: &[Scope] = &[Scope::Read, Scope::Write];
const GROUNDS: &str = "所列营业收入与年报不一致（虚构内容）。";

type File<'a> = (&'a str, &'a [u8]);

/// The form of a notice as a browser without scripts sends it.
fn form(path: &str, fields: &[(&str, &str)], files: &[File<'_>]) -> Request<Body> {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part = format!("--{EDGE}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend(part.bytes());
    }
    for (name, bytes) in files {
        let head =
            format!("--{EDGE}\r\nContent-Disposition: form-data; name=\"evidence\"; filename=\"{name}\"\r\n\r\n");
        body.extend(head.bytes().chain(bytes.iter().copied()).chain(*b"\r\n"));
    }
    body.extend(format!("--{EDGE}--\r\n").bytes());
    let kind = format!("multipart/form-data; boundary={EDGE}");
    Request::post(path).header(header::CONTENT_TYPE, kind).body(Body::from(body)).unwrap()
}

fn fields<'a>(application: &'a str, grounds: &'a str) -> [(&'static str, &'a str); 6] {
    [
        ("application", application),
        ("by", "person"),
        ("name", "王示例"),
        ("identity", "990000199001011234"),
        ("contact", "0396-0000000"),
        ("grounds", grounds),
    ]
}

fn page_of(notice: &str) -> String {
    format!("/en/editions/{}/notices/{notice}", slug(NOTICE))
}

async fn object(town: &Town, files: &[File<'_>]) -> Came {
    let (notice, application) = town.noticed();
    town.send(form(&page_of(&notice), &fields(&application, GROUNDS), files)).await
}

fn picture() -> Vec<u8> {
    let mut picture = Vec::new();
    let plain = image::DynamicImage::ImageRgb8(image::RgbImage::from_pixel(600, 400, image::Rgb([128, 128, 128])));
    plain.write_to(&mut Cursor::new(&mut picture), image::ImageFormat::Png).unwrap();
    picture
}

fn size(town: &Town) -> u64 {
    town.heng().log(NOTICE).unwrap().image().state.position().0
}

/// The newest objection of the edition, and its record.
fn newest(town: &Town) -> (String, u64) {
    let log = town.heng().log(NOTICE).unwrap();
    let image = log.image();
    let (id, objection) = image.state.edition().unwrap().objections.last().unwrap();
    (id.clone(), objection.seq)
}

async fn get(town: &Town, path: &str, subject: Option<&str>) -> Came {
    let mut request = Request::get(path);
    if let Some(subject) = subject {
        request = request.header(header::COOKIE, town.cookie(subject));
    }
    town.send(request.body(Body::empty()).unwrap()).await
}

/// Signs and writes a record of the edition.
fn record(town: &Town, by: &[&str], event: impl Into<Event>) {
    let log = town.heng().log(NOTICE).unwrap();
    let (kind, body) = event.into().split().unwrap();
    let at = log.anchor();
    let sign =
        |draft: Draft, by: &&str| DeviceKey::of(DEMO_SEED, by).unwrap().sign(draft, log.id(), by, at.clone()).unwrap();
    log.submit(by.iter().fold(Draft::new(by[0], "x", kind, body), sign)).unwrap();
}

fn recuse(town: &Town, person: &str, application: &str) {
    let ground = {
        let log = town.heng().log(NOTICE).unwrap();
        let image = log.image();
        image.state.edition().unwrap().rules().recusal[0].id.clone()
    };
    let body = RecusalOrdered {
        application: application.to_owned(),
        ground,
        person: person.to_owned(),
        reason: "与申报单位负责人系亲属（虚构）".to_owned(),
    };
    record(town, &["p:0001"], body);
}

/// A second officer of the edition.
fn colleague(town: &Town) -> String {
    let log = town.heng().log(NOTICE).unwrap();
    let image = log.image();
    let edition = image.state.edition().unwrap();
    let mut others = edition.seats.keys().filter(|id| edition.has_role(id, Role::Officer) && *id != "p:0001");
    others.next().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_is_sealed_and_read_by_those_who_decide() {
    let town = build();
    let picture = picture();
    let table: &[u8] = "年份,营收\n2024,1200\n".as_bytes();
    let came = object(&town, &[("证明.png", &picture), ("表.csv", table)]).await;
    assert_eq!(came.status, StatusCode::OK, "{}", came.text());
    let (id, seq) = newest(&town);
    let log = town.heng().log(NOTICE).unwrap();
    let written = log.record(seq).unwrap();
    let (first, second) = (sha256(&picture).to_string(), sha256(table).to_string());
    assert_eq!(written.body["evidence"], json!([first, second]), "the hashes are on record");
    assert!(written.hidden.contains_key("/files"));
    assert!(!written.body.to_string().contains("证明.png"), "the names are not");

    // Who oversees the edition reads it; each opening is noted, and a copy carries its reader.
    let supervisor = with_role(&town, NOTICE, Role::Supervisor);
    for reader in ["p:0001", supervisor.as_str()] {
        let desk = format!("/work/{}/objections/{id}", slug(NOTICE));
        let shown = get(&town, &format!("/en{desk}"), Some(reader)).await.text();
        assert!(shown.contains("证明.png") && shown.contains("表.csv") && shown.contains(GROUNDS), "{shown}");
        let token = town.token(reader, SCOPES);
        let api = format!("/api/v1/logs/{}/objections/{id}", slug(NOTICE));
        let shape = town.ask("GET", &api, Some(&token), None).await.json();
        assert_eq!((&shape["files"][0]["sha256"], &shape["files"][1]["name"]), (&json!(first), &json!("表.csv")));
        let file = get(&town, &format!("{desk}/files/{first}"), Some(reader)).await;
        assert_eq!((file.status, file.header("content-type")), (StatusCode::OK, "application/octet-stream"));
        assert!(file.header("content-security-policy").contains("sandbox"));
        assert!(file.body != picture, "the copy is marked");
        let plain = town.ask("GET", shape["files"][1]["href"].as_str().unwrap(), Some(&token), None).await;
        assert_eq!(plain.body, table);
        let opened = crate::opening::newest(&town.app, NOTICE, 10).unwrap();
        for hash in [&first, &second] {
            assert!(opened.iter().any(|o| o.by == reader && o.what == *hash), "that {reader} opened it is noted");
        }
    }
    let board = get(&town, &format!("/en/work/{}/board", slug(NOTICE)), Some(&supervisor)).await.text();
    assert!(board.contains("evidence of an objection") && !board.contains("证明.png"));

    // Nobody else: neither the public nor the firm that it is about, nor who has nothing to do with it.
    let application = written.body["application"].as_str().unwrap().to_owned();
    let firm = log.image().state.edition().unwrap().applications[&application].body.organisation.clone();
    let member = with_role(&town, NOTICE, Role::Member);
    for reader in [Some(firm.as_str()), Some(member.as_str()), None] {
        for path in ["", &format!("/files/{first}")] {
            let came = get(&town, &format!("/work/{}/objections/{id}{path}", slug(NOTICE)), reader).await;
            assert!(came.status != StatusCode::OK && !came.text().contains("证明"), "{reader:?} {path}");
            if let Some(reader) = reader {
                let token = town.token(reader, SCOPES);
                let api = format!("/api/v1/logs/{}/objections/{id}{path}", slug(NOTICE));
                assert_eq!(town.ask("GET", &api, Some(&token), None).await.status, StatusCode::NOT_FOUND, "{reader}");
            }
        }
    }
    // A file of another objection, and one of a dossier, are not found here.
    object(&town, &[]).await;
    let (other, _) = newest(&town);
    let path = format!("/work/{}/objections/{other}/files/{first}", slug(NOTICE));
    assert_eq!(get(&town, &path, Some("p:0001")).await.status, StatusCode::NOT_FOUND);

    // Once erased it is served to nobody.
    let colleague = colleague(&town);
    record(&town, &["p:0001", &colleague], PrivacyErased { ground: "保存期满".to_owned(), seq });
    log.erase(seq).unwrap();
    let path = format!("/work/{}/objections/{id}/files/{first}", slug(NOTICE));
    assert_eq!(get(&town, &path, Some("p:0001")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recused_officer_sees_and_decides_nothing() {
    let town = build();
    let picture = picture();
    assert_eq!(object(&town, &[("证明.png", &picture)]).await.status, StatusCode::OK);
    let (id, _) = newest(&town);
    let colleague = colleague(&town);
    let mut answers = Answers::from(
        [("accepted", "yes"), ("reason", "实名，受理。")]
            .map(|(name, value)| (name.to_owned(), vec![value.to_owned()])),
    );
    proposal::act(town.heng(), NOTICE, "p:0001", "objection.screened", &id, &answers).unwrap();
    let given = [("upheld", "no"), ("remove", "no"), ("reply", "经核查，数据一致。")];
    answers = given.map(|(name, value)| (name.to_owned(), vec![value.to_owned()])).into();
    proposal::act(town.heng(), NOTICE, "p:0001", "objection.answered", &id, &answers).unwrap();
    let proposed = {
        let all = proposal::concerning(town.heng(), "p:0001").unwrap();
        all.into_iter().map(|(proposal, _)| proposal).find(|proposal| proposal.act == "objection.answered").unwrap()
    };
    // The actor signs first; then the colleague is asked.
    let statements = proposal::statements(town.heng(), &proposed, "p:0001").unwrap();
    let device = DeviceKey::of(DEMO_SEED, "p:0001").unwrap();
    let signed = statements.iter().map(|s| device.signature(&s.hash, "p:0001", s.at.clone())).collect();
    proposal::sign(town.heng(), &proposed.id, "p:0001", signed).unwrap();
    let sign = format!("/work/sign/{}", proposed.id);
    let file = format!("/files/{}", sha256(&picture));
    let desk = format!("/work/{}/objections/{id}", slug(NOTICE));
    let api = format!("/api/v1/logs/{}/objections/{id}", slug(NOTICE));
    let decision = format!("/api/v1/logs/{}/acts/objection.answered/{id}", slug(NOTICE));
    let proposed = format!("/api/v1{}", sign.replace("/work/sign", "/proposals"));
    let token = town.token(&colleague, SCOPES);
    let pages = [desk.clone(), format!("{desk}{file}"), sign.clone()];
    let shapes = [api.clone(), format!("{api}{file}"), proposed, decision];
    let statuses = async || {
        let mut out = Vec::new();
        for page in &pages {
            let came = get(&town, page, Some(&colleague)).await;
            out.push((came.status, came.text().contains(GROUNDS)));
        }
        for shape in &shapes {
            let came = town.ask("GET", shape, Some(&token), None).await;
            out.push((came.status, came.text().contains(GROUNDS)));
        }
        out
    };
    let before = statuses().await;
    assert!(before.iter().all(|(status, _)| *status == StatusCode::OK), "{before:?}");
    assert!(before[2].1, "the sign page shows what the answer is about");
    let application = town.noticed().1;
    recuse(&town, &colleague, &application);
    for (at, (status, seen)) in statuses().await.into_iter().enumerate() {
        assert_eq!((status, seen), (StatusCode::NOT_FOUND, false), "{at}");
    }
    assert!(!town.proposals(&colleague).iter().any(|id| sign.ends_with(id.as_str())));
    // The list says only that there is one.
    let list = get(&town, &format!("/work/{}/objections", slug(NOTICE)), Some(&colleague)).await;
    assert!(list.text().contains(&id) && !list.text().contains(GROUNDS));
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_that_is_not_what_it_says_is_refused_and_nothing_typed_is_lost() {
    let town = build();
    let before = size(&town);
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in [("[Content_Types].xml", 64), ("word/document.xml", 32 << 20)] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&vec![b' '; bytes]).unwrap();
    }
    let bomb = zip.finish().unwrap().into_inner();
    let exe = [&b"MZ\x90\x00\x03\x00\x00\x00"[..], &[0; 256]].concat();
    let large = vec![b'x'; (8 << 20) + 1];
    let small: File<'_> = ("a.txt", b"text");
    let cases: [(&[File<'_>], &str); 6] = [
        (&[small, ("证明.pdf", &exe)], "证明.pdf"),
        (&[("report.docx", &bomb)], "report.docx"),
        (&[("empty.pdf", b"")], "empty.pdf"),
        (&[("large.txt", &large)], "more than 8 MB"),
        (&[small, small, small, small], "At most 3 files"),
        (&[("setup.exe", b"text")], "setup.exe"),
    ];
    for (files, wanted) in cases {
        let came = object(&town, files).await;
        let page = came.text();
        assert_eq!(came.status, StatusCode::UNPROCESSABLE_ENTITY, "{wanted}");
        assert!(page.contains(wanted) && page.contains("href=\"#evidence\""), "{wanted}: {page}");
        assert!(page.contains(GROUNDS) && page.contains("0396-0000000") && page.contains("王示例"), "{wanted}");
    }
    // Where something else is wrong, the files must be chosen again, and the page says so.
    let (notice, application) = town.noticed();
    let came = town.send(form(&page_of(&notice), &fields(&application, "不实"), &[small])).await;
    assert!(came.text().contains("10 characters at least") && came.text().contains("choose them again"));
    // An answer twice is not dropped without a word; a chosen file that is none is none.
    let twice = [&fields(&application, GROUNDS)[..], &[("name", "李示例")]].concat();
    assert_eq!(town.send(form(&page_of(&notice), &twice, &[])).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(size(&town), before);
    assert_eq!(object(&town, &[("", b"")]).await.status, StatusCode::OK);
    assert_eq!(town.heng().log(NOTICE).unwrap().record(newest(&town).1).unwrap().body["evidence"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_sends_evidence_as_base64() {
    let town = build();
    let (notice, application) = town.noticed();
    let path = format!("/api/v1/editions/{}/notices/{notice}/objections", slug(NOTICE));
    let mut objection: Value = fields(&application, GROUNDS).iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect();
    for (name, content, code) in [
        ("a.txt", "not base64", "base64"),
        ("a.pdf", "TVqQAAMAAAAEAAAA", "upload.program"),
        ("a.txt", "", "upload.empty"),
    ] {
        objection["evidence"] = json!([{ "name": name, "content": content }]);
        let wrong = town.ask("POST", &path, None, Some(objection.clone())).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.text());
        let error = &wrong.json()["errors"][0];
        assert_eq!((&error["field"], &error["code"]), (&json!("evidence"), &json!(code)));
    }
    objection["evidence"] = json!([{ "name": "a.txt", "content": "dGV4dA==" }]);
    let made = town.ask("POST", &path, None, Some(objection)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let written = town.heng().log(NOTICE).unwrap().record(newest(&town).1).unwrap();
    assert_eq!(written.body["evidence"], json!([sha256(b"text")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_attaches_the_scans_of_a_letter() {
    let town = build();
    let (notice, application) = town.noticed();
    let taken = town.app.uploads().take("p:0001", "other", &[("来信.txt".to_owned(), "来信".into())]).unwrap();
    let info = heng_app::desk::files::FileInfo {
        about: "other".to_owned(),
        name: taken[0].name.clone(),
        size: taken[0].size,
        content_type: taken[0].kind.mime().to_owned(),
        secret: false,
    };
    let hash = taken[0].sha256.to_string();
    heng_app::desk::files::put(town.heng(), "p:0001", &hash, &info).unwrap();
    let given = [("application", application.as_str()), ("by", "person"), ("grounds", GROUNDS), ("files", &hash)];
    let answers: Answers = given.map(|(name, value)| (name.to_owned(), vec![value.to_owned()])).into();
    proposal::act(town.heng(), NOTICE, "p:0001", "objection.received", &notice, &answers).unwrap();
    let (id, _) = newest(&town);
    let path = format!("/work/{}/objections/{id}/files/{hash}", slug(NOTICE));
    assert_eq!(get(&town, &path, Some("p:0001")).await.body, "来信".as_bytes());
    // The file of another person is none.
    let mut other = answers;
    other.insert("files".to_owned(), vec![sha256(b"else").to_string()]);
    assert!(proposal::act(town.heng(), NOTICE, "p:0001", "objection.received", &notice, &other).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_sends_ten_objections_an_hour() {
    let town = build();
    let (notice, application) = town.noticed();
    for wrong in [true, false] {
        // What is wrong does not count.
        let grounds = if wrong { "x" } else { GROUNDS };
        let wanted = if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        for _ in 0..10 {
            let came = town.send(form(&page_of(&notice), &fields(&application, grounds), &[])).await;
            assert_eq!(came.status, wanted);
        }
    }
    let before = size(&town);
    let late = object(&town, &[("a.txt", b"text")]).await;
    assert_eq!((late.status, late.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "360"));
    let page = late.text();
    assert!(page.contains("Try again after") && page.contains(GROUNDS) && page.contains("0396-0000000"), "{page}");
    let api = format!("/api/v1/editions/{}/notices/{notice}/objections", slug(NOTICE));
    let objection: Value = fields(&application, GROUNDS).iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect();
    let refused = town.ask("POST", &api, None, Some(objection.clone())).await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "360"));
    assert_eq!(refused.json()["code"], "objection.too_many");
    assert_eq!(size(&town), before);
    town.clock.advance_millis(360_000);
    assert_eq!(town.ask("POST", &api, None, Some(objection)).await.status, StatusCode::CREATED);
    assert_eq!(object(&town, &[]).await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_objects_can_be_reached() {
    let town = build();
    let (notice, application) = town.noticed();
    let before = size(&town);
    for (field, value, wanted) in [
        ("name", "王", "full name"),
        ("identity", "x", "credit code"),
        ("contact", "y", "telephone number or an e-mail"),
        ("contact", "12", "telephone number or an e-mail"),
        ("contact", "name.example.cn", "telephone number or an e-mail"),
        ("grounds", "不符合事实", "10 characters at least"),
    ] {
        let mut given = fields(&application, GROUNDS);
        given.iter_mut().find(|(name, _)| *name == field).unwrap().1 = value;
        let came = town.send(form(&page_of(&notice), &given, &[])).await;
        let page = came.text();
        assert_eq!(came.status, StatusCode::UNPROCESSABLE_ENTITY, "{field} {value}");
        assert!(page.contains(wanted) && page.contains(&format!("href=\"#{field}\"")), "{field} {value}: {page}");
    }
    assert_eq!(size(&town), before);
    for contact in ["0396-0000000", "+86 139 0000 0000", "name@example.cn"] {
        let mut given = fields(&application, GROUNDS);
        given[4].1 = contact;
        assert_eq!(town.send(form(&page_of(&notice), &given, &[])).await.status, StatusCode::OK, "{contact}");
    }
}
