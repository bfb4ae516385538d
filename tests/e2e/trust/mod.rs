//! Trust in identity providers that never locks anybody out: keys roll, metadata changes, and logins go on.

mod bad_input;
mod decisions;
mod orders;
mod rescue;

use std::time::Duration;

use fedgate_tests::browser::{Browser, Page};
use fedgate_tests::gateway::Gateway;
use fedgate_tests::login::{answer, begin};
use fedgate_tests::upstream::{ALICE, Connected, SamlUpstream};
use reqwest::Method;
use serde_json::Value;

/// A login from the application's way in to where it ends.
async fn login(gateway: &Gateway, connection: &Connected) -> Page {
    let mut browser = Browser::new();
    let asked = [("connection_id", connection.id.as_str())];
    let page = begin(&mut browser, gateway, &asked).await;
    answer(&mut browser, &page, ALICE, "").await
}

/// Calls below `/api/v1/connections/{id}/metadata`; answers status and `metadata`, or the first error's code.
async fn metadata(
    gateway: &Gateway,
    connection: &Connected,
    method: Method,
    path: &str,
) -> (u16, Value) {
    let path = format!("/api/v1/connections/{}/metadata{path}", connection.id);
    let (status, answer) = gateway.api(method, &path, None).await;
    let told = if status == 200 {
        answer["metadata"].clone()
    } else {
        answer["errors"][0]["code"].clone()
    };
    (status, told)
}

/// `kind` of each change.
fn kinds(changes: &Value) -> Vec<String> {
    let changes = changes.as_array().expect("a list");
    let kinds = changes.iter().map(|change| change["kind"].as_str());
    kinds.map(|kind| kind.expect("a kind").to_owned()).collect()
}

/// The state of each key, in the order that they are listed in.
fn states(metadata: &Value) -> Vec<&str> {
    let keys = metadata["keys"].as_array().expect("keys");
    keys.iter()
        .filter_map(|key| key["state"].as_str())
        .collect()
}

/// Sets both clocks forward.
fn step(gateway: &Gateway, upstream: &SamlUpstream, seconds: i64) {
    gateway.app.clock.step(seconds);
    upstream.clock.step(seconds);
}

/// Waits until the outbox tells of this, and answers the payload.
async fn event(gateway: &Gateway, kind: &str) -> Value {
    for _ in 0..200 {
        let events = gateway
            .app
            .store
            .waiting_events(1_000)
            .await
            .expect("events");
        if let Some(event) = events.into_iter().find(|event| event.kind == kind) {
            return event.payload;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no {kind}")
}
