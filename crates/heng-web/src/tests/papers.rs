//! Papers: who finds which of them, when; pages and the interface say the same; copies of files carry their reader.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use heng_app::AppError;
use heng_app::account::Scope;
use heng_app::desk::{files, proposal};
use heng_app::draft::Draft;
use heng_app::simulation::{DEMO_SEED, DeviceKey, office_draft};
use heng_domain::edition::Thing;
use heng_domain::edition::events::{Attachment, Role};
use heng_domain::office::events::{HonourRegistered, HonourRevoked};
use heng_log::Hash;
use serde_json::{Value, json};

use super::{Came, FINISHED, NOTICE, OPEN, TOWN, Town, VOTING, build, with_role};
use crate::opening::Replies;
use crate::papers::KINDS;
use crate::view::slug;

/// The kinds that somebody finds in an edition, by the interface; nobody for the public.
async fn kinds(town: &Town, log: &str, subject: Option<&str>) -> BTreeSet<String> {
    items(town, log, subject).await.iter().map(|item| item["paper"].as_str().unwrap().to_owned()).collect()
}

async fn items(town: &Town, log: &str, subject: Option<&str>) -> Vec<Value> {
    let token = subject.map(|subject| town.token(subject, &[Scope::Read]));
    let room = if subject.is_some() { "logs" } else { "editions" };
    let path = format!("/api/v1/{room}/{}/papers?limit=200", slug(log));
    let came = town.ask("GET", &path, token.as_deref(), None).await;
    assert_eq!(came.status, StatusCode::OK, "{}", came.text());
    came.json()["items"].as_array().unwrap().clone()
}

/// Two applicants of an edition.
fn applicants(town: &Town, log: &str) -> [(String, String); 2] {
    let found = town.heng().log(log).unwrap();
    let image = found.image();
    let mut all = image.state.edition().unwrap().applications.iter();
    [(); 2].map(|()| all.next().map(|(id, a)| (id.clone(), a.body.organisation.clone())).unwrap())
}

