//! A server's process: awaited by its first answer, ended by its id, never left behind.

use std::fs::File;
use std::io::Write as _;
use std::net::TcpListener;
use std::ops::Range;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a server may take until it answers, or ends.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// Below those that Linux gives to outgoing connections and to listeners on port 0 (`ip_local_port_range`).
const PORTS: Range<u16> = 12_000..32_000;

/// A server's process. Dropping it ends it; so does the end of the process that started it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    signal: &'static str,
    heir: Heir,
}

impl Process {
    /// Starts a command, whose output goes to the file `log`, and waits until `is_ready`. `signal` is the one that
    /// ends it in order, such as `QUIT`; `folder` is removed if the test dies before it can do so itself.
    ///
    /// # Panics
    /// If it does not start, with the log and with `package`, which is to be installed.
    pub fn start(
        mut command: Command,
        signal: &'static str,
        folder: &Path,
        package: &str,
        is_ready: impl Fn(u32) -> bool,
    ) -> Self {
        let log = folder.join("log");
        let name = command.get_program().to_string_lossy().into_owned();
        let output = File::options().create(true).append(true).open(&log);
        let output = output.expect("a log file");
        command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a log file"))
            .stderr(output);
        let child = command
            .spawn()
            .unwrap_or_else(|e| panic!("{name} did not start: {e}; {}", to_install(package)));
        let heir = Heir::of(child.id(), signal, folder);
        let mut process = Self {
            child,
            signal,
            heir,
        };
        process.await_first_answer(&name, &log, package, is_ready);
        process
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as `kill -9` does.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn await_first_answer(
        &mut self,
        name: &str,
        log: &Path,
        package: &str,
        is_ready: impl Fn(u32) -> bool,
    ) {
        let deadline = Instant::now() + PATIENCE;
        while !is_ready(self.child.id()) {
            let ended = self.child.try_wait().expect("a status");
            if ended.is_some() || Instant::now() > deadline {
                let log = std::fs::read_to_string(log).unwrap_or_default();
                panic!(
                    "{name} does not answer ({ended:?}); {}\n{log}",
                    to_install(package)
                );
            }
            pause();
        }
    }

    fn end(&mut self) {
        if let Ok(Some(_)) = self.child.try_wait() {
            return;
        }
        send(self.signal, self.child.id());
        let deadline = Instant::now() + PATIENCE;
        while let Ok(None) = self.child.try_wait() {
            if Instant::now() > deadline {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            pause();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
        self.heir.release();
    }
}

/// What to do when a server is missing.
pub fn to_install(package: &str) -> String {
    format!("install it: apt-get install --no-install-recommends {package} (tests/all does)")
}

/// A loopback port that nothing listens on, and that the system gives to nobody who asks for any: a server that is
/// killed finds its port free when it comes back.
///
/// # Panics
/// If all are taken.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let count = u32::from(PORTS.end - PORTS.start);
    // Tests are processes: each begins elsewhere.
    let first = std::process::id().wrapping_mul(31);
    let port = (0..count).find_map(|_| {
        let number = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % count;
        let port = PORTS.start + u16::try_from(number).ok()?;
        TcpListener::bind(("127.0.0.1", port))
            .is_ok()
            .then_some(port)
    });
    port.expect("a free port")
}

/// Waits for a moment before looking again.
pub fn pause() {
    std::thread::sleep(LOOK_AGAIN);
}

/// Runs a command to its end and answers its output.
///
/// # Panics
/// If it cannot be run or fails.
pub fn run(mut command: Command, package: &str) -> String {
    let name = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|e| panic!("{name}: {e}; {}", to_install(package)));
    assert!(
        output.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The first file of that name in the folders of `PATH`.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// Sends a signal, such as `STOP`, to a process.
pub fn send(signal: &str, id: u32) {
    let _ = Command::new("sh")
        .args(["-c", "kill -s \"$0\" \"$1\"", signal, &id.to_string()])
        .stderr(Stdio::null())
        .status();
}

/// Outlives the test, to end its server: it waits at a pipe that closes when the test dies.
#[derive(Debug)]
struct Heir {
    child: Child,
}

impl Heir {
    const SCRIPT: &str = r#"
        read -r word && exit
        kill -s "$2" "$1"
        tries=0
        while kill -0 "$1" && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
        kill -s KILL "$1"
        rm -rf "$3"
    "#;

    fn of(id: u32, signal: &str, folder: &Path) -> Self {
        let child = Command::new("sh")
            .args(["-c", Self::SCRIPT, "heir", &id.to_string(), signal])
            .arg(folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh");
        Self { child }
    }

    fn release(&mut self) {
        if let Some(mut pipe) = self.child.stdin.take() {
            let _ = pipe.write_all(b"released\n");
        }
        let _ = self.child.wait();
    }
}
