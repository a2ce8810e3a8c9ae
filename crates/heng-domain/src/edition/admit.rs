//! The one door: which rule reads which kind of record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heng_log::commitment::Opening;
use serde_json::{Value, json};

use super::HiddenFields;
use super::events::{Event, PrivacyErased, Role};
use super::state::{Edition, StageState};
use crate::record::Record;
use crate::refusal::{Refusal, Verdict, ensure, refuse};
use crate::rules::{Stage, StageKind};

/// Values of this record's hidden fields, as far as the caller knows them.
pub(super) type Values = BTreeMap<String, Value>;

/// What a rule sees of a record besides its body.
pub(super) struct Context<'a> {
    pub record: &'a Record,
    pub values: &'a Values,
    /// Who would sign, in a rehearsal; `None` where real signatures are checked.
    pub rehearsed: Option<&'a [String]>,
}

impl Context<'_> {
    pub fn actor(&self) -> &str {
        &self.record.actor
    }

    /// Those who signed, or would sign.
    pub fn signers(&self) -> Vec<&str> {
        match self.rehearsed {
            Some(signers) => signers.iter().map(String::as_str).collect(),
            None => self.record.sigs.iter().map(|s| s.by.as_str()).collect(),
        }
    }
}

/// Reads the event of a record.
pub(super) fn event(record: &Record) -> Result<Event, Refusal> {
    if !super::events::KINDS.contains(&record.kind.as_str()) {
        refuse!("record.kind", "", kind = &record.kind);
    }
    let event: Event = serde_json::from_value(json!({ "type": record.kind, "body": record.body }))
        .map_err(|error| Refusal::new("record.body", "").with("kind", &record.kind).with("detail", error))?;
    // A body has one written form: what a lenient reader of dates lets through is refused here.
    let same = event.split().is_some_and(|(_, body)| body == record.body);
    ensure!(same, "record.body", "", kind = &record.kind, detail = "not in its one written form");
    Ok(event)
}

/// Checks openings against the record's commitments and makes a map of values.
fn values(record: &Record, openings: &[Opening]) -> Result<Values, Refusal> {
    let mut out = Values::new();
    for opening in openings {
        let commitment = record.hidden.get(&opening.path);
        let fits = opening.seq == record.seq
            && commitment.is_some_and(|hash| opening.commitment().is_ok_and(|opened| opened == *hash));
        ensure!(fits, "opening.mismatch", "", record = record.seq, path = &opening.path);
        out.insert(opening.path.clone(), opening.value.clone());
    }
    Ok(out)
}

/// What a record says, read without a state: its event, and its hidden values, which fit its commitments. It needs nothing
/// of the records before it, so a replay may read ahead on another thread.
#[derive(Debug)]
pub struct Reading {
    event: Event,
    values: Values,
}

impl Reading {
    /// Reads a record. `openings` are its hidden values that the caller knows.
    ///
    /// # Errors
    /// If the body does not read, or a value does not fit its commitment.
    pub fn of(record: &Record, openings: &[Opening]) -> Result<Reading, Refusal> {
        Ok(Reading { event: event(record)?, values: values(record, openings)? })
    }
}

impl Edition {
    /// Opens the log with its first record.
    pub fn open(log: &str, record: &Record) -> Result<Edition, Refusal> {
        record.check_envelope(log, 0, None)?;
        let Event::EditionOpened(opened) = event(record)? else { refuse!("edition.first", "", kind = &record.kind) };
        let problems = opened.rules.problems();
        if let Some(problem) = problems.first() {
            refuse!("rules.unsound", &opened.rules.document.number, problem = problem);
        }
        ensure!((1949..=9999).contains(&opened.year), "edition.year", "", year = opened.year);
        let stages = opened.rules.stages.iter().map(|stage| (stage.id.clone(), StageState::default())).collect();
        Ok(Edition {
            log: log.to_owned(),
            size: 1,
            last: record.time,
            opened,
            criteria: None,
            calendar: None,
            seats: BTreeMap::new(),
            organisations: BTreeMap::new(),
            stages,
            call: None,
            applications: BTreeMap::new(),
            field: BTreeSet::new(),
            field_at: BTreeMap::new(),
            opinions: None,
            recusals: BTreeMap::new(),
            pledges: BTreeMap::new(),
            declared: BTreeMap::new(),
            draws: BTreeMap::new(),
            panels: BTreeMap::new(),
            sheets: BTreeMap::new(),
            visits: BTreeMap::new(),
            shortlists: BTreeMap::new(),
            sessions: BTreeMap::new(),
            motions: Vec::new(),
            selections: BTreeMap::new(),
            notices: Vec::new(),
            objections: Vec::new(),
            decision: None,
            honours: Vec::new(),
            opened_scores: BTreeMap::new(),
            erased: BTreeMap::new(),
            closed: false,
            hidden: BTreeMap::new(),
            shapes: BTreeSet::new(),
        })
    }

