//! Tokens that are signed, typed or written otherwise than they should be.

use std::sync::Arc;

use fedgate_certs::jose::JwsAlgorithm;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use serde_json::{Value, json};

use super::*;
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
async fn a_token_that_differs_by_one_character_is_refused() {
    let op = Op::start().await;
    let provider = op.open().await.unwrap();
    let attempt = op::begin(&provider, &op::login());
    let token = op.key.sign("RS256", &op.claims(&attempt));
    let id = op.connection.id.clone();
    let keys = KeySet::new(op.server.url("/keys"), Arc::clone(&op.egress), id);
    let issuer = op.server.issuer();
    let expected = Expected {
        issuers: std::slice::from_ref(&issuer),
        client_id: CLIENT,
        algorithms: &[JwsAlgorithm::Rs256],
        access_token: ACCESS_TOKEN,
        nonce: crate::spec::oauth::Nonce::Required,
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
