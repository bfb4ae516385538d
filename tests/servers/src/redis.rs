//! Redis: one server, a master with a replica and a sentinel, or a cluster of three.

use std::net::TcpStream;
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::process::{self, Process, free_port};

/// The variable that holds the URL of a running server. Its users keep apart by keys of their own.
pub const VARIABLE: &str = "FEDGATE_TEST_REDIS";
const PACKAGE: &str = "redis-server";
/// Of a cluster and of sentinels: a failed node is noticed after so many milliseconds.
const DOWN_AFTER: &str = "500";
/// The service that the sentinels know.
const SERVICE: &str = "main";

/// A Redis server of a test's own.
#[derive(Debug)]
pub struct Redis {
    running: Option<Process>,
    port: u16,
    settings: Vec<String>,
    folder: TempDir,
}

impl Redis {
    /// Starts a server that forgets everything when it ends.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts a server with settings of its own, such as `["--appendonly", "yes"]`.
    ///
    /// # Panics
    /// If Redis is not installed or does not start; with what to do.
    pub fn with(settings: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("fedgate-redis-").tempdir();
        Self::in_folder(folder.expect("a folder"), settings)
    }

    fn in_folder(folder: TempDir, settings: &[&str]) -> Self {
        let mut server = Self {
            running: None,
            port: free_port(),
            settings: settings.iter().map(|&one| one.to_owned()).collect(),
            folder,
        };
        server.resume();
        server
    }

    /// Starts a server that speaks TLS on a second port, with a certificate and its key in PEM: that port too.
    pub fn with_tls(certificate: &[u8], key: &[u8]) -> (Self, u16) {
        let folder = tempfile::Builder::new().prefix("fedgate-redis-").tempdir();
        let folder = folder.expect("a folder");
        let port = free_port();
        let mut settings = vec!["--tls-auth-clients".to_owned(), "no".to_owned()];
        settings.extend(["--tls-port".to_owned(), port.to_string()]);
        for (name, pem) in [("--tls-cert-file", certificate), ("--tls-key-file", key)] {
            let file = folder.path().join(&name[2..]);
            std::fs::write(&file, pem).expect("a file");
            settings.extend([name.to_owned(), file.display().to_string()]);
        }
        let settings: Vec<_> = settings.iter().map(String::as_str).collect();
        (Self::in_folder(folder, &settings), port)
    }

    /// The URL of the server that [`VARIABLE`] names, or else of one that this process starts for itself.
    #[expect(
        clippy::disallowed_methods,
        reason = "the variable is the tests', not the gateway's"
    )]
    pub fn shared_url() -> String {
        static OWN: OnceLock<Redis> = OnceLock::new();
        std::env::var(VARIABLE).unwrap_or_else(|_| OWN.get_or_init(Self::start).url())
    }

    /// Starts the server again on the folder and port that it had.
    pub fn resume(&mut self) {
        let mut command = Command::new("redis-server");
        let port = self.port.to_string();
        command
            .current_dir(self.folder.path())
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", ""])
            .args(["--dir", &self.folder.path().display().to_string()])
            .args(&self.settings);
        self.running = Some(start(command, &self.folder, self.port));
    }

    /// Ends the server as `kill -9` does.
    pub fn kill(&mut self) {
        if let Some(process) = self.running.take() {
            process.kill();
        }
    }

    /// The process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.running.as_ref().map(Process::id)
    }

    /// Stops the process in its tracks, and lets it go on.
    pub fn stand_still(&self, still: bool) {
        let id = self.id().expect("it runs");
        process::send(if still { "STOP" } else { "CONT" }, id);
    }

    /// `redis://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs a command in it, as `redis-cli` does, and answers what that prints.
    pub fn cli(&self, arguments: &[&str]) -> String {
        cli(self.port, arguments)
    }

    /// How many keys it has.
    pub fn size(&self) -> u64 {
        self.cli(&["DBSIZE"]).parse().expect("a number")
    }

    /// The keys of a pattern.
    pub fn keys(&self, pattern: &str) -> Vec<String> {
        let keys = self.cli(&["KEYS", pattern]);
        keys.lines().map(str::to_owned).collect()
    }

    /// Every key and value, as text.
    pub fn dump(&self) -> String {
        let read = |key: String| {
            let value = match self.cli(&["TYPE", &key]).as_str() {
                "zset" => self.cli(&["ZRANGE", &key, "0", "-1"]),
                _ => self.cli(&["GET", &key]),
            };
            format!("{key}\n{value}\n")
        };
        self.keys("*").into_iter().map(read).collect()
    }
}

/// A master, its replica, and a sentinel that watches both.
#[derive(Debug)]
pub struct Replicated {
    /// The two servers; who is master changes.
    pub servers: [Redis; 2],
    _sentinel: Process,
    sentinel_port: u16,
    _folder: TempDir,
}

