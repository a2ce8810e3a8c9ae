//! Votes as a grid of named squares.

use maud::{Markup, html};

use super::Text;

/// What a member's square shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// For: a filled square with a tick.
    Yes,
    /// Against: a hollow square with a cross.
    No,
    /// Abstained: a hollow square with a level line.
    Abstain,
    /// Not present: a dotted square.
    Absent,
    /// Recused: a struck square.
    Recused,
    /// Has voted; the choice is sealed: a filled square.
    Voted,
    /// Present, has not voted yet: a grey square.
    Waiting,
}

impl Choice {
    fn class(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Abstain => "abstain",
            Self::Absent => "absent",
            Self::Recused => "recused",
            Self::Voted => "voted",
            Self::Waiting => "waiting",
        }
    }
}

/// One member's square.
#[derive(Clone, Debug)]
pub struct VoteSquare<'a> {
    /// The member.
    pub name: Text<'a>,
    /// The choice, or what is known of it.
    pub choice: Choice,
    /// The choice in a word.
    pub word: Text<'a>,
}

/// The grid; `label` says what was voted on. The order is the caller's (the roll's).
#[must_use]
pub fn votes_grid(label: &str, squares: &[VoteSquare<'_>]) -> Markup {
    html! {
        ul.votes aria-label=(label) {
            @for square in squares {
                li class=(square.choice.class()) {
                    (shape(square.choice))
                    span.vote-name { (square.name) }
                    span.vote-word { (square.word) }
                }
            }
        }
    }
}

/// The shapes differ without their colour: on paper, on a washed-out projector, to any eye.
fn shape(choice: Choice) -> Markup {
    html! {
        svg.vote-shape viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false" {
            rect.vote-box x="2" y="2" width="20" height="20" {}
            @match choice {
                Choice::Yes => path.vote-sign d="M6.5 12.5l4 4 7-9" {},
                Choice::No => path.vote-sign d="M7 7l10 10M17 7L7 17" {},
                Choice::Abstain => path.vote-sign d="M6 12h12" {},
                Choice::Recused => path.vote-sign d="M4 20L20 4" {},
                Choice::Absent | Choice::Voted | Choice::Waiting => {},
            }
        }
    }
}
