//! Our own keys as rows. The private part is sealed; what a stage means is the keyring's business.

use fedgate_certs::Timestamp;
use fedgate_providers::connection::ConnectionId;

use super::query::{execute, fetch_all, fetch_optional};
use super::setting::take_turns;
use super::{Store, StoreError, Transaction, outbox, time};
use crate::change::Change;

/// A key's row.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// Key id: `kid` in tokens.
    pub id: String,
    /// `tokens`, `saml_signing`, `saml_decryption`.
    pub purpose: String,
    /// `RS256` and the like.
    pub algorithm: String,
    /// Its place in the rotation.
    pub stage: String,
    /// PKCS #8, sealed.
    pub private_key: Vec<u8>,
    /// PEM, where the key has a certificate.
    pub certificate: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it came to its stage.
    pub stage_at: Timestamp,
    /// `generated`, or `imported` by an operator.
    pub source: String,
    /// When an identity provider last encrypted for it.
    pub used_at: Option<Timestamp>,
}

/// What becomes of the keys of one purpose, decided on as they were.
#[derive(Clone, Debug, Default)]
pub struct KeyChange {
    /// Each key of the purpose with its stage, as it was when this was decided.
    pub expected: Vec<(String, String)>,
    /// Keys that come.
    pub made: Vec<StoredKey>,
    /// Keys that enter another stage.
    pub moved: Vec<(String, String)>,
    /// Keys that go for good.
    pub forgotten: Vec<String>,
    /// Told in the outbox, by type and payload.
    pub events: Vec<(&'static str, serde_json::Value)>,
}

/// Where transactions that decide about keys take turns.
const TURN: &str = "turn.first_keys";

impl std::fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredKey")
            .field("id", &self.id)
            .field("purpose", &self.purpose)
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    purpose: String,
    algorithm: String,
    stage: String,
    private_key: Vec<u8>,
    certificate: Option<String>,
    created_at: i64,
    stage_at: i64,
    source: String,
    used_at: Option<i64>,
}

impl Store {
    /// Carries out what was decided about the keys of a purpose, if they still are what it was decided on; answers
    /// whether they were. Of several that decide at once, one is heard.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the id of a key that comes is taken.
    pub async fn change_keys(
        &self,
        purpose: &str,
        change: &KeyChange,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        take_turns(&mut transaction, TURN).await?;
        let mut found = fetch_all!(
            transaction,
            (String, String),
            "SELECT id, stage FROM keys WHERE purpose = $1",
            purpose
        )?;
        let mut expected = change.expected.clone();
        found.sort_unstable();
        expected.sort_unstable();
        if found != expected {
            return Ok(false);
        }
        write(&mut transaction, change, now).await?;
        transaction.commit().await?;
        self.announcer.announce(Change::Keys);
        Ok(true)
    }

    /// Notes that an identity provider encrypted for one of our keys.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if either is gone.
    pub async fn note_key_use(
        &self,
        connection: &ConnectionId,
        key: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        execute!(
            transaction,
            "INSERT INTO key_uses (connection_id, key_id, used_at) VALUES ($1, $2, $3)
             ON CONFLICT (connection_id, key_id) DO UPDATE SET used_at = excluded.used_at",
            connection.as_str(),
            key,
            now.as_millisecond()
        )?;
        transaction.commit().await
    }

    /// Our keys that a connection's identity provider has encrypted for, the latest first, with the moment.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn key_uses(
        &self,
        connection: &ConnectionId,
    ) -> Result<Vec<(String, Timestamp)>, StoreError> {
        let mut reader = self.reader().await?;
        let rows = fetch_all!(
            reader,
            (String, i64),
            "SELECT key_id, used_at FROM key_uses WHERE connection_id = $1 ORDER BY used_at DESC, key_id",
            connection.as_str()
        )?;
        rows.into_iter()
            .map(|(key, at)| Ok((key, time(at)?)))
            .collect()
    }

    /// Adds a key.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the id is taken.
    pub async fn insert_key(&self, key: &StoredKey) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        insert(&mut transaction, key).await?;
        transaction.commit().await?;
        self.announcer.announce(Change::Keys);
        Ok(())
    }

    /// Keeps the first keys of a purpose, unless it has keys already. Gateways that start together meet at one row,
    /// so that the keys of one of them are kept.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn put_first_keys(
        &self,
        purpose: &str,
        keys: &[StoredKey],
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        take_turns(&mut transaction, TURN).await?;
        let kept = fetch_optional!(
            transaction,
            (String,),
            "SELECT id FROM keys WHERE purpose = $1 LIMIT 1",
            purpose
        )?;
        if kept.is_none() {
            for key in keys {
                insert(&mut transaction, key).await?;
            }
        }
        transaction.commit().await
    }

    /// Moves a key to another stage.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]
    pub async fn move_key(&self, id: &str, stage: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let moved = execute!(
            transaction,
            "UPDATE keys SET stage = $2, stage_at = $3 WHERE id = $1",
            id,
            stage,
            now.as_millisecond()
        )?;
        transaction.commit().await?;
        self.announcer.announce(Change::Keys);
        if moved == 0 {
            Err(StoreError::NotFound("key"))
        } else {
            Ok(())
        }
    }

    /// Removes a key for good.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn delete_key(&self, id: &str) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        execute!(transaction, "DELETE FROM keys WHERE id = $1", id)?;
        transaction.commit().await?;
        self.announcer.announce(Change::Keys);
        Ok(())
    }

    /// All keys, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        let mut reader = self.reader().await?;
        fetch_all!(
            reader,
            Row,
            "SELECT keys.*, (SELECT MAX(key_uses.used_at) FROM key_uses WHERE key_uses.key_id = keys.id) AS used_at
             FROM keys ORDER BY created_at, id"
        )?
            .into_iter()
            .map(|row| {
                Ok(StoredKey {
                    id: row.id,
                    purpose: row.purpose,
                    algorithm: row.algorithm,
                    stage: row.stage,
                    private_key: row.private_key,
                    certificate: row.certificate,
                    created_at: time(row.created_at)?,
                    stage_at: time(row.stage_at)?,
                    source: row.source,
                    used_at: row.used_at.map(time).transpose()?,
                })
            })
            .collect()
    }
}

async fn write(
    transaction: &mut Transaction,
    change: &KeyChange,
    now: Timestamp,
) -> Result<(), StoreError> {
    for key in &change.made {
        insert(transaction, key).await?;
    }
    crate::crash::here("rotation.made");
    for (id, stage) in &change.moved {
        execute!(
            *transaction,
            "UPDATE keys SET stage = $2, stage_at = $3 WHERE id = $1",
            id,
            stage,
            now.as_millisecond()
        )?;
        crate::crash::here("rotation.moved");
    }
    for id in &change.forgotten {
        execute!(*transaction, "DELETE FROM keys WHERE id = $1", id)?;
    }
    for (kind, payload) in &change.events {
        outbox::append(transaction, kind, payload, now).await?;
    }
    Ok(())
}

async fn insert(transaction: &mut Transaction, key: &StoredKey) -> Result<(), StoreError> {
    execute!(*transaction,
        "INSERT INTO keys (id, purpose, algorithm, stage, private_key, certificate, created_at, stage_at, source)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &key.id, &key.purpose, &key.algorithm, &key.stage, &key.private_key[..], key.certificate.as_deref(),
        key.created_at.as_millisecond(), key.stage_at.as_millisecond(), &key.source)?;
    Ok(())
}
