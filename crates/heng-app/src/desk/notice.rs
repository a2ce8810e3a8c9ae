//! Public notices (公示) and the objection desk (异议).

use heng_domain::edition::events::{
    Effect, NoticePublished, ObjectionAnswered, ObjectionReceived, ObjectionScreened, Role,
};
use heng_domain::messages::date;
use heng_domain::rules::StageKind;
use heng_domain::text::{Lang, Text};
use serde_json::json;

use super::call::{TEXT, TITLE, yes_no};
use super::field::{Choice, Field, Input, Kind, same, words};
use super::files::chosen;
use super::{Act, Case, DeskError, EditionDesk, Proposed, Signs, Who, Written};

/// Most files of an objection, from the public page or with a letter.
pub const MOST_FILES: usize = 3;

/// Whether an act decides an objection.
pub fn decides(kind: &str) -> bool {
    kind == ObjectionScreened::KIND || kind == ObjectionAnswered::KIND
}

pub(super) fn acts<'a>() -> Vec<Act<EditionDesk<'a>>> {
    vec![
        Act {
            kind: NoticePublished::KIND,
            who: Who::Officer,
            signs: Signs::ACTOR,
            open: |desk| {
                if !desk.has(Role::Officer) {
                    return Vec::new();
                }
                let open = desk.edition.open_stages().into_iter().filter(|s| s.kind == StageKind::Notice);
                open.filter(|s| !desk.edition.notices.iter().any(|(_, n)| n.body.stage == s.id))
                    .map(|s| Case::duty(s.id.clone(), s.name.clone(), desk.due(s)))
                    .collect()
            },
            form: notice_form,
            write: write_notice,
        },
        Act {
            kind: ObjectionReceived::KIND,
            who: Who::Officer,
            signs: Signs::NOBODY,
            open: |desk| {
                let notices = desk.edition.notices.iter().filter(|_| desk.has(Role::Officer) && !desk.edition.closed);
                notices.map(|(id, notice)| Case::possible(id.clone(), notice.body.title.clone())).collect()
            },
            form: |desk, id| {
                let names = desk.edition.notice(id).map(|n| n.body.names.as_slice()).unwrap_or_default();
                let by =
                    ["unit", "person"].map(|by| Choice::new(by, words("choice", &format!("by_{by}"), &[]))).to_vec();
                vec![
                    Field::new("application", Kind::One { choices: desk.choices(names.iter()) }),
                    Field::new("by", Kind::One { choices: by }),
                    Field::new("objector", Kind::Line { most: 100 }).optional(),
                    Field::new("identity", Kind::Line { most: 100 }).optional(),
                    Field::new("contact", Kind::Line { most: 100 }).optional(),
                    Field::new("grounds", Kind::Area { most: 5000, rows: 8 }),
                    Field::labelled("files", "objection_files", Kind::Files { most: MOST_FILES }).optional(),
                ]
            },
            write: write_letter,
        },
        Act {
            kind: ObjectionScreened::KIND,
            who: Who::Officer,
            signs: Signs::NOBODY,
            open: |desk| {
                let open = desk.edition.objections.iter().filter(|(_, o)| o.screened.is_none());
                objection_cases(desk, open.map(|(id, o)| (id, o.body.application.as_str())))
            },
            form: |_, _| {
                vec![
                    Field::new("accepted", Kind::One { choices: yes_no("accepted") }),
                    Field::new("reason", Kind::Area { most: 1000, rows: 3 }),
                ]
            },
            write: |desk, id, input| {
                let body = ObjectionScreened {
                    accepted: input.text("accepted") == "yes",
                    objection: id.to_owned(),
                    reason: input.text("reason"),
                };
                Ok(vec![Written::edition(&basis(desk, id), body)?])
            },
        },
        Act {
            kind: ObjectionAnswered::KIND,
            who: Who::Officer,
            signs: Signs::OFFICERS,
            open: |desk| {
                let open =
                    desk.edition.objections.iter().filter(|(_, o)| {
                        o.screened.as_ref().is_some_and(|(accepted, _)| *accepted) && o.answer.is_none()
                    });
                objection_cases(desk, open.map(|(id, o)| (id, o.body.application.as_str())))
            },
            form: |_, _| {
                vec![
                    Field::new("upheld", Kind::One { choices: yes_no("upheld") }),
                    Field::new("remove", Kind::One { choices: yes_no("remove") }).with("no"),
                    Field::new("reply", Kind::Area { most: 5000, rows: 6 }),
                ]
            },
            write: |desk, id, input| {
                let effect = if input.text("remove") == "yes" { Effect::Remove } else { Effect::None };
                let body = ObjectionAnswered {
                    effect,
                    objection: id.to_owned(),
                    reply: input.text("reply"),
                    upheld: input.text("upheld") == "yes",
                };
                Ok(vec![Written::edition(&basis(desk, id), body)?])
            },
        },
    ]
}

