//! The Management API as its callers meet it, those who mean harm among them.

use fedgate::store::connection::Beside;
use fedgate_providers::connection::ConnectionId;
use fedgate_tests::gateway::{API_SCOPES, Gateway, client, read};
use fedgate_tests::{hostile, seen};
use reqwest::Method;
use reqwest::header::{ALLOW, CONTENT_TYPE, ETAG, IF_MATCH, WWW_AUTHENTICATE};
use serde_json::{Value, json};

use crate::metadata::Document;

mod access;
mod connection;
mod lifecycle;
mod request;

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
