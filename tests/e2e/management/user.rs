//! Users as a caller enters, finds, changes and deletes them.

use super::*;

const USER: &str = "/api/v1/user";

fn ann() -> Value {
    json!({
        "profile": {"given_name": "Ann", "family_name": "Osei", "picture": "https://pictures.test/ann"},
        "provided_id": "7",
        "identities": [{"type": "email", "is_verified": true, "details": {"email": "Ann@acme.test"}}],
    })
}

async fn change(gateway: &Gateway, id: &str, body: Value) -> (u16, Value) {
    let path = format!("{USER}?id={id}");
    gateway.api(Method::PATCH, &path, Some(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_entered_read_changed_and_deleted_in_kindes_shapes() {
    let gateway = Gateway::start().await;
    let (status, created) = gateway.api(Method::POST, USER, Some(ann())).await;
    assert_eq!((status, &created["created"]), (201, &json!(true)));
    let entered = json!([{"type": "email", "result": {"created": true}}]);
    assert_eq!(created["identities"], entered);
    let id = created["id"].as_str().expect("an id");
    assert!(id.starts_with("kp_") && id.len() == 35, "{id}");
    let path = format!("{USER}?id={id}");
    let (status, user) = gateway.api(Method::GET, &path, None).await;
    let created_on = user["created_on"].clone();
    let expected = json!({
        "id": id, "provided_id": "7", "preferred_email": "Ann@acme.test", "first_name": "Ann", "last_name": "Osei",
        "picture": "https://pictures.test/ann", "is_suspended": false, "created_on": created_on,
    });
    assert_eq!((status, &user), (200, &expected));
    let body = json!({"given_name": "Anna", "picture": null, "is_suspended": true, "is_password_reset_requested": false});
    let (status, changed) = change(&gateway, id, body).await;
    let expected = json!({
        "code": "OK", "message": "User updated", "id": id, "given_name": "Anna", "family_name": "Osei",
        "email": "Ann@acme.test", "is_suspended": true, "is_password_reset_requested": false, "picture": null,
    });
    assert_eq!((status, changed), (200, expected));
    // What a change is silent about stays, and `null` lifts no suspension.
    assert_eq!(
        change(&gateway, id, json!({"is_suspended": null})).await.0,
        200
    );
    let (_, user) = gateway.api(Method::GET, &path, None).await;
    assert_eq!(user["is_suspended"], true);
    let delete = format!("{path}&is_delete_profile=true");
    assert_eq!(gateway.api(Method::DELETE, &delete, None).await.0, 200);
    for method in [Method::GET, Method::DELETE, Method::PATCH] {
        let body = (method == Method::PATCH).then(|| json!({}));
        let (status, answer) = gateway.api(method, &path, body).await;
        assert_eq!(
            (status, errors(&answer)),
            (404, vec![("api.user_unknown", "")])
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_problem_of_a_user_is_told_at_once() {
    let gateway = Gateway::start().await;
    let body = json!({
        "profile": {"given_name": 7, "picture": "javascript:alert(1)", "nickname": "x"},
        "provided_id": "a\u{1}b",
        "organization_code": ["org_1"],
        "identities": [
            {"type": "email", "details": {"email": "ann@acme.test@evil.test"}},
            {"type": "username", "details": {"username": "ann"}},
        ],
        "emial": "x",
    });
    let (status, answer) = gateway.api(Method::POST, USER, Some(body)).await;
    let mut told = errors(&answer);
    told.sort_unstable();
    let expected = [
        ("api.member_missing", "identities.1.details.email"),
        ("api.member_type", "organization_code"),
        ("api.member_type", "profile.given_name"),
        ("api.member_unknown", "emial"),
        ("api.member_unknown", "identities.1.details.username"),
        ("api.member_unknown", "profile.nickname"),
        ("api.member_value", "identities.0.details.email"),
        ("api.member_value", "identities.1.type"),
        ("api.member_value", "identities.1.type"),
        ("api.member_value", "profile.picture"),
        ("api.member_value", "provided_id"),
    ];
    assert_eq!((status, told), (422, expected.to_vec()));
    let nowhere = json!({"organization_code": "org_00000000000"});
    let (status, answer) = gateway.api(Method::POST, USER, Some(nowhere)).await;
    let expected = vec![("api.member_value", "organization_code")];
    assert_eq!((status, errors(&answer)), (422, expected));
    let id = user(&gateway, json!({})).await;
    let body = json!({"is_password_reset_requested": true, "is_suspended": "true", "email": "x@acme.test"});
    let (status, answer) = change(&gateway, &id, body).await;
    let expected = vec![
        ("api.member_value", "is_password_reset_requested"),
        ("api.member_type", "is_suspended"),
        ("api.member_unknown", "email"),
    ];
    assert_eq!((status, errors(&answer)), (422, expected));
    assert_eq!(gateway.rows().await.users, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_update_of_a_user_is_told_and_a_stale_delete_too() {
    let gateway = Gateway::start().await;
    let id = user(&gateway, ann()).await;
    let path = format!("{USER}?id={id}");
    let stale = tag(&gateway, &path).await;
    assert_eq!(stale, "\"1\"");
    let body = json!({"given_name": "Anna"});
    let first = conditional(&gateway, Method::PATCH, &path, &stale, body.clone()).await;
    assert_eq!(first.0, 200);
    for (method, body) in [(Method::PATCH, body), (Method::DELETE, json!({}))] {
        let (status, answer) = conditional(&gateway, method, &path, &stale, body).await;
        assert_eq!(
            (status, errors(&answer)),
            (409, vec![("api.lost_update", "")])
        );
    }
    let current = tag(&gateway, &path).await;
    let deleted = conditional(&gateway, Method::DELETE, &path, &current, json!({})).await;
    assert_eq!(deleted.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_a_user_at_once_are_each_whole_or_told_as_lost() {
    let gateway = Gateway::start().await;
    let id = user(&gateway, ann()).await;
    let changed = |name: &'static str| change(&gateway, &id, json!({"given_name": name}));
    let (a, b, c, d) = tokio::join!(changed("a"), changed("b"), changed("c"), changed("d"));
    let answers = [a, b, c, d];
    let written = answers.iter().filter(|(status, _)| *status == 200).count();
    for (status, answer) in answers.iter().filter(|(status, _)| *status != 200) {
        assert_eq!(
            (*status, errors(answer)),
            (409, vec![("api.lost_update", "")])
        );
    }
    let path = format!("{USER}?id={id}");
    assert_eq!(tag(&gateway, &path).await, format!("\"{}\"", 1 + written));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_the_operators_own_belongs_to_one_user() {
    let gateway = Gateway::start().await;
    user(&gateway, ann()).await;
    let other = user(&gateway, json!({})).await;
    let taken = vec![("api.provided_id_taken", "provided_id")];
    let (status, answer) = gateway.api(Method::POST, USER, Some(ann())).await;
    assert_eq!((status, errors(&answer)), (409, taken.clone()));
    let (status, answer) = change(&gateway, &other, json!({"provided_id": "7"})).await;
    assert_eq!((status, errors(&answer)), (409, taken));
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_found_page_by_page_while_others_come_and_go() {
    let gateway = Gateway::start().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(user(&gateway, json!({})).await);
    }
    let page = async |query: &str| {
        let (status, answer) = gateway
            .api(Method::GET, &format!("/api/v1/users?{query}"), None)
            .await;
        assert_eq!(status, 200, "{answer}");
        let users = answer["users"].as_array().expect("users").clone();
        let users = users
            .iter()
            .map(|user| user["id"].as_str().expect("an id").to_owned());
        (users.collect::<Vec<_>>(), answer["next_token"].clone())
    };
    let (mut seen, token) = page("page_size=2").await;
    // Whoever stands at the cursor goes, and somebody comes in front: nobody is told twice or left out.
    let gone = format!("{USER}?id={}", seen[1]);
    assert_eq!(gateway.api(Method::DELETE, &gone, None).await.0, 200);
    user(&gateway, json!({})).await;
    let mut token = token.as_str().expect("a token").to_owned();
    loop {
        let (more, next) = page(&format!("page_size=2&next_token={token}")).await;
        seen.extend(more);
        match next.as_str() {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    seen.sort_unstable();
    ids.sort_unstable();
    assert_eq!(seen, ids);
    for bad in ["x", "1", "1.a%25b", "99999999999999999999.kp_1"] {
        let path = format!("/api/v1/users?next_token={bad}");
        let (status, answer) = gateway.api(Method::GET, &path, None).await;
        let expected = vec![("api.member_value", "next_token")];
        assert_eq!((status, errors(&answer)), (422, expected), "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_found_by_address_and_id_with_what_belongs_to_them() {
    let gateway = Gateway::start().await;
    let (status, made) = gateway
        .api(
            Method::POST,
            "/api/v1/organization",
            Some(json!({"name": "Acme"})),
        )
        .await;
    assert_eq!(status, 201, "{made}");
    let code = made["organization"]["code"].as_str().expect("a code");
    let mut body = ann();
    body["organization_code"] = json!(code);
    let id = user(&gateway, body).await;
    let other = user(&gateway, json!({})).await;
    let found = async |query: &str| {
        let path = format!("/api/v1/users?{query}");
        gateway.api(Method::GET, &path, None).await.1["users"].clone()
    };
    let by_address = found("email=ANN@acme.test,x@acme.test&expand=organizations,identities").await;
    let one = &by_address[0];
    assert_eq!(by_address.as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&one["id"], &one["email"]),
        (&json!(id), &json!("Ann@acme.test"))
    );
    assert_eq!(
        (&one["organizations"], &one["identities"]),
        (&json!([code]), &json!([]))
    );
    let by_id = found(&format!("user_id={other},kp_x")).await;
    assert_eq!((&by_id[0]["id"], &by_id[1]), (&json!(other), &Value::Null));
    assert!(
        found("email=%25")
            .await
            .as_array()
            .is_some_and(Vec::is_empty)
    );
    let many = vec!["a@acme.test"; 101].join(",");
    #[rustfmt::skip]
    let refused = [
        ("expand=billing".to_owned(), (422, "api.member_value", "expand")),
        (format!("email={many}"), (422, "api.member_value", "email")),
        ("page_size=0".to_owned(), (422, "api.member_value", "page_size")),
        ("username=ann".to_owned(), (400, "api.member_unknown", "username")),
        ("email=a&email=b".to_owned(), (400, "api.member_repeated", "email")),
    ];
    for (query, (expected, code, field)) in refused {
        let path = format!("/api/v1/users?{query}");
        let (status, answer) = gateway.api(Method::GET, &path, None).await;
        assert_eq!((status, errors(&answer)), (expected, vec![(code, field)]));
    }
    let (status, answer) = gateway.api(Method::GET, USER, None).await;
    assert_eq!(
        (status, errors(&answer)),
        (400, vec![("api.member_missing", "id")])
    );
}
