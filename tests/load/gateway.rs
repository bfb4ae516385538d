//! The gateway as a process: started, asked over HTTP, and looked at in `/proc`.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fedgate_tests::gateway::{SECRET, client, configuration, database, read};
use fedgate_tests::process::free_address;
use reqwest::{Client, Method};
use serde_json::Value;

use crate::Outcome;
use crate::database::Database;
use crate::process::{self, Memory};

/// Where the application receives its codes; nothing listens there.
pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:9/cb";
/// How long a start may take.
const START: Duration = Duration::from_secs(20);
/// How often a starting process is looked at.
const LOOK_AGAIN: Duration = Duration::from_micros(200);
/// A running gateway, which ends with the value.
#[derive(Debug)]
pub(crate) struct Gateway {
    child: Child,
    /// Where it listens: `http://127.0.0.1:PORT`
    pub(crate) base: String,
    /// A client with connections to it.
    pub(crate) http: Client,
    /// From the start of the process to its first answer.
    pub(crate) started_in: Duration,
}

/// What a gateway is started with.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The program.
    pub(crate) binary: PathBuf,
    /// Configuration, master key, log, and SQLite's file.
    pub(crate) folder: PathBuf,
    /// What browsers see; the first gateway listens there.
    pub(crate) public: SocketAddr,
    pub(crate) database: Database,
    /// `FEDGATE_SECTION__KEY` variables.
    pub(crate) environment: Vec<(String, String)>,
}

impl Place {
    /// On SQLite in a folder, with the default configuration.
    pub(crate) fn on_sqlite(binary: &Path, folder: &Path) -> Self {
        Self::on(binary, folder, Database::Sqlite(database(folder)))
    }

    /// On a database.
    pub(crate) fn on(binary: &Path, folder: &Path, database: Database) -> Self {
        let url = database.url();
        let place = Self {
            binary: binary.to_owned(),
            folder: folder.to_owned(),
            public: free_address(),
            database,
            environment: Vec::new(),
        };
        place.with("FEDGATE_STORE__URL", &url)
    }

    /// With one more variable.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl Gateway {
    /// Starts the program at its public address and waits for its first answer.
    pub(crate) fn start(place: &Place) -> Outcome<Self> {
        Self::start_at(place, place.public)
    }

    /// Starts another beside it, at an address of its own.
    pub(crate) fn replica(place: &Place) -> Outcome<Self> {
        Self::start_at(place, free_address())
    }

    /// What it logs goes into a file.
    fn start_at(place: &Place, address: SocketAddr) -> Outcome<Self> {
        let file = place.folder.join("fedgate.toml");
        let text = configuration(&place.public.to_string(), REDIRECT_URI, "");
        std::fs::write(&file, text)?;
        let log_file = place.folder.join(format!("{}.log", address.port()));
        let log = std::fs::File::create(&log_file)?;
        let began = Instant::now();
        let child = Command::new(&place.binary)
            .arg("serve")
            .arg("--config")
            .arg(&file)
            .env("FEDGATE_SERVER__LISTEN", address.to_string())
            .envs(place.environment.iter().cloned())
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|error| format!("{}: {error}", place.binary.display()))?;
        let mut gateway = Self {
            child,
            base: format!("http://{address}"),
            http: client(),
            started_in: Duration::ZERO,
        };
        while !is_healthy(address) {
            if gateway.child.try_wait()?.is_some() || began.elapsed() > START {
                let log = std::fs::read_to_string(log_file)?;
                return Err(format!("the gateway does not start: {log}").into());
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        gateway.started_in = began.elapsed();
        Ok(gateway)
    }

    /// Creates a connection through the Management API and answers it: `id`, `status`, `setup`.
    pub(crate) async fn create_connection(&self, body: Value) -> Outcome<Value> {
        let request = self
            .http
            .request(Method::POST, format!("{}/api/v1/connections", self.base))
            .bearer_auth(self.api_token().await?)
            .header("content-type", "application/json")
            .body(body.to_string());
        let (status, answer) = read(request).await;
        match answer["connection"]["status"].as_str() {
            Some("active") if status == 201 => Ok(answer["connection"].clone()),
            _ => Err(format!("no active connection: {answer}").into()),
        }
    }

    /// CPU time that the process has used so far, in milliseconds.
    pub(crate) fn cpu_milliseconds(&self) -> Outcome<f64> {
        process::cpu_milliseconds(self.child.id())
    }

    /// Memory of the process.
    pub(crate) fn memory(&self) -> Outcome<Memory> {
        process::memory(self.child.id())
    }

    /// Ends the process in order.
    pub(crate) fn end(mut self) -> Outcome<()> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        let deadline = Instant::now() + START;
        while self.child.try_wait()?.is_none() && Instant::now() < deadline {
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    async fn api_token(&self) -> Outcome<String> {
        let audience = format!("{}/api", self.base);
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", "ops")
            .append_pair("client_secret", SECRET)
            .append_pair("audience", &audience)
            .finish();
        let request = self
            .http
            .post(format!("{}/oauth2/token", self.base))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        let (_, answer) = read(request).await;
        let token = answer["access_token"].as_str();
        Ok(token
            .ok_or_else(|| format!("no API token: {answer}"))?
            .to_owned())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_healthy(address: SocketAddr) -> bool {
    let answer = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: load\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    answer().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}
