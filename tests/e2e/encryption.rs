//! Encrypted assertions over HTTP: the lab's own answer, encrypted in between to the key that our metadata shows.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fedgate_providers::connection::ConnectionId;
use fedgate_providers::provider::Provider;
use fedgate_tests::browser::{Browser, Form, Page};
use fedgate_tests::ending::{Ending, check_refusal};
use fedgate_tests::gateway::{Gateway, client};
use fedgate_tests::login::{begin, saml_response};
use fedgate_tests::proved;
use fedgate_tests::setup::Administrator;
use fedgate_tests::upstream::{ALICE, Connected, SamlUpstream};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use openssl::symm::{Cipher, encrypt, encrypt_aead};
use openssl::x509::X509;
use reqwest::Method;
use serde_json::{Value, json};

const GCM: &str = "http://www.w3.org/2009/xmlenc11#aes256-gcm";
const CBC: &str = "http://www.w3.org/2001/04/xmlenc#aes256-cbc";
const OAEP: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
const CONTENT_KEY: [u8; 32] = [7; 32];

struct Scene {
    gateway: Gateway,
    idp: SamlUpstream,
    connection: Connected,
    certificate: X509,
}

impl Scene {
    async fn new(more: &str, options: Value) -> Self {
        let gateway = Gateway::with(more).await;
        let idp = SamlUpstream::start().await;
        let connection = idp.connect(&gateway, json!({"options": options})).await;
        let metadata = client().get(&connection.entity_id).send().await;
        let metadata = metadata.expect("an answer").text().await.expect("text");
        let shown = metadata
            .split("use=\"encryption\"")
            .nth(1)
            .expect(&metadata);
        let shown = shown.split("X509Certificate>").nth(1).expect("one");
        let der = STANDARD
            .decode(shown.trim_end_matches("</ds:"))
            .expect("base64");
        Self {
            gateway,
            idp,
            connection,
            certificate: X509::from_der(&der).expect("a certificate"),
        }
    }

    /// A browser and the form that carries the lab's answer to its login, not sent yet.
    async fn answered(&self) -> (Browser, Form) {
        let mut browser = self.gateway.browser();
        let asked = [("connection_id", self.connection.id.as_str())];
        let login = begin(&mut browser, &self.gateway, &asked).await;
        let form = saml_response(&mut browser, &login, ALICE, "").await;
        (browser, form)
    }

    /// Signs in, the assertion encrypted and the response then altered.
    async fn sign_in(&self, cipher: &str, alter: impl FnOnce(String) -> String) -> Page {
        let (mut browser, form) = self.answered().await;
        let response = STANDARD.encode(alter(self.encrypted(&form, cipher)));
        browser.submit(&form, &[("SAMLResponse", &response)]).await
    }

    fn encrypted(&self, form: &Form, cipher: &str) -> String {
        let field = form.fields.iter().find(|(name, _)| name == "SAMLResponse");
        let xml = STANDARD
            .decode(&field.expect("a response").1)
            .expect("base64");
        let mut xml = String::from_utf8(xml).expect("UTF-8");
        let start = xml.find("<saml:Assertion").expect("an assertion");
        let end = xml.find("</saml:Assertion>").expect("its end") + "</saml:Assertion>".len();
        let content = match cipher {
            CBC => cbc(&xml.as_bytes()[start..end]),
            _ => gcm(&xml.as_bytes()[start..end]),
        };
        let [key, content] = [self.wrapped(), content].map(|octets| STANDARD.encode(octets));
        let encrypted = format!(
            "<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">\
             <xenc:EncryptedData xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\"><xenc:EncryptionMethod Algorithm=\"{cipher}\"/>\
             <ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm=\"{OAEP}\"/>\
             <xenc:CipherData><xenc:CipherValue>{key}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>\
             <xenc:CipherData><xenc:CipherValue>{content}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData></saml:EncryptedAssertion>"
        );
        xml.replace_range(start..end, &encrypted);
        xml
    }

    fn wrapped(&self) -> Vec<u8> {
        let public = self.certificate.public_key().expect("a key");
        let mut context = PkeyCtx::new(&public).expect("a context");
        context.encrypt_init().expect("a context");
        context
            .set_rsa_padding(Padding::PKCS1_OAEP)
            .expect("padding");
        let mut wrapped = Vec::new();
        context
            .encrypt_to_vec(&CONTENT_KEY, &mut wrapped)
            .expect("wrapped");
        wrapped
    }

    async fn refused(&self, page: &Page, code: &str) {
        let refused = check_refusal(&self.gateway, page, code).await;
        refused.expect("a refusal");
    }

    /// How often private keys were used for this connection.
    async fn private_operations(&self) -> u64 {
        let app = &self.gateway.app;
        let id = ConnectionId::parse(&self.connection.id).expect("an id");
        let now = app.clock.now();
        let ready = app
            .registry
            .provider(&app.store, &app.sealer, &app.egress, &id, now)
            .await;
        match &ready.expect("a provider").provider {
            Provider::Saml(provider) => provider.private_operations(),
            Provider::Oauth(_) => 0,
        }
    }
}

fn gcm(plain: &[u8]) -> Vec<u8> {
    let (iv, mut tag) = ([1; 12], [0; 16]);
    let cipher = Cipher::aes_256_gcm();
    let sealed = encrypt_aead(cipher, &CONTENT_KEY, Some(&iv), b"", plain, &mut tag);
    [&iv[..], &sealed.expect("sealed"), &tag].concat()
}

