use super::*;
use crate::testing::{Reply, Server};

fn egress(allow_private: bool) -> Egress {
    let brief = Duration::from_millis(400);
    Egress::new(EgressPolicy {
        allow_private,
        total_timeout: brief,
        body_bytes: 1000,
        ..EgressPolicy::default()
    })
}

fn guarded() -> Egress {
    egress(false)
}

async fn refused(egress: &Egress, url: &str) -> Refusal {
    egress
        .get(&url.parse().unwrap(), Purpose::SamlMetadata)
        .await
        .unwrap_err()
}

#[tokio::test]
async fn literal_inner_addresses_are_refused_in_every_spelling() {
    let guarded = guarded();
    for host in [
        "10.0.0.1",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0",
        "169.254.169.254",
        "192.168.0.1",
        "100.64.0.1",
        "127.0.0.1.",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:7f00:1::]",
        "[fd00::1]",
        "[fe80::1]",
        "[::127.0.0.1]",
        "１２７.0.0.1",
    ] {
        assert_eq!(
            refused(&guarded, &format!("https://{host}/")).await,
            EgressRefusal::AddressForbidden,
            "{host}"
        );
    }
}

#[tokio::test]
async fn a_name_that_resolves_to_loopback_is_refused() {
    let refusal = refused(&guarded(), "https://localhost/").await;
    assert_eq!(refusal, EgressRefusal::AddressForbidden);
    assert!(
        refusal
            .evidence()
            .found
            .is_some_and(|found| found == "127.0.0.1" || found == "::1")
    );
}

#[test]
fn among_several_addresses_only_the_permitted_are_kept() {
    let sockets = || {
        ["10.0.0.1:0", "1.1.1.1:0", "[::1]:0"]
            .iter()
            .map(|s| s.parse().unwrap())
    };
    let kept: Vec<SocketAddr> = permitted(sockets(), false).unwrap().collect();
    assert_eq!(kept, ["1.1.1.1:0".parse().unwrap()]);
    assert_eq!(permitted(sockets(), true).unwrap().count(), 3);
}

#[tokio::test]
async fn the_clouds_metadata_address_is_refused_even_with_private_networks_allowed() {
    assert_eq!(
        refused(&egress(true), "https://169.254.169.254/").await,
        EgressRefusal::AddressForbidden
    );
    assert_eq!(
        refused(&egress(true), "https://0.0.0.0/").await,
        EgressRefusal::AddressForbidden
    );
}

#[tokio::test]
async fn only_https_goes_out() {
    let guarded = guarded();
    for url in [
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://user:pw@example.com/",
        "http://127.0.0.1/",
    ] {
        assert_eq!(
            refused(&guarded, url).await,
            EgressRefusal::SchemeForbidden,
            "{url}"
        );
    }
    assert_eq!(
        refused(&egress(true), "http://10.0.0.1/").await,
        EgressRefusal::SchemeForbidden
    );
}

#[tokio::test]
async fn a_document_comes_back_with_its_cache_headers() {
    let server = Server::start(|_| {
        Reply::Full(
            200,
            vec![
                ("ETag", "\"1\"".into()),
                ("Cache-Control", "max-age=60".into()),
            ],
            b"<x/>".into(),
        )
    })
    .await;
    let fetched = egress(true)
        .get(&server.url("/m"), Purpose::SamlMetadata)
        .await
        .unwrap();
    assert_eq!(
        (
            fetched.body.as_slice(),
            fetched.etag.as_deref(),
            fetched.cache_control.as_deref()
        ),
        (&b"<x/>"[..], Some("\"1\""), Some("max-age=60"))
    );
    let asked = server.last("/m");
    assert_eq!(
        asked.header("user-agent"),
        Some(concat!("fedgate/", env!("CARGO_PKG_VERSION")))
    );
    assert_eq!(asked.header("accept-encoding"), None);
}

#[tokio::test]
async fn a_redirect_to_an_inner_address_or_to_plain_http_is_refused() {
    for (target, leaf) in [
        (
            "https://169.254.169.254/latest",
            EgressRefusal::AddressForbidden,
        ),
        ("http://example.com/", EgressRefusal::SchemeForbidden),
        ("file:///etc/passwd", EgressRefusal::SchemeForbidden),
    ] {
        let server = Server::start(move |_| Reply::redirect(target)).await;
        let refusal = egress(true)
            .get(&server.url("/"), Purpose::SamlMetadata)
            .await
            .unwrap_err();
        assert_eq!(refusal, leaf, "{target}");
    }
}

