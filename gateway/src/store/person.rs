//! Our users as rows.

use std::collections::HashSet;

use fedgate_certs::Timestamp;
use serde_json::json;

use super::page::{Page, PageRequest, Position};
use super::query::{execute, fetch_built, fetch_optional, push_list};
use super::{Store, StoreError, Transaction, membership, outbox, time};

/// One of our users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// `kp_` and 32 hex digits: `sub` downstream.
    pub id: String,
    /// The operator's own name for the user; unique where there is one.
    pub provided_id: Option<String>,
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
    /// Grows by one at each change.
    pub version: i64,
    /// When the row was made.
    pub created_at: Timestamp,
}

impl User {
    /// Where the user stands in a list.
    pub fn position(&self) -> Position {
        Position {
            at: self.created_at.as_millisecond(),
            id: self.id.clone(),
        }
    }
}

/// Which users a list holds: those with one of the addresses, whatever their case, and with one of the ids.
#[derive(Clone, Copy, Debug, Default)]
pub struct UserFilter<'a> {
    /// Addresses; none for every address.
    pub emails: &'a [String],
    /// Ids; none for every id.
    pub ids: &'a [String],
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: String,
    provided_id: Option<String>,
    email: Option<String>,
    email_verified: bool,
    given_name: Option<String>,
    family_name: Option<String>,
    name: Option<String>,
    picture: Option<String>,
    is_suspended: bool,
    version: i64,
    created_at: i64,
}

impl Row {
    pub(super) fn read(self) -> Result<User, StoreError> {
        Ok(User {
            id: self.id,
            provided_id: self.provided_id,
            email: self.email,
            email_verified: self.email_verified,
            given_name: self.given_name,
            family_name: self.family_name,
            name: self.name,
            picture: self.picture,
            is_suspended: self.is_suspended,
            version: self.version,
            created_at: time(self.created_at)?,
        })
    }
}

/// Adds the statement of a list of users, along an index whatever the filter.
macro_rules! push_listing {
    ($query:ident, $filter:expr, $request:expr) => {
        let start = $request.start();
        $query
            .push("SELECT * FROM users WHERE (created_at, id) < (")
            .push_bind(start.at)
            .push(", ")
            .push_bind(start.id)
            .push(")");
        if !$filter.emails.is_empty() {
            // The database folds both sides, each in its own way.
            $query.push(" AND lower(email) IN (");
            let mut list = $query.separated(", ");
            for email in $filter.emails {
                list.push("lower(")
                    .push_bind_unseparated(email)
                    .push_unseparated(")");
            }
            $query.push(")");
        }
        if !$filter.ids.is_empty() {
            $query.push(" AND id IN ");
            push_list!($query, $filter.ids);
        }
        $query
            .push(" ORDER BY created_at DESC, id DESC LIMIT ")
            .push_bind($request.limit());
    };
}