fn set(kinds: &[&str]) -> BTreeSet<String> {
    kinds.iter().map(|kind| (*kind).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_finds_which_papers_at_which_stage() {
    let town = &*TOWN;
    const END: [&str; 7] = ["call", "report", "minutes", "notice", "decision", "certificate", "prizes"];
    let own = ["receipt", "eligibility"];
    let inside = ["receipt", "summary", "recommendation", "letter", "eligibility"];
    let with = |more: &[&str], rest: &[&str]| set(&[more, rest].concat());
    for (log, public, applicant, officer) in [
        (OPEN, set(&["call"]), set(&["call", "receipt"]), set(&["call", "receipt", "summary"])),
        (VOTING, set(&["call"]), with(&["call"], &own), with(&["call", "report"], &inside)),
        (
            NOTICE,
            set(&["call", "report", "minutes", "notice"]),
            with(&["call", "report", "minutes", "notice", "feedback"], &own),
            with(&["call", "report", "minutes", "notice", "pack", "feedback"], &inside),
        ),
        (
            FINISHED,
            set(&END),
            with(&END, &["receipt", "eligibility", "feedback"]),
            KINDS.iter().map(|k| k.id.to_owned()).collect(),
        ),
    ] {
        let [(_, firm), _] = applicants(town, log);
        assert_eq!(kinds(town, log, None).await, public, "the public in {log}");
        assert_eq!(kinds(town, log, Some(&firm)).await, applicant, "an applicant in {log}");
        for role in [Role::Officer, Role::Supervisor] {
            assert_eq!(kinds(town, log, Some(&with_role(town, log, role))).await, officer, "{role:?} in {log}");
        }
    }
    // A recommender prints the own letter, and finds nobody else's.
    let recommender = with_role(town, VOTING, Role::Recommender);
    let letters = items(town, VOTING, Some(&recommender)).await;
    let letters: Vec<&str> =
        letters.iter().filter(|i| i["paper"] == "recommendation").filter_map(|i| i["case"].as_str()).collect();
    assert_eq!(letters, [recommender.as_str()]);
    // Members read what they vote on, and nothing that tells of a choice, a score or of others.
    let member = kinds(town, VOTING, Some(&with_role(town, VOTING, Role::Member))).await;
    assert!(member.is_subset(&set(&["call", "receipt", "eligibility"])), "{member:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_applicant_opens_the_own_papers_and_nobody_else_s() {
    let town = &*TOWN;
    for log in [FINISHED, VOTING] {
        let [(own, firm), (other, _)] = applicants(town, log);
        let found = items(town, log, Some(&firm)).await;
        let about: BTreeSet<&str> =
            found.iter().filter_map(|i| i["case"].as_str()).filter(|c| c.starts_with("a:")).collect();
        assert_eq!(about, BTreeSet::from([own.as_str()]));
        let token = town.token(&firm, &[Scope::Read]);
        let cookie = town.cookie(&firm);
        for kind in ["receipt", "eligibility", "feedback"] {
            let path = format!("/api/v1/logs/{}/papers/{kind}/{other}", slug(log));
            assert_eq!(town.ask("GET", &path, Some(&token), None).await.status, StatusCode::NOT_FOUND, "{kind} {log}");
            let came = page(town, &format!("/work/{}/papers/{kind}/{other}", slug(log)), Some(&cookie)).await;
            assert_eq!(came.status, StatusCode::NOT_FOUND, "{kind} {log}");
            // Nor does anybody from outside.
            let path = format!("/editions/{}/papers/{kind}/{own}", slug(log));
            assert_eq!(page(town, &path, None).await.status, StatusCode::NOT_FOUND, "{kind} {log}");
        }
    }
}

async fn page(town: &Town, path: &str, cookie: Option<&str>) -> Came {
    let mut request = Request::builder().uri(path);
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    town.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_paper_opens_in_all_languages_and_says_the_same_to_programs() {
    let town = &*TOWN;
    let officer = with_role(town, FINISHED, Role::Officer);
    let (token, cookie) = (town.token(&officer, &[Scope::Read]), town.cookie(&officer));
    // Of each kind the first: they differ in what they are about only.
    let mut seen = BTreeMap::new();
    for item in items(town, FINISHED, Some(&officer)).await {
        seen.entry(item["paper"].as_str().unwrap().to_owned()).or_insert(item);
    }
    assert_eq!(seen.len(), KINDS.len());
    for (kind, item) in seen {
        let paper = town.ask("GET", item["href"].as_str().unwrap(), Some(&token), None).await;
        assert_eq!(paper.status, StatusCode::OK, "{kind}: {}", paper.text());
        let paper = paper.json();
        assert!(!paper["parts"].as_array().unwrap().is_empty(), "{kind}");
        assert_eq!((paper["public"].clone(), paper["paper"].as_str()), (item["public"].clone(), Some(kind.as_str())));
        let case = item["case"].as_str().unwrap();
        let path = format!("/work/{}/papers/{kind}/{case}", slug(FINISHED));
        for prefix in ["", "/hant", "/en"] {
            let came = page(town, &format!("{prefix}{path}"), Some(&cookie)).await;
            assert_eq!(came.status, StatusCode::OK, "{prefix}{path}");
            let text = came.text();
            assert!(!text.contains("paper.") || !text.contains(">paper."), "{prefix}{path} shows a key");
            for key in ["{", "web.", "group."] {
                let body = text.split("<main").nth(1).unwrap();
                assert!(
                    !body.contains(&format!(">{key}")) && !body.contains(&format!(" {key}")),
                    "{prefix}{path}: {key}"
                );
            }
            assert!(text.contains(paper["root_code"].as_str().unwrap()), "{prefix}{path} has no root code");
            if prefix == "/en" {
                assert!(text.contains(paper["title"].as_str().unwrap().split('·').next().unwrap().trim()), "{path}");
            }
            assert_eq!(text.contains("class=\"watermark\""), paper["public"] == false, "{prefix}{path}");
        }
        // What is public is the same without a seat.
        let outside = page(town, &format!("/editions/{}/papers/{kind}/{case}", slug(FINISHED)), None).await;
        assert_eq!(outside.status == StatusCode::OK, paper["public"] == true, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn papers_of_the_vote_say_what_the_log_says() {
    let town = &*TOWN;
    let log = town.heng().log(FINISHED).unwrap();
    let (session, hash, yes, winners) = {
        let image = log.image();
        let edition = image.state.edition().unwrap();
        let (session, state) = edition.sessions.iter().next_back().unwrap();
        let count = &edition.motions.iter().find(|(_, m)| m.body.session == *session).unwrap().1.counts[0].count;
        assert!(edition.public_may_see(Thing::Result));
        let winners: Vec<String> =
            edition.standing_winners().iter().map(|(a, _)| edition.applicant(a).unwrap().name.en.clone()).collect();
        (session.clone(), state.minutes.unwrap().to_string(), (count.yes, count.no, count.base), winners)
    };
    let ask = async |paper: &str, case: &str| {
        let path = format!("/api/v1/editions/{}/papers/{paper}/{case}", slug(FINISHED));
        town.ask("GET", &path, None, None).await.text()
    };
    let minutes = ask("minutes", &session).await;
    assert!(minutes.contains(&hash), "the hash that the chair signed");
    let (yes, no, base) = yes;
    assert!(minutes.contains(&format!("Yes {yes}, no {no}")) && minutes.contains(&format!("The base is {base}")));
    assert!(minutes.contains("The quorum was met") && minutes.contains(&format!("Yes ({yes}): ")), "{minutes}");
    let decision = ask("decision", "-").await;
    let prizes = ask("prizes", "-").await;
    for name in winners {
        assert!(decision.contains(&name) && prizes.contains(&name), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn feedback_names_no_expert_and_waits_for_the_result() {
    let town = &*TOWN;
    let [(own, firm), _] = applicants(town, FINISHED);
    let token = town.token(&firm, &[Scope::Read]);
    let path = |log: &str, id: &str| format!("/api/v1/logs/{}/papers/feedback/{id}", slug(log));
    let report = town.ask("GET", &path(FINISHED, &own), Some(&token), None).await;
    assert_eq!(report.status, StatusCode::OK);
    let (experts, names): (Vec<String>, Vec<String>) = {
        let log = town.heng().log(FINISHED).unwrap();
        let image = log.image();
        let edition = image.state.edition().unwrap();
        let experts: Vec<String> = edition.seats.keys().filter(|id| edition.is_expert(id)).cloned().collect();
        let who = |x: &String| {
            edition.known_value(edition.seats[x].seq, "/who").map(|who| who["name"].as_str().unwrap_or("?").to_owned())
        };
        let names = experts.iter().filter_map(who).collect();
        (experts, names)
    };
    assert!(!experts.is_empty());
    assert!(experts.iter().chain(&names).all(|who| !report.text().contains(who.as_str())), "{}", report.text());
    let [(voting, firm), _] = applicants(town, VOTING);
    let token = town.token(&firm, &[Scope::Read]);
    assert_eq!(town.ask("GET", &path(VOTING, &voting), Some(&token), None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_was_taken_back_does_not_print() {
    let town = build();
    let found = items(&town, FINISHED, None).await;
    let certificate = found.iter().find(|item| item["paper"] == "certificate").unwrap();
    let number = certificate["case"].as_str().unwrap().to_owned();
    let path = format!("/editions/{}/papers/certificate/{number}", slug(FINISHED));
    let came = page(&town, &path, None).await;
    assert!(
        came.status == StatusCode::OK && came.text().contains(&format!("/certificates/{number}")),
        "it leads to its check"
    );
    let public = page(&town, &format!("/en/certificates/{number}"), None).await.text();
    assert!(public.contains(&format!("/en{path}")), "the page of the certificate leads to the paper");
    let office = town.heng().office_log().unwrap();
    let honour = {
        let image = office.image();
        let honours = &image.state.office().unwrap().honours;
        honours.values().find(|h| h.body.certificate == number).unwrap().body.honour.clone()
    };
    let revoked = HonourRevoked { decision: "x".to_owned(), honour, reason: "invented".to_owned() };
    let (officers, at) = (["p:0001", "p:0002"], office.anchor());
    let draft = office_draft(officers[0], "x", revoked).unwrap();
    let sign =
        |draft, by: &&str| DeviceKey::of(DEMO_SEED, by).unwrap().sign(draft, office.id(), by, at.clone()).unwrap();
    office.submit(officers.iter().fold(draft, sign)).unwrap();
    assert_eq!(page(&town, &path, None).await.status, StatusCode::NOT_FOUND);
    let public = page(&town, &format!("/en/certificates/{number}"), None).await.text();
    assert!(!public.contains(&format!("/en{path}")), "its page does not lead there any more");
}

/// An honour of an edition whose number the register has, or that has none, never enters it.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_number_enters_the_register_once() {
    let town = build();
    let office = town.heng().office_log().unwrap();
    let mut body = {
        let image = office.image();
        let honours = &image.state.office().unwrap().honours;
        honours.values().find(|honour| honour.body.cite.is_some()).unwrap().body.clone()
    };
    let taken = body.certificate.clone();
    body.honour = "h:another".to_owned();
    body.cite.as_mut().unwrap().seq += 10_000;
    let enter = |certificate: &str| {
        let body = HonourRegistered { certificate: certificate.to_owned(), ..body.clone() };
        let draft = office_draft("p:0001", "x", body).unwrap();
        let signed = DeviceKey::of(DEMO_SEED, "p:0001").unwrap().sign(draft, office.id(), "p:0001", office.anchor());
        office.submit(signed.unwrap())
    };
    for certificate in [taken.as_str(), ""] {
        let refused = enter(certificate).unwrap_err();
        let code = matches!(&refused, AppError::Refused(refusal) if refusal.code == "honour.certificate");
        assert!(code, "{certificate}: {refused}");
    }
    enter("ANOTHER-01").unwrap();
}

/// A small picture, and text under the name of a PDF.
fn samples() -> [(&'static str, Vec<u8>); 3] {
    let mut picture = Vec::new();
    let plain = image::DynamicImage::ImageRgb8(image::RgbImage::from_pixel(600, 400, image::Rgb([128, 128, 128])));
    plain.write_to(&mut Cursor::new(&mut picture), image::ImageFormat::Png).unwrap();
    [("plan.png", picture), ("broken.pdf", b"no PDF at all".to_vec()), ("table.csv", b"a,b\n".to_vec())]
}

/// The first application of the open edition, again with files of ours; returns application and firm.
fn apply(town: &Town) -> (String, String) {
    let log = town.heng().log(OPEN).unwrap();
    let (mut body, basis) = {
        let image = log.image();
        let edition = image.state.edition().unwrap();
        let application = edition.applications.values().find(|a| a.withdrawn.is_none()).unwrap();
        (application.body.clone(), edition.open_stages().first().unwrap().basis.clone())
    };
    body.attachments = samples()
        .into_iter()
        .map(|(name, bytes)| Attachment {
            about: "other".to_owned(),
            name: name.to_owned(),
            size: u64::try_from(bytes.len()).unwrap(),
            sha256: Hash(town.heng().store().put_attachment(&bytes).unwrap()),
        })
        .collect();
    let (application, firm) = (body.application.clone(), body.organisation.clone());
    let event = heng_domain::edition::events::Event::from(body);
    let (kind, body) = event.split().unwrap();
    let contact = BTreeMap::from([("/contact".to_owned(), json!({ "name": "x", "phone": "000" }))]);
    let draft = Draft::new(&firm, &basis, kind, body).hiding(town.heng().random().unwrap(), contact);
    log.submit(draft).unwrap();
    (application, firm)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_leaves_for_others_as_a_copy_that_carries_its_reader() {
    let town = build();
    let (application, firm) = apply(&town);
    let officer = with_role(&town, OPEN, Role::Officer);
    assert!(proposal::handle(town.heng(), OPEN, &officer).unwrap().is_some());
    let base = format!("/work/{}/applications/{application}", slug(OPEN));
    let open = async |subject: &str, bytes: &[u8]| {
        let path = format!("{base}/files/{}", heng_log::sha256(bytes));
        let came = page(&town, &path, Some(&town.cookie(subject))).await;
        assert_eq!(came.status, StatusCode::OK, "{path}");
        came
    };
    let supervisor = with_role(&town, OPEN, Role::Supervisor);
    for ((name, bytes), (marked, reason)) in
        samples().iter().zip([(true, ""), (false, "cannot be read, not marked"), (false, "in the file name only")])
    {
        // The applicant gets back what it gave.
        let own = open(&firm, bytes).await;
        assert_eq!(own.body, *bytes, "{name}");
        assert!(own.header("content-disposition").ends_with(name), "{}", own.header("content-disposition"));
        let copy = open(&officer, bytes).await;
        assert_eq!(copy.body != *bytes, marked, "{name}");
        let given = copy.header("content-disposition").to_owned();
        let (stem, ending) = name.rsplit_once('.').unwrap();
        let code = given
            .rsplit_once(&format!("{stem}-"))
            .and_then(|(_, rest)| rest.strip_suffix(&format!(".{ending}")))
            .unwrap();
        assert_eq!(code.len(), 8, "{given}");
        assert_eq!(copy.header("content-type"), "application/octet-stream");
        // The supervisor finds the copy by its code, and reads what became of it.
        let board =
            page(&town, &format!("/en/work/{}/board", slug(OPEN)), Some(&town.cookie(&supervisor))).await.text();
        let row = board.split("<tr").find(|row| row.contains(&format!("<code>{code}</code>"))).unwrap();
        assert!(row.contains(name) && row.contains(&officer) && row.contains(reason), "{row}");
    }
    // The page says so to whoever gets copies, and shows the hash of the original.
    let hash = heng_log::sha256(&samples()[0].1).to_string();
    for (subject, told) in [(&officer, true), (&firm, false)] {
        let came = page(&town, &format!("/en{base}"), Some(&town.cookie(subject))).await.text();
        assert!(came.contains(&hash), "{subject}");
        assert_eq!(came.contains("What you open is a copy"), told, "{subject}");
    }
}

/// The letter in which a department answered lies beside its answer, for the office and the supervisor alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_departments_letter_is_opened_beside_its_answer() {
    let town = build();
    let officer = with_role(&town, VOTING, Role::Officer);
    let (application, firm, paper, letter) = {
        let log = town.heng().log(VOTING).unwrap();
        let image = log.image();
        let edition = image.state.edition().unwrap();
        let asked = edition.opinions.as_ref().unwrap();
        let ((_, application), (body, _)) = asked.answers.iter().next().unwrap();
        let firm = edition.applications[application].body.organisation.clone();
        (application.clone(), firm, body.letter.clone(), body.evidence[0])
    };
    let base = format!("/work/{}/applications/{application}", slug(VOTING));
    let path = format!("{base}/files/{letter}");
    let api = format!("/api/v1/logs/{}/applications/{application}/files/{letter}", slug(VOTING));
    let look = async |path: &str, who: &str| page(&town, path, Some(&town.cookie(who))).await;
    // As long as it is only a text of the office's own it is read, not downloaded.
    let dossier = look(&base, &officer).await.text();
    assert!(dossier.contains("部门复函（虚构内容，仅供演示）") && dossier.contains(&paper));
    assert_eq!(look(&path, &officer).await.status, StatusCode::NOT_FOUND);
    let info = files::FileInfo {
        about: "other".to_owned(),
        name: "税务局复函.pdf".to_owned(),
        size: 48,
        content_type: "application/pdf".to_owned(),
        secret: false,
    };
    files::put(town.heng(), &officer, &letter.to_string(), &info).unwrap();
    let supervisor = with_role(&town, VOTING, Role::Supervisor);
    for reader in [&officer, &supervisor] {
        let dossier = look(&base, reader).await.text();
        assert!(dossier.contains("税务局复函.pdf</a>") && dossier.contains(&format!("files/{letter}")), "{reader}");
        let came = look(&path, reader).await;
        assert_eq!((came.status, came.header("content-type")), (StatusCode::OK, "application/octet-stream"));
        let token = town.token(reader, &[Scope::Read]);
        assert_eq!(town.ask("GET", &api, Some(&token), None).await.status, StatusCode::OK);
    }
    let board = look(&format!("/en/work/{}/board", slug(VOTING)), &supervisor).await.text();
    assert!(board.split("<tr").any(|row| row.contains("Department’s reply") && row.contains(&officer)));
    // The firm reads the answer once the pre-review is decided, and never the letter; nor does anybody else.
    let own = look(&base, &firm).await.text();
    assert!(own.contains(&paper) && !own.contains(&letter.to_string()) && !own.contains("税务局复函"));
    let member = with_role(&town, VOTING, Role::Member);
    for stranger in [&firm, &member] {
        assert_eq!(look(&path, stranger).await.status, StatusCode::NOT_FOUND, "{stranger}");
        let token = town.token(stranger, &[Scope::Read]);
        assert_eq!(town.ask("GET", &api, Some(&token), None).await.status, StatusCode::NOT_FOUND, "{stranger}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dossier_says_what_became_of_it() {
    let town = &*TOWN;
    let (winner, loser, number) = {
        let log = town.heng().log(FINISHED).unwrap();
        let image = log.image();
        let edition = image.state.edition().unwrap();
        let honour = &edition.honours[0].0;
        let loser = edition.field.iter().find(|a| !edition.honours.iter().any(|(h, ..)| h.application == **a)).unwrap();
        (honour.application.clone(), loser.clone(), honour.certificate.clone())
    };
    let cookie = town.cookie(&with_role(town, FINISHED, Role::Officer));
    let read = async |id: &str| {
        page(town, &format!("/en/work/{}/applications/{id}", slug(FINISHED)), Some(&cookie)).await.text()
    };
    let (won, lost) = (read(&winner).await, read(&loser).await);
    assert!(won.contains(&format!("certificate {number}")) && !won.contains("under review"));
    assert!(lost.contains("did not win") && !lost.contains("under review"));
    for text in [won, lost] {
        let sentence = text.split("class=\"sentence\">").nth(1).and_then(|rest| rest.split('<').next()).unwrap();
        assert_eq!(text.matches(sentence).count(), 1, "{sentence}");
    }
}

#[test]
fn a_recommenders_proof_is_for_whoever_gave_it_and_for_those_who_oversee() {
    let town = &*TOWN;
    let log = town.heng().log(VOTING).unwrap();
    let mut edition = log.image().state.edition().unwrap().clone();
    let found = edition.applications.iter().find(|(_, a)| !a.recommendations.is_empty()).unwrap();
    let (id, firm) = (found.0.clone(), found.1.body.organisation.clone());
    let recommender = found.1.recommendations[0].recommender.clone();
    let proof = Hash([7; 32]);
    let application = std::sync::Arc::make_mut(edition.applications.get_mut(&id).unwrap());
    application.recommendations[0].body.evidence = vec![proof];
    let seats = edition.seats.clone();
    let other = seats.iter().find(|(id, s)| s.roles.contains(&Role::Recommender) && **id != recommender).unwrap().0;
    let expert = seats.iter().find(|(_, seat)| seat.group.is_some()).unwrap().0;
    let [officer, supervisor, member] =
        [Role::Officer, Role::Supervisor, Role::Member].map(|role| with_role(town, VOTING, role));
    let sees = |reader: &str| Replies::of(&edition, reader, &id).evidence().any(|hash| hash == proof);
    assert_eq!([&officer, &supervisor, &recommender].map(|reader| sees(reader)), [true; 3]);
    assert_eq!([other, expert, &member, &firm].map(|reader| sees(reader)), [false; 4]);
}
