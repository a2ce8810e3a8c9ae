//! The committee's session: roster, presence, motions, ballots, read-back, announcement, minutes.

use std::collections::BTreeSet;

use heng_domain::ballot;
use heng_domain::edition::committee::{text_hash, value_hash};
use heng_domain::edition::events::{
    BallotCast, CorrectionNoted, CountRecorded, MinutesSigned, MotionClosed, MotionDisputed, MotionFrozen,
    MotionOpened, MotionReopened, MotionVoided, Paper, PaperVotes, PresenceRecorded, ResultAnnounced, Role,
    RosterFrozen, RosterMember, SelectionDecided,
};
use heng_domain::edition::{Edition, Motion, MotionState, Session};
use heng_domain::rules::{BallotKind, ChoiceKind, CommitteeRules, Purpose, Stage, StageKind};
use heng_domain::text::Text;
use heng_domain::time::Instant;

use super::field::{Choice, Field, Input, Kind, same, words};
use super::minutes::minutes;
use super::{Act, Case, DeskError, EditionDesk, Proposed, Signs, Who, Written, Wrong};

/// The end of the cases in which officers enter a ballot from paper.
pub(super) const PAPER: &str = "~paper";

type EditionAct<'a> = Act<EditionDesk<'a>>;

pub(super) fn acts<'a>() -> Vec<EditionAct<'a>> {
    let mut out = vec![
        Act {
            kind: RosterFrozen::KIND,
            who: Who::Officer,
            signs: Signs::OFFICERS,
            open: |desk| match rules(desk).filter(|_| desk.has(Role::Officer)) {
                Some((stage, _)) if !desk.edition.sessions.values().any(|s| s.stage == stage.id) => {
                    vec![Case::duty(stage.id.clone(), stage.name.clone(), desk.due(stage))]
                }
                Some((stage, _)) => vec![Case::possible(stage.id.clone(), stage.name.clone())],
                None => Vec::new(),
            },
            form: |desk, _| {
                let members: Vec<Choice> = roster(desk.edition).into_iter().map(|m| member_choice(&m)).collect();
                let all = members.iter().map(|choice| choice.value.clone()).collect();
                vec![Field::new("members", Kind::Many { choices: members }).with_all(all)]
            },
            write: |desk, stage, input| {
                let chosen = input.list("members");
                let members = roster(desk.edition).into_iter().filter(|m| chosen.contains(&m.person)).collect();
                let session = format!("s{}", desk.edition.sessions.len() + 1);
                let body = RosterFrozen { members, session, stage: stage.to_owned() };
                Ok(vec![Written::edition(basis(desk, stage), body)?])
            },
        },
        Act {
            kind: PresenceRecorded::KIND,
            who: Who::Member,
            signs: Signs::ACTOR,
            open: |desk| {
                let mine = sessions(desk).into_iter().filter(|(_, s)| s.members.iter().any(|m| m.person == desk.me));
                mine.map(|(id, session)| {
                    let about = stage_name(desk.edition, session);
                    let absent = !session.present.contains(&desk.me);
                    Case { id: id.clone(), about, due: None, duty: absent }
                })
                .collect()
            },
            form: |_, _| Vec::new(),
            write: |desk, id, _| {
                let session = desk.edition.sessions.get(id).ok_or(DeskError::NotOpen)?;
                let present = !session.present.contains(&desk.me);
                let body = PresenceRecorded { person: desk.me.clone(), present, reason: None, session: id.to_owned() };
                Ok(vec![Written::edition(basis(desk, &session.stage), body)?])
            },
        },
        // A member whose device fails is signed in by two officers.
        Act {
            kind: PresenceRecorded::KIND,
            who: Who::Officer,
            signs: Signs::OFFICERS,
            open: |desk| {
                let sessions = sessions(desk).into_iter().filter(|_| desk.has(Role::Officer));
                let about = |s: &Session| words("prefill", "presence_for", &[("stage", &stage_name(desk.edition, s))]);
                sessions.map(|(id, s)| Case::possible(format!("{id}~officers"), about(s))).collect()
            },
            form: |desk, id| {
                let session = id.split('~').next().and_then(|id| desk.edition.sessions.get(id));
                let members = session.into_iter().flat_map(|s| s.members.iter().map(move |m| (s, m)));
                let choices = members.filter(|(_, member)| member.person != desk.me).map(|(session, member)| {
                    let key = if session.present.contains(&member.person) { "presence_out" } else { "presence_in" };
                    Choice::new(member.person.clone(), words("prefill", key, &[("name", &same(&member.name))]))
                });
                vec![
                    Field::new("member", Kind::One { choices: choices.collect() }),
                    Field::labelled("reason", "presence_reason", Kind::Line { most: 300 }),
                ]
            },
            write: |desk, id, input| {
                let id = id.split('~').next().unwrap_or_default();
                let session = desk.edition.sessions.get(id).ok_or(DeskError::NotOpen)?;
                let person = input.text("member");
                let present = !session.present.contains(&person);
                let reason = Some(input.text("reason"));
                let body = PresenceRecorded { person, present, reason, session: id.to_owned() };
                Ok(vec![Written::edition(basis(desk, &session.stage), body)?])
            },
        },
        Act {
            kind: MotionOpened::KIND,
            who: Who::Chair,
            signs: Signs::ACTOR,
            open: motions_to_open,
            form: |desk, case| {
                let text = options(desk, case).and_then(|o| Some(motion_text(desk.edition, rules(desk)?.1, &o)));
                let hint = words("hint", "motion_text", &[("text", &text.unwrap_or_else(|| same("")))]);
                vec![
                    Field::new("remark_zh", Kind::Line { most: 200 }).hint(hint).optional(),
                    Field::new("remark_en", Kind::Line { most: 300 }).optional(),
                ]
            },
            write: write_motion,
        },
        Act {
            kind: BallotCast::KIND,
            who: Who::Member,
            signs: Signs::ACTOR,
            open: |desk| {
                let open = |m: &&(String, Motion)| m.1.state == MotionState::Open && may_vote(desk, &m.1);
                let cases = desk.edition.motions.iter().filter(open).map(|(id, motion)| {
                    let voted = motion.ballots.iter().any(|b| b.body.voter == desk.me);
                    Case { id: id.clone(), about: motion.body.text.clone(), due: None, duty: !voted }
                });
                cases.collect()
            },
            form: |desk, id| {
                desk.edition
                    .motion(id)
                    .map(|motion| vec![ballot_field(desk, motion, Some(&desk.me))])
                    .unwrap_or_default()
            },
            write: |desk, id, input| write_ballot(desk, id, &desk.me, None, input),
        },
        // A member whose device fails signs a ballot by hand: an officer enters it, a second one compares and signs.
        Act {
            kind: BallotCast::KIND,
            who: Who::Officer,
            signs: Signs::OFFICERS,
            open: |desk| {
                if !desk.has(Role::Officer) || !takes_paper(desk) {
                    return Vec::new();
                }
                let open = desk.edition.motions.iter().filter(|(_, m)| m.state == MotionState::Open);
                let about = |m: &Motion| words("prefill", "ballot_from_paper", &[("text", &m.body.text)]);
                open.map(|(id, m)| Case::possible(format!("{id}{PAPER}"), about(m))).collect()
            },
            form: |desk, case| {
                let motion = case.strip_suffix(PAPER).and_then(|id| desk.edition.motion(id));
                motion.map(|motion| paper_form(desk, motion)).unwrap_or_default()
            },
            write: |desk, case, input| {
                let scan = input.list("ballot_scan").pop().unwrap_or_default();
                let unknown = || DeskError::from(Wrong::new("ballot_scan", "file_unknown"));
                super::files::info(desk.heng, &desk.me, &scan)?.ok_or_else(unknown)?;
                let scan_sha256 = scan.parse().map_err(|_| unknown())?;
                let paper = Paper { reason: input.text("reason"), scan_sha256 };
                let id = case.strip_suffix(PAPER).ok_or(DeskError::NotOpen)?;
                write_ballot(desk, id, &input.text("member"), Some(paper), input)
            },
        },
        Act {
            kind: MotionClosed::KIND,
            who: Who::Chair,
            signs: Signs::ACTOR,
            open: |desk| {
                let paper = on_paper(desk);
                chaired(desk, MotionState::Open, |m| (paper || ballots_complete(m)) && stays(desk, m))
            },
            form: |_, _| Vec::new(),
            write: |desk, id, _| one(desk, id, MotionClosed { motion: id.to_owned() }),
        },
        Act {
            kind: MotionDisputed::KIND,
            who: Who::Member,
            signs: Signs::ACTOR,
            open: |desk| mine(desk, |state| state == MotionState::Closed),
            form: |desk, id| {
                let recorded =
                    desk.edition.motion(id).map(|motion| super::session::said(desk.edition, motion, &desk.me));
                let hint = words("hint", "dispute_recorded", &[("choice", &recorded.unwrap_or_else(|| same("")))]);
                vec![Field::new("reason", Kind::Line { most: 300 }).hint(hint)]
            },
            write: |desk, id, input| {
                let reason = input.text("reason");
                one(desk, id, MotionDisputed { member: desk.me.clone(), motion: id.to_owned(), reason })
            },
        },
        Act {
            kind: MotionReopened::KIND,
            who: Who::Chair,
            signs: Signs::ACTOR,
            open: |desk| {
                let mut cases = chaired(desk, MotionState::Closed, |m| !m.disputes.is_empty());
                cases.retain(|case| case.duty);
                cases
            },
            form: |_, _| vec![Field::new("reason", Kind::Line { most: 300 })],
            write: |desk, id, input| {
                one(desk, id, MotionReopened { motion: id.to_owned(), reason: input.text("reason") })
            },
        },
    ];
    out.extend(after_the_close());
    out
}

