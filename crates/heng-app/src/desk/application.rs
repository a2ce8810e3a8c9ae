//! The application (申报): the long form that an applicant's team fills in together, and its withdrawal.

use std::collections::{BTreeMap, BTreeSet};

use heng_domain::criteria::ItemKind;
use heng_domain::edition::events::{
    ApplicationSubmitted, ApplicationWithdrawn, Attachment, Paper, Role, SelfEvaluation, YearFigures,
};
use heng_domain::edition::secret::{Column, FIGURES, Part, split_figures};
use heng_domain::edition::{Application, Edition};
use heng_domain::rules::{Stage, StageKind};
use heng_domain::text::Text;
use heng_log::Hash;
use serde_json::json;

use super::call::window;
use super::field::{Answers, Choice, Field, Input, Kind, cell_fen, cell_number, same, words, yuan_text};
use super::files::{letter_evidence, letter_files};
use super::results::{self, Results};
use super::{Act, Case, DeskError, EditionDesk, Proposed, Signs, Who, Written, Wrong};
use crate::heng::Heng;

/// Most files of one application.
const FILES: usize = 60;

pub(super) fn acts<'a>() -> Vec<Act<EditionDesk<'a>>> {
    vec![
        Act {
            kind: ApplicationSubmitted::KIND,
            who: Who::Applicant,
            signs: Signs::NOBODY,
            open: |desk| {
                let Some(stage) = in_window(desk) else { return Vec::new() };
                let Some(own) = desk.edition.organisations.get(&desk.me) else { return Vec::new() };
                let submitted = live(desk, &desk.me).is_some();
                vec![Case { id: "-".into(), about: own.name.clone(), due: desk.due(stage), duty: !submitted }]
            },
            form: |desk, _| form(desk, &desk.me),
            write: |desk, _, input| write(desk, &desk.me, None, input),
        },
        Act {
            // A firm that cannot do it here hands in paper: an officer enters it, a second one compares and signs.
            kind: ApplicationSubmitted::KIND,
            who: Who::Officer,
            signs: Signs::OFFICERS,
            open: |desk| {
                if in_window(desk).is_none() || !desk.has(Role::Officer) {
                    return Vec::new();
                }
                let without = desk.edition.organisations.iter().filter(|(id, _)| live(desk, id).is_none());
                without.map(|(id, own)| Case::possible(id.clone(), own.name.clone())).collect()
            },
            form: |desk, organisation| {
                let scan = Field::new("paper_scan", Kind::Files { most: 1 }).part(words("part", "paper", &[]));
                let mut fields = vec![scan, Field::new("paper_reason", Kind::Area { most: 1000, rows: 3 })];
                fields.extend(form(desk, organisation));
                fields
            },
            write: |desk, organisation, input| {
                let scan = attached(desk, "paper_scan", &input.list("paper_scan"))?;
                write(desk, organisation, scan.into_iter().next(), input)
            },
        },
        Act {
            kind: ApplicationWithdrawn::KIND,
            who: Who::Officer,
            signs: Signs::OFFICERS,
            open: |desk| {
                let field = desk.edition.field.iter().filter(|_| desk.has(Role::Officer));
                field.map(|id| Case::possible(id.clone(), desk.name(id))).collect()
            },
            form: |_, _| {
                let mut fields = vec![Field::new("reason", Kind::Area { most: 1000, rows: 4 })];
                fields.extend(letter_files());
                fields
            },
            write: |desk, application, input| {
                let evidence = letter_evidence(desk, input)?;
                let (application, reason) = (application.to_owned(), input.text("reason"));
                let body = ApplicationWithdrawn { application, evidence, reason };
                Ok(vec![Written::edition(desk.document(), body)?])
            },
        },
        Act {
            kind: ApplicationWithdrawn::KIND,
            who: Who::Applicant,
            signs: Signs::NOBODY,
            open: |desk| {
                let live = live(desk, &desk.me).map(|a| &a.body.application);
                let live = live.filter(|id| desk.edition.field.contains(*id));
                live.map(|id| Case::possible(id.clone(), desk.name(id))).into_iter().collect()
            },
            form: |_, _| vec![Field::new("reason", Kind::Area { most: 1000, rows: 4 })],
            write: |desk, application, input| {
                let (application, reason) = (application.to_owned(), input.text("reason"));
                let body = ApplicationWithdrawn { application, evidence: Vec::new(), reason };
                Ok(vec![Written::edition(desk.document(), body)?])
            },
        },
    ]
}

