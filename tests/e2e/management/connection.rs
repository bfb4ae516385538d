//! What is wrong with a connection, and what nobody may do with one.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_in_a_connection_is_told_with_its_code_and_member() {
    let gateway = Gateway::start().await;
    let (certificate, key) = pem(&hostile::rsa_key(2048));
    let (_, other_key) = pem(&hostile::rsa_key(2048));
    let strategy = json!({"name": "x", "strategy": "saml:octa"});
    let pair = |certificate: &str, key: &str| {
        saml(&json!({"saml_signing_certificate": certificate, "saml_signing_private_key": key}))
    };
    #[rustfmt::skip]
    let cases = [
        (strategy, "connection.strategy_unknown", "strategy"),
        (saml(&json!({"saml_entity": "x"})), "connection.option_unknown", "options.saml_entity"),
        (saml(&json!({"client_secret": "x"})), "connection.option_unknown", "options.client_secret"),
        (saml(&json!({"is_trusted": "yes"})), "connection.option_type", "options.is_trusted"),
        (saml(&json!({"protocol_binding": "SOAP"})), "connection.option_value", "options.protocol_binding"),
        (saml(&json!({"saml_clock_skew_seconds": 301})), "connection.option_value", "options.saml_clock_skew_seconds"),
        (saml(&json!({"saml_entity_id": "x".repeat(2049)})), "connection.option_too_large", "options.saml_entity_id"),
        (saml(&json!({"saml_idp_metadata_xml": "x".repeat(2 * 1024 * 1024 + 1)})), "connection.option_too_large", "options.saml_idp_metadata_xml"),
        (saml(&json!({"saml_entity_id": "a\r\nb"})), "connection.option_text", "options.saml_entity_id"),
        (saml(&json!({"saml_idp_metadata_url": "http://idp.example/"})), "connection.option_url", "options.saml_idp_metadata_url"),
        (saml(&json!({"saml_sign_in_url": "javascript:alert(1)"})), "connection.option_url", "options.saml_sign_in_url"),
        (saml(&json!({"home_realm_domains": ["localhost"]})), "connection.domain", "options.home_realm_domains.0"),
        (saml(&json!({"home_realm_domains": ["a.test", "A.TEST"]})), "connection.domain_repeated", "options.home_realm_domains.1"),
        (saml(&json!({"upstream_params": {"a": {"value": "x", "alias": "prompt"}}})), "connection.parameter_shape", "options.upstream_params.a"),
        (saml(&json!({"upstream_params": {"a": {"alias": "password"}}})), "connection.parameter_alias", "options.upstream_params.a"),
        (saml(&json!({"sign_request_algorithm": "RSA-SHA1"})), "connection.weak_signature", "options.sign_request_algorithm"),
        (saml(&json!({"saml_signing_certificate": certificate})), "connection.signing_key", "options.saml_signing_private_key"),
        (pair("x", &key), "connection.signing_key", "options.saml_signing_certificate"),
        (pair(&certificate, &other_key), "connection.signing_key_mismatch", "options.saml_signing_certificate"),
    ];
    for (body, code, field) in cases {
        let (status, answer) = create(&gateway, body).await;
        assert_eq!(
            (status, errors(&answer)),
            (422, vec![(code, field)]),
            "{answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cannot_write_what_the_protocol_writes() {
    let gateway = Gateway::start().await;
    #[rustfmt::skip]
    let cases = [
        "client_id", "client_secret", "redirect_uri", "REDIRECT_URI", "state", "nonce", "scope", "response_type",
        "response_mode", "code_challenge", "request", "request_uri", "claims", "id_token_hint",
    ];
    for name in cases {
        let body = oidc(&json!({"upstream_params": {name: {"value": "x"}}}));
        let (status, answer) = create(&gateway, body).await;
        let field = format!("options.upstream_params.{name}");
        assert_eq!(
            (status, errors(&answer)),
            (422, vec![("connection.reserved_parameter", field.as_str())])
        );
    }
    for name in [
        "SAMLRequest",
        "samlrequest",
        "RelayState",
        "SigAlg",
        "Signature",
        "SAMLEncoding",
    ] {
        let body = saml(&json!({"upstream_params": {name: {"value": "x"}}}));
        let (_, answer) = create(&gateway, body).await;
        assert_eq!(
            errors(&answer)[0].0,
            "connection.reserved_parameter",
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_a_draft_from_being_activated_is_told_at_once() {
    let gateway = Gateway::start().await;
    let expected = vec![
        ("connection.issuer_missing", "options.issuer"),
        ("connection.client_id_missing", "options.client_id"),
        ("connection.client_secret_missing", "options.client_secret"),
    ];
    let draft = gateway.create_connection(oidc(&json!({}))).await;
    assert_eq!(
        (&draft["status"], draft["missing"].as_array().map(Vec::len)),
        (&json!("draft"), Some(3))
    );
    let path = format!("{CONNECTIONS}/{}", draft["id"].as_str().expect("an id"));
    let activate = json!({"status": "active"});
    let (status, answer) = gateway.api(Method::PATCH, &path, Some(activate)).await;
    assert_eq!((status, errors(&answer)), (422, expected));
    let body = json!({"name": "x", "strategy": "saml:custom", "status": "active"});
    let (_, answer) = create(&gateway, body).await;
    assert_eq!(
        errors(&answer),
        [(
            "connection.metadata_missing",
            "options.saml_idp_metadata_url"
        )]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_of_another_connection_cannot_be_taken() {
    let gateway = Gateway::start().await;
    let first = active(&gateway, &["acme.test", "bücher.test"], &[]).await;
    let second = active(&gateway, &["other.test"], &[]).await;
    let taken = |at: usize| {
        let field = format!("options.home_realm_domains.{at}");
        vec![("connection.domain_taken".to_owned(), field)]
    };
    for domains in [
        json!(["mine.test", "acme.test"]),
        json!(["mine.test", "ACME.Test"]),
        json!(["mine.test", "xn--bcher-kva.test"]),
    ] {
        let options = json!({"home_realm_domains": domains});
        let (status, answer) = create(&gateway, saml(&options.clone())).await;
        let owned = |answer: &Value| {
            errors(answer)
                .into_iter()
                .map(|(code, field)| (code.to_owned(), field.to_owned()))
                .collect::<Vec<_>>()
        };
        assert_eq!((status, owned(&answer)), (409, taken(1)));
        let change = json!({"options": options});
        let (status, answer) = gateway.api(Method::PATCH, &second, Some(change)).await;
        assert_eq!((status, owned(&answer)), (409, taken(1)));
    }
    let (_, read) = gateway.api(Method::GET, &second, None).await;
    assert_eq!(
        read["connection"]["options"]["home_realm_domains"],
        json!(["other.test"])
    );
    let (_, found) = gateway
        .api(
            Method::GET,
            &format!("{CONNECTIONS}?home_realm_domain=acme.test"),
            None,
        )
        .await;
    let id = found["connections"][0]["id"].as_str().expect("an id");
    assert!(first.ends_with(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_go_in_and_never_come_out() {
    let gateway = Gateway::start().await;
    let (certificate, key) = pem(&hostile::rsa_key(2048));
    let line = key.lines().nth(3).expect("a line of the key").to_owned();
    let signing = json!({"saml_signing_certificate": certificate, "saml_signing_private_key": key});
    let secret =
        json!({"issuer": "https://op.example", "client_id": "c", "client_secret": "hush-hush"});
    for (body, secret) in [
        (saml(&signing), line.as_str()),
        (oidc(&secret), "hush-hush"),
    ] {
        let (_, created) = create(&gateway, body).await;
        let path = format!(
            "{CONNECTIONS}/{}",
            created["connection"]["id"].as_str().expect("an id")
        );
        let wrong = Some(json!({"options": {"client_secret": 1, "saml_signing_private_key": 1}}));
        let answers = [
            created,
            gateway.api(Method::GET, &path, None).await.1,
            gateway.api(Method::GET, CONNECTIONS, None).await.1,
            gateway.api(Method::PATCH, &path, wrong).await.1,
            gateway
                .api(Method::PATCH, &path, Some(json!({"name": "y"})))
                .await
                .1,
        ];
        for answer in answers {
            assert!(!answer.to_string().contains(secret), "{answer}");
        }
    }
}