fn after_the_close<'a>() -> Vec<EditionAct<'a>> {
    vec![
        Act {
            kind: CountRecorded::KIND,
            who: Who::Counter,
            signs: Signs::COUNTERS_SUPERVISED,
            open: |desk| {
                if !on_paper(desk) || !desk.has(Role::Counter) {
                    return Vec::new();
                }
                let open = |m: &&(String, Motion)| m.1.state == MotionState::Closed && m.1.paper.is_none();
                let motions = desk.edition.motions.iter().filter(open);
                motions.map(|(id, m)| Case::duty(id.clone(), m.body.text.clone(), None)).collect()
            },
            form: count_form,
            write: write_count,
        },
        Act {
            kind: MotionFrozen::KIND,
            who: Who::Chair,
            signs: Signs::ACTOR,
            open: |desk| {
                let paper = on_paper(desk);
                let ready = |m: &Motion| m.disputes.is_empty() && (!paper || m.paper.is_some()) && read_back(desk, m);
                chaired(desk, MotionState::Closed, ready)
            },
            form: |_, _| Vec::new(),
            write: |desk, id, _| one(desk, id, MotionFrozen { motion: id.to_owned() }),
        },
        Act {
            kind: ResultAnnounced::KIND,
            who: Who::Chair,
            signs: Signs::ACTOR,
            open: |desk| chaired(desk, MotionState::Frozen, |_| true),
            form: |_, _| Vec::new(),
            write: |desk, id, _| {
                one(desk, id, ResultAnnounced { counts: desk.edition.tally(id)?, motion: id.to_owned() })
            },
        },
        Act {
            kind: MotionVoided::KIND,
            who: Who::Chair,
            signs: Signs::ACTOR_SUPERVISED,
            open: |desk| {
                let states = [MotionState::Open, MotionState::Closed, MotionState::Frozen];
                states.into_iter().flat_map(|state| chaired(desk, state, |_| false)).collect()
            },
            form: |_, _| vec![Field::new("reason", Kind::Line { most: 300 })],
            write: |desk, id, input| {
                one(desk, id, MotionVoided { motion: id.to_owned(), reason: input.text("reason") })
            },
        },
        Act {
            kind: CorrectionNoted::KIND,
            who: Who::Member,
            signs: Signs::ACTOR,
            open: |desk| mine(desk, |state| matches!(state, MotionState::Frozen | MotionState::Announced)),
            form: |_, _| vec![Field::new("says", Kind::Line { most: 300 })],
            write: |desk, id, input| {
                let says = input.text("says");
                one(desk, id, CorrectionNoted { member: desk.me.clone(), motion: id.to_owned(), says })
            },
        },
        Act {
            kind: SelectionDecided::KIND,
            who: Who::Officer,
            signs: Signs::ACTOR,
            open: selections,
            form: |_, _| Vec::new(),
            write: write_selection,
        },
        Act {
            kind: MinutesSigned::KIND,
            who: Who::Chair,
            signs: Signs::ACTOR,
            open: |desk| {
                if !desk.has(Role::Chair) {
                    return Vec::new();
                }
                let ended = sessions(desk).into_iter().filter(|(id, s)| {
                    let own: Vec<&Motion> =
                        desk.edition.motions.iter().map(|(_, m)| m).filter(|m| m.body.session == **id).collect();
                    let decided = desk.edition.selections.contains_key(&s.stage);
                    decided && !own.is_empty() && own.iter().all(|m| m.state >= MotionState::Announced)
                });
                ended.map(|(id, s)| Case::duty(id.clone(), stage_name(desk.edition, s), None)).collect()
            },
            // The facts are the record's; only the remark is the chair's.
            form: |_, _| {
                let remark = Kind::Area { most: 5_000, rows: 6 };
                vec![Field::labelled("remark", "minutes_remark", remark).optional()]
            },
            write: |desk, id, input| {
                let session = desk.edition.sessions.get(id).ok_or(DeskError::NotOpen)?;
                let mut text = minutes(desk, id);
                let remark = input.text("remark");
                if !remark.is_empty() {
                    let said = words("minutes", "remark", &[("remark", &same(remark))]).zh;
                    text = format!("{text}\n\n{said}");
                }
                let sha256 = desk.attach(&text)?;
                let body = MinutesSigned { session: id.to_owned(), sha256 };
                Ok(vec![Written::edition(basis(desk, &session.stage), body)?])
            },
        },
    ]
}

