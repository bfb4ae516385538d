//! Keys that rotate, disappear or flood.

use super::*;
use crate::egress::EgressRefusal;
use crate::oidc::OidcRefusal;
use crate::provider::Provider;
use crate::testing::Reply;
use crate::testing::op::{Attempt, Key};

async fn opened(op: &Op) -> (Provider, Attempt) {
    let provider = op.open().await.unwrap();
    let attempt = op::begin(&provider, &op::login());
    (provider, attempt)
}

fn hand_out(op: &Op, attempt: &Attempt, key: &Key, now: i64) {
    let mut claims = op.claims(attempt);
    claims["iat"] = now.into();
    claims["exp"] = (now + 300).into();
    op.hand_out(key.sign("RS256", &claims));
}

#[tokio::test]
async fn a_rotated_key_is_found_by_one_fetch() {
    let op = Op::start().await;
    let (provider, attempt) = opened(&op).await;
    hand_out(&op, &attempt, &op.key, NOW);
    op::complete(&provider, &attempt).await.unwrap();
    op::complete(&provider, &attempt).await.unwrap();
    assert_eq!(op.server.count("/keys"), 1);

    let next = Key::rsa("k2");
    op.world.lock().unwrap().jwks = op::jwks(&[&op.key, &next]);
    hand_out(&op, &attempt, &next, NOW + 31);
    op::complete_at(&provider, &attempt, NOW + 31)
        .await
        .unwrap();
    assert_eq!(op.server.count("/keys"), 2);
}

#[tokio::test]
async fn unknown_kids_do_not_flood_the_provider() {
    let op = Op::start().await;
    let (provider, attempt) = opened(&op).await;
    let stranger = Key::rsa("k9");
    hand_out(&op, &attempt, &stranger, NOW);
    for second in [0, 1, 2] {
        let refusal = op::complete_at(&provider, &attempt, NOW + second)
            .await
            .unwrap_err();
        assert_eq!(refusal, OidcRefusal::KeyUnknown);
    }
    assert_eq!(op.server.count("/keys"), 1);
    let sixty = (3..60).step_by(3);
    for second in sixty {
        op::complete_at(&provider, &attempt, NOW + second)
            .await
            .unwrap_err();
    }
    let most = 1 + 2 * 10;
    let fetched = op.server.count("/keys");
    assert!(
        (2..=most).contains(&fetched),
        "{fetched} within a budget of 10 a minute"
    );
}

#[tokio::test]
async fn a_provider_that_rolls_twice_within_seconds_is_followed() {
    let op = Op::start().await;
    let (provider, attempt) = opened(&op).await;
    hand_out(&op, &attempt, &op.key, NOW);
    op::complete(&provider, &attempt).await.unwrap();
    for (number, kid) in ["k2", "k3"].into_iter().enumerate() {
        let (at, next) = (
            NOW + 3 * (i64::try_from(number).unwrap() + 1),
            Key::rsa(kid),
        );
        op.world.lock().unwrap().jwks = op::jwks(&[&next]);
        hand_out(&op, &attempt, &next, at);
        op::complete_at(&provider, &attempt, at).await.unwrap();
    }
    assert_eq!(op.server.count("/keys"), 3);
    assert_eq!(op.server.count("/token"), 3, "no code is redeemed twice");
}

#[tokio::test]
async fn many_at_once_wait_for_one_fetch() {
    let op = Op::start().await;
    let (provider, attempt) = opened(&op).await;
    hand_out(&op, &attempt, &op.key, NOW);
    let (a, b, c) = tokio::join!(
        op::complete(&provider, &attempt),
        op::complete(&provider, &attempt),
        op::complete(&provider, &attempt)
    );
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    assert_eq!(op.server.count("/keys"), 1);
}

#[tokio::test]
async fn a_withdrawn_key_ends_within_the_hour_and_an_outage_is_survived_for_a_day() {
    let op = Op::start().await;
    let (provider, attempt) = opened(&op).await;
    hand_out(&op, &attempt, &op.key, NOW);
    op::complete(&provider, &attempt).await.unwrap();

    op.world.lock().unwrap().jwks = Reply::status(503, "");
    let later = NOW + 24 * 3600 - 1;
    hand_out(&op, &attempt, &op.key, later);
    op::complete_at(&provider, &attempt, later).await.unwrap();
    hand_out(&op, &attempt, &op.key, later + 60);
    assert_eq!(
        op::complete_at(&provider, &attempt, later + 60)
            .await
            .unwrap_err(),
        EgressRefusal::Status
    );

    op.world.lock().unwrap().jwks = op::jwks(&[&Key::rsa("k2")]);
    hand_out(&op, &attempt, &op.key, later + 120);
    assert_eq!(
        op::complete_at(&provider, &attempt, later + 120)
            .await
            .unwrap_err(),
        OidcRefusal::KeyUnknown
    );
}

#[tokio::test]
async fn a_token_without_kid_needs_one_fitting_key() {
    let op = Op::start().await;
    op.world.lock().unwrap().jwks = op::jwks(&[&op.key, &Key::rsa("k2")]);
    let (provider, attempt) = opened(&op).await;
    op.hand_out(
        op.key
            .sign_text(r#"{"alg":"RS256"}"#, &op.claims(&attempt).to_string()),
    );
    assert_eq!(
        op::complete(&provider, &attempt).await.unwrap_err(),
        OidcRefusal::KeyUnknown
    );
}

#[tokio::test]
async fn a_key_set_that_cannot_be_trusted_is_refused() {
    let op = Op::start().await;
    let weak = openssl::pkey::PKey::from_rsa(openssl::rsa::Rsa::generate(1024).unwrap()).unwrap();
    let weak = Key {
        kid: "k1",
        pair: weak,
    };
    let mut private = op.key.jwk();
    private["d"] = "AQAB".into();
    for jwks in [
        Reply::json("[]"),
        Reply::json(r#"{"keys":"#),
        Reply::json(r#"{"keys":[],"keys":[]}"#),
        Reply::json(serde_json::json!({ "keys": [private] })),
        op::jwks(&[&op.key, &Key::rsa("k1")]),
        op::jwks(&[&weak]),
    ] {
        op.world.lock().unwrap().jwks = jwks;
        let refusal = op.sign_in(|_| ()).await.unwrap_err();
        assert_eq!(refusal, OidcRefusal::KeysMalformed);
    }
    let mut other_use = op.key.jwk();
    other_use["use"] = "enc".into();
    op.world.lock().unwrap().jwks = Reply::json(serde_json::json!({ "keys": [other_use] }));
    assert_eq!(
        op.sign_in(|_| ()).await.unwrap_err(),
        OidcRefusal::KeyUnknown
    );
}
