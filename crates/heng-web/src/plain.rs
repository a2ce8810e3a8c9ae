//! The rules in plain words, each with the article it rests on.

use heng_domain::rules::{
    Aggregate, Anchor, BallotKind, Base, ChoiceKind, Compare, ConditionKind, DayKind, OpinionRules, PassRule, RankBy,
    Rewin, Rules, ScoreDisclosure, ScoringMethod, SeatTie, Sourced, Stage, TieRule, VoteDisclosure,
};
use heng_domain::text::Lang;

use crate::view::View;
use crate::words::{list, money, t, tp};

/// One rule: what it says, the article, and whether it is only assumed.
pub(crate) struct Line {
    pub text: String,
    pub basis: String,
    pub assumed: bool,
}

fn line<T>(value: &Sourced<T>, text: String) -> Line {
    Line { text, basis: value.basis.clone(), assumed: value.assumed }
}

/// What is awarded.
pub(crate) fn award(view: &View, rules: &Rules) -> Vec<Line> {
    let mut out = vec![
        line(&rules.cycle_years, view.tp("plain_cycle", &[("years", &rules.cycle_years.value.to_string())])),
        line(&rules.criteria, view.tp("plain_criteria", &[("criteria", &rules.criteria.value)])),
    ];
    for tier in &rules.tiers {
        let name = tier.name.get(view.lang);
        out.push(line(
            &tier.quota,
            view.tp("plain_quota", &[("tier", name), ("count", &tier.quota.value.to_string())]),
        ));
        let prize = money(view.lang, tier.prize_fen.value);
        out.push(line(&tier.prize_fen, view.tp("plain_prize", &[("tier", name), ("prize", &prize)])));
        if let Some(floor) = &tier.floor_permille {
            out.push(line(floor, view.tp("plain_floor", &[("tier", name), ("points", &floor.value.to_string())])));
        }
    }
    if let Some(reserved) = &rules.reserved {
        let seats = reserved.seats.value.to_string();
        out.push(line(
            &reserved.seats,
            view.tp("plain_reserved", &[("group", reserved.name.get(view.lang)), ("count", &seats)]),
        ));
    }
    let rewin = match rules.rewin.value {
        Rewin::Ordinary => "plain_rewin_ordinary",
        Rewin::CertificateOnly => "plain_rewin_certificate",
        Rewin::NoMoney => "plain_rewin_no_money",
    };
    out.push(line(&rules.rewin, view.t(rewin)));
    let months = rules.validity_months.value;
    let validity = if months == 0 {
        view.t("plain_validity_open")
    } else {
        view.tp("plain_validity", &[("months", &months.to_string())])
    };
    out.push(line(&rules.validity_months, validity));
    if let Some(only) = &rules.passkeys_only {
        let key = if only.value { "plain_passkeys_only" } else { "plain_browser_keys" };
        out.push(line(only, view.t(key)));
    }
    out
}

/// What an applicant must be and bring.
pub(crate) fn applying(view: &View, rules: &Rules) -> Vec<Line> {
    let a = &rules.application;
    let mut out = vec![
        line(&a.profile_chars, view.tp("plain_profile", &[("count", &a.profile_chars.value.to_string())])),
        line(&a.report_chars, view.tp("plain_report", &[("count", &a.report_chars.value.to_string())])),
        line(&a.figure_years, view.tp("plain_figures", &[("years", &a.figure_years.value.to_string())])),
    ];
    if a.internal_notice_days.value > 0 {
        out.push(line(
            &a.internal_notice_days,
            view.tp("plain_internal", &[("days", &a.internal_notice_days.value.to_string())]),
        ));
    }
    let anchor = match a.anchor.value {
        Anchor::ApplicationDeadline => "plain_anchor_deadline",
        Anchor::EndOfPreviousYear => "plain_anchor_year",
    };
    out.push(line(&a.anchor, view.t(anchor)));
    for condition in &rules.conditions {
        let detail = match condition.kind {
            ConditionKind::Share => view.tp("plain_share", &[("least", &condition.at_least.unwrap_or(0).to_string())]),
            ConditionKind::Count => view.tp("plain_count", &[("least", &condition.at_least.unwrap_or(0).to_string())]),
            ConditionKind::Confirmed => view.t("plain_confirmed"),
            ConditionKind::Years => view.tp("plain_years", &[("years", &condition.years.unwrap_or(0).to_string())]),
            ConditionKind::Clear => view.tp("plain_clear", &[("months", &condition.months.unwrap_or(0).to_string())]),
            ConditionKind::NoBan | ConditionKind::CoolDown => view.t("plain_register"),
        };
        let key = if condition.veto { "plain_veto" } else { "plain_condition" };
        let text = view.tp(key, &[("name", condition.name.get(view.lang)), ("detail", &detail)]);
        out.push(Line { text, basis: condition.basis.clone(), assumed: condition.assumed });
    }
    out.extend(rules.opinions.iter().flat_map(|opinions| departments(view, opinions)));
    out
}

