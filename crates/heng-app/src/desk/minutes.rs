//! The minutes (会议记录) as the record gives them, and what they and the session's pages say in the same words.

use heng_domain::ballot;
use heng_domain::edition::events::{OptionCount, RefusedFor};
use heng_domain::edition::{Edition, Motion, MotionState, Session};
use heng_domain::text::Text;

use super::EditionDesk;
use super::field::{same, words};

/// The minutes as the record gives them: who was there, each motion, each vote by name, each count with its base and
/// threshold, and the root code that the hall saw with the result.
pub fn minutes(desk: &EditionDesk<'_>, id: &str) -> String {
    let edition = desk.edition;
    let Some(session) = edition.sessions.get(id) else { return String::new() };
    let line = |key: &str, places: &[(&str, &Text)]| words("minutes", key, places).zh;
    let names = |present: bool| {
        let of = session.members.iter().filter(|m| session.present.contains(&m.person) == present);
        of.map(|m| m.name.as_str()).collect::<Vec<_>>().join("、")
    };
    let label = &edition.opened.label;
    let mut out = vec![
        line("title", &[("award", &edition.rules().name), ("label", label)]),
        line("present", &[("count", &same(session.present.len())), ("names", &same(names(true)))]),
        line("absent", &[("names", &same(names(false)))]),
    ];
    for (motion_id, motion) in edition.motions.iter().filter(|(_, m)| m.body.session == id) {
        out.push(String::new());
        out.push(line("motion", &[("motion", &same(motion_id)), ("text", &motion.body.text)]));
        if motion.state == MotionState::Voided {
            out.push(line("voided", &[]));
        }
        for counted in &motion.counts {
            out.push(count_line(edition, motion, counted));
            // Counted paper has no names.
            if motion.paper.is_some() {
                continue;
            }
            for vote in edition.member_votes(motion_id, &counted.option) {
                let said = match vote.vote {
                    Some(vote) => words("vote", &format!("{vote:?}").to_lowercase(), &[]),
                    None => words("minutes", if vote.recused { "recused" } else { "no_vote" }, &[]),
                };
                let said = if vote.paper { from_paper(&said) } else { said };
                out.push(format!("　{}：{}", vote.name, said.zh));
            }
        }
        for (name, reason) in refused_ballots(session, motion) {
            out.push(line("refused", &[("name", &same(name)), ("reason", &reason)]));
        }
        let size = motion.announced.map(|seq| seq + 1);
        let root = size.and_then(|size| Some((size, crate::log::root_at(desk.leaves, size)?)));
        if let Some((size, root)) = root {
            let code = heng_log::code::root_code(&root);
            out.push(line("root", &[("size", &same(size)), ("code", &same(code))]));
        }
    }
    out.join("\n")
}

/// A count with its base and threshold.
fn count_line(edition: &Edition, motion: &Motion, counted: &OptionCount) -> String {
    let c = &counted.count;
    let name = edition.applicant(&counted.option).map_or_else(|| same(&counted.option), |o| o.name.clone());
    let rules = edition.rules().stage(&motion.stage).and_then(|stage| stage.committee.as_ref());
    let least = rules.map_or(0, |rules| ballot::least(&rules.pass, c.base));
    let result = words("minutes", if c.passed { "passed" } else { "not_passed" }, &[]);
    let places = [
        ("name", &name),
        ("yes", &same(c.yes)),
        ("no", &same(c.no)),
        ("abstain", &same(c.abstain)),
        ("base", &same(c.base)),
        ("least", &same(least)),
        ("result", &result),
    ];
    words("minutes", "count", &places).zh
}

/// A choice that officers have entered from paper.
pub(super) fn from_paper(choice: &Text) -> Text {
    words("minutes", "from_paper", &[("choice", choice)])
}

/// Members whose signed ballot was refused, each with the reason.
pub fn refused_ballots(session: &Session, motion: &Motion) -> Vec<(String, Text)> {
    let name = |person: &str| session.members.iter().find(|m| m.person == person).map(|m| m.name.clone());
    let refused = motion.refused.iter();
    refused
        .filter_map(|r| {
            let reason = match r.reason {
                RefusedFor::Late => "refused_late",
                RefusedFor::Absent => "refused_absent",
                RefusedFor::Recused => "refused_recused",
            };
            Some((name(&r.voter)?, words("minutes", reason, &[])))
        })
        .collect()
}
