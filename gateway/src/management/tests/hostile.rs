use super::*;

async fn raw(gateway: &Gateway, body: impl Into<Body>) -> Answer {
    let header = format!("Bearer {}", gateway.token(&["create:connections"]));
    gateway
        .send(
            Request::post("/api/v1/connections")
                .header("authorization", header)
                .body(body.into())
                .unwrap(),
        )
        .await
}

#[tokio::test]
async fn bodies_that_are_not_one_object_are_refused() {
    let gateway = Gateway::open().await;
    for body in ["", "[]", "null", "{", "{\"name\": 1}}", "name=x"] {
        assert_eq!(
            raw(&gateway, body).await.errors(),
            [("api.body_malformed", "")],
            "{body}"
        );
    }
    let twice = r#"{"name": "a", "strategy": "saml:okta", "options": {"is_trusted": false, "is_trusted": true}}"#;
    assert_eq!(
        raw(&gateway, twice).await.errors(),
        [("api.member_repeated", "")]
    );
    let deep = format!(
        "{{\"options\": {}{}}}",
        "{\"a\":".repeat(10_000),
        "1".to_owned() + &"}".repeat(10_000)
    );
    assert_eq!(
        raw(&gateway, deep).await.errors(),
        [("api.body_malformed", "")]
    );
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let gateway = Gateway::open().await;
    let answer = raw(&gateway, vec![b' '; gateway.app.limits.api_body_bytes + 1]).await;
    assert_eq!(
        (answer.status, answer.errors()),
        (
            StatusCode::PAYLOAD_TOO_LARGE,
            vec![("api.body_too_large", "")]
        )
    );
}

#[tokio::test]
async fn types_are_checked_before_anything_is_written() {
    let gateway = Gateway::open().await;
    let body = json!({ "name": ["a"], "display_name": "a\u{1}b", "strategy": "saml:okta", "options": [], "enabled_applications": "app" });
    let expected = [
        ("api.member_type", "name"),
        ("api.member_value", "display_name"),
        ("api.member_type", "enabled_applications"),
        ("api.member_type", "options"),
    ];
    assert_eq!(gateway.create(body).await.errors(), expected);
}

#[tokio::test]
async fn a_thousand_unknown_members_are_a_bounded_answer() {
    let gateway = Gateway::open().await;
    let members: serde_json::Map<_, _> = (0..20_000).map(|n| (format!("m{n}"), json!(1))).collect();
    assert_eq!(
        gateway.create(Value::Object(members)).await.errors().len(),
        100
    );
    let many: Vec<String> = (0..1001).map(|n| format!("a{n}")).collect();
    let body = json!({ "name": "x", "strategy": "saml:okta", "enabled_applications": many });
    assert_eq!(
        gateway.create(body).await.errors(),
        [("api.member_value", "enabled_applications")]
    );
}

#[tokio::test]
async fn metadata_urls_do_not_reach_the_inner_network() {
    let gateway = Gateway::configured("").await;
    for url in [
        "https://127.0.0.1/",
        "https://169.254.169.254/latest",
        "https://[::1]/",
        "https://10.0.0.1/m",
        "https://localhost/",
    ] {
        let options = json!({ "saml_idp_metadata_url": url });
        let body = json!({ "name": "s", "strategy": "saml:custom", "status": "active", "options": options });
        let expected = [("egress.address_forbidden", "options.saml_idp_metadata_url")];
        assert_eq!(gateway.create(body).await.errors(), expected, "{url}");
    }
    let plain = json!({ "name": "s", "strategy": "saml:custom", "status": "active",
        "options": { "saml_idp_metadata_url": "http://127.0.0.1:1/" } });
    assert_eq!(
        gateway.create(plain).await.errors()[0].0,
        "egress.scheme_forbidden"
    );
}

#[tokio::test]
async fn secrets_go_in_and_never_come_out() {
    let gateway = Gateway::open().await;
    let options = json!({ "issuer": "https://127.0.0.1:1", "client_id": "c", "client_secret": "s3cr3t-value" });
    let created = gateway
        .create(json!({ "name": "o", "strategy": "oidc:custom", "options": options }))
        .await;
    let path = format!("/api/v1/connections/{}", created.id());
    let read = gateway.call("GET", &path, None).await;
    let list = gateway.call("GET", "/api/v1/connections", None).await;
    let changed = gateway
        .call(
            "PATCH",
            &path,
            Some(json!({ "options": { "client_secret": 7, "scopes": "s3cr3t-value-2" } })),
        )
        .await;
    for answer in [&created, &read, &list, &changed] {
        assert!(!answer.text.contains("s3cr3t-value"), "{}", answer.text);
    }
    let id = ConnectionId::parse(created.id()).unwrap();
    let stored = gateway.app.store.connection(&id).await.unwrap().unwrap();
    assert!(
        !format!("{stored:?}").contains("s3cr3t-value")
            && !stored.options.to_string().contains("s3cr3t")
    );
    let connection = crate::registry::from_row(&stored, &gateway.app.sealer).unwrap();
    assert_eq!(
        connection.options.secrets()["client_secret"],
        "s3cr3t-value"
    );
    assert!(!format!("{connection:?}").contains("s3cr3t-value"));
}

