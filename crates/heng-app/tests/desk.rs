//! An edition that takes applications is led to its end by people who only follow their own list of duties.
//!
//! Everybody looks at the desk, takes the first thing that waits for them, fills the form in and signs. Nobody knows the
//! rules of the award: if the desk forgot a duty, or asked for something that `admit` refuses, the edition would stop here.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use heng_app::desk::drafts::{self, Save};
use heng_app::desk::files::{self, FileInfo};
use heng_app::desk::proposal::{self, Outcome};
use heng_app::desk::{self, Answers, DeskError, Field, Kind, Sheet, Task};
use heng_app::simulation::{DeviceKey, Frozen, build_demo};
use heng_app::{Heng, ManualClock, SeededEntropy};
use heng_domain::rules::{BallotKind, Rules, VoteDisclosure, read_calendar, read_criteria, read_rules};
use heng_domain::time::Instant;
use jiff::civil::{Date, date};

const TODAY: Date = date(2026, 5, 20);
const SEED: u64 = 2016;

struct Town {
    heng: Heng,
    clock: Arc<ManualClock>,
}

fn town(change: impl Fn(&mut Rules)) -> Town {
    let start = Instant::at(TODAY, 10, 0, 480).unwrap();
    let clock = Arc::new(ManualClock::at(start));
    let heng = Heng::in_memory(clock.clone(), Arc::new(SeededEntropy::new(5))).unwrap();
    let mut data = Frozen {
        rules: read_rules("r", include_str!("../../../data/programmes/zhumadian.toml")).unwrap(),
        criteria: read_criteria("c", include_str!("../../../data/criteria/gbt19580-2012.toml")).unwrap(),
        calendar: read_calendar("k", include_str!("../../../data/calendars/cn.toml")).unwrap(),
    };
    change(&mut data.rules);
    let figures = include_str!("../../../data/demo/figures.json");
    build_demo(&heng, &clock, &data, figures, TODAY, &|_| {}).unwrap();
    // Just after the newest record: the simulation of other editions went its own ways.
    let newest = heng.logs().iter().filter_map(|log| log.image().state.position().1).max().unwrap();
    clock.set(newest.max(start));
    Town { heng, clock }
}

impl Town {
    fn subjects(&self, log: &str) -> Vec<String> {
        let office = self.heng.office_log().unwrap();
        let mut out: Vec<String> = office.image().state.office().unwrap().people.keys().cloned().collect();
        let edition = self.heng.log(log).unwrap();
        out.extend(edition.image().state.edition().unwrap().organisations.keys().cloned());
        out
    }

    fn duties(&self, log: &str, subject: &str) -> Vec<Task> {
        let tasks = desk::tasks(&self.heng, log, subject).unwrap();
        tasks.into_iter().filter(|task| task.case.duty).collect()
    }

    /// Signs for everybody who is asked, as their devices would; some are asked only when others have signed.
    fn sign_all(&self, log: &str) {
        let mut signed = true;
        while signed {
            signed = false;
            for subject in self.subjects(log) {
                for (proposal, standing) in proposal::concerning(&self.heng, &subject).unwrap() {
                    if standing.asked {
                        let statements = proposal::statements(&self.heng, &proposal, &standing.handle).unwrap();
                        let name = if standing.handle.starts_with("x:") {
                            format!("{}@{}", standing.handle, proposal.log)
                        } else {
                            standing.handle.clone()
                        };
                        let device = DeviceKey::of(SEED, &name).unwrap();
                        let signature =
                            |s: &proposal::Statement| device.signature(&s.hash, &standing.handle, s.at.clone());
                        let signatures = statements.iter().map(signature).collect();
                        proposal::sign(&self.heng, &proposal.id, &subject, signatures).unwrap();
                        signed = true;
                    }
                }
            }
        }
    }

