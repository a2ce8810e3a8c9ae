//! Proposals: records that wait for signatures. When the last one is there the record goes to the log, unchanged.
//!
//! What is signed is fixed when the act is proposed; a signature covers the record and the newest checkpoint that the
//! signer's device saw (verifiability.md §1.3). Proposals are operational rows: until it is admitted, nothing has happened.

use std::collections::BTreeMap;

use heng_domain::edition::Edition;
use heng_domain::edition::committee::value_hash;
use heng_domain::edition::events::{BallotCast, BallotRefused, RefusedFor, Role};
use heng_domain::record::{Anchor, Record, Signature, statement_value};
use heng_domain::replay::LogState;
use heng_domain::time::Instant;
use heng_log::Hash;
use heng_log::canonical;
use heng_log::signature::PublicKey;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::field::Answers;
use super::{DeskError, Place, Written, drafts, with_desk};
use crate::draft::Draft;
use crate::error::{AppError, Result};
use crate::heng::Heng;
use crate::log::Accepted;

/// One record of a proposal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Part {
    /// Kind.
    pub kind: String,
    /// Body.
    pub body: Value,
    /// Article.
    pub basis: String,
    /// Hidden values.
    pub hidden: BTreeMap<String, Value>,
    /// Key of their salts.
    key: Hash,
    /// Signatures so far.
    pub sigs: Vec<Signature>,
}

/// Records that wait for signatures.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Proposal {
    /// Name.
    pub id: String,
    /// Log.
    pub log: String,
    /// The act.
    pub act: String,
    /// Its case.
    pub case: String,
    /// Who acts, as the log knows them.
    pub actor: String,
    /// Who acts, as the office knows them.
    pub subject: String,
    /// When it was proposed.
    pub at: Instant,
    /// Whether the actor must sign.
    pub actor_signs: bool,
    /// So many of each role must sign.
    pub roles: Vec<(Role, usize)>,
    /// The records.
    pub parts: Vec<Part>,
    /// The version of the form's draft that was proposed, if there was one.
    #[serde(default)]
    pub draft: Option<u64>,
}

/// What became of an act.
#[derive(Debug)]
pub enum Outcome {
    /// It is in the log.
    Recorded(Vec<Accepted>),
    /// It waits for signatures.
    Waiting(Box<Proposal>),
}

/// What a device signs.
#[derive(Clone, Debug, Serialize)]
pub struct Statement {
    /// The exact bytes whose SHA-256 is signed: canonical JSON of what the record says and of the newest checkpoint.
    pub text: String,
    /// SHA-256 of `text`, in hex.
    pub hash: Hash,
    /// The checkpoint.
    pub at: Anchor,
}

/// Proposals that wait for their actor. Scorebooks make most of them, so their names begin with a mark of whose they are:
/// a list then reads its owner's rows only.
const OWN: &str = "proposal";
/// Proposals that wait for others; there are few at a time.
const OPEN: &str = "proposal-open";
const OFFERED: &str = "offered-key";

impl Proposal {
    fn draft(&self, part: &Part) -> Draft {
        let mut draft = Draft::new(&self.actor, &part.basis, part.kind.clone(), part.body.clone());
        if !part.hidden.is_empty() {
            draft = draft.hiding(part.key.0, part.hidden.clone());
        }
        draft.sigs.clone_from(&part.sigs);
        draft
    }

    /// Those who have signed.
    pub fn signers(&self) -> Vec<&str> {
        self.parts.first().map(|part| part.sigs.iter().map(|s| s.by.as_str()).collect()).unwrap_or_default()
    }

    /// Whether `handle`, who holds `roles`, is still needed.
    fn needs(&self, handle: &str, roles: &dyn Fn(&str, Role) -> bool) -> bool {
        let signers = self.signers();
        if signers.contains(&handle) {
            return false;
        }
        if self.actor_signs && handle == self.actor {
            return true;
        }
        // The actor's own signature comes first: others countersign what somebody stands for.
        if self.actor_signs && !signers.contains(&self.actor.as_str()) {
            return false;
        }
        self.roles.iter().any(|(role, count)| {
            let have = signers.iter().filter(|by| roles(by, *role)).count();
            have < *count && roles(handle, *role)
        })
    }

