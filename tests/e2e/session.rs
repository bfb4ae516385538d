//! Whole logins at the OpenID Provider, over the lab's: what lasts as long as the login, and what ends with it.

use std::sync::Arc;

use fedgate::app::Clock;
use fedgate_lab::oidc_op::{OidcOp, OidcOpOptions};
use fedgate_lab::person::{PASSWORD, globex};
use fedgate_tests::browser::Page;
use fedgate_tests::gateway::{Gateway, REDIRECT_URI, SECRET, client, read};
use fedgate_tests::seen;
use reqwest::header::LOCATION;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

const BOB: &str = "bob@globex.test";

/// Connects a gateway to an OpenID Provider of the lab, which people of `globex.test` are routed to.
async fn connect(gateway: &Gateway) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base_url = format!("http://{}", listener.local_addr().expect("an address"));
    let options = OidcOpOptions {
        base_url: base_url.clone(),
        name: "Globex".into(),
        people: globex(),
        client_id: "gateway".into(),
        client_secret: "upstream-secret".into(),
    };
    let op = Arc::new(OidcOp::new(options, Arc::new(Clock::default())).expect("keys"));
    tokio::spawn(async move { axum::serve(listener, op.router()).await });
    let body = json!({
        "name": "Globex", "display_name": "Globex", "strategy": "oidc:custom", "status": "active",
        "enabled_applications": ["web"],
        "options": {"home_realm_domains": ["globex.test"], "is_create_missing_user": true, "issuer": base_url,
                    "client_id": "gateway", "client_secret": "upstream-secret"},
    });
    gateway.create_connection(body).await;
}

/// Signs Bob in and stops at the gateway's answer to the callback.
async fn sign_in(gateway: &Gateway) -> Page {
    let mut browser = gateway.browser();
    let login = browser
        .open(&gateway.authorize_url(&[("login_hint", BOB)]))
        .await;
    let fields = [("email", BOB), ("password", PASSWORD)];
    let sent = browser.submit_step(&login.form(), &fields).await;
    let callback = sent.headers[LOCATION].to_str().expect("text");
    browser.step(callback).await
}

/// The code of a sign-in that succeeded.
async fn code(gateway: &Gateway) -> String {
    let page = sign_in(gateway).await;
    let location = page
        .headers
        .get(LOCATION)
        .unwrap_or_else(|| panic!("{}", page.body));
    let url = Url::parse(location.to_str().expect("text")).expect("a URL");
    let found = url.query_pairs().find(|(name, _)| name == "code");
    found.expect("a code").1.into_owned()
}

async fn redeem(gateway: &Gateway, code: &str) -> (u16, Value) {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("client_id", "web"),
        ("client_secret", SECRET),
    ];
    gateway.token(&fields).await
}

async fn profile(gateway: &Gateway, tokens: &Value) -> (u16, Value) {
    let token = tokens["access_token"].as_str().expect("a token");
    let url = format!("{}/oauth2/v2/user_profile", gateway.base);
    read(client().get(url).bearer_auth(token)).await
}

fn ended(answer: &(u16, Value)) -> bool {
    let description = answer.1["error_description"].as_str().unwrap_or_default();
    answer.0 == 401 && description.starts_with("op.session_ended:")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_told_until_the_person_signs_out() {
    let gateway = Gateway::start().await;
    connect(&gateway).await;
    let (status, tokens) = redeem(&gateway, &code(&gateway).await).await;
    assert_eq!(status, 200, "{tokens}");
    let (status, person) = profile(&gateway, &tokens).await;
    assert_eq!((status, &person["email"]), (200, &json!(BOB)));
    let hint = tokens["id_token"].as_str().expect("a token");
    let out = format!("{}/logout?id_token_hint={hint}", gateway.base);
    assert_eq!(gateway.browser().step(&out).await.status, 200);
    assert!(ended(&profile(&gateway, &tokens).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_comes_twice_ends_what_came_of_it() {
    let gateway = Gateway::start().await;
    connect(&gateway).await;
    let code = code(&gateway).await;
    let (_, tokens) = redeem(&gateway, &code).await;
    let stranger = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT_URI),
        ("client_id", "other"),
        ("client_secret", SECRET),
    ];
    assert_eq!(gateway.token(&stranger).await.0, 400);
    let (status, _) = profile(&gateway, &tokens).await;
    assert_eq!(status, 200, "another application's word ends nothing");
    assert_eq!(redeem(&gateway, &code).await.0, 400);
    assert!(ended(&profile(&gateway, &tokens).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_codes_than_may_wait_are_refused_and_none_is_lost() {
    let bounds = [
        ("FEDGATE_LIMITS__WAITING_CODES", "1"),
        ("FEDGATE_LIMITS__WAITING_CODES_PER_CONNECTION", "1"),
    ];
    let gateway = Gateway::configured("", &bounds).await;
    connect(&gateway).await;
    let first = code(&gateway).await;
    let page = sign_in(&gateway).await;
    let codes: Vec<_> = seen::codes(&page.body).into_iter().collect();
    assert_eq!(
        (page.status.as_u16(), codes),
        (503, vec!["op.ephemeral_full"])
    );
    assert_eq!(redeem(&gateway, &first).await.0, 200);
    let third = code(&gateway).await;
    assert_eq!(redeem(&gateway, &third).await.0, 200);
}
