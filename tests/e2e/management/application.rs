//! Applications: what they may get, who may give it, and when it ends.

use super::*;

const APPLICATIONS: &str = "/api/v1/applications";

async fn created(gateway: &Gateway, body: Value) -> Value {
    let (status, answer) = gateway.api(Method::POST, APPLICATIONS, Some(body)).await;
    assert_eq!(status, 201, "{answer}");
    answer["application"].clone()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} of {value}"))
}

/// The status and the token that client credentials get.
async fn credentials(gateway: &Gateway, client_id: &str, secret: &str) -> (u16, String) {
    let audience = format!("{}/api", gateway.base);
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", client_id),
        ("client_secret", secret),
        ("audience", &audience),
    ];
    let (status, answer) = gateway.token(&fields).await;
    let token = answer["access_token"].as_str().unwrap_or_default();
    (status, token.to_owned())
}

async fn with_token(
    gateway: &Gateway,
    token: &str,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> (u16, Value) {
    let request = client().request(method, format!("{}{path}", gateway.base));
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    read(request.bearer_auth(token).body(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_shown_once_and_works_at_once() {
    let gateway = Gateway::start().await;
    let machine = json!({"name": "CI", "type": "m2m", "scopes": ["read:connections"]});
    let machine = created(&gateway, machine).await;
    let (id, secret) = (text(&machine, "client_id"), text(&machine, "client_secret"));
    assert_eq!((machine["id"].as_str(), secret.len()), (Some(id), 43));
    let (status, token) = credentials(&gateway, id, secret).await;
    assert_eq!(status, 200);
    let listed = with_token(&gateway, &token, Method::GET, CONNECTIONS, None).await;
    assert_eq!(listed.0, 200);

    let path = format!("{APPLICATIONS}/{id}");
    let (_, answer) = gateway.api(Method::GET, &path, None).await;
    let found = &answer["application"];
    assert_eq!(
        (
            text(found, "type"),
            text(found, "source"),
            &found["has_client_secret"]
        ),
        ("m2m", "api", &json!(true))
    );
    assert!(!answer.to_string().contains(secret));
    let single = created(&gateway, json!({"name": "SPA", "type": "spa"})).await;
    assert!(single.get("client_secret").is_none());
    let (_, list) = gateway
        .api(Method::GET, &format!("{APPLICATIONS}?page_size=2"), None)
        .await;
    let kinds = list["applications"].as_array().expect("a list").iter();
    let mut kinds: Vec<_> = kinds.map(|one| text(one, "type")).collect();
    kinds.sort_unstable();
    assert_eq!(
        (kinds, &list["has_more"]),
        (vec!["m2m", "spa"], &json!(true))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_application_loses_its_tokens_lose_at_once() {
    let gateway = Gateway::start().await;
    let machine =
        json!({"name": "CI", "type": "m2m", "scopes": ["read:connections", "read:logins"]});
    let machine = created(&gateway, machine).await;
    let (id, secret) = (text(&machine, "client_id"), text(&machine, "client_secret"));
    let (_, token) = credentials(&gateway, id, secret).await;
    let path = format!("{APPLICATIONS}/{id}");
    let call = async || with_token(&gateway, &token, Method::GET, CONNECTIONS, None).await;
    assert_eq!(call().await.0, 200);
    let fewer = Some(json!({"scopes": ["read:logins"]}));
    assert_eq!(gateway.api(Method::PATCH, &path, fewer).await.0, 200);
    let (status, answer) = call().await;
    assert_eq!(
        (status, errors(&answer)),
        (403, vec![("api.scope_missing", "")])
    );
    assert_eq!(gateway.api(Method::DELETE, &path, None).await.0, 200);
    let (status, answer) = call().await;
    assert_eq!(
        (status, errors(&answer)),
        (401, vec![("op.token_invalid", "")])
    );
    let (status, answer) = gateway.api(Method::GET, &path, None).await;
    assert_eq!(
        (status, errors(&answer)),
        (404, vec![("api.application_unknown", "")])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gives_rights_that_it_does_not_have() {
    let gateway = Gateway::start().await;
    let strong = json!({"name": "s", "type": "m2m", "scopes": ["delete:connections"]});
    let strong = created(&gateway, strong).await;
    let own = [
        "create:applications",
        "update:applications",
        "read:connections",
    ];
    let weak = created(&gateway, json!({"name": "w", "type": "m2m", "scopes": own})).await;
    let (id, secret) = (text(&weak, "client_id"), text(&weak, "client_secret"));
    let (_, token) = credentials(&gateway, id, secret).await;
    let (mine, theirs) = (
        format!("{APPLICATIONS}/{id}"),
        format!("{APPLICATIONS}/{}", text(&strong, "client_id")),
    );
    let more = json!({"scopes": ["read:connections", "delete:connections"]});
    let another = json!({"name": "x", "type": "m2m", "scopes": ["delete:connections"]});
    let keys = json!({"jwks_uri": "https://evil.example/jwks"});
    // The last two would let it act as the stronger one.
    #[rustfmt::skip]
    let attempts = [
        (Method::POST, APPLICATIONS.to_owned(), another),
        (Method::PATCH, mine, more),
        (Method::PATCH, theirs.clone(), json!({"scopes": []})),
        (Method::PATCH, theirs.clone(), keys),
        (Method::POST, format!("{theirs}/client_secret"), json!({})),
    ];
    for (method, path, body) in attempts {
        let (status, answer) = with_token(&gateway, &token, method, &path, Some(body)).await;
        assert_eq!(
            (status, errors(&answer)),
            (403, vec![("api.scope_exceeded", "scopes")]),
            "{path}"
        );
    }
    let equal = json!({"name": "x", "type": "m2m", "scopes": ["read:connections"]});
    let (status, _) = with_token(&gateway, &token, Method::POST, APPLICATIONS, Some(equal)).await;
    assert_eq!(status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_alone_changes_what_it_describes() {
    let gateway = Gateway::start().await;
    let path = format!("{APPLICATIONS}/web");
    let (status, answer) = gateway.api(Method::GET, &path, None).await;
    assert_eq!(
        (status, &answer["application"]["source"]),
        (200, &json!("config"))
    );
    #[rustfmt::skip]
    let attempts = [
        (Method::PATCH, path.clone(), Some(json!({"name": "x"}))),
        (Method::DELETE, format!("{path}?confirm=true"), None),
        (Method::POST, format!("{path}/client_secret"), Some(json!({}))),
    ];
    for (method, path, body) in attempts {
        let (status, answer) = gateway.api(method, &path, body).await;
        let expected = (409, vec![("api.application_configured", "")]);
        assert_eq!((status, errors(&answer)), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_secrets_prove_an_application_while_one_takes_the_others_place() {
    let gateway = Gateway::start().await;
    let machine = created(&gateway, json!({"name": "CI", "type": "m2m"})).await;
    let (id, first) = (text(&machine, "client_id"), text(&machine, "client_secret"));
    let path = format!("{APPLICATIONS}/{id}/client_secret");
    let rotate = async |seconds: u32| {
        let body = Some(json!({"overlap_seconds": seconds}));
        let (status, answer) = gateway.api(Method::POST, &path, body).await;
        assert_eq!(status, 201, "{answer}");
        text(&answer["application"], "client_secret").to_owned()
    };
    let proves = async |secret: &str| credentials(&gateway, id, secret).await.0 == 200;
    let second = rotate(60).await;
    assert!(proves(first).await && proves(&second).await);
    gateway.app.clock.step(61);
    assert!(!proves(first).await && proves(&second).await);
    let third = rotate(0).await;
    assert!(!proves(&second).await && proves(&third).await);
    let (status, answer) = gateway
        .api(
            Method::POST,
            &path,
            Some(json!({"overlap_seconds": -1, "overlap": 1})),
        )
        .await;
    let expected = vec![
        ("api.member_value", "overlap_seconds"),
        ("api.member_unknown", "overlap"),
    ];
    assert_eq!((status, errors(&answer)), (422, expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_problem_of_an_application_is_told_at_once() {
    let gateway = Gateway::start().await;
    #[rustfmt::skip]
    let body = json!({
        "type": "device", "redirect_uris": ["https://app.example/cb", "http://app.example/cb", 1], "logout_uris": ["javascript:alert(1)"],
        "post_logout_redirect_uris": [], "scopes": ["read:conections"], "grant_types": ["password"], "jwks": {"keys": []},
        "jwks_uri": "ftp://app.example", "fallback_connection": "conn_1", "id_token_signed_response_alg": "none", "secret": "s",
    });
    let (status, answer) = gateway.api(Method::POST, APPLICATIONS, Some(body)).await;
    let mut found = errors(&answer);
    found.sort_unstable();
    #[rustfmt::skip]
    let expected = [
        ("api.member_missing", "name"),
        ("api.member_type", "redirect_uris.2"),
        ("api.member_unknown", "secret"),
        ("api.member_value", "fallback_connection"),
        ("api.member_value", "grant_types"),
        ("api.member_value", "grant_types.0"),
        ("api.member_value", "id_token_signed_response_alg"),
        ("api.member_value", "jwks"),
        ("api.member_value", "jwks_uri"),
        ("api.member_value", "logout_uris"),
        ("api.member_value", "logout_uris.0"),
        ("api.member_value", "redirect_uris.1"),
        ("api.member_value", "scopes.0"),
        ("api.member_value", "type"),
    ];
    assert_eq!((status, found.as_slice()), (422, &expected[..]));
    let absent = format!("conn_{}", "0".repeat(32));
    let body = json!({"name": "x", "type": "reg", "fallback_connection": absent});
    let (status, answer) = gateway.api(Method::POST, APPLICATIONS, Some(body)).await;
    let expected = vec![("api.member_value", "fallback_connection")];
    assert_eq!((status, errors(&answer)), (422, expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_does_not_become_public_by_a_slip() {
    let gateway = Gateway::start().await;
    let body = json!({"name": "x", "type": "reg", "jwks_uri": "https://app.example/jwks"});
    let application = created(&gateway, body).await;
    assert!(application.get("client_secret").is_none());
    let path = format!("{APPLICATIONS}/{}", text(&application, "id"));
    let bare = Some(json!({"jwks_uri": null}));
    let (status, answer) = gateway.api(Method::PATCH, &path, bare.clone()).await;
    assert_eq!(
        (status, errors(&answer)),
        (422, vec![("api.application_proofless", "jwks")])
    );
    let machine = json!({"name": "x", "type": "spa", "grant_types": ["client_credentials"]});
    let (_, answer) = gateway.api(Method::POST, APPLICATIONS, Some(machine)).await;
    assert_eq!(
        errors(&answer),
        [("api.application_proofless", "grant_types")]
    );
    let secret = Some(json!({}));
    let rotated = gateway
        .api(Method::POST, &format!("{path}/client_secret"), secret)
        .await;
    assert_eq!(rotated.0, 201);
    assert_eq!(gateway.api(Method::PATCH, &path, bare).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_counts_for_the_version_that_was_read() {
    let gateway = Gateway::start().await;
    let application = created(&gateway, json!({"name": "x", "type": "reg"})).await;
    let path = format!("{APPLICATIONS}/{}", text(&application, "id"));
    let (url, token) = (format!("{}{path}", gateway.base), gateway.api_token().await);
    let send = async |method: Method, tag: &str| {
        let request = client().request(method, &url).bearer_auth(&token);
        read(request.header(IF_MATCH, tag).body("{\"name\": \"y\"}")).await
    };
    assert_eq!(send(Method::PATCH, "\"1\"").await.0, 200);
    for method in [Method::PATCH, Method::DELETE] {
        let (status, answer) = send(method, "\"1\"").await;
        assert_eq!(
            (status, errors(&answer)),
            (409, vec![("api.lost_update", "")])
        );
    }
    assert_eq!(send(Method::DELETE, "\"2\"").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_tells_the_connections_and_deleting_a_connection_tells_who_falls_back_to_it() {
    let gateway = Gateway::start().await;
    let application = created(&gateway, json!({"name": "x", "type": "reg"})).await;
    let client_id = text(&application, "id");
    let connection = active(&gateway, &[], &[client_id]).await;
    let id = connection.rsplit('/').next().expect("an id");
    let path = format!("{APPLICATIONS}/{client_id}");
    let (status, answer) = gateway.api(Method::DELETE, &path, None).await;
    assert_eq!(
        (status, errors(&answer), &answer["dependants"]),
        (
            409,
            vec![("api.confirmation_required", "confirm")],
            &json!({"connections": [id]})
        )
    );
    let unlink = format!("{path}/connections/{id}");
    assert_eq!(gateway.api(Method::DELETE, &unlink, None).await.0, 200);
    let fallback = Some(json!({"fallback_connection": id}));
    assert_eq!(gateway.api(Method::PATCH, &path, fallback).await.0, 200);
    let (status, answer) = gateway.api(Method::DELETE, &connection, None).await;
    assert_eq!(
        (status, &answer["dependants"]["applications"]),
        (409, &json!([client_id]))
    );
    let confirmed = format!("{connection}?confirm=true");
    assert_eq!(gateway.api(Method::DELETE, &confirmed, None).await.0, 200);
    assert_eq!(gateway.api(Method::DELETE, &path, None).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn kindes_redirect_goes_to_an_address_that_an_application_has_now() {
    let gateway = Gateway::start().await;
    let bye = "https://app.example/bye";
    let body = json!({"name": "x", "type": "reg", "logout_uris": [bye]});
    let application = created(&gateway, body).await;
    let url = format!("{}/logout?redirect={bye}", gateway.base);
    let goes = async || {
        let answer = client().get(&url).send().await.expect("an answer");
        let location = answer.headers().get("location");
        location.is_some_and(|location| location == bye)
    };
    assert!(goes().await);
    let path = format!("{APPLICATIONS}/{}", text(&application, "id"));
    let gone = Some(json!({"post_logout_redirect_uris": []}));
    assert_eq!(gateway.api(Method::PATCH, &path, gone).await.0, 200);
    assert!(!goes().await);
}
