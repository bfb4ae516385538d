//! What a person decides about an identity provider's metadata, through the Management API.

use fedgate_tests::ending::Ending;
use fedgate_tests::gateway::Gateway;
use fedgate_tests::upstream::{Connected, SamlUpstream};
use reqwest::Method;
use serde_json::{Value, json};

use super::{event, kinds, login, metadata, states, step};
use crate::saml_flow::scene;

async fn refreshed(gateway: &Gateway, connection: &Connected) -> Value {
    let (status, told) = metadata(gateway, connection, Method::POST, "/refresh").await;
    assert_eq!(status, 200, "{told}");
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_key_retires_and_drops_by_itself() {
    let (gateway, upstream, connection) = scene(json!({})).await;
    let (_, before) = metadata(&gateway, &connection, Method::GET, "").await;
    assert_eq!(states(&before), ["live"]);
    let old = upstream.idp.current_key();
    upstream.idp.roll().expect("a key");
    let told = refreshed(&gateway, &connection).await;
    assert_eq!(told["outcome"], "applied");
    assert_eq!(kinds(&told["changes"]), ["key_added", "key_removed"]);
    assert_eq!(states(&told), ["live", "retiring"]);
    assert_eq!(told["revisions"].as_array().expect("revisions").len(), 2);
    let new = upstream.idp.current_key();
    upstream.idp.publish(std::slice::from_ref(&new));
    upstream.idp.sign_with(&old);
    Ending::of(&login(&gateway, &connection).await).code();
    step(&gateway, &upstream, 24 * 3600 + 60);
    let refused = Ending::of(&login(&gateway, &connection).await).refused();
    assert_eq!(refused.code, "saml.key_unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_document_waits_while_the_live_one_serves_and_is_accepted_or_not() {
    let (gateway, upstream, connection) = scene(json!({})).await;
    let other = SamlUpstream::start().await;
    upstream
        .idp
        .disguise(Some(other.idp.metadata().expect("metadata")));
    let told = refreshed(&gateway, &connection).await;
    assert_eq!(told["outcome"], "held");
    assert!(kinds(&told["changes"]).contains(&"entity_id_changed".to_owned()));
    assert_eq!(states(&told), ["live"], "none of its keys is trusted");
    event(&gateway, "metadata.held").await;
    Ending::of(&login(&gateway, &connection).await).code();
    let again = refreshed(&gateway, &connection).await;
    let revisions = again["revisions"].as_array().expect("revisions");
    assert_eq!(revisions.len(), 2, "the same document is held once");
    let held = revisions
        .iter()
        .find(|one| one["state"] == "held")
        .expect("a held one");
    let path = format!("/revisions/{}/accept", held["id"].as_str().expect("an id"));
    let (status, told) = metadata(&gateway, &connection, Method::POST, &path).await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(told["revisions"][0]["state"], "live");
    assert_eq!(
        states(&told),
        ["live"],
        "the keys of one entity never sign for another"
    );
    let (status, told) = metadata(&gateway, &connection, Method::POST, &path).await;
    assert_eq!((status, told), (404, json!("api.revision_unknown")));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_rolls_back_and_what_was_rejected_is_not_taken_over_again() {
    let (gateway, upstream, connection) = scene(json!({})).await;
    let (status, told) = metadata(&gateway, &connection, Method::POST, "/rollback").await;
    assert_eq!((status, told), (404, json!("api.revision_unknown")));
    upstream.idp.roll().expect("a key");
    refreshed(&gateway, &connection).await;
    let (status, told) = metadata(&gateway, &connection, Method::POST, "/rollback").await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(
        states(&told),
        ["live"],
        "the keys of what was rejected end with it"
    );
    let told = refreshed(&gateway, &connection).await;
    assert_eq!(told["outcome"], "held");
    let refused = Ending::of(&login(&gateway, &connection).await).refused();
    assert_eq!(refused.code, "saml.key_unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_signs_for_nobody_until_it_is_trusted_again() {
    let (gateway, upstream, connection) = scene(json!({})).await;
    let (_, told) = metadata(&gateway, &connection, Method::GET, "").await;
    let fingerprint = told["keys"][0]["fingerprint"].as_str().expect("one");
    let path = format!("/keys/{fingerprint}");
    let (status, told) = metadata(&gateway, &connection, Method::DELETE, &path).await;
    assert_eq!((status, states(&told)), (200, vec!["revoked"]));
    let browser = &mut gateway.browser();
    let asked = [("connection_id", connection.id.as_str())];
    let page = fedgate_tests::login::begin(browser, &gateway, &asked).await;
    assert_eq!(Ending::of(&page).refused().code, "metadata.keys_revoked");
    let (status, told) = metadata(&gateway, &connection, Method::PUT, &path).await;
    assert_eq!((status, states(&told)), (200, vec!["live"]));
    step(&gateway, &upstream, 5);
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    Ending::of(&login(&gateway, &connection).await).code();
    let (status, told) = metadata(&gateway, &connection, Method::DELETE, "/keys/abcd").await;
    assert_eq!((status, told), (404, json!("api.fingerprint_unknown")));
}

#[tokio::test(flavor = "multi_thread")]
async fn bare_certificates_serve_without_metadata_and_a_person_replaces_them_with_overlap() {
    let gateway = Gateway::with(crate::saml_flow::FAST).await;
    let upstream = SamlUpstream::start().await;
    let pem = |key: &fedgate_lab::key::LabKey| {
        let body = key.certificate_base64().expect("a certificate");
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
    };
    let (one, two) = (
        upstream.idp.current_key(),
        upstream.idp.fresh_key().expect("a key"),
    );
    let options = json!({
        "saml_idp_metadata_url": null, "saml_idp_entity_id": upstream.idp.entity_id(),
        "saml_sign_in_url": upstream.idp.sso_url(), "saml_idp_certificates": pem(&one),
    });
    let connection = upstream
        .connect(&gateway, json!({ "options": options }))
        .await;
    Ending::of(&login(&gateway, &connection).await).code();
    let (status, told) = metadata(&gateway, &connection, Method::POST, "/refresh").await;
    assert_eq!((status, told), (422, json!("api.metadata_url_missing")));
    let body = json!({ "options": { "saml_idp_certificates": pem(&two) } });
    let path = format!("/api/v1/connections/{}", connection.id);
    let (status, answer) = gateway.api(Method::PATCH, &path, Some(body)).await;
    assert_eq!(status, 200, "{answer}");
    let (_, told) = metadata(&gateway, &connection, Method::GET, "").await;
    assert_eq!(states(&told), ["live", "retiring"]);
    for key in [&one, &two] {
        upstream.idp.sign_with(key);
        Ending::of(&login(&gateway, &connection).await).code();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_is_read_on_its_schedule_and_a_failure_is_told() {
    let (gateway, upstream, connection) = scene(json!({})).await;
    upstream.idp.roll().expect("a key");
    step(&gateway, &upstream, 6 * 3600 + 60);
    event(&gateway, "metadata.changed").await;
    upstream.idp.disguise(Some("<html>moved</html>".to_owned()));
    step(&gateway, &upstream, 6 * 3600 + 60);
    let failed = event(&gateway, "metadata.fetch_failed").await;
    assert_eq!(failed["code"], "metadata.not_metadata");
    let (_, told) = metadata(&gateway, &connection, Method::GET, "").await;
    assert_eq!(told["failure_code"], "metadata.not_metadata");
    Ending::of(&login(&gateway, &connection).await).code();
}