    fn act(&self, subject: &str, task: &Task) -> Result<Outcome, DeskError> {
        let sheet = desk::sheet(&self.heng, &task.log, subject, task.kind, &task.case.id)?;
        let answers = fill(&sheet, self.clock.today());
        if task.kind == "pledge.given" {
            // A conflict is answered for with each applicant, or with all the others at once; nothing is assumed.
            let mut silent = answers.clone();
            silent.retain(|name, _| name == "promise");
            let refused = proposal::act(&self.heng, &task.log, subject, task.kind, &task.case.id, &silent).unwrap_err();
            assert!(matches!(refused, DeskError::Wrong(wrong) if wrong[0].code == "choose_one"));
            let mut others = silent;
            others.insert("no_other".to_owned(), vec!["yes".to_owned()]);
            let many = sheet.fields.iter().any(|field| field.name == "no_other");
            let answers = if many { others } else { answers };
            return proposal::act(&self.heng, &task.log, subject, task.kind, &task.case.id, &answers);
        }
        proposal::act(&self.heng, &task.log, subject, task.kind, &task.case.id, &answers)
    }
}

impl Town {
    /// Everybody does what waits for them, day by day, until the edition is closed. What was done, how often each kind.
    fn lead(&self, log: &str, mut each: impl FnMut(&Town, &str, &Task)) -> BTreeMap<&'static str, usize> {
        let mut done = BTreeMap::new();
        for _ in 0..200 {
            let mut acted = false;
            for subject in self.subjects(log) {
                // Somebody may have acted on the same thing meanwhile: the list is read anew after each act.
                while let Some(task) = self.duties(log, &subject).into_iter().next() {
                    let before = self.heng.log(log).unwrap().image().state.position().0;
                    match self.act(&subject, &task) {
                        Ok(_) => {}
                        Err(DeskError::Wrong(wrong)) => panic!("{subject} {} {}: {wrong:?}", task.kind, task.case.id),
                        Err(error) => panic!("{subject} {} {}: {error}", task.kind, task.case.id),
                    }
                    self.sign_all(log);
                    if task.kind == "motion.closed" {
                        // Members compare their own line before the count is frozen.
                        self.clock.advance_millis(5_000);
                    }
                    let after = self.heng.log(log).unwrap().image().state.position().0;
                    assert!(after > before, "{} {} by {subject} led to no record", task.kind, task.case.id);
                    *done.entry(task.kind).or_default() += 1;
                    acted = true;
                    each(self, &subject, &task);
                }
            }
            if self.heng.log(log).unwrap().image().state.edition().unwrap().closed {
                break;
            }
            if !acted {
                self.clock.advance_millis(86_400_000);
            }
        }
        done
    }

    /// Checks the conditions of an application again, as soon as all are checked and nothing is decided; whether it did.
    fn check_again(&self, log: &str) -> bool {
        let tasks = desk::tasks(&self.heng, log, "p:0001").unwrap();
        let decides = |case: &str| tasks.iter().any(|t| t.kind == "pre_review.decided" && t.case.id == case);
        let Some(task) = tasks.iter().find(|t| t.kind == "condition.checked" && decides(&t.case.id)) else {
            return false;
        };
        assert!(!task.case.duty, "what is checked waits for nobody");
        matches!(self.act("p:0001", task), Ok(Outcome::Recorded(_)))
    }

    /// As soon as somebody but a leader has handed in a sheet, its author is recused from the case and the next reserve
    /// takes the place. The case and the author.
    fn late_conflict(&self, log: &str) -> Option<(String, String)> {
        let (application, panel, expert, ground) = {
            let edition = self.heng.log(log).unwrap();
            let image = edition.image();
            let state = image.state.edition().unwrap();
            let ground = state.rules().recusal[0].id.clone();
            let (stage, sheets) = state.sheets.iter().next()?;
            let judged = sheets.submitted.iter().flat_map(|(a, by)| by.keys().map(move |expert| (a, expert)));
            let (application, expert) = judged
                .filter(|(a, _)| !sheets.agreed.contains_key(*a))
                .find(|(a, expert)| state.panel_of(stage, a).is_some_and(|(_, panel)| panel.leader != **expert))?;
            let (panel, _) = state.panel_of(stage, application).unwrap();
            (application.clone(), panel.to_owned(), expert.clone(), ground)
        };
        let handle = |subject: &String| proposal::handle(&self.heng, log, subject).unwrap();
        let person = self.subjects(log).into_iter().find(|subject| handle(subject).as_ref() == Some(&expert)).unwrap();
        let act = |subject: &str, kind: &str, case: &str, answers: &[(&str, &str)]| {
            let sheet = desk::sheet(&self.heng, log, subject, kind, case).unwrap();
            let raw = |text: &str| text.starts_with("field.") || text.starts_with("hint.");
            assert!(sheet.fields.iter().all(|f| !raw(&f.label.zh) && !raw(&f.label.en)), "{:?}", sheet.fields);
            let answers = answers.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()])).collect();
            proposal::act(&self.heng, log, subject, kind, case, &answers).unwrap();
            self.sign_all(log);
        };
        act(&person, "recusal.declared", "-", &[("application", &application), ("ground", &ground)]);
        let case = format!("{panel}~reserve");
        act("p:0001", "panel.member_replaced", &case, &[("out", &expert), ("reason", "须回避")]);
        Some((application, expert))
    }
}

