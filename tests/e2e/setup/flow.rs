//! The whole way, from the link to the first real sign-in.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_saml_draft_is_set_up_tested_and_activated() {
    let (gateway, upstream) = (Gateway::start().await, SamlUpstream::start().await);
    let id = draft(&gateway, "saml:okta", json!({})).await;
    let mut it = Administrator::of(&gateway, &id).await;
    let page = it.page().await;
    assert_eq!(state(&page), INCOMPLETE);
    for (field, label, value) in [
        (
            1,
            "Single sign-on URL",
            format!("{}/saml/{id}/acs", gateway.base),
        ),
        (
            2,
            "Audience URI (SP Entity ID)",
            format!("{}/saml/{id}/metadata", gateway.base),
        ),
    ] {
        let css = format!("#copy-{field}");
        assert_eq!(page.attribute(&css, "value"), Some(value));
        assert_eq!(page.attribute(&css, "readonly"), Some(String::new()));
        let shown = page.text(&format!("label[for=copy-{field}]"));
        assert_eq!(shown.as_deref(), Some(label));
    }
    let saved = it
        .save(&[("metadata_url", &upstream.idp.entity_id())])
        .await;
    assert_eq!(state(&saved), UNTESTED, "{}", saved.body);
    has(&saved, &upstream.idp.entity_id());
    let before = gateway.rows().await;
    let verdict = it.test(ALICE, "").await;
    assert_eq!(verdict.url.path(), format!("/setup/{id}/test"));
    assert_eq!(state(&verdict), TESTED, "{}", verdict.body);
    has(&verdict, "The test of <bdi>Acme</bdi> passed");
    has(&verdict, "Would have been signed in");
    has(&verdict, ALICE);
    has(&verdict, "A new user would be made.");
    let after = gateway.rows().await;
    // The mark that ends the test once, and nothing else.
    assert_eq!(after.marks, before.marks + 1);
    let nothing = fedgate_tests::rows::Rows {
        marks: before.marks,
        ..after
    };
    assert_eq!(nothing, before);
    let active = it.activate().await;
    assert_eq!(state(&active), ACTIVE, "{}", active.body);
    let mut person = Browser::new();
    let login = begin(&mut person, &gateway, &[("connection_id", &id)]).await;
    let end = answer(&mut person, &login, ALICE, "").await;
    fedgate_tests::ending::Ending::of(&end).code();
    let verdict = it.test(ALICE, "").await;
    has(&verdict, "The user <bdi>kp_");
    assert_eq!(state(&verdict), ACTIVE);
    assert_eq!(gateway.rows().await.sessions, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oidc_draft_is_set_up_tested_and_activated() {
    let (gateway, upstream) = (Gateway::start().await, OidcUpstream::start().await);
    let id = draft(&gateway, "oidc:custom", json!({})).await;
    let mut it = Administrator::of(&gateway, &id).await;
    let redirect_uri = format!("{}/login/callback/{id}", gateway.base);
    let page = it.page().await;
    assert_eq!(page.attribute("#copy-1", "value"), Some(redirect_uri));
    let wrong = [
        ("issuer", upstream.issuer.as_str()),
        ("client_id", "fedgate"),
    ];
    let page = it.save(&wrong).await;
    assert_eq!(code(&page), "connection.client_secret_missing");
    assert_eq!(
        page.attribute("#issuer", "value").as_deref(),
        Some(upstream.issuer.as_str())
    );
    assert_eq!(
        page.attribute("#client_secret", "aria-describedby")
            .as_deref(),
        Some("client_secret-problem")
    );
    let right = [wrong[0], wrong[1], ("client_secret", SECRET)];
    let page = it.save(&right).await;
    assert_eq!(state(&page), UNTESTED, "{}", page.body);
    assert!(!page.body.contains(SECRET));
    let verdict = it.test(BOB, "").await;
    assert_eq!(state(&verdict), TESTED, "{}", verdict.body);
    has(&verdict, BOB);
    // An empty field keeps the secret; what was tested is not the same revision any more.
    let page = it.save(&wrong).await;
    assert_eq!(state(&page), STALE);
    let verdict = it.test(BOB, "").await;
    assert_eq!(state(&verdict), TESTED, "{}", verdict.body);
    let form = verdict.form_to(&format!("{}/activate", it.path));
    let active = it.browser.submit(&form, &[]).await;
    assert_eq!(state(&active), ACTIVE);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_console_names_its_own_fields() {
    let gateway = Gateway::start().await;
    for (strategy, words) in [
        (
            "saml:custom",
            ["Assertion Consumer Service URL", "SP metadata URL"],
        ),
        (
            "saml:microsoft",
            ["Identifier (Entity ID)", "App Federation Metadata Url"],
        ),
        ("saml:google", ["ACS URL", "Download metadata"]),
        (
            "saml:cloudflare",
            ["Assertion Consumer Service URL", "SAML Metadata endpoint"],
        ),
        (
            "saml:lastpass",
            ["Entity ID (Advanced settings)", "Download metadata (XML)"],
        ),
        ("oidc:okta", ["Sign-in redirect URIs", "Client ID"]),
    ] {
        let id = draft(&gateway, strategy, json!({})).await;
        let page = Administrator::of(&gateway, &id).await.page().await;
        for word in words {
            has(&page, word);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_speaks_the_browsers_language() {
    let gateway = Gateway::start().await;
    let id = draft(&gateway, "saml:google", json!({})).await;
    let mut it = Administrator::of(&gateway, &id).await;
    for (language, direction, state_there) in [
        ("de", "ltr", "Entwurf: Es fehlt noch etwas"),
        ("ar", "rtl", "مسودة: لا يزال شيء ناقصًا"),
    ] {
        it.browser.set_header("accept-language", language);
        let page = it.page().await;
        assert_eq!(page.attribute("html", "dir").as_deref(), Some(direction));
        assert_eq!(state(&page), state_there);
    }
}
