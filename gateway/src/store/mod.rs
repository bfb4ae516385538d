//! One store over SQL: SQLite embedded, or PostgreSQL by URL; one SQL text for both.

pub mod application;
pub mod connection;
pub mod connection_list;
pub mod domain;
pub mod error;
pub mod expiry;
pub mod identity;
pub mod key;
pub mod login_session;
pub mod mark;
pub mod membership;
pub mod metadata_key;
pub mod metadata_refresh;
pub mod metadata_revision;
pub mod organization;
pub mod outbox;
pub mod page;
pub mod person;
mod postgres;
pub(crate) mod query;
pub mod replaced_pair;
pub mod sealed;
pub mod setting;
pub mod setup_link;
pub mod setup_test;
mod sqlite;
pub mod sweep;
pub mod trace;
mod writer;

#[cfg(test)]
mod conformance;
#[cfg(test)]
pub(crate) mod testing;

use std::sync::Arc;
use std::time::Duration;

use fedgate_certs::Timestamp;
use moka::future::Cache;

use application::Application;
pub use error::{StoreError, StoreRefusal};
use query::{Backend, fetch_optional};

use crate::change::Announcer;
use crate::telemetry::Reads;

/// How long a statement waits for a lock, or a task for a connection.
const BUSY: Duration = Duration::from_secs(5);
/// Connections to a database server, at most.
pub const CONNECTIONS: usize = 16;

/// How often a transaction is decided before it is given up. Every race has a winner: one that loses again has lost to
/// another one.
pub(crate) const TRIES: u32 = 10;

/// Applications kept in memory.
const NEAR_APPLICATIONS: u64 = 10_000;
/// The longest that a change by another process may stay unseen in memory.
const NEAR: Duration = Duration::from_secs(30);

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pools: Backend<sqlite::Pools, postgres::Pool>,
    /// What every request reads; a change through this store forgets what it touches.
    near_applications: Cache<String, Arc<Application>>,
    /// Tells other replicas what they may hold near.
    announcer: Announcer,
    application_reads: Arc<Reads>,
}

/// Connections of one pool at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolUse {
    /// `writer` and `readers` of a file, or `postgres`.
    pub name: &'static str,
    /// Open, and nobody uses them.
    pub idle: usize,
    /// In somebody's hands.
    pub used: usize,
}

/// A connection that reads.
pub(crate) type Reader = Backend<sqlite::Reading, postgres::Session>;
/// An open transaction; rolled back when dropped.
pub(crate) type Transaction = Backend<writer::Writing, postgres::Session>;

