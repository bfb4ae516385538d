//! Attacks by identity providers and their owners: keys, names and claims of others.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fedgate::app::Clock;
use fedgate_lab::key::KeyKind;
use fedgate_lab::person::{Person, acme};
use fedgate_lab::saml_idp::{Lie, ResponseParameters, SamlIdp, SamlIdpOptions, Signed};
use fedgate_tests::browser::Form;
use fedgate_tests::catalogue::ACCEPTED;
use fedgate_tests::ending::{Ending, check_refusal};
use fedgate_tests::gateway::{Gateway, claims};
use fedgate_tests::proved;
use fedgate_tests::upstream::{ALICE, Connected, SamlUpstream};
use reqwest::Method;
use serde_json::{Value, json};

use super::flow::{field, responded};
use crate::saml_flow::{login, scene};

/// What another identity provider answers to the request that a form answers, in its place.
fn in_place_of(form: &Form, signer: &SamlIdp, connection: &Connected) -> String {
    let xml = STANDARD
        .decode(field(form, "SAMLResponse"))
        .expect("base64");
    let xml = String::from_utf8(xml).expect("text");
    let (_, after) = xml.split_once("InResponseTo=\"").expect("a request");
    let (request, _) = after.split_once('"').expect("a request");
    let parameters = ResponseParameters {
        acs: &connection.acs,
        audience: &connection.entity_id,
        in_response_to: Some(request),
        person: &signer.people()[0],
        context: None,
        lie: Lie::Honest,
    };
    signer.response(&parameters).expect("a response")
}

/// An identity provider that calls itself as another one, with its own keys and people.
fn squatter(idp: &SamlIdp, people: Vec<Person>) -> SamlIdp {
    let entity_id = idp.entity_id();
    let options = SamlIdpOptions {
        base_url: entity_id.trim_end_matches("/metadata").to_owned(),
        name: "Squatter".to_owned(),
        people,
        key: KeyKind::EcP256,
        signed: Signed::Assertion,
    };
    SamlIdp::new(options, Arc::new(Clock::default())).expect("keys")
}

