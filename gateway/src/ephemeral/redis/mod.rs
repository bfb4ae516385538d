//! The backend over Redis: one server, Sentinel or Cluster. It is shared infrastructure, so that values lie in it
//! sealed and names hashed, and what somebody else writes there opens as nothing.

mod address;
mod check;
mod link;
mod scripts;

use std::fmt;
use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fedgate_certs::Timestamp;
use fedgate_certs::seal::Sealer;
use fedgate_providers::error::Refusal;
use rand::CryptoRng;
use redis::aio::PubSub;
use redis::{RedisResult, cmd};

use super::code::{Code, Owner};
use super::{CodeState, EphemeralError, EphemeralRefusal, KeptCode};
use crate::limits::Limits;
pub use address::RedisUrl;
use fedgate_certs::hex;
use link::{Call, Link};
use scripts::{
    ATTEMPT_BYTES, COUNT, DROP_PENDING, PROBE, PUT_CODE, PUT_PENDING, TAKE_CODE, TAKEN_MILLISECONDS,
};

/// What everything here is sealed and hashed for.
const PURPOSE: &str = "ephemeral";
/// Octets of an installation's own part of every key.
const INSTALLATION_BYTES: usize = 8;

pub(super) struct Redis {
    link: Link,
    sealer: Arc<Sealer>,
    /// Begins every key: installations that share a Redis do not meet.
    prefix: String,
    share_of_codes: usize,
    pendings: usize,
    share_of_pendings: usize,
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redis({:?})", self.link)
    }
}

impl Redis {
    /// Connects, and checks that the server is one that keeps what it is given. `installation` names the database
    /// that all replicas share.
    ///
    /// # Errors
    /// `ephemeral.unavailable` when it does not answer for some seconds, `ephemeral.evicts`, `ephemeral.unsuitable`.
    pub(super) async fn open(
        url: RedisUrl,
        installation: &str,
        sealer: Arc<Sealer>,
        limits: &Limits,
    ) -> Result<Self, Refusal> {
        let shown = url.to_string();
        let own = sealer
            .mac(PURPOSE, format!("installation {installation}").as_bytes())
            .map_err(|error| EphemeralRefusal::Unsuitable.refuse().detail(error))?;
        let redis = Self {
            link: Link::new(url),
            prefix: hex::with_prefix("fedgate:", &own[..INSTALLATION_BYTES]),
            sealer,
            share_of_codes: limits.waiting_codes_per_connection,
            pendings: limits.stored_pendings,
            share_of_pendings: limits.stored_pendings_per_connection,
        };
        let checked = check::check(&redis.link).await;
        checked.map_err(|refusal| refusal.found(shown))?;
        Ok(redis)
    }

    /// Answers if Redis does.
    pub(super) async fn ping(&self) -> Result<(), EphemeralError> {
        self.link
            .ask::<String>(Call::Script(&PROBE.prepare_invoke()))
            .await
            .map(|_| ())
    }

    pub(super) async fn put_code(
        &self,
        code: &Code,
        kept: Sealed,
        milliseconds: u64,
    ) -> Result<(), EphemeralError> {
        let mut put = PUT_CODE.prepare_invoke();
        for key in self.code_keys(code) {
            put.key(key);
        }
        put.arg(kept.value)
            .arg(kept.remains)
            .arg(milliseconds)
            .arg(self.share_of_codes);
        self.put(Call::Script(&put)).await
    }

    /// What is put for a code: sealed before anything is awaited, since randomness does not wait.
    pub(super) fn seal_code(
        &self,
        code: &Code,
        kept: &KeptCode,
        (expires_at, now): (Timestamp, Timestamp),
        rng: &mut dyn CryptoRng,
    ) -> Result<Sealed, EphemeralError> {
        let [value_key, fate_key, _] = self.code_keys(code);
        Ok(Sealed {
            value: self.seal(&value_key, &kept.value, (expires_at, now), rng)?,
            remains: self.seal(&fate_key, &kept.remains, (expires_at, now), rng)?,
        })
    }

    pub(super) async fn take_code(
        &self,
        code: &Code,
        now: Timestamp,
        attempt: [u8; ATTEMPT_BYTES],
    ) -> Result<CodeState, EphemeralError> {
        let keys = self.code_keys(code);
        let mut take = TAKE_CODE.prepare_invoke();
        for key in &keys {
            take.key(key);
        }
        take.arg(hex::with_prefix("", &attempt))
            .arg(TAKEN_MILLISECONDS);
        let (state, text) = self
            .link
            .ask::<Vec<String>>(Call::Script(&take))
            .await
            .map(|answer| {
                let mut answer = answer.into_iter();
                (answer.next(), answer.next())
            })?;
        let open = |key: &str| self.open_value(key, text.as_deref().unwrap_or_default(), now);
        Ok(match state.as_deref() {
            Some("taken") => open(&keys[0]).map_or(CodeState::Unknown, CodeState::Taken),
            Some("spent") => open(&keys[1]).map_or(CodeState::Unknown, CodeState::Spent),
            Some("lost") => {
                tracing::warn!(
                    "a code is not redeemed: Redis has restarted or failed over since it was issued"
                );
                CodeState::Unknown
            }
            _ => CodeState::Unknown,
        })
    }

    pub(super) async fn put_pending(
        &self,
        keys: [String; 3],
        sealed: String,
        milliseconds: u64,
    ) -> Result<(), EphemeralError> {
        let mut put = PUT_PENDING.prepare_invoke();
        for key in keys {
            put.key(key);
        }
        put.arg(sealed)
            .arg(milliseconds)
            .arg(self.pendings)
            .arg(self.share_of_pendings);
        self.put(Call::Script(&put)).await
    }