/// The stage of applications, while its window is open.
fn in_window<'d>(desk: &'d EditionDesk<'_>) -> Option<&'d Stage> {
    let call = desk.edition.call.as_ref()?;
    desk.stage(StageKind::Application).filter(|_| call.opens <= desk.now && desk.now < call.closes)
}

/// The application of an organisation, unless it is withdrawn.
fn live<'d>(desk: &'d EditionDesk<'_>, organisation: &str) -> Option<&'d Application> {
    let mut all = desk.edition.applications.values();
    all.find(|a| a.body.organisation == organisation && a.withdrawn.is_none()).map(AsRef::as_ref)
}

/// The years that the form asks for, oldest first.
fn years(edition: &Edition) -> Vec<u32> {
    let count = edition.rules().application.figure_years.value.max(1);
    (0..count).map(|i| edition.opened.year.saturating_sub(count - i)).collect()
}

/// An attachment of the store as text.
fn text_of(heng: &Heng, sha: &Hash) -> crate::Result<String> {
    let bytes = heng.store().attachment(&sha.0)?.unwrap_or_default();
    Ok(String::from_utf8(bytes).unwrap_or_default())
}

/// A table of results of the store.
fn results_of(heng: &Heng, sha: &Hash) -> crate::Result<Option<Results>> {
    Ok(heng.store().attachment(&sha.0)?.and_then(|bytes| Results::from_bytes(&bytes)))
}