fn objection_cases<'b>(desk: &EditionDesk<'_>, open: impl Iterator<Item = (&'b String, &'b str)>) -> Vec<Case> {
    if !desk.has(Role::Officer) {
        return Vec::new();
    }
    // Whoever may not read an objection does not decide it.
    let open = { open }.filter(|(id, _)| desk.edition.may_see_objection(&desk.me, id));
    open.map(|(id, application)| {
        let name = desk.name(application);
        let about = Text::new(format!("{} · {id}", name.zh), format!("{} · {id}", name.en));
        Case::duty(id.clone(), about, desk.edition.objection_due(id))
    })
    .collect()
}

/// Article of the notice that an objection is against.
fn basis(desk: &EditionDesk<'_>, objection: &str) -> String {
    let notice = desk.edition.objection(objection).and_then(|o| desk.edition.notice(&o.body.notice));
    let stage = notice.and_then(|n| desk.edition.rules().stage(&n.body.stage));
    stage.map(|s| s.basis.clone()).unwrap_or_default()
}

fn notice_form(desk: &EditionDesk<'_>, stage: &str) -> Vec<Field> {
    let edition = desk.edition;
    let until = edition
        .rules()
        .stage(stage)
        .and_then(|s| s.notice.as_ref())
        .and_then(|rules| edition.notice_end(rules, desk.today()).ok())
        .unwrap_or(desk.today());
    let listed: Vec<Text> = edition.notice_names().iter().map(|a| desk.name(a)).collect();
    let zh: Vec<&str> = listed.iter().map(|t| t.zh.as_str()).collect();
    let en: Vec<&str> = listed.iter().map(|t| t.en.as_str()).collect();
    let names = Text::new(zh.join("、"), en.join("; "));
    let day = Text::new(date(Lang::Zh, until), date(Lang::En, until));
    let rules = edition.rules();
    let document = same(&rules.document.number);
    let places = [
        ("award", &rules.name),
        ("label", &edition.opened.label),
        ("names", &names),
        ("until", &day),
        ("document", &document),
    ];
    let title = words("prefill", "notice_title", &places);
    let text = words("prefill", "notice_text", &places);
    let line = || Kind::Line { most: TITLE };
    let area = || Kind::Area { most: TEXT, rows: 8 };
    vec![
        Field::new("title_zh", line()).with(title.zh),
        Field::new("title_en", line()).with(title.en),
        Field::new("text_zh", area()).with(text.zh).hint(words("hint", "notice_until", &[("until", &day)])),
        Field::new("text_en", area()).with(text.en),
    ]
}

fn write_notice(desk: &EditionDesk<'_>, stage: &str, input: &Input) -> Proposed {
    let found = desk.edition.rules().stage(stage).ok_or(DeskError::NotOpen)?;
    let rules = found.notice.as_ref().ok_or(DeskError::NotOpen)?;
    let body = NoticePublished {
        names: desk.edition.notice_names(),
        notice: format!("n-{stage}"),
        stage: stage.to_owned(),
        text: input.both("text"),
        title: input.both("title"),
        until: desk.edition.notice_end(rules, desk.today())?,
    };
    Ok(vec![Written::edition(&found.basis, body)?])
}

fn write_letter(desk: &EditionDesk<'_>, notice: &str, input: &Input) -> Proposed {
    let random = desk.heng.random()?;
    let hidden = [("/name", "objector"), ("/identity", "identity"), ("/contact", "contact")];
    let files = chosen(desk, input)?;
    let given = hidden.iter().filter(|(_, field)| !input.text(field).is_empty()).count();
    let body = ObjectionReceived {
        application: input.text("application"),
        by: input.text("by"),
        evidence: files.iter().map(|file| file.sha256).collect(),
        notice: notice.to_owned(),
        objection: format!("{notice}-{}", hex::encode(random.get(..5).unwrap_or_default())),
        real_name: given == hidden.len(),
    };
    let stage = desk.edition.notice(notice).and_then(|n| desk.edition.rules().stage(&n.body.stage));
    let mut written = Written::edition(stage.map_or("", |s| s.basis.as_str()), body)?;
    written = written.hiding("/grounds", json!(input.text("grounds")));
    if !files.is_empty() {
        written = written.hiding("/files", json!(files));
    }
    // Half an identity is none: what was given is kept only where it names the objector.
    for (path, field) in hidden {
        let text = input.text(field);
        if given == hidden.len() {
            written = written.hiding(path, json!(text));
        }
    }
    Ok(vec![written])
}
