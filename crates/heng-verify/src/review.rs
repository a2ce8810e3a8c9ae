//! V-09 to V-15: applications, eligibility, recusals, draws, scorebooks, openings, scores and shortlists.

use std::collections::{BTreeMap, BTreeSet};

use heng_domain::edition::events::OpinionAnswer;
use heng_domain::edition::{Edition, HiddenFields};
use heng_domain::evaluation::by_items;

use crate::checks::{Checks, Openings};
use crate::report::Sentence;

// ── V-09 to V-11 ───────────────────────────────────────────────────────────────────────────────────────

pub(crate) fn process(edition: &Edition, checks: &mut Checks) {
    let count = edition.applications.len();
    let closes = edition
        .call
        .as_ref()
        .map(|c| c.closes.local(edition.rules().utc_offset_minutes).to_string())
        .unwrap_or_default();
    checks.say("V-09", Sentence::new("v09").with("count", count).with("closes", closes));
    let decided: Vec<_> = edition.applications.values().filter_map(|a| a.review.as_ref()).collect();
    let passed = decided.iter().filter(|review| review.passed).count();
    let conditions: usize = edition.applications.values().map(|a| a.checks.len()).sum();
    checks.say(
        "V-10",
        Sentence::new("v10")
            .with("conditions", conditions)
            .with("passed", passed)
            .with("refused", decided.len() - passed),
    );
    if let Some(asked) = &edition.opinions {
        let objections = asked.answers.values().filter(|(body, _)| body.answer == OpinionAnswer::Objection).count();
        let silent: usize =
            edition.applications.values().filter_map(|a| a.review.as_ref()).map(|review| review.silent.len()).sum();
        let step = Sentence::new("s_opinions")
            .with("departments", edition.rules().opinions.as_ref().map_or(0, |rules| rules.departments.len()))
            .with("applications", asked.applications.len())
            .with("day", asked.until)
            .with("answers", asked.answers.len())
            .with("objections", objections)
            .with("silent", silent);
        checks.get("V-10").step(step);
    }
    for (id, application) in &edition.applications {
        if let Some(review) = application.review.as_ref().filter(|review| !review.passed) {
            let names: Vec<&str> = review.failing.iter().map(String::as_str).collect();
            checks
                .get("V-10")
                .step(Sentence::new("s_refused").with("application", id).with("conditions", names.join(", ")));
        }
    }
    // Whoever declares a conflict stays on the panel and leaves this one application out: only a sheet on it is taking part.
    let judged = |person: &String, application: &String| {
        edition.sheets.values().any(|s| s.submitted.get(application).is_some_and(|by| by.contains_key(person)))
    };
    let conflicts = edition.recusals.keys().filter(|(person, application)| judged(person, application)).count();
    checks.say(
        "V-11",
        Sentence::new("v11")
            .with("recusals", edition.recusals.len())
            .with("panels", edition.panels.len())
            .with("conflicts", conflicts),
    );
    for ((person, application), ground) in &edition.recusals {
        let step =
            Sentence::new("s_recusal").with("person", person).with("application", application).with("ground", ground);
        checks.get("V-11").step(step);
    }
    if !edition.pledges.is_empty() {
        // One text for everybody, unless the office changed it on the way: then it shows here.
        let texts: BTreeSet<_> = edition.pledges.values().collect();
        let step = Sentence::new("s_pledges").with("count", edition.pledges.len()).with("texts", texts.len());
        checks.get("V-11").step(step);
    }
    for (id, panel) in &edition.panels {
        for change in &panel.replaced {
            let step = Sentence::new("s_member_replaced")
                .with("panel", id)
                .with("out", &change.out)
                .with("by", &change.by)
                .with("reason", &change.reason);
            checks.get("V-11").step(step);
        }
    }
    if edition.panels.is_empty() && edition.recusals.is_empty() && edition.pledges.is_empty() {
        checks.get("V-11").nothing();
    }
}

// ── V-12 ───────────────────────────────────────────────────────────────────────────────────────────────

pub(crate) fn draws(edition: &Edition, checks: &mut Checks) {
    let mut replaced = 0;
    let mut drawn = 0;
    for (id, state) in &edition.draws {
        replaced += state.replaced.len();
        if let Some((reason, time)) = &state.voided {
            checks.get("V-12").step(Sentence::new("s_draw_void").with("draw", id).with("reason", reason));
            // Given up after its numbers were known: the office may have disliked the result.
            if let Some(plan) = state.plan.as_ref().filter(|plan| edition.day(*time) >= plan.sources_on) {
                checks.get("V-12").fail_record(None, plan.seq, &Sentence::new("f_draw_void").with("draw", id));
            }
            continue;
        }
        let (Some(published), Some(revealed)) = (&state.plan, &state.revealed) else {
            checks.get("V-12").step(Sentence::new("s_draw_open").with("draw", id));
            continue;
        };
        let values: Vec<String> =
            revealed.values.iter().map(|v| format!("{} {} = {}", v.source, v.period, v.value)).collect();
        let step = Sentence::new("s_draw_plan")
            .with("draw", id)
            .with("pool", state.lines.len())
            .with("record", published.seq)
            .with("day", published.sources_on)
            .with("values", values.join("; "));
        checks.get("V-12").step(step);
        for stratum in &revealed.result {
            drawn += stratum.taken.len();
            let names = |list: &[u64]| list.iter().filter_map(|p| state.line(*p)).collect::<Vec<_>>().join(" ");
            let step = Sentence::new("s_draw_result")
                .with("stratum", &stratum.id)
                .with("taken", names(&stratum.taken))
                .with("reserve", names(&stratum.reserve));
            checks.get("V-12").step(step);
        }
        for r in &state.replaced {
            checks
                .get("V-12")
                .step(Sentence::new("s_replaced").with("out", &r.out).with("by", &r.by).with("reason", &r.reason));
        }
    }
    checks.say(
        "V-12",
        Sentence::new("v12").with("draws", edition.draws.len()).with("drawn", drawn).with("replaced", replaced),
    );
    if edition.draws.is_empty() {
        checks.get("V-12").nothing();
    }
}