#[tokio::test]
async fn a_sealed_secret_opens_for_its_own_connection_alone() {
    let gateway = Gateway::open().await;
    let options = json!({ "client_secret": "s3cr3t-value" });
    let one = gateway
        .create(json!({ "name": "a", "strategy": "oidc:custom", "options": options }))
        .await;
    let two = gateway
        .create(json!({ "name": "b", "strategy": "oidc:custom" }))
        .await;
    let load = async |id: &str| {
        gateway
            .app
            .store
            .connection(&ConnectionId::parse(id).unwrap())
            .await
            .unwrap()
            .unwrap()
    };
    let mut moved = load(two.id()).await;
    moved.secrets = load(one.id()).await.secrets;
    assert_eq!(
        crate::registry::from_row(&moved, &gateway.app.sealer)
            .unwrap_err()
            .code(),
        "gateway.secret_unreadable"
    );
}

#[tokio::test]
async fn a_connection_whose_secret_is_lost_can_be_written_anew() {
    let gateway = Gateway::open().await;
    let options = json!({ "client_id": "c", "client_secret": "old" });
    let created = gateway
        .create(json!({ "name": "a", "strategy": "oidc:custom", "options": options }))
        .await;
    let id = ConnectionId::parse(created.id()).unwrap();
    let mut stored = gateway.app.store.connection(&id).await.unwrap().unwrap();
    stored.secrets = Some(vec![1; 40]);
    gateway
        .app
        .store
        .update_connection(&stored, 1, crate::store::connection::Beside::default())
        .await
        .unwrap();
    let path = format!("/api/v1/connections/{}", created.id());
    assert_eq!(
        gateway.call("GET", &path, None).await.status,
        StatusCode::OK
    );
    let changed = gateway
        .call("PATCH", &path, Some(json!({ "name": "b" })))
        .await;
    assert_eq!(changed.errors(), [("gateway.secret_unreadable", "")]);
    let put = gateway
        .call(
            "PUT",
            &path,
            Some(json!({ "options": { "client_id": "c", "client_secret": "new" } })),
        )
        .await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
}

#[tokio::test]
async fn one_tenants_metadata_changes_nothing_of_another() {
    let gateway = Gateway::open().await;
    let (one, two) = (gateway.active("one").await, gateway.active("two").await);
    let same = json!({ "options": { "saml_entity_id": "shared", "saml_idp_metadata_xml": metadata("https://evil.example.com") } });
    assert_eq!(
        gateway
            .call("PATCH", &format!("/api/v1/connections/{two}"), Some(same))
            .await
            .status,
        StatusCode::OK
    );
    let live = gateway
        .app
        .store
        .live_metadata(&ConnectionId::parse(&one).unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(live.document, metadata("https://idp.example.com"));
    assert_eq!(gateway.read(&one).await["version"], 1);
}

#[tokio::test]
async fn odd_paths_are_unknown_connections() {
    let gateway = Gateway::open().await;
    for id in [
        "x",
        "conn_",
        "CONN_00000000000000000000000000000000",
        "conn_%00",
        "..%2f..%2fetc",
    ] {
        let answer = gateway
            .call("GET", &format!("/api/v1/connections/{id}"), None)
            .await;
        assert_eq!(
            (answer.status, answer.errors()),
            (StatusCode::NOT_FOUND, vec![("api.connection_unknown", "")]),
            "{id}"
        );
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_answered_in_json() {
    let gateway = Gateway::open().await;
    for path in [
        "/api/v1/nothing",
        "/api/v1/connections/a/b",
        "/api/v1/x/../connections",
    ] {
        let answer = gateway.call("GET", path, None).await;
        assert_eq!(
            (answer.status, answer.errors()),
            (StatusCode::NOT_FOUND, vec![("api.path_unknown", "")]),
            "{path}"
        );
    }
    let answer = gateway.call("PATCH", "/api/v1/connections", None).await;
    let expected = (
        StatusCode::METHOD_NOT_ALLOWED,
        vec![("api.method_not_allowed", "")],
    );
    assert_eq!((answer.status, answer.errors()), expected);
}

#[tokio::test]
async fn no_answer_leaves_a_word_in_braces() {
    let gateway = Gateway::open().await;
    for strategy in ["saml:google", "saml:microsoft", "oidc:custom"] {
        for status in ["draft", "active"] {
            let answer = gateway
                .create(json!({ "name": "x", "strategy": strategy, "status": status }))
                .await;
            let text = answer.text.replace("{\"", "").replace("\"}", "");
            assert!(
                !["{metadata", "{console", "{client", "{signing"]
                    .iter()
                    .any(|word| text.contains(word)),
                "{text}"
            );
        }
    }
}
