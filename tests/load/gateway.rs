//! The gateway as a process: started, asked over HTTP, and looked at in `/proc`.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fedgate_tests::gateway::{SECRET, client, configuration, read};
use fedgate_tests::process::free_address;
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;

use crate::Outcome;

/// Where the application receives its codes; nothing listens there.
pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:9/cb";
/// How long a start may take.
const START: Duration = Duration::from_secs(20);
/// How often a starting process is looked at.
const LOOK_AGAIN: Duration = Duration::from_micros(200);
/// Ticks of `/proc/PID/stat` in a second: `USER_HZ`, which is 100 on every Linux.
const TICKS: f64 = 100.0;

/// A running gateway, which ends with the value.
#[derive(Debug)]
pub(crate) struct Gateway {
    child: Child,
    folder: TempDir,
    /// `http://127.0.0.1:PORT`
    pub(crate) base: String,
    /// From the start of the process to its first answer.
    pub(crate) started_in: Duration,
}

/// Memory of a process, in MiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Resident now (`VmRSS`).
    pub(crate) resident: f64,
    /// The most that ever was (`VmHWM`).
    pub(crate) peak: f64,
}

/// Times of the starts: the first makes database and keys, the others find them.
#[derive(Debug)]
pub(crate) struct Starts {
    pub(crate) first: Duration,
    pub(crate) others: Vec<Duration>,
}

/// Times so many starts of a gateway in one folder.
pub(crate) fn starts(binary: &Path, count: u32) -> Outcome<Starts> {
    let mut gateway = Gateway::start(binary, tempfile::tempdir()?)?;
    let first = gateway.started_in;
    let mut others = Vec::new();
    for _ in 0..count {
        gateway = Gateway::start(binary, gateway.end()?)?;
        others.push(gateway.started_in);
    }
    Ok(Starts { first, others })
}

impl Gateway {
    /// Starts the program in a folder and waits for its first answer. What it logs goes into a file there.
    pub(crate) fn start(binary: &Path, folder: TempDir) -> Outcome<Self> {
        let address = free_address();
        let file = folder.path().join("fedgate.toml");
        std::fs::write(&file, configuration(&address.to_string(), REDIRECT_URI, ""))?;
        let log = std::fs::File::create(folder.path().join("fedgate.log"))?;
        let began = Instant::now();
        let child = Command::new(binary)
            .arg("serve")
            .arg("--config")
            .arg(&file)
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|error| format!("{}: {error}", binary.display()))?;
        let mut gateway = Self {
            child,
            folder,
            base: format!("http://{address}"),
            started_in: Duration::ZERO,
        };
        while !is_healthy(address) {
            if gateway.child.try_wait()?.is_some() || began.elapsed() > START {
                let log = std::fs::read_to_string(gateway.folder.path().join("fedgate.log"))?;
                return Err(format!("the gateway does not start: {log}").into());
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        gateway.started_in = began.elapsed();
        Ok(gateway)
    }

    /// Creates a connection through the Management API and answers it: `id`, `status`, `setup`.
    pub(crate) async fn create_connection(&self, body: Value) -> Outcome<Value> {
        let request = client()
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

    /// CPU time that the process has used so far, in user and kernel mode, in milliseconds.
    pub(crate) fn cpu_milliseconds(&self) -> Outcome<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // proc_pid_stat(5): the name of the program, in parentheses, may hold anything; utime and stime are the
        // 14th and 15th field, and the third follows the name.
        let (_, fields) = stat.rsplit_once(')').ok_or("no stat")?;
        let ticks = |index: usize| -> Outcome<f64> {
            let field = fields.split_ascii_whitespace().nth(index - 3);
            Ok(field.ok_or("no such field")?.parse()?)
        };
        Ok((ticks(14)? + ticks(15)?) * 1000.0 / TICKS)
    }

    /// Memory of the process.
    pub(crate) fn memory(&self) -> Outcome<Memory> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let mebibytes = |name: &str| -> Outcome<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kibibytes: f64 = line
                .and_then(|line| line.split_ascii_whitespace().next())
                .ok_or("no such line")?
                .parse()?;
            Ok(kibibytes / 1024.0)
        };
        Ok(Memory {
            resident: mebibytes("VmRSS:")?,
            peak: mebibytes("VmHWM:")?,
        })
    }

    /// Ends the process and hands its folder back.
    fn end(mut self) -> Outcome<TempDir> {
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir()?);
        drop(self);
        Ok(folder)
    }

    async fn api_token(&self) -> Outcome<String> {
        let audience = format!("{}/api", self.base);
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", "ops")
            .append_pair("client_secret", SECRET)
            .append_pair("audience", &audience)
            .finish();
        let request = client()
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
