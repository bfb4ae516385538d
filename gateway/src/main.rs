//! The `fedgate` command.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use fedgate::app::Clock;
use fedgate::cli::saml::SamlCommand;

/// A federation gateway: SAML and OpenID Connect upstream, one OpenID Provider downstream
#[derive(Parser)]
#[command(name = "fedgate", version)]
struct Fedgate {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Look at SAML documents offline
    #[command(subcommand)]
    Saml(SamlCommand),
}

fn main() -> ExitCode {
    match Fedgate::parse().command {
        Command::Saml(command) => command.run(Clock::default().now()),
    }
}
