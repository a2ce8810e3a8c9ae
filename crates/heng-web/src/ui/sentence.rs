//! How a case page begins: title, the sentence that says where it stands, the next step.

use maud::{Markup, html};

use super::{Link, Text, Tone};

/// The title of the page, with an optional line above it ("Zhumadian Mayor's Quality Award · 2026").
#[must_use]
pub fn title_block(title: &str, kicker: Option<&str>) -> Markup {
    html! {
        div.title {
            @if let Some(kicker) = kicker { p.kicker { (kicker) } }
            h1 { (title) }
        }
    }
}

/// The one sentence that says where the case stands.
#[must_use]
pub fn sentence(text: &str) -> Markup {
    html! { p.sentence { (text) } }
}

/// A result: a sentence that stands on a beam, with the arithmetic under it.
#[must_use]
pub fn result_sentence(text: &str, arithmetic: &str) -> Markup {
    html! {
        div.result {
            p.result-text { (text) }
            p.result-sum { (arithmetic) }
        }
    }
}

/// What the reader can do about the next step.
#[derive(Clone, Debug)]
pub enum Action<'a> {
    /// Go to a page.
    Link(Link<'a>),
    /// Send a form that needs no further input.
    Post {
        /// The text on the button.
        label: Text<'a>,
        /// Where the form goes.
        action: Text<'a>,
        /// Hidden fields, such as the token against forged requests.
        hidden: Vec<(Text<'a>, Text<'a>)>,
    },
}

/// The next step: who does what by when.
#[derive(Clone, Debug, Default)]
pub struct NextStep<'a> {
    /// The heading ("Next step").
    pub label: Text<'a>,
    /// Who does what ("The office checks the three conditions").
    pub text: Text<'a>,
    /// By when, and how urgent that is.
    pub due: Option<(Text<'a>, Tone)>,
    /// The action, if it is the reader's to take.
    pub action: Option<Action<'a>>,
    /// Why there is nothing to press, or what pressing will do.
    pub reason: Option<Text<'a>>,
}

/// The next step, with the only cinnabar button of the page.
#[must_use]
pub fn next_step(step: &NextStep<'_>) -> Markup {
    html! {
        section.next-step {
            div.next-words {
                h2.next-label { (step.label) }
                p.next-text { (step.text) }
                @if let Some((due, tone)) = &step.due {
                    p.next-due { (super::status_tag(due, *tone)) }
                }
            }
            @if step.action.is_some() || step.reason.is_some() {
                div.next-act {
                    @match &step.action {
                        Some(Action::Link(link)) => a.button.primary href=(link.href) { (link.label) },
                        Some(Action::Post { label, action, hidden }) => {
                            form method="post" action=(action) {
                                @for (name, value) in hidden {
                                    input type="hidden" name=(name) value=(value);
                                }
                                button.button.primary type="submit" { (label) }
                            }
                        },
                        None => {},
                    }
                    @if let Some(reason) = &step.reason { p.reason { (reason) } }
                }
            }
        }
    }
}
