//! The cheating server: each fraud of verifiability.md §4 that a log can show, done to a finished edition.
//!
//! `Power::LogKey` is the dishonest administrator, who can sign every checkpoint again but nobody's ballot.
//! `Power::Everybody` forges all personal signatures as well, so that what fails is the rule itself.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use common::{
    Forger, Power, bundle, check_files, failed, failures, fix_manifest, get, honest, names, names_file, only, place_of,
    read_entries, refuses, size_of,
};
use heng_app::simulation::{DeviceKey, ORIGIN};
use heng_domain::record::{Record, Signature};
use heng_domain::text::Lang;
use heng_domain::time::Instant;
use heng_log::commitment::commit;
use heng_log::signature::{PersonalKey, WEBAUTHN_ES256};
use heng_log::tile::{encode_entries, entries_path};
use heng_log::webauthn::{Assertion, SoftPasskey};
use heng_log::{Hash, sha256};
use heng_verify::{Options, Status, verify};
use serde_json::{Value, json};

use Power::{Everybody, LogKey};

fn n(at: usize) -> u64 {
    u64::try_from(at).unwrap()
}

fn instant(text: &Value) -> Instant {
    Instant::parse(text.as_str().unwrap()).unwrap()
}

// ── the honest bundle, and the forger itself ───────────────────────────────────────────────────────────

#[test]
fn the_honest_bundle_is_right_in_every_check() {
    let report = check_files(honest());
    assert_eq!(report.exit_code(), 0, "{}", failures(&report));
    for check in &report.checks {
        assert!(matches!(check.status, Status::Ok | Status::None), "{} {:?}", check.id, check.status);
    }
}

#[test]
fn the_forger_changes_nothing_but_what_it_is_told() {
    for power in [LogKey, Everybody] {
        let report = Forger::honest().report(power);
        assert_eq!(report.exit_code(), 0, "{power:?}: {}", failures(&report));
    }
}

// ── T2, T3: bytes changed without signing again ────────────────────────────────────────────────────────

#[test]
fn a_changed_byte_names_its_record() {
    let mut files = honest().clone();
    let (path, place) = place_of(&files, 300);
    files.get_mut(&path).unwrap()[place.start + 20] ^= 1;
    let report = check_files(&files);
    names(&report, "V-02", 300);
    names_file(&report, "V-00", &path);
    fix_manifest(&mut files);
    let report = check_files(&files);
    names(&report, "V-02", 300);
    let accused: Vec<u64> = get(&report, "V-02").findings.iter().filter_map(|f| f.record).collect();
    assert_eq!(accused, [300], "only this record is accused by the tree");
    assert_eq!(get(&report, "V-00").status, Status::Ok);
}

#[test]
fn a_deleted_record_is_found() {
    let mut files = honest().clone();
    let (path, _) = place_of(&files, 100);
    let mut records = read_entries(&files, size_of(&files));
    records.truncate(256);
    records.remove(100);
    let slices: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
    files.insert(path, encode_entries(&slices).unwrap());
    fix_manifest(&mut files);
    let report = check_files(&files);
    names(&report, "V-02", 100);
    failed(&report, "V-01");
}

#[test]
fn swapped_records_are_found() {
    let mut files = honest().clone();
    let (path, _) = place_of(&files, 100);
    let mut records = read_entries(&files, size_of(&files));
    records.truncate(256);
    records.swap(100, 101);
    let slices: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
    files.insert(path, encode_entries(&slices).unwrap());
    fix_manifest(&mut files);
    let report = check_files(&files);
    names(&report, "V-02", 100);
    names(&report, "V-02", 101);
    refuses(&report, "V-01", 101, "record.sequence");
}

#[test]
fn an_older_checkpoint_in_place_of_the_newest_contradicts_the_history() {
    let files = honest();
    let sizes: Vec<&String> = files.keys().filter(|p| p.starts_with("checkpoints/")).collect();
    let (older, newest) = (sizes[sizes.len() - 3], sizes[sizes.len() - 1]);
    let mut forger = Forger::honest();
    forger.entries.truncate(older.strip_prefix("checkpoints/").unwrap().parse().unwrap());
    let mut cut = forger.files(LogKey);
    // What the log itself has signed, with a checkpoint that the forger would rather not have signed.
    for path in sizes.iter().map(|path| path.as_str()).chain(["policy.txt"]) {
        cut.insert(path.to_owned(), files[path].clone());
    }
    cut.insert("checkpoint".to_owned(), files[older].clone());
    fix_manifest(&mut cut);
    let report = check_files(&cut);
    names_file(&report, "V-03", newest);
    only(&report, &["V-03"]);
}

#[test]
fn a_truncated_log_is_found_by_a_printed_code() {
    let mut forger = Forger::honest();
    let cut = forger.first("decision.made");
    forger.entries.truncate(cut);
    let files = forger.files(LogKey);
    // Without anything to compare with, an earlier state of a log is an honest log.
    let report = check_files(&files);
    only(&report, &[]);
    let options = Options { code: Some(check_files(honest()).root_code), against: None };
    let report = verify(&bundle(&files), &options).unwrap();
    only(&report, &["V-24"]);
}

#[test]
fn a_missing_entry_file_is_named() {
    let mut files = honest().clone();
    let path = entries_path(1, 256);
    files.remove(&path).unwrap();
    fix_manifest(&mut files);
    let report = check_files(&files);
    names_file(&report, "V-02", &path);
}

#[test]
fn a_changed_tile_or_checkpoint_is_named() {
    let mut files = honest().clone();
    let tile = files.keys().find(|p| p.starts_with("tile/0/")).unwrap().clone();
    files.get_mut(&tile).unwrap()[70] ^= 1;
    fix_manifest(&mut files);
    names(&check_files(&files), "V-02", 2);

    let mut files = honest().clone();
    let upper = files.keys().find(|p| p.starts_with("tile/1/")).unwrap().clone();
    files.get_mut(&upper).unwrap()[0] ^= 1;
    fix_manifest(&mut files);
    names_file(&check_files(&files), "V-02", &upper);

    let mut files = honest().clone();
    let text = String::from_utf8(files["checkpoint"].clone()).unwrap();
    files.insert("checkpoint".to_owned(), text.replacen('\n', "x\n", 1).into_bytes());
    fix_manifest(&mut files);
    names_file(&check_files(&files), "V-04", "checkpoint");
}

#[test]
fn a_checkpoint_of_another_key_is_found() {
    let mut files = honest().clone();
    let forged = Forger::honest().files(LogKey);
    files.insert("policy.txt".to_owned(), forged["policy.txt"].clone());
    fix_manifest(&mut files);
    let report = check_files(&files);
    names_file(&report, "V-04", "checkpoint");
    failed(&report, "V-03");
}

#[test]
fn files_that_the_manifest_does_not_name_are_found() {
    let mut files = honest().clone();
    files.insert("notices/extra.json".to_owned(), b"{}".to_vec());
    names_file(&check_files(&files), "V-00", "notices/extra.json");
    files.remove("notices/extra.json");
    files.remove("HOWTO.txt");
    names_file(&check_files(&files), "V-00", "HOWTO.txt");
}

// ── T4: the log's key, every checkpoint signed again ───────────────────────────────────────────────────

#[test]
fn a_rewritten_record_breaks_the_anchors_after_it() {
    let mut forger = Forger::honest();
    let at = forger.first("application.submitted");
    forger.entries[at].record.basis.push('!');
    let broken = (at + 1..forger.entries.len())
        .find(|i| forger.entries[*i].record.sigs.iter().any(|s| s.at.size > n(at)))
        .unwrap();
    let report = forger.report(LogKey);
    only(&report, &["V-05"]);
    assert_eq!(get(&report, "V-05").findings[0].record, Some(n(broken)));
}

/// P05: whatever lies before the last human signature cannot be rewritten with the log's key alone.
#[test]
fn nothing_before_the_last_signature_can_be_rewritten() {
    let forger = Forger::honest();
    let last = forger.entries.iter().rposition(|e| !e.record.sigs.is_empty()).unwrap();
    let reach = usize::try_from(forger.entries[last].record.sigs[0].at.size).unwrap();
    assert!(reach > forger.entries.len() - 5, "the last signature covers nearly everything");
    for at in (1..reach).step_by(reach / 20) {
        let mut forger = forger.clone();
        forger.entries[at].record.basis.push('!');
        let report = forger.report(LogKey);
        failed(&report, "V-05");
        assert_eq!(get(&report, "V-02").status, Status::Ok, "the forgery itself is consistent");
    }
}

#[test]
fn a_dropped_record_breaks_the_anchors_after_it() {
    let mut forger = Forger::honest();
    let at = forger.last("application.submitted");
    forger.entries.remove(at);
    let report = forger.report(LogKey);
    failed(&report, "V-05");
    // Conditions were checked for an application that is no longer there.
    failed(&report, "V-10");
}

// ── T7, T8: applications ───────────────────────────────────────────────────────────────────────────────

