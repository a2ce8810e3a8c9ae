//! What an applicant marked as a business secret reaches nobody but the office, the panel and itself, through no door.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use heng_app::account::Scope;
use heng_domain::edition::events::Role;
use heng_domain::edition::secret::FIGURES;
use heng_domain::text::Lang;
use serde_json::Value;

use super::{FINISHED, OPEN, TOWN, Town, VOTING};

/// An application with marks, and what only its marked parts say.
struct Marked {
    log: &'static str,
    organisation: String,
    id: String,
    text: String,
    profit_fen: i64,
    file: String,
    /// Readers by what they are: those who read all, and those who do not.
    inner: Vec<(String, String)>,
    outer: Vec<(String, Option<String>)>,
}

fn marked(town: &Town, log: &'static str) -> Marked {
    let found = town.heng().log(log).unwrap();
    let image = found.image();
    let edition = image.state.edition().unwrap();
    let own = edition.applications.values().find(|a| !a.body.secret.is_empty()).unwrap();
    let id = own.body.application.clone();
    let item = own.body.secret.iter().find_map(|mark| mark.strip_prefix("item:")).unwrap();
    let sha256 = own.body.self_evaluation[item].sha256;
    let text = String::from_utf8(town.heng().store().attachment(&sha256.0).unwrap().unwrap()).unwrap();
    let figures = edition.known_value(own.seq, FIGURES).unwrap();
    let file = own.body.secret.iter().find_map(|mark| mark.strip_prefix("file:")).unwrap().to_owned();
    let mut inner = vec![("applicant".to_owned(), own.body.organisation.clone())];
    let mut outer = vec![("nobody".to_owned(), None)];
    let other = edition.applications.values().find(|a| a.body.application != id).unwrap();
    outer.push(("other applicant".to_owned(), Some(other.body.organisation.clone())));
    for (handle, seat) in edition.seats.iter().filter(|(_, seat)| seat.active) {
        // Experts are known under pseudonyms; behind each is a person.
        let who = edition.known_value(seat.seq, "/who").and_then(|who| who["person"].as_str().map(str::to_owned));
        let subject = who.unwrap_or_else(|| handle.clone());
        let what = format!("{handle} {:?}", seat.roles);
        if edition.reads_secrets(handle, &id) {
            inner.push((what, subject));
        } else {
            outer.push((what, Some(subject)));
        }
    }
    let profit_fen = figures[0]["profit_fen"].as_i64().unwrap();
    Marked { log, organisation: own.body.organisation.clone(), id, text, profit_fen, file, inner, outer }
}

async fn page(town: &Town, path: &str, subject: Option<&str>) -> (StatusCode, String) {
    let mut request = Request::builder().uri(format!("/en{path}"));
    if let Some(subject) = subject {
        request = request.header(header::COOKIE, town.cookie(subject));
    }
    let came = town.send(request.body(Body::empty()).unwrap()).await;
    (came.status, came.text())
}

/// Every door behind which a part of the dossier could stand, as one text, and whether the file comes.
async fn all_doors(town: &Town, own: &Marked, subject: Option<&str>) -> (String, bool, bool) {
    let place = crate::view::slug(own.log);
    let dossier = format!("/work/{place}/applications/{}", own.id);
    let mut all = String::new();
    let (mut reads, mut file) = (false, false);
    for path in [dossier.clone(), format!("/work/{place}/applications"), format!("/work/{place}")] {
        let (status, text) = page(town, &path, subject).await;
        reads |= path == dossier && status == StatusCode::OK;
        all.push_str(&text);
    }
    file |= page(town, &format!("{dossier}/files/{}", own.file), subject).await.0 == StatusCode::OK;
    if let Some(subject) = subject {
        let token = town.token(subject, &[Scope::Read]);
        let api = format!("/api/v1/logs/{place}/applications/{}", own.id);
        all.push_str(&town.ask("GET", &api, Some(&token), None).await.text());
        file |=
            town.ask("GET", &format!("{api}/files/{}", own.file), Some(&token), None).await.status == StatusCode::OK;
    }
    (all, reads, file)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marked_part_reaches_no_recommender_and_no_public_through_any_door() {
    let town = &*TOWN;
    let mut readers_without = 0;
    for log in [OPEN, VOTING, FINISHED] {
        let own = marked(town, log);
        let profit = crate::words::money(Lang::En, own.profit_fen.unsigned_abs());
        let tells =
            |all: &str| all.contains(&own.text) || all.contains(&profit) || all.contains(&own.profit_fen.to_string());
        for (what, subject) in &own.outer {
            let (all, reads, file) = all_doors(town, &own, subject.as_deref()).await;
            assert!(!tells(&all), "{log}: {what}");
            assert!(!file, "{log}: {what} gets the file");
            if reads {
                readers_without += 1;
                assert!(all.contains("Marked by the applicant as a business secret"), "{log}: {what} is told");
            }
        }
        for (what, subject) in &own.inner {
            let (all, reads, file) = all_doors(town, &own, Some(subject)).await;
            assert!(reads && file, "{log}: {what}");
            assert!(all.contains(&own.text) && all.contains(&profit), "{log}: {what}");
            assert!(all.contains("business secret: do not pass on"), "{log}: {what}");
        }
        assert!(own.inner.iter().any(|(what, _)| what.contains(&format!("{:?}", Role::Officer))), "{log}");
        assert!(own.inner.iter().any(|(_, subject)| *subject == own.organisation), "{log}");
    }
    assert!(readers_without > 0, "somebody reads dossiers without their secrets");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_log_holds_no_marked_figure() {
    let town = &*TOWN;
    let own = marked(town, FINISHED);
    let found = town.heng().log(FINISHED).unwrap();
    let seq = found.image().state.edition().unwrap().applications[&own.id].seq;
    let record = found.record(seq).unwrap();
    let body: Value = record.body.clone();
    assert!(!body.to_string().contains(&own.profit_fen.to_string()));
    assert!(body["figures"][0].get("profit_fen").is_none() && body["figures"][0]["revenue_fen"].is_i64());
    assert!(record.hidden.contains_key(FIGURES));
    let other = own.outer.iter().find_map(|(_, subject)| subject.clone()).unwrap();
    let token = town.token(&other, &[Scope::Read]);
    let path = format!("/api/v1/logs/{}/records/{seq}", crate::view::slug(FINISHED));
    let came = town.ask("GET", &path, Some(&token), None).await;
    assert_eq!(came.status, StatusCode::OK);
    assert!(!came.text().contains(&own.profit_fen.to_string()));
}
