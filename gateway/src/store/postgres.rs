//! PostgreSQL: how its sessions are opened, and how its tables are brought up to date.

mod pool;
mod session;
mod sole;

use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use super::StoreError;
pub(crate) use pool::Pool;
pub(crate) use session::Session;

/// How the sessions are told apart on the server.
const NAME: &str = "fedgate";
/// Prepared statements that a session keeps: more than the gateway has.
const STATEMENTS: usize = 500;
/// What a session lives by. A statement waits for a lock no longer than a person for a page, and a transaction whose
/// gateway has gone silent does not hold what others wait for. The sign-in is made for READ COMMITTED: races end at
/// unique keys and locked rows, and the loser decides again.
const SETTINGS: [(&str, &str); 4] = [
    ("statement_timeout", "5s"),
    ("lock_timeout", "4s"),
    ("idle_in_transaction_session_timeout", "10s"),
    ("default_transaction_isolation", "read committed"),
];
/// What bringing the tables up to date lives by: a replica that starts at the same moment waits for the first one.
const MIGRATION_SETTINGS: [(&str, &str); 1] = [("lock_timeout", "60s")];

/// Opens the database of a URL in libpq's form, `sslmode` and `sslrootcert` included, with up to date tables.
///
/// # Errors
/// [`StoreError::Unavailable`], [`StoreError::Migration`]
pub(super) async fn open(url: &str, connections: usize) -> Result<Pool, StoreError> {
    let options = options(url)?;
    migrate(&options).await?;
    Ok(Pool::new(options.options(SETTINGS), connections))
}

fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    Ok(PgConnectOptions::from_str(url)?
        .application_name(NAME)
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging())
}

/// Under sqlx's advisory lock, so that replicas that start together do it once.
async fn migrate(options: &PgConnectOptions) -> Result<(), StoreError> {
    let options = options.clone().options(MIGRATION_SETTINGS);
    let mut connection: PgConnection = options.connect().await?;
    sqlx::migrate!("migrations/postgres")
        .run(&mut connection)
        .await
        .map_err(StoreError::migration)?;
    Ok(connection.close().await?)
}

#[cfg(test)]
mod tests;
