use super::*;

fn path(id: &str) -> String {
    format!("/api/v1/connections/{id}")
}

#[tokio::test]
async fn asking_for_active_outright_tells_every_problem_instead_of_a_draft() {
    let gateway = Gateway::open().await;
    let body = json!({ "name": "op", "strategy": "oidc:custom", "status": "active", "options": { "client_id": "c" } });
    let answer = gateway.create(body).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let expected = [
        ("connection.issuer_missing", "options.issuer"),
        ("connection.client_secret_missing", "options.client_secret"),
    ];
    assert_eq!(answer.errors(), expected);
    let list = gateway.call("GET", "/api/v1/connections", None).await;
    assert_eq!(list.json["connections"], json!([]));
}

#[tokio::test]
async fn a_draft_is_activated_when_it_is_whole() {
    let gateway = Gateway::open().await;
    let draft = gateway
        .create(json!({ "name": "s", "strategy": "saml:custom" }))
        .await;
    let path = path(draft.id());
    let answer = gateway
        .call("PATCH", &path, Some(json!({ "status": "active" })))
        .await;
    assert_eq!(
        answer.errors(),
        [(
            "connection.metadata_missing",
            "options.saml_idp_metadata_url"
        )]
    );
    let broken =
        json!({ "status": "active", "options": { "saml_idp_metadata_xml": "<html></html>" } });
    let answer = gateway.call("PATCH", &path, Some(broken)).await;
    assert_eq!(
        answer.errors(),
        [("metadata.not_metadata", "options.saml_idp_metadata_xml")]
    );
    assert_eq!(gateway.read(draft.id()).await["status"], "draft");
    let sound = json!({ "status": "active", "options": { "saml_idp_metadata_xml": metadata("https://idp.example.com") } });
    let answer = gateway.call("PATCH", &path, Some(sound)).await;
    assert_eq!(
        (answer.status, answer.etag.as_deref()),
        (StatusCode::OK, Some("\"2\"")),
        "{}",
        answer.text
    );
    assert_eq!(gateway.read(draft.id()).await["status"], "active");
}

#[tokio::test]
async fn a_draft_may_be_asked_for() {
    let gateway = Gateway::open().await;
    let options = json!({ "saml_idp_metadata_xml": "nonsense" });
    let answer = gateway.create(json!({ "name": "s", "strategy": "saml:custom", "status": "draft", "options": options })).await;
    assert_eq!(answer.json["connection"]["status"], "draft");
}

#[tokio::test]
async fn an_active_connection_stays_whole_or_unchanged() {
    let gateway = Gateway::open().await;
    let id = gateway.active("one").await;
    let broken = json!({ "options": { "saml_idp_metadata_xml": null } });
    let answer = gateway.call("PATCH", &path(&id), Some(broken)).await;
    assert_eq!(
        answer.errors(),
        [(
            "connection.metadata_missing",
            "options.saml_idp_metadata_url"
        )]
    );
    let read = gateway.read(&id).await;
    assert_eq!(
        (&read["status"], &read["version"]),
        (&json!("active"), &json!(1))
    );
    let back = gateway
        .call("PATCH", &path(&id), Some(json!({ "status": "draft" })))
        .await;
    assert_eq!(back.errors(), [("api.status_change", "status")]);
}

