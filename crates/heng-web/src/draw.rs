//! A draw (抽取) step by step: pool, plan, public event, and the arithmetic that everybody can repeat.

use axum::extract::{Path, State};
use axum::response::Response;
use heng_app::desk::{proposal, words};
use heng_domain::draw::seed;
use heng_domain::edition::{DrawState, Edition};
use heng_log::Sha256;
use maud::{Markup, html};

use crate::ui::{self, Column, Row, Tone};
use crate::view::{App, Content, View};
use crate::words::date;
use crate::work::{log_name, log_of, place};

/// What a draw is called: by its stage, and by its own name too where the stage has drawn more than once.
pub(crate) fn title(view: &View, edition: &Edition, id: &str) -> String {
    let Some(draw) = edition.draws.get(id) else { return view.tp("draw_link", &[("draw", id)]) };
    let stage = edition.rules().stage(&draw.stage).map_or(draw.stage.as_str(), |s| s.name.get(view.lang));
    let again = edition.draws.values().filter(|other| other.stage == draw.stage).count() > 1;
    view.tp("draw_link", &[("draw", &if again { format!("{stage} · {id}") } else { stage.to_owned() })])
}

pub(crate) async fn show(
    view: View,
    State(app): State<App>,
    Path((first, second, id)): Path<(String, String, String)>,
) -> Response {
    let Some(me) = view.me.clone() else { return view.sign_in_first() };
    let Some(log_id) = log_of(&app, &first, &second) else { return view.missing(&app) };
    let seated = proposal::handle(app.heng(), &log_id, &me.subject).ok().flatten();
    let Ok(log) = app.heng().log(&log_id) else { return view.missing(&app) };
    let content = {
        let image = log.image();
        let found = image.state.edition().and_then(|e| Some((e, e.draws.get(&id)?)));
        let Some((edition, draw)) = found.filter(|_| seated.is_some()) else { return view.missing(&app) };
        let title = title(&view, edition, &id);
        let sentence = match (&draw.plan, &draw.revealed, &draw.voided) {
            (.., Some(_)) => "draw_voided",
            (_, Some(_), _) => "draw_done",
            (Some(_), ..) => "draw_planned",
            _ => "draw_frozen",
        };
        let main = html! {
            (ui::title_block(&title, Some(log_name(&app, &log_id).get(view.lang))))
            (ui::sentence(&view.t(sentence)))
            (plan(&view, draw))
            (arithmetic(&view, draw))
            (pool(&view, draw))
            p { a href=(view.href(&format!("/work/{}", place(&app, &log_id)))) { (view.t("back_work")) } }
        };
        Content::new(title, main)
    };
    let proof = view.proof(&log);
    view.page(&app, Content { proof, ..content })
}

/// A group in words; one that has none is called by its own name.
pub(crate) fn group(view: &View, id: &str) -> String {
    let known = words("group", id, &[]).get(view.lang).to_owned();
    if known == format!("group.{id}") { id.to_owned() } else { known }
}

fn plan(view: &View, draw: &DrawState) -> Markup {
    let Some(published) = &draw.plan else { return html! {} };
    let plan = &published.plan;
    let sources: Vec<String> = plan.sources.iter().map(|s| format!("{} {}", s.source, s.period)).collect();
    let hash = plan.hash::<Sha256>().map(|hash| hash.to_string()).unwrap_or_default();
    html! {
        section {
            h2 { (view.t("draw_plan")) }
            (ui::facts(&[
                (view.t("draw_sources").into(), html! { (crate::words::list(view.lang, &sources)) }),
                (view.t("draw_day").into(), html! { (date(view.lang, published.sources_on)) }),
                (view.t("draw_plan_hash").into(), html! { code { (hash) } }),
                (view.t("draw_commitment").into(), html! { @for commit in plan.commit.list() { code { (commit) } " " } }),
            ]))
            ul { @for s in &plan.strata {
                li { (view.tp("draw_stratum", &[("group", &group(view, &s.id)), ("from", &s.from.to_string()), ("to", &s.to.to_string()), ("take", &s.take.to_string()), ("reserves", &plan.reserves.to_string())])) }
            } }
        }
    }
}

/// From the published values to the positions, with the intermediate hash.
fn arithmetic(view: &View, draw: &DrawState) -> Markup {
    let (Some(published), Some(revealed)) = (&draw.plan, &draw.revealed) else { return html! {} };
    let secrets: Vec<[u8; 32]> = revealed.secrets.iter().map(|hash| hash.0).collect();
    let seed = seed::<Sha256>(&published.plan, &secrets, &revealed.values);
    let columns =
        [Column::text(view.t("draw_group")), Column::text(view.t("draw_taken")), Column::text(view.t("draw_reserve"))];
    let named = |positions: &[u64]| {
        let each = positions.iter().map(|p| format!("{p} → {}", draw.line(*p).unwrap_or("—")));
        crate::words::list(view.lang, &each.collect::<Vec<_>>())
    };
    let rows: Vec<Row<'_>> = revealed
        .result
        .iter()
        .map(|d| {
            Row::new(vec![html! { (group(view, &d.id)) }, html! { (named(&d.taken)) }, html! { (named(&d.reserve)) }])
        })
        .collect();
    html! {
        section {
            h2 { (view.t("draw_arithmetic")) }
            ol {
                li { (view.t("draw_step_secret")) " " @for secret in &revealed.secrets { code { (secret) } " " } }
                li { (view.t("draw_step_values")) " " @for v in &revealed.values { (v.source) " " (v.period) ": " code { (v.value) } " " } }
                li { (view.t("draw_step_seed")) " " @match &seed { Ok(seed) => code { (seed) }, Err(error) => (error) } }
                li { (view.t("draw_step_positions")) }
            }
            (ui::table(&view.t("draw_arithmetic"), &columns, &rows, &html! {}))
            @for r in &draw.replaced {
                p { (ui::status_tag(&view.t("draw_replaced"), Tone::Due)) " " (r.out) " → " (r.by) " · " (r.reason) }
            }
        }
    }
}

fn pool(view: &View, draw: &DrawState) -> Markup {
    html! {
        details.more {
            summary { (view.tp("draw_pool", &[("count", &draw.lines.len().to_string())])) }
            p { (view.t("draw_pool_hash")) " " code { (draw.sha256) } }
            ol { @for line in &draw.lines { li { (line) } } }
            @if !draw.excluded.is_empty() {
                p { (view.t("draw_excluded")) }
                ul { @for out in &draw.excluded { li { (out.line) " · " (view.t(&format!("excluded_{}", out.reason))) } } }
            }
        }
    }
}
