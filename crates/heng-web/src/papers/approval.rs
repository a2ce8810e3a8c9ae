//! Papers of the end: the notice (拟奖公示), the pack for the government (呈批材料), the decision (表彰决定), certificates,
//! the prize list (奖金发放清单).

use heng_domain::edition::events::Role;
use heng_domain::edition::{Objection, Thing};
use heng_domain::rules::StageKind;

use super::{At, ONLY, Paper};
use crate::edition::comparison;
use crate::words::{money, points};

// ── notice ──────────────────────────────────────────────────────────────────────────────────────────────

/// Public once it is in the log.
pub(super) fn notices(at: &At<'_>) -> Vec<(String, String)> {
    at.edition.notices.iter().map(|(id, n)| (id.clone(), n.body.title.get(at.lang).to_owned())).collect()
}

pub(super) fn notice(at: &At<'_>, id: &str) -> Option<Paper> {
    let notice = at.edition.notice(id)?;
    let rules = at.edition.rules();
    let window = rules.stage(&notice.body.stage).and_then(|stage| stage.notice.as_ref())?;
    let mut paper = Paper::new(notice.body.title.get(at.lang).to_owned(), at.issuer());
    let day = at.edition.day(notice.time);
    let before = rules.stages.iter().filter(|stage| {
        let closed = at.edition.stages.get(&stage.id).and_then(|state| state.closed);
        closed.is_some_and(|closed| closed <= notice.time)
    });
    let before: Vec<String> = before.map(|stage| stage.name.get(at.lang).to_owned()).collect();
    let document = rules.document.title.get(at.lang);
    let places = [("document", document), ("number", &rules.document.number), ("stages", &at.joined(&before))];
    paper.text(at.tp("notice_basis", &places));
    paper.quoted(notice.body.text.get(at.lang));
    paper.table(at.columns(["place", "applicant", "county", "tier"]), named(at, &notice.body.names));
    paper.heading(at.t("notice_window"));
    let (from, until) = (at.day(day), at.day(notice.body.until));
    paper.text(at.tp("notice_window_text", &[("from", &from), ("until", &until)]));
    let channels: Vec<String> = window.channels.value.iter().map(|c| c.get(at.lang).to_owned()).collect();
    paper.heading(at.t("notice_object"));
    let name = at.t(if window.real_name.value { "notice_real_name" } else { "notice_any_name" });
    let days = window.answer_days.value.to_string();
    let places = [("name", name.as_str()), ("days", days.as_str()), ("channels", &at.joined(&channels))];
    paper.text(at.tp("notice_object_text", &places));
    paper.signed(at.issuer().to_owned(), day);
    paper.records.push(notice.seq);
    Some(paper)
}

/// Applications with county and, where they are chosen, tier.
fn named(at: &At<'_>, applications: &[String]) -> Vec<Vec<String>> {
    let winners = at.edition.standing_winners();
    let row = |(place, application): (usize, &String)| {
        let tier = winners.iter().find(|(winner, _)| winner == application).map(|(_, tier)| at.tier(tier));
        vec![(place + 1).to_string(), at.name(application), at.county(application), tier.unwrap_or_default()]
    };
    applications.iter().enumerate().map(row).collect()
}

// ── pack ────────────────────────────────────────────────────────────────────────────────────────────────

/// For those who read every dossier, once somebody is chosen.
pub(super) fn packs(at: &At<'_>) -> Vec<(String, String)> {
    let chosen = at.edition.winners().is_some() && at.oversees();
    chosen.then(|| (ONLY.to_owned(), at.award())).into_iter().collect()
}

pub(super) fn pack(at: &At<'_>, _: &str) -> Option<Paper> {
    let mut paper = Paper::new(at.tp("pack_title", &[("award", &at.award())]), at.issuer());
    paper.addressee = Some(at.tp("to", &[("name", at.issuer())]));
    let document = &at.edition.rules().document;
    let places = [("document", document.title.get(at.lang)), ("number", &document.number)];
    paper.text(at.tp("pack_text", &places));
    proposed(at, &mut paper);
    stages(at, &mut paper);
    votes(at, &mut paper);
    heard(at, &mut paper);
    recusals(at, &mut paper);
    money_table(at, &mut paper);
    paper.signatures = ["prepared_by", "checked_by", "sign_supervisor", "sign_authority"].map(|key| at.t(key)).to_vec();
    Some(paper)
}

