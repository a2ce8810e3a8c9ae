//! The application (申报): the long form that an applicant's team fills in together, and its withdrawal.

use std::collections::BTreeMap;

use heng_domain::edition::events::{
    ApplicationSubmitted, ApplicationWithdrawn, Attachment, Role, SelfEvaluation, YearFigures,
};
use heng_domain::rules::StageKind;
use heng_domain::text::Text;
use serde_json::json;

use super::call::window;
use super::field::{Answers, Field, Input, Kind, cell_fen, cell_number, same, words, yuan_text};
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
                let Some(stage) = desk.stage(StageKind::Application) else { return Vec::new() };
                let Some(own) = desk.edition.organisations.get(&desk.me) else { return Vec::new() };
                let window = desk.edition.call.as_ref();
                if !window.is_some_and(|call| call.opens <= desk.now && desk.now < call.closes) {
                    return Vec::new();
                }
                let submitted = mine(desk).is_some();
                vec![Case { id: "-".into(), about: own.name.clone(), due: desk.due(stage), duty: !submitted }]
            },
            form: |desk, _| form(desk),
            write,
        },
        Act {
            kind: ApplicationWithdrawn::KIND,
            who: Who::Applicant,
            signs: Signs::NOBODY,
            open: |desk| {
                if desk.has(Role::Officer) {
                    let field = desk.edition.field.iter();
                    return field.map(|id| Case::possible(id.clone(), desk.name(id))).collect();
                }
                let live = mine(desk).filter(|id| desk.edition.field.contains(id));
                live.map(|id| Case::possible(id.clone(), desk.name(&id))).into_iter().collect()
            },
            form: |_, _| vec![Field::new("reason", Kind::Area { most: 1000, rows: 4 })],
            write: |desk, application, input| {
                let body = ApplicationWithdrawn { application: application.to_owned(), reason: input.text("reason") };
                Ok(vec![Written::edition(desk.document(), body)?])
            },
        },
    ]
}

/// My application, unless it is withdrawn.
fn mine(desk: &EditionDesk<'_>) -> Option<String> {
    let mut all = desk.edition.applications.values();
    all.find(|a| a.body.organisation == desk.me && a.withdrawn.is_none()).map(|a| a.body.application.clone())
}

/// The years that the form asks for, oldest first.
fn years(desk: &EditionDesk<'_>) -> Vec<u32> {
    let count = desk.edition.rules().application.figure_years.value.max(1);
    let year = desk.edition.opened.year;
    (0..count).map(|i| year.saturating_sub(count - i)).collect()
}

