//! What lives shortly: authorization codes, large pending logins, counters, one-time ids.
//!
//! Embedded, it is this process's memory. It never drops what is alive: where a bound is reached, it refuses.
//! Marks that guard a sign-in are not here: they live in the database, in the transaction that they guard.

mod embedded;
mod expiring;

use std::sync::Arc;

use fedgate_certs::Timestamp;

use crate::limits::Limits;
use embedded::Embedded;

/// What lives shortly. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ephemeral(Backend);

#[derive(Clone, Debug)]
enum Backend {
    /// In this process: one replica only.
    Embedded(Arc<Embedded>),
}

/// What can go wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EphemeralError {
    /// Its bound is reached by entries that are all alive.
    #[error("the ephemeral store is full")]
    Full,
}

/// What a code stands for when it is redeemed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeState {
    /// It was waiting, and is spent from now on.
    Taken(Vec<u8>),
    /// It was redeemed before: whoever comes second may be a thief, or robbed (RFC 6749 section 4.1.2).
    /// It stands for the same as before, so that what came of it can be revoked.
    Spent(Vec<u8>),
    /// It never was, or it expired.
    Unknown,
}

#[expect(
    clippy::unused_async,
    reason = "another backend answers over the network"
)]
impl Ephemeral {
    /// This process's memory, within these bounds.
    pub fn embedded(limits: &Limits) -> Self {
        Self(Backend::Embedded(Arc::new(Embedded::new(limits))))
    }

    /// Keeps what an authorization code stands for, under the SHA-256 of the code.
    ///
    /// # Errors
    /// [`EphemeralError::Full`] when as many codes wait as may (`waiting_codes`).
    pub async fn put_code(
        &self,
        code_hash: [u8; 32],
        value: Vec<u8>,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), EphemeralError> {
        let Backend::Embedded(embedded) = &self.0;
        embedded.put_code(code_hash, value, expires_at, now)
    }

    /// Redeems a code: of any number of calls at once, one gets the value.
    ///
    /// # Errors
    /// None of the embedded one.
    pub async fn take_code(
        &self,
        code_hash: [u8; 32],
        now: Timestamp,
    ) -> Result<CodeState, EphemeralError> {
        let Backend::Embedded(embedded) = &self.0;
        Ok(embedded.take_code(code_hash, now))
    }

    /// Whether this is the first time that `key` is seen, among those of `kind`, until `expires_at`.
    ///
    /// # Errors
    /// [`EphemeralError::Full`]: whether it was seen cannot be remembered, so it must not be used.
    pub async fn once(
        &self,
        kind: &str,
        key: &[u8],
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, EphemeralError> {
        let Backend::Embedded(embedded) = &self.0;
        embedded.once(kind, key, expires_at, now)
    }

    /// Keeps a pending login that is too large for a cookie. One that is there under the same key stays.
    ///
    /// # Errors
    /// [`EphemeralError::Full`] when the quota (`stored_pendings`) is reached.
    pub async fn put_pending(
        &self,
        key: &[u8],
        value: Vec<u8>,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), EphemeralError> {
        let Backend::Embedded(embedded) = &self.0;
        embedded.put_pending(key, value, expires_at, now)
    }

    /// Reads a kept pending login and leaves it.
    ///
    /// # Errors
    /// None of the embedded one.
    pub async fn pending(
        &self,
        key: &[u8],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, EphemeralError> {
        let Backend::Embedded(embedded) = &self.0;
        Ok(embedded.pending(key, now))
    }

    /// Takes a kept pending login, once.
    ///
    /// # Errors
    /// None of the embedded one.
    pub async fn take_pending(
        &self,
        key: &[u8],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, EphemeralError> {
        let Backend::Embedded(embedded) = &self.0;
        Ok(embedded.take_pending(key, now))
    }

    /// Counts one more event of `key` in the current window of that many seconds; answers the count, this one included.
    ///
    /// # Errors
    /// [`EphemeralError::Full`] when too many keys are counted at once; the caller decides whether to let it pass.
    pub async fn count(
        &self,
        kind: &str,
        key: &[u8],
        window_seconds: u32,
        now: Timestamp,
    ) -> Result<u64, EphemeralError> {
        let Backend::Embedded(embedded) = &self.0;
        embedded.count(kind, key, window_seconds, now)
    }
}