// ── V-13 to V-15 ───────────────────────────────────────────────────────────────────────────────────────

pub(crate) fn sheets(edition: &Edition, openings: &Openings, checks: &mut Checks) {
    let submitted: usize = edition.sheets.values().flat_map(|s| s.submitted.values()).map(BTreeMap::len).sum();
    let agreed: usize = edition.sheets.values().map(|s| s.agreed.len()).sum();
    checks.say("V-13", Sentence::new("v13").with("sheets", submitted).with("agreed", agreed));
    for ((stage, application), visit) in &edition.visits {
        let items = edition.found_items(stage, application).into_iter().collect::<Vec<_>>().join(" ");
        let step = Sentence::new("s_visit")
            .with("stage", stage)
            .with("application", application)
            .with("issues", visit.issues.len())
            .with("findings", visit.log.len())
            .with("items", items);
        checks.get("V-13").step(step);
    }
    let hidden: usize = edition.hidden.values().map(HiddenFields::count).sum();
    let opened: usize = openings.values().map(Vec::len).sum();
    let erased: usize = edition.erased.keys().filter_map(|seq| edition.hidden.get(seq)).map(HiddenFields::count).sum();
    let mut missing = 0usize;
    for seq in edition.opened_scores.keys() {
        let known = openings.get(seq).map(Vec::as_slice).unwrap_or_default();
        for path in edition.disclosed_paths(*seq).filter(|path| !known.iter().any(|o| o.path == **path)) {
            missing += 1;
            let sentence = Sentence::new("f_opening_missing").with("path", path);
            checks.get("V-14").fail_record(None, *seq, &sentence);
        }
    }
    let due = edition.disclosable().iter().map(|seq| edition.disclosed_paths(*seq).count()).sum::<usize>();
    let waiting = if edition.opened_scores.is_empty() { due } else { missing };
    checks.say(
        "V-14",
        Sentence::new("v14")
            .with("opened", opened)
            .with("sealed", hidden - opened.min(hidden))
            .with("due", waiting)
            .with("erased", erased),
    );
    if waiting > 0 {
        checks.get("V-14").seal();
    }
    if submitted == 0 {
        checks.get("V-13").nothing();
    }
    scores(edition, checks);
}

pub(crate) fn points(score: u64) -> String {
    format!("{}.{:02}", score / 100, score % 100)
}

fn scores(edition: &Edition, checks: &mut Checks) {
    let mut cases = 0;
    let mut sealed = 0;
    for (stage, sheets) in &edition.sheets {
        let Some((_, applications)) = &sheets.computed else {
            continue;
        };
        let method = edition.rules().stage(stage).and_then(|s| s.scoring.as_ref()).map(|s| s.method.value);
        for application in applications {
            cases += 1;
            match edition.stage_score(stage, application) {
                Ok(Some(score)) => {
                    let count = edition.counting_sheets(stage, application).len();
                    let key = if method.is_some_and(by_items) { "s_score" } else { "s_mark" };
                    let step = Sentence::new(key)
                        .with("stage", stage)
                        .with("application", application)
                        .with("score", points(score))
                        .with("sheets", count);
                    checks.get("V-15").step(step);
                }
                Ok(None) => sealed += 1,
                // The refusal of `scores.computed` has named the record already.
                Err(_) => {}
            }
        }
    }
    for (stage, shortlist) in &edition.shortlists {
        let last = shortlist.kept.last().and_then(|a| Some((a, edition.composite(a)?)));
        let first_out = shortlist.cut.iter().filter_map(|a| Some((edition.composite(a)?, a))).max();
        if let (Some((kept, score)), Some((out_score, out))) = (last, first_out) {
            let step = Sentence::new("s_cut")
                .with("stage", stage)
                .with("kept", kept)
                .with("score", points(score))
                .with("out", out)
                .with("out_score", points(out_score))
                .with("count", shortlist.kept.len());
            checks.get("V-15").step(step);
        }
    }
    checks.say(
        "V-15",
        Sentence::new("v15").with("cases", cases).with("shortlists", edition.shortlists.len()).with("sealed", sealed),
    );
    if sealed > 0 {
        checks.get("V-15").seal();
    }
    if cases == 0 {
        checks.get("V-15").nothing();
    }
}