/// The question which parts are a business secret; its answers are the marks of the record.
fn secret(name: &str, parts: &[(Part<'_>, &str)], before: Option<&ApplicationSubmitted>) -> Field {
    let choices = parts.iter().map(|(part, key)| Choice::new(part.to_string(), words("secret", key, &[]))).collect();
    let marked = parts.iter().filter(|(part, _)| before.is_some_and(|body| body.is_secret(*part)));
    Field::labelled(&format!("secret:{name}"), "secret", Kind::Many { choices })
        .optional()
        .with_all(marked.map(|(part, _)| part.to_string()).collect())
}

/// The columns of the yearly figures that can be marked.
const COLUMNS: [(Part<'_>, &str); 4] = [
    (Part::Figures(Column::Revenue), "revenue"),
    (Part::Figures(Column::Profit), "profit"),
    (Part::Figures(Column::Tax), "tax"),
    (Part::Figures(Column::Employees), "employees"),
];

fn form(desk: &EditionDesk<'_>, organisation: &str) -> Vec<Field> {
    let rules = &desk.edition.rules().application;
    let part = |key: &str| words("part", key, &[]);
    let earlier = live(desk, organisation);
    let before = earlier.map(|a| &a.body);
    let text = |sha: &Hash| text_of(desk.heng, sha).unwrap_or_default();
    let chars = |limit: u32| usize::try_from(limit).unwrap_or(0);
    let mut fields = vec![
        Field::new("contact_name", Kind::Line { most: 60 }).part(part("contact")),
        Field::new("contact_phone", Kind::Line { most: 40 }),
        Field::new("profile", Kind::Area { most: chars(rules.profile_chars.value), rows: 12 })
            .part(part("profile"))
            .with(before.map(|b| text(&b.profile_sha256)).unwrap_or_default()),
        secret("profile", &[(Part::Profile, "profile")], before).hint(words("hint", "secret_first", &[])),
    ];
    let columns = ["year", "revenue", "profit", "tax", "employees"].map(|key| words("column", key, &[])).to_vec();
    let rows: Vec<String> = match before {
        Some(b) => desk.edition.figures_for(&desk.me, &b.application).iter().map(figure_line).collect(),
        None => years(desk.edition).iter().map(|year| format!("{year}\t\t\t\t")).collect(),
    };
    fields.push(Field::new("figures", Kind::Table { columns, most: 10 }).part(part("figures")).with(rows.join("\n")));
    fields.push(secret("figures", &COLUMNS, before));
    let report = chars(rules.report_chars.value);
    let years = years(desk.edition);
    let criteria = desk.edition.criteria.as_ref();
    let step = criteria.map_or(5, |tree| i64::from(tree.step.max(1)));
    for category in criteria.iter().flat_map(|tree| &tree.categories) {
        for (index, item) in category.items.iter().enumerate() {
            let number = same(&item.id);
            let places: [(&str, &Text); 3] = [("item", &number), ("name", &item.name), ("points", &same(item.points))];
            let own = before.and_then(|b| b.self_evaluation.get(&item.id));
            let mut field =
                Field::labelled(&format!("text:{}", item.id), "item_text", Kind::Area { most: report, rows: 8 })
                    .label(words("field", "item_text", &places))
                    .with(own.map(|b| text(&b.sha256)).unwrap_or_default());
            if index == 0 {
                field = field.part(Text::new(
                    format!("{} {}", category.id, category.name.zh),
                    format!("{} {}", category.id, category.name.en),
                ));
            }
            fields.push(field);
            let percent = Field::labelled(
                &format!("percent:{}", item.id),
                "item_percent",
                Kind::Number { least: 0, most: 100, step },
            );
            fields.push(percent.with_all(own.map(|b| b.percent.to_string()).into_iter().collect()));
            let mut parts = vec![(Part::Item(&item.id), "item")];
            if item.kind == ItemKind::Result {
                let table = own.and_then(|b| results_of(desk.heng, b.results_sha256.as_ref()?).ok()?);
                let cells = table.map(|table| table.to_cells(&years)).unwrap_or_default();
                fields.push(results::field(&item.id, words("field", "item_results", &places), &years).with(cells));
                parts.push((Part::Results(&item.id), "results"));
            }
            fields.push(secret(&item.id, &parts, before));
        }
    }
    fields.push(Field::new("files", Kind::Files { most: FILES }).optional().part(part("files")));
    if rules.internal_notice_days.value > 0 {
        let hint = words("hint", "notice_window", &[("days", &same(rules.internal_notice_days.value))]);
        fields.push(Field::new("notice_from", Kind::Day).part(part("notice")).hint(hint));
        fields.push(Field::new("notice_until", Kind::Day));
    }
    fields.push(Field::new("pledge", Kind::Tick).part(part("pledge")));
    fields
}

fn figure_line(f: &YearFigures) -> String {
    let fen = |fen: Option<i64>| fen.map(yuan_text).unwrap_or_default();
    let staff = f.employees.map(|n| n.to_string()).unwrap_or_default();
    format!("{}\t{}\t{}\t{}\t{staff}", f.year, fen(f.revenue_fen), fen(f.profit_fen), fen(f.tax_fen))
}

/// The table as figures; the first wrong cell is named with its row.
fn figures(rows: &[Vec<String>]) -> Result<Vec<YearFigures>, Wrong> {
    let mut out = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let wrong = |column: usize| Wrong::new("figures", "cell").with("row", index + 1).with("column", column + 1);
        let cell = |column: usize| row.get(column).map(String::as_str).unwrap_or_default();
        let money = |column: usize| cell_fen(cell(column)).ok_or_else(|| wrong(column)).map(Some);
        let year = cell_number(cell(0)).and_then(|y| u32::try_from(y).ok()).ok_or_else(|| wrong(0))?;
        out.push(YearFigures {
            employees: Some(cell_number(cell(4)).ok_or_else(|| wrong(4))?),
            profit_fen: money(2)?,
            revenue_fen: money(1)?,
            tax_fen: money(3)?,
            year,
        });
    }
    out.sort_by_key(|figures| figures.year);
    Ok(out)
}

/// The files of an answer with their names; each is one that the actor uploaded. The second value says which are marked.
fn attached(desk: &EditionDesk<'_>, field: &str, files: &[String]) -> Result<Vec<(Attachment, bool)>, DeskError> {
    let unknown = || DeskError::from(Wrong::new(field, "file_unknown"));
    let mut out = Vec::new();
    for file in files {
        let info = super::files::info(desk.heng, &desk.me, file)?.ok_or_else(unknown)?;
        let sha256 = file.parse().map_err(|_| unknown())?;
        out.push((Attachment { about: info.about, name: info.name, sha256, size: info.size }, info.secret));
    }
    Ok(out)
}

/// The application of `organisation`; with a scan where an officer enters it from paper.
fn write(desk: &EditionDesk<'_>, organisation: &str, scan: Option<(Attachment, bool)>, input: &Input) -> Proposed {
    let basis = desk.stage(StageKind::Application).map_or("", |s| s.basis.as_str());
    if !input.ticked("pledge") {
        return Err(Wrong::new("pledge", "pledge").into());
    }
    let years = years(desk.edition);
    let chars = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let mut self_evaluation = BTreeMap::new();
    let mut marks = [input.list("secret:profile"), input.list("secret:figures")].concat();
    for item in desk.edition.criteria.iter().flat_map(|tree| tree.items()) {
        let text = input.text(&format!("text:{}", item.id));
        let name = format!("results:{}", item.id);
        let own = input.list(&format!("secret:{}", item.id));
        let mut table = Results::read(&name, &input.rows(&name), &years)?;
        if let Some(table) = table.as_mut().filter(|_| own.contains(&Part::Results(&item.id).to_string())) {
            // Few digits are guessed from their hash; with these bytes beside them they are not.
            table.salt = Some(hex::encode(desk.heng.random()?));
        }
        let body = SelfEvaluation {
            chars: chars(&text),
            percent: input.small(&format!("percent:{}", item.id)),
            results_sha256: table.map(|table| desk.attach_bytes(&table.to_bytes()?)).transpose()?,
            sha256: desk.attach(&text)?,
        };
        self_evaluation.insert(item.id.clone(), body);
        marks.extend(own);
    }
    let mut files = attached(desk, "files", &input.list("files"))?;
    let paper = scan.as_ref().map(|(file, _)| Paper { reason: input.text("paper_reason"), scan_sha256: file.sha256 });
    files.retain(|(file, _)| paper.as_ref().is_none_or(|paper| paper.scan_sha256 != file.sha256));
    files.extend(scan);
    marks.extend(files.iter().filter(|(_, marked)| *marked).map(|(file, _)| Part::File(&file.sha256).to_string()));
    // The record is public one day: what is marked stands there without the name that it had.
    for (number, (file, _)) in files.iter_mut().filter(|(_, marked)| *marked).enumerate() {
        let ending = file.name.rsplit_once('.').map(|(_, ending)| format!(".{ending}")).unwrap_or_default();
        file.name = format!("secret-{}{ending}", number + 1);
    }
    let all = figures(&input.rows("figures"))?;
    let marked = |column: Column| marks.contains(&Part::Figures(column).to_string());
    let (clear, hidden) = split_figures(&all, marked);
    let hides = Column::ALL.into_iter().any(marked);
    let profile = input.text("profile");
    let mut body = ApplicationSubmitted {
        application: live(desk, organisation).map_or_else(|| next_number(desk), |a| a.body.application.clone()),
        attachments: files.into_iter().map(|(file, _)| file).collect(),
        figures: clear,
        internal_notice: window(input.day("notice_from"), input.day("notice_until"))?,
        organisation: organisation.to_owned(),
        paper,
        pledge: true,
        profile_chars: chars(&profile),
        profile_sha256: desk.attach(&profile)?,
        secret: Vec::new(),
        self_evaluation,
    };
    // A mark on a table that was left empty marks nothing.
    let parts = body.parts().into_iter().map(|part| part.to_string());
    let secret: BTreeSet<String> = parts.filter(|part| marks.contains(part)).collect();
    body.secret = secret.into_iter().collect();
    let contact = json!({ "name": input.text("contact_name"), "phone": input.text("contact_phone") });
    let mut written = Written::edition(basis, body)?.hiding("/contact", contact);
    if hides {
        written = written.hiding(FIGURES, json!(hidden));
    }
    Ok(vec![written])
}

/// The next free number: `a:001`, `a:002` … in the order of arrival.
fn next_number(desk: &EditionDesk<'_>) -> String {
    let taken = |id: &String| desk.edition.applications.contains_key(id);
    let first = desk.edition.applications.len() + 1;
    (first..).map(|n| format!("a:{n:03}")).find(|id| !taken(id)).unwrap_or_default()
}

/// Other editions in which the organisation applied: last year's, or a lower level's.
///
/// # Errors
/// If a log is unknown.
pub fn import_sources(heng: &Heng, log: &str, organisation: &str) -> crate::Result<Vec<(String, Text)>> {
    let mut out = Vec::new();
    for other in heng.editions().into_iter().filter(|other| other.id() != log) {
        let image = other.image();
        let Some(edition) = image.state.edition() else { continue };
        if edition.applications.values().any(|a| a.body.organisation == organisation) {
            let (name, label) = (&edition.rules().name, &edition.opened.label);
            let name = Text::new(format!("{} · {}", name.zh, label.zh), format!("{} · {}", name.en, label.en));
            out.push((other.id().to_owned(), name));
        }
    }
    Ok(out)
}

/// `typed` together with `imported`: what stands in the form already, stays; filled in is only what is empty or as the empty
/// form `before` has it.
pub fn fill_in(before: &Answers, typed: &Answers, imported: Answers) -> Answers {
    let said = |values: Option<&Vec<String>>| values.is_some_and(|v| v.iter().any(|text| !text.trim().is_empty()));
    let mut out = typed.clone();
    for (name, answer) in imported {
        let now = typed.get(&name);
        if !said(now) || now == before.get(&name) {
            out.insert(name, answer);
        }
    }
    out
}

/// The answers of this edition's form, as far as the organisation's application in `from` has them: texts, percentages
/// of items that both trees have, and the figures of the years that are asked for.
///
/// # Errors
/// If there is no such application, or the store fails.
pub fn import(heng: &Heng, log: &str, organisation: &str, from: &str) -> Result<Answers, DeskError> {
    let source = heng.log(from).map_err(|_| DeskError::NotOpen)?;
    let (body, figures) = {
        let image = source.image();
        let edition = image.state.edition().ok_or(DeskError::NotOpen)?;
        let found = edition.applications.values().find(|a| a.body.organisation == organisation);
        let found = found.ok_or(DeskError::NotOpen)?;
        (found.body.clone(), edition.figures_for(organisation, &found.body.application))
    };
    let target = heng.log(log)?;
    let (items, years): (Vec<String>, Vec<u32>) = {
        let image = target.image();
        let edition = image.state.edition().ok_or(DeskError::NotOpen)?;
        let items = edition.criteria.iter().flat_map(|tree| tree.items()).map(|item| item.id.clone()).collect();
        (items, years(edition))
    };
    let mut answers = Answers::new();
    let marked = |parts: &[Part<'_>]| -> Vec<String> {
        parts.iter().filter(|part| body.is_secret(**part)).map(Part::to_string).collect()
    };
    answers.insert("profile".to_owned(), vec![text_of(heng, &body.profile_sha256)?]);
    answers.insert("secret:profile".to_owned(), marked(&[Part::Profile]));
    for item in items {
        let Some(own) = body.self_evaluation.get(&item) else { continue };
        answers.insert(format!("text:{item}"), vec![text_of(heng, &own.sha256)?]);
        answers.insert(format!("percent:{item}"), vec![own.percent.to_string()]);
        answers.insert(format!("secret:{item}"), marked(&[Part::Item(&item), Part::Results(&item)]));
        if let Some(sha256) = &own.results_sha256 {
            let cells = results_of(heng, sha256)?.map(|table| table.to_cells(&years)).unwrap_or_default();
            answers.insert(format!("results:{item}"), vec![cells]);
        }
    }
    let line = |year: &u32| match figures.iter().find(|f| f.year == *year) {
        Some(figures) => figure_line(figures),
        None => format!("{year}\t\t\t\t"),
    };
    answers.insert("figures".to_owned(), vec![years.iter().map(line).collect::<Vec<_>>().join("\n")]);
    answers.insert("secret:figures".to_owned(), marked(&Column::ALL.map(Part::Figures)));
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_fills_in_what_is_empty_and_leaves_what_was_typed() {
        let answers = |list: &[(&str, &str)]| -> Answers {
            list.iter().map(|(name, text)| ((*name).to_owned(), vec![(*text).to_owned()])).collect()
        };
        let before = answers(&[("profile", ""), ("figures", "2025\t\t"), ("text:1", ""), ("text:2", "")]);
        let typed = answers(&[("profile", "mine"), ("figures", "2025\t\t"), ("text:1", " ")]);
        let imported = answers(&[("profile", "old"), ("figures", "2025\t9\t"), ("text:1", "one"), ("text:2", "two")]);
        let filled = fill_in(&before, &typed, imported);
        let wanted = answers(&[("profile", "mine"), ("figures", "2025\t9\t"), ("text:1", "one"), ("text:2", "two")]);
        assert_eq!(filled, wanted);
    }
}
