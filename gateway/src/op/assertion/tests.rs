use fedgate_certs::jose::sign;
use fedgate_certs::key::SigningAlgorithm;
use serde_json::json;

use super::*;
use crate::op::testing::{key, keyring, now};

const AUDIENCES: [&str; 2] = ["https://login.test", "https://login.test/oauth2/token"];

fn claims() -> Value {
    json!({ "iss": "web", "sub": "web", "aud": AUDIENCES[0], "exp": now().as_second() + 60, "jti": "j1" })
}

fn check(claims: &Value) -> Result<Once, Refusal> {
    let jwt = sign(key(SigningAlgorithm::Es256), "JWT", claims).expect("signed");
    check_jwt(&jwt)
}

fn check_jwt(jwt: &str) -> Result<Once, Refusal> {
    let jwks = Jwks::parse(keyring().jwks().as_bytes()).expect("keys");
    verify(jwt, "web", &jwks, &AUDIENCES, now())
}

fn refusal(change: impl FnOnce(&mut Value)) -> Refusal {
    let mut claims = claims();
    change(&mut claims);
    check(&claims).expect_err("refused")
}

#[test]
fn a_sound_assertion_passes_once_per_client_and_jti() {
    let once = check(&claims()).expect("accepted");
    assert_eq!(once.mark, "3/web/j1");
    assert_eq!(
        once.until.as_second(),
        now().as_second() + 60 + SKEW_SECONDS
    );
}

#[test]
fn issuer_and_subject_are_the_client() {
    assert_eq!(
        refusal(|c| c["iss"] = "other".into()),
        OpRefusal::ClientAssertionSubject
    );
    assert_eq!(
        refusal(|c| c["sub"] = "other".into()),
        OpRefusal::ClientAssertionSubject
    );
    assert_eq!(
        refusal(|c| c["sub"] = Value::Null),
        OpRefusal::ClientAssertionSubject
    );
}

#[test]
fn the_audience_is_this_server_alone() {
    for aud in [
        json!("https://evil.test"),
        json!([AUDIENCES[0], "https://evil.test"]),
        json!([]),
        json!("https://login.test/"),
        json!(AUDIENCES),
        Value::Null,
    ] {
        assert_eq!(
            refusal(|c| c["aud"] = aud),
            OpRefusal::ClientAssertionAudience
        );
    }
    let mut list = claims();
    list["aud"] = json!([AUDIENCES[1]]);
    assert!(check(&list).is_ok());
}

#[test]
fn an_assertion_lives_for_ten_minutes_at_most() {
    for seconds in [-31, 3600, i64::MAX / 2] {
        let expires = now().as_second().saturating_add(seconds);
        assert_eq!(
            refusal(|c| c["exp"] = expires.into()),
            OpRefusal::ClientAssertionTime,
            "{seconds}"
        );
    }
    assert_eq!(
        refusal(|c| c["exp"] = Value::Null),
        OpRefusal::ClientAssertionTime
    );
    assert_eq!(
        refusal(|c| c["nbf"] = (now().as_second() + 90).into()),
        OpRefusal::ClientAssertionTime
    );
}

#[test]
fn an_assertion_without_a_sound_jti_is_refused() {
    for jti in [
        Value::Null,
        json!(""),
        json!(1),
        json!("x".repeat(JTI_BYTES + 1)),
    ] {
        assert_eq!(
            refusal(|c| c["jti"] = jti),
            OpRefusal::ClientAssertionMalformed
        );
    }
}

#[test]
fn two_clients_cannot_share_a_mark() {
    let jwks = Jwks::parse(keyring().jwks().as_bytes()).expect("keys");
    let mark = |client: &str, jti: &str| {
        let claims = json!({ "iss": client, "sub": client, "aud": AUDIENCES[0], "exp": now().as_second() + 60, "jti": jti });
        let jwt = sign(key(SigningAlgorithm::Es256), "JWT", &claims).expect("signed");
        verify(&jwt, client, &jwks, &AUDIENCES, now())
            .expect("accepted")
            .mark
    };
    assert_ne!(mark("a", "b/c"), mark("a/b", "c"));
}

#[test]
fn a_foreign_or_missing_signature_is_refused() {
    let stranger =
        fedgate_certs::key::SigningKey::generate(SigningAlgorithm::Es256).expect("a key");
    let jwt = sign(&stranger, "JWT", &claims()).expect("signed");
    assert_eq!(
        check_jwt(&jwt).expect_err("stranger"),
        OpRefusal::ClientAssertionSignature
    );
    let payload = jwt.split('.').nth(1).expect("a payload");
    let none = format!("{}.{payload}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#));
    assert_eq!(
        check_jwt(&none).expect_err("none"),
        OpRefusal::ClientAssertionSignature
    );
    let hmac = format!(
        "{}.{payload}.AAAA",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#)
    );
    assert_eq!(
        check_jwt(&hmac).expect_err("hmac"),
        OpRefusal::ClientAssertionSignature
    );
    assert_eq!(
        check_jwt("not a token").expect_err("text"),
        OpRefusal::ClientAssertionMalformed
    );
}

#[test]
fn another_kind_of_token_is_no_assertion() {
    let jwt = sign(key(SigningAlgorithm::Es256), "at+jwt", &claims()).expect("signed");
    assert_eq!(
        check_jwt(&jwt).expect_err("type"),
        OpRefusal::ClientAssertionMalformed
    );
}

#[test]
fn the_claimed_subject_of_garbage_is_none() {
    for jwt in ["", "a", "a.b.c", "a.e30.c", "a.eyJzdWIiOjF9.c"] {
        assert_eq!(claimed_subject(jwt), None, "{jwt}");
    }
}
