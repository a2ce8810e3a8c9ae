//! The proof line: as of when, under which root, and where to check it.

use maud::{Markup, html};

use super::{Link, Text};

/// What the proof line says.
#[derive(Clone, Debug, Default)]
pub struct Proof<'a> {
    /// "As of 12 May 2026, 14:03:22".
    pub as_of: Text<'a>,
    /// The same moment for machines (RFC 3339).
    pub datetime: Text<'a>,
    /// The word before the code ("Root code").
    pub root_label: Text<'a>,
    /// The root code in hexadecimal; groups are made here.
    pub root: Text<'a>,
    /// "Check this page".
    pub check: Link<'a>,
}

/// The last line of a case page.
#[must_use]
pub fn proof_line(proof: &Proof<'_>) -> Markup {
    html! {
        p.proof {
            time datetime=(proof.datetime) { (proof.as_of) }
            span.proof-root { (proof.root_label) " " (root_code(&proof.root)) }
            a href=(proof.check.href) { (proof.check.label) }
        }
    }
}

/// A hash in groups of four characters, so that two people can read it to each other.
#[must_use]
pub fn root_code(code: &str) -> Markup {
    html! { code.root translate="no" { (groups(code)) } }
}

fn groups(code: &str) -> String {
    let mut out = String::with_capacity(code.len() + code.len() / 4);
    for (index, character) in code.chars().filter(|c| !c.is_whitespace()).enumerate() {
        if index > 0 && index % 4 == 0 {
            out.push(' ');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_code_is_cut_into_fours() {
        assert_eq!(super::groups("3f9a77c201"), "3f9a 77c2 01");
        assert_eq!(super::groups("3f9a 77c2"), "3f9a 77c2");
        assert_eq!(super::groups(""), "");
    }
}
