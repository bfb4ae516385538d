//! The token endpoint: who asks, with what, and for which code.

use super::*;
use fedgate_tests::proved;

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_does_not_prove_itself_gets_nothing() {
    let gateway = Gateway::start().await;
    let grant = ("grant_type", "client_credentials");
    let long = "x".repeat(2000);
    #[rustfmt::skip]
    let cases = [
        (vec![grant], (401, "invalid_client", "op.client_authentication_missing")),
        (vec![grant, ("client_id", "web")], (401, "invalid_client", "op.client_authentication_missing")),
        (vec![grant, ("client_id", "nobody"), ("client_secret", "x")], (401, "invalid_client", "op.client_unknown")),
        (vec![grant, ("client_id", "web"), ("client_secret", "x")], (401, "invalid_client", "op.client_secret_wrong")),
        (vec![grant, ("client_id", "public"), ("client_secret", SECRET)], (401, "invalid_client", "op.client_secret_wrong")),
        (vec![grant, ("client_id", "web"), ("client_secret", &long)], (400, "invalid_request", "op.parameter_too_long")),
        (vec![grant, ("client_id", "web"), ("client_secret", SECRET), ("client_secret", SECRET)], (400, "invalid_request", "op.parameter_repeated")),
        (vec![grant, ("client_id", "web"), ("client_secret", SECRET), ("client_assertion", "x")], (400, "invalid_request", "op.client_authentication_ambiguous")),
        (vec![grant, ("client_id", "web"), ("client_assertion", "x")], (401, "invalid_client", "op.client_assertion_malformed")),
        (vec![grant, ("client_id", "web"), ("client_assertion", "e30.e30.AA"), ("client_assertion_type", JWT_BEARER)], (401, "invalid_client", "op.client_assertion_signature")),
        (vec![("client_id", "web"), ("client_secret", SECRET)], (400, "invalid_request", "op.parameter_missing")),
        (vec![("grant_type", "password"), ("client_id", "web"), ("client_secret", SECRET)], (400, "unsupported_grant_type", "op.grant_type_unsupported")),
        (vec![("grant_type", "refresh_token"), ("client_id", "web"), ("client_secret", SECRET)], (400, "unsupported_grant_type", "op.grant_type_unsupported")),
        (vec![grant, ("client_id", "web"), ("client_secret", SECRET)], (400, "unauthorized_client", "op.grant_type_not_allowed")),
        (vec![grant, ("client_id", "public")], (400, "unauthorized_client", "op.grant_type_not_allowed")),
    ];
    for (fields, expected) in cases {
        let answer = gateway.token(&fields).await;
        assert_eq!(refused(&answer), expected, "{fields:?}");
    }
    proved!(oidc 48, "op.grant_type_unsupported");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_authorization_header_and_it_is_basic() {
    let gateway = Gateway::start().await;
    let url = format!("{}/oauth2/token", gateway.base);
    let post = |values: &[&str], body: &'static str| {
        let mut request = client()
            .post(&url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        for value in values {
            request = request.header(AUTHORIZATION, *value);
        }
        read(request.body(body))
    };
    let pair = format!("Basic {}", STANDARD.encode(format!("web:{SECRET}")));
    let body = "grant_type=client_credentials";
    #[rustfmt::skip]
    let cases = [
        (vec!["Basic !"], "op.client_authentication_malformed"),
        (vec!["Basic d2Vi"], "op.client_authentication_malformed"),
        (vec!["Basic OnNlY3JldA=="], "op.client_authentication_malformed"),
        (vec!["Bearer x"], "op.client_authentication_malformed"),
        (vec![&pair, &pair], "op.client_authentication_ambiguous"),
        (vec![&pair], "op.grant_type_not_allowed"),
    ];
    for (values, code) in cases {
        assert_eq!(refused(&post(&values, body).await).2, code, "{values:?}");
    }
    let both = post(&[&pair], "grant_type=client_credentials&client_id=other").await;
    assert_eq!(refused(&both).2, "op.client_authentication_ambiguous");
    let wrong = format!("Basic {}", STANDARD.encode("web:wrong"));
    let request = client()
        .post(&url)
        .header(AUTHORIZATION, wrong)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = request.body(body).send().await.expect("an answer");
    assert_eq!(
        answer.headers()[WWW_AUTHENTICATE],
        "Basic realm=\"fedgate\""
    );
    assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_form_of_some_size_is_read() {
    let gateway = Gateway::start().await;
    let url = format!("{}/oauth2/token", gateway.base);
    let post = |media_type: &str, body: String| {
        read(
            client()
                .post(&url)
                .header(CONTENT_TYPE, media_type)
                .body(body),
        )
    };
    let form = "application/x-www-form-urlencoded";
    #[rustfmt::skip]
    let cases = [
        ("application/json", "{\"grant_type\": \"client_credentials\"}".into(), "op.request_malformed"),
        ("multipart/form-data; boundary=x", "--x--".into(), "op.request_malformed"),
        ("text/plain", "grant_type=client_credentials".into(), "op.request_malformed"),
        (form, "grant_type=%ff".into(), "op.request_malformed"),
        (form, "a=b&".repeat(101), "op.request_too_large"),
        (form, "x".repeat(512 * 1024 + 1), "op.request_too_large"),
    ];
    for (media_type, body, code) in cases {
        let answer = post(media_type, body).await;
        assert_eq!(refused(&answer).2, code, "{media_type}");
    }
    let large = "x".repeat(512 * 1024 + 1);
    let request = client()
        .post(format!("{}/oauth2/auth", gateway.base))
        .header(CONTENT_TYPE, form);
    let answer = request.body(large).send().await.expect("an answer");
    assert_eq!(answer.status(), 413);
    let text = answer.text().await.expect("a body");
    assert!(
        seen::codes(&text).contains("op.request_too_large"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_once_for_its_application_with_its_proof() {
    let gateway = Gateway::start().await;
    let with = |code: &str, changes: &[(&'static str, Option<&'static str>)]| {
        let mut fields: Vec<(String, String)> = redemption("web", code)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        for (name, value) in changes {
            fields.retain(|(known, _)| known != name);
            fields.extend(value.map(|value| ((*name).to_owned(), value.to_owned())));
        }
        fields
    };
    let wrong: &'static str = Box::leak("a".repeat(43).into_boxed_str());
    #[rustfmt::skip]
    let cases = [
        (None, vec![("code", Some("invented"))], "op.code_unknown"),
        (None, vec![("code", None)], "op.parameter_missing"),
        (None, vec![("client_id", Some("other"))], "op.code_of_another_client"),
        (None, vec![("redirect_uri", None)], "op.redirect_uri_differs"),
        (None, vec![("redirect_uri", Some("http://127.0.0.1:9/cb/"))], "op.redirect_uri_differs"),
        (None, vec![("code_verifier", Some(VERIFIER))], "op.code_verifier_unexpected"),
        (Some(CHALLENGE), vec![], "op.code_verifier_missing"),
        (Some(CHALLENGE), vec![("code_verifier", Some(""))], "op.code_verifier_missing"),
        (Some(CHALLENGE), vec![("code_verifier", Some(CHALLENGE))], "op.code_verifier_wrong"),
        (Some(CHALLENGE), vec![("code_verifier", Some(wrong))], "op.code_verifier_wrong"),
    ];
    for (challenge, changes, code_told) in cases {
        let code = code(&gateway, "web", challenge).await;
        let fields = with(&code, &changes);
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let answer = gateway.token(&fields).await;
        assert_eq!(refused(&answer).2, code_told, "{changes:?}");
        assert_eq!(answer.0, 400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_guess_burns_the_code_and_a_second_use_is_told() {
    let gateway = Gateway::start().await;
    let first = code(&gateway, "web", Some(CHALLENGE)).await;
    let mut fields = redemption("web", &first);
    assert_eq!(
        refused(&gateway.token(&fields).await).2,
        "op.code_verifier_missing"
    );
    fields.push(("code_verifier", VERIFIER));
    let answer = gateway.token(&fields).await;
    assert_eq!(refused(&answer), (400, "invalid_grant", "op.code_replayed"));
    let second = code(&gateway, "web", Some(CHALLENGE)).await;
    let mut fields = redemption("web", &second);
    fields.push(("code_verifier", VERIFIER));
    let (left, right) = tokio::join!(gateway.token(&fields), gateway.token(&fields));
    let mut statuses = [left.0, right.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400], "{left:?} {right:?}");
    let late = code(&gateway, "web", None).await;
    gateway.app.clock.step(61);
    let answer = gateway.token(&redemption("web", &late)).await;
    assert_eq!(refused(&answer).2, "op.code_unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_application_redeems_by_its_verifier_alone() {
    let gateway = Gateway::start().await;
    let code = code(&gateway, "public", Some(CHALLENGE)).await;
    let mut fields = redemption("public", &code);
    fields.retain(|(name, _)| *name != "client_secret");
    fields.push(("code_verifier", VERIFIER));
    let (status, answer) = gateway.token(&fields).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        claims(answer["id_token"].as_str().expect("a token"))["aud"],
        "public"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn client_credentials_are_for_the_management_api_and_registered_scopes() {
    let gateway = Gateway::start().await;
    let audience = format!("{}/api", gateway.base);
    let ask = |audience: String, scope: &'static str| {
        let gateway = &gateway;
        async move {
            let fields = [
                ("grant_type", "client_credentials"),
                ("client_id", "ops"),
                ("client_secret", SECRET),
                ("audience", &audience),
                ("scope", scope),
            ];
            gateway.token(&fields).await
        }
    };
    for other in [
        "",
        "https://evil.test/api",
        &format!("{audience}/"),
        &gateway.base,
    ] {
        let answer = ask(other.to_owned(), "").await;
        assert_eq!(
            refused(&answer),
            (400, "invalid_target", "op.audience_invalid"),
            "{other}"
        );
    }
    for scope in [
        "read:webhooks",
        "read:connections delete:webhooks",
        "openid",
        "READ:connections",
    ] {
        let answer = ask(audience.clone(), scope).await;
        assert_eq!(
            refused(&answer),
            (400, "invalid_scope", "op.scope_not_allowed"),
            "{scope}"
        );
    }
    let (status, answer) = ask(audience.clone(), "read:connections").await;
    assert_eq!(
        (status, &answer["scope"]),
        (200, &json!("read:connections"))
    );
    let token = answer["access_token"].as_str().expect("a token");
    let profile = client()
        .get(format!("{}/oauth2/v2/user_profile", gateway.base))
        .bearer_auth(token);
    assert_eq!(
        refused(&read(profile).await),
        (401, "invalid_token", "op.token_audience")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_cannot_be_signed_without_an_active_key_and_that_is_told() {
    let mut gateway = Gateway::start().await;
    let now = gateway.app.clock.now();
    for key in gateway.app.store.keys().await.expect("keys") {
        gateway
            .app
            .store
            .move_key(&key.id, "retired", now)
            .await
            .expect("moved");
    }
    gateway.restart().await;
    let audience = format!("{}/api", gateway.base);
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", "ops"),
        ("client_secret", SECRET),
        ("audience", &audience),
    ];
    let answer = gateway.token(&fields).await;
    assert_eq!(refused(&answer), (503, "server_error", "op.signing_failed"));
}
