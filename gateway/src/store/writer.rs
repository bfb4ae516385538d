//! The one connection that writes; transactions take turns.
//!
//! Every statement is a trip to the connection's own thread and back, which costs more than most statements do. A pool
//! of one would make a trip after each transaction to see that the connection still answers, and sqlx's own `BEGIN` and
//! `COMMIT` make two each, so that both are plain statements here.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::{BUSY, StoreError};

/// The connection and whose turn it is. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    connection: Arc<Mutex<SqliteConnection>>,
    turns: Arc<Semaphore>,
    /// The connection answers no more: the next turn opens another.
    lost: Arc<AtomicBool>,
    options: Arc<SqliteConnectOptions>,
}

/// The connection, for as long as nobody else has it.
#[derive(Debug)]
pub(crate) struct Turn {
    connection: OwnedMutexGuard<SqliteConnection>,
    writer: Writer,
    /// Taken along by what ends an open transaction.
    permit: Option<OwnedSemaphorePermit>,
}

/// An open transaction of the writer; rolled back when dropped.
#[derive(Debug)]
pub(crate) struct Writing(Turn);

impl Writer {
    pub(super) async fn open(options: SqliteConnectOptions) -> Result<Self, StoreError> {
        Ok(Self {
            connection: Arc::new(Mutex::new(options.connect().await?)),
            turns: Arc::new(Semaphore::new(1)),
            lost: Arc::default(),
            options: Arc::new(options),
        })
    }

    /// Whether somebody has the connection at this moment.
    pub(super) fn is_taken(&self) -> bool {
        self.turns.available_permits() == 0
    }

    /// Waits for its turn.
    pub(super) async fn turn(&self) -> Result<Turn, StoreError> {
        let permit = timeout(BUSY, self.turns.clone().acquire_owned())
            .await
            .map_err(|_| StoreError::Unavailable(sqlx::Error::PoolTimedOut))?
            .map_err(|_| StoreError::Unavailable(sqlx::Error::PoolClosed))?;
        let mut connection = self.connection.clone().lock_owned().await;
        if self.lost.load(Ordering::Acquire) {
            *connection = self.options.connect().await?;
            self.lost.store(false, Ordering::Release);
        }
        Ok(Turn {
            connection,
            writer: self.clone(),
            permit: Some(permit),
        })
    }

    /// A transaction that its first statement begins. Whether a `BEGIN` that was interrupted took place is not known:
    /// from here on, what is dropped is rolled back.
    pub(super) async fn writing(&self) -> Result<Writing, StoreError> {
        Ok(Writing(self.turn().await?))
    }

    pub(super) async fn begin(&self) -> Result<Writing, StoreError> {
        let mut writing = self.writing().await?;
        sqlx::query("BEGIN IMMEDIATE")
            .execute(&mut *writing)
            .await?;
        Ok(writing)
    }

    /// Closes the connection, which moves the write-ahead log into the file; there are no turns afterwards.
    pub(super) async fn close(&self) {
        self.turns.close();
        let mut connection = self.connection.lock().await;
        // What is closed leaves its place for good: one without a file takes it.
        let nothing = SqliteConnectOptions::new().in_memory(true);
        if let Ok(nothing) = nothing.connect().await {
            let _ = std::mem::replace(&mut *connection, nothing).close().await;
        }
    }
}

impl Writing {
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        sqlx::query("COMMIT").execute(&mut *self).await?;
        self.committed();
        Ok(())
    }

    /// Ends the turn after a `COMMIT`.
    pub(crate) fn committed(mut self) {
        self.0.permit = None;
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let Some(permit) = self.0.permit.take() else {
            return;
        };
        let writer = self.0.writer.clone();
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(roll_back(writer, permit))),
            Err(_) => writer.lost.store(true, Ordering::Release),
        }
    }
}

/// The turn ends with the permit.
async fn roll_back(writer: Writer, _permit: OwnedSemaphorePermit) {
    let mut connection = writer.connection.lock().await;
    match sqlx::query("ROLLBACK").execute(&mut *connection).await {
        // SQLite has rolled back by itself, or there was no BEGIN.
        Ok(_) | Err(sqlx::Error::Database(_)) => {}
        Err(error) => {
            tracing::error!(%error, "the database's writer is lost");
            writer.lost.store(true, Ordering::Release);
        }
    }
}

impl Deref for Turn {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.connection
    }
}

impl DerefMut for Turn {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

impl Deref for Writing {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.0
    }
}

impl DerefMut for Writing {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use crate::store::testing::{TestStore, application, now};

    #[tokio::test]
    async fn a_dropped_transaction_is_rolled_back_before_the_next_turn() {
        let store = TestStore::sqlite().await;
        let mut transaction = store.begin().await.unwrap();
        crate::store::query::execute!(transaction, "DELETE FROM applications").unwrap();
        drop(transaction);
        store
            .create_application(&application("demo"), now())
            .await
            .unwrap();
        assert!(store.application("demo").await.unwrap().is_some());
    }

    #[tokio::test]
    async fn whoever_gives_up_while_the_transaction_begins_leaves_nothing_open() {
        let store = TestStore::sqlite().await;
        let mut given_up = 0;
        for number in 0..50 {
            let mut beginning = Box::pin(store.begin());
            let context = &mut Context::from_waker(Waker::noop());
            // The connection's own thread may already have answered: then an open transaction is dropped.
            given_up += usize::from(beginning.as_mut().poll(context).is_pending());
            drop(beginning);
            let client_id = format!("demo-{number}");
            store
                .create_application(&application(&client_id), now())
                .await
                .unwrap();
            assert!(store.application(&client_id).await.unwrap().is_some());
        }
        assert_ne!(given_up, 0);
    }

    #[tokio::test]
    async fn a_writer_that_is_lost_is_opened_again() {
        let store = TestStore::sqlite().await;
        let crate::store::Backend::Sqlite(pools) = &store.pools else {
            panic!("not a file");
        };
        pools
            .writer
            .lost
            .store(true, std::sync::atomic::Ordering::Release);
        store
            .create_application(&application("demo"), now())
            .await
            .unwrap();
        assert!(store.application("demo").await.unwrap().is_some());
    }
}
