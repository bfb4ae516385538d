//! What an operator watches, and what the gateway bears from whoever means it ill.

mod header;
mod health;
mod limit;
mod log;
mod metrics;
mod span;

use fedgate_tests::gateway::client;

/// Behind a proxy on this machine, so that a test can come from any address.
const PROXIED: &str = "127.0.0.1";

/// The command, as a process.
const FEDGATE: &str = env!("CARGO_BIN_EXE_fedgate-crashing");

/// A status and a text.
async fn text(url: &str) -> (u16, String) {
    let answer = client().get(url).send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}