/// The open committee stage with its rules.
pub(super) fn rules<'b>(desk: &'b EditionDesk<'_>) -> Option<(&'b Stage, &'b CommitteeRules)> {
    let stage = desk.stage(StageKind::Committee)?;
    Some((stage, stage.committee.as_ref()?))
}

fn basis<'b>(desk: &'b EditionDesk<'_>, stage: &str) -> &'b str {
    desk.edition.rules().stage(stage).map_or("", |s| s.basis.as_str())
}

/// A record about a motion.
fn one(desk: &EditionDesk<'_>, id: &str, event: impl Into<heng_domain::edition::events::Event>) -> Proposed {
    let motion = desk.edition.motion(id).ok_or(DeskError::NotOpen)?;
    Ok(vec![Written::edition(basis(desk, &motion.stage), event)?])
}

/// Members with a key and a name, in the order of their numbers.
fn roster(edition: &Edition) -> Vec<RosterMember> {
    let seats = edition.seats.iter().filter(|(id, _)| edition.has_role(id, Role::Member));
    seats
        .filter_map(|(id, seat)| {
            Some(RosterMember { key: seat.key.as_ref()?.fingerprint(), name: seat.name.clone()?, person: id.clone() })
        })
        .collect()
}

fn member_choice(member: &RosterMember) -> Choice {
    Choice::new(member.person.clone(), same(format!("{} · {}", member.name, member.key)))
}

