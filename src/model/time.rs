//! Points in time.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A point in time in whole milliseconds since 1970-01-01T00:00:00Z; written as RFC 3339 UTC with milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

/// A text that is no RFC 3339 time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time; write RFC 3339, for example 2026-11-21T09:30:00Z")]
pub struct TimestampError(String);

impl Timestamp {
    /// The time `milliseconds` after 1970-01-01T00:00:00Z, clamped to the years that RFC 3339 can write.
    pub fn from_milliseconds(milliseconds: i64) -> Self {
        let bounds = (jiff::Timestamp::UNIX_EPOCH.as_millisecond(), jiff::Timestamp::MAX.as_millisecond());
        Self(milliseconds.clamp(bounds.0, bounds.1))
    }

    /// Whether a clock said so that is beyond what can be written. It must not be recorded: later times are never earlier.
    pub fn is_beyond_writing(self) -> bool {
        self.0 >= jiff::Timestamp::MAX.as_millisecond()
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn as_milliseconds(self) -> i64 {
        self.0
    }
}

impl std::str::FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let parsed: jiff::Timestamp = text.parse().map_err(|_| TimestampError(text.to_owned()))?;
        Ok(Self::from_milliseconds(parsed.as_millisecond()))
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimestampError;

    fn try_from(text: String) -> Result<Self, TimestampError> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.to_string()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = jiff::Timestamp::from_millisecond(self.0).map_err(|_| fmt::Error)?;
        write!(f, "{time:.3}")
    }
}
