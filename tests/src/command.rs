//! The `fedgate` command as a process: what it prints and how it ends.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::process::fedgate;
use crate::seen;

/// What a command left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// 0 done, 1 refused or failed, 2 wrong usage.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// Runs it to its end in a folder, with these variables as its whole environment.
pub fn run(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
    let output = Command::new(fedgate())
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("the command runs");
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let ran = Ran {
        code: output.status.code(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    };
    seen::note(&ran.stdout);
    seen::note(&ran.stderr);
    ran
}
