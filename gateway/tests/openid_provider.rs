//! The OpenID Provider through the gateway's own router: what an application or an attacker sees on the wire.

#![expect(clippy::expect_used, reason = "a test, whose set-up must hold")]

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, LOCATION, REFERRER_POLICY, WWW_AUTHENTICATE,
};
use axum::http::{Method, Request, Response, StatusCode};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use fedgate::config::Config;
use fedgate::{router, serve};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;

const CONFIG: &str = r#"
[server]
public_url = "http://127.0.0.1:8080"
listen = "127.0.0.1:8080"
[store]
url = "sqlite::memory:"
[secrets]
master_key_file = "master.key"
[[applications]]
client_id = "demo"
client_secret = "s3:cret+%"
redirect_uris = ["http://127.0.0.1:3366/cb"]
post_logout_redirect_uris = ["http://127.0.0.1:3366/bye"]
[[applications]]
client_id = "native"
redirect_uris = ["http://127.0.0.1:3377/cb"]
[[applications]]
client_id = "ops"
client_secret = "ops-secret"
grant_types = ["client_credentials"]
scopes = ["read:connections", "create:connections"]
"#;

const SOUND: &str = "client_id=demo&redirect_uri=http%3A%2F%2F127.0.0.1%3A3366%2Fcb&response_type=code&scope=openid&state=s";

struct Gateway {
    router: Router,
    _folder: TempDir,
}

impl Gateway {
    async fn start() -> Self {
        let folder = TempDir::new().expect("a folder");
        let config =
            Config::parse(CONFIG, &folder.path().join("fedgate.toml"), []).expect("a sound config");
        let app = serve::open(config).await.expect("opened");
        Self {
            router: router::router(app),
            _folder: folder,
        }
    }

    async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router
            .clone()
            .oneshot(request)
            .await
            .expect("an answer")
    }

    async fn get(&self, path: &str) -> Response<Body> {
        self.send(Request::get(path).body(Body::empty()).expect("a request"))
            .await
    }

    async fn post(&self, path: &str, basic: Option<&str>, form: &str) -> Response<Body> {
        let mut request =
            Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(pair) = basic {
            request = request.header(AUTHORIZATION, format!("Basic {}", STANDARD.encode(pair)));
        }
        self.send(
            request
                .body(Body::from(form.to_owned()))
                .expect("a request"),
        )
        .await
    }
}

async fn text(response: Response<Body>) -> String {
    let octets = to_bytes(response.into_body(), 1 << 20)
        .await
        .expect("a body");
    String::from_utf8(octets.to_vec()).expect("text")
}

async fn json(response: Response<Body>) -> Value {
    serde_json::from_str(&text(response).await).expect("JSON")
}

fn location(response: &Response<Body>) -> &str {
    response.headers()[LOCATION].to_str().expect("ASCII")
}

#[tokio::test]
async fn discovery_and_keys_are_public_and_agree() {
    let gateway = Gateway::start().await;
    let document = json(gateway.get("/.well-known/openid-configuration").await).await;
    assert_eq!(document["issuer"], "http://127.0.0.1:8080");
    assert_eq!(
        document["jwks_uri"],
        "http://127.0.0.1:8080/.well-known/jwks.json"
    );
    let response = gateway.get("/.well-known/jwks.json").await;
    assert!(
        response.headers()[CACHE_CONTROL]
            .to_str()
            .expect("ASCII")
            .contains("max-age")
    );
    let keys = json(response).await;
    let algorithms: Vec<&str> = keys["keys"]
        .as_array()
        .expect("keys")
        .iter()
        .filter_map(|k| k["alg"].as_str())
        .collect();
    for algorithm in document["id_token_signing_alg_values_supported"]
        .as_array()
        .expect("a list")
    {
        assert!(
            algorithms.contains(&algorithm.as_str().expect("text")),
            "{algorithm}"
        );
    }
    assert!(
        keys["keys"]
            .as_array()
            .expect("keys")
            .iter()
            .all(|key| key.get("d").is_none())
    );
}

#[tokio::test]
async fn a_request_in_doubt_gets_a_page_with_its_code_and_never_a_redirect() {
    let gateway = Gateway::start().await;
    for (query, code) in [
        (SOUND.replace("demo", "nobody"), "op.client_unknown"),
        (
            SOUND.replace("3366%2Fcb", "3366%2Fcb%2Fx"),
            "op.redirect_uri_mismatch",
        ),
        (
            SOUND.replace("state=s", "client_id=native"),
            "op.parameter_repeated",
        ),
        (
            format!("{SOUND}&x={}", "y".repeat(9000)),
            "op.request_too_large",
        ),
        (
            SOUND.replace("state=s", "state=%ff"),
            "op.request_malformed",
        ),
    ] {
        let response = gateway.get(&format!("/oauth2/auth?{query}")).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{code}");
        assert!(!response.headers().contains_key(LOCATION), "{code}");
        assert!(text(response).await.contains(code), "{code}");
    }
}

