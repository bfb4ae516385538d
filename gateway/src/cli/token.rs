//! `fedgate token create`: a Management API token from the keys in the store. Works while the server runs.

use clap::Subcommand;

use super::{ConfigFile, Environment, Failure, block_on, print};
use crate::app::{Clock, Randomness};
use crate::config::Config;
use crate::management::scope;
use crate::op::issue::{COMMAND_LINE, Issuer, api_token};
use crate::secrets;
use crate::store::Store;
use crate::token_keys::TokenKeys;

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Prints a bare Management API token on stdout, and nothing else.
    Create {
        #[command(flatten)]
        file: ConfigFile,
        /// What the token allows: scopes separated by blanks.
        #[arg(long, value_parser = scopes)]
        scope: Scopes,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Scopes(Vec<String>);

pub(super) fn run(command: &TokenCommand, environment: Environment) -> Result<(), Failure> {
    let TokenCommand::Create { file, scope } = command;
    let config = file.load(environment)?;
    print(&block_on(token(&config, &scope.0))?);
    Ok(())
}

async fn token(config: &Config, scopes: &[String]) -> Result<String, Failure> {
    let (clock, randomness) = (Clock::default(), Randomness);
    let store = Store::open(&config.store.url).await?;
    let sealer = secrets::open(&config.secrets, &store, &randomness).await?;
    let keyring = TokenKeys::open(&store, &sealer, &clock, &randomness).await?;
    let site = config.site();
    let issuer = Issuer {
        keyring: &keyring.ring(),
        site: &site,
        seconds: config.limits.api_token_seconds,
        now: clock.now(),
    };
    let token = api_token(&issuer, COMMAND_LINE, scopes, &mut randomness.rng())?;
    store.close().await;
    Ok(token)
}

/// Known scopes, at least one.
fn scopes(text: &str) -> Result<Scopes, String> {
    let scopes: Vec<String> = text
        .split([' ', ','])
        .filter(|scope| !scope.is_empty())
        .map(str::to_owned)
        .collect();
    if scopes.is_empty() {
        return Err("name at least one scope, such as read:connections".to_owned());
    }
    match scopes.iter().find(|scope| !scope::is_known(scope)) {
        None => Ok(Scopes(scopes)),
        Some(stranger) => Err(match scope::nearest(stranger) {
            Some(meant) => format!("{stranger} is not a scope of the Management API; {meant} is"),
            None => format!("{stranger} is not a scope of the Management API"),
        }),
    }
}
