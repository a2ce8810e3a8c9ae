//! The panels' board (评审组): who judges what, who stays away from it, whose sheet is in, and what the draw left over.

use std::collections::BTreeSet;

use axum::extract::{Path, State};
use axum::response::Response;
use heng_app::desk::words;
use heng_domain::edition::events::{PanelFormed, PanelMemberReplaced};
use heng_domain::edition::{DrawState, Edition, Panel};
use heng_domain::rules::{ScoringMethod, Stage, StageKind};
use maud::{Markup, html};

use crate::opinions::overseen;
use crate::ui::{self, Column, Row, Tone};
use crate::view::{App, Content, View};
use crate::words::list;
use crate::work::{act_href, encode, log_name, place};

/// Where a member stands towards an application of the own panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    /// Stays away from it.
    Recused,
    /// Has not pledged, or not said whether there is a conflict.
    Undeclared,
    /// May judge; nothing is to be handed in now.
    Ready,
    /// The sheet is missing.
    Owed,
    /// The sheet is in, the own one or that of the place's predecessor.
    Submitted,
}

/// The scored stage whose sheets the board shows: the last one of these panels that has opened and is judged by sheets.
fn scored<'a>(edition: &'a Edition, experts: &str) -> Option<&'a Stage> {
    // A panel that only adjusts its agreed sheet hands in no others.
    let singly = |stage: &&Stage| {
        let method = stage.scoring.as_ref().map(|scoring| scoring.method.value);
        matches!(method, Some(ScoringMethod::Items | ScoringMethod::Direct))
    };
    let own = |stage: &&Stage| edition.experts_stage(&stage.id).is_some_and(|found| found.id == experts);
    let opened = |stage: &&Stage| edition.stages.get(&stage.id).is_some_and(|state| state.opened.is_some());
    edition.rules().stages.iter().rev().filter(singly).filter(own).find(opened)
}

/// Where a member stands in the scored stage; without one, in the stage of experts.
pub(crate) fn duty(edition: &Edition, scored: Option<&Stage>, expert: &str, application: &str) -> Duty {
    if edition.is_recused(expert, application) {
        return Duty::Recused;
    }
    let Some(stage) = scored else { return Duty::Ready };
    if edition.lacks_pledge(&stage.id, expert, application) {
        return Duty::Undeclared;
    }
    if edition.missing_sheets(&stage.id, application).contains(&expert) { Duty::Owed } else { Duty::Submitted }
}

/// The panels of a stage of experts, by name.
pub(crate) fn of_stage<'a>(edition: &'a Edition, stage: &str) -> Vec<(&'a String, &'a Panel)> {
    edition.panels.iter().filter(|(_, panel)| panel.stage == stage).collect()
}

/// Drawn experts who sit on no panel, and the reserves who have not stepped in, in the order of the draw.
pub(crate) fn left_over<'a>(edition: &Edition, draw: &'a DrawState) -> (Vec<&'a str>, Vec<&'a str>) {
    let seated: BTreeSet<&str> = edition.panels.values().flat_map(|p| &p.members).map(String::as_str).collect();
    let drawn = draw.current();
    let free = drawn.iter().copied().filter(|line| !seated.contains(line)).collect();
    let reserves = draw.revealed.iter().flat_map(|r| &r.result).flat_map(|drawn| &drawn.reserve);
    let waiting = reserves.filter_map(|position| draw.line(*position)).filter(|line| !drawn.contains(line));
    (free, waiting.filter(|line| !seated.contains(line)).collect())
}

pub(crate) fn stages(edition: &Edition) -> impl Iterator<Item = (&Stage, Option<&Stage>)> {
    let experts = edition.rules().stages.iter().filter(|stage| stage.kind == StageKind::Experts);
    experts.map(|stage| (stage, scored(edition, &stage.id)))
}

pub(crate) async fn show(
    view: View,
    State(app): State<App>,
    Path((first, second)): Path<(String, String)>,
) -> Response {
    let title = view.t("panels_title");
    let found = overseen(&view, &app, (&first, &second), |desk, log| {
        let edition = desk.edition;
        let page = Page { view: &view, app: &app, edition, log };
        Some(html! {
            (ui::title_block(&title, Some(log_name(&app, log).get(view.lang))))
            (ui::sentence(&crate::edition::stands(&view, edition)))
            @for (experts, scored) in stages(edition) { (page.stage(experts, scored)) }
            p { a href=(page.href("")) { (view.t("back_work")) } }
        })
    });
    match found {
        Ok(main) => view.page(&app, Content { wide: true, ..Content::new(title, main) }),
        Err(response) => *response,
    }
}

struct Page<'a> {
    view: &'a View,
    app: &'a App,
    edition: &'a Edition,
    log: &'a str,
}