#[test]
fn an_application_at_the_last_millisecond_counts_and_the_next_one_does_not() {
    let mut forger = Forger::honest();
    let call = forger.first("call.published");
    let closes = instant(&forger.entries[call].record.body["closes"]);
    let at = forger.last("application.submitted");
    let mut in_time = forger.clone();
    in_time.entries[at].record.time = closes.plus_millis(-1).unwrap();
    only(&in_time.report(Everybody), &[]);
    forger.entries[at].record.time = closes;
    let report = forger.report(Everybody);
    refuses(&report, "V-09", n(at), "application.late");
    only(&report, &["V-09"]);
}

#[test]
fn a_back_dated_application_is_found() {
    let mut forger = Forger::honest();
    let source = forger.last("application.submitted");
    let closed = forger.find("stage.closed", |b| b["stage"] == "application");
    let mut late = forger.entries[source].clone();
    late.was = None;
    late.record.body["application"] = json!("a:999");
    // Written after the window was closed, with a time inside it.
    let mut after = forger.clone();
    after.entries.insert(closed + 1, late.clone());
    let report = after.report(LogKey);
    refuses(&report, "V-01", n(closed + 1), "record.time");
    failed(&report, "V-05");
    // Slipped in where its time fits: what people signed afterwards knows nothing of it.
    forger.entries.insert(source + 1, late);
    let report = forger.report(LogKey);
    failed(&report, "V-05");
    failed(&report, "V-09");
}

#[test]
fn marks_of_secrets_and_what_they_hide_belong_together() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 5] = [
        (|body| body["secret"].as_array_mut().unwrap().reverse(), "application.secret_order"),
        (|body| body["secret"] = json!(["results:9.9"]), "application.secret_unknown"),
        // A marked figure stands in clear, and one that is not marked is missing.
        (|body| body["figures"][0]["profit_fen"] = json!(1), "application.secret_figures"),
        (|body| drop(body["figures"][0].as_object_mut().unwrap().remove("tax_fen")), "application.secret_figures"),
        // Everything is in clear, and something is hidden all the same.
        (
            |body| {
                body.as_object_mut().unwrap().remove("secret");
                for year in body["figures"].as_array_mut().unwrap() {
                    year["profit_fen"] = json!(1);
                }
            },
            "application.secret_hidden",
        ),
    ];
    for (change, code) in cases {
        let mut forger = Forger::honest();
        let at = forger.find("application.submitted", |body| body.get("secret").is_some());
        change(forger.body(at));
        let report = forger.report(Everybody);
        refuses(&report, "V-09", n(at), code);
        only(&report, &["V-09"]);
    }
}

#[test]
fn what_is_said_to_come_from_paper_has_a_scan_and_two_officers() {
    let honest = Forger::honest();
    let at = honest.last("application.submitted");
    let paper = |forger: &mut Forger, scan: &str| {
        let own = forger.body(at)["attachments"][0]["sha256"].clone();
        let scan = if scan.is_empty() { own } else { json!(scan) };
        forger.body(at)["paper"] = json!({ "reason": "no connection", "scan_sha256": scan });
    };
    let mut own = honest.clone();
    paper(&mut own, "");
    refuses(&own.report(Everybody), "V-09", n(at), "application.paper_own");

    let mut entered = honest.clone();
    entered.entries[at].record.actor = "p:0001".to_owned();
    let mut alone = entered.clone();
    paper(&mut alone, "");
    alone.sign_by(at, &["p:0001"]);
    refuses(&alone.report(Everybody), "V-07", n(at), "signature.too_few");

    let mut unscanned = entered.clone();
    paper(&mut unscanned, &"0".repeat(64));
    unscanned.sign_by(at, &["p:0001", "p:0002"]);
    refuses(&unscanned.report(Everybody), "V-09", n(at), "application.paper_scan");

    paper(&mut entered, "");
    entered.sign_by(at, &["p:0001", "p:0002"]);
    only(&entered.report(Everybody), &[]);
}

#[test]
fn time_never_goes_back() {
    let mut forger = Forger::honest();
    let at = 400;
    let before = forger.entries[at - 1].record.time;
    forger.entries[at].record.time = before.plus_millis(-1).unwrap();
    let report = forger.report(Everybody);
    refuses(&report, "V-01", n(at), "record.time");
}

#[test]
fn a_fee_is_refused() {
    let mut forger = Forger::honest();
    let at = forger.first("call.published");
    forger.body(at)["no_fee"] = json!(false);
    let report = forger.report(Everybody);
    refuses(&report, "V-09", n(at), "call.fee");
    only(&report, &["V-09"]);
}

// ── T10: pre-review ────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_condition_is_decided_from_its_facts() {
    let mut forger = Forger::honest();
    let at = forger.find("condition.checked", |b| b["met"] == false);
    forger.body(at)["met"] = json!(true);
    let report = forger.report(Everybody);
    refuses(&report, "V-10", n(at), "condition.result");
}

#[test]
fn changed_facts_contradict_the_decision() {
    let mut forger = Forger::honest();
    let at = forger.find("condition.checked", |b| b["met"] == false && b["condition"] == "staff_trained");
    let whole = forger.body(at)["facts"]["whole"].clone();
    forger.body(at)["facts"]["part"] = whole;
    forger.body(at)["met"] = json!(true);
    let application = forger.body(at)["application"].clone();
    let decided = forger.find("pre_review.decided", |b| b["application"] == application);
    let report = forger.report(Everybody);
    refuses(&report, "V-10", n(decided), "pre_review.result");
    // And the administrator alone cannot even do that unseen.
    let mut forger = Forger::honest();
    forger.body(at)["note"] = json!("changed");
    failed(&forger.report(LogKey), "V-05");
}

#[test]
fn an_objection_of_a_department_cannot_be_lost() {
    let mut forger = Forger::honest();
    let at = forger.find("opinion.received", |b| b["answer"] == "objection");
    let application = forger.body(at)["application"].clone();
    let decided = forger.find("pre_review.decided", |b| b["application"] == application);
    let mut turned = forger.clone();
    turned.body(at)["answer"] = json!("clear");
    turned.body(at).as_object_mut().unwrap().remove("events");
    turned.entries[at].record.hidden.clear();
    refuses(&turned.report(Everybody), "V-10", n(decided), "pre_review.result");
    forger.entries.remove(at);
    refuses(&forger.report(Everybody), "V-10", n(decided - 1), "pre_review.open_opinions");
}

#[test]
fn every_department_is_asked_about_everybody() {
    let mut forger = Forger::honest();
    let at = forger.first("opinions.asked");
    forger.body(at)["departments"].as_array_mut().unwrap().pop();
    refuses(&forger.clone().report(Everybody), "V-10", n(at), "opinions.departments");
    let mut forger = Forger::honest();
    forger.body(at)["until"] = json!("2031-01-01");
    refuses(&forger.report(Everybody), "V-10", n(at), "opinions.until");
}

#[test]
fn an_organisation_is_the_one_that_the_office_registered() {
    let mut forger = Forger::honest();
    let at = forger.first("organisation.entered");
    forger.body(at)["uscc"] = json!("91990000MA9999999T");
    let report = forger.report(Everybody);
    failed(&report, "V-06");
}

// ── T11, T12: recusal, draw, panel ─────────────────────────────────────────────────────────────────────

#[test]
fn a_recused_expert_cannot_sit_on_the_panel() {
    let mut forger = Forger::honest();
    let panel = forger.first("panel.formed");
    let expert = forger.body(panel)["members"][1].as_str().unwrap().to_owned();
    let application = forger.body(panel)["applications"][0].clone();
    let body = json!({ "application": application, "ground": "employer", "person": expert });
    forger.insert(panel, &expert, "recusal.declared", body, &[]);
    let report = forger.report(Everybody);
    refuses(&report, "V-11", n(panel + 1), "panel.recused");
    // His sheets on that application are refused too.
    failed(&report, "V-13");
}

#[test]
fn a_panel_is_the_drawn_panel() {
    let mut forger = Forger::honest();
    let panel = forger.first("panel.formed");
    let drawn: Vec<Value> =
        forger.all("panel.formed").iter().map(|at| forger.entries[*at].record.body.clone()).collect();
    let friend = (2..=40)
        .map(|i| json!(format!("x:{i:04}")))
        .find(|x| !drawn.iter().any(|b| b["members"].as_array().unwrap().contains(x)))
        .unwrap();
    forger.body(panel)["members"][4] = friend;
    let report = forger.report(Everybody);
    refuses(&report, "V-11", n(panel), "panel.not_drawn");
}

#[test]
fn a_draw_follows_from_value_secret_and_pool() {
    let forger = Forger::honest();
    let at = forger.first("draw.revealed");
    let mut value = forger.clone();
    value.body(at)["values"][0]["value"] = json!("01,02,03,04,05,06|07");
    refuses(&value.report(Everybody), "V-12", n(at), "draw.result");

    let mut secret = forger.clone();
    secret.body(at)["secrets"][0] = json!(sha256(b"another").to_string());
    refuses(&secret.report(Everybody), "V-12", n(at), "draw.recompute");

    let mut result = forger.clone();
    let taken = result.body(at)["result"][0]["taken"].as_array_mut().unwrap();
    taken.swap(0, 1);
    refuses(&result.report(Everybody), "V-12", n(at), "draw.result");

    let mut pool = forger.clone();
    let frozen = pool.first("pool.frozen");
    pool.body(frozen)["lines"].as_array_mut().unwrap().remove(0);
    let report = pool.report(Everybody);
    refuses(&report, "V-12", n(frozen), "pool.incomplete");
    refuses(&report, "V-12", n(frozen + 1), "draw.pool");

    let mut source = forger.clone();
    source.body(at)["values"][0]["period"] = json!("2025001");
    refuses(&source.report(Everybody), "V-12", n(at), "draw.recompute");
}

