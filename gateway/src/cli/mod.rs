//! The `fedgate` command: what each word of it does.
//!
//! Exit codes: 0 done, 1 refused or failed, 2 wrong usage.

mod certs;
mod check_config;
mod demo;
mod explain;
mod init;
pub mod saml;
mod secrets;
mod serve;
mod token;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::app::Clock;
use crate::config::{Config, ConfigErrors};

/// A federation gateway: SAML and OpenID Connect identity providers upstream, one OpenID Provider downstream.
#[derive(Debug, Parser)]
#[command(name = "fedgate", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the gateway, lab identity providers and a demo application together; needs no configuration.
    #[command(disable_help_flag = true)]
    Demo {
        /// What `fedgate-demo` takes.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Writes a commented fedgate.toml and a master key; never over existing ones.
    Init {
        /// The folder; made if absent.
        #[arg(default_value = ".")]
        folder: PathBuf,
    },
    /// Runs the gateway.
    Serve(ConfigFile),
    /// Checks the configuration and tells every error at once, with line and key.
    CheckConfig(ConfigFile),
    /// Tokens of the Management API.
    Token {
        #[command(subcommand)]
        command: token::TokenCommand,
    },
    /// What ends, and when that is an outage.
    Certs {
        #[command(subcommand)]
        command: certs::CertsCommand,
    },
    /// Secrets at rest.
    Secrets {
        #[command(subcommand)]
        command: secrets::SecretsCommand,
    },
    /// Verifies and inspects SAML documents offline.
    #[command(subcommand)]
    Saml(saml::SamlCommand),
    /// Tells the story of one sign-in: every step, who must act, and the fix.
    Explain {
        /// What the error page showed, such as FG-7K2M9QXA.
        reference: String,
        #[command(flatten)]
        file: ConfigFile,
    },
}

/// Which configuration.
#[derive(Debug, clap::Args)]
struct ConfigFile {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "fedgate.toml")]
    config: PathBuf,
}

impl ConfigFile {
    fn load(&self, environment: Environment) -> Result<Config, ConfigErrors> {
        Config::load(&self.config, environment)
    }
}

/// The environment, read once by `main`.
type Environment = Vec<(String, String)>;

/// Why a command ended badly: what is told on stderr.
#[derive(Debug)]
struct Failure(String);

impl<E: std::fmt::Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Runs one command line.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    environment: Vec<(String, String)>,
) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(usage) => {
            let _ = usage.print();
            return exit(usage.exit_code());
        }
    };
    let outcome = match cli.command {
        Command::Demo { arguments } => demo::run(&arguments),
        Command::Init { folder } => init::run(&folder),
        Command::Saml(command) => return command.run(Clock::default().now()),
        Command::Serve(file) => serve::run(&file, environment),
        Command::CheckConfig(file) => check_config::run(&file, environment),
        Command::Token { command } => token::run(&command, environment),
        Command::Certs { command } => certs::run(&command, environment),
        Command::Secrets { command } => secrets::run(&command, environment),
        Command::Explain { reference, file } => explain::run(&reference, &file, environment),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(message)) => {
            let _ = writeln!(std::io::stderr(), "{message}");
            ExitCode::FAILURE
        }
    }
}

fn exit(code: i32) -> ExitCode {
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// Writes to stdout; a reader that went away is not an error.
fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Runs a future to its end on a runtime of its own.
fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(future)
}

/// Whether a path is there, dangling links included.
fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

#[cfg(test)]
mod tests;