#[tokio::test]
async fn a_few_redirects_are_followed_and_a_loop_ends() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/a" => Reply::redirect("/b"),
        "/b" => Reply::json("{}"),
        _ => Reply::redirect("/loop"),
    })
    .await;
    assert_eq!(
        egress(true)
            .get(&server.url("/a"), Purpose::Discovery)
            .await
            .unwrap()
            .body,
        b"{}"
    );
    let refusal = egress(true)
        .get(&server.url("/loop"), Purpose::Discovery)
        .await
        .unwrap_err();
    assert_eq!(refusal, EgressRefusal::RedirectForbidden);
    assert_eq!(server.count("/loop"), 4);
}

#[tokio::test]
async fn keys_and_posts_never_follow_and_discovery_stays_on_its_host() {
    let server = Server::start(|asked| {
        Reply::redirect(if asked.path == "/other" {
            "https://example.com/"
        } else {
            "/b"
        })
    })
    .await;
    let egress = egress(true);
    assert_eq!(
        egress
            .get(&server.url("/k"), Purpose::Keys)
            .await
            .unwrap_err(),
        EgressRefusal::RedirectForbidden
    );
    assert_eq!(
        egress
            .get(&server.url("/other"), Purpose::Discovery)
            .await
            .unwrap_err(),
        EgressRefusal::RedirectForbidden
    );
    let post = Request::post(server.url("/t").as_str())
        .body(b"code=1".to_vec())
        .unwrap();
    assert_eq!(
        egress.send(post).await.unwrap_err(),
        EgressRefusal::RedirectForbidden
    );
    assert_eq!(server.count("/b"), 0);
}

#[tokio::test]
async fn a_body_is_cut_off_whether_its_length_is_announced_or_not() {
    let server = Server::start(|_| Reply::json("x".repeat(1001))).await;
    assert_eq!(
        egress(true)
            .get(&server.url("/"), Purpose::Keys)
            .await
            .unwrap_err(),
        EgressRefusal::TooLarge
    );
    let chunked = Server::start(|_| {
        let body = format!("{:x}\r\n{}\r\n0\r\n\r\n", 1001, "x".repeat(1001));
        Reply::Raw(
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}").into_bytes(),
        )
    })
    .await;
    assert_eq!(
        egress(true)
            .get(&chunked.url("/"), Purpose::Keys)
            .await
            .unwrap_err(),
        EgressRefusal::TooLarge
    );
}

#[tokio::test]
async fn an_answer_that_drips_is_given_up() {
    let server = Server::start(|_| Reply::Drip).await;
    assert_eq!(
        egress(true)
            .get(&server.url("/"), Purpose::Keys)
            .await
            .unwrap_err(),
        EgressRefusal::Timeout
    );
}

#[tokio::test]
async fn another_status_is_told() {
    let server = Server::start(|_| Reply::status(404, "")).await;
    let refusal = egress(true)
        .get(&server.url("/"), Purpose::Keys)
        .await
        .unwrap_err();
    assert_eq!(refusal, EgressRefusal::Status);
    assert_eq!(refusal.evidence().found.as_deref(), Some("404"));
}

#[tokio::test]
async fn a_connection_that_breaks_is_unreachable_and_not_tried_again() {
    let server = Server::start(|_| Reply::Hangup).await;
    assert_eq!(
        egress(true)
            .get(&server.url("/x"), Purpose::Keys)
            .await
            .unwrap_err(),
        EgressRefusal::Unreachable
    );
    assert_eq!(server.count("/x"), 1);
}

#[tokio::test]
async fn evidence_holds_no_query() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/moved?key=s3cret" => Reply::redirect("https://example.com/new?token=s3cret#s3cret"),
        _ => Reply::Hangup,
    })
    .await;
    let egress = egress(true);
    for path in ["/moved?key=s3cret", "/gone?key=s3cret"] {
        let refusal = egress
            .get(&server.url(path), Purpose::Keys)
            .await
            .unwrap_err();
        assert!(!format!("{refusal:?}").contains("s3cret"), "{refusal:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_a_tls_refusal() {
    let port = self_signed_server();
    let url = format!("https://127.0.0.1:{port}/").parse().unwrap();
    assert_eq!(
        egress(true).get(&url, Purpose::Keys).await.unwrap_err(),
        EgressRefusal::Tls
    );
}

/// A TLS server with a certificate of its own making.
fn self_signed_server() -> u16 {
    use openssl::{asn1::Asn1Time, hash::MessageDigest, pkey::PKey, rsa::Rsa, ssl, x509::X509};
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut certificate = X509::builder().unwrap();
    certificate.set_pubkey(&key).unwrap();
    certificate
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    certificate
        .set_not_after(&Asn1Time::days_from_now(1).unwrap())
        .unwrap();
    certificate.sign(&key, MessageDigest::sha256()).unwrap();
    let mut acceptor = ssl::SslAcceptor::mozilla_intermediate(ssl::SslMethod::tls()).unwrap();
    acceptor.set_private_key(&key).unwrap();
    acceptor.set_certificate(&certificate.build()).unwrap();
    let acceptor = acceptor.build();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = acceptor.accept(stream);
        }
    });
    port
}
