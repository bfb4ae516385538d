//! `mod_auth_openidc` downstream: logins from both kinds of upstream, sign-out, and refusals.

use std::collections::BTreeMap;

use fedgate_lab::saml_idp::Lie;
use fedgate_tests::browser::{Browser, Page};
use fedgate_tests::counterparts::{Addresses, Apache};
use fedgate_tests::ending::{Ending, check_trace};
use fedgate_tests::gateway::Gateway;
use fedgate_tests::login::{answer, type_address};
use fedgate_tests::upstream::{ALICE, BOB, OidcUpstream, SamlUpstream};
use reqwest::Method;
use serde_json::json;

/// A gateway between the lab's identity providers and Apache.
struct Line {
    gateway: Gateway,
    apache: Apache,
    saml: String,
    _upstreams: (SamlUpstream, OidcUpstream),
}

impl Line {
    async fn start() -> Self {
        let addresses = Addresses::free();
        let gateway = Gateway::with(&addresses.registered()).await;
        let upstreams = (SamlUpstream::start().await, OidcUpstream::start().await);
        let applications = json!(["apache-rs256", "apache-es256"]);
        let more = |domain: &str| json!({"enabled_applications": applications, "options": {"home_realm_domains": [domain]}});
        let saml = upstreams.0.connect(&gateway, more("acme.test")).await;
        upstreams.1.connect(&gateway, more("globex.test")).await;
        Self {
            apache: Apache::start(addresses, &gateway.base),
            gateway,
            saml: saml.id,
            _upstreams: upstreams,
        }
    }

    /// Opens a protected page and comes to the gateway's own: answers it.
    async fn begin(&self, browser: &mut Browser, application: &str) -> Page {
        let page = browser.open(&format!("{application}/claims/")).await;
        let expected = format!("{}/oauth2/auth", self.gateway.base);
        assert!(
            page.url.as_str().starts_with(&expected),
            "{} {}",
            page.url,
            self.apache.log()
        );
        page
    }

    /// Signs in from Apache's protected page to Apache's protected page, and answers what Apache tells the page.
    async fn sign_in(
        &self,
        browser: &mut Browser,
        application: &str,
        person: &str,
    ) -> BTreeMap<String, String> {
        let page = self.begin(browser, application).await;
        let login = type_address(browser, &page, person).await;
        let page = answer(browser, &login, person, "").await;
        let claims = format!("{application}/claims/");
        assert_eq!(
            page.url.as_str(),
            claims,
            "{} {}",
            page.body,
            self.apache.log()
        );
        told(&page)
    }
}