impl Town {
    /// Whoever plans a visit also asks what the document review left open, and the first finding answers it.
    fn raise_question(&self, log: &str, subject: &str, case: &str) {
        let sheet = desk::sheet(&self.heng, log, subject, "visit.issue_raised", case).unwrap();
        let answers = fill(&sheet, self.clock.today());
        proposal::act(&self.heng, log, subject, "visit.issue_raised", case, &answers).unwrap();
        self.sign_all(log);
    }

    /// An officer mistyped the answer of a department, and corrects it with the reason.
    fn correct_answer(&self, log: &str, subject: &str, department: &str) {
        let case = format!("{department}~correct");
        let sheet = desk::sheet(&self.heng, log, subject, "opinion.received", &case).unwrap();
        let mut answers = fill(&sheet, self.clock.today());
        proposal::act(&self.heng, log, subject, "opinion.received", &case, &answers).unwrap();
        // An objection needs its reason, and a clear answer has none.
        answers.insert("answer".to_owned(), vec!["objection".to_owned()]);
        let refused = proposal::act(&self.heng, log, subject, "opinion.received", &case, &answers).unwrap_err();
        assert!(matches!(refused, DeskError::Wrong(wrong) if wrong[0].code == "opinion_reason"));
        answers.insert("answer".to_owned(), vec!["clear".to_owned()]);
        answers.insert("reason_text".to_owned(), vec!["2025-03-04 …".to_owned()]);
        let refused = proposal::act(&self.heng, log, subject, "opinion.received", &case, &answers).unwrap_err();
        assert!(matches!(refused, DeskError::Wrong(wrong) if wrong[0].code == "opinion_clear"));
    }
}

trait Today {
    fn today(&self) -> Date;
}

impl Today for ManualClock {
    fn today(&self) -> Date {
        heng_app::Clock::now(self).date(480)
    }
}

fn last_digit(case: &str) -> u32 {
    case.chars().last().and_then(|c| c.to_digit(10)).unwrap_or(0)
}

/// Fills a form in as somebody would who only reads the labels.
fn fill(sheet: &Sheet, today: Date) -> Answers {
    let ago = |days: i64| today.checked_sub(jiff::ToSpan::days(days)).unwrap();
    let one = |field: &Field| -> Vec<String> {
        if !field.value.is_empty() && field.value != [""] && !matches!(field.kind, Kind::Table { .. }) {
            return field.value.clone();
        }
        let text = |text: &str| vec![text.to_owned()];
        match &field.kind {
            Kind::Line { .. } if field.name.starts_with("value") => text("03,09,14,21,26,30|07"),
            Kind::Line { .. } if field.name == "number" => text("云政〔2026〕12号"),
            Kind::Line { .. } => text("部门复函（虚构）"),
            Kind::Area { .. } if field.optional => Vec::new(),
            Kind::Area { .. } => text("虚构内容，仅供测试。"),
            // Each applicant is as good as its number, so that nobody ties.
            Kind::Number { step: 5, .. } => vec![(55 + 5 * (last_digit(&sheet.case.id) % 8)).to_string()],
            Kind::Number { most, .. } => vec![(*most).min(90).to_string()],
            Kind::Money { .. } => text("100"),
            Kind::Day if field.name.ends_with("since") => text("2001-02-03"),
            Kind::Day if field.name.ends_with("from") => vec![ago(30).to_string()],
            Kind::Day => vec![today.to_string()],
            Kind::Moment => vec![format!("{today}T12:00")],
            Kind::One { choices } => vec![choices[0].value.clone()],
            Kind::Many { choices } if !field.optional => vec![choices[0].value.clone()],
            Kind::Tick => text("yes"),
            Kind::Table { .. } if field.optional => Vec::new(),
            Kind::Table { .. } => {
                let row = |line: &str| format!("{}\t1200.50\t90\t30\t120", line.split('\t').next().unwrap());
                vec![field.value[0].lines().map(row).collect::<Vec<_>>().join("\n")]
            }
            Kind::Many { .. } | Kind::Files { .. } => Vec::new(),
        }
    };
    sheet.fields.iter().map(|field| (field.name.clone(), one(field))).collect()
}

