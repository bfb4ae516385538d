//! One provider's published keys, kept between logins.
//!
//! An unknown kid causes one fetch, however many wait for it, not more than one in [`RECENT_SECONDS`], and no more than
//! the budget of such fetches has: a flood of forged tokens is no flood upon the provider. Keys age out even when the provider stays silent, so
//! that a key it withdrew does not verify for ever.

use std::sync::{Arc, PoisonError, RwLock};

use fedgate_certs::Timestamp;
use fedgate_certs::error::CertError;
use fedgate_certs::jose::JwsAlgorithm;
use fedgate_certs::jwks::{Jwks, PublishedKey};
use tokio::sync::Mutex;
use url::Url;

use super::OidcRefusal;
use crate::connection::ConnectionId;
use crate::egress::{Egress, Purpose};
use crate::error::Refusal;
use crate::refetch::{RECENT_SECONDS, RefetchBudget};

/// The shortest time between two fetches that no unknown kid causes, in seconds.
const REFETCH_SECONDS: i64 = 30;
/// After this time the keys are fetched anew, in seconds.
const FRESH_SECONDS: i64 = 3600;
/// After this time keys that could not be fetched anew are dropped, in seconds.
const STALE_SECONDS: i64 = 24 * 3600;

/// The keys behind one `jwks_uri`.
#[derive(Debug)]
pub(crate) struct KeySet {
    url: Url,
    egress: Arc<Egress>,
    connection: ConnectionId,
    budget: Arc<RefetchBudget>,
    held: RwLock<Option<Held>>,
    last: Mutex<Option<Attempt>>,
}

#[derive(Debug)]
struct Held {
    keys: Arc<Jwks>,
    fetched_at: Timestamp,
}

/// The last fetch that ended, and how.
#[derive(Debug)]
struct Attempt {
    at: Timestamp,
    failure: Option<Refusal>,
}

impl KeySet {
    pub(crate) fn new(url: Url, egress: Arc<Egress>, connection: ConnectionId) -> Self {
        Self {
            url,
            egress,
            connection,
            budget: Arc::default(),
            held: RwLock::new(None),
            last: Mutex::new(None),
        }
    }

    /// The same keys, within this budget of fetches for unknown ones.
    pub(crate) fn within(mut self, budget: Arc<RefetchBudget>) -> Self {
        self.budget = budget;
        self
    }

    /// Fetches the keys unless fresh ones are held. A failure shows when a key is wanted.
    pub(crate) async fn warm(&self, now: Timestamp) {
        if self.held_within(FRESH_SECONDS, now).is_none() {
            let _ = self.refetch(now).await;
        }
    }

    /// The key for a token, after at most one fetch.
    ///
    /// # Errors
    /// `oidc.key_unknown`, `oidc.algorithm_forbidden`, `oidc.keys_malformed`, or the `egress` leaf of the fetch.
    pub(crate) async fn key(
        &self,
        kid: Option<&str>,
        algorithm: JwsAlgorithm,
        now: Timestamp,
    ) -> Result<PublishedKey, Refusal> {
        let refetched = match self
            .held_within(FRESH_SECONDS, now)
            .map(|keys| found(&keys, kid, algorithm))
        {
            Some(Ok(key)) => return Ok(key),
            Some(Err(_)) => self.refetch_for_unknown(now).await,
            None => self.refetch(now).await,
        };
        match self.held_within(STALE_SECONDS, now) {
            Some(keys) => found(&keys, kid, algorithm),
            None => Err(refetched
                .err()
                .unwrap_or_else(|| OidcRefusal::KeyUnknown.refuse())),
        }
    }

    /// Fetches the keys, unless that happened lately; then the outcome is that one's.
    async fn refetch(&self, now: Timestamp) -> Result<(), Refusal> {
        self.refetch_after(REFETCH_SECONDS, now, || true).await
    }

    /// The same for a key that is not among fresh ones: as soon as the provider rolls, within the budget.
    async fn refetch_for_unknown(&self, now: Timestamp) -> Result<(), Refusal> {
        let may_fetch = || self.budget.take(&self.connection, now);
        self.refetch_after(RECENT_SECONDS, now, may_fetch).await
    }

    async fn refetch_after(
        &self,
        seconds: i64,
        now: Timestamp,
        may_fetch: impl FnOnce() -> bool,
    ) -> Result<(), Refusal> {
        let mut last = self.last.lock().await;
        let lately =
            |attempt: &&Attempt| (now.as_second() - attempt.at.as_second()).abs() < seconds;
        if let Some(attempt) = last.as_ref().filter(lately) {
            return attempt.failure.clone().map_or(Ok(()), Err);
        }
        if !may_fetch() {
            return Ok(());
        }
        let fetched = self.fetch().await;
        *last = Some(Attempt {
            at: now,
            failure: fetched.as_ref().err().cloned(),
        });
        let held = Held {
            keys: Arc::new(fetched?),
            fetched_at: now,
        };
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(held);
        Ok(())
    }

    async fn fetch(&self) -> Result<Jwks, Refusal> {
        let fetched = self.egress.get(&self.url, Purpose::Keys).await?;
        Jwks::parse(&fetched.body)
            .map_err(|error| OidcRefusal::KeysMalformed.refuse().detail(error))
    }

    fn held_within(&self, seconds: i64, now: Timestamp) -> Option<Arc<Jwks>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let young = |held: &&Held| now.as_second() - held.fetched_at.as_second() < seconds;
        held.as_ref()
            .filter(young)
            .map(|held| Arc::clone(&held.keys))
    }
}

fn found(keys: &Jwks, kid: Option<&str>, algorithm: JwsAlgorithm) -> Result<PublishedKey, Refusal> {
    keys.find(kid, algorithm).cloned().map_err(|error| {
        let leaf = match error {
            CertError::AlgorithmRefused => OidcRefusal::AlgorithmForbidden,
            CertError::KeyUnknown | CertError::KeyAmbiguous => OidcRefusal::KeyUnknown,
            _ => OidcRefusal::KeysMalformed,
        };
        leaf.refuse().found(kid.unwrap_or("no kid")).detail(error)
    })
}
