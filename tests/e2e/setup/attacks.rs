//! Forged forms, swapped cookies, a test's answer as a login and the reverse.

use super::*;
use fedgate_tests::ending::Ending;

#[tokio::test(flavor = "multi_thread")]
async fn a_form_from_elsewhere_changes_nothing() {
    let (gateway, _upstream, mut it) = saml(json!({})).await;
    let page = it.page().await;
    let paths = ["", "/test", "/activate"].map(|below| format!("{}{below}", it.path));
    for (site, origin) in [
        (Some("cross-site"), None),
        (Some("same-site"), None),
        (Some("none"), None),
        (None, Some("https://evil.example")),
        (None, Some("null")),
        (None, None),
    ] {
        let mut forger = Browser::new();
        forger.set_cookies(it.browser.cookies());
        for (name, value) in [("sec-fetch-site", site), ("origin", origin)] {
            if let Some(value) = value {
                forger.set_header(name, value);
            }
        }
        for path in &paths {
            let mut form = page.form_to(&it.path);
            form.action.set_path(path);
            let answer = forger.submit(&form, &[]).await;
            assert_eq!(
                (answer.status.as_u16(), code(&answer).as_str()),
                (403, "setup.cross_site"),
                "{site:?} {origin:?} {path}"
            );
        }
        let link = link_of_other(&gateway).await;
        let form = browser().open(&link).await.form();
        assert_eq!(code(&forger.submit(&form, &[]).await), "setup.cross_site");
    }
    let mut old = Browser::new();
    old.set_cookies(it.browser.cookies());
    old.set_header("origin", &gateway.base);
    let saved = old.submit(&page.form_to(&it.path), &[]).await;
    assert_eq!(state(&saved), UNTESTED, "{}", saved.body);
}

