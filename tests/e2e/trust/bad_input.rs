//! What an identity provider may serve instead of its metadata: each by its code, and the live revision untouched.

use axum::Router;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use fedgate_tests::ending::Ending;
use fedgate_tests::gateway::Gateway;
use reqwest::Method;
use serde_json::json;

use super::{kinds, login, metadata, step};
use crate::saml_flow::scene;

/// What is served, and the code that a reading ends with.
fn served() -> Vec<(String, &'static str)> {
    let bomb = format!(
        "<!DOCTYPE x [<!ENTITY a \"{}\"><!ENTITY b \"&a;&a;&a;&a;\">]><x>&b;</x>",
        "a".repeat(1000)
    );
    vec![
        ("<html/>".to_owned(), "metadata.not_metadata"),
        ("\u{1f}\u{8b}\u{8}gzip".to_owned(), "metadata.not_xml"),
        (bomb, "metadata.not_xml"),
        ("<a>".repeat(100_000), "metadata.not_xml"),
        ("x".repeat(2 * 1024 * 1024), "egress.too_large"),
        (with_key(&odd::dsa()), "metadata.certificate_unusable"),
        (with_key(&odd::rsa(1024)), "metadata.key_weak"),
    ]
}

fn with_key(certificate: &str) -> String {
    format!(
        r#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="https://idp.test"><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.test/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_metadata_leaves_the_live_revision_as_it_is() {
    let (gateway, upstream, connection) = scene(json!({})).await;
    let (_, before) = metadata(&gateway, &connection, Method::GET, "").await;
    for (document, code) in served() {
        upstream.idp.disguise(Some(document));
        let (status, told) = metadata(&gateway, &connection, Method::POST, "/refresh").await;
        assert_eq!((status, told), (422, json!(code)));
    }
    let (_, after) = metadata(&gateway, &connection, Method::GET, "").await;
    assert_eq!(after["revisions"], before["revisions"]);
    assert_eq!(after["keys"], before["keys"]);
    step(&gateway, &upstream, 60);
    Ending::of(&login(&gateway, &connection).await).code();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_without_any_key_is_held_and_cannot_be_accepted() {
    let (gateway, upstream, connection) = scene(json!({})).await;
    let xml = upstream.idp.metadata().expect("metadata");
    let (start, end) = (
        xml.find("<md:KeyDescriptor"),
        xml.find("</md:KeyDescriptor>"),
    );
    let end = end.expect("an end") + "</md:KeyDescriptor>".len();
    let without = format!("{}{}", &xml[..start.expect("a start")], &xml[end..]);
    upstream.idp.disguise(Some(without));
    let (status, told) = metadata(&gateway, &connection, Method::POST, "/refresh").await;
    assert_eq!(
        (status, kinds(&told["changes"])),
        (200, vec!["everything_gone".to_owned()])
    );
    let held = told["revisions"].as_array().expect("revisions").iter();
    let held = held
        .clone()
        .find(|one| one["state"] == "held")
        .expect("a held one")["id"]
        .clone();
    let path = format!("/revisions/{}/accept", held.as_str().expect("an id"));
    let (status, told) = metadata(&gateway, &connection, Method::POST, &path).await;
    assert_eq!((status, told), (422, json!("metadata.no_key")));
    Ending::of(&login(&gateway, &connection).await).code();
}

/// An address that answers badly, once a connection was made through a good one.
async fn moved_to(gateway: &Gateway, id: &str, url: &str) -> (u16, String) {
    let path = format!("/api/v1/connections/{id}");
    let body = json!({ "options": { "saml_idp_metadata_url": url } });
    let (status, answer) = gateway.api(Method::PATCH, &path, Some(body)).await;
    let code = answer["errors"][0]["code"].as_str().unwrap_or_default();
    (status, code.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_must_not_be_read_are_refused_and_the_old_one_serves() {
    let (gateway, _upstream, connection) = scene(json!({})).await;
    let elsewhere = Router::new()
        .route("/private", get(|| to("http://10.0.0.1/metadata")))
        .route("/plain", get(|| to("http://idp.example.com/metadata")))
        .route("/literal", get(|| to("https://169.254.169.254/metadata")));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let serving = tokio::spawn(async move { axum::serve(listener, elsewhere).await });
    for (url, code) in [
        (format!("{base}/private"), "egress.scheme_forbidden"),
        (format!("{base}/plain"), "egress.scheme_forbidden"),
        (format!("{base}/literal"), "egress.address_forbidden"),
        (
            "http://idp.example.com/metadata".to_owned(),
            "connection.option_url",
        ),
        (
            "https://169.254.169.254/metadata".to_owned(),
            "egress.address_forbidden",
        ),
    ] {
        let (_, found) = moved_to(&gateway, &connection.id, &url).await;
        assert_eq!(found, code, "{url}");
    }
    serving.abort();
    Ending::of(&login(&gateway, &connection).await).code();
}

fn to(url: &'static str) -> std::future::Ready<Response> {
    std::future::ready(Redirect::temporary(url).into_response())
}

/// Certificates around keys that are not accepted.
mod odd {
    use base64::Engine as _;
    use openssl::dsa::Dsa;
    use openssl::hash::MessageDigest;
    use openssl::pkey::{PKey, Private};
    use openssl::rsa::Rsa;
    use openssl::x509::X509;

    pub(super) fn dsa() -> String {
        let key = Dsa::generate(2048).expect("a key");
        certificate(&PKey::from_dsa(key).expect("a key"))
    }

    pub(super) fn rsa(bits: u32) -> String {
        let key = Rsa::generate(bits).expect("a key");
        certificate(&PKey::from_rsa(key).expect("a key"))
    }

    fn certificate(key: &PKey<Private>) -> String {
        let mut builder = X509::builder().expect("a builder");
        builder.set_pubkey(key).expect("a key");
        let day = |day| openssl::asn1::Asn1Time::days_from_now(day).expect("a time");
        builder.set_not_before(&day(0)).expect("a time");
        builder.set_not_after(&day(1)).expect("a time");
        let sha256 = MessageDigest::sha256();
        builder.sign(key, sha256).expect("a signature");
        let der = builder.build().to_der().expect("DER");
        base64::engine::general_purpose::STANDARD.encode(der)
    }
}
