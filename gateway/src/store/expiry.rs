//! What was told about ends that come, and what they are read from.

use fedgate_certs::Timestamp;
use fedgate_providers::connection::ConnectionId;

use super::connection::{Row, StoredConnection};
use super::query::{execute, fetch_all};
use super::{Store, StoreError, outbox, time};

impl Store {
    /// Notes what is told about an end, and tells it in the outbox unless it was told before; answers whether it was not.
    /// `days` are those that count as told from now on; the event is that of the last one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn tell_expiry(
        &self,
        (subject, ends_at): (&str, Timestamp),
        days: &[i64],
        (kind, payload): (&str, &serde_json::Value),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let mut is_new = false;
        for day in days {
            // The nearest comes last: it alone decides whether something new is to be told.
            is_new = execute!(
                transaction,
                "INSERT INTO expiry_notices (subject, ends_at, days, told_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT DO NOTHING",
                subject,
                ends_at.as_millisecond(),
                day,
                now.as_millisecond()
            )? > 0;
        }
        if is_new {
            outbox::append(&mut transaction, kind, payload, now).await?;
        }
        transaction.commit().await?;
        Ok(is_new)
    }

    /// Removes notices about ends before that moment.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn sweep_expiry_notices(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let swept = execute!(
            transaction,
            "DELETE FROM expiry_notices WHERE ends_at < $1",
            before.as_millisecond()
        )?;
        transaction.commit().await?;
        Ok(swept)
    }

    /// Connections in use after one of them, in the order of their ids.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn active_connections_after(
        &self,
        after: &str,
        most: i64,
    ) -> Result<Vec<StoredConnection>, StoreError> {
        let mut reader = self.reader().await?;
        fetch_all!(
            reader,
            Row,
            "SELECT * FROM connections WHERE status = 'active' AND id > $1 ORDER BY id LIMIT $2",
            after,
            most
        )?
        .into_iter()
        .map(Row::read)
        .collect()
    }

    /// Every kept metadata document of a connection with the moment at which it came, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn metadata_documents(
        &self,
        connection: &ConnectionId,
    ) -> Result<Vec<(Timestamp, String)>, StoreError> {
        let mut reader = self.reader().await?;
        let rows = fetch_all!(
            reader,
            (i64, String),
            "SELECT fetched_at, document FROM metadata_revisions WHERE connection_id = $1 ORDER BY fetched_at, id",
            connection.as_str()
        )?;
        rows.into_iter()
            .map(|(at, document)| Ok((time(at)?, document)))
            .collect()
    }
}
