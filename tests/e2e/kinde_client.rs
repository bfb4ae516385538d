//! Kinde's published Management API client, unchanged, drives the gateway over https.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use fedgate_tests::counterparts::node;
use fedgate_tests::gateway::{API_SCOPES, Gateway, SECRET};
use fedgate_tests::process::free_address;
use serde_json::{Value, json};

use crate::metadata::Document;

/// The gateway behind a TLS terminator, with an application for the client that may do everything.
async fn behind_tls(terminator: SocketAddr) -> Gateway {
    let scopes: Vec<_> = API_SCOPES.split_whitespace().collect();
    let application = format!(
        "[[applications]]\nclient_id = \"kinde\"\nclient_secret = \"{SECRET}\"\ngrant_types = [\"client_credentials\"]\nscopes = {}\n",
        json!(scopes)
    );
    let public_url = format!("https://localhost:{}", terminator.port());
    Gateway::configured(&application, &[("FEDGATE_SERVER__PUBLIC_URL", &public_url)]).await
}

/// A key and a certificate for `localhost` that names itself as its authority.
fn certificate(folder: &Path) {
    let mut command = std::process::Command::new("openssl");
    command.args([
        "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "2",
    ]);
    command.args([
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
    ]);
    command.arg("-keyout").arg(folder.join("key.pem"));
    command.arg("-out").arg(folder.join("certificate.pem"));
    let made = command.stderr(Stdio::null()).status().expect("openssl");
    assert!(made.success(), "no certificate");
}

/// What the client saw.
async fn driven(gateway: &Gateway, terminator: SocketAddr) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    certificate(folder.path());
    let port = gateway.base.rsplit(':').next().expect("a port");
    let metadata = Document {
        binding: "HTTP-POST",
        ..Document::default()
    };
    let mut command = node("kinde.mjs");
    command
        .env("KINDE_DOMAIN", format!("localhost:{}", terminator.port()))
        .env("KINDE_MANAGEMENT_CLIENT_ID", "kinde")
        .env("KINDE_MANAGEMENT_CLIENT_SECRET", SECRET)
        .env("NODE_EXTRA_CA_CERTS", folder.path().join("certificate.pem"))
        .env("TLS_CERTIFICATE", folder.path().join("certificate.pem"))
        .env("TLS_KEY", folder.path().join("key.pem"))
        .env("TLS_PORT", terminator.port().to_string())
        .env("GATEWAY_PORT", port)
        .env("IDP_METADATA", metadata.xml())
        .env("APPLICATION", "web")
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    let run = tokio::task::spawn_blocking(move || command.output().expect("node"));
    let output = run.await.expect("an end");
    let text = String::from_utf8(output.stdout).expect("text");
    serde_json::from_str(text.trim()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn kindes_own_client_manages_the_gateway() {
    let terminator = free_address();
    let gateway = behind_tls(terminator).await;
    let seen = driven(&gateway, terminator).await;
    assert_eq!(seen.get("failed"), None, "{seen}");
    let dependants = json!({"status": 409, "codes": ["api.confirmation_required"]});
    let expected = json!({
        "created": {"code": "OK", "status": "active"},
        "read": "Acme Inc.",
        "pages": [true, 1, false, true],
        "routed": [true],
        "absent": {"status": 404, "codes": ["api.connection_unknown"]},
        "taken": {"status": 409, "codes": ["connection.domain_taken"]},
        "deleted": dependants,
    });
    assert_eq!(seen["connections"], expected);
    let expected = json!({
        "secret": "string", "read": ["The shop", "reg"], "listed": true, "enabled": 1, "disabled": 0, "deleted": "OK",
    });
    assert_eq!(seen["applications"], expected);
    let expected = json!({
        "code": true, "read": ["Acme Inc.", "acme", "crm-1"], "listed": true, "enabled": 1,
    });
    assert_eq!(seen["organizations"], expected);
    let expected = json!({
        "read": ["Anna", "Example"], "listed": true, "member": true, "deleted": "OK",
    });
    assert_eq!(seen["users"], expected);
    let expected = json!({"listed": true, "type": "enterprise", "deleted": "OK"});
    assert_eq!(seen["identities"], expected);
    // Its token is one that the client recognizes and keeps.
    assert_eq!(seen["tokenRequests"], 1);
}
