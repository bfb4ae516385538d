//! Identities that a caller enters beforehand, and what becomes of them.

use super::*;

/// A connection of the domain acme.test; its id.
async fn connection(gateway: &Gateway) -> String {
    let path = active(gateway, &["acme.test"], &["web"]).await;
    let id = path.rsplit('/').next().expect("an id");
    id.to_owned()
}

async fn enter(gateway: &Gateway, user: &str, body: Value) -> (u16, Value) {
    let path = format!("/api/v1/users/{user}/identities");
    gateway.api(Method::POST, &path, Some(body)).await
}

fn enterprise(connection: &str, value: &str) -> Value {
    json!({"type": "enterprise", "value": value, "connection_id": connection})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_is_entered_read_chosen_and_deleted_in_kindes_shapes() {
    let gateway = Gateway::start().await;
    let connection = connection(&gateway).await;
    let owner = user(&gateway, json!({})).await;
    let (status, created) = enter(&gateway, &owner, enterprise(&connection, "Ann@ACME.test")).await;
    assert_eq!((status, &created["code"]), (201, &json!("OK")), "{created}");
    let id = created["identity"]["id"].as_str().expect("an id");
    let path = format!("/api/v1/identities/{id}");
    let (status, identity) = gateway.api(Method::GET, &path, None).await;
    let expected = json!({
        "id": id, "type": "enterprise", "is_confirmed": false, "created_on": identity["created_on"],
        "name": "ann@acme.test", "email": "ann@acme.test", "connection_id": connection, "is_primary": false,
        "user_id": owner,
    });
    assert_eq!((status, &identity), (200, &expected));
    let primary = Some(json!({"is_primary": true}));
    assert_eq!(gateway.api(Method::PATCH, &path, primary).await.0, 200);
    let listing = format!("/api/v1/users/{owner}/identities");
    let (_, listed) = gateway.api(Method::GET, &listing, None).await;
    assert_eq!(listed["has_more"], false);
    assert_eq!(listed["identities"][0]["is_primary"], true, "{listed}");
    for (body, expected) in [
        (json!({}), (400, vec![("api.member_missing", "is_primary")])),
        (
            json!({"is_primary": 1}),
            (400, vec![("api.member_type", "is_primary")]),
        ),
        (
            json!({"is_primary": true, "value": "eve@acme.test"}),
            (400, vec![("api.member_unknown", "value")]),
        ),
    ] {
        let (status, answer) = gateway.api(Method::PATCH, &path, Some(body)).await;
        assert_eq!((status, errors(&answer)), expected);
    }
    assert_eq!(gateway.api(Method::DELETE, &path, None).await.0, 200);
    for method in [Method::GET, Method::DELETE, Method::PATCH] {
        let body = (method == Method::PATCH).then(|| json!({"is_primary": true}));
        let (status, answer) = gateway.api(method, &path, body).await;
        assert_eq!(
            (status, errors(&answer)),
            (404, vec![("api.identity_unknown", "")])
        );
    }
    // The last identity went; its user did not.
    assert_eq!(gateway.rows().await.users, 1);
    let after = format!("{listing}?starting_after={id}");
    let (status, answer) = gateway.api(Method::GET, &after, None).await;
    assert_eq!(
        (status, errors(&answer)),
        (404, vec![("api.identity_unknown", "")])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_a_domain_that_is_not_the_connections_is_refused() {
    let gateway = Gateway::start().await;
    let ours = connection(&gateway).await;
    let hostile = active(&gateway, &["evil.test"], &[]).await;
    let hostile = hostile.rsplit('/').next().expect("an id");
    let bare = active(&gateway, &[], &[]).await;
    let bare = bare.rsplit('/').next().expect("an id");
    let owner = user(&gateway, json!({})).await;
    for (connection, value) in [
        (hostile, "ceo@acme.test"),
        (bare, "ceo@acme.test"),
        (ours.as_str(), "ceo@sub.acme.test"),
        (ours.as_str(), "ceo@аcme.test"),
        (ours.as_str(), "ceo@acme.test.evil.test"),
    ] {
        let (status, answer) = enter(&gateway, &owner, enterprise(connection, value)).await;
        let expected = vec![("api.domain_not_assigned", "value")];
        assert_eq!((status, errors(&answer)), (409, expected), "{value}");
    }
    for value in [
        "ceo@acme.test@acme.test",
        "\"a@b\"@acme.test",
        "@acme.test",
        "ceo＠acme.test",
        "ceo@localhost",
    ] {
        let (status, answer) = enter(&gateway, &owner, enterprise(&ours, value)).await;
        assert_eq!(
            (status, errors(&answer)),
            (422, vec![("api.member_value", "value")]),
            "{value}"
        );
    }
    assert_eq!(gateway.rows().await.identities, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_of_a_connection_waits_for_one_user_also_when_two_ask_at_once() {
    let gateway = Gateway::start().await;
    let connection = connection(&gateway).await;
    let (one, other) = (
        user(&gateway, json!({})).await,
        user(&gateway, json!({})).await,
    );
    let body = |value: &str| enterprise(&connection, value);
    let attempts = tokio::join!(
        enter(&gateway, &one, body("ann@acme.test")),
        enter(&gateway, &other, body("ANN@acme.test.")),
    );
    let mut answers = [attempts.0, attempts.1];
    answers.sort_by_key(|(status, _)| *status);
    assert_eq!(answers[0].0, 201);
    let expected = vec![("api.identity_taken", "value")];
    assert_eq!((answers[1].0, errors(&answers[1].1)), (409, expected));
    assert_eq!(gateway.rows().await.identities, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_identity_is_refused_member_by_member() {
    let gateway = Gateway::start().await;
    let connection = connection(&gateway).await;
    let owner = user(&gateway, json!({})).await;
    let absent = format!("conn_{}", "0".repeat(32));
    #[rustfmt::skip]
    let cases = [
        (json!({}), 400, vec![("api.member_missing", "type"), ("api.member_missing", "value"), ("api.member_missing", "connection_id")]),
        (json!({"type": "email", "value": "ann@acme.test"}), 422, vec![("api.member_value", "type"), ("api.member_missing", "connection_id")]),
        (json!({"type": "social", "value": "ann", "connection_id": connection}), 422, vec![("api.member_value", "type")]),
        (enterprise(&absent, "ann"), 422, vec![("api.member_value", "connection_id")]),
        (enterprise("conn_x", "ann"), 422, vec![("api.member_value", "connection_id")]),
        (json!({"type": "enterprise", "value": 7, "connection_id": connection, "user_id": "kp_1"}), 400,
            vec![("api.member_type", "value"), ("api.member_unknown", "user_id")]),
    ];
    for (body, expected, told) in cases {
        let (status, answer) = enter(&gateway, &owner, body).await;
        assert_eq!((status, errors(&answer)), (expected, told), "{answer}");
    }
    let (status, answer) = enter(&gateway, "kp_x", enterprise(&connection, "ann")).await;
    assert_eq!(
        (status, errors(&answer)),
        (404, vec![("api.user_unknown", "")])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_tells_whose_identities_go_with_it() {
    let gateway = Gateway::start().await;
    let connection = connection(&gateway).await;
    let owner = user(&gateway, json!({})).await;
    assert_eq!(
        enter(&gateway, &owner, enterprise(&connection, "ann@acme.test"))
            .await
            .0,
        201
    );
    let path = format!("{CONNECTIONS}/{connection}");
    let (status, answer) = gateway.api(Method::DELETE, &path, None).await;
    assert_eq!((status, &answer["dependants"]["users"]), (409, &json!(1)));
    let confirmed = format!("{path}?confirm=true");
    assert_eq!(gateway.api(Method::DELETE, &confirmed, None).await.0, 200);
    let rows = gateway.rows().await;
    assert_eq!((rows.users, rows.identities), (1, 0));
}
