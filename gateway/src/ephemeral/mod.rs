//! What lives shortly: authorization codes, large pending logins, counters.
//!
//! Embedded, it is this process's memory; or it is a Redis that replicas share. It never drops what is alive: where a
//! bound is reached, it refuses. Marks that guard a sign-in or an application's assertion are not here: they live in
//! the database, which neither a restart nor a failover makes forget.

mod code;
mod embedded;
mod expiring;
mod redis;
mod refusal;

use std::sync::Arc;

use ::redis::RedisResult;
use ::redis::aio::PubSub;
use fedgate_certs::Timestamp;
use fedgate_certs::seal::Sealer;
use fedgate_providers::error::Refusal;
use rand::CryptoRng;

use crate::limits::Limits;
pub use code::Code;
use embedded::Embedded;
pub use redis::RedisUrl;
use redis::{Redis, attempt, milliseconds};
pub use refusal::EphemeralRefusal;

/// What lives shortly. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ephemeral(Backend);

#[derive(Clone, Debug)]
enum Backend {
    /// In this process: one replica only.
    Embedded(Arc<Embedded>),
    /// Shared by replicas.
    Redis(Arc<Redis>),
}

/// What can go wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EphemeralError {
    /// Its bound, or a connection's share of it, is reached by entries that are all alive.
    #[error("the ephemeral store is full")]
    Full,
    /// It did not answer; the log has more.
    #[error("the ephemeral store did not answer: {0}")]
    Unavailable(&'static str),
}

/// What is kept for a code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptCode {
    /// What it stands for, until it is redeemed.
    pub value: Vec<u8>,
    /// What remains of that afterwards, until the code would have expired: a few octets of each login.
    pub remains: Vec<u8>,
}

/// What a code stands for when it is redeemed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeState {
    /// It was waiting, and is spent from now on.
    Taken(Vec<u8>),
    /// It was redeemed before: whoever comes second may be a thief, or robbed (RFC 6749 section 4.1.2).
    /// With what remains of it, so that what came of it can be revoked.
    Spent(Vec<u8>),
    /// It never was, it expired, or a failover has burnt it.
    Unknown,
}

impl Ephemeral {
    /// This process's memory, within these bounds.
    pub fn embedded(limits: &Limits) -> Self {
        Self(Backend::Embedded(Arc::new(Embedded::new(limits))))
    }

    /// A Redis. `installation` names the database that all replicas share: installations that share a Redis, or a
    /// master key, do not meet in it.
    ///
    /// # Errors
    /// `ephemeral.unavailable` when it does not answer for some seconds, `ephemeral.evicts`, `ephemeral.unsuitable`.
    pub async fn redis(
        url: RedisUrl,
        installation: &str,
        sealer: Arc<Sealer>,
        limits: &Limits,
    ) -> Result<Self, Refusal> {
        let redis = Redis::open(url, installation, sealer, limits).await?;
        Ok(Self(Backend::Redis(Arc::new(redis))))
    }

    /// Answers if it does.
    ///
    /// # Errors
    /// [`EphemeralError::Unavailable`]
    pub async fn ping(&self) -> Result<(), EphemeralError> {
        match &self.0 {
            Backend::Embedded(_) => Ok(()),
            Backend::Redis(redis) => redis.ping().await,
        }
    }

