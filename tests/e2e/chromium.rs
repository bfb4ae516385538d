//! The demo in a real browser: cookies, redirects, auto-posted forms and the content security policy as Chromium treats them.

use std::net::SocketAddr;

use fedgate_lab::demo::Demo;
use fedgate_tests::counterparts::node;
use serde_json::Value;

/// Where screenshots go when this is set for the whole run.
const SHOTS: Option<&str> = option_env!("FEDGATE_SHOTS");

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_with_and_without_scripts_in_light_and_dark() {
    let demo = Demo::start(SocketAddr::from(([127, 0, 0, 1], 0)))
        .await
        .expect("a demo");
    let mut command = node("demo.mjs");
    command
        .env("DEMO_URL", &demo.application.options().base_url)
        .env("DEMO_PASSWORD", fedgate_lab::person::PASSWORD);
    if let Some(folder) = SHOTS {
        command.env("DEMO_SHOTS", folder);
    }
    let output = tokio::task::spawn_blocking(move || {
        command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .output()
    });
    let output = output.await.expect("a task").expect("node");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let seen: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(seen.len(), 4);
    for page in seen {
        let text = page["text"].as_str().expect("text");
        assert!(
            text.contains(page["email"].as_str().expect("an address")),
            "{page}"
        );
        assert!(text.contains("Signed in as"), "{page}");
        assert_ne!(
            page["overflow"], true,
            "a page is wider than its window: {page}"
        );
    }
}
