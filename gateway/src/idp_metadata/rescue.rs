//! The same-login rescue: a response that answers a pending login and is signed with a key that nobody here knows makes
//! the gateway read its identity provider's metadata once, however many wait for it, and is verified again with what
//! came. The identity provider may have changed its key a moment ago.

use std::sync::Arc;
use std::time::Duration;

use fedgate_certs::Timestamp;
use fedgate_providers::connection::ConnectionId;
use fedgate_providers::error::Refusal;
use fedgate_providers::identity::VerifiedIdentity;
use fedgate_providers::login::{Callback, Handle, Pending, Steps};
use fedgate_providers::provider::Provider;
use fedgate_providers::refetch::RECENT_SECONDS;
use moka::future::Cache;
use tokio::sync::Mutex;

use super::refresh::refresh;
use crate::app::App;
use crate::login::decryption;
use crate::registry::Ready;

/// Connections whose rescues may be under way at once; others wait for nobody.
const FLIGHTS: u64 = 10_000;
/// Longer than a fetch may take.
const FLIGHT: Duration = Duration::from_mins(1);

/// Who reads an identity provider's metadata for a login just now.
#[derive(Debug)]
pub struct Flights(Cache<ConnectionId, Arc<Mutex<()>>>);

impl Default for Flights {
    fn default() -> Self {
        let flights = Cache::builder().max_capacity(FLIGHTS).time_to_idle(FLIGHT);
        Self(flights.build())
    }
}

/// [`decryption::complete`], and once more with fresh keys where a key is unknown. Answers the connection as it was
/// when it verified.
///
/// # Errors
/// Those of the provider.
pub(crate) async fn complete(
    app: &App,
    ready: Arc<Ready>,
    of: (Handle, &Pending),
    callback: &Callback,
    now: Timestamp,
    steps: &mut Steps,
) -> Result<(VerifiedIdentity, Arc<Ready>), Refusal> {
    let before = steps.clone();
    let verified = verify(app, &ready, of, callback, now, steps).await;
    let refusal = match verified {
        Ok(identity) => return Ok((identity, ready)),
        Err(refusal) => refusal,
    };
    if !app.config.metadata.rescue
        || !ready
            .provider
            .is_for_fresh_keys(&refusal, of, callback, now)
    {
        return Err(refusal);
    }
    let Some(fresh) = Box::pin(with_fresh_keys(app, &ready)).await else {
        return Err(refusal);
    };
    *steps = before;
    let note = "an unknown key: the metadata was read anew, and has another key".to_owned();
    steps.pass("saml.rescue", note, now);
    let identity = verify(app, &fresh, of, callback, now, steps).await?;
    Ok((identity, fresh))
}

async fn verify(
    app: &App,
    ready: &Ready,
    of: (Handle, &Pending),
    callback: &Callback,
    now: Timestamp,
    steps: &mut Steps,
) -> Result<VerifiedIdentity, Refusal> {
    let connection = (&ready.connection.id, &ready.provider);
    decryption::complete(app, connection, of, callback, now, steps).await
}

/// The connection opened with what its identity provider says now, if that is another trust.
async fn with_fresh_keys(app: &App, stale: &Ready) -> Option<Arc<Ready>> {
    let id = &stale.connection.id;
    let flight = app.rescues.0.get_with(id.clone(), async { Arc::default() });
    let flight = flight.await;
    let _alone = flight.lock().await;
    let now = app.clock.now();
    if !is_recent(app, id, now).await && app.registry.refetches().take(id, now) {
        // Whatever it fails for is kept with the connection; the login keeps its own refusal.
        let _ = refresh(app, id, now).await;
    }
    // Whoever fetched may have been another login, or another replica.
    let opened = app
        .registry
        .reopened(&app.store, &app.sealer, &app.egress, id, now)
        .await;
    opened
        .ok()
        .filter(|fresh| keys(fresh, now) != keys(stale, now))
}

/// Whether the last attempt, whatever came of it, is so new that it counts as this one.
async fn is_recent(app: &App, id: &ConnectionId, now: Timestamp) -> bool {
    let refresh = app.store.refresh(id).await.unwrap_or_default();
    let attempted = refresh.attempted_at;
    attempted.is_some_and(|at| (now.as_second() - at.as_second()).abs() < RECENT_SECONDS)
}

fn keys(ready: &Ready, now: Timestamp) -> Vec<[u8; 32]> {
    match &ready.provider {
        Provider::Saml(provider) => {
            let trust = provider.trust_at(now);
            trust.keys().iter().map(|key| key.id).collect()
        }
        Provider::Oauth(_) => Vec::new(),
    }
}
