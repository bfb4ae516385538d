//! What a sign-in leaves in the database, counted in the file itself: also after its process died.

use std::path::Path;

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

impl Rows {
    /// Counts them in the database of a gateway's folder.
    pub async fn count(folder: &Path) -> Self {
        let mut connection = connect(folder).await;
        let rows = sqlx::query_as(
            "SELECT (SELECT count(*) FROM users) AS users, (SELECT count(*) FROM identities) AS identities,
                (SELECT count(*) FROM memberships) AS memberships, (SELECT count(*) FROM login_sessions) AS sessions,
                (SELECT count(*) FROM marks) AS marks, (SELECT count(*) FROM outbox) AS events",
        );
        let counted = rows.fetch_one(&mut connection).await.expect("rows");
        connection.close().await.expect("an end");
        counted
    }
}

/// How many traces are kept, and how many bytes they have.
pub async fn traces(folder: &Path) -> (i64, i64) {
    let mut connection = connect(folder).await;
    let traces = sqlx::query_as("SELECT count(*), coalesce(sum(length(body)), 0) FROM traces");
    let counted = traces.fetch_one(&mut connection).await.expect("traces");
    connection.close().await.expect("an end");
    counted
}

async fn connect(folder: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(database(folder));
    options.connect().await.expect("the database")
}
