//! What must hold between the values of a rules file.

use std::collections::BTreeSet;

use super::{
    Aggregate, BallotKind, ChoiceKind, CommitteeRules, ConditionKind, PassRule, Purpose, Rewin, Rules, ScoringMethod,
    Stage, StageKind, VoteDisclosure,
};
use crate::messages::message;
use crate::text::Lang;

/// One thing that is wrong in a file: the key and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// Dotted key, e.g. `stages[3].notice.days`.
    pub key: String,
    /// What is wrong: the key of its sentence in the section `rules_problem` of the messages.
    pub code: &'static str,
    /// What the sentence names.
    pub places: Vec<(&'static str, String)>,
}

impl Problem {
    /// A problem at `key`.
    pub fn new(
        key: impl Into<String>,
        code: &'static str,
        places: &[(&'static str, &dyn std::fmt::Display)],
    ) -> Problem {
        let places = places.iter().map(|(name, value)| (*name, value.to_string())).collect();
        Problem { key: key.into(), code, places }
    }

    /// What is wrong and what is allowed.
    pub fn sentence(&self, lang: Lang) -> String {
        message(lang, "rules_problem", self.code, self.places.iter().map(|(name, value)| (*name, value.as_str())))
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.key, self.sentence(Lang::En))
    }
}

/// True for names that may stand in records and addresses: `[a-z0-9][a-z0-9._-]*`, at most 64 bytes.
pub(crate) fn is_name(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= 64
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'))
        && id.starts_with(|c: char| c.is_ascii_alphanumeric())
}

struct Report(Vec<Problem>);

impl Report {
    fn require(
        &mut self,
        ok: bool,
        key: impl Into<String>,
        code: &'static str,
        places: &[(&'static str, &dyn std::fmt::Display)],
    ) {
        if !ok {
            self.0.push(Problem::new(key, code, places));
        }
    }

    fn names<'a>(&mut self, list: &str, ids: impl Iterator<Item = &'a str>) {
        let mut seen = BTreeSet::new();
        for (i, id) in ids.enumerate() {
            let key = format!("{list}[{i}].id");
            self.require(is_name(id), key.clone(), "short_name", &[("id", &id)]);
            self.require(seen.insert(id.to_owned()), key, "twice", &[("id", &id)]);
        }
    }

    fn fraction(&mut self, key: &str, rule: &PassRule) {
        self.require(rule.den >= 1, format!("{key}.den"), "least_one", &[]);
        self.require(rule.num <= rule.den, format!("{key}.num"), "fraction", &[]);
        self.require(!rule.basis.is_empty(), format!("{key}.basis"), "basis", &[]);
    }
}

impl Rules {
    /// Everything that is wrong with the rules; empty if they are sound.
    pub fn problems(&self) -> Vec<Problem> {
        let mut out = Report(Vec::new());
        out.require(self.format == 1, "format", "format", &[("found", &self.format)]);
        out.require(is_name(&self.id), "id", "short", &[]);
        out.require(
            (-720..=840).contains(&self.utc_offset_minutes),
            "utc_offset_minutes",
            "between",
            &[("least", &-720), ("most", &840)],
        );
        out.require(self.cycle_years.value >= 1, "cycle_years.value", "least_one", &[]);
        out.require(!self.tiers.is_empty(), "tiers", "no_tier", &[]);
        out.names("tiers", self.tiers.iter().map(|tier| tier.id.as_str()));
        out.require(!self.classes.is_empty(), "classes", "no_class", &[]);
        out.names("classes", self.classes.iter().map(|class| class.id.as_str()));
        out.names("conditions", self.conditions.iter().map(|condition| condition.id.as_str()));
        out.names("recusal", self.recusal.iter().map(|ground| ground.id.as_str()));
        out.names("stages", self.stages.iter().map(|stage| stage.id.as_str()));
        self.check_tiers(&mut out);
        self.check_conditions(&mut out);
        self.check_opinions(&mut out);
        for (index, stage) in self.stages.iter().enumerate() {
            self.check_stage(&mut out, index, stage);
        }
        self.check_graph(&mut out);
        out.0
    }

    fn check_tiers(&self, out: &mut Report) {
        for (i, tier) in self.tiers.iter().enumerate() {
            if let Some(class) = &tier.class {
                out.require(
                    self.classes.iter().any(|c| c.id == *class),
                    format!("tiers[{i}].class"),
                    "class",
                    &[("class", class)],
                );
            }
            out.require(tier.quota.value >= 1, format!("tiers[{i}].quota.value"), "seat", &[]);
            if let Some(floor) = &tier.floor_permille {
                out.require(floor.value <= 1000, format!("tiers[{i}].floor_permille.value"), "permille", &[]);
            }
            out.require(tier.prize_fen.value < 1 << 53, format!("tiers[{i}].prize_fen.value"), "fen", &[]);
        }
        if let (Some(reserved), Some(first)) = (&self.reserved, self.tiers.first()) {
            out.require(
                reserved.seats.value <= first.quota.value,
                "reserved.seats.value",
                "reserved",
                &[("quota", &first.quota.value)],
            );
        }
    }

