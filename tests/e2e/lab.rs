//! Logins through the lab's identity providers: every lie, by the code on the page that the person ends on.

use std::fmt::Write as _;
use std::net::SocketAddr;

use fedgate_lab::demo::Demo;
use fedgate_lab::person::PASSWORD;
use fedgate_lab::{oidc_op, saml_idp};
use fedgate_tests::browser::{Browser, Page};
use fedgate_tests::seen;
use serde_json::{Value, json};
use url::Url;

const ALICE: &str = "alice@acme.test";
const BOB: &str = "bob@globex.test";

async fn demo() -> Demo {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    Demo::start(any).await.expect("the demo")
}

/// Begins at the application: the page that the gateway leads to.
async fn begin(demo: &Demo, browser: &mut Browser, hints: &[(&str, &str)]) -> Page {
    let address = format!("{}/sign-in", demo.application.options().base_url);
    let url = Url::parse_with_params(&address, hints).expect("an address");
    browser.open(url.as_str()).await
}

/// Signs in at the identity provider, lying, and posts its answer where it answers by a form.
async fn finish(browser: &mut Browser, login: &Page, email: &str, lie: &str) -> Page {
    let fields = [("email", email), ("password", PASSWORD), ("lie", lie)];
    let page = browser.submit(&login.form(), &fields).await;
    if page.attribute("form", "data-auto-post").is_some() {
        return browser.submit(&page.form(), &[]).await;
    }
    page
}

/// The code that a page tells: of a refusal, or of the OAuth error that the application got; `signed in` without one.
fn code(demo: &Demo, page: &Page) -> String {
    if page.url.as_str() == format!("{}/", demo.application.options().base_url) {
        return "signed in".to_owned();
    }
    let description = page.query("error_description");
    let at_application = page
        .url
        .as_str()
        .starts_with(&demo.application.options().base_url);
    match description.filter(|_| at_application) {
        Some(description) => description.split(':').next().unwrap_or_default().to_owned(),
        None => page
            .text("code")
            .unwrap_or_else(|| panic!("{}: {}", page.url, page.body)),
    }
}

async fn outcome(demo: &Demo, hints: &[(&str, &str)], email: &str, lie: &str) -> String {
    let mut browser = Browser::new();
    let login = begin(demo, &mut browser, hints).await;
    if login.attribute("#lie", "name").is_none() {
        return code(demo, &login);
    }
    code(demo, &finish(&mut browser, &login, email, lie).await)
}

async fn table(demo: &Demo, email: &str, lies: impl Iterator<Item = &'static str>) -> String {
    let mut table = String::new();
    for lie in lies {
        let outcome = outcome(demo, &[("login_hint", email)], email, lie).await;
        writeln!(table, "{lie} {outcome}").expect("a string");
    }
    table
}

/// Another connection of the demo's application.
fn connection(strategy: &str, options: &Value) -> Value {
    json!({ "name": "another", "strategy": strategy, "enabled_applications": ["demo"], "options": options })
}

async fn connect(demo: &Demo, strategy: &str, options: &Value) -> String {
    let body = connection(strategy, options);
    demo.management
        .create_connection(&body)
        .await
        .expect("a connection")
}

/// Options of a connection to one of the lying issuers of the lab's OpenID Provider.
fn oidc_options(demo: &Demo, issuer: &str) -> Value {
    let op = demo.oidc_op.options();
    let issuer = format!("{}/{issuer}", op.base_url);
    json!({ "issuer": issuer, "client_id": op.client_id, "client_secret": op.client_secret })
}

async fn saml_with(demo: &Demo, option: &str, value: &str) -> String {
    let options = json!({ "saml_idp_metadata_url": demo.saml_idp.entity_id(), option: value });
    connect(demo, "saml:custom", &options).await
}

#[tokio::test]
async fn every_lie_of_the_saml_identity_provider_ends_as_it_must() {
    let demo = demo().await;
    let table = table(
        &demo,
        ALICE,
        saml_idp::Lie::ALL.iter().map(|lie| lie.name()),
    )
    .await;
    assert_eq!(table, include_str!("lab/saml.txt"));
}

#[tokio::test]
async fn every_lie_of_the_openid_provider_ends_as_it_must() {
    let demo = demo().await;
    let table = table(&demo, BOB, oidc_op::Lie::ALL.iter().map(|lie| lie.name())).await;
    assert_eq!(table, include_str!("lab/oidc.txt"));
}