/// P22: every field of the plan binds the draw.
#[test]
fn every_field_of_a_plan_binds_the_draw() {
    let forger = Forger::honest();
    let planned = forger.first("draw.planned");
    let at = forger.first("draw.revealed");
    let changes: [(&str, Value); 4] =
        [("purpose", json!("another")), ("year", json!(2024)), ("reserves", json!(1)), ("pool_size", json!(38))];
    for (field, value) in changes {
        let mut forger = forger.clone();
        forger.body(planned)["plan"][field] = value;
        let report = forger.report(Everybody);
        names(&report, "V-12", n(at));
    }
}

#[test]
fn a_plan_comes_before_its_source_and_only_once() {
    let forger = Forger::honest();
    let planned = forger.first("draw.planned");
    let mut late = forger.clone();
    let day = late.entries[planned].record.time.date(480);
    late.body(planned)["sources_on"] = json!(day);
    refuses(&late.report(Everybody), "V-12", n(planned), "draw.sources_past");

    let mut moved = forger.clone();
    let revealed = moved.first("draw.revealed");
    let time = moved.entries[revealed].record.time;
    moved.entries[planned].record.time = time;
    refuses(&moved.report(Everybody), "V-12", n(planned), "draw.sources_past");

    let mut twice = forger.clone();
    let mut copy = twice.entries[planned].clone();
    copy.was = None;
    twice.entries.insert(planned + 1, copy);
    refuses(&twice.report(Everybody), "V-12", n(planned + 1), "draw.planned");

    let mut second = forger.clone();
    let pool = second.first("pool.frozen");
    let mut copy = second.entries[pool].clone();
    copy.was = None;
    copy.record.body["draw"] = json!("d:again");
    second.entries.insert(pool + 1, copy);
    refuses(&second.report(Everybody), "V-12", n(pool + 1), "draw.live");

    let mut missing = forger;
    missing.entries.remove(revealed);
    let report = missing.report(Everybody);
    failed(&report, "V-12");
    failed(&report, "V-11");
}

/// Drawing until the result pleases: a second draw for a stage whose draw has been carried out.
#[test]
fn a_stage_is_not_drawn_twice() {
    let mut forger = Forger::honest();
    let (pool, planned, revealed) =
        (forger.first("pool.frozen"), forger.first("draw.planned"), forger.first("draw.revealed"));
    let time = forger.entries[revealed].record.time;
    for (offset, at) in [pool, planned].into_iter().enumerate() {
        let mut copy = forger.entries[at].clone();
        copy.was = None;
        copy.record.body["draw"] = json!("d:again");
        copy.record.time = time;
        if copy.record.kind == "draw.planned" {
            copy.record.body["sources_on"] = json!(time.date(480).tomorrow().unwrap());
        }
        forger.entries.insert(revealed + 1 + offset, copy);
    }
    let report = forger.report(Everybody);
    names(&report, "V-12", n(revealed + 1));
}

#[test]
fn reserves_step_in_by_their_order() {
    let mut forger = Forger::honest();
    let at = forger.first("draw.replaced");
    let revealed = forger.first("draw.revealed");
    let pool = forger.first("pool.frozen");
    let stratum = forger.body(at)["stratum"].clone();
    let result = forger.body(revealed)["result"].clone();
    let drawn = result.as_array().unwrap().iter().find(|d| d["id"] == stratum).unwrap();
    let second = usize::try_from(drawn["reserve"][1].as_u64().unwrap()).unwrap();
    let line = forger.body(pool)["lines"][second - 1].clone();
    forger.body(at)["by"] = line;
    let report = forger.report(Everybody);
    refuses(&report, "V-12", n(at), "draw.reserve_order");
}

#[test]
fn a_replaced_member_is_followed_by_the_next_reserve() {
    let honest = Forger::honest();
    let at = honest.first("panel.member_replaced");
    // A friend from the pool in place of the next reserve.
    let mut friend = honest.clone();
    let sitting: Vec<Value> = friend
        .all("panel.formed")
        .iter()
        .flat_map(|at| friend.entries[*at].record.body["members"].as_array().unwrap().clone())
        .collect();
    let by = friend.body(at)["by"].clone();
    let someone = (2..=40).map(|i| json!(format!("x:{i:04}"))).find(|x| !sitting.contains(x) && *x != by).unwrap();
    friend.body(at)["by"] = someone;
    refuses(&friend.report(Everybody), "V-11", n(at), "draw.reserve_order");
    // The administrator alone cannot even replace by rule: an officer signed for it.
    let mut unsigned = honest.clone();
    unsigned.body(at)["reason"] = json!("another");
    names(&unsigned.report(LogKey), "V-07", n(at));
    // Nobody is moved off a panel once its scores are computed.
    let mut late = honest.clone();
    let computed = late.last("scores.computed");
    let mut copy = late.entries.remove(at);
    copy.record.time = late.entries[computed - 1].record.time;
    late.entries.insert(computed, copy);
    let report = late.report(Everybody);
    refuses(&report, "V-11", n(computed), "panel.computed");
    // The reserve's sheets are those of a stranger then.
    failed(&report, "V-13");
}

#[test]
fn nobody_pledges_for_another_and_nobody_scores_without_a_pledge() {
    let honest = Forger::honest();
    let scored = honest.first("score.submitted");
    let expert = honest.entries[scored].record.actor.clone();
    let at = honest.find("pledge.given", |b| b["person"] == expert.as_str());
    let mut missing = honest.clone();
    missing.entries.remove(at);
    let report = missing.report(Everybody);
    refuses(&report, "V-13", n(scored - 1), "score.no_pledge");
    // What was never answered for is not judged.
    let mut silent = honest.clone();
    let application = silent.body(scored)["application"].clone();
    silent.body(at)["declared"].as_array_mut().unwrap().retain(|declared| *declared != application);
    refuses(&silent.report(Everybody), "V-13", n(scored), "score.undeclared");
    // The office fills it in for the expert.
    let mut forged = honest.clone();
    forged.entries[at].record.actor = "p:0001".to_owned();
    refuses(&forged.report(Everybody), "V-11", n(at), "pledge.other");
    // Another text than the one that was signed.
    let mut text = honest;
    text.body(at)["text_sha256"] = json!(sha256(b"another").to_string());
    refuses(&text.report(LogKey), "V-07", n(at), "signature.invalid");
}

// ── T13–T15, T20: sheets, openings, scores ─────────────────────────────────────────────────────────────

#[test]
fn only_the_panel_scores() {
    let mut forger = Forger::honest();
    let at = forger.first("score.submitted");
    forger.entries[at].record.actor = "x:0001".to_owned();
    forger.body(at)["expert"] = json!("x:0001");
    forger.entries[at].record.sigs[0].by = "x:0001".to_owned();
    let report = forger.report(Everybody);
    refuses(&report, "V-13", n(at), "score.not_member");
}

#[test]
fn an_expert_scores_once() {
    let mut forger = Forger::honest();
    let at = forger.first("score.submitted");
    let mut copy = forger.entries[at].clone();
    copy.was = None;
    forger.entries.insert(at + 1, copy);
    let report = forger.report(Everybody);
    refuses(&report, "V-13", n(at + 1), "score.twice");
}

#[test]
fn an_opening_with_another_value_or_salt_is_found() {
    for salt in [false, true] {
        let mut forger = Forger::honest();
        let at = forger.first("score.submitted");
        let opening = &mut forger.entries[at].openings[0];
        if salt {
            opening.salt = sha256(b"another");
        } else {
            opening.value = json!(opening.value.as_u64().unwrap() + 5);
        }
        let report = forger.report(LogKey);
        names(&report, "V-14", n(at));
        let path = Forger::honest().entries[at].openings[0].path.clone();
        assert!(get(&report, "V-14").findings.iter().any(|f| f.en.contains(&path)), "{}", failures(&report));
    }
}

#[test]
fn a_missing_opening_is_found() {
    let mut forger = Forger::honest();
    let at = forger.first("consensus.agreed");
    forger.entries[at].openings.remove(3);
    let report = forger.report(LogKey);
    names(&report, "V-14", n(at));
    assert_ne!(get(&report, "V-15").status, Status::Ok, "a score that cannot be recomputed is not OK");
}

#[test]
fn an_opening_of_another_record_is_found() {
    let mut forger = Forger::honest();
    let scores = forger.all("score.submitted");
    let other = forger.entries[scores[1]].openings[0].clone();
    forger.entries[scores[0]].openings[0] = other;
    names(&forger.report(LogKey), "V-14", n(scores[0]));
}

