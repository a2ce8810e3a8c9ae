//! Messages to people: put, held for a moment, sent once, tried again when a server is down.
//!
//! A message is an operational row. It waits two minutes before it leaves, so that a bulk act can be taken back; then
//! one server claims it (a swap of the row), sends it, and writes down what happened. A server that stops in between leaves
//! a claim that is taken up again later: the message then goes out twice under the same name, rather than never.
//!
//! Once a message has left, what it said is deleted; that it left stays listed.

mod config;
mod error;
mod hook;
mod mail;
mod template;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use heng_domain::time::Instant;
use heng_log::sha256;
use heng_store::{Store, StoreError};
use serde::{Deserialize, Serialize};

pub use self::config::{HookConfig, MailConfig, OutboxConfig, Security};
pub use self::error::{Failure, Obstacle, OutboxError};
pub(crate) use self::hook::is_phone;
use self::hook::{Hook, TextMessage};
use self::mail::Mailer;
pub(crate) use self::mail::is_address;
pub use self::template::{Template, Words};
use crate::account::{Language, Outgoing};
use crate::clock::Clock;

type Result<T> = std::result::Result<T, OutboxError>;

/// Kind of the operational rows.
const ROWS: &str = "outbox";

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// How long to wait after each failure; after the last one the message is given up, some three days after the first.
const WAITS: [i64; 9] = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR, 24 * HOUR];

/// A claim that is older belongs to a server that stopped. Longer than any conversation with a server takes.
const CLAIM: i64 = 15 * MINUTE;

/// The longest time that may be set for an answer; several answers make a conversation.
const TIMEOUT_MAX: u32 = 60;

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum To {
    /// A mail address.
    Mail(String),
    /// A telephone: digits, with or without `+`.
    Phone(String),
}

/// The name of a message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MessageId(String);

impl MessageId {
    /// The name of the message with this key.
    pub fn of(key: &str) -> MessageId {
        MessageId(hex::encode(sha256(format!("heng/outbox/{key}").as_bytes()).0.split_at(16).0))
    }

    /// Reads a name from an address; nothing if it cannot be one.
    pub fn parse(text: &str) -> Option<MessageId> {
        let hex = text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
        hex.then(|| MessageId(text.to_owned()))
    }

    /// As it stands in an address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a message stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum State {
    /// It has not been tried yet.
    Waiting {
        /// When it leaves.
        due: Instant,
    },
    /// A server is sending it.
    Sending {
        /// Since when.
        since: Instant,
    },
    /// It was tried in vain and will be tried again.
    Failed {
        /// When.
        next: Instant,
    },
    /// The other side has it.
    Sent {
        /// When.
        at: Instant,
    },
    /// It will not be tried again.
    GivenUp {
        /// Since when.
        at: Instant,
    },
    /// It was taken back before it left.
    Withdrawn {
        /// When.
        at: Instant,
    },
}

/// What a message says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Content {
    /// A text of the outbox.
    Template { template: Template, params: Vec<(String, String)> },
    /// What an account's owner is told.
    Notice(Outgoing),
    /// Nothing any more: it has left.
    Left { name: String },
}

impl Content {
    fn name(&self) -> &str {
        match self {
            Content::Template { template, .. } => template.section(),
            Content::Notice(_) => "account",
            Content::Left { name } => name,
        }
    }

    fn words(&self, lang: Language) -> Option<Words> {
        match self {
            Content::Template { template, params } => Some(template.words(lang, params)),
            Content::Notice(outgoing) => {
                let (subject, body) = (outgoing.subject(), outgoing.text());
                Some(Words { subject, sms: body.clone(), body })
            }
            Content::Left { .. } => None,
        }
    }
}

/// A message as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Row {
    to: To,
    lang: Language,
    content: Content,
    put: Instant,
    state: State,
    attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
}

impl Row {
    /// When it may be sent; nothing if it is done with.
    fn due(&self) -> Option<Instant> {
        match self.state {
            State::Waiting { due } => Some(due),
            State::Failed { next } => Some(next),
            State::Sending { since } => since.plus_millis(CLAIM),
            State::Sent { .. } | State::GivenUp { .. } | State::Withdrawn { .. } => None,
        }
    }

    /// When it was done with.
    fn done(&self) -> Option<Instant> {
        match self.state {
            State::Sent { at } | State::GivenUp { at } | State::Withdrawn { at } => Some(at),
            _ => None,
        }
    }
}

