//! The visual system: typed building blocks that turn texts and numbers into HTML.
//!
//! Nothing here knows a language, a clock or a rule. Every visible word is passed in, so the same
//! block serves every language, and every page that is made of these blocks looks and behaves
//! alike. Nothing here writes an inline style or script: the content policy of the site forbids
//! both.

mod facts;
mod form;
mod grid;
mod hall;
mod mark;
mod notice;
mod page;
mod picture;
mod proof;
mod sentence;
mod stage;
mod table;
mod tag;
mod votes;

// A test may stop at the first surprise.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod contrast;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use facts::{Pager, RegisterEntry, empty_state, facts, pager, register_list};
pub use form::{
    Choose, Field, FieldKind, Form, button_link, button_post, error_summary, field, form, saved_line, submit,
};
pub use grid::Grid;
pub use hall::{HallCheck, HallPage, HallResult, hall_check, hall_layout, hall_presence, hall_result};
pub use mark::mark;
pub use notice::{NoticePaper, PaperLook, notice_paper};
pub use page::{NavLink, Page, PageWords, layout};
pub use picture::{
    Bar, Level, MoneyPart, MoneyYear, PictureWords, Point, ProfileBar, Tile, funnel_svg, money_svg, profile_svg,
    qr_svg, tiles, trend_svg,
};
pub use proof::{Proof, proof_line, root_code};
pub use sentence::{Action, NextStep, next_step, result_sentence, sentence, title_block};
pub use stage::{StageMark, StageState, stage_line};
pub use table::{Column, Row, filter_line, table};
pub use tag::{Tone, note, refusal, status_tag};
pub use votes::{Choice, VoteSquare, votes_grid};

/// A visible text: borrowed where the message catalogue has it, owned where it was put together.
pub type Text<'a> = std::borrow::Cow<'a, str>;

/// A text that leads somewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link<'a> {
    /// What the reader sees.
    pub label: Text<'a>,
    /// Where it leads.
    pub href: Text<'a>,
}

impl<'a> Link<'a> {
    /// A link from its text and its target.
    pub fn new(label: impl Into<Text<'a>>, href: impl Into<Text<'a>>) -> Self {
        Self { label: label.into(), href: href.into() }
    }
}
