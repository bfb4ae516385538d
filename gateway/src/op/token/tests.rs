use fedgate_certs::Timestamp;
use fedgate_certs::jose::sign;
use fedgate_certs::key::SigningAlgorithm;

use super::*;
use crate::limits::Limits;
use crate::op::testing::{Parts, SECRET, VERIFIER, form_headers, grant, key, now, rng};

const CALLBACK: &str = "redirect_uri=https%3A%2F%2Fapp.test%2Fcb";

fn redeeming(code: &str) -> String {
    format!("grant_type=authorization_code&code={code}&{CALLBACK}&code_verifier={VERIFIER}")
}

async fn earn_as(
    parts: &Parts,
    client: Option<(&str, &str)>,
    body: &str,
) -> Result<Earned, Refusal> {
    earn(
        &parts.context(),
        &form_headers(client),
        body.as_bytes(),
        &mut rng(),
    )
    .await
}

async fn by_web(parts: &Parts, body: &str) -> Result<Earned, Refusal> {
    earn_as(parts, Some(("web", SECRET)), body).await
}

async fn refused_grant(grant: &Grant, body: &str) -> Refusal {
    let parts = Parts::boxed().await;
    parts.keep("c1", grant).await;
    by_web(&parts, body).await.expect_err("refused")
}

#[tokio::test]
async fn a_code_earns_tokens_once() {
    let parts = Parts::new().await;
    parts.keep("c1", &grant()).await;
    let earned = by_web(&parts, &redeeming("c1")).await.expect("earned");
    let tokens = issue(&parts.context(), &earned, &mut rng()).expect("signed");
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 3600);
    assert_eq!(tokens["scope"], "openid profile email");
    assert!(tokens["id_token"].is_string() && tokens["access_token"].is_string());
    assert_eq!(
        by_web(&parts, &redeeming("c1")).await.expect_err("twice"),
        OpRefusal::CodeReplayed
    );
}

async fn session_is_open(parts: &Parts) -> bool {
    let session = parts.store.login_session("sid_1").await.expect("read");
    session.expect("there").ended_at.is_none()
}

#[tokio::test]
async fn a_replayed_code_ends_the_login_it_came_from_unless_another_client_replays_it() {
    let parts = Parts::new().await;
    parts.signed_in().await;
    parts.keep("c1", &grant()).await;
    by_web(&parts, &redeeming("c1")).await.expect("earned");
    let body = format!("{}&client_id=spa", redeeming("c1"));
    assert_eq!(
        earn_as(&parts, None, &body).await.expect_err("spa"),
        OpRefusal::CodeReplayed
    );
    assert!(session_is_open(&parts).await);
    assert_eq!(
        by_web(&parts, &redeeming("c1")).await.expect_err("twice"),
        OpRefusal::CodeReplayed
    );
    assert!(!session_is_open(&parts).await);
}

#[tokio::test]
async fn a_code_that_never_was_or_has_expired_is_unknown() {
    let parts = Parts::new().await;
    assert_eq!(
        by_web(&parts, &redeeming("c1")).await.expect_err("never"),
        OpRefusal::CodeUnknown
    );
    parts.keep("c1", &grant()).await;
    let later = Timestamp::from_second(now().as_second() + 61).expect("in range");
    let context = Context {
        now: later,
        ..parts.context()
    };
    let outcome = earn(
        &context,
        &form_headers(Some(("web", SECRET))),
        redeeming("c1").as_bytes(),
        &mut rng(),
    )
    .await;
    assert_eq!(outcome.expect_err("expired"), OpRefusal::CodeUnknown);
}

#[tokio::test]
async fn a_code_injected_at_another_client_is_refused_and_burnt() {
    let parts = Parts::new().await;
    parts.keep("c1", &grant()).await;
    let body = format!("{}&client_id=spa", redeeming("c1"));
    assert_eq!(
        earn_as(&parts, None, &body).await.expect_err("spa"),
        OpRefusal::CodeOfAnotherClient
    );
    assert_eq!(
        by_web(&parts, &redeeming("c1")).await.expect_err("burnt"),
        OpRefusal::CodeReplayed
    );
}

#[tokio::test]
async fn a_wrong_verifier_burns_the_code_so_that_it_allows_one_guess() {
    let parts = Parts::new().await;
    parts.keep("c1", &grant()).await;
    let guess = redeeming("c1").replace(VERIFIER, &"x".repeat(43));
    assert_eq!(
        by_web(&parts, &guess).await.expect_err("guess"),
        OpRefusal::CodeVerifierWrong
    );
    assert_eq!(
        by_web(&parts, &redeeming("c1")).await.expect_err("burnt"),
        OpRefusal::CodeReplayed
    );
}

#[tokio::test]
async fn a_client_that_fails_to_authenticate_burns_nothing() {
    let parts = Parts::new().await;
    parts.keep("c1", &grant()).await;
    let refusal = earn_as(&parts, Some(("web", "wrong")), &redeeming("c1"))
        .await
        .expect_err("wrong");
    assert_eq!(refusal, OpRefusal::ClientSecretWrong);
    assert!(by_web(&parts, &redeeming("c1")).await.is_ok());
}

