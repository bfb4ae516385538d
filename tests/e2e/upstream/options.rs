//! What a connection needs, strategy by strategy, as the Management API tells it.

use fedgate_tests::gateway::SECRET;
use reqwest::Method;
use serde_json::{Value, json};

use super::Scene;

async fn create(scene: &Scene, strategy: &str, options: Value) -> (u16, Value) {
    let mut body = scene.body(strategy, &json!({}));
    body["options"] = options;
    let api = scene
        .gateway
        .api(Method::POST, "/api/v1/connections", Some(body));
    api.await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_not_activated_without_what_its_strategy_needs() {
    let scene = Scene::start().await;
    let with = |more: Value| {
        let mut options = json!({"client_id": "fedgate", "client_secret": SECRET});
        options
            .as_object_mut()
            .expect("options")
            .extend(more.as_object().expect("options").clone());
        options
    };
    let key = scene.lab.client_key_pem().expect("a key");
    for (strategy, options, field) in [
        ("oauth2:slack", with(json!({})), "options.team_id"),
        (
            "oidc:google_workspace",
            with(json!({})),
            "options.hosted_domains",
        ),
        (
            "oauth2:azure_ad",
            with(json!({})),
            "options.entra_id_domain",
        ),
        (
            "oauth2:azure_ad",
            with(json!({"is_use_common_endpoint": true})),
            "options.allowed_tenants",
        ),
        (
            "oauth2:github",
            with(json!({"base_url": "https://github.globex.test"})),
            "options.api_url",
        ),
        (
            "oauth2:custom",
            with(json!({"authorization_url": "https://a.test/", "token_url": "https://a.test/t"})),
            "options.userinfo_url",
        ),
        (
            "oauth2:apple",
            json!({"client_id": "a", "private_key": key, "team_id": "T"}),
            "options.key_id",
        ),
    ] {
        let (status, answer) = create(&scene, strategy, options).await;
        let error = &answer["errors"][0];
        assert_eq!(
            (status, error["code"].as_str()),
            (422, Some("connection.option_missing")),
            "{answer}"
        );
        assert_eq!(error["field"], field, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_option_that_could_lead_elsewhere_is_refused() {
    let scene = Scene::start().await;
    for (strategy, options, code) in [
        (
            "oauth2:azure_ad",
            json!({"entra_id_domain": "contoso.com/../evil"}),
            "connection.option_value",
        ),
        (
            "oauth2:microsoft",
            json!({"tenant": "evil.test"}),
            "connection.option_value",
        ),
        (
            "oauth2:gitlab",
            json!({"base_url": "http://gitlab.test"}),
            "connection.option_url",
        ),
        (
            "oauth2:google",
            json!({"issuer": "https://evil.test"}),
            "connection.option_unknown",
        ),
        (
            "oauth2:apple",
            json!({"private_key": "no key"}),
            "connection.client_key",
        ),
        (
            "oauth2:github",
            json!({"client_auth_method": "none"}),
            "connection.option_value",
        ),
    ] {
        let (status, answer) = create(&scene, strategy, options).await;
        assert_eq!(
            (status, answer["errors"][0]["code"].as_str()),
            (422, Some(code)),
            "{answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_key_is_kept_and_never_shown() {
    let scene = Scene::start().await;
    let connection = scene.connect("oauth2:apple", json!({})).await;
    let path = format!("/api/v1/connections/{}", connection.id);
    let change = json!({"display_name": "Apple", "options": {"key_id": "LABKEY0001"}});
    let (status, answer) = scene.gateway.api(Method::PATCH, &path, Some(change)).await;
    assert_eq!(status, 200, "{answer}");
    let (_, answer) = scene.gateway.api(Method::GET, &path, None).await;
    assert!(!answer.to_string().contains("PRIVATE KEY"), "{answer}");
    let page = scene
        .login(&connection, fedgate_lab::social::Lie::Honest)
        .await;
    fedgate_tests::ending::Ending::of(&page).code();
}
