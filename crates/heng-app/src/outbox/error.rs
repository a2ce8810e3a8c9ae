//! What can go wrong with a message: before it is taken, and on its way.

use heng_domain::messages;
use heng_domain::text::Lang;
use heng_store::StoreError;
use serde::{Deserialize, Serialize};

/// Why a message was not taken, found or withdrawn.
#[derive(Debug)]
pub enum OutboxError {
    /// The address is none.
    Address,
    /// A value of the text is missing, too many, empty, too long, or holds control characters.
    Place {
        /// Its name.
        place: String,
    },
    /// A link leads somewhere else than to this office's portal.
    Link,
    /// There is no such message.
    Unknown,
    /// The message has left already.
    Gone,
    /// The configuration cannot be used: what is wrong and what to do, for the operator.
    Config(String),
    /// The store failed.
    Failed(StoreError),
}

impl OutboxError {
    /// Stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            OutboxError::Address => "outbox.address",
            OutboxError::Place { .. } => "outbox.place",
            OutboxError::Link => "outbox.link",
            OutboxError::Unknown => "outbox.unknown",
            OutboxError::Gone => "outbox.gone",
            OutboxError::Config(_) => "outbox.config",
            OutboxError::Failed(_) => "outbox.failed",
        }
    }

    /// The sentence: what was wrong, and what to do.
    pub fn message(&self, lang: Lang) -> String {
        let params = match self {
            OutboxError::Place { place } => vec![("place", place.as_str())],
            OutboxError::Config(detail) => vec![("detail", detail.as_str())],
            _ => Vec::new(),
        };
        messages::message(lang, "outbox", self.code(), params)
    }
}

impl std::fmt::Display for OutboxError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message(Lang::En))
    }
}

impl std::error::Error for OutboxError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            OutboxError::Failed(error) => Some(error),
            _ => None,
        }
    }
}

impl From<StoreError> for OutboxError {
    fn from(error: StoreError) -> OutboxError {
        OutboxError::Failed(error)
    }
}

/// What kind of obstacle a message met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// No way is configured for this kind of address.
    NoWay,
    /// The server cannot be reached, or broke off.
    Unreachable,
    /// No secure connection could be made.
    Tls,
    /// The server does not know us: account or secret are wrong.
    Login,
    /// The server is busy and asks to come again.
    Busy,
    /// The server refuses this message or this address for good.
    Refused,
    /// The address leads into a network where no message may go.
    Forbidden,
    /// Heng stopped while it was sending. Whether it left is not known, so it is sent again under the same name.
    Interrupted,
}

impl Obstacle {
    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Obstacle::NoWay => "outbox.no_way",
            Obstacle::Unreachable => "outbox.unreachable",
            Obstacle::Tls => "outbox.tls",
            Obstacle::Login => "outbox.login",
            Obstacle::Busy => "outbox.busy",
            Obstacle::Refused => "outbox.refused",
            Obstacle::Forbidden => "outbox.forbidden",
            Obstacle::Interrupted => "outbox.interrupted",
        }
    }

    /// True if trying again cannot help.
    pub const fn is_final(self) -> bool {
        matches!(self, Obstacle::Refused)
    }
}

/// Why a message did not leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Kind.
    pub obstacle: Obstacle,
    /// What the other side said: for the office's eyes, not for the server's log, since it may repeat an address.
    pub said: String,
}

impl Failure {
    /// A failure; of what the other side said one line is kept.
    pub(super) fn new(obstacle: Obstacle, said: impl std::fmt::Display) -> Failure {
        let said = said.to_string();
        let line = said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300);
        Failure { obstacle, said: line.collect() }
    }

    /// The sentence.
    pub fn message(&self, lang: Lang) -> String {
        messages::message(lang, "outbox", self.obstacle.code(), [("said", self.said.as_str())])
    }
}
