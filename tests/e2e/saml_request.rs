//! What the gateway sends to SAML identity providers: requests that they verify, and what a login asks of them.

mod algorithm;
mod asked;

use fedgate_tests::browser::{Browser, Form, Page};
use fedgate_tests::catalogue::ACCEPTED;
use fedgate_tests::ending::{Ending, check_refusal};
use fedgate_tests::gateway::{Gateway, client};
use fedgate_tests::hostile;
use fedgate_tests::login::{answer, begin};
use fedgate_tests::proved;
use fedgate_tests::upstream::{ALICE, Connected, SamlUpstream};
use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use reqwest::Method;
use serde_json::{Value, json};

/// The two bindings of a request.
const BINDINGS: [&str; 2] = ["HTTP-REDIRECT", "HTTP-POST"];

/// A key and its certificate, in PEM, as an operator brings them.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Pair {
    fn of(key: &PKey<Private>) -> Self {
        let text = |pem: Vec<u8>| String::from_utf8(pem).expect("PEM");
        Self {
            certificate: text(hostile::certificate(key).to_pem().expect("PEM")),
            key: text(key.private_key_to_pem_pkcs8().expect("PEM")),
        }
    }

    pub(crate) fn rsa(bits: u32) -> Self {
        Self::of(&hostile::rsa_key(bits))
    }

    pub(crate) fn elliptic(curve: Nid) -> Self {
        let group = EcGroup::from_curve_name(curve).expect("a curve");
        Self::of(&PKey::from_ec_key(EcKey::generate(&group).expect("a key")).expect("a key"))
    }

    pub(crate) fn options(&self, algorithm: &str) -> Value {
        json!({
            "saml_signing_certificate": self.certificate, "saml_signing_private_key": self.key,
            "sign_request_algorithm": algorithm,
        })
    }
}

/// The certificate for signing in the metadata that the gateway shows at this address, in base64.
pub(crate) async fn signing_certificate(metadata_url: &str) -> String {
    let xml = metadata(metadata_url).await;
    let (_, key) = xml
        .split_once("use=\"signing\"")
        .expect("a key for signing");
    let (_, certificate) = key
        .split_once("<ds:X509Certificate>")
        .expect("a certificate");
    certificate.split('<').next().unwrap_or_default().to_owned()
}

async fn metadata(url: &str) -> String {
    let answer = client().get(url).send().await.expect("an answer");
    answer.text().await.expect("a document")
}

fn metadata_url(gateway: &Gateway, connection: &Connected) -> String {
    format!("{}/saml/{}/metadata", gateway.base, connection.id)
}

async fn change(gateway: &Gateway, connection: &Connected, options: Value) -> (u16, Value) {
    let path = format!("/api/v1/connections/{}", connection.id);
    let body = json!({"options": options});
    gateway.api(Method::PATCH, &path, Some(body)).await
}

/// Follows a login to the identity provider.
async fn to_the_upstream(gateway: &Gateway, connection: &Connected) -> (Browser, Page) {
    let mut browser = gateway.browser();
    let page = begin(&mut browser, gateway, &[("connection_id", &connection.id)]).await;
    (browser, page)
}

async fn signs_in(gateway: &Gateway, connection: &Connected) {
    let (mut browser, page) = to_the_upstream(gateway, connection).await;
    Ending::of(&answer(&mut browser, &page, ALICE, "").await).code();
}

