//! The parts of a long form: how far each is, who saved it last, and the way to check and send it.

use heng_app::desk::drafts::{Saved, Trail};
use heng_app::desk::{self, Answers, Field, Sheet};
use heng_domain::time::Instant;
use maud::{Markup, html};

use super::Form;
use super::parts::{BUTTON, Part, VERSION, parts, progress, report};
use crate::ui::{self, Tone};
use crate::view::View;
use crate::words::{instant, number};
use crate::work::{act_href, place};

/// The time of day, with the day where it is not today.
pub(super) fn when(view: &View, form: &Form, at: Instant, offset: i32) -> String {
    let (then, now) = (at.local(offset), form.app.heng().clock().now().local(offset));
    if then.date() == now.date() {
        format!("{:02}:{:02}", then.hour(), then.minute())
    } else {
        instant(view.lang, at, offset)
    }
}

/// "Li Hua, 10:42": who changed something last, and when.
pub(super) fn whose(view: &View, form: &Form, trail: &Trail, offset: i32) -> String {
    let own = trail.by == form.me.session.account.id;
    let name = if own { Some(view.t("you")) } else { form.app.accounts().account(&trail.by).ok().map(|a| a.name) };
    let name = name.unwrap_or_else(|| view.t("a_colleague"));
    view.tp("saved_by", &[("name", &name), ("time", &when(view, form, trail.at, offset))])
}

/// The latest change in a part.
pub(super) fn latest<'a>(draft: Option<&'a Saved>, part: &Part<'_>) -> Option<&'a Trail> {
    draft?.latest(part.fields.iter().map(|field| field.name.as_str()))
}

pub(super) fn list(
    view: &View,
    form: &Form,
    sheet: &Sheet,
    draft: Option<&Saved>,
    answers: &Answers,
    version: u64,
) -> Markup {
    let here = act_href(view, &form.app, &form.log, &form.kind, &form.case);
    let sources = desk::import_sources(form.app.heng(), &form.log, &sheet.me).unwrap_or_default();
    let whole: Vec<&Field> = sheet.fields.iter().collect();
    let (filled, asked) = progress(&whole, answers);
    let shown = |n: usize| number(u64::try_from(n).unwrap_or(0));
    let (chars, most) = report(&whole, answers);
    html! {
        ol.task-list {
            @for (index, part) in parts(sheet).iter().enumerate() {
                @let (filled, asked) = progress(&part.fields, answers);
                @let (chars, _) = report(&part.fields, answers);
                @let trail = latest(draft, part);
                // What may stay empty is done when somebody has looked at it.
                @let (key, tone) = if asked == filled && (asked > 0 || trail.is_some()) { ("part_done", Tone::Done) }
                    else if asked == 0 { ("part_optional", Tone::Quiet) }
                    else if filled == 0 { ("part_open", Tone::Quiet) }
                    else { ("part_begun", Tone::Due) };
                li {
                    div {
                        a href=(format!("{here}?part={index}")) { (part.name.map(|n| n.get(view.lang)).unwrap_or_default()) }
                        @if chars > 0 || trail.is_some() {
                            p.hint {
                                @if chars > 0 { (view.tp("characters", &[("count", &shown(chars))])) }
                                @if chars > 0 && trail.is_some() { " · " }
                                @if let Some(trail) = trail { (whose(view, form, trail, sheet.offset)) }
                            }
                        }
                    }
                    (ui::status_tag(&view.tp(key, &[("filled", &filled.to_string()), ("asked", &asked.to_string())]), tone))
                }
            }
        }
        p {
            (view.tp("progress_line", &[("filled", &filled.to_string()), ("asked", &asked.to_string())]))
            @if most > 0 { " " (view.tp("report_line", &[("chars", &shown(chars)), ("most", &shown(most))])) }
            @if chars > most { " " (ui::status_tag(&view.tp("characters_over", &[("over", &shown(chars - most))]), Tone::Stop)) }
        }
        form.act-list method="post" action=(here) {
            input type="hidden" name=(VERSION) value=(version);
            div.buttons { (ui::submit(&view.t("go_check"), filled == asked, Some((BUTTON, "check")))) }
        }
        @if !sources.is_empty() {
            details.more {
                summary { (view.t("import_heading")) }
                p { (view.t("import_text")) }
                @for (log, name) in &sources {
                    (ui::button_post(
                        &view.tp("import_from", &[("edition", name.get(view.lang))]),
                        &view.href(&format!("/work/{}/import", place(&form.app, &form.log))),
                        &[("from".into(), log.as_str().into())],
                    ))
                }
            }
        }
    }
}