impl Store {
    /// Adds a user whom an operator entered, as a member of an organization if one is named.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the id or the `provided_id` is taken, [`StoreError::NotFound`] for an unknown organization.
    pub async fn create_user(
        &self,
        user: &User,
        organization: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        execute!(transaction,
            "INSERT INTO users (id, provided_id, email, email_verified, given_name, family_name, name, picture,
                is_suspended, version, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)",
            &user.id, user.provided_id.as_deref(), user.email.as_deref(), user.email_verified,
            user.given_name.as_deref(), user.family_name.as_deref(), user.name.as_deref(), user.picture.as_deref(),
            user.is_suspended, user.version, user.created_at.as_millisecond())?;
        let payload = json!({ "user_id": user.id });
        outbox::append(&mut transaction, "user.created", &payload, user.created_at).await?;
        if let Some(code) = organization {
            membership::join(&mut transaction, code, &user.id, user.created_at).await?;
        }
        transaction.commit().await
    }

    /// Changes a user whose version is still that of `user`, and answers the new version. The login sessions of a
    /// suspended user end.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] of `"user"` for another version, of `"row"` if the `provided_id` is taken;
    /// [`StoreError::NotFound`]
    pub async fn update_user(&self, user: &User, now: Timestamp) -> Result<i64, StoreError> {
        let mut transaction = self.begin().await?;
        let changed = execute!(
            transaction,
            "UPDATE users SET provided_id = $3, is_suspended = $4 WHERE id = $1 AND version = $2",
            &user.id,
            user.version,
            user.provided_id.as_deref(),
            user.is_suspended
        )?;
        if changed == 0 {
            return Err(missing_or_changed(&mut transaction, &user.id).await?);
        }
        update_profile(&mut transaction, user, now).await?;
        if user.is_suspended {
            execute!(
                transaction,
                "UPDATE login_sessions SET ended_at = $2 WHERE ended_at IS NULL
                   AND identity_id IN (SELECT id FROM identities WHERE user_id = $1)",
                &user.id,
                now.as_millisecond()
            )?;
        }
        let payload = json!({ "user_id": user.id });
        outbox::append(&mut transaction, "user.updated", &payload, now).await?;
        transaction.commit().await?;
        Ok(user.version + 1)
    }

    /// Removes a user with identities, memberships and login sessions, if its version is the expected one.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for another version, [`StoreError::NotFound`]
    pub async fn delete_user(
        &self,
        id: &str,
        expected: Option<i64>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let deleted = execute!(
            transaction,
            "DELETE FROM users WHERE id = $1 AND version = COALESCE($2, version)",
            id,
            expected
        )?;
        if deleted == 0 {
            return Err(missing_or_changed(&mut transaction, id).await?);
        }
        let payload = json!({ "user_id": id });
        outbox::append(&mut transaction, "user.deleted", &payload, now).await?;
        transaction.commit().await
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

    /// A page of users, newest first. Of `request`, the place and the size count.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn users(
        &self,
        filter: UserFilter<'_>,
        request: PageRequest<'_>,
    ) -> Result<Page<User>, StoreError> {
        let mut reader = self.reader().await?;
        let rows = fetch_built!(reader, Row, query, {
            push_listing!(query, filter, request);
        })?;
        Ok(Page::of(
            rows.into_iter().map(Row::read).collect::<Result<_, _>>()?,
            request,
        ))
    }

    /// Which of these ids are those of users.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn known_users(&self, ids: &[String]) -> Result<HashSet<String>, StoreError> {
        if ids.is_empty() {
            return Ok(HashSet::new());
        }
        let mut reader = self.reader().await?;
        let rows = fetch_built!(reader, (String,), query, {
            query.push("SELECT id FROM users WHERE id IN ");
            push_list!(query, ids);
        })?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// When a user last signed in, as far back as login sessions are kept.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn last_sign_in(&self, user_id: &str) -> Result<Option<Timestamp>, StoreError> {
        let mut reader = self.reader().await?;
        let row = fetch_optional!(
            reader,
            (Option<i64>,),
            "SELECT MAX(s.created_at) FROM login_sessions s JOIN identities i ON i.id = s.identity_id
             WHERE i.user_id = $1",
            user_id
        )?;
        row.and_then(|(at,)| at).map(time).transpose()
    }
}

/// Writes what an upstream can change of a user whose version is still that of `user`: never a suspension, which an
/// operator may have written in the meantime.
///
/// # Errors
/// [`StoreError::Conflict`] for another version.
pub(crate) async fn update_profile(
    transaction: &mut Transaction,
    user: &User,
    now: Timestamp,
) -> Result<(), StoreError> {
    let changed = execute!(*transaction,
        "UPDATE users SET version = version + 1, email = $3, email_verified = $4, given_name = $5, family_name = $6,
            name = $7, picture = $8, updated_at = $9 WHERE id = $1 AND version = $2",
        &user.id, user.version, user.email.as_deref(), user.email_verified, user.given_name.as_deref(),
        user.family_name.as_deref(), user.name.as_deref(), user.picture.as_deref(), now.as_millisecond())?;
    if changed == 0 {
        return Err(StoreError::Conflict("user"));
    }
    Ok(())
}

async fn missing_or_changed(
    transaction: &mut Transaction,
    id: &str,
) -> Result<StoreError, StoreError> {
    let found = fetch_optional!(
        *transaction,
        (i64,),
        "SELECT version FROM users WHERE id = $1",
        id
    )?;
    Ok(match found {
        Some(_) => StoreError::Conflict("user"),
        None => StoreError::NotFound("user"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::TestStore;

    #[tokio::test]
    async fn a_list_of_users_is_read_along_an_index_whatever_the_filter() {
        let store = TestStore::sqlite().await;
        let some = ["ann@example.com".to_owned()];
        let filter = |emails, ids| UserFilter { emails, ids };
        for (filter, index) in [
            (filter(&[], &[]), "users_by_age"),
            (filter(&some, &[]), "users_by_email"),
            (filter(&[], &some), "sqlite_autoindex_users_1"),
        ] {
            let request = PageRequest::default();
            let mut reader = store.reader().await.unwrap();
            let plan = fetch_built!(reader, (i64, i64, i64, String), query, {
                query.push("EXPLAIN QUERY PLAN ");
                push_listing!(query, filter, request);
            })
            .unwrap();
            let plan: Vec<_> = plan.into_iter().map(|(.., step)| step).collect();
            assert!(plan[0].starts_with("SEARCH users USING INDEX"), "{plan:?}");
            assert!(plan[0].contains(index), "{plan:?}");
        }
    }
}