    /// Whether nobody is needed any more.
    fn complete(&self, roles: &dyn Fn(&str, Role) -> bool) -> bool {
        let signers = self.signers();
        let actor = !self.actor_signs || signers.contains(&self.actor.as_str());
        actor && self.roles.iter().all(|(role, count)| signers.iter().filter(|by| roles(by, *role)).count() >= *count)
    }
}

/// Does an act: records it, or makes a proposal where it needs signatures.
///
/// The draft of the form is forgotten once the act is recorded or proposed.
///
/// # Errors
/// What is wrong with the answers, or the refusal; nothing has changed then.
pub fn act(
    heng: &Heng,
    log: &str,
    subject: &str,
    kind: &str,
    case: &str,
    answers: &Answers,
) -> std::result::Result<Outcome, DeskError> {
    let sheet = super::sheet(heng, log, subject, kind, case)?;
    let written = super::write(heng, log, subject, kind, case, answers)?;
    if written.is_empty() {
        return Err(DeskError::NotOpen);
    }
    let parts = written.into_iter().map(|w| part(heng, w)).collect::<Result<Vec<_>>>()?;
    let draft_key = drafts::key(&sheet.me, log, kind, case);
    let draft = drafts::version_of(heng, &draft_key, answers)?;
    let proposal = Proposal {
        id: format!("{}{}", mark(subject), hex::encode(heng.random()?.get(..12).unwrap_or_default())),
        log: log.to_owned(),
        act: kind.to_owned(),
        case: case.to_owned(),
        actor: sheet.me.clone(),
        subject: subject.to_owned(),
        at: heng.clock().now(),
        actor_signs: sheet.signs.actor,
        roles: sheet.signs.roles.to_vec(),
        parts,
        draft,
    };
    let outcome = if proposal.actor_signs || !proposal.roles.is_empty() {
        rehearse(heng, &proposal)?;
        // Who goes back and sends the form again means this one: an earlier one that nobody signed is forgotten.
        for (earlier, _) in concerning(heng, subject)? {
            let same = earlier.log == proposal.log && earlier.act == proposal.act && earlier.case == proposal.case;
            if same && earlier.subject == proposal.subject && earlier.signers().is_empty() {
                forget(heng, &earlier)?;
            }
        }
        put(heng, &proposal)?;
        Outcome::Waiting(Box::new(proposal))
    } else {
        Outcome::Recorded(submit(heng, &proposal)?)
    };
    if let (Outcome::Recorded(_), Some(version)) = (&outcome, draft) {
        drafts::discard_sent(heng, &draft_key, version)?;
    }
    Ok(outcome)
}

fn part(heng: &Heng, written: Written) -> Result<Part> {
    let Written { kind, body, basis, hidden } = written;
    Ok(Part { kind, body, basis, hidden, key: Hash(heng.random()?), sigs: Vec::new() })
}

/// Asks the rules whether the record would be admitted once all have signed: nobody is asked to sign in vain.
fn rehearse(heng: &Heng, proposal: &Proposal) -> std::result::Result<(), DeskError> {
    let log = heng.log(&proposal.log)?;
    let image = log.image();
    let (size, last) = image.state.position();
    let now = heng.clock().now();
    for part in &proposal.parts {
        let draft = proposal.draft(part);
        let record =
            draft.into_record(&proposal.log, size, last.map_or(now, |last| now.max(last))).map_err(AppError::from)?;
        let openings = draft.hidden.as_ref().map(|h| h.openings(size)).unwrap_or_default();
        match &image.state {
            LogState::Office(Some(office)) => office.rehearse(&record, &openings)?,
            LogState::Edition(Some(edition)) => edition.rehearse(&record, &openings, &signers(edition, proposal))?,
            LogState::Office(None) | LogState::Edition(None) => {}
        }
    }
    Ok(())
}

/// The actor, and as many others as have to sign.
fn signers(edition: &Edition, proposal: &Proposal) -> Vec<String> {
    let mut signers: Vec<String> = vec![proposal.actor.clone()];
    for (role, count) in &proposal.roles {
        let have = signers.iter().filter(|by| edition.has_role(by, *role)).count();
        let others = edition.seats.keys().filter(|id| edition.has_role(id, *role) && !signers.contains(id));
        let others: Vec<String> = others.take(count.saturating_sub(have)).cloned().collect();
        signers.extend(others);
    }
    signers
}