impl Page<'_> {
    fn href(&self, rest: &str) -> String {
        self.view.href(&format!("/work/{}{rest}", place(self.app, self.log)))
    }

    fn name(&self, application: &str) -> String {
        let applicant = self.edition.applicant(application);
        applicant.map_or(application, |o| o.name.get(self.view.lang)).to_owned()
    }

    fn stage(&self, experts: &Stage, scored: Option<&Stage>) -> Markup {
        let (view, edition) = (self.view, self.edition);
        let panels = of_stage(edition, &experts.id);
        let open = edition.without_panel(&experts.id);
        let draws: Vec<_> = edition.draws.iter().filter(|(_, draw)| draw.stage == experts.id).collect();
        let size = experts.experts.as_ref();
        html! {
            section {
                h2 { (experts.name.get(view.lang)) }
                @if let Some(rules) = size {
                    p { (view.tp("panels_rule", &[("size", &rules.panel_size.value.to_string())])) span.basis { " " (rules.panel_size.basis) } }
                }
                @for (id, draw) in &draws { (self.draw(id, draw)) }
                @if panels.is_empty() { p { (view.t("panels_none")) } }
                @else if !open.is_empty() { (self.open(experts, &open)) }
                @for ((_, panel), number) in panels.iter().zip(1..) { (self.panel(experts, scored, number, panel)) }
            }
        }
    }

    /// The draw that the members come from, with whoever of it is still free.
    fn draw(&self, id: &str, draw: &DrawState) -> Markup {
        let view = self.view;
        let (free, reserves) = left_over(self.edition, draw);
        let listed = |experts: &[&str]| {
            let each: Vec<String> = experts.iter().map(|x| (*x).to_owned()).collect();
            if each.is_empty() { view.t("panels_nobody") } else { list(view.lang, &each) }
        };
        html! {
            p {
                a href=(self.href(&format!("/draws/{}", encode(id)))) { (crate::draw::title(view, self.edition, id)) }
                @if draw.revealed.is_some() {
                    " · " (view.tp("panels_left", &[("free", &listed(&free)), ("reserves", &listed(&reserves))]))
                }
            }
        }
    }

    fn open(&self, experts: &Stage, open: &[&String]) -> Markup {
        let names: Vec<String> = open.iter().map(|application| self.name(application)).collect();
        let count = names.len().to_string();
        let names = list(self.view.lang, &names);
        ui::note(
            Tone::Due,
            &html! {
                p { (self.view.tp("panels_open", &[("count", &count), ("names", &names)])) }
                p { a href=(act_href(self.view, self.app, self.log, PanelFormed::KIND, &experts.id)) { (words("act", PanelFormed::KIND, &[]).get(self.view.lang)) } }
            },
        )
    }

    /// One row for each application, one column for each member.
    fn panel(&self, experts: &Stage, scored: Option<&Stage>, number: u32, panel: &Panel) -> Markup {
        let (view, edition) = (self.view, self.edition);
        let expected = experts.experts.as_ref().map_or(0, |rules| rules.panel_size.value);
        let short = u32::try_from(panel.members.len()).is_ok_and(|members| members < expected);
        let mut columns = vec![Column::text(view.t("applicant"))];
        columns.extend(panel.members.iter().map(|expert| {
            let leads = if *expert == panel.leader { view.t("panels_leader") } else { String::new() };
            Column::text(format!("{expert}{leads}"))
        }));
        columns.push(Column::text(view.t("panels_judges")));
        let here = self.href("/applications");
        let rows: Vec<Row<'_>> = panel
            .applications
            .iter()
            .map(|application| {
                let name = self.name(application);
                let gone = !edition.field.contains(application);
                let duties: Vec<Duty> =
                    panel.members.iter().map(|expert| duty(edition, scored, expert, application)).collect();
                let judges = duties.iter().filter(|duty| **duty != Duty::Recused).count();
                let mut cells =
                    vec![html! { (name) @if gone { " " (ui::status_tag(&view.t("panels_gone"), Tone::Quiet)) } }];
                cells.extend(duties.iter().map(|duty| {
                    if gone {
                        html! { "—" }
                    } else {
                        tag(view, *duty)
                    }
                }));
                cells.push(html! { @if gone { "—" } @else { (judges) } });
                Row::link(format!("{here}/{application}"), cells)
            })
            .collect();
        let title = view.tp("panels_panel", &[("panel", &number.to_string()), ("leader", &panel.leader)]);
        let fields: BTreeSet<&str> =
            panel.members.iter().filter_map(|x| edition.seats.get(x)?.group.as_deref()).collect();
        let fields: Vec<String> = fields.into_iter().map(|field| crate::draw::group(view, field)).collect();
        html! {
            h3 { (title) }
            p {
                (view.tp("panels_members", &[("count", &panel.members.len().to_string()), ("fields", &list(view.lang, &fields))]))
                @if short { " " (ui::status_tag(&view.tp("panels_short", &[("size", &expected.to_string())]), Tone::Now)) }
            }
            @if let Some(stage) = scored { p.hint { (view.tp("panels_sheets", &[("stage", stage.name.get(view.lang))])) } }
            div.scroll tabindex="0" role="group" aria-label=(title) { (ui::table(&title, &columns, &rows, &html! {})) }
            @for application in &panel.applications { (crate::consensus::dissents(view, edition, application)) }
            @if !panel.replaced.is_empty() {
                ul { @for change in &panel.replaced {
                    li { (ui::status_tag(words("act", PanelMemberReplaced::KIND, &[]).get(view.lang), Tone::Due)) " " (change.out) " → " (change.by) " · " (change.reason) }
                } }
            }
        }
    }
}

fn tag(view: &View, duty: Duty) -> Markup {
    let (key, tone) = match duty {
        Duty::Recused => ("duty_recused", Tone::Stop),
        Duty::Undeclared => ("duty_undeclared", Tone::Due),
        Duty::Ready => ("duty_ready", Tone::Quiet),
        Duty::Owed => ("duty_owed", Tone::Due),
        Duty::Submitted => ("duty_submitted", Tone::Done),
    };
    ui::status_tag(&view.t(key), tone)
}
