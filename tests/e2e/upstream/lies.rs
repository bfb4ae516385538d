//! What each provider's misbehaviour comes to.

use fedgate_lab::social::Lie;
use fedgate_tests::ending::{Ending, check_refusal};
use serde_json::{Value, json};

use super::{Scene, TENANT};

fn refused() -> Vec<(&'static str, Value, Lie, &'static str)> {
    let workspace = json!({"hosted_domains": ["globex.test"]});
    let slack = json!({"team_id": "T0GLOBEX"});
    let consumers = json!({"tenant": "consumers"});
    let organizations = json!({"tenant": "organizations"});
    let tenant = json!({"entra_id_domain": "globex.test"});
    let extended =
        json!({"entra_id_domain": "globex.test", "is_extended_attributes_required": true});
    let common = json!({"is_use_common_endpoint": true, "allowed_tenants": [TENANT]});
    let custom = json!({
        "authorization_url": "https://idp.globex.test/authorize", "token_url": "https://idp.globex.test/token",
        "userinfo_url": "https://idp.globex.test/api/me", "user_id_key_attr": "data/user/uid",
    });
    let one = || json!({});
    vec![
        (
            "oauth2:google",
            one(),
            Lie::Cancelled,
            "oauth.access_denied",
        ),
        ("oauth2:apple", one(), Lie::Cancelled, "oauth.access_denied"),
        (
            "oauth2:linkedin",
            one(),
            Lie::Cancelled,
            "oauth.access_denied",
        ),
        ("oauth2:google", one(), Lie::UsedCode, "oauth.code_rejected"),
        ("oauth2:github", one(), Lie::UsedCode, "oauth.code_rejected"),
        (
            "oauth2:slack",
            slack.clone(),
            Lie::UsedCode,
            "oauth.code_rejected",
        ),
        ("oauth2:twitch", one(), Lie::UsedCode, "oauth.code_rejected"),
        (
            "oauth2:custom",
            custom.clone(),
            Lie::UsedCode,
            "oauth.token_malformed",
        ),
        (
            "oauth2:google",
            one(),
            Lie::WrongIssuer,
            "oidc.issuer_mismatch",
        ),
        (
            "oauth2:microsoft",
            one(),
            Lie::WrongIssuer,
            "oidc.issuer_mismatch",
        ),
        (
            "oauth2:azure_ad",
            tenant.clone(),
            Lie::OtherTenant,
            "oidc.issuer_mismatch",
        ),
        (
            "oauth2:google",
            one(),
            Lie::WrongNonce,
            "oidc.nonce_mismatch",
        ),
        (
            "oauth2:clever",
            one(),
            Lie::WrongNonce,
            "oidc.nonce_mismatch",
        ),
        (
            "oauth2:linkedin",
            one(),
            Lie::WrongNonce,
            "oidc.nonce_mismatch",
        ),
        ("oauth2:gitlab", one(), Lie::OtherKey, "oidc.key_unknown"),
        (
            "oauth2:microsoft",
            one(),
            Lie::KeyOfAnotherTenant,
            "oidc.key_issuer_mismatch",
        ),
        (
            "oauth2:azure_ad",
            tenant,
            Lie::KeyOfAnotherTenant,
            "oidc.key_issuer_mismatch",
        ),
        (
            "oidc:google_workspace",
            workspace,
            Lie::OtherTenant,
            "oidc.account_not_admitted",
        ),
        (
            "oauth2:slack",
            slack,
            Lie::OtherTenant,
            "oidc.account_not_admitted",
        ),
        (
            "oauth2:microsoft",
            consumers,
            Lie::OtherTenant,
            "oidc.account_not_admitted",
        ),
        (
            "oauth2:microsoft",
            organizations,
            Lie::OtherTenant,
            "oidc.account_not_admitted",
        ),
        (
            "oauth2:azure_ad",
            common,
            Lie::OtherTenant,
            "oidc.account_not_admitted",
        ),
        (
            "oauth2:xero",
            one(),
            Lie::OtherTenant,
            "oidc.account_not_admitted",
        ),
        (
            "oauth2:azure_ad",
            extended,
            Lie::OtherPerson,
            "oidc.userinfo_subject_mismatch",
        ),
        (
            "oauth2:gitlab",
            one(),
            Lie::OtherPerson,
            "oidc.userinfo_subject_mismatch",
        ),
        (
            "oauth2:github",
            one(),
            Lie::NoSubject,
            "oidc.subject_missing",
        ),
        (
            "oauth2:discord",
            one(),
            Lie::NoSubject,
            "oidc.subject_missing",
        ),
        (
            "oauth2:facebook",
            one(),
            Lie::NoSubject,
            "oidc.subject_missing",
        ),
        (
            "oauth2:twitter",
            one(),
            Lie::NoSubject,
            "oidc.subject_missing",
        ),
        (
            "oauth2:bitbucket",
            one(),
            Lie::NoSubject,
            "oidc.subject_missing",
        ),
        (
            "oauth2:custom",
            custom,
            Lie::NoSubject,
            "oidc.subject_missing",
        ),
        (
            "oauth2:microsoft",
            one(),
            Lie::NoSubject,
            "oidc.subject_missing",
        ),
        (
            "oauth2:github",
            one(),
            Lie::Forbidden,
            "oidc.userinfo_refused",
        ),
        (
            "oauth2:gitlab",
            one(),
            Lie::Forbidden,
            "oidc.userinfo_refused",
        ),
        (
            "oauth2:discord",
            one(),
            Lie::Overloaded,
            "oauth.upstream_unavailable",
        ),
        (
            "oauth2:github",
            one(),
            Lie::OtherCallbackIssuer,
            "oauth.callback_issuer_mismatch",
        ),
        (
            "oauth2:google",
            one(),
            Lie::OtherCallbackIssuer,
            "oauth.callback_issuer_mismatch",
        ),
        (
            "oauth2:microsoft",
            one(),
            Lie::OtherCallbackIssuer,
            "oauth.callback_issuer_mismatch",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lie_has_its_code_and_leaves_nothing_behind() {
    let scene = Scene::start().await;
    let mut amiss = Vec::new();
    for (strategy, options, lie, code) in refused() {
        let connection = scene.connect(strategy, options).await;
        let before = scene.gateway.rows().await;
        let page = scene.login(&connection, lie).await;
        let checked = check_refusal(&scene.gateway, &page, code).await;
        amiss.extend(
            checked
                .err()
                .map(|error| format!("{strategy} {lie:?}: {error}")),
        );
        if scene.gateway.rows().await != before {
            amiss.push(format!("{strategy} {lie:?} left rows"));
        }
    }
    assert!(amiss.is_empty(), "{amiss:#?}");
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
}
