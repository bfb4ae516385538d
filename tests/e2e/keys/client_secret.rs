//! Two client secrets of one connection overlap: whichever the provider knows.

use fedgate_tests::ending::Ending;
use fedgate_tests::gateway::Gateway;
use fedgate_tests::replicas::login;
use fedgate_tests::upstream::{BOB, OidcUpstream};
use reqwest::Method;
use serde_json::{Value, json};

async fn change(gateway: &Gateway, id: &str, options: Value) -> Vec<Value> {
    let path = format!("/api/v1/connections/{id}");
    let body = Some(json!({ "options": options }));
    let (status, answer) = gateway.api(Method::PATCH, &path, body).await;
    assert_eq!(status, 200, "{answer}");
    let (_, read) = gateway.api(Method::GET, &path, None).await;
    read["connection"]["secrets"]
        .as_array()
        .expect("names")
        .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_entered_over_another_leaves_that_one_in_use() {
    let gateway = Gateway::start().await;
    let upstream = OidcUpstream::start().await;
    let connection = upstream.connect(&gateway, json!({})).await;
    let id = connection.id.as_str();
    // The provider does not know the new one yet.
    let secrets = change(&gateway, id, json!({ "client_secret": "not known yet" })).await;
    assert_eq!(secrets, ["client_secret", "previous_client_secret"]);
    login(&gateway, id, BOB).await.code();
    // Without the old one, the new one alone is refused for what it is.
    let secrets = change(&gateway, id, json!({ "previous_client_secret": null })).await;
    assert_eq!(secrets, ["client_secret"]);
    let Ending::Refused(refused) = login(&gateway, id, BOB).await else {
        panic!("not refused");
    };
    assert_eq!(refused.code, "oauth.client_rejected");
    // The same secret once more replaces nothing.
    let secrets = change(&gateway, id, json!({ "client_secret": "not known yet" })).await;
    assert_eq!(secrets, ["client_secret"]);
}
