//! Which logs this server leads: session locks on a connection of their own, which the server releases when it is gone.

use std::collections::BTreeMap;
use std::time::Duration;

use postgres::{Client, Config};

use super::connection::{client, error};
use crate::error::{Result, StoreError};
use crate::hash_of;
use crate::schema as sql;

/// A machine that lost its power must not lead for the two hours that TCP would wait by default.
const KEEPALIVE: &str = "SET tcp_keepalives_idle = 10; \
    SET tcp_keepalives_interval = 5; \
    SET tcp_keepalives_count = 3";

pub(super) struct Leader {
    config: Config,
    client: Option<Client>,
    led: BTreeMap<String, i64>,
}

impl Leader {
    pub(super) fn new(config: Config) -> Leader {
        Leader { config, client: None, led: BTreeMap::new() }
    }

    /// The connection, to be given to [`release`].
    pub(super) fn take(&mut self) -> Option<Client> {
        self.client.take()
    }

    /// Takes the lead of a log, or makes sure that it is still held. A connection that was lost took all leads with it,
    /// so they are taken anew; another server may have been faster.
    pub(super) fn lead(&mut self, log: &str) -> Result<()> {
        let alive = |client: &mut Client| client.is_valid(Duration::from_secs(10)).is_ok();
        let held = self.client.take().and_then(|mut client| alive(&mut client).then_some(client));
        let mut client = match held {
            Some(client) => client,
            None => self.connect()?,
        };
        let led = if self.led.contains_key(log) { Ok(()) } else { self.lock(&mut client, log) };
        self.client = Some(client);
        led
    }

    fn connect(&mut self) -> Result<Client> {
        let mut client = client(&self.config)?;
        client.batch_execute(KEEPALIVE).map_err(error)?;
        for (log, number) in std::mem::take(&mut self.led) {
            if try_lock(&mut client, number)? {
                self.led.insert(log, number);
            }
        }
        Ok(client)
    }

    fn lock(&mut self, client: &mut Client, log: &str) -> Result<()> {
        // Locks belong to the whole database; offices in schemas of their own may use the same names of logs.
        let schema: String =
            client.query_one(sql::CURRENT_SCHEMA, &[]).and_then(|row| row.try_get(0)).map_err(error)?;
        let [a, b, c, d, e, f, g, h, ..] = hash_of(format!("lead {schema} {log}").as_bytes());
        let number = i64::from_be_bytes([a, b, c, d, e, f, g, h]);
        // A server that was just killed is noticed by PostgreSQL a moment later.
        for wait in [50, 100, 200, 0] {
            if try_lock(client, number)? {
                self.led.insert(log.to_owned(), number);
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(wait));
        }
        Err(StoreError::Busy { what: format!("the log {log}") })
    }
}

/// Gives all leads back at once: after a close the server would take its time.
pub(super) fn release(client: Option<Client>) {
    if let Some(mut client) = client {
        // If it cannot be told, it finds out by itself.
        let _ = client.batch_execute(sql::RELEASE);
    }
}

fn try_lock(client: &mut Client, number: i64) -> Result<bool> {
    client.query_one(sql::LEAD, &[&number]).and_then(|row| row.try_get(0)).map_err(error)
}
