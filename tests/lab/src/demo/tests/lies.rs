//! Every lie, by the page that the person ends on.

use std::fmt::Write as _;

use url::Url;

use super::demo;
use crate::browser::{Browser, Page};
use crate::demo::Demo;
use crate::person::PASSWORD;
use crate::{oidc_op, saml_idp};

/// Signs in as far as it goes, and tells the code of the page, or `signed in`.
async fn outcome(demo: &Demo, hints: &[(&str, &str)], lie: &str) -> String {
    let base = &demo.application.options().base_url;
    let url = Url::parse_with_params(&format!("{base}/sign-in"), hints).unwrap();
    let email = hints[0].1;
    let mut browser = Browser::new().unwrap();
    let login = browser.open(&url).await.unwrap();
    let form = login
        .form()
        .unwrap()
        .with("email", email)
        .with("password", PASSWORD)
        .with("lie", lie);
    let mut page: Page = browser.submit(&login, &form).await.unwrap();
    if page.html.contains("data-auto-post") {
        page = browser.submit(&page, &page.form().unwrap()).await.unwrap();
    }
    if page.url.as_str() == format!("{base}/") {
        return "signed in".to_owned();
    }
    // What only the application can mend goes back to it as an OAuth error.
    if page.url.path() == "/cb" {
        let mut parameters = page.url.query_pairs();
        return parameters
            .find(|(name, _)| name == "error_description")
            .unwrap()
            .1
            .into_owned();
    }
    assert!(
        page.reference()
            .is_some_and(|reference| reference.len() == "FG-ACDEFGHJ".len()),
        "{lie}: {}",
        page.html
    );
    page.code().unwrap()
}

async fn outcomes<L: Copy>(
    demo: &Demo,
    email: &str,
    lies: &[L],
    name: fn(L) -> &'static str,
) -> String {
    let mut table = String::new();
    for lie in lies {
        let name = name(*lie);
        let outcome = outcome(demo, &[("login_hint", email)], name).await;
        writeln!(table, "{name} {outcome}").unwrap();
    }
    table
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lie_of_the_saml_identity_provider_ends_as_it_must() {
    let demo = demo().await;
    let table = outcomes(
        &demo,
        "ada@acme.test",
        saml_idp::Lie::ALL,
        saml_idp::Lie::name,
    )
    .await;
    assert_eq!(table, include_str!("saml.txt"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lie_of_the_openid_provider_ends_as_it_must() {
    let demo = demo().await;
    // A token endpoint that hangs is left to the tests of timeouts.
    let lies: Vec<_> = oidc_op::Lie::ALL
        .iter()
        .copied()
        .filter(|lie| *lie != oidc_op::Lie::Slow)
        .collect();
    let table = outcomes(&demo, "grace@globex.test", &lies, oidc_op::Lie::name).await;
    assert_eq!(table, include_str!("oidc.txt"));
}

#[tokio::test(flavor = "multi_thread")]
async fn freshness_and_strength_that_were_asked_for_are_not_lied_about() {
    let demo = demo().await;
    let (ada, grace) = ("ada@acme.test", "grace@globex.test");
    for (email, asked, lie, code) in [
        (
            ada,
            ("max_age", "60"),
            "OldAuthnInstant",
            "saml.authn_too_old: ",
        ),
        (
            ada,
            ("acr_values", "urn:lab:mfa"),
            "WeakContext",
            "saml.authn_context_mismatch: ",
        ),
        (
            grace,
            ("max_age", "60"),
            "OldAuthentication",
            "oidc.authentication_too_old: ",
        ),
        (
            grace,
            ("max_age", "60"),
            "NoAuthTime",
            "oidc.authentication_too_old: ",
        ),
        (
            grace,
            ("acr_values", "urn:lab:mfa"),
            "WeakContext",
            "oidc.acr_mismatch: ",
        ),
        (ada, ("max_age", "60"), "Honest", "signed in"),
        (ada, ("acr_values", "urn:lab:mfa"), "Honest", "signed in"),
        (grace, ("max_age", "60"), "Honest", "signed in"),
        (grace, ("acr_values", "urn:lab:mfa"), "Honest", "signed in"),
    ] {
        let found = outcome(&demo, &[("login_hint", email), asked], lie).await;
        assert!(found.starts_with(code), "{email} {asked:?} {lie}: {found}");
    }
}