    /// The value, sealed for its key.
    pub(super) fn seal_pending(
        &self,
        keys: &[String; 3],
        value: &[u8],
        (expires_at, now): (Timestamp, Timestamp),
        rng: &mut dyn CryptoRng,
    ) -> Result<String, EphemeralError> {
        self.seal(&keys[0], value, (expires_at, now), rng)
    }

    pub(super) async fn pending(
        &self,
        keys: &[String; 3],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, EphemeralError> {
        let mut get = cmd("GET");
        get.arg(&keys[0]);
        let sealed: Option<String> = self.link.ask(Call::Command(&get)).await?;
        Ok(sealed.and_then(|sealed| self.open_value(&keys[0], &sealed, now)))
    }

    pub(super) async fn drop_pending(&self, keys: &[String; 3]) -> Result<(), EphemeralError> {
        let mut drop = DROP_PENDING.prepare_invoke();
        for key in keys {
            drop.key(key);
        }
        self.link.ask::<u64>(Call::Script(&drop)).await.map(|_| ())
    }

    /// The value's key, and those of what is counted with it; one slot, so that one step sees them all.
    pub(super) fn pending_keys(
        &self,
        owner: &str,
        key: &[u8],
    ) -> Result<[String; 3], EphemeralError> {
        let tagged = |name: &str| format!("{}:{{pending}}:{name}", self.prefix);
        Ok([
            tagged(&self.hashed("pending", key)?),
            tagged("all"),
            tagged(&format!("of:{}", Owner::named(owner).as_str())),
        ])
    }

    pub(super) async fn count(
        &self,
        kind: &str,
        key: &[u8],
        window_seconds: u32,
        now: Timestamp,
    ) -> Result<u64, EphemeralError> {
        let window = i64::from(window_seconds.max(1));
        let number = now.as_second().div_euclid(window);
        let key = format!(
            "{}:{kind}:{}:{number}",
            self.prefix,
            self.hashed(kind, key)?
        );
        let mut count = COUNT.prepare_invoke();
        count.key(key).arg(u64::from(window_seconds.max(1)) * 1000);
        self.link.ask(Call::Script(&count)).await
    }

    /// The channel of this installation.
    fn channel(&self) -> String {
        format!("{}:changes", self.prefix)
    }

    pub(super) async fn publish(&self, message: &[u8]) -> Result<(), EphemeralError> {
        let mut publish = cmd("PUBLISH");
        publish.arg(self.channel()).arg(message);
        self.link
            .ask::<u64>(Call::Command(&publish))
            .await
            .map(|_| ())
    }

    pub(super) async fn subscriber(&self) -> RedisResult<PubSub> {
        self.link.subscriber(&self.channel()).await
    }

    async fn put(&self, call: Call<'_>) -> Result<(), EphemeralError> {
        match self.link.ask::<u64>(call).await? {
            0 => Err(EphemeralError::Full),
            _ => Ok(()),
        }
    }

    /// Value, fate, and the waiting codes of the connection: one hash tag, so that one step sees them all.
    fn code_keys(&self, code: &Code) -> [String; 3] {
        let hash = URL_SAFE_NO_PAD.encode(code.hash());
        let owner = code.owner();
        let tagged = |name: &str| format!("{}:{{{}}}:{name}", self.prefix, owner.as_str());
        [
            tagged(&format!("code:{hash}")),
            tagged(&format!("fate:{hash}")),
            tagged("waiting"),
        ]
    }

    fn seal(
        &self,
        key: &str,
        plain: &[u8],
        (expires_at, now): (Timestamp, Timestamp),
        rng: &mut dyn CryptoRng,
    ) -> Result<String, EphemeralError> {
        self.sealer
            .seal_for_day(PURPOSE, &[key.as_bytes()], plain, expires_at, now, rng)
            .map_err(|_| EphemeralError::Unavailable("not sealed"))
    }

    /// The value, unless it has expired by our clock, or is none of ours.
    fn open_value(&self, key: &str, sealed: &str, now: Timestamp) -> Option<Vec<u8>> {
        let opened = self
            .sealer
            .open_for_day(PURPOSE, &[key.as_bytes()], sealed, now)
            .ok()?;
        (!opened.expired).then(|| opened.plain.to_vec())
    }

    /// Kind and key under a key of ours: addresses of people could be guessed from a plain hash.
    fn hashed(&self, kind: &str, key: &[u8]) -> Result<String, EphemeralError> {
        let mut data = (kind.len() as u64).to_be_bytes().to_vec();
        data.extend_from_slice(kind.as_bytes());
        data.extend_from_slice(key);
        let hash = self
            .sealer
            .mac(PURPOSE, &data)
            .map_err(|_| EphemeralError::Unavailable("not hashed"))?;
        Ok(URL_SAFE_NO_PAD.encode(hash))
    }
}

/// What lies in Redis for a code.
pub(super) struct Sealed {
    value: String,
    remains: String,
}

/// The random name of an attempt to take a code.
pub(super) fn attempt(rng: &mut dyn CryptoRng) -> [u8; ATTEMPT_BYTES] {
    let mut attempt = [0; ATTEMPT_BYTES];
    rng.fill_bytes(&mut attempt);
    attempt
}

/// What is left until `expires_at`, for Redis's own clock: at least one millisecond, or it would refuse.
pub(super) fn milliseconds(expires_at: Timestamp, now: Timestamp) -> u64 {
    let left = expires_at.as_millisecond() - now.as_millisecond();
    u64::try_from(left).unwrap_or_default().max(1)
}
