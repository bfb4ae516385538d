//! Where Redis is: the forms of `[ephemeral] url`.
//!
//! `redis://[user:password@]host[:6379][/database]`, `redis-cluster://[user:password@]host[:6379],…`,
//! `redis-sentinel://[user:password@]host[:26379],…/service[/database][?sentinel_password=…]`;
//! with `rediss` in place of `redis` everything is spoken over TLS.

use std::fmt;

use percent_encoding::percent_decode_str;
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, RedisConnectionInfo};

/// The longest URL, in bytes.
const URL_BYTES: usize = 4096;
/// The most nodes that a URL may name.
const NODES_MOST: usize = 64;
const REDIS_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// Where Redis is, and how it is entered. Shown without user and password.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl {
    pub(super) topology: Topology,
    pub(super) nodes: Vec<Node>,
    tls: bool,
    user: Option<String>,
    password: Option<String>,
    database: u16,
}

/// How the nodes stand to each other.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Topology {
    /// One server.
    Single,
    /// Any of the nodes knows the others.
    Cluster,
    /// The nodes are sentinels, which know the master of a service.
    Sentinel {
        service: String,
        password: Option<String>,
    },
}

/// Host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    host: String,
    port: u16,
}

impl RedisUrl {
    /// Reads a URL; none if it is not one of the forms.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://").filter(|_| text.len() <= URL_BYTES)?;
        let tls = scheme.starts_with("rediss");
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) = match authority.rsplit_once('@') {
            Some((credentials, hosts)) => (Some(credentials), hosts),
            None => (None, authority),
        };
        let (user, password) = credentials.map_or(Some((None, None)), user_and_password)?;
        let (topology, port, database) = match scheme {
            "redis" | "rediss" if query.is_empty() => {
                (Topology::Single, REDIS_PORT, database(path)?)
            }
            // A cluster has database 0 alone.
            "redis-cluster" | "rediss-cluster" if query.is_empty() && path.is_empty() => {
                (Topology::Cluster, REDIS_PORT, 0)
            }
            "redis-sentinel" | "rediss-sentinel" => {
                let (service, number) = path.split_once('/').unwrap_or((path, ""));
                (sentinel(service, query)?, SENTINEL_PORT, database(number)?)
            }
            _ => return None,
        };
        let nodes: Option<Vec<Node>> = hosts.split(',').map(|host| node(host, port)).collect();
        let nodes = nodes.filter(|nodes| nodes.len() <= NODES_MOST)?;
        if topology == Topology::Single && nodes.len() != 1 {
            return None;
        }
        Some(Self {
            topology,
            nodes,
            tls,
            user,
            password,
            database,
        })
    }

    /// How a server on `node` is entered.
    pub(super) fn server(&self, node: &Node) -> redis::RedisResult<ConnectionInfo> {
        let mut settings = RedisConnectionInfo::default().set_db(self.database.into());
        if let Some(user) = &self.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &self.password {
            settings = settings.set_password(password);
        }
        Ok(self
            .address(node)
            .into_connection_info()?
            .set_redis_settings(settings))
    }

    /// How a sentinel on `node` is entered.
    pub(super) fn sentinel(&self, node: &Node) -> redis::RedisResult<ConnectionInfo> {
        let info = self.address(node).into_connection_info()?;
        Ok(match &self.topology {
            Topology::Sentinel {
                password: Some(password),
                ..
            } => info.set_redis_settings(RedisConnectionInfo::default().set_password(password)),
            _ => info,
        })
    }

    fn address(&self, node: &Node) -> ConnectionAddr {
        if self.tls {
            ConnectionAddr::TcpTls {
                host: node.host.clone(),
                port: node.port,
                insecure: false,
                tls_params: None,
            }
        } else {
            ConnectionAddr::Tcp(node.host.clone(), node.port)
        }
    }
}

impl Node {
    pub(super) fn new(host: String, port: u16) -> Self {
        Self { host, port }
    }
}

