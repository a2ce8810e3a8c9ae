//! V-16 to V-23: votes, what is published, notices, decision, honours, prizes, disclosure, erasure.

use std::collections::BTreeSet;

use heng_domain::edition::events::{Cite, HonourConferred, Role};
use heng_domain::edition::{Edition, PublicResult};
use heng_domain::office::Office;
use heng_domain::rules::{BallotKind, ScoreDisclosure};
use heng_log::canonical;

use crate::bundle::Bundle;
use crate::checks::Checks;
use crate::report::Sentence;
use crate::review::points;

// ── V-16 to V-18 ───────────────────────────────────────────────────────────────────────────────────────

pub(crate) fn votes(edition: &Edition, checks: &mut Checks) {
    let members = edition.sessions.values().map(|s| s.members.len()).max().unwrap_or(0);
    checks.say(
        "V-16",
        Sentence::new("v16")
            .with("sessions", edition.sessions.len())
            .with("members", members)
            .with("motions", edition.motions.len()),
    );
    let ballots: usize = edition.motions.iter().map(|(_, m)| m.ballots.len()).sum();
    let corrections =
        edition.motions.iter().flat_map(|(_, m)| &m.ballots).filter(|b| b.body.supersedes.is_some()).count();
    let papers = edition.motions.iter().filter(|(_, m)| m.paper.is_some()).count();
    checks.say(
        "V-17",
        Sentence::new("v17").with("ballots", ballots).with("corrections", corrections).with("papers", papers),
    );
    let mut decided = 0;
    for (id, motion) in &edition.motions {
        let Some(rules) = edition.rules().stage(&motion.stage).and_then(|s| s.committee.as_ref()) else {
            continue;
        };
        if let Some(paper) = &motion.paper {
            let step = Sentence::new("s_paper")
                .with("motion", id)
                .with("issued", paper.issued)
                .with("returned", paper.returned)
                .with("invalid", paper.invalid);
            checks.get("V-17").step(step);
        }
        for counted in &motion.counts {
            decided += 1;
            let count = &counted.count;
            let name = edition.applicant(&counted.option);
            let sign = rules.pass.cmp.sign(count.passed);
            let recused = motion.recused.get(&counted.option).map_or(0, BTreeSet::len);
            let step = Sentence::new(if count.passed { "s_passed" } else { "s_not_passed" })
                .with("motion", id)
                .with("name_zh", name.map_or(counted.option.as_str(), |o| o.name.zh.as_str()))
                .with("name_en", name.map_or(counted.option.as_str(), |o| o.name.en.as_str()))
                .with("present", motion.present.len())
                .with("recused", recused)
                .with("base", count.base)
                .with("yes", count.yes)
                .with("no", count.no)
                .with("abstain", count.abstain)
                .with("num", rules.pass.num)
                .with("den", rules.pass.den)
                .with("left", u64::from(count.yes) * u64::from(rules.pass.den))
                .with("right", u64::from(count.base) * u64::from(rules.pass.num))
                .with("sign", sign);
            checks.get("V-18").step(step);
        }
        if rules.ballot.value == BallotKind::RollCall {
            let paper = motion.ballots.iter().filter(|ballot| ballot.body.paper.is_some());
            let records: Vec<String> = paper.map(|ballot| ballot.seq.to_string()).collect();
            if !records.is_empty() {
                let step = Sentence::new("s_from_paper").with("motion", id).with("count", records.len());
                checks.get("V-17").step(step.with("records", records.join(", ")));
            }
            if !motion.refused.is_empty() {
                let step = Sentence::new("s_ballots_refused").with("motion", id).with("count", motion.refused.len());
                checks.get("V-17").step(step);
            }
            let voted = motion.counting().len();
            checks.get("V-16").step(
                Sentence::new("s_quorum").with("motion", id).with("present", motion.present.len()).with("voted", voted),
            );
        }
    }
    checks.say("V-18", Sentence::new("v18").with("counts", decided));
    if edition.sessions.is_empty() {
        for id in ["V-16", "V-17", "V-18"] {
            checks.get(id).nothing();
        }
    }
}

// ── V-19 and V-20 ──────────────────────────────────────────────────────────────────────────────────────

pub(crate) fn published(bundle: &Bundle, edition: &Edition, checks: &mut Checks) {
    let expected = edition.public_result();
    let found = bundle.get("result.json");
    let parsed: Option<PublicResult> = found.and_then(|bytes| serde_json::from_slice(bytes).ok());
    let written = expected
        .as_ref()
        .and_then(|r| serde_json::to_value(r).ok())
        .and_then(|v| canonical::to_bytes_unbounded(&v).ok());
    if found != written.as_deref() {
        let winners = |r: &Option<PublicResult>| {
            r.as_ref()
                .map(|r| r.winners.iter().map(|w| w.name.zh.clone()).collect::<Vec<_>>().join("、"))
                .unwrap_or_default()
        };
        let sentence = Sentence::new("f_result").with("found", winners(&parsed)).with("expected", winners(&expected));
        checks.get("V-19").fail_file("result.json", &sentence);
    }
    for (id, notice) in &edition.notices {
        let file = format!("notices/{id}.json");
        let wanted =
            serde_json::json!({ "title": notice.body.title, "text": notice.body.text, "until": notice.body.until });
        let wanted = canonical::to_bytes_unbounded(&wanted).unwrap_or_default();
        if bundle.get(&file) != Some(&wanted) {
            checks.get("V-19").fail_file(&file, &Sentence::new("f_notice_text").with("record", notice.seq));
        }
        let step = Sentence::new("s_notice")
            .with("notice", id)
            .with("from", edition.day(notice.time))
            .with("until", notice.body.until);
        checks.get("V-20").step(step);
    }
    let count = expected.as_ref().map_or(0, |r| r.winners.len());
    checks.say("V-19", Sentence::new("v19").with("winners", count).with("notices", edition.notices.len()));
    let accepted = edition.objections.iter().filter(|(_, o)| o.screened.as_ref().is_some_and(|(a, _)| *a)).count();
    let answered = edition.objections.iter().filter(|(_, o)| o.answer.is_some()).count();
    checks.say(
        "V-20",
        Sentence::new("v20")
            .with("notices", edition.notices.len())
            .with("objections", edition.objections.len())
            .with("accepted", accepted)
            .with("answered", answered),
    );
    if edition.notices.is_empty() {
        checks.get("V-20").nothing();
    }
}

