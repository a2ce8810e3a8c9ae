//! The end: opened scores, the government's decision, honours, erasure, the closed edition.

use std::collections::BTreeSet;

use super::HiddenFields;
use super::admit::Context;
use super::events::{DecisionMade, HonourConferred, PrivacyErased, Role, ScoresOpened};
use super::state::Edition;
use crate::messages::yuan;
use crate::refusal::{Verdict, ensure, refuse};
use crate::rules::{ScoreDisclosure, StageKind};
use crate::time::Instant;

impl Edition {
    /// When the first notice that names winners was published.
    pub fn winners_published(&self) -> Option<Instant> {
        let first = self.notices.iter().find(|(_, notice)| notice.names_winners);
        first.map(|(_, notice)| notice.time)
    }

    /// Records whose marks the disclosure rule opens: every sheet, agreed sheet and computed score.
    pub fn disclosable(&self) -> Vec<u64> {
        if self.rules().disclosure.scores.value == ScoreDisclosure::Sealed {
            return Vec::new();
        }
        let mut out: Vec<u64> = self
            .sheets
            .values()
            .flat_map(|s| {
                let submitted = s.submitted.values().flat_map(|by| by.values());
                submitted.chain(s.agreed.values()).copied().chain(s.computed.as_ref().map(|(seq, _)| *seq))
            })
            .collect();
        out.sort_unstable();
        out
    }

    /// Paths of a record that the disclosure rule opens: marks and scores, not remarks, evidence or names.
    pub fn disclosed_paths(&self, seq: u64) -> impl Iterator<Item = &String> {
        self.hidden
            .get(&seq)
            .into_iter()
            .flat_map(HiddenFields::paths)
            .filter(|path| path.starts_with("/items/") || path.starts_with("/scores/") || *path == "/mark")
    }

    pub(super) fn admit_opened_scores(&self, cx: &Context<'_>, body: &ScoresOpened) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        self.require_signature(cx, cx.actor())?;
        let rule = &self.rules().disclosure.scores;
        ensure!(rule.value == ScoreDisclosure::Anonymous, "opening.sealed", &rule.basis);
        ensure!(self.winners_published().is_some(), "opening.early", &rule.basis);
        ensure!(self.opened_scores.is_empty(), "opening.twice", &rule.basis);
        let due = self.disclosable();
        ensure!(due == body.records, "opening.records", &rule.basis, found = body.records.len(), expected = due.len());
        let fields: usize = due.iter().map(|seq| self.disclosed_paths(*seq).count()).sum();
        ensure!(
            u64::try_from(fields).is_ok_and(|n| n == body.fields),
            "opening.fields",
            &rule.basis,
            expected = fields
        );
        Ok(())
    }

    pub(super) fn admit_decision(&self, cx: &Context<'_>, body: &DecisionMade) -> Verdict {
        self.require_role(cx, Role::Authority)?;
        self.require_signature(cx, cx.actor())?;
        let stage = self.current_stage(StageKind::Approval)?;
        ensure!(self.decision.is_none(), "decision.twice", &stage.basis);
        ensure!(self.winners().is_some(), "decision.no_selection", &stage.basis);
        ensure!(!body.number.is_empty(), "decision.number", &stage.basis);
        let open = self.open_objections();
        ensure!(open.is_empty(), "decision.open_objections", &stage.basis, objections = open.join(", "));
        // The government may approve, send back or cut, but it cannot add anybody.
        let selected: BTreeSet<(&str, &str)> = self.standing_winners().into_iter().collect();
        let approved: BTreeSet<(&str, &str)> =
            body.approved.iter().map(|a| (a.application.as_str(), a.tier.as_str())).collect();
        ensure!(approved.len() == body.approved.len(), "decision.twice_named", &stage.basis);
        if let Some((application, _)) = approved.difference(&selected).next() {
            refuse!("decision.not_selected", &stage.basis, application = application);
        }
        let sent_back = body.returned.iter().map(|r| r.application.as_str());
        for application in sent_back.clone() {
            let chosen = selected.iter().any(|(a, _)| *a == application);
            ensure!(chosen, "decision.not_selected", &stage.basis, application = application);
            let both = approved.iter().any(|(a, _)| *a == application);
            ensure!(!both, "decision.twice_named", &stage.basis);
        }
        let returned: BTreeSet<&str> = sent_back.collect();
        let silent = selected
            .iter()
            .find(|(application, tier)| !approved.contains(&(*application, *tier)) && !returned.contains(application));
        if let Some((application, _)) = silent {
            refuse!("decision.silent", &stage.basis, application = application);
        }
        let reasons = body.returned.iter().all(|r| !r.reason.is_empty());
        ensure!(reasons, "reason.missing", &stage.basis);
        Ok(())
    }

    pub(super) fn admit_honour(&self, cx: &Context<'_>, body: &HonourConferred) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        self.require_signature(cx, cx.actor())?;
        let stage = self.current_stage(StageKind::Conferral)?;
        let Some((decision, _)) = &self.decision else { refuse!("honour.no_decision", &stage.basis) };
        let approved = decision.approved.iter().any(|a| a.application == body.application && a.tier == body.tier);
        ensure!(approved, "honour.not_approved", &stage.basis, application = &body.application);
        let standing = self.field.contains(&body.application);
        ensure!(standing, "application.out", &stage.basis, application = &body.application);
        let given = self.honours.iter().any(|(h, _, _)| h.application == body.application);
        ensure!(!given, "honour.twice", &stage.basis, application = &body.application);
        let same = self.honours.iter().any(|(h, _, _)| h.certificate == body.certificate);
        ensure!(
            !same && !body.certificate.is_empty(),
            "honour.certificate",
            &stage.basis,
            certificate = &body.certificate
        );
        let prize = self.prize_of(&body.application, &body.tier)?;
        let basis = self.rules().tier(&body.tier).map_or("", |t| t.prize_fen.basis.as_str());
        ensure!(
            prize == body.prize_fen,
            "honour.prize",
            basis,
            computed = yuan(prize.into()),
            stated = yuan(body.prize_fen.into())
        );
        Ok(())
    }

    pub(super) fn admit_erasure(&self, cx: &Context<'_>, body: &PrivacyErased) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        self.require_signers(cx, Role::Officer, 2)?;
        ensure!(!body.ground.is_empty(), "reason.missing", "");
        ensure!(self.is_erasable(body.seq), "erasure.forbidden", &*body.ground, record = body.seq);
        let done = self.erased.contains_key(&body.seq);
        ensure!(!done, "erasure.twice", &*body.ground, record = body.seq);
        Ok(())
    }

    pub(super) fn apply_erasure(&mut self, body: PrivacyErased) {
        if let Some(fields) = self.hidden.get_mut(&body.seq) {
            fields.forget();
        }
        self.erased.insert(body.seq, body.ground);
    }

    pub(super) fn admit_end(&self, cx: &Context<'_>) -> Verdict {
        self.require_role(cx, Role::Officer)?;
        self.require_signature(cx, cx.actor())?;
        let open: Vec<&str> =
            self.rules().stages.iter().filter(|s| !self.is_closed(&s.id)).map(|s| s.id.as_str()).collect();
        ensure!(open.is_empty(), "edition.open_stages", "", stages = open.join(", "));
        Ok(())
    }
}