impl Replicated {
    /// Starts all three, and waits until the replica follows.
    ///
    /// # Panics
    /// If one does not start.
    pub fn start() -> Self {
        let master = Redis::start();
        let port = master.port.to_string();
        let replica = Redis::with(&["--replicaof", "127.0.0.1", &port]);
        let folder = tempfile::Builder::new()
            .prefix("fedgate-sentinel-")
            .tempdir();
        let folder = folder.expect("a folder");
        let sentinel_port = free_port();
        let file = folder.path().join("sentinel.conf");
        let text = format!(
            "port {sentinel_port}\nbind 127.0.0.1\nsentinel monitor {SERVICE} 127.0.0.1 {port} 1\n\
             sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER}\nsentinel failover-timeout {SERVICE} 3000\n"
        );
        std::fs::write(&file, text).expect("a file");
        let mut command = Command::new("redis-server");
        command
            .current_dir(folder.path())
            .arg(&file)
            .arg("--sentinel");
        let replicated = Self {
            _sentinel: start(command, &folder, sentinel_port),
            servers: [master, replica],
            sentinel_port,
            _folder: folder,
        };
        replicated.settle();
        replicated
    }

    /// The URL of the service; its first sentinel is one that does not answer.
    pub fn url(&self) -> String {
        format!(
            "redis-sentinel://127.0.0.1:1,127.0.0.1:{}/{SERVICE}",
            self.sentinel_port
        )
    }

    /// Which of the servers the sentinel names as master.
    pub fn master(&self) -> usize {
        let named = cli(
            self.sentinel_port,
            &["SENTINEL", "get-master-addr-by-name", SERVICE],
        );
        let port = named.lines().nth(1).and_then(|port| port.parse().ok());
        let master = self
            .servers
            .iter()
            .position(|server| Some(server.port) == port);
        master.expect("one of the two")
    }

    /// Waits until the sentinel knows the replica, and the replica has all that the master has.
    pub fn settle(&self) {
        await_that(|| {
            let known = cli(self.sentinel_port, &["SENTINEL", "replicas", SERVICE]);
            let info = self.servers[1 - self.master()].cli(&["INFO", "replication"]);
            known.contains("127.0.0.1") && info.contains("master_link_status:up")
        });
    }

    /// Waits until the sentinel has made the other server master.
    pub fn await_failover(&self, before: usize) {
        await_that(|| {
            let master = self.master();
            master != before && self.servers[master].cli(&["ROLE"]).starts_with("master")
        });
    }
}

/// Three masters that share the slots.
#[derive(Debug)]
pub struct Cluster {
    /// The nodes.
    pub nodes: Vec<Redis>,
}

impl Cluster {
    /// Starts the nodes, and waits until they are one.
    ///
    /// # Panics
    /// If they do not become one.
    pub fn start() -> Self {
        let enabled = [
            "--cluster-enabled",
            "yes",
            "--cluster-node-timeout",
            DOWN_AFTER,
        ];
        let nodes: Vec<_> = (0..3).map(|_| cluster_node(&enabled)).collect();
        let mut create = Command::new("redis-cli");
        create.args(["--cluster", "create"]);
        create.args(nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)));
        create.arg("--cluster-yes");
        process::run(create, PACKAGE);
        await_that(|| {
            nodes
                .iter()
                .all(|node| node.cli(&["CLUSTER", "INFO"]).contains("cluster_state:ok"))
        });
        Self { nodes }
    }

    /// The URL of two of them: the third one is found.
    pub fn url(&self) -> String {
        let [one, other] = [self.nodes[0].port, self.nodes[1].port];
        format!("redis-cluster://127.0.0.1:{one},127.0.0.1:{other}")
    }
}

/// Its bus takes a port of its own; the usual one, 10,000 above, may be beyond what there is.
fn cluster_node(settings: &[&str]) -> Redis {
    let bus = free_port().to_string();
    Redis::with(&[settings, &["--cluster-port", &bus]].concat())
}

fn start(command: Command, folder: &TempDir, port: u16) -> Process {
    // By a connection of its own, not by redis-cli: starting that takes longer than the server does.
    let answers = |_| TcpStream::connect(("127.0.0.1", port)).is_ok() && is_loaded(port);
    Process::start(command, "TERM", folder.path(), PACKAGE, answers)
}

fn is_loaded(port: u16) -> bool {
    let ping = client(port).arg("PING").output();
    ping.is_ok_and(|ping| ping.stdout.starts_with(b"PONG"))
}

/// # Panics
/// If the server answers with an error.
fn cli(port: u16, arguments: &[&str]) -> String {
    let mut cli = client(port);
    cli.arg("-e").args(arguments);
    process::run(cli, PACKAGE).trim_end().to_owned()
}

fn client(port: u16) -> Command {
    let mut cli = Command::new("redis-cli");
    cli.args(["-h", "127.0.0.1", "-p", &port.to_string()]);
    cli
}

/// Looks again until it is so; the test's own limit ends it if that never comes.
fn await_that(is_so: impl Fn() -> bool) {
    while !is_so() {
        process::pause();
    }
}