/// Which departments are asked, what for, and what their silence means.
fn departments(view: &View, rules: &OpinionRules) -> Vec<Line> {
    let days = rules.days.value.to_string();
    let key =
        if rules.day_kind.value == DayKind::Working { "plain_opinions_working" } else { "plain_opinions_calendar" };
    let silence = if rules.silence_clears.value { "plain_silence_clears" } else { "plain_silence_waits" };
    let objection = if rules.objection_stops.value { "plain_objection_stops" } else { "plain_objection_noted" };
    let asked = rules.departments.iter().map(|d| Line {
        text: view.tp("plain_department", &[("department", d.name.get(view.lang)), ("asks", d.asks.get(view.lang))]),
        basis: d.basis.clone(),
        assumed: d.assumed,
    });
    asked
        .chain([
            line(&rules.days, view.tp(key, &[("days", &days)])),
            line(&rules.silence_clears, view.t(silence)),
            line(&rules.objection_stops, view.t(objection)),
        ])
        .collect()
}

/// Who has to stay away.
pub(crate) fn recusal(view: &View, rules: &Rules) -> Vec<Line> {
    let ground = |g: &heng_domain::rules::Ground| Line {
        text: g.name.get(view.lang).to_owned(),
        basis: g.basis.clone(),
        assumed: g.assumed,
    };
    rules.recusal.iter().map(ground).collect()
}

/// A fraction in words: "at least 2/3 of the members present".
pub(crate) fn fraction(lang: Lang, rule: &PassRule) -> String {
    let base = match rule.base {
        Base::Present => "plain_base_present",
        Base::Roll => "plain_base_roll",
        Base::Cast => "plain_base_cast",
        Base::YesNo => "plain_base_yes_no",
    };
    let key = if rule.cmp == Compare::Ge { "plain_at_least" } else { "plain_more_than" };
    tp(lang, key, &[("num", &rule.num.to_string()), ("den", &rule.den.to_string()), ("base", &t(lang, base))])
}

