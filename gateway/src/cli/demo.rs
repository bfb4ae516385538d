//! `fedgate demo`: runs `fedgate-demo`, which stands beside this command or on the PATH, as cargo's subcommands do.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use super::Failure;

const NAME: &str = "fedgate-demo";

pub(super) fn run(arguments: &[OsString]) -> Result<(), Failure> {
    let program = beside().unwrap_or_else(|| PathBuf::from(NAME));
    let mut command = Command::new(&program);
    command.args(arguments);
    let error = replace_by(&mut command);
    Err(Failure(match error.kind() {
        std::io::ErrorKind::NotFound => {
            format!(
                "{NAME} is neither beside this command nor on the PATH; cargo build -p fedgate-lab makes it"
            )
        }
        _ => format!("{} cannot be run: {error}", program.display()),
    }))
}

fn beside() -> Option<PathBuf> {
    let name = format!("{NAME}{}", std::env::consts::EXE_SUFFIX);
    let path = std::env::current_exe().ok()?.parent()?.join(name);
    path.is_file().then_some(path)
}

/// Becomes the other program: signals reach it directly, and its exit code is ours.
#[cfg(unix)]
fn replace_by(command: &mut Command) -> std::io::Error {
    std::os::unix::process::CommandExt::exec(command)
}

#[cfg(not(unix))]
fn replace_by(command: &mut Command) -> std::io::Error {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}
