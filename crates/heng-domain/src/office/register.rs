//! The register: organisations, programmes and rules, editions, honours, bans, figures.

use jiff::civil::Date;

use super::events::{
    BanImposed, EditionRegistered, FigureStated, HonourRegistered, HonourRevoked, HonourState, OrganisationRegistered,
    ProgrammeEstablished, RulesAdopted,
};
use super::{Context, Office};
use crate::eligibility::Standing;
use crate::refusal::{Verdict, ensure, refuse};
use crate::uscc;

/// An honour of the register.
#[derive(Clone, Debug, PartialEq)]
pub struct Honour {
    /// As registered.
    pub body: HonourRegistered,
    /// Number of the record.
    pub seq: u64,
    /// Reason and document of a revocation.
    pub revoked: Option<HonourRevoked>,
}

impl Honour {
    /// State on `day`.
    pub fn state(&self, day: Date) -> HonourState {
        if self.revoked.is_some() {
            return HonourState::Revoked;
        }
        match self.body.valid_until {
            Some(until) if until < day => HonourState::Lapsed,
            _ => self.body.state,
        }
    }
}

impl Office {
    pub(super) fn admit_organisation(&self, cx: &Context<'_>, body: &OrganisationRegistered) -> Verdict {
        self.require_officers(cx, 1)?;
        ensure!(body.organisation.starts_with("o:"), "handle.form", "", handle = &body.organisation);
        let known = self.organisations.contains_key(&body.organisation);
        ensure!(!known, "organisation.twice", "", organisation = &body.organisation);
        ensure!(!body.name.zh.is_empty(), "organisation.name", "");
        match (&body.uscc, &body.source) {
            (Some(code), _) => {
                uscc::check(code).map_err(|error| error.refusal(code))?;
                let same = self.organisations.values().map(|(_, o)| o).find(|o| o.uscc.as_ref() == Some(code));
                if let Some(same) = same {
                    refuse!("organisation.same_code", "", code = code, other = &same.organisation);
                }
                Ok(())
            }
            (None, Some(source)) if !source.is_empty() => Ok(()),
            _ => refuse!("organisation.no_code", "GB 32100-2015", organisation = &body.organisation),
        }
    }

    pub(super) fn admit_programme(&self, cx: &Context<'_>, body: &ProgrammeEstablished) -> Verdict {
        self.require_officers(cx, 1)?;
        ensure!(crate::rules::is_name(&body.programme), "handle.form", "", handle = &body.programme);
        ensure!(!self.programmes.contains_key(&body.programme), "programme.twice", "", programme = &body.programme);
        Ok(())
    }

    pub(super) fn admit_rules(&self, cx: &Context<'_>, body: &RulesAdopted) -> Verdict {
        self.require_officers(cx, 2)?;
        ensure!(self.programmes.contains_key(&body.programme), "programme.unknown", "", programme = &body.programme);
        if let Some(problem) = body.rules.problems().first() {
            refuse!("rules.unsound", &body.rules.document.number, problem = problem);
        }
        let same = self
            .rules
            .get(&body.programme)
            .is_some_and(|versions| versions.iter().any(|(_, r)| r.rules.version == body.rules.version));
        ensure!(!same, "rules.version", &body.rules.document.number, version = &body.rules.version);
        Ok(())
    }

    pub(super) fn admit_edition(&self, cx: &Context<'_>, body: &EditionRegistered) -> Verdict {
        self.require_officers(cx, 2)?;
        ensure!(!self.editions.contains_key(&body.log), "edition.twice", "", log = &body.log);
        let current = self.rules.get(&body.programme).and_then(|versions| versions.last());
        let Some((_, adopted)) = current else { refuse!("programme.no_rules", "", programme = &body.programme) };
        let hash = Office::rules_hash(&adopted.rules)?;
        ensure!(
            hash == body.rules_sha256,
            "edition.rules",
            &adopted.rules.document.number,
            version = &adopted.rules.version
        );
        Ok(())
    }

