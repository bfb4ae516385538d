//! SQLite: one writer connection, which begins every transaction with `BEGIN IMMEDIATE`, and a small pool of readers
//! beside it (WAL: they never wait for each other).

use std::ops::{Deref, DerefMut};
use std::str::FromStr;

use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Sqlite, SqliteConnection, SqlitePool};

use super::writer::{Turn, Writer};
use super::{BUSY, PoolUse, StoreError};

/// Connections that read beside the writer.
const READERS: u32 = 4;
/// Page cache of the writer, in KiB (a negative `cache_size` counts KiB).
const WRITER_CACHE: &str = "-4096";
/// Page cache of each reader, likewise.
const READER_CACHE: &str = "-1024";
/// Pages in the write-ahead log before they move to the database file.
const CHECKPOINT_PAGES: &str = "4000";

/// The connections of one file.
#[derive(Clone, Debug)]
pub(crate) struct Pools {
    /// None: the writer reads as well.
    reader: Option<SqlitePool>,
    pub(super) writer: Writer,
}

/// A connection that reads.
#[derive(Debug)]
pub(crate) enum Reading {
    /// Beside the writer.
    Beside(PoolConnection<Sqlite>),
    /// The writer itself.
    Writer(Turn),
}

impl Pools {
    /// The writer, and those who read beside it.
    pub(super) fn in_use(&self) -> Vec<PoolUse> {
        let taken = usize::from(self.writer.is_taken());
        let writer = PoolUse {
            name: "writer",
            idle: 1 - taken,
            used: taken,
        };
        let readers = self.reader.as_ref().map(|pool| {
            let open = usize::try_from(pool.size()).unwrap_or(usize::MAX);
            PoolUse {
                name: "readers",
                idle: pool.num_idle(),
                used: open.saturating_sub(pool.num_idle()),
            }
        });
        std::iter::once(writer).chain(readers).collect()
    }

    pub(super) async fn open(url: &str) -> Result<Self, StoreError> {
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
        Ok(Self { reader, writer })
    }

    pub(super) async fn read(&self) -> Result<Reading, StoreError> {
        Ok(match &self.reader {
            Some(reader) => Reading::Beside(reader.acquire().await?),
            None => Reading::Writer(self.writer.turn().await?),
        })
    }

    /// Ends all connections, after moving the write-ahead log into the file.
    pub(super) async fn close(&self) {
        if let Some(reader) = &self.reader {
            reader.close().await;
        }
        self.writer.close().await;
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
