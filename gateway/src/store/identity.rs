//! Identities as rows: (connection, issuer, subject) leads to one user.

use fedgate_certs::Timestamp;

use super::query::{execute, fetch_all, fetch_optional};
use super::{Store, StoreError, time};

/// What an upstream's subject is to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `identity_` and 32 hex digits.
    pub id: String,
    /// Whose it is.
    pub user_id: String,
    /// The connection that proves it.
    pub connection_id: String,
    /// The upstream's issuer; none until the person of an identity entered beforehand first signs in.
    pub issuer: Option<String>,
    /// The upstream's subject; of an identity entered beforehand, the subject or address to expect.
    pub subject: String,
    /// Enterprise or social.
    pub kind: IdentityKind,
    /// When the row was made.
    pub created_at: Timestamp,
}

/// Where an identity comes from, in Kinde's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityKind {
    /// An organization's own identity provider.
    Enterprise,
    /// A provider that is open to everybody.
    Social,
}

impl IdentityKind {
    /// The word in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enterprise => "enterprise",
            Self::Social => "social",
        }
    }

    /// Reads [`IdentityKind::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Enterprise, Self::Social]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    user_id: String,
    connection_id: String,
    issuer: Option<String>,
    subject: String,
    #[sqlx(rename = "type")]
    kind: String,
    created_at: i64,
}

impl Row {
    fn read(self) -> Result<Identity, StoreError> {
        Ok(Identity {
            id: self.id,
            user_id: self.user_id,
            connection_id: self.connection_id,
            issuer: self.issuer,
            subject: self.subject,
            kind: IdentityKind::parse(&self.kind).ok_or(StoreError::Corrupt("identity type"))?,
            created_at: time(self.created_at)?,
        })
    }
}

impl Store {
    /// Adds an identity; without an issuer, one that waits for its person.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the connection knows that subject already; [`StoreError::NotFound`] for an
    /// unknown user or connection.
    pub async fn create_identity(&self, identity: &Identity) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        execute!(
            transaction,
            "INSERT INTO identities (id, user_id, connection_id, issuer, subject, type, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &identity.id,
            &identity.user_id,
            &identity.connection_id,
            identity.issuer.as_deref(),
            &identity.subject,
            identity.kind.as_str(),
            identity.created_at.as_millisecond()
        )?;
        transaction.commit().await
    }

    /// Removes an identity with its login sessions.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]
    pub async fn delete_identity(&self, id: &str) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let deleted = execute!(transaction, "DELETE FROM identities WHERE id = $1", id)?;
        transaction.commit().await?;
        if deleted == 0 {
            Err(StoreError::NotFound("identity"))
        } else {
            Ok(())
        }
    }

    /// Reads an identity.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn identity(&self, id: &str) -> Result<Option<Identity>, StoreError> {
        let mut reader = self.reader().await?;
        fetch_optional!(reader, Row, "SELECT * FROM identities WHERE id = $1", id)?
            .map(Row::read)
            .transpose()
    }

    /// The identities of a user, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn identities(&self, user_id: &str) -> Result<Vec<Identity>, StoreError> {
        let mut reader = self.reader().await?;
        fetch_all!(
            reader,
            Row,
            "SELECT * FROM identities WHERE user_id = $1 ORDER BY created_at, id",
            user_id
        )?
        .into_iter()
        .map(Row::read)
        .collect()
    }
}