    /// Whether `record` may follow. `openings` are the hidden values of this record that the caller knows.
    pub fn admit(&self, record: &Record, openings: &[Opening]) -> Verdict {
        self.judge(record, openings, None)
    }

    /// Admits a record that was read before and makes the next state.
    ///
    /// # Errors
    /// The refusal that [`Edition::admit`] would give; nothing has changed then.
    pub fn follow(&mut self, record: &Record, reading: Reading) -> Verdict {
        self.check_place(record)?;
        self.rule(&Context { record, values: &reading.values, rehearsed: None }, &reading.event)?;
        self.carry(record, reading);
        Ok(())
    }

    /// Whether `record` could follow once `signers` have signed it: the same rules, asked before anybody signs in vain.
    ///
    /// # Errors
    /// The refusal that `admit` would give for another reason than a signature.
    pub fn rehearse(&self, record: &Record, openings: &[Opening], signers: &[String]) -> Verdict {
        self.judge(record, openings, Some(signers))
    }

    fn judge(&self, record: &Record, openings: &[Opening], rehearsed: Option<&[String]>) -> Verdict {
        self.check_place(record)?;
        let Reading { event, values } = Reading::of(record, openings)?;
        self.rule(&Context { record, values: &values, rehearsed }, &event)
    }

    /// The record comes next in this log, and the log is not at its end.
    fn check_place(&self, record: &Record) -> Verdict {
        record.check_envelope(&self.log, self.size, Some(self.last))?;
        let erasing = record.kind == PrivacyErased::KIND;
        ensure!(!self.closed || erasing, "edition.closed", "", kind = &record.kind);
        Ok(())
    }