fn cbc(plain: &[u8]) -> Vec<u8> {
    let iv = [1; 16];
    let sealed = encrypt(Cipher::aes_256_cbc(), &CONTENT_KEY, Some(&iv), plain);
    [&iv[..], &sealed.expect("sealed")].concat()
}

/// Exchanges one letter in the middle of the longest base64, the content.
fn altered(mut xml: String) -> String {
    let at = xml.rfind("</xenc:CipherValue>").expect("the content") - 200;
    let letter = if &xml[at..=at] == "A" { "B" } else { "A" };
    xml.replace_range(at..=at, letter);
    xml
}

/// The stages of our keys that decrypt, with whether somebody has encrypted for each.
async fn decrypting(gateway: &Gateway) -> Vec<(String, bool)> {
    let keys = gateway.app.store.keys().await.expect("keys");
    let own = keys
        .into_iter()
        .filter(|key| key.purpose == "saml_decryption");
    own.map(|key| (key.stage, key.used_at.is_some())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_provider_that_keeps_our_old_certificate_goes_on_and_is_seen_to() {
    let scene = Scene::new("", json!({})).await;
    let gateway = &scene.gateway;
    let mut it = Administrator::of(gateway, &scene.connection.id).await;
    assert!(
        !it.page()
            .await
            .body
            .contains("Our certificate that it encrypts for")
    );
    Ending::of(&scene.sign_in(GCM, |xml| xml).await).code();
    assert_eq!(decrypting(gateway).await, [("active".to_owned(), true)]);
    let page = it.page().await.body;
    assert!(page.contains("the current one, last seen"), "{page}");
    let body = Some(json!({ "purpose": "saml_decryption" }));
    let (status, made) = gateway.api(Method::POST, "/api/v1/keys", body).await;
    assert_eq!(status, 201, "{made}");
    let path = format!(
        "/api/v1/keys/{}/activate",
        made["key"]["id"].as_str().expect("an id")
    );
    assert_eq!(gateway.api(Method::POST, &path, None).await.0, 200);
    // The answer is encrypted for the certificate of before, as long as nobody reads our metadata.
    Ending::of(&scene.sign_in(GCM, |xml| xml).await).code();
    let page = it.page().await.body;
    assert!(
        page.contains("an older one, which goes on working"),
        "{page}"
    );
    let stages = [("retiring".to_owned(), true), ("active".to_owned(), false)];
    assert_eq!(decrypting(gateway).await, stages);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_assertion_signs_in_and_an_altered_one_does_not() {
    let scene = Scene::new("", json!({})).await;
    let page = scene.sign_in(GCM, |xml| xml).await;
    let claims = scene.gateway.redeem(&Ending::of(&page).code()).await;
    assert_eq!(claims["email"], ALICE, "{claims}");
    let page = scene.sign_in(GCM, altered).await;
    scene.refused(&page, "saml.decryption_failed").await;
    let page = scene.sign_in(CBC, |xml| xml).await;
    scene.refused(&page, "saml.encryption_algorithm").await;
    let two = |xml: String| xml.replace("</ds:KeyInfo>", "<xenc:EncryptedKey/></ds:KeyInfo>");
    // The one in the signature's own KeyInfo is encrypted with the assertion.
    let page = scene.sign_in(GCM, two).await;
    scene.refused(&page, "saml.encryption_profile").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_private_key_is_used_without_a_pending_login() {
    let scene = Scene::new("", json!({})).await;
    let (mut browser, form) = scene.answered().await;
    let response = STANDARD.encode(scene.encrypted(&form, GCM));
    let fields = [("SAMLResponse", response.as_str())];
    let page = Browser::new().submit(&form, &fields).await;
    assert_eq!(Ending::of(&page).refused().code, "login.other_browser");
    assert_eq!(scene.private_operations().await, 0);
    let page = browser.submit(&form, &fields).await;
    Ending::of(&page).code();
    assert_eq!(scene.private_operations().await, 1);
    let page = browser.submit(&form, &fields).await;
    assert_eq!(Ending::of(&page).refused().code, "login.already_used");
    assert_eq!(scene.private_operations().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn cbc_is_paused_after_too_many_failures_and_nothing_else_is() {
    let limits = "[limits]\nfailed_decryptions_per_connection = 3\n";
    let scene = Scene::new(limits, json!({"saml_allow_aes_cbc": true})).await;
    Ending::of(&scene.sign_in(CBC, |xml| xml).await).code();
    for _ in 0..3 {
        let page = scene.sign_in(CBC, altered).await;
        scene.refused(&page, "saml.decryption_failed").await;
    }
    let before = scene.private_operations().await;
    for alter in [altered as fn(String) -> String, |xml| xml] {
        let page = scene.sign_in(CBC, alter).await;
        scene.refused(&page, "saml.decryption_paused").await;
    }
    assert_eq!(scene.private_operations().await, before);
    proved!(112, "saml.decryption_failed");
    proved!(112, "saml.decryption_paused");
    Ending::of(&scene.sign_in(GCM, |xml| xml).await).code();
    scene.gateway.app.clock.step(60);
    scene.idp.clock.step(60);
    Ending::of(&scene.sign_in(CBC, |xml| xml).await).code();
}
