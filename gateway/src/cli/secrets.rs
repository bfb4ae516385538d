//! `fedgate secrets verify`: opens everything that is sealed, and tells what opens with which key. Works while the server
//! runs, and after a restored backup above all.

use std::fmt::Write as _;

use clap::Subcommand;
use fedgate_certs::hex;
use fedgate_certs::seal::Sealer;

use super::{ConfigFile, Environment, Failure, block_on, print};
use crate::app::Randomness;
use crate::config::Config;
use crate::secrets::{self, Verified, verify};
use crate::store::Store;

#[derive(Debug, Subcommand)]
pub(super) enum SecretsCommand {
    /// Opens every sealed secret; ends with 1 if any does not open.
    Verify(ConfigFile),
}

pub(super) fn run(command: &SecretsCommand, environment: Environment) -> Result<(), Failure> {
    let SecretsCommand::Verify(file) = command;
    let config = file.load(environment)?;
    let (told, verified) = block_on(opened(&config))?;
    print(told.trim_end());
    match verified.sum(|counted| counted.failed) {
        0 => Ok(()),
        failed => Err(Failure(format!(
            "{failed} secrets do not open with the master keys of this configuration"
        ))),
    }
}

async fn opened(config: &Config) -> Result<(String, Verified), Failure> {
    let store = Store::open(&config.store.url).await?;
    let sealer = secrets::open(&config.secrets, &store, &Randomness).await?;
    let verified = verify(&store, &sealer).await?;
    store.close().await;
    Ok((told(&sealer, &verified), verified))
}

fn told(sealer: &Sealer, verified: &Verified) -> String {
    let name = |id: [u8; 4]| hex::with_prefix("", &id);
    let mut text = format!("master key {}\n", name(sealer.key_id()));
    for counted in &verified.places {
        let (place, failed) = (counted.place.as_str(), counted.failed);
        let opened = counted.current + counted.previous;
        let previous = counted.previous;
        let _ = writeln!(
            text,
            "{place}: {opened} opened, {previous} of them with the previous key, {failed} failed"
        );
    }
    for (place, id) in &verified.failures {
        let _ = writeln!(text, "does not open: {} {id}", place.as_str());
    }
    if let Some(previous) = sealer.other_key_id() {
        let left = verified.sum(|counted| counted.previous);
        let _ = match left {
            0 => writeln!(text, "previous key {}: not needed any more", name(previous)),
            left => writeln!(
                text,
                "previous key {}: {left} secrets still need it",
                name(previous)
            ),
        };
    }
    text
}