    /// The rule of each kind.
    fn rule(&self, cx: &Context<'_>, event: &Event) -> Verdict {
        match event {
            Event::EditionOpened(_) => refuse!("edition.opened_twice", ""),
            Event::CriteriaAdopted(body) => self.admit_criteria(cx, body),
            Event::CalendarAdopted(body) => self.admit_calendar(cx, body),
            Event::PersonSeated(body) => self.admit_person(cx, body),
            Event::PersonUnseated(body) => self.admit_unseated(cx, body),
            Event::ExpertSeated(body) => self.admit_expert(cx, body),
            Event::OrganisationEntered(body) => self.admit_organisation(cx, body),
            Event::StageOpened(body) => self.admit_stage_opened(cx, body),
            Event::StageClosed(body) => self.admit_stage_closed(cx, body),
            Event::CallPublished(body) => self.admit_call(cx, body),
            Event::WindowExtended(body) => self.admit_extension(cx, body),
            Event::ApplicationSubmitted(body) => self.admit_application(cx, body),
            Event::ApplicationWithdrawn(body) => self.admit_withdrawal(cx, body),
            Event::RecommendationGiven(body) => self.admit_recommendation(cx, body),
            Event::ConditionChecked(body) => self.admit_condition(cx, body),
            Event::OpinionsAsked(body) => self.admit_opinions_asked(cx, body),
            Event::OpinionReceived(body) => self.admit_opinion(cx, body),
            Event::PreReviewDecided(body) => self.admit_pre_review(cx, body),
            Event::RecusalDeclared(body) => self.admit_recusal(cx, body),
            Event::RecusalOrdered(body) => self.admit_ordered_recusal(cx, body),
            Event::PledgeGiven(body) => self.admit_pledge(cx, body),
            Event::PoolFrozen(body) => self.admit_pool(cx, body),
            Event::DrawPlanned(body) => self.admit_plan(cx, body),
            Event::DrawRevealed(body) => self.admit_reveal(cx, body),
            Event::DrawVoided(body) => self.admit_draw_voided(cx, body),
            Event::DrawReplaced(body) => self.admit_replacement(cx, body),
            Event::PanelFormed(body) => self.admit_panel(cx, body),
            Event::PanelMemberReplaced(body) => self.admit_member_replaced(cx, body),
            Event::ScoreSubmitted(body) => self.admit_score(cx, body),
            Event::ConsensusAgreed(body) => self.admit_consensus(cx, body),
            Event::ConsensusDissented(body) => self.admit_dissent(cx, body),
            Event::VisitPlanned(body) => self.admit_visit_planned(cx, body),
            Event::VisitIssueRaised(body) => self.admit_issue(cx, body),
            Event::VisitLogged(body) => self.admit_logged(cx, body),
            Event::VisitReported(body) => self.admit_visit_reported(cx, body),
            Event::PollCounted(body) => self.admit_poll(cx, body),
            Event::ScoresComputed(body) => self.admit_computed(cx, body),
            Event::ShortlistDecided(body) => self.admit_shortlist(cx, body),
            Event::RosterFrozen(body) => self.admit_roster(cx, body),
            Event::PresenceRecorded(body) => self.admit_presence(cx, body),
            Event::MotionOpened(body) => self.admit_motion(cx, body),
            Event::BallotCast(body) => self.admit_ballot(cx, body),
            Event::BallotRefused(body) => self.admit_refused(cx, body),
            Event::MotionClosed(body) => self.admit_close(cx, body),
            Event::MotionDisputed(body) => self.admit_dispute(cx, body),
            Event::MotionReopened(body) => self.admit_reopen(cx, body),
            Event::MotionFrozen(body) => self.admit_freeze(cx, body),
            Event::MotionVoided(body) => self.admit_void(cx, body),
            Event::CountRecorded(body) => self.admit_paper(cx, body),
            Event::ResultAnnounced(body) => self.admit_announcement(cx, body),
            Event::CorrectionNoted(body) => self.admit_correction(cx, body),
            Event::SelectionDecided(body) => self.admit_selection(cx, body),
            Event::MinutesSigned(body) => self.admit_minutes(cx, body),
            Event::NoticePublished(body) => self.admit_notice(cx, body),
            Event::ObjectionReceived(body) => self.admit_objection(cx, body),
            Event::ObjectionScreened(body) => self.admit_screening(cx, body),
            Event::ObjectionAnswered(body) => self.admit_answer(cx, body),
            Event::ScoresOpened(body) => self.admit_opened_scores(cx, body),
            Event::DecisionMade(body) => self.admit_decision(cx, body),
            Event::HonourConferred(body) => self.admit_honour(cx, body),
            Event::PrivacyErased(body) => self.admit_erasure(cx, body),
            Event::EditionClosed(_) => self.admit_end(cx),
        }
    }

    /// The next state. Call it only with a record that [`Edition::admit`] has let through.
    ///
    /// # Errors
    /// Only for a record whose body does not read, which `admit` would have refused.
    pub fn apply(&mut self, record: &Record, openings: &[Opening]) -> Verdict {
        let event = event(record)?;
        let values = openings.iter().map(|opening| (opening.path.clone(), opening.value.clone())).collect();
        self.carry(record, Reading { event, values });
        Ok(())
    }

