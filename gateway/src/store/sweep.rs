//! What has served its time goes, a little at a time, so that the writer is never held for long.

use fedgate_certs::Timestamp;
use jiff::SignedDuration;

use super::{Store, StoreError};

/// Rows that one statement removes.
pub(super) const SWEPT_AT_ONCE: i64 = 1_000;
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
            let swept = self.sweep_marks(now).await?
                + self.sweep_outbox(days_before(now, EVENT_DAYS)).await?
                + self
                    .sweep_login_sessions(days_before(now, LOGIN_SESSION_DAYS))
                    .await?;
            all += swept;
            if swept == 0 {
                return Ok(all);
            }
        }
    }
}

fn days_before(now: Timestamp, days: i64) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(24 * days))
        .unwrap_or(Timestamp::UNIX_EPOCH)
}
