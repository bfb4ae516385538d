//! What a Redis server tells about itself.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use url::Url;

use crate::Outcome;

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

/// Asks the server at a URL of `[ephemeral] url`.
pub(crate) fn info(url: &str) -> Outcome<Info> {
    let addresses = Url::parse(url)?.socket_addrs(|| None)?;
    let mut stream = TcpStream::connect(&addresses[..])?;
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