#[tokio::test]
async fn the_redirect_uri_must_be_that_of_the_request() {
    for other in ["", "redirect_uri=https%3A%2F%2Fapp.test%2Fcb%3Ftenant%3D1"] {
        let body = redeeming("c1").replace(CALLBACK, other);
        assert_eq!(
            refused_grant(&grant(), &body).await,
            OpRefusal::RedirectUriDiffers,
            "{other}"
        );
    }
}

#[tokio::test]
async fn pkce_is_bound_both_ways() {
    let without = redeeming("c1").replace(&format!("&code_verifier={VERIFIER}"), "");
    assert_eq!(
        refused_grant(&grant(), &without).await,
        OpRefusal::CodeVerifierMissing
    );
    let mut stripped = grant();
    stripped.request.code_challenge = None;
    assert_eq!(
        refused_grant(&stripped, &redeeming("c1")).await,
        OpRefusal::CodeVerifierUnexpected
    );
}

#[tokio::test]
async fn the_challenge_itself_is_no_verifier() {
    let body = redeeming("c1").replace(VERIFIER, crate::op::testing::CHALLENGE);
    assert_eq!(
        refused_grant(&grant(), &body).await,
        OpRefusal::CodeVerifierWrong
    );
}

#[tokio::test]
async fn a_client_that_became_public_needs_pkce_at_last() {
    let parts = Parts::new().await;
    let mut bare = grant();
    bare.request.client_id = "spa".into();
    bare.request.code_challenge = None;
    parts.keep("c1", &bare).await;
    let body = format!("grant_type=authorization_code&code=c1&{CALLBACK}&client_id=spa");
    assert_eq!(
        earn_as(&parts, None, &body).await.expect_err("public"),
        OpRefusal::PkceRequired
    );
}

#[tokio::test]
async fn a_code_of_another_site_is_unknown_here() {
    let mut elsewhere = grant();
    elsewhere.issuer = "https://other.test".into();
    assert_eq!(
        refused_grant(&elsewhere, &redeeming("c1")).await,
        OpRefusal::CodeUnknown
    );
}

#[tokio::test]
async fn unknown_clients_and_missing_proofs_are_told_apart() {
    let parts = Parts::new().await;
    let body = redeeming("c1");
    let unknown = earn_as(&parts, Some(("nobody", "x")), &body)
        .await
        .expect_err("unknown");
    assert_eq!(unknown, OpRefusal::ClientUnknown);
    let bare = earn_as(&parts, None, &format!("{body}&client_id=web"))
        .await
        .expect_err("bare");
    assert_eq!(bare, OpRefusal::ClientAuthenticationMissing);
}

#[tokio::test]
async fn only_two_grant_types_are_offered_and_only_to_those_registered_for_them() {
    let parts = Parts::new().await;
    for grant_type in [
        "refresh_token",
        "password",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
    ] {
        let refusal = by_web(&parts, &format!("grant_type={grant_type}"))
            .await
            .expect_err("other");
        assert_eq!(refusal, OpRefusal::GrantTypeUnsupported, "{grant_type}");
    }
    assert_eq!(
        by_web(&parts, "code=c1").await.expect_err("none"),
        OpRefusal::ParameterMissing
    );
    let twice = "grant_type=authorization_code&grant_type=client_credentials";
    assert_eq!(
        by_web(&parts, twice).await.expect_err("twice"),
        OpRefusal::ParameterRepeated
    );
    let web_only = Application {
        grant_types: vec!["authorization_code".into()],
        ..crate::op::testing::application()
    };
    parts
        .store
        .put_configured_applications(&[web_only], now())
        .await
        .expect("written");
    let refusal = by_web(&parts, "grant_type=client_credentials")
        .await
        .expect_err("not registered");
    assert_eq!(refusal, OpRefusal::GrantTypeNotAllowed);
}

async fn api(extra: &str) -> Result<Earned, Refusal> {
    let parts = Parts::boxed().await;
    let body =
        format!("grant_type=client_credentials&audience=https%3A%2F%2Flogin.test%2Fapi{extra}");
    by_web(&parts, &body).await
}

#[tokio::test]
async fn client_credentials_without_scope_grant_all_that_the_application_has() {
    for extra in ["", "&scope=", "&scope=+"] {
        let Ok(Earned::Api { client_id, scopes }) = api(extra).await else {
            panic!("{extra}")
        };
        assert_eq!((client_id.as_str(), scopes.len()), ("web", 2), "{extra}");
    }
}

#[tokio::test]
async fn client_credentials_grant_no_more_than_asked_and_had() {
    let Ok(Earned::Api { scopes, .. }) = api("&scope=read%3Aconnections+read%3Aconnections").await
    else {
        panic!()
    };
    assert_eq!(scopes, ["read:connections"]);
    let refusal = api("&scope=read%3Aconnections+delete%3Ausers")
        .await
        .expect_err("more");
    assert_eq!(refusal, OpRefusal::ScopeNotAllowed);
}

