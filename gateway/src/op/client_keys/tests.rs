use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::routing::get;
use fedgate_providers::egress::EgressPolicy;

use super::*;
use crate::op::testing::{keyring, now};

/// A server of one body on loopback, which counts how often it is asked.
struct Publisher {
    uri: String,
    asked: Arc<AtomicUsize>,
    body: Arc<Mutex<String>>,
}

impl Publisher {
    async fn start(body: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let uri = format!("http://{}/keys", listener.local_addr().expect("an address"));
        let (asked, body) = (
            Arc::new(AtomicUsize::new(0)),
            Arc::new(Mutex::new(body.to_owned())),
        );
        let (count, served) = (asked.clone(), body.clone());
        let answer = move || {
            count.fetch_add(1, Ordering::SeqCst);
            let body = served.lock().expect("not poisoned").clone();
            async move { body }
        };
        tokio::spawn(async move {
            axum::serve(listener, Router::new().route("/keys", get(answer))).await
        });
        Self { uri, asked, body }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn client_keys() -> ClientKeys {
    let policy = EgressPolicy {
        allow_private: true,
        ..EgressPolicy::default()
    };
    ClientKeys::new(Arc::new(Egress::new(policy)))
}

fn after(seconds: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() + seconds).expect("in range")
}

#[tokio::test]
async fn many_requests_fetch_once() {
    let (publisher, keys) = (Publisher::start(keyring().jwks()).await, client_keys());
    let several =
        futures_util::future::join_all((0..20).map(|_| keys.at(&publisher.uri, now()))).await;
    assert!(
        several
            .iter()
            .all(|held| held.keys.as_ref().is_ok_and(|jwks| jwks.keys().len() == 2))
    );
    assert_eq!(publisher.asked(), 1);
}

#[tokio::test]
async fn an_invented_kid_cannot_make_the_gateway_fetch_at_will() {
    let (publisher, keys) = (Publisher::start(keyring().jwks()).await, client_keys());
    let held = keys.at(&publisher.uri, now()).await;
    for seconds in [0, 30, 59] {
        assert!(
            keys.newer(&publisher.uri, &held, after(seconds))
                .await
                .is_none()
        );
    }
    assert_eq!(publisher.asked(), 1);
    let newer = keys
        .newer(&publisher.uri, &held, after(60))
        .await
        .expect("old enough");
    assert!(
        keys.newer(&publisher.uri, &newer, after(90))
            .await
            .is_none()
    );
    assert_eq!(publisher.asked(), 2);
}

#[tokio::test]
async fn a_failure_is_kept_for_a_minute_and_then_tried_again() {
    let (publisher, keys) = (Publisher::start("not a key set").await, client_keys());
    for _ in 0..3 {
        let held = keys.at(&publisher.uri, now()).await;
        assert_eq!(
            held.keys.clone().expect_err("no keys"),
            OpRefusal::ClientKeysUnavailable
        );
    }
    assert_eq!(publisher.asked(), 1);
    *publisher.body.lock().expect("not poisoned") = keyring().jwks().to_owned();
    let held = keys.at(&publisher.uri, now()).await;
    assert!(
        keys.newer(&publisher.uri, &held, after(60))
            .await
            .expect("old enough")
            .keys
            .is_ok()
    );
}

#[tokio::test]
async fn two_requests_with_the_same_stale_set_fetch_once_more_and_not_twice() {
    let (publisher, keys) = (Publisher::start(keyring().jwks()).await, client_keys());
    let held = keys.at(&publisher.uri, now()).await;
    for _ in 0..5 {
        keys.newer(&publisher.uri, &held, after(60))
            .await
            .expect("old enough");
    }
    assert_eq!(publisher.asked(), 2);
}
