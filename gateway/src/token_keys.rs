//! The keys that sign tokens, as the store has them now.

use std::sync::{Arc, PoisonError, RwLock};

use fedgate_certs::error::CertError;
use fedgate_certs::key::{SigningAlgorithm, SigningKey};
use fedgate_certs::keyring::{KeyPurpose, Keyring, Stage};
use fedgate_certs::seal::Sealer;
use thiserror::Error;

use crate::app::{Clock, Randomness};
use crate::rotation::Kept;
use crate::store::key::StoredKey;
use crate::store::{Store, StoreError};

/// What token-signing keys are for, and sealed for.
const PURPOSE: KeyPurpose = KeyPurpose::Tokens;

/// Why there are no keys.
#[derive(Debug, Error)]
pub enum TokenKeysError {
    /// The database.
    #[error("the store cannot be used: {0}")]
    Store(#[from] StoreError),
    /// They cannot be opened with this master key, or not made.
    #[error("the signing keys in the store cannot be used with this master key: {0}")]
    Keys(#[from] CertError),
}

/// The token-signing keys. Another replica may add or remove one.
#[derive(Debug)]
pub struct TokenKeys(RwLock<Held>);

#[derive(Debug)]
struct Held {
    /// Each key's id and stage, by which a change is told from none.
    stages: Vec<(String, String)>,
    ring: Arc<Keyring>,
}

impl TokenKeys {
    /// The keys of a store; one that has none gets one for each algorithm.
    ///
    /// # Errors
    /// The store's, and what the keys cannot be opened or made for.
    pub async fn open(
        store: &Store,
        sealer: &Sealer,
        clock: &Clock,
        randomness: &Randomness,
    ) -> Result<Self, TokenKeysError> {
        let mut rows = rows(store, PURPOSE).await?;
        if rows.is_empty() {
            let mut first = Vec::new();
            for algorithm in SigningAlgorithm::ALL {
                let key = SigningKey::generate(algorithm)?;
                let kept = Kept::new(PURPOSE, Stage::Active, clock.now());
                first.push(kept.token_key(sealer, &key, &mut randomness.rng())?);
            }
            // Those of another gateway that starts at the same moment may be kept instead.
            store.put_first_keys(PURPOSE.as_str(), &first).await?;
            rows = self::rows(store, PURPOSE).await?;
        }
        Ok(Self(RwLock::new(held(sealer, &rows)?)))
    }

    /// The keys as they were read last.
    pub fn ring(&self) -> Arc<Keyring> {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&held.ring)
    }

    /// Reads them anew. Those at hand stay where that fails.
    pub(crate) async fn reread(&self, store: &Store, sealer: &Sealer) {
        if let Err(error) = self.try_reread(store, sealer).await {
            tracing::error!(%error, "the keys that sign tokens could not be read anew");
        }
    }

    async fn try_reread(&self, store: &Store, sealer: &Sealer) -> Result<(), TokenKeysError> {
        let rows = rows(store, PURPOSE).await?;
        let is_known = {
            let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
            held.stages == stages(&rows)
        };
        // A store that is emptied is not a reason to sign with nothing.
        if !is_known && !rows.is_empty() {
            let fresh = held(sealer, &rows)?;
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
        Ok(())
    }
}

/// The rows of one purpose, oldest first.
pub(crate) async fn rows(store: &Store, purpose: KeyPurpose) -> Result<Vec<StoredKey>, StoreError> {
    let mut keys = store.keys().await?;
    keys.retain(|key| key.purpose == purpose.as_str());
    Ok(keys)
}

/// Each key's id and stage, by which a change is told from none.
pub(crate) fn stages(rows: &[StoredKey]) -> Vec<(String, String)> {
    rows.iter()
        .map(|row| (row.id.clone(), row.stage.clone()))
        .collect()
}

fn held(sealer: &Sealer, rows: &[StoredKey]) -> Result<Held, TokenKeysError> {
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows
        .iter()
        .filter(|row| row.stage != Stage::Retired.as_str())
    {
        let plain = sealer.open_secret(PURPOSE.as_str(), &row.id, &row.private_key)?;
        let stage = Stage::from_name(&row.stage).ok_or(StoreError::Corrupt("key"))?;
        keys.push((SigningKey::from_pkcs8_der(&plain)?, stage));
    }
    Ok(Held {
        stages: stages(rows),
        ring: Arc::new(Keyring::new(keys)?),
    })
}
