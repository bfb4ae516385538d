//! `fedgate serve`

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use super::{ConfigFile, Environment, Failure, block_on};
use crate::config::LogFormat;

pub(super) fn run(file: &ConfigFile, environment: Environment) -> Result<(), Failure> {
    let filter = environment
        .iter()
        .find(|(name, _)| name == "RUST_LOG")
        .map(|(_, filter)| filter.clone());
    let config = file.load(environment)?;
    log_to_stderr(
        config.telemetry.log_format,
        filter.as_deref().unwrap_or("info"),
    )?;
    block_on(async { Ok(crate::serve::serve(config).await?) })
}

fn log_to_stderr(format: LogFormat, filter: &str) -> Result<(), Failure> {
    let filter =
        EnvFilter::try_new(filter).map_err(|error| Failure(format!("RUST_LOG: {error}")))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    started.map_err(|error| Failure(error.to_string()))
}
