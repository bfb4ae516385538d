//! Thin tokens, and the endpoint that completes them.

use serde_json::{Value, json};

use super::*;
use crate::egress::EgressRefusal;
use crate::oidc::OidcRefusal;
use crate::testing::Reply;

fn thin(claims: &mut Value) {
    for name in [
        "email",
        "email_verified",
        "name",
        "given_name",
        "family_name",
    ] {
        claims.as_object_mut().unwrap().shift_remove(name);
    }
}

async fn with(
    op: &Op,
    userinfo: Reply,
    change: impl FnOnce(&mut Value),
) -> Result<crate::identity::VerifiedIdentity, crate::error::Refusal> {
    op.world.lock().unwrap().userinfo = userinfo;
    op.sign_in(change).await
}

#[tokio::test]
async fn a_thin_token_is_completed() {
    let op = Op::start().await;
    op.world.lock().unwrap().userinfo = Reply::json(json!({
        "sub": "user-1", "email": "ada@example.com", "email_verified": "true", "name": "Ada", "groups": "staff",
        "acr": "urn:mfa", "amr": ["otp"], "auth_time": NOW, "sid": "x", "iss": "https://evil.example",
    }));
    let identity = op.sign_in(thin).await.unwrap();
    let email = identity.email.unwrap();
    assert_eq!(
        (email.address.as_str(), email.claim),
        ("ada@example.com", EmailClaim::Verified)
    );
    assert_eq!(
        (identity.name.as_deref(), identity.groups),
        (Some("Ada"), vec!["staff".to_owned()])
    );
    assert_eq!(
        (identity.acr, identity.amr.len(), identity.authenticated_at),
        (None, 0, None)
    );
    assert_eq!(identity.subject.issuer, op.server.issuer());
    let asked = op.server.last("/userinfo");
    assert_eq!(
        asked.header("authorization"),
        Some("Bearer an-access-token")
    );
}

#[tokio::test]
async fn another_subject_is_refused() {
    let op = Op::start().await;
    for body in [
        json!({ "sub": "user-2", "email": "admin@example.com" }),
        json!({ "email": "a@b.c" }),
        json!({ "sub": 1 }),
    ] {
        assert_eq!(
            with(&op, Reply::json(body), thin).await.unwrap_err(),
            OidcRefusal::UserinfoSubjectMismatch
        );
    }
}

#[tokio::test]
async fn an_answer_that_is_not_plain_json_is_refused() {
    let op = Op::start().await;
    for body in [
        "eyJhbGciOiJub25lIn0.e30.",
        r#"{"sub":"user-1""#,
        r#"{"sub":"user-1","sub":"user-2"}"#,
        "[]",
    ] {
        assert_eq!(
            with(&op, Reply::json(body), thin).await.unwrap_err(),
            OidcRefusal::UserinfoMalformed,
            "{body}"
        );
    }
    assert_eq!(
        with(&op, Reply::status(401, "{}"), thin).await.unwrap_err(),
        OidcRefusal::UserinfoRefused
    );
    assert_eq!(
        with(&op, Reply::redirect("/token"), thin)
            .await
            .unwrap_err(),
        EgressRefusal::RedirectForbidden
    );
    assert_eq!(
        with(&op, Reply::Drip, thin).await.unwrap_err(),
        EgressRefusal::Timeout
    );
}

#[tokio::test]
async fn an_address_and_the_statement_about_it_stay_together() {
    let op = Op::start().await;
    let userinfo = |email: &str| {
        Reply::json(
            json!({ "sub": "user-1", "email": email, "email_verified": true, "name": "Ada" }),
        )
    };
    let nameless = |claims: &mut Value| {
        thin(claims);
        claims["email"] = "ada@example.com".into();
    };
    let claim_of = |identity: crate::identity::VerifiedIdentity| {
        identity.email.map(|email| (email.address, email.claim))
    };
    let other = with(&op, userinfo("eve@example.com"), nameless)
        .await
        .unwrap();
    assert_eq!(
        claim_of(other),
        Some(("ada@example.com".into(), EmailClaim::Unstated))
    );
    let same = with(&op, userinfo("ada@example.com"), nameless)
        .await
        .unwrap();
    assert_eq!(
        claim_of(same),
        Some(("ada@example.com".into(), EmailClaim::Verified))
    );
    let verified_nothing = |claims: &mut Value| {
        thin(claims);
        claims["email_verified"] = true.into();
    };
    let silent = Reply::json(json!({ "sub": "user-1", "email": "eve@example.com" }));
    let identity = with(&op, silent, verified_nothing).await.unwrap();
    assert_eq!(
        claim_of(identity),
        Some(("eve@example.com".into(), EmailClaim::Unstated))
    );
}

#[tokio::test]
async fn only_true_and_false_say_something_about_an_address() {
    let op = Op::start().await;
    for (said, claim) in [
        (json!(true), EmailClaim::Verified),
        (json!("true"), EmailClaim::Verified),
        (json!(false), EmailClaim::Unverified),
        (json!("false"), EmailClaim::Unverified),
        (Value::Null, EmailClaim::Unstated),
    ] {
        let identity = op
            .sign_in(|claims| claims["email_verified"] = said.clone())
            .await
            .unwrap();
        assert_eq!(identity.email.unwrap().claim, claim, "{said}");
    }
}

#[tokio::test]
async fn what_is_no_address_or_no_picture_is_dropped() {
    let op = Op::start().await;
    for bad in [
        "ada",
        "@example.com",
        "ada@",
        "a b@example.com",
        "ada@example.com\u{0}",
        "ada@exa\u{202e}mple.com",
    ] {
        let identity = op
            .sign_in(|claims| claims["email"] = bad.into())
            .await
            .unwrap();
        assert_eq!(identity.email, None, "{bad}");
    }
    let identity = op
        .sign_in(|claims| claims["picture"] = "javascript:alert(1)".into())
        .await
        .unwrap();
    assert_eq!(identity.picture, None);
}

#[tokio::test]
async fn claims_are_bounded() {
    let op = Op::start().await;
    let identity = op
        .sign_in(|claims| {
            for number in 0..100 {
                claims[format!("claim-{number}")] = number.into();
            }
            claims["groups"] = (0..1500)
                .map(|number| number.to_string())
                .collect::<Vec<_>>()
                .into();
            claims["name"] = "x".repeat(2000).into();
        })
        .await
        .unwrap();
    assert_eq!(
        (
            identity.attributes.len(),
            identity.groups.len(),
            identity.name
        ),
        (64, 1000, None)
    );
}