    fn carry(&mut self, record: &Record, Reading { event, values }: Reading) {
        self.size = record.seq + 1;
        self.last = record.time;
        if !record.hidden.is_empty() {
            let paths = self.shape(record.hidden.keys().cloned().collect());
            let mut fields = HiddenFields::new(paths, &record.hidden);
            fields.learn(values);
            self.hidden.insert(record.seq, fields);
        }
        match event {
            Event::EditionOpened(_) => {}
            Event::CriteriaAdopted(body) => self.criteria = Some(body.criteria),
            Event::CalendarAdopted(body) => self.calendar = Some(body.calendar),
            Event::PersonSeated(body) => self.apply_person(record, body),
            Event::PersonUnseated(body) => self.apply_unseated(&body.person),
            Event::ExpertSeated(body) => self.apply_expert(record, body),
            Event::OrganisationEntered(body) => {
                self.organisations.insert(body.organisation.clone(), body);
            }
            Event::StageOpened(body) => self.apply_stage_opened(record, &body.stage),
            Event::StageClosed(body) => self.apply_stage_closed(record, &body.stage),
            Event::CallPublished(body) => self.call = Some(body),
            Event::WindowExtended(body) => {
                if let Some(call) = &mut self.call {
                    call.closes = body.closes;
                }
            }
            Event::ApplicationSubmitted(body) => self.apply_application(record, body),
            Event::ApplicationWithdrawn(body) => self.apply_withdrawal(body),
            Event::RecommendationGiven(body) => self.apply_recommendation(record, body),
            Event::ConditionChecked(body) => self.apply_condition(body),
            Event::OpinionsAsked(body) => self.apply_opinions_asked(record, body),
            Event::OpinionReceived(body) => self.apply_opinion(record, body),
            Event::PreReviewDecided(body) => self.apply_pre_review(body),
            Event::RecusalDeclared(body) => {
                self.recusals.insert((body.person, body.application), body.ground);
            }
            Event::RecusalOrdered(body) => {
                self.recusals.insert((body.person, body.application), body.ground);
            }
            Event::PledgeGiven(body) => self.apply_pledge(body),
            Event::PoolFrozen(body) => self.apply_pool(body),
            Event::DrawPlanned(body) => self.apply_plan(record, body),
            Event::DrawRevealed(body) => self.apply_reveal(record, body),
            Event::DrawVoided(body) => self.apply_draw_voided(record, body),
            Event::DrawReplaced(body) => self.apply_replacement(body),
            Event::PanelFormed(body) => self.apply_panel(body),
            Event::PanelMemberReplaced(body) => self.apply_member_replaced(body),
            Event::ScoreSubmitted(body) => self.apply_score(record, body),
            Event::ConsensusAgreed(body) => self.apply_consensus(record, body),
            Event::ConsensusDissented(body) => self.apply_dissent(record, body),
            Event::VisitPlanned(body) => self.apply_visit_planned(record, body),
            Event::VisitIssueRaised(body) => self.apply_issue(record, body),
            Event::VisitLogged(body) => self.apply_logged(record, body),
            Event::VisitReported(body) => self.apply_visit_reported(record, &body),
            Event::PollCounted(body) => self.apply_poll(body),
            Event::ScoresComputed(body) => self.apply_computed(record, body),
            Event::ShortlistDecided(body) => self.apply_shortlist(body),
            Event::RosterFrozen(body) => self.apply_roster(record, body),
            Event::PresenceRecorded(body) => self.apply_presence(body),
            Event::MotionOpened(body) => self.apply_motion(record, body),
            Event::BallotCast(body) => self.apply_ballot(record, body),
            Event::BallotRefused(body) => self.apply_refused(body),
            Event::MotionClosed(body) => self.apply_close(&body.motion, record.time),
            Event::MotionDisputed(body) => self.apply_dispute(body),
            Event::MotionReopened(body) => self.apply_reopen(&body.motion),
            Event::MotionFrozen(body) => self.apply_freeze(&body.motion),
            Event::MotionVoided(body) => self.apply_void(&body.motion),
            Event::CountRecorded(body) => self.apply_paper(body),
            Event::ResultAnnounced(body) => self.apply_announcement(record, body),
            Event::CorrectionNoted(body) => self.apply_correction(body),
            Event::SelectionDecided(body) => self.apply_selection(body),
            Event::MinutesSigned(body) => self.apply_minutes(&body),
            Event::NoticePublished(body) => self.apply_notice(record, body),
            Event::ObjectionReceived(body) => self.apply_objection(record, body),
            Event::ObjectionScreened(body) => self.apply_screening(body),
            Event::ObjectionAnswered(body) => self.apply_answer(body),
            Event::ScoresOpened(body) => {
                self.opened_scores.extend(body.records.iter().map(|seq| (*seq, record.time)));
            }
            Event::DecisionMade(body) => self.decision = Some((body, record.time)),
            Event::HonourConferred(body) => self.honours.push((body, record.seq, record.time)),
            Event::PrivacyErased(body) => self.apply_erasure(body),
            Event::EditionClosed(_) => self.closed = true,
        }
    }

    /// The set of paths that is equal to `paths`, kept once for all records that have it.
    fn shape(&mut self, paths: Vec<String>) -> Arc<[String]> {
        if let Some(known) = self.shapes.get(paths.as_slice()) {
            return Arc::clone(known);
        }
        let paths: Arc<[String]> = paths.into();
        self.shapes.insert(Arc::clone(&paths));
        paths
    }

