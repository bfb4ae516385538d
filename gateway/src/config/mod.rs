//! `fedgate.toml`: read once, with the environment laid over it, and checked whole.
//!
//! Every error is told at once, each with file, line and key. A path is relative to the file that names it.

mod application;
mod master_key;
mod network;
mod refusal;
mod section;
mod tree;
pub mod uri;

pub use application::{ApplicationConfig, applications};
pub(crate) use master_key::create_master_key;
pub use master_key::{load_master_key, load_or_create_master_key};
pub use network::Network;
pub use refusal::{ConfigErrors, ConfigProblem, ConfigRefusal};

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use fedgate_providers::login::Site;
use jiff::SignedDuration;
use serde_json::{Map, Value};
use url::Url;

use crate::ephemeral::RedisUrl;
use crate::limits::Limits;
use section::{Problems, Section};
use tree::{Node, Origin};

/// The largest configuration file, in bytes.
pub const FILE_BYTES: u64 = 1024 * 1024;
/// The largest value under `[limits]`: no duration in seconds overflows the calendar, no size the memory's address.
const LIMIT_MOST: i64 = u32::MAX as i64;

/// The longest time that a removed key may stay trusted, in hours.
const OVERLAP_HOURS_MOST: u16 = 30 * 24;
/// The longest time that expired metadata may serve, in hours.
const GRACE_HOURS_MOST: u16 = 90 * 24;

/// The whole configuration, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[server]`
    pub server: ServerConfig,
    /// `[store]`
    pub store: StoreConfig,
    /// `[ephemeral]`
    pub ephemeral: EphemeralConfig,
    /// `[secrets]`
    pub secrets: SecretsConfig,
    /// `[egress]`
    pub egress: EgressConfig,
    /// `[metadata]`
    pub metadata: MetadataConfig,
    /// `[telemetry]`
    pub telemetry: TelemetryConfig,
    /// `[limits]`
    pub limits: Limits,
    /// `[[applications]]`, with distinct client ids.
    pub applications: Vec<ApplicationConfig>,
}

/// Where people reach the gateway, and where it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// `https://login.example.com`, or http on loopback: scheme, host and port, without a trailing slash.
    pub public_url: String,
    /// The address that it binds.
    pub listen: SocketAddr,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
}

/// Where users, connections and keys are kept.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreConfig {
    /// `sqlite:/absolute/path`, `sqlite::memory:`, or `postgres://user:password@host/database` with libpq's parameters.
    pub url: String,
}

/// The scheme alone: the rest may hold a password.
impl std::fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = self.url.split_once(':').map_or("", |(scheme, _)| scheme);
        f.debug_struct("StoreConfig").field("url", &scheme).finish()
    }
}

/// Where codes, counters and what replicas tell each other are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EphemeralConfig {
    /// A Redis; none: the memory of this process.
    pub url: Option<RedisUrl>,
}

/// What seals secrets at rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretsConfig {
    /// The file of the master key.
    pub master_key_file: PathBuf,
    /// The file of another one, which opens what it sealed and seals nothing.
    pub previous_master_key_file: Option<PathBuf>,
}

/// What outbound calls may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EgressConfig {
    /// Loopback and private networks too.
    pub allow_private: bool,
}

/// How identity providers' metadata is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetadataConfig {
    /// Whether a login with an unknown key makes the gateway read the identity provider's keys anew.
    pub rescue: bool,
    /// How long a key is trusted that the metadata does not name any more.
    pub overlap_hours: u16,
    /// How long metadata serves after it has expired.
    pub grace_hours: u16,
}

impl MetadataConfig {
    /// `overlap_hours`
    pub fn overlap(&self) -> SignedDuration {
        SignedDuration::from_hours(self.overlap_hours.into())
    }

    /// `grace_hours`
    pub fn grace(&self) -> SignedDuration {
        SignedDuration::from_hours(self.grace_hours.into())
    }
}

impl Default for MetadataConfig {
    fn default() -> Self {
        Self {
            rescue: true,
            overlap_hours: 24,
            grace_hours: 7 * 24,
        }
    }
}

