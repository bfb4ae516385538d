//! Marks: what must not happen twice. Written by the sign-in transaction that they guard.

use fedgate_certs::Timestamp;
use fedgate_providers::login::Handle;

use super::query::{execute, fetch_optional};
use super::sweep::SWEPT_AT_ONCE;
use super::{Store, StoreError};

impl Store {
    /// Whether a login was completed before: its handle's mark is there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn login_is_marked(&self, handle: Handle) -> Result<bool, StoreError> {
        let mut reader = self.reader().await?;
        let mark = fetch_optional!(
            reader,
            (i64,),
            "SELECT expires_at FROM marks WHERE kind = 'login' AND key = $1",
            &handle.as_bytes()[..]
        )?;
        Ok(mark.is_some())
    }

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
