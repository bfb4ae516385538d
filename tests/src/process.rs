//! Counterparts and gateways as processes: started on free ports, awaited by their first answer, ended by their id.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fedgate_test_servers::process::free_port;

/// How long a process may take until it answers.
const START: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A process that ends with the value.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts a command and waits until something listens on `address`.
    pub fn start(mut command: Command, address: SocketAddr) -> Self {
        let name = format!("{command:?}");
        let child = command.stdin(Stdio::null()).spawn();
        let mut process = Self {
            child: child.unwrap_or_else(|e| {
                panic!("{name} did not start: {e}; see CONTRIBUTING.md for what the tests need")
            }),
        };
        let deadline = Instant::now() + START;
        while TcpStream::connect(address).is_err() {
            if let Some(status) = process.child.try_wait().expect("a status") {
                panic!("{name} ended before it listened: {status}");
            }
            assert!(
                Instant::now() < deadline,
                "{name} does not listen on {address}"
            );
            std::thread::sleep(LOOK_AGAIN);
        }
        process
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as `kill -9` does.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for it to end by itself.
    pub fn wait(&mut self) -> std::process::ExitStatus {
        self.child.wait().expect("a status")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A loopback address that nothing listens on, and that nobody else is given meanwhile.
pub fn free_address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, free_port()).into()
}

/// The `fedgate` that was built beside this test, or else built now.
///
/// # Panics
/// If it does not build.
pub fn fedgate() -> std::path::PathBuf {
    let test = std::env::current_exe().expect("this test");
    let profile = test.ancestors().nth(2).expect("the profile's folder");
    let binary = profile.join("fedgate");
    if !binary.exists() {
        let build = std::process::Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "fedgate"])
            .status();
        assert!(
            build.expect("cargo runs").success(),
            "fedgate does not build"
        );
    }
    binary
}
