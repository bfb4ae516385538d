//! When upstreams' metadata is read next, and how the last attempts ended.

use fedgate_certs::Timestamp;
use fedgate_providers::connection::ConnectionId;

use super::metadata_revision::Event;
use super::query::{execute, fetch_all, fetch_optional};
use super::{Store, StoreError, connection, outbox, time};

/// How a connection's metadata is kept up to date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refresh {
    /// When it is read next.
    pub next_refresh_at: Option<Timestamp>,
    /// When its upstream last answered well.
    pub checked_at: Option<Timestamp>,
    /// When it was last asked, whatever came of it.
    pub attempted_at: Option<Timestamp>,
    /// The entity tag of the last answer.
    pub etag: Option<String>,
    /// Attempts that failed since then.
    pub failures: u32,
    /// What the last one failed for.
    pub failure_code: Option<String>,
}

type Row = (
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<String>,
    i64,
    Option<String>,
);

impl Store {
    /// Claims connections in use whose metadata is due, the longest overdue first. Until then nobody else gets them.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn claim_refreshes(
        &self,
        now: Timestamp,
        until: Timestamp,
        most: usize,
    ) -> Result<Vec<ConnectionId>, StoreError> {
        if !self.is_refresh_due(now).await? {
            return Ok(Vec::new());
        }
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut transaction = self.begin().await?;
        // The claim is compared again where the row is locked: of two replicas one finds it taken.
        let rows = fetch_all!(
            transaction,
            (String,),
            "UPDATE metadata_refreshes SET claimed_until = $2 WHERE claimed_until <= $1 AND connection_id IN (
                SELECT r.connection_id FROM metadata_refreshes r JOIN connections c ON c.id = r.connection_id
                WHERE r.next_refresh_at <= $1 AND r.claimed_until <= $1 AND c.status = 'active'
                ORDER BY r.next_refresh_at LIMIT $3) RETURNING connection_id",
            now.as_millisecond(),
            until.as_millisecond(),
            most
        )?;
        transaction.commit().await?;
        rows.iter().map(|(id,)| connection::id(id)).collect()
    }

    /// Whether anything could be claimed: a reading, where a claim is a writing.
    async fn is_refresh_due(&self, now: Timestamp) -> Result<bool, StoreError> {
        let mut reader = self.reader().await?;
        let due = fetch_optional!(
            reader,
            (String,),
            "SELECT r.connection_id FROM metadata_refreshes r JOIN connections c ON c.id = r.connection_id
             WHERE r.next_refresh_at <= $1 AND r.claimed_until <= $1 AND c.status = 'active' LIMIT 1",
            now.as_millisecond()
        )?;
        Ok(due.is_some())
    }

    /// How a connection's metadata is kept up to date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn refresh(&self, id: &ConnectionId) -> Result<Refresh, StoreError> {
        let mut reader = self.reader().await?;
        let row = fetch_optional!(
            reader,
            Row,
            "SELECT next_refresh_at, checked_at, attempted_at, etag, failures, failure_code
             FROM metadata_refreshes WHERE connection_id = $1",
            id.as_str()
        )?;
        let Some((next, checked, attempted, etag, failures, failure_code)) = row else {
            return Ok(Refresh::default());
        };
        Ok(Refresh {
            next_refresh_at: next.map(time).transpose()?,
            checked_at: checked.map(time).transpose()?,
            attempted_at: attempted.map(time).transpose()?,
            etag,
            failures: u32::try_from(failures).unwrap_or(u32::MAX),
            failure_code,
        })
    }

    /// Keeps how an attempt ended, and gives the claim back. `events` are told with it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn put_refresh(
        &self,
        id: &ConnectionId,
        refresh: &Refresh,
        events: &[Event<'_>],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        execute!(
            transaction,
            "UPDATE metadata_refreshes SET next_refresh_at = $2, checked_at = $3, attempted_at = $4, etag = $5, failures = $6,
                failure_code = $7, claimed_until = 0 WHERE connection_id = $1",
            id.as_str(),
            refresh.next_refresh_at.map(Timestamp::as_millisecond),
            refresh.checked_at.map(Timestamp::as_millisecond),
            refresh.attempted_at.map(Timestamp::as_millisecond),
            refresh.etag.as_deref(),
            i64::from(refresh.failures),
            refresh.failure_code.as_deref()
        )?;
        for (kind, payload) in events {
            outbox::append(&mut transaction, kind, payload, now).await?;
        }
        transaction.commit().await
    }
}