async fn claims_of(gateway: &Gateway, page: &fedgate_tests::browser::Page) -> Value {
    gateway.redeem(&Ending::of(page).code()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn another_identity_provider_cannot_answer_in_place_of_the_one_that_was_asked() {
    let (gateway, _idp, connection) = scene(json!({})).await;
    let other = SamlUpstream::start().await;
    other.connect(&gateway, json!({"name": "Other"})).await;
    let (mut browser, form) = responded(&gateway, &connection).await;
    let answer = in_place_of(&form, &other.idp, &connection);
    let page = browser.submit(&form, &[("SAMLResponse", &answer)]).await;
    check_refusal(&gateway, &page, "saml.key_unknown")
        .await
        .expect("refused");
    proved!(54, "saml.key_unknown");
    proved!(97, "saml.key_unknown");
    assert_eq!(gateway.rows().await.sessions, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_another_tenants_name_signs_in_people_of_his_own() {
    let (gateway, idp, connection) = scene(json!({})).await;
    let alice = claims_of(
        &gateway,
        &login(&gateway, &connection, &[], Lie::Honest).await,
    )
    .await;
    let squatter = squatter(&idp.idp, acme());
    let metadata = squatter.metadata().expect("metadata");
    let options = json!({"saml_idp_metadata_url": null, "saml_idp_metadata_xml": metadata});
    let own = idp
        .connect(&gateway, json!({"name": "Squatter", "options": options}))
        .await;
    // At his own connection he is believed about his own people.
    let (mut browser, form) = responded(&gateway, &own).await;
    let answer = in_place_of(&form, &squatter, &own);
    let page = browser.submit(&form, &[("SAMLResponse", &answer)]).await;
    let his = claims_of(&gateway, &page).await;
    assert_eq!(
        his["ext_provider"]["subject"],
        alice["ext_provider"]["subject"]
    );
    assert_ne!(his["sub"], alice["sub"]);
    proved!(128, ACCEPTED);
    // At the other's he is nobody.
    let (mut browser, form) = responded(&gateway, &connection).await;
    let answer = in_place_of(&form, &squatter, &connection);
    let page = browser.submit(&form, &[("SAMLResponse", &answer)]).await;
    check_refusal(&gateway, &page, "saml.key_unknown")
        .await
        .expect("refused");
    proved!(128, "saml.key_unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_key_signs_nobody_in_any_more() {
    let (gateway, idp, connection) = scene(json!({})).await;
    let (mut browser, form) = responded(&gateway, &connection).await;
    // The identity provider rolls its key, and the operator loads the new metadata; the old key is trusted for another
    // day, unless it is known to be in the wrong hands.
    idp.idp.roll().expect("a new key");
    let path = format!("/api/v1/connections/{}", connection.id);
    let asked = gateway.api(Method::PATCH, &path, Some(json!({"status": "active"})));
    assert_eq!(asked.await.0, 200);
    let (_, told) = gateway
        .api(Method::GET, &format!("{path}/metadata"), None)
        .await;
    let keys = told["metadata"]["keys"].as_array().expect("keys").iter();
    let mut retiring = keys.filter(|key| key["state"] == "retiring");
    let old = retiring.next().expect("the old key")["fingerprint"].clone();
    let revoked = format!("{path}/metadata/keys/{}", old.as_str().expect("one"));
    let asked = gateway.api(Method::DELETE, &revoked, None);
    assert_eq!(asked.await.0, 200);
    let page = browser.submit(&form, &[]).await;
    check_refusal(&gateway, &page, "saml.key_unknown")
        .await
        .expect("refused");
    proved!(55, "saml.key_unknown");
    proved!(123, "saml.key_unknown");
    Ending::of(&login(&gateway, &connection, &[], Lie::Honest).await).code();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_another_tenants_domain_is_not_believed() {
    let gateway = Gateway::with(crate::saml_flow::FAST).await;
    let owner = SamlUpstream::start().await;
    let trusted = json!({"options": {"home_realm_domains": ["acme.test"], "is_trusted": true}});
    let theirs = owner.connect(&gateway, trusted).await;
    let alice = claims_of(&gateway, &login(&gateway, &theirs, &[], Lie::Honest).await).await;
    assert_eq!(alice["email_verified"], true);
    let hostile = SamlUpstream::with(KeyKind::EcP256, acme()).await;
    let domains = json!({"name": "Hostile", "options": {"home_realm_domains": ["hostile.test"], "is_trusted": true}});
    let own = hostile.connect(&gateway, domains).await;
    let asserted = claims_of(&gateway, &login(&gateway, &own, &[], Lie::Honest).await).await;
    assert_eq!(
        (&asserted["email"], &asserted["email_verified"]),
        (&json!(ALICE), &json!(false))
    );
    assert_ne!(asserted["sub"], alice["sub"]);
    proved!(109, ACCEPTED);
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_of_an_upstream_are_told_as_its_own_and_give_no_power_here() {
    let (gateway, _idp, connection) = scene(json!({})).await;
    let code = Ending::of(&login(&gateway, &connection, &[], Lie::Honest).await).code();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", fedgate_tests::gateway::REDIRECT_URI),
        ("client_id", "web"),
        ("client_secret", fedgate_tests::gateway::SECRET),
    ];
    let (status, answer) = gateway.token(&fields).await;
    assert_eq!(status, 200, "{answer}");
    for token in ["id_token", "access_token"] {
        let told = claims(answer[token].as_str().expect("a token"));
        for claim in ["groups", "roles", "permissions", "scp"] {
            assert_eq!(told[claim], Value::Null, "{claim} in {told}");
        }
    }
    let told = claims(answer["id_token"].as_str().expect("a token"));
    let groups = &told["ext_provider"]["claims"]["groups"];
    assert_eq!(groups, &json!(["engineering", "admins"]));
    proved!(110, ACCEPTED);
}
