//! What an operator watches.

use fedgate_tests::gateway::{Gateway, client};

async fn text(url: &str) -> (u16, String) {
    let answer = client().get(url).send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_refused_logins_by_code() {
    let gateway = Gateway::start().await;
    let url = gateway.authorize_url(&[("connection_id", "conn_1")]);
    gateway.browser().step(&url).await;
    let (status, metrics) = text(&format!("{}/metrics", gateway.base)).await;
    assert_eq!(status, 200);
    let line = "fedgate_logins_total{code=\"route.connection_not_enabled\"} 1\n";
    assert!(metrics.contains(line), "{metrics}");
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
    assert!(
        metrics.contains("fedgate_traces_dropped_total 0\n"),
        "{metrics}"
    );
}
