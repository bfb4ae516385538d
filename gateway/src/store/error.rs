//! What can go wrong with the store.

use fedgate_providers::error::Refusal;

fedgate_providers::refusals! {
    /// What the store refuses.
    pub enum StoreRefusal in "store" {
        /// The database did not answer, or not in time, or somebody else changed the same thing at the same moment.
        Unavailable = "unavailable", Gateway,
            says "Signing in is interrupted for a moment.",
            fix "Look at the database and its disk: the log names the cause. Nothing was written, so that the same can be tried again.";
        /// Another gateway has this database to itself, since codes and counters are kept in its own memory.
        Held = "held", Operator,
            says "The gateway's database is in use by another gateway.",
            fix "End the other gateway; or give all of them the same [ephemeral] url, so that they share one Redis.";
        /// A row holds what this version does not write.
        Corrupt = "corrupt", Gateway,
            says "Signing in is not possible at the moment.",
            fix "The database was changed by hand or by a newer version. Restore a backup or run the newer version.";
    }
}

/// A domain that another connection holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainTaken {
    /// Its place in the list that was sent, from 0.
    pub index: usize,
    /// The domain.
    pub domain: String,
}

/// What can go wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names a database that this build does not speak.
    #[error("store.url names “{0}:”; this build takes sqlite:PATH and postgres://…")]
    Unsupported(String),
    /// The database did not answer.
    #[error("the database did not answer")]
    Unavailable(#[source] sqlx::Error),
    /// The tables could not be brought up to date.
    #[error("the database's tables could not be brought up to date")]
    Migration(#[source] Box<sqlx::migrate::MigrateError>),
    /// The version is not the expected one, or the name is taken.
    #[error("{0} was changed in between, or exists already")]
    Conflict(&'static str),
    /// Another gateway has the database to itself.
    #[error("another gateway has this database to itself")]
    Held,
    /// This gateway had the database to itself and does not know whether it still does.
    #[error("the lock that keeps other gateways out of the database is lost")]
    Displaced,
    /// Others changed the same rows at the same moment, and were quicker: to be decided again on what they wrote.
    #[error("others changed the same rows at the same moment")]
    Raced,
    /// No such row.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// Domains that other connections hold, every one of them.
    #[error("domains belong to other connections")]
    DomainsTaken(Vec<DomainTaken>),
    /// A row holds what this version does not write.
    #[error("the stored {0} cannot be read")]
    Corrupt(&'static str),
}

impl StoreError {
    pub(crate) fn migration(error: sqlx::migrate::MigrateError) -> Self {
        Self::Migration(Box::new(error))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            _ if code(&error).is_some_and(|code| RACES.contains(&code.as_ref())) => Self::Raced,
            sqlx::Error::Database(cause) if cause.is_unique_violation() => Self::Conflict("row"),
            sqlx::Error::Database(cause) if cause.is_foreign_key_violation() => {
                Self::NotFound("referenced row")
            }
            _ => Self::Unavailable(error),
        }
    }
}

/// PostgreSQL's codes (its manual's appendix A) of races that somebody else has won: `serialization_failure`,
/// `deadlock_detected`, and `division_by_zero`, by which a statement tells that what it was decided on is gone.
const RACES: [&str; 3] = ["40001", "40P01", "22012"];
/// `untranslatable_character`, `character_not_in_repertoire`: PostgreSQL's texts hold no NUL.
const TEXTS: [&str; 2] = ["22P05", "22021"];
/// `read_only_sql_transaction`: the server is a standby by now, and its successor is found by connecting anew.
const READ_ONLY: &str = "25006";

/// Whether a session is of no use any more. Other errors are about one statement.
pub(super) fn ends_session(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(_) => code(error).is_some_and(|code| {
            // Class 57P: an administrator or a crash ends the session. Class 08: the connection.
            code == READ_ONLY || code.starts_with("57P") || code.starts_with("08")
        }),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}

/// Whether a text that was sent cannot be in the database.
pub(super) fn is_text_unwritable(error: &sqlx::Error) -> bool {
    code(error).is_some_and(|code| TEXTS.contains(&code.as_ref()))
}

fn code(error: &sqlx::Error) -> Option<std::borrow::Cow<'_, str>> {
    error.as_database_error()?.code()
}

/// What a person or a caller is told where nothing closer is known.
impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        let leaf = match &error {
            StoreError::Corrupt(_) => StoreRefusal::Corrupt,
            StoreError::Held => StoreRefusal::Held,
            _ => StoreRefusal::Unavailable,
        };
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        let refusal = leaf.refuse().detail(&error);
        match cause {
            Some(cause) => leaf.refuse().detail(format!("{error}: {cause}")),
            None => refusal,
        }
    }
}
