//! What a stranger, or another site in the person's browser, can do to logins through the gateway's own router.

#![allow(
    clippy::expect_used,
    reason = "a test says what it relies on by failing"
)]

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, SET_COOKIE};
use axum::http::{Request, Response};
use fedgate::app::Shared;
use fedgate::config::Config;
use fedgate::{router, serve};
use serde_json::{Value, json};
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
client_secret = "secret"
redirect_uris = ["http://127.0.0.1:3366/cb"]
[[applications]]
client_id = "ops"
client_secret = "ops-secret"
grant_types = ["client_credentials"]
scopes = ["create:connections"]
"#;

const BEGIN: &str = "/oauth2/auth?client_id=demo&redirect_uri=http%3A%2F%2F127.0.0.1%3A3366%2Fcb&response_type=code&scope=openid&state=s";
/// A RelayState as this gateway writes it, of a login that never was.
const STATE: &str = "AAAAAAAAAAAAAAAAAAAAAA";

struct Gateway {
    app: Shared,
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
            router: router::router(app.clone()),
            app,
            _folder: folder,
        }
    }

    async fn send(&self, request: Request<Body>) -> Response<Body> {
        let answer = self.router.clone().oneshot(request).await;
        answer.expect("an answer")
    }

    async fn get(&self, path: &str) -> String {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        text(self.send(request).await).await
    }

    async fn post(&self, path: &str, form: String) -> String {
        let request = form_post(path).body(Body::from(form)).expect("a request");
        text(self.send(request).await).await
    }

    /// The sealed request of a fresh sign-in page.
    async fn sealed(&self) -> String {
        let page = self.get(BEGIN).await;
        let field = page.split("name=\"request\"").nth(1).expect("the field");
        let value = field.split("value=\"").nth(1).expect("its value");
        value.split('"').next().expect("its end").to_owned()
    }

    /// A SAML connection without metadata: nothing that could be opened.
    async fn draft(&self) -> String {
        let token = self
            .post(
                "/oauth2/token",
                "grant_type=client_credentials&client_id=ops&client_secret=ops-secret&audience=http%3A%2F%2F127.0.0.1%3A8080%2Fapi"
                    .to_owned(),
            )
            .await;
        let token: Value = serde_json::from_str(&token).expect("JSON");
        let bearer = token["access_token"].as_str().expect("a token");
        let body = json!({ "name": "acme", "strategy": "saml:custom", "options": {} });
        let request = Request::post("/api/v1/connections")
            .header("authorization", format!("Bearer {bearer}"))
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .expect("a request");
        let answer: Value =
            serde_json::from_str(&text(self.send(request).await).await).expect("JSON");
        answer["connection"]["id"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"))
            .to_owned()
    }
}

fn form_post(path: &str) -> axum::http::request::Builder {
    Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded")
}

async fn text(response: Response<Body>) -> String {
    let octets = to_bytes(response.into_body(), 1 << 20).await;
    String::from_utf8(octets.expect("a body").to_vec()).expect("text")
}

fn says(page: &str, code: &str) -> bool {
    page.contains(&format!(">{code}<"))
}

#[tokio::test]
async fn a_frame_or_a_script_of_another_site_cannot_push_pending_logins_out_of_a_browser() {
    let gateway = Gateway::start().await;
    let sealed = gateway.sealed().await;
    for place in ["iframe", "empty", "image"] {
        let request = form_post("/login/continue").header("sec-fetch-dest", place);
        let body = Body::from(format!("request={sealed}&email=ann%40acme.test"));
        let answer = gateway.send(request.body(body).expect("a request")).await;
        assert!(!answer.headers().contains_key(SET_COOKIE), "{place}");
        assert!(says(&text(answer).await, "login.embedded"), "{place}");
    }
    let form = format!("request={sealed}&email=ann%40acme.test");
    let page = gateway.post("/login/continue", form).await;
    assert!(says(&page, "route.unknown_domain"), "{page}");
}

#[tokio::test]
async fn a_redirect_uri_that_was_taken_away_lives_on_in_no_sealed_request() {
    let gateway = Gateway::start().await;
    let sealed = gateway.sealed().await;
    let store = &gateway.app.store;
    let (mut demo, _) = store
        .application("demo")
        .await
        .expect("a store")
        .expect("demo");
    demo.redirect_uris = vec!["http://127.0.0.1:3366/new".to_owned()];
    for (left, code) in [
        (vec![demo], "op.redirect_uri_mismatch"),
        (vec![], "op.client_unknown"),
    ] {
        let now = gateway.app.clock.now();
        let put = store.put_configured_applications(&left, now).await;
        put.expect("a store");
        let again = gateway.get(&format!("/login/again?request={sealed}")).await;
        let form = format!("request={sealed}&email=ann%40acme.test");
        let continued = gateway.post("/login/continue", form).await;
        for page in [again, continued] {
            assert!(says(&page, code), "{code}: {page}");
            assert!(!page.contains("3366/cb"), "{page}");
        }
    }
}

#[tokio::test]
async fn a_body_of_nothing_but_fields_is_not_unfolded() {
    let gateway = Gateway::start().await;
    let id = format!("conn_{}", "0".repeat(32));
    for path in [format!("/saml/{id}/acs"), format!("/login/callback/{id}")] {
        let page = gateway.post(&path, "a&".repeat(200_000)).await;
        assert!(says(&page, "login.body_unreadable"), "{path}: {page}");
    }
    let query = format!("/login/callback/{id}?{}", "a&".repeat(200));
    assert!(says(&gateway.get(&query).await, "login.body_unreadable"));
}

#[tokio::test]
async fn an_answer_to_a_connection_that_cannot_be_opened_has_its_trace_among_strangers() {
    let gateway = Gateway::start().await;
    let id = gateway.draft().await;
    let form = format!("SAMLResponse=PGEvPg%3D%3D&RelayState={STATE}");
    let page = gateway.post(&format!("/saml/{id}/acs"), form).await;
    assert!(says(&page, "login.other_browser"), "{page}");
    gateway.app.traces.flush().await;
    let strangers = fedgate::events::trace::STRANGERS;
    let traces = gateway
        .app
        .store
        .traces(strangers, 9)
        .await
        .expect("a store");
    assert_eq!(traces.len(), 1);
    assert_eq!(traces[0].connection_id.as_deref(), Some(id.as_str()));
    assert_eq!(traces[0].strategy.as_deref(), Some("saml:custom"));
}

#[tokio::test]
async fn a_database_that_is_gone_is_not_blamed_on_the_browser() {
    let gateway = Gateway::start().await;
    gateway.app.store.close().await;
    let form = format!("SAMLResponse=PGEvPg%3D%3D&RelayState={STATE}");
    let path = format!("/saml/conn_{}/acs", "0".repeat(32));
    let page = gateway.post(&path, form).await;
    assert!(says(&page, "store.unavailable"), "{page}");
}