/// A message as the office sees it.
#[derive(Clone, Debug)]
pub struct Posted {
    /// Its name.
    pub id: MessageId,
    /// Where it goes.
    pub to: To,
    /// Language.
    pub lang: Language,
    /// Which text: the section of the message files.
    pub text: String,
    /// What it says, while it has not left. A link is shown as `…`: it may be a key to somebody's account.
    pub words: Option<Words>,
    /// When it was put.
    pub put: Instant,
    /// Where it stands.
    pub state: State,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last try failed.
    pub failure: Option<Failure>,
}

/// What one round of sending did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Sent.
    pub sent: usize,
    /// To be tried again.
    pub failed: usize,
    /// Given up.
    pub given_up: usize,
}

/// All messages of an office.
pub struct Outbox {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    base_url: String,
    delay: i64,
    keep_days: i64,
    mailer: Option<Mailer>,
    hook: Option<Hook>,
}

impl Outbox {
    /// The outbox over a store.
    ///
    /// # Errors
    /// [`OutboxError::Config`].
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, config: &OutboxConfig) -> Result<Outbox> {
        let timeouts =
            config.mail.iter().map(|c| c.timeout_seconds).chain(config.hook.iter().map(|c| c.timeout_seconds));
        if timeouts.into_iter().any(|seconds| !(1..=TIMEOUT_MAX).contains(&seconds)) {
            return Err(OutboxError::Config(format!("timeout_seconds must be 1 to {TIMEOUT_MAX}")));
        }
        Ok(Outbox {
            store,
            clock,
            base_url: base_url(&config.base_url)?,
            delay: i64::from(config.delay_seconds) * SECOND,
            keep_days: config.keep_days.into(),
            mailer: config.mail.as_ref().map(Mailer::new).transpose()?,
            hook: config.hook.as_ref().map(Hook::new).transpose()?,
        })
    }

    /// Whether text messages can be sent.
    pub fn has_hook(&self) -> bool {
        self.hook.is_some()
    }

    /// The address that every link begins with.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Puts a message. It leaves after the delay, and not before `not_before`. `key` names what it is about: the same key
    /// once more puts nothing, unless the message was withdrawn.
    ///
    /// # Errors
    /// [`OutboxError::Address`], [`OutboxError::Place`], [`OutboxError::Link`], [`OutboxError::Failed`].
    pub fn put(
        &self,
        key: &str,
        to: &To,
        lang: Language,
        template: Template,
        params: &[(&str, &str)],
        not_before: Option<Instant>,
    ) -> Result<MessageId> {
        let params: Vec<_> = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        template.check(&params, &self.base_url)?;
        self.add(key, to, lang, Content::Template { template, params }, not_before)
    }

    /// Puts what an account's owner is told; nothing if the account has no address.
    ///
    /// # Errors
    /// [`OutboxError::Address`], [`OutboxError::Failed`].
    pub fn put_notice(&self, key: &str, outgoing: &Outgoing) -> Result<Option<MessageId>> {
        let Some(to) = &outgoing.to else { return Ok(None) };
        let content = Content::Notice(outgoing.clone());
        self.add(key, &To::Mail(to.clone()), outgoing.language, content, None).map(Some)
    }

    fn add(
        &self,
        key: &str,
        to: &To,
        lang: Language,
        content: Content,
        not_before: Option<Instant>,
    ) -> Result<MessageId> {
        let fits = match to {
            To::Mail(address) => is_address(address),
            To::Phone(number) => is_phone(number),
        };
        if !fits {
            return Err(OutboxError::Address);
        }
        let put = self.clock.now();
        let due = put.plus_millis(self.delay).unwrap_or(put).max(not_before.unwrap_or(put));
        let state = State::Waiting { due };
        let row = to_bytes(&Row { to: to.clone(), lang, content, put, state, attempts: 0, failure: None })?;
        let id = MessageId::of(key);
        loop {
            let found = self.store.row(ROWS, &id.0)?;
            if let Some(bytes) = &found
                && !matches!(from_bytes(&id.0, bytes)?.state, State::Withdrawn { .. })
            {
                return Ok(id);
            }
            if self.store.swap_row(ROWS, &id.0, found.as_deref(), Some(&row))? {
                return Ok(id);
            }
        }
    }

    /// Takes a message back that has not left.
    ///
    /// # Errors
    /// [`OutboxError::Gone`] if it has, or is leaving; [`OutboxError::Unknown`], [`OutboxError::Failed`].
    pub fn withdraw(&self, id: &MessageId) -> Result<()> {
        let at = self.clock.now();
        self.change(id, |row| match row.state {
            State::Waiting { .. } | State::Failed { .. } | State::GivenUp { .. } => {
                row.state = State::Withdrawn { at };
                Ok(())
            }
            State::Withdrawn { .. } => Ok(()),
            State::Sending { .. } | State::Sent { .. } => Err(OutboxError::Gone),
        })
    }

    /// Lets a message that failed or was given up leave now, with all tries anew.
    ///
    /// # Errors
    /// [`OutboxError::Gone`] if it has left, waits or was withdrawn; [`OutboxError::Unknown`], [`OutboxError::Failed`].
    pub fn retry(&self, id: &MessageId) -> Result<()> {
        let due = self.clock.now();
        self.change(id, |row| match row.state {
            State::Failed { .. } | State::GivenUp { .. } => {
                row.state = State::Waiting { due };
                row.attempts = 0;
                Ok(())
            }
            _ => Err(OutboxError::Gone),
        })
    }

    fn change(&self, id: &MessageId, change: impl Fn(&mut Row) -> Result<()>) -> Result<()> {
        loop {
            let bytes = self.store.row(ROWS, &id.0)?.ok_or(OutboxError::Unknown)?;
            let mut row = from_bytes(&id.0, &bytes)?;
            change(&mut row)?;
            if self.store.swap_row(ROWS, &id.0, Some(&bytes), Some(&to_bytes(&row)?))? {
                return Ok(());
            }
        }
    }

    /// All messages, newest first.
    ///
    /// # Errors
    /// [`OutboxError::Failed`].
    pub fn messages(&self) -> Result<Vec<Posted>> {
        let mut out = Vec::new();
        for (id, bytes) in self.store.rows(ROWS)? {
            out.push(posted(MessageId(id.clone()), from_bytes(&id, &bytes)?));
        }
        out.sort_by(|a, b| b.put.cmp(&a.put).then_with(|| a.id.cmp(&b.id)));
        Ok(out)
    }

    /// A message.
    ///
    /// # Errors
    /// [`OutboxError::Unknown`], [`OutboxError::Failed`].
    pub fn message(&self, id: &MessageId) -> Result<Posted> {
        let bytes = self.store.row(ROWS, &id.0)?.ok_or(OutboxError::Unknown)?;
        Ok(posted(id.clone(), from_bytes(&id.0, &bytes)?))
    }

    /// Sends what is due and forgets what is old. Two rounds at once, on one server or on two, send nothing twice.
    ///
    /// # Errors
    /// [`OutboxError::Failed`] if the store fails; a mail server that fails is no error here.
    pub fn deliver_due(&self, now: Instant) -> Result<Delivery> {
        self.deliver(now, &|| false)
    }

    fn deliver(&self, now: Instant, stop: &dyn Fn() -> bool) -> Result<Delivery> {
        let mut due = Vec::new();
        for (id, bytes) in self.store.rows(ROWS)? {
            // One damaged row must not keep all others back.
            let row = match from_bytes(&id, &bytes) {
                Ok(row) => row,
                Err(error) => {
                    tracing::error!(message = id, "a message of the outbox cannot be read: {error:?}");
                    continue;
                }
            };
            if row.due().is_some_and(|due| due <= now) {
                due.push((row.due(), id, bytes, row));
            } else if row.done().and_then(|at| at.plus_days(self.keep_days)).is_some_and(|end| end <= now) {
                self.store.swap_row(ROWS, &id, Some(&bytes), None)?;
            }
        }
        due.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        let mut delivery = Delivery::default();
        for (_, id, bytes, row) in due {
            if stop() {
                break;
            }
            self.deliver_one(&id, &bytes, row, now, &mut delivery)?;
        }
        Ok(delivery)
    }

    fn deliver_one(&self, id: &str, bytes: &[u8], mut row: Row, now: Instant, delivery: &mut Delivery) -> Result<()> {
        if matches!(row.state, State::Sending { .. }) {
            row.failure = Some(Failure::new(Obstacle::Interrupted, ""));
        }
        row.state = State::Sending { since: now };
        row.attempts = row.attempts.saturating_add(1);
        let claimed = to_bytes(&row)?;
        if !self.store.swap_row(ROWS, id, Some(bytes), Some(&claimed))? {
            // Somebody withdrew it, or another server was faster.
            return Ok(());
        }
        let text = row.content.name().to_owned();
        match self.send(id, &row, now) {
            Ok(()) => {
                tracing::info!(message = id, text, attempts = row.attempts, "sent");
                row.state = State::Sent { at: now };
                row.failure = None;
                row.content = Content::Left { name: text };
                delivery.sent += 1;
            }
            Err(failure) => {
                let wait = usize::try_from(row.attempts).ok().and_then(|n| WAITS.get(n.saturating_sub(1)));
                let next = wait.filter(|_| !failure.obstacle.is_final()).and_then(|wait| now.plus_millis(*wait));
                let code = failure.obstacle.code();
                tracing::warn!(message = id, text, attempts = row.attempts, code, again = next.is_some(), "not sent");
                row.failure = Some(failure);
                row.state = match next {
                    Some(next) => {
                        delivery.failed += 1;
                        State::Failed { next }
                    }
                    None => {
                        delivery.given_up += 1;
                        State::GivenUp { at: now }
                    }
                };
            }
        }
        // Only this server writes a row that it has claimed, so long as the claim lasts.
        self.store.swap_row(ROWS, id, Some(&claimed), Some(&to_bytes(&row)?))?;
        Ok(())
    }

    fn send(&self, id: &str, row: &Row, now: Instant) -> std::result::Result<(), Failure> {
        let no_way = || Failure::new(Obstacle::NoWay, "");
        let words = row.content.words(row.lang).ok_or_else(no_way)?;
        match &row.to {
            To::Mail(address) => self.mailer.as_ref().ok_or_else(no_way)?.send(id, address, &words, now),
            To::Phone(number) => {
                let (lang, template, text) = (row.lang.tag(), row.content.name(), words.sms.as_str());
                let message = TextMessage { id, to: number, lang, template, text };
                self.hook.as_ref().ok_or_else(no_way)?.send(&message, now.millis() / SECOND)
            }
        }
    }

    /// Sends what is due every so often, on a thread of its own, until the result is stopped or dropped.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(self: &Arc<Self>, every: Duration) -> std::io::Result<Running> {
        let (stop, stopped) = channel();
        let flag = Arc::new(AtomicBool::new(false));
        let (outbox, ending) = (Arc::clone(self), Arc::clone(&flag));
        let run = move || outbox.run(every, &stopped, &ending);
        let thread = std::thread::Builder::new().name("heng-outbox".to_owned()).spawn(run)?;
        Ok(Running { stop: Some(stop), flag, thread: Some(thread) })
    }

    fn run(&self, every: Duration, stopped: &Receiver<()>, ending: &AtomicBool) {
        while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
            // A store that fails may work again the next time; what is due stays due.
            if let Err(error) = self.deliver(self.clock.now(), &|| ending.load(Ordering::Acquire)) {
                tracing::error!(code = error.code(), "the outbox could not be read or written");
            }
        }
    }
}

