//! Metadata and issuer URLs of a hostile tenant: what the gateway calls on his behalf, and what it makes of the answer.

use fedgate_tests::gateway::Gateway;
use fedgate_tests::hostile::{self, Answer, Hostile};
use fedgate_tests::process::free_address;
use fedgate_tests::proved;
use reqwest::Method;
use serde_json::{Value, json};

const METADATA_URL: &str = "options.saml_idp_metadata_url";
const ISSUER: &str = "options.issuer";

/// A gateway as it is deployed: loopback and private networks are out of reach.
async fn guarded() -> Gateway {
    Gateway::configured("", &[("FEDGATE_EGRESS__ALLOW_PRIVATE", "false")]).await
}

/// Activates a connection by its metadata URL, which is refused: the code and the member.
async fn metadata(gateway: &Gateway, url: &str) -> (String, String) {
    let options = json!({"saml_idp_metadata_url": url});
    refused(gateway, "saml:custom", options).await
}

/// Activates a connection by its issuer, which is refused.
async fn issuer(gateway: &Gateway, url: &str) -> (String, String) {
    let options = json!({"issuer": url, "client_id": "c", "client_secret": "s"});
    refused(gateway, "oidc:custom", options).await
}

async fn refused(gateway: &Gateway, strategy: &str, options: Value) -> (String, String) {
    let body = json!({"name": "x", "strategy": strategy, "status": "active", "options": options});
    let (status, answer) = gateway
        .api(Method::POST, "/api/v1/connections", Some(body))
        .await;
    assert_eq!(status, 422, "{answer}");
    let errors = answer["errors"].as_array().expect("errors");
    assert_eq!(errors.len(), 1, "{answer}");
    let text = |name: &str| errors[0][name].as_str().unwrap_or_default().to_owned();
    (text("code"), text("field"))
}

