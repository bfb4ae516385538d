//! `fedgate serve`

use super::{ConfigFile, Environment, Failure, block_on};
use crate::telemetry::log;

pub(super) fn run(file: &ConfigFile, environment: Environment) -> Result<(), Failure> {
    let filter = environment
        .iter()
        .find(|(name, _)| name == "RUST_LOG")
        .map_or_else(|| "info".to_owned(), |(_, filter)| filter.clone());
    let config = file.load(environment)?;
    block_on(async {
        let exporting = log::start(&config.telemetry, &filter).map_err(Failure)?;
        let served = crate::serve::serve(config).await;
        if let Some(exporting) = exporting {
            exporting.flush().await;
        }
        Ok(served?)
    })
}
