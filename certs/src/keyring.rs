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
    pub fn as_str(self) -> &'static str {
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
