//! The ledger of prize money: double entry in integer fen.

use std::collections::BTreeMap;

use super::events::{EntryPosted, OfficeRole};
use super::{Context, Office, Person};
use crate::messages::yuan;
use crate::refusal::{Verdict, ensure};

impl Office {
    pub(super) fn admit_entry(&self, cx: &Context<'_>, body: &EntryPosted) -> Verdict {
        if self.holds(&cx.record.actor, OfficeRole::FundOfficer, self.day(cx.record.time)) {
            let key = self.people.get(&cx.record.actor).and_then(Person::key).map(|key| &key.public);
            cx.check_signature(&cx.record.actor, key)?;
        } else {
            self.require_officers(cx, 1)?;
        }
        let known = self.entries.iter().any(|entry| entry.entry == body.entry);
        ensure!(!known, "entry.twice", "", entry = &body.entry);
        ensure!(body.lines.len() >= 2, "entry.lines", "", entry = &body.entry);
        let sum: i128 = body.lines.iter().map(|line| i128::from(line.fen)).sum();
        ensure!(sum == 0, "entry.unbalanced", "", entry = &body.entry, sum = yuan(sum));
        let empty = body.lines.iter().any(|line| line.fen == 0 || line.account.is_empty());
        ensure!(!empty, "entry.empty_line", "", entry = &body.entry);
        // Money that the office owes or pays rests on a decision: a cited record of an edition (R52).
        let pays = body.lines.iter().any(|line| line.account.starts_with("payable:"));
        ensure!(!pays || body.cite.is_some(), "entry.no_decision", "", entry = &body.entry);
        if let Some(cite) = &body.cite {
            ensure!(self.editions.contains_key(&cite.log), "cite.unknown_log", "", log = &cite.log);
        }
        for (account, balance) in self.after(body) {
            // What the budget holds cannot be spent twice: a budget account never goes below zero.
            let overdrawn = account.starts_with("budget:") && balance < 0;
            ensure!(!overdrawn, "entry.over_budget", "", account = account, balance = yuan(balance));
        }
        Ok(())
    }

    fn after(&self, body: &EntryPosted) -> BTreeMap<String, i128> {
        let mut balances = self.balances();
        for line in &body.lines {
            *balances.entry(line.account.clone()).or_insert(0) += i128::from(line.fen);
        }
        balances
    }

    pub(super) fn apply_entry(&mut self, _seq: u64, body: EntryPosted) {
        self.entries.push(body);
    }

    /// Balance of every account, in fen; debit positive.
    pub fn balances(&self) -> BTreeMap<String, i128> {
        let mut out = BTreeMap::new();
        for line in self.entries.iter().flat_map(|entry| &entry.lines) {
            *out.entry(line.account.clone()).or_insert(0) += i128::from(line.fen);
        }
        out
    }
}
