//! Marks: what must not happen twice. Written by the sign-in transaction that they guard.

use fedgate_certs::Timestamp;

use super::query::execute;
use super::{Store, StoreError};

/// Marks removed by one sweep, so that it never holds the writer for long.
const SWEPT_AT_ONCE: i64 = 1_000;

impl Store {
    /// Removes marks that have expired, some at a time; answers how many. Call again while it answers many.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn sweep_marks(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let swept = execute!(
            transaction,
            "DELETE FROM marks WHERE (kind, key) IN (SELECT kind, key FROM marks WHERE expires_at <= $1 LIMIT $2)",
            now.as_millisecond(),
            SWEPT_AT_ONCE
        )?;
        transaction.commit().await?;
        Ok(swept)
    }
}
