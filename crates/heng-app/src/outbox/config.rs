//! What an operator says about the way of messages. Read from a TOML file; secrets are never printed.

use std::path::PathBuf;

use serde::Deserialize;

use crate::account::Hidden;

/// The outbox of an office.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboxConfig {
    /// The portal's address, `https://…/`: every link in a message begins with it.
    pub base_url: String,
    /// Seconds that a message waits before it leaves; until then it can be withdrawn.
    #[serde(default = "two_minutes")]
    pub delay_seconds: u32,
    /// Days that a message stays listed once it is sent, withdrawn or given up.
    #[serde(default = "a_quarter")]
    pub keep_days: u32,
    /// Mail. Without it messages to mail addresses wait, then are given up.
    #[serde(default)]
    pub mail: Option<MailConfig>,
    /// A service that sends text messages. Without it messages to telephones wait, then are given up.
    #[serde(default)]
    pub hook: Option<HookConfig>,
}

fn two_minutes() -> u32 {
    120
}

fn a_quarter() -> u32 {
    90
}

/// How a mail server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// Begins in clear and must change to TLS before anything is said (port 587).
    #[default]
    Starttls,
    /// TLS from the first byte (port 465).
    Tls,
    /// In clear; only to this machine (port 25).
    None,
}

/// A mail server that relays for us.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    /// Its name.
    pub host: String,
    /// Its port; that of the kind of security if left out.
    #[serde(default)]
    pub port: Option<u16>,
    /// How it is spoken to.
    #[serde(default)]
    pub security: Security,
    /// Sender, `name@example.gov` or `Name <name@example.gov>`.
    pub from: String,
    /// Where answers go, if not to the sender.
    #[serde(default)]
    pub reply_to: Option<String>,
    /// Account there.
    #[serde(default)]
    pub user: Option<String>,
    /// Its password.
    #[serde(default)]
    pub password: Option<Hidden<String>>,
    /// Certificates (PEM) to trust instead of the machine's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Seconds to wait for the server.
    #[serde(default = "half_a_minute")]
    pub timeout_seconds: u32,
}

/// A service that gets messages by HTTPS and sends them as text messages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookConfig {
    /// Its address, `https://…`. Nothing that a user types is ever part of it.
    pub url: String,
    /// The shared secret that signs each request (HMAC-SHA-256); at least 16 characters.
    pub secret: Hidden<String>,
    /// Hosts that may have an address inside a private network.
    #[serde(default)]
    pub private_hosts: Vec<String>,
    /// Allows `http://` to this machine, for tests and for a relay that runs beside Heng.
    #[serde(default)]
    pub http_on_loopback: bool,
    /// Certificates (PEM) to trust instead of the machine's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Seconds that a request may take.
    #[serde(default = "half_a_minute")]
    pub timeout_seconds: u32,
}

fn half_a_minute() -> u32 {
    30
}
