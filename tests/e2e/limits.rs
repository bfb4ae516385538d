//! What strangers send cannot fill anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use fedgate::limits::Limits;
use fedgate_tests::gateway::{Gateway, SECRET};
use fedgate_tests::rows;
use fedgate_tests::upstream::SamlUpstream;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Without optimization each answer costs many times as much, on the side of the test as well.
const ANSWERS: usize = if cfg!(debug_assertions) {
    20_000
} else {
    100_000
};
const LONGEST: Duration = Duration::from_mins(1);
const CALLERS: usize = 16;
/// What the process may grow by: connections' buffers, the near caches, SQLite's pages.
const GROWTH_BYTES: u64 = 96 * 1024 * 1024;
/// Space that SQLite has beside the rows: indexes, free pages, the log.
const DATABASE_OVERHEAD_BYTES: u64 = 16 * 1024 * 1024;

/// Posts bodies one after the other on one connection and reads each answer whole; answers how many were pages of refusal.
async fn post_all(base: &str, path: &str, bodies: impl Iterator<Item = String>) -> usize {
    let address = base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let mut refused = 0;
    let mut buffer = Vec::with_capacity(16 * 1024);
    for body in bodies {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream
            .write_all(format!("{head}{body}").as_bytes())
            .await
            .expect("sent");
        refused += usize::from(read_answer(&mut stream, &mut buffer).await);
    }
    refused
}

/// Reads one answer with a Content-Length; whether its status is 400.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> bool {
    buffer.clear();
    loop {
        let read = stream.read_buf(buffer).await.expect("an answer");
        assert!(read > 0, "the connection was closed");
        let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.expect("a length").parse().expect("a number");
        if buffer.len() >= end + 4 + length {
            return head.starts_with("http/1.1 400");
        }
    }
}

/// Bytes of this process in memory: the gateway is in it.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.expect("a number") * 1024
}

