//! A bounded set of sessions, opened when they are needed.
//!
//! A session is lent without a trip to ask whether it still answers, which would cost as much as most statements do.
//! Instead, one session that is lost casts doubt on all: those that were opened before are not lent again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::super::{BUSY, CONNECTIONS, StoreError};
use super::session::Session;
use super::sole::Sole;

/// A session that has been idle for longer is asked whether it still answers: firewalls forget quiet connections.
const QUIET: Duration = Duration::from_secs(30);

/// The sessions. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Pool(Arc<Shared>);

struct Shared {
    options: PgConnectOptions,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
    /// Grows when a session is lost.
    generation: AtomicU64,
    /// Where no other gateway may take part.
    sole: OnceLock<Sole>,
}

/// A connection that nobody uses.
pub(super) struct Idle {
    pub(super) connection: PgConnection,
    /// The pool's generation when it was opened.
    pub(super) generation: u64,
    pub(super) since: Instant,
}

impl Pool {
    pub(super) fn new(options: PgConnectOptions, connections: usize) -> Self {
        Self(Arc::new(Shared {
            options,
            permits: Arc::new(Semaphore::new(connections)),
            idle: Mutex::default(),
            generation: AtomicU64::new(0),
            sole: OnceLock::new(),
        }))
    }

    /// A session that is not in a transaction.
    pub(in super::super) async fn lend(&self) -> Result<Session, StoreError> {
        timeout(BUSY, self.wait())
            .await
            .unwrap_or(Err(StoreError::Unavailable(sqlx::Error::PoolTimedOut)))
    }

    /// From now on, this gateway is the only one on the database, or writes nothing.
    ///
    /// # Errors
    /// [`StoreError::Held`]
    pub(in super::super) async fn keep_alone(&self) -> Result<(), StoreError> {
        let sole = Sole::take(self.0.options.clone()).await?;
        // Whoever has it already need not take it twice.
        drop(self.0.sole.set(sole));
        Ok(())
    }

    /// Whether this gateway may write.
    ///
    /// # Errors
    /// [`StoreError::Displaced`]
    pub(in super::super) fn admit(&self) -> Result<(), StoreError> {
        match self.0.sole.get() {
            Some(sole) if !sole.is_held() => Err(StoreError::Displaced),
            _ => Ok(()),
        }
    }

    /// A session in which a transaction has begun.
    pub(in super::super) async fn begin(&self) -> Result<Session, StoreError> {
        self.admit()?;
        let mut session = self.lend().await?;
        if session.begin().await.is_err() {
            // Nothing has happened yet: a server that was restarted meanwhile deserves one more try.
            drop(session);
            session = self.lend().await?;
            session.begin().await?;
        }
        Ok(session)
    }

    /// Idle and lent connections at this moment.
    pub(in super::super) fn idle_and_used(&self) -> (usize, usize) {
        let idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let free = self.0.permits.available_permits();
        (idle.len(), CONNECTIONS.saturating_sub(free))
    }

    /// Ends all sessions; there are none afterwards.
    pub(in super::super) async fn close(&self) {
        self.0.permits.close();
        if let Some(sole) = self.0.sole.get() {
            sole.release();
        }
        for idle in self.take_all() {
            let _ = timeout(BUSY, idle.connection.close()).await;
        }
    }

    /// Takes a session back.
    pub(super) fn keep(&self, idle: Idle) {
        if idle.generation == self.generation() && !self.0.permits.is_closed() {
            self.idle().push(idle);
        }
    }

    /// No session that is open now is lent again.
    pub(super) fn doubt(&self) {
        self.0.generation.fetch_add(1, Ordering::AcqRel);
        drop(self.take_all());
    }

    async fn wait(&self) -> Result<Session, StoreError> {
        let permit = self.0.permits.clone().acquire_owned().await;
        let permit = permit.map_err(|_| StoreError::Unavailable(sqlx::Error::PoolClosed))?;
        while let Some(mut idle) = self.take() {
            if idle.since.elapsed() < QUIET || idle.connection.ping().await.is_ok() {
                return Ok(self.session(idle, permit));
            }
        }
        Ok(self.session(self.connect().await?, permit))
    }

    pub(super) async fn connect(&self) -> Result<Idle, StoreError> {
        let generation = self.generation();
        Ok(Idle {
            connection: self.0.options.connect().await?,
            generation,
            since: Instant::now(),
        })
    }

    fn session(&self, idle: Idle, permit: OwnedSemaphorePermit) -> Session {
        Session::new(idle, self.clone(), permit)
    }

    fn take(&self) -> Option<Idle> {
        self.idle().pop()
    }

    fn take_all(&self) -> Vec<Idle> {
        std::mem::take(&mut *self.idle())
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }
}

/// The options hold a password.
impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}