#[tokio::test]
async fn freshness_and_strength_that_were_asked_for_are_not_lied_about() {
    let demo = demo().await;
    let (fresh, strong) = (("max_age", "60"), ("acr_values", "urn:lab:mfa"));
    for (email, asked, lie, code) in [
        (ALICE, fresh, "OldAuthnInstant", "saml.authn_too_old"),
        (ALICE, strong, "WeakContext", "saml.authn_context_mismatch"),
        (ALICE, fresh, "Honest", "signed in"),
        (ALICE, strong, "Honest", "signed in"),
        (
            BOB,
            fresh,
            "OldAuthentication",
            "oidc.authentication_too_old",
        ),
        (BOB, fresh, "NoAuthTime", "oidc.authentication_too_old"),
        (BOB, strong, "WeakContext", "oidc.acr_mismatch"),
        (BOB, fresh, "Honest", "signed in"),
        (BOB, strong, "Honest", "signed in"),
    ] {
        let found = outcome(&demo, &[("login_hint", email), asked], email, lie).await;
        assert_eq!(found, code, "{email} {asked:?} {lie}");
    }
}

#[tokio::test]
async fn a_stricter_connection_wants_what_it_names() {
    let demo = demo().await;
    let policy = "saml_signature_policy";
    for (option, value, lie, code) in [
        (policy, "assertion_signed", "Honest", "signed in"),
        (
            policy,
            "assertion_signed",
            "ResponseSignedOnly",
            "saml.assertion_not_signed",
        ),
        (policy, "response_signed", "ResponseSignedOnly", "signed in"),
        (
            policy,
            "response_signed",
            "AssertionSignedOnly",
            "saml.response_not_signed",
        ),
        ("saml_user_id_key_attr", "email", "Honest", "signed in"),
        ("saml_user_id_key_attr", "email", "NoNameId", "signed in"),
        (
            "saml_user_id_key_attr",
            "email",
            "NoAttributes",
            "saml.subject_attribute_missing",
        ),
        (
            "saml_user_id_key_attr",
            "email",
            "TwoAddresses",
            "saml.subject_attribute_invalid",
        ),
    ] {
        let connection = saml_with(&demo, option, value).await;
        let found = outcome(&demo, &[("connection_id", &connection)], ALICE, lie).await;
        assert_eq!(found, code, "{option} {value} {lie}");
    }
}

#[tokio::test]
async fn a_request_by_the_post_binding_is_answered() {
    let demo = demo().await;
    let posting = saml_with(&demo, "protocol_binding", "HTTP-POST").await;
    let mut browser = Browser::new();
    let on_the_way = begin(&demo, &mut browser, &[("connection_id", &posting)]).await;
    let login = browser.submit(&on_the_way.form(), &[]).await;
    let page = finish(&mut browser, &login, ALICE, "Honest").await;
    assert_eq!(code(&demo, &page), "signed in");
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_is_refused() {
    let demo = demo().await;
    let base = &demo.app.site.base_url;
    let acs = format!("{base}/saml/{}/acs", demo.acme);
    let audience = format!("{base}/saml/{}/metadata", demo.acme);
    let address = demo
        .saml_idp
        .entity_id()
        .replace("/metadata", "/unsolicited");
    let url = Url::parse_with_params(&address, [("acs", &acs), ("audience", &audience)]);
    let mut browser = Browser::new();
    let login = browser.open(url.expect("an address").as_str()).await;
    let page = finish(&mut browser, &login, ALICE, "Honest").await;
    assert_eq!(code(&demo, &page), "login.state_missing");
}

#[tokio::test]
async fn a_provider_that_describes_itself_wrongly_stays_a_draft() {
    let demo = demo().await;
    for (issuer, code) in [
        ("other-issuer", "oidc.discovery_issuer_mismatch"),
        ("no-endpoint", "oidc.discovery_malformed"),
        ("not-json", "oidc.discovery_malformed"),
        ("nobody", "egress.status"),
    ] {
        let body = connection("oidc:custom", &oidc_options(&demo, issuer));
        let answer = demo
            .management
            .post("/api/v1/connections", &body)
            .await
            .expect("an answer");
        seen::note(&answer.to_string());
        assert_eq!(answer["connection"]["status"], "draft", "{issuer}");
        assert_eq!(answer["connection"]["missing"][0]["code"], code, "{issuer}");
    }
}

#[tokio::test]
async fn a_provider_whose_keys_cannot_be_read_signs_nobody_in() {
    let demo = demo().await;
    let connection = connect(&demo, "oidc:custom", &oidc_options(&demo, "no-keys")).await;
    let hints = [("connection_id", connection.as_str())];
    assert_eq!(
        outcome(&demo, &hints, BOB, "NoIssInCallback").await,
        "oidc.keys_malformed"
    );
}
