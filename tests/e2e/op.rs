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

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_cannot_be_served_goes_back_to_the_application() {
    let gateway = Gateway::start().await;
    let long = "x".repeat(2049);
    let many = vec!["a"; 11].join(" ");
    for (parameters, error, code) in [
        (
            vec![("response_type", "")],
            "invalid_request",
            "op.parameter_missing",
        ),
        (
            vec![("response_type", "token")],
            "unsupported_response_type",
            "op.response_type_unsupported",
        ),
        (
            vec![("response_type", "code id_token")],
            "unsupported_response_type",
            "op.response_type_unsupported",
        ),
        (
            vec![("response_mode", "fragment")],
            "invalid_request",
            "op.response_mode_unsupported",
        ),
        (
            vec![("nonce", "a"), ("nonce", "b")],
            "invalid_request",
            "op.parameter_repeated",
        ),
        (
            vec![("state", "a"), ("state", "b")],
            "invalid_request",
            "op.parameter_repeated",
        ),
        (
            vec![("state", &long)],
            "invalid_request",
            "op.parameter_too_long",
        ),
        (
            vec![("acr_values", &many)],
            "invalid_request",
            "op.parameter_too_long",
        ),
        (
            vec![("max_age", "-1")],
            "invalid_request",
            "op.parameter_malformed",
        ),
        (
            vec![("max_age", "4294967296")],
            "invalid_request",
            "op.parameter_malformed",
        ),
        (
            vec![("prompt", "none login")],
            "invalid_request",
            "op.parameter_malformed",
        ),
        (
            vec![("prompt", "wave")],
            "invalid_request",
            "op.parameter_malformed",
        ),
        (
            vec![("scope", "email")],
            "invalid_scope",
            "op.openid_scope_missing",
        ),
        (
            vec![("prompt", "none")],
            "login_required",
            "op.login_required",
        ),
        (
            vec![("request", "e30.e30.")],
            "request_not_supported",
            "op.request_object_unsupported",
        ),
        (
            vec![("request_uri", "https://169.254.169.254/")],
            "request_uri_not_supported",
            "op.request_uri_unsupported",
        ),
        (
            vec![("registration", "{}")],
            "registration_not_supported",
            "op.registration_unsupported",
        ),
        (
            vec![("client_id", "public")],
            "invalid_request",
            "op.pkce_required",
        ),
        (
            vec![("code_challenge_method", "S256")],
            "invalid_request",
            "op.pkce_required",
        ),
        (
            vec![("code_challenge", VERIFIER)],
            "invalid_request",
            "op.pkce_method_unsupported",
        ),
        (
            vec![
                ("code_challenge", VERIFIER),
                ("code_challenge_method", "plain"),
            ],
            "invalid_request",
            "op.pkce_method_unsupported",
        ),
        (
            vec![
                ("code_challenge", "short"),
                ("code_challenge_method", "S256"),
            ],
            "invalid_request",
            "op.pkce_challenge_malformed",
        ),
    ] {
        let page = gateway
            .browser()
            .step(&gateway.authorize_url(&parameters))
            .await;
        assert_eq!(page.status, 303, "{parameters:?}");
        assert_eq!(
            sent_back(&page),
            (error.into(), code.into()),
            "{parameters:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_uri_is_compared_character_by_character() {
    let gateway = Gateway::start().await;
    for uri in [
        "http://127.0.0.1:9/cb/",
        "http://127.0.0.1:9/cb/../cb",
        "http://127.0.0.1:9/CB",
        "HTTP://127.0.0.1:9/cb",
        "http://127.0.0.1:9/cb?x=1",
        "http://127.0.0.1:9/cb#f",
        "http://127.0.0.1:9/cb%20",
        "http://127.0.0.1:9/%63b",
        "http://127.0.0.1:9/cb.evil.test",
        "http://127.0.0.1:9@evil.test/cb",
        "http://evil.test@127.0.0.1:9/cb",
        "http://evil.test\\@127.0.0.1:9/cb",
        "http://127.0.0.1:90/cb",
        "http://127.0.0.1/cb",
        "http://127.1:9/cb",
        "http://localhost:9/cb",
        "https://127.0.0.1:9/cb",
        "//127.0.0.1:9/cb",
        "/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "urn:ietf:wg:oauth:2.0:oob",
        " http://127.0.0.1:9/cb",
        "http://127.0.0.1:9/bye",
    ] {
        let url = gateway.authorize_url(&[("redirect_uri", uri)]);
        let page = gateway.browser().step(&url).await;
        assert_eq!(
            (page.status.as_u16(), told(&page)),
            (400, "op.redirect_uri_mismatch"),
            "{uri}"
        );
        assert!(!page.body.contains("href=\"javascript:"), "{}", page.body);
    }
    let at = "/oauth2/auth?client_id=web&response_type=code&scope=openid";
    let twice = format!(
        "{}{at}&redirect_uri={REDIRECT_URI}&redirect_uri=https://evil.test/",
        gateway.base
    );
    assert_eq!(
        told(&gateway.browser().step(&twice).await),
        "op.parameter_repeated"
    );
    let hidden = twice.replace("&redirect_uri=https", "&redirect%5Furi=https");
    assert_eq!(
        told(&gateway.browser().step(&hidden).await),
        "op.parameter_repeated"
    );
    let none = format!("{}{at}", gateway.base);
    assert_eq!(
        told(&gateway.browser().step(&none).await),
        "op.parameter_missing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_nobody_known_stays_on_a_page() {
    let gateway = Gateway::start().await;
    let page = |query: String| {
        let url = format!("{}/oauth2/auth?{query}", gateway.base);
        async move { gateway_page(&url).await }
    };
    let (status, code) = page("client_id=nobody&redirect_uri=https://evil.test/".into()).await;
    assert_eq!((status, code), (400, "op.client_unknown"));
    assert_eq!(
        page("redirect_uri=https://evil.test/".into()).await.1,
        "op.parameter_missing"
    );
    assert_eq!(
        page("client_id=web&state=%ff".into()).await.1,
        "op.request_malformed"
    );
    assert_eq!(
        page(format!("client_id=web&x={}", "y".repeat(8192)))
            .await
            .1,
        "op.request_too_large"
    );
    assert_eq!(page("a=b&".repeat(101)).await.1, "op.request_too_large");
    assert_eq!(
        page("client_id=%3Cscript%3E".into()).await.1,
        "op.client_unknown"
    );
}

async fn gateway_page(url: &str) -> (u16, &'static str) {
    let page = fedgate_tests::browser::Browser::new().step(url).await;
    (page.status.as_u16(), told(&page))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_comes_back_verbatim_and_never_as_a_header() {
    let gateway = Gateway::start().await;
    for state in [
        "a b&c=d#e",
        "/return?to=1",
        "\u{2028}ü\u{1f600}",
        "\"><script>",
        "%0d%0ax-evil: 1",
        "iss=https://evil.test",
    ] {
        let url = gateway.authorize_url(&[("state", state), ("prompt", "none")]);
        let page = gateway.browser().step(&url).await;
        let location = page.headers[LOCATION].to_str().expect("text");
        let found = Url::parse(location).expect("a URL");
        let states: Vec<_> = found
            .query_pairs()
            .filter(|(name, _)| name == "state")
            .map(|(_, value)| value.into_owned())
            .collect();
        assert_eq!(states, [state]);
        assert_eq!(
            found
                .query_pairs()
                .filter(|(name, _)| name == "iss")
                .count(),
            1
        );
    }
    for state in ["a\r\nx-evil: 1", "a\nb", "a\0b", "a\u{85}b"] {
        let url = gateway.authorize_url(&[("state", state)]);
        let page = gateway.browser().step(&url).await;
        assert_eq!(sent_back(&page).1, "op.parameter_malformed", "{state:?}");
        assert!(!page.headers.contains_key("x-evil"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_does_not_prove_itself_gets_nothing() {
    let gateway = Gateway::start().await;
    let grant = ("grant_type", "client_credentials");
    let long = "x".repeat(2000);
    for (fields, expected) in [
        (
            vec![grant],
            (401, "invalid_client", "op.client_authentication_missing"),
        ),
        (
            vec![grant, ("client_id", "web")],
            (401, "invalid_client", "op.client_authentication_missing"),
        ),
        (
            vec![grant, ("client_id", "nobody"), ("client_secret", "x")],
            (401, "invalid_client", "op.client_unknown"),
        ),
        (
            vec![grant, ("client_id", "web"), ("client_secret", "x")],
            (401, "invalid_client", "op.client_secret_wrong"),
        ),
        (
            vec![grant, ("client_id", "public"), ("client_secret", SECRET)],
            (401, "invalid_client", "op.client_secret_wrong"),
        ),
        (
            vec![grant, ("client_id", "web"), ("client_secret", &long)],
            (400, "invalid_request", "op.parameter_too_long"),
        ),
        (
            vec![
                grant,
                ("client_id", "web"),
                ("client_secret", SECRET),
                ("client_secret", SECRET),
            ],
            (400, "invalid_request", "op.parameter_repeated"),
        ),
        (
            vec![
                grant,
                ("client_id", "web"),
                ("client_secret", SECRET),
                ("client_assertion", "x"),
            ],
            (400, "invalid_request", "op.client_authentication_ambiguous"),
        ),
        (
            vec![grant, ("client_id", "web"), ("client_assertion", "x")],
            (401, "invalid_client", "op.client_assertion_malformed"),
        ),
        (
            vec![
                grant,
                ("client_id", "web"),
                ("client_assertion", "e30.e30.AA"),
                ("client_assertion_type", JWT_BEARER),
            ],
            (401, "invalid_client", "op.client_assertion_signature"),
        ),
        (
            vec![("client_id", "web"), ("client_secret", SECRET)],
            (400, "invalid_request", "op.parameter_missing"),
        ),
        (
            vec![
                ("grant_type", "password"),
                ("client_id", "web"),
                ("client_secret", SECRET),
            ],
            (400, "unsupported_grant_type", "op.grant_type_unsupported"),
        ),
        (
            vec![
                ("grant_type", "refresh_token"),
                ("client_id", "web"),
                ("client_secret", SECRET),
            ],
            (400, "unsupported_grant_type", "op.grant_type_unsupported"),
        ),
        (
            vec![grant, ("client_id", "web"), ("client_secret", SECRET)],
            (400, "unauthorized_client", "op.grant_type_not_allowed"),
        ),
        (
            vec![grant, ("client_id", "public")],
            (400, "unauthorized_client", "op.grant_type_not_allowed"),
        ),
    ] {
        let answer = gateway.token(&fields).await;
        assert_eq!(refused(&answer), expected, "{fields:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_authorization_header_and_it_is_basic() {
    let gateway = Gateway::start().await;
    let url = format!("{}/oauth2/token", gateway.base);
    let post = |values: &[&str], body: &'static str| {
        let mut request = client()
            .post(&url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        for value in values {
            request = request.header(AUTHORIZATION, *value);
        }
        read(request.body(body))
    };
    let pair = format!("Basic {}", STANDARD.encode(format!("web:{SECRET}")));
    let body = "grant_type=client_credentials";
    for (values, code) in [
        (vec!["Basic !"], "op.client_authentication_malformed"),
        (vec!["Basic d2Vi"], "op.client_authentication_malformed"),
        (
            vec!["Basic OnNlY3JldA=="],
            "op.client_authentication_malformed",
        ),
        (vec!["Bearer x"], "op.client_authentication_malformed"),
        (vec![&pair, &pair], "op.client_authentication_ambiguous"),
        (vec![&pair], "op.grant_type_not_allowed"),
    ] {
        assert_eq!(refused(&post(&values, body).await).2, code, "{values:?}");
    }
    let both = post(&[&pair], "grant_type=client_credentials&client_id=other").await;
    assert_eq!(refused(&both).2, "op.client_authentication_ambiguous");
    let wrong = format!("Basic {}", STANDARD.encode("web:wrong"));
    let request = client()
        .post(&url)
        .header(AUTHORIZATION, wrong)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = request.body(body).send().await.expect("an answer");
    assert_eq!(
        answer.headers()[WWW_AUTHENTICATE],
        "Basic realm=\"fedgate\""
    );
    assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_form_of_some_size_is_read() {
    let gateway = Gateway::start().await;
    let url = format!("{}/oauth2/token", gateway.base);
    let post = |media_type: &str, body: String| {
        read(
            client()
                .post(&url)
                .header(CONTENT_TYPE, media_type)
                .body(body),
        )
    };
    let form = "application/x-www-form-urlencoded";
    for (media_type, body, code) in [
        (
            "application/json",
            "{\"grant_type\": \"client_credentials\"}".into(),
            "op.request_malformed",
        ),
        (
            "multipart/form-data; boundary=x",
            "--x--".into(),
            "op.request_malformed",
        ),
        (
            "text/plain",
            "grant_type=client_credentials".into(),
            "op.request_malformed",
        ),
        (form, "grant_type=%ff".into(), "op.request_malformed"),
        (form, "a=b&".repeat(101), "op.request_too_large"),
        (form, "x".repeat(512 * 1024 + 1), "op.request_too_large"),
    ] {
        let answer = post(media_type, body).await;
        assert_eq!(refused(&answer).2, code, "{media_type}");
    }
    let large = "x".repeat(512 * 1024 + 1);
    let request = client()
        .post(format!("{}/oauth2/auth", gateway.base))
        .header(CONTENT_TYPE, form);
    let answer = request.body(large).send().await.expect("an answer");
    assert_eq!(answer.status(), 413);
    let text = answer.text().await.expect("a body");
    assert!(
        seen::codes(&text).contains("op.request_too_large"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_once_for_its_application_with_its_proof() {
    let gateway = Gateway::start().await;
    let with = |code: &str, changes: &[(&'static str, Option<&'static str>)]| {
        let mut fields: Vec<(String, String)> = redemption("web", code)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        for (name, value) in changes {
            fields.retain(|(known, _)| known != name);
            fields.extend(value.map(|value| ((*name).to_owned(), value.to_owned())));
        }
        fields
    };
    let wrong: &'static str = Box::leak("a".repeat(43).into_boxed_str());
    for (challenge, changes, code_told) in [
        (None, vec![("code", Some("invented"))], "op.code_unknown"),
        (None, vec![("code", None)], "op.parameter_missing"),
        (
            None,
            vec![("client_id", Some("other"))],
            "op.code_of_another_client",
        ),
        (
            None,
            vec![("redirect_uri", None)],
            "op.redirect_uri_differs",
        ),
        (
            None,
            vec![("redirect_uri", Some("http://127.0.0.1:9/cb/"))],
            "op.redirect_uri_differs",
        ),
        (
            None,
            vec![("code_verifier", Some(VERIFIER))],
            "op.code_verifier_unexpected",
        ),
        (Some(CHALLENGE), vec![], "op.code_verifier_missing"),
        (
            Some(CHALLENGE),
            vec![("code_verifier", Some(""))],
            "op.code_verifier_missing",
        ),
        (
            Some(CHALLENGE),
            vec![("code_verifier", Some(CHALLENGE))],
            "op.code_verifier_wrong",
        ),
        (
            Some(CHALLENGE),
            vec![("code_verifier", Some(wrong))],
            "op.code_verifier_wrong",
        ),
    ] {
        let code = code(&gateway, "web", challenge).await;
        let fields = with(&code, &changes);
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let answer = gateway.token(&fields).await;
        assert_eq!(refused(&answer).2, code_told, "{changes:?}");
        assert_eq!(answer.0, 400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_guess_burns_the_code_and_a_second_use_is_told() {
    let gateway = Gateway::start().await;
    let first = code(&gateway, "web", Some(CHALLENGE)).await;
    let mut fields = redemption("web", &first);
    assert_eq!(
        refused(&gateway.token(&fields).await).2,
        "op.code_verifier_missing"
    );
    fields.push(("code_verifier", VERIFIER));
    let answer = gateway.token(&fields).await;
    assert_eq!(refused(&answer), (400, "invalid_grant", "op.code_replayed"));
    let second = code(&gateway, "web", Some(CHALLENGE)).await;
    let mut fields = redemption("web", &second);
    fields.push(("code_verifier", VERIFIER));
    let (left, right) = tokio::join!(gateway.token(&fields), gateway.token(&fields));
    let mut statuses = [left.0, right.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400], "{left:?} {right:?}");
    let late = code(&gateway, "web", None).await;
    gateway.app.clock.step(61);
    let answer = gateway.token(&redemption("web", &late)).await;
    assert_eq!(refused(&answer).2, "op.code_unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_application_redeems_by_its_verifier_alone() {
    let gateway = Gateway::start().await;
    let code = code(&gateway, "public", Some(CHALLENGE)).await;
    let mut fields = redemption("public", &code);
    fields.retain(|(name, _)| *name != "client_secret");
    fields.push(("code_verifier", VERIFIER));
    let (status, answer) = gateway.token(&fields).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        claims(answer["id_token"].as_str().expect("a token"))["aud"],
        "public"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn client_credentials_are_for_the_management_api_and_registered_scopes() {
    let gateway = Gateway::start().await;
    let audience = format!("{}/api", gateway.base);
    let ask = |audience: String, scope: &'static str| {
        let gateway = &gateway;
        async move {
            let fields = [
                ("grant_type", "client_credentials"),
                ("client_id", "ops"),
                ("client_secret", SECRET),
                ("audience", &audience),
                ("scope", scope),
            ];
            gateway.token(&fields).await
        }
    };
    for other in [
        "",
        "https://evil.test/api",
        &format!("{audience}/"),
        &gateway.base,
    ] {
        let answer = ask(other.to_owned(), "").await;
        assert_eq!(
            refused(&answer),
            (400, "invalid_target", "op.audience_invalid"),
            "{other}"
        );
    }
    for scope in [
        "read:users",
        "read:connections delete:users",
        "openid",
        "READ:connections",
    ] {
        let answer = ask(audience.clone(), scope).await;
        assert_eq!(
            refused(&answer),
            (400, "invalid_scope", "op.scope_not_allowed"),
            "{scope}"
        );
    }
    let (status, answer) = ask(audience.clone(), "read:connections").await;
    assert_eq!(
        (status, &answer["scope"]),
        (200, &json!("read:connections"))
    );
    let token = answer["access_token"].as_str().expect("a token");
    let profile = client()
        .get(format!("{}/oauth2/v2/user_profile", gateway.base))
        .bearer_auth(token);
    assert_eq!(
        refused(&read(profile).await),
        (401, "invalid_token", "op.token_audience")
    );
}

mod private_key_jwt {
    use super::*;

    struct Caller {
        gateway: Gateway,
        key: SigningKey,
    }

    fn key(algorithm: SigningAlgorithm) -> SigningKey {
        SigningKey::generate(algorithm).expect("a key")
    }

    /// A gateway whose application `jwt` has one RS256 key.
    async fn caller() -> Caller {
        let key = key(SigningAlgorithm::Rs256);
        let jwks = json!({"keys": [key.public_jwk()]}).to_string();
        let lines = format!(
            "[[applications]]\nclient_id = \"jwt\"\njwks = '{jwks}'\ngrant_types = [\"client_credentials\"]\nscopes = [\"read:connections\"]\n"
        );
        Caller {
            gateway: Gateway::with(&lines).await,
            key,
        }
    }

    impl Caller {
        fn claims(&self, jti: &str) -> Value {
            let now = self.gateway.app.clock.now().as_second();
            json!({"iss": "jwt", "sub": "jwt", "aud": self.gateway.base, "exp": now + 60, "jti": jti})
        }

        fn sign(&self, claims: &Value) -> String {
            jose::sign(&self.key, "JWT", claims).expect("signed")
        }

        async fn present(&self, jwt: &str) -> (u16, Value) {
            let audience = format!("{}/api", self.gateway.base);
            let fields = [
                ("grant_type", "client_credentials"),
                ("client_assertion_type", JWT_BEARER),
                ("client_assertion", jwt),
                ("client_id", "jwt"),
                ("audience", &audience),
            ];
            self.gateway.token(&fields).await
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_assertion_passes_once() {
        let caller = caller().await;
        let jwt = caller.sign(&caller.claims("1"));
        let (status, answer) = caller.present(&jwt).await;
        assert_eq!(status, 200, "{answer}");
        let again = caller.present(&jwt).await;
        assert_eq!(
            refused(&again),
            (401, "invalid_client", "op.client_assertion_replayed")
        );
        let resigned = caller.sign(&caller.claims("1"));
        assert_eq!(
            refused(&caller.present(&resigned).await).2,
            "op.client_assertion_replayed"
        );
        let both = caller.sign(&caller.claims("2"));
        let (left, right) = tokio::join!(caller.present(&both), caller.present(&both));
        assert_eq!(left.0.min(right.0), 200);
        assert_eq!(left.0.max(right.0), 401);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_claim_binds_it() {
        let caller = caller().await;
        let now = caller.gateway.app.clock.now().as_second();
        for (name, value, code) in [
            ("iss", json!("web"), "op.client_assertion_subject"),
            ("sub", json!("web"), "op.client_assertion_subject"),
            (
                "aud",
                json!("https://evil.test"),
                "op.client_assertion_audience",
            ),
            (
                "aud",
                json!([caller.gateway.base, "https://evil.test"]),
                "op.client_assertion_audience",
            ),
            ("exp", json!(now - 31), "op.client_assertion_time"),
            ("exp", json!(now + 3600), "op.client_assertion_time"),
            ("exp", json!(1e300), "op.client_assertion_time"),
            ("exp", Value::Null, "op.client_assertion_time"),
            ("nbf", json!(now + 90), "op.client_assertion_time"),
            ("jti", Value::Null, "op.client_assertion_malformed"),
            (
                "jti",
                json!("x".repeat(257)),
                "op.client_assertion_malformed",
            ),
        ] {
            let mut claims = caller.claims("1");
            claims[name] = value.clone();
            let answer = caller.present(&caller.sign(&claims)).await;
            assert_eq!(
                refused(&answer),
                (401, "invalid_client", code),
                "{name} {value}"
            );
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_other_algorithm_takes_the_keys_place() {
        let caller = caller().await;
        let jwt = caller.sign(&caller.claims("1"));
        let payload = jwt.split('.').nth(1).expect("a payload");
        let kid = caller.key.id();
        let forged = |header: Value, signature: &dyn Fn(&str) -> Vec<u8>| {
            let input = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header.to_string()));
            let signature = URL_SAFE_NO_PAD.encode(signature(&input));
            format!("{input}.{signature}")
        };
        let pem = caller.key.private().public_key_to_pem().expect("PEM");
        let hmac = |input: &str| {
            let key = PKey::hmac(&pem).expect("a key");
            let digest = openssl::hash::MessageDigest::sha256();
            let mut signer = openssl::sign::Signer::new(digest, &key).expect("a signer");
            signer
                .sign_oneshot_to_vec(input.as_bytes())
                .expect("signed")
        };
        let other = key(SigningAlgorithm::Es256);
        for (jwt, code) in [
            (
                forged(json!({"alg": "none"}), &|_| Vec::new()),
                "op.client_assertion_signature",
            ),
            (
                forged(json!({"alg": "nOnE", "kid": kid}), &|_| Vec::new()),
                "op.client_assertion_signature",
            ),
            (
                forged(json!({"alg": "HS256", "kid": kid}), &hmac),
                "op.client_assertion_signature",
            ),
            (
                forged(json!({"alg": "ES256", "kid": kid}), &|input| {
                    other.sign(input.as_bytes()).expect("signed")
                }),
                "op.client_assertion_signature",
            ),
            (
                forged(json!({"alg": "RS256", "kid": kid}), &|_| vec![0; 256]),
                "op.client_assertion_signature",
            ),
            (
                forged(
                    json!({"alg": "ES256", "jwk": other.public_jwk()}),
                    &|input| other.sign(input.as_bytes()).expect("signed"),
                ),
                "op.client_assertion_signature",
            ),
            (
                forged(
                    json!({"alg": "RS256", "kid": kid, "crit": ["b64"], "b64": false}),
                    &|_| vec![0; 256],
                ),
                "op.client_assertion_malformed",
            ),
            (
                jose::sign(&caller.key, "at+jwt", &caller.claims("1")).expect("signed"),
                "op.client_assertion_malformed",
            ),
            (
                jose::sign(&key(SigningAlgorithm::Rs256), "JWT", &caller.claims("1"))
                    .expect("signed"),
                "op.client_assertion_signature",
            ),
            ("x".to_owned(), "op.client_assertion_malformed"),
        ] {
            let answer = caller.present(&jwt).await;
            assert_eq!(refused(&answer), (401, "invalid_client", code), "{jwt}");
        }
        let untouched = caller.present(&jwt).await;
        assert_eq!(
            untouched.0, 200,
            "a forgery does not spend the jti: {untouched:?}"
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn keys_that_cannot_be_fetched_are_told_and_not_asked_for_at_will() {
        let server = Hostile::start(|_| hostile::status(500, b"x")).await;
        let lines = format!(
            "[[applications]]\nclient_id = \"jwt\"\njwks_uri = \"{}\"\ngrant_types = [\"client_credentials\"]\n",
            server.url("/jwks")
        );
        let caller = Caller {
            gateway: Gateway::with(&lines).await,
            key: key(SigningAlgorithm::Rs256),
        };
        for jti in ["1", "2", "3"] {
            let answer = caller.present(&caller.sign(&caller.claims(jti))).await;
            assert_eq!(
                refused(&answer),
                (401, "invalid_client", "op.client_keys_unavailable")
            );
        }
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn userinfo_takes_a_persons_access_token_while_the_login_lasts() {
    let gateway = Gateway::start().await;
    let (id_token, access_token) = tokens(&gateway).await;
    let profile = |token: &str| {
        let request = client().get(format!("{}/oauth2/v2/user_profile", gateway.base));
        read(if token.is_empty() {
            request
        } else {
            request.bearer_auth(token)
        })
    };
    let cut = &access_token[..access_token.len() - 4];
    for (token, code) in [
        ("", "op.token_missing"),
        ("x", "op.token_invalid"),
        (cut, "op.token_invalid"),
        (&id_token, "op.token_invalid"),
        (&gateway.api_token().await, "op.token_audience"),
        // The code of these tests stands for a login that the store does not have, or no longer.
        (&access_token, "op.session_ended"),
    ] {
        assert_eq!(refused(&profile(token).await), (401, "invalid_token", code));
    }
    gateway.app.clock.step(3601);
    assert_eq!(refused(&profile(&access_token).await).2, "op.token_expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_leads_to_registered_addresses_alone() {
    let gateway = Gateway::start().await;
    let (id_token, _) = tokens(&gateway).await;
    let logout = |query: &[(&str, &str)]| {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query)
            .finish();
        let (url, mut browser) = (
            format!("{}/logout?{query}", gateway.base),
            gateway.browser(),
        );
        async move { browser.step(&url).await }
    };
    for evil in [
        "https://evil.test/",
        "//evil.test/",
        "http://127.0.0.1:9/bye/",
        "http://127.0.0.1:9/bye#x",
        "http://127.0.0.1:9@evil.test/bye",
        "http://127.0.0.1:9/cb",
        "javascript:alert(1)",
        "/\\evil.test",
    ] {
        for query in [
            vec![
                ("post_logout_redirect_uri", evil),
                ("id_token_hint", &id_token),
            ],
            vec![("post_logout_redirect_uri", evil), ("client_id", "web")],
            vec![("redirect", evil)],
            vec![("redirect", evil), ("client_id", "web")],
        ] {
            let page = logout(&query).await;
            assert_eq!(
                (page.status.as_u16(), told(&page)),
                (200, "op.logout_redirect_mismatch"),
                "{query:?}"
            );
            assert!(!page.body.contains("evil.test"), "{}", page.body);
        }
    }
    let bye = "http://127.0.0.1:9/bye";
    let anonymous = logout(&[("post_logout_redirect_uri", bye)]).await;
    assert_eq!(told(&anonymous), "op.logout_redirect_mismatch");
    let sound = logout(&[
        ("post_logout_redirect_uri", bye),
        ("id_token_hint", &id_token),
        ("state", "a&b"),
    ])
    .await;
    assert_eq!(
        sound.headers[LOCATION],
        "http://127.0.0.1:9/bye?state=a%26b"
    );
    let forged = format!("{}x", &id_token[..id_token.len() - 1]);
    let (_, access_token) = tokens(&gateway).await;
    for hint in ["x", "e30.e30.", &forged, &access_token] {
        let page = logout(&[("id_token_hint", hint), ("post_logout_redirect_uri", bye)]).await;
        assert_eq!(
            (page.status.as_u16(), told(&page)),
            (400, "op.logout_hint_invalid"),
            "{hint}"
        );
    }
    let another = logout(&[("id_token_hint", &id_token), ("client_id", "other")]).await;
    assert_eq!(told(&another), "op.logout_hint_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_cannot_be_signed_without_an_active_key_and_that_is_told() {
    let mut gateway = Gateway::start().await;
    let now = gateway.app.clock.now();
    for key in gateway.app.store.keys().await.expect("keys") {
        gateway
            .app
            .store
            .move_key(&key.id, "retired", now)
            .await
            .expect("moved");
    }
    gateway.restart().await;
    let audience = format!("{}/api", gateway.base);
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", "ops"),
        ("client_secret", SECRET),
        ("audience", &audience),
    ];
    let answer = gateway.token(&fields).await;
    assert_eq!(refused(&answer), (503, "server_error", "op.signing_failed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_are_not_there_say_so() {
    let gateway = Gateway::start().await;
    let mut browser = gateway.browser();
    for path in [
        "/nothing",
        "/oauth2",
        "/login/callback/",
        "/saml/%ff/metadata",
        "/login/callback/%ff",
    ] {
        let page = browser.step(&format!("{}{path}", gateway.base)).await;
        assert_eq!(
            (page.status.as_u16(), told(&page)),
            (404, "gateway.not_found"),
            "{path}"
        );
    }
    let page = browser
        .step(&format!("{}/oauth2/token", gateway.base))
        .await;
    assert_eq!(
        (page.status.as_u16(), told(&page)),
        (405, "gateway.method_not_allowed")
    );
    assert_eq!(page.headers["allow"], "POST");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_host_header_changes_nothing_that_is_told() {
    let gateway = Gateway::start().await;
    let url = format!("{}/.well-known/openid-configuration", gateway.base);
    let (_, sound) = read(client().get(&url)).await;
    assert_eq!(sound["issuer"], gateway.base);
    for (name, value) in [
        ("host", "evil.test"),
        ("x-forwarded-host", "evil.test"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "host=evil.test"),
    ] {
        let (_, told) = read(client().get(&url).header(name, value)).await;
        assert_eq!(told, sound, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn published_keys_are_public() {
    let gateway = Gateway::start().await;
    let url = format!("{}/.well-known/jwks.json", gateway.base);
    let (_, answer) = read(client().get(&url)).await;
    let keys = answer["keys"].as_array().expect("keys");
    assert_eq!(keys.len(), 2);
    for key in keys {
        let private = ["d", "p", "q", "dp", "dq", "qi", "k"];
        assert!(private.iter().all(|name| key.get(name).is_none()), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_a_form_or_a_query_is_not_read() {
    let gateway = Gateway::start().await;
    let (_, token) = tokens(&gateway).await;
    let url = format!("{}/oauth2/v2/user_profile", gateway.base);
    let query = client().get(format!("{url}?access_token={token}"));
    let form = client()
        .post(&url)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(format!("access_token={token}"));
    for request in [query, form] {
        assert_eq!(refused(&read(request).await).2, "op.token_missing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_forbids_framing_and_sniffing() {
    let gateway = Gateway::start().await;
    for path in [
        "/oauth2/auth",
        "/logout",
        "/nothing",
        "/oauth2/v2/user_profile",
        "/api/v1/connections",
        "/api/v1/%ff",
        "/.well-known/openid-configuration",
        "/healthz",
    ] {
        let answer = client().get(format!("{}{path}", gateway.base));
        let headers = answer.send().await.expect("an answer").headers().clone();
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["x-frame-options"], "DENY", "{path}");
        let policy = headers["content-security-policy"].to_str().expect("text");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(
            !headers.contains_key("access-control-allow-origin"),
            "{path}"
        );
    }
}