/// Sessions of the open committee stage whose minutes are not signed.
pub(super) fn sessions<'b>(desk: &'b EditionDesk<'_>) -> Vec<(&'b String, &'b Session)> {
    let Some((stage, _)) = rules(desk) else { return Vec::new() };
    desk.edition.sessions.iter().filter(|(_, s)| s.stage == stage.id && s.minutes.is_none()).collect()
}

pub(super) fn stage_name(edition: &Edition, session: &Session) -> Text {
    edition.rules().stage(&session.stage).map_or_else(|| same(&session.stage), |s| s.name.clone())
}

/// Motions of a state that I chair; `due` says which of them wait for me.
fn chaired(desk: &EditionDesk<'_>, state: MotionState, due: impl Fn(&Motion) -> bool) -> Vec<Case> {
    if !desk.has(Role::Chair) || rules(desk).is_none() {
        return Vec::new();
    }
    let motions = desk.edition.motions.iter().filter(|(_, m)| m.state == state);
    motions.map(|(id, m)| Case { id: id.clone(), about: m.body.text.clone(), due: None, duty: due(m) }).collect()
}

/// Motions that I was present at.
fn mine(desk: &EditionDesk<'_>, wanted: impl Fn(MotionState) -> bool) -> Vec<Case> {
    if rules(desk).is_none() {
        return Vec::new();
    }
    let motions = desk.edition.motions.iter().filter(|(_, m)| wanted(m.state) && m.present.contains(&desk.me));
    motions.map(|(id, m)| Case::possible(id.clone(), m.body.text.clone())).collect()
}

