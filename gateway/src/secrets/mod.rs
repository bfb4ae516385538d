//! Secrets at rest: what opens them, how they are sealed anew when the master key changes, and the proof that each opens.

mod reseal;
mod verify;

use fedgate_certs::hex;
use fedgate_certs::seal::{MasterKey, Sealer};
use thiserror::Error;

use crate::app::Randomness;
use crate::config::{SecretsConfig, load_master_key, load_or_create_master_key};
use crate::store::sealed::MAC_ROOT;
use crate::store::{Store, StoreError};
use crate::token_keys::TokenKeysError;

pub(crate) use reseal::run;
pub use verify::{Counted, Verified, verify};

/// Why nothing can be opened.
#[derive(Debug, Error)]
pub enum SecretsError {
    /// The database.
    #[error("the store cannot be used: {0}")]
    Store(#[from] StoreError),
    /// The file of a master key.
    #[error("{0}")]
    MasterKey(String),
    /// What is in the store.
    #[error("{0}")]
    Sealed(#[from] TokenKeysError),
}

/// What seals and opens with the master keys of a configuration. A store that holds nothing sealed gets the root of its
/// keyed hashes here.
///
/// # Errors
/// A file that is absent, exposed or damaged; a store that other master keys have sealed.
pub async fn open(
    config: &SecretsConfig,
    store: &Store,
    randomness: &Randomness,
) -> Result<Sealer, SecretsError> {
    let holds_secrets = store.holds_sealed().await?;
    let file = &config.master_key_file;
    let told =
        |refusal: fedgate_providers::error::Refusal| SecretsError::MasterKey(refusal.to_string());
    let master = load_or_create_master_key(file, holds_secrets, &mut randomness.rng());
    let mut sealer = Sealer::new(master.map_err(told)?);
    if let Some(file) = &config.previous_master_key_file {
        sealer = sealer.also_opening(load_master_key(file).map_err(told)?);
    }
    let root = mac_root(store, &sealer, randomness).await?;
    Ok(sealer.with_mac_root(root))
}

/// The root of keyed hashes: it stays when the master key goes, since nobody can hash anew what only hashes are kept of.
async fn mac_root(
    store: &Store,
    sealer: &Sealer,
    randomness: &Randomness,
) -> Result<MasterKey, SecretsError> {
    let kept = if let Some(kept) = store.setting(MAC_ROOT).await? {
        kept
    } else {
        let mut rng = randomness.rng();
        // A store of before there were roots has hashes under the master key that sealed its keys.
        let root = match store.keys().await?.first() {
            Some(key) => sealer.master_of(&key.private_key),
            None => Some(MasterKey::generate(&mut rng)),
        };
        let root = root.ok_or(fedgate_certs::CertError::Unsealable);
        let boxed = root.and_then(|root| sealer.seal_mac_root(&root, &mut rng));
        let hex = hex::with_prefix("", &boxed.map_err(TokenKeysError::from)?);
        store.put_setting_once(MAC_ROOT, &hex).await?
    };
    let octets = hex::octets(&kept).ok_or(StoreError::Corrupt("root of hashes"))?;
    Ok(sealer
        .open_mac_root(&octets)
        .map_err(TokenKeysError::from)?)
}
