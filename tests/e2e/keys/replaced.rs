//! A pair pasted over another: metadata shows both for a while.

use fedgate_tests::gateway::{Gateway, client};
use fedgate_tests::upstream::SamlUpstream;
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::x509::X509;
use reqwest::Method;
use serde_json::{Value, json};

use super::DAY;

/// Options with a new pair, and the base64 that metadata shows of it.
fn pair() -> (Value, String) {
    let key = PKey::from_rsa(Rsa::generate(2048).expect("a key")).expect("a key");
    let mut builder = X509::builder().expect("a builder");
    builder.set_pubkey(&key).expect("a key");
    let (begin, end) = (Asn1Time::days_from_now(0), Asn1Time::days_from_now(900));
    builder
        .set_not_before(&begin.expect("a time"))
        .expect("a time");
    builder
        .set_not_after(&end.expect("a time"))
        .expect("a time");
    builder.sign(&key, MessageDigest::sha256()).expect("signed");
    let certificate = builder.build();
    let text = |pem: Vec<u8>| String::from_utf8(pem).expect("PEM");
    let options = json!({
        "saml_signing_certificate": text(certificate.to_pem().expect("PEM")),
        "saml_signing_private_key": text(key.private_key_to_pem_pkcs8().expect("PEM")),
    });
    let shown = openssl::base64::encode_block(&certificate.to_der().expect("DER"));
    (options, shown)
}

async fn paste(gateway: &Gateway, id: &str, options: &Value) {
    let path = format!("/api/v1/connections/{id}");
    let (status, answer) = gateway
        .api(Method::PATCH, &path, Some(json!({ "options": options })))
        .await;
    assert_eq!(status, 200, "{answer}");
}

async fn metadata(gateway: &Gateway, id: &str) -> String {
    let asked = client()
        .get(format!("{}/saml/{id}/metadata", gateway.base))
        .send();
    let text = asked.await.expect("an answer").text().await.expect("text");
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_that_is_pasted_over_another_is_shown_beside_it_for_a_while() {
    let gateway = Gateway::start().await;
    let idp = SamlUpstream::start().await;
    let connection = idp.connect(&gateway, json!({})).await;
    let ((first, old), (second, new)) = (pair(), pair());
    paste(&gateway, &connection.id, &first).await;
    paste(&gateway, &connection.id, &second).await;
    let shown = metadata(&gateway, &connection.id).await;
    // The one that signs comes first.
    let (at_new, at_old) = (
        shown.find(&new).expect("the new one"),
        shown.find(&old).expect("the old one"),
    );
    assert!(at_new < at_old);
    // Pasted back, it is no replaced one.
    paste(&gateway, &connection.id, &first).await;
    let shown = metadata(&gateway, &connection.id).await;
    assert_eq!(
        (shown.matches(&old).count(), shown.matches(&new).count()),
        (1, 1)
    );
    gateway.app.clock.step(31 * DAY);
    let shown = metadata(&gateway, &connection.id).await;
    assert_eq!(
        (shown.matches(&old).count(), shown.matches(&new).count()),
        (1, 0)
    );
}
