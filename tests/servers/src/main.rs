//! `fedgate-test-servers run -- COMMAND …`: starts the servers once, names them in the environment, runs the command,
//! ends the servers, and ends with the command's code.

use std::process::{Command, ExitCode};

use fedgate_test_servers::postgres::{self, Postgres};
use fedgate_test_servers::redis::{self, Redis};

#[expect(
    clippy::print_stderr,
    reason = "this is how the command says that it was called wrongly"
)]
fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [run, dashes, program, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: fedgate-test-servers run -- COMMAND [ARGUMENT …]");
        return ExitCode::from(2);
    };
    assert!(run == "run" && dashes == "--", "run -- COMMAND …");
    let (postgres, redis) = (Postgres::start(), Redis::start());
    let mut command = Command::new(program);
    command
        .args(rest)
        .env(postgres::VARIABLE, postgres.admin_url())
        .env(redis::VARIABLE, redis.url());
    let status = command.status().expect("the command starts");
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    ExitCode::from(code.unwrap_or(1))
}
