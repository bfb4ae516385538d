//! The gateway's own keys and secrets, as applications, identity providers and operators meet them.

use std::time::Duration;

use fedgate::store::key::StoredKey;
use fedgate_tests::gateway::{Gateway, client};
use serde_json::Value;

mod client_secret;
mod forecast;
mod import;
mod master_key;
mod replaced;
mod rotation;

/// The gateway looks every second, in place of every minute.
const LOOKS: &str = "[limits]\nkey_check_seconds = 1\ncache_seconds = 1\n";
/// The longest that a look is waited for.
const SOON: Duration = Duration::from_secs(20);
const DAY: i64 = 24 * 3600;

/// The `kid`s of the published set.
async fn published(gateway: &Gateway) -> Vec<String> {
    let answer = client()
        .get(format!("{}/.well-known/jwks.json", gateway.base))
        .send()
        .await
        .expect("an answer");
    let set: Value = serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON");
    let keys = set["keys"].as_array().expect("keys").iter();
    keys.map(|key| key["kid"].as_str().expect("a kid").to_owned())
        .collect()
}

/// The stored keys of a purpose and stage.
async fn stored(gateway: &Gateway, purpose: &str, stage: &str) -> Vec<StoredKey> {
    let mut keys = gateway.app.store.keys().await.expect("keys");
    keys.retain(|key| key.purpose == purpose && key.stage == stage);
    keys
}
