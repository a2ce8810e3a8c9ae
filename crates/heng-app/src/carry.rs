//! What the office log must take over from an edition: honours and prize entries, each citing its record.
//!
//! The list is made from what is missing, so carrying over twice, or again after a crash, changes nothing.

use heng_domain::edition::Edition;
use heng_domain::edition::events::Cite;
use heng_domain::office::Office;
use heng_domain::office::events::{EntryPosted, Event, HonourRegistered, HonourState, Line};
use heng_domain::time::months_after;
use jiff::civil::Date;

use crate::draft::Draft;
use crate::error::{AppError, Result};
use crate::log::Log;

/// Account of a year's prize budget: what is still free, in fen.
pub fn budget_account(year: u32) -> String {
    format!("budget:{year}")
}

/// Drafts, unsigned and in order, that carry the honours of `log` into the office log.
///
/// # Errors
/// If a log is of the wrong kind.
pub fn pending(office_log: &Log, log: &Log, actor: &str) -> Result<Vec<Draft>> {
    let office_image = office_log.image();
    match office_image.state.office() {
        Some(office) => pending_for(office, log, actor),
        None => Err(AppError::Other("an office log is needed".to_owned())),
    }
}

/// The same for an office that the caller is looking at.
///
/// # Errors
/// If the log is not that of an edition.
pub fn pending_for(office: &Office, log: &Log, actor: &str) -> Result<Vec<Draft>> {
    let image = log.image();
    let Some(edition) = image.state.edition() else {
        return Err(AppError::Other("an edition is needed".to_owned()));
    };
    let mut out = Vec::new();
    for (honour, seq, time) in &edition.honours {
        let leaf = usize::try_from(*seq).ok().and_then(|i| image.leaves.get(i)).copied().unwrap_or_default();
        let cite = Cite { leaf, log: log.id().to_owned(), seq: *seq };
        let day = edition.day(*time);
        let basis = edition.decision.as_ref().map_or("", |(d, _)| d.number.as_str());
        if let Some(event) = honour_event(office, edition, &cite, honour, day)? {
            out.push(draft(actor, basis, &Event::from(event))?);
        }
        if let Some(event) = prize_event(office, edition, cite, honour, day) {
            out.push(draft(actor, basis, &Event::from(event))?);
        }
    }
    Ok(out)
}

fn draft(actor: &str, basis: &str, event: &Event) -> Result<Draft> {
    let (kind, body) = event.split().ok_or_else(|| AppError::Other("an event cannot be written".to_owned()))?;
    Ok(Draft::new(actor, basis, kind, body))
}

type Conferred = heng_domain::edition::events::HonourConferred;

fn honour_event(
    office: &Office,
    edition: &Edition,
    cite: &Cite,
    honour: &Conferred,
    conferred: Date,
) -> Result<Option<HonourRegistered>> {
    if office.carried.contains_key(&(cite.log.clone(), cite.seq)) {
        return Ok(None);
    }
    let Some((_, registered)) = office.editions.get(&edition.log) else {
        return Err(AppError::Other(format!("{} is not registered in the office log", edition.log)));
    };
    let months = edition.rules().validity_months.value;
    let organisation = edition.applications.get(&honour.application).map(|a| a.body.organisation.clone());
    Ok(Some(HonourRegistered {
        certificate: honour.certificate.clone(),
        conferred: Some(conferred),
        edition: edition.opened.edition.clone(),
        honour: format!("h:{}", honour.certificate.to_lowercase()),
        organisation: organisation.unwrap_or_default(),
        programme: registered.programme.clone(),
        cite: Some(cite.clone()),
        source: None,
        state: HonourState::Held,
        tier: honour.tier.clone(),
        valid_until: if months == 0 { None } else { months_after(conferred, months) },
        year: edition.opened.year,
    }))
}

fn prize_event(office: &Office, edition: &Edition, cite: Cite, honour: &Conferred, day: Date) -> Option<EntryPosted> {
    let entry = format!("e:{}", honour.certificate.to_lowercase());
    if honour.prize_fen == 0 || office.entries.iter().any(|e| e.entry == entry) {
        return None;
    }
    let fen = i64::try_from(honour.prize_fen).ok()?;
    let organisation = edition.applications.get(&honour.application)?.body.organisation.clone();
    let line = |account: String, fen| Line { account, fen };
    Some(EntryPosted {
        cite: Some(cite),
        entry,
        lines: vec![
            line("prize-expense".to_owned(), fen),
            line(format!("payable:{organisation}"), -fen),
            line("committed".to_owned(), fen),
            line(budget_account(edition.opened.year), -fen),
        ],
        on: day,
        text: format!("{} {}", edition.rules().name.zh, honour.certificate),
    })
}
