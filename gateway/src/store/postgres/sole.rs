//! One gateway alone: codes and counters in its own memory allow no second one on the same database.
//!
//! An advisory lock of a session of its own tells so, held as long as the gateway runs. The server frees it as soon as
//! the session ends, however the gateway ended. Where the session is lost instead, the gateway writes nothing until it
//! holds the lock again: another one may have taken its place.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::super::StoreError;

/// What the lock is known by, within a database: "fedgate".
const KEY: i64 = 0x66_6564_6761_7465;
/// How often the session is asked whether it is still there.
const LOOK: Duration = Duration::from_millis(250);
/// The longest that its answer is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// A gateway that starts waits for the one before it to end; a server gives up a gateway's machine that has fallen
/// silent after 20 seconds, when that gateway has long stopped writing, if it still runs.
const SETTINGS: [(&str, &str); 5] = [
    ("lock_timeout", "2s"),
    ("statement_timeout", "3s"),
    ("tcp_keepalives_idle", "5"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
];
/// `lock_not_available`
const LOCKED: &str = "55P03";

/// That this gateway is alone, for as long as the value lives.
#[derive(Debug)]
pub(super) struct Sole {
    is_held: Arc<AtomicBool>,
    watch: JoinHandle<()>,
}

/// The session that holds the lock.
struct Lock(PgConnection);

impl Sole {
    /// Takes the lock.
    ///
    /// # Errors
    /// [`StoreError::Held`] while another gateway has it.
    pub(super) async fn take(options: PgConnectOptions) -> Result<Self, StoreError> {
        let options = options.options(SETTINGS).disable_statement_logging();
        let lock = Lock::take(&options).await?;
        let is_held = Arc::new(AtomicBool::new(true));
        let watch = tokio::spawn(watch(lock, options, is_held.clone()));
        Ok(Self { is_held, watch })
    }

    /// Whether this gateway may write.
    pub(super) fn is_held(&self) -> bool {
        self.is_held.load(Ordering::Acquire)
    }

    /// Gives the lock up.
    pub(super) fn release(&self) {
        self.is_held.store(false, Ordering::Release);
        self.watch.abort();
    }
}

impl Drop for Sole {
    fn drop(&mut self) {
        self.release();
    }
}

impl Lock {
    async fn take(options: &PgConnectOptions) -> Result<Self, StoreError> {
        let connecting = timeout(PATIENCE, options.connect()).await;
        let mut session = connecting.map_err(|_| sqlx::Error::PoolTimedOut)??;
        let taking = sqlx::query("SELECT pg_advisory_lock($1)").bind(KEY);
        match taking.execute(&mut session).await {
            Ok(_) => Ok(Self(session)),
            Err(error) => Err(match error.as_database_error() {
                Some(cause) if cause.code().as_deref() == Some(LOCKED) => StoreError::Held,
                _ => error.into(),
            }),
        }
    }

    /// Returns when the session is lost, or when nobody knows.
    async fn until_lost(mut self) {
        while matches!(timeout(PATIENCE, self.0.ping()).await, Ok(Ok(()))) {
            sleep(LOOK).await;
        }
    }
}

async fn watch(mut lock: Lock, options: PgConnectOptions, is_held: Arc<AtomicBool>) {
    loop {
        lock.until_lost().await;
        is_held.store(false, Ordering::Release);
        tracing::error!(
            "the database's lock is lost: no login is let through until it is held again"
        );
        lock = again(&options).await;
        is_held.store(true, Ordering::Release);
        tracing::info!("the database's lock is held again");
    }
}

async fn again(options: &PgConnectOptions) -> Lock {
    loop {
        match Lock::take(options).await {
            Ok(lock) => return lock,
            Err(error) => tracing::warn!(%error, "the database's lock is not held"),
        }
        sleep(LOOK).await;
    }
}
