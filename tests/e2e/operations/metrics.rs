//! Metrics: whole, well-formed, and of a bounded number of series.

#![allow(clippy::float_cmp, reason = "counts are whole numbers")]

use fedgate_lab::saml_idp::Lie;
use fedgate_tests::exposition::{self, Sample};
use fedgate_tests::gateway::{Gateway, client};
use fedgate_tests::login::{answer, begin};
use fedgate_tests::upstream::{ALICE, BOB, OidcUpstream, SamlUpstream};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::text;

async fn samples(gateway: &Gateway) -> Vec<Sample> {
    let (status, metrics) = text(&format!("{}/metrics", gateway.base)).await;
    assert_eq!(status, 200);
    exposition::read(&metrics).unwrap_or_else(|why| panic!("{why}\n{metrics}"))
}

/// The value of the series that has these labels among its own.
fn value(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> f64 {
    let has = |sample: &Sample| {
        let mut labels = labels.iter();
        labels.all(|(label, value)| sample.labels.get(*label).is_some_and(|held| held == value))
    };
    let found = samples.iter().filter(|s| s.name == name && has(s));
    found.map(|sample| sample.value).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_and_their_parts_are_counted_where_they_happen() {
    let gateway = Gateway::start().await;
    let (saml, oidc) = (SamlUpstream::start().await, OidcUpstream::start().await);
    let acme = saml.connect(&gateway, json!({})).await;
    let globex = oidc.connect(&gateway, json!({})).await;
    for (connection, person, lie) in [
        (&acme, ALICE, ""),
        (&acme, ALICE, Lie::WrongAudience.name()),
        (&globex, BOB, ""),
    ] {
        let mut browser = gateway.browser();
        let asked = [("connection_id", connection.id.as_str())];
        let login = begin(&mut browser, &gateway, &asked).await;
        answer(&mut browser, &login, person, lie).await;
    }
    let samples = samples(&gateway).await;
    let logins = |connection: &str, strategy: &str, code: &str| {
        let labels = [
            ("connection", connection),
            ("strategy", strategy),
            ("code", code),
        ];
        value(&samples, "fedgate_logins_total", &labels)
    };
    let refused = logins(&acme.id, "saml:custom", "saml.audience_mismatch");
    let ended = (
        logins(&acme.id, "saml:custom", "ok"),
        refused,
        logins(&globex.id, "oidc:custom", "ok"),
    );
    assert_eq!(ended, (1.0, 1.0, 1.0));
    let counted = |name: &str, label: (&str, &str)| value(&samples, name, &[label]);
    let part = |part: &str| counted("fedgate_login_part_duration_seconds_count", ("part", part));
    assert_eq!(
        (part("begin"), part("verification"), part("sign_in")),
        (3.0, 3.0, 2.0)
    );
    let called = |asked: &str| {
        let labels = [("asked", asked), ("outcome", "ok")];
        value(
            &samples,
            "fedgate_upstream_call_duration_seconds_count",
            &labels,
        )
    };
    assert!(called("metadata") >= 1.0 && called("discovery") >= 1.0 && called("keys") >= 1.0);
    assert_eq!(called("token"), 1.0);
    let route = ("route", "/saml/{connection_id}/acs");
    assert_eq!(
        counted("fedgate_http_request_duration_seconds_count", route),
        2.0
    );
    let misses = [("cache", "providers"), ("outcome", "miss")];
    assert!(value(&samples, "fedgate_cache_reads_total", &misses) >= 2.0);
    let read_at = ("connection", acme.id.as_str());
    assert!(counted("fedgate_metadata_read_timestamp_seconds", read_at) > 1.7e9);
    let version = ("version", env!("CARGO_PKG_VERSION"));
    assert_eq!(counted("fedgate_build_info", version), 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_are_counted_together() {
    let gateway = Gateway::with("[limits]\nmetric_connections = 1\n").await;
    let saml = SamlUpstream::start().await;
    let first = saml.connect(&gateway, json!({})).await;
    let second = saml.connect(&gateway, json!({})).await;
    for connection in [&first, &second, &first] {
        let acs = format!("{}/saml/{}/acs", gateway.base, connection.id);
        client().post(acs).send().await.expect("an answer");
    }
    let samples = samples(&gateway).await;
    let of = |connection: &str| {
        value(
            &samples,
            "fedgate_logins_total",
            &[("connection", connection)],
        )
    };
    assert_eq!(
        (of(&first.id), of("other"), of(&second.id)),
        (2.0, 1.0, 0.0)
    );
}

/// Sends a request as it stands.
async fn send(gateway: &Gateway, head: &str) {
    let address = gateway.base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = format!("{head}\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("sent");
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_outside_makes_up_a_label() {
    let gateway = Gateway::start().await;
    let injected = "x\"} 1%0Afedgate_logins_total{code=\"forged\"} 9%0A\\";
    for head in [
        format!("GET /{} HTTP/1.1", injected.replace(' ', "%20")),
        format!(
            "GET /saml/{}/metadata HTTP/1.1",
            injected.replace(' ', "%20")
        ),
        "FORGED /oauth2/auth HTTP/1.1".to_owned(),
        "GET /oauth2/auth?connection_id=%22%7D%0Aforged HTTP/1.1".to_owned(),
        "POST /saml/conn_forged/acs HTTP/1.1\r\ncontent-length: 0".to_owned(),
        "GET /login/callback/conn_forged?state=forged HTTP/1.1\r\nx-forwarded-for: forged\""
            .to_owned(),
        "GET /assets/forged HTTP/1.1".to_owned(),
    ] {
        send(&gateway, &head).await;
    }
    let samples = samples(&gateway).await;
    let forged = samples.iter().filter(|sample| {
        sample
            .labels
            .values()
            .any(|value| value.to_lowercase().contains("forged"))
    });
    assert_eq!(forged.collect::<Vec<_>>(), Vec::<&Sample>::new());
    let other = [("method", "other")];
    assert_eq!(
        value(
            &samples,
            "fedgate_http_request_duration_seconds_count",
            &other
        ),
        1.0
    );
    assert_eq!(
        value(&samples, "fedgate_untrusted_forwarding_requests_total", &[]),
        1.0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_with_an_address_of_their_own_are_read_there_alone() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let gateway = Gateway::with(&format!("[telemetry]\nmetrics_listen = \"{address}\"\n")).await;
    let (health, _) = text(&format!("{}/healthz", gateway.base)).await;
    let (outside, _) = text(&format!("{}/metrics", gateway.base)).await;
    let (inside, metrics) = text(&format!("http://{address}/metrics")).await;
    assert_eq!((health, outside, inside), (200, 404, 200));
    let line = "fedgate_traces_dropped_total 0\n";
    assert!(metrics.contains(line), "{metrics}");
}
