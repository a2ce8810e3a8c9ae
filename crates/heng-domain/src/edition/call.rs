//! Before the review: criteria, calendar, people, organisations, the call, applications, recommendations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heng_log::signature::PublicKey;

use super::admit::Context;
use super::events::{
    ApplicationSubmitted, ApplicationWithdrawn, CalendarAdopted, CallPublished, CriteriaAdopted, ExpertSeated,
    OrganisationEntered, PersonSeated, PersonUnseated, RecommendationGiven, Role, Window, WindowExtended,
};
use super::state::{Application, Edition, Recommendation, Seat};
use crate::record::Record;
use crate::refusal::{Verdict, ensure, refuse};
use crate::rules::StageKind;
use crate::uscc;

/// True for handles like `p:0017`: a letter, a colon, digits or lower-case letters.
fn is_handle(id: &str, prefix: char) -> bool {
    let mut chars = id.chars();
    chars.next() == Some(prefix)
        && chars.next() == Some(':')
        && (1..=32).contains(&id.len().saturating_sub(2))
        && id[2..].bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// Days of a window, both ends included; 0 if it is turned round.
fn window_days(window: &Window) -> i64 {
    let days = window.from.until(window.until).map_or(-1, |span| i64::from(span.get_days()));
    (days + 1).max(0)
}

impl Edition {
    /// Before any officer is seated the office's own act sets up the log; afterwards it takes an officer.
    fn require_setup(&self, cx: &Context<'_>) -> Verdict {
        let has_officer = self.seats.values().any(|seat| seat.active && seat.roles.contains(&Role::Officer));
        if has_officer {
            return self.require_role(cx, Role::Officer);
        }
        ensure!(cx.actor() == "office", "edition.setup", "", actor = cx.actor());
        Ok(())
    }

    pub(super) fn admit_criteria(&self, cx: &Context<'_>, body: &CriteriaAdopted) -> Verdict {
        self.require_setup(cx)?;
        let wanted = &self.rules().criteria;
        ensure!(self.criteria.is_none(), "criteria.frozen", &wanted.basis);
        ensure!(
            body.criteria.id == wanted.value,
            "criteria.other",
            &wanted.basis,
            found = &body.criteria.id,
            expected = &wanted.value
        );
        if let Some(problem) = body.criteria.problems().first() {
            refuse!("criteria.unsound", &wanted.basis, problem = problem);
        }
        Ok(())
    }

    pub(super) fn admit_calendar(&self, cx: &Context<'_>, body: &CalendarAdopted) -> Verdict {
        self.require_setup(cx)?;
        let id = &self.rules().calendar;
        ensure!(body.calendar.id == *id, "calendar.other", "", found = &body.calendar.id, expected = id);
        if let Some(problem) = body.calendar.problems().first() {
            refuse!("calendar.unsound", "", problem = problem);
        }
        // A later calendar may add years, never change one that deadlines were counted with.
        if let Some(old) = &self.calendar {
            let kept = old.years.iter().all(|(year, days)| body.calendar.years.get(year) == Some(days));
            ensure!(kept, "calendar.changed", "");
        }
        Ok(())
    }

    pub(super) fn admit_person(&self, cx: &Context<'_>, body: &PersonSeated) -> Verdict {
        self.require_setup(cx)?;
        ensure!(is_handle(&body.person, 'p'), "handle.form", "", handle = &body.person);
        ensure!(!self.seats.contains_key(&body.person), "person.seated_twice", "", person = &body.person);
        ensure!(!body.roles.is_empty(), "person.no_role", "", person = &body.person);
        let named = body.name.is_some() || cx.record.hidden.contains_key("/name");
        ensure!(named, "person.no_name", "", person = &body.person);
        let signs = body.roles.iter().any(|role| !matches!(role, Role::Recommender));
        ensure!(!signs || body.key.is_some(), "person.no_key", "", person = &body.person);
        // Who supervises decides nothing, or the supervision would be of oneself (design.md §1).
        let supervises = body.roles.contains(&Role::Supervisor);
        ensure!(!supervises || body.roles.len() == 1, "person.supervisor_only", "", person = &body.person);
        if cx.actor() != "office" {
            self.require_signature(cx, cx.actor())?;
        }
        self.check_key(body.key.as_ref())
    }

    /// A key is one person's, and of a kind that the rules let sign.
    fn check_key(&self, key: Option<&PublicKey>) -> Verdict {
        let Some(key) = key else { return Ok(()) };
        let known = self.seats.values().any(|seat| seat.key.as_ref() == Some(key));
        ensure!(!known, "key.shared", "");
        if let Some(only) = self.rules().passkeys_only.as_ref().filter(|only| only.value) {
            ensure!(key.rp().is_some(), "key.passkeys_only", &only.basis);
        }
        Ok(())
    }

    pub(super) fn apply_person(&mut self, record: &Record, body: PersonSeated) {
        let seat = Seat {
            roles: body.roles.into_iter().collect(),
            name: body.name,
            key: body.key,
            group: None,
            seq: record.seq,
            active: true,
        };
        self.seats.insert(body.person, seat);
    }

    pub(super) fn admit_unseated(&self, cx: &Context<'_>, body: &PersonUnseated) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        self.require_signers(cx, Role::Officer, 2)?;
        let seated = self.seats.get(&body.person).is_some_and(|seat| seat.active);
        ensure!(seated, "person.unknown", "", person = &body.person);
        ensure!(!body.reason.is_empty(), "reason.missing", "");
        // An edition must keep two officers, or nothing could be signed any more.
        let others =
            self.seats.iter().filter(|(id, _)| **id != body.person && self.has_role(id, Role::Officer)).count();
        let officer = self.has_role(&body.person, Role::Officer);
        ensure!(!officer || others >= 2, "office.officers", "", found = others);
        // A roster is frozen for its session: nobody is taken off it while a motion is open.
        let voting = self.motions.iter().any(|(_, motion)| {
            motion.state == super::state::MotionState::Open && motion.present.contains(&body.person)
        });
        ensure!(!voting, "person.voting", "", person = &body.person);
        Ok(())
    }

    pub(super) fn apply_unseated(&mut self, person: &str) {
        if let Some(seat) = self.seats.get_mut(person) {
            seat.active = false;
        }
    }

    pub(super) fn admit_expert(&self, cx: &Context<'_>, body: &ExpertSeated) -> Verdict {
        self.require_setup(cx)?;
        ensure!(is_handle(&body.expert, 'x'), "handle.form", "", handle = &body.expert);
        ensure!(!self.seats.contains_key(&body.expert), "person.seated_twice", "", person = &body.expert);
        ensure!(cx.record.hidden.contains_key("/who"), "expert.no_identity", "", expert = &body.expert);
        // A pseudonym has no record in the office log to cite: two officers vouch for its key (threat T32).
        self.require_signers(cx, Role::Officer, 2)?;
        self.check_key(Some(&body.key))
    }

    pub(super) fn apply_expert(&mut self, record: &Record, body: ExpertSeated) {
        let seat = Seat {
            roles: BTreeSet::new(),
            name: None,
            key: Some(body.key),
            group: Some(body.group),
            seq: record.seq,
            active: true,
        };
        self.seats.insert(body.expert, seat);
    }

    pub(super) fn admit_organisation(&self, cx: &Context<'_>, body: &OrganisationEntered) -> Verdict {
        self.require_setup(cx)?;
        ensure!(is_handle(&body.organisation, 'o'), "handle.form", "", handle = &body.organisation);
        let entered = self.organisations.contains_key(&body.organisation);
        ensure!(!entered, "organisation.twice", "", organisation = &body.organisation);
        uscc::check(&body.uscc).map_err(|error| error.refusal(&body.uscc))?;
        let same = self.organisations.values().find(|other| other.uscc == body.uscc);
        if let Some(same) = same {
            refuse!("organisation.same_code", "", code = &body.uscc, other = &same.organisation);
        }
        let class = self.rules().classes.iter().any(|class| class.id == body.class);
        ensure!(class, "organisation.class", &self.rules().document.number, class = &body.class);
        Ok(())
    }

    pub(super) fn admit_call(&self, cx: &Context<'_>, body: &CallPublished) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        let stage = self.current_stage(StageKind::Call)?;
        ensure!(self.call.is_none(), "call.twice", &stage.basis);
        ensure!(self.criteria.is_some(), "call.no_criteria", &self.rules().criteria.basis);
        ensure!(self.calendar.is_some(), "call.no_calendar", &stage.basis);
        ensure!(body.no_fee, "call.fee", &stage.basis);
        ensure!(
            body.opens < body.closes,
            "call.window",
            &stage.basis,
            opens = self.local(body.opens),
            closes = self.local(body.closes)
        );
        ensure!(body.closes > cx.record.time, "call.past", &stage.basis, closes = self.local(body.closes));
        let whole = !(body.title.zh.is_empty()
            || body.text.zh.is_empty()
            || body.title.en.is_empty()
            || body.text.en.is_empty());
        ensure!(whole, "call.text", &stage.basis);
        Ok(())
    }

    pub(super) fn admit_extension(&self, cx: &Context<'_>, body: &WindowExtended) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        let stage = self.current_stage(StageKind::Application)?;
        let Some(call) = &self.call else { refuse!("call.missing", &stage.basis) };
        // An extension is for everybody and must be given before the window has closed.
        ensure!(cx.record.time < call.closes, "extension.late", &stage.basis, closes = self.local(call.closes));
        ensure!(body.closes > call.closes, "extension.shorter", &stage.basis, closes = self.local(call.closes));
        ensure!(!body.reason.is_empty(), "reason.missing", &stage.basis);
        Ok(())
    }

    pub(super) fn admit_application(&self, cx: &Context<'_>, body: &ApplicationSubmitted) -> Verdict {
        let stage = self.current_stage(StageKind::Application)?;
        let limits = &self.rules().application;
        let Some(call) = &self.call else { refuse!("call.missing", &stage.basis) };
        let organisation = self.organisations.get(&body.organisation);
        ensure!(organisation.is_some(), "organisation.unknown", &stage.basis, organisation = &body.organisation);
        // An applicant applies for itself; paper is entered by an officer, who signs for the entry.
        if cx.actor() != body.organisation {
            self.require_role(cx, Role::Officer)?;
            self.require_signature(cx, cx.actor())?;
        }
        self.check_paper(cx, body, &stage.basis)?;
        ensure!(cx.record.time >= call.opens, "application.early", &stage.basis, opens = self.local(call.opens));
        ensure!(
            cx.record.time < call.closes,
            "application.late",
            &stage.basis,
            closes = self.local(call.closes),
            time = self.local(cx.record.time)
        );
        ensure!(is_handle(&body.application, 'a'), "handle.form", "", handle = &body.application);
        let known = self.applications.get(&body.application);
        ensure!(
            known.is_none_or(|old| old.body.organisation == body.organisation && old.withdrawn.is_none()),
            "application.number",
            &stage.basis,
            application = &body.application
        );
        let other = self.applications.iter().find(|(id, old)| {
            **id != body.application && old.body.organisation == body.organisation && old.withdrawn.is_none()
        });
        if let Some((id, _)) = other {
            refuse!("application.twice", &stage.basis, application = id);
        }
        ensure!(body.pledge, "application.pledge", &stage.basis);
        ensure!(
            body.profile_chars > 0 && body.profile_chars <= limits.profile_chars.value,
            "application.profile",
            &limits.profile_chars.basis,
            chars = body.profile_chars,
            limit = limits.profile_chars.value
        );
        self.check_self_evaluation(body)?;
        self.check_secrets(cx, body, &stage.basis)?;
        let years = limits.figure_years.value;
        let enough = u32::try_from(body.figures.len()).is_ok_and(|n| n >= years);
        let consecutive = body.figures.windows(2).all(|pair| pair[1].year == pair[0].year + 1)
            && body.figures.last().is_none_or(|last| last.year + 1 >= self.opened.year);
        ensure!(
            enough && consecutive,
            "application.figures",
            &limits.figure_years.basis,
            found = body.figures.len(),
            years = years
        );
        let internal = &limits.internal_notice_days;
        let days = self.days_until_now(cx, body.internal_notice.as_ref());
        ensure!(
            days >= i64::from(internal.value),
            "application.internal_notice",
            &internal.basis,
            days = days,
            needed = internal.value
        );
        ensure!(cx.record.hidden.contains_key("/contact"), "application.contact", &stage.basis);
        Ok(())
    }

    /// What is said to come from paper has a reason and a scan, and a second officer has compared both.
    fn check_paper(&self, cx: &Context<'_>, body: &ApplicationSubmitted, basis: &str) -> Verdict {
        let Some(paper) = &body.paper else { return Ok(()) };
        ensure!(cx.actor() != body.organisation, "application.paper_own", basis);
        ensure!(!paper.reason.is_empty(), "reason.missing", basis);
        let scanned = body.attachments.iter().any(|file| file.sha256 == paper.scan_sha256);
        ensure!(scanned, "application.paper_scan", basis);
        self.require_signers(cx, Role::Officer, 2)
    }

    /// Days of a window that has ended; one that still runs proves nothing yet.
    fn days_until_now(&self, cx: &Context<'_>, window: Option<&Window>) -> i64 {
        window.filter(|w| w.until <= self.day(cx.record.time)).map_or(0, window_days)
    }

    fn check_self_evaluation(&self, body: &ApplicationSubmitted) -> Verdict {
        let limit = &self.rules().application.report_chars;
        let Some(criteria) = &self.criteria else { refuse!("call.no_criteria", &self.rules().criteria.basis) };
        let missing: Vec<&str> = criteria
            .items()
            .filter(|item| !body.self_evaluation.contains_key(&item.id))
            .map(|item| item.id.as_str())
            .collect();
        ensure!(missing.is_empty(), "application.items_missing", &limit.basis, items = missing.join(", "));
        for (item, text) in &body.self_evaluation {
            ensure!(criteria.item(item).is_some(), "item.unknown", &limit.basis, item = item);
            ensure!(text.chars > 0, "application.item_empty", &limit.basis, item = item);
            ensure!(
                criteria.is_step(text.percent),
                "score.step",
                &self.rules().criteria.basis,
                item = item,
                percent = text.percent,
                step = criteria.step
            );
        }
        let chars: u64 = body.self_evaluation.values().map(|text| u64::from(text.chars)).sum();
        ensure!(
            chars <= u64::from(limit.value),
            "application.report",
            &limit.basis,
            chars = chars,
            limit = limit.value
        );
        Ok(())
    }

    pub(super) fn apply_application(&mut self, record: &Record, body: ApplicationSubmitted) {
        self.field.insert(body.application.clone());
        let application = Application {
            by: record.actor.clone(),
            seq: record.seq,
            time: record.time,
            withdrawn: None,
            recommendations: Vec::new(),
            checks: BTreeMap::new(),
            review: None,
            removed: false,
            body,
        };
        self.applications.insert(application.body.application.clone(), Arc::new(application));
    }

    pub(super) fn admit_withdrawal(&self, cx: &Context<'_>, body: &ApplicationWithdrawn) -> Verdict {
        self.live(&body.application)?;
        let own = self.applications.get(&body.application).is_some_and(|a| a.body.organisation == cx.actor());
        // Nobody in the office ends somebody else's application alone.
        if !own {
            self.require_role(cx, Role::Officer)?;
            self.require_signers(cx, Role::Officer, 2)?;
        }
        ensure!(!body.reason.is_empty(), "reason.missing", "");
        let voted = self.motions.iter().any(|(_, motion)| {
            motion.state < super::state::MotionState::Announced && motion.body.options.contains(&body.application)
        });
        ensure!(!voted, "application.voting", "", application = &body.application);
        Ok(())
    }

    pub(super) fn apply_withdrawal(&mut self, body: ApplicationWithdrawn) {
        self.field.remove(&body.application);
        if let Some(application) = self.applications.get_mut(&body.application).map(Arc::make_mut) {
            application.withdrawn = Some(body.reason);
        }
    }

    /// How many applications a recommender supports `but` for one; what was withdrawn takes up no place of the quota.
    pub fn supported_by(&self, recommender: &str, but: &str) -> usize {
        let supports = |a: &Application| {
            a.withdrawn.is_none() && a.recommendations.iter().any(|r| r.body.support && r.recommender == recommender)
        };
        self.applications.iter().filter(|(id, a)| *id != but && supports(a)).count()
    }

    pub(super) fn admit_recommendation(&self, cx: &Context<'_>, body: &RecommendationGiven) -> Verdict {
        self.require_role(cx, Role::Recommender)?;
        let stage = self.current_stage(StageKind::Recommendation)?;
        let Some(rules) = &stage.recommendation else { refuse!("stage.kind", &stage.basis, stage = &stage.id) };
        self.live(&body.application)?;
        let supported = self.supported_by(cx.actor(), &body.application);
        let quota = rules.quota.value;
        let full = quota > 0 && body.support && supported >= usize::try_from(quota).unwrap_or(usize::MAX);
        ensure!(!full, "recommendation.quota", &rules.quota.basis, recommender = cx.actor(), quota = quota);
        let days = self.days_until_now(cx, body.notice.as_ref());
        let short = body.support && days < i64::from(rules.notice_days.value);
        ensure!(
            !short,
            "recommendation.notice",
            &rules.notice_days.basis,
            days = days,
            needed = rules.notice_days.value
        );
        if let Some(proof) = rules.proof.as_ref().filter(|proof| proof.value && body.support) {
            ensure!(!body.evidence.is_empty(), "recommendation.proof", &proof.basis, application = &body.application);
        }
        ensure!(!body.opinion.is_empty(), "recommendation.opinion", &stage.basis);
        Ok(())
    }

    pub(super) fn apply_recommendation(&mut self, record: &Record, body: RecommendationGiven) {
        if let Some(application) = self.applications.get_mut(&body.application).map(Arc::make_mut) {
            // The last word of a recommender counts, as long as opinions are given.
            application.recommendations.retain(|given| given.recommender != record.actor);
            let (recommender, seq, time) = (record.actor.clone(), record.seq, record.time);
            application.recommendations.push(Recommendation { recommender, body, seq, time });
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use heng_log::Hash;
    use heng_log::signature::PersonalKey;
    use heng_log::webauthn::SoftPasskey;
    use serde_json::{Value, json};

    use crate::edition::Edition;
    use crate::edition::testing::{act, close, edition, open};
    use crate::rules::{RecommendationRules, Sourced};

    #[test]
    fn a_browsers_key_is_seated_unless_the_rules_want_passkeys() {
        let mut e = edition();
        let plain = PersonalKey::from_seed([90; 32]).public();
        let passkey = SoftPasskey::from_seed("heng.example", [91; 32]).unwrap().public();
        for value in [None, Some(false)] {
            let basis = "§9".to_owned();
            e.opened.rules.passkeys_only = value.map(|value| Sourced { value, basis, assumed: false });
            assert_eq!(e.check_key(Some(&plain)), Ok(()), "{value:?}");
        }
        e.opened.rules.passkeys_only = Some(Sourced { value: true, basis: "§9".to_owned(), assumed: false });
        let refusal = e.check_key(Some(&plain)).unwrap_err();
        assert_eq!((refusal.code, refusal.basis.as_str()), ("key.passkeys_only", "§9"));
        assert_eq!(e.check_key(Some(&passkey)), Ok(()));
        assert_eq!(e.check_key(None), Ok(()), "whoever signs nothing needs no key");
        let seated = e.seats.get("p:1").unwrap().key.clone();
        assert_eq!(e.check_key(seated.as_ref()).unwrap_err().code, "key.shared");
    }

    #[test]
    fn nobody_in_the_office_ends_an_application_or_a_seat_alone() {
        let withdrawn = json!({ "application": "a:1", "reason": "letter of the firm" });
        let left = json!({ "person": "p:11", "reason": "moved away" });
        for (kind, body) in [("application.withdrawn", &withdrawn), ("person.unseated", &left)] {
            let by = |signers: &[&str]| act(&mut edition(), "p:1", kind, body.clone(), signers);
            assert_eq!(by(&[]), Err("signature.too_few"), "{kind}");
            assert_eq!(by(&["p:1"]), Err("signature.too_few"), "{kind}");
            assert_eq!(by(&["p:1", "p:3"]), Err("signature.too_few"), "{kind}: the supervisor is no officer");
            assert_eq!(by(&["p:1", "p:2"]), Ok(()), "{kind}");
        }
        // Its own application a firm withdraws by itself.
        let mut e = edition();
        let firm = e.applications["a:1"].body.organisation.clone();
        assert_eq!(act(&mut e, &firm, "application.withdrawn", withdrawn, &[]), Ok(()));
        assert!(!e.field.contains("a:1"));
    }

    fn rules(e: &mut Edition) -> &mut RecommendationRules {
        let stage = e.opened.rules.stages.iter_mut().find(|stage| stage.id == "recommendation").unwrap();
        stage.recommendation.as_mut().unwrap()
    }

    fn opinion(application: &str, support: bool) -> Value {
        json!({ "application": application, "opinion": "looked at", "support": support })
    }

    fn give(e: &mut Edition, recommender: &str, body: Value) -> Result<(), &'static str> {
        act(e, recommender, "recommendation.given", body, &[])
    }

    #[test]
    fn a_recommender_keeps_the_quota_and_the_last_opinion_counts() {
        let mut e = edition();
        open(&mut e, "recommendation");
        rules(&mut e).quota.value = 1;
        assert_eq!(give(&mut e, "p:1", opinion("a:1", true)), Err("role.missing"));
        give(&mut e, "p:20", opinion("a:1", true)).unwrap();
        assert_eq!(give(&mut e, "p:20", opinion("a:2", true)), Err("recommendation.quota"));
        give(&mut e, "p:20", opinion("a:2", false)).unwrap();
        give(&mut e, "p:21", opinion("a:2", true)).unwrap();
        // A correction frees the place, and is not counted beside what it corrects.
        give(&mut e, "p:20", opinion("a:1", true)).unwrap();
        give(&mut e, "p:20", opinion("a:1", false)).unwrap();
        give(&mut e, "p:20", opinion("a:2", true)).unwrap();
        let given = |application: &str| {
            let given = &e.applications[application].recommendations;
            given.iter().map(|r| (r.recommender.as_str(), r.body.support)).collect::<Vec<_>>()
        };
        assert_eq!(given("a:1"), [("p:20", false)]);
        assert_eq!(given("a:2"), [("p:21", true), ("p:20", true)]);
        // What was withdrawn takes up no place.
        assert_eq!(give(&mut e, "p:20", opinion("a:1", true)), Err("recommendation.quota"));
        std::sync::Arc::make_mut(e.applications.get_mut("a:2").unwrap()).withdrawn = Some("merged".to_owned());
        give(&mut e, "p:20", opinion("a:1", true)).unwrap();
        close(&mut e, "recommendation");
        assert_eq!(give(&mut e, "p:20", opinion("a:1", true)), Err("stage.none_open"));
    }

    #[test]
    fn support_shows_its_proof_where_the_rules_want_one() {
        let mut e = edition();
        open(&mut e, "recommendation");
        rules(&mut e).proof = Some(Sourced { value: true, basis: "§1".to_owned(), assumed: false });
        assert_eq!(give(&mut e, "p:20", opinion("a:1", true)), Err("recommendation.proof"));
        give(&mut e, "p:20", opinion("a:1", false)).unwrap();
        let mut proved = opinion("a:1", true);
        proved["evidence"] = json!([Hash([3; 32])]);
        give(&mut e, "p:20", proved).unwrap();
    }
}
