//! How often somebody may try. Pure: time comes in as an argument.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use heng_domain::time::Instant;
use serde::{Deserialize, Serialize};

use super::{DAY, HOUR, MINUTE, after};

const TRIES: usize = 5;
const WINDOW: i64 = 15 * MINUTE;
const LONGEST: i64 = DAY;

/// Wrong attempts at one sign-in name: five within 15 minutes begin a wait of 15 minutes, and each further wait is twice
/// as long, up to a day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lockout {
    wrong: Vec<Instant>,
    waits: u32,
    until: Option<Instant>,
}

impl Lockout {
    /// Until when nobody may try.
    pub fn until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| now < *until)
    }

    /// Counts an attempt as wrong; the time, if a wait begins with it.
    pub fn wrong(&mut self, now: Instant) -> Option<Instant> {
        if self.forgotten(now) {
            *self = Lockout::default();
        }
        self.wrong.retain(|at| now < after(*at, WINDOW));
        self.wrong.push(now);
        if self.wrong.len() < TRIES {
            return None;
        }
        let wait = WINDOW.saturating_mul(1 << self.waits.min(16)).min(LONGEST);
        *self = Lockout { wrong: Vec::new(), waits: self.waits + 1, until: Some(after(now, wait)) };
        self.until
    }

    /// A day after the last wait or attempt nothing counts any more.
    pub fn forgotten(&self, now: Instant) -> bool {
        self.wrong.iter().chain(&self.until).all(|at| now >= after(*at, DAY))
    }
}

/// A token bucket for each client address, in memory: full at first, refilled evenly over its span.
#[derive(Debug)]
pub struct Buckets {
    /// Milliseconds in which an empty bucket fills.
    span: i64,
    /// Milliseconds that a token takes to come back.
    price: i64,
    /// For each address: how many milliseconds' worth of tokens were left, and when.
    left: Mutex<BTreeMap<IpAddr, (i64, Instant)>>,
}

/// So many addresses at most; beyond, full buckets are dropped first and then all.
const ADDRESSES: usize = 100_000;

impl Buckets {
    /// Buckets of `tokens` for each minute.
    pub fn per_minute(tokens: u32) -> Buckets {
        Buckets::new(tokens, MINUTE)
    }

    /// Buckets of `tokens` for each hour.
    pub fn per_hour(tokens: u32) -> Buckets {
        Buckets::new(tokens, HOUR)
    }

    fn new(tokens: u32, span: i64) -> Buckets {
        Buckets { span, price: span / i64::from(tokens).max(1), left: Mutex::default() }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// With the time when there will be one.
    pub fn take(&self, address: IpAddr, now: Instant) -> Result<(), Instant> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if left.len() >= ADDRESSES {
            left.retain(|_, entry| self.level(*entry, now) < self.span);
            if left.len() >= ADDRESSES {
                left.clear();
            }
        }
        let entry = left.entry(network(address)).or_insert((self.span, now));
        let level = self.level(*entry, now);
        if level < self.price {
            return Err(after(now, self.price - level));
        }
        *entry = (level - self.price, now);
        Ok(())
    }

    /// Gives a token back: what went well does not count. (A whole committee signs in from one address.)
    pub fn give_back(&self, address: IpAddr) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((level, _)) = left.get_mut(&network(address)) {
            *level = (*level + self.price).min(self.span);
        }
    }

    fn level(&self, (level, at): (i64, Instant), now: Instant) -> i64 {
        (level + (now.millis() - at.millis()).max(0)).min(self.span)
    }
}

/// One household has a whole /64 of version 6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => Ipv6Addr::from_bits(six.to_bits() & (u128::MAX << 64)).into(),
        four @ IpAddr::V4(_) => four,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn at(millis: i64) -> Instant {
        Instant::from_millis(1_800_000_000_000 + millis).unwrap()
    }

    #[test]
    fn five_wrong_begin_a_wait_that_doubles_up_to_a_day() {
        let mut lockout = Lockout::default();
        let (mut now, mut waits) = (0, Vec::new());
        for _ in 0..9 {
            for n in 0..5 {
                assert_eq!(lockout.until(at(now)), None);
                let until = lockout.wrong(at(now));
                assert_eq!(until.is_some(), n == 4);
                if let Some(until) = until {
                    waits.push((until.millis() - at(now).millis()) / MINUTE);
                    assert_eq!(lockout.until(at(now)), Some(until));
                    now = until.millis() - at(0).millis();
                } else {
                    now += 1;
                }
            }
        }
        assert_eq!(waits, [15, 30, 60, 120, 240, 480, 960, 1440, 1440]);
        assert!(!lockout.forgotten(at(now)));
        now += DAY;
        assert!(lockout.forgotten(at(now)));
        assert_eq!(lockout.wrong(at(now)), None);
        assert_eq!(lockout, Lockout { wrong: vec![at(now)], waits: 0, until: None });
    }

    #[test]
    fn slow_mistakes_do_not_lock() {
        let mut lockout = Lockout::default();
        for n in 0..100 {
            assert_eq!(lockout.wrong(at(n * 4 * MINUTE)), None, "{n}");
        }
    }

    #[test]
    fn a_bucket_refills_and_is_kept_for_each_network() {
        let buckets = Buckets::per_minute(20);
        let (home, other): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        for _ in 0..20 {
            buckets.take(home, at(0)).unwrap();
        }
        assert_eq!(buckets.take(home, at(0)), Err(at(3_000)));
        assert_eq!(buckets.take(home, at(1_000)), Err(at(3_000)));
        buckets.take(other, at(1_000)).unwrap();
        buckets.take(home, at(3_000)).unwrap();
        assert_eq!(buckets.take(home, at(3_000)), Err(at(6_000)));
        buckets.give_back(home);
        buckets.take(home, at(3_000)).unwrap();
        // A clock that goes backwards gives nothing and breaks nothing.
        assert!(buckets.take(home, at(-60_000)).is_err());
        let hourly = Buckets::per_hour(10);
        for _ in 0..10 {
            hourly.take(home, at(0)).unwrap();
        }
        assert_eq!(hourly.take(home, at(60_000)), Err(at(360_000)));
        hourly.take(home, at(360_000)).unwrap();
        let six = |text: &str| network(text.parse().unwrap());
        assert_eq!(six("2001:db8::1"), six("2001:db8::ffff:1:2:3"));
        assert_ne!(six("2001:db8::1"), six("2001:db8:0:1::1"));
        assert_eq!(six("::ffff:192.0.2.1"), home);
    }
}