fn proposed(at: &At<'_>, paper: &mut Paper) {
    paper.heading(at.t("pack_winners"));
    let stage = at.edition.winners_stage().map(|(stage, _)| stage.to_owned());
    let counts = stage.map(|stage| at.edition.announced(&stage)).unwrap_or_default();
    let row = |(place, (application, tier)): (usize, &(&str, &str))| {
        let votes = counts.iter().find(|(option, _)| option == application);
        let votes = votes.map(|(_, c)| format!("{} / {}", c.yes, c.base)).unwrap_or_default();
        let score = at.composite(application).map_or_else(|| at.t("sealed"), points);
        let name = at.name(application);
        vec![(place + 1).to_string(), at.tier(tier), name, at.county(application), score, votes]
    };
    let rows = at.edition.standing_winners().iter().enumerate().map(row).collect();
    paper.table(at.columns(["place", "tier", "applicant", "county", "composite", "yes_of_base"]), rows);
    let empty: u32 = at.edition.winners().into_iter().flatten().map(|tier| tier.empty).sum();
    if empty > 0 {
        paper.text(at.tp("pack_empty", &[("count", &empty.to_string())]));
    }
}

fn stages(at: &At<'_>, paper: &mut Paper) {
    paper.heading(at.t("pack_stages"));
    let row = |stage: &heng_domain::rules::Stage| {
        let state = at.edition.stages.get(&stage.id).copied().unwrap_or_default();
        let day = |time: Option<heng_domain::time::Instant>| {
            time.map_or_else(|| at.t("not_yet"), |time| at.day(at.edition.day(time)))
        };
        vec![stage.name.get(at.lang).to_owned(), day(state.opened), day(state.closed), stage.basis.clone()]
    };
    let rows = at.edition.rules().stages.iter().map(row).collect();
    paper.table(at.columns(["stage", "opened", "closed", "basis"]), rows);
}

fn votes(at: &At<'_>, paper: &mut Paper) {
    let Some((stage, rules)) = at.edition.winners_stage() else { return };
    paper.heading(at.t("pack_votes"));
    let rows = at.edition.announced(stage).into_iter().map(|(application, c)| {
        vec![
            at.name(&application),
            c.yes.to_string(),
            c.no.to_string(),
            c.abstain.to_string(),
            comparison(&rules.pass, c.yes, c.base, c.passed),
            at.t(if c.passed { "vote_passed" } else { "vote_failed" }),
        ]
    });
    paper.table(at.columns(["applicant", "yes", "no", "abstain", "sum", "verdict"]), rows.collect());
    let signed = at.edition.sessions.iter().filter(|(_, session)| session.stage == stage);
    for (id, hash) in signed.filter_map(|(id, session)| Some((id, session.minutes?))) {
        paper.text(at.tp("pack_minutes", &[("session", id), ("hash", &hash.to_string())]));
    }
}

/// Notices and objections with their answers.
fn heard(at: &At<'_>, paper: &mut Paper) {
    paper.heading(at.t("pack_notice"));
    if at.edition.notices.is_empty() {
        paper.text(at.t("pack_no_notice"));
    }
    for (_, notice) in &at.edition.notices {
        let (from, until) = (at.day(at.edition.day(notice.time)), at.day(notice.body.until));
        let places = [("title", notice.body.title.get(at.lang)), ("from", &from), ("until", &until)];
        paper.text(at.tp("pack_notice_text", &places));
    }
    if at.edition.objections.is_empty() {
        paper.text(at.t("pack_no_objection"));
        return;
    }
    let row = |(id, objection): &(String, Objection)| {
        let (state, words) = match (&objection.screened, &objection.answer) {
            (None, _) => ("objection_new", String::new()),
            (Some((false, reason)), _) => ("objection_dismissed", reason.clone()),
            (Some((true, _)), None) => ("objection_checking", String::new()),
            (Some(_), Some(answer)) => {
                (if answer.upheld { "objection_upheld" } else { "objection_rejected" }, answer.reply.clone())
            }
        };
        let day = at.day(at.edition.day(objection.time));
        vec![id.clone(), at.name(&objection.body.application), day, at.t(state), words]
    };
    let columns = at.columns(["objection", "applicant", "received_on", "handling", "reply"]);
    paper.table(columns, at.edition.objections.iter().map(row).collect());
}

