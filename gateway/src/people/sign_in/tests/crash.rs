//! The process is killed at each point of the sign-in: nothing is there, or all of it, and a second try tells which.

use std::process::Command;

use super::*;

const STORE: &str = "FEDGATE_TEST_STORE_URL";

/// The first login of Ann in another process, which ends at that point.
fn killed_at(point: &str, store: &TestStore) {
    let this = std::env::current_exe().unwrap();
    let child = "people::sign_in::tests::crash::a_process_to_kill";
    let status = Command::new(this)
        .args([child, "--exact"])
        .env("FEDGATE_CRASH_AT", point)
        .env(STORE, store.url())
        .output()
        .unwrap()
        .status;
    assert_eq!(status.code(), None, "{point}: the process was not killed");
}

/// The other process of the tests below; run by itself, without a store to open, it has nothing to show.
#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "how one test process tells another"
)]
async fn a_process_to_kill() {
    let Ok(url) = std::env::var(STORE) else {
        return;
    };
    let store = Store::open(&url).await.unwrap();
    let connection = opened(&row(1, json!({})));
    attempt(&store, &connection, &ann(1)).await.unwrap();
}

#[tokio::test]
async fn killed_before_the_commit_nothing_happened_and_the_login_still_works() {
    for point in ["sign_in.read", "sign_in.written"] {
        let mut scene = Scene::new(json!({})).await;
        killed_at(point, &scene.store);
        scene.store.reopen().await;
        assert_eq!(scene.store.row_counts().await, [0; 6], "{point}");
        assert!(scene.attempt(&ann(1)).await.unwrap().created, "{point}");
    }
}

#[tokio::test]
async fn killed_after_the_commit_the_login_is_burnt_and_never_doubled() {
    let mut scene = Scene::new(json!({})).await;
    killed_at("sign_in.committed", &scene.store);
    scene.store.reopen().await;
    assert_eq!(scene.store.row_counts().await, [1, 1, 1, 0, 1, 2]);
    assert_eq!(scene.refused(&ann(1)).await, PeopleRefusal::LoginReplayed);
    assert!(!scene.attempt(&ann(2)).await.unwrap().created);
}
