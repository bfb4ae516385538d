//! Keys of which one is used at a time: those of one purpose, and for tokens of one algorithm.

use fedgate_certs::certified_key::certificate_end;
use fedgate_certs::key::SigningAlgorithm;
use fedgate_certs::keyring::{KeyPurpose, Stage};
use fedgate_certs::rotation::{KeyState, Policy};
use jiff::SignedDuration;

use crate::limits::Limits;
use crate::store::StoreError;
use crate::store::key::StoredKey;

/// Another pair takes over so long before a certificate ends: people at identity providers that were given it by hand have
/// that long.
const BEFORE_END: SignedDuration = SignedDuration::from_hours(180 * 24);
/// A certificate stays in our metadata so long after its key signed the last request.
const SIGNING_RETIRING: SignedDuration = SignedDuration::from_hours(24);
/// A key is kept so long after it was of any use.
const RETIRED: SignedDuration = SignedDuration::from_hours(30 * 24);
/// What clocks of applications may differ by, and a message to them be under way.
const LEEWAY_SECONDS: u64 = 300;
/// More keys than ever retire at once.
const MANY: usize = 8;

/// A lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Signs tokens with that algorithm.
    Tokens(SigningAlgorithm),
    /// Signs requests to SAML identity providers.
    SamlSigning,
    /// Decrypts what they encrypt.
    SamlDecryption,
}

impl Lane {
    /// Every lane.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let tokens = SigningAlgorithm::ALL.into_iter().map(Self::Tokens);
        tokens.chain([Self::SamlSigning, Self::SamlDecryption])
    }

    /// The lane of a stored key.
    pub(crate) fn of(row: &StoredKey) -> Option<Self> {
        match KeyPurpose::from_name(&row.purpose)? {
            KeyPurpose::Tokens => SigningAlgorithm::from_name(&row.algorithm).map(Self::Tokens),
            KeyPurpose::SamlSigning => Some(Self::SamlSigning),
            KeyPurpose::SamlDecryption => Some(Self::SamlDecryption),
        }
    }

    /// The word of its purpose.
    pub(crate) const fn purpose(self) -> &'static str {
        self.key_purpose().as_str()
    }

    pub(crate) const fn key_purpose(self) -> KeyPurpose {
        match self {
            Self::Tokens(_) => KeyPurpose::Tokens,
            Self::SamlSigning => KeyPurpose::SamlSigning,
            Self::SamlDecryption => KeyPurpose::SamlDecryption,
        }
    }

    /// How long its keys stay in each stage.
    pub(crate) fn policy(self, limits: &Limits) -> Policy {
        // Every replica has read a key before one of them uses it.
        let near = seconds(limits.cache_seconds.saturating_mul(2));
        match self {
            Self::Tokens(_) => Policy {
                announced: seconds(limits.token_key_announced_seconds).max(near),
                active: days(limits.token_key_days),
                before_end: SignedDuration::ZERO,
                retiring: seconds(
                    limits
                        .token_seconds
                        .max(limits.api_token_seconds)
                        .saturating_add(limits.cache_seconds)
                        .saturating_add(LEEWAY_SECONDS),
                ),
                retired: RETIRED,
                most_retiring: MANY,
            },
            Self::SamlSigning => Policy {
                announced: days(limits.saml_key_announced_days).max(near),
                active: days(limits.saml_key_days),
                before_end: BEFORE_END,
                retiring: SIGNING_RETIRING,
                retired: RETIRED,
                most_retiring: MANY,
            },
            // Nobody has to know the key before the first message that it opens. Two keys are tried on a message.
            Self::SamlDecryption => Policy {
                announced: near,
                active: days(limits.saml_key_days),
                before_end: BEFORE_END,
                retiring: days(limits.saml_key_retiring_days).max(seconds(
                    limits.pending_seconds.saturating_add(LEEWAY_SECONDS),
                )),
                retired: RETIRED,
                most_retiring: 1,
            },
        }
    }

    /// What the plan is made from.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub(crate) fn states(self, rows: &[StoredKey]) -> Result<Vec<KeyState>, StoreError> {
        let own = rows.iter().filter(|row| Self::of(row) == Some(self));
        own.map(state).collect()
    }
}

/// A stored key as the plan sees it.
///
/// # Errors
/// [`StoreError::Corrupt`]
pub(crate) fn state(row: &StoredKey) -> Result<KeyState, StoreError> {
    Ok(KeyState {
        id: row.id.clone(),
        stage: Stage::from_name(&row.stage).ok_or(StoreError::Corrupt("key"))?,
        since: row.stage_at,
        needed_at: row.used_at,
        ends_at: row
            .certificate
            .as_deref()
            .and_then(|pem| certificate_end(pem.as_bytes())),
    })
}

fn seconds(seconds: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
}

fn days(days: u64) -> SignedDuration {
    seconds(days.saturating_mul(86_400))
}