/// A gateway, and an identity provider that takes requests alone that the gateway signed with its own pair.
async fn scene() -> (Gateway, SamlUpstream, Connected) {
    let gateway = Gateway::start().await;
    let upstream = SamlUpstream::start().await;
    upstream.idp.require_signed_requests();
    let connection = upstream.connect(&gateway, json!({})).await;
    let certificate = signing_certificate(&metadata_url(&gateway, &connection)).await;
    let known = upstream.idp.require_requests_signed_by(&certificate);
    known.expect("a certificate");
    (gateway, upstream, connection)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_provider_that_wants_signed_requests_gets_them_without_a_setting() {
    let (gateway, _upstream, connection) = scene().await;
    let xml = metadata(&metadata_url(&gateway, &connection)).await;
    assert!(xml.contains("AuthnRequestsSigned=\"true\""), "{xml}");
    for binding in BINDINGS {
        change(&gateway, &connection, json!({"protocol_binding": binding})).await;
        signs_in(&gateway, &connection).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pair_is_the_same_after_a_restart_and_on_every_replica() {
    let (mut gateway, _upstream, connection) = scene().await;
    let before = signing_certificate(&metadata_url(&gateway, &connection)).await;
    let replica = gateway.replica().await;
    let there = format!("{}/saml/{}/metadata", replica.base, connection.id);
    assert_eq!(signing_certificate(&there).await, before);
    gateway.restart().await;
    assert_eq!(
        signing_certificate(&metadata_url(&gateway, &connection)).await,
        before
    );
    signs_in(&gateway, &connection).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_turns_signing_off_and_on() {
    let (gateway, upstream, connection) = scene().await;
    change(&gateway, &connection, json!({"saml_sign_requests": false})).await;
    let xml = metadata(&metadata_url(&gateway, &connection)).await;
    assert!(xml.contains("AuthnRequestsSigned=\"false\""), "{xml}");
    let (_, page) = to_the_upstream(&gateway, &connection).await;
    assert_eq!(page.status, 400, "{}", page.body);
    drop(upstream);

    let other = SamlUpstream::start().await;
    let switched = other
        .connect(&gateway, json!({"options": {"saml_sign_requests": true}}))
        .await;
    let certificate = signing_certificate(&metadata_url(&gateway, &switched)).await;
    let known = other.idp.require_requests_signed_by(&certificate);
    known.expect("a certificate");
    signs_in(&gateway, &switched).await;
}

/// Nothing of the signed part may be another one, and no part may be left out.
#[tokio::test(flavor = "multi_thread")]
async fn a_tampered_query_is_refused_by_the_identity_provider() {
    let (gateway, _upstream, connection) = scene().await;
    let mut browser = gateway.browser();
    let request = gateway.authorize_url(&[("connection_id", &connection.id)]);
    let sent = browser.step(&request).await.location().expect("a redirect");
    let genuine = browser.open(sent.as_str()).await;
    assert_eq!(genuine.status, 200);
    let query = sent.query().expect("a query");
    let pairs: Vec<&str> = query.split('&').collect();
    for (index, pair) in pairs.iter().enumerate() {
        let (name, value) = pair.split_once('=').expect("a pair");
        let mut altered = pairs.clone();
        let other = if value.starts_with('a') { "b" } else { "a" };
        let changed = format!("{name}={other}{}", &value[1..]);
        altered[index] = &changed;
        let mut cut = pairs.clone();
        cut.remove(index);
        for query in [altered.join("&"), cut.join("&")] {
            let mut url = sent.clone();
            url.set_query(Some(&query));
            let page = browser.open(url.as_str()).await;
            assert_eq!(page.status, 400, "{name}: {}", page.body);
        }
    }
    proved!(85, ACCEPTED);
    proved!(86, ACCEPTED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tampered_form_is_refused_by_the_identity_provider() {
    let (gateway, _upstream, connection) = scene().await;
    change(
        &gateway,
        &connection,
        json!({"protocol_binding": "HTTP-POST"}),
    )
    .await;
    let mut browser = gateway.browser();
    let request = gateway.authorize_url(&[("connection_id", &connection.id)]);
    let form = browser.open(&request).await.form();
    let xml = request_of(&form);
    let (head, rest) = xml.split_once("<ds:Signature ").expect("a signature");
    let (_, tail) = rest.split_once("</ds:Signature>").expect("its end");
    let unsigned = format!("{head}{tail}");
    let elsewhere = xml.replace("/acs\"", "/acs/../../evil\"");
    let other_id = xml.replace(" ID=\"_", " ID=\"_0");
    let repeated = xml.replace(
        "</saml:Issuer>",
        "</saml:Issuer><samlp:Extensions></samlp:Extensions>",
    );
    for altered in [unsigned, elsewhere, other_id, repeated] {
        assert_ne!(altered, xml);
        let page = browser
            .submit(&form, &[("SAMLRequest", &encoded(&altered))])
            .await;
        assert_eq!(page.status, 400, "{altered}: {}", page.body);
    }
    assert_eq!(browser.submit(&form, &[]).await.status, 200);
    proved!(119, ACCEPTED);
}

/// The XML of a form's request.
fn request_of(form: &Form) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let field = form.fields.iter().find(|(name, _)| name == "SAMLRequest");
    let octets = STANDARD.decode(&field.expect("a request").1);
    String::from_utf8(octets.expect("base64")).expect("UTF-8")
}

fn encoded(xml: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(xml)
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_key_signs_the_login_is_refused_and_not_sent_unsigned() {
    let (mut gateway, upstream, connection) = scene().await;
    let keys = gateway.app.store.keys().await.expect("keys");
    let now = gateway.app.clock.now();
    for key in keys.iter().filter(|key| key.purpose == "saml_signing") {
        let moved = gateway.app.store.move_key(&key.id, "retired", now).await;
        moved.expect("a key");
    }
    gateway.restart().await;
    let (_, page) = to_the_upstream(&gateway, &connection).await;
    let refused = check_refusal(&gateway, &page, "saml.request_unsigned").await;
    refused.expect("refused");
    let own = Pair::rsa(2048);
    change(&gateway, &connection, own.options("RSA-SHA256")).await;
    let known = upstream.idp.require_requests_signed_by(&own.certificate);
    known.expect("a certificate");
    signs_in(&gateway, &connection).await;
}