#[test]
fn an_edition_comes_to_its_end_by_duties_alone() {
    let town = town(|_| {});
    let log = "heng.example/nanlu-county/2026";
    let mut conflict = None;
    let mut corrected = false;
    let done = town.lead(log, |town, subject, task| {
        match task.kind {
            "visit.planned" => town.raise_question(log, subject, &task.case.id),
            "opinion.received" if !corrected => {
                town.correct_answer(log, subject, &task.case.id);
                corrected = true;
            }
            _ => {}
        }
        if conflict.is_none() {
            conflict = town.late_conflict(log);
        }
    });
    let edition = town.heng.log(log).unwrap();
    let image = edition.image();
    let state = image.state.edition().unwrap();
    let open: Vec<&str> = state.open_stages().iter().map(|s| s.id.as_str()).collect();
    assert!(state.closed, "the edition stopped in {open:?} after {done:?}");
    assert!(!state.honours.is_empty());
    // Every department was asked and has answered, and every applicant on site was visited, a question answered.
    let departments = state.rules().opinions.as_ref().unwrap().departments.len();
    assert_eq!((done["opinions.asked"], done["opinion.received"]), (1, departments));
    let asked = state.opinions.as_ref().unwrap();
    assert_eq!(asked.answers.len(), departments * asked.applications.len());
    let visited = |visit: &heng_domain::edition::Visit| visit.report.is_some() && visit.log[0].issue.is_some();
    assert_eq!((state.visits.len(), state.visits.values().all(visited)), (state.field_at["site"].len(), true));
    // Everybody who judged had pledged, and the reserve who stepped in has judged the case instead.
    assert_eq!(done["pledge.given"], state.pledges.len());
    let (application, out) = conflict.expect("nobody was replaced");
    let change = state.panels.values().flat_map(|panel| &panel.replaced).next().unwrap();
    let (stage, _) = state.sheets.iter().find(|(_, s)| !s.submitted.is_empty()).unwrap();
    let counting = state.counting_sheets(stage, &application);
    assert_eq!(change.out, out);
    assert!(counting.contains_key(change.by.as_str()) && !counting.contains_key(out.as_str()));
    assert!(counting.keys().all(|expert| state.declared[*expert].contains(&application)));
    assert!(state.sessions.values().flat_map(|s| &s.members).all(|m| state.has_pledged(&m.person)));
    drop(image);
    let office = "heng.example/office";
    // The office follows: first the budget for the prizes, then honours and prizes, until nothing waits.
    let mut kinds = Vec::new();
    while let Some(task) = town.duties(office, "p:0001").into_iter().next() {
        assert!(kinds.len() < 10, "{kinds:?}");
        town.act("p:0001", &task).unwrap();
        town.sign_all(log);
        kinds.push(task.kind);
    }
    assert!(kinds.starts_with(&["entry.posted"]) && kinds.ends_with(&["honour.registered"]), "{kinds:?}");
    // The public check finds nothing wrong in what the desk wrote.
    let files = heng_app::bundle::public_bundle(&town.heng, &edition).unwrap();
    let report = heng_verify::verify(&heng_verify::Bundle { files }, &heng_verify::Options::default()).unwrap();
    assert_eq!(report.exit_code(), 0, "{}", report.render(heng_domain::text::Lang::En));
}

/// The system sees no ballots then: the chair closes, two counters and the supervisor sign the count, the chair goes on.
#[test]
fn a_vote_on_paper_comes_to_its_end_by_duties_alone() {
    let town = town(|rules| {
        for committee in rules.stages.iter_mut().filter_map(|stage| stage.committee.as_mut()) {
            committee.ballot.value = BallotKind::Secret;
        }
        rules.disclosure.votes.value = VoteDisclosure::Totals;
    });
    let log = "heng.example/nanlu-county/2026";
    let mut again = false;
    let done = town.lead(log, |town, _, _| again = again || town.check_again(log));
    let edition = town.heng.log(log).unwrap();
    let image = edition.image();
    let state = image.state.edition().unwrap();
    assert!(again, "what was checked could not be checked again before the decision");
    assert!(state.closed && !state.honours.is_empty(), "{done:?}");
    assert!(done["count.recorded"] > 0 && done["count.recorded"] == done["motion.closed"], "{done:?}");
    assert!(!done.contains_key("ballot.cast"));
}

