//! A session as its people see it: who is missing, the own vote read back, a dispute, the announcement on the wall.

use heng_app::desk::proposal::Outcome;
use heng_app::desk::session::{mark, standing};
use heng_app::desk::{Place, with_desk};
use heng_app::simulation::DeviceKey;

use super::*;

const CHAIR: &str = "p:0010";
const SESSION: &str = "s:committee";
const OFFICERS: [&str; 2] = ["p:0001", "p:0002"];

/// Does an act; everybody of `signers` signs it.
fn done(town: &Town, kind: &str, case: &str, answers: &[(&str, &str)], signers: &[&str]) {
    let answers = answers.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()])).collect();
    let heng = town.heng();
    let Outcome::Waiting(proposal) = proposal::act(heng, VOTING, signers[0], kind, case, &answers).unwrap() else {
        panic!("{kind} needs no signature");
    };
    for by in signers {
        let statements = proposal::statements(heng, &proposal, by).unwrap();
        let device = DeviceKey::of(DEMO_SEED, by).unwrap();
        let sigs = statements.iter().map(|s| device.signature(&s.hash, by, s.at.clone())).collect();
        proposal::sign(heng, &proposal.id, by, sigs).unwrap();
    }
}

async fn page(town: &Town, path: &str, subject: &str) -> String {
    let request = Request::get(path).header(header::COOKIE, town.cookie(subject)).body(Body::empty()).unwrap();
    let came = town.send(request).await;
    assert_eq!(came.status, StatusCode::OK, "{path} for {subject}");
    came.text()
}

fn marked(town: &Town, subject: &str) -> String {
    let found = with_desk(town.heng(), VOTING, subject, |at| match at {
        Place::Edition(desk) => mark(desk),
        Place::Office(_) => None,
    });
    found.unwrap().flatten().unwrap()
}