/// Logs, metrics and spans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelemetryConfig {
    /// How a line of the log is written.
    pub log_format: LogFormat,
    /// Where `/metrics` is served, when not beside everything else.
    pub metrics_listen: Option<SocketAddr>,
    /// The OpenTelemetry collector that spans are sent to, by OTLP over HTTP; none are made without one.
    pub otlp_endpoint: Option<Url>,
}

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Config {
    /// Reads a file and lays `environment` over it (`FEDGATE_SERVER__PUBLIC_URL` for `public_url` under `[server]`).
    /// Names without `__` are left alone: a cluster sets such ones for a service of this name.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn load(
        path: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigErrors> {
        match section::read_text(path, FILE_BYTES) {
            Ok(text) => Self::parse(&text, path, environment),
            Err(refusal) => Err(ConfigErrors::single(ConfigProblem::of_file(refusal, path))),
        }
    }

    /// As [`Config::load`], with the file's text in hand; `path` is named in problems and is what paths are relative to.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn parse(
        text: &str,
        path: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigErrors> {
        let mut problems = Problems::new(path);
        let mut root = match tree::parse(text) {
            Ok(root) => root,
            Err(errors) => {
                for (line, message) in errors {
                    problems.add(
                        ConfigRefusal::Syntax.refuse().detail(message),
                        "",
                        &Origin::Line(line),
                    );
                }
                return Err(problems.into_errors());
            }
        };
        tree::overlay(&mut root, environment, &mut problems);
        let config = read(&root, path.parent().unwrap_or(Path::new("")), &mut problems);
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(problems.into_errors()),
        }
    }

    /// The site that `public_url` names.
    pub fn site(&self) -> Site {
        Site {
            base_url: self.server.public_url.clone(),
            issuer: self.server.public_url.clone(),
        }
    }
}

const SECTIONS: [&str; 9] = [
    "server",
    "store",
    "ephemeral",
    "secrets",
    "egress",
    "email",
    "metadata",
    "telemetry",
    "limits",
];

fn read(root: &BTreeMap<String, Node>, base: &Path, problems: &mut Problems) -> Option<Config> {
    let mut names = SECTIONS.to_vec();
    names.push("applications");
    section::refuse_unknown(root, "", &names, problems);
    read_unbuilt(root, "email", &["smtp_url", "from"], problems);
    let server = read_server(Section::open(root, "server", problems));
    let store = read_store(Section::open(root, "store", problems), base);
    let ephemeral = read_ephemeral(Section::open(root, "ephemeral", problems));
    let secrets = read_secrets(Section::open(root, "secrets", problems), base);
    let egress = read_egress(Section::open(root, "egress", problems));
    let metadata = read_metadata(Section::open(root, "metadata", problems));
    let telemetry = read_telemetry(Section::open(root, "telemetry", problems));
    let limits = read_limits(root, problems);
    let applications = application::read_all(root, base, problems);
    Some(Config {
        server: server?,
        store: store?,
        ephemeral,
        secrets,
        egress,
        metadata,
        telemetry,
        limits,
        applications,
    })
}

/// Settings that the contract names and this version does not act upon: better refused than silently ignored.
fn read_unbuilt(
    root: &BTreeMap<String, Node>,
    name: &str,
    keys: &'static [&'static str],
    problems: &mut Problems,
) {
    let mut section = Section::open(root, name, problems);
    for key in keys {
        if section.text(key).is_some() {
            section.refuse(key, ConfigRefusal::NotInThisVersion.into());
        }
    }
    section.close();
}

fn read_server(mut section: Section<'_>) -> Option<ServerConfig> {
    let public_url = match section.text("public_url") {
        None => {
            section.missing("public_url");
            None
        }
        Some(text) => section.keep("public_url", uri::public_url(&text)),
    };
    let listen = match section.text("listen") {
        None => Some(SocketAddr::from(([127, 0, 0, 1], 8080))),
        Some(text) => section.keep("listen", socket_address(&text)),
    };
    let mut trusted_proxies = Vec::new();
    for (index, text) in section.texts("trusted_proxies") {
        if let Some(network) = Network::parse(&text) {
            trusted_proxies.push(network);
        } else {
            let refusal = ConfigRefusal::TrustedProxy
                .refuse()
                .expected("10.0.0.0/8")
                .found(text);
            section.refuse_at("trusted_proxies", index, refusal);
        }
    }
    section.close();
    Some(ServerConfig {
        public_url: public_url?,
        listen: listen?,
        trusted_proxies,
    })
}

fn socket_address(text: &str) -> Result<SocketAddr, fedgate_providers::error::Refusal> {
    text.parse().map_err(|_| {
        ConfigRefusal::Listen
            .refuse()
            .expected("127.0.0.1:8080")
            .found(text)
    })
}

fn read_store(mut section: Section<'_>, base: &Path) -> Option<StoreConfig> {
    let text = section
        .text("url")
        .unwrap_or_else(|| "sqlite:fedgate.db".to_owned());
    let url = section.keep("url", store_url(&text, base));
    section.close();
    url.map(|url| StoreConfig { url })
}

fn store_url(text: &str, base: &Path) -> Result<String, fedgate_providers::error::Refusal> {
    let refused = || {
        ConfigRefusal::StoreUrl
            .refuse()
            .expected("sqlite:fedgate.db or postgres://user:password@host/database")
            // The scheme alone: the rest may hold a password.
            .found(text.split_once(':').map_or(text, |(scheme, _)| scheme))
    };
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        let is_server = Url::parse(text).is_ok_and(|url| {
            let names_host = url.query_pairs().any(|(name, _)| name.starts_with("host"));
            (url.has_host() || names_host) && url.fragment().is_none()
        });
        return is_server.then(|| text.to_owned()).ok_or_else(refused);
    }
    let path = text.strip_prefix("sqlite:").ok_or_else(refused)?;
    let path = path.strip_prefix("//").unwrap_or(path);
    match path {
        ":memory:" => Ok("sqlite::memory:".to_owned()),
        "" => Err(refused()),
        _ if path.contains(['?', '#', '%', '\0']) => Err(refused()),
        _ => Ok(format!("sqlite:{}", url_path(&base.join(path)))),
    }
}