/// A window of working days that reaches into next year needs its arrangement, which is published when the edition runs.
#[test]
fn the_days_off_of_next_year_are_added_by_two_officers() {
    let town = town(|_| {});
    let log = "heng.example/nanlu-county/2026";
    let years = || {
        let log = town.heng.log(log).unwrap();
        let image = log.image();
        image.state.edition().unwrap().calendar.clone().unwrap().years
    };
    let before = years();
    let answers = |holidays: &str, workdays: &str| {
        let text = |text: &str| vec![text.to_owned()];
        Answers::from([
            ("holidays".to_owned(), text(holidays)),
            ("workdays".to_owned(), text(workdays)),
            ("calendar_source".to_owned(), text("虚构的通知")),
            ("source".to_owned(), text("虚构的通知")),
        ])
    };
    let act = |answers: &Answers| proposal::act(&town.heng, log, "p:0001", "calendar.adopted", "-", answers);
    for wrong in ["2027-13-01", "2026-10-01", "1 January"] {
        let refused = act(&answers(wrong, "")).unwrap_err();
        assert!(matches!(&refused, DeskError::Wrong(wrong) if wrong[0].code == "calendar_day"), "{wrong}: {refused:?}");
    }
    assert!(act(&answers("2027-01-01", "2027-01-04")).is_err(), "a Monday is no make-up day");
    assert!(matches!(act(&answers("2027-01-01，2027-01-02\n2027-01-03", "2027-01-09")), Ok(Outcome::Waiting(_))));
    assert_eq!(years(), before, "one officer changes nothing");
    town.sign_all(log);
    let after = years();
    assert_eq!((after["2027"].holidays.len(), after["2027"].workdays.len()), (3, 1));
    assert!(before.iter().all(|(year, days)| after.get(year) == Some(days)));
}

/// What an officer types after having proposed an act is not thrown away when the second one signs; and what the office log
/// would refuse is refused before anybody is asked to sign.
#[test]
fn a_proposal_takes_only_the_draft_that_it_was_made_from() {
    let town = town(|_| {});
    let (office, officer) = ("heng.example/office", "p:0001");
    let tasks = desk::tasks(&town.heng, office, officer).unwrap();
    let task = tasks.iter().find(|task| task.kind == "edition.registered").unwrap();
    let sheet = desk::sheet(&town.heng, office, officer, task.kind, &task.case.id).unwrap();
    let key = drafts::key(&sheet.me, office, task.kind, &task.case.id);
    let mut answers = fill(&sheet, town.clock.today());
    let save = |version: u64, answers: &Answers| {
        drafts::save(&town.heng, &key, officer, version, &sheet.before(), answers.clone()).unwrap()
    };
    assert!(matches!(save(0, &answers), Save::Done(_)));
    let act = |answers: &Answers| proposal::act(&town.heng, office, officer, task.kind, &task.case.id, answers);
    assert!(matches!(act(&answers), Ok(Outcome::Waiting(_))));
    let proposed = answers.insert("edition".to_owned(), vec!["2031".to_owned()]).unwrap();
    assert!(matches!(save(1, &answers), Save::Done(_)));
    town.sign_all("heng.example/nanlu-county/2026");
    let registered = |edition: &str| {
        let log = town.heng.log(office).unwrap();
        let image = log.image();
        image.state.office().unwrap().editions.values().any(|(_, body)| body.edition == edition)
    };
    assert!(registered(&proposed[0]) && !registered("2031"));
    let kept = drafts::load(&town.heng, &key).unwrap().expect("what was typed later is gone");
    assert_eq!(kept.answers["edition"], ["2031"]);
    // And once that is recorded too, its draft is.
    act(&answers).unwrap();
    town.sign_all("heng.example/nanlu-county/2026");
    assert!(registered("2031") && drafts::load(&town.heng, &key).unwrap().is_none());
    answers.insert("edition".to_owned(), proposed);
    assert!(matches!(act(&answers), Err(DeskError::Wrong(wrong)) if wrong[0].code == "edition_taken"));

    let mut term = fill(&desk::sheet(&town.heng, office, officer, "role.granted", "-").unwrap(), town.clock.today());
    term.insert("from".to_owned(), vec!["2030-01-01".to_owned()]);
    term.insert("until".to_owned(), vec!["2029-01-01".to_owned()]);
    let refused = proposal::act(&town.heng, office, officer, "role.granted", "-", &term).unwrap_err();
    assert!(matches!(&refused, DeskError::Refused(refusal) if refusal.code == "term.turned"), "{refused:?}");
}

