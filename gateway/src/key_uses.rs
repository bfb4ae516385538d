//! Which of our pairs each identity provider encrypts for: that is the certificate that it has picked up.
//!
//! Each login would write the same thing again: a use is written once an hour and connection.

use std::time::Duration;

use fedgate_certs::Timestamp;
use fedgate_providers::connection::ConnectionId;
use moka::future::Cache;

use crate::limits::Limits;
use crate::store::Store;

/// How often a use is written anew. What follows from it counts in days.
const WRITTEN: Duration = Duration::from_hours(1);

/// Uses that were written lately.
#[derive(Debug)]
pub struct KeyUses(Cache<(ConnectionId, String), Timestamp>);

impl KeyUses {
    /// None so far.
    pub fn new(limits: &Limits) -> Self {
        let written = Cache::builder().max_capacity(limits.cached_providers);
        Self(written.time_to_live(WRITTEN).build())
    }

    /// Notes that a connection's identity provider has encrypted for a key of ours. A use that cannot be written is noted
    /// with the next one: no login fails for it.
    pub(crate) async fn note(
        &self,
        store: &Store,
        connection: &ConnectionId,
        key: &str,
        now: Timestamp,
    ) {
        let use_of = (connection.clone(), key.to_owned());
        // The clock of a test goes in steps, the cache's does not.
        let is_written = self
            .0
            .get(&use_of)
            .await
            .is_some_and(|at| now.duration_since(at).unsigned_abs() < WRITTEN);
        if is_written {
            return;
        }
        match store.note_key_use(connection, key, now).await {
            Ok(()) => self.0.insert(use_of, now).await,
            Err(error) => {
                tracing::warn!(%error, %connection, "the use of a key could not be noted");
            }
        }
    }
}
