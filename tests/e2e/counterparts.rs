//! Whole logins: a real identity provider upstream, a certified relying party downstream.

use std::net::SocketAddr;

use fedgate_tests::browser::{Browser, Page};
use fedgate_tests::counterparts::{OP_CLIENT, OidcProvider, RelyingParty, Signs, SimpleSamlPhp};
use fedgate_tests::gateway::{Gateway, SECRET};
use fedgate_tests::process::free_address;
use reqwest::Method;
use serde_json::{Value, json};

mod encryption;
mod key_roll;
mod mod_auth_openidc;
mod pysaml2;
mod signed_request;

/// A gateway whose application `rp` is openid-client on the answered address.
async fn gateway_and_application(more: &str) -> (Gateway, SocketAddr) {
    let application = free_address();
    let lines = format!(
        "[[applications]]\nclient_id = \"rp\"\nclient_secret = \"{SECRET}\"\nredirect_uris = [\"http://{application}/cb\"]\n{more}\n\
         [[applications]]\nclient_id = \"spa\"\nredirect_uris = [\"http://{application}/cb\"]\n"
    );
    (Gateway::with(&lines).await, application)
}

/// As an administrator does it: a draft gives the values to copy, the identity provider is set up with them, then its
/// metadata activates the connection.
async fn saml_connection(gateway: &Gateway, signs: Signs, options: Value) -> SimpleSamlPhp {
    let body = json!({
        "name": "Acme", "display_name": "Acme", "strategy": "saml:custom", "status": "draft",
        "enabled_applications": ["rp", "spa"],
        "options": {"home_realm_domains": ["acme.test"], "is_create_missing_user": true},
    });
    let draft = gateway.create_connection(body).await;
    let value = |name: &str| {
        draft["setup"][name]
            .as_str()
            .expect("a value to copy")
            .to_owned()
    };
    let address = free_address();
    let idp = SimpleSamlPhp::start(address, &value("sp_entity_id"), &value("acs_url"), signs);
    let mut changed = json!({"saml_idp_metadata_url": SimpleSamlPhp::metadata_url(address)});
    changed
        .as_object_mut()
        .expect("an object")
        .extend(options.as_object().expect("an object").clone());
    let path = format!(
        "/api/v1/connections/{}",
        draft["id"].as_str().expect("an id")
    );
    let (status, answer) = gateway
        .api(
            Method::PATCH,
            &path,
            Some(json!({"status": "active", "options": changed})),
        )
        .await;
    assert_eq!(status, 200, "{answer}");
    idp
}

/// A connection whose method is left to the provider's metadata where `authentication` is none.
async fn oidc_draft(gateway: &Gateway, address: SocketAddr, authentication: Option<&str>) -> Value {
    let body = json!({
        "name": "Globex", "display_name": "Globex", "strategy": "oidc:custom", "status": "draft",
        "enabled_applications": ["rp", "spa"],
        "options": {"home_realm_domains": ["globex.test"], "is_create_missing_user": true, "issuer": format!("http://{address}"),
                    "client_id": OP_CLIENT.0, "client_secret": OP_CLIENT.1, "client_auth_method": authentication},
    });
    gateway.create_connection(body).await
}

async fn activate(gateway: &Gateway, draft: &Value) -> (u16, Value) {
    let id = draft["id"].as_str().expect("an id");
    let body = json!({"status": "active"});
    let path = format!("/api/v1/connections/{id}");
    gateway.api(Method::PATCH, &path, Some(body)).await
}

fn redirect_uri(draft: &Value) -> &str {
    draft["setup"]["redirect_uri"]
        .as_str()
        .expect("a redirect URI")
}

async fn oidc_connection(gateway: &Gateway, authentication: &str) -> OidcProvider {
    let address = free_address();
    let draft = oidc_draft(gateway, address, Some(authentication)).await;
    let op = OidcProvider::start(address, redirect_uri(&draft), authentication);
    let (status, answer) = activate(gateway, &draft).await;
    assert_eq!(status, 200, "{answer}");
    op
}

/// Signs in at `SimpleSAMLphp`'s form and sends the auto-posted response on.
async fn sign_in_at_simplesamlphp(browser: &mut Browser, login: &Page, name: &str) -> Page {
    let posted = browser
        .submit(&login.form(), &[("username", name), ("password", name)])
        .await;
    browser.submit(&posted.form(), &[]).await
}

/// Signs in at oidc-provider's own forms: login, then consent.
async fn sign_in_at_oidc_provider(browser: &mut Browser, login: &Page, name: &str) -> Page {
    let consent = browser
        .submit(&login.form(), &[("login", name), ("password", "any")])
        .await;
    browser.submit(&consent.form(), &[]).await
}

/// Opens the application and types an address on the gateway's page.
async fn route_by_address(
    browser: &mut Browser,
    application: &RelyingParty,
    address: &str,
) -> Page {
    let page = browser.open(&application.url).await;
    browser.submit(&page.form(), &[("email", address)]).await
}

fn answered(page: &Page) -> Value {
    serde_json::from_str(&page.body).unwrap_or_else(|_| panic!("{}: {}", page.url, page.body))
}

async fn saml_login(signs: Signs, options: Value) -> Value {
    let (gateway, address) = gateway_and_application("").await;
    let _idp = saml_connection(&gateway, signs, options).await;
    let application =
        RelyingParty::start(address, &gateway.base, ("rp", Some(SECRET)), "RS256", "");
    let mut browser = gateway.browser();
    let mut login = route_by_address(&mut browser, &application, "alice@acme.test").await;
    if login
        .forms()
        .iter()
        .any(|form| form.fields.iter().any(|(name, _)| name == "SAMLRequest"))
    {
        login = browser.submit(&login.form(), &[]).await;
    }
    answered(&sign_in_at_simplesamlphp(&mut browser, &login, "alice").await)
}

