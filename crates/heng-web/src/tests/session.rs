//! A session as its people see it: who is missing, the own vote read back, a dispute, the announcement on the wall.

use heng_app::desk::files::{self, FileInfo};
use heng_app::desk::proposal::{Outcome, Proposal};
use heng_app::desk::session::{mark, standing};
use heng_app::desk::{DeskError, Place, with_desk};
use heng_app::simulation::DeviceKey;

use super::*;

const CHAIR: &str = "p:0010";
const SESSION: &str = "s:committee";
const OFFICERS: [&str; 2] = ["p:0001", "p:0002"];

/// Does an act; everybody of `signers` signs it.
fn done(town: &Town, kind: &str, case: &str, answers: &[(&str, &str)], signers: &[&str]) {
    let proposal = proposed(town, kind, case, answers, signers[0]);
    for by in signers {
        sign(town, &proposal, by).unwrap();
    }
}

fn proposed(town: &Town, kind: &str, case: &str, answers: &[(&str, &str)], by: &str) -> Proposal {
    let answers = answers.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()])).collect();
    match proposal::act(town.heng(), VOTING, by, kind, case, &answers).unwrap() {
        Outcome::Waiting(proposal) => *proposal,
        Outcome::Recorded(_) => panic!("{kind} needs no signature"),
    }
}

fn sign(town: &Town, proposal: &Proposal, by: &str) -> Result<Outcome, DeskError> {
    let statements = proposal::statements(town.heng(), proposal, by).unwrap();
    let device = DeviceKey::of(DEMO_SEED, by).unwrap();
    let sigs = statements.iter().map(|s| device.signature(&s.hash, by, s.at.clone())).collect();
    proposal::sign(town.heng(), &proposal.id, by, sigs)
}

/// What the rules say against it.
#[track_caller]
fn refused<T: std::fmt::Debug>(came: Result<T, DeskError>) -> &'static str {
    match came {
        Err(DeskError::Refused(refusal)) => refusal.code,
        other => panic!("{other:?}"),
    }
}

fn name_of(town: &Town, person: &str) -> String {
    let log = town.heng().log(VOTING).unwrap();
    let image = log.image();
    image.state.edition().unwrap().seats[person].name.clone().unwrap()
}