fn recusals(at: &At<'_>, paper: &mut Paper) {
    paper.heading(at.t("pack_recusals"));
    if at.edition.recusals.is_empty() {
        paper.text(at.t("pack_no_recusal"));
        return;
    }
    // Members by their names, experts by their pseudonyms: who judged in the panels stays with the office.
    let row = |((person, application), ground): (&(String, String), &String)| {
        let name = at.edition.seats.get(person).and_then(|seat| seat.name.clone());
        let rules = at.edition.rules();
        let ground = rules.recusal.iter().find(|g| g.id == *ground).map_or(ground.as_str(), |g| g.name.get(at.lang));
        vec![name.unwrap_or_else(|| person.clone()), at.name(application), ground.to_owned()]
    };
    paper.table(at.columns(["person", "applicant", "ground"]), at.edition.recusals.iter().map(row).collect());
}

/// What the prizes cost, tier by tier, by the rules.
fn money_table(at: &At<'_>, paper: &mut Paper) {
    paper.heading(at.t("pack_money"));
    let mut total = 0_u64;
    let mut rows = Vec::new();
    for tier in &at.edition.rules().tiers {
        let here = at.edition.standing_winners().into_iter().filter(|(_, of)| *of == tier.id);
        let prizes: Vec<u64> = here.filter_map(|(a, of)| at.edition.prize_of(a, of).ok()).collect();
        let sum = prizes.iter().fold(0_u64, |sum, fen| sum.saturating_add(*fen));
        total = total.saturating_add(sum);
        let each = money(at.lang, tier.prize_fen.value);
        rows.push(vec![tier.name.get(at.lang).to_owned(), prizes.len().to_string(), each, money(at.lang, sum)]);
    }
    paper.table(at.columns(["tier", "winners", "each", "amount"]), rows);
    paper.text(at.tp("money_total", &[("amount", &money(at.lang, total))]));
}

// ── decision ────────────────────────────────────────────────────────────────────────────────────────────

/// For those who read every dossier; for all once the result is public.
fn decided(at: &At<'_>) -> bool {
    at.edition.decision.is_some() && (at.oversees() || at.public(Thing::Result))
}

pub(super) fn decisions(at: &At<'_>) -> Vec<(String, String)> {
    let numbers = at.edition.decision.iter().filter(|_| decided(at));
    numbers.map(|(decision, _)| (ONLY.to_owned(), decision.number.clone())).collect()
}

pub(super) fn decision(at: &At<'_>, _: &str) -> Option<Paper> {
    let (decision, time) = at.edition.decision.as_ref()?;
    let rules = at.edition.rules();
    let mut paper = Paper::new(at.tp("decision_title", &[("award", &at.award())]), at.issuer());
    paper.number = Some(decision.number.clone());
    paper.addressee = Some(at.t("to_all"));
    let document = &rules.document;
    let places = [
        ("document", document.title.get(at.lang)),
        ("number", document.number.as_str()),
        ("stages", &at.joined(&at.passed())),
        ("award", &at.award()),
        ("count", &decision.approved.len().to_string()),
    ];
    paper.text(at.tp("decision_text", &places));
    for tier in &rules.tiers {
        let here: Vec<String> =
            decision.approved.iter().filter(|a| a.tier == tier.id).map(|a| at.name(&a.application)).collect();
        let places = [("tier", tier.name.get(at.lang)), ("count", &here.len().to_string())];
        paper.heading(at.tp("decision_tier", &places));
        if here.is_empty() {
            paper.text(at.t("decision_nobody"));
        } else {
            paper.list(here);
            paper.text(at.tp("decision_prize", &[("prize", &money(at.lang, tier.prize_fen.value))]));
        }
    }
    // Why somebody was sent back is between the government and the office.
    if at.oversees() && !decision.returned.is_empty() {
        paper.heading(at.t("decision_returned"));
        let line = |r: &heng_domain::edition::events::Returned| {
            at.tp("decision_returned_line", &[("name", &at.name(&r.application)), ("reason", &r.reason)])
        };
        paper.list(decision.returned.iter().map(line).collect());
    }
    paper.text(at.t("decision_end"));
    paper.signed(at.issuer().to_owned(), at.edition.day(*time));
    Some(paper)
}