/// Until when members compare their own line, where the rules give them time; the count is not frozen before.
pub(super) fn compares_until(rules: &CommitteeRules, motion: &Motion) -> Option<Instant> {
    let least = rules.readback_seconds.as_ref().filter(|least| least.value > 0)?;
    motion.closed?.plus_millis(1000 * i64::from(least.value))
}

/// Whether that time is over.
pub(super) fn read_back(desk: &EditionDesk<'_>, motion: &Motion) -> bool {
    let until = rules(desk).and_then(|(_, rules)| compares_until(rules, motion));
    until.is_none_or(|until| until <= desk.now)
}

/// Whether everybody who may vote has voted.
pub(super) fn ballots_complete(motion: &Motion) -> bool {
    let voted: BTreeSet<&str> = motion.ballots.iter().map(|b| b.body.voter.as_str()).collect();
    motion.present.iter().all(|p| motion.is_away(p) || voted.contains(p.as_str()))
}

/// Whether those who were present at the opening and have not left still make the quorum, where the rules ask for it.
pub(super) fn stays(desk: &EditionDesk<'_>, motion: &Motion) -> bool {
    let Some((_, rules)) = rules(desk) else { return false };
    let Some(session) = desk.edition.sessions.get(&motion.body.session) else { return false };
    let (present, roll) = motion.staying(session);
    !rules.quorum_at_close.as_ref().is_some_and(|again| again.value) || ballot::meets(&rules.quorum, present, roll)
}

/// Whether a member whose device fails in a roll call may vote on paper.
fn takes_paper(desk: &EditionDesk<'_>) -> bool {
    let paper = rules(desk).and_then(|(_, rules)| rules.paper_ballot.as_ref());
    !on_paper(desk) && paper.is_some_and(|paper| paper.value)
}

/// Whether the rules let the committee vote on paper: then the system sees no ballots, only their count.
pub(super) fn on_paper(desk: &EditionDesk<'_>) -> bool {
    rules(desk).is_some_and(|(_, r)| r.ballot.value != BallotKind::RollCall)
}

pub(super) fn may_vote(desk: &EditionDesk<'_>, motion: &Motion) -> bool {
    !on_paper(desk) && motion.present.contains(&desk.me) && !motion.is_away(&desk.me)
}