#[tokio::test]
async fn new_metadata_of_an_active_connection_is_live_at_once() {
    let gateway = Gateway::open().await;
    let id = gateway.active("one").await;
    let other = metadata("https://other.example.com");
    let answer = gateway
        .call(
            "PATCH",
            &path(&id),
            Some(json!({ "options": { "saml_idp_metadata_xml": other } })),
        )
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let live = gateway
        .app
        .store
        .live_metadata(&ConnectionId::parse(&id).unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(live.document, other);
}

#[tokio::test]
async fn the_strategy_stays() {
    let gateway = Gateway::open().await;
    let id = gateway.active("one").await;
    let answer = gateway
        .call(
            "PATCH",
            &path(&id),
            Some(json!({ "strategy": "saml:custom" })),
        )
        .await;
    assert_eq!(answer.errors(), [("api.strategy_fixed", "strategy")]);
    let same = gateway
        .call(
            "PATCH",
            &path(&id),
            Some(json!({ "strategy": "saml:okta", "name": "two" })),
        )
        .await;
    assert_eq!(same.status, StatusCode::OK);
}

#[tokio::test]
async fn a_lost_update_is_told() {
    let gateway = Gateway::open().await;
    let id = gateway.active("one").await;
    let patch = async |tag: &str| {
        gateway
            .call_with(
                "PATCH",
                &path(&id),
                Some(json!({ "name": "n" })),
                &[("if-match", tag)],
            )
            .await
    };
    assert_eq!(patch("\"1\"").await.etag.as_deref(), Some("\"2\""));
    let late = patch("\"1\"").await;
    assert_eq!(
        (late.status, late.errors()),
        (StatusCode::CONFLICT, vec![("api.lost_update", "")])
    );
    assert_eq!(patch("*").await.status, StatusCode::OK);
    assert_eq!(patch("nonsense").await.status, StatusCode::CONFLICT);
    let delete = gateway
        .call_with("DELETE", &path(&id), None, &[("if-match", "\"1\"")])
        .await;
    assert_eq!(delete.errors(), [("api.lost_update", "")]);
}

#[tokio::test]
async fn disabling_and_deleting_want_a_confirmation_while_others_depend() {
    let gateway = Gateway::open().await;
    let id = gateway.active("one").await;
    let enabled = json!({ "enabled_applications": ["app"], "options": { "home_realm_domains": ["a.example"] } });
    gateway.call("PATCH", &path(&id), Some(enabled)).await;
    for (method, body) in [
        ("PATCH", Some(json!({ "status": "disabled" }))),
        ("DELETE", None),
    ] {
        let answer = gateway.call(method, &path(&id), body.clone()).await;
        assert_eq!(
            (answer.status, answer.errors()),
            (
                StatusCode::CONFLICT,
                vec![("api.confirmation_required", "confirm")]
            )
        );
        let dependants = json!({ "users": 0, "applications": ["app"], "domains": ["a.example"] });
        assert_eq!(answer.json["dependants"], dependants);
        let answer = gateway
            .call(method, &format!("{}?confirm=true", path(&id)), body)
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }
    let gone = gateway.call("GET", &path(&id), None).await;
    assert_eq!(
        (gone.status, gone.errors()),
        (StatusCode::NOT_FOUND, vec![("api.connection_unknown", "")])
    );
}

#[tokio::test]
async fn nobody_depends_so_nobody_is_asked() {
    let gateway = Gateway::open().await;
    let id = gateway.active("one").await;
    assert_eq!(
        gateway.call("DELETE", &path(&id), None).await.json["code"],
        "OK"
    );
}

#[tokio::test]
async fn put_replaces_and_keeps_the_unreadable_secret() {
    let gateway = Gateway::open().await;
    let options = json!({ "client_id": "c", "client_secret": "hush-hush", "scopes": ["openid"] });
    let id = gateway
        .create(json!({ "name": "o", "strategy": "oidc:custom", "options": options }))
        .await
        .id()
        .to_owned();
    let answer = gateway
        .call(
            "PUT",
            &path(&id),
            Some(json!({ "name": "p", "options": { "client_id": "d" } })),
        )
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let read = gateway.read(&id).await;
    assert_eq!(read["options"]["scopes"], json!([]));
    assert_eq!(
        (&read["options"]["client_id"], &read["secrets"]),
        (&json!("d"), &json!(["client_secret"]))
    );
}

#[tokio::test]
async fn metadata_that_has_expired_activates_nothing() {
    let gateway = Gateway::open().await;
    let document = metadata("https://idp.example.com").replacen(
        " entityID=",
        " validUntil=\"2020-01-01T00:00:00Z\" entityID=",
        1,
    );
    let options = json!({ "saml_idp_metadata_xml": document });
    let answer = gateway
        .create(json!({ "name": "s", "strategy": "saml:okta", "options": options }))
        .await;
    assert_eq!(answer.json["connection"]["status"], "draft");
    let missing = &answer.json["connection"]["missing"][0];
    assert_eq!(
        (&missing["code"], &missing["field"]),
        (
            &json!("metadata.expired"),
            &json!("options.saml_idp_metadata_xml")
        )
    );
}
