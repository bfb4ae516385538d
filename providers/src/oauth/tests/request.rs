//! What the browser takes upstream.

use super::*;
use crate::connection::{ProtocolOptions, UpstreamParam};
use crate::login::Login;

#[tokio::test]
async fn the_request_holds_what_binds_the_answer() {
    let op = Op::start().await;
    let provider = op.open().await.unwrap();
    let login = op::login();
    let attempt = op::begin(&provider, &login);
    let sent = &attempt.sent;
    assert_eq!(sent["response_type"], "code");
    assert_eq!(sent["client_id"], "client-1");
    assert_eq!(sent["state"], login.handle.to_state());
    assert_eq!(
        sent["redirect_uri"],
        "https://login.example/login/callback/conn_0123456789abcdef0123456789abcdef"
    );
    assert_eq!(sent["scope"], "openid email profile");
    assert_eq!(
        (
            sent["code_challenge_method"].as_str(),
            sent["code_challenge"].len()
        ),
        ("S256", 43)
    );
    assert_eq!((sent["nonce"].len(), sent.len()), (43, 8));
    let pending = oauth_pending(&attempt.pending);
    assert_eq!(pending.nonce.as_ref(), sent.get("nonce"));
    assert_ne!(pending.nonce, pending.code_verifier);
}

#[tokio::test]
async fn what_the_application_asks_is_forwarded_but_never_silence() {
    let op = Op::start().await;
    let provider = op.open().await.unwrap();
    let login = Login {
        hint: Some("ada@example.com&x=y".into()),
        prompt: Some("none login".into()),
        max_age: None,
        acr_values: vec!["mfa".into(), "phr".into()],
        ui_locales: Some("de fr".into()),
        ..op::login()
    };
    let attempt = op::begin(&provider, &login);
    let sent = &attempt.sent;
    assert_eq!(
        (sent["login_hint"].as_str(), sent["prompt"].as_str()),
        ("ada@example.com&x=y", "login")
    );
    assert_eq!(
        (sent["acr_values"].as_str(), sent["ui_locales"].as_str()),
        ("mfa phr", "de fr")
    );
    assert_eq!(sent["max_age"], "0");
    let silent = op::begin(
        &provider,
        &Login {
            prompt: Some("none".into()),
            max_age: Some(60),
            ..op::login()
        },
    );
    assert_eq!(
        (silent.sent.get("prompt"), silent.sent["max_age"].as_str()),
        (None, "60")
    );
}

#[tokio::test]
async fn a_connections_parameters_fill_gaps_and_touch_nothing_reserved() {
    let mut op = Op::start().await;
    let value = |text: &str| UpstreamParam::Value(text.into());
    op.connection.options.common.upstream_params = [
        ("kc_idp_hint", value("corp")),
        ("hint", UpstreamParam::Alias("login_hint".into())),
        ("unknown", UpstreamParam::Alias("client_secret".into())),
        ("prompt", value("select_account")),
        ("state", value("fixed")),
        ("Redirect_URI", value("https://evil.example")),
        ("claims", value("{}")),
        ("request_uri", value("https://evil.example")),
    ]
    .map(|(name, source)| (name.to_owned(), source))
    .into();
    let provider = op.open().await.unwrap();
    let attempt = op::begin(
        &provider,
        &Login {
            hint: Some("ada".into()),
            ..op::login()
        },
    );
    let sent = &attempt.sent;
    assert_eq!(
        (
            sent["kc_idp_hint"].as_str(),
            sent["hint"].as_str(),
            sent["prompt"].as_str()
        ),
        ("corp", "ada", "select_account")
    );
    assert_eq!(sent["state"], op::login().handle.to_state());
    for absent in ["Redirect_URI", "claims", "request_uri", "unknown"] {
        assert_eq!(sent.get(absent), None, "{absent}");
    }
    let forced = op::begin(
        &provider,
        &Login {
            prompt: Some("login".into()),
            ..op::login()
        },
    );
    assert_eq!(forced.sent["prompt"], "login");
}

#[tokio::test]
async fn a_sign_up_at_the_gateway_is_no_prompt_of_the_upstream() {
    let mut op = Op::start().await;
    let login = Login {
        prompt: Some("create".into()),
        ..op::login()
    };
    let sent = op::begin(&op.open().await.unwrap(), &login).sent;
    assert_eq!(sent.get("prompt"), None);
    let announced = UpstreamParam::Value("create".into());
    op.connection.options.common.upstream_params = [("prompt".to_owned(), announced)].into();
    let sent = op::begin(&op.open().await.unwrap(), &login).sent;
    assert_eq!(sent["prompt"], "create");
}

#[tokio::test]
async fn openid_is_always_among_the_scopes() {
    let mut op = Op::start().await;
    let ProtocolOptions::Oauth(options) = &mut op.connection.options.protocol else {
        panic!("not OAuth")
    };
    options.scopes = vec!["groups".into()];
    let provider = op.open().await.unwrap();
    assert_eq!(
        op::begin(&provider, &op::login()).sent["scope"],
        "openid groups"
    );
}
