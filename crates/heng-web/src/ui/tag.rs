//! Words with a shape: states, notes and refusals.

use maud::{Markup, html};

/// What a state means to the reader. Each has its own shape as well as its own colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing to do: a hollow square.
    #[default]
    Quiet,
    /// Verified or done: a filled square.
    Done,
    /// Due soon: a triangle.
    Due,
    /// The reader's turn, or overdue: a filled disc.
    Now,
    /// Refused, ended or revoked: a bar.
    Stop,
}

impl Tone {
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Done => "done",
            Self::Due => "due",
            Self::Now => "now",
            Self::Stop => "stop",
        }
    }
}

/// A state in a word, with its shape before it.
#[must_use]
pub fn status_tag(word: &str, tone: Tone) -> Markup {
    html! { span class={ "tag " (tone.class()) } { (word) } }
}

/// A remark that stands apart from the text.
#[must_use]
pub fn note(tone: Tone, body: &Markup) -> Markup {
    html! { div class={ "note " (tone.class()) } { (body) } }
}

/// Why something was refused: the sentence, the article it rests on, and the stable code.
#[must_use]
pub fn refusal(sentence: &str, article: &str, code: &str) -> Markup {
    html! {
        div.note.stop role="alert" {
            p { (sentence) }
            p.refusal-basis { (article) " · " code { (code) } }
        }
    }
}
