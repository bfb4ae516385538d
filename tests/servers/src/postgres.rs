//! PostgreSQL: the newest that is installed, with a fresh database for whoever asks.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use crate::process::{self, Process, free_port};

/// The variable that holds the URL of a running server, whose user may create databases.
pub const VARIABLE: &str = "FEDGATE_TEST_POSTGRES";
const PACKAGE: &str = "postgresql";
/// Where Debian keeps the versions.
const VERSIONS: &str = "/usr/lib/postgresql";
/// The user that may do everything, and a password that nobody asks for: it must not be seen anywhere.
const ADMIN: &str = "fedgate:hunter2-is-never-shown";

/// An empty database of a test's own. On a server that outlives the test, it is removed with the value.
#[derive(Debug)]
pub struct Database {
    url: String,
    shared: Option<String>,
}

impl Database {
    /// One on the server that [`VARIABLE`] names, or else on one that this process starts for itself.
    ///
    /// # Panics
    /// If there is no server and none can be started; with what to do.
    #[expect(
        clippy::disallowed_methods,
        reason = "the variable is the tests', not the gateway's"
    )]
    pub fn fresh() -> Self {
        static OWN: OnceLock<Postgres> = OnceLock::new();
        match std::env::var(VARIABLE) {
            Ok(admin) => Self {
                url: create(&admin),
                shared: Some(admin),
            },
            Err(_) => Self {
                url: OWN.get_or_init(Postgres::start).database(),
                shared: None,
            },
        }
    }

    /// `postgres://USER:PASSWORD@127.0.0.1:PORT/NAME`
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let (Some(admin), Some((_, name))) = (&self.shared, self.url.rsplit_once('/')) {
            execute(admin, &drop_statement(name));
        }
    }
}

/// A PostgreSQL server of a test's own.
#[derive(Debug)]
pub struct Postgres {
    running: Option<Process>,
    port: u16,
    settings: Vec<String>,
    folder: TempDir,
}

impl Postgres {
    /// Starts a server that does not wait for its disk.
    pub fn start() -> Self {
        Self::with(&["fsync=off"])
    }

    /// Starts a server with settings of its own, each `name=value`.
    ///
    /// # Panics
    /// If PostgreSQL is not installed or does not start; with what to do.
    pub fn with(settings: &[&str]) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("fedgate-postgres-")
            .tempdir();
        Self::in_folder(folder.expect("a folder"), settings)
    }

    /// Starts a server that speaks TLS as well, with a certificate and its key in PEM.
    pub fn with_tls(certificate: &[u8], key: &[u8]) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("fedgate-postgres-")
            .tempdir()
            .expect("a folder");
        let mut settings = vec!["ssl=on".to_owned()];
        for (name, pem) in [("ssl_cert_file", certificate), ("ssl_key_file", key)] {
            let file = folder.path().join(name);
            std::fs::write(&file, pem).expect("a file");
            std::fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("a file");
            if let Some((user, group)) = other_user() {
                chown(&file, Some(user), Some(group)).expect("a file of the user postgres");
            }
            settings.push(format!("{name}={}", file.display()));
        }
        let settings: Vec<_> = settings.iter().map(String::as_str).collect();
        Self::in_folder(folder, &settings)
    }

    /// The same in a folder that was made for it, such as the root of a small file system.
    pub fn in_folder(folder: TempDir, settings: &[&str]) -> Self {
        if let Some((user, group)) = other_user() {
            chown(folder.path(), Some(user), Some(group)).expect("a folder of the user postgres");
        }
        let mut initialize = command(folder.path(), "initdb");
        initialize
            .args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C"])
            .args(["--username=fedgate", "--wal-segsize=1"])
            .arg(folder.path().join("data"));
        process::run(initialize, PACKAGE);
        let mut server = Self {
            running: None,
            port: free_port(),
            settings: settings.iter().map(|&one| one.to_owned()).collect(),
            folder,
        };
        server.resume();
        server
    }

    /// Starts the server again on the folder and port that it had.
    pub fn resume(&mut self) {
        let data = self.folder.path().join("data");
        let mut server = command(self.folder.path(), "postgres");
        server
            .arg("-D")
            .arg(&data)
            .args(["-p", &self.port.to_string(), "-h", "127.0.0.1", "-k", ""])
            .args(["-c", "max_connections=200", "-c", "shared_buffers=32MB"])
            .args(["-c", "min_wal_size=2MB", "-c", "max_wal_size=64MB"]);
        for setting in &self.settings {
            server.args(["-c", setting]);
        }
        let ready = |id| is_ready(&data.join("postmaster.pid"), id);
        self.running = Some(Process::start(
            server,
            "QUIT",
            self.folder.path(),
            PACKAGE,
            ready,
        ));
    }

    /// Ends the server as `kill -9` does.
    pub fn kill(&mut self) {
        if let Some(process) = self.running.take() {
            process.kill();
        }
        // Its workers notice by themselves, and hold the shared memory until then.
        while self.has_workers() {
            process::pause();
        }
    }

    /// The URL for making databases.
    pub fn admin_url(&self) -> String {
        format!("postgres://{ADMIN}@127.0.0.1:{}/postgres", self.port)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a fresh, empty database.
    pub fn database(&self) -> String {
        create(&self.admin_url())
    }

    fn has_workers(&self) -> bool {
        let folder = self.folder.path().join("data");
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        processes
            .filter_map(|entry| std::fs::read_link(entry.path().join("cwd")).ok())
            .any(|current| current == folder)
    }
}