/// Replaces one hidden value of a record: opening and commitment.
fn replace(forger: &mut Forger, at: usize, path: &str, value: Value) {
    let entry = &mut forger.entries[at];
    let opening = entry.openings.iter_mut().find(|o| o.path == path).unwrap();
    opening.value = value;
    let commitment = commit(&opening.salt, path, &opening.value).unwrap();
    entry.record.hidden.insert(path.to_owned(), commitment);
}

/// P41: a result changed by one hundredth of a point names the case.
#[test]
fn a_computed_score_is_recomputed() {
    let mut forger = Forger::honest();
    let at = forger.first("scores.computed");
    let (path, value) = {
        let opening = &forger.entries[at].openings[2];
        (opening.path.clone(), opening.value.as_u64().unwrap())
    };
    replace(&mut forger, at, &path, json!(value + 1));
    let report = forger.clone().report(Everybody);
    refuses(&report, "V-15", n(at), "scores.result");
    let application = path.strip_prefix("/scores/").unwrap();
    assert_eq!(forger.refusal(at).params["application"], application);
    // The administrator cannot sign it as the officer did.
    let report = forger.report(LogKey);
    names(&report, "V-07", n(at));
    failed(&report, "V-05");
}

#[test]
fn a_changed_mark_contradicts_the_computed_score() {
    let mut forger = Forger::honest();
    let at = forger.first("consensus.agreed");
    let (path, value) = {
        let opening = forger.entries[at].openings.iter().find(|o| o.path.starts_with("/items/")).unwrap();
        (opening.path.clone(), opening.value.as_u64().unwrap())
    };
    replace(&mut forger, at, &path, json!(if value >= 60 { value - 20 } else { value + 20 }));
    let computed = forger.first("scores.computed");
    let report = forger.report(Everybody);
    refuses(&report, "V-15", n(computed), "scores.result");
}

/// R37: a mark that the site visit changed rests on something that was noted there.
#[test]
fn a_mark_changed_without_a_finding_is_found() {
    let mut forger = Forger::honest();
    let at = forger.first("visit.logged");
    let application = forger.body(at)["application"].clone();
    let agreed = forger.find("consensus.agreed", |b| b["application"] == application && b["stage"] == "site");
    let noted =
        forger.all("visit.logged").into_iter().filter(|i| forger.entries[*i].record.body["application"] == application);
    let items: Vec<Value> = noted.map(|i| forger.entries[i].record.body["item"].clone()).collect();
    let opening = forger.entries[agreed].openings.iter().find(|opening| {
        let item = opening.path.strip_prefix("/items/");
        item.is_some_and(|item| items.iter().all(|noted| noted != item))
    });
    let (path, value) = opening.map(|o| (o.path.clone(), o.value.as_u64().unwrap())).unwrap();
    replace(&mut forger, agreed, &path, json!(if value >= 60 { value - 20 } else { value + 20 }));
    refuses(&forger.report(Everybody), "V-13", n(agreed), "consensus.finding");
}

#[test]
fn a_visit_that_was_not_reported_changes_nothing() {
    let mut forger = Forger::honest();
    let at = forger.first("visit.reported");
    let application = forger.body(at)["application"].clone();
    let agreed = forger.find("consensus.agreed", |b| b["application"] == application && b["stage"] == "site");
    forger.entries.remove(at);
    refuses(&forger.report(Everybody), "V-13", n(agreed - 1), "visit.not_reported");
}

#[test]
fn a_mark_off_the_steps_is_found() {
    let mut forger = Forger::honest();
    let at = forger.first("score.submitted");
    let path = forger.entries[at].openings.iter().find(|o| o.path.starts_with("/items/")).unwrap().path.clone();
    replace(&mut forger, at, &path, json!(101));
    refuses(&forger.report(Everybody), "V-13", n(at), "score.step");
}

#[test]
fn another_shortlist_is_found() {
    let mut forger = Forger::honest();
    let at = forger.first("shortlist.decided");
    let kept = forger.body(at)["kept"][7].clone();
    let cut = forger.body(at)["cut"][0].clone();
    forger.body(at)["kept"][7] = cut;
    forger.body(at)["cut"][0] = kept;
    let report = forger.clone().report(Everybody);
    refuses(&report, "V-15", n(at), "shortlist.result");
    let report = forger.report(LogKey);
    names(&report, "V-07", n(at));
    failed(&report, "V-05");
}

// ── T17, T18: the session ──────────────────────────────────────────────────────────────────────────────

#[test]
fn presence_of_somebody_who_is_no_member_is_refused() {
    let mut forger = Forger::honest();
    let at = forger.first("motion.opened");
    let session = forger.body(at)["session"].clone();
    let ghost = json!({ "person": "p:0006", "present": true, "session": session });
    forger.insert(at, "p:0006", "presence.recorded", ghost, &["p:0006"]);
    refuses(&forger.report(Everybody), "V-16", n(at), "presence.not_member");
}

/// The absent member is marked present: it takes the member's key or two officers'.
#[test]
fn presence_of_an_absent_member_cannot_be_forged() {
    let mut forger = Forger::honest();
    let roster = forger.first("roster.frozen");
    let members = forger.body(roster)["members"].as_array().unwrap().clone();
    let absent = members.last().unwrap()["person"].as_str().unwrap().to_owned();
    let at = forger.first("motion.opened");
    let session = forger.body(at)["session"].clone();
    forger.keys.insert(absent.clone(), [9; 32]);
    let body = json!({ "person": absent, "present": true, "session": session });
    forger.insert(at, &absent, "presence.recorded", body, &[&absent]);
    let report = forger.report(LogKey);
    names(&report, "V-07", n(at));
    failed(&report, "V-05");
    // The announced base is no longer what the present members give.
    failed(&report, "V-18");
}

#[test]
fn no_motion_without_a_quorum() {
    let mut forger = Forger::honest();
    let present = forger.all("presence.recorded");
    for at in present.iter().rev().take(8) {
        forger.entries.remove(*at);
    }
    let at = forger.first("motion.opened");
    let report = forger.report(Everybody);
    refuses(&report, "V-16", n(at), "quorum.missing");
    failed(&report, "V-17");
}

#[test]
fn the_roster_names_the_enrolled_keys() {
    let mut forger = Forger::honest();
    let at = forger.first("roster.frozen");
    forger.body(at)["members"][3]["key"] = json!("0000-0000-0000-0000");
    refuses(&forger.report(Everybody), "V-16", n(at), "roster.key");
}

/// T32: the office enrols a key of its own for a member.
#[test]
fn a_key_that_the_member_never_confirmed_is_found() {
    let mut forger = Forger::honest();
    let person = "p:0012";
    let seed = [77; 32];
    let key = PersonalKey::from_seed(seed).public();
    let seated = forger.find("person.seated", |b| b["person"] == person);
    forger.body(seated)["key"] = json!(key.to_string());
    forger.keys.insert(person.to_owned(), seed);
    for at in forger.all("roster.frozen") {
        for member in forger.body(at)["members"].as_array_mut().unwrap() {
            if member["person"] == person {
                member["key"] = json!(key.fingerprint());
            }
        }
    }
    let report = forger.report(Everybody);
    names(&report, "V-06", n(seated));
}

/// The second ballot of the session's second motion: nobody corrects anything there.
fn a_ballot(forger: &Forger) -> usize {
    let motions = forger.all("motion.opened");
    (motions[1]..).filter(|at| forger.entries[*at].record.kind == "ballot.cast").nth(1).unwrap()
}

/// The record that announces the motion of record `at`.
fn announcement_of(forger: &Forger, at: usize) -> usize {
    let motion = forger.entries[at].record.body["motion"].clone();
    forger.find("result.announced", |b| b["motion"] == motion)
}

fn other_choice(body: &Value) -> Value {
    if body["choice"][0] == "yes" { json!(["no"]) } else { json!(["yes"]) }
}

#[test]
fn a_changed_ballot_breaks_the_members_signature() {
    let mut forger = Forger::honest();
    let at = a_ballot(&forger);
    let choice = other_choice(forger.body(at));
    forger.body(at)["choice"] = choice;
    let announced = announcement_of(&forger, at);
    let report = forger.report(LogKey);
    refuses(&report, "V-07", n(at), "signature.invalid");
    names(&report, "V-18", n(announced));
    failed(&report, "V-05");
}

#[test]
fn a_changed_ballot_changes_the_count() {
    let mut forger = Forger::honest();
    let at = a_ballot(&forger);
    let choice = other_choice(forger.body(at));
    forger.body(at)["choice"] = choice;
    let announced = announcement_of(&forger, at);
    let report = forger.report(Everybody);
    refuses(&report, "V-18", n(announced), "result.tally");
}

#[test]
fn a_stuffed_ballot_is_refused() {
    let mut forger = Forger::honest();
    let at = a_ballot(&forger);
    let mut copy = forger.entries[at].clone();
    copy.was = None;
    copy.record.body["nonce"] = json!("0123456789abcdef0123456789abcdef");
    forger.entries.insert(at + 1, copy.clone());
    refuses(&forger.report(Everybody), "V-17", n(at + 1), "ballot.supersedes");
    // The very same ballot once more.
    let mut forger = Forger::honest();
    copy.record.body["nonce"] = forger.entries[at].record.body["nonce"].clone();
    forger.entries.insert(at + 1, copy);
    refuses(&forger.report(Everybody), "V-17", n(at + 1), "ballot.nonce");
}