fn is(code: &str, field: &str) -> (String, String) {
    (code.to_owned(), field.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn inner_addresses_are_out_of_reach_in_every_spelling() {
    let gateway = guarded().await;
    for host in [
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.0.0.1.",
        "0.0.0.0",
        "169.254.169.254",
        "224.0.0.1",
        "[::1]",
        "[::]",
        "[fd00::1]",
        "[fe80::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:7f00:1::]",
        "localhost",
        "LOCALHOST",
    ] {
        let url = format!("https://{host}/m");
        assert_eq!(
            metadata(&gateway, &url).await,
            is("egress.address_forbidden", METADATA_URL),
            "{host}"
        );
        assert_eq!(
            issuer(&gateway, &url).await,
            is("egress.address_forbidden", ISSUER),
            "{host}"
        );
    }
    let (_, listed) = gateway.api(Method::GET, "/api/v1/connections", None).await;
    assert_eq!(listed["connections"], json!([]));
    proved!(122, "egress.address_forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn this_machine_is_not_called_over_plain_http() {
    let gateway = guarded().await;
    let inner = Hostile::start(|_| hostile::document("<x/>")).await;
    assert_eq!(
        metadata(&gateway, &inner.url("/m")).await,
        is("egress.scheme_forbidden", METADATA_URL)
    );
    assert_eq!(
        issuer(&gateway, &inner.url("")).await,
        is("egress.scheme_forbidden", ISSUER)
    );
    assert_eq!(inner.asked(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn urls_that_are_no_web_addresses_are_refused_before_any_call() {
    let gateway = guarded().await;
    for url in [
        "http://10.0.0.1/m",
        "http://idp.example/m",
        "ftp://idp.example/m",
        "file:///etc/passwd",
        "gopher://127.0.0.1:25/",
        "//idp.example/m",
        "https://user:pw@idp.example/m",
        "https://idp.example/m#f",
        "https:///",
    ] {
        assert_eq!(
            metadata(&gateway, url).await,
            is("connection.option_url", METADATA_URL),
            "{url}"
        );
        assert_eq!(
            issuer(&gateway, url).await.0,
            "connection.option_url",
            "{url}"
        );
    }
    assert_eq!(
        issuer(&gateway, "https://idp.example/?a=b").await,
        is("connection.option_url", ISSUER)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_leads_nowhere_that_its_target_would_not() {
    let gateway = Gateway::start().await;
    let server = Hostile::start(|path| match path {
        "/cloud" => hostile::redirect("https://169.254.169.254/latest/meta-data/"),
        "/plain" => hostile::redirect("http://idp.example/"),
        "/private" => hostile::redirect("http://10.0.0.1/"),
        "/file" => hostile::redirect("file:///etc/passwd"),
        "/nowhere" => hostile::redirect("http://[/"),
        _ => hostile::redirect("/loop"),
    })
    .await;
    for (path, code) in [
        ("/cloud", "egress.address_forbidden"),
        ("/plain", "egress.scheme_forbidden"),
        ("/private", "egress.scheme_forbidden"),
        ("/file", "egress.scheme_forbidden"),
        ("/nowhere", "egress.redirect_forbidden"),
        ("/loop", "egress.redirect_forbidden"),
    ] {
        assert_eq!(
            metadata(&gateway, &server.url(path)).await,
            is(code, METADATA_URL),
            "{path}"
        );
    }
    let loops = server
        .asked()
        .iter()
        .filter(|path| *path == "/loop")
        .count();
    assert_eq!(loops, 4);
    proved!(oidc 25, "egress.scheme_forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery_stays_on_the_host_of_the_issuer() {
    let gateway = Gateway::start().await;
    let elsewhere = Hostile::start(|_| hostile::document("{}")).await;
    let there = format!("http://localhost:{}/d", elsewhere.address.port());
    let server = Hostile::start(move |_| hostile::redirect(&there)).await;
    assert_eq!(
        issuer(&gateway, &server.url("")).await,
        is("egress.redirect_forbidden", ISSUER)
    );
    assert_eq!(elsewhere.asked(), Vec::<String>::new());
    proved!(oidc 25, "egress.redirect_forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery_names_no_inner_endpoint() {
    let gateway = Gateway::start().await;
    for (endpoint, code) in [
        ("https://169.254.169.254/t", "egress.address_forbidden"),
        ("http://10.0.0.1/t", "egress.scheme_forbidden"),
        ("https://user:pw@op.example/t", "egress.scheme_forbidden"),
    ] {
        let address = free_address();
        let document = json!({
            "issuer": format!("http://{address}"), "authorization_endpoint": "https://op.example/a",
            "token_endpoint": endpoint, "jwks_uri": "https://op.example/k",
        });
        let server = Hostile::on(address, move |_| hostile::document(document.to_string())).await;
        assert_eq!(
            issuer(&gateway, &server.url("")).await,
            is(code, ISSUER),
            "{endpoint}"
        );
    }
    proved!(oidc 25, "egress.address_forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_no_documents_are_told_apart() {
    let gateway = Gateway::start().await;
    let mebibyte = 1024 * 1024;
    let server = Hostile::start(move |path| match path {
        "/500" => hostile::status(500, b"x"),
        "/404" => hostile::status(404, b"x"),
        "/204" => hostile::status(204, b""),
        "/206" => hostile::status(206, b"<x/>"),
        "/large" => hostile::document("x".repeat(mebibyte + 1)),
        "/announced" => {
            Answer::Octets(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\nx".to_vec())
        }
        "/chunked" => hostile::chunked(mebibyte + 1),
        "/short" => Answer::Octets(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx".to_vec()),
        "/noise" => Answer::Octets(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()),
        "/headers" => {
            let flood = "x: y\r\n".repeat(20_000);
            Answer::Octets(format!("HTTP/1.1 200 OK\r\n{flood}\r\n").into_bytes())
        }
        _ => Answer::Octets(Vec::new()),
    })
    .await;
    for (path, code) in [
        ("/500", "egress.status"),
        ("/404", "egress.status"),
        ("/204", "egress.status"),
        ("/206", "egress.status"),
        ("/large", "egress.too_large"),
        ("/announced", "egress.too_large"),
        ("/chunked", "egress.too_large"),
        ("/short", "egress.unreachable"),
        ("/noise", "egress.unreachable"),
        ("/headers", "egress.unreachable"),
        ("/hangup", "egress.unreachable"),
    ] {
        assert_eq!(
            metadata(&gateway, &server.url(path)).await,
            is(code, METADATA_URL),
            "{path}"
        );
    }
    let closed = format!("http://{}/m", free_address());
    assert_eq!(
        metadata(&gateway, &closed).await,
        is("egress.unreachable", METADATA_URL)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_drips_is_given_up_and_the_caller_hears_of_it() {
    let gateway = Gateway::start().await;
    let server = Hostile::start(|_| Answer::Drip).await;
    assert_eq!(
        metadata(&gateway, &server.url("/m")).await,
        is("egress.timeout", METADATA_URL)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_nobody_vouches_for_is_not_accepted() {
    let gateway = Gateway::start().await;
    let url = format!("https://{}/m", hostile::self_signed());
    assert_eq!(
        metadata(&gateway, &url).await,
        is("egress.tls", METADATA_URL)
    );
    let plain = Hostile::start(|_| hostile::status(400, b"x")).await;
    let url = plain.url("/m").replace("http://", "https://");
    assert_eq!(
        metadata(&gateway, &url).await,
        is("egress.tls", METADATA_URL)
    );
    proved!(oidc 53, "egress.tls");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_query_holds_is_not_told_again() {
    let gateway = Gateway::start().await;
    let server = Hostile::start(|path| match path {
        "/moved?key=s3cret" => hostile::redirect("http://idp.example/new?token=s3cret#s3cret"),
        _ => Answer::Octets(Vec::new()),
    })
    .await;
    for path in ["/moved?key=s3cret", "/gone?key=s3cret"] {
        let options = json!({"saml_idp_metadata_url": server.url(path)});
        let body =
            json!({"name": "x", "strategy": "saml:custom", "status": "active", "options": options});
        let (_, answer) = gateway
            .api(Method::POST, "/api/v1/connections", Some(body))
            .await;
        assert!(!answer.to_string().contains("s3cret"), "{answer}");
    }
}
