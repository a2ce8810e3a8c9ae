//! Mail by SMTP, over TLS unless the server is this machine.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use heng_domain::time::Instant;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{Address, SmtpTransport, Transport};

use crate::outbox::config::{MailConfig, Security};
use crate::outbox::error::{Failure, Obstacle, OutboxError};
use crate::outbox::template::Words;

/// A mail server.
pub(super) struct Mailer {
    transport: SmtpTransport,
    from: Mailbox,
    reply_to: Option<Mailbox>,
}

/// True if text is an address to which mail can go. Few servers take other letters than those of ASCII.
pub(crate) fn is_address(text: &str) -> bool {
    text.len() <= 254 && text.is_ascii() && text.parse::<Address>().is_ok()
}

fn config_error(what: &str, detail: impl std::fmt::Display) -> OutboxError {
    OutboxError::Config(format!("{what}: {detail}"))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl Mailer {
    pub(super) fn new(config: &MailConfig) -> Result<Mailer, OutboxError> {
        let mailbox = |what: &str, text: &str| text.parse().map_err(|error| config_error(what, error));
        let (tls, port) = match config.security {
            Security::Starttls => (Tls::Required(tls(config)?), 587),
            Security::Tls => (Tls::Wrapper(tls(config)?), 465),
            Security::None if is_loopback(&config.host) => (Tls::None, 25),
            Security::None => {
                return Err(OutboxError::Config(
                    "mail: security = \"none\" is only for a server on this machine. Use \"starttls\" or \"tls\""
                        .to_owned(),
                ));
            }
        };
        let mut builder = SmtpTransport::builder_dangerous(&config.host)
            .port(config.port.unwrap_or(port))
            .tls(tls)
            .timeout(Some(Duration::from_secs(config.timeout_seconds.into())));
        match (&config.user, &config.password) {
            (Some(user), Some(password)) => {
                builder = builder.credentials(Credentials::new(user.clone(), password.0.clone()));
            }
            (None, None) => {}
            _ => return Err(OutboxError::Config("mail: give both user and password, or neither".to_owned())),
        }
        Ok(Mailer {
            transport: builder.build(),
            from: mailbox("mail: from", &config.from)?,
            reply_to: config.reply_to.as_deref().map(|text| mailbox("mail: reply_to", text)).transpose()?,
        })
    }

    /// Sends a message. `id` is the same each time that this one is tried, so that a copy can be known as one.
    pub(super) fn send(&self, id: &str, to: &str, words: &Words, now: Instant) -> Result<(), Failure> {
        let message = self.message(id, to, words, now).map_err(|error| Failure::new(Obstacle::Refused, error))?;
        self.transport.send(&message).map(|_| ()).map_err(|error| failure(&error))
    }

    fn message(
        &self,
        id: &str,
        to: &str,
        words: &Words,
        now: Instant,
    ) -> Result<Message, Box<dyn std::error::Error + Send + Sync>> {
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.parse()?))
            .subject(words.subject.as_str())
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .date(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
            // No out-of-office answer to a machine (RFC 3834).
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN);
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        Ok(builder.body(words.body.clone())?)
    }
}

fn tls(config: &MailConfig) -> Result<TlsParameters, OutboxError> {
    let mut builder = TlsParameters::builder(config.host.clone());
    if let Some(path) = &config.ca_file {
        let what = format!("mail: ca_file {}", path.display());
        let pem = std::fs::read(path).map_err(|error| config_error(&what, error))?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| config_error(&what, error))?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build().map_err(|error| config_error("mail: TLS", error))
}

/// What an error means. What is wrong with the office's account or with the way to the server (it offers no TLS, say) is
/// not the message's fault: it is tried again.
fn failure(error: &lettre::transport::smtp::Error) -> Failure {
    let code = error.status().map(u16::from);
    let obstacle = match code {
        Some(530 | 534 | 535 | 538) => Obstacle::Login,
        _ if error.is_permanent() => Obstacle::Refused,
        _ if error.is_transient() => Obstacle::Busy,
        _ if error.is_tls() || is_untrusted(error) => Obstacle::Tls,
        _ => Obstacle::Unreachable,
    };
    Failure::new(obstacle, in_full(error))
}

/// So the TLS library says that it does not trust the other side.
fn is_untrusted(error: &dyn std::error::Error) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        let io = inner.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::InvalidData) {
            return true;
        }
        cause = inner.source();
    }
    false
}

fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}
