//! Failed authentications at the token endpoint, by client and address.
//!
//! By both: a stranger who guesses at a client's secret turns that client away at his own address alone. Nothing but
//! the proof of the client counts: a person can make an application send any number of wrong codes.

use fedgate_providers::error::Refusal;

use super::refusal::oauth_error;
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::throttle::{Limit, guard};

/// The refusal of a client that failed too often at this address, and the seconds until it may try again. The client is
/// read only where somebody is over a limit.
pub(super) fn over(
    app: &App,
    address: &ClientAddress,
    client: impl Fn() -> Option<String>,
) -> Option<(Refusal, u64)> {
    if !app.throttle.is_anybody_over() {
        return None;
    }
    let (address, client) = address.counted().zip(client())?;
    let key: [&[u8]; 2] = [client.as_bytes(), &address];
    let seconds = app.throttle.wait(Limit::Client, &key, app.clock.now())?;
    Some((guard::refusal(app, Limit::Client, seconds), seconds))
}

/// Counts a request that was refused for the client's proof.
pub(super) async fn count(
    app: &App,
    address: &ClientAddress,
    client: impl Fn() -> Option<String>,
    refusal: &Refusal,
) {
    if oauth_error(refusal) != "invalid_client" {
        return;
    }
    let Some((address, client)) = address.counted().zip(client()) else {
        return;
    };
    let key: [&[u8]; 2] = [client.as_bytes(), &address];
    let counting = (&app.ephemeral, &*app.metrics);
    let now = app.clock.now();
    app.throttle
        .refused(counting, Limit::Client, &key, now)
        .await;
}
