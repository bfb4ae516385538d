//! What has served its time goes, a little at a time, so that the writer is never held for long.

use fedgate_certs::Timestamp;
use jiff::SignedDuration;

use super::{Store, StoreError};

/// Rows that one statement removes.
pub(super) const SWEPT_AT_ONCE: i64 = 1_000;
/// How long a mark outlives what it guards: a clock that stepped forth and back again finds it still there.
pub const MARK_HOURS: i64 = 2;
/// How long an event is kept, delivered or not.
pub const EVENT_DAYS: i64 = 7;
/// How long a login session is kept: a logout after that finds nothing to end.
pub const LOGIN_SESSION_DAYS: i64 = 90;

impl Store {
    /// Removes expired marks, old events and old login sessions; answers how many rows. To be called every
    /// minute or so.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut all = 0;
        loop {
            let swept = self.sweep_marks(hours_before(now, MARK_HOURS)).await?
                + self.sweep_outbox(days_before(now, EVENT_DAYS)).await?
                + self
                    .sweep_login_sessions(days_before(now, LOGIN_SESSION_DAYS))
                    .await?
                + self.sweep_replaced_pairs(now).await?;
            all += swept;
            if swept == 0 {
                return Ok(all);
            }
        }
    }
}

fn days_before(now: Timestamp, days: i64) -> Timestamp {
    hours_before(now, 24 * days)
}

fn hours_before(now: Timestamp, hours: i64) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(hours))
        .unwrap_or(Timestamp::UNIX_EPOCH)
}
