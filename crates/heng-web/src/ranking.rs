//! The ranking beside a decision by rule, with the rule spelled out; and the finalist's papers beside a ballot.

use heng_domain::edition::Edition;
use heng_domain::rules::Stage;
use maud::{Markup, html};

use crate::ui::{self, Column, Row, Tone};
use crate::view::{App, View};
use crate::words::points;
use crate::work::{encode, place};

/// The field of a stage in the order of the scores, and who goes on by the rule.
pub(crate) fn content(view: &View, app: &App, log: &str, stage: &str) -> Option<Markup> {
    let found = app.heng().log(log).ok()?;
    let image = found.image();
    let edition = image.state.edition()?;
    let stage = edition.rules().stage(stage)?;
    let narrows = edition.winners_stage().is_none_or(|(id, _)| id != stage.id);
    let shortlist = match (&stage.shortlist, &stage.committee) {
        (Some(_), _) => Some(edition.compute_shortlist(&stage.id)?),
        (None, Some(_)) => edition.compute_vote_shortlist(&stage.id).filter(|_| narrows),
        (None, None) => None,
    };
    // A shortlist says who goes on; a selection proposes, and the government decides.
    let (chosen, others) = match &shortlist {
        Some(_) => ("goes_on", "goes_out"),
        None => ("goes_proposed", "goes_not_proposed"),
    };
    let kept = shortlist.or_else(|| winners(edition))?;
    let mut field: Vec<(&String, u64)> = edition.field.iter().map(|a| (a, edition.composite(a).unwrap_or(0))).collect();
    field.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let announced = edition.announced(&stage.id);
    let votes = !announced.is_empty();
    let mut columns = vec![Column::text(view.t("applicant")), Column::number(view.t("score"))];
    if votes {
        columns.push(Column::number(view.t("vote_yes")));
    }
    columns.push(Column::text(view.t("by_rule")));
    let rows: Vec<Row<'_>> = field
        .iter()
        .map(|(id, score)| {
            let name = edition.applicant(id).map_or(id.as_str(), |o| o.name.get(view.lang)).to_owned();
            let mut cells = vec![html! { (name) }, html! { (points(*score)) }];
            if votes {
                let yes = announced.iter().find(|(option, _)| option == *id).map(|(_, count)| count.yes);
                cells.push(html! { @if let Some(yes) = yes { (yes) } });
            }
            let goes = kept.contains(id);
            cells.push(ui::status_tag(
                &view.t(if goes { chosen } else { others }),
                if goes { Tone::Done } else { Tone::Stop },
            ));
            Row::new(cells)
        })
        .collect();
    Some(html! {
        h2 { (view.t("ranking_heading")) }
        (rule(view, edition, stage))
        (ui::table(&view.t("ranking_heading"), &columns, &rows, &html! {}))
    })
}

fn winners(edition: &Edition) -> Option<Vec<String>> {
    let tiers = edition.compute_winners()?;
    Some(tiers.into_iter().flat_map(|tier| tier.applications.into_iter().chain(tier.off_quota)).collect())
}

/// The rule in words and in numbers.
fn rule(view: &View, edition: &Edition, stage: &Stage) -> Markup {
    let sum = stage.shortlist.as_ref().map(|rule| {
        let seats = edition.rules().seats();
        let (num, den) = (rule.num.value, rule.den.value);
        let kept = heng_domain::evaluation::shortlist_seats(rule, seats);
        format!("⌈{seats} × {num} ÷ {den}⌉ = {kept}")
    });
    html! {
        @if let Some(sum) = &sum { p.result-sum { (sum) } }
        ul { @for line in crate::plain::stage(view, stage) { li { (line.text) " " span.hint { (line.basis) } } } }
    }
}

/// Papers of the finalists whom a motion is about.
pub(crate) fn papers(view: &View, app: &App, log: &str, reader: &str, motion: &str) -> Option<Markup> {
    let found = app.heng().log(log).ok()?;
    let image = found.image();
    let edition = image.state.edition()?;
    let body = &edition.motion(motion)?.body;
    let base = view.href(&format!("/work/{}/applications", place(app, log)));
    Some(html! {
        h2 { (view.t("papers_heading")) }
        ul {
            @for option in &body.options {
                li {
                    @let name = edition.applicant(option).map_or(option.as_str(), |o| o.name.get(view.lang));
                    @if edition.may_read(reader, option) { a href=(format!("{base}/{}", encode(option))) { (name) } } @else { (name) }
                    @if let Some(score) = edition.composite(option).filter(|s| *s > 0) { " · " (view.t("score")) " " (points(score)) }
                }
            }
        }
        p.hint { (view.tp("ballot_binds", &[("motion", motion), ("round", &body.round.to_string())])) }
    })
}
