//! The gateway's database, looked at and filled behind its back.

use std::path::PathBuf;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _};
use sqlx::{PgConnection, SqliteConnection};

use crate::Outcome;

/// Where the rows are.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    Sqlite(PathBuf),
    /// Its URL.
    Postgres(String),
}

/// A connection of this program's own.
#[derive(Debug)]
pub(crate) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// The same statement on either.
macro_rules! on {
    ($self:expr, $connection:ident => $what:expr) => {
        match $self {
            Connection::Sqlite($connection) => $what,
            Connection::Postgres($connection) => $what,
        }
    };
}

impl Database {
    /// As the tables call it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    /// `[store] url`
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(file) => format!("sqlite:{}", file.display()),
            Self::Postgres(url) => url.clone(),
        }
    }

    pub(crate) async fn connect(&self) -> Outcome<Connection> {
        Ok(match self {
            Self::Sqlite(file) => {
                let options = SqliteConnectOptions::new().filename(file);
                Connection::Sqlite(options.disable_statement_logging().connect().await?)
            }
            Self::Postgres(url) => Connection::Postgres(PgConnection::connect(url).await?),
        })
    }
}

impl Connection {
    /// Runs statements that answer nothing.
    pub(crate) async fn run(&mut self, sql: &str) -> Outcome<()> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        on!(self, connection => connection.execute(sql).await.map(|_| ()))?;
        Ok(())
    }

    /// The whole numbers of the first row.
    pub(crate) async fn numbers(&mut self, sql: &str) -> Outcome<Vec<i64>> {
        let sql = AssertSqlSafe(sql.to_owned());
        on!(self, connection => {
            let row = connection.fetch_one(sql).await?;
            (0..row.len()).map(|index| Ok(row.try_get(index)?)).collect()
        })
    }

    /// The first column, which holds texts.
    pub(crate) async fn texts(&mut self, sql: &str) -> Outcome<Vec<String>> {
        let sql = AssertSqlSafe(sql.to_owned());
        on!(self, connection => {
            let rows = connection.fetch_all(sql).await?;
            rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
        })
    }

    /// A text and two whole numbers a row.
    pub(crate) async fn sizes(&mut self, sql: &str) -> Outcome<Vec<(String, i64, i64)>> {
        let sql = AssertSqlSafe(sql.to_owned());
        on!(self, connection => {
            let rows = connection.fetch_all(sql).await?;
            rows.iter()
                .map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)))
                .collect()
        })
    }

    pub(crate) async fn close(self) -> Outcome<()> {
        on!(self, connection => connection.close().await)?;
        Ok(())
    }
}
