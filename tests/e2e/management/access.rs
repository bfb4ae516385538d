//! Who may call, and with which scope.

use super::*;

/// Every operation of the document: method, path, and the scopes of which any one is enough.
async fn operations(gateway: &Gateway) -> Vec<(Method, String, Vec<String>)> {
    let request = client().get(format!("{}/api/v1/openapi.json", gateway.base));
    let (status, document) = read(request).await;
    assert_eq!(status, 200);
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            let method = method.to_uppercase().parse().expect("a method");
            let alternatives = operation["security"].as_array().expect("security");
            let scopes = alternatives
                .iter()
                .filter_map(|one| one["bearer"][0].as_str());
            let scopes: Vec<_> = scopes.map(str::to_owned).collect();
            let path = path.replace("{id}", &format!("conn_{}", "0".repeat(32)));
            operations.push((method, path.replace(['{', '}'], ""), scopes));
        }
    }
    assert!(operations.len() > 15, "{operations:?}");
    operations
}

#[tokio::test(flavor = "multi_thread")]
async fn every_other_scope_together_does_not_open_a_route() {
    let gateway = Gateway::start().await;
    for (method, path, wanted) in operations(&gateway).await {
        let others: Vec<_> = API_SCOPES
            .split_whitespace()
            .filter(|scope| wanted.iter().all(|wanted| wanted != scope))
            .collect();
        let url = format!("{}{path}", gateway.base);
        let token = gateway.api_token_for(&others.join(" ")).await;
        let request = client().request(method.clone(), &url).bearer_auth(&token);
        let (status, answer) = read(request.body("{")).await;
        assert_eq!(
            (status, errors(&answer)),
            (403, vec![("api.scope_missing", "")]),
            "{method} {path}"
        );
        let message = answer["errors"][0]["message"].as_str().expect("a message");
        assert!(message.contains(&wanted[0]), "{message}");
        for scope in wanted {
            let token = gateway.api_token_for(&scope).await;
            let request = client().request(method.clone(), &url).bearer_auth(&token);
            assert_ne!(
                read(request.body("{")).await.0,
                403,
                "{method} {path} {scope}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_of_this_api_no_route_tells_anything() {
    let gateway = Gateway::start().await;
    let (id_token, access_token) = crate::op::tokens(&gateway).await;
    for (method, path, _) in operations(&gateway).await {
        let url = format!("{}{path}", gateway.base);
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
