//! Whether a Redis is one that the gateway can rely on, asked once at start.

use std::time::Duration;

use fedgate_providers::error::Refusal;
use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};
use redis::{Value, cmd};
use tokio::time::{Instant, sleep};

use super::super::{EphemeralError, EphemeralRefusal};
use super::link::{Call, Connection, Link, REFUSED};
use super::scripts::PROBE;

/// How long a start waits for a Redis that does not answer.
const START: Duration = Duration::from_secs(5);
/// Between two attempts.
const AGAIN: Duration = Duration::from_millis(200);
/// The longest that the nodes may take to say what they evict.
const POLICY_ANSWER: Duration = Duration::from_secs(2);
const POLICY: &str = "maxmemory_policy:";

/// # Errors
/// `ephemeral.unavailable`, `ephemeral.evicts`, `ephemeral.unsuitable`
pub(super) async fn check(link: &Link) -> Result<(), Refusal> {
    let deadline = Instant::now() + START;
    loop {
        match link
            .ask::<String>(Call::Script(&PROBE.prepare_invoke()))
            .await
        {
            Ok(_) => break,
            Err(EphemeralError::Unavailable(REFUSED)) => {
                return Err(EphemeralRefusal::Unsuitable
                    .refuse()
                    .detail("the log names the command"));
            }
            Err(error) if Instant::now() >= deadline => {
                return Err(EphemeralRefusal::Unavailable.refuse().detail(error));
            }
            Err(_) => sleep(AGAIN).await,
        }
    }
    let asked = tokio::time::timeout(POLICY_ANSWER, policies(link)).await;
    let Ok(Ok(policies)) = asked else {
        return Err(EphemeralRefusal::Unavailable.refuse().detail("INFO memory"));
    };
    if policies.is_empty() {
        tracing::warn!("Redis does not say its maxmemory-policy; it must be noeviction");
    }
    match policies.iter().find(|policy| *policy != "noeviction") {
        None => Ok(()),
        Some(policy) => Err(EphemeralRefusal::Evicts
            .refuse()
            .expected("noeviction")
            .detail(format!("maxmemory-policy is {policy}"))),
    }
}

/// What each master evicts when its memory is full: by INFO, which managed services allow where they forbid CONFIG.
async fn policies(link: &Link) -> Result<Vec<String>, EphemeralError> {
    let mut info = cmd("INFO");
    info.arg("memory");
    let answer = match link.connection().await? {
        Connection::One(mut connection) => info.query_async(&mut connection).await,
        Connection::Cluster(mut connection) => {
            let masters = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
            connection.route_command(info, masters).await
        }
    };
    let answer = answer.map_err(|error| {
        tracing::warn!(%error, "INFO memory");
        EphemeralError::Unavailable("INFO memory")
    })?;
    let mut policies = Vec::new();
    collect(&answer, &mut policies);
    Ok(policies)
}

/// One text of one server, or a map from each node to its own.
fn collect(answer: &Value, policies: &mut Vec<String>) {
    match answer {
        Value::BulkString(text) => read(&String::from_utf8_lossy(text), policies),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => read(text, policies),
        Value::Array(items) => items.iter().for_each(|item| collect(item, policies)),
        Value::Map(pairs) => pairs.iter().for_each(|(_, item)| collect(item, policies)),
        _ => {}
    }
}

fn read(text: &str, policies: &mut Vec<String>) {
    let lines = text.lines().filter_map(|line| line.strip_prefix(POLICY));
    policies.extend(lines.map(|policy| policy.trim().to_owned()));
}
