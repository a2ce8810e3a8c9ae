//! Criteria (准则): a versioned tree whose points add up to the declared total.
//!
//! GB/T 19580-2012 has seven categories, 23 scored items and 1000 points; other trees (a province's four
//! parts, Baldrige) are further files under `data/criteria/`. Nothing about a tree is built into the code.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rules::Problem;
use crate::text::Text;

/// Whether an item is judged as a process (方法–展开–学习–整合) or as a result (水平–趋势–对比–整合).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// Approach, deployment, learning, integration.
    Process,
    /// Levels, trends, comparisons, integration.
    Result,
}

/// A scored item (条款).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Clause number, e.g. `4.1.2`.
    pub id: String,
    /// Short name in our own words.
    pub name: Text,
    /// Points of a full mark.
    pub points: u32,
    /// Process or result.
    pub kind: ItemKind,
}

/// A category: items that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// Clause number, e.g. `4.1`.
    pub id: String,
    /// Short name.
    pub name: Text,
    /// Points: the sum of its items.
    pub points: u32,
    /// The scored items.
    pub items: Vec<Item>,
}

/// A scoring band (评分区间): percentages `from..=to` and what they mean, in our own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Lowest percentage.
    pub from: u32,
    /// Highest percentage.
    pub to: u32,
    /// For process items.
    pub process: Text,
    /// For result items.
    pub result: Text,
}

/// The tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criteria {
    /// Version of this file format: 1.
    pub format: u32,
    /// Identifier, e.g. `gbt19580-2012`.
    pub id: String,
    /// Name of the standard.
    pub name: Text,
    /// Where structure and points come from.
    pub basis: String,
    /// True where the points still have to be checked against the bought standard.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub assumed: bool,
    /// Full mark: the sum of all points.
    pub total: u32,
    /// Step of the percentages.
    pub step: u32,
    /// Categories in the standard's order.
    pub categories: Vec<Category>,
    /// Bands from 0 to 100 without gaps in steps.
    pub bands: Vec<Band>,
}

impl Criteria {
    /// All items in the standard's order.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.categories.iter().flat_map(|category| category.items.iter())
    }

    /// The item with clause number `id`.
    pub fn item(&self, id: &str) -> Option<&Item> {
        self.items().find(|item| item.id == id)
    }

    /// The band that `percent` lies in.
    pub fn band(&self, percent: u32) -> Option<&Band> {
        self.bands.iter().find(|band| (band.from..=band.to).contains(&percent))
    }

    /// Total of a complete sheet in hundredths of a point: `Σ points × percent`, exact.
    ///
    /// `None` if an item is missing, unknown or not on a step.
    pub fn total_of(&self, sheet: &BTreeMap<String, u32>) -> Option<u64> {
        if sheet.len() != self.items().count() {
            return None;
        }
        self.items()
            .map(|item| {
                sheet
                    .get(&item.id)
                    .filter(|percent| self.is_step(**percent))
                    .map(|percent| u64::from(item.points) * u64::from(*percent))
            })
            .sum()
    }

    /// Points of one category in hundredths, of a complete sheet.
    pub fn category_of(&self, category: &Category, sheet: &BTreeMap<String, u32>) -> u64 {
        category
            .items
            .iter()
            .map(|item| u64::from(item.points) * u64::from(sheet.get(&item.id).copied().unwrap_or(0)))
            .sum()
    }

    /// Points of all result items in hundredths: what the tie rule `results` compares.
    pub fn results_of(&self, sheet: &BTreeMap<String, u32>) -> u64 {
        self.items()
            .filter(|item| item.kind == ItemKind::Result)
            .map(|item| u64::from(item.points) * u64::from(sheet.get(&item.id).copied().unwrap_or(0)))
            .sum()
    }

    /// True for a percentage of 0–100 on a step.
    pub fn is_step(&self, percent: u32) -> bool {
        percent <= 100 && self.step > 0 && percent.is_multiple_of(self.step)
    }

    /// Everything that is wrong with the tree; empty if it is sound.
    pub fn problems(&self) -> Vec<Problem> {
        let mut out = Vec::new();
        if self.format != 1 {
            out.push(Problem::new("format", "format", &[("found", &self.format)]));
        }
        if self.step == 0 || 100 % self.step.max(1) != 0 {
            out.push(Problem::new("step", "step", &[("found", &self.step)]));
        }
        let mut seen = std::collections::BTreeSet::new();
        for (c, category) in self.categories.iter().enumerate() {
            let sum: u32 = category.items.iter().map(|item| item.points).sum();
            if sum != category.points {
                out.push(Problem::new(
                    format!("categories[{c}].points"),
                    "category",
                    &[("id", &category.id), ("points", &category.points), ("sum", &sum)],
                ));
            }
            for (i, item) in category.items.iter().enumerate() {
                if item.points == 0 {
                    out.push(Problem::new(format!("categories[{c}].items[{i}].points"), "least_one", &[]));
                }
                if !seen.insert(item.id.as_str()) {
                    out.push(Problem::new(format!("categories[{c}].items[{i}].id"), "twice", &[("id", &item.id)]));
                }
            }
        }
        let total: u32 = self.categories.iter().map(|category| category.points).sum();
        if total != self.total {
            out.push(Problem::new("total", "total", &[("found", &self.total), ("sum", &total)]));
        }
        let mut next = 0;
        for (b, band) in self.bands.iter().enumerate() {
            if band.from != next || band.to < band.from {
                out.push(Problem::new(format!("bands[{b}]"), "band", &[("start", &next)]));
            }
            next = band.to + self.step;
        }
        if next != 100 + self.step {
            out.push(Problem::new("bands", "bands_end", &[]));
        }
        out
    }
}