/// Finalists that still need a motion: each by itself, or all together.
pub(super) fn motions_to_open(desk: &EditionDesk<'_>) -> Vec<Case> {
    let Some((stage, rules)) = rules(desk).filter(|_| desk.has(Role::Chair)) else { return Vec::new() };
    let busy = desk.edition.motions.iter().any(|(_, m)| m.state < MotionState::Frozen);
    let Some((_, session)) = sessions(desk).into_iter().last().filter(|_| !busy) else { return Vec::new() };
    // Before enough members are there a motion is possible to look at, not yet to open.
    let quorum = |option: &String| {
        let away = session.members.iter().map(|m| &m.person).filter(|p| desk.edition.is_recused(p, option));
        let (present, roll) = session.attendance(&session.present, &away.cloned().collect());
        ballot::meets(&rules.quorum, present, roll)
    };
    let case =
        |id: &str, about: Text, ready: bool| Case { id: id.to_owned(), about, due: desk.due(stage), duty: ready };
    let decided = |a: &String| {
        let own = desk.edition.motions.iter().filter(|(_, m)| m.stage == stage.id && m.body.options.contains(a));
        own.into_iter().any(|(_, m)| m.state != MotionState::Voided)
    };
    let open: Vec<&String> = desk.edition.field.iter().filter(|a| !decided(a)).collect();
    match rules.choice.value {
        ChoiceKind::Approve => open.into_iter().map(|a| case(a, desk.name(a), quorum(a))).collect(),
        ChoiceKind::Pick if open.is_empty() => Vec::new(),
        ChoiceKind::Pick => vec![case("all", stage.name.clone(), open.iter().all(|a| quorum(a)))],
    }
}

/// What a case of the chair's is voted on.
fn options(desk: &EditionDesk<'_>, case: &str) -> Option<Vec<String>> {
    Some(match rules(desk)?.1.choice.value {
        ChoiceKind::Approve => vec![case.to_owned()],
        ChoiceKind::Pick => desk.edition.field.iter().cloned().collect(),
    })
}

pub(crate) fn seats(edition: &Edition, rules: &CommitteeRules) -> u32 {
    match rules.choice.value {
        ChoiceKind::Approve => 1,
        ChoiceKind::Pick if rules.seats > 0 => rules.seats,
        ChoiceKind::Pick => edition.rules().seats(),
    }
}

/// What is displayed and voted on. It follows from the rules and the options, so that it cannot say another thing than they.
pub(crate) fn motion_text(edition: &Edition, rules: &CommitteeRules, options: &[String]) -> Text {
    let award = match edition.rules().tiers.as_slice() {
        [only] => &only.name,
        _ => &edition.rules().name,
    };
    let key = match (rules.choice.value, rules.purpose) {
        (ChoiceKind::Pick, Purpose::Winners) => "motion_pick_winners",
        (ChoiceKind::Pick, Purpose::Shortlist) => "motion_pick_shortlist",
        (ChoiceKind::Approve, Purpose::Winners) => "motion_winner",
        (ChoiceKind::Approve, Purpose::Shortlist) => "motion_shortlist",
    };
    let (count, seats) = (same(options.len()), same(seats(edition, rules)));
    let places = [("name", &names(edition, options)), ("award", award), ("count", &count), ("seats", &seats)];
    words("prefill", key, &places)
}

/// Names of the options of a motion.
pub(crate) fn names(edition: &Edition, options: &[String]) -> Text {
    let name = |a: &String| edition.applicant(a).map_or_else(|| same(a), |o| o.name.clone());
    let names: Vec<Text> = options.iter().map(name).collect();
    let of = |lang: fn(&Text) -> &str, between: &str| names.iter().map(lang).collect::<Vec<_>>().join(between);
    Text { zh: of(|t| &t.zh, "、"), en: of(|t| &t.en, ", ") }
}

