//! Spans: what a collector gets, and what it costs where there is none.

use std::fmt::Write as _;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::{get, post};
use fedgate_lab::saml_idp::Lie;
use fedgate_tests::browser::Page;
use fedgate_tests::ending::Ending;
use fedgate_tests::gateway::Remote;
use fedgate_tests::login::{answer, begin};
use fedgate_tests::process::free_address;
use fedgate_tests::served::Served;
use fedgate_tests::upstream::{ALICE, BOB, OidcUpstream, SamlUpstream};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Attribute;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::json;
use tokio::net::TcpListener;

use super::{FEDGATE, PROXIED};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// A collector of the test's own.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

impl Collector {
    async fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let collector = Self::default();
        let take = async |State(collector): State<Self>, body: Bytes| {
            let batch = ExportTraceServiceRequest::decode(body).expect("protobuf");
            let scopes = batch.resource_spans.into_iter().flat_map(|r| r.scope_spans);
            let spans = scopes.flat_map(|scope| scope.spans);
            collector.0.lock().expect("a lock").extend(spans);
        };
        let router = Router::new().route("/v1/traces", post(take));
        let router = router.with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (collector, endpoint)
    }

    fn spans(&self) -> Vec<Span> {
        self.0.lock().expect("a lock").clone()
    }
}

fn attribute(span: &Span, name: &str) -> Option<String> {
    let found = span.attributes.iter().find(|pair| pair.key == name)?;
    match found.value.as_ref()?.value.as_ref()? {
        Attribute::StringValue(text) => Some(text.clone()),
        Attribute::IntValue(number) => Some(number.to_string()),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The one span of that name below another.
fn below<'s>(spans: &'s [Span], parent: &Span, name: &str) -> &'s Span {
    let mut found = spans
        .iter()
        .filter(|span| span.name == name && span.parent_span_id == parent.span_id);
    let first = found
        .next()
        .unwrap_or_else(|| panic!("no {name} below {}", parent.name));
    assert!(found.next().is_none(), "{name} twice");
    assert_eq!(first.trace_id, parent.trace_id);
    first
}

/// An issuer that remembers the headers of whoever asks.
async fn remembering_issuer() -> (String, Arc<Mutex<Vec<HeaderMap>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let issuer = format!("http://{}", listener.local_addr().expect("an address"));
    let document = json!({
        "issuer": issuer, "authorization_endpoint": "https://op.example/a",
        "token_endpoint": "https://op.example/t", "jwks_uri": "https://op.example/k",
    });
    let asked = Arc::<Mutex<Vec<HeaderMap>>>::default();
    let remembered = Arc::clone(&asked);
    let answer = move |headers: HeaderMap| async move {
        remembered.lock().expect("a lock").push(headers);
        document.to_string()
    };
    let router = Router::new().route("/.well-known/openid-configuration", get(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (issuer, asked)
}

async fn login(gateway: &Remote, connection: &str, person: &str, lie: &str) -> Page {
    let mut browser = gateway.browser();
    browser.set_header("traceparent", &format!("00-{TRACE}-{PARENT}-01"));
    let asked = [("connection_id", connection)];
    let page = begin(&mut browser, gateway, &asked).await;
    answer(&mut browser, &page, person, lie).await
}

fn at(endpoint: &str) -> String {
    format!("[telemetry]\notlp_endpoint = \"{endpoint}\"\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_the_whole_login_by_the_end_of_the_process() {
    let (collector, endpoint) = Collector::start().await;
    let proxied = [("FEDGATE_SERVER__TRUSTED_PROXIES", PROXIED)];
    let mut gateway = Served::start(Path::new(FEDGATE), &at(&endpoint), &proxied);
    let (saml, oidc) = (SamlUpstream::start().await, OidcUpstream::start().await);
    let acme = saml.connect(&gateway, json!({})).await.id;
    let globex = oidc.connect(&gateway, json!({})).await.id;
    let refused = login(&gateway, &acme, ALICE, Lie::WrongAudience.name()).await;
    let reference = Ending::of(&refused).refused().reference;
    Ending::of(&login(&gateway, &globex, BOB, "").await).code();
    gateway.terminate();
    assert!(gateway.wait().success());
    let spans = collector.spans();
    let by_reference =
        |span: &&Span| attribute(span, "fedgate.reference").as_ref() == Some(&reference);
    let saml = spans
        .iter()
        .find(by_reference)
        .expect("the refused login's span");
    assert_eq!(saml.name, "/saml/{connection_id}/acs");
    assert_eq!(
        (hex(&saml.trace_id), hex(&saml.parent_span_id)),
        (TRACE.into(), PARENT.into())
    );
    let code = attribute(saml, "fedgate.code");
    assert_eq!(code.as_deref(), Some("saml.audience_mismatch"));
    assert_eq!(
        attribute(saml, "http.response.status_code").as_deref(),
        Some("400")
    );
    below(&spans, saml, "verification");
    let callback = "/login/callback/{connection_id}";
    let oidc = spans
        .iter()
        .find(|span| span.name == callback)
        .expect("the other login's");
    assert!(attribute(oidc, "fedgate.reference").is_some_and(|text| text.starts_with("FG-")));
    below(&spans, oidc, "sign_in");
    let verification = below(&spans, oidc, "verification");
    let token = below(&spans, verification, "token");
    assert_eq!(
        attribute(token, "server.address").as_deref(),
        Some("127.0.0.1")
    );
    for span in &spans {
        assert!(
            span.events.is_empty(),
            "the log's lines stay in the log: {span:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_writes_into_no_trace_of_the_operators_and_an_upstream_learns_of_none() {
    let (collector, endpoint) = Collector::start().await;
    let mut gateway = Served::start(Path::new(FEDGATE), &at(&endpoint), &[]);
    let (issuer, asked) = remembering_issuer().await;
    let options = json!({ "issuer": issuer, "client_id": "c", "client_secret": "s" });
    let body = json!({
        "name": "Globex", "strategy": "oidc:custom", "status": "active",
        "options": options, "enabled_applications": ["web"],
    });
    let connection = gateway.connect(body).await;
    let mut browser = gateway.browser();
    browser.set_header("traceparent", &format!("00-{TRACE}-{PARENT}-01"));
    browser
        .step(&gateway.authorize_url(&[("connection_id", &connection.id)]))
        .await;
    gateway.terminate();
    assert!(gateway.wait().success());
    let spans = collector.spans();
    assert!(spans.iter().any(|span| span.name == "/oauth2/auth"));
    assert!(spans.iter().all(|span| hex(&span.trace_id) != TRACE));
    let asked = asked.lock().expect("a lock").clone();
    assert!(!asked.is_empty());
    for headers in asked {
        let told = headers.contains_key("traceparent") || headers.contains_key("tracestate");
        assert!(!told, "{headers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_down_costs_spans_only() {
    let endpoint = format!("http://{}", free_address());
    let mut gateway = Served::start(Path::new(FEDGATE), &at(&endpoint), &[]);
    let connection = SamlUpstream::start()
        .await
        .connect(&gateway, json!({}))
        .await;
    Ending::of(&login(&gateway, &connection.id, ALICE, "").await).code();
    let began = Instant::now();
    gateway.terminate();
    assert!(gateway.wait().success());
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    assert!(
        gateway
            .log()
            .contains("spans are not sent to the collector"),
        "{}",
        gateway.log()
    );
}
