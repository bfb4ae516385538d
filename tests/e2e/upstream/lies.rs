//! What each provider's misbehaviour comes to.

use fedgate_lab::social::Lie;
use fedgate_tests::catalogue::ACCEPTED;
use fedgate_tests::ending::{Ending, check_refusal};
use fedgate_tests::proved;
use serde_json::{Value, json};

use super::{Scene, TENANT};

const WORKSPACE: &str = r#"{"hosted_domains": ["globex.test"]}"#;
const SLACK: &str = r#"{"team_id": "T0GLOBEX"}"#;
const CONSUMERS: &str = r#"{"tenant": "consumers"}"#;
const ORGANIZATIONS: &str = r#"{"tenant": "organizations"}"#;
const ONE_TENANT: &str = r#"{"entra_id_domain": "globex.test"}"#;
const EXTENDED: &str =
    r#"{"entra_id_domain": "globex.test", "is_extended_attributes_required": true}"#;
const COMMON: &str = r#"{"is_use_common_endpoint": true, "allowed_tenants": ["TENANT"]}"#;
const CUSTOM: &str = r#"{
    "authorization_url": "https://idp.globex.test/authorize", "token_url": "https://idp.globex.test/token",
    "userinfo_url": "https://idp.globex.test/api/me", "user_id_key_attr": "data/user/uid"
}"#;

