//! `/healthz`: the process answers. `/readyz`: it should be sent requests, for its stores answer and it is not stopping.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use fedgate_certs::Timestamp;
use http::{StatusCode, header};
use serde_json::json;

use crate::app::Shared;

/// How long a store may take to say that it is there. Load balancers give up after a second or a few.
const ANSWER: Duration = Duration::from_secs(1);
/// Whoever asked within this time is taken to be still asking: load balancers do every few seconds.
const ASKED_LATELY_SECONDS: i64 = 60;

/// Whether requests should be sent here, and whether anybody wants to know.
#[derive(Debug, Default)]
pub struct Readiness {
    stopping: AtomicBool,
    /// Seconds since the epoch.
    asked_at: AtomicI64,
}

impl Readiness {
    /// From now on `/readyz` says no. Answers whether anybody has asked lately, and so would see it.
    pub fn stop(&self, now: Timestamp) -> bool {
        self.stopping.store(true, Ordering::Relaxed);
        let age = now
            .as_second()
            .saturating_sub(self.asked_at.load(Ordering::Relaxed));
        age < ASKED_LATELY_SECONDS
    }
}

/// `/healthz`, `/readyz`
pub fn routes() -> Router<Shared> {
    let health = || async { ([(header::CACHE_CONTROL, "no-store")], "ok") };
    Router::new()
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
}

async fn ready(State(app): State<Shared>) -> Response {
    let now = app.clock.now();
    let readiness = &app.readiness;
    readiness.asked_at.store(now.as_second(), Ordering::Relaxed);
    let (store, ephemeral) = tokio::join!(in_time(app.store.ping()), in_time(app.ephemeral.ping()));
    let serving = !readiness.stopping.load(Ordering::Relaxed);
    let status = if store && ephemeral && serving {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let said = |is_well| if is_well { "ok" } else { "unavailable" };
    let body = json!({
        "store": said(store),
        "ephemeral": said(ephemeral),
        "serving": if serving { "ok" } else { "stopping" },
    });
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

async fn in_time<E>(answer: impl Future<Output = Result<(), E>>) -> bool {
    matches!(tokio::time::timeout(ANSWER, answer).await, Ok(Ok(())))
}
