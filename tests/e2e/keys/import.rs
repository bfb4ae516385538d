//! Keys that an operator announces: made by the gateway, or brought; and what is refused.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fedgate_tests::gateway::Gateway;
use fedgate_tests::replicas::becomes;
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::dsa::Dsa;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::{X509, X509NameBuilder};
use reqwest::Method;
use serde_json::{Value, json};

use super::{DAY, LOOKS, SOON, published, stored};

const KEYS: &str = "/api/v1/keys";

/// A certificate for `key` by an issuer of its own, valid for so many days.
fn certificate(key: &PKey<Private>, days: u32) -> X509 {
    let mut name = X509NameBuilder::new().expect("a name");
    name.append_entry_by_text("CN", "Example CA")
        .expect("a name");
    let name = name.build();
    let mut builder = X509::builder().expect("a builder");
    builder.set_subject_name(&name).expect("a subject");
    builder.set_issuer_name(&name).expect("an issuer");
    builder.set_pubkey(key).expect("a key");
    let (begin, end) = (Asn1Time::days_from_now(0), Asn1Time::days_from_now(days));
    builder
        .set_not_before(&begin.expect("a time"))
        .expect("a time");
    builder
        .set_not_after(&end.expect("a time"))
        .expect("a time");
    let issuer = PKey::from_rsa(Rsa::generate(2048).expect("a key")).expect("a key");
    builder
        .sign(&issuer, MessageDigest::sha256())
        .expect("signed");
    builder.build()
}

fn rsa(bits: u32) -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(bits).expect("a key")).expect("a key")
}

/// RSA with 16384 bits, without the minutes of looking for primes: numbers of that size, which nobody gets to use.
fn oversized() -> PKey<Private> {
    let number = |bits: i32| {
        let mut number = BigNum::from_u32(1).expect("a number");
        number.set_bit(bits - 1).expect("a number");
        number
    };
    let key = Rsa::from_private_components(
        number(16_384),
        BigNum::from_u32(65_537).expect("a number"),
        number(16_000),
        number(8192),
        number(8191),
        number(8000),
        number(8000),
        number(8000),
    );
    PKey::from_rsa(key.expect("a key")).expect("a key")
}

fn elliptic(curve: Nid) -> PKey<Private> {
    let group = EcGroup::from_curve_name(curve).expect("a curve");
    PKey::from_ec_key(EcKey::generate(&group).expect("a key")).expect("a key")
}

fn text(pem: Vec<u8>) -> String {
    String::from_utf8(pem).expect("PEM")
}

/// The body that brings a pair.
fn pair(purpose: &str, key: &PKey<Private>, certificate: &X509) -> Value {
    json!({
        "purpose": purpose,
        "private_key": text(key.private_key_to_pem_pkcs8().expect("PEM")),
        "certificate": text(certificate.to_pem().expect("PEM")),
    })
}

async fn post(gateway: &Gateway, path: &str, body: Option<Value>) -> (u16, Value) {
    gateway.api(Method::POST, path, body).await
}