impl Store {
    /// Opens the database and brings its tables up to date. `sqlite:PATH` is a file, made if need be, and
    /// `sqlite::memory:` lives as long as the store; `postgres://…` is a database that is there.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] for any other URL, [`StoreError::Unavailable`] if the database cannot be opened.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let pools = match scheme(url) {
            "sqlite" => Backend::Sqlite(sqlite::Pools::open(url).await?),
            "postgres" | "postgresql" => Backend::Postgres(postgres::open(url, CONNECTIONS).await?),
            other => return Err(StoreError::Unsupported(other.to_owned())),
        };
        Ok(Self {
            pools,
            near_applications: Cache::builder()
                .max_capacity(NEAR_APPLICATIONS)
                .time_to_live(NEAR)
                .build(),
            announcer: Announcer::default(),
            application_reads: Arc::default(),
        })
    }

    /// The same store, which tells its changes through `announcer`.
    #[must_use]
    pub(crate) fn announcing(mut self, announcer: Announcer) -> Self {
        self.announcer = announcer;
        self
    }

    /// Keeps other gateways out of a database server's database, for one that shares no codes and counters with them.
    /// From then on, it writes nothing while it does not know that it is alone. (A file has one gateway's writer.)
    ///
    /// # Errors
    /// [`StoreError::Held`] while another gateway has the database.
    pub async fn keep_alone(&self) -> Result<(), StoreError> {
        match &self.pools {
            Backend::Sqlite(_) => Ok(()),
            Backend::Postgres(pool) => pool.keep_alone().await,
        }
    }

    /// Answers if the database does, and if this gateway may write to it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Displaced`]
    pub async fn ping(&self) -> Result<(), StoreError> {
        if let Backend::Postgres(pool) = &self.pools {
            pool.admit()?;
        }
        let mut reader = self.reader().await?;
        fetch_optional!(reader, (i64,), "SELECT CAST(1 AS BIGINT)")?;
        Ok(())
    }

    /// Connections to the database at this moment, by pool.
    pub fn pool_use(&self) -> Vec<PoolUse> {
        match &self.pools {
            Backend::Sqlite(pools) => pools.in_use(),
            Backend::Postgres(pool) => {
                let (idle, used) = pool.idle_and_used();
                let name = "postgres";
                vec![PoolUse { name, idle, used }]
            }
        }
    }

    /// How often an application was asked for, and how often it had to be read.
    pub fn application_reads(&self) -> &Reads {
        &self.application_reads
    }

    /// Ends all connections.
    pub async fn close(&self) {
        match &self.pools {
            Backend::Sqlite(pools) => pools.close().await,
            Backend::Postgres(pool) => pool.close().await,
        }
    }

    pub(crate) async fn reader(&self) -> Result<Reader, StoreError> {
        Ok(match &self.pools {
            Backend::Sqlite(pools) => Backend::Sqlite(pools.read().await?),
            Backend::Postgres(pool) => Backend::Postgres(pool.lend().await?),
        })
    }

    pub(crate) async fn begin(&self) -> Result<Transaction, StoreError> {
        Ok(match &self.pools {
            Backend::Sqlite(pools) => Backend::Sqlite(pools.writer.begin().await?),
            Backend::Postgres(pool) => Backend::Postgres(pool.begin().await?),
        })
    }

    /// A transaction that `begin_with!` begins: every statement that travels alone is a trip of its own.
    pub(crate) async fn turn(&self) -> Result<Transaction, StoreError> {
        Ok(match &self.pools {
            Backend::Sqlite(pools) => Backend::Sqlite(pools.writer.writing().await?),
            Backend::Postgres(pool) => {
                pool.admit()?;
                Backend::Postgres(pool.lend().await?.transact())
            }
        })
    }
}

impl Transaction {
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await,
            Self::Postgres(transaction) => transaction.commit().await,
        }
    }
}

/// Runs a transaction again that lost a race, on what the winner wrote.
pub(crate) async fn decided<T, F>(mut decide: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    for _ in 1..TRIES {
        match decide().await {
            Err(StoreError::Raced) => {}
            decided => return decided,
        }
    }
    decide().await
}

/// A URL may hold a password: only its scheme is ever shown.
fn scheme(url: &str) -> &str {
    url.split_once(':').map_or("", |(scheme, _)| scheme)
}

/// A row's time; what is out of range was not written by us.
pub(crate) fn time(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds).map_err(|_| StoreError::Corrupt("time"))
}

/// A row's JSON.
pub(crate) fn json<T: serde::de::DeserializeOwned>(
    text: &str,
    what: &'static str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Corrupt(what))
}

/// JSON for a row.
pub(crate) fn to_json<T: serde::Serialize + ?Sized>(
    value: &T,
    what: &'static str,
) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Corrupt(what))
}

#[cfg(test)]
mod tests {
    use super::testing::{application, now};
    use super::*;

    #[tokio::test]
    async fn another_database_is_refused_without_showing_its_password() {
        for url in ["mysql://root:secret@host", "fedgate.db", ""] {
            let error = Store::open(url).await.unwrap_err();
            assert!(matches!(error, StoreError::Unsupported(_)), "{url}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_store_in_memory_lives_as_long_as_its_handle() {
        let store = Store::open("sqlite::memory:").await.unwrap();
        store
            .create_application(&application("demo"), now())
            .await
            .unwrap();
        assert!(store.application("demo").await.unwrap().is_some());
        store.ping().await.unwrap();
    }

    #[tokio::test]
    async fn what_was_written_is_there_after_opening_again() {
        let directory = tempfile::TempDir::new().unwrap();
        let url = format!(
            "sqlite:{}",
            directory.path().join("with space.db").display()
        );
        let store = Store::open(&url).await.unwrap();
        store
            .create_application(&application("demo"), now())
            .await
            .unwrap();
        store.close().await;
        let store = Store::open(&url).await.unwrap();
        assert!(store.application("demo").await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_directory_that_is_not_there_is_told() {
        let error = Store::open("sqlite:/nonexistent/fedgate.db")
            .await
            .unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)));
    }
}