fn submit(heng: &Heng, proposal: &Proposal) -> std::result::Result<Vec<Accepted>, DeskError> {
    let log = heng.log(&proposal.log)?;
    let drafts = proposal.parts.iter().map(|part| proposal.draft(part)).collect();
    let mut out = Vec::new();
    for answer in log.submit_all(drafts) {
        out.push(answer?);
    }
    crate::opening::after(heng, &out);
    Ok(out)
}

/// A ballot that was signed and comes too late, or from somebody who may not vote, leaves a trace in the log. What is only
/// badly made leaves none, and the rules take one note for each member, motion and reason.
fn note_refused(heng: &Heng, proposal: &Proposal, error: &DeskError) {
    let DeskError::Refused(refusal) = error else { return };
    let reason = match refusal.code {
        "ballot.late" => RefusedFor::Late,
        "ballot.absent" => RefusedFor::Absent,
        "ballot.recused" => RefusedFor::Recused,
        _ => return,
    };
    for part in proposal.parts.iter().filter(|part| part.kind == BallotCast::KIND) {
        let Ok(body) = serde_json::from_value::<BallotCast>(part.body.clone()) else { continue };
        let Ok(ballot) = value_hash(&part.body) else { continue };
        let note = BallotRefused { ballot, motion: body.motion, reason, voter: body.voter };
        let Ok(Written { kind, body, basis, .. }) = Written::edition(&part.basis, note) else { continue };
        let log = heng.log(&proposal.log);
        match log.and_then(|log| log.submit(Draft::new("office", &basis, kind, body))) {
            Ok(_) | Err(AppError::Refused(_)) => {}
            Err(error) => tracing::error!(%error, "a refused ballot could not be noted"),
        }
    }
}

/// The beginning of the names of `subject`'s proposals. A name stands in addresses, so it does not say who that is.
fn mark(subject: &str) -> String {
    heng_log::sha256(subject.as_bytes()).to_string().get(..16).unwrap_or_default().to_owned()
}

fn put(heng: &Heng, proposal: &Proposal) -> Result<()> {
    let bytes = serde_json::to_vec(proposal).map_err(|error| AppError::Other(error.to_string()))?;
    let own = proposal.actor_signs && !proposal.signers().contains(&proposal.actor.as_str());
    heng.store().put_row(if own { OWN } else { OPEN }, &proposal.id, &bytes)?;
    // A crash in between leaves both; the one with more signatures is read first.
    if !own && !proposal.signers().is_empty() {
        heng.store().delete_row(OWN, &proposal.id)?;
    }
    Ok(())
}

fn forget(heng: &Heng, proposal: &Proposal) -> Result<()> {
    heng.store().delete_row(OWN, &proposal.id)?;
    if !proposal.roles.is_empty() {
        heng.store().delete_row(OPEN, &proposal.id)?;
    }
    Ok(())
}

/// A proposal.
///
/// # Errors
/// If the store fails.
pub fn load(heng: &Heng, id: &str) -> Result<Option<Proposal>> {
    let bytes = match heng.store().row(OPEN, id)? {
        Some(bytes) => Some(bytes),
        None => heng.store().row(OWN, id)?,
    };
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// How a person stands to a proposal.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Who they are in that log.
    pub handle: String,
    /// They are asked to sign now.
    pub asked: bool,
    /// They proposed it and may take it back.
    pub own: bool,
    /// The key that counts for them.
    pub key: Option<PublicKey>,
}