/// Runs statements, as `psql` does, and answers the rows, columns parted by `|`.
///
/// # Panics
/// If one fails.
pub fn execute(url: &str, statements: &str) -> String {
    let mut psql = Command::new(binary("psql"));
    psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url])
        .args(["-c", statements]);
    process::run(psql, PACKAGE).trim_end().to_owned()
}

fn create(admin_url: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("test_{}_{count}", std::process::id());
    // A server that other runs used before may know the name; FORCE ends whoever still holds it.
    execute(admin_url, &drop_statement(&name));
    execute(admin_url, &format!("CREATE DATABASE {name}"));
    let (server, _) = admin_url.rsplit_once('/').expect("a database in the URL");
    format!("{server}/{name}")
}

fn drop_statement(name: &str) -> String {
    format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")
}

/// PostgreSQL writes its own id first and its state on the eighth line.
fn is_ready(file: &Path, id: u32) -> bool {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut lines = text.lines();
    lines.next() == Some(&id.to_string()) && lines.nth(6).map(str::trim_end) == Some("ready")
}

/// A command of PostgreSQL.
fn command(folder: &Path, name: &str) -> Command {
    let mut command = as_owner(binary(name));
    command.current_dir(folder).env("LC_ALL", "C");
    command
}

/// A program as the user that the servers run as. PostgreSQL refuses root, who takes the user `postgres` for it.
pub fn as_owner(program: impl AsRef<OsStr>) -> Command {
    let Some((user, group)) = other_user() else {
        return Command::new(program);
    };
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", &user.to_string(), "--regid", &group.to_string()])
        .arg("--clear-groups")
        .arg(program);
    command
}

/// The user and group `postgres`, if this process is root's.
fn other_user() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| {
        let mut id = Command::new("id");
        id.args(arguments);
        let text = process::run(id, PACKAGE);
        text.trim().parse::<u32>().expect("an id")
    };
    (id(&["-u"]) == 0).then(|| (id(&["-u", "postgres"]), id(&["-g", "postgres"])))
}

/// The program of the newest version that is installed.
fn binary(name: &str) -> PathBuf {
    let versions = std::fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse::<u32>().ok()?;
            Some((version, entry.path().join("bin").join(name)))
        })
        .filter(|(_, file)| file.is_file())
        .max();
    newest
        .map(|(_, file)| file)
        .or_else(|| process::on_path(name))
        .unwrap_or_else(|| {
            panic!(
                "PostgreSQL ({name}) is missing; {}",
                process::to_install(PACKAGE)
            )
        })
}