    /// Learns a hidden value later (an opening of a bundle). Refused if it does not match its commitment.
    pub fn learn(&mut self, opening: &Opening) -> Verdict {
        let commitment = self.hidden.get(&opening.seq).and_then(|fields| fields.commitment(&opening.path));
        let fits = commitment.is_some_and(|hash| opening.commitment().is_ok_and(|opened| opened == *hash));
        ensure!(fits, "opening.mismatch", "", record = opening.seq, path = &opening.path);
        if let Some(fields) = self.hidden.get_mut(&opening.seq) {
            fields.learn([(opening.path.clone(), opening.value.clone())]);
        }
        Ok(())
    }

    // ── what many rules ask ─────────────────────────────────────────────────────────────────────────────

    /// The actor holds `role`.
    pub(super) fn require_role(&self, cx: &Context<'_>, role: Role) -> Verdict {
        let holds = self.has_role(cx.actor(), role);
        ensure!(holds, "role.missing", "", actor = cx.actor(), role = role_name(role), kind = &cx.record.kind);
        Ok(())
    }

    /// Whether `person` is seated with `role`. The chair is a member too.
    pub fn has_role(&self, person: &str, role: Role) -> bool {
        self.seats.get(person).is_some_and(|seat| {
            seat.active && (seat.roles.contains(&role) || (role == Role::Member && seat.roles.contains(&Role::Chair)))
        })
    }

    /// The actor's signature is there and right.
    pub(super) fn require_signature(&self, cx: &Context<'_>, by: &str) -> Verdict {
        let key = self.seats.get(by).filter(|seat| seat.active).and_then(|seat| seat.key.as_ref());
        if cx.rehearsed.is_some() {
            let signs = key.is_some() && cx.signers().contains(&by);
            ensure!(signs, "signature.no_key", "", by = by);
            return Ok(());
        }
        cx.record.check_signature(by, key)
    }

    /// At least `count` different persons with `role` signed.
    pub(super) fn require_signers(&self, cx: &Context<'_>, role: Role, count: usize) -> Verdict {
        let signers: Vec<&str> = cx.signers().into_iter().filter(|by| self.has_role(by, role)).collect();
        ensure!(
            signers.len() >= count,
            "signature.too_few",
            "",
            role = role_name(role),
            found = signers.len(),
            needed = count
        );
        // Whoever acts in the role signs too: nobody acts on the signatures of others.
        if self.has_role(cx.actor(), role) {
            self.require_signature(cx, cx.actor())?;
        }
        signers.into_iter().try_for_each(|by| self.require_signature(cx, by))
    }

    /// The stage `id` is open and of `kind`.
    pub(super) fn open_stage(&self, id: &str, kind: StageKind) -> Result<&Stage, Refusal> {
        let Some(stage) = self.rules().stage(id) else { refuse!("stage.unknown", "", stage = id) };
        ensure!(stage.kind == kind, "stage.kind", &stage.basis, stage = id);
        let state = self.stages.get(id).copied().unwrap_or_default();
        ensure!(state.opened.is_some(), "stage.not_open", &stage.basis, stage = id);
        ensure!(state.closed.is_none(), "stage.closed", &stage.basis, stage = id);
        Ok(stage)
    }

    /// The open stage of `kind`.
    pub(super) fn current_stage(&self, kind: StageKind) -> Result<&Stage, Refusal> {
        let open = self.rules().stages.iter().find(|stage| {
            stage.kind == kind
                && self.stages.get(&stage.id).is_some_and(|state| state.opened.is_some() && state.closed.is_none())
        });
        match open {
            Some(stage) => Ok(stage),
            None => Err(Refusal::new("stage.none_open", "").with("kind", format!("{kind:?}"))),
        }
    }

    /// The application exists and is still in the field.
    pub(super) fn live(&self, application: &str) -> Verdict {
        ensure!(self.applications.contains_key(application), "application.unknown", "", application = application);
        ensure!(self.field.contains(application), "application.out", "", application = application);
        Ok(())
    }
}

/// Name of a role in messages: its written form.
pub(super) fn role_name(role: Role) -> String {
    serde_json::to_value(role).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
