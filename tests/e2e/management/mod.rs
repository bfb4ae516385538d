//! The Management API as its callers meet it, those who mean harm among them.

use fedgate::store::connection::Beside;
use fedgate_providers::connection::ConnectionId;
use fedgate_tests::gateway::{API_SCOPES, Gateway, Remote, client, read};
use fedgate_tests::{hostile, seen};
use reqwest::Method;
use reqwest::header::{ALLOW, CONTENT_TYPE, ETAG, IF_MATCH, WWW_AUTHENTICATE};
use serde_json::{Value, json};

use crate::metadata::Document;

mod access;
mod application;
mod connection;
mod identity;
mod lifecycle;
mod membership;
mod request;
mod user;

const CONNECTIONS: &str = "/api/v1/connections";

/// Codes and members of an answer's errors.
fn errors(answer: &Value) -> Vec<(&str, &str)> {
    let errors = answer["errors"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"));
    let text = |error: &'_ Value, name: &str| error[name].as_str().map(str::to_owned);
    assert!(
        errors.iter().all(|error| text(error, "message").is_some()),
        "{answer}"
    );
    errors
        .iter()
        .map(|error| {
            let text = |name: &str| error[name].as_str().unwrap_or_default();
            (text("code"), text("field"))
        })
        .collect()
}

async fn create(gateway: &Gateway, body: Value) -> (u16, Value) {
    gateway.api(Method::POST, CONNECTIONS, Some(body)).await
}

/// An active SAML connection with these domains and applications; its path.
async fn active(gateway: &Gateway, domains: &[&str], applications: &[&str]) -> String {
    let options =
        json!({"saml_idp_metadata_xml": Document::default().xml(), "home_realm_domains": domains});
    let body = json!({"name": "Acme", "strategy": "saml:custom", "options": options, "enabled_applications": applications});
    let created = gateway.create_connection(body).await;
    assert_eq!(created["status"], "active", "{created}");
    format!("{CONNECTIONS}/{}", created["id"].as_str().expect("an id"))
}

/// Enters a user and answers the id.
pub(crate) async fn user(gateway: &Remote, body: Value) -> String {
    let (status, answer) = gateway.api(Method::POST, "/api/v1/user", Some(body)).await;
    assert_eq!(status, 201, "{answer}");
    answer["id"].as_str().expect("an id").to_owned()
}

/// Sends a change with an `If-Match`.
async fn conditional(
    gateway: &Gateway,
    method: Method,
    path: &str,
    tag: &str,
    body: Value,
) -> (u16, Value) {
    let request = client().request(method, format!("{}{path}", gateway.base));
    let request = request.bearer_auth(gateway.api_token().await);
    read(request.header(IF_MATCH, tag).body(body.to_string())).await
}

/// The entity tag of what is there.
async fn tag(gateway: &Gateway, path: &str) -> String {
    let request = client().get(format!("{}{path}", gateway.base));
    let answer = request.bearer_auth(gateway.api_token().await).send().await;
    let tag = answer.expect("an answer").headers()[ETAG].clone();
    tag.to_str().expect("text").to_owned()
}

fn saml(options: &Value) -> Value {
    json!({"name": "x", "strategy": "saml:custom", "options": options})
}

fn oidc(options: &Value) -> Value {
    json!({"name": "x", "strategy": "oidc:custom", "options": options})
}

fn pem(key: &openssl::pkey::PKey<openssl::pkey::Private>) -> (String, String) {
    let text = |octets: Vec<u8>| String::from_utf8(octets).expect("PEM");
    let certificate = hostile::certificate(key).to_pem().expect("PEM");
    (
        text(certificate),
        text(key.private_key_to_pem_pkcs8().expect("PEM")),
    )
}
