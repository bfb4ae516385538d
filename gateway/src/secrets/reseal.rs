//! Sealing anew, in the background, what another master key has sealed.
//!
//! Each box is put in the place of the one before by one statement, so that a process that is killed leaves every box
//! whole. Where it was is written down now and then: the next start goes on there.

use std::time::Duration;

use fedgate_certs::error::CertError;
use fedgate_certs::hex;
use thiserror::Error;

use crate::app::{App, Shared};
use crate::store::StoreError;
use crate::store::sealed::{Place, SealedBox};

/// Boxes that are read at once.
const AT_ONCE: i64 = 100;
/// Between two walks: another replica may still have sealed with the key before.
const AGAIN: Duration = Duration::from_mins(10);
/// After a failure.
const LATER: Duration = Duration::from_secs(10);

/// Why a walk ended early.
#[derive(Debug, Error)]
enum ResealError {
    #[error("the store cannot be used: {0}")]
    Store(#[from] StoreError),
    #[error("a box cannot be sealed: {0}")]
    Seal(CertError),
}

/// Walks through everything that is sealed, again and again, as long as two master keys are at hand.
pub(crate) async fn run(app: Shared) {
    if app.sealer.other_key_id().is_none() {
        return;
    }
    loop {
        let pause = match walk(&app).await {
            Ok(0) => AGAIN,
            Ok(sealed) => {
                tracing::info!(
                    sealed,
                    "secrets were sealed anew; fedgate secrets verify tells when the previous master key is not needed any more"
                );
                AGAIN
            }
            Err(error) => {
                tracing::warn!(%error, "secrets could not all be sealed anew");
                LATER
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Seals anew what is not sealed with the master key of now, from where the last walk ended; answers how many boxes.
async fn walk(app: &App) -> Result<u64, ResealError> {
    let name = format!("reseal.{}", hex::with_prefix("", &app.sealer.key_id()));
    let kept = app.store.setting(&name).await?.unwrap_or_default();
    let (begin, mut after) = match kept.split_once(' ') {
        Some((place, after)) => (place, after.to_owned()),
        None => ("", String::new()),
    };
    let skipped = Place::ALL.iter().position(|place| place.as_str() == begin);
    let mut sealed = 0;
    for place in Place::ALL.into_iter().skip(skipped.unwrap_or(0)) {
        loop {
            let boxes = app.store.sealed_after(place, &after, AT_ONCE).await?;
            let Some(last) = boxes.last() else { break };
            after.clone_from(&last.id);
            for old in &boxes {
                sealed += u64::from(anew(app, place, old).await?);
            }
            let cursor = format!("{} {after}", place.as_str());
            app.store.put_setting(&name, &cursor).await?;
        }
        after.clear();
    }
    app.store.put_setting(&name, "").await?;
    Ok(sealed)
}

/// Whether a box was sealed anew. One that does not open stays as it is: `fedgate secrets verify` names it.
async fn anew(app: &App, place: Place, old: &SealedBox) -> Result<bool, ResealError> {
    if app.sealer.is_current(&old.octets) {
        return Ok(false);
    }
    let opened = app
        .sealer
        .open_secret(&old.purpose, &old.context, &old.octets);
    let Ok(plain) = opened else {
        tracing::error!(
            place = place.as_str(),
            id = old.id,
            "a secret does not open"
        );
        return Ok(false);
    };
    let mut rng = app.randomness.rng();
    let new = app
        .sealer
        .seal_secret(&old.purpose, &old.context, &plain, &mut rng)
        .map_err(ResealError::Seal)?;
    let written = app.store.reseal(place, old, &new).await?;
    crate::crash::here("reseal.box");
    Ok(written)
}