fn motion(town: &Town) -> String {
    let log = town.heng().log(VOTING).unwrap();
    let image = log.image();
    image.state.edition().unwrap().motions.last().unwrap().0.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_motion_from_the_missing_ballot_to_the_wall() {
    let town = build();
    let work = format!("/en/work/{}", crate::view::slug(VOTING));
    let session = format!("/api/v1/logs/{}/session", crate::view::slug(VOTING));
    let id = motion(&town);
    let (voter, _) = town.voter();
    let (chair, member) = (town.token(CHAIR, &[Scope::Read]), town.token(&voter, &[Scope::Read]));

    // The chair sees who is missing and may close all the same; a member learns only the own part.
    let led = town.ask("GET", &session, Some(&chair), None).await.json();
    let missing = led["motion"]["missing"].as_array().unwrap().len();
    assert!(
        missing > 0
            && led["next"].as_str().unwrap().ends_with(&format!("/acts/motion.closed/{}", crate::work::encode(&id))),
        "{led}"
    );
    let own = town.ask("GET", &session, Some(&member), None).await.json();
    assert!(own["motion"].get("missing").is_none() && own.get("next").is_none(), "{own}");
    assert!(
        own["mine"].as_str().unwrap().ends_with(&format!("/acts/ballot.cast/{}", crate::work::encode(&id))),
        "{own}"
    );
    let led = page(&town, &work, CHAIR).await;
    assert!(led.contains(&format!("{missing} members present have not voted")), "the consequence of closing now");
    assert!(led.contains("10 are needed (2/3") && led.contains("/motion.closed/"), "quorum and next act");

    // A ballot draws the chair's page anew, not that of the other members.
    let others = town.heng().log(VOTING).unwrap().image().state.edition().unwrap().sessions[SESSION].members.clone();
    let other = others.iter().map(|m| m.person.clone()).find(|p| *p != voter && *p != CHAIR).unwrap();
    let before = (marked(&town, CHAIR), marked(&town, &other), marked(&town, &voter));
    done(&town, "ballot.cast", &id, &[("choice", "no")], &[&voter]);
    assert_ne!(before.0, marked(&town, CHAIR));
    assert_eq!(before.1, marked(&town, &other));
    assert_ne!(before.2, marked(&town, &voter));
    assert!(town.ask("GET", &session, Some(&member), None).await.json()["motion"].get("recorded").is_none());

    // After the close each finds the own choice in words, and the way to say that it is another.
    done(&town, "motion.closed", &id, &[], &[CHAIR]);
    assert_ne!(before.1, marked(&town, &other));
    let own = page(&town, &work, &voter).await;
    assert!(own.contains("your choice is recorded as “no”") && own.contains("/motion.disputed/"), "the read-back");
    assert!(own.contains("data-left="), "the time to compare");
    done(&town, "motion.disputed", &id, &[("reason", "I voted yes.")], &[&voter]);
    let own = page(&town, &work, &voter).await;
    assert!(own.contains("the chair now reopens the vote"), "what happens next");
    let led = page(&town, &work, CHAIR).await;
    assert!(led.contains("Members who dispute it") && led.contains("/motion.reopened/"), "the chair's next act");
    done(&town, "motion.reopened", &id, &[("reason", "A member disputes it.")], &[CHAIR]);
    done(&town, "ballot.cast", &id, &[("choice", "yes")], &[&voter]);
    done(&town, "motion.closed", &id, &[], &[CHAIR]);
    let wait = page(&town, &work, CHAIR).await;
    assert!(wait.contains("Members compare their own choice"), "whom the chair waits for");
    assert!(wait.contains("the count can be frozen from"), "not before the time to compare is over");
    town.clock.advance_millis(5_000);
    assert!(page(&town, &work, CHAIR).await.contains("The time to compare is over"));
    done(&town, "motion.frozen", &id, &[], &[CHAIR]);
    done(&town, "result.announced", &id, &[], &[CHAIR]);

    // The wall names the option, the threshold and every vote; a phone opens its code.
    let hall = page(&town, &format!("/en/editions/{}/hall", crate::view::slug(VOTING)), CHAIR).await;
    assert!(hall.contains("To pass it needs at least 2/3") && hall.contains("vote-word"), "{hall}");
    let address = crate::check::address(&town.app, &town.heng().log(VOTING).unwrap(), 7, "ABCD");
    assert!(address.starts_with("http") && address.ends_with("/check?size=7&root=ABCD"), "{address}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_question_follows_from_the_option_and_a_remark_stands_behind_it() {
    let town = build();
    let id = motion(&town);
    done(&town, "motion.closed", &id, &[], &[CHAIR]);
    town.clock.advance_millis(5_000);
    done(&town, "motion.frozen", &id, &[], &[CHAIR]);
    done(&town, "result.announced", &id, &[], &[CHAIR]);
    let next = with_desk(town.heng(), VOTING, CHAIR, |at| match at {
        Place::Edition(desk) => standing(desk).unwrap().next.unwrap(),
        Place::Office(_) => panic!(),
    });
    let next = next.unwrap().unwrap();
    assert_eq!(next.kind, "motion.opened");
    done(&town, next.kind, &next.case, &[("remark_zh", "第二批")], &[CHAIR]);
    let log = town.heng().log(VOTING).unwrap();
    let image = log.image();
    let edition = image.state.edition().unwrap();
    let text = &edition.motions.last().unwrap().1.body.text;
    let name = &edition.applicant(&next.case).unwrap().name;
    assert_eq!(text.zh, format!("是否同意授予{}市长质量奖？（说明：第二批）", name.zh));
    assert!(text.en.contains(&name.en) && text.en.ends_with("(Remark: 第二批)"), "{}", text.en);
    // Whoever signs anything about a motion reads beside its text whom it is about.
    let motion = &edition.motions.last().unwrap().0;
    let rows = desk::describe(edition, "motion.closed", &serde_json::json!({ "motion": motion }), &BTreeMap::new());
    assert!(rows.iter().any(|(_, value)| value == name), "{rows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_officers_sign_in_a_member_whose_device_fails() {
    let town = build();
    let absent = {
        let log = town.heng().log(VOTING).unwrap();
        let image = log.image();
        let session = &image.state.edition().unwrap().sessions[SESSION];
        session.members.iter().map(|m| m.person.clone()).find(|p| !session.present.contains(p)).unwrap()
    };
    let answers = [("member", absent.as_str()), ("reason", "The device does not sign.")];
    done(&town, "presence.recorded", &format!("{SESSION}~officers"), &answers, &OFFICERS);
    let log = town.heng().log(VOTING).unwrap();
    let image = log.image();
    assert!(image.state.edition().unwrap().sessions[SESSION].present.contains(&absent));
}
