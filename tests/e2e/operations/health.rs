//! What load balancers ask.

use std::path::Path;
use std::time::{Duration, Instant};

use fedgate_tests::gateway::Gateway;
use fedgate_tests::served::Served;
use serde_json::{Value, json};

use super::{FEDGATE, text};

async fn ready(base: &str) -> (u16, Value) {
    let (status, text) = text(&format!("{base}/readyz")).await;
    (status, serde_json::from_str(&text).expect("JSON"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_is_ready_as_long_as_its_stores_answer() {
    let gateway = Gateway::start().await;
    let well = json!({"store": "ok", "ephemeral": "ok", "serving": "ok"});
    assert_eq!(ready(&gateway.base).await, (200, well));
    gateway.app.store.close().await;
    let began = Instant::now();
    let (status, said) = ready(&gateway.base).await;
    assert_eq!((status, &said["store"]), (503, &json!("unavailable")));
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "it answers in time"
    );
    assert_eq!(text(&format!("{}/healthz", gateway.base)).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_watches_sees_the_end_before_it_comes() {
    let more = "[limits]\nunready_seconds = 3\n";
    let mut gateway = Served::start(Path::new(FEDGATE), more, &[]);
    assert_eq!(ready(&gateway.base).await.0, 200);
    gateway.terminate();
    let began = Instant::now();
    loop {
        let (status, said) = ready(&gateway.base).await;
        if status == 503 {
            assert_eq!(said["serving"], "stopping");
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(2), "{said}");
    }
    let (status, _) = text(&format!("{}/.well-known/jwks.json", gateway.base)).await;
    assert_eq!(status, 200, "what still comes is answered");
    gateway.terminate();
    assert!(gateway.wait().success());
    let took = began.elapsed();
    assert!(
        took < Duration::from_secs(3),
        "a second signal ends the wait"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_watches_the_end_comes_at_once() {
    let more = "[limits]\nunready_seconds = 60\n";
    let mut gateway = Served::start(Path::new(FEDGATE), more, &[]);
    let began = Instant::now();
    gateway.terminate();
    assert!(gateway.wait().success());
    assert!(began.elapsed() < Duration::from_secs(10));
}
