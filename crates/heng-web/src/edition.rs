//! The page of an edition: where it stands, the funnel, notices, the result with every vote, the scores.

use axum::extract::{Path, State};
use axum::response::Response;
use heng_app::Log;
use heng_domain::ballot::Vote;
use heng_domain::edition::{Edition, Finalist, PublicResult, StageProgress, Thing};
use heng_domain::rules::{PassRule, ScoreDisclosure, StageKind};
use heng_domain::text::Lang;
use heng_domain::time::Instant;
use maud::{Markup, html};

use crate::home::{acts, current, due};
use crate::ui::{
    self, Action, Bar, Choice, Column, Link, NextStep, PictureWords, ProfileBar, Row, StageMark, StageState, Tone,
    VoteSquare,
};
use crate::view::{App, Content, View, edition_href, find, slug};
use crate::words::{date, instant, money, number, points, t, tp};

pub(crate) async fn show(
    view: View,
    State(app): State<App>,
    Path((programme, edition)): Path<(String, String)>,
) -> Response {
    let Some(log) = find(&app, &programme, &edition) else { return view.missing(&app) };
    let now = app.heng().clock().now();
    let content = {
        let image = log.image();
        let Some(edition) = image.state.edition() else { return view.missing(&app) };
        let title = format!("{} · {}", edition.rules().name.get(view.lang), edition.opened.label.get(view.lang));
        let result = edition.public_result();
        let main = html! {
            (ui::title_block(&title, Some(edition.rules().authority.get(view.lang))))
            (ui::sentence(&stands(&view, edition)))
            (next(&view, edition, &log, now))
            @if let Some(result) = &result { (winners(&view, edition, result)) }
            (funnel(&view, edition))
            (call(&view, edition))
            (notices(&view, edition, &log))
            @if let Some(result) = &result {
                @if !result.finalists.is_empty() { (votes(&view, edition, &result.finalists)) }
            }
            (scores(&view, edition, result.as_ref()))
            (objections(&view, edition))
            h2 { (view.t("official_papers")) }
            p { (view.t("official_papers_public")) " " a href=(format!("{}/papers", edition_href(view.language, log.id()))) { (view.t("official_papers_link")) } }
            h2 { (view.t("rules_heading")) }
            p {
                (view.tp("rules_text", &[("number", &edition.rules().document.number), ("version", &edition.rules().version)])) " "
                a href=(view.href(&format!("/programmes/{programme}"))) { (view.t("rules_link")) }
            }
        };
        Content { spine: Some(spine(&view, edition)), wide: true, ..Content::new(title, main) }
    };
    let proof = view.proof(&log);
    view.page(&app, Content { proof, ..content })
}

/// The one sentence that says where the edition stands.
pub(crate) fn stands(view: &View, edition: &Edition) -> String {
    if edition.closed {
        let winners = edition.honours.len().to_string();
        return view
            .tp("stands_closed", &[("winners", &winners), ("applicants", &edition.applications.len().to_string())]);
    }
    match current(edition) {
        None => view.t("stands_end"),
        Some((stage, StageProgress::Now { due })) => view.tp(
            "stands_now",
            &[("stage", stage.name.get(view.lang)), ("who", &view.t(acts(stage.kind))), ("day", &date(view.lang, due))],
        ),
        Some((stage, _)) => view.tp("stands_next", &[("stage", stage.name.get(view.lang))]),
    }
}

