//! schemathesis tries the Management API by its `OpenAPI` document: what is described is accepted, what is not is
//! refused, and every answer is as described.

use std::process::Stdio;

use fedgate_tests::counterparts::python;
use fedgate_tests::gateway::Gateway;
use serde_json::json;

/// The same requests each time.
const SEED: &str = "20260711";
/// Requests per operation in the phase of random data.
const EXAMPLES: &str = "10";

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_nothing() {
    let gateway = Gateway::start().await;
    // Something to find: it uses what the lists name.
    for name in ["a", "b"] {
        let connection = json!({"name": name, "strategy": "saml:custom", "options": {}});
        gateway.create_connection(connection).await;
    }
    let document = format!("{}/api/v1/openapi.json", gateway.base);
    let authorization = format!("Authorization: Bearer {}", gateway.api_token().await);
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = python("schemathesis");
    command
        .args(["run", &document, "--header", &authorization])
        .args(["--seed", SEED, "--max-examples", EXAMPLES])
        .args(["--phases", "examples,coverage,fuzzing,stateful"])
        .args(["--workers", "2", "--continue-on-failure"])
        .arg("--report-dir")
        .arg(folder.path())
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let run = tokio::task::spawn_blocking(move || command.output().expect("schemathesis"));
    let output = run.await.expect("an end");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
}
