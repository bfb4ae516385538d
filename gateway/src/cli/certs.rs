//! `fedgate certs list`: everything that ends, with the days to an outage; columns are separated by tabs.

use clap::Subcommand;

use super::{ConfigFile, Environment, Failure, block_on, print};
use crate::app::Clock;
use crate::config::Config;
use crate::forecast::{make, table};
use crate::store::Store;

#[derive(Debug, Subcommand)]
pub(super) enum CertsCommand {
    /// Lists certificates and secrets, ours and the identity providers', the nearest outage first.
    List {
        #[command(flatten)]
        file: ConfigFile,
        /// Only what is an outage within so many days.
        #[arg(long, value_name = "DAYS")]
        within: Option<i64>,
    },
}

pub(super) fn run(command: &CertsCommand, environment: Environment) -> Result<(), Failure> {
    let CertsCommand::List { file, within } = command;
    let config = file.load(environment)?;
    print(block_on(listed(&config, *within))?.trim_end());
    Ok(())
}

async fn listed(config: &Config, within: Option<i64>) -> Result<String, Failure> {
    let store = Store::open(&config.store.url).await?;
    let now = Clock::default().now();
    let mut forecasts = make(&store, &config.limits, now).await?;
    store.close().await;
    forecasts.retain(|forecast| match within {
        None => true,
        Some(within) => forecast.days(now).is_some_and(|days| days <= within),
    });
    Ok(table(&forecasts, now))
}