fn next(view: &View, edition: &Edition, log: &Log, now: Instant) -> Markup {
    let here = edition_href(view.language, log.id());
    if edition.closed {
        return ui::next_step(&NextStep {
            label: view.t("next_step").into(),
            text: view.t("next_check").into(),
            due: None,
            action: Some(Action::Link(Link::new(view.t("check_button"), format!("{here}/check")))),
            reason: Some(view.t("next_check_reason").into()),
        });
    }
    let Some((stage, _)) = current(edition) else { return html! {} };
    let action = match stage.kind {
        StageKind::Committee if !edition.motions.is_empty() => {
            Some(Action::Link(Link::new(view.t("hall_button"), format!("{here}/hall"))))
        }
        StageKind::Notice => edition
            .notices
            .iter()
            .find(|(_, n)| n.body.stage == stage.id)
            .map(|(id, _)| Action::Link(Link::new(view.t("notice_button"), format!("{here}/notices/{id}")))),
        // Whoever works for the office has no application to fill in.
        StageKind::Application
            if view.me.as_ref().is_none_or(|me| me.subject.starts_with("o:"))
                && edition.call.as_ref().is_some_and(|c| (c.opens..c.closes).contains(&now)) =>
        {
            Some(Action::Link(Link::new(view.t("apply_button"), apply_href(view, log))))
        }
        _ => None,
    };
    let reason = match (&action, stage.kind) {
        (Some(_), StageKind::Application) => Some(view.t("apply_text").into()),
        (None, StageKind::Application) => Some(view.t("no_fee").into()),
        (None, _) => Some(view.t("nothing_to_do").into()),
        _ => None,
    };
    ui::next_step(&NextStep {
        label: view.t("next_step").into(),
        text: view.t(acts(stage.kind)).into(),
        due: due(view, edition, stage, now).map(|(text, tone)| (text.into(), tone)),
        action,
        reason,
    })
}

/// Where an application is filled in; whoever is not signed in comes there by the sign-in, which says how to get an account.
fn apply_href(view: &View, log: &Log) -> String {
    let form = view.href(&format!("/work/{}/application.submitted/-", slug(log.id())));
    if view.me.is_some() {
        return form;
    }
    let next = serde_urlencoded::to_string([("next", form)]).unwrap_or_default();
    format!("{}?{next}", view.href("/sign-in"))
}

fn spine(view: &View, edition: &Edition) -> Markup {
    let all = edition.rules().stages.len();
    let mut place = all;
    let marks: Vec<StageMark<'_>> = edition
        .rules()
        .stages
        .iter()
        .enumerate()
        .map(|(index, stage)| {
            let (state, word, note) = match edition.progress(stage) {
                StageProgress::Done { on } => (StageState::Done, "stage_done", date(view.lang, edition.day(on))),
                StageProgress::Now { due } => {
                    place = place.min(index + 1);
                    (StageState::Now, "stage_current", view.tp("until_day", &[("day", &date(view.lang, due))]))
                }
                StageProgress::Next | StageProgress::Ahead => (StageState::Next, "stage_ahead", String::new()),
            };
            StageMark {
                label: stage.name.get(view.lang).into(),
                state,
                word: view.t(word).into(),
                note: note.into(),
                href: None,
            }
        })
        .collect();
    let name = edition.rules().stages.get(place.saturating_sub(1)).map_or("", |s| s.name.get(view.lang));
    let summary =
        view.tp("stage_summary", &[("place", &place.to_string()), ("all", &all.to_string()), ("stage", name)]);
    ui::stage_line(&view.t("stages_label"), &summary, &marks)
}

/// How many were left after each narrowing; numbers only, so nothing that is sealed shows.
pub(crate) fn funnel_numbers(view: &View, edition: &Edition) -> Vec<(String, u64)> {
    let count = |n: usize| u64::try_from(n).unwrap_or(0);
    let mut out = vec![(view.t("funnel_applied"), count(edition.applications.len()))];
    let decided: Vec<_> = edition.applications.values().filter_map(|a| a.review.as_ref()).collect();
    if !decided.is_empty() {
        out.push((view.t("funnel_eligible"), count(decided.iter().filter(|r| r.passed).count())));
    }
    for stage in &edition.rules().stages {
        if let Some(shortlist) = edition.shortlists.get(&stage.id) {
            out.push((view.t("funnel_finalists"), count(shortlist.kept.len())));
        }
        if let Some(selection) = edition.selections.get(&stage.id).filter(|s| s.tiers.is_empty()) {
            out.push((stage.name.get(view.lang).to_owned(), count(selection.kept.len())));
        }
    }
    if edition.public_may_see(Thing::Result) {
        let key = if edition.decision.is_some() { "funnel_winners" } else { "funnel_proposed" };
        out.push((view.t(key), count(edition.standing_winners().len())));
    }
    out
}