/// How `subject` stands to a proposal; `None` where it is none of their business.
///
/// # Errors
/// If the log is unknown.
pub fn standing(heng: &Heng, proposal: &Proposal, subject: &str) -> Result<Option<Standing>> {
    let found = with_desk(heng, &proposal.log, subject, |place| match place {
        Place::Edition(desk) => {
            let roles = |by: &str, role: Role| desk.edition.has_role(by, role);
            let key = desk.edition.seats.get(&desk.me).and_then(|seat| seat.key.clone());
            // Whoever may not read an objection does not decide it: nobody signs an answer blind.
            let decides = super::notice::decides(&proposal.act);
            let blind = decides && !desk.edition.may_see_objection(&desk.me, &proposal.case);
            let asked = !blind && proposal.needs(&desk.me, &roles);
            let involved = asked || proposal.subject == subject || proposal.signers().contains(&desk.me.as_str());
            involved.then(|| Standing { handle: desk.me.clone(), asked, own: proposal.subject == subject, key })
        }
        Place::Office(desk) => {
            let roles = |by: &str, role: Role| office_role(desk.office, by, role, desk.now);
            let person = desk.office.people.get(&desk.me);
            // The key to be confirmed signs its own confirmation; otherwise the one that counts.
            let confirming = proposal.parts.first().filter(|part| part.kind == "key.confirmed");
            let wanted = confirming.and_then(|part| part.body.get("key")).and_then(Value::as_str);
            let key = match wanted {
                Some(print) => person.and_then(|p| p.keys.iter().find(|k| k.public.fingerprint() == print)),
                None => person.and_then(|p| p.key()),
            };
            let asked = proposal.needs(&desk.me, &roles);
            let involved = asked || proposal.subject == subject || proposal.signers().contains(&desk.me.as_str());
            let key = key.map(|key| key.public.clone());
            involved.then(|| Standing { handle: desk.me.clone(), asked, own: proposal.subject == subject, key })
        }
    })?;
    Ok(found.flatten())
}

/// The office's counterpart of a role in an edition.
fn office_role(office: &heng_domain::office::Office, person: &str, role: Role, now: Instant) -> bool {
    use heng_domain::office::events::OfficeRole;
    let wanted = match role {
        Role::Officer => OfficeRole::Officer,
        Role::Supervisor => OfficeRole::Supervisor,
        Role::Chair => OfficeRole::Chair,
        Role::Member => OfficeRole::Member,
        Role::Recommender => OfficeRole::Recommender,
        Role::Authority => OfficeRole::Authority,
        Role::Counter => OfficeRole::Counter,
    };
    office.holds(person, wanted, office.day(now))
}

/// All proposals, oldest first. It reads every row: for a demonstration's door, not for an office's pages.
///
/// # Errors
/// If the store fails.
pub fn all(heng: &Heng) -> Result<Vec<Proposal>> {
    let mut rows = heng.store().rows(OPEN)?;
    rows.extend(heng.store().rows(OWN)?);
    let mut out: Vec<Proposal> = Vec::new();
    for proposal in rows.into_iter().filter_map(|(_, bytes)| serde_json::from_slice::<Proposal>(&bytes).ok()) {
        if !out.iter().any(|known| known.id == proposal.id) {
            out.push(proposal);
        }
    }
    out.sort_by_key(|proposal| proposal.at);
    Ok(out)
}

/// Proposals that `subject` is asked to sign, or has made, oldest first.
///
/// # Errors
/// If the store fails.
pub fn concerning(heng: &Heng, subject: &str) -> Result<Vec<(Proposal, Standing)>> {
    let mut rows = heng.store().rows(OPEN)?;
    rows.extend(heng.store().rows_with_prefix(OWN, &mark(subject))?);
    let proposals = rows.into_iter().filter_map(|(_, bytes)| serde_json::from_slice::<Proposal>(&bytes).ok());
    let mut out: Vec<(Proposal, Standing)> = Vec::new();
    for proposal in proposals {
        if out.iter().any(|(known, _)| known.id == proposal.id) {
            continue;
        }
        if let Some(standing) = standing(heng, &proposal, subject)? {
            out.push((proposal, standing));
        }
    }
    out.sort_by_key(|(proposal, _)| proposal.at);
    Ok(out)
}

/// What `handle` signs, one statement for each record, over the newest checkpoint.
///
/// # Errors
/// If the record cannot be written.
pub fn statements(heng: &Heng, proposal: &Proposal, handle: &str) -> Result<Vec<Statement>> {
    let at = heng.log(&proposal.log)?.anchor();
    proposal
        .parts
        .iter()
        .map(|part| {
            let hidden = proposal.draft(part).commitments()?;
            let value = statement_value(&proposal.log, &part.kind, &part.body, &hidden, handle, &at);
            let bytes = canonical::to_bytes(&value).map_err(|error| AppError::Other(error.to_string()))?;
            let hash = heng_log::sha256(&bytes);
            let text = String::from_utf8(bytes).map_err(|error| AppError::Other(error.to_string()))?;
            Ok(Statement { text, hash, at: at.clone() })
        })
        .collect()
}

