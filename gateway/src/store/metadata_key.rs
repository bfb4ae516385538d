//! Keys beside the live metadata: trusted for a while, or revoked.

use fedgate_certs::Timestamp;
use fedgate_certs::trust::TrustedKey;
use fedgate_providers::connection::ConnectionId;
use fedgate_providers::saml::metadata::beside::{KeyBeside, KeysBeside};

use super::query::{execute, fetch_all};
use super::{Store, StoreError, Transaction, connection, outbox, time};

/// Keys that may be revoked of one connection at once.
pub const REVOKED_MOST: i64 = 64;

impl Store {
    /// The keys beside a connection's live metadata.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn keys_beside(&self, id: &ConnectionId) -> Result<KeysBeside, StoreError> {
        let mut reader = self.reader().await?;
        let rows = fetch_all!(
            reader,
            (Vec<u8>, String, Vec<u8>, Option<i64>),
            "SELECT key_id, state, certificate, until_at FROM metadata_keys
             WHERE connection_id = $1 ORDER BY until_at DESC, key_id",
            id.as_str()
        )?;
        let corrupt = || StoreError::Corrupt("metadata key");
        let mut beside = KeysBeside::default();
        for (key_id, state, certificate, until) in rows {
            if state == "revoked" {
                beside
                    .revoked
                    .push(key_id.try_into().map_err(|_| corrupt())?);
                continue;
            }
            let key = TrustedKey::from_certificate_der(&certificate).map_err(|_| corrupt())?;
            let until = until.map(time).transpose()?;
            beside.trusted.push(KeyBeside { key, until });
        }
        Ok(beside)
    }

    /// Revokes a key, or trusts it again. Logins that are about to end with it are decided anew.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown connection; [`StoreError::Conflict`] beyond [`REVOKED_MOST`].
    pub async fn revoke_key(
        &self,
        id: &ConnectionId,
        key: &TrustedKey,
        is_revoked: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        connection::count_link(&mut transaction, id).await?;
        let kind = if is_revoked {
            let written = execute!(
                transaction,
                "INSERT INTO metadata_keys (connection_id, key_id, state, certificate)
                 SELECT $1, $2, 'revoked', $3 WHERE (SELECT COUNT(*) FROM metadata_keys
                    WHERE connection_id = $1 AND state = 'revoked' AND key_id <> $2) < $4
                 ON CONFLICT DO NOTHING",
                id.as_str(),
                &key.id[..],
                &key.certificate_der[..],
                REVOKED_MOST
            )?;
            if written == 0 && !self.keys_beside(id).await?.revoked.contains(&key.id) {
                return Err(StoreError::Conflict("metadata key"));
            }
            "metadata.key_revoked"
        } else {
            execute!(
                transaction,
                "DELETE FROM metadata_keys WHERE connection_id = $1 AND key_id = $2 AND state = 'revoked'",
                id.as_str(),
                &key.id[..]
            )?;
            "metadata.key_restored"
        };
        let payload =
            serde_json::json!({ "connection_id": id, "fingerprint": key.fingerprint_sha256 });
        outbox::append(&mut transaction, kind, &payload, now).await?;
        transaction.commit().await
    }
}

/// The keys that are trusted beside the live metadata from now on, in place of those that were.
pub(super) async fn put_trusted(
    transaction: &mut Transaction,
    id: &ConnectionId,
    trusted: &[KeyBeside],
) -> Result<(), StoreError> {
    execute!(
        *transaction,
        "DELETE FROM metadata_keys WHERE connection_id = $1 AND state = 'trusted'",
        id.as_str()
    )?;
    for KeyBeside { key, until } in trusted {
        execute!(
            *transaction,
            "INSERT INTO metadata_keys (connection_id, key_id, state, certificate, until_at) VALUES ($1, $2, 'trusted', $3, $4)",
            id.as_str(),
            &key.id[..],
            &key.certificate_der[..],
            until.map(Timestamp::as_millisecond)
        )?;
    }
    Ok(())
}