/// The thread that sends messages.
pub struct Running {
    stop: Option<Sender<()>>,
    flag: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Ends the thread after the message that it is sending.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.flag.store(true, Ordering::Release);
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the outbox ended with a panic; messages wait for the next start");
        }
    }
}

fn base_url(url: &str) -> Result<String> {
    let wrong = || OutboxError::Config("base_url must be the portal's address, https://…".to_owned());
    let parsed = url::Url::parse(url).map_err(|_| wrong())?;
    let local = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let plain = parsed.query().is_none() && parsed.fragment().is_none() && parsed.username().is_empty();
    if !plain || !(parsed.scheme() == "https" || (parsed.scheme() == "http" && local)) {
        return Err(wrong());
    }
    // With the slash at the end no other host can begin like it.
    Ok(format!("{}/", parsed.as_str().trim_end_matches('/')))
}

fn posted(id: MessageId, mut row: Row) -> Posted {
    if let Content::Template { params, .. } = &mut row.content {
        for (_, value) in params.iter_mut().filter(|(name, _)| name == "link") {
            "…".clone_into(value);
        }
    }
    let Row { to, lang, content, put, state, attempts, failure } = row;
    let (text, words) = (content.name().to_owned(), content.words(lang));
    Posted { id, to, lang, text, words, put, state, attempts, failure }
}

fn to_bytes(row: &Row) -> Result<Vec<u8>> {
    serde_json::to_vec(row).map_err(|error| damaged("a new message", &error))
}

fn from_bytes(id: &str, bytes: &[u8]) -> Result<Row> {
    serde_json::from_slice(bytes).map_err(|error| damaged(id, &error))
}

fn damaged(id: &str, error: &serde_json::Error) -> OutboxError {
    OutboxError::Failed(StoreError::Damaged { what: format!("the message {id}"), detail: error.to_string() })
}
