//! The Management API as its callers meet it, those who mean harm among them.

use fedgate::store::connection::Beside;
use fedgate_providers::connection::ConnectionId;
use fedgate_tests::gateway::{API_SCOPES, Gateway, client, read};
use fedgate_tests::{hostile, seen};
use reqwest::Method;
use reqwest::header::{ALLOW, CONTENT_TYPE, ETAG, IF_MATCH, WWW_AUTHENTICATE};
use serde_json::{Value, json};

use super::metadata::Document;

const CONNECTIONS: &str = "/api/v1/connections";

/// Codes and members of an answer's errors.
fn errors(answer: &Value) -> Vec<(&str, &str)> {
    let errors = answer["errors"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"));
    let text = |error: &'_ Value, name: &str| error[name].as_str().map(str::to_owned);
    assert!(
        errors.iter().all(|error| text(error, "message").is_some()),
        "{answer}"
    );
    errors
        .iter()
        .map(|error| {
            let text = |name: &str| error[name].as_str().unwrap_or_default();
            (text("code"), text("field"))
        })
        .collect()
}

async fn create(gateway: &Gateway, body: Value) -> (u16, Value) {
    gateway.api(Method::POST, CONNECTIONS, Some(body)).await
}

/// An active SAML connection with these domains and applications; its path.
async fn active(gateway: &Gateway, domains: &[&str], applications: &[&str]) -> String {
    let options =
        json!({"saml_idp_metadata_xml": Document::default().xml(), "home_realm_domains": domains});
    let body = json!({"name": "Acme", "strategy": "saml:custom", "options": options, "enabled_applications": applications});
    let created = gateway.create_connection(body).await;
    assert_eq!(created["status"], "active", "{created}");
    format!("{CONNECTIONS}/{}", created["id"].as_str().expect("an id"))
}

fn saml(options: Value) -> Value {
    json!({"name": "x", "strategy": "saml:custom", "options": options})
}

fn oidc(options: Value) -> Value {
    json!({"name": "x", "strategy": "oidc:custom", "options": options})
}

fn pem(key: &openssl::pkey::PKey<openssl::pkey::Private>) -> (String, String) {
    let text = |octets: Vec<u8>| String::from_utf8(octets).expect("PEM");
    let certificate = hostile::certificate(key).to_pem().expect("PEM");
    (
        text(certificate),
        text(key.private_key_to_pem_pkcs8().expect("PEM")),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_in_a_connection_is_told_with_its_code_and_member() {
    let gateway = Gateway::start().await;
    let (certificate, key) = pem(&hostile::rsa_key(2048));
    let (_, other_key) = pem(&hostile::rsa_key(2048));
    let strategy = json!({"name": "x", "strategy": "saml:octa"});
    let pair = |certificate: &str, key: &str| {
        saml(json!({"saml_signing_certificate": certificate, "saml_signing_private_key": key}))
    };
    for (body, code, field) in [
        (strategy, "connection.strategy_unknown", "strategy"),
        (
            saml(json!({"saml_entity": "x"})),
            "connection.option_unknown",
            "options.saml_entity",
        ),
        (
            saml(json!({"client_secret": "x"})),
            "connection.option_unknown",
            "options.client_secret",
        ),
        (
            saml(json!({"is_trusted": "yes"})),
            "connection.option_type",
            "options.is_trusted",
        ),
        (
            saml(json!({"protocol_binding": "SOAP"})),
            "connection.option_value",
            "options.protocol_binding",
        ),
        (
            saml(json!({"saml_clock_skew_seconds": 301})),
            "connection.option_value",
            "options.saml_clock_skew_seconds",
        ),
        (
            saml(json!({"saml_entity_id": "x".repeat(2049)})),
            "connection.option_too_large",
            "options.saml_entity_id",
        ),
        (
            saml(json!({"saml_idp_metadata_xml": "x".repeat(2 * 1024 * 1024 + 1)})),
            "connection.option_too_large",
            "options.saml_idp_metadata_xml",
        ),
        (
            saml(json!({"saml_entity_id": "a\r\nb"})),
            "connection.option_text",
            "options.saml_entity_id",
        ),
        (
            saml(json!({"saml_idp_metadata_url": "http://idp.example/"})),
            "connection.option_url",
            "options.saml_idp_metadata_url",
        ),
        (
            saml(json!({"saml_sign_in_url": "javascript:alert(1)"})),
            "connection.option_url",
            "options.saml_sign_in_url",
        ),
        (
            saml(json!({"home_realm_domains": ["localhost"]})),
            "connection.domain",
            "options.home_realm_domains.0",
        ),
        (
            saml(json!({"home_realm_domains": ["a.test", "A.TEST"]})),
            "connection.domain_repeated",
            "options.home_realm_domains.1",
        ),
        (
            saml(json!({"upstream_params": {"a": {"value": "x", "alias": "prompt"}}})),
            "connection.parameter_shape",
            "options.upstream_params.a",
        ),
        (
            saml(json!({"upstream_params": {"a": {"alias": "password"}}})),
            "connection.parameter_alias",
            "options.upstream_params.a",
        ),
        (
            saml(json!({"sign_request_algorithm": "RSA-SHA1"})),
            "connection.weak_signature",
            "options.sign_request_algorithm",
        ),
        (
            saml(json!({"saml_signing_certificate": certificate})),
            "connection.signing_key",
            "options.saml_signing_private_key",
        ),
        (
            pair("x", &key),
            "connection.signing_key",
            "options.saml_signing_certificate",
        ),
        (
            pair(&certificate, &other_key),
            "connection.signing_key_mismatch",
            "options.saml_signing_certificate",
        ),
    ] {
        let (status, answer) = create(&gateway, body).await;
        assert_eq!(
            (status, errors(&answer)),
            (400, vec![(code, field)]),
            "{answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cannot_write_what_the_protocol_writes() {
    let gateway = Gateway::start().await;
    for name in [
        "client_id",
        "client_secret",
        "redirect_uri",
        "REDIRECT_URI",
        "state",
        "nonce",
        "scope",
        "response_type",
        "response_mode",
        "code_challenge",
        "request",
        "request_uri",
        "claims",
        "id_token_hint",
    ] {
        let body = oidc(json!({"upstream_params": {name: {"value": "x"}}}));
        let (status, answer) = create(&gateway, body).await;
        let field = format!("options.upstream_params.{name}");
        assert_eq!(
            (status, errors(&answer)),
            (400, vec![("connection.reserved_parameter", field.as_str())])
        );
    }
    for name in [
        "SAMLRequest",
        "samlrequest",
        "RelayState",
        "SigAlg",
        "Signature",
        "SAMLEncoding",
    ] {
        let body = saml(json!({"upstream_params": {name: {"value": "x"}}}));
        let (_, answer) = create(&gateway, body).await;
        assert_eq!(
            errors(&answer)[0].0,
            "connection.reserved_parameter",
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_a_draft_from_being_activated_is_told_at_once() {
    let gateway = Gateway::start().await;
    let expected = vec![
        ("connection.issuer_missing", "options.issuer"),
        ("connection.client_id_missing", "options.client_id"),
        ("connection.client_secret_missing", "options.client_secret"),
    ];
    let draft = gateway.create_connection(oidc(json!({}))).await;
    assert_eq!(
        (&draft["status"], draft["missing"].as_array().map(Vec::len)),
        (&json!("draft"), Some(3))
    );
    let path = format!("{CONNECTIONS}/{}", draft["id"].as_str().expect("an id"));
    let activate = json!({"status": "active"});
    let (status, answer) = gateway.api(Method::PATCH, &path, Some(activate)).await;
    assert_eq!((status, errors(&answer)), (400, expected));
    let body = json!({"name": "x", "strategy": "saml:custom", "status": "active"});
    let (_, answer) = create(&gateway, body).await;
    assert_eq!(
        errors(&answer),
        [(
            "connection.metadata_missing",
            "options.saml_idp_metadata_url"
        )]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_of_another_connection_cannot_be_taken() {
    let gateway = Gateway::start().await;
    let first = active(&gateway, &["acme.test", "bücher.test"], &[]).await;
    let second = active(&gateway, &["other.test"], &[]).await;
    let taken = |at: usize| {
        let field = format!("options.home_realm_domains.{at}");
        vec![("connection.domain_taken".to_owned(), field)]
    };
    for domains in [
        json!(["mine.test", "acme.test"]),
        json!(["mine.test", "ACME.Test"]),
        json!(["mine.test", "xn--bcher-kva.test"]),
    ] {
        let options = json!({"home_realm_domains": domains});
        let (status, answer) = create(&gateway, saml(options.clone())).await;
        let owned = |answer: &Value| {
            errors(answer)
                .into_iter()
                .map(|(code, field)| (code.to_owned(), field.to_owned()))
                .collect::<Vec<_>>()
        };
        assert_eq!((status, owned(&answer)), (409, taken(1)));
        let change = json!({"options": options});
        let (status, answer) = gateway.api(Method::PATCH, &second, Some(change)).await;
        assert_eq!((status, owned(&answer)), (409, taken(1)));
    }
    let (_, read) = gateway.api(Method::GET, &second, None).await;
    assert_eq!(
        read["connection"]["options"]["home_realm_domains"],
        json!(["other.test"])
    );
    let (_, found) = gateway
        .api(
            Method::GET,
            &format!("{CONNECTIONS}?home_realm_domain=acme.test"),
            None,
        )
        .await;
    let id = found["connections"][0]["id"].as_str().expect("an id");
    assert!(first.ends_with(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_cannot_be_read_are_told_apart() {
    let gateway = Gateway::start().await;
    let token = gateway.api_token().await;
    let deep = format!(
        "{{\"options\":{}1{}}}",
        "{\"a\":".repeat(20_000),
        "}".repeat(20_000)
    );
    for (body, status, code) in [
        (String::new(), 400, "api.body_malformed"),
        ("[]".into(), 400, "api.body_malformed"),
        ("{\"name\": \"x\"".into(), 400, "api.body_malformed"),
        ("name=x&strategy=saml:custom".into(), 400, "api.body_malformed"),
        (deep, 400, "api.body_malformed"),
        (r#"{"name": "x", "strategy": "saml:custom", "options": {"is_trusted": false, "is_trus\u0074ed": true}}"#.into(), 400, "api.member_repeated"),
        (" ".repeat(4 * 1024 * 1024 + 1), 413, "api.body_too_large"),
    ] {
        let request = client().post(format!("{}{CONNECTIONS}", gateway.base)).bearer_auth(&token);
        let (found, answer) = read(request.header(CONTENT_TYPE, "application/json").body(body)).await;
        assert_eq!((found, errors(&answer)), (status, vec![(code, "")]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_known_typed_and_present() {
    let gateway = Gateway::start().await;
    for (body, expected) in [
        (
            json!({"strategy": "saml:custom"}),
            vec![("api.member_missing", "name")],
        ),
        (
            json!({"name": "x"}),
            vec![("api.member_missing", "strategy")],
        ),
        (
            json!({"name": 1, "strategy": "saml:custom"}),
            vec![("api.member_type", "name")],
        ),
        (
            json!({"name": "x", "strategy": "saml:custom", "status": "on"}),
            vec![("api.member_value", "status")],
        ),
        (
            json!({"name": "x", "strategy": "saml:custom", "nmae": "y", "id": "conn_1"}),
            vec![("api.member_unknown", "nmae"), ("api.member_unknown", "id")],
        ),
        (
            json!({"name": "x", "strategy": "saml:custom", "enabled_applications": ["nobody"]}),
            vec![("api.member_value", "enabled_applications.0")],
        ),
        (
            json!({"name": "x", "strategy": "saml:custom", "organization_code": "org_0"}),
            vec![("api.member_value", "organization_code")],
        ),
    ] {
        let (status, answer) = create(&gateway, body).await;
        assert_eq!((status, errors(&answer)), (400, expected));
    }
    for (query, code) in [
        ("page_size=0", "api.member_value"),
        ("page_size=-1", "api.member_value"),
        ("page_size=1&page_size=2", "api.member_repeated"),
        ("pagesize=1", "api.member_unknown"),
        ("starting_after=a&ending_before=b", "api.member_value"),
        ("home_realm_domain=no", "api.member_value"),
    ] {
        let (status, answer) = gateway
            .api(Method::GET, &format!("{CONNECTIONS}?{query}"), None)
            .await;
        assert_eq!((status, errors(&answer)[0].0), (400, code), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_404_of_its_own() {
    let gateway = Gateway::start().await;
    let connection = active(&gateway, &[], &[]).await;
    let id = connection.rsplit('/').next().expect("an id");
    let absent = format!("conn_{}", "0".repeat(32));
    for (method, path, code) in [
        (
            Method::GET,
            format!("{CONNECTIONS}/{absent}"),
            "api.connection_unknown",
        ),
        (
            Method::DELETE,
            format!("{CONNECTIONS}/{absent}"),
            "api.connection_unknown",
        ),
        (
            Method::GET,
            format!("{CONNECTIONS}/..%2f..%2fetc"),
            "api.connection_unknown",
        ),
        (
            Method::GET,
            format!("{CONNECTIONS}?starting_after={absent}"),
            "api.connection_unknown",
        ),
        (
            Method::GET,
            format!("{CONNECTIONS}?ending_before=org_0"),
            "api.connection_unknown",
        ),
        (
            Method::GET,
            format!("/saml/{absent}/metadata"),
            "api.connection_unknown",
        ),
        (
            Method::GET,
            "/api/v1/applications/nobody/connections".into(),
            "api.application_unknown",
        ),
        (
            Method::POST,
            format!("/api/v1/applications/nobody/connections/{id}"),
            "api.application_unknown",
        ),
        (
            Method::POST,
            format!("/api/v1/applications/web/connections/{absent}"),
            "api.connection_unknown",
        ),
        (
            Method::GET,
            "/api/v1/organization?code=org_0".into(),
            "api.organization_unknown",
        ),
        (
            Method::POST,
            format!("/api/v1/organizations/org_0/connections/{id}"),
            "api.organization_unknown",
        ),
        (
            Method::GET,
            format!("/api/v1/organizations?starting_after={id}"),
            "api.organization_unknown",
        ),
        (
            Method::GET,
            "/api/v1/logins/FG-AAAAAAAA".into(),
            "api.login_unknown",
        ),
        (
            Method::GET,
            format!("/api/v1/logins/{}", "A".repeat(5000)),
            "api.login_unknown",
        ),
        (Method::GET, "/api/v1/nothing".into(), "api.path_unknown"),
        (
            Method::GET,
            "/api/v1/connections/".into(),
            "api.path_unknown",
        ),
        (Method::GET, "/api/v1".into(), "api.path_unknown"),
        (
            Method::GET,
            "/api/v2/connections".into(),
            "api.path_unknown",
        ),
        (Method::POST, "/api/v1/%ff".into(), "api.path_unknown"),
        (
            Method::GET,
            "/api/v1/connections/%ff".into(),
            "api.path_unknown",
        ),
    ] {
        let (status, answer) = gateway.api(method, &path, None).await;
        assert_eq!((status, errors(&answer)), (404, vec![(code, "")]), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_method_is_answered_in_json_with_those_that_are_there() {
    let gateway = Gateway::start().await;
    let token = gateway.api_token().await;
    for (method, path) in [
        (Method::DELETE, CONNECTIONS),
        (Method::PUT, CONNECTIONS),
        (Method::POST, "/api/v1/connections/conn_1"),
        (Method::PATCH, "/api/v1/organizations"),
        (Method::PUT, "/api/v1/logins/x"),
        (Method::OPTIONS, CONNECTIONS),
        (Method::TRACE, CONNECTIONS),
    ] {
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

/// What each route wants; any one of them is enough.
const ROUTES: [(&str, &str, &[&str]); 17] = [
    ("GET", "/connections", &["read:connections"]),
    ("POST", "/connections", &["create:connections"]),
    ("GET", "/connections/{id}", &["read:connections"]),
    ("PATCH", "/connections/{id}", &["update:connections"]),
    ("PUT", "/connections/{id}", &["update:connections"]),
    ("DELETE", "/connections/{id}", &["delete:connections"]),
    (
        "GET",
        "/applications/web/connections",
        &["read:application_connections", "read:connections"],
    ),
    (
        "POST",
        "/applications/web/connections/{id}",
        &["create:application_connections", "update:connections"],
    ),
    (
        "DELETE",
        "/applications/web/connections/{id}",
        &["delete:application_connections", "update:connections"],
    ),
    ("GET", "/organizations", &["read:organizations"]),
    (
        "GET",
        "/organizations/o/connections",
        &["read:organization_connections", "read:connections"],
    ),
    (
        "POST",
        "/organizations/o/connections/{id}",
        &["create:organization_connections", "update:connections"],
    ),
    (
        "DELETE",
        "/organizations/o/connections/{id}",
        &["delete:organization_connections", "update:connections"],
    ),
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
    let (id_token, access_token) = super::op::tokens(&gateway).await;
    for (method, path, _) in ROUTES {
        let method: Method = method.parse().expect("a method");
        let url = format!("{}/api/v1{path}", gateway.base);
        for (token, code) in [
            (None, "op.token_missing"),
            (Some("x.y.z"), "op.token_invalid"),
            (Some(id_token.as_str()), "op.token_invalid"),
            (Some(access_token.as_str()), "op.token_audience"),
        ] {
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
        assert_eq!(status, 409, "{odd}");
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
async fn secrets_go_in_and_never_come_out() {
    let gateway = Gateway::start().await;
    let (certificate, key) = pem(&hostile::rsa_key(2048));
    let line = key.lines().nth(3).expect("a line of the key").to_owned();
    let signing = json!({"saml_signing_certificate": certificate, "saml_signing_private_key": key});
    let secret =
        json!({"issuer": "https://op.example", "client_id": "c", "client_secret": "hush-hush"});
    for (body, secret) in [(saml(signing), line.as_str()), (oidc(secret), "hush-hush")] {
        let (_, created) = create(&gateway, body).await;
        let path = format!(
            "{CONNECTIONS}/{}",
            created["connection"]["id"].as_str().expect("an id")
        );
        let patch = Some(json!({"options": {"client_secret": 1, "saml_signing_private_key": 1}}));
        let answers = [
            created,
            gateway.api(Method::GET, &path, None).await.1,
            gateway.api(Method::GET, CONNECTIONS, None).await.1,
            gateway.api(Method::PATCH, &path, patch).await.1,
            gateway
                .api(Method::PATCH, &path, Some(json!({"name": "y"})))
                .await
                .1,
        ];
        for answer in answers {
            assert!(!answer.to_string().contains(secret), "{answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_cannot_be_read_are_told_and_stay() {
    let gateway = Gateway::start().await;
    let secret = json!({"issuer": "https://op.example", "client_id": "c", "client_secret": "hush"});
    let created = gateway.create_connection(oidc(secret)).await;
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
        (400, vec![("gateway.secret_unreadable", "")])
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
    assert_eq!(ready, (200, json!({"store": "ok"})));
    gateway.app.store.close().await;
    let (status, answer) = read(call(CONNECTIONS)).await;
    assert_eq!(
        (status, errors(&answer)),
        (503, vec![("store.unavailable", "")])
    );
    assert!(!answer.to_string().contains("pool"), "{answer}");
    let ready = read(call("/readyz")).await;
    assert_eq!(ready, (503, json!({"store": "unavailable"})));
    assert_eq!(read(call("/healthz")).await, (200, json!("ok")));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_end_where_the_list_ends_whatever_the_cursor() {
    let gateway = Gateway::start().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(gateway.create_connection(saml(json!({}))).await["id"].clone());
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

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_take_a_domain_at_once_one_gets_it() {
    let gateway = Gateway::start().await;
    let body = saml(json!({"home_realm_domains": ["acme.test"]}));
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
