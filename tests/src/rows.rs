//! What a sign-in leaves in the database, counted in the database itself: also after its process died.

use std::path::Path;

use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::gateway::database;

/// Rows of the tables that a sign-in writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Rows {
    /// Users.
    pub users: i64,
    /// Identities.
    pub identities: i64,
    /// Memberships.
    pub memberships: i64,
    /// Login sessions.
    pub sessions: i64,
    /// Marks of logins and assertions.
    pub marks: i64,
    /// Events in the outbox.
    pub events: i64,
}

/// A connection of the tests' own.
enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Rows {
    /// Counts them in the database of the gateway that is configured in a folder.
    pub async fn count(folder: &Path) -> Self {
        let rows = "SELECT (SELECT count(*) FROM users) AS users, (SELECT count(*) FROM identities) AS identities,
                (SELECT count(*) FROM memberships) AS memberships, (SELECT count(*) FROM login_sessions) AS sessions,
                (SELECT count(*) FROM marks) AS marks, (SELECT count(*) FROM outbox) AS events";
        match connect(folder).await {
            Connection::Sqlite(mut connection) => {
                let counted = sqlx::query_as(rows).fetch_one(&mut connection).await;
                connection.close().await.expect("an end");
                counted.expect("rows")
            }
            Connection::Postgres(mut connection) => {
                let counted = sqlx::query_as(rows).fetch_one(&mut connection).await;
                connection.close().await.expect("an end");
                counted.expect("rows")
            }
        }
    }
}

/// How many traces are kept, and how many bytes they have.
pub async fn traces(folder: &Path) -> (i64, i64) {
    pair(
        folder,
        "SELECT count(*), coalesce(sum(length(body)), 0) FROM traces",
    )
    .await
}

/// How many bytes the whole database has.
pub async fn bytes(folder: &Path) -> u64 {
    match connect(folder).await {
        Connection::Postgres(_) => {
            let (bytes, _) = pair(
                folder,
                "SELECT pg_database_size(current_database()), CAST(0 AS BIGINT)",
            )
            .await;
            u64::try_from(bytes).expect("a size")
        }
        Connection::Sqlite(_) => {
            let file = database(folder);
            [file.with_extension("db-wal"), file]
                .iter()
                .filter_map(|file| std::fs::metadata(file).ok())
                .map(|metadata| metadata.len())
                .sum()
        }
    }
}

async fn pair(folder: &Path, query: &'static str) -> (i64, i64) {
    match connect(folder).await {
        Connection::Sqlite(mut connection) => {
            let pair = sqlx::query_as(query).fetch_one(&mut connection).await;
            connection.close().await.expect("an end");
            pair.expect("a row")
        }
        Connection::Postgres(mut connection) => {
            let pair = sqlx::query_as(query).fetch_one(&mut connection).await;
            connection.close().await.expect("an end");
            pair.expect("a row")
        }
    }
}

/// The gateway's own configuration says where.
async fn connect(folder: &Path) -> Connection {
    let text = std::fs::read_to_string(folder.join("fedgate.toml")).expect("a configuration");
    let configuration: toml::Table = text.parse().expect("TOML");
    let url = configuration["store"]["url"].as_str().expect("a URL");
    if url.starts_with("postgres:") {
        return Connection::Postgres(PgConnection::connect(url).await.expect("the database"));
    }
    let options = SqliteConnectOptions::new().filename(database(folder));
    Connection::Sqlite(options.connect().await.expect("the database"))
}
