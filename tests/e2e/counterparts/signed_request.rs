//! Identity providers of other makers that take signed requests alone, and verify them.

use fedgate_tests::browser::Page;
use fedgate_tests::counterparts::{Pysaml2, Signs, SimpleSamlPhp};
use fedgate_tests::ending::Ending;
use fedgate_tests::gateway::Gateway;
use fedgate_tests::login::begin;
use fedgate_tests::process::free_address;
use reqwest::Method;
use serde_json::{Value, json};

use super::sign_in_at_simplesamlphp;
use crate::saml_request::{Pair, signing_certificate};

async fn draft(gateway: &Gateway, options: &Value) -> Value {
    let body = json!({
        "name": "Acme", "strategy": "saml:custom", "status": "draft", "enabled_applications": ["web"],
        "options": options,
    });
    gateway.create_connection(body).await
}

async fn change(gateway: &Gateway, draft: &Value, body: Value) {
    let path = format!("/api/v1/connections/{}", text(&draft["id"]));
    let (status, answer) = gateway.api(Method::PATCH, &path, Some(body)).await;
    assert_eq!(status, 200, "{answer}");
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

async fn at_the_upstream(
    gateway: &Gateway,
    draft: &Value,
) -> (fedgate_tests::browser::Browser, Page) {
    let mut browser = gateway.browser();
    let id = text(&draft["id"]);
    let page = begin(&mut browser, gateway, &[("connection_id", &id)]).await;
    (browser, page)
}

#[tokio::test(flavor = "multi_thread")]
async fn simplesamlphp_verifies_requests_of_both_bindings_and_takes_no_others() {
    let gateway = Gateway::start().await;
    let draft = draft(&gateway, &json!({"saml_sign_requests": true})).await;
    let setup = |name: &str| text(&draft["setup"][name]);
    let certificate = signing_certificate(&setup("metadata_url")).await;
    let address = free_address();
    let (entity_id, acs) = (setup("sp_entity_id"), setup("acs_url"));
    let _idp = SimpleSamlPhp::requiring(&certificate, address, &entity_id, &acs, Signs::Both);
    let metadata = SimpleSamlPhp::metadata_url(address);
    for (binding, algorithm) in [
        ("HTTP-REDIRECT", "RSA-SHA256"),
        ("HTTP-REDIRECT", "RSA-SHA512"),
        ("HTTP-POST", "RSA-SHA256"),
        ("HTTP-POST", "RSA-SHA384"),
    ] {
        let options = json!({
            "saml_idp_metadata_url": metadata, "protocol_binding": binding, "sign_request_algorithm": algorithm,
        });
        change(
            &gateway,
            &draft,
            json!({"status": "active", "options": options}),
        )
        .await;
        let (mut browser, login) = at_the_upstream(&gateway, &draft).await;
        let page = sign_in_at_simplesamlphp(&mut browser, &login, "alice").await;
        Ending::of(&page).code();
    }
    for binding in ["HTTP-REDIRECT", "HTTP-POST"] {
        let options = json!({"protocol_binding": binding, "saml_sign_requests": false});
        change(&gateway, &draft, json!({"options": options})).await;
        let (_, page) = at_the_upstream(&gateway, &draft).await;
        assert!(
            page.forms()
                .iter()
                .all(|form| !form.fields.iter().any(|(name, _)| name == "password"))
        );
        // It stays where the request came, with an error, and shows nobody its login page.
        assert!(
            page.url.path().ends_with("/SSOService.php"),
            "{binding}: {}",
            page.url
        );
    }
}

/// pysaml2 looks for the signing certificate in the gateway's own metadata, and reads of the keys there the one for signing.
#[tokio::test(flavor = "multi_thread")]
async fn pysaml2_verifies_requests_of_both_bindings_with_the_gateways_metadata() {
    let gateway = Gateway::start().await;
    let elliptic = Pair::elliptic(openssl::nid::Nid::X9_62_PRIME256V1);
    let drafts = [
        draft(&gateway, &json!({"name_id_format": "Persistent"})).await,
        draft(&gateway, &elliptic.options("ECDSA-SHA256")).await,
    ];
    let metadata = drafts
        .each_ref()
        .map(|draft| text(&draft["setup"]["metadata_url"]));
    let address = free_address();
    let _idp = Pysaml2::requiring_signed_requests(address, &metadata);
    let idp = Pysaml2::metadata_url(address, "rsa");
    // Its own verification of queries knows no ECDSA.
    let cases = [
        (&drafts[0], "HTTP-REDIRECT"),
        (&drafts[0], "HTTP-POST"),
        (&drafts[1], "HTTP-POST"),
    ];
    for (draft, binding) in cases {
        let options = json!({"saml_idp_metadata_url": idp, "protocol_binding": binding});
        change(
            &gateway,
            draft,
            json!({"status": "active", "options": options}),
        )
        .await;
        let (mut browser, login) = at_the_upstream(&gateway, draft).await;
        let fields = [
            ("person", "alice"),
            ("signed", "assertion"),
            ("algorithm", "rsa-sha256"),
        ];
        let posted = browser.submit(&login.form(), &fields).await;
        Ending::of(&browser.submit(&posted.form(), &[]).await).code();
    }
}
