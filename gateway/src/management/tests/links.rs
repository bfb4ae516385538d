use super::*;
use crate::events::trace::Trace;
use fedgate_providers::login::{Step, Verdict};

#[tokio::test]
async fn a_connection_is_enabled_for_an_application_and_back() {
    let gateway = Gateway::open().await;
    let id = gateway.active("one").await;
    let all = "/api/v1/applications/app/connections";
    let one = format!("{all}/{id}");
    let listed = async || {
        gateway.call("GET", all, None).await.json["connections"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(listed().await, 0);
    for _ in 0..2 {
        let answer = gateway.call("POST", &one, None).await;
        assert_eq!(
            (answer.status, &answer.json["code"]),
            (StatusCode::OK, &json!("OK"))
        );
        assert_eq!(listed().await, 1);
    }
    assert_eq!(gateway.call("DELETE", &one, None).await.json["code"], "OK");
    assert_eq!(listed().await, 0);
}

#[tokio::test]
async fn unknown_applications_and_connections_are_told_apart() {
    let gateway = Gateway::open().await;
    let id = gateway.active("one").await;
    let call = async |method: &str, path: &str| gateway.call(method, path, None).await;
    let unknown = call("POST", &format!("/api/v1/applications/no/connections/{id}")).await;
    assert_eq!(
        (unknown.status, unknown.errors()),
        (StatusCode::NOT_FOUND, vec![("api.application_unknown", "")])
    );
    assert_eq!(
        call("GET", "/api/v1/applications/no/connections")
            .await
            .errors(),
        [("api.application_unknown", "")]
    );
    let none = call("DELETE", "/api/v1/applications/app/connections/conn_x").await;
    assert_eq!(none.errors(), [("api.connection_unknown", "")]);
}

#[tokio::test]
async fn an_organization_is_made_and_read() {
    let gateway = Gateway::open().await;
    let body = json!({ "name": "Acme", "external_id": "7", "handle": "acme", "is_allow_registrations": true, "is_auto_membership_enabled": true });
    let answer = gateway
        .call("POST", "/api/v1/organization", Some(body.clone()))
        .await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let code = answer.json["organization"]["code"].as_str().unwrap();
    assert!(code.len() == 15 && code.starts_with("org_"), "{code}");
    let read = gateway
        .call("GET", &format!("/api/v1/organization?code={code}"), None)
        .await;
    assert_eq!(
        (&read.json["code"], &read.json["name"]),
        (&json!(code), &json!("Acme"))
    );

    let again = gateway
        .call("POST", "/api/v1/organization", Some(body))
        .await;
    assert_eq!(
        (again.status, again.errors()),
        (StatusCode::CONFLICT, vec![("api.handle_taken", "handle")])
    );
    let wrong = json!({ "nam": "x", "is_allow_registrations": "true" });
    let wrong = gateway
        .call("POST", "/api/v1/organization", Some(wrong))
        .await;
    let expected = [
        ("api.member_missing", "name"),
        ("api.member_type", "is_allow_registrations"),
        ("api.member_unknown", "nam"),
    ];
    assert_eq!(wrong.errors(), expected);
    let absent = gateway
        .call("GET", "/api/v1/organization?code=org_0", None)
        .await;
    assert_eq!(absent.errors(), [("api.organization_unknown", "")]);
    assert_eq!(
        gateway
            .call("GET", "/api/v1/organization", None)
            .await
            .errors(),
        [("api.member_missing", "code")]
    );
}

#[tokio::test]
async fn a_trace_is_told_with_the_fix_in_console_words() {
    let gateway = Gateway::open().await;
    let step = Step {
        name: "saml.conditions".into(),
        verdict: Verdict::Failed,
        note: None,
        code: Some("saml.audience_mismatch".into()),
        expected: Some("ours".into()),
        found: Some("theirs".into()),
        at: 0,
    };
    let trace = Trace {
        reference: "FG-ABCDEFGH".into(),
        connection_id: None,
        strategy: Some("saml:okta".into()),
        connection_name: None,
        client_id: None,
        user_id: None,
        code: Some("saml.audience_mismatch".into()),
        steps: vec![step],
        of_stranger: false,
        at: gateway.app.clock.now().as_millisecond(),
    };
    gateway
        .app
        .store
        .insert_traces(&[trace], &gateway.app.limits)
        .await
        .unwrap();
    let answer = gateway
        .call("GET", "/api/v1/logins/fg-abcdefgh", None)
        .await;
    let login = &answer.json["login"];
    assert_eq!(
        (&login["blame"], &login["steps"][0]["found"]),
        (&json!("upstream"), &json!("theirs")),
        "{}",
        answer.text
    );
    assert!(
        login["fix"]
            .as_str()
            .unwrap()
            .contains("Audience URI (SP Entity ID)"),
        "{}",
        login["fix"]
    );
    let unknown = gateway
        .call("GET", "/api/v1/logins/FG-ZZZZZZZZ", None)
        .await;
    assert_eq!(
        (unknown.status, unknown.errors()),
        (StatusCode::NOT_FOUND, vec![("api.login_unknown", "")])
    );
}

#[tokio::test]
async fn an_organization_is_changed_listed_and_deleted_when_nothing_belongs_to_it() {
    let gateway = Gateway::open().await;
    let made = gateway
        .call(
            "POST",
            "/api/v1/organization",
            Some(json!({ "name": "Acme", "handle": "acme" })),
        )
        .await;
    let code = made.json["organization"]["code"].as_str().unwrap();
    let path = format!("/api/v1/organization/{code}");
    let changed = json!({ "name": "Acme Ltd", "handle": null, "is_allow_registrations": true });
    assert_eq!(
        gateway.call("PATCH", &path, Some(changed)).await.json["code"],
        "OK"
    );
    let list = gateway
        .call("GET", "/api/v1/organizations?page_size=10", None)
        .await;
    let listed = &list.json["organizations"][0];
    assert_eq!(
        (&listed["name"], &listed["handle"]),
        (&json!("Acme Ltd"), &Value::Null),
        "{}",
        list.text
    );
    let wrong = gateway
        .call("PATCH", &path, Some(json!({ "name": "", "codes": 1 })))
        .await;
    assert_eq!(
        wrong.errors(),
        [
            ("api.member_missing", "name"),
            ("api.member_unknown", "codes")
        ]
    );

    let own = json!({ "name": "own", "strategy": "saml:okta", "organization_code": code });
    let own = gateway.create(own).await.id().to_owned();
    let kept = gateway.call("DELETE", &path, None).await;
    assert_eq!(
        (kept.status, kept.errors()),
        (StatusCode::CONFLICT, vec![("api.organization_in_use", "")])
    );
    gateway
        .call("DELETE", &format!("/api/v1/connections/{own}"), None)
        .await;
    assert_eq!(gateway.call("DELETE", &path, None).await.json["code"], "OK");
    assert_eq!(
        gateway.call("DELETE", &path, None).await.errors(),
        [("api.organization_unknown", "")]
    );
}

#[tokio::test]
async fn a_connection_is_enabled_for_an_organization_and_back() {
    let gateway = Gateway::open().await;
    let id = gateway.active("one").await;
    let made = gateway
        .call(
            "POST",
            "/api/v1/organization",
            Some(json!({ "name": "Acme" })),
        )
        .await;
    let all = format!(
        "/api/v1/organizations/{}/connections",
        made.json["organization"]["code"].as_str().unwrap()
    );
    let listed = async || {
        gateway.call("GET", &all, None).await.json["connections"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(listed().await, 0);
    assert_eq!(
        gateway
            .call("POST", &format!("{all}/{id}"), None)
            .await
            .json["code"],
        "OK"
    );
    assert_eq!(listed().await, 1);
    assert_eq!(
        gateway
            .call("DELETE", &format!("{all}/{id}"), None)
            .await
            .json["code"],
        "OK"
    );
    assert_eq!(listed().await, 0);
    let unknown = gateway
        .call(
            "POST",
            &format!("/api/v1/organizations/org_0/connections/{id}"),
            None,
        )
        .await;
    assert_eq!(unknown.errors(), [("api.organization_unknown", "")]);
}
