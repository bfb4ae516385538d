//! Bodies, members, paths, methods and pages.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_cannot_be_read_are_told_apart() {
    let gateway = Gateway::start().await;
    let token = gateway.api_token().await;
    let deep = format!(
        "{{\"options\":{}1{}}}",
        "{\"a\":".repeat(20_000),
        "}".repeat(20_000)
    );
    #[rustfmt::skip]
    let cases = [
        (String::new(), 400, "api.body_malformed"),
        ("[]".into(), 400, "api.body_malformed"),
        ("{\"name\": \"x\"".into(), 400, "api.body_malformed"),
        ("name=x&strategy=saml:custom".into(), 400, "api.body_malformed"),
        (deep, 400, "api.body_malformed"),
        (r#"{"name": "x", "strategy": "saml:custom", "options": {"is_trusted": false, "is_trus\u0074ed": true}}"#.into(), 400, "api.member_repeated"),
        (" ".repeat(4 * 1024 * 1024 + 1), 413, "api.body_too_large"),
    ];
    for (body, status, code) in cases {
        let request = client()
            .post(format!("{}{CONNECTIONS}", gateway.base))
            .bearer_auth(&token);
        let (found, answer) =
            read(request.header(CONTENT_TYPE, "application/json").body(body)).await;
        assert_eq!((found, errors(&answer)), (status, vec![(code, "")]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_known_typed_and_present() {
    let gateway = Gateway::start().await;
    #[rustfmt::skip]
    let cases = [
        (json!({"strategy": "saml:custom"}), vec![("api.member_missing", "name")]),
        (json!({"name": "x"}), vec![("api.member_missing", "strategy")]),
        (json!({"name": 1, "strategy": "saml:custom"}), vec![("api.member_type", "name")]),
        (json!({"name": "x", "strategy": "saml:custom", "status": "on"}), vec![("api.member_value", "status")]),
        (json!({"name": "x", "strategy": "saml:custom", "nmae": "y", "id": "conn_1"}), vec![("api.member_unknown", "nmae"), ("api.member_unknown", "id")]),
        (json!({"name": "x", "strategy": "saml:custom", "enabled_applications": ["nobody"]}), vec![("api.member_value", "enabled_applications.0")]),
        (json!({"name": "x", "strategy": "saml:custom", "organization_code": "org_0"}), vec![("api.member_value", "organization_code")]),
    ];
    for (body, expected) in cases {
        let (status, answer) = create(&gateway, body).await;
        let told = if expected[0].0 == "api.member_value" {
            422
        } else {
            400
        };
        assert_eq!((status, errors(&answer)), (told, expected));
    }
    #[rustfmt::skip]
    let cases = [
        ("page_size=0", "api.member_value"),
        ("page_size=-1", "api.member_value"),
        ("page_size=1&page_size=2", "api.member_repeated"),
        ("pagesize=1", "api.member_unknown"),
        ("starting_after=a&ending_before=b", "api.member_value"),
        ("home_realm_domain=no", "api.member_value"),
        ("page_size=", "api.member_value"),
    ];
    for (query, code) in cases {
        let (status, answer) = gateway
            .api(Method::GET, &format!("{CONNECTIONS}?{query}"), None)
            .await;
        let told = if code == "api.member_value" { 422 } else { 400 };
        assert_eq!((status, errors(&answer)[0].0), (told, code), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_404_of_its_own() {
    let gateway = Gateway::start().await;
    let connection = active(&gateway, &[], &[]).await;
    let id = connection.rsplit('/').next().expect("an id");
    let absent = format!("conn_{}", "0".repeat(32));
    #[rustfmt::skip]
    let cases = [
        (Method::GET, format!("{CONNECTIONS}/{absent}"), "api.connection_unknown"),
        (Method::DELETE, format!("{CONNECTIONS}/{absent}"), "api.connection_unknown"),
        (Method::GET, format!("{CONNECTIONS}/..%2f..%2fetc"), "api.connection_unknown"),
        (Method::GET, format!("{CONNECTIONS}?starting_after={absent}"), "api.connection_unknown"),
        (Method::GET, format!("{CONNECTIONS}?ending_before=org_0"), "api.connection_unknown"),
        (Method::GET, format!("/saml/{absent}/metadata"), "api.connection_unknown"),
        (Method::GET, "/api/v1/applications/nobody/connections".into(), "api.application_unknown"),
        (Method::POST, format!("/api/v1/applications/nobody/connections/{id}"), "api.application_unknown"),
        (Method::POST, format!("/api/v1/applications/web/connections/{absent}"), "api.connection_unknown"),
        (Method::GET, "/api/v1/organization?code=org_0".into(), "api.organization_unknown"),
        (Method::POST, format!("/api/v1/organizations/org_0/connections/{id}"), "api.organization_unknown"),
        (Method::GET, format!("/api/v1/organizations?starting_after={id}"), "api.organization_unknown"),
        (Method::GET, "/api/v1/logins/FG-AAAAAAAA".into(), "api.login_unknown"),
        (Method::GET, format!("/api/v1/logins/{}", "A".repeat(5000)), "api.login_unknown"),
        (Method::GET, "/api/v1/nothing".into(), "api.path_unknown"),
        (Method::GET, "/api/v1/connections/".into(), "api.path_unknown"),
        (Method::GET, "/api/v1".into(), "api.path_unknown"),
        (Method::GET, "/api/v2/connections".into(), "api.path_unknown"),
        (Method::POST, "/api/v1/%ff".into(), "api.path_unknown"),
        (Method::GET, "/api/v1/connections/%ff".into(), "api.path_unknown"),
    ];
    for (method, path, code) in cases {
        let (status, answer) = gateway.api(method, &path, None).await;
        assert_eq!((status, errors(&answer)), (404, vec![(code, "")]), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_method_is_answered_in_json_with_those_that_are_there() {
    let gateway = Gateway::start().await;
    let token = gateway.api_token().await;
    #[rustfmt::skip]
    let cases = [
        (Method::DELETE, CONNECTIONS),
        (Method::PUT, CONNECTIONS),
        (Method::POST, "/api/v1/connections/conn_1"),
        (Method::PATCH, "/api/v1/organizations"),
        (Method::PUT, "/api/v1/logins/x"),
        (Method::OPTIONS, CONNECTIONS),
        (Method::TRACE, CONNECTIONS),
    ];
    for (method, path) in cases {
        let request = client().request(method.clone(), format!("{}{path}", gateway.base));
        let answer = request.bearer_auth(&token).send().await.expect("an answer");
        assert_eq!(answer.status(), 405, "{method} {path}");
        let allowed = answer
            .headers()
            .get(ALLOW)
            .expect("Allow")
            .to_str()
            .expect("text")
            .to_owned();
        assert!(allowed.contains("GET"), "{allowed}");
        let text = answer.text().await.expect("a body");
        seen::note(&text);
        let json: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(errors(&json), [("api.method_not_allowed", "")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_end_where_the_list_ends_whatever_the_cursor() {
    let gateway = Gateway::start().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(gateway.create_connection(saml(&json!({}))).await["id"].clone());
        gateway.app.clock.step(1);
    }
    ids.reverse();
    let (_, page) = gateway
        .api(Method::GET, &format!("{CONNECTIONS}?page_size=2"), None)
        .await;
    assert_eq!(
        (&page["connections"][1]["id"], &page["has_more"]),
        (&ids[1], &json!(true))
    );
    let after = format!(
        "{CONNECTIONS}?page_size=2&starting_after={}",
        ids[1].as_str().expect("an id")
    );
    let (_, page) = gateway.api(Method::GET, &after, None).await;
    assert_eq!(
        (&page["connections"][0]["id"], &page["has_more"]),
        (&ids[2], &json!(false))
    );
    let huge = format!("{CONNECTIONS}?page_size=18446744073709551615");
    assert_eq!(gateway.api(Method::GET, &huge, None).await.0, 200);
}
