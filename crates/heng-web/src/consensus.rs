//! The consensus board (合议): every sheet side by side, the items to talk about first.

use heng_domain::edition::Edition;
use heng_domain::rules::Stage;
use maud::{Markup, html};

use crate::ui::{self, Column, Row, Tone};
use crate::view::View;

/// The agenda of the talk: items by effect (points × spread), widest first, with each member's mark and words.
///
/// Only the leader of a panel whose sheets are all in gets here, so nobody sees another's work before having handed in
/// the own (law 6).
pub(crate) fn agenda(view: &View, edition: &Edition, stage: &Stage, application: &str) -> Option<Markup> {
    let tree = edition.criteria.as_ref()?;
    let sheets: Vec<(&str, u64)> = edition.counting_sheets(&stage.id, application).into_iter().collect();
    if sheets.len() < 2 {
        return None;
    }
    let alarm = stage.scoring.as_ref().map_or(0, |s| s.spread_alarm);
    let mut items: Vec<(u64, u32, Vec<u32>, &heng_domain::criteria::Item)> = tree
        .items()
        .filter_map(|item| {
            let marks: Option<Vec<u32>> =
                sheets.iter().map(|(_, seq)| edition.sheet(*seq)?.get(&item.id).copied()).collect();
            let marks = marks?;
            let range = marks.iter().max()?.saturating_sub(*marks.iter().min()?);
            Some((u64::from(item.points) * u64::from(range), range, marks, item))
        })
        .collect();
    items.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.3.id.cmp(&b.3.id)));
    // What the talk is about comes before the single marks, so that a large panel does not push it out of sight.
    let mut columns =
        vec![Column::text(view.t("feedback_item")), Column::text(view.t("spread")), Column::number(view.t("effect"))];
    columns.extend(sheets.iter().map(|(expert, _)| Column::number(*expert)));
    let rows: Vec<Row<'_>> = items
        .iter()
        .map(|(effect, range, marks, item)| {
            let mut cells = vec![html! { a href=(format!("#f-percent_{}", item.id.replace('.', "_"))) { (item.id) } " " (item.name.get(view.lang)) }];
            let wide = alarm > 0 && *range >= alarm;
            cells.push(ui::status_tag(&range.to_string(), if wide { Tone::Now } else { Tone::Quiet }));
            cells.push(html! { (effect / 100) });
            cells.extend(marks.iter().map(|mark| html! { (mark) "%" }));
            Row::new(cells)
        })
        .collect();
    Some(html! {
        h2 { (view.t("agenda_heading")) }
        p { (view.tp("agenda_text", &[("alarm", &alarm.to_string())])) }
        div.scroll tabindex="0" role="group" aria-label=(view.t("agenda_heading")) {
            (ui::table(&view.t("agenda_heading"), &columns, &rows, &html! {}))
        }
        @for (expert, seq) in &sheets { (remarks(view, edition, expert, *seq)) }
    })
}

/// One member's words, folded away.
fn remarks(view: &View, edition: &Edition, expert: &str, seq: u64) -> Markup {
    let Some(words) = edition.known_value(seq, "/remarks").and_then(|r| r.as_object()) else {
        return html! {};
    };
    html! {
        details.more {
            summary { (view.tp("remarks_of", &[("expert", expert)])) }
            dl.facts {
                @for (item, own) in words {
                    div {
                        dt { (item) }
                        dd {
                            @match own.as_object() {
                                Some(parts) => { @for (part, text) in parts { p.prose translate="no" { (heng_app::desk::words("field", part, &[]).get(view.lang)) "：" (text.as_str().unwrap_or_default()) } } },
                                None => p.prose translate="no" { (own.as_str().unwrap_or_default()) },
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What members of the panel did not share of the agreed sheets, for the panel and for those who oversee the edition.
pub(crate) fn dissents(view: &View, edition: &Edition, application: &str) -> Markup {
    let given = edition.sheets.values().filter_map(|sheets| sheets.dissents.get(application)).flatten();
    html! {
        @for (expert, (seq, items)) in given {
            (ui::note(Tone::Due, &html! {
                p { strong { (view.tp("dissent", &[("expert", expert), ("items", &crate::words::list(view.lang, items))])) } }
                p.prose translate="no" { (edition.known_value(*seq, "/reason").and_then(|text| text.as_str()).unwrap_or_default()) }
            }))
        }
    }
}
