//! Notices, decisions and other papers in the layout of official documents.

use maud::{Markup, html};

use super::Text;

/// How a paper lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PaperLook {
    /// An official document.
    #[default]
    Upright,
    /// With tables that need the long side of the sheet.
    Landscape,
    /// One seal, much paper.
    Certificate,
}

/// A document that an authority publishes.
#[derive(Clone, Debug, Default)]
pub struct NoticePaper<'a> {
    /// The issuing authority, as the head of the document.
    pub issuer: Text<'a>,
    /// The document number, if it has one.
    pub number: Option<Text<'a>>,
    /// The title.
    pub title: Text<'a>,
    /// To whom it is addressed; a public notice has none.
    pub addressee: Option<Text<'a>>,
    /// Paragraphs and tables.
    pub body: Markup,
    /// The word before the list of annexes ("Annexes").
    pub annex_label: Text<'a>,
    /// The annexes.
    pub annexes: Vec<Text<'a>>,
    /// Who signs; the seal goes over this line. Empty where nobody does.
    pub signer: Text<'a>,
    /// The date of the document, written out.
    pub date: Text<'a>,
    /// The same date for machines.
    pub datetime: Text<'a>,
    /// What stands where the seal goes ("Seal").
    pub seal: Option<Text<'a>>,
    /// Lines to sign on by hand.
    pub signatures: Vec<Text<'a>>,
    /// The line at the head of every printed page.
    pub running: Option<Text<'a>>,
    /// The last lines: contact, or where to check the document.
    pub foot: Option<Markup>,
    /// How it lies.
    pub look: PaperLook,
}

/// The document as a sheet of paper; it prints on A4 without the frame of the site.
#[must_use]
pub fn notice_paper(paper: &NoticePaper<'_>) -> Markup {
    let look = match paper.look {
        PaperLook::Upright => "paper",
        PaperLook::Landscape => "paper paper-landscape",
        PaperLook::Certificate => "paper paper-certificate",
    };
    html! {
        article class=(look) {
            @if let Some(running) = &paper.running { div.paper-run aria-hidden="true" { p { (running) } } }
            div.paper-sheet {
                header.paper-head {
                    p.paper-issuer { (paper.issuer) }
                    @if let Some(number) = &paper.number { p.paper-number { (number) } }
                }
                h1.paper-title { (paper.title) }
                @if let Some(addressee) = &paper.addressee { p.paper-addressee { (addressee) } }
                div.paper-body { (paper.body) }
                @if !paper.annexes.is_empty() {
                    div.paper-annexes {
                        p { (paper.annex_label) }
                        ol { @for annex in &paper.annexes { li { (annex) } } }
                    }
                }
                @if !paper.signatures.is_empty() {
                    ul.paper-signatures { @for line in &paper.signatures { li { (line) } } }
                }
                @if !paper.signer.is_empty() {
                    div.paper-sign {
                        @if let Some(seal) = &paper.seal { span.paper-seal { (seal) } }
                        p { (paper.signer) }
                        p { time datetime=(paper.datetime) { (paper.date) } }
                    }
                }
                @if let Some(foot) = &paper.foot { footer.paper-foot { (foot) } }
            }
        }
    }
}
