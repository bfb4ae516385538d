//! One store over SQL: SQLite embedded today, a second pool tomorrow; one SQL text for both.
//!
//! SQLite has one writer connection, which begins every transaction with `BEGIN IMMEDIATE`, and a small
//! pool of readers beside it (WAL: they never wait for each other).

pub mod application;
pub mod connection;
pub mod domain;
pub mod error;
pub mod identity;
pub mod key;
pub mod login_session;
pub mod mark;
pub mod metadata_revision;
pub mod organization;
pub mod outbox;
pub mod page;
pub mod person;
pub(crate) mod query;
pub mod setting;
pub mod sweep;
pub mod trace;
mod writer;

#[cfg(test)]
mod conformance;
#[cfg(test)]
pub(crate) mod testing;

use std::ops::{Deref, DerefMut};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use fedgate_certs::Timestamp;
use moka::future::Cache;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Sqlite, SqliteConnection, SqlitePool};

use application::Application;
pub use error::{StoreError, StoreRefusal};
use query::{Backend, fetch_optional};
use writer::{Turn, Writer, Writing};

/// How long a statement waits for a lock, or a task for the writer.
const BUSY: Duration = Duration::from_secs(5);
/// Connections that read beside the writer.
const READERS: u32 = 4;
/// Page cache of the writer, in KiB (a negative `cache_size` counts KiB).
const WRITER_CACHE: &str = "-4096";
/// Page cache of each reader, likewise.
const READER_CACHE: &str = "-1024";
/// Pages in the write-ahead log before they move to the database file.
const CHECKPOINT_PAGES: &str = "4000";

/// Applications kept in memory.
const NEAR_APPLICATIONS: u64 = 10_000;
/// The longest that a change by another process may stay unseen in memory.
const NEAR: Duration = Duration::from_secs(30);

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pools: Backend<Pools>,
    /// What every request reads; a change through this store forgets what it touches.
    near_applications: Cache<String, Arc<Application>>,
}

#[derive(Clone, Debug)]
struct Pools {
    /// None: the writer reads as well.
    reader: Option<SqlitePool>,
    writer: Writer,
}

/// A connection that reads.
pub(crate) type Reader = Backend<Reading>;
/// An open transaction of the writer; rolled back when dropped.
pub(crate) type Transaction = Backend<Writing>;

/// A connection that reads.
#[derive(Debug)]
pub(crate) enum Reading {
    /// Beside the writer.
    Beside(PoolConnection<Sqlite>),
    /// The writer itself.
    Writer(Turn),
}

impl Store {
    /// Opens the database, creates it if need be, and brings its tables up to date.
    /// `sqlite:PATH` is a file, `sqlite::memory:` lives as long as the store.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] for any other URL, [`StoreError::Unavailable`] if the file cannot be opened.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        if !url.starts_with("sqlite:") {
            return Err(StoreError::Unsupported(scheme(url).to_owned()));
        }
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .pragma("cache_size", WRITER_CACHE)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            .disable_statement_logging();
        let writer = Writer::open(options.clone()).await?;
        sqlx::migrate!("migrations/sqlite")
            .run(&mut *writer.turn().await?)
            .await
            .map_err(StoreError::migration)?;
        // An in-memory database is one connection: a second one would meet table locks, not snapshots.
        let reader = (!is_in_memory(url)).then(|| {
            readers().connect_lazy_with(
                options
                    .create_if_missing(false)
                    .pragma("cache_size", READER_CACHE),
            )
        });
        Ok(Self {
            pools: Backend::Sqlite(Pools { reader, writer }),
            near_applications: Cache::builder()
                .max_capacity(NEAR_APPLICATIONS)
                .time_to_live(NEAR)
                .build(),
        })
    }

    /// Answers if the database does.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut reader = self.reader().await?;
        fetch_optional!(reader, (i64,), "SELECT CAST(1 AS BIGINT)")?;
        Ok(())
    }

    /// Ends all connections, after moving the write-ahead log into the file.
    pub async fn close(&self) {
        let Backend::Sqlite(pools) = &self.pools;
        if let Some(reader) = &pools.reader {
            reader.close().await;
        }
        pools.writer.close().await;
    }

    pub(crate) async fn reader(&self) -> Result<Reader, StoreError> {
        let Backend::Sqlite(pools) = &self.pools;
        Ok(Backend::Sqlite(match &pools.reader {
            Some(reader) => Reading::Beside(reader.acquire().await?),
            None => Reading::Writer(pools.writer.turn().await?),
        }))
    }

    pub(crate) async fn begin(&self) -> Result<Transaction, StoreError> {
        let Backend::Sqlite(pools) = &self.pools;
        Ok(Backend::Sqlite(pools.writer.begin().await?))
    }

    /// A transaction that `begin_with!` begins: every statement that travels alone is a trip of its own.
    pub(crate) async fn turn(&self) -> Result<Transaction, StoreError> {
        let Backend::Sqlite(pools) = &self.pools;
        Ok(Backend::Sqlite(pools.writer.writing().await?))
    }
}

impl Transaction {
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        let Backend::Sqlite(transaction) = self;
        transaction.commit().await
    }
}

impl Deref for Reading {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match self {
            Self::Beside(connection) => connection,
            Self::Writer(turn) => turn,
        }
    }
}

impl DerefMut for Reading {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Beside(connection) => connection,
            Self::Writer(turn) => turn,
        }
    }
}

fn readers() -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .min_connections(0)
        .acquire_timeout(BUSY)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

fn is_in_memory(url: &str) -> bool {
    url.contains(":memory:") || url.contains("mode=memory")
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

/// Appends bytes to a prefix as lower-case hex digits.
pub(crate) fn hex(prefix: impl Into<String>, bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(prefix.into(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::testing::{application, now};
    use super::*;

    #[tokio::test]
    async fn another_database_is_refused_without_showing_its_password() {
        for url in [
            "postgres://user:secret@host/db",
            "mysql://root:secret@host",
            "fedgate.db",
            "",
        ] {
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