/// Adds the signatures of `subject`, one for each record; sends the records when nobody is needed any more.
///
/// # Errors
/// [`DeskError::NotOpen`] if they are not asked; the refusal if a signature does not hold or the rules refuse the record.
pub fn sign(heng: &Heng, id: &str, subject: &str, sigs: Vec<Signature>) -> std::result::Result<Outcome, DeskError> {
    let turn = heng.turn(id);
    let mut proposal = load(heng, id)?.ok_or(DeskError::NotOpen)?;
    let standing = standing(heng, &proposal, subject)?.filter(|s| s.asked).ok_or(DeskError::NotOpen)?;
    if sigs.len() != proposal.parts.len() {
        return Err(DeskError::NotOpen);
    }
    let drafts: Vec<Draft> = proposal.parts.iter().map(|part| proposal.draft(part)).collect();
    let now = heng.clock().now();
    for ((part, draft), signature) in proposal.parts.iter_mut().zip(drafts).zip(sigs) {
        let mut record: Record = draft.into_record(&proposal.log, u64::MAX, now).map_err(AppError::from)?;
        record.sigs = vec![signature.clone()];
        record.check_signature(&standing.handle, standing.key.as_ref())?;
        part.sigs.push(signature);
    }
    let done = with_desk(heng, &proposal.log, subject, |place| match place {
        Place::Edition(desk) => proposal.complete(&|by, role| desk.edition.has_role(by, role)),
        Place::Office(desk) => proposal.complete(&|by, role| office_role(desk.office, by, role, desk.now)),
    })?;
    if done != Some(true) {
        put(heng, &proposal)?;
        return Ok(Outcome::Waiting(Box::new(proposal)));
    }
    let accepted = submit(heng, &proposal).inspect_err(|error| note_refused(heng, &proposal, error))?;
    forget(heng, &proposal)?;
    drop(turn);
    if let Some(version) = proposal.draft {
        let key = drafts::key(&proposal.actor, &proposal.log, &proposal.act, &proposal.case);
        drafts::discard_sent(heng, &key, version)?;
    }
    Ok(Outcome::Recorded(accepted))
}

/// Takes a proposal back; the form's draft is still there.
///
/// # Errors
/// [`DeskError::NotOpen`] if it is not theirs.
pub fn withdraw(heng: &Heng, id: &str, subject: &str) -> std::result::Result<Proposal, DeskError> {
    let _turn = heng.turn(id);
    let proposal = load(heng, id)?.filter(|p| p.subject == subject).ok_or(DeskError::NotOpen)?;
    forget(heng, &proposal)?;
    Ok(proposal)
}

/// A person offers a key for a log: the office log, or an edition for a pseudonym. Officers enrol or seat it.
///
/// # Errors
/// If the store fails.
pub fn offer_key(heng: &Heng, log: &str, person: &str, key: &PublicKey) -> Result<()> {
    Ok(heng.store().put_row(OFFERED, &format!("{log}|{person}"), key.to_string().as_bytes())?)
}

/// Keys offered for a log, by person.
///
/// # Errors
/// If the store fails.
pub fn offered_keys(heng: &Heng, log: &str) -> Result<BTreeMap<String, PublicKey>> {
    let prefix = format!("{log}|");
    let rows = heng.store().rows_with_prefix(OFFERED, &prefix)?;
    let own = rows.into_iter().filter_map(|(key, bytes)| {
        let person = key.strip_prefix(&prefix)?.to_owned();
        Some((person, String::from_utf8(bytes).ok()?.parse().ok()?))
    });
    Ok(own.collect())
}

/// The expert's pseudonym of a person in an edition, for pages that the person sees.
pub fn handle(heng: &Heng, log: &str, subject: &str) -> Result<Option<String>> {
    with_desk(heng, log, subject, |place| match place {
        Place::Edition(desk) => desk.me.clone(),
        Place::Office(desk) => desk.me.clone(),
    })
}
