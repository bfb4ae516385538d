//! What somebody without an account can make the gateway keep, or ask of others: little, and once.

use fedgate_providers::connection::ConnectionId;
use fedgate_tests::browser::Page;
use fedgate_tests::gateway::Gateway;
use fedgate_tests::hostile::{self, Hostile};
use fedgate_tests::seen;
use reqwest::header::LOCATION;
use serde_json::json;

use super::metadata::Document;

/// The longest thing that a form may hold, nearly.
const FLOOD_BYTES: usize = 400_000;
/// The most that waits in memory in these tests.
const ONE_STORED: &str = "[limits]\nstored_pendings = 1\n";

/// An active SAML connection of the application `web`, without domains: it has a button.
async fn saml(gateway: &Gateway) -> String {
    let options = json!({ "saml_idp_metadata_xml": Document::default().xml() });
    let body = json!({ "name": "Acme", "strategy": "saml:custom", "options": options, "enabled_applications": ["web"] });
    let created = gateway.create_connection(body).await;
    assert_eq!(created["status"], "active", "{created}");
    created["id"].as_str().expect("an id").to_owned()
}

/// An active OpenID Connect connection of the application `web`, and its provider.
async fn oidc(gateway: &Gateway) -> (String, Hostile) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let document = json!({
        "issuer": format!("http://{address}"), "authorization_endpoint": "https://op.example/a",
        "token_endpoint": "https://op.example/t", "jwks_uri": "https://op.example/k",
    });
    let provider = Hostile::on(address, move |_| hostile::document(document.to_string())).await;
    let options = json!({ "issuer": provider.url(""), "client_id": "c", "client_secret": "s" });
    let body = json!({ "name": "Globex", "strategy": "oidc:custom", "options": options, "enabled_applications": ["web"] });
    let created = gateway.create_connection(body).await;
    assert_eq!(created["status"], "active", "{created}");
    (created["id"].as_str().expect("an id").to_owned(), provider)
}

/// Where the browser is sent, or the code of the page that it gets.
fn outcome(page: &Page) -> String {
    match page.headers.get(LOCATION) {
        Some(location) => {
            let location = location.to_str().expect("text");
            location.split('?').next().unwrap_or_default().to_owned()
        }
        None => seen::codes(&page.body).into_iter().collect(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_typed_beside_a_button_is_not_kept() {
    let gateway = Gateway::with(ONE_STORED).await;
    let id = saml(&gateway).await;
    let flood = "a".repeat(FLOOD_BYTES);
    for _ in 0..3 {
        let mut browser = gateway.browser();
        let form = browser.open(&gateway.authorize_url(&[])).await.form();
        let fields = [("connection", id.as_str()), ("email", &flood)];
        let page = browser.submit_step(&form, &fields).await;
        assert_eq!(outcome(&page), "https://idp.example/sso");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quota_of_large_logins_is_told_by_its_code() {
    let gateway = Gateway::with(ONE_STORED).await;
    let id = saml(&gateway).await;
    let state = "s".repeat(2000);
    let url = gateway.authorize_url(&[("connection_id", &id), ("state", &state)]);
    let first = gateway.browser().step(&url).await;
    assert_eq!(outcome(&first), "https://idp.example/sso");
    let second = gateway.browser().step(&url).await;
    assert_eq!(outcome(&second), "login.too_many_pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_of_no_room_sends_every_login_to_memory() {
    let gateway = Gateway::with("[limits]\npending_cookie_bytes = 1\n").await;
    let id = saml(&gateway).await;
    let url = gateway.authorize_url(&[("connection_id", &id)]);
    let page = gateway.browser().step(&url).await;
    assert_eq!(outcome(&page), "https://idp.example/sso");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_connection_is_not_discovered_anew_with_every_forgotten_entry() {
    let gateway = Gateway::start().await;
    let (id, provider) = oidc(&gateway).await;
    let activated = provider.asked().len();
    let url = gateway.authorize_url(&[("connection_id", &id)]);
    let parsed = ConnectionId::parse(&id).expect("an id");
    for _ in 0..3 {
        let page = gateway.browser().step(&url).await;
        assert_eq!(outcome(&page), "https://op.example/a");
        gateway.app.registry.forget(&parsed).await;
    }
    assert_eq!(provider.asked().len(), activated + 1);
    let path = format!("/api/v1/connections/{id}");
    let change = json!({ "display_name": "Globex Inc" });
    let (status, answer) = gateway
        .api(reqwest::Method::PATCH, &path, Some(change))
        .await;
    assert_eq!(status, 200, "{answer}");
    let page = gateway.browser().step(&url).await;
    assert_eq!(outcome(&page), "https://op.example/a");
    assert_eq!(provider.asked().len(), activated + 2);
}
