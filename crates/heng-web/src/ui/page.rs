//! The frame of every page: top line, spine, main part, proof line.

use maud::{DOCTYPE, Markup, html};

use super::{Link, Text, mark::mark};
use crate::assets;

/// An entry of the top line.
#[derive(Clone, Debug, Default)]
pub struct NavLink<'a> {
    /// The text and its target.
    pub link: Link<'a>,
    /// Whether the reader is on this page or below it.
    pub current: bool,
    /// The language of the text (`en`, `zh-Hans`) when it is not that of the page.
    pub lang: Option<&'a str>,
}

/// The words of the frame itself.
#[derive(Clone, Debug, Default)]
pub struct PageWords<'a> {
    /// The link that jumps over the top line ("Skip to content").
    pub skip: Text<'a>,
    /// What a screen reader calls the main navigation.
    pub nav: Text<'a>,
    /// What a screen reader calls the language switch.
    pub languages: Text<'a>,
}

/// All that [`layout`] needs.
#[derive(Clone, Debug, Default)]
pub struct Page<'a> {
    /// The language of the page: `zh-Hans`, `zh-Hant` or `en`.
    pub lang: &'a str,
    /// The page's own title, without the office's name.
    pub title: Text<'a>,
    /// The office whose site this is.
    pub office_name: Text<'a>,
    /// Where mark and name lead.
    pub home: Text<'a>,
    /// The words of the frame.
    pub words: PageWords<'a>,
    /// The entries of the top line; empty hides the navigation.
    pub nav: &'a [NavLink<'a>],
    /// The languages of this same page; empty hides the switch.
    pub lang_switch: &'a [NavLink<'a>],
    /// Who is signed in, or the way to sign in.
    pub who: Option<Markup>,
    /// One line above everything, such as that all data here is invented.
    pub banner: Option<Text<'a>>,
    /// The stage line of a case page.
    pub spine: Option<Markup>,
    /// The content.
    pub main: Markup,
    /// The proof line of a case page.
    pub proof: Option<Markup>,
    /// Links at the very end: imprint, accessibility statement, help.
    pub footer: &'a [Link<'a>],
    /// The script of a live or signing page, by its name among the assets.
    pub live_script: Option<&'a str>,
    /// Whether the reader asked for large text.
    pub large_text: bool,
    /// Whether the page needs the full width (long tables) rather than the measure.
    pub wide: bool,
}

/// A whole document.
#[must_use]
pub fn layout(page: Page<'_>) -> Markup {
    let body_class = match (page.spine.is_some(), page.wide) {
        (true, true) => "with-spine wide",
        (true, false) => "with-spine",
        (false, true) => "wide",
        (false, false) => "plain",
    };
    html! {
        (DOCTYPE)
        html lang=(page.lang) class=[page.large_text.then_some("large-text")] {
            (head(&page.title, Some(&page.office_name), page.live_script))
            body class=(body_class) {
                a.skip href="#main" { (page.words.skip) }
                @if let Some(banner) = &page.banner { aside.banner aria-label=(banner) { p { (banner) } } }
                (top_line(&page))
                div.sheet {
                    @if let Some(spine) = &page.spine { (spine) }
                    main #main tabindex="-1" { (page.main) }
                }
                @if page.proof.is_some() || !page.footer.is_empty() {
                    footer.foot {
                        @if let Some(proof) = &page.proof { (proof) }
                        @if !page.footer.is_empty() {
                            ul.foot-links {
                                @for link in page.footer {
                                    li { a href=(link.href) { (link.label) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The head that pages and hall screens share.
pub(super) fn head(title: &str, office: Option<&str>, script: Option<&str>) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title {
                (title)
                @if let Some(office) = office {
                    @if !office.is_empty() && office != title { " · " (office) }
                }
            }
            link rel="icon" type="image/svg+xml" href=(assets::href("mark.svg"));
            link rel="stylesheet" href=(assets::href("fonts.css"));
            link rel="stylesheet" href=(assets::href("app.css"));
            @if let Some(name) = script { script src=(assets::href(name)) defer {} }
        }
    }
}

fn top_line(page: &Page<'_>) -> Markup {
    html! {
        header.top {
            div.top-in {
                a.brand href=(page.home) { (mark()) span { (page.office_name) } }
                @if !page.nav.is_empty() {
                    nav.main-nav aria-label=(page.words.nav) { (links(page.nav)) }
                }
                div.top-end {
                    @if !page.lang_switch.is_empty() {
                        nav.languages aria-label=(page.words.languages) { (languages(page.lang_switch)) }
                    }
                    @if let Some(who) = &page.who { div.who { (who) } }
                }
            }
        }
    }
}

fn links(entries: &[NavLink<'_>]) -> Markup {
    html! {
        ul {
            @for entry in entries {
                li {
                    a href=(entry.link.href) lang=[entry.lang]
                        aria-current=[entry.current.then_some("page")] { (entry.link.label) }
                }
            }
        }
    }
}

/// The current language is a word, the others are links that say in which language they lead on. Each has its own name
/// in itself, which must not be translated with the page.
fn languages(entries: &[NavLink<'_>]) -> Markup {
    html! {
        ul {
            @for entry in entries {
                li {
                    @if entry.current {
                        span lang=[entry.lang] translate="no" aria-current="true" { (entry.link.label) }
                    } @else {
                        a href=(entry.link.href) lang=[entry.lang] hreflang=[entry.lang] translate="no" rel="alternate" {
                            (entry.link.label)
                        }
                    }
                }
            }
        }
    }
}
