//! Security headers, page by page.

use fedgate_lab::saml_idp::Lie;
use fedgate_tests::browser::Page;
use fedgate_tests::gateway::Gateway;
use fedgate_tests::login::{answer, begin};
use fedgate_tests::upstream::{ALICE, SamlUpstream};
use reqwest::header::HeaderMap;
use serde_json::json;

fn is<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers
        .get(name)
        .map_or("", |value| value.to_str().expect("text"))
}

fn check(what: &str, page: &Page) {
    let headers = &page.headers;
    let policy = is(headers, "content-security-policy");
    for directive in [
        "default-src 'none'",
        "script-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(directive), "{what}: {policy}");
    }
    assert!(
        !policy.contains("unsafe") && !policy.contains("data:"),
        "{what}: {policy}"
    );
    assert_eq!(is(headers, "cache-control"), "no-store", "{what}");
    assert_eq!(is(headers, "referrer-policy"), "strict-origin", "{what}");
    assert_eq!(
        is(headers, "cross-origin-resource-policy"),
        "same-origin",
        "{what}"
    );
    assert!(
        is(headers, "permissions-policy").contains("camera=()"),
        "{what}"
    );
    // A window that an application opened for the sign-in must find its way back to it.
    assert_eq!(
        is(headers, "cross-origin-opener-policy"),
        "unsafe-none",
        "{what}"
    );
    let inline = page.body.contains("<script>")
        || page.body.contains("<style")
        || page.body.contains(" style=");
    assert!(!inline, "{what}: {}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_a_login_is_one_persons_and_runs_nothing_inline() {
    let gateway = Gateway::start().await;
    let idp = SamlUpstream::start().await;
    let connection = idp.connect(&gateway, json!({})).await;
    let asked = [("connection_id", connection.id.as_str())];
    let mut browser = gateway.browser();
    check(
        "the sign-in page",
        &browser.open(&gateway.authorize_url(&[])).await,
    );
    check(
        "on the way",
        &browser.step(&gateway.authorize_url(&asked)).await,
    );
    let nowhere = gateway.authorize_url(&[("client_id", "nobody")]);
    check("a refused request", &browser.step(&nowhere).await);
    check(
        "signed out",
        &browser.step(&format!("{}/logout", gateway.base)).await,
    );
    check(
        "nothing there",
        &browser.step(&format!("{}/nothing", gateway.base)).await,
    );
    let login = begin(&mut browser, &gateway, &asked).await;
    let refused = answer(&mut browser, &login, ALICE, Lie::WrongAudience.name()).await;
    check("a refused login", &refused);
    for path in [
        "/metrics",
        "/healthz",
        "/readyz",
        "/api/v1/connections",
        "/oauth2/v2/user_profile",
    ] {
        let page = browser.step(&format!("{}{path}", gateway.base)).await;
        assert_eq!(is(&page.headers, "cache-control"), "no-store", "{path}");
    }
    let script = browser
        .step(&format!("{}/assets/fedgate.js", gateway.base))
        .await;
    assert!(is(&script.headers, "cache-control").starts_with("public"));
}

/// Where the person is signed in at the identity provider already, the redirects after the form run on to the application.
#[tokio::test(flavor = "multi_thread")]
async fn a_form_may_lead_to_a_native_application() {
    let native =
        "[[applications]]\nclient_id = \"native\"\nredirect_uris = [\"com.example.app:/cb\"]\n";
    let gateway = Gateway::with(native).await;
    let native = [
        ("client_id", "native"),
        ("redirect_uri", "com.example.app:/cb"),
        (
            "code_challenge",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        ),
        ("code_challenge_method", "S256"),
    ];
    let page = gateway
        .browser()
        .open(&gateway.authorize_url(&native))
        .await;
    let policy = is(&page.headers, "content-security-policy");
    let form_action = "form-action 'self' https: http: com.example.app:;";
    assert!(policy.contains(form_action), "{policy}");
    check("the sign-in page", &page);
}
