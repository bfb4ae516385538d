//! The set of our own signing keys, by stage of their life.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Timestamp;
use crate::error::CertError;
use crate::key::{SigningAlgorithm, SigningKey};

/// The most keys that a ring holds.
pub const RING_KEYS: usize = 32;

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Published, so that everybody knows it before it signs.
    Announced,
    /// Published, and signs.
    Active,
    /// Published for what it has signed; signs no more.
    Retiring,
    /// Neither published nor used.
    Retired,
}

impl Stage {
    /// Every stage, in the order of a life.
    pub const ALL: [Self; 4] = [Self::Announced, Self::Active, Self::Retiring, Self::Retired];

    /// The word used in the store and in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
        }
    }

    /// The stage with that word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == name)
    }
}

/// What a key is for. A key has one purpose for life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyPurpose {
    /// Signs the tokens of our OpenID Provider.
    Tokens,
    /// Signs our SAML requests and metadata.
    SamlSigning,
    /// Decrypts what SAML identity providers encrypt for us.
    SamlDecryption,
}

impl KeyPurpose {
    /// Every purpose.
    pub const ALL: [Self; 3] = [Self::Tokens, Self::SamlSigning, Self::SamlDecryption];

    /// The word used in the store and in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::SamlSigning => "saml_signing",
            Self::SamlDecryption => "saml_decryption",
        }
    }

    /// The purpose with that word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|purpose| purpose.as_str() == name)
    }
}

/// What the store knows about a key besides its sealed private half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// The key id, [`SigningKey::id`].
    pub id: String,
    /// What it is for.
    pub purpose: KeyPurpose,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// Where it is in its life.
    pub stage: Stage,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it is in that stage.
    pub stage_since: Timestamp,
}

/// The keys of one purpose, ready for use.
#[derive(Clone, Debug)]
pub struct Keyring {
    keys: Vec<(SigningKey, Stage)>,
    jwks: String,
}

impl Keyring {
    /// Makes a ring. Where two keys of one algorithm are active, the first one signs.
    ///
    /// # Errors
    /// `TooManyKeys`, `DuplicateKeyId`.
    pub fn new(keys: Vec<(SigningKey, Stage)>) -> Result<Self, CertError> {
        if keys.len() > RING_KEYS {
            return Err(CertError::TooManyKeys);
        }
        let repeated = |(at, (key, _)): (usize, &(SigningKey, Stage))| {
            keys.iter()
                .take(at)
                .any(|(earlier, _)| earlier.id() == key.id())
        };
        if keys.iter().enumerate().any(repeated) {
            return Err(CertError::DuplicateKeyId);
        }
        let jwks = jwks_of(&keys);
        Ok(Self { keys, jwks })
    }

    /// The key that signs with that algorithm now.
    pub fn signer(&self, algorithm: SigningAlgorithm) -> Option<&SigningKey> {
        let active = |(key, stage): &&(SigningKey, Stage)| {
            *stage == Stage::Active && key.algorithm() == algorithm
        };
        self.keys.iter().find(active).map(|(key, _)| key)
    }

    /// The JWK Set (RFC 7517 §5) of all keys that are not retired, as JSON text.
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// The key with that id, if it is not retired.
    pub fn verifier(&self, kid: &str) -> Option<&SigningKey> {
        published(&self.keys).find(|key| key.id() == kid)
    }
}

fn published(keys: &[(SigningKey, Stage)]) -> impl Iterator<Item = &SigningKey> {
    keys.iter()
        .filter(|(_, stage)| *stage != Stage::Retired)
        .map(|(key, _)| key)
}

fn jwks_of(keys: &[(SigningKey, Stage)]) -> String {
    let keys: Vec<&Value> = published(keys).map(SigningKey::public_jwk).collect();
    json!({ "keys": keys }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwks::Jwks;
    use crate::samples;

    #[test]
    fn only_the_active_key_signs_and_all_but_the_retired_verify() {
        let keys: Vec<(SigningKey, Stage)> = Stage::ALL
            .into_iter()
            .map(|stage| (samples::p256(), stage))
            .collect();
        let ring = Keyring::new(keys.clone()).unwrap();
        assert_eq!(
            ring.signer(SigningAlgorithm::Es256).map(SigningKey::id),
            Some(keys[1].0.id())
        );
        assert!(ring.signer(SigningAlgorithm::Rs256).is_none());
        let verifies: Vec<bool> = keys
            .iter()
            .map(|(key, _)| ring.verifier(key.id()).is_some())
            .collect();
        assert_eq!(verifies, [true, true, true, false]);
    }

    #[test]
    fn the_published_set_is_one_that_we_would_read() {
        let keys = vec![
            (samples::rsa(), Stage::Active),
            (samples::p256(), Stage::Announced),
            (samples::p256(), Stage::Retired),
        ];
        let ring = Keyring::new(keys.clone()).unwrap();
        let read = Jwks::parse(ring.jwks().as_bytes()).unwrap();
        let ids: Vec<Option<&str>> = read.keys().iter().map(|key| key.id.as_deref()).collect();
        assert_eq!(ids, [Some(keys[0].0.id()), Some(keys[1].0.id())]);
        assert!(read.skipped().is_empty());
    }

    #[test]
    fn the_same_key_twice_and_too_many_keys_are_refused() {
        let key = samples::p256();
        let twice = vec![(key.clone(), Stage::Active), (key, Stage::Retired)];
        assert_eq!(Keyring::new(twice).unwrap_err(), CertError::DuplicateKeyId);
        let many = (0..=RING_KEYS)
            .map(|_| (samples::p256(), Stage::Announced))
            .collect();
        assert_eq!(Keyring::new(many).unwrap_err(), CertError::TooManyKeys);
        assert_eq!(Keyring::new(Vec::new()).unwrap().jwks(), r#"{"keys":[]}"#);
    }

    #[test]
    fn words_are_read_back() {
        assert!(
            Stage::ALL
                .into_iter()
                .all(|stage| Stage::from_name(stage.as_str()) == Some(stage))
        );
        assert!(
            KeyPurpose::ALL
                .into_iter()
                .all(|purpose| KeyPurpose::from_name(purpose.as_str()) == Some(purpose))
        );
        assert_eq!(Stage::from_name("Active"), None);
    }
}
