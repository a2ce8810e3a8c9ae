//! What must hold between the values of a rules file.

use std::collections::BTreeSet;

use super::{
    Aggregate, BallotKind, ChoiceKind, CommitteeRules, ConditionKind, PassRule, Purpose, Rewin, Rules, ScoringMethod,
    Stage, StageKind, VoteDisclosure,
};

/// One thing that is wrong in a file: the key and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// Dotted key, e.g. `stages[3].notice.days`.
    pub key: String,
    /// What is wrong and what is allowed.
    pub what: String,
}

impl Problem {
    /// A problem at `key`.
    pub fn new(key: impl Into<String>, what: String) -> Problem {
        Problem { key: key.into(), what }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.key, self.what)
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
    fn require(&mut self, ok: bool, key: impl Into<String>, what: impl Into<String>) {
        if !ok {
            self.0.push(Problem::new(key, what.into()));
        }
    }

    fn names<'a>(&mut self, list: &str, ids: impl Iterator<Item = &'a str>) {
        let mut seen = BTreeSet::new();
        for (i, id) in ids.enumerate() {
            let key = format!("{list}[{i}].id");
            self.require(is_name(id), key.clone(), format!("{id:?} is not a short name of a-z, 0-9, '.', '_' and '-'"));
            self.require(seen.insert(id.to_owned()), key, format!("{id:?} occurs twice"));
        }
    }

    fn fraction(&mut self, key: &str, rule: &PassRule) {
        self.require(rule.den >= 1, format!("{key}.den"), "must be at least 1");
        self.require(rule.num <= rule.den, format!("{key}.num"), "a fraction above 1 can never be reached");
        self.require(!rule.basis.is_empty(), format!("{key}.basis"), "every value needs its article");
    }
}

