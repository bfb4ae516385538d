//! Whole logins against a provider that is honest, or told how to lie.

mod claims;
mod id_token;
mod keys;
mod network;
mod request;
mod samples;
mod userinfo;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::identity::EmailClaim;
use crate::login::{Callback, OauthPending, Pending, SamlPending, Steps};
use crate::oauth::OauthRefusal;
use crate::testing::op::{self, NOW, Op, at};

fn oauth_pending(pending: &Pending) -> &OauthPending {
    let Pending::Oauth(pending) = pending else {
        panic!("not OAuth")
    };
    pending
}

#[tokio::test]
async fn an_honest_login_yields_the_identity() {
    let op = Op::start().await;
    let identity = op
        .sign_in(|claims| {
            claims["auth_time"] = (NOW - 5).into();
            claims["acr"] = "urn:mfa".into();
            claims["amr"] = serde_json::json!(["pwd", "otp"]);
            claims["sid"] = "session-1".into();
            claims["groups"] = serde_json::json!(["staff", "ops"]);
            claims["department"] = "R&D".into();
            claims["picture"] = "https://op.example/ada.png".into();
        })
        .await
        .unwrap();
    assert_eq!(
        (identity.subject.issuer, identity.subject.value),
        (op.server.issuer(), "user-1".to_owned())
    );
    let email = identity.email.unwrap();
    assert_eq!(
        (email.address.as_str(), email.claim, email.authoritative),
        ("ada@example.com", EmailClaim::Verified, false)
    );
    assert_eq!(identity.given_name.as_deref(), Some("Ada"));
    assert_eq!(
        identity.picture.as_deref(),
        Some("https://op.example/ada.png")
    );
    assert_eq!(identity.groups, ["staff", "ops"]);
    assert_eq!(
        serde_json::json!(identity.attributes),
        serde_json::json!({"department": ["R&D"]})
    );
    assert_eq!(
        (identity.authenticated_at, identity.acr.as_deref()),
        (Some(at(NOW - 5)), Some("urn:mfa"))
    );
    assert_eq!(identity.amr, ["pwd", "otp"]);
    let session = identity.upstream_session.unwrap();
    assert_eq!(session.session.as_deref(), Some("session-1"));
    assert_eq!(op.server.count("/userinfo"), 0);
}

#[tokio::test]
async fn the_code_is_redeemed_once_with_the_verifier_and_the_secret() {
    let op = Op::start().await;
    let provider = op.open().await.unwrap();
    let attempt = op::begin(&provider, &op::login());
    op.hand_out(op.key.sign("RS256", &op.claims(&attempt)));
    op::complete(&provider, &attempt).await.unwrap();
    let asked = op.server.last("/token");
    assert_eq!(
        (asked.method.as_str(), op.server.count("/token")),
        ("POST", 1)
    );
    assert_eq!(asked.field("code").as_deref(), Some("a-code"));
    assert_eq!(
        asked.field("redirect_uri").as_deref(),
        Some(attempt.sent["redirect_uri"].as_str())
    );
    let verifier = asked.field("code_verifier").unwrap();
    let challenge = URL_SAFE_NO_PAD.encode(openssl::sha::sha256(verifier.as_bytes()));
    assert_eq!(
        (verifier.len(), challenge),
        (43, attempt.sent["code_challenge"].clone())
    );
    // RFC 6749 2.3.1: each half is form-encoded before it is joined.
    let basic = base64::engine::general_purpose::STANDARD.encode("client-1:s3cr%26t");
    assert_eq!(
        asked.header("authorization"),
        Some(format!("Basic {basic}").as_str())
    );
}

#[tokio::test]
async fn each_stage_is_told() {
    let op = Op::start().await;
    let provider = op.open().await.unwrap();
    let attempt = op::begin(&provider, &op::login());
    op.hand_out(op.key.sign("RS256", &op.claims(&attempt)));
    let mut steps = Steps::default();
    let callback = Callback::Query(format!("code=c&state={}", attempt.sent["state"]));
    provider
        .complete(
            attempt.handle,
            &attempt.pending,
            &callback,
            at(NOW),
            &mut steps,
        )
        .await
        .unwrap();
    let names: Vec<&str> = steps
        .as_slice()
        .iter()
        .map(|step| step.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "oauth.callback",
            "oauth.token",
            "oidc.id_token",
            "oidc.mapping"
        ]
    );
    assert_eq!(steps.as_slice()[2].note.as_deref(), Some("RS256, key k1"));
}

#[tokio::test]
async fn a_callback_of_another_login_is_refused_before_anything_is_sent() {
    let op = Op::start().await;
    let provider = op.open().await.unwrap();
    let attempt = op::begin(&provider, &op::login());
    for (query, code) in [
        ("code=c&state=other", "oauth.state_mismatch"),
        ("code=c", "oauth.state_mismatch"),
        ("code=c&code=d&state=S", "oauth.callback_duplicate"),
        (
            "code=c&state=S&iss=https://evil.example",
            "oauth.callback_issuer_mismatch",
        ),
        ("code=c&state=S&id_token=x", "oauth.callback_tokens"),
        ("error=access_denied&state=S", "oauth.access_denied"),
        ("error=login_required&state=S", "oauth.interaction_required"),
        ("error=server_error&state=S", "oauth.upstream_unavailable"),
        ("error=whatever&state=S", "oauth.upstream_error"),
        ("state=S", "oauth.callback_empty"),
        (&"a=b&".repeat(65), "oauth.callback_malformed"),
    ] {
        let callback =
            Callback::Query(query.replace("state=S", &format!("state={}", attempt.sent["state"])));
        let mut steps = Steps::default();
        let result = provider
            .complete(
                attempt.handle,
                &attempt.pending,
                &callback,
                at(NOW),
                &mut steps,
            )
            .await;
        assert_eq!(result.unwrap_err().code(), code, "{query}");
        assert_eq!(
            steps
                .as_slice()
                .last()
                .and_then(|step| step.code.as_deref()),
            Some(code)
        );
    }
    assert_eq!(op.server.count("/token"), 0);
}

#[tokio::test]
async fn an_announced_issuer_must_be_named() {
    let op = Op::start().await;
    op.world.lock().unwrap().metadata["authorization_response_iss_parameter_supported"] =
        true.into();
    assert_eq!(
        op.sign_in(|_| ()).await.unwrap_err(),
        OauthRefusal::CallbackIssuerMissing
    );
    assert_eq!(op.server.count("/token"), 0);
}

#[tokio::test]
async fn a_pending_of_another_protocol_is_refused() {
    let op = Op::start().await;
    let provider = op.open().await.unwrap();
    let mut attempt = op::begin(&provider, &op::login());
    attempt.pending = Pending::Saml(SamlPending {
        acs: String::new(),
        sp_entity_id: String::new(),
        issued_at: NOW,
        force: false,
        max_age: None,
        acr_values: Vec::new(),
    });
    assert_eq!(
        op::complete(&provider, &attempt).await.unwrap_err(),
        OauthRefusal::StateMismatch
    );
}

#[test]
fn a_login_can_move_between_threads() {
    fn is_send<T: Send>(_: T) {}
    let _ = |provider: &'static crate::provider::Provider, attempt: &'static op::Attempt| {
        is_send(op::complete(provider, attempt));
    };
}
