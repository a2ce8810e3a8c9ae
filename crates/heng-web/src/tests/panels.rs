//! The panels' board: who sees it, and that it says of each member what the record says.

use heng_domain::edition::events::Role;

use super::*;
use crate::panels::{Duty, duty};

async fn panels(town: &Town, log: &str, subject: &str) -> (StatusCode, Value) {
    let token = town.token(subject, &[Scope::Read]);
    let path = format!("/api/v1/logs/{}/panels", crate::view::slug(log));
    let came = town.ask("GET", &path, Some(&token), None).await;
    (came.status, came.json())
}

async fn page(town: &Town, log: &str, subject: &str) -> Came {
    let path = format!("/en/work/{}/panels", crate::view::slug(log));
    let request = Request::get(path).header(header::COOKIE, town.cookie(subject)).body(Body::empty()).unwrap();
    town.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_board_says_of_each_member_what_the_record_says() {
    let town = &*TOWN;
    let (status, board) = panels(town, VOTING, "p:0001").await;
    assert_eq!(status, StatusCode::OK, "{board}");
    let stage = &board["stages"][0];
    let first = &stage["panels"][0];
    assert_eq!(first["members"].as_array().unwrap().len(), 5, "{board}");
    assert!(first["members"].as_array().unwrap().contains(&first["leader"]));
    assert_eq!(stage["without_panel"], serde_json::json!([]));
    let text = page(town, VOTING, "p:0001").await.text();
    let leader = first["leader"].as_str().unwrap();
    assert!(text.contains(&format!("led by {leader}")) && text.contains("sheet in"), "the page says the same");
    assert!(text.contains("Dissent of x:") && text.contains("我的评价低一档"), "a dissent stands beside the panel");
    let log = town.heng().log(VOTING).unwrap();
    let image = log.image();
    let edition = image.state.edition().unwrap();
    let scored = stage["scored"].as_str().unwrap();
    let mut seen = BTreeSet::new();
    for panel in stage["panels"].as_array().unwrap() {
        for cell in panel["duties"].as_array().unwrap() {
            let [expert, application] = ["expert", "application"].map(|key| cell[key].as_str().unwrap());
            let submitted = &edition.sheets[scored].submitted[application];
            let expected = match edition.is_recused(expert, application) {
                true => "recused",
                false if submitted.contains_key(expert) => "submitted",
                false => "owed",
            };
            assert_eq!(cell["duty"], expected, "{expert} for {application}");
            seen.insert(expected);
        }
    }
    assert_eq!(seen, BTreeSet::from(["submitted"]), "the review is over");
    // What the demonstration does not have.
    let mut changed = edition.clone();
    let rule = changed.opened.rules.stages.iter().find(|s| s.id == scored).unwrap().clone();
    let (expert, application) = {
        let cell = &first["duties"][0];
        (cell["expert"].as_str().unwrap(), cell["application"].as_str().unwrap())
    };
    let sheets = changed.sheets.get_mut(scored).unwrap();
    sheets.computed = None;
    sheets.submitted.get_mut(application).unwrap().remove(expert);
    assert_eq!(duty(&changed, Some(&rule), expert, application), Duty::Owed);
    assert_eq!(duty(&changed, None, expert, application), Duty::Ready, "before anything is judged");
    changed.pledges.remove(expert);
    assert_eq!(duty(&changed, Some(&rule), expert, application), Duty::Undeclared);
    changed.recusals.insert((expert.to_owned(), application.to_owned()), "employer".to_owned());
    assert_eq!(duty(&changed, Some(&rule), expert, application), Duty::Recused);
    // Nobody who was drawn is both on a panel and left over.
    let members: BTreeSet<&str> = edition.panels.values().flat_map(|p| &p.members).map(String::as_str).collect();
    let left = ["free", "reserves"].into_iter().flat_map(|key| stage[key].as_array().unwrap());
    let left: Vec<&str> = left.map(|x| x.as_str().unwrap()).collect();
    assert!(!left.is_empty() && left.iter().all(|x| !members.contains(x)), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_board_is_for_those_who_oversee() {
    let town = &*TOWN;
    let log = town.heng().log(VOTING).unwrap();
    let seats = log.image().state.edition().unwrap().seats.clone();
    let holder = |role: Role| seats.iter().find(|(_, seat)| seat.roles.contains(&role)).unwrap().0.clone();
    let [supervisor, member, recommender] = [Role::Supervisor, Role::Member, Role::Recommender].map(holder);
    assert_eq!(panels(town, VOTING, &supervisor).await.0, StatusCode::OK);
    assert_eq!(page(town, VOTING, &supervisor).await.status, StatusCode::OK);
    for other in [member, recommender] {
        assert_eq!(panels(town, VOTING, &other).await.0, StatusCode::NOT_FOUND, "{other}");
        assert_eq!(page(town, VOTING, &other).await.status, StatusCode::FORBIDDEN, "{other}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draw_is_told_to_programs_as_the_record_has_it() {
    let town = &*TOWN;
    let (id, draw) = {
        let log = town.heng().log(VOTING).unwrap();
        let image = log.image();
        let (id, draw) = image.state.edition().unwrap().draws.iter().find(|(_, d)| d.revealed.is_some()).unwrap();
        (id.clone(), draw.clone())
    };
    let token = town.token("p:0001", &[Scope::Read]);
    let draws = format!("/api/v1/logs/{}/draws", crate::view::slug(VOTING));
    let came = town.ask("GET", &format!("{draws}/{}", crate::work::encode(&id)), Some(&token), None).await;
    assert_eq!(came.status, StatusCode::OK, "{}", came.text());
    let told = came.json();
    let revealed = draw.revealed.as_ref().unwrap();
    for drawn in &revealed.result {
        let group = told["groups"].as_array().unwrap().iter().find(|group| group["group"] == drawn.id).unwrap();
        let lines = |positions: &[u64]| positions.iter().map(|p| draw.line(*p).unwrap()).collect::<Vec<_>>();
        assert!(!drawn.taken.is_empty());
        assert_eq!(group["taken"], serde_json::json!(lines(&drawn.taken)));
        assert_eq!(group["reserve"], serde_json::json!(lines(&drawn.reserve)));
    }
    assert_eq!(told["pool"].as_array().unwrap().len(), draw.lines.len());
    assert_eq!(told["sources"][0]["value"], serde_json::json!(revealed.values[0].value));
    assert_eq!(told["seed"].as_str().unwrap().len(), 64, "{told}");
    assert_eq!(told["changes"].as_array().unwrap().len(), draw.replaced.len());
    let none = town.ask("GET", &format!("{draws}/d:none"), Some(&token), None).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}
