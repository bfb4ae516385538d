//! The `fedgate` command with crash points, whatever the features of the one that others built.

use std::process::ExitCode;

fn main() -> ExitCode {
    // The environment is read here and nowhere else; what is no UTF-8 names no setting.
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    fedgate::cli::run(std::env::args_os(), environment)
}
