//! Every lie that a claim can tell, by its code.

use serde_json::{Value, json};

use super::*;
use crate::login::Login;
use crate::oidc::OidcRefusal;
use crate::testing::op::{ACCESS_TOKEN, CLIENT};

#[tokio::test]
async fn a_claim_that_lies_is_named() {
    let op = Op::start().await;
    let slash = format!("{}/", op.server.issuer());
    let lies: Vec<(&str, Value, OidcRefusal)> = vec![
        (
            "iss",
            json!("https://evil.example"),
            OidcRefusal::IssuerMismatch,
        ),
        ("iss", json!(slash), OidcRefusal::IssuerMismatch),
        ("iss", Value::Null, OidcRefusal::IssuerMismatch),
        ("iss", json!([op.server.issuer()]), OidcRefusal::Malformed),
        ("aud", json!("client-2"), OidcRefusal::AudienceMismatch),
        ("aud", json!([]), OidcRefusal::AudienceMismatch),
        ("aud", json!("CLIENT-1"), OidcRefusal::AudienceMismatch),
        ("aud", Value::Null, OidcRefusal::Malformed),
        ("aud", json!({ CLIENT: 1 }), OidcRefusal::Malformed),
        ("aud", json!([CLIENT, 1]), OidcRefusal::Malformed),
        ("aud", json!([CLIENT, "client-2"]), OidcRefusal::AzpMismatch),
        ("azp", json!("client-2"), OidcRefusal::AzpMismatch),
        ("azp", json!(""), OidcRefusal::AzpMismatch),
        ("exp", json!(NOW - 60), OidcRefusal::Expired),
        ("exp", json!(1), OidcRefusal::Expired),
        ("exp", Value::Null, OidcRefusal::Malformed),
        ("exp", json!("1900000000"), OidcRefusal::Malformed),
        ("exp", json!(1e300), OidcRefusal::Malformed),
        ("exp", json!(-1), OidcRefusal::Malformed),
        ("exp", json!(i64::MAX), OidcRefusal::Malformed),
        ("exp", json!(u64::MAX), OidcRefusal::Malformed),
        ("iat", json!(NOW + 61), OidcRefusal::IssuedInFuture),
        ("iat", Value::Null, OidcRefusal::Malformed),
        ("iat", json!("2027-01-15T08:00:00Z"), OidcRefusal::Malformed),
        ("nbf", json!(NOW + 61), OidcRefusal::NotYetValid),
        ("nonce", json!("another"), OidcRefusal::NonceMismatch),
        ("nonce", json!(""), OidcRefusal::NonceMismatch),
        ("nonce", Value::Null, OidcRefusal::NonceMismatch),
        ("nonce", json!(1), OidcRefusal::Malformed),
        ("sub", Value::Null, OidcRefusal::SubjectMissing),
        ("sub", json!(""), OidcRefusal::SubjectMissing),
        ("sub", json!(" "), OidcRefusal::SubjectMissing),
        ("sub", json!(12345), OidcRefusal::SubjectMissing),
        ("sub", json!({}), OidcRefusal::SubjectMissing),
        ("sub", json!("a\u{0}b"), OidcRefusal::SubjectMissing),
        ("sub", json!("ad\u{200b}a"), OidcRefusal::SubjectMissing),
        ("sub", json!("x".repeat(256)), OidcRefusal::SubjectMissing),
        (
            "at_hash",
            json!("AAAAAAAAAAAAAAAAAAAAAA"),
            OidcRefusal::AtHashMismatch,
        ),
        ("at_hash", json!(""), OidcRefusal::AtHashMismatch),
        ("at_hash", json!(1), OidcRefusal::Malformed),
        ("auth_time", json!("yesterday"), OidcRefusal::Malformed),
        ("auth_time", json!(NOW + 61), OidcRefusal::IssuedInFuture),
        ("email_verified", json!("perhaps"), OidcRefusal::Malformed),
        ("address", json!("1 Main Street"), OidcRefusal::Malformed),
    ];
    for (claim, value, leaf) in lies {
        let refusal = op
            .sign_in(|claims| claims[claim] = value.clone())
            .await
            .unwrap_err();
        assert_eq!(refusal, leaf, "{claim}: {value}");
    }
}