pub(crate) fn funnel(view: &View, edition: &Edition) -> Markup {
    let numbers = funnel_numbers(view, edition);
    if numbers.iter().all(|(_, n)| *n == 0) {
        return html! {};
    }
    let bars: Vec<Bar<'_>> = numbers
        .iter()
        .map(|(label, n)| Bar {
            label: label.as_str().into(),
            value: i64::try_from(*n).unwrap_or(0),
            shown: number(*n).into(),
            href: None,
        })
        .collect();
    let words = PictureWords {
        title: view.t("funnel_title").into(),
        desc: view.tp("funnel_desc", &[("steps", &numbers.len().to_string())]).into(),
        table_summary: view.t("as_table").into(),
        heads: vec![view.t("step").into(), view.t("count").into()],
    };
    html! { section { h2 { (view.t("funnel_heading")) } (ui::funnel_svg(&words, &bars)) } }
}

fn call(view: &View, edition: &Edition) -> Markup {
    let Some(call) = &edition.call else { return html! {} };
    let offset = edition.rules().utc_offset_minutes;
    html! {
        section {
            h2 { (view.t("call_heading")) }
            p { strong { (call.title.get(view.lang)) } }
            p.prose { (call.text.get(view.lang)) }
            (ui::facts(&[
                (view.t("call_opens").into(), html! { (instant(view.lang, call.opens, offset)) }),
                (view.t("call_closes").into(), html! { (instant(view.lang, call.closes, offset)) }),
                (view.t("call_fee").into(), html! { (view.t("no_fee")) }),
            ]))
        }
    }
}

fn notices(view: &View, edition: &Edition, log: &Log) -> Markup {
    if edition.notices.is_empty() {
        return html! {};
    }
    let here = edition_href(view.language, log.id());
    let columns = ["notice", "published_on", "until"].map(|key| Column::text(view.t(key)));
    let rows: Vec<Row<'_>> = edition
        .notices
        .iter()
        .map(|(id, notice)| {
            Row::link(
                format!("{here}/notices/{id}"),
                vec![
                    html! { (notice.body.title.get(view.lang)) },
                    html! { (date(view.lang, edition.day(notice.time))) },
                    html! { (date(view.lang, notice.body.until)) },
                ],
            )
        })
        .collect();
    html! { section { h2 { (view.t("notices")) } (ui::table(&view.t("notices"), &columns, &rows, &html! {})) } }
}

fn winners(view: &View, edition: &Edition, result: &PublicResult) -> Markup {
    let columns = [
        Column::text(view.t("winner")),
        Column::text(view.t("tier")),
        Column::text(view.t("county")),
        Column::number(view.t("score")),
        Column::text(view.t("prize")),
        Column::text(view.t("certificate")),
    ];
    let rows: Vec<Row<'_>> = result
        .winners
        .iter()
        .map(|winner| {
            let tier = edition.rules().tier(&winner.tier).map_or("", |t| t.name.get(view.lang));
            let cells = vec![
                html! { (winner.name.get(view.lang)) },
                html! { (tier) },
                html! { (winner.county.get(view.lang)) },
                html! { @if let Some(score) = winner.score { (points(score)) } },
                html! { @if let Some(fen) = winner.prize_fen { (money(view.lang, fen)) } },
                html! { @if let Some(number) = &winner.certificate { (number) } @else { (view.t("not_yet")) } },
            ];
            match &winner.certificate {
                Some(number) => Row::link(view.href(&format!("/certificates/{number}")), cells),
                None => Row::new(cells),
            }
        })
        .collect();
    // What the committee has chosen is proposed; only the government's decision makes winners.
    let title = view.t(if result.decision.is_some() { "winners" } else { "proposed_winners" });
    let empty: u32 = edition.winners().into_iter().flatten().map(|t| t.empty).sum();
    html! {
        section {
            h2 { (title) }
            @if result.decision.is_none() { p { (view.t("proposed_text")) } }
            @if let Some(number) = &result.decision { p { (view.tp("decision_line", &[("number", number)])) } }
            (ui::table(&title, &columns, &rows, &ui::empty_state(&view.t("no_winner"), None)))
            @if empty > 0 { p { (view.tp("empty_seats", &[("count", &empty.to_string())])) } }
        }
    }
}