/// The store reads its path as that of a URL; the configuration's own folder may have any name.
fn url_path(path: &Path) -> String {
    let text = path.display().to_string();
    text.replace('%', "%25")
        .replace('?', "%3F")
        .replace('#', "%23")
}

fn read_ephemeral(mut section: Section<'_>) -> EphemeralConfig {
    let url = section.text("url").and_then(|text| {
        let refused = || {
            ConfigRefusal::EphemeralUrl
                .refuse()
                .expected("redis://host:6379")
                // The scheme alone: the rest may hold a password.
                .found(text.split_once(':').map_or("", |(scheme, _)| scheme))
        };
        section.keep("url", RedisUrl::parse(&text).ok_or_else(refused))
    });
    section.close();
    EphemeralConfig { url }
}

fn read_secrets(mut section: Section<'_>, base: &Path) -> SecretsConfig {
    let file = section
        .text("master_key_file")
        .unwrap_or_else(|| "master.key".to_owned());
    let previous = section.text("previous_master_key_file");
    section.close();
    SecretsConfig {
        master_key_file: base.join(file),
        previous_master_key_file: previous.map(|file| base.join(file)),
    }
}

fn read_egress(mut section: Section<'_>) -> EgressConfig {
    let allow_private = section.boolean("allow_private").unwrap_or(false);
    section.close();
    EgressConfig { allow_private }
}

fn read_metadata(mut section: Section<'_>) -> MetadataConfig {
    let default = MetadataConfig::default();
    let mut hours = |name: &'static str, most: u16, default: u16| match section.integer(name) {
        None => default,
        Some(value) if (0..=i64::from(most)).contains(&value) => {
            u16::try_from(value).unwrap_or(default)
        }
        Some(value) => {
            let expected = format!("0 to {most}");
            let refusal = ConfigRefusal::Limit.refuse();
            section.refuse(name, refusal.expected(expected).found(value));
            default
        }
    };
    let overlap = hours("overlap_hours", OVERLAP_HOURS_MOST, default.overlap_hours);
    let grace = hours("grace_hours", GRACE_HOURS_MOST, default.grace_hours);
    let rescue = section.boolean("rescue").unwrap_or(default.rescue);
    section.close();
    MetadataConfig {
        rescue,
        overlap_hours: overlap,
        grace_hours: grace,
    }
}

fn read_telemetry(mut section: Section<'_>) -> TelemetryConfig {
    let log_format = match section.text("log_format").as_deref() {
        None | Some("text") => LogFormat::Text,
        Some("json") => LogFormat::Json,
        Some(other) => {
            let refusal = ConfigRefusal::Value
                .refuse()
                .expected("text | json")
                .found(other);
            section.refuse("log_format", refusal);
            LogFormat::Text
        }
    };
    let metrics_listen = section
        .text("metrics_listen")
        .and_then(|text| section.keep("metrics_listen", socket_address(&text)));
    let otlp_endpoint = section
        .text("otlp_endpoint")
        .and_then(|text| section.keep("otlp_endpoint", collector_url(&text)));
    section.close();
    TelemetryConfig {
        log_format,
        metrics_listen,
        otlp_endpoint,
    }
}

/// The collector is the operator's own, on whatever network. A password has no place in a URL that logs may show.
fn collector_url(text: &str) -> Result<Url, fedgate_providers::error::Refusal> {
    let url = Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    });
    let refused = || {
        ConfigRefusal::Value
            .refuse()
            .expected("http://127.0.0.1:4318")
    };
    url.ok_or_else(refused)
}

/// The names are those of [`Limits`] itself.
fn read_limits(root: &BTreeMap<String, Node>, problems: &mut Problems) -> Limits {
    let Ok(Value::Object(mut limits)) = serde_json::to_value(Limits::default()) else {
        return Limits::default();
    };
    let names: Vec<String> = limits.keys().cloned().collect();
    let mut section = Section::open(root, "limits", problems);
    for name in &names {
        match section.integer(name) {
            None => {}
            Some(value) if (1..=LIMIT_MOST).contains(&value) => set(&mut limits, name, value),
            Some(value) => {
                let expected = format!("1 to {LIMIT_MOST}");
                section.refuse(
                    name,
                    ConfigRefusal::Limit
                        .refuse()
                        .expected(expected)
                        .found(value),
                );
            }
        }
    }
    section.close();
    serde_json::from_value(Value::Object(limits)).unwrap_or_default()
}

fn set(limits: &mut Map<String, Value>, name: &str, value: i64) {
    limits.insert(name.to_owned(), value.into());
}

#[cfg(test)]
mod tests;
