//! SimpleSAMLphp encrypts: this version (1.19) with AES-CBC of 128 bits, and it has no setting for that.

use fedgate_tests::browser::Page;
use fedgate_tests::counterparts::{Signs, SimpleSamlPhp};
use fedgate_tests::ending::{Ending, check_refusal};
use fedgate_tests::gateway::{Gateway, client};
use fedgate_tests::login::begin;
use fedgate_tests::process::free_address;
use reqwest::Method;
use serde_json::{Value, json};

use super::sign_in_at_simplesamlphp;

struct Scene {
    gateway: Gateway,
    path: String,
    id: String,
    _idp: SimpleSamlPhp,
}

impl Scene {
    async fn new(signs: Signs) -> Self {
        let gateway = Gateway::start().await;
        let body = json!({
            "name": "Acme", "strategy": "saml:custom", "status": "draft", "enabled_applications": ["web"],
            "options": {"is_create_missing_user": true, "name_id_format": "Persistent"},
        });
        let draft = gateway.create_connection(body).await;
        let setup = |name: &str| draft["setup"][name].as_str().expect("a value").to_owned();
        let key = encryption_certificate(&setup("metadata_url")).await;
        let address = free_address();
        let (entity_id, acs) = (setup("sp_entity_id"), setup("acs_url"));
        let idp = SimpleSamlPhp::encrypting(&key, address, &entity_id, &acs, signs);
        let id = draft["id"].as_str().expect("an id").to_owned();
        let scene = Self {
            gateway,
            path: format!("/api/v1/connections/{id}"),
            id,
            _idp: idp,
        };
        let metadata = SimpleSamlPhp::metadata_url(address);
        let options = json!({"saml_idp_metadata_url": metadata});
        scene
            .change(json!({"status": "active", "options": options}))
            .await;
        scene
    }

    async fn change(&self, body: Value) {
        let changed = self.gateway.api(Method::PATCH, &self.path, Some(body));
        let (status, answer) = changed.await;
        assert_eq!(status, 200, "{answer}");
    }

    async fn sign_in(&self) -> Page {
        let mut browser = self.gateway.browser();
        let login = begin(&mut browser, &self.gateway, &[("connection_id", &self.id)]).await;
        sign_in_at_simplesamlphp(&mut browser, &login, "alice").await
    }
}

/// As base64 in one line.
async fn encryption_certificate(metadata_url: &str) -> String {
    let answer = client().get(metadata_url).send().await.expect("an answer");
    let metadata = answer.text().await.expect("text");
    let shown = metadata.split("use=\"encryption\"").nth(1).expect("a key");
    let shown = shown.split("X509Certificate>").nth(1).expect("one");
    shown.trim_end_matches("</ds:").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn simplesamlphp_encrypts_with_cbc_whoever_signs_and_that_needs_the_switch() {
    for signs in [Signs::Both, Signs::Response, Signs::Assertion] {
        let scene = Scene::new(signs).await;
        let page = scene.sign_in().await;
        let refused = check_refusal(&scene.gateway, &page, "saml.encryption_algorithm").await;
        refused.expect("a refusal");
        scene
            .change(json!({"options": {"saml_allow_aes_cbc": true}}))
            .await;
        let page = scene.sign_in().await;
        let claims = scene.gateway.redeem(&Ending::of(&page).code()).await;
        assert_eq!(claims["email"], "alice@acme.test", "{signs:?} {claims}");
    }
}