/// Status, code and field.
async fn refused(gateway: &Gateway, body: Value) -> (u16, String, String) {
    let (status, answer) = post(gateway, KEYS, Some(body)).await;
    let error = &answer["errors"][0];
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (status, text("code"), text("field"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_of_the_customers_is_announced_then_signs_and_the_old_one_goes() {
    let gateway = Gateway::with(LOOKS).await;
    let key = rsa(3072);
    let body = pair("saml_signing", &key, &certificate(&key, 3650));
    let (status, answer) = post(&gateway, KEYS, Some(body.clone())).await;
    assert_eq!(status, 201, "{answer}");
    let key = &answer["key"];
    assert_eq!(
        (&key["stage"], &key["source"], &key["algorithm"]),
        (&json!("announced"), &json!("imported"), &json!("RS256"))
    );
    assert!(!answer.to_string().contains("PRIVATE"));
    let id = key["id"].as_str().expect("an id").to_owned();
    let taken = (409, "key.taken".to_owned(), String::new());
    assert_eq!(refused(&gateway, body).await, taken);
    let another = json!({ "purpose": "saml_signing" });
    assert_eq!(refused(&gateway, another).await.1, "key.underway");
    gateway.app.clock.step(31 * DAY);
    becomes(SOON, "it signs", async || {
        let active = stored(&gateway, "saml_signing", "active").await;
        active.len() == 1 && active[0].id == id
    })
    .await;
    assert_eq!(stored(&gateway, "saml_signing", "retiring").await.len(), 1);
    gateway.app.clock.step(DAY + 60);
    becomes(SOON, "the old one is retired", async || {
        stored(&gateway, "saml_signing", "retired").await.len() == 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_rotates_now_and_withdraws_what_has_leaked() {
    let gateway = Gateway::start().await;
    let old = gateway.api_token().await;
    let body = json!({ "purpose": "tokens", "kind": "P-256" });
    let (status, answer) = post(&gateway, KEYS, Some(body)).await;
    assert_eq!(
        (status, published(&gateway).await.len()),
        (201, 3),
        "{answer}"
    );
    let next = answer["key"]["id"].as_str().expect("an id").to_owned();
    let (status, answer) = post(&gateway, &format!("{KEYS}/{next}/activate"), None).await;
    assert_eq!((status, &answer["key"]["stage"]), (200, &json!("active")));
    assert_ne!(
        gateway.api_token().await.split('.').next(),
        old.split('.').next()
    );
    let again = post(&gateway, &format!("{KEYS}/{next}/activate"), None).await;
    assert_eq!(
        (again.0, &again.1["errors"][0]["code"]),
        (409, &json!("key.stage"))
    );
    let leaked = stored(&gateway, "tokens", "retiring").await[0].id.clone();
    let (status, _) = post(&gateway, &format!("{KEYS}/{leaked}/retire"), None).await;
    assert_eq!(status, 200);
    assert!(!published(&gateway).await.contains(&leaked));
    let (status, answer) = post(&gateway, &format!("{KEYS}/{next}/retire"), None).await;
    assert_eq!(
        (status, &answer["errors"][0]["code"]),
        (409, &json!("key.stage"))
    );
    let (status, answer) = post(&gateway, &format!("{KEYS}/nothing/retire"), None).await;
    assert_eq!(
        (status, &answer["errors"][0]["code"]),
        (404, &json!("key.unknown"))
    );
    let (_, listed) = gateway.api(Method::GET, KEYS, None).await;
    assert_eq!(
        listed["keys"].as_array().expect("keys").len(),
        5,
        "{listed}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pkcs12_file_is_opened_with_its_password_alone() {
    let gateway = Gateway::start().await;
    let key = rsa(2048);
    let file = Pkcs12::builder()
        .pkey(&key)
        .cert(&certificate(&key, 3650))
        .build2("secret")
        .and_then(|file| file.to_der())
        .expect("a file");
    let body = |file: &[u8], password: &str| json!({ "purpose": "saml_decryption", "pkcs12": STANDARD.encode(file), "password": password });
    let wrong = (422, "key.wrong_password".to_owned(), "password".to_owned());
    assert_eq!(refused(&gateway, body(&file, "Secret")).await, wrong);
    let damaged = (422, "key.not_pkcs12".to_owned(), "pkcs12".to_owned());
    assert_eq!(refused(&gateway, body(&file[9..], "secret")).await, damaged);
    let both = json!({ "purpose": "saml_decryption", "pkcs12": "MA==", "certificate": "x" });
    assert_eq!(refused(&gateway, both).await.1, "api.member_value");
    let (status, answer) = post(&gateway, KEYS, Some(body(&file, "secret"))).await;
    assert_eq!(
        (status, &answer["key"]["algorithm"]),
        (201, &json!("RSA-OAEP"))
    );
    // A key has one purpose for life.
    let mut elsewhere = body(&file, "secret");
    elsewhere["purpose"] = json!("saml_signing");
    assert_eq!(refused(&gateway, elsewhere).await.1, "key.taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_keys_are_refused_each_by_its_code_and_nothing_changes() {
    let gateway = Gateway::start().await;
    let before = gateway.app.store.keys().await.expect("keys");
    let (sound, weak, p384) = (rsa(2048), rsa(1024), elliptic(Nid::SECP384R1));
    let large = oversized();
    let dsa = PKey::from_dsa(Dsa::generate(2048).expect("a key")).expect("a key");
    let valid = certificate(&sound, 3650);
    let mut unread = pair("saml_signing", &sound, &valid);
    unread["private_key"] = json!("-----BEGIN PRIVATE KEY-----");
    let mut bare = pair("saml_signing", &sound, &valid);
    bare["certificate"] = json!("none");
    let mut half = pair("saml_signing", &sound, &valid);
    half["certificate"] = Value::Null;
    let token_key = text(p384.private_key_to_pem_pkcs8().expect("PEM"));
    for (body, code, field) in [
        (
            pair("saml_signing", &sound, &certificate(&rsa(2048), 3650)),
            "key.mismatch",
            "certificate",
        ),
        (
            pair("saml_signing", &sound, &certificate(&sound, 20)),
            "key.ends_too_soon",
            "certificate",
        ),
        (
            pair("saml_signing", &weak, &certificate(&weak, 3650)),
            "key.too_weak",
            "private_key",
        ),
        (
            pair("saml_signing", &large, &certificate(&large, 3650)),
            "key.too_large",
            "private_key",
        ),
        (
            pair("saml_signing", &dsa, &valid),
            "key.unsupported",
            "private_key",
        ),
        (
            pair("saml_signing", &p384, &certificate(&p384, 3650)),
            "key.unsupported",
            "private_key",
        ),
        (
            json!({ "purpose": "tokens", "private_key": token_key }),
            "api.member_value",
            "purpose",
        ),
        (unread, "key.not_a_key", "private_key"),
        (bare, "key.not_a_certificate", "certificate"),
        (half, "api.member_value", "certificate"),
        (
            json!({ "purpose": "saml_signing", "kind": "P-256" }),
            "api.member_value",
            "kind",
        ),
        (json!({ "purpose": "other" }), "api.member_value", "purpose"),
    ] {
        let (_, found, at) = refused(&gateway, body).await;
        assert_eq!((found.as_str(), at.as_str()), (code, field));
    }
    assert_eq!(gateway.app.store.keys().await.expect("keys"), before);
}