#[tokio::test]
async fn any_other_refusal_goes_back_to_the_application() {
    let gateway = Gateway::start().await;
    for (extra, error, code) in [
        ("&prompt=none", "login_required", "op.login_required"),
        (
            "&request=x",
            "request_not_supported",
            "op.request_object_unsupported",
        ),
        (
            "&nonce=a&nonce=b",
            "invalid_request",
            "op.parameter_repeated",
        ),
        (
            "&code_challenge=x&code_challenge_method=plain",
            "invalid_request",
            "op.pkce_method_unsupported",
        ),
    ] {
        let response = gateway.get(&format!("/oauth2/auth?{SOUND}{extra}")).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{code}");
        assert_eq!(response.headers()[REFERRER_POLICY], "no-referrer");
        let start = format!("http://127.0.0.1:3366/cb?error={error}&error_description={code}%3A+");
        assert!(
            location(&response).starts_with(&start),
            "{}",
            location(&response)
        );
        assert!(location(&response).ends_with("&state=s&iss=http%3A%2F%2F127.0.0.1%3A8080"));
    }
}

#[tokio::test]
async fn a_posted_request_is_read_alike() {
    let gateway = Gateway::start().await;
    let response = gateway
        .post("/oauth2/auth", None, &format!("{SOUND}&prompt=none"))
        .await;
    assert!(location(&response).contains("error=login_required"));
    let other = Request::post("/oauth2/auth")
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from("{}"));
    assert_eq!(
        gateway.send(other.expect("a request")).await.status(),
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn an_api_client_gets_its_token_as_kindes_client_asks_for_it() {
    let gateway = Gateway::start().await;
    let form = "grant_type=client_credentials&client_id=ops&client_secret=ops-secret&scope=\
                &audience=http%3A%2F%2F127.0.0.1%3A8080%2Fapi";
    let response = gateway.post("/oauth2/token", None, form).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    let answer = json(response).await;
    assert_eq!(
        (&answer["token_type"], &answer["scope"]),
        (
            &"Bearer".into(),
            &"read:connections create:connections".into()
        )
    );
    let token = answer["access_token"].as_str().expect("a token");
    let request =
        Request::get("/oauth2/v2/user_profile").header(AUTHORIZATION, format!("Bearer {token}"));
    let refused = gateway
        .send(request.body(Body::empty()).expect("a request"))
        .await;
    let challenge = refused.headers()[WWW_AUTHENTICATE]
        .to_str()
        .expect("ASCII")
        .to_owned();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert!(
        challenge.contains("error=\"invalid_token\"") && challenge.contains("op.token_audience"),
        "{challenge}"
    );
}

#[tokio::test]
async fn a_configured_secret_passes_by_basic_once_it_is_form_encoded() {
    let gateway = Gateway::start().await;
    let form = "grant_type=authorization_code&code=none";
    let right = json(
        gateway
            .post("/oauth2/token", Some("demo:s3%3Acret%2B%25"), form)
            .await,
    )
    .await;
    assert!(
        right["error_description"]
            .as_str()
            .expect("text")
            .starts_with("op.code_unknown: ")
    );
    let wrong = gateway
        .post("/oauth2/token", Some("demo:s3%3Acret"), form)
        .await;
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    assert!(
        wrong.headers()[WWW_AUTHENTICATE]
            .to_str()
            .expect("ASCII")
            .starts_with("Basic ")
    );
    assert_eq!(json(wrong).await["error"], "invalid_client");
}

#[tokio::test]
async fn secrets_in_a_query_are_not_read() {
    let gateway = Gateway::start().await;
    let path = "/oauth2/token?client_id=ops&client_secret=ops-secret";
    let answer = json(
        gateway
            .post(path, None, "grant_type=client_credentials")
            .await,
    )
    .await;
    assert!(
        answer["error_description"]
            .as_str()
            .expect("text")
            .starts_with("op.client_authentication_missing")
    );
}

#[tokio::test]
async fn userinfo_without_a_token_names_the_scheme_and_no_error() {
    let gateway = Gateway::start().await;
    for method in [Method::GET, Method::POST] {
        let request = Request::builder()
            .method(method)
            .uri("/oauth2/v2/user_profile?access_token=x");
        let response = gateway
            .send(request.body(Body::empty()).expect("a request"))
            .await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(
            response.headers()[WWW_AUTHENTICATE],
            "Bearer realm=\"fedgate\""
        );
    }
}

#[tokio::test]
async fn a_sign_out_is_no_open_redirect() {
    let gateway = Gateway::start().await;
    let onward = gateway
        .get("/logout?redirect=http%3A%2F%2F127.0.0.1%3A3366%2Fbye&state=a%0d")
        .await;
    assert_eq!(
        onward.status(),
        StatusCode::BAD_REQUEST,
        "a control character"
    );
    let onward = gateway
        .get("/logout?redirect=http%3A%2F%2F127.0.0.1%3A3366%2Fbye&state=a+b")
        .await;
    assert_eq!(location(&onward), "http://127.0.0.1:3366/bye?state=a+b");
    for query in [
        "redirect=https%3A%2F%2Fevil.test",
        "post_logout_redirect_uri=%2F%2Fevil.test&client_id=demo",
        "",
    ] {
        let response = gateway.get(&format!("/logout?{query}")).await;
        assert_eq!(response.status(), StatusCode::OK, "{query}");
        assert!(!response.headers().contains_key(LOCATION), "{query}");
    }
    let refused = gateway.post("/logout", None, "id_token_hint=x").await;
    assert!(text(refused).await.contains("op.logout_hint_invalid"));
}