    /// Keeps what an authorization code stands for.
    ///
    /// # Errors
    /// [`EphemeralError::Full`] when as many codes wait as may (`waiting_codes`, `waiting_codes_per_connection`, the
    /// memory of Redis); [`EphemeralError::Unavailable`].
    pub async fn put_code(
        &self,
        code: &Code,
        kept: KeptCode,
        expires_at: Timestamp,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<(), EphemeralError> {
        match &self.0 {
            Backend::Embedded(embedded) => embedded.put_code(code, kept, expires_at, now),
            Backend::Redis(redis) => {
                let sealed = redis.seal_code(code, &kept, (expires_at, now), rng)?;
                let left = milliseconds(expires_at, now);
                redis.put_code(code, sealed, left).await
            }
        }
    }

    /// Redeems a code: of any number of calls at once, one gets the value. A call whose answer from Redis was lost asks
    /// again under its own name, and gets what it took.
    ///
    /// # Errors
    /// [`EphemeralError::Unavailable`]: whether the code is spent is not known.
    pub async fn take_code(
        &self,
        code: &Code,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<CodeState, EphemeralError> {
        match &self.0 {
            Backend::Embedded(embedded) => Ok(embedded.take_code(code, now)),
            Backend::Redis(redis) => redis.take_code(code, now, attempt(rng)).await,
        }
    }

    /// Keeps a pending login that is too large for a cookie, on the account of its connection `owner`. One that is there
    /// under the same key stays.
    ///
    /// # Errors
    /// [`EphemeralError::Full`] when a quota (`stored_pendings`, `stored_pendings_per_connection`) is reached;
    /// [`EphemeralError::Unavailable`].
    pub async fn put_pending(
        &self,
        (owner, key): (&str, &[u8]),
        value: Vec<u8>,
        expires_at: Timestamp,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<(), EphemeralError> {
        match &self.0 {
            Backend::Embedded(embedded) => embedded.put_pending(owner, key, value, expires_at, now),
            Backend::Redis(redis) => {
                let keys = redis.pending_keys(owner, key)?;
                let sealed = redis.seal_pending(&keys, &value, (expires_at, now), rng)?;
                let left = milliseconds(expires_at, now);
                redis.put_pending(keys, sealed, left).await
            }
        }
    }

    /// Reads a kept pending login and leaves it.
    ///
    /// # Errors
    /// [`EphemeralError::Unavailable`]
    pub async fn pending(
        &self,
        (owner, key): (&str, &[u8]),
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, EphemeralError> {
        match &self.0 {
            Backend::Embedded(embedded) => Ok(embedded.pending(key, now)),
            Backend::Redis(redis) => {
                let keys = redis.pending_keys(owner, key)?;
                redis.pending(&keys, now).await
            }
        }
    }

    /// Removes a kept pending login, so that it counts against its connection no more.
    ///
    /// # Errors
    /// [`EphemeralError::Unavailable`]: it stays until it expires.
    pub async fn drop_pending(
        &self,
        (owner, key): (&str, &[u8]),
        now: Timestamp,
    ) -> Result<(), EphemeralError> {
        match &self.0 {
            Backend::Embedded(embedded) => {
                embedded.drop_pending(key, now);
                Ok(())
            }
            Backend::Redis(redis) => redis.drop_pending(&redis.pending_keys(owner, key)?).await,
        }
    }

    /// Counts one more event of `key` in the current window of that many seconds; answers the count, this one included.
    ///
    /// # Errors
    /// [`EphemeralError::Full`] when too many keys are counted at once, [`EphemeralError::Unavailable`]; the caller
    /// decides whether to let it pass.
    pub async fn count(
        &self,
        kind: &str,
        key: &[u8],
        window_seconds: u32,
        now: Timestamp,
    ) -> Result<u64, EphemeralError> {
        match &self.0 {
            Backend::Embedded(embedded) => embedded.count(kind, key, window_seconds, now),
            Backend::Redis(redis) => redis.count(kind, key, window_seconds, now).await,
        }
    }

    /// Whether other replicas may share it, and hear what is published.
    pub fn is_shared(&self) -> bool {
        matches!(self.0, Backend::Redis(_))
    }

    /// Tells the other replicas; with the embedded one there are none.
    ///
    /// # Errors
    /// [`EphemeralError::Unavailable`]
    pub(crate) async fn publish(&self, message: &[u8]) -> Result<(), EphemeralError> {
        match &self.0 {
            Backend::Embedded(_) => Ok(()),
            Backend::Redis(redis) => redis.publish(message).await,
        }
    }

    /// What the replicas publish from now on; none with the embedded one.
    pub(crate) async fn subscriber(&self) -> Option<RedisResult<PubSub>> {
        match &self.0 {
            Backend::Embedded(_) => None,
            Backend::Redis(redis) => Some(redis.subscriber().await),
        }
    }
}

#[cfg(test)]
mod conformance;