/// What a stage does.
pub(crate) fn stage(view: &View, stage: &Stage) -> Vec<Line> {
    let mut out = vec![line(&stage.days, view.tp("plain_days", &[("days", &stage.days.value.to_string())]))];
    if let Some(r) = &stage.recommendation {
        let quota = r.quota.value;
        let text = if quota == 0 {
            view.t("plain_no_quota")
        } else {
            view.tp("plain_recommend", &[("count", &quota.to_string())])
        };
        out.push(line(&r.quota, text));
        if r.notice_days.value > 0 {
            let places = [("days", &*r.notice_days.value.to_string())];
            out.push(line(&r.notice_days, view.tp("plain_recommend_notice", &places)));
        }
        if let Some(proof) = r.proof.as_ref().filter(|proof| proof.value) {
            out.push(line(proof, view.t("plain_recommend_proof")));
        }
    }
    if let Some(e) = &stage.experts {
        out.push(line(&e.panel_size, view.tp("plain_panel", &[("count", &e.panel_size.value.to_string())])));
        out.push(line(&e.drawn, view.t(if e.drawn.value { "plain_drawn" } else { "plain_appointed" })));
        out.push(line(&e.reserves, view.tp("plain_reserves", &[("count", &e.reserves.value.to_string())])));
    }
    if let Some(s) = &stage.scoring {
        let method = match s.method.value {
            ScoringMethod::Items => "plain_items",
            ScoringMethod::Adjust => "plain_adjust",
            ScoringMethod::Direct => "plain_direct",
            ScoringMethod::Count => "plain_poll",
        };
        out.push(line(&s.method, view.t(method)));
        if let Some(aggregate) = &s.aggregate {
            let key = match aggregate.value {
                Aggregate::Consensus => "plain_consensus",
                Aggregate::Mean => "plain_mean",
                Aggregate::TrimmedMean => "plain_trimmed",
            };
            out.push(line(aggregate, view.t(key)));
        }
        if let Some(visit) = s.visit.as_ref().filter(|visit| visit.value) {
            out.push(line(visit, view.t("plain_visit")));
        }
        out.push(line(&s.weight, view.tp("plain_weight", &[("weight", &s.weight.value.to_string())])));
    }
    if let Some(s) = &stage.shortlist {
        out.push(line(
            &s.num,
            view.tp("plain_ratio", &[("num", &s.num.value.to_string()), ("den", &s.den.value.to_string())]),
        ));
        if let Some(floor) = &s.floor_permille {
            out.push(line(floor, view.tp("plain_stage_floor", &[("points", &floor.value.to_string())])));
        }
        let tie = match s.tie.value {
            TieRule::AllIn => "plain_tie_all",
            TieRule::NoneIn => "plain_tie_none",
            TieRule::Results => "plain_tie_results",
        };
        out.push(line(&s.tie, view.t(tie)));
    }
    if let Some(c) = &stage.committee {
        let ballot = match c.ballot.value {
            BallotKind::RollCall => "plain_roll_call",
            BallotKind::Signed => "plain_signed",
            BallotKind::Secret => "plain_secret",
        };
        out.push(line(&c.ballot, view.t(ballot)));
        out.push(line(
            &c.choice,
            view.t(if c.choice.value == ChoiceKind::Approve { "plain_approve" } else { "plain_pick" }),
        ));
        let (least, most) = (c.size_min.value.to_string(), c.size_max.value.to_string());
        out.push(line(&c.size_min, view.tp("plain_size", &[("least", &least), ("most", &most)])));
        let quorum = view.tp("plain_quorum", &[("fraction", &fraction(view.lang, &c.quorum))]);
        out.push(Line { text: quorum, basis: c.quorum.basis.clone(), assumed: c.quorum.assumed });
        let pass = view.tp("plain_pass", &[("fraction", &fraction(view.lang, &c.pass))]);
        out.push(Line { text: pass, basis: c.pass.basis.clone(), assumed: c.pass.assumed });
        if let Some(least) = &c.readback_seconds {
            out.push(line(least, view.tp("plain_readback", &[("seconds", &least.value.to_string())])));
        }
        if let Some(again) = &c.quorum_at_close {
            let key = if again.value { "plain_quorum_at_close" } else { "plain_quorum_at_opening" };
            out.push(line(again, view.t(key)));
        }
        if let Some(paper) = c.paper_ballot.as_ref().filter(|_| c.ballot.value == BallotKind::RollCall) {
            out.push(line(paper, view.t(if paper.value { "plain_paper_ballot" } else { "plain_no_paper_ballot" })));
        }
        out.push(line(
            &c.rank_by,
            view.t(if c.rank_by.value == RankBy::Votes { "plain_rank_votes" } else { "plain_rank_score" }),
        ));
        out.push(line(
            &c.tie,
            view.t(if c.tie.value == SeatTie::Score { "plain_seat_score" } else { "plain_seat_empty" }),
        ));
    }
    if let Some(n) = &stage.notice {
        let key = if n.day_kind.value == DayKind::Working { "plain_notice_working" } else { "plain_notice_calendar" };
        out.push(line(&n.days, view.tp(key, &[("days", &n.days.value.to_string())])));
        let channels: Vec<String> = n.channels.value.iter().map(|c| c.get(view.lang).to_owned()).collect();
        out.push(line(&n.channels, view.tp("plain_channels", &[("channels", &list(view.lang, &channels))])));
        out.push(line(&n.real_name, view.t(if n.real_name.value { "plain_real_name" } else { "plain_any_name" })));
        out.push(line(&n.answer_days, view.tp("plain_answer", &[("days", &n.answer_days.value.to_string())])));
    }
    out
}

/// What is published.
pub(crate) fn disclosure(view: &View, rules: &Rules) -> Vec<Line> {
    let d = &rules.disclosure;
    let scores = if d.scores.value == ScoreDisclosure::Anonymous { "plain_scores_open" } else { "plain_scores_sealed" };
    let votes = if d.votes.value == VoteDisclosure::Named { "plain_votes_named" } else { "plain_votes_totals" };
    let mut out = vec![line(&d.votes, view.t(votes)), line(&d.scores, view.t(scores))];
    if d.scores.value == ScoreDisclosure::Anonymous {
        out.push(line(
            &d.open_within_days,
            view.tp("plain_open_within", &[("days", &d.open_within_days.value.to_string())]),
        ));
    }
    out
}
