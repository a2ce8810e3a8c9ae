//! Lists that are not tables: facts, registers, empty places, pages.

use maud::{Markup, html};

use super::{Link, Text};

/// Terms and what they are, one under the other.
#[must_use]
pub fn facts(pairs: &[(Text<'_>, Markup)]) -> Markup {
    html! {
        dl.facts {
            @for (term, value) in pairs {
                div { dt { (term) } dd { (value) } }
            }
        }
    }
}

/// An entry of a register: a firm, a person, an honour.
#[derive(Clone, Debug, Default)]
pub struct RegisterEntry<'a> {
    /// Its name and its page.
    pub link: Link<'a>,
    /// What one should know at a glance: place, number, dates.
    pub details: Vec<Text<'a>>,
    /// Its state, made with [`status_tag`](super::status_tag).
    pub state: Option<Markup>,
}

/// A register to read down.
#[must_use]
pub fn register_list(entries: &[RegisterEntry<'_>]) -> Markup {
    html! {
        ul.register {
            @for entry in entries {
                li {
                    a.register-name href=(entry.link.href) { (entry.link.label) }
                    @if let Some(state) = &entry.state { span.register-state { (state) } }
                    @if !entry.details.is_empty() {
                        p.register-details {
                            @for (index, detail) in entry.details.iter().enumerate() {
                                @if index > 0 { " · " }
                                (detail)
                            }
                        }
                    }
                }
            }
        }
    }
}

/// An empty place that says what would fill it.
#[must_use]
pub fn empty_state(text: &str, action: Option<&Link<'_>>) -> Markup {
    html! {
        div.empty {
            p { (text) }
            @if let Some(action) = action {
                p { a href=(action.href) { (action.label) } }
            }
        }
    }
}

/// Where the reader is in a long list.
#[derive(Clone, Debug, Default)]
pub struct Pager<'a> {
    /// What a screen reader calls it.
    pub label: Text<'a>,
    /// "1–50 of 312".
    pub position: Text<'a>,
    /// The page before.
    pub previous: Option<Link<'a>>,
    /// The page after.
    pub next: Option<Link<'a>>,
}

/// The way to the other pages of a list.
#[must_use]
pub fn pager(pager: &Pager<'_>) -> Markup {
    html! {
        nav.pager aria-label=(pager.label) {
            @if let Some(link) = &pager.previous {
                a.pager-previous rel="prev" href=(link.href) { (link.label) }
            }
            span.pager-position { (pager.position) }
            @if let Some(link) = &pager.next {
                a.pager-next rel="next" href=(link.href) { (link.label) }
            }
        }
    }
}
