//! The OpenID Provider as applications meet it, and those who pretend to be one.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use fedgate::op::authorize::succeed;
use fedgate::op::{AuthorizeRequest, Claims, ExtProvider};
use fedgate_certs::jose;
use fedgate_certs::key::{SigningAlgorithm, SigningKey};
use fedgate_tests::browser::Page;
use fedgate_tests::gateway::{Gateway, REDIRECT_URI, SECRET, claims, client, read};
use fedgate_tests::hostile::{self, Hostile};
use fedgate_tests::seen;
use openssl::pkey::PKey;
use reqwest::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use serde_json::{Value, json};
use url::Url;

mod assertion;
mod authorize;
mod sign_out;
mod surface;
mod token;

/// A code verifier and its S256 challenge (RFC 7636, appendix B).
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A code as a sign-in leaves it, for an application and perhaps with PKCE.
async fn code(gateway: &Gateway, client_id: &str, challenge: Option<&str>) -> String {
    let request = AuthorizeRequest {
        client_id: client_id.into(),
        redirect_uri: REDIRECT_URI.into(),
        state: None,
        nonce: None,
        scope: vec!["openid".into(), "email".into()],
        code_challenge: challenge.map(str::to_owned),
        prompt: None,
        max_age: None,
        acr_values: Vec::new(),
        ui_locales: None,
        login_hint: None,
        connection_id: None,
        org_code: None,
    };
    let answer = succeed(
        &gateway.app,
        &gateway.app.site,
        request,
        person(),
        gateway.app.clock.now(),
    )
    .await;
    let answer = answer.unwrap_or_else(|refusal| panic!("{refusal}"));
    let location = answer.headers()[LOCATION].to_str().expect("text");
    let url = Url::parse(location).expect("a URL");
    let (_, code) = url
        .query_pairs()
        .find(|(name, _)| name == "code")
        .expect("a code");
    code.into_owned()
}

fn person() -> Claims {
    let ext_provider = ExtProvider {
        name: "Acme".into(),
        connection_id: "conn_1".into(),
        strategy: "saml:custom".into(),
        subject: "s".into(),
        claims: serde_json::Map::new(),
    };
    Claims {
        sub: "kp_1".into(),
        sid: "sid_1".into(),
        email: Some("ada@acme.test".into()),
        email_verified: Some(false),
        given_name: None,
        family_name: None,
        name: None,
        picture: None,
        org_code: None,
        amr: Vec::new(),
        acr: None,
        auth_time: None,
        ext_provider,
    }
}

fn redemption<'a>(client_id: &'a str, code: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("client_id", client_id),
        ("client_secret", SECRET),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
    ]
}

/// An ID token and an access token of a person.
pub(crate) async fn tokens(gateway: &Gateway) -> (String, String) {
    let code = code(gateway, "web", None).await;
    let (status, answer) = gateway.token(&redemption("web", &code)).await;
    assert_eq!(status, 200, "{answer}");
    let text = |name: &str| answer[name].as_str().expect("a token").to_owned();
    (text("id_token"), text("access_token"))
}

/// Status, OAuth error and stable code of a refused token request.
fn refused(answer: &(u16, Value)) -> (u16, &str, &str) {
    let text = |name: &str| {
        answer.1[name]
            .as_str()
            .unwrap_or_else(|| panic!("{answer:?}"))
    };
    let description = text("error_description");
    (
        answer.0,
        text("error"),
        description.split(':').next().unwrap_or_default(),
    )
}

/// The only code on a page that sends nobody anywhere.
fn told(page: &Page) -> &'static str {
    assert!(!page.headers.contains_key(LOCATION), "{:?}", page.headers);
    let codes = seen::codes(&page.body);
    assert_eq!(codes.len(), 1, "{}: {}", page.url, page.body);
    codes.into_iter().next().expect("a code")
}

/// The error and the stable code with which the browser is sent back to the application.
fn sent_back(page: &Page) -> (String, String) {
    let location = page
        .headers
        .get(LOCATION)
        .unwrap_or_else(|| panic!("{}: {}", page.url, page.body));
    let url = Url::parse(location.to_str().expect("text")).expect("a URL");
    assert!(
        url.as_str().starts_with(&format!("{REDIRECT_URI}?")),
        "{url}"
    );
    let value = |name: &str| {
        let found = url.query_pairs().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    assert!(!value("iss").is_empty(), "RFC 9207: {url}");
    let code = value("error_description");
    (
        value("error"),
        code.split(':').next().unwrap_or_default().to_owned(),
    )
}
