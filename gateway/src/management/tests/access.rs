use super::*;

async fn with_token(gateway: &Gateway, authorization: Option<&str>) -> Answer {
    let mut request = Request::get("/api/v1/connections");
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    gateway.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn nothing_is_answered_without_a_token() {
    let gateway = Gateway::open().await;
    for value in [
        None,
        Some("Bearer "),
        Some("Basic b3BzOng="),
        Some("Bearer"),
    ] {
        let answer = with_token(&gateway, value).await;
        assert_eq!(
            (answer.status, answer.errors()),
            (StatusCode::UNAUTHORIZED, vec![("op.token_missing", "")])
        );
    }
    let answer = with_token(&gateway, Some("Bearer x.y.z")).await;
    assert_eq!(
        (answer.status, answer.errors()),
        (StatusCode::UNAUTHORIZED, vec![("op.token_invalid", "")])
    );
}

#[tokio::test]
async fn an_expired_token_is_told_so() {
    let gateway = Gateway::open().await;
    let token = gateway.token(&["read:connections"]);
    gateway.app.clock.step(3600);
    let answer = with_token(&gateway, Some(&format!("Bearer {token}"))).await;
    assert_eq!(
        (answer.status, answer.errors()),
        (StatusCode::UNAUTHORIZED, vec![("op.token_expired", "")])
    );
}

#[tokio::test]
async fn each_route_wants_its_scope() {
    let gateway = Gateway::open().await;
    let id = gateway.active("one").await;
    let one = format!("/api/v1/connections/{id}");
    let link = format!("/api/v1/applications/app/connections/{id}");
    for (method, path, own) in [
        ("GET", "/api/v1/connections", "read:connections"),
        ("POST", "/api/v1/connections", "create:connections"),
        ("GET", &one, "read:connections"),
        ("PATCH", &one, "update:connections"),
        ("PUT", &one, "update:connections"),
        ("DELETE", &one, "delete:connections"),
        (
            "GET",
            "/api/v1/applications/app/connections",
            "read:application_connections",
        ),
        ("POST", &link, "create:application_connections"),
        ("DELETE", &link, "delete:application_connections"),
        ("GET", "/api/v1/organization", "read:organizations"),
        ("POST", "/api/v1/organization", "create:organizations"),
        ("GET", "/api/v1/logins/FG-AAAAAAAA", "read:logins"),
    ] {
        let send = async |scopes: Vec<String>| {
            let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
            let header = format!("Bearer {}", gateway.token(&scopes));
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header("authorization", header);
            gateway.send(request.body(Body::from("[]")).unwrap()).await
        };
        let rules = ["update:connections", "read:connections"];
        let others = super::super::scope::all()
            .filter(|scope| scope != own && !rules.contains(&scope.as_str()));
        let answer = send(others.collect()).await;
        assert_eq!(
            (answer.status, answer.errors()),
            (StatusCode::FORBIDDEN, vec![("api.scope_missing", "")]),
            "{method} {path}"
        );
        assert_ne!(
            send(vec![own.to_owned()]).await.status,
            StatusCode::FORBIDDEN,
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn two_authorization_headers_are_nobody() {
    let gateway = Gateway::open().await;
    let header = format!("Bearer {}", gateway.token(&["read:connections"]));
    let request = Request::get("/api/v1/connections")
        .header("authorization", &header)
        .header("authorization", &header);
    assert_eq!(
        gateway
            .send(request.body(Body::empty()).unwrap())
            .await
            .errors(),
        [("op.token_missing", "")]
    );
}
