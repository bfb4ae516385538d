//! What everybody sees: userinfo, discovery, keys, unknown pages, and the headers of every answer.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn userinfo_takes_a_persons_access_token_while_the_login_lasts() {
    let gateway = Gateway::start().await;
    let (id_token, access_token) = tokens(&gateway).await;
    let profile = |token: &str| {
        let request = client().get(format!("{}/oauth2/v2/user_profile", gateway.base));
        read(if token.is_empty() {
            request
        } else {
            request.bearer_auth(token)
        })
    };
    let cut = &access_token[..access_token.len() - 4];
    #[rustfmt::skip]
    let cases = [
        ("", "op.token_missing"),
        ("x", "op.token_invalid"),
        (cut, "op.token_invalid"),
        (&id_token, "op.token_invalid"),
        (&gateway.api_token().await, "op.token_audience"),
        // The code of these tests stands for a login that the store does not have, or no longer.
        (&access_token, "op.session_ended"),
    ];
    for (token, code) in cases {
        assert_eq!(refused(&profile(token).await), (401, "invalid_token", code));
    }
    gateway.app.clock.step(3601);
    assert_eq!(refused(&profile(&access_token).await).2, "op.token_expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_are_not_there_say_so() {
    let gateway = Gateway::start().await;
    let mut browser = gateway.browser();
    for path in [
        "/nothing",
        "/oauth2",
        "/login/callback/",
        "/saml/%ff/metadata",
        "/login/callback/%ff",
    ] {
        let page = browser.step(&format!("{}{path}", gateway.base)).await;
        assert_eq!(
            (page.status.as_u16(), told(&page)),
            (404, "gateway.not_found"),
            "{path}"
        );
    }
    let page = browser
        .step(&format!("{}/oauth2/token", gateway.base))
        .await;
    assert_eq!(
        (page.status.as_u16(), told(&page)),
        (405, "gateway.method_not_allowed")
    );
    assert_eq!(page.headers["allow"], "POST");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_host_header_changes_nothing_that_is_told() {
    let gateway = Gateway::start().await;
    let url = format!("{}/.well-known/openid-configuration", gateway.base);
    let (_, sound) = read(client().get(&url)).await;
    assert_eq!(sound["issuer"], gateway.base);
    for (name, value) in [
        ("host", "evil.test"),
        ("x-forwarded-host", "evil.test"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "host=evil.test"),
    ] {
        let (_, told) = read(client().get(&url).header(name, value)).await;
        assert_eq!(told, sound, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn published_keys_are_public() {
    let gateway = Gateway::start().await;
    let url = format!("{}/.well-known/jwks.json", gateway.base);
    let (_, answer) = read(client().get(&url)).await;
    let keys = answer["keys"].as_array().expect("keys");
    assert_eq!(keys.len(), 2);
    for key in keys {
        let private = ["d", "p", "q", "dp", "dq", "qi", "k"];
        assert!(private.iter().all(|name| key.get(name).is_none()), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_a_form_or_a_query_is_not_read() {
    let gateway = Gateway::start().await;
    let (_, token) = tokens(&gateway).await;
    let url = format!("{}/oauth2/v2/user_profile", gateway.base);
    let query = client().get(format!("{url}?access_token={token}"));
    let form = client()
        .post(&url)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(format!("access_token={token}"));
    for request in [query, form] {
        assert_eq!(refused(&read(request).await).2, "op.token_missing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_forbids_framing_and_sniffing() {
    let gateway = Gateway::start().await;
    for path in [
        "/oauth2/auth",
        "/logout",
        "/nothing",
        "/oauth2/v2/user_profile",
        "/api/v1/connections",
        "/api/v1/%ff",
        "/.well-known/openid-configuration",
        "/healthz",
    ] {
        let answer = client().get(format!("{}{path}", gateway.base));
        let headers = answer.send().await.expect("an answer").headers().clone();
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["x-frame-options"], "DENY", "{path}");
        let policy = headers["content-security-policy"].to_str().expect("text");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(
            !headers.contains_key("access-control-allow-origin"),
            "{path}"
        );
    }
}
