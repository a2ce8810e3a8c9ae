//! One gate for every output: what the public, and who inside, may see of an edition now (design.md, law 11).
//!
//! Pages, search, exports, streams and error messages all ask [`Edition::public_may_see`]; there is no second rule. Rooms
//! behind a sign-in ask [`Edition::may_read`] for a dossier, [`Edition::may_read_part`] for a part of it that may be
//! marked as secret, and [`Edition::may_see_sheet`] for a scorebook.

use super::Edition;
use super::events::Role;
use super::secret::Part;
use super::state::{MotionState, Panel};
use crate::rules::{StageKind, VoteDisclosure};

/// Something that an output would show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing<'a> {
    /// The number of applications, never who they are.
    ApplicantCount,
    /// The name of the organisation behind an application.
    Name(&'a str),
    /// Who has voted on a motion, not how.
    WhoVoted(&'a str),
    /// The counted result of a motion.
    Count(&'a str),
    /// Each member's vote on a motion.
    Votes(&'a str),
    /// Scores and the sheets behind them.
    Scores,
    /// The winners.
    Result,
    /// The log's records, tiles and bundle.
    Records,
}

impl Edition {
    /// Whether the public may see `thing` at this stage.
    pub fn public_may_see(&self, thing: Thing<'_>) -> bool {
        let published = self.winners_published().is_some();
        let named = self.rules().disclosure.votes.value == VoteDisclosure::Named;
        match thing {
            Thing::ApplicantCount => true,
            // A name becomes public with the motion that is opened on it, or with a notice that names it.
            Thing::Name(application) => {
                let voted = self.motions.iter().any(|(_, m)| m.body.options.iter().any(|o| o == application));
                voted || self.notices.iter().any(|(_, n)| n.body.names.iter().any(|name| name == application))
            }
            Thing::WhoVoted(motion) => named && self.motion(motion).is_some(),
            Thing::Count(motion) => self.motion(motion).is_some_and(|m| m.state == MotionState::Announced),
            // Sealed until the close; then the read-back shows all at once (law 6).
            Thing::Votes(motion) => {
                named
                    && self.motion(motion).is_some_and(|m| {
                        matches!(m.state, MotionState::Closed | MotionState::Frozen | MotionState::Announced)
                    })
            }
            Thing::Scores => published && !self.opened_scores.is_empty(),
            Thing::Result | Thing::Records => published,
        }
    }

    /// Whether `reader` may see who has voted on a motion, and who has not: whoever leads or watches the session, also where
    /// the public learns totals alone. How somebody voted, nobody sees before the close.
    pub fn may_see_who_voted(&self, reader: &str, motion: &str) -> bool {
        self.public_may_see(Thing::WhoVoted(motion)) || self.oversees(reader) || self.has_role(reader, Role::Chair)
    }

    /// Whether `reader` (a person, an expert's pseudonym or an organisation) may open the dossier of an application.
    pub fn may_read(&self, reader: &str, application: &str) -> bool {
        let Some(found) = self.applications.get(application) else { return false };
        self.oversees(reader)
            || found.body.organisation == reader
            || self.recommends(reader, application)
            || self.panels.values().any(|panel| self.sits_on(panel, reader, application))
            || self.judges_in_committee(reader, application)
            || (self.has_role(reader, Role::Authority) && self.has_begun(StageKind::Approval))
    }

    /// Whether `reader` may see a part of a dossier. What the applicant marked as a business secret is for the office and the
    /// panel alone (award-rules.md R11); neither the recommenders nor the committee nor the supervisor need it.
    pub fn may_read_part(&self, reader: &str, application: &str, part: Part<'_>) -> bool {
        let marked = self.applications.get(application).is_some_and(|a| a.body.is_secret(part));
        self.may_read(reader, application) && (!marked || self.reads_secrets(reader, application))
    }

    /// Who reads what is marked: officers, the panel, and the applicant itself.
    pub fn reads_secrets(&self, reader: &str, application: &str) -> bool {
        self.has_role(reader, Role::Officer)
            || self.applications.get(application).is_some_and(|a| a.body.organisation == reader)
            || self.panels.values().any(|panel| self.sits_on(panel, reader, application))
    }

    /// Whether `reader` may read the questions and findings of a site visit: the panel alone. That they exist, everybody sees
    /// who may read the dossier; the plan too.
    pub fn may_see_findings(&self, reader: &str, stage: &str, application: &str) -> bool {
        self.panel_of(stage, application).is_some_and(|(_, panel)| self.sits_on(panel, reader, application))
    }

    /// Whether `reader` may read the conclusion of a visit: the panel, and the office once it is reported, unless the
    /// officer votes.
    pub fn may_see_report(&self, reader: &str, stage: &str, application: &str) -> bool {
        let reported = self.visit(stage, application).is_some_and(|visit| visit.report.is_some());
        let office = self.has_role(reader, Role::Officer) && !self.has_role(reader, Role::Member);
        self.may_see_findings(reader, stage, application) || (office && reported)
    }

    /// Whether `reader` may see what departments have answered on an application: the office and the supervisor, and the
    /// applicant once the pre-review is decided.
    pub fn may_see_opinions(&self, reader: &str, application: &str) -> bool {
        let own = self.applications.get(application).filter(|found| found.body.organisation == reader);
        self.oversees(reader) || own.is_some_and(|found| found.review.is_some())
    }

    /// Whether `reader` may see the sheet of `expert` for an application in a scored stage.
    ///
    /// Experts see nothing of each other before their own work is in (law 6); the office sees nothing while any sheet is
    /// still to come, so that it cannot tell anybody. Applicants and the committee never see single sheets here.
    pub fn may_see_sheet(&self, reader: &str, stage: &str, application: &str, expert: &str) -> bool {
        if reader == expert {
            return self.seats.contains_key(reader);
        }
        let submitted = self.sheets.get(stage).and_then(|s| s.submitted.get(application));
        if !submitted.is_some_and(|by| by.contains_key(expert)) || self.has_role(reader, Role::Member) {
            return false;
        }
        let complete = self.missing_sheets(stage, application).is_empty();
        if self.oversees(reader) {
            return complete;
        }
        let colleague =
            self.panel_of(stage, application).is_some_and(|(_, panel)| self.sits_on(panel, reader, application));
        // Who took the place of somebody whose sheet counts has none to submit, and waits for the others.
        let own = submitted.is_some_and(|by| by.contains_key(reader)) || complete;
        // A sheet that a conflict has made worthless influences nobody.
        colleague && own && self.counting_sheets(stage, application).contains_key(expert)
    }

    /// Whether `reader` may see who objects and on what grounds: the office that decides and the supervisor, unless they are
    /// recused from the applicant.
    pub fn may_see_objection(&self, reader: &str, objection: &str) -> bool {
        let found = self.objection(objection);
        self.oversees(reader) && found.is_some_and(|found| !self.is_recused(reader, &found.body.application))
    }

    /// Officers and the supervisor work on every case.
    pub fn oversees(&self, reader: &str) -> bool {
        self.has_role(reader, Role::Officer) || self.has_role(reader, Role::Supervisor)
    }

    /// Every recommender is asked while the stage is open; afterwards the case stays with those who gave an opinion.
    fn recommends(&self, reader: &str, application: &str) -> bool {
        let asked = self.field.contains(application)
            && self.open_stages().iter().any(|stage| stage.kind == StageKind::Recommendation);
        let given = self
            .applications
            .get(application)
            .is_some_and(|a| a.recommendations.iter().any(|recommendation| recommendation.recommender == reader));
        self.has_role(reader, Role::Recommender) && (asked || given)
    }

    /// An expert of the panel that has the application, without a conflict, and pledged where the rules ask for it.
    fn sits_on(&self, panel: &Panel, reader: &str, application: &str) -> bool {
        panel.applications.contains(application)
            && panel.members.contains(reader)
            && self.is_expert(reader)
            && self.may_judge(&panel.stage, reader, application)
    }

    /// A member of the committee, once a stage has begun that found the application in the field.
    fn judges_in_committee(&self, reader: &str, application: &str) -> bool {
        let stages = self.rules().stages.iter().filter(|stage| stage.kind == StageKind::Committee);
        self.has_role(reader, Role::Member)
            && stages
                .filter(|stage| self.field_at.get(&stage.id).is_some_and(|field| field.contains(application)))
                .any(|stage| self.may_judge(&stage.id, reader, application))
    }

    /// Judges read from their pledge to the end of the edition, and never what they are recused from (award-rules.md R22, R25).
    fn may_judge(&self, stage: &str, reader: &str, application: &str) -> bool {
        !self.closed && !self.is_recused(reader, application) && !self.lacks_pledge(stage, reader, application)
    }

    fn has_begun(&self, kind: StageKind) -> bool {
        let mut stages = self.rules().stages.iter().filter(|stage| stage.kind == kind);
        stages.any(|stage| self.stages.get(&stage.id).is_some_and(|state| state.opened.is_some()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::edition::state::{Recommendation, Succession};
    use crate::edition::testing::{close, edition, open, pledge_all, submit};

    /// A state by name, what leads to it, and who reads then besides the office and the applicant.
    type State = (&'static str, fn(&mut Edition), &'static [&'static str]);

    /// Everybody who could ask, and somebody who is nobody.
    const READERS: [&str; 18] = [
        "p:1", "p:3", "p:10", "p:11", "p:20", "p:21", "p:30", "p:40", "o:1", "o:2", "x:01", "x:02", "x:05", "x:06",
        "x:08", "p:99", "x:99", "",
    ];

    fn readers(e: &Edition, application: &str) -> Vec<&'static str> {
        READERS.into_iter().filter(|reader| e.may_read(reader, application)).collect()
    }

    fn seers(e: &Edition, expert: &str) -> Vec<&'static str> {
        READERS.into_iter().filter(|reader| e.may_see_sheet(reader, "documents", "a:1", expert)).collect()
    }

    fn recuse(e: &mut Edition, person: &str) {
        e.recusals.insert((person.to_owned(), "a:1".to_owned()), "employer".to_owned());
    }

    #[test]
    fn who_opens_a_dossier_by_role_and_state() {
        const PANEL: &[&str] = &["x:01", "x:02", "x:05"];
        let office = ["p:1", "p:3", "o:1"];
        let table: [State; 10] = [
            ("before any pledge", |_| {}, &[]),
            ("experts have pledged", pledge_all, PANEL),
            ("an expert is recused", |e| (pledge_all(e), recuse(e, "x:02")).0, &["x:01", "x:05"]),
            ("an expert has left", |e| (pledge_all(e), leave(e, "x:02")).0, &["x:01", "x:05"]),
            ("an expert was replaced", |e| (pledge_all(e), replace(e)).0, &["x:01", "x:05", "x:06"]),
            ("recommenders are asked", |e| open(e, "recommendation"), &["p:20", "p:21"]),
            ("one of them has answered", |e| recommended(e), &["p:20"]),
            (
                "the committee sits",
                |e| (open(e, "committee"), pledge_all(e)).0,
                &["p:10", "p:11", "x:01", "x:02", "x:05"],
            ),
            ("the government decides", |e| open(e, "approval"), &["p:30"]),
            ("the edition has ended", |e| (open(e, "committee"), pledge_all(e), e.closed = true).0, &[]),
        ];
        for (state, change, more) in table {
            let mut e = edition();
            change(&mut e);
            let expected: Vec<&str> =
                READERS.into_iter().filter(|reader| office.contains(reader) || more.contains(reader)).collect();
            assert_eq!(readers(&e, "a:1"), expected, "{state}");
            assert!(readers(&e, "a:9").is_empty(), "{state}: there is no such application");
        }
    }

    fn leave(e: &mut Edition, person: &str) {
        e.seats.get_mut(person).unwrap().active = false;
    }

    fn replace(e: &mut Edition) {
        let panel = e.panels.get_mut("g:1").unwrap();
        panel.members.remove("x:02");
        panel.members.insert("x:06".to_owned());
        panel.replaced.push(Succession { out: "x:02".into(), by: "x:06".into(), reason: "ill".into() });
    }

    fn recommended(e: &mut Edition) {
        open(e, "recommendation");
        let body = serde_json::json!({ "application": "a:1", "opinion": "good", "support": true });
        let body = serde_json::from_value(body).unwrap();
        let given = Recommendation { recommender: "p:20".to_owned(), body, seq: 9, time: e.last };
        let application = std::sync::Arc::make_mut(e.applications.get_mut("a:1").unwrap());
        application.recommendations.push(given);
        close(e, "recommendation");
    }

    #[test]
    fn the_committee_reads_what_its_stage_found_in_the_field() {
        let mut e = edition();
        pledge_all(&mut e);
        let committee = |e: &Edition, a: &str| -> Vec<&str> {
            ["p:10", "p:11"].into_iter().filter(|reader| e.may_read(reader, a)).collect()
        };
        e.field.remove("a:2");
        assert!(committee(&e, "a:1").is_empty(), "not before its stage");
        open(&mut e, "committee");
        assert_eq!(committee(&e, "a:1"), ["p:10", "p:11"]);
        assert!(committee(&e, "a:2").is_empty(), "it was out before");
        e.pledges.remove("p:11");
        assert_eq!(committee(&e, "a:1"), ["p:10"]);
        pledge_all(&mut e);
        recuse(&mut e, "p:10");
        assert_eq!(committee(&e, "a:1"), ["p:11"]);
        e.field.clear();
        close(&mut e, "committee");
        assert_eq!(committee(&e, "a:1"), ["p:11"], "what it has voted on stays with it");
    }

    #[test]
    fn without_the_rule_experts_read_without_a_pledge() {
        let mut e = edition();
        e.opened.rules.stages.iter_mut().find_map(|s| s.experts.as_mut()).unwrap().pledge = None;
        assert!(e.may_read("x:01", "a:1"));
    }

    #[test]
    fn who_sees_a_sheet_by_role_and_state() {
        let mut e = edition();
        pledge_all(&mut e);
        open(&mut e, "committee");
        open(&mut e, "approval");
        assert_eq!(seers(&e, "x:01"), ["x:01"], "the own sheet, also while it is being written");
        submit(&mut e, "documents", "a:1", "x:01", 60);
        assert_eq!(seers(&e, "x:01"), ["x:01"], "nobody else has submitted");
        submit(&mut e, "documents", "a:1", "x:02", 60);
        assert_eq!(seers(&e, "x:01"), ["x:01", "x:02"]);
        assert_eq!(seers(&e, "x:05"), ["x:05"], "what is not submitted nobody else sees");
        for expert in ["x:03", "x:04", "x:05"] {
            submit(&mut e, "documents", "a:1", expert, 60);
        }
        assert_eq!(seers(&e, "x:01"), ["p:1", "p:3", "x:01", "x:02", "x:05"], "all are in");
        // A conflict comes up: the expert sees only the own sheet, and it influences no colleague.
        recuse(&mut e, "x:02");
        assert_eq!(seers(&e, "x:01"), ["p:1", "p:3", "x:01", "x:05"]);
        assert_eq!(seers(&e, "x:02"), ["p:1", "p:3", "x:02"]);
        // The reserve owes a sheet instead: until it is in, the office sees nothing, nor does the reserve.
        replace(&mut e);
        assert_eq!(seers(&e, "x:01"), ["x:01", "x:05"]);
        submit(&mut e, "documents", "a:1", "x:06", 60);
        assert_eq!(seers(&e, "x:01"), ["p:1", "p:3", "x:01", "x:05", "x:06"]);
        assert!(!e.may_see_sheet("x:05", "site", "a:1", "x:01"), "a sheet of another stage");
    }

    #[test]
    fn who_took_over_a_judged_case_waits_for_all_sheets() {
        let mut e = edition();
        pledge_all(&mut e);
        for expert in ["x:01", "x:02", "x:03", "x:04"] {
            submit(&mut e, "documents", "a:1", expert, 60);
        }
        replace(&mut e);
        assert!(!e.may_see_sheet("x:06", "documents", "a:1", "x:02"), "x:05 still judges");
        submit(&mut e, "documents", "a:1", "x:05", 60);
        assert!(e.may_see_sheet("x:06", "documents", "a:1", "x:02"));
        assert!(e.may_see_sheet("x:02", "documents", "a:1", "x:02"), "the own sheet stays one's own");
        assert!(!e.may_see_sheet("x:02", "documents", "a:1", "x:01"), "the panel's work does not");
    }

    #[test]
    fn an_officer_who_votes_sees_no_sheets() {
        let mut e = edition();
        submit(&mut e, "documents", "a:1", "x:01", 60);
        e.sheets.get_mut("documents").unwrap().computed = Some((0, vec!["a:1".to_owned()]));
        assert!(e.may_see_sheet("p:1", "documents", "a:1", "x:01"));
        e.seats.get_mut("p:1").unwrap().roles.insert(Role::Member);
        assert!(!e.may_see_sheet("p:1", "documents", "a:1", "x:01"));
    }
}
