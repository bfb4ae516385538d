//! Our users as rows.

use fedgate_certs::Timestamp;

use super::page::{Page, PageRequest};
use super::query::{execute, fetch_all, fetch_optional};
use super::{Store, StoreError, time};

/// One of our users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// `kp_` and 32 hex digits: `sub` downstream.
    pub id: String,
    /// Contact address; never a key.
    pub email: Option<String>,
    /// Whether applications may rely on it; see `people::link`.
    pub email_verified: bool,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// Full name.
    pub name: Option<String>,
    /// Picture URL.
    pub picture: Option<String>,
    /// Whether the operator keeps the user out.
    pub is_suspended: bool,
    /// When the row was made.
    pub created_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    email: Option<String>,
    email_verified: bool,
    given_name: Option<String>,
    family_name: Option<String>,
    name: Option<String>,
    picture: Option<String>,
    is_suspended: bool,
    created_at: i64,
}

impl Row {
    fn read(self) -> Result<User, StoreError> {
        Ok(User {
            id: self.id,
            email: self.email,
            email_verified: self.email_verified,
            given_name: self.given_name,
            family_name: self.family_name,
            name: self.name,
            picture: self.picture,
            is_suspended: self.is_suspended,
            created_at: time(self.created_at)?,
        })
    }
}

impl Store {
    /// Adds a user whom an operator entered.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the id is taken.
    pub async fn create_user(&self, user: &User) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        execute!(transaction,
            "INSERT INTO users (id, email, email_verified, given_name, family_name, name, picture, is_suspended,
                created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
            &user.id, user.email.as_deref(), user.email_verified, user.given_name.as_deref(), user.family_name.as_deref(),
            user.name.as_deref(), user.picture.as_deref(), user.is_suspended, user.created_at.as_millisecond())?;
        transaction.commit().await
    }

    /// Changes a user.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]
    pub async fn update_user(&self, user: &User, now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let changed = update(&mut transaction, user, now).await?;
        transaction.commit().await?;
        if changed == 0 {
            Err(StoreError::NotFound("user"))
        } else {
            Ok(())
        }
    }

    /// Removes a user with identities, memberships and login sessions.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]
    pub async fn delete_user(&self, id: &str) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let deleted = execute!(transaction, "DELETE FROM users WHERE id = $1", id)?;
        transaction.commit().await?;
        if deleted == 0 {
            Err(StoreError::NotFound("user"))
        } else {
            Ok(())
        }
    }

    /// Reads a user.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn user(&self, id: &str) -> Result<Option<User>, StoreError> {
        let mut reader = self.reader().await?;
        fetch_optional!(reader, Row, "SELECT * FROM users WHERE id = $1", id)?
            .map(Row::read)
            .transpose()
    }

    /// A page of users, newest first; only those with exactly that address, if it is given.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn users(
        &self,
        email: Option<&str>,
        request: PageRequest<'_>,
    ) -> Result<Page<User>, StoreError> {
        let mut reader = self.reader().await?;
        let rows = if request.is_backward() {
            fetch_all!(
                reader,
                Row,
                "SELECT * FROM users WHERE (CAST($1 AS TEXT) IS NULL OR email = $1)
                   AND (created_at, id) > (SELECT created_at, id FROM users WHERE id = $2)
                 ORDER BY created_at, id LIMIT $3",
                email,
                request.ending_before,
                request.limit()
            )
        } else {
            fetch_all!(reader, Row,
                "SELECT * FROM users WHERE (CAST($1 AS TEXT) IS NULL OR email = $1)
                   AND (CAST($2 AS TEXT) IS NULL OR (created_at, id) < (SELECT created_at, id FROM users WHERE id = $2))
                 ORDER BY created_at DESC, id DESC LIMIT $3", email, request.starting_after, request.limit())
        }?;
        Ok(Page::of(
            rows.into_iter().map(Row::read).collect::<Result<_, _>>()?,
            request,
        ))
    }
}

/// Writes a user's profile in an open transaction; answers how many rows were there.
pub(crate) async fn update(
    transaction: &mut super::Transaction,
    user: &User,
    now: Timestamp,
) -> Result<u64, StoreError> {
    execute!(*transaction,
        "UPDATE users SET email = $2, email_verified = $3, given_name = $4, family_name = $5, name = $6, picture = $7,
            is_suspended = $8, updated_at = $9 WHERE id = $1",
        &user.id, user.email.as_deref(), user.email_verified, user.given_name.as_deref(), user.family_name.as_deref(),
        user.name.as_deref(), user.picture.as_deref(), user.is_suspended, now.as_millisecond())
}
