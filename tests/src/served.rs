//! A gateway as a process: what it writes on stderr, and how it ends.

use std::fs::File;
use std::ops::Deref;
use std::path::Path;
use std::process::{Command, ExitStatus};

use tempfile::TempDir;

use crate::gateway::{REDIRECT_URI, Remote, configuration};
use crate::process::{Process, free_address};

const CONFIG: &str = "fedgate.toml";
const LOG: &str = "stderr.log";

/// A gateway that runs by itself on files of its own.
#[derive(Debug)]
pub struct Served {
    remote: Remote,
    folder: TempDir,
    process: Process,
}

impl Served {
    /// Starts `binary serve` with more lines of configuration and of environment, and waits until it listens.
    pub fn start(binary: &Path, more: &str, environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let address = free_address();
        let text = configuration(&address.to_string(), REDIRECT_URI, more);
        std::fs::write(folder.path().join(CONFIG), text).expect("a file");
        let log = File::create(folder.path().join(LOG)).expect("a file");
        let mut command = Command::new(binary);
        command.arg("serve").current_dir(folder.path()).stderr(log);
        command.envs(environment.iter().copied());
        Self {
            remote: Remote {
                base: format!("http://{address}"),
            },
            process: Process::start(command, address),
            folder,
        }
    }

    /// What it wrote on stderr so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join(LOG)).expect("a log")
    }

    /// Asks it to stop, as an init system does.
    pub fn terminate(&self) {
        let id = self.process.id().to_string();
        let kill = Command::new("kill").args(["-TERM", &id]).status();
        assert!(kill.expect("kill").success());
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait()
    }
}

impl Deref for Served {
    type Target = Remote;

    fn deref(&self) -> &Remote {
        &self.remote
    }
}
