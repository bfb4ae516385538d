//! Our own keys as rows. The private part is sealed; what a stage means is the keyring's business.

use fedgate_certs::Timestamp;

use super::query::{execute, fetch_all, fetch_optional};
use super::setting::take_turns;
use super::{Store, StoreError, Transaction, time};
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
}

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
}

impl Store {
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
        take_turns(&mut transaction, "turn.first_keys").await?;
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
        fetch_all!(reader, Row, "SELECT * FROM keys ORDER BY created_at, id")?
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
                })
            })
            .collect()
    }
}

async fn insert(transaction: &mut Transaction, key: &StoredKey) -> Result<(), StoreError> {
    execute!(*transaction,
        "INSERT INTO keys (id, purpose, algorithm, stage, private_key, certificate, created_at, stage_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &key.id, &key.purpose, &key.algorithm, &key.stage, &key.private_key[..], key.certificate.as_deref(),
        key.created_at.as_millisecond(), key.stage_at.as_millisecond())?;
    Ok(())
}
