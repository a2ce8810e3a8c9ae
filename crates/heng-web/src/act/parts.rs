//! A form in parts, and the answers that come from a page which shows one of them.

use heng_app::desk::drafts::Saved;
use heng_app::desk::{self, Answers, Field, Kind, Sheet, Wrong};
use heng_domain::text::Text;
use maud::{Markup, html};

use crate::view::View;

/// What the form sends beside the answers.
pub(super) const VERSION: &str = "_version";
pub(super) const BUTTON: &str = "_do";
pub(super) const PART: &str = "_part";
/// Names of the answers for which the saved text is taken instead of one's own.
pub(super) const THEIRS: &str = "_theirs";

/// Forms of more parts than this are filled in part by part, from a list of tasks.
const LONG: usize = 4;

/// A form in parts, each with its heading.
pub(super) struct Part<'a> {
    pub name: Option<&'a Text>,
    pub fields: Vec<&'a Field>,
}

/// What the act concerns and what follows from it, above the buttons.
pub(crate) fn shows(view: &View, shows: &[desk::Shown]) -> Markup {
    html! {
        @for shown in shows {
            section.shows {
                h2 { (shown.title.get(view.lang)) }
                ul { @for line in &shown.lines { li.prose { (line.get(view.lang)) } } }
            }
        }
    }
}

/// Whether the form is filled in part by part. Judging sheets stay whole: one reads across them.
pub(super) fn is_long(sheet: &Sheet) -> bool {
    matches!(sheet.kind, "application.submitted" | "rules.adopted") && parts(sheet).len() >= LONG
}

pub(super) fn parts(sheet: &Sheet) -> Vec<Part<'_>> {
    let mut out: Vec<Part<'_>> = Vec::new();
    for field in &sheet.fields {
        match (&field.part, out.last_mut()) {
            (None, Some(last)) => last.fields.push(field),
            (name, _) => out.push(Part { name: name.as_ref(), fields: vec![field] }),
        }
    }
    out
}

/// The fields of the page: those of a part, or all.
pub(super) fn fields_of(sheet: &Sheet, part: Option<usize>) -> Vec<&Field> {
    match part.filter(|_| is_long(sheet)) {
        Some(part) => parts(sheet).into_iter().nth(part).map(|p| p.fields).unwrap_or_default(),
        None => sheet.fields.iter().collect(),
    }
}

/// A question by its label; where others have the same one, with the heading under which it stands.
pub(super) fn asked(sheet: &Sheet, name: &str) -> Option<Text> {
    let field = sheet.fields.iter().find(|field| field.name == name)?;
    let alone = sheet.fields.iter().filter(|other| other.label == field.label).count() == 1;
    let part = parts(sheet).into_iter().find(|part| part.fields.iter().any(|other| other.name == name));
    Some(match part.and_then(|part| part.name).filter(|_| !alone) {
        Some(part) => {
            let both = |of: fn(&Text) -> &str| format!("{} · {}", of(part), of(&field.label));
            Text::new(both(|text| &text.zh), both(|text| &text.en))
        }
        None => field.label.clone(),
    })
}

/// The part of a long form in which a question stands, as the query of its address.
pub(super) fn part_query(sheet: &Sheet, name: &str) -> String {
    let place = parts(sheet).iter().position(|part| part.fields.iter().any(|f| f.name == name));
    place.filter(|_| is_long(sheet)).map(|part| format!("?part={part}")).unwrap_or_default()
}

/// A form as it was posted.
pub(crate) struct Posted {
    pub answers: Answers,
    pub(super) version: u64,
    pub(super) button: String,
    pub(super) part: Option<usize>,
    theirs: Vec<String>,
}

/// Reads `application/x-www-form-urlencoded`; a field may come several times.
pub(crate) fn posted(body: &[u8]) -> Result<Posted, Wrong> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(body).map_err(|_| Wrong::new("", "characters"))?;
    if pairs.len() > desk::field::MOST_FIELDS {
        return Err(Wrong::new("", "too_many_fields").with("most", desk::field::MOST_FIELDS));
    }
    let mut answers = Answers::new();
    for (name, value) in pairs {
        // A form sends its lines with CR and LF, a script with LF: the same text must be the same.
        answers.entry(name).or_default().push(value.replace("\r\n", "\n"));
    }
    let theirs = answers.remove(THEIRS).unwrap_or_default();
    let mut take = |name: &str| answers.remove(name).and_then(|mut values| values.pop()).unwrap_or_default();
    let version = take(VERSION).parse().unwrap_or(0);
    let button = take(BUTTON);
    let part = take(PART).parse().ok();
    Ok(Posted { answers, version, button, part, theirs })
}