/// Strategy, options, what its provider does, and the code.
const REFUSED: &[(&str, &str, Lie, &str)] = &[
    ("oauth2:google", "{}", Lie::Cancelled, "oauth.access_denied"),
    ("oauth2:apple", "{}", Lie::Cancelled, "oauth.access_denied"),
    (
        "oauth2:linkedin",
        "{}",
        Lie::Cancelled,
        "oauth.access_denied",
    ),
    ("oauth2:google", "{}", Lie::UsedCode, "oauth.code_rejected"),
    ("oauth2:github", "{}", Lie::UsedCode, "oauth.code_rejected"),
    ("oauth2:slack", SLACK, Lie::UsedCode, "oauth.code_rejected"),
    ("oauth2:twitch", "{}", Lie::UsedCode, "oauth.code_rejected"),
    (
        "oauth2:custom",
        CUSTOM,
        Lie::UsedCode,
        "oauth.token_malformed",
    ),
    (
        "oauth2:google",
        "{}",
        Lie::WrongIssuer,
        "oidc.issuer_mismatch",
    ),
    (
        "oauth2:microsoft",
        "{}",
        Lie::WrongIssuer,
        "oidc.issuer_mismatch",
    ),
    (
        "oauth2:azure_ad",
        ONE_TENANT,
        Lie::OtherTenant,
        "oidc.issuer_mismatch",
    ),
    (
        "oauth2:google",
        "{}",
        Lie::WrongNonce,
        "oidc.nonce_mismatch",
    ),
    (
        "oauth2:clever",
        "{}",
        Lie::WrongNonce,
        "oidc.nonce_mismatch",
    ),
    (
        "oauth2:linkedin",
        "{}",
        Lie::WrongNonce,
        "oidc.nonce_mismatch",
    ),
    ("oauth2:gitlab", "{}", Lie::OtherKey, "oidc.key_unknown"),
    (
        "oauth2:microsoft",
        "{}",
        Lie::KeyOfAnotherTenant,
        "oidc.key_issuer_mismatch",
    ),
    (
        "oauth2:azure_ad",
        ONE_TENANT,
        Lie::KeyOfAnotherTenant,
        "oidc.key_issuer_mismatch",
    ),
    (
        "oidc:google_workspace",
        WORKSPACE,
        Lie::OtherTenant,
        "oidc.account_not_admitted",
    ),
    (
        "oauth2:slack",
        SLACK,
        Lie::OtherTenant,
        "oidc.account_not_admitted",
    ),
    (
        "oauth2:microsoft",
        CONSUMERS,
        Lie::OtherTenant,
        "oidc.account_not_admitted",
    ),
    (
        "oauth2:microsoft",
        ORGANIZATIONS,
        Lie::OtherTenant,
        "oidc.account_not_admitted",
    ),
    (
        "oauth2:azure_ad",
        COMMON,
        Lie::OtherTenant,
        "oidc.account_not_admitted",
    ),
    (
        "oauth2:xero",
        "{}",
        Lie::OtherTenant,
        "oidc.account_not_admitted",
    ),
    (
        "oauth2:azure_ad",
        EXTENDED,
        Lie::OtherPerson,
        "oidc.userinfo_subject_mismatch",
    ),
    (
        "oauth2:gitlab",
        "{}",
        Lie::OtherPerson,
        "oidc.userinfo_subject_mismatch",
    ),
    (
        "oauth2:github",
        "{}",
        Lie::NoSubject,
        "oidc.subject_missing",
    ),
    (
        "oauth2:discord",
        "{}",
        Lie::NoSubject,
        "oidc.subject_missing",
    ),
    (
        "oauth2:facebook",
        "{}",
        Lie::NoSubject,
        "oidc.subject_missing",
    ),
    (
        "oauth2:twitter",
        "{}",
        Lie::NoSubject,
        "oidc.subject_missing",
    ),
    (
        "oauth2:bitbucket",
        "{}",
        Lie::NoSubject,
        "oidc.subject_missing",
    ),
    (
        "oauth2:custom",
        CUSTOM,
        Lie::NoSubject,
        "oidc.subject_missing",
    ),
    (
        "oauth2:microsoft",
        "{}",
        Lie::NoSubject,
        "oidc.subject_missing",
    ),
    (
        "oauth2:github",
        "{}",
        Lie::Forbidden,
        "oidc.userinfo_refused",
    ),
    (
        "oauth2:gitlab",
        "{}",
        Lie::Forbidden,
        "oidc.userinfo_refused",
    ),
    (
        "oauth2:discord",
        "{}",
        Lie::Overloaded,
        "oauth.upstream_unavailable",
    ),
    (
        "oauth2:github",
        "{}",
        Lie::OtherCallbackIssuer,
        "oauth.callback_issuer_mismatch",
    ),
    (
        "oauth2:google",
        "{}",
        Lie::OtherCallbackIssuer,
        "oauth.callback_issuer_mismatch",
    ),
    (
        "oauth2:microsoft",
        "{}",
        Lie::OtherCallbackIssuer,
        "oauth.callback_issuer_mismatch",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_lie_has_its_code_and_leaves_nothing_behind() {
    let scene = Scene::start().await;
    let mut amiss = Vec::new();
    for (strategy, options, lie, code) in REFUSED.iter().copied() {
        let options = options.replace("TENANT", TENANT);
        let options = serde_json::from_str(&options).expect("JSON");
        let connection = scene.connect(strategy, options).await;
        let before = scene.gateway.rows().await;
        let page = scene.login(&connection, lie).await;
        match check_refusal(&scene.gateway, &page, code).await {
            Ok(_) => note(strategy, lie, code),
            Err(error) => amiss.push(format!("{strategy} {lie:?}: {error}")),
        }
        if scene.gateway.rows().await != before {
            amiss.push(format!("{strategy} {lie:?} left rows"));
        }
    }
    assert!(amiss.is_empty(), "{amiss:#?}");
}

/// Notes which attack of the catalogue it was.
fn note(strategy: &str, lie: Lie, code: &str) {
    match (strategy, lie) {
        ("oauth2:microsoft" | "oauth2:azure_ad", Lie::WrongIssuer | Lie::KeyOfAnotherTenant) => {
            proved!(oidc 28, code);
        }
        (_, Lie::OtherTenant) => proved!(oidc 38, code),
        (_, Lie::OtherPerson) => proved!(oidc 34, code),
        (_, Lie::OtherCallbackIssuer) => proved!(oidc 1, code),
        (_, Lie::UsedCode) => proved!(oidc 4, code),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_its_provider_does_not_vouch_for_is_never_verified() {
    for (strategy, options) in [
        ("oauth2:discord", json!({})),
        ("oauth2:microsoft", json!({})),
        ("oauth2:azure_ad", json!({"entra_id_domain": "globex.test"})),
        ("oauth2:google", json!({})),
        ("oauth2:slack", json!({"team_id": "T0GLOBEX"})),
    ] {
        let scene = Scene::start().await;
        let mut options = options;
        options["is_trusted"] = true.into();
        options["home_realm_domains"] = json!(["globex.test"]);
        let connection = scene.connect(strategy, options).await;
        let code = Ending::of(&scene.login(&connection, Lie::Unverified).await).code();
        let claims = scene.gateway.redeem(&code).await;
        assert_eq!(claims["email_verified"], false, "{strategy}");
    }
    proved!(oidc 29, ACCEPTED);
    proved!(oidc 30, ACCEPTED);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_only_told_when_verified_is_not_told() {
    let scene = Scene::start().await;
    for (strategy, lie) in [
        ("oauth2:github", Lie::Unverified),
        ("oauth2:bitbucket", Lie::Unverified),
        ("oauth2:twitter", Lie::Unverified),
        ("oauth2:facebook", Lie::NoEmail),
        ("oauth2:apple", Lie::NoEmail),
    ] {
        let connection = scene.connect(strategy, json!({})).await;
        let code = Ending::of(&scene.login(&connection, lie).await).code();
        let claims = scene.gateway.redeem(&code).await;
        assert_eq!(claims["email"], Value::Null, "{strategy}");
    }
    proved!(oidc 56, ACCEPTED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_freshness_that_nobody_proves_is_told_to_the_application() {
    let scene = Scene::start().await;
    let connection = scene.connect("oauth2:github", json!({})).await;
    for asked in [("max_age", "60"), ("prompt", "login")] {
        let mut browser = fedgate_tests::browser::Browser::new();
        let page = scene
            .begin_asking(&mut browser, &connection, &[asked])
            .await;
        let page = scene.answer(&mut browser, &page, Lie::Honest).await;
        let told = Ending::told("login_required", "oidc.authentication_too_old");
        assert_eq!(Ending::of(&page), told, "{asked:?}");
    }
    proved!(oidc 60, "oidc.authentication_too_old");
}
