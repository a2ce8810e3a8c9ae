//! All acts of the desk, each where it is first open to somebody.

use std::collections::{BTreeMap, BTreeSet};

use heng_app::desk::files::{self, FileInfo};
use heng_app::desk::{self, Answers, Field, Kind, Task, drafts, proposal};
use heng_app::simulation::DeviceKey;
use heng_domain::office::events::OfficeRole;
use heng_log::Hash;

use super::super::{FINISHED, NOTICE, OPEN, Town, VOTING, build};
use super::robot::fill;
use super::{LANGS, Table, Typed, compare, escaped, form, laws, sizes, summary, typed};
use crate::work::encode;

const OFFICE: &str = "heng.example/office";

/// What was met: a table for each form and language, and what was broken.
#[derive(Default)]
struct Met {
    tables: BTreeMap<&'static str, BTreeMap<String, Table>>,
    kinds: BTreeSet<&'static str>,
    forms: BTreeSet<String>,
    broken: Vec<String>,
}

/// Fields that are read alike need to be tried once: of the same kind, the first.
fn different(fields: &[Field]) -> Vec<&Field> {
    let mut seen = BTreeSet::new();
    let shape = |field: &Field| {
        let kind = match &field.kind {
            Kind::One { .. } => "one".to_owned(),
            Kind::Many { .. } => "many".to_owned(),
            Kind::Table { columns, most } => format!("table {} {most}", columns.len()),
            other => format!("{other:?}"),
        };
        format!("{kind} {}", field.optional)
    };
    fields.iter().filter(|field| seen.insert(shape(field))).collect()
}

/// What can be sent into a field of this kind.
fn inputs(field: &Field) -> Vec<Typed> {
    let most = match &field.kind {
        Kind::Line { most } | Kind::Area { most, .. } => *most,
        _ => 300,
    };
    typed(most)
}

/// Whether a page shows what was typed, the cells of a table one by one.
fn shows(page: &str, values: &[String]) -> bool {
    let cells = |value: &String| value.split(['\t', '\n']).map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let whole = values.iter().all(|value| page.contains(&escaped(&value.replace("\r\n", "\n"))));
    whole || values.iter().flat_map(cells).all(|cell| page.contains(&escaped(&cell)))
}

/// The form of an act: what the office enters from paper asks for more than the applicant's or the member's own.
fn name(task: &Task, subject: &str) -> String {
    let application = task.kind == "application.submitted" && subject.starts_with("p:");
    let paper = application || task.case.id.ends_with("~paper");
    format!("{}{}", task.kind, if paper { " from paper" } else { "" })
}

/// Whether the draft holds what was typed: a long form shows its parts one at a time.
fn saved(town: &Town, draft: &str, field: &Field, values: &[String]) -> bool {
    let saved = drafts::load(town.heng(), draft).unwrap();
    let kept = saved.as_ref().and_then(|saved| saved.answers.get(&field.name)).map_or(&[][..], Vec::as_slice);
    let plain = |values: &[String]| values.iter().map(|value| value.replace("\r\n", "\n")).collect::<Vec<_>>();
    plain(kept) == plain(values)
}

/// An uploaded file of `owner`.
fn scan(town: &Town, owner: &str) -> String {
    let sha256 = Hash(town.heng().store().put_attachment(b"a scan").unwrap()).to_string();
    let info = FileInfo {
        about: "paper".to_owned(),
        name: "scan.pdf".to_owned(),
        size: 6,
        content_type: "application/pdf".to_owned(),
        secret: false,
    };
    files::put(town.heng(), owner, &sha256, &info).unwrap();
    sha256
}

/// Whether the field shows again what was typed, whatever it was.
fn keeps(field: &Field) -> bool {
    !matches!(field.kind, Kind::One { .. } | Kind::Many { .. } | Kind::Tick | Kind::Files { .. })
}