fn write_motion(desk: &EditionDesk<'_>, case: &str, input: &Input) -> Proposed {
    let (stage, rules) = rules(desk).ok_or(DeskError::NotOpen)?;
    let (session, state) = sessions(desk).into_iter().last().ok_or(DeskError::NotOpen)?;
    let options = options(desk, case).ok_or(DeskError::NotOpen)?;
    let earlier = desk
        .edition
        .motions
        .iter()
        .filter(|(_, m)| m.stage == stage.id && options.iter().any(|o| m.body.options.contains(o)))
        .count();
    let text = motion_text(desk.edition, rules, &options);
    // A remark stands behind the question and says that it is one; in one language it serves for both.
    let remark = match input.both("remark") {
        Text { zh, en } if zh.is_empty() => same(en),
        Text { zh, en } if en.is_empty() => same(zh),
        both => both,
    };
    let text = match remark.zh.is_empty() {
        true => text,
        false => words("prefill", "motion_remark", &[("text", &text), ("remark", &remark)]),
    };
    let body = MotionOpened {
        motion: format!("m{}", desk.edition.motions.len() + 1),
        options_sha256: value_hash(&options)?,
        options,
        roster_sha256: state.sha256,
        round: u32::try_from(earlier + 1).unwrap_or(u32::MAX),
        rule_sha256: value_hash(rules)?,
        seats: seats(desk.edition, rules),
        session: session.clone(),
        text_sha256: text_hash(&text)?,
        text,
    };
    Ok(vec![Written::edition(&stage.basis, body)?])
}

/// The ballot's one question; `voter` is not asked about what they are recused from.
fn ballot_field(desk: &EditionDesk<'_>, motion: &Motion, voter: Option<&str>) -> Field {
    let pick = rules(desk).is_some_and(|(_, r)| r.choice.value == ChoiceKind::Pick);
    if pick {
        let recused =
            |o: &str| motion.recused.get(o).zip(voter).is_some_and(|(recused, voter)| recused.contains(voter));
        let free = motion.body.options.iter().filter(|o| !recused(o));
        let hint = words("hint", "ballot_pick", &[("seats", &same(motion.body.seats))]);
        return Field::new("choice", Kind::Many { choices: desk.choices(free) })
            .label(motion.body.text.clone())
            .hint(hint)
            .optional();
    }
    let choices = ["yes", "no", "abstain"].map(|vote| Choice::new(vote, words("vote", vote, &[]))).to_vec();
    let hint = words("hint", "ballot_option", &[("name", &names(desk.edition, &motion.body.options))]);
    Field::new("choice", Kind::One { choices }).label(motion.body.text.clone()).hint(hint)
}

/// A ballot on paper: whose it is, those without a ballot first, what it says, and the scan.
fn paper_form(desk: &EditionDesk<'_>, motion: &Motion) -> Vec<Field> {
    let Some(session) = desk.edition.sessions.get(&motion.body.session) else { return Vec::new() };
    let counting = motion.counting();
    let votes = |m: &&RosterMember| motion.present.contains(&m.person) && !motion.is_away(&m.person);
    let members = session.members.iter().filter(votes).filter(|m| m.person != desk.me);
    let (voted, without): (Vec<_>, Vec<_>) = members.partition(|m| counting.contains_key(m.person.as_str()));
    let without = without.into_iter().map(|m| Choice::new(m.person.clone(), same(&m.name)));
    let voted = voted
        .into_iter()
        .map(|m| Choice::new(m.person.clone(), words("prefill", "ballot_corrects", &[("name", &same(&m.name))])));
    vec![
        Field::labelled("member", "ballot_member", Kind::One { choices: without.chain(voted).collect() }),
        ballot_field(desk, motion, None),
        Field::new("ballot_scan", Kind::Files { most: 1 }),
        Field::labelled("reason", "ballot_reason", Kind::Line { most: 300 }),
    ]
}

fn write_ballot(desk: &EditionDesk<'_>, id: &str, voter: &str, paper: Option<Paper>, input: &Input) -> Proposed {
    let motion = desk.edition.motion(id).ok_or(DeskError::NotOpen)?;
    let one = input.text("choice");
    let choice = if one.is_empty() { input.list("choice") } else { vec![one] };
    let random = desk.heng.random()?;
    let body = BallotCast {
        choice,
        log: desk.edition.log.clone(),
        motion: id.to_owned(),
        nonce: hex::encode(random.get(..16).unwrap_or_default()),
        options: motion.body.options_sha256,
        paper,
        roster: motion.body.roster_sha256,
        round: motion.body.round,
        rule: motion.body.rule_sha256,
        session: motion.body.session.clone(),
        supersedes: motion.ballots.iter().rev().find(|b| b.body.voter == voter).map(|b| b.hash),
        text: motion.body.text_sha256,
        v: 1,
        voter: voter.to_owned(),
    };
    Ok(vec![Written::edition(basis(desk, &motion.stage), body)?])
}