/// Garbage of every kind that needs no login to send.
fn garbage(caller: usize, number: usize) -> String {
    let noise = format!(
        "{:x}",
        (caller * ANSWERS + number) as u128 * 0x9e37_79b9_7f4a_7c15
    );
    match number % 5 {
        0 => format!("SAMLResponse={}&RelayState={noise}", "A".repeat(2000)),
        1 => format!("SAMLResponse=PHg%2BPC94Pg%3D%3D&noise={noise}"),
        2 => format!("RelayState={noise:A<22.22}"),
        3 => format!("SAMLResponse=%F0%9F&RelayState=&noise={noise}"),
        _ => format!("SAMLResponse={}", "%3C".repeat(1500)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_garbage_is_answered_and_leaves_bounded_traces() {
    // Whatever comes is looked at: the limit that would turn it away is proved elsewhere.
    let gateway = Gateway::with("[limits]\nrefused_callbacks_per_connection = 1000000\n").await;
    let idp = SamlUpstream::start().await;
    let connection = idp.connect(&gateway, json!({})).await;
    let limits = Limits::default();
    let path = format!("/saml/{}/acs", connection.id);
    post_all(
        &gateway.base,
        &path,
        (0..100).map(|number| garbage(0, number)),
    )
    .await;
    let (before, rows_before) = (resident_bytes(), gateway.rows().await);
    let began = Instant::now();
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            // Half of them at a connection that does not exist.
            let path = if caller % 2 == 0 {
                path.clone()
            } else {
                "/saml/conn_00000000000000000000000000000000/acs".to_owned()
            };
            let base = gateway.base.clone();
            let bodies = (0..ANSWERS / CALLERS).map(move |number| garbage(caller, number));
            tokio::spawn(async move { post_all(&base, &path, bodies).await })
        })
        .collect();
    let mut refused = 0;
    for caller in callers {
        refused += caller.await.expect("answers");
    }
    let took = began.elapsed();
    gateway.app.traces.flush().await;
    assert_eq!(
        refused,
        ANSWERS / CALLERS * CALLERS,
        "each is answered by a page that refuses"
    );
    assert!(took < LONGEST, "{ANSWERS} answers took {took:?}");
    assert_eq!(gateway.rows().await, rows_before);
    let (count, bytes) = rows::traces(gateway.folder()).await;
    // A ring for strangers at connections, one for the connection that does not exist, and nothing else.
    let most = limits.stranger_traces + limits.traces_per_connection;
    let most = i64::try_from(most).expect("a count");
    assert!(count > 0 && count <= most, "{count} traces");
    let trace_bytes = i64::try_from(limits.trace_bytes).expect("a size");
    assert!(bytes <= count * trace_bytes, "{bytes} bytes of traces");
    assert!(
        gateway.app.traces.dropped() > 0,
        "the rest was counted, not kept"
    );
    let largest = u64::try_from(most * trace_bytes).expect("a size") + DATABASE_OVERHEAD_BYTES;
    assert!(
        rows::bytes(gateway.folder()).await < largest,
        "{} bytes",
        rows::bytes(gateway.folder()).await
    );
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < GROWTH_BYTES, "grew by {grown} bytes");
    println!(
        "{ANSWERS} answers in {took:?}, {count} traces, {} bytes of database, {grown} bytes of growth",
        rows::bytes(gateway.folder()).await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn begun_logins_that_nobody_finishes_fill_nothing() {
    let gateway = Gateway::with("[limits]\nstored_pendings = 50\n").await;
    let idp = SamlUpstream::start().await;
    let connection = idp.connect(&gateway, json!({})).await;
    let before = (gateway.rows().await, rows::traces(gateway.folder()).await);
    let state = "s".repeat(1500);
    let client = fedgate_tests::gateway::client();
    let mut full = 0;
    for number in 0..300 {
        let large = [("connection_id", connection.id.as_str()), ("state", &state)];
        let asked: &[(&str, &str)] = match number % 3 {
            0 => &large,
            1 => &large[..1],
            _ => &[],
        };
        let answer = client
            .get(gateway.authorize_url(asked))
            .send()
            .await
            .expect("an answer");
        full += usize::from(answer.status() == 503);
    }
    assert_eq!(full, 50, "the quota is the limit's");
    gateway.app.traces.flush().await;
    let (rows, (traces, _)) = (gateway.rows().await, rows::traces(gateway.folder()).await);
    assert_eq!(rows, before.0);
    assert!(
        traces <= before.1.0 + 50,
        "{traces} traces: of what was refused alone"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_failed_addresses_leave_a_bounded_trace_of_themselves() {
    let gateway =
        Gateway::with("[limits]\ntraces_per_connection = 20\ntraces_per_second = 1000000\n").await;
    let mut browser = gateway.browser();
    let page = browser.open(&gateway.authorize_url(&[])).await;
    for number in 0..200 {
        let address = format!("x@nowhere{number}.test");
        browser.submit(&page.form(), &[("email", &address)]).await;
    }
    gateway.app.traces.flush().await;
    let (count, _) = rows::traces(gateway.folder()).await;
    assert_eq!(count, 20);
}

/// An issuer that counts how often it is asked what it is, and answers while `answers` is set.
async fn counting_issuer(answers: Arc<AtomicBool>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let issuer = format!("http://{}", listener.local_addr().expect("an address"));
    let at = |path: &str| format!("{issuer}/{path}");
    let document = json!({
        "issuer": issuer, "authorization_endpoint": at("a"), "token_endpoint": at("t"), "jwks_uri": at("k"),
    });
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let answer = move || async move {
        counter.fetch_add(1, Ordering::Relaxed);
        if answers.load(Ordering::Relaxed) {
            document.to_string()
        } else {
            "out of order".to_owned()
        }
    };
    let router = Router::new().route("/.well-known/openid-configuration", get(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (issuer, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_does_not_make_the_gateway_go_out() {
    let gateway = Gateway::start().await;
    let (issuer, asked) = counting_issuer(Arc::new(AtomicBool::new(true))).await;
    let body = json!({
        "name": "Counting", "strategy": "oidc:custom", "status": "active", "enabled_applications": ["web"],
        "options": {"issuer": issuer, "client_id": "c", "client_secret": SECRET},
    });
    let connection = gateway.connect(body).await;
    let before = asked.load(Ordering::Relaxed);
    assert!(before > 0, "activation asks");
    let cold = gateway.replica().await;
    let path = format!("/login/callback/{}", connection.id);
    let bodies = [
        "",
        "state=x",
        "state=AAAAAAAAAAAAAAAAAAAAAA",
        "error=access_denied",
    ];
    let refused = post_all(&cold.base, &path, bodies.map(str::to_owned).into_iter()).await;
    assert_eq!(
        (refused, asked.load(Ordering::Relaxed)),
        (bodies.len(), before)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_fails_is_not_asked_with_every_login() {
    let gateway = Gateway::start().await;
    let answers = Arc::new(AtomicBool::new(true));
    let (issuer, asked) = counting_issuer(Arc::clone(&answers)).await;
    let body = json!({
        "name": "Failing", "strategy": "oidc:custom", "status": "active", "enabled_applications": ["web"],
        "options": {"issuer": issuer, "client_id": "c", "client_secret": SECRET},
    });
    let connection = gateway.connect(body).await;
    answers.store(false, Ordering::Relaxed);
    let cold = gateway.replica().await;
    let before = asked.load(Ordering::Relaxed);
    let begins = 20;
    for _ in 0..begins {
        let url = cold.authorize_url(&[("connection_id", &connection.id)]);
        let page = cold.browser().step(&url).await;
        assert!(!page.status.is_success() && !page.status.is_redirection());
    }
    let asked = asked.load(Ordering::Relaxed) - before;
    assert!(asked > 0 && asked < begins / 2, "asked {asked} times");
}

#[tokio::test]
async fn a_request_whose_headers_never_end_is_closed() {
    let gateway = Gateway::with("[limits]\nheader_seconds = 1\n").await;
    let address = gateway.base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n")
        .await
        .expect("sent");
    let mut rest = Vec::new();
    let closed = tokio::time::timeout(LONGEST, stream.read_to_end(&mut rest)).await;
    closed
        .expect("the gateway closes the connection")
        .expect("an end");
}
