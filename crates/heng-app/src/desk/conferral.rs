//! The decision (决定), the opening of scores, honours and certificates.

use heng_domain::edition::events::{Approved, DecisionMade, HonourConferred, Returned, Role, ScoresOpened};
use heng_domain::rules::{ScoreDisclosure, StageKind};

use super::call::yes_no;
use super::field::{Field, Kind, same, words};
use super::{Act, Case, DeskError, EditionDesk, Signs, Who, Written, Wrong};

pub(super) fn acts<'a>() -> Vec<Act<EditionDesk<'a>>> {
    vec![
        Act {
            kind: ScoresOpened::KIND,
            who: Who::Officer,
            signs: Signs::ACTOR,
            open: |desk| {
                let rule = &desk.edition.rules().disclosure;
                let due = desk.has(Role::Officer)
                    && rule.scores.value == ScoreDisclosure::Anonymous
                    && desk.edition.winners_published().is_some()
                    && desk.edition.opened_scores.is_empty()
                    && !desk.edition.disclosable().is_empty();
                if due { vec![Case::duty("-", desk.edition.opened.label.clone(), None)] } else { Vec::new() }
            },
            form: |_, _| Vec::new(),
            write: |desk, _, _| {
                let records = desk.edition.disclosable();
                let fields: usize = records.iter().map(|seq| desk.edition.disclosed_paths(*seq).count()).sum();
                let body = ScoresOpened { fields: u64::try_from(fields).unwrap_or(0), records };
                Ok(vec![Written::edition(&desk.edition.rules().disclosure.scores.basis, body)?])
            },
        },
        Act {
            kind: DecisionMade::KIND,
            who: Who::Authority,
            signs: Signs::ACTOR,
            open: |desk| match desk.stage(StageKind::Approval) {
                Some(stage) if desk.has(Role::Authority) && desk.edition.decision.is_none() => {
                    vec![Case::duty("-", stage.name.clone(), desk.due(stage))]
                }
                _ => Vec::new(),
            },
            form: |desk, _| {
                let mut fields = vec![Field::new("number", Kind::Line { most: 80 })];
                for (application, tier) in desk.edition.standing_winners() {
                    let tier = desk.edition.rules().tier(tier).map_or_else(|| same(tier), |t| t.name.clone());
                    let name = desk.name(application);
                    let label = words("field", "approve", &[("name", &name), ("tier", &tier)]);
                    let choices = yes_no("approve");
                    fields.push(
                        Field::labelled(&format!("approve:{application}"), "approve", Kind::One { choices })
                            .label(label)
                            .with("yes"),
                    );
                    let reason =
                        Field::labelled(&format!("reason:{application}"), "return_reason", Kind::Line { most: 300 });
                    fields.push(reason.optional());
                }
                fields
            },
            write: |desk, _, input| {
                let stage = desk.stage(StageKind::Approval).ok_or(DeskError::NotOpen)?;
                let (mut approved, mut returned, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
                for (application, tier) in desk.edition.standing_winners() {
                    if input.text(&format!("approve:{application}")) == "yes" {
                        approved.push(Approved { application: application.to_owned(), tier: tier.to_owned() });
                        continue;
                    }
                    let field = format!("reason:{application}");
                    let reason = input.text(&field);
                    if reason.is_empty() {
                        wrong.push(Wrong::new(&field, "missing"));
                    }
                    returned.push(Returned { application: application.to_owned(), reason });
                }
                if !wrong.is_empty() {
                    return Err(DeskError::Wrong(wrong));
                }
                let body = DecisionMade { approved, number: input.text("number"), returned };
                Ok(vec![Written::edition(&stage.basis, body)?])
            },
        },
        Act {
            kind: HonourConferred::KIND,
            who: Who::Officer,
            signs: Signs::ACTOR,
            open: |desk| {
                let Some(stage) = desk.stage(StageKind::Conferral).filter(|_| desk.has(Role::Officer)) else {
                    return Vec::new();
                };
                let approved = desk.edition.decision.as_ref().map(|(d, _)| d.approved.as_slice()).unwrap_or_default();
                approved
                    .iter()
                    .filter(|a| desk.edition.field.contains(&a.application))
                    .filter(|a| !desk.edition.honours.iter().any(|(h, _, _)| h.application == a.application))
                    .map(|a| Case::duty(a.application.clone(), desk.name(&a.application), desk.due(stage)))
                    .collect()
            },
            form: |desk, _| {
                let number = desk.edition.honours.len() + 1;
                let certificate =
                    format!("{}-{}-{number:02}", desk.edition.rules().id.to_uppercase(), desk.edition.opened.edition);
                vec![Field::new("certificate", Kind::Line { most: 80 }).with(certificate)]
            },
            write: |desk, application, input| {
                let stage = desk.stage(StageKind::Conferral).ok_or(DeskError::NotOpen)?;
                let decided = desk.edition.decision.as_ref().map(|(d, _)| d.approved.as_slice()).unwrap_or_default();
                let tier =
                    decided.iter().find(|a| a.application == application).ok_or(DeskError::NotOpen)?.tier.clone();
                let certificate = input.text("certificate");
                if is_taken(desk, &certificate) {
                    return Err(Wrong::new("certificate", "certificate_taken").into());
                }
                let body = HonourConferred {
                    application: application.to_owned(),
                    certificate,
                    prize_fen: desk.edition.prize_of(application, &tier)?,
                    tier,
                };
                Ok(vec![Written::edition(&stage.basis, body)?])
            },
        },
    ]
}

/// Whether the register has a certificate of this number: such an honour could never be entered. Case does not distinguish.
fn is_taken(desk: &EditionDesk<'_>, certificate: &str) -> bool {
    let mut honours = desk.office.iter().flat_map(|office| office.honours.values());
    honours.any(|honour| honour.body.certificate.eq_ignore_ascii_case(certificate))
}
