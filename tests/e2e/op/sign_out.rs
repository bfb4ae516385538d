//! `/logout`: nobody is sent where the application is not at home.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_leads_to_registered_addresses_alone() {
    let gateway = Gateway::start().await;
    let (id_token, _) = tokens(&gateway).await;
    let logout = |query: &[(&str, &str)]| {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query)
            .finish();
        let (url, mut browser) = (
            format!("{}/logout?{query}", gateway.base),
            gateway.browser(),
        );
        async move { browser.step(&url).await }
    };
    for evil in [
        "https://evil.test/",
        "//evil.test/",
        "http://127.0.0.1:9/bye/",
        "http://127.0.0.1:9/bye#x",
        "http://127.0.0.1:9@evil.test/bye",
        "http://127.0.0.1:9/cb",
        "javascript:alert(1)",
        "/\\evil.test",
    ] {
        for query in [
            vec![
                ("post_logout_redirect_uri", evil),
                ("id_token_hint", &id_token),
            ],
            vec![("post_logout_redirect_uri", evil), ("client_id", "web")],
            vec![("redirect", evil)],
            vec![("redirect", evil), ("client_id", "web")],
        ] {
            let page = logout(&query).await;
            assert_eq!(
                (page.status.as_u16(), told(&page)),
                (200, "op.logout_redirect_mismatch"),
                "{query:?}"
            );
            assert!(!page.body.contains("evil.test"), "{}", page.body);
        }
    }
    let bye = "http://127.0.0.1:9/bye";
    let anonymous = logout(&[("post_logout_redirect_uri", bye)]).await;
    assert_eq!(told(&anonymous), "op.logout_redirect_mismatch");
    let sound = logout(&[
        ("post_logout_redirect_uri", bye),
        ("id_token_hint", &id_token),
        ("state", "a&b"),
    ])
    .await;
    assert_eq!(
        sound.headers[LOCATION],
        "http://127.0.0.1:9/bye?state=a%26b"
    );
    let forged = format!("{}x", &id_token[..id_token.len() - 1]);
    let (_, access_token) = tokens(&gateway).await;
    for hint in ["x", "e30.e30.", &forged, &access_token] {
        let page = logout(&[("id_token_hint", hint), ("post_logout_redirect_uri", bye)]).await;
        assert_eq!(
            (page.status.as_u16(), told(&page)),
            (400, "op.logout_hint_invalid"),
            "{hint}"
        );
    }
    let another = logout(&[("id_token_hint", &id_token), ("client_id", "other")]).await;
    assert_eq!(told(&another), "op.logout_hint_invalid");
}