    pub(super) fn admit_honour(&self, cx: &Context<'_>, body: &HonourRegistered) -> Verdict {
        self.require_officers(cx, 1)?;
        ensure!(!self.honours.contains_key(&body.honour), "honour.twice_registered", "", honour = &body.honour);
        let organisation = self.organisations.contains_key(&body.organisation);
        ensure!(organisation, "organisation.unknown", "", organisation = &body.organisation);
        ensure!(self.programmes.contains_key(&body.programme), "programme.unknown", "", programme = &body.programme);
        match (&body.cite, &body.source) {
            (Some(cite), None) => {
                let known = self.editions.contains_key(&cite.log);
                ensure!(known, "cite.unknown_log", "", log = &cite.log);
                let done = self.carried.contains_key(&(cite.log.clone(), cite.seq));
                ensure!(!done, "cite.carried", "", log = &cite.log, record = cite.seq);
                ensure!(!body.certificate.is_empty(), "honour.certificate", "", certificate = "");
                let same = self.honours.values().any(|h| h.body.certificate == body.certificate);
                ensure!(!same, "honour.certificate", "", certificate = &body.certificate);
            }
            (None, Some(source)) if !source.is_empty() => {}
            _ => refuse!("honour.no_source", "", honour = &body.honour),
        }
        Ok(())
    }

    pub(super) fn apply_honour(&mut self, seq: u64, body: HonourRegistered) {
        if let Some(cite) = &body.cite {
            self.carried.insert((cite.log.clone(), cite.seq), seq);
        }
        self.honours.insert(body.honour.clone(), Honour { body, seq, revoked: None });
    }

    pub(super) fn admit_honour_revoked(&self, cx: &Context<'_>, body: &HonourRevoked) -> Verdict {
        self.require_officers(cx, 2)?;
        let held = self.honours.get(&body.honour).is_some_and(|h| h.revoked.is_none());
        ensure!(held, "honour.not_held", "", honour = &body.honour);
        ensure!(!body.reason.is_empty() && !body.decision.is_empty(), "reason.missing", "");
        Ok(())
    }

    pub(super) fn apply_honour_revoked(&mut self, body: &HonourRevoked) {
        if let Some(honour) = self.honours.get_mut(&body.honour) {
            honour.revoked = Some(body.clone());
        }
    }

    pub(super) fn admit_ban(&self, cx: &Context<'_>, body: &BanImposed) -> Verdict {
        self.require_officers(cx, 2)?;
        let organisation = self.organisations.contains_key(&body.organisation);
        ensure!(organisation, "organisation.unknown", "", organisation = &body.organisation);
        ensure!(body.from <= body.until, "term.turned", "", from = body.from, until = body.until);
        ensure!(!body.ground.is_empty(), "reason.missing", "");
        Ok(())
    }

    pub(super) fn admit_figure(&self, cx: &Context<'_>, body: &FigureStated) -> Verdict {
        self.require_officers(cx, 1)?;
        ensure!(!body.source.is_empty(), "figure.no_source", "", figure = &body.figure);
        ensure!(!body.value.is_empty(), "figure.no_value", "", figure = &body.figure);
        Ok(())
    }

    /// What the register says about an organisation that applies for `programme`.
    pub fn standing(&self, organisation: &str, programme: &str) -> Standing {
        let bans = self.bans.iter().filter(|b| b.organisation == organisation && b.programme == programme);
        let honours = self
            .honours
            .values()
            .filter(|h| h.body.organisation == organisation && h.body.programme == programme && h.revoked.is_none());
        Standing {
            banned_until: bans.map(|b| b.until).collect(),
            // Where a source gives only the year, the award's look-back starts at the end of that year.
            honours: honours.filter_map(|h| h.body.conferred.or_else(|| end_of(h.body.year))).collect(),
        }
    }
}

fn end_of(year: u32) -> Option<Date> {
    Date::new(i16::try_from(year).ok()?, 12, 31).ok()
}
