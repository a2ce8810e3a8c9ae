//! Tiles: one named square for each county or unit, with its figure.

use maud::{Markup, html};

use crate::ui::{Text, Tone};

/// One tile.
#[derive(Clone, Debug, Default)]
pub struct Tile<'a> {
    /// The county or unit.
    pub name: Text<'a>,
    /// Its figure or grade.
    pub value: Text<'a>,
    /// What the figure means, in a word; may be empty.
    pub word: Text<'a>,
    /// How it stands.
    pub tone: Tone,
    /// Its page.
    pub href: Option<Text<'a>>,
}

/// The tiles in the caller's order; `label` says what they show.
#[must_use]
pub fn tiles(label: &str, tiles: &[Tile<'_>]) -> Markup {
    html! {
        ul.tiles aria-label=(label) {
            @for tile in tiles {
                li class=(tile.tone.class()) {
                    span.tile-name {
                        @if let Some(href) = &tile.href { a href=(href) { (tile.name) } } @else { (tile.name) }
                    }
                    span.tile-value { (tile.value) }
                    @if !tile.word.is_empty() { span.tile-word { (tile.word) } }
                }
            }
        }
    }
}
