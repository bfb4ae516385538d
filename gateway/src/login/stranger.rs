//! Answers of upstreams that match no pending login of the browser that brings them: garbage, or a login that began
//! elsewhere. They alone are limited, by address and by connection: whoever holds a pending login gets through,
//! however much of this arrives beside it.

use axum::response::Response;
use fedgate_certs::Timestamp;
use fedgate_providers::connection::ConnectionId;
use http::HeaderMap;

use crate::app::App;
use crate::client_address::ClientAddress;
use crate::throttle::{Limit, guard};

/// The limit that such answers of this address or for this connection are over, and the seconds that are left.
pub(super) fn over(
    app: &App,
    connection: &str,
    address: &ClientAddress,
    now: Timestamp,
) -> Option<(Limit, u64)> {
    let waits = |limit: Limit, key: &[u8]| {
        let seconds = app.throttle.wait(limit, &[key], now)?;
        Some((limit, seconds))
    };
    address
        .counted()
        .and_then(|address| waits(Limit::CallbackAddress, &address))
        .or_else(|| waits(Limit::CallbackConnection, connection.as_bytes()))
}

/// Counts one. Only connections that exist are counted: anybody can make up others.
pub(super) async fn count(
    app: &App,
    connection: Option<&ConnectionId>,
    address: &ClientAddress,
    now: Timestamp,
) {
    let counting = (&app.ephemeral, &*app.metrics);
    if let Some(address) = address.counted() {
        let limit = Limit::CallbackAddress;
        app.throttle
            .refused(counting, limit, &[&address], now)
            .await;
    }
    if let Some(connection) = connection {
        let (limit, id) = (Limit::CallbackConnection, connection.as_str().as_bytes());
        app.throttle.refused(counting, limit, &[id], now).await;
    }
}

/// A page, and nothing that is kept.
pub(super) fn turned_away(
    app: &App,
    headers: &HeaderMap,
    (limit, seconds): (Limit, u64),
) -> Response {
    let refusal = guard::refusal(app, limit, seconds);
    let mut answer = guard::page(app, headers, &refusal);
    guard::too_many(&mut answer, &refusal, seconds);
    answer
}
