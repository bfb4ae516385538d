//! Pairs that connections had: their certificates are shown for a while beside the ones in their place.

use fedgate_certs::Timestamp;
use fedgate_providers::connection::ConnectionId;

use super::query::{batch, execute, fetch_all};
use super::{Store, StoreError, Transaction};

/// A pair that another took the place of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplacedPair {
    /// The id of its key.
    pub key_id: String,
    /// Its certificate, as PEM.
    pub certificate: String,
    /// Its key, sealed with purpose `replaced_pair`, and connection and key as context.
    pub private_key: Vec<u8>,
}

/// What a change does to the pairs that a connection had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The pair that goes.
    pub before: ReplacedPair,
    /// The id of the key that comes, if one does: it is no replaced one any more.
    pub after: Option<String>,
    /// How long the pair that goes is shown.
    pub expires_at: Timestamp,
}

/// The most pairs of one connection that are shown beside that of now: whoever pastes more makes the oldest go early.
const MOST_SHOWN: i64 = 8;

impl Store {
    /// The pairs that a connection had and that are still shown, the latest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn replaced_pairs(
        &self,
        connection: &ConnectionId,
        now: Timestamp,
    ) -> Result<Vec<ReplacedPair>, StoreError> {
        let mut reader = self.reader().await?;
        let rows = fetch_all!(
            reader,
            (String, String, Vec<u8>),
            "SELECT key_id, certificate, private_key FROM replaced_certificates
             WHERE connection_id = $1 AND expires_at > $2 ORDER BY replaced_at DESC, key_id LIMIT $3",
            connection.as_str(),
            now.as_millisecond(),
            MOST_SHOWN
        )?;
        let pair = |(key_id, certificate, private_key)| ReplacedPair {
            key_id,
            certificate,
            private_key,
        };
        Ok(rows.into_iter().map(pair).collect())
    }

    /// Removes pairs that are not shown any more.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn sweep_replaced_pairs(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let swept = execute!(
            transaction,
            "DELETE FROM replaced_certificates WHERE expires_at <= $1",
            now.as_millisecond()
        )?;
        transaction.commit().await?;
        Ok(swept)
    }
}

pub(super) async fn put(
    transaction: &mut Transaction,
    connection: &ConnectionId,
    replacement: &Replacement,
    now: Timestamp,
) -> Result<(), StoreError> {
    batch!(*transaction, [
        "DELETE FROM replaced_certificates WHERE connection_id = $1 AND (key_id = $2 OR key_id = $3)",
        "INSERT INTO replaced_certificates (connection_id, key_id, certificate, private_key, replaced_at, expires_at)
         VALUES ($1, $2, $4, $5, $6, $7)",
    ], connection.as_str(), &replacement.before.key_id, replacement.after.as_deref().unwrap_or_default(),
        &replacement.before.certificate, &replacement.before.private_key[..],
        now.as_millisecond(), replacement.expires_at.as_millisecond())?;
    Ok(())
}