impl Met {
    /// Sends everything into the form of a task.
    async fn meet(&mut self, town: &Town, subject: &str, task: &Task) {
        let sheet = desk::sheet(town.heng(), &task.log, subject, task.kind, &task.case.id).unwrap();
        let mut good = fill(&sheet, town.now().date(480));
        for field in sheet.fields.iter().filter(|field| !field.optional && matches!(field.kind, Kind::Files { .. })) {
            good.insert(field.name.clone(), vec![scan(town, &sheet.me)]);
        }
        let signed = sheet.signs.actor || !sheet.signs.roles.is_empty();
        let path =
            format!("/work/{}/{}/{}", crate::work::place(&town.app, &task.log), task.kind, encode(&task.case.id));
        let draft = drafts::key(&sheet.me, &task.log, task.kind, &task.case.id);
        let before = sizes(town);
        for field in different(&sheet.fields) {
            for (what, values) in inputs(field) {
                for (lang, prefix) in LANGS {
                    drafts::discard(town.heng(), &draft).unwrap();
                    let mut answers = good.clone();
                    answers.insert(field.name.clone(), values.clone());
                    let mut fields = flat(&answers);
                    let begun = drafts::begun(town.heng(), &draft).unwrap();
                    fields.push(("_version".to_owned(), begun.to_string()));
                    // What needs no signature is only checked: nobody sends it here.
                    fields.push(("_do".to_owned(), if signed { "send" } else { "check" }.to_owned()));
                    let cookie = town.cookie(subject);
                    let came = town.send(form(&format!("{prefix}{path}"), Some(&cookie), &fields)).await;
                    let here = format!("{} · {} · {what} ({lang})", task.kind, field.name);
                    self.broken.extend(laws(&here, &came));
                    let page = came.text();
                    let shown = shows(&page, &values) || saved(town, &draft, field, &values);
                    if came.status == 422 && summary(&page).is_empty() {
                        self.broken.push(format!("{here}: the error summary leads nowhere"));
                    }
                    if came.status == 422 && keeps(field) && what != "twice" && !shown {
                        self.broken.push(format!("{here}: what was typed is lost"));
                    }
                    let tables = self.tables.entry(lang).or_default();
                    let label = format!("{} · {}", field.name, if field.optional { "optional" } else { "asked" });
                    tables.entry(name(task, subject)).or_default().note(&label, &came, what);
                    withdraw_all(town, subject);
                }
            }
        }
        drafts::discard(town.heng(), &draft).unwrap();
        if sizes(town) != before {
            self.broken.push(format!("{}: something was written to a log", task.kind));
        }
    }

    /// Meets the forms that `subject` has open and that nobody met before.
    async fn look(&mut self, town: &Town, log: &str, subject: &str) {
        for task in desk::tasks(town.heng(), log, subject).unwrap() {
            self.kinds.insert(task.kind);
            if self.forms.insert(name(&task, subject)) {
                self.meet(town, subject, &task).await;
            }
        }
    }
}

fn flat(answers: &Answers) -> Vec<(String, String)> {
    answers.iter().flat_map(|(name, values)| values.iter().map(|v| (name.clone(), v.clone()))).collect()
}

fn withdraw_all(town: &Town, subject: &str) {
    for (proposal, standing) in proposal::concerning(town.heng(), subject).unwrap() {
        if standing.own {
            proposal::withdraw(town.heng(), &proposal.id, subject).unwrap();
        }
    }
}

/// An edition goes on to its end, everybody following their own list; each new form that shows is met.
async fn live(met: &mut Met, town: &Town, log: &str) {
    for _ in 0..200 {
        let mut acted = false;
        for subject in town.subjects(log) {
            let mut stuck = BTreeSet::new();
            loop {
                met.look(town, log, &subject).await;
                let tasks = desk::tasks(town.heng(), log, &subject).unwrap();
                // Once, somebody disputes what was read back: then the chair may open the motion again.
                let disputes = |task: &Task| task.kind == "motion.disputed" && !met.kinds.contains("motion.reopened");
                let next = tasks.into_iter().find(|task| {
                    (task.case.duty || disputes(task)) && !stuck.contains(&(task.kind, task.case.id.clone()))
                });
                let Some(task) = next else { break };
                if town.act(&subject, &task) {
                    acted = true;
                } else {
                    stuck.insert((task.kind, task.case.id.clone()));
                }
            }
        }
        if town.heng().log(log).unwrap().image().state.edition().unwrap().closed {
            break;
        }
        if !acted {
            town.clock.advance_millis(86_400_000);
        }
    }
}