fn count_form(desk: &EditionDesk<'_>, id: &str) -> Vec<Field> {
    let Some(motion) = desk.edition.motion(id) else { return Vec::new() };
    let most = i64::try_from(motion.present.len()).unwrap_or(i64::MAX);
    let number = || Kind::Number { least: 0, most, step: 1 };
    let mut fields =
        vec![Field::new("issued", number()), Field::new("returned", number()), Field::new("invalid", number()).with(0)];
    for option in &motion.body.options {
        for (index, vote) in ["yes", "no", "abstain"].into_iter().enumerate() {
            let field = Field::labelled(&format!("{vote}:{option}"), "votes", number()).label(words("vote", vote, &[]));
            fields.push(if index == 0 { field.part(desk.name(option)) } else { field.with(0) });
        }
    }
    fields
}

fn write_count(desk: &EditionDesk<'_>, id: &str, input: &Input) -> Proposed {
    let motion = desk.edition.motion(id).ok_or(DeskError::NotOpen)?;
    let votes = motion.body.options.iter().map(|option| PaperVotes {
        abstain: input.small(&format!("abstain:{option}")),
        no: input.small(&format!("no:{option}")),
        option: option.clone(),
        yes: input.small(&format!("yes:{option}")),
    });
    let body = CountRecorded {
        invalid: input.small("invalid"),
        issued: input.small("issued"),
        motion: id.to_owned(),
        returned: input.small("returned"),
        votes: votes.collect(),
    };
    one(desk, id, body)
}

/// Stages in which an officer states who was chosen: after the vote, or by ranking where there is none.
fn selections(desk: &EditionDesk<'_>) -> Vec<Case> {
    let edition = desk.edition;
    if !desk.has(Role::Officer) {
        return Vec::new();
    }
    let ready = |stage: &&Stage| {
        if edition.selections.contains_key(&stage.id) {
            return false;
        }
        if stage.committee.is_some() {
            let announced = edition.announced(&stage.id);
            return !edition.field.is_empty()
                && edition.field.iter().all(|a| announced.iter().any(|(option, _)| option == a))
                && edition.motions.iter().all(|(_, m)| m.stage != stage.id || m.state >= MotionState::Announced);
        }
        let by_ranking = matches!(stage.kind, StageKind::Approval | StageKind::Notice);
        let scored = edition.rules().stages.iter().filter(|s| s.scoring.is_some()).all(|s| edition.is_closed(&s.id));
        by_ranking && edition.winners_stage().is_none() && edition.winners().is_none() && scored
    };
    let stages = edition.open_stages().into_iter().filter(ready);
    stages.map(|stage| Case::duty(stage.id.clone(), stage.name.clone(), desk.due(stage))).collect()
}

fn write_selection(desk: &EditionDesk<'_>, id: &str, _: &Input) -> Proposed {
    let edition = desk.edition;
    let stage = edition.rules().stage(id).ok_or(DeskError::NotOpen)?;
    let shortlists = stage.committee.as_ref().is_some_and(|c| c.purpose == Purpose::Shortlist);
    let body = if shortlists {
        let kept = edition.compute_vote_shortlist(id).ok_or(DeskError::NotOpen)?;
        let cut = edition.field.iter().filter(|a| !kept.contains(a)).cloned().collect();
        SelectionDecided { cut, kept, stage: id.to_owned(), tiers: Vec::new() }
    } else {
        let tiers = edition.compute_winners().ok_or(DeskError::NotOpen)?;
        SelectionDecided { cut: Vec::new(), kept: Vec::new(), stage: id.to_owned(), tiers }
    };
    Ok(vec![Written::edition(&stage.basis, body)?])
}