/// The answers of the whole form: what this part sends, and what was saved or stood there before for the others.
pub(super) fn whole(sheet: &Sheet, draft: Option<&Saved>, posted: &Posted) -> Answers {
    let before = standing(sheet, draft);
    let sent = |field: &Field| posted.answers.get(&field.name).map(|values| in_lines(field, values));
    let mut out = match posted.part {
        // A long form that is sent from its list of tasks sends what was saved.
        None if is_long(sheet) && posted.answers.is_empty() => return before,
        None => posted.answers.clone(),
        Some(_) => before.clone(),
    };
    for field in fields_of(sheet, posted.part) {
        let answer = if posted.theirs.contains(&field.name) { before.get(&field.name).cloned() } else { sent(field) };
        match answer {
            Some(values) => drop(out.insert(field.name.clone(), values)),
            None => drop(out.remove(&field.name)),
        }
    }
    out
}

/// The cells of a table as one answer: a row in a line, cells separated by tabs. It is kept so, whatever page sent it.
fn in_lines(field: &Field, values: &[String]) -> Vec<String> {
    let Kind::Table { columns, .. } = &field.kind else { return values.to_vec() };
    if values.len() < 2 {
        return values.to_vec();
    }
    let blank = |cell: char| if matches!(cell, '\t' | '\n' | '\r') { ' ' } else { cell };
    let cell = |value: &String| value.chars().map(blank).collect::<String>().trim().to_owned();
    let rows = values.chunks(columns.len().max(1)).map(|row| row.iter().map(cell).collect::<Vec<_>>().join("\t"));
    let rows: Vec<String> = rows.filter(|row| !row.trim().is_empty()).collect();
    vec![rows.join("\n")]
}

/// What stands in the form now: the draft, or what was there beforehand.
pub(super) fn standing(sheet: &Sheet, draft: Option<&Saved>) -> Answers {
    match draft {
        Some(saved) => saved.answers.clone(),
        None => sheet.before(),
    }
}

/// The values of an answer that say something.
pub(super) fn said<'a>(answers: &'a Answers, name: &str) -> Vec<&'a str> {
    answers.get(name).into_iter().flatten().map(String::as_str).filter(|value| !value.is_empty()).collect()
}

/// Whether two sets of answers say the same to every question of the form.
pub(super) fn say_the_same(sheet: &Sheet, one: &Answers, other: &Answers) -> bool {
    sheet.fields.iter().all(|field| said(one, &field.name) == said(other, &field.name))
}

/// How many of the questions that must be answered have an answer. A table is answered when no cell is empty.
pub(super) fn progress(fields: &[&Field], answers: &Answers) -> (usize, usize) {
    let asked: Vec<&&Field> = fields.iter().filter(|f| !f.optional).collect();
    let filled = |f: &&&Field| {
        let values = said(answers, &f.name);
        let cells = |text: &str| text.lines().all(|line| line.split('\t').all(|cell| !cell.trim().is_empty()));
        let whole = !matches!(f.kind, Kind::Table { .. }) || values.iter().all(|text| cells(text));
        whole && values.iter().any(|value| !value.trim().is_empty())
    };
    (asked.iter().filter(|f| filled(f)).count(), asked.len())
}

/// Characters of the texts that count against the limit of the self-evaluation, and that limit.
pub(super) fn report(fields: &[&Field], answers: &Answers) -> (usize, usize) {
    let texts = fields.iter().filter_map(|field| match field.kind {
        Kind::Area { most, .. } if counts_together(field) => Some((said(answers, &field.name), most)),
        _ => None,
    });
    texts.fold((0, 0), |(sum, _), (said, most)| (sum + said.iter().map(|t| t.chars().count()).sum::<usize>(), most))
}

/// The texts of all items share one limit.
pub(super) fn counts_together(field: &Field) -> bool {
    field.name.starts_with("text:")
}

/// An id that a link can lead to: colons and tildes stay out of it.
pub(super) fn html_id(name: &str) -> String {
    let plain = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' });
    format!("f-{}", plain.collect::<String>())
}