/// What no edition of the demonstration comes to by itself: an edition at its very beginning, a key to enrol, an objection.
async fn beginnings(met: &mut Met, town: &Town) {
    let officer = "p:0001";
    let tasks = desk::tasks(town.heng(), OFFICE, officer).unwrap();
    let year = tasks.into_iter().find(|task| task.kind == "edition.registered").unwrap();
    assert!(town.act(officer, &year), "no edition was registered");
    let key = DeviceKey::of(7, "new").unwrap().public();
    proposal::offer_key(town.heng(), OFFICE, "p:0003", &key).unwrap();
    let logs: Vec<String> = town.heng().logs().iter().map(|log| log.id().to_owned()).collect();
    let new = logs.iter().find(|log| ![OFFICE, FINISHED, NOTICE, VOTING, OPEN].contains(&log.as_str())).unwrap();
    let expert = {
        let office = town.heng().office_log().unwrap();
        let image = office.image();
        let office = image.state.office().unwrap();
        let today = office.day(town.now());
        office.people.keys().find(|id| office.holds(id, OfficeRole::Expert, today)).unwrap().clone()
    };
    proposal::offer_key(town.heng(), new, &expert, &key).unwrap();
    let objection = Answers::from(
        [
            ("by", "person"),
            ("name", "王某"),
            ("identity", "990000199001011234"),
            ("contact", "0396-0000000"),
            ("grounds", "所列数据与年报不一致。"),
        ]
        .map(|(name, value)| (name.to_owned(), vec![value.to_owned()])),
    );
    let (notice, application) = town.noticed();
    let path = format!("/editions/{}/notices/{notice}", crate::view::slug(NOTICE));
    let mut fields = flat(&objection);
    fields.push(("application".to_owned(), application));
    let came = town.send(form(&path, None, &fields)).await;
    assert_eq!(came.status, 200, "{}", came.text());
    for _ in 0..3 {
        for log in &logs {
            for subject in town.subjects(log) {
                met.look(town, log, &subject).await;
                let wanted = ["person.seated", "key.enrolled", "objection.screened", "stage.opened"];
                let tasks = desk::tasks(town.heng(), log, &subject).unwrap();
                for task in tasks.iter().filter(|task| wanted.contains(&task.kind) && (log != OPEN || task.case.duty)) {
                    town.act(&subject, task);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_act_says_what_is_wrong_and_keeps_what_was_typed() {
    let town = build();
    let mut met = Met::default();
    for log in [OFFICE, FINISHED, NOTICE, VOTING, OPEN] {
        for subject in town.subjects(log) {
            met.look(&town, log, &subject).await;
        }
    }
    beginnings(&mut met, &town).await;
    live(&mut met, &town, OPEN).await;
    for subject in town.subjects(OFFICE) {
        met.look(&town, OFFICE, &subject).await;
    }
    // Other rules: a public poll that is counted, and ballots on paper.
    let (paper, log) = super::robot::paper();
    live(&mut met, &paper, &log).await;
    let edition_acts = desk::edition_acts();
    let office_acts = desk::office_acts();
    let acts = edition_acts.iter().map(|act| act.kind).chain(office_acts.iter().map(|act| act.kind));
    let unmet: Vec<&str> = acts.filter(|kind| !met.kinds.contains(kind)).collect();
    assert!(unmet.is_empty(), "these forms were never open: {unmet:?}");
    assert!(met.broken.is_empty(), "{} laws are broken:\n{}", met.broken.len(), met.broken.join("\n"));
    for (lang, _) in LANGS {
        compare("acts", lang, &met.tables[lang]);
    }
}
