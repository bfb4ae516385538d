//! The gateway's own keys come and go by themselves: it looks at them again and again, and carries out the plan of
//! [`fedgate_certs::rotation`]. Of several replicas that decide at once, one is heard.

mod carry_out;
mod keep;
mod lane;

use std::time::Duration;

use fedgate_certs::error::CertError;
use fedgate_certs::rotation::plan;
use thiserror::Error;

use crate::app::{App, Shared};
use crate::store::StoreError;

use carry_out::change;
pub(crate) use carry_out::{make as made, told};
pub(crate) use keep::Kept;
pub(crate) use lane::Lane;

/// What is told of a key that comes, or takes over.
pub(crate) const ROTATED: &str = "certificate.rotated";

/// Why the keys stay as they are for now.
#[derive(Debug, Error)]
pub(crate) enum RotationError {
    /// The database.
    #[error("the store cannot be used: {0}")]
    Store(#[from] StoreError),
    /// A key cannot be made or sealed.
    #[error("a key cannot be made: {0}")]
    Key(#[from] CertError),
    /// The task that makes keys ended.
    #[error("a key cannot be made: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// Looks at the keys as long as the gateway runs.
pub(crate) async fn run(app: Shared) {
    let mut tick = tokio::time::interval(Duration::from_secs(app.limits.key_check_seconds));
    loop {
        tick.tick().await;
        if let Err(error) = look(&app).await {
            tracing::warn!(%error, "the keys could not be looked at");
        }
    }
}

/// Does what is to be done at this moment.
async fn look(app: &App) -> Result<(), RotationError> {
    let now = app.clock.now();
    let rows = app.store.keys().await?;
    let mut is_changed = false;
    for lane in Lane::all() {
        let states = lane.states(&rows)?;
        let steps = plan(&states, &lane.policy(&app.limits), now);
        if !steps.is_empty() {
            let rows = rows.iter().filter(|row| row.purpose == lane.purpose());
            let change = change(app, lane, rows, &steps, now).await?;
            // The one before may have changed the purpose that this one reads: it is looked at again in a moment.
            is_changed |= app.store.change_keys(lane.purpose(), &change, now).await?;
        }
    }
    if is_changed {
        app.reread_keys().await;
    }
    Ok(())
}
