//! Metadata of identity providers that cannot be used, as an administrator meets it: at the activation of a connection.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fedgate_tests::command::run;
use fedgate_tests::gateway::Gateway;
use fedgate_tests::{hostile, seen};
use reqwest::Method;
use serde_json::{Value, json};

static SOUND: LazyLock<String> = LazyLock::new(|| key(2048));
static WEAK: LazyLock<String> = LazyLock::new(|| key(1024));

fn key(bits: u32) -> String {
    let certificate = hostile::certificate(&hostile::rsa_key(bits));
    STANDARD.encode(certificate.to_der().expect("DER"))
}

/// The metadata of one identity provider, part by part.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) entity_id: String,
    pub(crate) attributes: String,
    pub(crate) certificates: Vec<String>,
    pub(crate) protocol: &'static str,
    pub(crate) binding: &'static str,
    pub(crate) sso: String,
}

impl Default for Document {
    fn default() -> Self {
        Self {
            entity_id: "https://idp.example".into(),
            attributes: String::new(),
            certificates: vec![SOUND.clone()],
            protocol: "urn:oasis:names:tc:SAML:2.0:protocol",
            binding: "HTTP-Redirect",
            sso: "https://idp.example/sso".into(),
        }
    }
}

impl Document {
    pub(crate) fn xml(&self) -> String {
        let keys: Vec<_> = self
            .certificates
            .iter()
            .map(|certificate| format!(
                r#"<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"#
            ))
            .collect();
        let keys = keys.concat();
        let Self {
            entity_id,
            attributes,
            protocol,
            binding,
            sso,
            ..
        } = self;
        format!(
            r#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity_id}" {attributes}><md:IDPSSODescriptor protocolSupportEnumeration="{protocol}">{keys}<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:{binding}" Location="{sso}"/></md:IDPSSODescriptor></md:EntityDescriptor>"#
        )
    }
}

/// The codes with which `fedgate saml verify` refuses to trust a document.
pub(crate) fn codes_of_verify(metadata: &str) -> Vec<&'static str> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("idp.xml"), metadata).expect("a file");
    std::fs::write(folder.path().join("response.xml"), "<x/>").expect("a file");
    let arguments = [
        "saml",
        "verify",
        "--metadata",
        "idp.xml",
        "--sp-entity-id",
        "sp",
        "--acs",
        "https://sp.example/acs",
        "response.xml",
    ];
    let ran = run(folder.path(), &arguments, &[]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let answer = serde_json::from_str(&ran.stdout).expect("JSON");
    seen::codes_of_json(&answer).into_iter().collect()
}

fn group(documents: &[Document]) -> String {
    let inner: String = documents.iter().map(Document::xml).collect();
    format!(
        r#"<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">{inner}</md:EntitiesDescriptor>"#
    )
}

async fn activate(gateway: &Gateway, xml: &str) -> (u16, Value) {
    let options = json!({"saml_idp_metadata_xml": xml});
    let body =
        json!({"name": "x", "strategy": "saml:custom", "status": "active", "options": options});
    gateway
        .api(Method::POST, "/api/v1/connections", Some(body))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_that_cannot_be_used_is_refused_at_activation() {
    let gateway = Gateway::start().await;
    let with = |change: fn(&mut Document)| {
        let mut document = Document::default();
        change(&mut document);
        document.xml()
    };
    let other = Document {
        entity_id: "urn:other".into(),
        ..Document::default()
    };
    #[rustfmt::skip]
    let cases = [
        ("<html><br></html>".to_owned(), "metadata.not_xml"),
        ("no markup at all".to_owned(), "metadata.not_xml"),
        (format!("<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>{}", Document::default().xml()), "metadata.not_xml"),
        ("<x/>".to_owned(), "metadata.not_metadata"),
        (with(|d| d.protocol = "urn:oasis:names:tc:SAML:1.1:protocol"), "metadata.no_identity_provider"),
        (group(&[]), "metadata.no_identity_provider"),
        (group(&[Document::default(), other]), "metadata.several_identity_providers"),
        (with(|d| d.entity_id.clear()), "metadata.entity_id_missing"),
        (with(|d| d.entity_id = "x".repeat(1025)), "metadata.entity_id_missing"),
        (with(|d| d.certificates.clear()), "metadata.no_key"),
        (with(|d| d.certificates = vec![WEAK.clone()]), "metadata.key_weak"),
        (with(|d| d.certificates = vec!["AAAA".into()]), "metadata.certificate_unusable"),
        (with(|d| d.certificates = (0..9).map(|_| key(2048)).collect()), "metadata.too_many_keys"),
        (with(|d| d.attributes = "validUntil=\"soon\"".into()), "metadata.valid_until_malformed"),
        (with(|d| d.attributes = "validUntil=\"2020-01-01T00:00:00Z\"".into()), "metadata.expired"),
        (with(|d| d.binding = "SOAP"), "metadata.sso_missing"),
        (with(|d| d.sso = "javascript:alert(1)".into()), "metadata.sso_missing"),
        (with(|d| d.sso = "http://idp.example/sso".into()), "metadata.sso_insecure"),
    ];
    for (xml, code) in cases {
        let (status, answer) = activate(&gateway, &xml).await;
        let error = &answer["errors"][0];
        assert_eq!(
            (status, &error["code"], &error["field"]),
            (422, &json!(code), &json!("options.saml_idp_metadata_xml")),
            "{answer}"
        );
    }
    let (status, answer) = activate(&gateway, &Document::default().xml()).await;
    assert_eq!(status, 201, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_the_status_is_kept_as_a_draft_with_what_is_wrong() {
    let gateway = Gateway::start().await;
    let body = json!({"name": "x", "strategy": "saml:custom", "options": {"saml_idp_metadata_xml": "<x/>"}});
    let created = gateway.create_connection(body).await;
    assert_eq!(created["status"], "draft");
    assert_eq!(created["missing"][0]["code"], "metadata.not_metadata");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deep_or_wide_document_is_answered_in_time() {
    let gateway = Gateway::start().await;
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    let wide = format!(
        "<a {}/>",
        (0..50_000)
            .map(|n| format!("b{n}=\"\" "))
            .collect::<Vec<_>>()
            .concat()
    );
    for xml in [deep, wide] {
        let (status, answer) = activate(&gateway, &xml).await;
        assert_eq!(
            (status, answer["errors"][0]["code"].as_str()),
            (422, Some("metadata.not_xml"))
        );
    }
}