/// A result sentence with its arithmetic.
pub(crate) fn arithmetic(edition: &Edition, finalist: &Finalist) -> (bool, String) {
    let rule = edition
        .motion(&finalist.motion)
        .and_then(|m| edition.rules().stage(&m.stage))
        .and_then(|s| s.committee.as_ref())
        .map(|c| &c.pass);
    let count = &finalist.count;
    let Some(rule) = rule else { return (count.passed, String::new()) };
    (count.passed, comparison(rule, count.yes, count.base, count.passed))
}

/// The arithmetic of a share that is reached or missed: `11 × 3 = 33 ≥ 28 = 14 × 2`.
pub(crate) fn comparison(rule: &PassRule, part: u32, base: u32, reached: bool) -> String {
    let left = u64::from(part) * u64::from(rule.den);
    let right = u64::from(base) * u64::from(rule.num);
    let sign = rule.cmp.sign(reached);
    format!("{part} × {} = {left} {sign} {right} = {base} × {}", rule.den, rule.num)
}

fn votes(view: &View, edition: &Edition, finalists: &[Finalist]) -> Markup {
    html! {
        section {
            h2 { (view.t("votes_heading")) }
            p { (view.t("votes_text")) }
            @for finalist in finalists {
                @let (passed, sum) = arithmetic(edition, finalist);
                @let count = &finalist.count;
                @let verdict = view.tp(if passed { "passed_sentence" } else { "failed_sentence" }, &[
                    ("name", finalist.name.get(view.lang)), ("yes", &count.yes.to_string()), ("no", &count.no.to_string()),
                    ("abstain", &count.abstain.to_string()), ("base", &count.base.to_string()),
                ]);
                h3 { (finalist.name.get(view.lang)) }
                (ui::result_sentence(&verdict, &sum))
                @if edition.public_may_see(Thing::Votes(&finalist.motion)) && !finalist.votes.is_empty() {
                    details.votes-detail {
                        summary { (view.tp("all_votes", &[("count", &finalist.votes.len().to_string())])) }
                        (ui::votes_grid(&view.tp("votes_label", &[("name", finalist.name.get(view.lang))]), &squares(view, edition, finalist)))
                    }
                }
            }
        }
    }
}

fn squares<'a>(view: &View, edition: &Edition, finalist: &'a Finalist) -> Vec<VoteSquare<'a>> {
    let motion = edition.motion(&finalist.motion);
    let session = motion.and_then(|m| edition.sessions.get(&m.body.session));
    finalist
        .votes
        .iter()
        .enumerate()
        .map(|(i, vote)| {
            let person = session.and_then(|s| s.members.get(i)).map(|m| m.person.as_str());
            let present = motion.zip(person).is_some_and(|(m, p)| m.present.contains(p));
            let (choice, key) = square(vote.vote, vote.recused, present);
            VoteSquare { name: vote.name.as_str().into(), choice, word: word(view.lang, key, vote.paper).into() }
        })
        .collect()
}

/// The word of a square; a ballot that officers entered from paper says so.
pub(crate) fn word(lang: Lang, key: &str, paper: bool) -> String {
    let word = t(lang, key);
    if paper { tp(lang, "vote_paper", &[("vote", &word)]) } else { word }
}

/// What a member's square shows once votes are public.
pub(crate) fn square(vote: Option<Vote>, recused: bool, present: bool) -> (Choice, &'static str) {
    match (vote, recused, present) {
        (_, true, _) => (Choice::Recused, "vote_recused"),
        (Some(Vote::Yes), ..) => (Choice::Yes, "vote_yes"),
        (Some(Vote::No), ..) => (Choice::No, "vote_no"),
        (Some(Vote::Abstain), ..) => (Choice::Abstain, "vote_abstain"),
        (None, _, false) => (Choice::Absent, "vote_absent"),
        (None, _, true) => (Choice::Waiting, "vote_none"),
    }
}

