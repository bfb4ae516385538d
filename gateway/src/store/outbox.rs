//! The outbox: events written in the transaction that made them true, delivered later.

use fedgate_certs::Timestamp;

use super::query::{execute, fetch_all};
use super::sweep::SWEPT_AT_ONCE;
use super::{Store, StoreError, Transaction, json, time};

/// An event that waits for delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxEvent {
    /// Grows with time; the order of delivery.
    pub id: i64,
    /// `user.created`, `user.authenticated` …
    pub kind: String,
    /// What happened.
    pub payload: serde_json::Value,
    /// When.
    pub created_at: Timestamp,
}

impl Store {
    /// The oldest events that wait, in order.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn waiting_events(&self, most: u32) -> Result<Vec<OutboxEvent>, StoreError> {
        let mut reader = self.reader().await?;
        let rows = fetch_all!(
            reader,
            (i64, String, String, i64),
            "SELECT id, type, payload, created_at FROM outbox WHERE delivered_at IS NULL ORDER BY id LIMIT $1",
            i64::from(most)
        )?;
        rows.into_iter()
            .map(|(id, kind, payload, created_at)| {
                Ok(OutboxEvent {
                    id,
                    kind,
                    payload: json(&payload, "event")?,
                    created_at: time(created_at)?,
                })
            })
            .collect()
    }

    /// Marks events as delivered.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn mark_delivered(&self, ids: &[i64], now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for id in ids {
            execute!(
                transaction,
                "UPDATE outbox SET delivered_at = $2 WHERE id = $1 AND delivered_at IS NULL",
                id,
                now.as_millisecond()
            )?;
        }
        transaction.commit().await
    }

    /// Adds an event that no change of rows goes with.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn raise_event(
        &self,
        kind: &str,
        payload: &serde_json::Value,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        append(&mut transaction, kind, payload, now).await?;
        transaction.commit().await
    }

    /// Removes events from before `before`, delivered or not, some at a time; answers how many.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn sweep_outbox(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let swept = execute!(
            transaction,
            "DELETE FROM outbox WHERE created_at < $1 AND id IN (SELECT id FROM outbox ORDER BY id LIMIT $2)",
            before.as_millisecond(),
            SWEPT_AT_ONCE
        )?;
        transaction.commit().await?;
        Ok(swept)
    }
}

/// Adds an event to an open transaction.
pub(crate) async fn append(
    transaction: &mut Transaction,
    kind: &str,
    payload: &serde_json::Value,
    now: Timestamp,
) -> Result<(), StoreError> {
    execute!(
        *transaction,
        "INSERT INTO outbox (type, payload, created_at) VALUES ($1, $2, $3)",
        kind,
        payload.to_string(),
        now.as_millisecond()
    )?;
    Ok(())
}