    fn check_conditions(&self, out: &mut Report) {
        for (i, condition) in self.conditions.iter().enumerate() {
            let key = format!("conditions[{i}]");
            let (needs, present) = match condition.kind {
                ConditionKind::Share | ConditionKind::Count => ("at_least", condition.at_least.is_some()),
                ConditionKind::Years | ConditionKind::CoolDown => ("years", condition.years.is_some()),
                ConditionKind::Clear => ("months", condition.months.is_some()),
                ConditionKind::Confirmed | ConditionKind::NoBan => ("", true),
            };
            out.require(present, format!("{key}.{needs}"), "condition_needs", &[]);
            out.require(!condition.basis.is_empty(), format!("{key}.basis"), "basis", &[]);
            let share_fits = condition.kind != ConditionKind::Share || condition.at_least.unwrap_or(0) <= 100;
            out.require(share_fits, format!("{key}.at_least"), "percent", &[]);
        }
    }

    fn check_opinions(&self, out: &mut Report) {
        let Some(opinions) = &self.opinions else { return };
        out.require(opinions.days.value >= 1, "opinions.days.value", "least_one", &[]);
        out.require(!opinions.departments.is_empty(), "opinions.departments", "no_department", &[]);
        // A refusal names conditions and departments in one list: the same name would be both.
        let conditions = self.conditions.iter().map(|condition| condition.id.as_str());
        let departments = opinions.departments.iter().map(|department| department.id.as_str());
        out.names("opinions.departments", departments.clone());
        for (i, id) in departments.enumerate() {
            let key = format!("opinions.departments[{i}]");
            let same = conditions.clone().any(|condition| condition == id);
            out.require(!same, format!("{key}.id"), "department_condition", &[("id", &id)]);
        }
        for (i, department) in opinions.departments.iter().enumerate() {
            let key = format!("opinions.departments[{i}].basis");
            out.require(!department.basis.is_empty(), key, "basis", &[]);
        }
    }

    fn check_stage(&self, out: &mut Report, index: usize, stage: &Stage) {
        let key = format!("stages[{index}]");
        out.require(!stage.basis.is_empty(), format!("{key}.basis"), "basis", &[]);
        let parts = [
            ("recommendation", StageKind::Recommendation, stage.recommendation.is_some()),
            ("experts", StageKind::Experts, stage.experts.is_some()),
            ("scoring", StageKind::Scoring, stage.scoring.is_some()),
            ("shortlist", StageKind::Shortlist, stage.shortlist.is_some()),
            ("committee", StageKind::Committee, stage.committee.is_some()),
            ("notice", StageKind::Notice, stage.notice.is_some()),
        ];
        for (name, kind, present) in parts {
            let wanted = stage.kind == kind;
            out.require(present || !wanted, format!("{key}.{name}"), "stage_needs", &[("part", &name)]);
            out.require(wanted || !present, format!("{key}.{name}"), "stage_odd", &[]);
        }
        if let Some(after) = &stage.after {
            for name in after {
                out.require(
                    self.stage_index(name).is_some_and(|other| other < index),
                    format!("{key}.after"),
                    "after",
                    &[("stage", name)],
                );
            }
        }
        if let Some(experts) = &stage.experts {
            let size = experts.panel_size.value;
            out.require(
                (1..=99).contains(&size),
                format!("{key}.experts.panel_size.value"),
                "between",
                &[("least", &1), ("most", &99)],
            );
            let reserves = experts.reserves.value;
            out.require(reserves <= 20, format!("{key}.experts.reserves.value"), "reserves", &[]);
        }
        if let Some(scoring) = &stage.scoring {
            let fits = scoring.spread_alarm <= 100 && scoring.weight.value <= 100;
            out.require(fits, format!("{key}.scoring"), "weight", &[]);
        }
        if let Some(committee) = &stage.committee {
            self.check_committee(out, &format!("{key}.committee"), committee);
        }
        if let Some(scoring) = &stage.scoring {
            let counted = scoring.method.value == ScoringMethod::Count;
            out.require(
                scoring.aggregate.is_some() != counted,
                format!("{key}.scoring.aggregate"),
                if counted { "poll_sheets" } else { "aggregate" },
                &[],
            );
            let aggregate = scoring.aggregate.as_ref().map(|a| a.value);
            let agreed = aggregate == Some(Aggregate::Consensus);
            let computable = match scoring.method.value {
                ScoringMethod::Adjust => agreed,
                ScoringMethod::Direct => !agreed,
                ScoringMethod::Items | ScoringMethod::Count => true,
            };
            out.require(computable, format!("{key}.scoring.aggregate.value"), "computable", &[]);
            let adjusts = scoring.method.value == ScoringMethod::Adjust;
            out.require(
                adjusts == scoring.from.is_some(),
                format!("{key}.scoring.from"),
                if adjusts { "adjust_from" } else { "adjust_only" },
                &[],
            );
            out.require(adjusts || scoring.visit.is_none(), format!("{key}.scoring.visit"), "adjust_only", &[]);
            if let Some(from) = &scoring.from {
                let fits = self.stage(from).and_then(|s| s.scoring.as_ref()).is_some_and(|s| {
                    s.method.value == ScoringMethod::Items
                        && s.aggregate.as_ref().is_some_and(|a| a.value == Aggregate::Consensus)
                });
                out.require(
                    fits && self.stage_index(from).is_some_and(|i| i < index),
                    format!("{key}.scoring.from"),
                    "agreed",
                    &[("stage", from)],
                );
            }
            let before = &self.stages[..index];
            out.require(
                counted || before.iter().any(|s| s.kind == StageKind::Experts),
                key.clone(),
                "experts_first",
                &[],
            );
        }
        if let Some(shortlist) = &stage.shortlist {
            out.require(shortlist.den.value >= 1, format!("{key}.shortlist.den.value"), "least_one", &[]);
            out.require(
                self.stages[..index].iter().any(|s| s.kind == StageKind::Scoring),
                key.clone(),
                "scored_first",
                &[],
            );
        }
        if let Some(notice) = &stage.notice {
            out.require(notice.days.value >= 1, format!("{key}.notice.days.value"), "least_one", &[]);
            out.require(!notice.channels.value.is_empty(), format!("{key}.notice.channels"), "no_channel", &[]);
        }
    }

