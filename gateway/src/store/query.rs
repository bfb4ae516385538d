//! One SQL text for every backend. The macros match on the pool and leave the row type to its `FromRow`.
//!
//! Texts keep to what SQLite and PostgreSQL both take: `$1`, `RETURNING`, `ON CONFLICT`, row values.

/// The same thing of each backend. PostgreSQL becomes the second variant.
#[derive(Clone, Debug)]
pub(crate) enum Backend<S> {
    /// SQLite.
    Sqlite(S),
}

/// All rows: `fetch_all!(reader, Row, "SELECT … $1", argument)`.
macro_rules! fetch_all {
    ($on:expr, $row:ty, $sql:expr $(, $argument:expr)* $(,)?) => {
        match &mut $on {
            $crate::store::query::Backend::Sqlite(connection) => sqlx::query_as::<_, $row>($sql)
                $(.bind($argument))*
                .fetch_all(&mut **connection).await.map_err($crate::store::StoreError::from),
        }
    };
}

/// The first row, if any.
macro_rules! fetch_optional {
    ($on:expr, $row:ty, $sql:expr $(, $argument:expr)* $(,)?) => {
        match &mut $on {
            $crate::store::query::Backend::Sqlite(connection) => sqlx::query_as::<_, $row>($sql)
                $(.bind($argument))*
                .fetch_optional(&mut **connection).await.map_err($crate::store::StoreError::from),
        }
    };
}

/// No rows; answers how many were touched.
macro_rules! execute {
    ($on:expr, $sql:expr $(, $argument:expr)* $(,)?) => {
        match &mut $on {
            $crate::store::query::Backend::Sqlite(connection) => sqlx::query($sql)
                $(.bind($argument))*
                .execute(&mut **connection).await
                .map(|done| done.rows_affected()).map_err($crate::store::StoreError::from),
        }
    };
}

/// Several statements over one numbering of arguments. SQLite takes them in one trip to its thread;
/// a server takes them one by one, each with all arguments.
macro_rules! batch {
    ($on:expr, [$($sql:literal),+ $(,)?] $(, $argument:expr)* $(,)?) => {
        match &mut $on {
            $crate::store::query::Backend::Sqlite(connection) => sqlx::query(concat!($($sql, ";\n"),+))
                $(.bind($argument))*
                .execute(&mut **connection).await
                .map(|done| done.rows_affected()).map_err($crate::store::StoreError::from),
        }
    };
}

/// The first row, if any, by the statement that begins a [`Store::turn`](crate::store::Store::turn).
macro_rules! begin_with {
    ($on:expr, $row:ty, $sql:literal $(, $argument:expr)* $(,)?) => {
        match &mut $on {
            $crate::store::query::Backend::Sqlite(connection) =>
                sqlx::query_as::<_, $row>(concat!("BEGIN IMMEDIATE;\n", $sql))
                    $(.bind($argument))*
                    .fetch_optional(&mut **connection).await.map_err($crate::store::StoreError::from),
        }
    };
}

/// Several statements over one numbering of arguments, and the end of their transaction, which is taken. Where one
/// fails, those behind it do not run, the `COMMIT` among them.
macro_rules! commit_with {
    ($on:expr, [$($sql:literal),+ $(,)?] $(, $argument:expr)* $(,)?) => {
        match $on {
            $crate::store::query::Backend::Sqlite(mut connection) =>
                sqlx::query(concat!($($sql, ";\n"),+, "COMMIT"))
                    $(.bind($argument))*
                    .execute(&mut *connection).await
                    .map(|_| connection.committed()).map_err($crate::store::StoreError::from),
        }
    };
}

/// `INSERT … VALUES` of many rows: the closure binds one item's columns.
macro_rules! insert_all {
    ($on:expr, $sql:expr, $items:expr, $suffix:expr, $bind:expr) => {
        match &mut $on {
            $crate::store::query::Backend::Sqlite(connection) => {
                let mut query = sqlx::QueryBuilder::<sqlx::Sqlite>::new($sql);
                query.push_values($items, $bind);
                query.push($suffix);
                query
                    .build()
                    .persistent(false)
                    .execute(&mut **connection)
                    .await
                    .map(|done| done.rows_affected())
                    .map_err($crate::store::StoreError::from)
            }
        }
    };
}

pub(crate) use {batch, begin_with, commit_with, execute, fetch_all, fetch_optional, insert_all};
