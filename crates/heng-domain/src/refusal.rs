//! A refusal is a value: a stable code, the article it rests on, and the parameters of its sentence.
//!
//! The sentence itself is made from the message files in the reader's language (`messages.rs`).

use std::collections::BTreeMap;

use serde::Serialize;

/// Why a record may not follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Stable code, e.g. `application.late`: scripts and tests rely on it.
    pub code: &'static str,
    /// Document and article; empty where the reason is the form of the record itself.
    pub basis: String,
    /// Parameters of the sentence, by name.
    pub params: BTreeMap<&'static str, String>,
}

impl Refusal {
    /// A refusal without parameters.
    pub fn new(code: &'static str, basis: impl Into<String>) -> Refusal {
        Refusal { code, basis: basis.into(), params: BTreeMap::new() }
    }

    /// Adds a parameter of the sentence.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Refusal {
        self.params.insert(name, value.to_string());
        self
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::messages::refusal(crate::text::Lang::En, self))
    }
}

impl std::error::Error for Refusal {}

/// What `admit` says.
pub type Verdict = Result<(), Refusal>;

/// `refuse!("code", basis, name = value, …)`: returns the refusal.
macro_rules! refuse {
    ($code:literal, $basis:expr $(, $name:ident = $value:expr)* $(,)?) => {
        return Err($crate::refusal::Refusal::new($code, $basis)$(.with(stringify!($name), $value))*)
    };
}

/// `ensure!(condition, "code", basis, name = value, …)`: refuses unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $code:literal, $basis:expr $(, $name:ident = $value:expr)* $(,)?) => {
        if !$condition {
            $crate::refusal::refuse!($code, $basis $(, $name = $value)*);
        }
    };
}

pub(crate) use {ensure, refuse};
