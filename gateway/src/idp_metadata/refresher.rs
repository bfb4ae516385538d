//! Reads what is due, as long as the gateway runs.

use std::time::Duration;

use fedgate_certs::Timestamp;
use fedgate_providers::connection::ConnectionId;
use futures_util::{StreamExt as _, stream};
use jiff::SignedDuration;

use super::refresh::refresh;
use crate::app::Shared;
use crate::store::StoreError;

/// How often it is looked whether something is due.
const TICK: Duration = Duration::from_secs(1);
/// Connections that are claimed at once.
const CLAIMED: usize = 64;
/// How long a claim holds where nobody gives it back: longer than all of them take that are claimed at once.
const CLAIM: SignedDuration = SignedDuration::from_mins(10);

/// Reads the metadata of every connection when it is due, so many at once as `metadata_fetches` says.
pub(crate) async fn run(app: Shared) {
    let mut tick = tokio::time::interval(TICK);
    let mut is_silent = false;
    loop {
        tick.tick().await;
        loop {
            let claimed = match claimed(&app).await {
                Ok(claimed) => claimed,
                Err(error) if !is_silent => {
                    tracing::warn!(%error, "metadata that is due cannot be looked up");
                    is_silent = true;
                    break;
                }
                Err(_) => break,
            };
            is_silent = false;
            let is_all = claimed.len() < CLAIMED;
            let at_once = app.limits.metadata_fetches;
            stream::iter(claimed)
                .for_each_concurrent(at_once, |id| due(&app, id))
                .await;
            if is_all {
                break;
            }
        }
    }
}

async fn claimed(app: &Shared) -> Result<Vec<ConnectionId>, StoreError> {
    let now = app.clock.now();
    let until = now.saturating_add(CLAIM).unwrap_or(Timestamp::MAX);
    app.store.claim_refreshes(now, until, CLAIMED).await
}

async fn due(app: &Shared, id: ConnectionId) {
    // What is wrong with the upstream is kept and told where it is found.
    let _ = refresh(app, &id, app.clock.now()).await;
}
