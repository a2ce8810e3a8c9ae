//! The application of a simulated firm: texts, figures, results, and what it keeps to the office and the panel.

use std::collections::BTreeMap;

use heng_domain::criteria::ItemKind;
use heng_domain::edition::events::{ApplicationSubmitted, Attachment, SelfEvaluation, Window, YearFigures};
use heng_domain::edition::secret::{Column, FIGURES, Part, split_figures};
use heng_domain::rules::Stage;
use heng_log::Hash;
use jiff::ToSpan;
use serde_json::json;

use super::Simulation;
use super::edition::broken;
use crate::desk::results::{Indicator, Results};
use crate::draft::Draft;
use crate::error::Result;

impl Simulation<'_> {
    pub(super) fn application(&mut self, index: usize, stage: &Stage) -> Result<Draft> {
        let firm = self.cast.firms.get(index).ok_or_else(|| broken("a firm"))?;
        let limits = &self.frozen.rules.application;
        let profile = format!("{}：组织概述（虚构内容，仅供演示）。", firm.body.name.zh);
        let profile_sha256 = self.attachment(&profile)?;
        let mut self_evaluation = BTreeMap::new();
        let items: Vec<_> = self.frozen.criteria.items().cloned().collect();
        let share = limits.report_chars.value / u32::try_from(items.len().max(1)).unwrap_or(1);
        for item in &items {
            let text = format!("{} {}：自我评价（虚构内容，仅供演示）。", item.id, item.name.zh);
            let percent = 50 + 5 * u32::try_from(self.random.below(8)).unwrap_or(0);
            let step = self.frozen.criteria.step.max(1);
            let results = if item.kind == ItemKind::Result { Some(self.results(index, &item.id)?) } else { None };
            let body = SelfEvaluation {
                chars: share.clamp(1, 900),
                percent: percent / step * step,
                results_sha256: results,
                sha256: self.attachment(&text)?,
            };
            self_evaluation.insert(item.id.clone(), body);
        }
        let base = 8_000_000_000 + i64::try_from(self.random.below(40_000_000_000)).unwrap_or(0);
        let years = limits.figure_years.value.max(1);
        let figures: Vec<YearFigures> = (0..years)
            .map(|i| {
                let revenue_fen = base + base / 12 * i64::from(i);
                YearFigures {
                    employees: Some(180 + 40 * self.random.below(9) + u64::from(i) * 6),
                    profit_fen: Some(revenue_fen / 14),
                    revenue_fen: Some(revenue_fen),
                    tax_fen: Some(revenue_fen / 25),
                    year: self.settings.year.saturating_sub(years - i),
                }
            })
            .collect();
        let notice_days = limits.internal_notice_days.value;
        let internal_notice = (notice_days > 0).then(|| Window {
            from: self.day.checked_sub(i64::from(notice_days).days()).unwrap_or(self.day),
            until: self.day,
        });
        let licence = format!("营业执照 {}", firm.body.uscc.as_deref().unwrap_or(""));
        let attachment = Attachment {
            about: "licence".to_owned(),
            name: "营业执照.txt".to_owned(),
            size: u64::try_from(licence.len()).unwrap_or(0),
            sha256: self.attachment(&licence)?,
        };
        // Some firms keep their profit and a file to the office and the panel.
        let secretive = index % 3 == 1;
        let (figures, hidden) = split_figures(&figures, |column| secretive && column == Column::Profit);
        let mut secret = Vec::new();
        if secretive {
            secret = vec![Part::Figures(Column::Profit).to_string(), Part::File(&attachment.sha256).to_string()];
            secret.extend(items.first().map(|item| Part::Item(&item.id).to_string()));
            secret.sort();
        }
        let body = ApplicationSubmitted {
            application: format!("a:{:03}", index + 1),
            attachments: vec![attachment],
            figures,
            internal_notice,
            organisation: firm.id.clone(),
            paper: None,
            pledge: true,
            profile_chars: u32::try_from(profile.chars().count()).unwrap_or(1).min(limits.profile_chars.value.max(1)),
            profile_sha256,
            secret,
            self_evaluation,
        };
        let contact = json!({ "name": "示例联系人", "phone": "000-0000-0000" });
        let mut values = BTreeMap::from([("/contact".to_owned(), contact)]);
        if secretive {
            values.insert(FIGURES.to_owned(), json!(hidden));
        }
        let draft = self.draft(&firm.id, &stage.basis, body)?;
        Ok(draft.hiding(self.random.bytes(), values))
    }

    /// Two indicators of an item over the years; one firm in five has a gap.
    fn results(&self, index: usize, item: &str) -> Result<Hash> {
        let count = self.frozen.rules.application.figure_years.value.max(1);
        let years: Vec<u32> = (0..count).map(|i| self.settings.year.saturating_sub(count - i)).collect();
        let last = item.bytes().last().map_or(0, u32::from) % 7;
        let base = u32::try_from(index % 9).unwrap_or(0) * 4 + last;
        let rate = |i: u32| format!("{}.{}", 92 + (base + 11 * i) / 10 % 8, (base + 11 * i) % 9 + 1);
        let rates = (0..).zip(&years).map(|(i, year)| (*year, rate(i)));
        let all = (0..).zip(&years).filter(|(i, _)| index % 5 != 4 || *i > 0);
        let savings = all.map(|(i, year)| (*year, (60 + base + 9 * i).to_string()));
        let row =
            |indicator: &str, unit: &str, target: &str, benchmark: &str, values: BTreeMap<u32, String>| Indicator {
                benchmark: benchmark.to_owned(),
                indicator: indicator.to_owned(),
                target: target.to_owned(),
                unit: unit.to_owned(),
                values,
            };
        let rows = vec![
            row("主要指标达成率（虚构）", "%", "≥98", "95.5", rates.collect()),
            row("改进项目收益（虚构）", "万元", "100", "", savings.collect()),
        ];
        Ok(Hash(self.heng.store().put_attachment(&Results { rows, years, salt: None }.to_bytes()?)?))
    }
}
