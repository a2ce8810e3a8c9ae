//! What happens by itself: mail leaves, old sessions and unfinished uploads go. One thread, ended with the server.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::account::Accounts;
use crate::outbox::{Outbox, Running};
use crate::post::Post;
use crate::upload::Uploads;

/// How often the logs are read for what people are told.
const POST: Duration = Duration::from_secs(3);
/// How often the outbox is emptied.
const DELIVERY: Duration = Duration::from_secs(5);
/// Rounds of the post between two sweeps: about an hour.
const SWEEP: u32 = 1200;

/// The thread; dropping it ends it.
pub struct Chores {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    _delivery: Option<Running>,
}

impl Chores {
    /// Starts the chores of a server. Without an outbox nobody is told anything.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn start(
        accounts: Arc<Accounts>,
        uploads: Arc<Uploads>,
        mail: Option<(Post, Arc<Outbox>)>,
    ) -> std::io::Result<Chores> {
        let (stop, stopped) = channel();
        let delivery = mail.as_ref().map(|(_, outbox)| outbox.start(DELIVERY)).transpose()?;
        let post = mail.map(|(post, _)| post);
        let thread = std::thread::Builder::new().name("chores".to_owned()).spawn(move || {
            let mut round = 0u32;
            while stopped.recv_timeout(POST) == Err(RecvTimeoutError::Timeout) {
                if let Some(Err(error)) = post.as_ref().map(|post| post.catch_up(&accounts)) {
                    tracing::error!(%error, "the post could not read the logs");
                }
                // Also where nobody writes: what is refused leaves no record.
                accounts.heng().logs().iter().for_each(|log| log.watch_clock());
                if round.is_multiple_of(SWEEP) {
                    if let Err(error) = accounts.sweep() {
                        tracing::error!(code = error.code(), "old sessions could not be swept");
                    }
                    if let Err(error) = uploads.expire() {
                        tracing::error!(code = error.code(), "old uploads could not be removed");
                    }
                }
                round = round.wrapping_add(1);
            }
        })?;
        Ok(Chores { stop: Some(stop), thread: Some(thread), _delivery: delivery })
    }
}

impl Drop for Chores {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
