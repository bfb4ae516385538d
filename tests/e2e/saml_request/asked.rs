//! What a login asks of the identity provider, and that the answer is held to it.

use fedgate_lab::saml_idp::AuthnRequest;

use super::*;

/// Begins a login and reads the request that it sends, with the address that it goes to.
async fn asked(
    gateway: &Gateway,
    connection: &Connected,
    more: &[(&str, &str)],
) -> (AuthnRequest, url::Url) {
    let mut browser = gateway.browser();
    let request = [&[("connection_id", connection.id.as_str())], more].concat();
    let sent = browser
        .step(&gateway.authorize_url(&request))
        .await
        .location();
    let sent = sent.expect("a redirect");
    let field = |name: &str| {
        let mut pairs = sent.query_pairs();
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let request = AuthnRequest::from_redirect(&field("SAMLRequest").expect("a request"));
    (request.expect("a request"), sent)
}

fn parameter(url: &url::Url, name: &str) -> Vec<String> {
    let pairs = url.query_pairs().filter(|(key, _)| key == name);
    pairs.map(|(_, value)| value.into_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_application_asks_reaches_the_identity_provider() {
    let gateway = Gateway::start().await;
    let upstream = SamlUpstream::start().await;
    let options = json!({"name_id_format": "Email address"});
    let connection = upstream
        .connect(&gateway, json!({"options": options}))
        .await;
    let (request, _) = asked(&gateway, &connection, &[]).await;
    assert!(!request.force);
    assert_eq!((request.context, request.subject), (None, None));
    assert_eq!(
        request.name_id_format.as_deref(),
        Some("urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress")
    );
    for more in [("prompt", "login"), ("max_age", "0"), ("max_age", "600")] {
        let (request, _) = asked(&gateway, &connection, &[more]).await;
        assert!(request.force, "{more:?}");
    }
    let (request, _) = asked(&gateway, &connection, &[("acr_values", "urn:mfa urn:pwd")]).await;
    assert_eq!(request.context.as_deref(), Some("urn:mfa"));
}

/// The ID is what InResponseTo is compared with: 128 bits, others at each login.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_is_128_bits_and_never_the_same() {
    let (gateway, _upstream, connection) = scene().await;
    let mut ids = std::collections::HashSet::new();
    for _ in 0..20 {
        let (request, _) = asked(&gateway, &connection, &[]).await;
        let hex = request.id.strip_prefix('_').expect("an NCName");
        assert!(hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
        assert!(ids.insert(request.id));
    }
    proved!(118, ACCEPTED);
}

/// Too many values are refused before anything is sent; a long one is sent whole, and no cookie breaks.
#[tokio::test(flavor = "multi_thread")]
async fn huge_acr_values_break_nothing() {
    let (gateway, _upstream, connection) = scene().await;
    let long = format!("urn:{}", "x".repeat(900));
    let (request, _) = asked(&gateway, &connection, &[("acr_values", &long)]).await;
    assert_eq!(request.context.as_deref(), Some(long.as_str()));
    let (mut browser, page) = {
        let mut browser = gateway.browser();
        let more = [
            ("connection_id", connection.id.as_str()),
            ("acr_values", &long),
        ];
        let page = begin(&mut browser, &gateway, &more).await;
        (browser, page)
    };
    assert_eq!(page.status, 200, "{}", page.body);
    let ended = Ending::of(&answer(&mut browser, &page, ALICE, "").await);
    assert!(matches!(ended, Ending::SignedIn { .. }), "{ended:?}");
    let many = vec!["urn:a"; 200].join(" ");
    let mut browser = gateway.browser();
    let request =
        gateway.authorize_url(&[("connection_id", &connection.id), ("acr_values", &many)]);
    let page = browser.open(&request).await;
    assert_eq!(
        Ending::of(&page),
        Ending::told("invalid_request", "op.parameter_too_long")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn upstream_parameters_go_into_the_url_and_the_subject_into_the_request() {
    let (gateway, _upstream, connection) = scene().await;
    let parameters = json!({
        "tenant": {"value": "acme & co"}, "username": {"alias": "login_hint"},
        "Subject": {"alias": "login_hint"}, "prompt": {"alias": "prompt"},
    });
    change(
        &gateway,
        &connection,
        json!({"upstream_params": parameters}),
    )
    .await;
    let hint = "alice+1@acme.test";
    let (request, url) = asked(&gateway, &connection, &[("login_hint", hint)]).await;
    assert_eq!(request.subject.as_deref(), Some(hint));
    assert_eq!(parameter(&url, "username"), [hint]);
    assert_eq!(parameter(&url, "tenant"), ["acme & co"]);
    assert_eq!(parameter(&url, "prompt"), [""; 0]);
    assert_eq!(parameter(&url, "Subject"), [""; 0]);
    // The identity provider verifies the signature all the same.
    signs_in(&gateway, &connection).await;
}

/// A hint is what anybody writes into a link: it stays a value, whatever it looks like.
#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_hint_adds_no_parameter_and_no_element() {
    let (gateway, _upstream, connection) = scene().await;
    let parameters =
        json!({"username": {"alias": "login_hint"}, "Subject": {"alias": "login_hint"}});
    change(
        &gateway,
        &connection,
        json!({"upstream_params": parameters}),
    )
    .await;
    let hint = "x@y.z&Signature=evil&RelayState=evil#</saml:NameID><saml:NameID>admin";
    let (request, url) = asked(&gateway, &connection, &[("login_hint", hint)]).await;
    assert_eq!(request.subject.as_deref(), Some(hint));
    for name in ["SAMLRequest", "RelayState", "SigAlg", "Signature"] {
        let values = parameter(&url, name);
        assert_eq!(values.len(), 1, "{name}: {values:?}");
        assert_ne!(values[0], "evil");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sign_in_url_takes_the_place_of_the_metadatas() {
    let (gateway, upstream, connection) = scene().await;
    let own = format!("{}?idp=1&SigAlg=evil", upstream.idp.sso_url());
    let (status, answer) = change(&gateway, &connection, json!({"saml_sign_in_url": own})).await;
    assert_eq!(status, 200, "{answer}");
    let (_, url) = asked(&gateway, &connection, &[]).await;
    assert_eq!(parameter(&url, "idp"), ["1"]);
    assert_eq!(parameter(&url, "SigAlg").len(), 1);
    signs_in(&gateway, &connection).await;
}

/// An old authentication was proved too: within `max_age` it is good enough, even where the identity provider did not
/// heed ForceAuthn.
#[tokio::test(flavor = "multi_thread")]
async fn acr_and_auth_time_are_those_of_the_assertion() {
    let (gateway, _upstream, connection) = scene().await;
    let day = 2 * 24 * 3600;
    for (more, lie, is_old) in [
        (vec![], "", false),
        (vec![("max_age", "172800")], "OldAuthnInstant", true),
        (vec![("acr_values", "urn:mfa")], "", false),
    ] {
        let mut browser = gateway.browser();
        let request = [&[("connection_id", connection.id.as_str())], &more[..]].concat();
        let page = begin(&mut browser, &gateway, &request).await;
        let code = Ending::of(&answer(&mut browser, &page, ALICE, lie).await).code();
        let claims = gateway.redeem(&code).await;
        let now = gateway.app.clock.now().as_second();
        let age = now - claims["auth_time"].as_i64().expect("auth_time");
        assert!((0..day).contains(&age), "{claims}");
        assert_eq!(age > 3600, is_old, "{claims}");
        let wanted = more.iter().find(|(name, _)| *name == "acr_values");
        let password = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";
        assert_eq!(
            claims["acr"],
            wanted.map_or(password, |(_, value)| value),
            "{claims}"
        );
        let methods = wanted.map_or(json!(["pwd"]), |_| Value::Null);
        assert_eq!(claims["amr"], methods, "{claims}");
    }
}
