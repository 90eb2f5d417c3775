//! What says what time it is.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::model::Timestamp;

/// What says what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A clock that is far off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// It is before 1970.
    #[error("the clock of this machine says that it is before 1970; set it right")]
    TooEarly,
    /// It is beyond the year 9999.
    #[error(
        "the clock says that it is after the year 9999; set it right: what is recorded is never of an earlier time than what was before"
    )]
    TooLate,
}

/// 9999-12-30T00:00:00Z: RFC 3339 and HTTP write no year beyond, and there is a time zone in which it is two days later.
const LAST: Duration = Duration::from_secs(253_402_128_000);

/// Whether a time of the clock of this machine can be written.
///
/// # Errors
/// [`ClockError`] where it cannot.
pub fn check_clock(now: SystemTime) -> Result<(), ClockError> {
    let since = now.duration_since(UNIX_EPOCH).map_err(|_| ClockError::TooEarly)?;
    if since < LAST { Ok(()) } else { Err(ClockError::TooLate) }
}

/// The clock of this machine.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_milliseconds(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    })
}
