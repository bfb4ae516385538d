//! The connection to Redis: made again by itself, with a bound on every wait.

use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use redis::aio::{ConnectionLike, MultiplexedConnection, PubSub};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError,
    RedisFuture, RedisResult, ScriptInvocation, ServerErrorKind, Value, cmd,
};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::super::EphemeralError;
use super::address::{Node, RedisUrl, Topology};

/// The longest that one operation may take, its repetitions included.
const ANSWER: Duration = Duration::from_secs(2);
/// The longest that one connection may take to be made: several sentinels may have to be asked.
const CONNECT: Duration = Duration::from_secs(1);
/// The longest that one sentinel may take to say who is master.
const SENTINEL_ANSWER: Duration = Duration::from_millis(300);
/// Waits before each attempt of one operation. Every operation can be repeated: see `scripts`.
const ATTEMPTS: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_millis(50),
    Duration::from_millis(250),
];
/// For so long after a connection could not be made nobody tries again: a thousand logins ask for one connection.
const PAUSE: Duration = Duration::from_millis(100);
/// Redirections and repetitions inside the cluster's client.
const CLUSTER_RETRIES: u32 = 3;
/// The longest wait between them, in milliseconds.
const CLUSTER_RETRY_MILLISECONDS: u64 = 100;

/// What Redis answers to a command that its user may not give, or that it does not know.
pub(super) const REFUSED: &str = "refused";

/// A connection that is made when it is needed, shared by all that use it.
#[derive(Debug)]
pub(super) struct Link {
    url: RedisUrl,
    current: RwLock<Option<Numbered>>,
    /// When a connection could not be made; held while one is made.
    connecting: Mutex<Option<Instant>>,
}

/// What is asked of Redis.
pub(super) enum Call<'a> {
    Script(&'a ScriptInvocation<'a>),
    Command(&'a Cmd),
}

#[derive(Clone, Debug)]
struct Numbered {
    /// Tells a connection from its successors.
    number: u64,
    connection: Connection,
}

#[derive(Clone)]
pub(super) enum Connection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Link {
    /// Not connected yet.
    pub(super) fn new(url: RedisUrl) -> Self {
        Self {
            url,
            current: RwLock::default(),
            connecting: Mutex::default(),
        }
    }

    /// Asks, and asks again over a new connection where the first one broke.
    ///
    /// # Errors
    /// [`EphemeralError::Full`] where Redis has no memory left, [`EphemeralError::Unavailable`] for everything else.
    pub(super) async fn ask<T: FromRedisValue>(&self, call: Call<'_>) -> Result<T, EphemeralError> {
        let number = self.number();
        timeout(ANSWER, self.attempts(&call))
            .await
            .unwrap_or_else(|_| {
                tracing::warn!(redis = %self.url, "no answer in time");
                self.leave(number.or_else(|| self.number()));
                Err(EphemeralError::Unavailable("no answer in time"))
            })
    }

    /// A connection of its own that receives what is published in a channel from now on.
    pub(super) async fn subscriber(&self, channel: &str) -> RedisResult<PubSub> {
        let made = timeout(CONNECT, async {
            let mut subscriber = match &self.url.topology {
                Topology::Sentinel { service, .. } => {
                    let (client, _) = self.master(service).await?;
                    client.get_async_pubsub().await?
                }
                Topology::Single | Topology::Cluster => self.any_subscriber().await?,
            };
            subscriber.subscribe(channel).await?;
            Ok(subscriber)
        });
        made.await.unwrap_or_else(|_| Err(late()))
    }

    /// The connection itself, for what is asked of a cluster's every node.
    pub(super) async fn connection(&self) -> Result<Connection, EphemeralError> {
        let numbered = self.numbered().await;
        numbered
            .map(|numbered| numbered.connection)
            .map_err(|_| EphemeralError::Unavailable("not reachable"))
    }

    async fn attempts<T: FromRedisValue>(&self, call: &Call<'_>) -> Result<T, EphemeralError> {
        let mut cause = None;
        for wait in ATTEMPTS {
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            match self.attempt(call).await {
                Ok(value) => return Ok(value),
                Err(error) if is_full(&error) => return Err(EphemeralError::Full),
                Err(error) if may_pass(&error) => cause = Some(error),
                Err(error) => {
                    tracing::error!(redis = %self.url, %error, "Redis refuses what the gateway asks");
                    return Err(EphemeralError::Unavailable(REFUSED));
                }
            }
        }
        let cause = cause.map(|error| error.to_string());
        tracing::warn!(redis = %self.url, cause, "Redis does not answer");
        Err(EphemeralError::Unavailable("not reachable"))
    }

    async fn attempt<T: FromRedisValue>(&self, call: &Call<'_>) -> RedisResult<T> {
        let mut numbered = self.numbered().await?;
        let answer = call.run(&mut numbered.connection).await;
        if answer.as_ref().is_err_and(may_pass) {
            self.leave(Some(numbered.number));
        }
        answer
    }

    async fn numbered(&self) -> RedisResult<Numbered> {
        if let Some(numbered) = self.held() {
            return Ok(numbered);
        }
        let mut failed_at = self.connecting.lock().await;
        if let Some(numbered) = self.held() {
            return Ok(numbered);
        }
        if failed_at.is_some_and(|at| at.elapsed() < PAUSE) {
            return Err(late());
        }
        match timeout(CONNECT, self.connect())
            .await
            .unwrap_or_else(|_| Err(late()))
        {
            Ok(connection) => {
                *failed_at = None;
                Ok(self.keep(connection))
            }
            Err(error) => {
                *failed_at = Some(Instant::now());
                Err(error)
            }
        }
    }