#[tokio::test(flavor = "multi_thread")]
async fn simplesamlphp_signs_both_and_openid_client_gets_every_claim() {
    let answer = saml_login(Signs::Both, json!({"name_id_format": "Persistent"})).await;
    let claims = &answer["claims"];
    assert_eq!(claims["email"], "alice@acme.test", "{answer}");
    assert_eq!(claims["email_verified"], false);
    assert_eq!(claims["given_name"], "Alice");
    assert_eq!(claims["family_name"], "Ångström & <Söhne>");
    assert_eq!(claims["name"], "Alice Ångström & <Söhne>");
    assert_eq!(claims["ext_provider"]["strategy"], "saml:custom");
    assert_eq!(
        claims["ext_provider"]["claims"]["groups"],
        json!(["staff", "engineering"])
    );
    assert_eq!(answer["userinfo"]["sub"], claims["sub"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn simplesamlphp_signs_only_the_response() {
    assert_eq!(
        saml_login(Signs::Response, json!({})).await["claims"]["email"],
        "alice@acme.test"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn simplesamlphp_signs_only_the_assertion_and_gets_the_request_by_post() {
    let answer = saml_login(Signs::Assertion, json!({"protocol_binding": "HTTP-POST"})).await;
    assert_eq!(answer["claims"]["email"], "alice@acme.test", "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sign_in_is_the_same_user() {
    let (gateway, address) = gateway_and_application("").await;
    let _idp = saml_connection(
        &gateway,
        Signs::Both,
        json!({"name_id_format": "Persistent"}),
    )
    .await;
    let application =
        RelyingParty::start(address, &gateway.base, ("rp", Some(SECRET)), "RS256", "");
    let mut subjects = Vec::new();
    for _ in 0..2 {
        let mut browser = gateway.browser();
        let login = route_by_address(&mut browser, &application, "alice@acme.test").await;
        let answer = answered(&sign_in_at_simplesamlphp(&mut browser, &login, "alice").await);
        subjects.push(answer["claims"]["sub"].clone());
    }
    assert_eq!(subjects[0], subjects[1]);
}

async fn oidc_login(
    authentication: &str,
    client: (&str, Option<&str>),
    algorithm: &str,
    name: &str,
) -> Value {
    let (gateway, address) =
        gateway_and_application(&format!("id_token_signed_response_alg = \"{algorithm}\"")).await;
    let _op = oidc_connection(&gateway, authentication).await;
    let application = RelyingParty::start(address, &gateway.base, client, algorithm, "");
    let mut browser = gateway.browser();
    let login = route_by_address(&mut browser, &application, &format!("{name}@globex.test")).await;
    answered(&sign_in_at_oidc_provider(&mut browser, &login, name).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn oidc_provider_with_basic_authentication_and_an_rs256_application() {
    let answer = oidc_login("client_secret_basic", ("rp", Some(SECRET)), "RS256", "bob").await;
    let claims = &answer["claims"];
    assert_eq!(claims["email"], "bob@globex.test", "{answer}");
    assert_eq!(claims["name"], "Bob Globex");
    assert_eq!(claims["ext_provider"]["subject"], "bob");
}

#[tokio::test(flavor = "multi_thread")]
async fn oidc_provider_with_the_secret_in_the_body_and_an_es256_application() {
    let answer = oidc_login("client_secret_post", ("rp", Some(SECRET)), "ES256", "bob").await;
    assert_eq!(answer["claims"]["email"], "bob@globex.test", "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unverified_address_arrives_unverified_at_a_public_application() {
    let answer = oidc_login("client_secret_basic", ("spa", None), "RS256", "dora").await;
    assert_eq!(answer["claims"]["email"], "dora@globex.test", "{answer}");
    assert_eq!(answer["claims"]["email_verified"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn oidc_providers_metadata_chooses_how_the_gateway_authenticates() {
    for method in ["client_secret_basic", "client_secret_post"] {
        let (gateway, application) = gateway_and_application("").await;
        let address = free_address();
        let draft = oidc_draft(&gateway, address, None).await;
        let _op = OidcProvider::offering(method, address, redirect_uri(&draft), method);
        let (status, answer) = activate(&gateway, &draft).await;
        assert_eq!(status, 200, "{answer}");
        let client = ("rp", Some(SECRET));
        let application = RelyingParty::start(application, &gateway.base, client, "RS256", "");
        let mut browser = gateway.browser();
        let login = route_by_address(&mut browser, &application, "bob@globex.test").await;
        let answer = answered(&sign_in_at_oidc_provider(&mut browser, &login, "bob").await);
        assert_eq!(answer["claims"]["email"], "bob@globex.test", "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oidc_provider_that_takes_no_secret_is_told_of_at_activation() {
    let (gateway, _) = gateway_and_application("").await;
    let address = free_address();
    let draft = oidc_draft(&gateway, address, None).await;
    let method = "private_key_jwt";
    let _op = OidcProvider::offering(method, address, redirect_uri(&draft), method);
    let (status, answer) = activate(&gateway, &draft).await;
    assert_eq!(status, 422, "{answer}");
    let code = &answer["errors"][0]["code"];
    assert_eq!(code, "oauth.client_auth_unsupported", "{answer}");
}
