//! How many octets a row takes, with its part of the indexes.

use crate::Outcome;
use crate::database::{Connection, Database};
use crate::table::{head, row};

/// Tables that grow with tenants and people.
const TABLES: [&str; 11] = [
    "organizations",
    "connections",
    "metadata_revisions",
    "connection_domains",
    "application_connections",
    "users",
    "identities",
    "memberships",
    "login_sessions",
    "marks",
    "outbox",
];
const SQLITE: &str = "SELECT m.tbl_name, sum(CASE WHEN m.type = 'table' THEN s.pgsize ELSE 0 END),
    sum(CASE WHEN m.type = 'index' THEN s.pgsize ELSE 0 END)
    FROM sqlite_schema m JOIN dbstat s ON s.name = m.name WHERE s.aggregate = TRUE GROUP BY m.tbl_name";
const POSTGRES: &str = "SELECT CAST(relname AS TEXT), CAST(pg_table_size(oid) AS BIGINT), CAST(pg_indexes_size(oid) AS BIGINT)
    FROM pg_class WHERE relkind = 'r' AND relnamespace = CAST('public' AS regnamespace)";

/// Of each table: rows, octets, octets of its indexes.
pub(crate) type Sizes = Vec<(&'static str, i64, i64, i64)>;

/// Reads the sizes of all tables.
pub(crate) async fn measure(database: &Database) -> Outcome<Sizes> {
    let mut connection = database.connect().await?;
    let sizes = match &connection {
        Connection::Sqlite(_) => connection.sizes(SQLITE).await?,
        Connection::Postgres(_) => connection.sizes(POSTGRES).await?,
    };
    let mut measured = Vec::new();
    for table in TABLES {
        let rows = connection
            .numbers(&format!("SELECT count(*) FROM {table}"))
            .await?;
        let found = sizes.iter().find(|(name, ..)| name == table);
        let (_, octets, indexes) = found.ok_or_else(|| format!("no table {table}"))?;
        measured.push((
            table,
            rows.first().copied().unwrap_or_default(),
            *octets,
            *indexes,
        ));
    }
    connection.close().await?;
    Ok(measured)
}

/// One row for each table of each store.
pub(crate) fn table<'a>(stores: impl Iterator<Item = (&'static str, &'a Sizes)>) -> String {
    let mut text = head(&["store", "table", "rows", "octets a row", "of its indexes"]);
    for (store, sizes) in stores {
        for (table, rows, octets, indexes) in sizes.iter().filter(|(_, rows, ..)| *rows > 0) {
            let each = |octets: i64| (octets / (*rows).max(1)).to_string();
            text += &row(&[
                store.to_owned(),
                format!("`{table}`"),
                rows.to_string(),
                each(*octets),
                each(*indexes),
            ]);
        }
    }
    text
}
