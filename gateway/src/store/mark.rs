//! Marks: what must not happen twice. Written by the sign-in transaction that they guard.

use fedgate_certs::Timestamp;
use fedgate_providers::login::Handle;

use super::query::{execute, fetch_optional};
use super::sweep::SWEPT_AT_ONCE;
use super::{Store, StoreError};

/// By the index on the expiry: a sweep holds the writer, and most marks live.
const SWEEP: &str = "DELETE FROM marks WHERE (kind, key) IN (SELECT kind, key FROM marks WHERE expires_at <= $1 LIMIT $2)";

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

    /// Whether this is the first time that `key` is seen, among those of `kind`, until `until`. It outlives a restart
    /// of the gateway and whatever the ephemeral store forgets.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: it must not be used then.
    pub async fn mark_once(
        &self,
        kind: &str,
        key: &[u8],
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let set = execute!(
            transaction,
            "INSERT INTO marks (kind, key, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            kind,
            key,
            until.as_millisecond()
        )?;
        transaction.commit().await?;
        Ok(set == 1)
    }

    /// Removes marks that have expired, some at a time; answers how many. Call again while it answers many.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn sweep_marks(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let swept = execute!(transaction, SWEEP, now.as_millisecond(), SWEPT_AT_ONCE)?;
        transaction.commit().await?;
        Ok(swept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::query::fetch_all;
    use crate::store::testing::TestStore;

    /// An identity provider may let its assertions live for days: millions of marks that no sweep may walk through
    /// while every login waits for the writer.
    #[tokio::test]
    async fn a_sweep_passes_over_marks_that_live() {
        let store = TestStore::sqlite().await;
        let mut reader = store.reader().await.unwrap();
        let plan = format!("EXPLAIN QUERY PLAN {SWEEP}");
        let steps = fetch_all!(
            reader,
            (i64, i64, i64, String),
            sqlx::AssertSqlSafe(plan),
            0_i64,
            SWEPT_AT_ONCE
        )
        .unwrap();
        let plan: Vec<_> = steps.into_iter().map(|(.., step)| step).collect();
        assert!(
            plan.iter().any(|step| step.contains("marks_by_expiry"))
                && !plan.iter().any(|step| step.starts_with("SCAN marks")),
            "{plan:?}"
        );
    }
}
