//! A Redis server of this program's own, and what it tells about itself.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use fedgate_test_servers::process::{Process, free_port, on_path};
use tempfile::TempDir;

use crate::Outcome;

/// A Redis that keeps everything in memory and drops nothing.
#[derive(Debug)]
pub(crate) struct Redis {
    _process: Process,
    port: u16,
    _folder: TempDir,
}

/// What `INFO` counts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Info {
    /// CPU time, in milliseconds.
    pub(crate) cpu: f64,
    /// Commands, those inside scripts included.
    pub(crate) commands: f64,
    /// Memory of the data, in bytes.
    pub(crate) memory: f64,
}

impl Redis {
    pub(crate) fn start() -> Outcome<Self> {
        let (folder, port) = (tempfile::tempdir()?, free_port());
        let program = ["redis-server", "valkey-server"]
            .into_iter()
            .find_map(on_path);
        let mut command = Command::new(program.ok_or("redis-server is not installed")?);
        command
            .current_dir(folder.path())
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no"])
            .args(["--maxmemory-policy", "noeviction"]);
        let answers = |_| TcpStream::connect(("127.0.0.1", port)).is_ok();
        let process = Process::start(command, "TERM", folder.path(), "redis-server", answers);
        Ok(Self {
            _process: process,
            port,
            _folder: folder,
        })
    }

    /// `[ephemeral] url`
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn info(&self) -> Outcome<Info> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.write_all(b"INFO everything\r\nQUIT\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let value = |name: &str| -> Outcome<f64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let value = line.and_then(|line| line.strip_prefix(':'));
            Ok(value.ok_or_else(|| format!("no {name}"))?.trim().parse()?)
        };
        Ok(Info {
            cpu: (value("used_cpu_user")? + value("used_cpu_sys")?) * 1000.0,
            commands: value("total_commands_processed")?,
            memory: value("used_memory")?,
        })
    }
}
