//! `fedgate-load`: whole logins against a release build of `fedgate serve`, and what they cost it.
//!
//! The gateway runs as a process of its own on a database file, so that its CPU time, as the kernel counts it, holds
//! nothing of what this program does: signing responses, playing the browser, the application and the upstream.
//! Everything stays on loopback and is bounded by `--logins` and `--seconds`.

mod gateway;
mod login;
mod op;
mod report;
mod scenario;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use gateway::Gateway;
use report::Report;
use scenario::Scenario;

/// Whatever ends the measurement.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Measures what whole logins cost a running gateway.
#[derive(Debug, Parser)]
#[command(name = "fedgate-load")]
struct Options {
    /// The gateway to measure; by default the `fedgate` beside this program.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Logins in each run.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    logins: u32,
    /// Longest time that one run may take.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// People who sign in at the same time.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    concurrency: u32,
    /// Runs of each scenario, after one that warms up.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// Starts of the process that are timed.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    starts: u32,
    /// Scenarios whose name holds this text; by default all.
    #[arg(long, default_value = "")]
    scenario: String,
    /// Each login ends with a call of userinfo.
    #[arg(long)]
    userinfo: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match measured(&options) {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("not measured: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measured(options: &Options) -> Outcome<Report> {
    let beside = std::env::current_exe()?.with_file_name("fedgate");
    let binary = options.binary.clone().unwrap_or(beside);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(measure(options, &binary))
}

async fn measure(options: &Options, binary: &std::path::Path) -> Outcome<Report> {
    let starts = gateway::starts(binary, options.starts)?;
    let mut gateway = Gateway::start(binary, tempfile::tempdir()?)?;
    let mut rows = Vec::new();
    for scenario in Scenario::prepared(&gateway).await? {
        if scenario.name.contains(&options.scenario) {
            rows.push(scenario.row(&mut gateway, options).await?);
        }
    }
    Ok(Report {
        starts,
        rows,
        logins: options.logins,
        concurrency: options.concurrency,
        userinfo: options.userinfo,
    })
}
