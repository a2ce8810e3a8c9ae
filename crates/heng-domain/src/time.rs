//! Instants and local days. Time is data: it stands in the record, nothing here reads a clock.

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Milliseconds since 1970-01-01T00:00:00Z. Written as `2026-11-23T09:15:02.118Z`, always UTC, always milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Timestamp);

/// A text that is not an instant in exactly the form `YYYY-MM-DDThh:mm:ss.mmmZ`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an instant of the form 2026-11-23T09:15:02.118Z")]
pub struct InstantError(pub String);

impl Instant {
    /// From milliseconds since 1970 (UTC). `None` outside the years that can be written.
    pub fn from_millis(millis: i64) -> Option<Instant> {
        Timestamp::from_millisecond(millis).ok().map(Instant)
    }

    /// Milliseconds since 1970 (UTC).
    pub fn millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// Reads exactly the written form.
    pub fn parse(text: &str) -> Result<Instant, InstantError> {
        let error = || InstantError(text.to_owned());
        if text.len() != 24 || !text.ends_with('Z') {
            return Err(error());
        }
        let instant = Instant(text.parse().map_err(|_| error())?);
        if instant.to_string() == text { Ok(instant) } else { Err(error()) }
    }

    /// The local calendar day at `offset_minutes` from UTC.
    pub fn date(self, offset_minutes: i32) -> Date {
        self.local(offset_minutes).date()
    }

    /// The local date and time at `offset_minutes` from UTC.
    pub fn local(self, offset_minutes: i32) -> jiff::civil::DateTime {
        let offset = Offset::from_seconds(offset_minutes * 60).unwrap_or(Offset::UTC);
        offset.to_datetime(self.0)
    }

    /// The first instant of the local day after `date`: a window that ends on `date` is open before it.
    pub fn end_of(date: Date, offset_minutes: i32) -> Option<Instant> {
        let offset = Offset::from_seconds(offset_minutes * 60).ok()?;
        let next = date.tomorrow().ok()?.at(0, 0, 0, 0);
        TimeZone::fixed(offset).to_timestamp(next).ok().map(Instant)
    }

    /// The instant of a local date and time.
    pub fn at(date: Date, hour: i8, minute: i8, offset_minutes: i32) -> Option<Instant> {
        let offset = Offset::from_seconds(offset_minutes * 60).ok()?;
        let time = jiff::civil::Time::new(hour, minute, 0, 0).ok()?;
        TimeZone::fixed(offset).to_timestamp(date.to_datetime(time)).ok().map(Instant)
    }

    /// `self` plus `millis`.
    pub fn plus_millis(self, millis: i64) -> Option<Instant> {
        self.0.checked_add(SignedDuration::from_millis(millis)).ok().map(Instant)
    }

    /// `self` plus whole days of 24 hours.
    pub fn plus_days(self, days: i64) -> Option<Instant> {
        self.plus_millis(days.checked_mul(86_400_000)?)
    }
}

impl std::fmt::Display for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let t = Offset::UTC.to_datetime(self.0);
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            t.year(),
            t.month(),
            t.day(),
            t.hour(),
            t.minute(),
            t.second(),
            t.millisecond()
        )
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        let text = String::deserialize(deserializer)?;
        Instant::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// `date` minus whole months; a day that the month does not have becomes its last day.
pub fn months_before(date: Date, months: u32) -> Option<Date> {
    date.checked_sub(jiff::Span::new().try_months(i64::from(months)).ok()?).ok()
}

/// `date` plus whole months; a day that the month does not have becomes its last day.
pub fn months_after(date: Date, months: u32) -> Option<Date> {
    date.checked_add(jiff::Span::new().try_months(i64::from(months)).ok()?).ok()
}

/// `date` plus whole years.
pub fn years_after(date: Date, years: u32) -> Option<Date> {
    date.checked_add(jiff::Span::new().try_years(i64::from(years)).ok()?).ok()
}
