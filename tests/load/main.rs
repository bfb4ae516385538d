//! `fedgate-load`: what the release build of `fedgate serve` costs. `logins` signs people in, on SQLite and on PostgreSQL
//! with Redis; `stores` starts and routes over small and large stores.
//!
//! The gateway runs as a process of its own, so that its CPU time, as the kernel counts it, holds nothing of what this
//! program does: signing responses, playing the browser, the application and the upstream. Everything stays on loopback
//! and is bounded by the options. Each table goes to stdout between marks that `tests/bench` finds; what could not be
//! measured goes to stderr, and the rest is measured all the same.

mod arrangement;
mod count;
mod database;
mod gateway;
mod login;
mod op;
mod process;
mod redis;
mod refreshes;
mod report;
mod routes;
mod scenario;
mod seed;
mod size;
mod stores;
mod table;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use arrangement::{Arrangement, Kind};
use scenario::{Row, Scenario};

/// Whatever ends a measurement.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What people sign in on.
const KINDS: [Kind; 4] = [
    Kind::Sqlite,
    Kind::Postgres,
    Kind::Servers(1),
    Kind::Servers(2),
];

/// Measures what a running gateway costs.
#[derive(Debug, Parser)]
#[command(name = "fedgate-load")]
struct Options {
    /// The gateway to measure; by default the `fedgate` beside this program.
    #[arg(long)]
    binary: Option<PathBuf>,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Whole logins.
    Logins(LoginOptions),
    /// Starts, routes and sizes over small and large stores.
    Stores(StoreOptions),
    /// Metadata of many connections that is due at once, under logins.
    Refreshes(refreshes::RefreshOptions),
}

/// How people sign in.
#[derive(Debug, Args)]
pub(crate) struct LoginOptions {
    /// Logins in each run.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) logins: u32,
    /// Longest time that one run may take.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(crate) seconds: u64,
    /// People who sign in at the same time.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) concurrency: u32,
    /// Runs of each scenario, after one that warms up.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) runs: u32,
    /// Scenarios whose name holds this text, such as `SQLite: SAML`; by default all.
    #[arg(long, default_value = "")]
    pub(crate) scenario: String,
    /// Each login ends with a call of userinfo.
    #[arg(long)]
    pub(crate) userinfo: bool,
}

/// How large the large store is.
#[derive(Debug, Args)]
pub(crate) struct StoreOptions {
    /// Domains; there is a connection and an organization for every ten.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) domains: u64,
    /// People who have signed in once; in PostgreSQL only.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) people: u64,
    /// Starts of the process that are timed.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) starts: u32,
}

#[expect(clippy::print_stderr, reason = "stdout holds the tables")]
fn main() -> ExitCode {
    match measured(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("not measured: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measured(options: &Options) -> Outcome<()> {
    let beside = std::env::current_exe()?.with_file_name("fedgate");
    let binary = options.binary.clone().unwrap_or(beside);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    match &options.what {
        What::Logins(options) => runtime.block_on(logins(options, &binary)),
        What::Stores(options) => runtime.block_on(stores::measure(options, &binary)),
        What::Refreshes(options) => runtime.block_on(refreshes::measure(options, &binary)),
    }
}

async fn logins(options: &LoginOptions, binary: &Path) -> Outcome<()> {
    let (mut rows, mut checks, mut problems) = (Vec::new(), Vec::new(), String::new());
    for kind in KINDS {
        if let Err(error) = sign_in(kind, options, binary, &mut rows, &mut checks).await {
            let _ = writeln!(problems, "{}: {error}", kind.name());
        }
    }
    table::print("logins", &report::logins(&rows, &checks, options));
    table::print("servers", &report::servers(&rows));
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.into())
    }
}

/// All scenarios of an arrangement, and the count of what they left.
async fn sign_in(
    kind: Kind,
    options: &LoginOptions,
    binary: &Path,
    rows: &mut Vec<Row>,
    checks: &mut Vec<String>,
) -> Outcome<()> {
    let name = kind.name();
    let asked = |scenario: &str| format!("{name}: {scenario}").contains(&options.scenario);
    if !["SAML, ES256", "SAML, RS256", "OIDC, ES256", "OIDC, RS256"]
        .into_iter()
        .any(asked)
    {
        return Ok(());
    }
    let arrangement = Arrangement::start(kind, binary).await?;
    let scenarios = Scenario::prepared(&arrangement).await?;
    for scenario in scenarios.iter().filter(|scenario| asked(scenario.name)) {
        rows.push(scenario.row(&arrangement, &name, options).await?);
    }
    let paths: Vec<_> = scenarios
        .iter()
        .map(|scenario| scenario.path.as_ref())
        .collect();
    let counted = count::check(&arrangement.place.database, &paths).await?;
    checks.push(format!("{name}: {counted}"));
    Ok(())
}