#[tokio::test]
async fn client_credentials_are_for_the_management_api_alone() {
    let parts = Parts::new().await;
    for audience in [
        "",
        "&audience=https%3A%2F%2Fevil.test%2Fapi",
        "&audience=https%3A%2F%2Flogin.test%2Fapi%2F",
    ] {
        let refusal = by_web(&parts, &format!("grant_type=client_credentials{audience}"))
            .await
            .expect_err("other");
        assert_eq!(refusal, OpRefusal::AudienceInvalid, "{audience}");
    }
}

#[tokio::test]
async fn a_public_client_has_no_credentials() {
    let parts = Parts::new().await;
    let refusal = earn_as(&parts, None, "grant_type=client_credentials&client_id=spa")
        .await
        .expect_err("public");
    assert_eq!(refusal, OpRefusal::GrantTypeNotAllowed);
}

fn asserting(jti: &str, client: &str) -> String {
    let claims = json!({ "iss": client, "sub": client, "aud": "https://login.test/oauth2/token",
        "exp": now().as_second() + 60, "jti": jti });
    let jwt = sign(key(SigningAlgorithm::Es256), "JWT", &claims).expect("signed");
    let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    format!(
        "grant_type=client_credentials&audience=https%3A%2F%2Flogin.test%2Fapi&client_assertion_type={kind}\
         &client_assertion={jwt}"
    )
}

#[tokio::test]
async fn a_client_assertion_passes_once() {
    let parts = Parts::new().await;
    assert!(matches!(
        earn_as(&parts, None, &asserting("j1", "ops")).await,
        Ok(Earned::Api { .. })
    ));
    let replayed = earn_as(&parts, None, &asserting("j1", "ops"))
        .await
        .expect_err("twice");
    assert_eq!(replayed, OpRefusal::ClientAssertionReplayed);
    assert!(earn_as(&parts, None, &asserting("j2", "ops")).await.is_ok());
}

#[tokio::test]
async fn a_client_without_keys_cannot_assert() {
    let parts = Parts::new().await;
    let refusal = earn_as(&parts, None, &asserting("j1", "web"))
        .await
        .expect_err("no keys");
    assert_eq!(refusal, OpRefusal::ClientAssertionSignature);
    let swapped = format!("{}&client_id=ops", asserting("j1", "web"));
    assert_eq!(
        earn_as(&parts, None, &swapped).await.expect_err("swapped"),
        OpRefusal::ClientAssertionSubject
    );
}

#[tokio::test]
async fn keys_out_of_reach_are_told_as_such() {
    let parts = Parts::new().await;
    let uri = Some("https://127.0.0.1:9/keys".to_owned());
    let remote = Application {
        client_id: "remote".into(),
        secret_hash: None,
        jwks_uri: uri,
        ..crate::op::testing::application()
    };
    parts
        .store
        .put_configured_applications(&[remote], now())
        .await
        .expect("written");
    let refusal = earn_as(&parts, None, &asserting("j1", "remote"))
        .await
        .expect_err("out of reach");
    assert_eq!(refusal, OpRefusal::ClientKeysUnavailable);
}

#[tokio::test]
async fn a_full_ephemeral_store_loses_nobody_silently() {
    let parts = Parts::with(Limits {
        waiting_codes: 1,
        ..Limits::default()
    })
    .await;
    parts.keep("c1", &grant()).await;
    let refusal = crate::op::authorize::answer(
        &parts.context(),
        &grant(),
        &Code::presented("c2"),
        &mut rng(),
    )
    .await
    .expect_err("full");
    assert_eq!(refusal, OpRefusal::EphemeralFull);
    assert!(by_web(&parts, &redeeming("c1")).await.is_ok());
}

#[tokio::test]
async fn a_body_that_is_no_form_is_refused() {
    let parts = Parts::new().await;
    let outcome = earn(
        &parts.context(),
        &HeaderMap::new(),
        redeeming("c1").as_bytes(),
        &mut rng(),
    )
    .await;
    assert_eq!(outcome.expect_err("no type"), OpRefusal::RequestMalformed);
}

#[test]
fn an_error_is_told_as_rfc_6749_says_and_stored_by_nobody() {
    for (leaf, status) in [
        (OpRefusal::ClientSecretWrong, StatusCode::UNAUTHORIZED),
        (OpRefusal::CodeReplayed, StatusCode::BAD_REQUEST),
        (OpRefusal::EphemeralFull, StatusCode::SERVICE_UNAVAILABLE),
    ] {
        let response = refused(&leaf.into());
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(
            response.headers().contains_key(WWW_AUTHENTICATE),
            status == StatusCode::UNAUTHORIZED
        );
    }
}

#[test]
fn every_description_keeps_to_the_characters_that_the_standard_allows() {
    for leaf in OpRefusal::ALL {
        let description = oauth_description(&leaf.refuse());
        assert!(
            description
                .bytes()
                .all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\'),
            "{description}"
        );
    }
}