#[test]
fn a_dropped_ballot_is_found() {
    let mut forger = Forger::honest();
    let at = a_ballot(&forger);
    let announced = announcement_of(&forger, at);
    forger.entries.remove(at);
    let report = forger.clone().report(Everybody);
    refuses(&report, "V-18", n(announced - 1), "result.tally");
    failed(&forger.report(LogKey), "V-05");
}

#[test]
fn a_superseded_chain_cannot_be_cut() {
    let mut forger = Forger::honest();
    let at = forger.find("ballot.cast", |b| b.get("supersedes").is_some());
    forger.entries.remove(at - 1);
    let report = forger.report(Everybody);
    refuses(&report, "V-17", n(at - 1), "ballot.supersedes");
}

#[test]
fn a_late_ballot_is_refused() {
    let mut forger = Forger::honest();
    let at = a_ballot(&forger);
    let motion = forger.body(at)["motion"].clone();
    let closed = forger.find("motion.closed", |b| b["motion"] == motion);
    let mut ballot = forger.entries.remove(at);
    ballot.record.time = forger.entries[closed - 1].record.time;
    forger.entries.insert(closed, ballot);
    refuses(&forger.report(Everybody), "V-17", n(closed), "ballot.late");
}

/// The ballot that two officers entered from paper.
fn a_paper_ballot(forger: &Forger) -> usize {
    forger.find("ballot.cast", |b| b.get("paper").is_some())
}

#[test]
fn a_ballot_from_paper_needs_two_officers_and_rules_that_allow_it() {
    let honest = Forger::honest();
    let at = a_paper_ballot(&honest);
    only(&honest.clone().report(Everybody), &[]);

    // One officer alone, one and the supervisor, two who are no officers.
    for signers in [&["p:0001"][..], &["p:0001", "p:0003"], &["p:0010", "p:0011"]] {
        let mut alone = honest.clone();
        alone.sign_by(at, signers);
        refuses(&alone.report(Everybody), "V-07", n(at), "signature.too_few");
    }
    let mut same = honest.clone();
    same.sign_by(at, &["p:0001", "p:0001"]);
    refuses(&same.report(Everybody), "V-07", n(at), "signature.twice");
    // Changed afterwards: neither officer signed that.
    let mut changed = honest.clone();
    let choice = other_choice(changed.body(at));
    changed.body(at)["choice"] = choice;
    refuses(&changed.report(LogKey), "V-07", n(at), "signature.invalid");
    // Without the paper it is a ballot that somebody else cast.
    let mut bare = honest.clone();
    bare.body(at).as_object_mut().unwrap().remove("paper");
    refuses(&bare.report(Everybody), "V-17", n(at), "ballot.other");
    // The same sheet for another member.
    let mut twice = honest.clone();
    let scan = twice.body(at)["paper"].clone();
    let next = (at + 1..).find(|i| honest.entries[*i].record.kind == "ballot.cast").unwrap();
    twice.entries[next].record.actor = "p:0001".to_owned();
    twice.body(next)["paper"] = scan;
    twice.sign_by(next, &["p:0001", "p:0002"]);
    refuses(&twice.report(Everybody), "V-17", n(next), "ballot.paper_twice");
}

/// The report of an honest edition says which ballots came from paper.
#[test]
fn the_report_names_ballots_from_paper() {
    let forger = Forger::honest();
    let at = a_paper_ballot(&forger);
    let report = forger.report(Everybody);
    let steps: Vec<String> = get(&report, "V-17").steps.iter().map(|step| step.render(Lang::En)).collect();
    let named =
        steps.iter().any(|step| step.contains("entered from paper by two clerks") && step.contains(&at.to_string()));
    assert!(named, "{steps:?}");
}

#[test]
fn a_refused_ballot_is_noted_only_if_it_would_be_refused() {
    let honest = Forger::honest();
    let ballot = a_ballot(&honest);
    let body = honest.entries[ballot].record.body.clone();
    let closed = honest.find("motion.closed", |b| b["motion"] == body["motion"]);
    let noted = |at: usize, actor: &str, reason: &str| {
        let mut forger = honest.clone();
        let hash = sha256(b"another ballot").to_string();
        let note = json!({ "ballot": hash, "motion": body["motion"], "reason": reason, "voter": body["voter"] });
        forger.insert(at, actor, "ballot.refused", note, &[]);
        forger.report(Everybody)
    };
    // The records after it have moved, and with them what the office log cites; the vote itself stands.
    let fine = noted(closed + 1, "office", "late");
    assert_eq!(get(&fine, "V-17").status, Status::Ok, "{}", failures(&fine));
    refuses(&noted(closed + 1, "p:0001", "late"), "V-17", n(closed + 1), "ballot.refused_actor");
    refuses(&noted(closed, "office", "late"), "V-17", n(closed), "ballot.refused_reason");
    refuses(&noted(closed + 1, "office", "absent"), "V-17", n(closed + 1), "ballot.refused_reason");
}

#[test]
fn a_motion_is_not_closed_without_its_quorum() {
    let mut forger = Forger::honest();
    let ballot = a_ballot(&forger);
    let motion = forger.body(ballot)["motion"].clone();
    let closed = forger.find("motion.closed", |b| b["motion"] == motion);
    // Members leave one after the other; each signs.
    let members: Vec<String> =
        forger.all("presence.recorded").iter().map(|at| forger.entries[*at].record.actor.clone()).collect();
    let session = forger.body(ballot)["session"].clone();
    for (index, person) in members.iter().filter(|person| *person != "p:0010").enumerate() {
        let leaves = json!({ "person": person, "present": false, "session": session });
        forger.insert(closed + index, person, "presence.recorded", leaves, &[person.as_str()]);
    }
    let close = closed + members.len() - 1;
    refuses(&forger.report(Everybody), "V-16", n(close), "quorum.lost");
}

/// P27: a ballot for another motion, round, text, option list, rule, roster, session or log never counts.
#[test]
fn a_ballot_for_something_else_never_counts() {
    let other = json!(sha256(b"something else").to_string());
    let changes: [(&str, Value); 8] = [
        ("motion", json!("m:unknown")),
        ("round", json!(2)),
        ("text", other.clone()),
        ("options", other.clone()),
        ("rule", other.clone()),
        ("roster", other),
        ("session", json!("s:other")),
        ("log", json!("simulation.example/other/2025")),
    ];
    for (field, value) in changes {
        let mut forger = Forger::honest();
        let at = a_ballot(&forger);
        forger.body(at)[field] = value;
        let announced = announcement_of(&Forger::honest(), at);
        let report = forger.report(Everybody);
        names(&report, "V-17", n(at));
        if field == "motion" {
            names(&report, "V-18", n(announced));
        }
    }
}

#[test]
fn a_ballot_with_an_unknown_key_is_refused() {
    let mut forger = Forger::honest();
    let at = a_ballot(&forger);
    let voter = forger.body(at)["voter"].as_str().unwrap().to_owned();
    forger.keys.insert(voter, [5; 32]);
    let sigs = &mut forger.entries[at].record.sigs;
    sigs[0].key = PersonalKey::from_seed([5; 32]).public().fingerprint();
    forger.sign_again(at);
    refuses(&forger.report(LogKey), "V-07", n(at), "signature.other_key");
}

#[test]
fn a_ballot_without_a_signature_is_refused() {
    let mut forger = Forger::honest();
    let at = a_ballot(&forger);
    forger.entries[at].record.sigs.clear();
    refuses(&forger.report(Everybody), "V-07", n(at), "signature.missing");
}

/// P28: who has left the edition votes no more.
#[test]
fn a_ballot_with_a_revoked_key_is_refused() {
    let mut forger = Forger::honest();
    let at = a_ballot(&forger);
    let voter = forger.body(at)["voter"].clone();
    let motion = forger.body(at)["motion"].clone();
    let opened = forger.find("motion.opened", |b| b["motion"] == motion);
    forger.insert(
        opened,
        "p:0001",
        "person.unseated",
        json!({ "person": voter, "reason": "left" }),
        &["p:0001", "p:0002"],
    );
    refuses(&forger.report(Everybody), "V-07", n(at + 1), "signature.no_key");
}

#[test]
fn a_recused_member_does_not_vote() {
    let mut forger = Forger::honest();
    let at = a_ballot(&forger);
    let voter = forger.body(at)["voter"].as_str().unwrap().to_owned();
    let motion = forger.body(at)["motion"].clone();
    let opened = forger.find("motion.opened", |b| b["motion"] == motion);
    let application = forger.body(opened)["options"][0].clone();
    let body = json!({ "application": application, "ground": "employer", "person": voter });
    forger.insert(opened, &voter, "recusal.declared", body, &[&voter]);
    let report = forger.report(Everybody);
    refuses(&report, "V-17", n(at + 1), "ballot.recused");
    failed(&report, "V-18");
}

