//! One SQL text for every backend. The macros match on the backend and leave the row type to its `FromRow`.
//!
//! Texts keep to what SQLite and PostgreSQL both take: `$1`, `RETURNING`, `ON CONFLICT`, row values. What only a
//! server needs beside it, the locks of a transaction that others do not wait for, is named apart.

/// The same thing of each backend.
#[derive(Clone, Debug)]
pub(crate) enum Backend<S, P> {
    /// SQLite.
    Sqlite(S),
    /// PostgreSQL.
    Postgres(P),
}

/// All rows: `fetch_all!(reader, Row, "SELECT … $1", argument)`.
macro_rules! fetch_all {
    ($on:expr, $row:ty, $sql:expr $(, $argument:expr)* $(,)?) => {
        match &mut $on {
            $crate::store::query::Backend::Sqlite(connection) => sqlx::query_as::<_, $row>($sql)
                $(.bind($argument))*
                .fetch_all(&mut **connection).await.map_err($crate::store::StoreError::from),
            $crate::store::query::Backend::Postgres(session) => session
                .fetch_all(sqlx::query_as::<_, $row>($sql)$(.bind($argument))*).await,
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
            $crate::store::query::Backend::Postgres(session) => session
                .fetch_optional(sqlx::query_as::<_, $row>($sql)$(.bind($argument))*).await,
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
            $crate::store::query::Backend::Postgres(session) => session
                .execute(sqlx::query($sql)$(.bind($argument))*).await,
        }
    };
}

/// Several statements over one numbering of arguments, one after the other. SQLite takes them in one trip to its
/// thread; a server takes them one by one, each with all arguments. Answers nothing: the backends count differently.
macro_rules! batch {
    ($on:expr, [$($sql:literal),+ $(,)?] $(, $argument:expr)* $(,)?) => {
        match &mut $on {
            $crate::store::query::Backend::Sqlite(connection) => sqlx::query(concat!($($sql, ";\n"),+))
                $(.bind($argument))*
                .execute(&mut **connection).await
                .map(drop).map_err($crate::store::StoreError::from),
            $crate::store::query::Backend::Postgres(session) => session
                .execute_each(&[$($sql),+], sqlx::query("")$(.bind($argument))*).await,
        }
    };
}

/// As [`batch!`], for statements that do not look at each other's rows, each with a name: one trip to a server too.
macro_rules! at_once {
    ($on:expr, [$($name:ident = $sql:literal),+ $(,)?] $(, $argument:expr)* $(,)?) => {
        match &mut $on {
            $crate::store::query::Backend::Sqlite(connection) => sqlx::query(concat!($($sql, ";\n"),+))
                $(.bind($argument))*
                .execute(&mut **connection).await
                .map(drop).map_err($crate::store::StoreError::from),
            $crate::store::query::Backend::Postgres(session) => session
                .execute(sqlx::query(concat!(
                    "WITH nothing AS (SELECT 1)", $(", ", stringify!($name), " AS (", $sql, ")",)+ " SELECT 1"))
                    $(.bind($argument))*)
                .await.map(drop),
        }
    };
}

/// The first row, if any, by the statement that begins a [`Store::turn`](crate::store::Store::turn). On a server it
/// stands alone: the transaction begins with the first statement that writes.
macro_rules! begin_with {
    ($on:expr, $row:ty, $sql:literal $(, $argument:expr)* $(,)?) => {
        match &mut $on {
            $crate::store::query::Backend::Sqlite(connection) =>
                sqlx::query_as::<_, $row>(concat!("BEGIN IMMEDIATE;\n", $sql))
                    $(.bind($argument))*
                    .fetch_optional(&mut **connection).await.map_err($crate::store::StoreError::from),
            $crate::store::query::Backend::Postgres(session) => session
                .fetch_alone(sqlx::query_as::<_, $row>($sql)$(.bind($argument))*).await,
        }
    };
}

/// Several statements over one numbering of arguments, each with a name, and the end of their transaction, which is
/// taken. Where one fails, nothing is written.
///
/// They do not look at each other's rows: a server takes them as one statement. `held` names what was decided on:
/// rows that are locked there until the end, and without which the whole fails as a lost race. (A division by zero,
/// for want of another way to fail inside a statement.) SQLite's writer has kept everybody else out since it read.
macro_rules! commit_with {
    ($on:expr, held $held:literal, [$($name:ident = $sql:literal),+ $(,)?] $(, $argument:expr)* $(,)?) => {
        match $on {
            $crate::store::query::Backend::Sqlite(mut connection) =>
                sqlx::query(concat!($($sql, ";\n"),+, "COMMIT"))
                    $(.bind($argument))*
                    .execute(&mut *connection).await
                    .map(|_| connection.committed()).map_err($crate::store::StoreError::from),
            $crate::store::query::Backend::Postgres(session) => session
                .commit_with(sqlx::query(concat!(
                    "WITH held AS MATERIALIZED (", $held, " FOR SHARE)",
                    $(", ", stringify!($name), " AS (", $sql, ")",)+ " SELECT 1 / count(*) FROM held"))
                    $(.bind($argument))*)
                .await,
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
            $crate::store::query::Backend::Postgres(session) => {
                let mut query = sqlx::QueryBuilder::<sqlx::Postgres>::new($sql);
                query.push_values($items, $bind);
                query.push($suffix);
                session.execute(query.build().persistent(false)).await
            }
        }
    };
}

/// All rows of a statement whose text grows with its arguments:
/// `fetch_built!(reader, Row, query, { query.push("…").push_bind(argument); })`.
macro_rules! fetch_built {
    ($on:expr, $row:ty, $query:ident, $build:block) => {
        match &mut $on {
            $crate::store::query::Backend::Sqlite(connection) => {
                let mut $query = sqlx::QueryBuilder::<sqlx::Sqlite>::new("");
                $build
                $query
                    .build_query_as::<$row>()
                    .persistent(false)
                    .fetch_all(&mut **connection)
                    .await
                    .map_err($crate::store::StoreError::from)
            }
            $crate::store::query::Backend::Postgres(session) => {
                let mut $query = sqlx::QueryBuilder::<sqlx::Postgres>::new("");
                $build
                session
                    .fetch_all($query.build_query_as::<$row>().persistent(false))
                    .await
            }
        }
    };
}

/// Adds `(argument, …)` of a list that is not empty to the statement of [`fetch_built!`].
macro_rules! push_list {
    ($query:ident, $items:expr) => {
        let mut list = $query.separated(", ");
        list.push_unseparated("(");
        for item in $items {
            list.push_bind(item);
        }
        list.push_unseparated(")");
    };
}

pub(crate) use {
    at_once, batch, begin_with, commit_with, execute, fetch_all, fetch_built, fetch_optional,
    insert_all, push_list,
};
