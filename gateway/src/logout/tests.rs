use super::*;
use crate::op::testing::{Parts, parameters};

const BYE: &str = "https%3A%2F%2Fapp.test%2Fbye";

async fn sign_out(parts: &Parts, raw: &str) -> Result<Outcome, Refusal> {
    end(&parts.context(), &parameters(raw)).await
}

async fn is_open(parts: &Parts) -> bool {
    let session = parts.store.login_session("sid_1").await.expect("read");
    session.expect("there").ended_at.is_none()
}

async fn signed_in() -> (Parts, String) {
    let parts = Parts::new().await;
    parts.signed_in().await;
    let hint = parts.tokens().id_token;
    (parts, hint)
}

#[tokio::test]
async fn a_sign_out_ends_the_session_and_goes_back_to_a_registered_address() {
    let (parts, hint) = signed_in().await;
    let raw = format!("id_token_hint={hint}&post_logout_redirect_uri={BYE}&state=s");
    let outcome = sign_out(&parts, &raw).await.expect("signed out");
    assert_eq!(outcome.onward.as_deref(), Some("https://app.test/bye"));
    assert_eq!(outcome.state.as_deref(), Some("s"));
    assert!(!is_open(&parts).await);
}

#[tokio::test]
async fn an_address_that_is_not_registered_is_not_followed_and_the_session_ends_all_the_same() {
    for uri in [
        "https%3A%2F%2Fevil.test",
        "https%3A%2F%2Fapp.test%2Fbye%2F",
        "https%3A%2F%2Fapp.test%2Fcb",
        "javascript%3Ax",
    ] {
        let (parts, hint) = signed_in().await;
        for name in ["post_logout_redirect_uri", "redirect"] {
            let outcome = sign_out(&parts, &format!("id_token_hint={hint}&{name}={uri}"))
                .await
                .expect("signed out");
            assert_eq!(outcome.onward, None, "{uri}");
            assert_eq!(
                outcome.problem.expect("a problem"),
                OpRefusal::LogoutRedirectMismatch,
                "{uri}"
            );
        }
        assert!(!is_open(&parts).await);
    }
}

#[tokio::test]
async fn a_hint_that_is_not_an_id_token_of_ours_ends_nothing() {
    let (parts, hint) = signed_in().await;
    let access_token = parts.tokens().access_token;
    // The signature's first character: the last one holds padding bits and may be an A already.
    let (signed, signature) = hint.rsplit_once('.').expect("a signature");
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    let changed = format!("{signed}.{other}{}", &signature[1..]);
    for bad in [
        access_token.as_str(),
        "x",
        &changed,
        &format!("{hint}&client_id=spa"),
    ] {
        let raw = format!("id_token_hint={bad}&post_logout_redirect_uri={BYE}");
        assert_eq!(
            sign_out(&parts, &raw).await.expect_err("refused"),
            OpRefusal::LogoutHintInvalid,
            "{bad}"
        );
    }
    assert!(is_open(&parts).await);
}

#[tokio::test]
async fn without_a_hint_nothing_is_ended() {
    let (parts, _) = signed_in().await;
    let outcome = sign_out(
        &parts,
        &format!("client_id=web&post_logout_redirect_uri={BYE}"),
    )
    .await
    .expect("answered");
    assert_eq!(outcome.onward.as_deref(), Some("https://app.test/bye"));
    assert!(is_open(&parts).await);
    let outcome = sign_out(&parts, "").await.expect("answered");
    assert!(outcome.onward.is_none() && outcome.problem.is_none());
}

#[tokio::test]
async fn kindes_redirect_needs_no_application_and_the_standard_parameter_does() {
    let parts = Parts::new().await;
    let outcome = sign_out(&parts, &format!("redirect={BYE}"))
        .await
        .expect("answered");
    assert_eq!(outcome.onward.as_deref(), Some("https://app.test/bye"));
    for raw in [
        format!("post_logout_redirect_uri={BYE}"),
        format!("client_id=nobody&redirect={BYE}"),
    ] {
        let outcome = sign_out(&parts, &raw).await.expect("answered");
        assert_eq!(
            outcome.problem.expect("a problem"),
            OpRefusal::LogoutRedirectMismatch,
            "{raw}"
        );
    }
    let outcome = sign_out(&parts, "redirect=https%3A%2F%2Fevil.test")
        .await
        .expect("answered");
    assert_eq!(outcome.onward, None);
}

#[tokio::test]
async fn a_repeated_parameter_is_refused() {
    let parts = Parts::new().await;
    let refusal = sign_out(
        &parts,
        &format!("redirect={BYE}&redirect=https%3A%2F%2Fevil.test"),
    )
    .await
    .expect_err("twice");
    assert_eq!(refusal, OpRefusal::ParameterRepeated);
}