impl Rules {
    /// Everything that is wrong with the rules; empty if they are sound.
    pub fn problems(&self) -> Vec<Problem> {
        let mut out = Report(Vec::new());
        out.require(self.format == 1, "format", format!("is {}; this version reads 1", self.format));
        out.require(is_name(&self.id), "id", "must be a short name");
        out.require(
            (-720..=840).contains(&self.utc_offset_minutes),
            "utc_offset_minutes",
            "must lie between -720 and 840 (China: 480)",
        );
        out.require(self.cycle_years.value >= 1, "cycle_years.value", "must be at least 1");
        out.require(!self.tiers.is_empty(), "tiers", "an award needs at least one tier");
        out.names("tiers", self.tiers.iter().map(|tier| tier.id.as_str()));
        out.require(!self.classes.is_empty(), "classes", "name at least one class of applicants");
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
                    format!("no class is called {class:?}"),
                );
            }
            out.require(tier.quota.value >= 1, format!("tiers[{i}].quota.value"), "a tier has at least one seat");
            if let Some(floor) = &tier.floor_permille {
                out.require(
                    floor.value <= 1000,
                    format!("tiers[{i}].floor_permille.value"),
                    "is above 1000 thousandths",
                );
            }
            out.require(
                tier.prize_fen.value < 1 << 53,
                format!("tiers[{i}].prize_fen.value"),
                "is too large for an amount in fen",
            );
        }
        if let (Some(reserved), Some(first)) = (&self.reserved, self.tiers.first()) {
            out.require(
                reserved.seats.value <= first.quota.value,
                "reserved.seats.value",
                format!("more reserved seats than the first tier has ({})", first.quota.value),
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
            out.require(present, format!("{key}.{needs}"), "is missing for this kind of condition");
            out.require(!condition.basis.is_empty(), format!("{key}.basis"), "every value needs its article");
            let share_fits = condition.kind != ConditionKind::Share || condition.at_least.unwrap_or(0) <= 100;
            out.require(share_fits, format!("{key}.at_least"), "is a percentage: at most 100");
        }
    }

    fn check_opinions(&self, out: &mut Report) {
        let Some(opinions) = &self.opinions else { return };
        out.require(opinions.days.value >= 1, "opinions.days.value", "must be at least 1");
        out.require(!opinions.departments.is_empty(), "opinions.departments", "name at least one department");
        // A refusal names conditions and departments in one list: the same name would be both.
        let conditions = self.conditions.iter().map(|condition| condition.id.as_str());
        let departments = opinions.departments.iter().map(|department| department.id.as_str());
        out.names("opinions.departments", departments.clone());
        for (i, id) in departments.enumerate() {
            let key = format!("opinions.departments[{i}]");
            let same = conditions.clone().any(|condition| condition == id);
            out.require(!same, format!("{key}.id"), format!("{id:?} is a condition already"));
        }
        for (i, department) in opinions.departments.iter().enumerate() {
            let key = format!("opinions.departments[{i}].basis");
            out.require(!department.basis.is_empty(), key, "every department needs its article");
        }
    }

    fn check_stage(&self, out: &mut Report, index: usize, stage: &Stage) {
        let key = format!("stages[{index}]");
        out.require(!stage.basis.is_empty(), format!("{key}.basis"), "every stage needs its article");
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
            out.require(
                present || !wanted,
                format!("{key}.{name}"),
                format!("a stage of this kind needs [stages.{name}]"),
            );
            out.require(wanted || !present, format!("{key}.{name}"), "does not belong to a stage of this kind");
        }
        if let Some(after) = &stage.after {
            for name in after {
                out.require(
                    self.stage_index(name).is_some_and(|other| other < index),
                    format!("{key}.after"),
                    format!("{name:?} is not a stage above this one"),
                );
            }
        }
        if let Some(experts) = &stage.experts {
            let size = experts.panel_size.value;
            out.require(
                (1..=99).contains(&size),
                format!("{key}.experts.panel_size.value"),
                "must lie between 1 and 99",
            );
            let reserves = experts.reserves.value;
            out.require(reserves <= 20, format!("{key}.experts.reserves.value"), "at most 20 reserves can be drawn");
        }
        if let Some(scoring) = &stage.scoring {
            let fits = scoring.spread_alarm <= 100 && scoring.weight.value <= 100;
            out.require(fits, format!("{key}.scoring"), "weight and spread_alarm are at most 100");
        }
        if let Some(committee) = &stage.committee {
            self.check_committee(out, &format!("{key}.committee"), committee);
        }
        if let Some(scoring) = &stage.scoring {
            let counted = scoring.method.value == ScoringMethod::Count;
            out.require(
                scoring.aggregate.is_some() != counted,
                format!("{key}.scoring.aggregate"),
                if counted { "a counted poll has no sheets to aggregate" } else { "say how sheets become one score" },
            );
            let aggregate = scoring.aggregate.as_ref().map(|a| a.value);
            let agreed = aggregate == Some(Aggregate::Consensus);
            let computable = match scoring.method.value {
                ScoringMethod::Adjust => agreed,
                ScoringMethod::Direct => !agreed,
                ScoringMethod::Items | ScoringMethod::Count => true,
            };
            out.require(
                computable,
                format!("{key}.scoring.aggregate.value"),
                "marks of judges are averaged, adjusted sheets are agreed on: nothing else can be computed",
            );
            let adjusts = scoring.method.value == ScoringMethod::Adjust;
            out.require(
                adjusts == scoring.from.is_some(),
                format!("{key}.scoring.from"),
                if adjusts { "name the stage whose sheets are adjusted" } else { "only for method = \"adjust\"" },
            );
            out.require(
                adjusts || scoring.visit.is_none(),
                format!("{key}.scoring.visit"),
                "only for method = \"adjust\"",
            );
            if let Some(from) = &scoring.from {
                let fits = self.stage(from).and_then(|s| s.scoring.as_ref()).is_some_and(|s| {
                    s.method.value == ScoringMethod::Items
                        && s.aggregate.as_ref().is_some_and(|a| a.value == Aggregate::Consensus)
                });
                out.require(
                    fits && self.stage_index(from).is_some_and(|i| i < index),
                    format!("{key}.scoring.from"),
                    format!("{from:?} is not an earlier stage that ends in an agreed sheet"),
                );
            }
            let before = &self.stages[..index];
            out.require(
                counted || before.iter().any(|s| s.kind == StageKind::Experts),
                key.clone(),
                "a stage of scoring must come after one of kind \"experts\"",
            );
        }
        if let Some(shortlist) = &stage.shortlist {
            out.require(shortlist.den.value >= 1, format!("{key}.shortlist.den.value"), "must be at least 1");
            out.require(
                self.stages[..index].iter().any(|s| s.kind == StageKind::Scoring),
                key.clone(),
                "a shortlist by score must come after a scored stage",
            );
        }
        if let Some(notice) = &stage.notice {
            out.require(notice.days.value >= 1, format!("{key}.notice.days.value"), "must be at least 1");
            out.require(
                !notice.channels.value.is_empty(),
                format!("{key}.notice.channels"),
                "name at least one channel",
            );
        }
    }

    fn check_committee(&self, out: &mut Report, key: &str, committee: &CommitteeRules) {
        out.fraction(&format!("{key}.quorum"), &committee.quorum);
        out.fraction(&format!("{key}.pass"), &committee.pass);
        out.require(
            committee.size_min.value >= 1 && committee.size_min.value <= committee.size_max.value,
            format!("{key}.size_min.value"),
            "must be at least 1 and not above size_max",
        );
        out.require(
            committee.ballot.value == BallotKind::RollCall || self.disclosure.votes.value == VoteDisclosure::Totals,
            format!("{key}.ballot.value"),
            "votes can only be disclosed by name (disclosure.votes) if the ballot is a roll call",
        );
        out.require(
            committee.purpose == Purpose::Shortlist || committee.seats == 0,
            format!("{key}.seats"),
            "winners are limited by the quotas of the tiers, not by seats",
        );
        out.require(
            committee.purpose == Purpose::Winners
                || committee.choice.value == ChoiceKind::Approve
                || committee.seats > 0,
            format!("{key}.seats"),
            "a ballot that picks for a shortlist needs the number of seats",
        );
    }

    fn check_graph(&self, out: &mut Report) {
        let count = |kind: StageKind| self.stages.iter().filter(|stage| stage.kind == kind).count();
        for kind in
            [StageKind::Call, StageKind::Application, StageKind::PreReview, StageKind::Approval, StageKind::Conferral]
        {
            out.require(count(kind) == 1, "stages", format!("there must be exactly one stage of kind {kind:?}"));
        }
        let first = self.stages.first().map(|stage| stage.kind);
        out.require(first == Some(StageKind::Call), "stages[0].kind", "the first stage must be the call");
        let winners = self
            .stages
            .iter()
            .filter(|stage| stage.committee.as_ref().is_some_and(|c| c.purpose == Purpose::Winners))
            .count();
        out.require(winners <= 1, "stages", "only one committee stage can choose the winners");
        out.require(
            winners == 1 || count(StageKind::Scoring) > 0,
            "stages",
            "winners need a committee vote or at least one scored stage",
        );
        let weights: u32 = self.stages.iter().filter_map(|stage| stage.scoring.as_ref()).map(|s| s.weight.value).sum();
        out.require(
            weights == 100 || count(StageKind::Scoring) == 0,
            "stages[*].scoring.weight",
            format!("the weights add up to {weights}, not to 100"),
        );
        let order = |kind: StageKind| self.stages.iter().position(|stage| stage.kind == kind);
        out.require(
            order(StageKind::Approval) < order(StageKind::Conferral),
            "stages",
            "honours can only be conferred after the decision",
        );
        out.require(
            self.rewin.value != Rewin::CertificateOnly || !self.rewin.basis.is_empty(),
            "rewin.basis",
            "every value needs its article",
        );
    }
}
