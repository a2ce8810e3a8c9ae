//! What a person reads of a record, before signing and afterwards: words, days and yuan, nothing that is a machine's.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use heng_app::desk;
use heng_domain::messages;
use heng_domain::refusal::Refusal;
use heng_domain::text::{Lang, Text};
use serde_json::Value;

use super::{FINISHED, NOTICE, OPEN, TOWN, VOTING};

/// Words of three and more small letters. In Chinese they are codes, unless they stand in a handle or a free text.
fn latin(text: &str) -> Option<&str> {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':' | '/' | '.' | '@');
    text.split(|c| !word(c)).find(|part| {
        let handle = part.contains(':') || part.contains('/') || part.contains('.');
        let small = part.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'-'));
        !handle && small && part.len() >= 3
    })
}

/// What is wrong with a line.
fn wrong(label: &Text, value: &Text) -> Option<String> {
    for lang in [Lang::Zh, Lang::En] {
        let (label, value) = (label.get(lang), value.get(lang));
        if label.trim().is_empty() || value.trim().is_empty() || value == "—" {
            return Some("empty".to_owned());
        }
        if label.contains('_') || value.contains(['{', '}', '_']) {
            return Some("a code".to_owned());
        }
        let hash = |part: &str| part.len() == 64 && part.bytes().all(|b| b.is_ascii_hexdigit());
        if value.split(|c: char| !c.is_ascii_alphanumeric()).any(hash) {
            return Some("a hash".to_owned());
        }
        if value.contains("T00:") || value.contains(".000Z") || value.contains("Z ") || value.ends_with('Z') {
            return Some("an instant".to_owned());
        }
        let day = |part: &str| part.len() == 10 && part.parse::<jiff::civil::Date>().is_ok();
        if value.split(['、', ',', '\n']).any(|part| day(part.trim())) {
            return Some("a day in the form of a file".to_owned());
        }
    }
    let code = |text: &str| latin(text).map(|code| format!("the code {code}"));
    code(&label.zh).or_else(|| code(&value.zh))
}

