//! Every lie that an ID token can tell, by its code.

use std::sync::Arc;

use fedgate_certs::jose::JwsAlgorithm;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use serde_json::{Value, json};

use super::*;
use crate::login::Login;
use crate::oidc::OidcRefusal;
use crate::oidc::id_token::{Expected, verify};
use crate::oidc::keys::KeySet;
use crate::testing::op::{ACCESS_TOKEN, CLIENT, Key};

/// A login whose token is made from the honest claims by `make`.
async fn with_token(op: &Op, make: impl FnOnce(Value) -> String) -> Result<(), OidcCode> {
    let provider = op.open().await.unwrap();
    let attempt = op::begin(&provider, &op::login());
    op.hand_out(make(op.claims(&attempt)));
    op::complete(&provider, &attempt)
        .await
        .map(|_| ())
        .map_err(|refusal| OidcCode(refusal.code()))
}

type Make<'m> = Box<dyn FnOnce(Value) -> String + 'm>;

/// A code, compared with a leaf.
#[derive(Debug)]
struct OidcCode(&'static str);

impl PartialEq<OidcRefusal> for OidcCode {
    fn eq(&self, leaf: &OidcRefusal) -> bool {
        self.0 == leaf.entry().code
    }
}

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
async fn algorithms_are_those_that_the_provider_announces() {
    let op = Op::start().await;
    let unsigned = |alg: &str, claims: &Value| {
        let header = json!({ "alg": alg, "kid": "k1" }).to_string();
        format!(
            "{}.{}.",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        )
    };
    for alg in [
        "none", "nOnE", "NONE", "HS256", "hs256", "rs256", "RS512", "EdDSA", "RSA1_5", "A128GCM",
        "",
    ] {
        let result = with_token(&op, |claims| unsigned(alg, &claims)).await;
        assert_eq!(
            result.unwrap_err(),
            OidcRefusal::AlgorithmForbidden,
            "{alg}"
        );
    }
    let result = with_token(&op, |claims| {
        op.key.sign_text(r#"{"kid":"k1"}"#, &claims.to_string())
    })
    .await;
    assert_eq!(result.unwrap_err(), OidcRefusal::Malformed);
}

#[tokio::test]
async fn a_public_key_is_no_shared_secret() {
    let op = Op::start().await;
    let pem = op.key.pair.public_key_to_pem().unwrap();
    let result = with_token(&op, |claims| {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","kid":"k1"}"#);
        let input = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let secret = PKey::hmac(&pem).unwrap();
        let mut signer = Signer::new(MessageDigest::sha256(), &secret).unwrap();
        let tag = signer.sign_oneshot_to_vec(input.as_bytes()).unwrap();
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
    });
    assert_eq!(result.await.unwrap_err(), OidcRefusal::AlgorithmForbidden);
}

#[tokio::test]
async fn the_algorithm_goes_with_the_kind_of_key() {
    let op = Op::start().await;
    let result = with_token(&op, |claims| {
        op.key
            .sign_text(r#"{"alg":"ES256","kid":"k1"}"#, &claims.to_string())
    });
    assert_eq!(result.await.unwrap_err(), OidcRefusal::AlgorithmForbidden);
}

#[tokio::test]
async fn other_announced_algorithms_verify() {
    let op = Op::start().await;
    let elliptic = Key::ec("e1");
    op.world.lock().unwrap().jwks = op::jwks(&[&op.key, &elliptic]);
    assert!(
        with_token(&op, |claims| elliptic.sign("ES256", &claims))
            .await
            .is_ok()
    );
    assert!(
        with_token(&op, |claims| op.key.sign("PS256", &claims))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_signature_by_another_key_or_of_zeroes_is_invalid() {
    let op = Op::start().await;
    let elliptic = Key::ec("e1");
    op.world.lock().unwrap().jwks = op::jwks(&[&op.key, &elliptic]);
    let stranger = Key::rsa("k1");
    assert_eq!(
        with_token(&op, |claims| stranger.sign("RS256", &claims))
            .await
            .unwrap_err(),
        OidcRefusal::SignatureInvalid
    );
    let psychic = with_token(&op, |claims| {
        let token = elliptic.sign("ES256", &claims);
        format!(
            "{}.{}",
            token.rsplit_once('.').unwrap().0,
            URL_SAFE_NO_PAD.encode([0; 64])
        )
    });
    assert_eq!(psychic.await.unwrap_err(), OidcRefusal::SignatureInvalid);
    let stripped = with_token(&op, |claims| {
        let token = op.key.sign("RS256", &claims);
        format!("{}.", token.rsplit_once('.').unwrap().0)
    });
    assert_eq!(stripped.await.unwrap_err(), OidcRefusal::SignatureInvalid);
    let swapped = with_token(&op, |mut claims| {
        let signature = op.key.sign("RS256", &claims);
        claims["sub"] = "admin".into();
        let forged = op.key.sign("RS256", &claims);
        format!(
            "{}.{}",
            forged.rsplit_once('.').unwrap().0,
            signature.rsplit_once('.').unwrap().1
        )
    });
    assert_eq!(swapped.await.unwrap_err(), OidcRefusal::SignatureInvalid);
}

#[tokio::test]
async fn keys_in_the_header_are_not_believed() {
    let op = Op::start().await;
    let stranger = Key::rsa("k1");
    for (member, value) in [
        ("jwk", stranger.jwk()),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["MIIB"])),
    ] {
        let result = with_token(&op, |claims| {
            let mut header = json!({ "alg": "RS256", "kid": "k1" });
            header[member] = value.clone();
            stranger.sign_text(&header.to_string(), &claims.to_string())
        });
        assert_eq!(
            result.await.unwrap_err(),
            OidcRefusal::SignatureInvalid,
            "{member}"
        );
    }
}

#[tokio::test]
async fn a_header_that_means_something_else_is_refused() {
    let op = Op::start().await;
    for (header, leaf) in [
        (
            r#"{"alg":"RS256","kid":"k1","crit":["exp"],"exp":1}"#,
            OidcRefusal::CriticalHeader,
        ),
        (
            r#"{"alg":"RS256","kid":"k1","crit":null}"#,
            OidcRefusal::CriticalHeader,
        ),
        (
            r#"{"alg":"RS256","kid":"k1","crit":["b64"],"b64":false}"#,
            OidcRefusal::CriticalHeader,
        ),
        (
            r#"{"alg":"RS256","kid":"k1","typ":"at+jwt"}"#,
            OidcRefusal::TypeMismatch,
        ),
        (
            r#"{"alg":"RS256","kid":"k1","typ":"logout+jwt"}"#,
            OidcRefusal::TypeMismatch,
        ),
        (
            r#"{"alg":"RS256","kid":"k1","typ":1}"#,
            OidcRefusal::TypeMismatch,
        ),
        (
            r#"{"alg":"RS256","kid":"k1","cty":"JWT"}"#,
            OidcRefusal::TypeMismatch,
        ),
        (r#"{"alg":"RS256","kid":["k1"]}"#, OidcRefusal::Malformed),
        (
            r#"{"alg":"none","alg":"RS256","kid":"k1"}"#,
            OidcRefusal::DuplicateMember,
        ),
        (
            r#"{"alg":"RS256","kid":"../../etc/passwd"}"#,
            OidcRefusal::KeyUnknown,
        ),
        (
            r#"{"alg":"RS256","kid":"k1' OR '1'='1"}"#,
            OidcRefusal::KeyUnknown,
        ),
        (r#"{"alg":"RS256","kid":""}"#, OidcRefusal::KeyUnknown),
    ] {
        let result = with_token(&op, |claims| op.key.sign_text(header, &claims.to_string()));
        assert_eq!(result.await.unwrap_err(), leaf, "{header}");
    }
    let long = format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(257));
    let result = with_token(&op, |claims| op.key.sign_text(&long, &claims.to_string()));
    assert_eq!(result.await.unwrap_err(), OidcRefusal::Malformed);
    for header in [
        r#"{"alg":"RS256"}"#,
        r#"{"alg":"RS256","kid":"k1","typ":"application/jwt"}"#,
    ] {
        assert!(
            with_token(&op, |claims| op.key.sign_text(header, &claims.to_string()))
                .await
                .is_ok(),
            "{header}"
        );
    }
}

#[tokio::test]
async fn a_repeated_claim_is_refused_in_any_spelling() {
    let op = Op::start().await;
    for doubled in [
        r#"{"sub":"admin","#,
        r#"{"\u0073ub":"admin","#,
        r#"{"address":{"a":1,"a":2},"#,
    ] {
        let result = with_token(&op, |claims| {
            op.key.sign_text(
                r#"{"alg":"RS256","kid":"k1"}"#,
                &claims.to_string().replacen('{', doubled, 1),
            )
        });
        assert_eq!(
            result.await.unwrap_err(),
            OidcRefusal::DuplicateMember,
            "{doubled}"
        );
    }
}

#[tokio::test]
async fn what_is_not_a_signed_token_is_malformed() {
    let op = Op::start().await;
    let sign = |claims: Value| op.key.sign("RS256", &claims);
    let mangled: Vec<(&str, Make<'_>)> = vec![
        ("one segment", Box::new(|_| "token".into())),
        ("encrypted", Box::new(|_| "a.b.c.d.e".into())),
        ("padding", Box::new(|claims| format!("{}=", sign(claims)))),
        (
            "standard alphabet",
            Box::new(|claims| format!("{}+/", sign(claims))),
        ),
        (
            "a line break",
            Box::new(|claims| format!("{}\n", sign(claims))),
        ),
        (
            "a list",
            Box::new(|_| op.key.sign_text(r#"{"alg":"RS256","kid":"k1"}"#, "[]")),
        ),
        (
            "truncated",
            Box::new(|claims| {
                let text = claims.to_string();
                op.key
                    .sign_text(r#"{"alg":"RS256","kid":"k1"}"#, &text[..text.len() - 1])
            }),
        ),
        (
            "invalid UTF-8",
            Box::new(|_| "eyJhbGciOiJSUzI1NiJ9._w.AA".into()),
        ),
        (
            "too long",
            Box::new(|mut claims| {
                claims["pad"] = "x".repeat(64 * 1024).into();
                sign(claims)
            }),
        ),
    ];
    for (name, make) in mangled {
        assert_eq!(
            with_token(&op, make).await.unwrap_err(),
            OidcRefusal::Malformed,
            "{name}"
        );
    }
    // Stray bits in the last character: other text, same octets (RFC 8725, attack on replay lists).
    let stray = with_token(&op, |claims| {
        let mut token = sign(claims);
        let last = token.pop().unwrap();
        token.push(if last == 'A' {
            'B'
        } else {
            char::from(last as u8 + 1)
        });
        token
    });
    assert!(stray.await.is_err());
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
async fn a_token_that_differs_by_one_character_is_refused() {
    let op = Op::start().await;
    let provider = op.open().await.unwrap();
    let attempt = op::begin(&provider, &op::login());
    let token = op.key.sign("RS256", &op.claims(&attempt));
    let keys = KeySet::new(op.server.url("/keys"), Arc::clone(&op.egress));
    let issuer = op.server.issuer();
    let expected = Expected {
        issuer: &issuer,
        client_id: CLIENT,
        algorithms: &[JwsAlgorithm::Rs256],
        access_token: ACCESS_TOKEN,
        pending: oauth_pending(&attempt.pending),
    };
    assert!(verify(&token, &expected, &keys, at(NOW)).await.is_ok());
    for position in 0..token.len() {
        for other in ['A', 'z', '_', '.', '='] {
            let mut changed: Vec<char> = token.chars().collect();
            if changed[position] == other {
                continue;
            }
            changed[position] = other;
            let changed: String = changed.into_iter().collect();
            assert!(
                verify(&changed, &expected, &keys, at(NOW)).await.is_err(),
                "{position}: {other}"
            );
        }
    }
    assert_eq!(op.server.count("/keys"), 1);
}
