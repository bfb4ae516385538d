use http::HeaderValue;

use super::*;
use crate::op::testing::{SECRET, application, now, parameters, public_application, sealer};

fn with_basic(pair: &str) -> HeaderMap {
    with_authorization(&format!("Basic {}", STANDARD.encode(pair)))
}

fn with_authorization(value: &str) -> HeaderMap {
    HeaderMap::from_iter([(
        AUTHORIZATION,
        HeaderValue::from_str(value).expect("a header"),
    )])
}

fn secret_of(presented: Result<Presented, Refusal>) -> (String, String) {
    match presented.expect("read") {
        Presented {
            client_id,
            proof: Proof::Secret(secret),
        } => (client_id, secret.to_string()),
        _ => panic!("no secret"),
    }
}

fn refusal(headers: &HeaderMap, raw: &str) -> Refusal {
    presented(headers, &parameters(raw)).expect_err("refused")
}

#[test]
fn basic_undoes_the_form_encoding_so_that_a_secret_may_hold_anything() {
    let encoded: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let read = secret_of(presented(
        &with_basic(&format!("we%3Ab:{encoded}")),
        &parameters(""),
    ));
    assert_eq!(read, ("we:b".to_owned(), SECRET.to_owned()));
}

#[test]
fn basic_leaves_a_bare_colon_in_the_secret() {
    assert_eq!(
        secret_of(presented(&with_basic("web:a:b"), &parameters(""))),
        ("web".to_owned(), "a:b".to_owned())
    );
}

#[test]
fn a_secret_in_the_form_is_read() {
    let read = secret_of(presented(
        &HeaderMap::new(),
        &parameters("client_id=web&client_secret=a%3Ab"),
    ));
    assert_eq!(read, ("web".to_owned(), "a:b".to_owned()));
}

#[test]
fn several_ways_at_once_are_refused() {
    let jwt = format!("client_assertion_type={JWT_BEARER}&client_assertion=a.b.c");
    let mut two_headers = with_basic("web:a");
    two_headers.append(AUTHORIZATION, HeaderValue::from_static("Basic d2ViOmI="));
    for (headers, raw) in [
        (with_basic("web:a"), "client_secret=a"),
        (with_basic("web:a"), jwt.as_str()),
        (
            HeaderMap::new(),
            &format!("{jwt}&client_secret=a&client_id=web"),
        ),
        (with_basic("web:a"), "client_id=other"),
        (two_headers, ""),
    ] {
        assert_eq!(
            refusal(&headers, raw),
            OpRefusal::ClientAuthenticationAmbiguous,
            "{raw}"
        );
    }
}

#[test]
fn a_header_that_is_not_basic_is_refused() {
    for value in [
        "Basic",
        "Basic !!!",
        "Bearer abc",
        "Basic d2Vi",
        "Basic OmE=",
        "Basic /////w==",
    ] {
        let refusal = refusal(&with_authorization(value), "");
        assert_eq!(refusal, OpRefusal::ClientAuthenticationMalformed, "{value}");
    }
    let huge = format!("Basic {}", "A".repeat(10_000));
    assert_eq!(
        refusal(&with_authorization(&huge), ""),
        OpRefusal::ClientAuthenticationMalformed
    );
}

#[test]
fn nothing_at_all_is_refused() {
    assert_eq!(
        refusal(&HeaderMap::new(), "grant_type=x"),
        OpRefusal::ClientAuthenticationMissing
    );
}

#[test]
fn an_empty_secret_is_that_of_a_public_client() {
    let read = presented(&with_basic("spa:"), &parameters("")).expect("read");
    assert!(read.proof == Proof::Nothing);
}

#[test]
fn an_assertion_needs_its_type_and_a_subject() {
    let headers = HeaderMap::new();
    assert_eq!(
        refusal(&headers, "client_assertion=a.b.c"),
        OpRefusal::ClientAssertionMalformed
    );
    let saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer";
    let raw = format!("client_assertion=a.b.c&client_assertion_type={saml}");
    assert_eq!(refusal(&headers, &raw), OpRefusal::ClientAssertionMalformed);
    let raw = format!("client_assertion=a.b.c&client_assertion_type={JWT_BEARER}");
    assert_eq!(refusal(&headers, &raw), OpRefusal::ClientAssertionMalformed);
}

#[test]
fn the_registered_secret_passes_and_no_other() {
    assert_eq!(
        check_secret(&sealer(), &application(), SECRET, now()),
        Ok(())
    );
    for secret in ["", "s", "s:e c+r%e=t ", "S:E C+R%E=T"] {
        let refusal = check_secret(&sealer(), &application(), secret, now()).expect_err("wrong");
        assert_eq!(refusal, OpRefusal::ClientSecretWrong, "{secret}");
    }
}

#[test]
fn a_secret_proves_nothing_where_none_is_registered() {
    let refusal =
        check_secret(&sealer(), &public_application(), SECRET, now()).expect_err("public");
    assert_eq!(refusal, OpRefusal::ClientSecretWrong);
}

#[test]
fn a_secret_hash_moved_to_another_client_proves_nothing() {
    let thief = Application {
        client_id: "other".into(),
        ..application()
    };
    assert_eq!(
        check_secret(&sealer(), &thief, SECRET, now()).expect_err("moved"),
        OpRefusal::ClientSecretWrong
    );
}

#[test]
fn no_log_shows_a_secret() {
    let read = presented(&with_basic("web:hunter2"), &parameters("")).expect("read");
    assert!(!format!("{read:?}").contains("hunter2"));
}

#[test]
fn the_secret_before_counts_until_it_expires() {
    let second = |seconds| now() + jiff::SignedDuration::from_secs(seconds);
    let rotated = Application {
        secret_hash: Some(secret_hash(&sealer(), "web", "another").expect("a hash")),
        previous_secret: Some(crate::store::application::PreviousSecret {
            hash: secret_hash(&sealer(), "web", SECRET).expect("a hash"),
            expires_at: second(60),
        }),
        ..application()
    };
    for secret in ["another", SECRET] {
        assert_eq!(
            check_secret(&sealer(), &rotated, secret, second(59)),
            Ok(())
        );
    }
    let late = check_secret(&sealer(), &rotated, SECRET, second(60)).expect_err("over");
    assert_eq!(late, OpRefusal::ClientSecretWrong);
}
