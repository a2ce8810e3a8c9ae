//! Versions of a programme's rules, what changed between them, and the dry run of a version that is not adopted yet.

use std::collections::BTreeMap;

use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use heng_app::desk::{DeskError, drafts, rules as values};
use heng_app::simulation::{Finished, MOST_APPLICANTS, Trial, try_out};
use heng_domain::messages::{message, plain, refusal};
use heng_domain::office::Office;
use heng_domain::office::events::{OfficeRole, RulesAdopted};
use heng_domain::rules::Rules;
use heng_domain::rules::leaves::{Change, Leaf, changes};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::ui::{self, Choose, Column, Field, FieldKind, Row, Tone};
use crate::view::{App, Content, View, edition_href};
use crate::words::{date, money};
use crate::work::{act_href, log_of};

/// Applicants of a dry run, if nobody says otherwise.
const APPLICANTS: usize = 12;

/// One dry run at a time: it takes a core for as long as it runs.
pub(crate) static TURN: Semaphore = Semaphore::const_new(1);

fn t(view: &View, key: &str) -> String {
    plain(view.lang, "rules", key)
}

fn tp(view: &View, key: &str, params: &[(&str, &str)]) -> String {
    message(view.lang, "rules", key, params.iter().copied())
}

/// Two versions to compare.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pair {
    before: String,
    after: String,
}

pub(crate) async fn versions(
    view: View,
    State(app): State<App>,
    Path(programme): Path<String>,
    Query(pair): Query<Pair>,
) -> Response {
    let Some(log) = app.heng().office_log() else { return view.missing(&app) };
    let (all, name, offset) = {
        let image = log.image();
        let Some(office) = image.state.office() else { return view.missing(&app) };
        let Some(all) = office.rules.get(&programme).filter(|all| !all.is_empty()) else { return view.missing(&app) };
        let name = office.programmes.get(&programme).map(|p| p.name.clone());
        (all.clone(), name, office.founded.utc_offset_minutes)
    };
    let name = name.map(|name| name.get(view.lang).to_owned()).unwrap_or(programme);
    let used = used_by(&view, &app);
    let rows: Vec<Row<'_>> = all
        .iter()
        .rev()
        .map(|(seq, adopted)| {
            let time = log.record(*seq).map(|record| date(view.lang, record.time.local(offset).date()));
            let by = Office::rules_hash(&adopted.rules).ok().and_then(|hash| used.get(&hash.to_string()));
            let by = by.map(|links| html! { @for link in links { (link) " " } });
            Row::new(vec![
                html! { (adopted.rules.version) },
                html! { (time.unwrap_or_default()) },
                html! { (adopted.rules.document.number) },
                by.unwrap_or_else(|| html! { (t(&view, "not_used")) }),
            ])
        })
        .collect();
    let columns =
        [t(&view, "version"), t(&view, "adopted"), plain(view.lang, "rule", "document_number"), t(&view, "used_by")]
            .map(Column::text);
    let find = |version: &str| all.iter().find(|(_, adopted)| adopted.rules.version == version);
    let newest = all.last();
    let after = find(&pair.after).or(newest);
    let earlier = all.len().checked_sub(2).and_then(|i| all.get(i));
    let before = find(&pair.before).or(earlier);
    let title = t(&view, "title");
    let main = html! {
        (ui::title_block(&title, Some(&name)))
        (ui::sentence(&tp(&view, "sentence", &[("name", &name), ("count", &all.len().to_string())])))
        (ui::table(&title, &columns, &rows, &html! {}))
        @match (before, after) {
            (Some((_, before)), Some((_, after))) => {
                h2 { (tp(&view, "compare_heading", &[("before", &before.rules.version), ("after", &after.rules.version)])) }
                (compared(&view, &before.rules, &after.rules))
                (pick(&view, &all, &before.rules.version, &after.rules.version))
            }
            _ => p { (t(&view, "compare_first")) },
        }
    };
    view.page(&app, Content { wide: true, ..Content::new(title, main) })
}

