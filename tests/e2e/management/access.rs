//! Who may call, and with which scope.

use super::*;

/// What each route wants; any one of them is enough.
#[rustfmt::skip]
const ROUTES: [(&str, &str, &[&str]); 17] = [
    ("GET", "/connections", &["read:connections"]),
    ("POST", "/connections", &["create:connections"]),
    ("GET", "/connections/{id}", &["read:connections"]),
    ("PATCH", "/connections/{id}", &["update:connections"]),
    ("PUT", "/connections/{id}", &["update:connections"]),
    ("DELETE", "/connections/{id}", &["delete:connections"]),
    ("GET", "/applications/web/connections", &["read:application_connections", "read:connections"]),
    ("POST", "/applications/web/connections/{id}", &["create:application_connections", "update:connections"]),
    ("DELETE", "/applications/web/connections/{id}", &["delete:application_connections", "update:connections"]),
    ("GET", "/organizations", &["read:organizations"]),
    ("GET", "/organizations/o/connections", &["read:organization_connections", "read:connections"]),
    ("POST", "/organizations/o/connections/{id}", &["create:organization_connections", "update:connections"]),
    ("DELETE", "/organizations/o/connections/{id}", &["delete:organization_connections", "update:connections"]),
    ("GET", "/organization", &["read:organizations"]),
    ("POST", "/organization", &["create:organizations"]),
    ("DELETE", "/organization/o", &["delete:organizations"]),
    ("GET", "/logins/x", &["read:logins"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_other_scope_together_does_not_open_a_route() {
    let gateway = Gateway::start().await;
    let id = format!("conn_{}", "0".repeat(32));
    for (method, path, wanted) in ROUTES {
        let others: Vec<_> = API_SCOPES
            .split_whitespace()
            .filter(|scope| !wanted.contains(scope))
            .collect();
        let token = gateway.api_token_for(&others.join(" ")).await;
        let method: Method = method.parse().expect("a method");
        let url = format!("{}/api/v1{}", gateway.base, path.replace("{id}", &id));
        let (status, answer) =
            read(client().request(method, &url).bearer_auth(&token).body("{")).await;
        assert_eq!(
            (status, errors(&answer)),
            (403, vec![("api.scope_missing", "")]),
            "{path}"
        );
        assert!(
            answer["errors"][0]["message"]
                .as_str()
                .is_some_and(|m| m.contains(wanted[0]))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_of_this_api_no_route_tells_anything() {
    let gateway = Gateway::start().await;
    let (id_token, access_token) = crate::op::tokens(&gateway).await;
    for (method, path, _) in ROUTES {
        let method: Method = method.parse().expect("a method");
        let url = format!("{}/api/v1{path}", gateway.base);
        #[rustfmt::skip]
        let cases = [
            (None, "op.token_missing"),
            (Some("x.y.z"), "op.token_invalid"),
            (Some(id_token.as_str()), "op.token_invalid"),
            (Some(access_token.as_str()), "op.token_audience"),
        ];
        for (token, code) in cases {
            let mut request = client().request(method.clone(), &url);
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            let answer = request.body("{").send().await.expect("an answer");
            assert!(answer.headers().contains_key(WWW_AUTHENTICATE));
            let status = answer.status().as_u16();
            let text = answer.text().await.expect("a body");
            seen::note(&text);
            let json: Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(
                (status, errors(&json)),
                (401, vec![(code, "")]),
                "{method} {path}"
            );
        }
    }
    let token = gateway.api_token().await;
    let url = format!("{}{CONNECTIONS}", gateway.base);
    let twice = client()
        .get(&url)
        .bearer_auth(&token)
        .header("authorization", "Bearer x");
    assert_eq!(errors(&read(twice).await.1), [("op.token_missing", "")]);
    let in_query = client().get(format!("{url}?access_token={token}"));
    assert_eq!(errors(&read(in_query).await.1), [("op.token_missing", "")]);
    gateway.app.clock.step(3601);
    let late = read(client().get(&url).bearer_auth(&token)).await.1;
    assert_eq!(errors(&late), [("op.token_expired", "")]);
}
