//! The stage line: a spine beside the text on wide screens, a beam above it on phones.

use maud::{Markup, html};

use super::Text;

/// Where one stage stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageState {
    /// Its gate is passed.
    Done,
    /// The edition is here.
    Now,
    /// Still to come.
    Next,
    /// Left out under the rules.
    Skipped,
    /// The case ended here.
    Stopped,
}

impl StageState {
    fn class(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Now => "now",
            Self::Next => "next",
            Self::Skipped => "skipped",
            Self::Stopped => "stopped",
        }
    }
}

/// One stage on the line.
#[derive(Clone, Debug)]
pub struct StageMark<'a> {
    /// The name of the stage.
    pub label: Text<'a>,
    /// Where it stands.
    pub state: StageState,
    /// The state in a word, for those who do not see the shape.
    pub word: Text<'a>,
    /// A date or a count; may be empty.
    pub note: Text<'a>,
    /// The page of the stage, if there is one to see.
    pub href: Option<Text<'a>>,
}

/// The line of stages.
///
/// `label` names the line for screen readers ("Stages of the 2026 edition"); `summary` is what a
/// phone shows beside the beam ("Stage 5 of 9: site visit").
///
/// The two forms are both in the page and the style sheet shows one, because the phone's form is
/// folded and the wide one must not be.
#[must_use]
pub fn stage_line(label: &str, summary: &str, marks: &[StageMark<'_>]) -> Markup {
    html! {
        nav.spine aria-label=(label) { (list(marks)) }
        details.beam {
            summary {
                span.beam-text { (summary) }
                span.beam-line aria-hidden="true" {
                    @for mark in marks { span class=(mark.state.class()) {} }
                }
            }
            nav aria-label=(label) { (list(marks)) }
        }
    }
}

fn list(marks: &[StageMark<'_>]) -> Markup {
    html! {
        ol.stages {
            @for mark in marks {
                li class=(mark.state.class())
                    aria-current=[(mark.state == StageState::Now).then_some("step")] {
                    @if let Some(href) = &mark.href {
                        a.stage-name href=(href) { (mark.label) }
                    } @else {
                        span.stage-name { (mark.label) }
                    }
                    span.stage-note {
                        span.stage-word { (mark.word) }
                        @if !mark.note.is_empty() { " · " (mark.note) }
                    }
                }
            }
        }
    }
}