/// Editions by the hash of the rules that they froze, as links.
fn used_by(view: &View, app: &App) -> BTreeMap<String, Vec<Markup>> {
    let mut out: BTreeMap<String, Vec<Markup>> = BTreeMap::new();
    for log in app.heng().editions() {
        let image = log.image();
        let Some(edition) = image.state.edition() else { continue };
        let Ok(hash) = Office::rules_hash(edition.rules()) else { continue };
        let href = edition_href(view.language, log.id());
        out.entry(hash.to_string())
            .or_default()
            .push(html! { a href=(href) { (edition.opened.label.get(view.lang)) } });
    }
    out
}

fn pick(view: &View, all: &[(u64, RulesAdopted)], before: &str, after: &str) -> Markup {
    let options: Vec<Choose<'_>> =
        all.iter().map(|(_, a)| Choose::new(a.rules.version.as_str(), a.rules.version.as_str())).collect();
    let select = |name: &'static str, key: &str, chosen: &str| {
        let label = t(view, key);
        ui::field(&Field::of(name, label, FieldKind::Select { options: &options, chosen: chosen.to_owned().into() }))
    };
    html! {
        details.more {
            summary { (t(view, "compare_pick")) }
            form method="get" {
                (select("before", "compare_before", before))
                (select("after", "compare_after", after))
                div.buttons { (ui::submit(&t(view, "compare_go"), false, None)) }
            }
        }
    }
}

/// What differs between two versions: value by value, with the articles.
pub(crate) fn compared(view: &View, before: &Rules, after: &Rules) -> Markup {
    let all = changes(before, after);
    let cell = |leaf: Option<&Leaf>| match leaf {
        Some(leaf) => html! {
            (values::value_words(leaf).get(view.lang))
            @if let Some((basis, assumed)) = &leaf.basis {
                span.basis {
                    " " (view.tp("basis_line", &[("basis", basis)]))
                    @if *assumed { " " (ui::status_tag(&view.t("assumed"), Tone::Due)) }
                }
            }
        },
        None => html! { (t(view, "absent")) },
    };
    let name = |change: &Change| {
        // An entry that is gone is called as the older version called it.
        let rules = if change.after.is_some() { after } else { before };
        change.leaf().map(|leaf| values::label(rules, leaf)).map(|label| label.get(view.lang).to_owned())
    };
    let rows: Vec<Row<'_>> = all
        .iter()
        .map(|change| {
            Row::new(vec![
                html! { (name(change).unwrap_or_default()) },
                cell(change.before.as_ref()),
                cell(change.after.as_ref()),
            ])
        })
        .collect();
    let columns = ["column_value", "column_before", "column_after"].map(|key| Column::text(t(view, key)));
    let caption = tp(view, "change_count", &[("count", &all.len().to_string())]);
    ui::table(&caption, &columns, &rows, &html! { p { (t(view, "compare_none")) } })
}

/// What a record of adopted rules changes: against the version before it, or against nothing.
pub(crate) fn proposed(view: &View, app: &App, body: &Value) -> Option<Markup> {
    let body: RulesAdopted = serde_json::from_value(body.clone()).ok()?;
    let before = {
        let log = app.heng().office_log()?;
        let image = log.image();
        let all = image.state.office()?.rules.get(&body.programme).cloned().unwrap_or_default();
        let own = all.iter().position(|(_, adopted)| adopted.rules.version == body.rules.version);
        all.get(own.unwrap_or(all.len()).checked_sub(1)?).map(|(_, adopted)| adopted.rules.clone())?
    };
    let heading = [("before", before.version.as_str()), ("after", body.rules.version.as_str())];
    Some(html! {
        h3 { (tp(view, "compare_heading", &heading)) }
        (compared(view, &before, &body.rules))
    })
}

/// The link from the form to the comparison and the dry run.
pub(crate) fn trial_link(view: &View, app: &App, log: &str, case: &str) -> Markup {
    html! { p { a.button href=(trial_href(view, app, log, case)) { (t(view, "trial_link")) } } }
}

