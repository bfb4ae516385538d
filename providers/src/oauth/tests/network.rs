//! Endpoints that fail, stall, flood or lead elsewhere.

use serde_json::Value;

use super::*;
use crate::connection::{
    ClientAuthMethod, ConnectionRefusal, OauthOptions, ProtocolOptions, SamlOptions,
};
use crate::egress::{Egress, EgressPolicy, EgressRefusal};
use crate::error::Refusal;
use crate::oidc::OidcRefusal;
use crate::saml::MetadataRefusal;
use crate::testing::Reply;

fn options(op: &mut Op) -> &mut OauthOptions {
    let ProtocolOptions::Oauth(options) = &mut op.connection.options.protocol else {
        panic!("not OAuth")
    };
    options
}

async fn refused(op: &Op, token: Reply) -> Refusal {
    let provider = op.open().await.unwrap();
    let attempt = op::begin(&provider, &op::login());
    op.world.lock().unwrap().token = token;
    op::complete(&provider, &attempt).await.unwrap_err()
}

#[tokio::test]
async fn a_token_endpoint_that_refuses_is_told_by_its_reason() {
    let op = Op::start().await;
    for (status, body, leaf) in [
        (
            401,
            r#"{"error":"invalid_client"}"#,
            OauthRefusal::ClientRejected,
        ),
        (
            400,
            r#"{"error":"unauthorized_client"}"#,
            OauthRefusal::ClientRejected,
        ),
        (
            400,
            r#"{"error":"invalid_grant","error_description":"expired"}"#,
            OauthRefusal::CodeRejected,
        ),
        (
            400,
            r#"{"error":"invalid_scope"}"#,
            OauthRefusal::UpstreamError,
        ),
        (
            200,
            r#"{"error":"invalid_grant"}"#,
            OauthRefusal::CodeRejected,
        ),
        (200, "error=invalid_grant", OauthRefusal::CodeRejected),
        (503, "<html>", OauthRefusal::UpstreamUnavailable),
        (
            200,
            r#"{"access_token":"a","id_tok"#,
            OauthRefusal::TokenMalformed,
        ),
        (200, "{}", OauthRefusal::TokenMalformed),
        (200, "", OauthRefusal::TokenMalformed),
    ] {
        assert_eq!(
            refused(&op, Reply::status(status, body)).await,
            leaf,
            "{status} {body}"
        );
    }
}

#[tokio::test]
async fn a_token_request_is_never_repeated() {
    let op = Op::start().await;
    for (token, leaf) in [
        (Reply::Hangup, EgressRefusal::Unreachable),
        (Reply::Drip, EgressRefusal::Timeout),
        (
            Reply::json("x".repeat(1024 * 1024 + 1)),
            EgressRefusal::TooLarge,
        ),
        (
            Reply::redirect("/elsewhere"),
            EgressRefusal::RedirectForbidden,
        ),
        (
            Reply::Full(
                307,
                vec![("Location", "https://evil.example/".into())],
                Vec::new(),
            ),
            EgressRefusal::RedirectForbidden,
        ),
    ] {
        let before = op.server.count("/token");
        assert_eq!(refused(&op, token).await, leaf);
        assert_eq!(op.server.count("/token"), before + 1);
    }
    assert_eq!(op.server.count("/elsewhere"), 0);
}

#[tokio::test]
async fn a_reply_as_form_with_odd_members_is_read() {
    let op = Op::start().await;
    let provider = op.open().await.unwrap();
    let attempt = op::begin(&provider, &op::login());
    let token = op.key.sign("RS256", &op.claims(&attempt));
    let form = format!("access_token=a&id_token={token}&expires_in=3600&scope=openid%2Cemail");
    op.world.lock().unwrap().token = Reply::Full(
        200,
        vec![("Content-Type", "text/plain".into())],
        form.into_bytes(),
    );
    assert!(op::complete(&provider, &attempt).await.is_ok());
}

#[tokio::test]
async fn a_client_can_authenticate_in_the_body_or_not_at_all() {
    let mut op = Op::start().await;
    options(&mut op).client_auth_method = Some(ClientAuthMethod::Post);
    op.sign_in(|_| ()).await.unwrap();
    let asked = op.server.last("/token");
    assert_eq!(
        (
            asked.field("client_secret").as_deref(),
            asked.header("authorization")
        ),
        (Some("s3cr&t"), None)
    );
    options(&mut op).client_secret = None;
    op.sign_in(|_| ()).await.unwrap();
    let asked = op.server.last("/token");
    assert_eq!(
        (
            asked.field("client_id").as_deref(),
            asked.field("client_secret")
        ),
        (Some("client-1"), None)
    );
}

#[tokio::test]
async fn a_connection_that_is_incomplete_does_not_open() {
    let mut op = Op::start().await;
    op.world.lock().unwrap().metadata["token_endpoint_auth_methods_supported"] =
        serde_json::json!(["tls_client_auth"]);
    assert_eq!(
        op.open().await.unwrap_err(),
        OauthRefusal::ClientAuthUnsupported
    );
    options(&mut op).client_id = None;
    assert_eq!(
        op.open().await.unwrap_err(),
        ConnectionRefusal::ClientIdMissing
    );
    options(&mut op).client_id = Some("c".into());
    options(&mut op).issuer = None;
    assert_eq!(
        op.open().await.unwrap_err(),
        ConnectionRefusal::IssuerMissing
    );
}

#[tokio::test]
async fn metadata_of_another_issuer_does_not_open() {
    let op = Op::start().await;
    let issuer = op.server.issuer();
    op.world.lock().unwrap().metadata["issuer"] = format!("{issuer}/").into();
    assert_eq!(
        op.open().await.unwrap_err(),
        OidcRefusal::DiscoveryIssuerMismatch
    );
    op.world.lock().unwrap().metadata = Value::Null;
    assert_eq!(
        op.open().await.unwrap_err(),
        OidcRefusal::DiscoveryMalformed
    );
}

#[tokio::test]
async fn endpoints_in_an_inner_network_are_refused_by_default() {
    let mut op = Op::start().await;
    op.egress = Egress::new(EgressPolicy::default()).into();
    assert_eq!(op.open().await.unwrap_err(), EgressRefusal::SchemeForbidden);
    options(&mut op).issuer = Some("https://169.254.169.254".into());
    assert_eq!(
        op.open().await.unwrap_err(),
        EgressRefusal::AddressForbidden
    );
    options(&mut op).issuer = Some("https://localhost:1".into());
    assert_eq!(
        op.open().await.unwrap_err(),
        EgressRefusal::AddressForbidden
    );
}

#[tokio::test]
async fn a_saml_connection_needs_metadata() {
    let mut op = Op::start().await;
    op.connection.options.protocol = ProtocolOptions::Saml(SamlOptions::default());
    assert_eq!(op.open().await.unwrap_err(), MetadataRefusal::NotXml);
}
