//! The hall screen: a dark page to be read from twenty metres.

use maud::{DOCTYPE, Markup, html};

use super::{Text, page::head, picture::qr_svg, proof::root_code};

/// The frame of a hall screen.
#[derive(Clone, Debug, Default)]
pub struct HallPage<'a> {
    /// The language of the screen.
    pub lang: &'a str,
    /// The title in the window.
    pub title: Text<'a>,
    /// The small line at the top: edition and motion.
    pub head: Text<'a>,
    /// The firm or motion that everybody looks at.
    pub subject: Text<'a>,
    /// Where it stands, in a sentence for those who listen instead of looking.
    pub said: Text<'a>,
    /// Presence, grid or result; a live script replaces what is inside `#hall-live`.
    pub body: Markup,
    /// The small line at the bottom; may be the root code.
    pub foot: Option<Markup>,
    /// The live script, by its name among the assets.
    pub live_script: Option<&'a str>,
    /// Where the live script listens, given to it as `data-live`.
    pub live_href: Option<Text<'a>>,
}

/// A whole hall screen.
#[must_use]
pub fn hall_layout(page: &HallPage<'_>) -> Markup {
    html! {
        (DOCTYPE)
        html.hall lang=(page.lang) {
            (head(&page.title, None, page.live_script))
            body.hall-body {
                main.hall-main #hall data-live=[page.live_href.as_deref()] {
                    p.hall-head { (page.head) }
                    h1.hall-subject { (page.subject) }
                    p.visually-hidden #hall-said aria-live="polite" { (page.said) }
                    div.hall-live #hall-live { (page.body) }
                    @if let Some(foot) = &page.foot { div.hall-foot { (foot) } }
                }
            }
        }
    }
}

/// Who is here and whether that is enough, before and during the vote.
#[must_use]
pub fn hall_presence(presence: &str, quorum: &str, reached: bool) -> Markup {
    html! {
        div class=(if reached { "hall-presence reached" } else { "hall-presence" }) {
            p.hall-count { (presence) }
            p.hall-quorum { (quorum) }
        }
    }
}

/// A result as the hall sees it.
#[derive(Clone, Debug, Default)]
pub struct HallResult<'a> {
    /// Whom it is about.
    pub name: Text<'a>,
    /// "Passed" or "Not passed".
    pub verdict: Text<'a>,
    /// Which of the two.
    pub passed: bool,
    /// The arithmetic: "22 × 3 = 66 ≥ 60".
    pub arithmetic: Text<'a>,
    /// What the figures are: "base 28: 22 yes, 4 no, 2 abstained".
    pub explanation: Text<'a>,
    /// What was needed, as a sentence.
    pub threshold: Text<'a>,
}

/// The result: verdict, arithmetic, and the threshold.
#[must_use]
pub fn hall_result(result: &HallResult<'_>) -> Markup {
    html! {
        div class=(if result.passed { "hall-result passed" } else { "hall-result failed" }) {
            p.hall-why { (result.name) }
            p.hall-word { (result.verdict) }
            p.hall-sum { (result.arithmetic) }
            p.hall-why { (result.explanation) }
            p.hall-why { (result.threshold) }
        }
    }
}

/// The way to check what the screen shows.
#[derive(Clone, Debug, Default)]
pub struct HallCheck<'a> {
    /// The word before the root code.
    pub root_label: Text<'a>,
    /// The root code.
    pub root: Text<'a>,
    /// What the QR code holds: the address of the check.
    pub url: Text<'a>,
    /// What the QR code is for.
    pub title: Text<'a>,
}

/// Root code and QR code.
#[must_use]
pub fn hall_check(check: &HallCheck<'_>) -> Markup {
    html! {
        div.hall-check {
            (qr_svg(&check.url, &check.title))
            p.hall-root { (check.root_label) br; (root_code(&check.root)) }
        }
    }
}