fn trial_href(view: &View, app: &App, log: &str, case: &str) -> String {
    view.href(&format!("/work/{}/rules/{}", crate::work::place(app, log), crate::work::encode(case)))
}

/// What somebody has typed of a new version.
struct Drafted {
    log: String,
    case: String,
    name: String,
    in_force: Option<Rules>,
    /// The version to try: as typed, or the one in force; `Err` says what is wrong with what was typed.
    rules: Result<Rules, Vec<String>>,
    typed: bool,
}

fn drafted(view: &View, app: &App, first: &str, second: &str, case: &str) -> Option<Drafted> {
    let me = view.me.as_ref()?;
    let log = log_of(app, first, second)?;
    let office_log = app.heng().office_log().filter(|office| office.id() == log)?;
    let image = office_log.image();
    let office = image.state.office()?;
    let today = office.day(app.heng().clock().now());
    let programme = case.split('~').next()?;
    let established = office.programmes.get(programme)?;
    if !office.holds(&me.subject, OfficeRole::Officer, today) {
        return None;
    }
    let in_force = values::in_force(office, programme).cloned();
    let key = drafts::key(&me.subject, &log, RulesAdopted::KIND, case);
    let saved = drafts::load(app.heng(), &key).ok().flatten();
    let rules = match &saved {
        Some(saved) => values::drafted(office, programme, &saved.answers).map_err(|error| match error {
            DeskError::Wrong(wrong) => wrong.iter().map(|w| w.sentence(view.lang)).collect(),
            other => vec![other.to_string()],
        }),
        None => values::start(office, programme).ok_or_else(Vec::new),
    };
    let name = established.name.get(view.lang).to_owned();
    Some(Drafted { log, case: case.to_owned(), name, in_force, rules, typed: saved.is_some() })
}

type Place = Path<(String, String, String)>;

pub(crate) async fn show_trial(view: View, State(app): State<App>, Path((first, second, case)): Place) -> Response {
    let Some(found) = drafted(&view, &app, &first, &second, &case) else { return view.missing(&app) };
    trial_page(&view, &app, &found, Asked::default(), None)
}

/// How many invented applicants, and which.
#[derive(Clone, Copy, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    applicants: usize,
    seed: u64,
}

impl Default for Asked {
    fn default() -> Asked {
        Asked { applicants: APPLICANTS, seed: 1 }
    }
}

pub(crate) async fn run_trial(
    view: View,
    State(app): State<App>,
    Path((first, second, case)): Place,
    Form(asked): Form<Asked>,
) -> Response {
    let Some(found) = drafted(&view, &app, &first, &second, &case) else { return view.missing(&app) };
    let Ok(rules) = found.rules.clone() else { return trial_page(&view, &app, &found, asked, None) };
    let Ok(turn) = TURN.try_acquire() else {
        return trial_page(&view, &app, &found, asked, Some(Err(t(&view, "trial_busy"))));
    };
    // The turn ends with the work, also where nobody waits for its answer any more.
    let done = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        try_out(&rules, asked.applicants, asked.seed)
    })
    .await;
    match done {
        Ok(Ok(trial)) => trial_page(&view, &app, &found, asked, Some(Ok(trial))),
        Ok(Err(error)) => view.failure(&app, &error),
        Err(_) => {
            view.problem(&app, StatusCode::INTERNAL_SERVER_ERROR, &view.t("failure_title"), &view.t("failure_text"))
        }
    }
}

