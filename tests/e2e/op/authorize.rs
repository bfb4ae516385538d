//! The authorization endpoint: requests that go back to the application, and those that must not.

use super::*;
use fedgate_tests::proved;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_cannot_be_served_goes_back_to_the_application() {
    let gateway = Gateway::start().await;
    let long = "x".repeat(2049);
    let many = ["a"; 11].join(" ");
    #[rustfmt::skip]
    let cases = [
        (vec![("response_type", "")], "invalid_request", "op.parameter_missing"),
        (vec![("response_type", "token")], "unsupported_response_type", "op.response_type_unsupported"),
        (vec![("response_type", "code id_token")], "unsupported_response_type", "op.response_type_unsupported"),
        (vec![("response_mode", "fragment")], "invalid_request", "op.response_mode_unsupported"),
        (vec![("nonce", "a"), ("nonce", "b")], "invalid_request", "op.parameter_repeated"),
        (vec![("state", "a"), ("state", "b")], "invalid_request", "op.parameter_repeated"),
        (vec![("state", &long)], "invalid_request", "op.parameter_too_long"),
        (vec![("acr_values", &many)], "invalid_request", "op.parameter_too_long"),
        (vec![("max_age", "-1")], "invalid_request", "op.parameter_malformed"),
        (vec![("max_age", "4294967296")], "invalid_request", "op.parameter_malformed"),
        (vec![("prompt", "none login")], "invalid_request", "op.parameter_malformed"),
        (vec![("prompt", "wave")], "invalid_request", "op.parameter_malformed"),
        (vec![("scope", "email")], "invalid_scope", "op.openid_scope_missing"),
        (vec![("prompt", "none")], "login_required", "op.login_required"),
        (vec![("request", "e30.e30.")], "request_not_supported", "op.request_object_unsupported"),
        (vec![("request_uri", "https://169.254.169.254/")], "request_uri_not_supported", "op.request_uri_unsupported"),
        (vec![("registration", "{}")], "registration_not_supported", "op.registration_unsupported"),
        (vec![("client_id", "public")], "invalid_request", "op.pkce_required"),
        (vec![("code_challenge_method", "S256")], "invalid_request", "op.pkce_required"),
        (vec![("code_challenge", VERIFIER)], "invalid_request", "op.pkce_method_unsupported"),
        (vec![("code_challenge", VERIFIER), ("code_challenge_method", "plain")], "invalid_request", "op.pkce_method_unsupported"),
        (vec![("code_challenge", "short"), ("code_challenge_method", "S256")], "invalid_request", "op.pkce_challenge_malformed"),
    ];
    for (parameters, error, code) in cases {
        let page = gateway
            .browser()
            .step(&gateway.authorize_url(&parameters))
            .await;
        assert_eq!(page.status, 303, "{parameters:?}");
        assert_eq!(
            sent_back(&page),
            (error.into(), code.into()),
            "{parameters:?}"
        );
    }
    proved!(oidc 42, "op.response_mode_unsupported");
    proved!(oidc 52, "op.request_object_unsupported");
    proved!(oidc 52, "op.request_uri_unsupported");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_uri_is_compared_character_by_character() {
    let gateway = Gateway::start().await;
    for uri in [
        "http://127.0.0.1:9/cb/",
        "http://127.0.0.1:9/cb/../cb",
        "http://127.0.0.1:9/CB",
        "HTTP://127.0.0.1:9/cb",
        "http://127.0.0.1:9/cb?x=1",
        "http://127.0.0.1:9/cb#f",
        "http://127.0.0.1:9/cb%20",
        "http://127.0.0.1:9/%63b",
        "http://127.0.0.1:9/cb.evil.test",
        "http://127.0.0.1:9@evil.test/cb",
        "http://evil.test@127.0.0.1:9/cb",
        "http://evil.test\\@127.0.0.1:9/cb",
        "http://127.0.0.1:90/cb",
        "http://127.0.0.1/cb",
        "http://127.1:9/cb",
        "http://localhost:9/cb",
        "https://127.0.0.1:9/cb",
        "//127.0.0.1:9/cb",
        "/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "urn:ietf:wg:oauth:2.0:oob",
        " http://127.0.0.1:9/cb",
        "http://127.0.0.1:9/bye",
    ] {
        let url = gateway.authorize_url(&[("redirect_uri", uri)]);
        let page = gateway.browser().step(&url).await;
        assert_eq!(
            (page.status.as_u16(), told(&page)),
            (400, "op.redirect_uri_mismatch"),
            "{uri}"
        );
        assert!(!page.body.contains("href=\"javascript:"), "{}", page.body);
    }
    let at = "/oauth2/auth?client_id=web&response_type=code&scope=openid";
    let twice = format!(
        "{}{at}&redirect_uri={REDIRECT_URI}&redirect_uri=https://evil.test/",
        gateway.base
    );
    assert_eq!(
        told(&gateway.browser().step(&twice).await),
        "op.parameter_repeated"
    );
    let hidden = twice.replace("&redirect_uri=https", "&redirect%5Furi=https");
    assert_eq!(
        told(&gateway.browser().step(&hidden).await),
        "op.parameter_repeated"
    );
    let none = format!("{}{at}", gateway.base);
    assert_eq!(
        told(&gateway.browser().step(&none).await),
        "op.parameter_missing"
    );
    proved!(oidc 39, "op.redirect_uri_mismatch");
    proved!(oidc 40, "op.redirect_uri_mismatch");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_nobody_known_stays_on_a_page() {
    let gateway = Gateway::start().await;
    let page = |query: String| {
        let url = format!("{}/oauth2/auth?{query}", gateway.base);
        async move { gateway_page(&url).await }
    };
    let (status, code) = page("client_id=nobody&redirect_uri=https://evil.test/".into()).await;
    assert_eq!((status, code), (400, "op.client_unknown"));
    assert_eq!(
        page("redirect_uri=https://evil.test/".into()).await.1,
        "op.parameter_missing"
    );
    assert_eq!(
        page("client_id=web&state=%ff".into()).await.1,
        "op.request_malformed"
    );
    assert_eq!(
        page(format!("client_id=web&x={}", "y".repeat(8192)))
            .await
            .1,
        "op.request_too_large"
    );
    assert_eq!(page("a=b&".repeat(101)).await.1, "op.request_too_large");
    assert_eq!(
        page("client_id=%3Cscript%3E".into()).await.1,
        "op.client_unknown"
    );
}

async fn gateway_page(url: &str) -> (u16, &'static str) {
    let page = fedgate_tests::browser::Browser::new().step(url).await;
    (page.status.as_u16(), told(&page))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_comes_back_verbatim_and_never_as_a_header() {
    let gateway = Gateway::start().await;
    for state in [
        "a b&c=d#e",
        "/return?to=1",
        "\u{2028}ü\u{1f600}",
        "\"><script>",
        "%0d%0ax-evil: 1",
        "iss=https://evil.test",
    ] {
        let url = gateway.authorize_url(&[("state", state), ("prompt", "none")]);
        let page = gateway.browser().step(&url).await;
        let location = page.headers[LOCATION].to_str().expect("text");
        let found = Url::parse(location).expect("a URL");
        let states: Vec<_> = found
            .query_pairs()
            .filter(|(name, _)| name == "state")
            .map(|(_, value)| value.into_owned())
            .collect();
        assert_eq!(states, [state]);
        assert_eq!(
            found
                .query_pairs()
                .filter(|(name, _)| name == "iss")
                .count(),
            1
        );
    }
    for state in ["a\r\nx-evil: 1", "a\nb", "a\0b", "a\u{85}b"] {
        let url = gateway.authorize_url(&[("state", state)]);
        let page = gateway.browser().step(&url).await;
        assert_eq!(sent_back(&page).1, "op.parameter_malformed", "{state:?}");
        assert!(!page.headers.contains_key("x-evil"));
    }
}
