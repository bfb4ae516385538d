//! One-time links: used, expired, replaced, revoked, in another browser.

use super::*;

async fn create(gateway: &Gateway, id: &str, body: &str) -> (u16, Value) {
    let url = format!("{}/api/v1/connections/{id}/setup_link", gateway.base);
    let request = client().post(url).bearer_auth(gateway.api_token().await);
    read(request.body(body.to_owned())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_works_once_and_a_look_does_not_burn_it() {
    let gateway = Gateway::start().await;
    let id = draft(&gateway, "saml:custom", json!({})).await;
    let link = link(&gateway, &id).await;
    let mut scanner = browser();
    for _ in 0..3 {
        let page = scanner.open(&link).await;
        assert_eq!(page.status, 200);
        assert!(!page.body.contains(&id), "nothing tells the connection yet");
    }
    let mut administrator = browser();
    let form = administrator.open(&link).await.form();
    let page = administrator.submit(&form, &[]).await;
    assert_eq!(state(&page), INCOMPLETE);
    for page in [scanner.submit(&form, &[]).await, scanner.open(&link).await] {
        assert_eq!(
            (page.status.as_u16(), code(&page).as_str()),
            (410, "setup.link_used")
        );
    }
    let stranger = scanner.open(&format!("{}/setup/{id}", gateway.base)).await;
    assert_eq!(
        (stranger.status.as_u16(), code(&stranger).as_str()),
        (403, "setup.session_missing")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_begin_at_once_one_gets_the_session() {
    let gateway = Gateway::start().await;
    let id = draft(&gateway, "saml:custom", json!({})).await;
    let link = link(&gateway, &id).await;
    let form = browser().open(&link).await.form();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let form = form.clone();
            tokio::spawn(async move { browser().submit_step(&form, &[]).await })
        })
        .collect();
    let mut began = 0;
    for task in tasks {
        let page = task.await.expect("a page");
        if page.status == 303 {
            began += 1;
        } else {
            assert_eq!(code(&page), "setup.link_used");
        }
    }
    assert_eq!(began, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lifetime_is_bounded_and_ends() {
    let gateway = Gateway::start().await;
    let id = draft(&gateway, "saml:custom", json!({})).await;
    for bad in ["299", "2592001", "-1", "1.5", "\"600\""] {
        let (status, answer) =
            create(&gateway, &id, &format!("{{\"lifetime_seconds\": {bad}}}")).await;
        assert_eq!(
            (status, answer["errors"][0]["code"].as_str()),
            (422, Some("api.member_value")),
            "{bad}"
        );
    }
    let (status, answer) = create(&gateway, &id, "{\"lifetime\": 600}").await;
    assert_eq!(
        (status, answer["errors"][0]["code"].as_str()),
        (400, Some("api.member_unknown"))
    );
    let (status, answer) = create(&gateway, &id, "{\"lifetime_seconds\": 600}").await;
    assert_eq!(status, 201, "{answer}");
    let link = answer["setup_link"]["url"].as_str().expect("a link");
    let mut browser = browser();
    let form = browser.open(link).await.form();
    gateway.app.clock.step(600);
    for page in [browser.open(link).await, browser.submit(&form, &[]).await] {
        assert_eq!(
            (page.status.as_u16(), code(&page).as_str()),
            (410, "setup.link_expired")
        );
    }
    let (_, answer) = create(&gateway, &id, "{}").await;
    let text = answer["setup_link"]["expires_at"].as_str().expect("a time");
    let until: jiff::Timestamp = text.parse().expect("RFC 3339");
    let days = until.duration_since(gateway.app.clock.now()).as_secs_f64() / 86_400.0;
    assert!((6.9..=7.0).contains(&days), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_link_a_revocation_and_the_connections_end_are_the_end_of_a_session() {
    let gateway = Gateway::start().await;
    let id = draft(&gateway, "saml:custom", json!({})).await;
    let (mut first, old) = (
        Administrator::of(&gateway, &id).await,
        link(&gateway, &id).await,
    );
    assert_eq!(code(&first.page().await), "setup.session_ended");
    let mut second = Administrator::of(&gateway, &id).await;
    assert_eq!(code(&browser().open(&old).await), "setup.link_unknown");
    assert_eq!(state(&second.page().await), INCOMPLETE);
    let path = format!("/api/v1/connections/{id}/setup_link");
    for _ in 0..2 {
        assert_eq!(gateway.api(Method::DELETE, &path, None).await.0, 200);
    }
    assert_eq!(code(&second.page().await), "setup.session_ended");
    let waiting = link(&gateway, &id).await;
    let mut third = Administrator::of(&gateway, &id).await;
    let delete = format!("/api/v1/connections/{id}?confirm=true");
    assert_eq!(gateway.api(Method::DELETE, &delete, None).await.0, 200);
    assert_eq!(code(&third.page().await), "setup.session_ended");
    let gone = browser().open(&waiting).await;
    assert_eq!(
        (gone.status.as_u16(), code(&gone).as_str()),
        (404, "setup.link_unknown")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_by_itself() {
    let gateway = Gateway::start().await;
    let id = draft(&gateway, "saml:custom", json!({})).await;
    let mut it = Administrator::of(&gateway, &id).await;
    gateway.app.clock.step(8 * 60 * 60 - 60);
    assert_eq!(state(&it.page().await), INCOMPLETE);
    gateway.app.clock.step(120);
    assert_eq!(code(&it.page().await), "setup.session_ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_nothing_is_told_as_any_other() {
    let gateway = Gateway::start().await;
    let id = draft(&gateway, "saml:custom", json!({})).await;
    let other = "conn_00000000000000000000000000000000";
    for token in [
        "x",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        &"A".repeat(5000),
        "%00",
        "a%2Fb",
    ] {
        let page = browser()
            .open(&format!("{}/setup/link/{token}", gateway.base))
            .await;
        assert_eq!(
            (page.status.as_u16(), code(&page).as_str()),
            (404, "setup.link_unknown"),
            "{token}"
        );
    }
    let mut pages = Vec::new();
    for name in [id.as_str(), other, "conn_x", "..."] {
        let page = browser()
            .open(&format!("{}/setup/{name}", gateway.base))
            .await;
        assert_eq!(
            (page.status.as_u16(), code(&page).as_str()),
            (403, "setup.session_missing"),
            "{name}"
        );
        pages.push(page.body);
    }
    assert!(
        pages.iter().all(|page| *page == pages[0]),
        "no page tells what exists"
    );
    let (status, answer) = create(&gateway, other, "{}").await;
    assert_eq!(
        (status, answer["errors"][0]["code"].as_str()),
        (404, Some("api.connection_unknown"))
    );
    let token = gateway.api_token_for("read:connections").await;
    let url = format!("{}/api/v1/connections/{id}/setup_link", gateway.base);
    for request in [client().post(&url), client().delete(&url)] {
        let (status, answer) = read(request.bearer_auth(&token)).await;
        assert_eq!(
            (status, answer["errors"][0]["code"].as_str()),
            (403, Some("api.scope_missing"))
        );
    }
}
