//! Who belongs to an organization, and organizations themselves.

use super::*;

async fn organization(gateway: &Gateway) -> String {
    crate::people::organization(gateway, false).await
}

fn users(ids: &[&str]) -> Value {
    let users: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
    json!({ "users": users })
}

#[tokio::test(flavor = "multi_thread")]
async fn members_come_and_go_in_kindes_shapes() {
    let gateway = Gateway::start().await;
    let path = format!(
        "/api/v1/organizations/{}/users",
        organization(&gateway).await
    );
    let profile = json!({"profile": {"given_name": "Ann", "family_name": "Osei"}});
    let ann = user(&gateway, profile).await;
    let bob = user(&gateway, json!({})).await;
    let (status, answer) = gateway
        .api(Method::POST, &path, Some(users(&[&ann, &bob])))
        .await;
    assert_eq!(
        (status, &answer["users_added"]),
        (200, &json!([ann, bob])),
        "{answer}"
    );
    let again = gateway.api(Method::POST, &path, Some(users(&[&ann]))).await;
    assert_eq!(again.1["users_added"], json!([]));
    let (_, listed) = gateway
        .api(Method::GET, &format!("{path}?page_size=1"), None)
        .await;
    let token = listed["next_token"].as_str().expect("a token");
    let next = format!("{path}?page_size=1&next_token={token}");
    let (_, rest) = gateway.api(Method::GET, &next, None).await;
    assert_eq!(rest["next_token"], Value::Null);
    let mut members = [&listed, &rest].map(|page| page["organization_users"][0].clone());
    members.sort_by_key(|member| member["id"] != ann.as_str());
    let expected = json!({
        "id": ann, "email": null, "full_name": "Ann Osei", "last_name": "Osei", "first_name": "Ann", "picture": null,
        "joined_on": members[0]["joined_on"], "is_suspended": false, "roles": [],
    });
    assert_eq!(members[0], expected);
    let change = json!({"users": [{"id": ann, "operation": "delete"}, {"id": bob, "roles": []}]});
    let (status, answer) = gateway.api(Method::PATCH, &path, Some(change)).await;
    assert_eq!(status, 200, "{answer}");
    for (name, ids) in [
        ("users_added", json!([])),
        ("users_updated", json!([bob])),
        ("users_removed", json!([ann])),
    ] {
        assert_eq!(answer[name], ids, "{name}");
    }
    let one = format!("{path}/{bob}");
    assert_eq!(gateway.api(Method::DELETE, &one, None).await.0, 200);
    let (status, answer) = gateway.api(Method::DELETE, &one, None).await;
    assert_eq!(
        (status, errors(&answer)),
        (404, vec![("api.membership_unknown", "")])
    );
    assert_eq!(gateway.rows().await.memberships, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_members_all_are_taken_or_none_and_every_problem_is_told() {
    let gateway = Gateway::start().await;
    let path = format!(
        "/api/v1/organizations/{}/users",
        organization(&gateway).await
    );
    let ann = user(&gateway, json!({})).await;
    #[rustfmt::skip]
    let cases = [
        (users(&[&ann, "kp_x"]), 422, vec![("api.member_value", "users.1.id")]),
        (users(&[&ann, &ann]), 422, vec![("api.member_value", "users.1.id")]),
        (json!({}), 400, vec![("api.member_missing", "users")]),
        (json!({"users": [{"id": ann, "roles": ["admin"], "operation": "delete"}, {}]}), 422,
            vec![("api.member_value", "users.0.roles"), ("api.member_unknown", "users.0.operation"), ("api.member_missing", "users.1.id")]),
        (json!({"users": [ann]}), 400, vec![("api.member_type", "users")]),
        (json!({"users": vec![json!({"id": ann}); 1001]}), 422, vec![("api.member_value", "users")]),
    ];
    for (body, expected, told) in cases {
        let (status, answer) = gateway.api(Method::POST, &path, Some(body)).await;
        assert_eq!((status, errors(&answer)), (expected, told), "{answer}");
    }
    let odd = json!({"users": [{"id": ann, "operation": "drop"}]});
    let (status, answer) = gateway.api(Method::PATCH, &path, Some(odd)).await;
    assert_eq!(
        (status, errors(&answer)),
        (422, vec![("api.member_value", "users.0.operation")])
    );
    let nowhere = "/api/v1/organizations/org_00000000000/users";
    for (method, body) in [(Method::GET, None), (Method::POST, Some(users(&[&ann])))] {
        let (status, answer) = gateway.api(method, nowhere, body).await;
        assert_eq!(
            (status, errors(&answer)),
            (404, vec![("api.organization_unknown", "")])
        );
    }
    assert_eq!(gateway.rows().await.memberships, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_with_members_goes_only_where_that_is_confirmed_and_current() {
    let gateway = Gateway::start().await;
    let code = organization(&gateway).await;
    let body = json!({"organization_code": code});
    user(&gateway, body).await;
    let (path, read) = (
        format!("/api/v1/organization/{code}"),
        format!("/api/v1/organization?code={code}"),
    );
    let (status, answer) = gateway.api(Method::DELETE, &path, None).await;
    assert_eq!(
        (status, errors(&answer)),
        (409, vec![("api.confirmation_required", "confirm")])
    );
    assert_eq!(answer["dependants"], json!({"users": 1, "connections": 0}));
    let confirmed = format!("{path}?confirm=true");
    let stale = tag(&gateway, &read).await;
    let change = json!({"name": "Acme"});
    assert_eq!(
        conditional(&gateway, Method::PATCH, &path, &stale, change.clone())
            .await
            .0,
        200
    );
    for (method, path) in [(Method::PATCH, &path), (Method::DELETE, &confirmed)] {
        let (status, answer) = conditional(&gateway, method, path, &stale, change.clone()).await;
        assert_eq!(
            (status, errors(&answer)),
            (409, vec![("api.lost_update", "")])
        );
    }
    assert_eq!(gateway.api(Method::DELETE, &confirmed, None).await.0, 200);
    let rows = gateway.rows().await;
    assert_eq!((rows.users, rows.memberships), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn organizations_are_paged_in_kindes_way() {
    let gateway = Gateway::start().await;
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(organization(&gateway).await);
    }
    let (_, first) = gateway
        .api(Method::GET, "/api/v1/organizations?page_size=2", None)
        .await;
    let token = first["next_token"].as_str().expect("a token");
    let cursor = first["organizations"][1]["code"].as_str().expect("a code");
    let gone = format!("/api/v1/organization/{cursor}");
    assert_eq!(gateway.api(Method::DELETE, &gone, None).await.0, 200);
    let next = format!("/api/v1/organizations?page_size=2&next_token={token}");
    let (_, rest) = gateway.api(Method::GET, &next, None).await;
    assert_eq!(
        (&rest["has_more"], &rest["next_token"]),
        (&json!(false), &Value::Null)
    );
    let of = |page: &Value| {
        let all = page["organizations"]
            .as_array()
            .expect("organizations")
            .clone();
        all.into_iter()
            .map(|one| one["code"].as_str().expect("a code").to_owned())
    };
    let mut seen: Vec<_> = of(&first).chain(of(&rest)).collect();
    seen.sort_unstable();
    codes.sort_unstable();
    assert_eq!(seen, codes);
}
