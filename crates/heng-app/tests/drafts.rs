//! Drafts of people who work on the same form: what each changed counts, and nobody's text is lost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use heng_app::desk::Answers;
use heng_app::desk::drafts::{self, Save, Saved};
use heng_app::{Heng, ManualClock, SeededEntropy};
use heng_domain::time::Instant;

const KEY: &str = "o:1|log|application.submitted|-";

fn office() -> Heng {
    let clock = ManualClock::at(Instant::parse("2026-03-02T01:00:00.000Z").unwrap());
    Heng::in_memory(Arc::new(clock), Arc::new(SeededEntropy::new(5))).unwrap()
}

fn answers(pairs: &[(&str, &str)]) -> Answers {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()])).collect()
}

/// What stood in the form before anybody typed.
fn before() -> Answers {
    answers(&[("profile", ""), ("figures", "2025"), ("text", "")])
}

fn save(heng: &Heng, by: &str, version: u64, pairs: &[(&str, &str)]) -> Save {
    drafts::save(heng, KEY, by, version, &before(), answers(pairs)).unwrap()
}

fn done(save: Save) -> Saved {
    match save {
        Save::Done(saved) => saved,
        other => panic!("{other:?}"),
    }
}

fn is(saved: &Saved, pairs: &[(&str, &str)]) {
    for (name, value) in pairs {
        assert_eq!(saved.answers[*name], [*value], "{name}");
    }
}

#[test]
fn two_people_in_different_fields_both_count() {
    let heng = office();
    // Both opened the form before anything was saved, and send all of its fields.
    done(save(&heng, "u:li", 0, &[("profile", "Li's profile"), ("figures", "2025"), ("text", "")]));
    let second = done(save(&heng, "u:wu", 0, &[("profile", ""), ("figures", "2025\t1"), ("text", "")]));
    is(&second, &[("profile", "Li's profile"), ("figures", "2025\t1")]);
    assert_eq!(second.version, 2);
    assert_eq!((second.trail("profile").unwrap().by.as_str(), second.trail("profile").unwrap().version()), ("u:li", 1));
    assert_eq!(second.latest(["profile", "figures", "text"]).unwrap().by, "u:wu");
    assert!(second.trail("text").is_none(), "nobody has touched it");
    // Li types on upon the first version, as a window does that has heard of nothing.
    let third = done(save(&heng, "u:li", 1, &[("profile", "Li's longer profile"), ("figures", "2025"), ("text", "")]));
    is(&third, &[("profile", "Li's longer profile"), ("figures", "2025\t1")]);
    // Taking something away is a change like any other.
    let fourth = done(save(&heng, "u:wu", 2, &[("profile", "Li's profile"), ("figures", ""), ("text", "")]));
    is(&fourth, &[("profile", "Li's longer profile"), ("figures", "")]);
}

#[test]
fn the_same_field_takes_a_choice_and_everything_else_is_saved() {
    let heng = office();
    done(save(&heng, "u:li", 0, &[("profile", "Li's"), ("figures", "2025"), ("text", "")]));
    let (saved, both) = match save(&heng, "u:wu", 0, &[("profile", "Wu's"), ("figures", "2025"), ("text", "Wu's text")])
    {
        Save::Both(saved, both) => (saved, both),
        other => panic!("{other:?}"),
    };
    assert_eq!(both, ["profile"]);
    is(&saved, &[("profile", "Li's"), ("text", "Wu's text")]);
    assert_eq!(drafts::load(&heng, KEY).unwrap().unwrap(), saved, "theirs stays, mine is not lost: it comes back");
    // The same once more changes nothing and asks again; upon what was seen, mine counts.
    let again = save(&heng, "u:wu", 0, &[("profile", "Wu's"), ("figures", "2025"), ("text", "Wu's text")]);
    assert!(matches!(again, Save::Both(same, _) if same == saved));
    let chosen = done(save(&heng, "u:wu", 2, &[("profile", "Wu's"), ("figures", "2025"), ("text", "Wu's text")]));
    is(&chosen, &[("profile", "Wu's"), ("text", "Wu's text")]);
    // Both typed the same: there is nothing to choose.
    let same = done(save(&heng, "u:li", 1, &[("profile", "Wu's"), ("figures", "2025"), ("text", "")]));
    is(&same, &[("profile", "Wu's"), ("text", "Wu's text")]);
}

#[test]
fn what_was_typed_upon_a_draft_that_was_sent_is_not_saved() {
    let heng = office();
    for version in 0..3 {
        done(save(&heng, "u:li", version, &[("profile", &format!("version {version}"))]));
    }
    drafts::discard(&heng, KEY).unwrap();
    assert_eq!(save(&heng, "u:wu", 3, &[("profile", "late")]), Save::Sent);
    assert_eq!(save(&heng, "u:wu", 0, &[("profile", "from before the first draft")]), Save::Sent);
    // Somebody began a new one and went far beyond: the old window still belongs to the old one.
    let begun = drafts::begun(&heng, KEY).unwrap();
    for version in begun..begun + 5 {
        let saved = done(save(&heng, "u:li", version, &[("profile", &format!("new {version}"))]));
        assert_eq!(saved.version, version + 1);
    }
    assert_eq!(save(&heng, "u:wu", 2, &[("profile", "late")]), Save::Sent);
    let both = save(&heng, "u:wu", begun, &[("profile", "typed into the new form before anybody saved it")]);
    assert!(matches!(both, Save::Both(saved, names) if saved.answers["profile"] == ["new 8"] && names == ["profile"]));
}

#[test]
fn a_change_upon_a_version_that_is_forgotten_is_asked_about_not_guessed() {
    let heng = office();
    for version in 0..300 {
        done(save(&heng, "u:li", version, &[("profile", &format!("{version}")), ("text", "")]));
    }
    // An untouched field of an old window, whose value then nobody remembers: it is not taken for a change silently.
    let old = save(&heng, "u:wu", 1, &[("profile", "0"), ("text", "mine")]);
    assert!(matches!(&old, Save::Both(saved, both) if both == &["profile"] && saved.answers["text"] == ["mine"]));
    let recent = done(save(&heng, "u:wu", 299, &[("profile", "298"), ("text", "mine")]));
    is(&recent, &[("profile", "299"), ("text", "mine")]);
}
