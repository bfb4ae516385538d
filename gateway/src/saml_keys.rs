//! The gateway's own pairs towards SAML identity providers, as the store has them now.

use std::sync::{Arc, PoisonError, RwLock};

use fedgate_certs::certified_key::{CertifiedKey, CertifiedUse};
use fedgate_certs::keyring::{KeyPurpose, Stage};
use fedgate_certs::seal::Sealer;
use fedgate_certs::sp_keys::SpKeys;

use crate::app::{Clock, Randomness};
use crate::rotation::Kept;
use crate::store::key::StoredKey;
use crate::store::{Store, StoreError};
use crate::token_keys::{TokenKeysError, rows, stages};

/// One pair that signs requests, and one that decrypts assertions: a key has one purpose for life.
const PURPOSES: [(KeyPurpose, CertifiedUse); 2] = [
    (KeyPurpose::SamlSigning, CertifiedUse::Signing),
    (KeyPurpose::SamlDecryption, CertifiedUse::Decryption),
];

/// The pairs that sign requests and decrypt assertions. Another replica may add or remove one.
#[derive(Debug, Default)]
pub struct SamlKeys(RwLock<Held>);

#[derive(Debug, Default)]
struct Held {
    /// Each key's id and stage, by which a change is told from none.
    stages: Vec<(String, String)>,
    keys: Arc<SpKeys>,
}

impl SamlKeys {
    /// The pairs of a store; one that has none of a purpose gets one, made out to `name`.
    ///
    /// # Errors
    /// The store's, and what the pairs cannot be opened or made for.
    pub async fn open(
        store: &Store,
        sealer: &Sealer,
        name: &str,
        clock: &Clock,
        randomness: &Randomness,
    ) -> Result<Self, TokenKeysError> {
        for (purpose, usage) in PURPOSES {
            if rows(store, purpose).await?.is_empty() {
                let pair = CertifiedKey::generate(name, usage, clock.now(), &mut randomness.rng())?;
                let kept = Kept::new(purpose, Stage::Active, clock.now());
                let row = kept.pair(sealer, &pair, &mut randomness.rng())?;
                // The pair of another gateway that starts at the same moment may be kept instead.
                store.put_first_keys(purpose.as_str(), &[row]).await?;
            }
        }
        Ok(Self(RwLock::new(held(sealer, &all(store).await?)?)))
    }

    /// The pairs as they were read last.
    pub fn keys(&self) -> Arc<SpKeys> {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&held.keys)
    }

    /// Reads them anew, and says whether they are others than before. Those at hand stay where that fails.
    pub(crate) async fn reread(&self, store: &Store, sealer: &Sealer) -> bool {
        match self.try_reread(store, sealer).await {
            Ok(is_new) => is_new,
            Err(error) => {
                tracing::error!(%error, "the keys for SAML could not be read anew");
                false
            }
        }
    }

    async fn try_reread(&self, store: &Store, sealer: &Sealer) -> Result<bool, TokenKeysError> {
        let rows = all(store).await?;
        let is_known = {
            let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
            held.stages == stages(&rows)
        };
        if is_known || rows.is_empty() {
            return Ok(false);
        }
        let fresh = held(sealer, &rows)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(true)
    }
}

async fn all(store: &Store) -> Result<Vec<StoredKey>, StoreError> {
    let mut keys = store.keys().await?;
    keys.retain(|key| key.purpose != KeyPurpose::Tokens.as_str());
    Ok(keys)
}

fn held(sealer: &Sealer, rows: &[StoredKey]) -> Result<Held, TokenKeysError> {
    let pairs = |purpose: KeyPurpose| {
        rows.iter()
            .filter(move |row| {
                row.purpose == purpose.as_str() && row.stage != Stage::Retired.as_str()
            })
            .map(|row| pair(sealer, row))
            .collect::<Result<Vec<_>, _>>()
    };
    let keys = SpKeys::new(
        pairs(KeyPurpose::SamlSigning)?,
        pairs(KeyPurpose::SamlDecryption)?,
    )?;
    Ok(Held {
        stages: stages(rows),
        keys: Arc::new(keys),
    })
}

fn pair(sealer: &Sealer, row: &StoredKey) -> Result<(CertifiedKey, Stage), TokenKeysError> {
    let plain = sealer.open_secret(&row.purpose, &row.id, &row.private_key)?;
    let stage = Stage::from_name(&row.stage).ok_or(StoreError::Corrupt("key"))?;
    let certificate = row.certificate.as_deref().unwrap_or_default();
    let pair = CertifiedKey::from_pkcs8_der(&plain, certificate.as_bytes())?;
    Ok((pair, stage))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::testing::sealer;
    use crate::store::testing;

    async fn opened(store: &Store) -> SamlKeys {
        SamlKeys::open(
            store,
            &sealer(),
            "sp.example",
            &Clock::default(),
            &Randomness,
        )
        .await
        .unwrap()
    }

    fn ids(keys: &SamlKeys) -> Vec<String> {
        let keys = keys.keys();
        let all = keys.signing().chain(keys.decryption());
        all.map(|pair| pair.id().to_owned()).collect()
    }

    #[tokio::test]
    async fn gateways_that_start_together_end_with_one_pair_of_each_purpose() {
        let store = testing::TestStore::chosen().await;
        let (one, other) = tokio::join!(opened(&store), opened(&store));
        assert_eq!(ids(&one).len(), 2);
        assert_eq!(ids(&one), ids(&other));
        assert_ne!(ids(&one)[0], ids(&one)[1]);
    }

    #[tokio::test]
    async fn a_moved_key_is_seen_when_they_are_read_anew() {
        let store = testing::TestStore::chosen().await;
        let keys = opened(&store).await;
        let signer = keys.keys().signer().unwrap().id().to_owned();
        assert!(!keys.reread(&store, &sealer()).await);
        let now = Clock::default().now();
        store.move_key(&signer, "retired", now).await.unwrap();
        assert!(keys.reread(&store, &sealer()).await);
        assert!(keys.keys().signer().is_none());
    }
}