#[tokio::test]
async fn what_is_within_the_rules_passes() {
    let op = Op::start().await;
    let hash = openssl::sha::sha256(ACCESS_TOKEN.as_bytes());
    for (claim, value) in [
        ("aud", json!([CLIENT])),
        ("aud", json!([CLIENT, CLIENT])),
        ("azp", json!(CLIENT)),
        ("exp", json!(NOW - 59)),
        ("exp", json!(1_800_000_010.5)),
        ("iat", json!(NOW + 60)),
        ("nbf", json!(NOW + 60)),
        ("at_hash", json!(URL_SAFE_NO_PAD.encode(&hash[..16]))),
        ("updated_at", json!("2026-01-01T00:00:00Z")),
        ("email_verified", json!("true")),
        ("sub", json!("x".repeat(255))),
    ] {
        let result = op.sign_in(|claims| claims[claim] = value.clone()).await;
        assert!(result.is_ok(), "{claim}: {value}: {result:?}");
    }
    let several = op.sign_in(|claims| {
        claims["aud"] = json!(["client-2", CLIENT]);
        claims["azp"] = CLIENT.into();
    });
    assert!(several.await.is_ok());
}

#[tokio::test]
async fn a_missing_token_is_told() {
    let op = Op::start().await;
    let provider = op.open().await.unwrap();
    let attempt = op::begin(&provider, &op::login());
    op.hand_out(Value::Null);
    assert_eq!(
        op::complete(&provider, &attempt).await.unwrap_err(),
        OidcRefusal::IdTokenMissing
    );
}

#[tokio::test]
async fn freshness_that_was_asked_for_must_be_proved() {
    let op = Op::start().await;
    let aged = Login {
        max_age: Some(100),
        ..op::login()
    };
    let forced = Login {
        prompt: Some("login".into()),
        ..op::login()
    };
    for (login, auth_time, fresh) in [
        (&aged, json!(NOW - 160), true),
        (&aged, json!(NOW - 161), false),
        (&aged, Value::Null, false),
        (&forced, json!(NOW - 60), true),
        (&forced, json!(NOW - 61), false),
        (&forced, Value::Null, false),
    ] {
        let result = op
            .sign_in_asking(login, |claims| claims["auth_time"] = auth_time.clone())
            .await;
        match result {
            Ok(_) => assert!(fresh, "{auth_time}"),
            Err(refusal) => {
                assert_eq!(refusal, OidcRefusal::AuthenticationTooOld);
                assert!(!fresh, "{auth_time}");
            }
        }
    }
}

#[tokio::test]
async fn a_context_that_was_asked_for_must_be_stated() {
    let op = Op::start().await;
    let login = Login {
        acr_values: vec!["mfa".into(), "phr".into()],
        ..op::login()
    };
    let told = op
        .sign_in_asking(&login, |claims| claims["acr"] = "phr".into())
        .await
        .unwrap();
    assert_eq!(told.acr.as_deref(), Some("phr"));
    for weaker in [Value::Null, json!("pwd"), json!("mfa phr"), json!("")] {
        let refusal = op
            .sign_in_asking(&login, |claims| claims["acr"] = weaker.clone())
            .await
            .unwrap_err();
        assert_eq!(refusal, OidcRefusal::AcrMismatch, "{weaker}");
    }
}

#[tokio::test]
async fn a_sign_in_made_for_this_login_is_fresh_however_long_it_took() {
    let op = Op::start().await;
    let provider = op.open().await.unwrap();
    let attempt = op::begin(
        &provider,
        &Login {
            max_age: Some(0),
            ..op::login()
        },
    );
    let mut claims = op.claims(&attempt);
    claims["auth_time"] = (NOW + 5).into();
    op.hand_out(op.key.sign("RS256", &claims));
    assert!(
        op::complete_at(&provider, &attempt, NOW + 200)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn odd_values_of_profile_claims_end_in_an_identity_or_in_one_code() {
    let op = Op::start().await;
    let odd = [
        json!(1e300),
        json!(-1),
        json!(i64::MIN),
        json!(""),
        json!([null]),
        json!({ "": {} }),
        json!(true),
    ];
    let names = [
        "name",
        "name#de",
        "picture",
        "locale",
        "updated_at",
        "address",
        "groups",
        "email",
        "sid",
        "amr",
        "#",
        "",
    ];
    for name in names {
        for value in &odd {
            match op.sign_in(|claims| claims[name] = value.clone()).await {
                Ok(identity) => assert_eq!(identity.subject.value, "user-1"),
                Err(refusal) => assert_eq!(refusal, OidcRefusal::Malformed, "{name}: {value}"),
            }
        }
    }
}