/// Amounts in fen of a body, large enough to be told from a count.
fn amounts(body: &Value, out: &mut Vec<String>) {
    match body {
        Value::Object(map) => {
            for (key, value) in map {
                match value.as_i64().filter(|_| key.ends_with("fen")) {
                    Some(fen) if fen.abs() >= 100_000 => out.push(fen.to_string()),
                    _ => amounts(value, out),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|item| amounts(item, out)),
        _ => {}
    }
}

#[test]
fn no_kind_of_record_shows_a_code_fen_an_instant_or_nothing() {
    let heng = TOWN.heng();
    let mut bad: BTreeMap<String, String> = BTreeMap::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for log in heng.logs() {
        let image = log.image();
        let (size, _) = image.state.position();
        for seq in 0..size {
            let record = log.record(seq).unwrap();
            let rows = desk::describe(&image.state, &record.kind, &record.body, &BTreeMap::new());
            seen.insert(record.kind.clone());
            let mut fen = Vec::new();
            amounts(&record.body, &mut fen);
            for (label, value) in rows {
                let amount = fen.iter().find(|fen| value.zh.contains(*fen)).map(|fen| format!("fen {fen}"));
                if let Some(what) = wrong(&label, &value).or(amount) {
                    bad.entry(format!("{} {}: {what}", record.kind, label.en))
                        .or_insert_with(|| format!("{} = {:?} / {:?}", label.zh, value.zh, value.en));
                }
            }
        }
    }
    assert!(seen.len() > 40, "the demonstration writes {} kinds only: {seen:?}", seen.len());
    assert!(bad.is_empty(), "{bad:#?}");
}

#[test]
fn a_stage_says_what_follows_before_it_is_opened_or_closed() {
    let log = TOWN.heng().log(OPEN).unwrap();
    let image = log.image();
    let edition = image.state.edition().unwrap();
    for stage in &edition.rules().stages {
        for kind in ["stage.opened", "stage.closed"] {
            let shows = desk::shows(edition, kind, &stage.id, TOWN.now());
            let lines: Vec<&Text> = shows.iter().flat_map(|shown| &shown.lines).collect();
            assert!(lines.len() >= 2 && lines.iter().all(|line| !line.zh.contains("shows.")), "{kind} {shows:?}");
        }
    }
    // Applications still come in: closing says why not yet, with the day as people write it.
    let window = edition.open_stages().into_iter().find(|stage| edition.gate(stage, TOWN.now()).is_err()).unwrap();
    let shows = desk::shows(edition, "stage.closed", &window.id, TOWN.now());
    assert!(shows[0].lines[0].zh.contains("月") && !shows[0].lines[0].zh.contains('Z'), "{shows:?}");
    assert!(!shows[0].lines[0].zh.contains("关口") && !shows[0].lines[0].en.contains("gate"), "{shows:?}");
}

#[test]
fn every_department_is_listed_with_every_application_it_is_asked_about() {
    let log = TOWN.heng().log(VOTING).unwrap();
    let image = log.image();
    let edition = image.state.edition().unwrap();
    let asked = desk::shows(edition, "opinions.asked", "-", TOWN.now());
    let rules = edition.rules().opinions.as_ref().unwrap();
    assert_eq!(asked.len(), rules.departments.len());
    for (shown, department) in asked.iter().zip(&rules.departments) {
        assert!(shown.title.zh.contains(&department.name.zh), "{shown:?}");
        assert_eq!(shown.lines.len(), edition.field.len());
    }
}

#[test]
fn a_decision_on_eligibility_shows_what_was_found_on_each_condition() {
    let log = TOWN.heng().log(VOTING).unwrap();
    let image = log.image();
    let edition = image.state.edition().unwrap();
    let (id, application) = edition.applications.iter().find(|(_, a)| a.review.is_some()).unwrap();
    let shows = desk::shows(edition, "pre_review.decided", id, TOWN.now());
    assert_eq!(shows[0].lines.len(), application.checks.len());
    assert!(shows[0].lines.iter().all(|line| line.zh.contains("符合")), "{shows:?}");
}

#[test]
fn a_refusal_names_things_and_days_as_people_do() {
    let log = TOWN.heng().log(VOTING).unwrap();
    let image = log.image();
    let edition = image.state.edition().unwrap();
    let (id, application) = edition.applications.iter().next().unwrap();
    let name = &edition.organisations[&application.body.organisation].name;
    let refusal =
        Refusal::new("gate.applications", "x").with("stage", "pre_review").with("count", 1).with("applications", id);
    let told = desk::refused(Some(edition), &refusal);
    let stage = &edition.rules().stage("pre_review").unwrap().name;
    assert!(told.zh.contains(&name.zh) && told.zh.contains(&stage.zh), "{}", told.zh);
    assert!(told.en.contains(&name.en) && told.en.contains(&stage.en), "{}", told.en);
    let role =
        Refusal::new("role.missing", "").with("actor", "p:0001").with("role", "officer").with("kind", "stage.closed");
    let told = desk::refused(Some(edition), &role);
    assert!(!told.zh.contains("officer") && !told.zh.contains("stage.closed"), "{}", told.zh);
    let late = Refusal::new("gate.window", "").with("closes", edition.local(TOWN.now()));
    let told = messages::refusal(Lang::Zh, &late);
    assert!(told.contains("2026年5月20日"), "{told}");
}

/// A page in English, for nobody or for somebody who is signed in.
async fn page(path: &str, subject: Option<&str>) -> String {
    let mut request = Request::get(path);
    if let Some(subject) = subject {
        request = request.header(header::COOKIE, TOWN.cookie(subject));
    }
    let came = TOWN.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(came.status, StatusCode::OK, "{path}");
    came.text()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_apply_is_led_to_the_form_and_told_how_to_get_an_account() {
    let here = format!("/en/editions/{}", crate::view::slug(OPEN));
    let form = format!("/en/work/{}/application.submitted/-", crate::view::slug(OPEN));
    let public = page(&here, None).await;
    let sign_in = format!("/en/sign-in?next={}", form.replace('/', "%2F"));
    assert!(public.contains(&sign_in) && public.contains(">Apply<"), "{public}");
    assert!(page("/en/sign-in", None).await.contains("The office registers it and sends an invitation"));
    assert!(page(&here, Some("o:0005")).await.contains(&format!("href=\"{form}\"")));
    // An officer has nothing to apply for.
    assert!(!page(&here, Some("p:0001")).await.contains(">Apply<"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_won_before_the_decision() {
    let on_notice = page(&format!("/en/editions/{}", crate::view::slug(NOTICE)), None).await;
    assert!(on_notice.contains("Proposed winners") && !on_notice.contains("<h2>Winners</h2>"), "{on_notice}");
    let decided = page(&format!("/en/editions/{}", crate::view::slug(FINISHED)), None).await;
    assert!(decided.contains("<h2>Winners</h2>") && !decided.contains("Proposed winners"), "{decided}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_firm_sees_first_where_its_own_application_stands() {
    let work = page(&format!("/en/work/{}", crate::view::slug(OPEN)), Some("o:0005")).await;
    let (own, rooms) = (work.find("own-state").unwrap(), work.find("class=\"rooms\"").unwrap());
    assert!(own < rooms && work.contains("not submitted"), "{work}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_way_is_shown_that_ends_at_a_closed_door() {
    let rooms = |text: String| (text.contains("/account/people\""), text.contains("/work/outbox\""));
    assert_eq!(rooms(page("/en/work/office/log", Some("p:0001")).await), (true, true));
    assert_eq!(rooms(page("/en/work/office/log", Some("p:0100")).await), (false, false));
}

#[test]
fn officers_choose_experts_by_name_and_a_declaration_is_not_called_optional() {
    let sheet = desk::sheet(TOWN.heng(), VOTING, "p:0001", "recusal.ordered", "-").unwrap();
    let desk::Kind::One { choices } = &sheet.fields[0].kind else { panic!("{:?}", sheet.fields[0]) };
    let expert = choices.iter().find(|choice| choice.value.starts_with("x:")).unwrap();
    assert!(expert.label.zh.contains(&format!(" · {}", expert.value)), "{expert:?}");
    let field = |name: &str| desk::Field::new(name, desk::Kind::Tick).optional();
    assert!(!field("declare:a:001").is_free() && !field("staff_trained:source").is_free());
    assert!(field("staff_trained:note").is_free());
    let dated = desk::day_words(jiff::civil::date(2026, 3, 4));
    assert_eq!((dated.zh.as_str(), dated.en.as_str()), ("2026年3月4日", "4 March 2026"));
}
