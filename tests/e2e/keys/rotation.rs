//! Keys change while tokens and messages of before are under way.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fedgate_tests::gateway::{Gateway, client};
use fedgate_tests::replicas::becomes;
use serde_json::Value;

use super::{DAY, LOOKS, SOON, published, stored};

fn kid(token: &str) -> String {
    let header = token.split('.').next().expect("a header");
    let header: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).expect("base64url")).expect("JSON");
    header["kid"].as_str().expect("a kid").to_owned()
}

/// What the Management API says to a token.
async fn verified(gateway: &Gateway, token: &str) -> u16 {
    let asked = client().get(format!("{}/api/v1/connections", gateway.base));
    let answer = asked.bearer_auth(token).send().await.expect("an answer");
    answer.status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_were_signed_before_a_rotation_verify_until_they_expire() {
    let gateway = Gateway::with(LOOKS).await;
    let clock = &gateway.app.clock;
    assert_eq!(published(&gateway).await.len(), 2);
    clock.step(89 * DAY + 60);
    becomes(SOON, "successors are announced", async || {
        published(&gateway).await.len() == 4
    })
    .await;
    clock.step(DAY - 600);
    let before = gateway.api_token().await;
    clock.step(900);
    let old = kid(&before);
    becomes(SOON, "another key signs", async || {
        kid(&gateway.api_token().await) != old
    })
    .await;
    // Three quarters of an hour are left to the old token, and its key stands in the set for all of them.
    for _ in 0..4 {
        assert_eq!(verified(&gateway, &before).await, 200);
        assert!(published(&gateway).await.contains(&old));
        clock.step(600);
    }
    clock.step(600);
    assert_eq!(verified(&gateway, &before).await, 401);
    clock.step(3600);
    becomes(SOON, "the old key is gone", async || {
        !published(&gateway).await.contains(&old)
    })
    .await;
    let kinds: Vec<String> = gateway
        .app
        .store
        .waiting_events(100)
        .await
        .expect("events")
        .into_iter()
        .map(|event| event.kind)
        .collect();
    assert_eq!(kinds, ["certificate.rotated"; 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_that_decide_at_once_make_one_key() {
    let one = Gateway::with(LOOKS).await;
    let other = one.replica().await;
    for gateway in [&one, &other] {
        gateway.app.clock.step(89 * DAY + 60);
    }
    becomes(SOON, "both see the successors", async || {
        published(&one).await.len() == 4 && published(&other).await == published(&one).await
    })
    .await;
    for gateway in [&one, &other] {
        gateway.app.clock.step(DAY + 60);
    }
    becomes(SOON, "they took over", async || {
        stored(&one, "tokens", "retiring").await.len() == 2
    })
    .await;
    assert_eq!(stored(&one, "tokens", "active").await.len(), 2);
    assert_eq!(stored(&one, "tokens", "announced").await.len(), 0);
}