// ── certificates and money ──────────────────────────────────────────────────────────────────────────────

/// Certificates that the register holds to be good, for whoever may read the decision.
pub(super) fn certificates(at: &At<'_>) -> Vec<(String, String)> {
    let good = at.edition.honours.iter().filter(|(honour, ..)| at.held.contains_key(&honour.certificate));
    let open = good.filter(|_| decided(at));
    open.map(|(honour, ..)| (honour.certificate.clone(), at.name(&honour.application))).collect()
}

pub(super) fn certificate(at: &At<'_>, number: &str) -> Option<Paper> {
    let (honour, seq, time) = at.edition.honours.iter().find(|(honour, ..)| honour.certificate == number)?;
    let until = at.held.get(number)?;
    let mut paper = Paper::new(at.t("certificate_title"), at.issuer());
    paper.number = Some(number.to_owned());
    let (name, award, tier) = (at.name(&honour.application), at.award(), at.tier(&honour.tier));
    paper.text(at.tp("certificate_name", &[("name", &name)]));
    paper.text(at.tp("certificate_text", &[("award", &award), ("tier", &tier)]));
    paper.text(match until {
        Some(day) => at.tp("certificate_until", &[("day", &at.day(*day))]),
        None => at.t("certificate_open"),
    });
    paper.signed(at.issuer().to_owned(), at.edition.day(*time));
    paper.records.push(*seq);
    Some(paper)
}

pub(super) fn prize_lists(at: &At<'_>) -> Vec<(String, String)> {
    let paid = !at.edition.honours.is_empty() && decided(at);
    paid.then(|| (ONLY.to_owned(), at.award())).into_iter().collect()
}

pub(super) fn prizes(at: &At<'_>, _: &str) -> Option<Paper> {
    let (decision, _) = at.edition.decision.as_ref()?;
    let mut paper = Paper::new(at.tp("prizes_title", &[("award", &at.award())]), at.issuer());
    let count = at.edition.honours.len().to_string();
    paper.text(at.tp("prizes_text", &[("number", &decision.number), ("count", &count)]));
    let row = |(place, (honour, seq, _)): (usize, &(heng_domain::edition::events::HonourConferred, u64, _))| {
        vec![
            (place + 1).to_string(),
            at.name(&honour.application),
            at.tier(&honour.tier),
            honour.certificate.clone(),
            seq.to_string(),
            money(at.lang, honour.prize_fen),
            String::new(),
        ]
    };
    let columns = ["place", "applicant", "tier", "certificate", "record", "amount", "received_by"];
    paper.table(at.columns(columns), at.edition.honours.iter().enumerate().map(row).collect());
    let total = at.edition.honours.iter().fold(0_u64, |sum, (honour, ..)| sum.saturating_add(honour.prize_fen));
    paper.text(at.tp("money_total", &[("amount", &money(at.lang, total))]));
    // The applicants need no signature lines; the office that pays does.
    if at.has(Role::Officer) || at.has(Role::Supervisor) || at.has(Role::Authority) {
        paper.signatures = ["prepared_by", "checked_by", "approved_by"].map(|key| at.t(key)).to_vec();
    }
    let stages = at.edition.rules().stages.iter().filter(|stage| stage.kind == StageKind::Conferral);
    let day = stages.filter_map(|stage| at.edition.stages.get(&stage.id)?.opened).next();
    if let Some(day) = day.or_else(|| at.edition.honours.first().map(|(_, _, time)| *time)) {
        paper.signed(at.issuer().to_owned(), at.edition.day(day));
    }
    Some(paper)
}