async fn link_of_other(gateway: &Gateway) -> String {
    let id = draft(gateway, "saml:custom", json!({})).await;
    link(gateway, &id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_session_is_refused() {
    let gateway = Gateway::start().await;
    let ids = [
        draft(&gateway, "saml:custom", json!({})).await,
        draft(&gateway, "saml:custom", json!({})).await,
    ];
    let mut mine = Administrator::of(&gateway, &ids[0]).await;
    let mut theirs = Administrator::of(&gateway, &ids[1]).await;
    let token = theirs
        .page()
        .await
        .attribute("input[name=token]", "value")
        .expect("a token");
    for bad in [token.as_str(), "", "AAAA", "%"] {
        for path in ["", "/test", "/activate"] {
            let mut form = mine.page().await.form_to(&mine.path);
            form.action.set_path(&format!("{}{path}", mine.path));
            let page = mine.browser.submit(&form, &[("token", bad)]).await;
            assert_eq!(
                (page.status.as_u16(), code(&page).as_str()),
                (403, "setup.form_unreadable"),
                "{bad} {path}"
            );
        }
    }
    let form = mine.page().await.form_to(&mine.path);
    let odd = client()
        .post(form.action.clone())
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "multipart/form-data; boundary=x")
        .header("cookie", cookie(&mine.browser))
        .body("--x\r\nnonsense");
    let text = odd
        .send()
        .await
        .expect("an answer")
        .text()
        .await
        .expect("text");
    assert!(text.contains("setup.form_unreadable"), "{text}");
}

fn cookie(browser: &Browser) -> String {
    let cookies = browser.cookies();
    let pairs: Vec<_> = cookies
        .iter()
        .map(|((_, name), value)| format!("{name}={value}"))
        .collect();
    pairs.join("; ")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_opens_its_own_connection_only() {
    let gateway = Gateway::start().await;
    let mine = draft(&gateway, "saml:custom", json!({})).await;
    let other = draft(&gateway, "saml:custom", json!({})).await;
    let it = Administrator::of(&gateway, &mine).await;
    let cookies = it.browser.cookies();
    let renamed = cookies.into_iter().map(|((host, name), value)| {
        let name = name.replace(&mine[5..21], &other[5..21]);
        ((host, name), value)
    });
    let mut thief = browser();
    thief.set_cookies(renamed.collect());
    let page = thief.open(&format!("{}/setup/{other}", gateway.base)).await;
    assert_eq!(code(&page), "setup.session_missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_is_refused() {
    let (_gateway, _upstream, mut it) = saml(json!({})).await;
    let form = it.page().await.form_to(&format!("{}/test", it.path));
    it.browser.set_header("sec-fetch-dest", "iframe");
    assert_eq!(code(&it.browser.submit(&form, &[]).await), "login.embedded");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_a_test_never_signs_anybody_in() {
    let (gateway, _upstream, mut it) = saml(json!({})).await;
    assert_eq!(state(&it.test(ALICE, "").await), TESTED);
    it.activate().await;
    // A real login and a test of one connection wait in one browser.
    let real_page = begin(&mut it.browser, &gateway, &[("connection_id", &it.id)]).await;
    let real = saml_response(&mut it.browser, &real_page, ALICE, "").await;
    let test_page = it.begin_test().await;
    let test = saml_response(&mut it.browser, &test_page, ALICE, "").await;
    let value = |form: &fedgate_tests::browser::Form, name: &str| {
        form.fields
            .iter()
            .find(|(key, _)| key == name)
            .expect("a field")
            .1
            .clone()
    };
    let before = gateway.rows().await;
    // The test's response under the login's RelayState, and the reverse.
    let state_of_real = value(&real, "RelayState");
    let page = it
        .browser
        .submit(&test, &[("RelayState", &state_of_real)])
        .await;
    assert_eq!(
        Ending::of(&page).refused().code,
        "saml.in_response_to_mismatch"
    );
    let state_of_test = value(&test, "RelayState");
    let page = it
        .browser
        .submit(&real, &[("RelayState", &state_of_test)])
        .await;
    assert_eq!(code(&page), "saml.in_response_to_mismatch");
    assert_eq!(
        page.url.path(),
        format!("{}/test", it.path),
        "a test ends as one"
    );
    // It was ended by that, once; its own response comes too late.
    let page = it.browser.submit(&test, &[]).await;
    assert_eq!(Ending::of(&page).refused().code, "login.already_used");
    let after = gateway.rows().await;
    assert_eq!(
        (after.users, after.sessions, after.identities),
        (before.users, before.sessions, before.identities)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_of_a_test_and_of_a_login_cannot_be_exchanged() {
    let (gateway, _upstream, mut it) = saml(json!({})).await;
    assert_eq!(state(&it.test(ALICE, "").await), TESTED);
    it.activate().await;
    let real_page = begin(&mut it.browser, &gateway, &[("connection_id", &it.id)]).await;
    let real = saml_response(&mut it.browser, &real_page, ALICE, "").await;
    let test_page = it.begin_test().await;
    let test = saml_response(&mut it.browser, &test_page, ALICE, "").await;
    let logins: Vec<_> = it
        .browser
        .cookies()
        .into_iter()
        .filter(|((_, name), _)| name.starts_with("fedgate-login-"))
        .collect();
    let [(first, one), (second, two)] = logins.as_slice() else {
        panic!("{logins:?}");
    };
    let mut swapped = it.browser.cookies();
    swapped.insert(first.clone(), two.clone());
    swapped.insert(second.clone(), one.clone());
    let before = gateway.rows().await;
    for form in [&real, &test] {
        it.browser.set_cookies(swapped.clone());
        let page = it.browser.submit(form, &[]).await;
        assert_eq!(Ending::of(&page).refused().code, "login.pending_unreadable");
    }
    assert_eq!(gateway.rows().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_is_completed_in_its_own_browser_and_once() {
    let (gateway, _upstream, mut it) = saml(json!({})).await;
    let login = it.begin_test().await;
    let response = saml_response(&mut it.browser, &login, ALICE, "").await;
    let page = browser().submit(&response, &[]).await;
    assert_eq!(Ending::of(&page).refused().code, "login.other_browser");
    let kept = it.browser.cookies();
    assert_eq!(state(&it.browser.submit(&response, &[]).await), TESTED);
    for cookies in [it.browser.cookies(), kept] {
        it.browser.set_cookies(cookies);
        let page = it.browser.submit(&response, &[]).await;
        assert_eq!(Ending::of(&page).refused().code, "login.already_used");
    }
    assert_eq!(gateway.rows().await.marks, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_of_a_test_is_no_code_of_a_login() {
    let (gateway, upstream) = (Gateway::start().await, OidcUpstream::start().await);
    let connected = upstream.connect(&gateway, json!({})).await;
    let mut it = Administrator::of(&gateway, &connected.id).await;
    let real_page = begin(
        &mut it.browser,
        &gateway,
        &[("connection_id", &connected.id)],
    )
    .await;
    let test_page = it.begin_test().await;
    let callback = |page: Page| {
        let mut it = it.browser.clone();
        async move {
            let fields = [
                ("email", BOB),
                ("password", fedgate_lab::person::PASSWORD),
                ("lie", ""),
            ];
            it.submit_step(&page.form(), &fields)
                .await
                .location()
                .expect("a callback")
        }
    };
    let (real, test) = (callback(real_page).await, callback(test_page).await);
    let part = |url: &url::Url, name: &str| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .expect("a part")
            .1
            .into_owned()
    };
    let crossed = |code: &url::Url, state: &url::Url| {
        code.as_str()
            .replace(&part(code, "state"), &part(state, "state"))
    };
    let page = it.browser.open(&crossed(&test, &real)).await;
    assert_eq!(Ending::of(&page).refused().code, "oauth.code_rejected");
    let page = it.browser.open(&crossed(&real, &test)).await;
    assert_eq!(code(&page), "oauth.code_rejected");
    assert_eq!(page.url.path(), format!("{}/test", it.path));
    assert_eq!(gateway.rows().await.users, 0);
}