/// The environment that Apache's page was made with.
fn told(page: &Page) -> BTreeMap<String, String> {
    let text = page.text("pre").unwrap_or_default();
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn mod_auth_openidc_asks_with_pkce_and_a_nonce() {
    let line = Line::start().await;
    for application in [&line.apache.rs256, &line.apache.es256] {
        let page = line.begin(&mut line.gateway.browser(), application).await;
        assert_eq!(page.query("code_challenge_method").as_deref(), Some("S256"));
        for name in ["code_challenge", "nonce", "state"] {
            assert!(page.query(name).is_some_and(|value| value.len() >= 20));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mod_auth_openidc_gets_the_claims_of_both_upstreams_under_both_algorithms() {
    let line = Line::start().await;
    let mut subjects = Vec::new();
    for (application, algorithm) in [(&line.apache.rs256, "RS256"), (&line.apache.es256, "ES256")] {
        for (person, strategy) in [(ALICE, "saml:custom"), (BOB, "oidc:custom")] {
            let told = line
                .sign_in(&mut line.gateway.browser(), application, person)
                .await;
            let claim = |name: &str| told.get(&format!("OIDC_CLAIM_{name}")).map(String::as_str);
            assert_eq!(claim("email"), Some(person), "{algorithm} {told:?}");
            assert_eq!(claim("iss"), Some(line.gateway.base.as_str()));
            let expected = format!("apache-{}", algorithm.to_lowercase());
            assert_eq!(claim("aud"), Some(expected.as_str()));
            assert!(claim("ext_provider").is_some_and(|value| value.contains(strategy)));
            subjects.push(told["OIDC_CLAIM_sub"].clone());
        }
    }
    assert_eq!(subjects[0], subjects[2], "alice is one user");
    assert_eq!(subjects[1], subjects[3], "bob is one user");
    assert_ne!(subjects[0], subjects[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn mod_auth_openidc_signs_out_through_the_gateway_and_comes_back() {
    let line = Line::start().await;
    let mut browser = line.gateway.browser();
    let application = line.apache.rs256.clone();
    line.sign_in(&mut browser, &application, ALICE).await;
    let bye = format!("{application}/bye/");
    let out = format!("{application}/claims/callback?logout={bye}");
    let page = browser.open(&out).await;
    assert_eq!(page.url.as_str(), bye, "{}", page.body);
    let through = page.visited.iter().find(|url| url.path() == "/logout");
    let through = through.expect("the gateway's sign-out");
    assert!(through.as_str().starts_with(&line.gateway.base));
    let names: Vec<_> = through
        .query_pairs()
        .map(|(name, _)| name.into_owned())
        .collect();
    assert!(names.contains(&"id_token_hint".to_owned()), "{names:?}");
    // Signed out there, too: the page asks again.
    line.begin(&mut browser, &application).await;
}

/// Apache shows a page of its own, and nobody is signed in. Its words are not those of the error: this version takes any
/// answer with `iss` but without a code for a login that the provider begins (`OIDCDefaultURL`), and RFC 9207 section 2
/// wants `iss` in errors, too.
fn told_of_an_error(page: &Page) {
    assert!(page.body.contains("<title>Error</title>"), "{}", page.body);
    assert!(page.body.contains("OIDCDefaultURL"), "{}", page.body);
    assert_eq!(told(page).get("OIDC_CLAIM_sub"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn mod_auth_openidc_is_told_that_a_silent_login_needs_a_person() {
    let line = Line::start().await;
    let address = format!("{}/silent/", line.apache.rs256);
    let page = line.gateway.browser().open(&address).await;
    assert!(page.url.as_str().starts_with(&line.apache.rs256));
    assert_eq!(page.query("error").as_deref(), Some("login_required"));
    assert_eq!(page.query("iss"), Some(line.gateway.base.clone()));
    told_of_an_error(&page);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_stays_on_the_gateways_page_and_its_way_back_tells_mod_auth_openidc() {
    let parties = Line::start().await;
    let mut browser = parties.gateway.browser();
    let page = parties.begin(&mut browser, &parties.apache.es256).await;
    let login = type_address(&mut browser, &page, ALICE).await;
    let lie = Lie::WrongAudience.name();
    let page = answer(&mut browser, &login, ALICE, lie).await;
    let refused = Ending::of(&page).refused();
    assert_eq!(refused.code, "saml.audience_mismatch");
    check_trace(&parties.gateway, &refused)
        .await
        .expect("a trace");
    let told = browser.open(&refused.back.expect("a way back")).await;
    assert!(told.url.as_str().starts_with(&parties.apache.es256));
    assert_eq!(told.query("error").as_deref(), Some("access_denied"));
    let description = told.query("error_description").unwrap_or_default();
    assert!(description.starts_with(&refused.code), "{description}");
    told_of_an_error(&told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_disabled_meanwhile_signs_nobody_in_at_mod_auth_openidc() {
    let line = Line::start().await;
    let mut browser = line.gateway.browser();
    let page = line.begin(&mut browser, &line.apache.rs256).await;
    let login = type_address(&mut browser, &page, ALICE).await;
    let path = format!("/api/v1/connections/{}?confirm=true", line.saml);
    let body = json!({"status": "disabled"});
    let (status, answered) = line.gateway.api(Method::PATCH, &path, Some(body)).await;
    assert_eq!(status, 200, "{answered}");
    let page = answer(&mut browser, &login, ALICE, "").await;
    let refused = Ending::of(&page).refused();
    assert_eq!(refused.code, "login.connection_unavailable");
}