#[test]
fn an_absent_member_does_not_vote() {
    let mut forger = Forger::honest();
    let roster = forger.first("roster.frozen");
    let members = forger.body(roster)["members"].as_array().unwrap().clone();
    let absent = members.last().unwrap()["person"].as_str().unwrap().to_owned();
    let at = a_ballot(&forger);
    let mut ballot = forger.entries[at].clone();
    ballot.was = None;
    ballot.record.actor = absent.clone();
    ballot.record.body["voter"] = json!(absent);
    ballot.record.body["nonce"] = json!("0123456789abcdef0123456789abcdef");
    ballot.record.sigs[0].by = absent;
    forger.entries.insert(at + 1, ballot);
    refuses(&forger.report(Everybody), "V-17", n(at + 1), "ballot.absent");
}

#[test]
fn an_announced_count_is_the_tally() {
    let mut forger = Forger::honest();
    let at = forger.first("result.announced");
    let yes = forger.body(at)["counts"][0]["count"]["yes"].as_u64().unwrap();
    forger.body(at)["counts"][0]["count"]["yes"] = json!(yes - 1);
    let report = forger.clone().report(Everybody);
    refuses(&report, "V-18", n(at), "result.tally");
    let report = forger.report(LogKey);
    names(&report, "V-07", n(at));
    failed(&report, "V-05");
}

#[test]
fn ballot_and_count_changed_together_break_two_signatures() {
    let mut forger = Forger::honest();
    let at = a_ballot(&forger);
    let announced = announcement_of(&forger, at);
    let choice = other_choice(forger.body(at));
    forger.body(at)["choice"] = choice;
    let motion = forger.body(at)["motion"].as_str().unwrap().to_owned();
    let counts = forger.replay().tally(&motion).unwrap();
    forger.body(announced)["counts"] = serde_json::to_value(counts).unwrap();
    let report = forger.report(LogKey);
    names(&report, "V-07", n(at));
    names(&report, "V-07", n(announced));
    failed(&report, "V-05");
}

#[test]
fn a_voided_motion_decides_nothing() {
    let mut forger = Forger::honest();
    let at = forger.last("result.announced");
    let motion = forger.body(at)["motion"].clone();
    let mut voided = forger.entries[at].clone();
    voided.was = None;
    voided.record.kind = "motion.voided".to_owned();
    voided.record.body = json!({ "motion": motion, "reason": "forged" });
    forger.entries.insert(at + 1, voided);
    names(&forger.report(Everybody), "V-07", n(at + 1));
}

#[test]
fn another_selection_is_found() {
    let mut forger = Forger::honest();
    let at = forger.first("selection.decided");
    let applications = forger.body(at)["tiers"][0]["applications"].as_array_mut().unwrap();
    applications.swap(0, 1);
    let report = forger.clone().report(Everybody);
    refuses(&report, "V-18", n(at), "selection.result");
    names(&forger.report(LogKey), "V-07", n(at));
}

#[test]
fn a_firm_that_did_not_pass_is_not_selected() {
    let mut forger = Forger::honest();
    let at = forger.first("selection.decided");
    let loser = forger.find("result.announced", |b| b["counts"][0]["count"]["passed"] == false);
    let loser = forger.body(loser)["counts"][0]["option"].clone();
    forger.body(at)["tiers"][0]["applications"][0] = loser;
    refuses(&forger.report(Everybody), "V-18", n(at), "selection.not_passed");
}

// ── passkeys: what a signature is worth depends on what device and browser state ───────────────────────

/// The first ballot that was signed with a passkey, in the second motion or later, and the passkey.
fn a_passkey_ballot(forger: &Forger) -> (usize, SoftPasskey) {
    let second = forger.all("motion.opened")[1];
    let found = (second..).find(|at| {
        let record = &forger.entries[*at].record;
        record.kind == "ballot.cast" && record.sigs[0].alg == WEBAUTHN_ES256
    });
    let at = found.unwrap();
    match forger.key(&forger.entries[at].record.actor) {
        DeviceKey::Passkey(passkey) => (at, passkey),
        DeviceKey::File(_) => panic!("not a passkey"),
    }
}

/// What the voter of record `at` has to sign.
fn challenge_of(forger: &Forger, at: usize) -> Hash {
    let record = &forger.entries[at].record;
    record.statement(&record.sigs[0].by, &record.sigs[0].at).unwrap()
}

/// Puts an assertion in the place of the voter's, and says how V-07 refuses it.
#[track_caller]
fn assertion_is_refused(mut forger: Forger, at: usize, assertion: &Assertion, code: &str) {
    let signature = &mut forger.entries[at].record.sigs[0];
    let [ad, cd, s] = assertion.to_base64();
    (signature.ad, signature.cd, signature.s) = (Some(ad), Some(cd), s);
    refuses(&forger.report(LogKey), "V-07", n(at), code);
}

#[test]
fn every_edition_holds_signatures_of_both_kinds() {
    let forger = Forger::honest();
    let ballots = forger.all("ballot.cast");
    let passkeys = ballots.iter().filter(|at| forger.entries[**at].record.sigs[0].alg == WEBAUTHN_ES256).count();
    assert!(passkeys * 5 > ballots.len() && passkeys * 2 < ballots.len(), "{passkeys} of {}", ballots.len());
}

#[test]
fn a_changed_ballot_is_not_what_the_passkey_signed() {
    let mut forger = Forger::honest();
    let (at, _) = a_passkey_ballot(&forger);
    let choice = other_choice(forger.body(at));
    forger.body(at)["choice"] = choice;
    refuses(&forger.report(LogKey), "V-07", n(at), "signature.webauthn_challenge");
}

/// The member's own signature of another ballot, moved to this one.
#[test]
fn an_assertion_of_another_challenge_is_refused() {
    let mut forger = Forger::honest();
    let (at, passkey) = a_passkey_ballot(&forger);
    let voter = forger.entries[at].record.actor.clone();
    let other = (at + 1..).find(|i| {
        let record = &forger.entries[*i].record;
        record.kind == "ballot.cast" && record.actor == voter
    });
    let moved = forger.entries[other.unwrap()].record.sigs.clone();
    forger.entries[at].record.sigs = moved;
    // Its anchor is younger than the ballot, so that the envelope is refused besides.
    let report = forger.report(LogKey);
    refuses(&report, "V-07", n(at), "signature.webauthn_challenge");
    refuses(&report, "V-07", n(at), "signature.anchor");

    let assertion = passkey.sign(sha256(b"another ballot").as_bytes(), ORIGIN);
    assertion_is_refused(Forger::honest(), at, &assertion, "signature.webauthn_challenge");
}

#[test]
fn an_assertion_for_another_relying_party_is_refused() {
    let forger = Forger::honest();
    let (at, passkey) = a_passkey_ballot(&forger);
    let good = passkey.sign(challenge_of(&forger, at).as_bytes(), ORIGIN);
    let mut data = good.authenticator_data.clone();
    data.splice(..32, sha256(b"evil.example").0);
    let assertion = passkey.sign_parts(data, good.client_data);
    assertion_is_refused(forger, at, &assertion, "signature.webauthn_rp");
}

#[test]
fn an_assertion_from_another_page_is_refused() {
    let forger = Forger::honest();
    let (at, passkey) = a_passkey_ballot(&forger);
    let challenge = challenge_of(&forger, at);
    for origin in ["https://heng.example.evil.example", "http://heng.example"] {
        let assertion = passkey.sign(challenge.as_bytes(), origin);
        assertion_is_refused(forger.clone(), at, &assertion, "signature.webauthn_origin");
    }
    let good = passkey.sign(challenge.as_bytes(), ORIGIN);
    let text = String::from_utf8(good.client_data).unwrap().replace(":false}", ":true}");
    let assertion = passkey.sign_parts(good.authenticator_data, text.into_bytes());
    assertion_is_refused(forger, at, &assertion, "signature.webauthn_embedded");
}

/// A key that was found on the table: touched, but nobody knew the PIN.
#[test]
fn an_assertion_without_verification_of_the_person_is_refused() {
    let forger = Forger::honest();
    let (at, passkey) = a_passkey_ballot(&forger);
    let good = passkey.sign(challenge_of(&forger, at).as_bytes(), ORIGIN);
    for (flags, code) in [(0x01, "signature.webauthn_verification"), (0x04, "signature.webauthn_presence")] {
        let mut data = good.authenticator_data.clone();
        data[32] = flags;
        // Signed by the device itself, then only claimed by the forger.
        let assertion = passkey.sign_parts(data.clone(), good.client_data.clone());
        assertion_is_refused(forger.clone(), at, &assertion, code);
        let claimed = Assertion { authenticator_data: good.authenticator_data.clone(), ..assertion };
        assertion_is_refused(forger.clone(), at, &claimed, "signature.invalid");
    }
}

