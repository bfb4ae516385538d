//! Thousands of connections whose metadata is due at the same moment, under logins: how many are fetched at once, what it
//! costs, and what the logins feel of it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use clap::Args;
use fedgate::app::Clock;
use fedgate_lab::key::KeyKind;
use fedgate_lab::saml_idp::{SamlIdp, SamlIdpOptions, Signed};
use serde_json::json;

use crate::arrangement::{Arrangement, Kind};
use crate::database::Connection;
use crate::scenario::{Scenario, connection};
use crate::table::{milliseconds, percentile};
use crate::{LoginOptions, Outcome};

/// How long the identity provider takes for its metadata, as one across an ocean would.
const ANSWERS_IN: Duration = Duration::from_millis(50);
/// Logins of one measurement: time ends it.
const MANY: u32 = 1_000_000;
/// Logins are measured in slices of so many seconds, until all is read.
const SLICE: u64 = 2;

/// What is measured.
#[derive(Debug, Args)]
pub(crate) struct RefreshOptions {
    /// Connections whose metadata is due at once.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    connections: u32,
    /// How long logins are measured before that.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// The longest that all refreshes may take.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    most: u64,
    /// People who sign in at the same time.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    concurrency: u32,
}

/// What the identity provider saw.
#[derive(Debug, Default)]
struct Asked {
    now: AtomicU64,
    most: AtomicU64,
    all: AtomicU64,
}

/// Measures, and prints what there is to say.
///
/// # Errors
/// Whatever kept it from being measured.
#[expect(clippy::print_stdout, reason = "the figures")]
pub(crate) async fn measure(options: &RefreshOptions, binary: &Path) -> Outcome<()> {
    let arrangement = Arrangement::start(Kind::Sqlite, binary).await?;
    let scenarios = Scenario::prepared(&arrangement).await?;
    let scenario = scenarios.into_iter().next().ok_or("no scenario")?;
    let scenario = Arc::new(scenario);
    let (idp, asked) = identity_provider().await?;
    let mut rows = arrangement.place.database.connect().await?;
    seed(&arrangement, &idp, &mut rows, options.connections).await?;
    let logins = |seconds| LoginOptions {
        logins: MANY,
        seconds,
        concurrency: options.concurrency,
        runs: 1,
        scenario: String::new(),
        userinfo: false,
    };
    scenario.load(MANY, &logins(5)).await?;
    let before = scenario.load(MANY, &logins(options.seconds)).await?;
    let memory_before = arrangement.memory()?;

    idp.publish(&[idp.current_key(), idp.fresh_key()?]);
    let (began, cpu) = (Instant::now(), arrangement.cpu()?);
    rows.run("UPDATE metadata_refreshes SET next_refresh_at = 1 WHERE next_refresh_at IS NOT NULL")
        .await?;
    let done = Arc::new(AtomicBool::new(false));
    let meanwhile = tokio::spawn(until(
        Arc::clone(&scenario),
        logins(SLICE),
        Arc::clone(&done),
    ));
    let latest = began + Duration::from_secs(options.most);
    while due(&mut rows).await? > 0 && Instant::now() < latest {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let took = began.elapsed();
    let cpu = arrangement.cpu()?.since(cpu).gateway;
    let left = due(&mut rows).await?;
    done.store(true, Ordering::Relaxed);
    let meanwhile = meanwhile.await??;
    let memory = arrangement.memory()?;
    println!(
        "{} connections: {} fetches, at most {} at once, {:.1} s, {left} left",
        options.connections,
        asked.all.load(Ordering::Relaxed),
        asked.most.load(Ordering::Relaxed),
        took.as_secs_f64(),
    );
    println!(
        "CPU with logins meanwhile {:.0} ms; memory {:.0} MiB before, {:.0} after, {:.0} at most",
        cpu, memory_before.resident, memory.resident, memory.peak
    );
    for (when, durations) in [("before", before), ("meanwhile", meanwhile)] {
        println!(
            "logins {when}: {}, p50 {:.1} ms, p99 {:.1} ms",
            durations.len(),
            milliseconds(percentile(&durations, 50)),
            milliseconds(percentile(&durations, 99)),
        );
    }
    Ok(())
}

/// Logins until it is done, how long each took, sorted.
async fn until(
    scenario: Arc<Scenario>,
    slice: LoginOptions,
    done: Arc<AtomicBool>,
) -> Outcome<Vec<Duration>> {
    let mut durations = Vec::new();
    while !done.load(Ordering::Relaxed) {
        durations.extend(scenario.load(MANY, &slice).await?);
    }
    durations.sort_unstable();
    Ok(durations)
}

async fn due(rows: &mut Connection) -> Outcome<i64> {
    let sql = "SELECT COUNT(*) FROM metadata_refreshes WHERE next_refresh_at = 1";
    Ok(rows.numbers(sql).await?.into_iter().next().unwrap_or(0))
}

/// One that counts who asks.
async fn identity_provider() -> Outcome<(Arc<SamlIdp>, Arc<Asked>)> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let options = SamlIdpOptions {
        base_url: format!("http://{}", listener.local_addr()?),
        name: "Acme".to_owned(),
        people: Vec::new(),
        key: KeyKind::Rsa2048,
        signed: Signed::Assertion,
    };
    let idp = Arc::new(SamlIdp::new(options, Arc::new(Clock::default()))?);
    let asked = Arc::new(Asked::default());
    let router: Router = Arc::clone(&idp).router();
    let router = router.layer(middleware::from_fn_with_state(Arc::clone(&asked), count));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok((idp, asked))
}

async fn count(State(asked): State<Arc<Asked>>, request: Request, next: Next) -> Response {
    let now = asked.now.fetch_add(1, Ordering::Relaxed) + 1;
    asked.most.fetch_max(now, Ordering::Relaxed);
    asked.all.fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(ANSWERS_IN).await;
    let answer = next.run(request).await;
    asked.now.fetch_sub(1, Ordering::Relaxed);
    answer
}

/// One connection through the Management API, and as many like it as are wanted.
async fn seed(
    arrangement: &Arrangement,
    idp: &SamlIdp,
    rows: &mut Connection,
    connections: u32,
) -> Outcome<()> {
    let gateway = arrangement.gateways.first().ok_or("no gateway")?;
    let protocol = json!({ "saml_idp_metadata_url": idp.entity_id() });
    let (template, _) = connection(gateway, "Acme by address", "saml:custom", protocol).await?;
    let more = connections - 1;
    let numbers = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {more})"
    );
    if more == 0 {
        return Ok(());
    }
    rows.run(&format!(
        "BEGIN IMMEDIATE;
         INSERT INTO connections (id, version, name, display_name, strategy, status, options, created_at, updated_at)
            {numbers} SELECT 'conn_' || lower(hex(randomblob(16))), 1, 'c' || n.i, 'Due ' || n.i, c.strategy, c.status,
                c.options, c.created_at, c.updated_at FROM n, connections c WHERE c.id = '{template}';
         INSERT INTO metadata_revisions (id, connection_id, source, document, sha256, fetched_at, state)
            SELECT 'rev_' || lower(hex(randomblob(16))), c.id, m.source, m.document, m.sha256, m.fetched_at, m.state
            FROM metadata_revisions m, connections c WHERE m.connection_id = '{template}' AND c.display_name LIKE 'Due %';
         INSERT INTO metadata_refreshes (connection_id, next_refresh_at, checked_at)
            SELECT c.id, m.next_refresh_at, m.checked_at
            FROM metadata_refreshes m, connections c WHERE m.connection_id = '{template}' AND c.display_name LIKE 'Due %';
         COMMIT"
    ))
    .await
}
