//! A registered edition gets its log: the first records are written from what the office adopted.
//!
//! It is done from what is missing, so a crash between the registration and the first record is made good at the next start.

use heng_domain::edition::events::{CalendarAdopted, Cite, CriteriaAdopted, EditionOpened, Event, PersonSeated, Role};
use heng_domain::office::events as office;
use heng_domain::replay::LogState;
use heng_domain::rules::Rules;
use heng_domain::text::Text;
use heng_log::signature::PublicKey;

use crate::draft::Draft;
use crate::error::{AppError, Result};
use crate::heng::Heng;
use crate::library;
use crate::log::Accepted;

/// Everything that the first records of an edition need from the office.
struct Wanted {
    registered: office::EditionRegistered,
    source: Cite,
    rules: Rules,
    officer: Option<(String, Option<String>, PublicKey, Cite)>,
}

/// Opens the logs of editions that were registered among `accepted`; a failure is told in the server's log and made good
/// at the next start.
pub fn after(heng: &Heng, accepted: &[Accepted]) {
    let registers = accepted.iter().any(|a| a.record.kind == office::EditionRegistered::KIND);
    if registers && let Err(error) = open_missing(heng) {
        tracing::error!(%error, "a registered edition could not be opened");
    }
}

/// Opens every registered edition that has no records yet. Returns their logs.
///
/// # Errors
/// If a criteria tree or calendar is not at hand, or the store fails.
pub fn open_missing(heng: &Heng) -> Result<Vec<String>> {
    let mut opened = Vec::new();
    for wanted in missing(heng) {
        opened.push(wanted.registered.log.clone());
        open(heng, wanted)?;
    }
    Ok(opened)
}

fn missing(heng: &Heng) -> Vec<Wanted> {
    let Some(log) = heng.office_log() else { return Vec::new() };
    let image = log.image();
    let Some(office) = image.state.office() else { return Vec::new() };
    let cite = |seq: u64| Cite {
        leaf: usize::try_from(seq).ok().and_then(|i| image.leaves.get(i)).copied().unwrap_or_default(),
        log: office.log.clone(),
        seq,
    };
    let today = office.day(heng.clock().now());
    let empty = |id: &str| match heng.log(id) {
        Ok(log) => matches!(log.image().state, LogState::Edition(None)),
        Err(_) => true,
    };
    office
        .editions
        .iter()
        .filter(|(id, _)| empty(id))
        .filter_map(|(_, (seq, registered))| {
            let versions = office.rules.get(&registered.programme)?;
            let hash = |rules: &Rules| heng_domain::office::Office::rules_hash(rules).ok();
            let adopted = versions.iter().find(|(_, a)| hash(&a.rules) == Some(registered.rules_sha256))?;
            // The first officer in office with a key sets the edition up; everybody else is seated by signature.
            let officer = office.people.iter().find_map(|(id, person)| {
                let key = person.key().filter(|_| office.holds(id, office::OfficeRole::Officer, today))?;
                Some((id.clone(), person.name.clone(), key.public.clone(), cite(key.confirmed.unwrap_or(0))))
            });
            Some(Wanted { registered: registered.clone(), source: cite(*seq), rules: adopted.1.rules.clone(), officer })
        })
        .collect()
}

fn open(heng: &Heng, wanted: Wanted) -> Result<()> {
    let Wanted { registered, source, rules, officer } = wanted;
    let lost = |what: &str, id: &str| AppError::Other(format!("there is no {what} called {id}"));
    let file = |error: heng_domain::rules::RulesError| AppError::Other(error.to_string());
    let criteria = library::criteria(&rules.criteria.value).map_err(file)?;
    let criteria = criteria.ok_or_else(|| lost("criteria tree", &rules.criteria.value))?;
    let calendar =
        library::calendar(&rules.calendar).map_err(file)?.ok_or_else(|| lost("calendar", &rules.calendar))?;
    let (id, name, key, cite) = officer.ok_or_else(|| AppError::Other("no officer has a key".to_owned()))?;
    let log = match heng.log(&registered.log) {
        Ok(log) => log,
        Err(_) => heng.create_log(&registered.log, "edition")?,
    };
    let basis = rules.document.number.clone();
    let label = Text::new(format!("{} 年度", registered.edition), registered.edition.clone());
    let events: Vec<Event> = vec![
        EditionOpened { edition: registered.edition, label, source, rules, year: registered.year }.into(),
        CriteriaAdopted { criteria }.into(),
        CalendarAdopted { calendar }.into(),
        PersonSeated { key: Some(key), name, person: id, roles: vec![Role::Officer], source: cite }.into(),
    ];
    for event in events {
        let (kind, body) = event.split().ok_or_else(|| AppError::Other("an event cannot be written".to_owned()))?;
        log.submit(Draft::new("office", &basis, kind, body))?;
    }
    Ok(())
}