#[test]
fn a_passkey_signs_for_its_owner_only() {
    let forger = Forger::honest();
    let (at, passkey) = a_passkey_ballot(&forger);
    let voter = forger.entries[at].record.actor.clone();
    let stranger = (at + 1..).find(|i| {
        let record = &forger.entries[*i].record;
        record.kind == "ballot.cast" && record.actor != voter && record.sigs[0].alg == WEBAUTHN_ES256
    });
    let stranger = stranger.unwrap();
    let DeviceKey::Passkey(other) = forger.key(&forger.entries[stranger].record.actor) else { panic!("not a passkey") };
    // Another member's device signs this member's ballot, under this member's name.
    let assertion = other.sign(challenge_of(&forger, at).as_bytes(), ORIGIN);
    assertion_is_refused(forger.clone(), at, &assertion, "signature.invalid");
    // … under the key that it has.
    let mut swapped = forger.clone();
    let anchor = swapped.entries[at].record.sigs[0].at.clone();
    swapped.entries[at].record.sigs = vec![Signature::by_passkey(&assertion, &voter, anchor, &other.public())];
    refuses(&swapped.report(LogKey), "V-07", n(at), "signature.other_key");
    // The voters change places and keep their signatures.
    let mut swapped = forger.clone();
    let name = forger.entries[stranger].record.actor.clone();
    swapped.entries[at].record.actor.clone_from(&name);
    swapped.body(at)["voter"] = json!(name);
    refuses(&swapped.report(LogKey), "V-07", n(at), "signature.missing");
    // The first member's signature for the other's ballot.
    let assertion = passkey.sign(challenge_of(&forger, stranger).as_bytes(), ORIGIN);
    assertion_is_refused(forger, stranger, &assertion, "signature.invalid");
}

#[test]
fn a_signature_keeps_its_parts_and_its_kind() {
    let forger = Forger::honest();
    let (at, _) = a_passkey_ballot(&forger);
    let changed = |at: usize, change: fn(&mut Signature), code: &str| {
        let mut forger = forger.clone();
        change(&mut forger.entries[at].record.sigs[0]);
        refuses(&forger.report(LogKey), "V-07", n(at), code);
    };
    changed(at, |s| s.ad = None, "signature.parts");
    changed(at, |s| (s.ad, s.cd) = (None, None), "signature.parts");
    changed(at, |s| "ed25519".clone_into(&mut s.alg), "signature.algorithm");
    changed(at, |s| s.cd = Some("e30=".to_owned()), "signature.webauthn_form");
    changed(at, |s| s.s = "AAAA".to_owned(), "signature.webauthn_form");
    let plain = a_ballot(&forger);
    changed(plain, |s| (s.ad, s.cd) = (Some(String::new()), Some(String::new())), "signature.parts");
    changed(plain, |s| WEBAUTHN_ES256.clone_into(&mut s.alg), "signature.algorithm");
}

/// The same point registered for a website of the forger's: another key, which the member never confirmed.
#[test]
fn a_passkey_moved_to_another_relying_party_is_found() {
    let mut forger = Forger::honest();
    let (at, _) = a_passkey_ballot(&forger);
    let voter = forger.entries[at].record.actor.clone();
    let seated = forger.find("person.seated", |b| b["person"] == voter.as_str());
    let key = forger.body(seated)["key"].as_str().unwrap().replace(":heng.example:", ":evil.example:");
    forger.body(seated)["key"] = json!(key);
    let report = forger.report(LogKey);
    names(&report, "V-06", n(seated));
    refuses(&report, "V-07", n(at), "signature.other_key");
}

// ── T21: what is published ─────────────────────────────────────────────────────────────────────────────

#[test]
fn a_changed_result_page_is_found() {
    let mut files = honest().clone();
    let text = String::from_utf8(files["result.json"].clone()).unwrap();
    let mut result: Value = serde_json::from_str(&text).unwrap();
    result["winners"].as_array_mut().unwrap().pop();
    files.insert("result.json".to_owned(), result.to_string().into_bytes());
    fix_manifest(&mut files);
    let report = check_files(&files);
    names_file(&report, "V-19", "result.json");
    only(&report, &["V-19"]);
    files.remove("result.json");
    fix_manifest(&mut files);
    only(&check_files(&files), &["V-19"]);
}

/// P42: one character of a notice.
#[test]
fn a_notice_that_differs_by_one_character_is_found() {
    let mut files = honest().clone();
    let path = files.keys().find(|p| p.starts_with("notices/")).unwrap().clone();
    let text = String::from_utf8(files[&path].clone()).unwrap();
    files.insert(path.clone(), text.replacen("公示如下", "公示如上", 1).into_bytes());
    fix_manifest(&mut files);
    let report = check_files(&files);
    names_file(&report, "V-19", &path);
    only(&report, &["V-19"]);
    let record = Forger::honest().first("notice.published").to_string();
    assert!(get(&report, "V-19").findings[0].en.contains(&record), "{}", failures(&report));
}

#[test]
fn a_shortened_notice_is_found() {
    let mut forger = Forger::honest();
    let at = forger.first("notice.published");
    let until = forger.replay().notices[0].1.body.until;
    forger.body(at)["until"] = json!(until.yesterday().unwrap());
    let report = forger.report(Everybody);
    refuses(&report, "V-20", n(at), "notice.until");
}

#[test]
fn a_notice_that_ends_before_its_last_day_is_found() {
    let mut forger = Forger::honest();
    let at = forger.find("stage.closed", |b| b["stage"] == "notice");
    forger.entries[at].record.time = forger.entries[at - 1].record.time;
    let report = forger.report(Everybody);
    let named = report
        .checks
        .iter()
        .flat_map(|c| &c.findings)
        .any(|f| f.record == Some(n(at)) && f.code.as_deref() == Some("gate.notice_running"));
    assert!(named, "{}", failures(&report));
    assert_eq!(report.exit_code(), 1);
}

#[test]
fn a_notice_names_exactly_the_winners() {
    let mut forger = Forger::honest();
    let at = forger.first("notice.published");
    forger.body(at)["names"].as_array_mut().unwrap().pop();
    refuses(&forger.report(Everybody), "V-20", n(at), "notice.names");
}

/// P43: an objection that was received but not answered stops the decision.
#[test]
fn an_unanswered_objection_is_found() {
    let mut forger = Forger::honest();
    let at = forger.first("objection.answered");
    forger.entries.remove(at);
    let decided = forger.first("decision.made");
    let report = forger.report(Everybody);
    refuses(&report, "V-21", n(decided), "decision.open_objections");
}

#[test]
fn a_dropped_objection_breaks_the_anchors() {
    let mut forger = Forger::honest();
    let id = forger.entries[forger.first("objection.received")].record.body["objection"].clone();
    forger.entries.retain(|e| e.record.body.get("objection") != Some(&id));
    failed(&forger.report(LogKey), "V-05");
}

#[test]
fn a_late_objection_is_not_an_objection() {
    let mut forger = Forger::honest();
    let at = forger.first("objection.received");
    let closed = forger.find("stage.closed", |b| b["stage"] == "notice");
    let mut late = forger.entries[at].clone();
    late.was = None;
    late.record.body["objection"] = json!("j:late");
    late.record.time = forger.entries[closed].record.time;
    forger.entries.insert(closed, late);
    refuses(&forger.report(Everybody), "V-20", n(closed), "objection.late");
}

// ── the decision and after ─────────────────────────────────────────────────────────────────────────────

#[test]
fn the_government_cannot_add_a_firm() {
    let mut forger = Forger::honest();
    let at = forger.first("decision.made");
    let selected: Vec<Value> =
        forger.body(at)["approved"].as_array().unwrap().iter().map(|a| a["application"].clone()).collect();
    let friend = (1..=21).map(|i| json!(format!("a:{i:03}"))).find(|a| !selected.contains(a)).unwrap();
    let approved = forger.body(at)["approved"].as_array_mut().unwrap();
    let tier = approved[0]["tier"].clone();
    approved.push(json!({ "application": friend, "tier": tier }));
    let report = forger.clone().report(Everybody);
    refuses(&report, "V-21", n(at), "decision.not_selected");
    let report = forger.report(LogKey);
    names(&report, "V-07", n(at));
    failed(&report, "V-05");
}

#[test]
fn a_selected_firm_is_not_passed_over_in_silence() {
    let mut forger = Forger::honest();
    let at = forger.first("decision.made");
    forger.body(at)["approved"].as_array_mut().unwrap().pop();
    refuses(&forger.report(Everybody), "V-21", n(at), "decision.silent");
}

#[test]
fn another_prize_is_found() {
    let mut forger = Forger::honest();
    let at = forger.first("honour.conferred");
    let prize = forger.body(at)["prize_fen"].as_u64().unwrap();
    forger.body(at)["prize_fen"] = json!(prize + 1);
    refuses(&forger.report(Everybody), "V-21", n(at), "honour.prize");
}

#[test]
fn a_certificate_number_that_was_given_before_is_found() {
    let mut forger = Forger::honest();
    let all = forger.all("honour.conferred");
    let (first, second) = (all[0], all[1]);
    for number in [forger.body(first)["certificate"].clone(), json!("")] {
        let mut forger = Forger::honest();
        forger.body(second)["certificate"] = number;
        refuses(&forger.report(Everybody), "V-21", n(second), "honour.certificate");
    }
}