fn trial_page(
    view: &View,
    app: &App,
    found: &Drafted,
    asked: Asked,
    outcome: Option<Result<Trial, String>>,
) -> Response {
    let title = t(view, "trial_title");
    let again = outcome.is_some();
    let seed = if again { asked.seed.wrapping_add(1) } else { asked.seed };
    let number =
        FieldKind::Line { input_type: "number", value: asked.applicants.to_string().into(), autocomplete: None };
    let mut applicants = Field::of("applicants", t(view, "trial_applicants"), number);
    applicants.hint = Some(format!("1–{MOST_APPLICANTS}").into());
    let main = html! {
        (ui::title_block(&title, Some(&found.name)))
        (ui::sentence(&tp(view, "trial_sentence", &[("name", &found.name)])))
        @if !found.typed { p { (t(view, "trial_unsaved")) } }
        @match &found.rules {
            Err(wrong) => (ui::note(Tone::Stop, &html! {
                p { (t(view, "trial_wrong")) }
                ul { @for sentence in wrong { li { (sentence) } } }
            })),
            Ok(rules) => {
                @match &found.in_force {
                    Some(before) if found.typed => {
                        h2 { (tp(view, "compare_heading", &[("before", &before.version), ("after", &rules.version)])) }
                        (compared(view, before, rules))
                    }
                    Some(_) => {}
                    None => p { (t(view, "trial_new")) },
                }
                h2 id="trial" { (t(view, "trial_heading")) }
                @match &outcome {
                    Some(Ok(trial)) => (ended(view, rules, trial)),
                    Some(Err(busy)) => (ui::note(Tone::Due, &html! { p role="alert" { (busy) } })),
                    None => {}
                }
                form method="post" action=(format!("{}#trial", trial_href(view, app, &found.log, &found.case))) {
                    (ui::field(&applicants))
                    input type="hidden" name="seed" value=(seed);
                    div.buttons { (ui::submit(&t(view, if again { "trial_again" } else { "trial_go" }), true, None)) }
                }
            }
        }
        p { a href=(act_href(view, app, &found.log, RulesAdopted::KIND, &found.case)) { (t(view, "back_form")) } }
    };
    view.page(app, Content { wide: true, ..Content::new(title, main) })
}

fn ended(view: &View, rules: &Rules, trial: &Trial) -> Markup {
    match trial {
        Trial::Finished(done) => finished(view, done),
        Trial::Stopped { stage, refusal: why } => {
            let reason = refusal(view.lang, why);
            let text = tp(view, "trial_stopped", &[("stage", stage.get(view.lang)), ("reason", &reason)]);
            ui::note(Tone::Stop, &html! { p role="alert" { (text) } })
        }
        Trial::NoData => {
            let places = [("criteria", rules.criteria.value.as_str()), ("calendar", rules.calendar.as_str())];
            ui::note(Tone::Stop, &html! { p role="alert" { (tp(view, "trial_no_data", &places)) } })
        }
    }
}

fn finished(view: &View, done: &Finished) -> Markup {
    let winners: usize = done.tiers.iter().map(|tier| tier.winners.len()).sum();
    let days = done.stages.iter().map(|stage| stage.day).max().unwrap_or(0);
    let text = tp(
        view,
        "trial_done",
        &[
            ("applicants", &done.applicants.to_string()),
            ("winners", &winners.to_string()),
            ("records", &done.records.to_string()),
            ("days", &days.to_string()),
            ("prize", &money(view.lang, done.prize_fen)),
        ],
    );
    let rows: Vec<Row<'_>> = done
        .stages
        .iter()
        .map(|stage| {
            Row::new(vec![
                html! { (stage.name.get(view.lang)) },
                html! { (stage.before) },
                html! { (stage.after) },
                html! { (stage.day) },
            ])
        })
        .collect();
    let columns = [
        Column::text(t(view, "trial_stage")),
        Column::number(t(view, "trial_in")),
        Column::number(t(view, "trial_out")),
        Column::number(t(view, "trial_day")),
    ];
    html! {
        (ui::note(Tone::Done, &html! { p role="status" { (text) } }))
        (ui::table(&t(view, "trial_heading"), &columns, &rows, &html! {}))
        h3 { (t(view, "trial_winners")) }
        @for tier in &done.tiers {
            @let names: Vec<String> = tier.winners.iter().map(|name| name.get(view.lang).to_owned()).collect();
            @if !names.is_empty() { p { (tier.name.get(view.lang)) ": " (crate::words::list(view.lang, &names)) } }
            @if tier.empty > 0 {
                p { (tp(view, "trial_empty", &[("tier", tier.name.get(view.lang)), ("count", &tier.empty.to_string())])) }
            }
        }
    }
}
