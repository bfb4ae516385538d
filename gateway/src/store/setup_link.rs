//! One-time links to the setup page of a connection, and whether the session that one opened still counts.

use fedgate_certs::Timestamp;
use fedgate_providers::connection::ConnectionId;
use serde_json::json;

use super::query::{execute, fetch_optional};
use super::{Store, StoreError, Transaction, connection, outbox, time};

/// The keyed hash of a link's token: all that is kept of it.
pub type TokenHash = [u8; 32];

/// A link as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupLink {
    /// The connection whose page it opens.
    pub connection_id: ConnectionId,
    /// It opens nothing from then on.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
}

impl Store {
    /// Keeps a link in place of the one that the connection had; the sessions of that one end, and so does what they
    /// found out.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown connection.
    pub async fn put_setup_link(
        &self,
        id: &ConnectionId,
        token_hash: &TokenHash,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let known = fetch_optional!(
            transaction,
            (String,),
            "SELECT id FROM connections WHERE id = $1",
            id.as_str()
        )?;
        if known.is_none() {
            return Err(StoreError::NotFound("connection"));
        }
        execute!(transaction,
            "INSERT INTO setup_links (connection_id, token_hash, created_at, expires_at, used_at) VALUES ($1, $2, $3, $4, NULL)
             ON CONFLICT (connection_id) DO UPDATE SET token_hash = excluded.token_hash, created_at = excluded.created_at,
                expires_at = excluded.expires_at, used_at = NULL",
            id.as_str(), &token_hash[..], now.as_millisecond(), expires_at.as_millisecond())?;
        forget_findings(&mut transaction, id).await?;
        tell(&mut transaction, "connection.setup_link_created", id, now).await?;
        transaction.commit().await
    }

    /// Revokes the connection's link and the sessions that it opened; answers whether there was one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn delete_setup_link(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let deleted = execute!(
            transaction,
            "DELETE FROM setup_links WHERE connection_id = $1",
            id.as_str()
        )?;
        if deleted > 0 {
            forget_findings(&mut transaction, id).await?;
            tell(&mut transaction, "connection.setup_link_revoked", id, now).await?;
        }
        transaction.commit().await?;
        Ok(deleted > 0)
    }

    /// The link with this token.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn setup_link(
        &self,
        token_hash: &TokenHash,
    ) -> Result<Option<SetupLink>, StoreError> {
        let mut reader = self.reader().await?;
        let row = fetch_optional!(
            reader,
            (String, i64, Option<i64>),
            "SELECT connection_id, expires_at, used_at FROM setup_links WHERE token_hash = $1",
            &token_hash[..]
        )?;
        row.map(|(id, expires_at, used_at)| {
            Ok(SetupLink {
                connection_id: connection::id(&id)?,
                expires_at: time(expires_at)?,
                used_at: used_at.map(time).transpose()?,
            })
        })
        .transpose()
    }

    /// Burns a link that is neither used nor expired: of any number of calls at once, one gets its connection.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn burn_setup_link(
        &self,
        token_hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<ConnectionId>, StoreError> {
        let mut transaction = self.begin().await?;
        let row = fetch_optional!(
            transaction,
            (String,),
            "UPDATE setup_links SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2
             RETURNING connection_id",
            &token_hash[..],
            now.as_millisecond()
        )?;
        let Some((id,)) = row else {
            return Ok(None);
        };
        let id = connection::id(&id)?;
        tell(&mut transaction, "connection.setup_begun", &id, now).await?;
        transaction.commit().await?;
        Ok(Some(id))
    }

    /// Whether the session that this link opened still counts: it ends with a newer link, with the link's revocation and
    /// with the connection.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn setup_is_open(
        &self,
        id: &ConnectionId,
        token_hash: &TokenHash,
    ) -> Result<bool, StoreError> {
        let mut reader = self.reader().await?;
        let row = fetch_optional!(
            reader,
            (String,),
            "SELECT connection_id FROM setup_links
             WHERE connection_id = $1 AND token_hash = $2 AND used_at IS NOT NULL",
            id.as_str(),
            &token_hash[..]
        )?;
        Ok(row.is_some())
    }
}

/// What a test login found out about a person belongs to the session that asked.
async fn forget_findings(
    transaction: &mut Transaction,
    id: &ConnectionId,
) -> Result<(), StoreError> {
    execute!(
        *transaction,
        "UPDATE setup_tests SET findings = NULL WHERE connection_id = $1",
        id.as_str()
    )?;
    Ok(())
}

async fn tell(
    transaction: &mut Transaction,
    kind: &str,
    id: &ConnectionId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let payload = json!({ "connection_id": id.as_str() });
    outbox::append(transaction, kind, &payload, now).await
}
