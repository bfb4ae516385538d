//! Changes that meet, dependants, organizations, and rows that cannot be read.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_update_is_told_and_nothing_is_lost() {
    let gateway = Gateway::start().await;
    let path = active(&gateway, &[], &[]).await;
    let (url, token) = (format!("{}{path}", gateway.base), gateway.api_token().await);
    let tag = client()
        .get(&url)
        .bearer_auth(&token)
        .send()
        .await
        .expect("an answer");
    let tag = tag.headers()[ETAG].to_str().expect("text").to_owned();
    let change = |tag: &str, name: &str| {
        let request = client()
            .patch(&url)
            .bearer_auth(&token)
            .header(IF_MATCH, tag);
        request.body(json!({"name": name}).to_string())
    };
    assert_eq!(read(change(&tag, "first")).await.0, 200);
    for stale in [tag.as_str(), "\"0\"", "W/\"2\"", "2", "\"2\" \"3\"", ""] {
        let (status, answer) = read(change(stale, "second")).await;
        assert_eq!(
            (status, errors(&answer)),
            (409, vec![("api.lost_update", "")]),
            "{stale}"
        );
    }
    let delete = client()
        .delete(&url)
        .bearer_auth(&token)
        .header(IF_MATCH, &tag);
    assert_eq!(read(delete).await.0, 409);
    let (_, read_back) = gateway.api(Method::GET, &path, None).await;
    assert_eq!(read_back["connection"]["name"], "first");
    assert_eq!(read(change("\"1\", \"2\"", "third")).await.0, 200);
    assert_eq!(read(change("*", "fourth")).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn switching_off_what_others_depend_on_wants_a_confirmation() {
    let gateway = Gateway::start().await;
    let path = active(&gateway, &["acme.test"], &["web"]).await;
    let disable = Some(json!({"status": "disabled"}));
    let attempts = [(Method::DELETE, None), (Method::PATCH, disable.clone())];
    for (method, body) in attempts {
        let (status, answer) = gateway.api(method, &path, body).await;
        assert_eq!(
            (status, errors(&answer)),
            (409, vec![("api.confirmation_required", "confirm")])
        );
        assert_eq!(
            answer["dependants"],
            json!({"users": 0, "applications": ["web"], "domains": ["acme.test"]})
        );
    }
    for odd in ["confirm=1", "confirm=TRUE", "confirm="] {
        let (status, _) = gateway
            .api(Method::DELETE, &format!("{path}?{odd}"), None)
            .await;
        assert_eq!(status, 422, "{odd}");
    }
    let confirmed = format!("{path}?confirm=true");
    assert_eq!(gateway.api(Method::PATCH, &confirmed, disable).await.0, 200);
    let draft = Some(json!({"status": "draft"}));
    let (_, answer) = gateway.api(Method::PATCH, &path, draft).await;
    assert_eq!(errors(&answer), [("api.status_change", "status")]);
    let other = Some(json!({"strategy": "oidc:custom"}));
    let (_, answer) = gateway.api(Method::PATCH, &path, other).await;
    assert_eq!(errors(&answer), [("api.strategy_fixed", "strategy")]);
    assert_eq!(gateway.api(Method::DELETE, &confirmed, None).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn organizations_keep_their_handles_and_their_connections() {
    let gateway = Gateway::start().await;
    let path = "/api/v1/organization";
    let body = json!({"name": "Acme", "handle": "acme"});
    let (status, created) = gateway.api(Method::POST, path, Some(body.clone())).await;
    assert_eq!(status, 201, "{created}");
    let code = created["organization"]["code"].as_str().expect("a code");
    let (status, answer) = gateway.api(Method::POST, path, Some(body)).await;
    assert_eq!(
        (status, errors(&answer)),
        (409, vec![("api.handle_taken", "handle")])
    );
    let connection = json!({"name": "x", "strategy": "saml:custom", "organization_code": code});
    gateway.create_connection(connection).await;
    let (status, answer) = gateway
        .api(Method::DELETE, &format!("{path}/{code}"), None)
        .await;
    assert_eq!(
        (status, errors(&answer)),
        (409, vec![("api.organization_in_use", "")])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_cannot_be_read_are_told_and_stay() {
    let gateway = Gateway::start().await;
    let secret = json!({"issuer": "https://op.example", "client_id": "c", "client_secret": "hush"});
    let created = gateway.create_connection(oidc(&secret)).await;
    let id = created["id"].as_str().expect("an id");
    let path = format!("{CONNECTIONS}/{id}");
    let id = ConnectionId::parse(id).expect("an id");
    let stored = gateway
        .app
        .store
        .connection(&id)
        .await
        .expect("a store")
        .expect("a row");
    let change = Some(json!({"name": "y"}));
    let mut resealed = stored.clone();
    resealed.secrets = Some(vec![1; 60]);
    gateway
        .app
        .store
        .update_connection(&resealed, 1, Beside::default())
        .await
        .expect("written");
    let (status, answer) = gateway.api(Method::PATCH, &path, change.clone()).await;
    assert_eq!(
        (status, errors(&answer)),
        (500, vec![("gateway.secret_unreadable", "")])
    );
    assert_eq!(gateway.api(Method::GET, &path, None).await.0, 200);
    let mut newer = stored;
    newer.strategy = "oidc:of_a_newer_version".into();
    gateway
        .app
        .store
        .update_connection(&newer, 2, Beside::default())
        .await
        .expect("written");
    let (status, answer) = gateway.api(Method::PATCH, &path, change).await;
    assert_eq!(
        (status, errors(&answer)),
        (500, vec![("store.corrupt", "")])
    );
    assert_eq!(gateway.api(Method::GET, &path, None).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_gone_is_told_by_code_and_by_readyz() {
    let gateway = Gateway::start().await;
    let token = gateway.api_token().await;
    let call = |path: &str| {
        client()
            .get(format!("{}{path}", gateway.base))
            .bearer_auth(&token)
    };
    let ready = read(call("/readyz")).await;
    assert_eq!(
        ready,
        (
            200,
            json!({"store": "ok", "ephemeral": "ok", "serving": "ok"})
        )
    );
    gateway.app.store.close().await;
    let (status, answer) = read(call(CONNECTIONS)).await;
    assert_eq!(
        (status, errors(&answer)),
        (503, vec![("store.unavailable", "")])
    );
    assert!(!answer.to_string().contains("pool"), "{answer}");
    let ready = read(call("/readyz")).await;
    assert_eq!(
        ready,
        (
            503,
            json!({"store": "unavailable", "ephemeral": "ok", "serving": "ok"})
        )
    );
    assert_eq!(read(call("/healthz")).await, (200, json!("ok")));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_take_a_domain_at_once_one_gets_it() {
    let gateway = Gateway::start().await;
    let body = saml(&json!({"home_realm_domains": ["acme.test"]}));
    let attempts = [(); 4].map(|()| create(&gateway, body.clone()));
    let [a, b, c, d] = attempts;
    let (a, b, c, d) = tokio::join!(a, b, c, d);
    let answers = [a, b, c, d];
    let won = answers.iter().filter(|(status, _)| *status == 201).count();
    assert_eq!(won, 1, "{answers:?}");
    for (_, answer) in answers.iter().filter(|(status, _)| *status != 201) {
        let expected = ("connection.domain_taken", "options.home_realm_domains.0");
        assert_eq!(errors(answer), [expected]);
    }
    let (_, listed) = gateway.api(Method::GET, CONNECTIONS, None).await;
    assert_eq!(listed["connections"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_at_once_are_each_whole_or_told_as_lost() {
    let gateway = Gateway::start().await;
    let path = active(&gateway, &[], &[]).await;
    let change =
        |name: &'static str| gateway.api(Method::PATCH, &path, Some(json!({"name": name})));
    let (a, b, c, d) = tokio::join!(change("a"), change("b"), change("c"), change("d"));
    let answers = [a, b, c, d];
    let written = answers.iter().filter(|(status, _)| *status == 200).count();
    for (status, answer) in answers.iter().filter(|(status, _)| *status != 200) {
        assert_eq!(
            (*status, errors(answer)),
            (409, vec![("api.lost_update", "")])
        );
    }
    let (_, read) = gateway.api(Method::GET, &path, None).await;
    assert_eq!(read["connection"]["version"], json!(1 + written));
}
