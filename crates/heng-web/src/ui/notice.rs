//! Notices and decisions in the layout of official documents.

use maud::{Markup, html};

use super::Text;

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
    /// Who signs; the seal goes over this line.
    pub signer: Text<'a>,
    /// The date of the document, written out.
    pub date: Text<'a>,
    /// The same date for machines.
    pub datetime: Text<'a>,
    /// What stands where the seal goes ("Seal").
    pub seal: Option<Text<'a>>,
    /// The last lines: contact, or where to check the document.
    pub foot: Option<Markup>,
}

/// The document as a sheet of paper; it prints on A4 without the frame of the site.
#[must_use]
pub fn notice_paper(paper: &NoticePaper<'_>) -> Markup {
    html! {
        article.paper {
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
            div.paper-sign {
                @if let Some(seal) = &paper.seal { span.paper-seal { (seal) } }
                p { (paper.signer) }
                p { time datetime=(paper.datetime) { (paper.date) } }
            }
            @if let Some(foot) = &paper.foot { footer.paper-foot { (foot) } }
        }
    }
}