/// The record is public one day: a marked file stands there without its name, and nobody finds a marked table by trying
/// numbers against its hash.
#[test]
fn what_is_marked_cannot_be_read_or_guessed_from_the_record() {
    let town = town(|_| {});
    let log = "heng.example/nanlu-county/2026";
    let applies = |subject: &String| town.duties(log, subject).iter().any(|task| task.kind == "application.submitted");
    let firm = town.subjects(log).into_iter().filter(|subject| subject.starts_with("o:")).find(applies).unwrap();
    let file = heng_log::Hash(town.heng.store().put_attachment(b"%PDF-1.4 a process").unwrap()).to_string();
    let info = FileInfo {
        about: "other".to_owned(),
        name: "核心工艺.pdf".to_owned(),
        size: 18,
        content_type: "application/pdf".to_owned(),
        secret: true,
    };
    files::put(&town.heng, &firm, &file, &info).unwrap();
    let sheet = desk::sheet(&town.heng, log, &firm, "application.submitted", "-").unwrap();
    let mut answers = fill(&sheet, town.clock.today());
    let table = sheet.fields.iter().find(|field| field.name.starts_with("results:")).unwrap();
    let item = table.name.trim_start_matches("results:");
    answers.insert("files".to_owned(), vec![file.clone()]);
    answers.insert(table.name.clone(), vec!["合格率\t%\t\t\t98\t99\t99".to_owned()]);
    answers.insert(format!("secret:{item}"), vec![table.name.clone()]);
    let write = || {
        let written = desk::write(&town.heng, log, &firm, "application.submitted", "-", &answers).unwrap();
        written.into_iter().next().unwrap().body
    };
    let (body, again) = (write(), write());
    assert_eq!(body["attachments"][0]["name"], "secret-1.pdf", "{body}");
    assert!(!body.to_string().contains("核心工艺"));
    let hash = |body: &serde_json::Value| body["self_evaluation"][item]["results_sha256"].as_str().unwrap().to_owned();
    assert_ne!(hash(&body), hash(&again), "the same table has a hash that cannot be foreseen");
    let marks: Vec<&str> = body["secret"].as_array().unwrap().iter().map(|mark| mark.as_str().unwrap()).collect();
    assert_eq!(marks, [format!("file:{file}"), table.name.clone()]);
}

#[test]
fn every_word_of_every_form_stands_in_both_languages() {
    let town = town(|_| {});
    let mut missing = std::collections::BTreeSet::new();
    let mut seen = std::collections::BTreeSet::new();
    let logs: Vec<String> = town.heng.logs().iter().map(|log| log.id().to_owned()).collect();
    for log in &logs {
        let subjects = if log.ends_with("/office") { vec!["p:0001".to_owned()] } else { town.subjects(log) };
        for subject in subjects {
            for task in desk::tasks(&town.heng, log, &subject).unwrap() {
                seen.insert(task.kind);
                let sheet = desk::sheet(&town.heng, log, &subject, task.kind, &task.case.id).unwrap();
                let title = desk::words("act", task.kind, &[]);
                let text = desk::words("act_text", task.kind, &[]);
                let mut texts = vec![title, text, task.case.about.clone()];
                for field in &sheet.fields {
                    texts.push(field.label.clone());
                    texts.extend(field.hint.clone());
                    texts.extend(field.part.clone());
                }
                for text in texts {
                    let raw = |t: &str| {
                        t.split_once('.').is_some_and(|(s, _)| {
                            ["act", "act_text", "field", "hint", "part", "column", "choice", "prefill", "role"]
                                .contains(&s)
                        })
                    };
                    if raw(&text.zh) || raw(&text.en) || text.en.contains('{') {
                        missing.insert(text.zh);
                    }
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
    assert!(seen.len() > 20, "{seen:?}");
}
