//! pysaml2 upstream: its defaults are refused by name, and it signs in once they are set right.

use fedgate_tests::browser::Page;
use fedgate_tests::counterparts::Pysaml2;
use fedgate_tests::ending::{Ending, check_refusal};
use fedgate_tests::gateway::Gateway;
use fedgate_tests::login::begin;
use fedgate_tests::process::free_address;
use reqwest::Method;
use serde_json::{Value, json};

const SHA1: &str = "http://www.w3.org/2000/09/xmldsig#sha1";
const TRIPLE_DES: &str = "http://www.w3.org/2001/04/xmlenc#tripledes-cbc";

/// A gateway with a connection to each of pysaml2's two entities.
struct Connected {
    gateway: Gateway,
    rsa: String,
    ec: String,
    _idp: Pysaml2,
}

impl Connected {
    /// As administrators do it: each side reads the other's metadata, the gateway's first, of a draft.
    async fn start() -> Self {
        let gateway = Gateway::start().await;
        let (rsa, ec) = (draft(&gateway).await, draft(&gateway).await);
        let metadata = [&rsa, &ec].map(|draft| text(&draft["setup"]["metadata_url"]));
        let address = free_address();
        let idp = Pysaml2::start(address, &metadata);
        activate(&gateway, &rsa, &Pysaml2::metadata_url(address, "rsa")).await;
        activate(&gateway, &ec, &Pysaml2::metadata_url(address, "ec")).await;
        Self {
            rsa: text(&rsa["id"]),
            ec: text(&ec["id"]),
            gateway,
            _idp: idp,
        }
    }

    async fn bind(&self, connection: &str, binding: &str) {
        let options = json!({"options": {"protocol_binding": binding}});
        change(&self.gateway, connection, options).await;
    }

    /// Signs in as alice, with fields of pysaml2's login page filled in.
    async fn sign_in(&self, connection: &str, fields: &[(&str, &str)]) -> Page {
        let mut browser = self.gateway.browser();
        let login = begin(
            &mut browser,
            &self.gateway,
            &[("connection_id", connection)],
        )
        .await;
        let fields = [&[("person", "alice")], fields].concat();
        let posted = browser.submit(&login.form(), &fields).await;
        browser.submit(&posted.form(), &[]).await
    }

    /// Signs in, and answers what the application gets.
    async fn claims(&self, connection: &str, fields: &[(&str, &str)]) -> Value {
        let page = self.sign_in(connection, fields).await;
        self.gateway.redeem(&Ending::of(&page).code()).await
    }

    /// What an administrator reads after a refusal with that code: expected, found, and what to do.
    async fn explained(&self, page: &Page, code: &str) -> (String, String, String) {
        let refused = check_refusal(&self.gateway, page, code).await;
        let reference = refused.expect("a refusal").reference;
        let trace = self.gateway.trace(&reference).await.expect("a trace");
        let last = trace.steps.last().expect("a step");
        let value = |value: &Option<String>| value.clone().unwrap_or_default();
        let explained = fedgate::catalogue::catalogue();
        let entry = explained.into_iter().find(|entry| entry.code == code);
        let fix = entry.expect("an entry").fix.to_owned();
        (value(&last.expected), value(&last.found), fix)
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

async fn draft(gateway: &Gateway) -> Value {
    let body = json!({
        "name": "Acme", "strategy": "saml:custom", "status": "draft", "enabled_applications": ["web"],
        "options": {"is_create_missing_user": true, "name_id_format": "Persistent"},
    });
    gateway.create_connection(body).await
}

async fn activate(gateway: &Gateway, draft: &Value, metadata: &str) {
    let options = json!({"status": "active", "options": {"saml_idp_metadata_url": metadata}});
    change(gateway, &text(&draft["id"]), options).await;
}

async fn change(gateway: &Gateway, connection: &str, body: Value) {
    let path = format!("/api/v1/connections/{connection}");
    let (status, answer) = gateway.api(Method::PATCH, &path, Some(body)).await;
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pysaml2_signs_with_sha1_by_default_and_that_is_refused_by_name() {
    let connected = Connected::start().await;
    for signed in ["assertion", "response", "both"] {
        let page = connected
            .sign_in(&connected.rsa, &[("signed", signed)])
            .await;
        let (expected, found, fix) = connected.explained(&page, "saml.algorithm_forbidden").await;
        assert_eq!(expected, "SHA-256, SHA-384 or SHA-512");
        assert_eq!(found, SHA1, "{signed}");
        assert!(fix.contains("SHA-256"), "{fix}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pysaml2_encrypts_with_triple_des_by_default_and_that_is_refused_by_name() {
    let connected = Connected::start().await;
    for signed in ["assertion", "both"] {
        let fields = [
            ("signed", signed),
            ("encrypted", "yes"),
            ("algorithm", "rsa-sha256"),
        ];
        let page = connected.sign_in(&connected.rsa, &fields).await;
        let (_, found, fix) = connected
            .explained(&page, "saml.encryption_algorithm")
            .await;
        assert_eq!(found, TRIPLE_DES, "{signed}");
        assert!(fix.contains("AES-GCM"), "{fix}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pysaml2_signs_with_sha256_and_its_oid_attributes_become_claims() {
    let connected = Connected::start().await;
    let mut subjects = Vec::new();
    for (binding, signed, algorithm) in [
        ("HTTP-REDIRECT", "assertion", "rsa-sha256"),
        ("HTTP-REDIRECT", "response", "rsa-sha256"),
        ("HTTP-POST", "both", "rsa-sha256"),
        ("HTTP-POST", "assertion", "rsa-sha512"),
    ] {
        connected.bind(&connected.rsa, binding).await;
        let fields = [("signed", signed), ("algorithm", algorithm)];
        let claims = connected.claims(&connected.rsa, &fields).await;
        assert_eq!(claims["email"], "alice@acme.test", "{signed} {claims}");
        assert_eq!(claims["email_verified"], false);
        assert_eq!(claims["given_name"], "Alice");
        assert_eq!(claims["family_name"], "Ångström & <Söhne>");
        assert_eq!(claims["name"], "Alice Ångström & <Söhne>");
        let affiliation =
            &claims["ext_provider"]["claims"]["attributes"]["urn:oid:1.3.6.1.4.1.5923.1.1.1.1"];
        assert_eq!(*affiliation, json!(["staff", "engineering"]), "{claims}");
        subjects.push(claims["sub"].clone());
    }
    subjects.dedup();
    assert_eq!(subjects.len(), 1, "a persistent NameID is one user");
}

/// It signs assertions alone with such a key: for whole responses its own list of algorithms has none of them.
#[tokio::test(flavor = "multi_thread")]
async fn pysaml2_signs_with_an_elliptic_key() {
    let connected = Connected::start().await;
    let fields = [("signed", "assertion"), ("algorithm", "ecdsa-sha256")];
    let claims = connected.claims(&connected.ec, &fields).await;
    assert_eq!(claims["email"], "alice@acme.test", "{claims}");
}

/// To the key in the gateway's own metadata, with a cipher that it has to be made to use.
#[tokio::test(flavor = "multi_thread")]
async fn pysaml2_encrypts_to_the_gateways_key() {
    let connected = Connected::start().await;
    for signed in ["assertion", "both"] {
        let fields = [
            ("signed", signed),
            ("encrypted", "gcm"),
            ("algorithm", "rsa-sha256"),
        ];
        let claims = connected.claims(&connected.rsa, &fields).await;
        assert_eq!(claims["email"], "alice@acme.test", "{signed} {claims}");
    }
}