#[test]
fn another_certificate_than_the_office_carried_over_is_found() {
    let mut forger = Forger::honest();
    let at = forger.first("honour.conferred");
    forger.body(at)["certificate"] = json!("ANOTHER-01");
    names(&forger.report(Everybody), "V-21", n(at));
}

/// T31, P37: marks that are due and not opened.
#[test]
fn overdue_openings_are_found() {
    let mut forger = Forger::honest();
    let at = forger.first("scores.opened");
    forger.entries.remove(at);
    for entry in &mut forger.entries {
        entry.openings.clear();
    }
    let report = forger.report(Everybody);
    failed(&report, "V-22");
    assert_eq!(get(&report, "V-15").status, Status::Sealed, "nothing is guessed");
}

#[test]
fn late_openings_are_found() {
    let mut forger = Forger::honest();
    let at = forger.first("scores.opened");
    let end = forger.find("stage.closed", |b| b["stage"] == "conferral");
    let mut opened = forger.entries.remove(at);
    opened.record.time = forger.entries[end - 2].record.time;
    forger.entries.insert(end - 1, opened);
    let report = forger.report(Everybody);
    failed(&report, "V-22");
}

#[test]
fn early_openings_are_refused() {
    let mut forger = Forger::honest();
    let at = forger.first("scores.opened");
    let notice = forger.first("notice.published");
    let mut opened = forger.entries.remove(at);
    opened.record.time = forger.entries[notice - 1].record.time;
    forger.entries.insert(notice, opened);
    refuses(&forger.report(Everybody), "V-22", n(notice), "opening.early");
}

/// P46: while something is sealed, nobody says that all is well.
#[test]
fn before_the_opening_the_marks_are_sealed_and_not_ok() {
    let mut forger = Forger::honest();
    let at = forger.first("scores.opened");
    forger.entries.truncate(at);
    for entry in &mut forger.entries {
        entry.openings.clear();
    }
    let files = forger.files(Everybody);
    let report = check_files(&files);
    only(&report, &[]);
    assert_eq!(report.exit_code(), 2);
    for id in ["V-14", "V-15", "V-22"] {
        assert_eq!(get(&report, id).status, Status::Sealed, "{id}");
    }
}

/// T30: marks and scores are no personal data.
#[test]
fn a_mark_cannot_be_erased() {
    for kind in ["score.submitted", "scores.computed", "consensus.agreed"] {
        let mut forger = Forger::honest();
        let seq = forger.first(kind);
        let end = forger.entries.len();
        let body = json!({ "ground": "个人信息保护法第四十七条", "seq": seq });
        forger.insert(end, "p:0001", "privacy.erased", body, &["p:0001", "p:0002"]);
        refuses(&forger.report(Everybody), "V-23", n(end), "erasure.forbidden");
    }
}

#[test]
fn personal_data_can_be_erased_and_everything_still_verifies() {
    let mut forger = Forger::honest();
    let seq = forger.first("objection.received");
    let end = forger.entries.len();
    let body = json!({ "ground": "个人信息保护法第四十七条", "seq": seq });
    forger.insert(end, "p:0001", "privacy.erased", body, &["p:0001", "p:0002"]);
    let report = forger.report(Everybody);
    assert_eq!(report.exit_code(), 0, "{}", failures(&report));
    assert_eq!(get(&report, "V-23").status, Status::Ok);
}

// ── T19: the rules ─────────────────────────────────────────────────────────────────────────────────────

#[test]
fn changed_rules_are_found() {
    let mut files = honest().clone();
    let text = String::from_utf8(files["rules.json"].clone()).unwrap();
    files.insert("rules.json".to_owned(), text.replacen("\"prize_fen\"", "\"prize_fem\"", 1).into_bytes());
    fix_manifest(&mut files);
    let report = check_files(&files);
    names_file(&report, "V-08", "rules.json");
    only(&report, &["V-08"]);
}

/// Even with every key, the rules of the edition are those that the office registered before it began.
#[test]
fn rules_changed_in_the_first_record_are_found() {
    let mut forger = Forger::honest();
    let prize = forger.body(0)["rules"]["tiers"][0]["prize_fen"]["value"].as_u64().unwrap();
    forger.body(0)["rules"]["tiers"][0]["prize_fen"]["value"] = json!(prize + 100);
    names(&forger.report(Everybody), "V-08", 0);
}

#[test]
fn criteria_cannot_be_adopted_twice() {
    let mut forger = Forger::honest();
    let at = forger.first("criteria.adopted");
    let mut copy = forger.entries[at].clone();
    copy.was = None;
    copy.record.actor = "p:0001".to_owned();
    let call = forger.first("call.published");
    copy.record.time = forger.entries[call].record.time;
    forger.entries.insert(call + 1, copy);
    refuses(&forger.report(Everybody), "V-08", n(call + 1), "criteria.frozen");
}

// ── T6: two views ──────────────────────────────────────────────────────────────────────────────────────

/// P06: a forgery with every key there is agrees with itself, and is found by anybody who holds an older bundle.
#[test]
fn a_fork_is_found_by_an_older_bundle() {
    let mut forger = Forger::honest();
    forger.entries[600].record.basis.push('!');
    let files = forger.files(Everybody);
    only(&check_files(&files), &[]);
    for (one, other) in [(&files, honest()), (honest(), &files)] {
        let options = Options { code: None, against: Some(bundle(other)) };
        let report = verify(&bundle(one), &options).unwrap();
        only(&report, &["V-24"]);
        let first = get(&report, "V-24").findings[0].record.unwrap();
        assert!(first <= 600, "the fork is at {first}");
    }
}

#[test]
fn an_older_bundle_of_the_same_history_agrees() {
    let mut forger = Forger::honest();
    forger.entries.truncate(700);
    let older = forger.files(LogKey);
    for (one, other) in [(&older, honest()), (honest(), &older)] {
        let options = Options { code: None, against: Some(bundle(other)) };
        let report = verify(&bundle(one), &options).unwrap();
        assert_eq!(get(&report, "V-24").status, Status::Ok, "{}", failures(&report));
    }
}

/// P07: the printed code.
#[test]
fn a_root_code_accepts_its_bundle_and_no_other() {
    let report = check_files(honest());
    let with = |code: &str| {
        let options = Options { code: Some(code.to_owned()), against: None };
        verify(&bundle(honest()), &options).unwrap()
    };
    assert_eq!(get(&with(&report.root_code), "V-24").status, Status::Ok);
    assert_eq!(get(&with(&report.root_code.to_lowercase()), "V-24").status, Status::Ok);
    let mut forger = Forger::honest();
    forger.entries[600].record.basis.push('!');
    let other = check_files(&forger.files(Everybody)).root_code;
    failed(&with(&other), "V-24");
    let short: String = report.root_code.chars().take(12).collect();
    let report = with(&short);
    let finding = &failed(&report, "V-24").findings[0];
    assert!(finding.en.contains("short"), "{}", finding.en);
}

// ── the office log ─────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_changed_office_record_is_named_with_its_log() {
    let mut files = honest().clone();
    let path = files.keys().find(|p| p.starts_with("office/tile/entries/")).unwrap().clone();
    files.get_mut(&path).unwrap()[40] ^= 1;
    fix_manifest(&mut files);
    let report = check_files(&files);
    let finding = failed(&report, "V-02").findings.iter().find(|f| f.record == Some(0)).unwrap();
    assert_eq!(finding.log.as_deref(), Some("simulation.example/office"));
}

/// Groups decide on reserved seats: they are the office's word, not the edition's.
#[test]
fn groups_are_those_of_the_office_log() {
    let mut forger = Forger::honest();
    let at = forger.find("organisation.entered", |b| b["groups"].as_array().unwrap().is_empty());
    forger.body(at)["groups"] = json!(["srdi"]);
    names(&forger.report(Everybody), "V-06", n(at));
}

/// Bans and honours decide on conditions and prizes.
#[test]
fn a_standing_is_that_of_the_office_log() {
    let mut forger = Forger::honest();
    let at = forger.first("organisation.entered");
    // An honour long ago changes no condition, but makes a winner "repeated".
    forger.body(at)["standing"]["honours"] = json!(["2001-01-01"]);
    names(&forger.report(Everybody), "V-06", n(at));
}

#[test]
fn without_the_office_log_keys_are_not_called_checked() {
    let mut files = honest().clone();
    files.retain(|path, _| !path.starts_with("office/"));
    fix_manifest(&mut files);
    let report = check_files(&files);
    assert_eq!(get(&report, "V-06").status, Status::Sealed);
    assert_ne!(report.exit_code(), 0);
}

/// A record is canonical: the same record in other bytes is another record.
#[test]
fn a_record_in_another_form_is_found() {
    let files = honest();
    let record = &read_entries(files, size_of(files))[500];
    let text = String::from_utf8(record.clone()).unwrap();
    assert!(Record::parse(record).is_ok());
    for other in [text.replacen(':', ": ", 1), format!("{text}\n"), text.replacen("{\"", "{ \"", 1)] {
        assert!(Record::parse(other.as_bytes()).is_err(), "{other}");
    }
}
