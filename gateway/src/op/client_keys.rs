//! Keys that applications publish at their `jwks_uri`.

use std::sync::Arc;
use std::time::Duration;

use fedgate_certs::Timestamp;
use fedgate_certs::jwks::Jwks;
use fedgate_providers::egress::{Egress, Purpose};
use fedgate_providers::error::Refusal;
use moka::future::Cache;
use url::Url;

use super::refusal::OpRefusal;
use crate::telemetry::Reads;

/// How long fetched keys are used.
const KEPT: Duration = Duration::from_mins(10);
/// The most key sets that are kept.
const MOST_SETS: u64 = 1_000;
/// How old a set must be, in seconds, before a key that it lacks, or its failure, makes it be fetched anew: without
/// this floor anybody could make the gateway fetch at will by inventing a `kid` (denial of service).
const REFRESH_FLOOR_SECONDS: i64 = 60;

/// A cache in front of every `jwks_uri`. Requests for one URI wait for one fetch.
#[derive(Clone, Debug)]
pub struct ClientKeys {
    egress: Arc<Egress>,
    sets: Cache<String, Arc<Fetched>>,
    reads: Arc<Reads>,
}

/// One fetch: failures are kept too, or a dead `jwks_uri` would cost a timeout with every request.
#[derive(Debug)]
pub(super) struct Fetched {
    /// The keys, or why there are none.
    pub(super) keys: Result<Jwks, Refusal>,
    at: Timestamp,
}

impl ClientKeys {
    /// An empty cache that fetches through `egress`.
    pub fn new(egress: Arc<Egress>) -> Self {
        Self {
            egress,
            sets: Cache::builder()
                .max_capacity(MOST_SETS)
                .time_to_live(KEPT)
                .build(),
            reads: Arc::default(),
        }
    }

    /// The keys at `uri`, cached.
    pub(super) async fn at(&self, uri: &str, now: Timestamp) -> Arc<Fetched> {
        self.reads.asked();
        self.sets
            .get_with_by_ref(uri, async {
                self.reads.missed();
                Arc::new(self.fetch(uri, now).await)
            })
            .await
    }

    /// How often they were asked for.
    pub fn reads(&self) -> &Reads {
        &self.reads
    }

    /// The keys at `uri` fetched anew, unless `stale` is too young for that.
    pub(super) async fn newer(
        &self,
        uri: &str,
        stale: &Fetched,
        now: Timestamp,
    ) -> Option<Arc<Fetched>> {
        if now.as_second().saturating_sub(stale.at.as_second()) < REFRESH_FLOOR_SECONDS {
            return None;
        }
        // Of several requests that hold the same stale set one fetches; the others find its successor.
        let fetched = async { Arc::new(self.fetch(uri, now).await) };
        let entry = self
            .sets
            .entry_by_ref(uri)
            .or_insert_with_if(fetched, |held| held.at <= stale.at)
            .await;
        Some(entry.into_value())
    }

    async fn fetch(&self, uri: &str, now: Timestamp) -> Fetched {
        Fetched {
            keys: self.read(uri).await,
            at: now,
        }
    }

    async fn read(&self, uri: &str) -> Result<Jwks, Refusal> {
        let unavailable = || {
            OpRefusal::ClientKeysUnavailable
                .refuse()
                .expected("a JWK Set")
                .found(uri)
        };
        let url = Url::parse(uri).map_err(|error| unavailable().detail(error))?;
        let fetched = self
            .egress
            .get(&url, Purpose::Keys)
            .await
            .map_err(|refusal| unavailable().detail(refusal))?;
        Jwks::parse(&fetched.body).map_err(|error| unavailable().detail(error))
    }
}

#[cfg(test)]
mod tests;