    fn check_committee(&self, out: &mut Report, key: &str, committee: &CommitteeRules) {
        out.fraction(&format!("{key}.quorum"), &committee.quorum);
        out.fraction(&format!("{key}.pass"), &committee.pass);
        out.require(
            committee.size_min.value >= 1 && committee.size_min.value <= committee.size_max.value,
            format!("{key}.size_min.value"),
            "sizes",
            &[],
        );
        out.require(
            committee.ballot.value == BallotKind::RollCall || self.disclosure.votes.value == VoteDisclosure::Totals,
            format!("{key}.ballot.value"),
            "by_name",
            &[],
        );
        out.require(
            committee.purpose == Purpose::Shortlist || committee.seats == 0,
            format!("{key}.seats"),
            "winner_seats",
            &[],
        );
        out.require(
            committee.purpose == Purpose::Winners
                || committee.choice.value == ChoiceKind::Approve
                || committee.seats > 0,
            format!("{key}.seats"),
            "shortlist_seats",
            &[],
        );
    }

    fn check_graph(&self, out: &mut Report) {
        let count = |kind: StageKind| self.stages.iter().filter(|stage| stage.kind == kind).count();
        for kind in
            [StageKind::Call, StageKind::Application, StageKind::PreReview, StageKind::Approval, StageKind::Conferral]
        {
            out.require(count(kind) == 1, "stages", "one_stage", &[("kind", &format!("{kind:?}"))]);
        }
        let first = self.stages.first().map(|stage| stage.kind);
        out.require(first == Some(StageKind::Call), "stages[0].kind", "call_first", &[]);
        let winners = self
            .stages
            .iter()
            .filter(|stage| stage.committee.as_ref().is_some_and(|c| c.purpose == Purpose::Winners))
            .count();
        out.require(winners <= 1, "stages", "one_committee", &[]);
        out.require(winners == 1 || count(StageKind::Scoring) > 0, "stages", "no_choice", &[]);
        let weights: u32 = self.stages.iter().filter_map(|stage| stage.scoring.as_ref()).map(|s| s.weight.value).sum();
        out.require(
            weights == 100 || count(StageKind::Scoring) == 0,
            "stages[*].scoring.weight",
            "weights",
            &[("sum", &weights)],
        );
        let order = |kind: StageKind| self.stages.iter().position(|stage| stage.kind == kind);
        out.require(order(StageKind::Approval) < order(StageKind::Conferral), "stages", "conferral", &[]);
        out.require(
            self.rewin.value != Rewin::CertificateOnly || !self.rewin.basis.is_empty(),
            "rewin.basis",
            "basis",
            &[],
        );
    }
}