fn form(desk: &EditionDesk<'_>) -> Vec<Field> {
    let rules = &desk.edition.rules().application;
    let part = |key: &str| words("part", key, &[]);
    let earlier = mine(desk).and_then(|id| desk.edition.applications.get(&id));
    let text_of = |sha: &heng_log::Hash| {
        let bytes = desk.heng.store().attachment(&sha.0).ok().flatten()?;
        String::from_utf8(bytes).ok()
    };
    let mut fields = vec![
        Field::new("contact_name", Kind::Line { most: 60 }).part(part("contact")),
        Field::new("contact_phone", Kind::Line { most: 40 }),
        Field::new("profile", Kind::Area { most: usize::try_from(rules.profile_chars.value).unwrap_or(0), rows: 12 })
            .part(part("profile"))
            .with(earlier.and_then(|a| text_of(&a.body.profile_sha256)).unwrap_or_default()),
    ];
    let columns = ["year", "revenue", "profit", "tax", "employees"].map(|key| words("column", key, &[])).to_vec();
    let rows: Vec<String> = match earlier {
        Some(a) => a.body.figures.iter().map(figure_line).collect(),
        None => years(desk).iter().map(|year| format!("{year}\t\t\t\t")).collect(),
    };
    fields.push(Field::new("figures", Kind::Table { columns, most: 10 }).part(part("figures")).with(rows.join("\n")));
    let report = usize::try_from(rules.report_chars.value).unwrap_or(0);
    let criteria = desk.edition.criteria.as_ref();
    let step = criteria.map_or(5, |tree| i64::from(tree.step.max(1)));
    for category in criteria.iter().flat_map(|tree| &tree.categories) {
        for (index, item) in category.items.iter().enumerate() {
            let number = same(&item.id);
            let places: [(&str, &Text); 3] = [("item", &number), ("name", &item.name), ("points", &same(item.points))];
            let before = earlier.and_then(|a| a.body.self_evaluation.get(&item.id));
            let mut text =
                Field::labelled(&format!("text:{}", item.id), "item_text", Kind::Area { most: report, rows: 8 })
                    .label(words("field", "item_text", &places))
                    .with(before.and_then(|b| text_of(&b.sha256)).unwrap_or_default());
            if index == 0 {
                text = text.part(Text::new(
                    format!("{} {}", category.id, category.name.zh),
                    format!("{} {}", category.id, category.name.en),
                ));
            }
            fields.push(text);
            let percent = Field::labelled(
                &format!("percent:{}", item.id),
                "item_percent",
                Kind::Number { least: 0, most: 100, step },
            );
            fields.push(percent.with_all(before.map(|b| b.percent.to_string()).into_iter().collect()));
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
    let fen = |fen: i64| yuan_text(fen);
    format!("{}\t{}\t{}\t{}\t{}", f.year, fen(f.revenue_fen), fen(f.profit_fen), fen(f.tax_fen), f.employees)
}

/// The table as figures; the first wrong cell is named with its row.
fn figures(rows: &[Vec<String>]) -> Result<Vec<YearFigures>, Wrong> {
    let mut out = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let wrong = |column: usize| Wrong::new("figures", "cell").with("row", index + 1).with("column", column + 1);
        let cell = |column: usize| row.get(column).map(String::as_str).unwrap_or_default();
        let money = |column: usize| cell_fen(cell(column)).ok_or_else(|| wrong(column));
        let year = cell_number(cell(0)).and_then(|y| u32::try_from(y).ok()).ok_or_else(|| wrong(0))?;
        out.push(YearFigures {
            employees: cell_number(cell(4)).ok_or_else(|| wrong(4))?,
            profit_fen: money(2)?,
            revenue_fen: money(1)?,
            tax_fen: money(3)?,
            year,
        });
    }
    out.sort_by_key(|figures| figures.year);
    Ok(out)
}

fn write(desk: &EditionDesk<'_>, _: &str, input: &Input) -> Proposed {
    let basis = desk.stage(StageKind::Application).map_or("", |s| s.basis.as_str());
    if !input.ticked("pledge") {
        return Err(Wrong::new("pledge", "pledge").into());
    }
    let chars = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let mut self_evaluation = BTreeMap::new();
    for item in desk.edition.criteria.iter().flat_map(|tree| tree.items()) {
        let text = input.text(&format!("text:{}", item.id));
        let percent = input.small(&format!("percent:{}", item.id));
        let body = SelfEvaluation { chars: chars(&text), percent, sha256: desk.attach(&text)? };
        self_evaluation.insert(item.id.clone(), body);
    }
    let mut attachments = Vec::new();
    for file in input.list("files") {
        let found = super::files::info(desk.heng, &desk.me, &file)?;
        let Some(info) = found else { return Err(Wrong::new("files", "file_unknown").into()) };
        let sha256 = file.parse().map_err(|_| DeskError::from(Wrong::new("files", "file_unknown")))?;
        attachments.push(Attachment { about: info.about, name: info.name, sha256, size: info.size });
    }
    let profile = input.text("profile");
    let application = match mine(desk) {
        Some(id) => id,
        None => next_number(desk),
    };
    let body = ApplicationSubmitted {
        application,
        attachments,
        figures: figures(&input.rows("figures"))?,
        internal_notice: window(input.day("notice_from"), input.day("notice_until"))?,
        organisation: desk.me.clone(),
        pledge: true,
        profile_chars: chars(&profile),
        profile_sha256: desk.attach(&profile)?,
        self_evaluation,
    };
    let contact = json!({ "name": input.text("contact_name"), "phone": input.text("contact_phone") });
    Ok(vec![Written::edition(basis, body)?.hiding("/contact", contact)])
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

/// The answers of this edition's form, as far as the organisation's application in `from` has them: texts, percentages
/// of items that both trees have, and the figures of the years that are asked for.
///
/// # Errors
/// If there is no such application, or the store fails.
pub fn import(heng: &Heng, log: &str, organisation: &str, from: &str) -> Result<Answers, DeskError> {
    let source = heng.log(from).map_err(|_| DeskError::NotOpen)?;
    let body = {
        let image = source.image();
        let edition = image.state.edition().ok_or(DeskError::NotOpen)?;
        let found = edition.applications.values().find(|a| a.body.organisation == organisation);
        found.map(|a| a.body.clone()).ok_or(DeskError::NotOpen)?
    };
    let text = |sha: &heng_log::Hash| -> Result<String, DeskError> {
        let bytes = heng.store().attachment(&sha.0)?.unwrap_or_default();
        Ok(String::from_utf8(bytes).unwrap_or_default())
    };
    let mut answers = Answers::new();
    answers.insert("profile".to_owned(), vec![text(&body.profile_sha256)?]);
    let target = heng.log(log)?;
    let (items, years): (Vec<String>, Vec<u32>) = {
        let image = target.image();
        let edition = image.state.edition().ok_or(DeskError::NotOpen)?;
        let items = edition.criteria.iter().flat_map(|tree| tree.items()).map(|item| item.id.clone()).collect();
        let count = edition.rules().application.figure_years.value.max(1);
        (items, (0..count).map(|i| edition.opened.year.saturating_sub(count - i)).collect())
    };
    for item in items {
        if let Some(own) = body.self_evaluation.get(&item) {
            answers.insert(format!("text:{item}"), vec![text(&own.sha256)?]);
            answers.insert(format!("percent:{item}"), vec![own.percent.to_string()]);
        }
    }
    let line = |year: &u32| match body.figures.iter().find(|f| f.year == *year) {
        Some(figures) => figure_line(figures),
        None => format!("{year}\t\t\t\t"),
    };
    answers.insert("figures".to_owned(), vec![years.iter().map(line).collect::<Vec<_>>().join("\n")]);
    Ok(answers)
}