/// A scan that an officer has uploaded.
fn scanned(town: &Town, owner: &str, content: &[u8]) -> String {
    let sha256 = heng_log::Hash(town.heng().store().put_attachment(content).unwrap()).to_string();
    let info = FileInfo {
        about: "other".to_owned(),
        name: "ballot.pdf".to_owned(),
        size: 7,
        content_type: "application/pdf".to_owned(),
        secret: false,
    };
    files::put(town.heng(), owner, &sha256, &info).unwrap();
    sha256
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
    // The agenda: every finalist once, with the papers; the one that is voted on stands as open.
    let field = town.heng().log(VOTING).unwrap().image().state.edition().unwrap().field_at["committee"].len();
    let agenda = led["agenda"].as_array().unwrap();
    let open: Vec<&Value> = agenda.iter().filter(|item| item["state"] == "open").collect();
    assert_eq!((agenda.len(), open.len()), (field, 1), "{led}");
    assert_eq!(open[0]["text"], led["motion"]["options"]);
    assert!(agenda.iter().all(|item| item["application"].is_string()), "{led}");
    let own = town.ask("GET", &session, Some(&member), None).await.json();
    assert_eq!(own["agenda"].as_array().unwrap().len(), field, "a member has the same agenda");
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

#[tokio::test(flavor = "multi_thread")]
async fn two_officers_enter_the_paper_ballot_of_a_member_whose_device_fails() {
    let town = build();
    let id = motion(&town);
    let (voter, _) = town.voter();
    let name = name_of(&town, &voter);
    let case = format!("{id}~paper");
    let place = crate::view::slug(VOTING);
    let scan = scanned(&town, OFFICERS[0], b"%PDF-1.4 no");

    // The form offers the members, those without a ballot first, and the scan.
    let form = page(&town, &format!("/en/work/{place}/ballot.cast/{}", crate::work::encode(&case)), OFFICERS[0]).await;
    assert!(form.contains("Enter a paper ballot") && !form.contains("Nobody sees your choice"), "{form}");
    let first_voted = form.find("this ballot takes its place").expect("somebody has voted");
    assert!(form.find(&name).expect("the member") < first_voted && form.contains(&scan), "{form}");

    let answers =
        [("member", voter.as_str()), ("choice", "no"), ("ballot_scan", &scan), ("reason", "The key does not sign.")];
    let entered = proposed(&town, "ballot.cast", &case, &answers, OFFICERS[0]);
    sign(&town, &entered, OFFICERS[0]).unwrap();
    // The second officer reads whose ballot it is and what it says, and opens the scan; a stranger to it does not.
    let shown = page(&town, &format!("/en/work/sign/{}", entered.id), OFFICERS[1]).await;
    assert!(shown.contains(&name) && shown.contains("Download the scan: ballot.pdf"), "{shown}");
    let file = format!("/en/work/sign/{}/scan", entered.id);
    assert_eq!(page(&town, &file, OFFICERS[1]).await, "%PDF-1.4 no");
    let stranger = Request::get(&file).header(header::COOKIE, town.cookie(&voter)).body(Body::empty()).unwrap();
    assert_eq!(town.send(stranger).await.status, StatusCode::NOT_FOUND);
    let token = town.token(OFFICERS[1], &[Scope::Read]);
    let twin = town.ask("GET", &format!("/api/v1/proposals/{}/scan", entered.id), Some(&token), None).await;
    assert_eq!((twin.status, twin.text().as_str()), (StatusCode::OK, "%PDF-1.4 no"));
    sign(&town, &entered, OFFICERS[1]).unwrap();

    // Chair, hall and the member know that it came from paper; nobody sees yet what it says.
    let session = format!("/api/v1/logs/{place}/session");
    let chair = town.token(CHAIR, &[Scope::Read]);
    let led = town.ask("GET", &session, Some(&chair), None).await.json();
    let names: Vec<&str> = led["motion"]["paper"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(names.contains(&name.as_str()), "{names:?}");
    let sentence = format!("Entered from paper by two clerks: {}", names.join(", "));
    assert!(page(&town, &format!("/en/work/{place}"), CHAIR).await.contains(&sentence));
    let hall = page(&town, &format!("/en/editions/{place}/hall"), CHAIR).await;
    assert!(hall.contains("(paper)") && hall.contains(&format!("On paper: {}", names.join(", "))), "{hall}");
    done(&town, "motion.closed", &id, &[], &[CHAIR]);
    let hall = page(&town, &format!("/en/editions/{place}/hall"), CHAIR).await;
    assert!(hall.contains(&format!("entered from paper by two clerks: {}", names.join(", "))), "{hall}");
    let own = page(&town, &format!("/en/work/{place}"), &voter).await;
    assert!(own.contains("no (signed by hand, entered from paper by two clerks)"), "the read-back: {own}");
    let minutes = with_desk(town.heng(), VOTING, CHAIR, |at| match at {
        Place::Edition(desk) => desk::minutes(desk, SESSION),
        Place::Office(_) => panic!(),
    });
    let minutes = minutes.unwrap().unwrap();
    // Minutes name counted motions with the root code that the hall saw, and the base with what was needed.
    let log = town.heng().log(VOTING).unwrap();
    let image = log.image();
    let announced = image.state.edition().unwrap().motions.iter().find_map(|(_, m)| m.announced).unwrap();
    let code = heng_log::code::root_code(&image.root_at(announced + 1).unwrap());
    assert!(minutes.contains(&code) && minutes.contains("票同意方为通过"), "{minutes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_works_again_takes_the_place_of_the_paper() {
    let town = build();
    let id = motion(&town);
    let (voter, _) = town.voter();
    let paper = |content: &[u8]| {
        let scan = scanned(&town, OFFICERS[0], content);
        let reason = "The key does not sign.";
        let answers =
            [("member", voter.as_str()), ("choice", "no"), ("ballot_scan", scan.as_str()), ("reason", reason)];
        proposed(&town, "ballot.cast", &format!("{id}~paper"), &answers, OFFICERS[0])
    };
    let entered = paper(b"first");
    sign(&town, &entered, OFFICERS[0]).unwrap();
    // Meanwhile the member has voted: what the officers meant to enter no longer names the last ballot.
    done(&town, "ballot.cast", &id, &[("choice", "yes")], &[&voter]);
    assert_eq!(refused(sign(&town, &entered, OFFICERS[1])), "ballot.supersedes");
    let again = paper(b"second");
    for officer in OFFICERS {
        sign(&town, &again, officer).unwrap();
    }
    done(&town, "ballot.cast", &id, &[("choice", "yes")], &[&voter]);
    let log = town.heng().log(VOTING).unwrap();
    let image = log.image();
    let motion = image.state.edition().unwrap().motion(&id).unwrap();
    let counting = motion.counting()[voter.as_str()];
    assert!(counting.body.paper.is_none() && counting.body.choice == ["yes"] && motion.refused.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ballot_that_comes_too_late_leaves_one_trace() {
    let town = build();
    let id = motion(&town);
    let (voter, _) = town.voter();
    let late = proposed(&town, "ballot.cast", &id, &[("choice", "yes")], &voter);
    done(&town, "motion.closed", &id, &[], &[CHAIR]);
    for _ in 0..2 {
        assert_eq!(refused(sign(&town, &late, &voter)), "ballot.late");
    }
    let noted = {
        let log = town.heng().log(VOTING).unwrap();
        let image = log.image();
        image.state.edition().unwrap().motion(&id).unwrap().refused.clone()
    };
    assert_eq!(noted.len(), 1, "{noted:?}");
    assert_eq!((noted[0].voter.as_str(), noted[0].motion.as_str()), (voter.as_str(), id.as_str()));
    let work = format!("/en/work/{}", crate::view::slug(VOTING));
    let sentence = format!("{} (it came after the close)", name_of(&town, &voter));
    for (reader, sees) in [(CHAIR, true), ("p:0003", true), (voter.as_str(), false)] {
        assert_eq!(page(&town, &work, reader).await.contains(&sentence), sees, "{reader}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chair_cannot_close_when_too_few_are_left() {
    let town = build();
    let id = motion(&town);
    let present = {
        let log = town.heng().log(VOTING).unwrap();
        let image = log.image();
        image.state.edition().unwrap().sessions[SESSION].present.clone()
    };
    for member in present.iter().filter(|member| *member != CHAIR) {
        done(&town, "presence.recorded", SESSION, &[], &[member]);
    }
    let answers = BTreeMap::new();
    let close = proposal::act(town.heng(), VOTING, CHAIR, "motion.closed", &id, &answers);
    assert_eq!(refused(close), "quorum.lost");
    let led = page(&town, &format!("/en/work/{}", crate::view::slug(VOTING)), CHAIR).await;
    assert!(led.contains("void it together with the supervisor"), "what the chair can do: {led}");
    done(&town, "motion.voided", &id, &[("reason", "Members have left.")], &[CHAIR, "p:0003"]);
}

/// Whoever comes with the address of the hall's QR code learns whether the log still begins with what they photographed.
#[tokio::test(flavor = "multi_thread")]
async fn a_photographed_root_code_is_checked_against_the_log() {
    let town = &*TOWN;
    let log = town.heng().log(VOTING).unwrap();
    let (earlier, now) = {
        let image = log.image();
        let size = image.checkpoint.as_ref().unwrap().size;
        (heng_log::code::root_code(&image.root_at(size - 9).unwrap()), size)
    };
    let address = crate::check::address(&town.app, &log, now - 9, &earlier);
    let asked = address.split_once("/check").unwrap().1;
    let check = format!("/en/editions/{}/check", crate::view::slug(VOTING));
    let (later, cut) = (format!("?size={}&root={earlier}", now + 1), format!("?size={}&root=ABCD", now - 9));
    let other = format!("?size={}&root={earlier}", now - 8);
    for (query, sentence) in [
        (asked, "They agree: the first"),
        (other.as_str(), "They differ: the first"),
        (later.as_str(), "fewer than"),
        (cut.as_str(), "not a whole root code"),
        ("?size=many&root=ABCD", "digits only"),
    ] {
        let came = town.send(Request::get(format!("{check}{query}")).body(Body::empty()).unwrap()).await;
        assert!(came.status == StatusCode::OK && came.text().contains(sentence), "{query}: {}", came.text());
    }
    let came = town.send(Request::get(&check).body(Body::empty()).unwrap()).await;
    assert!(!came.text().contains("They agree") && came.text().contains("name=\"root\""));
}