// ── V-21 to V-24 ───────────────────────────────────────────────────────────────────────────────────────

pub(crate) fn ending(edition: &Edition, office: Option<&Office>, checks: &mut Checks) {
    let total: u64 = edition.honours.iter().map(|(h, _, _)| h.prize_fen).sum();
    let number = edition.decision.as_ref().map(|(d, _)| d.number.clone()).unwrap_or_default();
    checks.say(
        "V-21",
        Sentence::new("v21").with("number", number).with("honours", edition.honours.len()).with("total", points(total)),
    );
    for (honour, seq, _) in &edition.honours {
        let step = Sentence::new("s_honour")
            .with("certificate", &honour.certificate)
            .with("application", &honour.application)
            .with("prize", points(honour.prize_fen));
        checks.get("V-21").step(step);
        if let Some(office) = office {
            carried(edition, office, honour, *seq, checks);
        }
    }
    if edition.decision.is_none() {
        checks.get("V-21").nothing();
    }
    disclosure(edition, checks);
    checks.say("V-23", Sentence::new("v23").with("count", edition.erased.len()));
    for (seq, ground) in &edition.erased {
        checks.get("V-23").step(Sentence::new("s_erased").with("record", seq).with("ground", ground));
    }
    if edition.erased.is_empty() {
        checks.get("V-23").nothing();
    }
    let supervised = edition.seats.values().any(|seat| seat.roles.contains(&Role::Supervisor));
    if !supervised {
        checks.get("V-16").step(Sentence::new("s_no_supervisor"));
    }
}

/// What the office log took over from this honour is the same. Carrying over may still be on its way.
fn carried(edition: &Edition, office: &Office, honour: &HonourConferred, seq: u64, checks: &mut Checks) {
    let organisation = edition.applications.get(&honour.application).map(|a| a.body.organisation.clone());
    let cites = |cite: Option<&Cite>| cite.is_some_and(|c| c.log == edition.log && c.seq == seq);
    for registered in office.honours.values().filter(|h| cites(h.body.cite.as_ref())) {
        let body = &registered.body;
        let same = body.certificate == honour.certificate
            && Some(&body.organisation) == organisation.as_ref()
            && body.tier == honour.tier
            && body.year == edition.opened.year;
        if !same {
            let sentence = Sentence::new("f_carried").with("certificate", &honour.certificate);
            checks.get("V-21").fail_record(None, seq, &sentence);
        }
    }
    let account = organisation.map(|o| format!("payable:{o}")).unwrap_or_default();
    let entries: Vec<_> = office.entries.iter().filter(|e| cites(e.cite.as_ref())).collect();
    let owed: i64 = entries
        .iter()
        .flat_map(|e| &e.lines)
        .filter(|l| l.account == account)
        .map(|l| l.fen)
        .fold(0, i64::saturating_add);
    if !entries.is_empty() && i64::try_from(honour.prize_fen).ok() != owed.checked_neg() {
        let sentence = Sentence::new("f_ledger").with("certificate", &honour.certificate).with("owed", owed);
        checks.get("V-21").fail_record(None, seq, &sentence);
    }
}

fn disclosure(edition: &Edition, checks: &mut Checks) {
    let rule = &edition.rules().disclosure;
    if rule.scores.value == ScoreDisclosure::Sealed {
        checks.say("V-22", Sentence::new("v22_never").with("basis", &rule.scores.basis));
        checks.get("V-22").nothing();
        return;
    }
    let due = edition.winners_published().and_then(|time| time.plus_days(i64::from(rule.open_within_days.value)));
    let Some(due) = due else {
        checks.get("V-22").nothing();
        return;
    };
    let opened = edition.opened_scores.values().next();
    match opened {
        Some(time) if *time <= due => {
            checks.say("V-22", Sentence::new("v22").with("opened", edition.day(*time)).with("due", edition.day(due)))
        }
        Some(time) => {
            checks.say("V-22", Sentence::new("v22").with("opened", edition.day(*time)).with("due", edition.day(due)));
            let records: Vec<u64> = edition.opened_scores.keys().copied().collect();
            let first = records.first().copied().unwrap_or(0);
            checks.get("V-22").fail_record(None, first, &Sentence::new("f_late_opening").with("due", edition.day(due)));
        }
        // The newest record is the only time that the verifier knows.
        None if edition.last > due => {
            checks.say("V-22", Sentence::new("v22_waiting").with("due", edition.day(due)));
            checks.get("V-22").fail_record(
                None,
                edition.size.saturating_sub(1),
                &Sentence::new("f_overdue").with("due", edition.day(due)),
            );
        }
        None => {
            checks.say("V-22", Sentence::new("v22_waiting").with("due", edition.day(due)));
            checks.get("V-22").seal();
        }
    }
}