/// Where it is, without user and password.
impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let topology = match &self.topology {
            Topology::Single => "",
            Topology::Cluster => "-cluster",
            Topology::Sentinel { .. } => "-sentinel",
        };
        let tls = if self.tls { "s" } else { "" };
        write!(f, "redis{tls}{topology}://")?;
        for (index, Node { host, port }) in self.nodes.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{host}:{port}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisUrl({self})")
    }
}

/// `user:password`, `:password` or `user`, each percent-encoded.
fn user_and_password(text: &str) -> Option<(Option<String>, Option<String>)> {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    Some((decoded(user)?, decoded(password)?))
}

/// None inside for an empty one.
#[expect(clippy::option_option, reason = "malformed, absent, there")]
fn decoded(text: &str) -> Option<Option<String>> {
    let text = percent_decode_str(text).decode_utf8().ok()?;
    Some((!text.is_empty()).then(|| text.into_owned()))
}

fn database(text: &str) -> Option<u16> {
    if text.is_empty() {
        return Some(0);
    }
    text.parse().ok()
}

fn sentinel(service: &str, query: &str) -> Option<Topology> {
    let password = match query.split_once('=') {
        None if query.is_empty() => None,
        Some(("sentinel_password", password)) if !password.contains('&') => decoded(password)?,
        _ => return None,
    };
    let is_name = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_');
    (!service.is_empty() && service.bytes().all(is_name)).then(|| Topology::Sentinel {
        service: service.to_owned(),
        password,
    })
}

/// `host`, `host:port`, `[::1]:port`
fn node(text: &str, default_port: u16) -> Option<Node> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (
                host,
                port.strip_prefix(':').or(port.is_empty().then_some(""))?,
            )
        }
        None => text.split_once(':').unwrap_or((text, "")),
    };
    let is_host =
        |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_' | b':');
    let port = match port {
        "" => Some(default_port),
        port => port.parse().ok().filter(|port| *port > 0),
    };
    (!host.is_empty() && host.bytes().all(is_host)).then_some(())?;
    Some(Node::new(host.to_owned(), port?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_shown_without_its_password() {
        for (text, shown) in [
            ("redis://h", "redis://h:6379"),
            ("redis://u:hush@h:1/3", "redis://h:1"),
            ("rediss://:hu%40sh@h.example/15", "rediss://h.example:6379"),
            ("redis://[::1]:7000", "redis://::1:7000"),
            (
                "redis-cluster://u:hush@a,b:7001,10.0.0.1:7002",
                "redis-cluster://a:6379,b:7001,10.0.0.1:7002",
            ),
            (
                "rediss-sentinel://u:hush@a,b:1/main/2?sentinel_password=hush",
                "rediss-sentinel://a:26379,b:1",
            ),
        ] {
            let url = RedisUrl::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(url.to_string(), shown);
            assert!(
                !format!("{url:?} {:?}", url.server(&url.nodes[0])).contains("hush"),
                "{text}"
            );
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "h",
            "redis:",
            "redis://",
            "redis://h:0",
            "redis://h:99999",
            "redis://h:x",
            "redis://a,b",
            "redis://h/x",
            "redis://h/1/2",
            "redis://h/-1",
            "redis://h?db=1",
            "redis://u:p/ss@h",
            "redis://h h",
            "redis://%ff@h",
            "redis://[::1",
            "redis://[x]:1",
            "http://h",
            "redis-cluster://a,,b",
            "redis-cluster://a/1",
            "redis-sentinel://a",
            "redis-sentinel://a/",
            "redis-sentinel://a/s?x=1",
            "redis-sentinel://a/s p",
            "redis-sentinel://a/s?sentinel_password=a&b=c",
            "redis+unix:///run/redis.sock",
        ] {
            assert_eq!(RedisUrl::parse(text), None, "{text}");
        }
        let many = format!("redis-cluster://{}", ["h"; NODES_MOST + 1].join(","));
        assert_eq!(RedisUrl::parse(&many), None);
        assert_eq!(
            RedisUrl::parse(&format!("redis://{}", "h".repeat(URL_BYTES))),
            None
        );
    }
}
