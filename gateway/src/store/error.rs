//! What can go wrong with the store.

use fedgate_providers::error::Refusal;

fedgate_providers::refusals! {
    /// What the store refuses.
    pub enum StoreRefusal in "store" {
        /// The database did not answer, or not in time, or somebody else changed the same thing at the same moment.
        Unavailable = "unavailable", Gateway,
            says "Signing in is interrupted for a moment.",
            fix "Look at the database and its disk: the log names the cause. Nothing was written, so that the same can be tried again.";
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
    #[error("store.url names “{0}:”; this build takes sqlite:PATH")]
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
            sqlx::Error::Database(cause) if cause.is_unique_violation() => Self::Conflict("row"),
            sqlx::Error::Database(cause) if cause.is_foreign_key_violation() => {
                Self::NotFound("referenced row")
            }
            _ => Self::Unavailable(error),
        }
    }
}

/// What a person or a caller is told where nothing closer is known.
impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        let leaf = match &error {
            StoreError::Corrupt(_) => StoreRefusal::Corrupt,
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