/// The score summary that the rules allow: totals and the profile of each winner.
fn scores(view: &View, edition: &Edition, result: Option<&PublicResult>) -> Markup {
    let rule = &edition.rules().disclosure.scores;
    if result.is_none() {
        return html! {};
    }
    if rule.value == ScoreDisclosure::Sealed {
        return html! { section { h2 { (view.t("scores_heading")) } p { (view.tp("scores_sealed", &[("basis", &rule.basis)])) } } };
    }
    if !edition.public_may_see(Thing::Scores) {
        return html! { section { h2 { (view.t("scores_heading")) } p { (view.t("scores_waiting")) } } };
    }
    let Some(criteria) = &edition.criteria else { return html! {} };
    let named: Vec<&str> = result.into_iter().flat_map(|r| &r.winners).map(|w| w.application.as_str()).collect();
    let sheets: Vec<(&str, std::collections::BTreeMap<String, u32>)> =
        edition.applications.keys().filter_map(|a| Some((a.as_str(), last_sheet(edition, a)?))).collect();
    let mean = |category: &heng_domain::criteria::Category| {
        let sum: u64 = sheets.iter().map(|(_, s)| criteria.category_of(category, s)).sum();
        let count = u64::try_from(sheets.len()).ok().filter(|n| *n > 0)?;
        i64::try_from((2 * sum + count) / (2 * count)).ok()
    };
    html! {
        section {
            h2 { (view.t("scores_heading")) }
            p { (view.tp("scores_text", &[("sheets", &edition.sheets.values().flat_map(|s| s.submitted.values()).map(std::collections::BTreeMap::len).sum::<usize>().to_string())])) }
            @for (application, sheet) in sheets.iter().filter(|(a, _)| named.contains(a)) {
                @let bars: Vec<ProfileBar<'_>> = criteria.categories.iter().map(|category| ProfileBar {
                    label: format!("{} {}", category.id, category.name.get(view.lang)).into(),
                    scored_hundredths: i64::try_from(criteria.category_of(category, sheet)).unwrap_or(0),
                    points_max: i64::from(category.points),
                    mean_hundredths: mean(category),
                }).collect();
                @let words = PictureWords {
                    title: view.tp("profile_title", &[("name", &view.name(edition, application))]).into(),
                    desc: view.t("profile_desc").into(),
                    table_summary: view.t("as_table").into(),
                    heads: ["category", "points", "full_mark", "field_mean"].into_iter().map(|k| view.t(k).into()).collect(),
                };
                (ui::profile_svg(&words, &view.t("field_mean"), &bars))
            }
        }
    }
}

/// The last agreed sheet of an application that is known.
fn last_sheet(edition: &Edition, application: &str) -> Option<std::collections::BTreeMap<String, u32>> {
    edition.rules().stages.iter().rev().find_map(|stage| {
        let seq = edition.sheets.get(&stage.id)?.agreed.get(application)?;
        edition.sheet(*seq)
    })
}

fn objections(view: &View, edition: &Edition) -> Markup {
    if edition.objections.is_empty() || !edition.public_may_see(Thing::Result) {
        return html! {};
    }
    let columns = ["objection", "received_on", "handling", "reply"].map(|key| Column::text(view.t(key)));
    let rows: Vec<Row<'_>> = edition
        .objections
        .iter()
        .map(|(id, objection)| {
            let (word, tone, text) = match (&objection.screened, &objection.answer) {
                (None, _) => ("objection_new", Tone::Due, String::new()),
                (Some((false, reason)), _) => ("objection_dismissed", Tone::Stop, reason.clone()),
                (Some((true, _)), None) => ("objection_checking", Tone::Due, String::new()),
                (Some((true, _)), Some(answer)) => (
                    if answer.upheld { "objection_upheld" } else { "objection_rejected" },
                    Tone::Done,
                    answer.reply.clone(),
                ),
            };
            Row::new(vec![
                html! { (id) },
                html! { (date(view.lang, edition.day(objection.time))) },
                ui::status_tag(&view.t(word), tone),
                html! { (text) },
            ])
        })
        .collect();
    html! { section { h2 { (view.t("objections")) } (ui::table(&view.t("objections"), &columns, &rows, &html! {})) } }
}