    async fn connect(&self) -> RedisResult<Connection> {
        match &self.url.topology {
            Topology::Single => {
                let client = Client::open(self.url.server(&self.url.nodes[0])?)?;
                Ok(Connection::One(multiplexed(&client, ANSWER).await?))
            }
            Topology::Sentinel { service, .. } => {
                let (_, connection) = self.master(service).await?;
                Ok(Connection::One(connection))
            }
            Topology::Cluster => {
                let nodes: RedisResult<Vec<_>> = self
                    .url
                    .nodes
                    .iter()
                    .map(|node| self.url.server(node))
                    .collect();
                let client = ClusterClient::builder(nodes?)
                    .connection_timeout(CONNECT)
                    .response_timeout(ANSWER)
                    .retries(CLUSTER_RETRIES)
                    .max_retry_wait(CLUSTER_RETRY_MILLISECONDS)
                    .build()?;
                Ok(Connection::Cluster(client.get_async_connection().await?))
            }
        }
    }

    /// The master of a service, by the first sentinel whose word holds: a sentinel may be behind, and its master
    /// dead or demoted.
    async fn master(&self, service: &str) -> RedisResult<(Client, MultiplexedConnection)> {
        let mut problem = RedisError::from((ErrorKind::Client, "no sentinel answers"));
        for sentinel in &self.url.nodes {
            let found = async {
                let node = self.named_by(sentinel, service).await?;
                let client = Client::open(self.url.server(&node)?)?;
                let mut connection = multiplexed(&client, ANSWER).await?;
                let role: (String, Value, Value) = cmd("ROLE").query_async(&mut connection).await?;
                if role.0 == "master" {
                    return Ok((client, connection));
                }
                Err((ErrorKind::Client, "the sentinel's master is none").into())
            };
            match timeout(SENTINEL_ANSWER, found).await {
                Ok(Ok(found)) => return Ok(found),
                Ok(Err(error)) => problem = error,
                Err(_) => problem = late(),
            }
        }
        Err(problem)
    }

    async fn named_by(&self, sentinel: &Node, service: &str) -> RedisResult<Node> {
        let client = Client::open(self.url.sentinel(sentinel)?)?;
        let mut connection = multiplexed(&client, SENTINEL_ANSWER).await?;
        let mut ask = cmd("SENTINEL");
        ask.arg("get-master-addr-by-name").arg(service);
        let named: Option<(String, u16)> = ask.query_async(&mut connection).await?;
        let (host, port) =
            named.ok_or((ErrorKind::Client, "the sentinel knows no such service"))?;
        Ok(Node::new(host, port))
    }

    /// In a cluster what is published at one node reaches the subscribers of all.
    async fn any_subscriber(&self) -> RedisResult<PubSub> {
        let mut problem = late();
        for node in &self.url.nodes {
            match Client::open(self.url.server(node)?)?
                .get_async_pubsub()
                .await
            {
                Ok(subscriber) => return Ok(subscriber),
                Err(error) => problem = error,
            }
        }
        Err(problem)
    }

    fn held(&self) -> Option<Numbered> {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn number(&self) -> Option<u64> {
        self.held().map(|numbered| numbered.number)
    }

    fn keep(&self, connection: Connection) -> Numbered {
        static NUMBERS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let number = NUMBERS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let numbered = Numbered { number, connection };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(numbered.clone());
        numbered
    }

    /// Uses a connection no more, unless somebody has replaced it already.
    fn leave(&self, number: Option<u64>) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().map(|numbered| numbered.number) == number {
            *current = None;
        }
    }
}

impl Call<'_> {
    async fn run<T: FromRedisValue>(&self, connection: &mut Connection) -> RedisResult<T> {
        match self {
            Self::Script(script) => script.invoke_async(connection).await,
            Self::Command(command) => command.query_async(connection).await,
        }
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::One(connection) => connection.req_packed_command(cmd),
            Self::Cluster(connection) => connection.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        cmd: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::One(connection) => connection.req_packed_commands(cmd, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(cmd, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::One(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::One(_) => "One",
            Self::Cluster(_) => "Cluster",
        })
    }
}

async fn multiplexed(client: &Client, answer: Duration) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT))
        .set_response_timeout(Some(answer));
    client
        .get_multiplexed_async_connection_with_config(&config)
        .await
}

/// Memory is used up, and nothing may be evicted.
fn is_full(error: &RedisError) -> bool {
    error.code() == Some("OOM")
}

/// Whether the same may go well over another connection, or in a moment: the connection broke, or the server starts,
/// fails over, or is master no more.
fn may_pass(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(kind) => matches!(
            kind,
            ServerErrorKind::BusyLoading
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::TryAgain
                | ServerErrorKind::ReadOnly
                | ServerErrorKind::Moved
                | ServerErrorKind::Ask
        ),
        ErrorKind::Io | ErrorKind::Client | ErrorKind::ClusterConnectionNotFound => true,
        // Fewer replicas than min-replicas-to-write: the next connection may find the next master.
        ErrorKind::Extension => error.code() == Some("NOREPLICAS"),
        _ => error.is_connection_dropped(),
    }
}

fn late() -> RedisError {
    RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))
}
